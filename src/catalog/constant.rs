//! Constants of the model of reality: few numbers with a meaning, some of them fitted to measured cases.

use super::source::Source;
use serde::Deserialize;
use serde::de::DeserializeOwned;

/// A row of `presets/training.toml` or `presets/serving.toml`.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct Constant {
    /// The table it belongs to: `training`, `serving`.
    pub of: String,
    pub name: String,
    pub value: f64,
    /// Whether `validate --leave-out` fits it anew.
    #[serde(default)]
    pub fitted: bool,
    pub meaning: String,
    pub source: Source,
}

/// The rows of one table as a struct whose fields have the rows' names.
pub fn table<T: DeserializeOwned>(rows: &[Constant], of: &str) -> Result<T, String> {
    let values = rows.iter().filter(|row| row.of == of).map(|row| (row.name.clone(), row.value.into()));
    serde_json::from_value(serde_json::Value::Object(values.collect())).map_err(|fault| format!("{of}.toml: {fault}"))
}

/// What the estimates of both works are computed with.
#[derive(Clone, Debug, PartialEq)]
pub struct Constants {
    pub training: Training,
}

impl Constants {
    pub fn of(rows: &[Constant]) -> Result<Self, String> {
        Ok(Self { training: table(rows, "training")? })
    }
}

/// `presets/training.toml`; each field's meaning stands there.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Training {
    pub allocator_floor: f64,
    pub allocator_slack: f64,
    pub logits_slack: f64,
    pub expandable_gaps: f64,
    pub context_bytes: f64,
    pub communicator_bytes: f64,
    pub doubt_activations: f64,
    pub doubt_logits: f64,
    pub doubt_buffers: f64,
    pub doubt_states: f64,
    pub doubt_fixed: f64,
}
