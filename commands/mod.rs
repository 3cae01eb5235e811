//! The commands, one file a verb: its answer (pure), and its slash command (feature `discord`).
//!
//! A new command is a file here and its line in the table.

use crate::answer;
use crate::app::{Answer, Answered, App, Command};
use crate::plan::Outcome;
use crate::request::Settings;
use crate::text::Locale;
use crate::view::{View, report};
use serde_json::{Map, Value};
use std::sync::Arc;

mod compare;
mod explain;
mod fit;
mod gpu;
mod help;
mod infer;
mod model;
mod recipe;
mod slash;
mod train;
mod tweak;

pub use slash::{Asks, Given, Opt, Slash};

pub static COMMANDS: &[Command] = &[
    train::COMMAND,
    infer::COMMAND,
    model::COMMAND,
    gpu::COMMAND,
    fit::COMMAND,
    compare::COMMAND,
    explain::COMMAND,
    recipe::COMMAND,
    help::COMMAND,
];

/// The slash commands, in the order Discord lists them.
pub static SLASH: &[&Slash] = &[
    &train::SLASH,
    &infer::SLASH,
    &model::SLASH,
    &gpu::SLASH,
    &fit::SLASH,
    &compare::SLASH,
    &explain::SLASH,
    &recipe::SLASH,
    &tweak::SLASH,
    &help::SLASH,
];

/// The line of a command that takes one.
fn one(lines: &[Settings]) -> &Settings {
    &lines[0]
}

/// `train` and `infer` differ in what they ask, not in how it is answered.
fn estimated(app: &App, lines: &[Settings]) -> Answered {
    Ok(Box::new(Outcome::of(one(lines), app.catalog)?))
}

impl Answer for Arc<Outcome> {
    fn view(&self, app: &App, locale: Locale) -> View {
        report::answer(locale, self, app.catalog)
    }
    fn json(&self, locale: Locale) -> Map<String, Value> {
        answer::outcome(self, locale)
    }
}
