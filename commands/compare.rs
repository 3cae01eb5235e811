//! `compare`: two to four set-ups side by side.

use super::slash::Opt::{NeededWords, Words};
use super::slash::{Asks, Slash};
use crate::answer;
use crate::app::{Answer, App, Command};
use crate::plan::{self, Comparison};
use crate::request::Verb;
use crate::text::Locale;
use crate::view::{View, report};
use serde_json::{Map, Value, json};

pub const COMMAND: Command =
    Command { verb: Verb::Compare, run: |app, lines| Ok(Box::new(plan::compare(lines, app.catalog)?)) };

const LINES: [&str; 4] = ["first", "second", "third", "fourth"];

pub static SLASH: Slash = Slash {
    name: "compare",
    options: &[NeededWords(LINES[0]), Words(LINES[1]), Words(LINES[2]), Words(LINES[3])],
    asks: |given| {
        let lines: Vec<&str> = LINES.iter().filter_map(|name| given.get(name)).collect();
        Asks::Line(format!("compare {}", lines.join(" | ")))
    },
    is_private: false,
};

impl Answer for Comparison {
    fn view(&self, _app: &App, locale: Locale) -> View {
        report::compare(locale, self)
    }
    fn json(&self, locale: Locale) -> Map<String, Value> {
        let columns = self.columns.iter().map(|outcome| {
            let mut fields = answer::fields([("line", answer::canonical(&outcome.request.settings))]);
            fields.append(&mut answer::outcome(outcome, locale));
            Value::Object(fields)
        });
        answer::fields([("columns", columns.collect()), ("differs", json!(self.differs))])
    }
}
