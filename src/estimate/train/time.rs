//! Time of an optimizer step, and with it of a run.
//!
//! A micro batch takes the longer of what its kernels need and what launching them takes: matrix products at a part of
//! the GPU's dense peak, everything elementwise and the weights themselves at memory bandwidth. To that come the
//! collectives that computing does not hide, the pipeline's bubble, the optimizer and what is offloaded.

use super::flops::{Forward, Passes, per_token};
use super::memory::{schedule, walk};
use super::regime::Regime;
use super::resident::Resident;
use super::saved::Walk;
use super::stages::Load;
use super::states::{LayersTrained, Sharding};
use crate::catalog::constant::Training;
use crate::catalog::gpu::{Class, Gpu, LinkKind};
use crate::catalog::model::LayerKind;
use crate::estimate::Time;
use crate::request::{Compute, Method, Offload, Request, Train, Zero};
use crate::units::{FlopsPerSec, Seconds};

/// What the time of a step is made of, in seconds; in this order in the breakdown.
#[derive(Clone, Copy, Debug, Default)]
struct Parts {
    products: f64,
    elementwise: f64,
    launch: f64,
    communication: f64,
    bubble: f64,
    optimizer: f64,
    generation: f64,
}

impl Parts {
    /// Seconds either way that 80% of measured cases stay within: doubts of the parts, independent of each other.
    fn doubt(&self, constants: &Training) -> f64 {
        let doubts = [
            constants.doubt_products * self.products,
            constants.doubt_elementwise * self.elementwise,
            constants.doubt_launch * self.launch,
            constants.doubt_communication * (self.communication + self.bubble),
            constants.doubt_host * (self.optimizer + self.generation),
        ];
        doubts.iter().map(|doubt| doubt * doubt).sum::<f64>().sqrt()
    }
}

/// `None` without a GPU, or without its rates. `resident`: what one GPU steps and
/// computes with; `trained`: parameters of the whole model that are trained.
pub fn of(
    request: &Request,
    train: &Train,
    walk: &Walk,
    resident: &Resident,
    trained: f64,
    constants: &Training,
) -> Option<Time> {
    let gpu = request.hardware.gpu?;
    let machine = Machine::of(gpu, request, constants)?;
    let Machine { peak, bandwidth, .. } = machine;
    let parallel = &request.parallel;
    let demand = Demand::of(request, train, walk, constants);
    let Demand { load, forward, passes, tokens, .. } = demand;
    let (_, accumulation) = schedule(train, parallel.pipeline);
    let pipeline = f64::from(parallel.pipeline);
    let split = f64::from(parallel.tensor) * pipeline;
    let weights = request.model.counts.active as f64 / split;
    let mut parts = machine.kernels(&demand, train);
    let micro = parts.products + parts.elementwise + parts.launch;

    parts.communication = machine.exposed(train, tokens, micro, trained / split);
    parts.products *= accumulation;
    parts.elementwise *= accumulation;
    parts.launch *= accumulation;
    // 1F1B idles for as many micro batches as there are further stages, interleaved for a part of that.
    parts.bubble = micro * (pipeline - 1.0) / train.interleave as f64;
    let pcie = gpu.link.pcie.0.max(1.0) / 2.0 * constants.link_efficiency;
    parts.optimizer = match train.offload {
        // Everything that is stepped is read and written.
        Offload::None => 2.0 * resident.stepped / bandwidth,
        // The host steps, gradients go there and weights come back.
        Offload::Optimizer | Offload::Cpu => {
            2.0 * resident.stepped / constants.host_bandwidth + 4.0 * trained / split / ranks(request) / pcie
        }
    };
    if train.offload == Offload::Cpu {
        // Weights come from the host for the forward and again for the backward.
        parts.communication += 2.0 * resident.weights / pcie * accumulation;
    }
    parts.generation = if load.generates { machine.generation(weights) } else { 0.0 };

    let step = parts.products
        + parts.elementwise
        + parts.launch
        + parts.communication
        + parts.bubble
        + parts.optimizer
        + parts.generation;
    let gpus = f64::from(request.hardware.gpus);
    let global = tokens * f64::from(parallel.context) * accumulation * f64::from(parallel.data);
    let tokens_per_s = global / step;
    let model_flops = per_token(&forward, &passes, train, trained) * load.trained + load.forwards * forward.linears();
    let flops_per_gpu = model_flops * tokens_per_s / gpus;
    let total = train.tokens.map(|tokens| tokens as f64 / tokens_per_s);
    let doubt = 1.0 + parts.doubt(constants) / step;
    Some(Time {
        step: Seconds(step),
        tokens_per_s,
        tokens_per_s_per_gpu: tokens_per_s / gpus,
        flops_per_gpu: FlopsPerSec(flops_per_gpu),
        mfu: flops_per_gpu / peak,
        low: tokens_per_s / doubt,
        high: tokens_per_s * doubt,
        total: total.map(Seconds),
        gpu_hours: total.map(|seconds| seconds * gpus / 3600.0),
        goodput_total: total.map(|s| (Seconds(s / constants.goodput_best), Seconds(s / constants.goodput_worst))),
        breakdown: vec![
            ("time-products", Seconds(parts.products)),
            ("time-elementwise", Seconds(parts.elementwise)),
            ("time-launch", Seconds(parts.launch)),
            ("time-communication", Seconds(parts.communication)),
            ("time-bubble", Seconds(parts.bubble)),
            ("time-optimizer", Seconds(parts.optimizer)),
            ("time-generation", Seconds(parts.generation)),
        ],
    })
}

/// Trained tokens a second of one GPU at most, in whatever layout of however many: by its kernels alone, of a request on
/// hardware left open. None where the GPU's rates are not known.
pub fn fastest<'a>(
    request: &'a Request,
    train: &'a Train,
    constants: &'a Training,
) -> impl Fn(&Gpu) -> Option<f64> + use<'a> {
    // Fully sharded weights are kept in the narrowest precision, and nothing is cast beside them.
    let sharded = Train { zero: Zero::Fsdp, ..train.clone() };
    let regime = Regime::of(request, &sharded);
    let demand = Demand::of(request, &sharded, &walk(request, &sharded, regime), constants);
    let ranks = f64::from(request.parallel.tensor * request.parallel.pipeline);
    move |gpu| {
        let parts = Machine::of(gpu, request, constants)?.kernels(&demand, train);
        Some(demand.tokens / (parts.products + parts.elementwise + parts.launch) / ranks)
    }
}

/// What a micro batch takes of one rank, whatever its GPU.
#[derive(Clone, Copy)]
struct Demand {
    load: Load,
    forward: Forward,
    passes: Passes,
    /// Ranks that share the matrix products.
    split: f64,
    /// Tokens of a micro batch that one GPU computes; with forwards beside training's own as a part of them.
    tokens: f64,
    tokens_done: f64,
    /// Bytes that pass through memory beside matrix products.
    traffic: f64,
    /// Seconds in which the host launches the kernels.
    launch: f64,
}

impl Demand {
    fn of(request: &Request, train: &Train, walk: &Walk, constants: &Training) -> Self {
        let parallel = &request.parallel;
        let load = Load::of(&request.model, train);
        let forward = Forward::of(&request.model, request.seq as f64, load.logits);
        let passes = Passes::of(&request.model, train);
        let (micro_batch, _) = schedule(train, parallel.pipeline);
        let pipeline = f64::from(parallel.pipeline);
        let split = f64::from(parallel.tensor) * pipeline;
        let tokens = micro_batch * load.sequences * request.seq as f64 / f64::from(parallel.context);
        let extra = load.forwards / (passes.linears + passes.linears_again);
        let tokens_done = tokens * load.trained * (1.0 + extra);
        let weights = request.model.counts.active as f64 / split;
        let compiled = train.compile || walk.fused_mlp;
        let weight_passes = (passes.linears + passes.linears_again) * dequantising(train, constants);
        // Two thirds of the traffic are backward's, as of attention's operations.
        let traffic = tokens_done * token_traffic(walk, compiled, pipeline, constants) * passes.attention / 3.0
            + weights * walk.regime.compute * weight_passes;
        let launched = if compiled { constants.launch_fused } else { constants.launch_layer };
        let hooks = if train.zero == Zero::Three { constants.launch_hooks } else { 0.0 };
        let layers = request.model.depth() as f64 / pipeline;
        let launch = (launched + hooks) * layers * (1.0 + passes.differentiated + passes.linears_again);
        Self { load, forward, passes, split, tokens, tokens_done, traffic, launch }
    }
}

/// Bytes of memory traffic a token beside matrix products: what is kept for backward, read and written several times
/// by elementwise kernels, the logits, and each adapter's input and output.
fn token_traffic(walk: &Walk, compiled: bool, pipeline: f64, constants: &Training) -> f64 {
    let trained = LayersTrained::of(walk.model, walk.train) != LayersTrained::None;
    let each = if compiled { constants.elementwise_fused } else { constants.elementwise_eager };
    let targets = walk.train.lora().map(|lora| lora.targets);
    let layer = |kind: &LayerKind| {
        let [mixer, ffn] = walk.halves(kind, trained);
        let kept = mixer + ffn;
        let adapted = kind.tensors.iter().filter(|t| targets.is_some_and(|to| to.reach(t.role, walk.model.fused)));
        let through: u64 = adapted.map(|t| t.in_features + t.out_features).sum();
        let adapters = constants.adapter_traffic * walk.regime.compute * through as f64 / walk.tensor;
        each * (kept.token + kept.pair * walk.seq as f64) + adapters
    };
    let layers: f64 = walk.model.layers.iter().map(|kind| kind.count as f64 * layer(kind)).sum();
    let logits = walk.model.vocab_size as f64 / walk.tensor * walk.train.framework.kernels.loss_bytes;
    (layers + each * logits) / pipeline
}

/// Data-parallel ranks, which share the step where it is offloaded.
fn ranks(request: &Request) -> f64 {
    f64::from(request.parallel.data * request.parallel.context)
}

/// Dense peak of a precision; fp32 runs on TF32 units where there are some.
fn peak(gpu: &Gpu, precision: Compute) -> Option<f64> {
    let rate = match precision {
        Compute::Fp32 => gpu.peak.tf32.or(gpu.peak.fp32),
        Compute::Fp16 => gpu.peak.fp16,
        Compute::Bf16 => gpu.peak.bf16.or(gpu.peak.fp16),
        Compute::Fp8 => gpu.peak.fp8,
    };
    rate.map(|rate| rate.0)
}

/// Times that packed weights pass through memory to be multiplied: bitsandbytes reads them, writes 16 bits and reads
/// those; GPTQ's linears unpack integers in several elementwise kernels.
fn dequantising(train: &Train, constants: &Training) -> f64 {
    match train.lora().and_then(|lora| lora.base) {
        Some(format) if format.name.starts_with("gptq") => constants.dequantise_gptq,
        Some(_) => constants.dequantise,
        None => 1.0,
    }
}

/// A GPU at work in its cluster.
struct Machine<'a> {
    gpu: &'a Gpu,
    peak: f64,
    /// Of memory, bytes a second.
    bandwidth: f64,
    request: &'a Request,
    constants: &'a Training,
}

impl<'a> Machine<'a> {
    /// `None` without the GPU's rates.
    fn of(gpu: &'a Gpu, request: &'a Request, constants: &'a Training) -> Option<Self> {
        let (peak, bandwidth) = (peak(gpu, request.precision)?, gpu.bandwidth?.0);
        Some(Self { gpu, peak, bandwidth, request, constants })
    }

    /// Of one micro batch: what its kernels need, or the longer time in which they are launched.
    fn kernels(&self, demand: &Demand, train: &Train) -> Parts {
        let Demand { forward, passes, split, tokens, tokens_done, traffic, launch, .. } = demand;
        let products = tokens_done / split
            * (forward.layers * (passes.linears + passes.linears_again) / self.rate(self.request.precision, *tokens)
                + forward.head * passes.head / self.rate(Compute::Bf16, *tokens)
                + forward.attention * (passes.attention + passes.attention_again) / self.attention_rate(train));
        let elementwise = traffic / self.bandwidth;
        let launch = (launch - products - elementwise).max(0.0);
        Parts { products, elementwise, launch, ..Parts::default() }
    }

    /// Rate of matrix products, lower for few rows and narrow matrices.
    fn rate(&self, precision: Compute, tokens: f64) -> f64 {
        let constants = self.constants;
        let width = self.request.model.hidden_size as f64 / f64::from(self.request.parallel.tensor);
        let fill = |size: f64, half: f64| size / (size + half);
        let shape = fill(tokens, constants.half_rate_rows) * fill(width, constants.half_rate_width);
        let (peak, eight_bit) = match precision {
            Compute::Fp8 => (self.peak, constants.efficiency_fp8),
            _ => (peak(self.gpu, self.half()).unwrap_or(self.peak), 1.0),
        };
        peak * self.efficiency() * eight_bit * shape
    }

    /// Part of the dense peak that large matrix products reach.
    fn efficiency(&self) -> f64 {
        match &*self.gpu.generation {
            _ if self.gpu.class == Class::Consumer => self.constants.efficiency_consumer,
            "ampere" => self.constants.efficiency_ampere,
            "hopper" => self.constants.efficiency_hopper,
            "blackwell" => self.constants.efficiency_blackwell,
            _ => self.constants.efficiency_other,
        }
    }

    /// 16-bit work stays 16-bit beside fp8 linears.
    fn half(&self) -> Compute {
        if self.request.precision == Compute::Fp8 { Compute::Bf16 } else { self.request.precision }
    }

    fn attention_rate(&self, train: &Train) -> f64 {
        // Those of Ampere are as good everywhere.
        let asynchronous = self.gpu.compute_capability.is_some_and(|capability| capability >= (9, 0));
        let kernel = if train.framework.kernels.tuned_attention && asynchronous {
            self.constants.efficiency_attention_tuned
        } else {
            self.constants.efficiency_attention
        };
        let peak = peak(self.gpu, self.half()).unwrap_or(self.peak);
        let ring = if self.request.parallel.context > 1 { self.constants.efficiency_ring } else { 1.0 };
        peak * self.efficiency() * kernel * ring
    }

    /// Bytes a second through one GPU of a group of this many, laid over `stride` GPUs each.
    ///
    /// Across machines a ring enters each machine once, so its members there share their NICs' rates.
    fn link(&self, group: f64, stride: f64) -> f64 {
        let per_node = f64::from(self.request.hardware.gpus.div_ceil(self.request.hardware.nodes));
        // GeForce cards write to each other only by way of the host.
        let peers = if self.gpu.class == Class::Consumer { self.constants.link_through_host } else { 1.0 };
        let pcie = self.gpu.link.pcie.0 / 2.0 * peers;
        let within = match self.gpu.link.kind {
            LinkKind::Nvlink | LinkKind::InfinityFabric | LinkKind::Fabric => self.gpu.link.bandwidth.0 / 2.0,
            LinkKind::NvlinkBridge if group <= 2.0 => self.gpu.link.bandwidth.0 / 2.0,
            LinkKind::NvlinkBridge | LinkKind::Pcie | LinkKind::None => pcie,
        };
        let members = (per_node / stride).clamp(1.0, group);
        let across = self.constants.network * pcie * members;
        let bandwidth = if group * stride <= per_node { within } else { within.min(across) };
        (bandwidth * self.constants.link_efficiency).max(1.0)
    }

    /// Seconds of a step's collectives that computing does not hide.
    fn exposed(&self, train: &Train, tokens: f64, micro: f64, trained: f64) -> f64 {
        let (parallel, model, constants) = (&self.request.parallel, &self.request.model, self.constants);
        let (_, accumulation) = schedule(train, parallel.pipeline);
        let (tensor, context) = (f64::from(parallel.tensor), f64::from(parallel.context));
        let layers = model.depth() as f64 / f64::from(parallel.pipeline);
        let hidden = 2.0 * model.hidden_size as f64;
        let again = Passes::of(model, train).linears_again;
        let of_group = |ranks: f64| (ranks - 1.0) / ranks;

        // Tensor parallel: two all-reduces forward, two backward, each a reduce-scatter and an all-gather.
        let tensor_bytes = (4.0 + 2.0 * again) * 2.0 * of_group(tensor) * tokens * hidden * layers;
        let tensor_time = tensor_bytes / self.link(tensor, 1.0);
        // Experts: tokens out and back, forward and backward.
        let expert = f64::from(parallel.expert);
        let chosen = model.layers.iter().map(|kind| match kind.ffn {
            crate::catalog::model::Ffn::Moe { top_k, .. } => top_k * kind.count,
            _ => 0,
        });
        let routed = chosen.sum::<u64>() as f64 / f64::from(parallel.pipeline);
        let expert_bytes = (4.0 + 2.0 * again) * of_group(expert) * tokens * hidden * routed;
        let expert_time = expert_bytes / self.link(expert, tensor);
        // Context parallel: keys and values pass round while scores are computed.
        let context_bytes = 6.0 * (context - 1.0) * tokens * hidden / 4.0 * layers / tensor;
        let context_time = context_bytes / self.link(context, tensor);
        let each_micro = tensor_time + expert_time + context_time;

        // Data parallel: gradients once a step, or with sharded weights these once forward and once backward.
        let per_node = self.request.hardware.gpus.div_ceil(self.request.hardware.nodes);
        let shard = Sharding::of(train.zero, parallel, per_node);
        let weights = 2.0 * model.counts.total as f64 / (tensor * f64::from(parallel.pipeline));
        let replicas = f64::from(parallel.data) * context;
        let link = self.link(replicas, tensor);
        let gradient = train.gradient_dtype.bytes() * trained;
        let gathered = if shard.weights {
            let reduced = if train.method == Method::Full { gradient } else { 0.0 };
            (2.0 * weights + reduced) * of_group(shard.ranks) / self.link(shard.ranks, tensor) * accumulation
        } else {
            0.0
        };
        let once = match train.zero {
            _ if shard.weights => 0.0,
            Zero::Ddp => 2.0 * gradient,
            // Reduced gradients, updated weights gathered.
            _ => gradient + weights.min(2.0 * trained),
        } * of_group(replicas)
            / link;
        // Larger groups wait for their slowest member and for longer rings.
        let straggling = constants.straggling * replicas.max(1.0).log2() * micro * accumulation;
        let hidden_by = |time: f64, cover: f64| (time - constants.overlap * cover).max(constants.least_exposed * time);
        each_micro * accumulation + hidden_by(gathered, micro * accumulation) + hidden_by(once, micro) + straggling
    }

    /// Writing the sequences of a step, all at once: each token reads the weights once.
    fn generation(&self, weights: f64) -> f64 {
        let steps = self.request.seq as f64 / 2.0;
        let bytes = 2.0 * weights;
        steps * bytes / (self.constants.decode_bandwidth * self.bandwidth)
    }
}
