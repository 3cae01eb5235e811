//! `key=value` as typed: where each stands and what it sets.

use super::item::Item;
use super::name::model;
use crate::catalog::Catalog;
use crate::request::knobs::{self, Kind, Knob};
use crate::request::lexicon::{Lexicon, Sense};
use crate::request::words::{Word, is_han};

/// One `key=value`, by where it begins and ends in the text.
pub(super) struct Pair<'a> {
    pub start: usize,
    pub end: usize,
    key: &'a str,
    value: &'a str,
    /// Stands in quotes, so that it ends where they do.
    quoted: bool,
}

/// Every pair of a text, in order. A URL's are none.
pub(super) fn pairs(plain: &str) -> Vec<Pair<'_>> {
    let mut pairs = vec![];
    let mut start = 0;
    for chunk in plain.split(' ') {
        let mut at = start;
        start += chunk.len() + 1;
        if chunk.contains("://") || pairs.last().is_some_and(|pair: &Pair| pair.end > at) {
            continue;
        }
        if let Some(pair) = quoted(plain, at) {
            pairs.push(pair);
            continue;
        }
        for part in parts(chunk) {
            pairs.extend(pair(part, at));
            at += part.len() + 1;
        }
    }
    pairs
}

/// `a=1,b=2` is two pairs, `gpu=a,b` is one.
fn parts(chunk: &str) -> Vec<&str> {
    let mut parts = vec![];
    let mut from = 0;
    for (comma, _) in chunk.match_indices([',', ';']) {
        let next = chunk[comma + 1..].split([',', ';']).next().unwrap_or_default();
        if next.contains('=') {
            parts.push(&chunk[from..comma]);
            from = comma + 1;
        }
    }
    parts.push(&chunk[from..]);
    parts
}

/// The pair of one part that begins at `at`, without the words that Chinese writes to either side of it.
fn pair(part: &str, at: usize) -> Option<Pair<'_>> {
    let (key, value) = part.split_once('=')?;
    let mut key = key.trim_start_matches(['-', '(', ',']).trim_end_matches(['<', '≤']);
    if let Some((han, c)) = key.char_indices().rfind(|(_, c)| is_han(*c))
        && knobs::find(key).is_none()
    {
        key = &key[han + c.len_utf8()..];
    }
    let value = value.trim_end_matches([',', ';', '.', '?', '!', ')']);
    let value = match value.find(is_han) {
        Some(han) if han > 0 => value[..han].trim_end_matches([',', ';']),
        _ => value,
    };
    let is_word = key.chars().next().is_some_and(char::is_alphabetic);
    if !is_word || value.is_empty() || value.starts_with(['=', '>', '<']) {
        return None;
    }
    let start = at + part.find('=')? - key.len();
    Some(Pair { start, end: start + key.len() + 1 + value.len(), key, value, quoted: false })
}

/// `key='a b'`: the first of these chunks' pairs, where its value is in quotes.
fn quoted(plain: &str, at: usize) -> Option<Pair<'_>> {
    let (key, rest) = plain[at..].split_once("='").filter(|(key, _)| !key.contains(' '))?;
    let (value, _) = rest.split_once('\'').filter(|(value, _)| !value.is_empty())?;
    Some(Pair { start: at, end: at + key.len() + value.len() + 3, key, value, quoted: true })
}

impl Pair<'_> {
    /// What the pair sets, and where it ends; `words` are the text's up to the next pair.
    pub fn item(&self, plain: &str, words: &[Word], catalog: &'static Catalog) -> (Item, usize) {
        let Some(knob) = knobs::find(self.key) else {
            // `lr=1e-4` changes nothing that is estimated.
            let item = if Lexicon::of(catalog).is_filler(words) {
                Item::Stop
            } else {
                Item::NoKnob(self.key.to_owned(), self.value.to_owned())
            };
            return (item, self.end);
        };
        if self.quoted {
            return (Item::Explicit(knob, self.value.trim().to_owned()), self.end);
        }
        let value_at = self.end - self.value.len();
        let value = &words[words.iter().take_while(|word| word.at < value_at).count()..];
        let end = self.end.max(self.name_end(knob, plain, value, catalog).unwrap_or(0));
        (Item::Explicit(knob, plain[value_at..end].to_owned()), end)
    }

    /// Where a name that goes on over spaces ends: `model=llama 3 8b`, `gpu=rtx 4090`.
    fn name_end(&self, knob: &Knob, plain: &str, value: &[Word], catalog: &'static Catalog) -> Option<usize> {
        let lexicon = || Lexicon::of(catalog);
        let width = match knob.kind {
            Kind::Model(words)
                if !words.contains(&self.value) && catalog.listing(self.value).is_none() && !value.is_empty() =>
            {
                model(plain, value, lexicon(), catalog)?.0
            }
            Kind::Gpu if catalog.gpu(self.value).is_none() => {
                let (width, senses) = lexicon().longest(value)?;
                senses.iter().any(|sense| matches!(sense, Sense::Gpu(_))).then_some(width)?
            }
            _ => return None,
        };
        Some(value[width - 1].end())
    }
}
