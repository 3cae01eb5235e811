//! Models by name.
//!
//! Every id of the catalog and of `presets/names.toml` is cut into the same parts as what people type; a model is
//! meant if it has every part that was typed. Those that add the fewest words of their own are left, and where they
//! differ in family, version or size the name is ambiguous.

use super::data::Data;
use super::freer::FREER;
use super::lexicon::{Lexicon, Parts, Query, Role, Variant, Version, Word};
use super::token::{self, Kind, Token};
use super::{Outcome, Resolution};
use crate::catalog::Listed;
use crate::msg;
use rustc_hash::{FxHashMap, FxHashSet};
use std::collections::BTreeSet;

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

/// As much of an unknown name as is quoted.
const LONGEST_QUOTE: usize = 80;

pub struct Entry {
    id: String,
    pub parts: Parts,
    /// Whose shape it has, and whose family: `Llama 3` of 3.1 and 3.2, too.
    pub listed: &'static Listed,
    /// Place in `popular`, then in the catalog.
    rank: usize,
    /// Same for models that differ only in variant, date, revision and packing.
    group: usize,
}

pub struct Index {
    pub lexicon: Lexicon,
    pub entries: Vec<Entry>,
    by_id: FxHashMap<String, usize>,
    /// Last parts of ids, and the same as tokens.
    by_name: FxHashMap<String, usize>,
    by_tokens: FxHashMap<String, usize>,
    /// Entries of each group.
    members: Vec<Vec<usize>>,
    /// Entries that have each word.
    holders: Vec<Vec<usize>>,
    /// Words that tell models of one family apart, and with them tags such as `k2`.
    lines: BTreeSet<Word>,
    lines_and_tags: BTreeSet<Word>,
    means: FxHashMap<String, usize>,
    unversioned: Vec<Word>,
    /// Names of closed models, each with its row in the data.
    closed: Vec<(Vec<Token>, usize)>,
    other: Vec<Vec<Token>>,
    /// First words of the names above and of `means`.
    heads: FxHashSet<String>,
    data: &'static Data,
}

impl Entry {
    /// Of the language model, as sizes in names are.
    fn parameters(&self) -> f64 {
        let model = self.listed.model();
        (model.counts.total - model.vision_parameters) as f64
    }
    /// Whether it has every part asked for, sizes by a measure of its own.
    fn has(&self, parts: &Parts, size: fn(&Entry, f64) -> bool) -> bool {
        let own = &self.parts;
        // The 3 of `Llama-3.1-Tulu-3` is no Llama 3.
        let told = own.numbers.iter().any(|number| number.is_of(&parts.words));
        let version = |asked: &String| {
            let is = |number: &Version| point_free(&number.text) == point_free(asked);
            own.numbers.iter().any(|number| is(number) && (!told || number.is_of(&parts.words)))
        };
        let active = |size: &f64| own.active.iter().any(|known| close(*known, *size, SAME));
        parts.words.is_subset(&own.words)
            && parts.versions.iter().all(version)
            && parts.sizes.iter().all(|asked| size(self, *asked))
            && parts.active.iter().all(active)
    }
    /// The size in its name, or where there is none its parameters.
    fn is_named_for(&self, size: f64) -> bool {
        let own = &self.parts.sizes;
        own.iter().any(|known| close(*known, size, SAME)) || (own.is_empty() && close(self.parameters(), size, ABOUT))
    }
    fn is_near(&self, size: f64) -> bool {
        close(self.parameters(), size, NEAR)
    }
}

/// How far sizes may differ: as written; from the parameters that a round size stands for; and from those of a model
/// that is named for another size.
const SAME: f64 = 1e-6;
const ABOUT: f64 = 0.05;
const NEAR: f64 = 0.025;

fn close(a: f64, b: f64, tolerance: f64) -> bool {
    (a / b - 1.0).abs() <= tolerance
}

/// `3.0` is 3.
fn point_free(version: &str) -> &str {
    version.strip_suffix(".0").unwrap_or(version)
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

impl Index {
    pub fn new(models: &'static [Listed], data: &'static Data) -> Self {
        let mut index = Self {
            lexicon: Lexicon::new(data),
            entries: Vec::with_capacity(models.len() * 2),
            by_id: FxHashMap::default(),
            by_name: FxHashMap::default(),
            by_tokens: FxHashMap::default(),
            members: vec![],
            holders: vec![],
            lines: BTreeSet::new(),
            lines_and_tags: BTreeSet::new(),
            means: FxHashMap::default(),
            unversioned: vec![],
            closed: vec![],
            other: vec![],
            heads: FxHashSet::default(),
            data,
        };
        index.enter(models);
        index.lexicon.close();
        let lexicon = &index.lexicon;
        index.holders = vec![vec![]; lexicon.len()];
        for (at, entry) in index.entries.iter().enumerate() {
            for word in &entry.parts.words {
                index.holders[usize::from(*word)].push(at);
            }
        }
        index.lines = lexicon.lines(false);
        index.lines_and_tags = lexicon.lines(true);
        let tokens = |name: &String| lexicon.cut(name).tokens;
        let known = |id: &String| index.by_id.get(&id.to_lowercase()).copied();
        let means = index.data.means.iter();
        index.means = means.filter_map(|(name, id)| Some((lexicon.key(&tokens(name)), known(id)?))).collect();
        index.unversioned = index.data.unversioned.iter().filter_map(|word| lexicon.word(word)).collect();
        let closed = index.data.closed.iter().enumerate();
        let closed = closed.flat_map(|(nth, row)| row.names.iter().map(move |name| (name, nth)));
        index.closed = closed.map(|(name, nth)| (tokens(name), nth)).collect();
        index.other = index.data.other.names.iter().map(tokens).collect();
        let meant = index.data.means.keys().map(tokens).collect::<Vec<_>>();
        let listed = index.closed.iter().map(|(name, _)| name).chain(&index.other).chain(&meant);
        index.heads = listed.filter_map(|name| Some(name.first()?.text.clone())).collect();
        index
    }

    /// Every id of the catalog, and the ids that share a row's shape.
    fn enter(&mut self, models: &'static [Listed]) {
        let popular = self.data.popular.iter().enumerate();
        let ranks: FxHashMap<String, usize> = popular.map(|(rank, id)| (id.to_lowercase(), rank)).collect();
        let bits = |sizes: &[f64]| sizes.iter().map(|size| size.to_bits()).collect::<Vec<_>>();
        let mut groups = FxHashMap::default();
        for (place, model) in models.iter().enumerate() {
            let moved =
                model.id.split_once('/').and_then(|(org, name)| Some(format!("{}/{name}", self.data.moved.get(org)?)));
            let first = self.entries.len();
            let id = moved.unwrap_or_else(|| model.id.to_owned());
            let same = self.data.same.get(model.id).cloned().unwrap_or_default();
            let aliases = model.aliases().filter(|alias| alias.contains('/')).map(str::to_owned);
            for id in std::iter::once(id).chain(same).chain(aliases) {
                let at = self.entries.len();
                let name = id.rsplit('/').next().unwrap_or(&id);
                let (query, parts) = self.lexicon.learn(name);
                let group = (parts.words.clone(), parts.versions.clone(), bits(&parts.sizes), bits(&parts.active));
                let next = groups.len();
                let group = *groups.entry(group).or_insert(next);
                self.members.resize(groups.len(), vec![]);
                self.members[group].push(at);
                let lower = id.to_lowercase();
                let rank = ranks.get(&lower).copied().unwrap_or(ranks.len() + place);
                self.by_id.entry(lower).or_insert(at);
                self.by_name.entry(name.to_owned()).or_insert(at);
                if parts.packing.is_none() {
                    self.by_tokens.entry(self.lexicon.spelled(&query.tokens)).or_insert(at);
                }
                self.entries.push(Entry { id, listed: model, parts, rank, group });
            }
            self.by_id.insert(model.id.to_lowercase(), first);
        }
        for (name, known) in &self.data.moved {
            if let Some(at) = self.by_id.get(&known.to_lowercase()).copied() {
                self.by_id.insert(name.to_lowercase(), at);
            }
        }
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
        // `bartowski/Qwen_QwQ-32B-GGUF`: whose the model is.
        let name = match name.split_once('_') {
            Some((owner, own)) if !organisation.is_empty() && self.has_owner(owner) => own,
            _ => name,
        };
        let library = name.to_lowercase();
        let tag = match tag {
            Some("latest") => self.data.ollama.latest.get(&library).map(String::as_str),
            tag => tag,
        };
        let mut query = self.lexicon.cut(&tag.map_or_else(|| name.to_owned(), |tag| format!("{name} {tag}")));
        query.ollama = tag.is_some() && organisation.is_empty();
        query.repository = !organisation.is_empty();
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
                .get(&self.lexicon.spelled(&query.tokens))
                .filter(|_| quant.is_some() && !query.ollama && !name.contains(' '))
        };
        if let Some(at) = written().or_else(packed_of) {
            return Resolution { quant, ..self.exactly(*at, name) };
        }
        Resolution { quant, ..self.read(query, asked) }
    }

    pub fn has_owner(&self, name: &str) -> bool {
        let is = |id: &str| id.split_once('/').is_some_and(|(owner, _)| owner.eq_ignore_ascii_case(name));
        self.entries.iter().any(|entry| is(&entry.id))
    }

    fn exactly(&self, at: usize, typed: &str) -> Resolution {
        let quant = self.lexicon.cut(typed.rsplit('/').next().unwrap_or(typed)).packing.name();
        Resolution { id: Some(self.entries[at].id.clone()), quant, ..Resolution::new(Outcome::Match) }
    }

    /// Reads what was cut from what was typed.
    fn read(&self, mut query: Query, typed: &str) -> Resolution {
        let typed: String = typed.chars().take(LONGEST_QUOTE).collect();
        if let Some(meant) = self.meant(&query, &query.tokens) {
            return meant;
        }
        let told = query.tokens.iter().position(|token| self.lexicon.role(&token.text) != Role::Empty).unwrap_or(0);
        if let Some(closed) = self.closed.iter().find(|(name, _)| starts_with(&query.tokens[told..], name)) {
            return self.refuse_closed(closed.1, &typed);
        }
        if self.other.iter().any(|name| starts_with(&query.tokens, name)) {
            let reason = Some(msg!("name-no-language-model", typed = typed));
            return Resolution { reason, ..Resolution::new(Outcome::Unknown) };
        }
        let plain = query.clone();
        self.lexicon.mend(&mut query);
        if let Some(generic) = self.generic(&query) {
            return generic;
        }
        // A word of no model may come near one of another's: the `MTP` of `Qwen3.6-27B-MTP`.
        if let Some(found) = self.find(&query).or_else(|| if query.mended { self.find(&plain) } else { None }) {
            return found;
        }
        if let Some(closed) = self.closed.iter().find(|closed| self.holds_closed(&query.tokens, closed)) {
            return self.refuse_closed(closed.1, &typed);
        }
        let candidates = self.near(&query);
        let reason = if candidates.is_empty() {
            msg!("name-unknown", typed = typed)
        } else {
            msg!("name-not-in-family", typed = typed, near = candidates.clone())
        };
        Resolution { candidates, reason: Some(reason), ..Resolution::new(Outcome::Unknown) }
    }

    /// A size and nothing else.
    fn generic(&self, query: &Query) -> Option<Resolution> {
        let asks = |token: &&Token| matches!(self.lexicon.role(&token.text), Role::Line | Role::Family);
        let mut asking = query.tokens.iter().filter(asks);
        let only = asking.next().filter(|_| asking.next().is_none())?;
        match only.kind {
            Kind::Size(size) if size > 0.0 => {
                Some(Resolution { id: Some(token::size_text(size)), ..Resolution::new(Outcome::Generic) })
            }
            _ => None,
        }
    }

    /// Whether a closed model's name stands here, after its maker or words that tell nothing: the `o1` of `marco-o1` is
    /// another's own.
    fn holds_closed(&self, tokens: &[Token], (name, nth): &(Vec<Token>, usize)) -> bool {
        let maker = self.data.closed[*nth].maker.to_lowercase();
        let tells = |token: &Token| {
            token.kind == Kind::Word
                && self.lexicon.role(&token.text) == Role::Family
                && !self.heads.contains(&token.text)
                && !maker.contains(&token.text)
        };
        let begins = tokens.iter().take_while(|token| !tells(token)).count();
        (0..tokens.len().min(begins + 1)).any(|at| starts_with(&tokens[at..], name))
    }

    fn refuse_closed(&self, nth: usize, typed: &str) -> Resolution {
        let row = &self.data.closed[nth];
        let mut refused = Resolution::new(Outcome::Unknown);
        refused.candidates =
            row.open.iter().filter(|id| self.by_id.contains_key(&id.to_lowercase())).cloned().collect();
        refused.reason =
            Some(msg!("name-closed", typed = typed, maker = row.maker.as_str(), near = refused.candidates.clone()));
        refused
    }

    /// What `means` takes a bare name for.
    fn meant(&self, query: &Query, tokens: &[Token]) -> Option<Resolution> {
        let at = *self.means.get(&self.lexicon.key(tokens))?;
        Some(self.choose(query, &[self.entries[at].group], Some(at)))
    }

    /// Matches as typed, then with the name read ever more freely.
    fn find(&self, query: &Query) -> Option<Resolution> {
        let is_known = |token: &&Token| self.lexicon.is_known(token) || self.heads.contains(&token.text);
        let known: Vec<Token> = query.tokens.iter().filter(is_known).cloned().collect();
        let strangers = query.tokens.len() - known.len();
        let telling = known.iter().filter(|token| self.lexicon.role(&token.text) != Role::Empty).count();
        let meant = match self.meant(query, &query.tokens) {
            // Words that are in no name outnumber those that are: talk.
            None if strangers > 1 && strangers > telling => return None,
            meant => meant.or_else(|| self.meant(query, &known)),
        };
        if meant.is_some() {
            return meant;
        }
        // Numbers of words that no model has stay out of every freer reading.
        let plain = self.without_strangers(query);
        let freer = FREER.iter().filter_map(|free| free(self, &plain));
        let readings = [query.clone(), plain.clone()].into_iter().chain(freer);
        for read in readings {
            let parts = self.lexicon.parts(&read);
            let found = if self.only_lines(&parts) { vec![] } else { self.holding(&parts) };
            if !found.is_empty() {
                return Some(self.settle(&read, &parts, &found));
            }
        }
        None
    }

    /// Entries that have every part asked for.
    pub fn holding(&self, parts: &Parts) -> Vec<usize> {
        if parts.impossible {
            return vec![];
        }
        let rarest = parts.words.iter().map(|word| &self.holders[usize::from(*word)]).min_by_key(|held| held.len());
        let all: Vec<usize> = match rarest {
            Some(rarest) => rarest.clone(),
            None if parts.active.is_empty() => return vec![],
            None => (0..self.entries.len()).collect(),
        };
        let held = |size: fn(&Entry, f64) -> bool| -> Vec<usize> {
            all.iter().copied().filter(|at| self.entries[*at].has(parts, size)).collect()
        };
        let named = held(Entry::is_named_for);
        if named.is_empty() { held(Entry::is_near) } else { named }
    }

    /// One group of those found is meant, or several could be.
    fn settle(&self, query: &Query, parts: &Parts, found: &[usize]) -> Resolution {
        // A distilled model is known by what was distilled into it.
        let distill = self.lexicon.word("distill");
        let added = |at: &usize| {
            let own = &self.entries[*at].parts.words;
            own.len()
                - parts.words.len()
                - usize::from(distill.is_some_and(|word| own.contains(&word) && !parts.words.contains(&word)))
        };
        let fewest = found.iter().map(added).min().unwrap_or(0);
        let mut nearest: Vec<usize> = found.iter().copied().filter(|at| added(at) == fewest).collect();
        // A family's bare name is any line of it, where they differ in size.
        if parts.words.len() == 1 && parts.versions.is_empty() && parts.sizes.is_empty() && parts.active.is_empty() {
            let of_line = |at: &usize| {
                self.entries[*at].parts.words.difference(&parts.words).all(|word| self.lines_and_tags.contains(word))
            };
            let lines: Vec<usize> = found.iter().copied().filter(of_line).collect();
            let alike =
                |at: &usize| close(self.entries[*at].parameters(), self.entries[nearest[0]].parameters(), ABOUT);
            nearest = if lines.iter().all(alike) { nearest } else { lines };
        }
        // `mistral v0.3`
        let revised =
            |at: &usize| parts.revisions.iter().all(|revision| self.entries[*at].parts.revisions.contains(revision));
        if nearest.iter().any(revised) {
            nearest.retain(revised);
        }
        // `mistral small 2409`
        let dated = |at: &usize| parts.dates.iter().all(|date| self.entries[*at].parts.dates.contains(date));
        if nearest.iter().any(dated) {
            nearest.retain(dated);
        }
        // A repository's name leaves no version out: `someone/llama-7b-hf`.
        let first_meant = || query.repository || parts.words.iter().any(|word| self.unversioned.contains(word));
        if parts.versions.is_empty() && !parts.sizes.is_empty() && first_meant() {
            let first: Vec<usize> =
                nearest.iter().copied().filter(|at| self.entries[*at].parts.versions.is_empty()).collect();
            nearest = if first.is_empty() { nearest } else { first };
        }
        // Versions of one shape: that without a number, else the newest.
        let shape = self.entries[nearest[0]].listed.id;
        if parts.versions.is_empty() && nearest.iter().all(|at| self.entries[*at].listed.id == shape) {
            let versions = || nearest.iter().map(|at| &self.entries[*at].parts.versions);
            let meant = versions().find(|versions| versions.is_empty()).or_else(|| versions().max()).cloned();
            nearest.retain(|at| Some(&self.entries[*at].parts.versions) == meant.as_ref());
        }
        let mut groups: Vec<usize> = vec![];
        nearest.sort_by_key(|at| self.entries[*at].rank);
        for at in nearest {
            if !groups.contains(&self.entries[at].group) {
                groups.push(self.entries[at].group);
            }
        }
        self.choose(query, &groups, None)
    }

    /// The entry of each group that fits what was typed best.
    fn choose(&self, query: &Query, groups: &[usize], meant: Option<usize>) -> Resolution {
        let parts = self.lexicon.parts(query);
        let best = |group: &usize| self.members[*group].iter().min_by_key(|at| self.fit(**at, &parts, query, meant));
        let candidates: Vec<String> =
            groups.iter().take(6).filter_map(best).map(|at| self.entries[*at].id.clone()).collect();
        let id = candidates.first().cloned();
        if candidates.len() == 1 {
            let strangers = query.tokens.iter().any(|token| !self.lexicon.is_known(token));
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
        let rank = if exact { self.data.popular.len() } else { entry.rank.min(self.data.popular.len()) };
        let newest = std::cmp::Reverse((own.dates.clone(), own.revisions.clone()));
        (missed, packed, asked_variant, unwanted, !own.dates.is_empty(), rank, variant, newest, entry.rank)
    }

    /// What a name that fits nothing comes near: the same family in other sizes or versions.
    fn near(&self, query: &Query) -> Vec<String> {
        let mut parts = self.lexicon.parts(&self.without_strangers(query));
        let size = parts.sizes.drain(..).next();
        parts.active.clear();
        parts.impossible = false;
        let known: BTreeSet<Word> =
            parts.words.iter().copied().filter(|word| !self.holders[usize::from(*word)].is_empty()).collect();
        parts.words = known;
        // As it is, without one of the words that tell a family's models apart, without all; then in any version.
        let without = |gone: &dyn Fn(&Word) -> bool| {
            let words = parts.words.iter().copied().filter(|word| !gone(word)).collect();
            Parts { words, ..parts.clone() }
        };
        let lines = parts.words.intersection(&self.lines);
        let mut looser = vec![parts.clone()];
        looser.extend(lines.map(|line| without(&|word| word == line)));
        looser.push(without(&|word| self.lines.contains(word)));
        let unversioned = looser.clone().into_iter().map(|parts| Parts { versions: vec![], ..parts });
        let mut tried = looser.into_iter().chain(unversioned).filter(|parts| !self.only_lines(parts));
        let mut found =
            tried.find_map(|parts| Some(self.holding(&parts)).filter(|found| !found.is_empty())).unwrap_or_default();
        let distance =
            |at: &usize| size.map_or(0, |size| ((self.entries[*at].parameters() / size).ln().abs() * 1000.0) as u64);
        found.sort_by_key(|at| (self.entries[*at].parts.words.len(), distance(at), self.entries[*at].rank));
        let mut seen = BTreeSet::new();
        found
            .into_iter()
            .filter(|at| seen.insert(self.entries[*at].group))
            .take(4)
            .map(|at| self.entries[at].id.clone())
            .collect()
    }
    /// No word of a family, nor experts' sizes, which say as much, nor a version of a model named so: `step 3`.
    fn only_lines(&self, parts: &Parts) -> bool {
        let named = |at: &usize| self.entries[*at].parts.words == parts.words;
        parts.words.is_subset(&self.lines)
            && parts.active.is_empty()
            && (parts.versions.is_empty() || !self.holding(parts).iter().any(named))
    }

    pub fn resized(&self, id: &str, parameters: f64) -> Resolution {
        let Some(at) = self.by_id.get(&id.to_lowercase()) else { return self.resolve(&token::size_text(parameters)) };
        let own = &self.entries[*at].parts;
        if self.entries[*at].is_named_for(parameters) {
            return self.exactly(*at, id);
        }
        let name = self.entries[*at].id.rsplit('/').next().unwrap_or_default();
        let mut query = self.lexicon.cut(name);
        query.tokens.retain(|token| !matches!(token.kind, Kind::Size(_) | Kind::Active(_) | Kind::Date | Kind::Length));
        query.tokens.retain(|token| !own.revisions.contains(&token.text));
        query.tokens.push(Token::size(parameters));
        self.read(query, name)
    }

    pub fn may_begin(&self, word: &str) -> bool {
        self.heads.contains(word) || self.lexicon.may_begin(word)
    }

    pub fn is_line(&self, word: &str) -> bool {
        self.lexicon.role(word) == Role::Line
    }

    pub fn goes_on(&self, name: &str, word: &str) -> bool {
        self.lexicon.word(word).is_some()
            && !self.holding(&self.lexicon.parts(&self.lexicon.cut(&format!("{name} {word}")))).is_empty()
    }

    pub fn rank(&self, id: &str) -> usize {
        self.by_id.get(&id.to_lowercase()).map_or(usize::MAX, |at| self.entries[*at].rank)
    }

    pub fn is_popular(&self, id: &str) -> bool {
        self.rank(id) < self.data.popular.len()
    }

    pub fn listing(&self, id: &str) -> Option<&'static Listed> {
        self.by_id.get(&id.to_lowercase()).map(|at| self.entries[*at].listed)
    }

    pub fn suggest(&self, typed: &str, limit: usize) -> Vec<&str> {
        let typed = token::normalise(typed.trim());
        let wanted = token::squash(&typed);
        let mut found: Vec<(usize, usize)> = self
            .entries
            .iter()
            .enumerate()
            .filter_map(|(at, entry)| {
                let id = entry.id.to_lowercase();
                let name = id.rsplit('/').next().unwrap_or(&id);
                let place = if id.starts_with(&typed) || name.starts_with(&typed) {
                    0
                } else if token::squash(&id).contains(&wanted) {
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
        let mut seen = BTreeSet::new();
        found.retain(|(_, at)| seen.insert(*at));
        found.into_iter().take(limit).map(|(_, at)| self.entries[at].id.as_str()).collect()
    }
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
