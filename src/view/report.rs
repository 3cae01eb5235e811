//! From what was found to what is said: `Request + Estimate + Plan -> View`, in the reader's language.
//!
//! The order is the reader's: verdict, memory, speed, what limits it, what would run it better or at
//! all, and last what was assumed. Knows which words and numbers; not how they are drawn. Answers to a
//! `train` or `infer` line carry it; to the others the caller adds the line that was asked.

use super::{Action, Body, Button, Cell, Mark, Row, Style, Table, View};
use crate::catalog::Catalog;
use crate::estimate::{Estimate, PartKind};
use crate::msg;
use crate::plan::{self, Advice, Outcome, Plan, Verdict};
use crate::request::{Request, line};
use crate::text::{self, Locale, number, percent, say, tr};
use crate::units::{Bytes, Seconds};
use words::{cards, gib, layout, layout_of, part_name, parts, reserves_more, table_unit, title, tone, verdict, words};

mod change;
mod compare;
mod controls;
mod explain;
mod fit;
mod help;
mod picture;
mod sheet;
mod speed;
mod words;

pub use change::change;
pub use compare::compare;
pub use explain::explain;
pub use fit::fit;
pub use help::{help, problem, recipes};
pub use picture::curve;
pub use sheet::{gpu, model};

/// Buttons for changes that make it fit.
const ADVICE: usize = 5;
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
        view = speed::add(view, request, estimate);
    }
    view = with_risk(view, outcome);
    view = with_advice(view, plan);
    view = with_options(view, plan);
    view = with_remarks(view, request, estimate, plan);
    let frontier = || picture::frontier(locale, plan).filter(|_| plan.verdict == Verdict::NoGpu);
    view.chart = frontier().or_else(|| Some(picture::memory(locale, &[("", outcome)])));
    controls::add(view, request, plan, catalog)
}

fn memory_table(locale: Locale, request: &Request, estimate: &Estimate) -> Table {
    let memory = &estimate.memory;
    let (unit, unit_name) = table_unit(memory.device);
    let amount = |bytes: Bytes| match bytes.0 / unit {
        size if size < 0.05 => Cell::number(text::bytes(bytes)),
        size => Cell::number(format!("{size:.1} {unit_name}")),
    };
    let part = |(kind, bytes): (PartKind, Bytes)| {
        let share = bytes / memory.device;
        Row::new([Cell::word(part_name(locale, kind)), amount(bytes), Cell::number(percent(share)), Cell::Bar(share)])
    };
    let mut rows: Vec<Row> = parts(memory).into_iter().map(part).collect();
    let card = request.hardware.gpu.map(|gpu| say(locale, &msg!("of-card", card = gpu.memory))).unwrap_or_default();
    let reserves_more = reserves_more(memory);
    let total_key = if reserves_more { "row-in-use" } else { "row-per-gpu" };
    let total = [Cell::word(tr(locale, total_key)), amount(memory.device), Cell::number(""), Cell::word(card)];
    rows.push(Row::new(total).mark(Mark::Total));
    if reserves_more {
        rows.push(Row::new([Cell::word(tr(locale, "row-needed")), amount(memory.needed)]).mark(Mark::Total));
    }
    Table { header: vec![], rows }
}

/// What could push a tight fit over.
fn with_risk(view: View, outcome: &Outcome) -> View {
    let memory = &outcome.estimate.memory;
    // What an allocator would give back pushes nothing over.
    let kept = if outcome.request.train().is_some() { memory.device - memory.needed } else { Bytes::ZERO };
    let high = memory.high - kept;
    let over = outcome.request.hardware.gpu.is_some_and(|gpu| high.0 > gpu.memory.0);
    match outcome.plan.verdict {
        Verdict::Tight { .. } | Verdict::Fits { .. } if over => {
            let locale = view.locale;
            view.section(tr(locale, "heading-risk"), say(locale, &msg!("risk-over", high = gib(high))))
        }
        Verdict::Tight { .. } | Verdict::Fits { .. } | Verdict::Short { .. } | Verdict::NoGpu => view,
    }
}

/// What makes it fit, or faster: each a line and a button.
pub(super) fn with_advice(view: View, plan: &Plan) -> View {
    let locale = view.locale;
    let lines = plan.advice.iter().take(ADVICE).map(|advice| {
        let mut words = vec![say(locale, &advice.label)];
        words.extend(difference(advice.saves));
        words.extend(pace(locale, advice));
        if !advice.fits {
            words.push(tr(locale, "advice-not-enough").into_owned());
        }
        words.join(" · ")
    });
    let heading = match plan.verdict {
        Verdict::Short { .. } => "heading-advice",
        Verdict::Tight { .. } => "heading-roomier",
        Verdict::Fits { .. } | Verdict::NoGpu => "heading-faster",
    };
    let mut view = view.section(tr(locale, heading), Body::Steps(lines.collect()));
    for (i, advice) in plan.advice.iter().take(ADVICE).enumerate() {
        let label: Vec<String> = [say(locale, &advice.label)].into_iter().chain(difference(advice.saves)).collect();
        let words = words(advice.changes.iter().map(|(key, value)| (*key, value)));
        let style = if i == 0 { Style::Primary } else { Style::Plain };
        view.buttons.push(Button { label: label.join(" "), action: Action::Change(words), style });
    }
    view
}

/// `−19 GiB`, of what is saved.
fn difference(saves: Bytes) -> Option<String> {
    let sign = if saves < Bytes::ZERO { "+" } else { "−" };
    (saves != Bytes::ZERO).then(|| format!("{sign}{}", text::bytes(Bytes(saves.0.abs()))))
}

/// `25% slower`, where it is.
fn pace(locale: Locale, advice: &Advice) -> Option<String> {
    let slower = advice.slowdown - 1.0;
    let pace = match slower {
        _ if slower > 0.02 && slower < 1.0 => msg!("advice-slower", slower = percent(slower)),
        _ if slower >= 1.0 => msg!("advice-times-slower", times = advice.slowdown),
        _ if slower < -0.02 => msg!("advice-faster", times = 1.0 / advice.slowdown),
        _ => return None,
    };
    Some(say(locale, &pace))
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
    facts.extend(option.hours.map(|hours| text::duration(locale, Seconds(hours * 3600.0))));
    let cost = match (option.cost, option.usd_per_hour) {
        (Some(plan::Cost::Run(usd)), _) => Some(msg!("money-per-run", usd = text::money(usd))),
        (Some(plan::Cost::MillionTokens(usd)), _) => Some(msg!("money-per-million", usd = text::money(usd))),
        (None, Some(usd)) => Some(msg!("money-per-hour", usd = text::money(usd))),
        (None, None) => None,
    };
    facts.extend(cost.map(|cost| say(locale, &cost)));
    facts.push(say(locale, &option.reason));
    facts.join(" · ")
}

/// Layout, targets out of reach, assumptions, notes.
fn with_remarks(view: View, request: &Request, estimate: &Estimate, plan: &Plan) -> View {
    let locale = view.locale;
    let assumed = request.assumed.iter().map(|(key, value)| format!("{key}={value}")).collect::<Vec<_>>().join(" · ");
    let small = |text: String| Body::Small(if text.is_empty() { vec![] } else { vec![text] });
    let notes = estimate.notes.iter().chain(&plan.notes).map(|note| say(locale, note)).collect();
    view.section(
        tr(locale, "heading-out-of-reach"),
        Body::List(plan.misses.iter().map(|miss| say(locale, &miss.label)).collect()),
    )
    .section(tr(locale, "heading-assumed"), small(assumed))
    .section(tr(locale, "heading-notes"), Body::Small(notes))
}
