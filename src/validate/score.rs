//! How far estimates are off.

use super::quantity::{Quantity, Row};
use crate::estimate::Estimate;
use std::fmt;

/// One measured value beside its estimate.
#[derive(Clone, Debug)]
pub struct Case {
    pub id: String,
    pub line: String,
    pub measured: f64,
    pub predicted: f64,
    pub range: Option<(f64, f64)>,
}

impl Case {
    pub fn of(quantity: &Quantity, row: &Row, estimate: &Estimate) -> Option<Self> {
        Some(Self {
            id: row.id(),
            line: row.get("line")?.to_owned(),
            // An engine that did not start held nothing, which no part of can be off.
            measured: (quantity.measured)(row).filter(|measured| *measured > 0.0)?,
            predicted: (quantity.predicted)(estimate, row)?,
            range: (quantity.range)(estimate, row),
        })
    }
    /// Absolute error as a part of the measured value.
    pub fn error(&self) -> f64 {
        (self.predicted / self.measured - 1.0).abs()
    }
}

/// All cases of one quantity.
#[derive(Clone, Debug)]
pub struct Scores {
    pub quantity: &'static str,
    pub cases: Vec<Case>,
}

impl Scores {
    /// The error that `part` of the cases stay under.
    pub fn quantile(&self, part: f64) -> f64 {
        let mut errors: Vec<f64> = self.cases.iter().map(Case::error).collect();
        errors.sort_by(f64::total_cmp);
        let at = part * (errors.len().saturating_sub(1)) as f64;
        let (below, above) = (errors.get(at.floor() as usize), errors.get(at.ceil() as usize));
        match (below, above) {
            (Some(below), Some(above)) => below + (above - below) * at.fract(),
            _ => 0.0,
        }
    }
    /// Part of the cases whose measured value lies in the estimate's range, where estimates have one.
    pub fn in_range(&self) -> Option<f64> {
        let ranged = self.cases.iter().filter_map(|case| Some((case.measured, case.range?)));
        let (inside, all) = ranged.fold((0.0, 0.0), |(inside, all), (measured, (low, high))| {
            (inside + f64::from(u8::from(low <= measured && measured <= high)), all + 1.0)
        });
        (all > 0.0).then(|| inside / all)
    }
    pub fn worst(&self, count: usize) -> Vec<&Case> {
        let mut cases: Vec<&Case> = self.cases.iter().collect();
        cases.sort_by(|a, b| b.error().total_cmp(&a.error()));
        cases.truncate(count);
        cases
    }
}

impl fmt::Display for Scores {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let percent = |part: f64| format!("{:.2}%", 100.0 * part);
        let inside = self.in_range().map_or("-".to_owned(), percent);
        write!(
            f,
            "{:<28} {:>5} {:>8} {:>8} {:>8}",
            self.quantity,
            self.cases.len(),
            percent(self.quantile(0.5)),
            percent(self.quantile(0.9)),
            inside
        )
    }
}

impl fmt::Display for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let off = 100.0 * (self.predicted / self.measured - 1.0);
        write!(f, "{} {off:+.1}%: {:.4e} for {:.4e}: {}", self.id, self.predicted, self.measured, self.line)
    }
}
