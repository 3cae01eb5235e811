//! Commands that serve a model.

use super::{Command, Program, Recipe, asked, written};
use crate::catalog::Model;
use crate::catalog::backend::DraftKind;
use crate::request::{Compute, Concurrency, Draft, Infer, Request};

const ENGINES: &[Program<Infer>] = &[
    Program { of: &["vllm"], name: "vLLM 0.31", file: None, write: vllm },
    Program { of: &["sglang"], name: "SGLang 0.5.23", file: None, write: sglang },
    Program { of: &["trtllm"], name: "TensorRT-LLM 1.2.1", file: None, write: trtllm },
    Program { of: &["tgi"], name: "TGI 3.3.7", file: None, write: tgi },
    Program { of: &["lmdeploy"], name: "LMDeploy 0.10", file: None, write: lmdeploy },
    Program { of: &["llama.cpp"], name: "llama.cpp 00dc8057", file: None, write: llama_server },
    Program { of: &["ollama"], name: "Ollama 0.33", file: Some("Modelfile"), write: ollama },
    Program { of: &["transformers", "pytorch"], name: "transformers 5.23", file: None, write: transformers },
    Program { of: &["fastchat"], name: "FastChat 0.2.36", file: None, write: fastchat },
];

pub fn recipes(request: &Request, infer: &Infer) -> Vec<Recipe> {
    written(ENGINES, &infer.backend.name, request, infer, &checkpoint(infer))
}

/// Formats that no engine makes on loading: the weights must have been quantised before.
fn checkpoint(infer: &Infer) -> String {
    match infer.weights.name.as_str() {
        name @ ("awq" | "gptq-int4" | "gptq-int8" | "w8a8" | "nvfp4") => {
            format!("# weights: a checkpoint quantised with {name}\n")
        }
        _ => String::new(),
    }
}

fn concurrency(infer: &Infer) -> Option<u64> {
    match infer.concurrency {
        Concurrency::Requests(n) => Some(n),
        Concurrency::Max => None,
    }
}

/// The most requests at once the engine is told to take, where anybody asked; else it takes its default.
fn max_requests(request: &Request, infer: &Infer) -> Option<u64> {
    match (asked(request, "max_seqs"), asked(request, "concurrency")) {
        (true, _) => Some(infer.max_seqs),
        (false, true) => concurrency(infer),
        (false, false) => None,
    }
}

/// The value of an engine's quantisation flag, `Some(None)` where the checkpoint says it all; outer `None`
/// for weights it does not load.
fn quantization(infer: &Infer, flags: &[(&str, &'static str)]) -> Option<Option<&'static str>> {
    match infer.weights.name.as_str() {
        // Checkpoints in mxfp4 (gpt-oss) and in fp8 by tiles (DeepSeek) say so themselves.
        "none" | "bf16" | "fp16" | "fp32" | "mxfp4" | "fp8-block" => Some(None),
        name => flags.iter().find(|(format, _)| *format == name).map(|(_, flag)| Some(*flag)),
    }
}

fn dtype(request: &Request) -> Option<&'static str> {
    asked(request, "precision").then_some(match request.precision {
        Compute::Fp32 => "float32",
        Compute::Fp16 => "float16",
        Compute::Bf16 | Compute::Fp8 => "bfloat16",
    })
}

/// The memory fraction in the meaning of the engine that was asked; others keep their default.
fn fraction(request: &Request, infer: &Infer, engine: &str) -> Option<f64> {
    (asked(request, "gpu_mem_util") || infer.backend.name == engine).then_some(infer.memory_fraction)
}

/// `fp8` as this engine spells it; outer `None` for a cache it does not have.
fn kv_cache(request: &Request, infer: &Infer, fp8: &'static str) -> Option<Option<&'static str>> {
    match infer.kv.name {
        _ if !asked(request, "kv") => Some(None),
        "fp16" | "bf16" => Some(None),
        "fp8" => Some(Some(fp8)),
        _ => None,
    }
}

/// The value of `--quantization`, which vLLM and SGLang name alike but for `w8a8`. NVIDIA's tensor cores from Ampere on
/// take integer weights through Marlin's kernels; named plainly, both programs keep to their slower ones.
fn server_quantization(request: &Request, infer: &Infer, w8a8: &'static str) -> Option<Option<&'static str>> {
    let capability = request.hardware.gpu.map(|gpu| gpu.compute_capability);
    let marlin = capability.is_none_or(|capability| capability >= Some((8, 0)));
    let (awq, gptq) = if marlin { ("awq_marlin", "gptq_marlin") } else { ("awq", "gptq") };
    let names = [
        ("fp8", "fp8"),
        ("awq", awq),
        ("gptq-int4", gptq),
        ("gptq-int8", gptq),
        ("bnb-nf4", "bitsandbytes"),
        ("w8a8", w8a8),
        ("nvfp4", "modelopt_fp4"),
    ];
    quantization(infer, &names)
}

/// `vllm serve`: vllm/engine/arg_utils.py.
fn vllm(request: &Request, infer: &Infer) -> Option<String> {
    let quant = server_quantization(request, infer, "compressed-tensors")?;
    let parallel = request.parallel;
    Some(
        Command::new(format_args!("vllm serve {}", request.model.id))
            .flag("--tensor-parallel-size", parallel.tensor)
            .flag_if(parallel.pipeline > 1, "--pipeline-parallel-size", parallel.pipeline)
            .flag_if(parallel.data > 1, "--data-parallel-size", parallel.data)
            .switch(parallel.expert > 1, "--enable-expert-parallel")
            .flag_if(request.hardware.nodes > 1, "--distributed-executor-backend", "ray")
            .flag_if(request.hardware.nodes > 1 && parallel.data > 1, "--data-parallel-backend", "ray")
            .flag("--max-model-len", request.seq)
            .maybe("--gpu-memory-utilization", fraction(request, infer, "vllm"))
            .maybe("--max-num-seqs", max_requests(request, infer))
            .flag_if(asked(request, "max_batched_tokens"), "--max-num-batched-tokens", infer.max_batched_tokens)
            .maybe("--quantization", quant)
            .maybe("--kv-cache-dtype", kv_cache(request, infer, "fp8")?)
            .maybe("--dtype", dtype(request))
            .switch(infer.eager, "--enforce-eager")
            .maybe("--speculative-config", infer.draft.as_ref().map(vllm_draft))
            .0,
    )
}

/// vllm/config/speculative.py.
fn vllm_draft(draft: &Draft) -> String {
    let tokens = draft.tokens;
    let method = match draft.kind {
        DraftKind::Model => format!(r#""model": "{}""#, draft_id(draft)),
        DraftKind::Eagle => format!(r#""method": "eagle3", "model": "{}""#, draft_id(draft)),
        DraftKind::Mtp => r#""method": "mtp""#.to_owned(),
        DraftKind::Ngram => r#""method": "ngram", "prompt_lookup_max": 4"#.to_owned(),
    };
    format!(r#"'{{{method}, "num_speculative_tokens": {tokens}}}'"#)
}

/// The drafting model, or where its head lies.
fn draft_id(draft: &Draft) -> &str {
    match (draft.kind, &draft.model) {
        (DraftKind::Model, Some((model, _))) => &model.id,
        _ => "path/to/eagle3-head",
    }
}

/// `sglang.launch_server`: python/sglang/srt/server_args.py. `--dp-size` replicates the model.
fn sglang(request: &Request, infer: &Infer) -> Option<String> {
    let quant = server_quantization(request, infer, "w8a8_int8")?;
    let (parallel, nodes) = (request.parallel, request.hardware.nodes);
    // Replicas of attention that share the experts count as tensor ranks.
    let attention_ranks = parallel.data > 1 && parallel.expert > 1;
    let draft = infer.draft.as_ref();
    let named = draft.filter(|draft| matches!(draft.kind, DraftKind::Model | DraftKind::Eagle));
    Some(
        Command::new("python -m sglang.launch_server")
            .flag("--model-path", &request.model.id)
            .flag("--tp-size", if attention_ranks { parallel.tensor * parallel.data } else { parallel.tensor })
            .flag_if(parallel.pipeline > 1, "--pp-size", parallel.pipeline)
            .flag_if(parallel.data > 1, "--dp-size", parallel.data)
            .switch(attention_ranks, "--enable-dp-attention")
            .flag_if(parallel.expert > 1, "--ep-size", parallel.expert)
            .flag_if(nodes > 1, "--nnodes", nodes)
            .flag_if(nodes > 1, "--node-rank", "$NODE_RANK")
            .flag_if(nodes > 1, "--dist-init-addr", "$HEAD_NODE:50000")
            .flag("--context-length", request.seq)
            .maybe("--mem-fraction-static", fraction(request, infer, "sglang"))
            .maybe("--max-running-requests", max_requests(request, infer))
            .flag_if(asked(request, "max_batched_tokens"), "--chunked-prefill-size", infer.max_batched_tokens)
            .maybe("--quantization", quant)
            .maybe("--kv-cache-dtype", kv_cache(request, infer, "fp8_e5m2")?)
            .maybe("--dtype", dtype(request))
            .switch(infer.eager, "--disable-cuda-graph")
            .maybe("--speculative-algorithm", draft.map(sglang_algorithm))
            .maybe("--speculative-draft-model-path", named.map(draft_id))
            .maybe("--speculative-num-steps", draft.map(|draft| draft.tokens))
            .maybe("--speculative-eagle-topk", draft.map(|_| 1))
            .maybe("--speculative-num-draft-tokens", draft.map(|draft| draft.tokens + 1))
            .0,
    )
}

const fn sglang_algorithm(draft: &Draft) -> &'static str {
    match draft.kind {
        DraftKind::Model => "STANDALONE",
        DraftKind::Eagle => "EAGLE3",
        DraftKind::Mtp => "NEXTN",
        DraftKind::Ngram => "NGRAM",
    }
}

/// `trtllm-serve`: tensorrt_llm/commands/serve.py. Weights come as the checkpoint has them; a KV type and speculative
/// decoding need a `--config` file, so they have no recipe.
fn trtllm(request: &Request, infer: &Infer) -> Option<String> {
    let parallel = request.parallel;
    let in_checkpoint =
        matches!(infer.weights.name.as_str(), "none" | "bf16" | "fp16" | "fp8" | "nvfp4" | "awq" | "mxfp4");
    if !in_checkpoint || parallel.data > 1 || infer.draft.is_some() {
        return None;
    }
    kv_cache(request, infer, "fp8").filter(Option::is_none)?;
    let hardware = &request.hardware;
    let launch = match hardware.nodes {
        0 | 1 => String::new(),
        nodes => format!("srun -N {nodes} --ntasks-per-node {} trtllm-llmapi-launch ", hardware.gpus / nodes),
    };
    Some(
        Command::new(format_args!("{launch}trtllm-serve {}", request.model.id))
            .flag("--tp_size", parallel.tensor)
            .flag_if(parallel.pipeline > 1, "--pp_size", parallel.pipeline)
            .flag_if(parallel.expert > 1, "--ep_size", parallel.expert)
            .flag("--max_seq_len", request.seq)
            .maybe("--kv_cache_free_gpu_memory_fraction", fraction(request, infer, "trtllm"))
            .maybe("--max_batch_size", max_requests(request, infer))
            .flag_if(asked(request, "max_batched_tokens"), "--max_num_tokens", infer.max_batched_tokens)
            .0,
    )
}

/// `text-generation-launcher`: launcher/src/main.rs. Tensor parallel only.
fn tgi(request: &Request, infer: &Infer) -> Option<String> {
    let quant = quantization(
        infer,
        &[
            ("fp8", "fp8"),
            ("awq", "awq"),
            ("gptq-int4", "gptq"),
            ("bnb-nf4", "bitsandbytes-nf4"),
            ("bnb-int8", "bitsandbytes"),
            ("w8a8", "compressed-tensors"),
        ],
    )?;
    let parallel = request.parallel;
    let drafts = infer.draft.as_ref();
    if parallel.pipeline > 1 || parallel.data > 1 || drafts.is_some_and(|draft| draft.kind != DraftKind::Ngram) {
        return None;
    }
    let dtype = dtype(request).filter(|_| quant.is_none());
    Some(
        Command::new("text-generation-launcher")
            .flag("--model-id", &request.model.id)
            .flag("--num-shard", parallel.tensor)
            .flag("--max-input-tokens", request.seq.saturating_sub(infer.output.max(1)).max(1))
            .flag("--max-total-tokens", request.seq)
            .maybe("--max-concurrent-requests", max_requests(request, infer))
            .maybe("--cuda-memory-fraction", fraction(request, infer, "tgi"))
            .flag_if(asked(request, "max_batched_tokens"), "--max-batch-prefill-tokens", infer.max_batched_tokens)
            .maybe("--quantize", quant)
            .maybe("--kv-cache-dtype", kv_cache(request, infer, "fp8_e4m3fn")?)
            .maybe("--dtype", dtype)
            .flag_if(infer.eager, "--cuda-graphs", 0)
            .maybe("--speculate", drafts.map(|draft| draft.tokens))
            .0,
    )
}

/// `lmdeploy serve api_server`: lmdeploy/cli/utils.py ArgumentHelper. Tensor parallel only; the cache goes in 16, 8 or 4
/// bits.
fn lmdeploy(request: &Request, infer: &Infer) -> Option<String> {
    let format = quantization(infer, &[("awq", "awq"), ("gptq-int4", "gptq"), ("fp8", "fp8")])?;
    let policy = match infer.kv.name {
        _ if !asked(request, "kv") => None,
        "fp16" | "bf16" => None,
        "int8" => Some(8),
        "int4" => Some(4),
        _ => return None,
    };
    let parallel = request.parallel;
    if parallel.pipeline > 1 || parallel.data > 1 || infer.draft.is_some() {
        return None;
    }
    Some(
        Command::new(format_args!("lmdeploy serve api_server {}", request.model.id))
            .flag("--tp", parallel.tensor)
            .flag("--session-len", request.seq)
            .maybe("--cache-max-entry-count", fraction(request, infer, "lmdeploy"))
            .maybe("--max-batch-size", max_requests(request, infer))
            .flag_if(asked(request, "max_batched_tokens"), "--max-prefill-token-num", infer.max_batched_tokens)
            .maybe("--model-format", format)
            .maybe("--quant-policy", policy)
            .0,
    )
}

/// A GGUF file's usual name: `Qwen2.5-7B-Instruct-Q4_K_M.gguf`.
fn gguf_file(model: &Model, infer: &Infer) -> Option<String> {
    let quant = match infer.weights.name.as_str() {
        "none" | "bf16" => "BF16".to_owned(),
        "fp16" => "F16".to_owned(),
        name if name.starts_with('q') || name.starts_with("iq") => name.to_uppercase(),
        "mxfp4" | "mxfp4_moe" => "MXFP4".to_owned(),
        _ => return None,
    };
    let name = model.id.rsplit('/').next().unwrap_or(&model.id);
    Some(format!("{name}-{quant}.gguf"))
}

/// Name of the cache type: llama.cpp takes one for keys and one for values.
fn gguf_cache(request: &Request, infer: &Infer) -> Option<Option<&'static str>> {
    match infer.kv.name {
        _ if !asked(request, "kv") => Some(None),
        "fp16" => Some(None),
        "int8" => Some(Some("q8_0")),
        "int4" => Some(Some("q4_0")),
        name @ ("f32" | "bf16" | "q8_0" | "q5_1" | "q5_0" | "q4_1" | "q4_0" | "iq4_nl") => Some(Some(name)),
        _ => None,
    }
}

/// Layers that the card has, the head counted as one, where they are not all.
fn layers_on_card(request: &Request, infer: &Infer) -> Option<u64> {
    let on_host = infer.on_host.layers;
    (on_host > 0).then(|| request.model.depth() + 1 - on_host)
}

/// `llama-server`: tools/server/README.md. The context is shared by the slots.
fn llama_server(request: &Request, infer: &Infer) -> Option<String> {
    let parallel = request.parallel;
    if parallel.data > 1 || (parallel.tensor > 1 && parallel.pipeline > 1) {
        return None;
    }
    let slots = concurrency(infer).unwrap_or(1);
    let cache = gguf_cache(request, infer)?;
    let draft = match &infer.draft {
        None => None,
        Some(draft) => Some((gguf_file(&draft.model.as_ref()?.0, infer)?, draft.tokens)),
    };
    Some(
        Command::new("llama-server")
            .flag("--model", gguf_file(&request.model, infer)?)
            .flag("--ctx-size", request.seq * slots)
            .flag("--parallel", slots)
            .flag(
                "--n-gpu-layers",
                layers_on_card(request, infer).map_or("all".to_owned(), |layers| layers.to_string()),
            )
            .flag_if(infer.on_host.experts_of > 0, "--n-cpu-moe", infer.on_host.experts_of)
            .flag_if(request.hardware.gpus > 1, "--split-mode", if parallel.tensor > 1 { "tensor" } else { "layer" })
            .flag_if(request.hardware.gpus > 1, "--tensor-split", vec!["1"; request.hardware.gpus as usize].join(","))
            .maybe("--cache-type-k", cache)
            .maybe("--cache-type-v", cache)
            .flag_if(cache.is_some(), "--flash-attn", "on")
            .maybe("--model-draft", draft.as_ref().map(|(file, _)| file))
            .maybe("--draft-max", draft.as_ref().map(|(_, tokens)| tokens))
            .0,
    )
}

/// Modelfile: docs/modelfile.mdx; the server's environment: envconfig/config.go.
fn ollama(request: &Request, infer: &Infer) -> Option<String> {
    if request.parallel.data > 1 || infer.draft.is_some() {
        return None;
    }
    let cache = match gguf_cache(request, infer)? {
        None => None,
        Some(name @ ("q8_0" | "q4_0")) => Some(name),
        Some(_) => return None,
    };
    let mut server = format!("# server: OLLAMA_NUM_PARALLEL={}", concurrency(infer).unwrap_or(1));
    if let Some(cache) = cache {
        server += &format!(" OLLAMA_FLASH_ATTENTION=1 OLLAMA_KV_CACHE_TYPE={cache}");
    }
    Some(format!(
        "{server} ollama serve\nFROM ./{}\nPARAMETER num_ctx {}{}",
        gguf_file(&request.model, infer)?,
        request.seq,
        layers_on_card(request, infer).map_or(String::new(), |layers| format!("\nPARAMETER num_gpu {layers}"))
    ))
}

/// `transformers serve` has no length or batch limits, so this is the loading code: `from_pretrained`.
fn transformers(request: &Request, infer: &Infer) -> Option<String> {
    let dtype = dtype(request).unwrap_or("auto");
    let (import, quant) = match infer.weights.name.as_str() {
        "none" | "bf16" | "fp16" | "fp32" | "awq" | "gptq-int4" | "gptq-int8" | "mxfp4" => ("", ""),
        "bnb-nf4" => (
            ", BitsAndBytesConfig",
            "\n    quantization_config=BitsAndBytesConfig(load_in_4bit=True, bnb_4bit_quant_type=\"nf4\", bnb_4bit_use_double_quant=True),",
        ),
        "bnb-int8" | "int8" => {
            (", BitsAndBytesConfig", "\n    quantization_config=BitsAndBytesConfig(load_in_8bit=True),")
        }
        _ => return None,
    };
    kv_cache(request, infer, "fp8").filter(Option::is_none)?;
    if request.hardware.nodes > 1 || request.parallel.data > 1 {
        return None;
    }
    let id = &request.model.id;
    let new_tokens = infer.output.max(1);
    let (assistant, generate) = match &infer.draft {
        None => (String::new(), String::new()),
        Some(Draft { model: Some((model, _)), .. }) => (
            format!(
                "assistant = AutoModelForCausalLM.from_pretrained(\"{}\", dtype=\"{dtype}\", device_map=\"auto\")\n",
                model.id
            ),
            ", assistant_model=assistant".to_owned(),
        ),
        Some(draft) => (String::new(), format!(", prompt_lookup_num_tokens={}", draft.tokens)),
    };
    Some(format!(
        "from transformers import AutoModelForCausalLM, AutoTokenizer{import}\n\n\
         tokenizer = AutoTokenizer.from_pretrained(\"{id}\")\n\
         model = AutoModelForCausalLM.from_pretrained(\n    \"{id}\",\n    dtype=\"{dtype}\",\n    device_map=\"auto\",{quant}\n)\n{assistant}\
         inputs = tokenizer(prompts, return_tensors=\"pt\", padding=True, truncation=True, max_length={}).to(model.device)\n\
         model.generate(**inputs, max_new_tokens={new_tokens}{generate})",
        request.seq.saturating_sub(new_tokens).max(1)
    ))
}

/// `fastchat.serve.model_worker`: fastchat/serve/model_worker.py, model_adapter.py.
fn fastchat(request: &Request, infer: &Infer) -> Option<String> {
    let eight_bit = match infer.weights.name.as_str() {
        "none" | "bf16" | "fp16" => false,
        "int8" => true,
        _ => return None,
    };
    let whole = request.parallel.data == 1 && request.hardware.nodes == 1 && infer.draft.is_none();
    kv_cache(request, infer, "fp8").filter(|cache| whole && cache.is_none())?;
    Some(
        Command::new("python -m fastchat.serve.model_worker")
            .flag("--model-path", &request.model.id)
            .flag("--num-gpus", request.hardware.gpus)
            .maybe("--limit-worker-concurrency", concurrency(infer))
            .maybe("--dtype", dtype(request))
            .switch(eight_bit, "--load-8bit")
            .0,
    )
}
