//! OpenRLHF's commands: `deepspeed --module openrlhf.cli.train_sft --pretrain …`, `… train_ppo_ray …`.
//!
//! Names and defaults as in openrlhf/cli/train_*.py.

use super::Kind;
use super::draft::{Draft, Rule, Rules};
use super::launch::{launched, stage};
use super::shell::Command;
use super::trainers::{TRAINER, finish_trainer, train};
use Rule::{Knob, Model, On, With};

pub fn command(command: &Command, allotted: Option<(u64, u64)>) -> Option<Draft> {
    let flags = command.flags();
    let has = |wanted: &str| flags.iter().any(|(name, _)| *name == wanted);
    (has("pretrain") && (has("micro_train_batch_size") || has("train_batch_size"))).then_some(())?;
    let mut draft = train(Kind::Deepspeed);
    draft.set("framework", "deepspeed");
    if let Some(stage) = stage(&command.words) {
        draft.set("stage", stage);
    }
    for (name, value) in &flags {
        if !draft.follow(RULES, name, value) {
            draft.follow(TRAINER, name, value);
        }
    }
    // A critic-free estimator of the advantage compares answers to one prompt.
    let estimator = flags.iter().find(|(name, _)| *name == "advantage_estimator").map(|(_, value)| *value);
    if draft.get("stage") == Some("ppo") && estimator.is_some_and(|name| name != "gae") {
        draft.set("stage", "grpo");
    }
    let count = |wanted: &str| flags.iter().find(|(name, _)| *name == wanted).and_then(|(_, n)| n.parse::<u64>().ok());
    if let (Some(prompt), Some(answer)) = (count("prompt_max_len"), count("generate_max_len")) {
        draft.set("seq", prompt.saturating_add(answer));
    }
    if draft.get("zero").is_none() {
        draft.set("zero", 2);
        draft.assumed.push("zero=2".to_owned());
    }
    finish_trainer(&mut draft);
    let (gpus, nodes) = launched(command, allotted);
    // Ray gives each model its own; the actor's are those that are trained on.
    let nodes = count("actor_num_nodes").or(nodes);
    if let Some(gpus) = count("actor_num_gpus_per_node").map(|each| each.saturating_mul(nodes.unwrap_or(1))).or(gpus) {
        draft.set("gpus", gpus);
    }
    if let Some(nodes) = nodes.filter(|nodes| *nodes > 1) {
        draft.set("nodes", nodes);
    }
    Some(draft)
}

const RULES: Rules = &[
    (&["pretrain"], Model),
    (&["max_len"], Knob("seq")),
    (&["micro_train_batch_size"], Knob("batch")),
    (&["train_batch_size"], Knob("global_batch")),
    (&["n_samples_per_prompt"], Knob("generations")),
    (&["ring_attn_size"], Knob("cp")),
    (&["ds_tensor_parallel_size"], Knob("tp")),
    (&["adam_offload"], On("offload", "optimizer")),
    (&["packing_samples"], On("packing", "on")),
    (
        &["lora_rank"],
        With(|draft, value| {
            if value != "0" {
                draft.set("lora_rank", value)
            }
        }),
    ),
];
