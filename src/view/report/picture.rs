//! Which picture goes with an answer.

use super::words::{cards, part_name, parts};
use crate::estimate::estimate;
use crate::msg;
use crate::plan::{Outcome, Plan};
use crate::request::{Concurrency, Request, Work};
use crate::text::{self, Locale, length, money, number, say, tr};
use crate::units::Bytes;
use crate::view::chart::{Chart, Curve, Kind, Point, Slice, Stack};

/// Memory of one GPU against its card, a bar for each outcome.
pub(super) fn memory(locale: Locale, bars: &[(&str, &Outcome)]) -> Chart {
    let stack = |(label, outcome): &(&str, &Outcome)| {
        let memory = &outcome.estimate.memory;
        let slice = |(kind, bytes)| Slice { kind, label: part_name(locale, kind).into_owned(), bytes };
        Stack {
            label: (*label).to_owned(),
            parts: parts(memory).into_iter().map(slice).collect(),
            low: memory.low,
            high: memory.high,
            card: outcome.request.hardware.gpu.map(|gpu| gpu.memory),
        }
    };
    let stacks: Vec<Stack> = bars.iter().map(stack).collect();
    let alt = stacks.iter().map(|stack| stack_in_words(locale, stack)).collect::<Vec<_>>().join(" ");
    Chart { locale, title: tr(locale, "chart-memory").into_owned(), alt, kind: Kind::Stacks(stacks) }
}

fn stack_in_words(locale: Locale, stack: &Stack) -> String {
    let total: Bytes = stack.parts.iter().map(|slice| slice.bytes).sum();
    let parts = stack.parts.iter().map(|slice| format!("{} {}", slice.label, text::bytes(slice.bytes)));
    let parts = text::list(locale, &parts.collect::<Vec<_>>());
    let words = match stack.card {
        Some(card) => msg!("chart-stack-of", total = total, card = card, parts = parts),
        None => msg!("chart-stack", total = total, parts = parts),
    };
    match stack.label.as_str() {
        "" => say(locale, &words),
        label => format!("{label}: {}", say(locale, &words)),
    }
}

/// The recommended set-ups by price and speed, where at least two have both.
pub(super) fn frontier(locale: Locale, plan: &Plan) -> Option<Chart> {
    let points: Vec<Point> = plan
        .options
        .iter()
        .enumerate()
        .filter_map(|(i, option)| {
            let label = cards(option.gpus, option.gpu);
            Some(Point { label, usd_per_hour: option.usd_per_hour?, tokens_per_s: option.tokens_per_s?, taken: i == 0 })
        })
        .collect();
    if points.len() < 2 {
        return None;
    }
    let in_words = |point: &Point| {
        let (speed, price) = (number(point.tokens_per_s), money(point.usd_per_hour));
        say(locale, &msg!("chart-frontier-point", setup = point.label.as_str(), speed = speed, price = price))
    };
    let alt = text::list(locale, &points.iter().map(in_words).collect::<Vec<_>>());
    Some(Chart { locale, title: tr(locale, "chart-frontier").into_owned(), alt, kind: Kind::Frontier(points) })
}

/// Memory over sequence length (training) or requests at once (serving), all else as asked.
pub fn curve(locale: Locale, outcome: &Outcome) -> Chart {
    let request = &outcome.request;
    let (title, asked, values) = match &request.work {
        Work::Train(_) => ("chart-over-seq", request.seq, 9..=17),
        Work::Infer(infer) => {
            let asked = match infer.concurrency {
                Concurrency::Requests(requests) => requests,
                Concurrency::Max => 1,
            };
            ("chart-over-concurrency", asked, 0..=9)
        }
    };
    // Powers of two, and halfway between.
    let values = values.flat_map(|power| [1u64 << power, (3 << power) / 2]);
    let mut points: Vec<(u64, Bytes)> = values.map(|value| (value, needed_at(request, value))).collect();
    points.dedup_by_key(|(value, _)| *value);
    let card = request.hardware.gpu.map(|gpu| gpu.memory);
    let last_fit = card.and_then(|card| last_fit(request, card, &points));
    let title = tr(locale, title);
    let words = match (last_fit, card, points.first(), points.last()) {
        (Some(value), Some(card), ..) => {
            msg!("chart-curve-fits", title = &*title, value = length(value), card = card)
        }
        (_, _, Some((_, low)), Some((_, high))) => msg!("chart-curve", title = &*title, low = *low, high = *high),
        _ => msg!("chart-curve", title = &*title, low = Bytes::ZERO, high = Bytes::ZERO),
    };
    let alt = say(locale, &words);
    Chart { locale, title: title.into_owned(), alt, kind: Kind::Curve(Curve { points, card, asked, last_fit }) }
}

/// What one GPU needs at this length or this many requests.
fn needed_at(request: &Request, value: u64) -> Bytes {
    let mut request = request.clone();
    match &mut request.work {
        Work::Train(_) => request.seq = value,
        Work::Infer(infer) => infer.concurrency = Concurrency::Requests(value),
    }
    estimate(&request).memory.needed
}

/// The largest value that fits, found by halving; none where all fit or none does.
fn last_fit(request: &Request, card: Bytes, points: &[(u64, Bytes)]) -> Option<u64> {
    let first_short = points.iter().position(|(_, needed)| needed.0 > card.0)?;
    let (mut fits, mut short) = (points.get(first_short.checked_sub(1)?)?.0, points[first_short].0);
    while short - fits > (fits / 64).max(1) {
        let middle = fits + (short - fits) / 2;
        if needed_at(request, middle).0 > card.0 { short = middle } else { fits = middle }
    }
    Some(fits)
}
