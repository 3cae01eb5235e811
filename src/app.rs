//! The narrow waist: text in, an [`Answer`] out. Every door (Discord, console, terminal, batch) calls
//! this and draws what it gets, as a `View` or as JSON.

use crate::catalog::Catalog;
use crate::message::Problem;
use crate::msg;
use crate::plan::Outcome;
use crate::request::either::either;
use crate::request::knobs::{self, KNOBS, Kind, Knob, Scope};
use crate::request::line::{self, Read};
use crate::request::tweak::{Tweak, tweak};
use crate::request::{Settings, Value, Verb};
use crate::text::{Locale, tr};
use crate::view::{Body, View};

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
    fn json(&self, locale: Locale) -> serde_json::Map<String, serde_json::Value>;
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

/// Set-ups to compare.
impl From<Vec<Settings>> for Asked {
    fn from(lines: Vec<Settings>) -> Self {
        Self { verb: Verb::Compare, lines, ignored: vec![], read_as: None }
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
            let read = line::read(text, self.catalog);
            let compares = read.as_ref().is_ok_and(|read| read.settings.verb == Verb::Compare);
            let either = || either(read.as_ref().err(), None, text, self.catalog);
            return match (!compares).then(either).flatten() {
                Some(lines) => Ok(lines.into()),
                None => read.map(Asked::from),
            };
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

    /// Reads a text as a change of `base`; what it is relative to is found first, where the line leaves that open.
    pub fn tweak(&self, base: &Settings, text: &str) -> Tweak {
        let mut read = tweak(base, text, self.catalog);
        let mut base = base.clone();
        while let Some(open) = read.open
            && let Some(found) = Outcome::of(&base, self.catalog).ok().and_then(|outcome| outcome.found(open))
            && found > 0
        {
            base.values.insert(open, Value::Count(found));
            read = tweak(&base, text, self.catalog);
        }
        read
    }

    pub fn answer(&self, asked: &Asked) -> Answered {
        let command = self.commands.iter().find(|command| command.verb == asked.verb);
        let command = command.expect("a test finds a command for every verb");
        (command.run)(self, &asked.lines)
    }

    /// What completes the text typed for an option: a knob's value, or a line or change up to its last word.
    pub fn suggest(&self, option: &str, typed: &str) -> Vec<String> {
        if option == "topic" {
            return matching(KNOBS.iter().map(|knob| knob.key), &typed.trim().to_lowercase());
        }
        if let Some(knob) = knobs::find(option) {
            return self.values(knob, typed);
        }
        let (start, words) = self.words(typed, matches!(option, "change" | "more"));
        words.into_iter().map(|word| format!("{}{word}", &typed[..start])).collect()
    }

    /// Where the last word of a line, or of a change to one, begins, and what completes it.
    pub fn words(&self, typed: &str, is_change: bool) -> (usize, Vec<String>) {
        let start = typed.trim_end_matches(|c: char| !c.is_whitespace()).len();
        let (before, word) = typed.split_at(start);
        if let Some((key, value)) = word.split_once(['=', ':']) {
            let values = knobs::find(key).map(|knob| self.values(knob, value));
            return (start + key.len() + 1, values.unwrap_or_default());
        }
        let words_before = before.split_whitespace().count();
        if words_before == 0 && !is_change {
            let slash = if word.starts_with('/') { "/" } else { "" };
            let verbs = matching(Verb::ALL.iter().map(|verb| verb.word()), &word[slash.len()..]);
            return (start + slash.len(), verbs);
        }
        let separator = if before.starts_with('/') { ':' } else { '=' };
        let mut knobs = self.settings(word, separator);
        let mut models = owned(self.catalog.names().suggest_models(word, SUGGESTIONS));
        let names_model = words_before == 1 && !is_change;
        let (first, second) = if names_model { (&mut models, &mut knobs) } else { (&mut knobs, &mut models) };
        first.append(second);
        (start, std::mem::take(first))
    }

    /// Settings of the knobs whose keys begin so: all values of the only one, else an example of each.
    fn settings(&self, typed: &str, separator: char) -> Vec<String> {
        let is_usual = |knob: &Knob| knob.scope != Scope::Shape && !matches!(knob.key, "work" | "topic" | "part");
        let is_asked = |knob: &&Knob| !typed.is_empty() || is_usual(knob);
        let knobs: Vec<_> = KNOBS.iter().filter(|knob| knob.key.starts_with(typed)).filter(is_asked).collect();
        let values = if let [knob] = knobs[..] { self.values(knob, "") } else { vec![] };
        if values.is_empty() {
            return knobs.iter().map(|knob| knob.example.replacen('=', &separator.to_string(), 1)).collect();
        }
        values.into_iter().map(|value| format!("{}{separator}{value}", knobs[0].key)).collect()
    }

    /// Values of a knob that complete what was typed, most wanted first.
    fn values(&self, knob: &Knob, typed: &str) -> Vec<String> {
        const FEW: u64 = 4;
        let typed = typed.trim().to_lowercase();
        let names = self.catalog.names();
        match &knob.kind {
            Kind::Model(words) => {
                // An empty option shows models.
                let words = words.iter().copied().filter(|_| !typed.is_empty());
                let mut words = matching(words, &typed);
                words.extend(owned(names.suggest_models(&typed, SUGGESTIONS)));
                words.truncate(SUGGESTIONS);
                words
            }
            Kind::Gpu => owned(names.suggest_gpus(&typed, SUGGESTIONS)),
            Kind::Choice(choices) => matching(choices.iter().map(|(word, _)| *word), &typed),
            Kind::Row(table) => matching(table.rows(self.catalog).iter().map(|(name, _)| *name), &typed),
            Kind::Count { min, max, .. } if *max <= FEW => (*min..=*max).map(|n| n.to_string()).collect(),
            _ => vec![],
        }
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
