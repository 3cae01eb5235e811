//! Two to four set-ups side by side.

use super::picture;
use super::words::{card, cards, short_name, usd_per_hour};
use crate::msg;
use crate::plan::{Comparison, Outcome, Verdict};
use crate::text::{self, Locale, number, say, tr};
use crate::units::Seconds;
use crate::view::{Body, Cell, Mark, Row, Table, View};

/// What a column is called in the table.
const LETTERS: [&str; 4] = ["A", "B", "C", "D"];

/// The answer to `compare`.
pub fn compare(locale: Locale, comparison: &Comparison) -> View {
    let columns = &comparison.columns;
    let names: Vec<String> =
        columns.iter().zip(LETTERS).map(|(column, letter)| format!("{letter}: {}", name(column, comparison))).collect();
    let bars: Vec<(&str, &Outcome)> = LETTERS.into_iter().zip(columns.iter().map(AsRef::as_ref)).collect();
    let mut view = View::new(locale, title(locale, comparison))
        .verdict(best(locale, comparison))
        .section("", Body::List(names))
        .section("", table(locale, comparison));
    view.chart = Some(picture::memory(locale, &bars));
    view
}

fn title(locale: Locale, comparison: &Comparison) -> String {
    let same_model = !comparison.differs.contains(&"model");
    match comparison.columns.first().filter(|_| same_model) {
        Some(column) => say(locale, &msg!("title-compare-of", model = short_name(&column.request.model))),
        None => tr(locale, "title-compare").into_owned(),
    }
}

/// What tells a column from the others.
fn name(column: &Outcome, comparison: &Comparison) -> String {
    let request = &column.request;
    let words: Vec<String> = comparison
        .differs
        .iter()
        .filter_map(|key| match *key {
            "gpus" if comparison.differs.contains(&"gpu") => None,
            "gpu" => request.hardware.gpu.map(|gpu| cards(request.hardware.gpus, gpu)),
            "model" => Some(short_name(&request.model).to_owned()),
            key => {
                let assumed =
                    request.assumed.iter().find(|(assumed, _)| *assumed == key).map(|(_, value)| value.to_string());
                let value = request.settings.get(key).map(ToString::to_string).or(assumed);
                value.map(|value| format!("{key}={value}"))
            }
        })
        .collect();
    match words.is_empty() {
        true => request.hardware.gpu.map(|gpu| card(gpu).to_owned()).unwrap_or_default(),
        false => words.join(" · "),
    }
}

fn table(locale: Locale, comparison: &Comparison) -> Table {
    let columns = &comparison.columns;
    let milliseconds = |ms: f64| text::duration(locale, Seconds(ms / 1e3));
    let speed = |column: &Outcome| column.estimate.serving.as_ref().and_then(|serving| serving.speed.clone());
    type Figure<'a> = &'a dyn Fn(&Outcome) -> Option<String>;
    let figures: [(&'static str, Figure); 11] = [
        ("column-verdict", &|column| Some(sign(column.plan.verdict).to_owned())),
        ("column-needed", &|column| Some(number(column.estimate.memory.needed.gib()))),
        ("column-card", &|column| column.request.hardware.gpu.map(|gpu| number(gpu.memory.gib()))),
        ("column-ttft", &|column| speed(column).map(|speed| milliseconds(speed.ttft_ms.value))),
        ("column-tpot", &|column| speed(column).map(|speed| milliseconds(speed.tpot_ms.value))),
        ("column-tokens", &|column| tokens_per_s(column).map(number)),
        ("column-requests", &|column| column.estimate.serving.as_ref()?.max_concurrency.map(text::count)),
        ("column-total", &|column| Some(text::duration(locale, column.estimate.time.as_ref()?.total?))),
        ("column-price", &|column| usd_per_hour(&column.request).map(text::money)),
        ("column-run", &|column| column.request.train().and(cost(column)).map(text::money)),
        ("column-million", &|column| column.request.infer().and(cost(column)).map(text::money)),
    ];
    let rows = figures.iter().filter_map(|(key, figure)| {
        let values: Vec<Option<String>> = columns.iter().map(|column| figure(column)).collect();
        values.iter().any(Option::is_some).then(|| {
            let same = values.windows(2).all(|pair| pair[0] == pair[1]);
            let cells = values.into_iter().map(|value| Cell::number(value.unwrap_or_else(|| "–".to_owned())));
            let row = Row::new(std::iter::once(Cell::word(tr(locale, key))).chain(cells));
            if same { row } else { row.mark(Mark::Changed) }
        })
    });
    let header = std::iter::once("").chain(LETTERS.into_iter().take(columns.len())).map(str::to_owned);
    Table { header: header.collect(), rows: rows.collect() }
}

const fn sign(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Fits { .. } => "✓",
        Verdict::Tight { .. } => "~",
        Verdict::Short { .. } => "✗",
        Verdict::NoGpu => "–",
    }
}

fn tokens_per_s(column: &Outcome) -> Option<f64> {
    let estimate = &column.estimate;
    let served = || estimate.serving.as_ref()?.speed.as_ref().map(|speed| speed.tokens_per_s.value);
    estimate.time.as_ref().map(|time| time.tokens_per_s).or_else(served)
}

/// Which fit, where most do not; else the fastest and the cheapest of those that do.
fn best(locale: Locale, comparison: &Comparison) -> String {
    let fits = |column: &Outcome| matches!(column.plan.verdict, Verdict::Fits { .. } | Verdict::Tight { .. });
    let all = || LETTERS.into_iter().zip(&comparison.columns);
    let fitting: Vec<_> = all().filter(|(_, column)| fits(column)).collect();
    let short = all().filter(|(_, column)| matches!(column.plan.verdict, Verdict::Short { .. })).count();
    match fitting[..] {
        [] if short == comparison.columns.len() => return tr(locale, "compare-none").into_owned(),
        [(only, _)] if short > 0 => return say(locale, &msg!("compare-only", only = only)),
        _ => {}
    }
    let fastest = fitting.iter().filter_map(|(letter, column)| Some((*letter, tokens_per_s(column)?)));
    let cheapest = fitting.iter().filter_map(|(letter, column)| Some((*letter, cost(column)?)));
    let fastest = fastest.max_by(|a, b| a.1.total_cmp(&b.1));
    let cheapest = cheapest.min_by(|a, b| a.1.total_cmp(&b.1));
    match (fastest, cheapest) {
        (Some((fastest, _)), Some((cheapest, _))) => {
            say(locale, &msg!("compare-best", fastest = fastest, cheapest = cheapest))
        }
        (Some((fastest, _)), None) => say(locale, &msg!("compare-fastest", fastest = fastest)),
        (None, _) => String::new(),
    }
}

/// USD of the whole run, or of a million served tokens.
fn cost(column: &Outcome) -> Option<f64> {
    let per_hour = usd_per_hour(&column.request)?;
    if let Some(time) = &column.estimate.time {
        return Some(per_hour * time.total?.0 / 3600.0);
    }
    let speed = column.estimate.serving.as_ref()?.speed.as_ref()?.tokens_per_s.value;
    (speed > 0.0).then(|| per_hour / (speed * 3600.0) * 1e6)
}
