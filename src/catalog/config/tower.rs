//! The vision tower of a multimodal configuration, as a count.
//!
//! A vision transformer by its widths, its patch embedding and the projector to the language model. Exact for the
//! families in `presets/towers.toml`; others are within a few percent of the tower, a fraction of a percent of the
//! model. An audio tower is counted as Whisper's encoder. Knows no cross attention.

use super::fields::Config;
use crate::catalog::Catalog;
use crate::catalog::model::Norm;
use crate::catalog::shape::{MOST_LAYERS, WIDEST};
use serde::Deserialize;

/// What a family's tower has. A row of `presets/towers.toml`.
#[derive(Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Tower {
    pub model_types: Vec<String>,
    norm: Norm,
    /// Of attention and MLP.
    bias: bool,
    gated: bool,
    patch_bias: bool,
    class_token: bool,
    layer_scale: bool,
    /// A row of its own between the lines of an image.
    newline: bool,
    /// Norms before and after the layers.
    ends: u64,
    /// Side of an image in pixels, where the configuration leaves it unsaid.
    image_size: Option<u64>,
    /// Where the width of the MLP stands, if not where most have it.
    mlp_field: Option<String>,
    projector: Option<Projector>,
}

impl Default for Tower {
    fn default() -> Self {
        Self {
            model_types: vec![],
            norm: Norm::Layer,
            bias: true,
            gated: false,
            patch_bias: true,
            class_token: false,
            layer_scale: false,
            newline: false,
            ends: 0,
            image_size: None,
            mlp_field: None,
            projector: None,
        }
    }
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Projector {
    kind: Kind,
    #[serde(default = "yes")]
    bias: bool,
    /// On what comes out of the tower; after merging where the kind is `mlp` and nothing else merges.
    #[serde(default)]
    norm: Option<Norm>,
    /// A matrix of its own brings merged patches back to the tower's width.
    #[serde(default)]
    merges: bool,
}

const fn yes() -> bool {
    true
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Kind {
    Linear,
    /// By the width of the language model, or by one that the configuration gives.
    Mlp,
    /// By the width of the merged patches; once more for each layer whose features join deeper (Qwen-VL).
    Merger,
    /// By widths that the configuration gives (Llama 4).
    Adapter,
    /// A strided convolution, a linear, a norm and a gated MLP of the language model's width (GLM-V).
    Glm,
}

/// Widths of a matrix with a bias beside it, perhaps.
fn linear(from: u64, to: u64, bias: bool) -> u64 {
    from * to + if bias { to } else { 0 }
}

const fn norm(norm: Norm, width: u64) -> u64 {
    match norm {
        Norm::Layer => 2 * width,
        Norm::Rms | Norm::LayerNoBias => width,
        Norm::Plain => 0,
    }
}

/// Of all towers.
pub(super) fn parameters(config: &Config, text_hidden: u64) -> u64 {
    seeing(config, text_hidden).unwrap_or(0) + hearing(config, text_hidden).unwrap_or(0)
}

/// Whisper's encoder of width `h`: `depth · (4h² + 2·h·i)`, two convolutions over three frames, a table of positions;
/// and a linear to the text's hidden size.
fn hearing(config: &Config, text_hidden: u64) -> Option<u64> {
    let audio = config.within("audio_config")?;
    let hidden = audio.count(&["d_model", "hidden_size"])?;
    let depth = audio.count(&["encoder_layers", "num_hidden_layers"])?;
    let intermediate = audio.count(&["encoder_ffn_dim", "intermediate_size"])?;
    let mels = audio.count(&["num_mel_bins"])?;
    if hidden.max(text_hidden).max(intermediate).max(mels) > WIDEST || depth > MOST_LAYERS {
        return None;
    }
    let mlp = linear(hidden, intermediate, true) + linear(intermediate, hidden, true);
    let layer = 3 * linear(hidden, hidden, true) + linear(hidden, hidden, false) + mlp + 2 * norm(Norm::Layer, hidden);
    let convolutions = linear(3 * mels, hidden, true) + linear(3 * hidden, hidden, true);
    let positions = audio.count(&["max_source_positions"]).unwrap_or(0).min(WIDEST) * hidden;
    Some(depth * layer + convolutions + positions + norm(Norm::Layer, hidden) + linear(hidden, text_hidden, true))
}

/// `depth · (4h² + 2·h·i)` for `h` hidden and `i` intermediate size, three times `h·i` where gated; patches of
/// `3·p²·t` values; and a projector from `m²` merged patches to the text's hidden size.
fn seeing(config: &Config, text_hidden: u64) -> Option<u64> {
    let vision = ["vision_config", "visual", "vision_tower_config"].iter().find_map(|key| config.within(key))?;
    let plain = Tower::default();
    let row = config.text("model_type").and_then(|model_type| Catalog::embedded().tower(model_type));
    let tower = row.unwrap_or(&plain);
    // Qwen2-VL's `hidden_size` is that of the text.
    let hidden = vision.count(&["embed_dim", "hidden_size", "vt_hidden_size", "width"])?;
    let depth = vision.count(&["depth", "num_hidden_layers", "vt_num_hidden_layers", "layers", "num_layers"])?;
    let ratio = vision.number("mlp_ratio").unwrap_or(4.0);
    let own = tower.mlp_field.as_deref().and_then(|field| vision.count(&[field]));
    let stated = own.or_else(|| vision.count(&["intermediate_size", "vt_intermediate_size"]));
    let intermediate = stated.unwrap_or((hidden as f64 * ratio) as u64);
    if hidden.max(text_hidden).max(intermediate) > WIDEST || depth > MOST_LAYERS {
        return None;
    }
    let gated = tower.gated || (row.is_none() && vision.text("hidden_act") == Some("silu"));
    let mlp =
        linear(hidden, intermediate, tower.bias) * if gated { 2 } else { 1 } + linear(intermediate, hidden, tower.bias);
    let scales = if tower.layer_scale { 2 * hidden } else { 0 };
    let qkv_bias = vision.flag(&["attention_bias", "qkv_bias"]).unwrap_or(tower.bias);
    let heads = vision.count(&["num_heads", "num_attention_heads"]).unwrap_or(1).max(1);
    let key = hidden / heads * vision.count(&["num_key_value_heads"]).unwrap_or(heads).min(heads);
    let qkv = linear(hidden, hidden, qkv_bias) + 2 * linear(hidden, key, qkv_bias);
    let layer = qkv + linear(hidden, hidden, tower.bias) + mlp + 2 * norm(tower.norm, hidden) + scales;

    let patch = vision.count(&["patch_size"]).unwrap_or(14).clamp(1, 256);
    let values = 3 * patch * patch * vision.count(&["temporal_patch_size"]).unwrap_or(1).min(16);
    let class_token = u64::from(tower.class_token);
    let rotary = vision.text("position_embedding_type") == Some("rope") || vision.has("rope_theta");
    let side = vision.count(&["image_size"]).or(tower.image_size).filter(|_| !rotary).map(|side| side.min(WIDEST));
    let grid = side.map(|side| (side / patch).pow(2) + class_token);
    let square = vision.count(&["init_pos_emb_height"]).map(|side| side.min(WIDEST).pow(2));
    let positions = vision.count(&["num_position_embeddings", "position_embedding_size"]).or(square).or(grid);
    let ends = tower.ends * norm(tower.norm, hidden);
    let embedding = linear(values, hidden, tower.patch_bias) + (class_token + positions.unwrap_or(0)) * hidden + ends;

    Some(depth * layer + embedding + projector(config, &vision, tower, hidden, text_hidden))
}

/// Patches on a side that are merged to one.
fn merged_side(config: &Config, vision: &Config) -> Option<u64> {
    let sides = ["spatial_merge_size", "merge_kernel_size", "scale_factor"];
    let shares = [vision.number("pixel_shuffle_ratio"), config.number("downsample_ratio")];
    let share = shares.into_iter().flatten().find(|share| *share > 0.0).map(|share| (1.0 / share).round() as u64);
    vision.count(&sides).or_else(|| config.count(&sides)).or(share).map(|side| side.clamp(1, 8))
}

fn projector(config: &Config, vision: &Config, tower: &Tower, hidden: u64, text: u64) -> u64 {
    let merges_inside = vision.has("spatial_merge_size") || vision.has("merge_kernel_size");
    let read = Projector {
        // LLaVA's has two layers, Gemma's one.
        kind: match (merges_inside, config.has("projector_hidden_act")) {
            (true, _) => Kind::Merger,
            (false, true) => Kind::Mlp,
            (false, false) => Kind::Linear,
        },
        bias: true,
        norm: merges_inside.then_some(Norm::Layer),
        merges: false,
    };
    let Projector { kind, bias, norm: kind_of_norm, merges } = tower.projector.unwrap_or(read);
    let merged = hidden * merged_side(config, vision).unwrap_or(1).pow(2);
    let from = if merges { hidden } else { merged };
    let normed = |width| kind_of_norm.map_or(0, |kind| norm(kind, width));
    let merging = if merges { linear(merged, hidden, false) } else { 0 };
    let newline = if tower.newline { text } else { 0 };
    let width = |key: &str| vision.count(&[key]).unwrap_or(text).min(WIDEST);
    merging
        + newline
        + match kind {
            Kind::Linear => normed(hidden) + linear(from, text, bias),
            Kind::Mlp => {
                let middle = config.count(&["projector_hidden_size"]).unwrap_or(text).min(WIDEST);
                normed(from) + linear(from, middle, bias) + linear(middle, text, bias)
            }
            Kind::Merger => {
                let deeper = vision.list("deepstack_visual_indexes").map_or(0, |layers| layers.len() as u64);
                let layers = linear(from, from, bias) + linear(from, text, bias);
                normed(hidden) + layers + deeper * (normed(from) + layers)
            }
            Kind::Adapter => {
                let (middle, out) = (width("projector_input_dim"), width("projector_output_dim"));
                linear(from, middle, bias) + linear(middle, out, bias) + linear(out, text, bias)
            }
            Kind::Glm => {
                let gated = 3 * text * width("intermediate_size");
                linear(from, text, true) + linear(text, text, false) + norm(Norm::Layer, text) + gated
            }
        }
}
