//! Freer readings of a name that fits nothing as it stands.

use super::lexicon::{Parts, Query, Role};
use super::models::Index;
use super::token::{Kind, Token};

/// Each reads one more thing otherwise, or says that there is none.
pub const FREER: [fn(&Index, &Query) -> Option<Query>; 7] = [
    Index::without_makers,
    Index::with_points,
    Index::with_bare_size,
    Index::with_confused_digits,
    Index::with_later_version,
    Index::without_first_version,
    Index::without_lines,
];

impl Index {
    /// Leaves out numbers that belong to words of no model: the 2.9 of `dolphin-2.9-llama3-8b`.
    pub fn without_strangers(&self, query: &Query) -> Query {
        let mut read = query.clone();
        let mut after_stranger = false;
        read.tokens.retain(|token| {
            let stranger = !self.lexicon.is_known(token);
            let kept = !(after_stranger && matches!(token.kind, Kind::Version { .. }));
            after_stranger = stranger;
            kept
        });
        read
    }

    /// `智谱 chatglm3`, `千问 QwQ`: the maker's own family is not another's.
    fn without_makers(&self, query: &Query) -> Option<Query> {
        let mut read = query.clone();
        let is_family = |token: &&Token| token.kind == Kind::Word && self.lexicon.role(&token.text) == Role::Family;
        let texts: Vec<String> = query.tokens.iter().filter(is_family).map(|token| token.text.clone()).collect();
        let part = |text: &String| texts.iter().any(|other| other.len() > text.len() && other.contains(text.as_str()));
        let maker = |text: &String| texts.len() > 1 && self.has_owner(text);
        read.tokens.retain(|token| {
            token.kind != Kind::Word || token.text.len() < 3 || !(part(&token.text) || maker(&token.text))
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
        let known = self.lexicon.word(&confused.text).is_some();
        read.mended = true;
        known.then_some(read)
    }

    /// `llama 3 405b` is of 3.1: the newest of the family that has what was asked.
    fn with_later_version(&self, query: &Query) -> Option<Query> {
        let parts = self.lexicon.parts(query);
        let [asked] = &parts.versions[..] else { return None };
        let prefix = format!("{asked}.");
        let unversioned = Parts { versions: vec![], ..parts.clone() };
        let any_size = Parts { sizes: vec![], ..parts.clone() };
        let families: Vec<&str> = self.holding(&any_size).iter().map(|at| self.entries[*at].listed.family).collect();
        let holding = self.holding(&unversioned);
        let later = holding
            .iter()
            .map(|at| &self.entries[*at])
            .filter(|entry| families.contains(&entry.listed.family))
            .flat_map(|entry| &entry.parts.versions)
            .filter(|version| version.starts_with(&prefix))
            .max()?;
        let mut read = query.clone();
        read.tokens.iter_mut().find(|token| token.text == *asked)?.text = later.clone();
        read.mended = true;
        Some(read)
    }

    /// `llama 1 65b`: the first of a family has no number.
    fn without_first_version(&self, query: &Query) -> Option<Query> {
        let mut read = query.clone();
        read.tokens.retain(|token| !(matches!(token.kind, Kind::Version { .. }) && token.text == "1"));
        (read.tokens.len() < query.tokens.len()).then_some(read)
    }

    /// `Hermes-2-Pro-Llama-3-8B`, `DeepSeek-R1-MXFP4-Preview`: words of a fine-tune's or a packing's own, where the model
    /// is plain without them.
    fn without_lines(&self, query: &Query) -> Option<Query> {
        let mut read = query.clone();
        let before = read.tokens.len();
        read.tokens.retain(|token| token.kind != Kind::Word || self.lexicon.role(&token.text) != Role::Line);
        read.mended = true;
        let parts = self.lexicon.parts(&read);
        let sized = read.tokens.iter().any(|token| matches!(token.kind, Kind::Size(_) | Kind::Experts));
        let plain = (sized || parts.packing.is_some()) && !parts.words.is_empty();
        (plain && read.tokens.len() < before).then_some(read)
    }
}
