//! A model's shape as a preset or a configuration states it.
//!
//! Rows of `presets/models/*.toml`, a pasted `config.json` and the shape knobs of a line all become a
//! [`Shape`]; `layout` makes the tensors of it. Fields a `model_type` implies come from
//! `presets/architectures.toml` before they get here.

use super::model::{Activation, Architecture, Fused, Indexer, Norm};
use super::pattern::Block;
use serde::Deserialize;

#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Shape {
    /// Hugging Face's `model_type`.
    pub model_type: String,
    pub architecture: Architecture,
    pub layers: u64,
    /// Encoder-decoder models: layers of the decoder, where they differ from the encoder's.
    pub decoder_layers: Option<u64>,
    pub hidden_size: u64,
    pub vocab_size: u64,
    pub tied_embeddings: bool,
    pub max_position: Option<u64>,
    /// Which mixer stands at each depth; see [`pattern`].
    pub pattern: String,
    /// Each layer is one block, mixer or FFN, never both (Nemotron-H).
    pub single_block: bool,

    pub norm: Norm,
    /// Norms over the hidden size in each layer.
    pub block_norms: u64,
    pub embedding_norm: bool,
    pub final_norm: bool,
    /// A table of learned positions, with this many rows beyond `max_position`.
    pub learned_positions: Option<u64>,
    /// Relative position buckets of each stack (T5).
    pub relative_buckets: u64,
    pub token_types: u64,
    /// Width of the embedding where projections lead to and from the hidden size (OPT-350m).
    pub embedding_size: Option<u64>,
    /// The dense layer on the first token (BERT).
    pub pooler: bool,
    pub lm_head: bool,
    pub lm_head_bias: bool,
    /// Width of each layer's own input embedding (Gemma 3n and 4).
    pub per_layer_input_size: Option<u64>,
    pub per_layer_vocab_size: Option<u64>,
    /// Residual streams of manifold-constrained hyper-connections (DeepSeek-V4).
    pub hyper_connections: Option<u64>,
    /// Copies of the hidden state of AltUp, and rank of the low-rank residual beside it (Gemma 3n).
    pub altup_inputs: Option<u64>,
    pub laurel_rank: Option<u64>,

    pub attention: Attention,
    /// What sliding-window layers have otherwise.
    pub sliding: Sliding,
    pub linear: Option<Linear>,
    pub mamba: Option<Mamba>,
    pub ffn: Ffn,
    pub moe: Option<Moe>,

    pub mtp_layers: u64,
    pub vision_parameters: u64,
    /// Of its tower, where the largest image outweighs a step of the language model.
    pub tower: Option<Tower>,
    /// Norms before the output projections of attention and FFN (BitNet).
    pub sub_norms: bool,
    pub final_logit_softcap: bool,
    pub dropout: bool,
    pub activation: Activation,
    pub fused: Fused,
}

impl Default for Shape {
    /// Llama's conventions: two RMS norms a layer and one at the end, gated FFN, no biases, own LM head.
    fn default() -> Self {
        Self {
            model_type: String::new(),
            architecture: Architecture::Decoder,
            layers: 0,
            decoder_layers: None,
            hidden_size: 0,
            vocab_size: 0,
            tied_embeddings: false,
            max_position: None,
            pattern: String::new(),
            single_block: false,
            norm: Norm::Rms,
            block_norms: 2,
            embedding_norm: false,
            final_norm: true,
            learned_positions: None,
            relative_buckets: 0,
            token_types: 0,
            embedding_size: None,
            pooler: false,
            lm_head: true,
            lm_head_bias: false,
            per_layer_input_size: None,
            per_layer_vocab_size: None,
            hyper_connections: None,
            altup_inputs: None,
            laurel_rank: None,
            attention: Attention::default(),
            sliding: Sliding::default(),
            linear: None,
            mamba: None,
            ffn: Ffn::default(),
            moe: None,
            mtp_layers: 0,
            vision_parameters: 0,
            tower: None,
            sub_norms: false,
            final_logit_softcap: false,
            dropout: false,
            activation: Activation::Silu,
            fused: Fused::default(),
        }
    }
}

/// Beyond these no model is in sight, and products of them stay far from overflow.
pub(super) const MOST_LAYERS: u64 = 1000;
pub(super) const WIDEST: u64 = 1 << 19;
const MOST_TOKENS: u64 = 1 << 24;
const MOST_EXPERTS: u64 = 1 << 13;
const MOST_HEADS: u64 = 1 << 13;
/// Residual streams, prediction layers, convolution taps.
const MOST_RARE: u64 = 64;

impl Shape {
    /// Whether any layer has attention.
    pub fn attends(&self) -> bool {
        self.pattern.is_empty() || Block::ATTENDING.iter().any(|word| self.pattern.contains(word))
    }

    /// The first figure that cannot be, by the name of its knob.
    pub fn impossible(&self) -> Option<&'static str> {
        let Attention { heads, kv_heads, head_dim, .. } = self.attention;
        let attends = self.attends();
        let latent = self.attention.kv_lora_rank.is_some();
        let moe = self.moe.as_ref();
        let width = |widths: &[u64]| widths.iter().any(|&width| width > WIDEST);
        let faults = [
            ("layers", self.layers == 0 || self.layers > MOST_LAYERS),
            ("layers", self.decoder_layers.is_some_and(|layers| layers > MOST_LAYERS)),
            ("hidden", self.hidden_size == 0 || width(&[self.hidden_size])),
            ("vocab", self.vocab_size == 0 || self.vocab_size > MOST_TOKENS),
            ("heads", heads > MOST_HEADS || (attends && heads == 0)),
            ("kv_heads", kv_heads > heads || (attends && !latent && (kv_heads == 0 || heads % kv_heads != 0))),
            ("head_dim", width(&[head_dim]) || (attends && !latent && head_dim == 0)),
            ("kv_lora_rank", width(&[self.attention.kv_lora_rank.unwrap_or(0)])),
            ("ffn", width(&[self.ffn.intermediate_size])),
            ("experts", moe.is_some_and(|moe| moe.experts > MOST_EXPERTS || moe.every == 0)),
            ("top_k", moe.is_some_and(|moe| moe.top_k > moe.experts)),
            ("expert_ffn", moe.is_some_and(|moe| width(&[moe.intermediate_size, moe.shared_intermediate_size]))),
            ("shape", width(&self.rarer_widths()) || self.rarer_counts().iter().any(|&count| count > MOST_RARE)),
        ];
        faults.into_iter().find_map(|(knob, wrong)| wrong.then_some(knob))
    }

    fn rarer_widths(&self) -> [u64; 18] {
        let attention = &self.attention;
        let mamba = self.mamba.as_ref();
        let linear = self.linear.as_ref();
        let indexer = attention.indexer.as_ref();
        let all =
            |linear: &Linear| (linear.key_heads * linear.key_head_dim).max(linear.value_heads * linear.value_head_dim);
        [
            attention.q_lora_rank.unwrap_or(0),
            attention.nope_head_dim,
            attention.rope_head_dim,
            attention.value_head_dim.unwrap_or(0),
            attention.compressed.as_ref().map_or(0, |compressed| compressed.output_groups * compressed.o_lora_rank),
            indexer.map_or(0, |indexer| indexer.heads * indexer.head_dim),
            linear.map_or(0, all),
            mamba.map_or(0, |mamba| mamba.inner_size),
            mamba.map_or(0, |mamba| mamba.state_size * mamba.groups.max(1)),
            mamba.map_or(0, |mamba| mamba.time_step_rank.max(mamba.heads)),
            self.embedding_size.unwrap_or(0),
            self.per_layer_input_size.unwrap_or(0),
            self.laurel_rank.unwrap_or(0),
            self.moe.as_ref().and_then(|moe| moe.latent_size).unwrap_or(0),
            self.sliding.head_dim.unwrap_or(0),
            self.sliding.kv_lora_rank.unwrap_or(0),
            self.sliding.nope_head_dim.unwrap_or(0),
            self.sliding.heads.or(self.sliding.kv_heads).unwrap_or(0),
        ]
    }

    fn rarer_counts(&self) -> [u64; 6] {
        [
            self.hyper_connections.unwrap_or(0),
            self.altup_inputs.unwrap_or(0),
            self.mtp_layers,
            self.block_norms,
            self.linear.as_ref().map_or(0, |linear| linear.conv_kernel),
            self.mamba.as_ref().map_or(0, |mamba| mamba.conv_kernel),
        ]
    }
}

#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Attention {
    pub heads: u64,
    pub kv_heads: u64,
    pub head_dim: u64,
    /// Where values are narrower than keys.
    pub value_head_dim: Option<u64>,
    pub qkv_bias: bool,
    pub output_bias: bool,
    pub qk_norm: QkNorm,
    pub qk_norm_bias: bool,
    pub output_gate: OutputGate,
    /// One learned logit a head (gpt-oss).
    pub sinks: bool,
    /// Values are the keys: no value projection, in layers that are not sliding (Gemma 4).
    pub key_is_value: bool,
    /// Query and output projections by expert, chosen by a router of their own (JetMoE).
    pub experts: bool,
    /// The last layers that read an earlier layer's cache and have no key and value projections.
    pub kv_shared_layers: u64,

    /// Multi-head latent attention, where given.
    pub kv_lora_rank: Option<u64>,
    /// Of queries, in latent attention or another.
    pub q_lora_rank: Option<u64>,
    pub nope_head_dim: u64,
    pub rope_head_dim: u64,
    pub indexer: Option<Indexer>,
    /// DeepSeek-V4's compressed key/value cache.
    pub compressed: Option<Compressed>,
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Compressed {
    pub o_lora_rank: u64,
    pub output_groups: u64,
    /// Tokens to one cache entry in `sparse` and in `compressed` layers.
    pub sparse_rate: u64,
    pub dense_rate: u64,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum QkNorm {
    #[default]
    None,
    /// One weight vector of `head_dim`, shared by the heads.
    Head,
    /// Over all heads together, or one vector for each.
    All,
}

/// Multiplies attention's output before its projection.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OutputGate {
    #[default]
    None,
    /// A scalar a head (Step-3.5).
    Head,
    /// Every element, most often made by the query projection (Qwen3-Next).
    Element,
}

#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Sliding {
    pub window: Option<u64>,
    pub heads: Option<u64>,
    pub kv_heads: Option<u64>,
    pub head_dim: Option<u64>,
    pub value_head_dim: Option<u64>,
    pub kv_lora_rank: Option<u64>,
    pub nope_head_dim: Option<u64>,
    pub sinks: bool,
}

impl Sliding {
    /// Attention of a sliding layer: `attention` with what differs here.
    pub fn over(&self, attention: &Attention) -> Attention {
        Attention {
            heads: self.heads.unwrap_or(attention.heads),
            kv_heads: self.kv_heads.unwrap_or(attention.kv_heads),
            head_dim: self.head_dim.unwrap_or(attention.head_dim),
            value_head_dim: self.value_head_dim.or(attention.value_head_dim),
            kv_lora_rank: self.kv_lora_rank.or(attention.kv_lora_rank),
            nope_head_dim: self.nope_head_dim.unwrap_or(attention.nope_head_dim),
            sinks: self.sinks || attention.sinks,
            key_is_value: false,
            ..attention.clone()
        }
    }
}

#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Linear {
    pub kind: LinearKind,
    pub key_heads: u64,
    pub value_heads: u64,
    pub key_head_dim: u64,
    pub value_head_dim: u64,
    pub conv_kernel: u64,
    /// Kimi Delta's gates are whole matrices, without a bottleneck (Ling-3.0).
    pub whole_gates: bool,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LinearKind {
    /// Gated DeltaNet (Qwen3-Next).
    #[default]
    GatedDelta,
    /// Kimi Delta Attention.
    KimiDelta,
    /// Lightning attention (MiniMax-01).
    Lightning,
    /// xLSTM's matrix memory.
    Mlstm,
    /// A gated convolution over a few tokens (LFM2).
    ShortConv,
    /// Griffin's gated linear recurrence (RecurrentGemma).
    RgLru,
    /// RWKV-4's time mixing, and its channel mixing's receptance.
    Rwkv,
}

/// A vision tower's layers and the largest item that it is given.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tower {
    /// Of the largest image.
    pub patches: u64,
    pub patch_values: u64,
    /// Patches that become one token.
    pub merged: u64,
    /// The longest video in images of that size.
    #[serde(default = "Tower::one")]
    pub frames: u64,
    pub hidden_size: u64,
    pub intermediate_size: u64,
    #[serde(default)]
    pub gated: bool,
}

impl Tower {
    const fn one() -> u64 {
        1
    }
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Mamba {
    pub inner_size: u64,
    pub state_size: u64,
    /// 0: Mamba 1.
    pub heads: u64,
    pub groups: u64,
    pub conv_kernel: u64,
    /// Mamba 1: width of the step size's low-rank projection.
    pub time_step_rank: u64,
    /// Mamba 1 in Jamba: norms on step size, B and C.
    pub inner_norms: bool,
    /// Mamba 2: gated norm before the output projection.
    pub gated_norm: bool,
    pub conv_bias: bool,
    pub bias: bool,
}

impl Default for Mamba {
    fn default() -> Self {
        Self {
            inner_size: 0,
            state_size: 0,
            heads: 0,
            groups: 1,
            conv_kernel: 4,
            time_step_rank: 0,
            inner_norms: false,
            gated_norm: true,
            conv_bias: true,
            bias: false,
        }
    }
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Ffn {
    pub intermediate_size: u64,
    pub gated: bool,
    pub bias: bool,
    /// Twice as wide in layers that share another's keys and values (Gemma 4).
    pub wide_where_shared: bool,
    /// Learned scalars of the activation (Apertus' xIELU).
    pub activation_parameters: u64,
}

impl Default for Ffn {
    fn default() -> Self {
        Self { intermediate_size: 0, gated: true, bias: false, wide_where_shared: false, activation_parameters: 0 }
    }
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Moe {
    pub experts: u64,
    pub top_k: u64,
    pub intermediate_size: u64,
    /// Width of all shared experts together.
    pub shared_intermediate_size: u64,
    /// A scalar gate on the shared experts (Qwen).
    pub shared_gate: bool,
    /// Leading layers with a dense FFN.
    pub dense_layers: u64,
    /// Of the layers after those, one in `every` has experts: those where `(depth - offset) % every == 0`.
    pub every: u64,
    pub offset: u64,
    /// Router score-correction bias, one an expert.
    pub router_bias: bool,
    /// Leading layers that route by a hash of the token (DeepSeek-V4).
    pub hash_layers: u64,
    /// Experts that pass their input through (LongCat): in the router, without weights.
    pub zero_experts: u64,
    /// Biases on router and experts (gpt-oss).
    pub bias: bool,
    /// One bias on the experts' sum (JetMoE).
    pub output_bias: bool,
    /// A norm on the experts' sum (A.X-K1).
    pub output_norm: bool,
    /// Learned scales of the router's input and of each expert's weight (Gemma 4).
    pub router_scales: bool,
    /// Experts work on a projection of the hidden state to this width.
    pub latent_size: Option<u64>,
    /// The dense FFN stands beside the experts in every layer (Gemma 4).
    pub beside_dense: bool,
}

impl Default for Moe {
    fn default() -> Self {
        Self {
            experts: 0,
            top_k: 0,
            intermediate_size: 0,
            shared_intermediate_size: 0,
            shared_gate: false,
            dense_layers: 0,
            every: 1,
            offset: 0,
            router_bias: false,
            hash_layers: 0,
            zero_experts: 0,
            bias: false,
            output_bias: false,
            output_norm: false,
            router_scales: false,
            latent_size: None,
            beside_dense: false,
        }
    }
}
