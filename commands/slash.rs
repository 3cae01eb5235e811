//! What a slash command is, as plain data: `discord` registers it and answers the lines it makes.

use crate::request::knobs::{self, Knob};
use std::fmt::Write;

/// A slash command: what it is called, which options it has, how those given become a line.
pub struct Slash {
    /// Its verb. `command-NAME` in `discord.ftl` says what it does.
    pub name: &'static str,
    pub options: &'static [Opt],
    /// What is asked when these options are given.
    pub asks: fn(&Given) -> Asks,
    /// Whether only the asker sees the answer.
    pub is_private: bool,
}

/// What an option is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Opt {
    /// A knob's value; must be given.
    Needed(&'static str),
    /// A knob's value.
    Knob(&'static str),
    /// Words of its own, as in a line; `option-NAME` in `discord.ftl` describes it. Must be given.
    NeededWords(&'static str),
    Words(&'static str),
}

impl Opt {
    pub const fn name(self) -> &'static str {
        match self {
            Opt::Needed(name) | Opt::Knob(name) | Opt::NeededWords(name) | Opt::Words(name) => name,
        }
    }
    pub const fn is_needed(self) -> bool {
        matches!(self, Opt::Needed(_) | Opt::NeededWords(_))
    }
    /// The knob whose values it takes.
    pub fn knob(self) -> Option<&'static Knob> {
        match self {
            Opt::Needed(key) | Opt::Knob(key) => knobs::find(key),
            Opt::NeededWords(_) | Opt::Words(_) => None,
        }
    }
}

/// Free words, for all knobs without an option of their own.
pub const MORE: Opt = Opt::Words("more");
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Asks {
    /// A line that stands on its own.
    Line(String),
    /// A change to the answer that stands last in the channel, or to this line.
    Tweak { change: String, line: Option<String> },
    /// The explanation or recipe of the last answer in the channel.
    OfLast { verb: &'static str, words: String },
}

/// Options as given, by name.
#[derive(Clone, Debug, Default)]
pub struct Given(pub Vec<(String, String)>);

impl Given {
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(given, _)| given == name).map(|(_, value)| value.as_str())
    }

    /// The verb, the model as bare words, each knob as `key=value`, and the free words last.
    pub fn line(&self, verb: &str) -> String {
        let mut line = verb.to_owned();
        let mut add = |words: std::fmt::Arguments<'_>| line.write_fmt(words).expect("writing to a string");
        if let Some(model) = self.get("model") {
            add(format_args!(" {model}"));
        }
        for (name, value) in self.0.iter().filter(|(name, _)| name != "model" && knobs::find(name).is_some()) {
            // A value of several words (`rtx 4090`) stays one word.
            add(format_args!(" {name}={}", value.split_whitespace().collect::<Vec<_>>().join("-")));
        }
        if let Some(more) = self.get("more") {
            add(format_args!(" {more}"));
        }
        line
    }
}

#[cfg(test)]
mod tests {
    use super::super::*;
    use super::*;

    fn given(options: &[(&str, &str)]) -> Given {
        Given(options.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect())
    }

    #[test]
    fn every_option_of_a_knob_is_one() {
        for command in SLASH {
            for option in command.options {
                let is_knob = matches!(option, Opt::Needed(_) | Opt::Knob(_));
                assert_eq!(option.knob().map(|knob| knob.key), is_knob.then(|| option.name()), "/{}", command.name);
            }
            let needed = command.options.iter().filter(|option| option.is_needed()).count();
            assert!(
                command.options[..needed].iter().all(|option| option.is_needed()),
                "/{}: needed first",
                command.name
            );
        }
    }

    #[test]
    fn options_become_a_line() {
        let options = [("model", "llama 3 8b"), ("gpu", "rtx 4090"), ("seq", "4096"), ("more", "zero3 bs4")];
        let asked = (train::SLASH.asks)(&given(&options));
        assert_eq!(asked, Asks::Line("train llama 3 8b gpu=rtx-4090 seq=4096 zero3 bs4".into()));
        let asked = (compare::SLASH.asks)(&given(&[("first", "train a"), ("second", "train b zero=3")]));
        assert_eq!(asked, Asks::Line("compare train a | train b zero=3".into()));
    }

    #[test]
    fn a_tweak_or_an_explanation_without_a_line_is_of_the_last_answer() {
        let asked = (tweak::SLASH.asks)(&given(&[("change", "zero3 and 8k")]));
        assert_eq!(asked, Asks::Tweak { change: "zero3 and 8k".into(), line: None });
        let asked = (explain::SLASH.asks)(&given(&[("part", "optimizer")]));
        assert_eq!(asked, Asks::OfLast { verb: "explain", words: "part=optimizer".into() });
        let asked = (recipe::SLASH.asks)(&given(&[("line", "infer qwen2.5-7b")]));
        assert_eq!(asked, Asks::Line("recipe infer qwen2.5-7b".into()));
    }
}
