//! `gpu`: a card's figures, and what fits on it.

use super::slash::Opt::{Knob, Needed};
use super::slash::{Asks, Slash};
use super::{fit::fit_json, one};
use crate::app::{Answer, App, Command};
use crate::catalog::Gpu;
use crate::plan::{self, Fit};
use crate::request::Verb;
use crate::text::Locale;
use crate::view::{View, report};
use serde_json::{Map, Value, json};

pub const COMMAND: Command =
    Command { verb: Verb::Gpu, run: |app, lines| Ok(Box::new(Card(plan::fit(one(lines), app.catalog)?))) };

pub static SLASH: Slash = Slash {
    name: "gpu",
    options: &[Needed("gpu"), Knob("gpus")],
    asks: |given| Asks::Line(given.line("gpu")),
    is_private: false,
};

struct Card(Fit);

impl Answer for Card {
    fn view(&self, _app: &App, locale: Locale) -> View {
        report::gpu(locale, self.0.gpu, Some(&self.0))
    }
    fn json(&self, _locale: Locale) -> Map<String, Value> {
        let mut fields = fit_json(&self.0);
        fields.insert("card".into(), card(self.0.gpu));
        fields
    }
}

fn card(gpu: &Gpu) -> Value {
    let peak = &gpu.peak;
    let rates = [
        ("fp32", peak.fp32),
        ("tf32", peak.tf32),
        ("fp16", peak.fp16),
        ("bf16", peak.bf16),
        ("fp8", peak.fp8),
        ("int8", peak.int8),
        ("fp4", peak.fp4),
    ];
    let rates: Map<_, _> = rates.into_iter().filter_map(|(name, rate)| Some((name.to_owned(), json!(rate?)))).collect();
    let mut card = json!({
        "id": gpu.id, "name": gpu.name, "memory": gpu.memory, "bandwidth": gpu.bandwidth, "flops_per_s": rates,
        "link_bandwidth": gpu.link.bandwidth, "gpus_per_node": gpu.gpus_per_node, "source": gpu.source,
    });
    if let Some(price) = &gpu.price {
        card["usd_per_hour"] = json!(price.usd_per_hour);
    }
    card
}
