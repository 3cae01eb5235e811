//! What a step keeps besides weights and cache: hidden states, projections, logits.

use super::super::{Basis, Part, PartKind, Term};
use super::cache::Cache;
use super::split::Split;
use crate::catalog::backend::{MemoryRule, Pool};
use crate::catalog::format::ComputeRate;
use crate::catalog::model::{Ffn, LayerKind, Mixer, Model};
use crate::catalog::shape::Tower;
use crate::request::{AttentionKernel, Concurrency, Infer, Request};
use crate::units::GIB;
use smallvec::{SmallVec, smallvec};

/// Bytes of an activation.
const HALF: f64 = 2.0;

/// Bytes alive in the widest layer for each token of a step on one rank.
///
/// Residual and a layer's input or output, `2·h`; beside them the FFN's gate, up and product, `3·f/tp` (`2·f` without
/// a gate, times `k` experts and `k·h` of their outputs), or the mixer's projections. Pipeline stages hold three more
/// hidden states in flight.
pub fn forward_per_token(model: &Model, split: &Split) -> f64 {
    let hidden = model.hidden_size as f64;
    let widest = model.layers.iter().map(|kind| block(kind, hidden, split)).fold(0.0, f64::max);
    let states = if split.stages > 1 { 5.0 } else { 2.0 };
    HALF * (states * hidden + widest)
}

fn block(kind: &LayerKind, hidden: f64, split: &Split) -> f64 {
    let copies = |gated: bool| if gated { 3.0 } else { 2.0 };
    let ffn = match kind.ffn {
        Ffn::Dense { intermediate_size, gated } => copies(gated) * (intermediate_size / split.tensor) as f64,
        Ffn::Moe { top_k, intermediate_size, gated, .. } => {
            let within = (split.expert_ranks() / split.expert) as f64;
            top_k as f64 * (copies(gated) * intermediate_size as f64 / within + hidden)
        }
        Ffn::None => 0.0,
    };
    ffn.max(projections(&kind.mixer) as f64 / split.tensor as f64)
}

fn projections(mixer: &Mixer) -> u64 {
    match mixer {
        Mixer::Attention { heads, kv_heads, head_dim, value_head_dim, output_gate, .. } => {
            let queries = if *output_gate { 3 } else { 2 };
            queries * heads * head_dim + kv_heads * (head_dim + value_head_dim)
        }
        Mixer::Latent { heads, nope_head_dim, rope_head_dim, value_head_dim, .. } => {
            heads * (3 * nope_head_dim + 2 * rope_head_dim + 2 * value_head_dim)
        }
        Mixer::Compressed { heads, head_dim, .. } => 2 * heads * head_dim,
        Mixer::Linear { value_heads, value_head_dim, conv_channels, .. } => {
            2 * conv_channels + 2 * value_heads * value_head_dim
        }
        Mixer::Mamba { inner_size, conv_channels, .. } => 2 * (inner_size + conv_channels),
        Mixer::Parallel(attention, recurrent) => projections(attention) + projections(recurrent),
        Mixer::None => 0,
    }
}

/// Bytes of attention scores for `batch` prompts at once: `a/tp·s²`, in 16 bits and as the softmax's fp32; none
/// for kernels that never write them.
pub fn scores(model: &Model, split: &Split, kernel: AttentionKernel, batch: f64, prompt: f64) -> f64 {
    match kernel {
        AttentionKernel::Flash | AttentionKernel::Sdpa => 0.0,
        AttentionKernel::Eager => {
            let heads = model.layers.iter().map(|kind| heads(&kind.mixer)).max().unwrap_or(0);
            heads.div_ceil(split.tensor) as f64 * batch * prompt * prompt * (HALF + 4.0)
        }
    }
}

/// Query heads of a mixer.
pub fn heads(mixer: &Mixer) -> u64 {
    match mixer {
        Mixer::Attention { heads, .. } | Mixer::Latent { heads, .. } | Mixer::Compressed { heads, .. } => *heads,
        Mixer::Parallel(attention, _) => heads(attention),
        Mixer::Linear { .. } | Mixer::Mamba { .. } | Mixer::None => 0,
    }
}

/// Buffers that fused experts keep from step to step for each token: `k·(max(2·f, h) + f)`, `f` of the rank's shards.
/// vllm/model_executor/layers/fused_moe/fused_moe.py `workspace_shapes`.
fn expert_buffers(model: &Model, split: &Split) -> f64 {
    let of = |ffn: &Ffn| match ffn {
        Ffn::Moe { top_k, intermediate_size, .. } => {
            let width = (intermediate_size * split.expert / split.expert_ranks()) as f64;
            *top_k as f64 * ((2.0 * width).max(model.hidden_size as f64) + width)
        }
        Ffn::Dense { .. } | Ffn::None => 0.0,
    };
    HALF * model.layers.iter().map(|kind| of(&kind.ffn)).fold(0.0, f64::max)
}

/// Patches of the largest item and bytes of each in a layer of the tower: its values, the residual stream and its
/// norm, and the MLP before and after its activation. Beside a video the context holds an image.
fn largest(tower: &Tower, seq: u64, tensor: u64) -> (f64, f64) {
    let images = (seq * tower.merged / tower.patches).saturating_sub(1).clamp(1, tower.frames.max(1));
    let intermediate = tower.intermediate_size as f64 / tensor as f64;
    let mlp = if tower.gated { 3.0 } else { 2.0 } * intermediate;
    ((images * tower.patches) as f64, HALF * (tower.patch_values as f64 + 2.0 * tower.hidden_size as f64 + mlp))
}

/// Cosines and sines of every position, `n_max·d·2` bytes, which servers keep beside the weights.
pub fn rotary(model: &Model) -> f64 {
    let attention = &model.shape.attention;
    let width = if attention.kv_lora_rank.is_some() { attention.rope_head_dim } else { attention.head_dim };
    model.max_position.unwrap_or(0) as f64 * width as f64 * HALF
}

/// The most that a step keeps in the allocator.
#[derive(Clone, Copy, Debug, Default)]
pub struct Peak {
    /// Tokens of the step and bytes for each.
    tokens: f64,
    token_bytes: f64,
    /// Logits alive at once and bytes for each.
    logits: f64,
    logit_bytes: f64,
    scores: f64,
    workspace: f64,
}

impl Peak {
    /// Servers profile a full step: `T` tokens through the layers, or on the last stage the sampler on `S` sequences'
    /// logits (TGI: the logits of all prompt tokens) beside the hidden states, whichever is more. Transformers runs the
    /// prompts of a batch at once and takes the last position's logits; its caches grow by copying, a layer at a time.
    /// llama.cpp has one fp32 buffer for micro batches.
    pub fn of(request: &Request, infer: &Infer, rule: &MemoryRule, split: &Split, cache: &Cache, last: bool) -> Self {
        let model = &*request.model;
        let vocabulary = if last { model.vocab_size as f64 } else { 0.0 };
        let hidden = model.hidden_size as f64;
        let workspace = rule.workspace_gib * GIB;
        let requests = match infer.concurrency {
            Concurrency::Requests(requests) => requests.min(infer.max_seqs) as f64,
            Concurrency::Max => 1.0,
        };
        match infer.backend.pool {
            Pool::OfTotal | Pool::Static | Pool::OfFree | Pool::OfRest => {
                let whole_prompts = !rule.chunked_prefill && request.seq <= rule.whole_prompts_to;
                let step = infer.max_batched_tokens;
                let tokens = if whole_prompts { step.max(request.seq) } else { step } as f64;
                let forward = forward_per_token(model, split);
                let samples = rule.chunked_prefill || whole_prompts;
                let (logits, logit_bytes) = match rule.prompt_logit_bytes {
                    Some(bytes) => (tokens, bytes),
                    None => (if samples { infer.max_seqs as f64 } else { 0.0 }, rule.sampler_bytes),
                };
                // MXFP4 experts have kernels of their own.
                let keeps = rule.keeps_expert_buffers && infer.weights.compute != ComputeRate::Fp4;
                let kept = if keeps { expert_buffers(model, split) } else { 0.0 };
                let sampler = Self {
                    tokens,
                    token_bytes: HALF * hidden + kept,
                    logits: logits * vocabulary,
                    logit_bytes,
                    scores: 0.0,
                    workspace,
                };
                let layers = Self { tokens, token_bytes: forward, workspace, ..Self::default() };
                let profiled = model.tower.as_ref().filter(|_| rule.profiles_towers && (split.stages == 1 || !last));
                let image = profiled.map(|tower| {
                    let (tokens, token_bytes) = largest(tower, request.seq, split.tensor);
                    Self { tokens, token_bytes, workspace, ..Self::default() }
                });
                let fuller = |a: Self, b: Self| if b.bytes() > a.bytes() { b } else { a };
                image.into_iter().chain([sampler]).fold(layers, fuller)
            }
            Pool::Grows => {
                let prompt = infer.prompt as f64;
                let layer = cache.sequence(infer.prompt + infer.output, 1) / model.depth().max(1) as f64;
                Self {
                    tokens: requests * prompt,
                    token_bytes: forward_per_token(model, split),
                    logits: requests * vocabulary,
                    logit_bytes: HALF + 4.0,
                    scores: scores(model, split, request.attention, requests, prompt),
                    workspace: workspace + requests * layer,
                }
            }
            Pool::Cells => {
                let batch = infer.max_batched_tokens.min(request.seq) as f64;
                let cells = requests * request.seq as f64;
                let eager = scores(model, split, request.attention, 1.0, 1.0) > 0.0;
                let most_heads = model.layers.iter().map(|kind| heads(&kind.mixer)).max().unwrap_or(0) as f64;
                let scores = if eager { batch * cells * most_heads * 4.0 } else { 0.0 };
                let logits = Self {
                    tokens: batch,
                    token_bytes: 4.0 * hidden,
                    logits: batch * vocabulary,
                    logit_bytes: 4.0,
                    scores: 0.0,
                    workspace,
                };
                let layers = Self {
                    tokens: batch,
                    token_bytes: 2.0 * forward_per_token(model, split),
                    scores,
                    workspace,
                    ..Self::default()
                };
                if logits.bytes() > layers.bytes() { logits } else { layers }
            }
        }
    }

    pub fn bytes(&self) -> f64 {
        self.tokens * self.token_bytes + self.logits * self.logit_bytes + self.scores + self.workspace
    }

    pub fn parts(&self) -> impl Iterator<Item = Part> {
        let term = |name, factors: SmallVec<[(&'static str, f64); 5]>| Term {
            name,
            factors,
            basis: Basis::Modelled,
            source: "infer-source-profile",
        };
        let mut activations: SmallVec<[Term; 3]> = smallvec![term(
            "term-infer-forward",
            smallvec![("infer-tokens", self.tokens), ("infer-bytes-per-token", self.token_bytes)]
        )];
        if self.scores > 0.0 {
            activations.push(term("term-infer-scores", smallvec![("infer-bytes", self.scores)]));
        }
        if self.workspace > 0.0 {
            activations.push(term("term-infer-workspace", smallvec![("infer-bytes", self.workspace)]));
        }
        let factors = smallvec![("infer-logits", self.logits), ("infer-bytes-per-logit", self.logit_bytes)];
        let logits = (self.logits > 0.0).then(|| term("term-infer-logits", factors));
        [
            Some(Part { kind: PartKind::Activations, terms: activations }),
            logits.map(|logits| Part { kind: PartKind::Logits, terms: smallvec![logits] }),
        ]
        .into_iter()
        .flatten()
    }
}
