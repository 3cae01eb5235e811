//! Commands and files that start an inference engine.

use super::Kind;
use super::draft::{Draft, Rules, snake};
use super::shell::{Command, flags, positional};
use crate::request::Verb;
use regex::{Regex, RegexBuilder};
use std::sync::LazyLock;

mod flags;
mod ollama;

pub use flags::card_layers;
use flags::{
    ALL_LAYERS, KTRANSFORMERS_FLAGS, LLAMA_CPP_FLAGS, LMDEPLOY_FLAGS, OLLAMA_VARIABLES, SGLANG_FLAGS, SPECULATIVE,
    TGI_FLAGS, TRTLLM_FLAGS, VLLM_FLAGS,
};
pub use ollama::{ollama, ollama_posted, ollama_request};

/// What starts an engine, where a word of a command is or ends so.
const VLLM: &[&str] = &["vllm.entrypoints.openai.api_server", "vllm.entrypoints.api_server"];
const SGLANG: &[&str] = &[
    "sglang.launch_server",
    "sglang.bench_offline_throughput",
    "sglang.bench_one_batch",
    "sglang_router.launch_server",
];
const TRTLLM: &[&str] =
    &["trtllm-serve", "trtllm-build", "trtllm-bench", "convert_checkpoint.py", "quantize.py", "build.py"];
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

const KTRANSFORMERS: &[&str] =
    &["ktransformers", "ktransformers.local_chat", "ktransformers/local_chat.py", "ktransformers/server/main.py"];

/// Settings by which an engine is known where it isn't named: a container's arguments, a file, a list of flags.
const OWN: &[(Kind, &[&str])] = &[
    (Kind::Vllm, &["gpu_memory_utilization", "max_model_len", "max_num_seqs", "accelerator_type", "model_url"]),
    (
        Kind::Trtllm,
        &["free_gpu_memory_fraction", "max_num_tokens", "enable_attention_dp", "decoding_type", "trt_llm_version"],
    ),
    (Kind::Sglang, &["mem_fraction_static", "tp_size", "chunked_prefill_size", "max_running_requests"]),
    (Kind::Tgi, &["max_total_tokens", "max_batch_prefill_tokens", "max_input_tokens", "num_shard"]),
    (Kind::LlamaCpp, &["ngl", "n_gpu_layers", "gpu_layers"]),
];

/// The engine whose settings these are.
pub fn known<'a>(names: impl Iterator<Item = &'a str>) -> Option<Kind> {
    let names: Vec<String> = names.map(snake).collect();
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
    } else if let Some(rest) = command.after(|word| TRTLLM.contains(&program(word).as_str()) && builds(word, words)) {
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
    } else if let Some(rest) = served(words, "lmdeploy", &["serve", "chat"]) {
        engine(Kind::Lmdeploy, rest.strip_prefix(&["api_server".to_owned()]).unwrap_or(rest), LMDEPLOY_FLAGS)
    } else if let Some(rest) = command.after(|word| KTRANSFORMERS.iter().any(|name| word.ends_with(name))) {
        engine(Kind::Ktransformers, rest, KTRANSFORMERS_FLAGS)
    } else if let Some(rest) = served(words, "swift", &["deploy", "infer", "app", "rollout", "eval"]) {
        swift(rest)?
    } else if let Some(rest) = command.after(|word| matches!(program(word).as_str(), "lm_eval" | "lm-eval")) {
        evaluation(rest)?
    } else if words.first().is_some_and(|word| word == "helm") {
        return chart(words);
    } else if let Some(rest) = command.after(image("vllm")) {
        engine(Kind::Vllm, rest, VLLM_FLAGS)
    } else if let Some(rest) = command.after(image("sglang")) {
        engine(Kind::Sglang, rest, SGLANG_FLAGS)
    } else if let Some(rest) = command.after(image("text-generation-inference")) {
        engine(Kind::Tgi, rest, TGI_FLAGS)
    } else if let Some(rest) = command.after(image("llama.cpp")) {
        engine(Kind::LlamaCpp, rest, LLAMA_CPP_FLAGS)
    } else if command.after(image("ollama")).is_some()
        || command.variables.keys().any(|name| name.starts_with("OLLAMA_"))
    {
        Draft::new(Kind::Ollama, Verb::Infer)
    } else if runs || words.first().is_some_and(|word| word.starts_with('-')) {
        let flags = flags(words);
        // KServe's runtime serves by vLLM a model that it calls by two names.
        let own = |name: &str| matches!(snake(name).as_str(), "tensor_parallel_size" | "model_name");
        let split = flags.iter().any(|(name, _)| own(name)).then_some(Kind::Vllm);
        let kind = known(flags.iter().map(|(name, _)| *name)).or(split)?;
        engine(kind, words, rules(kind))
    } else {
        return None;
    };
    mounted(command, &mut draft);
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
        Kind::Lmdeploy => LMDEPLOY_FLAGS,
        Kind::Ktransformers => KTRANSFORMERS_FLAGS,
        _ => VLLM_FLAGS,
    }
}

/// A chart's values, set one by one: `helm install … --set modelSpec[0].vllmConfig.maxModelLen=8192`.
fn chart(words: &[String]) -> Option<Draft> {
    let set = flags(words).into_iter().filter(|(name, _)| name.starts_with("set"));
    let pairs: Vec<(String, String)> = set
        .flat_map(|(_, values)| values.split(','))
        .filter_map(|pair| pair.split_once('='))
        .map(|(path, value)| (path.to_owned(), value.to_owned()))
        .collect();
    let kind = known(pairs.iter().map(|(path, _)| path.rsplit('.').next().unwrap_or(path)))?;
    Some(settings(kind, &pairs))
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

/// The first releases' `build.py` is told of TensorRT's plugins.
fn builds(word: &str, words: &[String]) -> bool {
    !word.ends_with("build.py") || words.iter().any(|word| word.contains("_plugin"))
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
    if draft.model.is_none() && matches!(kind, Kind::Vllm | Kind::Trtllm | Kind::Sglang | Kind::Lmdeploy) {
        draft.model = bare.filter(|word| word.contains(['/', '-'])).map(str::to_owned);
    }
    draft
}

/// A model's path in a container, by what is mounted there: `-v /data/Qwen3-8B:/model … --model /model`.
fn mounted(command: &Command, draft: &mut Draft) {
    let Some(path) = draft.model.as_ref().filter(|path| path.starts_with('/')) else { return };
    let flags = command.flags();
    let mounts = flags.iter().filter(|(name, _)| matches!(*name, "v" | "volume")).map(|(_, mount)| *mount);
    let mut hosts = mounts.filter_map(|mount| {
        let (host, rest) = mount.split_once(":/")?;
        let within = path[1..].strip_prefix(rest.split(':').next()?)?;
        Some(format!("{host}{within}"))
    });
    if let Some(host) = hosts.find(|host| !host.contains('$')) {
        draft.model = Some(host);
    }
}

/// Names of variables that say too little.
const SHORT: usize = 4;

/// Settings that engines, or the images that start them, take from variables.
fn environment(command: &Command, draft: &mut Draft) {
    let rules = match draft.kind {
        Kind::Tgi | Kind::LlamaCpp | Kind::Vllm | Kind::Sglang => rules(draft.kind),
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
        // `TP` and the like are a script's own.
        if prefix.is_empty() && name.len() <= SHORT {
            continue;
        }
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
    draft.model = draft.model.take().or_else(|| draft.alias.clone());
    if draft.kind == Kind::Ktransformers {
        // It keeps routed experts on the processor, as llama.cpp does where it is told.
        draft.set("backend", Kind::LlamaCpp.word());
        draft.set("cpu_moe", ALL_LAYERS);
        draft.assumed.push(format!("backend={}", Kind::LlamaCpp.word()));
    } else {
        draft.set("backend", draft.kind.word());
    }
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
            if draft.kind == Kind::LlamaCpp {
                share_cells(draft);
            }
            experts_on_host(draft);
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

/// `-c` is the whole cache, which the slots share.
pub fn share_cells(draft: &mut Draft) {
    if let (Some(cells), Some(slots)) = (draft.count("seq"), draft.count("concurrency"))
        && slots > 1
    {
        draft.set("seq", (cells / slots).max(1));
    }
}

/// Layers whose routed experts `--override-tensor` leaves to the processor, most of their three tensors:
/// `exps=CPU`, `blk\.(2[0-9])\.ffn_.*_exps=CPU`. The first pattern that fits counts.
fn experts_on_host(draft: &mut Draft) {
    let Some(given) = draft.get("overrides").map(str::to_owned) else { return };
    draft.unset("overrides");
    let rules: Vec<(Regex, bool)> = given
        .split(',')
        .filter_map(|rule| rule.rsplit_once('='))
        .filter_map(|(pattern, place)| {
            let pattern = RegexBuilder::new(pattern).size_limit(LARGEST_PATTERN).build().ok()?;
            Some((pattern, place.starts_with("CPU")))
        })
        .take(MOST_PATTERNS)
        .collect();
    let on_host =
        |tensor: &str| rules.iter().find(|(pattern, _)| pattern.is_match(tensor)).is_some_and(|(_, host)| *host);
    let left = |layer: &u64| {
        let matrices = ["gate", "up", "down"].iter();
        matrices.filter(|matrix| on_host(&format!("blk.{layer}.ffn_{matrix}_exps.weight"))).count() > 1
    };
    let layers = (0..ALL_LAYERS).filter(left).count();
    if layers > 0 {
        draft.set("cpu_moe", layers);
    }
}

/// Patterns of one command, and the bytes that one may take.
const MOST_PATTERNS: usize = 20;
const LARGEST_PATTERN: usize = 1 << 18;

/// What tells an engine's release: its own image's tag, its package, the start of its log.
static RELEASES: LazyLock<Vec<(&str, Regex)>> = LazyLock::new(|| {
    let names = [
        ("vllm", "(?:vllm|LLM engine)", "vllm-openai"),
        ("sglang", "sglang", "lmsysorg/sglang"),
        ("tgi", "text-generation-inference", "text-generation-inference"),
        ("trtllm", "tensorrt[-_]?llm", "tensorrt-llm/release"),
        ("lmdeploy", "lmdeploy", "openmmlab/lmdeploy"),
    ];
    let release = |name, image| {
        let told = format!(r"\b{name}(?: API server)?(?: version| ?版本)?(?:: |：| ?==? ?| \(?)");
        format!(r"(?i)(?:{image}:|{told})v?([0-9]+\.[0-9]+\.[0-9]+)")
    };
    names.map(|(engine, name, image)| (engine, Regex::new(&release(name, image)).expect("written here"))).into()
});

/// The release of an engine that a text tells of.
pub fn release<'a>(text: &'a str, engine: &str) -> Option<&'a str> {
    let (_, pattern) = RELEASES.iter().find(|(known, _)| *known == engine)?;
    Some(pattern.captures(text)?.get(1)?.as_str())
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
