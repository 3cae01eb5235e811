//! The narrow waist: text in, an [`Answer`] out. Every door (Discord, console, terminal, batch) calls
//! this and draws what it gets, as a `View` or as JSON.

use crate::catalog::Catalog;
use crate::message::Problem;
use crate::msg;
use crate::request::line::{self, Read};
use crate::request::{Settings, Verb};
use crate::text::Locale;
use crate::view::View;
use serde_json::Value;

/// More text than this is no question.
pub const LONGEST_TEXT: usize = 4000;

pub struct App {
    pub catalog: &'static Catalog,
    commands: &'static [Command],
}

/// One verb. The table of them is `commands/mod.rs`; `main` hands it in.
pub struct Command {
    pub verb: Verb,
    pub run: fn(&App, &[Settings]) -> Result<Box<dyn Answer>, Problem>,
}

/// What there is to say, in no language yet.
pub trait Answer {
    /// Its words, but for the line.
    fn view(&self, app: &App, locale: Locale) -> View;
    /// The fields beside `ok`, `verb` and `line`.
    fn json(&self, locale: Locale) -> serde_json::Map<String, Value>;
}

/// What was asked: one line, or several to compare.
#[derive(Clone, Debug, PartialEq)]
pub struct Asked {
    pub verb: Verb,
    /// Never empty; more than one for `compare a | b`.
    pub lines: Vec<Settings>,
    /// Words that meant nothing here.
    pub ignored: Vec<String>,
    /// The model, where its name was not quite one the catalog knows.
    pub read_as: Option<String>,
}

impl Asked {
    /// Reading this again asks the same.
    pub fn line(&self) -> String {
        match self.lines.as_slice() {
            [one] => line::write(one),
            lines => {
                let lines: Vec<_> = lines.iter().map(line::write).collect();
                format!("{} {}", self.verb.word(), lines.join(" | "))
            }
        }
    }
}

impl From<Read> for Asked {
    fn from(Read { settings, ignored, read_as }: Read) -> Self {
        Self { verb: settings.verb, lines: vec![settings], ignored, read_as }
    }
}

impl App {
    pub fn new(catalog: &'static Catalog, commands: &'static [Command]) -> Self {
        Self { catalog, commands }
    }

    /// Reads a line, or the lines of a comparison: `compare train … | train …`, `… vs …`.
    pub fn ask(&self, text: &str) -> Result<Asked, Problem> {
        if text.len() > LONGEST_TEXT {
            return Err(Problem::new(msg!("problem-too-long", limit = LONGEST_TEXT)));
        }
        let compared = text.trim_start().strip_prefix(Verb::Compare.word());
        let several = compared.map(split_comparison).filter(|lines| lines.len() > 1);
        let Some(several) = several else { return line::read(text, self.catalog).map(Asked::from) };
        let mut asked = Asked { verb: Verb::Compare, lines: vec![], ignored: vec![], read_as: None };
        for text in several {
            let read = line::read(text, self.catalog)?;
            asked.lines.push(read.settings);
            asked.ignored.extend(read.ignored);
            asked.read_as = asked.read_as.or(read.read_as);
        }
        Ok(asked)
    }

    pub fn answer(&self, asked: &Asked) -> Result<Box<dyn Answer>, Problem> {
        let command = self.commands.iter().find(|command| command.verb == asked.verb);
        let command = command.expect("a test finds a command for every verb");
        (command.run)(self, &asked.lines)
    }

    /// An answer in words, with the line that asks for it again.
    pub fn view(&self, asked: &Asked, answer: &dyn Answer, locale: Locale) -> View {
        View { line: Some(asked.line()), ..answer.view(self, locale) }
    }
}

/// The lines of a comparison, parted by `|`, line ends or `vs`.
fn split_comparison(text: &str) -> Vec<&str> {
    let mut lines: Vec<&str> = text.split(['|', '\n', '｜']).collect();
    if lines.len() == 1 {
        lines = text.split(" vs ").collect();
    }
    lines.into_iter().map(str::trim).filter(|line| !line.is_empty()).collect()
}
