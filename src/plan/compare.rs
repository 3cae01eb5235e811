//! Two to four set-ups side by side.

use super::Plan;
use crate::catalog::Catalog;
use crate::estimate::Estimate;
use crate::message::Problem;
use crate::request::{Request, Settings};

#[derive(Clone, Debug)]
pub struct Comparison {
    pub columns: Vec<Column>,
    /// Knobs that are not the same in all columns.
    pub differs: Vec<&'static str>,
}

#[derive(Clone, Debug)]
pub struct Column {
    pub request: Request,
    pub estimate: Estimate,
    pub plan: Plan,
}

/// Compares lines, each spread over its lists (`gpu=a,b`, `model=a,b`).
pub fn compare(_lines: &[Settings], _catalog: &'static Catalog) -> Result<Comparison, Problem> {
    unimplemented!()
}
