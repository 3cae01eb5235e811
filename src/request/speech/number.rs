//! Numbers: digits with their unit, and Chinese numerals.

use crate::catalog::names;
use crate::request::knobs::{leading_number, magnitude};
use crate::request::words::{Class, Gap, Word};

#[derive(Clone, Debug)]
pub(super) struct Amount {
    pub value: f64,
    /// `k`, `b`, `gb`, `ms`, `%`, `万`.
    pub unit: String,
    /// In digits; number words alone never make sense of talk.
    pub digits: bool,
}

impl Amount {
    pub fn typed(&self) -> String {
        format!("{}{}", self.value, self.unit)
    }
    pub fn is_memory(&self) -> bool {
        matches!(self.unit.as_str(), "g" | "gb" | "gib")
    }
    pub fn plain(&self) -> f64 {
        self.value * magnitude(&self.unit, false).unwrap_or(1.0)
    }
}

/// A number in digits or Chinese numerals, with its unit.
pub(super) fn number(rest: &[Word]) -> Option<(usize, Amount)> {
    let (mut width, mut amount) = match rest[0].class {
        Class::Han => numeral(rest)?,
        Class::Digits => digits(rest)?,
        Class::Latin | Class::Mark => return None,
    };
    if amount.unit.is_empty() {
        let (taken, unit) = time_unit(&rest[width..]);
        width += taken;
        amount.unit.push_str(unit);
    }
    Some((width, amount))
}

fn digits(rest: &[Word]) -> Option<(usize, Amount)> {
    let (mut value, tail) = leading_number(rest[0].text)?;
    if !tail.is_empty() {
        return None;
    }
    let mut width = 1;
    let mut unit = String::new();
    let beside = |index: usize| rest.get(index).filter(|word: &&Word| word.gap == Gap::None);
    // `10^12`
    if beside(1).is_some_and(|word| word.text == "^")
        && let Some(power) = beside(2).and_then(|word| word.text.parse().ok())
    {
        value = value.powi(power);
        width = 3;
    }
    match beside(width) {
        Some(next) if next.text == "%" => {
            unit.push('%');
            width += 1;
        }
        Some(next) if next.class == Class::Latin && is_unit(next.text) => {
            // `4k` and the rest of a name glued to it (`8b-instruct`) differ; `40GBs` is no global batch.
            unit.push_str(if next.text == "gbs" { "gb" } else { next.text });
            width += 1;
        }
        Some(next) if next.class == Class::Han => {
            while let Some(next) = beside(width).filter(|next| "百千万亿".contains(next.text)) {
                unit.push_str(next.text);
                width += 1;
            }
        }
        Some(_) | None => {}
    }
    if unit.is_empty()
        && let Some(next) = rest.get(width).filter(|word| word.class == Class::Latin)
        && SPACED_UNITS.contains(&next.text)
    {
        unit.push_str(next.text);
        width += 1;
    }
    Some((width, Amount { value, unit, digits: true }))
}

/// Units that may stand apart from their number.
const SPACED_UNITS: &[&str] = &[
    "million", "billion", "trillion", "thousand", "gb", "gib", "ms", "s", "sec", "secs", "second", "seconds", "hour",
    "hours", "day", "days", "week", "weeks", "month", "months",
];

fn is_unit(text: &str) -> bool {
    const UNITS: &[&str] = &[
        "k", "m", "b", "t", "g", "w", "bn", "mil", "gb", "gbs", "gib", "ms", "s", "h", "d", "hr", "hours", "days",
        "sec",
    ];
    UNITS.contains(&text)
}

/// `天`, `小时`, `毫秒` right after a number: how many words, and the unit.
fn time_unit(rest: &[Word]) -> (usize, &'static str) {
    const UNITS: &[&str] = &["小时", "毫秒", "秒", "天", "周", "月"];
    let glued = rest.iter().take(3).take_while(|word| word.gap == Gap::None && word.class == Class::Han);
    let text: String = glued.map(|word| word.text).collect();
    let counter = usize::from(text.starts_with('个'));
    let text = text.trim_start_matches('个');
    let unit = UNITS.iter().find(|unit| text.starts_with(**unit));
    unit.map_or((0, ""), |unit| (counter + unit.chars().count(), unit))
}

/// `十六`, `两`, `一百二十八`, `五千`.
fn numeral(rest: &[Word]) -> Option<(usize, Amount)> {
    const LONGEST: usize = 12;
    let glued = |(index, word): &(usize, &Word)| *index == 0 || word.gap == Gap::None;
    let text: String = rest.iter().enumerate().take(LONGEST).take_while(glued).map(|(_, word)| word.text).collect();
    let (value, width) = names::numeral(&text)?;
    Some((text[..width].chars().count(), Amount { value, unit: String::new(), digits: false }))
}
