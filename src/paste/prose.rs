//! Cards that somebody tells of around a paste: `I have 8*A100 40G`, `用的是四卡H100`.
//!
//! Read by the grammar of tweaks, line by line; what else it hears is not taken.

use super::Kind;
use super::draft::Draft;
use crate::catalog::Catalog;
use crate::request::tweak::tweak;
use crate::request::{Settings, Verb};

/// Lines that are heard, and the longest of them.
const MOST: usize = 24;
const LONGEST: usize = 300;

pub fn read(text: &str, catalog: &'static Catalog) -> Option<Draft> {
    let outside = text.split("```").step_by(2).flat_map(str::lines);
    // Without the names and commands within.
    let spoken = outside.map(|line| line.split('`').step_by(2).collect::<Vec<_>>().join(" "));
    spoken.filter(|line| is_sentence(line)).take(MOST).find_map(|line| {
        let heard = tweak(&Settings::new(Verb::Train), &line, catalog).changes;
        let value = |key| heard.iter().find(|(knob, _)| *knob == key).and_then(|(_, value)| value.as_ref());
        let mut draft = Draft::new(Kind::NvidiaSmi, Verb::Fit);
        draft.set("gpu", value("gpu")?);
        draft.set_some("gpus", value("gpus"));
        draft.set_some("nodes", value("nodes"));
        Some(draft)
    })
}

/// Words with spaces or Chinese between them, not code: no flags, no settings, no paths.
fn is_sentence(line: &str) -> bool {
    let line = line.trim();
    let coded = ["--", "=", "{", "|", "\\", "::", "/"].iter().any(|mark| line.contains(mark));
    let spoken = line.contains(|c: char| c == ' ' || !c.is_ascii());
    !coded && spoken && line.len() <= LONGEST && line.contains(|c: char| c.is_ascii_digit())
}
