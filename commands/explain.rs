//! `explain`: each part of an estimate as its formula with the numbers put in.

use super::one;
use super::slash::Opt::{Knob, Words};
use super::slash::{Asks, Slash};
use crate::answer;
use crate::app::{Answer, App, Command};
use crate::estimate::{Part, Term};
use crate::plan::Outcome;
use crate::request::Verb;
use crate::text::{Locale, tr};
use crate::view::{View, report};
use serde_json::{Map, Value, json};
use std::sync::Arc;

pub const COMMAND: Command =
    Command { verb: Verb::Explain, run: |app, lines| Ok(Box::new(Explanation(Outcome::of(one(lines), app.catalog)?))) };

pub static SLASH: Slash = Slash {
    name: "explain",
    options: &[Words("line"), Knob("part")],
    asks: |given| {
        let part = given.get("part").map(|part| format!("part={part}")).unwrap_or_default();
        match given.get("line") {
            Some(line) => Asks::Line(format!("explain {line} {part}").trim_end().to_owned()),
            None => Asks::OfLast { verb: "explain", words: part },
        }
    },
    is_private: false,
};

struct Explanation(Arc<Outcome>);

impl Answer for Explanation {
    fn view(&self, _app: &App, locale: Locale) -> View {
        report::explain(locale, &self.0)
    }
    fn json(&self, locale: Locale) -> Map<String, Value> {
        let parts = self.0.estimate.memory.parts.iter().map(|part| part_json(part, locale));
        let mut fields = answer::outcome(&self.0, locale);
        fields.insert("parts".into(), parts.collect());
        fields
    }
}

fn part_json(part: &Part, locale: Locale) -> Value {
    let terms = part.terms.iter().map(|term| term_json(term, locale));
    json!({"part": answer::part_name(part.kind), "bytes": part.bytes(), "terms": terms.collect::<Vec<_>>()})
}

fn term_json(term: &Term, locale: Locale) -> Value {
    let factors = term.factors.iter().map(|(symbol, value)| json!([tr(locale, symbol), value]));
    json!({
        "name": tr(locale, term.name), "bytes": term.bytes(), "factors": factors.collect::<Vec<_>>(),
        "basis": answer::basis_name(term.basis), "source": tr(locale, term.source),
    })
}
