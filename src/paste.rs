//! What people paste: configurations, commands, driver output, out-of-memory messages, to settings.
//!
//! Pieces are told apart by their structure, each read into a [`Draft`], and the drafts merged: the kind is that of
//! the piece that says most. What was read, what is still to be asked and what was assumed are kept apart.
//! The text is a stranger's: bounded in size and depth, never run, never fetched.

use crate::catalog::Catalog;
use crate::message::{Message, Problem};
use crate::msg;
use crate::request::Settings;
use draft::Draft;
use serde_json::{Map, Value};
use shell::Command;

mod accelerate;
mod axolotl;
mod branches;
mod compose;
mod config;
mod deepspeed;
mod draft;
mod engines;
mod launch;
mod litgpt;
mod logs;
mod megatron;
mod merge;
mod nanotron;
mod oom;
mod openrlhf;
mod peft;
mod prose;
mod python;
mod shell;
mod smi;
mod torchtitan;
mod torchtune;
mod trainers;
mod tree;
mod verl;

/// Longest paste that is read.
pub const LONGEST: usize = 128 * 1024;
/// Files and blocks in one paste, and commands within its sentences.
const MOST_PIECES: usize = 40;
const MOST_SPANS: usize = 20;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    HfConfig,
    PeftConfig,
    Vllm,
    Sglang,
    Tgi,
    Trtllm,
    LlamaCpp,
    Ollama,
    Lmdeploy,
    Ktransformers,
    Transformers,
    Deepspeed,
    Accelerate,
    Torchtune,
    LlamaFactory,
    Axolotl,
    Megatron,
    Litgpt,
    Torchtitan,
    Nanotron,
    Verl,
    Xtuner,
    NvidiaSmi,
    Oom,
}

impl Kind {
    pub const fn word(self) -> &'static str {
        match self {
            Kind::HfConfig => "hf-config",
            Kind::PeftConfig => "peft-config",
            Kind::Vllm => "vllm",
            Kind::Sglang => "sglang",
            Kind::Tgi => "tgi",
            Kind::Trtllm => "trtllm",
            Kind::LlamaCpp => "llama.cpp",
            Kind::Ollama => "ollama",
            Kind::Lmdeploy => "lmdeploy",
            Kind::Ktransformers => "ktransformers",
            Kind::Transformers => "transformers",
            Kind::Deepspeed => "deepspeed",
            Kind::Accelerate => "accelerate",
            Kind::Torchtune => "torchtune",
            Kind::LlamaFactory => "llama-factory",
            Kind::Axolotl => "axolotl",
            Kind::Megatron => "megatron",
            Kind::Litgpt => "litgpt",
            Kind::Torchtitan => "torchtitan",
            Kind::Nanotron => "nanotron",
            Kind::Verl => "verl",
            Kind::Xtuner => "xtuner",
            Kind::NvidiaSmi => "nvidia-smi",
            Kind::Oom => "oom",
        }
    }
}

/// What a paste was understood as.
#[derive(Clone, Debug, PartialEq)]
pub struct Pasted {
    /// `None`: nothing here was understood.
    pub kind: Option<Kind>,
    /// Knobs by their keys, figures of a shape, `oom.*` in bytes, `smi.*`.
    pub understood: Map<String, Value>,
    /// Knobs still needed for an estimate.
    pub asked: Vec<&'static str>,
    /// What the program would do where the paste is silent, as words of a line.
    pub assumed: Vec<String>,
    /// What the figures of an out-of-memory message say.
    pub notes: Vec<Message>,
    /// The line it comes to; without a model where none was named.
    pub settings: Settings,
}

pub fn read(text: &str, catalog: &'static Catalog) -> Result<Pasted, Problem> {
    if text.len() > LONGEST {
        return Err(Problem::new(msg!("paste-too-long", limit = LONGEST / 1024)));
    }
    let text = clean(text).replace("~~~", "```");
    let pieces = pieces(&text);
    let mut drafts = vec![];
    for piece in &pieces {
        drafts.extend(read_piece(piece, catalog)?);
    }
    for draft in &mut drafts {
        if let Some(release) = draft.get("backend").and_then(|engine| engines::release(&text, engine)) {
            draft.set("backend_version", release);
        }
    }
    let nameless = drafts.iter().all(|draft| draft.model.is_none());
    if let Some(draft) = drafts.iter_mut().find(|draft| nameless && draft.kind != Kind::NvidiaSmi) {
        draft.model = prose::model(&text, catalog);
    }
    let said = |knob| drafts.iter().find_map(|draft| draft.get(knob));
    let asks_cards = !drafts.is_empty() && (said("gpu").is_none() || said("gpus").is_none());
    let told = asks_cards.then(|| prose::read(&text, catalog)).flatten();
    let told = told.filter(|told| said("gpu").is_none_or(|gpu| told.get("gpu") == Some(gpu)));
    let pasted = merge::merge(drafts, told, catalog)?;
    match pieces.iter().find_map(|piece| tree::fault(piece)) {
        Some(fault) if pasted.kind.is_none() => Err(Problem::new(fault)),
        _ => Ok(pasted),
    }
}

/// Typographic quotes and dashes that chat programs make, back to what was typed; nothing that cannot be seen.
fn clean(text: &str) -> String {
    let mut made = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '“' | '”' | '„' => made.push('"'),
            '‘' | '’' => made.push('\''),
            '–' | '—' => made.push_str("--"),
            '\u{a0}' | '\u{3000}' => made.push(' '),
            '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' => {}
            c if c.is_control() && !matches!(c, '\n' | '\t') => {}
            c => made.push(c),
        }
    }
    made
}

/// Fenced blocks, YAML's documents and files written by a script each on their own, and what stands around them.
fn pieces(text: &str) -> Vec<String> {
    let parts: Vec<&str> = text.split("```").collect();
    if parts.len() < 3 || parts.len() > 2 * MOST_PIECES {
        let (spans, text) = inline(text);
        let (script, written) = shell::here_documents(&text);
        let mut found = shell::filled(&script, written);
        let mut document = String::new();
        for line in script.lines() {
            if line.trim_end() == "---" && found.len() < MOST_PIECES {
                found.push(std::mem::take(&mut document));
            } else {
                document += line;
                document.push('\n');
            }
        }
        found.push(document);
        return [spans, found].concat();
    }
    let fenced = parts.iter().skip(1).step_by(2).map(|block| {
        // The language stands on the fence's line.
        let (first, rest) = block.split_once('\n').unwrap_or(("", block));
        if first.trim().contains([' ', '-', '{']) { (*block).to_owned() } else { rest.to_owned() }
    });
    let (spans, around) = inline(&parts.iter().step_by(2).copied().collect::<Vec<_>>().join("\n"));
    fenced.chain(spans).chain([around]).filter(|piece| !piece.trim().is_empty()).collect()
}

/// Commands and files within sentences, as in `` run `vllm serve …` ``, and the text without those that go over lines.
fn inline(text: &str) -> (Vec<String>, String) {
    let (mut spans, mut rest) = (vec![], String::with_capacity(text.len()));
    let mut open: Option<String> = None;
    for line in text.lines() {
        let line = match open.take() {
            None => line,
            Some(mut span) => {
                let end = line.find('`');
                span.push('\n');
                span.push_str(&line[..end.unwrap_or(line.len())]);
                let Some(end) = end else {
                    open = Some(span);
                    continue;
                };
                spans.push(span);
                &line[end + 1..]
            }
        };
        // PowerShell goes on after a backtick at the end of a line.
        let begun = line.rsplit_once('`').filter(|(_, begun)| !begun.trim().is_empty());
        match begun.filter(|_| !line.matches('`').count().is_multiple_of(2)) {
            Some((before, begun)) if spans.len() < MOST_SPANS => {
                rest.push_str(before);
                open = Some(begun.to_owned());
            }
            _ => {
                let within = line.split('`').skip(1).step_by(2).filter(|_| line.matches('`').count() % 2 == 0);
                spans.extend(within.map(str::to_owned));
                rest.push_str(line);
            }
        }
        rest.push('\n');
    }
    rest.push_str(&open.unwrap_or_default());
    spans.retain(|span| span.trim().contains([' ', '=']));
    spans.truncate(MOST_SPANS);
    (spans, rest)
}

fn read_piece(text: &str, catalog: &'static Catalog) -> Result<Vec<Draft>, Problem> {
    let mut drafts = vec![];
    let found = tree::json(text).or_else(|| tree::yaml(text));
    let read = found.as_ref().and_then(|(tree, around)| Some((file(tree.as_object()?, catalog)?, around.as_str())));
    let around = read.as_ref().map_or(text, |(_, around)| around);
    let commands = shell::commands(around);
    let allotted = launch::allotment(&commands);
    drafts.extend(commands.iter().filter_map(|command| program(command, allotted)));
    drafts.extend(engines::ollama(around).or_else(|| engines::ollama_posted(around)));
    drafts.extend(smi::read(around, catalog));
    if let Some((draft, _)) = read {
        drafts.push(draft?);
    } else {
        let scratch = python::config(text).and_then(|tree| config::read(&tree, catalog));
        drafts.extend(scratch.and_then(Result::ok));
        drafts.extend(python::read(text));
        drafts.extend(torchtitan::file(text));
        drafts.extend(logs::read(text));
    }
    drafts.extend(oom::read(text));
    Ok(drafts)
}

/// A configuration file, by the keys that only its program has.
fn file(tree: &Map<String, Value>, catalog: &Catalog) -> Option<Result<Draft, Problem>> {
    let own = peft::read(tree)
        .or_else(|| deepspeed::read(tree))
        .or_else(|| torchtune::read(tree, catalog))
        .or_else(|| trainers::llama_factory(tree))
        .or_else(|| trainers::file(tree))
        .or_else(|| axolotl::read(tree))
        .or_else(|| verl::file(tree))
        .or_else(|| nanotron::read(tree, catalog))
        .or_else(|| accelerate::read(tree));
    if let Some(draft) = own {
        return Some(Ok(draft));
    }
    if let Some(draft) = config::read(tree, catalog) {
        return Some(draft);
    }
    let flat = tree::flatten(tree);
    let pairs: Vec<(&str, &str)> =
        flat.iter().map(|(path, value)| (path.rsplit('.').next().unwrap_or(path), value.as_str())).collect();
    // NeMo's trainer says how many GPUs.
    let trainer = |key: &str| tree::at(tree, &format!("trainer.{key}")).and_then(Value::as_u64);
    let nodes = trainer("num_nodes");
    let gpus = trainer("devices").map(|each| each.saturating_mul(nodes.unwrap_or(1)));
    if let Some(mut draft) = megatron::read(&pairs, gpus) {
        draft.set_some("nodes", nodes);
        if ["train_type", "tuner_type"].iter().any(|key| tree.contains_key(*key)) {
            megatron::swift(&mut draft, &pairs);
        }
        let optimizer = tree::at(tree, "model.optim.name").and_then(Value::as_str);
        if optimizer.is_some_and(|name| name.contains("distributed")) {
            draft.set("zero", 1);
        }
        return Some(Ok(draft));
    }
    if let (Some(model), Some(options)) =
        (tree.get("model").and_then(Value::as_str), tree.get("options").and_then(Value::as_object))
    {
        return Some(Ok(engines::ollama_request(model, options)));
    }
    if let Some(draft) = compose::commands(tree).iter().find_map(|command| program(command, None)) {
        return Some(Ok(draft));
    }
    let kind = engines::known(pairs.iter().map(|(name, _)| *name))?;
    Some(Ok(engines::settings(kind, &flat)))
}

/// The program that a command starts.
fn program(command: &Command, allotted: Option<(u64, u64)>) -> Option<Draft> {
    engines::read(command)
        .or_else(|| torchtune::command(command))
        .or_else(|| litgpt::command(command))
        .or_else(|| torchtitan::command(command, allotted))
        .or_else(|| verl::command(command))
        .or_else(|| openrlhf::command(command, allotted))
        .or_else(|| launch::trainer(command, allotted))
}
