//! `zero 1, 2 or 3`, `4卡还是8卡`: what is said in one place, one way or another.

use super::item::{Item, Piece, items};
use super::value::values_of;
use crate::catalog::Catalog;
use crate::request::lexicon::Sense;
use crate::request::settings::Verb;
use crate::request::words::{plain, words};

/// As many as are compared side by side.
const MOST: usize = 4;
/// The longest that one of them is: `8 x h100`.
const LONGEST: usize = 3;

/// The text with each of its alternatives in the place of all.
pub fn alternatives(text: &str, catalog: &'static Catalog) -> Option<Vec<String>> {
    let plain = plain(text);
    let items = items(&plain, &words(&plain), catalog);
    // `compare lora and qlora`: all that stands beside each other.
    let compares = items.first().is_some_and(|piece| piece.says(&Sense::Verb(Verb::Compare)));
    let is_or = |piece: &Piece| is_or(piece) || compares && piece.says(&Sense::And);
    let is_between = |piece: &Piece| is_or(piece) || matches!(piece.text.as_str(), "," | "、" | "/");
    let or = items.iter().position(is_or)?;
    let second = or + 1 + items[or + 1..].iter().take_while(|piece| is_article(piece)).count();
    let width = (1..=LONGEST).rev().find(|width| {
        let (Some(from), Some(other)) = (or.checked_sub(*width), items.get(second..second + width)) else {
            return false;
        };
        let one = &items[from..or];
        // `two 3060s or a 3090`: an article counts.
        let counted = second > or + 1 && from > 0 && matches!(items[from - 1].item, Item::Number(_));
        alike(one, other, catalog) && !counted
    })?;
    let mut places = vec![or - width, second];
    // `1, 2 or 3`, `1 or 2 or 3`: more of them to either side.
    while let Some(from) = places[0].checked_sub(width + 1)
        && is_between(&items[from + width])
        && alike(&items[from..from + width], &items[second..second + width], catalog)
    {
        places.insert(0, from);
    }
    let mut end = second + width;
    while let Some(next) = items.get(end + 1..end + 1 + width)
        && is_between(&items[end])
        && alike(next, &items[second..second + width], catalog)
    {
        places.push(end + 1);
        end += 1 + width;
    }
    let spot = items[places[0]].at..items[end - 1].end();
    let said = places.iter().map(|place| items[*place].at..items[place + width - 1].end());
    let from = if compares { items[0].end() } else { 0 };
    let texts = said.map(|said| format!("{}{}{}", &plain[from..spot.start], &plain[said], &plain[spot.end..]));
    (places.len() <= MOST).then(|| texts.collect())
}

fn is_or(piece: &Piece) -> bool {
    matches!(piece.text.as_str(), "or" | "vs" | "versus" | "还是" | "或" | "或者")
}

fn is_article(piece: &Piece) -> bool {
    matches!(piece.text.as_str(), "a" | "an" | "the" | "用" | "with" | "on" | "on a")
}

/// Whether these say the same things with other values.
fn alike(one: &[Piece], other: &[Piece], catalog: &Catalog) -> bool {
    let same = |(one, other): (&Piece, &Piece)| match (&one.item, &other.item) {
        (Item::Number(_), Item::Number(_)) | (Item::Gpu(_), Item::Gpu(_)) | (Item::Model(_), Item::Model(_)) => true,
        (Item::Explicit(knob, _), Item::Explicit(other, _)) => knob == other,
        (Item::Senses(senses), Item::Senses(others)) => {
            let of = |senses: &[&Sense]| values_of(senses).into_iter().map(|(knob, _)| knob).collect::<Vec<_>>();
            one.text == other.text || of(senses).iter().any(|knob| of(others).contains(knob))
        }
        // `qlora or full`
        (Item::Senses(senses), Item::Unknown) => {
            values_of(senses).iter().any(|(knob, _)| knob.read(&other.text, catalog).is_ok())
        }
        _ => false,
    };
    one.iter().zip(other).all(same) && one.iter().map(|piece| &piece.text).ne(other.iter().map(|piece| &piece.text))
}
