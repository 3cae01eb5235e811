//! What stands between the tensors of a step and what the driver reports, and how sure the sum is.
//!
//! The caching allocator keeps freed blocks and cannot fill every gap; a process has a CUDA context, a group of GPUs
//! its communicators.

use super::phases::Phase;
use crate::catalog::constant::Training;
use crate::estimate::{Basis, Term};

/// Held by the caching allocator beyond live tensors.
pub struct Held {
    /// Whatever the batch, and in the gaps of the phase that has most.
    pub terms: [Term; 2],
    /// What it keeps where memory runs out: before it gives up, it frees all blocks that no tensor is in.
    pub least: f64,
}

impl Held {
    /// `allocated`: live tensors; `room`: what the card has for all that the allocator holds. Expandable segments leave
    /// a part of the gaps.
    pub fn of(gaps: f64, allocated: f64, room: f64, expandable: bool, constants: &Training) -> Self {
        let expandable = if expandable { constants.expandable_gaps } else { 1.0 };
        let free = expandable * (constants.allocator_floor + gaps);
        let least = free.min(constants.allocator_least * allocated);
        let left = expandable * free.min((room - allocated).max(least)) / free;
        let term = |name, bytes| {
            Term::new(name, Basis::Assumed, "train-source-fitted", &[("train-bytes", bytes), ("train-part", left)])
        };
        Self {
            terms: [
                term("term-train-allocator-floor", constants.allocator_floor),
                term("term-train-allocator-gaps", gaps),
            ],
            least,
        }
    }
}

/// What the driver counts beside the allocator.
pub fn device(gpus: u32, constants: &Training) -> [Term; 2] {
    let communicators = if gpus > 1 { constants.communicator_bytes } else { 0.0 };
    let term = |name, source, bytes| Term::new(name, Basis::Assumed, source, &[("train-bytes", bytes)]);
    [
        term("term-train-context", "train-source-cuda", constants.context_bytes),
        term("term-train-communicators", "train-source-nccl", communicators),
    ]
}

/// Bytes either way that 80% of measured cases stay within: doubts of the parts, independent of each other.
/// `regime_assumed`: nobody said in which precisions full fine-tuning keeps its states.
pub fn doubt(peak: &Phase, states: f64, regime_assumed: bool, constants: &Training) -> f64 {
    let of_states = if regime_assumed { constants.doubt_regime } else { constants.doubt_states };
    let doubts = [
        constants.doubt_activations * (peak.kept + peak.rebuilt + peak.working),
        constants.doubt_logits * peak.logits,
        constants.doubt_buffers * (peak.buffers + peak.kv_cache),
        of_states * states,
        constants.doubt_fixed,
    ];
    doubts.iter().map(|doubt| doubt * doubt).sum::<f64>().sqrt()
}
