//! The reverse question: what runs on this hardware.
//!
//! What a team would pick today: of each maker's line the newest model that can be served and that can be trained, and
//! older ones where they are larger; on one request or one micro batch, at the longest length that fits.

use super::choose::{choose, fits, speed};
use crate::catalog::backend::Loads;
use crate::catalog::model::Architecture;
use crate::catalog::{Backend, Catalog, Gpu, Listed, Model};
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
/// Years after its publication in which a model is picked, and one that many mean.
const CURRENT: u16 = 1;
const WANTED: u16 = 2;
/// How much larger an older model is that is picked beside a newer one.
const LARGER: f64 = 1.1;
/// The shortest length worth training at.
const SHORT: u64 = 512;

/// Answers `fit gpu=… gpus=…`, over the catalog or the models of `model=`.
pub fn fit(settings: &Settings, catalog: &'static Catalog) -> Result<Fit, Problem> {
    let needs_gpu = || Problem::of("gpu", msg!("problem-fit-needs-gpu")).suggest(["gpu=rtx-4090-24gb".to_owned()]);
    let id = settings.text("gpu").ok_or_else(needs_gpu)?;
    let gpu = catalog.gpu(id).ok_or_else(needs_gpu)?;
    let asked = settings.texts("model");
    let nodes = settings.count("nodes").map_or(1, |nodes| nodes.saturating_mul(u64::from(gpu.gpus_per_node)));
    let gpus = settings.count("gpus").unwrap_or(nodes);
    let bench = Bench { settings, gpu, gpus, catalog };
    let rows = if asked.is_empty() {
        bench.current()
    } else {
        let models = asked.iter().filter_map(|id| catalog.model(id));
        models
            .map(|model| FitRow { serve: bench.serve(model), train: bench.train(model), model: model.clone() })
            .collect()
    };
    Ok(Fit { gpu, gpus: gpus as u32, rows })
}

struct Bench<'a> {
    settings: &'a Settings,
    gpu: &'static Gpu,
    gpus: u64,
    catalog: &'static Catalog,
}

impl Bench<'_> {
    /// Of each maker's line the newest model that can be served and that can be trained, and older ones that are larger.
    fn current(&self) -> Vec<FitRow> {
        let mut rows: Vec<FitRow> = Vec::new();
        for models in self.lines() {
            let (mut served, mut trained) = (0, 0);
            for model in models {
                let size = model.counts.total;
                let larger = |held: u64| size as f64 > LARGER * held as f64;
                let serve = if larger(served) { self.serve(model) } else { None };
                let train = if larger(trained) { self.train(model) } else { None };
                if serve.is_none() && train.is_none() {
                    continue;
                }
                served = if serve.is_some() { size } else { served };
                trained = if train.is_some() { size } else { trained };
                let serve = serve.or_else(|| self.serve(model));
                let train = train.or_else(|| self.train(model));
                rows.push(FitRow { model: model.clone(), serve, train });
            }
        }
        rows.sort_by_key(|row| Reverse(row.model.counts.total));
        rows
    }

    /// Decoders of the last years by their line, newest and largest first; of one shape the most wanted.
    fn lines(&self) -> Vec<Vec<&'static Arc<Model>>> {
        // No format here holds a parameter in less than four bits.
        let most = 2.0 * self.gpu.memory.0 * self.gpus as f64;
        let newest = self.catalog.listed.iter().filter_map(|row| row.released).max().unwrap_or_default();
        let names = self.catalog.names();
        let is_current = |row: &&Listed| {
            let years = if names.is_popular(row.id) { WANTED } else { CURRENT };
            row.released.is_some_and(|year| year + years >= newest)
        };
        let mut shapes: BTreeMap<_, &'static Listed> = BTreeMap::new();
        for row in self.catalog.listed.iter().filter(is_current) {
            let model = row.model();
            let shape = (model.counts.total, model.depth(), model.hidden_size, model.vocab_size);
            let held = shapes.entry(shape).or_insert(row);
            if names.rank(row.id) < names.rank(held.id) {
                *held = row;
            }
        }
        let mut lines: BTreeMap<String, Vec<&'static Listed>> = BTreeMap::new();
        let could_fit =
            |model: &Model| model.architecture == Architecture::Decoder && (model.counts.total as f64) < most;
        for row in shapes.into_values().filter(|row| could_fit(row.model())) {
            // `Llama` of `Llama 3` and `Llama 4`.
            let name = row.family.chars().take_while(|c| c.is_alphabetic()).flat_map(char::to_lowercase);
            lines.entry(name.collect()).or_default().push(row);
        }
        let newest_first = |mut rows: Vec<&'static Listed>| {
            rows.sort_by_key(|row| Reverse((row.released, row.model().counts.total)));
            rows.into_iter().map(Listed::model).collect()
        };
        lines.into_values().map(newest_first).collect()
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
