//! `/tweak`: a change to an answer, in free words.

use super::slash::Opt::{NeededWords, Words};
use super::slash::{Asks, Slash};

pub static SLASH: Slash = Slash {
    name: "tweak",
    options: &[NeededWords("change"), Words("line")],
    asks: |given| Asks::Tweak {
        change: given.get("change").unwrap_or_default().to_owned(),
        line: given.get("line").map(str::to_owned),
    },
    is_private: false,
};
