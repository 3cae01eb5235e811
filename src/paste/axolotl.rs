//! Axolotl's YAML.

use super::Kind;
use super::draft::{Draft, Rule, Rules, is_on, is_unset};
use super::trainers::{
    attention, checkpointing, deepspeed_path, finish_trainer, fsdp_words, optimizer, sharding_strategy, targets, train,
};
use super::tree::flatten;
use Rule::{Knob, Model, Off, On, Switch, With};
use serde_json::{Map, Value};

pub fn read(tree: &Map<String, Value>) -> Option<Draft> {
    let own = ["sequence_len", "micro_batch_size", "adapter", "datasets", "sample_packing", "lora_r", "num_epochs"];
    if !tree.contains_key("base_model") || !own.iter().any(|key| tree.contains_key(*key)) {
        return None;
    }
    let mut draft = train(Kind::Axolotl);
    let mut pairs = flatten(tree);
    pairs.sort();
    for (path, value) in &pairs {
        draft.follow(RULES, path, value);
    }
    // `batch_size` is what a GPU does between two optimizer steps.
    if let Some(each) = draft.count("step_batch") {
        draft.unset("step_batch");
        let accumulation = draft.count("batch").and_then(|micro| each.checked_div(micro)).filter(|steps| *steps > 0);
        if let (Some(steps), None) = (accumulation, draft.get("accum")) {
            draft.set("accum", steps);
        }
    }
    let sharded =
        pairs.iter().any(|(name, value)| (name == "fsdp" || name.starts_with("fsdp_config.")) && !is_unset(value));
    if sharded && draft.get("sharding").is_none() && draft.get("zero").is_none() {
        draft.set("sharding", "fsdp");
    }
    let quantised = draft.get("quant_bits").is_some();
    let adapter = tree.get("adapter").and_then(Value::as_str);
    match adapter {
        Some("qlora") => draft.set("method", "qlora"),
        Some("lora") if draft.get("method") != Some("dora") => draft.set("method", "lora"),
        _ => {}
    }
    if adapter.is_none() || (adapter == Some("qlora") && !quantised) {
        draft.unset("quant_bits");
    }
    if adapter == Some("qlora") {
        draft.set("quant", "bnb-nf4");
    }
    if adapter.is_none() {
        draft.set(
            "method",
            if tree.get("unfrozen_parameters").is_some_and(Value::is_array) { "freeze" } else { "full" },
        );
    }
    finish_trainer(&mut draft);
    Some(draft)
}

const RULES: Rules = &[
    (&["base_model"], Model),
    (&["sequence_len"], Knob("seq")),
    (&["micro_batch_size"], Knob("batch")),
    (&["batch_size"], Knob("step_batch")),
    (&["gradient_accumulation_steps"], Knob("accum")),
    (&["num_epochs"], Knob("epochs")),
    (&["sample_packing"], Switch("packing")),
    (&["lora_r"], Knob("lora_rank")),
    (&["lora_alpha"], Knob("lora_alpha")),
    (&["lora_target_linear"], On("lora_targets", "all")),
    (&["lora_target_modules"], With(targets)),
    (&["peft_use_dora"], On("method", "dora")),
    (&["load_in_4bit"], On("quant_bits", "4")),
    (&["load_in_8bit"], On("quant_bits", "8")),
    (
        &["bf16", "bfloat16"],
        With(|draft, value| {
            if is_on(value) || matches!(value, "auto" | "full") {
                draft.set("precision", "bf16")
            }
        }),
    ),
    (&["fp16", "float16"], On("precision", "fp16")),
    (&["fp8"], On("precision", "fp8")),
    (&["gradient_checkpointing"], With(checkpointing)),
    (&["flash_attention"], On("attn", "flash")),
    (&["sdp_attention"], On("attn", "sdpa")),
    (&["eager_attention"], On("attn", "eager")),
    (&["attn_implementation"], With(attention)),
    (&["optimizer"], With(optimizer)),
    (&["deepspeed"], With(deepspeed_path)),
    (&["fsdp"], With(fsdp_words)),
    (&["fsdp_config.fsdp_sharding_strategy", "fsdp_config.sharding_strategy"], With(sharding_strategy)),
    (&["fsdp_config.fsdp_offload_params", "fsdp_config.offload_params"], On("offload", "cpu")),
    (&["fsdp_config.fsdp_activation_checkpointing", "fsdp_config.activation_checkpointing"], On("checkpointing", "on")),
    (&["fsdp_config.reshard_after_forward"], Off("zero", "2")),
    (
        &["rl"],
        With(|draft, value| match value {
            "dpo" | "ipo" | "true" => draft.set("stage", "dpo"),
            "kto" | "orpo" | "simpo" | "grpo" => draft.set("stage", value),
            _ => {}
        }),
    ),
    (&["reward_model"], On("stage", "rm")),
    (&["torch_compile"], On("compile", "on")),
    (&["liger_fused_linear_cross_entropy", "cut_cross_entropy", "unsloth_cross_entropy_loss"], On("loss", "fused")),
    (
        &["plugins"],
        With(|draft, value| {
            if value.contains("cut_cross_entropy") {
                draft.set("loss", "fused")
            }
        }),
    ),
    (&["chunked_cross_entropy"], On("loss", "chunked")),
    (&["tensor_parallel_size"], Knob("tp")),
    (&["context_parallel_size", "sequence_parallel_degree"], Knob("cp")),
];
