//! Discord's documented shapes and limits for what an application sends.
//!
//! Takes a request's body and its file parts, gives every fault with its path, as Discord lists them
//! under `errors` of code 50035. Knows nothing of the world: permissions and life times are `rest`'s.

mod registration;

pub use registration::commands;

use registration::choices;
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;

pub const EPHEMERAL: u64 = 1 << 6;
const COMPONENTS_V2: u64 = 1 << 15;
/// Flags an application may set: suppress embeds, ephemeral, suppress notifications, voice, components V2.
const SETTABLE_FLAGS: u64 = 1 << 2 | EPHEMERAL | 1 << 12 | 1 << 13 | COMPONENTS_V2;
const MAX_UPLOAD: usize = 10 * 1024 * 1024;

/// One file part of a multipart request.
#[derive(Clone, Debug)]
pub struct Upload {
    /// `files[0]`.
    pub part: String,
    pub filename: String,
    pub bytes: Vec<u8>,
}

impl Upload {
    /// The index in `files[n]`.
    pub fn index(&self) -> Option<u64> {
        self.part.strip_prefix("files[")?.strip_suffix(']')?.parse().ok()
    }
}

/// Every fault found, by path.
#[derive(Default)]
pub struct Faults(Vec<(String, &'static str, String)>);

impl Faults {
    fn add(&mut self, at: &str, code: &'static str, message: impl Into<String>) {
        self.0.push((at.to_owned(), code, message.into()));
    }
    /// `Ok` when there are none, else Discord's answer.
    pub fn verdict(self) -> Result<(), Value> {
        if self.0.is_empty() {
            return Ok(());
        }
        let mut errors = Map::new();
        for (at, code, message) in self.0 {
            let mut node = &mut errors;
            for step in at.split('.').filter(|step| !step.is_empty()) {
                node = node.entry(step).or_insert_with(|| json!({})).as_object_mut().expect("only objects are put in");
            }
            let list = node.entry("_errors").or_insert_with(|| json!([]));
            list.as_array_mut().expect("_errors is a list").push(json!({"code": code, "message": message}));
        }
        Err(json!({"code": 50035, "message": "Invalid Form Body", "errors": errors}))
    }

    /// Paths of the faults, as Discord nests them.
    #[cfg(test)]
    fn paths(&self) -> Vec<String> {
        self.0.iter().map(|(at, ..)| at.trim_start_matches('.').to_owned()).collect()
    }

    /// A string of `least..=most` characters; absent counts as empty.
    fn text(&mut self, at: &str, value: Option<&Value>, least: usize, most: usize) -> usize {
        let length = match value {
            None | Some(Value::Null) => 0,
            Some(Value::String(text)) => {
                if least > 0 && text.trim().is_empty() {
                    self.add(at, "BASE_TYPE_REQUIRED", "This field is required");
                    return 0;
                }
                text.chars().count()
            }
            Some(_) => {
                self.add(at, "STRING_TYPE_CONVERT", "Could not interpret as string.");
                return 0;
            }
        };
        if length < least {
            self.add(at, "BASE_TYPE_REQUIRED", "This field is required");
        } else if length > most {
            self.add(at, "BASE_TYPE_MAX_LENGTH", format!("Must be {most} or fewer in length."));
        }
        length
    }
    fn at_most(&mut self, at: &str, count: usize, most: usize) {
        if count > most {
            self.add(at, "BASE_TYPE_BAD_LENGTH", format!("Must be between 1 and {most} in length."));
        }
    }
    fn custom_id(&mut self, at: &str, value: Option<&Value>, taken: &mut BTreeSet<String>) {
        let at = &format!("{at}.custom_id");
        self.text(at, value, 1, 100);
        if !taken.insert(value.and_then(Value::as_str).unwrap_or_default().to_owned()) {
            self.add(at, "COMPONENT_CUSTOM_ID_DUPLICATED", "Component custom id cannot be duplicated");
        }
    }
}

fn list<'a>(value: &'a Value, key: &str) -> &'a [Value] {
    value[key].as_array().map_or(&[], Vec::as_slice)
}

/// A message as an application creates it or edits it.
pub fn message(body: &Value, files: &[Upload], creates: bool) -> Faults {
    let mut faults = Faults::default();
    message_at(&mut faults, "", body, files, creates);
    faults
}

fn message_at(faults: &mut Faults, at: &str, body: &Value, files: &[Upload], creates: bool) {
    if !body.is_object() {
        return faults.add(at, "MODEL_TYPE_CONVERT", "Only dictionaries may be used in a ModelType");
    }
    let flags = body["flags"].as_u64().unwrap_or(0);
    if flags & !SETTABLE_FLAGS != 0 || !(body["flags"].is_null() || body["flags"].is_u64()) {
        faults.add(&format!("{at}.flags"), "BITFIELD_VALUE_INVALID", "Invalid flags");
    }
    faults.text(&format!("{at}.content"), body.get("content"), 0, 2000);
    let names = attachments(faults, at, body, files);
    let embeds = list(body, "embeds");
    faults.at_most(&format!("{at}.embeds"), embeds.len(), 10);
    let mut total = 0;
    for (i, one) in embeds.iter().enumerate() {
        total += embed(faults, &format!("{at}.embeds.{i}"), one, &names, creates);
    }
    if total > 6000 {
        faults.add(&format!("{at}.embeds"), "MAX_EMBED_SIZE_EXCEEDED", "Embed size exceeds maximum size of 6000");
    }
    components(faults, &format!("{at}.components"), list(body, "components"), flags);
    mentions(faults, &format!("{at}.allowed_mentions"), &body["allowed_mentions"]);
    let shows = body["content"].as_str().is_some_and(|text| !text.trim().is_empty())
        || !embeds.is_empty()
        || !files.is_empty()
        || !list(body, "attachments").is_empty();
    if creates && !shows {
        faults.add(&format!("{at}.content"), "MESSAGE_EMPTY", "Cannot send an empty message");
    }
}

/// Names of the files a message carries.
fn attachments(faults: &mut Faults, at: &str, body: &Value, files: &[Upload]) -> BTreeSet<String> {
    let at = &format!("{at}.attachments");
    let listed = list(body, "attachments");
    faults.at_most(at, listed.len().max(files.len()), 10);
    let mut names = BTreeSet::new();
    for file in files {
        let entry = listed.iter().find(|entry| file.index().is_some() && id_of(entry) == file.index());
        let name = entry.and_then(|entry| entry["filename"].as_str()).unwrap_or(&file.filename);
        names.insert(name.to_owned());
        if file.index().is_none() || (entry.is_none() && !listed.is_empty()) {
            faults.add(at, "ATTACHMENT_NOT_FOUND", format!("{} is not listed", file.part));
        }
        if file.bytes.is_empty() || file.bytes.len() > MAX_UPLOAD {
            faults.add(at, "BASE_TYPE_FILE_SIZE", "File size must be between 1 and 10485760 bytes");
        }
        if name.is_empty() || name.chars().count() > 260 || name.contains(['/', '\\']) {
            faults.add(at, "BASE_TYPE_FILE_NAME", "Invalid file name");
        }
    }
    for (i, entry) in listed.iter().enumerate() {
        faults.text(&format!("{at}.{i}.description"), entry.get("description"), 0, 1024);
        let is_part = id_of(entry).is_some_and(|id| files.iter().any(|file| file.index() == Some(id)));
        // Ids of attachments that are kept are snowflakes.
        if !is_part && id_of(entry).is_none_or(|id| id < 1 << 40) {
            faults.add(&format!("{at}.{i}.id"), "ATTACHMENT_NOT_FOUND", "Attachment not found");
        }
    }
    names
}

fn id_of(entry: &Value) -> Option<u64> {
    entry["id"].as_u64().or_else(|| entry["id"].as_str()?.parse().ok())
}

fn is_url(text: &str) -> bool {
    (text.starts_with("https://") || text.starts_with("http://")) && !text.contains(char::is_whitespace)
}

/// Characters that count towards the total of 6000.
fn embed(faults: &mut Faults, at: &str, embed: &Value, names: &BTreeSet<String>, creates: bool) -> usize {
    if !embed.is_object() {
        faults.add(at, "MODEL_TYPE_CONVERT", "Only dictionaries may be used in a ModelType");
        return 0;
    }
    let mut total = faults.text(&format!("{at}.title"), embed.get("title"), 0, 256);
    total += faults.text(&format!("{at}.description"), embed.get("description"), 0, 4096);
    let fields = list(embed, "fields");
    faults.at_most(&format!("{at}.fields"), fields.len(), 25);
    for (i, field) in fields.iter().enumerate() {
        total += faults.text(&format!("{at}.fields.{i}.name"), field.get("name"), 1, 256);
        total += faults.text(&format!("{at}.fields.{i}.value"), field.get("value"), 1, 1024);
    }
    for (part, key, most) in [("footer", "text", 2048), ("author", "name", 256)] {
        if embed[part].is_object() {
            total += faults.text(&format!("{at}.{part}.{key}"), embed[part].get(key), 1, most);
        }
    }
    if !embed["color"].is_null() && embed["color"].as_u64().is_none_or(|colour| colour > 0xFF_FFFF) {
        faults.add(&format!("{at}.color"), "NUMBER_TYPE_MAX", "int value should be less than or equal to 16777215.");
    }
    for part in ["image", "thumbnail"] {
        let Some(url) = embed[part]["url"].as_str() else { continue };
        let known = match url.strip_prefix("attachment://") {
            Some(name) => !creates || names.contains(name),
            None => is_url(url),
        };
        if !known {
            faults.add(&format!("{at}.{part}.url"), "URL_TYPE_INVALID_URL", "Not a well formed URL.");
        }
    }
    if embed["url"].as_str().is_some_and(|url| !is_url(url)) {
        faults.add(&format!("{at}.url"), "URL_TYPE_INVALID_URL", "Not a well formed URL.");
    }
    let shown = ["title", "description", "fields", "image", "thumbnail", "author", "footer"];
    if shown.iter().all(|key| embed[*key].is_null()) {
        faults.add(at, "EMBED_EMPTY", "An embed needs something to show");
    }
    total
}

fn components(faults: &mut Faults, at: &str, rows: &[Value], flags: u64) {
    if flags & COMPONENTS_V2 != 0 {
        return faults.add(at, "SANDBOX_UNSUPPORTED", "This sandbox shows no Components V2");
    }
    faults.at_most(at, rows.len(), 5);
    let mut ids = BTreeSet::new();
    for (i, row) in rows.iter().enumerate() {
        let at = &format!("{at}.{i}");
        let children = list(row, "components");
        if row["type"] != 1 {
            faults.add(&format!("{at}.type"), "UNION_TYPE_CHOICES", "Value of field \"type\" must be one of (1,).");
        }
        if children.is_empty() {
            faults.add(&format!("{at}.components"), "BASE_TYPE_BAD_LENGTH", "Must be between 1 and 5 in length.");
        }
        let selects = children.iter().any(|child| matches!(child["type"].as_u64(), Some(3 | 5..=8)));
        if children.len() > 5 || (selects && children.len() > 1) {
            faults.add(
                &format!("{at}.components"),
                "COMPONENT_LAYOUT_WIDTH_EXCEEDED",
                "The specified component exceeds the maximum width",
            );
        }
        for (j, child) in children.iter().enumerate() {
            let at = &format!("{at}.components.{j}");
            match child["type"].as_u64() {
                Some(2) => button(faults, at, child, &mut ids),
                Some(3) => select(faults, at, child, &mut ids),
                Some(5..=8) => faults.custom_id(at, child.get("custom_id"), &mut ids),
                _ => faults.add(&format!("{at}.type"), "UNION_TYPE_CHOICES", "Not a component of an action row"),
            }
        }
    }
}

fn button(faults: &mut Faults, at: &str, button: &Value, ids: &mut BTreeSet<String>) {
    faults.text(&format!("{at}.label"), button.get("label"), 0, 80);
    match button["style"].as_u64() {
        Some(1..=4) => {
            faults.custom_id(at, button.get("custom_id"), ids);
            if button["label"].as_str().is_none_or(str::is_empty) && button["emoji"].is_null() {
                faults.add(at, "BUTTON_COMPONENT_LABEL_OR_EMOJI_REQUIRED", "A button needs a label or an emoji");
            }
        }
        Some(5) if button["url"].as_str().is_some_and(|url| is_url(url) && url.len() <= 512) => {}
        Some(5) => faults.add(&format!("{at}.url"), "BASE_TYPE_REQUIRED", "This field is required"),
        _ => faults.add(&format!("{at}.style"), "BASE_TYPE_CHOICES", "Value must be one of (1, 2, 3, 4, 5, 6)."),
    }
}

fn select(faults: &mut Faults, at: &str, select: &Value, ids: &mut BTreeSet<String>) {
    faults.custom_id(at, select.get("custom_id"), ids);
    faults.text(&format!("{at}.placeholder"), select.get("placeholder"), 0, 150);
    let options = list(select, "options");
    if options.is_empty() || options.len() > 25 {
        faults.add(&format!("{at}.options"), "BASE_TYPE_BAD_LENGTH", "Must be between 1 and 25 in length.");
    }
    let (least, most) = (select["min_values"].as_u64().unwrap_or(1), select["max_values"].as_u64().unwrap_or(1));
    if least > most || most == 0 || most > options.len() as u64 {
        faults.add(&format!("{at}.max_values"), "NUMBER_TYPE_MAX", "Not within the number of options");
    }
    let mut values = BTreeSet::new();
    for (i, option) in options.iter().enumerate() {
        let at = &format!("{at}.options.{i}");
        faults.text(&format!("{at}.label"), option.get("label"), 1, 100);
        faults.text(&format!("{at}.value"), option.get("value"), 1, 100);
        faults.text(&format!("{at}.description"), option.get("description"), 0, 100);
        if !values.insert(option["value"].as_str()) {
            faults.add(&format!("{at}.value"), "SELECT_COMPONENT_OPTION_VALUE_DUPLICATED", "The value is already used");
        }
    }
    if options.iter().filter(|option| option["default"] == true).count() as u64 > most {
        faults.add(&format!("{at}.options"), "SELECT_COMPONENT_TOO_MANY_DEFAULTS", "Too many default options");
    }
}

fn mentions(faults: &mut Faults, at: &str, allowed: &Value) {
    let parse = list(allowed, "parse");
    for (i, kind) in parse.iter().enumerate() {
        if !matches!(kind.as_str(), Some("users" | "roles" | "everyone")) {
            faults.add(&format!("{at}.parse.{i}"), "BASE_TYPE_CHOICES", "Must be one of users, roles, everyone");
        }
    }
    for kind in ["users", "roles"] {
        if !list(allowed, kind).is_empty() && parse.iter().any(|given| given == kind) {
            faults.add(at, "MESSAGE_ALLOWED_MENTIONS_PARSE_EXCLUSIVE", format!("parse and {kind} exclude each other"));
        }
    }
}

/// What answers an interaction.
pub fn callback(body: &Value, files: &[Upload], interaction: u64) -> Faults {
    let mut faults = Faults::default();
    let data = &body["data"];
    let fits = match (body["type"].as_u64(), interaction) {
        (Some(4), _) => {
            message_at(&mut faults, "data", data, files, true);
            interaction != 4
        }
        (Some(5), _) => {
            if data["flags"].as_u64().unwrap_or(0) & !EPHEMERAL != 0 {
                faults.add("data.flags", "BITFIELD_VALUE_INVALID", "Only EPHEMERAL may be set");
            }
            interaction != 4
        }
        (Some(6), 3 | 5) => true,
        (Some(7), 3 | 5) => {
            message_at(&mut faults, "data", data, files, false);
            true
        }
        (Some(8), 4) => {
            match data["choices"].as_array() {
                Some(given) => _ = choices(&mut faults, "data.choices", given, None),
                None => faults.add("data.choices", "BASE_TYPE_REQUIRED", "This field is required"),
            }
            true
        }
        (Some(9), 2 | 3) => {
            modal(&mut faults, data);
            true
        }
        _ => false,
    };
    if !fits {
        faults.add("type", "BASE_TYPE_CHOICES", "Not a response to this type of interaction");
    }
    faults
}

fn modal(faults: &mut Faults, data: &Value) {
    faults.text("data.title", data.get("title"), 1, 45);
    faults.text("data.custom_id", data.get("custom_id"), 1, 100);
    let rows = list(data, "components");
    if rows.is_empty() || rows.len() > 5 {
        faults.add("data.components", "BASE_TYPE_BAD_LENGTH", "Must be between 1 and 5 in length.");
    }
    let mut ids = BTreeSet::new();
    for (i, row) in rows.iter().enumerate() {
        let at = &format!("data.components.{i}");
        let inputs = list(row, "components");
        if row["type"] != 1 || inputs.len() != 1 || inputs[0]["type"] != 4 {
            faults.add(at, "UNION_TYPE_CHOICES", "A row of a modal holds one text input");
            continue;
        }
        let (at, input) = (&format!("{at}.components.0"), &inputs[0]);
        faults.custom_id(at, input.get("custom_id"), &mut ids);
        faults.text(&format!("{at}.label"), input.get("label"), 1, 45);
        faults.text(&format!("{at}.placeholder"), input.get("placeholder"), 0, 100);
        faults.text(&format!("{at}.value"), input.get("value"), 0, 4000);
        if !matches!(input["style"].as_u64(), Some(1 | 2)) {
            faults.add(&format!("{at}.style"), "BASE_TYPE_CHOICES", "Value must be one of (1, 2).");
        }
    }
}

/// A thread's name and archive time.
pub fn thread(body: &Value) -> Faults {
    let mut faults = Faults::default();
    faults.text("name", body.get("name"), 1, 100);
    let archive = &body["auto_archive_duration"];
    if !archive.is_null() && !matches!(archive.as_u64(), Some(60 | 1440 | 4320 | 10080)) {
        faults.add("auto_archive_duration", "BASE_TYPE_CHOICES", "Value must be one of (60, 1440, 4320, 10080).");
    }
    faults
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn refused(body: Value, at: &str) {
        assert_eq!(message(&body, &[], true).paths(), [at], "{body}");
    }

    fn rows(components: Value) -> Value {
        json!({"content": "x", "components": [{"type": 1, "components": components}]})
    }

    fn button(id: &str) -> Value {
        json!({"type": 2, "style": 2, "label": "x", "custom_id": id})
    }

    #[test]
    fn messages_over_a_limit_are_refused_by_its_path() {
        let long = |n: usize| "x".repeat(n);
        assert!(message(&json!({"content": long(2000)}), &[], true).paths().is_empty());
        refused(json!({"content": long(2001)}), "content");
        refused(json!({}), "content");
        refused(json!({"content": "  "}), "content");
        refused(json!({"embeds": [{"title": long(257)}]}), "embeds.0.title");
        refused(json!({"embeds": [{"description": long(4097)}]}), "embeds.0.description");
        refused(json!({"embeds": [{"footer": {"text": long(2049)}}]}), "embeds.0.footer.text");
        refused(json!({"embeds": [{"fields": [{"name": "x", "value": long(1025)}]}]}), "embeds.0.fields.0.value");
        refused(json!({"embeds": [{"fields": [{"name": " ", "value": "x"}]}]}), "embeds.0.fields.0.name");
        let fields = vec![json!({"name": "x", "value": "x"}); 26];
        refused(json!({"embeds": [{"fields": fields}]}), "embeds.0.fields");
        refused(json!({"embeds": [{"description": long(4000)}, {"description": long(2001)}]}), "embeds");
        refused(json!({"embeds": [{"color": 0x100_0000, "title": "x"}]}), "embeds.0.color");
        refused(json!({"embeds": [{"color": 1}]}), "embeds.0");
        refused(json!({"content": "x", "flags": 1}), "flags");
        refused(json!({"content": "x", "allowed_mentions": {"parse": ["users"], "users": ["1"]}}), "allowed_mentions");
        refused(json!({"embeds": [{"image": {"url": "attachment://chart.png"}}]}), "embeds.0.image.url");
    }

    #[test]
    fn components_over_a_limit_are_refused_by_their_path() {
        assert!(message(&rows(json!([button("a"), button("b")])), &[], true).paths().is_empty());
        let six: Vec<Value> = ["a", "b", "c", "d", "e", "f"].map(button).into();
        refused(rows(json!(six)), "components.0.components");
        refused(rows(json!([])), "components.0.components");
        refused(rows(json!([button("a"), button("a")])), "components.0.components.1.custom_id");
        refused(rows(json!([button(&"x".repeat(101))])), "components.0.components.0.custom_id");
        refused(rows(json!([{"type": 2, "style": 2, "custom_id": "a"}])), "components.0.components.0");
        let options: Vec<Value> = (0..26).map(|n| json!({"label": "x", "value": n.to_string()})).collect();
        let select = |options: Value| json!({"type": 3, "custom_id": "s", "options": options});
        refused(rows(json!([select(json!(options))])), "components.0.components.0.options");
        let twice = json!([{"label": "x", "value": "1"}, {"label": "y", "value": "1"}]);
        refused(rows(json!([select(twice)])), "components.0.components.0.options.1.value");
        let one = json!([{"label": "x", "value": "1"}]);
        refused(rows(json!([select(one), button("a")])), "components.0.components");
        let six_rows = vec![json!({"type": 1, "components": []}); 6];
        assert!(
            message(&json!({"content": "x", "components": six_rows}), &[], true).paths().contains(&"components".into())
        );
    }

    #[test]
    fn a_callback_must_suit_its_interaction() {
        let message = json!({"content": "x"});
        for (kind, interaction, fits) in
            [(4, 2, true), (4, 4, false), (7, 2, false), (7, 3, true), (8, 4, true), (8, 2, false)]
        {
            let mut data = message.clone();
            data["choices"] = json!([]);
            let faults = callback(&json!({"type": kind, "data": data}), &[], interaction);
            assert_eq!(faults.paths().is_empty(), fits, "{kind} to {interaction}");
        }
        let choices: Vec<Value> = (0..26).map(|n| json!({"name": n.to_string(), "value": "x"})).collect();
        assert_eq!(callback(&json!({"type": 8, "data": {"choices": choices}}), &[], 4).paths(), ["data.choices"]);
        let deferred = json!({"type": 5, "data": {"flags": 4}});
        assert_eq!(callback(&deferred, &[], 2).paths(), ["data.flags"]);
    }

    #[test]
    fn faults_nest_as_discord_nests_them() {
        let refused = message(&json!({"embeds": [{"title": "x".repeat(300)}]}), &[], true).verdict().unwrap_err();
        assert_eq!(refused["code"], 50035);
        assert_eq!(refused["errors"]["embeds"]["0"]["title"]["_errors"][0]["code"], "BASE_TYPE_MAX_LENGTH");
    }
}
