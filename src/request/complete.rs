//! From what was asked to a full request: defaults of the framework or engine, checks across knobs.

use super::{Completed, Settings};
use crate::catalog::Catalog;

pub fn complete(_settings: &Settings, _catalog: &'static Catalog) -> Completed {
    unimplemented!()
}
