//! Accelerate's configuration, and the flags of `accelerate launch`.

use super::Kind;
use super::draft::{Draft, Rule, Rules};
use super::trainers::{deepspeed_path, offload_optimizer, offload_parameters, sharding_strategy, train};
use super::tree::flatten;
use Rule::{Knob, On, With};
use serde_json::{Map, Value};

pub fn read(tree: &Map<String, Value>) -> Option<Draft> {
    let own = ["distributed_type", "num_processes", "fsdp_config", "compute_environment", "mixed_precision"];
    if own.iter().filter(|key| tree.contains_key(**key)).count() < 2 {
        return None;
    }
    let mut draft = train(Kind::Accelerate);
    for (path, value) in flatten(tree) {
        let name = path.rsplit('.').next().unwrap_or(&path);
        draft.follow(RULES, name, &value);
    }
    let distributed = tree.get("distributed_type").and_then(Value::as_str).unwrap_or_default().to_uppercase();
    distribute(&mut draft, &distributed);
    Some(draft)
}

fn distribute(draft: &mut Draft, distributed: &str) {
    match distributed {
        "DEEPSPEED" => draft.set("framework", "deepspeed"),
        "FSDP" => {
            draft.set("framework", "hf");
            if draft.get("sharding").is_none() && draft.get("zero").is_none() {
                draft.set("sharding", "fsdp");
            }
        }
        "MEGATRON_LM" => draft.set("framework", "megatron"),
        "MULTI_GPU" | "MULTI_NPU" | "MULTI_XPU" => {
            draft.set("framework", "hf");
            draft.set("zero", 0);
        }
        // One process, whatever `num_processes` says.
        "NO" => {
            draft.set("framework", "hf");
            draft.set("gpus", 1);
        }
        _ => draft.set("framework", "hf"),
    }
}

const RULES: Rules = &[
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
    (&["offload_optimizer_device"], With(offload_optimizer)),
    (&["offload_param_device"], With(offload_parameters)),
    (&["deepspeed_config_file"], With(deepspeed_path)),
    (
        &["config_file"],
        With(|draft, value| {
            let name = value.rsplit('/').next().unwrap_or(value).to_lowercase();
            if name.contains("fsdp") {
                draft.set("sharding", "fsdp");
                if name.contains("offload") {
                    draft.set("offload", "cpu");
                }
            } else if name.contains("zero") || name.contains("deepspeed") {
                deepspeed_path(draft, &name);
            }
        }),
    ),
    (&["fsdp_sharding_strategy"], With(sharding_strategy)),
    // FSDP2 says by a switch what FSDP1 calls FULL_SHARD and SHARD_GRAD_OP.
    (
        &["fsdp_reshard_after_forward"],
        With(|draft, value| match value {
            "true" if draft.get("sharding").is_none() => draft.set("sharding", "fsdp"),
            "true" => {}
            "false" => draft.set("zero", 2),
            other => sharding_strategy(draft, other),
        }),
    ),
    (&["fsdp_offload_params", "fsdp_cpu_offload"], On("offload", "cpu")),
    (&["fsdp_activation_checkpointing"], On("checkpointing", "on")),
    (&["parallelism_config_tp_size", "tp_size"], Knob("tp")),
    (&["parallelism_config_cp_size", "cp_size", "parallelism_config_sp_size", "sp_size"], With(sequence_parallel)),
    (
        &["parallelism_config_dp_replicate_size"],
        With(|draft, value| {
            if value != "1" {
                draft.set("sharding", "hsdp")
            }
        }),
    ),
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

/// A sequence split by ring attention or by Ulysses; one of the two stays at 1.
fn sequence_parallel(draft: &mut Draft, value: &str) {
    if draft.count("cp").is_none_or(|degree| degree == 1) {
        draft.set("cp", value);
    }
}

/// `accelerate launch …`: its own flags, then the script's.
pub fn flags(draft: &mut Draft, pairs: &[(&str, &str)]) {
    for (name, value) in pairs {
        draft.follow(RULES, name, value);
    }
    let has = |wanted: &str| pairs.iter().any(|(name, _)| name.replace('-', "_") == wanted);
    if has("use_deepspeed") || has("zero_stage") || has("deepspeed_config_file") {
        distribute(draft, "DEEPSPEED");
    } else if has("use_fsdp") || has("fsdp_sharding_strategy") {
        distribute(draft, "FSDP");
    }
}
