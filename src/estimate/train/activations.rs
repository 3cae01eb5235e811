//! Activations of one GPU: what the layers of its pipeline stage keep, and what one layer's backward works with.
//!
//! From `saved`'s bytes a token to bytes on a GPU. Checkpointing keeps each layer's input (Chen et al. 2016,
//! "Training Deep Nets with Sublinear Memory Cost") and rebuilds one layer at a time; a 1F1B pipeline keeps the
//! activations of as many micro batches as stages follow (Narayanan et al. 2021, §2.2).

use super::regime::Regime;
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
}

/// What backward finds and needs.
#[derive(Clone, Copy, Debug, Default)]
pub struct Activations {
    /// Kept by all layers of the stage for one micro batch, by what it grows with.
    pub kept: Saved,
    /// Rebuilt for the layer that is being differentiated, where checkpointing let it go.
    pub rebuilt: f64,
    /// Gradients and temporaries of the layer that is being differentiated.
    pub working: f64,
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
            let saved = walk.layer(layer, trained != LayersTrained::None);
            let boundary = walk.boundary();
            let kept = match walk.train.checkpointing {
                Checkpointing::Off => saved,
                Checkpointing::On => boundary,
                Checkpointing::Selective => walk.selected(layer, saved),
            };
            // Layers before the first trained one need no backward.
            let count = count * (1.0 - frozen_prefix);
            all.kept += Saved { token: kept.token * count, pair: kept.pair * count, fixed: kept.fixed * count };
            let rebuilt = saved.bytes(batch.tokens, batch.pairs) - kept.bytes(batch.tokens, batch.pairs);
            all.rebuilt = all.rebuilt.max(rebuilt);
            all.working = all.working.max(walk.working(layer, batch));
        }
        all
    }
}

impl Walk<'_> {
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

    /// Gradients alive while one layer is differentiated: of the MLP's arguments and product, of the stream, and of
    /// attention scores where they are materialised.
    fn working(&self, layer: &LayerKind, batch: Batch) -> f64 {
        let Regime { linear_output: size, stream, .. } = self.regime;
        let width = match layer.ffn {
            Ffn::Dense { intermediate_size, .. } => intermediate_size as f64,
            Ffn::Moe { top_k, intermediate_size, shared_intermediate_size, .. } => {
                (top_k * intermediate_size).max(shared_intermediate_size) as f64
            }
            Ffn::None => 0.0,
        };
        let hidden = self.model.hidden_size as f64 / self.sequence;
        let scores = match (self.kernel, &layer.mixer) {
            (AttentionKernel::Eager, Mixer::Attention { heads, .. } | Mixer::Latent { heads, .. }) => {
                // The probabilities' gradient, cast to fp32, and the scores' gradient.
                8.0 * *heads as f64 / self.tensor
            }
            _ => 0.0,
        };
        batch.tokens * (3.0 * size * width / self.tensor + 2.0 * stream * hidden) + batch.pairs * scores
    }
}
