//! What one layer's forward keeps for its backward.
//!
//! Walks a layer as autograd does: a norm keeps its input in fp32 and its result, a linear its input if its weight
//! or an adapter on it is trained, an attention kernel queries, keys, values, output and log-sum-exp, an activation
//! its arguments. Derived from the operators of transformers' modelling code and checked against traced steps
//! (`tests/data/training-memory-oracle.csv`). Knows nothing of depth, batches or checkpointing (see `activations`).

use super::regime::{Regime, adapter};
use crate::catalog::model::{Activation, Ffn, Fused, LayerKind, Mixer, Model, Norm, Role, Tensor};
use crate::request::{AttentionKernel, Method, Train};
use smallvec::SmallVec;
use std::ops::{Add, AddAssign};

/// Bytes: so many a token, a pair of tokens of one sequence, and whatever the batch.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Saved {
    pub token: f64,
    pub pair: f64,
    pub fixed: f64,
}

impl Saved {
    fn token(token: f64) -> Self {
        Self { token, ..Self::default() }
    }
    pub fn bytes(&self, tokens: f64, pairs: f64) -> f64 {
        self.token * tokens + self.pair * pairs + self.fixed
    }
}

impl Add for Saved {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self { token: self.token + other.token, pair: self.pair + other.pair, fixed: self.fixed + other.fixed }
    }
}
impl AddAssign for Saved {
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

/// How a run computes its layers.
#[derive(Clone, Copy)]
pub struct Walk<'a> {
    pub model: &'a Model,
    pub train: &'a Train,
    pub regime: Regime,
    pub kernel: AttentionKernel,
    /// Tensor-parallel ranks: heads and MLP widths are split by it.
    pub tensor: f64,
    /// Ranks that split norms and residuals along the sequence.
    pub sequence: f64,
    pub fused_norm: bool,
    pub fused_mlp: bool,
    /// Tokens of one sequence.
    pub seq: u64,
}

/// Attention or MLP of a layer.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Half {
    Mixer,
    Ffn,
}

type Roles = SmallVec<[Role; 6]>;

/// How a linear wants its input kept.
enum Keep {
    Not,
    AsIs,
    Copy(f64),
}

impl Walk<'_> {
    /// What a layer's attention keeps, and what its MLP does, each with the norm before it. `trains`: the layer's own
    /// weights are trained.
    pub fn halves(&self, layer: &LayerKind, trains: bool) -> [Saved; 2] {
        let hidden = self.model.hidden_size as f64 / self.sequence;
        let norms = self.hidden_norms(layer);
        let norm = self.norm(hidden, trains);
        let input = |roles: &[Role]| norm + self.shared_input(hidden, self.norm_output(), false, roles, trains);
        let (mixer_reads, ffn_reads) = (mixer_inputs(&layer.mixer), ffn_inputs(&layer.ffn));
        let mut mixer = self.mixer(&layer.mixer, trains) + self.weights(layer, trains, Half::Mixer);
        let mut ffn = self.ffn(&layer.ffn, trains) + self.weights(layer, trains, Half::Ffn);
        if norms == 1 && !mixer_reads.is_empty() && !ffn_reads.is_empty() {
            // One norm feeds attention and MLP.
            let roles: Roles = mixer_reads.into_iter().chain(ffn_reads).collect();
            mixer.token += input(&roles);
        } else {
            for (half, roles) in [(&mut mixer, mixer_reads), (&mut ffn, ffn_reads)] {
                half.token += if roles.is_empty() { 0.0 } else { input(&roles) };
            }
            // Norms after attention and MLP (Gemma 2) feed only the residual sum.
            ffn.token += norms.saturating_sub(2) as f64 * norm;
        }
        if self.model.dropout {
            // A byte an element of each residual dropout's mask.
            mixer.token += hidden;
            ffn.token += hidden;
        }
        [mixer, ffn]
    }

    /// Norms over the hidden size; those over queries and keys may be as wide.
    fn hidden_norms(&self, layer: &LayerKind) -> usize {
        let wide = |t: &&Tensor| t.role == Role::Norm && t.out_features == self.model.hidden_size;
        let vectors = layer.tensors.iter().filter(wide).count();
        match self.model.norm {
            Norm::Plain => 2,
            Norm::Layer => vectors / 2,
            Norm::Rms | Norm::LayerNoBias => vectors,
        }
    }

    /// A norm of `width` features, its output not counted.
    fn norm(&self, width: f64, trains: bool) -> f64 {
        let stream = self.regime.stream;
        match self.model.norm {
            // Input, mean and inverse deviation; autocast feeds it in fp32.
            Norm::Layer | Norm::LayerNoBias | Norm::Plain => self.norm_output() * width + 8.0,
            Norm::Rms if self.fused_norm => stream * width + 4.0,
            // The input in fp32, its inverse root mean square, and what the weight multiplies.
            Norm::Rms => 4.0 * width + 4.0 + if trains { self.scaled(width) } else { 0.0 },
        }
    }

    /// The normalised tensor that a trained norm weight multiplies; Gemma multiplies in fp32.
    fn scaled(&self, width: f64) -> f64 {
        let gemma = self.model.model_type.starts_with("gemma");
        width * if gemma { 4.0 } else { self.regime.stream }
    }

    fn norm_output(&self) -> f64 {
        let layer_norm_in_fp32 = self.regime.autocast && self.model.norm != Norm::Rms;
        if layer_norm_in_fp32 { 4.0 } else { self.regime.stream }
    }

    /// One tensor of `width` features, `size` bytes each, that feeds linears of these roles. `held`: kept anyway.
    fn shared_input(&self, width: f64, size: f64, held: bool, roles: &[Role], trains: bool) -> f64 {
        let (mut as_is, mut copies) = (false, 0.0);
        for (at, role) in roles.iter().enumerate() {
            let one_matrix = at > 0 && self.fused_with_previous(*role);
            match self.keep(*role, size, trains) {
                _ if one_matrix => {}
                Keep::Not => {}
                Keep::AsIs => as_is = true,
                Keep::Copy(bytes) => copies += bytes,
            }
        }
        width * (copies + if as_is && !held { size } else { 0.0 })
    }

    fn fused(&self) -> Fused {
        let Fused { qkv, gate_up } = self.model.fused;
        Fused { qkv: qkv || self.train.framework.kernels.fused_qkv, gate_up }
    }

    fn fused_with_previous(&self, role: Role) -> bool {
        let Fused { qkv, gate_up } = self.fused();
        match role {
            Role::Key | Role::Value => qkv,
            Role::Up | Role::SharedUp => gate_up,
            _ => false,
        }
    }

    fn keep(&self, role: Role, size: f64, trains: bool) -> Keep {
        let regime = &self.regime;
        let cast = |wanted: f64| if size == wanted { Keep::AsIs } else { Keep::Copy(wanted) };
        let Some(lora) = self.train.lora() else {
            return if !trains {
                Keep::Not
            } else if regime.autocast {
                cast(regime.compute)
            } else {
                Keep::AsIs
            };
        };
        let kernels = &self.train.framework.kernels;
        if !lora.targets.reach(role, self.model.fused) {
            let kept = lora.base.is_some() && kernels.keeps_quantised_inputs && role.is_layer_linear();
            return if kept { Keep::AsIs } else { Keep::Not };
        }
        if kernels.adapter_dropout {
            let wanted = if regime.autocast { regime.compute } else { regime.adapter };
            return Keep::Copy(wanted + 1.0);
        }
        match (regime.autocast, lora.base.is_some()) {
            // peft casts the input to the adapter's precision, then autocast back: a copy for each adapter.
            (true, false) if regime.adapter != size => Keep::Copy(regime.compute),
            (true, _) => cast(regime.compute),
            (false, _) => cast(regime.adapter),
        }
    }

    fn mixer(&self, mixer: &Mixer, trains: bool) -> Saved {
        let (t, attention) = (self.tensor, self.regime.attention());
        match *mixer {
            Mixer::Attention { heads, kv_heads, head_dim, value_head_dim, qk_norm, output_gate, window, .. } => {
                let (queries, keys) = (heads as f64 / t, (kv_heads as f64 / t).max(1.0));
                let (q, k) = (queries * head_dim as f64, keys * head_dim as f64);
                let (v, out) = (keys * value_head_dim as f64, queries * value_head_dim as f64);
                // A value that is a view of the fused projection keeps the whole of it alive.
                let viewed = self.fused().qkv && attention == self.regime.linear_output;
                let rotary = !self.model.outer.iter().any(|tensor| tensor.role == Role::Position);
                let v_kept = match (viewed, rotary) {
                    (true, true) => q + k + v,
                    (true, false) => v,
                    (false, _) => v,
                };
                let mut saved = self.scores(queries, [q, k, v_kept, out], queries / keys, trains);
                if self.kernel == AttentionKernel::Sdpa && window.is_some_and(|window| self.seq > window) {
                    // A window's mask in the scores' precision, and keys and values repeated for each query head.
                    saved.pair += attention;
                    saved.token += attention * (queries / keys - 1.0) * (k + v);
                }
                if qk_norm {
                    saved.token += self.norm(q, trains) + self.norm(k, trains) + 4.0 * (queries + keys - 2.0);
                }
                if output_gate {
                    // The gate, its sigmoid, and the ungated output (kept already).
                    saved.token += 2.0 * self.regime.linear_output * out;
                }
                saved
            }
            Mixer::Latent {
                heads, q_lora_rank, kv_lora_rank, nope_head_dim, rope_head_dim, value_head_dim, ..
            } => {
                let heads = heads as f64 / t;
                let (nope, value) = (nope_head_dim as f64, value_head_dim as f64);
                let key = nope + rope_head_dim as f64;
                // Values are a view of what comes up from the latent, keys and queries are concatenated anew.
                let kept = [heads * key, heads * key, heads * (nope + value), heads * value];
                let mut saved = self.scores(heads, kept, 1.0, trains);
                let compressed = |rank: f64, up: Role| {
                    self.norm(rank, trains) + self.shared_input(rank, self.norm_output(), false, &[up], trains)
                };
                saved.token += compressed(kv_lora_rank as f64, Role::KvUp);
                if let Some(rank) = q_lora_rank {
                    saved.token += compressed(rank as f64, Role::QueryUp);
                }
                saved
            }
            Mixer::Compressed { heads, head_dim, .. } => {
                // One key that is the value too, shared by all heads.
                let (queries, width) = (heads as f64 / t, head_dim as f64);
                self.scores(queries, [queries * width, width, 0.0, queries * width], queries, trains)
            }
            Mixer::Linear { key_heads, value_heads, key_head_dim, value_head_dim, .. } => {
                let keys = (key_heads * key_head_dim) as f64 / t;
                let values = (value_heads * value_head_dim) as f64 / t;
                let size = self.regime.linear_output;
                // The projection (the gate is a view of it), the convolution in and out (values are a view of that),
                // normalised queries and keys, the kernel's output and, of each chunk of 64 tokens, its inner products.
                let through = 2.0 * keys + values;
                let token = size * ((through + values) + 2.0 * through + 2.0 * keys + values)
                    + size * 64.0 * value_heads as f64 / t;
                Saved::token(token + self.shared_input(values, size, false, &[Role::MixerOut], trains))
            }
            Mixer::Mamba { inner_size, state_size, heads, groups, .. } => {
                let inner = inner_size as f64 / t;
                let size = self.regime.linear_output;
                let selects = 2.0 * (groups.max(1) * state_size) as f64;
                // mamba_ssm's fused layer keeps its projection and the scan's output and computes the rest again.
                Saved::token(size * (3.0 * inner + selects + heads as f64 / t))
            }
            Mixer::Parallel(ref a, ref b) => self.mixer(a, trains) + self.mixer(b, trains),
            Mixer::None => Saved::default(),
        }
    }

    /// Attention proper and the output projection's input. `kept`: widths of queries, keys, values and output.
    fn scores(&self, heads: f64, kept: [f64; 4], repeats: f64, trains: bool) -> Saved {
        let [q, k, v, out] = kept;
        let size = self.regime.attention();
        match self.kernel {
            AttentionKernel::Flash | AttentionKernel::Sdpa => {
                let token = size * (q + k + v + out) + 4.0 * heads;
                Saved::token(token + self.shared_input(out, size, true, &[Role::Output], trains))
            }
            AttentionKernel::Eager => {
                // Keys and values are repeated for each query head.
                let token = size * (q + if repeats > 1.0 { repeats * k + repeats * v } else { k + v });
                let projected = self.shared_input(out, size, false, &[Role::Output], trains);
                Saved { token: token + projected, pair: self.probabilities() * heads, fixed: 0.0 }
            }
        }
    }

    /// Bytes a pair of tokens and head that attention keeps where it materialises scores: probabilities in fp32 and
    /// in the precision of the values, a soft cap's argument, a dropout's mask.
    pub fn probabilities(&self) -> f64 {
        let size = self.regime.attention();
        let soft_cap = if self.model.final_logit_softcap { size } else { 0.0 };
        let cast = if size == 4.0 { 0.0 } else { size };
        let dropped = drops_probabilities(&self.model.model_type);
        let in_fp32 = !dropped || self.regime.autocast;
        soft_cap
            + match (dropped, in_fp32) {
                (false, _) => 4.0 + cast,
                (true, true) => 4.0 + 1.0 + size,
                (true, false) => size + 1.0 + size,
            }
    }

    fn ffn(&self, ffn: &Ffn, trains: bool) -> Saved {
        match *ffn {
            Ffn::Dense { intermediate_size, gated } => {
                Saved::token(self.mlp(intermediate_size as f64 / self.tensor, gated, Role::Down, trains))
            }
            Ffn::Moe { experts, top_k, intermediate_size, shared_intermediate_size, gated } => {
                // Grouped products are not autocast.
                let size = self.regime.stream;
                let hidden = self.model.hidden_size as f64;
                let tokens = top_k as f64;
                let experts_walk =
                    Self { regime: Regime { autocast: false, linear_output: size, ..self.regime }, ..*self };
                let gathered = experts_walk.shared_input(hidden, size, false, &[Role::ExpertGate], trains);
                let width = intermediate_size as f64 / self.tensor;
                let expert = experts_walk.mlp(width, gated, Role::ExpertDown, trains);
                // Outputs before they are weighed, scores in fp32 over all experts.
                let routed = tokens * (gathered + expert + size * hidden + 16.0) + 4.0 * experts as f64;
                let shared = shared_intermediate_size as f64 / self.tensor;
                let shared = if shared > 0.0 { self.mlp(shared, gated, Role::SharedDown, trains) } else { 0.0 };
                Saved::token(routed + shared)
            }
            Ffn::None => Saved::default(),
        }
    }

    /// An MLP of `width`, its input not counted.
    fn mlp(&self, width: f64, gated: bool, down: Role, trains: bool) -> f64 {
        let size = self.regime.linear_output;
        let relu = self.model.activation == Activation::Relu;
        // Autocast runs `pow` in fp32, and what follows from it.
        let written_out = self.train.framework.kernels.transformers && !self.fused_mlp;
        let powers = self.model.activation == Activation::GeluNew && written_out && self.regime.autocast;
        let product = self.shared_input(width, if powers { 4.0 } else { size }, relu && !gated, &[down], trains);
        let arguments = match (gated, self.model.activation) {
            // Gate and up; written out, also the activated gate.
            (true, _) => size * width * if self.fused_mlp { 2.0 } else { 3.0 },
            (false, Activation::Silu | Activation::Gelu | Activation::Relu) => size * width,
            (false, Activation::Relu2) => 2.0 * size * width,
            (false, Activation::GeluNew) if powers => (3.0 * 4.0 + size) * width,
            (false, Activation::GeluNew) => size * width * if written_out { 4.0 } else { 1.0 },
        };
        arguments + product
    }

    /// Copies of weights, adapters' inner activations and temporaries.
    fn weights(&self, layer: &LayerKind, trains: bool, half: Half) -> Saved {
        let regime = &self.regime;
        let mut saved = Saved::default();
        let linears = layer.tensors.iter().filter(|t| t.role.is_layer_linear() && half_of(t.role) == half);
        if regime.weight_copies && (trains || self.train.method != Method::Full) {
            let cast = linears.clone().filter(|tensor| !tensor.role.is_routed_expert());
            saved.fixed += cast.map(|t| regime.compute * t.parameters() as f64 / self.tensor).sum::<f64>();
        }
        let Some(lora) = self.train.lora() else { return saved };
        if lora.base.is_some_and(|format| format.name.starts_with("gptq")) {
            // GPTQ's linears multiply by a dequantised weight that autograd keeps.
            saved.fixed += linears.clone().map(|t| regime.compute * t.parameters() as f64 / self.tensor).sum::<f64>();
        }
        for tensor in linears.filter(|tensor| lora.targets.reach(tensor.role, self.model.fused)) {
            let rank = lora.rank as f64;
            let (inner, outer) = adapter(tensor, rank, self.model.fused);
            let inside = if regime.autocast { regime.compute } else { regime.adapter };
            if inner > 0.0 && !tensor.role.is_routed_expert() {
                saved.token += rank * inside;
            }
            if regime.autocast && regime.adapter != regime.compute {
                saved.fixed += regime.compute * (inner + outer);
            }
            if tensor.role.is_routed_expert() && tensor.copies > 1 {
                // peft keeps W + ΔW of stacked experts.
                saved.fixed += regime.compute * tensor.parameters() as f64;
            }
            if self.train.is_dora() {
                // The base's and the adapter's output, each scaled by the magnitude.
                let out = tensor.out_features as f64 / self.tensor;
                saved.token += out * (regime.linear_output + inside);
            }
        }
        saved
    }
}

fn half_of(role: Role) -> Half {
    use Role::*;
    match role {
        Gate | Up | Down | ExpertGate | ExpertUp | ExpertDown | SharedGate | SharedUp | SharedDown | LatentDown
        | LatentUp => Half::Ffn,
        _ => Half::Mixer,
    }
}

/// Architectures that drop attention probabilities by default, and take their softmax in the precision of the scores
/// (`attn_pdrop` of GPT-2).
fn drops_probabilities(model_type: &str) -> bool {
    matches!(model_type, "gpt2" | "gpt_bigcode")
}

/// Linears that read a mixer's normalised input.
fn mixer_inputs(mixer: &Mixer) -> Roles {
    let roles: &[Role] = match mixer {
        Mixer::Attention { .. } => &[Role::Query, Role::Key, Role::Value],
        Mixer::Latent { q_lora_rank: Some(_), .. } | Mixer::Compressed { .. } => &[Role::QueryDown, Role::KvDown],
        Mixer::Latent { q_lora_rank: None, .. } => &[Role::Query, Role::KvDown],
        Mixer::Linear { .. } | Mixer::Mamba { .. } => &[Role::MixerIn],
        Mixer::Parallel(a, b) => return mixer_inputs(a).into_iter().chain(mixer_inputs(b)).collect(),
        Mixer::None => &[],
    };
    roles.into()
}

/// Linears that read an MLP's normalised input; routed experts gather their own.
fn ffn_inputs(ffn: &Ffn) -> Roles {
    let roles: &[Role] = match ffn {
        Ffn::Dense { gated: true, .. } => &[Role::Gate, Role::Up],
        Ffn::Dense { gated: false, .. } => &[Role::Up],
        Ffn::Moe { shared_intermediate_size: 0, .. } => &[Role::Router],
        Ffn::Moe { .. } => &[Role::Router, Role::SharedGate, Role::SharedUp],
        Ffn::None => &[],
    };
    roles.into()
}
