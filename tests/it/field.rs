//! Set-ups that people ran, or that died for want of memory: `tests/data/field-setups.csv`; and speeds that they
//! published, of other models and cards than constants are fitted to: `tests/data/field-speeds.csv`.
//!
//! A line says what its source says and no more. `measured_gib` is what the driver showed, or of `tensors` what the
//! allocator had handed out. Rows that we are known to get wrong say why in `miss`.

use crate::support::answer;
use headroom::catalog::Catalog;
use headroom::estimate::Ranged;
use headroom::plan::{Outcome, Verdict};
use headroom::request::line;
use serde::Deserialize;
use std::sync::Arc;

#[derive(Deserialize)]
struct Row {
    id: String,
    line: String,
    outcome: Fate,
    note: String,
    miss: String,
}

#[derive(Clone, Copy, Deserialize, PartialEq)]
#[serde(rename_all = "lowercase")]
enum Fate {
    Ran,
    Died,
}

impl Row {
    fn answer(&self) -> Arc<Outcome> {
        let catalog = Catalog::embedded();
        let read = line::read(&self.line, catalog).unwrap_or_else(|problem| panic!("{}: {problem:?}", self.id));
        Outcome::of(&read.settings, catalog).unwrap_or_else(|problem| panic!("{}: {problem:?}", self.id))
    }
    fn is_right(&self) -> bool {
        match self.answer().plan.verdict {
            Verdict::Fits { .. } => self.outcome == Fate::Ran,
            Verdict::Tight { .. } => self.outcome == Fate::Ran || self.note.starts_with("borderline"),
            Verdict::Short { .. } => self.outcome == Fate::Died,
            Verdict::NoGpu => false,
        }
    }
}

fn rows() -> Vec<Row> {
    let mut table = csv::Reader::from_reader(include_str!("../data/field-setups.csv").as_bytes());
    table.deserialize().collect::<Result<_, _>>().expect("rows of the table")
}

/// Who mends a row takes its reason out; who breaks one says why, or mends that.
#[test]
fn what_ran_fits_and_what_died_is_short() {
    let rows = rows();
    let changed = rows.iter().filter(|row| row.is_right() != row.miss.is_empty()).map(|row| &*row.id);
    assert_eq!(changed.collect::<Vec<_>>(), [""; 0]);
    for work in ["train ", "infer "] {
        let of_kind: Vec<_> = rows.iter().filter(|row| row.line.starts_with(work)).collect();
        let right = of_kind.iter().filter(|row| row.miss.is_empty()).count();
        assert!(right as f64 >= 0.81 * of_kind.len() as f64, "{work}{right} of {}", of_kind.len());
    }
}

/// Knobs that the threads say it was solved by, or that tell the row that died from its neighbour that ran.
const SOLVED: [(&str, &str); 20] = [
    ("lf1221-llama7b-full-8v100-z2", "zero"),
    ("dsc78-33b-full-z3-8a800", "offload"),
    ("hf13329-gptj-full-a100-40", "offload"),
    ("openrlhf698", "offload"),
    ("alpaca56-llama7b-full-1a100", "gpus"),
    ("yarn23-2", "gpus"),
    ("vllm4880-qwen15-32b-awq-3090", "gpus"),
    ("al50-off", "checkpointing"),
    ("openrl99-qwen3-4b-lora-13k", "checkpointing"),
    ("ax708-b4", "batch"),
    ("xt-yi34b-128k-16", "cp"),
    ("meg606-llama2-7b-tp1", "tp"),
    ("vllm10517-l31-8b-3090-29k", "seq"),
    ("vllm13061-r1-14b-2x4090", "seq"),
    ("vllm7028-mistral-awq-t4-10", "gpu_mem_util"),
    ("gpustack3831", "gpu_mem_util"),
    ("ld2442", "gpu_mem_util"),
    ("recipes551-qwen36-27b-fp8-h100", "max_seqs"),
    ("vllm3285-mixtral-bf16-4x4090", "quant"),
    ("ml136-32", "concurrency"),
];

#[test]
fn what_solved_it_is_offered() {
    let rows = rows();
    for (id, knob) in SOLVED {
        let row = rows.iter().find(|row| row.id == id).unwrap_or_else(|| panic!("no row {id}"));
        let answer = row.answer();
        let shown = answer.plan.advice.iter().take(5).filter(|one| one.fits).flat_map(|one| &one.changes);
        let knobs: Vec<&str> = shown.map(|(key, _)| *key).collect();
        assert!(knobs.contains(&knob), "{id}: {knob} of {knobs:?}");
    }
}

#[derive(Deserialize)]
struct Speed {
    line: String,
    ttft_ms: Option<f64>,
    tpot_ms: Option<f64>,
    tokens_per_s: Option<f64>,
}

impl Speed {
    fn measured_and_told(&self) -> Vec<(f64, Ranged)> {
        let serving = answer(&self.line).serving;
        let told = serving.and_then(|serving| serving.speed).unwrap_or_else(|| panic!("{} has no speed", self.line));
        let pairs =
            [(self.ttft_ms, told.ttft_ms), (self.tpot_ms, told.tpot_ms), (self.tokens_per_s, told.tokens_per_s)];
        pairs.into_iter().filter_map(|(measured, told)| Some((measured?, told))).collect()
    }
}

/// At first try half of the first 158 were within 27%, and half of the next 79, servers all, within 33%.
#[test]
fn published_speeds_are_near_ours() {
    let mut table = csv::Reader::from_reader(include_str!("../data/field-speeds.csv").as_bytes());
    let rows: Vec<Speed> = table.deserialize().collect::<Result<_, _>>().expect("rows of the table");
    let speeds: Vec<(f64, Ranged)> = rows.iter().flat_map(Speed::measured_and_told).collect();
    let mut errors: Vec<f64> = speeds.iter().map(|(measured, told)| (told.value / measured - 1.0).abs()).collect();
    errors.sort_by(f64::total_cmp);
    let inside = speeds.iter().filter(|(measured, told)| (told.low..=told.high).contains(measured)).count();
    let (median, inside) = (errors[errors.len() / 2], inside as f64 / errors.len() as f64);
    assert!(median < 0.2 && inside > 0.7, "off by {median:.3} at the median, {inside:.3} in range");
}
