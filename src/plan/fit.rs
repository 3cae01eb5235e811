//! The reverse question: what runs on this hardware.
//!
//! Of each family the largest model that can be served and the largest that can be trained, on one
//! request or one micro batch, at the longest length that fits.

use super::choose::{choose, fits, speed};
use crate::catalog::backend::Loads;
use crate::catalog::model::Architecture;
use crate::catalog::{Backend, Catalog, Gpu, Model};
use crate::estimate::{Estimate, estimate};
use crate::message::Problem;
use crate::msg;
use crate::request::{Request, Settings, Value, Verb};
use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::sync::Arc;

/// What one machine of like cards can do.
#[derive(Clone, Debug)]
pub struct Fit {
    pub gpu: &'static Gpu,
    pub gpus: u32,
    /// Largest model first.
    pub rows: Vec<FitRow>,
}

#[derive(Clone, Debug)]
pub struct FitRow {
    pub model: Arc<Model>,
    pub serve: Option<Served>,
    pub train: Option<Trained>,
}

/// The best weights that can be served.
#[derive(Clone, Debug)]
pub struct Served {
    pub quant: String,
    /// Longest sequence, at one request.
    pub seq: u64,
    /// Output tokens per second of one request.
    pub tokens_per_s: Option<f64>,
    pub settings: Settings,
}

/// The fullest method that can be trained.
#[derive(Clone, Debug)]
pub struct Trained {
    pub method: &'static str,
    /// Longest sequence, at a micro batch of one.
    pub seq: u64,
    pub tokens_per_s: Option<f64>,
    pub settings: Settings,
}

/// A model serves a length of use, or all it has.
const USEFUL: u64 = 8192;
/// The shortest length worth training at.
const SHORT: u64 = 512;

/// Answers `fit gpu=… gpus=…`, over the catalog or the models of `model=`.
pub fn fit(settings: &Settings, catalog: &'static Catalog) -> Result<Fit, Problem> {
    let needs_gpu = || Problem::of("gpu", msg!("problem-fit-needs-gpu")).suggest(["gpu=rtx-4090-24gb".to_owned()]);
    let id = settings.text("gpu").ok_or_else(needs_gpu)?;
    let gpu = catalog.gpu(id).ok_or_else(needs_gpu)?;
    let asked = settings.texts("model");
    let bench = Bench { settings, gpu, catalog };
    let rows = if asked.is_empty() {
        bench.families()
    } else {
        let models = asked.iter().filter_map(|id| catalog.model(id));
        models
            .map(|model| FitRow { serve: bench.serve(model), train: bench.train(model), model: model.clone() })
            .collect()
    };
    Ok(Fit { gpu, gpus: settings.count("gpus").unwrap_or(1) as u32, rows })
}

struct Bench<'a> {
    settings: &'a Settings,
    gpu: &'static Gpu,
    catalog: &'static Catalog,
}

impl Bench<'_> {
    /// Of each family the largest that can be served and the largest that can be trained.
    fn families(&self) -> Vec<FitRow> {
        let mut families: BTreeMap<&str, Vec<&Arc<Model>>> = BTreeMap::new();
        for model in self.catalog.models().filter(|model| model.architecture == Architecture::Decoder) {
            families.entry(&model.family).or_default().push(model);
        }
        let mut rows: Vec<FitRow> = Vec::new();
        for models in families.values_mut() {
            models.sort_by_key(|model| Reverse(model.counts.total));
            let served = models.iter().find_map(|model| Some((*model, self.serve(model)?)));
            let trained = models.iter().find_map(|model| Some((*model, self.train(model)?)));
            match (served, trained) {
                (Some((model, serve)), Some((same, train))) if model.id == same.id => {
                    rows.push(FitRow { model: model.clone(), serve: Some(serve), train: Some(train) });
                }
                (served, trained) => {
                    rows.extend(served.map(|(model, serve)| FitRow {
                        model: model.clone(),
                        serve: Some(serve),
                        train: self.train(model),
                    }));
                    rows.extend(trained.map(|(model, train)| FitRow {
                        model: model.clone(),
                        serve: self.serve(model),
                        train: Some(train),
                    }));
                }
            }
        }
        rows.sort_by_key(|row| Reverse(row.model.counts.total));
        rows
    }

    /// The line of a model on this hardware, with what `fit` was given of the work's knobs.
    fn line(&self, verb: Verb, model: &Model, knobs: &[(&'static str, Value)]) -> Settings {
        let mut line = Settings::new(verb).with("model", Value::Text(model.id.clone()));
        let hardware = self.settings.values.iter().filter(|(key, _)| ["gpu", "gpus", "nodes"].contains(key));
        line.values.extend(hardware.map(|(key, value)| (*key, value.clone())));
        line.values.extend(knobs.iter().cloned());
        line
    }

    fn estimate(&self, line: &Settings) -> Option<(Request, Estimate)> {
        let request = choose(line, self.catalog).ok()?;
        let estimate = estimate(&request);
        Some((request, estimate))
    }

    /// The engine asked for, else the first of the usual ones that runs on the card.
    fn backend(&self) -> Option<&'static Backend> {
        let named = |name: &str| self.catalog.backends.iter().find(|row| row.name == name);
        if let Some(name) = self.settings.text("backend") {
            return named(name);
        }
        ["vllm", "llama.cpp"].iter().filter_map(|name| named(name)).find(|row| row.runs_on.contains(&self.gpu.vendor))
    }

    fn serve(&self, model: &Model) -> Option<Served> {
        let backend = self.backend()?;
        let formats: &[&str] =
            if backend.loads.contains(&Loads::Checkpoint) { &["none", "fp8", "awq"] } else { &["q8_0", "q4_k_m"] };
        let longest = model.max_position.unwrap_or(USEFUL);
        formats.iter().find_map(|quant| {
            let knobs = [
                ("backend", Value::Text(backend.name.clone())),
                ("quant", Value::Text((*quant).to_owned())),
                ("seq", Value::Count(longest)),
            ];
            let line = self.line(Verb::Infer, model, &knobs);
            let (_, whole) = self.estimate(&line)?;
            let seq = whole.serving.as_ref().and_then(|serving| serving.max_seq)?.min(longest);
            let seq = if seq < longest { seq - seq % 1024 } else { seq };
            let settings = line.with("seq", Value::Count(seq));
            let (request, estimate) = self.estimate(&settings)?;
            let serves = seq >= USEFUL.min(longest) && fits(&request, &estimate);
            let quant = request.infer().map(|infer| infer.weights.name.clone())?;
            serves.then(|| Served { quant, seq, tokens_per_s: speed(&estimate), settings })
        })
    }

    fn train(&self, model: &Model) -> Option<Trained> {
        ["full", "lora", "qlora"].into_iter().find_map(|method| {
            let at = |seq: u64| {
                let knobs = [
                    ("method", Value::Choice(method)),
                    ("checkpointing", Value::Choice("on")),
                    ("batch", Value::Count(1)),
                    ("seq", Value::Count(seq)),
                ];
                self.line(Verb::Train, model, &knobs)
            };
            let longest = model.max_position.unwrap_or(USEFUL).max(SHORT);
            let doubled = std::iter::successors(Some(SHORT), |seq| Some(seq * 2)).take_while(|seq| *seq <= longest);
            let holds =
                |seq: &u64| self.estimate(&at(*seq)).is_some_and(|(request, estimate)| fits(&request, &estimate));
            let seq = doubled.take_while(holds).last()?;
            let (_, estimate) = self.estimate(&at(seq))?;
            Some(Trained { method, seq, tokens_per_s: speed(&estimate), settings: at(seq) })
        })
    }
}
