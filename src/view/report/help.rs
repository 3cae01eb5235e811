//! Help, problems, recipes: words about lines rather than estimates.

use crate::message::Problem;
use crate::msg;
use crate::recipes::Recipe;
use crate::request::knobs::{KNOBS, Kind, Knob, Scope};
use crate::text::{Locale, say, tr};
use crate::view::{Body, Tone, View};

/// A user's mistake: what was wrong, what is near, what to type.
pub fn problem(locale: Locale, problem: &Problem) -> View {
    let suggestions = problem.suggestions.iter().map(|words| code(words)).collect();
    View::new(locale, "")
        .tone(Tone::Bad)
        .verdict(say(locale, &problem.message))
        .section(tr(locale, "heading-try"), Body::List(suggestions))
}

/// Words as they are typed.
fn code(words: &str) -> String {
    format!("`{}`", crate::text::harmless(words))
}

/// How to ask, and every knob; of one knob all there is to know.
pub fn help(locale: Locale, knob: Option<&Knob>) -> View {
    match knob {
        Some(knob) => one_knob(locale, knob),
        None => overview(locale),
    }
}

fn overview(locale: Locale) -> View {
    let examples = [
        "train llama3-8b method=qlora seq=4096 gpu=rtx-4090-24gb",
        "infer qwen2.5-72b quant=awq concurrency=32 gpu=2xa100-80gb",
        "fit gpu=rtx-4090-24gb gpus=2",
        "compare infer llama3-70b gpu=h100,h200,mi300x",
        "explain train llama3-8b gpus=8 gpu=a100 zero=3",
        "help zero",
    ];
    let mut view = View::new(locale, tr(locale, "help-title"))
        .section(tr(locale, "help-intro"), Body::List(examples.map(code).to_vec()));
    for (scope, heading) in [
        (Scope::Both, "help-both"),
        (Scope::Train, "help-train"),
        (Scope::Infer, "help-infer"),
        (Scope::Target, "help-target"),
        (Scope::Shape, "help-shape"),
    ] {
        let keys = KNOBS.iter().filter(|knob| knob.scope == scope).map(|knob| code(knob.key));
        view = view.section(tr(locale, heading), keys.collect::<Vec<_>>().join(" "));
    }
    view
}

fn one_knob(locale: Locale, knob: &Knob) -> View {
    let values = match &knob.kind {
        Kind::Choice(choices) => choices.iter().map(|(word, _)| code(word)).collect::<Vec<_>>().join(" "),
        Kind::List { words, .. } | Kind::Model(words) => {
            words.iter().map(|word| code(word)).collect::<Vec<_>>().join(" ")
        }
        Kind::Length { min, max, .. } | Kind::Count { min, max, .. } => {
            say(locale, &msg!("help-between", low = *min, high = *max))
        }
        Kind::Number { min, max, .. } => say(locale, &msg!("help-between", low = *min, high = *max)),
        Kind::Gpu | Kind::Row(_) | Kind::Fleet | Kind::Text => String::new(),
    };
    let aliases = knob.aliases.iter().map(|alias| code(alias)).collect::<Vec<_>>().join(" ");
    View::new(locale, knob.key)
        .verdict(tr(locale, &format!("knob-{}", knob.key)))
        .section(tr(locale, "help-example"), code(knob.example))
        .section(tr(locale, "help-values"), values)
        .section(tr(locale, "help-aliases"), aliases)
}

/// Launch recipes, the request's own program first.
pub fn recipes(locale: Locale, recipes: &[Recipe]) -> View {
    let mut view = View::new(locale, tr(locale, "title-recipe"));
    for recipe in recipes {
        let heading = match recipe.file {
            Some(file) => format!("{} · {file}", recipe.program),
            None => recipe.program.to_owned(),
        };
        view = view.section(heading, Body::Code(recipe.text.trim_end().to_owned()));
    }
    view
}
