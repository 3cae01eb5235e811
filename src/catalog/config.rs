//! A Hugging Face `config.json` to a shape.
//!
//! What the `model_type` implies comes first, then what the file says. Several names stand for one figure across
//! model families; all are tried. Of a multimodal configuration the towers are counted.

use super::Catalog;
use super::model::{Activation, Architecture, Model, Norm};
use super::shape::{MOST_LAYERS, QkNorm, Shape};
use fields::Config;
use serde_json::{Map, Value};

mod feed_forward;
mod fields;
mod layers;
mod mixers;
mod tower;

pub use tower::Tower;

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

fn shape(config: &Value) -> Result<Shape, MissingFields> {
    let Some(fields) = config.as_object() else { return Err(MissingFields(vec!["num_hidden_layers"])) };
    if let Some(text) = TEXT.iter().find_map(|key| fields.get(*key)?.as_object()) {
        let mut shape = shape(&Value::Object(whole(text, fields)))?;
        shape.vision_parameters = tower::parameters(&Config(fields), shape.hidden_size);
        return Ok(shape);
    }
    let config = Config(fields);
    let implied = Catalog::embedded().architecture(config.text("model_type").unwrap_or_default());
    let mut shape = implied.map(|row| row.shape.clone()).unwrap_or_default();
    if implied.is_none() && config.has("layer_norm_eps") && !config.has("rms_norm_eps") {
        shape.norm = Norm::Layer;
    }
    sizes(&config, implied.map_or(1, |row| row.sublayers), &mut shape)?;
    ends(&config, &mut shape);
    mixers::attention(&config, implied.map_or(QkNorm::Head, |row| row.optional_qk_norm), &mut shape);
    feed_forward::feed_forward(&config, &mut shape);
    let has_width = shape.ffn.intermediate_size > 0 || config.has("block_configs");
    if !has_width && shape.moe.is_none() && !shape.single_block {
        return Err(MissingFields(vec!["intermediate_size"]));
    }
    mixers::recurrence(&config, &mut shape);
    if let Some(pattern) = layers::pattern(&config, &shape)? {
        shape.pattern = pattern;
    }
    shape.vision_parameters = tower::parameters(&config, shape.hidden_size);
    Ok(shape)
}

/// The language part of a multimodal configuration, with what it leaves to its surroundings or to its class.
fn whole(text: &Map<String, Value>, around: &Map<String, Value>) -> Map<String, Value> {
    let model_type = text.get("model_type").and_then(Value::as_str).unwrap_or_default();
    let mut whole = Catalog::embedded().architecture(model_type).map(|row| row.defaults.clone()).unwrap_or_default();
    whole.extend(text.clone());
    whole.extend(around.get("tie_word_embeddings").map(|tied| ("tie_word_embeddings".to_owned(), tied.clone())));
    whole
}

/// The figures that every model has.
fn sizes(config: &Config, sublayers: u64, shape: &mut Shape) -> Result<(), MissingFields> {
    let mut missing = Vec::new();
    let mut need = |found: Option<u64>, name| {
        if found.is_none() {
            missing.push(name);
        }
        found.unwrap_or_default()
    };
    let listed = config.list("layers_block_type").map(|list| list.len() as u64);
    let layers = config.count(&["num_hidden_layers", "n_layer", "n_layers", "num_layers", "encoder_layers"]).or(listed);
    shape.layers = need(layers, "num_hidden_layers") * sublayers;
    let hidden = config.count(&["hidden_size", "n_embd", "d_model", "dim", "model_dim", "embedding_dim"]);
    shape.hidden_size = need(hidden, "hidden_size");
    // ChatGLM's `padded_vocab_size` is what the table has.
    shape.vocab_size = need(config.count(&["padded_vocab_size", "vocab_size", "n_vocab"]), "vocab_size");
    let heads = config.count(&["num_attention_heads", "n_head", "n_heads", "num_heads", "encoder_attention_heads"]);
    let mamba = config.has("state_size") && !config.has("num_attention_heads");
    shape.attention.heads = match heads.filter(|_| !mamba) {
        None if mamba || !shape.attends() => 0,
        heads => need(heads, "num_attention_heads"),
    };
    if shape.layers > MOST_LAYERS {
        missing.push("num_hidden_layers");
    }
    if missing.is_empty() { Ok(()) } else { Err(MissingFields(missing)) }
}

/// Embeddings, head, norms and what stands beside the residual stream.
fn ends(config: &Config, shape: &mut Shape) {
    config.text("model_type").unwrap_or_default().clone_into(&mut shape.model_type);
    shape.decoder_layers = config.count(&["num_decoder_layers", "decoder_layers"]).or(shape.decoder_layers);
    if config.flag(&["is_encoder_decoder"]) == Some(true) {
        shape.architecture = Architecture::EncoderDecoder;
    }
    if let Some(tied) = config.flag(&["tie_word_embeddings"]) {
        shape.tied_embeddings = tied;
    }
    shape.max_position = config
        .count(&[
            "max_position_embeddings",
            "n_positions",
            "max_sequence_length",
            "max_seq_len",
            "seq_length",
            "n_ctx",
            "context_length",
            "model_max_length",
        ])
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
            "inclusionAI/Ling-3.0-flash",
            json!({
                "model_type": "bailing_hybrid", "num_hidden_layers": 42, "hidden_size": 2560, "vocab_size": 157_184,
                "num_attention_heads": 32, "head_dim": 128, "layer_group_size": 6, "short_conv_kernel_size": 4,
                "kv_lora_rank": 512, "qk_nope_head_dim": 128, "qk_rope_head_dim": 64, "v_head_dim": 128,
                "intermediate_size": 6144, "moe_intermediate_size": 768, "num_experts": 512, "num_shared_experts": 1,
                "num_experts_per_token": 8, "first_k_dense_replace": 2, "num_nextn_predict_layers": 1
            }),
        );
        let experts = (4..60).map(|depth| depth.to_string()).collect::<Vec<_>>().join(",");
        check(
            "stepfun-ai/step3",
            json!({"model_type": "step3_vl", "text_config": {
                "hidden_size": 7168, "intermediate_size": 18_432, "num_attention_heads": 64, "num_attention_groups": 1,
                "num_hidden_layers": 61, "vocab_size": 128_815, "moe_intermediate_size": 5120, "moe_num_experts": 48,
                "moe_top_k": 3, "share_expert_dim": 5120, "share_q_dim": 2048, "head_dim": 256,
                "moe_layers_enum": experts
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

    /// Totals of the checkpoints, language model included, as published on their pages.
    #[test]
    fn a_vision_tower_is_counted_to_the_parameter() {
        let seeing = |model_type: &str, own: Value, text: Value, vision: Value| {
            let mut config = json!({"model_type": model_type, "text_config": text, "vision_config": vision});
            let fields = config.as_object_mut().expect("an object");
            fields.extend(own.as_object().expect("an object").clone());
            Model::from_config(&config).expect("a whole configuration").counts.total
        };
        let siglip = json!({
            "hidden_size": 1152, "image_size": 896, "intermediate_size": 4304, "num_hidden_layers": 27, "patch_size": 14
        });
        let gemma = json!({
            "model_type": "gemma3_text", "num_hidden_layers": 34, "hidden_size": 2560, "intermediate_size": 10_240,
            "sliding_window": 1024
        });
        // google/gemma-3-4b-it
        assert_eq!(seeing("gemma3", json!({}), gemma, siglip), 4_300_079_472);

        let qwen = json!({
            "model_type": "qwen3_vl_text", "num_hidden_layers": 28, "hidden_size": 2048, "vocab_size": 151_936,
            "num_attention_heads": 16, "num_key_value_heads": 8, "head_dim": 128, "intermediate_size": 6144
        });
        let deep = json!({
            "depth": 24, "hidden_size": 1024, "intermediate_size": 4096, "num_position_embeddings": 2304,
            "out_hidden_size": 2048, "patch_size": 16, "spatial_merge_size": 2, "temporal_patch_size": 2,
            "deepstack_visual_indexes": [5, 11, 17]
        });
        // Qwen/Qwen3-VL-2B-Instruct
        assert_eq!(seeing("qwen3_vl", json!({"tie_word_embeddings": true}), qwen, deep), 2_127_532_032);

        let mistral = json!({
            "model_type": "mistral", "num_hidden_layers": 40, "hidden_size": 5120, "vocab_size": 131_072,
            "num_attention_heads": 32, "num_key_value_heads": 8, "head_dim": 128, "intermediate_size": 32_768
        });
        let pixtral = json!({
            "hidden_size": 1024, "image_size": 1540, "intermediate_size": 4096, "num_hidden_layers": 24,
            "patch_size": 14, "rope_theta": 10000.0, "hidden_act": "silu"
        });
        // mistralai/Mistral-Small-3.1-24B-Instruct-2503
        let own = json!({"spatial_merge_size": 2, "projector_hidden_act": "gelu"});
        assert_eq!(seeing("mistral3", own, mistral, pixtral), 24_011_361_280);

        let llama = json!({
            "model_type": "llama", "num_hidden_layers": 32, "hidden_size": 4096, "vocab_size": 32_064,
            "num_attention_heads": 32, "intermediate_size": 11_008
        });
        let clip = json!({
            "hidden_size": 1024, "image_size": 336, "intermediate_size": 4096, "num_hidden_layers": 24, "patch_size": 14
        });
        // llava-hf/llava-1.5-7b-hf
        assert_eq!(seeing("llava", json!({"projector_hidden_act": "gelu"}), llama, clip), 7_063_427_072);
    }

    #[test]
    fn what_a_language_part_leaves_unsaid_is_its_class() {
        // Gemma 3 4B as published: no heads, no vocabulary.
        let text = json!({
            "model_type": "gemma3_text", "num_hidden_layers": 34, "hidden_size": 2560, "intermediate_size": 10_240,
            "sliding_window": 1024
        });
        let model = Model::from_config(&json!({"model_type": "gemma3", "text_config": text})).expect("a whole one");
        let preset = Catalog::embedded().model("google/gemma-3-4b-it").expect("a preset");
        // The preset's vocabulary has 262144 entries, the class has 262208.
        let more = (262_208 - 262_144) * 2560;
        assert_eq!(model.counts.total, preset.counts.total - preset.vision_parameters + more);
    }

    #[test]
    fn an_audio_tower_is_counted() {
        let text = json!({
            "model_type": "qwen2", "num_hidden_layers": 2, "hidden_size": 64, "vocab_size": 100, "intermediate_size": 128,
            "num_attention_heads": 4, "tie_word_embeddings": true
        });
        let audio = json!({
            "d_model": 32, "encoder_layers": 2, "encoder_ffn_dim": 64, "num_mel_bins": 8, "max_source_positions": 10
        });
        let model =
            Model::from_config(&json!({"model_type": "qwen2_audio", "text_config": text, "audio_config": audio}))
                .expect("a whole configuration");
        // A layer: 4·32² + 3·32 of attention, 2·32·64 + 64 + 32 of MLP, two norms of 2·32.
        let layer = 4096 + 96 + 4096 + 96 + 128;
        // Convolutions 3·8·32 + 32 and 3·32·32 + 32, ten positions, a norm, and 32·64 + 64 to the text.
        assert_eq!(model.vision_parameters, 2 * layer + 800 + 3104 + 320 + 64 + 2112);
    }

    #[test]
    fn layers_that_differ_are_read_layer_by_layer() {
        let config = json!({
            "model_type": "gemma4_text", "num_hidden_layers": 2, "hidden_size": 64, "vocab_size": 100,
            "num_attention_heads": 4, "num_key_value_heads": 2, "head_dim": 16, "intermediate_size": 128,
            "sliding_window": 512, "layer_types": ["sliding_attention", "full_attention"],
            "per_layer_config": {"1": {"head_dim": 32}}
        });
        let model = Model::from_config(&config).expect("a whole configuration");
        // Queries, keys, values and output: 64·(64 + 2·32 + 64), twice as wide where all is seen.
        let query_and_rest = |at: usize| {
            let linears = model.layers[at].tensors.iter().filter(|tensor| tensor.role.is_layer_linear());
            linears.map(super::super::model::Tensor::parameters).sum::<u64>() - 3 * 64 * 128
        };
        assert_eq!((query_and_rest(0), query_and_rest(1)), (64 * 192, 64 * 384));
    }
}
