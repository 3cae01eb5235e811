//! Text to words: the smallest pieces that a phrase, a number or a name can begin or end at.
//!
//! `用8xH100` is `用` `8` `x` `h` `100`. What stood between two words is kept, since `a 100` is no A100.

use std::borrow::Cow;
use unicode_normalization::UnicodeNormalization;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Class {
    Latin,
    Digits,
    /// One character of Chinese.
    Han,
    Mark,
}

/// What stands before a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Gap {
    None,
    /// `-`, `_` or `.` within a name.
    Hyphen,
    Space,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Word<'a> {
    pub text: &'a str,
    pub class: Class,
    pub gap: Gap,
    /// Where it stands in the plain text.
    pub at: usize,
}

impl Word<'_> {
    pub fn end(&self) -> usize {
        self.at + self.text.len()
    }
    /// Ends a clause.
    pub fn is_stop(&self) -> bool {
        self.class == Class::Mark && matches!(self.text, "," | ";" | "." | "!" | "?" | "、")
    }
}

/// Compatibility forms folded (full-width digits), lower case, nothing invisible, Chinese stops as Latin ones.
pub(super) fn plain(text: &str) -> Cow<'_, str> {
    let fold = |c: char| match c {
        '。' => '.',
        '—' | '–' | '…' | '\n' | '\t' => ' ',
        '×' | '✕' => 'x',
        '“' | '”' | '‘' | '’' | '「' | '」' | '`' | '"' => '\'',
        c if c.is_whitespace() || c.is_control() => ' ',
        c => c,
    };
    let is_plain = |c: char| match c {
        c if c.is_ascii() => fold(c) == c && !c.is_ascii_uppercase(),
        c => ('\u{3400}'..='\u{9fff}').contains(&c),
    };
    if text.chars().all(is_plain) {
        return text.into();
    }
    text.nfkc().flat_map(char::to_lowercase).filter(|c| !is_invisible(*c)).map(fold).collect()
}

fn is_invisible(c: char) -> bool {
    matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}' | '\u{ad}' | '\u{fe0f}')
}

fn class(c: char) -> Class {
    if c.is_ascii_digit() {
        Class::Digits
    } else if is_han(c) {
        Class::Han
    } else if c.is_alphabetic() {
        Class::Latin
    } else {
        Class::Mark
    }
}

pub(super) fn is_han(c: char) -> bool {
    matches!(c, '\u{3400}'..='\u{9fff}' | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{3134f}')
}

/// Splits plain text into words.
pub(super) fn words(plain: &str) -> Vec<Word<'_>> {
    let mut words: Vec<Word> = vec![];
    let mut gap = Gap::Space;
    let mut at = 0;
    while let Some(first) = plain[at..].chars().next() {
        let kind = class(first);
        let rest = &plain[at..];
        let width = match kind {
            Class::Digits => number_width(rest),
            Class::Latin => latin_width(rest, words.last().filter(|_| gap == Gap::None)),
            Class::Han => first.len_utf8(),
            Class::Mark => {
                let next = rest[first.len_utf8()..].chars().next();
                let joins = gap == Gap::None
                    && words.last().is_some_and(|word| matches!(word.class, Class::Latin | Class::Digits))
                    && next.is_some_and(|c| class(c) != Class::Mark && c != ' ');
                let signs = first == '-' || (first == '.' && gap == Gap::Space);
                let signed = signs && !joins && next.is_some_and(|c| c.is_ascii_digit());
                if first == ' ' || first == '\'' {
                    gap = Gap::Space;
                    at += first.len_utf8();
                    continue;
                }
                if joins && matches!(first, '-' | '_' | '.') {
                    gap = Gap::Hyphen;
                    at += first.len_utf8();
                    continue;
                }
                if signed { 1 + number_width(&rest[1..]) } else { first.len_utf8() }
            }
        };
        let text = &rest[..width];
        let kind = if kind == Class::Mark && width > 1 && text.starts_with(['-', '.']) { Class::Digits } else { kind };
        words.push(Word { text, class: kind, gap, at });
        gap = Gap::None;
        at += width;
    }
    words
}

/// `4`, `2.5`, `0.11.0`, `1,000`, `1e9`.
fn number_width(text: &str) -> usize {
    let bytes = text.as_bytes();
    let digits = |from: usize| bytes[from..].iter().take_while(|b| b.is_ascii_digit()).count();
    let mut width = digits(0);
    loop {
        let more = match bytes.get(width) {
            Some(b'.') => digits(width + 1),
            // Only whole groups of three: `4,8` is two numbers.
            Some(b',') if digits(width + 1) == 3 => 3,
            _ => 0,
        };
        if more == 0 {
            return width + power_width(&text[width..]);
        }
        width += 1 + more;
    }
}

/// The `e9` of `1e9`.
fn power_width(text: &str) -> usize {
    let Some(power) = text.strip_prefix('e') else { return 0 };
    let digits = power.trim_start_matches(['-', '+']);
    let end = digits.find(|c: char| !c.is_ascii_digit()).unwrap_or(digits.len());
    let whole = end > 0 && !digits[end..].starts_with(char::is_alphanumeric);
    if whole { text.len() - digits.len() + end } else { 0 }
}

/// A run of letters; the `x` of `8xh100` stands alone.
fn latin_width(text: &str, before: Option<&Word>) -> usize {
    let width = text.find(|c| class(c) != Class::Latin).unwrap_or(text.len());
    if before.is_some_and(|word| word.class == Class::Digits) && text.starts_with('x') { 1 } else { width }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expect: &[&str]) {
        let plain = plain(text);
        let got: Vec<&str> = words(&plain).iter().map(|word| word.text).collect();
        assert_eq!(got, expect);
    }

    #[test]
    fn a_count_splits_from_the_card() {
        check("8xH100", &["8", "x", "h", "100"]);
        check("用8张4090", &["用", "8", "张", "4090"]);
    }

    #[test]
    fn full_width_reads_as_plain() {
        check("序列长度８１９２，ＬｏＲＡ", &["序", "列", "长", "度", "8192", ",", "lora"]);
    }

    #[test]
    fn a_minus_is_a_sign_only_where_nothing_stands_before() {
        check("batch -2", &["batch", "-2"]);
        check("zero-2", &["zero", "2"]);
        check("-1张卡", &["-1", "张", "卡"]);
        check("并发-5", &["并", "发", "-5"]);
    }

    #[test]
    fn a_stop_ends_a_number() {
        check("seq 4096, bs 2.", &["seq", "4096", ",", "bs", "2", "."]);
        check("1,000 samples", &["1,000", "samples"]);
        check("0.11.0", &["0.11.0"]);
        check("5e9 tokens, .88", &["5e9", "tokens", ",", ".88"]);
        check("gemma-3n-e4b 17b-16e", &["gemma", "3", "n", "e", "4", "b", "17", "b", "16", "e"]);
    }
}
