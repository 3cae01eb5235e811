//! Every preset, read once: models, accelerators, formats, optimizers, frameworks, engines.

pub mod backend;
pub mod format;
pub mod gpu;
pub mod model;
pub mod recipe;
pub mod source;

pub use backend::Backend;
pub use format::Format;
pub use gpu::Gpu;
pub use model::Model;
pub use recipe::{Framework, Optimizer};
use std::sync::Arc;

/// Lives as long as the program: rows are handed out as `&'static`.
pub struct Catalog {
    pub models: Vec<Arc<Model>>,
    pub gpus: Vec<Gpu>,
    pub formats: Vec<Format>,
    pub optimizers: Vec<Optimizer>,
    pub frameworks: Vec<Framework>,
    pub backends: Vec<Backend>,
}

impl Catalog {
    /// The presets built into the program.
    pub fn embedded() -> &'static Catalog {
        unimplemented!()
    }
}
