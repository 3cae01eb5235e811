//! `axolotl train`: src/axolotl/utils/schemas, deepspeed_configs/.

use super::{Keys, all_linears, checkpointing, loads, lora, nf4, target_modules, trainer_attention, trainer_optimizer};
use crate::request::{Compute, LoraKind, Loss, Method, Offload, Request, Stage, Train, Zero};

pub fn recipe(request: &Request, train: &Train) -> Option<String> {
    let parallel = request.parallel;
    (parallel.pipeline == 1 && parallel.expert == 1 && loads(train)).then_some(())?;
    let preference = match train.stage {
        Stage::Pretrain | Stage::Sft => None,
        Stage::Dpo => Some("dpo"),
        Stage::Orpo => Some("orpo"),
        Stage::SimPo => Some("simpo"),
        Stage::Kto => Some("kto"),
        Stage::Grpo => Some("grpo"),
        Stage::Rm | Stage::Cpo | Stage::Ppo => return None,
    };
    let adapter = match &train.method {
        Method::Full => None,
        Method::Lora(lora) if lora.kind == LoraKind::AdaLora => return None,
        Method::Lora(_) => Some(if nf4(train) { "qlora" } else { "lora" }),
        Method::Freeze => return None,
    };
    let deepspeed = match (train.zero, train.offload) {
        (Zero::Ddp, Offload::None) | (Zero::Fsdp, _) => None,
        (Zero::One, Offload::None) => Some("deepspeed_configs/zero1.json"),
        (Zero::Two, Offload::None) => Some("deepspeed_configs/zero2.json"),
        (Zero::Three, Offload::None) => Some("deepspeed_configs/zero3_bf16.json"),
        (Zero::Three, Offload::Cpu) => Some("deepspeed_configs/zero3_bf16_cpuoffload_all.json"),
        _ => return None,
    };
    let lora = lora(train);
    let linear = lora.is_some_and(|lora| all_linears(lora.targets));
    let mut file = Keys::yaml()
        .heading("# axolotl train axolotl.yaml")
        .key("base_model", &request.model.id)
        .key_if(nf4(train), "load_in_4bit", true)
        .maybe("adapter", adapter)
        .maybe("lora_r", lora.map(|lora| lora.rank))
        .maybe("lora_alpha", lora.and(request.settings.number("lora_alpha")))
        .key_if(linear, "lora_target_linear", true)
        .key_if(lora.is_some_and(|lora| lora.kind == LoraKind::Dora), "peft_use_dora", true);
    if let Some(lora) = lora.filter(|_| !linear) {
        file = file.key("lora_target_modules", format_args!("[{}]", target_modules(lora.targets).join(", ")));
    }
    file = file
        .maybe("rl", preference)
        .heading("datasets:\n  - path: DATASET")
        .key("output_dir", "./outputs/run")
        .key("sequence_len", request.seq)
        .key("sample_packing", train.packing)
        .key("micro_batch_size", train.micro_batch_size)
        .key("gradient_accumulation_steps", train.gradient_accumulation)
        .key("optimizer", trainer_optimizer(train)?)
        .key("learning_rate", "LR")
        .key("gradient_checkpointing", checkpointing(train))
        .key("attn_implementation", trainer_attention(request))
        .key("bf16", request.precision == Compute::Bf16)
        .key_if(request.precision == Compute::Fp16, "fp16", true)
        .key_if(train.compile, "torch_compile", true)
        .maybe("num_epochs", request.settings.number("epochs"))
        .key_if(parallel.tensor > 1, "tensor_parallel_size", parallel.tensor)
        .key_if(parallel.context > 1, "context_parallel_size", parallel.context)
        .maybe("deepspeed", deepspeed);
    if train.loss == Loss::Fused {
        file = file
            .heading("plugins:\n  - axolotl.integrations.liger.LigerPlugin")
            .key("liger_fused_linear_cross_entropy", true);
    }
    if train.zero == Zero::Fsdp {
        file = file
            .key("fsdp_version", 2)
            .heading("fsdp_config:")
            .key("  offload_params", train.offload == Offload::Cpu)
            .key("  auto_wrap_policy", "TRANSFORMER_BASED_WRAP")
            .key("  state_dict_type", "FULL_STATE_DICT")
            .key("  reshard_after_forward", true);
    }
    Some(file.text)
}
