//! Calls that a Python script is set up with: `LLM(…)`, `TrainingArguments(…)`, `LoraConfig(…)`; and arguments as an
//! engine's log prints them.

use super::draft::Draft;
use super::{Kind, engines, shell, trainers, tree};
use crate::request::Verb;
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// What opens an engine's arguments, in a script or in its log.
const ENGINES: &[(&str, Kind)] = &[
    ("LLM(", Kind::Vllm),
    ("EngineArgs(", Kind::Vllm),
    ("args: Namespace(", Kind::Vllm),
    (" with config: ", Kind::Vllm),
    ("ServerArgs(", Kind::Sglang),
    ("sgl.Engine(", Kind::Sglang),
    ("LLMConfig(", Kind::Vllm),
    ("TurbomindEngineConfig(", Kind::Lmdeploy),
    ("PytorchEngineConfig(", Kind::Lmdeploy),
    ("Llama(", Kind::LlamaCpp),
];

/// What a model is loaded by, to train it or to run it: `LlamaForCausalLM.from_pretrained(…)`, `pipeline(…)`.
fn loads(script: &Script) -> Vec<(String, String)> {
    let text = script.text;
    let class = |at: usize| text[..at].rsplit(|c: char| !c.is_ascii_alphanumeric()).next().unwrap_or("");
    let of_model = |at: &usize| {
        class(*at).contains("For") || class(*at).ends_with("LanguageModel") || UNSLOTH.contains(&class(*at))
    };
    let calls = text.match_indices(LOADED).map(|(at, _)| at).take(MOST_CALLS).filter(of_model);
    let loaded = calls.filter_map(|at| script.call(at, LOADED));
    let beside = ["BitsAndBytesConfig(", "pipeline("];
    loaded.chain(beside.iter().filter_map(|opening| script.call(0, opening))).flatten().collect()
}

/// What Unsloth's models are loaded by.
const UNSLOTH: &[&str] = &["FastLanguageModel", "FastVisionModel", "FastModel"];

const LOADED: &str = ".from_pretrained(";
const MOST_CALLS: usize = 16;

fn engine(script: &Script) -> Option<Draft> {
    ENGINES.iter().find_map(|(opening, kind)| {
        let mut pairs = script.call(0, opening)?;
        let beside = if *kind == Kind::Lmdeploy { "pipeline(" } else { "KvCacheConfig(" };
        pairs.extend(script.call(0, beside).unwrap_or_default());
        if let Some((unnamed, _)) = pairs.iter_mut().find(|(name, _)| name.is_empty()) {
            "model".clone_into(unnamed);
        }
        let last = |path: &str| path.rsplit('.').next().unwrap_or(path).to_owned();
        let loads = pairs.iter().any(|(path, _)| matches!(last(path).as_str(), "model" | "model_path" | "model_id"));
        let kind = if script.text.contains("tensorrt_llm") { Kind::Trtllm } else { *kind };
        loads.then(|| engines::settings(kind, &pairs))
    })
}

/// TGI's log: `Args { model_id: "…", num_shard: Some(4), quantize: None, … }`.
fn tgi_log(text: &str) -> Option<Draft> {
    let (_, args) = text.split_once("Args { model_id: ")?;
    let args = format!("model_id: {}", args.split_once(" }").map_or(args, |(args, _)| args));
    let bare = |value: &str| {
        let value = value.strip_prefix("Some(").and_then(|value| value.strip_suffix(')')).unwrap_or(value);
        value.trim_matches('"').to_owned()
    };
    let given = args.split(", ").filter_map(|pair| pair.split_once(": ")).filter(|(_, value)| *value != "None");
    let pairs: Vec<(String, String)> = given.map(|(name, value)| (name.to_owned(), bare(value))).collect();
    Some(engines::settings(Kind::Tgi, &pairs))
}

/// XTuner's configuration, a script of names that it sets.
fn xtuner(script: &Script) -> Option<Draft> {
    script.set.contains_key("accumulative_counts").then_some(())?;
    // What is handed on by its own name was set before.
    let given = script.set.iter().filter(|(name, value)| name != value);
    let pairs: Vec<(String, String)> = given.map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let mut draft = trainers::keywords(Kind::Xtuner, &pairs);
    trainers::finish_trainer(&mut draft);
    Some(draft)
}

/// A model made from scratch, as its `config.json`: `Qwen2Config(hidden_size=2048, num_hidden_layers=24, …)`.
pub fn config(text: &str) -> Option<Map<String, Value>> {
    let script = Script::new(text);
    let calls = text.match_indices("Config(").map(|(at, _)| at).take(MOST_CALLS);
    let described = |at: usize| {
        let pairs = script.call(at, "Config(")?;
        let layered = pairs.iter().any(|(name, _)| matches!(name.as_str(), "num_hidden_layers" | "n_layer"));
        layered.then_some((at, pairs))
    };
    let (at, pairs) = calls.into_iter().find_map(described)?;
    let mut tree: Map<String, Value> = pairs.into_iter().map(|(name, value)| (name, typed(value))).collect();
    let class = text[..at].rsplit(|c: char| !c.is_ascii_alphanumeric()).next().unwrap_or("");
    tree.entry("model_type").or_insert_with(|| Value::String(model_type(class)));
    Some(tree)
}

/// `Qwen2Moe` as `qwen2_moe`.
fn model_type(class: &str) -> String {
    let (mut made, mut last) = (String::new(), '_');
    for c in class.chars() {
        if c.is_ascii_uppercase() && (last.is_ascii_lowercase() || last.is_ascii_digit()) {
            made.push('_');
        }
        made.push(c.to_ascii_lowercase());
        last = c;
    }
    made
}

/// Python's value as JSON's.
fn typed(value: String) -> Value {
    let plain = match value.as_str() {
        "True" => "true",
        "False" => "false",
        "None" => "null",
        number => &number.replace('_', ""),
    };
    serde_json::from_str(plain).ok().filter(|value: &Value| !value.is_object()).unwrap_or(Value::String(value))
}

/// A script, and what it sets names to.
struct Script<'a> {
    text: &'a str,
    set: BTreeMap<&'a str, &'a str>,
}

impl<'a> Script<'a> {
    fn new(text: &'a str) -> Self {
        let pairs = text.lines().filter_map(|line| line.split_once('='));
        let pair = |(name, value): (&'a str, &'a str)| {
            let value = value.split(" #").next().unwrap_or("").trim();
            // `name: str = …`
            (name.split(':').next().unwrap_or(name).trim(), value.trim_matches([',', '"', '\'', ')']))
        };
        let mut set = BTreeMap::new();
        for (name, value) in pairs.map(pair).filter(|(name, value)| name != value) {
            set.entry(name).or_insert(value);
        }
        Self { text, set }
    }

    /// The arguments of the next call, those that are names by what the script sets them to.
    fn call(&self, from: usize, opening: &str) -> Option<Vec<(String, String)>> {
        let mut pairs = tree::call(&self.text[from..], opening)?;
        for (_, value) in &mut pairs {
            let set = |name: &str| self.set.get(name).copied();
            if let Some(set) = set(value) {
                *value = set.to_owned();
            } else if let Some(product) = value.contains('*').then(|| shell::evaluate(value, &set)).flatten() {
                *value = product.to_string();
            }
        }
        Some(pairs)
    }
}

/// What a training is set up by, and the stage that it tells.
const TRAINS: &[(&str, Option<&str>)] = &[
    ("TrainingArguments(", None),
    ("SFTConfig(", None),
    ("SFTTrainer(", None),
    ("DPOConfig(", Some("dpo")),
    ("DPOTrainer(", Some("dpo")),
    ("GRPOConfig(", Some("grpo")),
    ("GRPOTrainer(", Some("grpo")),
    ("ORPOConfig(", Some("orpo")),
    ("CPOConfig(", Some("cpo")),
    ("KTOConfig(", Some("kto")),
    ("RewardConfig(", Some("rm")),
    ("get_peft_model(", None),
    ("LoraConfig(", None),
];

/// Calls that a Python script is set up with.
pub fn read(text: &str) -> Vec<Draft> {
    let script = Script::new(text);
    if let Some(draft) = engine(&script).or_else(|| tgi_log(text)).or_else(|| xtuner(&script)) {
        return vec![draft];
    }
    let found: Vec<(&str, Vec<(String, String)>)> =
        TRAINS.iter().filter_map(|(opening, _)| Some((*opening, script.call(0, opening)?))).collect();
    let loads = loads(&script);
    if let Some(settings) = script.call(0, "dict(").filter(|_| found.is_empty()) {
        let tree = settings.into_iter().map(|(name, value)| (name, Value::String(value))).collect();
        return trainers::llama_factory(&tree).into_iter().collect();
    }
    let model = || {
        let named = loads.iter().find(|(name, _)| matches!(name.as_str(), "model" | "model_name"));
        let positional = || loads.iter().find(|(name, value)| name.is_empty() && !value.contains("-generation"));
        named.or_else(positional).map(|(_, value)| value.clone())
    };
    if found.is_empty() {
        return loaded(&loads, model()).into_iter().collect();
    }
    let only_lora = found.iter().all(|(opening, _)| *opening == "LoraConfig(");
    // A trainer is given a model's name or a model that was loaded.
    let named = |(path, value): &&(String, String)| !matches!(path.as_str(), "" | "model") || value.contains('/');
    let pairs = found.iter().flat_map(|(_, pairs)| pairs).chain(&loads).filter(named);
    let pairs: Vec<(String, String)> = pairs.cloned().collect();
    let mut draft = trainers::keywords(if only_lora { Kind::PeftConfig } else { Kind::Accelerate }, &pairs);
    let stage = TRAINS.iter().filter(|(opening, _)| found.iter().any(|(called, _)| called == opening));
    if let Some(stage) = stage.filter_map(|(_, stage)| *stage).next_back() {
        draft.set("stage", stage);
    }
    if draft.get("method").is_none() && text.contains("LoraConfig(") {
        draft.set("method", "lora");
    }
    if UNSLOTH.iter().any(|class| text.contains(class)) {
        draft.set("framework", "unsloth");
    }
    let positional = || pairs.iter().find(|(path, _)| path.is_empty()).map(|(_, value)| value.clone());
    draft.model = draft.model.or_else(model).or_else(positional);
    trainers::finish_trainer(&mut draft);
    vec![draft]
}

/// A model that a script loads and does not train.
fn loaded(pairs: &[(String, String)], model: Option<String>) -> Option<Draft> {
    let read = trainers::keywords(Kind::Transformers, pairs);
    let mut draft = Draft::new(Kind::Transformers, Verb::Infer);
    draft.model = Some(model.or(read.model.clone())?);
    draft.set("backend", "transformers");
    for knob in ["precision", "attn"] {
        if let Some(value) = read.get(knob) {
            draft.set(knob, value);
        }
    }
    match read.get("quant_bits") {
        Some("4") => draft.set("quant", "bnb-nf4"),
        Some("8") => draft.set("quant", "bnb-int8"),
        _ => {}
    }
    Some(draft)
}
