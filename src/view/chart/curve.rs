//! Memory over a knob, with the point where it stops fitting.

use super::pen::{ACCENT, Anchor, BAD, GOOD, INK, LINE, PALE, Pen};
use super::{Chart, Curve, WIDTH};
use crate::msg;
use crate::text::{length, number, say};
use crate::units::{Bytes, GIB};

const LEFT: f64 = 60.0;
const RIGHT: f64 = WIDTH - 28.0;
const TOP: f64 = 74.0;
const BOTTOM: f64 = 300.0;

pub fn svg(chart: &Chart, curve: &Curve) -> String {
    let mut pen = Pen::new();
    pen.text((20.0, 34.0), 19.0, INK, Anchor::Start, &chart.title);
    let (Some(first), Some(last)) = (curve.points.first(), curve.points.last()) else { return pen.finish(TOP) };
    let card = curve.card.unwrap_or_default();
    let highest = curve.points.iter().fold(card, |highest, (_, size)| highest.max(*size));
    // A point far above the card says no more than that it does not fit.
    let ceiling = if card.0 > 0.0 { highest.min(card * 2.0) } else { highest };
    let step = tick(ceiling.gib());
    let ceiling = Bytes::from_gib((ceiling.gib() / step).ceil() * step);
    let (low, high) = ((first.0.max(1) as f64).log2(), (last.0.max(2) as f64).log2());
    let x = |value: f64| LEFT + (value.max(1.0).log2() - low) / (high - low).max(1e-9) * (RIGHT - LEFT);
    let y = |size: Bytes| BOTTOM - (size.0 / ceiling.0).min(1.0) * (BOTTOM - TOP);

    let mut grid = 0.0;
    while grid <= ceiling.gib() * 1.0001 {
        let height = y(Bytes(grid * GIB));
        pen.line((LEFT, height), (RIGHT, height), LINE, 1.0);
        pen.text((LEFT - 10.0, height + 6.0), 15.0, PALE, Anchor::End, &number(grid));
        grid += step;
    }
    pen.text((LEFT - 10.0, TOP - 14.0), 15.0, PALE, Anchor::End, "GiB");
    for (value, _) in curve.points.iter().filter(|(value, _)| value.is_power_of_two()) {
        pen.text((x(*value as f64), BOTTOM + 24.0), 15.0, PALE, Anchor::Middle, &length(*value));
    }
    if card.0 > 0.0 {
        pen.dashed((LEFT, y(card)), (RIGHT, y(card)), BAD);
        let words = say(chart.locale, &msg!("chart-card", card = card));
        pen.text((LEFT + 8.0, y(card) - 10.0), 16.0, BAD, Anchor::Start, &words);
    }
    pen.path(&below(&curve.points, ceiling).map(|(value, size)| (x(value), y(size))).collect::<Vec<_>>(), ACCENT);
    if let Some(size) = at(&curve.points, curve.asked as f64).filter(|size| size.0 <= ceiling.0) {
        pen.dot((x(curve.asked as f64), y(size)), 7.0, INK);
    }
    if let Some(value) = curve.last_fit {
        let x = x(value as f64);
        pen.dashed((x, TOP), (x, BOTTOM), GOOD);
        let words = say(chart.locale, &msg!("chart-fits-up-to", value = length(value)));
        let anchor = if x > WIDTH / 2.0 { Anchor::End } else { Anchor::Start };
        let aside = if anchor == Anchor::End { -10.0 } else { 10.0 };
        pen.text((x + aside, BOTTOM - 14.0), 16.0, GOOD, anchor, &words);
    }
    pen.finish(BOTTOM + 42.0)
}

/// The points up to the ceiling, the last where the curve meets it.
fn below(points: &[(u64, Bytes)], ceiling: Bytes) -> impl Iterator<Item = (f64, Bytes)> {
    let end = points.iter().position(|(_, size)| size.0 > ceiling.0).unwrap_or(points.len());
    let crossing = points.get(end.wrapping_sub(1)).zip(points.get(end)).map(|(&(from, low), &(to, high))| {
        let share = (ceiling - low) / (high - low);
        (from as f64 + share * (to - from) as f64, ceiling)
    });
    points[..end].iter().map(|&(value, size)| (value as f64, size)).chain(crossing)
}

/// Memory at a value between two points, on the straight line between them.
fn at(points: &[(u64, Bytes)], value: f64) -> Option<Bytes> {
    points.windows(2).find(|pair| (pair[0].0 as f64..=pair[1].0 as f64).contains(&value)).map(|pair| {
        let share = (value - pair[0].0 as f64) / (pair[1].0 - pair[0].0) as f64;
        pair[0].1 + (pair[1].1 - pair[0].1) * share
    })
}

/// A round distance between grid lines, four to eight of them.
fn tick(top: f64) -> f64 {
    let power = 10f64.powf((top.max(1e-9) / 8.0).log10().floor());
    let steps = [1.0, 2.0, 5.0, 10.0];
    steps.into_iter().map(|step| step * power).find(|step| top / step <= 8.0).unwrap_or(power * 10.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grid_lines_are_round_and_few() {
        assert_eq!(tick(80.0), 10.0);
        assert_eq!(tick(24.0), 5.0);
        assert_eq!(tick(3.0), 0.5);
    }
}
