//! `model`: a model's shape and exact counts, its weights at each precision, and the smallest
//! hardware that serves and that fine-tunes it.

use super::one;
use super::slash::Opt::Needed;
use super::slash::{Asks, Slash};
use crate::answer;
use crate::app::{Answer, App, Command};
use crate::catalog::Model;
use crate::message::Problem;
use crate::plan::{Choice, Merit, Outcome};
use crate::request::{Settings, Value as KnobValue, Verb};
use crate::text::Locale;
use crate::view::{View, report};
use serde_json::{Map, Value, json};
use std::sync::Arc;

pub const COMMAND: Command = Command { verb: Verb::Model, run: |app, lines| Ok(Box::new(Sheet::of(app, one(lines))?)) };

pub static SLASH: Slash = Slash {
    name: "model",
    options: &[Needed("model")],
    asks: |given| Asks::Line(given.line("model")),
    is_private: false,
};

struct Sheet {
    model: Arc<Model>,
    /// The fewest GPUs that serve it, and that fine-tune it with LoRA.
    serves: Option<Choice>,
    tunes: Option<Choice>,
}

impl Sheet {
    fn of(app: &App, settings: &Settings) -> Result<Self, Problem> {
        let serve = Settings { verb: Verb::Infer, ..settings.clone() };
        let tune = Settings { verb: Verb::Train, ..settings.clone() }.with("method", KnobValue::Choice("lora"));
        let serve = Outcome::of(&serve, app.catalog)?;
        let tune = Outcome::of(&tune.without("quant"), app.catalog)?;
        Ok(Self { model: serve.request.model.clone(), serves: smallest(&serve), tunes: smallest(&tune) })
    }
}

fn smallest(outcome: &Outcome) -> Option<Choice> {
    outcome.plan.options.iter().find(|choice| choice.merits.contains(&Merit::FewestGpus)).cloned()
}

impl Answer for Sheet {
    fn view(&self, app: &App, locale: Locale) -> View {
        report::model(locale, &self.model, app.catalog, self.serves.as_ref(), self.tunes.as_ref())
    }
    fn json(&self, _locale: Locale) -> Map<String, Value> {
        let counts = &self.model.counts;
        let mut fields = answer::fields([(
            "model",
            json!({
                "id": self.model.id, "params_total": counts.total, "params_active": counts.active,
                "params_embedding": counts.embedding, "params_lm_head": counts.lm_head,
                "params_routed_experts": counts.routed_experts, "layers": self.model.depth(),
                "hidden": self.model.hidden_size, "vocab": self.model.vocab_size, "source": self.model.source,
            }),
        )]);
        for (name, choice) in [("serves", &self.serves), ("fine_tunes", &self.tunes)] {
            fields.extend(choice.as_ref().map(|choice| (name.into(), answer::recommendation(choice))));
        }
        fields
    }
}
