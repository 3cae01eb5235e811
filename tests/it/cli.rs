//! The program from outside: exit codes, streams, JSON.

use assert_cmd::Command;
use serde_json::Value;
use std::io::{BufRead, BufReader, Write};
use std::process::Stdio;

fn headroom(words: &[&str]) -> std::process::Output {
    Command::cargo_bin("headroom").expect("cargo builds it").args(words).output().expect("it runs")
}

fn json(bytes: &[u8]) -> Value {
    serde_json::from_slice(bytes).expect("one JSON object")
}

#[test]
fn a_line_is_answered_on_stdout() {
    let output = headroom(&["train", "llama-7b", "method=full", "seq=2048", "batch=4"]);
    let text = String::from_utf8(output.stdout).expect("UTF-8");
    assert_eq!(output.status.code(), Some(0));
    assert!(text.contains("train huggyllama/llama-7b method=full seq=2048 batch=4"), "{text}");
}

#[test]
fn json_has_the_fields_of_the_contract_and_its_parts_add_up() {
    let output = headroom(&["--json", "train", "llama-3-8b", "method=qlora", "gpu=4090"]);
    let answer = json(&output.stdout);
    let per_gpu = answer["memory"]["per_gpu"].as_object().expect("parts");
    let parts: f64 = per_gpu.iter().filter(|(name, _)| *name != "total").filter_map(|(_, bytes)| bytes.as_f64()).sum();
    let total = per_gpu["total"].as_f64().expect("a number");
    assert!((parts - total).abs() < 1.0, "{parts} is not {total}");
    assert_eq!(answer["memory"]["device"], answer["memory"]["per_gpu"]["total"]);
    for field in ["model", "compute", "time", "fit", "recommendations", "assumed", "notes", "line"] {
        assert!(answer.get(field).is_some(), "{field} is missing");
    }
    assert!(per_gpu.get("kv_cache").is_none(), "what does not apply is absent");
}

#[test]
fn a_problem_is_one_sentence_on_stderr_and_exit_2() {
    let output = headroom(&["train", "llama-3-8b", "zero=7"]);
    let text = String::from_utf8(output.stderr).expect("UTF-8");
    assert_eq!((output.status.code(), output.stdout.as_slice()), (Some(2), b"".as_slice()));
    assert!(text.contains("zero") && text.contains("zero=3"), "{text}");
}

#[test]
fn a_problem_reads_in_chinese() {
    let output = headroom(&["--lang", "zh-CN", "train", "gpt-4"]);
    let text = String::from_utf8(output.stderr).expect("UTF-8");
    assert!(text.chars().any(|c| ('\u{4e00}'..='\u{9fff}').contains(&c)), "{text}");
}

#[test]
fn a_batch_answers_a_line_before_the_next_is_asked() {
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_headroom"));
    let mut batch = command.arg("batch").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("it runs");
    let mut questions = batch.stdin.take().expect("piped");
    let mut answers = BufReader::new(batch.stdout.take().expect("piped")).lines();
    for id in 1..3 {
        writeln!(questions, r#"{{"id": {id}, "resolve": "llama3 8b"}}"#).expect("it reads");
        let answer = answers.next().expect("an answer").expect("UTF-8");
        assert_eq!(json(answer.as_bytes())["id"], id);
    }
    drop(questions);
    assert!(batch.wait().expect("it ends").success());
}

#[test]
fn a_batch_answers_every_line_in_order_and_survives_bad_ones() {
    let input = r#"{"id": 1, "line": "train llama-3-8b method=lora gpu=a100-80gb"}
not json
{"id": {"any": "value"}, "resolve": "llama3 70b q4"}
{"id": 3, "base": "train llama-3-8b gpu=8xa100-80gb", "tweak": "zero3 and 8k"}
{"id": 4, "paste": "vllm serve Qwen/Qwen2.5-7B-Instruct --tensor-parallel-size 2"}
{"id": 5, "line": "train nonsense-9000"}
{"id": 6, "unknown": 1}"#;
    let mut command = Command::cargo_bin("headroom").expect("cargo builds it");
    let output = command.arg("batch").write_stdin(input).output().expect("it runs");
    let answers: Vec<_> = output.stdout.split(|b| *b == b'\n').filter(|line| !line.is_empty()).map(json).collect();
    let ok: Vec<_> = answers.iter().map(|answer| answer["ok"].as_bool().expect("always there")).collect();
    assert_eq!(ok, [true, false, true, true, true, false, false]);
    assert_eq!(answers[2]["id"]["any"], "value");
    assert_eq!(answers[3]["changes"], serde_json::json!({"zero": 3, "seq": 8192}));
    assert_eq!(answers[4]["understood"]["tp"], 2);
    assert_eq!(answers[6]["id"], 6);
}

#[test]
fn the_catalog_has_no_fault() {
    let output = headroom(&["check"]);
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stdout));
}

#[test]
fn every_verb_has_a_command() {
    use headroom::{app::App, catalog::Catalog, commands::COMMANDS, request::Verb};
    let app = App::new(Catalog::embedded(), COMMANDS);
    for verb in Verb::ALL {
        let text = format!("{} llama-3-8b gpu=rtx-4090-24gb,rtx-3090-24gb", verb.word());
        let text = if verb == Verb::Compare { text } else { text.replace(",rtx-3090-24gb", "") };
        let asked = app.ask(&text).expect("reads");
        assert_eq!(asked.verb, verb, "{text}");
        assert!(app.answer(&asked).is_ok(), "{text}");
    }
}
