//! `fit`: what can be served and trained on given hardware.

use super::one;
use super::slash::Opt::{Knob, Needed};
use super::slash::{Asks, MORE, Slash};
use crate::answer;
use crate::app::{Answer, App, Command};
use crate::plan::{self, Fit, FitRow};
use crate::request::Verb;
use crate::text::Locale;
use crate::view::{View, report};
use serde_json::{Map, Value, json};

pub const COMMAND: Command =
    Command { verb: Verb::Fit, run: |app, lines| Ok(Box::new(plan::fit(one(lines), app.catalog)?)) };

pub static SLASH: Slash = Slash {
    name: "fit",
    options: &[
        Needed("gpu"),
        Knob("gpus"),
        Knob("nodes"),
        Knob("work"),
        Knob("method"),
        Knob("quant"),
        Knob("seq"),
        MORE,
    ],
    asks: |given| Asks::Line(given.line("fit")),
    is_private: false,
};

impl Answer for Fit {
    fn view(&self, _app: &App, locale: Locale) -> View {
        report::fit(locale, self)
    }
    fn json(&self, _locale: Locale) -> Map<String, Value> {
        fit_json(self)
    }
}

pub(super) fn fit_json(fit: &Fit) -> Map<String, Value> {
    answer::fields([
        ("gpu", json!(fit.gpu.id)),
        ("gpus", json!(fit.gpus)),
        ("models", fit.rows.iter().map(row).collect()),
    ])
}

fn row(row: &FitRow) -> Value {
    let mut fields = answer::fields([("model", json!(row.model.id)), ("params_total", json!(row.model.counts.total))]);
    if let Some(serve) = &row.serve {
        let mut served = answer::fields([
            ("quant", json!(serve.quant)),
            ("seq", json!(serve.seq)),
            ("line", answer::canonical(&serve.settings)),
        ]);
        served.extend(serve.tokens_per_s.map(|rate| ("tokens_per_s".into(), json!(rate))));
        fields.insert("serve".into(), Value::Object(served));
    }
    if let Some(train) = &row.train {
        let mut trained = answer::fields([
            ("method", json!(train.method)),
            ("seq", json!(train.seq)),
            ("line", answer::canonical(&train.settings)),
        ]);
        trained.extend(train.tokens_per_s.map(|rate| ("tokens_per_s".into(), json!(rate))));
        fields.insert("train".into(), Value::Object(trained));
    }
    Value::Object(fields)
}
