//! What was asked: a verb and the knobs that were given, each a checked value.
//!
//! The text form (`line`) and this are a bijection: `read(write(s)) == s`.

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
    /// `seq=max`, `concurrency=max`.
    Max,
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
    pub fn is_max(&self, key: &str) -> bool {
        matches!(self.get(key), Some(Value::Max))
    }
    /// These settings with one knob changed.
    pub fn with(&self, key: &'static str, value: Value) -> Self {
        let mut changed = self.clone();
        changed.values.insert(key, value);
        changed
    }
    /// These settings with one knob left to its default.
    pub fn without(&self, key: &str) -> Self {
        let mut changed = self.clone();
        changed.values.remove(key);
        changed
    }
}
