//! The ways to spread one model over a number of like GPUs.
//!
//! Only layouts that run: tensor parallel inside a node and dividing the heads, no more pipeline
//! stages than layers, whole nodes across nodes, and what the framework or engine can do
//! (`splits`, `shardings` of its row). Whether a layout fits is not known here (see `estimate`).

use super::search::Cluster;
use crate::catalog::support::{Sharding, Split};
use crate::request::complete::{experts, splits_heads};
use crate::request::{Concurrency, Offload, Request, Settings, Train, Value, Work};

/// Degrees and sharding of one set-up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Layout {
    pub tensor: u32,
    pub pipeline: u32,
    pub context: u32,
    pub expert: u32,
    pub data: u32,
    /// Chunks of layers that a pipeline rank takes in turn (virtual stages).
    pub interleave: u32,
    /// Training only.
    pub sharding: Option<Sharding>,
}

/// Knobs that a layout sets.
pub const KNOBS: [&str; 8] = ["tp", "pp", "cp", "ep", "dp", "interleave", "zero", "sharding"];
/// Those of them that say over how many GPUs.
pub const DEGREES: [&str; 5] = ["tp", "pp", "cp", "ep", "dp"];

/// Tokens of one optimizer step that no published run goes beyond: DeepSeek-V3's 15,360 sequences of 4,096.
const MOST_TOKENS_PER_STEP: u64 = 15_360 * 4096;

/// Ranks of the largest run that was data parallel alone: OLMo 7B by FSDP (Groeneveld et al. 2024).
const MOST_DATA_RANKS: u64 = 1024;

/// Sequences from this length are worth splitting by context parallelism.
pub const LONG: u64 = 32 * 1024;

impl Layout {
    /// Writes the layout out, leaving what the user asked as asked. Data parallel is what is left.
    pub fn write(self, settings: &mut Settings) {
        let serves = self.sharding.is_none();
        let degrees = [("tp", self.tensor), ("pp", self.pipeline), ("cp", self.context), ("ep", self.expert)];
        for (key, degree) in degrees {
            // Serving is tensor parallel by default.
            if degree > 1 || (key == "tp" && serves) {
                settings.values.entry(key).or_insert(Value::Count(degree.into()));
            }
        }
        if self.interleave > 1 {
            settings.values.entry("interleave").or_insert(Value::Count(self.interleave.into()));
        }
        let asked = settings.get("zero").is_some() || settings.get("sharding").is_some();
        if let Some(sharding) = self.sharding.filter(|_| !asked && self.data > 1) {
            let (key, value) = knob(sharding);
            settings.values.insert(key, value);
        }
    }
    /// Whether it differs in sharding alone: where the simpler of two fits, the other is not wanted.
    pub fn shards_more_than(self, other: Layout) -> bool {
        Self { sharding: other.sharding, ..self } == other
    }
    /// Parts each weight is cut into at most, full sharding over data-parallel ranks included.
    pub fn shards(self) -> u32 {
        let data = match self.sharding {
            Some(Sharding::Zero3 | Sharding::Fsdp | Sharding::Hsdp | Sharding::Zero2 | Sharding::Zero1) => self.data,
            Some(Sharding::Ddp) | None => 1,
        };
        self.tensor * self.pipeline * self.expert.max(data)
    }
}

fn knob(sharding: Sharding) -> (&'static str, Value) {
    match sharding {
        Sharding::Ddp => ("zero", Value::Count(0)),
        Sharding::Zero1 => ("zero", Value::Count(1)),
        Sharding::Zero2 => ("zero", Value::Count(2)),
        Sharding::Zero3 => ("zero", Value::Count(3)),
        Sharding::Fsdp => ("sharding", Value::Choice("fsdp")),
        Sharding::Hsdp => ("sharding", Value::Choice("hsdp")),
    }
}

/// Every layout over a cluster, the simplest first, keeping the degrees that were asked.
pub fn layouts(settings: &Settings, request: &Request, cluster: Cluster) -> Vec<Layout> {
    let Cluster { gpu, gpus, nodes } = cluster;
    let model = &request.model;
    let (splits, shardings) = match &request.work {
        Work::Train(train) => (&train.framework.splits, shardings(train)),
        Work::Infer(infer) => (&infer.backend.splits, vec![]),
    };
    let can = |split| splits.contains(&split);
    let asked = |key, degree: u32| settings.count(key).is_none_or(|asked| asked == u64::from(degree));
    let per_node = gpus / nodes.max(1);
    let tensors: Vec<u32> = divisors(per_node, per_node)
        .filter(|tp| *tp == 1 || (can(Split::Tensor) && splits_heads(model, *tp)))
        .collect();
    let widest = tensors.last().copied().unwrap_or(1);
    let experts = experts(model);
    let depth = model.depth() as u32;
    // The fullest stage of a training run holds at most a tenth more layers than the mean: the others wait for it.
    let even = |pp: u32| {
        request.infer().is_some() || settings.get("pp").is_some() || depth.div_ceil(pp) * pp * 10 <= depth * 11
    };
    let linked = gpu.link.joins_all();
    // A server's experts answer every token: over cards that are linked.
    let spreads_experts = experts > 0 && can(Split::Expert) && (linked || request.train().is_some());
    let replicas = match &request.work {
        Work::Train(train) => {
            let most = (MOST_TOKENS_PER_STEP / (train.micro_batch_size * request.seq).max(1)).max(1);
            if splits.iter().all(|split| *split == Split::Data) { most.min(MOST_DATA_RANKS) } else { most }
        }
        Work::Infer(infer) => match infer.concurrency {
            Concurrency::Requests(requests) => requests,
            Concurrency::Max => u64::MAX,
        },
    };
    let mut found = Vec::new();
    for tensor in tensors.into_iter().filter(|tp| asked("tp", *tp)) {
        // Stages are for what tensor parallelism cannot reach: beyond the node; in its place where cards are
        // not linked, or where it is experts that are spread.
        let staged = tensor == widest || (tensor == 1 && (!linked || spreads_experts));
        let stages =
            divisors(gpus / tensor, depth).filter(|pp| *pp == 1 || (can(Split::Pipeline) && staged && even(*pp)));
        for pipeline in stages.filter(|pp| asked("pp", *pp)) {
            let rest = gpus / tensor / pipeline;
            let contexts = divisors(rest, 8);
            let contexts = contexts
                .filter(|cp| *cp == 1 || settings.get("cp").is_some() || (can(Split::Context) && request.seq >= LONG));
            for context in contexts.filter(|cp| asked("cp", *cp)) {
                let data = rest / context;
                if !asked("dp", data) || (data > 1 && (!can(Split::Data) || u64::from(data) > replicas)) {
                    continue;
                }
                // In training tensor ranks hold whole experts of their own.
                let ranks = if request.train().is_some() { data * tensor } else { data };
                let widest_expert =
                    divisors(ranks, experts as u32).filter(|ep| experts.is_multiple_of(u64::from(*ep))).max();
                let spread = widest_expert.filter(|ep| *ep > 1 && spreads_experts);
                let asked_expert = settings.count("ep").map(|ep| ep as u32);
                for expert in
                    asked_expert.map_or_else(|| vec![Some(1), spread], |ep| vec![Some(ep)]).into_iter().flatten()
                {
                    let layout = Layout { tensor, pipeline, context, expert, data, interleave: 1, sharding: None };
                    let shardings = if data == 1 { &shardings[..shardings.len().min(1)] } else { &shardings };
                    if shardings.is_empty() {
                        found.push(layout);
                    }
                    for (interleave, sharding) in
                        chunks(request, &layout).into_iter().flat_map(|n| shardings.iter().map(move |s| (n, s)))
                    {
                        found.push(Layout { interleave, sharding: Some(*sharding), ..layout });
                    }
                }
            }
        }
    }
    found
}

/// Those of the framework under which ranks can leave to the host what they are to: DeepSpeed offloads the optimizer of
/// sharded states, and parameters at stage 3, as FSDP does.
fn shardings(train: &Train) -> Vec<Sharding> {
    let offloads = |sharding: &Sharding| match train.offload {
        Offload::None => true,
        Offload::Optimizer => *sharding != Sharding::Ddp,
        Offload::Cpu => matches!(sharding, Sharding::Zero3 | Sharding::Fsdp | Sharding::Hsdp),
    };
    let shardings = &train.framework.shardings;
    let able: Vec<Sharding> = shardings.iter().copied().filter(offloads).collect();
    if able.is_empty() { shardings.clone() } else { able }
}

/// Chunks of layers of a pipeline rank in training: one, and where micro batches come in groups as large as the pipeline
/// (which the interleaved schedule needs) one for each layer. Narayanan et al. 2021, section 2.2.
fn chunks(request: &Request, layout: &Layout) -> Vec<u32> {
    let asked = request.settings.get("interleave").is_some();
    let Some(train) = request.train().filter(|_| layout.pipeline > 1 && !asked) else { return vec![1] };
    let micro_batches = match request.settings.count("global_batch") {
        Some(global) => global / (train.micro_batch_size * u64::from(layout.data)).max(1),
        None => train.gradient_accumulation,
    };
    let layers = request.model.depth().div_ceil(layout.pipeline.into()) as u32;
    if layers > 1 && micro_batches > 0 && micro_batches.is_multiple_of(layout.pipeline.into()) {
        vec![1, layers]
    } else {
        vec![1]
    }
}

/// Divisors of `n` up to `most`, ascending.
fn divisors(n: u32, most: u32) -> impl Iterator<Item = u32> {
    (1..=n.min(most)).filter(move |d| n.is_multiple_of(*d))
}
