//! Megatron's arguments: megatron/training/arguments.py, the rest generated from its config classes.
//!
//! Hybrids and windows have flags of their own that are not written here.

use super::{Command, checkpointing, sequences_per_step};
use crate::catalog::model::{Ffn, Mixer};
use crate::request::{AttentionKernel, Checkpointing, Compute, Loss, Method, Offload, Request, Train, Zero};

pub fn recipe(request: &Request, train: &Train) -> Option<String> {
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
    let ends = uneven_ends(model.depth(), parallel.pipeline.into());
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
            .switch(true, "--qk-layernorm")
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
            .maybe("--decoder-first-pipeline-num-layers", ends.map(|(first, _)| first))
            .maybe("--decoder-last-pipeline-num-layers", ends.map(|(_, last)| last))
            .flag_if(train.interleave > 1, "--num-virtual-stages-per-pipeline-rank", train.interleave)
            .flag("--context-parallel-size", parallel.context)
            .switch(sharded_optimizer, "--use-distributed-optimizer")
            .switch(fsdp.is_some(), "--use-megatron-fsdp")
            .maybe("--data-parallel-sharding-strategy", fsdp)
            .flag_if(fsdp.is_some(), "--ckpt-format", "fsdp_dtensor")
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
            .flag_if(train.tokens.is_none(), "--train-iters", "ITERATIONS")
            .flag("--lr", "LR")
            .switch(true, "--mock-data")
            .flag("--tokenizer-type", "NullTokenizer")
            .0,
    )
}

/// Layers of the first and the last pipeline stage where not all stages can have as many.
fn uneven_ends(layers: u64, stages: u64) -> Option<(u64, u64)> {
    let ends = layers.checked_sub(layers.div_ceil(stages) * stages.checked_sub(2)?)?;
    (!layers.is_multiple_of(stages) && ends >= 2).then(|| (ends.div_ceil(2), ends / 2))
}
