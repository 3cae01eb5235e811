//! `KNOBS`: one row a knob. Parsing, canonical writing, help, autocomplete and errors walk it.

/// One setting of a request.
pub struct Knob {
    /// Key in the line, in `changes`, in slash options.
    pub key: &'static str,
    /// Other spellings, English and Chinese.
    pub aliases: &'static [&'static str],
    pub kind: Kind,
    pub example: &'static str,
    pub scope: Scope,
}

pub enum Kind {
    /// A length in tokens: `k` is 1024. `max`: whether the word `max` is a value.
    Length {
        min: u64,
        max: u64,
        word_max: bool,
    },
    /// A count: `k` is 1000.
    Count {
        min: u64,
        max: u64,
        word_max: bool,
    },
    Number {
        min: f64,
        max: f64,
    },
    /// Canonical word and its other spellings.
    Choice(&'static [(&'static str, &'static [&'static str])]),
    Model,
    Gpu,
    /// A row of `presets/formats.toml`.
    Format,
    /// Comma-separated words.
    List(&'static [&'static str]),
    Text,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    Both,
    Train,
    Infer,
    /// A custom model's shape.
    Shape,
    /// What a recommendation must meet.
    Target,
}

pub static KNOBS: &[Knob] = &[];
