//! Containers of a compose file or a Kubernetes manifest, as the commands they run.

use super::shell::{self, Command};
use super::tree::{at, scalar};
use serde_json::{Map, Value};
use std::collections::HashMap;

/// Cards of one machine.
const MOST_CARDS: u64 = 64;

/// What the containers of a file run, the last first.
pub fn commands(tree: &Map<String, Value>) -> Vec<Command> {
    let mut open: Vec<&Value> = tree.values().collect();
    let mut found = vec![];
    // No honest file has more.
    for _ in 0..10_000 {
        match open.pop() {
            Some(Value::Object(map)) => {
                found.extend(container(map));
                open.extend(map.values());
            }
            Some(Value::Array(items)) => open.extend(items),
            Some(_) => {}
            None => break,
        }
    }
    found
}

fn container(map: &Map<String, Value>) -> Vec<Command> {
    let image = map.get("image").and_then(Value::as_str);
    let run: Vec<String> = ["entrypoint", "command", "args"].iter().flat_map(|key| words(map.get(*key))).collect();
    // A whole command, or a flag with its value, written as one item.
    let apart = |(at, word): (usize, &String)| match shlex::split(word) {
        Some(words) if words.len() > 1 && (at == 0 || word.starts_with('-')) => words,
        _ => vec![word.clone()],
    };
    let run: Vec<String> = run.iter().enumerate().flat_map(apart).collect();
    if image.is_none() && !run.first().is_some_and(|word| word.starts_with('-')) {
        return vec![];
    }
    let mut variables = variables(map);
    if let Some(cards) = cards(map) {
        let shown: Vec<String> = (0..cards.min(MOST_CARDS)).map(|card| card.to_string()).collect();
        variables.entry("NVIDIA_VISIBLE_DEVICES".to_owned()).or_insert(shown.join(","));
    }
    let volumes = map.get("volumes").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
    let mounts = volumes.flat_map(|mount| ["-v".to_owned(), mount.to_owned()]);
    let head: Vec<String> = image.map(str::to_owned).into_iter().chain(mounts).collect();
    // `sh -c "vllm serve …"`
    let script = run.iter().position(|word| word == "-c").map(|at| run[at + 1..].join(" "));
    let scripted = script.map(|script| shell::commands(&script)).unwrap_or_default();
    let whole = Command { words: [head, run].concat(), variables: variables.clone() };
    let with_variables = |mut command: Command| {
        command.variables.extend(variables.clone());
        command
    };
    scripted.into_iter().map(with_variables).chain([whole]).collect()
}

/// Cards that a container is given: Compose's reserved devices, Kubernetes' limits.
fn cards(map: &Map<String, Value>) -> Option<u64> {
    let reserved = at(map, "deploy.resources.reservations.devices").and_then(|devices| devices.get(0));
    let listed = |device: &Value| device.get("device_ids").and_then(Value::as_array).map(|ids| ids.len() as u64);
    let counted = |value: &Value| scalar(value)?.parse().ok();
    reserved
        .and_then(|device| listed(device).or_else(|| counted(device.get("count")?)))
        .or_else(|| counted(at(map, "resources.limits")?.get("nvidia.com/gpu")?))
}

fn words(value: Option<&Value>) -> Vec<String> {
    match value {
        Some(Value::String(text)) => shlex::split(text).unwrap_or_default(),
        Some(Value::Array(items)) => items.iter().filter_map(scalar).collect(),
        _ => vec![],
    }
}

/// Compose's `environment`, a list or a mapping, and Kubernetes' `env`.
fn variables(map: &Map<String, Value>) -> HashMap<String, String> {
    let environment = map.get("environment");
    let listed = words(environment);
    let pairs = listed.iter().filter_map(|entry| entry.split_once('='));
    let mut found: HashMap<String, String> = pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    let mapped = environment.and_then(Value::as_object).into_iter().flatten();
    found.extend(mapped.filter_map(|(name, value)| Some((name.clone(), scalar(value)?))));
    for variable in map.get("env").and_then(Value::as_array).into_iter().flatten() {
        let field = |name: &str| variable.get(name).and_then(scalar);
        found.extend(field("name").zip(field("value")));
    }
    found
}
