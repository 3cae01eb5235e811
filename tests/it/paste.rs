//! Pastes as people make them: `tests/data/pastes/KIND-*.txt`, each with what it comes to in JSON beside it.

use headroom::catalog::Catalog;
use headroom::message::Problem;
use headroom::paste::{self, Pasted};
use headroom::request::line;
use headroom::text::{Locale, say};
use serde_json::{Value, json};
use std::path::PathBuf;

fn read(text: &str) -> Result<Pasted, Problem> {
    paste::read(text, Catalog::embedded())
}

fn corpus() -> Vec<PathBuf> {
    let folder = std::fs::read_dir("tests/data/pastes").unwrap();
    let mut files: Vec<PathBuf> = folder
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|end| end == "txt"))
        .collect();
    files.sort();
    files
}

fn as_json(pasted: &Pasted) -> Value {
    json!({
        "kind": pasted.kind.map(|kind| kind.word()),
        "understood": pasted.understood,
        "asked": pasted.asked,
        "assumed": pasted.assumed,
        "line": line::write(&pasted.settings),
    })
}

#[test]
fn pastes_are_understood() {
    let mut faults = vec![];
    for path in corpus() {
        let text = std::fs::read_to_string(&path).unwrap();
        let expected: Value = std::fs::read_to_string(path.with_extension("json"))
            .map_or(Value::Null, |json| serde_json::from_str(&json).unwrap());
        let found =
            read(&text).map_or_else(|problem| json!({"problem": problem.message.key}), |pasted| as_json(&pasted));
        if found != expected {
            faults.push(format!("{}\n{}", path.display(), serde_json::to_string_pretty(&found).unwrap()));
        }
    }
    assert!(faults.is_empty(), "{} differ\n{}", faults.len(), faults.join("\n"));
}

#[test]
fn every_kind_has_three_pastes() {
    let kinds = [
        "hf-config",
        "peft-config",
        "vllm",
        "sglang",
        "tgi",
        "trtllm",
        "llama.cpp",
        "ollama",
        "deepspeed",
        "accelerate",
        "torchtune",
        "llama-factory",
        "axolotl",
        "megatron",
        "litgpt",
        "torchtitan",
        "nvidia-smi",
        "oom",
    ];
    for kind in kinds {
        let of_kind =
            corpus().iter().filter(|path| path.file_name().unwrap().to_string_lossy().starts_with(kind)).count();
        assert!(of_kind >= 3, "{kind}: {of_kind}");
    }
}

#[test]
fn a_line_from_a_paste_reads_back() {
    for path in corpus() {
        let text = std::fs::read_to_string(&path).unwrap();
        let Ok(pasted) = read(&text) else { continue };
        if pasted.settings.get("model").is_none() {
            continue;
        }
        let written = line::write(&pasted.settings);
        let again =
            line::read(&written, Catalog::embedded()).unwrap_or_else(|problem| panic!("{written}: {problem:?}"));
        assert_eq!(again.settings, pasted.settings, "{}", path.display());
    }
}

#[test]
fn what_is_too_long_is_refused() {
    let problem = read(&"x ".repeat(80_000)).unwrap_err();
    assert_eq!(problem.message.key, "paste-too-long");
}

#[test]
fn a_figure_that_cannot_be_is_a_fault_of_its_knob() {
    let problem = read("vllm serve Qwen/Qwen3-8B --tensor-parallel-size 0").unwrap_err();
    assert_eq!(problem.knob, Some("tp"));
}

#[test]
fn aliases_do_not_expand() {
    let mut bomb = "a: &a [x, x, x, x, x, x, x, x]\n".to_owned();
    for (name, last) in ('b'..='i').zip('a'..) {
        bomb += &format!("{name}: &{name} [{}]\n", vec![format!("*{last}"); 8].join(", "));
    }
    let problem = read(&format!("base_model: x\nsequence_len: 8\n{bomb}")).unwrap_err();
    assert_eq!(problem.message.key, "paste-aliases");
}

#[test]
fn a_broken_file_is_told_where() {
    let fault = |text: &str| read(text).err().map(|problem| say(Locale::En, &problem.message));
    let json = "{\n  // stage\n  \"zero_optimization\": {\"stage\": 3,},\n  \"train_batch_size\" 8\n}";
    assert_eq!(
        fault(json).as_deref(),
        Some("This JSON breaks at line 4, column 22. Mend it there, or paste it whole.")
    );
    let yaml = "base_model: x\nsequence_len: 8\nlora_target_modules: [q_proj, v_proj\nmicro_batch_size: 1\n";
    assert_eq!(
        fault(yaml).as_deref(),
        Some("This YAML breaks at line 4, column 17. Mend it there, or paste it whole.")
    );
    let deep = "{\"a\":".repeat(5000) + "1" + &"}".repeat(5000);
    assert_eq!(fault(&deep).as_deref(), Some("That is nested deeper than 32 levels."));
    let huge = "{\"model_type\": \"llama\", \"hidden_size\": 1e30, \"num_hidden_layers\": 2, \"num_attention_heads\": 2, \"vocab_size\": 9, \"intermediate_size\": 9}";
    assert_eq!(fault(huge).as_deref(), Some("This config.json describes no model that can be: look at hidden."));
    assert_eq!(fault("{see below}, it fails: why?"), None);
}

#[test]
fn variables_do_not_expand_without_end() {
    let doubling = read(&"X=$X$X\n".repeat(9_000)).unwrap();
    assert_eq!(doubling.kind, None);
    let long = format!("A={}\n", "x".repeat(15_000));
    let files = "cat <<EOF > x\n$A\n$A: $A\nEOF\n".repeat(2_000);
    assert_eq!(read(&(long + &files)).unwrap().kind, None);
    read(&("N=8\n".repeat(8_000) + "torchrun --nproc_per_node $N train.py --model_name_or_path x")).unwrap();
}

#[test]
fn what_is_listed_without_end_is_not_followed() {
    let cards = read(&"GPU 0: NVIDIA L4 (UUID: GPU-0)\n".repeat(2000)).unwrap();
    assert_eq!(cards.understood["gpus"], 64);
    assert_eq!(read(&"---\na: 1\nb: 2\n".repeat(4000)).unwrap().kind, None);
    assert_eq!(read(&"a: 1\n".repeat(10_000)).unwrap().kind, None);
}

proptest::proptest! {
    /// Pieces of real pastes, cut and put together anyhow.
    #[test]
    fn no_paste_is_too_odd(which in proptest::collection::vec((0..1000usize, 0..400usize, 1..200usize), 1..5), noise in "\\PC{0,30}|[-={}\\[\\]:$\"'`\\\\ \n]{0,30}") {
        let files = corpus();
        let mut text = String::new();
        for (file, from, length) in which {
            let whole: Vec<char> = std::fs::read_to_string(&files[file % files.len()]).unwrap().chars().collect();
            let from = from % whole.len();
            text.extend(&whole[from..(from + length).min(whole.len())]);
            text.push_str(&noise);
        }
        if let Ok(pasted) = read(&text) {
            line::write(&pasted.settings);
        }
    }
}
