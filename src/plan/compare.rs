//! Two to four set-ups side by side.

use super::Outcome;
use crate::catalog::Catalog;
use crate::message::Problem;
use crate::request::Settings;

#[derive(Clone, Debug)]
pub struct Comparison {
    pub columns: Vec<Outcome>,
    /// Knobs that are not the same in all columns.
    pub differs: Vec<&'static str>,
}

/// Compares lines, each spread over its lists (`gpu=a,b`, `model=a,b`).
pub fn compare(_lines: &[Settings], _catalog: &'static Catalog) -> Result<Comparison, Problem> {
    unimplemented!()
}
