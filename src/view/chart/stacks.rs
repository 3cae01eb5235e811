//! Memory of one GPU as stacked bars against the card.

use super::pen::{Anchor, BAD, DARK, INK, LINE, PALE, Pen, colour, width_of};
use super::{Chart, Slice, Stack, WIDTH};
use crate::msg;
use crate::text::{bytes, number, say, tr};
use crate::units::Bytes;

const MARGIN: f64 = 20.0;
const BAR: f64 = 44.0;
/// From one bar's top to the next's.
const PITCH: f64 = 120.0;
const LEGEND_ROW: f64 = 27.0;
/// Size of most letters.
const LETTERS: f64 = 16.0;

pub fn svg(chart: &Chart, bars: &[Stack]) -> String {
    let mut pen = Pen::new();
    pen.text((MARGIN, 34.0), 19.0, INK, Anchor::Start, &chart.title);
    let ends = bars.iter().map(|bar| total(bar).max(bar.high).max(bar.card.unwrap_or_default()));
    let largest = ends.fold(Bytes(1.0), Bytes::max);
    let scale = (WIDTH - 2.0 * MARGIN) / largest.0;
    let mut top = 78.0;
    for bar in bars {
        draw(&mut pen, chart, bar, top, scale);
        top += PITCH;
    }
    let legend = legend(bars);
    // Two bars have two figures a part.
    let columns = if bars.len() == 2 { 2 } else { 3 };
    let column = (WIDTH - 2.0 * MARGIN) / columns as f64;
    for (i, (slice, sizes)) in legend.iter().enumerate() {
        let x = MARGIN + column * (i % columns) as f64;
        let y = top + LEGEND_ROW * (i / columns) as f64 - 14.0;
        pen.rect((x, y - 12.0), (13.0, 13.0), colour(slice.kind));
        pen.text((x + 20.0, y), LETTERS, INK, Anchor::Start, &format!("{} {sizes}", slice.label));
    }
    let rows = legend.len().div_ceil(columns);
    pen.finish(top + LEGEND_ROW * rows as f64 - 14.0)
}

fn total(bar: &Stack) -> Bytes {
    bar.parts.iter().map(|slice| slice.bytes).sum()
}

fn draw(pen: &mut Pen, chart: &Chart, bar: &Stack, top: f64, scale: f64) {
    let locale = chart.locale;
    let x = |size: Bytes| MARGIN + size.0 * scale;
    let total = total(bar);
    let over = bar.card.is_some_and(|card| total.0 > card.0);
    let ink = if over { BAD } else { INK };
    let head = match bar.label.as_str() {
        "" => bytes(total),
        label => format!("{label} · {}", bytes(total)),
    };
    pen.text((MARGIN, top - 12.0), LETTERS, ink, Anchor::Start, &head);
    if let Some(card) = bar.card {
        pen.rect((MARGIN, top), (card.0 * scale, BAR), LINE);
    }
    let mut start = Bytes::ZERO;
    for slice in &bar.parts {
        let width = slice.bytes.0 * scale;
        pen.rect((x(start), top), ((width - 2.0).max(1.0), BAR), colour(slice.kind));
        if width_of(&slice.label, LETTERS) + 10.0 < width {
            pen.text((x(start) + width / 2.0 - 1.0, top + BAR / 2.0 + 6.0), 16.0, DARK, Anchor::Middle, &slice.label);
        }
        start += slice.bytes;
    }
    if let Some(card) = bar.card {
        let edge = if over { BAD } else { INK };
        pen.line((x(card), top - 8.0), (x(card), top + BAR + 8.0), edge, 3.0);
        let words = say(locale, &msg!("chart-card", card = card));
        // Left of the edge, unless the head stands there.
        let room = x(card) - MARGIN - width_of(&head, LETTERS) - 16.0;
        let anchor = if width_of(&words, LETTERS) < room { Anchor::End } else { Anchor::Start };
        let edge_of_words = if anchor == Anchor::End { x(card) } else { x(card).max(x(card) - room + 6.0) };
        pen.text((edge_of_words, top - 12.0), LETTERS, edge, anchor, &words);
    }
    if bar.low.0 < bar.high.0 {
        range(pen, chart, (x(bar.low), x(bar.high)), top + BAR + 14.0, bar);
    }
}

/// The likely range as a bracket under the bar.
fn range(pen: &mut Pen, chart: &Chart, (low, high): (f64, f64), y: f64, bar: &Stack) {
    pen.line((low, y), (high, y), PALE, 2.0);
    pen.line((low, y - 5.0), (low, y + 5.0), PALE, 2.0);
    pen.line((high, y - 5.0), (high, y + 5.0), PALE, 2.0);
    let words =
        format!("{} {}–{} GiB", tr(chart.locale, "chart-likely"), number(bar.low.gib()), number(bar.high.gib()));
    let half = width_of(&words, LETTERS) / 2.0;
    let middle = ((low + high) / 2.0).clamp(MARGIN + half, (WIDTH - MARGIN - half).max(MARGIN + half));
    pen.text((middle, y + 22.0), LETTERS, PALE, Anchor::Middle, &words);
}

/// Every kind of part once, with its size in one bar or its change between two.
fn legend(bars: &[Stack]) -> Vec<(&Slice, String)> {
    let mut kinds: Vec<&Slice> = Vec::new();
    for slice in bars.iter().flat_map(|bar| &bar.parts) {
        if !kinds.iter().any(|seen| seen.kind == slice.kind) {
            kinds.push(slice);
        }
    }
    let size = |bar: &Stack, slice: &Slice| {
        let found = bar.parts.iter().find(|part| part.kind == slice.kind);
        found.map_or_else(|| "0".to_owned(), |part| number(part.bytes.gib()))
    };
    let sizes = |slice: &Slice| {
        let mut sizes: Vec<String> = bars.iter().map(|bar| size(bar, slice)).collect();
        sizes.dedup();
        if bars.len() > 2 { String::new() } else { sizes.join(" → ") }
    };
    kinds.into_iter().map(|slice| (slice, sizes(slice))).collect()
}
