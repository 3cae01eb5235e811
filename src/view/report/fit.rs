//! What runs on a machine.

use super::words::{cards, short_name};
use crate::msg;
use crate::plan::Fit;
use crate::text::{self, Locale, say, tr};
use crate::view::{Cell, Row, Table, View};

/// The answer to `fit`.
pub fn fit(locale: Locale, fit: &Fit) -> View {
    let machine = cards(fit.gpus, fit.gpu);
    let largest_served = fit.rows.iter().find(|row| row.serve.is_some()).map(|row| short_name(&row.model));
    let largest_trained = fit.rows.iter().find(|row| row.train.is_some()).map(|row| short_name(&row.model));
    let verdict = match (largest_served, largest_trained) {
        (Some(served), Some(trained)) => msg!("fit-both", served = served, trained = trained),
        (Some(served), None) => msg!("fit-serves", served = served),
        (None, Some(trained)) => msg!("fit-trains", trained = trained),
        (None, None) => msg!("fit-nothing"),
    };
    View::new(locale, say(locale, &msg!("title-fit", machine = machine, memory = fit.gpu.memory * f64::from(fit.gpus))))
        .verdict(say(locale, &verdict))
        .section("", table(locale, fit, ROWS))
        .section("", more(locale, fit, ROWS))
}

/// Models listed; smaller ones fit as well.
const ROWS: usize = 24;

/// Model, best weights and length it serves, fullest method and length it trains.
pub(super) fn table(locale: Locale, fit: &Fit, rows: usize) -> Table {
    let rows = fit.rows.iter().take(rows).map(|row| {
        let serve = row.serve.as_ref().map(|served| setting(&served.quant, served.seq));
        let train = row.train.as_ref().map(|trained| setting(trained.method, trained.seq));
        let cell = |text: Option<String>| Cell::word(text.unwrap_or_else(|| "–".to_owned()));
        Row::new([Cell::word(short_name(&row.model)), cell(serve), cell(train)])
    });
    let header = ["column-model", "column-serve", "column-train"];
    Table { header: header.map(|key| tr(locale, key).into_owned()).to_vec(), rows: rows.collect() }
}

/// How many models are not listed.
pub(super) fn more(locale: Locale, fit: &Fit, rows: usize) -> String {
    match fit.rows.len().saturating_sub(rows) {
        0 => String::new(),
        models => say(locale, &msg!("fit-more", models = models)),
    }
}

/// `awq 32k`.
fn setting(what: &str, seq: u64) -> String {
    let what = if what == "none" { "16-bit" } else { what };
    format!("{what} {}", text::length(seq))
}
