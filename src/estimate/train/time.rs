//! Time of an optimizer step, and with it of a run.
//!
//! A micro batch takes the longer of what its kernels need and what launching them takes: matrix products at a part of
//! the GPU's dense peak, and at memory bandwidth what they read and write and everything elementwise. To that come the
//! collectives that computing does not hide, the pipeline's bubble, the optimizer and what is offloaded.

use super::exchange;
use super::flops::{Forward, Passes, per_token};
use super::machine::Machine;
use super::memory::{schedule, walk};
use super::regime::Regime;
use super::resident::Resident;
use super::saved::Walk;
use super::share::Share;
use super::stages::Load;
use super::states::LayersTrained;
use crate::catalog::constant::Training;
use crate::catalog::gpu::{Gpu, Vendor};
use crate::catalog::model::{Ffn, LayerKind, Model};
use crate::estimate::Time;
use crate::request::{Compute, Offload, Request, Train, Zero};
use crate::units::{FlopsPerSec, Seconds};

/// What the time of a step is made of, in seconds; in this order in the breakdown.
#[derive(Clone, Copy, Debug, Default)]
struct Parts {
    products: f64,
    experts: f64,
    elementwise: f64,
    launch: f64,
    communication: f64,
    bubble: f64,
    optimizer: f64,
    generation: f64,
}

impl Parts {
    /// Of a micro batch.
    fn kernels(&self) -> f64 {
        self.products + self.experts + self.elementwise + self.launch
    }

    /// By name, and how far off each may be, as a part of it.
    fn each(&self, gpu: &Gpu, constants: &Training) -> [(&'static str, f64, f64); 8] {
        let products = if gpu.vendor == Vendor::Nvidia { constants.doubt_products } else { constants.doubt_elsewhere };
        [
            ("time-products", self.products, products),
            ("time-experts", self.experts, constants.doubt_experts),
            ("time-elementwise", self.elementwise, constants.doubt_elementwise),
            ("time-launch", self.launch, constants.doubt_launch),
            ("time-communication", self.communication, constants.doubt_communication),
            ("time-bubble", self.bubble, constants.doubt_communication),
            ("time-optimizer", self.optimizer, constants.doubt_host),
            ("time-generation", self.generation, constants.doubt_host),
        ]
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
    let share = Share::of_stage(&request.model, &request.parallel, 0);
    let demand = Demand::of(request, train, walk, &share, constants);
    let parts = step(&machine, &demand, &share, train, resident, trained).each(gpu, constants);
    let step: f64 = parts.iter().map(|(_, seconds, _)| seconds).sum();
    // 80% of measured cases stay within the doubts of the parts, independent of each other.
    let doubt = 1.0 + parts.iter().map(|(_, seconds, doubt)| (seconds * doubt).powi(2)).sum::<f64>().sqrt() / step;
    let Demand { load, forward, passes, tokens, .. } = demand;
    let (parallel, gpus) = (&request.parallel, f64::from(request.hardware.gpus));
    let (_, accumulation) = schedule(train, parallel.pipeline);
    let global = tokens * f64::from(parallel.context) * accumulation * f64::from(parallel.data);
    let tokens_per_s = global / step;
    let model_flops = per_token(&forward, &passes, train, trained) * load.trained + load.forwards * forward.linears();
    let flops_per_gpu = model_flops * tokens_per_s / gpus;
    let total = train.tokens.map(|tokens| tokens as f64 / tokens_per_s);
    Some(Time {
        step: Seconds(step),
        tokens_per_s,
        tokens_per_s_per_gpu: tokens_per_s / gpus,
        flops_per_gpu: FlopsPerSec(flops_per_gpu),
        mfu: flops_per_gpu / machine.peak,
        low: tokens_per_s / doubt,
        high: tokens_per_s * doubt,
        total: total.map(Seconds),
        gpu_hours: total.map(|seconds| seconds * gpus / 3600.0),
        goodput_total: total.map(|s| (Seconds(s / constants.goodput_best), Seconds(s / constants.goodput_worst))),
        breakdown: parts.iter().map(|(name, seconds, _)| (*name, Seconds(*seconds))).collect(),
    })
}

/// Seconds of an optimizer step.
fn step(machine: &Machine, demand: &Demand, share: &Share, train: &Train, resident: &Resident, trained: f64) -> Parts {
    let Machine { request, constants, .. } = *machine;
    let (parallel, model) = (&request.parallel, &request.model);
    let (_, accumulation) = schedule(train, parallel.pipeline);
    let pipeline = f64::from(parallel.pipeline);
    let mut parts = demand.kernels(machine, train);
    let micro = parts.kernels();
    let part = trained / model.counts.total as f64;
    parts.communication = exchange::exposed(machine, share, train, demand.tokens, micro, part);
    parts.products *= accumulation;
    parts.experts *= accumulation;
    parts.elementwise *= accumulation;
    parts.launch *= accumulation;
    // 1F1B idles for as many micro batches as there are further stages, interleaved for a part of that.
    parts.bubble = micro * (pipeline - 1.0) / train.interleave as f64;
    let pcie = machine.gpu.link.pcie.0.max(1.0) / 2.0 * constants.link_efficiency;
    parts.optimizer = match train.offload {
        // Everything that is stepped is read and written.
        Offload::None => 2.0 * resident.stepped / machine.bandwidth,
        // The host steps, gradients go there and weights come back.
        Offload::Optimizer | Offload::Cpu => {
            2.0 * resident.stepped / constants.host_bandwidth + 4.0 * trained / demand.split / ranks(request) / pcie
        }
    };
    if train.offload == Offload::Cpu {
        // Weights come from the host for the forward and again for the backward.
        parts.communication += 2.0 * resident.weights / pcie * accumulation;
    }
    if demand.load.generates {
        parts.generation = generation(machine, model.counts.active as f64 / demand.split);
    }
    parts
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
    // Spread over enough ranks, experts' weights are read for the tokens of all of them.
    let share = Share { expert: f64::INFINITY, ..Share::of_stage(&request.model, &request.parallel, 0) };
    let demand = Demand::of(request, &sharded, &walk(request, &sharded, regime), &share, constants);
    let ranks = f64::from(request.parallel.tensor * request.parallel.pipeline);
    move |gpu| {
        let parts = demand.kernels(&Machine::of(gpu, request, constants)?, train);
        Some(demand.tokens / parts.kernels() / ranks)
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
    /// Bytes that pass through memory.
    traffic: f64,
    /// Seconds in which the host launches the kernels.
    launch: f64,
}

impl Demand {
    fn of(request: &Request, train: &Train, walk: &Walk, share: &Share, constants: &Training) -> Self {
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
        let compiled = train.compile || walk.fused_mlp;
        // A matrix product reads its two factors and writes what comes of them, in the forward as for either gradient.
        let products = passes.linears + passes.linears_again;
        let weights = share.parameters().iter().sum::<f64>() * dequantising(train, constants);
        let linears = tokens_done / split * linear_features(&request.model) + weights;
        // Two thirds of elementwise traffic are backward's, as of attention's operations.
        let elementwise = tokens_done * token_traffic(walk, compiled, pipeline, constants) * passes.attention / 3.0;
        let traffic = walk.regime.compute * linears * products + elementwise;
        let launched = if compiled { constants.launch_fused } else { constants.launch_layer };
        let hooks = if train.zero == Zero::Three { constants.launch_hooks } else { 0.0 };
        let routed = request.model.layers.iter().filter(|kind| matches!(kind.ffn, Ffn::Moe { .. }));
        let routed = routed.map(|kind| kind.count as f64).sum::<f64>();
        let launches = (launched + hooks) * request.model.depth() as f64 + constants.launch_experts * routed;
        let launch = launches / pipeline * (1.0 + passes.differentiated + passes.linears_again);
        Self { load, forward, passes, split, tokens, tokens_done, traffic, launch }
    }

    /// Of one micro batch: what its kernels need, or the longer time in which they are launched.
    fn kernels(&self, machine: &Machine, train: &Train) -> Parts {
        let Self { forward, passes, .. } = self;
        let precision = machine.request.precision;
        let (tokens, rate) = (self.tokens_done / self.split, machine.rate(precision));
        let linears = passes.linears + passes.linears_again;
        let products = tokens
            * (forward.layers * linears / rate
                + forward.head * passes.head / machine.rate(Compute::Bf16)
                + forward.attention * (passes.attention + passes.attention_again) / machine.attention_rate(train));
        let grouping = expert_width(&machine.request.model).map(|width| machine.constants.half_rate_experts / width);
        let experts = tokens * forward.experts * linears / rate * (1.0 + grouping.unwrap_or(0.0));
        let elementwise = self.traffic / machine.bandwidth;
        let launch = (self.launch - products - experts - elementwise).max(0.0);
        Parts { products, experts, elementwise, launch, ..Parts::default() }
    }
}

/// Intermediate features of a routed expert.
fn expert_width(model: &Model) -> Option<f64> {
    model.layers.iter().find_map(|kind| match kind.ffn {
        Ffn::Moe { intermediate_size, .. } => Some(intermediate_size as f64),
        Ffn::Dense { .. } | Ffn::None => None,
    })
}

/// Features that go into and come out of the layers' linears, of each token.
fn linear_features(model: &Model) -> f64 {
    let of = |kind: &LayerKind| {
        let chosen = match kind.ffn {
            Ffn::Moe { experts, top_k, .. } => top_k as f64 / experts as f64,
            Ffn::Dense { .. } | Ffn::None => 0.0,
        };
        let features = kind.tensors.iter().filter(|tensor| tensor.role.is_layer_linear()).map(|tensor| {
            let times = if tensor.role.is_routed_expert() { chosen * tensor.copies as f64 } else { 1.0 };
            times * (tensor.in_features + tensor.out_features) as f64
        });
        kind.count as f64 * features.sum::<f64>()
    };
    model.layers.iter().map(of).sum()
}

/// Bytes of memory traffic a token beside matrix products: what is kept for backward, read and written several times
/// by elementwise kernels, the logits, and each adapter's input and output.
fn token_traffic(walk: &Walk, compiled: bool, pipeline: f64, constants: &Training) -> f64 {
    let trained = LayersTrained::of(walk.model, walk.train) != LayersTrained::None;
    let (each, adapter) = if compiled {
        (constants.elementwise_fused, constants.adapter_traffic_fused)
    } else {
        (constants.elementwise_eager, constants.adapter_traffic)
    };
    let targets = walk.train.lora().map(|lora| lora.targets);
    let layer = |kind: &LayerKind| {
        let [mixer, ffn] = walk.halves(kind, trained);
        let kept = mixer + ffn;
        let adapted = kind.tensors.iter().filter(|t| targets.is_some_and(|to| to.reach(t.role, walk.model.fused)));
        let through: u64 = adapted.map(|t| t.in_features + t.out_features).sum();
        let adapters = adapter * walk.regime.compute * through as f64 / walk.tensor;
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

/// Times that packed weights pass through memory to be multiplied: bitsandbytes reads them, writes 16 bits and reads
/// those; GPTQ's linears unpack integers in several elementwise kernels.
fn dequantising(train: &Train, constants: &Training) -> f64 {
    match train.lora().and_then(|lora| lora.base) {
        Some(format) if format.name.starts_with("gptq") => constants.dequantise_gptq,
        Some(_) => constants.dequantise,
        None => 1.0,
    }
}

/// Writing the sequences of a step, all at once: each token reads the weights once.
fn generation(machine: &Machine, weights: f64) -> f64 {
    let steps = machine.request.seq as f64 / 2.0;
    steps * 2.0 * weights / (machine.constants.decode_bandwidth * machine.bandwidth)
}
