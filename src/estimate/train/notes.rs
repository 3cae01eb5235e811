//! Remarks on a training estimate that the numbers alone do not make.

use super::resident::Resident;
use crate::message::Message;
use crate::msg;
use crate::request::{Compute, Master, Method, Offload, Request, Train};
use crate::units::Bytes;

/// Whether full fine-tuning's bytes a parameter rest on a framework that was not named.
pub fn regime_is_assumed(request: &Request, train: &Train) -> bool {
    train.method == Method::Full && request.assumed.iter().any(|(knob, _)| *knob == "framework")
}

/// `resident`: the states of one GPU.
pub fn notes(request: &Request, train: &Train, resident: &Resident, trained: u64) -> Vec<Message> {
    let mut notes = Vec::new();
    let sharded = request.hardware.gpus > 1;
    if regime_is_assumed(request, train) && !sharded && train.offload == Offload::None {
        let each = (resident.held + resident.gradients) / trained as f64;
        notes.push(msg!("note-train-regime", bytes = each.round()));
    }
    if train.method == Method::Full && train.master == Master::Off && request.precision != Compute::Fp32 {
        notes.push(msg!("note-train-masterless"));
    }
    if train.offload != Offload::None {
        let per_node = f64::from(request.hardware.gpus.div_ceil(request.hardware.nodes));
        notes.push(msg!("note-train-offload", bytes = Bytes(resident.host * per_node)));
    } else if train.optimizer.paged {
        notes.push(msg!("note-train-paged", bytes = Bytes(resident.host)));
    }
    if let Some(max) = request.model.max_position.filter(|max| request.seq > *max) {
        notes.push(msg!("note-train-length", seq = request.seq, max = max));
    }
    notes
}
