//! A person at a Discord client: types commands, presses buttons, writes messages, and sees answers.
//!
//! Commands are held against what the bot *registered*, as a client does: an option's type, range
//! and choices, and where a command is offered at all.

use super::check::Upload;
use super::rest::FIRST_ANSWER;
use super::shown::Shown;
use super::world::{BOT, Channel, DM, GROUP, Seen, State, What, World, number};
use serde_json::{Map, Value, json};
use std::sync::Arc;
use std::time::Duration;

/// How long a person waits after the bot showed that it is thinking.
const PATIENCE: Duration = Duration::from_secs(60);
/// How long a person waits for a reply to a message.
const REPLY_PATIENCE: Duration = Duration::from_secs(60);

/// Why nothing was seen.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Silence {
    /// The client would not send it.
    #[error("the client refuses: {0}")]
    NotOffered(String),
    #[error("The application did not respond")]
    NoAnswer,
    /// Answered in time, and then nothing followed.
    #[error("the bot acknowledged and then said nothing")]
    NothingFollowed,
}

/// Somebody, standing in a channel.
#[derive(Clone)]
pub struct Person {
    pub(super) world: Arc<World>,
    pub(super) id: u64,
    pub(super) channel: u64,
}

fn refused(why: impl Into<String>) -> Silence {
    Silence::NotOffered(why.into())
}

impl Person {
    /// The same person in another channel.
    pub fn at(&self, channel: u64) -> Self {
        Self { channel, ..self.clone() }
    }

    pub fn name(&self) -> String {
        self.world.lock().users[&self.id].name.clone()
    }

    /// Types a slash command: `/train model:llama 3 8b gpu:h100`. Text before the first option's name
    /// belongs to the first option.
    pub async fn slash(&self, text: &str) -> Result<Shown, Silence> {
        self.slash_with(text, &[]).await
    }

    /// A slash command with a file for its attachment option.
    pub async fn slash_with(&self, text: &str, files: &[(&str, &[u8])]) -> Result<Shown, Silence> {
        let id = {
            let mut state = self.world.lock();
            let (command, mut given) = typed(&state, self.channel, text)?;
            let mut resolved = Map::new();
            let attachment = command["options"].as_array().into_iter().flatten().find(|option| option["type"] == 11);
            if let (Some(option), Some((name, bytes))) = (attachment, files.first()) {
                let file = upload(name, bytes);
                let object = state.attachment(self.channel, &Value::Null, &file);
                let file_id = number(&object["id"]);
                given.push((option.clone(), file_id.to_string()));
                resolved.insert(file_id.to_string(), object);
            }
            let mut options = Vec::new();
            for (option, value) in &given {
                options
                    .push(json!({"name": option["name"], "type": option["type"], "value": value_of(option, value)?}));
            }
            let missing = command["options"].as_array().into_iter().flatten().find(|option| {
                option["required"] == true && !given.iter().any(|(given, _)| given["name"] == option["name"])
            });
            if let Some(option) = missing {
                return Err(refused(format!("{} is required", option["name"])));
            }
            let mut data = json!({"id": command["id"], "name": command["name"], "type": 1, "options": options});
            if !resolved.is_empty() {
                data["resolved"] = json!({"attachments": resolved});
            }
            state.interact(2, self.id, self.channel, data, None)
        };
        self.answer_to(id, None).await
    }

    /// What is suggested while the last option is being typed.
    pub async fn complete(&self, text: &str) -> Result<Shown, Silence> {
        let id = {
            let mut state = self.world.lock();
            let (command, given) = typed(&state, self.channel, text)?;
            let last = given.len().checked_sub(1).ok_or_else(|| refused("no option is being typed"))?;
            if given[last].0["autocomplete"] != true {
                return Err(refused(format!("{} has no suggestions", given[last].0["name"])));
            }
            let options: Vec<Value> = given
                .iter()
                .enumerate()
                .map(|(i, (option, value))| {
                    let mut sent = json!({"name": option["name"], "type": option["type"], "value": value});
                    if i == last {
                        sent["focused"] = json!(true);
                    }
                    sent
                })
                .collect();
            let data = json!({"id": command["id"], "name": command["name"], "type": 1, "options": options});
            state.interact(4, self.id, self.channel, data, None)
        };
        self.answer_to(id, None).await
    }

    /// Chooses a command from a message's context menu.
    pub async fn apply(&self, command: &str, message: u64) -> Result<Shown, Silence> {
        let id = {
            let mut state = self.world.lock();
            let known = state.commands.iter().find(|known| known["type"] == 3 && is_called(known, command));
            let known = known.cloned().ok_or_else(|| refused(format!("no message command {command}")))?;
            let target = state.channels[&self.channel].messages.get(&message).cloned();
            let target = target.ok_or_else(|| refused("no such message here"))?;
            let data = json!({
                "id": known["id"], "name": known["name"], "type": 3, "target_id": message.to_string(),
                "resolved": {"messages": {message.to_string(): target}},
            });
            state.interact(2, self.id, self.channel, data, None)
        };
        self.answer_to(id, None).await
    }

    /// Presses the button with this label.
    pub async fn press(&self, on: &Shown, label: &str) -> Result<Shown, Silence> {
        let button =
            on.button(label).ok_or_else(|| refused(format!("no button {label}; there are {:?}", on.buttons())))?;
        if button["disabled"] == true {
            return Err(refused(format!("{label} is greyed out")));
        }
        let data = json!({"custom_id": button["custom_id"], "component_type": 2});
        self.interact_with(on, data).await
    }

    /// Presses a button by the custom id that some older bot gave it.
    pub async fn press_id(&self, on: &Shown, custom_id: &str) -> Result<Shown, Silence> {
        self.interact_with(on, json!({"custom_id": custom_id, "component_type": 2})).await
    }

    /// Picks the option with this label in whichever select has it.
    pub async fn choose(&self, on: &Shown, label: &str) -> Result<Shown, Silence> {
        let found = on.selects().find_map(|select| {
            let option = select["options"].as_array()?.iter().find(|option| option["label"] == label)?;
            Some(json!({"custom_id": select["custom_id"], "component_type": 3, "values": [option["value"]]}))
        });
        self.interact_with(on, found.ok_or_else(|| refused(format!("no choice {label}")))?).await
    }

    async fn interact_with(&self, on: &Shown, data: Value) -> Result<Shown, Silence> {
        let message = on.object().clone();
        let id = self.world.lock().interact(3, self.id, self.channel, data, Some(message));
        self.answer_to(id, Some(on.id())).await
    }

    /// Fills in the inputs of a dialog, in order, and submits it; `on` is the message it came from.
    pub async fn submit(&self, modal: &Shown, on: Option<&Shown>, values: &[&str]) -> Result<Shown, Silence> {
        let rows: Vec<Value> = modal
            .inputs()
            .zip(values)
            .map(|(input, value)| {
                json!({"type": 1, "components": [{"type": 4, "custom_id": input["custom_id"], "value": value}]})
            })
            .collect();
        let data = json!({"custom_id": modal.object()["custom_id"], "components": rows});
        let message = on.map(|on| on.object().clone());
        let id = self.world.lock().interact(5, self.id, self.channel, data, message);
        self.answer_to(id, on.map(Shown::id)).await
    }

    /// Writes a message; gives its id.
    pub fn say(&self, text: &str) -> u64 {
        self.write(text, None, false, &[])
    }
    /// Mentions the bot and waits for its reply.
    pub async fn mention(&self, text: &str) -> Result<Shown, Silence> {
        self.mention_with(text, &[]).await
    }
    pub async fn mention_with(&self, text: &str, files: &[(&str, &[u8])]) -> Result<Shown, Silence> {
        let id = self.write(&format!("<@{BOT}> {text}"), None, false, files);
        self.reply_to(id).await
    }
    /// Replies to a message of the bot, with the ping left on, and waits for its reply.
    pub async fn reply(&self, to: &Shown, text: &str) -> Result<Shown, Silence> {
        let id = self.write(text, Some(to.id()), true, &[]);
        self.reply_to(id).await
    }
    /// Replies and goes on; gives the message's id.
    pub fn send_reply(&self, to: &Shown, text: &str, pings: bool) -> u64 {
        self.write(text, Some(to.id()), pings, &[])
    }

    fn write(&self, text: &str, to: Option<u64>, pings: bool, files: &[(&str, &[u8])]) -> u64 {
        let mut state = self.world.lock();
        let files: Vec<Upload> = files.iter().map(|(name, bytes)| upload(name, bytes)).collect();
        let mut message = state.make_message(self.channel, self.id, &json!({"content": text}), &files);
        if let Some(to) = to {
            message["type"] = json!(19);
            message["message_reference"] =
                json!({"message_id": to.to_string(), "channel_id": self.channel.to_string(), "type": 0});
            let replied = state.channels[&self.channel].messages.get(&to);
            // A reply to a slash command's response does not count as a mention.
            let is_regular = replied.is_some_and(|message| message["interaction_metadata"].is_null());
            if pings && is_regular {
                message["mentions"] = json!([state.bot()]);
            }
        }
        let id = number(&message["id"]);
        state.post(message, None);
        id
    }

    /// The bot's reply to a message.
    pub async fn reply_to(&self, id: u64) -> Result<Shown, Silence> {
        let found = self
            .world
            .until(REPLY_PATIENCE, |state| state.seen.iter().find(|seen| seen.replies_to == Some(id)).cloned());
        found.await.map(|seen| Shown(seen.what)).ok_or(Silence::NoAnswer)
    }
    /// How often the bot has replied to a message by now.
    pub fn answers(&self, id: u64) -> usize {
        self.world.lock().seen.iter().filter(|seen| seen.replies_to == Some(id)).count()
    }
    /// The newest message of the bot in this channel.
    pub fn newest(&self) -> Option<Shown> {
        let state = self.world.lock();
        let mine = BOT.to_string();
        let messages = state.channels.get(&self.channel)?.messages.values();
        messages
            .rev()
            .find(|message| message["author"]["id"] == mine)
            .map(|message| Shown(What::Posted(message.clone())))
    }

    /// What came of an interaction: first the acknowledgement in time, then something to see.
    async fn answer_to(&self, id: u64, on: Option<u64>) -> Result<Shown, Silence> {
        let answered = self.world.until(FIRST_ANSWER, |state| state.interactions[&id].answered).await;
        answered.ok_or(Silence::NoAnswer)?;
        let concerns = |seen: &&Seen| seen.interaction == Some(id);
        let since = self.world.lock().interactions[&id].id;
        let seen = self.world.until(PATIENCE, |state| {
            let own = state.seen.iter().find(concerns);
            let reply = || state.seen.iter().find(|seen| is_reply_since(seen, on, since));
            own.or_else(reply).cloned()
        });
        seen.await.map(|seen| Shown(seen.what)).ok_or(Silence::NothingFollowed)
    }
}

/// A message that answers message `on` and is younger than the interaction `since`.
fn is_reply_since(seen: &Seen, on: Option<u64>, since: u64) -> bool {
    match &seen.what {
        What::Posted(message) => on.is_some() && seen.replies_to == on && number(&message["id"]) > since,
        _ => false,
    }
}

fn upload(name: &str, bytes: &[u8]) -> Upload {
    Upload { part: "files[0]".into(), filename: name.into(), bytes: bytes.to_vec() }
}

/// Whether an item goes by this name, in any language.
fn is_called(item: &Value, name: &str) -> bool {
    item["name"] == name
        || item["name_localizations"].as_object().is_some_and(|names| names.values().any(|n| n == name))
}

/// A command that is offered in a channel, and its options with the text typed for each.
fn typed(state: &State, channel: u64, text: &str) -> Result<(Value, Vec<(Value, String)>), Silence> {
    let (name, rest) = text.trim_start_matches('/').split_once(' ').unwrap_or((text.trim_start_matches('/'), ""));
    let known = state.commands.iter().find(|command| command["type"] == 1 && is_called(command, name));
    let command = known.ok_or_else(|| refused(format!("no command /{name}")))?;
    if !is_offered(command, &state.channels[&channel]) {
        return Err(refused(format!("/{name} is not offered here")));
    }
    let options = command["options"].as_array().map_or(&[][..], Vec::as_slice);
    let mut given: Vec<(Value, String)> = Vec::new();
    for word in rest.split(' ').filter(|word| !word.is_empty()) {
        let named = word.split_once(':').and_then(|(key, value)| {
            let option = options.iter().find(|option| is_called(option, key))?;
            Some((option.clone(), value.to_owned()))
        });
        match (named, given.last_mut()) {
            (Some(named), _) => given.push(named),
            (None, Some((_, text))) => {
                if !text.is_empty() {
                    text.push(' ');
                }
                text.push_str(word);
            }
            (None, None) => {
                let first = options.first().ok_or_else(|| refused(format!("/{name} takes no options")))?;
                given.push((first.clone(), word.to_owned()));
            }
        }
    }
    Ok((command.clone(), given))
}

fn is_offered(command: &Value, channel: &Channel) -> bool {
    let has = |key: &str, default: &[u64], wanted: u64| match command[key].as_array() {
        Some(given) => given.iter().any(|value| value.as_u64() == Some(wanted)),
        None => default.contains(&wanted),
    };
    let context = match channel.kind {
        GROUP => 2,
        DM => 1,
        _ => 0,
    };
    has("contexts", &[0, 1, 2], context) && has("integration_types", &[0], u64::from(!channel.has_bot()))
}

/// The value a client sends, within the option's type, range and choices.
fn value_of(option: &Value, text: &str) -> Result<Value, Silence> {
    let name = &option["name"];
    if let Some(choices) = option["choices"].as_array().filter(|choices| !choices.is_empty()) {
        let is_value = |value: &Value| value == text || value.as_f64().is_some_and(|x| text.parse() == Ok(x));
        let chosen = choices.iter().find(|choice| is_called(choice, text) || is_value(&choice["value"]));
        let chosen = chosen.ok_or_else(|| refused(format!("{text} is no choice of {name}")))?;
        return Ok(chosen["value"].clone());
    }
    let number: Value = match option["type"].as_u64() {
        Some(4) => text.parse::<i64>().map_err(|_| refused(format!("{name} takes a whole number")))?.into(),
        Some(10) => text.parse::<f64>().map_err(|_| refused(format!("{name} takes a number")))?.into(),
        Some(5) => {
            return text.parse::<bool>().map(Value::from).map_err(|_| refused(format!("{name} takes true or false")));
        }
        _ => return Ok(text.into()),
    };
    let outside = |bound: &Value, is_bad: fn(f64, f64) -> bool| {
        bound.as_f64().zip(number.as_f64()).is_some_and(|(bound, given)| is_bad(given, bound))
    };
    if outside(&option["min_value"], |given, least| given < least)
        || outside(&option["max_value"], |given, most| given > most)
    {
        return Err(refused(format!("{text} is out of the range of {name}")));
    }
    Ok(number)
}
