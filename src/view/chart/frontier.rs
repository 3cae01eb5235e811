//! Recommended set-ups: speed over price, both in equal ratios.

use super::pen::{ACCENT, Anchor, GOOD, INK, LINE, PALE, Pen, width_of};
use super::{Chart, Point, WIDTH};
use crate::msg;
use crate::text::{number, say};

const LEFT: f64 = 64.0;
const RIGHT: f64 = WIDTH - 40.0;
const TOP: f64 = 82.0;
const BOTTOM: f64 = 310.0;
/// Size of the labels' letters.
const LETTERS: f64 = 16.0;

pub fn svg(chart: &Chart, points: &[Point]) -> String {
    let mut pen = Pen::new();
    pen.text((20.0, 34.0), 19.0, INK, Anchor::Start, &chart.title);
    let mut points: Vec<&Point> = points.iter().filter(|p| p.usd_per_hour > 0.0 && p.tokens_per_s > 0.0).collect();
    points.sort_by(|a, b| a.usd_per_hour.total_cmp(&b.usd_per_hour));
    let across = Axis::of(points.iter().map(|point| point.usd_per_hour), LEFT, RIGHT);
    let up = Axis::of(points.iter().map(|point| point.tokens_per_s), BOTTOM, TOP);
    pen.line((LEFT, BOTTOM), (RIGHT, BOTTOM), LINE, 2.0);
    pen.line((LEFT, TOP), (LEFT, BOTTOM), LINE, 2.0);
    for value in across.ticks() {
        pen.text((across.at(value), BOTTOM + 24.0), 15.0, PALE, Anchor::Middle, &format!("${}", number(value)));
    }
    let per_hour = say(chart.locale, &msg!("money-per-hour", usd = "$"));
    pen.text((RIGHT, BOTTOM - 10.0), 15.0, PALE, Anchor::End, &per_hour);
    for value in up.ticks() {
        pen.line((LEFT, up.at(value)), (RIGHT, up.at(value)), LINE, 1.0);
        pen.text((LEFT - 10.0, up.at(value) + 6.0), 15.0, PALE, Anchor::End, &number(value));
    }
    pen.text((LEFT - 10.0, TOP - 22.0), 15.0, PALE, Anchor::End, "tok/s");
    let place = |point: &Point| (across.at(point.usd_per_hour), up.at(point.tokens_per_s));
    pen.path(&frontier(&points).map(place).collect::<Vec<_>>(), LINE);
    // Labels keep off the axis, off the points and off each other.
    let dot = |(x, y): (f64, f64)| Label { left: x - 10.0, base: y + 6.0, width: 20.0 };
    let mut labels: Vec<Label> = points.iter().map(|point| dot(place(point))).collect();
    labels.push(Label { left: LEFT, base: BOTTOM + 6.0, width: RIGHT - LEFT });
    for point in points {
        let (x, y) = place(point);
        let fill = if point.taken { GOOD } else { ACCENT };
        pen.dot((x, y), if point.taken { 9.0 } else { 7.0 }, fill);
        let label = Label::beside((x, y), width_of(&point.label, LETTERS), &labels);
        let ink = if point.taken { GOOD } else { INK };
        pen.text((label.left, label.base), LETTERS, ink, Anchor::Start, &point.label);
        labels.push(label);
    }
    pen.finish(BOTTOM + 44.0)
}

/// Of points from cheap to dear, those faster than every cheaper one.
fn frontier<'a>(points: &'a [&Point]) -> impl Iterator<Item = &'a Point> {
    let mut fastest = 0.0;
    points.iter().copied().filter(move |point| {
        let faster = point.tokens_per_s > fastest;
        fastest = point.tokens_per_s.max(fastest);
        faster
    })
}

/// Where the words beside a point stand.
struct Label {
    left: f64,
    base: f64,
    width: f64,
}

impl Label {
    /// Above the point, or where others leave room: below, then further away.
    fn beside((x, y): (f64, f64), width: f64, others: &[Label]) -> Self {
        let left = (x - width / 2.0).clamp(LEFT + 4.0, (WIDTH - 12.0 - width).max(LEFT + 4.0));
        let places = [-16.0, 28.0, -36.0, 48.0, -56.0].map(|shift| Label { left, base: y + shift, width });
        let free = places.into_iter().find(|place| !others.iter().any(|other| place.meets(other)));
        free.unwrap_or(Label { left, base: y - 16.0, width })
    }
    fn meets(&self, other: &Self) -> bool {
        (self.base - other.base).abs() < LETTERS + 2.0
            && self.left < other.left + other.width
            && other.left < self.left + self.width
    }
}

/// A logarithmic axis, a little longer than its values.
struct Axis {
    low: f64,
    high: f64,
    from: f64,
    to: f64,
}

impl Axis {
    fn of(values: impl Iterator<Item = f64>, from: f64, to: f64) -> Self {
        let (low, high) = values.fold((f64::MAX, f64::MIN_POSITIVE), |(low, high), v| (low.min(v), high.max(v)));
        let low = low.min(high);
        Self { low: low / 1.5, high: high * 1.5, from, to }
    }
    fn at(&self, value: f64) -> f64 {
        self.from + (value / self.low).ln() / (self.high / self.low).ln() * (self.to - self.from)
    }
    /// 1, 2 and 5 of each power of ten within; only powers where those would be many.
    fn ticks(&self) -> Vec<f64> {
        let powers = self.low.log10().floor() as i32..=self.high.log10().ceil() as i32;
        let steps: &[f64] = if self.high / self.low > 300.0 { &[1.0] } else { &[1.0, 2.0, 5.0] };
        let all = powers.flat_map(|power| steps.iter().map(move |step| step * 10f64.powi(power)));
        all.filter(|value| (self.low..=self.high).contains(value)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_of_near_points_do_not_overlap() {
        let mut labels = Vec::new();
        for shift in 0..3 {
            labels.push(Label::beside((200.0 + f64::from(shift), 200.0), 150.0, &labels));
        }
        assert!(!labels[0].meets(&labels[1]) && !labels[1].meets(&labels[2]) && !labels[0].meets(&labels[2]));
    }

    #[test]
    fn the_frontier_leaves_out_what_is_dearer_and_slower() {
        let point =
            |usd_per_hour, tokens_per_s| Point { label: String::new(), usd_per_hour, tokens_per_s, taken: false };
        let points = [point(1.0, 10.0), point(2.0, 8.0), point(3.0, 20.0)];
        let points: Vec<&Point> = points.iter().collect();
        assert_eq!(frontier(&points).map(|point| point.usd_per_hour).collect::<Vec<_>>(), [1.0, 3.0]);
    }

    #[test]
    fn ticks_are_round_and_within() {
        let axis = Axis::of([2.0, 12.0].into_iter(), 0.0, 100.0);
        assert_eq!(axis.ticks(), [2.0, 5.0, 10.0]);
        assert!(axis.at(2.0) > 0.0 && axis.at(12.0) < 100.0);
    }
}
