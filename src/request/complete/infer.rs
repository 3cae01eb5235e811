//! Inference: what the engine does where nothing was asked.

use super::{Fill, Settled};
use crate::catalog::backend::{DraftKind, Loads, MemoryRule, Pool, Version};
use crate::catalog::format::{ComputeRate, Format};
use crate::catalog::gpu::Vendor;
use crate::catalog::{Backend, Model};
use crate::message::Problem;
use crate::msg;
use crate::request::settings::Value;
use crate::request::{Compute, Concurrency, Draft, Infer, KvDtype, OnHost, Work, knobs};
use crate::units::{Bytes, GIB, MIB};
use std::sync::Arc;

/// The format of a GGUF where none is named: what most are downloaded as.
const USUAL_GGUF: &str = "q4_k_m";
/// Context that llama.cpp and ollama are started with where none is named.
const USUAL_CONTEXT: u64 = 4096;

pub(super) fn fill(fill: &mut Fill) -> Result<Settled, Problem> {
    let backend = backend(fill)?;
    let precision = fill.precision()?;
    let weights = weights(fill, backend, precision)?;
    let release = fill.settings.text("backend_version").map(|text| version(text).unwrap_or(backend.version));
    let rule = backend.memory(release.unwrap_or(backend.version));
    // A cache in fewer bits is for flash attention alone.
    let writes_scores = rule.writes_scores && fill.settings.get("kv").is_none();
    let attention = fill.attention(if writes_scores { "eager" } else { "flash" });
    let (prompt, output, seq) = lengths(fill, backend);
    let concurrency = match fill.settings.get("concurrency") {
        Some(Value::Bound(_)) => Concurrency::Max,
        // A batch of requests is so many at once.
        _ => Concurrency::Requests(fill.count("concurrency", fill.settings.count("batch").unwrap_or(1))),
    };
    let backend_version = release.unwrap_or_else(|| {
        fill.assume("backend_version", format!("{}.{}", backend.version.0, backend.version.1));
        backend.version
    });
    let (step_tokens, step_seqs) = step(fill, backend, rule, prompt);
    let draft = draft(fill, backend, weights)?;
    let on_host = on_host(fill, backend)?;
    let pooled = backend.pool.is_reserved();
    let infer = Infer {
        backend,
        backend_version,
        weights,
        kv: kv(fill, backend, weights),
        prompt,
        output,
        concurrency,
        memory_fraction: if pooled {
            fill.number("gpu_mem_util", fraction(fill, backend, rule, draft.as_ref().map(|draft| draft.kind)))
        } else {
            1.0
        },
        max_batched_tokens: limit(fill, "max_batched_tokens", step_tokens, pooled),
        max_seqs: limit(fill, "max_seqs", step_seqs, pooled),
        eager: if pooled { fill.switch("eager", false) } else { true },
        on_host,
        draft,
        ttft_target: fill.settings.number("ttft"),
        tpot_target: fill.settings.number("tpot"),
    };
    Ok(Settled { precision, seq, attention, work: Work::Infer(infer) })
}

/// `gpu_layers` counts the head as a layer, the last, and takes from the end. llama.cpp src/llama-model.cpp
/// `load_tensors`.
fn on_host(fill: &Fill, backend: &Backend) -> Result<OnHost, Problem> {
    for (key, part, _) in OnHost::KNOBS {
        if fill.settings.get(key).is_some() && !backend.leaves_to_host.contains(&part) {
            let message = msg!("problem-engine-host", backend = backend.name.as_str(), knob = key);
            return Err(Problem::of(key, message).suggest(["backend=llama.cpp".to_owned()]));
        }
    }
    let depth = fill.model.depth();
    let on_card = fill.settings.count("gpu_layers").unwrap_or(depth + 1);
    let experts_of = if fill.model.is_moe() { fill.settings.count("cpu_moe").unwrap_or(0) } else { 0 };
    Ok(OnHost { layers: (depth + 1).saturating_sub(on_card), experts_of: experts_of.min(depth) })
}

/// What proposes tokens, where that was asked; how many and how often they are taken as usual for its kind.
fn draft(fill: &mut Fill, backend: &Backend, weights: &'static Format) -> Result<Option<Draft>, Problem> {
    let Some(word) = fill.settings.text("draft").filter(|word| *word != "none") else {
        let alone = ["draft_tokens", "acceptance"].into_iter().find(|key| fill.settings.get(key).is_some());
        let needs =
            |knob| Problem::of(knob, msg!("problem-needs-draft", knob = knob)).suggest(["draft=eagle".to_owned()]);
        return alone.map_or(Ok(None), |knob| Err(needs(knob)));
    };
    let plain = fill.catalog.formats.iter().find(|format| format.name == "none").unwrap_or(weights);
    let (kind, model) = match word {
        "ngram" => (DraftKind::Ngram, None),
        "mtp" => (DraftKind::Mtp, Some((fill.model.mtp_head().map(Arc::new), weights))),
        "eagle" => (DraftKind::Eagle, Some((fill.model.eagle_head().map(Arc::new), plain))),
        id => {
            let model = small_model(fill, id)?;
            let native = model.native.quant.as_deref();
            let native = fill.catalog.formats.iter().find(|format| Some(format.name.as_str()) == native);
            let format = if weights.is_gguf() { weights } else { native.unwrap_or(plain) };
            (DraftKind::Model, Some((Some(model), format)))
        }
    };
    if !backend.drafts.contains(&kind) {
        let message = msg!("problem-engine-draft", backend = backend.name.as_str(), draft = word);
        let other = backend.drafts.last().map(|kind| format!("draft={}", kind.word()));
        return Err(Problem::of("draft", message).suggest([other.unwrap_or_else(|| "backend=vllm".to_owned())]));
    }
    let model = match model {
        Some((None, _)) => {
            let message = msg!("problem-no-draft-head", model = fill.model.id.as_str(), draft = word);
            return Err(Problem::of("draft", message).suggest(["draft=ngram".to_owned()]));
        }
        Some((Some(model), format)) => Some((model, format)),
        None => None,
    };
    let usual = fill.catalog.constants.serving.drafting(kind.word());
    let tokens = fill.count("draft_tokens", usual.map_or(1, |usual| usual.tokens as u64));
    let acceptance = fill.number("acceptance", usual.map_or(0.0, |usual| usual.acceptance));
    Ok(Some(Draft { kind, model, tokens, acceptance }))
}

/// A draft model: its tokens must be the model's.
fn small_model(fill: &Fill, id: &str) -> Result<Arc<Model>, Problem> {
    let Some(model) = fill.catalog.model(id) else {
        let unknown = knobs::no_model(id, &fill.catalog.names().model(id));
        return Err(Problem { knob: Some("draft"), ..unknown });
    };
    let (own, others) = (fill.model.vocab_size, model.vocab_size);
    // Paddings differ, vocabularies do not.
    if own.abs_diff(others) * 100 > own {
        let message = msg!("problem-draft-vocabulary", draft = id, own = others, model = own);
        return Err(Problem::of("draft", message).suggest(["draft=ngram".to_owned()]));
    }
    Ok(model.clone())
}

/// vLLM; llama.cpp for a GGUF, on a Mac, and where layers stay off the card.
fn backend(fill: &mut Fill) -> Result<&'static Backend, Problem> {
    let catalog = fill.catalog;
    let asked = fill.settings.text("quant");
    let gguf = asked.is_some_and(|name| catalog.formats.iter().any(|format| format.name == name && format.is_gguf()));
    let apple = fill.hardware.gpu.is_some_and(|gpu| gpu.vendor == Vendor::Apple);
    let hosted = OnHost::KNOBS.iter().any(|(key, ..)| fill.settings.get(key).is_some());
    let usual = if gguf || apple || hosted { "llama.cpp" } else { "vllm" };
    fill.row("backend", &catalog.backends, |row| &row.name, usual)
}

/// The checkpoint's own format; a usual mix where the engine reads GGUF only.
fn weights(fill: &mut Fill, backend: &Backend, precision: Compute) -> Result<&'static Format, Problem> {
    let formats = &fill.catalog.formats;
    let loads = |loads| backend.loads.contains(&loads);
    let native = fill.model.native.quant.as_deref().filter(|name| formats.iter().any(|format| format.name == *name));
    let plain = if precision == Compute::Fp32 { "fp32" } else { "none" };
    let usual = match native {
        _ if loads(Loads::Checkpoint) => native.unwrap_or(plain),
        Some("mxfp4") => "mxfp4_moe",
        _ => USUAL_GGUF,
    };
    let usual = formats.iter().map(|format| format.name.as_str()).find(|name| *name == usual).unwrap_or("none");
    let asked = fill.row("quant", formats, |row| &row.name, usual)?;
    // What people call the checkpoint, and what is in it.
    let meant = match (asked.name.as_str(), native) {
        ("fp8", Some(native @ ("fp8-mxfp4" | "fp8-ffn" | "fp8-experts"))) | ("nvfp4", Some(native @ "nvfp4-fp8")) => {
            native
        }
        ("mxfp4", _) if !loads(Loads::Checkpoint) => "mxfp4_moe",
        (name, _) => name,
    };
    let weights = formats.iter().find(|format| format.name == meant).unwrap_or(asked);
    let loaded = if weights.is_gguf() {
        loads(Loads::Gguf)
    } else {
        // An unquantised GGUF is the checkpoint's bytes.
        loads(Loads::Checkpoint) || weights.name == "none"
    };
    if loaded {
        return Ok(weights);
    }
    let (instead, other) = if weights.is_gguf() { ("awq", "llama.cpp") } else { (USUAL_GGUF, "vllm") };
    let message = msg!("problem-engine-format", backend = backend.name.as_str(), quant = weights.name.as_str());
    Err(Problem::of("quant", message).suggest([format!("quant={instead}"), format!("backend={other}")]))
}

/// Tokens in, out, and the longest sequence: servers take the model's own, what allocates every cell no more than usual.
fn lengths(fill: &mut Fill, backend: &Backend) -> (u64, u64, u64) {
    let asked = match fill.settings.get("seq") {
        Some(Value::Count(seq)) => Some(*seq),
        _ => None,
    };
    // A length alone asks for requests that are as long; a prompt or an output alone for the other as usual.
    let alone = asked.filter(|_| ["prompt", "output"].iter().all(|key| fill.settings.get(key).is_none()));
    let output = fill.count("output", alone.or(asked).map_or(256, |seq| (seq / 4).clamp(1, 256)));
    let prompt = match (alone, asked) {
        (Some(seq), _) => seq.saturating_sub(output).max(1),
        (None, Some(seq)) => seq.saturating_sub(output).clamp(1, 1024),
        (None, None) => 1024,
    };
    let prompt = fill.count("prompt", prompt);
    let load = prompt + output;
    let seq = asked.unwrap_or_else(|| {
        let most = fill.model.max_position.unwrap_or(USUAL_CONTEXT);
        let seq = match backend.pool {
            Pool::OfTotal | Pool::Static | Pool::OfFree | Pool::OfRest => most.max(load),
            Pool::Cells => most.min(USUAL_CONTEXT).max(load),
            Pool::Grows => load,
        };
        fill.assume("seq", seq.to_string());
        seq
    });
    (prompt, output, seq)
}

/// What the checkpoint or the engine stores keys and values in: 16 bits, unless the weights' recipe has an 8-bit cache.
/// Those with experts alone in four bits have none.
fn kv(fill: &mut Fill, backend: &Backend, weights: &Format) -> KvDtype {
    let whole = weights.compute != ComputeRate::Half && weights.name != "mxfp4";
    let narrow = weights.fp8_cache || (backend.fp8_cache && whole);
    match fill.settings.choice("kv") {
        Some(name) if name != "auto" => KvDtype { name, bits: kv_bits(name) },
        _ => {
            let name = if narrow { "fp8" } else { "auto" };
            fill.assume("kv", name);
            // `auto`: as wide as the activations.
            KvDtype { name, bits: if weights.name == "fp32" { 32.0 } else { kv_bits(name) } }
        }
    }
}

fn kv_bits(name: &str) -> f64 {
    match name {
        "fp32" => 32.0,
        "q8_0" => 8.5,
        "fp8" | "int8" => 8.0,
        "q5_0" => 5.5,
        "q5_1" => 6.0,
        "q4_1" => 5.0,
        "q4_0" | "iq4_nl" => 4.5,
        "int4" => 4.0,
        _ => 16.0,
    }
}

fn fraction(fill: &Fill, backend: &Backend, rule: &MemoryRule, draft: Option<DraftKind>) -> f64 {
    let Some(gpu) = fill.hardware.gpu.filter(|_| backend.pool == Pool::Static) else { return rule.fraction };
    let parallel = &fill.parallel;
    let ranks = if parallel.expert > 1 && fill.model.is_moe() { parallel.data } else { 1 };
    let (tensor, pipeline) = (u64::from(parallel.tensor), u64::from(parallel.pipeline));
    let fraction = static_fraction(gpu.memory, tensor * pipeline, tensor, u64::from(ranks), draft);
    (fraction * beside_images(fill.model) * 1000.0).round() / 1000.0
}

/// Share of it that SGLang leaves models with a vision tower, less for towers of more than ViT-L's `24·1024²`: of
/// Qwen's it reads the width alone. sglang/srt/server_args.py `adjust_mem_fraction_for_vlm`.
fn beside_images(model: &Model) -> f64 {
    if model.vision_parameters == 0 {
        return 1.0;
    }
    let complexity = match &model.tower {
        Some(tower) => (tower.hidden_size as f64 / 1024.0).powi(2),
        None => model.vision_parameters as f64 / (12.0 * 24.0 * 1024.0 * 1024.0),
    };
    0.95 * (1.0 - 0.1 * (complexity - 1.0)).clamp(0.8, 1.05)
}

/// An engine's limit: noted as assumed where engines have one.
fn limit(fill: &mut Fill, key: &'static str, default: u64, noted: bool) -> u64 {
    if noted { fill.count(key, default) } else { fill.settings.count(key).unwrap_or(default) }
}

/// Most prompt tokens and sequences of a step: SGLang cuts prompts by the card's memory, vLLM tells large cards by it
/// and A100s by their name, TensorRT-LLM once built its engines for a batch of whole prompts.
fn step(fill: &Fill, backend: &Backend, rule: &MemoryRule, prompt: u64) -> (u64, u64) {
    let (tokens, seqs) = (rule.max_batched_tokens, rule.max_seqs);
    if rule.batches_prompts {
        let batch = fill.settings.count("max_seqs").unwrap_or(seqs.1);
        return (batch.saturating_mul(prompt), seqs.1);
    }
    match fill.hardware.gpu {
        Some(gpu) if backend.pool == Pool::Static => (static_chunk(gpu.memory), seqs.1),
        Some(gpu) if gpu.memory.0 < rule.large_card_gib * GIB => (tokens.0, seqs.0),
        Some(gpu) if gpu.id.starts_with("a100") => rule.a100.unwrap_or((tokens.1, seqs.1)),
        _ => (tokens.1, seqs.1),
    }
}

/// `0.11.2`, `v0.8`, `2026-05`: the first two numbers.
fn version(text: &str) -> Option<Version> {
    let mut numbers = text.trim_start_matches(['v', 'b']).split(['.', '-']).map_while(|part| part.parse().ok());
    Some((numbers.next()?, numbers.next().unwrap_or(0)))
}

/// SGLang's prefill chunk and largest graph batch by the card's memory; more graphs where four ranks share a layer.
/// sglang/srt/server_args.py `_handle_gpu_memory_settings`.
fn static_sizes(card: Bytes, wide: bool) -> (u64, f64) {
    match card.0 / GIB {
        gib if gib < 20.0 => (2048, 8.0),
        gib if gib < 35.0 => (2048, if wide { 80.0 } else { 24.0 }),
        gib if gib < 60.0 => (4096, if wide { 160.0 } else { 32.0 }),
        gib if gib < 160.0 => (8192, if wide { 512.0 } else { 256.0 }),
        _ => (16_384, 512.0),
    }
}

fn static_chunk(card: Bytes) -> u64 {
    static_sizes(card, false).0
}

/// SGLang's default `mem_fraction_static`: what chunks, graphs and parallel ranks are expected to need is kept free.
///
/// `reserved = 512 + 1.5·max(chunk, 2048) + 2·graph_batch + tp·pp/8·1024` MiB, data-parallel attention 3 (of over 300
/// graphs 4.5) more for each graph of a rank, at least 10 GiB on cards of over 60 GiB, 2 GiB more for a draft head and
/// 6 for a draft model; `(memory - reserved)/memory` to three digits.
fn static_fraction(card: Bytes, ranks: u64, tensor: u64, attention_ranks: u64, draft: Option<DraftKind>) -> f64 {
    let (chunk, graphs) = static_sizes(card, tensor >= 4);
    let memory = card.0 / MIB;
    let mut reserved = 512.0 + 1.5 * chunk.max(2048) as f64 + 2.0 * graphs + ranks as f64 / 8.0 * 1024.0;
    if attention_ranks > 1 {
        reserved += graphs * attention_ranks as f64 * if graphs > 300.0 { 4.5 } else { 3.0 };
    }
    if memory > 60.0 * 1024.0 {
        reserved = reserved.max(10.0 * 1024.0);
    }
    reserved += match draft {
        Some(DraftKind::Eagle | DraftKind::Mtp) => 2048.0,
        Some(DraftKind::Model) => 6144.0,
        Some(DraftKind::Ngram) | None => 0.0,
    };
    ((memory - reserved) / memory * 1000.0).round() / 1000.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_its_first_two_numbers() {
        assert_eq!(version("0.11.2"), Some((0, 11)));
        assert_eq!(version("v0.8"), Some((0, 8)));
        assert_eq!(version("1.2.0rc6.post2"), Some((1, 2)));
        assert_eq!(version("nightly"), None);
    }

    /// SGLang's pull request 4826: 8.13 + 108.24 of 139.21 GB for Gemma 3 4B, of the 0.88 of then.
    #[test]
    fn sglang_keeps_room_for_images() {
        let share = |id: &str| beside_images(crate::catalog::Catalog::embedded().model(id).unwrap());
        assert_eq!(share("Qwen/Qwen3-32B"), 1.0);
        assert!((share("google/gemma-3-4b-it") / 0.95 - 1.0).abs() < 0.05);
        assert!((share("Qwen/Qwen3-VL-8B-Instruct") - 0.95 * 0.9734).abs() < 1e-3);
    }

    #[test]
    fn sglang_keeps_what_an_h100_needs_free() {
        // 512 + 1.5*8192 + 2*256 + 1/8*1024 = 13,440 MiB of 81,559: 0.835.
        assert_eq!(static_fraction(Bytes(81_559.0 * MIB), 1, 1, 1, None), 0.835);
    }
}
