//! Numbers: digits with their unit, and Chinese numerals.

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
    pub fn plain(&self) -> f64 {
        self.value * magnitude(&self.unit, false).unwrap_or(1.0)
    }
}

/// A number in digits with its unit, or in Chinese numerals.
pub(super) fn number(rest: &[Word]) -> Option<(usize, Amount)> {
    let word = rest[0];
    if word.class == Class::Han {
        return numeral(rest);
    }
    if word.class != Class::Digits {
        return None;
    }
    let (value, tail) = leading_number(word.text)?;
    if !tail.is_empty() {
        return None;
    }
    let mut width = 1;
    let mut unit = String::new();
    let beside = |index: usize| rest.get(index).filter(|word: &&Word| word.gap == Gap::None);
    match beside(1) {
        Some(next) if next.text == "%" => {
            unit.push('%');
            width = 2;
        }
        Some(next) if next.class == Class::Latin && is_unit(next.text) => {
            // `4k` and the rest of a name glued to it (`8b-instruct`) differ.
            unit.push_str(next.text);
            width = 2;
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
        && let Some(next) = rest.get(1).filter(|word| word.class == Class::Latin)
        && matches!(next.text, "million" | "billion" | "trillion" | "thousand" | "gb" | "gib" | "ms")
    {
        unit.push_str(next.text);
        width = 2;
    }
    Some((width, Amount { value, unit, digits: true }))
}

fn is_unit(text: &str) -> bool {
    matches!(
        text,
        "k" | "m"
            | "b"
            | "t"
            | "g"
            | "w"
            | "bn"
            | "mil"
            | "gb"
            | "gib"
            | "ms"
            | "s"
            | "h"
            | "d"
            | "hr"
            | "hours"
            | "days"
            | "sec"
    )
}

/// `十六`, `两`, `一百二十八`, `五千`.
fn numeral(rest: &[Word]) -> Option<(usize, Amount)> {
    let (mut total, mut section, mut digit, mut width) = (0.0, 0.0, None, 0);
    for (index, word) in rest.iter().enumerate().take(12) {
        if index > 0 && word.gap != Gap::None {
            break;
        }
        let scale = match word.text {
            "十" => 10.0,
            "百" => 100.0,
            "千" => 1000.0,
            "万" => 1e4,
            "亿" => 1e8,
            other => {
                let value =
                    ["零", "一", "二", "三", "四", "五", "六", "七", "八", "九"].iter().position(|d| *d == other);
                match value.or((other == "两").then_some(2)) {
                    Some(value) => digit = Some(value as f64),
                    None => break,
                }
                width += 1;
                continue;
            }
        };
        if scale < 1e4 {
            section += digit.take().unwrap_or(1.0) * scale;
        } else {
            total = (total + section + digit.take().unwrap_or(0.0)) * scale;
            section = 0.0;
        }
        width += 1;
    }
    let value = total + section + digit.unwrap_or(0.0);
    (width > 0).then(|| (width, Amount { value, unit: String::new(), digits: false }))
}
