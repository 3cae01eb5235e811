//! At most five set-ups that a person can choose from, each best at something.

use super::search::{Cluster, Pool, Search, Setup};
use super::targets::{Targets, value};
use super::{Choice, Cost, Merit, Miss};
use crate::catalog::Catalog;
use crate::catalog::backend::Loads;
use crate::catalog::gpu::Class;
use crate::message::Message;
use crate::msg;
use crate::request::{Request, Settings, Value, Work, complete};
use std::rc::Rc;

/// Options shown.
const MOST: usize = 5;
/// The fastest has no more than so many times the fewest GPUs.
const SANE: u32 = 8;

/// Set-ups for the request, and the targets that nothing reaches.
pub fn options(request: &Request, catalog: &'static Catalog) -> (Vec<Choice>, Vec<Miss>) {
    // What is owned is owned, whatever it costs to rent.
    let pools: &[Pool] =
        if request.settings.get("fleet").is_some() { &[Pool::Any] } else { &[Pool::Rented, Pool::Any] };
    // All requests held at once, or where nothing does that, some of them waiting.
    let waits: &[bool] = if request.settings.get("concurrency").is_some() { &[false, true] } else { &[false] };
    for changes in ways(request) {
        for (wait, pool) in waits.iter().flat_map(|wait| pools.iter().map(move |pool| (*wait, *pool))) {
            let Some(search) = Search::new(request, &changes, pool, catalog) else { continue };
            let mut search = if wait { search.without("concurrency") } else { search };
            let found = pick(&mut search);
            if !found.is_empty() {
                return (found.iter().filter_map(|(setup, merits)| choice(setup, merits, catalog)).collect(), vec![]);
            }
        }
    }
    (vec![], misses(request, catalog).unwrap_or_default())
}

/// As asked; where nothing runs that, with the savings that were left open: quantised weights, states on the CPU.
fn ways(request: &Request) -> Vec<Vec<(&'static str, Value)>> {
    let open = |key: &str| request.settings.get(key).is_none();
    let mut ways = vec![vec![]];
    match &request.work {
        Work::Infer(infer) if open("quant") => {
            let checkpoint = infer.backend.loads.contains(&Loads::Checkpoint);
            let formats: &[&str] = if checkpoint { &["fp8", "awq"] } else { &["q4_k_m"] };
            ways.extend(formats.iter().map(|format| vec![("quant", Value::Text((*format).to_owned()))]));
        }
        Work::Train(_) if open("offload") && open("loss") => {
            let fused = ("loss", Value::Choice("fused"));
            ways.extend(["optimizer", "cpu"].map(|what| vec![fused.clone(), ("offload", Value::Choice(what))]));
        }
        Work::Infer(_) | Work::Train(_) => {}
    }
    ways
}

fn pick(search: &mut Search) -> Vec<(Rc<Setup>, Vec<Merit>)> {
    let fewest = search.fewest_gpus(|_| true);
    let most = fewest.as_ref().map_or(0, |fewest| fewest.cluster.gpus * SANE);
    let winners = [
        (Merit::CheapestPerWork, search.cheapest_per_work()),
        (Merit::CheapestPerHour, search.cheapest_per_hour()),
        (Merit::FewestGpus, fewest),
        (Merit::Fastest, search.fastest(most)),
    ];
    let known = |setup: &Setup| setup.cost().map_or(f64::MAX, Cost::usd);
    let rank = |setup: &Setup| (setup.cluster.nodes, known(setup), setup.cluster.gpus);
    let setups = winners.iter().filter_map(|(_, setup)| setup.clone());
    let taken = setups.min_by(|a, b| rank(a).partial_cmp(&rank(b)).expect("no cost is NaN"));
    let mut picked: Vec<(Rc<Setup>, Vec<Merit>)> = Vec::new();
    let mut add = |merit, setup: Option<Rc<Setup>>| {
        let Some(setup) = setup else { return };
        match picked.iter_mut().find(|(known, _)| Rc::ptr_eq(known, &setup)) {
            Some((_, merits)) => merits.push(merit),
            None => picked.push((setup, vec![merit])),
        }
    };
    add(Merit::Taken, taken);
    for (merit, setup) in winners {
        add(merit, setup);
    }
    for class in [Class::Datacenter, Class::Workstation, Class::Consumer, Class::Unified] {
        if picked.len() < MOST && picked.iter().all(|(setup, _)| setup.cluster.gpu.class != class) {
            picked.extend(
                search.fewest_gpus(|gpu| gpu.class == class).map(|setup| (setup, vec![Merit::SmallestOfClass])),
            );
        }
    }
    picked
}

fn choice(setup: &Setup, merits: &[Merit], catalog: &'static Catalog) -> Option<Choice> {
    let request = complete(&setup.settings, catalog).ok()?;
    let cluster = setup.cluster;
    Some(Choice {
        settings: setup.settings.clone(),
        gpu: cluster.gpu,
        gpus: cluster.gpus,
        nodes: cluster.nodes,
        parallel: request.parallel,
        zero: request.train().map(|train| train.zero),
        changes: setup.changes.clone(),
        device: setup.device,
        headroom: setup.headroom,
        tokens_per_s: setup.tokens_per_s,
        usd_per_hour: setup.usd_per_hour,
        cost: setup.cost(),
        merits: merits.to_vec(),
        reason: reason(setup, merits),
    })
}

fn reason(setup: &Setup, merits: &[Merit]) -> Message {
    let nodes = setup.cluster.nodes;
    match merits {
        [Merit::Taken, Merit::CheapestPerWork, ..] => match setup.cost() {
            Some(Cost::Run(usd)) => msg!("plan-take-cheapest-run", usd = usd, nodes = nodes),
            Some(Cost::MillionTokens(usd)) => msg!("plan-take-cheapest-tokens", usd = usd, nodes = nodes),
            None => msg!("plan-take-fewest", gpus = setup.cluster.gpus),
        },
        [Merit::Taken, Merit::CheapestPerHour, ..] => {
            msg!("plan-take-cheapest-hour", usd = setup.usd_per_hour.unwrap_or(0.0))
        }
        [Merit::Taken, Merit::FewestGpus, ..] => msg!("plan-take-fewest", gpus = setup.cluster.gpus),
        [Merit::Taken, ..] | [Merit::Fastest, ..] | [] => msg!("plan-fastest"),
        [Merit::FewestGpus, ..] => msg!("plan-fewest-gpus"),
        [Merit::CheapestPerHour, ..] => msg!("plan-cheapest-hour"),
        [Merit::CheapestPerWork, ..] => match setup.hours {
            Some(_) => msg!("plan-cheapest-run"),
            None => msg!("plan-cheapest-tokens"),
        },
        [Merit::SmallestOfClass, ..] => match setup.cluster.gpu.class {
            Class::Datacenter | Class::Cloud => msg!("plan-smallest-datacenter"),
            Class::Workstation => msg!("plan-smallest-workstation"),
            Class::Consumer => msg!("plan-smallest-consumer"),
            Class::Unified => msg!("plan-smallest-unified"),
        },
    }
}

/// For each target that nothing reaches with the others kept: the nearest that anything comes.
fn misses(request: &Request, catalog: &'static Catalog) -> Option<Vec<Miss>> {
    let targets = Targets::of(&request.settings);
    let mut misses = Vec::new();
    for (knob, asked) in targets.numbers() {
        let mut search = Search::new(request, &[], Pool::Any, catalog)?.without("concurrency").without(knob);
        let reached = search.nearest(knob).and_then(|setup| Some((value(knob, &setup)?, setup)));
        if let Some((nearest, setup)) = reached {
            let settings = relaxed(&setup.settings, knob, nearest);
            let label = label(knob, asked, nearest);
            misses.push(Miss { knob, asked: Some(asked), nearest: Some(nearest), settings, label });
        }
    }
    for knob in targets.words() {
        let mut search = Search::new(request, &[], Pool::Any, catalog)?.without(knob);
        if let Some(setup) = search.fewest_gpus(|_| true) {
            let Cluster { gpu, gpus, .. } = setup.cluster;
            let label = match knob {
                "vendor" => msg!("plan-miss-vendor", gpus = gpus, gpu = gpu.name.as_str()),
                "class" => msg!("plan-miss-class", gpus = gpus, gpu = gpu.name.as_str()),
                _ => msg!("plan-miss-fleet", gpus = gpus, gpu = gpu.name.as_str()),
            };
            misses.push(Miss { knob, asked: None, nearest: None, settings: setup.settings.without(knob), label });
        }
    }
    Some(misses)
}

/// The set-up's line with the target set to what it reaches.
fn relaxed(settings: &Settings, knob: &'static str, nearest: f64) -> Settings {
    // Whole units, rounded to the easier side.
    let bound = if knob == "tokens_per_s" { nearest.floor() } else { nearest.ceil() };
    settings.with(knob, if knob == "max_gpus" { Value::Count(bound as u64) } else { Value::Number(bound) })
}

fn label(knob: &'static str, asked: f64, nearest: f64) -> Message {
    match knob {
        "ttft" => msg!("plan-miss-ttft", asked = asked, nearest = nearest),
        "tpot" => msg!("plan-miss-tpot", asked = asked, nearest = nearest),
        "tokens_per_s" => msg!("plan-miss-tokens-per-s", asked = asked, nearest = nearest),
        "deadline" => msg!("plan-miss-deadline", asked = asked, nearest = nearest),
        "budget" => msg!("plan-miss-budget", asked = asked, nearest = nearest),
        _ => msg!("plan-miss-max-gpus", asked = asked, nearest = nearest),
    }
}
