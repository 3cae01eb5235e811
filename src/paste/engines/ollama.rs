//! Ollama's Modelfile, its prompt and its API.

use super::flags::{LLAMA_CPP_FLAGS, OLLAMA_VARIABLES, card_layers};
use super::share_cells;
use crate::paste::Kind;
use crate::paste::draft::{Draft, Rule, Rules};
use crate::paste::{shell, tree};
use crate::request::Verb;
use Rule::{Count, Knob, With};

const OLLAMA_PARAMETERS: Rules = &[
    (&["num_ctx"], Count("seq")),
    (&["num_predict"], Count("output")),
    (&["num_batch"], Knob("max_batched_tokens")),
    (&["num_gpu"], With(card_layers)),
];

/// A Modelfile, or what one types to `ollama run`: `FROM`, `PARAMETER name value`, `/set parameter name value`.
pub fn ollama(text: &str) -> Option<Draft> {
    let mut draft = Draft::new(Kind::Ollama, Verb::Infer);
    let mut telling = false;
    // `ollama ps` has a table of what is loaded.
    let mut context = None;
    for line in text.lines().map(str::trim) {
        let line = line.strip_prefix(">>>").map_or(line, str::trim_start);
        let words: Vec<&str> = line.split_whitespace().collect();
        match words[..] {
            ["NAME", "ID", "SIZE", "PROCESSOR", ..] => context = Some(line.find("CONTEXT")),
            [model, _, ..] if context.is_some() && draft.model.is_none() => {
                draft.model = Some(model.to_owned());
                let column = context.flatten().and_then(|at| line.get(at..)).map(str::trim_start);
                if let Some(tokens) = column.and_then(|column| column.split(' ').next()) {
                    draft.follow(OLLAMA_PARAMETERS, "num_ctx", tokens);
                }
                telling = true;
            }
            [from, model] if from.eq_ignore_ascii_case("from") && !model.contains("/vllm") => {
                draft.model = Some(model.to_owned())
            }
            [parameter, name, value] if parameter.eq_ignore_ascii_case("parameter") => {
                draft.follow(OLLAMA_PARAMETERS, name, value);
                telling = true;
            }
            ["/set", "parameter", name, value] => {
                draft.follow(OLLAMA_PARAMETERS, name, value);
                telling = true;
            }
            ["TEMPLATE" | "SYSTEM" | "ADAPTER" | "MESSAGE", ..] => telling = true,
            // `ollama show`
            ["architecture", family] => draft.alias = Some(family.to_owned()),
            ["parameters", size] => draft.alias = draft.alias.map(|family| format!("{family}-{size}")),
            ["quantization", packing] if draft.alias.is_some() => draft.set("quant", packing),
            ["num_ctx", tokens] if draft.alias.is_some() => draft.set("seq", tokens),
            _ => {}
        }
    }
    // The start of a server's log: `server config env="map[… OLLAMA_CONTEXT_LENGTH:4096 …]"`.
    if let Some((_, variables)) = text.split_once("server config").and_then(|(_, rest)| rest.split_once("map[")) {
        for (name, value) in variables.split_whitespace().filter_map(|pair| pair.split_once(':')) {
            telling |= draft.follow(OLLAMA_VARIABLES, name, value);
        }
    }
    // What it starts a model with: `msg="starting llama server" cmd="/usr/bin/ollama runner … --ctx-size 8192 …"`.
    if let Some((_, command)) = text.split_once("cmd=\"").filter(|(_, command)| command.contains(" runner ")) {
        let words: Vec<String> = command.split('"').next().unwrap_or("").split(' ').map(str::to_owned).collect();
        let mut started = Draft::new(Kind::LlamaCpp, Verb::Infer);
        for (name, value) in shell::flags(&words).into_iter().filter(|(name, _)| *name != "model") {
            started.follow(LLAMA_CPP_FLAGS, name, value);
        }
        share_cells(&mut started);
        draft.knobs.extend(started.knobs);
        telling = true;
    }
    if let Some(shown) = draft.alias.as_ref().filter(|_| draft.get("quant").is_some()) {
        draft.model = Some(shown.clone());
        telling = true;
    }
    // A Dockerfile begins so too; a Modelfile's FROM stands alone or beside its own words.
    let alone = draft.model.is_some()
        && text.lines().filter(|line| !line.trim().is_empty() && !line.trim().starts_with('#')).count() == 1;
    if !telling && !alone {
        return None;
    }
    draft.set("backend", "ollama");
    Some(draft)
}

/// A request to Ollama's API, as `curl` sends it.
pub fn ollama_posted(text: &str) -> Option<Draft> {
    let body = ["/api/generate", "/api/chat"].iter().find_map(|path| text.split_once(path)).map(|(_, body)| body)?;
    let tree = tree::object(body)?;
    let options = tree.get("options").and_then(serde_json::Value::as_object).cloned().unwrap_or_default();
    ollama_request(tree.get("model")?.as_str()?, &options).into()
}

/// Options of Ollama's API: `{"model": …, "options": {"num_ctx": …}}`.
pub fn ollama_request(model: &str, options: &serde_json::Map<String, serde_json::Value>) -> Draft {
    let mut draft = Draft::new(Kind::Ollama, Verb::Infer);
    draft.model = Some(model.to_owned());
    for (name, value) in options {
        draft.follow(OLLAMA_PARAMETERS, name, &tree::scalar(value).unwrap_or_default());
    }
    draft.set("backend", "ollama");
    draft
}
