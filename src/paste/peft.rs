//! PEFT's `adapter_config.json`.

use super::Kind;
use super::draft::{Draft, is_unset};
use super::trainers::{targets, train};
use super::tree::scalar;
use serde_json::{Map, Value};

/// `adapter_config.json`.
pub fn read(tree: &Map<String, Value>) -> Option<Draft> {
    let kind = tree.get("peft_type")?.as_str()?.to_uppercase();
    let mut draft = train(Kind::PeftConfig);
    let word = |key: &str| tree.get(key).and_then(scalar).filter(|value| !is_unset(value));
    draft.model = word("base_model_name_or_path");
    let dora = tree.get("use_dora").and_then(Value::as_bool) == Some(true);
    draft.set(
        "method",
        match kind.as_str() {
            "ADALORA" => "adalora",
            _ if dora => "dora",
            _ => "lora",
        },
    );
    if let Some(rank) = word("r").or_else(|| word("init_r")) {
        draft.set("lora_rank", rank);
    }
    if let Some(alpha) = word("lora_alpha") {
        draft.set("lora_alpha", alpha);
    }
    if let Some(modules) = word("target_modules") {
        targets(&mut draft, &modules);
    }
    Some(draft)
}
