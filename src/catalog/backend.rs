//! How an inference engine takes memory and time: rows of `presets/backends.toml`.

use super::gpu::{Gpu, LinkKind, Vendor};
use super::support::Split;
use serde::Deserialize;

/// An engine release as (major, minor).
pub type Version = (u32, u32);

#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct Backend {
    pub name: String,
    #[serde(default)]
    pub aliases: Vec<String>,
    /// Latest known release.
    pub version: Version,
    pub pool: Pool,
    /// Weights it loads.
    pub loads: Vec<Loads>,
    /// Several GPUs hold whole layers one after another rather than a share of each.
    #[serde(default)]
    pub splits_layers: bool,
    /// Rows that the vocabulary is padded to a multiple of.
    #[serde(default = "one")]
    pub vocabulary_multiple: u64,
    /// Room for a request's whole output is kept when it starts.
    #[serde(default)]
    pub reserves_output: bool,
    /// Keys and values go in fp8 where weights do or in less.
    #[serde(default)]
    pub fp8_cache: bool,
    /// First release that launches a step on NVIDIA's cards as one CUDA graph, where others launch kernel by kernel.
    #[serde(default)]
    pub captures_since: Option<Version>,
    /// What it can leave to the host's memory and processor.
    #[serde(default)]
    pub leaves_to_host: Vec<HostPart>,
    /// What may propose tokens to it (speculative decoding).
    #[serde(default)]
    pub drafts: Vec<DraftKind>,
    /// Family of its kernels in `presets/serving.toml`.
    pub kernels: String,
    /// Rules by release; the last one not newer than the asked release holds.
    pub memory: Vec<MemoryRule>,
    pub runs_on: Vec<Vendor>,
    pub splits: Vec<Split>,
    pub source: String,
}

/// Whose fraction the memory for the KV cache is. Each kind is one formula in `estimate::infer::pool`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Pool {
    /// vLLM: of the card's total, less weights, activation peak and what is outside the allocator.
    OfTotal,
    /// SGLang: of what is free at start, weights and cache together; activations live in the rest.
    Static,
    /// TensorRT-LLM, TGI: of what is free after weights, workspace and activations.
    OfFree,
    /// LMDeploy: of what is free after weights; activations live in the rest.
    OfRest,
    /// Transformers: no pool, caches grow with the text.
    Grows,
    /// llama.cpp: cells for the whole context, allocated at start.
    Cells,
}

impl Pool {
    /// Whether memory is set aside at start that no load asked for.
    pub const fn is_reserved(self) -> bool {
        match self {
            Pool::OfTotal | Pool::Static | Pool::OfFree | Pool::OfRest => true,
            Pool::Grows | Pool::Cells => false,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Loads {
    /// Safetensors in 16 bits or quantised.
    Checkpoint,
    Gguf,
}

/// What an engine can keep off the card.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum HostPart {
    /// Whole layers, the first ones.
    Layers,
    /// The routed experts of the first layers.
    Experts,
}

/// What proposes tokens in speculative decoding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DraftKind {
    /// A smaller model with the same vocabulary.
    Model,
    /// A head trained on the model's hidden states (EAGLE-3).
    Eagle,
    /// The model's own multi-token-prediction layers.
    Mtp,
    /// Earlier text that goes on alike (prompt lookup).
    Ngram,
}

impl DraftKind {
    /// As a line and the presets name it.
    pub const fn word(self) -> &'static str {
        match self {
            DraftKind::Model => "model",
            DraftKind::Eagle => "eagle",
            DraftKind::Mtp => "mtp",
            DraftKind::Ngram => "ngram",
        }
    }
}

/// How a GPU reaches those that it works with, which decides what communicators allocate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wiring {
    Alone,
    Pcie,
    Nvlink,
    /// NVLink with sums made in the switch and symmetric memory (compute capability 9 and later).
    Multicast,
}

/// GiB of one GPU, by [`Wiring`].
pub type ByWiring = [f64; 4];

impl Wiring {
    /// Between several cards of this kind; those of a line that names none are taken for the usual server's.
    pub fn of(card: Option<&Gpu>) -> Self {
        let Some(card) = card else { return Wiring::Nvlink };
        match card.link.kind {
            LinkKind::Nvlink if card.compute_capability >= Some((9, 0)) => Wiring::Multicast,
            LinkKind::Nvlink | LinkKind::NvlinkBridge | LinkKind::InfinityFabric | LinkKind::Fabric => Wiring::Nvlink,
            LinkKind::Pcie | LinkKind::None => Wiring::Pcie,
        }
    }
}

/// Memory constants of an engine since a release. GiB are of one GPU.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct MemoryRule {
    pub since: Version,
    /// Default of the memory fraction.
    pub fraction: f64,
    /// Tokens in a block of the cache.
    pub block_tokens: u64,
    /// Prompts of a batch are cut into chunks of `max_batched_tokens`.
    #[serde(default)]
    pub chunked_prefill: bool,
    /// The longest maximum length at which prompts run whole where they are not cut anyway.
    #[serde(default = "any_length")]
    pub whole_prompts_to: u64,
    /// Most prompt tokens in one step, by the card's memory: below and from `large_card_gib`.
    pub max_batched_tokens: (u64, u64),
    /// Most sequences in one step, likewise.
    pub max_seqs: (u64, u64),
    #[serde(default = "never")]
    pub large_card_gib: f64,
    /// Both of an A100, where they are not those of its memory.
    #[serde(default)]
    pub a100: Option<(u64, u64)>,
    /// Bytes alive for each logit while a full batch is sampled: 16-bit and fp32 logits, probabilities, a sort.
    #[serde(default)]
    pub sampler_bytes: f64,
    /// Of the warm-up, for each logit of every prompt token in it, where logits of prompts are taken.
    #[serde(default)]
    pub prompt_logit_bytes: Option<f64>,
    /// Buffers of fused experts stay between steps.
    #[serde(default)]
    pub keeps_expert_buffers: bool,
    /// Vision towers are profiled at the largest item.
    #[serde(default)]
    pub profiles_towers: bool,
    /// Libraries' scratch inside the allocator.
    #[serde(default)]
    pub workspace_gib: f64,
    /// Outside the allocator beyond the context, where layers are shared.
    #[serde(default)]
    pub non_torch_gib: ByWiring,
    /// Driver context, loaded kernels, communicators.
    pub context_gib: ByWiring,
    /// CUDA graphs: for the engine, for each layer, and more for each layer of experts.
    #[serde(default)]
    pub graphs_gib: (f64, f64, f64),
    /// Graphs are taken from the pool's budget rather than from beside it.
    #[serde(default)]
    pub graphs_in_budget: bool,
    /// Hidden and intermediate size that kernels pad MXFP4 experts to multiples of.
    #[serde(default = "no_padding")]
    pub expert_multiple: (u64, u64),
    /// Latent attention caches keys and values of every head, each padded to so many, rather than latents.
    #[serde(default)]
    pub latent_head_width: Option<u64>,
    /// The tokens that the engine says its cache holds are sequences of the longest length times that length, rather
    /// than blocks (which windows and states leave partly unused).
    #[serde(default)]
    pub counts_sequences: bool,
    /// Refuses to start where not each of `max_seqs` finds a block for its recurrent state, unless without graphs.
    #[serde(default)]
    pub state_each: bool,
    /// Bytes an element of recurrent states.
    #[serde(default = "fp32")]
    pub state_bytes: f64,
    /// Attention writes its scores, unless told otherwise.
    #[serde(default)]
    pub writes_scores: bool,
    /// An engine is built for as many whole prompts as it takes sequences, unless told otherwise.
    #[serde(default)]
    pub batches_prompts: bool,
    /// Layers with a sliding window keep every token, unless told otherwise.
    #[serde(default)]
    pub keeps_all: bool,
}

fn any_length() -> u64 {
    u64::MAX
}
fn never() -> f64 {
    f64::INFINITY
}
fn one() -> u64 {
    1
}
fn no_padding() -> (u64, u64) {
    (1, 1)
}
fn fp32() -> f64 {
    4.0
}

impl Backend {
    pub fn memory(&self, version: Version) -> &MemoryRule {
        let rule = self.memory.iter().rev().find(|rule| rule.since <= version);
        rule.unwrap_or(&self.memory[0])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Deserialize)]
    struct File {
        backend: Vec<Backend>,
    }

    #[test]
    fn the_newest_rule_not_newer_than_the_release_holds() {
        let file: File = toml::from_str(include_str!("../../presets/backends.toml")).expect("backends.toml reads");
        let vllm = file.backend.iter().find(|backend| backend.name == "vllm").expect("a row of that name");
        let since = |version| vllm.memory(version).since;
        assert_eq!(since((0, 4)), (0, 0));
        assert_eq!(since((0, 6)), (0, 5));
        assert_eq!(since((0, 8)), (0, 7));
        assert_eq!(since((0, 16)), (0, 9));
        assert_eq!(since((0, 17)), (0, 17));
        assert_eq!(since((0, 99)), (0, 27));
    }
}
