//! Names as people type them: every row of `tests/data/model-name-queries.csv`, further rows of our own, and any text at all.

use headroom::catalog::{Catalog, Outcome};

#[derive(serde::Deserialize)]
struct Row {
    query: String,
    #[serde(rename = "expected_hf_id_or_AMBIGUOUS_or_UNKNOWN")]
    expected: String,
    expected_quant: String,
    candidates: String,
}

fn rows(file: &str) -> Vec<Row> {
    let mut reader = csv::Reader::from_path(format!("tests/data/{file}")).unwrap();
    reader.deserialize().map(Result::unwrap).collect()
}

/// What is wrong with the answer to a row, if anything.
fn fault(row: &Row) -> Option<String> {
    let found = Catalog::embedded().names().model(&row.query);
    let candidates: Vec<&str> = row.candidates.split('|').filter(|id| !id.is_empty()).collect();
    let id = found.id.clone().unwrap_or_default();
    let accepted = |id: &str| row.expected.eq_ignore_ascii_case(id) || candidates.contains(&id);
    let right = match row.expected.split(':').collect::<Vec<_>>()[..] {
        ["AMBIGUOUS"] => found.outcome == Outcome::Ambiguous && candidates.contains(&id.as_str()),
        ["UNKNOWN"] => found.outcome == Outcome::Unknown && found.id.is_none(),
        ["GENERIC", size] => found.outcome == Outcome::Generic && id.eq_ignore_ascii_case(size),
        _ => found.outcome == Outcome::Match && accepted(&id),
    };
    let quant = found.quant.clone().unwrap_or_default();
    let right = right && (quant == row.expected_quant || row.expected == "UNKNOWN");
    (!right).then(|| {
        format!(
            "{:?}: want {} {:?}, is {} {id} {quant:?} {:?}",
            row.query,
            row.expected,
            row.expected_quant,
            found.outcome.word(),
            found.candidates
        )
    })
}

#[track_caller]
fn check_file(file: &str, least: f64) {
    let rows = rows(file);
    let faults: Vec<String> = rows.iter().filter_map(fault).collect();
    let share = 1.0 - faults.len() as f64 / rows.len() as f64;
    println!("{file}: {share:.4} of {}\n{}", rows.len(), faults.join("\n"));
    assert!(share >= least);
}

#[test]
fn names_that_people_type_resolve() {
    check_file("model-name-queries.csv", 0.985);
}

#[test]
fn names_of_our_own_invention_resolve() {
    check_file("model-name-queries-own.csv", 0.97);
}

#[track_caller]
fn check_gpu(typed: &str, expected: &str) {
    let found = Catalog::embedded().names().gpu(typed);
    assert_eq!(found.id.as_deref(), Some(expected), "{typed}: {found:?}");
}

#[test]
fn every_alias_of_an_accelerator_means_it() {
    let catalog = Catalog::embedded();
    for gpu in &catalog.gpus {
        for alias in gpu.aliases.iter().chain([&gpu.id, &gpu.name]) {
            check_gpu(alias, &gpu.id);
            check_gpu(&alias.to_uppercase().replace(' ', "-"), &gpu.id);
        }
    }
}

#[test]
fn accelerators_resolve_however_they_are_written() {
    for (typed, expected) in [
        ("4090", "rtx-4090-24gb"),
        ("RTX4090", "rtx-4090-24gb"),
        ("NVIDIA GeForce RTX 4090", "rtx-4090-24gb"),
        ("4090 显卡", "rtx-4090-24gb"),
        ("rtx 4090 24gb", "rtx-4090-24gb"),
        ("4090 48G", "rtx-4090-48gb"),
        ("a100 80g", "a100-sxm-80gb"),
        ("A100-40G", "a100-sxm-40gb"),
        ("A100 PCIe", "a100-pcie-80gb"),
        ("NVIDIA A100-SXM4-80GB", "a100-sxm-80gb"),
        ("NVIDIA A100-SXM4-40GB", "a100-sxm-40gb"),
        ("NVIDIA A100-PCIE-40GB", "a100-pcie-40gb"),
        ("NVIDIA A100 80GB PCIe", "a100-pcie-80gb"),
        ("H100 SXM", "h100-sxm-80gb"),
        ("NVIDIA H100 80GB HBM3", "h100-sxm-80gb"),
        ("h100 nvl", "h100-nvl-94gb"),
        ("H200", "h200-sxm-141gb"),
        ("Tesla V100-SXM2-32GB", "v100-sxm2-32gb"),
        ("Tesla T4", "t4-16gb"),
        ("NVIDIA RTX A6000", "rtx-a6000-48gb"),
        ("NVIDIA RTX 6000 Ada Generation", "rtx-6000-ada-48gb"),
        ("rtx pro 6000", "rtx-pro-6000-blackwell-96gb"),
        ("NVIDIA RTX PRO 6000 Blackwell Workstation Edition", "rtx-pro-6000-blackwell-96gb"),
        ("NVIDIA GeForce RTX 3090 Ti", "rtx-3090ti-24gb"),
        ("GTX 4090", "rtx-4090-24gb"),
        ("昇腾910B", "ascend-910b3-64gb"),
        ("华为昇腾 910B 32G", "ascend-910b4-32gb"),
        ("Ascend 910C", "ascend-910c-128gb"),
        ("AMD Instinct MI300X", "mi300x-192gb"),
        ("m3 max", "apple-m3-max-128gb"),
        ("M2 Ultra 192GB", "apple-m2-ultra-192gb"),
        ("m4 max 64", "apple-m4-max-64gb"),
        ("Mac Studio M3 Ultra 512GB", "apple-m3-ultra-512gb"),
        ("strix halo", "ryzen-ai-max-395-128gb"),
        ("DGX Spark", "gb10-128gb"),
        ("tpu v5e", "tpu-v5e"),
        ("mig 3g.40gb h100", "h100-sxm-80gb-3g.40gb"),
        ("H100 MIG 3g.40gb", "h100-sxm-80gb-3g.40gb"),
    ] {
        check_gpu(typed, expected);
    }
}

#[test]
fn a_memory_size_that_is_not_made_is_said() {
    let found = Catalog::embedded().names().gpu("m3 ultra 192");
    assert_eq!((found.outcome, found.id.as_deref()), (Outcome::Ambiguous, Some("apple-m3-ultra-256gb")));
    let unknown = Catalog::embedded().names().gpu("rtx 9999");
    assert_eq!((unknown.outcome, unknown.id), (Outcome::Unknown, None));
}

#[test]
fn a_name_cut_short_by_a_driver_is_told_by_its_memory() {
    let names = Catalog::embedded().names();
    assert_eq!(names.reported_gpu("NVIDIA A100-SXM...", 80.0), Some("a100-sxm-80gb"));
    assert_eq!(names.reported_gpu("NVIDIA A100-SXM...", 40.0), Some("a100-sxm-40gb"));
    assert_eq!(names.reported_gpu("NVIDIA RTX 6000 Ada Gene...", 48.0), Some("rtx-6000-ada-48gb"));
    assert_eq!(names.reported_gpu("GeForce RTX 208...", 11.0), Some("rtx-2080ti-11gb"));
    assert_eq!(names.reported_gpu("NVIDIA GeForce ...", 24.0), None);
}

#[test]
fn typing_is_completed_most_wanted_first() {
    let names = Catalog::embedded().names();
    assert_eq!(names.suggest_models("qwen2.5-7", 1), ["Qwen/Qwen2.5-7B"]);
    assert!(names.suggest_models("llama 3.1 8b", 3).contains(&"meta-llama/Meta-Llama-3.1-8B"));
    assert!(names.suggest_models("deepsek", 5).iter().all(|id| id.starts_with("deepseek-ai/")));
    assert_eq!(names.suggest_models("", 25).len(), 25);
    assert_eq!(names.suggest_gpus("a100", 1), ["a100-sxm-80gb"]);
    assert_eq!(names.suggest_gpus("", 1), ["h100-sxm-80gb"]);
}

#[test]
fn formats_resolve_by_any_spelling() {
    let catalog = Catalog::embedded();
    for (typed, expected) in [
        ("q4_k_m", "q4_k_m"),
        ("Q4KM", "q4_k_m"),
        ("q8", "q8_0"),
        ("UD-Q4_K_XL", "q4_k_m"),
        ("Q2_K_XL", "q2_k"),
        ("gguf", "q4_k_m"),
        ("bf16", "none"),
        ("w4a16", "int4"),
        ("mlx-4bit", "q4_0"),
        ("bnb-4bit", "bnb-nf4"),
        ("GPTQ-Int8", "gptq-int8"),
        ("AWQ-INT4", "awq"),
    ] {
        let found = catalog.names().format(typed).map(|row| row.name.as_str());
        assert_eq!(found, Some(expected), "{typed}");
    }
    assert!(catalog.names().format("q9_z").is_none());
}

#[test]
fn another_size_of_the_same_family() {
    let names = Catalog::embedded().names();
    let resized = |id, size| names.resized(id, size).id;
    assert_eq!(resized("Qwen/Qwen2.5-7B-Instruct", 72e9).as_deref(), Some("Qwen/Qwen2.5-72B-Instruct"));
    assert_eq!(resized("meta-llama/Meta-Llama-3.1-8B", 70e9).as_deref(), Some("meta-llama/Meta-Llama-3.1-70B"));
    assert_eq!(resized("mistralai/Mistral-7B-v0.1", 13e9), None);
    assert_eq!(resized("7b", 13e9).as_deref(), Some("13b"));
}

#[test]
fn a_model_of_another_id_has_its_siblings_shape() {
    let catalog = Catalog::embedded();
    let chat = catalog.model("baichuan-inc/Baichuan2-13B-Chat").expect("published beside the base model");
    assert_eq!(chat.id, "baichuan-inc/Baichuan2-13B-Base");
}

#[test]
fn every_id_of_the_catalog_names_its_row() {
    let catalog = Catalog::embedded();
    for model in catalog.models() {
        let found = catalog.names().model(&model.id);
        assert_eq!(found.outcome, Outcome::Match, "{}", model.id);
        let id = found.id.expect("a match has an id");
        assert_eq!(catalog.model(&id).expect("ids have a shape").id, model.id);
    }
}

proptest::proptest! {
    #[test]
    fn no_text_is_too_odd(text in "\\PC{0,40}|[a-z0-9._:/ -]{0,60}|(qwen|llama|千问|a100|🦙|\u{202e}|\u{200b}|q4_k|int|8x|7b|[-:/. ]){0,12}") {
        let names = Catalog::embedded().names();
        let found = names.model(&text);
        if let Some(id) = &found.id {
            proptest::prop_assert!(found.outcome == Outcome::Generic || Catalog::embedded().model(id).is_some());
        }
        names.gpu(&text);
        names.suggest_models(&text, 5);
        names.suggest_gpus(&text, 5);
    }
}

#[test]
fn a_long_text_is_read_as_far_as_a_name_can_go() {
    let names = Catalog::embedded().names();
    for text in ["x".repeat(10_000), "序".repeat(10_000), "7b ".repeat(4_000), "/".repeat(10_000), "q4_".repeat(4_000)]
    {
        names.model(&text);
        names.gpu(&text);
    }
}
