//! Headroom: what training or serving a language model takes.
//!
//! `Line -> Settings -> Request -> Estimate -> Plan -> View`: every door lowers its input to a line,
//! every way out draws a view. Modules stand in the order of that flow; a module never uses one
//! further right.

#![forbid(unsafe_code)]
// The sandbox writes a whole guild as one `json!`.
#![recursion_limit = "256"]

pub mod catalog;
pub mod estimate;
pub mod message;
pub mod plan;
pub mod recipes;
pub mod request;
pub mod text;
pub mod units;
pub mod view;

#[cfg(feature = "sandbox")]
pub mod sandbox;
