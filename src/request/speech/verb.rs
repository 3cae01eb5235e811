//! The verb of a text: said, or guessed from what is named.

use super::item::{Item, Piece};
use crate::request::knobs::Scope;
use crate::request::lexicon::Sense;
use crate::request::settings::Verb;

/// The verb of a line, and which work it speaks of.
pub(super) fn verbs(items: &[Piece]) -> (Option<Verb>, Option<Verb>) {
    let mut said = vec![];
    for piece in items {
        match &piece.item {
            Item::Verb(verb) => said.push(*verb),
            Item::Senses(senses) => said.extend(senses.iter().filter_map(|sense| match sense {
                Sense::Verb(verb) => Some(*verb),
                _ => None,
            })),
            _ => {}
        }
    }
    let has = |is: fn(&Item) -> bool| items.iter().any(|piece| is(&piece.item));
    let has_model = has(|item| matches!(item, Item::Model(_)));
    let has_gpu = has(|item| matches!(item, Item::Gpu(_)));
    let is_work = |verb: &Verb| matches!(verb, Verb::Train | Verb::Infer);
    // `a gpu for qwen 72b`, `does it fit`, `help me serve llama`: what is named says what is asked.
    let stands = |verb: &Verb| match verb {
        Verb::Gpu | Verb::Fit => !has_model,
        Verb::Help => !has_model && !has_gpu,
        Verb::Train | Verb::Infer | Verb::Model | Verb::Compare | Verb::Explain | Verb::Recipe => true,
    };
    let looks_up = |verb: &Verb| match verb {
        Verb::Gpu => has_gpu,
        Verb::Model => has_model && !has_gpu,
        _ => false,
    };
    let said: Vec<Verb> = said.into_iter().filter(stands).collect();
    // As it is written; in free words it is one of them.
    let canonical = items.iter().skip(1).all(|piece| matches!(piece.item, Item::Model(_) | Item::Explicit(..)));
    let first = items.first().and_then(|piece| Verb::of(&piece.text)).filter(|verb| canonical || stands(verb));
    let work = said.iter().copied().find(is_work);
    let whole = said.iter().copied().find(|verb| !is_work(verb) && !matches!(verb, Verb::Gpu | Verb::Model));
    let beside = side_by_side(items).then_some(Verb::Compare);
    let look_up = said.iter().copied().find(looks_up);
    (first.or(whole).or(beside).or(work).or(look_up), work)
}

/// Two cards or two models with `or`, `和` between: to be compared.
fn side_by_side(items: &[Piece]) -> bool {
    let named = |piece: &Piece| match &piece.item {
        Item::Gpu(id) => Some((true, id.clone())),
        Item::Model(found) => Some((false, found.id.clone()?)),
        _ => None,
    };
    items.windows(3).any(|three| {
        let and = matches!(&three[1].item, Item::Senses(senses) if senses.contains(&&Sense::And));
        let joined = and || matches!(three[1].text.as_str(), "比" | "than");
        match (named(&three[0]), named(&three[2])) {
            (Some((gpu, first)), Some((other, second))) => joined && gpu == other && first != second,
            _ => false,
        }
    })
}

/// A text without a verb: training if it speaks of something only training has, a card if of nothing else.
pub(super) fn guess(items: &[Piece]) -> Verb {
    let says_nothing = |piece: &&Piece| match &piece.item {
        Item::Senses(senses) => senses.iter().all(|sense| matches!(sense, Sense::Filler | Sense::What | Sense::With)),
        item => matches!(item, Item::Stop),
    };
    let mut telling = items.iter().filter(|piece| !says_nothing(piece));
    if let (Some(Piece { item: Item::Gpu(_), .. }), None) = (telling.next(), telling.next()) {
        return Verb::Gpu;
    }
    let tells = |piece: &Piece, work: Scope| match &piece.item {
        Item::Senses(senses) => {
            let mut scopes = senses.iter().filter_map(|sense| match sense {
                Sense::Value(knob, _) => Some(knob.scope),
                Sense::Knob(knob) if knob.key.len() > 1 && piece.text.len() > 2 => Some(knob.scope),
                _ => None,
            });
            scopes.next() == Some(work) && scopes.all(|scope| scope == work)
        }
        Item::Explicit(knob, _) => knob.scope == work,
        _ => false,
    };
    // Tokens are trained on, and read and written.
    let is_tokens = |piece: &Piece| piece.knob().is_some_and(|knob| knob.key == "tokens");
    let serves = items.iter().any(|piece| tells(piece, Scope::Infer));
    let trains = items.iter().any(|piece| tells(piece, Scope::Train) && !(serves && is_tokens(piece)));
    if trains { Verb::Train } else { Verb::Infer }
}
