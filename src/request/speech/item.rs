//! Words to items: each phrase, number, name or `key=value` of a text, with what it may mean by itself.

use super::name::{model, no_variant, repository, unlisted_gpu, variant};
use super::number::{Amount, number};
use super::pair::pairs;
use crate::catalog::Catalog;
use crate::catalog::names::{Outcome, Resolution};
use crate::request::knobs::Knob;
use crate::request::lexicon::{Lexicon, Sense};
use crate::request::settings::Verb;
use crate::request::words::{Class, Gap, Word};

#[derive(Debug)]
pub(super) enum Item {
    /// The verb a line begins with.
    Verb(Verb),
    Senses(Vec<&'static Sense>),
    Number(Amount),
    Gpu(String),
    /// What stands where a card would and is none.
    NoGpu(Resolution),
    Explicit(&'static Knob, String),
    /// `key=value` of no knob.
    NoKnob(String, String),
    Model(Resolution),
    Stop,
    Unknown,
}

pub(super) struct Piece {
    pub item: Item,
    /// As it stands in the text.
    pub text: String,
    /// What stands before it.
    pub gap: Gap,
    /// Where it stands in the plain text.
    pub at: usize,
}

impl Piece {
    pub fn end(&self) -> usize {
        self.at + self.text.len()
    }
    pub fn says(&self, wanted: &Sense) -> bool {
        matches!(&self.item, Item::Senses(senses) if senses.contains(&wanted))
    }
    /// The knob that is named here.
    pub fn knob(&self) -> Option<&'static Knob> {
        match &self.item {
            Item::Senses(senses) => senses.iter().find_map(|sense| match sense {
                Sense::Knob(knob) => Some(*knob),
                _ => None,
            }),
            _ => None,
        }
    }
}

/// Every item of a text, in order.
pub(super) fn items(plain: &str, words: &[Word], catalog: &'static Catalog) -> Vec<Piece> {
    let pairs = pairs(plain);
    let mut items: Vec<Piece> = vec![];
    let mut at = 0;
    while let Some(word) = words.get(at) {
        let until = pairs.iter().map(|pair| pair.start).find(|start| *start > word.at).unwrap_or(plain.len());
        let rest = &words[at..];
        let rest = &rest[..rest.partition_point(|word| word.at < until)];
        let pair = pairs.iter().find(|pair| (pair.start..pair.end).contains(&word.at));
        let (width, item) = match pair {
            Some(pair) => {
                let (item, end) = pair.item(plain, rest, catalog);
                (rest.partition_point(|word| word.at < end), item)
            }
            None => item(plain, rest, catalog, items.last()),
        };
        let text = plain[word.at..words[at + width - 1].end()].to_owned();
        if let (Item::Senses(senses), Some(Piece { item: Item::Number(amount), text: number, at: from, .. })) =
            (&item, items.last_mut())
            && let [Sense::Magnitude(by)] = senses[..]
        {
            // `two hundred`
            amount.value *= by;
            *number = plain[*from..words[at + width - 1].end()].to_owned();
            at += width;
            continue;
        }
        items.push(Piece { item, text, gap: word.gap, at: word.at });
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
            phrase(plain, rest, width, senses, catalog)
        }
        (_, Some((width, amount))) => (width, Item::Number(amount)),
        (Some((width, senses)), None) => match model(plain, rest, lexicon, catalog) {
            // A name glued to this word wins over the word (`step-3`), but not over a knob with its value (`ds3`); so does
            // one where a line's model stands (`infer step 3`).
            Some((longer, found))
                if longer > width
                    && (rest[width].gap != Gap::Space
                        || before.is_some_and(|piece| matches!(piece.item, Item::Verb(_))))
                    && !senses.iter().any(|sense| matches!(sense, Sense::Knob(_)))
                    && found.outcome == Outcome::Match
                    && found.read_as.is_none() =>
            {
                (longer, Item::Model(found))
            }
            _ => phrase(plain, rest, width, senses, catalog),
        },
        (None, None) => match model(plain, rest, lexicon, catalog) {
            Some((width, found)) => (width, Item::Model(found)),
            None => (1, Item::Unknown),
        },
    }
}

/// The item of a phrase; a card's plural `s` goes with it.
fn phrase(
    plain: &str,
    rest: &[Word],
    width: usize,
    senses: Vec<&'static Sense>,
    catalog: &'static Catalog,
) -> (usize, Item) {
    let gpu = senses.iter().find_map(|sense| match sense {
        Sense::Gpu(id) => Some(*id),
        _ => None,
    });
    match (gpu, &senses[..]) {
        (Some(id), _) => {
            let plural = rest.get(width).is_some_and(|word| word.gap == Gap::None && word.text == "s");
            let listed = (width + usize::from(plural), id.to_owned());
            let wider = variant(plain, rest, width, id, catalog);
            if wider.is_none()
                && let Some((width, found)) = no_variant(plain, rest, width, id, catalog)
            {
                return (width, Item::NoGpu(found));
            }
            let (width, id) = wider.unwrap_or(listed);
            (width, Item::Gpu(id))
        }
        (None, [Sense::Number(value)]) => {
            (width, Item::Number(Amount { value: *value, unit: String::new(), digits: false }))
        }
        (None, _) => (width, Item::Senses(senses)),
    }
}
