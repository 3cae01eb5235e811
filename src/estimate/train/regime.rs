//! The precisions of one training run: from its knobs to bytes an element of each thing that is held.
//!
//! Knows no shapes (see `saved`, `states`).

use crate::catalog::model::{Role, Tensor};
use crate::request::{Compute, LoraKind, Master, Method, Request, Targets, Train, Zero};

/// Bytes an element.
#[derive(Clone, Copy, Debug)]
pub struct Regime {
    /// Weights that are trained by full fine-tuning, or the unquantised frozen base.
    pub weight: f64,
    /// Inputs and outputs of matrix products.
    pub compute: f64,
    /// The residual stream: fp32 where the embedding table is fp32 and only linears are autocast.
    pub stream: f64,
    /// What a linear hands on: bitsandbytes' linears return their input's precision.
    pub linear_output: f64,
    pub adapter: f64,
    /// Values that the optimizer steps: their precision is that of its states.
    pub stepped: f64,
    /// Linears cast their inputs, norms and losses run in fp32.
    pub autocast: bool,
    /// fp32 weights leave 16-bit copies that backward keeps.
    pub weight_copies: bool,
}

impl Regime {
    pub fn of(request: &Request, train: &Train) -> Self {
        let compute = if request.precision == Compute::Fp32 { 4.0 } else { 2.0 };
        let (sharded, frozen) = (matches!(train.zero, Zero::Fsdp | Zero::Hsdp), train.lora().is_some());
        let amp = train.master == Master::Amp && compute == 2.0;
        // FSDP gathers 16-bit parameters of its fp32 shards, so nothing is left to autocast.
        let autocast = compute == 2.0 && if amp { !sharded } else { train.autocast };
        let weight = if amp { 4.0 } else { compute };
        let upcast = train.upcasts_unquantised();
        let stream = if (amp && autocast) || upcast { 4.0 } else { compute };
        let adapter = train.lora().map_or(compute, |lora| lora.adapter_dtype.bytes());
        let stepped = match (frozen, train.master) {
            (true, _) => adapter,
            (false, Master::On | Master::Amp) => 4.0,
            (false, Master::Off) => compute,
        };
        Self {
            weight,
            compute,
            stream,
            linear_output: if upcast { 4.0 } else { compute },
            adapter,
            stepped,
            autocast,
            weight_copies: amp && autocast,
        }
    }

    /// What attention kernels are given: autocast casts queries, keys and values.
    pub fn attention(&self) -> f64 {
        if self.autocast { self.compute } else { self.linear_output }
    }
}

impl Train {
    /// `prepare_model_for_kbit_training`: embeddings, norms and head of a bitsandbytes base go to fp32.
    pub(super) fn upcasts_unquantised(&self) -> bool {
        let base = self.lora().and_then(|lora| lora.base);
        self.framework.kernels.kbit_upcast && base.is_some_and(|format| format.name.starts_with("bnb-"))
    }

    pub(super) fn is_dora(&self) -> bool {
        self.lora().is_some_and(|lora| lora.kind == LoraKind::Dora)
    }

    pub(super) fn lora(&self) -> Option<&crate::request::Lora> {
        match &self.method {
            Method::Lora(lora) => Some(lora),
            Method::Full | Method::Freeze => None,
        }
    }
}

impl Targets {
    /// Every linear of the layers.
    pub fn all_linears(self) -> bool {
        self.q && self.k && self.v && self.o && self.gate && self.up && self.down
    }

    /// Whether a tensor of this role carries an adapter; a fused matrix carries one if any of its parts does.
    pub fn reach(self, role: Role, fused: crate::catalog::model::Fused) -> bool {
        use Role::*;
        match role {
            Query | Key | Value if fused.qkv => self.q || self.k || self.v,
            Gate | Up | SharedGate | SharedUp if fused.gate_up => self.gate || self.up,
            Query | QueryDown | QueryUp => self.q,
            Key | KvDown => self.k,
            Value | KvUp => self.v,
            Output | OutputDown => self.o,
            Gate | ExpertGate | SharedGate => self.gate,
            Up | ExpertUp | SharedUp => self.up,
            Down | ExpertDown | SharedDown => self.down,
            MixerIn | MixerOut | LatentDown | LatentUp | PerLayerInput => self.all_linears(),
            Embedding | PerLayerEmbedding | Position | LmHead | Norm | Bias | Sinks | Indexer | Router | RouterBias
            | ExpertBias | Conv | State | Residual | Projection | Pooler => false,
        }
    }
}

/// Parameters of one adapter: `rank × in` and `out × rank`. Of a fused matrix the first part carries the former.
///
/// Experts stacked in one parameter have an adapter each, and a fused gate and up matrix twice the rank (peft 0.21).
pub fn adapter(tensor: &Tensor, rank: f64, fused: crate::catalog::model::Fused) -> (f64, f64) {
    let (inner, outer) = (rank * tensor.in_features as f64, rank * tensor.out_features as f64);
    let follows = match tensor.role {
        Role::Key | Role::Value => fused.qkv,
        Role::Up | Role::SharedUp => fused.gate_up,
        _ => false,
    };
    let copies = tensor.copies as f64;
    match tensor.role {
        Role::ExpertGate | Role::ExpertUp if tensor.copies > 1 => (copies * inner, copies * 2.0 * outer),
        _ if follows => (0.0, outer),
        _ => (copies * inner, copies * outer),
    }
}
