//! What a text asks for: words to settings, changes and wishes. One grammar for a line and for a tweak.
//!
//! Reads left to right; a name takes the value beside it, a value that says its knob stands alone, and
//! what means nothing is kept apart, so that a caller can tell a request from talk.

use super::knobs::{self, Kind, Knob, leading_number, magnitude};
use super::lexicon::{Lexicon, Sense};
use super::settings::{Value, Verb};
use super::words::{Class, Gap, Word, plain, words};
use crate::catalog::Catalog;
use crate::catalog::names::{Outcome, Resolution};
use crate::message::Problem;
use crate::msg;

/// One thing asked of the settings.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Act {
    Set(&'static Knob, Value),
    Scale(&'static Knob, f64),
    Add(&'static Knob, i64),
    /// Back to its default.
    Clear(&'static Knob),
    /// The same family in this many parameters.
    Resize(f64),
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
    pub question: Option<Question>,
    /// The first knob named without a value: what a question is about.
    pub about: Option<&'static str>,
    /// Words that meant nothing.
    pub unknown: Vec<String>,
    /// `key=value` was written.
    pub explicit: bool,
}

/// Reads a text for a work; `None`: it is told or guessed from the words.
pub(super) fn hear(text: &str, work: Option<Verb>, catalog: &'static Catalog) -> Speech {
    let plain = plain(text);
    let words = words(&plain);
    let items = items(&plain, &words, catalog);
    let (verb, said) = verbs(&items);
    let speech = Speech {
        verb: verb.unwrap_or_else(|| guess(&items)),
        work: said,
        acts: vec![],
        asks: vec![],
        problem: None,
        model: None,
        question: None,
        about: None,
        unknown: vec![],
        explicit: false,
    };
    let work = work.or(said).unwrap_or(speech.verb);
    let mut listener = Listener { items, at: 0, work, catalog, speech, delta: None, direction: None };
    listener.listen();
    listener.speech
}

#[derive(Debug)]
enum Item {
    Senses(Vec<&'static Sense>),
    Number(Amount),
    Gpu(String),
    /// What stands where a card would and is none.
    NoGpu,
    Explicit(&'static Knob, String),
    /// `key=` of no knob.
    NoKnob(String),
    Model(Resolution),
    Stop,
    Unknown,
}

#[derive(Clone, Debug)]
struct Amount {
    value: f64,
    /// `k`, `b`, `gb`, `ms`, `%`, `万`.
    unit: String,
    /// In digits; number words alone never make sense of talk.
    digits: bool,
}

impl Amount {
    fn typed(&self) -> String {
        format!("{}{}", self.value, self.unit)
    }
    fn plain(&self) -> f64 {
        self.value * magnitude(&self.unit, false).unwrap_or(1.0)
    }
}

struct Piece {
    item: Item,
    text: String,
}

// ---- words to items --------------------------------------------------------------------------------

fn items(plain: &str, words: &[Word], catalog: &'static Catalog) -> Vec<Piece> {
    let lexicon = Lexicon::of(catalog);
    let explicit = explicit(plain);
    let mut items: Vec<Piece> = vec![];
    let mut at = 0;
    while let Some(word) = words.get(at) {
        if let Some(pair) = explicit.iter().find(|pair| (pair.start..pair.end).contains(&word.at)) {
            let (item, end) = pair.item(plain, catalog);
            items.push(Piece { item, text: plain[pair.start..end].to_owned() });
            at += words[at..].iter().take_while(|word| word.at < end).count();
            continue;
        }
        let until = explicit.iter().map(|pair| pair.start).find(|start| *start > word.at).unwrap_or(plain.len());
        let rest = &words[at..];
        let rest = &rest[..rest.iter().take_while(|word| word.at < until).count()];
        let (width, item) = item(plain, rest, lexicon, catalog, items.last());
        let text = plain[word.at..words[at + width - 1].end()].to_owned();
        items.push(Piece { item, text });
        at += width;
    }
    items
}

fn item(
    plain: &str,
    rest: &[Word],
    lexicon: &'static Lexicon,
    catalog: &'static Catalog,
    before: Option<&Piece>,
) -> (usize, Item) {
    let word = rest[0];
    if let Some(found) = repository(plain, rest, catalog) {
        return found;
    }
    if word.is_stop() {
        return (1, Item::Stop);
    }
    let known = lexicon.longest(rest);
    let number = number(rest);
    if known.is_none()
        && let Some(found) = unlisted_gpu(plain, rest, before, catalog)
    {
        return found;
    }
    if word.class == Class::Han
        && known.is_none()
        && let Some((width, found)) = model(plain, rest, lexicon, catalog)
    {
        return (width, Item::Model(found));
    }
    match (known, number) {
        (Some((width, senses)), Some((digits, _))) if width > digits || matches!(senses[0], Sense::Gpu(_)) => {
            phrase(rest, width, senses)
        }
        (_, Some((width, amount))) => (width, Item::Number(amount)),
        (Some((width, senses)), None) => match model(plain, rest, lexicon, catalog) {
            // A name glued to this word wins over the word (`step-3`), but not over a knob with its value (`ds3`).
            Some((longer, found))
                if longer > width
                    && rest[width].gap != Gap::Space
                    && !senses.iter().any(|sense| matches!(sense, Sense::Knob(_)))
                    && found.outcome == Outcome::Match
                    && found.read_as.is_none() =>
            {
                (longer, Item::Model(found))
            }
            _ => phrase(rest, width, senses),
        },
        (None, None) => match model(plain, rest, lexicon, catalog) {
            Some((width, found)) => (width, Item::Model(found)),
            None => (1, Item::Unknown),
        },
    }
}

/// The item of a phrase; a card's plural `s` goes with it.
fn phrase(rest: &[Word], width: usize, senses: Vec<&'static Sense>) -> (usize, Item) {
    let gpu = senses.iter().find_map(|sense| match sense {
        Sense::Gpu(id) => Some(id.clone()),
        _ => None,
    });
    match (gpu, &senses[..]) {
        (Some(id), _) => {
            let plural = rest.get(width).is_some_and(|word| word.gap == Gap::None && word.text == "s");
            (width + usize::from(plural), Item::Gpu(id))
        }
        (None, [Sense::Number(value)]) => {
            (width, Item::Number(Amount { value: *value, unit: String::new(), digits: false }))
        }
        (None, _) => (width, Item::Senses(senses)),
    }
}

/// `key=value` as typed, by whitespace.
struct Pair<'a> {
    start: usize,
    end: usize,
    key: &'a str,
    value: &'a str,
}

fn explicit(plain: &str) -> Vec<Pair<'_>> {
    let mut pairs = vec![];
    let mut start = 0;
    for chunk in plain.split(' ') {
        let from = start;
        start += chunk.len() + 1;
        if chunk.contains("://") {
            continue;
        }
        let mut part_at = from;
        // `a=1,b=2` is two; `gpu=a,b` is one.
        for part in split_pairs(chunk) {
            let at = part_at;
            part_at += part.len() + 1;
            let Some((key, value)) = part.split_once('=') else { continue };
            let key = key.trim_start_matches(['-', '(', ',']);
            let value = value.trim_end_matches([',', ';', '.', '?', '!', ')', '。']);
            let value = match value.find(super::words::is_han) {
                Some(han) if han > 0 => &value[..han],
                _ => value,
            };
            let wordy = key.chars().next().is_some_and(char::is_alphabetic);
            if wordy && !value.is_empty() && !value.starts_with(['=', '>', '<']) {
                let start = at + part.find(key).unwrap_or(0);
                let end = start + key.len() + 1 + value.len();
                pairs.push(Pair { start, end, key, value });
            }
        }
    }
    pairs
}

fn split_pairs(chunk: &str) -> Vec<&str> {
    let mut parts = vec![];
    let mut from = 0;
    for (comma, _) in chunk.match_indices([',', ';']) {
        if chunk[from..comma].contains('=') && chunk[comma + 1..].contains('=') {
            let next = &chunk[comma + 1..];
            let next_part = next.split([',', ';']).next().unwrap_or(next);
            if next_part.contains('=') {
                parts.push(&chunk[from..comma]);
                from = comma + 1;
            }
        }
    }
    parts.push(&chunk[from..]);
    parts
}

impl Pair<'_> {
    /// The pair, and where it ends: a name of a model or card may go on over spaces.
    fn item(&self, plain: &str, catalog: &Catalog) -> (Item, usize) {
        let Some(knob) = knobs::find(self.key) else { return (Item::NoKnob(self.key.to_owned()), self.end) };
        let mut end = self.end;
        let mut value = self.value.to_owned();
        if matches!(knob.kind, Kind::Gpu | Kind::Model) && knob.read(&value, catalog).is_err() {
            let mut longer = value.clone();
            for next in plain[self.end..].split(' ').skip(1).take(4).take_while(|next| !next.contains('=')) {
                longer = format!("{longer} {next}");
                if knob.read(&longer, catalog).is_ok() {
                    end = self.end + longer.len() - self.value.len();
                    value = longer;
                    break;
                }
            }
        }
        (Item::Explicit(knob, value), end)
    }
}

/// A number in digits with its unit, or in Chinese numerals.
fn number(rest: &[Word]) -> Option<(usize, Amount)> {
    let word = rest[0];
    if word.class == Class::Han {
        return numeral(rest);
    }
    if word.class != Class::Digits {
        return None;
    }
    let (value, tail) = leading_number(word.text)?;
    if !tail.is_empty() {
        return None;
    }
    let mut width = 1;
    let mut unit = String::new();
    let beside = |index: usize| rest.get(index).filter(|word: &&Word| word.gap == Gap::None);
    match beside(1) {
        Some(next) if next.text == "%" => {
            unit.push('%');
            width = 2;
        }
        Some(next) if next.class == Class::Latin && is_unit(next.text) => {
            // `4k` and the rest of a name glued to it (`8b-instruct`) differ.
            unit.push_str(next.text);
            width = 2;
        }
        Some(next) if next.class == Class::Han => {
            while let Some(next) = beside(width).filter(|next| "百千万亿".contains(next.text)) {
                unit.push_str(next.text);
                width += 1;
            }
        }
        Some(_) | None => {}
    }
    if unit.is_empty()
        && let Some(next) = rest.get(1).filter(|word| word.class == Class::Latin)
        && matches!(next.text, "million" | "billion" | "trillion" | "thousand" | "gb" | "gib" | "ms")
    {
        unit.push_str(next.text);
        width = 2;
    }
    Some((width, Amount { value, unit, digits: true }))
}

fn is_unit(text: &str) -> bool {
    matches!(
        text,
        "k" | "m"
            | "b"
            | "t"
            | "g"
            | "w"
            | "bn"
            | "mil"
            | "gb"
            | "gib"
            | "ms"
            | "s"
            | "h"
            | "d"
            | "hr"
            | "hours"
            | "days"
            | "sec"
    )
}

/// `十六`, `两`, `一百二十八`, `五千`.
fn numeral(rest: &[Word]) -> Option<(usize, Amount)> {
    let (mut total, mut section, mut digit, mut width) = (0.0, 0.0, None, 0);
    for (index, word) in rest.iter().enumerate().take(12) {
        if index > 0 && word.gap != Gap::None {
            break;
        }
        let scale = match word.text {
            "十" => 10.0,
            "百" => 100.0,
            "千" => 1000.0,
            "万" => 1e4,
            "亿" => 1e8,
            other => {
                let value =
                    ["零", "一", "二", "三", "四", "五", "六", "七", "八", "九"].iter().position(|d| *d == other);
                match value.or((other == "两").then_some(2)) {
                    Some(value) => digit = Some(value as f64),
                    None => break,
                }
                width += 1;
                continue;
            }
        };
        if scale < 1e4 {
            section += digit.take().unwrap_or(1.0) * scale;
        } else {
            total = (total + section + digit.take().unwrap_or(0.0)) * scale;
            section = 0.0;
        }
        width += 1;
    }
    let value = total + section + digit.unwrap_or(0.0);
    (width > 0).then(|| (width, Amount { value, unit: String::new(), digits: false }))
}

/// `org/name`: a repository, taken whole.
fn repository(plain: &str, rest: &[Word], catalog: &'static Catalog) -> Option<(usize, Item)> {
    let word = rest[0];
    let chunk = chunk(plain, word.at);
    let (owner, name) = chunk.split_once('/')?;
    if word.gap != Gap::Space || owner.len() < 2 || name.len() < 2 {
        return None;
    }
    let found = catalog.names().model(chunk);
    let width = rest.iter().take_while(|word| word.at < rest[0].at + chunk.len()).count();
    (found.outcome != Outcome::Unknown).then_some((width, Item::Model(found)))
}

/// From here to the next space, stop or Chinese character.
fn chunk(plain: &str, at: usize) -> &str {
    let rest = &plain[at..];
    let end =
        rest.find(|c: char| c == ' ' || matches!(c, ',' | ';' | '?' | '!' | '(' | ')') || super::words::is_han(c));
    rest[..end.unwrap_or(rest.len())].trim_end_matches(['.', ':'])
}

/// The longest name of a model that begins here.
fn model(plain: &str, rest: &[Word], lexicon: &Lexicon, catalog: &Catalog) -> Option<(usize, Resolution)> {
    let first = rest[0];
    if first.class == Class::Mark || first.class == Class::Digits || first.gap == Gap::Hyphen || first.text.len() < 2 {
        return None;
    }
    let mut widest = 1;
    let mut sized = false;
    while let Some(word) = rest.get(widest).filter(|_| widest < 14) {
        let glued = word.gap != Gap::Space || (word.text == ":" && word.gap == Gap::None);
        let joins = match word.class {
            Class::Mark => glued && matches!(word.text, ":" | "/"),
            Class::Han => glued && rest[widest - 1].class == Class::Han && widest < 4,
            Class::Digits => {
                let size =
                    rest.get(widest + 1).is_some_and(|next| next.gap == Gap::None && matches!(next.text, "b" | "m"));
                let counts =
                    !size && rest.get(widest + 1).is_some_and(|next| counted(lexicon, &rest[widest + 1..], *next));
                let joins = glued || (!sized && !counts);
                sized |= size;
                joins
            }
            Class::Latin => glued || !lexicon.claims(&rest[widest..]),
        };
        if !joins {
            break;
        }
        widest += 1;
    }
    let name = |width: usize| {
        // A name ends where a word does.
        let ends = rest.get(width).is_none_or(|next| {
            next.gap == Gap::Space || next.class != rest[width - 1].class || next.class == Class::Han
        });
        let glued = rest
            .get(width)
            .is_some_and(|next| next.gap != Gap::Space && next.class != Class::Han && next.class != Class::Mark);
        if !ends || glued {
            return None;
        }
        let text = &plain[first.at..rest[width - 1].end()];
        let found = catalog.names().model(text);
        if found.read_as.is_some() && first.class == Class::Latin && !resembles(first.text, found.id.as_deref()?) {
            return None;
        }
        let closed = found.reason.as_ref().is_some_and(|reason| reason.key == "name-closed");
        (closed || matches!(found.outcome, Outcome::Match | Outcome::Ambiguous)).then_some((width, found))
    };
    let (width, found) = (1..=widest).rev().find_map(name)?;
    // Small words after the name are not part of it.
    let is_small = |width: &usize| lexicon.is_filler(&rest[*width..*width + 1]);
    let trimmed = (1..width).rev().take_while(is_small).filter_map(name).last();
    Some(trimmed.filter(|(_, shorter)| shorter.id == found.id).unwrap_or((width, found)))
}

/// Whether a misspelt name is one of this model: its first word must be near one of the id's.
fn resembles(first: &str, id: &str) -> bool {
    let id = id.to_lowercase();
    let mut words = id.split(|c: char| !c.is_alphabetic()).filter(|word| word.len() > 1);
    words.any(|word| strsim::jaro_winkler(first, word) > 0.75)
}

/// Whether a number here counts what follows it (`8 gpus`, `8xh100`).
fn counted(lexicon: &Lexicon, rest: &[Word], next: Word) -> bool {
    if next.text == "x" {
        // `8x22b` is a size.
        return !rest.get(2).is_some_and(|unit| unit.text == "b" && unit.gap == Gap::None);
    }
    lexicon.longest(rest).is_some_and(|(_, senses)| {
        senses.iter().any(|sense| matches!(sense, Sense::Gpu(_) | Sense::Knob(_) | Sense::More | Sense::Less))
    })
}

/// A card by a name the lexicon does not hold, where a card would stand: `on a 9090 ti`, `8 x h900`.
fn unlisted_gpu(plain: &str, rest: &[Word], before: Option<&Piece>, catalog: &Catalog) -> Option<(usize, Item)> {
    let brand = matches!(rest[0].text, "rtx" | "gtx");
    let after_count = before.is_some_and(|piece| matches!(piece.item, Item::Number(_)) || piece.text == "x");
    let after_on = before.is_some_and(|piece| matches!(piece.text.as_str(), "on a" | "on an" | "on" | "换成" | "用"));
    let suffix = |index: usize| rest.get(index).is_some_and(|word| matches!(word.text, "ti" | "super"));
    let digits = |index: usize| {
        let word = rest.get(index).filter(|word| word.class == Class::Digits)?;
        (3..=4).contains(&word.text.len()).then_some(word.gap)
    };
    let width = match rest[0].class {
        Class::Digits if digits(0).is_some() && suffix(1) => 2,
        Class::Digits
            if digits(0).is_some() && before.is_some_and(|piece| matches!(piece.text.as_str(), "on a" | "on an")) =>
        {
            1
        }
        Class::Latin if brand && digits(1).is_some() => 2 + usize::from(suffix(2)),
        Class::Latin if (after_count || after_on) && rest[0].text.len() <= 2 && digits(1) == Some(Gap::None) => 2,
        Class::Latin | Class::Digits | Class::Han | Class::Mark => return None,
    };
    let name = &plain[rest[0].at..rest[width - 1].end()];
    let found = catalog.names().gpu(name);
    Some((width, if found.outcome == Outcome::Match { Item::Gpu(found.id?) } else { Item::NoGpu }))
}

/// The verb of a line, and which work it speaks of.
fn verbs(items: &[Piece]) -> (Option<Verb>, Option<Verb>) {
    let mut said = items.iter().flat_map(|piece| match &piece.item {
        Item::Senses(senses) => senses.as_slice(),
        _ => &[],
    });
    let said: Vec<Verb> = said
        .by_ref()
        .filter_map(|sense| match sense {
            Sense::Verb(verb) => Some(*verb),
            _ => None,
        })
        .collect();
    let is_work = |verb: &Verb| matches!(verb, Verb::Train | Verb::Infer);
    let work = said.iter().copied().find(is_work);
    let first = items.first().and_then(|piece| Verb::ALL.into_iter().find(|verb| verb.word() == piece.text));
    let other = said.iter().copied().find(|verb| !is_work(verb) && (*verb != Verb::Help || items.len() == 1));
    (first.or(other).or(work), work)
}

/// A text without a verb: training if it speaks of something only training has.
fn guess(items: &[Piece]) -> Verb {
    let trains = items.iter().any(|piece| match &piece.item {
        Item::Senses(senses) => senses.iter().any(|sense| match sense {
            Sense::Value(knob, _) => knob.scope == knobs::Scope::Train,
            Sense::Knob(knob) => knob.scope == knobs::Scope::Train && knob.key.len() > 1 && piece.text.len() > 2,
            _ => false,
        }),
        Item::Explicit(knob, _) => knob.scope == knobs::Scope::Train,
        _ => false,
    });
    if trains { Verb::Train } else { Verb::Infer }
}

// ---- items to acts ---------------------------------------------------------------------------------

struct Listener {
    items: Vec<Piece>,
    at: usize,
    work: Verb,
    catalog: &'static Catalog,
    speech: Speech,
    /// `add`, `remove` was said in this clause.
    delta: Option<i64>,
    /// `increase`, `reduce` was said in this clause.
    direction: Option<i64>,
}

impl Listener {
    fn listen(&mut self) {
        while self.at < self.items.len() {
            let width = self.hear();
            self.at += width.max(1);
        }
        self.settle_nodes();
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
                1
            }
            Item::NoKnob(name) => {
                let problem = no_knob(name);
                self.fail(problem);
                1
            }
            Item::Model(found) => {
                let (found, typed) = (found.clone(), self.items[self.at].text.clone());
                self.model(found, &typed);
                1
            }
            Item::Stop => {
                (self.delta, self.direction) = (None, None);
                1
            }
            Item::Unknown => {
                self.unknown();
                1
            }
            Item::NoGpu => {
                let name = self.items[self.at].text.clone();
                self.fail(knobs::no_gpu(&name, self.catalog));
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
        let found = knobs(true).find_map(|knob| self.knob(knob));
        let bits = senses.iter().find_map(|sense| match sense {
            Sense::Bits(bits) => Some(*bits),
            _ => None,
        });
        let found = found.or_else(|| bits.map(|bits| self.bits(bits)));
        let found = found.or_else(|| self.value()).or_else(|| knobs(false).find_map(|knob| self.knob(knob)));
        if let Some(width) = found {
            return width;
        }
        for sense in senses {
            let width = match sense {
                Sense::Not => self.negation(),
                Sense::Dropping => self.dropping(),
                Sense::Scale(by) => self.scale(*by),
                Sense::More => self.towards(1),
                Sense::Less => self.towards(-1),
                Sense::Wish(knobs) => {
                    self.ask(knobs);
                    1
                }
                Sense::Other => self.other(),
                Sense::Add | Sense::Remove => {
                    self.delta = Some(if *sense == Sense::Add { 1 } else { -1 });
                    self.wish_for_count()
                }
                Sense::From => self.dropping(),
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
                Sense::Magnitude(_) => {
                    self.unknown();
                    1
                }
                Sense::Knob(knob) => {
                    if self.speech.about.is_none() {
                        self.speech.about = Some(knob.key);
                    }
                    1
                }
                Sense::Verb(_)
                | Sense::Value(..)
                | Sense::Gpu(_)
                | Sense::Number(_)
                | Sense::Bits(_)
                | Sense::To
                | Sense::Times
                | Sense::On
                | Sense::And
                | Sense::Each
                | Sense::Filler => 1,
            };
            return width;
        }
        1
    }

    // -- what a place holds

    fn has(&self, at: usize, wanted: &Sense) -> bool {
        matches!(self.items.get(at).map(|piece| &piece.item), Some(Item::Senses(senses)) if senses.contains(&wanted))
    }
    fn knob_at(&self, at: usize) -> Option<&'static Knob> {
        match &self.items.get(at)?.item {
            Item::Senses(senses) => senses.iter().find_map(|sense| match sense {
                Sense::Knob(knob) => Some(*knob),
                _ => None,
            }),
            _ => None,
        }
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

    fn set(&mut self, knob: &'static Knob, value: Value) {
        self.speech.acts.push(Act::Set(knob, value));
    }
    fn set_typed(&mut self, knob: &'static Knob, typed: &str) {
        match knobs::counted(typed).filter(|_| knob.key == "gpu") {
            Some((count, name)) => {
                self.set_typed(knobs::of("gpus"), &count.to_string());
                self.set_typed(knob, name);
            }
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
        let text = &self.items[self.at].text;
        if text.chars().any(char::is_alphanumeric) {
            self.speech.unknown.push(text.clone());
        }
    }
    fn already(&self, knob: &Knob) -> bool {
        self.speech.acts.iter().any(|act| matches!(act, Act::Set(set, _) if set.key == knob.key))
    }

    // -- models and cards

    fn model(&mut self, found: Resolution, typed: &str) {
        if found.outcome == Outcome::Unknown {
            return self.fail(knobs::no_model(typed, &found));
        }
        match &self.speech.model {
            Some(first) if first.id != found.id => {
                let (first, second) = (first.id.clone().unwrap_or_default(), found.id.unwrap_or_default());
                if self.speech.verb != Verb::Compare {
                    return self.fail(knobs::given_twice("model", &first, &second));
                }
                self.set(knobs::of("model"), Value::List(vec![first, second]));
            }
            Some(_) => {}
            None => self.speech.model = Some(found),
        }
    }

    fn gpu(&mut self, id: String) -> usize {
        let mut width = 1;
        let mut id = id;
        let before = self.at.checked_sub(1).map_or("", |before| self.text(before));
        if matches!(before, "pcie" | "sxm" | "nvl") {
            let found = self.catalog.names().gpu(&format!("{} {before}", self.text(self.at)));
            id = found.id.unwrap_or(id);
        }
        // `A100 40 GB`: the size picks the variant.
        if let Some(size) = self.number_at(self.at + 1).filter(|size| matches!(size.unit.as_str(), "g" | "gb" | "gib"))
        {
            let name = format!("{} {}{}", self.text(self.at), size.value, size.unit);
            let found = self.catalog.names().gpu(&name);
            match (found.outcome, found.id) {
                (Outcome::Match | Outcome::Ambiguous, Some(variant)) => id = variant,
                _ => self.fail(knobs::no_gpu(&name, self.catalog)),
            }
            width = 2;
        }
        // `h20 x8`
        if self.has(self.at + width, &Sense::Times)
            && let Some(count) = self.number_at(self.at + width + 1)
        {
            if self.knob_at(self.at + width + 2).is_some_and(|knob| knob.key == "nodes") {
                self.set_typed(knobs::of("nodes"), &count.typed());
                width += 1;
            } else {
                self.set_typed(knobs::of("gpus"), &count.typed());
            }
            width += 2;
        }
        self.set(knobs::of("gpu"), Value::Text(id));
        width
    }

    // -- numbers that come first

    fn number(&mut self) -> usize {
        let Some(mut amount) = self.number_at(self.at) else { return 1 };
        let mut next = self.at + 1;
        // `two hundred`
        while let Some(Item::Senses(senses)) = self.items.get(next).map(|piece| &piece.item)
            && let [Sense::Magnitude(by)] = senses[..]
        {
            amount.value *= by;
            next += 1;
        }
        let width = next - self.at;
        if let Some(taken) = self.count_of(&amount, next) {
            return taken;
        }
        let is_memory = matches!(amount.unit.as_str(), "g" | "gb" | "gib");
        if is_memory && let Some(Item::Gpu(_)) = self.items.get(next).map(|piece| &piece.item) {
            // `a 40GB A100`
            let name = format!("{} {}{}", self.text(next), amount.value, amount.unit);
            match self.catalog.names().gpu(&name).id {
                Some(id) => self.set(knobs::of("gpu"), Value::Text(id)),
                None => self.fail(knobs::no_gpu(&name, self.catalog)),
            }
            return next + 1 - self.at;
        }
        if self.work == Verb::Infer && self.flows(&amount, next) {
            return next + 1 - self.at;
        }
        let bare = !self.items.get(next).is_some_and(|piece| matches!(piece.item, Item::Unknown));
        if matches!(amount.unit.as_str(), "b" | "bn" | "billion") && amount.value > 0.0 {
            self.speech.acts.push(Act::Resize(amount.plain()));
        } else if bare && matches!(amount.unit.as_str(), "k" | "m") && amount.digits {
            self.set_typed(knobs::of("seq"), &amount.typed());
        } else if amount.digits && !is_memory {
            self.unknown();
        }
        width
    }

    /// `4k in, 1k out`: tokens of a prompt and of its answer.
    fn flows(&mut self, amount: &Amount, next: usize) -> bool {
        let goes_out = |at: usize| self.text(at) == "out" && at > 0 && self.number_at(at - 1).is_some();
        let key = match self.text(next) {
            "in" if (next + 1..next + 5).any(goes_out) => "prompt",
            "out" if self.already(knobs::of("prompt")) => "output",
            _ => return false,
        };
        self.set_typed(knobs::of(key), &amount.typed());
        true
    }

    /// A number and what it counts: `8 gpus`, `4张4090`, `one more gpu`, `2x the batch`.
    fn count_of(&mut self, amount: &Amount, next: usize) -> Option<usize> {
        let mut at = next;
        let times = self.has(at, &Sense::Times);
        if times {
            at += 1;
        }
        let mut delta = self.delta;
        if self.has(at, &Sense::More) {
            (delta, at) = (Some(1), at + 1);
        } else if self.has(at, &Sense::Less) {
            (delta, at) = (Some(-1), at + 1);
        }
        let mut target = at;
        while target < at + 3 && self.is_light(target) {
            target += 1;
        }
        if let Some(Item::Gpu(_)) = self.items.get(target).map(|piece| &piece.item)
            && self.number_at(target).is_none_or(|_| target == at)
            && amount.unit.is_empty()
        {
            if self.knob_at(target + 1).is_some_and(|knob| knob.key == "nodes") {
                self.set_typed(knobs::of("nodes"), &amount.typed());
            } else if let Some(delta) = delta {
                self.add(knobs::of("gpus"), delta, amount);
            } else {
                self.set_typed(knobs::of("gpus"), &amount.typed());
            }
            return Some(target - self.at);
        }
        let mut knob = self.knob_at(target)?;
        if knob.key == "gpu" {
            knob = knobs::of("gpus");
        }
        if !knob.is_numeric() {
            return None;
        }
        let mut end = target;
        if knob.key == "tokens" {
            // `32k tokens of context`; and inference counts tokens by request only.
            let after = self.past_light(target + 1);
            match self.knob_at(after).filter(|knob| matches!(knob.kind, Kind::Length { .. })) {
                Some(length) if self.number_at(self.past_light(after + 1)).is_none() => (knob, end) = (length, after),
                _ if self.work == Verb::Infer => knob = knobs::of("seq"),
                _ => {}
            }
        }
        if times && (amount.unit.is_empty()) {
            self.speech.acts.push(Act::Scale(knob, amount.value));
            return Some(target + 1 - self.at);
        }
        // `8 tp 4`: a knob that has its own number after it lets go of the one before, unless that is counted too.
        if !is_counted(knob) {
            let after = self.past_light(target + 1);
            let own = self.number_at(after).is_some()
                && !self.knob_at(after + 1).is_some_and(is_counted)
                && !matches!(self.items.get(after + 1).map(|piece| &piece.item), Some(Item::Gpu(_)));
            if own || (target > at && self.text(at) != "way") {
                return None;
            }
        }
        match delta {
            Some(delta) => self.add(knob, delta, amount),
            None => self.set_typed(knob, &amount.typed()),
        }
        Some(end + 1 - self.at)
    }

    fn add(&mut self, knob: &'static Knob, delta: i64, amount: &Amount) {
        let by = amount.plain().clamp(0.0, 1e15) as i64;
        self.speech.acts.push(Act::Add(knob, delta * by));
    }

    // -- names that come first

    /// A knob's name: takes the value that stands after it. `None` where there is none to take.
    fn knob(&mut self, knob: &'static Knob) -> Option<usize> {
        match &knob.kind {
            Kind::Length { .. } | Kind::Count { .. } | Kind::Number { .. } => self.numeric_knob(knob),
            Kind::Choice(_) | Kind::Row(_) => self.word_knob(knob),
            Kind::List(known) => self.list_knob(knob, known),
            Kind::Model | Kind::Gpu | Kind::Fleet | Kind::Text => None,
        }
    }

    fn numeric_knob(&mut self, knob: &'static Knob) -> Option<usize> {
        let next = self.at + 1;
        let mut at = self.past_light(next);
        if self.has(at, &Sense::From) && self.number_at(at + 1).is_some() {
            at = self.past_light(at + 2);
        }
        let taken = |at: usize| at + 1 - self.at;
        if let Some(by) = self.is_scale(at) {
            let width = taken(at);
            self.speech.acts.push(Act::Scale(knob, by));
            return Some(width);
        }
        let over = matches!(self.text(at), "/" | "除以");
        if (over || self.has(at, &Sense::Times))
            && let Some(amount) = self.number_at(at + 1)
        {
            let width = taken(at + 1);
            self.speech.acts.push(Act::Scale(knob, if over { 1.0 / amount.value } else { amount.value }));
            return Some(width);
        }
        if self.has(at, &Sense::More) || self.has(at, &Sense::Less) {
            let by = self.number_at(self.past_light(at + 1)).is_none();
            let width = taken(at);
            if by {
                self.ask(&[knob.key]);
                return Some(width);
            }
            at = self.past_light(at + 1);
        }
        if let Some(amount) = self.number_at(at) {
            // `gpus 8`, but not the 8 of `zero 8 gpus`.
            let gpu_follows = matches!(self.items.get(at + 1).map(|piece| &piece.item), Some(Item::Gpu(_)));
            if at > next && (gpu_follows || self.knob_at(at + 1).is_some_and(is_counted)) && self.text(next) != "=" {
                return None;
            }
            // `from 4k to 8k`, `4k -> 8k`: the last one.
            let (mut last, mut amount) = (at, amount);
            while self.has(last + 1, &Sense::To)
                && let Some(later) = self.number_at(last + 2)
            {
                (last, amount) = (last + 2, later);
            }
            let by = (next..at).any(|between| matches!(self.text(between), "by" | "了"));
            match self.direction.filter(|_| by) {
                Some(direction) => self.add(knob, direction, &amount),
                None => self.set_typed(knob, &amount.typed()),
            }
            self.direction = None;
            return Some(last + 1 - self.at);
        }
        if matches!(self.text(at), "max" | "最大" | "maximum" | "拉满") && knob.read("max", self.catalog).is_ok() {
            let width = taken(at);
            self.set(knob, Value::Max);
            return Some(width);
        }
        if let Some(width) = self.switched_off(knob, next) {
            return Some(width);
        }
        // `batch size banana` says nothing else.
        let word = self.items.get(next).is_some_and(|piece| matches!(piece.item, Item::Unknown));
        if word && self.at == 0 && self.items.len() == 2 {
            let typed = self.text(next).to_owned();
            self.set_typed(knob, &typed);
            return Some(2);
        }
        None
    }

    fn word_knob(&mut self, knob: &'static Knob) -> Option<usize> {
        let next = self.at + 1;
        let at = self.past_light(next);
        for place in next..=at {
            let words = self.text(place);
            if !words.is_empty()
                && !self.has(place, &Sense::Filler)
                && let Ok(value) = knob.read(words, self.catalog)
            {
                let width = place + 1 - self.at;
                self.set(knob, value);
                return Some(width);
            }
        }
        if let Some(width) = self.switched_off(knob, at) {
            return Some(width);
        }
        if self.has(at, &Sense::On) {
            let width = at + 1 - self.at;
            return self.switch_on(knob).then_some(width);
        }
        if knob.key == "quant" {
            self.ask(&["quant"]);
            return Some(1);
        }
        self.switch_on(knob).then_some(1)
    }

    fn list_knob(&mut self, knob: &'static Knob, known: &[&str]) -> Option<usize> {
        let mut at = self.past_light(self.at + 1);
        let mut chosen = vec![];
        while at < self.items.len() {
            if known.contains(&self.text(at)) {
                chosen.push(self.text(at).to_owned());
            } else if self.text(at) != "," && !self.has(at, &Sense::And) {
                break;
            }
            at += 1;
        }
        if chosen.is_empty() {
            return None;
        }
        let width = at - self.at;
        self.set_typed(knob, &chosen.join(","));
        Some(width)
    }

    /// A switch that is named and nothing more is wanted on.
    fn switch_on(&mut self, knob: &'static Knob) -> bool {
        let switch = matches!(
            knob.key,
            "checkpointing" | "offload" | "packing" | "compile" | "ref_model" | "sp" | "eager" | "autocast"
        );
        if switch {
            self.set_typed(knob, "on");
        }
        switch
    }

    fn switched_off(&mut self, knob: &'static Knob, at: usize) -> Option<usize> {
        if !self.has(at, &Sense::Not) {
            return None;
        }
        let width = at + 1 - self.at;
        self.turn_off(knob);
        Some(width)
    }

    fn turn_off(&mut self, knob: &'static Knob) {
        match off_word(knob) {
            Some(word) => self.set_typed(knob, word),
            None => self.speech.acts.push(Act::Clear(knob)),
        }
    }

    // -- values that say their knob

    fn value(&mut self) -> Option<usize> {
        let Item::Senses(senses) = &self.items[self.at].item else { return None };
        let values: Vec<(&'static Knob, Value)> = senses
            .iter()
            .filter_map(|sense| match sense {
                Sense::Value(knob, value) => Some((*knob, value.clone())),
                _ => None,
            })
            .collect();
        if values.is_empty() {
            return None;
        }
        // `fp8 kv cache`: the name after a value claims it, if it is not one of the value's own.
        let mut after = self.at + 1;
        while after < self.at + 3 && self.has(after, &Sense::Filler) && self.knob_at(after).is_none() {
            after += 1;
        }
        if let Some(knob) = self.knob_at(after).filter(|knob| matches!(knob.kind, Kind::Choice(_) | Kind::Row(_)))
            && knob.scope.serves(self.work)
            && let Ok(value) = knob.read(&self.items[self.at].text, self.catalog)
        {
            let text = self.items[self.at].text.clone();
            self.set(knob, value);
            // `fp8 weights and kv cache`
            while self.has(after + 1, &Sense::And)
                && let Some(knob) =
                    self.knob_at(after + 2).filter(|knob| matches!(knob.kind, Kind::Choice(_) | Kind::Row(_)))
                && let Ok(value) = knob.read(&text, self.catalog)
            {
                self.set(knob, value);
                after += 2;
            }
            return Some(after + 1 - self.at);
        }
        let together =
            values.iter().all(|(knob, _)| values.iter().filter(|(other, _)| other.key == knob.key).count() == 1)
                && self.is_saying();
        let (knob, value) = self.prefer(&values);
        if let Some(width) = self.switched_off(knob, self.at + 1) {
            return Some(width);
        }
        if together {
            for (knob, value) in values {
                self.set(knob, value);
            }
        } else {
            self.set(knob, value);
        }
        Some(1)
    }

    /// Whether all the senses here are meant at once (`pure bf16`), not one of several.
    fn is_saying(&self) -> bool {
        matches!(&self.items[self.at].item, Item::Senses(senses)
            if senses.iter().any(|sense| matches!(sense, Sense::Value(knob, _) if knob.key == "master")))
    }

    /// Of the knobs a word could be for, the one this work means by it.
    fn prefer(&self, values: &[(&'static Knob, Value)]) -> (&'static Knob, Value) {
        let rank = |knob: &Knob, value: &Value| {
            let fits = knob.scope.serves(self.work);
            let weights = self.work == Verb::Infer && knob.key == "quant" && *value != Value::Text("none".to_owned());
            let compute = knob.key == "precision";
            (fits, weights, compute)
        };
        let best = values
            .iter()
            .enumerate()
            .max_by_key(|(index, (knob, value))| (rank(knob, value), std::cmp::Reverse(*index)));
        best.map(|(_, chosen)| chosen.clone()).expect("called with values")
    }

    fn bits(&mut self, bits: u64) -> usize {
        let mut after = self.at + 1;
        while after < self.at + 3 && self.has(after, &Sense::Filler) && self.knob_at(after).is_none() {
            after += 1;
        }
        if let Some(knob) = self.knob_at(after).filter(|knob| knob.key == "kv") {
            self.set_typed(knob, if bits == 4 { "int4" } else { "fp8" });
            return after + 1 - self.at;
        }
        let quant = knobs::of("quant");
        if self.already(quant) || self.named_later(quant, self.at + 1) {
            // `4-bit gptq`: the format says it.
            return 1;
        }
        match (self.work, bits) {
            (Verb::Train, 4) => self.set_typed(knobs::of("method"), "qlora"),
            (Verb::Train, _) => {
                self.set_typed(knobs::of("method"), "qlora");
                self.set_typed(knobs::of("quant"), "int8");
            }
            (_, 4) => self.set_typed(knobs::of("quant"), "int4"),
            (_, _) => self.set_typed(knobs::of("quant"), "int8"),
        }
        1
    }

    // -- negation and wishes

    /// `without X`, `不用X`: off, unless X is only what another value is set against (`lora, not qlora`).
    fn negation(&mut self) -> usize {
        let mut at = self.at + 1;
        while at < self.at + 4
            && (self.is_light(at) || self.has(at, &Sense::On) || self.has(at, &Sense::More))
            && self.knob_at(at).is_none()
        {
            at += 1;
        }
        let width = at + 1 - self.at;
        if self.number_at(at).is_some() && self.knob_at(self.past_light(at + 1)).is_some_and(is_counted) {
            // `remove two gpus`
            self.delta = Some(-1);
            return at - self.at;
        }
        if let Some(knob) = self.knob_at(at) {
            let numbered = self.number_at(self.past_light(at + 1)).is_some();
            let numeric = knob.is_numeric();
            if numeric && numbered || matches!(knob.kind, Kind::Model) {
                return 1;
            }
            if numeric && off_word(knob).is_none() && knob.scope != knobs::Scope::Both {
                return width;
            }
            self.turn_off(knob);
            return width;
        }
        let Some(Item::Senses(senses)) = self.items.get(at).map(|piece| &piece.item) else { return 1 };
        let values: Vec<(&'static Knob, Value)> = senses
            .iter()
            .filter_map(|sense| match sense {
                Sense::Value(knob, value) => Some((*knob, value.clone())),
                _ => None,
            })
            .collect();
        if values.is_empty() {
            return 1;
        }
        let (knob, _) = self.prefer(&values);
        if !self.already(knob) && !self.named_later(knob, at + 1) {
            self.turn_off(knob);
        }
        width
    }

    /// Whether a later word gives this knob a value.
    fn named_later(&self, knob: &Knob, from: usize) -> bool {
        self.items[from.min(self.items.len())..].iter().any(|piece| match &piece.item {
            Item::Senses(senses) => {
                senses.iter().any(|sense| matches!(sense, Sense::Value(other, _) if other.key == knob.key))
            }
            _ => false,
        })
    }

    /// `instead of X`: X is given up, whatever it was.
    fn dropping(&mut self) -> usize {
        let at = self.past_light(self.at + 1);
        let taken = match self.items.get(at).map(|piece| &piece.item) {
            Some(Item::Senses(senses)) => senses.iter().any(|sense| matches!(sense, Sense::Value(..) | Sense::Bits(_))),
            Some(Item::Gpu(_) | Item::Model(_) | Item::Number(_)) => true,
            _ => false,
        };
        if taken { at + 1 - self.at } else { 1 }
    }

    /// `double the batch`.
    fn scale(&mut self, by: f64) -> usize {
        let at = self.past_light(self.at + 1);
        match self.knob_at(at) {
            Some(knob) => {
                let knob = if knob.key == "gpu" { knobs::of("gpus") } else { knob };
                let width = at + 1 - self.at;
                self.speech.acts.push(Act::Scale(knob, by));
                width
            }
            None => {
                self.ask(&["batch", "seq", "gpus"]);
                1
            }
        }
    }

    /// `bigger batch`, `make it smaller`.
    fn towards(&mut self, direction: i64) -> usize {
        self.direction = Some(direction);
        let at = self.past_light(self.at + 1);
        if let Some(knob) = self.knob_at(at) {
            let next = self.past_light(at + 1);
            if self.number_at(next).is_some() || self.is_scale(next).is_some() || self.has(next, &Sense::Times) {
                return at - self.at;
            }
            let width = at + 1 - self.at;
            self.ask(&[knob.key]);
            return width;
        }
        if matches!(self.items.get(at).map(|piece| &piece.item), Some(Item::Number(_) | Item::Gpu(_) | Item::Model(_)))
        {
            return 1;
        }
        match self.text(self.at) {
            word if word.contains('长') || word.contains("long") || word.contains("short") || word.contains('短') => {
                self.ask(&["seq"]);
            }
            _ if direction > 0 => self.ask(&["batch", "seq", "gpus"]),
            _ => self.ask(&["batch", "seq", "model"]),
        }
        1
    }

    /// `add some gpus` without saying how many.
    fn wish_for_count(&mut self) -> usize {
        let at = self.past_light(self.at + 1);
        match self.knob_at(at).filter(|knob| knob.is_numeric() && self.number_at(self.past_light(at + 1)).is_none()) {
            Some(knob) => {
                self.ask(&[knob.key]);
                at + 1 - self.at
            }
            None => 1,
        }
    }

    /// `another gpu` is one more; `another model` is a wish.
    fn other(&mut self) -> usize {
        let at = self.past_light(self.at + 1);
        let Some(knob) = self.knob_at(at) else { return 1 };
        let width = at + 1 - self.at;
        if self.text(self.at) == "another" && matches!(knob.key, "gpu" | "gpus" | "nodes") {
            let knob = if knob.key == "gpu" { knobs::of("gpus") } else { knob };
            self.speech.acts.push(Act::Add(knob, 1));
        } else {
            self.ask(&[if knob.key == "gpus" { "gpu" } else { knob.key }]);
        }
        width
    }

    /// `2 nodes of 8 h100`, `两机八卡`: the count is a node's, so all nodes have the product.
    fn settle_nodes(&mut self) {
        let place = |listener: &Self, key: &str| {
            listener.speech.acts.iter().position(|act| matches!(act, Act::Set(knob, _) if knob.key == key))
        };
        let (Some(nodes), Some(gpus)) = (place(self, "nodes"), place(self, "gpus")) else { return };
        let count = |act: &Act| match act {
            Act::Set(_, Value::Count(count)) => Some(*count),
            _ => None,
        };
        let (Some(nodes), Some(each)) = (count(&self.speech.acts[nodes]), count(&self.speech.acts[gpus])) else {
            return;
        };
        if nodes > 1 && self.per_node(each) {
            self.speech.acts[gpus] = Act::Set(knobs::of("gpus"), Value::Count(nodes.saturating_mul(each)));
        }
    }

    fn per_node(&self, each: u64) -> bool {
        let explicit = |key: &str| {
            self.items.iter().any(|piece| matches!(&piece.item, Item::Explicit(knob, _) if knob.key == key))
        };
        if explicit("gpus") {
            return false;
        }
        let said = (0..self.items.len()).any(|at| self.has(at, &Sense::Each) && self.text(at) != "per");
        let joined = (0..self.items.len()).any(|at| {
            self.knob_at(at).is_some_and(|knob| knob.key == "nodes")
                && (matches!(self.text(at + 1), "of" | "with" | "x" | "*" | "each")
                    || self.text(at).chars().all(super::words::is_han) && self.number_at(at + 1).is_some())
        });
        said || joined && each <= 16
    }
}

fn no_knob(name: &str) -> Problem {
    let near = knobs::nearest(name, knobs::KNOBS.iter().map(|knob| knob.key));
    Problem::new(msg!("problem-unknown-knob", typed = name)).suggest(near.map(|key| knobs::of(key).example.to_owned()))
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

/// The value that means a knob is not wanted.
fn off_word(knob: &Knob) -> Option<&'static str> {
    match knob.key {
        "zero" => Some("0"),
        "offload" | "quant" => Some("none"),
        "attn" => Some("eager"),
        "method" | "loss" => Some("full"),
        "kv" => Some("auto"),
        _ => match knob.kind {
            Kind::Choice(choices) => choices.iter().map(|(name, _)| *name).find(|name| *name == "off"),
            _ => None,
        },
    }
}
