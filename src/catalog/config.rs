//! A Hugging Face `config.json` to a shape.
//!
//! What the `model_type` implies comes first, then what the file says. Several names stand for one figure across
//! model families; all are tried. Of a multimodal configuration the vision tower is counted, audio is left out.

use super::Catalog;
use super::model::{Activation, Architecture, Indexer, Model, Norm};
use super::shape::{Attention, Compressed, Linear, LinearKind, MOST_LAYERS, Mamba, Moe, QkNorm, Shape};
use serde_json::{Map, Value};

mod tower;

/// Keys that the configuration should have had, each by its most common name; or the knob whose figure cannot be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MissingFields(pub Vec<&'static str>);

impl Model {
    /// The model that a `config.json` describes, without a name.
    pub fn from_config(config: &Value) -> Result<Self, MissingFields> {
        let shape = shape(config)?;
        if let Some(impossible) = shape.impossible() {
            return Err(MissingFields(vec![impossible]));
        }
        Self::of(shape).map_err(|_| MissingFields(vec!["layer_types"]))
    }
}

/// Where multimodal configurations keep the language model.
const TEXT: [&str; 5] = ["text_config", "llm_config", "language_config", "thinker_config", "language_model"];

pub fn shape(config: &Value) -> Result<Shape, MissingFields> {
    let Some(fields) = config.as_object() else { return Err(MissingFields(vec!["num_hidden_layers"])) };
    if let Some(text) = TEXT.iter().find_map(|key| fields.get(*key)).filter(|text| text.is_object()) {
        let mut text = text.clone();
        // Some files say it only outside.
        if let (Some(text), Some(tied)) = (text.as_object_mut(), fields.get("tie_word_embeddings")) {
            text.entry("tie_word_embeddings").or_insert_with(|| tied.clone());
        }
        let mut shape = shape(&text)?;
        shape.vision_parameters = tower::parameters(&Config(fields), shape.hidden_size).unwrap_or(0);
        return Ok(shape);
    }
    let config = Config(fields);
    let model_type = config.text("model_type").unwrap_or_default();
    let implied = Catalog::embedded().architecture(model_type);
    let mut shape = implied.map(|row| row.shape.clone()).unwrap_or_default();
    if implied.is_none() && config.has("layer_norm_eps") && !config.has("rms_norm_eps") {
        shape.norm = Norm::Layer;
    }
    let optional_qk_norm = implied.map_or(QkNorm::Head, |row| row.optional_qk_norm);
    shape.model_type = model_type.to_owned();

    let mut missing = Vec::new();
    let mut need = |found: Option<u64>, name| {
        if found.is_none() {
            missing.push(name);
        }
        found.unwrap_or_default()
    };
    let listed = config.list("layers_block_type").map(|list| list.len() as u64);
    let layers = config.count(&["num_hidden_layers", "n_layer", "n_layers", "num_layers", "encoder_layers"]).or(listed);
    shape.layers = need(layers, "num_hidden_layers") * implied.map_or(1, |row| row.sublayers);
    shape.hidden_size =
        need(config.count(&["hidden_size", "n_embd", "d_model", "dim", "model_dim", "embedding_dim"]), "hidden_size");
    // ChatGLM's `padded_vocab_size` is what the table has.
    shape.vocab_size = need(config.count(&["padded_vocab_size", "vocab_size", "n_vocab"]), "vocab_size");
    let recurrent = config.has("state_size") && !config.has("num_attention_heads");
    let heads = config.count(&["num_attention_heads", "n_head", "n_heads", "num_heads"]);
    let heads = if recurrent { 0 } else { need(heads, "num_attention_heads") };
    if !missing.is_empty() {
        return Err(MissingFields(missing));
    }
    if shape.layers > MOST_LAYERS {
        return Err(MissingFields(vec!["num_hidden_layers"]));
    }

    shape.decoder_layers = config.count(&["num_decoder_layers"]).or(shape.decoder_layers);
    if config.flag(&["is_encoder_decoder"]) == Some(true) {
        shape.architecture = Architecture::EncoderDecoder;
    }
    if let Some(tied) = config.flag(&["tie_word_embeddings"]) {
        shape.tied_embeddings = tied;
    }
    shape.max_position = config
        .count(&["max_position_embeddings", "n_positions", "max_sequence_length", "max_seq_len", "seq_length", "n_ctx"])
        .or(shape.max_position);
    shape.token_types = config.count(&["type_vocab_size"]).unwrap_or(shape.token_types);
    shape.embedding_size = config.count(&["word_embed_proj_dim"]).filter(|&width| width != shape.hidden_size);
    shape.lm_head_bias = config.flag(&["lm_head_bias"]).unwrap_or(shape.lm_head_bias);
    if config.flag(&["do_layer_norm_before"]) == Some(false) {
        shape.final_norm = false;
    }
    // Attention and FFN side by side on one norm; Falcon's new decoder has one for each.
    if let Some(parallel) = config.flag(&["parallel_attn", "use_parallel_residual"])
        && shape.model_type != "gpt_neox"
    {
        let two = config.flag(&["new_decoder_architecture"]) == Some(true);
        shape.block_norms = if parallel && !two { 1 } else { 2 };
    }
    if let Some(activation) = config.text("hidden_act").or(config.text("activation_function")) {
        shape.activation = activation_of(activation).unwrap_or(shape.activation);
    }
    if let Some(projection) = config.text("feed_forward_proj") {
        shape.ffn.gated = projection.starts_with("gated");
    }
    shape.per_layer_input_size = config.count(&["hidden_size_per_layer_input"]).filter(|&width| width > 0);
    shape.per_layer_vocab_size = config.count(&["vocab_size_per_layer_input"]);
    shape.hyper_connections = config.count(&["hc_mult"]).or(shape.hyper_connections);
    shape.altup_inputs = config.count(&["altup_num_inputs"]).or(shape.altup_inputs);
    shape.laurel_rank = config.count(&["laurel_rank"]).or(shape.laurel_rank);
    shape.mtp_layers =
        config.count(&["num_nextn_predict_layers", "num_mtp_modules", "mtp_num_hidden_layers"]).unwrap_or(0);
    shape.final_logit_softcap |= config.count(&["final_logit_softcapping"]).is_some();

    attention(&config, heads, optional_qk_norm, &mut shape);
    feed_forward(&config, &mut shape);
    if shape.ffn.intermediate_size == 0 && shape.moe.is_none() && !shape.single_block {
        return Err(MissingFields(vec!["intermediate_size"]));
    }
    recurrence(&config, &mut shape);
    if let Some(pattern) = pattern(&config, &shape)? {
        shape.pattern = pattern;
    }
    Ok(shape)
}

fn activation_of(name: &str) -> Option<Activation> {
    Some(match name {
        "silu" | "swish" | "swiglu" => Activation::Silu,
        "gelu_new" | "gelu_fast" => Activation::GeluNew,
        "relu" => Activation::Relu,
        "relu2" => Activation::Relu2,
        name if name.contains("gelu") => Activation::Gelu,
        _ => return None,
    })
}

fn attention(config: &Config, heads: u64, optional_qk_norm: QkNorm, shape: &mut Shape) {
    let own = &mut shape.attention;
    own.heads = heads;
    let one_kv_head = config.flag(&["multi_query"]) == Some(true)
        && config.flag(&["new_decoder_architecture"]) != Some(true)
        && !config.has("multi_query_group_num");
    own.kv_heads = config
        .count(&["num_key_value_heads", "num_kv_heads", "n_head_kv", "multi_query_group_num", "num_attention_groups"])
        .or(config.within("attn_config").and_then(|nested| nested.count(&["kv_n_heads"])))
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

    shape.sliding.window = config.count(&["sliding_window", "attention_chunk_size", "sliding_window_size"]);
    shape.sliding.heads = config.count(&["swa_num_attention_heads", "num_sliding_attention_heads"]);
    shape.sliding.kv_heads = config.count(&["swa_num_key_value_heads"]);
    shape.sliding.head_dim = config.count(&["swa_head_dim"]);
    shape.sliding.value_head_dim = config.count(&["swa_v_head_dim"]);
    // Gemma 4 states its sliding layers and what the others have otherwise.
    if let Some(global) = config.count(&["global_head_dim"]) {
        shape.sliding.head_dim = Some(own.head_dim);
        shape.sliding.kv_heads = Some(own.kv_heads);
        own.head_dim = global;
        own.kv_heads = config.count(&["num_global_key_value_heads"]).unwrap_or(own.kv_heads);
        own.key_is_value = config.flag(&["attention_k_eq_v"]).unwrap_or(false);
    }
}

fn indexer(config: &Config) -> Option<Indexer> {
    Some(Indexer {
        heads: config.count(&["index_n_heads", "sparse_num_index_heads"])?,
        head_dim: config.count(&["index_head_dim", "sparse_index_dim"])?,
        top_k: config.count(&["index_topk"]).unwrap_or(0),
    })
}

fn feed_forward(config: &Config, shape: &mut Shape) {
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
        .unwrap_or(ratio * shape.hidden_size);
    if config.flag(&["block_auto_adjust_ff_dim"]) == Some(true) {
        // LFM2 states the width of an ungated FFN of equal size.
        let by = config.number("block_ffn_dim_multiplier").unwrap_or(1.0);
        let scaled = ((shape.ffn.intermediate_size * 2 / 3) as f64 * by) as u64;
        shape.ffn.intermediate_size = scaled.next_multiple_of(config.count(&["block_multiple_of"]).unwrap_or(1).max(1));
    }
    if matches!(shape.model_type.as_str(), "qwen" | "recurrent_gemma") {
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
        latent_size: config.count(&["moe_latent_size", "routed_expert_hidden_size"]),
        beside_dense: implied.beside_dense || config.flag(&["enable_moe_block"]) == Some(true),
        router_scales: config.flag(&["enable_moe_block"]) == Some(true),
        ..implied
    });
    if config.flag(&["enable_moe_block"]) == Some(true) {
        // Gemma 4 norms the experts' way in and out, and the dense way out.
        shape.block_norms += 3;
    }
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
        .or_else(|| config.list("mlp_only_layers").map(|layers| layers.len() as u64))
        .unwrap_or(0)
}

fn recurrence(config: &Config, shape: &mut Shape) {
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
    let kind = shape.linear.as_ref().map(|linear| linear.kind);
    let conv_kernel = config.count(&["linear_conv_kernel_dim", "conv_L_cache", "conv1d_width"]);
    let kimi = config.within("linear_attn_config");
    if let Some(value_heads) = config.count(&["linear_num_value_heads"]) {
        shape.linear = Some(Linear {
            kind: kind.unwrap_or(LinearKind::GatedDelta),
            key_heads: config.count(&["linear_num_key_heads"]).unwrap_or(value_heads),
            value_heads,
            key_head_dim: config.count(&["linear_key_head_dim"]).unwrap_or(128),
            value_head_dim: config.count(&["linear_value_head_dim"]).unwrap_or(128),
            conv_kernel: conv_kernel.unwrap_or(4),
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
        });
    } else if let Some(kind) = kind {
        let Attention { heads, head_dim, .. } = shape.attention;
        let heads = config.count(&["linear_num_heads"]).unwrap_or(heads);
        let width = config.count(&["lru_width"]).unwrap_or(hidden);
        let (key_head_dim, value_head_dim) = match kind {
            LinearKind::RgLru => (1, width.checked_div(heads).unwrap_or(0)),
            LinearKind::ShortConv => (0, hidden.checked_div(heads).unwrap_or(0)),
            _ => (head_dim, head_dim),
        };
        let own = config.count(&["linear_head_dim"]);
        shape.linear = Some(Linear {
            kind,
            key_heads: heads,
            value_heads: heads,
            key_head_dim: own.unwrap_or(key_head_dim),
            value_head_dim: own.unwrap_or(value_head_dim),
            conv_kernel: conv_kernel.unwrap_or(if kind == LinearKind::Lightning { 0 } else { 4 }),
        });
    }
}

/// The blocks in order, where the configuration says; `None` leaves what the architecture implies.
fn pattern(config: &Config, shape: &Shape) -> Result<Option<String>, MissingFields> {
    let layers = shape.layers;
    if let Some(letters) = config.text("hybrid_override_pattern") {
        let word = |letter| match letter {
            'M' => "mamba",
            '*' => "full",
            '-' => "mlp",
            'E' => "moe",
            _ => "",
        };
        return Ok(Some(letters.chars().map(word).collect::<Vec<_>>().join(", ")));
    }
    let listed = ["layer_types", "layers_block_type", "block_types", "_block_types"];
    if let Some(list) = listed.iter().find_map(|key| config.list(key)) {
        let words = list.iter().map(|word| block(word.as_str()?, config, shape)).collect::<Option<Vec<_>>>();
        let words = words.ok_or(MissingFields(vec!["layer_types"]))?;
        return Ok(Some(with_shared_indexers(config, words).join(", ")));
    }
    let each = |is: &dyn Fn(u64) -> &'static str| Some((0..layers).map(is).collect::<Vec<_>>().join(", "));
    if let Some(ratios) = config.numbers("compress_ratios") {
        let finest = shape.attention.compressed.as_ref().map_or(0, |compressed| compressed.sparse_rate);
        return Ok(each(&|at| match ratios.get(at as usize).copied().unwrap_or(0) {
            0 => "sliding",
            rate if rate == finest => "sparse",
            _ => "compressed",
        }));
    }
    if let Some(kinds) = config.numbers("hybrid_layer_pattern") {
        return Ok(each(&|at| if kinds.get(at as usize) == Some(&1) { "sliding" } else { "full" }));
    }
    if let Some(kinds) = config.numbers("attn_type_list").filter(|_| shape.linear.is_some()) {
        return Ok(each(&|at| if kinds.get(at as usize) == Some(&0) { "linear" } else { "full" }));
    }
    if let Some(full) = config.within("linear_attn_config").and_then(|nested| nested.numbers("full_attn_layers")) {
        return Ok(each(&|at| if full.contains(&(at + 1)) { "full" } else { "linear" }));
    }
    if let Some(sparse) = config.within("sparse_attention_config").and_then(|n| n.numbers("sparse_attention_freq")) {
        return Ok(each(&|at| if sparse.get(at as usize) == Some(&1) { "sparse" } else { "full" }));
    }
    if let Some(period) = config.count(&["attn_layer_period"]) {
        let offset = config.count(&["attn_layer_offset"]).unwrap_or(0);
        return Ok(each(&|at| if at % period.max(1) == offset { "full" } else { "mamba" }));
    }
    if let Some(indices) = config.numbers("attn_layer_indices") {
        return Ok(each(&|at| if indices.contains(&at) { "full" } else { "mamba" }));
    }
    if let Some(interval) = config.count(&["full_attention_interval"]).filter(|_| shape.linear.is_some()) {
        return Ok(each(&|at| if (at + 1) % interval.max(1) == 0 { "full" } else { "linear" }));
    }
    if shape.attention.indexer.is_some() && shape.attention.kv_lora_rank.is_some() {
        return Ok(Some(with_shared_indexers(config, vec!["sparse"; layers as usize]).join(", ")));
    }
    let period = config.count(&["sliding_window_pattern", "_sliding_window_pattern", "global_attn_every_n_layers"]);
    if let Some(period) = period.filter(|&period| period > 1 && shape.sliding.window.is_some()) {
        return Ok(Some(format!("{} sliding, full", period - 1)));
    }
    if shape.sliding.window.is_none() {
        // Whatever the architecture alternates, here every layer sees all.
        let alternates = shape.pattern.contains("sliding");
        return Ok(alternates.then(|| "full".to_owned()));
    }
    match config.flag(&["use_sliding_window"]) {
        Some(true) => {
            let from = config.count(&["max_window_layers"]).unwrap_or(0);
            Ok(each(&|at| if at >= from { "sliding" } else { "full" }))
        }
        Some(false) => Ok(None),
        // Mistral's first release.
        None => Ok(shape.pattern.is_empty().then(|| "sliding".to_owned())),
    }
}

fn block(word: &str, config: &Config, shape: &Shape) -> Option<&'static str> {
    Some(match word {
        "full_attention" | "attention" | "global_attention" | "global" if !is_local(config) => "full",
        "attention" => "sliding",
        "sliding_attention" | "chunked_attention" | "local_attention" | "local" => "sliding",
        "linear_attention" if shape.linear.is_none() && shape.mamba.is_some() => "mamba",
        "linear_attention" | "recurrent" | "conv" | "short_conv" => "linear",
        "mamba" | "mamba2" => "mamba",
        "indexed_attention" | "deepseek_sparse_attention" | "compressed_sparse_attention" | "minimax_m3_sparse" => {
            "sparse"
        }
        "heavily_compressed_attention" => "compressed",
        "moe" => "moe",
        "mlp" => "mlp",
        _ => return None,
    })
}

/// Griffin calls its local attention just that.
fn is_local(config: &Config) -> bool {
    config.has("attention_window_size")
}

/// GLM's sparse layers, those without an indexer of their own marked.
fn with_shared_indexers(config: &Config, mut words: Vec<&'static str>) -> Vec<&'static str> {
    if let Some(types) = config.list("indexer_types") {
        for (word, kind) in words.iter_mut().zip(types) {
            if kind.as_str() == Some("shared") {
                *word = "shared";
            }
        }
    }
    words
}

/// The fields of a configuration; a `null` is as good as absent.
struct Config<'a>(&'a Map<String, Value>);

impl<'a> Config<'a> {
    fn get(&self, key: &str) -> Option<&'a Value> {
        self.0.get(key).filter(|value| !value.is_null())
    }
    fn has(&self, key: &str) -> bool {
        self.get(key).is_some()
    }
    /// The first of these keys that holds a number; of a list with an entry a layer, its first. Cut where no figure
    /// of a model is, so that products of two stay whole.
    fn count(&self, keys: &[&str]) -> Option<u64> {
        let number = |value: &Value| Some(value.as_u64().unwrap_or(value.as_f64()?.round() as u64).min(1 << 31));
        keys.iter().find_map(|key| match self.get(key)? {
            Value::Array(list) => number(list.first()?),
            value => number(value),
        })
    }
    /// A number, not a list.
    fn single(&self, key: &str) -> Option<u64> {
        self.get(key)?.as_u64()
    }
    fn number(&self, key: &str) -> Option<f64> {
        self.get(key)?.as_f64()
    }
    fn flag(&self, keys: &[&str]) -> Option<bool> {
        keys.iter().find_map(|key| self.get(key)?.as_bool())
    }
    fn text(&self, key: &str) -> Option<&'a str> {
        self.get(key)?.as_str()
    }
    fn list(&self, key: &str) -> Option<&'a Vec<Value>> {
        self.get(key)?.as_array().filter(|list| !list.is_empty())
    }
    fn numbers(&self, key: &str) -> Option<Vec<u64>> {
        self.list(key)?.iter().map(Value::as_u64).collect()
    }
    fn within(&self, key: &str) -> Option<Config<'a>> {
        self.get(key)?.as_object().map(Config)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[track_caller]
    fn check(id: &str, config: Value) {
        let preset = Catalog::embedded().model(id).expect("a preset");
        let model = Model::from_config(&config).expect("a whole configuration");
        assert_eq!(model.counts.total - model.vision_parameters, preset.counts.total - preset.vision_parameters);
        assert_eq!(model.counts.active, preset.counts.active);
        let mixers = |model: &Model| model.layers.iter().map(|kind| kind.mixer.clone()).collect::<Vec<_>>();
        assert_eq!(mixers(&model), mixers(preset));
    }

    #[test]
    fn a_configuration_gives_its_preset() {
        check(
            "deepseek-ai/DeepSeek-V3.2",
            json!({
                "model_type": "deepseek_v32", "num_hidden_layers": 61, "hidden_size": 7168, "vocab_size": 129_280,
                "num_attention_heads": 128, "num_key_value_heads": 128, "q_lora_rank": 1536, "kv_lora_rank": 512,
                "qk_nope_head_dim": 128, "qk_rope_head_dim": 64, "v_head_dim": 128, "index_n_heads": 64,
                "index_head_dim": 128, "index_topk": 2048, "intermediate_size": 18_432, "moe_intermediate_size": 2048,
                "n_routed_experts": 256, "n_shared_experts": 1, "num_experts_per_tok": 8, "first_k_dense_replace": 3,
                "moe_layer_freq": 1, "topk_method": "noaux_tc", "attention_bias": false, "tie_word_embeddings": false
            }),
        );
        check(
            "Qwen/Qwen2.5-7B",
            json!({
                "model_type": "qwen2", "num_hidden_layers": 28, "hidden_size": 3584, "vocab_size": 152_064,
                "num_attention_heads": 28, "num_key_value_heads": 4, "intermediate_size": 18_944,
                "sliding_window": 131_072, "use_sliding_window": false, "max_window_layers": 28,
                "tie_word_embeddings": false
            }),
        );
        check(
            "google/gemma-4-26B-A4B",
            json!({"model_type": "gemma4", "text_config": {
                "model_type": "gemma4_text", "num_hidden_layers": 30, "hidden_size": 2816, "vocab_size": 262_144,
                "num_attention_heads": 16, "num_key_value_heads": 8, "num_global_key_value_heads": 2, "head_dim": 256,
                "global_head_dim": 512, "attention_k_eq_v": true, "intermediate_size": 2112, "enable_moe_block": true,
                "num_experts": 128, "top_k_experts": 8, "moe_intermediate_size": 704, "sliding_window": 1024,
                "hidden_size_per_layer_input": 0, "num_kv_shared_layers": 0, "tie_word_embeddings": true
            }}),
        );
        check(
            "tiiuae/falcon-40b",
            json!({
                "model_type": "falcon", "num_hidden_layers": 60, "hidden_size": 8192, "vocab_size": 65_024,
                "num_attention_heads": 128, "num_kv_heads": 8, "new_decoder_architecture": true, "parallel_attn": true,
                "bias": false, "multi_query": true
            }),
        );
    }

    #[test]
    fn what_a_configuration_lacks_is_named() {
        let lacks = |config| Model::from_config(&config).err().map(|missing| missing.0);
        assert_eq!(
            lacks(json!({"num_hidden_layers": 2, "vocab_size": 9})),
            Some(vec!["hidden_size", "num_attention_heads"])
        );
        let llama = json!({"num_hidden_layers": 2, "vocab_size": 9, "hidden_size": 64, "num_attention_heads": 4});
        assert_eq!(lacks(llama), Some(vec!["intermediate_size"]));
        assert_eq!(lacks(json!([])), Some(vec!["num_hidden_layers"]));
    }

    #[test]
    fn a_vision_tower_is_counted_by_its_widths() {
        let vision = json!({
            "depth": 24, "hidden_size": 1024, "intermediate_size": 4096, "num_position_embeddings": 2304,
            "out_hidden_size": 2048, "patch_size": 16, "spatial_merge_size": 2, "temporal_patch_size": 2,
            "deepstack_visual_indexes": [5, 11, 17]
        });
        let text = json!({
            "model_type": "qwen3_vl_text", "num_hidden_layers": 28, "hidden_size": 2048, "vocab_size": 151_936,
            "num_attention_heads": 16, "num_key_value_heads": 8, "head_dim": 128, "intermediate_size": 6144
        });
        let config = json!({"model_type": "qwen3_vl", "text_config": text, "vision_config": vision});
        let counted = Model::from_config(&config).expect("a whole configuration").vision_parameters as f64;
        // Qwen3-VL-2B as transformers builds it.
        assert!((counted / 406_957_056.0 - 1.0).abs() < 0.01, "{counted}");
    }
}
