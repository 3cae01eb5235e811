//! What can be measured, and where an estimate says it.

use super::serving::SERVING;
use crate::estimate::{Estimate, PartKind};
use crate::units::GIB;
use std::collections::HashMap;

/// A row of a CSV file by column.
#[derive(Clone, Debug)]
pub struct Row {
    /// Line in the file.
    pub number: usize,
    pub values: HashMap<String, String>,
}

impl Row {
    /// A column's value, where there is one.
    pub fn get(&self, column: &str) -> Option<&str> {
        self.values.get(column).map(String::as_str).filter(|value| !value.is_empty())
    }
    pub fn number(&self, column: &str) -> Option<f64> {
        self.get(column)?.parse().ok()
    }
    pub fn id(&self) -> String {
        self.get("id").map_or_else(|| format!("row {}", self.number), str::to_owned)
    }
    /// `value`, where `quantity` is the one asked for.
    fn value_of(&self, quantity: &str) -> Option<f64> {
        if self.get("quantity")? == quantity { self.number("value") } else { None }
    }
}

/// One quantity: its name, what a row says of it, what an estimate says, and the estimate's 80% range.
pub struct Quantity {
    pub name: &'static str,
    /// Whether constants are fitted to it.
    pub fitted: bool,
    pub measured: fn(&Row) -> Option<f64>,
    pub predicted: fn(&Estimate, &Row) -> Option<f64>,
    pub range: fn(&Estimate, &Row) -> Option<(f64, f64)>,
}

/// Everything that can be scored.
pub fn quantities() -> impl Iterator<Item = &'static Quantity> {
    TRAINING.iter().chain(SERVING)
}

/// A training row's measured peak in bytes.
pub fn peak_memory(row: &Row) -> Option<f64> {
    Some(row.value_of("peak_mem_gib")? * GIB)
}

static TRAINING: &[Quantity] = &[
    Quantity {
        name: "training memory",
        fitted: true,
        measured: peak_memory,
        predicted: |estimate, row| Some(as_measured(estimate, row)),
        range: |estimate, row| {
            let moved = as_measured(estimate, row) - estimate.memory.device.0;
            Some((estimate.memory.low.0 + moved, estimate.memory.high.0 + moved))
        },
    },
    Quantity {
        name: "training tokens/s per GPU",
        fitted: true,
        measured: |row| row.value_of("tokens_per_s_per_gpu"),
        predicted: |estimate, _| Some(estimate.time.as_ref()?.tokens_per_s_per_gpu),
        range: |estimate, _| {
            let time = estimate.time.as_ref()?;
            let gpus = time.tokens_per_s / time.tokens_per_s_per_gpu;
            Some((time.low / gpus, time.high / gpus))
        },
    },
    traced("step: weights", |row| row.number("params_bytes"), |estimate, _| part(estimate, PartKind::Weights)),
    traced("step: gradients", |row| row.number("grads_bytes"), |estimate, _| part(estimate, PartKind::Gradients)),
    traced(
        "step: optimizer states",
        |row| row.number("optim_bytes"),
        |estimate, _| part(estimate, PartKind::Optimizer),
    ),
    traced("step: peak", |row| row.number("peak_bytes"), |estimate, _| Some(estimate.memory.allocated.0)),
];

/// A quantity of a traced step, which has nothing to be fitted.
const fn traced(
    name: &'static str,
    measured: fn(&Row) -> Option<f64>,
    predicted: fn(&Estimate, &Row) -> Option<f64>,
) -> Quantity {
    Quantity { name, fitted: false, measured, predicted, range: |_, _| None }
}

fn part(estimate: &Estimate, kind: PartKind) -> Option<f64> {
    Some(estimate.memory.part(kind).0)
}

/// Of the three totals the one that the row's instrument shows; unstated counts as reserved.
fn as_measured(estimate: &Estimate, row: &Row) -> f64 {
    let metric = row.get("mem_metric").unwrap_or_default();
    let memory = &estimate.memory;
    if metric.contains("allocated") || metric.contains("active") {
        memory.allocated.0
    } else if metric.contains("nvidia-smi") {
        memory.device.0
    } else {
        memory.reserved.0
    }
}
