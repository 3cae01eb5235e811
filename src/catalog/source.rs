//! Where a figure is from.

use serde::Deserialize;

/// A source as the row names it, with how far it is to be trusted.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(transparent)]
pub struct Source(pub String);
