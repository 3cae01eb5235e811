//! The moments of a step that may need most memory, and what is alive in each.

use super::activations::{Activations, Batch};
use super::buffers::Buffers;
use super::logits::Logits;
use crate::catalog::constant::Training;

/// Bytes alive in one phase beside weights and optimizer states.
#[derive(Clone, Copy, Debug, Default)]
pub struct Phase {
    /// What the forward kept and is still there.
    pub kept: f64,
    /// Recomputed of the layer at work.
    pub rebuilt: f64,
    /// Gradients and temporaries of the layer at work.
    pub working: f64,
    pub logits: f64,
    /// Gradients of parameters that are there by then.
    pub gradients: f64,
    pub buffers: f64,
    pub kv_cache: f64,
}

impl Phase {
    pub fn bytes(&self) -> f64 {
        self.passing() + self.gradients + self.kv_cache
    }
    /// What comes and goes within the step.
    pub fn passing(&self) -> f64 {
        self.kept + self.rebuilt + self.working + self.logits + self.buffers
    }
    /// Holes in the allocator's blocks, larger where blocks are few and large.
    pub fn gaps(&self, constants: &Training) -> f64 {
        constants.allocator_slack * (self.kept + self.rebuilt + self.working) + constants.logits_slack * self.logits
    }
}

/// What the phases are made of.
pub struct Moments<'a> {
    pub activations: &'a Activations,
    pub batch: Batch,
    pub logits: &'a Logits,
    pub buffers: &'a Buffers,
    /// All gradients of parameters, those that stand from step to step, those of the head.
    pub gradients: f64,
    pub standing: f64,
    pub head_gradient: f64,
    /// A head tied to an embedding on the same GPU.
    pub tied: bool,
    pub kv_cache: f64,
    /// What an engine beside the trainer holds throughout.
    pub engine: f64,
}

impl Moments<'_> {
    /// The loss's backward, the last layer's, the first layer's, the optimizer step, a rollout. Loading is none of them:
    /// beside the weights it holds one tensor in 16 bits, that which is being quantised or cast, and no states yet.
    pub fn phases(&self) -> [Phase; 5] {
        let Self { activations, batch, buffers, gradients, .. } = self;
        let kept_once = activations.kept.bytes(batch.tokens, batch.pairs);
        let kept = kept_once * batch.in_flight;
        let resident = buffers.resident();
        let always = Phase { kv_cache: self.engine, ..Phase::default() };
        let loss = Phase {
            kept,
            logits: self.logits.bytes(),
            gradients: self.standing,
            buffers: resident + buffers.gathered_at_loss,
            ..always
        };
        let last_layer = Phase {
            kept,
            rebuilt: activations.rebuilt,
            working: activations.working,
            gradients: self.standing.max(self.head_gradient.min(*gradients)),
            buffers: buffers.at_work(),
            ..always
        };
        // A tied head's gradient is added to the embedding's.
        let tied = if self.tied { self.head_gradient } else { 0.0 };
        let first_layer = Phase {
            kept: kept - kept_once + activations.alone.kept,
            rebuilt: activations.alone.rebuilt,
            working: activations.alone.working,
            gradients: *gradients,
            buffers: buffers.at_work() + tied,
            ..last_layer
        };
        let step = Phase { gradients: *gradients, buffers: resident + buffers.step, ..always };
        let gathered = if self.kv_cache > 0.0 { buffers.gathered_at_rollout } else { 0.0 };
        let rollout = Phase {
            kv_cache: self.kv_cache + self.engine,
            gradients: self.standing,
            buffers: resident + gathered,
            ..Phase::default()
        };
        [loss, last_layer, first_layer, step, rollout]
    }
}
