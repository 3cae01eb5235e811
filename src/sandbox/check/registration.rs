//! The commands that an application registers: names, texts in every language, options and choices.

use super::{Faults, list};
use serde_json::{Map, Value};
use std::collections::BTreeSet;

const LOCALES: &[&str] = &[
    "ar", "id", "da", "de", "en-GB", "en-US", "es-ES", "es-419", "fr", "hr", "it", "lt", "hu", "nl", "no", "pl",
    "pt-BR", "ro", "fi", "sv-SE", "vi", "tr", "cs", "el", "bg", "ru", "uk", "hi", "th", "zh-CN", "ja", "zh-TW", "ko",
    "he",
];

/// The list of commands that an application registers.
pub fn commands(body: &Value) -> Faults {
    let mut faults = Faults::default();
    let Some(commands) = body.as_array() else {
        faults.add("", "LIST_TYPE_CONVERT", "Only iterables may be used in a ListType");
        return faults;
    };
    let mut names = BTreeSet::new();
    for (i, command) in commands.iter().enumerate() {
        let at = &i.to_string();
        let kind = command["type"].as_u64().unwrap_or(1);
        let mut size = named(&mut faults, at, command, kind == 1);
        if !names.insert((kind, command["name"].as_str())) {
            faults.add(at, "APPLICATION_COMMANDS_DUPLICATE_NAME", "Application command names must be unique");
        }
        if kind == 1 {
            faults.text(&format!("{at}.description"), command.get("description"), 1, 100);
            size += options(&mut faults, &format!("{at}.options"), list(command, "options"), 0);
        } else if command["description"].as_str().is_some_and(|text| !text.is_empty())
            || command.get("options").is_some()
        {
            faults.add(at, "APPLICATION_COMMAND_INVALID", "Context menu commands have no description and no options");
        }
        if size > 8000 {
            faults.add(at, "APPLICATION_COMMAND_TOO_LARGE", format!("Command exceeds maximum size ({size} of 8000)"));
        }
        for (key, most) in [("integration_types", 1), ("contexts", 2)] {
            let given = list(command, key);
            let unique: BTreeSet<_> = given.iter().filter_map(Value::as_u64).filter(|n| *n <= most).collect();
            if command.get(key).is_some_and(|value| !value.is_null())
                && (unique.is_empty() || unique.len() != given.len())
            {
                faults.add(&format!("{at}.{key}"), "BASE_TYPE_CHOICES", "Distinct values of the enumeration only");
            }
        }
    }
    for (kind, most) in [(1, 100), (2, 15), (3, 15)] {
        if names.iter().filter(|(given, _)| *given == kind).count() > most {
            faults.add("", "APPLICATION_COMMANDS_TOO_MANY", format!("Maximum number of commands reached ({most})"));
        }
    }
    faults
}

/// Checks name, description and their translations; gives the characters that count towards 8000.
fn named(faults: &mut Faults, at: &str, item: &Value, is_chat: bool) -> usize {
    let mut name = |at: String, value: &Value| {
        let text = value.as_str().unwrap_or_default();
        let legal = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '\'');
        let well_formed = (1..=32).contains(&text.chars().count())
            && (!is_chat || (text.chars().all(legal) && text == text.to_lowercase()));
        if !well_formed {
            faults.add(&at, "APPLICATION_COMMAND_INVALID_NAME", "Command name is invalid");
        }
    };
    name(format!("{at}.name"), &item["name"]);
    for (locale, text) in item["name_localizations"].as_object().into_iter().flatten() {
        name(format!("{at}.name_localizations.{locale}"), text);
    }
    for (locale, text) in item["description_localizations"].as_object().into_iter().flatten() {
        faults.text(&format!("{at}.description_localizations.{locale}"), Some(text), 1, 100);
    }
    ["name", "description"].iter().map(|key| longest(faults, at, item, key)).sum()
}

/// Length of a text or of its longest translation.
fn longest(faults: &mut Faults, at: &str, item: &Value, key: &str) -> usize {
    let length = |value: &Value| value.as_str().map_or(0, |text| text.chars().count());
    let translations = item[format!("{key}_localizations")].as_object();
    for locale in translations.into_iter().flat_map(Map::keys) {
        if !LOCALES.contains(&locale.as_str()) {
            faults.add(&format!("{at}.{key}_localizations.{locale}"), "BASE_TYPE_CHOICES", "Not a locale");
        }
    }
    let translated = translations.into_iter().flat_map(Map::values).map(length).max();
    length(&item[key]).max(translated.unwrap_or(0))
}

fn options(faults: &mut Faults, at: &str, options: &[Value], depth: usize) -> usize {
    faults.at_most(at, options.len(), 25);
    let (mut size, mut names, mut optional) = (0, BTreeSet::new(), false);
    for (i, option) in options.iter().enumerate() {
        let at = &format!("{at}.{i}");
        let kind = option["type"].as_u64().unwrap_or(0);
        size += named(faults, at, option, true);
        faults.text(&format!("{at}.description"), option.get("description"), 1, 100);
        if !names.insert(option["name"].as_str()) {
            faults.add(at, "APPLICATION_COMMAND_OPTIONS_NAME_INVALID", "Option names must be unique");
        }
        match kind {
            1 | 2 if depth < 3 - kind as usize => {
                size += self::options(faults, &format!("{at}.options"), list(option, "options"), depth + 1);
            }
            3..=11 => {
                let required = option["required"] == true;
                if required && optional {
                    faults.add(
                        at,
                        "APPLICATION_COMMAND_OPTIONS_REQUIRED_INVALID",
                        "Required options must be placed before non-required options",
                    );
                }
                optional |= !required;
            }
            _ => faults.add(&format!("{at}.type"), "BASE_TYPE_CHOICES", "Not an option type here"),
        }
        let given = list(option, "choices");
        if option["autocomplete"] == true && (!given.is_empty() || !matches!(kind, 3 | 4 | 10)) {
            faults.add(at, "APPLICATION_COMMAND_AUTOCOMPLETE_INVALID", "Autocomplete is not allowed here");
        }
        size += choices(faults, &format!("{at}.choices"), given, Some(kind));
        for key in ["min_value", "max_value"] {
            if !option[key].is_null() && (!matches!(kind, 4 | 10) || !option[key].is_number()) {
                faults.add(&format!("{at}.{key}"), "NUMBER_TYPE_COERCE", "Not a number option");
            }
        }
        if let (Some(least), Some(most)) = (option["min_value"].as_f64(), option["max_value"].as_f64())
            && (least > most || most.abs() > 2f64.powi(53))
        {
            faults.add(&format!("{at}.max_value"), "NUMBER_TYPE_MAX", "Not a range");
        }
    }
    size
}

/// Choices of an option of type `kind`, or those answered to an autocomplete.
pub(super) fn choices(faults: &mut Faults, at: &str, choices: &[Value], kind: Option<u64>) -> usize {
    if choices.len() > 25 {
        faults.add(at, "BASE_TYPE_MAX_LENGTH", "Must be 25 or fewer in length.");
    }
    let (mut size, mut names) = (0, BTreeSet::new());
    for (i, choice) in choices.iter().enumerate() {
        let at = &format!("{at}.{i}");
        faults.text(&format!("{at}.name"), choice.get("name"), 1, 100);
        for (locale, text) in choice["name_localizations"].as_object().into_iter().flatten() {
            faults.text(&format!("{at}.name_localizations.{locale}"), Some(text), 1, 100);
        }
        size += longest(faults, at, choice, "name");
        match (&choice["value"], kind) {
            (value @ Value::String(_), Some(3) | None) => {
                size += faults.text(&format!("{at}.value"), Some(value), 1, 100)
            }
            (Value::Number(number), Some(10) | None) if number.is_f64() || number.is_i64() || number.is_u64() => {}
            (Value::Number(number), Some(4)) if number.is_i64() || number.is_u64() => {}
            _ => faults.add(&format!("{at}.value"), "UNION_TYPE_CHOICES", "Not a value of this option"),
        }
        if !names.insert(choice["name"].as_str()) {
            faults.add(
                &format!("{at}.name"),
                "APPLICATION_COMMAND_OPTIONS_CHOICE_NAME_EXISTS",
                "Option choice name is already used",
            );
        }
    }
    size
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn commands_that_break_a_rule_are_refused_by_their_path() {
        let option = |name: &str| json!({"type": 3, "name": name, "description": "x"});
        let command = |options: Value| json!([{"name": "train", "description": "x", "options": options}]);
        assert!(commands(&command(json!([option("gpu")]))).paths().is_empty());
        for (options, at) in [
            (json!([option("GPU")]), "0.options.0.name"),
            (json!([option("a b")]), "0.options.0.name"),
            (json!([option("a"), option("a")]), "0.options.1"),
            (json!([option("a"), {"type": 3, "name": "b", "description": "x", "required": true}]), "0.options.1"),
            (json!([{"type": 3, "name": "a", "description": ""}]), "0.options.0.description"),
            (json!([{"type": 3, "name": "a", "description": "x", "min_value": 1}]), "0.options.0.min_value"),
            (
                json!([{"type": 4, "name": "a", "description": "x", "min_value": 2, "max_value": 1}]),
                "0.options.0.max_value",
            ),
            (
                json!([{"type": 4, "name": "a", "description": "x", "choices": [{"name": "x", "value": "x"}]}]),
                "0.options.0.choices.0.value",
            ),
            (
                json!([{"type": 3, "name": "a", "description": "x", "name_localizations": {"zh": "甲"}}]),
                "0.options.0.name_localizations.zh",
            ),
        ] {
            assert_eq!(commands(&command(options)).paths(), [at]);
        }
        let many: Vec<Value> = (0..26).map(|n| option(&format!("o{n}"))).collect();
        assert_eq!(commands(&command(json!(many))).paths(), ["0.options"]);
        let choices: Vec<Value> =
            (0..25).map(|n| json!({"name": format!("{n}{}", "x".repeat(90)), "value": "x".repeat(100)})).collect();
        let large = json!([{"type": 3, "name": "a", "description": "x", "choices": choices}, {"type": 3, "name": "b", "description": "x", "choices": choices}]);
        assert_eq!(commands(&command(large)).paths(), ["0"]);
        let mut menu = json!([{"type": 3, "name": "Estimate this"}]);
        assert!(commands(&menu).paths().is_empty());
        menu[0]["description"] = json!("x");
        assert_eq!(commands(&menu).paths(), ["0"]);
    }
}
