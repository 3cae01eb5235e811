//! What stands between the tensors of a step and what the driver reports.
//!
//! The caching allocator keeps freed blocks and cannot fill every gap; a process has a CUDA context, a group of GPUs
//! its communicators.

use crate::catalog::constant::Training;

#[derive(Clone, Copy, Debug)]
pub struct Overhead {
    /// Held by the caching allocator beyond live tensors.
    pub slack: f64,
    pub context: f64,
    pub communicators: f64,
}

impl Overhead {
    /// `churned`: bytes that are allocated and freed within a step, of them `logits` in few large blocks.
    pub fn of(churned: f64, logits: f64, expandable: bool, gpus: u32, constants: &Training) -> Self {
        let gaps = constants.allocator_slack * churned + constants.logits_slack * logits;
        let left = if expandable { constants.expandable_gaps } else { 1.0 };
        Self {
            slack: constants.allocator_floor + left * gaps,
            context: constants.context_bytes,
            communicators: if gpus > 1 { constants.communicator_bytes } else { 0.0 },
        }
    }
}
