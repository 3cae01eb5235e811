//! Which block stands at each depth.

use super::MissingFields;
use super::fields::Config;
use crate::catalog::Shape;
use serde_json::Value;

/// The blocks in order, where the configuration says; `None` leaves what the architecture implies.
pub(super) fn pattern(config: &Config, shape: &Shape) -> Result<Option<String>, MissingFields> {
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
    if let Some(blocks) = config.list("block_configs") {
        let words = blocks.iter().map(|block| searched(block, shape.hidden_size)).collect::<Option<Vec<_>>>();
        return words.map(|words| Some(words.join(", "))).ok_or(MissingFields(vec!["block_configs"]));
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
    let interval = config.count(&["full_attention_interval", "layer_group_size"]);
    if let Some(interval) = interval.filter(|_| shape.linear.is_some()) {
        return Ok(each(&|at| if (at + 1) % interval.max(1) == 0 { "full" } else { "linear" }));
    }
    if shape.attention.indexer.is_some() && shape.attention.kv_lora_rank.is_some() {
        return Ok(Some(with_shared_indexers(config, vec!["sparse"; layers as usize]).join(", ")));
    }
    if let Some(experts) = config.enumerated("moe_layers_enum") {
        let dense = format!("full@{}", shape.ffn.intermediate_size);
        let word = |at| if experts.contains(&at) { "full" } else { &dense };
        return Ok(Some((0..layers).map(word).collect::<Vec<_>>().join(", ")));
    }
    let period = config.count(&["sliding_window_pattern", "_sliding_window_pattern", "global_attn_every_n_layers"]);
    if let Some(period) = period.filter(|&period| period > 1 && shape.sliding.window.is_some()) {
        return Ok(Some(format!("{} sliding, full", (period - 1).min(layers))));
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
        // Attention with short convolutions (Inkling, ZAYA); Zamba's shares its weights with others, which is not counted.
        "hybrid" if shape.mamba.is_none() => "full",
        "chunked_attention" | "local_attention" | "local" => "sliding",
        word if word.contains("sliding") => "sliding",
        "linear_attention" if shape.linear.is_none() && shape.mamba.is_some() => "mamba",
        "linear_attention" | "recurrent" | "conv" | "short_conv" => "linear",
        "mamba" | "mamba2" => "mamba",
        "indexed_attention" | "sparse_attention" | "deepseek_sparse_attention" => "sparse",
        "compressed_sparse_attention" | "minimax_m3_sparse" => "sparse",
        "heavily_compressed_attention" => "compressed",
        "moe" => "moe",
        "mlp" => "mlp",
        _ => return None,
    })
}

/// A layer that architecture search left (Llama-Nemotron): with attention or without, and with its own FFN width,
/// `2/3·m·h` rounded up to 256 for the multiple `m` of the hidden size `h`.
fn searched(block: &Value, hidden: u64) -> Option<String> {
    let multiple = block["ffn"]["ffn_mult"].as_f64()?;
    let width = (2.0 * multiple * hidden as f64 / 3.0) as u64;
    let attends = block["attention"]["n_heads_in_group"].is_u64();
    Some(format!("{}@{}", if attends { "full" } else { "mlp" }, width.next_multiple_of(256)))
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
