//! Which hardware would run the request, and what is best about each.
//!
//! Every accelerator that the engine or framework runs on, by count and node count, each in every
//! layout (see `layout`), judged by `estimate`. A cluster is estimated only where `bounds` leave it a
//! chance to hold the request and to beat the best found. [`Search::every`] looks at all of it without
//! bounds; a test holds the two against each other.

use super::bounds::{Variant, outdoes};
use super::choose::{FASTER, speed};
use super::layout::{self, Layout, layouts};
use super::targets::{self, Targets};
use super::{Cost, Verdict, verdict};
use crate::catalog::backend::Loads;
use crate::catalog::gpu::{Class, Vendor};
use crate::catalog::{Catalog, Gpu};
use crate::estimate::{Estimate, estimate};
use crate::request::{OnHost, Parallel, Request, Settings, Value, Work, Zero, complete};
use crate::units::Bytes;
use rustc_hash::FxHashMap;
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::rc::Rc;

/// Largest cluster looked at.
const MOST_GPUS: u32 = 131_072;
/// Of a fleet every number of machines is looked at up to this many.
const EACH_MACHINE: u32 = 16;

/// Like GPUs in like machines.
#[derive(Clone, Copy, Debug)]
pub struct Cluster {
    pub gpu: &'static Gpu,
    pub gpus: u32,
    pub nodes: u32,
}

impl Cluster {
    /// All GPUs together; `None` where the price is not known.
    pub fn usd_per_hour(&self) -> Option<f64> {
        self.gpu.price.as_ref().map(|price| price.usd_per_hour * f64::from(self.gpus))
    }
}

/// A cluster with the layout that runs it fastest, as estimated.
#[derive(Clone, Debug)]
pub struct Setup {
    pub cluster: Cluster,
    pub parallel: Parallel,
    /// Training only.
    pub zero: Option<Zero>,
    pub settings: Settings,
    pub changes: Vec<(&'static str, Value)>,
    pub device: Bytes,
    pub headroom: Bytes,
    pub tokens_per_s: Option<f64>,
    pub ttft_ms: Option<f64>,
    pub tpot_ms: Option<f64>,
    /// Requests held at once.
    pub held: Option<u64>,
    /// Of the whole run, where its length is known.
    pub hours: Option<f64>,
    pub usd_per_hour: Option<f64>,
}

impl Setup {
    pub fn cost(&self) -> Option<Cost> {
        let usd_per_hour = self.usd_per_hour?;
        match self.hours {
            Some(hours) => Some(Cost::Run(usd_per_hour * hours)),
            None => Some(Cost::MillionTokens(usd_per_hour / 3600.0 / self.tokens_per_s? * 1e6)),
        }
    }
}

/// Which GPUs are looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pool {
    /// Those whose price is known: what can be rented; and the one that was named. Beside them cards with unified
    /// memory, for engines of GGUF.
    Rented,
    /// Every one; for training none with unified memory unless vendor, class or fleet ask for it.
    Any,
}

pub struct Search {
    catalog: &'static Catalog,
    /// Those of the pool that run the request.
    gpus: Vec<&'static Gpu>,
    variants: Vec<Variant>,
    targets: Targets,
    runs_on: &'static [Vendor],
    named: Option<&'static Gpu>,
    /// GPUs in all, where that was asked with the GPU left open.
    asked_gpus: Option<u32>,
    pool: Pool,
    /// Clusters that bounds leave a chance.
    open: Vec<Cluster>,
    /// The target left out, whose nearest is looked for.
    sought: Option<&'static str>,
    seen: FxHashMap<(*const Gpu, u32), Option<Rc<Setup>>>,
}

/// Knobs that the search sets.
const HARDWARE: [&str; 3] = ["gpu", "gpus", "nodes"];

impl Search {
    /// `None` where the request needs hardware to be valid at all.
    pub fn new(
        request: &Request,
        changes: &[(&'static str, Value)],
        pool: Pool,
        catalog: &'static Catalog,
    ) -> Option<Self> {
        let mut open = request.settings.clone();
        let asked_gpus = request.hardware.gpu.is_none().then(|| open.count("gpus")).flatten();
        open.values.retain(|key, _| !HARDWARE.contains(key));
        if request.hardware.gpu.is_some() {
            // The layout was asked for that hardware.
            open.values.retain(|key, _| !layout::KNOBS.contains(key));
        }
        // Other cards may hold what this one leaves to the CPU.
        for (knob, _, bound) in OnHost::KNOBS {
            open.values.entry(knob).and_modify(|value| *value = Value::Bound(bound));
        }
        let mut ways = vec![changes.to_vec()];
        let recomputes = request.train().is_some() && open.get("checkpointing").is_none();
        if recomputes {
            ways.push([changes, &[("checkpointing", Value::Choice("on"))]].concat());
        }
        let variants: Vec<_> = ways.into_iter().filter_map(|changes| Variant::of(&open, changes, catalog)).collect();
        let runs_on = match &variants.first()?.request.work {
            Work::Train(train) => train.framework.runs_on.as_slice(),
            Work::Infer(infer) => infer.backend.runs_on.as_slice(),
        };
        let targets = Targets::of(request);
        let search = Self {
            catalog,
            gpus: vec![],
            variants,
            targets,
            runs_on,
            named: request.hardware.gpu,
            asked_gpus: asked_gpus.and_then(|gpus| u32::try_from(gpus).ok()),
            pool,
            open: vec![],
            sought: None,
            seen: FxHashMap::default(),
        };
        Some(search.opened())
    }

    fn opened(mut self) -> Self {
        self.gpus = self.catalog.gpus.iter().filter(|gpu| self.takes(gpu)).collect();
        for variant in &mut self.variants {
            variant.time(&self.gpus);
        }
        let may_do = |cluster: &Cluster| self.variants.iter().any(|variant| self.may_do(variant, *cluster));
        self.open = self.gpus.iter().flat_map(|gpu| self.counts(gpu)).filter(may_do).collect();
        self
    }

    /// The same search with one target left out.
    pub fn without(self, knob: &'static str) -> Self {
        let sought = Some(knob).filter(|knob| targets::NUMBERS.contains(knob));
        Self { targets: self.targets.without(knob), sought, seen: FxHashMap::default(), ..self }.opened()
    }

    /// How good a layout is: more is better, twice as good is twice as much.
    fn rank(&self, setup: &Setup) -> f64 {
        match self.sought {
            Some(knob @ ("ttft" | "tpot")) => {
                targets::value(knob, setup).map_or(0.0, |milliseconds| 1.0 / milliseconds)
            }
            Some(_) | None => setup.tokens_per_s.unwrap_or(0.0),
        }
    }

    fn takes(&self, gpu: &Gpu) -> bool {
        let weights = self.variants.first().and_then(|variant| variant.request.infer()).map(|infer| infer.weights);
        self.runs_on.contains(&gpu.vendor)
            && self.targets.admit(gpu, 1)
            && weights.is_none_or(|format| format.runs_on(gpu))
            && (self.wanted(gpu) || self.unified(gpu))
    }

    fn wanted(&self, gpu: &Gpu) -> bool {
        let asked = self.targets.words().next().is_some();
        match self.pool {
            _ if self.is_named(gpu) => true,
            Pool::Rented => gpu.price.is_some(),
            Pool::Any => !gpu.is_part && (gpu.class != Class::Unified || asked || !self.trains()),
        }
    }

    fn owns(&self) -> bool {
        !self.targets.fleet().is_empty()
    }

    fn is_named(&self, gpu: &Gpu) -> bool {
        self.named.is_some_and(|named| named.id == gpu.id)
    }

    fn trains(&self) -> bool {
        self.variants.iter().any(|variant| variant.request.train().is_some())
    }

    /// Whether the GPU shares the host's memory and the engine is one that people run there.
    fn unified(&self, gpu: &Gpu) -> bool {
        let gguf =
            |variant: &Variant| variant.request.infer().is_some_and(|infer| infer.backend.loads == [Loads::Gguf]);
        gpu.class == Class::Unified && self.variants.iter().any(gguf)
    }

    /// Numbers of a GPU that are looked at, ascending: powers of two in a machine, then whole machines, of cards that
    /// are linked. Of what is owned every number in a machine, so that more are never worse.
    fn counts(&self, gpu: &'static Gpu) -> Vec<Cluster> {
        let machine = gpu.most_per_node();
        let owned = self.targets.owned(gpu).map(|owned| owned.min(MOST_GPUS));
        let counts: Vec<u32> = match (self.asked_gpus, owned) {
            (Some(gpus), _) => vec![gpus],
            (None, Some(owned)) => {
                let machines = (2..EACH_MACHINE).chain(steps(EACH_MACHINE, 8)).map(|n| n * machine);
                let fleet = (1..=machine).chain(machines).take_while(|gpus| *gpus < owned);
                fleet.chain([owned]).collect()
            }
            (None, None) => {
                let within = (0..).map(|n| 1 << n).take_while(|n| *n < machine).chain([machine]);
                let joined = gpu.link.joins_all() && matches!(gpu.class, Class::Datacenter | Class::Cloud);
                let most = if joined || self.is_named(gpu) { MOST_GPUS } else { machine };
                let machines = steps(2, 2).map(|n| n * machine);
                within.chain(machines.take_while(|gpus| *gpus <= most)).collect()
            }
        };
        let admitted = counts.into_iter().filter(|gpus| self.targets.admit(gpu, *gpus));
        let whole = admitted.filter(|gpus| *gpus <= machine || gpus.is_multiple_of(machine));
        whole.map(|gpus| Cluster { gpu, gpus, nodes: gpus.div_ceil(machine) }).collect()
    }

    /// The best way to run on a cluster, where it fits with headroom and meets the targets.
    fn setup(&mut self, cluster: Cluster) -> Option<Rc<Setup>> {
        let key = (std::ptr::from_ref(cluster.gpu), cluster.gpus);
        if let Some(known) = self.seen.get(&key) {
            return known.clone();
        }
        let mut ways = self.variants.iter().filter_map(|variant| self.best_layout(variant, cluster, true));
        let found = match self.sought {
            Some(_) => ways.max_by(|a, b| self.rank(a).total_cmp(&self.rank(b))),
            None => ways.next(),
        };
        let found = found.map(Rc::new);
        self.seen.insert(key, found.clone());
        found
    }

    /// The fastest layout that fits and meets the targets, the simpler of two alike.
    fn best_layout(&self, variant: &Variant, cluster: Cluster, bounded: bool) -> Option<Setup> {
        if bounded && !self.may_do(variant, cluster) {
            return None;
        }
        let mut best: Option<Setup> = None;
        let sensible = |layout: &Layout| variant.needs_stages(layout, cluster);
        for layout in layouts(&variant.settings, &variant.request, cluster).into_iter().filter(sensible) {
            if bounded && variant.states.0 / f64::from(layout.shards()) > cluster.gpu.memory.0 {
                continue;
            }
            let mut settings = variant.settings.clone();
            write(cluster, &mut settings);
            if cluster.gpus > 1 {
                layout.write(&mut settings);
            }
            let Ok(request) = complete(&settings, self.catalog) else { continue };
            let estimate = estimate(&request);
            let Verdict::Fits { headroom } = verdict(&request, &estimate) else { continue };
            let setup = Setup::of(cluster, &request, settings, variant.changes.clone(), &estimate, headroom);
            if !self.targets.met(&setup) {
                continue;
            }
            let beaten = best.as_ref().map(|best| self.rank(best) * FASTER);
            if beaten.is_none_or(|beaten| self.rank(&setup) > beaten) {
                best = Some(setup);
            }
        }
        best
    }

    /// The smallest number of each GPU that does, and every number up to a full machine, of a fleet every number, that
    /// does: without bounds.
    pub fn every(&self) -> Vec<Setup> {
        let mut all = Vec::new();
        for gpu in self.gpus.iter().copied() {
            let mut any = false;
            for cluster in self.counts(gpu) {
                if any && cluster.nodes > 1 && !self.owns() {
                    break;
                }
                let found = self.variants.iter().find_map(|variant| self.best_layout(variant, cluster, false));
                any |= found.is_some();
                all.extend(found);
            }
        }
        all
    }

    /// The first in this order that does.
    fn first(&mut self, clusters: Vec<Cluster>, key: fn(&Cluster) -> [f64; 4]) -> Option<Rc<Setup>> {
        let measured = clusters.into_iter().map(|cluster| (key(&cluster), cluster)).collect();
        ascending(measured).find_map(|(_, cluster)| self.setup(cluster))
    }

    /// Clusters left open, of the GPUs that pass.
    fn clusters(&self, pass: impl Fn(&Gpu) -> bool) -> Vec<Cluster> {
        self.open.iter().filter(|cluster| self.wanted(cluster.gpu) && pass(cluster.gpu)).copied().collect()
    }

    /// Whether bounds leave a cluster a chance to hold the request and to reach its targets.
    fn may_do(&self, variant: &Variant, cluster: Cluster) -> bool {
        variant.may_fit(cluster, self.targets.hold_all())
            && self.targets.may_be_met(|knob| variant.at_best(knob, cluster))
    }

    pub fn fewest_gpus(&mut self, pass: impl Fn(&Gpu) -> bool) -> Option<Rc<Setup>> {
        let clusters = self.clusters(pass);
        self.first(clusters, size)
    }

    /// The fewest GPUs, of a machine that part of which things divide evenly over.
    /// Of several cards the fastest.
    pub fn fewest_even(&mut self) -> Option<Rc<Setup>> {
        let mut clusters = self.clusters(|_| true);
        let first = self.first(clusters.clone(), evenness)?;
        let [share, gpus, ..] = evenness(&first.cluster);
        clusters.retain(|cluster| evenness(cluster)[..2] == [share, gpus]);
        let alike: Vec<Rc<Setup>> = clusters.into_iter().filter_map(|cluster| self.setup(cluster)).collect();
        alike.into_iter().max_by(|a, b| self.rank(a).total_cmp(&self.rank(b)))
    }

    /// The fewest of the card that was named.
    pub fn fewest_of_named(&mut self) -> Option<Rc<Setup>> {
        let named = self.named?;
        self.fewest_gpus(|gpu| gpu.id == named.id)
    }

    /// The fewest GPUs of a class.
    pub fn smallest_of(&mut self, class: Class) -> Option<Rc<Setup>> {
        let clusters = self.open.iter().filter(|cluster| cluster.gpu.class == class).copied().collect();
        self.first(clusters, size)
    }

    pub fn cheapest_per_hour(&mut self) -> Option<Rc<Setup>> {
        let clusters = self.clusters(|gpu| gpu.price.is_some());
        self.first(clusters, |cluster| [cluster.usd_per_hour().unwrap_or(f64::MAX), cluster.gpus.into(), 0.0, 0.0])
    }

    pub fn cheapest_per_work(&mut self) -> Option<Rc<Setup>> {
        let clusters = self.clusters(|gpu| gpu.price.is_some());
        self.least(clusters, self.owns(), |setup| setup.cost().map(Cost::usd), Variant::least_cost)
    }

    /// The fastest full machine, or fewest machines that do, of several no more than so many GPUs; of a fleet any number.
    pub fn fastest(&mut self, most: u32) -> Option<Rc<Setup>> {
        let mut clusters = self.full_machines();
        clusters.retain(|cluster| cluster.nodes == 1 || cluster.gpus <= most);
        self.least(clusters, self.owns(), slowness, least_slowness)
    }

    /// What comes nearest to a target that was left out.
    pub fn nearest(&mut self, knob: &'static str) -> Option<Rc<Setup>> {
        let run = self.variants.first()?.request.train().is_some_and(|train| train.tokens.is_some());
        match knob {
            "max_gpus" => self.fewest_gpus(|_| true),
            "budget" if run => self.cheapest_per_work(),
            "budget" => self.cheapest_per_hour(),
            "ttft" | "tpot" => {
                let clusters = self.full_machines();
                let value = |setup: &Setup| targets::value(knob, setup);
                self.least(clusters, true, value, |variant, cluster| variant.at_best(knob, cluster).unwrap_or(0.0))
            }
            _ => {
                let clusters = self.full_machines();
                self.least(clusters, true, slowness, least_slowness)
            }
        }
    }

    /// Full machines and more of them. Where cards are not counted and it is not latency that is looked for, of each
    /// generation only the best.
    fn full_machines(&self) -> Vec<Cluster> {
        let gpus: Vec<&Gpu> = self.gpus.iter().copied().filter(|gpu| self.wanted(gpu)).collect();
        let generations = gpus.chunk_by(|a, b| a.generation == b.generation);
        let best: Vec<&Gpu> = generations
            .flat_map(|alike| alike.iter().filter(|gpu| !alike.iter().any(|other| outdoes(other, gpu))))
            .copied()
            .collect();
        // Engines' defaults go by the card's memory, and fewer cards have less to tell each other: any may answer soonest.
        let latency = matches!(self.sought, Some("ttft" | "tpot"));
        let counted = latency || gpus.iter().any(|gpu| self.targets.owned(gpu).is_some());
        let mut clusters = self.clusters(|gpu| counted || best.iter().any(|other| std::ptr::eq(*other, gpu)));
        // A budget may be too little for a full machine.
        let part = latency || self.targets.bound("budget").is_some();
        clusters.retain(|cluster| part || cluster.nodes > 1 || self.fills_machine(*cluster));
        clusters
    }

    fn fills_machine(&self, cluster: Cluster) -> bool {
        let owned = self.targets.owned(cluster.gpu).unwrap_or(u32::MAX);
        let most = self.targets.bound("max_gpus").map_or(owned, |most| owned.min(most as u32));
        let most = self.asked_gpus.unwrap_or(most).min(cluster.gpu.most_per_node());
        cluster.gpus == most || (cluster.gpus < most && cluster.gpus * 2 > most)
    }

    /// The least by a measure, which is nowhere below `bound`. Of several machines the fewest that do, or any number
    /// with `more`.
    fn least(
        &mut self,
        clusters: Vec<Cluster>,
        more: bool,
        measure: impl Fn(&Setup) -> Option<f64>,
        bound: impl Fn(&Variant, Cluster) -> f64,
    ) -> Option<Rc<Setup>> {
        let variant = self.variants.first()?;
        let measured = clusters.into_iter().map(|cluster| ([bound(variant, cluster)], cluster)).collect();
        let mut best: Option<(f64, Rc<Setup>)> = None;
        for ([bound], cluster) in ascending(measured) {
            if best.as_ref().is_some_and(|(least, _)| bound >= *least) {
                break;
            }
            if !more && cluster.nodes > 1 && !self.is_smallest(cluster) {
                continue;
            }
            let Some(setup) = self.setup(cluster) else { continue };
            let Some(value) = measure(&setup) else { continue };
            if best.as_ref().is_none_or(|(least, _)| value < *least) {
                best = Some((value, setup));
            }
        }
        best.map(|(_, setup)| setup)
    }

    /// Whether no smaller number of the GPU does.
    fn is_smallest(&mut self, cluster: Cluster) -> bool {
        let smaller = |(gpu, gpus): &(*const Gpu, u32)| std::ptr::eq(*gpu, cluster.gpu) && *gpus < cluster.gpus;
        if self.seen.iter().any(|(key, found)| found.is_some() && smaller(key)) {
            return false;
        }
        let smaller = self.counts(cluster.gpu).into_iter().take_while(|other| other.gpus < cluster.gpus);
        !smaller.collect::<Vec<_>>().into_iter().any(|other| self.setup(other).is_some())
    }
}

impl Setup {
    fn of(
        cluster: Cluster,
        request: &Request,
        settings: Settings,
        changes: Vec<(&'static str, Value)>,
        estimate: &Estimate,
        headroom: Bytes,
    ) -> Self {
        let served = estimate.serving.as_ref().and_then(|serving| serving.speed.as_ref());
        let total = estimate.time.as_ref().and_then(|time| time.total);
        Self {
            cluster,
            parallel: request.parallel,
            zero: request.train().map(|train| train.zero),
            settings,
            changes,
            device: estimate.memory.device,
            headroom,
            tokens_per_s: speed(estimate),
            ttft_ms: served.map(|speed| speed.ttft_ms.value),
            tpot_ms: served.map(|speed| speed.tpot_ms.value),
            held: estimate.serving.as_ref().and_then(|serving| serving.max_concurrency),
            hours: total.map(|total| total.0 / 3600.0),
            usd_per_hour: cluster.usd_per_hour(),
        }
    }
}

/// What was measured of clusters, the least first; as few are put in order as are taken.
fn ascending<const N: usize>(measured: Vec<([f64; N], Cluster)>) -> impl Iterator<Item = ([f64; N], Cluster)> {
    let keys = measured.iter().enumerate().map(|(at, (measure, _))| Reverse((measure.map(ordered), at)));
    let mut heap: BinaryHeap<_> = keys.collect();
    std::iter::from_fn(move || heap.pop().map(|Reverse((_, at))| measured[at]))
}

/// An integer that is greater where the number is, as `f64::total_cmp` has it.
const fn ordered(number: f64) -> i64 {
    let bits = number.to_bits() as i64;
    bits ^ (((bits >> 63) as u64) >> 1) as i64
}

/// Numbers from one on, so many evenly to its double, as many to the double of that, and so on.
fn steps(from: u32, each: u32) -> impl Iterator<Item = u32> {
    (0..).map(move |octave| from << octave).flat_map(move |low| (0..each).map(move |step| low + low / each * step))
}

/// Less is faster.
fn slowness(setup: &Setup) -> Option<f64> {
    setup.tokens_per_s.map(|speed| -speed)
}

fn write(cluster: Cluster, settings: &mut Settings) {
    settings.values.insert("gpu", Value::Text(cluster.gpu.id.clone()));
    settings.values.insert("gpus", Value::Count(cluster.gpus.into()));
}

/// Less than any layout's slowness.
fn least_slowness(variant: &Variant, cluster: Cluster) -> f64 {
    -variant.most_tokens_per_s(cluster)
}

/// Half a machine, a quarter and so on before the numbers between, the largest of these first.
fn evenness(cluster: &Cluster) -> [f64; 4] {
    let share = if cluster.nodes > 1 { cluster.gpus } else { cluster.gpus.next_power_of_two() };
    let [gpus, unpriced, rank, _] = size(cluster);
    [share.into(), -gpus, unpriced, rank]
}

/// Fewer GPUs first; of as many the cheapest of known price, else the newest, the smallest of these.
fn size(cluster: &Cluster) -> [f64; 4] {
    let (unpriced, rank) = match cluster.usd_per_hour() {
        Some(usd) => (0.0, usd),
        None => (1.0, -f64::from(cluster.gpu.release_year.unwrap_or(0))),
    };
    [cluster.gpus.into(), unpriced, rank, cluster.gpu.memory.0]
}
