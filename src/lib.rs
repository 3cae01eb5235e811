//! Headroom: what training or serving a language model takes.
//!
//! `Line -> Settings -> Request -> Estimate -> Plan -> View`: every door lowers its input to a line,
//! every way out draws a view. Modules stand in the order of that flow; a module never uses one
//! further right.

#![forbid(unsafe_code)]
// The sandbox writes a whole guild as one `json!`.
#![recursion_limit = "256"]

pub mod units;
pub mod message;
pub mod latest;
pub mod catalog;
pub mod request;
pub mod paste;
pub mod estimate;
pub mod plan;
pub mod recipes;
pub mod validate;
pub mod text;
pub mod view;
pub mod app;
pub mod answer;
pub mod batch;
/// The verbs, each with its slash command. The one module outside `src`.
#[path = "../commands/mod.rs"]
pub mod commands;
#[cfg(feature = "sandbox")]
pub mod sandbox;
#[cfg(feature = "discord")]
pub mod discord;
#[cfg(all(feature = "discord", feature = "sandbox"))]
pub mod console;
