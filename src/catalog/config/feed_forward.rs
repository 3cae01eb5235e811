//! Dense and routed FFNs.

use super::fields::Config;
use crate::catalog::Shape;
use crate::catalog::shape::{Moe, WIDEST};
use serde_json::Value;

pub(super) fn feed_forward(config: &Config, shape: &mut Shape) {
    let width = config.count(&[
        "intermediate_size",
        "ffn_dim",
        "n_inner",
        "d_ff",
        "ffn_hidden_size",
        "inner_size",
        "encoder_ffn_dim",
    ]);
    // Two matrices of four times the hidden size where nothing is said; no such custom holds for gated FFNs.
    let ratio = config.count(&["expansion_ratio"]).unwrap_or(if shape.ffn.gated { 0 } else { 4 });
    shape.ffn.intermediate_size = config
        .count(&["intermediate_size_mlp", "dense_intermediate_size", "block_ff_dim"])
        .or(width)
        .or_else(|| scaled(config, shape.hidden_size))
        .unwrap_or(ratio * shape.hidden_size);
    if config.flag(&["block_auto_adjust_ff_dim"]) == Some(true) {
        // LFM2 states the width of an ungated FFN of equal size.
        let by = config.number("block_ffn_dim_multiplier").unwrap_or(1.0);
        let scaled = ((shape.ffn.intermediate_size * 2 / 3) as f64 * by) as u64;
        shape.ffn.intermediate_size = scaled.next_multiple_of(config.count(&["block_multiple_of"]).unwrap_or(1).max(1));
    }
    if matches!(shape.model_type.as_str(), "molmo" | "qwen" | "recurrent_gemma") {
        // Their `intermediate_size` counts both halves of the gated projection.
        shape.ffn.intermediate_size /= 2;
    }
    shape.ffn.bias = config.flag(&["mlp_bias"]).unwrap_or(shape.ffn.bias);
    shape.ffn.wide_where_shared = config.flag(&["use_double_wide_mlp"]).unwrap_or(false);

    let nested = config.within("ffn_config");
    let experts = config
        .count(&[
            "n_routed_experts",
            "num_experts",
            "num_local_experts",
            "moe_num_experts",
            "num_routed_experts",
            "num_moe_experts",
        ])
        .or_else(|| nested.as_ref()?.count(&["moe_num_experts"]));
    let shared_width = config.count(&[
        "shared_expert_intermediate_size",
        "moe_shared_expert_intermediate_size",
        "share_expert_dim",
        "shared_intermediate_size",
    ]);
    let Some(experts) = experts.filter(|&experts| experts > 1) else {
        shape.moe = None;
        if experts == Some(0) {
            // Granite 4's dense models have the shared expert alone.
            shape.ffn.intermediate_size = shared_width.unwrap_or(shape.ffn.intermediate_size);
        }
        return;
    };
    let top_k = config
        .count(&[
            "num_experts_per_tok",
            "num_experts_per_token",
            "moe_top_k",
            "moe_k",
            "moe_topk",
            "experts_per_token",
            "top_k_experts",
            "num_selected_experts",
            "num_activated_experts",
        ])
        .or_else(|| nested.as_ref()?.count(&["moe_top_k"]));
    let expert_width = config
        .count(&["moe_intermediate_size", "expert_ffn_hidden_size", "moe_ffn_hidden_size", "expert_intermediate_size"])
        .or_else(|| nested.as_ref()?.count(&["ffn_hidden_size"]))
        .or(width)
        .unwrap_or(0);
    let shared =
        config.count(&["n_shared_experts", "num_shared_experts", "moe_num_shared_experts", "num_shared_expert"]);
    // Llama 4 has one shared expert of an expert's width without saying so.
    let unsaid = if config.has("interleave_moe_layer_step") { expert_width } else { 0 };
    let implied = shape.moe.take().unwrap_or_default();
    let routing = config.flag(&["use_routing_bias", "use_moe_router_bias", "moe_router_enable_expert_bias"]);
    let corrected = config.text("topk_method") == Some("noaux_tc");
    let (every, offset) = spacing(config);
    shape.moe = Some(Moe {
        experts,
        top_k: top_k.unwrap_or(1),
        intermediate_size: expert_width,
        shared_intermediate_size: shared_width.or(shared.map(|count| count * expert_width)).unwrap_or(unsaid),
        dense_layers: leading_dense(config),
        every: if every == 1 { implied.every } else { every },
        offset,
        router_bias: routing.unwrap_or(implied.router_bias || corrected),
        hash_layers: config.count(&["num_hash_layers"]).unwrap_or(implied.hash_layers),
        zero_experts: config.count(&["zero_expert_num"]).unwrap_or(0),
        latent_size: config.count(&["moe_latent_size", "moe_hidden_size", "routed_expert_hidden_size"]),
        beside_dense: implied.beside_dense || config.flag(&["enable_moe_block"]) == Some(true),
        router_scales: config.flag(&["enable_moe_block"]) == Some(true),
        ..implied
    });
    if config.flag(&["enable_moe_block"]) == Some(true) {
        // Gemma 4 norms the experts' way in and out, and the dense way out.
        shape.block_norms += 3;
    }
}

/// xLSTM states the width as a multiple of the hidden size, and what it is rounded up to.
fn scaled(config: &Config, hidden: u64) -> Option<u64> {
    let width = (config.number("ffn_proj_factor")? * hidden as f64).min(WIDEST as f64) as u64;
    Some(width.next_multiple_of(config.count(&["ffn_round_up_to_multiple_of"]).unwrap_or(1).max(1)))
}

/// Of the layers that may have experts, one in how many has, and the depth of the first.
fn spacing(config: &Config) -> (u64, u64) {
    if let Some(period) = config.count(&["expert_layer_period", "moe_layer_period"]) {
        return (period.max(1), config.count(&["expert_layer_offset", "moe_layer_offset"]).unwrap_or(0));
    }
    let step = config.count(&["decoder_sparse_step", "interleave_moe_layer_step", "moe_layer_interval"]);
    let step = step.or_else(|| config.single("moe_layer_freq")).unwrap_or(1).max(1);
    (step, step - 1)
}

fn leading_dense(config: &Config) -> u64 {
    let leading = |is_dense: &dyn Fn(&Value) -> bool, key| {
        let list = config.list(key)?;
        Some(list.iter().take_while(|entry| is_dense(entry)).count() as u64)
    };
    config
        .count(&["first_k_dense_replace", "moe_layer_start_index", "num_dense_layers", "n_dense_layers"])
        .or_else(|| leading(&|entry| entry.as_str() == Some("dense"), "mlp_layer_types"))
        .or_else(|| leading(&|entry| entry.as_u64() == Some(0), "moe_layer_freq"))
        .or_else(|| config.enumerated("moe_layers_enum")?.first().copied())
        .or_else(|| config.list("mlp_only_layers").map(|layers| layers.len() as u64))
        .unwrap_or(0)
}
