//! The narrow waist: text in, an [`Answer`] out. Every door (Discord, console, terminal, batch) calls
//! this and draws what it gets, as a `View` or as JSON.

use crate::catalog::Catalog;
use crate::message::Problem;
use crate::msg;
use crate::request::either::either;
use crate::request::knobs::{self, KNOBS, Kind};
use crate::request::line::{self, Read};
use crate::request::{Settings, Verb};
use crate::text::{Locale, tr};
use crate::view::{Body, View};
use serde_json::Value;

/// More text than this is no question.
pub const LONGEST_TEXT: usize = 4000;
/// As many as Discord shows.
const SUGGESTIONS: usize = 25;

pub struct App {
    pub catalog: &'static Catalog,
    commands: &'static [Command],
}

/// One verb. The table of them is `commands/mod.rs`; `main` hands it in.
pub struct Command {
    pub verb: Verb,
    pub run: fn(&App, &[Settings]) -> Answered,
}

/// An answer, or what was wrong with the question.
pub type Answered = Result<Box<dyn Answer>, Problem>;

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

impl From<[Settings; 2]> for Asked {
    fn from(lines: [Settings; 2]) -> Self {
        Self { verb: Verb::Compare, lines: lines.into(), ignored: vec![], read_as: None }
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

    /// Reads a line, or the lines of a comparison: `compare train … | train …`, `… vs …`, `train … zero 2 or zero 3`.
    pub fn ask(&self, text: &str) -> Result<Asked, Problem> {
        if text.len() > LONGEST_TEXT {
            return Err(Problem::new(msg!("problem-too-long", limit = LONGEST_TEXT)));
        }
        let compared = text.trim_start().strip_prefix(Verb::Compare.word());
        let several = compared.map(split_comparison).filter(|lines| lines.len() > 1);
        let Some(several) = several else {
            return line::read(text, self.catalog)
                .map(Asked::from)
                .or_else(|problem| either(&problem, None, text, self.catalog).map(Asked::from).ok_or(problem));
        };
        let mut asked = Asked { verb: Verb::Compare, lines: vec![], ignored: vec![], read_as: None };
        for text in several {
            let read = line::read(text, self.catalog)?;
            asked.lines.push(read.settings);
            asked.ignored.extend(read.ignored);
            asked.read_as = asked.read_as.or(read.read_as);
        }
        Ok(asked)
    }

    pub fn answer(&self, asked: &Asked) -> Answered {
        let command = self.commands.iter().find(|command| command.verb == asked.verb);
        let command = command.expect("a test finds a command for every verb");
        (command.run)(self, &asked.lines)
    }

    /// Words that complete what was typed for an option or knob, most wanted first.
    pub fn suggest(&self, option: &str, typed: &str) -> Vec<String> {
        let typed = typed.trim().to_lowercase();
        if option == "topic" {
            return matching(KNOBS.iter().map(|knob| knob.key), &typed);
        }
        let names = self.catalog.names();
        match knobs::find(option).map(|knob| &knob.kind) {
            Some(Kind::Model(words)) => {
                // An empty option shows models.
                let words = words.iter().copied().filter(|_| !typed.is_empty());
                let mut words = matching(words, &typed);
                words.extend(owned(names.suggest_models(&typed, SUGGESTIONS)));
                words.truncate(SUGGESTIONS);
                words
            }
            Some(Kind::Gpu) => owned(names.suggest_gpus(&typed, SUGGESTIONS)),
            Some(Kind::Choice(choices)) => matching(choices.iter().map(|(word, _)| *word), &typed),
            Some(Kind::Row(table)) => matching(table.rows(self.catalog).iter().map(|(name, _)| *name), &typed),
            _ => vec![],
        }
    }

    /// Words that complete one in a line, after those that stand before it.
    pub fn suggest_word(&self, before: &str, typed: &str) -> Vec<String> {
        if before.is_empty() {
            let slash = typed.strip_prefix('/');
            let verbs = matching(Verb::ALL.iter().map(|verb| verb.word()), slash.unwrap_or(typed));
            return verbs.into_iter().map(|verb| if slash.is_some() { format!("/{verb}") } else { verb }).collect();
        }
        let separator = if before.starts_with('/') { ':' } else { '=' };
        let keys = KNOBS.iter().map(|knob| knob.key).filter(|key| key.starts_with(typed));
        let mut words: Vec<String> = keys.map(|key| format!("{key}{separator}")).collect();
        words.extend(owned(self.catalog.names().suggest_models(typed, SUGGESTIONS)));
        words
    }

    /// An answer in words, with the line that asks for it again.
    pub fn view(&self, asked: &Asked, answer: &dyn Answer, locale: Locale) -> View {
        let view = View { line: Some(asked.line()), ..answer.view(self, locale) };
        if asked.ignored.is_empty() {
            return view;
        }
        view.section(tr(locale, "heading-unread"), Body::Small(vec![asked.ignored.join(" · ")]))
    }
}

fn owned(words: Vec<&str>) -> Vec<String> {
    words.into_iter().map(str::to_owned).collect()
}

/// Those that hold what was typed, the ones that begin with it first.
fn matching<'a>(words: impl Iterator<Item = &'a str>, typed: &str) -> Vec<String> {
    let (mut begin, mut hold) = (vec![], vec![]);
    for word in words.filter(|word| word.contains(typed)) {
        if word.starts_with(typed) { &mut begin } else { &mut hold }.push(word.to_owned());
    }
    begin.append(&mut hold);
    begin.truncate(SUGGESTIONS);
    begin
}

/// The lines of a comparison, parted by `|`, line ends or `vs`.
fn split_comparison(text: &str) -> Vec<&str> {
    let mut lines: Vec<&str> = text.split(['|', '\n', '｜']).collect();
    if lines.len() == 1 {
        lines = text.split(" vs ").collect();
    }
    lines.into_iter().map(str::trim).filter(|line| !line.is_empty()).collect()
}
