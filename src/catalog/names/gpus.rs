//! Accelerators by name.
//!
//! A name is a model (`a100sxm`) and perhaps a memory size (80): two spellings are one if these agree.

use super::data::GpuWords;
use super::token::{normalise, squash};
use super::{Outcome, Resolution};
use crate::catalog::Gpu;
use crate::msg;
use rustc_hash::FxHashMap;

pub struct Index {
    /// By model, all of that model; `true` where the name alone, without a memory size, means it.
    by_key: FxHashMap<String, Vec<(usize, bool)>>,
    /// Id, squashed spellings, memory in GB.
    gpus: Vec<(String, Vec<String>, f64)>,
    words: &'static GpuWords,
}

/// A name in parts.
#[derive(Clone, Debug, Default, PartialEq)]
struct Parts {
    words: Vec<String>,
    memory: Option<f64>,
}

fn parts(text: &str, words: &GpuWords) -> Parts {
    let text = normalise(text);
    let kind = |c: char| {
        if c.is_ascii_digit() {
            1
        } else if c.is_ascii_alphabetic() {
            2
        } else {
            3 * u8::from(c.is_alphabetic())
        }
    };
    // Runs of one kind, each with whether it is joined to the one before.
    let mut runs: Vec<(&str, bool)> = vec![];
    let mut last = 0;
    for (at, c) in text.char_indices() {
        let end = at + c.len_utf8();
        let this = kind(c);
        match runs.last_mut().filter(|_| this == last) {
            _ if this == 0 => {}
            Some((run, _)) => *run = &text[at - run.len()..end],
            None => runs.push((&text[at..end], last != 0)),
        }
        last = this;
    }
    let mut found = Parts::default();
    let mut slice = None;
    let mut at = 0;
    while at < runs.len() {
        let (run, joined) = runs[at];
        let next = runs.get(at + 1).map_or("", |(next, _)| *next);
        let after_letters = joined && at > 0 && runs[at - 1].0.bytes().all(|b| b.is_ascii_alphabetic());
        let number = run.parse::<f64>().ok().filter(|_| !after_letters);
        let sized = runs.get(at + 2).is_some_and(|(run, joined)| !joined && run.parse::<f64>().is_ok());
        match (number, next) {
            // `3g.40gb`, a part of a card, whether before its name or after.
            (Some(_), "g") if run.len() == 1 && sized && runs.get(at + 3).is_some_and(|(run, _)| *run == "gb") => {
                slice = Some(format!("{run}g"));
                at += 2;
            }
            (Some(memory), "g" | "gb" | "gib") => {
                found.memory = Some(memory);
                at += 2;
            }
            (None, digits) if matches!(run, "sxm" | "hbm" | "gddr") && digits.len() == 1 => {
                if run == "sxm" {
                    found.words.push(run.to_owned());
                }
                at += 2;
            }
            _ => {
                let han = !run.is_ascii();
                let is_empty = |run: &str| words.empty.iter().any(|word| word == run);
                let cut = |run: String, word: &String| if run.contains(word) { run.replace(word, "") } else { run };
                let said = if han { words.empty.iter().fold(run.to_owned(), cut) } else { run.to_owned() };
                if !said.is_empty() && (joined || !is_empty(run)) {
                    found.words.push(said);
                }
                at += 1;
            }
        }
    }
    found.words.extend(slice);
    found
}

impl Parts {
    fn key(&self) -> String {
        self.words.concat()
    }
    fn without(&self, word: &str) -> Option<Self> {
        let words: Vec<String> = self.words.iter().filter(|own| *own != word).cloned().collect();
        (words.len() < self.words.len() && !words.is_empty()).then_some(Self { words, memory: self.memory })
    }
}

fn digits(text: &str) -> String {
    text.chars().filter(char::is_ascii_digit).collect()
}

/// How far apart, in logarithms, two statements of one memory size may be.
const SAME_MEMORY: f64 = 0.06;
/// Jaro-Winkler likeness of names that are near, and what a card's number adds to it.
const LIKE: f64 = 0.85;
const NUMBERED: f64 = 0.1;

/// Whether two names share enough characters to be near: at most as many match as one has of the other's, and a
/// common beginning takes away at most 0.4 of the rest.
fn could_be_like(a: &str, b: &str, of_b: u128) -> bool {
    let shared = a.bytes().filter(|c| of_b & 1 << (c & 127) != 0).count() as f64;
    let most = (shared / a.len() as f64 + (shared / b.len() as f64).min(1.0) + 1.0) / 3.0;
    let begun = if a.bytes().next() == b.bytes().next() { 0.4 } else { 0.0 };
    most + begun * (1.0 - most) + NUMBERED > LIKE
}

impl Index {
    pub fn new(gpus: &[Gpu], words: &'static GpuWords) -> Self {
        let mut index = Self { by_key: FxHashMap::default(), gpus: vec![], words };
        for (at, gpu) in gpus.iter().enumerate() {
            let mut spellings: Vec<String> = vec![];
            for name in [&gpu.id, &gpu.name].into_iter().chain(&gpu.aliases) {
                let parts = parts(name, words);
                let alone = parts.memory.is_none() && name != &gpu.id;
                let held = index.by_key.entry(parts.key()).or_default();
                match held.iter_mut().find(|(known, _)| *known == at) {
                    Some((_, default)) => *default |= alone,
                    None => held.push((at, alone)),
                }
                spellings.push(squash(name));
            }
            index.gpus.push((gpu.id.clone(), spellings, gpu.memory_gb));
        }
        index
    }

    pub fn resolve(&self, text: &str) -> Resolution {
        let spelling = squash(text);
        if let Some((id, ..)) = self.gpus.iter().find(|(_, spellings, _)| spellings.contains(&spelling)) {
            return Resolution { id: Some(id.clone()), ..Resolution::new(Outcome::Match) };
        }
        let asked = parts(text, self.words);
        let found = if asked.words.is_empty() { self.with_memory(&asked) } else { self.find(&asked) };
        found.unwrap_or_else(|| self.unknown(text.trim(), &asked))
    }

    /// `24gb`: of the cards with that memory the one that many have.
    fn with_memory(&self, asked: &Parts) -> Option<Resolution> {
        let memory = asked.memory?;
        let has = |gpu: &&(String, Vec<String>, f64)| (gpu.2 / memory).ln().abs() < SAME_MEMORY;
        let mut ids: Vec<String> = self.gpus.iter().filter(has).map(|gpu| gpu.0.clone()).collect();
        ids.sort_by_key(|id| self.rank(id));
        ids.truncate(6);
        let id = Some(ids.first()?.clone());
        Some(Resolution { id, candidates: ids, ..Resolution::new(Outcome::Ambiguous) })
    }

    fn find(&self, asked: &Parts) -> Option<Resolution> {
        if let Some(held) = self.by_key.get(&asked.key()) {
            return Some(self.choose(held, asked.memory, false));
        }
        // `m3 ultra 192`
        if let (None, Some(memory)) = (asked.memory, asked.words.last().and_then(|word| word.parse::<f64>().ok())) {
            let model = Parts { words: asked.words[..asked.words.len() - 1].to_vec(), memory: Some(memory) };
            if let Some(held) = self.by_key.get(&model.key()).filter(|_| memory >= 8.0) {
                return Some(self.choose(held, Some(memory), false));
            }
        }
        if let Some(freer) = self
            .words
            .optional
            .iter()
            .filter_map(|word| asked.without(word))
            .find(|freer| self.by_key.contains_key(&freer.key()))
        {
            return Some(self.choose(&self.by_key[&freer.key()], asked.memory, true));
        }
        let freer = self.words.optional.iter().fold(asked.clone(), |asked, word| asked.without(word).unwrap_or(asked));
        if let Some(held) = self.by_key.get(&freer.key()) {
            return Some(self.choose(held, asked.memory, true));
        }
        // A slip in the letters of a word; a digit, or one letter for another, makes another card.
        let key = asked.key();
        let numbers = digits(&key);
        if key.len() < numbers.len() + 3 {
            return None;
        }
        let mut near: Vec<&String> = self
            .by_key
            .keys()
            .filter(|known| {
                known.len() >= 4
                    && known.len().abs_diff(key.len()) <= 1
                    && !numbers.is_empty()
                    && digits(known) == numbers
                    && strsim::osa_distance(known, &key) == 1
            })
            .collect();
        near.sort();
        near.first().map(|known| self.choose(&self.by_key[*known], asked.memory, true))
    }

    /// Of one model's cards the one with this memory, or the one its bare name means.
    fn choose(&self, held: &[(usize, bool)], memory: Option<f64>, mended: bool) -> Resolution {
        let gb = |at: usize| self.gpus[at].2;
        let off = |at: usize| memory.map_or(0.0, |memory| (gb(at) / memory).ln().abs());
        let mut fitting: Vec<usize> = match memory {
            Some(_) => held.iter().map(|(at, _)| *at).filter(|at| off(*at) < SAME_MEMORY).collect(),
            None => held.iter().filter(|(_, default)| *default).map(|(at, _)| *at).collect(),
        };
        let wrong_memory = fitting.is_empty() && memory.is_some();
        if fitting.is_empty() {
            fitting = held.iter().map(|(at, _)| *at).collect();
        }
        fitting.sort_by(|a, b| off(*a).total_cmp(&off(*b)).then(gb(*b).total_cmp(&gb(*a))));
        let ids: Vec<String> = fitting.iter().map(|at| self.gpus[*at].0.clone()).collect();
        let id = ids.first().cloned();
        if ids.len() == 1 {
            let read_as = id.clone().filter(|_| mended || wrong_memory);
            return Resolution { id, read_as, ..Resolution::new(Outcome::Match) };
        }
        Resolution { id, candidates: ids, ..Resolution::new(Outcome::Ambiguous) }
    }

    fn unknown(&self, typed: &str, asked: &Parts) -> Resolution {
        let key = asked.key();
        let numbers = digits(&key);
        let own: u128 = key.bytes().fold(0, |set, c| set | 1 << (c & 127));
        let mut near: Vec<(f64, &str)> = self
            .gpus
            .iter()
            .map(|(id, spellings, _)| {
                let alike = spellings.iter().filter(|known| could_be_like(known, &key, own));
                (alike.map(|known| strsim::jaro_winkler(known, &key)).fold(0.0, f64::max), id.as_str())
            })
            .filter(|(likeness, _)| *likeness > LIKE - NUMBERED)
            .map(|(likeness, id)| {
                let numbered = !numbers.is_empty() && digits(id).contains(&numbers);
                (likeness + if numbered { NUMBERED } else { 0.0 }, id)
            })
            .filter(|(likeness, _)| *likeness > LIKE)
            .collect();
        near.sort_by(|a, b| b.0.total_cmp(&a.0));
        let candidates: Vec<String> = near.into_iter().take(4).map(|(_, id)| id.to_owned()).collect();
        let typed: String = typed.chars().take(80).collect();
        let reason = if candidates.is_empty() {
            msg!("name-unknown-gpu", typed = typed)
        } else {
            msg!("name-unknown-gpu-near", typed = typed, near = candidates.clone())
        };
        Resolution { candidates, reason: Some(reason), ..Resolution::new(Outcome::Unknown) }
    }

    /// A card whose name a driver's table may have cut short, by its beginning and its memory.
    pub fn reported(&self, name: &str, memory_gb: f64) -> Option<&str> {
        let asked = Parts { memory: Some(memory_gb), ..parts(name, self.words) };
        let fits = |held: &Vec<(usize, bool)>| {
            held.iter().map(|(at, _)| *at).find(|at| (self.gpus[*at].2 / memory_gb).ln().abs() < 0.12)
        };
        // Whole; as the beginning of a longer name; without the word that was cut.
        let key = asked.key();
        let whole_words = asked.words[..asked.words.len().saturating_sub(1)].concat();
        let mut begun: Vec<&String> =
            self.by_key.keys().filter(|known| key.len() >= 3 && known.starts_with(&key)).collect();
        begun.sort_by_key(|known| (known.len(), *known));
        let keys = [&key].into_iter().chain(begun).chain([&whole_words]);
        let at = keys.filter_map(|key| self.by_key.get(key)).find_map(fits);
        let named = || self.find(&asked).and_then(|found| found.id);
        let at = at.or_else(|| named().and_then(|id| self.gpus.iter().position(|(known, ..)| *known == id)));
        at.map(|at| self.gpus[at].0.as_str())
    }

    pub fn wanted(&self) -> &[String] {
        &self.words.popular
    }

    /// How many mean a card: the smaller, the more.
    fn rank(&self, id: &str) -> usize {
        self.words.popular.iter().position(|known| known == id).unwrap_or(self.words.popular.len())
    }

    pub fn suggest(&self, typed: &str, limit: usize) -> Vec<&str> {
        let wanted = squash(typed);
        let mut found: Vec<(bool, usize, &str)> = self
            .gpus
            .iter()
            .filter(|(_, spellings, _)| spellings.iter().any(|own| own.contains(&wanted)))
            .map(|(id, spellings, _)| {
                (!spellings.iter().any(|own| own.starts_with(&wanted)), self.rank(id), id.as_str())
            })
            .collect();
        if found.is_empty() {
            let read = self.resolve(typed);
            let ids: Vec<String> = read.id.into_iter().chain(read.candidates).collect();
            found = self
                .gpus
                .iter()
                .filter(|(id, ..)| ids.contains(id))
                .map(|(id, ..)| (false, self.rank(id), id.as_str()))
                .collect();
        }
        found.sort();
        found.into_iter().take(limit).map(|(.., id)| id).collect()
    }
}
