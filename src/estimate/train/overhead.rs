//! What stands between the tensors of a step and what the driver reports.
//!
//! The caching allocator keeps freed blocks and cannot fill every gap; a process has a CUDA context, a group of GPUs
//! its communicators.

use crate::catalog::constant::Training;
use crate::estimate::{Basis, Term};

/// Held by the caching allocator beyond live tensors: whatever the batch, and gaps between blocks that come and go,
/// which are larger where blocks are few and large. `churned`: bytes that come and go within a step, without
/// `logits`. Expandable segments leave a part of it.
pub fn allocator(churned: f64, logits: f64, expandable: bool, constants: &Training) -> [Term; 3] {
    let left = if expandable { constants.expandable_gaps } else { 1.0 };
    let term = |name, slack, bytes| {
        Term::new(name, Basis::Assumed, "source-fitted", &[("slack", slack), ("left", left), ("bytes", bytes)])
    };
    [
        term("term-allocator-floor", 1.0, constants.allocator_floor),
        term("term-allocator-gaps", constants.allocator_slack, churned),
        term("term-logits-gaps", constants.logits_slack, logits),
    ]
}

/// What the driver counts beside the allocator.
pub fn device(gpus: u32, constants: &Training) -> [Term; 2] {
    let communicators = if gpus > 1 { constants.communicator_bytes } else { 0.0 };
    [
        Term::new("term-context", Basis::Assumed, "source-cuda", &[("bytes", constants.context_bytes)]),
        Term::new("term-communicators", Basis::Assumed, "source-nccl", &[("bytes", communicators)]),
    ]
}
