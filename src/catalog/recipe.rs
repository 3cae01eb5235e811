//! Rows of numbers with a `kind` that picks the formula: optimizers, frameworks.

use super::gpu::Vendor;
use super::support::{Sharding, Split};
use serde::Deserialize;

/// A row of `presets/optimizers.toml`.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct Optimizer {
    pub name: String,
    #[serde(default)]
    pub aliases: Vec<String>,
    #[serde(flatten)]
    pub state: StateRule,
    /// States in managed memory, paged in for the step: neither allocator nor driver count them.
    #[serde(default)]
    pub paged: bool,
    pub source: String,
}

/// What an optimizer keeps for each parameter, beside a master copy.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "kind")]
pub enum StateRule {
    /// So many values a parameter, in the precision of the weights that are stepped.
    Elementwise { states: f64 },
    /// So many bytes a parameter and an fp32 scale a block; tensors of fewer elements than `full_below` in fp32.
    Blockwise { states: f64, block: u64, full_below: u64 },
    /// A row and a column vector in fp32 for each matrix, the whole for a vector.
    Factored,
    /// One momentum for hidden matrices; embeddings, head and vectors as AdamW.
    Orthogonal,
}

/// A training framework's behaviour. A row of `presets/frameworks.toml`.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct Framework {
    pub name: String,
    #[serde(default)]
    pub aliases: Vec<String>,
    pub defaults: Defaults,
    pub kernels: Kernels,
    pub buffers: BufferRule,
    pub runs_on: Vec<Vendor>,
    pub splits: Vec<Split>,
    /// What it does over data-parallel ranks, the first taken where it fits.
    pub shardings: Vec<Sharding>,
    pub source: String,
}

/// Knobs as the framework sets them where a line does not; each a word of its knob.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct Defaults {
    /// `master` of full fine-tuning in 16 bits.
    pub master: String,
    /// `grads` beside a master copy: Megatron accumulates in fp32.
    pub grads: String,
    pub adapters: String,
    /// Autocast around 16-bit weights.
    pub autocast: String,
    pub attn: String,
    pub checkpointing: String,
    pub loss: String,
    /// Sharding over several data-parallel GPUs: a `zero` stage, `fsdp` or `hsdp`.
    pub sharding: String,
}

/// Which operators a layer's forward is made of, which decides what backward keeps.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Kernels {
    /// A norm as one operator that keeps its input and scale, or written out in elementary operators.
    pub fused_norm: bool,
    /// A gated activation as one operator.
    pub fused_mlp: bool,
    /// One extra copy of the stepped parameters during the step (`foreach`), or none (`fused`).
    pub foreach_optimizer: bool,
    /// Layers are transformers' modelling code, which writes some functions out in elementary operators.
    pub transformers: bool,
    /// A head tied to the embedding is a matrix of its own all the same.
    pub unties_head: bool,
    /// Queries, keys and values come of one matrix whatever the checkpoint.
    pub fused_qkv: bool,
    /// Dropout before each adapter: a mask and a copy of its input.
    pub adapter_dropout: bool,
    /// Quantised linears keep their input though their weight is frozen (bitsandbytes before 0.45).
    pub keeps_quantised_inputs: bool,
    /// The step of a parameter runs inside backward on one GPU without accumulation, so gradients never stand together.
    pub steps_in_backward: bool,
    /// The allocator maps memory in small pieces (`expandable_segments`), which leaves fewer gaps.
    pub expandable_segments: bool,
    /// Norms, embeddings and head cast to fp32 before QLoRA (`prepare_model_for_kbit_training`).
    pub kbit_upcast: bool,
    /// Experts stacked in one parameter are quantised as linears are.
    pub quantises_experts: bool,
    /// `lora_targets=head` puts an adapter on the head; elsewhere the head is trained whole (`modules_to_save`).
    pub adapts_head: bool,
    /// Tensor parallelism splits norms and residuals along the sequence.
    pub sequence_parallel: bool,
    pub attention: FlashKernel,
    /// What checkpointing keeps waits in host memory.
    pub offloads_checkpoints: bool,
    pub selective: Selective,
    /// Bytes for each logit alive at once while the loss is differentiated.
    pub loss_bytes: f64,
}

/// Whose attention kernels a framework runs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FlashKernel {
    /// FlashAttention's first version, or Triton's of it.
    First,
    /// FlashAttention-2, which PyTorch brings.
    #[default]
    Second,
    /// Those made for each generation of cards: cuDNN's, the latest FlashAttention.
    Tuned,
}

impl FlashKernel {
    /// Generations of cards that the kernels are older than Ampere; `Tuned` is never behind.
    pub const fn behind(self) -> i32 {
        match self {
            Self::First => 1,
            Self::Second => 0,
            Self::Tuned => -1,
        }
    }
}

/// What selective checkpointing keeps.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Selective {
    #[default]
    /// All but the attention scores (Megatron's `core_attn`).
    CoreAttention,
    /// Every second matrix product and the attention's output (torchtitan's per-operator policy).
    AlternateMatmuls,
}

/// Buffers for communication.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "kind")]
pub enum BufferRule {
    /// Flat buckets of so many elements: reduce, all-gather, and ZeRO-3's prefetch.
    Buckets { reduce: f64, gather: f64, prefetch: f64 },
    /// Two gathered layers, and the unsharded gradients of one. `keeps_frozen`: layers without gradients of their own
    /// stay gathered until the step's end (FSDP1). `wraps_tables`: embedding and head are units of their own; else they
    /// belong to the root, which stays gathered from forward to the end of backward.
    Layers {
        #[serde(default)]
        keeps_frozen: bool,
        #[serde(default)]
        wraps_tables: bool,
    },
    /// Gradients and parameters live in contiguous buffers that serve as communication buffers.
    Contiguous,
}
