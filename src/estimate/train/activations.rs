//! Activations of one GPU: what the layers of its pipeline stage keep, and what one layer's backward works with.
//!
//! From `saved`'s bytes a token to bytes on a GPU. Checkpointing keeps each layer's input (Chen et al. 2016,
//! "Training Deep Nets with Sublinear Memory Cost") and rebuilds one layer at a time; a 1F1B pipeline keeps the
//! activations of as many micro batches as stages follow (Narayanan et al. 2021, §2.2).

use super::saved::{Saved, Walk};
use super::share::Share;
use super::states::LayersTrained;
use crate::catalog::model::{Ffn, LayerKind, Mixer};
use crate::catalog::recipe::Selective;
use crate::request::{AttentionKernel, Checkpointing};

/// Tokens that pass a GPU at once.
#[derive(Clone, Copy, Debug)]
pub struct Batch {
    pub tokens: f64,
    /// Pairs of tokens of the same sequence that attention scores: `batch · seq² / context ranks`.
    pub pairs: f64,
    /// Micro batches whose activations are held at once.
    pub in_flight: f64,
    /// Models that one backward goes through.
    pub models: f64,
}

/// What backward finds and needs.
#[derive(Clone, Copy, Debug, Default)]
pub struct Activations {
    /// Kept by all layers of the stage for one micro batch, by what it grows with.
    pub kept: Saved,
    /// Rebuilt for the half layer that is being differentiated, where checkpointing let it go.
    pub rebuilt: f64,
    /// Gradients and temporaries of that half.
    pub working: f64,
    /// All of that for the layer whose backward takes most by itself, with what it kept.
    pub alone: Alone,
    /// Layers that keep anything.
    pub layers: f64,
    /// What they keep in host memory.
    pub away: f64,
}

/// One layer's backward when those after it are done.
#[derive(Clone, Copy, Debug, Default)]
pub struct Alone {
    pub kept: f64,
    pub rebuilt: f64,
    pub working: f64,
}

impl Alone {
    fn bytes(&self) -> f64 {
        self.kept + self.rebuilt + self.working
    }
}

impl Activations {
    pub fn of(walk: &Walk, share: &Share, batch: Batch) -> Self {
        let trained = LayersTrained::of(walk.model, walk.train);
        let frozen_prefix = match trained {
            LayersTrained::Last(of) => walk.model.depth().saturating_sub(of) as f64 / walk.model.depth() as f64,
            LayersTrained::All | LayersTrained::None => 0.0,
        };
        let mut all = Self::default();
        for (layer, count) in &share.layers {
            let [mixer, ffn] = walk.halves(layer, trained != LayersTrained::None);
            let saved = mixer + ffn;
            let boundary = walk.boundary();
            let kept = match walk.train.checkpointing {
                Checkpointing::Off => saved,
                Checkpointing::On => boundary,
                Checkpointing::Selective => walk.selected(layer, saved),
            };
            // Layers before the first trained one need no backward.
            let count = count * (1.0 - frozen_prefix) * batch.models;
            let here = if walk.offloads_checkpoints() { count.min(1.0) } else { count };
            all.layers += here;
            all.kept += Saved { token: kept.token * here, pair: kept.pair * here, fixed: kept.fixed * here };
            all.away += (count - here) * kept.bytes(batch.tokens, batch.pairs);
            // The MLP is differentiated while attention waits, attention when the MLP is done.
            let whole = count.min(1.0);
            let gone = |of: Saved| {
                whole * (of.bytes(batch.tokens, batch.pairs) - kept.bytes(batch.tokens, batch.pairs)).max(0.0)
            };
            let still = whole * kept.bytes(batch.tokens, batch.pairs);
            for (rebuilt, working) in
                [(gone(saved), walk.ffn_working(layer, batch)), (gone(mixer), walk.mixer_working(layer, batch))]
            {
                if rebuilt + working > all.rebuilt + all.working {
                    (all.rebuilt, all.working) = (rebuilt, working);
                }
                let alone = Alone { kept: still, rebuilt, working };
                if alone.bytes() > all.alone.bytes() {
                    all.alone = alone;
                }
            }
        }
        all
    }
}

impl Walk<'_> {
    fn offloads_checkpoints(&self) -> bool {
        self.train.framework.kernels.offloads_checkpoints && self.train.checkpointing == Checkpointing::On
    }

    fn boundary(&self) -> Saved {
        Saved { token: self.regime.stream * self.model.hidden_size as f64 / self.sequence, ..Saved::default() }
    }

    /// What selective checkpointing keeps of a layer.
    fn selected(&self, layer: &LayerKind, saved: Saved) -> Saved {
        match self.train.framework.kernels.selective {
            // Scores are recomputed; a flash kernel keeps none in the first place.
            Selective::CoreAttention => Saved { pair: 0.0, ..saved },
            Selective::AlternateMatmuls => {
                let size = self.regime.compute;
                let linears = layer.tensors.iter().filter(|t| t.role.is_layer_linear());
                let outputs: f64 = linears.map(|t| t.out_features as f64).sum();
                let attention = match layer.mixer {
                    Mixer::Attention { heads, value_head_dim, .. } | Mixer::Latent { heads, value_head_dim, .. } => {
                        heads as f64 * (size * value_head_dim as f64 + 4.0)
                    }
                    Mixer::Compressed { heads, head_dim, .. } => heads as f64 * (size * head_dim as f64 + 4.0),
                    Mixer::Linear { .. } | Mixer::Mamba { .. } | Mixer::Parallel(..) | Mixer::None => 0.0,
                };
                let kept = self.boundary().token + (size * outputs / 2.0 + attention) / self.tensor;
                Saved { token: kept.min(saved.token), pair: 0.0, fixed: saved.fixed }
            }
        }
    }

    /// Gradients alive while an MLP is differentiated: of its product, its two arguments, and the stream.
    fn ffn_working(&self, layer: &LayerKind, batch: Batch) -> f64 {
        let width = match layer.ffn {
            Ffn::Dense { intermediate_size, .. } => intermediate_size as f64,
            Ffn::Moe { top_k, intermediate_size, shared_intermediate_size, .. } => {
                (top_k * intermediate_size).max(shared_intermediate_size) as f64
            }
            Ffn::None => 0.0,
        };
        batch.tokens * (3.0 * self.regime.linear_output * width / self.tensor + self.stream_working())
    }

    /// Gradients alive while attention is differentiated: of queries, keys, values and output, the stream, and of
    /// scores where they are materialised: probabilities, their gradient and the scores' gradient in fp32.
    fn mixer_working(&self, layer: &LayerKind, batch: Batch) -> f64 {
        let (Mixer::Attention { heads, .. } | Mixer::Latent { heads, .. } | Mixer::Compressed { heads, .. }) =
            layer.mixer
        else {
            return batch.tokens * self.stream_working();
        };
        let scores = match self.kernel {
            AttentionKernel::Eager => (12.0 - self.probabilities()).max(0.0) * heads as f64 / self.tensor,
            AttentionKernel::Flash | AttentionKernel::Sdpa => 0.0,
        };
        batch.tokens * 2.0 * self.stream_working() + batch.pairs * scores
    }

    fn stream_working(&self) -> f64 {
        2.0 * self.regime.stream * self.model.hidden_size as f64 / self.sequence
    }
}
