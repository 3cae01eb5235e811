//! Words: a [`Message`] and a [`Locale`] to the sentence a person reads.
//!
//! Every word for people stands in `src/text/<locale>/*.ftl`, the same keys in each; this module sets
//! the values into them, numbers and sizes as people write them (`number`). It is also the one place
//! that cuts text and that makes a stranger's text harmless (`clean`).

use crate::message::{Arg, Message};
use fluent_bundle::concurrent::FluentBundle;
use fluent_bundle::{FluentArgs, FluentResource, FluentValue};
use std::borrow::Cow;
use std::sync::LazyLock;
use unic_langid::{LanguageIdentifier, langid};

mod clean;
mod number;

pub use clean::{clip, clip_columns, columns, harmless, markdown};
pub use number::{
    bandwidth, bytes, count, duration, durations, flops, flops_rate, length, money, number, percent, time_unit,
};

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

/// Every character the texts can show, for the fonts that must have them.
#[cfg(test)]
pub(crate) fn characters() -> impl Iterator<Item = char> {
    [texts!("en-US"), texts!("zh-CN")].concat().concat().chars().collect::<std::collections::BTreeSet<_>>().into_iter()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::msg;
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
        // Terms and steps are named by their keys alone.
        for (at, _) in code.match_indices("\"term-").chain(code.match_indices("\"step-")) {
            let key = code[at + 1..].split('"').next().unwrap_or_default();
            if !key.ends_with('-') && !known.contains_key(key) {
                missing.insert(key);
            }
        }
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
    const SAME_IN_CHINESE: [&str; 2] = ["graphs", "logits"];

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
            let named = key.starts_with("engine-") || key.contains("-source-") || key.ends_with("-name");
            let has_words = !named && words.any(|word| !SAME_IN_CHINESE.contains(&word));
            assert!(!has_words || zh[key].contains(is_han), "not translated: {key} = {}", zh[key]);
        }
    }

    #[test]
    fn a_message_without_a_text_shows_its_key() {
        assert_eq!(say(Locale::En, &msg!("no-such-text", x = 1u64)), "no-such-text");
    }
}
