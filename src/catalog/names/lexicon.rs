//! The words of names: what each does, how it is also said, and what it was meant to be.
//!
//! From text to tokens in the catalog's own words, and to [`Parts`] that compare. Knows which words there are, not
//! which models have them.

use super::data::Data;
use super::token::{self, Kind, Packing, Token};
use rustc_hash::FxHashMap;
use std::collections::BTreeSet;

pub type Word = u16;

/// What a word does in a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Tells no model from another: a maker, a file type.
    Empty,
    Variant(Variant),
    /// Tells models of one family apart.
    Line,
    Family,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Variant {
    Plain,
    Base,
    Instruct,
}

/// A version or revision, and the family's word that it follows.
#[derive(Clone, Debug)]
pub struct Version {
    of: Option<Word>,
    pub text: String,
}

impl Version {
    pub fn is_of(&self, words: &BTreeSet<Word>) -> bool {
        self.of.is_some_and(|word| words.contains(&word))
    }
}

/// A name in parts.
#[derive(Clone, Debug, Default)]
pub struct Parts {
    pub words: BTreeSet<Word>,
    pub versions: Vec<String>,
    /// Versions that follow the size: `v0.3` of `Mistral-7B-v0.3`.
    pub revisions: Vec<String>,
    /// Both.
    pub numbers: Vec<Version>,
    pub sizes: Vec<f64>,
    pub active: Vec<f64>,
    pub dates: Vec<String>,
    pub lengths: Vec<String>,
    pub variant: Option<Variant>,
    pub packing: Option<String>,
    /// Experts of a size that no model has.
    pub impossible: bool,
}

/// What was typed, before it is held against the catalog.
#[derive(Clone, Debug, Default)]
pub struct Query {
    pub tokens: Vec<Token>,
    pub packing: Packing,
    /// Words changed on the way: the name was not quite one we know.
    pub mended: bool,
    pub ollama: bool,
    /// Named with its organisation.
    pub repository: bool,
}

/// A word that what is misspelt is held against.
struct Family {
    word: String,
    squeezed: String,
    letters: u32,
}

pub struct Lexicon {
    words: FxHashMap<String, Word>,
    roles: FxHashMap<String, Role>,
    /// Other words for these; Chinese ones longest first.
    said: FxHashMap<String, Vec<Token>>,
    han: Vec<String>,
    /// Words of families, for what is misspelt.
    families: Vec<Family>,
}

impl Lexicon {
    pub fn new(data: &Data) -> Self {
        let roles = [
            (&data.empty, Role::Empty),
            (&data.instruct, Role::Variant(Variant::Instruct)),
            (&data.base, Role::Variant(Variant::Base)),
            (&data.lines, Role::Line),
        ];
        let role = |(words, role): (&Vec<String>, Role)| {
            words.iter().map(move |word| (word.clone(), role)).collect::<Vec<_>>()
        };
        let as_is = |han: &str, found: &mut Vec<Token>| found.push(Token::word(han));
        let said = data.words.iter().map(|(from, to)| (from.clone(), token::tokens(to, as_is).0)).collect();
        let mut han: Vec<String> =
            data.words.keys().chain(&data.empty).filter(|word| !word.is_ascii()).cloned().collect();
        han.sort_by_key(|word| std::cmp::Reverse(word.len()));
        Self {
            words: FxHashMap::default(),
            roles: roles.into_iter().flat_map(role).collect(),
            said,
            han,
            families: vec![],
        }
    }

    pub fn len(&self) -> usize {
        self.words.len()
    }
    pub fn word(&self, text: &str) -> Option<Word> {
        self.words.get(text).copied()
    }

    /// Once every name was learned.
    pub fn close(&mut self) {
        let mendable = |word: &&String| {
            let shortest = match self.role(word) {
                Role::Family => 3,
                Role::Line | Role::Variant(_) => 6,
                Role::Empty => usize::MAX,
            };
            word.len() >= shortest && word.bytes().all(|b| b.is_ascii_alphabetic())
        };
        let mut families: Vec<String> = self.words.keys().chain(self.roles.keys()).filter(mendable).cloned().collect();
        families.sort();
        families.dedup();
        let family = |word: String| Family { squeezed: squeeze(&word), letters: letters(&word), word };
        self.families = families.into_iter().map(family).collect();
    }

    /// Words that tell models of one family apart, single letters among them; with tags such as `k2` and `r1`, if asked.
    pub fn lines(&self, tags: bool) -> BTreeSet<Word> {
        let is_tag = |word: &str| word.len() > 1 && word[1..].starts_with(|c: char| c.is_ascii_digit());
        let line = |word: &str| self.role(word) == Role::Line || word.len() == 1 || (tags && is_tag(word));
        self.words.iter().filter(|(text, _)| line(text)).map(|(_, word)| *word).collect()
    }

    /// A catalog's name, whose words become known.
    pub fn learn(&mut self, name: &str) -> (Query, Parts) {
        let query = self.cut(name);
        for token in &query.tokens {
            let word = token.kind == Kind::Word && matches!(self.role(&token.text), Role::Line | Role::Family);
            if (word || token.kind == Kind::Experts) && !self.words.contains_key(&token.text) {
                self.words.insert(token.text.clone(), self.words.len() as Word);
            }
        }
        let parts = self.parts(&query);
        (query, parts)
    }

    pub fn parts(&self, query: &Query) -> Parts {
        let mut parts = Parts { packing: query.packing.name(), ..Parts::default() };
        let mut of = None;
        for token in &query.tokens {
            let text = &token.text;
            if token.kind == Kind::Word && self.role(text) == Role::Family {
                of = self.word(text);
            }
            if let Kind::Version { .. } = token.kind {
                parts.numbers.push(Version { of, text: text.clone() });
            }
            match token.kind {
                Kind::Word => match self.role(text) {
                    Role::Empty => {}
                    Role::Variant(variant) => parts.variant = Some(variant),
                    Role::Line | Role::Family => parts.words.extend(self.words.get(text)),
                },
                Kind::Experts => match self.words.get(text) {
                    Some(word) => drop(parts.words.insert(*word)),
                    None => parts.impossible = true,
                },
                Kind::Version { marked }
                    if !parts.sizes.is_empty() || text.starts_with('0') || (marked && text.starts_with("0.")) =>
                {
                    parts.revisions.push(text.clone());
                }
                Kind::Version { .. } => parts.versions.push(text.clone()),
                Kind::Size(size) => parts.sizes.push(size),
                Kind::Active(size) => parts.active.push(size),
                Kind::Date => parts.dates.push(text.clone()),
                Kind::Length => parts.lengths.push(text.clone()),
            }
        }
        parts
    }

    /// Cuts a name into tokens, each in the catalog's own words.
    pub fn cut(&self, text: &str) -> Query {
        let text = spell_plus(token::normalise(text));
        let (raw, packing) = token::tokens(&text, |run, found| self.cut_han(run, found));
        let mut query = Query { packing, ..Query::default() };
        let mut raw = raw.into_iter().peekable();
        while let Some(token) = raw.next() {
            let is_word = token.kind == Kind::Word;
            // `open source`, `open weights`; not `solar open`.
            if token.text == "open" && raw.peek().is_some_and(|next| self.role(&next.text) == Role::Empty) {
                continue;
            }
            let pair = raw.peek().filter(|next| is_word && next.kind == Kind::Word);
            let joined = pair.map(|next| [token.text.as_str(), &next.text].concat());
            if let Some(text) = joined.filter(|word| self.is_family(word)) {
                query.tokens.push(Token { text, ..token });
                raw.next();
                continue;
            }
            match self.said.get(&token.text).filter(|_| is_word) {
                Some(words) => query.tokens.extend(words.iter().cloned()),
                None => query.tokens.push(token),
            }
        }
        if query.tokens.len() > 1 && query.tokens[0].text == "a" {
            query.tokens.remove(0);
        }
        query.tokens.dedup_by(|a, b| a.kind == Kind::Word && a.text == b.text && b.kind == Kind::Word);
        query
    }

    /// Words of a Chinese run, longest first; what no word explains stays as it is.
    fn cut_han(&self, run: &str, found: &mut Vec<Token>) {
        let mut rest = run;
        let mut unknown = String::new();
        while let Some(first) = rest.chars().next() {
            match self.han.iter().find(|word| rest.starts_with(word.as_str())) {
                Some(word) => {
                    if !unknown.is_empty() {
                        found.push(Token::word(std::mem::take(&mut unknown)));
                    }
                    found.push(Token::word(word.as_str()));
                    rest = &rest[word.len()..];
                }
                None => {
                    unknown.push(first);
                    rest = &rest[first.len_utf8()..];
                }
            }
        }
        if !unknown.is_empty() {
            found.push(Token::word(unknown));
        }
    }

    pub fn role(&self, word: &str) -> Role {
        self.roles.get(word).copied().unwrap_or(Role::Family)
    }
    fn is_family(&self, word: &str) -> bool {
        self.words.contains_key(word) && self.role(word) == Role::Family && word.len() > 3
    }

    /// Tokens that ask for a family and a size, as one comparable text.
    pub fn key(&self, tokens: &[Token]) -> String {
        let sized = tokens.iter().position(|token| matches!(token.kind, Kind::Size(_))).unwrap_or(tokens.len());
        let asks = |at: usize, token: &Token| match token.kind {
            Kind::Word => matches!(self.role(&token.text), Role::Line | Role::Family),
            Kind::Version { .. } => at < sized,
            Kind::Date | Kind::Length => false,
            Kind::Experts | Kind::Size(_) | Kind::Active(_) => true,
        };
        let mut parts: Vec<&str> = tokens
            .iter()
            .enumerate()
            .filter(|(at, token)| asks(*at, token))
            .map(|(_, token)| token.text.as_str())
            .collect();
        parts.sort_unstable();
        parts.join(" ")
    }

    /// Tokens that say something, in their order.
    pub fn spelled(&self, tokens: &[Token]) -> String {
        let said = tokens.iter().map(|token| token.text.as_str()).filter(|text| self.role(text) != Role::Empty);
        said.collect::<Vec<_>>().join(" ")
    }
    pub fn is_known(&self, token: &Token) -> bool {
        token.kind != Kind::Word
            || self.words.contains_key(&token.text)
            || self.said.contains_key(&token.text)
            || self.roles.contains_key(&token.text)
    }

    pub fn may_begin(&self, word: &str) -> bool {
        self.is_known(&Token::word(word))
            || self.families.iter().any(|family| word.starts_with(family.word.as_str()))
            || self.nearest_family(word).is_some()
    }

    /// Splits and mends words that are in no name.
    pub fn mend(&self, query: &mut Query) {
        let mut tokens: Vec<Token> = vec![];
        let mut corrected = 0;
        // A short word without a size or version is likely just a word: `the best model`.
        let numbered = query.tokens.iter().any(|token| token.kind != Kind::Word);
        for (at, token) in query.tokens.iter().enumerate() {
            if self.is_known(token) || token.text.len() > LONGEST_WORD {
                tokens.push(token.clone());
                continue;
            }
            let text = token.text.as_str();
            let joined = |n: usize| query.tokens.get(at + n).filter(|next| next.joined);
            // deepseekr1, kimik2, deepseekv3
            let (head, last) = text.char_indices().last().map_or((text, ""), |(end, _)| text.split_at(end));
            if let Some(next) = joined(1).filter(|next| {
                matches!(next.kind, Kind::Version { .. })
                    && (self.words.contains_key(head) || self.said.contains_key(head))
            }) {
                match self.said.get(head) {
                    Some(words) => tokens.extend(words.iter().cloned()),
                    None => tokens.push(Token::word(head)),
                }
                let tag = format!("{last}{}", next.text);
                if self.words.contains_key(&tag) {
                    tokens.push(Token { joined: true, ..Token::word(tag) });
                }
                continue;
            }
            let split = text.char_indices().map(|(at, _)| text.split_at(at)).find(|(a, b)| {
                let known = |word: &str| self.words.contains_key(word) || self.roles.contains_key(word);
                a.len() >= 3 && b.len() >= 2 && self.words.contains_key(*a) && known(b)
            });
            if let Some((a, b)) = split {
                tokens.extend([Token::word(a), Token::word(b)]);
            } else if corrected < 3
                && (numbered || text.len() > 4)
                && let Some(word) = self.nearest_family(text)
            {
                corrected += 1;
                query.mended = true;
                tokens.push(Token { text: word.to_owned(), ..token.clone() });
            } else {
                tokens.push(token.clone());
            }
        }
        // The number of a tag that was cut off with its letter.
        let mut kept: Vec<Token> = Vec::with_capacity(tokens.len());
        for token in tokens {
            let spent = kept.last().is_some_and(|last| {
                last.kind == Kind::Word
                    && last.joined
                    && matches!(token.kind, Kind::Version { .. })
                    && last.text.len() > 1
                    && last.text[1..] == token.text
            });
            if !spent {
                kept.push(token);
            }
        }
        query.tokens = kept;
    }

    /// A family's word that a slip of the fingers makes of this one.
    fn nearest_family(&self, typed: &str) -> Option<&str> {
        let first = typed.chars().next()?;
        if !(3..=LONGEST_WORD).contains(&typed.len()) || !first.is_ascii() {
            return None;
        }
        let allowed = if typed.len() >= 9 { 2 } else { 1 };
        let (squeezed, own) = (squeeze(typed), letters(typed));
        let near = |family: &&Family| {
            let begins = family.word.starts_with(first) || family.word[1..].starts_with(first);
            // A slip takes away one letter and brings another.
            let slips = (family.letters ^ own).count_ones() <= 2 * allowed as u32;
            begins && slips && family.word.len().abs_diff(typed.len()) <= allowed
        };
        let distance = |family: &Family| {
            strsim::osa_distance(typed, &family.word).min(strsim::osa_distance(&squeezed, &family.squeezed) + 1)
        };
        self.families
            .iter()
            .filter(near)
            .map(|family| (distance(family), family.word.as_str()))
            .filter(|(distance, word)| {
                let swapped = || word.len() == typed.len() && word.chars().all(|c| typed.contains(c));
                *distance <= allowed && (word.len() > 3 || swapped())
            })
            .min_by_key(|(distance, word)| {
                let begun = word.bytes().zip(typed.bytes()).take_while(|(a, b)| a == b).count();
                (*distance, std::cmp::Reverse(begun), word.len())
            })
            .map(|(_, word)| word)
    }
}

/// Longer than any word of a name, so that nothing is mended in it.
const LONGEST_WORD: usize = 32;

/// Which letters a word has, a bit each.
fn letters(word: &str) -> u32 {
    word.bytes().filter(u8::is_ascii_lowercase).fold(0, |letters, letter| letters | 1 << (letter - b'a'))
}

/// `command-r+` is `command-r plus`.
fn spell_plus(text: String) -> String {
    let ends = |at: usize| !text[at + 1..].starts_with(|c: char| c.is_alphabetic());
    let follows = |at: usize| text[..at].ends_with(|c: char| c.is_ascii_alphabetic());
    match text.find('+').filter(|at| follows(*at) && ends(*at)) {
        Some(at) => format!("{} plus{}", &text[..at], &text[at + 1..]),
        None => text,
    }
}

/// Each run of one letter as one: `lamma` and `llama` are both `lama`.
fn squeeze(word: &str) -> String {
    let mut letters: Vec<char> = word.chars().collect();
    letters.dedup();
    letters.into_iter().collect()
}
