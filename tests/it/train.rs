//! Training estimates: laws that hold for any request, sums done by hand, traced and published figures.

use crate::support::{answer, request};
use headroom::estimate::{Estimate, PartKind};
use headroom::units::GIB;
use headroom::validate::{Options, run};
use proptest::prelude::*;

#[track_caller]
fn check(what: &str, found: f64, expected: f64, within: f64) {
    assert!((found / expected - 1.0).abs() <= within, "{what}: {found}, expected {expected}");
}

const LLAMA_8B: f64 = 8_030_261_248.0;

/// Weights, gradients and optimizer states of one GPU, by the bytes a parameter of Rajbhandari et al. 2020 and of
/// Megatron's `dist_optimizer.md`.
#[test]
fn states_take_the_bytes_a_parameter_that_the_papers_say() {
    let model = "train meta-llama/Meta-Llama-3-8B method=full batch=1 seq=512";
    for (knobs, bytes) in [
        // fp32: 4 + 4 + 8.
        ("framework=hf precision=fp32", 16.0),
        // fp32 weights under autocast: 4 + 4 + 8.
        ("framework=hf master=amp", 16.0),
        // Pure 16-bit: 2 + 2 + 4.
        ("framework=torchtune checkpointing=off", 8.0),
        // 2 + 2 and a master of 12; sharded over 8: 2 + 14/8 with ZeRO-2, 16/8 with ZeRO-3.
        ("framework=deepspeed gpus=1", 16.0),
        ("framework=deepspeed gpus=8 tp=1 zero=1", 4.0 + 12.0 / 8.0),
        ("framework=deepspeed gpus=8 tp=1 zero=2", 2.0 + 14.0 / 8.0),
        ("framework=deepspeed gpus=8 tp=1 zero=3", 16.0 / 8.0),
        // Megatron accumulates gradients in fp32: 6 + 12/d.
        ("framework=megatron gpus=8 tp=1", 6.0 + 12.0 / 8.0),
        ("framework=torchtitan gpus=8 tp=1", 16.0 / 8.0),
        // 8-bit moments: 2 bytes and an fp32 scale for 256 of each.
        ("framework=torchtune checkpointing=off optimizer=adamw-8bit", 4.0 + 2.0 * (1.0 + 4.0 / 256.0)),
        ("framework=torchtune checkpointing=off optimizer=lion", 6.0),
        ("framework=torchtune checkpointing=off optimizer=sgd", 4.0),
        ("framework=torchtune checkpointing=off optimizer=adafactor", 4.0),
    ] {
        let memory = answer(&format!("{model} {knobs}")).memory;
        let states = [PartKind::Weights, PartKind::Gradients, PartKind::Optimizer].map(|kind| memory.part(kind).0);
        check(knobs, states.iter().sum::<f64>() / LLAMA_8B, bytes, 0.002);
    }
}

/// PEFT's own `print_trainable_parameters`.
#[test]
fn adapters_have_the_parameters_that_peft_prints() {
    for (knobs, parameters) in [
        // 28 layers x 12 x ((3072 + 3072) + (3072 + 1024)), and 12 energies for each of 56 matrices.
        ("method=adalora lora_rank=12 lora_targets=q,v", 28 * 12 * (6144 + 4096 + 2)),
        // AdaLoRA at init_r=64 in a run of peft's method comparison.
        ("method=adalora lora_rank=64 lora_targets=q,v", 18_353_664),
        ("method=lora lora_rank=64 lora_targets=q,v", 28 * 64 * (6144 + 4096)),
        // A magnitude for each output: 28 x (3072 + 1024).
        ("method=dora lora_rank=32 lora_targets=q,v", 28 * 32 * (6144 + 4096) + 28 * 4096),
    ] {
        let found = answer(&format!("train meta-llama/Llama-3.2-3B {knobs}")).trainable_parameters;
        assert_eq!(found, parameters, "{knobs}");
    }
}

/// Every row of the traced steps: states to a tenth of a percent, peaks as issue 3 asks.
#[test]
fn traced_steps_are_reproduced() {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/training-memory-oracle.csv");
    let report = run(&[file.into()], &Options::default()).expect("the file is there");
    assert!(report.unanswered.is_empty(), "{:?}", report.unanswered);
    for scores in &report.scores {
        if scores.quantity == "step: peak" {
            assert!(scores.quantile(0.5) <= 0.005 && scores.quantile(0.9) <= 0.02, "{scores}");
        } else {
            assert!(scores.quantile(1.0) <= 0.001, "{scores}");
        }
    }
    assert_eq!(report.scores.len(), 4);
}

/// The bars of published runs.
#[test]
fn published_runs_are_met() {
    let data = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/");
    let files = ["training-cases.csv", "training-published.csv"].map(|file| format!("{data}{file}").into());
    let report = run(&files, &Options::default()).expect("the files are there");
    assert!(report.unanswered.is_empty(), "{:?}", report.unanswered);
    let of = |name: &str| report.scores.iter().find(|scores| scores.quantity == name).expect("measured");
    let (memory, speed) = (of("training memory"), of("training tokens/s per GPU"));
    assert!(memory.quantile(0.5) <= 0.08 && memory.quantile(0.9) <= 0.25, "{memory}");
    assert!(speed.quantile(0.5) <= 0.12 && speed.quantile(0.9) <= 0.35, "{speed}");
    for scores in [memory, speed] {
        let inside = scores.in_range().expect("estimates have a range");
        assert!((0.75..=0.85).contains(&inside), "{scores}");
    }
}

/// A rank at which `r (in + out) = in · out` for square matrices: adapters on everything are as many as the weights.
#[test]
fn lora_at_full_rank_on_everything_trains_as_much_as_full_fine_tuning() {
    let model = "train custom layers=16 hidden=1024 heads=16 kv_heads=16 ffn=1024 vocab=32000 tied=off framework=hf \
                 batch=1 seq=512 autocast=off";
    let lora = format!("{model} method=lora lora_rank=512 lora_targets=q,k,v,o,gate,up,down,embed,head adapters=bf16");
    let (full, lora) = (answer(&format!("{model} method=full master=off")), answer(&lora));
    let states =
        |estimate: &Estimate| estimate.memory.part(PartKind::Gradients).0 + estimate.memory.part(PartKind::Optimizer).0;
    check("parameters", lora.trainable_parameters as f64, full.trainable_parameters as f64, 0.001);
    check("gradients and states", states(&lora), states(&full), 0.001);
}

/// Activations of a GPT block in 16 bits without dropout: 32 s·b·h with a flash kernel (Korthikanti et al. 2022, eq. 1,
/// less two bytes of dropout masks), plus the kernel's log-sum-exp; one fp32 mean and deviation for each norm.
#[test]
fn a_gpt_block_keeps_what_korthikanti_counts() {
    let line = "train custom layers=1 hidden=4096 heads=32 kv_heads=32 ffn=16384 vocab=256 gated=off method=full \
                framework=megatron checkpointing=off batch=1 seq=2048 gpus=1";
    let memory = answer(line).memory;
    let terms = memory.parts.iter().flat_map(|part| &part.terms);
    let kept = terms.filter(|term| term.name == "term-train-kept").map(|term| term.factors[1].1).sum::<f64>();
    // A custom model has RMS norms: x and its result, four bytes of scale.
    let (hidden, heads) = (4096.0, 32.0);
    let norms = 2.0 * (4.0 * hidden + 4.0);
    let attention = 8.0 * hidden + 4.0 * heads;
    // silu's argument and result.
    let mlp = 2.0 * (4.0 * hidden) * 2.0;
    assert_eq!(kept, norms + attention + mlp);
}

/// Llama-3-8B: 6 operations for each of the 7,504,658,432 weights that multiply (all but the 128,256 x 4096 embedding
/// and 65 norms of 4096), and causal attention of 6 x 32 layers x 4096 x s.
#[test]
fn a_token_takes_the_operations_of_its_weights_and_its_attention() {
    let flops =
        |knobs: &str| answer(&format!("train meta-llama/Meta-Llama-3-8B seq=8192 {knobs}")).compute.flops_per_token.0;
    let weights = 7_504_658_432.0;
    let attention = 32.0 * 4096.0 * 8192.0;
    check("full", flops("method=full"), 6.0 * weights + 6.0 * attention, 1e-9);
    // Adapters: no weight gradients of the base, 6 for each of 16 x 32 x (8192 + 5120) of their own.
    let adapters = 6.0 * 16.0 * 32.0 * (8192.0 + 5120.0);
    let lora = flops("method=lora lora_rank=16 lora_targets=q,v");
    check("lora", lora, 4.0 * weights + 6.0 * attention + adapters, 1e-9);
    // A reference's forward of each token, its attention left out.
    check("dpo", flops("method=full stage=dpo"), 8.0 * weights + 6.0 * attention, 1e-9);
}

/// Layers before the last two, which `method=freeze` trains, have no backward: of 32, 6,979,321,856 weights that
/// multiply, 2 + 4 · 2/32 operations each, 6 for each of the head's 525,336,576, attention alike.
#[test]
fn frozen_layers_have_no_backward() {
    let flops = answer("train meta-llama/Meta-Llama-3-8B seq=8192 method=freeze").compute.flops_per_token.0;
    let attention = 2.0 * 32.0 * 4096.0 * 8192.0;
    let layers = 2.0 * 6_979_321_856.0 + attention;
    check("freeze", flops, layers * 1.125 + 6.0 * 525_336_576.0, 1e-9);
}

/// TRL's colocated vLLM holds its fraction of the 79.65 - 0.41 - 0.11 GiB that CUDA shows of an H100 throughout.
#[test]
fn a_rollout_engine_beside_the_trainer_holds_its_fraction() {
    let of = |knobs: &str| {
        answer(&format!("train Qwen/Qwen2.5-1.5B method=full stage=grpo gpu=h100-sxm-80gb seq=1024 {knobs}")).memory
    };
    let (alone, beside) = (of(""), of("rollout_mem_util=0.3"));
    check("engine", beside.part(PartKind::KvCache).gib(), 0.3 * 79.1, 0.005);
    check("the rest", beside.allocated.0 - beside.part(PartKind::KvCache).0, alone.allocated.0, 0.02);
}

/// 126 layers on 16 stages: seven on the first, eight on the second, which holds 15 micro batches of them to 16 of 7.
#[test]
fn the_fullest_stage_may_be_the_second() {
    let kept = |pp: u32| {
        let memory = answer(&format!(
            "train meta-llama/Llama-3.1-405B framework=megatron seq=8192 batch=1 accum=32 tp=8 pp={pp} gpus=128 \
             gpu=h100-sxm-80gb"
        ))
        .memory;
        let terms = memory.parts.iter().flat_map(|part| &part.terms);
        let kept =
            terms.filter(|term| term.name == "term-train-kept").map(|term| (term.factors[0].1, term.factors[3].1));
        kept.collect::<Vec<_>>()
    };
    assert_eq!(kept(16), [(8.0, 15.0)]);
    assert_eq!(kept(2), [(63.0, 2.0)]);
}

/// FSDP of Llama-3-8B over 8 GPUs at the logits' peak: embedding and head, 2 · 525,336,576 weights and the last norm's
/// 4096, are the root unit, which stays gathered in 16 bits beside two layers of 218,112,000.
#[test]
fn the_root_unit_stays_gathered() {
    let of = |framework: &str| {
        let line = format!(
            "train meta-llama/Meta-Llama-3-8B method=full framework={framework} sharding=fsdp checkpointing=on loss=full \
             master=off grads=bf16 batch=8 accum=2 seq=8192 gpus=8 tp=1"
        );
        answer(&line).memory.part(PartKind::Buffers).0
    };
    let (table, norm, layer) = (525_336_576.0, 4096.0, 218_112_000.0);
    check("root", of("hf"), 2.0 * (2.0 * table + norm + 2.0 * layer), 1e-6);
    check("units of their own", of("torchtune"), 2.0 * (table + layer), 1e-6);
}

/// What is offloaded leaves the GPU for the host, and takes time.
#[test]
fn offloading_saves_memory_and_never_time() {
    for line in ["Qwen/Qwen2.5-72B method=full zero=3", "meta-llama/Meta-Llama-3-8B method=full zero=3"] {
        let of = |offload: &str| answer(&format!("train {line} gpu=a100-sxm-80gb gpus=8 tp=1 offload={offload}"));
        let [none, optimizer, cpu] = ["none", "optimizer", "cpu"].map(of);
        let step = |estimate: &Estimate| estimate.time.as_ref().expect("the GPU's rates are known").step.0;
        assert!(step(&none) < step(&optimizer) && step(&optimizer) < step(&cpu), "{line}");
        assert!(none.memory.device > optimizer.memory.device && optimizer.memory.device > cpu.memory.device);
        assert!(none.memory.host.0 == 0.0 && optimizer.memory.host.0 > 0.0);
    }
}

/// `prepare_model_for_kbit_training(use_gradient_checkpointing=True)`.
#[test]
fn qlora_checkpoints_unless_told_otherwise() {
    let assumed = |method: &str| request(&format!("train meta-llama/Meta-Llama-3-8B method={method}")).assumed;
    assert!(assumed("qlora").contains(&("checkpointing", "on".into())));
    assert!(assumed("lora").contains(&("checkpointing", "off".into())));
}

/// Llama 2 7B: 32·(4·4096² + 3·4096·11008) weights in 8 bits and 4 bytes a row of them; tables of 2·32,000·4096 and
/// adapters of 32·2·8·(4096 + 4096) in fp32.
#[test]
fn eight_bit_bases_are_upcast_beside_their_linears() {
    let parts = answer("train meta-llama/Llama-2-7b-hf method=qlora quant=int8 lora_targets=q,v").memory.parts;
    let weights = parts.iter().find(|part| part.kind == PartKind::Weights).expect("weights").bytes();
    check("weights", weights.0, 6_476_005_376.0 * 1.001 + 4.0 * (262_144_000.0 + 4_194_304.0), 0.002);
}

fn models() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec![
        "meta-llama/Meta-Llama-3-8B",
        "Qwen/Qwen2.5-14B",
        "google/gemma-2-9b",
        "mistralai/Mixtral-8x7B-v0.1",
        "deepseek-ai/DeepSeek-V2-Lite",
        "state-spaces/mamba2-2.7b",
        "Qwen/Qwen3-Next-80B-A3B-Instruct",
        "facebook/opt-6.7b",
    ])
}

fn methods() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec!["full", "freeze", "lora", "qlora", "adalora", "dora"])
}

fn frameworks() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec![
        "hf",
        "deepspeed",
        "fsdp",
        "megatron",
        "torchtune",
        "torchtitan",
        "litgpt",
        "unsloth",
        "swift",
    ])
}

fn stages() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec!["pretrain", "sft", "rm", "dpo", "orpo", "cpo", "simpo", "kto", "ppo", "grpo"])
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn parts_sum_to_the_totals(
        model in models(), method in methods(), framework in frameworks(), stage in stages(),
        attn in prop::sample::select(vec!["flash", "sdpa", "eager"]),
        checkpointing in prop::sample::select(vec!["off", "selective", "on"]),
        loss in prop::sample::select(vec!["full", "chunked", "fused"]),
        batch in 1u32..16, seq in 16u32..16384, accum in 1u32..4,
    ) {
        let text = format!("train {model} method={method} framework={framework} stage={stage} attn={attn} \
            checkpointing={checkpointing} loss={loss} batch={batch} accum={accum} seq={seq} gpu=h100-sxm-80gb");
        let estimate = answer(&text);
        let memory = &estimate.memory;
        let sum = |but: Option<PartKind>| -> f64 {
            memory.parts.iter().filter(|part| Some(part.kind) != but).map(|part| part.bytes().0).sum()
        };
        prop_assert!((sum(None) / memory.device.0 - 1.0).abs() < 1e-9);
        prop_assert!((sum(Some(PartKind::Overhead)) / memory.allocated.0 - 1.0).abs() < 1e-9);
        prop_assert!(memory.allocated < memory.reserved && memory.reserved < memory.device);
        prop_assert!(memory.low < memory.device && memory.device < memory.high);
        for part in &memory.parts {
            prop_assert!(part.bytes().0 > -1.0, "{:?} of {text}", part.kind);
        }
        let time = estimate.time.expect("the GPU's rates are known");
        prop_assert!(time.mfu > 0.0 && time.mfu < 1.0, "{} of {text}", time.mfu);
        let steps: f64 = time.breakdown.iter().map(|(_, seconds)| seconds.0).sum();
        prop_assert!((steps / time.step.0 - 1.0).abs() < 1e-9);
    }

    #[test]
    fn more_sharding_never_needs_more(
        model in models(), method in prop::sample::select(vec!["full", "lora", "dora"]),
        framework in prop::sample::select(vec!["hf", "deepspeed", "megatron", "swift"]),
        gpus in prop::sample::select(vec![2u32, 4, 8, 16, 64]), batch in 1u32..8, accum in 1u32..3,
    ) {
        let device = |zero: u32| {
            answer(&format!("train {model} method={method} framework={framework} master=on grads=bf16 batch={batch} \
                accum={accum} seq=2048 gpus={gpus} tp=1 zero={zero}")).memory.device
        };
        for zero in 1..=3 {
            prop_assert!(device(zero).0 <= device(zero - 1).0 + 1.0, "zero={zero} of {model} {method} {framework}");
        }
    }

    #[test]
    fn more_tensor_parallelism_never_needs_more(
        model in prop::sample::select(vec!["meta-llama/Meta-Llama-3-8B", "Qwen/Qwen2.5-14B", "facebook/opt-6.7b"]),
        method in prop::sample::select(vec!["full", "freeze", "lora", "dora", "qlora quant=gptq-int4"]),
        framework in frameworks(), seq in 128u32..16384,
    ) {
        let device = |tp: u32| {
            answer(&format!("train {model} method={method} framework={framework} sharding=fsdp batch=2 seq={seq} \
                tp={tp} gpus={}", 8 * tp)).memory.device
        };
        prop_assert!(device(2) <= device(1) && device(4) <= device(2) && device(8) <= device(4));
    }

    #[test]
    fn more_checkpointing_never_needs_more(
        model in models(), method in methods(), framework in frameworks(),
        attn in prop::sample::select(vec!["flash", "eager"]), batch in 1u32..8, seq in 128u32..16384,
    ) {
        let device = |checkpointing: &str| {
            answer(&format!("train {model} method={method} framework={framework} attn={attn} batch={batch} accum=2 \
                seq={seq} checkpointing={checkpointing}")).memory.device
        };
        prop_assert!(device("selective") <= device("off") && device("on") <= device("selective"));
    }

    /// Longer and larger never needs less, and a little longer needs only a little more.
    #[test]
    fn memory_grows_smoothly_with_length_and_batch(
        model in models(), method in methods(), framework in frameworks(), stage in stages(),
        loss in prop::sample::select(vec!["full", "chunked", "fused"]),
        batch in 1u32..32, seq in 1024u32..16384,
    ) {
        let device = |batch: u32, seq: u32| {
            answer(&format!("train {model} method={method} framework={framework} stage={stage} loss={loss} \
                attn=flash batch={batch} accum=2 seq={seq}")).memory.device.0
        };
        let here = device(batch, seq);
        prop_assert!(device(batch, seq + 8) >= here && device(batch + 1, seq) >= here);
        prop_assert!(device(batch, seq + 8) <= here * 1.02);
        prop_assert!(device(batch + 1, seq) <= here * (1.0 + 1.0 / f64::from(batch)));
    }

    #[test]
    fn a_rank_more_needs_a_little_more(model in models(), rank in 8u32..256) {
        let device = |rank: u32| answer(&format!("train {model} method=lora lora_rank={rank}")).memory.device.0;
        prop_assert!((device(rank)..device(rank) * 1.25).contains(&device(rank + 1)));
    }
}

/// Stages add what they say: a reference is 2 bytes a parameter, a critic the policy's states once more.
#[test]
fn stages_add_their_models() {
    let of = |knobs: &str| {
        answer(&format!("train meta-llama/Meta-Llama-3-8B method=full framework=hf master=off batch=1 {knobs}"))
    };
    let weights = |knobs: &str| of(&format!("seq=512 {knobs}")).memory.part(PartKind::Weights).0 / LLAMA_8B;
    check("sft", weights("stage=sft"), 2.0, 0.001);
    check("dpo", weights("stage=dpo"), 4.0, 0.001);
    check("dpo without reference", weights("stage=dpo ref_model=off"), 2.0, 0.001);
    check("simpo", weights("stage=simpo"), 2.0, 0.001);
    check("ppo: two trained, reference, reward", weights("stage=ppo"), 8.0, 0.001);
    let logits = |knobs: &str| of(&format!("{knobs} seq=8192")).memory.part(PartKind::Logits).0;
    assert!(logits("stage=orpo") > logits("stage=sft"));
    assert_eq!(logits("stage=rm"), 0.0);
}

/// LLaMA-7B under mixed precision with an fp32 master: `2 + 2 + 12` bytes a parameter (the ZeRO paper's example).
#[test]
fn seven_billion_parameters_take_112_gb_of_states() {
    let memory =
        answer("train meta-llama/Llama-2-7b-hf method=full framework=deepspeed master=on seq=512 batch=1").memory;
    let optimizer = memory.part(PartKind::Optimizer).0 / 6_738_415_616.0;
    check("optimizer and master", optimizer, 12.0, 0.001);
    assert!(memory.allocated.0 > 100.0 * GIB);
}

/// Narayanan et al. 2021, §2.2: interleaving cuts the bubble to a v-th and holds `1 + (p − 1) / (p·v)` as much.
#[test]
fn interleaved_stages_idle_less_and_hold_more() {
    let of = |interleave: u32| {
        answer(&format!(
            "train meta-llama/Meta-Llama-3-70B framework=megatron seq=4096 batch=1 accum=32 tp=8 pp=8 \
             gpu=h100-sxm-80gb gpus=64 checkpointing=off interleave={interleave}"
        ))
    };
    let (plain, interleaved) = (of(1), of(5));
    let bubble = |estimate: &Estimate| {
        estimate.time.as_ref().and_then(|time| time.breakdown.iter().find(|(name, _)| name.contains("bubble")).copied())
    };
    let (before, after) = (bubble(&plain).expect("a pipeline").1, bubble(&interleaved).expect("a pipeline").1);
    assert!((before / after - 5.0).abs() < 1e-9);
    let held = |estimate: &Estimate| estimate.memory.part(PartKind::Activations);
    // 1 + 7 / (8 · 5) = 1.175 on the first stage, less where another part of the peak counts.
    let more = held(&interleaved) / held(&plain);
    assert!((1.1..1.18).contains(&more), "{more}");
}
