//! `compare`: two to four set-ups side by side.

use crate::answer;
use crate::app::{Answer, App, Command};
use crate::plan::{self, Comparison};
use crate::request::Verb;
use crate::text::Locale;
use crate::view::{View, report};
use serde_json::{Map, Value, json};

pub const COMMAND: Command =
    Command { verb: Verb::Compare, run: |app, lines| Ok(Box::new(plan::compare(lines, app.catalog)?)) };

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
