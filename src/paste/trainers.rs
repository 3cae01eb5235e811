//! Files and commands of training frameworks on Hugging Face's Trainer, of DeepSpeed and of Accelerate.
//!
//! Keys as the frameworks' own argument classes name them: `transformers.TrainingArguments`, LLaMA-Factory's
//! `hparams`, Axolotl's config schema, DeepSpeed's JSON, Accelerate's config, PEFT's `LoraConfig`.

use super::Kind;
use super::draft::{Draft, Rule, Rules, is_on, is_unset};
use super::tree::{at, flatten, scalar};
use crate::request::Verb;
use Rule::{Knob, Model, Off, On, With};
use serde_json::{Map, Value};

pub(super) fn train(kind: Kind) -> Draft {
    Draft::new(kind, Verb::Train)
}

// ---- DeepSpeed ------------------------------------------------------------------------------------------------

pub fn deepspeed(tree: &Map<String, Value>) -> Option<Draft> {
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
        draft.follow(DEEPSPEED, &path, &value);
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

const DEEPSPEED: Rules = &[
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
    (
        &["zero_optimization.offload_optimizer.device"],
        With(|draft, value| {
            if matches!(value, "cpu" | "nvme") && draft.get("offload").is_none() {
                draft.set("offload", "optimizer")
            }
        }),
    ),
    (&["zero_optimization.cpu_offload"], On("offload", "optimizer")),
    (
        &["zero_optimization.offload_param.device"],
        With(|draft, value| {
            if matches!(value, "cpu" | "nvme") {
                draft.set("offload", "cpu")
            }
        }),
    ),
    (&["zero_optimization.cpu_offload_params"], On("offload", "cpu")),
    (
        &["bf16.enabled", "bfloat16.enabled"],
        With(|draft, value| {
            if is_on(value) {
                draft.set("precision", "bf16")
            }
        }),
    ),
    (
        &["fp16.enabled"],
        With(|draft, value| {
            if is_on(value) {
                draft.set("precision", "fp16")
            }
        }),
    ),
    (&["optimizer.type"], With(optimizer)),
    (
        &["tensor_parallel.autotp_size"],
        With(|draft, value| {
            if value != "0" {
                draft.set("tp", value)
            }
        }),
    ),
    (&["sequence_parallel_size"], Knob("cp")),
];

/// A framework's name of an optimizer, to the catalog's.
pub(super) fn optimizer(draft: &mut Draft, value: &str) {
    let last = value.rsplit('.').next().unwrap_or(value);
    let name: String = last.chars().filter(char::is_ascii_alphanumeric).flat_map(char::to_lowercase).collect();
    let paged = name.contains("paged");
    let known = match name.as_str() {
        "auto" | "null" | "none" => return,
        name if name.contains("adafactor") => "adafactor",
        name if name.contains("lion") => "lion",
        name if name.contains("muon") => "muon",
        name if name.contains("adam") && name.contains("8bit") && paged => "paged-adamw-8bit",
        name if name.contains("adam") && (name.contains("8bit") || name.contains("bnb8")) => "adamw-8bit",
        name if name.contains("adam") && paged => "paged-adamw-32bit",
        name if name.contains("adam") => "adamw",
        name if name.starts_with("sgd") => "sgd",
        _ => return,
    };
    draft.set("optimizer", known);
}

/// What a path to one of DeepSpeed's files says: `ds_z3_offload_config.json`, `zero2.json`.
fn deepspeed_path(draft: &mut Draft, value: &str) {
    if is_unset(value) {
        return;
    }
    draft.set("framework", "deepspeed");
    let name = value.rsplit('/').next().unwrap_or(value).to_lowercase();
    let stage = ["zero", "stage", "z"].iter().find_map(|mark| {
        let after = name.split(mark).nth(1)?.trim_start_matches(['_', '-']);
        after.chars().next().and_then(|c| c.to_digit(10)).filter(|stage| *stage <= 3)
    });
    match stage {
        Some(stage) => draft.set("zero", stage),
        None => draft.ask("zero"),
    }
    if name.contains("offload") && !name.contains("no_offload") {
        draft.set("offload", if stage == Some(3) { "cpu" } else { "optimizer" });
    }
}

/// `TrainingArguments.fsdp`: `full_shard auto_wrap offload`.
fn fsdp_words(draft: &mut Draft, value: &str) {
    for word in value.split([' ', ',']) {
        sharding_strategy(draft, word);
        if word == "offload" {
            draft.set("offload", "cpu");
        }
    }
}

fn sharding_strategy(draft: &mut Draft, value: &str) {
    match value.to_ascii_lowercase().as_str() {
        "full_shard" | "1" => draft.set("sharding", "fsdp"),
        "shard_grad_op" | "2" => draft.set("zero", 2),
        "no_shard" | "3" => draft.set("zero", 0),
        "hybrid_shard" | "4" | "hybrid_shard_zero2" | "5" => draft.set("sharding", "hsdp"),
        _ => {}
    }
}

// ---- Accelerate -----------------------------------------------------------------------------------------------

pub fn accelerate(tree: &Map<String, Value>) -> Option<Draft> {
    if !["distributed_type", "num_processes", "fsdp_config", "compute_environment"]
        .iter()
        .filter(|key| tree.contains_key(**key))
        .nth(1)
        .is_some()
    {
        return None;
    }
    let mut draft = train(Kind::Accelerate);
    for (path, value) in flatten(tree) {
        let name = path.rsplit('.').next().unwrap_or(&path);
        draft.follow(ACCELERATE, name, &value);
    }
    let distributed = tree.get("distributed_type").and_then(Value::as_str).unwrap_or_default().to_uppercase();
    accelerate_kind(&mut draft, &distributed);
    Some(draft)
}

fn accelerate_kind(draft: &mut Draft, distributed: &str) {
    match distributed {
        "DEEPSPEED" => draft.set("framework", "deepspeed"),
        "FSDP" => {
            draft.set("framework", "hf");
            if draft.get("sharding").is_none() && draft.get("zero").is_none() {
                draft.set("sharding", "fsdp");
            }
        }
        "MEGATRON_LM" => draft.set("framework", "megatron"),
        "MULTI_GPU" => {
            draft.set("framework", "hf");
            draft.set("zero", 0);
        }
        _ => draft.set("framework", "hf"),
    }
}

const ACCELERATE: Rules = &[
    (&["num_processes"], Knob("gpus")),
    (&["num_machines"], Knob("nodes")),
    (
        &["mixed_precision"],
        With(|draft, value| match value {
            "bf16" | "fp16" | "fp8" => draft.set("precision", value),
            _ => {}
        }),
    ),
    (&["gradient_accumulation_steps"], Knob("accum")),
    (&["zero_stage"], Knob("zero")),
    (
        &["offload_optimizer_device"],
        With(|draft, value| {
            if matches!(value, "cpu" | "nvme") && draft.get("offload").is_none() {
                draft.set("offload", "optimizer")
            }
        }),
    ),
    (
        &["offload_param_device"],
        With(|draft, value| {
            if matches!(value, "cpu" | "nvme") {
                draft.set("offload", "cpu")
            }
        }),
    ),
    (&["deepspeed_config_file"], With(deepspeed_path)),
    (&["fsdp_sharding_strategy"], With(sharding_strategy)),
    // FSDP2 says by a switch what FSDP1 calls FULL_SHARD and SHARD_GRAD_OP.
    (
        &["fsdp_reshard_after_forward"],
        With(|draft, value| match value {
            "true" => draft.set("sharding", "fsdp"),
            "false" => draft.set("zero", 2),
            other => sharding_strategy(draft, other),
        }),
    ),
    (&["fsdp_offload_params", "fsdp_cpu_offload"], On("offload", "cpu")),
    (&["fsdp_activation_checkpointing"], On("checkpointing", "on")),
    (&["parallelism_config_tp_size", "tp_size"], Knob("tp")),
    (&["parallelism_config_cp_size", "cp_size"], Knob("cp")),
    (&["megatron_lm_tp_degree"], Knob("tp")),
    (&["megatron_lm_pp_degree"], Knob("pp")),
    (
        &["dynamo_backend"],
        With(|draft, value| {
            if value.eq_ignore_ascii_case("inductor") {
                draft.set("compile", "on")
            }
        }),
    ),
];

/// `accelerate launch …`: its own flags, then the script's.
pub fn accelerate_flags(draft: &mut Draft, pairs: &[(&str, &str)]) {
    for (name, value) in pairs {
        draft.follow(ACCELERATE, name, value);
    }
    let has = |wanted: &str| pairs.iter().any(|(name, _)| name.replace('-', "_") == wanted);
    if has("use_deepspeed") || has("zero_stage") || has("deepspeed_config_file") {
        accelerate_kind(draft, "DEEPSPEED");
    } else if has("use_fsdp") || has("fsdp_sharding_strategy") {
        accelerate_kind(draft, "FSDP");
    }
}

// ---- Trainer, TRL, LLaMA-Factory --------------------------------------------------------------------------------

pub fn llama_factory(tree: &Map<String, Value>) -> Option<Draft> {
    let own = [
        "finetuning_type",
        "cutoff_len",
        "template",
        "dataset_dir",
        "lora_target",
        "infer_backend",
        "pref_loss",
        "stage",
    ];
    if !tree.contains_key("model_name_or_path") || !own.iter().any(|key| tree.contains_key(*key)) {
        return None;
    }
    let mut draft = train(Kind::LlamaFactory);
    let pairs = flatten(tree);
    for (name, value) in &pairs {
        draft.follow(TRAINER, name, value);
    }
    if tree.contains_key("infer_backend") && !tree.contains_key("stage") {
        draft.verb = Verb::Infer;
        draft.knobs.retain(|(knob, _)| matches!(*knob, "seq" | "quant"));
        match tree.get("infer_backend").and_then(Value::as_str) {
            Some("vllm") => draft.set("backend", "vllm"),
            Some("sglang") => draft.set("backend", "sglang"),
            _ => draft.set("backend", "transformers"),
        }
        return Some(draft);
    }
    finish_trainer(&mut draft);
    // LLaMA-Factory recomputes unless told not to.
    if draft.get("checkpointing").is_none() {
        draft.set("checkpointing", "on");
        draft.assumed.push("checkpointing=on".to_owned());
    }
    Some(draft)
}

/// What Trainer-like settings come to together.
pub(super) fn finish_trainer(draft: &mut Draft) {
    let lora = draft.get("lora_rank").is_some() || draft.get("lora_targets").is_some();
    if draft.get("method").is_none() && lora {
        draft.set("method", "lora");
    }
    let adapters = matches!(draft.get("method"), Some("lora" | "dora" | "adalora"));
    if let Some(bits) = draft.get("quant_bits").map(str::to_owned) {
        draft.unset("quant_bits");
        if adapters || draft.get("method").is_none() {
            draft.set("method", "qlora");
            draft.set("quant", if bits == "8" { "int8" } else { "bnb-nf4" });
        }
    }
    if draft.get("method").is_none() {
        draft.set("method", "full");
    }
    if !matches!(draft.get("method"), Some("lora" | "qlora" | "dora" | "adalora")) {
        for knob in ["lora_rank", "lora_alpha", "lora_targets"] {
            draft.unset(knob);
        }
    }
    if draft.get("framework").is_none() {
        draft.set("framework", "hf");
    }
}

/// LoRA's targets as modules are named, to the knob's words.
pub(super) fn targets(draft: &mut Draft, value: &str) {
    let value = value.trim_matches(['[', ']', '"', '\'', '(', ')']);
    if matches!(value, "all" | "all-linear" | "all_linear") || value.starts_with(".*") {
        draft.set("lora_targets", "all");
        return;
    }
    let mut found: Vec<&str> = vec![];
    for name in value.split([',', ' ', '|', '+']).map(|name| name.trim_matches(['"', '\'', '[', ']', ' '])) {
        let module = name.rsplit('.').next().unwrap_or(name);
        let words: &[&str] = match module {
            "q_proj" | "wq" | "q" | "query" | "q_a_proj" | "q_b_proj" => &["q"],
            "k_proj" | "wk" | "k" | "key" | "kv_a_proj_with_mqa" => &["k"],
            "v_proj" | "wv" | "v" | "value" | "kv_b_proj" => &["v"],
            "o_proj" | "wo" | "o" | "output_proj" | "out_proj" | "dense" | "c_proj" => &["o"],
            "qkv_proj" | "query_key_value" | "c_attn" | "Wqkv" | "W_pack" | "qkv" | "linear_qkv" => &["q", "k", "v"],
            "gate_proj" | "w1" | "gate" => &["gate"],
            "up_proj" | "w3" | "up" | "c_fc" | "dense_h_to_4h" | "fc1" => &["up"],
            "down_proj" | "w2" | "down" | "dense_4h_to_h" | "fc2" => &["down"],
            "gate_up_proj" | "linear_fc1" => &["gate", "up"],
            "embed_tokens" | "wte" | "embed" => &["embed"],
            "lm_head" | "head" => &["head"],
            _ => &[],
        };
        found.extend(words.iter().filter(|word| !found.contains(*word)).copied().collect::<Vec<_>>());
    }
    if !found.is_empty() {
        let all = ["q", "k", "v", "o", "gate", "up", "down"];
        let whole = all.iter().all(|word| found.contains(word)) && found.len() == all.len();
        draft.set("lora_targets", if whole { "all".to_owned() } else { found.join(",") });
    }
}

fn attention(draft: &mut Draft, value: &str) {
    match value.to_ascii_lowercase().as_str() {
        "fa2" | "fa3" | "flash_attention_2" | "flash_attention_3" | "flash_attn" => draft.set("attn", "flash"),
        "sdpa" => draft.set("attn", "sdpa"),
        "disabled" | "eager" => draft.set("attn", "eager"),
        _ => {}
    }
}

fn preference(draft: &mut Draft, value: &str) {
    match value {
        "orpo" => draft.set("stage", "orpo"),
        "simpo" => draft.set("stage", "simpo"),
        _ => {}
    }
}

fn stage(draft: &mut Draft, value: &str) {
    match value {
        "pt" => draft.set("stage", "pretrain"),
        "sft" | "rm" | "ppo" | "kto" | "grpo" => draft.set("stage", value),
        // SimPO and ORPO are losses of the DPO stage.
        "dpo" if draft.get("stage").is_none() => draft.set("stage", "dpo"),
        _ => {}
    }
}

fn half(draft: &mut Draft, value: &str, precision: &str) {
    if is_on(value) {
        draft.set("precision", precision);
    }
}

pub const TRAINER: Rules = &[
    (&["model_name_or_path", "model_id", "model_name", "model"], Model),
    (&["stage"], With(stage)),
    (&["pref_loss", "loss_type"], With(preference)),
    (
        &["finetuning_type", "train_type", "sft_type", "tuner_type"],
        With(|draft, value| match value {
            "full" | "freeze" | "lora" | "qlora" | "adalora" => draft.set("method", value),
            _ => {}
        }),
    ),
    (&["use_dora"], On("method", "dora")),
    (
        &["use_peft", "use_lora"],
        With(|draft, value| {
            if is_on(value) && draft.get("method").is_none() {
                draft.set("method", "lora")
            }
        }),
    ),
    (&["per_device_train_batch_size", "per_gpu_train_batch_size"], Knob("batch")),
    (&["gradient_accumulation_steps"], Knob("accum")),
    (&["num_train_epochs"], Knob("epochs")),
    (&["max_samples", "max_train_samples"], Knob("samples")),
    (&["cutoff_len", "max_seq_length", "model_max_length", "block_size", "max_length", "max_seq_len"], Knob("seq")),
    (&["lora_rank", "lora_r"], Knob("lora_rank")),
    (&["lora_alpha"], Knob("lora_alpha")),
    (&["lora_target", "lora_target_modules", "target_modules"], With(targets)),
    (
        &["quantization_bit", "quant_bits", "bits"],
        With(|draft, value| {
            if matches!(value, "4" | "8") {
                draft.set("quant_bits", value)
            }
        }),
    ),
    (&["load_in_4bit", "use_4bit"], On("quant_bits", "4")),
    (&["load_in_8bit"], On("quant_bits", "8")),
    (&["bf16"], With(|draft, value| half(draft, value, "bf16"))),
    (&["fp16"], With(|draft, value| half(draft, value, "fp16"))),
    (
        &["pure_bf16"],
        With(|draft, value| {
            if is_on(value) {
                draft.set("precision", "bf16");
                draft.set("master", "off")
            }
        }),
    ),
    (
        &["torch_dtype", "dtype"],
        With(|draft, value| match value {
            "bfloat16" => draft.set("precision", "bf16"),
            "float16" => draft.set("precision", "fp16"),
            _ => {}
        }),
    ),
    (
        &["gradient_checkpointing"],
        With(|draft, value| {
            if !is_unset(value) {
                draft.set("checkpointing", if is_on(value) { "on" } else { "off" })
            }
        }),
    ),
    (
        &["disable_gradient_checkpointing"],
        With(|draft, value| {
            if !is_unset(value) {
                draft.set("checkpointing", if is_on(value) { "off" } else { "on" })
            }
        }),
    ),
    (&["flash_attn", "attn_implementation", "attn_impl"], With(attention)),
    (&["use_flash_attn", "use_flash_attention", "use_flash_attention_2"], On("attn", "flash")),
    (&["optim"], With(optimizer)),
    (&["deepspeed"], With(deepspeed_path)),
    (&["fsdp"], With(fsdp_words)),
    (&["use_unsloth"], On("framework", "unsloth")),
    (&["use_liger_kernel", "enable_liger_kernel"], On("loss", "fused")),
    (&["torch_compile"], On("compile", "on")),
    (
        &["packing", "neat_packing"],
        With(|draft, value| {
            if !is_unset(value) {
                draft.set("packing", if is_on(value) { "on" } else { "off" })
            }
        }),
    ),
    (&["num_generations"], Knob("generations")),
    (&["tensor_model_parallel_size", "tensor_parallel_size"], Knob("tp")),
    (&["sequence_parallel_size"], Knob("cp")),
];

// ---- Axolotl ----------------------------------------------------------------------------------------------------

pub fn axolotl(tree: &Map<String, Value>) -> Option<Draft> {
    let own = ["sequence_len", "micro_batch_size", "adapter", "datasets", "sample_packing", "lora_r", "num_epochs"];
    if !tree.contains_key("base_model") || !own.iter().any(|key| tree.contains_key(*key)) {
        return None;
    }
    let mut draft = train(Kind::Axolotl);
    let mut pairs = flatten(tree);
    // Losses of the plugins that replace the model's.
    pairs.sort();
    for (path, value) in &pairs {
        draft.follow(AXOLOTL, path, value);
    }
    if pairs
        .iter()
        .any(|(name, value)| name == "plugins" && (value.contains("cut_cross_entropy") || value.contains("liger")))
        && draft.get("loss").is_none()
    {
        draft.set("loss", "fused");
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
        draft.set("method", "full");
    }
    finish_trainer(&mut draft);
    Some(draft)
}

const AXOLOTL: Rules = &[
    (&["base_model"], Model),
    (&["sequence_len"], Knob("seq")),
    (&["micro_batch_size"], Knob("batch")),
    (&["batch_size"], Knob("global_batch")),
    (&["gradient_accumulation_steps"], Knob("accum")),
    (&["num_epochs"], Knob("epochs")),
    (
        &["sample_packing"],
        With(|draft, value| {
            if !is_unset(value) {
                draft.set("packing", if is_on(value) { "on" } else { "off" })
            }
        }),
    ),
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
    (&["fp16", "float16"], With(|draft, value| half(draft, value, "fp16"))),
    (&["fp8"], With(|draft, value| half(draft, value, "fp8"))),
    (
        &["gradient_checkpointing"],
        With(|draft, value| {
            if !is_unset(value) {
                draft.set(
                    "checkpointing",
                    if is_on(value) || matches!(value, "offload" | "unsloth") { "on" } else { "off" },
                )
            }
        }),
    ),
    (&["flash_attention"], On("attn", "flash")),
    (&["sdp_attention"], On("attn", "sdpa")),
    (&["eager_attention"], On("attn", "eager")),
    (&["attn_implementation"], With(attention)),
    (&["optimizer"], With(optimizer)),
    (&["deepspeed"], With(deepspeed_path)),
    (&["fsdp"], With(|draft, value| fsdp_words(draft, value))),
    (&["fsdp_config.fsdp_sharding_strategy", "fsdp_config.sharding_strategy"], With(sharding_strategy)),
    (&["fsdp_config.fsdp_offload_params", "fsdp_config.offload_params"], On("offload", "cpu")),
    (&["fsdp_config.fsdp_activation_checkpointing", "fsdp_config.activation_checkpointing"], On("checkpointing", "on")),
    (&["fsdp_config.reshard_after_forward"], Off("zero", "2")),
    (
        &["rl"],
        With(|draft, value| match value {
            "dpo" | "ipo" => draft.set("stage", "dpo"),
            "kto" | "orpo" | "simpo" | "grpo" => draft.set("stage", value),
            _ => {}
        }),
    ),
    (&["reward_model"], On("stage", "rm")),
    (&["torch_compile"], On("compile", "on")),
    (&["liger_fused_linear_cross_entropy", "cut_cross_entropy", "unsloth_cross_entropy_loss"], On("loss", "fused")),
    (&["chunked_cross_entropy"], On("loss", "chunked")),
    (&["tensor_parallel_size"], Knob("tp")),
    (&["context_parallel_size", "sequence_parallel_degree"], Knob("cp")),
];

// ---- PEFT ---------------------------------------------------------------------------------------------------------

/// `adapter_config.json`.
pub fn peft(tree: &Map<String, Value>) -> Option<Draft> {
    let kind = tree.get("peft_type")?.as_str()?.to_uppercase();
    let mut draft = train(Kind::PeftConfig);
    let word = |key: &str| tree.get(key).and_then(scalar).filter(|value| !is_unset(value));
    draft.model = word("base_model_name_or_path");
    let dora = tree.get("use_dora").and_then(Value::as_bool) == Some(true);
    draft.set(
        "method",
        match kind.as_str() {
            "ADALORA" => "adalora",
            _ if dora => "dora",
            _ => "lora",
        },
    );
    if let Some(rank) = word("r").or_else(|| word("init_r")) {
        draft.set("lora_rank", rank);
    }
    if let Some(alpha) = word("lora_alpha") {
        draft.set("lora_alpha", alpha);
    }
    if let Some(modules) = word("target_modules") {
        targets(&mut draft, &modules);
    }
    Some(draft)
}

/// Keyword arguments of `LoraConfig(…)`, `TrainingArguments(…)`, `SFTConfig(…)` and the like.
pub fn keywords(kind: Kind, pairs: &[(String, String)]) -> Draft {
    let mut draft = train(kind);
    for (name, value) in pairs {
        match name.as_str() {
            "r" => draft.set("lora_rank", value),
            name => drop(draft.follow(TRAINER, name, value)),
        }
    }
    draft
}
