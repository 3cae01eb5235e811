//! Settings of Hugging Face's Trainer and of what is built on it: TRL, LLaMA-Factory.
//!
//! Keys as `transformers.TrainingArguments`, TRL's configs and LLaMA-Factory's `hparams` name them. What other
//! trainers say in the same words (optimizers, modules, DeepSpeed's files, sharding) is read here for all.

use super::Kind;
use super::draft::{Draft, Rule, Rules, is_on, is_unset};
use super::tree::flatten;
use crate::request::Verb;
use Rule::{Count, Knob, Model, Off, On, Switch, With};
use serde_json::{Map, Value};

pub fn train(kind: Kind) -> Draft {
    Draft::new(kind, Verb::Train)
}

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
    // What merges adapters is no training.
    let exports = tree.contains_key("export_dir");
    let has = |keys: &[&str]| keys.iter().any(|key| tree.contains_key(*key));
    if exports || !has(&["model_name_or_path", "cutoff_len", "finetuning_type"]) || !has(&own) {
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

/// The same Trainer's settings as a file of their own: TRL's, the alignment handbook's, Open R1's.
pub fn file(tree: &Map<String, Value>) -> Option<Draft> {
    let has = |keys: &[&str]| keys.iter().any(|key| tree.contains_key(*key));
    let swift = tree.get("model").is_some_and(Value::is_string) && has(&["tuner_type", "train_type"]);
    let own = ["per_device_train_batch_size", "gradient_accumulation_steps", "num_train_epochs"];
    let named = swift || has(&["model_name_or_path"]);
    let said = own.iter().filter(|key| tree.contains_key(**key)).count();
    (said > usize::from(!named)).then_some(())?;
    let mut draft = train(Kind::Accelerate);
    if swift {
        draft.set("framework", "swift");
    }
    for (name, value) in &flatten(tree) {
        draft.follow(TRAINER, name, value);
    }
    finish_trainer(&mut draft);
    Some(draft)
}

/// What Trainer-like settings come to together.
pub fn finish_trainer(draft: &mut Draft) {
    // A plain `batch_size` is that of a GPU, beside a micro batch that of a step.
    if let Some(step) = draft.count("step_batch") {
        draft.set(if draft.get("batch").is_some() { "global_batch" } else { "batch" }, step);
        draft.unset("step_batch");
    }
    let lora = draft.get("lora_rank").is_some() || draft.get("lora_targets").is_some();
    if draft.get("method").is_none() && lora {
        draft.set("method", "lora");
    }
    // What reinforcement trains on is a prompt and an answer; ms-swift calls the prompt's length the sequence's.
    let reinforced = matches!(draft.get("stage"), Some("grpo" | "ppo"));
    let prompt = draft.count("prompt_length").or(draft.count("seq").filter(|_| reinforced));
    if let (Some(prompt), Some(answer)) = (prompt, draft.count("answer_length")) {
        draft.set("seq", prompt.saturating_add(answer));
    }
    draft.unset("prompt_length");
    draft.unset("answer_length");
    let adapters = matches!(draft.get("method"), Some("lora" | "dora" | "adalora"));
    if let Some(bits) = draft.get("quant_bits").map(str::to_owned) {
        draft.unset("quant_bits");
        if adapters || draft.get("method").is_none() {
            draft.set("method", "qlora");
            let single = draft.get("quantised_once").is_some();
            draft.set(
                "quant",
                if bits == "8" {
                    "int8"
                } else if single {
                    "bnb-nf4-single"
                } else {
                    "bnb-nf4"
                },
            );
        }
    }
    draft.unset("quantised_once");
    if draft.get("stage").is_none() && draft.get("generations").is_some() {
        draft.set("stage", "grpo");
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
pub fn targets(draft: &mut Draft, value: &str) {
    let value = value.trim_matches(['[', ']', '"', '\'', '(', ')']);
    if matches!(value, "all" | "all-linear" | "all_linear") {
        draft.set("lora_targets", "all");
        return;
    }
    let mut found: Vec<&str> = vec![];
    // A list, or a pattern with the modules' names in it: `.*(self_attn|mlp).(q|k|v|o|gate|up|down)_proj`.
    for module in value.split(|c: char| !c.is_ascii_alphanumeric() && c != '_') {
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
    let all = ["q", "k", "v", "o", "gate", "up", "down"];
    let whole = all.iter().all(|word| found.contains(word)) && found.len() == all.len();
    if whole || (found.is_empty() && value.starts_with(".*")) {
        draft.set("lora_targets", "all");
    } else if !found.is_empty() {
        draft.set("lora_targets", found.join(","));
    }
}

/// A switch of recomputation, or a kind of it.
pub fn checkpointing(draft: &mut Draft, value: &str) {
    if is_on(value) || matches!(value, "offload" | "unsloth") {
        draft.set("checkpointing", "on");
    } else if !is_unset(value) && draft.get("checkpointing").is_none() {
        // Another switch, such as FSDP's own, may have asked for it.
        draft.set("checkpointing", "off");
    }
}

pub fn attention(draft: &mut Draft, value: &str) {
    match value.to_ascii_lowercase().as_str() {
        on if is_on(on) => draft.set("attn", "flash"),
        "fa2" | "fa3" | "flash_attention_2" | "flash_attention_3" | "flash_attn" => draft.set("attn", "flash"),
        "sdpa" => draft.set("attn", "sdpa"),
        "disabled" | "eager" => draft.set("attn", "eager"),
        _ => {}
    }
}

/// An estimator of the advantage: those without a critic compare answers to one prompt.
pub fn advantage(draft: &mut Draft, value: &str) {
    draft.set("stage", if value == "gae" { "ppo" } else { "grpo" });
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
        "sft" | "rm" | "ppo" | "kto" | "grpo" | "orpo" | "cpo" | "simpo" => draft.set("stage", value),
        // SimPO and ORPO are losses of the DPO stage.
        "dpo" if draft.get("stage").is_none() => draft.set("stage", "dpo"),
        _ => {}
    }
}

/// DeepSpeed's devices to which the optimizer's states go, and the parameters with them.
pub fn offload_optimizer(draft: &mut Draft, value: &str) {
    if matches!(value, "cpu" | "nvme") && draft.get("offload").is_none() {
        draft.set("offload", "optimizer");
    }
}

pub fn offload_parameters(draft: &mut Draft, value: &str) {
    if matches!(value, "cpu" | "nvme") {
        draft.set("offload", "cpu");
    }
}

pub fn dtype(draft: &mut Draft, value: &str) {
    match value {
        "bfloat16" | "bf16" => draft.set("precision", "bf16"),
        "float16" | "fp16" => draft.set("precision", "fp16"),
        _ => {}
    }
}

pub const TRAINER: Rules = &[
    (
        &[
            "model_name_or_path",
            "pretrained_model_name_or_path",
            "model_id_or_path",
            "model_id",
            "model_path",
            "base_model",
            "pretrained",
            "model",
        ],
        Model,
    ),
    // Of ms-swift before 3 the model, elsewhere only whose architecture it has.
    (
        &["model_type"],
        With(|draft, value| {
            if value.contains('-') {
                draft.alias = Some(value.to_owned())
            }
        }),
    ),
    (
        &["model_name"],
        With(|draft, value| {
            // Of ms-swift what the model shall call itself.
            if draft.model.is_none() {
                draft.model = Some(value.to_owned())
            }
        }),
    ),
    (&["stage", "rlhf_type"], With(stage)),
    (&["pref_loss", "loss_type"], With(preference)),
    (
        &["finetuning_type", "train_type", "sft_type", "tuner_type", "fine_tune_type"],
        With(|draft, value| match value {
            "full" | "freeze" | "lora" | "qlora" | "adalora" => draft.set("method", value),
            _ => {}
        }),
    ),
    (
        &["peft"],
        With(|draft, value| {
            if matches!(value, "lora" | "qlora" | "dora") {
                draft.set("method", value)
            }
        }),
    ),
    (&["use_dora"], On("method", "dora")),
    (
        &["use_peft", "use_lora", "use_peft_lora"],
        With(|draft, value| {
            if is_on(value) && draft.get("method").is_none() {
                draft.set("method", "lora")
            }
        }),
    ),
    (
        &["per_device_train_batch_size", "per_gpu_train_batch_size", "micro_batch_size", "batch_size_training", "mbs"],
        Knob("batch"),
    ),
    (&["batch_size"], Knob("step_batch")),
    (&["gradient_accumulation_steps", "accumulative_counts"], Knob("accum")),
    (&["num_train_epochs", "num_epochs", "max_epochs"], Knob("epochs")),
    (&["max_samples", "max_train_samples"], Knob("samples")),
    (
        &[
            "cutoff_len",
            "max_seq_length",
            "model_max_length",
            "block_size",
            "max_length",
            "max_seq_len",
            "seq_length",
            "context_length",
        ],
        Knob("seq"),
    ),
    (&["lora_rank", "lora_r", "peft_lora_r", "lora_dim"], Count("lora_rank")),
    // DeepSpeed-Chat's.
    (&["zero_stage"], Knob("zero")),
    (&["offload"], On("offload", "cpu")),
    (&["lora_alpha", "peft_lora_alpha"], Knob("lora_alpha")),
    (&["lora_target", "lora_target_modules", "target_modules", "lora_trainable", "trainable"], With(targets)),
    (
        &["quantization_bit", "quant_bits", "bits"],
        With(|draft, value| {
            if matches!(value, "4" | "8") {
                draft.set("quant_bits", value)
            }
        }),
    ),
    (
        &["quantization"],
        With(|draft, value| {
            // llama-recipes' `4bit`
            if let Some(bits @ ("4" | "8")) = value.strip_suffix("bit") {
                draft.set("quant_bits", bits)
            }
        }),
    ),
    (&["load_in_4bit", "use_4bit", "use_4bit_quantization"], On("quant_bits", "4")),
    (&["load_in_8bit", "use_8bit_quantization"], On("quant_bits", "8")),
    (
        &["bnb_4bit_use_double_quant", "use_bnb_nested_quant", "use_nested_quant", "double_quantization"],
        Off("quantised_once", "on"),
    ),
    (&["bf16"], On("precision", "bf16")),
    (&["fp16"], On("precision", "fp16")),
    (
        &["pure_bf16"],
        With(|draft, value| {
            if is_on(value) {
                draft.set("precision", "bf16");
                draft.set("master", "off")
            }
        }),
    ),
    (&["torch_dtype", "dtype", "mixed_precision"], With(dtype)),
    (
        &["gradient_checkpointing", "use_gradient_checkpointing", "grad_checkpoint", "grad_checkpointing"],
        With(checkpointing),
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
    (&["optim", "optim_type", "optimizer"], With(optimizer)),
    (&["deepspeed"], With(deepspeed_path)),
    // Colossal-AI's booster.
    (
        &["plugin"],
        With(|draft, value| match value {
            "zero2" => draft.set("zero", 2),
            "zero2_cpu" => {
                draft.set("zero", 2);
                draft.set("offload", "optimizer");
            }
            "gemini" | "gemini_auto" => draft.set("zero", 3),
            _ => {}
        }),
    ),
    (&["fsdp"], With(fsdp_words)),
    (&["enable_fsdp"], On("sharding", "fsdp")),
    (
        &["strategy"],
        With(|draft, value| {
            if value.starts_with("fsdp") {
                draft.set("sharding", "fsdp")
            }
        }),
    ),
    (&["use_unsloth"], On("framework", "unsloth")),
    (&["use_liger_kernel", "enable_liger_kernel", "liger"], On("loss", "fused")),
    (&["torch_compile"], On("compile", "on")),
    (&["packing", "neat_packing", "pack_to_max_length"], Switch("packing")),
    (&["num_generations"], Knob("generations")),
    (&["max_prompt_length"], Knob("prompt_length")),
    (&["max_completion_length"], Knob("answer_length")),
    (&["vllm_gpu_memory_utilization"], Knob("rollout_mem_util")),
    (&["tensor_model_parallel_size", "tensor_parallel_size", "tp_size", "tp"], Knob("tp")),
    (&["pipeline_model_parallel_size", "pp_size", "pipe_parallel_size"], Knob("pp")),
    (&["expert_model_parallel_size"], Knob("ep")),
    (&["context_parallel_size", "sequence_parallel_size", "cp_size"], Knob("cp")),
];

/// A framework's name of an optimizer, to the catalog's.
pub fn optimizer(draft: &mut Draft, value: &str) {
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
pub fn deepspeed_path(draft: &mut Draft, value: &str) {
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
pub fn fsdp_words(draft: &mut Draft, value: &str) {
    for word in value.split([' ', ',']) {
        sharding_strategy(draft, word);
        if word == "offload" {
            draft.set("offload", "cpu");
        }
    }
}

pub fn sharding_strategy(draft: &mut Draft, value: &str) {
    match value.to_ascii_lowercase().as_str() {
        "full_shard" | "1" => draft.set("sharding", "fsdp"),
        "shard_grad_op" | "2" => draft.set("zero", 2),
        "no_shard" | "3" => draft.set("zero", 0),
        "hybrid_shard" | "4" | "hybrid_shard_zero2" | "5" => draft.set("sharding", "hsdp"),
        _ => {}
    }
}

/// Keyword arguments of `LoraConfig(…)`, `TrainingArguments(…)`, `SFTConfig(…)` and the like.
pub fn keywords(kind: Kind, pairs: &[(String, String)]) -> Draft {
    let mut draft = train(kind);
    for (path, value) in pairs {
        match path.rsplit('.').next().unwrap_or(path) {
            "r" => draft.set("lora_rank", value),
            name => drop(draft.follow(TRAINER, name, value.trim_start_matches("torch."))),
        }
    }
    draft
}
