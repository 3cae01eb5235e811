//! A model's `config.json`: its shape, and the catalog's model where it is one.

use super::Kind;
use super::draft::Draft;
use super::tree::scalar;
use crate::catalog::model::{Counts, LayerKind, Mixer, Model};
use crate::catalog::{Catalog, MissingFields};
use crate::message::Problem;
use crate::msg;
use crate::request::Verb;
use crate::request::knobs::KNOBS;
use serde_json::{Map, Value};

const BF16: f64 = 2.0;

pub fn read(tree: &Map<String, Value>, catalog: &Catalog) -> Option<Result<Draft, Problem>> {
    let inner = ["text_config", "llm_config", "language_config", "thinker_config"]
        .iter()
        .find_map(|key| tree.get(*key)?.as_object());
    let fields = inner.unwrap_or(tree);
    let marks = [
        "model_type",
        "architectures",
        "hidden_size",
        "n_embd",
        "d_model",
        "num_hidden_layers",
        "n_layer",
        "num_attention_heads",
        "vocab_size",
    ];
    let described = marks.iter().filter(|mark| fields.contains_key(**mark) || tree.contains_key(**mark)).count() >= 2;
    let of_model = tree.contains_key("model_type")
        || tree.contains_key("architectures")
        || fields.contains_key("num_hidden_layers")
        || fields.contains_key("n_layer");
    if !described || !of_model {
        return None;
    }
    let mut model = match Model::from_config(&Value::Object(tree.clone())) {
        Ok(model) => model,
        Err(MissingFields(impossible))
            if impossible.iter().all(|field| KNOBS.iter().any(|knob| knob.key == *field)) =>
        {
            return Some(Err(Problem::of("model", msg!("paste-config-impossible", field = impossible.join(", ")))));
        }
        Err(missing) => {
            let fields: Vec<String> = missing.0.iter().map(|field| (*field).to_owned()).collect();
            return Some(Err(Problem::of("model", msg!("paste-config-lacks", fields = fields))));
        }
    };
    let known = known(&model, tree, catalog);
    if let Some(row) = known.filter(|row| row.vision_parameters > 0 && model.vision_parameters > 0) {
        // A published count is exact where one by the tower's widths is near.
        model.counts.total = model.counts.total - model.vision_parameters + row.vision_parameters;
    }
    let mut draft = Draft::new(Kind::HfConfig, Verb::Infer);
    facts(&mut draft, &model, fields);
    match known {
        Some(row) => draft.model = Some(row.id.clone()),
        None => custom(&mut draft),
    }
    let packed = ["quantization_config", "compression_config"]
        .iter()
        .find_map(|key| tree.get(*key).or_else(|| fields.get(*key)).and_then(Value::as_object));
    if let Some(packed) = packed {
        if let Some(quant) = quantised(packed) {
            draft.set("quant", quant);
        }
        if caches_fp8(packed) {
            draft.set("kv", "fp8");
        }
    }
    Some(Ok(draft))
}

/// Entries that padding or added tokens put on a vocabulary.
const PADDING: u64 = 256;

/// The catalog's model of this very shape: by the name the file gives, else the most wanted of those alike.
fn known<'a>(model: &Model, tree: &Map<String, Value>, catalog: &'a Catalog) -> Option<&'a Model> {
    // Of the whole configuration: the language part of many is a `llama`.
    let model_type = tree.get("model_type").and_then(Value::as_str).unwrap_or_default();
    let same_type = |other: &Model| other.shape.model_type == model_type;
    // Towers of other families around one language model differ by much more.
    let sees_alike =
        |other: &Model| model.vision_parameters.abs_diff(other.vision_parameters) * 20 < other.vision_parameters;
    let alike = |other: &Model| {
        let (a, b) = (&model.counts, &other.counts);
        let shape = |model: &Model| (model.depth(), model.shape.hidden_size, model.shape.tied_embeddings);
        let body = |counts: &Counts| counts.active - counts.embedding - counts.lm_head;
        shape(model) == shape(other)
            && model.shape.vocab_size.abs_diff(other.shape.vocab_size) <= PADDING
            && body(a) == body(b)
            && a.layer_linears == b.layer_linears
            && a.routed_experts == b.routed_experts
            && (model.vision_parameters == 0 || same_type(other) || sees_alike(other))
    };
    let name = tree.get("_name_or_path").and_then(Value::as_str);
    let named = name.and_then(|name| catalog.model(&catalog.names().model(name).id?)).map(AsRef::as_ref);
    if let Some(row) = named.filter(|row| alike(row)) {
        return Some(row);
    }
    let rank = |row: &&Model| {
        let same_vocabulary = model.shape.vocab_size == row.shape.vocab_size;
        let same_length = model.shape.max_position == row.shape.max_position;
        let sees_more = model.vision_parameters == 0 && row.vision_parameters > 0;
        let rank = catalog.names().rank(&row.id);
        (!same_vocabulary, !same_type(row), sees_more, !same_length, row.native.quant.is_some(), rank)
    };
    catalog.models().map(AsRef::as_ref).filter(|row| alike(row)).min_by_key(rank)
}

/// Every figure of the shape by its name.
fn facts(draft: &mut Draft, model: &Model, fields: &Map<String, Value>) {
    let shape = &model.shape;
    let raw = |names: &[&str]| names.iter().find_map(|name| fields.get(*name)?.as_u64());
    let latent = shape.attention.kv_lora_rank.is_some();
    // Where layers differ, what the file says of most.
    let head_dim = match raw(&["head_dim"]) {
        _ if latent => shape.attention.nope_head_dim + shape.attention.rope_head_dim,
        Some(stated) => stated,
        None => shape.attention.head_dim,
    };
    let mut put = |name: &str, value: u64| {
        if value > 0 {
            draft.fact(name, value);
        }
    };
    put("layers", model.depth());
    put("hidden", shape.hidden_size);
    put("heads", shape.attention.heads);
    put("kv_heads", raw(&["num_key_value_heads"]).unwrap_or(shape.attention.kv_heads));
    put("head_dim", head_dim);
    put(
        "ffn",
        raw(&["intermediate_size", "ffn_dim", "n_inner", "ffn_hidden_size", "d_ff", "inner_dim"])
            .unwrap_or(shape.ffn.intermediate_size),
    );
    put("vocab", shape.vocab_size);
    if let Some(moe) = &shape.moe {
        put("experts", moe.experts);
        put("top_k", moe.top_k);
        put("expert_ffn", moe.intermediate_size);
        put(
            "shared_experts",
            raw(&["n_shared_experts", "num_shared_experts"]).unwrap_or(u64::from(moe.shared_intermediate_size > 0)),
        );
        put("dense_layers", moe.dense_layers);
    }
    put("kv_lora_rank", shape.attention.kv_lora_rank.unwrap_or(0));
    put("rope_head_dim", if latent { shape.attention.rope_head_dim } else { 0 });
    put("sliding_window", model.layers.iter().filter_map(|kind| window(&kind.mixer)).max().unwrap_or(0));
    let attends = |kind: &&LayerKind| kind.mixer.cached() > 0.0;
    put("attention_layers", model.layers.iter().filter(attends).map(|kind| kind.count).sum());
    let cached: f64 = model.layers.iter().map(|kind| kind.count as f64 * kind.mixer.cached()).sum();
    put("kv_bytes_per_token_bf16", (cached * BF16) as u64);
    put("params_total", model.counts.total);
    draft.fact("tied", shape.tied_embeddings);
}

fn window(mixer: &Mixer) -> Option<u64> {
    match mixer {
        Mixer::Attention { window, .. } | Mixer::Latent { window, .. } => *window,
        Mixer::Compressed { window, .. } => Some(*window),
        Mixer::Parallel(one, other) => self::window(one).or_else(|| self::window(other)),
        Mixer::Linear { .. } | Mixer::Mamba { .. } | Mixer::None => None,
    }
}

/// The same shape as knobs of a line.
fn custom(draft: &mut Draft) {
    draft.model = Some("custom".to_owned());
    for (name, value) in draft.facts.clone() {
        let knob = CUSTOM.iter().find(|knob| **knob == name);
        match (knob, &value) {
            (Some(knob), Value::Bool(on)) => draft.set(knob, if *on { "on" } else { "off" }),
            (Some(knob), value) => draft.set(knob, scalar(value).unwrap_or_default()),
            (None, _) => {}
        }
    }
}

/// Shape knobs that a line takes.
const CUSTOM: &[&str] = &[
    "layers",
    "hidden",
    "heads",
    "kv_heads",
    "head_dim",
    "ffn",
    "vocab",
    "tied",
    "experts",
    "top_k",
    "expert_ffn",
    "shared_experts",
    "dense_layers",
    "kv_lora_rank",
    "rope_head_dim",
    "sliding_window",
];

/// `quantization_config` of a checkpoint, as a row of formats is called.
fn quantised(config: &Map<String, Value>) -> Option<&'static str> {
    let bits = config.get("bits").or_else(|| config.get("w_bit")).and_then(Value::as_u64);
    let flag = |name: &str| config.get(name).and_then(Value::as_bool) == Some(true);
    let method = config.get("quant_method").and_then(Value::as_str).unwrap_or_default();
    Some(match method {
        "awq" => "awq",
        "gptq" | "auto-round" | "intel/auto-round" if bits == Some(8) => "gptq-int8",
        "gptq" | "auto-round" | "intel/auto-round" => "gptq-int4",
        "bitsandbytes" if flag("load_in_8bit") || flag("_load_in_8bit") => "bnb-int8",
        "bitsandbytes" => "bnb-nf4",
        "fp8" | "fbgemm_fp8" => "fp8",
        "mxfp4" => "mxfp4",
        "eetq" => "int8",
        _ => return algorithm(config).or_else(|| groups(config)),
    })
}

/// ModelOpt's name of it.
fn algorithm(config: &Map<String, Value>) -> Option<&'static str> {
    let name = config.get("quant_algo").and_then(Value::as_str)?;
    Some(match name {
        name if name.contains("NVFP4") => "nvfp4",
        name if name.contains("FP8") => "fp8",
        "W4A16_AWQ" => "awq",
        _ => return None,
    })
}

/// What compressed-tensors says of the weights.
fn groups(config: &Map<String, Value>) -> Option<&'static str> {
    let group = config.get("config_groups")?.as_object()?.values().next()?;
    let weights = group.get("weights")?;
    let count = |name: &str| weights.get(name).and_then(Value::as_u64);
    let activations = group.get("input_activations").is_some_and(Value::is_object);
    Some(match (weights.get("type")?.as_str()?, count("num_bits")?, count("group_size")) {
        ("float", 8, _) => "fp8",
        ("float", 4, Some(32)) => "mxfp4",
        ("float", 4, _) => "nvfp4",
        ("int", 8, _) if activations => "w8a8",
        ("int", 8, _) => "int8",
        ("int", 4, Some(32)) => "int4-g32",
        ("int", 4, _) => "int4",
        _ => return None,
    })
}

/// Whether a checkpoint wants its cache in 8 bits.
fn caches_fp8(config: &Map<String, Value>) -> bool {
    let scheme = config.get("kv_cache_scheme").or_else(|| config.get("kv_cache_quant_algo"));
    scheme.is_some_and(|scheme| scheme == "FP8" || scheme.get("num_bits").and_then(Value::as_u64) == Some(8))
}
