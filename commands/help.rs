//! `help`: the verbs and knobs, or one knob.

use super::one;
use super::slash::Opt::Words;
use super::slash::{Asks, Slash};
use crate::answer;
use crate::app::{Answer, App, Command};
use crate::request::Verb;
use crate::request::knobs::{self, KNOBS, Knob};
use crate::text::Locale;
use crate::view::{View, report};
use serde_json::{Map, Value, json};

pub const COMMAND: Command =
    Command { verb: Verb::Help, run: |_, lines| Ok(Box::new(Help(one(lines).text("topic").and_then(knobs::find)))) };

pub static SLASH: Slash = Slash {
    name: "help",
    options: &[Words("topic")],
    asks: |given| Asks::Line(format!("help {}", given.get("topic").unwrap_or_default()).trim_end().to_owned()),
    is_private: true,
};

/// Of one knob, or of all.
struct Help(Option<&'static Knob>);

impl Answer for Help {
    fn view(&self, _app: &App, locale: Locale) -> View {
        report::help(locale, self.0)
    }
    fn json(&self, _locale: Locale) -> Map<String, Value> {
        let knobs = KNOBS.iter().filter(|knob| self.0.is_none_or(|only| only.key == knob.key));
        let rows = knobs.map(|knob| json!({"key": knob.key, "aliases": knob.aliases, "example": knob.example}));
        answer::fields([("knobs", rows.collect())])
    }
}
