//! The model of a line: a preset, a preset with its shape changed, `custom` with a shape of its own, or a size.

use crate::catalog::shape::{Attention, Ffn, Moe, Sliding};
use crate::catalog::{Catalog, Model, Shape};
use crate::message::Problem;
use crate::msg;
use crate::request::knobs::{self, Scope, no_model};
use crate::request::{Settings, Value};
use std::sync::Arc;

/// The largest model that is estimated.
const MAX_PARAMETERS: f64 = 1e15;
/// The widest matrix side that a generic model takes.
const WIDEST: u64 = 1 << 19;

/// The model, its shape as asked.
pub(super) fn model(settings: &Settings, catalog: &Catalog) -> Result<Arc<Model>, Problem> {
    let id = settings.text("model").ok_or_else(|| match settings.texts("model") {
        [] => Problem::of("model", msg!("problem-no-model")).suggest([knobs::of("model").example.to_owned()]),
        several => {
            Problem::of("model", msg!("problem-one-model")).suggest(several.iter().map(|id| format!("model={id}")))
        }
    })?;
    let reshaped = settings.values.keys().any(|key| knobs::find(key).is_some_and(|knob| knob.scope == Scope::Shape));
    if id == "custom" {
        return checked(custom(settings)?, id, None);
    }
    let named = named(id, catalog)?;
    if !reshaped {
        return Ok(named);
    }
    checked(changed(named.shape.clone(), settings), id, catalog.model(id).map(AsRef::as_ref))
}

/// The model of this id, or the usual one of this size.
pub(super) fn named(id: &str, catalog: &Catalog) -> Result<Arc<Model>, Problem> {
    if let Some(row) = catalog.model(id) {
        return Ok(row.clone());
    }
    let size = size(id).ok_or_else(|| no_model(id, &catalog.names().model(id)))?;
    if size > MAX_PARAMETERS {
        return Err(too_large(size));
    }
    checked(generic(size), id, None)
}

/// `7b`, `350m`, `1.5t`: a size, in parameters.
fn size(id: &str) -> Option<f64> {
    let (value, unit) = knobs::leading_number(id)?;
    let by = match unit {
        "m" => 1e6,
        "b" => 1e9,
        "t" => 1e12,
        _ => return None,
    };
    (value > 0.0 && value.is_finite()).then_some(value * by)
}

/// A dense decoder of about this many parameters, in the proportions of Llama 3: as many layers as heads of
/// 128, eight key/value heads, a gated FFN about 3.5 times as wide as the model.
fn generic(parameters: f64) -> Shape {
    let small = parameters < 2e9;
    let vocab_size = if small { 32_000 } else { 128_256 };
    let tables = if small { 1.0 } else { 2.0 };
    let head_dim = if small { 64 } else { 128 };
    let layers = |hidden: u64| (hidden / 128).clamp(4, 1000);
    let attention = |hidden: u64| {
        let heads = (hidden / head_dim).max(1);
        let kv_heads = if heads.is_multiple_of(8) { 8 } else { heads };
        (heads, kv_heads, hidden as f64 * head_dim as f64 * 2.0 * (heads + kv_heads) as f64)
    };
    let beside_ffn = |hidden: u64| {
        layers(hidden) as f64 * (attention(hidden).2 + 2.0 * hidden as f64)
            + tables * vocab_size as f64 * hidden as f64
            + hidden as f64
    };
    let with_ffn = |hidden: u64| {
        let width = (3.5 * hidden as f64).min(WIDEST as f64);
        beside_ffn(hidden) + layers(hidden) as f64 * 3.0 * hidden as f64 * width
    };
    let step = head_dim * 8;
    let widest =
        (1..=WIDEST / step).map(|n| n * step).take_while(|hidden| with_ffn(*hidden) <= parameters * 1.02).last();
    // Below eight heads, by the head.
    let hidden_size = widest.unwrap_or_else(|| {
        (1..8).map(|n| n * head_dim).take_while(|hidden| with_ffn(*hidden) <= parameters).last().unwrap_or(head_dim)
    });
    let (heads, kv_heads, _) = attention(hidden_size);
    let layers = layers(hidden_size);
    // The FFN takes what is left, so that the count is the size asked for.
    let left = (parameters - beside_ffn(hidden_size)) / (3.0 * hidden_size as f64 * layers as f64);
    let intermediate_size = ((left / 64.0).round() as u64 * 64).max(64);
    Shape {
        model_type: "llama".to_owned(),
        layers,
        hidden_size,
        vocab_size,
        tied_embeddings: small,
        attention: Attention { heads, kv_heads, head_dim, ..Attention::default() },
        ffn: Ffn { intermediate_size, ..Ffn::default() },
        ..Shape::default()
    }
}

/// What a custom shape leaves open, as most decoders have it: heads of 128 features (64 in narrow models); a gated FFN
/// of 8/3 of the width, which has as many parameters as a plain one of four times the width (Shazeer 2020, "GLU
/// Variants", §3), in steps of 256; Llama's first vocabulary.
pub(super) fn usual_shape(settings: &Settings) -> Vec<(&'static str, u64)> {
    let Some(hidden) = settings.count("hidden").filter(|_| settings.text("model") == Some("custom")) else {
        return vec![];
    };
    let head_dim = settings.count("head_dim").unwrap_or(if hidden < 2048 { 64 } else { 128 }).max(1);
    let ffn = match settings.switch("gated") {
        Some(false) => hidden.saturating_mul(4),
        Some(true) | None => (hidden.saturating_mul(8) / 3).next_multiple_of(256),
    };
    let usual = [("heads", (hidden / head_dim).max(1)), ("ffn", ffn), ("vocab", 32_000)];
    let dense = settings.get("experts").is_none();
    usual.into_iter().filter(|(key, _)| settings.get(key).is_none() && (*key != "ffn" || dense)).collect()
}

fn custom(settings: &Settings) -> Result<Shape, Problem> {
    let width = settings.get("experts").map(|_| "expert_ffn");
    let needed = ["layers", "hidden"].into_iter().chain(width);
    let missing: Vec<&str> = needed.filter(|key| settings.get(key).is_none()).collect();
    if !missing.is_empty() {
        let words = missing.iter().filter_map(|key| Some(knobs::find(key)?.example.to_owned()));
        let missing = missing.iter().map(|key| (*key).to_owned()).collect::<Vec<_>>();
        return Err(Problem::of("model", msg!("problem-custom-lacks", missing = missing)).suggest(words));
    }
    let mut whole = settings.clone();
    whole.values.extend(usual_shape(settings).into_iter().map(|(key, value)| (key, Value::Count(value))));
    let settings = &whole;
    let mut shape = Shape { model_type: "llama".to_owned(), ..Shape::default() };
    shape.hidden_size = settings.count("hidden").unwrap_or(0);
    shape.attention.heads = settings.count("heads").unwrap_or(1);
    shape.attention.kv_heads = shape.attention.heads;
    shape.attention.head_dim = shape.hidden_size / shape.attention.heads;
    if settings.get("head_dim").is_none() && !shape.hidden_size.is_multiple_of(shape.attention.heads) {
        return Err(Problem::of(
            "heads",
            msg!("problem-heads-of-hidden", heads = shape.attention.heads, hidden = shape.hidden_size),
        )
        .suggest(["head_dim=128".to_owned()]));
    }
    Ok(changed(shape, settings))
}

/// A shape with the shape knobs of a line put over it.
fn changed(mut shape: Shape, settings: &Settings) -> Shape {
    let put = |key: &str, place: &mut u64| {
        if let Some(value) = settings.count(key) {
            *place = value;
        }
    };
    if settings.get("heads").is_some() && settings.get("kv_heads").is_none() {
        put("heads", &mut shape.attention.kv_heads);
    }
    put("layers", &mut shape.layers);
    put("hidden", &mut shape.hidden_size);
    put("vocab", &mut shape.vocab_size);
    put("heads", &mut shape.attention.heads);
    put("kv_heads", &mut shape.attention.kv_heads);
    put("head_dim", &mut shape.attention.head_dim);
    put("ffn", &mut shape.ffn.intermediate_size);
    if let Some(gated) = settings.switch("gated") {
        shape.ffn.gated = gated;
    }
    if let Some(tied) = settings.switch("tied") {
        shape.tied_embeddings = tied;
    }
    if settings.get("experts").is_some() && shape.moe.is_none() {
        shape.moe = Some(Moe { top_k: 2, intermediate_size: shape.ffn.intermediate_size, ..Moe::default() });
    }
    if let Some(moe) = &mut shape.moe {
        put("experts", &mut moe.experts);
        put("top_k", &mut moe.top_k);
        put("expert_ffn", &mut moe.intermediate_size);
        put("dense_layers", &mut moe.dense_layers);
        if let Some(shared) = settings.count("shared_experts") {
            moe.shared_intermediate_size = shared.saturating_mul(moe.intermediate_size);
        }
    }
    if let Some(rank) = settings.count("kv_lora_rank") {
        // `head_dim` of latent attention is its part without rotation and its rotated part together.
        let rope = settings.count("rope_head_dim").unwrap_or(64);
        shape.attention.kv_lora_rank = Some(rank);
        shape.attention.rope_head_dim = rope;
        shape.attention.nope_head_dim = shape.attention.head_dim.saturating_sub(rope).max(1);
        shape.attention.value_head_dim = Some(shape.attention.nope_head_dim);
    } else {
        put("rope_head_dim", &mut shape.attention.rope_head_dim);
    }
    if let Some(window) = settings.count("sliding_window") {
        shape.sliding = Sliding { window: Some(window), ..shape.sliding };
        if shape.pattern.is_empty() {
            shape.pattern = "sliding".to_owned();
        }
    }
    shape
}

/// The model of a shape, if there can be one.
fn checked(shape: Shape, id: &str, row: Option<&Model>) -> Result<Arc<Model>, Problem> {
    let (heads, kv_heads) = (shape.attention.heads, shape.attention.kv_heads);
    if heads > 0 && kv_heads > 0 && !heads.is_multiple_of(kv_heads) {
        return Err(Problem::of("kv_heads", msg!("problem-kv-heads", kv_heads = kv_heads, heads = heads))
            .suggest([format!("kv_heads={heads}")]));
    }
    if let Some(moe) = &shape.moe {
        if moe.top_k > moe.experts {
            return Err(Problem::of("top_k", msg!("problem-top-k", top_k = moe.top_k, experts = moe.experts))
                .suggest([format!("top_k={}", moe.experts)]));
        }
        if moe.dense_layers > shape.layers {
            return Err(Problem::of(
                "dense_layers",
                msg!("problem-dense-layers", dense_layers = moe.dense_layers, layers = shape.layers),
            ));
        }
    }
    // In floating point, before anything is counted in whole numbers.
    let parameters = bound(&shape);
    // The bound is loose by the gate of a plain FFN and by tied embeddings.
    if parameters > 1.5 * MAX_PARAMETERS {
        return Err(too_large(parameters));
    }
    let mut model = Model::of(shape).map_err(|fault| {
        let knob = knobs::find(&fault).map_or("model", |knob| knob.key);
        Problem::of(knob, msg!("problem-shape", fault = fault))
    })?;
    id.clone_into(&mut model.id);
    if let Some(row) = row {
        model.family.clone_from(&row.family);
        model.native.clone_from(&row.native);
    }
    Ok(Arc::new(model))
}

fn too_large(parameters: f64) -> Problem {
    Problem::of("model", msg!("problem-model-too-large", parameters = parameters, most = MAX_PARAMETERS))
}

/// More parameters than a shape can have.
fn bound(shape: &Shape) -> f64 {
    let hidden = shape.hidden_size as f64;
    let attention = &shape.attention;
    let ranks = attention.kv_lora_rank.unwrap_or(0) + attention.q_lora_rank.unwrap_or(0);
    let mixer =
        4.0 * (hidden + ranks as f64) * attention.heads as f64 * (attention.head_dim + attention.rope_head_dim) as f64;
    let dense = 3.0 * hidden * shape.ffn.intermediate_size as f64;
    let experts = shape.moe.as_ref().map_or(0.0, |moe| {
        let width = moe.experts as f64 * (moe.intermediate_size as f64 + 1.0) + moe.shared_intermediate_size as f64;
        3.0 * hidden * width
    });
    shape.layers as f64 * (mixer + dense + experts) + 2.0 * shape.vocab_size as f64 * hidden
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_generic_model_has_the_size_asked_for() {
        for parameters in [3e7, 1.25e8, 5e8, 1.5e9, 3e9, 7e9, 8e9, 13e9, 34e9, 70e9, 180e9, 1e12, 1e15] {
            let model = Model::of(generic(parameters)).expect("a plain shape");
            let off = model.counts.total as f64 / parameters - 1.0;
            assert!(off.abs() < 0.02, "{parameters}: {} of hidden {}", model.counts.total, model.hidden_size);
        }
    }

    #[test]
    fn a_generic_8b_is_shaped_as_llama_3() {
        let shape = generic(8.03e9);
        assert_eq!((shape.layers, shape.hidden_size, shape.attention.kv_heads), (32, 4096, 8));
        assert!(shape.ffn.intermediate_size.abs_diff(14_336) <= 64, "{}", shape.ffn.intermediate_size);
    }
}
