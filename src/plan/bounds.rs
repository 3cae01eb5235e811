//! What no set-up can beat: bounds that spare the search most estimates.
//!
//! From one estimate without hardware to the least memory and the most tokens per second of a cluster.
//! Sound, not tight: what a bound rules out, `estimate` would rule out too.

use super::search::Cluster;
use crate::catalog::format::ComputeRate;
use crate::catalog::support::Split;
use crate::catalog::{Catalog, Gpu};
use crate::estimate::{PartKind, estimate};
use crate::request::{Compute, Concurrency, Request, Settings, Value, Work, complete};
use crate::units::Bytes;

/// What is asked, on hardware left open: as asked, or with one change that saves memory.
pub struct Variant {
    pub settings: Settings,
    pub changes: Vec<(&'static str, Value)>,
    /// Completed without hardware, and its estimate.
    pub request: Request,
    /// Weights, gradients and optimizer states of the whole model.
    pub states: Bytes,
    /// Activations and logits of one micro batch on one GPU.
    working: Bytes,
    flops_per_token: f64,
    /// Weights that decoding one token reads at least: no embedding, no expert that is not chosen.
    read: Bytes,
}

impl Variant {
    pub fn of(open: &Settings, changes: Vec<(&'static str, Value)>, catalog: &'static Catalog) -> Option<Self> {
        let mut settings = open.clone();
        settings.values.extend(changes.iter().cloned());
        // Degrees that were asked ask for as many GPUs.
        let request = complete(&settings, catalog).ok()?;
        let estimate = estimate(&request);
        let memory = &estimate.memory;
        let ranks = f64::from(request.hardware.gpus);
        let states =
            memory.part(PartKind::Weights) + memory.part(PartKind::Gradients) + memory.part(PartKind::Optimizer);
        let working = memory.part(PartKind::Activations) + memory.part(PartKind::Logits);
        let flops_per_token = estimate.compute.flops_per_token.0.max(1.0);
        let whole = if ranks > 1.0 { 0.0 } else { 1.0 };
        let read = weights_read(&request, memory.part(PartKind::Weights)) * whole;
        Some(Self { settings, changes, states: states * whole, working, flops_per_token, read, request })
    }
    /// No layout holds less than its even share of the states, nor, where only data parallel ranks are added,
    /// less than the activations of one micro batch.
    pub fn may_fit(&self, cluster: Cluster) -> bool {
        let gpus = f64::from(cluster.gpus);
        let only_data = match &self.request.work {
            Work::Train(train) => train.framework.splits.iter().all(|split| *split == Split::Data),
            Work::Infer(_) => false,
        };
        let working = if only_data { self.working } else { Bytes::ZERO };
        (self.states / gpus + working).0 <= cluster.gpu.memory.0
    }
    /// No request runs faster than its GPUs multiply, nor decodes faster than they read the weights of its
    /// concurrent requests.
    pub fn most_tokens_per_s(&self, cluster: Cluster) -> f64 {
        let gpus = f64::from(cluster.gpus);
        let multiplied = peak(cluster.gpu, &self.request) * gpus / self.flops_per_token;
        let Work::Infer(infer) = &self.request.work else { return multiplied };
        match (infer.concurrency, cluster.gpu.bandwidth) {
            (Concurrency::Requests(requests), Some(bandwidth)) if self.read.0 > 0.0 => {
                multiplied.min(requests as f64 * gpus * bandwidth.0 / self.read.0)
            }
            _ => multiplied,
        }
    }
    /// Tokens that a cost is counted for: the run's, else a million.
    pub fn tokens(&self) -> f64 {
        self.request.train().and_then(|train| train.tokens).map_or(1e6, |tokens| tokens as f64)
    }
}

/// Whether a GPU of the same generation is at least as good in every figure, and better in one: estimates grow with
/// each, so that it is no slower and fits where the other fits.
pub fn outdoes(a: &Gpu, b: &Gpu) -> bool {
    let figures = |Gpu { memory, bandwidth, peak, link, .. }: &Gpu| {
        let rates = [peak.fp32, peak.tf32, peak.fp16, peak.bf16, peak.fp8, peak.int8, peak.fp4];
        let rates = rates.map(|rate| rate.map_or(0.0, |rate| rate.0));
        let others = [memory.0, bandwidth.map_or(0.0, |bandwidth| bandwidth.0), link.bandwidth.0, link.pcie.0];
        rates.into_iter().chain(others)
    };
    let alike = a.link.kind == b.link.kind && a.most_per_node() == b.most_per_node();
    let pairs = || figures(a).zip(figures(b));
    alike && pairs().all(|(a, b)| a >= b) && pairs().any(|(a, b)| a > b)
}

/// Bytes of the weights that decoding one token reads at least: of the layers, no expert that is not chosen.
fn weights_read(request: &Request, weights: Bytes) -> Bytes {
    let counts = &request.model.counts;
    let outside = counts.embedding + counts.lm_head + request.model.vision_parameters;
    let width = if request.precision == Compute::Fp32 { 4.0 } else { 2.0 };
    let layers = counts.total.saturating_sub(outside).max(1) as f64;
    let active = counts.active.saturating_sub(counts.embedding + counts.lm_head) as f64;
    // Where experts are narrower than the rest, the share by bytes is more than this one by count.
    (weights - Bytes(outside as f64 * width)).max(Bytes::ZERO) * (active / layers)
}

/// The highest rate a GPU has at the precisions that a request may multiply in.
fn peak(gpu: &Gpu, request: &Request) -> f64 {
    let peak = &gpu.peak;
    let narrow = request.precision == Compute::Fp8
        || request.infer().is_some_and(|infer| infer.weights.compute != ComputeRate::Half);
    let narrow = [peak.fp8, peak.int8, peak.fp4].into_iter().filter(|_| narrow);
    let rates = [peak.fp32, peak.tf32, peak.fp16, peak.bf16].into_iter().chain(narrow);
    rates.flatten().map(|rate| rate.0).fold(0.0, f64::max)
}
