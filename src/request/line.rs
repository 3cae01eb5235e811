//! The line: text to `Settings` and back.
//!
//! Takes canonical text (`train MODEL seq=8192 …`) and free English or Chinese alike; writes only the canonical.

use super::knobs::{self, Kind, Knob};
use super::settings::{Settings, Value, Verb};
use super::speech::{Act, Question, Speech, hear};
use super::words::plain;
use crate::catalog::Catalog;
use crate::catalog::names::{Outcome, Resolution};
use crate::message::Problem;
use crate::msg;

/// What a text was read as.
#[derive(Clone, Debug, PartialEq)]
pub struct Read {
    pub settings: Settings,
    /// Words that meant nothing here.
    pub ignored: Vec<String>,
    /// The model, where its name was not quite one the catalog knows.
    pub read_as: Option<String>,
}

/// The canonical text: verb, model, then `key=value` in the order of `KNOBS`.
pub fn write(settings: &Settings) -> String {
    let mut values: Vec<_> = settings.values.iter().collect();
    values.sort_by_key(|(key, _)| knobs::place(key));
    let said = values.into_iter().map(|(key, value)| match value {
        Value::Text(model) if *key == "model" => format!(" {model}"),
        value => format!(" {key}={value}"),
    });
    std::iter::once(settings.verb.word().to_owned()).chain(said).collect()
}

/// Reads a line. What is contradictory, out of range or unknown by name is a problem; what means nothing is ignored.
pub fn read(text: &str, catalog: &'static Catalog) -> Result<Read, Problem> {
    let speech = hear(text, None, catalog);
    if let Some(topic) = speech.help() {
        let mut settings = Settings::new(Verb::Help);
        if let Some(topic) = topic {
            settings.put("topic", Value::Text(topic))?;
        }
        return Ok(Read { settings, ignored: vec![], read_as: None });
    }
    let Speech { verb, work, acts, model, problem, unknown, addressed, question, is_sized, .. } = speech;
    let why = question == Some(Question::Why) && model.is_some() && part_named(text).is_some();
    let verb = if why && matches!(verb, Verb::Train | Verb::Infer) { Verb::Explain } else { verb };
    if let Some(problem) = problem {
        return Err(problem);
    }
    let mut settings = Settings::new(verb);
    if !matches!(verb, Verb::Train | Verb::Infer)
        && let Some(work) = work
    {
        settings.put("work", Value::Choice(work.word()))?;
    }
    let sizes = acts.iter().filter_map(|act| match act {
        Act::Resize(parameters) => Some(*parameters),
        _ => None,
    });
    let model = models(&mut settings, model, is_sized, sizes, catalog)?;
    for act in acts {
        match act {
            Act::Set(knob, value) => set(&mut settings, knob, value)?,
            // Relative to nothing, or read above.
            Act::Scale(..) | Act::Add(..) | Act::Clear(_) | Act::Resize(_) => {}
        }
    }
    if verb == Verb::Explain && settings.get("part").is_none() {
        let words = text.split_whitespace().filter(|word| !word.contains('='));
        if let Some(part) = part_named(&words.collect::<Vec<_>>().join(" ")) {
            settings.put("part", Value::Choice(part))?;
        }
    }
    if let Some(model) = &model
        && let Some((knob, value)) = packing(model, catalog)
        && knob.scope.serves(verb)
        && settings.get(knob.key).is_none()
    {
        settings.put(knob.key, value)?;
    }
    if matches!(verb, Verb::Gpu | Verb::Fit) && settings.get("gpu").is_none() && !unknown.is_empty() {
        let name = unknown.join(" ");
        return Err(knobs::no_gpu(&name, &catalog.names().gpu(&name)));
    }
    let asks = addressed || !settings.values.is_empty() || (text.is_ascii() && !text.trim().contains(' '));
    if settings.get("model").is_none()
        && asks
        && matches!(verb, Verb::Train | Verb::Infer | Verb::Model)
        && !unknown.is_empty()
    {
        // Words that meant nothing where a model should stand are its name.
        let name = as_typed(text, &unknown);
        return Err(knobs::no_model(&name, &catalog.names().model(&name)));
    }
    let read_as = model.and_then(|model| model.read_as);
    Ok(Read { settings, ignored: unknown, read_as })
}

/// Sets the model that was named, and the sizes named apart from it: its own, or another's where it has one.
fn models(
    settings: &mut Settings,
    named: Option<Resolution>,
    is_sized: bool,
    mut sizes: impl Iterator<Item = f64>,
    catalog: &Catalog,
) -> Result<Option<Resolution>, Problem> {
    let model = sized(named, if is_sized { None } else { sizes.next() }, catalog)?;
    let id = model.as_ref().and_then(|model| model.id.clone());
    if let Some(id) = &id {
        settings.put("model", Value::Text(id.clone()))?;
    }
    for size in sizes {
        set(settings, knobs::of("model"), Value::Text(resized(id.as_deref(), size, catalog)?))?;
    }
    Ok(model)
}

/// Words that meant nothing, each with what it was written together with: `my-org/my-model`.
fn as_typed(text: &str, unknown: &[String]) -> String {
    let holds = |chunk: &&str| {
        let chunk = chunk.to_lowercase();
        chunk.is_ascii() && unknown.iter().any(|word| chunk.contains(word.as_str()))
    };
    let chunks: Vec<&str> = text.split([' ', ',', ';', '?', '!']).filter(holds).collect();
    if chunks.is_empty() { unknown.join(" ") } else { chunks.join(" ") }
}

/// Sets a knob; in a comparison, a second card or model stands beside the first.
fn set(settings: &mut Settings, knob: &'static Knob, value: Value) -> Result<(), Problem> {
    let compares = settings.verb == Verb::Compare && settings.get(knob.key).is_some();
    match (&knob.kind, &value) {
        (Kind::Gpu | Kind::Model(_), Value::Text(name)) if compares => {
            let mut names = settings.texts(knob.key).to_vec();
            if !names.contains(name) {
                names.push(name.clone());
            }
            settings.values.insert(knob.key, if names.len() == 1 { value } else { Value::List(names) });
            Ok(())
        }
        _ => settings.put(knob.key, value),
    }
}

/// A model that was named, in the size that was named apart from it; a size alone is a generic model.
fn sized(model: Option<Resolution>, size: Option<f64>, catalog: &Catalog) -> Result<Option<Resolution>, Problem> {
    let generic = |parameters: f64| catalog.names().model(&format!("{}b", parameters / 1e9));
    Ok(match (model, size) {
        (Some(model), Some(size)) => {
            let id = resized(model.id.as_deref(), size, catalog)?;
            Some(if model.id.as_ref() == Some(&id) {
                model
            } else {
                Resolution { quant: model.quant, ..catalog.names().model(&id) }
            })
        }
        (Some(model), None) => Some(model),
        (None, Some(size)) => Some(generic(size)),
        (None, None) => None,
    })
}

/// How far apart, in logarithms, the size that people say and a model's may be: 7B is the 8B of a family without.
const ABOUT: f64 = 0.15;

/// The model of the same family that people mean by a size: the 8B where there is no 7B.
pub(super) fn resized(id: Option<&str>, parameters: f64, catalog: &Catalog) -> Result<String, Problem> {
    let names = catalog.names();
    let found = id.map(|id| names.resized(id, parameters));
    if let Some(id) =
        found.as_ref().filter(|found| found.outcome != Outcome::Unknown).and_then(|found| found.id.clone())
    {
        return Ok(id);
    }
    let row = id.and_then(|id| catalog.model(id));
    let sibling = |size: f64| names.resized(&row?.id, size).id;
    let near = row.into_iter().flat_map(|row| catalog.listed.iter().filter(|other| other.family == row.family));
    let distance = |size: f64| (size / parameters).ln().abs();
    let nearest =
        near.map(|other| other.model().counts.total as f64).min_by(|a, b| distance(*a).total_cmp(&distance(*b)));
    let rounded = nearest.filter(|size| distance(*size) < ABOUT).map(|size| (size / 1e9).round() * 1e9);
    rounded.and_then(sibling).ok_or_else(|| {
        let typed = format!("{}b", parameters / 1e9);
        let near = found.map_or(vec![], |found| found.candidates);
        let message = if near.is_empty() {
            msg!("problem-no-such-size", typed = typed)
        } else {
            msg!("problem-no-such-size-near", typed = typed, near = near.clone())
        };
        Problem::of("model", message).suggest(near.into_iter().map(|id| format!("model={id}")))
    })
}

/// How a model's name says its weights are packed, as a setting.
pub(super) fn packing(model: &Resolution, catalog: &Catalog) -> Option<(&'static Knob, Value)> {
    let knob = knobs::of("quant");
    let value = knob.read(model.quant.as_deref()?, catalog).ok()?;
    Some((knob, value))
}

/// The part of memory or time that a text names.
pub(super) fn part_named(text: &str) -> Option<&'static str> {
    let Kind::Choice(parts) = knobs::of("part").kind else { return None };
    let text = plain(text);
    let words: Vec<&str> = text.split(|c: char| !c.is_alphanumeric()).collect();
    let says = |name: &&str| {
        if name.is_ascii() {
            words.iter().any(|word| word.trim_end_matches('s') == name.trim_end_matches('s'))
        } else {
            text.contains(*name)
        }
    };
    parts.iter().find(|(name, aliases)| says(name) || aliases.iter().any(&says)).map(|(name, _)| *name)
}
