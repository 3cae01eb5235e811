//! Inference: what the engine does where nothing was asked.

use super::{Fill, Settled};
use crate::message::Problem;
use crate::request::settings::Value;
use crate::request::{Concurrency, Infer, KvDtype, Work};

pub(super) fn fill(fill: &mut Fill) -> Result<Settled, Problem> {
    let catalog = fill.catalog;
    let backend = fill.row("backend", &catalog.backends, |row| &row.name, "vllm")?;
    let weights = fill.row("quant", &catalog.formats, |row| &row.name, "none")?;
    let precision = fill.precision()?;
    let attention = fill.attention("flash");
    let prompt = fill.count("prompt", 1024);
    let output = fill.count("output", 256);
    let seq = match fill.settings.get("seq") {
        Some(Value::Count(seq)) => *seq,
        _ => {
            let seq = fill.model.max_position.unwrap_or(4096).max(prompt + output);
            fill.assume("seq", seq);
            seq
        }
    };
    let concurrency = match fill.settings.get("concurrency") {
        Some(Value::Max) => Concurrency::Max,
        _ => Concurrency::Requests(fill.count("concurrency", 1)),
    };
    let infer = Infer {
        backend,
        backend_version: version(fill.settings.text("backend_version").unwrap_or("1.0")),
        weights,
        kv: kv(fill.choice("kv", "auto")),
        prompt,
        output,
        concurrency,
        memory_fraction: fill.number("gpu_mem_util", 0.9),
        max_batched_tokens: fill.count("max_batched_tokens", 8192),
        max_seqs: fill.count("max_seqs", 256),
        eager: fill.switch("eager", false),
        ttft_target: fill.settings.number("ttft"),
        tpot_target: fill.settings.number("tpot"),
    };
    Ok(Settled { precision, seq, attention, work: Work::Infer(infer) })
}

fn version(text: &str) -> (u32, u32) {
    let mut parts = text.split('.').map(|part| part.parse().unwrap_or(0));
    (parts.next().unwrap_or(0), parts.next().unwrap_or(0))
}

fn kv(name: &'static str) -> KvDtype {
    let bits = match name {
        "fp32" => 32.0,
        "q8_0" => 8.5,
        "fp8" | "int8" => 8.0,
        "q5_0" => 5.5,
        "q5_1" => 6.0,
        "q4_1" => 5.0,
        "q4_0" | "iq4_nl" => 4.5,
        "int4" => 4.0,
        _ => 16.0,
    };
    KvDtype { name, bits }
}
