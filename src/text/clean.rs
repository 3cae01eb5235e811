//! Text made fit for where it will stand: cut to length, and harmless where a stranger wrote it.

use std::borrow::Cow;
use unicode_width::UnicodeWidthChar;

/// At most `limit` UTF-16 units, as Discord's clients count: whole characters, an ellipsis where cut.
pub fn clip(text: &str, limit: usize) -> Cow<'_, str> {
    // No character takes more UTF-16 units than bytes.
    if text.len() <= limit { Cow::Borrowed(text) } else { cut(text, limit, char::len_utf16) }
}

/// At most `limit` columns of a monospace font.
pub fn clip_columns(text: &str, limit: usize) -> Cow<'_, str> {
    cut(text, limit, column)
}

/// Columns of a monospace font.
pub fn columns(text: &str) -> usize {
    text.chars().map(column).sum()
}

fn column(c: char) -> usize {
    c.width().unwrap_or(0)
}

fn cut(text: &str, limit: usize, measure: fn(char) -> usize) -> Cow<'_, str> {
    let mut taken = 0;
    // Where to cut so that the ellipsis, one wide, still fits.
    let mut end = 0;
    for (at, c) in text.char_indices() {
        if taken < limit {
            end = at;
        }
        taken += measure(c);
        if taken > limit {
            return match limit {
                0 => Cow::Borrowed(""),
                _ => Cow::Owned(format!("{}…", text[..end].trim_end())),
            };
        }
    }
    Cow::Borrowed(text)
}

/// Longest user text that is quoted back.
const QUOTED: usize = 120;

/// A stranger's text on one line, without characters that hide, reorder or close a code span.
pub fn harmless(text: &str) -> Cow<'_, str> {
    if text.chars().all(|c| !is_invisible(c) && c != '`') {
        return clip(text, QUOTED);
    }
    let clean: String = text
        .chars()
        .filter_map(|c| match c {
            '`' => Some('\''),
            '\n' | '\r' | '\t' | '\u{2028}' | '\u{2029}' => Some(' '),
            c if is_invisible(c) => None,
            c => Some(c),
        })
        .collect();
    Cow::Owned(clip(&clean, QUOTED).into_owned())
}

/// Controls, zero-width characters, bidi controls, tags and blank letters.
fn is_invisible(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{ad}' | '\u{61c}' | '\u{34f}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}'
            | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{2800}' | '\u{3164}' | '\u{feff}'
            | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
}

/// Text for a place where Discord reads markdown: no emphasis, link, mention or heading comes of it.
/// Code spans, which only our own texts have ([`harmless`] takes backticks away), stay.
pub fn markdown(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len() + text.len() / 8);
    // Spans come in pairs of single backticks; anything else is a stranger's.
    let has_spans = text.matches('`').count().is_multiple_of(2) && !text.contains("``");
    let mut in_code = false;
    let mut previous = '\n';
    for (at, c) in text.char_indices() {
        match c {
            '`' if has_spans => in_code = !in_code,
            '`' => escaped.push('\\'),
            _ if in_code => {}
            '\\' | '*' | '_' | '~' | '|' | '<' | '>' | '[' | ']' => escaped.push('\\'),
            '#' | '-' | '+' if previous == '\n' => escaped.push('\\'),
            ':' if text[at + 1..].starts_with('/') => escaped.push('\\'),
            _ => {}
        }
        escaped.push(c);
        if c == '@' && !in_code {
            // A backslash does not stop a mention; a zero-width space does.
            escaped.push('\u{200b}');
        }
        previous = c;
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clip_never_cuts_inside_a_character() {
        assert_eq!(clip("序列长度8192", 20), "序列长度8192");
        assert_eq!(clip("序列长度8192", 5), "序列长度…");
        assert_eq!(clip("ab😀cd", 4), "ab…");
        assert_eq!(clip("abc", 0), "");
        assert_eq!(clip_columns("序列长度8192", 7), "序列长…");
        assert_eq!(clip_columns("序列", 4), "序列");
        let text = "a序😀\u{301}b".repeat(5);
        for limit in 0..40 {
            assert!(clip(&text, limit).encode_utf16().count() <= limit);
            assert!(unicode_width::UnicodeWidthStr::width(&*clip_columns(&text, limit)) <= limit);
        }
    }

    #[test]
    fn a_strangers_text_cannot_hide_reorder_or_mention() {
        assert_eq!(harmless("a\u{202e}b\u{200b}c\nd`e"), "abc d'e");
        assert_eq!(markdown("*a* [x](http://y) <@1> `b*c`"), "\\*a\\* \\[x\\](http\\://y) \\<@\u{200b}1\\> `b*c`");
        assert_eq!(markdown("```*"), "\\`\\`\\`\\*");
        assert_eq!(markdown("@everyone"), "@\u{200b}everyone");
        assert_eq!(markdown("# big"), "\\# big");
    }
}
