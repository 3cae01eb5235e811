//! Calls that a Python script is set up with: `LLM(…)`, `TrainingArguments(…)`, `LoraConfig(…)`; and arguments as an
//! engine's log prints them.

use super::draft::Draft;
use super::{Kind, engines, trainers, tree};

/// What opens an engine's arguments, in a script or in its log.
const ENGINES: &[(&str, Kind)] = &[
    ("LLM(", Kind::Vllm),
    ("EngineArgs(", Kind::Vllm),
    ("args: Namespace(", Kind::Vllm),
    (" with config: ", Kind::Vllm),
    ("ServerArgs(", Kind::Sglang),
    ("sgl.Engine(", Kind::Sglang),
    ("Llama(", Kind::LlamaCpp),
];

fn engine(text: &str) -> Option<Draft> {
    ENGINES.iter().find_map(|(opening, kind)| {
        let mut pairs = tree::call(text, opening)?;
        pairs.extend(tree::call(text, "KvCacheConfig(").unwrap_or_default());
        let loads = pairs.iter().any(|(name, _)| matches!(name.as_str(), "model" | "model_path"));
        let kind = if text.contains("tensorrt_llm") { Kind::Trtllm } else { *kind };
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

/// Calls that a Python script is set up with.
pub fn read(text: &str) -> Vec<Draft> {
    if let Some(draft) = engine(text).or_else(|| tgi_log(text)) {
        return vec![draft];
    }
    let calls = [
        "TrainingArguments",
        "SFTConfig",
        "DPOConfig",
        "GRPOConfig",
        "ORPOConfig",
        "KTOConfig",
        "Seq2SeqTrainingArguments",
        "BitsAndBytesConfig",
        "FastLanguageModel.from_pretrained",
        "get_peft_model",
        "AutoModelForCausalLM.from_pretrained",
        "LoraConfig",
    ];
    let found: Vec<(&str, Vec<(String, String)>)> =
        calls.iter().filter_map(|name| Some((*name, tree::call(text, &format!("{name}("))?))).collect();
    if found.is_empty() {
        return vec![];
    }
    let only_lora = found.iter().all(|(name, _)| *name == "LoraConfig");
    let pairs: Vec<(String, String)> = found.iter().flat_map(|(_, pairs)| pairs.clone()).collect();
    let mut draft = trainers::keywords(if only_lora { Kind::PeftConfig } else { Kind::Accelerate }, &pairs);
    for (name, _) in &found {
        match *name {
            "DPOConfig" => draft.set("stage", "dpo"),
            "GRPOConfig" => draft.set("stage", "grpo"),
            "ORPOConfig" => draft.set("stage", "orpo"),
            "KTOConfig" => draft.set("stage", "kto"),
            "FastLanguageModel.from_pretrained" => draft.set("framework", "unsloth"),
            _ => {}
        }
    }
    let pretrained = text.split("from_pretrained(").nth(1).map(str::trim_start);
    let quoted = pretrained.and_then(|rest| rest.strip_prefix(['"', '\''])?.split(['"', '\'']).next());
    draft.model = draft.model.or_else(|| quoted.map(str::to_owned));
    trainers::finish_trainer(&mut draft);
    vec![draft]
}
