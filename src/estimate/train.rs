//! Training: memory of the fullest GPU, compute and time.
//!

use super::{Estimate, Memory};
use crate::catalog::constant::Training;
use crate::request::{Parallel, Request, Train};

pub mod activations;
pub mod buffers;
pub mod logits;
pub mod memory;
pub mod overhead;
pub mod regime;
pub mod saved;
pub mod share;
pub mod stages;
pub mod states;

use regime::Regime;
use share::Share;
use states::{Sharding, States};

pub fn estimate(request: &Request, train: &Train, constants: &Training) -> Estimate {
    let memory = fullest(request, train, constants);
    Estimate {
        memory,
        compute: Default::default(),
        time: None,
        serving: None,
        trainable_parameters: trainable(request, train),
        notes: vec![],
    }
}

/// Of the pipeline stages the fullest: the first holds most micro batches, the last has the head.
fn fullest(request: &Request, train: &Train, constants: &Training) -> Memory {
    let last = request.parallel.pipeline - 1;
    let of = |stage: u32| memory::of_stage(request, train, constants, stage);
    let mut fullest = of(last);
    for stage in [0, 1].into_iter().filter(|stage| *stage < last) {
        let other = of(stage);
        if other.device > fullest.device {
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
