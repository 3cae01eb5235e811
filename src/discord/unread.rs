//! What the library could not read, read again.
//!
//! The library reads an event whole or drops it, and to a user a dropped interaction is a dead bot. Here it is
//! cut down to what is looked at, with what is missing filled in.

use super::Data;
use poise::serenity_prelude as serenity;
use serde_json::{Value, json};
use serenity::{Event, Interaction, Message};
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
                if let Some(message) = read::<Message>(message(&unknown.value)) {
                    self.bot.written(&context.http, &message).await;
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

/// An id; that of nobody where none is given.
fn id(raw: &Value) -> Value {
    const NOBODY: u64 = 1;
    let given = raw.as_u64().or_else(|| raw.as_str()?.parse().ok()).filter(|id| *id > 0);
    json!(given.unwrap_or(NOBODY).to_string())
}

fn text(raw: &Value) -> Value {
    json!(raw.as_str().unwrap_or_default())
}

/// Those of a list that have these fields.
fn each(list: &Value, needed: &[&str], make: impl Fn(&Value) -> Value) -> Value {
    let is_whole = |part: &&Value| needed.iter().all(|name| !part[*name].is_null());
    list.as_array().into_iter().flatten().filter(is_whole).map(make).collect()
}

fn interaction(raw: &Value) -> Option<Interaction> {
    let mut whole = taken(raw, &["id", "type", "token", "guild_id", "guild_locale"]);
    whole["version"] = json!(1);
    whole["application_id"] = json!("1");
    whole["attachment_size_limit"] = json!(0);
    whole["entitlements"] = json!([]);
    whole["locale"] = text(&raw["locale"]);
    whole["channel_id"] = id(if raw["channel_id"].is_null() { &raw["channel"]["id"] } else { &raw["channel_id"] });
    whole["user"] = user(if raw["user"].is_object() { &raw["user"] } else { &raw["member"]["user"] });
    whole["data"] = data(&raw["data"]);
    if let Some(may) = raw["app_permissions"].as_str().and_then(|may| may.parse::<u64>().ok()) {
        whole["app_permissions"] = json!(may.to_string());
    }
    if let Some(kind) = raw["channel"]["type"].as_u64() {
        whole["channel"] = json!({"id": whole["channel_id"], "type": kind});
    }
    const PRESS: u8 = 3;
    if raw["message"].is_object() || raw["type"] == PRESS {
        whole["message"] = message(&raw["message"]);
    }
    let owners = taken(&raw["authorizing_integration_owners"], &["0", "1"]);
    if read::<serenity::AuthorizingIntegrationOwners>(owners.clone()).is_some() {
        whole["authorizing_integration_owners"] = owners;
    }
    read(whole)
}

fn data(raw: &Value) -> Value {
    const BUTTON: u8 = 2;
    let mut data = taken(raw, &["target_id"]);
    data["component_type"] = json!(raw["component_type"].as_u64().unwrap_or(BUTTON.into()));
    data["id"] = id(&raw["id"]);
    data["type"] = json!(if raw["target_id"].is_null() { 1 } else { 3 });
    data["name"] = text(&raw["name"]);
    data["custom_id"] = text(&raw["custom_id"]);
    data["values"] = each(&raw["values"], &[], text);
    data["options"] = each(&raw["options"], &["name"], option);
    let messages = raw["resolved"]["messages"].as_object().into_iter().flatten();
    let messages = messages.filter(|(id, _)| id.parse::<u64>().is_ok()).map(|(id, raw)| (id.clone(), message(raw)));
    data["resolved"] = json!({"messages": messages.collect::<serde_json::Map<_, _>>()});
    let mut inputs = Vec::new();
    gather_inputs(&raw["components"], &mut inputs);
    data["components"] = json!([{"type": 1, "components": inputs}]);
    data
}

/// Every option as the text that it is in a line.
fn option(raw: &Value) -> Value {
    const STRING: u8 = 3;
    let words = match &raw["value"] {
        Value::String(text) => text.clone(),
        // 8.0 GPUs are 8.
        Value::Number(number) => number.as_f64().unwrap_or_default().to_string(),
        Value::Null => String::new(),
        value => value.to_string(),
    };
    json!({"name": text(&raw["name"]), "type": STRING, "value": words, "focused": raw["focused"] == true})
}

/// The text inputs of a dialog, in rows or under labels.
fn gather_inputs(raw: &Value, inputs: &mut Vec<Value>) {
    const TEXT_INPUT: u64 = 4;
    match raw {
        Value::Array(parts) => parts.iter().for_each(|part| gather_inputs(part, inputs)),
        Value::Object(part) if part.get("type").and_then(Value::as_u64) == Some(TEXT_INPUT) => {
            inputs
                .push(json!({"type": TEXT_INPUT, "custom_id": text(&raw["custom_id"]), "value": text(&raw["value"])}));
        }
        Value::Object(part) => part.values().for_each(|part| gather_inputs(part, inputs)),
        _ => {}
    }
}

fn user(raw: &Value) -> Value {
    json!({"id": id(&raw["id"]), "username": text(&raw["username"]), "bot": raw["bot"] == true})
}

fn message(raw: &Value) -> Value {
    let mut whole = taken(raw, &["guild_id", "webhook_id"]);
    for name in ["id", "channel_id"] {
        whole[name] = id(&raw[name]);
    }
    whole["author"] = user(&raw["author"]);
    let written = said(raw);
    for name in ["content", "timestamp", "type", "flags", "mentions", "embeds", "attachments"] {
        whole[name] = written[name].clone();
    }
    for flag in ["tts", "mention_everyone", "pinned"] {
        whole[flag] = json!(false);
    }
    whole["mention_roles"] = json!([]);
    whole["message_snapshots"] =
        each(&raw["message_snapshots"], &["message"], |it| json!({"message": said(&it["message"])}));
    let reference = &raw["message_reference"];
    if reference["message_id"].is_string() {
        whole["message_reference"] =
            json!({"message_id": id(&reference["message_id"]), "channel_id": id(&reference["channel_id"])});
    }
    if raw["referenced_message"].is_object() {
        whole["referenced_message"] = message(&raw["referenced_message"]);
    }
    whole
}

/// What a message says, whether it was written or forwarded.
fn said(raw: &Value) -> Value {
    let embed = |embed: &Value| json!({"description": embed["description"].as_str(), "footer": {"text": text(&embed["footer"]["text"])}});
    let file = |file: &Value| {
        let mut file = taken(file, &["filename", "size", "url", "content_type"]);
        file["id"] = json!("1");
        file["proxy_url"] = file["url"].clone();
        file
    };
    json!({
        "content": text(&raw["content"]), "timestamp": "2015-01-01T00:00:00Z", "edited_timestamp": null,
        "type": raw["type"].as_u64().and_then(|kind| u8::try_from(kind).ok()).unwrap_or_default(),
        "flags": raw["flags"].as_u64().unwrap_or_default(), "mentions": each(&raw["mentions"], &["id"], user),
        "embeds": each(&raw["embeds"], &[], embed), "attachments": each(&raw["attachments"], &["filename", "size", "url"], file),
    })
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
    fn whoever_asks_is_answered_whatever_else_is_missing() {
        for kind in [2, 3, 4, 5] {
            let mut raw = json!({"id": "5", "type": kind, "token": "t"});
            raw["message"] = json!({"attachments": [null, {"id": "7"}], "mentions": [{}], "embeds": [null]});
            raw["data"] = json!({"component_type": 2, "options": [null, {"value": 8}]});
            raw["data"]["resolved"] = json!({"messages": {"brand_new": {}, "9": {"content": "train 7b"}}});
            assert!(interaction(&raw).is_some(), "{raw}");
        }
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
        for raw in [json!(null), json!({}), json!({"id": "x", "type": 2, "token": "t"}), json!({"id": "5", "type": 2})]
        {
            assert!(interaction(&raw).is_none(), "{raw}");
        }
    }
}
