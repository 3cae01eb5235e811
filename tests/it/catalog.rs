//! The catalog against published figures.

use headroom::catalog::{Catalog, Model};
use serde::Deserialize;
use std::fs;

/// Counts of models built by `transformers` 5.23 on the meta device; embedding, head and experts also where no
/// total was built.
#[derive(Deserialize)]
struct Published {
    id: String,
    total: Option<u64>,
    active: Option<u64>,
    embedding: u64,
    lm_head: u64,
    routed_experts: u64,
    mtp: Option<u64>,
}

/// `transformers` gives LongCat's experts that pass their input through a projection that is never used.
const UNUSED_WEIGHTS: [&str; 1] = ["meituan-longcat/LongCat-Flash-Chat"];

fn published() -> Vec<Published> {
    let mut rows = csv::Reader::from_path("tests/data/model-counts.csv").expect("a file of the repository");
    rows.deserialize().map(|row| row.expect("a row of counts")).collect()
}

#[test]
fn every_model_counts_as_transformers_builds_it() {
    let catalog = Catalog::embedded();
    let mut faults = Vec::new();
    for row in published() {
        let counts = &catalog.model(&row.id).expect("a model of the catalog").counts;
        let known = [
            ("total", row.total, counts.total),
            ("active", row.active, counts.active),
            ("embedding", Some(row.embedding), counts.embedding),
            ("lm_head", Some(row.lm_head), counts.lm_head),
            ("routed_experts", Some(row.routed_experts), counts.routed_experts),
        ];
        for (what, published, counted) in known {
            if published.is_some_and(|published| published != counted) && !UNUSED_WEIGHTS.contains(&row.id.as_str()) {
                faults.push(format!("{}: {what} {published:?}, counted {counted}", row.id));
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn prediction_layers_are_the_last_layer_again() {
    for row in published() {
        let Some(mtp) = row.mtp else { continue };
        let counted = Catalog::embedded().model(&row.id).expect("a model of the catalog").counts.mtp;
        // The published estimate leaves out indexers and router biases.
        assert!((counted as f64 / mtp as f64 - 1.0).abs() < 0.002, "{}: {mtp}, counted {counted}", row.id);
    }
}

/// A configuration as `transformers` 5.23 writes that of a class, and the parameters of the model that it builds of it.
#[derive(Deserialize)]
struct Configured {
    total: u64,
    /// How far off the count may be: where small tensors are left out (`presets/architectures.toml` says which), and of
    /// towers that have no row in `presets/towers.toml`.
    #[serde(default)]
    within: f64,
    config: serde_json::Value,
}

#[test]
fn every_class_counts_from_its_configuration_alone() {
    let text = fs::read_to_string("tests/data/configurations.jsonl").expect("a file of the repository");
    let mut faults = Vec::new();
    for line in text.lines() {
        let Configured { total, within, config } = serde_json::from_str(line).expect("a row of configurations");
        let counted = Model::from_config(&config).map(|model| model.counts.total);
        let off = counted.as_ref().map(|&counted| (counted as f64 / total as f64 - 1.0).abs());
        if !off.is_ok_and(|off| off <= within) {
            faults.push(format!("{}: {total}, counted {counted:?}", config["model_type"]));
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}
