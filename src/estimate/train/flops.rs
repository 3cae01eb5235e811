//! Floating-point operations of training.
//!
//! A linear takes two operations a weight and token forward, as many for its input's gradient and as many for its
//! weight's; causal attention takes `2·n·(d + d_v)` a token and earlier token, `s/2` of them on average (half of what
//! Kaplan et al. 2020 count), twice that backward. Embedding look-ups take none.

use super::states::LayersTrained;
use crate::catalog::model::{Ffn, LayerKind, Mixer, Model, Role};
use crate::catalog::recipe::Selective;
use crate::request::{Checkpointing, Train};

/// Operations of one token's forward.
#[derive(Clone, Copy, Debug, Default)]
pub struct Forward {
    /// Linears of the layers but for routed experts.
    pub layers: f64,
    /// Experts that a token is routed to.
    pub experts: f64,
    pub head: f64,
    /// Scores and weighted sums, state updates of recurrent mixers.
    pub attention: f64,
}

impl Forward {
    /// Of a token in a sequence of `seq`.
    pub fn of(model: &Model, seq: f64, logits: bool) -> Self {
        let mut forward = Self::default();
        for kind in &model.layers {
            let count = kind.count as f64;
            let [layers, experts] = layer(kind);
            forward.layers += count * layers;
            forward.experts += count * experts;
            forward.attention += count * mixer(&kind.mixer, seq);
        }
        let head = model.outer.iter().filter(|t| t.role == Role::LmHead).map(|t| t.parameters()).sum::<u64>();
        let tied = if model.tied_embeddings { model.vocab_size * model.hidden_size } else { 0 };
        forward.head = if logits { 2.0 * head.max(tied) as f64 } else { 0.0 };
        forward
    }

    pub fn linears(&self) -> f64 {
        self.layers + self.experts + self.head
    }
}

/// Of a layer's linears, routed experts apart.
fn layer(kind: &LayerKind) -> [f64; 2] {
    let chosen = match kind.ffn {
        Ffn::Moe { experts, top_k, .. } => top_k as f64 / experts as f64,
        Ffn::Dense { .. } | Ffn::None => 0.0,
    };
    let linears = kind.tensors.iter().filter(|t| t.role.is_layer_linear() || t.role == Role::Router);
    linears.fold([0.0; 2], |[layers, experts], tensor| {
        let operations = 2.0 * tensor.parameters() as f64;
        if tensor.role.is_routed_expert() {
            [layers, experts + chosen * operations]
        } else {
            [layers + operations, experts]
        }
    })
}

fn mixer(mixer: &Mixer, seq: f64) -> f64 {
    // Earlier tokens that a token sees on average.
    let seen = |window: Option<u64>| match window.map(|window| window as f64) {
        Some(window) if window < seq => window,
        _ => seq / 2.0,
    };
    match *mixer {
        Mixer::Attention { heads, head_dim, value_head_dim, window, .. } => {
            2.0 * (heads * (head_dim + value_head_dim)) as f64 * seen(window)
        }
        Mixer::Latent { heads, nope_head_dim, rope_head_dim, value_head_dim, window, .. } => {
            2.0 * (heads * (nope_head_dim + rope_head_dim + value_head_dim)) as f64 * seen(window)
        }
        Mixer::Compressed { heads, head_dim, window, rate, .. } => {
            let compressed = rate.map_or(0.0, |rate| seq / 2.0 / rate as f64);
            4.0 * (heads * head_dim) as f64 * (seen(Some(window)) + compressed)
        }
        // A token updates and reads the state: two products with it each.
        Mixer::Linear { value_heads, key_head_dim, value_head_dim, .. } => {
            6.0 * (value_heads * key_head_dim * value_head_dim) as f64
        }
        Mixer::Mamba { inner_size, state_size, .. } => 6.0 * (inner_size * state_size) as f64,
        Mixer::Parallel(ref a, ref b) => self::mixer(a, seq) + self::mixer(b, seq),
        Mixer::None => 0.0,
    }
}

/// How often a forward's operations are done in one training step.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Passes {
    /// Forward, input gradients and, where weights are trained, weight gradients of the layers' linears.
    pub linears: f64,
    /// The same of the head, and of attention, which has no weights but takes both its arguments' gradients.
    pub head: f64,
    pub attention: f64,
    /// Part of the layers that have a backward.
    pub differentiated: f64,
    /// Forward done again by checkpointing, as parts of linears and of attention.
    pub linears_again: f64,
    pub attention_again: f64,
}

impl Passes {
    pub fn of(model: &Model, train: &Train) -> Self {
        // Layers before the first trained one have no backward.
        let differentiated = match LayersTrained::of(model, train) {
            LayersTrained::Last(of) => of as f64 / model.depth() as f64,
            LayersTrained::All | LayersTrained::None => 1.0,
        };
        let (linears_again, attention_again) = match (train.checkpointing, train.framework.kernels.selective) {
            (Checkpointing::Off, _) => (0.0, 0.0),
            (Checkpointing::On, _) => (1.0, 1.0),
            (Checkpointing::Selective, Selective::CoreAttention) => (0.0, 1.0),
            (Checkpointing::Selective, Selective::AlternateMatmuls) => (0.5, 0.0),
        };
        let backward = if train.lora().is_some() { 1.0 } else { 2.0 };
        Self {
            differentiated,
            linears: 1.0 + differentiated * backward,
            head: 1.0 + backward,
            attention: 1.0 + differentiated * 2.0,
            linears_again: differentiated * linears_again,
            attention_again: differentiated * attention_again,
        }
    }
}

/// Model operations of a token: without what checkpointing repeats.
pub fn per_token(forward: &Forward, passes: &Passes, train: &Train, trained: f64) -> f64 {
    let adapters = if train.lora().is_some() { 6.0 * trained } else { 0.0 };
    passes.linears * (forward.layers + forward.experts)
        + passes.head * forward.head
        + passes.attention * forward.attention
        + adapters
}
