//! LitGPT's commands: `litgpt finetune_lora meta-llama/Llama-3.1-8B --train.micro_batch_size 2`.
//!
//! Names as in litgpt/finetune/{full,lora}.py, litgpt/pretrain.py and litgpt/args.py.

use super::Kind;
use super::draft::{Draft, Rule, Rules, is_on};
use super::shell::{self, Command};
use super::trainers::{optimizer, targets, train};
use Rule::{Knob, Model, With};

/// Linears that LitGPT's switches put adapters on, and its defaults.
const SWITCHES: [(&str, &str, bool); 6] = [
    ("lora_query", "q_proj", true),
    ("lora_key", "k_proj", false),
    ("lora_value", "v_proj", true),
    ("lora_projection", "o_proj", false),
    ("lora_mlp", "gate_proj,up_proj,down_proj", false),
    ("lora_head", "lm_head", false),
];

pub fn command(command: &Command) -> Option<Draft> {
    let words = &command.words;
    let at = words.iter().position(|word| word.rsplit('/').next() == Some("litgpt"))?;
    let (method, stage) = match words.get(at + 1)?.as_str() {
        "finetune" | "finetune_lora" => ("lora", "sft"),
        "finetune_full" => ("full", "sft"),
        "pretrain" => ("full", "pretrain"),
        _ => return None,
    };
    let words = &words[at + 2..];
    let flags = shell::flags(words);
    let flag = |wanted: &str| flags.iter().find(|(name, _)| *name == wanted).map(|(_, value)| *value);
    let mut draft = train(Kind::Litgpt);
    draft.set("framework", "litgpt");
    draft.set("method", method);
    draft.set("stage", stage);
    draft.model = words.first().filter(|word| !word.starts_with('-')).cloned();
    if method == "lora" {
        let on = |name, default| flag(name).map_or(default, is_on);
        let modules = SWITCHES.iter().filter(|(name, _, default)| on(name, *default)).map(|(_, modules, _)| *modules);
        targets(&mut draft, &modules.collect::<Vec<_>>().join(","));
    }
    for (name, value) in &flags {
        draft.follow(RULES, name, value);
    }
    if let Some(devices) = flag("devices").and_then(|devices| devices.parse::<u64>().ok()) {
        let nodes = draft.count("nodes").unwrap_or(1);
        draft.set("gpus", devices.saturating_mul(nodes));
    }
    Some(draft)
}

const RULES: Rules = &[
    (&["checkpoint_dir", "model_name"], Model),
    (&["num_nodes"], Knob("nodes")),
    (&["train.micro_batch_size"], Knob("batch")),
    (&["train.global_batch_size"], Knob("global_batch")),
    (&["train.max_seq_length"], Knob("seq")),
    (&["train.max_tokens"], Knob("tokens")),
    (&["train.epochs"], Knob("epochs")),
    (&["lora_r"], Knob("lora_rank")),
    (&["lora_alpha"], Knob("lora_alpha")),
    (
        &["quantize"],
        With(|draft, value| {
            let quant = match value {
                "bnb.nf4-dq" => "bnb-nf4",
                "bnb.nf4" => "bnb-nf4-single",
                _ => return,
            };
            draft.set("method", "qlora");
            draft.set("quant", quant);
        }),
    ),
    (
        &["precision"],
        With(|draft, value| {
            let (width, kept) = value.split_once('-').unwrap_or((value, ""));
            match width {
                "bf16" => draft.set("precision", "bf16"),
                "16" => draft.set("precision", "fp16"),
                "32" => draft.set("precision", "fp32"),
                _ => {}
            }
            if kept == "mixed" {
                draft.set("master", "amp");
            }
        }),
    ),
    (&["optimizer"], With(optimizer)),
];
