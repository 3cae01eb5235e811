//! Launch recipes: from a request to the command or file that runs it.
//!
//! One function a program, in `serve` and under `train`. A program gets a recipe only where it can do what
//! is asked with flags and keys it has; what a recipe leaves out is that program's default. The
//! version in each comment line is the one whose source the flags were checked against.

use crate::request::{Request, Work};
use std::fmt::{Display, Write};

mod serve;
mod train;

#[derive(Clone, Debug, PartialEq)]
pub struct Recipe {
    /// Program and the version checked: `vLLM 0.33`.
    pub program: &'static str,
    /// File the text belongs in; `None` for a command.
    pub file: Option<&'static str>,
    pub text: String,
}

/// The recipe of the request's own engine or framework first, then of every other program that runs it.
pub fn recipes(request: &Request) -> Vec<Recipe> {
    match &request.work {
        Work::Train(train) => train::recipes(request, train),
        Work::Infer(infer) => serve::recipes(request, infer),
    }
}

/// A program that trains or serves.
struct Program<Work: 'static> {
    /// Frameworks or engines it is the own program of.
    of: &'static [&'static str],
    name: &'static str,
    file: Option<&'static str>,
    /// `None` where the program cannot do what is asked.
    write: fn(&Request, &Work) -> Option<String>,
}

/// The recipes of the programs that can, the own program's first; `remark` stands above each.
fn written<Work>(programs: &[Program<Work>], own: &str, request: &Request, work: &Work, remark: &str) -> Vec<Recipe> {
    let (own, others): (Vec<_>, Vec<_>) = programs.iter().partition(|program| program.of.contains(&own));
    let write = |program: &Program<Work>| {
        let body = (program.write)(request, work)?;
        // JSON has no comments.
        let head = if body.starts_with('{') { String::new() } else { comment(request, program.name) + remark };
        Some(Recipe { program: program.name, file: program.file, text: format!("{head}{}\n", body.trim_end()) })
    };
    own.into_iter().chain(others).filter_map(write).collect()
}

/// A command line, one flag a line.
struct Command(String);

impl Command {
    fn new(words: impl Display) -> Self {
        Self(words.to_string())
    }
    fn flag(mut self, flag: &str, value: impl Display) -> Self {
        write!(self.0, " \\\n    {flag} {value}").expect("writing to a string");
        self
    }
    fn flag_if(self, holds: bool, flag: &str, value: impl Display) -> Self {
        if holds { self.flag(flag, value) } else { self }
    }
    fn maybe(self, flag: &str, value: Option<impl Display>) -> Self {
        match value {
            Some(value) => self.flag(flag, value),
            None => self,
        }
    }
    /// `key=value`, as Hydra and OmegaConf take it.
    fn set(mut self, key: &str, value: impl Display) -> Self {
        write!(self.0, " \\\n    {key}={value}").expect("writing to a string");
        self
    }
    fn switch(mut self, holds: bool, flag: &str) -> Self {
        if holds {
            write!(self.0, " \\\n    {flag}").expect("writing to a string");
        }
        self
    }
}

/// `key: value` lines of a YAML file, or `key = value` lines of a TOML one.
struct Keys {
    text: String,
    between: &'static str,
}

impl Keys {
    fn yaml() -> Self {
        Self { text: String::new(), between: ": " }
    }
    fn toml() -> Self {
        Self { text: String::new(), between: " = " }
    }
    fn key(mut self, key: &str, value: impl Display) -> Self {
        writeln!(self.text, "{key}{}{value}", self.between).expect("writing to a string");
        self
    }
    fn key_if(self, holds: bool, key: &str, value: impl Display) -> Self {
        if holds { self.key(key, value) } else { self }
    }
    fn maybe(self, key: &str, value: Option<impl Display>) -> Self {
        match value {
            Some(value) => self.key(key, value),
            None => self,
        }
    }
    /// A heading with nothing after it: `fsdp_config:`, `[training]`.
    fn heading(mut self, heading: &str) -> Self {
        writeln!(self.text, "{heading}").expect("writing to a string");
        self
    }
}

/// Whether the user asked for a knob, rather than having it filled in.
fn asked(request: &Request, knob: &str) -> bool {
    request.settings.get(knob).is_some()
}

/// `# vLLM 0.33, 4 × a100-sxm-80gb`.
fn comment(request: &Request, program: &str) -> String {
    let hardware = &request.hardware;
    let card = hardware.gpu.map_or("GPU", |gpu| &gpu.id);
    match hardware.nodes {
        0 | 1 => format!("# {program}, {} × {card}\n", hardware.gpus),
        nodes => format!("# {program}, {} × {card} on {nodes} nodes\n", hardware.gpus),
    }
}
