//! The line: text to `Settings` and back.

use super::knobs::{self, KNOBS};
use super::settings::{Settings, Value, Verb};
use crate::catalog::Catalog;
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
    let mut line = settings.verb.word().to_owned();
    for knob in KNOBS {
        match settings.get(knob.key) {
            Some(Value::Text(model)) if knob.key == "model" => line += &format!(" {model}"),
            Some(value) => line += &format!(" {}={value}", knob.key),
            None => {}
        }
    }
    line
}

/// Reads a line.
pub fn read(text: &str, catalog: &'static Catalog) -> Result<Read, Problem> {
    let mut words = text.split_whitespace().peekable();
    let verb = words.peek().and_then(|word| Verb::ALL.into_iter().find(|verb| verb.word() == *word));
    if verb.is_some() {
        words.next();
    }
    let mut settings = Settings::new(verb.unwrap_or(Verb::Infer));
    let mut ignored = vec![];
    for word in words {
        match word.split_once('=') {
            Some((name, value)) => {
                settings.set(knobs::find(name).ok_or_else(|| unknown_knob(name))?, value, catalog)?;
            }
            None if settings.get("model").is_none() => {
                settings.set(knobs::find("model").expect("a row of KNOBS"), word, catalog)?;
            }
            None => ignored.push(word.to_owned()),
        }
    }
    Ok(Read { settings, ignored, read_as: None })
}

fn unknown_knob(name: &str) -> Problem {
    let near = knobs::nearest(&name.to_lowercase(), KNOBS.iter().map(|knob| knob.key));
    Problem::new(msg!("problem-unknown-knob", typed = name))
        .suggest(near.and_then(knobs::find).map(|knob| knob.example.to_owned()))
}
