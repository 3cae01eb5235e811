//! Configuration files as one tree: JSON as people write it, YAML, keyword arguments of a Python call.
//!
//! Bounded in size, in depth, and in what YAML's aliases stand for.

use crate::message::Message;
use crate::msg;
use serde_json::{Map, Value, json};
use serde_saphyr::Error;
use serde_saphyr::budget::BudgetBreach;
use std::fmt::Write;

/// Deepest nesting that is followed.
const DEPTH: usize = 32;

/// Lines of the longest YAML that is read.
const MOST_LINES: usize = 2000;

/// A tree, and what of the text stands around it.
type Found = (Value, String);

/// The JSON object that stands in a text, with comments and trailing commas forgiven.
pub fn json(text: &str) -> Option<Found> {
    let (start, end) = (text.find('{')?, text.rfind('}')?);
    // Text before it on its line makes it an argument, not a file.
    let before = text[..start].rsplit('\n').next().unwrap_or("").trim();
    // `LlamaConfig {` is how a configuration prints.
    if !before.is_empty() && !before.ends_with([':', '=']) && !before.ends_with("Config") {
        return None;
    }
    Some((object(text)?, format!("{}\n{}", &text[..start], &text[end + 1..])))
}

/// What stands between the first brace of a text and the last.
pub fn object(text: &str) -> Option<Value> {
    let object = text.get(text.find('{')?..=text.rfind('}')?)?;
    if depth(object) > DEPTH {
        return None;
    }
    let strict = serde_json::from_str(object).ok();
    strict.or_else(|| serde_json::from_str(&plain_json(object)).ok()).filter(Value::is_object)
}

/// What is wrong with a text that is meant as a file and is none.
pub fn fault(text: &str) -> Option<Message> {
    let bare = text.trim();
    let opened = bare.strip_prefix('{').map(str::trim_start);
    if opened.is_some_and(|first| first.starts_with(['"', '\'', '/', '#'])) {
        if depth(bare) > DEPTH {
            return Some(msg!("paste-too-deep", limit = DEPTH));
        }
        let fault = serde_json::from_str::<Value>(&plain_json(bare)).err()?;
        return Some(msg!("paste-broken", format = "JSON", line = fault.line(), column = fault.column()));
    }
    let lines = text.lines().filter(|line| !line.trim().is_empty() && !line.trim_start().starts_with('#')).count();
    let mappings = text.lines().filter(|line| is_mapping_line(line)).count();
    if mappings < 3 || mappings * 2 < lines || lines > MOST_LINES {
        return None;
    }
    let fault = parse_yaml(text).err()?;
    let at = fault.location();
    let fault = match fault.without_snippet() {
        Error::AliasError { error, .. } => error.without_snippet(),
        fault => fault,
    };
    match fault {
        Error::Budget { breach: BudgetBreach::Depth { .. }, .. } => Some(msg!("paste-too-deep", limit = DEPTH)),
        Error::Budget { breach: BudgetBreach::Aliases { .. }, .. } | Error::AliasReplayLimitExceeded { .. } => {
            Some(msg!("paste-aliases"))
        }
        Error::Budget { .. } => None,
        _ => {
            at.map(|at| msg!("paste-broken", format = "YAML", line = at.line() as usize, column = at.column() as usize))
        }
    }
}

fn depth(text: &str) -> usize {
    let (mut now, mut most) = (0usize, 0);
    for c in text.chars() {
        match c {
            '{' | '[' => now += 1,
            '}' | ']' => now = now.saturating_sub(1),
            _ => {}
        }
        most = most.max(now);
    }
    most
}

/// Without `//`, `#` and `/* */` comments, trailing commas; Python's words and quotes as JSON's.
fn plain_json(text: &str) -> String {
    let mut made = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '"' | '\'' => {
                made.push('"');
                while let Some(inner) = chars.next() {
                    match inner {
                        '\\' => {
                            let escaped = chars.next().unwrap_or('\\');
                            if escaped != '\'' {
                                made.push('\\');
                            }
                            made.push(escaped);
                        }
                        end if end == c => break,
                        '"' => made.push_str("\\\""),
                        inner => made.push(inner),
                    }
                }
                made.push('"');
            }
            '#' => while chars.next_if(|c| *c != '\n').is_some() {},
            '/' if chars.peek() == Some(&'/') => while chars.next_if(|c| *c != '\n').is_some() {},
            '/' if chars.peek() == Some(&'*') => {
                let mut last = ' ';
                chars.next();
                for inner in chars.by_ref() {
                    if last == '*' && inner == '/' {
                        break;
                    }
                    if inner == '\n' {
                        made.push(inner);
                    }
                    last = inner;
                }
            }
            '}' | ']' => {
                // The lines stay, for where a fault is.
                let kept = made.trim_end().len();
                if made[..kept].ends_with(',') {
                    made.replace_range(kept - 1..kept, " ");
                }
                made.push(c);
            }
            // `3e-5`
            c if c.is_ascii_digit() => {
                made.push(c);
                while let Some(next) = chars.next_if(|c| c.is_ascii_alphanumeric() || *c == '.') {
                    made.push(next);
                }
            }
            c if c.is_ascii_alphabetic() => {
                let mut word = String::from(c);
                while let Some(next) = chars.next_if(|c| c.is_ascii_alphanumeric() || *c == '_' || *c == '.') {
                    word.push(next);
                }
                match word.as_str() {
                    "True" => made.push_str("true"),
                    "False" => made.push_str("false"),
                    "None" | "NaN" | "Infinity" => made.push_str("null"),
                    "true" | "false" | "null" => made.push_str(&word),
                    // Python's `torch.bfloat16`.
                    _ => drop(write!(made, "\"{word}\"")),
                }
            }
            c => made.push(c),
        }
    }
    made
}

/// The YAML mapping that a text is, or that its lines are which look so.
pub fn yaml(text: &str) -> Option<Found> {
    let whole = mapping(text).map(|tree| (tree, String::new()));
    // Items on their own are of a list or of a report.
    whole.or_else(|| within(text, true)).or_else(|| within(text, false))
}

/// The lines of a text that look like YAML, with items of a list that stand at their beginning or without.
fn within(text: &str, items: bool) -> Option<Found> {
    // The lines of a command that goes on are indented too.
    let mut continued = false;
    let belongs = |line: &&str| {
        let bare = line.trim_start();
        let item = bare.starts_with("- ") && bare.len() == line.len();
        let within = bare.is_empty() || bare.len() < line.len() || (item && items) || bare.starts_with('#');
        let command = std::mem::replace(&mut continued, line.trim_end().ends_with('\\'));
        // A message may look so: `RuntimeError: CUDA error: out of memory`.
        let said = bare.split(" #").next().unwrap_or(bare);
        let message = said.split_once(": ").is_some_and(|(_, value)| {
            value.contains(": ") && !value.trim_start().starts_with(['"', '\'', '{', '[', '#'])
        });
        !command && (within || (is_mapping_line(line) && !item && !message))
    };
    let (inside, around): (Vec<&str>, Vec<&str>) = text.lines().partition(belongs);
    Some((mapping(&inside.join("\n"))?, around.join("\n")))
}

fn mapping(text: &str) -> Option<Value> {
    let mappings = text.lines().filter(|line| is_mapping_line(line)).count();
    let lines = text.lines().filter(|line| !line.trim().is_empty() && !line.trim_start().starts_with('#')).count();
    // A mapping has a key on most lines; lists and blocks of text take the others.
    if mappings == 0 || mappings * 4 < lines || lines > MOST_LINES {
        return None;
    }
    match parse_yaml(text).ok()? {
        // Of a file the part that lists containers.
        Value::Array(items) if items.iter().any(Value::is_object) => Some(json!({ "items": items })),
        tree => Some(tree).filter(Value::is_object),
    }
}

fn parse_yaml(text: &str) -> Result<Value, Error> {
    let options = serde_saphyr::options! {
        budget: serde_saphyr::budget! {
            max_aliases: 200,
            max_anchors: 64,
            max_depth: DEPTH,
            max_nodes: 20_000,
            max_events: 60_000,
            max_documents: 1,
        },
        alias_limits: serde_saphyr::alias_limits! {
            max_total_replayed_events: 20_000,
        },
        duplicate_keys: serde_saphyr::DuplicateKeyPolicy::LastWins,
    };
    serde_saphyr::from_str_with_options(text, options)
}

fn is_mapping_line(line: &str) -> bool {
    let line = line.trim_start().trim_start_matches("- ");
    let Some((key, rest)) = line.split_once(':') else { return false };
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | '"' | '\'');
    !key.is_empty() && key.len() < 64 && key.chars().all(fits) && (rest.is_empty() || rest.starts_with(' '))
}

/// Calls within calls that are followed.
const CALLS: usize = 3;

/// Arguments after what opens a call, such as `TrainingArguments(`: those of calls and dictionaries within by their
/// path, one without a name by an empty one.
pub fn call(text: &str, opening: &str) -> Option<Vec<(String, String)>> {
    let mut pairs = vec![];
    let at = text.find(opening)? + opening.len();
    arguments(&text[at..], "", CALLS, &mut pairs);
    (!pairs.is_empty()).then_some(pairs)
}

fn arguments(text: &str, path: &str, calls: usize, pairs: &mut Vec<(String, String)>) {
    for part in split_arguments(text) {
        let named = part.split_once('=').filter(|(name, _)| is_name(name.trim()));
        let (name, value) = named.map_or(("", part.trim()), |(name, value)| (name.trim(), value.trim()));
        let path = if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") };
        let within = value.split_once('(').filter(|(callee, _)| calls > 0 && !name.is_empty() && is_name(callee));
        if let Some((_, inner)) = within {
            arguments(inner, &path, calls - 1, pairs);
        } else if let Some(Value::Object(map)) = value.starts_with('{').then(|| object(value)).flatten() {
            pairs.extend(flatten(&map).into_iter().map(|(key, value)| (format!("{path}.{key}"), value)));
        } else if !value.is_empty() {
            pairs.push((path, value.trim_matches(['"', '\'']).to_owned()));
        }
    }
}

/// Parts between the commas of a call, up to where it closes, without comments.
fn split_arguments(text: &str) -> Vec<String> {
    let mut parts = vec![String::new()];
    let (mut depth, mut quote, mut comment) = (0usize, None, false);
    for c in text.chars() {
        comment = (comment || (c == '#' && quote.is_none())) && c != '\n';
        if comment {
            continue;
        }
        match (quote, c) {
            (None, '\'' | '"') => quote = Some(c),
            (Some(open), c) if open == c => quote = None,
            (Some(_), _) => {}
            (None, '(' | '[' | '{') => depth += 1,
            (None, ')' | ']' | '}') if depth == 0 => break,
            (None, ')' | ']' | '}') => depth -= 1,
            (None, ',') if depth == 0 => {
                parts.push(String::new());
                continue;
            }
            (None, _) => {}
        }
        if let Some(part) = parts.last_mut() {
            part.push(if c == '\n' { ' ' } else { c });
        }
    }
    parts
}

fn is_name(word: &str) -> bool {
    !word.is_empty() && word.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '.'))
}

/// A value that is one word, as it would be typed.
pub fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.trim().to_owned()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(on) => Some(on.to_string()),
        Value::Null => Some("null".to_owned()),
        Value::Array(items) if items.iter().all(|item| item.is_string() || item.is_number()) => {
            Some(items.iter().filter_map(scalar).collect::<Vec<_>>().join(","))
        }
        Value::Array(_) | Value::Object(_) => None,
    }
}

/// Every scalar with its path: `zero_optimization.stage`.
pub fn flatten(tree: &Map<String, Value>) -> Vec<(String, String)> {
    let mut found = vec![];
    let mut open: Vec<(String, &Map<String, Value>, usize)> = vec![(String::new(), tree, 0)];
    while let Some((path, map, depth)) = open.pop() {
        for (key, value) in map {
            let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
            match (scalar(value), value) {
                (Some(word), _) => found.push((path, word)),
                (None, Value::Object(inner)) if depth < DEPTH => open.push((path, inner, depth + 1)),
                (None, Value::Array(items)) if depth < DEPTH => {
                    let inner = items.iter().filter_map(Value::as_object);
                    open.extend(inner.map(|inner| (path.clone(), inner, depth + 1)));
                }
                (None, _) => {}
            }
        }
    }
    found
}

/// The value at a path.
pub fn at<'a>(tree: &'a Map<String, Value>, path: &str) -> Option<&'a Value> {
    let mut keys = path.split('.');
    let first = tree.get(keys.next()?)?;
    keys.try_fold(first, |value, key| value.get(key))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_with_comments_and_trailing_commas() {
        let text = "config:\n{ // why\n \"a\": 1, /* b */ 'b': [1, 2,], # c\n \"c\": True, \"d\": None,\n}\n";
        assert_eq!(json(text).unwrap().0, json!({"a": 1, "b": [1, 2], "c": true, "d": null}));
        assert_eq!(json("run --x '{\"a\": 1}'"), None);
    }

    #[test]
    fn what_stands_around_a_tree_is_kept_apart() {
        let (tree, around) = yaml("$ cat a.yaml\na: 1\nb:\n  - 2\nwhy does it not fit").unwrap();
        assert_eq!(tree, json!({"a": 1, "b": [2]}));
        assert_eq!(around, "$ cat a.yaml\nwhy does it not fit");
    }

    #[test]
    fn deep_nesting_and_alias_bombs_are_refused() {
        assert_eq!(json(&("{\"a\":".repeat(5000) + "1" + &"}".repeat(5000))), None);
        let tenfold = |name: char, last: &str| format!("{name}: &{name} [{}]\n", [last; 10].join(", "));
        let bomb: String =
            ["x", "*a", "*b", "*c", "*d"].iter().zip('a'..).map(|(last, name)| tenfold(name, last)).collect();
        assert_eq!(yaml(&bomb), None);
        let merged = yaml("a: &a\n  b: 1\nc:\n  <<: *a\n  d: 2\n").unwrap().0;
        assert_eq!(merged["c"], json!({"b": 1, "d": 2}));
    }

    #[test]
    fn keyword_arguments_of_a_call() {
        let text = "args = TrainingArguments(\n  output_dir=\"x\",\n  bf16=True,  # yes\n  optim='adamw_torch',\n)";
        let pairs = call(text, "TrainingArguments(").unwrap();
        assert_eq!(pairs[1], ("bf16".to_owned(), "True".to_owned()));
        assert_eq!(pairs[2], ("optim".to_owned(), "adamw_torch".to_owned()));
    }
}
