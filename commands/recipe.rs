//! `recipe`: the command or file that runs a configuration.

use super::one;
use super::slash::Opt::Words;
use super::slash::{Asks, Slash};
use crate::answer;
use crate::app::{Answer, App, Command};
use crate::plan::Outcome;
use crate::recipes::{self, Recipe};
use crate::request::Verb;
use crate::text::Locale;
use crate::view::{View, report};
use serde_json::{Map, Value, json};
use std::sync::Arc;

pub const COMMAND: Command = Command {
    verb: Verb::Recipe,
    run: |app, lines| {
        let outcome = Outcome::of(one(lines), app.catalog)?;
        let recipes = recipes::recipes(&outcome.request);
        Ok(Box::new(Recipes { outcome, recipes }))
    },
};

pub static SLASH: Slash = Slash {
    name: "recipe",
    options: &[Words("line")],
    asks: |given| match given.get("line") {
        Some(line) => Asks::Line(format!("recipe {line}")),
        None => Asks::OfLast { verb: "recipe", words: String::new() },
    },
    is_private: false,
};

struct Recipes {
    outcome: Arc<Outcome>,
    recipes: Vec<Recipe>,
}

impl Answer for Recipes {
    fn view(&self, _app: &App, locale: Locale) -> View {
        report::recipes(locale, &self.recipes)
    }
    fn json(&self, locale: Locale) -> Map<String, Value> {
        let recipes = self.recipes.iter().map(|recipe| {
            let mut fields = answer::fields([("program", json!(recipe.program)), ("text", json!(recipe.text))]);
            fields.extend(recipe.file.map(|file| ("file".into(), json!(file))));
            Value::Object(fields)
        });
        let mut fields = answer::outcome(&self.outcome, locale);
        fields.insert("recipes".into(), recipes.collect());
        fields
    }
}
