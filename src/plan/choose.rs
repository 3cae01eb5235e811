//! From what was asked to a full request: the layout an engineer would take where none is given,
//! and the largest length, batch or concurrency where `max` is asked.

use crate::catalog::Catalog;
use crate::message::Problem;
use crate::request::{Request, Settings, complete};

/// Completes the settings, choosing the layout on the hardware given; what is chosen stands in `assumed`.
pub fn choose(settings: &Settings, catalog: &'static Catalog) -> Result<Request, Problem> {
    complete(settings, catalog)
}
