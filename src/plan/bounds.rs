//! What no set-up can beat: bounds that spare the search most estimates.
//!
//! From one estimate without hardware, and what one of each GPU does at most, to the least memory and the most tokens
//! per second of a cluster.
//! Sound, not tight: what a bound rules out, `estimate` would rule out too.

use super::layout::Layout;
use super::search::Cluster;
use crate::catalog::format::ComputeRate;
use crate::catalog::model::Mixer;
use crate::catalog::support::Split;
use crate::catalog::{Catalog, Gpu, Model};
use crate::estimate::{PartKind, estimate, fastest};
use crate::request::{Compute, Concurrency, Infer, Request, Settings, Value, Work, complete};
use crate::units::Bytes;
use rustc_hash::FxHashMap;

/// Weights are read at most so much faster than the data sheet's bandwidth, by any kernel of `presets/serving.toml`.
const FASTEST_READ: f64 = 1.2;
/// No kernel of `presets/serving.toml` reaches more of a peak.
const MOST_OF_PEAK: f64 = 0.8;
/// The smallest chunk that an engine prefills a prompt in by itself, in tokens.
const CHUNK: u64 = 2048;

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
    /// Keys and values of all requests asked for.
    cache: Bytes,
    /// Tokens a second that one GPU does at most.
    fastest: FxHashMap<*const Gpu, f64>,
    /// Of a served token.
    flops_per_token: f64,
    /// Weights that decoding one token reads at least: no embedding, no expert that is not chosen, of a step that takes
    /// every proposed token its share.
    read: Bytes,
    /// Keys and values of one request, of its prompt alone, that decoding one token reads.
    recalled: Bytes,
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
        let flops_per_token = 2.0 * multiplied(&request.model);
        let whole = if ranks > 1.0 { 0.0 } else { 1.0 };
        let proposed = request.infer().map_or(0, Infer::drafted);
        let each = whole / (1 + proposed) as f64;
        let read = weights_read(&request, memory.part(PartKind::Weights)) * each;
        let cache = memory.part(PartKind::KvCache) * whole;
        let prompts = request.infer().map_or(0.0, |infer| match infer.concurrency {
            Concurrency::Requests(requests) if reads_all(&request.model) => {
                let share = infer.prompt as f64 / (infer.prompt + infer.output).max(1) as f64;
                share / requests.min(infer.max_seqs).max(1) as f64
            }
            Concurrency::Requests(_) | Concurrency::Max => 0.0,
        });
        let recalled = memory.part(PartKind::KvCache) * (each * prompts);
        Some(Self {
            settings,
            changes,
            states: states * whole,
            working,
            cache,
            fastest: FxHashMap::default(),
            flops_per_token,
            read,
            recalled,
            request,
        })
    }
    /// Times the request on each of these, which the bounds are asked about.
    pub fn time(&mut self, gpus: &[&'static Gpu]) {
        let fastest = fastest(&self.request, gpus).into_iter().map(Option::unwrap_or_default);
        self.fastest = gpus.iter().map(|gpu| std::ptr::from_ref(*gpu)).zip(fastest).collect();
    }
    /// No layout holds less than its even share of the states and of the cache of requests that are all to be held,
    /// nor, where only data parallel ranks are added, less than the activations of one micro batch.
    pub fn may_fit(&self, cluster: Cluster, holds_all: bool) -> bool {
        let gpus = f64::from(cluster.gpus);
        let only_data = match &self.request.work {
            Work::Train(train) => train.framework.splits.iter().all(|split| *split == Split::Data),
            Work::Infer(_) => false,
        };
        let working = if only_data { self.working } else { Bytes::ZERO };
        let cache = if holds_all { self.cache } else { Bytes::ZERO };
        ((self.states + cache) / gpus + working).0 <= cluster.gpu.memory.0
    }
    /// Whether a server's pipeline has no more stages than hold it: half as many would fill half of the card. Stages
    /// answer no request sooner.
    pub fn needs_stages(&self, layout: &Layout, cluster: Cluster) -> bool {
        let serves = self.request.infer().is_some() && self.request.settings.get("pp").is_none();
        let held = self.states + self.cache * (1.0 / f64::from(layout.data));
        let half = f64::from(layout.tensor * layout.pipeline) / 2.0;
        !serves || layout.pipeline == 1 || self.states == Bytes::ZERO || held / half >= cluster.gpu.memory * 0.5
    }
    /// The best that any layout of a cluster comes to, of the number that a target is about (see `targets::value`).
    pub fn at_best(&self, knob: &str, cluster: Cluster) -> Option<f64> {
        match knob {
            "ttft" => self.request.infer().map(|infer| self.least_prefill(infer, cluster) * 1e3),
            "tpot" => Some(self.least_step(cluster) * 1e3),
            "tokens_per_s" => Some(self.most_tokens_per_s(cluster)),
            "deadline" => Some(self.least_hours(cluster)?),
            "budget" => {
                let usd_per_hour = cluster.usd_per_hour()?;
                Some(self.least_hours(cluster).map_or(usd_per_hour, |hours| usd_per_hour * hours))
            }
            _ => Some(cluster.gpus.into()),
        }
    }
    /// USD of the run, else of a million tokens, at no less than this.
    pub fn least_cost(&self, cluster: Cluster) -> f64 {
        let tokens = self.tokens().unwrap_or(1e6);
        cluster.usd_per_hour().unwrap_or(f64::MAX) / 3600.0 / self.most_tokens_per_s(cluster) * tokens
    }
    /// No GPU does more than it would alone; and no request is decoded faster than its ranks read the weights.
    pub fn most_tokens_per_s(&self, cluster: Cluster) -> f64 {
        let together = f64::from(cluster.gpus) * self.fastest[&std::ptr::from_ref(cluster.gpu)];
        match self.request.infer().filter(|infer| infer.output > 0).map(|infer| infer.concurrency) {
            Some(Concurrency::Requests(requests)) => together.min(requests.max(1) as f64 / self.least_step(cluster)),
            Some(Concurrency::Max) | None => together,
        }
    }
    /// Seconds in which the ranks of a layer read the weights of one token and the cache of one request once.
    fn least_step(&self, cluster: Cluster) -> f64 {
        (self.read.0 + self.recalled.0) / bandwidth(cluster.gpu) / self.ranks(cluster, 1)
    }
    /// Seconds in which a prompt is multiplied, its chunks on pipeline stages at once.
    fn least_prefill(&self, infer: &Infer, cluster: Cluster) -> f64 {
        let chunks = infer.prompt.div_ceil(infer.max_batched_tokens.clamp(1, CHUNK)).max(1);
        let rate = peak(cluster.gpu, &self.request) * self.ranks(cluster, chunks);
        self.flops_per_token * infer.prompt as f64 / rate
    }
    /// GPUs that work on one request at once: of a machine, for each stage; all where experts are spread.
    fn ranks(&self, cluster: Cluster, stages: u64) -> f64 {
        let gpus = f64::from(cluster.gpus);
        let spread = self.request.parallel.expert > 1
            || self.request.infer().is_some_and(|infer| infer.backend.splits.contains(&Split::Expert));
        let linked = f64::from(cluster.gpu.most_per_node()) * stages as f64;
        if spread { gpus } else { gpus.min(linked) }
    }
    fn least_hours(&self, cluster: Cluster) -> Option<f64> {
        Some(self.tokens()? / self.most_tokens_per_s(cluster) / 3600.0)
    }
    /// Tokens of the run, where it is known how long it is.
    fn tokens(&self) -> Option<f64> {
        self.request.train()?.tokens.map(|tokens| tokens as f64)
    }
}

/// Whether a token attends to all that is cached: no windows, states or chosen entries.
fn reads_all(model: &Model) -> bool {
    model.layers.iter().all(|kind| {
        matches!(
            kind.mixer,
            Mixer::Attention { window: None, .. } | Mixer::Latent { window: None, indexer: None, .. } | Mixer::None
        )
    })
}

/// Parameters that a served token is multiplied by: all that are active but for a table that is only looked up.
fn multiplied(model: &Model) -> f64 {
    let looked_up = if model.tied_embeddings { 0 } else { model.counts.embedding };
    model.counts.active.saturating_sub(looked_up).max(1) as f64
}

/// Bytes a second of weights at best; without limit where no figure is known.
fn bandwidth(gpu: &Gpu) -> f64 {
    gpu.bandwidth.map_or(f64::INFINITY, |bandwidth| bandwidth.0 * FASTEST_READ)
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

/// The highest rate a GPU reaches at the precisions that a request may multiply in.
fn peak(gpu: &Gpu, request: &Request) -> f64 {
    let peak = &gpu.peak;
    let narrow = request.precision == Compute::Fp8
        || request.infer().is_some_and(|infer| infer.weights.compute != ComputeRate::Half);
    let narrow = [peak.fp8, peak.int8, peak.fp4].into_iter().filter(|_| narrow);
    let rates = [peak.fp32, peak.tf32, peak.fp16, peak.bf16].into_iter().chain(narrow);
    rates.flatten().map(|rate| rate.0).fold(0.0, f64::max) * MOST_OF_PEAK
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_kernel_is_better_than_the_bounds_say() {
        let catalog = Catalog::embedded();
        for (gpu, family) in catalog.gpus.iter().flat_map(|gpu| ["server", "eager", "ggml"].map(|family| (gpu, family)))
        {
            let kernels = catalog.constants.serving.kernels(family, gpu).expect("a family of serving.toml");
            let reads =
                [1.0 / kernels.four_bit_read, 1.0 / kernels.expert_read, 1.0 / kernels.expert_read_four_bit, 1.0];
            let read = reads.into_iter().fold(0.0, f64::max) * kernels.read;
            assert!(read <= FASTEST_READ, "{family} on {}: {read}", gpu.id);
            let most = kernels.prefill.max(kernels.compute);
            assert!(most <= MOST_OF_PEAK, "{family} on {}: {most}", gpu.id);
        }
    }
}
