//! What makes a request fit on the hardware it names, in the order an engineer would try it.

use super::choose::{choose, fits, speed};
use super::{Advice, Choice, Verdict, layout, verdict};
use crate::catalog::backend::{HostPart, Loads, Pool};
use crate::catalog::support::Sharding;
use crate::catalog::{Catalog, Format};
use crate::estimate::{Estimate, PartKind, estimate};
use crate::message::Message;
use crate::msg;
use crate::request::{
    AttentionKernel, Checkpointing, Concurrency, Infer, Loss, Method, Offload, OnHost, Parallel, Request, Settings,
    Stage, Train, Value, Work, Zero,
};

type Changes = Vec<(&'static str, Value)>;

/// A change worth trying saves at least this share of the card.
const WORTH: f64 = 0.02;

/// A length that is still worth serving, and what lengths are told in multiples of.
const USABLE: u64 = 1024;

/// Changes shown.
const MOST: usize = 8;

/// A larger micro batch is worth it where each doubling gains at least this share.
const GAIN: f64 = 0.1;

/// Micro batches for each stage of a pipeline, which then waits for a fifth of a step at most.
const MICRO_BATCHES_PER_STAGE: u64 = 4;

/// Changes that are enough alone; then the fewest, taken in order, that are enough together; then the others, what
/// saves most first.
pub fn advice(request: &Request, before: &Estimate, options: &[Choice], catalog: &'static Catalog) -> Vec<Advice> {
    let mut tried = match &request.work {
        Work::Train(train) => training(request, train),
        Work::Infer(infer) => serving(request, infer, before, catalog),
    };
    tried.sort_by_key(|(changes, _)| turn(request, changes));
    let judge = Judge { request, before, catalog };
    let mut alone: Vec<Advice> =
        tried.iter().filter_map(|(changes, label)| judge.advice(changes, label.clone())).collect();
    alone.extend(options.iter().find_map(|option| judge.more_gpus(option)));
    alone.extend(judge.laid_out());
    alone.extend(judge.split_sequences());
    alone.extend(judge.fewer_sequences());
    alone.extend(judge.shorter());
    alone.sort_by_key(|one| turn(request, &one.changes));
    let (enough, mut others): (Vec<Advice>, Vec<Advice>) = alone.into_iter().partition(|one| one.fits);
    // What does more than another that is enough.
    let spare = |one: &Advice| {
        let less = |other: &Advice| other.changes.iter().all(|change| one.changes.contains(change));
        enough.iter().any(|other| !std::ptr::eq(other, one) && less(other))
    };
    let together = judge.together(&tried).filter(|all| !spare(all));
    let enough: Vec<Advice> = enough.iter().filter(|one| !spare(one)).cloned().collect();
    others.sort_by(|a, b| b.saves.0.total_cmp(&a.saves.0));
    // A change that adds nothing to another: QLoRA checkpoints by itself.
    others.dedup_by(|one, other| one.saves == other.saves && one.slowdown == other.slowdown);
    let mut advice: Vec<Advice> = enough.into_iter().chain(together).chain(others).collect();
    advice.truncate(MOST);
    advice
}

/// When an engineer would make a change: first what costs nothing, then what costs time, machines or precision, last
/// what makes it another task.
fn turn(request: &Request, changes: &Changes) -> usize {
    const ORDER: &str = "checkpointing batch loss attn zero sharding tp pp cp ep dp max_seqs gpu_mem_util kv concurrency \
                         method optimizer seq quant eager cpu_moe gpu_layers gpus offload";
    let of = |key: &str| match key {
        // Who named a method would rather keep it; the lengths of a data set are what they are.
        "method" if request.settings.get(key).is_some() => usize::MAX - 1,
        "seq" if request.train().is_some() => usize::MAX,
        _ => ORDER.split(' ').position(|other| other == key).unwrap_or(0),
    };
    changes.iter().map(|(key, _)| of(key)).max().unwrap_or(0)
}

/// What makes a run that fits faster, with room to spare: a larger micro batch, and as many of them as fill a pipeline.
/// Sequences of a step that were asked for stay as many.
pub fn faster(request: &Request, before: &Estimate, catalog: &'static Catalog) -> Vec<Advice> {
    let Some(train) = request.train() else { return vec![] };
    let judge = Judge { request, before, catalog };
    let open = |key| request.settings.get(key).is_none();
    let (batch, accumulation) = (train.micro_batch_size, train.gradient_accumulation);
    let gains = |from: f64| move |advice: &Advice| advice.fits && from / advice.slowdown >= 1.0 + GAIN;
    let larger = |times: u64| {
        let mut changes = vec![("batch", Value::Count(batch * times))];
        match (open("global_batch"), open("accum"), open("batch")) {
            (true, false, _) if !accumulation.is_multiple_of(times) => return None,
            (true, false, _) => changes.push(("accum", Value::Count(accumulation / times))),
            (true, true, false) => return None,
            _ => {}
        }
        judge.advice(&changes, msg!("plan-advice-larger-batch", batch = batch * times))
    };
    let mut largest: Option<Advice> = None;
    for power in 1.. {
        let slowdown = largest.as_ref().map_or(1.0, |advice| advice.slowdown);
        match larger(1 << power).filter(gains(slowdown)) {
            Some(advice) => largest = Some(advice),
            None => break,
        }
    }
    let stages = u64::from(request.parallel.pipeline);
    let filled = (stages > 1 && open("accum") && open("global_batch")).then(|| {
        let accum = stages * MICRO_BATCHES_PER_STAGE;
        judge.advice(&vec![("accum", Value::Count(accum))], msg!("plan-advice-fill", accum = accum))
    });
    largest.into_iter().chain(filled.flatten().filter(gains(1.0))).collect()
}

fn words(changes: &Changes) -> Vec<String> {
    changes.iter().map(|(key, value)| format!("{key}={value}")).collect()
}

struct Judge<'a> {
    request: &'a Request,
    before: &'a Estimate,
    catalog: &'static Catalog,
}

impl Judge<'_> {
    fn settings(&self, changes: &Changes) -> Settings {
        let mut settings = self.request.settings.clone();
        settings.values.extend(changes.iter().cloned());
        settings
    }
    fn try_out(&self, changes: &Changes) -> Option<(Settings, Request, Estimate)> {
        let settings = self.settings(changes);
        let request = choose(&settings, self.catalog).ok()?;
        let estimate = estimate(&request);
        Some((settings, request, estimate))
    }
    fn fits(&self, changes: &Changes) -> bool {
        self.try_out(changes).is_some_and(|(_, request, estimate)| self.enough(&request, &estimate))
    }
    /// What is short is to fit; what fits already is to have room.
    fn enough(&self, request: &Request, after: &Estimate) -> bool {
        match verdict(self.request, self.before) {
            Verdict::Tight { .. } | Verdict::Fits { .. } => matches!(verdict(request, after), Verdict::Fits { .. }),
            Verdict::Short { .. } | Verdict::NoGpu => fits(request, after),
        }
    }
    fn advice(&self, changes: &Changes, label: Message) -> Option<Advice> {
        let (settings, request, after) = self.try_out(changes)?;
        let saves = self.before.memory.needed - after.memory.needed;
        let fits = self.enough(&request, &after);
        let worth = request.hardware.gpu.is_some_and(|gpu| saves / gpu.memory > WORTH);
        let slowdown = match (speed(self.before), speed(&after)) {
            (Some(before), Some(after)) if after > 0.0 => before / after,
            _ => 1.0,
        };
        (worth || fits).then_some(Advice { changes: changes.clone(), settings, saves, slowdown, fits, label })
    }
    /// The longest that the cache holds, or half the length, a quarter, and for serving less, as long as what was asked
    /// to go in and out does.
    fn shorter(&self) -> Option<Advice> {
        let whole = self.request.seq;
        let asked = |key| self.request.settings.get(key).is_some();
        let shortest = match &self.request.work {
            Work::Train(_) => whole / 4,
            Work::Infer(infer) if asked("prompt") || asked("output") => infer.prompt + infer.output,
            Work::Infer(_) => USABLE.min(whole / 2),
        };
        let held = self.before.serving.as_ref().and_then(|serving| serving.max_seq);
        let held = held.map(|longest| longest / USABLE * USABLE).filter(|longest| *longest < whole);
        let halved = std::iter::successors(Some(whole / 2), |seq| Some(seq / 2));
        let shorter = held.into_iter().chain(halved.take_while(|seq| *seq > 0)).filter(|seq| *seq >= shortest.max(1));
        self.first("seq", shorter, |seq| msg!("plan-advice-seq", seq = seq))
    }
    /// The layout that would be taken on the same GPUs if no degree had been asked for.
    fn laid_out(&self) -> Option<Advice> {
        let asked = &self.request.settings;
        let open = layout::DEGREES.iter().fold(asked.clone(), |settings, key| settings.without(key));
        let other = if open == *asked { None } else { choose(&open, self.catalog).ok() }?;
        let degrees = |parallel: &Parallel| {
            [parallel.tensor, parallel.pipeline, parallel.context, parallel.expert, parallel.data].map(u64::from)
        };
        let pairs = degrees(&other.parallel).into_iter().zip(degrees(&self.request.parallel));
        let changed = layout::DEGREES.into_iter().zip(pairs).filter(|(_, (other, asked))| other != asked);
        let changes: Changes = changed.map(|(key, (degree, _))| (key, Value::Count(degree))).collect();
        self.advice(&changes, msg!("plan-advice-layout", changes = words(&changes)))
    }
    /// A long sequence over the fewest ranks that are enough.
    fn split_sequences(&self) -> Option<Advice> {
        let parallel = &self.request.parallel;
        let splits = self.request.train().is_some() && parallel.context == 1 && self.request.seq >= layout::LONG;
        let doubled = std::iter::successors(Some(2), |ranks| Some(ranks * 2));
        let ranks = doubled.take_while(|ranks| splits && *ranks <= u64::from(parallel.data));
        self.first("cp", ranks, |ranks| msg!("plan-advice-cp", gpus = ranks))
    }
    /// Half the sequences that the engine takes at once, a quarter, as long as those asked for are.
    fn fewer_sequences(&self) -> Option<Advice> {
        let infer = self.request.infer().filter(|infer| infer.backend.pool.is_reserved())?;
        let least = match infer.concurrency {
            Concurrency::Requests(requests) => requests.max(1),
            Concurrency::Max => 1,
        };
        let halved = std::iter::successors(Some(infer.max_seqs / 2), |seqs| Some(seqs / 2));
        self.first("max_seqs", halved.take_while(|seqs| *seqs >= least), |seqs| {
            msg!("plan-advice-max-seqs", seqs = seqs)
        })
    }
    /// The first of these values of a knob that is enough.
    fn first(&self, key: &'static str, values: impl Iterator<Item = u64>, label: fn(u64) -> Message) -> Option<Advice> {
        let mut advice = values.filter_map(|value| self.advice(&vec![(key, Value::Count(value))], label(value)));
        advice.find(|advice| advice.fits)
    }
    /// The option of more of the same GPU, with what it sets beside.
    fn more_gpus(&self, option: &Choice) -> Option<Advice> {
        let hardware = &self.request.hardware;
        let same = hardware.gpu.is_some_and(|gpu| gpu.id == option.gpu.id) && option.gpus > hardware.gpus;
        let asked = &self.request.settings;
        let changed = option.settings.values.iter().filter(|(key, value)| asked.get(key) != Some(value));
        let mut changes: Changes = changed.map(|(key, value)| (*key, value.clone())).collect();
        // A degree of the smaller cluster that the option does without.
        let left = layout::DEGREES.iter().filter(|key| asked.count(key) > Some(1));
        let left = left.filter(|key| option.settings.get(key).is_none());
        changes.extend(left.map(|key| (*key, Value::Count(1))));
        let changes = Some(changes).filter(|_| same)?;
        let label = match words(&option.changes) {
            none if none.is_empty() => msg!("plan-advice-gpus", gpus = option.gpus),
            savings => msg!("plan-advice-gpus-with", gpus = option.gpus, changes = savings),
        };
        self.advice(&changes, label)
    }
    /// Changes in order until they fit together, then without those that are not needed.
    fn together(&self, tried: &[(Changes, Message)]) -> Option<Advice> {
        let enough = |chosen: &[&Changes]| self.fits(&merged(chosen));
        let tried: Vec<&Changes> = tried.iter().map(|(changes, _)| changes).collect();
        let mut chosen: Vec<&Changes> = (1..=tried.len()).map(|n| &tried[..n]).find(|first| enough(first))?.to_vec();
        for changes in chosen.clone() {
            let fewer: Vec<&Changes> = chosen.iter().copied().filter(|other| *other != changes).collect();
            if enough(&fewer) {
                chosen = fewer;
            }
        }
        let all = merged(&chosen);
        self.advice(&all, msg!("plan-advice-together", changes = words(&all)))
    }
}

/// All changes as one; of two of the same knob the later.
fn merged(chosen: &[&Changes]) -> Changes {
    let mut all: Changes = Vec::new();
    for (key, value) in chosen.iter().copied().flatten() {
        all.retain(|(changed, _)| changed != key);
        all.push((key, value.clone()));
    }
    all
}

fn choice(key: &'static str, word: &'static str) -> (&'static str, Value) {
    (key, Value::Choice(word))
}

fn text(key: &'static str, word: &str) -> (&'static str, Value) {
    (key, Value::Text(word.to_owned()))
}

fn training(request: &Request, train: &Train) -> Vec<(Changes, Message)> {
    let mut tried: Vec<(Changes, Message)> = Vec::new();
    let mut add = |holds: bool, changes: Changes, label: Message| {
        if holds {
            tried.push((changes, label));
        }
    };
    add(
        train.checkpointing != Checkpointing::On,
        vec![choice("checkpointing", "on")],
        msg!("plan-advice-checkpointing"),
    );
    let (batch, accumulation) = (train.micro_batch_size, train.gradient_accumulation);
    let mut one = vec![("batch", Value::Count(1))];
    if request.settings.get("global_batch").is_none() {
        one.push(("accum", Value::Count(batch * accumulation)));
    }
    add(batch > 1, one, msg!("plan-advice-batch", accum = batch * accumulation));
    add(train.loss == Loss::Full, vec![choice("loss", "fused")], msg!("plan-advice-loss"));
    add(request.attention == AttentionKernel::Eager, vec![choice("attn", "flash")], msg!("plan-advice-attn"));
    for sharding in &train.framework.shardings {
        let (further, change) = match sharding {
            Sharding::Zero2 => (matches!(train.zero, Zero::Ddp | Zero::One), ("zero", Value::Count(2))),
            Sharding::Zero3 => (matches!(train.zero, Zero::Ddp | Zero::One | Zero::Two), ("zero", Value::Count(3))),
            Sharding::Fsdp => (train.zero != Zero::Fsdp && train.zero != Zero::Three, choice("sharding", "fsdp")),
            Sharding::Ddp | Sharding::Zero1 | Sharding::Hsdp => (false, ("zero", Value::Count(1))),
        };
        let clear = request.settings.get(if change.0 == "zero" { "sharding" } else { "zero" }).is_none();
        let label = msg!("plan-advice-zero", change = words(&vec![change.clone()]).concat());
        add(request.parallel.data > 1 && further && clear, vec![change], label);
    }
    let small = train.optimizer.name.contains("8bit");
    add(
        train.optimizer.name.starts_with("adamw"),
        vec![text("optimizer", "adamw-8bit")],
        msg!("plan-advice-optimizer"),
    );
    let offloads = train.framework.shardings.contains(&Sharding::Zero2) && !small;
    add(
        offloads && train.offload == Offload::None,
        vec![choice("offload", "optimizer")],
        msg!("plan-advice-offload-optimizer"),
    );
    add(offloads && train.offload != Offload::Cpu, vec![choice("offload", "cpu")], msg!("plan-advice-offload-cpu"));
    let quantised = matches!(&train.method, Method::Lora(lora) if lora.base.is_some());
    let (lora, qlora, recompute) = (choice("method", "lora"), choice("method", "qlora"), choice("checkpointing", "on"));
    let keeps = train.checkpointing != Checkpointing::On;
    // Nothing is pre-trained by adapters.
    let tunes = train.stage != Stage::Pretrain;
    let full = tunes && train.method == Method::Full;
    add(full, vec![lora.clone()], msg!("plan-advice-lora"));
    add(full && keeps, vec![lora, recompute.clone()], msg!("plan-advice-lora-checkpointing"));
    add(tunes && !quantised, vec![qlora.clone()], msg!("plan-advice-qlora"));
    add(tunes && !quantised && keeps, vec![qlora, recompute], msg!("plan-advice-qlora-checkpointing"));
    tried
}

fn serving(request: &Request, infer: &Infer, before: &Estimate, catalog: &'static Catalog) -> Vec<(Changes, Message)> {
    let mut tried: Vec<(Changes, Message)> = Vec::new();
    let checkpoint = infer.backend.loads.contains(&Loads::Checkpoint);
    let fraction =
        |share| (vec![("gpu_mem_util", Value::Number(share))], msg!("plan-advice-fraction", fraction = share));
    tried.extend(
        most_of_card(request, infer, before).filter(|most| *most > infer.memory_fraction + 0.005).map(fraction),
    );
    if infer.backend.pool == Pool::OfRest {
        tried.push(fraction((infer.memory_fraction * 50.0).floor() / 100.0));
    }
    if infer.kv.bits > 9.0 {
        let kv = if checkpoint { "fp8" } else { "q8_0" };
        tried.push((vec![choice("kv", kv)], msg!("plan-advice-kv", kv = kv)));
    }
    let held = before.serving.as_ref().and_then(|serving| serving.max_concurrency);
    if let (Concurrency::Requests(asked), Some(held)) = (infer.concurrency, held)
        && held > 0
        && held < asked
    {
        tried.push((vec![("concurrency", Value::Count(held))], msg!("plan-advice-concurrency", requests = held)));
    }
    let names: &[&str] = if checkpoint { &["fp8", "awq", "gptq-int4"] } else { &["q8_0", "q4_k_m"] };
    let named = |name: &&str| catalog.formats.iter().find(|format| format.name == **name);
    let has_kernels = |format: &&Format| request.hardware.gpu.is_none_or(|gpu| format.runs_on(gpu));
    // One of each width.
    for format in names.iter().filter_map(named).filter(has_kernels).take(2) {
        if format.bits < infer.weights.bits {
            let name = format.name.as_str();
            tried.push((vec![text("quant", name)], msg!("plan-advice-quant", quant = name)));
        }
    }
    if infer.backend.pool.is_reserved() && !infer.eager {
        tried.push((vec![choice("eager", "on")], msg!("plan-advice-eager")));
    }
    // A part of the model on the CPU, where the engine can: experts first, few of which a token needs.
    for (knob, part, bound) in OnHost::KNOBS {
        let (has, label) = match part {
            HostPart::Experts => (request.model.is_moe(), msg!("plan-advice-cpu-moe")),
            HostPart::Layers => (true, msg!("plan-advice-gpu-layers")),
        };
        if has && infer.backend.leaves_to_host.contains(&part) && !request.settings.is_open(knob) {
            tried.push((vec![(knob, Value::Bound(bound))], label));
        }
    }
    tried
}

/// The share of the card that an engine may take, if half as much again as is expected stays for what comes beside its
/// pool: contexts and graphs, of SGLang also activations.
fn most_of_card(request: &Request, infer: &Infer, before: &Estimate) -> Option<f64> {
    let beside: &[PartKind] = match infer.backend.pool {
        Pool::OfTotal | Pool::OfFree => &[PartKind::Overhead],
        Pool::Static => &[PartKind::Overhead, PartKind::Activations, PartKind::Logits],
        Pool::OfRest | Pool::Grows | Pool::Cells => return None,
    };
    let parts = before.memory.parts.iter().filter(|part| beside.contains(&part.kind));
    let beside: f64 = parts.map(|part| part.bytes().0).sum();
    let share = 1.0 - 1.5 * beside / request.hardware.gpu?.visible().0;
    Some((share.min(0.95) * 100.0).floor() / 100.0)
}
