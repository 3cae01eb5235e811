//! Weights of one rank: from a model's tensors, a format and a split to bytes and parameters by class.
//!
//! `bytes = Σ shard(tensor) packed by the format`. The classes are what a decode step treats apart:
//! linears of the layers, routed experts, embedding, head.

use super::split::{Split, kv_heads};
use crate::catalog::format::{ComputeRate, Format, Layout, Reach, Traits};
use crate::catalog::model::{LayerKind, Model, Role, Tensor};
use crate::request::OnHost;
use derive_more::{Add, AddAssign, Sub, Sum};
use std::ops::Range;

/// Parameters and their bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Add, AddAssign, Sub, Sum)]
pub struct Tally {
    pub parameters: f64,
    pub bytes: f64,
}

impl Tally {
    /// Bytes a parameter takes.
    pub fn width(&self) -> f64 {
        if self.parameters > 0.0 { self.bytes / self.parameters } else { 0.0 }
    }
}

/// What one rank holds of a range of layers, and what stands outside them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Add, AddAssign, Sub, Sum)]
pub struct Weights {
    /// Linears of the layers in the format's own width.
    pub packed: Tally,
    /// Tensors of the layers that stay in 16 (or, in GGUF, 32) bits.
    pub plain: Tally,
    pub experts: Tally,
    pub embedding: Tally,
    /// Each layer's own embeddings (Gemma 3n), looked up like the first.
    pub layer_embedding: Tally,
    pub head: Tally,
    /// Vision and audio towers, always in 16 bits.
    pub towers: Tally,
}

impl Weights {
    pub fn bytes(&self) -> f64 {
        self.parts().iter().map(|(_, tally)| tally.bytes).sum()
    }
    /// Each class under the key of its name.
    pub fn parts(&self) -> [(&'static str, Tally); 7] {
        [
            ("term-infer-linears", self.packed),
            ("term-infer-plain", self.plain),
            ("term-infer-experts", self.experts),
            ("term-infer-embedding", self.embedding),
            ("term-infer-layer-embedding", self.layer_embedding),
            ("term-infer-head", self.head),
            ("term-infer-towers", self.towers),
        ]
    }

    /// As llama.cpp loads them: the embedding stays in host memory, and one that is the head too is held twice.
    pub fn off_host(mut self, model: &Model) -> Self {
        if model.tied_embeddings {
            self.head = self.embedding;
        }
        self.embedding = Tally::default();
        self.layer_embedding = Tally::default();
        self
    }

    fn class(&mut self, role: Role, packed: bool) -> &mut Tally {
        match role {
            Role::Embedding => &mut self.embedding,
            Role::PerLayerEmbedding => &mut self.layer_embedding,
            Role::LmHead => &mut self.head,
            role if role.is_routed_expert() => &mut self.experts,
            _ if packed => &mut self.packed,
            _ => &mut self.plain,
        }
    }
}

/// What a rank's shards weigh: made once for a request, then summed over any range of layers.
pub struct Ledger<'a> {
    model: &'a Model,
    format: &'a Format,
    split: Split,
    traits: Traits,
    expert_multiple: (u64, u64),
    /// By kind of layer: tensors that weigh the same at every depth.
    kinds: Vec<Weights>,
}

impl<'a> Ledger<'a> {
    /// `expert_multiple`: hidden and intermediate size that an engine's kernels pad MXFP4 experts to.
    pub fn new(model: &'a Model, format: &'a Format, split: Split, expert_multiple: (u64, u64)) -> Self {
        let pads =
            matches!(format.layout, Layout::Packed { reach: Reach::Experts, .. }) && format.compute == ComputeRate::Fp4;
        let expert_multiple = if pads { expert_multiple } else { (1, 1) };
        let traits = Traits::of(model);
        let mut ledger = Self { model, format, split, traits, expert_multiple, kinds: Vec::new() };
        ledger.kinds = model.layers.iter().map(|kind| ledger.layer(kind, 0, false)).collect();
        ledger
    }

    /// One rank's part of the layers `range` themselves.
    pub fn layers(&self, range: Range<usize>) -> Weights {
        let of = |depth: usize| {
            let kind = usize::from(self.model.order[depth]);
            let varying = self.format.varies().then(|| self.layer(&self.model.layers[kind], depth as u64, true));
            self.kinds[kind] + varying.unwrap_or_default()
        };
        range.map(of).sum()
    }

    /// One rank's part of layers `range`; with the embedding before the first and the head after the last.
    pub fn sum(&self, range: Range<usize>) -> Weights {
        let layers = self.model.order.len();
        let mut sum = self.layers(range.clone());
        let (first, last) = (range.start == 0, range.end == layers);
        for tensor in &self.model.outer {
            let here = match tensor.role {
                Role::LmHead | Role::Norm | Role::Bias | Role::Pooler => last,
                // A tied table stands at both ends.
                Role::Embedding => first || (last && self.model.tied_embeddings),
                _ => first,
            };
            if here {
                self.add(&mut sum, tensor, u64::MAX, 0);
            }
        }
        if first {
            let parameters = self.model.vision_parameters as f64;
            sum.towers = Tally { parameters, bytes: 2.0 * parameters / self.split.tensor as f64 };
        }
        sum
    }

    /// What stays with the host: its layers, the routed experts of others, and the head where every layer is there.
    pub fn on_host(&self, of: OnHost) -> Weights {
        let layers = self.model.order.len();
        let whole = layers.min(of.layers as usize);
        let mut host = self.layers(0..whole);
        host.experts += self.layers(whole..whole.max(of.experts_of as usize)).experts;
        if of.layers as usize > layers {
            host.head = self.sum(0..layers).off_host(self.model).head;
        }
        host
    }

    fn layer(&self, kind: &LayerKind, depth: u64, varying: bool) -> Weights {
        let mut sum = Weights::default();
        let kv_heads = kv_heads(&kind.mixer);
        for tensor in kind.tensors.iter().filter(|t| self.format.varies_by_depth(t.role) == varying) {
            self.add(&mut sum, tensor, kv_heads, depth);
        }
        sum
    }

    fn add(&self, sum: &mut Weights, tensor: &Tensor, kv_heads: u64, depth: u64) {
        let shard = self.split.shard(tensor, kv_heads);
        let stored = self.padded(shard);
        let bytes = self.format.tensor_bytes(&stored, depth, self.traits);
        let packed = self.format.packs(tensor, self.traits);
        *sum.class(tensor.role, packed) += Tally { parameters: shard.parameters() as f64, bytes };
    }

    fn padded(&self, mut shard: Tensor) -> Tensor {
        let (hidden, intermediate) = self.expert_multiple;
        let (rows, columns) = match shard.role {
            Role::ExpertGate | Role::ExpertUp => (intermediate, hidden),
            Role::ExpertDown => (hidden, intermediate),
            _ => return shard,
        };
        shard.out_features = shard.out_features.next_multiple_of(rows);
        shard.in_features = shard.in_features.next_multiple_of(columns);
        shard
    }
}
