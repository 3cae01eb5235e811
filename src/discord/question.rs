//! The pure half of every door: what is asked, as plain words, to what there is to say.

use crate::app::{App, Asked};
use crate::message::Problem;
use crate::msg;
use crate::paste::{self, Pasted};
use crate::plan::Outcome;
use crate::request::complete::work_of;
use crate::request::knobs::{self, Kind};
use crate::request::tweak;
use crate::request::{Settings, Value, Verb, line};
use crate::text::{self, Locale, say, tr};
use crate::units::Bytes;
use crate::view::{Action, Body, Section, View, report};
use std::borrow::Cow;

/// What stands around pasted text, and around attached files.
pub(super) const FENCE: &str = "```";
/// Offers for a wish without a value.
const MOST_OFFERS: usize = 5;

/// What there is to say to somebody.
#[derive(Clone)]
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

/// What somebody asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Question {
    /// A line that stands on its own.
    Line(String),
    /// A change, in free words, to the line of an answer.
    Change { base: String, words: String },
    /// The line of an answer beside that line changed.
    Compare { base: String, words: String },
    /// The explanation or recipe of the line of an answer.
    About { verb: &'static str, base: String, words: String },
    /// What somebody wrote: a paste, a line of its own, or a change to the answer before.
    Text { text: String, base: Option<String> },
}

impl Question {
    pub(super) fn answer(&self, app: &App, locale: Locale) -> Said {
        let desk = Desk { app, locale };
        match self {
            Question::Line(line) => desk.line(line),
            Question::Change { base, words } => desk.change(base, words),
            Question::Compare { base, words } => desk.compare(base, words),
            Question::About { verb, base, words } => desk.about(verb, base, words),
            Question::Text { text, base } => desk.text(text, base.as_deref()),
        }
    }
}

/// Where questions are answered, in one language.
struct Desk<'a> {
    app: &'a App,
    locale: Locale,
}

impl Desk<'_> {
    /// Answers a line.
    fn line(&self, line: &str) -> Said {
        self.answered(line).into()
    }

    fn answered(&self, line: &str) -> Result<View, Problem> {
        let asked = self.app.ask(line)?;
        let answer = self.app.answer(&asked)?;
        Ok(self.app.view(&asked, answer.as_ref(), self.locale))
    }

    /// Changes an answer's line by free words.
    fn change(&self, base: &str, words: &str) -> Said {
        let base = match self.settings(base) {
            Ok(base) => base,
            Err(problem) => return Said::Problem(problem),
        };
        let before = estimated(&base, None);
        let read = self.app.tweak(&before, words);
        if let Some(part) = read.explain {
            return self.about("explain", &line::write(&before), &format!("part={part}"));
        }
        match read.outcome {
            tweak::Said::Nothing => Said::Nothing,
            tweak::Said::Error => {
                Said::Problem(read.error.unwrap_or_else(|| Problem::new(msg!("discord-not-understood"))))
            }
            tweak::Said::Either => self.line(&Asked::from(read.alternatives).line()),
            tweak::Said::Wish => {
                let outcome = Outcome::of(&before, self.app.catalog);
                let assumed = outcome.map(|outcome| outcome.request.assumed.clone()).unwrap_or_default();
                Said::View(Box::new(wish(self.locale, &before, &assumed, &read.ask)))
            }
            tweak::Said::Changed => {
                let after = estimated(&read.settings, read.settings.choice("work"));
                // A data sheet has no estimate to compare with, nor has a training one of serving.
                if matches!(base.verb, Verb::Model | Verb::Gpu | Verb::Fit) || after.verb != before.verb {
                    return self.line(&line::write(&after));
                }
                self.changed(&before, &after).into()
            }
        }
    }

    fn changed(&self, before: &Settings, after: &Settings) -> Result<View, Problem> {
        let catalog = self.app.catalog;
        let Ok(before) = Outcome::of(before, catalog) else {
            // What could not be estimated before cannot be compared with.
            return self.answered(&line::write(after));
        };
        let after = Outcome::of(after, catalog)?;
        let view = report::change(self.locale, &before, &after, catalog);
        Ok(view.line(line::write(&after.request.settings)))
    }

    /// The explanation or recipe of an answer's line.
    fn about(&self, verb: &str, base: &str, words: &str) -> Said {
        match self.settings(base) {
            Ok(base) => self.line(format!("{verb} {} {words}", line::write(&estimated(&base, None))).trim_end()),
            Err(problem) => Said::Problem(problem),
        }
    }

    /// An answer's line beside that line changed.
    fn compare(&self, base: &str, words: &str) -> Said {
        let compared = self.settings(base).and_then(|base| {
            let before = estimated(&base, None);
            let read = self.app.tweak(&before, words);
            match read.error {
                Some(problem) => Err(problem),
                None => Ok(format!("compare {} | {}", line::write(&read.settings), line::write(&before))),
            }
        });
        match compared {
            Ok(line) => self.line(&line),
            Err(problem) => Said::Problem(problem),
        }
    }

    /// What somebody wrote to the bot: a paste, a line of its own, or a change to the answer before.
    fn text(&self, text: &str, base: Option<&str>) -> Said {
        let pasted = paste::read(text, self.app.catalog);
        match (pasted, base) {
            (Err(problem), _) => Said::Problem(problem),
            (Ok(pasted), base) if pasted.kind.is_some() => self.pasted(&pasted, around(text), base).into(),
            (Ok(_), Some(base)) if !starts_with_verb(text) => self.change(base, text),
            (Ok(_), _) => self.line(text),
        }
    }

    /// The answer to a paste, after what was read of it, what it leaves open and what its program does then.
    /// Without a model it is about the answer before; words around it change it.
    fn pasted(&self, pasted: &Pasted, words: String, base: Option<&str>) -> Result<View, Problem> {
        let mut settings = pasted.settings.clone();
        if let (None, Some(base)) = (settings.get("model"), base) {
            let mut changed = estimated(&self.settings(base)?, None);
            // What was only assumed changes no answer.
            let assumed = |key: &str, value: &Value| pasted.assumed.contains(&format!("{key}={value}"));
            settings.values.retain(|key, value| changed.get(key).is_none() || !assumed(key, value));
            changed.values.append(&mut settings.values);
            settings = changed;
        }
        let read = self.app.tweak(&settings, &words);
        if let tweak::Said::Changed = read.outcome {
            settings = read.settings;
        }
        let line = line::write(&settings);
        let can_answer = settings.get("model").is_some() || settings.verb == Verb::Fit;
        let mut view = if can_answer {
            self.answered(&line)?
        } else {
            let title = tr(self.locale, "paste-which-model");
            View::new(self.locale, title).line(line).button(tr(self.locale, "button-tweak"), Action::Tweak)
        };
        let understood = pasted.understood.iter().map(|(key, value)| match (key.as_str(), value) {
            (_, serde_json::Value::String(text)) => format!("{key}={text}"),
            ("oom.tried" | "oom.total" | "oom.allocated" | "oom.free" | "oom.reserved" | "oom.process", value) => {
                format!("{key}={}", text::bytes(Bytes(value.as_f64().unwrap_or(0.0))))
            }
            (_, value) => format!("{key}={value}"),
        });
        let heading = |key| tr(self.locale, key).into_owned();
        let open = pasted.asked.iter().filter(|key| settings.get(key).is_none());
        let kind = pasted.kind.map_or("", paste::Kind::word);
        let notes = pasted.notes.iter().map(|note| say(self.locale, note)).collect();
        let told = [
            (say(self.locale, &msg!("paste-read", kind = kind)), understood.collect::<Vec<_>>()),
            (heading("paste-notes"), notes),
            (heading("paste-asked"), open.map(|key| (*key).to_owned()).collect()),
            (heading("paste-assumed"), pasted.assumed.clone()),
        ];
        let told = told.into_iter().filter(|(_, items)| !items.is_empty());
        let sections = told.map(|(heading, items)| Section { heading, body: Body::Small(items) });
        view.sections.splice(0..0, sections);
        Ok(view)
    }

    /// The line of an answer as settings; of a comparison the first.
    fn settings(&self, line: &str) -> Result<Settings, Problem> {
        let mut asked = self.app.ask(line)?;
        Ok(asked.lines.swap_remove(0))
    }
}

/// The words around fenced blocks; without a fence all is the paste.
fn around(text: &str) -> String {
    if text.contains(FENCE) { text.split(FENCE).step_by(2).collect::<Vec<_>>().join(" ") } else { String::new() }
}

/// Whether a text asks anew: `train …`, `推理千问 …`.
fn starts_with_verb(text: &str) -> bool {
    let text = text.trim_start().to_lowercase();
    let works = match knobs::find("work").map(|knob| &knob.kind) {
        Some(Kind::Choice(works)) => *works,
        _ => &[],
    };
    let spellings = works.iter().flat_map(|(_, spellings)| spellings.iter().copied());
    let mut words = Verb::ALL.iter().map(|verb| verb.word()).chain(spellings);
    words.any(|word| text.strip_prefix(word).is_some_and(|rest| !rest.starts_with(|c: char| c.is_ascii_alphanumeric())))
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

/// What a knob nobody set was taken to be.
type Assumed = [(&'static str, Cow<'static, str>)];

/// A wish without a value: the values it could have, as buttons.
fn wish(locale: Locale, base: &Settings, assumed: &Assumed, knobs: &[&'static str]) -> View {
    let named = knobs.join(" / ");
    let mut view = View::new(locale, say(locale, &msg!("discord-which", knob = named))).line(line::write(base));
    for words in knobs.iter().flat_map(|key| values(base, assumed, key)).take(MOST_OFFERS) {
        view = view.button(words.clone(), Action::Change(words));
    }
    view.button(tr(locale, "button-tweak"), Action::Tweak)
}

/// Values of a knob that one would try next.
fn values(base: &Settings, assumed: &Assumed, key: &str) -> Vec<String> {
    let Some(knob) = knobs::find(key) else { return Vec::new() };
    let assumed = assumed.iter().find(|(assumed, _)| *assumed == key).map(|(_, value)| value.to_string());
    let now = base.get(key).map(ToString::to_string).or(assumed);
    let around = |usual: u64, min: u64, max: u64| {
        let now = now.as_deref().and_then(|now| now.parse().ok()).unwrap_or(usual);
        let near = [now / 4, now / 2, now.saturating_mul(2), now.saturating_mul(4)];
        near.into_iter().filter(|n| (min..=max).contains(n) && *n != now).map(|n| n.to_string()).collect()
    };
    let values: Vec<String> = match &knob.kind {
        Kind::Choice(choices) => choices.iter().map(|(word, _)| (*word).to_owned()).collect(),
        Kind::Length { min, max, .. } => around(4096, *min, *max),
        Kind::Count { min, max, .. } if *max <= 4 => (*min..=*max).map(|n| n.to_string()).collect(),
        Kind::Count { min, max, .. } => around(4, *min, *max),
        Kind::Row(_)
        | Kind::Number { .. }
        | Kind::Model(_)
        | Kind::Gpu
        | Kind::List { .. }
        | Kind::Fleet
        | Kind::Text => Vec::new(),
    };
    values.into_iter().filter(|word| now.as_ref() != Some(word)).map(|word| format!("{key}={word}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_verb_asks_anew_and_a_change_does_not() {
        for text in ["train llama3 8b", "Infer qwen", "训练千问2.5 7B", "推理 llama3", "compare a | b"] {
            assert!(starts_with_verb(text), "{text}");
        }
        for text in ["seq 8192", "trainer=hf", "序列 8192", "gpus=4", "", "explained"] {
            assert!(!starts_with_verb(text), "{text}");
        }
    }

    #[test]
    fn the_words_around_a_paste_are_told_from_it() {
        assert_eq!(around("on a 4090?\n```json\n{}\n```\nthanks").trim(), "on a 4090?\n \nthanks");
    }

    #[test]
    fn a_wish_is_offered_values_near_what_stands() {
        let base = Settings::new(Verb::Train).with("batch", Value::Count(4)).with("zero", Value::Count(3));
        let assumed = [("checkpointing", "off".into()), ("accum", "2".into())];
        let values = |key| values(&base, &assumed, key);
        assert_eq!(values("batch"), ["batch=1", "batch=2", "batch=8", "batch=16"]);
        assert_eq!(values("accum"), ["accum=1", "accum=4", "accum=8"]);
        assert_eq!(values("zero"), ["zero=0", "zero=1", "zero=2"]);
        assert_eq!(values("checkpointing"), ["checkpointing=selective", "checkpointing=on"]);
    }
}
