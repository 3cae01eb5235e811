//! Buttons and selects of an answer.

use super::words::{card, cards, difference, method_word};
use crate::catalog::{Catalog, Gpu};
use crate::msg;
use crate::plan::Plan;
use crate::request::knobs::{self, Kind};
use crate::request::{Infer, Request, Train, Work};
use crate::text::{self, Locale, say, tr};
use crate::view::{Action, Select, SelectOption, View};

/// Weight formats to choose from.
const COMMON_FORMATS: usize = 15;

/// Buttons every answer has, and selects for what people change most.
pub(super) fn add(view: View, request: &Request, plan: &Plan, catalog: &Catalog) -> View {
    let locale = view.locale;
    let mut view = view
        .button(tr(locale, "button-tweak"), Action::Tweak)
        .button(tr(locale, "button-explain"), Action::Explain)
        .button(tr(locale, "button-recipe"), Action::Recipe)
        .button(tr(locale, "button-thread"), Action::Thread);
    view.selects.push(gpu_select(locale, request, plan, catalog));
    view.selects.push(match &request.work {
        Work::Train(train) => method_select(locale, train),
        Work::Infer(infer) => quant_select(locale, infer, catalog),
    });
    view
}

/// The recommended set-ups, then every card whose price is known: those one can rent.
fn gpu_select(locale: Locale, request: &Request, plan: &Plan, catalog: &Catalog) -> Select {
    let recommended = plan.options.iter().map(|option| SelectOption {
        label: cards(option.gpus, option.gpu),
        note: say(locale, &option.reason),
        words: difference(&request.settings, &option.settings),
        chosen: false,
    });
    let mut rentable: Vec<&Gpu> = catalog.gpus.iter().filter(|gpu| gpu.price.is_some()).collect();
    rentable.sort_by(|a, b| b.memory.0.total_cmp(&a.memory.0));
    let rentable = rentable.into_iter().map(|gpu| SelectOption {
        label: format!("{} · {}", card(gpu), text::bytes(gpu.memory)),
        note: String::new(),
        words: format!("gpu={}", gpu.id),
        chosen: request.hardware.gpu.is_some_and(|asked| asked.id == gpu.id),
    });
    let placeholder = tr(locale, "select-gpu").into_owned();
    Select { knob: "gpu", placeholder, options: recommended.chain(rentable).collect() }
}

fn method_select(locale: Locale, train: &Train) -> Select {
    let choices = match knobs::find("method").map(|knob| &knob.kind) {
        Some(Kind::Choice(choices)) => *choices,
        _ => &[],
    };
    let options = choices.iter().map(|(word, _)| SelectOption {
        label: format!("method={word}"),
        note: String::new(),
        words: format!("method={word}"),
        chosen: *word == method_word(&train.method),
    });
    Select { knob: "method", placeholder: tr(locale, "select-method").into_owned(), options: options.collect() }
}

/// Weight formats of the kind the engine loads; the presets have the common ones first.
fn quant_select(locale: Locale, infer: &Infer, catalog: &Catalog) -> Select {
    let same_kind =
        catalog.formats.iter().filter(|format| format.is_gguf() == infer.weights.is_gguf()).take(COMMON_FORMATS);
    let options = same_kind.map(|format| SelectOption {
        label: if format.name == "none" { "16-bit".to_owned() } else { format.name.clone() },
        note: say(locale, &msg!("bits-per-weight", bits = format.bits)),
        words: format!("quant={}", format.name),
        chosen: format.name == infer.weights.name,
    });
    Select { knob: "quant", placeholder: tr(locale, "select-quant").into_owned(), options: options.collect() }
}
