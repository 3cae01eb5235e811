//! The table of commands as Discord stores it: names and descriptions in both languages, options with
//! the types, ranges and choices of the knobs they set.

use crate::catalog::Catalog;
use crate::commands::{Opt, SLASH, Slash};
use crate::request::knobs::{Kind, Knob};
use crate::text::{Locale, clip, tr};
use serde_json::{Value, json};

/// The message command: reads what somebody pasted.
pub(super) const ESTIMATE_THIS: &str = "Estimate this";

/// Option types, by Discord's numbers.
const STRING: u8 = 3;
const INTEGER: u8 = 4;
const NUMBER: u8 = 10;

const MOST_CHOICES: usize = 25;
const LONGEST_DESCRIPTION: usize = 100;
/// Beyond this a client's numbers are no longer whole.
const LARGEST_NUMBER: f64 = 9_007_199_254_740_992.0;

/// Everything to register.
pub(super) fn commands(catalog: &Catalog) -> Value {
    let mut all: Vec<Value> = SLASH.iter().map(|command| slash(command, catalog)).collect();
    let mut on_message = json!({"type": 3, "name": ESTIMATE_THIS});
    on_message["name_localizations"] = in_chinese("command-estimate-this");
    all.push(everywhere(on_message));
    Value::Array(all)
}

/// In guilds and in private, added by a guild or by a user.
fn everywhere(mut command: Value) -> Value {
    command["integration_types"] = json!([0, 1]);
    command["contexts"] = json!([0, 1, 2]);
    command
}

fn slash(command: &Slash, catalog: &Catalog) -> Value {
    let mut object = described("command", command.name);
    object["type"] = json!(1);
    object["options"] = command.options.iter().map(|opt| option(*opt, catalog)).collect();
    everywhere(object)
}

/// Name and description, and both in Chinese: `KIND-NAME-name` and `KIND-NAME`.
fn described(kind: &str, name: &str) -> Value {
    let key = format!("{kind}-{name}");
    let description = |locale| clip(&tr(locale, &key), LONGEST_DESCRIPTION).into_owned();
    json!({
        "name": name,
        "name_localizations": in_chinese(&format!("{key}-name")),
        "description": description(Locale::En),
        "description_localizations": {"zh-CN": description(Locale::ZhCn), "zh-TW": description(Locale::ZhCn)},
    })
}

/// Any Chinese reads the same texts.
fn in_chinese(key: &str) -> Value {
    let name = tr(Locale::ZhCn, key);
    json!({"zh-CN": name, "zh-TW": name})
}

fn option(opt: Opt, catalog: &Catalog) -> Value {
    let mut object = described("option", opt.name());
    object["required"] = json!(opt.is_needed());
    object["type"] = json!(STRING);
    match opt.knob() {
        Some(knob) => values(&mut object, knob, catalog),
        None => object["autocomplete"] = json!(true),
    }
    object
}

/// The type, range and choices of a knob's values.
fn values(object: &mut Value, knob: &Knob, catalog: &Catalog) {
    match &knob.kind {
        Kind::Length { min, max, .. } | Kind::Count { min, max, .. } => {
            object["type"] = json!(INTEGER);
            object["min_value"] = json!(min);
            object["max_value"] = json!((*max).min(LARGEST_NUMBER as u64));
        }
        Kind::Number { min, max, .. } => {
            object["type"] = json!(NUMBER);
            object["min_value"] = json!(min);
            object["max_value"] = json!(max.min(LARGEST_NUMBER));
        }
        Kind::Choice(choices) => offer(object, choices.iter().map(|(word, _)| *word).collect()),
        Kind::Row(table) => offer(object, table.rows(catalog).into_iter().map(|(name, _)| name).collect()),
        Kind::Model(_) | Kind::Gpu | Kind::Fleet => object["autocomplete"] = json!(true),
        Kind::List { .. } | Kind::Text => {}
    }
}

/// As choices where they are few, else as suggestions while typing.
fn offer(object: &mut Value, words: Vec<&str>) {
    if words.len() > MOST_CHOICES {
        object["autocomplete"] = json!(true);
    } else {
        object["choices"] = words.iter().map(|word| json!({"name": word, "value": word})).collect();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text;
    use std::collections::BTreeSet;

    #[test]
    fn every_command_and_option_has_a_name_and_a_description() {
        let mut missing = Vec::new();
        for slash in SLASH {
            let names = slash.options.iter().map(|option| ("option", option.name()));
            for (kind, name) in names.chain([("command", slash.name)]) {
                let keys = [format!("{kind}-{name}"), format!("{kind}-{name}-name")];
                missing.extend(keys.into_iter().filter(|key| !text::has(key)));
            }
        }
        assert!(missing.is_empty(), "no text for {missing:?}");
    }

    #[test]
    fn options_of_a_command_are_told_apart_in_both_languages() {
        for slash in SLASH {
            for locale in Locale::ALL {
                let name = |option: &Opt| tr(locale, &format!("option-{}-name", option.name())).into_owned();
                let names: BTreeSet<String> = slash.options.iter().map(name).collect();
                assert_eq!(names.len(), slash.options.len(), "/{} in {}", slash.name, locale.tag());
            }
        }
    }

    #[test]
    fn a_knobs_range_and_choices_are_its_options() {
        let catalog = Catalog::embedded();
        let zero = option(Opt::Knob("zero"), catalog);
        assert_eq!((&zero["type"], &zero["min_value"], &zero["max_value"]), (&json!(INTEGER), &json!(0), &json!(3)));
        let method = option(Opt::Knob("method"), catalog);
        assert_eq!(method["choices"][2], json!({"name": "qlora", "value": "qlora"}));
        let model = option(Opt::Needed("model"), catalog);
        assert_eq!((&model["required"], &model["autocomplete"]), (&json!(true), &json!(true)));
    }
}
