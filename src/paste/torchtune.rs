//! torchtune's recipes: YAML of components, and `tune run`.
//!
//! The model is named by its builder, `torchtune.models.llama3_1.qlora_llama3_1_8b`, and more exactly by the checkpoint.

use super::Kind;
use super::draft::{Draft, Rule, Rules, is_on};
use super::shell::Command;
use super::trainers::{optimizer, targets, train};
use super::tree::flatten;
use crate::catalog::{Catalog, Outcome};
use Rule::{Knob, On, Switch, With};
use serde_json::{Map, Value};

pub fn read(tree: &Map<String, Value>, catalog: &Catalog) -> Option<Draft> {
    let pairs = flatten(tree);
    if !pairs.iter().any(|(path, _)| path.ends_with("_component_")) {
        return None;
    }
    let mut draft = train(Kind::Torchtune);
    let value = |wanted: &str| pairs.iter().find(|(path, _)| path == wanted).map(|(_, value)| value.as_str());
    for (path, value) in &pairs {
        draft.follow(RULES, path, value);
    }
    let builder = value("model._component_").or_else(|| value("policy_model._component_"));
    let method = builder.map_or("full", method_of);
    draft.set("method", method);
    if method == "full" {
        draft.unset("lora_targets");
    } else {
        adapted(&mut draft, value);
    }
    let of_builder = builder.and_then(model_of);
    let checkpoint = value("checkpointer.checkpoint_dir")
        .and_then(|path| path.trim_end_matches('/').rsplit('/').next())
        .map(str::to_owned);
    // The checkpoint says which variant, if it is of the builder's model.
    let agrees = |name: &String| {
        let found = catalog.names().model(name);
        found.outcome == Outcome::Match
            && of_builder.as_ref().is_none_or(|builder| {
                let row = |id: Option<String>| id.and_then(|id| catalog.model(&id)).map(|model| model.counts.total);
                row(found.id) == row(catalog.names().model(builder).id)
            })
    };
    draft.model = checkpoint.filter(agrees).or(of_builder);
    draft.set("framework", "torchtune");
    Some(draft)
}

/// Which linears carry adapters, and of which kind, as the model's builder takes it.
fn adapted<'a>(draft: &mut Draft, value: impl Fn(&str) -> Option<&'a str>) {
    let mut modules = value("model.lora_attn_modules").unwrap_or("q_proj,v_proj").to_owned();
    if value("model.apply_lora_to_mlp").is_some_and(is_on) {
        modules += ",gate_proj,up_proj,down_proj";
    }
    if value("model.apply_lora_to_output").is_some_and(is_on) {
        modules += ",lm_head";
    }
    targets(draft, &modules);
    if value("model.use_dora").is_some_and(is_on) {
        draft.set("method", "dora");
    }
}

fn method_of(builder: &str) -> &'static str {
    let function = builder.rsplit('.').next().unwrap_or(builder);
    if function.starts_with("qlora_") {
        "qlora"
    } else if function.starts_with("lora_") {
        "lora"
    } else {
        "full"
    }
}

/// `torchtune.models.qwen2_5.lora_qwen2_5_0_5b` is `qwen2.5-0.5b`: the module is the family and its version.
fn model_of(builder: &str) -> Option<String> {
    let mut parts = builder.rsplit('.');
    let function = parts.next()?.trim_start_matches("qlora_").trim_start_matches("lora_");
    let family = parts.next()?;
    let rest = function.strip_prefix(family).unwrap_or(function).trim_start_matches('_');
    // Hyphens: the repository of that name, where there is one (`gemma-2b` is Gemma 1).
    let family = if family == "code_llama2" { "CodeLlama".to_owned() } else { family.replace('_', ".") };
    Some(format!("{family}-{}", size_words(rest)))
}

/// `0_5b_instruct` is `0.5b-instruct`.
fn size_words(text: &str) -> String {
    let mut made = String::new();
    let parts: Vec<&str> = text.split('_').collect();
    for (at, part) in parts.iter().enumerate() {
        let digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
        let point = at > 0 && digits(parts[at - 1]) && part.starts_with(|c: char| c.is_ascii_digit());
        if at > 0 {
            made.push(if point { '.' } else { '-' });
        }
        made.push_str(part);
    }
    made
}

/// `tune run --nproc_per_node 4 lora_finetune_distributed --config llama3_1/8B_lora batch_size=2`.
pub fn command(command: &Command) -> Option<Draft> {
    let at =
        command.words.windows(2).position(|pair| pair[0].rsplit('/').next() == Some("tune") && pair[1] == "run")?;
    let words = &command.words[at + 2..];
    let mut draft = train(Kind::Torchtune);
    draft.set("framework", "torchtune");
    if let Some(recipe) = words.iter().find(|word| {
        ["finetune", "dpo", "qat", "ppo", "knowledge", "grpo"].iter().any(|mark| word.contains(mark))
            && !word.starts_with('-')
    }) {
        draft.set("method", if recipe.contains("lora") { "lora" } else { "full" });
        if recipe.contains("dpo") {
            draft.set("stage", "dpo");
        }
        if recipe.contains("single_device") {
            draft.set("gpus", 1);
        }
    }
    for (name, value) in super::shell::flags(words) {
        match name.replace('-', "_").as_str() {
            "nproc_per_node" => draft.set("gpus", value),
            "nnodes" => draft.set("nodes", value),
            "config" => {
                let name = value.trim_end_matches(".yaml");
                if name.contains("qlora") {
                    draft.set("method", "qlora");
                }
                let (family, size) = name.rsplit_once('/').unwrap_or((name, ""));
                let size = size
                    .split('_')
                    .take_while(|part| !matches!(*part, "full" | "lora" | "qlora" | "single"))
                    .collect::<Vec<_>>()
                    .join("_");
                draft.model = Some(format!(
                    "{} {}",
                    family.rsplit('/').next().unwrap_or(family).replace('_', "."),
                    size.replace('_', ".")
                ));
            }
            _ => {}
        }
    }
    let changed: Vec<(&str, &str)> =
        words.iter().filter_map(|word| word.split_once('=')).filter(|(path, _)| !path.starts_with('-')).collect();
    for (path, value) in &changed {
        draft.follow(RULES, path, value);
    }
    let value = |wanted: &str| changed.iter().find(|(path, _)| *path == wanted).map(|(_, value)| *value);
    if value("model.lora_attn_modules").is_some() {
        adapted(&mut draft, value);
    }
    if let Some(path) = value("checkpointer.checkpoint_dir") {
        let name = path.trim_end_matches('/').rsplit('/').next().map(str::to_owned);
        draft.alias = std::mem::replace(&mut draft.model, name);
    }
    if let (Some(each), Some(nodes)) = (draft.count("gpus"), draft.count("nodes")) {
        draft.set("gpus", each.saturating_mul(nodes));
    }
    Some(draft)
}

/// Stages by the losses that only they have.
const STAGES: &[(&str, &str)] = &[("DPOLoss", "dpo"), ("SimPOLoss", "simpo"), ("PPOLoss", "ppo"), ("GRPO", "grpo")];

const RULES: Rules = &[
    (&["batch_size"], Knob("batch")),
    (&["gradient_accumulation_steps"], Knob("accum")),
    (&["epochs"], Knob("epochs")),
    (&["grpo_samples"], Knob("generations")),
    (&["tokenizer.max_seq_len"], Knob("seq")),
    (&["dataset.packed"], Switch("packing")),
    (&["model.lora_rank"], Knob("lora_rank")),
    (&["model.lora_alpha"], Knob("lora_alpha")),
    (&["model.quantize_base"], On("quant", "bnb-nf4")),
    (&["optimizer._component_"], With(optimizer)),
    (&["optimizer", "optimizer._component_"], With(optimizer)),
    (
        &["dtype"],
        With(|draft, value| match value {
            "bf16" | "fp32" | "fp16" => draft.set("precision", value),
            _ => {}
        }),
    ),
    (&["enable_activation_checkpointing"], Switch("checkpointing")),
    (&["compile"], Switch("compile")),
    (&["fsdp_cpu_offload"], On("offload", "cpu")),
    (&["tensor_parallel_dim"], Knob("tp")),
    (&["context_parallel_dim"], Knob("cp")),
    (
        &["loss._component_"],
        With(|draft, value| {
            if value.contains("Linear") || value.contains("Chunked") {
                draft.set("loss", "chunked")
            }
            if let Some((_, stage)) = STAGES.iter().find(|(loss, _)| value.contains(loss)) {
                draft.set("stage", stage)
            }
        }),
    ),
];
