//! Commands and files that train a model.
//!
//! Data sets, learning rates and paths are the reader's: they stand as placeholders in capitals.

use super::{Command, Keys, Recipe, comment};
use crate::catalog::model::{Ffn, Mixer};
use crate::request::{
    AttentionKernel, Checkpointing, Compute, Lora, LoraKind, Loss, Master, Method, Offload, Request, Stage, Targets,
    Train, Zero,
};
use serde_json::json;

type Writer = fn(&Request, &Train) -> Option<String>;

/// Frameworks it is the own recipe of, program and version checked, file, writer.
const PROGRAMS: &[(&[&str], &str, Option<&str>, Writer)] = &[
    (&["hf", "fsdp"], "accelerate 1.15", Some("accelerate.yaml"), accelerate),
    (&["deepspeed"], "DeepSpeed 0.19", Some("deepspeed.json"), deepspeed),
    (&["torchtune"], "torchtune 0.7", Some("recipe.yaml"), torchtune),
    (&["torchtitan"], "torchtitan 0.2.2", Some("train.toml"), torchtitan),
    (&["megatron"], "Megatron-LM core 0.20", None, megatron),
    (&["litgpt"], "LitGPT 0.5.13", None, litgpt),
    (&["swift"], "ms-swift 4.4", None, swift),
    (&["unsloth"], "Unsloth 2026.8", Some("train.py"), unsloth),
    (&["llama-factory"], "LLaMA-Factory 0.9.5", Some("llama_factory.yaml"), llama_factory),
    (&[], "Axolotl 0.18", Some("axolotl.yaml"), axolotl),
];

pub fn recipes(request: &Request, train: &Train) -> Vec<Recipe> {
    let own = |frameworks: &[&str]| frameworks.contains(&train.framework.name.as_str());
    let mut programs: Vec<_> = PROGRAMS.iter().collect();
    programs.sort_by_key(|(frameworks, ..)| !own(frameworks));
    let write = |(_, program, file, writer): &(&[&str], &'static str, Option<&'static str>, Writer)| {
        let body = writer(request, train)?;
        // JSON has no comments.
        let head = if body.starts_with('{') { String::new() } else { comment(request, program) };
        Some(Recipe { program, file: *file, text: format!("{head}{}\n", body.trim_end()) })
    };
    programs.into_iter().filter_map(write).collect()
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

/// `accelerate launch --config_file`: examples/config_yaml_templates, utils/dataclasses.py.
fn accelerate(request: &Request, train: &Train) -> Option<String> {
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

/// DeepSpeed's JSON: docs/_pages/config-json.md, deepspeed/runtime/zero/config.py.
fn deepspeed(request: &Request, train: &Train) -> Option<String> {
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

/// torchtune's model builders (torchtune/models/*/_model_builders.py) by Hugging Face id.
const TORCHTUNE: &[(&str, &str, &str)] = &[
    ("meta-llama/Meta-Llama-3-8B", "llama3", "llama3_8b"),
    ("meta-llama/Meta-Llama-3-70B", "llama3", "llama3_70b"),
    ("meta-llama/Meta-Llama-3.1-8B", "llama3_1", "llama3_1_8b"),
    ("meta-llama/Meta-Llama-3.1-70B", "llama3_1", "llama3_1_70b"),
    ("meta-llama/Meta-Llama-3.1-405B", "llama3_1", "llama3_1_405b"),
    ("meta-llama/Llama-3.2-1B", "llama3_2", "llama3_2_1b"),
    ("meta-llama/Llama-3.2-3B", "llama3_2", "llama3_2_3b"),
    ("meta-llama/Llama-3.3-70B", "llama3_3", "llama3_3_70b"),
    ("mistralai/Mistral-7B-v0.1", "mistral", "mistral_7b"),
    ("microsoft/phi-4", "phi4", "phi4_14b"),
    ("google/gemma-2-2b", "gemma2", "gemma2_2b"),
    ("google/gemma-2-9b", "gemma2", "gemma2_9b"),
    ("google/gemma-2-27b", "gemma2", "gemma2_27b"),
];

/// torchtune's Qwen builders name base and instruct weights apart from 7B on.
fn torchtune_model(id: &str) -> Option<(&'static str, String)> {
    let plain = id.strip_suffix("-Instruct").or_else(|| id.strip_suffix("-it")).unwrap_or(id);
    if let Some((_, module, builder)) = TORCHTUNE.iter().find(|(row, ..)| *row == plain) {
        return Some((module, (*builder).to_owned()));
    }
    let kind = if plain == id { "base" } else { "instruct" };
    let size = plain.strip_prefix("Qwen/Qwen2.5-")?;
    let builder = match size {
        "0.5B" | "3B" => format!("qwen2_5_{}", size.to_lowercase().replace('.', "_")),
        "1.5B" | "7B" | "14B" | "32B" | "72B" => {
            format!("qwen2_5_{}_{kind}", size.to_lowercase().replace('.', "_"))
        }
        _ => return None,
    };
    Some(("qwen2_5", builder))
}

/// `tune run` config: recipes/configs; `full_finetune_*`, `lora_finetune_*` recipes.
fn torchtune(request: &Request, train: &Train) -> Option<String> {
    let hardware = &request.hardware;
    let sharded = match train.zero {
        Zero::Fsdp | Zero::Three => true,
        Zero::Ddp => hardware.gpus == 1,
        Zero::One | Zero::Two | Zero::Hsdp => false,
    };
    let parallel = request.parallel;
    (train.stage == Stage::Sft && sharded && parallel.pipeline == 1 && parallel.context == 1 && loads(train))
        .then_some(())?;
    let (module, builder) = torchtune_model(&request.model.id)?;
    let lora = lora(train);
    let prefix = match lora {
        None if train.method == Method::Full => "",
        None => return None,
        Some(_) if nf4(train) => "qlora_",
        Some(lora) if lora.kind != LoraKind::AdaLora => "lora_",
        Some(_) => return None,
    };
    if prefix == "qlora_" && module == "qwen2_5" {
        return None;
    }
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
        Loss::Chunked => "torchtune.modules.loss.CEWithChunkedOutputLoss",
        Loss::Fused => "torchtune.modules.loss.LinearCrossEntropyLoss",
    };
    let recipe = match (lora.is_some(), hardware.gpus) {
        (false, 1) => "full_finetune_single_device",
        (false, _) => "full_finetune_distributed",
        (true, 1) => "lora_finetune_single_device",
        (true, _) => "lora_finetune_distributed",
    };
    let mut file = Keys::yaml()
        .heading(&format!(
            "# tune run --nnodes {} --nproc_per_node {} {recipe} --config recipe.yaml",
            hardware.nodes,
            hardware.gpus / hardware.nodes.max(1)
        ))
        .heading("model:")
        .key("  _component_", format_args!("torchtune.models.{module}.{prefix}{builder}"));
    if let Some(lora) = lora {
        let attention = target_modules(lora.targets)
            .into_iter()
            .filter(|name| matches!(*name, "q_proj" | "k_proj" | "v_proj" | "o_proj"));
        let attention: Vec<_> = attention.map(|name| if name == "o_proj" { "output_proj" } else { name }).collect();
        file = file
            .key("  lora_attn_modules", format_args!("[{}]", attention.join(", ")))
            .key("  apply_lora_to_mlp", lora.targets.gate || lora.targets.up || lora.targets.down)
            .key("  apply_lora_to_output", lora.targets.head)
            .key("  lora_rank", lora.rank)
            .maybe("  lora_alpha", request.settings.number("lora_alpha"))
            .key_if(lora.kind == LoraKind::Dora, "  use_dora", true);
    }
    file = file
        .heading("checkpointer:")
        .key("  _component_", "torchtune.training.FullModelHFCheckpointer")
        .key("  checkpoint_dir", format_args!("CHECKPOINTS/{}", request.model.id))
        .heading("dataset:")
        .key("  _component_", "DATASET")
        .key("  packed", train.packing)
        .heading("tokenizer:")
        .key("  _component_", "TOKENIZER")
        .key("  max_seq_len", request.seq)
        .heading("optimizer:")
        .key("  _component_", optimizer)
        .heading("loss:")
        .key("  _component_", loss)
        .key("batch_size", train.micro_batch_size)
        .key("gradient_accumulation_steps", train.gradient_accumulation)
        .key_if(parallel.tensor > 1, "tensor_parallel_dim", parallel.tensor)
        .key("enable_activation_checkpointing", checkpointing(train))
        .key_if(train.offload == Offload::Cpu, "fsdp_cpu_offload", true)
        .key("compile", train.compile)
        .key("dtype", if request.precision == Compute::Fp32 { "fp32" } else { "bf16" })
        .key("device", "cuda");
    Some(file.text)
}

/// torchtitan's flavors (torchtitan/models/*/__init__.py) by Hugging Face id.
const TORCHTITAN: &[(&str, &str, &str)] = &[
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

/// torchtitan's TOML: torchtitan/config/job_config.py. Weights are fp32 under a bf16 policy by default.
fn torchtitan(request: &Request, train: &Train) -> Option<String> {
    let (_, name, flavor) = TORCHTITAN.iter().find(|(id, ..)| *id == request.model.id)?;
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
    let file = Keys::toml()
        .heading("[model]")
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
        .key("context_parallel_degree", parallel.context)
        .key("expert_parallel_degree", parallel.expert)
        .heading("\n[activation_checkpoint]")
        .key("mode", format_args!("\"{recompute}\""))
        .heading("\n[compile]")
        .key("enable", train.compile);
    Some(file.text)
}

/// Megatron's arguments: megatron/training/arguments.py, the rest generated from its config classes.
/// Hybrids and windows have flags of their own that are not written here.
fn megatron(request: &Request, train: &Train) -> Option<String> {
    let model = &request.model;
    let kind = model.layers.iter().max_by_key(|kind| kind.count)?;
    let first_dense =
        model.layers.iter().filter(|other| matches!(other.ffn, Ffn::Dense { .. })).map(|other| other.count);
    let first_dense: u64 = if model.is_moe() { first_dense.sum() } else { 0 };
    (train.method == Method::Full && train.optimizer.name == "adamw").then_some(())?;
    if model.layers.iter().any(|other| std::mem::discriminant(&other.mixer) != std::mem::discriminant(&kind.mixer)) {
        return None;
    }
    let (sharded_optimizer, fsdp) = match train.zero {
        Zero::Ddp => (false, None),
        Zero::One => (true, None),
        Zero::Two => (true, Some("optim_grads")),
        Zero::Three | Zero::Fsdp => (true, Some("optim_grads_params")),
        Zero::Hsdp => return None,
    };
    let (parallel, hardware) = (request.parallel, &request.hardware);
    let mut command = Command::new(format_args!(
        "torchrun --nnodes {} --nproc-per-node {} pretrain_gpt.py",
        hardware.nodes,
        hardware.gpus / hardware.nodes.max(1)
    ))
    .flag("--num-layers", model.depth())
    .flag("--hidden-size", model.hidden_size);
    command = match &kind.mixer {
        Mixer::Attention { heads, kv_heads, head_dim, qk_norm, .. } => command
            .flag("--num-attention-heads", heads)
            .switch(kv_heads < heads, "--group-query-attention")
            .flag_if(kv_heads < heads, "--num-query-groups", kv_heads)
            .flag("--kv-channels", head_dim)
            .switch(*qk_norm, "--qk-layernorm"),
        Mixer::Latent { heads, q_lora_rank, kv_lora_rank, nope_head_dim, rope_head_dim, value_head_dim, .. } => command
            .flag("--num-attention-heads", heads)
            .switch(true, "--multi-latent-attention")
            .maybe("--q-lora-rank", *q_lora_rank)
            .flag("--kv-lora-rank", kv_lora_rank)
            .flag("--qk-head-dim", nope_head_dim)
            .flag("--qk-pos-emb-head-dim", rope_head_dim)
            .flag("--v-head-dim", value_head_dim),
        Mixer::Compressed { .. } | Mixer::Linear { .. } | Mixer::Mamba { .. } | Mixer::Parallel(..) | Mixer::None => {
            return None;
        }
    };
    let dense_width = model.layers.iter().find_map(|kind| match kind.ffn {
        Ffn::Dense { intermediate_size, .. } => Some(intermediate_size),
        Ffn::Moe { .. } | Ffn::None => None,
    });
    command = match kind.ffn {
        Ffn::Dense { intermediate_size, gated } => {
            command.flag("--ffn-hidden-size", intermediate_size).switch(gated, "--swiglu")
        }
        Ffn::Moe { experts, top_k, intermediate_size, shared_intermediate_size, gated } => command
            .flag("--ffn-hidden-size", dense_width.unwrap_or(intermediate_size))
            .switch(gated, "--swiglu")
            .flag("--num-experts", experts)
            .flag("--moe-router-topk", top_k)
            .flag("--moe-ffn-hidden-size", intermediate_size)
            .flag_if(shared_intermediate_size > 0, "--moe-shared-expert-intermediate-size", shared_intermediate_size)
            .flag_if(
                first_dense > 0,
                "--moe-layer-freq",
                format_args!("\"([0]*{first_dense}+[1]*{})\"", model.depth() - first_dense),
            )
            .switch(true, "--moe-grouped-gemm")
            .flag("--expert-model-parallel-size", parallel.expert),
        Ffn::None => return None,
    };
    Some(
        command
            .flag("--vocab-size", model.vocab_size)
            .switch(!model.tied_embeddings, "--untie-embeddings-and-output-weights")
            .flag("--position-embedding-type", "rope")
            .flag("--normalization", "RMSNorm")
            .switch(true, "--disable-bias-linear")
            .flag("--seq-length", request.seq)
            .flag("--max-position-embeddings", request.seq)
            .flag("--micro-batch-size", train.micro_batch_size)
            .flag("--global-batch-size", sequences_per_step(request, train))
            .flag("--tensor-model-parallel-size", parallel.tensor)
            .switch(parallel.tensor > 1, "--sequence-parallel")
            .flag("--pipeline-model-parallel-size", parallel.pipeline)
            .flag_if(train.interleave > 1, "--num-virtual-stages-per-pipeline-rank", train.interleave)
            .flag("--context-parallel-size", parallel.context)
            .switch(sharded_optimizer, "--use-distributed-optimizer")
            .switch(fsdp.is_some(), "--use-megatron-fsdp")
            .maybe("--data-parallel-sharding-strategy", fsdp)
            .switch(train.offload != Offload::None, "--optimizer-cpu-offload")
            .flag_if(train.checkpointing == Checkpointing::Selective, "--recompute-granularity", "selective")
            .flag_if(checkpointing(train), "--recompute-granularity", "full")
            .flag_if(checkpointing(train), "--recompute-method", "uniform")
            .flag_if(checkpointing(train), "--recompute-num-layers", 1)
            .switch(train.loss == Loss::Fused, "--cross-entropy-loss-fusion")
            .flag("--attention-backend", if request.attention == AttentionKernel::Flash { "flash" } else { "unfused" })
            .switch(matches!(request.precision, Compute::Bf16 | Compute::Fp8), "--bf16")
            .switch(request.precision == Compute::Fp16, "--fp16")
            .flag_if(request.precision == Compute::Fp8, "--fp8-format", "hybrid")
            .maybe("--train-samples", train.tokens.map(|tokens| tokens.div_ceil(request.seq.max(1))))
            .flag("--lr", "LR")
            .switch(true, "--mock-data")
            .flag("--tokenizer-type", "NullTokenizer")
            .0,
    )
}

/// `litgpt`: litgpt/finetune/{full,lora}.py, litgpt/pretrain.py, litgpt/args.py. Several devices shard by FSDP.
fn litgpt(request: &Request, train: &Train) -> Option<String> {
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

/// `swift sft`, `swift pt`, `swift rlhf`: swift/arguments, swift/trainers/arguments.py.
fn swift(request: &Request, train: &Train) -> Option<String> {
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

/// A script on one GPU: unsloth/models/loader.py, llama.py; `SFTConfig` of TRL.
fn unsloth(request: &Request, train: &Train) -> Option<String> {
    let one = request.hardware.gpus == 1 && train.offload == Offload::None;
    (one && train.stage == Stage::Sft && loads(train)).then_some(())?;
    let (id, seq, four_bit) = (&request.model.id, request.seq, python(nf4(train)));
    let adapters = match &train.method {
        Method::Full => String::new(),
        Method::Freeze => return None,
        Method::Lora(lora) if lora.kind != LoraKind::Lora => return None,
        Method::Lora(lora) => format!(
            "model = FastLanguageModel.get_peft_model(\n    model,\n    r={},\n    lora_alpha={},\n    target_modules={:?},\n    use_gradient_checkpointing={},\n)\n",
            lora.rank,
            request.settings.number("lora_alpha").unwrap_or(lora.rank as f64),
            target_modules(lora.targets),
            if checkpointing(train) { "\"unsloth\"" } else { "False" },
        ),
    };
    let full = train.method == Method::Full;
    Some(format!(
        "from unsloth import FastLanguageModel\nfrom trl import SFTConfig, SFTTrainer\n\n\
         model, tokenizer = FastLanguageModel.from_pretrained(\n    \"{id}\",\n    max_seq_length={seq},\n    load_in_4bit={four_bit},\n    full_finetuning={},\n)\n\
         {adapters}\
         trainer = SFTTrainer(\n    model=model,\n    processing_class=tokenizer,\n    train_dataset=DATASET,\n    args=SFTConfig(\n        max_length={seq},\n        per_device_train_batch_size={},\n        gradient_accumulation_steps={},\n        optim=\"{}\",\n        packing={},\n    ),\n)\ntrainer.train()",
        python(full),
        train.micro_batch_size,
        train.gradient_accumulation,
        trainer_optimizer(train)?,
        python(train.packing),
    ))
}

fn python(on: bool) -> &'static str {
    if on { "True" } else { "False" }
}

/// `llamafactory-cli train`: src/llamafactory/hparams, examples/.
fn llama_factory(request: &Request, train: &Train) -> Option<String> {
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

/// `axolotl train`: src/axolotl/utils/schemas, deepspeed_configs/.
fn axolotl(request: &Request, train: &Train) -> Option<String> {
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
