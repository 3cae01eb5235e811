//! torchtitan's TOML: torchtitan/config/job_config.py. Weights are fp32 under a bf16 policy by default.

use super::{Keys, sequences_per_step};
use crate::request::{Checkpointing, Compute, Master, Method, Offload, Request, Stage, Train, Zero};

/// torchtitan's flavors (torchtitan/models/*/__init__.py) by Hugging Face id.
const FLAVORS: &[(&str, &str, &str)] = &[
    ("meta-llama/Meta-Llama-3.1-8B", "llama3", "8B"),
    ("meta-llama/Meta-Llama-3-8B", "llama3", "8B"),
    ("meta-llama/Meta-Llama-3.1-70B", "llama3", "70B"),
    ("meta-llama/Meta-Llama-3-70B", "llama3", "70B"),
    ("meta-llama/Meta-Llama-3.1-405B", "llama3", "405B"),
    ("deepseek-ai/DeepSeek-V2-Lite", "deepseek_v3", "16B"),
    ("deepseek-ai/DeepSeek-V3", "deepseek_v3", "671B"),
    ("Qwen/Qwen3-0.6B", "qwen3", "0.6B"),
    ("Qwen/Qwen3-1.7B", "qwen3", "1.7B"),
    ("Qwen/Qwen3-4B", "qwen3", "4B"),
    ("Qwen/Qwen3-8B", "qwen3", "8B"),
    ("Qwen/Qwen3-14B", "qwen3", "14B"),
    ("Qwen/Qwen3-32B", "qwen3", "32B"),
    ("Qwen/Qwen3-30B-A3B", "qwen3", "30B-A3B"),
    ("Qwen/Qwen3-235B-A22B", "qwen3", "235B-A22B"),
];

pub fn recipe(request: &Request, train: &Train) -> Option<String> {
    let (_, name, flavor) = FLAVORS.iter().find(|(id, ..)| *id == request.model.id)?;
    let full = train.method == Method::Full && train.optimizer.name == "adamw";
    let parallel = request.parallel;
    let (replicate, shard) = match train.zero {
        Zero::Fsdp | Zero::Three => (1, parallel.data),
        Zero::Ddp => (parallel.data, 1),
        Zero::Hsdp => (request.hardware.nodes, parallel.data / request.hardware.nodes.max(1)),
        Zero::One | Zero::Two => return None,
    };
    (full && matches!(train.stage, Stage::Pretrain | Stage::Sft)).then_some(())?;
    let recompute = match train.checkpointing {
        Checkpointing::Off => "none",
        Checkpointing::Selective => "selective",
        Checkpointing::On => "full",
    };
    let gpus = request.hardware.gpus / request.hardware.nodes.max(1);
    let file = Keys::toml()
        .heading(&format!("# CONFIG_FILE=train.toml NGPU={gpus} ./run_train.sh\n[model]"))
        .key("name", format_args!("\"{name}\""))
        .key("flavor", format_args!("\"{flavor}\""))
        .key("hf_assets_path", format_args!("\"./assets/hf/{}\"", request.model.id))
        .key_if(request.precision == Compute::Fp8, "converters", "[\"quantize.linear.float8\"]")
        .heading("\n[optimizer]")
        .key("name", "\"AdamW\"")
        .heading("\n[training]")
        .key("local_batch_size", train.micro_batch_size)
        .key("global_batch_size", sequences_per_step(request, train))
        .key("seq_len", request.seq)
        .key("dtype", if train.master == Master::Off { "\"bfloat16\"" } else { "\"float32\"" })
        .key_if(train.offload == Offload::Cpu, "enable_cpu_offload", true)
        .heading("\n[parallelism]")
        .key("data_parallel_replicate_degree", replicate)
        .key("data_parallel_shard_degree", shard)
        .key("tensor_parallel_degree", parallel.tensor)
        .key("pipeline_parallel_degree", parallel.pipeline)
        .key_if(train.interleave > 1, "pipeline_parallel_schedule", "\"Interleaved1F1B\"")
        .key("context_parallel_degree", parallel.context)
        .key("expert_parallel_degree", parallel.expert)
        .heading("\n[activation_checkpoint]")
        .key("mode", format_args!("\"{recompute}\""))
        .heading("\n[compile]")
        .key("enable", train.compile);
    Some(file.text)
}
