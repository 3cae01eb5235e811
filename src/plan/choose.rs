//! From what was asked to a full request: the layout an engineer would take where none is given,
//! the largest length, batch or share of the layers where `max` is asked, and the fewest GPUs where `min` is.

use super::layout::{Layout, layouts};
use super::search::{Cluster, Pool, Search};
use super::{Verdict, verdict};
use crate::catalog::Catalog;
use crate::estimate::{Estimate, estimate};
use crate::message::Problem;
use crate::msg;
use crate::request::{Bound, Hardware, Request, Settings, Value, complete};

/// A layout must be this much faster than a simpler one to be taken.
pub const FASTER: f64 = 1.03;

/// Completes the settings, choosing the layout on the hardware given; what is chosen stands in `assumed`.
pub fn choose(settings: &Settings, catalog: &'static Catalog) -> Result<Request, Problem> {
    let modest = modest(settings);
    let mut chosen = modest.clone();
    // Whether the global batch divides over the data-parallel ranks is for the layout to say.
    let open = modest.without("global_batch");
    let plain = complete(&open, catalog)?;
    let Hardware { gpu, gpus, nodes } = plain.hardware;
    if let Some(fewest) = settings.is_open("gpus").then(|| fewest(&plain, catalog)).flatten() {
        chosen.values = fewest.values;
    } else if let Some(gpu) = gpu.filter(|_| gpus > 1)
        && let Some(layout) = best_layout(&modest, &plain, Cluster { gpu, gpus, nodes }, catalog)
    {
        layout.write(&mut chosen);
    }
    for key in ["seq", "batch", "gpu_layers", "cpu_moe"] {
        if let Some(Value::Bound(bound)) = settings.get(key) {
            chosen = solve(&chosen, key, *bound, catalog)?;
        }
    }
    if open == *settings && chosen == *settings {
        return Ok(plain);
    }
    let mut request = complete(&chosen, catalog)?;
    let added = chosen.values.iter().filter(|(key, value)| settings.get(key) != Some(value));
    for (key, value) in added {
        request.assumed.retain(|(assumed, _)| assumed != key);
        request.assumed.push((key, value.to_string().into()));
    }
    request.settings = settings.clone();
    Ok(request)
}

/// The request on the fewest GPUs of the card that was named that run it, with the layout and savings that takes.
fn fewest(request: &Request, catalog: &'static Catalog) -> Option<Settings> {
    let setup = Search::new(request, &[], Pool::Rented, catalog)?.fewest_of_named()?;
    Some(setup.settings.clone())
}

/// The settings with every `max` that is solved for at a small value, to choose the layout under.
fn modest(settings: &Settings) -> Settings {
    let mut modest = settings.clone();
    for (key, small) in [("seq", 2048), ("batch", 1)] {
        if modest.is_open(key) {
            modest.values.insert(key, Value::Count(small));
        }
    }
    modest
}

/// Serving: one replica over all GPUs, tensor parallel as far as heads and node go, unless a degree was asked.
/// Training: of the layouts that fit the fastest, the simpler of two alike and sharded no more than is
/// needed; where none fits the one that lacks least.
fn best_layout(settings: &Settings, plain: &Request, cluster: Cluster, catalog: &'static Catalog) -> Option<Layout> {
    let mut layouts = layouts(settings, plain, cluster);
    if plain.infer().is_some() {
        let open = ["tp", "pp", "dp"].iter().all(|key| settings.get(key).is_none());
        let one = layouts.into_iter().min_by_key(|layout| (layout.data, layout.pipeline, layout.expert));
        return one.filter(|_| open);
    }
    // Who asks for sharded weights has them split by that alone.
    let plainly = |layout: &Layout| layout.tensor == 1 && layout.pipeline == 1;
    let shards_weights = settings.get("sharding").is_some() || settings.count("zero") == Some(3);
    if shards_weights && layouts.iter().any(plainly) {
        layouts.retain(plainly);
    }
    if let [only] = layouts[..] {
        return Some(only);
    }
    let mut simplest: Option<Layout> = None;
    let mut fitting: Option<(Layout, f64)> = None;
    let mut nearest: Option<(Layout, f64)> = None;
    for layout in layouts {
        if simplest.is_some_and(|simplest| layout.shards_more_than(simplest)) {
            continue;
        }
        let mut tried = settings.clone();
        layout.write(&mut tried);
        let Ok(request) = complete(&tried, catalog) else { continue };
        let estimate = estimate(&request);
        if fits(&request, &estimate) {
            simplest = Some(layout);
            let speed = speed(&estimate).unwrap_or(0.0);
            if fitting.is_none_or(|(_, best)| speed > best * FASTER) {
                fitting = Some((layout, speed));
            }
        } else if nearest.is_none_or(|(_, least)| estimate.memory.needed.0 < least) {
            nearest = Some((layout, estimate.memory.needed.0));
        }
    }
    fitting.or(nearest).map(|(layout, _)| layout)
}

pub fn fits(request: &Request, estimate: &Estimate) -> bool {
    match verdict(request, estimate) {
        Verdict::Fits { .. } | Verdict::Tight { .. } => true,
        Verdict::Short { .. } | Verdict::NoGpu => false,
    }
}

/// Tokens per second over all GPUs: trained, or served.
pub fn speed(estimate: &Estimate) -> Option<f64> {
    match &estimate.serving {
        Some(serving) => serving.speed.as_ref().map(|speed| speed.tokens_per_s.value),
        None => estimate.time.as_ref().map(|time| time.tokens_per_s),
    }
}

/// The largest value of a knob that fits, or the smallest, by bisection over the estimate.
fn solve(settings: &Settings, key: &'static str, bound: Bound, catalog: &'static Catalog) -> Result<Settings, Problem> {
    let with = |n: u64| settings.with(key, Value::Count(n));
    let first = complete(&with(1), catalog)?;
    let most = match key {
        "seq" => first.model.max_position.unwrap_or(1 << 20),
        "gpu_layers" | "cpu_moe" => first.model.depth() + 1,
        _ => 1 << 16,
    };
    // The least is what leaves most of all.
    let at = |n: u64| with(if bound == Bound::Min { most - n } else { n });
    if first.hardware.gpu.is_none() {
        let free = if key == "batch" { Err(()) } else { Ok(at(most)) };
        return free.map_err(|()| Problem::of(key, msg!("problem-max-needs-gpu", knob = key)));
    }
    let holds = |n: u64| complete(&at(n), catalog).is_ok_and(|request| fits(&request, &estimate(&request)));
    Ok(at(largest(u64::from(bound == Bound::Max), most, holds)))
}

/// The largest of `low..=high` for which `holds`, which holds up to some point; `low` where it never does.
pub fn largest(low: u64, high: u64, holds: impl Fn(u64) -> bool) -> u64 {
    let (mut low, mut high) = (low, high);
    if holds(high) {
        return high;
    }
    while high - low > 1 {
        let middle = low + (high - low) / 2;
        if holds(middle) {
            low = middle;
        } else {
            high = middle;
        }
    }
    low
}

#[cfg(test)]
mod tests {
    use super::largest;

    #[test]
    fn bisection_finds_the_last_that_holds() {
        assert_eq!(largest(1, 100, |n| n <= 37), 37);
        assert_eq!(largest(1, 100, |_| true), 100);
        assert_eq!(largest(1, 100, |_| false), 1);
        assert_eq!(largest(5, 6, |n| n <= 5), 5);
    }
}
