//! Lines, changes and pastes to what there is to say: the pure half of every door.

use super::Bot;
use crate::message::Problem;
use crate::msg;
use crate::plan::Outcome;
use crate::request::complete::work_of;
use crate::request::knobs::{self, Kind};
use crate::request::tweak::{self, tweak};
use crate::request::{Settings, Value, Verb, line};
use crate::text::{Locale, say};
use crate::view::{Action, View, report};

/// Offers for a wish without a value.
const MOST_OFFERS: usize = 5;

/// What there is to say to somebody.
pub(super) enum Said {
    View(Box<View>),
    Problem(Problem),
    /// Nothing in the text changes the estimate.
    Nothing,
}

impl From<Result<View, Problem>> for Said {
    fn from(result: Result<View, Problem>) -> Self {
        match result {
            Ok(view) => Said::View(Box::new(view)),
            Err(problem) => Said::Problem(problem),
        }
    }
}

impl Bot {
    /// Answers a line.
    pub(super) fn line(&self, line: &str, locale: Locale) -> Said {
        self.answered(line, locale).into()
    }

    fn answered(&self, line: &str, locale: Locale) -> Result<View, Problem> {
        let asked = self.app.ask(line)?;
        let answer = self.app.answer(&asked)?;
        Ok(self.app.view(&asked, answer.as_ref(), locale))
    }

    /// Changes an answer's line by free words.
    pub(super) fn change(&self, base: &str, words: &str, locale: Locale) -> Said {
        let base = match self.settings(base) {
            Ok(base) => base,
            Err(problem) => return Said::Problem(problem),
        };
        let before = estimated(&base, None);
        let read = tweak(&before, words, self.app.catalog);
        if let Some(part) = read.explain {
            return self.about("explain", &line::write(&before), &format!("part={part}"), locale);
        }
        match read.outcome {
            tweak::Said::Nothing => Said::Nothing,
            tweak::Said::Error => {
                Said::Problem(read.error.unwrap_or_else(|| Problem::new(msg!("discord-not-understood"))))
            }
            tweak::Said::Wish => Said::View(Box::new(wish(locale, &before, &read.ask))),
            tweak::Said::Changed => {
                let after = estimated(&read.settings, read.settings.choice("work"));
                // A data sheet has no estimate to compare with.
                if matches!(base.verb, Verb::Model | Verb::Gpu | Verb::Fit) {
                    return self.line(&line::write(&after), locale);
                }
                self.changed(&before, &after, locale).into()
            }
        }
    }

    fn changed(&self, before: &Settings, after: &Settings, locale: Locale) -> Result<View, Problem> {
        let catalog = self.app.catalog;
        let (before, after) = (Outcome::of(before, catalog)?, Outcome::of(after, catalog)?);
        let view = report::change(locale, &before, &after, catalog);
        Ok(view.line(line::write(&after.request.settings)))
    }

    /// The explanation or recipe of an answer's line.
    pub(super) fn about(&self, verb: &str, base: &str, words: &str, locale: Locale) -> Said {
        match self.settings(base) {
            Ok(base) => {
                self.line(format!("{verb} {} {words}", line::write(&estimated(&base, None))).trim_end(), locale)
            }
            Err(problem) => Said::Problem(problem),
        }
    }

    /// An answer's line beside that line changed.
    pub(super) fn compare(&self, base: &str, words: &str, locale: Locale) -> Said {
        let compared = self.settings(base).and_then(|base| {
            let before = estimated(&base, None);
            let read = tweak(&before, words, self.app.catalog);
            match read.error {
                Some(problem) => Err(problem),
                None => Ok(format!("compare {} | {}", line::write(&read.settings), line::write(&before))),
            }
        });
        match compared {
            Ok(line) => self.line(&line, locale),
            Err(problem) => Said::Problem(problem),
        }
    }

    /// What somebody pasted: a command, a configuration, a log; or else a line.
    pub(super) fn pasted(&self, text: &str, locale: Locale) -> Said {
        self.line(text, locale)
    }

    /// What somebody wrote to the bot: a paste, a line of its own, or a change to the answer before.
    pub(super) fn read(&self, text: &str, base: Option<&str>, locale: Locale) -> Said {
        match base {
            Some(base) if !starts_with_verb(text) => self.change(base, text, locale),
            _ => self.pasted(text, locale),
        }
    }

    /// The line of an answer as settings; of a comparison the first.
    fn settings(&self, line: &str) -> Result<Settings, Problem> {
        let mut asked = self.app.ask(line)?;
        Ok(asked.lines.swap_remove(0))
    }
}

/// Whether a text asks anew: `train …`, `推理 …`.
fn starts_with_verb(text: &str) -> bool {
    let first = text.split_whitespace().next().unwrap_or_default();
    Verb::ALL.iter().any(|verb| first.eq_ignore_ascii_case(verb.word()))
}

/// The line that is estimated: an explanation's or a recipe's own, or the `work` asked for.
fn estimated(settings: &Settings, work: Option<&str>) -> Settings {
    let verb = match work {
        Some("train") => Verb::Train,
        Some(_) => Verb::Infer,
        None => work_of(settings),
    };
    let mut estimated = Settings { verb, ..settings.clone() };
    let stays = |key: &str| knobs::find(key).is_some_and(|knob| knob.scope.serves(verb));
    estimated.values.retain(|key, _| !matches!(*key, "work" | "part" | "topic") && stays(key));
    estimated
}

/// A wish without a value: the values it could have, as buttons.
fn wish(locale: Locale, base: &Settings, knobs: &[&'static str]) -> View {
    let named = knobs.join(" / ");
    let mut view = View::new(locale, say(locale, &msg!("discord-which", knob = named))).line(line::write(base));
    for words in knobs.iter().flat_map(|key| values(base, key)).take(MOST_OFFERS) {
        view = view.button(words.clone(), Action::Change(words));
    }
    view.button(crate::text::tr(locale, "button-tweak"), Action::Tweak)
}

/// Values of a knob that one would try next.
fn values(base: &Settings, key: &str) -> Vec<String> {
    let Some(knob) = knobs::find(key) else { return Vec::new() };
    let now = base.get(key);
    let around = |usual: u64, min: u64, max: u64| {
        let now = base.count(key).unwrap_or(usual);
        let near = [now / 4, now / 2, now.saturating_mul(2), now.saturating_mul(4)];
        near.into_iter().filter(|n| (min..=max).contains(n) && *n != now).map(|n| n.to_string()).collect()
    };
    let values: Vec<String> = match &knob.kind {
        Kind::Choice(choices) => choices.iter().map(|(word, _)| (*word).to_owned()).collect(),
        Kind::Length { min, max, .. } => around(4096, *min, *max),
        Kind::Count { min, max, .. } if *max <= 4 => (*min..=*max).map(|n| n.to_string()).collect(),
        Kind::Count { min, max, .. } => around(4, *min, *max),
        Kind::Row(_) | Kind::Number { .. } | Kind::Model | Kind::Gpu | Kind::List(_) | Kind::Fleet | Kind::Text => {
            Vec::new()
        }
    };
    let stands = |word: &String| now.is_some_and(|now: &Value| now.to_string() == *word);
    values.into_iter().filter(|word| !stands(word)).map(|word| format!("{key}={word}")).collect()
}
