//! Where an engine or framework runs and how it spreads a model.

use serde::Deserialize;

/// A degree that it can split by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Split {
    Tensor,
    Pipeline,
    Data,
    Context,
    Expert,
}

/// How training states are kept over data-parallel ranks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Sharding {
    Ddp,
    Zero1,
    Zero2,
    Zero3,
    Fsdp,
    Hsdp,
}
