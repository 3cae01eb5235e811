//! Buffers beside states and activations: communication buckets, gathered layers, dequantised weights, the copies an
//! optimizer step makes.

use super::regime::Regime;
use super::share::Share;
use super::states::States;
use crate::catalog::model::Tensor;
use crate::catalog::recipe::BufferRule;
use crate::request::{LoraKind, Master, Method, Offload, Train, Zero};

#[derive(Clone, Copy, Debug, Default)]
pub struct Buffers {
    /// Held from the first forward to the last step.
    pub communication: f64,
    /// Parameters of sharded layers while they are computed.
    pub gathered: f64,
    /// The same while the loss is, and while the policy writes: TRL gathers it whole (`ds3_gather_for_generation`).
    pub gathered_at_loss: f64,
    pub gathered_at_rollout: f64,
    /// Whole gradients before they are reduced to shards.
    pub unreduced: f64,
    /// A quantised or adapted matrix while it is multiplied.
    pub dequantised: f64,
    /// AdaLoRA's importance, its averages.
    pub importance: f64,
    /// Made by the step and freed after it.
    pub step: f64,
}

/// DeepSpeed's default `sub_group_size`, in elements.
const SUB_GROUP: f64 = 1e9;

impl Buffers {
    /// `gradient`: bytes a gradient element.
    pub fn of(share: &Share, train: &Train, regime: &Regime, states: &States, gradient: f64) -> Self {
        let lora = train.lora();
        let kind = lora.map(|lora| lora.kind);
        let copies = match (kind, lora.and_then(|lora| lora.base)) {
            // The delta, the base plus the delta, and its square.
            (Some(LoraKind::Dora), _) => 3.0,
            (_, Some(_)) => 1.0,
            _ => 0.0,
        };
        // Importance, its running mean and its spread, in fp32.
        let importance = if kind == Some(LoraKind::AdaLora) { 3.0 * 4.0 * states.trained() } else { 0.0 };
        // What is offloaded is stepped on the host.
        let stepped = if train.offload == Offload::None { states.stepped_parameters() } else { 0.0 };
        let foreach = if train.framework.kernels.foreach_optimizer { regime.stepped } else { 0.0 };
        // DeepSpeed's fp32 gradients; stage 3 makes them, and steps, one `sub_group_size` after the other.
        let at_once = if train.zero == Zero::Three { stepped.min(SUB_GROUP) } else { stepped };
        let to_master =
            if train.master == Master::On && lora.is_none() && gradient < 4.0 { 4.0 * at_once } else { 0.0 };
        let [gathered, gathered_at_loss, gathered_at_rollout, unreduced] =
            gathered(share, train, regime, states, gradient);
        Self {
            communication: buckets(train, regime, states, gradient),
            gathered,
            gathered_at_loss,
            gathered_at_rollout,
            unreduced,
            dequantised: copies * regime.compute * largest_matrix(share),
            importance,
            step: foreach * at_once + to_master,
        }
    }

    /// What is there throughout.
    pub fn resident(&self) -> f64 {
        self.communication + self.importance
    }
    /// What is there while a layer is computed.
    pub fn at_work(&self) -> f64 {
        self.resident() + self.gathered + self.unreduced + self.dequantised
    }
}

/// Buckets that gradients are reduced from and weights gathered into. Overlapping reductions with backward takes two
/// of the former (DeepSpeed's `overlap_comm`); all together are no more than plain data parallel's.
fn buckets(train: &Train, regime: &Regime, states: &States, gradient: f64) -> f64 {
    let trained = states.trained();
    let of_all = gradient * trained;
    match (rule(train), train.zero) {
        _ if states.shard.ranks <= 1.0 => 0.0,
        (BufferRule::Buckets { .. } | BufferRule::Layers { .. }, Zero::Ddp) => of_all,
        (BufferRule::Buckets { reduce, gather, .. }, _) => {
            let reduced = 2.0 * gradient.min(2.0) * reduce.min(trained);
            (reduced + regime.compute * gather.min(trained)).min(of_all)
        }
        (BufferRule::Layers { .. } | BufferRule::Contiguous, _) => 0.0,
    }
}

/// Sharded weights while layers are computed, while the loss is (as a rule no more than what sharding saves) and while
/// the policy writes, and gradients that are not sharded yet.
fn gathered(share: &Share, train: &Train, regime: &Regime, states: &States, gradient: f64) -> [f64; 4] {
    let shard = &states.shard;
    if shard.ranks <= 1.0 || !shard.weights {
        return [0.0; 4];
    }
    let elsewhere = 1.0 - 1.0 / shard.ranks;
    let frozen = states.dense.frozen + states.expert.frozen;
    let saved = elsewhere * (frozen + regime.compute * states.trained());
    let gradients = if train.method == Method::Full { gradient } else { 0.0 };
    let layer = largest(share.layers.iter().map(|(kind, _)| on_gpu(share, &kind.tensors)));
    let layer_bytes = layer * train.lora().and_then(|lora| lora.base).map_or(regime.compute, |base| base.bits / 8.0);
    let whole_model = share.first && share.last;
    let rule = rule(train);
    let layers = match rule {
        BufferRule::Buckets { prefetch, .. } => layer_bytes + regime.compute * prefetch.min(share.depth() * layer),
        // Between the micro batches of a pipeline nothing is sharded again.
        BufferRule::Layers { .. } if !whole_model => saved,
        // FSDP1's gathered weights stand beside the shard they are gathered from.
        BufferRule::Layers { keeps_frozen: true, .. } if train.lora().is_some() => {
            return [frozen, frozen, frozen, 0.0];
        }
        // The layer at work and the next.
        BufferRule::Layers { .. } | BufferRule::Contiguous => 2.0 * layer_bytes,
    };
    let root = match rule {
        BufferRule::Layers { wraps_tables: false, .. } => on_gpu(share, &share.model.outer),
        BufferRule::Layers { wraps_tables: true, .. } | BufferRule::Buckets { .. } | BufferRule::Contiguous => 0.0,
    };
    // They are made in the compute precision, of a layer reduced in that of its gradients.
    let unreduced = match rule {
        BufferRule::Layers { .. } if !whole_model => elsewhere * gradients * states.trained(),
        BufferRule::Layers { .. } => elsewhere * (gradients * layer + gradients.min(regime.compute) * root),
        BufferRule::Buckets { .. } | BufferRule::Contiguous => 0.0,
    };
    let head = regime.compute * largest(share.model.outer.iter().map(|t| on_gpu(share, std::slice::from_ref(t))));
    let root = regime.compute * root;
    let at_loss = match rule {
        // The last layer, whose backward is next, is not sharded again.
        BufferRule::Layers { .. } => (layers + root).max(head + layer_bytes),
        BufferRule::Buckets { .. } | BufferRule::Contiguous => layers.max(head),
    };
    [(layers + root).min(saved), at_loss.min(saved), saved, unreduced]
}

/// The framework's buffers; FSDP brings its own to a framework that otherwise has DeepSpeed's.
fn rule(train: &Train) -> BufferRule {
    match (train.framework.buffers, train.zero) {
        (BufferRule::Buckets { .. }, Zero::Fsdp | Zero::Hsdp) => {
            BufferRule::Layers { keeps_frozen: false, wraps_tables: false }
        }
        (rule, _) => rule,
    }
}

fn on_gpu(share: &Share, tensors: &[Tensor]) -> f64 {
    tensors.iter().map(|t| share.fraction(t.role) * t.parameters() as f64).sum()
}

/// Elements of the largest linear on one GPU.
fn largest_matrix(share: &Share) -> f64 {
    let linears = share.layers.iter().flat_map(|(kind, _)| &kind.tensors).filter(|t| t.role.is_layer_linear());
    largest(linears.map(|t| (t.out_features * t.in_features) as f64 / share.tensor))
}

fn largest(sizes: impl Iterator<Item = f64>) -> f64 {
    sizes.fold(0.0, f64::max)
}
