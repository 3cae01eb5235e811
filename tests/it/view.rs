//! Answers as people see them: snapshots in both languages, Discord's limits, charts.

use headroom::catalog::Catalog;
use headroom::estimate::{Basis, Compute, Estimate, Limit, Memory, Part, PartKind, Ranged, Serving, Speed, Term, Time};
use headroom::msg;
use headroom::plan::{Advice, Choice, Cost, Merit, Outcome, Plan, verdict};
use headroom::request::{Settings, Value, Zero, complete, line};
use headroom::text::Locale;
use headroom::units::{Bytes, Flops, FlopsPerSec, Seconds};
use headroom::view::terminal::{Screen, draw};
use headroom::view::{View, embed, report};

fn settings(text: &str) -> Settings {
    line::read(text, Catalog::embedded()).unwrap_or_else(|problem| panic!("{text}: {problem:?}")).settings
}

/// Parts of these GiB, each one term.
fn memory(parts: &[(PartKind, f64)]) -> Memory {
    let term = |gib: f64| Term {
        name: "part-weights",
        factors: [("s", 4096.0), ("h", 4096.0), ("", gib * 64.0)].into_iter().collect(),
        basis: Basis::Modelled,
        source: "Korthikanti 2022",
    };
    let parts: Vec<Part> =
        parts.iter().map(|&(kind, gib)| Part { kind, terms: [term(gib)].into_iter().collect() }).collect();
    let device: Bytes = parts.iter().map(Part::bytes).sum();
    Memory {
        parts,
        device,
        allocated: device * 0.9,
        reserved: device * 0.95,
        low: device * 0.9,
        high: device * 1.1,
        needed: device,
        host: Bytes::ZERO,
    }
}

fn training(text: &str, activations: f64) -> Outcome {
    let catalog = Catalog::embedded();
    let request = complete(&settings(text), catalog).unwrap();
    let estimate = Estimate {
        memory: memory(&[
            (PartKind::Weights, 1.9),
            (PartKind::Gradients, 3.74),
            (PartKind::Optimizer, 11.22),
            (PartKind::Activations, activations),
            (PartKind::Logits, 4.01),
            (PartKind::Buffers, 2.63),
            (PartKind::Overhead, 3.8),
        ]),
        compute: Compute { flops_per_token: Flops(48.2e9), flops_per_step: Flops(6.3e15) },
        time: Some(Time {
            step: Seconds(4.2),
            tokens_per_s: 31_200.0,
            tokens_per_s_per_gpu: 3900.0,
            flops_per_gpu: FlopsPerSec(137e12),
            mfu: 0.44,
            low: 27_000.0,
            high: 35_400.0,
            total: Some(Seconds(32_050.0)),
            gpu_hours: Some(71.2),
            goodput_total: Some((Seconds(33_500.0), Seconds(43_000.0))),
            breakdown: vec![],
        }),
        serving: None,
        trainable_parameters: request.model.counts.total,
        notes: vec![],
    };
    let gpu = |id: &str| catalog.gpus.iter().find(|gpu| gpu.id == id).unwrap();
    let option = |id: &str, gpus: u32, gib: f64, reason| Choice {
        settings: settings(&format!("train meta-llama/Meta-Llama-3-8B zero=3 gpu={id} gpus={gpus}")),
        gpu: gpu(id),
        gpus,
        nodes: 1,
        parallel: request.parallel,
        zero: Some(Zero::Three),
        changes: vec![("checkpointing", Value::Choice("on"))],
        device: Bytes::from_gib(gib),
        headroom: gpu(id).memory - Bytes::from_gib(gib),
        tokens_per_s: Some(50_000.0),
        usd_per_hour: Some(12.0),
        cost: Some(Cost::Run(96.0)),
        merits: vec![Merit::Taken],
        reason: reason,
    };
    let advice = |changes: Vec<(&'static str, Value)>, gib: f64, slowdown: f64| Advice {
        changes,
        settings: request.settings.clone(),
        saves: Bytes::from_gib(gib),
        slowdown,
        fits: true,
        label: msg!("part-activations"),
    };
    let verdict = verdict(&request, &estimate);
    let short = matches!(verdict, headroom::plan::Verdict::Short { .. });
    let plan = Plan {
        verdict,
        options: vec![
            option("h100-sxm-80gb", 4, 68.0, msg!("heading-recommended")),
            option("a100-pcie-40gb", 8, 36.0, msg!("heading-recommended")),
        ],
        advice: if short {
            vec![
                advice(vec![("checkpointing", Value::Choice("on"))], 19.0, 1.25),
                advice(vec![("batch", Value::Count(2)), ("accum", Value::Count(2))], 24.0, 1.03),
            ]
        } else {
            vec![]
        },
        misses: vec![],
    };
    Outcome { request, estimate, plan }
}

fn serving(text: &str) -> Outcome {
    let request = complete(&settings(text), Catalog::embedded()).unwrap();
    let ranged = |value: f64| Ranged { value, low: value * 0.8, high: value * 1.25 };
    let mut memory = memory(&[
        (PartKind::Weights, 19.4),
        (PartKind::KvCache, 45.1),
        (PartKind::Activations, 3.2),
        (PartKind::Overhead, 3.3),
    ]);
    memory.needed = Bytes::from_gib(58.0);
    let estimate = Estimate {
        memory,
        compute: Compute { flops_per_token: Flops(145e9), flops_per_step: Flops(1.2e15) },
        time: None,
        serving: Some(Serving {
            speed: Some(Speed {
                ttft_ms: ranged(600.0),
                tpot_ms: ranged(24.0),
                tokens_per_s: ranged(1310.0),
                tokens_per_s_per_gpu: 655.0,
                prefill_tokens_per_s: 8000.0,
                knee: vec![(1, 17.0, 58.0), (8, 19.0, 410.0), (32, 24.0, 1310.0), (84, 41.0, 2040.0)],
                breakdown: vec![],
            }),
            kv_bytes_per_token: Bytes(327_680.0),
            kv_tokens: Some(688_000),
            max_concurrency: Some(21),
            max_seq: Some(131_072),
            weights_per_gpu: Bytes::from_gib(19.4),
            activation_peak: Bytes::from_gib(3.2),
            kv_cache_available: Some(Bytes::from_gib(45.1)),
            starts: true,
            limit: Some(Limit::Bandwidth),
        }),
        trainable_parameters: 0,
        notes: vec![],
    };
    let verdict = verdict(&request, &estimate);
    Outcome { request, estimate, plan: Plan { verdict, options: vec![], advice: vec![], misses: vec![] } }
}

const TRAIN: &str =
    "train meta-llama/Meta-Llama-3-8B method=full seq=4096 batch=4 zero=3 tokens=1b gpu=a100-sxm-80gb gpus=8";
const INFER: &str =
    "infer Qwen/Qwen2.5-72B-Instruct backend=vllm quant=awq seq=32768 concurrency=32 gpu=a100-sxm-80gb gpus=2 tp=2";

fn show(view: &View) -> String {
    let message = serde_json::to_string_pretty(&embed::message(view, false)).unwrap();
    format!("{}\n{message}\n", draw(view, Screen::PLAIN))
}

#[test]
fn pictures() {
    use headroom::view::chart;
    let out = std::path::Path::new("/work/scratch/view/out");
    std::fs::create_dir_all(out).unwrap();
    let catalog = Catalog::embedded();
    for locale in Locale::ALL {
        let l = locale.tag();
        let write = |name: &str, view: &View, with_chart: bool| {
            std::fs::write(out.join(format!("{name}-{l}.json")), embed::message(view, with_chart).to_string()).unwrap();
            if let Some(c) = &view.chart {
                let t = std::time::Instant::now();
                let png = chart::png(c).unwrap();
                println!("{name} {l} {:?} {}", t.elapsed(), png.len());
                std::fs::write(out.join(format!("{name}-{l}-chart.png")), png).unwrap();
                std::fs::write(out.join(format!("{name}-{l}-chart.svg")), chart::svg(c)).unwrap();
            }
        };
        write("answer", &report::answer(locale, &training(TRAIN, 24.0), catalog), true);
        write("short", &report::answer(locale, &training(TRAIN, 60.0), catalog), false);
        write("infer", &report::answer(locale, &serving(INFER), catalog), false);
        let after = training(
            "train meta-llama/Meta-Llama-3-8B method=full seq=8192 batch=4 zero=2 tokens=1b gpu=a100-sxm-80gb gpus=8",
            68.0,
        );
        write("tweak", &report::change(locale, &training(TRAIN, 24.0), &after, catalog), true);
        let points: Vec<(u64, Bytes)> =
            (9..=17).map(|p| (1u64 << p, Bytes::from_gib(20.0 + (1u64 << p) as f64 / 4096.0 * 12.0))).collect();
        let mut v = View::new(locale, "x");
        v.chart = Some(chart::Chart {
            locale,
            title: "Memory of one GPU over sequence length".into(),
            alt: String::new(),
            kind: chart::Kind::Curve(chart::Curve {
                points,
                card: Some(Bytes::from_gib(79.3)),
                asked: 4096,
                last_fit: Some(20_000),
            }),
        });
        write("curve", &v, true);
        let p = |label: &str, usd_per_hour, tokens_per_s, taken| chart::Point {
            label: label.into(),
            usd_per_hour,
            tokens_per_s,
            taken,
        };
        v.chart = Some(chart::Chart {
            locale,
            title: "Speed over price".into(),
            alt: String::new(),
            kind: chart::Kind::Frontier(vec![
                p("8 × RTX 4090", 2.8, 9000.0, false),
                p("4 × A100 80GB", 6.0, 16_000.0, true),
                p("8 × H100 SXM5 80GB", 24.0, 61_000.0, false),
                p("8 × B200", 48.0, 131_000.0, false),
            ]),
        });
        write("frontier", &v, true);
    }
}

#[test]
fn try_it() {
    let catalog = Catalog::embedded();
    for locale in Locale::ALL {
        for outcome in [training(TRAIN, 24.0), training(TRAIN, 60.0), serving(INFER)] {
            let view = report::answer(locale, &outcome, catalog);
            println!("{}", draw(&view, Screen::PLAIN));
            println!("{}", embed::message(&view, false)["embeds"][0]["description"].as_str().unwrap());
        }
        let after = training(
            "train meta-llama/Meta-Llama-3-8B method=full seq=8192 batch=4 zero=2 tokens=1b gpu=a100-sxm-80gb gpus=8",
            48.0,
        );
        let view = report::change(locale, &training(TRAIN, 24.0), &after, catalog);
        println!("{}", show(&view));
        println!("{}", draw(&report::explain(locale, &after, None), Screen::PLAIN));
        println!("{}", draw(&report::help(locale, None), Screen::PLAIN));
    }
}
