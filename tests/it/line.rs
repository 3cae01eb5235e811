//! Lines: what people write, what is refused, and that every line written reads back as it was.

use headroom::catalog::Catalog;
use headroom::estimate::estimate;
use headroom::request::either::either;
use headroom::request::knobs::{KNOBS, Kind, Knob, Table};
use headroom::request::line::{read, write};
use headroom::request::tweak::tweak;
use headroom::request::{Bound, Settings, Value, Verb, complete};
use headroom::text::{Locale, say, tr};
use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use proptest::strategy::Union;

fn lines(table: &str) -> Vec<String> {
    let mut reader = csv::Reader::from_path(table).expect("the table is there");
    let column = reader.headers().expect("a header").iter().position(|name| name == "line").expect("a line column");
    reader.records().map(|row| row.expect("a row")[column].to_owned()).filter(|line| !line.is_empty()).collect()
}

#[track_caller]
fn completes(table: &str) {
    let catalog = Catalog::embedded();
    let mut faults = vec![];
    for line in lines(table) {
        match read(&line, catalog) {
            Err(problem) => faults.push(format!("{line}: {problem:?}")),
            Ok(asked) => {
                if !asked.ignored.is_empty() {
                    faults.push(format!("{line}: ignored {:?}", asked.ignored));
                }
                let again = read(&write(&asked.settings), catalog).map(|read| read.settings);
                if again.as_ref() != Ok(&asked.settings) {
                    faults.push(format!("{line}: again {again:?}"));
                }
                if let Err(problem) = complete(&asked.settings, catalog) {
                    faults.push(format!("{line}: {problem:?}"));
                }
            }
        }
    }
    assert!(faults.is_empty(), "{} faults:\n{}", faults.len(), faults.join("\n"));
}

#[test]
fn every_training_case_reads_back_and_completes() {
    completes("tests/data/training-cases.csv");
}

#[test]
fn every_memory_case_reads_back_and_completes() {
    completes("tests/data/inference-memory-cases.csv");
}

#[test]
fn every_serving_case_reads_back_and_completes() {
    completes("tests/data/inference-throughput-cases.csv");
}

#[track_caller]
fn check(text: &str, canonical: &str) {
    let read = read(text, Catalog::embedded()).unwrap_or_else(|problem| panic!("{text}: {problem:?}"));
    assert_eq!(write(&read.settings), canonical, "{text}");
}

#[test]
fn free_english_reads_into_knobs() {
    check(
        "train llama3 8b qlora 4k ctx bs4 on a 4090",
        "train meta-llama/Meta-Llama-3-8B method=qlora seq=4096 batch=4 gpu=rtx-4090-24gb",
    );
    check("can we fine-tune Qwen2.5-72B on our eight A100s?", "train Qwen/Qwen2.5-72B gpu=a100-sxm-80gb gpus=8");
    check(
        "what do we need to serve Llama 70B at 32k for fifty users?",
        "infer meta-llama/Llama-3.3-70B-Instruct seq=32768 concurrency=50",
    );
    check(
        "serve deepseek v3 on 16 h200, 128k context, fp8 kv, 32 users",
        "infer deepseek-ai/DeepSeek-V3 kv=fp8 seq=131072 concurrency=32 gpu=h200-sxm-141gb gpus=16",
    );
    check(
        "how much memory for full fine-tuning mistral 7b with adamw 8bit and zero3 on 4x A100 80G",
        "train mistralai/Mistral-7B-v0.1 method=full optimizer=adamw-8bit zero=3 gpu=a100-sxm-80gb gpus=4",
    );
    check(
        "Is one H100 enough for LoRA on Mixtral 8x7B, seq 8192, batch 2?",
        "train mistralai/Mixtral-8x7B-v0.1 method=lora seq=8192 batch=2 gpu=h100-sxm-80gb gpus=1",
    );
    check(
        "infer llama-3.1 70b in 4-bit on 2 nodes of 8 A100 80GB",
        "infer meta-llama/Meta-Llama-3.1-70B quant=int4 gpu=a100-sxm-80gb gpus=16 nodes=2",
    );
    check(
        "infer llama 3.3 70b with eagle3 speculative decoding on 4 h100",
        "infer meta-llama/Llama-3.3-70B-Instruct draft=eagle gpu=h100-sxm-80gb gpus=4",
    );
    check("infer deepseek-r1 draft=mtp draft_tokens=2", "infer deepseek-ai/DeepSeek-R1 draft=mtp draft_tokens=2");
    check("train llama3-8b gpu=8xh100", "train meta-llama/Meta-Llama-3-8B gpu=h100-sxm-80gb gpus=8");
    check("train model=llama 3 8b lora", "train meta-llama/Meta-Llama-3-8B method=lora");
    check("train llama-3-8b gpu=rtx 4090 seq = 2048", "train meta-llama/Meta-Llama-3-8B seq=2048 gpu=rtx-4090-24gb");
}

#[test]
fn whole_questions_read_into_knobs() {
    check("what's the biggest model I can fine-tune on 2x3090", "fit work=train gpu=rtx-3090-24gb gpus=2");
    check("我有一张4090能微调多大的模型", "fit work=train gpu=rtx-4090-24gb gpus=1");
    check(
        "would 2x A6000 be enough to fine-tune Mixtral 8x7B with QLoRA, batch 1, 2k ctx?",
        "train mistralai/Mixtral-8x7B-v0.1 method=qlora seq=2048 batch=1 gpu=rtx-a6000-48gb gpus=2",
    );
    check(
        "Is a 4090 enough for QLoRA of mistral nemo at 2k tokens?",
        "train mistralai/Mistral-Nemo-Instruct-2407 method=qlora seq=2048 gpu=rtx-4090-24gb",
    );
    check(
        "vllm 0.6.3 llama 3 8b a10g 4k ctx 32 users prompt 1000 output 200",
        "infer meta-llama/Meta-Llama-3-8B backend=vllm backend_version=0.6.3 seq=4096 prompt=1000 output=200 \
         concurrency=32 gpu=a10g-24gb",
    );
    check(
        "部署qwen2.5-72b-awq，2张A100，32k上下文，并发64",
        "infer Qwen/Qwen2.5-72B quant=awq seq=32768 concurrency=64 gpu=a100-sxm-80gb gpus=2",
    );
    check("train llama3 8b full lr=1e-4 3天内", "train meta-llama/Meta-Llama-3-8B method=full deadline=72");
}

/// The line that a question is answered by, or the knob it fails on.
fn answered(question: &str) -> String {
    let catalog = Catalog::embedded();
    let asked = read(question, catalog).map(|read| read.settings).and_then(|settings| match settings.verb {
        Verb::Train | Verb::Infer => complete(&settings, catalog).map(|request| request.settings),
        _ => Ok(settings),
    });
    match asked {
        Ok(settings) => write(&settings),
        Err(problem) => format!("ERROR:{}", problem.knob.unwrap_or_default()),
    }
}

#[test]
fn questions_of_our_own_read_into_their_lines() {
    let mut reader = csv::Reader::from_path("tests/data/questions-own.csv").expect("the table is there");
    let rows: Vec<csv::StringRecord> = reader.records().map(|row| row.expect("a row")).collect();
    let wrong: Vec<String> = rows
        .iter()
        .map(|row| (&row[0], &row[1], answered(&row[0])))
        .filter(|(_, line, got)| line != got)
        .map(|(question, line, got)| format!("{question}: {got}, not {line}"))
        .collect();
    assert!(wrong.len() * 50 <= rows.len(), "{} of {}:\n{}", wrong.len(), rows.len(), wrong.join("\n"));
}

#[test]
fn free_chinese_reads_into_the_same_knobs() {
    check("训练 千问2.5 7B 用QLoRA 序列4k", "train Qwen/Qwen2.5-7B method=qlora seq=4096");
    check("用8张4090能微调Qwen2.5-32B吗", "train Qwen/Qwen2.5-32B gpu=rtx-4090-24gb gpus=8");
    check("训练 llama3 8b，把batch=8，seq=4k的话", "train meta-llama/Meta-Llama-3-8B seq=4096 batch=8");
    check("训练 llama-3-8b 序列长度８１９２", "train meta-llama/Meta-Llama-3-8B seq=8192");
    check(
        "我想用两台8卡A800微调llama3 70B，zero3，bf16，长度4096",
        "train meta-llama/Meta-Llama-3-70B seq=4096 precision=bf16 zero=3 gpu=a800-sxm-80gb gpus=16 nodes=2",
    );
    check(
        "部署 deepseek-r1 用 2机8卡H20 并发64 上下文32k",
        "infer deepseek-ai/DeepSeek-R1 seq=32768 concurrency=64 gpu=h20-96gb gpus=16 nodes=2",
    );
}

#[test]
fn a_line_without_a_verb_is_guessed_from_its_words() {
    check("llama3 8b lora", "train meta-llama/Meta-Llama-3-8B method=lora");
    check("infer step 3.7 flash", "infer stepfun-ai/Step-3.7-Flash");
    check("infer ling-3 flash", "infer inclusionAI/Ling-3.0-flash");
    check("llama3 8b awq", "infer meta-llama/Meta-Llama-3-8B quant=awq");
    check("13b", "infer 13b");
    check("train 350m", "train 0.35b");
}

#[test]
fn the_name_of_a_model_sets_how_its_weights_are_packed() {
    check("infer Qwen2.5-72B-Instruct-AWQ", "infer Qwen/Qwen2.5-72B-Instruct quant=awq");
    check("infer llama3 70b q4", "infer meta-llama/Meta-Llama-3-70B quant=q4_k_m");
}

#[test]
fn a_card_is_counted_and_told_apart_however_it_is_written() {
    for (typed, meant) in [
        ("A100 80G PCIe", "a100-pcie-80gb"),
        ("rtx 4060 ti 16g", "rtx-4060ti-16gb"),
        ("双4090", "rtx-4090-24gb gpus=2"),
        ("dual 3090", "rtx-3090-24gb gpus=2"),
        ("8*H20", "h20-96gb gpus=8"),
        ("T4 x4", "t4-16gb gpus=4"),
        ("4张A10", "a10-24gb gpus=4"),
        ("mig 3g.40gb h100", "h100-sxm-80gb-3g.40gb"),
        ("mac studio m2 ultra 192g", "apple-m2-ultra-192gb"),
        ("A100-SXM4-40GB", "a100-sxm-40gb"),
        ("a100 40g pcie", "a100-pcie-40gb"),
        ("RTX 4060 Ti", "rtx-4060ti-16gb"),
        ("ascend 910b2", "ascend-910b2-64gb"),
        ("GH200 480GB", "gh200-96gb"),
        ("MLU370-X8", "cambricon-mlu370-x8-48gb"),
        ("7900 XTX", "rx-7900-xtx-24gb"),
    ] {
        let line = format!("infer 7b gpu={meant}");
        check(&format!("infer 7b {typed}"), &line);
        check(&format!("infer 7b gpu=\"{typed}\""), &line);
    }
}

#[test]
fn a_clouds_machine_is_its_cards() {
    for (typed, meant) in [
        ("p5.48xlarge", "h100-sxm-80gb gpus=8"),
        ("a2-ultragpu-4g", "a100-sxm-80gb gpus=4"),
        ("Standard_ND96isr_H200_v5", "h200-sxm-141gb gpus=8"),
        ("ND MI300X v5", "mi300x-192gb gpus=8"),
        ("ml.g5.12xlarge", "a10g-24gb gpus=4"),
        ("BM.GPU.H100.8", "h100-sxm-80gb gpus=8"),
        ("阿里云gn7e", "a100-sxm-80gb gpus=1"),
    ] {
        let line = format!("infer 7b gpu={meant}");
        check(&format!("infer 7b on {typed}"), &line);
        check(&format!("infer 7b gpu=\"{typed}\""), &line);
    }
    check("infer 70b on 2 p4d.24xlarge", "infer 70b gpu=a100-sxm-40gb gpus=16 nodes=2");
    check("infer 70b on p4d.24xlarge x2", "infer 70b gpu=a100-sxm-40gb gpus=16 nodes=2");
    check("infer 7b on an a30", "infer 7b gpu=a30-24gb");
    check("infer 7b on A10", "infer 7b gpu=a10-24gb");
    check("infer 70b on a 48GB L40S", "infer 70b gpu=l40s-48gb");
}

#[test]
fn a_comparison_takes_several_cards() {
    check(
        "compare infer llama3 8b on h100 and a100",
        "compare meta-llama/Meta-Llama-3-8B work=infer gpu=h100-sxm-80gb,a100-sxm-80gb",
    );
}

/// Every set-up of a text that is no one line, each by what it adds to the training of Llama 3.
#[track_caller]
fn check_either(base: Option<&str>, text: &str, meant: &[&str]) {
    let catalog = Catalog::embedded();
    let set_ups = match base.map(|line| read(line, catalog).expect("a base reads").settings) {
        Some(base) => tweak(&base, text, catalog).alternatives,
        None => either(read(text, catalog).as_ref().err(), None, text, catalog).unwrap_or_default(),
    };
    let meant: Vec<String> = meant.iter().map(|knobs| format!("train meta-llama/Meta-Llama-3-8B {knobs}")).collect();
    assert_eq!(set_ups.iter().map(write).collect::<Vec<_>>(), meant, "{text}");
}

#[test]
fn one_value_or_another_is_two_set_ups() {
    let model = "train meta-llama/Meta-Llama-3-8B";
    check_either(
        None,
        "train llama 3 8b zero 2 vs zero 3 on 8 h100",
        &["zero=2 gpu=h100-sxm-80gb gpus=8", "zero=3 gpu=h100-sxm-80gb gpus=8"],
    );
    check_either(Some(model), "two 3090s or one 4090", &["gpu=rtx-3090-24gb gpus=2", "gpu=rtx-4090-24gb gpus=1"]);
    check_either(None, "train llama 3 8b on a 3090 or two 3060s", &["gpu=rtx-3090-24gb", "gpu=rtx-3060-12gb gpus=2"]);
    check_either(None, "train llama 3 8b on two 3060s or a 3090", &["gpu=rtx-3060-12gb gpus=2", "gpu=rtx-3090-24gb"]);
    let eight = "train meta-llama/Meta-Llama-3-8B gpu=a100-sxm-80gb gpus=8";
    check_either(Some(eight), "4090 or h100?", &["gpu=rtx-4090-24gb gpus=8", "gpu=h100-sxm-80gb gpus=8"]);
    check_either(Some(model), "8k还是16k？", &["seq=8192", "seq=16384"]);
    check_either(None, "train llama 3 8b with zero 1, 2 or 3", &["zero=1", "zero=2", "zero=3"]);
    check_either(None, "compare lora and qlora for llama 3 8b", &["method=lora", "method=qlora"]);
    check_either(Some(model), "8 or 16 h100", &["gpu=h100-sxm-80gb gpus=8", "gpu=h100-sxm-80gb gpus=16"]);
    check_either(Some(model), "用4卡、8卡还是16卡", &["gpus=4", "gpus=8", "gpus=16"]);
    check_either(Some(model), "lora, qlora or full", &["method=lora", "method=qlora", "method=full"]);
    let catalog = Catalog::embedded();
    let contradiction = "train llama 3 8b zero 2 zero 3";
    let problem = read(contradiction, catalog).expect_err("two values of one knob");
    assert_eq!(either(Some(&problem), None, contradiction, catalog), None);
}

#[test]
fn help_and_explain_take_what_they_are_about() {
    check("help batch size", "help topic=batch");
    check("explain the kv cache of infer llama3-8b", "explain meta-llama/Meta-Llama-3-8B work=infer part=kv_cache");
}

#[test]
fn words_that_mean_nothing_are_reported() {
    let read = read("train llama3-8b purple seq=4096 elephants", Catalog::embedded()).expect("a line");
    assert_eq!(read.ignored, ["purple", "elephants"]);
}

/// The knob at fault and the first words to type instead.
#[track_caller]
fn refused(text: &str, knob: &str, instead: &str) {
    let catalog = Catalog::embedded();
    let problem = read(text, catalog)
        .and_then(|read| complete(&read.settings, catalog))
        .err()
        .unwrap_or_else(|| panic!("{text} is accepted"));
    let suggestion = problem.suggestions.first().map_or("", String::as_str);
    assert_eq!((problem.knob.unwrap_or(""), suggestion), (knob, instead), "{text}: {problem:?}");
    for locale in Locale::ALL {
        let words = say(locale, &problem.message);
        assert!(!words.contains("problem-") && !words.contains('{'), "{text}: {words}");
    }
}

#[test]
fn what_cannot_be_is_refused_with_what_can() {
    refused("train llama-3-8b zero=7", "zero", "zero=3");
    refused("train llama-3-8b batch=0", "batch", "batch=1");
    refused("train llama-3-8b batch=2.5", "batch", "batch=3");
    refused("train llama-3-8b seq=banana", "seq", "seq=8192");
    refused("infer llama-3-8b seq=1000000000000", "seq", "seq=1073741824");
    refused("train llama-3-8b method=qlorra", "method", "method=qlora");
    refused("train llama-3-8b bach=2", "", "batch=2");
    refused("infer llama-3-8b seq=0", "seq", "seq=8192");
    refused("infer llama-3-8b gpu_mem_util=90", "gpu_mem_util", "gpu_mem_util=0.9");
    refused("train llama 3 33b", "model", "model=meta-llama/Meta-Llama-3-70B");
    refused("train foobar 7b", "model", "model=meta-llama/Meta-Llama-3-8B");
    refused("infer Qwen/Qwen9-27B vllm h100", "model", "model=Qwen/Qwen3.5-27B");
    refused("asdf qwer zxcv", "model", "model=meta-llama/Meta-Llama-3-8B");
    refused("gpu foo9000", "gpu", "gpu=a100-sxm-80gb");
    refused("infer llama3-8b awq and gptq", "quant", "quant=awq");
    refused("train llama3-8b lora lora_rank=5000", "lora_rank", "lora_rank=64");
    refused("train llama3-8b kv=fp8", "kv", "");
    refused("infer llama3-8b method=lora", "method", "");
    refused("train gpt-4", "model", "model=openai/gpt-oss-120b");
    refused("train custom layers=32", "model", "hidden=4096");
    refused("train custom layers=32 hidden=4096 experts=8", "model", "expert_ffn=1408");
    refused("train custom layers=2 hidden=100 heads=7 ffn=100 vocab=100", "heads", "head_dim=128");
    refused("train custom layers=2 hidden=128 heads=8 kv_heads=3 ffn=100 vocab=100", "kv_heads", "kv_heads=8");
    refused("train 99999999b", "model", "");
}

#[test]
fn layouts_that_cannot_run_are_refused() {
    refused("infer llama3-8b tp=3 gpus=8", "tp", "tp=2");
    refused("infer llama3-8b tp=16 gpus=8", "tp", "tp=8");
    refused("infer Qwen2.5-7B tp=8", "tp", "tp=4");
    refused("train llama3-8b pp=64", "pp", "pp=32");
    refused("train llama3-8b zero=3 pp=2 gpus=8", "zero", "zero=1");
    refused("train llama3-8b tp=2 pp=2 dp=1 gpus=8", "gpus", "gpus=4");
    refused("train llama3-8b nodes=3 gpus=8", "nodes", "gpus=9");
    refused("train llama3-8b method=qlora tp=2", "tp", "tp=1");
    refused("train llama3-8b method=full quant=bnb-nf4", "quant", "method=qlora");
    refused("train llama3-8b method=qlora quant=q4_k_m", "quant", "quant=bnb-nf4");
    refused("train llama3-8b batch=4 accum=2 global_batch=9", "global_batch", "global_batch=8");
    refused("train llama3-8b precision=fp8 gpu=a100", "precision", "precision=bf16");
    refused("train llama3-8b precision=bf16 gpu=v100", "precision", "precision=fp16");
    refused("infer mixtral 8x7b ep=3 gpus=6", "ep", "ep=2");
    // Two of eight GPUs make a stage.
    refused("train Qwen/Qwen3-30B-A3B gpus=8 pp=4 ep=4", "ep", "ep=2");
    refused("train llama3-8b method=qlora quant=none", "quant", "method=lora");
}

#[test]
fn the_largest_figures_stay_finite() {
    for line in [
        "train 1000000b seq=1000000000 batch=1000000 accum=1000000 samples=1000000000000 epochs=1000000",
        "train 1000000b method=lora lora_rank=1000 seq=1000000000 gpu=h100 gpus=1000000 tokens=1000000000000000",
        "infer 1000000b seq=1000000000 prompt=1000000000 output=1000000000 concurrency=1000000 gpu=h100 gpus=8",
        "infer 1000000b concurrency=max gpu=b200 gpus=1000000",
    ] {
        let catalog = Catalog::embedded();
        let settings = read(line, catalog).expect("a line").settings;
        let request = complete(&settings, catalog).unwrap_or_else(|problem| panic!("{line}: {problem:?}"));
        let memory = estimate(&request).memory;
        for part in &memory.parts {
            assert!(part.bytes().0.is_finite() && part.bytes().0 >= 0.0, "{line}: {part:?}");
        }
        assert!(memory.device.0.is_finite() && memory.low.0 >= 0.0 && memory.high.0.is_finite(), "{line}");
    }
}

#[test]
fn two_of_three_batch_figures_fix_the_third() {
    let batch = |line: &str| {
        let settings = read(line, Catalog::embedded()).expect("a line").settings;
        let request = complete(&settings, Catalog::embedded()).expect("a request");
        let train = request.train().expect("training");
        (train.micro_batch_size, train.gradient_accumulation)
    };
    // 8 data-parallel ranks: 2 · 4 · 8 = 64.
    assert_eq!(batch("train llama3-8b gpu=h100 gpus=8 batch=2 global_batch=64"), (2, 4));
    assert_eq!(batch("train llama3-8b gpu=h100 gpus=8 accum=4 global_batch=64"), (2, 4));
    assert_eq!(batch("train llama3-8b gpu=h100 gpus=8 batch=2 accum=4"), (2, 4));
}

#[test]
fn every_knob_has_its_text_in_both_languages() {
    for knob in KNOBS {
        for locale in Locale::ALL {
            let words = tr(locale, &format!("knob-{}", knob.key));
            assert!(words.chars().count() > 2 && !words.starts_with("knob-"), "{}", knob.key);
        }
    }
}

#[test]
fn every_example_reads_as_its_own_knob() {
    let catalog = Catalog::embedded();
    for knob in KNOBS {
        let (key, value) = knob.example.split_once('=').expect("key=value");
        assert_eq!(key, knob.key);
        assert!(knob.read(value, catalog).is_ok(), "{}", knob.example);
    }
}

// ---- any settings, any text

fn value(knob: &'static Knob) -> BoxedStrategy<Value> {
    let catalog = Catalog::embedded();
    let text = |names: Vec<String>| select(names).prop_map(Value::Text).boxed();
    let several = |names: Vec<String>| {
        let one = select(names.clone()).prop_map(Value::Text).boxed();
        Union::new([one, subsequence(names, 2..4).prop_map(Value::List).boxed()]).boxed()
    };
    let whole = |min: u64, max: u64, bound: Option<Bound>| {
        let count = (min..=max).prop_map(Value::Count).boxed();
        match bound {
            Some(bound) => Union::new([count, Just(Value::Bound(bound)).boxed()]).boxed(),
            None => count,
        }
    };
    match &knob.kind {
        Kind::Length { min, max, bound } | Kind::Count { min, max, bound } => whole(*min, *max, *bound),
        Kind::Number { min, max, .. } => (*min..=*max).prop_map(Value::Number).boxed(),
        Kind::Choice(choices) => {
            select(choices.iter().map(|(word, _)| *word).collect::<Vec<_>>()).prop_map(Value::Choice).boxed()
        }
        Kind::Model(_) => several(catalog.listed.iter().map(|model| model.id.to_owned()).collect()),
        Kind::Gpu => several(catalog.gpus.iter().map(|gpu| gpu.id.clone()).collect()),
        Kind::Row(Table::Formats) => text(catalog.formats.iter().map(|row| row.name.clone()).collect()),
        Kind::Row(Table::Optimizers) => text(catalog.optimizers.iter().map(|row| row.name.clone()).collect()),
        Kind::Row(Table::Frameworks) => text(catalog.frameworks.iter().map(|row| row.name.clone()).collect()),
        Kind::Row(Table::Backends) => text(catalog.backends.iter().map(|row| row.name.clone()).collect()),
        Kind::List { words, .. } => {
            let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
            subsequence(words, 1..4).prop_map(Value::List).boxed()
        }
        Kind::Fleet => {
            let card = (1..1000u32, select(catalog.gpus.iter().map(|gpu| gpu.id.clone()).collect::<Vec<_>>()));
            let card = card.prop_map(|(count, id)| format!("{count}x{id}"));
            proptest::collection::vec(card, 1..4).prop_map(Value::List).boxed()
        }
        Kind::Text => "[a-z0-9][a-z0-9.]{0,8}[a-z0-9]".prop_map(Value::Text).boxed(),
    }
}

fn settings() -> impl Strategy<Value = Settings> {
    let verbs: Vec<Verb> = Verb::ALL.into_iter().filter(|verb| *verb != Verb::Help).collect();
    let knobs: Vec<&'static Knob> = KNOBS.iter().collect();
    let some = subsequence(knobs, 0..8).prop_flat_map(|knobs| {
        knobs.into_iter().map(|knob| value(knob).prop_map(move |value| (knob.key, value))).collect::<Vec<_>>()
    });
    (select(verbs), some).prop_map(|(verb, values)| Settings { verb, values: values.into_iter().collect() })
}

/// Words of both languages, numbers and marks in any order: likelier to meet the grammar than any text.
fn babble() -> impl Strategy<Value = String> {
    let words = "train infer llama3 8b qwen 千问 7B 用 batch 4 8k 0 -3 1e9 2.5 x * / 倍 double half 翻倍 减半 more 更大 one 两 张 卡 \
                 gpus h100 4090 a100 80gb 9090 ti rtx nodes 台 of each 每 zero 3 qlora lora not 不用 without instead of from to 改成 \
                 seq= =4 batch= foo=3 tp=2 gpu=8xh100 kv fp8 4-bit in out and 和 , ; ? why 为什么 what is add another 再加 max \
                 ollama . 0.8.5 in/out";
    let words: Vec<&str> = words.split_whitespace().collect();
    (proptest::collection::vec((select(words), select(vec![" ", "", "-"])), 0..12))
        .prop_map(|pieces| pieces.into_iter().flat_map(|(word, gap)| [word, gap]).collect())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(400) })]

    #[test]
    fn what_is_written_reads_back(settings in settings()) {
        let line = write(&settings);
        let read = read(&line, Catalog::embedded());
        prop_assert_eq!(read.map(|read| read.settings), Ok(settings), "{}", line);
    }

    #[test]
    fn any_text_is_a_line_or_a_problem(text in prop_oneof![".{0,80}", babble()]) {
        let catalog = Catalog::embedded();
        match read(&text, catalog) {
            Ok(asked) => {
                let line = write(&asked.settings);
                prop_assert_eq!(read(&line, catalog).map(|read| read.settings), Ok(asked.settings.clone()), "{}", line);
                if let Ok(request) = complete(&asked.settings, catalog) {
                    prop_assert!(estimate(&request).memory.device.0.is_finite(), "{}", line);
                }
            }
            Err(fault) => prop_assert!(!say(Locale::En, &fault.message).is_empty()),
        }
    }

    #[test]
    fn any_text_is_a_tweak_or_none(text in prop_oneof![".{0,80}", babble()]) {
        let catalog = Catalog::embedded();
        for base in ["train meta-llama/Meta-Llama-3-8B method=lora seq=4096 batch=4 gpu=a100-sxm-80gb gpus=8", "infer 7b"] {
            let base = read(base, catalog).expect("a line").settings;
            let tweak = headroom::request::tweak::tweak(&base, &text, catalog);
            let line = write(&tweak.settings);
            prop_assert_eq!(read(&line, catalog).map(|read| read.settings), Ok(tweak.settings.clone()), "{}", line);
        }
    }
}

#[test]
fn a_custom_shape_takes_the_usual_where_it_is_open() {
    let settings =
        read("train custom layers=22 hidden=2048 kv_heads=4 head_dim=64", Catalog::embedded()).expect("a line");
    let request = complete(&settings.settings, Catalog::embedded()).expect("a request");
    // TinyLlama-1.1B: 32 heads of 64, FFN 5632, vocabulary 32000, as its card says; 1,100,048,384 parameters.
    assert_eq!(request.model.counts.total, 1_100_048_384);
    for assumed in [("heads", "32"), ("ffn", "5632"), ("vocab", "32000")] {
        assert!(request.assumed.iter().any(|(key, value)| (*key, &**value) == assumed), "{assumed:?}");
    }
}
