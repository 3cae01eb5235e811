//! Every preset, read once: models, accelerators, formats, optimizers, frameworks, engines.
//!
//! `presets/build.rs` gathers `presets/**/*.toml` into JSON at build time; a model's is read when it is first asked
//! for (see `listed`). Knows nothing of what a person types (see `names`).

pub mod backend;
pub mod check;
pub mod config;
pub mod constant;
mod draft;
pub mod format;
pub mod gpu;
mod layout;
mod listed;
mod pattern;
pub mod model;
pub mod names;
pub mod recipe;
pub mod shape;
pub mod support;

pub use backend::Backend;
pub use config::{MissingFields, Tower};
pub use constant::Constants;
pub use format::Format;
pub use gpu::{Gpu, Instance};
pub use listed::Listed;
pub use model::Model;
pub use names::{Names, Outcome, Resolution};
pub use recipe::{Framework, Optimizer};
pub use shape::Shape;

use rustc_hash::FxHashMap;
use serde::Deserialize;
use std::sync::{Arc, LazyLock, OnceLock};

/// Lives as long as the program: rows are handed out as `&'static`.
pub struct Catalog {
    pub listed: &'static [Listed],
    pub architectures: Vec<Conventions>,
    pub towers: Vec<Tower>,
    pub gpus: Vec<Gpu>,
    pub instances: Vec<Instance>,
    /// Where each id stands among the GPUs.
    gpu_places: FxHashMap<String, usize>,
    pub formats: Vec<Format>,
    pub optimizers: Vec<Optimizer>,
    pub frameworks: Vec<Framework>,
    pub backends: Vec<Backend>,
    /// Numbers of the estimates themselves, as rows and as the formulas read them.
    pub constant_rows: Vec<constant::Constant>,
    pub constants: Constants,
    /// Indexes of names, each made when the first name is read.
    model_names: OnceLock<names::ModelIndex>,
    gpu_names: OnceLock<names::GpuIndex>,
}

/// What a `model_type` implies. A row of `presets/architectures.toml`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Conventions {
    pub model_types: Vec<String>,
    /// The kind of QK norm that a configuration may switch on.
    #[serde(default = "one_vector")]
    pub optional_qk_norm: shape::QkNorm,
    /// Layers of ours that one of a configuration's is.
    #[serde(default = "one")]
    pub sublayers: u64,
    /// What the language part of a multimodal configuration leaves unsaid, by the configuration's keys.
    #[serde(default)]
    pub defaults: serde_json::Map<String, serde_json::Value>,
    /// With only the conventions set.
    pub shape: Shape,
}

const fn one() -> u64 {
    1
}

const fn one_vector() -> shape::QkNorm {
    shape::QkNorm::Head
}

/// Rows as they stand in the files, each under the name of its table.
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Presets {
    architecture: Vec<Conventions>,
    tower: Vec<Tower>,
    gpu: Vec<gpu::Row>,
    instance: Vec<Instance>,
    format: Vec<Format>,
    optimizer: Vec<Optimizer>,
    framework: Vec<Framework>,
    backend: Vec<Backend>,
    constant: Vec<constant::Constant>,
}

static EMBEDDED: LazyLock<Catalog> = LazyLock::new(|| {
    let presets = include_str!(concat!(env!("OUT_DIR"), "/presets.json"));
    Catalog::read(presets).expect("the tests read the presets")
});

impl Catalog {
    /// The presets built into the program.
    pub fn embedded() -> &'static Catalog {
        &EMBEDDED
    }

    fn read(presets: &str) -> Result<Self, String> {
        let presets: Presets = serde_json::from_str(presets).map_err(|fault| fault.to_string())?;
        let gpus = presets.gpu.into_iter().map(gpu::Row::gpus).collect::<Result<Vec<_>, _>>()?.concat();
        Ok(Self {
            listed: Listed::embedded(),
            architectures: presets.architecture,
            towers: presets.tower,
            gpu_places: gpus.iter().enumerate().map(|(place, gpu)| (gpu.id.clone(), place)).collect(),
            gpus,
            instances: presets.instance,
            formats: presets.format,
            optimizers: presets.optimizer,
            frameworks: presets.framework,
            backends: presets.backend,
            constants: Constants::of(&presets.constant)?,
            constant_rows: presets.constant,
            model_names: OnceLock::new(),
            gpu_names: OnceLock::new(),
        })
    }

    /// What this `model_type` implies, where it departs from Llama.
    pub fn architecture(&self, model_type: &str) -> Option<&Conventions> {
        let find = |name| self.architectures.iter().find(|row| row.model_types.iter().any(|known| known == name));
        // `glm4v_text` is the language part of `glm4v`.
        find(model_type).or_else(|| find(model_type.strip_suffix("_text")?))
    }

    /// The vision tower of this `model_type`, where it departs from a plain one.
    pub fn tower(&self, model_type: &str) -> Option<&Tower> {
        self.towers.iter().find(|row| row.model_types.iter().any(|known| known == model_type))
    }

    /// Every model, laid out.
    pub fn models(&self) -> impl Iterator<Item = &'static Arc<Model>> {
        self.listed.iter().map(Listed::model)
    }

    /// A model by its own id, which needs no index of names.
    pub fn listing(&self, id: &str) -> Option<&'static Listed> {
        Listed::find(id)
    }

    /// The model of this id, or the one whose shape it has.
    pub fn model(&self, id: &str) -> Option<&'static Arc<Model>> {
        self.listing(id).or_else(|| self.names().listing(id)).map(Listed::model)
    }

    /// What people call all this.
    pub fn names(&self) -> Names<'_> {
        Names { catalog: self }
    }

    /// How many accelerators the cloud's machine of this name has, and which.
    pub fn instance(&self, name: &str) -> Option<(u64, &str)> {
        let asked = names::squash(name);
        let sold_as = ["standard", "ecs", "ml", "阿里云", "腾讯云"].iter().find_map(|word| asked.strip_prefix(word));
        let asked = sold_as.unwrap_or(&asked);
        let is = |known: &String| names::squash(known) == asked;
        self.instances.iter().find_map(|row| {
            let (gpus, _) = row.sizes.iter().find(|(_, names)| names.iter().any(is))?;
            Some((*gpus, row.gpu.as_str()))
        })
    }

    pub fn gpu(&self, id: &str) -> Option<&Gpu> {
        self.gpu_places.get(id).map(|place| &self.gpus[*place])
    }
}
