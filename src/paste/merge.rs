//! Drafts of one paste to what it comes to.
//!
//! Each knob is read as a line would read it; what a program says that no row or choice knows is asked for.

use super::draft::Draft;
use super::{Kind, Pasted, oom};
use crate::catalog::gpu::Vendor;
use crate::catalog::{Catalog, Gpu, Outcome};
use crate::message::Problem;
use crate::msg;
use crate::request::knobs::{self, KNOBS, Kind as KnobKind};
use crate::request::{Settings, Value, Verb, line};
use crate::units::Bytes;
use serde_json::{Map, json};

/// What drivers keep differs by so much of a card's memory: more than usual by this share, or none of it (Windows).
const CARD: f64 = 0.01;
/// Servers beside the first that are told of.
const MOST_SERVERS: usize = 3;
/// To two digits of a GiB.
const ROUNDED: f64 = 0.001;
/// Cards that are told of where a message fits several.
const MOST_CARDS: usize = 6;

/// The drafts as one: each knob from the piece that says most, then from what is told around them.
pub fn merge(mut drafts: Vec<Draft>, told: Option<Draft>, catalog: &'static Catalog) -> Result<Pasted, Problem> {
    drafts.sort_by_key(|draft| std::cmp::Reverse(draft.weight()));
    let nothing = Pasted {
        kind: None,
        understood: Map::new(),
        asked: vec![],
        assumed: vec![],
        notes: vec![],
        settings: Settings::new(Verb::Infer),
    };
    let Some(first) = drafts.first().cloned() else { return Ok(nothing) };
    let kind = first.kind;
    let (others, mut drafts): (Vec<Draft>, Vec<Draft>) =
        drafts.into_iter().partition(|draft| is_another(&first, draft));
    // Cards alone are asked what fits on them; a message alone tells what ran.
    let work = drafts.iter().find(|draft| draft.verb != Verb::Fit && draft.kind != Kind::Oom);
    let verb =
        work.or_else(|| drafts.iter().find(|draft| draft.verb != Verb::Fit)).map_or(Verb::Fit, |draft| draft.verb);
    drafts.extend(told);
    let mut pasted = Pasted { kind: Some(kind), settings: Settings::new(verb), ..nothing };
    let mut shape = Map::new();
    // An engine runs on the GPUs that it is told of, not on all there are.
    let engine = matches!(kind, Kind::Vllm | Kind::Sglang | Kind::Tgi | Kind::Trtllm);
    for draft in &mut drafts {
        if engine && draft.kind == Kind::NvidiaSmi {
            draft.unset("gpus");
        }
        pasted.take(draft, catalog)?;
        shape.extend(draft.facts.clone());
    }
    if engine && pasted.settings.get("gpus").is_none() {
        pasted.settings.values.insert("gpus", Value::Count(1));
    }
    pasted.settle();
    pasted.notes = oom::notes(&shape, verb);
    for other in others.into_iter().take(MOST_SERVERS) {
        let other = merge(vec![other], None, catalog)?;
        pasted.notes.push(msg!("paste-other-server", line = line::write(&other.settings)));
    }
    if let Some(total) = shape.get("oom.total").and_then(serde_json::Value::as_f64) {
        pasted.assume_gpu(Bytes(total), drafts.iter().find_map(|draft| draft.maker), catalog);
    }
    for knob in KNOBS {
        if let Some(value) = pasted.settings.get(knob.key) {
            let said = format!("{}={value}", knob.key);
            if !pasted.assumed.contains(&said) {
                pasted.understood.insert(knob.key.to_owned(), plain(value));
            }
        }
    }
    pasted.understood.extend(shape);
    Ok(pasted)
}

/// Whether a draft is of another server than the first: of its own model, or told otherwise.
fn is_another(first: &Draft, other: &Draft) -> bool {
    let serves = matches!(first.kind, Kind::Vllm | Kind::Sglang | Kind::Tgi | Kind::LlamaCpp | Kind::Lmdeploy);
    let differs = |(knob, value): &(&'static str, String)| first.get(knob).is_some_and(|said| said != value);
    serves && other.kind == first.kind && other.model.is_some() && other.knobs.iter().any(differs)
}

fn plain(value: &Value) -> serde_json::Value {
    match value {
        Value::Count(count) => json!(count),
        Value::Number(number) => json!(number),
        Value::Choice(word) => json!(word),
        Value::Text(text) => json!(text),
        Value::List(items) => json!(items.join(",")),
        Value::Bound(bound) => json!(bound.word()),
    }
}

impl Pasted {
    /// Takes what a draft says and no piece before it said.
    fn take(&mut self, draft: &Draft, catalog: &'static Catalog) -> Result<(), Problem> {
        if let (None, Some(name)) = (self.settings.get("model"), &draft.model) {
            self.take_model(name, draft, catalog);
        }
        for (key, typed) in &draft.knobs {
            let Some(knob) = knobs::find(key) else { continue };
            if self.settings.get(key).is_some() || !knob.scope.serves(self.settings.verb) {
                continue;
            }
            match knob.read(typed, catalog) {
                Ok(value) => drop(self.settings.values.insert(knob.key, value)),
                // The estimate does without a drafter that no row has.
                Err(_) if knob.key == "draft" => {}
                // A name from elsewhere that no row has, or what is worked out elsewhere, is asked for; an impossible
                // figure is a fault.
                Err(_)
                    if !typed.starts_with(|c: char| c.is_ascii_digit() || c == '-')
                        || matches!(
                            knob.kind,
                            KnobKind::Row(_) | KnobKind::Choice(_) | KnobKind::Gpu | KnobKind::Model(_)
                        ) =>
                {
                    self.ask(knob.key)
                }
                Err(problem) => return Err(problem),
            }
        }
        for key in &draft.asked {
            self.ask(key);
        }
        self.assumed.extend(draft.assumed.iter().cloned());
        Ok(())
    }

    fn take_model(&mut self, name: &str, draft: &Draft, catalog: &Catalog) {
        if name == "custom" {
            self.settings.values.insert("model", Value::Text(name.to_owned()));
            return;
        }
        // `D:\models\…`
        let slashed = name.replace('\\', "/");
        let name = slashed.split_once(":/").filter(|(drive, _)| drive.len() == 1).map_or(&*slashed, |(_, path)| path);
        let name = name.trim_end_matches(".nemo");
        // What a folder of one's own is called says less than the name that it is served by.
        let outcome = |name: &str| catalog.names().model(name).outcome;
        let better = |alias: &&str| match outcome(name) {
            Outcome::Match => false,
            Outcome::Unknown => true,
            Outcome::Ambiguous | Outcome::Generic => outcome(alias) == Outcome::Match,
        };
        let name = draft.alias.as_deref().filter(better).unwrap_or(name);
        // Ollama's names without a tag are its latest.
        let untagged = draft.kind == Kind::Ollama && !name.contains([':', '/']) && !name.ends_with(".gguf");
        let found = catalog.names().model(&if untagged { format!("{name}:latest") } else { name.to_owned() });
        let Some(id) = found.id else { return };
        if found.outcome == Outcome::Ambiguous {
            self.assumed.push(format!("model={id}"));
        }
        self.settings.values.insert("model", Value::Text(id));
        let named = found.quant.as_deref().and_then(|quant| catalog.names().format(quant));
        // Of GGUF files 16 bits are a choice, of checkpoints what they are published in.
        let gguf = matches!(draft.kind, Kind::LlamaCpp | Kind::Ollama);
        let Some(packed) = named.filter(|row| gguf || row.name != "none").map(|row| row.name.clone()) else { return };
        match self.settings.verb {
            Verb::Infer => {
                // The repository's own name is more exact than a flag's general one.
                let general = matches!(draft.get("quant"), None | Some("gptq-int4" | "fp8"));
                if general {
                    self.settings.values.insert("quant", Value::Text(packed));
                }
            }
            Verb::Train
                if matches!(packed.as_str(), "bnb-nf4" | "gptq-int4") && draft.get("method") == Some("lora") =>
            {
                self.settings.values.insert("method", Value::Choice("qlora"));
                self.settings.values.insert("quant", Value::Text(packed));
            }
            _ => {}
        }
    }

    fn ask(&mut self, key: &'static str) {
        if !self.asked.contains(&key) {
            self.asked.push(key);
        }
    }

    /// The most wanted card of about the memory that a message gives; which it is is still to be asked.
    fn assume_gpu(&mut self, total: Bytes, maker: Option<Vendor>, catalog: &Catalog) {
        if self.settings.get("gpu").is_some() {
            return;
        }
        let shows = |gpu: &&Gpu| gpu.visible().0 * (1.0 - CARD) < total.0 && total.0 <= gpu.memory.0 * (1.0 + ROUNDED);
        let makes = |gpu: &&Gpu| maker.is_none_or(|maker| gpu.vendor == maker);
        let wanted = catalog.names().wanted_gpus().iter().filter_map(|id| catalog.gpu(id)).filter(makes);
        let cards: Vec<&str> = wanted.filter(shows).map(|gpu| gpu.id.as_str()).take(MOST_CARDS).collect();
        let Some(first) = cards.first() else { return };
        self.assumed.push(format!("gpu={first}"));
        self.settings.values.insert("gpu", Value::Text((*first).to_owned()));
        if cards.len() > 1 {
            self.notes.push(msg!("oom-cards", total = total, cards = cards.join(", ")));
        }
    }

    /// What is still needed once every piece was read.
    fn settle(&mut self) {
        let needed: &[&'static str] = match self.settings.verb {
            Verb::Train => &["model", "gpu", "seq", "batch"],
            Verb::Infer => &["model", "gpu"],
            // What fits on a card asks for the card alone.
            _ => &["gpu"],
        };
        for key in needed {
            self.ask(key);
        }
        let settings = &self.settings;
        let has = |key: &str| settings.get(key).is_some();
        // Two of micro batch, accumulation and global batch fix the third.
        let batched = has("batch") || (has("global_batch") && has("accum"));
        self.asked.retain(|key| !has(key) && (*key != "batch" || !batched));
    }
}
