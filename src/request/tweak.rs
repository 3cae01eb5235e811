//! A tweak: free text on a base, to changed `Settings`.
//!
//! A tweak is a line without a model, read by the same grammar, which tells it from talk; a question about the
//! answer given leaves the base as it is, too.

use super::complete::{complete, ranks, work_of};
use super::either::either;
use super::knobs::{self, KNOBS, Kind, Knob};
use super::line::{packing, part_named, resized};
use super::settings::{Settings, Value, Verb};
use super::speech::{Act, Question, Speech, hear};
use super::{Concurrency, Infer, Request, Work};
use crate::catalog::Catalog;
use crate::message::Problem;
use crate::msg;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Said {
    Changed,
    /// Nothing in the text changes the estimate.
    Nothing,
    /// A wish without a value: any of `ask` would meet it.
    Wish,
    /// One way or another: `alternatives`, which differ in `ask`.
    Either,
    Error,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Tweak {
    pub outcome: Said,
    /// What was asked, relative values worked out; `None` is a knob given back to its default.
    pub changes: Vec<(&'static str, Option<Value>)>,
    pub ask: Vec<&'static str>,
    pub error: Option<Problem>,
    /// Each set-up that was asked about, where there are several.
    pub alternatives: Vec<Settings>,
    /// A knob whose value is to be found (`batch=max`), where a change was said relative to it.
    pub open: Option<&'static str>,
    /// What a question is about: a value of the knob `part`.
    pub explain: Option<&'static str>,
    /// The base with the changes and what follows from them; the base itself otherwise.
    pub settings: Settings,
}

/// `undo`, `改回来`: a text that asks for what was before the answer it follows.
pub fn takes_back(text: &str, catalog: &'static Catalog) -> bool {
    hear(text, Some(Verb::Train), catalog).back
}

/// Reads `text` as a change of `base`.
pub fn tweak(base: &Settings, text: &str, catalog: &'static Catalog) -> Tweak {
    let speech = hear(text, Some(work_of(base)), catalog);
    let mut tweak = Tweak {
        outcome: Said::Nothing,
        changes: vec![],
        ask: vec![],
        error: None,
        alternatives: vec![],
        open: None,
        explain: None,
        settings: base.clone(),
    };
    if asks_only(&speech) {
        tweak.explain = Some(part_named(text).unwrap_or("total"));
        return tweak;
    }
    let heard = match &speech.problem {
        Some(problem) => Err(problem.clone()),
        None => changes(base, &speech, catalog),
    };
    if let Some(alternatives) = either(heard.as_ref().err(), Some(base), text, catalog) {
        let keys = KNOBS.iter().map(|knob| knob.key);
        let ask = keys.filter(|key| alternatives.iter().any(|one| one.get(key) != alternatives[0].get(key)));
        return Tweak { outcome: Said::Either, ask: ask.collect(), alternatives, ..tweak };
    }
    let relative = speech.acts.iter().filter(|act| matches!(act, Act::Scale(..) | Act::Add(..)));
    if let Some(open) = relative.map(|act| act.knob().key).find(|key| base.is_open(key)) {
        return Tweak { outcome: Said::Wish, ask: vec![open], open: Some(open), ..tweak };
    }
    match heard {
        Err(problem) => failed(tweak, problem),
        Ok(changes) if changes.is_empty() => {
            tweak.outcome = if speech.asks.is_empty() { Said::Nothing } else { Said::Wish };
            tweak.ask = speech.asks;
            tweak
        }
        Ok(changes) => {
            let settings = match settled(apply(base, &changes), &changes, catalog) {
                Ok(settings) => settings,
                // A base that was wrong before is not this tweak's fault, and what only this model or card
                // refuses was still said: the answer to the changed line says why not.
                Err(problem) if !refused_by_base(&problem) && complete(base, catalog).is_ok() => {
                    return failed(tweak, problem);
                }
                Err(_) => apply(base, &changes),
            };
            Tweak { outcome: Said::Changed, changes, settings, ..tweak }
        }
    }
}

fn failed(tweak: Tweak, problem: Problem) -> Tweak {
    Tweak { outcome: Said::Error, error: Some(problem), ..tweak }
}

/// Whether the same words would do for another model or card.
fn refused_by_base(problem: &Problem) -> bool {
    matches!(
        problem.message.key,
        "problem-gpu-lacks-precision"
            | "problem-tp-heads"
            | "problem-pp-layers"
            | "problem-ep-experts"
            | "problem-rank-over-hidden"
            | "problem-engine-format"
            | "problem-bnb-tensor-parallel"
    )
}

/// A question about the answer given.
fn asks_only(speech: &Speech) -> bool {
    match speech.question {
        Some(Question::Why) => !speech.explicit,
        Some(Question::What) => {
            let nothing = speech.acts.is_empty() && speech.asks.is_empty();
            nothing || speech.acts.len() == 1 || !speech.unknown.is_empty()
        }
        None => false,
    }
}

/// What was asked, each knob once, relative values worked out on the base.
fn changes(
    base: &Settings,
    speech: &Speech,
    catalog: &'static Catalog,
) -> Result<Vec<(&'static str, Option<Value>)>, Problem> {
    let mut changes: Vec<(&'static str, Option<Value>)> = vec![];
    let request = complete(base, catalog).ok();
    let mut change = |knob: &'static Knob, value: Option<Value>| match changes.iter().find(|(key, _)| *key == knob.key)
    {
        Some((_, first)) if *first != value => {
            let words = |value: &Option<Value>| value.as_ref().map_or_else(String::new, Value::to_string);
            Err(knobs::given_twice(knob.key, &words(first), &words(&value)))
        }
        Some(_) => Ok(()),
        None => {
            changes.push((knob.key, value));
            Ok(())
        }
    };
    if let Some(model) = &speech.model
        && let Some(id) = &model.id
    {
        change(knobs::of("model"), Some(Value::Text(id.clone())))?;
        if let Some((knob, value)) = packing(model, catalog)
            && !speech.acts.iter().any(|act| matches!(act, Act::Set(set, _) if set.key == "quant"))
        {
            change(knob, Some(value))?;
        }
    }
    for act in &speech.acts {
        match act {
            Act::Set(knob, value) => change(knob, Some(value.clone()))?,
            Act::Clear(knob) => change(knob, None)?,
            Act::Scale(knob, by) => {
                let now = current(base, request.as_ref(), knob);
                change(knob, Some(whole(knob, now * by, now)?))?;
            }
            Act::Add(knob, by) => {
                let now = current(base, request.as_ref(), knob);
                change(knob, Some(whole(knob, now + *by as f64, now)?))?;
            }
            Act::Resize(parameters) => {
                let id = speech.model.as_ref().and_then(|model| model.id.as_deref()).or(base.text("model"));
                change(knobs::of("model"), Some(Value::Text(resized(id, *parameters, catalog)?)))?;
            }
        }
    }
    Ok(changes)
}

/// What a knob stands at: as asked, else as the estimate took it.
fn current(base: &Settings, request: Option<&Request>, knob: &Knob) -> f64 {
    let taken = || {
        let request = request?;
        let count = match (knob.key, &request.work) {
            ("gpus", _) => u64::from(request.hardware.gpus),
            ("nodes", _) => u64::from(request.hardware.nodes),
            ("tp", _) => u64::from(request.parallel.tensor),
            ("pp", _) => u64::from(request.parallel.pipeline),
            ("dp", _) => u64::from(request.parallel.data),
            ("ep", _) => u64::from(request.parallel.expert),
            ("cp", _) => u64::from(request.parallel.context),
            ("seq", _) => request.seq,
            ("batch", Work::Train(train)) => train.micro_batch_size,
            ("batch", Work::Infer(Infer { concurrency: Concurrency::Requests(requests), .. })) => *requests,
            ("accum", Work::Train(train)) => train.gradient_accumulation,
            ("global_batch", Work::Train(train)) => {
                train.micro_batch_size * train.gradient_accumulation * u64::from(request.parallel.data)
            }
            _ => {
                let assumed = request.assumed.iter().find(|(key, _)| *key == knob.key);
                return assumed.and_then(|(_, value)| value.parse().ok());
            }
        };
        Some(count as f64)
    };
    base.number(knob.key).or_else(taken).unwrap_or(1.0)
}

/// A relative value as this knob keeps it.
fn whole(knob: &'static Knob, value: f64, now: f64) -> Result<Value, Problem> {
    let fits = |min: f64, max: f64| {
        let low = if value < min { min } else { max };
        if (min..=max).contains(&value) {
            Ok(())
        } else {
            Err(Problem::of(knob.key, msg!("problem-no-further", knob = knob.key, now = now, limit = low)))
        }
    };
    match knob.kind {
        Kind::Length { min, max, .. } | Kind::Count { min, max, .. } => {
            fits(min as f64, max as f64)?;
            Ok(Value::Count(value.round() as u64))
        }
        Kind::Number { min, max, .. } => {
            fits(min, max)?;
            Ok(Value::Number(value))
        }
        _ => Err(Problem::of(knob.key, msg!("problem-not-a-number", knob = knob.key, typed = value))),
    }
}

/// Settings that complete: what was asked before gives way where it contradicts what is asked now.
fn settled(
    mut settings: Settings,
    changes: &[(&'static str, Option<Value>)],
    catalog: &'static Catalog,
) -> Result<Settings, Problem> {
    loop {
        let Err(problem) = complete(&settings, catalog) else { return Ok(settings) };
        let before = |key: &str| {
            key != "model" && settings.get(key).is_some() && !changes.iter().any(|(changed, _)| *changed == key)
        };
        // The knob at fault, or one that the problem would have changed instead.
        let instead = problem.suggestions.iter().filter_map(|words| Some(words.split_once('=')?.0));
        let yields = problem.knob.into_iter().chain(instead).find(|key| before(key)).map(str::to_owned);
        match yields {
            Some(key) => settings.values.remove(key.as_str()),
            None => return Err(problem),
        };
    }
}

/// The base with the changes, and without what they make untrue.
fn apply(base: &Settings, changes: &[(&'static str, Option<Value>)]) -> Settings {
    let mut settings = base.clone();
    for (key, value) in changes {
        match value {
            Some(value) => settings.values.insert(key, value.clone()),
            None => settings.values.remove(key),
        };
    }
    let given = |key: &str| changes.iter().any(|(changed, _)| *changed == key);
    if let (Verb::Train | Verb::Infer, Some(work)) = (base.verb, settings.choice("work").and_then(Verb::of)) {
        settings.verb = work;
        // A micro batch of training is no batch of requests.
        let stays = |key| key != "batch" && knobs::of(key).scope.serves(work);
        settings.values.retain(|key, _| *key != "work" && (given(key) || stays(key)));
    }
    let mut forget = |gone: &[&'static str]| {
        for key in gone.iter().filter(|key| !given(key)) {
            settings.values.remove(key);
        }
    };
    if given("zero") {
        forget(&["sharding"]);
    }
    if given("sharding") {
        forget(&["zero"]);
    }
    let global = base.get("global_batch").is_some();
    if (given("batch") || given("global_batch")) && global {
        forget(&["accum"]);
    }
    if given("accum") {
        forget(&["global_batch"]);
    }
    if given("batch") && settings.verb == Verb::Infer {
        // An engine's batch is what it serves at once.
        forget(&["concurrency"]);
    }
    if given("gpus") {
        forget(&["nodes", "dp"]);
    }
    if given("nodes") {
        forget(&["gpus", "dp"]);
    }
    if given("method") {
        forget(&["quant"]);
    }
    let more_ranks = base.count("gpus").is_some_and(|gpus| ranks(&settings) > gpus);
    if ["tp", "pp", "dp", "cp"].iter().any(|key| given(key)) && more_ranks && !given("gpus") {
        // More ranks than there were cards means more cards.
        settings.values.remove("gpus");
        settings.values.remove("nodes");
    }
    if let Some(ranks) = settings.count("ep").filter(|_| given("ep") && !given("gpus")) {
        let gpus = settings.count("gpus").unwrap_or(1).max(ranks);
        settings.values.insert("gpus", Value::Count(gpus));
    }
    if settings.verb == Verb::Train && given("quant") && !given("method") {
        let unquantised = settings.text("quant") == Some("none");
        settings.values.insert("method", Value::Choice(if unquantised { "lora" } else { "qlora" }));
    }
    if given("lora_rank") && !given("method") && matches!(base.choice("method"), Some("full" | "freeze")) {
        settings.values.insert("method", Value::Choice("lora"));
    }
    settings
}
