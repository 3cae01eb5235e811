//! Inference estimates: laws that hold for any request, and published figures.

use crate::support::answer;
use headroom::catalog::Catalog;
use headroom::estimate::{Part, PartKind, Serving};
use headroom::request::{complete, line as lines};
use headroom::units::{Bytes, GIB};
use proptest::prelude::*;

fn serving(text: &str) -> Serving {
    answer(text).serving.unwrap_or_else(|| panic!("{text} serves nothing"))
}

#[track_caller]
fn check(what: &str, found: f64, published: f64, within: f64) {
    assert!((found / published - 1.0).abs() <= within, "{what}: {found}, published {published}");
}

/// Start-up log of a KV cache: bytes a token of one GPU.
#[test]
fn a_token_takes_the_bytes_that_engines_log() {
    let cases = [
        // 36 layers x 2 x 8 heads x 128 x 2 B.
        ("infer Qwen/Qwen3-8B backend=vllm gpu=h100-sxm-80gb", 147_456.0),
        // 27 layers x (512 + 64) x 2 B.
        ("infer deepseek-ai/DeepSeek-V2-Lite backend=vllm gpu=h100-sxm-80gb", 31_104.0),
        ("infer meta-llama/Llama-2-7b-hf backend=trtllm quant=none kv=fp16 gpu=a100-sxm-80gb", 524_288.0),
        // One of four key heads on each of eight GPUs: 94 layers x 2 x 1 x 128 x 2 B.
        ("infer Qwen/Qwen3-235B-A22B backend=vllm gpu=h200-sxm-141gb gpus=8 tp=8", 48_128.0),
        // vLLM counts sliding layers as full ones: 36 layers x 2 x 8 x 64 x 2 B.
        ("infer openai/gpt-oss-120b backend=vllm gpu=h100-sxm-80gb", 73_728.0),
    ];
    for (line, bytes) in cases {
        assert_eq!(serving(line).kv_bytes_per_token.0, bytes, "{line}");
    }
}

/// `vllm serve` 0.19 on an H100, `--gpu-memory-utilization 0.95 --max-model-len 8192`: its log.
#[test]
fn vllm_sizes_its_pool_as_its_log_says() {
    let of = |model: &str, more: &str| {
        serving(&format!(
            "infer {model} backend=vllm gpu=h100-sxm-80gb seq=8192 gpu_mem_util=0.95 max_batched_tokens=8192 \
             max_seqs=1024 backend_version=0.19.0 {more}"
        ))
    };
    let llama = of("meta-llama/Meta-Llama-3.1-8B-Instruct", "quant=none");
    check("weights", llama.weights_per_gpu.gib(), 14.99, 0.001);
    check("tokens", llama.kv_tokens.unwrap_or(0) as f64, 476_016.0, 0.002);
    assert_eq!(llama.max_concurrency, Some(58));
    let gemma = of("google/gemma-2-27b-it", "quant=none");
    check("tokens", gemma.kv_tokens.unwrap_or(0) as f64, 58_672.0, 0.005);
    let halves = of("meta-llama/Meta-Llama-3.1-8B-Instruct", "quant=none kv=fp8");
    assert_eq!(halves.kv_bytes_per_token.0 * 2.0, llama.kv_bytes_per_token.0);
}

/// The same model loaded in 32 bits: 29.98 GiB, 175,296 tokens of 262,144 B.
#[test]
fn full_precision_doubles_weights_and_cache() {
    let llama = serving(
        "infer meta-llama/Meta-Llama-3.1-8B-Instruct backend=vllm precision=fp32 gpu=h100-sxm-80gb seq=8192 \
         gpu_mem_util=0.95 max_batched_tokens=8192 max_seqs=1024 backend_version=0.19.0",
    );
    check("weights", llama.weights_per_gpu.gib(), 29.98, 0.002);
    assert_eq!(llama.kv_bytes_per_token.0, 262_144.0);
    check("tokens", llama.kv_tokens.unwrap_or(0) as f64, 175_296.0, 0.01);
}

/// Qwen3-Next on two H200, vLLM 0.10.2: blocks of 544 tokens so that a state fits one, 14.77 sequences of 262,144.
#[test]
fn a_hybrid_shares_blocks_between_attention_and_states() {
    let qwen = serving(
        "infer Qwen/Qwen3-Next-80B-A3B-Instruct backend=vllm quant=none gpu=h200-sxm-141gb gpus=2 tp=2 seq=262144 \
         gpu_mem_util=0.9 max_batched_tokens=8192 backend_version=0.10.2",
    );
    assert_eq!(qwen.max_concurrency, Some(15));
    assert_eq!(qwen.kv_tokens.unwrap_or(1) % 544, 0);
}

/// DeepSeek-V4-Flash on two H200, vLLM 0.23: its log has 2,175,276 tokens in 32.08 GiB, and 20.43 sequences of 1,048,576
/// on eight B200 (issue 51454).
#[test]
fn a_compressed_cache_is_paged_as_vllm_pages_it() {
    let line = "infer deepseek-ai/DeepSeek-V4-Flash backend=vllm kv=fp8 backend_version=0.23";
    let two = serving(&format!("{line} gpu=h200-sxm-141gb gpus=2 tp=2 seq=262144 gpu_mem_util=0.78 eager=on"));
    let each = two.kv_cache_available.map_or(0.0, |bytes| bytes.gib()) / two.kv_tokens.unwrap_or(1) as f64;
    check("GiB a token", each, 32.08 / 2_175_276.0, 0.01);
    let eight = serving(&format!(
        "{line} gpu=b200-sxm-180gb gpus=8 tp=8 ep=8 seq=1048576 gpu_mem_util=0.95 max_batched_tokens=8192 max_seqs=256"
    ));
    check("sequences", eight.kv_tokens.unwrap_or(0) as f64 / 1_048_576.0, 20.43, 0.02);
}

/// Qwen3.6-27B-FP8 on an H100 at 0.95: 856 blocks of states, fewer than the 1024 sequences of a large card (recipes 551).
#[test]
fn each_sequence_needs_a_block_for_its_state() {
    let line = "infer Qwen/Qwen3.6-27B backend=vllm backend_version=0.22 quant=fp8 gpu=h100-sxm-80gb gpu_mem_util=0.95 seq=8192";
    assert!(!serving(&format!("{line} max_seqs=1024")).starts);
    assert!(serving(&format!("{line} max_seqs=512")).starts);
    assert!(serving(&format!("{line} max_seqs=1024 eager=on")).starts);
    let said = |line: &str| answer(line).notes.iter().any(|note| note.key == "note-infer-lower-seqs");
    assert!(said(line) && !said(&format!("{line} max_seqs=512")));
}

#[test]
fn sglang_starts_with_a_cache_shorter_than_its_context() {
    let line = "infer meta-llama/Llama-3.1-8B-Instruct backend=sglang gpu=rtx-4090-24gb seq=131072";
    assert!(serving(line).starts && serving(line).max_seq < Some(131_072));
    assert!(!serving(&format!("{line} prompt=120000")).starts);
    assert!(!serving(&line.replace("sglang", "vllm")).starts);
}

#[test]
fn a_request_beyond_the_maximum_length_is_named() {
    let line = "infer meta-llama/Llama-3.1-8B-Instruct gpu=h100-sxm-80gb seq=2048";
    let said =
        |more: &str| answer(&format!("{line} {more}")).notes.iter().any(|note| note.key == "note-infer-too-long");
    assert!(said("prompt=2048 output=512") && !said("prompt=1536 output=512") && !said(""));
}

/// Sizes of published GGUF files: `llama-quantize --help` for Llama-3.1-8B, and the logs of larger models.
#[test]
fn a_gguf_is_as_large_as_its_file() {
    let cases = [
        ("meta-llama/Meta-Llama-3.1-8B", "q8_0", 8.5008, 8_030_261_312.0),
        ("meta-llama/Meta-Llama-3.1-8B", "q6_k", 6.5633, 8_030_261_312.0),
        ("meta-llama/Meta-Llama-3.1-8B", "q5_k_m", 5.7036, 8_030_261_312.0),
        ("meta-llama/Meta-Llama-3.1-8B", "q4_k_m", 4.8944, 8_030_261_312.0),
        ("meta-llama/Meta-Llama-3.1-8B", "q4_k_s", 4.6672, 8_030_261_312.0),
        ("meta-llama/Meta-Llama-3.1-8B", "q3_k_l", 4.2979, 8_030_261_312.0),
        ("meta-llama/Meta-Llama-3.1-8B", "q2_k", 3.1593, 8_030_261_312.0),
        ("meta-llama/Meta-Llama-3.1-8B", "iq3_m", 3.7628, 8_030_261_312.0),
        ("meta-llama/Meta-Llama-3.1-8B", "iq2_m", 2.9294, 8_030_261_312.0),
        ("meta-llama/Meta-Llama-3.1-8B", "iq1_s", 2.0042, 8_030_261_312.0),
        ("meta-llama/Meta-Llama-3.1-70B", "q4_0", 4.53, 70_553_706_560.0),
        ("Qwen/Qwen3-32B", "q4_k_m", 4.825, 32_762_123_264.0),
        ("meta-llama/Meta-Llama-3-70B", "q4_k_m", 4.822, 70_553_706_496.0),
    ];
    for (model, quant, bits, parameters) in cases {
        let line = format!("infer {model} backend=llama.cpp quant={quant} seq=512 gpu=mi300x");
        let found = answer(&line);
        let weights = found.serving.as_ref().map_or(0.0, |serving| serving.weights_per_gpu.0);
        check(&line, (weights + found.memory.host.0) * 8.0 / parameters, bits, 0.01);
    }
}

const MODELS: [&str; 12] = [
    "meta-llama/Meta-Llama-3-8B",
    "meta-llama/Llama-3.3-70B-Instruct",
    "Qwen/Qwen2.5-0.5B",
    "Qwen/Qwen3-30B-A3B",
    "Qwen/Qwen3-Next-80B-A3B-Instruct",
    "deepseek-ai/DeepSeek-V3",
    "deepseek-ai/DeepSeek-V3.2",
    "openai/gpt-oss-20b",
    "google/gemma-2-9b",
    "google/gemma-3-27b-it",
    "mistralai/Mixtral-8x7B-v0.1",
    "tiiuae/falcon-7b",
];
const BACKENDS: [&str; 9] =
    ["vllm", "sglang", "trtllm", "tgi", "transformers", "pytorch", "fastchat", "llama.cpp", "ollama"];

prop_compose! {
    fn any_line()(
        model in prop::sample::select(&MODELS[..]),
        backend in prop::sample::select(&BACKENDS[..]),
        gpu in prop::sample::select(&["rtx-4090-24gb", "a100-sxm-80gb", "h200-sxm-141gb", "mi300x-192gb", "apple-m2-ultra-192gb", "l4-24gb"][..]),
        prompt in 1u64..20_000,
        output in 1u64..4_000,
        concurrency in 1u64..300,
    ) -> (String, u64, u64, u64) {
        (format!("infer {model} backend={backend} gpu={gpu}"), prompt, output, concurrency)
    }
}

fn at((line, prompt, output, concurrency): &(String, u64, u64, u64)) -> String {
    format!("{line} prompt={prompt} output={output} concurrency={concurrency}")
}

fn pace(text: &str) -> (f64, f64, f64) {
    let speed = serving(text).speed.unwrap_or_default();
    (speed.ttft_ms.value, speed.tpot_ms.value, speed.tokens_per_s.value)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn the_parts_sum_and_nothing_is_negative(load in any_line()) {
        let text = at(&load);
        let found = answer(&text);
        let memory = &found.memory;
        let sum: Bytes = memory.parts.iter().map(Part::bytes).sum();
        prop_assert!((sum.0 - memory.device.0).abs() < 1.0, "{text}");
        for part in &memory.parts {
            prop_assert!(part.bytes().0 >= 0.0, "{text}: {part:?}");
        }
        prop_assert!(memory.low.0 <= memory.device.0 && memory.device.0 <= memory.high.0);
        prop_assert!(memory.allocated.0 <= memory.device.0 && memory.needed.0 <= memory.device.0 + 1.0, "{text}");
        let speed = found.serving.and_then(|serving| serving.speed).unwrap_or_default();
        for ranged in [speed.ttft_ms, speed.tpot_ms, speed.tokens_per_s] {
            prop_assert!(ranged.value.is_finite() && ranged.low <= ranged.value && ranged.value <= ranged.high, "{text}");
        }
        let stalls: f64 = speed.breakdown.iter().map(|(_, time)| time.0).sum();
        prop_assert!(stalls > 0.0, "{text}");
    }

    #[test]
    fn more_requests_need_more_and_are_each_slower((line, prompt, output, concurrency) in any_line()) {
        let few = at(&(line.clone(), prompt, output, concurrency));
        let many = at(&(line, prompt, output, concurrency + 10));
        prop_assert!(answer(&many).memory.needed.0 >= answer(&few).memory.needed.0 - 1.0, "{few}");
        let (few_first, few_each, few_rate) = pace(&few);
        let (many_first, many_each, many_rate) = pace(&many);
        prop_assert!(many_first >= few_first * 0.999 && many_each >= few_each * 0.999, "{few}");
        prop_assert!(many_rate >= few_rate * 0.98, "{few}: {many_rate} of {few_rate}");
    }

    #[test]
    fn longer_requests_need_more_and_wait_longer((line, prompt, output, concurrency) in any_line()) {
        let short = at(&(line.clone(), prompt, output, concurrency));
        let long = at(&(line, 2 * prompt, output, concurrency));
        prop_assert!(answer(&long).memory.needed.0 >= answer(&short).memory.needed.0 - 1.0, "{short}");
        // What does not start is timed as if all its requests ran.
        if serving(&long).starts {
            prop_assert!(pace(&long).0 >= pace(&short).0 * 0.999, "{short}");
        }
    }

    #[test]
    fn fewer_bits_never_need_more(model in prop::sample::select(&MODELS[..]), seq in 128u64..4_000) {
        let needed = |backend: &str, quant: &str| {
            let line = format!("infer {model} backend={backend} quant={quant} gpu=mi300x-192gb seq={seq}");
            answer(&line).memory.needed.0
        };
        let checkpoint = ["none", "fp8", "gptq-int8", "nvfp4", "mxfp4"];
        for (wide, narrow) in [("none", "fp8"), ("none", "gptq-int8"), ("fp8", "awq"), ("gptq-int8", "gptq-int4")] {
            prop_assert!(needed("vllm", narrow) <= needed("vllm", wide), "{model} {narrow}");
        }
        for narrow in &checkpoint[1..] {
            prop_assert!(needed("vllm", narrow) <= needed("vllm", "none"), "{model} {narrow}");
        }
        let files = ["gguf-f16", "q8_0", "q6_k", "q5_k_m", "q4_k_m", "q3_k_m", "q2_k"];
        for pair in files.windows(2) {
            prop_assert!(needed("llama.cpp", pair[1]) <= needed("llama.cpp", pair[0]), "{model} {pair:?}");
        }
    }

    /// Ranks together hold the model once, and again only what is copied: norms, routers, latents' way down, key heads
    /// beyond one a rank, a tied table at both ends, padding of the vocabulary.
    #[test]
    fn ranks_together_hold_the_model_and_its_copies(
        model in prop::sample::select(&MODELS[..8]),
        tp in prop::sample::select(&[1u64, 2][..]),
        pp in prop::sample::select(&[1u64, 2, 4][..]),
    ) {
        let gpus = tp * pp;
        let weights = |layout: &str| serving(&format!("infer {model} quant=none seq=512 {layout}")).weights_per_gpu.0;
        let whole = weights("gpus=1");
        let split = weights(&format!("gpus={gpus} tp={tp} pp={pp}")) * gpus as f64;
        prop_assert!(split >= whole * 0.999, "{model} tp={tp} pp={pp}: {split} of {whole}");
        let catalog = Catalog::embedded();
        let found = catalog.model(model).expect("a model of the catalog");
        // The fullest of uneven stages, a table at each end, and what ranks copy.
        let stage = 1.0 + pp as f64 / found.depth() as f64;
        let tables = 2.0 * (found.counts.embedding + found.counts.lm_head) as f64 * (pp - 1) as f64;
        prop_assert!(split <= whole * stage * 1.06 + 2.0 * tables + 0.1 * GIB, "{model} tp={tp} pp={pp}: {split} of {whole}");
    }
}

#[test]
fn more_bandwidth_decodes_faster() {
    let each = |gpu: &str| {
        pace(&format!("infer meta-llama/Llama-3.3-70B-Instruct quant=fp8 gpu={gpu} prompt=1024 output=512")).1
    };
    assert!(each("h200-sxm-141gb") < each("h100-sxm-80gb"));
    assert!(each("h100-sxm-80gb") < each("a100-sxm-80gb"));
}

/// 49 more requests of 32,768 tokens: 80 layers x 2 x 1 of 8 heads x 128 x 2 B a token on one of eight GPUs.
#[test]
fn a_length_alone_asks_for_requests_as_long() {
    let line = "infer meta-llama/Llama-3.3-70B-Instruct quant=fp8 kv=fp16 seq=32768 gpu=h200-sxm-141gb gpus=8 tp=8";
    let needed = |concurrency: u64| answer(&format!("{line} concurrency={concurrency}")).memory.needed.0;
    check("49 more sequences", needed(50) - needed(1), 49.0 * 32_768.0 * 80.0 * 2.0 * 128.0 * 2.0, 1e-9);
}

#[test]
fn as_many_as_fit_run_without_a_pool_too() {
    let most = answer("infer meta-llama/Meta-Llama-3-8B backend=transformers gpu=rtx-4090-24gb concurrency=max");
    let card = Catalog::embedded().gpu("rtx-4090-24gb").map_or(0.0, |gpu| gpu.memory.0);
    assert!(most.memory.device.0 < card && most.memory.device.0 > 0.9 * card, "{:?}", most.memory.device);
}

#[test]
fn what_does_not_fit_says_so() {
    // Qwen2.5-7B AWQ on an 8 GiB card at 0.7: vLLM logs a cache of -1.05 GiB.
    let tight = serving(
        "infer Qwen/Qwen2.5-7B-Instruct backend=vllm quant=awq gpu=rtx-4060-8gb seq=4096 gpu_mem_util=0.7 backend_version=0.7",
    );
    assert!(!tight.starts);
    // Llama-3.1-8B on an A10: a pool of 37,696 tokens for sequences of 131,072.
    let long = serving(
        "infer meta-llama/Meta-Llama-3.1-8B backend=vllm quant=none gpu=a10-24gb seq=131072 gpu_mem_util=0.9 backend_version=0.7",
    );
    assert!(!long.starts);
    check("longest", long.max_seq.unwrap_or(0) as f64, 37_696.0, 0.02);
}

/// One GPU without limits holds two bytes of every parameter, the vocabulary rounded up to 64 rows, and rotary tables.
#[test]
fn every_model_weighs_two_bytes_a_parameter() {
    for model in Catalog::embedded().models() {
        let line = format!("infer {} quant=none backend=vllm seq=256", model.id);
        let weights = serving(&line).weights_per_gpu.0;
        let padding = 2.0 * 64.0 * model.hidden_size as f64 * 2.0;
        let attention = &model.attention;
        let rotary =
            model.max_position.unwrap_or(0) as f64 * attention.head_dim.max(attention.rope_head_dim) as f64 * 2.0;
        let exact = 2.0 * model.counts.total as f64;
        let found = weights / exact;
        let most = (exact + 2.0 * padding + rotary) / exact;
        assert!(found > 0.9999 && found < most + 0.0001, "{}: {found}", model.id);
    }
}

/// Published checkpoints in eight bits keep some linears in sixteen; towers are divided like the rest. GiB a GPU as vLLM
/// logged them (issues 6746, 16152, 16570).
#[test]
fn checkpoints_weigh_what_vllm_logged() {
    for (line, logged) in [
        ("infer meta-llama/Meta-Llama-3.1-405B-Instruct-FP8 backend=vllm tp=8 gpu=h100-sxm-80gb gpus=8", 57.752),
        ("infer meta-llama/Llama-3.1-405B-Instruct-FP8 quant=fp8 backend=vllm tp=8 gpu=h100-sxm-80gb gpus=8", 57.752),
        ("infer meta-llama/Llama-4-Maverick-17B-128E-Instruct-FP8 backend=vllm tp=8 gpu=h100-sxm-80gb gpus=8", 48.868),
        ("infer Qwen/Qwen2.5-VL-72B-Instruct backend=vllm tp=4 gpu=a100-sxm-40gb gpus=4", 34.43),
    ] {
        check(line, serving(line).weights_per_gpu.gib(), logged, 0.02);
    }
}

/// club-3090's issues 104, 142 and 642: 623,873 tokens. Drafted tokens take a block of states each, of three groups,
/// and the tower is profiled at 65,536 patches.
#[test]
fn drafts_and_towers_take_from_the_cache_what_vllm_logged() {
    let line = "infer Qwen/Qwen3.6-27B backend=vllm backend_version=0.21 quant=int4 kv=fp8 tp=2 seq=262144 \
                max_batched_tokens=8192 max_seqs=2 gpu=rtx-3090-24gb gpus=2";
    let (with, without) = (serving(&format!("{line} draft=mtp draft_tokens=3")), serving(line));
    check("tokens", with.kv_tokens.unwrap_or(0) as f64, 623_873.0, 0.01);
    check("peak", with.activation_peak.0, 65_536.0 * 2.0 * (1536.0 + 2.0 * 1152.0 + 4304.0), 0.2);
    assert!(with.kv_tokens < without.kv_tokens);
}

/// Llama-3.2-1B: 1,235,814,400 parameters in 16 bits, 16 layers x 2 x 8 heads x 64 x 2 B a token.
#[test]
fn a_draft_model_keeps_weights_and_cache_of_its_own() {
    let line = "infer meta-llama/Llama-3.1-8B-Instruct backend=sglang quant=none seq=8192 gpu=h100-sxm-80gb";
    let (alone, with) = (serving(line), serving(&format!("{line} draft=meta-llama/Llama-3.2-1B")));
    check("weights", with.weights_per_gpu.0 - alone.weights_per_gpu.0, 2.0 * 1_235_814_400.0, 1e-3);
    assert_eq!(with.kv_bytes_per_token.0 - alone.kv_bytes_per_token.0, 32_768.0);
    assert!(with.kv_tokens < alone.kv_tokens);
}

/// SGLang's documentation: DeepSeek's own layer decodes 1.8 times as fast for one request and 1.5 times for 32, 8 x H200.
#[test]
fn multi_token_prediction_gains_what_was_published() {
    let each = |requests: u64, draft: &str| {
        let line =
            "infer deepseek-ai/DeepSeek-R1 backend=sglang gpu=h200-sxm-141gb gpus=8 tp=8 prompt=1024 output=1024";
        pace(&format!("{line} concurrency={requests} {draft}")).1
    };
    check("one request", each(1, "") / each(1, "draft=mtp draft_tokens=2"), 1.8, 0.25);
    check("32 requests", each(32, "") / each(32, "draft=mtp draft_tokens=2"), 1.5, 0.25);
    // Nothing accepted: the work is done for nothing.
    assert!(each(32, "draft=mtp acceptance=0") > each(32, ""));
}

#[test]
fn what_cannot_draft_says_so() {
    for (line, knob) in [
        ("infer meta-llama/Llama-3.1-8B draft=mtp", "draft"),
        ("infer meta-llama/Llama-3.1-8B draft=Qwen/Qwen2.5-0.5B", "draft"),
        ("infer meta-llama/Llama-3.1-8B backend=ollama draft=ngram", "draft"),
        ("infer meta-llama/Llama-3.1-8B acceptance=0.8", "acceptance"),
    ] {
        let catalog = Catalog::embedded();
        let settings = lines::read(line, catalog).expect("the line reads").settings;
        let problem = complete(&settings, catalog).expect_err(line);
        assert_eq!(problem.knob, Some(knob), "{line}");
        assert!(!problem.suggestions.is_empty(), "{line}");
    }
}

/// Qwen2.5-Coder-14B in Q4_K_M on an RTX 5060 Ti: MiB that `nvidia-smi` showed over `-ngl`.
/// https://inventivehq.com/blog/vram-offload-cliff-gpu-layers-benchmark
#[test]
fn a_layer_on_the_card_takes_what_a_sweep_shows() {
    let device = |layers: u32| {
        let line = format!(
            "infer Qwen/Qwen2.5-Coder-14B-Instruct backend=llama.cpp quant=q4_k_m gpu=rtx-5060-ti-16gb seq=4096 \
             gpu_layers={layers}"
        );
        answer(&line).memory.device.gib() * 1024.0
    };
    for (layers, measured) in [(16, 3509.0), (24, 4875.0), (32, 6241.0), (40, 7593.0), (99, 9179.0)] {
        check(&format!("{layers} layers"), device(layers) - device(8), measured - 2161.0, 0.01);
    }
    let bare = answer("infer Qwen/Qwen2.5-Coder-14B-Instruct quant=q4_k_m gpu=rtx-5060-ti-16gb gpu_layers=0");
    assert_eq!(bare.memory.part(PartKind::Weights), Bytes::ZERO);
    assert!(bare.serving.is_some_and(|serving| serving.kv_tokens.is_none()));
}

/// gpt-oss-120b on two RTX 5090 with the experts of three layers on the CPU: 108 tokens/s.
/// https://github.com/ggml-org/llama.cpp/pull/15077
#[test]
fn experts_on_the_cpu_slow_a_token_as_far_as_it_needs_them() {
    let speed = |more: &str| {
        let serving = serving(&format!("infer openai/gpt-oss-120b backend=llama.cpp gpu=rtx-5090-32gb gpus=2 {more}"));
        serving.speed.unwrap_or_else(|| panic!("{more}")).tokens_per_s
    };
    let split = speed("cpu_moe=3");
    assert!(split.low <= 108.0 && 108.0 <= split.high, "{split:?}");
    assert!(speed("").value > split.value && split.value > speed("cpu_moe=6").value);
    // Whole layers take attention along.
    assert!(speed("cpu_moe=6").value > speed("gpu_layers=31").value);
}
