//! What is to be said, before it is put in words: a key of the `.ftl` files and its values.

/// One remark, in no language yet. `text` puts it in words.
#[derive(Clone, Debug, PartialEq)]
pub struct Message {
    /// Key in `src/text/*.ftl`.
    pub key: &'static str,
    pub args: Vec<(&'static str, Arg)>,
}

/// A value to be set into a sentence; `text` formats it for the reader's locale.
#[derive(Clone, Debug, PartialEq)]
pub enum Arg {
    Text(String),
    Count(u64),
    Number(f64),
    Bytes(crate::units::Bytes),
    Seconds(crate::units::Seconds),
    /// Another key, to be put in words itself (a knob's name, a part's name).
    Key(&'static str),
    List(Vec<String>),
}

macro_rules! arg_from {
    ($($from:ty => |$v:ident| $make:expr),* $(,)?) => { $(impl From<$from> for Arg { fn from($v: $from) -> Self { $make } })* };
}
arg_from! {
    &str => |v| Arg::Text(v.to_owned()),
    String => |v| Arg::Text(v),
    u64 => |v| Arg::Count(v),
    u32 => |v| Arg::Count(v.into()),
    usize => |v| Arg::Count(v as u64),
    f64 => |v| Arg::Number(v),
    crate::units::Bytes => |v| Arg::Bytes(v),
    crate::units::Seconds => |v| Arg::Seconds(v),
    Vec<String> => |v| Arg::List(v),
}

/// `msg!("no-such-model", typed = text, near = list)`.
#[macro_export]
macro_rules! msg {
    ($key:literal $(, $name:ident = $value:expr)* $(,)?) => {
        $crate::message::Message { key: $key, args: vec![$((stringify!($name), $crate::message::Arg::from($value))),*] }
    };
}

/// A user's mistake: what was wrong, what is near, what to type.
#[derive(Clone, Debug, PartialEq)]
pub struct Problem {
    /// The knob at fault, where there is one.
    pub knob: Option<&'static str>,
    pub message: Message,
    /// Words to type instead, each as it would stand in a line (`zero=3`).
    pub suggestions: Vec<String>,
}

impl Problem {
    pub fn new(message: Message) -> Self {
        Self { knob: None, message, suggestions: Vec::new() }
    }
    pub fn of(knob: &'static str, message: Message) -> Self {
        Self { knob: Some(knob), message, suggestions: Vec::new() }
    }
    pub fn suggest(mut self, words: impl IntoIterator<Item = String>) -> Self {
        self.suggestions.extend(words);
        self
    }
}
