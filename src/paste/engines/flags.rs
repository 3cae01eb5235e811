//! Flags as the engines' own argument parsers name them: vLLM `EngineArgs`, SGLang `ServerArgs`,
//! TGI `text-generation-launcher`, TensorRT-LLM `trtllm-serve` and `trtllm-build`, llama.cpp `common/arg.cpp`,
//! Ollama's environment.

use crate::paste::Kind;
use crate::paste::draft::{Draft, Rule, Rules, is_on};
use crate::paste::{shell, tree};
use Rule::{Count, Knob, Model, On, With};
use serde_json::Value;

fn dtype(draft: &mut Draft, value: &str) {
    let precision = match value.to_ascii_lowercase().trim_start_matches("torch.") {
        "half" | "float16" | "fp16" | "f16" => "fp16",
        "bfloat16" | "bf16" => "bf16",
        "float" | "float32" | "fp32" | "f32" => "fp32",
        _ => return,
    };
    draft.set("precision", precision);
}

fn kv_cache(draft: &mut Draft, value: &str) {
    let value = value.to_ascii_lowercase();
    let kv = match value.as_str() {
        "auto" => "auto",
        fp8 if fp8.contains("fp8") => "fp8",
        "bfloat16" | "bf16" => "bf16",
        "float16" | "fp16" | "half" | "f16" => "fp16",
        "f32" | "float32" => "fp32",
        "int8" => "int8",
        "int4" => "int4",
        ggml @ ("q8_0" | "q5_1" | "q5_0" | "q4_1" | "q4_0" | "iq4_nl") => ggml,
        _ => return,
    };
    draft.set("kv", kv);
}

/// How engines name quantisations. Those that only say "as the checkpoint has it" leave it to the model's name.
fn quantisation(draft: &mut Draft, value: &str) {
    // Python's way to leave it to the checkpoint.
    if value == "None" {
        return;
    }
    let quant = match value.to_ascii_lowercase().as_str() {
        "awq" | "awq_marlin" | "int4_awq" | "w4a16_awq" | "awq_triton" => "awq",
        "gptq" | "gptq_marlin" | "gptq_marlin_24" | "gptq_bitblas" | "marlin" | "int4_gptq" | "w4a16_gptq" => {
            "gptq-int4"
        }
        "fp8" | "fbgemm_fp8" | "ptpc_fp8" | "modelopt" | "w8a8_fp8" | "modelopt_fp8" | "fp8_per_tensor"
        | "fp8_rowwise" => "fp8",
        "nvfp4" | "modelopt_fp4" | "petit_nvfp4" => "nvfp4",
        "mxfp4" => "mxfp4",
        "bitsandbytes" if draft.kind == Kind::Tgi => "bnb-int8",
        "bitsandbytes" | "bitsandbytes-nf4" | "bitsandbytes-fp4" => "bnb-nf4",
        "experts_int8" | "eetq" | "int8" | "int8_wo" | "int8_per_channel_weight_only" => "int8",
        "w8a8_int8" | "int8_sq" | "smoothquant" => "w8a8",
        "int4" | "int4_wo" | "w4a16" => "int4",
        "none" => "none",
        _ => return,
    };
    draft.set("quant", quant);
}

/// vLLM's lengths: `32k` is 32,000 and `32K` is 32,768.
fn human_length(draft: &mut Draft, value: &str) {
    let (number, unit) = value.split_at(value.find(|c: char| c.is_ascii_alphabetic()).unwrap_or(value.len()));
    let scale = match unit {
        "" => 1.0,
        "k" => 1e3,
        "K" => 1024.0,
        "m" => 1e6,
        "M" => 1024.0 * 1024.0,
        _ => return,
    };
    match number.parse::<f64>() {
        Ok(number) if number > 0.0 => draft.set("seq", (number * scale) as u64),
        // `-1` and `auto`: as long as fits.
        _ => {}
    }
}

/// What proposes tokens, as engines name methods. SGLang takes the model's own layers where no head is named.
fn drafter(draft: &mut Draft, value: &str) {
    let method = value.to_ascii_lowercase();
    let named = draft.get("draft").is_some();
    if method.contains("ngram") || method.contains("lookup") {
        draft.set("draft", "ngram");
    } else if method.contains("mtp") || method == "nextn" {
        draft.set("draft", "mtp");
    } else if method.contains("eagle") && draft.get("draft") != Some("mtp") {
        draft.set("draft", if named || draft.kind != Kind::Sglang { "eagle" } else { "mtp" });
    }
}

/// The model that proposes: a head for the hidden states, or a smaller model.
fn draft_model(draft: &mut Draft, value: &str) {
    let name = value.to_ascii_lowercase();
    let head = matches!(draft.get("draft"), Some("mtp" | "eagle"));
    if name.contains("ngram") || name.contains("nextn") || name.contains("mtp") {
        drafter(draft, if name.contains("ngram") { "ngram" } else { "mtp" });
    } else {
        draft.set("draft", if head || name.contains("eagle") { "eagle" } else { value });
    }
}

/// vLLM's `--speculative-config '{"method": "eagle3", …}'`.
fn speculative_config(draft: &mut Draft, value: &str) {
    let Ok(Value::Object(config)) = serde_json::from_str(value) else { return };
    for (name, value) in &config {
        let value = tree::scalar(value).unwrap_or_default();
        draft.follow(SPECULATIVE, &format!("speculative_{name}"), &value);
    }
}

/// More layers than any model has.
pub const ALL_LAYERS: u64 = 999;

/// Layers on the card; `-1`, `all` and the usual 99 are all of them.
pub fn card_layers(draft: &mut Draft, value: &str) {
    if value.parse().is_ok_and(|layers: u64| layers < 99) {
        draft.set("gpu_layers", value);
    }
}

/// Keys of `speculative_config`, after `speculative_`.
pub const SPECULATIVE: Rules = &[
    (&["speculative_method", "speculative_decoding_type"], With(drafter)),
    (&["speculative_model", "speculative_speculative_model", "speculative_speculative_model_dir"], With(draft_model)),
    (&["speculative_num_speculative_tokens", "speculative_max_draft_len"], Knob("draft_tokens")),
    (
        &["speculative_num_nextn_predict_layers"],
        With(|draft, value| {
            drafter(draft, "mtp");
            draft.set("draft_tokens", value);
        }),
    ),
];

pub const VLLM_FLAGS: Rules = &[
    // Of Ray Serve and of the production stack's chart, too.
    (&["model", "model_tag", "model_source", "model_url"], Model),
    (&["served_model_name", "model_id", "model_name"], With(|draft, value| draft.alias = Some(value.to_owned()))),
    (&["accelerator_type"], Knob("gpu")),
    (
        &["extra_args"],
        With(|draft, value| {
            let words: Vec<String> = value.split([',', ' ']).map(str::to_owned).collect();
            for (name, value) in shell::flags(&words) {
                draft.follow(VLLM_FLAGS, name, value);
            }
        }),
    ),
    (&["tensor_parallel_size", "tp"], Knob("tp")),
    (&["pipeline_parallel_size", "pp"], Knob("pp")),
    (&["data_parallel_size", "dp"], Knob("dp")),
    // Decode context parallelism is over the GPUs of tensor parallelism, and isn't counted.
    (&["prefill_context_parallel_size", "pcp"], Knob("cp")),
    (&["enable_expert_parallel", "ep"], On("ep", "all")),
    (&["nnodes"], Knob("nodes")),
    // The log of vLLM's start calls it so.
    (&["max_model_len", "max_seq_len"], With(human_length)),
    (&["gpu_memory_utilization"], Knob("gpu_mem_util")),
    (&["max_num_seqs"], Knob("max_seqs")),
    (
        &["max_num_batched_tokens"],
        With(|draft, value| {
            let seq = draft.get("seq").map(str::to_owned);
            draft.unset("seq");
            human_length(draft, value);
            if let Some(tokens) = draft.count("seq") {
                draft.set("max_batched_tokens", tokens);
                draft.unset("seq");
            }
            if let Some(seq) = seq {
                draft.set("seq", seq);
            }
        }),
    ),
    (&["quantization", "q"], With(quantisation)),
    (
        &["load_format"],
        With(|draft, value| {
            if value == "bitsandbytes" {
                quantisation(draft, value)
            }
        }),
    ),
    (&["kv_cache_dtype"], With(kv_cache)),
    (&["dtype"], With(dtype)),
    (&["enforce_eager"], On("eager", "on")),
    (&["input_len", "random_input_len"], Knob("prompt")),
    (&["output_len", "random_output_len"], Knob("output")),
    (&["max_concurrency"], Knob("concurrency")),
    (&["speculative_config"], With(speculative_config)),
    (&["speculative_model"], With(draft_model)),
    (&["num_speculative_tokens"], Knob("draft_tokens")),
];

pub const SGLANG_FLAGS: Rules = &[
    (&["model_path", "model"], Model),
    (&["served_model_name"], With(|draft, value| draft.alias = Some(value.to_owned()))),
    (&["tensor_parallel_size", "tp_size", "tp"], Knob("tp")),
    (&["pipeline_parallel_size", "pp_size", "pp"], Knob("pp")),
    (&["data_parallel_size", "dp_size", "dp"], Knob("dp")),
    (&["expert_parallel_size", "ep_size", "ep"], Knob("ep")),
    (&["enable_dp_attention"], On("dp_attention", "on")),
    (&["nnodes"], Knob("nodes")),
    (&["context_length"], Knob("seq")),
    (&["mem_fraction_static"], Knob("gpu_mem_util")),
    (&["max_running_requests"], Knob("max_seqs")),
    (&["chunked_prefill_size"], Count("max_batched_tokens")),
    (&["quantization"], With(quantisation)),
    (
        &["torchao_config"],
        With(|draft, value| {
            // `int4wo-128`
            match value.split("wo").next().unwrap_or("") {
                width @ ("int4" | "int8") => draft.set("quant", width),
                width if width.starts_with("fp8") => draft.set("quant", "fp8"),
                _ => {}
            }
        }),
    ),
    (&["kv_cache_dtype"], With(kv_cache)),
    (&["dtype"], With(dtype)),
    (&["disable_cuda_graph"], On("eager", "on")),
    (&["input_len", "input"], Knob("prompt")),
    (&["output_len", "output"], Knob("output")),
    (&["batch_size", "batch"], Knob("concurrency")),
    (&["speculative_algorithm", "speculative_algo"], With(drafter)),
    (&["speculative_draft_model_path", "speculative_draft_model"], With(draft_model)),
    (&["speculative_num_steps"], Knob("draft_tokens")),
];

pub const TGI_FLAGS: Rules = &[
    (&["model_id"], Model),
    (&["num_shard"], Knob("tp")),
    (&["quantize"], With(quantisation)),
    (&["dtype"], With(dtype)),
    (&["kv_cache_dtype"], With(kv_cache)),
    (&["max_input_tokens", "max_input_length"], Knob("prompt")),
    (&["max_total_tokens"], Knob("seq")),
    (&["max_batch_prefill_tokens"], Knob("max_batched_tokens")),
    (&["max_batch_size"], Knob("max_seqs")),
    (&["max_concurrent_requests"], Knob("concurrency")),
    (&["cuda_memory_fraction"], Knob("gpu_mem_util")),
    (
        &["cuda_graphs"],
        With(|draft, value| {
            if value == "0" {
                draft.set("eager", "on")
            }
        }),
    ),
    (
        &["speculate"],
        With(|draft, value| {
            draft.set("draft", "ngram");
            draft.set("draft_tokens", value);
        }),
    ),
];

pub const LMDEPLOY_FLAGS: Rules = &[
    (&["model_path", "model"], Model),
    (&["tp"], Knob("tp")),
    (&["dp"], Knob("dp")),
    (&["ep"], Knob("ep")),
    (&["session_len"], Knob("seq")),
    (&["max_batch_size"], Knob("max_seqs")),
    (
        &["cache_max_entry_count"],
        With(|draft, value| {
            // A whole number is one of blocks.
            if value.parse().is_ok_and(|share: f64| share > 0.0 && share < 1.0) {
                draft.set("gpu_mem_util", value)
            }
        }),
    ),
    (&["max_prefill_token_num"], Knob("max_batched_tokens")),
    (&["model_format"], With(quantisation)),
    (&["dtype"], With(dtype)),
    (&["eager_mode"], On("eager", "on")),
    (
        &["quant_policy"],
        With(|draft, value| match value {
            "4" => draft.set("kv", "int4"),
            "8" => draft.set("kv", "int8"),
            _ => {}
        }),
    ),
];

pub const KTRANSFORMERS_FLAGS: Rules = &[
    // The GGUF tells how it is packed, the path beside it whose it is.
    (&["gguf_path"], Model),
    (&["model_path", "model_name"], With(|draft, value| draft.alias = Some(value.to_owned()))),
    (&["total_context", "cache_lens"], Knob("seq")),
    (&["max_new_tokens"], Knob("output")),
    (&["max_batch_size"], Knob("concurrency")),
    (&["chunk_size"], Knob("max_batched_tokens")),
];

pub const TRTLLM_FLAGS: Rules = &[
    (&["model", "model_dir", "checkpoint_dir", "model_path"], Model),
    (&["tp_size", "tp", "tensor_parallel_size", "tensor_parallel"], Knob("tp")),
    (&["pp_size", "pp", "pipeline_parallel_size", "pipeline_parallel"], Knob("pp")),
    (&["cp_size", "cp", "context_parallel_size"], Knob("cp")),
    (&["ep_size", "moe_ep_size", "ep", "moe_expert_parallel_size"], Knob("ep")),
    (&["max_seq_len"], Knob("seq")),
    (&["max_input_len"], Knob("prompt")),
    (&["max_output_len"], Knob("output")),
    (&["max_batch_size"], Knob("max_seqs")),
    (&["max_num_tokens"], Knob("max_batched_tokens")),
    (
        &["kv_cache_free_gpu_memory_fraction", "kv_cache_free_gpu_mem_fraction", "free_gpu_memory_fraction"],
        Knob("gpu_mem_util"),
    ),
    (&["kv_cache_dtype"], With(kv_cache)),
    (&["qformat", "quantization", "quantize", "quant_algo", "weight_only_precision"], With(quantisation)),
    (&["dtype", "gemm_plugin"], With(dtype)),
    (&["use_fp8", "enable_fp8"], On("quant", "fp8")),
    (&["concurrency"], Knob("concurrency")),
];

pub const LLAMA_CPP_FLAGS: Rules = &[
    (&["m", "model", "model_path", "hf", "hfr", "hf_repo", "mu", "model_url"], Model),
    (&["hf_file", "hff"], Model),
    (&["c", "ctx_size", "n_ctx"], Count("seq")),
    (&["np", "parallel", "n_parallel"], Count("concurrency")),
    // What is computed at once; the batch above it only waits.
    (&["ub", "ubatch_size", "n_ubatch"], Count("max_batched_tokens")),
    (&["ngl", "gpu_layers", "n_gpu_layers"], With(card_layers)),
    (&["ncmoe", "n_cpu_moe"], Count("cpu_moe")),
    (
        &["cmoe", "cpu_moe"],
        With(|draft, value| {
            if is_on(value) {
                draft.set("cpu_moe", ALL_LAYERS)
            }
        }),
    ),
    (
        &["ot", "override_tensor"],
        With(|draft, value| {
            let before = draft.get("overrides").map_or(String::new(), |rules| format!("{rules},"));
            draft.set("overrides", before + value);
        }),
    ),
    (&["n", "predict", "n_predict"], Count("output")),
    (&["ctk", "cache_type_k"], With(kv_cache)),
    (
        &["ctv", "cache_type_v"],
        With(|draft, value| {
            if draft.get("kv").is_none() {
                kv_cache(draft, value)
            }
        }),
    ),
    (
        &["fa", "flash_attn"],
        With(|draft, value| {
            if is_on(value) {
                draft.set("attn", "flash")
            } else if matches!(value, "off" | "0" | "false") {
                draft.set("attn", "eager")
            }
        }),
    ),
    (
        &["ts", "tensor_split"],
        With(|draft, value| {
            draft.set(
                "gpus",
                value.split([',', '/']).filter(|part| part.trim().parse::<f64>().is_ok_and(|part| part > 0.0)).count(),
            )
        }),
    ),
    (&["p", "n_prompt"], Count("prompt")),
    (&["md", "model_draft", "hfd", "hfrd", "hf_repo_draft"], With(draft_model)),
    (&["draft", "draft_n", "draft_max"], Count("draft_tokens")),
];

pub const OLLAMA_VARIABLES: Rules = &[
    (&["ollama_num_parallel"], Count("concurrency")),
    (&["ollama_context_length"], Count("seq")),
    (&["ollama_kv_cache_type"], With(kv_cache)),
    (&["ollama_flash_attention"], On("attn", "flash")),
];
