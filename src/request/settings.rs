//! What was asked: a verb and the knobs that were given, each a checked value.
//!
//! The text form (`line`) and this are a bijection: `read(write(s)) == s`.

use super::knobs::{self, Knob};
use crate::catalog::Catalog;
use crate::message::Problem;
use std::collections::BTreeMap;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Verb {
    Train,
    Infer,
    Model,
    Gpu,
    Fit,
    Compare,
    Explain,
    Recipe,
    Help,
}

impl Verb {
    pub const ALL: [Verb; 9] = [
        Verb::Train,
        Verb::Infer,
        Verb::Model,
        Verb::Gpu,
        Verb::Fit,
        Verb::Compare,
        Verb::Explain,
        Verb::Recipe,
        Verb::Help,
    ];
    /// The verb of this word.
    pub fn of(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|verb| verb.word() == word)
    }
    pub const fn word(self) -> &'static str {
        match self {
            Verb::Train => "train",
            Verb::Infer => "infer",
            Verb::Model => "model",
            Verb::Gpu => "gpu",
            Verb::Fit => "fit",
            Verb::Compare => "compare",
            Verb::Explain => "explain",
            Verb::Recipe => "recipe",
            Verb::Help => "help",
        }
    }
}

/// One knob's value, within its knob's kind and range.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    Count(u64),
    Number(f64),
    /// One of the knob's choices, in its canonical spelling.
    Choice(&'static str),
    /// A catalog id (model, GPU, format) or a free name.
    Text(String),
    /// `gpu=a,b`, `lora_targets=q,v`, `fleet=8xa100-80gb,4x4090`.
    List(Vec<String>),
    /// `seq=max`, `gpus=min`: to be found.
    Bound(Bound),
}

/// A value that is looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bound {
    /// The most that fits.
    Max,
    /// The fewest that do.
    Min,
}

impl Bound {
    pub const fn word(self) -> &'static str {
        match self {
            Bound::Max => "max",
            Bound::Min => "min",
        }
    }
}

/// Keys are the `key`s of `KNOBS`.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    pub verb: Verb,
    pub values: BTreeMap<&'static str, Value>,
}

impl Settings {
    pub fn new(verb: Verb) -> Self {
        Self { verb, values: BTreeMap::new() }
    }
    pub fn get(&self, key: &str) -> Option<&Value> {
        self.values.get(key)
    }
    pub fn count(&self, key: &str) -> Option<u64> {
        match self.get(key) {
            Some(Value::Count(n)) => Some(*n),
            _ => None,
        }
    }
    pub fn number(&self, key: &str) -> Option<f64> {
        match self.get(key) {
            Some(Value::Number(x)) => Some(*x),
            Some(Value::Count(n)) => Some(*n as f64),
            _ => None,
        }
    }
    pub fn choice(&self, key: &str) -> Option<&'static str> {
        match self.get(key) {
            Some(Value::Choice(word)) => Some(word),
            _ => None,
        }
    }
    pub fn text(&self, key: &str) -> Option<&str> {
        match self.get(key) {
            Some(Value::Text(text)) => Some(text),
            _ => None,
        }
    }
    /// The items of a list, or the one value as a list of one.
    pub fn texts(&self, key: &str) -> &[String] {
        match self.get(key) {
            Some(Value::List(items)) => items,
            Some(Value::Text(text)) => std::slice::from_ref(text),
            Some(Value::Count(_) | Value::Number(_) | Value::Choice(_) | Value::Bound(_)) | None => &[],
        }
    }
    /// A switch that was given.
    pub fn switch(&self, key: &str) -> Option<bool> {
        self.choice(key).map(|word| word == "on")
    }
    /// Whether the value of a knob is to be found.
    pub fn is_open(&self, key: &str) -> bool {
        matches!(self.get(key), Some(Value::Bound(_)))
    }
    /// These settings with one knob changed.
    pub fn with(&self, key: &'static str, value: Value) -> Self {
        let mut changed = self.clone();
        changed.values.insert(key, value);
        changed
    }
    /// Sets a knob from what was typed for it; a second, different value contradicts the first.
    pub fn set(&mut self, knob: &'static Knob, typed: &str, catalog: &Catalog) -> Result<(), Problem> {
        match knob.machine(typed, catalog) {
            Some((count, name)) => {
                self.put("gpus", Value::Count(count))?;
                self.put(knob.key, knob.read(name, catalog)?)
            }
            None => self.put(knob.key, knob.read(typed, catalog)?),
        }
    }
    /// Sets a knob; a second, different value contradicts the first.
    pub fn put(&mut self, key: &'static str, value: Value) -> Result<(), Problem> {
        match self.values.get(key) {
            Some(first) if *first != value => Err(knobs::given_twice(key, &first.to_string(), &value.to_string())),
            _ => {
                self.values.insert(key, value);
                Ok(())
            }
        }
    }
    /// These settings with one knob left to its default.
    pub fn without(&self, key: &str) -> Self {
        let mut changed = self.clone();
        changed.values.remove(key);
        changed
    }
}

/// As it stands after `key=` in a canonical line.
impl std::fmt::Display for Value {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Value::Count(n) => write!(f, "{n}"),
            Value::Number(x) => write!(f, "{x}"),
            Value::Choice(word) => f.write_str(word),
            Value::Text(text) => f.write_str(text),
            Value::List(items) => f.write_str(&items.join(",")),
            Value::Bound(bound) => f.write_str(bound.word()),
        }
    }
}
