//! The reverse question: what runs on this hardware.

use crate::catalog::{Catalog, Gpu, Model};
use crate::message::Problem;
use crate::request::Settings;
use std::sync::Arc;

/// What one machine (or fleet of like cards) can do.
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

/// Answers `fit gpu=… gpus=…`, over the catalog or the models of `model=`.
pub fn fit(_settings: &Settings, _catalog: &'static Catalog) -> Result<Fit, Problem> {
    unimplemented!()
}
