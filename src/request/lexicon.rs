//! The words people use: every name in `KNOBS` and the catalog, and the small words between them.
//!
//! English and Chinese stand side by side and mean the same things, so one grammar (`speech`) reads both.

use super::knobs::{KNOBS, Kind, Knob, find};
use super::settings::{Bound, Value, Verb};
use super::words::{Class, Gap, Word, words};
use crate::catalog::Catalog;
use phrases::{NUMBERS, PHRASES, SAYINGS, TURNS};
use rustc_hash::{FxBuildHasher, FxHashMap};
use smallvec::SmallVec;
use std::sync::OnceLock;

mod phrases;

/// What a phrase means by itself.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Sense {
    Verb(Verb),
    /// A knob's name; its value stands beside it.
    Knob(&'static Knob),
    /// A value that says which knob it is for (`qlora`).
    Value(&'static Knob, Value),
    /// An accelerator's id, or the name of a cloud instance.
    Gpu(&'static str),
    Number(f64),
    /// `hundred`, `万`: multiplies the number before it.
    Magnitude(f64),
    /// `4bit`: which knob it is depends on the work.
    Bits(u64),
    /// `to`, `改成`: the value follows.
    To,
    From,
    /// `x`, `times`.
    Times,
    /// `/`, `divided by`.
    Over,
    /// `double`, `减半`: scales a knob.
    Scale(f64),
    On,
    Not,
    /// `instead of`: what follows is what is given up.
    Dropping,
    /// `replace`: likewise, if what takes its place comes after it.
    Swap,
    And,
    More,
    Less,
    /// `how many`, `the fewest`: the value of the knob beside it is looked for, if it is one of these.
    Seek(&'static [Bound]),
    /// `per user`: a rate is of one of them.
    PerUser,
    /// `cheaper`: a wish that these knobs could meet.
    Wish(&'static [&'static str]),
    /// `other`, `different`: a wish for the knob that follows.
    Other,
    /// `add`, `再加`: by how many follows.
    Add,
    /// `add another`: by one.
    Another,
    Remove,
    /// `to cpu`, `内存`: where what was named before it is put.
    Host,
    /// `undo`: back to what was before.
    Back,
    /// `each`, `per node`.
    Each,
    /// Asks about an answer already given.
    Why,
    /// `what is`: a question unless a condition follows.
    What,
    /// `the paper`, `yesterday`: tells of something else.
    Tale,
    /// `at`, `with`, `if`: opens a condition.
    With,
    Filler,
}

use Sense::*;

/// Knobs whose values name their knob by themselves.
const SELF_NAMED: &[&str] = &["method", "stage", "framework", "backend", "quant", "precision", "optimizer", "attn"];
/// Names and values that say too little beyond `key=value`.
const TOO_COMMON: &[&str] = &[
    "a", "full", "none", "half", "reward", "eager", "on", "off", "32", "trainer", "tuning", "pt", "rm", "8bit",
    "16bit", "native", "auto", "gguf", "zero",
];

/// About as many phrases as there are.
const PHRASES_HELD: usize = 4096;

/// Phrase to senses, keyed by the phrase without its gaps.
pub(super) struct Lexicon {
    phrases: FxHashMap<String, SmallVec<[Entry; 1]>>,
    longest: usize,
}

struct Entry {
    /// Where in the key a space may stand.
    gaps: SmallVec<[usize; 2]>,
    sense: Sense,
}

impl Lexicon {
    /// Of this catalog. The program has one, so it is made once.
    pub fn of(catalog: &'static Catalog) -> &'static Lexicon {
        static LEXICON: OnceLock<Lexicon> = OnceLock::new();
        LEXICON.get_or_init(|| Lexicon::build(catalog))
    }

    fn build(catalog: &'static Catalog) -> Lexicon {
        let mut lexicon =
            Lexicon { phrases: FxHashMap::with_capacity_and_hasher(PHRASES_HELD, FxBuildHasher), longest: 0 };
        let both = |english: &'static str, chinese: &'static str| {
            english.split('|').chain(chinese.split('|')).filter(|phrase| !phrase.is_empty())
        };
        for (setting, english, chinese) in SAYINGS {
            for word in setting.split(' ') {
                let (key, value) = word.split_once('=').expect("SAYINGS hold key=value");
                let knob = find(key).expect("SAYINGS name knobs");
                if let Ok(value) = knob.read(value, catalog) {
                    both(english, chinese).for_each(|phrase| lexicon.put(phrase, Value(knob, value.clone())));
                }
            }
        }
        for knob in KNOBS {
            lexicon.put(&knob.key.replace('_', " "), Knob(knob));
            let said = knob.aliases.iter().filter(|name| !TOO_COMMON.contains(name));
            said.for_each(|name| lexicon.put(name, Knob(knob)));
            if let Kind::List { words, .. } = knob.kind {
                for word in words {
                    lexicon.put(&format!("{word} proj"), Value(knob, Value::List(vec![(*word).to_owned()])));
                }
            }
            if SELF_NAMED.contains(&knob.key) {
                lexicon.put_values(knob, catalog);
            }
        }
        for gpu in &catalog.gpus {
            std::iter::once(&gpu.id).chain(&gpu.aliases).for_each(|name| lexicon.put(name, Gpu(&gpu.id)));
        }
        for instance in &catalog.instances {
            instance.names().for_each(|name| lexicon.put(name, Gpu(name)));
        }
        for (value, phrases) in NUMBERS {
            phrases.split('|').for_each(|phrase| lexicon.put(phrase, Number(*value)));
        }
        let (verbs, ends) = TURNS;
        for verb in verbs.split('|') {
            ends.split('|').for_each(|end| lexicon.put(&format!("{verb}{end}"), To));
        }
        for (sense, english, chinese) in PHRASES {
            both(english, chinese).for_each(|phrase| lexicon.put(phrase, sense.clone()));
        }
        lexicon
    }

    fn put_values(&mut self, knob: &'static Knob, catalog: &Catalog) {
        let mut put = |name: &str, value: &Value| {
            if !TOO_COMMON.contains(&name) {
                self.put(name, Value(knob, value.clone()));
            }
        };
        match &knob.kind {
            Kind::Choice(choices) => {
                for (name, aliases) in *choices {
                    let value = Value::Choice(name);
                    std::iter::once(name).chain(*aliases).for_each(|name| put(name, &value));
                }
            }
            Kind::Row(table) => {
                for (name, aliases) in table.rows(catalog) {
                    let value = Value::Text(name.to_owned());
                    put(name, &value);
                    aliases.iter().for_each(|name| put(name, &value));
                }
            }
            Kind::Length { .. }
            | Kind::Count { .. }
            | Kind::Number { .. }
            | Kind::Model(_)
            | Kind::Gpu
            | Kind::List { .. }
            | Kind::Fleet
            | Kind::Text => {}
        }
    }

    fn put(&mut self, phrase: &str, sense: Sense) {
        let phrase = super::words::plain(phrase);
        let words = words(&phrase);
        let mut key = String::with_capacity(phrase.len());
        let mut gaps = SmallVec::new();
        for word in &words {
            // A space may stand for a space or a hyphen, not for an underscore (`lora_r` is no `lora r`).
            let underscore = word.at > 0 && phrase.as_bytes()[word.at - 1] == b'_';
            if (word.gap != Gap::None && !underscore) || word.class == Class::Mark {
                gaps.push(key.len());
            }
            key.push_str(word.text);
        }
        self.longest = self.longest.max(words.len());
        self.phrases.entry(key).or_default().push(Entry { gaps, sense });
    }

    /// Whether a phrase begins here that says something of its own, so that no name goes on over it.
    pub fn claims(&self, words: &[Word]) -> bool {
        self.longest(words).is_some_and(|(width, senses)| {
            let lettered = words[0].text.len() == 1 && width == 1;
            !lettered && senses.iter().any(|sense| !matches!(sense, Filler | Less | More))
        })
    }

    pub fn is_filler(&self, words: &[Word]) -> bool {
        self.longest(words).is_some_and(|(_, senses)| senses == [&Filler])
    }

    /// The longest phrase that begins these words: how many words it takes and what it may mean.
    pub fn longest<'a>(&'a self, words: &[Word]) -> Option<(usize, Vec<&'a Sense>)> {
        let mut key = String::new();
        let mut spaces = vec![];
        let mut found = None;
        for (index, word) in words.iter().enumerate().take(self.longest) {
            if index > 0 && word.gap == Gap::Space {
                spaces.push(key.len());
            }
            key.push_str(word.text);
            // The `a` of `on a30` is no article.
            let begins_card = word.text == "a" && words.get(index + 1).is_some_and(|next| next.gap == Gap::None);
            if index > 0 && begins_card {
                continue;
            }
            let Some(entries) = self.phrases.get(&key) else { continue };
            let senses: Vec<&Sense> = entries
                .iter()
                .filter(|entry| spaces.iter().all(|space| entry.gaps.contains(space)))
                .map(|entry| &entry.sense)
                .collect();
            if !senses.is_empty() && !self.is_card(&words[index..], index) {
                found = Some((index + 1, senses));
            }
        }
        found
    }

    /// The `a` of `on a10`: not the last word of a phrase but the first of a card.
    fn is_card(&self, words: &[Word], index: usize) -> bool {
        let glued = |next: &Word| next.class == Class::Digits && next.gap == Gap::None;
        index > 0
            && words[0].text.len() == 1
            && words.get(1).is_some_and(glued)
            && self.longest(words).is_some_and(|(_, senses)| matches!(senses[..], [Gpu(_), ..]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::request::knobs::squash;
    use std::collections::BTreeMap;

    #[test]
    fn every_phrase_stands_in_one_place() {
        let numbers = NUMBERS.iter().map(|(value, phrases)| (format!("{value}"), *phrases, ""));
        let phrases = PHRASES.iter().map(|(sense, english, chinese)| (format!("{sense:?}"), *english, *chinese));
        let sayings = SAYINGS.iter().map(|(setting, english, chinese)| ((*setting).to_owned(), *english, *chinese));
        let mut places: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for (place, english, chinese) in numbers.chain(phrases).chain(sayings) {
            for phrase in english.split('|').chain(chinese.split('|')).filter(|phrase| !phrase.is_empty()) {
                let key = if phrase.chars().any(char::is_alphanumeric) { squash(phrase) } else { phrase.to_owned() };
                places.entry(key).or_default().push(place.clone());
            }
        }
        places.retain(|_, places| places.len() > 1);
        assert!(places.is_empty(), "{places:#?}");
    }

    #[test]
    fn every_saying_sets_what_its_knob_takes() {
        for (setting, ..) in SAYINGS {
            for word in setting.split(' ') {
                let (key, value) = word.split_once('=').expect("key=value");
                let read = find(key).map(|knob| knob.read(value, Catalog::embedded()));
                assert!(matches!(read, Some(Ok(_))), "{word}: {read:?}");
            }
        }
    }

    #[test]
    fn a_space_stands_only_where_the_phrase_has_one() {
        let lexicon = Lexicon::of(Catalog::embedded());
        let begins = |text: &str| lexicon.longest(&words(text)).map(|(width, _)| width);
        assert_eq!(begins("a100"), Some(2));
        // The article, not the card.
        assert_eq!(begins("a 100"), Some(1));
        assert_eq!(begins("max-seq-len"), begins("max seq len"));
    }
}
