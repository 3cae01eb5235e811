//! Calls that a Python script is set up with: `LLM(…)`, `TrainingArguments(…)`, `LoraConfig(…)`.

use super::draft::Draft;
use super::{Kind, engines, trainers, tree};

/// Calls that a Python script is set up with.
pub fn read(text: &str) -> Vec<Draft> {
    if let Some(pairs) = tree::call(text, "LLM").filter(|pairs| pairs.iter().any(|(name, _)| name == "model")) {
        return vec![engines::settings(Kind::Vllm, &pairs)];
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
        "LoraConfig",
    ];
    let found: Vec<(&str, Vec<(String, String)>)> =
        calls.iter().filter_map(|name| Some((*name, tree::call(text, name)?))).collect();
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
