//! A language model's shape, and what follows from it alone: its tensors and their counts.
//!
//! Everything downstream (weights by format, LoRA's trainable parameters, GGUF mixes, tensor-parallel
//! shards, KV cache, FLOPs) walks the same list of tensors, so no count is kept twice.

use super::layout::{Layout, layout};
use super::shape::Shape;
use serde::Deserialize;
use std::ops::Deref;

/// A shape, its name and what follows from the shape. Reads as its [`Shape`] (`model.hidden_size`).
#[derive(Clone, Debug)]
pub struct Model {
    /// Hugging Face id, or `custom` / `generic-7b`.
    pub id: String,
    pub family: String,
    pub shape: Shape,
    /// The distinct kinds of layer, each with how many there are.
    pub layers: Vec<LayerKind>,
    /// Which kind stands at each depth: index into `layers`. Pipeline stages are cut from this.
    pub order: Vec<u8>,
    /// Tensors outside the layers: embeddings, positions, final norm, LM head, per-layer-input tables.
    pub outer: Vec<Tensor>,
    /// How the published checkpoint stores its weights.
    pub native: Native,
    /// Counts, computed from the tensors once.
    pub counts: Counts,
    /// The total as published; a check compares it with the count.
    pub published: Option<u64>,
    pub source: String,
}

impl Deref for Model {
    type Target = Shape;
    fn deref(&self) -> &Shape {
        &self.shape
    }
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Architecture {
    #[default]
    Decoder,
    Encoder,
    EncoderDecoder,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Norm {
    /// RMSNorm: a weight.
    #[default]
    Rms,
    /// LayerNorm: a weight and a bias.
    Layer,
    LayerNoBias,
    /// LayerNorm without weights (OLMo).
    Plain,
}

/// An MLP's non-linearity, told apart by what its backward needs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Activation {
    #[default]
    Silu,
    /// Either GELU as one operator.
    Gelu,
    /// The tanh approximation written out in elementary operators (GPT-2's `gelu_new`).
    GeluNew,
    Relu,
    /// ReLU squared (Nemotron).
    Relu2,
}

/// Projections kept as one matrix (Phi-3's `qkv_proj` and `gate_up_proj`, GPT-2's `c_attn`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Fused {
    pub qkv: bool,
    pub gate_up: bool,
}

#[derive(Clone, Debug)]
pub struct LayerKind {
    pub count: u64,
    pub mixer: Mixer,
    pub ffn: Ffn,
    pub direction: Direction,
    /// Every tensor of one such layer.
    pub tensors: Vec<Tensor>,
}

impl LayerKind {
    /// Of one such layer.
    pub fn parameters(&self) -> u64 {
        self.tensors.iter().map(Tensor::parameters).sum()
    }
    /// Of all experts together.
    pub fn routed_parameters(&self) -> u64 {
        self.tensors.iter().filter(|t| t.copies > 1).map(Tensor::parameters).sum()
    }
}

/// What a layer's attention sees.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// Earlier tokens: needs a key/value cache.
    Causal,
    /// All tokens: an encoder, no cache.
    Both,
    /// Earlier tokens, then by cross attention the encoder's output.
    CausalAndEncoder,
}

/// What mixes tokens in a layer.
#[derive(Clone, Debug, PartialEq)]
pub enum Mixer {
    /// MHA, GQA and MQA; `window` for sliding-window layers, `shares_kv` where a layer reuses an earlier layer's cache.
    Attention {
        heads: u64,
        kv_heads: u64,
        head_dim: u64,
        value_head_dim: u64,
        window: Option<u64>,
        shares_kv: bool,
        qk_norm: bool,
        bias: bool,
        output_gate: bool,
        indexer: Option<Indexer>,
    },
    /// Multi-head latent attention; `indexer` for DeepSeek sparse attention's key cache.
    Latent {
        heads: u64,
        q_lora_rank: Option<u64>,
        kv_lora_rank: u64,
        nope_head_dim: u64,
        rope_head_dim: u64,
        value_head_dim: u64,
        indexer: Option<Indexer>,
        window: Option<u64>,
    },
    /// DeepSeek-V4: one key/value entry of `head_dim` a token within `window`, beyond it one for every `rate`
    /// tokens (none without), and with an indexer its keys at the same rate.
    Compressed {
        heads: u64,
        head_dim: u64,
        rope_head_dim: u64,
        window: u64,
        rate: Option<u64>,
        indexer: Option<Indexer>,
    },
    /// Gated DeltaNet and its kin: a fixed state of `value_heads × key_head_dim × value_head_dim`, and the last
    /// `conv_kernel - 1` inputs of the convolution.
    Linear {
        key_heads: u64,
        value_heads: u64,
        key_head_dim: u64,
        value_head_dim: u64,
        conv_kernel: u64,
        conv_channels: u64,
    },
    /// Mamba 1 (`heads == 0`) and 2: state `inner × state_size`, conv over `conv_channels`.
    Mamba { inner_size: u64, state_size: u64, heads: u64, groups: u64, conv_kernel: u64, conv_channels: u64 },
    /// Attention and Mamba side by side in one layer (Falcon-H1).
    Parallel(Box<Mixer>, Box<Mixer>),
    /// No token mixing (Nemotron-H's MLP-only layers).
    None,
}

impl Mixer {
    /// Numbers that a further token leaves in the cache of one layer.
    pub fn cached(&self) -> f64 {
        match self {
            Mixer::Attention { shares_kv: true, .. } => 0.0,
            Mixer::Attention { kv_heads, head_dim, value_head_dim, .. } => {
                (kv_heads * (head_dim + value_head_dim)) as f64
            }
            Mixer::Latent { kv_lora_rank, rope_head_dim, .. } => (kv_lora_rank + rope_head_dim) as f64,
            // Beyond the window one entry for every `rate` tokens.
            Mixer::Compressed { head_dim, rate, .. } => rate.map_or(0.0, |rate| *head_dim as f64 / rate as f64),
            Mixer::Parallel(one, other) => one.cached() + other.cached(),
            Mixer::Linear { .. } | Mixer::Mamba { .. } | Mixer::None => 0.0,
        }
    }
}

/// Scores earlier tokens so that attention reads the `top_k` best only; caches one key of `head_dim` a token.
/// No heads where an earlier layer's choice is used again.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Indexer {
    pub heads: u64,
    pub head_dim: u64,
    pub top_k: u64,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Ffn {
    Dense {
        intermediate_size: u64,
        gated: bool,
    },
    Moe {
        experts: u64,
        top_k: u64,
        intermediate_size: u64,
        /// Width of all shared experts together; 0 without.
        shared_intermediate_size: u64,
        gated: bool,
    },
    None,
}

impl Ffn {
    /// Routed experts; 0 without.
    pub const fn experts(&self) -> u64 {
        match self {
            Ffn::Moe { experts, .. } => *experts,
            Ffn::Dense { .. } | Ffn::None => 0,
        }
    }
}

/// One weight tensor: `copies` matrices of `out_features × in_features` (vectors: `in_features == 1`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tensor {
    pub role: Role,
    pub out_features: u64,
    pub in_features: u64,
    /// Experts kept as one stacked tensor; 1 elsewhere.
    pub copies: u64,
}

impl Tensor {
    pub const fn matrix(role: Role, out_features: u64, in_features: u64) -> Self {
        Self { role, out_features, in_features, copies: 1 }
    }
    pub const fn vector(role: Role, features: u64) -> Self {
        Self { role, out_features: features, in_features: 1, copies: 1 }
    }
    pub const fn parameters(&self) -> u64 {
        self.out_features * self.in_features * self.copies
    }
}

/// What a tensor is for. Formats, LoRA targets and shards are decided by it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Role {
    Embedding,
    Position,
    LmHead,
    Norm,
    Bias,
    Query,
    Key,
    Value,
    /// Attention's output projection.
    Output,
    /// Grouped low-rank step before it (DeepSeek-V4).
    OutputDown,
    /// Learned logits that take attention away from all tokens.
    Sinks,
    /// MLA: down to the latent, up from it.
    QueryDown,
    QueryUp,
    KvDown,
    KvUp,
    Indexer,
    Gate,
    Up,
    Down,
    ExpertGate,
    ExpertUp,
    ExpertDown,
    ExpertBias,
    SharedGate,
    SharedUp,
    SharedDown,
    Router,
    RouterBias,
    /// Latent experts: to their width and back.
    LatentDown,
    LatentUp,
    /// State-space and linear-attention layers: projections in and out (linears), convolution and state vectors (not).
    MixerIn,
    MixerOut,
    Conv,
    State,
    /// Gemma 3n and 4: each layer's own input, and the table that all layers' inputs are looked up in.
    PerLayerInput,
    PerLayerEmbedding,
    /// Hyper-connections, AltUp, Laurel: small mixes of the residual stream.
    Residual,
    /// Outside the layers: between the embedding's width and the hidden size.
    Projection,
    Pooler,
}

impl Role {
    /// An `nn.Linear` weight inside a layer: what quantisation and `lora_targets=all` reach.
    pub const fn is_layer_linear(self) -> bool {
        use Role::*;
        match self {
            Query | Key | Value | Output | OutputDown | LatentDown | LatentUp | PerLayerInput | QueryDown | QueryUp
            | KvDown | KvUp | Gate | Up | Down | ExpertGate | ExpertUp | ExpertDown | SharedGate | SharedUp
            | SharedDown | MixerIn | MixerOut => true,
            Embedding | Position | LmHead | Norm | Bias | Sinks | Indexer | Router | RouterBias | ExpertBias | Conv
            | State | PerLayerEmbedding | Residual | Projection | Pooler => false,
        }
    }
    /// Of feed-forward layers, shared experts not.
    pub const fn is_feed_forward(self) -> bool {
        use Role::*;
        matches!(self, Gate | Up | Down | ExpertGate | ExpertUp | ExpertDown)
    }
    pub const fn is_routed_expert(self) -> bool {
        matches!(self, Role::ExpertGate | Role::ExpertUp | Role::ExpertDown | Role::ExpertBias)
    }
}

/// How the published checkpoint stores its weights.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Native {
    /// `bf16`, `fp16`, `fp32`.
    pub dtype: String,
    /// A row of `presets/formats.toml`, where the checkpoint is quantised (`fp8-block`, `mxfp4`).
    pub quant: Option<String>,
}

impl Default for Native {
    fn default() -> Self {
        Self { dtype: "bf16".to_owned(), quant: None }
    }
}

/// Parameter counts, exact.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Counts {
    /// Everything, towers included, multi-token-prediction layers not.
    pub total: u64,
    /// Touched per token: total, less towers, less the routed experts not chosen.
    pub active: u64,
    pub embedding: u64,
    /// 0 when tied.
    pub lm_head: u64,
    pub routed_experts: u64,
    /// Linears inside layers.
    pub layer_linears: u64,
    /// Multi-token-prediction layers: each the last layer again, a projection of two hidden states to one and
    /// three norms; embedding and head are the model's own.
    pub mtp: u64,
}

impl Model {
    /// A model of this shape without a name; the error is the knob, pattern word or table that is wrong or missing.
    pub fn of(shape: Shape) -> Result<Self, String> {
        if let Some(knob) = shape.impossible() {
            return Err(knob.to_owned());
        }
        let Layout { layers, order, outer } = layout(&shape)?;
        let mut model = Self {
            id: "custom".to_owned(),
            family: String::new(),
            shape,
            layers,
            order,
            outer,
            native: Native::default(),
            counts: Counts::default(),
            published: None,
            source: String::new(),
        };
        model.counts = model.count();
        Ok(model)
    }

    pub(super) fn count(&self) -> Counts {
        let mut counts = Counts::default();
        for (times, tensor) in self.tensors() {
            let parameters = times * tensor.parameters();
            counts.total += parameters;
            match tensor.role {
                Role::Embedding => counts.embedding += parameters,
                Role::LmHead => counts.lm_head += parameters,
                role if role.is_layer_linear() => counts.layer_linears += parameters,
                _ => {}
            }
        }
        counts.active = counts.total;
        counts.total += self.vision_parameters;
        for kind in &self.layers {
            if let Ffn::Moe { experts, top_k, .. } = kind.ffn {
                let routed = kind.count * kind.routed_parameters();
                counts.routed_experts += routed;
                counts.active -= routed / experts * (experts - top_k);
            }
        }
        let last = self.order.last().map_or(0, |&kind| self.layers[usize::from(kind)].parameters());
        counts.mtp = self.mtp_layers * (last + 2 * self.hidden_size.pow(2) + 3 * self.hidden_size);
        counts
    }

    pub fn depth(&self) -> u64 {
        self.order.len() as u64
    }
    /// Every tensor of the language model with how many times it stands in the model.
    pub fn tensors(&self) -> impl Iterator<Item = (u64, &Tensor)> {
        let layers = self.layers.iter().flat_map(|kind| kind.tensors.iter().map(move |t| (kind.count, t)));
        self.outer.iter().map(|t| (1, t)).chain(layers)
    }
    pub fn is_moe(&self) -> bool {
        self.layers.iter().any(|kind| matches!(kind.ffn, Ffn::Moe { .. }))
    }
}
