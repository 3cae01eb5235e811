//! What engine logs and measured servings say, and where an estimate says it.
//!
//! Columns are those of `inference-memory-cases.csv` and `inference-throughput-cases.csv`; a row's `id` starts with its
//! source. Constants are fitted to closed loops, offline runs and single streams, not to bursts of prompts sent at once.

use super::quantity::{Quantity, Row};
use crate::catalog::{Catalog, Gpu};
use crate::estimate::{Estimate, Ranged, Serving, Speed};
use crate::units::GIB;

type Measured = fn(&Row) -> Option<f64>;

pub static SERVING: &[Quantity] = &[
    logged("weights", |row| Some(row.number("weights_gib")? * GIB), |e, _| Some(serving(e)?.weights_per_gpu.0)),
    logged(
        "activation peak",
        |row| Some(row.number("activation_peak_gib")? * GIB),
        |e, _| Some(serving(e)?.activation_peak.0),
    ),
    logged(
        "KV pool, vLLM 0.19",
        |row| pool(row).filter(|_| is_19(row)),
        |e, _| Some(serving(e)?.kv_cache_available?.0),
    ),
    logged("KV pool, others", |row| pool(row).filter(|_| !is_19(row)), |e, _| Some(serving(e)?.kv_cache_available?.0)),
    logged("KV pool by weights x 1.2", pool, |e, row| usual_pool(serving(e)?, row)),
    logged(
        "KV bytes per token",
        |row| Some(pool(row)? / row.number("kv_tokens")?),
        |e, _| Some(serving(e)?.kv_bytes_per_token.0),
    ),
    logged("KV tokens", |row| row.number("kv_tokens"), |e, _| Some(serving(e)?.kv_tokens? as f64)),
    logged("requests at once", |row| row.number("max_concurrency"), |e, _| Some(serving(e)?.max_concurrency? as f64)),
    Quantity {
        name: "time to first token",
        fitted: true,
        measured: |row| row.number("ttft_ms").filter(|_| from(row, "aic-")),
        predicted: |e, _| Some(speed(e)?.ttft_ms.value),
        range: |e, _| Some(bounds(speed(e)?.ttft_ms)),
    },
    Quantity {
        name: "time per output token",
        fitted: true,
        measured: |row| row.number("tpot_ms").filter(|_| from(row, "aic-")),
        predicted: |e, _| Some(speed(e)?.tpot_ms.value),
        range: |e, _| Some(bounds(speed(e)?.tpot_ms)),
    },
    logged(
        "time per output token by roofline",
        |row| row.number("tpot_ms").filter(|_| from(row, "aic-")),
        |e, row| Some(roofline(serving(e)?, row)? * 1e3),
    ),
    rate("tokens/s, closed loop", false, |row| closed_loop(row).filter(|_| from(row, "aic-"))),
    rate("tokens/s, TRT-LLM dense", true, |row| total(row).filter(|_| from(row, "trt") && !is_mixture(row))),
    rate("tokens/s, TRT-LLM experts", true, |row| total(row).filter(|_| from(row, "trt") && is_mixture(row))),
    rate("tokens/s, other servings", false, |row| total(row).filter(|_| !KNOWN.iter().any(|known| from(row, known)))),
    rate("tokens/s, one burst", false, |row| total(row).filter(|_| from(row, "gpustack-"))),
    rate("tokens/s, llama.cpp decode", true, |row| total(row).filter(|_| is_bench(row, "isl"))),
    rate("tokens/s, llama.cpp prefill", true, |row| total(row).filter(|_| is_bench(row, "osl"))),
];

/// What a usual calculator leaves for the cache: the fraction of the card less 1.2 of the weights.
fn usual_pool(serving: &Serving, row: &Row) -> Option<f64> {
    let card = gpu(row)?.memory.0;
    Some(row.number("gpu_memory_utilization")? * card - 1.2 * serving.weights_per_gpu.0)
}

/// Seconds a step takes where nothing but bandwidth counts: the active weights and every sequence's cache once.
fn roofline(serving: &Serving, row: &Row) -> Option<f64> {
    let counts = &Catalog::embedded().model(row.get("model")?)?.counts;
    let weights = serving.weights_per_gpu.0 * counts.active as f64 / counts.total as f64;
    let tokens = row.number("isl")? + row.number("osl")? / 2.0;
    let cache = row.number("concurrency_or_batch")? / row.number("dp")? * tokens * serving.kv_bytes_per_token.0;
    Some((weights + cache) / gpu(row)?.bandwidth?.0)
}

fn gpu(row: &Row) -> Option<&'static Gpu> {
    let id = row.get("line")?.split_whitespace().find_map(|word| word.strip_prefix("gpu="))?;
    Catalog::embedded().gpu(id)
}

/// Sources with a quantity of their own.
const KNOWN: [&str; 4] = ["aic-", "trt", "gpustack-", "llamacpp-"];

/// A quantity of a start-up log: it has no range and nothing is fitted to it.
const fn logged(name: &'static str, measured: Measured, predicted: fn(&Estimate, &Row) -> Option<f64>) -> Quantity {
    Quantity { name, fitted: false, measured, predicted, range: |_, _| None }
}

/// Tokens a second over all GPUs: out, or in where none come out.
const fn rate(name: &'static str, fitted: bool, measured: Measured) -> Quantity {
    Quantity {
        name,
        fitted,
        measured,
        predicted: |e, _| Some(speed(e)?.tokens_per_s.value),
        range: |e, _| Some(bounds(speed(e)?.tokens_per_s)),
    }
}

fn serving(estimate: &Estimate) -> Option<&Serving> {
    estimate.serving.as_ref()
}

fn speed(estimate: &Estimate) -> Option<&Speed> {
    serving(estimate)?.speed.as_ref()
}

fn bounds(ranged: Ranged) -> (f64, f64) {
    (ranged.low, ranged.high)
}

fn from(row: &Row, source: &str) -> bool {
    row.get("id").is_some_and(|id| id.starts_with(source))
}

/// A pool that is there: a refused start logs a negative one.
fn pool(row: &Row) -> Option<f64> {
    row.number("kv_cache_gib").filter(|gib| *gib > 0.0).map(|gib| gib * GIB)
}

fn is_19(row: &Row) -> bool {
    row.get("backend") == Some("vllm") && row.get("version").is_some_and(|version| version.starts_with("0.19"))
}

fn total(row: &Row) -> Option<f64> {
    row.number("tokens_per_s_total").or_else(|| Some(row.number("tokens_per_s_per_gpu")? * row.number("gpus")?))
}

/// `c·n / (ttft + (n - 1)·tpot)` of `c` requests at once with `n` tokens out.
fn closed_loop(row: &Row) -> Option<f64> {
    let (requests, tokens) = (row.number("concurrency_or_batch")?, row.number("osl")?);
    Some(requests * tokens / (row.number("ttft_ms")? + (tokens - 1.0) * row.number("tpot_ms")?) * 1e3)
}

fn is_mixture(row: &Row) -> bool {
    let model = row.get("model").and_then(|id| Catalog::embedded().model(id));
    model.is_some_and(|model| model.is_moe())
}

/// A llama-bench run in which there are no such tokens.
fn is_bench(row: &Row, tokens: &str) -> bool {
    from(row, "llamacpp-") && row.number(tokens) == Some(0.0)
}
