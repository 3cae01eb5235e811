//! Commands and files that start an inference engine.
//!
//! Flags as the engines' own argument parsers name them: vLLM `EngineArgs`, SGLang `ServerArgs`,
//! TGI `text-generation-launcher`, TensorRT-LLM `trtllm-serve` and `trtllm-build`, llama.cpp `common/arg.cpp`,
//! Ollama's Modelfile and environment.

use super::Kind;
use super::draft::{Draft, Rule, Rules, is_on};
use super::shell::{Command, flags, positional};
use super::tree;
use crate::request::Verb;
use Rule::{Knob, Model, On, With};
use serde_json::Value;

/// What starts an engine, where a word of a command is or ends so.
const VLLM: &[&str] = &["vllm.entrypoints.openai.api_server", "vllm.entrypoints.api_server"];
const SGLANG: &[&str] = &[
    "sglang.launch_server",
    "sglang.bench_offline_throughput",
    "sglang.bench_one_batch",
    "sglang_router.launch_server",
];
const TRTLLM: &[&str] = &["trtllm-serve", "trtllm-build", "trtllm-bench", "convert_checkpoint.py", "quantize.py"];
const LLAMA_CPP: &[&str] = &[
    "llama-server",
    "llama-cli",
    "llama-run",
    "llama-bench",
    "llama-batched-bench",
    "llama-perplexity",
    "llamafile",
    "llama-simple",
    "server",
    "main",
    "llama-mtmd-cli",
    "llama_cpp.server",
];

/// Settings by which an engine is known where it isn't named: a container's arguments, a file, a list of flags.
const OWN: &[(Kind, &[&str])] = &[
    (Kind::Vllm, &["gpu_memory_utilization", "max_model_len", "max_num_seqs"]),
    (
        Kind::Trtllm,
        &["free_gpu_memory_fraction", "max_num_tokens", "enable_attention_dp", "decoding_type", "trt_llm_version"],
    ),
    (Kind::Sglang, &["mem_fraction_static", "tp_size", "chunked_prefill_size", "max_running_requests"]),
    (Kind::Tgi, &["max_total_tokens", "max_batch_prefill_tokens"]),
    (Kind::LlamaCpp, &["ngl", "n_gpu_layers", "gpu_layers"]),
];

/// The engine whose settings these are.
pub fn known<'a>(names: impl Iterator<Item = &'a str>) -> Option<Kind> {
    let names: Vec<String> = names.map(|name| name.replace('-', "_")).collect();
    OWN.iter().find(|(_, own)| names.iter().any(|name| own.contains(&name.as_str()))).map(|(kind, _)| *kind)
}

pub fn read(command: &Command) -> Option<Draft> {
    let words = &command.words;
    let program = |word: &str| word.rsplit('/').next().unwrap_or(word).trim_end_matches(".exe").to_owned();
    // A container's image, in a command that runs one or at its head.
    let runs = words
        .first()
        .is_some_and(|word| ["docker", "podman", "nerdctl", "singularity", "apptainer"].contains(&word.as_str()))
        && words.iter().any(|word| matches!(word.as_str(), "run" | "exec" | "create"));
    let image = |name: &'static str| {
        let first = words.first().cloned().unwrap_or_default();
        move |word: &str| {
            word.contains('/') && word.contains(name) && !word.starts_with(['-', '/', '.']) && (runs || word == first)
        }
    };
    let named = |names: &'static [&'static str]| move |word: &str| names.contains(&word);
    let mut draft = if let Some(rest) = served(words, "vllm", &["serve", "chat", "bench"]) {
        engine(Kind::Vllm, rest, VLLM_FLAGS)
    } else if let Some(rest) = command.after(named(VLLM)) {
        engine(Kind::Vllm, rest, VLLM_FLAGS)
    } else if let Some(rest) = command.after(named(SGLANG)).or_else(|| served(words, "sglang", &["serve"])) {
        engine(Kind::Sglang, rest, SGLANG_FLAGS)
    } else if let Some(rest) = command.after(|word| TRTLLM.contains(&program(word).as_str())) {
        engine(Kind::Trtllm, skip_verb(rest), TRTLLM_FLAGS)
    } else if let Some(rest) = command.after(|word| program(word) == "text-generation-launcher") {
        engine(Kind::Tgi, rest, TGI_FLAGS)
    } else if let Some(rest) =
        command.after(|word| LLAMA_CPP.contains(&program(word).as_str()) && is_llama_cpp(word, words))
    {
        engine(Kind::LlamaCpp, rest, LLAMA_CPP_FLAGS)
    } else if let Some(rest) = served(words, "ollama", &["run", "pull", "create", "show"]) {
        let mut draft = Draft::new(Kind::Ollama, Verb::Infer);
        draft.model = positional(rest).map(str::to_owned);
        draft
    } else if let Some(rest) = served(words, "swift", &["deploy", "infer", "app", "rollout", "eval"]) {
        swift(rest)?
    } else if let Some(rest) = command.after(|word| matches!(program(word).as_str(), "lm_eval" | "lm-eval")) {
        evaluation(rest)?
    } else if let Some(rest) = command.after(image("vllm")) {
        engine(Kind::Vllm, rest, VLLM_FLAGS)
    } else if let Some(rest) = command.after(image("sglang")) {
        engine(Kind::Sglang, rest, SGLANG_FLAGS)
    } else if let Some(rest) = command.after(image("text-generation-inference")) {
        engine(Kind::Tgi, rest, TGI_FLAGS)
    } else if let Some(rest) = command.after(image("llama.cpp")) {
        engine(Kind::LlamaCpp, rest, LLAMA_CPP_FLAGS)
    } else if command.variables.keys().any(|name| name.starts_with("OLLAMA_")) {
        Draft::new(Kind::Ollama, Verb::Infer)
    } else if words.first().is_some_and(|word| word.starts_with('-')) {
        let kind = known(flags(words).iter().map(|(name, _)| *name))?;
        engine(kind, words, rules(kind))
    } else {
        return None;
    };
    environment(command, &mut draft);
    settle(command, &mut draft);
    Some(draft)
}

const fn rules(kind: Kind) -> Rules {
    match kind {
        Kind::Sglang => SGLANG_FLAGS,
        Kind::Trtllm => TRTLLM_FLAGS,
        Kind::Tgi => TGI_FLAGS,
        Kind::LlamaCpp => LLAMA_CPP_FLAGS,
        _ => VLLM_FLAGS,
    }
}

/// ms-swift starts another engine, whose own settings it prefixes: `--vllm_max_model_len`.
fn swift(words: &[String]) -> Option<Draft> {
    let flags = flags(words);
    let backend = flags.iter().find(|(name, _)| *name == "infer_backend").map_or("", |(_, backend)| *backend);
    let kind = match backend {
        "vllm" => Kind::Vllm,
        "sglang" => Kind::Sglang,
        _ => return None,
    };
    let mut draft = Draft::new(kind, Verb::Infer);
    for (name, value) in flags {
        let own = name.strip_prefix(backend).and_then(|name| name.strip_prefix('_'));
        draft.follow(rules(kind), own.unwrap_or(name), value);
    }
    Some(draft)
}

/// `lm_eval --model vllm --model_args pretrained=…,tensor_parallel_size=2`.
fn evaluation(words: &[String]) -> Option<Draft> {
    let flags = flags(words);
    let flag = |wanted: &str| flags.iter().find(|(name, _)| *name == wanted).map(|(_, value)| *value);
    let kind = match flag("model")? {
        "vllm" => Kind::Vllm,
        "sglang" => Kind::Sglang,
        _ => return None,
    };
    let mut draft = Draft::new(kind, Verb::Infer);
    for (name, value) in flag("model_args")?.split(',').filter_map(|pair| pair.split_once('=')) {
        set(&mut draft, rules(kind), if name == "pretrained" { "model" } else { name }, value);
    }
    Some(draft)
}

/// The words after `program verb`.
fn served<'a>(words: &'a [String], program: &str, verbs: &[&str]) -> Option<&'a [String]> {
    let at = words
        .windows(2)
        .position(|pair| pair[0].rsplit('/').next() == Some(program) && verbs.contains(&pair[1].as_str()))?;
    let rest = &words[at + 2..];
    // `vllm bench throughput`
    Some(if words[at + 1] == "bench" { rest.get(1..).unwrap_or(&[]) } else { rest })
}

/// `trtllm-serve serve MODEL`, `trtllm-bench --model X throughput`.
fn skip_verb(words: &[String]) -> &[String] {
    match words.first().map(String::as_str) {
        Some("serve" | "python3" | "python") => &words[1..],
        _ => words,
    }
}

/// `./main` and `./server` are llama.cpp's where they load a GGUF.
fn is_llama_cpp(word: &str, words: &[String]) -> bool {
    word.contains("llama") || words.iter().any(|word| word.ends_with(".gguf") || word == "-hf" || word == "-ngl")
}

/// A setting by its path: `--speculative-config.method`, `kv_cache_config.free_gpu_memory_fraction`.
fn set(draft: &mut Draft, rules: Rules, path: &str, value: &str) {
    match path.replace('-', "_").strip_prefix("speculative_config.") {
        Some(key) => draft.follow(SPECULATIVE, &format!("speculative_{key}"), value),
        None => draft.follow(rules, path.rsplit('.').next().unwrap_or(path), value),
    };
}

fn engine(kind: Kind, words: &[String], rules: Rules) -> Draft {
    let mut draft = Draft::new(kind, Verb::Infer);
    for (name, value) in flags(words) {
        set(&mut draft, rules, name, value);
    }
    let bare = positional(words).filter(|word| !word.starts_with(['/', '{']) || word.len() > 1);
    if draft.model.is_none() && matches!(kind, Kind::Vllm | Kind::Trtllm | Kind::Sglang) {
        draft.model = bare.filter(|word| word.contains(['/', '-'])).map(str::to_owned);
    }
    draft
}

/// Settings that engines take from variables.
fn environment(command: &Command, draft: &mut Draft) {
    let rules = match draft.kind {
        Kind::Tgi | Kind::LlamaCpp => rules(draft.kind),
        Kind::Ollama => OLLAMA_VARIABLES,
        _ => return,
    };
    let prefix = if draft.kind == Kind::LlamaCpp { "LLAMA_ARG_" } else { "" };
    let docker = command
        .flags()
        .into_iter()
        .filter(|(name, _)| matches!(*name, "e" | "env"))
        .filter_map(|(_, pair)| pair.split_once('='));
    let own = command.variables.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    let mut all: Vec<(&str, &str)> = docker.chain(own).collect();
    all.sort_unstable();
    for (name, value) in all {
        let Some(name) = name.strip_prefix(prefix).filter(|name| *name == name.to_uppercase()) else { continue };
        let flag_given = draft.clone();
        draft.follow(rules, name, value);
        // A flag is stronger than a variable.
        for (knob, value) in flag_given.knobs {
            draft.set(knob, value);
        }
        if flag_given.model.is_some() {
            draft.model = flag_given.model;
        }
    }
}

/// What follows from the flags together.
fn settle(command: &Command, draft: &mut Draft) {
    draft.set("backend", draft.kind.word());
    if draft.get("draft").is_none() {
        draft.unset("draft_tokens");
    }
    let degree = |knob| draft.count(knob).unwrap_or(1);
    let shared = draft.get("dp_attention").is_some();
    let (tp, pp, dp) = (degree("tp"), degree("pp"), if shared { 1 } else { degree("dp") });
    let product = tp.saturating_mul(pp).saturating_mul(dp).saturating_mul(degree("cp"));
    let given = ["tp", "pp", "dp", "cp"].iter().any(|knob| draft.get(knob).is_some());
    if shared {
        draft.unset("dp_attention");
        draft.unset("dp");
    }
    if draft.get("ep").is_some_and(|ep| ep == "all") {
        draft.unset("ep");
        if product > 1 {
            draft.set("ep", tp.saturating_mul(dp));
        }
    }
    let visible = command.visible_gpus();
    match draft.kind {
        Kind::LlamaCpp | Kind::Ollama => {
            if let Some(gpus) = draft.count("gpus").or(visible) {
                draft.set("gpus", gpus);
            }
            // `-c` is the whole cache, which the slots share.
            if let (Some(cells), Some(slots)) = (draft.count("seq"), draft.count("concurrency"))
                && draft.kind == Kind::LlamaCpp
                && slots > 1
            {
                draft.set("seq", (cells / slots).max(1));
            }
        }
        // TGI shards over every GPU it sees, the others over those they are told to use.
        Kind::Tgi if !given => {
            if let Some(gpus) = visible {
                draft.set("tp", gpus);
                draft.set("gpus", gpus);
            }
        }
        _ if given => draft.set("gpus", product),
        _ => {}
    }
}

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
        let value = super::tree::scalar(value).unwrap_or_default();
        draft.follow(SPECULATIVE, &format!("speculative_{name}"), &value);
    }
}

fn whole(knob: &'static str) -> impl Fn(&mut Draft, &str) {
    move |draft, value| {
        if let Ok(count) = value.parse::<u64>()
            && count > 0
        {
            draft.set(knob, count);
        }
    }
}

/// Keys of `speculative_config`, after `speculative_`.
const SPECULATIVE: Rules = &[
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

const VLLM_FLAGS: Rules = &[
    (&["model", "model_tag"], Model),
    (&["served_model_name"], With(|draft, value| draft.alias = Some(value.to_owned()))),
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

const SGLANG_FLAGS: Rules = &[
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
    (&["chunked_prefill_size"], With(|draft, value| whole("max_batched_tokens")(draft, value))),
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

const TGI_FLAGS: Rules = &[
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

const TRTLLM_FLAGS: Rules = &[
    (&["model", "model_dir", "checkpoint_dir", "model_path"], Model),
    (&["tp_size", "tp", "tensor_parallel_size"], Knob("tp")),
    (&["pp_size", "pp", "pipeline_parallel_size"], Knob("pp")),
    (&["cp_size", "cp", "context_parallel_size"], Knob("cp")),
    (&["ep_size", "moe_ep_size", "ep", "moe_expert_parallel_size"], Knob("ep")),
    (&["max_seq_len"], Knob("seq")),
    (&["max_input_len"], Knob("prompt")),
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

const LLAMA_CPP_FLAGS: Rules = &[
    (&["m", "model", "model_path", "hf", "hfr", "hf_repo", "mu", "model_url"], Model),
    (&["hf_file", "hff"], Model),
    (&["c", "ctx_size", "n_ctx"], With(|draft, value| whole("seq")(draft, value))),
    (&["np", "parallel", "n_parallel"], With(|draft, value| whole("concurrency")(draft, value))),
    (&["b", "batch_size", "batch", "n_batch"], Knob("max_batched_tokens")),
    (&["n", "predict", "n_predict"], With(|draft, value| whole("output")(draft, value))),
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
    (&["p", "n_prompt"], With(|draft, value| whole("prompt")(draft, value))),
    (&["md", "model_draft", "hfd", "hfrd", "hf_repo_draft"], With(draft_model)),
    (&["draft", "draft_n", "draft_max"], With(|draft, value| whole("draft_tokens")(draft, value))),
];

const OLLAMA_VARIABLES: Rules = &[
    (&["ollama_num_parallel"], Knob("concurrency")),
    (&["ollama_context_length"], Knob("seq")),
    (&["ollama_kv_cache_type"], With(kv_cache)),
    (&["ollama_flash_attention"], On("attn", "flash")),
];

const OLLAMA_PARAMETERS: Rules = &[
    (&["num_ctx"], Knob("seq")),
    (&["num_predict"], With(|draft, value| whole("output")(draft, value))),
    (&["num_batch"], Knob("max_batched_tokens")),
];

/// A Modelfile, or what one types to `ollama run`: `FROM`, `PARAMETER name value`, `/set parameter name value`.
pub fn ollama(text: &str) -> Option<Draft> {
    let mut draft = Draft::new(Kind::Ollama, Verb::Infer);
    let mut telling = false;
    // `ollama ps` has a table of what is loaded.
    let mut context = None;
    for line in text.lines().map(str::trim) {
        let line = line.strip_prefix(">>>").map_or(line, str::trim_start);
        let words: Vec<&str> = line.split_whitespace().collect();
        match words[..] {
            ["NAME", "ID", "SIZE", "PROCESSOR", ..] => context = Some(line.find("CONTEXT")),
            [model, _, ..] if context.is_some() && draft.model.is_none() => {
                draft.model = Some(model.to_owned());
                let column = context.flatten().and_then(|at| line.get(at..)).map(str::trim_start);
                if let Some(tokens) = column.and_then(|column| column.split(' ').next()) {
                    whole("seq")(&mut draft, tokens);
                }
                telling = true;
            }
            [from, model] if from.eq_ignore_ascii_case("from") && !model.contains("/vllm") => {
                draft.model = Some(model.to_owned())
            }
            [parameter, name, value] if parameter.eq_ignore_ascii_case("parameter") => {
                draft.follow(OLLAMA_PARAMETERS, name, value);
                telling = true;
            }
            ["/set", "parameter", name, value] => {
                draft.follow(OLLAMA_PARAMETERS, name, value);
                telling = true;
            }
            ["TEMPLATE" | "SYSTEM" | "ADAPTER" | "MESSAGE", ..] => telling = true,
            _ => {}
        }
    }
    // A Dockerfile begins so too; a Modelfile's FROM stands alone or beside its own words.
    let alone = draft.model.is_some()
        && text.lines().filter(|line| !line.trim().is_empty() && !line.trim().starts_with('#')).count() == 1;
    if !telling && !alone {
        return None;
    }
    draft.set("backend", "ollama");
    Some(draft)
}

/// A request to Ollama's API, as `curl` sends it.
pub fn ollama_posted(text: &str) -> Option<Draft> {
    let body = ["/api/generate", "/api/chat"].iter().find_map(|path| text.split_once(path)).map(|(_, body)| body)?;
    let tree = tree::object(body)?;
    ollama_request(tree.get("model")?.as_str()?, tree.get("options")?.as_object()?).into()
}

/// Options of Ollama's API: `{"model": …, "options": {"num_ctx": …}}`.
pub fn ollama_request(model: &str, options: &serde_json::Map<String, serde_json::Value>) -> Draft {
    let mut draft = Draft::new(Kind::Ollama, Verb::Infer);
    draft.model = Some(model.to_owned());
    for (name, value) in options {
        draft.follow(OLLAMA_PARAMETERS, name, &tree::scalar(value).unwrap_or_default());
    }
    draft.set("backend", "ollama");
    draft
}

/// An engine's own configuration file: vLLM's `--config`, SGLang's, TensorRT-LLM's extra options; or a call
/// `LLM(model=…)`.
pub fn settings(kind: Kind, pairs: &[(String, String)]) -> Draft {
    let mut draft = Draft::new(kind, Verb::Infer);
    for (name, value) in pairs {
        let name = if name.ends_with("kv_cache_config.dtype") { "kv_cache_dtype" } else { name };
        set(&mut draft, rules(kind), name, value);
    }
    settle(&Command::default(), &mut draft);
    draft
}
