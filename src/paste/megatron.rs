//! Megatron's arguments: a shape of its own and how it is split.
//!
//! Names as in `megatron/training/arguments.py`; NeMo writes the same with underscores in YAML.

use super::Kind;
use super::draft::{Draft, Rule, Rules, is_on};
use super::trainers;
use crate::request::Verb;
use Rule::{Knob, Model, Off, On, With};

/// Arguments that only Megatron has.
const MARKS: &[&str] = &[
    "tensor_model_parallel_size",
    "pipeline_model_parallel_size",
    "num_layers",
    "ffn_hidden_size",
    "micro_batch_size",
    "use_distributed_optimizer",
    "expert_model_parallel_size",
];

pub fn read(pairs: &[(&str, &str)], launched: Option<u64>) -> Option<Draft> {
    let names: Vec<String> = pairs.iter().map(|(name, _)| name.to_lowercase().replace('-', "_")).collect();
    if MARKS.iter().filter(|mark| names.iter().any(|name| name == *mark)).count() < 2 {
        return None;
    }
    let mut draft = Draft::new(Kind::Megatron, Verb::Train);
    for (name, value) in pairs {
        draft.follow(RULES, name, value);
    }
    draft.set("framework", "megatron");
    // Megatron-LM groups queries where a switch says so, NeMo where it says into how many.
    if draft.get("grouped").is_none() && !pairs.iter().any(|(name, _)| *name == "num_query_groups") {
        draft.unset("kv_heads");
    }
    draft.unset("grouped");
    shape(&mut draft);
    shard(&mut draft);
    split(&mut draft, launched);
    // iterations × sequences a step
    if let (Some(iterations), Some(batch), None) =
        (draft.count("iterations"), draft.count("global_batch"), draft.get("samples"))
    {
        draft.set("samples", iterations.saturating_mul(batch));
    }
    draft.unset("iterations");
    Some(draft)
}

/// A model of its own, with what Megatron takes where nothing is said.
fn shape(draft: &mut Draft) {
    if let (Some(shared), Some(each)) = (draft.count("shared_ffn"), draft.count("expert_ffn")) {
        draft.set("shared_experts", shared.checked_div(each).unwrap_or(0));
    }
    draft.unset("shared_ffn");
    // A head of latent attention has a part without rotation and a rotated one.
    if let (Some(plain), Some(rotated), Some(_)) =
        (draft.count("nope_head_dim"), draft.count("rope_head_dim"), draft.get("kv_lora_rank"))
    {
        draft.set("head_dim", plain.saturating_add(rotated));
    }
    draft.unset("nope_head_dim");
    let (Some(_), Some(hidden), Some(heads)) = (draft.get("layers"), draft.count("hidden"), draft.count("heads"))
    else {
        return;
    };
    draft.model = Some("custom".to_owned());
    if draft.get("kv_heads").is_none() {
        draft.set("kv_heads", heads);
    }
    default(draft, "gated", "off");
    default(draft, "tied", "on");
    // Two matrices of four times the hidden size; three of two thirds of that where gated.
    let four = hidden.saturating_mul(4);
    let ffn = if draft.get("gated") == Some("on") { four / 3 * 2 / 64 * 64 } else { four };
    default(draft, "ffn", &ffn.to_string());
    if let (Some(_), Some(ffn)) = (draft.get("experts"), draft.get("ffn").map(str::to_owned)) {
        default(draft, "expert_ffn", &ffn);
    }
    if draft.get("vocab").is_none() {
        draft.ask("vocab");
    }
}

/// Megatron-FSDP shards as far as its strategy says; the distributed optimizer is in it.
fn shard(draft: &mut Draft) {
    let stage = match draft.get("strategy") {
        Some("optim") => Some(1),
        Some("optim_grads") => Some(2),
        Some("optim_grads_params") => None,
        _ if draft.get("sharding").is_some() => None,
        _ => return,
    };
    draft.unset("strategy");
    draft.unset("sharding");
    draft.unset("zero");
    match stage {
        Some(stage) => draft.set("zero", stage),
        None => draft.set("sharding", "fsdp"),
    }
}

/// The ranks, and how they share the layers.
fn split(draft: &mut Draft, launched: Option<u64>) {
    let (layers, pipeline) = (draft.count("layers"), draft.count("pp").unwrap_or(1));
    if let Some(each) = draft.count("stage_layers") {
        draft.unset("stage_layers");
        let virtual_stages = layers.map(|layers| layers / pipeline.max(1) / each.max(1)).filter(|stages| *stages > 1);
        if let Some(stages) = virtual_stages {
            draft.set("interleave", stages);
        }
    }
    let Some(gpus) = launched else { return };
    draft.set("gpus", gpus);
    let degrees = ["tp", "pp", "cp"].iter().filter_map(|knob| draft.count(knob)).fold(1u64, u64::saturating_mul);
    if degrees > 0 && gpus.is_multiple_of(degrees) {
        draft.set("dp", gpus / degrees);
    }
}

/// ms-swift's `megatron sft` names its own settings beside Megatron's.
pub fn swift(draft: &mut Draft, pairs: &[(&str, &str)]) {
    for (name, value) in pairs.iter().filter(|(name, _)| !has_argument(name)) {
        let name = if *name == "load" && draft.model.is_none() { "model" } else { name };
        draft.follow(trainers::TRAINER, name, value);
    }
    trainers::finish_trainer(draft);
}

/// Whether Megatron itself has an argument of this name.
fn has_argument(name: &str) -> bool {
    let name = name.to_lowercase().replace('-', "_");
    RULES.iter().any(|(names, _)| names.contains(&name.as_str()))
}

fn default(draft: &mut Draft, knob: &'static str, value: &str) {
    if draft.get(knob).is_none() {
        draft.set(knob, value);
        draft.assumed.push(format!("{knob}={value}"));
    }
}

const RULES: Rules = &[
    // slime's, which trains by reinforcement on Megatron.
    (&["hf_checkpoint", "restore_from_path"], Model),
    (&["n_samples_per_prompt"], Knob("generations")),
    (&["advantage_estimator"], With(trainers::advantage)),
    (&["num_layers"], Knob("layers")),
    (&["hidden_size"], Knob("hidden")),
    (&["ffn_hidden_size"], Knob("ffn")),
    (&["num_attention_heads"], Knob("heads")),
    (&["num_query_groups"], Knob("kv_heads")),
    (&["group_query_attention"], On("grouped", "on")),
    (&["kv_channels"], Knob("head_dim")),
    (&["vocab_size", "padded_vocab_size"], Knob("vocab")),
    (&["swiglu", "quick_geglu"], On("gated", "on")),
    // NeMo's: `swiglu`, `fast-geglu`.
    (
        &["activation"],
        With(|draft, value| {
            if value.ends_with("glu") {
                draft.set("gated", "on")
            }
        }),
    ),
    (&["untie_embeddings_and_output_weights"], On("tied", "off")),
    (&["share_embeddings_and_output_weights"], Off("tied", "off")),
    (&["num_experts"], Knob("experts")),
    (&["moe_router_topk"], Knob("top_k")),
    (&["moe_ffn_hidden_size"], Knob("expert_ffn")),
    (&["moe_shared_expert_intermediate_size"], Knob("shared_ffn")),
    (
        &["moe_layer_freq"],
        With(|draft, value| {
            // `([0]*3+[1]*58)`
            let dense = value.trim_matches(['(', ' ', '"', '\'']).strip_prefix("[0]*");
            let count = dense.and_then(|rest| rest.split(|c: char| !c.is_ascii_digit()).next()?.parse::<u64>().ok());
            if let Some(count) = count {
                draft.set("dense_layers", count)
            }
        }),
    ),
    (&["kv_lora_rank"], Knob("kv_lora_rank")),
    (&["qk_head_dim"], Knob("nope_head_dim")),
    (&["qk_pos_emb_head_dim"], Knob("rope_head_dim")),
    (&["seq_length", "encoder_seq_length"], Knob("seq")),
    // NeMo's fine-tuning.
    (
        &["max_seq_length"],
        With(|draft, value| {
            if draft.get("seq").is_none() {
                draft.set("seq", value)
            }
        }),
    ),
    (
        &["peft_scheme"],
        With(|draft, value| match value {
            "lora" | "qlora" => draft.set("method", value),
            _ => {}
        }),
    ),
    (&["adapter_dim"], Knob("lora_rank")),
    (&["micro_batch_size"], Knob("batch")),
    (&["global_batch_size"], Knob("global_batch")),
    (&["train_iters"], Knob("iterations")),
    (&["train_samples"], Knob("samples")),
    (&["tensor_model_parallel_size", "tensor_parallel"], Knob("tp")),
    (&["pipeline_model_parallel_size", "pipeline_parallel"], Knob("pp")),
    (&["context_parallel_size"], Knob("cp")),
    (&["expert_model_parallel_size"], Knob("ep")),
    (&["num_layers_per_virtual_pipeline_stage"], Knob("stage_layers")),
    (&["num_virtual_stages_per_pipeline_rank"], Knob("interleave")),
    (&["sequence_parallel"], On("sp", "on")),
    (&["use_distributed_optimizer"], On("zero", "1")),
    // Megatron-DeepSpeed's.
    (&["zero_stage"], Knob("zero")),
    (&["use_torch_fsdp2", "use_megatron_fsdp", "use_custom_fsdp"], On("sharding", "fsdp")),
    (&["data_parallel_sharding_strategy"], Knob("strategy")),
    (
        &["recompute_granularity", "activations_checkpoint_granularity"],
        With(|draft, value| match value {
            "full" => draft.set("checkpointing", "on"),
            "selective" => draft.set("checkpointing", "selective"),
            _ => {}
        }),
    ),
    (&["recompute_activations"], On("checkpointing", "selective")),
    (&["checkpoint_activations"], On("checkpointing", "on")),
    (
        &["bf16"],
        With(|draft, value| {
            // FP8 stands beside it.
            if is_on(value) && draft.get("precision").is_none() {
                draft.set("precision", "bf16")
            }
        }),
    ),
    // NeMo's trainer: `bf16`, `bf16-mixed`.
    (
        &["precision"],
        With(|draft, value| {
            if let Some(precision) = ["bf16", "fp16", "fp8"].into_iter().find(|name| value.starts_with(name)) {
                draft.set("precision", precision)
            }
        }),
    ),
    (
        &["fp16"],
        With(|draft, value| {
            if is_on(value) {
                draft.set("precision", "fp16")
            }
        }),
    ),
    (
        &["fp8_format", "fp8_hybrid", "fp8_e4m3"],
        With(|draft, value| {
            if !matches!(value, "null" | "false") {
                draft.set("precision", "fp8")
            }
        }),
    ),
    (&["optimizer"], With(super::trainers::optimizer)),
    (&["optimizer_cpu_offload"], On("offload", "optimizer")),
    (&["use_flash_attn"], On("attn", "flash")),
    (
        &["attention_backend"],
        With(|draft, value| match value {
            "flash" | "fused" => draft.set("attn", "flash"),
            "unfused" | "local" => draft.set("attn", "eager"),
            _ => {}
        }),
    ),
    (&["cross_entropy_loss_fusion"], On("loss", "full")),
    (&["hf_model", "load_hf", "hf_model_path"], Model),
];
