//! What each step of an answer costs: `cargo bench`.

use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use headroom::app::App;
use headroom::catalog::Catalog;
use headroom::commands::COMMANDS;
use headroom::estimate::estimate;
use headroom::plan::{self, Outcome};
use headroom::request::{Value, line};
use headroom::text::Locale;
use headroom::view::{chart, embed};
use std::hint::black_box;

/// The program's.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const TRAIN: &str = "train meta-llama/Meta-Llama-3-8B method=qlora seq=4096 batch=4 gpu=rtx-4090-24gb";
const INFER: &str =
    "infer Qwen/Qwen2.5-72B-Instruct backend=vllm quant=awq seq=32768 concurrency=64 gpu=a100-sxm-80gb gpus=2";
const OPEN: [&str; 2] =
    ["train llama-7b method=full seq=2048 batch=4", "infer llama-13b backend=vllm seq=4096 concurrency=32"];

fn benches(c: &mut Criterion) {
    let catalog = Catalog::embedded();
    let app = App::new(catalog, COMMANDS);

    c.bench_function("resolve a model name", |b| {
        let names =
            ["meta-llama/Meta-Llama-3-8B", "qwen2.5 72b instrct awq", "千问2.5 7B", "llama3.1:70b-instruct-q4_K_M"];
        let mut at = 0;
        b.iter(|| {
            at = (at + 1) % names.len();
            black_box(catalog.names().model(names[at]))
        });
    });
    for (name, text) in [("train", TRAIN), ("infer", INFER)] {
        let settings = line::read(text, catalog).expect("a line of the contract").settings;
        let request = plan::choose(&settings, catalog).expect("a line of the contract");
        c.bench_function(&format!("read a line: {name}"), |b| b.iter(|| black_box(line::read(text, catalog))));
        c.bench_function(&format!("estimate with verdict: {name}"), |b| {
            b.iter(|| {
                let estimate = estimate(black_box(&request));
                black_box(plan::verdict(&request, &estimate))
            });
        });
        let payload = |text: &str| {
            let asked = app.ask(text).expect("reads");
            let answer = app.answer(&asked).expect("answers");
            embed::message(&answer.view(&app, Locale::En), false).to_string()
        };
        c.bench_function(&format!("line to payload, without chart, asked before: {name}"), |b| {
            b.iter(|| black_box(payload(black_box(text))));
        });
        let mut seq = 1024;
        c.bench_function(&format!("line to payload, without chart, asked anew: {name}"), |b| {
            let fresh = || {
                seq += 1;
                text.replace("seq=4096", &format!("seq={seq}")).replace("seq=32768", &format!("seq={seq}"))
            };
            b.iter_batched(fresh, |text| black_box(payload(&text)), BatchSize::SmallInput);
        });
    }
    for text in OPEN {
        let settings = line::read(text, catalog).expect("reads").settings;
        let mut seq = 1024;
        c.bench_function(&format!("recommend over the catalog: {text}"), |b| {
            let fresh = || {
                seq += 1;
                settings.with("seq", Value::Count(seq))
            };
            b.iter_batched(fresh, |settings| black_box(Outcome::of(&settings, catalog)), BatchSize::SmallInput);
        });
    }
    let asked = app.ask(TRAIN).expect("reads");
    let view = app.answer(&asked).expect("answers").view(&app, Locale::ZhCn);
    let picture = view.chart.expect("an estimate has a chart");
    c.bench_function("chart to PNG", |b| b.iter(|| black_box(chart::png(&picture))));
}

criterion_group!(all, benches);
criterion_main!(all);
