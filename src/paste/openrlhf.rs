//! OpenRLHF's commands: `deepspeed --module openrlhf.cli.train_sft --pretrain …`, `… train_ppo_ray …`.
//!
//! Names and defaults as in openrlhf/cli/train_*.py.

use super::Kind;
use super::draft::{Draft, Rule, Rules};
use super::launch::{launched, stage};
use super::shell::Command;
use super::trainers::{TRAINER, advantage, attention, finish_trainer, train};
use Rule::{Knob, Model, On, With};

pub fn command(command: &Command, allotted: Option<(u64, u64)>) -> Option<Draft> {
    let flags = command.flags();
    let has = |wanted: &[&str]| flags.iter().any(|(name, _)| wanted.contains(name));
    let named = has(&["pretrain", "model.model_name_or_path", "actor.model_name_or_path"]);
    (named && has(&["micro_train_batch_size", "train_batch_size", "train.batch_size"])).then_some(())?;
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
    // Only with a critic or an actor of its own is there more than one model to place.
    if draft.get("stage").is_none() && flags.iter().any(|(name, _)| name.starts_with("actor")) {
        draft.set("stage", "ppo");
    }
    if draft.get("zero").is_none() {
        draft.set("zero", 2);
        draft.assumed.push("zero=2".to_owned());
    }
    finish_trainer(&mut draft);
    // Ray gives each model GPUs of its own; the actor's are those that are trained on.
    let (gpus, nodes) = launched(command, allotted);
    draft.set_some("gpus", gpus);
    draft.set_some("nodes", nodes);
    Some(draft)
}

/// Since its settings have sections, both names of each.
const RULES: Rules = &[
    (&["pretrain", "model.model_name_or_path", "actor.model_name_or_path"], Model),
    (&["max_len", "data.max_len"], Knob("seq")),
    (&["prompt_max_len"], Knob("prompt_length")),
    (&["generate_max_len"], Knob("answer_length")),
    (&["advantage_estimator", "algo.advantage.estimator"], With(advantage)),
    (&["micro_train_batch_size", "train.micro_batch_size"], Knob("batch")),
    (&["train_batch_size", "train.batch_size"], Knob("global_batch")),
    (&["train.max_epochs"], Knob("epochs")),
    (&["data.max_samples"], Knob("samples")),
    (&["n_samples_per_prompt", "rollout.n_samples_per_prompt"], Knob("generations")),
    (&["vllm.gpu_memory_utilization"], Knob("rollout_mem_util")),
    (&["ds.zero_stage"], Knob("zero")),
    (&["ds.param_dtype"], Knob("precision")),
    (&["ds.attn_implementation"], With(attention)),
    (&["ring_attn_size", "ds.ring_attn_size"], Knob("cp")),
    (&["ds_tensor_parallel_size", "ds.tensor_parallel_size"], Knob("tp")),
    (&["adam_offload", "ds.adam_offload"], On("offload", "optimizer")),
    (&["packing_samples", "ds.packing_samples"], On("packing", "on")),
    (&["model.gradient_checkpointing_enable", "actor.gradient_checkpointing_enable"], On("checkpointing", "on")),
    (&["ds.lora.rank"], Knob("lora_rank")),
    (&["ds.lora.alpha"], Knob("lora_alpha")),
];
