//! Names of models and accelerators that no phrase holds: where they begin and how far they go.

use super::item::{Item, Piece};
use crate::catalog::Catalog;
use crate::catalog::names::{Outcome, Resolution};
use crate::request::lexicon::{Lexicon, Sense};
use crate::request::words::{Class, Gap, Word, is_han};

/// `org/name`: a repository, taken whole.
pub(super) fn repository(plain: &str, rest: &[Word], catalog: &'static Catalog) -> Option<(usize, Item)> {
    let word = rest[0];
    let chunk = chunk(plain, word.at);
    let (owner, name) = chunk.split_once('/')?;
    if word.gap != Gap::Space || owner.len() < 2 || name.len() < 2 {
        return None;
    }
    let found = match catalog.listing(chunk) {
        Some(model) => Resolution {
            outcome: Outcome::Match,
            id: Some(model.id.to_owned()),
            quant: None,
            candidates: vec![],
            reason: None,
            read_as: None,
        },
        None => catalog.names().model(chunk),
    };
    let width = rest.iter().take_while(|word| word.at < rest[0].at + chunk.len()).count();
    // One that nobody knows is not a model of another size; `in/out`, `fp8/int8` are none.
    let of_owner = |id: &String| id.split('/').next().is_some_and(|known| known.eq_ignore_ascii_case(owner));
    let named =
        || !Lexicon::of(catalog).claims(rest) && name.contains(['-', '_']) && name.contains(char::is_alphabetic);
    let is_model = found.outcome != Outcome::Unknown || found.candidates.iter().any(of_owner) || named();
    is_model.then_some((width, Item::Model(found)))
}

/// From here to the next space, stop or Chinese character.
fn chunk(plain: &str, at: usize) -> &str {
    let rest = &plain[at..];
    let end = rest.find(|c: char| c == ' ' || matches!(c, ',' | ';' | '?' | '!' | '(' | ')') || is_han(c));
    rest[..end.unwrap_or(rest.len())].trim_end_matches(['.', ':'])
}

/// The longest name of a model that begins here.
pub(super) fn model(plain: &str, rest: &[Word], lexicon: &Lexicon, catalog: &Catalog) -> Option<(usize, Resolution)> {
    let first = rest[0];
    // `o1`
    let lettered =
        first.text.len() == 1 && rest.get(1).is_some_and(|next| next.class == Class::Digits && next.gap == Gap::None);
    let begins = matches!(first.class, Class::Latin | Class::Han) && first.gap != Gap::Hyphen;
    if !begins || first.text.len() < 2 && !lettered {
        return None;
    }
    let alone = rest.get(1).is_none_or(|next| next.gap == Gap::Space);
    if first.class == Class::Latin && alone && !catalog.names().may_begin(first.text) {
        return None;
    }
    let name = |width: usize| {
        let ends = |next: &Word| next.gap == Gap::Space || matches!(next.class, Class::Han | Class::Mark);
        if !rest.get(width).is_none_or(ends) {
            return None;
        }
        let found = catalog.names().model(&plain[first.at..rest[width - 1].end()]);
        if found.read_as.is_some() && first.class == Class::Latin && !resembles(first.text, found.id.as_deref()?) {
            return None;
        }
        (is_closed(&found) || matches!(found.outcome, Outcome::Match | Outcome::Ambiguous)).then_some((width, found))
    };
    let (width, found) = (1..=widest(plain, rest, lexicon, catalog)).rev().find_map(name)?;
    if first.class == Class::Han && found.read_as.is_some() && width > 1 {
        // `适合跑 glm-4`: it begins later.
        let later = catalog.names().model(&plain[rest[1].at..rest[width - 1].end()]);
        if later.id == found.id {
            return None;
        }
    }
    if found.outcome == Outcome::Unknown {
        // A closed model: as little of the text as names it, and which of its line.
        let closed = |width: usize| name(width).filter(|(_, found)| is_closed(found));
        let (mut width, mut found) = (1..=width).find_map(closed)?;
        while rest.get(width).is_some_and(|word| catalog.names().is_line(word.text))
            && let Some((wider, longer)) = name(width + 1)
        {
            (width, found) = (wider, longer);
        }
        return Some((width, found));
    }
    // Small words after the name are not part of it, nor are others where it is exact without them.
    let told = |width: usize| catalog.names().goes_on(&plain[first.at..rest[width - 1].end()], rest[width].text);
    let is_small = |width: &usize| lexicon.longest(&rest[*width..]).is_some() && !told(*width);
    let trimmed = (1..width).rev().take_while(is_small).filter_map(name).last();
    let exact = || (1..width).rev().filter_map(name).find(|(_, shorter)| shorter.read_as.is_none());
    let shorter = trimmed.or_else(|| found.read_as.as_ref().and_then(|_| exact()));
    Some(shorter.filter(|(_, shorter)| shorter.id == found.id).unwrap_or((width, found)))
}

fn is_closed(found: &Resolution) -> bool {
    found.reason.as_ref().is_some_and(|reason| reason.key == "name-closed")
}

/// How many words a name that begins here could take: up to a phrase of its own, a second size, or a count.
fn widest(plain: &str, rest: &[Word], lexicon: &Lexicon, catalog: &Catalog) -> usize {
    const LONGEST: usize = 14;
    let mut sized = false;
    // `mistral nemo`, although NeMo is a framework; not `r1 zero3`.
    let goes_on = |width: usize| {
        let alone = lexicon.longest(&rest[width..]).is_some_and(|(taken, _)| taken == 1);
        let numbered = rest.get(width + 1).is_some_and(|next| next.class == Class::Digits);
        let name = &plain[rest[0].at..rest[width - 1].end()];
        alone && !numbered && catalog.names().goes_on(name, rest[width].text)
    };
    for (width, word) in rest.iter().enumerate().take(LONGEST).skip(1) {
        let glued = word.gap != Gap::Space;
        let after = &rest[width + 1..];
        let joins = match word.class {
            Class::Mark => glued && matches!(word.text, ":" | "/" | "+"),
            Class::Han => glued && rest[width - 1].class == Class::Han && width < 4,
            Class::Digits => {
                let size = after.first().is_some_and(|unit| unit.gap == Gap::None && matches!(unit.text, "b" | "m"));
                let joins = glued || (!sized && (size || !counts(after, lexicon)));
                sized |= size;
                joins
            }
            Class::Latin if glued => true,
            Class::Latin if lexicon.claims(&rest[width..]) => goes_on(width),
            Class::Latin => catalog.names().may_begin(word.text),
        };
        if !joins {
            return width;
        }
    }
    rest.len().min(LONGEST)
}

/// Whether a misspelt name is one of this model: its first word must be near one of the id's.
fn resembles(first: &str, id: &str) -> bool {
    let id = id.to_lowercase();
    let mut words = id.split(|c: char| !c.is_alphabetic()).filter(|word| word.len() > 1);
    words.any(|word| strsim::jaro_winkler(first, word) > 0.75)
}

/// Whether these words are what a number before them counts (`8 gpus`, `8xh100`).
fn counts(words: &[Word], lexicon: &Lexicon) -> bool {
    if words.first().is_some_and(|word| word.text == "x") {
        // `8x22b` is a size.
        return !words.get(2).is_some_and(|unit| unit.text == "b" && unit.gap == Gap::None);
    }
    lexicon.longest(words).is_some_and(|(_, senses)| {
        senses.iter().any(|sense| matches!(sense, Sense::Gpu(_) | Sense::Knob(_) | Sense::More | Sense::Less))
    })
}

/// Another card that the words after a card's name make of it: `4060 ti`, `A100 80G PCIe`.
pub(super) fn variant(
    plain: &str,
    rest: &[Word],
    width: usize,
    listed: &str,
    catalog: &Catalog,
) -> Option<(usize, String)> {
    const MOST: usize = 4;
    let tells = |word: &&Word| matches!(word.class, Class::Latin | Class::Digits);
    let most = rest[width..].iter().take(MOST).take_while(tells).count();
    (width + 1..=width + most).rev().find_map(|wider| {
        // A number apart may count what follows it.
        let last = rest[wider - 1];
        let sized = listed.starts_with("apple-");
        if last.class == Class::Digits && last.gap != Gap::None && !sized
            || rest.get(wider).is_some_and(|next| next.gap == Gap::None && tells(&next))
        {
            return None;
        }
        let found = catalog.names().gpu(&plain[rest[0].at..last.end()]);
        let id = found
            .id
            .filter(|id| found.outcome == Outcome::Match && found.read_as.is_none() && (sized || id != listed))?;
        Some((wider, id))
    })
}

/// `3070 super ti`: a card that is not made, by the words after one that is.
pub(super) fn no_variant(
    plain: &str,
    rest: &[Word],
    width: usize,
    listed: &str,
    catalog: &Catalog,
) -> Option<(usize, Resolution)> {
    let suffixes = rest[width..].iter().take_while(|word| is_suffix(word)).count();
    let geforce = listed.starts_with("rtx-") || listed.starts_with("gtx-");
    let name = &plain[rest[0].at..rest[width + suffixes - 1].end()];
    (suffixes > 0 && geforce).then(|| (width + suffixes, catalog.names().gpu(name)))
}

fn is_suffix(word: &Word) -> bool {
    matches!(word.text, "ti" | "super")
}

/// A card by a name the lexicon does not hold, where a card would stand: `on a 9090 ti`, `8 x h900`.
pub(super) fn unlisted_gpu(
    plain: &str,
    rest: &[Word],
    before: Option<&Piece>,
    catalog: &Catalog,
) -> Option<(usize, Item)> {
    let brand = matches!(rest[0].text, "rtx" | "gtx");
    let after_count = before.is_some_and(|piece| matches!(piece.item, Item::Number(_)) || piece.text == "x");
    let after_on =
        before.is_some_and(|piece| matches!(piece.text.as_str(), "on a" | "on an" | "on" | "a" | "an" | "换成" | "用"));
    let suffix = |index: usize| rest.get(index).is_some_and(is_suffix);
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
    Some((width, if found.outcome == Outcome::Match { Item::Gpu(found.id?) } else { Item::NoGpu(found) }))
}
