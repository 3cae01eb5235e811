//! What a person sees of the bot: a message, an edit, a dialog, suggestions.

use super::world::{What, is_ephemeral, number};
use serde_json::Value;
use std::fmt;

/// Options of a select that are shown before it is opened.
const FOLDED: usize = 6;

/// One thing that appeared on a person's screen.
#[derive(Clone, Debug)]
pub struct Shown(pub(super) What);

impl Shown {
    /// The raw object, as Discord would store it.
    pub fn object(&self) -> &Value {
        match &self.0 {
            What::Posted(object) | What::Edited(object) | What::Modal(object) | What::Choices(object) => object,
            What::Deleted => &Value::Null,
        }
    }
    pub fn id(&self) -> u64 {
        number(&self.object()["id"])
    }
    pub fn is_ephemeral(&self) -> bool {
        is_ephemeral(self.object())
    }
    pub fn is_deletion(&self) -> bool {
        matches!(self.0, What::Deleted)
    }
    pub fn is_edit(&self) -> bool {
        matches!(self.0, What::Edited(_))
    }
    pub fn is_modal(&self) -> bool {
        matches!(self.0, What::Modal(_))
    }
    /// The canonical line: the last line of the last embed's footer.
    pub fn line(&self) -> Option<&str> {
        let embed = self.object()["embeds"].as_array()?.last()?;
        embed["footer"]["text"].as_str()?.lines().last()
    }
    /// The embed's picture and its alternative text.
    pub fn image(&self) -> Option<(&str, &str)> {
        let image = &self.object()["embeds"].as_array()?.last()?["image"];
        Some((image["url"].as_str()?, image["description"].as_str().unwrap_or_default()))
    }
    fn components(&self) -> impl Iterator<Item = &Value> {
        let rows = self.object()["components"].as_array().into_iter().flatten();
        rows.flat_map(|row| row["components"].as_array().into_iter().flatten())
    }
    /// Labels of the buttons that can be pressed.
    pub fn buttons(&self) -> Vec<&str> {
        let buttons = self.components().filter(|component| component["type"] == 2 && component["disabled"] != true);
        buttons.filter_map(|button| button["label"].as_str()).collect()
    }
    pub(super) fn button(&self, label: &str) -> Option<&Value> {
        self.components().find(|component| component["type"] == 2 && component["label"] == label)
    }
    pub(super) fn selects(&self) -> impl Iterator<Item = &Value> {
        self.components().filter(|component| component["type"] == 3)
    }
    pub(super) fn inputs(&self) -> impl Iterator<Item = &Value> {
        self.components().filter(|component| component["type"] == 4)
    }
    /// Names of the suggestions.
    pub fn choices(&self) -> Vec<&str> {
        let choices = self.object().as_array().into_iter().flatten();
        choices.filter_map(|choice| choice["name"].as_str()).collect()
    }
}

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            What::Deleted => writeln!(f, "(the message is gone)"),
            What::Choices(_) => writeln!(f, "{}", self.choices().join("\n")),
            What::Modal(modal) => {
                writeln!(f, "┌ {}", modal["title"].as_str().unwrap_or_default())?;
                for input in self.inputs() {
                    let text = |key: &str| input[key].as_str().unwrap_or_default();
                    writeln!(f, "│ {}: {}", text("label"), text("value"))?;
                    writeln!(f, "│   ({})", text("placeholder"))?;
                }
                Ok(())
            }
            What::Posted(message) => message_text(f, "", message),
            What::Edited(message) => message_text(f, " (edited)", message),
        }
    }
}

fn message_text(f: &mut fmt::Formatter<'_>, mark: &str, message: &Value) -> fmt::Result {
    let audience = if is_ephemeral(message) { " (only you can see this)" } else { "" };
    let reply = if message["message_reference"].is_object() { " ↩" } else { "" };
    writeln!(f, "Headroom{reply}{audience}{mark}")?;
    let indented = |f: &mut fmt::Formatter<'_>, text: &Value| {
        text.as_str().unwrap_or_default().lines().try_for_each(|line| writeln!(f, "  {line}"))
    };
    indented(f, &message["content"])?;
    for embed in message["embeds"].as_array().into_iter().flatten() {
        indented(f, &embed["title"])?;
        indented(f, &embed["description"])?;
        for field in embed["fields"].as_array().into_iter().flatten() {
            indented(f, &field["name"])?;
            for line in field["value"].as_str().unwrap_or_default().lines() {
                writeln!(f, "    {line}")?;
            }
        }
        if let Some(alternative) = embed["image"]["description"].as_str() {
            writeln!(f, "  [picture: {alternative}]")?;
        }
        indented(f, &embed["footer"]["text"])?;
    }
    for row in message["components"].as_array().into_iter().flatten() {
        let parts =
            row["components"].as_array().into_iter().flatten().map(|component| match component["type"].as_u64() {
                Some(2) => format!("[{}]", component["label"].as_str().unwrap_or_default()),
                _ => {
                    let options = component["options"].as_array().into_iter().flatten();
                    let mut labels: Vec<_> = options.filter_map(|option| option["label"].as_str()).collect();
                    if labels.len() > FOLDED {
                        labels.truncate(FOLDED);
                        labels.push("…");
                    }
                    format!("<{} ▾ {}>", component["placeholder"].as_str().unwrap_or_default(), labels.join(" | "))
                }
            });
        writeln!(f, "  {}", parts.collect::<Vec<_>>().join(" "))?;
    }
    for file in message["attachments"].as_array().into_iter().flatten() {
        writeln!(f, "  [file {}]", file["filename"].as_str().unwrap_or_default())?;
    }
    Ok(())
}
