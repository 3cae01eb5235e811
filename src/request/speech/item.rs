//! Words to items: each phrase, number, name or `key=value` of a text, with what it may mean by itself.

use crate::catalog::Catalog;
use crate::catalog::names::{Outcome, Resolution};
use crate::request::knobs::{self, Kind, Knob, leading_number, magnitude};
use crate::request::lexicon::{Lexicon, Sense};
use crate::request::settings::Verb;
use crate::request::words::{Class, Gap, Word, is_han};

#[derive(Debug)]
pub(super) enum Item {
    /// The verb a line begins with.
    Verb(Verb),
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
pub(super) struct Amount {
    pub value: f64,
    /// `k`, `b`, `gb`, `ms`, `%`, `万`.
    pub unit: String,
    /// In digits; number words alone never make sense of talk.
    pub digits: bool,
}

impl Amount {
    pub fn typed(&self) -> String {
        format!("{}{}", self.value, self.unit)
    }
    pub fn plain(&self) -> f64 {
        self.value * magnitude(&self.unit, false).unwrap_or(1.0)
    }
}

pub(super) struct Piece {
    pub item: Item,
    /// As it stands in the text.
    pub text: String,
}

pub(super) fn items(plain: &str, words: &[Word], catalog: &'static Catalog) -> Vec<Piece> {
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
        let (width, item) = item(plain, rest, catalog, items.last());
        let text = plain[word.at..words[at + width - 1].end()].to_owned();
        items.push(Piece { item, text });
        at += width;
    }
    items
}

fn item(plain: &str, rest: &[Word], catalog: &'static Catalog, before: Option<&Piece>) -> (usize, Item) {
    let word = rest[0];
    // What a canonical line holds needs no lexicon.
    let verb = [Verb::Train, Verb::Infer].into_iter().find(|verb| before.is_none() && verb.word() == word.text);
    if let Some(verb) = verb {
        return (1, Item::Verb(verb));
    }
    if let Some(found) = repository(plain, rest, catalog) {
        return found;
    }
    if word.is_stop() {
        return (1, Item::Stop);
    }
    let lexicon = Lexicon::of(catalog);
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
            let value = match value.find(is_han) {
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
    let found = match knobs::listed_model(chunk, catalog) {
        Some(model) => Resolution {
            outcome: Outcome::Match,
            id: Some(model.id.clone()),
            quant: None,
            candidates: vec![],
            reason: None,
            read_as: None,
        },
        None => catalog.names().model(chunk),
    };
    let width = rest.iter().take_while(|word| word.at < rest[0].at + chunk.len()).count();
    (found.outcome != Outcome::Unknown).then_some((width, Item::Model(found)))
}

/// From here to the next space, stop or Chinese character.
fn chunk(plain: &str, at: usize) -> &str {
    let rest = &plain[at..];
    let end = rest.find(|c: char| c == ' ' || matches!(c, ',' | ';' | '?' | '!' | '(' | ')') || is_han(c));
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
    if found.outcome == Outcome::Unknown {
        // A closed model: as little of the text as names it.
        return (1..=width).find_map(name);
    }
    // Small words after the name are not part of it, nor are others where it is exact without them.
    let is_small = |width: &usize| lexicon.is_filler(&rest[*width..*width + 1]);
    let trimmed = (1..width).rev().take_while(is_small).filter_map(name).last();
    let exact = || (1..width).rev().filter_map(name).find(|(_, shorter)| shorter.read_as.is_none());
    let shorter = trimmed.or_else(|| found.read_as.as_ref().and_then(|_| exact()));
    Some(shorter.filter(|(_, shorter)| shorter.id == found.id).unwrap_or((width, found)))
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
            if digits(0).is_some() && before.is_some_and(|piece| matches!(piece.text.as_str(), "张" | "块")) =>
        {
            1
        }
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
