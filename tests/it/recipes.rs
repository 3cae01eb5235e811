//! Launch recipes as people would paste them.

use headroom::catalog::Catalog;
use headroom::estimate::estimate;
use headroom::paste;
use headroom::recipes::{Recipe, recipes};
use headroom::request::{complete, line};

fn of(text: &str) -> Vec<Recipe> {
    let catalog = Catalog::embedded();
    let settings = line::read(text, catalog).expect("the line reads").settings;
    recipes(&complete(&settings, catalog).expect("the line is complete"))
}

/// The text of one program's recipe, without the line that names program and cards.
fn recipe(text: &str, program: &str) -> String {
    let all = of(text);
    let found = all.iter().find(|recipe| recipe.program.starts_with(program));
    let text = &found.unwrap_or_else(|| panic!("no recipe for {program}: {all:?}")).text;
    text.lines().filter(|line| !line.starts_with("# ") || !line.contains(" × ")).collect::<Vec<_>>().join("\n")
}

const GGUF: &str = "infer Qwen/Qwen2.5-7B-Instruct quant=q4_k_m seq=8192 concurrency=4 kv=q8_0 gpu=rtx-4090-24gb";
const FP8: &str = "infer meta-llama/Meta-Llama-3.1-70B-Instruct quant=fp8 seq=8192 concurrency=32 prompt=1024 output=512 gpu_mem_util=0.9 gpu=h100-sxm-80gb gpus=4 tp=4";
const QLORA: &str = "train Qwen/Qwen2.5-7B-Instruct method=qlora stage=sft lora_rank=16 lora_alpha=32 lora_targets=all seq=4096 batch=2 accum=8 optimizer=paged-adamw-8bit checkpointing=on loss=fused attn=flash precision=bf16 epochs=3 gpu=rtx-4090-24gb";
const LORA: &str = "train meta-llama/Meta-Llama-3.1-8B method=lora lora_rank=8 lora_targets=q,v seq=4096 batch=2 accum=8 precision=bf16 gpu=rtx-4090-24gb";
const PRETRAIN: &str = "stage=pretrain seq=8192 batch=1 global_batch=1024 tp=8 gpu=h100-sxm-80gb gpus=512";

#[test]
fn serving_in_the_words_of_each_engine() {
    let awq = "infer Qwen/Qwen2.5-72B-Instruct backend=vllm quant=awq seq=32768 concurrency=64 gpu_mem_util=0.92 kv=fp8 gpu=a100-sxm-80gb gpus=2 tp=2";
    let recipes = [
        recipe(awq, "vLLM"),
        recipe(&format!("{FP8} backend=sglang"), "SGLang"),
        recipe(&format!("{FP8} backend=trtllm"), "TensorRT-LLM"),
        recipe(&format!("{FP8} backend=tgi"), "TGI"),
        recipe(&format!("{GGUF} backend=llama.cpp"), "llama.cpp"),
        recipe(&format!("{GGUF} backend=ollama"), "Ollama"),
        recipe(
            "infer Qwen/Qwen2.5-7B-Instruct backend=transformers quant=bnb-nf4 seq=4096 output=512 gpu=rtx-4090-24gb",
            "transformers",
        ),
        recipe("infer lmsys/vicuna-7b-v1.5 backend=fastchat gpu=rtx-4090-24gb gpus=2 pp=2 tp=1", "FastChat"),
    ];
    insta::assert_snapshot!(recipes.join("\n\n"));
}

#[test]
fn fine_tuning_in_the_words_of_each_program() {
    let full =
        "train meta-llama/Meta-Llama-3.1-8B method=full batch=2 accum=8 checkpointing=on gpu=a100-sxm-40gb gpus=4";
    let recipes = [
        recipe(&format!("{full} framework=deepspeed zero=3 offload=cpu"), "DeepSpeed"),
        recipe(&format!("{full} framework=fsdp sharding=fsdp"), "accelerate"),
        recipe(QLORA, "LLaMA-Factory"),
        recipe(QLORA, "Axolotl"),
        recipe(&format!("{QLORA} framework=swift"), "ms-swift"),
        recipe(&format!("{QLORA} framework=unsloth"), "Unsloth"),
        recipe(&format!("{LORA} framework=torchtune"), "torchtune"),
        recipe(&format!("{LORA} framework=litgpt"), "LitGPT"),
    ];
    insta::assert_snapshot!(recipes.join("\n\n"));
}

#[test]
fn pre_training_in_the_words_of_each_program() {
    let recipes = [
        recipe(
            &format!("train meta-llama/Meta-Llama-3.1-405B framework=torchtitan pp=4 checkpointing=on {PRETRAIN}"),
            "torchtitan",
        ),
        recipe(
            &format!("train meta-llama/Meta-Llama-3.1-405B framework=megatron pp=8 checkpointing=selective {PRETRAIN}"),
            "Megatron",
        ),
        recipe(
            "train deepseek-ai/DeepSeek-V3 framework=megatron stage=pretrain seq=4096 batch=1 global_batch=15360 pp=16 ep=64 precision=bf16 gpu=h800-sxm-80gb gpus=2048",
            "Megatron",
        ),
    ];
    insta::assert_snapshot!(recipes.join("\n\n"));
}

#[test]
fn the_own_program_stands_first_and_those_that_cannot_are_left_out() {
    let check = |line: &str, programs: &str| {
        let names: Vec<_> = of(line).iter().map(|recipe| recipe.program).collect();
        let first: Vec<_> = names.iter().map(|name| name.split(' ').next().unwrap_or(name)).collect();
        assert_eq!(first.join(" "), programs, "{line}");
    };
    check(
        "infer Qwen/Qwen2.5-7B-Instruct backend=sglang gpu=rtx-4090-24gb",
        "SGLang vLLM TensorRT-LLM TGI LMDeploy llama.cpp Ollama transformers FastChat",
    );
    check("infer Qwen/Qwen2.5-7B-Instruct backend=ollama quant=q4_k_m gpu=apple-m4-max-64gb", "Ollama llama.cpp");
    check(
        "train Qwen/Qwen2.5-7B method=qlora framework=unsloth gpu=rtx-4090-24gb",
        "Unsloth accelerate DeepSpeed LitGPT ms-swift LLaMA-Factory Axolotl",
    );
    check("train Qwen/Qwen2.5-7B method=full framework=megatron tp=2 gpu=h100-sxm-80gb gpus=8", "Megatron-LM Axolotl");
}

#[test]
fn json_recipes_are_json() {
    let text = recipe(
        "train meta-llama/Meta-Llama-3.1-8B method=full framework=deepspeed zero=2 batch=4 accum=2 gpu=a100-sxm-80gb gpus=8",
        "DeepSpeed",
    );
    let file: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    // 4 sequences × 2 accumulation steps × 8 ranks
    assert_eq!(file["train_batch_size"], 64);
    assert_eq!(file["zero_optimization"]["stage"], 2);
}

/// A recipe read back is the line it was written from, but for what the program has no word for.
#[track_caller]
fn reads_back(text: &str, program: &str, unsaid: &[&str]) {
    let catalog = Catalog::embedded();
    let asked = line::read(text, catalog).expect("the line reads").settings;
    let all = of(text);
    let recipe = all.iter().find(|recipe| recipe.program.starts_with(program)).expect("a recipe");
    let mut read = paste::read(&recipe.text, catalog).expect("the recipe reads").settings;
    for (key, value) in &asked.values {
        if unsaid.contains(key) {
            read.values.insert(key, value.clone());
        }
        assert_eq!(read.get(key), Some(value), "{key} of {}", recipe.text);
    }
    let memory = |settings| estimate(&complete(settings, catalog).expect("the line is complete")).memory.device;
    assert_eq!(memory(&read), memory(&asked), "{} {}", line::write(&read), line::write(&asked));
}

/// SGLang counts replicas of attention inside its tensor ranks, vLLM beside them: each comes to the same memory.
#[test]
fn replicas_of_attention_are_told_as_each_engine_counts_them() {
    let catalog = Catalog::embedded();
    for backend in ["vllm", "sglang"] {
        let text = format!(
            "infer deepseek-ai/DeepSeek-V3 backend={backend} seq=8192 concurrency=32 gpu=h200-sxm-141gb gpus=8 tp=1 ep=8"
        );
        let asked = line::read(&text, catalog).expect("the line reads").settings;
        let recipe = of(&text).remove(0).text;
        let mut read = paste::read(&recipe, catalog).expect("the recipe reads").settings;
        for key in ["gpu", "gpus", "concurrency", "backend"] {
            read.values.insert(key, asked.get(key).expect("asked").clone());
        }
        let device = |settings| estimate(&complete(settings, catalog).expect("the line is complete")).memory.device;
        assert_eq!(device(&read), device(&asked), "{recipe}");
    }
}

#[test]
fn recipes_read_back_as_the_line_they_were_written_from() {
    let load = ["gpu", "gpus", "prompt", "output", "backend"];
    let vllm = "infer Qwen/Qwen2.5-72B-Instruct backend=vllm quant=awq seq=32768 max_seqs=64 gpu_mem_util=0.9 kv=fp8 max_batched_tokens=4096 eager=on tp=2 gpu=a100-sxm-80gb gpus=2";
    reads_back(vllm, "vLLM", &load);
    reads_back(
        "infer meta-llama/Meta-Llama-3.1-405B-Instruct backend=vllm quant=fp8 seq=8192 gpu_mem_util=0.9 tp=8 pp=2 gpu=h100-sxm-80gb gpus=16",
        "vLLM",
        &load,
    );
    let fp8 = "infer meta-llama/Meta-Llama-3.1-70B-Instruct quant=fp8 seq=8192 prompt=1024 output=512 gpu_mem_util=0.85 max_batched_tokens=8192 tp=4 gpu=h100-sxm-80gb gpus=4";
    reads_back(&format!("{fp8} backend=sglang max_seqs=128"), "SGLang", &load);
    reads_back(&format!("{fp8} backend=trtllm max_seqs=128"), "TensorRT-LLM", &[&load[..], &["quant"]].concat());
    reads_back(&format!("{fp8} backend=tgi"), "TGI", &load);
    let halved = "infer meta-llama/Meta-Llama-3.1-70B-Instruct backend=lmdeploy quant=awq kv=int8 seq=8192 gpu_mem_util=0.7 max_batched_tokens=4096 max_seqs=64 tp=2 gpu=a100-sxm-80gb gpus=2";
    reads_back(halved, "LMDeploy", &load);
    let gguf = "infer Qwen/Qwen2.5-7B-Instruct quant=q4_k_m seq=8192 concurrency=4 kv=q8_0 gpu=rtx-4090-24gb";
    reads_back(&format!("{gguf} backend=llama.cpp"), "llama.cpp", &load);
    // How many at once and the cache's type are the server's, not the Modelfile's.
    reads_back(&format!("{gguf} backend=ollama"), "Ollama", &[&load[..], &["concurrency", "kv"]].concat());

    let cards = ["gpu", "gpus", "framework", "precision", "autocast"];
    let qlora = "train Qwen/Qwen2.5-7B-Instruct framework=hf method=qlora stage=sft lora_rank=16 lora_targets=all seq=4096 batch=2 accum=8 optimizer=paged-adamw-8bit checkpointing=on loss=fused attn=flash precision=bf16 gpu=rtx-4090-24gb";
    reads_back(qlora, "LLaMA-Factory", &cards);
    reads_back(qlora, "Axolotl", &[&cards[..], &["stage"]].concat());
    let full = "train meta-llama/Meta-Llama-3.1-8B method=full gpu=a100-sxm-80gb gpus=8";
    let trainer = ["gpu", "model", "method", "seq", "framework", "attn", "checkpointing"];
    reads_back(
        &format!("{full} framework=deepspeed zero=3 offload=optimizer batch=2 accum=4 seq=2048"),
        "DeepSpeed",
        &trainer,
    );
    reads_back(
        &format!("{full} framework=fsdp sharding=fsdp checkpointing=on seq=2048 batch=2"),
        "accelerate",
        &[&trainer[..6], &["batch"]].concat(),
    );
    reads_back(
        "train meta-llama/Meta-Llama-3.1-8B framework=torchtune method=lora lora_rank=8 lora_targets=q,v seq=4096 batch=2 accum=8 checkpointing=on gpu=rtx-4090-24gb",
        "torchtune",
        &["gpu", "gpus"],
    );
    reads_back(
        "train meta-llama/Meta-Llama-3.1-405B framework=megatron method=full stage=pretrain zero=1 seq=8192 batch=1 global_batch=1024 tp=8 pp=8 checkpointing=selective gpu=h100-sxm-80gb gpus=512",
        "Megatron",
        &["gpu", "gpus", "model", "method", "stage"],
    );
    reads_back(
        "train meta-llama/Meta-Llama-3.1-405B-Instruct framework=torchtune method=qlora lora_rank=16 lora_targets=all seq=2048 batch=2 accum=4 checkpointing=on packing=on gpu=a100-sxm-80gb gpus=8",
        "torchtune",
        &["gpu"],
    );
    reads_back(
        "train meta-llama/Meta-Llama-3.1-405B framework=torchtitan method=full stage=pretrain sharding=fsdp seq=8192 batch=1 global_batch=1024 tp=8 pp=4 checkpointing=on gpu=h100-sxm-80gb gpus=512",
        "torchtitan",
        &["gpu"],
    );
    let litgpt = "train Qwen/Qwen2.5-7B framework=litgpt stage=sft seq=4096 batch=2 global_batch=64 precision=bf16";
    reads_back(&format!("{litgpt} method=full gpu=a100-sxm-80gb gpus=8"), "LitGPT", &["gpu", "precision"]);
    reads_back(
        &format!("{litgpt} method=qlora quant=bnb-nf4 lora_rank=16 lora_targets=q,v gpu=rtx-4090-24gb"),
        "LitGPT",
        &["gpu", "precision"],
    );
    reads_back(&qlora.replace("framework=hf", "framework=swift"), "ms-swift", &["gpu", "gpus", "stage"]);
    reads_back(
        &qlora.replace("framework=hf", "framework=unsloth"),
        "Unsloth",
        &["gpu", "gpus", "stage", "loss", "attn", "precision"],
    );
}

/// What a recipe says of speculative decoding, its own paste reader understands.
#[test]
fn drafts_are_read_back() {
    let line = "infer meta-llama/Llama-3.3-70B-Instruct quant=fp8 gpu=h100-sxm-80gb gpus=4 tp=4";
    let deepseek = "infer deepseek-ai/DeepSeek-V3 gpu=h200-sxm-141gb gpus=8 tp=8";
    for (line, program, draft, tokens) in [
        (format!("{line} backend=vllm draft=meta-llama/Llama-3.2-1B"), "vLLM", "meta-llama/Llama-3.2-1B", 5),
        (format!("{line} backend=vllm draft=eagle"), "vLLM", "eagle", 3),
        (format!("{line} backend=vllm draft=ngram draft_tokens=4"), "vLLM", "ngram", 4),
        (format!("{deepseek} backend=vllm draft=mtp"), "vLLM", "mtp", 1),
        (format!("{deepseek} backend=sglang draft=mtp draft_tokens=3"), "SGLang", "mtp", 3),
        (format!("{line} backend=sglang draft=eagle"), "SGLang", "eagle", 3),
        (format!("{line} backend=sglang draft=meta-llama/Llama-3.2-1B"), "SGLang", "meta-llama/Llama-3.2-1B", 5),
        (format!("{line} backend=tgi draft=ngram draft_tokens=2"), "TGI", "ngram", 2),
    ] {
        let text = recipe(&line, program);
        let read = paste::read(&text, Catalog::embedded()).unwrap_or_else(|problem| panic!("{text}: {problem:?}"));
        assert_eq!(read.settings.text("draft"), Some(draft), "{text}");
        assert_eq!(read.settings.count("draft_tokens"), Some(tokens), "{text}");
    }
}
