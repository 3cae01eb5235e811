//! Models by name.
//!
//! Every id of the catalog and of `presets/names.toml` is cut into the same parts as what people type; a model is
//! meant if it has every part that was typed. Those that add the fewest words of their own are left, and where they
//! differ in family, version or size the name is ambiguous.

use super::data::Data;
use super::token::{self, Kind, Packing, Token};
use super::{Outcome, Resolution};
use crate::catalog::model::Model;
use crate::msg;
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

type Word = u16;

/// What stands before a name in an address or a command.
const HOSTS: &[&str] = &[
    "huggingface.co/",
    "www.huggingface.co/",
    "hf.co/",
    "hf-mirror.com/",
    "modelscope.cn/models/",
    "www.modelscope.cn/models/",
    "ollama.com/library/",
    "ollama run ",
];

/// What a word does in a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Role {
    /// Tells no model from another: a maker, a file type.
    Empty,
    Variant(Variant),
    /// Tells models of one family apart.
    Line,
    Family,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Variant {
    Plain,
    Base,
    Instruct,
}

/// A name in parts.
#[derive(Clone, Debug, Default)]
struct Parts {
    words: BTreeSet<Word>,
    versions: Vec<String>,
    /// Versions that follow the size: `v0.3` of `Mistral-7B-v0.3`.
    revisions: Vec<String>,
    sizes: Vec<f64>,
    active: Vec<f64>,
    dates: Vec<String>,
    lengths: Vec<String>,
    variant: Option<Variant>,
    packing: Option<String>,
    /// Experts of a size that no model has.
    impossible: bool,
}

struct Entry {
    id: String,
    /// Index in `Catalog::models`.
    row: usize,
    parts: Parts,
    /// Total parameters.
    parameters: f64,
    /// Place in `popular`, then in the catalog.
    rank: usize,
    /// Same for models that differ only in variant, date, revision and packing.
    group: u32,
}

pub struct Index {
    entries: Vec<Entry>,
    by_id: HashMap<String, usize>,
    /// Last parts of ids, and the same as tokens.
    by_name: HashMap<String, usize>,
    by_tokens: HashMap<String, usize>,
    words: HashMap<String, Word>,
    roles: HashMap<String, Role>,
    /// Words of families, for what is misspelt.
    families: Vec<String>,
    /// Words that tell models of one family apart, tags such as `k2` and `r1` among them.
    lines: BTreeSet<Word>,
    members: Vec<Vec<usize>>,
    popular: usize,
    holders: Vec<Vec<u16>>,
    /// Words to tokens; Chinese keys longest first.
    dictionary: HashMap<String, Vec<Token>>,
    han: Vec<String>,
    means: HashMap<String, usize>,
    unversioned: Vec<Word>,
    closed: Vec<(Vec<Token>, usize)>,
    other: Vec<Vec<Token>>,
    data: Data,
}

/// What was typed, before it is held against the catalog.
#[derive(Clone, Debug, Default)]
struct Query {
    tokens: Vec<Token>,
    packing: Packing,
    /// Words changed on the way: the name was not quite one we know.
    mended: bool,
    ollama: bool,
}

/// The parts of a path or URL that can name a model: `org/name:tag`.
fn trim_path(text: &str) -> &str {
    let text = text.trim().trim_matches(['"', '\'', '`', '<', '>']);
    let text = text.split_once("://").map_or(text, |(_, rest)| rest);
    let mut text = text.split(['?', '#']).next().unwrap_or(text);
    for cut in ["/tree/", "/blob/", "/resolve/", "/snapshots/", "/files", "/summary"] {
        if let Some(at) = text.find(cut) {
            let file = text[at..].rsplit('/').next().filter(|file| file.ends_with(".gguf"));
            text = file.unwrap_or(&text[..at]);
        }
    }
    text.trim_end_matches('/')
}

fn close(a: f64, b: f64, tolerance: f64) -> bool {
    (a / b - 1.0).abs() <= tolerance
}

impl Index {
    pub fn new(models: &[Arc<Model>], data: Data) -> Self {
        let mut index = Self {
            entries: Vec::with_capacity(models.len() * 2),
            by_id: HashMap::new(),
            by_name: HashMap::new(),
            by_tokens: HashMap::new(),
            words: HashMap::new(),
            roles: HashMap::new(),
            families: vec![],
            lines: BTreeSet::new(),
            members: vec![],
            popular: data.popular.len(),
            holders: vec![],
            dictionary: HashMap::new(),
            han: vec![],
            means: HashMap::new(),
            unversioned: vec![],
            closed: vec![],
            other: vec![],
            data,
        };
        let roles = [
            (&index.data.empty, Role::Empty),
            (&index.data.instruct, Role::Variant(Variant::Instruct)),
            (&index.data.base, Role::Variant(Variant::Base)),
            (&index.data.lines, Role::Line),
        ];
        index.roles =
            roles.into_iter().flat_map(|(words, role)| words.iter().map(move |word| (word.clone(), role))).collect();
        for (from, to) in &index.data.words {
            let to = token::tokens(to, |han, found| found.push(Token::word(han))).0;
            index.dictionary.insert(from.clone(), to);
        }
        let han = index.data.words.keys().map(String::as_str).chain(index.data.empty.iter().map(String::as_str));
        index.han = han.filter(|word| !word.is_ascii()).map(str::to_owned).collect();
        index.han.sort_by_key(|word| std::cmp::Reverse(word.len()));
        let ranks: HashMap<String, usize> =
            index.data.popular.iter().enumerate().map(|(rank, id)| (id.to_lowercase(), rank)).collect();
        let mut groups: HashMap<String, u32> = HashMap::new();
        for (row, model) in models.iter().enumerate() {
            let own = index.data.same.get(&model.id).cloned().unwrap_or_default();
            let moved =
                model.id.split_once('/').and_then(|(org, name)| Some(format!("{}/{name}", index.data.moved.get(org)?)));
            let old = moved.is_some().then(|| model.id.to_lowercase());
            let id = moved.unwrap_or_else(|| model.id.clone());
            let named: Vec<String> = std::iter::once(id)
                .chain(own)
                .chain(model.aliases.iter().filter(|a| a.contains('/')).cloned())
                .collect();
            for (nth, id) in named.into_iter().enumerate() {
                let name = id.rsplit('/').next().unwrap_or(&id);
                let parts = index.parts_of_name(name);
                let group = format!("{:?}{:?}{:?}{:?}", parts.words, parts.versions, parts.sizes, parts.active);
                let next = groups.len() as u32;
                let group = *groups.entry(group).or_insert(next);
                let rank = ranks.get(&id.to_lowercase()).copied().unwrap_or(ranks.len() + row);
                let at = index.entries.len();
                index.by_id.entry(id.to_lowercase()).or_insert(at);
                if nth == 0
                    && let Some(old) = &old
                {
                    index.by_id.insert(old.clone(), at);
                }
                index.by_name.entry(name.to_owned()).or_insert(at);
                if parts.packing.is_none() {
                    index.by_tokens.entry(index.spelled(&index.cut(name).tokens)).or_insert(at);
                }
                if index.members.len() <= group as usize {
                    index.members.push(vec![]);
                }
                index.members[group as usize].push(at);
                let parameters = model.counts.total as f64;
                index.entries.push(Entry { id, row, parts, parameters, rank, group });
            }
        }
        for (name, known) in &index.data.moved {
            if let Some(at) = index.by_id.get(&known.to_lowercase()).copied() {
                index.by_id.insert(name.to_lowercase(), at);
            }
        }
        index.holders = vec![vec![]; index.words.len()];
        for (at, entry) in index.entries.iter().enumerate() {
            for word in &entry.parts.words {
                index.holders[usize::from(*word)].push(at as u16);
            }
        }
        let family = |word: &&String| {
            word.len() >= 3 && index.role(word) == Role::Family && word.bytes().all(|b| b.is_ascii_alphabetic())
        };
        index.families = index.words.keys().filter(family).cloned().collect();
        index.families.sort();
        let is_tag = |word: &str| word.len() > 1 && word[1..].starts_with(|c: char| c.is_ascii_digit());
        let line = |word: &&String| index.role(word) == Role::Line || is_tag(word);
        index.lines = index.words.iter().filter(|(word, _)| line(word)).map(|(_, known)| *known).collect();
        let mut means = HashMap::new();
        for (name, id) in &index.data.means {
            if let Some(at) = index.by_id.get(&id.to_lowercase()) {
                means.insert(index.key(&index.cut(name).tokens), *at);
            }
        }
        index.means = means;
        index.unversioned = index.data.unversioned.iter().filter_map(|word| index.words.get(word).copied()).collect();
        let closed = index.data.closed.iter().enumerate();
        index.closed = closed
            .flat_map(|(nth, row)| row.names.iter().map(move |name| (nth, name)))
            .map(|(nth, name)| (index.cut(name).tokens, nth))
            .collect();
        index.other = index.data.other.names.iter().map(|name| index.cut(name).tokens).collect();
        index
    }

    /// The parts of a catalog name; its words become known.
    fn parts_of_name(&mut self, name: &str) -> Parts {
        let query = self.cut(name);
        for token in &query.tokens {
            let word = token.kind == Kind::Word && matches!(self.role(&token.text), Role::Line | Role::Family);
            if word || token.kind == Kind::Experts {
                let next = self.words.len() as Word;
                self.words.entry(token.text.clone()).or_insert(next);
            }
        }
        self.parts(&query)
    }

    fn parts(&self, query: &Query) -> Parts {
        let mut parts = Parts { packing: query.packing.name(), ..Parts::default() };
        for token in &query.tokens {
            let text = token.text.clone();
            match token.kind {
                Kind::Word => match self.role(&text) {
                    Role::Empty => {}
                    Role::Variant(variant) => parts.variant = Some(variant),
                    Role::Line | Role::Family => parts.words.extend(self.words.get(&text)),
                },
                Kind::Experts => match self.words.get(&text) {
                    Some(word) => drop(parts.words.insert(*word)),
                    None => parts.impossible = true,
                },
                Kind::Version { marked }
                    if !parts.sizes.is_empty() || text.starts_with('0') || (marked && text.starts_with("0.")) =>
                {
                    parts.revisions.push(text);
                }
                Kind::Version { .. } => parts.versions.push(text),
                Kind::Size(size) => parts.sizes.push(size),
                Kind::Active(size) => parts.active.push(size),
                Kind::Date => parts.dates.push(text),
                Kind::Length => parts.lengths.push(text),
            }
        }
        parts
    }

    /// Cuts a name into tokens, each in the catalog's own words.
    fn cut(&self, text: &str) -> Query {
        let text = token::normalise(text);
        let (raw, packing) = token::tokens(&text, |run, found| self.cut_han(run, found));
        let mut query = Query { packing, ..Query::default() };
        let mut at = 0;
        while at < raw.len() {
            let pair = raw.get(at + 1).filter(|next| next.kind == Kind::Word && raw[at].kind == Kind::Word);
            let joined = pair.map(|next| format!("{}{}", raw[at].text, next.text));
            if let Some(word) = joined.filter(|word| self.is_family(word)) {
                query.tokens.push(Token { text: word, ..raw[at].clone() });
                at += 2;
                continue;
            }
            match self.dictionary.get(&raw[at].text).filter(|_| raw[at].kind == Kind::Word) {
                Some(words) => query.tokens.extend(words.iter().cloned()),
                None => query.tokens.push(raw[at].clone()),
            }
            at += 1;
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

    fn role(&self, word: &str) -> Role {
        self.roles.get(word).copied().unwrap_or(Role::Family)
    }
    fn is_family(&self, word: &str) -> bool {
        self.words.contains_key(word) && self.role(word) == Role::Family && word.len() > 3
    }

    /// Tokens that ask for a family and a size, as one comparable text.
    fn key(&self, tokens: &[Token]) -> String {
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
    fn spelled(&self, tokens: &[Token]) -> String {
        let said = tokens.iter().map(|token| token.text.as_str()).filter(|text| self.role(text) != Role::Empty);
        said.collect::<Vec<_>>().join(" ")
    }
    fn is_known(&self, token: &Token) -> bool {
        token.kind != Kind::Word
            || self.words.contains_key(&token.text)
            || self.dictionary.contains_key(&token.text)
            || self.roles.contains_key(&token.text)
    }

    /// Splits and mends words that are in no name.
    fn mend(&self, query: &mut Query) {
        let mut tokens: Vec<Token> = vec![];
        let mut corrected = 0;
        for (at, token) in query.tokens.iter().enumerate() {
            if self.is_known(token) {
                tokens.push(token.clone());
                continue;
            }
            let text = token.text.as_str();
            let joined = |n: usize| query.tokens.get(at + n).filter(|next| next.joined);
            // deepseekr1, kimik2, deepseekv3
            let (head, last) = text.char_indices().last().map_or((text, ""), |(end, _)| text.split_at(end));
            if let Some(next) =
                joined(1).filter(|next| matches!(next.kind, Kind::Version { .. }) && self.words.contains_key(head))
            {
                tokens.push(Token::word(head));
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
            } else if let Some(word) = self.nearest_family(text).filter(|_| corrected < 3) {
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
        if typed.len() < 3 || !first.is_ascii() {
            return None;
        }
        let allowed = if typed.len() >= 9 { 2 } else { 1 };
        let near = self.families.iter().filter(|word| {
            word.len().abs_diff(typed.len()) <= allowed && (word.starts_with(first) || word[1..].starts_with(first))
        });
        let squeezed = squeeze(typed);
        let distance =
            |word: &str| strsim::osa_distance(typed, word).min(strsim::osa_distance(&squeezed, &squeeze(word)) + 1);
        near.map(|word| (distance(word), word))
            .filter(|(distance, word)| {
                let swapped = || word.len() == typed.len() && word.chars().all(|c| typed.contains(c));
                *distance <= allowed && (word.len() > 3 || swapped())
            })
            .min_by_key(|(distance, word)| (*distance, word.len()))
            .map(|(_, word)| word.as_str())
    }

    pub fn resolve(&self, text: &str) -> Resolution {
        let trimmed = trim_path(text);
        let cut: String = trimmed.chars().take(200).collect();
        let asked = HOSTS.iter().fold(cut.as_str(), |text, host| text.strip_prefix(host).unwrap_or(text));
        let lower = asked.to_lowercase();
        if let Some(at) = self.by_id.get(&lower) {
            return self.exactly(*at, asked);
        }
        let (path, tag) = asked.rsplit_once(':').map_or((asked, None), |(path, tag)| (path, Some(tag)));
        let (organisation, name) = path.rsplit_once('/').unwrap_or(("", path));
        let library = name.to_lowercase();
        let tag = match tag {
            Some("latest") => self.data.ollama.latest.get(&library).map(String::as_str),
            tag => tag,
        };
        let mut query = self.cut(&tag.map_or_else(|| name.to_owned(), |tag| format!("{name} {tag}")));
        query.ollama = tag.is_some() && organisation.is_empty();
        if organisation.contains("mlx") {
            query.packing.mlx();
        }
        // A repository packed in a way its name does not say.
        let packed =
            self.data.packed.iter().find(|(id, _)| id.eq_ignore_ascii_case(asked)).map(|(_, packing)| packing.clone());
        let library_packing =
            || Some(self.data.ollama.packing(&library, &tag?.to_lowercase()).to_owned()).filter(|_| query.ollama);
        let quant = packed.or_else(|| query.packing.name()).or_else(library_packing);
        // A repository's very name is that repository, also where it could be read more widely.
        let written = || self.by_name.get(name).filter(|_| tag.is_none());
        let packed_of = || {
            self.by_tokens
                .get(&self.spelled(&query.tokens))
                .filter(|_| quant.is_some() && !query.ollama && !name.contains(' '))
        };
        if let Some(at) = written().or_else(packed_of) {
            return Resolution { quant, ..self.exactly(*at, name) };
        }
        Resolution { quant, ..self.read(query) }
    }

    fn exactly(&self, at: usize, typed: &str) -> Resolution {
        let quant = self.cut(typed.rsplit('/').next().unwrap_or(typed)).packing.name();
        Resolution { id: Some(self.entries[at].id.clone()), quant, ..Resolution::new(Outcome::Match) }
    }

    fn read(&self, mut query: Query) -> Resolution {
        if let Some(closed) = self.closed.iter().find(|(name, _)| starts_with(&query.tokens, name)) {
            return self.refuse_closed(closed.1, &query);
        }
        self.mend(&mut query);
        if let Some(generic) = self.generic(&query) {
            return generic;
        }
        if let Some(found) = self.find(&query) {
            return found;
        }
        if let Some(closed) = self.closed.iter().find(|(name, _)| contains(&query.tokens, name)) {
            return self.refuse_closed(closed.1, &query);
        }
        let other = self.other.iter().any(|name| contains(&query.tokens, name));
        let mut unknown = Resolution::new(Outcome::Unknown);
        let typed = query.tokens.iter().map(|token| token.text.as_str()).collect::<Vec<_>>().join(" ");
        unknown.candidates = if other { vec![] } else { self.near(&query) };
        unknown.reason = Some(if other {
            msg!("name-no-language-model", typed = typed)
        } else if unknown.candidates.is_empty() {
            msg!("name-unknown", typed = typed)
        } else {
            msg!("name-not-in-family", typed = typed, near = unknown.candidates.clone())
        });
        unknown
    }

    /// A size and nothing else.
    fn generic(&self, query: &Query) -> Option<Resolution> {
        let asks = |token: &&Token| matches!(self.role(&token.text), Role::Line | Role::Family);
        let mut asking = query.tokens.iter().filter(asks);
        let only = asking.next().filter(|_| asking.next().is_none())?;
        match only.kind {
            Kind::Size(size) if size > 0.0 => {
                Some(Resolution { id: Some(token::size_text(size)), ..Resolution::new(Outcome::Generic) })
            }
            _ => None,
        }
    }

    fn refuse_closed(&self, nth: usize, query: &Query) -> Resolution {
        let row = &self.data.closed[nth];
        let typed = query.tokens.iter().map(|token| token.text.as_str()).collect::<Vec<_>>().join(" ");
        let mut refused = Resolution::new(Outcome::Unknown);
        refused.candidates =
            row.open.iter().filter(|id| self.by_id.contains_key(&id.to_lowercase())).cloned().collect();
        refused.reason =
            Some(msg!("name-closed", typed = typed, maker = row.maker.as_str(), near = refused.candidates.clone()));
        refused
    }

    /// Matches as typed, then with the name read ever more freely.
    fn find(&self, query: &Query) -> Option<Resolution> {
        if let Some(at) = self.means.get(&self.key(&query.tokens)) {
            return Some(self.choose(query, &[self.entries[*at].group], Some(*at)));
        }
        type Freer = fn(&Index, &Query) -> Option<Query>;
        let freer: [Freer; 7] = [
            |_, q| Some(q.clone()),
            Index::without_strangers,
            Index::with_points,
            Index::with_bare_size,
            Index::with_confused_digits,
            Index::with_later_version,
            Index::without_lines,
        ];
        let mut read = query.clone();
        for free in freer {
            let Some(tried) = free(self, &read) else { continue };
            let parts = self.parts(&tried);
            let found = if self.only_lines(&parts) { vec![] } else { self.holding(&parts) };
            if !found.is_empty() {
                return Some(self.settle(&tried, &parts, &found));
            }
            // Unknown words stay out in every freer reading; the others are alternatives.
            if tried.tokens.len() < read.tokens.len() && std::ptr::fn_addr_eq(free, Index::without_strangers as Freer) {
                read = tried;
            }
        }
        None
    }

    /// Leaves out numbers that belong to words of no model: the 2.9 of `dolphin-2.9-llama3-8b`.
    fn without_strangers(&self, query: &Query) -> Option<Query> {
        let mut read = query.clone();
        let mut after_stranger = false;
        read.tokens.retain(|token| {
            let stranger = !self.is_known(token);
            let kept = !(after_stranger && matches!(token.kind, Kind::Version { .. }));
            after_stranger = stranger;
            kept
        });
        (read.tokens.len() < query.tokens.len()).then_some(read)
    }

    /// `qwen25` and `llama-3-1` lost their point.
    fn with_points(&self, query: &Query) -> Option<Query> {
        let mut read = query.clone();
        let is_version = |token: &Token| matches!(token.kind, Kind::Version { .. });
        for at in 0..read.tokens.len() {
            let digits = read.tokens[at].text.clone();
            if is_version(&read.tokens[at]) && digits.len() == 2 && !digits.contains('.') {
                read.tokens[at].text = format!("{}.{}", &digits[..1], &digits[1..]);
                return Some(read);
            }
            let next = read.tokens.get(at + 1).filter(|next| is_version(next) && next.text.len() == 1);
            if let Some(next) = next.filter(|_| is_version(&read.tokens[at]) && digits.len() == 1) {
                read.tokens[at].text = format!("{digits}.{}", next.text);
                read.tokens.remove(at + 1);
                return Some(read);
            }
        }
        None
    }

    /// `falcon 180`: a number that is no version is a size.
    fn with_bare_size(&self, query: &Query) -> Option<Query> {
        let mut read = query.clone();
        let sized = read.tokens.iter().any(|token| matches!(token.kind, Kind::Size(_)));
        let number = read.tokens.iter_mut().rfind(|token| matches!(token.kind, Kind::Version { marked: false }))?;
        let size: f64 = number.text.parse().ok()?;
        *number = Token::size(size * 1e9);
        (!sized && size > 0.0).then_some(read)
    }

    /// `deepseek-rl`.
    fn with_confused_digits(&self, query: &Query) -> Option<Query> {
        let mut read = query.clone();
        let confused = read
            .tokens
            .iter_mut()
            .find(|token| token.kind == Kind::Word && token.text.len() == 2 && token.text.ends_with(['l', 'i']))?;
        confused.text = format!("{}1", &confused.text[..1]);
        let known = self.words.contains_key(&confused.text);
        read.mended = true;
        known.then_some(read)
    }

    /// `llama 3 405b` is of 3.1: the newest that has what was asked.
    fn with_later_version(&self, query: &Query) -> Option<Query> {
        let parts = self.parts(query);
        let [asked] = &parts.versions[..] else { return None };
        let prefix = format!("{asked}.");
        let without = Parts { versions: vec![], ..parts.clone() };
        let holding = self.holding(&without);
        let later = holding
            .iter()
            .flat_map(|at| &self.entries[*at].parts.versions)
            .filter(|version| version.starts_with(&prefix))
            .max()?;
        let mut read = query.clone();
        read.tokens.iter_mut().find(|token| token.text == *asked)?.text = later.clone();
        read.mended = true;
        Some(read)
    }

    /// `Hermes-2-Pro-Llama-3-8B`: a fine-tune's own words, where family and size are plain without them.
    fn without_lines(&self, query: &Query) -> Option<Query> {
        let mut read = self.without_strangers(query).unwrap_or_else(|| query.clone());
        let before = read.tokens.len();
        read.tokens.retain(|token| token.kind != Kind::Word || self.role(&token.text) != Role::Line);
        read.mended = true;
        let parts = self.parts(&read);
        let sized = read.tokens.iter().any(|token| matches!(token.kind, Kind::Size(_) | Kind::Experts));
        let plain = sized && !parts.words.is_empty();
        (plain && read.tokens.len() < before).then_some(read)
    }
    /// Entries that have every part asked for.
    fn holding(&self, parts: &Parts) -> Vec<usize> {
        if parts.impossible {
            return vec![];
        }
        let sized = |tolerance: f64, named: bool| -> Vec<usize> {
            let all: Vec<u16> =
                match parts.words.iter().map(|word| &self.holders[usize::from(*word)]).min_by_key(|held| held.len()) {
                    Some(rarest) => rarest.clone(),
                    None if !parts.active.is_empty() => (0..self.entries.len() as u16).collect(),
                    None => return vec![],
                };
            all.into_iter()
                .map(usize::from)
                .filter(|at| self.holds(&self.entries[*at], parts, tolerance, named))
                .collect()
        };
        let named = sized(0.05, true);
        if named.is_empty() { sized(0.05, false) } else { named }
    }

    /// A size is the name's own; where the name has none (or, freely, another) the parameters'.
    fn holds(&self, entry: &Entry, parts: &Parts, tolerance: f64, named: bool) -> bool {
        let own = &entry.parts;
        let size_holds = |size: &f64| {
            let counted = || close(entry.parameters, *size, tolerance);
            own.sizes.iter().any(|known| close(*known, *size, 1e-6))
                || (if named { own.sizes.is_empty() } else { true } && counted())
        };
        parts.words.is_subset(&own.words)
            && parts.versions.iter().all(|version| own.versions.contains(version) || own.revisions.contains(version))
            && parts.sizes.iter().all(size_holds)
            && parts.active.iter().all(|size| own.active.iter().any(|known| close(*known, *size, 1e-6)))
    }

    /// One group of those found is meant, or several could be.
    fn settle(&self, query: &Query, parts: &Parts, found: &[usize]) -> Resolution {
        // A distilled model is known by what was distilled into it.
        let distill = self.words.get("distill");
        let added = |at: &usize| {
            let own = &self.entries[*at].parts.words;
            own.len()
                - parts.words.len()
                - usize::from(distill.is_some_and(|word| own.contains(word) && !parts.words.contains(word)))
        };
        let fewest = found.iter().map(added).min().unwrap_or(0);
        let mut nearest: Vec<usize> = found.iter().copied().filter(|at| added(at) == fewest).collect();
        // A family's bare name is any line of it, where they differ in size.
        if parts.words.len() == 1 && parts.versions.is_empty() && parts.sizes.is_empty() && parts.active.is_empty() {
            let of_line = |at: &usize| {
                self.entries[*at].parts.words.difference(&parts.words).all(|word| self.lines.contains(word))
            };
            let lines: Vec<usize> = found.iter().copied().filter(of_line).collect();
            let alike = |at: &usize| close(self.entries[*at].parameters, self.entries[nearest[0]].parameters, 0.05);
            nearest = if lines.iter().all(alike) { nearest } else { lines };
        }
        if parts.versions.is_empty()
            && parts.words.iter().any(|word| self.unversioned.contains(word))
            && !parts.sizes.is_empty()
        {
            let first: Vec<usize> =
                nearest.iter().copied().filter(|at| self.entries[*at].parts.versions.is_empty()).collect();
            nearest = if first.is_empty() { nearest } else { first };
        }
        // Versions of one shape: that without a number, else the newest.
        let row = self.entries[nearest[0]].row;
        if parts.versions.is_empty() && nearest.iter().all(|at| self.entries[*at].row == row) {
            let versions = || nearest.iter().map(|at| &self.entries[*at].parts.versions);
            let meant = versions().find(|versions| versions.is_empty()).or_else(|| versions().max()).cloned();
            nearest.retain(|at| Some(&self.entries[*at].parts.versions) == meant.as_ref());
        }
        let mut groups: Vec<u32> = vec![];
        nearest.sort_by_key(|at| self.entries[*at].rank);
        for at in nearest {
            if !groups.contains(&self.entries[at].group) {
                groups.push(self.entries[at].group);
            }
        }
        self.choose(query, &groups, None)
    }

    /// The entry of each group that fits what was typed best.
    fn choose(&self, query: &Query, groups: &[u32], meant: Option<usize>) -> Resolution {
        let parts = self.parts(query);
        let best =
            |group: &u32| self.members[*group as usize].iter().min_by_key(|at| self.fit(**at, &parts, query, meant));
        let candidates: Vec<String> =
            groups.iter().take(6).filter_map(best).map(|at| self.entries[*at].id.clone()).collect();
        let id = candidates.first().cloned();
        if candidates.len() == 1 {
            let strangers = query.tokens.iter().any(|token| !self.is_known(token));
            let read_as = id.clone().filter(|_| query.mended || strangers);
            return Resolution { id, read_as, ..Resolution::new(Outcome::Match) };
        }
        Resolution { id, candidates, ..Resolution::new(Outcome::Ambiguous) }
    }

    /// How far an entry is from what was typed: the smaller, the nearer.
    fn fit(&self, at: usize, parts: &Parts, query: &Query, meant: Option<usize>) -> impl Ord + use<> {
        let entry = &self.entries[at];
        let own = &entry.parts;
        let missing = |asked: &[String], has: &[String]| asked.iter().filter(|part| !has.contains(part)).count();
        let missed = missing(&parts.dates, &own.dates)
            + missing(&parts.lengths, &own.lengths)
            + missing(&parts.revisions, &own.revisions);
        let own_variant = own.variant.unwrap_or(Variant::Plain);
        let order = match parts.variant.unwrap_or(if query.ollama { Variant::Instruct } else { Variant::Plain }) {
            Variant::Plain => [Variant::Plain, Variant::Base, Variant::Instruct],
            Variant::Base => [Variant::Base, Variant::Plain, Variant::Instruct],
            Variant::Instruct => [Variant::Instruct, Variant::Plain, Variant::Base],
        };
        let variant = order.iter().position(|variant| *variant == own_variant);
        let asked_variant = parts.variant.and(variant);
        let packed = own.packing.as_ref().map_or(0, |own| if parts.packing.as_ref() == Some(own) { 1 } else { 2 });
        let unwanted = meant.is_some_and(|meant| meant != at) && !query.ollama;
        // A name that says which revision says which variant, too.
        let exact = query.ollama || !parts.revisions.is_empty() || !parts.dates.is_empty();
        let rank = if exact { self.popular } else { entry.rank.min(self.popular) };
        let newest = std::cmp::Reverse((own.dates.clone(), own.revisions.clone()));
        (missed, packed, asked_variant, unwanted, !own.dates.is_empty(), rank, variant, newest, entry.rank)
    }

    /// What a name that fits nothing comes near: the same family in other sizes or versions.
    fn near(&self, query: &Query) -> Vec<String> {
        let mut parts = self.parts(&self.without_strangers(query).unwrap_or_else(|| query.clone()));
        let size = parts.sizes.drain(..).next();
        parts.active.clear();
        parts.impossible = false;
        let known: BTreeSet<Word> =
            parts.words.iter().copied().filter(|word| !self.holders[usize::from(*word)].is_empty()).collect();
        parts.words = known;
        if self.only_lines(&parts) {
            return vec![];
        }
        let mut found = self.holding(&parts);
        if found.is_empty() {
            parts.versions.clear();
            found = self.holding(&parts);
        }
        let distance =
            |at: &usize| size.map_or(0, |size| ((self.entries[*at].parameters / size).ln().abs() * 1000.0) as u64);
        found.sort_by_key(|at| (distance(at), self.entries[*at].parts.words.len(), self.entries[*at].rank));
        let mut seen = BTreeSet::new();
        found
            .into_iter()
            .filter(|at| seen.insert(self.entries[*at].group))
            .take(4)
            .map(|at| self.entries[at].id.clone())
            .collect()
    }
    /// No word of a family, nor experts' sizes, which say as much.
    fn only_lines(&self, parts: &Parts) -> bool {
        let plain = |word: &Word| self.data.lines.iter().any(|line| self.words.get(line) == Some(word));
        parts.words.iter().all(plain) && parts.active.is_empty()
    }

    pub fn resized(&self, id: &str, parameters: f64) -> Resolution {
        let Some(at) = self.by_id.get(&id.to_lowercase()) else { return self.resolve(&token::size_text(parameters)) };
        let own = &self.entries[*at].parts;
        let so_sized = own.sizes.iter().any(|size| close(*size, parameters, 1e-6));
        if so_sized || (own.sizes.is_empty() && close(self.entries[*at].parameters, parameters, 0.05)) {
            return self.exactly(*at, id);
        }
        let name = self.entries[*at].id.rsplit('/').next().unwrap_or_default();
        let mut query = self.cut(name);
        query.tokens.retain(|token| !matches!(token.kind, Kind::Size(_) | Kind::Active(_) | Kind::Date | Kind::Length));
        query.tokens.retain(|token| !own.revisions.contains(&token.text));
        query.tokens.push(Token::size(parameters));
        self.read(query)
    }

    pub fn rank(&self, id: &str) -> usize {
        self.by_id.get(&id.to_lowercase()).map_or(usize::MAX, |at| self.entries[*at].rank)
    }

    pub fn row(&self, id: &str) -> Option<usize> {
        self.by_id.get(&id.to_lowercase()).map(|at| self.entries[*at].row)
    }

    pub fn suggest(&self, typed: &str, limit: usize) -> Vec<&str> {
        let typed = token::normalise(typed.trim());
        let squash = |text: &str| text.chars().filter(|c| c.is_alphanumeric()).collect::<String>();
        let wanted = squash(&typed);
        let mut found: Vec<(usize, usize)> = self
            .entries
            .iter()
            .enumerate()
            .filter_map(|(at, entry)| {
                let id = entry.id.to_lowercase();
                let name = id.rsplit('/').next().unwrap_or(&id);
                let place = if id.starts_with(&typed) || name.starts_with(&typed) {
                    0
                } else if squash(&id).contains(&wanted) {
                    1
                } else {
                    return None;
                };
                Some((place * self.entries.len() + entry.rank, at))
            })
            .collect();
        if found.is_empty() {
            let read = self.resolve(&typed);
            let ids = read.id.into_iter().chain(read.candidates);
            found = ids
                .filter_map(|id| self.by_id.get(&id.to_lowercase()))
                .enumerate()
                .map(|(rank, at)| (rank, *at))
                .collect();
        }
        found.sort_unstable();
        found.dedup();
        found.into_iter().take(limit).map(|(_, at)| self.entries[at].id.as_str()).collect()
    }
}

/// Each run of one letter as one: `lamma` and `llama` are both `lama`.
fn squeeze(word: &str) -> String {
    let mut letters: Vec<char> = word.chars().collect();
    letters.dedup();
    letters.into_iter().collect()
}

fn same(typed: &Token, name: &Token) -> bool {
    let minor = || {
        matches!((&typed.kind, &name.kind), (Kind::Version { .. }, Kind::Version { .. }))
            && typed.text.split('.').next() == Some(&name.text)
    };
    typed.means(name) || minor()
}
fn starts_with(tokens: &[Token], name: &[Token]) -> bool {
    tokens.len() >= name.len() && tokens.iter().zip(name).all(|(typed, name)| same(typed, name))
}
fn contains(tokens: &[Token], name: &[Token]) -> bool {
    (0..tokens.len()).any(|at| starts_with(&tokens[at..], name))
}
