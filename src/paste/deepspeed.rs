//! DeepSpeed's JSON.

use super::Kind;
use super::draft::{Draft, Rule, Rules, is_unset};
use super::trainers::{offload_optimizer, offload_parameters, optimizer, train};
use super::tree::{at, flatten};
use Rule::{Count, Knob, On, With};
use serde_json::{Map, Value};

pub fn read(tree: &Map<String, Value>) -> Option<Draft> {
    let keys = [
        "zero_optimization",
        "train_micro_batch_size_per_gpu",
        "train_batch_size",
        "zero_allow_untested_optimizer",
        "activation_checkpointing",
    ];
    if !keys.iter().any(|key| tree.contains_key(*key)) {
        return None;
    }
    let mut draft = train(Kind::Deepspeed);
    for (path, value) in flatten(tree) {
        draft.follow(RULES, &path, &value);
    }
    if at(tree, "zero_optimization").and_then(Value::as_bool) == Some(true) {
        draft.set("zero", 1);
    }
    draft.set("framework", "deepspeed");
    // train_batch_size = micro batch × accumulation × GPUs.
    if let (Some(all), Some(micro)) = (draft.count("global_batch"), draft.count("batch"))
        && let Some(accumulation) = draft.count("accum")
    {
        let each = micro.saturating_mul(accumulation);
        if each > 0 && all.is_multiple_of(each) {
            draft.set("gpus", all / each);
        }
    }
    Some(draft)
}

const RULES: Rules = &[
    (&["train_micro_batch_size_per_gpu"], Knob("batch")),
    (&["gradient_accumulation_steps"], Knob("accum")),
    (
        &["train_batch_size"],
        With(|draft, value| {
            if !is_unset(value) {
                draft.set("global_batch", value)
            }
        }),
    ),
    (&["zero_optimization.stage"], Knob("zero")),
    (&["zero_optimization.offload_optimizer.device"], With(offload_optimizer)),
    (&["zero_optimization.cpu_offload"], On("offload", "optimizer")),
    (&["zero_optimization.offload_param.device"], With(offload_parameters)),
    (&["zero_optimization.cpu_offload_params"], On("offload", "cpu")),
    (&["bf16.enabled", "bfloat16.enabled"], On("precision", "bf16")),
    (&["fp16.enabled"], On("precision", "fp16")),
    (&["optimizer.type"], With(optimizer)),
    (&["tensor_parallel.autotp_size"], Count("tp")),
    (&["sequence_parallel_size"], Knob("cp")),
];
