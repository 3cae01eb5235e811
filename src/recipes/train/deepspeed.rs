//! DeepSpeed's JSON: docs/_pages/config-json.md, deepspeed/runtime/zero/config.py.

use super::{data_parallel_only, sequences_per_step, zero_stage};
use crate::request::{Compute, Offload, Request, Train};
use serde_json::json;

pub fn recipe(request: &Request, train: &Train) -> Option<String> {
    data_parallel_only(request).then_some(())?;
    let stage = zero_stage(train.zero)?;
    let cpu = json!({"device": "cpu", "pin_memory": true});
    let mut zero = json!({"stage": stage, "overlap_comm": true, "contiguous_gradients": true});
    if train.offload != Offload::None {
        zero["offload_optimizer"] = cpu.clone();
    }
    if stage == 3 {
        zero["stage3_gather_16bit_weights_on_model_save"] = json!(true);
        if train.offload == Offload::Cpu {
            zero["offload_param"] = cpu;
        }
    }
    let mut file = json!({
        "train_micro_batch_size_per_gpu": train.micro_batch_size,
        "gradient_accumulation_steps": train.gradient_accumulation,
        "train_batch_size": sequences_per_step(request, train),
        "gradient_clipping": 1.0,
        "zero_optimization": zero,
    });
    match request.precision {
        Compute::Bf16 | Compute::Fp8 => file["bf16"] = json!({"enabled": true}),
        Compute::Fp16 => file["fp16"] = json!({"enabled": true}),
        Compute::Fp32 => {}
    }
    if train.optimizer.name == "adamw" {
        file["optimizer"] = json!({"type": "AdamW", "params": {"lr": 2e-5}});
    }
    serde_json::to_string_pretty(&file).ok()
}
