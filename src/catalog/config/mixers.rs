//! What mixes tokens: attention, linear attention, state spaces.

use super::fields::Config;
use crate::catalog::Shape;
use crate::catalog::model::{Indexer, Norm};
use crate::catalog::shape::{Attention, Compressed, Linear, LinearKind, Mamba, QkNorm};

pub(super) fn attention(config: &Config, optional_qk_norm: QkNorm, shape: &mut Shape) {
    let own = &mut shape.attention;
    let heads = own.heads;
    let one_kv_head = config.flag(&["multi_query"]) == Some(true)
        && config.flag(&["new_decoder_architecture"]) != Some(true)
        && !config.has("multi_query_group_num");
    own.kv_heads = config
        .count(&["num_key_value_heads", "num_kv_heads", "n_head_kv", "multi_query_group_num", "num_attention_groups"])
        .or(config.within("attn_config").and_then(|nested| nested.count(&["kv_n_heads"])))
        .or(searched(config).and_then(|heads_in_group| heads.checked_div(heads_in_group)))
        .unwrap_or(heads);
    if one_kv_head {
        own.kv_heads = 1;
    }
    own.head_dim = config
        .count(&["head_dim", "kv_channels", "d_kv", "attention_head_dim"])
        .unwrap_or_else(|| shape.hidden_size.checked_div(heads).unwrap_or(0));
    own.value_head_dim = config.count(&["v_head_dim"]);

    if let Some(all) = config.flag(&["bias", "use_bias", "add_bias_linear"]) {
        own.qkv_bias |= all;
        own.output_bias = all;
        // InternLM's `bias` is of attention alone, and its FFN is gated; Falcon's is of every linear.
        shape.ffn.bias = all && !shape.ffn.gated;
    }
    if config.flag(&["no_bias"]) == Some(false) {
        own.qkv_bias = true;
        own.output_bias = true;
        shape.ffn.bias = true;
        shape.norm = Norm::Layer;
    }
    if let Some(bias) = config.flag(&["attention_bias", "qkv_bias", "use_qkv_bias", "add_qkv_bias"]) {
        // Where an architecture treats the output projection otherwise than the rest, its switch leaves it so.
        let alone = own.qkv_bias != own.output_bias || !config.has("attention_bias");
        own.qkv_bias = bias;
        own.output_bias = if alone { own.output_bias } else { bias };
    }
    own.output_bias = config.flag(&["attention_out_bias"]).unwrap_or(own.output_bias);
    own.qk_norm = match config.flag(&["use_qk_norm", "qk_layernorm", "use_qk_layernorm", "qk_norm"]) {
        Some(true) if own.qk_norm == QkNorm::None => optional_qk_norm,
        Some(false) => QkNorm::None,
        _ => own.qk_norm,
    };

    own.q_lora_rank = config.count(&["share_q_dim"]);
    if let Some(rank) = config.count(&["kv_lora_rank"]) {
        own.kv_lora_rank = Some(rank);
        own.q_lora_rank = config.count(&["q_lora_rank"]);
        own.rope_head_dim = config.count(&["qk_rope_head_dim"]).unwrap_or(0);
        own.nope_head_dim = config
            .count(&["qk_nope_head_dim"])
            .or_else(|| Some(config.count(&["qk_head_dim"])?.saturating_sub(own.rope_head_dim)))
            .unwrap_or(own.head_dim);
        own.head_dim = own.nope_head_dim + own.rope_head_dim;
    }
    let sparse = config.within("sparse_attention_config");
    own.indexer = indexer(config).or_else(|| indexer(sparse.as_ref()?));
    if let Some(groups) = config.count(&["o_groups"]) {
        own.q_lora_rank = config.count(&["q_lora_rank"]);
        own.rope_head_dim = config.count(&["qk_rope_head_dim"]).unwrap_or(0);
        let rates = config.within("compress_rates");
        let rate = |key| rates.as_ref().and_then(|rates| rates.count(&[key]));
        let mut listed: Vec<u64> = config.numbers("compress_ratios").into_iter().flatten().filter(|&r| r > 0).collect();
        listed.sort_unstable();
        own.compressed = Some(Compressed {
            o_lora_rank: config.count(&["o_lora_rank"]).unwrap_or(0),
            output_groups: groups,
            sparse_rate: rate("compressed_sparse_attention").or(listed.first().copied()).unwrap_or(4),
            dense_rate: rate("heavily_compressed_attention").or(listed.last().copied()).unwrap_or(128),
        });
    }
    own.kv_shared_layers = config.count(&["num_kv_shared_layers"]).unwrap_or(0);

    let layer = differing(config, "sliding_attention");
    let sliding = |keys: &[&str], key| config.count(keys).or(layer.as_ref().and_then(|layer| layer.count(&[key])));
    shape.sliding.window = config.count(&["sliding_window", "attention_chunk_size", "sliding_window_size"]);
    shape.sliding.heads = sliding(&["swa_num_attention_heads", "num_sliding_attention_heads"], "num_attention_heads");
    shape.sliding.kv_heads = sliding(&["swa_num_key_value_heads"], "num_key_value_heads");
    shape.sliding.head_dim = sliding(&["swa_head_dim"], "head_dim");
    shape.sliding.value_head_dim = sliding(&["swa_v_head_dim"], "v_head_dim");
    shape.sliding.kv_lora_rank = sliding(&["swa_kv_lora_rank"], "kv_lora_rank");
    shape.sliding.nope_head_dim = sliding(&["swa_qk_nope_head_dim"], "qk_nope_head_dim");
    // Gemma 4 states its sliding layers and what the others have otherwise.
    let full = differing(config, "full_attention");
    let of_full = |key| full.as_ref().and_then(|layer| layer.count(&[key]));
    if let Some(global) = config.count(&["global_head_dim"]).or(of_full("head_dim")) {
        shape.sliding.head_dim = Some(own.head_dim);
        shape.sliding.kv_heads = Some(own.kv_heads);
        own.head_dim = global;
        let kv_heads = config.count(&["num_global_key_value_heads"]).or(of_full("num_key_value_heads"));
        own.kv_heads = kv_heads.unwrap_or(own.kv_heads);
        own.key_is_value = config.flag(&["attention_k_eq_v"]).unwrap_or(false);
    }
}

/// What the first layer of this type has otherwise than the configuration says of all, as transformers writes it
/// from version 5 on.
fn differing<'a>(config: &Config<'a>, layer_type: &str) -> Option<Config<'a>> {
    let types = config.list("layer_types")?;
    let is_one = |depth: &str| types.get(depth.parse::<usize>().ok()?)?.as_str().filter(|&of| of == layer_type);
    let (_, layer) = config.within("per_layer_config")?.0.iter().find(|(depth, _)| is_one(depth).is_some())?;
    layer.as_object().map(Config)
}

/// Query heads to a key/value head, of the first attention that architecture search left.
fn searched(config: &Config) -> Option<u64> {
    config.list("block_configs")?.iter().find_map(|block| block["attention"]["n_heads_in_group"].as_u64())
}

fn indexer(config: &Config) -> Option<Indexer> {
    Some(Indexer {
        heads: config.count(&["index_n_heads", "sparse_num_index_heads"])?,
        head_dim: config.count(&["index_head_dim", "sparse_index_dim"])?,
        top_k: config.count(&["index_topk"]).unwrap_or(0),
    })
}

pub(super) fn recurrence(config: &Config, shape: &mut Shape) {
    let hidden = shape.hidden_size;
    let state = config.count(&["ssm_state_size", "mamba_d_state", "state_size", "d_state"]);
    if let Some(state_size) = state {
        let implied = shape.mamba.take().unwrap_or_default();
        let heads = config.count(&["mamba_num_heads", "mamba_n_heads", "n_mamba_heads"]);
        let heads = heads.or_else(|| config.count(&["num_heads"]).filter(|_| !config.has("num_attention_heads")));
        let head_dim = config.count(&["mamba_head_dim", "mamba_d_head", "mamba_headdim", "head_dim"]);
        let expanded = config.count(&["mamba_expand", "expand"]).map_or(2 * hidden, |by| by * hidden);
        let by_heads = heads.zip(head_dim).map(|(heads, width)| heads * width);
        let inner = config.count(&["mamba_d_ssm"]).or(by_heads);
        let rank = config.count(&["mamba_dt_rank", "time_step_rank", "dt_rank"]);
        shape.mamba = Some(Mamba {
            inner_size: inner.unwrap_or(expanded),
            state_size,
            heads: heads.unwrap_or(0),
            groups: config.count(&["n_groups", "mamba_n_groups", "mamba_ngroups"]).unwrap_or(1),
            conv_kernel: config.count(&["mamba_d_conv", "conv_kernel", "conv_kernel_size", "d_conv"]).unwrap_or(4),
            time_step_rank: rank.unwrap_or_else(|| hidden.div_ceil(16)),
            gated_norm: config.flag(&["mamba_rms_norm"]).unwrap_or(implied.gated_norm),
            conv_bias: config.flag(&["mamba_conv_bias", "use_conv_bias"]).unwrap_or(implied.conv_bias),
            bias: config.flag(&["mamba_proj_bias"]).unwrap_or(implied.bias),
            ..implied
        });
    }
    let implied = shape.linear.take();
    let kind = implied.as_ref().map(|linear| linear.kind);
    let kernels = ["linear_conv_kernel_dim", "short_conv_kernel_size", "conv_L_cache", "conv1d_width"];
    let conv_kernel = config.count(&kernels);
    let kimi = config.within("linear_attn_config");
    if let Some(value_heads) = config.count(&["linear_num_value_heads"]) {
        shape.linear = Some(Linear {
            kind: kind.unwrap_or(LinearKind::GatedDelta),
            key_heads: config.count(&["linear_num_key_heads"]).unwrap_or(value_heads),
            value_heads,
            key_head_dim: config.count(&["linear_key_head_dim"]).unwrap_or(128),
            value_head_dim: config.count(&["linear_value_head_dim"]).unwrap_or(128),
            conv_kernel: conv_kernel.unwrap_or(4),
            whole_gates: false,
        });
    } else if let Some(kimi) = kimi {
        let heads = kimi.count(&["num_heads"]).unwrap_or(shape.attention.heads);
        let width = kimi.count(&["head_dim"]).unwrap_or(128);
        shape.linear = Some(Linear {
            kind: LinearKind::KimiDelta,
            key_heads: heads,
            value_heads: heads,
            key_head_dim: width,
            value_head_dim: width,
            conv_kernel: kimi.count(&["short_conv_kernel_size"]).unwrap_or(4),
            whole_gates: false,
        });
    } else if let Some(kind) = kind {
        let Attention { heads, head_dim, .. } = shape.attention;
        let heads = config.count(&["linear_num_heads"]).unwrap_or(heads).max(u64::from(kind == LinearKind::Rwkv));
        let width = config.count(&["lru_width"]).unwrap_or(hidden);
        let part = |key| (head_dim as f64 * config.number(key).unwrap_or(1.0).clamp(0.0, 8.0)) as u64;
        let (key_head_dim, value_head_dim) = match kind {
            LinearKind::RgLru => (1, width.checked_div(heads).unwrap_or(0)),
            LinearKind::ShortConv => (0, hidden.checked_div(heads).unwrap_or(0)),
            // Of each channel a numerator, a denominator and their exponent.
            LinearKind::Rwkv => (3, config.count(&["attention_hidden_size"]).unwrap_or(hidden)),
            LinearKind::Mlstm => (part("qk_dim_factor"), part("v_dim_factor")),
            LinearKind::GatedDelta | LinearKind::KimiDelta | LinearKind::Lightning => (head_dim, head_dim),
        };
        // Latent attention makes its own `head_dim` of others; what the file gives is that of these layers.
        let stated = config.count(&["head_dim"]).filter(|_| kind == LinearKind::KimiDelta);
        let own = config.count(&["linear_head_dim"]).or(stated);
        shape.linear = Some(Linear {
            kind,
            key_heads: heads,
            value_heads: heads,
            key_head_dim: own.unwrap_or(key_head_dim),
            value_head_dim: own.unwrap_or(value_head_dim),
            conv_kernel: conv_kernel.unwrap_or(if kind == LinearKind::Lightning { 0 } else { 4 }),
            whole_gates: implied.is_some_and(|linear| linear.whole_gates),
        });
    }
}
