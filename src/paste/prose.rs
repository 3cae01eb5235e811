//! Cards that somebody tells of around a paste: `I have 8*A100 40G`, `用的是四卡H100`.
//!
//! Read by the grammar of tweaks, line by line, else near each word that names a card; what else it hears is not taken.

use super::Kind;
use super::draft::Draft;
use crate::catalog::Catalog;
use crate::request::tweak::tweak;
use crate::request::{Settings, Verb};
use regex::Regex;
use std::ops::Range;
use std::sync::LazyLock;

/// Lines that are heard, and the longest of them.
const MOST: usize = 24;
const LONGEST: usize = 300;
/// Words with a slash that are looked up.
const MOST_IDS: usize = 50;

pub fn read(text: &str, catalog: &'static Catalog) -> Option<Draft> {
    let blocks: Vec<&str> = text.split("```").collect();
    // What follows a fence that does not close is outside.
    let open = blocks.last().filter(|_| blocks.len().is_multiple_of(2));
    let outside = blocks.iter().step_by(2).chain(open).flat_map(|block| block.lines());
    // Without the names and commands within.
    let spoken = outside.map(|line| line.split('`').step_by(2).collect::<Vec<_>>().join(" "));
    let cards: Vec<Draft> = spoken
        .filter(|line| is_sentence(line))
        .take(MOST)
        .filter_map(|line| heard(&line, catalog).or_else(|| near_names(&line, catalog)))
        .collect();
    // How many there are may be told elsewhere than what they are.
    let Some(first) = cards.first() else { return labelled(text, catalog) };
    let counted = cards.iter().find(|card| card.get("gpus").is_some() && card.get("gpu") == first.get("gpu"));
    Some(counted.unwrap_or(first).clone())
}

/// A card that a scheduler is asked for: `nvidia.com/gpu.product: NVIDIA-L4`, `--gres=gpu:a100:4`, `--partition=l40s`.
static LABELLED: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r#"(?im)(?:^\s*gpus?|gpu\.product|accelerators?|gres=gpu|partition|constraint)\s*[:=]\s*["'{]*([a-z][a-z0-9-]+)"#)
        .expect("written here")
});

fn labelled(text: &str, catalog: &'static Catalog) -> Option<Draft> {
    let names = LABELLED.captures_iter(text).take(MOST).filter_map(|found| Some(found.get(1)?.as_str()));
    let known = names.filter(|name| name.contains(|c: char| c.is_ascii_digit()));
    let id = known.filter_map(|name| catalog.names().gpu(name).id).next()?;
    let mut draft = Draft::new(Kind::NvidiaSmi, Verb::Fit);
    draft.set("gpu", id);
    Some(draft)
}

fn heard(words: &str, catalog: &'static Catalog) -> Option<Draft> {
    let changes = tweak(&Settings::new(Verb::Train), words, catalog).changes;
    let value = |key| changes.iter().find(|(knob, _)| *knob == key).and_then(|(_, value)| value.as_ref());
    let mut draft = Draft::new(Kind::NvidiaSmi, Verb::Fit);
    draft.set("gpu", value("gpu")?);
    draft.set_some("gpus", value("gpus"));
    draft.set_some("nodes", value("nodes"));
    Some(draft)
}

/// How far around a card's name it is told how many there are and of what memory, characters; the widest first.
const NEAR: [usize; 3] = [12, 8, 4];

static WORD: LazyLock<Regex> = LazyLock::new(|| Regex::new("[0-9A-Za-z]{2,}").expect("written here"));

/// Cards that single words of a sentence name, told of by what stands around them.
fn near_names(line: &str, catalog: &'static Catalog) -> Option<Draft> {
    let maker = |id: &str| catalog.gpu(id).map(|gpu| gpu.vendor);
    WORD.find_iter(line).filter(|word| word.as_str().contains(|c: char| c.is_ascii_digit())).find_map(|word| {
        let named = catalog.names().gpu(word.as_str().trim_end_matches('s')).id?;
        let mut told = NEAR.iter().filter_map(|reach| heard(around(line, word.range(), *reach)?, catalog));
        told.find(|card| card.get("gpu").and_then(maker) == maker(&named))
    })
}

/// So many characters before and after a name, whole words only; a number that follows the name is its memory's size.
fn around(line: &str, name: Range<usize>, reach: usize) -> Option<&str> {
    let is_letter = |c: char| c.is_ascii_alphanumeric();
    let (before, after) = (&line[..name.start], &line[name.end..]);
    let from = before.char_indices().rev().nth(reach - 1).map_or(0, |(at, _)| at);
    let to = after.char_indices().nth(reach).map_or(after.len(), |(at, _)| at);
    let cut_before = before[..from].ends_with(is_letter);
    let before = if cut_before { before[from..].trim_start_matches(is_letter) } else { &before[from..] };
    let cut_after = after[to..].starts_with(is_letter);
    let near = if cut_after { after[..to].trim_end_matches(is_letter) } else { &after[..to] };
    let sized = after.trim_start_matches([' ', '-', '(']).starts_with(|c: char| c.is_ascii_digit());
    let whole = !sized || near.contains(|c: char| c.is_ascii_digit());
    whole.then(|| &line[name.start - before.len()..name.end + near.len()])
}

/// A model that is told of by its whole id: `I run meta-llama/Llama-3.1-8B on …`.
pub fn model(text: &str, catalog: &'static Catalog) -> Option<String> {
    let words = text.split(|c: char| !c.is_ascii_alphanumeric() && !"/-_.".contains(c));
    let ids = words.map(|word| word.trim_matches(['.', '-'])).filter(|word| word.matches('/').count() == 1);
    let owner = |id: &str| id.split('/').next().map(str::to_lowercase);
    ids.take(MOST_IDS).find_map(|id| catalog.names().model(id).id.filter(|known| owner(known) == owner(id)))
}

/// Words with spaces or Chinese between them, not code: no flags, no settings, no paths.
fn is_sentence(line: &str) -> bool {
    let line = line.trim();
    let coded = ["--", "=", "{", "|", "\\", "::"].iter().any(|mark| line.contains(mark));
    // A rate is no path: `108T/s`.
    let coded = coded || line.replace(" / ", " ").replace("/s", "").contains('/');
    let spoken = line.contains(|c: char| c == ' ' || !c.is_ascii());
    !coded && spoken && line.len() <= LONGEST && line.contains(|c: char| c.is_ascii_digit())
}
