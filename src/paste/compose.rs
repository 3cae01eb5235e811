//! Containers of a compose file or a Kubernetes manifest, as the commands they run.

use super::shell::Command;
use super::tree::scalar;
use serde_json::{Map, Value};

/// A container in a compose file or a Kubernetes manifest, as the command it runs.
pub fn composed(tree: &Map<String, Value>) -> Option<Command> {
    let mut open: Vec<&Value> = tree.values().collect();
    let words = |value: Option<&Value>| -> Vec<String> {
        match value {
            Some(Value::String(text)) => shlex::split(text).unwrap_or_default(),
            Some(Value::Array(items)) => items.iter().filter_map(scalar).collect(),
            _ => vec![],
        }
    };
    let mut steps = 0;
    while let Some(value) = open.pop() {
        steps += 1;
        if steps > 10_000 {
            return None;
        }
        match value {
            Value::Object(map) => {
                if let Some(image) = map.get("image").and_then(Value::as_str) {
                    let mut command = Command { words: vec![image.to_owned()], ..Command::default() };
                    for key in ["entrypoint", "command", "args"] {
                        command.words.extend(words(map.get(key)));
                    }
                    for entry in words(map.get("environment")) {
                        command
                            .variables
                            .extend(entry.split_once('=').map(|(name, value)| (name.to_owned(), value.to_owned())));
                    }
                    if let Some(variables) = map.get("environment").and_then(Value::as_object) {
                        command
                            .variables
                            .extend(variables.iter().filter_map(|(name, value)| Some((name.clone(), scalar(value)?))));
                    }
                    for variable in map.get("env").and_then(Value::as_array).into_iter().flatten() {
                        let field = |name: &str| variable.get(name).and_then(scalar);
                        command.variables.extend(field("name").zip(field("value")));
                    }
                    return Some(command);
                }
                open.extend(map.values());
            }
            Value::Array(items) => open.extend(items),
            _ => {}
        }
    }
    None
}
