//! Nanotron's YAML: a shape as Hugging Face's configurations name it, and how it is split.
//!
//! Names as in nanotron/config/config.py.

use super::draft::{Draft, Rule, Rules};
use super::trainers::{dtype, optimizer, train};
use super::tree::{at, flatten};
use super::{Kind, config};
use crate::catalog::Catalog;
use Rule::{Knob, With};
use serde_json::{Map, Value, json};

pub fn read(tree: &Map<String, Value>, catalog: &Catalog) -> Option<Draft> {
    let (Some(_), Some(_)) = (at(tree, "parallelism.tp"), at(tree, "tokens.sequence_length")) else { return None };
    let mut draft = train(Kind::Nanotron);
    // Its models are Llamas; it keeps 16-bit weights, gradients in 32 bits and shards like Megatron.
    let mut shape = at(tree, "model.model_config").and_then(Value::as_object).cloned().unwrap_or_default();
    shape.entry("model_type").or_insert(json!("llama"));
    if let Some(Ok(model)) = config::read(&shape, catalog) {
        draft.model = model.model;
        draft.knobs = model.knobs;
        draft.facts = model.facts;
    }
    for (knob, word) in [("framework", "megatron"), ("method", "full"), ("stage", "pretrain")] {
        draft.set(knob, word);
    }
    for (path, value) in flatten(tree) {
        draft.follow(RULES, &path, &value);
    }
    let degree = |knob| draft.count(knob).unwrap_or(1);
    let gpus = ["tp", "pp", "dp"].into_iter().map(degree).fold(1, u64::saturating_mul);
    draft.set("gpus", gpus);
    Some(draft)
}

const RULES: Rules = &[
    (&["parallelism.tp"], Knob("tp")),
    (&["parallelism.pp"], Knob("pp")),
    (&["parallelism.dp"], Knob("dp")),
    (&["parallelism.expert_parallel_size"], Knob("ep")),
    (&["parallelism.context_parallel_size"], Knob("cp")),
    (&["tokens.micro_batch_size"], Knob("batch")),
    (&["tokens.batch_accumulation_per_replica"], Knob("accum")),
    (&["tokens.sequence_length"], Knob("seq")),
    (&["optimizer.zero_stage"], Knob("zero")),
    (&["optimizer.optimizer_factory.name"], With(optimizer)),
    (&["model.dtype"], With(dtype)),
];
