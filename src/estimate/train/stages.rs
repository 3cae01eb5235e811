//! What a training stage adds to plain next-token training: how many tokens run at once, which other models are there.

use crate::catalog::Model;
use crate::request::{Method, Stage, Train};

/// Models and tokens of a stage, as multiples of the policy and its micro batch.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Load {
    /// Sequences that run together for each of the micro batch: chosen and rejected.
    pub sequences: f64,
    /// Trained models, a critic counted with the policy.
    pub trained: f64,
    /// Frozen models in 16 bits: reference, reward.
    pub frozen: f64,
    /// Forwards beside training's own: of frozen models, of adapters switched off, of KTO's mismatched pairs.
    pub forwards: f64,
    /// Whether a loss over the vocabulary is differentiated.
    pub logits: bool,
    /// Whether the policy also writes: its KV cache stands at another time than activations do.
    pub generates: bool,
}

impl Load {
    pub fn of(model: &Model, train: &Train) -> Self {
        let asked = if train.reference_model { 1.0 } else { 0.0 };
        // Adapters switched off are the reference.
        let reference = if matches!(train.method, Method::Full | Method::Freeze) { asked } else { 0.0 };
        // The reward model, and the critic that starts from it.
        let reward =
            train.reward_model.as_ref().map_or(1.0, |reward| reward.counts.total as f64 / model.counts.total as f64);
        let plain = Self { sequences: 1.0, trained: 1.0, frozen: 0.0, forwards: 0.0, logits: true, generates: false };
        match train.stage {
            Stage::Pretrain | Stage::Sft => plain,
            Stage::Rm => Self { sequences: 2.0, logits: false, ..plain },
            Stage::Dpo => Self { sequences: 2.0, frozen: reference, forwards: asked, ..plain },
            Stage::Orpo | Stage::Cpo | Stage::SimPo => Self { sequences: 2.0, ..plain },
            Stage::Kto => Self { frozen: reference, forwards: 1.0 + 2.0 * asked, ..plain },
            Stage::Ppo => Self {
                trained: 1.0 + reward,
                frozen: reference + reward,
                forwards: asked + reward,
                generates: true,
                ..plain
            },
            Stage::Grpo => Self { frozen: reference, forwards: asked, generates: true, ..plain },
        }
    }
}
