//! Rows of numbers with a `kind` that picks the formula: optimizers, frameworks.

use super::source::Source;
use serde::Deserialize;

/// A row of `presets/optimizers.toml`.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct Optimizer {
    pub name: String,
    #[serde(default)]
    pub aliases: Vec<String>,
    pub source: Source,
}

/// A training framework's behaviour. A row of `presets/frameworks.toml`.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct Framework {
    pub name: String,
    #[serde(default)]
    pub aliases: Vec<String>,
    pub source: Source,
}
