//! `zero 2 or zero 3`, `4090、5090还是L40S`: several set-ups asked about in one text.
//!
//! From a text to the settings of each: the text with one of the alternatives in the place of all, or its two sides
//! where they are not said alike.

use super::line;
use super::settings::{Settings, Verb};
use super::speech::alternatives;
use super::tweak::{Said, Tweak, tweak};
use crate::catalog::Catalog;
use crate::message::Problem;

const BETWEEN: [&str; 7] = [" or ", " vs ", " vs. ", " versus ", "还是", "或者", "或"];

const COMPARE: [&str; 3] = ["compare ", "比较", "对比"];

/// The set-ups that a text asks about: changes of `base`, or lines of their own. `problem` is what reading it as one
/// came to.
pub fn either(
    problem: Option<&Problem>,
    base: Option<&Settings>,
    text: &str,
    catalog: &'static Catalog,
) -> Option<Vec<Settings>> {
    let lower = text.to_ascii_lowercase();
    let parted = BETWEEN.iter().find_map(|between| Some((lower.find(between)?, between)));
    if parted.is_none() && !COMPARE.iter().any(|word| lower.starts_with(word)) {
        return None;
    }
    let read = |text: &str| match base {
        Some(base) => Some(changed(base, text, catalog)?.settings),
        None => Some(line::read(text, catalog).ok()?.settings),
    };
    let alike = || {
        let texts = alternatives(text, catalog)?;
        let settled = |text: &String| !BETWEEN.iter().any(|between| text.contains(between));
        if texts.iter().all(settled) { texts.iter().map(|text| read(text)).collect::<Option<Vec<_>>>() } else { None }
    };
    let sides = || {
        let given_twice = problem.is_some_and(|problem| problem.message.key == "problem-given-twice");
        let (at, between) = parted.filter(|_| given_twice)?;
        let first = read(&text[..at])?;
        sides(base, first, &text[at + between.len()..], catalog)
    };
    let set_ups = alike().or_else(sides)?;
    let estimated = |one: &Settings| matches!(one.verb, Verb::Train | Verb::Infer);
    let differ = set_ups.iter().enumerate().all(|(at, one)| !set_ups[..at].contains(one));
    (set_ups.iter().all(estimated) && differ).then_some(set_ups)
}

/// `zero 2 with offload or zero 3`: the second side changes the first.
fn sides(
    base: Option<&Settings>,
    mut first: Settings,
    other: &str,
    catalog: &'static Catalog,
) -> Option<Vec<Settings>> {
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
    Some(vec![first, second.settings])
}

fn changed(base: &Settings, text: &str, catalog: &'static Catalog) -> Option<Tweak> {
    Some(tweak(base, text, catalog)).filter(|read| read.outcome == Said::Changed)
}
