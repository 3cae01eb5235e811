//! A tweak: what was, what is, and what it takes to go back.

use super::words::{between_arrows, part_name, table_unit, title, tone, verdict, words};
use super::{controls, picture, with_advice, with_risk};
use crate::catalog::Catalog;
use crate::estimate::{Estimate, PartKind};
use crate::msg;
use crate::plan::{Outcome, Verdict};
use crate::request::Request;
use crate::request::line;
use crate::text::{self, Locale, number, say, tr};
use crate::units::{Bytes, Seconds};
use crate::view::{Action, Cell, Mark, Row, Table, View};
use std::collections::BTreeSet;

/// One knob that a tweak changed; `None` where nothing stands.
struct Changed {
    key: &'static str,
    /// What the line before said.
    asked: Option<String>,
    old: Option<String>,
    new: Option<String>,
}

/// The answer to a change of `before` into `after`.
pub fn change(locale: Locale, before: &Outcome, after: &Outcome, catalog: &Catalog) -> View {
    let (request, estimate, plan) = (&after.request, &after.estimate, &after.plan);
    let changed = changed(&before.request, request);
    let mut view = View::new(locale, title(locale, request))
        .tone(tone(plan.verdict))
        .verdict(verdict(locale, request, estimate, plan.verdict))
        .line(line::write(&request.settings))
        .section(tr(locale, "heading-changed"), in_words(locale, &changed, &before.request, request))
        .section("", memory_change(locale, &before.estimate, after));
    // What does not fit has no speed.
    if !matches!(plan.verdict, Verdict::Short { .. }) {
        view = view.section(tr(locale, "heading-speed"), speed_change(locale, &before.estimate, estimate));
    }
    view = with_risk(view, after);
    view = with_advice(view, plan);
    if !changed.is_empty() {
        let back = words_back(&changed, |it| it.asked.as_deref());
        view = view
            .button(
                say(locale, &msg!("button-back", words = words_back(&changed, |it| it.old.as_deref()))),
                Action::Change(back.clone()),
            )
            .button(tr(locale, "button-compare"), Action::Compare(back));
    }
    let (was, is) = (tr(locale, "chart-before"), tr(locale, "chart-after"));
    view.chart = Some(picture::memory(locale, &[(&was, before), (&is, after)]));
    controls::add(view, request, plan, catalog)
}

/// Every knob whose value is not the same, asked or assumed.
fn changed(before: &Request, after: &Request) -> Vec<Changed> {
    let value = |request: &Request, key: &str| {
        let assumed = request.assumed.iter().find(|(assumed, _)| *assumed == key);
        let said = request.settings.get(key).map(ToString::to_string);
        said.or(assumed.map(|(_, value)| value.to_string())).or(count(request, key).map(|count| count.to_string()))
    };
    let keys: BTreeSet<&'static str> =
        before.settings.values.keys().chain(after.settings.values.keys()).copied().collect();
    keys.into_iter()
        .map(|key| {
            let asked = before.settings.get(key).map(ToString::to_string);
            Changed { key, asked, old: value(before, key), new: value(after, key) }
        })
        .filter(|changed| changed.old != changed.new)
        .collect()
}

/// A count that is chosen where nobody gave it.
fn count(request: &Request, key: &str) -> Option<u32> {
    let Request { hardware, parallel, .. } = request;
    let count = match key {
        "gpus" => hardware.gpus,
        "nodes" => hardware.nodes,
        "tp" => parallel.tensor,
        "pp" => parallel.pipeline,
        "dp" => parallel.data,
        "ep" => parallel.expert,
        "cp" => parallel.context,
        _ => return None,
    };
    // Without a card there is nothing to count.
    hardware.gpu.map(|_| count)
}

/// `zero 3 → 2 · seq 4096 → 8192`; that nothing is another, where what was asked for stood already.
fn in_words(locale: Locale, changed: &[Changed], before: &Request, after: &Request) -> String {
    let none = "–";
    let asked = after.settings.values.iter().filter(|(key, value)| before.settings.get(key) != Some(value));
    let asked = words(asked.map(|(key, value)| (*key, value)));
    if changed.is_empty() && !asked.is_empty() {
        return say(locale, &msg!("changed-nothing", words = asked));
    }
    let words: Vec<String> = changed
        .iter()
        .map(|Changed { key, old, new, .. }| {
            format!("{key} {} → {}", old.as_deref().unwrap_or(none), new.as_deref().unwrap_or(none))
        })
        .collect();
    words.join(" · ")
}

/// The words that undo the change.
fn words_back(changed: &[Changed], old: fn(&Changed) -> Option<&str>) -> String {
    let words: Vec<String> = changed.iter().map(|it| format!("{}={}", it.key, old(it).unwrap_or("default"))).collect();
    words.join(" ")
}

fn memory_change(locale: Locale, before: &Estimate, after: &Outcome) -> Table {
    let (old, new) = (&before.memory, &after.estimate.memory);
    let (unit, unit_name) = table_unit(old.device.max(new.device));
    let row = |label: &str, old: Bytes, new: Bytes| {
        // A zero has no sign.
        let shown = |bytes: Bytes| (bytes.0 / unit * 10.0).round() / 10.0 + 0.0;
        let (old, new) = (shown(old), shown(new));
        let difference = match new - old {
            delta if delta.abs() < 0.05 => String::new(),
            delta if delta > 0.0 => format!("+{delta:.1}"),
            delta => format!("−{:.1}", -delta),
        };
        let mark = if difference.is_empty() { Mark::Plain } else { Mark::Changed };
        Row::new([
            Cell::word(label),
            Cell::number(format!("{old:.1}")),
            Cell::word("→"),
            Cell::number(format!("{new:.1} {unit_name}")),
            Cell::number(difference),
        ])
        .mark(mark)
    };
    let parts = PartKind::ALL.into_iter().map(|kind| (kind, old.part(kind), new.part(kind)));
    let parts = parts.filter(|(_, old, new)| old.0 != 0.0 || new.0 != 0.0);
    let mut rows: Vec<Row> = parts.map(|(kind, old, new)| row(&part_name(locale, kind), old, new)).collect();
    rows.push(row(&tr(locale, "row-per-gpu"), old.device, new.device).mark(Mark::Total));
    Table { header: vec![], rows }
}

fn speed_change(locale: Locale, before: &Estimate, after: &Estimate) -> String {
    if let (Some(old), Some(new)) = (&before.time, &after.time) {
        return format!("{} tok/s", between_arrows(number(old.tokens_per_s), number(new.tokens_per_s)));
    }
    let speed = |estimate: &Estimate| estimate.serving.as_ref().and_then(|serving| serving.speed.clone());
    let (Some(old), Some(new)) = (speed(before), speed(after)) else { return String::new() };
    let time = |ms: f64| text::duration(locale, Seconds(ms / 1e3));
    let first = between_arrows(time(old.ttft_ms.value), time(new.ttft_ms.value));
    let each = between_arrows(time(old.tpot_ms.value), time(new.tpot_ms.value));
    let all = between_arrows(number(old.tokens_per_s.value), number(new.tokens_per_s.value));
    let words = [
        say(locale, &msg!("speed-first-token", time = first)),
        say(locale, &msg!("speed-each-token", time = each)),
        format!("{all} tok/s"),
    ];
    words.join(" · ")
}
