//! Names: what people type, to a model, an accelerator or a weight format of the catalog.
//!
//! A name is read by its structure (family, version, size, variant, packing; see `token`), not looked up
//! in a list: `presets/names.toml` holds only what no structure tells, such as Chinese names and closed models.
//! Knows no knobs; an ambiguous name is the caller's to settle.

use super::{Catalog, Format, Listed};
use crate::message::Message;

mod data;
mod freer;
mod gpus;
mod lexicon;
mod models;
mod token;

use data::DATA;
pub use gpus::Index as GpuIndex;
pub use models::Index as ModelIndex;
pub use token::{numeral, squash};

/// What people call the models and accelerators of a catalog.
#[derive(Clone, Copy)]
pub struct Names<'a> {
    pub(super) catalog: &'a Catalog,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// One model is meant.
    Match,
    /// Several could be; `id` is the one to take unless told otherwise.
    Ambiguous,
    /// A bare size: a dense model of the usual shape.
    Generic,
    Unknown,
}

impl Outcome {
    pub const fn word(self) -> &'static str {
        match self {
            Outcome::Match => "match",
            Outcome::Ambiguous => "ambiguous",
            Outcome::Generic => "generic",
            Outcome::Unknown => "unknown",
        }
    }
}

/// What a name was read as.
#[derive(Clone, Debug, PartialEq)]
pub struct Resolution {
    pub outcome: Outcome,
    /// As it stands in a line: a catalog id, the id of a model of the same shape (see [`Names::listing`]), or `7b`.
    pub id: Option<String>,
    /// How the name says weights are packed (`q4_k_m`, `awq`, `bf16`, `gguf`); [`Catalog::format`] reads it.
    pub quant: Option<String>,
    /// What else it could be, most likely first; of an unknown name, what is near.
    pub candidates: Vec<String>,
    /// Why a name is unknown.
    pub reason: Option<Message>,
    /// Set where the name was not quite the model's: what it was read as.
    pub read_as: Option<String>,
}

impl Resolution {
    fn new(outcome: Outcome) -> Self {
        Self { outcome, id: None, quant: None, candidates: vec![], reason: None, read_as: None }
    }
}

impl<'a> Names<'a> {
    fn models(self) -> &'a ModelIndex {
        self.catalog.model_names.get_or_init(|| ModelIndex::new(self.catalog.listed, &DATA))
    }

    fn gpus(self) -> &'a GpuIndex {
        self.catalog.gpu_names.get_or_init(|| GpuIndex::new(&self.catalog.gpus, &DATA.gpus))
    }

    /// The model that `text` names.
    pub fn model(self, text: &str) -> Resolution {
        self.models().resolve(text)
    }

    /// Whether a name could begin with this word, as it is or misspelt.
    pub fn may_begin(self, word: &str) -> bool {
        self.models().may_begin(word)
    }

    /// Whether a name says how large the model is.
    pub fn is_sized(self, name: &str) -> bool {
        token::is_sized(name)
    }

    /// Whether some model has this word after such a name: `nemo` after `mistral`.
    pub fn goes_on(self, name: &str, word: &str) -> bool {
        self.models().goes_on(name, word)
    }

    /// Whether a word tells models of one family apart: `mini`, `pro`.
    pub fn is_line(self, word: &str) -> bool {
        self.models().is_line(word)
    }

    /// The same family, version and variant as `id` in another size.
    pub fn resized(self, id: &str, parameters: f64) -> Resolution {
        self.models().resized(id, parameters)
    }

    /// The model whose shape one of this id has: itself, or the one it was published under another id.
    pub fn listing(self, id: &str) -> Option<&'static Listed> {
        self.models().listing(id)
    }

    /// How wanted a model is: the smaller, the more.
    pub fn rank(self, id: &str) -> usize {
        self.models().rank(id)
    }

    /// Whether a model is one that many mean.
    pub fn is_popular(self, id: &str) -> bool {
        self.models().is_popular(id)
    }

    /// The accelerator that `text` names.
    pub fn gpu(self, text: &str) -> Resolution {
        self.gpus().resolve(text)
    }

    /// The row of `presets/formats.toml` that `text` names; GGUF mixes of no row of their own are taken as the nearest
    /// of their width.
    pub fn format(self, text: &str) -> Option<&'a Format> {
        let named = |name: &str| {
            let is = |known: &String| known.eq_ignore_ascii_case(name);
            self.catalog.formats.iter().find(|row| is(&row.name) || row.aliases.iter().any(is))
        };
        let packing = || token::packing(&token::normalise(text)).name();
        named(text.trim()).or_else(|| packing().and_then(|name| named(&name).or_else(|| named(nearest_mix(&name)))))
    }

    /// The accelerator that a driver reports by a name, perhaps cut short, and a memory size in GB.
    pub fn reported_gpu(self, name: &str, memory_gb: f64) -> Option<&'a str> {
        self.gpus().reported(name, memory_gb)
    }

    /// Accelerators that are meant most often, the most wanted first.
    pub fn wanted_gpus(self) -> &'a [String] {
        self.gpus().wanted()
    }

    /// Ids that complete what was typed so far, most wanted first.
    pub fn suggest_models(self, typed: &str, limit: usize) -> Vec<&'a str> {
        self.models().suggest(typed, limit)
    }
    pub fn suggest_gpus(self, typed: &str, limit: usize) -> Vec<&'a str> {
        self.gpus().suggest(typed, limit)
    }
}

/// `q4_k` of Unsloth's `q4_k_xl`; of MLX's, which pack embeddings and head too, GGUF types of as many bits.
/// MLX keeps a 16-bit scale and bias for 64 weights: 4 bits are 4.5, as in `q4_0`.
fn nearest_mix(name: &str) -> &str {
    match name {
        "mlx-2bit" => "q2_k",
        "mlx-3bit" => "q3_k_m",
        "mlx-4bit" => "q4_0",
        "mlx-5bit" => "q5_0",
        "mlx-6bit" => "q6_k",
        "mlx-8bit" => "q8_0",
        name => name.rsplit_once('_').map_or(name, |(width, _)| width),
    }
}
