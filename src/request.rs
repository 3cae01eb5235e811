//! What is estimated: every knob typed, checked and filled in.
//!
//! `Settings` is what a person asked (the line); [`complete`] makes a [`Request`] of it, taking each
//! unasked knob from the framework or engine as that really behaves, and noting it in `assumed`.
//! A `Request` that exists is valid, so `estimate` and `plan` cannot fail.

use crate::catalog::backend::{DraftKind, HostPart};
use crate::catalog::{Backend, Catalog, Format, Framework, Gpu, Model, Optimizer};
use crate::message::Problem;
use std::borrow::Cow;
use std::sync::Arc;

pub mod complete;
pub mod either;
pub mod knobs;
mod lexicon;
pub mod line;
pub mod settings;
pub mod tweak;
mod speech;
mod words;

pub use complete::complete;
pub use settings::{Bound, Settings, Value, Verb};

#[derive(Clone, Debug)]
pub struct Request {
    /// What was asked, in canonical form; `assumed` holds the rest.
    pub settings: Settings,
    pub model: Arc<Model>,
    pub hardware: Hardware,
    pub parallel: Parallel,
    pub precision: Compute,
    /// Train: sequence length. Infer: maximum model length.
    pub seq: u64,
    pub attention: AttentionKernel,
    pub work: Work,
    /// Knobs filled in, each as the words that would ask for it.
    pub assumed: Vec<(&'static str, Cow<'static, str>)>,
}

#[derive(Clone, Debug)]
pub struct Hardware {
    /// `None`: no GPU was named; memory is that of one GPU without limits.
    pub gpu: Option<&'static Gpu>,
    /// GPUs in all.
    pub gpus: u32,
    pub nodes: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Parallel {
    pub tensor: u32,
    pub pipeline: u32,
    pub data: u32,
    pub expert: u32,
    pub context: u32,
    /// Which of the above the user fixed; the planner may choose the others.
    pub asked: ParallelAsked,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ParallelAsked {
    pub tensor: bool,
    pub pipeline: bool,
    pub data: bool,
    pub expert: bool,
    pub context: bool,
}

/// Precision of matrix products.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compute {
    Fp32,
    Fp16,
    Bf16,
    Fp8,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AttentionKernel {
    Flash,
    Sdpa,
    Eager,
}

#[derive(Clone, Debug)]
pub enum Work {
    Train(Train),
    Infer(Infer),
}

#[derive(Clone, Debug)]
pub struct Train {
    pub method: Method,
    pub stage: Stage,
    pub micro_batch_size: u64,
    pub gradient_accumulation: u64,
    pub optimizer: &'static Optimizer,
    pub master: Master,
    /// Bytes an element of the gradients kept between backward and step.
    pub gradient_dtype: Dtype,
    pub autocast: bool,
    pub zero: Zero,
    pub offload: Offload,
    pub checkpointing: Checkpointing,
    pub loss: Loss,
    pub compile: bool,
    pub framework: &'static Framework,
    pub packing: bool,
    /// Chunks of layers that each pipeline rank holds (Megatron's virtual stages); 1 is plain 1F1B.
    pub interleave: u64,
    /// Preference and RL stages.
    pub reference_model: bool,
    pub generations: u64,
    /// Fraction of the card that a rollout engine beside the trainer takes; `None`: the trainer's own model writes.
    pub rollout_engine: Option<f64>,
    pub reward_model: Option<Arc<Model>>,
    /// Tokens to train on, where given (`tokens`, or `samples × seq × epochs`).
    pub tokens: Option<u64>,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Method {
    Full,
    /// Only the last layers and the head are trained.
    Freeze,
    Lora(Lora),
}

#[derive(Clone, Debug, PartialEq)]
pub struct Lora {
    pub kind: LoraKind,
    pub rank: u64,
    pub targets: Targets,
    pub adapter_dtype: Dtype,
    /// QLoRA: format of the frozen base weights.
    pub base: Option<&'static Format>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LoraKind {
    Lora,
    AdaLora,
    Dora,
}

/// Which linears carry adapters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Targets {
    pub q: bool,
    pub k: bool,
    pub v: bool,
    pub o: bool,
    pub gate: bool,
    pub up: bool,
    pub down: bool,
    pub embed: bool,
    pub head: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Stage {
    Pretrain,
    Sft,
    Rm,
    Dpo,
    Orpo,
    Cpo,
    SimPo,
    Kto,
    Ppo,
    Grpo,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Master {
    /// fp32 master copy beside 16-bit weights.
    On,
    /// Pure 16-bit (or pure fp32 with `precision=fp32`).
    Off,
    /// fp32 weights under autocast.
    Amp,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dtype {
    Fp32,
    Bf16,
    Fp16,
}

impl Dtype {
    pub const fn bytes(self) -> f64 {
        match self {
            Dtype::Fp32 => 4.0,
            Dtype::Bf16 | Dtype::Fp16 => 2.0,
        }
    }
}

/// How states are sharded over data-parallel ranks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Zero {
    /// Plain data parallel.
    Ddp,
    One,
    Two,
    Three,
    Fsdp,
    /// Full sharding within a node, replicas across.
    Hsdp,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Offload {
    None,
    Optimizer,
    /// Optimizer and parameters.
    Cpu,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Checkpointing {
    Off,
    Selective,
    On,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Loss {
    Full,
    Chunked,
    Fused,
}

#[derive(Clone, Debug)]
pub struct Infer {
    pub backend: &'static Backend,
    /// Engine version as (major, minor); the latest known where not given.
    pub backend_version: (u32, u32),
    pub weights: &'static Format,
    pub kv: KvDtype,
    /// Tokens in and out of one request.
    pub prompt: u64,
    pub output: u64,
    pub concurrency: Concurrency,
    /// The engine's memory fraction, with that engine's meaning.
    pub memory_fraction: f64,
    pub max_batched_tokens: u64,
    pub max_seqs: u64,
    pub eager: bool,
    pub on_host: OnHost,
    pub draft: Option<Draft>,
    /// Latency targets in ms.
    pub ttft_target: Option<f64>,
    pub tpot_target: Option<f64>,
}

impl Infer {
    /// Tokens proposed for a step; 0 without speculative decoding.
    pub fn drafted(&self) -> u64 {
        self.draft.as_ref().map_or(0, |draft| draft.tokens)
    }
}

/// What stays off the card, in the host's memory.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OnHost {
    /// Of the layers, and after them the head, the first so many.
    pub layers: u64,
    /// Routed experts of the first so many layers.
    pub experts_of: u64,
}

impl OnHost {
    /// The knob of each part, and what it looks for: as much on the card as fits.
    pub const KNOBS: [(&'static str, HostPart, Bound); 2] =
        [("cpu_moe", HostPart::Experts, Bound::Min), ("gpu_layers", HostPart::Layers, Bound::Max)];

    pub fn any(self) -> bool {
        self != Self::default()
    }
}

/// Speculative decoding: tokens are proposed, then checked by the model in one step.
#[derive(Clone, Debug)]
pub struct Draft {
    pub kind: DraftKind,
    /// What proposes, and the format of its weights: a smaller model or a head of this one. Looking up earlier text
    /// takes none.
    pub model: Option<(Arc<Model>, &'static Format)>,
    /// Tokens proposed for a step.
    pub tokens: u64,
    /// Probability that a proposed token is taken, where those before it were.
    pub acceptance: f64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Concurrency {
    Requests(u64),
    /// As many as the KV cache holds.
    Max,
}

/// Bits an element of the KV cache takes, scales included.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct KvDtype {
    pub name: &'static str,
    pub bits: f64,
}

/// Reads the words of a settled line into a request.
pub type Completed = Result<Request, Problem>;

impl Request {
    pub fn train(&self) -> Option<&Train> {
        match &self.work {
            Work::Train(train) => Some(train),
            Work::Infer(_) => None,
        }
    }
    pub fn infer(&self) -> Option<&Infer> {
        match &self.work {
            Work::Infer(infer) => Some(infer),
            Work::Train(_) => None,
        }
    }
}

const _: fn(&Settings, &'static Catalog) -> Completed = complete;
