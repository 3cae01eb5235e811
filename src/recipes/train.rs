//! Commands and files that train a model: a module a program, and the words that several of them share.
//!
//! Data sets, learning rates and paths are the reader's: they stand as placeholders in capitals.

use super::{Command, Keys, Program, Recipe, written};
use crate::request::{AttentionKernel, Checkpointing, Lora, Method, Request, Targets, Train, Zero};

mod accelerate;
mod axolotl;
mod deepspeed;
mod litgpt;
mod llama_factory;
mod megatron;
mod swift;
mod torchtitan;
mod torchtune;
mod unsloth;

const PROGRAMS: &[Program<Train>] = &[
    Program { of: &["hf", "fsdp"], name: "accelerate 1.14", file: Some("accelerate.yaml"), write: accelerate::recipe },
    Program { of: &["deepspeed"], name: "DeepSpeed 0.19", file: Some("deepspeed.json"), write: deepspeed::recipe },
    Program { of: &["torchtune"], name: "torchtune 0.7", file: None, write: torchtune::recipe },
    Program { of: &["torchtitan"], name: "torchtitan 0.2.2", file: Some("train.toml"), write: torchtitan::recipe },
    Program { of: &["megatron"], name: "Megatron-LM core 0.20", file: None, write: megatron::recipe },
    Program { of: &["litgpt"], name: "LitGPT 0.5.13", file: None, write: litgpt::recipe },
    Program { of: &["swift"], name: "ms-swift 4.5", file: None, write: swift::recipe },
    Program { of: &["unsloth"], name: "Unsloth 2026.8", file: Some("train.py"), write: unsloth::recipe },
    Program {
        of: &["llama-factory"],
        name: "LLaMA-Factory 0.9.5",
        file: Some("llama_factory.yaml"),
        write: llama_factory::recipe,
    },
    Program { of: &[], name: "Axolotl 0.18", file: Some("axolotl.yaml"), write: axolotl::recipe },
];

pub fn recipes(request: &Request, train: &Train) -> Vec<Recipe> {
    written(PROGRAMS, &train.framework.name, request, train, "")
}

fn lora(train: &Train) -> Option<&Lora> {
    match &train.method {
        Method::Lora(lora) => Some(lora),
        Method::Full | Method::Freeze => None,
    }
}

/// Whether the base weights are NF4, the one format all fine-tuning programs can quantise to on loading.
fn nf4(train: &Train) -> bool {
    lora(train).and_then(|lora| lora.base).is_some_and(|base| base.name.starts_with("bnb-nf4"))
}

fn double_quantised(train: &Train) -> bool {
    lora(train).and_then(|lora| lora.base).is_some_and(|base| base.name == "bnb-nf4")
}

/// Full weights, or a base in 16 bits or NF4.
fn loads(train: &Train) -> bool {
    lora(train).and_then(|lora| lora.base).is_none_or(|base| base.name.starts_with("bnb-nf4"))
}

fn data_parallel_only(request: &Request) -> bool {
    let parallel = request.parallel;
    parallel.tensor == 1 && parallel.pipeline == 1 && parallel.context == 1 && parallel.expert == 1
}

fn checkpointing(train: &Train) -> bool {
    train.checkpointing == Checkpointing::On
}

fn sequences_per_step(request: &Request, train: &Train) -> u64 {
    train.micro_batch_size * train.gradient_accumulation * u64::from(request.parallel.data)
}

/// Linear names of Llama-like checkpoints.
fn target_modules(targets: Targets) -> Vec<&'static str> {
    let all = [
        (targets.q, "q_proj"),
        (targets.k, "k_proj"),
        (targets.v, "v_proj"),
        (targets.o, "o_proj"),
        (targets.gate, "gate_proj"),
        (targets.up, "up_proj"),
        (targets.down, "down_proj"),
    ];
    all.into_iter().filter_map(|(on, name)| on.then_some(name)).collect()
}

fn all_linears(targets: Targets) -> bool {
    target_modules(targets).len() == 7
}

/// `optim` of transformers.TrainingArguments (`OptimizerNames`).
fn trainer_optimizer(train: &Train) -> Option<&'static str> {
    Some(match train.optimizer.name.as_str() {
        "adamw" => "adamw_torch_fused",
        "adamw-8bit" => "adamw_8bit",
        "paged-adamw-8bit" => "paged_adamw_8bit",
        "paged-adamw-32bit" => "paged_adamw_32bit",
        "adafactor" => "adafactor",
        "sgd" => "sgd",
        "lion" => "lion_32bit",
        _ => return None,
    })
}

fn trainer_attention(request: &Request) -> &'static str {
    match request.attention {
        AttentionKernel::Flash => "flash_attention_2",
        AttentionKernel::Sdpa => "sdpa",
        AttentionKernel::Eager => "eager",
    }
}

fn zero_stage(zero: Zero) -> Option<u64> {
    match zero {
        Zero::Ddp => Some(0),
        Zero::One => Some(1),
        Zero::Two => Some(2),
        Zero::Three => Some(3),
        Zero::Fsdp | Zero::Hsdp => None,
    }
}
