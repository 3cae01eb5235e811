//! What programs print as they start: llama.cpp's and Ollama's model loaders, the Trainer and Unsloth.

use super::draft::Draft;
use super::trainers::train;
use super::{Kind, engines};
use crate::request::Verb;
use regex::Regex;
use std::sync::LazyLock;

/// Figures and the sentences that give them.
type Figures = LazyLock<Vec<(&'static str, Regex)>>;

fn figures(patterns: &[(&'static str, &str)]) -> Vec<(&'static str, Regex)> {
    patterns.iter().map(|(name, pattern)| (*name, Regex::new(pattern).expect("written here"))).collect()
}

/// `print_info: general.name = Qwen3 8B`, `file type = Q4_K - Medium`, `llama_context: n_ctx = 8192`,
/// `offloaded 25/65 layers to GPU`.
static LOADER: Figures = LazyLock::new(|| {
    figures(&[
        ("model", r"general\.name\s+(?:str\s+)?= (\S.*?)\s*(?m:$)"),
        ("quant", r"(?:ftype|file type)\s+= ([A-Z0-9_]+(?: - (?:Small|Medium|Large))?)"),
        ("seq", r"\bn_ctx\s+= ([0-9]+)"),
        ("concurrency", r"\bn_seq_max\s+= ([0-9]+)"),
        ("max_batched_tokens", r"\bn_ubatch\s+= ([0-9]+)"),
        ("gpu_layers", r"offloaded ([0-9]+)/"),
    ])
});

/// `Num examples = 22,206`, `Batch size per device = 2`.
static TRAINER: Figures = LazyLock::new(|| {
    figures(&[
        ("samples", r"Num examples = ([0-9,]+)"),
        ("epochs", r"Num Epochs = ([0-9,]+)"),
        ("batch", r"(?i)batch size per device = ([0-9,]+)"),
        ("accum", r"Gradient Accumulation steps = ([0-9,]+)"),
        ("gpus", r"Num GPUs(?: used)? = ([0-9]+)"),
    ])
});

pub fn read(text: &str) -> Option<Draft> {
    loader(text).or_else(|| trainer(text))
}

fn found<'a>(patterns: &'a Figures, text: &'a str) -> impl Iterator<Item = (&'static str, &'a str)> {
    patterns.iter().filter_map(|(name, pattern)| Some((*name, pattern.captures(text)?.get(1)?.as_str())))
}

fn loader(text: &str) -> Option<Draft> {
    ["llm_load_print_meta", "print_info:", "llama_model_loader"].iter().any(|mark| text.contains(mark)).then_some(())?;
    let kind = if text.contains("ollama") { Kind::Ollama } else { Kind::LlamaCpp };
    let mut draft = Draft::new(kind, Verb::Infer);
    draft.set("backend", kind.word());
    for (name, value) in found(&LOADER, text) {
        match name {
            "model" => draft.model = Some(value.to_owned()).filter(|name| name != "n/a"),
            "quant" => {
                // `Q5_K - Medium`
                let (width, size) = value.split_once(" - ").unwrap_or((value, ""));
                let size = size.chars().next().map_or(String::new(), |letter| format!("_{letter}"));
                draft.set(name, format!("{width}{size}").to_lowercase());
            }
            "gpu_layers" => engines::card_layers(&mut draft, value),
            name => draft.set(name, value),
        }
    }
    engines::share_cells(&mut draft);
    (draft.weight() > 1).then_some(draft)
}

fn trainer(text: &str) -> Option<Draft> {
    let mut draft = train(Kind::Accelerate);
    for (name, value) in found(&TRAINER, text) {
        draft.set(name, value.replace(',', ""));
    }
    (draft.weight() > 1).then_some(())?;
    draft.set("framework", if text.contains("Unsloth") { "unsloth" } else { "hf" });
    Some(draft)
}
