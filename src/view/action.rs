//! What a button does, and the `custom_id` that says so across restarts and upgrades.
//!
//! The state is the line in the message's footer; an id holds only the difference. Ids are read
//! strictly: a client can send any text.

use std::fmt;

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Action {
    /// The footer's line with these words applied (`zero=3 batch=2`).
    Change(String),
    /// The footer's line beside the line with these words applied.
    Compare(String),
    /// One of a select's values, each the words of a change; the knob's key.
    Select(String),
    /// Ask for a change in free text.
    Tweak,
    Explain,
    Recipe,
    Thread,
    /// From "only you see this" to everyone.
    Share,
    /// For who asked (a user's id) and for moderators.
    Delete(u64),
}

/// Grows by one when an old id can no longer be read.
const VERSION: &str = "h1";
/// Longest `custom_id` that Discord takes.
const LONGEST_ID: usize = 100;

impl Action {
    /// Of a `custom_id`; `None` for anything that [`Display`](fmt::Display) does not write.
    pub fn read(id: &str) -> Option<Self> {
        let rest = id.strip_prefix(VERSION)?.strip_prefix(':')?;
        let (verb, words) = rest.split_once(':').unwrap_or((rest, ""));
        let words_are_sane = words.chars().all(|c| !c.is_control()) && id.encode_utf16().count() <= LONGEST_ID;
        let words = || (words_are_sane && !words.trim().is_empty()).then(|| words.to_owned());
        match verb {
            "change" => words().map(Action::Change),
            "compare" => words().map(Action::Compare),
            "select" => words().map(Action::Select),
            "delete" => {
                let digits = |id: &String| id.bytes().all(|b| b.is_ascii_digit()) && !id.starts_with('0');
                words().filter(digits)?.parse().ok().map(Action::Delete)
            }
            _ if rest.contains(':') => None,
            "tweak" => Some(Action::Tweak),
            "explain" => Some(Action::Explain),
            "recipe" => Some(Action::Recipe),
            "thread" => Some(Action::Thread),
            "share" => Some(Action::Share),
            _ => None,
        }
    }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (verb, words) = match self {
            Action::Delete(asker) => return write!(f, "{VERSION}:delete:{asker}"),
            Action::Change(words) => ("change", Some(words)),
            Action::Compare(words) => ("compare", Some(words)),
            Action::Select(knob) => ("select", Some(knob)),
            Action::Tweak => ("tweak", None),
            Action::Explain => ("explain", None),
            Action::Recipe => ("recipe", None),
            Action::Thread => ("thread", None),
            Action::Share => ("share", None),
        };
        match words {
            Some(words) => write!(f, "{VERSION}:{verb}:{words}"),
            None => write!(f, "{VERSION}:{verb}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_read_back_as_written() {
        for (action, id) in [
            (Action::Change("zero=3 batch=2".into()), "h1:change:zero=3 batch=2"),
            (Action::Compare("seq=4096".into()), "h1:compare:seq=4096"),
            (Action::Select("gpu".into()), "h1:select:gpu"),
            (Action::Tweak, "h1:tweak"),
            (Action::Delete(80351110224678912), "h1:delete:80351110224678912"),
        ] {
            assert_eq!(action.to_string(), id);
            assert_eq!(Action::read(id), Some(action));
        }
    }

    #[test]
    fn forged_ids_are_refused() {
        let long = format!("h1:change:{}", "x".repeat(100));
        for id in [
            "",
            "h1",
            "h1:",
            "h0:tweak",
            "h1:change:",
            "h1:change:  ",
            "h1:tweak:x",
            "h1:change:a\nb",
            "h1:delete",
            "h1:delete:+1",
            "h1:delete:05",
            "tweak",
            &long,
        ] {
            assert_eq!(Action::read(id), None, "{id}");
        }
    }
}
