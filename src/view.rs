//! An answer as plain data in one language, before it is drawn.
//!
//! `report` makes a [`View`] of an estimate and its plan; `embed` draws it for Discord, `terminal` for
//! a terminal, `chart` its picture. Texts here are plain, but for code spans in backticks; escaping,
//! cutting and colouring are the drawers' work. Nothing after this module knows a formula.

use crate::text::Locale;

pub mod action;
pub mod chart;
pub mod embed;
pub mod report;
pub mod table;
pub mod terminal;

pub use action::Action;
pub use chart::Chart;
pub use table::{Cell, Mark, Row, Table};

#[derive(Clone, Debug, Default, PartialEq)]
pub struct View {
    pub locale: Locale,
    pub title: String,
    pub tone: Tone,
    /// The one line that says it; empty where the title does.
    pub verdict: String,
    /// What matters most first.
    pub sections: Vec<Section>,
    pub chart: Option<Chart>,
    /// Buttons, the most useful first.
    pub buttons: Vec<Button>,
    pub selects: Vec<Select>,
    /// The canonical line; reading it again gives this answer.
    pub line: Option<String>,
}

/// What the edge of the answer says before a word is read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Tone {
    #[default]
    Neutral,
    Good,
    Tight,
    Bad,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Section {
    /// A word or two; empty for none.
    pub heading: String,
    pub body: Body,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Body {
    /// Columns in a monospace font.
    Table(Table),
    /// One sentence beside its heading.
    Fact(String),
    /// One item a line under its heading, in order of preference.
    Steps(Vec<String>),
    /// One item a line under its heading.
    List(Vec<String>),
    /// A command or a file to copy.
    Code(String),
    /// What a reader may skip: assumptions, remarks.
    Small(Vec<String>),
}

/// A button.
#[derive(Clone, Debug, PartialEq)]
pub struct Button {
    pub label: String,
    pub action: Action,
    pub style: Style,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Style {
    /// What we would press.
    Primary,
    #[default]
    Plain,
    Danger,
}

/// One of many values for one knob.
#[derive(Clone, Debug, PartialEq)]
pub struct Select {
    /// What it changes: the knob's key.
    pub knob: &'static str,
    pub placeholder: String,
    pub options: Vec<SelectOption>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct SelectOption {
    pub label: String,
    /// Empty for none.
    pub note: String,
    /// The words that ask for it: `gpu=h100-sxm-80gb gpus=2`.
    pub words: String,
    /// Whether the line asks for it already.
    pub chosen: bool,
}

impl View {
    pub fn new(locale: Locale, title: impl Into<String>) -> Self {
        Self { locale, title: title.into(), ..Self::default() }
    }
    pub fn tone(mut self, tone: Tone) -> Self {
        self.tone = tone;
        self
    }
    pub fn verdict(mut self, verdict: impl Into<String>) -> Self {
        self.verdict = verdict.into();
        self
    }
    pub fn line(mut self, line: impl Into<String>) -> Self {
        self.line = Some(line.into());
        self
    }
    /// Adds a section, unless there is nothing in it.
    pub fn section(mut self, heading: impl Into<String>, body: impl Into<Body>) -> Self {
        let body = body.into();
        if !body.is_empty() {
            self.sections.push(Section { heading: heading.into(), body });
        }
        self
    }
    pub fn button(mut self, label: impl Into<String>, action: Action) -> Self {
        self.buttons.push(Button { label: label.into(), action, style: Style::Plain });
        self
    }
}

impl Body {
    fn is_empty(&self) -> bool {
        match self {
            Body::Table(table) => table.rows.is_empty(),
            Body::Fact(text) | Body::Code(text) => text.is_empty(),
            Body::Steps(items) | Body::List(items) | Body::Small(items) => items.is_empty(),
        }
    }
}

impl From<Table> for Body {
    fn from(table: Table) -> Self {
        Body::Table(table)
    }
}
impl From<String> for Body {
    fn from(text: String) -> Self {
        Body::Fact(text)
    }
}
