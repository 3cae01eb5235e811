//! What people type after an estimate, against the change that was meant.

use headroom::app::App;
use headroom::catalog::Catalog;
use headroom::commands::COMMANDS;
use headroom::plan::{Outcome, Verdict};
use headroom::request::line::read;
use headroom::request::settings::Value;
use headroom::request::tweak::{Said, tweak};

const BASES: [(&str, &str); 2] = [
    ("train", "train Qwen/Qwen2.5-32B-Instruct method=lora seq=4096 batch=4 gpu=h100-sxm-80gb gpus=8"),
    ("infer", "infer Qwen/Qwen2.5-32B-Instruct backend=vllm seq=4096 concurrency=16 batch=4 gpu=h100-sxm-80gb gpus=8"),
];

/// What a tweak came to, in the words of the table.
fn said(base: &str, phrase: &str) -> String {
    let base = read(base, Catalog::embedded()).expect("a base reads").settings;
    let tweak = tweak(&base, phrase, Catalog::embedded());
    match tweak.outcome {
        Said::Nothing => "NONE".to_owned(),
        Said::Wish | Said::Either => format!("ASK:{}", tweak.ask.join(",")),
        Said::Error => format!("ERROR:{}", tweak.error.and_then(|error| error.knob).unwrap_or("")),
        Said::Changed => {
            let words = tweak.changes.iter().map(|(key, value)| {
                format!("{key}={}", value.as_ref().map_or_else(|| "default".to_owned(), Value::to_string))
            });
            words.collect::<Vec<_>>().join(";")
        }
    }
}

/// The table's relative and family words, worked out on the bases.
fn meant(expected: &str) -> String {
    let now = |key: &str| match key {
        "seq" => 4096.0,
        "batch" => 4.0,
        "gpus" => 8.0,
        "concurrency" => 16.0,
        "lora_rank" => 8.0,
        _ => 1.0,
    };
    let word = |word: &str| {
        if let Some((key, by)) = word.split_once('*') {
            return format!("{key}={}", now(key) * by.parse::<f64>().expect("a factor"));
        }
        if let Some((key, by)) = word.split_once('/').filter(|(key, _)| !key.contains('=')) {
            return format!("{key}={}", now(key) / by.parse::<f64>().expect("a factor"));
        }
        if let Some((key, by)) = word.split_once('+') {
            return format!("{key}={}", now(key) + by.parse::<f64>().expect("a count"));
        }
        if let Some((key, by)) =
            word.split_once('-').filter(|(key, by)| !key.contains('=') && by.parse::<f64>().is_ok())
        {
            return format!("{key}={}", now(key) - by.parse::<f64>().expect("a count"));
        }
        match word.strip_prefix("size=") {
            Some(size) => format!("model=Qwen/Qwen2.5-{size}-Instruct"),
            None => word.to_owned(),
        }
    };
    if expected.starts_with("ASK") {
        return expected.to_owned();
    }
    expected.split(';').map(word).collect::<Vec<_>>().join(";")
}

fn sorted(words: &str) -> Vec<&str> {
    let mut words: Vec<&str> = words.split(';').collect();
    words.sort_unstable();
    words
}

/// Rows of a table that came out otherwise than meant.
fn wrong(table: &str) -> (usize, Vec<String>) {
    let mut reader = csv::Reader::from_path(table).expect("the table is there");
    let (mut rows, mut wrong) = (0, vec![]);
    for row in reader.records() {
        let row = row.expect("a row");
        let (phrase, kind, expected) = (&row[0], &row[1], &row[2]);
        for (base_kind, base) in BASES.iter().filter(|(base, _)| kind == "either" || *base == kind) {
            rows += 1;
            let expected = meant(expected);
            let got = said(base, phrase);
            let agrees = sorted(&got) == sorted(&expected);
            if !agrees {
                wrong.push(format!("{base_kind}: {phrase:?}: {got}, not {expected}"));
            }
        }
    }
    (rows, wrong)
}

#[test]
fn a_knob_is_given_back_to_its_default() {
    assert_eq!(said(BASES[0].1, "gpu=default gpus=default batch=1"), "gpu=default;gpus=default;batch=1");
}

#[track_caller]
fn check(table: &str, least: f64) {
    let (rows, wrong) = wrong(table);
    let right = 1.0 - wrong.len() as f64 / rows as f64;
    println!("{table}: {:.1}% of {rows}", right * 100.0);
    println!("{}", wrong.join("\n"));
    assert!(right >= least, "{:.1}% of {rows}:\n{}", right * 100.0, wrong.join("\n"));
}

#[test]
fn phrases_of_the_reference_change_what_was_meant() {
    check("tests/data/tweak-phrases.csv", 0.95);
}

#[test]
fn our_own_phrases_change_what_was_meant() {
    check("tests/data/tweak-phrases-own.csv", 0.95);
}

#[test]
fn a_relative_change_of_what_is_to_be_found_is_of_what_was_found() {
    let app = App::new(Catalog::embedded(), COMMANDS);
    let base = read("train llama-3-8b method=lora seq=4096 batch=max gpu=h100-sxm-80gb", app.catalog).expect("a line");
    let after = |text: &str| app.tweak(&base.settings, text).settings;
    let doubled = after("double the batch").count("batch").expect("a number");
    let fits = |batch: u64| {
        let settings = base.settings.with("batch", Value::Count(batch));
        let outcome = Outcome::of(&settings, app.catalog).expect("an estimate");
        !matches!(outcome.plan.verdict, Verdict::Short { .. })
    };
    assert!(fits(doubled / 2) && !fits(doubled / 2 + 1), "{doubled}");
    assert_eq!(after("zero 2").get("batch"), base.settings.get("batch"), "what is not spoken of stays open");
}
