//! A value as people type it: a number with its unit, a name, a choice, or one sentence on what was wrong.

use super::{Kind, Knob, MAX_GPUS, Table, of, squash};
use crate::catalog::Catalog;
use crate::catalog::names::{Outcome, Resolution};
use crate::message::Problem;
use crate::msg;
use crate::request::settings::{Bound, Value};

/// Of these words the nearest to what was typed, where any is near.
pub(in crate::request) fn nearest<'a>(typed: &str, words: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    words
        .into_iter()
        .map(|word| (strsim::jaro_winkler(typed, word), word))
        .filter(|(likeness, _)| *likeness > 0.75)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, word)| word)
}

/// A number as people write it, with what stands behind it: `8k`, `1_000`, `2.5万`.
pub(in crate::request) fn leading_number(text: &str) -> Option<(f64, &str)> {
    let signed = text.strip_prefix(['+', '-']).unwrap_or(text);
    let end = signed.find(|c: char| !(c.is_ascii_digit() || matches!(c, '.' | ',' | '_'))).unwrap_or(signed.len());
    // `1.` and `8,` end a sentence or a clause.
    let digits = signed[..end].trim_end_matches(['.', ',', '_']);
    let exponent = exponent(&signed[digits.len()..]);
    let value: f64 = digits.replace([',', '_'], "").parse().ok()?;
    let value = value * 10f64.powi(exponent.map_or(0, |(power, _)| power));
    let rest = &signed[digits.len() + exponent.map_or(0, |(_, width)| width)..];
    Some((if text.starts_with('-') { -value } else { value }, rest))
}

/// The `e9` of `1e9`: its power and how many bytes it takes.
fn exponent(rest: &str) -> Option<(i32, usize)> {
    let digits = rest.strip_prefix(['e', 'E'])?;
    let width = digits.bytes().take_while(u8::is_ascii_digit).count();
    (width > 0 && width <= 2).then(|| Some((digits[..width].parse().ok()?, width + 1)))?
}

/// What a magnitude word multiplies by; on a length `k` and `m` are binary.
pub(in crate::request) fn magnitude(suffix: &str, binary: bool) -> Option<f64> {
    Some(match suffix {
        "" => 1.0,
        "k" | "thousand" if binary => 1024.0,
        "k" | "thousand" => 1e3,
        "m" | "mil" if binary => 1024.0 * 1024.0,
        "m" | "mil" | "mm" | "million" | "百万" => 1e6,
        "b" | "g" | "bn" | "billion" | "十亿" => 1e9,
        "t" | "trillion" | "万亿" => 1e12,
        "百" => 1e2,
        "千" => 1e3,
        "w" | "万" => 1e4,
        "十万" => 1e5,
        "千万" => 1e7,
        "亿" => 1e8,
        _ => return None,
    })
}

impl Knob {
    pub fn is_numeric(&self) -> bool {
        matches!(self.kind, Kind::Length { .. } | Kind::Count { .. } | Kind::Number { .. })
    }

    /// Reads a value as typed after `key=`.
    pub fn read(&'static self, typed: &str, catalog: &Catalog) -> Result<Value, Problem> {
        let typed = typed.trim();
        let word = typed.to_lowercase();
        match &self.kind {
            Kind::Length { min, max, bound } => self.whole(&word, *min, *max, *bound, true),
            Kind::Count { min, max, bound } => self.whole(&word, *min, *max, *bound, false),
            Kind::Number { min, max, units } => {
                let word = word.strip_prefix('$').unwrap_or(&word);
                let (value, unit) = leading_number(word).ok_or_else(|| self.not_a_number(typed))?;
                let value = match unit.trim() {
                    "" => value,
                    "%" if *max <= 1.0 => value / 100.0,
                    unit => {
                        let known = units.iter().find(|(name, _)| *name == unit);
                        value * known.ok_or_else(|| self.not_a_number(typed))?.1
                    }
                };
                if (*min..=*max).contains(&value) {
                    Ok(Value::Number(value))
                } else {
                    Err(self.out_of_range(typed, *min, *max))
                }
            }
            Kind::Choice(choices) => {
                let squashed = squash(&word);
                choices
                    .iter()
                    .find(|(name, aliases)| *name == word || aliases.iter().any(|alias| squash(alias) == squashed))
                    .map(|(name, _)| Value::Choice(name))
                    .ok_or_else(|| self.not_a_choice(typed, choices.iter().map(|(name, _)| *name)))
            }
            Kind::Model(words) => {
                self.each(typed, |name| match words.iter().find(|word| word.eq_ignore_ascii_case(name)) {
                    Some(word) => Ok((*word).to_owned()),
                    None => model_id(name, catalog),
                })
            }
            Kind::Gpu => self.each(typed, |name| gpu_id(name, catalog)),
            Kind::Row(table) => {
                let name = table.find(&word, catalog);
                name.map(|name| Value::Text(name.to_owned())).ok_or_else(|| {
                    let rows = table.rows(catalog);
                    self.not_a_choice(typed, rows.iter().map(|(name, _)| *name))
                })
            }
            Kind::List { words, spelled } => {
                let mut chosen = vec![];
                let parts = word
                    .split([',', '+', '/'])
                    .map(|part| part.trim().trim_end_matches("proj").trim_end_matches(['_', ' ']));
                let meant =
                    parts.map(|part| spelled.iter().find(|(name, _)| *name == part).map_or(part, |(_, words)| *words));
                for part in meant.flat_map(|words| words.split(',')) {
                    match words.iter().find(|known| **known == part) {
                        Some(known) if chosen.contains(known) => {}
                        Some(known) => chosen.push(known),
                        None => return Err(self.not_a_choice(part, words.iter().copied())),
                    }
                }
                chosen.sort_by_key(|word| words.iter().position(|known| known == word));
                Ok(Value::List(chosen.into_iter().map(|word| (*word).to_owned()).collect()))
            }
            Kind::Fleet => {
                let mut cards = vec![];
                for part in typed.split(',') {
                    let (count, name) = machine(part, catalog).unwrap_or((1, part));
                    if count == 0 || count > MAX_GPUS {
                        return Err(self.out_of_range(part, 1.0, MAX_GPUS as f64));
                    }
                    cards.push(format!("{count}x{}", gpu_id(name, catalog)?));
                }
                Ok(Value::List(cards))
            }
            Kind::Text if typed.is_empty() || typed.contains(char::is_whitespace) => {
                Err(Problem::of(self.key, msg!("problem-one-word", knob = self.key, typed = typed)))
            }
            Kind::Text => Ok(Value::Text(typed.to_owned())),
        }
    }

    /// One name, or several with commas between.
    fn each(&self, typed: &str, find: impl Fn(&str) -> Result<String, Problem>) -> Result<Value, Problem> {
        let mut found: Vec<String> =
            typed.split(',').map(|name| find(name.trim())).collect::<Result<_, _>>().map_err(|mut problem| {
                let own = |words: &String| {
                    words.split_once('=').map_or(String::new(), |(_, id)| format!("{}={id}", self.key))
                };
                problem.suggestions = problem.suggestions.iter().map(own).collect();
                problem.knob = Some(self.key);
                problem
            })?;
        Ok(if found.len() == 1 { Value::Text(found.remove(0)) } else { Value::List(found) })
    }

    /// Which value of this knob can be looked for: `max`, `min`.
    pub fn bound(&self) -> Option<Bound> {
        match self.kind {
            Kind::Length { bound, .. } | Kind::Count { bound, .. } => bound,
            _ => None,
        }
    }

    fn whole(&self, word: &str, min: u64, max: u64, bound: Option<Bound>, binary: bool) -> Result<Value, Problem> {
        if let Some(bound) = bound.filter(|bound| bound.word() == word) {
            return Ok(Value::Bound(bound));
        }
        let (value, suffix) = leading_number(word).ok_or_else(|| self.not_a_number(word))?;
        let factor = magnitude(suffix.trim(), binary).ok_or_else(|| self.not_a_number(word))?;
        self.whole_value(value * factor, word, min, max)
    }

    fn whole_value(&self, value: f64, typed: &str, min: u64, max: u64) -> Result<Value, Problem> {
        if value < min as f64 || value > max as f64 {
            Err(self.out_of_range(typed, min as f64, max as f64))
        } else if (value - value.round()).abs() > 1e-6 {
            let near = format!("{}={}", self.key, value.ceil());
            Err(Problem::of(self.key, msg!("problem-not-whole", knob = self.key, typed = typed)).suggest([near]))
        } else {
            Ok(Value::Count(value.round() as u64))
        }
    }

    fn not_a_number(&self, typed: &str) -> Problem {
        Problem::of(self.key, msg!("problem-not-a-number", knob = self.key, typed = typed))
            .suggest([self.example.to_owned()])
    }

    fn out_of_range(&self, typed: &str, min: f64, max: f64) -> Problem {
        let low = typed.starts_with('-') || typed.starts_with('0');
        let percent = leading_number(typed).filter(|(value, rest)| max == 1.0 && *value <= 100.0 && rest.is_empty());
        let near = match (percent, &self.kind) {
            (Some((percent, _)), _) if percent > 1.0 => format!("{}={}", self.key, percent / 100.0),
            // The least length or time is of no use to anybody.
            (_, Kind::Length { .. } | Kind::Number { .. }) if low => self.example.to_owned(),
            (_, Kind::Count { max, .. }) if low && *max > 1_000_000 => self.example.to_owned(),
            _ => format!("{}={}", self.key, if low { min } else { max }),
        };
        Problem::of(self.key, msg!("problem-out-of-range", knob = self.key, typed = typed, min = min, max = max))
            .suggest([near])
    }

    /// How many accelerators a text for `gpu` names, where it says so, and which.
    pub(in crate::request) fn machine<'a>(&self, text: &'a str, catalog: &'a Catalog) -> Option<(u64, &'a str)> {
        if self.key == "gpu" { machine(text, catalog) } else { None }
    }

    fn not_a_choice<'a>(&self, typed: &str, allowed: impl Iterator<Item = &'a str> + Clone) -> Problem {
        const MOST_LISTED: usize = 12;
        let typed = typed.to_lowercase();
        let typed = typed.as_str();
        let near = nearest(typed, allowed.clone()).map(|word| format!("{}={word}", self.key));
        let mut allowed: Vec<String> = allowed.map(str::to_owned).collect();
        if allowed.len() > MOST_LISTED {
            let unlike = |word: &String| std::cmp::Reverse((strsim::jaro_winkler(typed, word) * 1e3) as u64);
            allowed.sort_by_key(unlike);
            allowed.truncate(MOST_LISTED);
            allowed.push("…".to_owned());
        }
        Problem::of(self.key, msg!("problem-not-a-choice", knob = self.key, typed = typed, allowed = allowed))
            .suggest([near.unwrap_or_else(|| self.example.to_owned())])
    }
}

/// `8xh100`, `p5.48xlarge`: how many accelerators, and which.
fn machine<'a>(text: &'a str, catalog: &'a Catalog) -> Option<(u64, &'a str)> {
    if catalog.gpu(text).is_some() {
        return None;
    }
    if let Some(instance) = catalog.instance(text) {
        return Some(instance);
    }
    // `7900 XTX`, `MLU370-X8`
    let is_name = || {
        let whole = catalog.names().gpu(text);
        whole.outcome == Outcome::Match && whole.read_as.is_none()
    };
    counted(text).filter(|_| !is_name())
}

/// `8xh100`, `4张A10`, `双4090`, `h20 x8`: how many, and of what.
fn counted(text: &str) -> Option<(u64, &str)> {
    const TIMES: [char; 4] = ['x', 'X', '*', '×'];
    const WORDS: &[(&str, u64)] = &[
        ("dual ", 2),
        ("two ", 2),
        ("quad ", 4),
        ("four ", 4),
        ("eight ", 8),
        ("单", 1),
        ("双", 2),
        ("两", 2),
        ("四", 4),
        ("八", 8),
    ];
    // The `x` of `rtx 4090` counts nothing; of `4x4090` and `4090x4` the smaller is the count.
    let after = text.rsplit_once(TIMES).filter(|(name, _)| name.ends_with(|c: char| !c.is_alphabetic()));
    if let Some((name, Ok(count))) = after.map(|(name, count)| (name.trim_end(), count.trim().parse::<u64>()))
        && name.parse::<u64>().map_or(true, |number| count < number)
    {
        return Some((count, name));
    }
    if let Some((rest, count)) = WORDS.iter().find_map(|(word, count)| Some((text.strip_prefix(word)?, *count))) {
        return Some((count, rest.trim_start_matches(['张', '块', '卡']).trim_start()));
    }
    let width = text.bytes().take_while(u8::is_ascii_digit).count();
    let rest = text[width..].trim_start();
    let rest = rest.strip_prefix(TIMES).or_else(|| rest.strip_prefix(['张', '块', '卡', '个']))?;
    Some((text[..width].parse().ok()?, rest.trim_start()))
}

pub(in crate::request) fn given_twice(key: &'static str, first: &str, second: &str) -> Problem {
    Problem::of(key, msg!("problem-given-twice", knob = key, first = first, second = second))
        .suggest([format!("{key}={first}"), format!("{key}={second}")])
}

/// Why a name is no accelerator, and what is near.
pub(in crate::request) fn no_gpu(typed: &str, found: &Resolution) -> Problem {
    unresolved("gpu", typed, found)
}

/// Why a name is no model, and what is near.
pub(in crate::request) fn no_model(typed: &str, found: &Resolution) -> Problem {
    unresolved("model", typed, found)
}

fn unresolved(key: &'static str, typed: &str, found: &Resolution) -> Problem {
    let message = found.reason.clone().unwrap_or_else(|| msg!("problem-no-such-row", knob = key, typed = typed));
    let near = found.candidates.iter().take(3).map(|id| format!("{key}={id}"));
    let example = found.candidates.is_empty().then(|| of(key).example.to_owned());
    Problem::of(key, message).suggest(near.chain(example))
}

fn model_id(name: &str, catalog: &Catalog) -> Result<String, Problem> {
    if let Some(model) = catalog.listing(name) {
        return Ok(model.id.to_owned());
    }
    let found = catalog.names().model(name);
    match (found.outcome, &found.id) {
        (Outcome::Match | Outcome::Ambiguous | Outcome::Generic, Some(id)) => Ok(id.clone()),
        _ => Err(no_model(name, &found)),
    }
}

fn gpu_id(name: &str, catalog: &Catalog) -> Result<String, Problem> {
    if let Some(gpu) = catalog.gpu(name) {
        return Ok(gpu.id.clone());
    }
    let found = catalog.names().gpu(name);
    match (found.outcome, &found.id) {
        (Outcome::Match | Outcome::Ambiguous, Some(id)) => Ok(id.clone()),
        _ => Err(no_gpu(name, &found)),
    }
}

impl Table {
    /// The row that a word names.
    fn find<'a>(self, word: &str, catalog: &'a Catalog) -> Option<&'a str> {
        let rows = self.rows(catalog);
        let by_name = || rows.iter().find(|(name, _)| *name == word);
        let squashed = squash(word);
        let is = |name: &str| squash(name) == squashed;
        let by_alias = || rows.iter().find(|(name, aliases)| is(name) || aliases.iter().any(|alias| is(alias)));
        let row = by_name().or_else(by_alias).map(|(name, _)| *name);
        match self {
            Table::Formats => row.or_else(|| Some(catalog.names().format(word)?.name.as_str())),
            Table::Optimizers | Table::Frameworks | Table::Backends => row,
        }
    }
    pub(crate) fn rows(self, catalog: &Catalog) -> Vec<(&str, &[String])> {
        match self {
            Table::Formats => catalog.formats.iter().map(|row| (row.name.as_str(), row.aliases.as_slice())).collect(),
            Table::Optimizers => {
                catalog.optimizers.iter().map(|row| (row.name.as_str(), row.aliases.as_slice())).collect()
            }
            Table::Frameworks => {
                catalog.frameworks.iter().map(|row| (row.name.as_str(), row.aliases.as_slice())).collect()
            }
            Table::Backends => catalog.backends.iter().map(|row| (row.name.as_str(), row.aliases.as_slice())).collect(),
        }
    }
}
