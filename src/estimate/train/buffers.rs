//! Buffers beside states and activations: communication buckets, gathered layers, dequantised weights, the copies an
//! optimizer step makes.

use super::regime::Regime;
use super::share::Share;
use super::states::States;
use crate::catalog::recipe::BufferRule;
use crate::request::{LoraKind, Master, Method, Train, Zero};

#[derive(Clone, Copy, Debug, Default)]
pub struct Buffers {
    /// Held from the first forward to the last step.
    pub communication: f64,
    /// Parameters of sharded layers while they are computed.
    pub gathered: f64,
    /// The same of the head.
    pub gathered_head: f64,
    /// A quantised or adapted matrix while it is multiplied.
    pub dequantised: f64,
    /// AdaLoRA's importance, its averages.
    pub importance: f64,
    /// Made by the step and freed after it.
    pub step: f64,
}

impl Buffers {
    pub fn of(share: &Share, train: &Train, regime: &Regime, states: &States, gradient: f64) -> Self {
        let shard = &states.shard;
        let sharded = shard.ranks > 1.0 && shard.weights;
        let trained = states.trained();
        let layer = largest_layer(share);
        let communication = match (train.framework.buffers, train.zero) {
            _ if shard.ranks <= 1.0 => 0.0,
            // DDP reduces gradients from buckets beside them.
            (BufferRule::Buckets { .. } | BufferRule::Layers { .. }, Zero::Ddp) => gradient * trained,
            (BufferRule::Buckets { reduce, gather, .. }, _) => {
                let bucket = |elements: f64, of: f64| elements.min(of);
                2.0 * gradient.min(2.0) * bucket(reduce, trained) + regime.compute * bucket(gather, trained)
            }
            (BufferRule::Layers { .. } | BufferRule::Contiguous, _) => 0.0,
        };
        let layer_bytes = |size: f64| match train.lora().and_then(|lora| lora.base) {
            Some(format) => layer * format.bits / 8.0,
            None => layer * size,
        };
        let outer =
            share.model.outer.iter().map(|t| share.fraction(t.role) * t.parameters() as f64).fold(0.0, f64::max);
        let gathered_head = if sharded { regime.compute * outer } else { 0.0 };
        let gathered = if !sharded {
            0.0
        } else {
            match train.framework.buffers {
                BufferRule::Buckets { prefetch, .. } => {
                    layer_bytes(regime.compute) + regime.compute * prefetch.min(share.depth() * layer)
                }
                // Between the micro batches of a pipeline nothing is sharded again.
                BufferRule::Layers { .. } if !(share.first && share.last) => {
                    let held = |ours: f64| ours * (1.0 - 1.0 / shard.ranks);
                    held(regime.compute * trained + states.dense.frozen + states.expert.frozen)
                        + if train.method == Method::Full { held(gradient * trained) } else { 0.0 }
                }
                BufferRule::Layers { keeps_frozen: true } if train.lora().is_some() => {
                    states.dense.frozen + states.expert.frozen
                }
                BufferRule::Layers { .. } | BufferRule::Contiguous => {
                    // The layer at work and the next, and the gradients of one before they are reduced.
                    let trains = if train.method == Method::Full { 1.0 } else { 0.0 };
                    2.0 * layer_bytes(regime.compute) + trains * gradient * layer
                }
            }
        };
        let copies = match (train.lora().map(|lora| lora.kind), train.lora().and_then(|lora| lora.base)) {
            // The delta, the base plus the delta, and its square.
            (Some(LoraKind::Dora), _) => 3.0,
            (_, Some(_)) => 1.0,
            _ => 0.0,
        };
        let importance = match train.lora() {
            Some(lora) if lora.kind == LoraKind::AdaLora => 3.0 * 4.0 * trained,
            _ => 0.0,
        };
        let stepped = states.stepped_parameters();
        let foreach = if train.framework.kernels.foreach_optimizer { regime.stepped * stepped } else { 0.0 };
        let master_gradients =
            if train.master == Master::On && train.lora().is_none() && gradient < 4.0 { 4.0 * stepped } else { 0.0 };
        Self {
            communication,
            gathered,
            gathered_head,
            dequantised: copies * regime.compute * largest_matrix(share),
            importance,
            step: foreach + master_gradients,
        }
    }

    /// What is there throughout.
    pub fn resident(&self) -> f64 {
        self.communication + self.importance
    }
    /// What is there while a layer is computed.
    pub fn at_work(&self) -> f64 {
        self.resident() + self.gathered + self.dequantised
    }
}

/// Parameters of the largest layer on one GPU.
fn largest_layer(share: &Share) -> f64 {
    let of = |tensors: &[crate::catalog::model::Tensor]| {
        tensors.iter().map(|t| share.fraction(t.role) * t.parameters() as f64).sum::<f64>()
    };
    share.layers.iter().map(|(kind, _)| of(&kind.tensors)).fold(0.0, f64::max)
}

/// Elements of the largest linear on one GPU.
fn largest_matrix(share: &Share) -> f64 {
    let linears = share.layers.iter().flat_map(|(kind, _)| &kind.tensors).filter(|t| t.role.is_layer_linear());
    linears.map(|t| (t.out_features * t.in_features) as f64 / share.tensor).fold(0.0, f64::max)
}
