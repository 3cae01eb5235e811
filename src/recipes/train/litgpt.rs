//! `litgpt`: litgpt/finetune/{full,lora}.py, litgpt/pretrain.py, litgpt/args.py. Several devices shard by FSDP.

use super::{Command, data_parallel_only, double_quantised, loads, lora, nf4, sequences_per_step};
use crate::request::{Compute, LoraKind, Master, Method, Offload, Request, Stage, Train, Zero};

pub fn recipe(request: &Request, train: &Train) -> Option<String> {
    let hardware = &request.hardware;
    let sharded = matches!(train.zero, Zero::Fsdp | Zero::Three) || hardware.gpus == 1;
    let optimizer = match train.optimizer.name.as_str() {
        "adamw" => None,
        "paged-adamw-32bit" => Some("bitsandbytes.optim.PagedAdamW"),
        "sgd" => Some("SGD"),
        _ => return None,
    };
    (sharded && data_parallel_only(request) && train.offload == Offload::None && loads(train)).then_some(())?;
    let lora = lora(train);
    let verb = match (&train.method, train.stage) {
        (Method::Full, Stage::Pretrain) => "pretrain",
        (Method::Full, Stage::Sft) => "finetune_full",
        (Method::Lora(lora), Stage::Sft) if lora.kind == LoraKind::Lora => "finetune_lora",
        _ => return None,
    };
    let precision = match (request.precision, train.master) {
        (Compute::Fp32, _) => "32-true",
        (_, Master::Off) => "bf16-true",
        (_, Master::On | Master::Amp) => "bf16-mixed",
    };
    let quantize = if double_quantised(train) { "bnb.nf4-dq" } else { "bnb.nf4" };
    let targets = lora.map(|lora| lora.targets).unwrap_or_default();
    let on = lora.is_some();
    Some(
        Command::new(format_args!("litgpt {verb} {}", request.model.id))
            .flag("--precision", precision)
            .flag_if(nf4(train), "--quantize", quantize)
            .flag("--devices", hardware.gpus / hardware.nodes.max(1))
            .flag_if(hardware.nodes > 1, "--num_nodes", hardware.nodes)
            .flag("--train.micro_batch_size", train.micro_batch_size)
            .flag("--train.global_batch_size", sequences_per_step(request, train))
            .flag("--train.max_seq_length", request.seq)
            .maybe("--train.max_tokens", train.tokens.filter(|_| verb == "pretrain"))
            .maybe("--lora_r", lora.map(|lora| lora.rank))
            .maybe("--lora_alpha", request.settings.number("lora_alpha"))
            .flag_if(on, "--lora_query", targets.q)
            .flag_if(on, "--lora_key", targets.k)
            .flag_if(on, "--lora_value", targets.v)
            .flag_if(on, "--lora_projection", targets.o)
            .flag_if(on, "--lora_mlp", targets.up)
            .flag_if(on, "--lora_head", targets.head)
            .maybe("--optimizer", optimizer)
            .0,
    )
}
