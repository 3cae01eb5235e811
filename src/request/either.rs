//! `zero 2 or zero 3`: two set-ups asked about in one text.
//!
//! From a text that contradicts itself because it gives a knob one value or another, to both settings.

use super::line;
use super::settings::{Settings, Verb};
use super::tweak::{Said, Tweak, tweak};
use crate::catalog::Catalog;
use crate::message::Problem;

const BETWEEN: [&str; 6] = [" or ", " vs ", " vs. ", " versus ", "还是", "或者"];

/// The set-ups that `text`, refused for this problem, asks about: changes of `base`, or lines of their own.
pub fn either(
    problem: &Problem,
    base: Option<&Settings>,
    text: &str,
    catalog: &'static Catalog,
) -> Option<[Settings; 2]> {
    if problem.message.key != "problem-given-twice" {
        return None;
    }
    let lower = text.to_ascii_lowercase();
    let (at, between) = BETWEEN.iter().find_map(|between| Some((lower.find(between)?, between)))?;
    let (one, other) = (&text[..at], &text[at + between.len()..]);
    let mut first = match base {
        Some(base) => changed(base, one, catalog)?.settings,
        None => line::read(one, catalog).ok()?.settings,
    };
    let mut second = changed(&first, other, catalog)?;
    let given = |key: &str| second.changes.iter().any(|(changed, _)| *changed == key);
    // `two 3060s or a 3090`: a count is of its own card, unless it stood before.
    let counts: &[&str] = if first.get("gpu").is_some() && given("gpu") { &["gpus", "nodes"] } else { &[] };
    let stood = |key: &str| base.is_some_and(|base| base.get(key) == first.get(key));
    let uncounted: Vec<&str> = counts.iter().copied().filter(|key| !given(key) && !stood(key)).collect();
    second.settings.values.retain(|key, _| !uncounted.contains(key));
    // What only the second says, such as the cards at the end, is said of both.
    for (key, value) in second.changes.iter().filter(|(key, _)| !counts.contains(key)) {
        if let (None, Some(value)) = (first.get(key), value) {
            first.values.insert(key, value.clone());
        }
    }
    let estimated = matches!(first.verb, Verb::Train | Verb::Infer);
    (estimated && first != second.settings).then_some([first, second.settings])
}

fn changed(base: &Settings, text: &str, catalog: &'static Catalog) -> Option<Tweak> {
    Some(tweak(base, text, catalog)).filter(|read| read.outcome == Said::Changed)
}
