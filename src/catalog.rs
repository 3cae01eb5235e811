//! Every preset, read once: models, accelerators, formats, optimizers, frameworks, engines.
//!
//! `presets/build.rs` gathers `presets/**/*.toml` into JSON at build time; reading it takes about three
//! milliseconds. Knows nothing of what a person types (see `names`).

pub mod backend;
pub mod check;
pub mod config;
pub mod constant;
mod draft;
pub mod format;
pub mod gpu;
mod layout;
mod pattern;
pub mod model;
pub mod names;
pub mod recipe;
pub mod shape;
pub mod source;
pub mod support;

pub use backend::Backend;
pub use config::{MissingFields, Tower};
pub use constant::Constants;
pub use format::Format;
pub use gpu::Gpu;
pub use model::Model;
pub use names::{Names, Outcome, Resolution};
pub use recipe::{Framework, Optimizer};
pub use shape::Shape;

use serde::Deserialize;
use source::Source;
use std::sync::{Arc, LazyLock, OnceLock};
use std::thread;

/// Lives as long as the program: rows are handed out as `&'static`.
pub struct Catalog {
    pub models: Vec<Arc<Model>>,
    pub architectures: Vec<Conventions>,
    pub towers: Vec<Tower>,
    pub gpus: Vec<Gpu>,
    pub formats: Vec<Format>,
    pub optimizers: Vec<Optimizer>,
    pub frameworks: Vec<Framework>,
    pub backends: Vec<Backend>,
    /// Numbers of the estimates themselves, as rows and as the formulas read them.
    pub constant_rows: Vec<constant::Constant>,
    pub constants: Constants,
    names: OnceLock<Names>,
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
#[derive(Deserialize)]
#[serde(default, deny_unknown_fields)]
#[derive(Default)]
struct Presets {
    architecture: Vec<Conventions>,
    tower: Vec<Tower>,
    gpu: Vec<gpu::Row>,
    format: Vec<Format>,
    optimizer: Vec<Optimizer>,
    framework: Vec<Framework>,
    backend: Vec<Backend>,
    constant: Vec<constant::Constant>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Models {
    model: Vec<ModelRow>,
    shape: Vec<Shape>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ModelRow {
    id: String,
    family: String,
    #[serde(default)]
    aliases: Vec<String>,
    #[serde(default)]
    native: model::Native,
    #[serde(default)]
    parameters: Option<u64>,
    source: Source,
    /// Its place among the shapes: many models have the same.
    shape: usize,
}

static EMBEDDED: LazyLock<Catalog> = LazyLock::new(|| {
    let models = include_str!(concat!(env!("OUT_DIR"), "/models.json"));
    let presets = include_str!(concat!(env!("OUT_DIR"), "/presets.json"));
    Catalog::read(models, presets).expect("the tests read the presets")
});

impl Catalog {
    /// The presets built into the program.
    pub fn embedded() -> &'static Catalog {
        &EMBEDDED
    }

    /// The models are more than half of it, so they are read beside the rest.
    fn read(models: &str, presets: &str) -> Result<Self, String> {
        thread::scope(|scope| {
            let rest = scope.spawn(|| Self::without_models(parsed(presets)?));
            let models = parsed::<Models>(models)?.laid_out()?;
            Ok(Self { models, ..rest.join().expect("reading does not panic")? })
        })
    }

    fn without_models(presets: Presets) -> Result<Self, String> {
        Ok(Self {
            models: vec![],
            architectures: presets.architecture,
            towers: presets.tower,
            gpus: presets.gpu.into_iter().map(gpu::Row::gpu).collect::<Result<_, _>>()?,
            formats: presets.format,
            optimizers: presets.optimizer,
            frameworks: presets.framework,
            backends: presets.backend,
            constants: Constants::of(&presets.constant)?,
            constant_rows: presets.constant,
            names: OnceLock::new(),
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

    /// The model of this id, or the one whose shape it has.
    pub fn model(&self, id: &str) -> Option<&Arc<Model>> {
        self.models.get(self.names().row(id)?)
    }

    /// What people call all this; the index is made on the first call.
    pub fn names(&self) -> &Names {
        self.names.get_or_init(|| Names::new(self))
    }

    pub fn gpu(&self, id: &str) -> Option<&Gpu> {
        self.gpus.iter().find(|gpu| gpu.id == id)
    }
}

fn parsed<'a, T: Deserialize<'a>>(json: &'a str) -> Result<T, String> {
    serde_json::from_str(json).map_err(|fault| fault.to_string())
}

impl Models {
    /// Each shape is laid out for the first model that has it, and copied for the others.
    fn laid_out(self) -> Result<Vec<Arc<Model>>, String> {
        let mut shapes: Vec<Option<Shape>> = self.shape.into_iter().map(Some).collect();
        let mut first = vec![0; shapes.len()];
        let mut models: Vec<Arc<Model>> = Vec::with_capacity(self.model.len());
        for row in self.model {
            let at = row.shape;
            let laid_out = match shapes[at].take() {
                Some(shape) => {
                    first[at] = models.len();
                    Model::of(shape).map_err(|fault| format!("{}: {fault}", row.id))?
                }
                None => Model::clone(&models[first[at]]),
            };
            models.push(Arc::new(row.model(laid_out)));
        }
        Ok(models)
    }
}

impl ModelRow {
    fn model(self, model: Model) -> Model {
        Model {
            id: self.id,
            family: self.family,
            aliases: self.aliases,
            native: self.native,
            published: self.parameters,
            source: self.source,
            ..model
        }
    }
}
