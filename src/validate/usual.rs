//! What a calculator of the usual kind gives: 16 bytes a parameter over the GPUs that share the states, and
//! `34·s·b·h` bytes of activations a layer (Korthikanti et al. 2022, eq. 1, without attention scores).

use super::quantity::Row;
use super::score::{Case, Scores};
use super::{Prepared, quantity};
use crate::request::{Request, Train, Zero};

/// The usual calculators' scores on the rows of training memory.
pub fn scores(cases: &[&Prepared]) -> Vec<Scores> {
    let of = |name: &'static str, predicted: fn(&Request, &Train) -> f64| {
        let case = |case: &&Prepared| {
            let (row, train): (&Row, &Train) = (&case.row, case.request.train()?);
            let measured = quantity::peak_memory(row)?;
            let line = row.get("line")?.to_owned();
            Some(Case { id: row.id(), line, measured, predicted: predicted(&case.request, train), range: None })
        };
        Scores { quantity: name, cases: cases.iter().filter_map(case).collect() }
    };
    vec![
        of("16 bytes a parameter", states),
        of("16 bytes a parameter, 34·s·b·h a layer", |request, train| {
            states(request, train) + activations(request, train)
        }),
    ]
}

fn states(request: &Request, train: &Train) -> f64 {
    let parallel = &request.parallel;
    let replicas = if train.zero == Zero::Ddp { 1 } else { parallel.data };
    16.0 * request.model.counts.total as f64 / f64::from(parallel.tensor * parallel.pipeline * replicas)
}

fn activations(request: &Request, train: &Train) -> f64 {
    let (model, parallel) = (&request.model, &request.parallel);
    let tokens = train.micro_batch_size as f64 * request.seq as f64 / f64::from(parallel.context);
    34.0 * tokens * (model.hidden_size * model.depth()) as f64 / f64::from(parallel.tensor)
}
