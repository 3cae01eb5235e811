//! verl's settings, as overrides of a command (`actor_rollout_ref.rollout.n=8`) or as its YAML.
//!
//! Names as in verl/trainer/config/ppo_trainer.yaml and sft_trainer.yaml.

use super::Kind;
use super::draft::{Draft, Rule, Rules, is_on};
use super::shell::Command;
use super::trainers::{advantage, checkpointing, finish_trainer, targets, train};
use super::tree::flatten;
use Rule::{Count, Knob, Model, On, With};
use serde_json::{Map, Value};

pub fn command(command: &Command) -> Option<Draft> {
    let words = command.words.iter().filter_map(|word| word.trim_start_matches('+').split_once('='));
    let pairs: Vec<(String, String)> = words.map(|(path, value)| (path.to_owned(), value.to_owned())).collect();
    let flags = command.flags();
    let processes = flags.iter().find(|(name, _)| name.starts_with("nproc")).and_then(|(_, count)| count.parse().ok());
    read(&pairs, processes)
}

pub fn file(tree: &Map<String, Value>) -> Option<Draft> {
    read(&flatten(tree), None)
}

fn read(pairs: &[(String, String)], processes: Option<u64>) -> Option<Draft> {
    let value = |wanted: &str| pairs.iter().rev().find(|(path, _)| path == wanted).map(|(_, value)| value.as_str());
    let count = |wanted: &str| value(wanted).and_then(|value| value.parse::<u64>().ok());
    let rollout = pairs.iter().any(|(path, _)| path.starts_with("actor_rollout_ref."));
    let sft = value("model.partial_pretrain").is_some() || value("data.micro_batch_size_per_gpu").is_some();
    (rollout || sft).then_some(())?;
    let mut draft = train(Kind::Verl);
    for (knob, word) in [("framework", "fsdp"), ("sharding", "fsdp"), ("stage", if rollout { "grpo" } else { "sft" })] {
        draft.set(knob, word);
    }
    for (path, value) in pairs {
        draft.follow(RULES, path, value);
    }
    if pairs.iter().any(|(path, _)| path.starts_with("actor_rollout_ref.actor.megatron.")) {
        draft.set("framework", "megatron");
        draft.unset("sharding");
    }
    finish_trainer(&mut draft);
    let nodes = count("trainer.nnodes").filter(|nodes| *nodes > 1);
    let gpus = processes.or(count("trainer.n_gpus_per_node")).map(|each| each.saturating_mul(nodes.unwrap_or(1)));
    // An optimizer step is over so many prompts, each with its answers.
    let prompts = count("actor_rollout_ref.actor.ppo_mini_batch_size");
    let answers = draft.count("generations").unwrap_or(1);
    if let Some(step) =
        if rollout { prompts.map(|n| n.saturating_mul(answers)) } else { count("data.train_batch_size") }
    {
        draft.set("global_batch", step);
    }
    // Older names of a micro batch count that of all ranks; one without a size of its own is filled with tokens.
    let shared = draft.count("rank_batch").zip(gpus).map(|(batch, gpus)| batch / gpus.max(1));
    let tokens = count("actor_rollout_ref.actor.ppo_max_token_len_per_gpu")
        .filter(|_| value("actor_rollout_ref.actor.use_dynamic_bsz").is_some_and(is_on));
    let filled = tokens.zip(draft.count("seq")).map(|(tokens, seq)| tokens / seq.max(1));
    draft.unset("rank_batch");
    if let Some(batch) = filled.or(shared.filter(|_| draft.get("batch").is_none())) {
        draft.set("batch", batch.max(1));
    }
    draft.set_some("gpus", gpus);
    draft.set_some("nodes", nodes);
    Some(draft)
}

const RULES: Rules = &[
    (&["actor_rollout_ref.model.path", "model.partial_pretrain", "model.path"], Model),
    (&["algorithm.adv_estimator"], With(advantage)),
    (&["data.max_length"], Knob("seq")),
    (&["data.max_prompt_length"], Knob("prompt_length")),
    (&["data.max_response_length"], Knob("answer_length")),
    (&["actor_rollout_ref.actor.ppo_micro_batch_size_per_gpu", "data.micro_batch_size_per_gpu"], Knob("batch")),
    (&["actor_rollout_ref.actor.ppo_micro_batch_size", "data.micro_batch_size"], Knob("rank_batch")),
    (&["actor_rollout_ref.rollout.n"], Knob("generations")),
    (&["actor_rollout_ref.rollout.gpu_memory_utilization"], Knob("rollout_mem_util")),
    (
        &[
            "actor_rollout_ref.actor.ulysses_sequence_parallel_size",
            "actor_rollout_ref.actor.fsdp_config.ulysses_sequence_parallel_size",
            "engine.ulysses_sequence_parallel_size",
            "ulysses_sequence_parallel_size",
        ],
        Knob("cp"),
    ),
    (&["actor_rollout_ref.actor.megatron.tensor_model_parallel_size"], Knob("tp")),
    (&["actor_rollout_ref.actor.megatron.pipeline_model_parallel_size"], Knob("pp")),
    (&["actor_rollout_ref.actor.megatron.expert_model_parallel_size"], Knob("ep")),
    (&["actor_rollout_ref.actor.megatron.context_parallel_size"], Knob("cp")),
    (
        &["actor_rollout_ref.model.enable_gradient_checkpointing", "model.enable_gradient_checkpointing"],
        With(checkpointing),
    ),
    // Its other switches of offloading hold while answers are generated, not in the step.
    (&["actor_rollout_ref.actor.fsdp_config.offload_policy"], On("offload", "cpu")),
    (&["actor_rollout_ref.model.lora_rank", "model.lora_rank"], Count("lora_rank")),
    (&["actor_rollout_ref.model.lora_alpha", "model.lora_alpha"], Knob("lora_alpha")),
    (&["actor_rollout_ref.model.target_modules", "model.target_modules"], With(targets)),
    (&["trainer.total_epochs"], Knob("epochs")),
];
