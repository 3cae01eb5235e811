//! Words: a [`Message`] and a [`Locale`] to the sentence a person reads.
//!
//! Every word for people stands in `src/text/<locale>/*.ftl`, the same keys in each; this module sets
//! the values into them as people write numbers, sizes and durations. It is also the one place that
//! cuts text ([`clip`]) and that makes a stranger's text harmless ([`harmless`], [`markdown`]).

use crate::message::{Arg, Message};
use crate::units::{Bytes, BytesPerSec, Flops, FlopsPerSec, Seconds};
use fluent_bundle::concurrent::FluentBundle;
use fluent_bundle::{FluentArgs, FluentResource, FluentValue};
use std::borrow::Cow;
use std::sync::LazyLock;
use unic_langid::{LanguageIdentifier, langid};
use unicode_width::UnicodeWidthChar;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Locale {
    #[default]
    En,
    ZhCn,
}

impl Locale {
    pub const ALL: [Locale; 2] = [Locale::En, Locale::ZhCn];

    /// From Discord's `zh-TW`, POSIX's `zh_CN.UTF-8` and the like: any Chinese is Chinese, the rest English.
    pub fn read(tag: &str) -> Self {
        match tag.split(['-', '_', '.']).next() {
            Some(language) if language.eq_ignore_ascii_case("zh") => Locale::ZhCn,
            _ => Locale::En,
        }
    }

    /// What Discord calls it.
    pub const fn tag(self) -> &'static str {
        match self {
            Locale::En => "en-US",
            Locale::ZhCn => "zh-CN",
        }
    }
}

/// Every area's texts in one locale.
macro_rules! texts {
    ($locale:literal) => { texts!($locale: "app" "catalog" "discord" "infer" "knobs" "names" "paste" "plan" "problems" "train" "view") };
    ($locale:literal: $($area:literal)*) => { [$(include_str!(concat!("text/", $locale, "/", $area, ".ftl"))),*] };
}

type Bundle = FluentBundle<FluentResource>;

static EN: LazyLock<Bundle> = LazyLock::new(|| bundle(langid!("en-US"), &texts!("en-US")));
static ZH_CN: LazyLock<Bundle> = LazyLock::new(|| bundle(langid!("zh-CN"), &texts!("zh-CN")));

fn bundle(language: LanguageIdentifier, texts: &[&str]) -> Bundle {
    let mut bundle = Bundle::new_concurrent(vec![language]);
    // Isolation wraps each value in invisible U+2068 and U+2069, which break code blocks and copying.
    bundle.set_use_isolating(false);
    bundle.set_formatter(Some(|value, _| match value {
        FluentValue::Number(number) => Some(count(number.value as u64)),
        _ => None,
    }));
    for text in texts {
        // A test reads every file strictly; here what can be read is used.
        let resource = FluentResource::try_new((*text).to_owned()).unwrap_or_else(|(partial, _)| partial);
        bundle.add_resource_overriding(resource);
    }
    bundle
}

fn bundle_of(locale: Locale) -> &'static Bundle {
    match locale {
        Locale::En => &EN,
        Locale::ZhCn => &ZH_CN,
    }
}

/// A text without values. An unknown key is its own text.
pub fn tr(locale: Locale, key: &str) -> Cow<'static, str> {
    format(locale, key, None).unwrap_or_else(|| Cow::Owned(key.to_owned()))
}

/// Whether the texts have this key.
pub fn has(key: &str) -> bool {
    EN.has_message(key)
}

/// A message in words.
pub fn say(locale: Locale, message: &Message) -> String {
    let mut args = FluentArgs::with_capacity(message.args.len());
    for (name, arg) in &message.args {
        args.set(*name, value(locale, arg));
    }
    format(locale, message.key, Some(&args)).unwrap_or(Cow::Borrowed(message.key)).into_owned()
}

fn format(locale: Locale, key: &str, args: Option<&FluentArgs>) -> Option<Cow<'static, str>> {
    let bundle = bundle_of(locale);
    let pattern = bundle.get_message(key)?.value()?;
    Some(bundle.format_pattern(pattern, args, &mut Vec::new()))
}

fn value<'a>(locale: Locale, arg: &'a Arg) -> FluentValue<'a> {
    match arg {
        Arg::Text(text) => harmless(text).into(),
        // A number to Fluent, so that a text can choose singular and plural.
        Arg::Count(n) => (*n).into(),
        Arg::Number(x) => number(*x).into(),
        Arg::Bytes(size) => bytes(*size).into(),
        Arg::Seconds(time) => duration(locale, *time).into(),
        Arg::Key(key) => tr(locale, key).into(),
        Arg::List(words) => list(locale, words).into(),
    }
}

/// `a, b, c`.
pub fn list(locale: Locale, words: &[impl AsRef<str>]) -> String {
    let words: Vec<_> = words.iter().map(|word| harmless(word.as_ref())).collect();
    words.join(match locale {
        Locale::En => ", ",
        Locale::ZhCn => "、",
    })
}

/// A whole number in full, grouped from five digits on: `8192`, `32,768`.
pub fn count(n: u64) -> String {
    if n < 10_000 { n.to_string() } else { grouped(n) }
}

fn grouped(n: u64) -> String {
    let digits = n.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i) % 3 == 0 {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A length in tokens as people say it: `32k`, `1M`, `1000`.
pub fn length(tokens: u64) -> String {
    const K: u64 = 1024;
    match tokens {
        0 => "0".to_owned(),
        n if n.is_multiple_of(K * K) => format!("{}M", n / (K * K)),
        n if n.is_multiple_of(K) => format!("{}k", n / K),
        n => count(n),
    }
}

/// The three digits that matter: `0.044`, `7.5`, `141`, `3,900`, `31.2k`, `8.03B`.
pub fn number(x: f64) -> String {
    // From where the next smaller unit would show four digits.
    const LARGE: [(f64, f64, &str); 4] =
        [(999.5e9, 1e12, "T"), (999.5e6, 1e9, "B"), (999.5e3, 1e6, "M"), (9995.0, 1e3, "k")];
    match LARGE.into_iter().find(|(from, ..)| x.abs() >= *from) {
        Some((_, scale, suffix)) if x.abs() < 999.5e12 => three_digits(x / scale) + suffix,
        Some(_) => format!("{x:.2e}"),
        None => three_digits(x),
    }
}

/// Three digits of a number below 10,000, trailing zeros left out.
fn three_digits(x: f64) -> String {
    let decimals = match x.abs() {
        size if size >= 999.5 => {
            let digits = grouped(((size / 10.0).round() * 10.0) as u64);
            return if x < 0.0 { format!("-{digits}") } else { digits };
        }
        size if size >= 99.95 => 0,
        size if size >= 9.995 => 1,
        size if size >= 0.9995 => 2,
        size if size >= 0.09995 => 3,
        size if size >= 0.009995 => 4,
        size if size >= 0.0009995 => 5,
        size if size >= 0.0001 => 6,
        0.0 => return "0".to_owned(),
        _ => return format!("{x:.2e}"),
    };
    let mut text = format!("{x:.decimals$}");
    if decimals > 0 {
        text.truncate(text.trim_end_matches('0').trim_end_matches('.').len());
    }
    text
}

/// A value over the largest unit that leaves it at 1 or more, the units from small to large.
fn scaled(x: f64, step: f64, units: &[&str]) -> String {
    let (mut x, mut at) = (x, 0);
    // 999.5 would show as four digits.
    while x.abs() >= 999.5 && at + 1 < units.len() {
        x /= step;
        at += 1;
    }
    format!("{} {}", number(x), units[at])
}

/// `7.5 GiB`.
pub fn bytes(size: Bytes) -> String {
    scaled(size.0, 1024.0, &["B", "KiB", "MiB", "GiB", "TiB", "PiB"])
}

/// `3.35 TB/s`.
pub fn bandwidth(rate: BytesPerSec) -> String {
    scaled(rate.0 / 1e9, 1000.0, &["GB/s", "TB/s", "PB/s"])
}

/// `989 TFLOPS`.
pub fn flops_rate(rate: FlopsPerSec) -> String {
    scaled(rate.0 / 1e9, 1000.0, &["GFLOPS", "TFLOPS", "PFLOPS", "EFLOPS"])
}

/// `48.2 GFLOP`.
pub fn flops(work: Flops) -> String {
    scaled(work.0 / 1e6, 1000.0, &["MFLOP", "GFLOP", "TFLOP", "PFLOP", "EFLOP", "ZFLOP", "YFLOP"])
}

/// `$140`, `$31.2k`, and with cents below ten: `$2.10`.
pub fn money(usd: f64) -> String {
    match usd {
        usd if (0.01..9.995).contains(&usd) => format!("${usd:.2}"),
        usd => format!("${}", number(usd)),
    }
}

/// `44%`, and `0.4%` where one digit would hide it.
pub fn percent(share: f64) -> String {
    let points = share * 100.0;
    match points.abs() {
        size if size > 0.0 && size < 0.95 => format!("{points:.1}%"),
        _ => format!("{points:.0}%"),
    }
}

/// `24 ms`, `8.9 h`, `12 days`; `8.9 小时`, `12 天`.
pub fn duration(locale: Locale, time: Seconds) -> String {
    let (unit, key) = time_unit(time);
    format!("{} {}", number(time.0 / unit), tr(locale, key))
}

/// `9.3–12 h`: both in the unit of the longer.
pub fn durations(locale: Locale, from: Seconds, to: Seconds) -> String {
    let (unit, key) = time_unit(to);
    format!("{}–{} {}", number(from.0 / unit), number(to.0 / unit), tr(locale, key))
}

/// The unit a duration is said in: its seconds and its name.
fn time_unit(time: Seconds) -> (f64, &'static str) {
    const MINUTE: f64 = 60.0;
    const HOUR: f64 = 60.0 * MINUTE;
    const DAY: f64 = 24.0 * HOUR;
    const YEAR: f64 = 365.25 * DAY;
    match time.0.abs() {
        size if size < 1e-3 => (1e-6, "unit-microseconds"),
        size if size < 1.0 => (1e-3, "unit-milliseconds"),
        size if size < 2.0 * MINUTE => (1.0, "unit-seconds"),
        size if size < 2.0 * HOUR => (MINUTE, "unit-minutes"),
        size if size < 2.0 * DAY => (HOUR, "unit-hours"),
        size if size < 2.0 * YEAR => (DAY, "unit-days"),
        _ => (YEAR, "unit-years"),
    }
}

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
const QUOTED: usize = 200;

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

/// Every character the texts can show, for the fonts that must have them.
#[cfg(test)]
pub(crate) fn characters() -> impl Iterator<Item = char> {
    [texts!("en-US"), texts!("zh-CN")].concat().concat().chars().collect::<std::collections::BTreeSet<_>>().into_iter()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::msg;
    use crate::units::{GIB, MIB};
    use std::collections::{BTreeMap, BTreeSet};
    use std::path::{Path, PathBuf};

    #[test]
    fn any_chinese_reads_as_chinese_and_the_rest_as_english() {
        for tag in ["zh-CN", "zh-TW", "zh-HK", "zh_CN.UTF-8", "ZH"] {
            assert_eq!(Locale::read(tag), Locale::ZhCn, "{tag}");
        }
        for tag in ["en-US", "de", "ja", "", "zha", "C.UTF-8"] {
            assert_eq!(Locale::read(tag), Locale::En, "{tag}");
        }
    }

    #[test]
    fn numbers_show_three_digits() {
        let rows = [
            (0.0, "0"),
            (0.0441, "0.0441"),
            (7.5, "7.5"),
            (7.0, "7"),
            (51.23, "51.2"),
            (140.9, "141"),
            (999.7, "1,000"),
            (3897.0, "3,900"),
            (9996.0, "10k"),
            (31_234.0, "31.2k"),
            (8.03e9, "8.03B"),
            (1.26e13, "12.6T"),
            (-2.5, "-2.5"),
            (-1310.0, "-1,310"),
        ];
        for (x, expect) in rows {
            assert_eq!(number(x), expect, "{x}");
        }
        for odd in [f64::NAN, f64::INFINITY, 1e300, 1e-300, f64::MIN_POSITIVE] {
            assert!(number(odd).len() < 12, "{odd}");
        }
    }

    #[test]
    fn sizes_rates_money_and_durations_carry_their_unit() {
        assert_eq!(bytes(Bytes(7.5 * GIB)), "7.5 GiB");
        assert_eq!(bytes(Bytes(1010.0 * MIB)), "0.986 GiB");
        assert_eq!(bytes(Bytes(131_072.0)), "128 KiB");
        assert_eq!(bandwidth(BytesPerSec(3.35e12)), "3.35 TB/s");
        assert_eq!(flops_rate(FlopsPerSec(989.4e12)), "989 TFLOPS");
        assert_eq!(money(140.2), "$140");
        assert_eq!(money(2.1), "$2.10");
        assert_eq!(money(0.0042), "$0.0042");
        assert_eq!(percent(0.004), "0.4%");
        assert_eq!(percent(0.44), "44%");
        let rows = [
            (0.024, "24 ms", "24 ms"),
            (45.0 * 60.0, "45 min", "45 分钟"),
            (8.9 * 3600.0, "8.9 h", "8.9 小时"),
            (12.0 * 86400.0, "12 days", "12 天"),
        ];
        for (seconds, en, zh) in rows {
            assert_eq!(duration(Locale::En, Seconds(seconds)), en);
            assert_eq!(duration(Locale::ZhCn, Seconds(seconds)), zh);
        }
        assert_eq!(durations(Locale::En, Seconds(5400.0), Seconds(9000.0)), "1.5–2.5 h");
    }

    #[test]
    fn lengths_read_as_people_say_them() {
        assert_eq!(length(32_768), "32k");
        assert_eq!(length(1_048_576), "1M");
        assert_eq!(length(1000), "1000");
    }

    #[test]
    fn counts_are_exact() {
        assert_eq!(count(8192), "8192");
        assert_eq!(count(32_768), "32,768");
        assert_eq!(count(1_000_000), "1,000,000");
    }

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

    fn root() -> &'static Path {
        Path::new(env!("CARGO_MANIFEST_DIR"))
    }

    /// Key to text, values and all, of one locale's files, each read strictly.
    fn entries(locale: Locale) -> BTreeMap<String, String> {
        let mut entries = BTreeMap::new();
        for file in files(&root().join("src/text").join(locale.tag()), "ftl") {
            let text = std::fs::read_to_string(&file).unwrap();
            if let Err((_, errors)) = FluentResource::try_new(text.clone()) {
                panic!("{}: {errors:?}", file.display());
            }
            let mut key = String::new();
            for line in text.lines() {
                match line.split_once(" =") {
                    Some((name, value)) if name.starts_with(|c: char| c.is_ascii_lowercase()) => {
                        key = name.to_owned();
                        let twice = entries.insert(key.clone(), value.trim().to_owned());
                        assert!(twice.is_none(), "{}: {key} stands twice", file.display());
                    }
                    _ if line.starts_with([' ', '}']) => {
                        let entry = entries.get_mut(&key).unwrap();
                        entry.push('\n');
                        entry.push_str(line.trim());
                    }
                    _ => assert!(line.is_empty() || line.starts_with('#'), "{}: {line}", file.display()),
                }
            }
        }
        entries
    }

    fn files(folder: &Path, extension: &str) -> Vec<PathBuf> {
        let mut found = Vec::new();
        for entry in std::fs::read_dir(folder).into_iter().flatten() {
            let path = entry.unwrap().path();
            match path.is_dir() {
                true => found.extend(files(&path, extension)),
                false if path.extension().is_some_and(|e| e == extension) => found.push(path),
                false => {}
            }
        }
        found
    }

    fn placeholders(text: &str) -> BTreeSet<&str> {
        let names = text.split('$').skip(1);
        names.map(|rest| rest.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').next().unwrap()).collect()
    }

    #[test]
    fn both_languages_have_the_same_keys_and_placeholders() {
        let [en, zh] = Locale::ALL.map(entries);
        let missing: Vec<_> = en.keys().filter(|key| !zh.contains_key(*key)).collect();
        let extra: Vec<_> = zh.keys().filter(|key| !en.contains_key(*key)).collect();
        assert!(missing.is_empty() && extra.is_empty(), "only en-US: {missing:?}; only zh-CN: {extra:?}");
        for (key, text) in &en {
            assert_eq!(placeholders(text), placeholders(&zh[key]), "{key}");
        }
    }

    #[test]
    fn every_file_is_built_in() {
        for locale in Locale::ALL {
            for key in entries(locale).keys() {
                assert!(bundle_of(locale).has_message(key), "{}: {key}", locale.tag());
            }
        }
    }

    /// Texts whose key is put together from data: a knob's, an engine's, a command's.
    const KEYED_BY_DATA: [&str; 4] = ["knob-", "engine-", "command-", "option-"];

    #[test]
    fn every_key_is_used_and_every_key_used_exists() {
        let known = entries(Locale::En);
        let code: String = ["src", "commands"]
            .iter()
            .flat_map(|folder| files(&root().join(folder), "rs"))
            .map(|file| std::fs::read_to_string(file).unwrap())
            .collect();
        let texts: String = known.values().map(String::as_str).collect();
        let unused: Vec<_> = known
            .keys()
            .filter(|key| !KEYED_BY_DATA.iter().any(|prefix| key.starts_with(prefix)))
            .filter(|key| !code.contains(&format!("\"{key}\"")) && !texts.contains(&format!("{{ {key} }}")))
            .collect();
        assert!(unused.is_empty(), "in no code: {unused:?}");
        let mut missing = BTreeSet::new();
        for start in ["msg!(", "tr(locale, ", "Key("] {
            for (at, _) in code.match_indices(start) {
                let Some(rest) = code[at + start.len()..].trim_start().strip_prefix('"') else { continue };
                let key = &rest[..rest.find('"').unwrap_or(0)];
                let is_key = key.contains('-') && key.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
                // Examples and the tests of `say` name texts that are not there.
                if is_key && !known.contains_key(key) && !key.starts_with("no-such-") {
                    missing.insert(key);
                }
            }
        }
        assert!(missing.is_empty(), "no text for {missing:?}");
    }

    /// Words that Chinese engineers write as they are.
    const SAME_IN_CHINESE: [&str; 2] = ["logits", "graphs"];

    #[test]
    fn nothing_is_left_untranslated() {
        let is_han = |c: char| ('\u{4e00}'..='\u{9fff}').contains(&c);
        let [en, zh] = Locale::ALL.map(entries);
        for (key, text) in &en {
            assert!(!text.contains(is_han), "Chinese in en-US: {key} = {text}");
            let outside_placeables: String =
                text.split('{').map(|s| s.rsplit('}').next().unwrap_or_default()).collect();
            let words = outside_placeables.split(|c: char| !c.is_ascii_alphabetic()).filter(|word| word.len() > 3);
            // Capitals inside make a name: AdamW, ZeRO.
            let mut words = words.filter(|word| word.chars().skip(1).all(|c| c.is_ascii_lowercase()));
            let named = key.starts_with("engine-");
            let has_words = !named && words.any(|word| !SAME_IN_CHINESE.contains(&word));
            assert!(!has_words || zh[key].contains(is_han), "not translated: {key} = {}", zh[key]);
        }
    }

    #[test]
    fn a_message_without_a_text_shows_its_key() {
        assert_eq!(say(Locale::En, &msg!("no-such-text", x = 1u64)), "no-such-text");
    }
}
