//! Weights, gradients and optimizer states of one GPU.
//!
//! Adam in mixed precision: `2 + 2 + 4 + 4 + 4` bytes a parameter (weights, gradients, master, two moments); each of
//! them divided by the data-parallel ranks that its ZeRO stage shards it over. Rajbhandari et al. 2020, "ZeRO", §3.

use super::regime::{Regime, adapter};
use super::share::{Share, expert_ranks};
use crate::catalog::format::Traits;
use crate::catalog::model::{Model, Role, Tensor};
use crate::catalog::recipe::StateRule;
use crate::request::{LoraKind, Method, Parallel, Train, Zero};

/// Bytes and counts on one GPU before data-parallel sharding.
#[derive(Clone, Copy, Debug, Default)]
pub struct Pool {
    /// Weights that are not trained, as stored.
    pub frozen: f64,
    /// Parameters that are trained.
    pub trained: f64,
    /// Bytes of those, and of their gradients.
    pub trained_bytes: f64,
    pub gradients: f64,
    /// What the optimizer keeps for them, without a master copy.
    pub states: f64,
}

#[derive(Clone, Copy, Debug, Default)]
pub struct States {
    pub dense: Pool,
    /// Routed experts, which expert parallelism leaves fewer replicas to shard over.
    pub expert: Pool,
    pub shard: Sharding,
}

/// How many ranks each state is divided over, of dense parameters and of experts.
#[derive(Clone, Copy, Debug, Default)]
pub struct Sharding {
    pub ranks: f64,
    pub expert_ranks: f64,
    pub weights: bool,
    pub gradients: bool,
    pub optimizer: bool,
}

impl Sharding {
    pub fn of(zero: Zero, parallel: &Parallel, gpus_per_node: u32) -> Self {
        // Context-parallel ranks hold the same weights, so states are sharded over them too.
        let replicas = f64::from(parallel.data * parallel.context);
        let within_node = f64::from(gpus_per_node) / f64::from(parallel.tensor);
        let ranks = if zero == Zero::Hsdp { replicas.min(within_node.max(1.0)) } else { replicas };
        let expert_ranks = (ranks * f64::from(parallel.tensor) / expert_ranks(parallel)).max(1.0);
        let (weights, gradients, optimizer) = match zero {
            Zero::Ddp => (false, false, false),
            Zero::One => (false, false, true),
            Zero::Two => (false, true, true),
            Zero::Three | Zero::Fsdp | Zero::Hsdp => (true, true, true),
        };
        Self { ranks, expert_ranks, weights, gradients, optimizer }
    }

    fn divide(&self, sharded: bool, dense: f64, expert: f64) -> f64 {
        if sharded { dense / self.ranks + expert / self.expert_ranks } else { dense + expert }
    }
}

impl States {
    pub fn of(share: &Share, train: &Train, regime: &Regime, shard: Sharding) -> Self {
        let mut states = Self { shard, ..Self::default() };
        let model = share.model;
        let traits = Traits { stacked: !train.framework.kernels.quantises_experts, ..Traits::of(model) };
        let context = Context { model, train, regime, traits, layers: LayersTrained::of(model, train) };
        for (times, tensor) in share.tensors() {
            let pool = if tensor.role.is_routed_expert() { &mut states.expert } else { &mut states.dense };
            pool.add(times, share.fraction(tensor.role), tensor, &context);
        }
        if share.last && model.tied_embeddings && train.framework.kernels.unties_head {
            for embedding in model.outer.iter().filter(|tensor| tensor.role == Role::Embedding) {
                let head = Tensor { role: Role::LmHead, ..*embedding };
                states.dense.add(1.0, share.fraction(Role::LmHead), &head, &context);
            }
        }
        // Vision and audio towers stay frozen beside the language model.
        if share.first {
            states.dense.frozen += regime.compute * model.vision_parameters as f64;
        }
        states
    }

    pub fn frozen(&self) -> f64 {
        self.shard.divide(self.shard.weights, self.dense.frozen, self.expert.frozen)
    }
    pub fn trained_weights(&self) -> f64 {
        self.shard.divide(self.shard.weights, self.dense.trained_bytes, self.expert.trained_bytes)
    }
    /// Trained parameters whose weights stand here.
    pub fn weight_parameters(&self) -> f64 {
        self.shard.divide(self.shard.weights, self.dense.trained, self.expert.trained)
    }
    /// Trained parameters whose gradients stand here.
    pub fn gradient_parameters(&self) -> f64 {
        self.shard.divide(self.shard.gradients, self.dense.trained, self.expert.trained)
    }
    pub fn gradients(&self) -> f64 {
        self.shard.divide(self.shard.gradients, self.dense.gradients, self.expert.gradients)
    }
    /// Trained parameters that are stepped here.
    pub fn stepped_parameters(&self) -> f64 {
        self.shard.divide(self.shard.optimizer, self.dense.trained, self.expert.trained)
    }
    pub fn optimizer(&self) -> f64 {
        self.shard.divide(self.shard.optimizer, self.dense.states, self.expert.states)
    }
    pub fn trained(&self) -> f64 {
        self.dense.trained + self.expert.trained
    }
}

/// Which layers' own weights are trained.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LayersTrained {
    All,
    /// The last few, as a part of all.
    Last(u64),
    None,
}

/// Layers that `method=freeze` trains (LLaMA-Factory's `freeze_trainable_layers`).
const UNFROZEN_LAYERS: u64 = 2;

impl LayersTrained {
    pub fn of(model: &Model, train: &Train) -> Self {
        match train.method {
            Method::Full => Self::All,
            Method::Freeze => Self::Last(UNFROZEN_LAYERS.min(model.depth())),
            Method::Lora(_) => Self::None,
        }
    }
}

/// What decides how a tensor is held.
struct Context<'a> {
    model: &'a Model,
    train: &'a Train,
    regime: &'a Regime,
    traits: Traits,
    layers: LayersTrained,
}

impl Pool {
    /// Adds a tensor that stands `times` on this GPU, a `fraction` of it.
    fn add(&mut self, times: f64, fraction: f64, tensor: &Tensor, context: &Context) {
        let Context { model, train, regime, traits, layers } = context;
        let count = times * fraction * tensor.parameters() as f64;
        let head = tensor.role == Role::LmHead;
        let embedding = matches!(tensor.role, Role::Embedding | Role::Position);
        let Some(lora) = train.lora() else {
            let trained = match layers {
                // Score-correction biases are buffers.
                _ if tensor.role == Role::RouterBias => 0.0,
                LayersTrained::All => 1.0,
                LayersTrained::Last(_) if head || embedding => f64::from(u8::from(head)),
                LayersTrained::Last(of) => *of as f64 / traits.layers as f64,
                LayersTrained::None => 0.0,
            };
            self.frozen += (1.0 - trained) * count * regime.weight;
            self.train(trained * times * fraction, tensor, regime.weight, context);
            return;
        };
        self.frozen += match lora.base.filter(|format| format.packs(tensor, *traits)) {
            Some(format) => times * fraction * format.tensor_bytes(tensor, 0, *traits),
            None if train.upcasts_unquantised() => 4.0 * count,
            None => regime.weight * count,
        };
        let adapts_head = train.framework.kernels.adapts_head;
        let saved_whole = (head && lora.targets.head && !adapts_head) || (embedding && lora.targets.embed);
        if saved_whole {
            // peft's `modules_to_save`: a trained copy beside the frozen original.
            self.train(times * fraction, tensor, regime.weight, context);
        }
        let routed_by_adapter = tensor.role == Role::Router && lora.targets.all_linears();
        let on_head = head && lora.targets.head && adapts_head;
        if !(on_head || routed_by_adapter || lora.targets.reach(tensor.role, model.fused)) {
            return;
        }
        let (inner, outer) = adapter(tensor, lora.rank as f64, model.fused);
        // Tensor parallelism splits the side of an adapter that its matrix is split on.
        let row_split = matches!(tensor.role, Role::Output | Role::Down | Role::SharedDown | Role::MixerOut);
        let (inner_split, outer_split) = if row_split { (fraction, 1.0) } else { (1.0, fraction) };
        let rank = lora.rank;
        let down = Tensor::matrix(tensor.role, rank, (inner / rank as f64) as u64);
        let up = Tensor::matrix(tensor.role, (outer / rank as f64) as u64, rank);
        if inner > 0.0 {
            self.train(times * inner_split, &down, regime.adapter, context);
            if lora.kind == LoraKind::AdaLora {
                self.train(times, &Tensor::vector(tensor.role, rank), regime.adapter, context);
            }
        }
        self.train(times * outer_split, &up, regime.adapter, context);
        if lora.kind == LoraKind::Dora {
            self.train(times * fraction, &Tensor::vector(tensor.role, tensor.out_features), regime.adapter, context);
        }
    }

    fn train(&mut self, times: f64, tensor: &Tensor, size: f64, context: &Context) {
        let count = times * tensor.parameters() as f64;
        self.trained += count;
        self.trained_bytes += count * size;
        // What is trained whole beside adapters keeps the precision of its weights.
        let beside_adapters = context.train.lora().is_some() && size != context.regime.adapter;
        let (gradient, stepped) =
            if beside_adapters { (size, size) } else { (context.train.gradient_dtype.bytes(), context.regime.stepped) };
        self.gradients += count * gradient;
        self.states += times * context.train.optimizer.state.bytes(tensor, stepped);
    }
}

impl StateRule {
    /// Bytes of the states of one tensor whose stepped values take `stepped` bytes each.
    pub fn bytes(&self, tensor: &Tensor, stepped: f64) -> f64 {
        let count = tensor.parameters() as f64;
        match *self {
            StateRule::Elementwise { states } => states * stepped * count,
            StateRule::Blockwise { states, full_below, .. } if count < full_below as f64 => states * 4.0 * count,
            StateRule::Blockwise { states, block, .. } => states * count * (1.0 + 4.0 / block as f64),
            StateRule::Factored if tensor.in_features == 1 => 4.0 * count,
            StateRule::Factored => 4.0 * (tensor.copies * (tensor.out_features + tensor.in_features)) as f64,
            StateRule::Orthogonal if tensor.role.is_layer_linear() => stepped * count,
            StateRule::Orthogonal => 2.0 * stepped * count,
        }
    }
}
