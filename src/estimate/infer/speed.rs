//! Time of a prefill and of a decode step on one rank.
//!
//! Takes a rank's weights and cache, an engine's pace and a GPU generation's kernel efficiencies. A step reads the
//! weights once and every sequence's cache, multiplies each token by the active weights, launches every layer's
//! kernels and reduces hidden states over the tensor ranks. What requests see of it under load is `load`'s.

use super::activations::heads;
use super::cache::Cache;
use super::split::Split;
use super::weights::Weights;
use crate::catalog::Gpu;
use crate::catalog::constant::{Kernels, Pace};
use crate::catalog::format::{ComputeRate, Format, Unpacking};
use crate::catalog::gpu::Vendor;
use crate::catalog::model::{Ffn, Mixer, Model};
use crate::units::FlopsPerSec;

/// What a step's time depends on besides the batch.
#[derive(Clone, Copy, Debug)]
pub struct Machine<'a> {
    /// Bytes/s of memory.
    bandwidth: f64,
    /// FLOP/s of 16-bit products, and of the format's.
    half: f64,
    packed: f64,
    /// Bytes/s in one direction between tensor ranks.
    link: f64,
    /// Seconds from stage to stage, over a whole token.
    hops: f64,
    /// Weights narrower than a byte: their unpacking slows reads and products.
    packed_slowdown: (f64, f64),
    expert_slowdown: (f64, f64),
    /// Seconds to unpack a weight beside multiplying with it.
    unpacking: f64,
    packed_bytes: f64,
    half_bytes: f64,
    expert_bytes: f64,
    packed_parameters: f64,
    half_parameters: f64,
    /// Of all routed experts on this rank.
    expert_parameters: f64,
    /// Share of the routed experts that a token goes through.
    chosen: f64,
    /// A step's launches in units of a plain layer's.
    launches: f64,
    /// Seconds that they take, those that the host takes where it launches each kernel by itself, and those
    /// of a prefill, of which no graph is captured.
    launch: f64,
    host_launch: f64,
    prefill_launch: f64,
    /// Bytes that a token's hidden states send over the link in a step.
    sent: f64,
    attention: Scores,
    pub stages: f64,
    pub attention_ranks: f64,
    pub kernels: &'a Kernels,
    pace: &'a Pace,
}

/// FLOPs of attention scores and their products with values on one rank.
#[derive(Clone, Copy, Debug, Default)]
struct Scores {
    /// Of a token for each earlier token, and where it sees but a window.
    full: f64,
    windows: f64,
    window: f64,
    /// Of a decode step in latent form, where each head attends to the whole latent.
    latent: f64,
}

/// Where a decode step goes, seconds.
#[derive(Clone, Copy, Debug, Default)]
pub struct Step {
    pub weights: f64,
    pub compute: f64,
    pub cache: f64,
    pub launch: f64,
    pub communication: f64,
    /// Scheduling, and sampling of each sequence.
    pub host: f64,
    /// Layers that are not on the card.
    pub on_host: f64,
    /// Proposing tokens.
    pub draft: f64,
    pub total: f64,
    /// Tokens that the step gives a sequence.
    pub tokens: f64,
}

impl<'a> Machine<'a> {
    /// `None` without the card's bandwidth or any rate of 16-bit products. `weights`: of all layers.
    pub fn of(
        model: &Model,
        gpu: &Gpu,
        format: &Format,
        split: &Split,
        weights: &Weights,
        kernels: &'a Kernels,
        pace: &'a Pace,
    ) -> Option<Self> {
        let bandwidth = gpu.bandwidth?.0;
        let half = half_rate(gpu, kernels)?;
        let rate = |rate: Option<FlopsPerSec>| rate.map_or(half, |rate| rate.0);
        let packed = match format.compute {
            ComputeRate::Half => half,
            ComputeRate::Fp8 => rate(gpu.peak.fp8),
            ComputeRate::Int8 => rate(gpu.peak.int8),
            ComputeRate::Fp4 => rate(gpu.peak.fp4),
        };
        let four_bit = |width: f64| width < 0.9;
        let slowdown = |narrow: bool, read: f64| {
            let computes_narrow = narrow && (packed > half || format.is_gguf());
            (if narrow { read } else { 1.0 }, if computes_narrow { kernels.four_bit_compute } else { 1.0 })
        };
        let unpacking = match format.unpacking() {
            Unpacking::None => 0.0,
            Unpacking::Scaled => kernels.unpack_scaled,
            Unpacking::Nested => kernels.unpack_nested,
        };
        let head = if model.tied_embeddings { weights.embedding } else { weights.head };
        let experts_narrow = four_bit(weights.experts.width());
        let made_for = experts_narrow && format.compute == ComputeRate::Fp4;
        let expert_read = if made_for { kernels.expert_read_four_bit } else { kernels.expert_read };
        let ranks = split.tensor.max(split.expert_ranks()) as f64;
        let ring = 2.0 * (split.tensor - 1) as f64 / split.tensor as f64;
        let layers = model.depth() as f64;
        let reductions = if ranks > 1.0 { 2.0 * layers } else { 0.0 };
        let launches: f64 = model.layers.iter().map(|kind| kind.count as f64 * launches(kernels, kind)).sum();
        let quantised = weights.packed.width() < 1.9 || weights.experts.width() < 1.9;
        let launches = launches + if quantised { kernels.quantised_launch * layers } else { 0.0 };
        let step = pace.layer_us * launches + pace.reduction_us * reductions;
        Some(Self {
            bandwidth,
            half,
            packed,
            link: link(gpu, split) * kernels.link,
            hops: (split.stages - 1) as f64 * pace.hop_us * 1e-6,
            packed_slowdown: slowdown(four_bit(weights.packed.width()), kernels.four_bit_read),
            expert_slowdown: (expert_read, slowdown(experts_narrow, 1.0).1),
            unpacking: unpacking / rate(gpu.peak.fp32),
            packed_bytes: weights.packed.bytes,
            half_bytes: weights.plain.bytes + head.bytes,
            expert_bytes: weights.experts.bytes,
            packed_parameters: weights.packed.parameters,
            half_parameters: weights.plain.parameters + head.parameters,
            expert_parameters: weights.experts.parameters,
            chosen: chosen(model),
            launch: step * kernels.launch * 1e-6,
            launches,
            host_launch: 0.0,
            prefill_launch: pace.prefill_us * launches * 1e-6,
            sent: (reductions * ring + exchanges(model, split)) * model.hidden_size as f64 * 2.0,
            attention: Scores::of(model, split.tensor as f64),
            stages: split.stages as f64,
            attention_ranks: split.attention_ranks as f64,
            kernels,
            pace,
        })
    }

    /// With each kernel launched by the host, as without CUDA graphs.
    pub fn eager(self) -> Self {
        Self { host_launch: self.pace.eager_us * self.launches * 1e-6, ..self }
    }

    /// With a step's kernels in one CUDA graph, for an engine whose usual launches are not.
    pub fn captured(self) -> Self {
        Self { launch: self.launch * self.kernels.captured, ..self }
    }

    /// One decode step of `batch` sequences a rank, `width` new tokens each beside `context` in the cache.
    ///
    /// Launches one by one run ahead of the GPU, so that only what they take longer than it shows. Weights and products
    /// overlap: `max + o·min`, `o` the kernels' `overlap`; packed weights are unpacked once a step. Routed experts are read
    /// as far as any of the `B` tokens of all ranks chose them: `1 - (1 - k/E)^B`.
    pub fn decode(&self, batch: f64, width: f64, context: f64, cache: &Cache) -> Step {
        let kernels = self.kernels;
        let own = batch * width;
        let tokens = own * self.attention_ranks;
        let covered = 1.0 - (1.0 - self.chosen).powf(tokens);
        let weights = (self.packed_bytes * self.packed_slowdown.0
            + self.half_bytes
            + self.expert_bytes * covered * self.expert_slowdown.0)
            / (kernels.read * self.bandwidth);
        let unpacking = (self.packed_parameters + self.expert_parameters * covered) * self.unpacking;
        let compute = 2.0
            * (own * self.packed_parameters * self.packed_slowdown.1 / self.packed
                + own * self.half_parameters / self.half
                + tokens * self.expert_parameters * self.chosen * self.expert_slowdown.1 * kernels.expert_compute
                    / self.packed)
            / kernels.compute
            + unpacking;
        let read = batch * cache.traffic(context) / (kernels.cache_read * self.bandwidth);
        let latent = own * context * self.attention.latent / (kernels.latent_attention * self.half);
        let step = Step {
            weights,
            compute,
            cache: read.max(latent),
            launch: self.launch,
            communication: own * self.sent / self.link + self.hops,
            host: (self.pace.step_us + batch * self.attention_ranks * self.pace.sequence_us) * 1e-6,
            on_host: 0.0,
            draft: 0.0,
            total: 0.0,
            tokens: 1.0,
        };
        let products = weights.max(compute) + kernels.overlap * weights.min(compute);
        let on_gpu = products + step.cache + step.launch;
        let late = (self.host_launch - on_gpu).max(0.0);
        Step { launch: step.launch + late, total: on_gpu + late + step.communication + step.host, ..step }
    }

    /// Seconds that a prompt of `tokens` keeps its ranks busy, weights once read for each chunk of `chunk` tokens.
    ///
    /// `2·P_active·n` at the prefill's efficiency, `2·a·d·n²` for causal attention, the reductions; stages work on
    /// chunks of the prompt in turn, `(u + p - 1)/(u·p)` of the time for `u` chunks. A chunk takes at least what the launches
    /// do that it shares with chunks of `together` prompts.
    pub fn prefill(&self, tokens: f64, chunk: f64, together: f64) -> f64 {
        let kernels = self.kernels;
        let experts = self.expert_parameters * self.chosen * self.attention_ranks;
        let products = 2.0
            * tokens
            * (self.packed_parameters * self.packed_slowdown.1 / self.packed
                + self.half_parameters / self.half
                + experts * self.expert_slowdown.1 * kernels.expert_prefill / self.packed)
            / kernels.prefill;
        let unpacking =
            (self.packed_parameters + experts * kernels.expert_prefill) * self.unpacking * tokens / kernels.unpack_tile;
        let scores = &self.attention;
        let pairs = scores.full * tokens / 2.0 + scores.windows * scores.window.min(tokens);
        let attention = tokens * pairs / (kernels.attention * self.half);
        let chunks = (tokens / chunk).ceil().max(1.0);
        let overlapped = (chunks + self.stages - 1.0) / (chunks * self.stages);
        let on_gpu = products + unpacking + attention + tokens * self.sent / self.link;
        (on_gpu * overlapped.powf(kernels.stage_overlap)).max(chunks * self.prefill_launch / together)
    }
}

impl Scores {
    fn of(model: &Model, tensor: f64) -> Self {
        let mut scores = Self::default();
        for kind in &model.layers {
            scores.add(&kind.mixer, kind.count as f64 / tensor);
        }
        scores
    }

    /// Query times key and score times value: `2·a·(d_k + d_v)` for each earlier token.
    fn add(&mut self, mixer: &Mixer, layers: f64) {
        let (per_token, window) = match mixer {
            Mixer::Attention { head_dim, value_head_dim, window, .. } => (head_dim + value_head_dim, *window),
            Mixer::Latent {
                kv_lora_rank,
                nope_head_dim,
                rope_head_dim,
                value_head_dim,
                window,
                indexer,
                heads,
                ..
            } => {
                self.latent += layers * 2.0 * (heads * (2 * kv_lora_rank + rope_head_dim)) as f64;
                let window = window.or(indexer.as_ref().map(|index| index.top_k));
                (nope_head_dim + rope_head_dim + value_head_dim, window)
            }
            Mixer::Compressed { head_dim, window, .. } => (2 * head_dim, Some(*window)),
            Mixer::Parallel(attention, _) => return self.add(attention, layers),
            Mixer::Linear { .. } | Mixer::Mamba { .. } | Mixer::None => return,
        };
        let flops = layers * 2.0 * (heads(mixer) * per_token) as f64;
        match window {
            Some(window) => {
                self.windows += flops;
                self.window = self.window.max(window as f64);
            }
            None => self.full += flops,
        }
    }
}

/// FLOP/s of 16-bit products: the data sheet's, as far as the card's power allows. Kernels that sum in 16 bits run at
/// half the int8 rate on GeForce cards, whose data sheets give a quarter, for sums in 32 bits.
fn half_rate(gpu: &Gpu, kernels: &Kernels) -> Option<f64> {
    let listed = [gpu.peak.bf16, gpu.peak.fp16, gpu.peak.fp32].into_iter().flatten().map(|rate| rate.0);
    let narrow = gpu.peak.int8.filter(|_| gpu.vendor == Vendor::Nvidia).map(|int8| kernels.half_sums * int8.0 / 2.0);
    let power = gpu.tdp_watts.map_or(f64::INFINITY, |watts| watts * kernels.per_joule * 1e12);
    Some(listed.chain(narrow).reduce(f64::max)?.min(power))
}

/// Kernels of one layer in units of plain attention and MLP.
fn launches(kernels: &Kernels, kind: &crate::catalog::model::LayerKind) -> f64 {
    let mixer = match kind.mixer {
        Mixer::Latent { .. } | Mixer::Compressed { .. } => kernels.latent_launch,
        Mixer::Linear { .. } | Mixer::Mamba { .. } | Mixer::Parallel(..) => kernels.recurrent_launch,
        Mixer::Attention { .. } | Mixer::None => 0.0,
    };
    let ffn = match kind.ffn {
        Ffn::Moe { .. } => kernels.expert_launch,
        Ffn::Dense { .. } | Ffn::None => 0.0,
    };
    1.0 + mixer + ffn
}

/// Copies of a token's hidden state that cross between ranks which attend each to their own requests: to the ranks of
/// its experts (all-to-all) or to all others (all-gather), whichever are fewer, and back.
fn exchanges(model: &Model, split: &Split) -> f64 {
    let others = split.attention_ranks.saturating_sub(1);
    let layers = model.layers.iter().map(|kind| match kind.ffn {
        Ffn::Moe { top_k, .. } => kind.count * others.min(top_k),
        Ffn::Dense { .. } | Ffn::None => 0,
    });
    2.0 * layers.sum::<u64>() as f64
}

/// Share of the routed experts that a token goes through.
pub fn chosen(model: &Model) -> f64 {
    let of = model.layers.iter().find_map(|kind| match kind.ffn {
        Ffn::Moe { experts, top_k, .. } => Some(top_k as f64 / experts as f64),
        Ffn::Dense { .. } | Ffn::None => None,
    });
    of.unwrap_or(0.0)
}

/// Bytes/s in one direction between a rank and its peers: half the card's link, or its slot where there is none or
/// bridges do not reach all.
fn link(gpu: &Gpu, split: &Split) -> f64 {
    let rate = gpu.link.between(split.tensor as f64).unwrap_or(gpu.link.pcie.0 / 2.0);
    if rate > 0.0 { rate } else { 1e9 }
}
