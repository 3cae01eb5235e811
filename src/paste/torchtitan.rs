//! torchtitan's TOML, and the same settings as flags of its trainer (`--training.seq_len 8192`).
//!
//! Sections and keys as in torchtitan/config/job_config.py.

use super::Kind;
use super::draft::{Draft, Rule, Rules};
use super::launch::launched;
use super::shell::{self, Command};
use super::trainers::{optimizer, train};
use Rule::{Count, Knob, On, Switch, With};

/// Sections that only this program has.
const MARKS: [&str; 4] = ["parallelism.", "activation_checkpoint.", "model.flavor", "job.config_file"];

pub fn file(text: &str) -> Option<Draft> {
    let mut section = "";
    let mut pairs: Vec<(String, &str)> = vec![];
    for line in text.lines().map(str::trim) {
        if let Some(name) = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            section = name.trim();
        } else if let Some((key, value)) = line.split_once('=').filter(|_| !section.is_empty()) {
            let value = value.split(" #").next().unwrap_or(value).trim().trim_matches(['"', '\'']);
            pairs.push((format!("{section}.{}", key.trim()), value));
        }
    }
    read(&pairs.iter().map(|(name, value)| (name.as_str(), *value)).collect::<Vec<_>>())
}

pub fn command(command: &Command, allotted: Option<(u64, u64)>) -> Option<Draft> {
    let marks = ["torchtitan", "run_train.sh", "job.config_file"];
    command.words.iter().any(|word| marks.iter().any(|mark| word.contains(mark))).then_some(())?;
    let mut draft = read(&shell::flags(&command.words))?;
    let (gpus, nodes) = launched(command, allotted);
    draft.set_some("gpus", command.variable("NGPU").map(str::to_owned).or(gpus.map(|gpus| gpus.to_string())));
    draft.set_some("nodes", nodes);
    Some(draft)
}

fn read(pairs: &[(&str, &str)]) -> Option<Draft> {
    MARKS.iter().any(|mark| pairs.iter().any(|(name, _)| name.starts_with(mark))).then_some(())?;
    let value = |wanted: &str| pairs.iter().find(|(name, _)| *name == wanted).map(|(_, value)| *value);
    let degree = |name: &str| value(&format!("parallelism.{name}_degree")).and_then(|value| value.parse::<u64>().ok());
    let mut draft = train(Kind::Torchtitan);
    for (knob, word) in [("framework", "torchtitan"), ("method", "full"), ("stage", "pretrain")] {
        draft.set(knob, word);
    }
    for (name, value) in pairs {
        draft.follow(RULES, name, value);
    }
    // The checkpoint says which of the flavor's models.
    let checkpoint = value("model.hf_assets_path").and_then(|path| path.trim_end_matches('/').rsplit('/').next());
    draft.alias = value("model.name").zip(value("model.flavor")).map(|(name, flavor)| model(name, flavor));
    // `train_configs/llama3_8b.toml`
    let file =
        value("job.config_file").and_then(|path| path.rsplit('/').next()?.strip_suffix(".toml")?.rsplit_once('_'));
    draft.model =
        checkpoint.map(str::to_owned).or_else(|| draft.alias.clone()).or(file.map(|(name, size)| model(name, size)));
    let (shards, replicas) = (degree("data_parallel_shard"), degree("data_parallel_replicate").unwrap_or(1));
    match (shards, replicas) {
        (Some(1), _) => draft.set("zero", 0),
        (_, 1) => draft.set("sharding", "fsdp"),
        _ => draft.set("sharding", "hsdp"),
    }
    // A negative degree is what is left of the GPUs.
    if let Some(shards) = shards {
        let data = shards.saturating_mul(replicas);
        let others =
            ["tensor_parallel", "pipeline_parallel", "context_parallel"].iter().filter_map(|name| degree(name));
        draft.set("dp", data);
        draft.set("gpus", others.fold(data, u64::saturating_mul));
    }
    Some(draft)
}

fn model(name: &str, flavor: &str) -> String {
    match (name, flavor) {
        ("llama3", size) => format!("llama-3.1-{size}"),
        ("deepseek_v3", "16B") => "deepseek-v2-lite".to_owned(),
        ("deepseek_v3", "236B") => "deepseek-v2".to_owned(),
        ("deepseek_v3", _) => "deepseek-v3".to_owned(),
        (name, size) => format!("{name}-{size}"),
    }
}

const RULES: Rules = &[
    (&["training.local_batch_size"], Knob("batch")),
    (&["training.global_batch_size"], Count("global_batch")),
    (&["training.seq_len"], Knob("seq")),
    (
        &["training.dtype"],
        With(|draft, value| {
            if value == "bfloat16" {
                draft.set("master", "off")
            }
        }),
    ),
    (&["training.enable_cpu_offload"], On("offload", "cpu")),
    (&["optimizer.name"], With(optimizer)),
    (&["parallelism.tensor_parallel_degree"], Knob("tp")),
    (&["parallelism.pipeline_parallel_degree"], Knob("pp")),
    (&["parallelism.context_parallel_degree"], Knob("cp")),
    (&["parallelism.expert_parallel_degree"], Knob("ep")),
    (
        &["activation_checkpoint.mode"],
        With(|draft, value| match value {
            "none" => draft.set("checkpointing", "off"),
            "selective" => draft.set("checkpointing", "selective"),
            "full" => draft.set("checkpointing", "on"),
            _ => {}
        }),
    ),
    (&["compile.enable"], Switch("compile")),
    (
        &["model.converters"],
        With(|draft, value| {
            if value.contains("float8") {
                draft.set("precision", "fp8")
            }
        }),
    ),
];
