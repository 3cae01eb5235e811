//! `headroom batch`: JSON lines in, JSON lines out, in the same order; one bad line spoils no other.

use crate::answer;
use crate::app::App;
use crate::message::Problem;
use crate::msg;
use crate::paste;
use crate::text::Locale;
use serde::Deserialize;
use serde_json::Value;
use std::io::{self, BufRead, Write};

/// Longer lines than any door accepts are refused before they are read as JSON.
const LONGEST_INPUT: usize = 1 << 20;

#[derive(Deserialize)]
struct Input {
    #[serde(default)]
    id: Option<Value>,
    #[serde(default)]
    lang: Option<String>,
    #[serde(flatten)]
    question: Question,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Question {
    Tweak { base: String, tweak: String },
    Line { line: String },
    Resolve { resolve: String },
    Paste { paste: String },
}

pub fn run(app: &App, input: impl BufRead, mut output: impl Write) -> io::Result<()> {
    for bytes in input.split(b'\n') {
        let bytes = bytes?;
        if bytes.iter().all(u8::is_ascii_whitespace) {
            continue;
        }
        serde_json::to_writer(&mut output, &reply(app, &bytes))?;
        output.write_all(b"\n")?;
        // Who asks one line at a time waits for its answer.
        output.flush()?;
    }
    Ok(())
}

/// Answers one input line.
pub fn reply(app: &App, bytes: &[u8]) -> Value {
    let too_long = bytes.len() > LONGEST_INPUT;
    let input = if too_long { None } else { serde_json::from_slice::<Input>(bytes).ok() };
    let Some(input) = input else {
        // The id is worth saving even where the rest is not what we read.
        let id = serde_json::from_slice::<Value>(if too_long { b"null" } else { bytes }).ok();
        let id = id.and_then(|value| value.get("id").cloned());
        return with_id(id, answer::problem(&Problem::new(msg!("problem-batch-input")), Locale::En));
    };
    let locale = input.lang.as_deref().map_or(Locale::En, Locale::read);
    let answer = match input.question {
        Question::Line { line } => answer_line(app, &line, locale),
        Question::Tweak { base, tweak: text } => answer_tweak(app, &base, &text, locale),
        Question::Paste { paste } => match paste::read(&paste, app.catalog) {
            Ok(pasted) => answer::pasted(&pasted, locale),
            Err(problem) => answer::problem(&problem, locale),
        },
        Question::Resolve { resolve } => answer::resolution(&app.catalog.names().model(&resolve), locale),
    };
    with_id(input.id, answer)
}

/// One line's answer or problem.
pub fn answer_line(app: &App, line: &str, locale: Locale) -> Value {
    let answered = app.ask(line).and_then(|asked| {
        let answer = app.answer(&asked)?;
        Ok(answer::whole(&asked, answer.as_ref(), locale))
    });
    answered.unwrap_or_else(|problem| answer::problem(&problem, locale))
}

/// What a text changes of a line.
fn answer_tweak(app: &App, base: &str, text: &str, locale: Locale) -> Value {
    match app.ask(base) {
        Ok(base) => answer::tweak(&app.tweak(&base.lines[0], text), locale),
        Err(problem) => answer::problem(&problem, locale),
    }
}

fn with_id(id: Option<Value>, answer: Value) -> Value {
    let Some(id) = id else { return answer };
    let mut whole = answer::fields([("id", id)]);
    if let Value::Object(mut fields) = answer {
        whole.append(&mut fields);
    }
    Value::Object(whole)
}
