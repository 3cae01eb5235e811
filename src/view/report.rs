//! From what was found to what is said: `Request + Estimate + Plan -> View`, in the reader's language.
//!
//! The order is the reader's: verdict, memory, speed, what limits it, what would run it better or at
//! all, and last what was assumed. Knows which words and numbers; not how they are drawn. Answers to a
//! `train` or `infer` line carry it; to the others the caller adds the line that was asked.

use super::{Action, Body, Button, Cell, Mark, Row, Select, SelectOption, Style, Table, Tone, View};
use crate::catalog::{Catalog, Gpu, Model};
use crate::estimate::{Estimate, Limit, Memory, PartKind, Ranged, Serving, Speed, Time};
use crate::msg;
use crate::plan::{self, Advice, Outcome, Plan, Verdict};
use crate::request::knobs::{self, Kind};
use crate::request::{
    Concurrency, Infer, LoraKind, Method, Parallel, Request, Settings, Stage, Train, Value, Work, Zero, line,
};
use crate::text::{self, Locale, number, percent, say, tr};
use crate::units::{Bytes, GIB, MIB};
use std::borrow::Cow;

mod change;
mod compare;
mod explain;
mod fit;
mod help;
mod picture;
mod sheet;

pub use change::change;
pub use compare::compare;
pub use explain::explain;
pub use fit::fit;
pub use help::{help, problem, recipes};
pub use picture::curve;
pub use sheet::{gpu, model};

/// Buttons for changes that make it fit.
const ADVICE: usize = 4;
/// Weight formats to choose from.
const COMMON_FORMATS: usize = 15;
/// Lines of recommended hardware.
const OPTIONS: usize = 5;

/// The answer to a `train` or `infer` line.
pub fn answer(locale: Locale, outcome: &Outcome, catalog: &Catalog) -> View {
    let Outcome { request, estimate, plan } = outcome;
    let mut view = View::new(locale, title(locale, request))
        .tone(tone(plan.verdict))
        .verdict(verdict(locale, request, estimate, plan.verdict))
        .line(line::write(&request.settings))
        .section("", memory_table(locale, request, estimate));
    view = view.section(tr(locale, "heading-layout"), layout_of(request));
    // What does not fit has no speed.
    if !matches!(plan.verdict, Verdict::Short { .. }) {
        view = speed_sections(view, request, estimate);
    }
    let wanting = matches!(plan.verdict, Verdict::Short { .. } | Verdict::Tight { .. });
    if wanting {
        view = with_advice(view, plan);
    }
    view = with_options(view, plan);
    view = with_remarks(view, request, estimate, plan);
    let frontier = || picture::frontier(locale, plan).filter(|_| plan.verdict == Verdict::NoGpu);
    view.chart = frontier().or_else(|| Some(picture::memory(locale, &[("", outcome)])));
    with_controls(view, request, plan, catalog)
}

/// `Llama-3-8B · full fine-tuning · 8 × A100 80GB SXM`.
pub(super) fn title(locale: Locale, request: &Request) -> String {
    let mut words = vec![short_name(&request.model).to_owned()];
    match &request.work {
        Work::Train(train) => {
            words.push(method(locale, train).into_owned());
            match train.stage {
                Stage::Pretrain | Stage::Sft => {}
                stage => words.push(stage_name(stage).to_owned()),
            }
        }
        Work::Infer(infer) => {
            if infer.weights.name != "none" {
                words.push(infer.weights.name.to_uppercase());
            }
            words.push(engine(locale, &infer.backend.name));
        }
    }
    if let Some(gpu) = request.hardware.gpu {
        words.push(cards(request.hardware.gpus, gpu));
    }
    words.join(" · ")
}

/// An engine's name as its makers write it.
fn engine(locale: Locale, name: &str) -> String {
    let key = format!("engine-{name}");
    if text::has(&key) { tr(locale, &key).into_owned() } else { name.to_owned() }
}

/// A Hugging Face id without its owner.
pub(super) fn short_name(model: &Model) -> &str {
    model.id.rsplit('/').next().unwrap_or(&model.id)
}

fn method(locale: Locale, train: &Train) -> Cow<'static, str> {
    match &train.method {
        Method::Full if train.stage == Stage::Pretrain => tr(locale, "method-pretrain"),
        Method::Full => tr(locale, "method-full"),
        Method::Freeze => tr(locale, "method-freeze"),
        Method::Lora(lora) => Cow::Borrowed(match lora.kind {
            LoraKind::Lora if lora.base.is_some() => "QLoRA",
            LoraKind::Lora => "LoRA",
            LoraKind::AdaLora => "AdaLoRA",
            LoraKind::Dora => "DoRA",
        }),
    }
}

const fn stage_name(stage: Stage) -> &'static str {
    match stage {
        Stage::Pretrain => "PT",
        Stage::Sft => "SFT",
        Stage::Rm => "RM",
        Stage::Dpo => "DPO",
        Stage::Orpo => "ORPO",
        Stage::Cpo => "CPO",
        Stage::SimPo => "SimPO",
        Stage::Kto => "KTO",
        Stage::Ppo => "PPO",
        Stage::Grpo => "GRPO",
    }
}

/// `8 × A100 80GB SXM`.
pub(super) fn cards(gpus: u32, gpu: &Gpu) -> String {
    format!("{gpus} × {}", card(gpu))
}

/// A card's name without its maker's, which everyone knows.
pub(super) fn card(gpu: &Gpu) -> &str {
    let name = gpu.name.as_str();
    ["NVIDIA ", "AMD ", "Intel ", "Huawei ", "Google ", "AWS "]
        .iter()
        .find_map(|maker| name.strip_prefix(maker))
        .unwrap_or(name)
}

/// GiB without the unit: `51.2`.
pub(super) fn gib(size: Bytes) -> String {
    number(size.gib())
}

/// `46–57`.
fn between(low: impl std::fmt::Display, high: impl std::fmt::Display) -> String {
    format!("{low}–{high}")
}

/// `31k → 24k`.
fn between_arrows(old: impl std::fmt::Display, new: impl std::fmt::Display) -> String {
    format!("{old} → {new}")
}

pub(super) fn tone(verdict: Verdict) -> Tone {
    match verdict {
        Verdict::Fits { .. } => Tone::Good,
        Verdict::Tight { .. } => Tone::Tight,
        Verdict::Short { .. } => Tone::Bad,
        Verdict::NoGpu => Tone::Neutral,
    }
}

/// The line that says it.
pub(super) fn verdict(locale: Locale, request: &Request, estimate: &Estimate, verdict: Verdict) -> String {
    let memory = &estimate.memory;
    let each = if request.hardware.gpus > 1 { tr(locale, "each-gpu") } else { Cow::Borrowed("") };
    let each = &*each;
    let used = gib(memory.device);
    let needed = gib(memory.needed);
    let likely = between(gib(memory.low), gib(memory.high));
    let card = request.hardware.gpu.map(|gpu| text::bytes(gpu.memory)).unwrap_or_default();
    let serves = request.infer().is_some();
    let reserves_more = memory.device.0 > memory.needed.0 * 1.02;
    let message = match verdict {
        Verdict::Fits { .. } if reserves_more => {
            msg!("verdict-serves", each = each, needed = needed, card = card, used = used)
        }
        Verdict::Fits { .. } if serves => {
            msg!("verdict-serves-plain", each = each, used = used, card = card, likely = likely)
        }
        Verdict::Fits { .. } => msg!("verdict-trains", each = each, used = used, card = card, likely = likely),
        Verdict::Tight { headroom } => {
            msg!("verdict-tight", each = each, needed = needed, card = card, spare = headroom, likely = likely)
        }
        Verdict::Short { by } if by.0 > 0.0 => {
            msg!("verdict-short", each = each, by = by, needed = needed, card = card)
        }
        Verdict::Short { .. } => msg!("verdict-no-start", seq = request.seq),
        Verdict::NoGpu => msg!("verdict-no-gpu", each = each, needed = needed, likely = likely),
    };
    say(locale, &message)
}

pub(super) fn part_name(locale: Locale, kind: PartKind) -> Cow<'static, str> {
    let key = match kind {
        PartKind::Weights => "part-weights",
        PartKind::Gradients => "part-gradients",
        PartKind::Optimizer => "part-optimizer",
        PartKind::Activations => "part-activations",
        PartKind::Logits => "part-logits",
        PartKind::Buffers => "part-buffers",
        PartKind::KvCache => "part-kv-cache",
        PartKind::Overhead => "part-overhead",
    };
    tr(locale, key)
}

/// The parts that take anything, each with its bytes.
pub(super) fn parts(memory: &Memory) -> Vec<(PartKind, Bytes)> {
    memory.parts.iter().map(|part| (part.kind, part.bytes())).filter(|(_, bytes)| bytes.0 > 0.0).collect()
}

/// The unit a table counts in, by its total, and the unit's name.
pub(super) fn table_unit(total: Bytes) -> (f64, &'static str) {
    if total.0 >= GIB { (GIB, "GiB") } else { (MIB, "MiB") }
}

/// Values in steps of `step` that add up, as shown, to their total as shown (largest remainder).
pub(super) fn in_steps(values: &[f64], step: f64) -> Vec<i64> {
    let total = (values.iter().sum::<f64>() / step).round() as i64;
    let mut shown: Vec<i64> = values.iter().map(|value| (value / step).floor() as i64).collect();
    let missing = (total - shown.iter().sum::<i64>()).clamp(0, values.len() as i64) as usize;
    let mut by_remainder: Vec<usize> = (0..values.len()).collect();
    let remainder = |i: usize| (values[i] / step).fract();
    by_remainder.sort_by(|&a, &b| remainder(b).total_cmp(&remainder(a)));
    for &i in &by_remainder[..missing] {
        shown[i] += 1;
    }
    shown
}

/// Tenths as a decimal: `51.2`.
pub(super) fn tenths(tenths: i64) -> String {
    let sign = if tenths < 0 { "-" } else { "" };
    let whole = text::count(tenths.unsigned_abs() / 10);
    format!("{sign}{whole}.{}", tenths.unsigned_abs() % 10)
}

fn memory_table(locale: Locale, request: &Request, estimate: &Estimate) -> Table {
    let memory = &estimate.memory;
    let parts = parts(memory);
    let (unit, unit_name) = table_unit(memory.device);
    let values: Vec<f64> = parts.iter().map(|(_, bytes)| bytes.0 / unit).collect();
    let total: f64 = values.iter().sum();
    let amount = |steps: i64| Cell::number(format!("{} {unit_name}", tenths(steps)));
    let shown = in_steps(&values, 0.1);
    let mut rows: Vec<Row> = parts
        .iter()
        .zip(&values)
        .zip(&shown)
        .map(|(((kind, _), value), steps)| {
            let share = value / total;
            Row::new([
                Cell::word(part_name(locale, *kind)),
                amount(*steps),
                Cell::number(percent(share)),
                Cell::Bar(share),
            ])
        })
        .collect();
    let card = request.hardware.gpu.map(|gpu| say(locale, &msg!("of-card", card = gpu.memory))).unwrap_or_default();
    let reserves_more = memory.device.0 > memory.needed.0 * 1.02;
    let total_key = if reserves_more { "row-in-use" } else { "row-per-gpu" };
    let share = Cell::number("");
    let total_row = [Cell::word(tr(locale, total_key)), amount(shown.iter().sum()), share, Cell::word(card)];
    rows.push(Row::new(total_row).mark(Mark::Total));
    if reserves_more {
        let needed = (memory.needed.0 / unit * 10.0).round() as i64;
        rows.push(Row::new([Cell::word(tr(locale, "row-needed")), amount(needed)]).mark(Mark::Total));
    }
    Table { header: vec![], rows }
}

/// Speed, time, cost, capacity, and what limits them.
pub(super) fn speed_sections(view: View, request: &Request, estimate: &Estimate) -> View {
    let locale = view.locale;
    let mut view = view;
    if let Some(time) = &estimate.time {
        view = view
            .section(tr(locale, "heading-speed"), training_speed(locale, request, time))
            .section(tr(locale, "heading-time"), training_time(locale, request, time));
    }
    if let (Some(serving), Some(infer)) = (&estimate.serving, request.infer()) {
        view = view.section(tr(locale, "heading-capacity"), capacity(locale, serving));
        if let Some(speed) = &serving.speed {
            view = view
                .section(tr(locale, "heading-speed"), serving_speed(locale, request, infer, speed))
                .section(tr(locale, "heading-cost"), serving_cost(locale, request, speed));
        }
        if let Some(limit) = serving.limit {
            view = view.section(tr(locale, "heading-limit"), tr(locale, limit_key(limit)).into_owned());
        }
        if let Some(speed) = &serving.speed {
            view = view.section(tr(locale, "heading-knee"), knee(locale, speed));
        }
    }
    if estimate.memory.host.0 > 0.0 {
        view = view.section(tr(locale, "heading-host"), text::bytes(estimate.memory.host));
    }
    view
}

fn training_speed(locale: Locale, request: &Request, time: &Time) -> String {
    let mut words = vec![with_range(format!("{} tok/s", number(time.tokens_per_s)), time.low, time.high)];
    if request.hardware.gpus > 1 {
        words.push(say(locale, &msg!("speed-per-gpu", speed = time.tokens_per_s_per_gpu)));
    }
    if time.mfu > 0.0 {
        words.push(format!("MFU {}", percent(time.mfu)));
    }
    words.join(" · ")
}

/// `31k tok/s (27k–35k)`, or the plain value where there is no doubt.
fn with_range(value: String, low: f64, high: f64) -> String {
    match low < high {
        true => format!("{value} ({})", between(number(low), number(high))),
        false => value,
    }
}

fn training_time(locale: Locale, request: &Request, time: &Time) -> String {
    let (Some(total), Some(gpu_hours)) = (time.total, time.gpu_hours) else {
        return say(locale, &msg!("time-step", step = time.step));
    };
    let tokens = request.train().and_then(|train| train.tokens).unwrap_or_default();
    let mut words = vec![
        say(locale, &msg!("time-total", tokens = tokens as f64, total = total)),
        say(locale, &msg!("time-gpu-hours", hours = gpu_hours)),
    ];
    if let Some(usd) = usd_per_hour(request) {
        words.push(say(locale, &msg!("about-money", usd = text::money(usd * total.0 / 3600.0))));
    }
    if let Some((low, high)) = time.goodput_total {
        words.push(say(locale, &msg!("time-goodput", total = text::durations(locale, low, high))));
    }
    words.join(" · ")
}

/// Of all GPUs together, where the price is known.
fn usd_per_hour(request: &Request) -> Option<f64> {
    let price = request.hardware.gpu?.price.as_ref()?;
    Some(price.usd_per_hour * f64::from(request.hardware.gpus))
}

fn capacity(locale: Locale, serving: &Serving) -> String {
    let mut words = Vec::new();
    if let Some(requests) = serving.max_concurrency {
        words.push(say(locale, &msg!("capacity-requests", requests = requests, seq = serving.request_tokens)));
    }
    if let Some(tokens) = serving.kv_tokens {
        words.push(say(locale, &msg!("capacity-tokens", tokens = tokens as f64)));
    }
    if let Some(seq) = serving.max_seq {
        words.push(say(locale, &msg!("capacity-longest", seq = seq)));
    }
    words.join(" · ")
}

fn serving_speed(locale: Locale, request: &Request, infer: &Infer, speed: &Speed) -> String {
    let latency = |ms: Ranged| {
        let (scale, unit) = if ms.value < 1000.0 { (1.0, "unit-milliseconds") } else { (1e-3, "unit-seconds") };
        let value = format!("{} {}", number(ms.value * scale), tr(locale, unit));
        with_range(value, ms.low * scale, ms.high * scale)
    };
    let all = with_range(
        format!("{} tok/s", number(speed.tokens_per_s.value)),
        speed.tokens_per_s.low,
        speed.tokens_per_s.high,
    );
    let mut words = vec![
        say(locale, &msg!("speed-first-token", time = latency(speed.ttft_ms))),
        say(locale, &msg!("speed-each-token", time = latency(speed.tpot_ms))),
        all,
    ];
    if request.hardware.gpus > 1 {
        words.push(say(locale, &msg!("speed-per-gpu", speed = speed.tokens_per_s_per_gpu)));
    }
    match infer.concurrency {
        Concurrency::Requests(requests) => words.push(say(locale, &msg!("speed-at", requests = requests))),
        Concurrency::Max => words.push(tr(locale, "speed-at-most").into_owned()),
    }
    words.join(" · ")
}

fn serving_cost(locale: Locale, request: &Request, speed: &Speed) -> String {
    let Some(usd) = usd_per_hour(request) else { return String::new() };
    let tokens_per_hour = speed.tokens_per_s.value * 3600.0;
    let per_hour = say(locale, &msg!("money-per-hour", usd = text::money(usd)));
    match tokens_per_hour > 0.0 {
        true => {
            let million = text::money(usd / tokens_per_hour * 1e6);
            format!("{per_hour} · {}", say(locale, &msg!("money-per-million", usd = million)))
        }
        false => per_hour,
    }
}

fn knee(locale: Locale, speed: &Speed) -> Table {
    let rows = speed.knee.iter().map(|(requests, ms, tokens_per_s)| {
        Row::new([
            Cell::number(text::count(*requests)),
            Cell::number(format!("{} ms", number(*ms))),
            Cell::number(number(*tokens_per_s)),
        ])
    });
    let header = ["column-requests", "column-tpot", "column-tokens"];
    Table { header: header.map(|key| tr(locale, key).into_owned()).to_vec(), rows: rows.collect() }
}

const fn limit_key(limit: Limit) -> &'static str {
    match limit {
        Limit::Weights => "limit-weights",
        Limit::KvCache => "limit-kv-cache",
        Limit::Bandwidth => "limit-bandwidth",
        Limit::Compute => "limit-compute",
        Limit::Launch => "limit-launch",
        Limit::Communication => "limit-communication",
    }
}

/// `key=value` words, as they stand in a line.
pub(super) fn words<'a>(changes: impl IntoIterator<Item = (&'a str, &'a Value)>) -> String {
    let words: Vec<String> = changes.into_iter().map(|(key, value)| format!("{key}={value}")).collect();
    words.join(" ")
}

/// The words that turn one line into the other, where words can.
pub(super) fn difference(from: &Settings, to: &Settings) -> String {
    words(to.values.iter().filter(|(key, value)| from.get(key) != Some(value)).map(|(key, value)| (*key, value)))
}

/// What makes it fit: each a line and a button.
pub(super) fn with_advice(view: View, plan: &Plan) -> View {
    let locale = view.locale;
    let lines = plan.advice.iter().take(ADVICE).map(|advice| {
        let mut words = vec![say(locale, &advice.label), effect(locale, advice)];
        if !advice.fits {
            words.push(tr(locale, "advice-not-enough").into_owned());
        }
        words.join(" · ")
    });
    let mut view = view.section(tr(locale, "heading-advice"), Body::Steps(lines.collect()));
    for (i, advice) in plan.advice.iter().take(ADVICE).enumerate() {
        let label = format!("{} −{}", say(locale, &advice.label), text::bytes(advice.saves));
        let words = words(advice.changes.iter().map(|(key, value)| (*key, value)));
        let style = if i == 0 { Style::Primary } else { Style::Plain };
        view.buttons.push(Button { label, action: Action::Change(words), style });
    }
    view
}

/// `−19 GiB, 25% slower`.
fn effect(locale: Locale, advice: &Advice) -> String {
    let saves = advice.saves;
    let slower = advice.slowdown - 1.0;
    say(
        locale,
        &match slower {
            _ if slower > 0.02 && slower < 1.0 => msg!("advice-slower", saves = saves, slower = percent(slower)),
            _ if slower >= 1.0 => msg!("advice-times-slower", saves = saves, times = advice.slowdown),
            _ if slower < -0.02 => msg!("advice-faster", saves = saves, times = 1.0 / advice.slowdown),
            _ => msg!("advice-same-speed", saves = saves),
        },
    )
}

fn with_options(view: View, plan: &Plan) -> View {
    let locale = view.locale;
    let lines: Vec<String> = plan.options.iter().take(OPTIONS).map(|option| option_line(locale, option)).collect();
    view.section(tr(locale, "heading-recommended"), Body::Steps(lines))
}

/// `4 × H100 80GB SXM · ZeRO-3 · 68 GiB · 31k tok/s · $96 a run · fewest GPUs`.
fn option_line(locale: Locale, option: &plan::Choice) -> String {
    let mut facts = vec![cards(option.gpus, option.gpu)];
    facts.extend(layout(&option.parallel, option.zero));
    let changes = option
        .changes
        .iter()
        .filter(|(key, _)| !matches!(*key, "gpu" | "gpus" | "nodes" | "tp" | "pp" | "dp" | "ep" | "cp" | "zero"));
    facts.extend(changes.map(|(key, value)| format!("{key}={value}")));
    facts.push(text::bytes(option.device));
    if let Some(speed) = option.tokens_per_s {
        facts.push(format!("{} tok/s", number(speed)));
    }
    // Some reasons name the price.
    let said = option.reason.args.iter().any(|(name, _)| *name == "usd");
    let cost = match (option.cost, option.usd_per_hour) {
        _ if said => None,
        (Some(plan::Cost::Run(usd)), _) => Some(msg!("money-per-run", usd = text::money(usd))),
        (Some(plan::Cost::MillionTokens(usd)), _) => Some(msg!("money-per-million", usd = text::money(usd))),
        (None, Some(usd)) => Some(msg!("money-per-hour", usd = text::money(usd))),
        (None, None) => None,
    };
    facts.extend(cost.map(|cost| say(locale, &cost)));
    facts.push(say(locale, &option.reason));
    facts.join(" · ")
}

/// How the request is spread over its GPUs.
fn layout_of(request: &Request) -> String {
    let zero = request.train().map(|train| train.zero);
    layout(&request.parallel, zero).unwrap_or_default()
}

/// `TP 4 · PP 2 · ZeRO-3`: what is more than one, and how states are sharded.
pub(super) fn layout(parallel: &Parallel, zero: Option<Zero>) -> Option<String> {
    let degrees = [
        ("TP", parallel.tensor),
        ("PP", parallel.pipeline),
        ("EP", parallel.expert),
        ("CP", parallel.context),
        ("DP", parallel.data),
    ];
    let mut words: Vec<String> =
        degrees.iter().filter(|(_, degree)| *degree > 1).map(|(name, degree)| format!("{name} {degree}")).collect();
    match zero {
        Some(Zero::One) => words.push("ZeRO-1".to_owned()),
        Some(Zero::Two) => words.push("ZeRO-2".to_owned()),
        Some(Zero::Three) => words.push("ZeRO-3".to_owned()),
        Some(Zero::Fsdp) => words.push("FSDP".to_owned()),
        Some(Zero::Hsdp) => words.push("HSDP".to_owned()),
        Some(Zero::Ddp) | None => {}
    }
    (!words.is_empty()).then(|| words.join(" "))
}

/// Layout, targets out of reach, assumptions, notes.
fn with_remarks(view: View, request: &Request, estimate: &Estimate, plan: &Plan) -> View {
    let locale = view.locale;
    let assumed = request.assumed.iter().map(|(key, value)| format!("{key}={value}")).collect::<Vec<_>>().join(" · ");
    let small = |text: String| Body::Small(if text.is_empty() { vec![] } else { vec![text] });
    let notes = estimate.notes.iter().map(|note| say(locale, note)).collect();
    view.section(
        tr(locale, "heading-out-of-reach"),
        Body::List(plan.misses.iter().map(|miss| say(locale, &miss.label)).collect()),
    )
    .section(tr(locale, "heading-assumed"), small(assumed))
    .section(tr(locale, "heading-notes"), Body::Small(notes))
}

/// Buttons every answer has, and selects for what people change most.
pub(super) fn with_controls(view: View, request: &Request, plan: &Plan, catalog: &Catalog) -> View {
    let locale = view.locale;
    let mut view = view
        .button(tr(locale, "button-tweak"), Action::Tweak)
        .button(tr(locale, "button-explain"), Action::Explain)
        .button(tr(locale, "button-recipe"), Action::Recipe)
        .button(tr(locale, "button-thread"), Action::Thread);
    view.selects.push(gpu_select(locale, request, plan, catalog));
    view.selects.push(match &request.work {
        Work::Train(train) => method_select(locale, train),
        Work::Infer(infer) => quant_select(locale, infer, catalog),
    });
    view
}

/// The recommended set-ups, then every card whose price is known: those one can rent.
fn gpu_select(locale: Locale, request: &Request, plan: &Plan, catalog: &Catalog) -> Select {
    let recommended = plan.options.iter().map(|option| SelectOption {
        label: cards(option.gpus, option.gpu),
        note: say(locale, &option.reason),
        words: difference(&request.settings, &option.settings),
        chosen: false,
    });
    let mut rentable: Vec<&Gpu> = catalog.gpus.iter().filter(|gpu| gpu.price.is_some()).collect();
    rentable.sort_by(|a, b| b.memory.0.total_cmp(&a.memory.0));
    let rentable = rentable.into_iter().map(|gpu| SelectOption {
        label: card(gpu).to_owned(),
        note: std::iter::once(text::bytes(gpu.memory))
            .chain(gpu.bandwidth.map(text::bandwidth))
            .collect::<Vec<_>>()
            .join(" · "),
        words: format!("gpu={}", gpu.id),
        chosen: request.hardware.gpu.is_some_and(|asked| asked.id == gpu.id),
    });
    let placeholder = tr(locale, "select-gpu").into_owned();
    Select { knob: "gpu", placeholder, options: recommended.chain(rentable).collect() }
}

fn method_select(locale: Locale, train: &Train) -> Select {
    let asked = match &train.method {
        Method::Full => "full",
        Method::Freeze => "freeze",
        Method::Lora(lora) => match lora.kind {
            LoraKind::Lora if lora.base.is_some() => "qlora",
            LoraKind::Lora => "lora",
            LoraKind::AdaLora => "adalora",
            LoraKind::Dora => "dora",
        },
    };
    let choices = match knobs::find("method").map(|knob| &knob.kind) {
        Some(Kind::Choice(choices)) => *choices,
        _ => &[],
    };
    let options = choices.iter().map(|(word, _)| SelectOption {
        label: format!("method={word}"),
        note: String::new(),
        words: format!("method={word}"),
        chosen: *word == asked,
    });
    Select { knob: "method", placeholder: tr(locale, "select-method").into_owned(), options: options.collect() }
}

/// Weight formats of the kind the engine loads; the presets have the common ones first.
fn quant_select(locale: Locale, infer: &Infer, catalog: &Catalog) -> Select {
    let same_kind =
        catalog.formats.iter().filter(|format| format.is_gguf() == infer.weights.is_gguf()).take(COMMON_FORMATS);
    let options = same_kind.map(|format| SelectOption {
        label: format.name.clone(),
        note: say(locale, &msg!("bits-per-weight", bits = format.bits)),
        words: format!("quant={}", format.name),
        chosen: format.name == infer.weights.name,
    });
    Select { knob: "quant", placeholder: tr(locale, "select-quant").into_owned(), options: options.collect() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shown_parts_add_up_to_the_shown_total() {
        // 1.25 + 1.25 + 1.25 = 3.75 shows as 3.8, its parts as 1.3 + 1.3 + 1.2.
        assert_eq!(in_steps(&[1.25, 1.25, 1.25], 0.1), [13, 13, 12]);
        assert!(in_steps(&[], 0.1).is_empty());
        assert_eq!(in_steps(&[0.04, 0.04], 0.1), [1, 0]);
        assert_eq!(tenths(512), "51.2");
        assert_eq!(tenths(-3), "-0.3");
    }
}
