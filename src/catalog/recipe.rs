//! Rows of numbers with a `kind` that picks the formula: formats, optimizers, frameworks, engines.

use super::source::Source;
use serde::Deserialize;

/// How weights are stored. A row of `presets/formats.toml`.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct Format {
    /// Canonical name of the `quant` knob: `awq`, `fp8`, `q4_k_m`.
    pub name: String,
    #[serde(default)]
    pub aliases: Vec<String>,
    /// Bits a weight of a quantised linear takes, scales included.
    pub bits: f64,
    pub source: Source,
}

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

/// An inference engine's behaviour. A row of `presets/backends.toml`.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct Backend {
    pub name: String,
    #[serde(default)]
    pub aliases: Vec<String>,
    pub source: Source,
}
