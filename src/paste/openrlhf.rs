//! OpenRLHF's commands: `deepspeed --module openrlhf.cli.train_sft --pretrain …`, `… train_ppo_ray …`.
//!
//! Names and defaults as in openrlhf/cli/train_*.py.

use super::Kind;
use super::draft::{Draft, Rule, Rules};
use super::launch::{launched, stage};
use super::shell::Command;
use super::trainers::{TRAINER, advantage, finish_trainer, train};
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
    if draft.get("zero").is_none() {
        draft.set("zero", 2);
        draft.assumed.push("zero=2".to_owned());
    }
    finish_trainer(&mut draft);
    // Ray gives each model GPUs of its own; the actor's are those that are trained on.
    let (gpus, nodes) = launched(command, allotted);
    for (knob, count) in [("gpus", gpus), ("nodes", nodes)] {
        if let Some(count) = count {
            draft.set(knob, count);
        }
    }
    Some(draft)
}

const RULES: Rules = &[
    (&["pretrain"], Model),
    (&["max_len"], Knob("seq")),
    (&["prompt_max_len"], Knob("prompt_length")),
    (&["generate_max_len"], Knob("answer_length")),
    (&["advantage_estimator"], With(advantage)),
    (&["micro_train_batch_size"], Knob("batch")),
    (&["train_batch_size"], Knob("global_batch")),
    (&["n_samples_per_prompt"], Knob("generations")),
    (&["ring_attn_size"], Knob("cp")),
    (&["ds_tensor_parallel_size"], Knob("tp")),
    (&["adam_offload"], On("offload", "optimizer")),
    (&["packing_samples"], On("packing", "on")),
];
