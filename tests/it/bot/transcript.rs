//! A conversation as text to read and to keep: who said what, and the outline of what was shown.
//!
//! Figures, bars, advice and lists of hardware are left out: the tests of estimates, plans and views hold those.

use headroom::sandbox::{Person, Shown, Silence};
use std::fmt::Write;

/// Rows of a table of parts; longer ones list what the catalog has.
const LONGEST_BREAKDOWN: usize = 12;

#[derive(Default)]
pub struct Transcript(String);

impl Transcript {
    pub fn says(&mut self, who: &str, what: &str) {
        let words = what.lines().collect::<Vec<_>>().join("\n    ");
        writeln!(self.0, "{who}: {words}").expect("writing to a string");
    }
    pub async fn slash(&mut self, who: &Person, line: &str) -> Shown {
        self.says(&who.name(), line);
        self.shows(who.slash(line).await)
    }
    pub async fn press(&mut self, who: &Person, on: &Shown, label: &str) -> Shown {
        self.says(&who.name(), &format!("[{}]", without_figures(label)));
        self.shows(who.press(on, label).await)
    }
    pub async fn choose(&mut self, who: &Person, on: &Shown, label: &str) -> Shown {
        self.says(&who.name(), &format!("<{label}>"));
        self.shows(who.choose(on, label).await)
    }
    /// Opens the dialog of an answer, and submits it with this text.
    pub async fn submit(&mut self, who: &Person, on: &Shown, opener: &str, text: &str) -> Shown {
        let dialog = self.press(who, on, opener).await;
        self.says(&who.name(), text);
        self.shows(who.submit(&dialog, Some(on), &[text]).await)
    }
    pub async fn reply(&mut self, who: &Person, to: &Shown, text: &str) -> Shown {
        self.says(&who.name(), text);
        self.shows(who.reply(to, text).await)
    }
    pub async fn mention(&mut self, who: &Person, text: &str) -> Shown {
        self.says(&who.name(), &format!("@Headroom {text}"));
        self.shows(who.mention(text).await)
    }
    pub async fn attach(&mut self, who: &Person, text: &str, name: &str, bytes: &[u8]) -> Shown {
        self.says(&who.name(), &format!("@Headroom {text} (attaches {name})"));
        self.shows(who.mention_with(text, &[(name, bytes)]).await)
    }
    /// Pastes something, and has it estimated by the message command.
    pub async fn paste(&mut self, who: &Person, text: &str) -> Shown {
        self.says(&who.name(), text);
        let pasted = who.say(text);
        self.says(&who.name(), "> Estimate this");
        self.shows(who.apply("Estimate this", pasted).await)
    }

    /// Something that happened to everyone.
    pub fn note(&mut self, what: &str) {
        writeln!(self.0, "— {what}\n").expect("writing to a string");
    }
    /// Notes the outline of an answer, and hands the answer on.
    #[track_caller]
    pub fn shows(&mut self, answer: Result<Shown, Silence>) -> Shown {
        let shown = answer.unwrap_or_else(|silence| panic!("{silence}, after\n{}", self.0));
        writeln!(self.0, "{}", outline(&shown)).expect("writing to a string");
        shown
    }
    pub fn text(&self) -> &str {
        &self.0
    }
}

/// What stays the same when a figure changes.
fn outline(shown: &Shown) -> String {
    let (mut text, mut in_table, mut parts) = (String::new(), false, Vec::new());
    for line in shown.to_string().lines() {
        let words = line.trim();
        match words {
            "```" => {
                in_table = !in_table;
                if !in_table {
                    if parts.len() > LONGEST_BREAKDOWN {
                        parts.splice(1.., ["…"]);
                    }
                    text += &format!("  | {}\n", std::mem::take(&mut parts).join(" "));
                }
            }
            // A busy machine leaves it out.
            _ if words.starts_with("[picture:") => {}
            _ if in_table => parts.extend(words.split_whitespace().find(|word| is_name(word))),
            _ if words.starts_with("-# **") => {
                let heading = words.split("** ").next().unwrap_or_default();
                text += &format!("  {heading}**\n");
            }
            _ if words.starts_with('-') || words.starts_with(|c: char| c.is_ascii_digit()) => {}
            _ if words.starts_with('<') => {
                text += &format!("  {}>\n", words.split(" ▾").next().unwrap_or_default());
            }
            _ if words.starts_with('[') => {
                let labels = words.trim_matches(['[', ']']).split("] [");
                let mut labels: Vec<_> = labels.map(|label| if label.ends_with("iB") { "…" } else { label }).collect();
                labels.dedup();
                // How many fit into a row depends on the advice.
                let indent = if text.ends_with("]\n") { text.pop().map_or("", |_| " ") } else { "  " };
                text += &without_figures(&format!("{indent}[{}]\n", labels.join("] [")));
            }
            // The line that a person could type again.
            _ if is_line(words) => text += &format!("  {words}\n"),
            _ => text += &format!("{}\n", without_figures(line)),
        }
    }
    text
}

/// Not a figure, a unit or a bar.
fn is_name(word: &str) -> bool {
    word.starts_with(char::is_alphabetic) && !["GiB", "MiB"].contains(&word)
}

fn is_line(words: &str) -> bool {
    let verb = words.split(' ').next().unwrap_or_default();
    ["train", "infer", "model", "gpu", "fit", "compare", "explain", "recipe"].contains(&verb) && words.contains('/')
}

/// `51.2 of 79.3 GiB` as `# of # GiB`.
fn without_figures(line: &str) -> String {
    let mut text = String::new();
    let mut letters = line.chars().peekable();
    let mut previous = ' ';
    while let Some(letter) = letters.next() {
        let is_figure = letter.is_ascii_digit() && !previous.is_ascii_alphanumeric() && !matches!(previous, '-' | '=');
        text.push(if is_figure { '#' } else { letter });
        if is_figure {
            while letters.next_if(|c| c.is_ascii_digit() || matches!(c, '.' | ',')).is_some() {}
        }
        previous = letter;
    }
    text
}
