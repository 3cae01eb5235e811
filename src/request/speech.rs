//! What a text asks for: words to settings, changes and wishes. One grammar for a line and for a tweak.
//!
//! Reads left to right; a name takes the value beside it, a value that says its knob stands alone, and
//! what means nothing is kept apart, so that a caller can tell a request from talk.

use super::knobs::{self, Knob};
use super::lexicon::Sense;
use super::settings::{Bound, Value, Verb};
use super::words::{is_han, plain, words};
use crate::catalog::Catalog;
use crate::catalog::names::Resolution;
use crate::message::Problem;
use crate::msg;
pub(super) use alternatives::alternatives;
use item::{Item, Piece, items};
use number::Amount;
use verb::{guess, verbs};

mod alternatives;
mod count;
mod item;
mod name;
mod number;
mod pair;
mod value;
mod verb;
mod wish;

/// One thing asked of the settings.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Act {
    Set(&'static Knob, Value),
    Scale(&'static Knob, f64),
    Add(&'static Knob, i64),
    /// Back to its default: `gpus=default`.
    Clear(&'static Knob),
    /// The same family in this many parameters.
    Resize(f64),
}

impl Act {
    pub(super) fn knob(&self) -> &'static Knob {
        match self {
            Act::Set(knob, _) | Act::Scale(knob, _) | Act::Add(knob, _) | Act::Clear(knob) => knob,
            Act::Resize(_) => knobs::of("model"),
        }
    }
}

/// A question about an answer already given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Question {
    /// `why`, `how did you`: never a change.
    Why,
    /// `what is`, and no condition: a change only where one is said outright.
    What,
}

#[derive(Debug)]
pub(super) struct Speech {
    pub verb: Verb,
    /// Train or infer, where another verb looks at one of them and the text says which.
    pub work: Option<Verb>,
    pub acts: Vec<Act>,
    pub asks: Vec<&'static str>,
    pub problem: Option<Problem>,
    pub model: Option<Resolution>,
    /// The model was named with its size.
    pub is_sized: bool,
    pub question: Option<Question>,
    /// The first knob that was named, with a value or without.
    pub topic: Option<&'static Knob>,
    /// A verb was said, not guessed.
    pub addressed: bool,
    /// Words that meant nothing.
    pub unknown: Vec<String>,
    /// `undo`, and nothing else.
    pub back: bool,
    /// `key=value` was written.
    pub explicit: bool,
}

impl Speech {
    /// What is to be explained of how this program is used, a knob or all: `help zero`, `what is tp`.
    pub fn help(&self) -> Option<Option<String>> {
        let given = self.acts.iter().find_map(|act| match act {
            Act::Set(knob, Value::Text(topic)) if knob.key == "topic" => Some(topic.clone()),
            _ => None,
        });
        let topic = given.or_else(|| Some(self.topic?.key.to_owned()));
        let names_nothing = self.model.is_none() && self.acts.len() <= 1 && self.problem.is_none();
        let asks = names_nothing && !self.addressed && self.question.is_some() && topic.is_some();
        (self.verb == Verb::Help || asks).then_some(topic)
    }
}

/// Reads a text for a work that it may turn from; `None`: it is told or guessed from the words.
pub(super) fn hear(text: &str, work: Option<Verb>, catalog: &'static Catalog) -> Speech {
    let plain = plain(text);
    let words = words(&plain);
    let items = items(&plain, &words, catalog);
    let (verb, said) = verbs(&items);
    let speech = Speech {
        verb: verb.unwrap_or_else(|| guess(&items)),
        addressed: verb.is_some(),
        topic: items.iter().find_map(|piece| piece.knob()),
        work: said,
        acts: vec![],
        asks: vec![],
        problem: None,
        model: None,
        is_sized: false,
        question: None,
        unknown: vec![],
        back: false,
        explicit: false,
    };
    let told = work;
    let work = said.or(work).unwrap_or(speech.verb);
    let mut listener = Listener { items, at: 0, work, told, catalog, speech, clause: Clause::default() };
    listener.listen();
    let mut speech = listener.speech;
    speech.back &= speech.unknown.len() <= 1 && speech.acts.is_empty() && speech.asks.is_empty();
    speech.back &= speech.model.is_none() && speech.problem.is_none();
    speech
}

/// What was said so far in a clause.
#[derive(Default)]
struct Clause {
    /// Where it begins.
    from: usize,
    /// `add`, `remove`.
    delta: Option<i64>,
    /// `increase`, `reduce`.
    direction: Option<i64>,
    /// `per user`, of the rate that follows.
    per_user: bool,
    /// `the paper`: of something else.
    tale: bool,
    /// Numbers set by a name beside them, which talk has few of.
    named: usize,
    /// `→`, `换成`: of the acts before it, what comes after it takes the place.
    turn: Option<usize>,
}

struct Listener {
    items: Vec<Piece>,
    at: usize,
    work: Verb,
    /// The work that was given; else it is gathered from the words.
    told: Option<Verb>,
    catalog: &'static Catalog,
    speech: Speech,
    clause: Clause,
}

/// What was heard before a clause.
struct Before {
    acts: usize,
    asks: usize,
    unknown: usize,
    model: Option<Resolution>,
    problem: Option<Problem>,
}

impl Listener {
    fn listen(&mut self) {
        let mut before = self.so_far();
        while self.at < self.items.len() {
            if matches!(self.items[self.at].item, Item::Stop) {
                self.end_clause(before);
                before = self.so_far();
            }
            let width = self.hear();
            self.at += width.max(1);
        }
        self.end_clause(before);
        self.settle_nodes();
        // A long story in which a few words happen to mean something here.
        const STORY: usize = 8;
        if self.told.is_some()
            && !self.speech.explicit
            && self.speech.unknown.len() > STORY + 2 * self.speech.acts.len()
        {
            self.speech.acts.clear();
            self.speech.asks.clear();
            (self.speech.model, self.speech.problem) = (None, None);
        }
    }

    fn so_far(&self) -> Before {
        let Speech { acts, asks, unknown, model, problem, .. } = &self.speech;
        let (model, problem) = (model.clone(), problem.clone());
        Before { acts: acts.len(), asks: asks.len(), unknown: unknown.len(), model, problem }
    }

    /// A clause of talk asks for nothing, whatever its words mean elsewhere: `my 4090 died, so batch 4`.
    fn end_clause(&mut self, before: Before) {
        let Clause { named, tale, .. } = std::mem::take(&mut self.clause);
        self.clause.from = self.at;
        let speech = &mut self.speech;
        if self.told.is_none() || speech.explicit {
            return;
        }
        let unknown = speech.unknown.len() - before.unknown;
        let said = speech.acts.len().saturating_sub(before.acts) + usize::from(speech.model != before.model) + named;
        let problem = speech.problem.as_ref().filter(|problem| before.problem.as_ref() != Some(problem));
        let talk = tale
            || match problem {
                // A value out of range is about this, whatever one word beside it says; a strange name alone is not.
                Some(problem) => unknown > usize::from(!matches!(problem.knob, Some("model" | "gpu"))),
                None => unknown * 2 > said,
            };
        if talk {
            speech.acts.truncate(before.acts);
            speech.asks.truncate(before.asks);
            (speech.model, speech.problem) = (before.model, before.problem);
        }
    }

    /// Reads what stands here; how many items it took.
    fn hear(&mut self) -> usize {
        match &self.items[self.at].item {
            Item::Explicit(knob, typed) => {
                let (knob, typed) = (*knob, typed.clone());
                self.speech.explicit = true;
                if knob.key == "model" && typed != "custom" && !typed.contains(',') {
                    self.model(self.catalog.names().model(&typed), &typed);
                } else {
                    self.set_typed(knob, &typed);
                }
                match self.number_at(self.at + 2).filter(|_| knob.key == "gpu" && self.has(self.at + 1, &Sense::Times))
                {
                    // `gpu=h20 x8`
                    Some(count) => {
                        self.set_typed(knobs::of("gpus"), &count.typed());
                        3
                    }
                    None => 1,
                }
            }
            Item::NoKnob(name, typed) => {
                let problem = no_knob(name, typed, self.catalog);
                self.fail(problem);
                1
            }
            Item::Model(found) => {
                let (found, typed) = (found.clone(), self.items[self.at].text.clone());
                if self.is_just_a_word(&found, &typed) {
                    self.unknown();
                } else {
                    self.model(found, &typed);
                }
                1
            }
            Item::Verb(verb) => self.verb(*verb),
            Item::Stop => 1,
            Item::Unknown => self.unlisted(),
            Item::NoGpu(found) => {
                let problem = knobs::no_gpu(&self.items[self.at].text, found);
                self.fail(problem);
                1
            }
            Item::Gpu(id) => {
                let id = id.clone();
                self.gpu(id)
            }
            Item::Number(_) => self.number(),
            Item::Senses(_) => self.senses(),
        }
    }

    fn senses(&mut self) -> usize {
        let Item::Senses(senses) = &self.items[self.at].item else { return 1 };
        let senses = senses.clone();
        // A word can be a knob's name, a value and a small word (`ds`, `length`): the knob wins if it finds a value.
        let knobs = |numeric: bool| {
            senses.iter().filter_map(move |sense| match sense {
                Sense::Knob(knob) if knob.is_numeric() == numeric => Some(*knob),
                _ => None,
            })
        };
        let found = knobs(true).find_map(|knob| self.name_for_knob(knob).or_else(|| self.knob(knob)));
        let bits = senses.iter().find_map(|sense| match sense {
            Sense::Bits(bits) => Some(*bits),
            _ => None,
        });
        let found = found.or_else(|| bits.map(|bits| self.bits(bits)));
        let found = found.or_else(|| self.value()).or_else(|| knobs(false).find_map(|knob| self.knob(knob)));
        if let Some(width) = found {
            return width;
        }
        let Some(sense) = senses.first() else { return 1 };
        match sense {
            Sense::Not => self.negation(),
            Sense::Dropping => self.dropping(),
            Sense::Scale(by) => self.scale(*by),
            Sense::More => self.towards(1),
            Sense::Less => self.towards(-1),
            Sense::Wish(knobs) => self.wish(knobs),
            Sense::Other => self.other(),
            Sense::Seek(bounds) => self.seek(bounds),
            Sense::PerUser => {
                // `each user gets 20 tok/s`
                self.clause.per_user = true;
                self.of_each()
            }
            Sense::Each => self.of_each(),
            Sense::Tale => {
                self.clause.tale = true;
                1
            }
            Sense::Another => self.another(),
            Sense::Add | Sense::Remove => {
                self.clause.delta = Some(if **sense == Sense::Add { 1 } else { -1 });
                self.wish_for_count()
            }
            Sense::Host => self.host(),
            Sense::Back => {
                self.speech.back = true;
                1
            }
            Sense::From => self.dropping(),
            Sense::Swap => self.swap(),
            Sense::Filler if self.told.is_none() && self.text(self.at) == "what" => self.seek(&[Bound::Max]),
            Sense::Why => {
                self.speech.question = Some(Question::Why);
                1
            }
            Sense::What => {
                self.speech.question = self.speech.question.or(Some(Question::What));
                1
            }
            Sense::With => {
                if self.speech.question == Some(Question::What) {
                    self.speech.question = None;
                }
                1
            }
            Sense::And => self.and(),
            Sense::To => {
                // `compare h100 to h200` keeps both.
                self.clause.turn = (self.speech.verb != Verb::Compare).then_some(self.speech.acts.len());
                1
            }
            Sense::Magnitude(_) => {
                self.unknown();
                1
            }
            Sense::Verb(verb) => self.verb(*verb),
            Sense::Knob(_)
            | Sense::Value(..)
            | Sense::Gpu(_)
            | Sense::Number(_)
            | Sense::Bits(_)
            | Sense::Times
            | Sense::Over
            | Sense::On
            | Sense::Filler => 1,
        }
    }

    /// `now for serving`, said of a training.
    fn verb(&mut self, verb: Verb) -> usize {
        if verb == self.work && self.told.is_some_and(|told| told != verb) {
            self.set(knobs::of("work"), Value::Choice(verb.word()));
        }
        1
    }

    // -- what a place holds

    fn has(&self, at: usize, wanted: &Sense) -> bool {
        self.items.get(at).is_some_and(|piece| piece.says(wanted))
    }
    fn knob_at(&self, at: usize) -> Option<&'static Knob> {
        self.items.get(at)?.knob()
    }
    fn number_at(&self, at: usize) -> Option<Amount> {
        let piece = self.items.get(at)?;
        match &piece.item {
            Item::Number(amount) => Some(amount.clone()),
            // `4090` is a card, and a number where one is due.
            Item::Gpu(_) => {
                let value = piece.text.parse().ok()?;
                Some(Amount { value, unit: String::new(), digits: true })
            }
            _ => None,
        }
    }
    /// A word that stands between a name and its value without meaning anything.
    fn is_light(&self, at: usize) -> bool {
        [Sense::To, Sense::Filler, Sense::With, Sense::Each].iter().any(|sense| self.has(at, sense))
            && self.knob_at(at).is_none()
    }
    fn past_light(&self, mut at: usize) -> usize {
        let from = at;
        while at < from + 3 && self.is_light(at) {
            at += 1;
        }
        at
    }
    fn is_gpu(&self, at: usize) -> bool {
        matches!(self.items.get(at).map(|piece| &piece.item), Some(Item::Gpu(_)))
    }
    fn text(&self, at: usize) -> &str {
        self.items.get(at).map_or("", |piece| piece.text.as_str())
    }
    fn is_scale(&self, at: usize) -> Option<f64> {
        match &self.items.get(at)?.item {
            Item::Senses(senses) => senses.iter().find_map(|sense| match sense {
                Sense::Scale(by) => Some(*by),
                _ => None,
            }),
            _ => None,
        }
    }

    // -- what is concluded

    fn act(&mut self, act: Act) {
        let act = match act {
            Act::Set(knob, Value::Number(rate)) if knob.key == "tokens_per_s" && self.clause.per_user => {
                time_per_token(rate)
            }
            act => act,
        };
        if let Some(given_up) = self.clause.turn {
            let stays = |earlier: &Act| earlier.knob() != act.knob();
            // What was taken back since leaves fewer.
            let given_up = given_up.min(self.speech.acts.len());
            let kept: Vec<Act> = self.speech.acts.drain(..given_up).filter(stays).collect();
            self.clause.turn = Some(kept.len());
            self.speech.acts.splice(0..0, kept);
        }
        self.speech.acts.push(act);
    }
    fn set(&mut self, knob: &'static Knob, value: Value) {
        self.act(Act::Set(knob, value));
    }
    fn set_typed(&mut self, knob: &'static Knob, typed: &str) {
        match knob.machine(typed, self.catalog) {
            Some((count, name)) => {
                self.set_typed(knobs::of("gpus"), &count.to_string());
                self.set_typed(knob, name);
            }
            None if typed == "default" => self.act(Act::Clear(knob)),
            None => match knob.read(typed, self.catalog) {
                Ok(value) => self.set(knob, value),
                Err(problem) => self.fail(problem),
            },
        }
    }
    fn fail(&mut self, problem: Problem) {
        self.speech.problem.get_or_insert(problem);
    }
    fn ask(&mut self, keys: &[&'static str]) {
        for key in keys {
            if !self.speech.asks.contains(key) {
                self.speech.asks.push(key);
            }
        }
    }
    fn unknown(&mut self) {
        let text = self.items[self.at].text.clone();
        let han = |text: &str| text.chars().all(is_han);
        let goes_on =
            self.at > 0 && matches!(self.items[self.at - 1].item, Item::Unknown) && han(self.text(self.at - 1));
        match self.speech.unknown.last_mut().filter(|_| goes_on && han(&text)) {
            // Each character of a Chinese word is an item.
            Some(word) => word.push_str(&text),
            None if text.chars().any(char::is_alphanumeric) => self.speech.unknown.push(text),
            None => {}
        }
    }
    fn already(&self, knob: &Knob) -> bool {
        self.speech.acts.iter().any(|act| matches!(act, Act::Set(set, _) if set.key == knob.key))
    }
}

/// Tokens per second of one user, as the milliseconds between them.
fn time_per_token(rate: f64) -> Act {
    Act::Set(knobs::of("tpot"), Value::Number((1e5 / rate).round() / 100.0))
}

fn no_knob(name: &str, typed: &str, catalog: &Catalog) -> Problem {
    let near = knobs::nearest(name, knobs::KNOBS.iter().map(|knob| knob.key)).map(knobs::of);
    let message = match near {
        Some(knob) => msg!("problem-unknown-knob-near", typed = name, near = knob.key),
        None => msg!("problem-unknown-knob", typed = name),
    };
    let meant = near.map(|knob| match knob.read(typed, catalog) {
        Ok(value) => format!("{}={value}", knob.key),
        Err(_) => knob.example.to_owned(),
    });
    Problem::new(message).suggest(meant)
}

/// A card, or several.
fn is_card(knob: &Knob) -> bool {
    matches!(knob.key, "gpu" | "gpus")
}

/// What a number before it counts (`8 gpus`), where others are set by a number after them (`tp 4`).
fn is_counted(knob: &Knob) -> bool {
    matches!(
        knob.key,
        "gpu"
            | "gpus"
            | "nodes"
            | "concurrency"
            | "epochs"
            | "samples"
            | "tokens"
            | "generations"
            | "layers"
            | "experts"
    )
}
