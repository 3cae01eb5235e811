//! `tune run` with one of torchtune's configurations, changed where the request differs from it: recipes/configs.

use super::{Command, checkpointing, loads, lora, nf4, target_modules};
use crate::request::{Compute, LoraKind, Loss, Method, Offload, Request, Stage, Train, Zero};

/// Configurations by Hugging Face id: which methods there are on several GPUs, and on one.
const CONFIGS: &[(&str, &str, &[&str], &[&str])] = &[
    ("meta-llama/Meta-Llama-3-8B", "llama3/8B", &["full", "lora"], &["full", "lora", "qlora"]),
    ("meta-llama/Meta-Llama-3-70B", "llama3/70B", &["full", "lora"], &[]),
    ("meta-llama/Meta-Llama-3.1-8B", "llama3_1/8B", &["full", "lora"], &["full", "lora", "qlora"]),
    ("meta-llama/Meta-Llama-3.1-70B", "llama3_1/70B", &["full", "lora"], &[]),
    ("meta-llama/Meta-Llama-3.1-405B", "llama3_1/405B", &["qlora"], &[]),
    ("meta-llama/Llama-3.2-1B", "llama3_2/1B", &["full", "lora"], &["full", "lora", "qlora"]),
    ("meta-llama/Llama-3.2-3B", "llama3_2/3B", &["full", "lora"], &["full", "lora", "qlora"]),
    ("meta-llama/Llama-3.3-70B", "llama3_3/70B", &["full", "lora", "qlora"], &[]),
    ("mistralai/Mistral-7B-v0.1", "mistral/7B", &["full", "lora"], &["lora", "qlora"]),
    ("microsoft/phi-4", "phi4/14B", &["full", "lora"], &["lora", "qlora"]),
    ("google/gemma-2-2b", "gemma2/2B", &["full", "lora"], &["lora", "qlora"]),
    ("google/gemma-2-9b", "gemma2/9B", &["full", "lora"], &["lora", "qlora"]),
    ("google/gemma-2-27b", "gemma2/27B", &["full", "lora"], &["lora", "qlora"]),
    ("Qwen/Qwen2.5-0.5B", "qwen2_5/0.5B", &["full", "lora"], &["full", "lora"]),
    ("Qwen/Qwen2.5-1.5B", "qwen2_5/1.5B", &["full", "lora"], &["full", "lora"]),
    ("Qwen/Qwen2.5-3B", "qwen2_5/3B", &["full", "lora"], &["full", "lora"]),
    ("Qwen/Qwen2.5-7B", "qwen2_5/7B", &["full", "lora"], &["full", "lora"]),
    ("Qwen/Qwen2.5-14B", "qwen2_5/14B", &[], &["lora"]),
    ("Qwen/Qwen2.5-32B", "qwen2_5/32B", &["lora"], &[]),
    ("Qwen/Qwen2.5-72B", "qwen2_5/72B", &["lora"], &[]),
    ("Qwen/Qwen3-0.6B", "qwen3/0.6B", &["full", "lora"], &["full", "lora"]),
    ("Qwen/Qwen3-1.7B", "qwen3/1.7B", &["full", "lora"], &["full", "lora"]),
    ("Qwen/Qwen3-4B", "qwen3/4B", &["full", "lora"], &["full", "lora"]),
    ("Qwen/Qwen3-8B", "qwen3/8B", &["full", "lora"], &["full", "lora"]),
    ("Qwen/Qwen3-14B", "qwen3/14B", &[], &["lora"]),
    ("Qwen/Qwen3-32B", "qwen3/32B", &["lora"], &[]),
];

pub fn recipe(request: &Request, train: &Train) -> Option<String> {
    let (hardware, parallel) = (&request.hardware, request.parallel);
    let one = hardware.gpus == 1;
    let sharded = match train.zero {
        Zero::Fsdp | Zero::Three => true,
        Zero::Ddp => one,
        Zero::One | Zero::Two | Zero::Hsdp => false,
    };
    let splits = parallel.pipeline == 1 && parallel.context == 1;
    (train.stage == Stage::Sft && sharded && splits && loads(train)).then_some(())?;
    let method = match &train.method {
        Method::Full => "full",
        Method::Lora(lora) if lora.kind == LoraKind::AdaLora => return None,
        Method::Lora(_) if nf4(train) => "qlora",
        Method::Lora(_) => "lora",
        Method::Freeze => return None,
    };
    let id = &request.model.id;
    let plain = id.strip_suffix("-Instruct").or_else(|| id.strip_suffix("-it")).unwrap_or(id);
    let (_, config, several, single) = CONFIGS.iter().find(|(row, ..)| *row == plain)?;
    let methods = if one { single } else { several };
    methods.contains(&method).then_some(())?;
    let optimizer = match train.optimizer.name.as_str() {
        "adamw" => "torch.optim.AdamW",
        "paged-adamw-8bit" => "bitsandbytes.optim.PagedAdamW8bit",
        "paged-adamw-32bit" => "bitsandbytes.optim.PagedAdamW",
        "adamw-8bit" => "bitsandbytes.optim.AdamW8bit",
        "sgd" => "torch.optim.SGD",
        _ => return None,
    };
    let loss = match train.loss {
        Loss::Full => "torch.nn.CrossEntropyLoss",
        Loss::Chunked | Loss::Fused => "torchtune.modules.loss.LinearCrossEntropyLoss",
    };
    let recipe = if method == "full" { "full_finetune" } else { "lora_finetune" };
    let (nodes, device) = (hardware.nodes, if one { "_single_device" } else { "" });
    let launch = match one {
        true => format!("tune run {recipe}_single_device"),
        false => {
            format!("tune run --nnodes {nodes} --nproc_per_node {} {recipe}_distributed", hardware.gpus / nodes.max(1))
        }
    };
    let mut command = Command::new(launch)
        .flag("--config", format_args!("{config}_{method}{device}"))
        .set("checkpointer.checkpoint_dir", format_args!("CHECKPOINTS/{id}"))
        .set("tokenizer.path", format_args!("CHECKPOINTS/{id}/TOKENIZER"))
        .set("tokenizer.max_seq_len", request.seq)
        .set("dataset.packed", train.packing);
    if let Some(lora) = lora(train) {
        let modules = target_modules(lora.targets);
        let attention = modules.iter().filter(|name| matches!(**name, "q_proj" | "k_proj" | "v_proj" | "o_proj"));
        let attention: Vec<_> = attention.map(|name| if *name == "o_proj" { "output_proj" } else { name }).collect();
        command = command
            .set("model.lora_attn_modules", format_args!("'[{}]'", attention.join(",")))
            .set("model.apply_lora_to_mlp", lora.targets.gate || lora.targets.up || lora.targets.down)
            .set("model.apply_lora_to_output", lora.targets.head)
            .set("model.lora_rank", lora.rank);
        if let Some(alpha) = request.settings.number("lora_alpha") {
            command = command.set("model.lora_alpha", alpha);
        }
        if lora.kind == LoraKind::Dora {
            command = command.set("model.use_dora", true);
        }
    }
    if method == "full" && one {
        // Its configurations step each weight in backward, which takes one micro batch.
        command = command.set("optimizer_in_bwd", train.gradient_accumulation == 1);
    } else if optimizer.starts_with("bitsandbytes") {
        // `~` takes a key of the configuration away.
        command = command.switch(true, "~optimizer.fused");
    }
    command = command
        .set("optimizer._component_", optimizer)
        .set("loss._component_", loss)
        .set("batch_size", train.micro_batch_size)
        .set("gradient_accumulation_steps", train.gradient_accumulation)
        .set("enable_activation_checkpointing", checkpointing(train))
        .set("compile", train.compile)
        .set("dtype", if request.precision == Compute::Fp32 { "fp32" } else { "bf16" });
    if parallel.tensor > 1 {
        command = command.set("tensor_parallel_dim", parallel.tensor);
    }
    if train.offload == Offload::Cpu {
        command = command.set("fsdp_cpu_offload", true);
    }
    Some(command.0)
}
