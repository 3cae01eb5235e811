//! The integration binary: one link, one module an area.

mod arrows;
#[cfg(all(feature = "discord", feature = "sandbox"))]
mod bot;
mod catalog;
mod cli;
mod field;
mod infer;
mod line;
mod names;
mod paste;
mod plan;
mod recipes;
mod support;
mod train;
mod tweak;
mod view;
