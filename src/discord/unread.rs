//! What the library could not read, read again.
//!
//! The library reads an event whole or drops it, and to a user a dropped interaction is a dead bot. Here it is
//! cut down to what is looked at, with what is missing filled in.

use super::Data;
use poise::serenity_prelude as serenity;
use serde_json::{Value, json};
use serenity::{Event, Interaction, Message, UserId};
use std::sync::atomic::{AtomicU64, Ordering};

/// Hears the events that the library gave up on.
pub(super) struct Unread {
    bot: Data,
    count: AtomicU64,
}

impl Unread {
    pub fn new(bot: Data) -> Self {
        Self { bot, count: AtomicU64::new(0) }
    }
}

#[serenity::async_trait]
impl serenity::RawEventHandler for Unread {
    async fn raw_event(&self, context: serenity::Context, event: Event) {
        let Event::Unknown(unknown) = event else { return };
        let kind = unknown.kind.as_str();
        if !matches!(kind, "INTERACTION_CREATE" | "MESSAGE_CREATE" | "GUILD_CREATE") {
            return;
        }
        let count = self.count.fetch_add(1, Ordering::Relaxed) + 1;
        tracing::error!(kind, count, "an event could not be read");
        match kind {
            "INTERACTION_CREATE" => {
                if let Some(interaction) = interaction(&unknown.value) {
                    self.bot.asked(&context.http, &interaction).await;
                }
            }
            "MESSAGE_CREATE" => {
                let bot = context.http.application_id().map(|id| UserId::new(id.get()));
                if let (Some(bot), Some(message)) = (bot, read::<Message>(message(&unknown.value))) {
                    self.bot.written(&context.http, bot, &message).await;
                }
            }
            _ => {}
        }
    }
}

fn read<T: serde::de::DeserializeOwned>(value: Value) -> Option<T> {
    serde_json::from_value(value).ok()
}

/// The fields of these names, where they are given.
fn taken(raw: &Value, names: &[&str]) -> Value {
    let given = names.iter().filter(|name| !raw[**name].is_null());
    Value::Object(given.map(|name| ((*name).to_owned(), raw[*name].clone())).collect())
}

fn each(list: &Value, make: impl Fn(&Value) -> Value) -> Value {
    list.as_array().into_iter().flatten().map(make).collect()
}

fn interaction(raw: &Value) -> Option<Interaction> {
    let names = ["id", "type", "token", "channel_id", "guild_id", "guild_locale", "app_permissions"];
    let mut whole = taken(raw, &names);
    whole["version"] = json!(1);
    whole["application_id"] = json!("1");
    whole["attachment_size_limit"] = json!(0);
    whole["entitlements"] = json!([]);
    whole["locale"] = json!(raw["locale"].as_str().unwrap_or_default());
    whole["user"] = user(if raw["user"].is_object() { &raw["user"] } else { &raw["member"]["user"] });
    whole["data"] = data(&raw["data"]);
    for (name, part) in [("channel", taken(&raw["channel"], &["id", "type"])), ("message", message(&raw["message"]))] {
        if raw[name].is_object() {
            whole[name] = part;
        }
    }
    if raw["authorizing_integration_owners"].is_object() {
        whole["authorizing_integration_owners"] = raw["authorizing_integration_owners"].clone();
    }
    read(whole)
}

fn data(raw: &Value) -> Value {
    let mut data = taken(raw, &["id", "name", "type", "target_id", "custom_id", "component_type", "values"]);
    data["options"] = each(&raw["options"], option);
    let messages = raw["resolved"]["messages"].as_object().into_iter().flatten();
    let messages = messages.map(|(id, raw)| (id.clone(), message(raw)));
    data["resolved"] = json!({"messages": messages.collect::<serde_json::Map<_, _>>()});
    let mut inputs = Vec::new();
    gather_inputs(&raw["components"], &mut inputs);
    data["components"] = json!([{"type": 1, "components": inputs}]);
    data
}

/// Every option as the text that it is in a line.
fn option(raw: &Value) -> Value {
    const STRING: u8 = 3;
    let text = match &raw["value"] {
        Value::String(text) => text.clone(),
        // 8.0 GPUs are 8.
        Value::Number(number) => number.as_f64().unwrap_or_default().to_string(),
        value => value.to_string(),
    };
    json!({"name": raw["name"], "type": STRING, "value": text, "focused": raw["focused"] == true})
}

/// The text inputs of a dialog, in rows or under labels.
fn gather_inputs(raw: &Value, inputs: &mut Vec<Value>) {
    const TEXT_INPUT: u64 = 4;
    match raw {
        Value::Array(parts) => parts.iter().for_each(|part| gather_inputs(part, inputs)),
        Value::Object(part) if part.get("type").and_then(Value::as_u64) == Some(TEXT_INPUT) => {
            inputs.push(taken(raw, &["type", "custom_id", "value"]));
        }
        Value::Object(part) => part.values().for_each(|part| gather_inputs(part, inputs)),
        _ => {}
    }
}

fn user(raw: &Value) -> Value {
    json!({"id": raw["id"], "username": raw["username"].as_str().unwrap_or_default(), "bot": raw["bot"] == true})
}

fn message(raw: &Value) -> Value {
    let names = ["id", "channel_id", "guild_id", "webhook_id", "flags"];
    let mut whole = taken(raw, &names);
    whole["author"] = user(&raw["author"]);
    whole["content"] = json!(raw["content"].as_str().unwrap_or_default());
    whole["timestamp"] = json!("2015-01-01T00:00:00Z");
    whole["type"] = json!(raw["type"].as_u64().unwrap_or_default());
    for flag in ["tts", "mention_everyone", "pinned"] {
        whole[flag] = json!(false);
    }
    whole["mention_roles"] = json!([]);
    whole["mentions"] = each(&raw["mentions"], user);
    whole["embeds"] = each(
        &raw["embeds"],
        |embed| json!({"description": embed["description"], "footer": {"text": embed["footer"]["text"].as_str().unwrap_or_default()}}),
    );
    whole["attachments"] = each(&raw["attachments"], |file| {
        let mut file = taken(file, &["id", "filename", "size", "url", "content_type"]);
        file["proxy_url"] = file["url"].clone();
        file
    });
    let reference = &raw["message_reference"];
    if reference["message_id"].is_string() {
        whole["message_reference"] = taken(reference, &["message_id", "channel_id"]);
    }
    if raw["referenced_message"].is_object() {
        whole["referenced_message"] = message(&raw["referenced_message"]);
    }
    whole
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_interaction_is_read_without_what_is_not_looked_at() {
        let raw = json!({
            "id": "5", "type": 2, "token": "t", "channel_id": "6", "guild_id": "7", "authorizing_integration_owners": null,
            "member": {"user": {"id": "8", "username": "ann", "avatar": "not a hash"}},
            "data": {"id": "9", "name": "train", "type": 1, "options": [{"name": "gpus", "type": 4, "value": 8.0}]},
        });
        let Some(Interaction::Command(asked)) = interaction(&raw) else { panic!("{raw}") };
        assert_eq!((asked.user.id.get(), asked.user.name.as_str()), (8, "ann"));
        assert_eq!(asked.data.options[0].value.as_str(), Some("8"));
    }

    #[test]
    fn a_dialogs_text_is_found_under_a_label() {
        let input = json!({"type": 4, "custom_id": "change", "value": "zero3"});
        let raw = json!({
            "id": "5", "type": 5, "token": "t", "channel_id": "6", "user": {"id": "8"},
            "message": {"id": "10", "channel_id": "6", "author": {"id": "1"}, "embeds": [{"footer": {"text": "train x"}}]},
            "data": {"custom_id": "h1:tweak", "components": [{"type": 18, "component": input}]},
        });
        let Some(Interaction::Modal(submitted)) = interaction(&raw) else { panic!("{raw}") };
        assert_eq!(submitted.message.unwrap().embeds[0].footer.as_ref().unwrap().text, "train x");
        let serenity::ActionRowComponent::InputText(read) = &submitted.data.components[0].components[0] else {
            panic!()
        };
        assert_eq!(read.value.as_deref(), Some("zero3"));
    }

    #[test]
    fn what_names_nobody_to_answer_is_left() {
        for raw in [json!(null), json!({}), json!({"id": "x", "type": 2}), json!({"id": "5", "type": 2, "token": "t"})]
        {
            assert!(interaction(&raw).is_none(), "{raw}");
        }
    }
}
