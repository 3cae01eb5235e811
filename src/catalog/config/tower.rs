//! The vision tower of a multimodal configuration, as a count.
//!
//! A vision transformer by its widths, its patch embedding and the projector to the language model. Families differ in
//! biases and norms, so the count is within a few percent of the tower, a fraction of a percent of the model. Knows no
//! audio towers and no cross attention.

use super::fields::Config;
use crate::catalog::shape::{MOST_LAYERS, WIDEST};

/// `depth · (4h² + 2·h·i)` for `h` hidden and `i` intermediate size, three times `h·i` where gated; patches of
/// `3·p²·t` values; after merging `m²` patches a projector `(m²h)² + m²h·T` to the text's hidden size `T`, one more for
/// each layer whose features join deeper; without merging `h·T`, with a second layer `T²` more.
pub(super) fn parameters(config: &Config, text_hidden: u64) -> Option<u64> {
    let vision = ["vision_config", "visual", "vision_tower_config"].iter().find_map(|key| config.within(key))?;
    // Qwen2-VL's `hidden_size` is that of the text.
    let hidden = vision.count(&["embed_dim", "hidden_size", "vt_hidden_size", "width"])?;
    let depth = vision.count(&["depth", "num_hidden_layers", "vt_num_hidden_layers", "layers", "num_layers"])?;
    let plausible = hidden.max(text_hidden) <= WIDEST && depth <= MOST_LAYERS;
    let ratio = vision.number("mlp_ratio").unwrap_or(4.0);
    let intermediate = vision.count(&["intermediate_size", "vt_intermediate_size"]);
    let intermediate = intermediate.unwrap_or((hidden as f64 * ratio) as u64);
    if !plausible || intermediate > WIDEST {
        return None;
    }
    let matrices = if vision.text("hidden_act") == Some("silu") { 3 } else { 2 };
    let layer = 4 * hidden * hidden + matrices * hidden * intermediate + 9 * hidden + intermediate;

    let patch = vision.count(&["patch_size"]).unwrap_or(14).clamp(1, 256);
    let patches = 3 * patch * patch * vision.count(&["temporal_patch_size"]).unwrap_or(1).min(16) * hidden + hidden;
    let rotary = vision.text("position_embedding_type") == Some("rope") || vision.has("rope_theta");
    let grid = vision.count(&["image_size"]).filter(|_| !rotary).map(|side| (side / patch).pow(2));
    let square = vision.count(&["init_pos_emb_height"]).map(|side| side * side);
    let positions = vision.count(&["num_position_embeddings", "position_embedding_size"]).or(square).or(grid);

    // LLaVA's projector has two layers, Gemma's one.
    let plain = hidden * text_hidden + if config.has("projector_hidden_act") { text_hidden * text_hidden } else { 0 };
    let merged = |side: u64| hidden * side.min(8).pow(2);
    let merges_inside = vision.count(&["spatial_merge_size", "merge_kernel_size"]).map(merged);
    let projector = match (merges_inside, config.count(&["spatial_merge_size"]).map(merged)) {
        (Some(merged), _) => {
            let deeper = vision.list("deepstack_visual_indexes").map_or(0, |layers| layers.len() as u64);
            let norms = 2 * hidden + deeper * 2 * merged;
            (1 + deeper) * (merged + 1) * (merged + text_hidden) + norms
        }
        // Pixtral merges back to the tower's width.
        (None, Some(merged)) => merged * hidden + plain,
        (None, None) => plain,
    };
    Some(depth * layer + patches + positions.unwrap_or(0) * hidden + projector)
}
