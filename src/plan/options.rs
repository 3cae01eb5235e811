//! At most five set-ups that a person can choose from, each best at something.

use super::layout;
use super::search::{Cluster, Pool, Search, Setup};
use super::targets::{PATIENCE, Targets, reaches, value};
use super::{Choice, Cost, Merit, Miss, Verdict};
use crate::catalog::backend::Loads;
use crate::catalog::gpu::Class;
use crate::catalog::{Catalog, Gpu};
use crate::message::Message;
use crate::msg;
use crate::request::{Request, Settings, Stage, Value, Work};
use std::rc::Rc;

/// Options shown.
const MOST: usize = 5;
/// Of several machines the fastest has no more than so many times the fewest GPUs.
const SANE: u32 = 2;

/// What is recommended.
#[derive(Default)]
pub struct Found {
    pub options: Vec<Choice>,
    pub misses: Vec<Miss>,
    pub notes: Vec<Message>,
}

/// Set-ups for the request, the targets that nothing reaches, and what was left out.
pub fn options(request: &Request, verdict: Verdict, catalog: &'static Catalog) -> Found {
    let targets = Targets::of(request);
    // What is owned is owned, whatever it costs to rent.
    let pools: &[Pool] = if targets.fleet().is_empty() { &[Pool::Rented, Pool::Any] } else { &[Pool::Any] };
    // Where nothing does all that is wished for: some requests wait, or the run takes longer than one likes to wait.
    let given_up: Vec<Option<&str>> = std::iter::once(None).chain(targets.soft().map(Some)).collect();
    let mut notes = remarks(request);
    for changes in ways(request) {
        for (knob, pool) in given_up.iter().flat_map(|knob| pools.iter().map(move |pool| (*knob, *pool))) {
            let Some(search) = Search::new(request, &changes, pool, catalog) else { continue };
            let mut search = match knob {
                Some(knob) => search.without(knob),
                None => search,
            };
            let picked = pick(&mut search, request, verdict, &targets);
            if picked.is_empty() {
                continue;
            }
            let patient = picked.iter().any(|(setup, _)| setup.hours > Some(PATIENCE / 2.0));
            if knob.is_none() && patient && request.settings.get("deadline").is_none() {
                notes.push(msg!("plan-note-patience", days = PATIENCE / 24.0));
            }
            notes.extend(idle(&picked, &targets, catalog));
            let options = picked.iter().map(|(setup, merits)| choice(setup, merits));
            return Found { options: options.collect(), misses: vec![], notes };
        }
    }
    Found { options: vec![], misses: misses(request, &targets, catalog), notes }
}

/// Tokens of a step that large models are pre-trained with: Llama 3 405B's 16 million.
const PRETRAINING_STEP: u64 = 16 << 20;

type Changes = Vec<(&'static str, Value)>;

/// As asked; where nothing runs that, with the savings that were left open: quantised weights, states on the CPU. Nor is
/// a model of many machines pre-trained by data parallelism alone.
fn ways(request: &Request) -> Vec<Changes> {
    let open = |key: &str| request.settings.get(key).is_none();
    let mut ways = vec![vec![]];
    match &request.work {
        Work::Infer(infer) if open("quant") => {
            let checkpoint = infer.backend.loads.contains(&Loads::Checkpoint);
            let formats: &[&str] = if checkpoint { &["fp8", "awq"] } else { &["q4_k_m"] };
            ways.extend(formats.iter().map(|format| vec![("quant", Value::Text((*format).to_owned()))]));
        }
        Work::Train(train) => {
            if train.stage == Stage::Pretrain && open("framework") {
                let mut way = vec![("framework", Value::Text("megatron".to_owned()))];
                if open("accum") && open("global_batch") {
                    let sequences = (PRETRAINING_STEP / request.seq.max(1)).max(1).next_power_of_two();
                    way.push(("global_batch", Value::Count(sequences)));
                }
                ways.push(way);
            }
            if open("offload") && open("loss") {
                let fused = ("loss", Value::Choice("fused"));
                ways.extend(["optimizer", "cpu"].map(|what| vec![fused.clone(), ("offload", Value::Choice(what))]));
            }
        }
        Work::Infer(_) => {}
    }
    ways
}

/// What of the question the options cannot heed.
fn remarks(request: &Request) -> Vec<Message> {
    let mut notes = Vec::new();
    if request.settings.get("deadline").is_some() && request.train().is_some_and(|train| train.tokens.is_none()) {
        notes.push(msg!("plan-note-deadline-open"));
    }
    if let (Some(gpu), Some(infer)) = (request.hardware.gpu, request.infer())
        && !infer.weights.runs_on(gpu)
    {
        notes.push(msg!(
            "plan-note-no-kernels",
            backend = infer.backend.name.as_str(),
            gpu = gpu.name.as_str(),
            quant = infer.weights.name.as_str()
        ));
    }
    notes
}

/// Of a fleet of several cards those that no option is of: each set-up is of one kind.
fn idle(picked: &Picked, targets: &Targets, catalog: &'static Catalog) -> Vec<Message> {
    let fleet = targets.fleet();
    let left = fleet.iter().filter(|(id, _)| picked.iter().all(|(setup, _)| setup.cluster.gpu.id != *id));
    let left = left.filter_map(|(id, gpus)| Some(format!("{gpus} × {}", catalog.gpu(id)?.name)));
    match left.collect::<Vec<_>>() {
        _ if fleet.len() < 2 => vec![],
        left if left.is_empty() => vec![msg!("plan-note-one-kind")],
        left => vec![msg!("plan-note-one-kind"), msg!("plan-note-idle", cards = left)],
    }
}

type Picked = Vec<(Rc<Setup>, Vec<Merit>)>;

fn pick(search: &mut Search, request: &Request, verdict: Verdict, targets: &Targets) -> Picked {
    let hardware = &request.hardware;
    let fewest = search.fewest_gpus(|_| true);
    let most = fewest.as_ref().map_or(0, |fewest| fewest.cluster.gpus * SANE);
    // Other than what was asked, where that runs.
    let runs = matches!(verdict, Verdict::Fits { .. });
    let named = search.fewest_of_named().filter(|setup| !runs || setup.cluster.gpus != hardware.gpus);
    let counted = ["gpus", "nodes"].iter().chain(&layout::KNOBS).any(|key| request.settings.get(key).is_some());
    let winners = if targets.fleet().is_empty() {
        vec![
            (Merit::FewestOfNamed, named.clone()),
            (Merit::CheapestPerWork, search.cheapest_per_work()),
            (Merit::CheapestPerHour, search.cheapest_per_hour()),
            (Merit::FewestGpus, fewest),
            (Merit::Fastest, search.fastest(most)),
        ]
    } else {
        vec![(Merit::FewestGpus, fewest), (Merit::Fastest, search.fastest(u32::MAX))]
    };
    let known = |setup: &Setup| setup.cost().map_or(f64::MAX, Cost::usd);
    // One machine before several.
    let rank = |setup: &Setup| (setup.cluster.nodes > 1, known(setup), setup.cluster.gpus);
    let best = || {
        let setups = winners.iter().filter_map(|(_, setup)| setup.clone());
        setups.min_by(|a, b| rank(a).partial_cmp(&rank(b)).expect("no cost is NaN"))
    };
    let taken = match targets.fleet() {
        [] => named.filter(|_| !counted).or_else(best),
        _ => search.fewest_even(),
    };
    let mut picked: Picked = Vec::new();
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
    let mut others = |is_of: &dyn Fn(&Gpu) -> bool| {
        if picked.len() < MOST && picked.iter().all(|(setup, _)| !is_of(setup.cluster.gpu)) {
            picked.extend(search.fewest_gpus(is_of).map(|setup| (setup, vec![Merit::SmallestOfKind])));
        }
    };
    if targets.fleet().is_empty() {
        for class in [Class::Datacenter, Class::Workstation, Class::Consumer, Class::Unified] {
            others(&|gpu| gpu.class == class);
        }
    }
    for (id, _) in targets.fleet() {
        others(&|gpu| gpu.id == *id);
    }
    picked
}

fn choice(setup: &Setup, merits: &[Merit]) -> Choice {
    let cluster = setup.cluster;
    Choice {
        settings: setup.settings.clone(),
        gpu: cluster.gpu,
        gpus: cluster.gpus,
        nodes: cluster.nodes,
        parallel: setup.parallel,
        zero: setup.zero,
        changes: setup.changes.clone(),
        device: setup.device,
        headroom: setup.headroom,
        tokens_per_s: setup.tokens_per_s,
        usd_per_hour: setup.usd_per_hour,
        hours: setup.hours,
        cost: setup.cost(),
        merits: merits.to_vec(),
        reason: reason(setup, merits),
    }
}

fn reason(setup: &Setup, merits: &[Merit]) -> Message {
    let Cluster { gpu, gpus, nodes } = setup.cluster;
    match merits {
        [Merit::Taken, Merit::FewestOfNamed, ..] => msg!("plan-take-named", gpus = gpus),
        [Merit::Taken, Merit::CheapestPerWork, ..] if setup.cost().is_some() => {
            msg!("plan-take-cheapest", nodes = nodes)
        }
        [Merit::Taken, Merit::CheapestPerWork, ..] => msg!("plan-take-fewest", gpus = gpus),
        [Merit::Taken, Merit::CheapestPerHour, ..] => msg!("plan-take-cheapest-hour"),
        [Merit::Taken, Merit::FewestGpus, ..] => msg!("plan-take-fewest", gpus = gpus),
        [Merit::Taken] => msg!("plan-take-even"),
        [Merit::Taken, ..] => msg!("plan-take-fastest"),
        [Merit::Fastest, ..] | [] => msg!("plan-fastest"),
        [Merit::FewestOfNamed, ..] => msg!("plan-fewest-named"),
        [Merit::FewestGpus, ..] => msg!("plan-fewest-gpus"),
        [Merit::CheapestPerHour, ..] => msg!("plan-cheapest-hour"),
        [Merit::CheapestPerWork, ..] => match setup.hours {
            Some(_) => msg!("plan-cheapest-run"),
            None => msg!("plan-cheapest-tokens"),
        },
        [Merit::SmallestOfKind, ..] if setup.settings.get("fleet").is_some() => msg!("plan-smallest-owned"),
        [Merit::SmallestOfKind, ..] => match gpu.class {
            Class::Datacenter | Class::Cloud => msg!("plan-smallest-datacenter"),
            Class::Workstation => msg!("plan-smallest-workstation"),
            Class::Consumer => msg!("plan-smallest-consumer"),
            Class::Unified => msg!("plan-smallest-unified"),
        },
    }
}

/// For each target that nothing reaches with the others kept: the nearest that anything comes, savings included. Where
/// each alone is still too much, the nearest with none of the others.
fn misses(request: &Request, targets: &Targets, catalog: &'static Catalog) -> Vec<Miss> {
    let search = |changes: &Changes| {
        let search = Search::new(request, changes, Pool::Any, catalog)?;
        Some(targets.soft().fold(search, Search::without))
    };
    let ways = ways(request);
    let numbers: Vec<(&'static str, f64)> = targets.numbers().collect();
    // Those left out, the one in question last.
    let miss = |knob: &'static str, asked: f64, left_out: &[&'static str]| {
        let nearest_of = |changes: &Changes| {
            let setup = left_out.iter().copied().fold(search(changes)?, Search::without).nearest(knob)?;
            Some((value(knob, &setup)?, setup))
        };
        let reached = ways.iter().filter_map(nearest_of);
        let (nearest, setup) = reached.reduce(|a, b| if reaches(knob, a.0, b.0) { a } else { b })?;
        let settings = relaxed(&setup, &numbers);
        Some(Miss { knob, asked: Some(asked), nearest: Some(nearest), settings, label: label(knob, asked, nearest) })
    };
    let mut misses = Vec::new();
    for (knob, asked) in &numbers {
        misses.extend(miss(knob, *asked, &[*knob]));
    }
    for knob in targets.words() {
        let mut without = ways.iter().filter_map(search).map(|search| search.without(knob));
        if let Some(setup) = without.find_map(|mut search| search.fewest_gpus(|_| true)) {
            let Cluster { gpu, gpus, .. } = setup.cluster;
            let label = match knob {
                "vendor" => msg!("plan-miss-vendor", gpus = gpus, gpu = gpu.name.as_str()),
                "class" => msg!("plan-miss-class", gpus = gpus, gpu = gpu.name.as_str()),
                _ => msg!("plan-miss-fleet", gpus = gpus, gpu = gpu.name.as_str()),
            };
            misses.push(Miss { knob, asked: None, nearest: None, settings: setup.settings.without(knob), label });
        }
    }
    if misses.is_empty() {
        for (knob, asked) in &numbers {
            let others = numbers.iter().map(|(other, _)| *other).filter(|other| other != knob);
            misses.extend(miss(knob, *asked, &others.chain([*knob]).collect::<Vec<_>>()));
        }
    }
    misses
}

/// The set-up's line with the targets that it misses set to what it reaches.
fn relaxed(setup: &Setup, numbers: &[(&'static str, f64)]) -> Settings {
    let mut settings = setup.settings.clone();
    for (knob, asked) in numbers {
        let Some(reached) = value(knob, setup).filter(|value| !reaches(knob, *value, *asked)) else { continue };
        // Whole units, rounded to the easier side.
        let bound = if *knob == "tokens_per_s" { reached.floor() } else { reached.ceil() };
        let bound = if *knob == "max_gpus" { Value::Count(bound as u64) } else { Value::Number(bound) };
        settings.values.insert(knob, bound);
    }
    settings
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
