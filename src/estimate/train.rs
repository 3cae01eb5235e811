//! Training: memory of the fullest GPU, compute and time.

use super::{Compute, Estimate, Memory};
use crate::catalog::constant::Training;
use crate::request::{Parallel, Request, Train};
use crate::units::Flops;

pub mod activations;
pub mod buffers;
pub mod exchange;
pub mod flops;
pub mod logits;
pub mod machine;
pub mod memory;
pub mod notes;
pub mod overhead;
pub mod phases;
pub mod regime;
pub mod resident;
pub mod saved;
pub mod share;
pub mod stages;
pub mod states;
pub mod time;

use flops::{Forward, Passes};
use regime::Regime;
use resident::Resident;
use share::Share;
use stages::Load;
use states::{Sharding, States};

pub fn estimate(request: &Request, train: &Train, constants: &Training) -> Estimate {
    let trained = trainable(request, train);
    let (memory, resident) = fullest(request, train, constants);
    let notes = notes::notes(request, train, &resident, trained);
    let walk = memory::walk(request, train, Regime::of(request, train));
    let load = Load::of(&request.model, train);
    let forward = Forward::of(&request.model, request.seq as f64, load.logits);
    let per_token = flops::per_token(&forward, &Passes::of(&request.model, train), train, trained as f64)
        * load.trained
        + load.forwards * forward.linears();
    let (batch, accumulation) = (train.micro_batch_size as f64, train.gradient_accumulation as f64);
    let tokens = load.sequences * batch * accumulation * f64::from(request.parallel.data) * request.seq as f64;
    Estimate {
        time: time::of(request, train, &walk, &resident, trained as f64, constants),
        memory,
        compute: Compute { flops_per_token: Flops(per_token), flops_per_step: Flops(per_token * tokens) },
        serving: None,
        trainable_parameters: trained,
        notes,
    }
}

/// Of the pipeline stages the fullest: the first holds most micro batches and the embedding, the second may have a layer
/// more or the first experts, the last has the head.
fn fullest(request: &Request, train: &Train, constants: &Training) -> (Memory, Resident) {
    let last = request.parallel.pipeline - 1;
    let mut fullest = memory::of_stage(request, train, constants, last);
    for stage in 0..last.min(2) {
        let other = memory::of_stage(request, train, constants, stage);
        if other.0.device > fullest.0.device {
            fullest = other;
        }
    }
    fullest
}

/// Trained parameters of the whole model.
fn trainable(request: &Request, train: &Train) -> u64 {
    let whole = Parallel { tensor: 1, pipeline: 1, data: 1, expert: 1, context: 1, ..request.parallel };
    let share = Share::of_stage(&request.model, &whole, 0);
    let states = States::of(&share, train, &Regime::of(request, train), Sharding::of(train.zero, &whole, 1));
    states.trained() as u64
}
