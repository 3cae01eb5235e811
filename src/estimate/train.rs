//! Training: memory, compute and time.

use super::Estimate;
use crate::request::{Request, Train};

pub fn estimate(_request: &Request, _train: &Train) -> Estimate {
    unimplemented!()
}
