//! What one piece of a paste says, not yet held against the catalog.

use super::Kind;
use crate::catalog::gpu::Vendor;
use crate::request::Verb;
use serde_json::{Map, Value};

/// Knobs as the piece words them, and figures beyond knobs.
#[derive(Clone, Debug)]
pub struct Draft {
    pub kind: Kind,
    pub verb: Verb,
    /// A model as the piece names it.
    pub model: Option<String>,
    /// What else it is called, where that is a path of one's own.
    pub alias: Option<String>,
    pub knobs: Vec<(&'static str, String)>,
    /// What is not a knob: shape fields, `oom.*`, `smi.*`.
    pub facts: Map<String, Value>,
    /// Whose cards the piece is about.
    pub maker: Option<Vendor>,
    /// Knobs the piece leaves to another place (`auto`).
    pub asked: Vec<&'static str>,
    pub assumed: Vec<String>,
}

impl Draft {
    pub fn new(kind: Kind, verb: Verb) -> Self {
        Self {
            kind,
            verb,
            model: None,
            alias: None,
            knobs: vec![],
            facts: Map::new(),
            maker: None,
            asked: vec![],
            assumed: vec![],
        }
    }
    /// The last word on a knob counts, as in the programs read here.
    pub fn set(&mut self, knob: &'static str, value: impl ToString) {
        self.knobs.retain(|(known, _)| *known != knob);
        self.knobs.push((knob, value.to_string()));
    }
    pub fn set_some(&mut self, knob: &'static str, value: Option<impl ToString>) {
        if let Some(value) = value {
            self.set(knob, value);
        }
    }
    pub fn get(&self, knob: &str) -> Option<&str> {
        self.knobs.iter().find(|(known, _)| *known == knob).map(|(_, value)| value.as_str())
    }
    pub fn count(&self, knob: &str) -> Option<u64> {
        self.get(knob)?.parse().ok()
    }
    pub fn unset(&mut self, knob: &str) {
        self.knobs.retain(|(known, _)| *known != knob);
    }
    pub fn ask(&mut self, knob: &'static str) {
        if !self.asked.contains(&knob) {
            self.asked.push(knob);
        }
    }
    pub fn fact(&mut self, name: &str, value: impl Into<Value>) {
        self.facts.insert(name.to_owned(), value.into());
    }
    /// How much was understood.
    pub fn weight(&self) -> usize {
        self.knobs.len() + 2 * usize::from(self.model.is_some()) + self.facts.len() / 4
    }
}

/// What a setting of a program means here.
#[derive(Clone, Copy)]
pub enum Rule {
    /// The value as it stands.
    Knob(&'static str),
    /// This value, where the switch is on.
    On(&'static str, &'static str),
    /// This value, where the switch is off.
    Off(&'static str, &'static str),
    /// On or off.
    Switch(&'static str),
    /// A positive whole number; any other leaves it to the program.
    Count(&'static str),
    Model,
    With(fn(&mut Draft, &str)),
}

/// Names of one setting, lower case with `_`, and what it means.
pub type Rules = &'static [(&'static [&'static str], Rule)];

pub fn is_on(value: &str) -> bool {
    matches!(value.to_ascii_lowercase().as_str(), "" | "true" | "1" | "yes" | "on" | "y")
}

/// A setting left out: YAML's and Python's ways to say nothing.
pub fn is_unset(value: &str) -> bool {
    matches!(value.to_ascii_lowercase().as_str(), "null" | "none" | "~" | "auto" | "???")
}

/// What is to be filled in before the program runs: `$TP`, `<your model>`, `{{ size }}`.
fn is_placeholder(value: &str) -> bool {
    value.contains('$') || value.starts_with('<') || value.contains("{{") || value == "..."
}

/// `--max-model-len` and `maxModelLen` as `max_model_len`.
pub fn snake(name: &str) -> String {
    let mut made = String::with_capacity(name.len());
    let mut after_small = false;
    for c in name.chars() {
        if c.is_ascii_uppercase() && after_small {
            made.push('_');
        }
        after_small = c.is_ascii_lowercase();
        made.push(if c == '-' { '_' } else { c.to_ascii_lowercase() });
    }
    made
}

impl Draft {
    /// Follows the rule of a setting; whether there is one.
    pub fn follow(&mut self, rules: Rules, name: &str, value: &str) -> bool {
        let name = snake(name);
        let Some((_, rule)) = rules.iter().find(|(names, _)| names.contains(&name.as_str())) else { return false };
        if is_placeholder(value) {
            if let Rule::Knob(knob) = rule {
                self.ask(knob);
            }
            return true;
        }
        match rule {
            Rule::Knob(knob) if is_unset(value) || value.is_empty() => {
                if value.eq_ignore_ascii_case("auto") {
                    self.ask(knob);
                }
            }
            Rule::Knob(knob) => self.set(knob, value),
            Rule::On(knob, means) if is_on(value) => self.set(knob, means),
            Rule::Off(knob, means) if !is_on(value) && !is_unset(value) => self.set(knob, means),
            Rule::On(..) | Rule::Off(..) => {}
            Rule::Switch(knob) if !is_unset(value) => self.set(knob, if is_on(value) { "on" } else { "off" }),
            Rule::Switch(_) => {}
            Rule::Count(knob) => self.set_some(knob, value.parse::<u64>().ok().filter(|count| *count > 0)),
            Rule::Model if !is_unset(value) && !value.is_empty() => self.model = Some(value.to_owned()),
            Rule::Model => {}
            Rule::With(read) => read(self, value),
        }
        true
    }
}
