//! `accelerate launch --config_file`: examples/config_yaml_templates, utils/dataclasses.py.

use super::{Keys, checkpointing, data_parallel_only, zero_stage};
use crate::request::{Compute, Master, Offload, Request, Train, Zero};

pub fn recipe(request: &Request, train: &Train) -> Option<String> {
    data_parallel_only(request).then_some(())?;
    let hardware = &request.hardware;
    let kind = match (train.zero, hardware.gpus) {
        (Zero::Ddp, 1) => "'NO'",
        (Zero::Ddp, _) => "MULTI_GPU",
        (Zero::One | Zero::Two | Zero::Three, _) => "DEEPSPEED",
        (Zero::Fsdp | Zero::Hsdp, _) => "FSDP",
    };
    let precision = match request.precision {
        _ if !train.autocast && train.master != Master::On => "'no'",
        Compute::Fp32 => "'no'",
        Compute::Fp16 => "fp16",
        Compute::Bf16 => "bf16",
        Compute::Fp8 => "fp8",
    };
    let offload = |what: bool| if what { "cpu" } else { "none" };
    let mut file = Keys::yaml()
        .key("compute_environment", "LOCAL_MACHINE")
        .key("distributed_type", kind)
        .key("mixed_precision", precision)
        .key("num_machines", hardware.nodes)
        .key("num_processes", hardware.gpus)
        .key("machine_rank", 0)
        .key_if(hardware.nodes > 1, "main_process_ip", "HEAD_NODE")
        .key_if(hardware.nodes > 1, "main_process_port", 29500)
        .key("main_training_function", "main");
    file = match (train.zero, zero_stage(train.zero)) {
        (Zero::Fsdp, _) => file
            .heading("fsdp_config:")
            .key("  fsdp_version", 2)
            .key("  fsdp_reshard_after_forward", true)
            .key("  fsdp_auto_wrap_policy", "TRANSFORMER_BASED_WRAP")
            .key("  fsdp_activation_checkpointing", checkpointing(train))
            .key("  fsdp_offload_params", train.offload == Offload::Cpu)
            .key("  fsdp_state_dict_type", "SHARDED_STATE_DICT"),
        (Zero::Hsdp, _) => file
            .heading("fsdp_config:")
            .key("  fsdp_version", 1)
            .key("  fsdp_sharding_strategy", "HYBRID_SHARD")
            .key("  fsdp_auto_wrap_policy", "TRANSFORMER_BASED_WRAP")
            .key("  fsdp_activation_checkpointing", checkpointing(train))
            .key("  fsdp_offload_params", train.offload == Offload::Cpu)
            .key("  fsdp_state_dict_type", "SHARDED_STATE_DICT"),
        (_, Some(stage)) if stage > 0 => file
            .heading("deepspeed_config:")
            .key("  zero_stage", stage)
            .key("  gradient_accumulation_steps", train.gradient_accumulation)
            .key("  offload_optimizer_device", offload(train.offload != Offload::None))
            .key("  offload_param_device", offload(train.offload == Offload::Cpu && stage == 3))
            .key("  zero3_init_flag", stage == 3),
        _ => file,
    };
    Some(file.text)
}
