//! Inference: memory by engine, capacity and speed.

use super::Estimate;
use crate::request::{Infer, Request};

pub fn estimate(_request: &Request, _infer: &Infer) -> Estimate {
    unimplemented!()
}
