//! The hardware of a line and how a model is spread over it, each degree checked against both.

use crate::catalog::model::{Ffn, Mixer};
use crate::catalog::{Catalog, Gpu, Model};
use crate::message::Problem;
use crate::msg;
use crate::request::knobs;
use crate::request::settings::{Settings, Verb};
use crate::request::{Hardware, Parallel, ParallelAsked};

fn gpu(settings: &Settings, catalog: &'static Catalog) -> Result<Option<&'static Gpu>, Problem> {
    match settings.texts("gpu") {
        [] => Ok(None),
        [id] => catalog.gpu(id).map(Some).ok_or_else(|| knobs::no_gpu(id, &catalog.names().gpu(id))),
        several => {
            Err(Problem::of("gpu", msg!("problem-one-gpu")).suggest(several.iter().map(|id| format!("gpu={id}"))))
        }
    }
}

/// The ranks that the given degrees come to.
pub(in crate::request) fn ranks(settings: &Settings) -> u64 {
    let degrees = ["tp", "pp", "cp", "dp"].iter().filter_map(|key| settings.count(key));
    degrees.fold(1, u64::saturating_mul)
}

/// GPUs in all: as asked, else what the parallel degrees or the nodes come to, else one.
pub(super) fn hardware(settings: &Settings, catalog: &'static Catalog) -> Result<Hardware, Problem> {
    let gpu = gpu(settings, catalog)?;
    let degrees = ranks(settings);
    let per_node = u64::from(gpu.map_or(8, |gpu| gpu.gpus_per_node));
    let nodes = settings.count("nodes");
    let gpus = settings.count("gpus").unwrap_or_else(|| match nodes {
        Some(nodes) => degrees.max(nodes.saturating_mul(per_node)),
        None => degrees,
    });
    let fits = u32::try_from(gpus).ok().filter(|gpus| *gpus <= 1_000_000);
    let gpus = fits.ok_or_else(|| Problem::of("gpus", msg!("problem-too-many-gpus", gpus = gpus)))?;
    if let Some(nodes) = nodes.filter(|nodes| !u64::from(gpus).is_multiple_of(*nodes)) {
        return Err(Problem::of("nodes", msg!("problem-nodes-do-not-divide", nodes = nodes, gpus = gpus))
            .suggest([format!("gpus={}", u64::from(gpus).next_multiple_of(nodes))]));
    }
    let most = gpu.map_or(8, Gpu::most_per_node);
    let nodes = nodes.map_or_else(|| gpus.div_ceil(most), |nodes| nodes as u32);
    Ok(Hardware { gpu, gpus, nodes })
}

/// The parallel degrees: those asked, checked against the GPUs and the model; the rest as simple as can be.
pub(super) fn parallel(
    settings: &Settings,
    work: Verb,
    model: &Model,
    hardware: &Hardware,
) -> Result<Parallel, Problem> {
    let gpus = hardware.gpus;
    let asked = |key| settings.count(key).map(|n| n as u32);
    let (mut tp, pp, dp, mut ep, cp) = (asked("tp"), asked("pp"), asked("dp"), asked("ep"), asked("cp"));
    if let (Verb::Infer, Some(ranks), Some(replicas)) = (work, tp, dp)
        && ranks > 1
        && model.is_moe()
        && ranks.is_multiple_of(replicas)
        && u64::from(ranks) * u64::from(pp.unwrap_or(1)) * u64::from(cp.unwrap_or(1)) == u64::from(gpus)
    {
        // SGLang's data-parallel attention: the same ranks hold `dp` replicas of attention and share the experts.
        tp = Some(ranks / replicas);
        ep = ep.or(Some(ranks));
    }
    for (key, degree) in [("tp", tp), ("pp", pp), ("dp", dp), ("ep", ep), ("cp", cp)] {
        let Some(degree) = degree else { continue };
        if degree > gpus || !gpus.is_multiple_of(degree) {
            return Err(Problem::of(key, msg!("problem-degree-of-gpus", knob = key, degree = degree, gpus = gpus))
                .suggest(divisors(gpus).filter(|d| *d <= degree).max().map(|d| format!("{key}={d}"))));
        }
    }
    let heads_allow = |degree: u32| splits_heads(model, degree);
    if let Some(tp) = tp.filter(|tp| !heads_allow(*tp)) {
        return Err(Problem::of("tp", msg!("problem-tp-heads", degree = tp, model = model.id.as_str()))
            .suggest(divisors(gpus).filter(|d| *d < tp && heads_allow(*d)).max().map(|d| format!("tp={d}"))));
    }
    if let Some(pp) = pp.filter(|pp| u64::from(*pp) > model.depth()) {
        return Err(Problem::of("pp", msg!("problem-pp-layers", degree = pp, layers = model.depth()))
            .suggest(divisors(gpus).filter(|d| u64::from(*d) <= model.depth()).max().map(|d| format!("pp={d}"))));
    }
    let experts = experts(model);
    let (pipeline, context) = (pp.unwrap_or(1), cp.unwrap_or(1));
    if let Some(ep) = ep.filter(|ep| *ep > 1) {
        // Experts of a training run are spread within a stage.
        let ranks = if work == Verb::Train { gpus / pipeline } else { gpus };
        let fault = if !experts.is_multiple_of(u64::from(ep)) {
            Some(msg!("problem-ep-experts", degree = ep, experts = experts))
        } else if !ranks.is_multiple_of(ep) {
            Some(msg!("problem-degree-of-gpus", knob = "ep", degree = ep, gpus = ranks))
        } else {
            None
        };
        let fits = |degree: &u32| *degree < ep && (*degree == 1 || experts.is_multiple_of(u64::from(*degree)));
        if let Some(fault) = fault {
            let less = divisors(ranks).filter(fits).max();
            return Err(Problem::of("ep", fault).suggest(less.map(|degree| format!("ep={degree}"))));
        }
    }
    if let (Verb::Infer, Some(tp), Some(dp)) = (work, tp, dp)
        && tp * pipeline == gpus
        && dp > 1
        && tp.is_multiple_of(dp)
    {
        // SGLang's data-parallel attention is counted inside the tensor ranks.
        let asked =
            ParallelAsked { tensor: true, pipeline: pp.is_some(), data: true, expert: ep.is_some(), context: false };
        let expert = ep.unwrap_or(tp);
        return Ok(Parallel { tensor: tp / dp, pipeline, data: dp, expert, context, asked });
    }
    let given = [pipeline, context, tp.unwrap_or(1), dp.unwrap_or(1)];
    let given = given.into_iter().fold(1, |product: u64, degree| product.saturating_mul(degree.into()));
    if given > u64::from(gpus) || !u64::from(gpus).is_multiple_of(given) {
        return Err(Problem::of("gpus", msg!("problem-degrees-product", product = given, gpus = gpus))
            .suggest([format!("gpus={given}")]));
    }
    let left = (u64::from(gpus) / given) as u32;
    let (tensor, data) = match (tp, dp) {
        (Some(_), Some(_)) if left > 1 => {
            return Err(Problem::of("gpus", msg!("problem-degrees-product", product = given, gpus = gpus))
                .suggest([format!("gpus={given}")]));
        }
        (Some(tp), dp) => (tp, dp.unwrap_or(left)),
        (None, Some(dp)) if heads_allow(left) => (left, dp),
        (None, Some(dp)) => {
            return Err(Problem::of("dp", msg!("problem-tp-heads", degree = left, model = model.id.as_str()))
                .suggest([format!("dp={}", dp * left)]));
        }
        (None, None) if work == Verb::Train => (1, left),
        (None, None) => {
            let tensor = divisors(left).filter(|d| heads_allow(*d)).max().unwrap_or(1);
            (tensor, left / tensor)
        }
    };
    let asked = ParallelAsked {
        tensor: tp.is_some(),
        pipeline: pp.is_some(),
        data: dp.is_some(),
        expert: ep.is_some(),
        context: cp.is_some(),
    };
    Ok(Parallel { tensor, pipeline, data, expert: ep.unwrap_or(1), context, asked })
}

fn divisors(n: u32) -> impl Iterator<Item = u32> {
    (1..=n.min(4096)).filter(move |d| n.is_multiple_of(*d)).chain((n > 4096).then_some(n))
}

/// Whether every layer's heads split over `degree` ranks, key/value heads split or replicated.
pub fn splits_heads(model: &Model, degree: u32) -> bool {
    let degree = u64::from(degree);
    fn splits(mixer: &Mixer, degree: u64) -> bool {
        match mixer {
            Mixer::Attention { heads, kv_heads, .. } => {
                heads.is_multiple_of(degree) && (kv_heads.is_multiple_of(degree) || degree.is_multiple_of(*kv_heads))
            }
            Mixer::Latent { heads, .. } | Mixer::Compressed { heads, .. } => heads.is_multiple_of(degree),
            Mixer::Linear { value_heads, .. } => value_heads.is_multiple_of(degree),
            Mixer::Mamba { inner_size, .. } => inner_size.is_multiple_of(degree),
            Mixer::Parallel(a, b) => splits(a, degree) && splits(b, degree),
            Mixer::None => true,
        }
    }
    model.layers.iter().all(|layer| splits(&layer.mixer, degree))
}

/// Routed experts of an expert layer; 0 of a dense model.
pub fn experts(model: &Model) -> u64 {
    let of = |ffn: &Ffn| match ffn {
        Ffn::Moe { experts, .. } => *experts,
        Ffn::Dense { .. } | Ffn::None => 0,
    };
    model.layers.iter().map(|layer| of(&layer.ffn)).max().unwrap_or(0)
}
