//! `llamafactory-cli train`: src/llamafactory/hparams, examples/.

use super::{
    Keys, all_linears, checkpointing, data_parallel_only, double_quantised, loads, lora, nf4, target_modules,
    trainer_optimizer,
};
use crate::request::{AttentionKernel, Compute, LoraKind, Loss, Master, Method, Offload, Request, Stage, Train, Zero};

pub fn recipe(request: &Request, train: &Train) -> Option<String> {
    (data_parallel_only(request) && loads(train)).then_some(())?;
    let (stage, preference) = match train.stage {
        Stage::Pretrain => ("pt", None),
        Stage::Sft => ("sft", None),
        Stage::Rm => ("rm", None),
        Stage::Ppo => ("ppo", None),
        Stage::Dpo => ("dpo", None),
        Stage::Orpo => ("dpo", Some("orpo")),
        Stage::SimPo => ("dpo", Some("simpo")),
        Stage::Kto => ("kto", None),
        Stage::Cpo | Stage::Grpo => return None,
    };
    let tuning = match &train.method {
        Method::Full => "full",
        Method::Freeze => "freeze",
        Method::Lora(lora) if lora.kind == LoraKind::AdaLora => return None,
        Method::Lora(_) => "lora",
    };
    let deepspeed = match (train.zero, train.offload) {
        (Zero::Ddp | Zero::Fsdp, Offload::None) => None,
        (Zero::Two, Offload::None) => Some("examples/deepspeed/ds_z2_config.json"),
        (Zero::Two, Offload::Optimizer) => Some("examples/deepspeed/ds_z2_offload_config.json"),
        (Zero::Three, Offload::None) => Some("examples/deepspeed/ds_z3_config.json"),
        (Zero::Three, Offload::Cpu) => Some("examples/deepspeed/ds_z3_offload_config.json"),
        _ => return None,
    };
    let launch = if train.zero == Zero::Fsdp {
        "# accelerate launch --config_file accelerate.yaml src/train.py llama_factory.yaml"
    } else {
        "# llamafactory-cli train llama_factory.yaml"
    };
    let attention = match request.attention {
        AttentionKernel::Flash => "fa2",
        AttentionKernel::Sdpa => "sdpa",
        AttentionKernel::Eager => "disabled",
    };
    let lora = lora(train);
    let targets = lora
        .map(|lora| if all_linears(lora.targets) { "all".to_owned() } else { target_modules(lora.targets).join(",") });
    let pure = train.master == Master::Off && !train.autocast && request.precision == Compute::Bf16;
    let file = Keys::yaml()
        .heading(launch)
        .key("model_name_or_path", &request.model.id)
        .key("stage", stage)
        .key("do_train", true)
        .key("finetuning_type", tuning)
        .maybe("lora_rank", lora.map(|lora| lora.rank))
        .maybe("lora_alpha", lora.and(request.settings.number("lora_alpha")))
        .maybe("lora_target", targets)
        .key_if(lora.is_some_and(|lora| lora.kind == LoraKind::Dora), "use_dora", true)
        .key_if(nf4(train), "quantization_bit", 4)
        .key_if(nf4(train), "quantization_method", "bnb")
        .key_if(nf4(train), "double_quantization", double_quantised(train))
        .maybe("pref_loss", preference)
        .key("dataset", "DATASET")
        .key("template", "TEMPLATE")
        .key("cutoff_len", request.seq)
        .key_if(train.packing, "packing", true)
        .key("output_dir", "saves/run")
        .key("per_device_train_batch_size", train.micro_batch_size)
        .key("gradient_accumulation_steps", train.gradient_accumulation)
        .key("optim", trainer_optimizer(train)?)
        .key("flash_attn", attention)
        .key_if(train.loss == Loss::Fused, "enable_liger_kernel", true)
        .key("disable_gradient_checkpointing", !checkpointing(train))
        .key_if(pure, "pure_bf16", true)
        .key_if(!pure && request.precision == Compute::Bf16, "bf16", true)
        .key_if(request.precision == Compute::Fp16, "fp16", true)
        .maybe("num_train_epochs", request.settings.number("epochs"))
        .maybe("deepspeed", deepspeed);
    Some(file.text)
}
