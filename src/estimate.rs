//! What a request costs: the memory of the fullest GPU part by part, compute, time.
//!
//! Takes a [`Request`], which is valid by construction, and cannot fail.

use crate::catalog::{Catalog, Constants, Gpu};
use crate::message::Message;
use crate::request::{Request, Work};
use crate::units::{Bytes, Flops, FlopsPerSec, Seconds};
use smallvec::SmallVec;

pub mod infer;
pub mod train;

/// Estimates what was asked, on the hardware asked for (or on one GPU without limits).
pub fn estimate(request: &Request) -> Estimate {
    estimate_with(request, &Catalog::embedded().constants)
}

/// As [`estimate`], with other constants: what fitting them anew needs.
pub fn estimate_with(request: &Request, constants: &Constants) -> Estimate {
    match &request.work {
        Work::Train(train) => train::estimate(request, train, &constants.training),
        Work::Infer(infer) => infer::estimate(request, infer, &constants.serving),
    }
}

/// A server's speed over the number of requests, which shows where the knee is; empty where it is not known.
pub fn knee(request: &Request) -> Vec<Point> {
    let constants = &Catalog::embedded().constants.serving;
    request.infer().and_then(|infer| infer::knee(request, infer, constants)).unwrap_or_default()
}

/// Tokens a second that a request on hardware left open comes to at most for each GPU of a kind, in whatever layout of
/// however many; none of a GPU whose rates are not known.
pub fn fastest(request: &Request, gpus: &[&'static Gpu]) -> Vec<Option<f64>> {
    let constants = &Catalog::embedded().constants;
    match &request.work {
        Work::Train(train) => {
            let fastest = train::time::fastest(request, train, &constants.training);
            gpus.iter().map(|gpu| fastest(gpu)).collect()
        }
        Work::Infer(infer) => {
            let fastest = infer::fastest(request, infer, &constants.serving);
            gpus.iter().map(|gpu| fastest(gpu)).collect()
        }
    }
}

#[derive(Clone, Debug)]
pub struct Estimate {
    pub memory: Memory,
    pub compute: Compute,
    /// Training time; absent without a GPU or without its peak rate.
    pub time: Option<Time>,
    /// Serving speed and capacity; `None` for training.
    pub serving: Option<Serving>,
    /// Parameters that are trained; 0 for inference.
    pub trainable_parameters: u64,
    pub notes: Vec<Message>,
}

/// Memory of the fullest GPU at its peak.
#[derive(Clone, Debug, Default)]
pub struct Memory {
    /// The parts sum to `device`.
    pub parts: Vec<Part>,
    /// Peak of the tensors an allocator hands out.
    pub allocated: Bytes,
    /// What the caching allocator (or the engine's pool) holds.
    pub reserved: Bytes,
    /// What the driver reports in use.
    pub device: Bytes,
    /// 80% of measured cases fall between these, as bounds of `device`.
    pub low: Bytes,
    pub high: Bytes,
    /// What must be there for the work asked: of what an engine reserves or an allocator keeps, only what is used.
    pub needed: Bytes,
    /// Host memory taken by offloading.
    pub host: Bytes,
}

#[derive(Clone, Debug)]
pub struct Part {
    pub kind: PartKind,
    /// The sum that this part is, each term a product of named factors.
    pub terms: SmallVec<[Term; 3]>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum PartKind {
    Weights,
    Gradients,
    Optimizer,
    Activations,
    Logits,
    Buffers,
    KvCache,
    Overhead,
}

impl PartKind {
    pub const ALL: [PartKind; 8] = [
        PartKind::Weights,
        PartKind::Gradients,
        PartKind::Optimizer,
        PartKind::Activations,
        PartKind::Logits,
        PartKind::Buffers,
        PartKind::KvCache,
        PartKind::Overhead,
    ];
}

/// One product in a part's sum; `explain` prints it with the numbers put in.
#[derive(Clone, Debug)]
pub struct Term {
    /// Key of its name in the `.ftl` files (`term-saved-layer-inputs`).
    pub name: &'static str,
    /// Factors whose product is the term's bytes: symbol (ftl key or a field's usual letter) and value.
    pub factors: SmallVec<[(&'static str, f64); 5]>,
    pub basis: Basis,
    /// Key of the source in the `.ftl` files or a short citation.
    pub source: &'static str,
}

/// How sure; combined, the weaker wins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Basis {
    Exact,
    Modelled,
    Assumed,
}

impl Term {
    pub fn new(name: &'static str, basis: Basis, source: &'static str, factors: &[(&'static str, f64)]) -> Self {
        Self { name, factors: factors.into(), basis, source }
    }
    pub fn bytes(&self) -> Bytes {
        Bytes(self.factors.iter().map(|(_, value)| value).product())
    }
}

impl Part {
    pub fn bytes(&self) -> Bytes {
        self.terms.iter().map(Term::bytes).sum()
    }
    pub fn basis(&self) -> Basis {
        self.terms.iter().map(|term| term.basis).max().unwrap_or(Basis::Exact)
    }
}

impl Memory {
    pub fn part(&self, kind: PartKind) -> Bytes {
        self.parts.iter().filter(|part| part.kind == kind).map(Part::bytes).sum()
    }
}

#[derive(Clone, Copy, Debug, Default)]
pub struct Compute {
    /// Training: forward and backward of one token. Inference: one generated token.
    pub flops_per_token: Flops,
    /// Training: one optimizer step over all GPUs. Inference: the prefill of one prompt.
    pub flops_per_step: Flops,
}

#[derive(Clone, Debug, Default)]
pub struct Time {
    pub step: Seconds,
    pub tokens_per_s: f64,
    pub tokens_per_s_per_gpu: f64,
    /// Achieved model FLOP/s of one GPU.
    pub flops_per_gpu: FlopsPerSec,
    pub mfu: f64,
    /// 80% bounds of `tokens_per_s`.
    pub low: f64,
    pub high: f64,
    /// Where `tokens` or `samples` say how much: steady state, and GPU-hours.
    pub total: Option<Seconds>,
    pub gpu_hours: Option<f64>,
    /// What whole runs lose to restarts, evaluation and checkpoints: bounds of `total`.
    pub goodput_total: Option<(Seconds, Seconds)>,
    /// Where the step goes, for `explain`: ftl key and seconds.
    pub breakdown: Vec<(&'static str, Seconds)>,
}

/// A value with its 80% bounds.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Ranged {
    pub value: f64,
    pub low: f64,
    pub high: f64,
}

#[derive(Clone, Debug, Default)]
pub struct Serving {
    /// Speed needs a GPU with known rates.
    pub speed: Option<Speed>,
    pub kv_bytes_per_token: Bytes,
    /// Tokens the KV cache holds on one replica.
    pub kv_tokens: Option<u64>,
    /// Requests of `request_tokens` at once, over all replicas.
    pub max_concurrency: Option<u64>,
    /// Tokens one request is counted with: the asked length, or its prompt and output.
    pub request_tokens: u64,
    /// Longest sequence that starts.
    pub max_seq: Option<u64>,
    pub weights_per_gpu: Bytes,
    pub activation_peak: Bytes,
    pub kv_cache_available: Option<Bytes>,
    /// Whether the engine starts with the asked length.
    pub starts: bool,
    pub limit: Option<Limit>,
}

#[derive(Clone, Debug, Default)]
pub struct Speed {
    pub ttft_ms: Ranged,
    pub tpot_ms: Ranged,
    /// Output tokens per second over all GPUs.
    pub tokens_per_s: Ranged,
    pub tokens_per_s_per_gpu: f64,
    pub prefill_tokens_per_s: f64,
    /// Where a decode step goes: ftl key and seconds.
    pub breakdown: Vec<(&'static str, Seconds)>,
}

/// Of so many requests at once.
#[derive(Clone, Copy, Debug)]
pub struct Point {
    pub requests: u64,
    pub tpot_ms: f64,
    /// Tokens out.
    pub tokens_per_s: f64,
}

/// What holds a serving back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Limit {
    Weights,
    KvCache,
    Bandwidth,
    Compute,
    Launch,
    Communication,
    /// Layers that the processor computes.
    Host,
}
