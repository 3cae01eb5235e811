//! `swift sft`, `swift pt`, `swift rlhf`: swift/arguments, swift/trainers/arguments.py.

use super::{
    Command, all_linears, checkpointing, data_parallel_only, double_quantised, loads, lora, nf4, target_modules,
    trainer_attention, trainer_optimizer,
};
use crate::request::{Compute, LoraKind, Loss, Method, Offload, Request, Stage, Train, Zero};

pub fn recipe(request: &Request, train: &Train) -> Option<String> {
    (data_parallel_only(request) && loads(train)).then_some(())?;
    let (verb, kind) = match train.stage {
        Stage::Pretrain => ("pt", None),
        Stage::Sft => ("sft", None),
        Stage::Rm => ("rlhf", Some("rm")),
        Stage::Dpo => ("rlhf", Some("dpo")),
        Stage::Orpo => ("rlhf", Some("orpo")),
        Stage::Cpo => ("rlhf", Some("cpo")),
        Stage::SimPo => ("rlhf", Some("simpo")),
        Stage::Kto => ("rlhf", Some("kto")),
        Stage::Ppo => ("rlhf", Some("ppo")),
        Stage::Grpo => ("rlhf", Some("grpo")),
    };
    let tuner = match &train.method {
        Method::Full => "full",
        Method::Lora(lora) if lora.kind == LoraKind::AdaLora => "adalora",
        Method::Lora(_) => "lora",
        Method::Freeze => return None,
    };
    let deepspeed = match (train.zero, train.offload) {
        (Zero::Ddp, Offload::None) | (Zero::Fsdp, Offload::None) => None,
        (Zero::One, Offload::None) => Some("zero1"),
        (Zero::Two, Offload::None) => Some("zero2"),
        (Zero::Two, Offload::Optimizer) => Some("zero2_offload"),
        (Zero::Three, Offload::None) => Some("zero3"),
        (Zero::Three, Offload::Cpu) => Some("zero3_offload"),
        _ => return None,
    };
    let hardware = &request.hardware;
    let lora = lora(train);
    let environment = match (hardware.nodes, hardware.gpus) {
        (_, 1) => String::new(),
        (0 | 1, gpus) => format!("NPROC_PER_NODE={gpus} "),
        (nodes, gpus) => {
            format!("NNODES={nodes} NODE_RANK=$NODE_RANK MASTER_ADDR=$HEAD_NODE NPROC_PER_NODE={} ", gpus / nodes)
        }
    };
    let modules = lora.map(|lora| {
        if all_linears(lora.targets) { "all-linear".to_owned() } else { target_modules(lora.targets).join(" ") }
    });
    let dtype = match request.precision {
        Compute::Fp32 => "float32",
        Compute::Fp16 => "float16",
        Compute::Bf16 | Compute::Fp8 => "bfloat16",
    };
    Some(
        Command::new(format_args!("{environment}swift {verb}"))
            .maybe("--rlhf_type", kind)
            .flag("--model", &request.model.id)
            .flag("--tuner_type", tuner)
            .flag("--dataset", "DATASET")
            .flag("--torch_dtype", dtype)
            .flag("--max_length", request.seq)
            .flag("--per_device_train_batch_size", train.micro_batch_size)
            .flag("--gradient_accumulation_steps", train.gradient_accumulation)
            .flag("--gradient_checkpointing", checkpointing(train))
            .flag("--attn_impl", trainer_attention(request))
            .flag_if(nf4(train), "--quant_method", "bnb")
            .flag_if(nf4(train), "--quant_bits", 4)
            .flag_if(nf4(train), "--bnb_4bit_use_double_quant", double_quantised(train))
            .maybe("--lora_rank", lora.map(|lora| lora.rank))
            .maybe("--lora_alpha", request.settings.number("lora_alpha"))
            .maybe("--target_modules", modules)
            .flag_if(lora.is_some_and(|lora| lora.kind == LoraKind::Dora), "--use_dora", true)
            .flag("--optim", trainer_optimizer(train)?)
            .flag_if(train.loss == Loss::Fused, "--use_liger_kernel", true)
            .flag_if(train.packing, "--packing", true)
            .flag_if(train.generations > 1 && train.stage == Stage::Grpo, "--num_generations", train.generations)
            .maybe("--deepspeed", deepspeed)
            .flag_if(train.zero == Zero::Fsdp, "--fsdp", "fsdp2")
            .maybe("--num_train_epochs", request.settings.number("epochs"))
            .0,
    )
}
