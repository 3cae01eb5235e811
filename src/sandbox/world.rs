//! What the sandbox remembers: guilds, channels, messages, people, interactions, gateway sessions.
//!
//! All of it sits behind one lock that is never held across an `.await`; whoever waits for something
//! to happen waits on [`World::until`].

use super::check::{EPHEMERAL, Upload};
use super::gateway::Session;
use serde_json::{Value, json};
use std::collections::{BTreeMap, HashMap};
use std::fs::File;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};
use tokio::sync::Notify;

pub const APPLICATION: u64 = 1_200_000_000_000_000_001;
/// An old application's bot has an id of its own.
pub const BOT: u64 = 1_200_000_000_000_000_006;
const GUILD: u64 = 1_200_000_000_000_000_002;
const GENERAL: u64 = 1_200_000_000_000_000_003;
/// A guild that the bot was not added to, where people bring it along (user install).
const ELSEWHERE: u64 = 1_200_000_000_000_000_004;
const LOBBY: u64 = 1_200_000_000_000_000_005;
const FIRST_FREE: u64 = 1_200_000_000_000_001_000;

pub const TEXT: u64 = 0;
pub const DM: u64 = 1;
pub const GROUP: u64 = 3;
pub const PUBLIC_THREAD: u64 = 11;
pub const PRIVATE_THREAD: u64 = 12;
pub const FORUM: u64 = 15;

/// Permission bits, by Discord's names.
pub mod permission {
    pub const MANAGE_MESSAGES: u64 = 1 << 13;
    pub const EMBED_LINKS: u64 = 1 << 14;
    pub const ATTACH_FILES: u64 = 1 << 15;
    pub const READ_MESSAGE_HISTORY: u64 = 1 << 16;
    pub const VIEW_CHANNEL: u64 = 1 << 10;
    pub const SEND_MESSAGES: u64 = 1 << 11;
    pub const CREATE_PUBLIC_THREADS: u64 = 1 << 35;
    pub const SEND_MESSAGES_IN_THREADS: u64 = 1 << 38;
    /// What a bot's invitation asks for.
    pub const USUAL: u64 = VIEW_CHANNEL
        | SEND_MESSAGES
        | EMBED_LINKS
        | ATTACH_FILES
        | READ_MESSAGE_HISTORY
        | CREATE_PUBLIC_THREADS
        | SEND_MESSAGES_IN_THREADS;
}

/// Gateway intents, by Discord's names.
pub mod intent {
    pub const GUILDS: u64 = 1;
    pub const GUILD_MESSAGES: u64 = 1 << 9;
    pub const DIRECT_MESSAGES: u64 = 1 << 12;
    pub const MESSAGE_CONTENT: u64 = 1 << 15;
    /// GUILD_MEMBERS, GUILD_PRESENCES, MESSAGE_CONTENT.
    pub const PRIVILEGED: u64 = 1 << 1 | 1 << 8 | MESSAGE_CONTENT;
}

/// How this sandbox differs from a Discord that has nothing against the bot.
#[derive(Clone, Debug)]
pub struct Rules {
    /// The token that is let in.
    pub token: String,
    /// Whether MESSAGE_CONTENT is switched on in the developer portal.
    pub message_content: bool,
    pub heartbeat: Duration,
    /// The language of the guild that has the bot.
    pub guild_locale: &'static str,
    /// Interactions come without the fields that a library wants and nobody looks at, replies without the message
    /// replied to.
    pub terse: bool,
}

impl Default for Rules {
    fn default() -> Self {
        Self {
            token: "sandbox".into(),
            message_content: false,
            heartbeat: Duration::from_millis(41_250),
            guild_locale: "en-US",
            terse: false,
        }
    }
}

/// What goes wrong with the next matching requests.
#[derive(Clone, Debug)]
pub enum Fault {
    /// 429; `scope` is `user`, `shared` or `global`.
    RateLimit {
        retry_after: f64,
        scope: &'static str,
    },
    Status(u16),
    /// The connection closes without an answer.
    Drop,
    /// Answered late.
    Delay(Duration),
    /// Answered 200 with something that no client can read.
    Garbage,
}

pub(super) struct Planned {
    /// Part of the path of the requests meant.
    pub on: String,
    pub fault: Fault,
    pub times: u32,
}

pub struct World {
    state: Mutex<State>,
    changed: Notify,
    pub(super) base: String,
}

pub(super) struct State {
    pub rules: Rules,
    pub users: HashMap<u64, User>,
    pub channels: BTreeMap<u64, Channel>,
    /// Registered commands, as stored.
    pub commands: Vec<Value>,
    pub interactions: HashMap<u64, Interaction>,
    pub sessions: Vec<Session>,
    pub identifies: u32,
    pub resumes: u32,
    /// Heartbeats go unanswered, until somebody connects anew.
    pub is_silent: bool,
    pub faults: Vec<Planned>,
    pub seen: Vec<Seen>,
    pub files: HashMap<String, Vec<u8>>,
    pub log: Option<File>,
    /// How far the sandbox's clock was put forward.
    pub ahead: Duration,
    next_id: u64,
    base: String,
}

#[derive(Clone, Debug)]
pub(super) struct User {
    pub name: String,
    pub locale: String,
    pub is_moderator: bool,
}

#[derive(Clone, Debug)]
pub(super) struct Channel {
    pub id: u64,
    pub kind: u64,
    pub name: String,
    pub guild: Option<u64>,
    pub parent: Option<u64>,
    pub owner: u64,
    pub bot_permissions: u64,
    /// In order of their ids. Shared, since channels are copied to be looked at.
    pub messages: Arc<BTreeMap<u64, Value>>,
}

impl Channel {
    pub fn is_thread(&self) -> bool {
        matches!(self.kind, 10..=12)
    }
    /// Whether the bot was added to where this channel is.
    pub fn has_bot(&self) -> bool {
        self.guild != Some(ELSEWHERE) && self.kind != GROUP
    }
    /// Who brought the bot here, for what this user does.
    pub fn owners(&self, user: u64) -> Value {
        match self.guild {
            Some(guild) if self.has_bot() => json!({"0": guild.to_string()}),
            None if self.has_bot() => json!({"0": "0"}),
            _ => json!({"1": user.to_string()}),
        }
    }
    pub fn object(&self) -> Value {
        let mut object = json!({
            "id": self.id.to_string(), "type": self.kind, "name": self.name, "flags": 0,
            "permissions": self.bot_permissions.to_string(), "last_message_id": null,
        });
        if let Some(guild) = self.guild {
            object["guild_id"] = json!(guild.to_string());
            object["position"] = json!(0);
            object["permission_overwrites"] = json!([]);
        }
        if self.is_thread() {
            object["parent_id"] = json!(self.parent.map(|id| id.to_string()));
            object["owner_id"] = json!(self.owner.to_string());
            object["message_count"] = json!(self.messages.len());
            object["member_count"] = json!(2);
            object["thread_metadata"] = json!({
                "archived": false, "auto_archive_duration": 1440, "locked": false,
                "archive_timestamp": "2026-01-01T00:00:00+00:00", "create_timestamp": "2026-01-01T00:00:00+00:00",
            });
        }
        object
    }
}

/// What a person did that the bot must answer.
pub(super) struct Interaction {
    pub id: u64,
    pub token: String,
    /// 2 command, 3 component, 4 autocomplete, 5 modal.
    pub kind: u64,
    pub user: u64,
    pub channel: u64,
    pub sent: Instant,
    /// The type of the callback, once there was one.
    pub answered: Option<u64>,
    pub is_ephemeral: bool,
    /// The message that `@original` names.
    pub original: Option<Value>,
    pub follow_ups: u32,
}

/// Something that became visible to a person.
#[derive(Clone, Debug)]
pub(super) struct Seen {
    pub interaction: Option<u64>,
    /// The message that it answers.
    pub replies_to: Option<u64>,
    pub what: What,
}

#[derive(Clone, Debug)]
pub(super) enum What {
    Posted(Value),
    Edited(Value),
    Deleted,
    Modal(Value),
    Choices(Value),
}

impl World {
    pub(super) fn new(rules: Rules, base: String, log: Option<File>) -> Self {
        let channel = |id, name: &str, guild, bot_permissions| Channel {
            id,
            kind: TEXT,
            name: name.into(),
            guild: Some(guild),
            parent: None,
            owner: 0,
            bot_permissions,
            messages: Arc::default(),
        };
        let channels = [
            (GENERAL, channel(GENERAL, "general", GUILD, permission::USUAL)),
            (LOBBY, channel(LOBBY, "lobby", ELSEWHERE, permission::SEND_MESSAGES)),
        ];
        let state = State {
            rules,
            users: HashMap::new(),
            channels: channels.into(),
            commands: Vec::new(),
            interactions: HashMap::new(),
            sessions: Vec::new(),
            identifies: 0,
            resumes: 0,
            is_silent: false,
            faults: Vec::new(),
            seen: Vec::new(),
            files: HashMap::new(),
            log,
            ahead: Duration::ZERO,
            next_id: FIRST_FREE,
            base: base.clone(),
        };
        Self { state: Mutex::new(state), changed: Notify::new(), base }
    }

    /// A channel of the guild that has the bot.
    pub fn general(&self) -> u64 {
        GENERAL
    }
    /// A channel of a guild that the bot was not added to.
    pub fn elsewhere(&self) -> u64 {
        LOBBY
    }

    /// The state; whoever waits looks again when the guard is gone.
    pub(super) fn lock(&self) -> Guard<'_> {
        Guard { state: self.state.lock().unwrap_or_else(std::sync::PoisonError::into_inner), changed: &self.changed }
    }

    /// Waits until `look` finds something, at most for `patience`.
    pub(super) async fn until<T>(&self, patience: Duration, mut look: impl FnMut(&State) -> Option<T>) -> Option<T> {
        let deadline = tokio::time::Instant::now() + patience;
        loop {
            let changed = self.changed.notified();
            tokio::pin!(changed);
            changed.as_mut().enable();
            let found = look(&self.state.lock().unwrap_or_else(std::sync::PoisonError::into_inner));
            if found.is_some() {
                return found;
            }
            tokio::time::timeout_at(deadline, changed).await.ok()?;
        }
    }
}

/// The locked state. Dropping it wakes those who wait.
pub(super) struct Guard<'a> {
    state: MutexGuard<'a, State>,
    changed: &'a Notify,
}

impl std::ops::Deref for Guard<'_> {
    type Target = State;
    fn deref(&self) -> &State {
        &self.state
    }
}
impl std::ops::DerefMut for Guard<'_> {
    fn deref_mut(&mut self) -> &mut State {
        &mut self.state
    }
}
impl Drop for Guard<'_> {
    fn drop(&mut self) {
        self.changed.notify_waiters();
    }
}

impl State {
    pub fn now(&self) -> Instant {
        Instant::now() + self.ahead
    }
    pub fn id(&mut self) -> u64 {
        self.next_id += 1;
        self.next_id
    }

    /// A new channel of the guild that has the bot, or of none.
    pub fn open(&mut self, kind: u64, parent: Option<u64>, owner: u64) -> u64 {
        let id = self.id();
        let channel = Channel {
            id,
            kind,
            name: String::new(),
            guild: (!matches!(kind, DM | GROUP)).then_some(GUILD),
            parent,
            owner,
            bot_permissions: permission::USUAL,
            messages: Arc::default(),
        };
        if channel.is_thread() {
            self.dispatch("THREAD_CREATE", intent::GUILDS, &channel.object());
        }
        self.channels.insert(id, channel);
        id
    }

    pub fn bot(&self) -> Value {
        json!({"id": BOT.to_string(), "username": "Headroom", "discriminator": "0", "global_name": null,
               "avatar": null, "bot": true})
    }
    pub fn user(&self, id: u64) -> Value {
        if id == BOT {
            return self.bot();
        }
        let name = self.users.get(&id).map_or("?", |user| user.name.as_str());
        json!({"id": id.to_string(), "username": name.to_lowercase(), "discriminator": "0", "global_name": name,
               "avatar": null, "public_flags": 0})
    }
    fn member(&self, id: u64, with_user: bool) -> Value {
        let is_moderator = self.users.get(&id).is_some_and(|user| user.is_moderator);
        let permissions = permission::USUAL | if is_moderator { permission::MANAGE_MESSAGES } else { 0 };
        let mut member = json!({
            "nick": null, "avatar": null, "roles": [], "joined_at": "2026-01-01T00:00:00+00:00", "premium_since": null,
            "deaf": false, "mute": false, "flags": 0, "pending": false, "permissions": permissions.to_string(),
        });
        if with_user {
            member["user"] = self.user(id);
        }
        member
    }
    pub fn guild_locale(&self, channel: &Channel) -> &'static str {
        match channel.guild {
            Some(ELSEWHERE) => "de",
            _ => self.rules.guild_locale,
        }
    }

    /// The guild as GUILD_CREATE tells of it.
    pub fn guild(&self) -> Value {
        let of = |threads: bool| {
            let inside = self.channels.values().filter(|c| c.guild == Some(GUILD) && c.is_thread() == threads);
            inside.map(Channel::object).collect::<Vec<_>>()
        };
        json!({
            "id": GUILD.to_string(), "name": "Lab", "icon": null, "splash": null, "discovery_splash": null,
            "owner_id": BOT.to_string(), "afk_channel_id": null, "afk_timeout": 300, "verification_level": 0,
            "default_message_notifications": 1, "explicit_content_filter": 0, "roles": [], "emojis": [], "features": [],
            "mfa_level": 0, "application_id": null, "system_channel_id": null, "system_channel_flags": 0,
            "rules_channel_id": null, "max_members": 1000, "vanity_url_code": null, "description": null, "banner": null,
            "premium_tier": 0, "premium_subscription_count": 0, "preferred_locale": self.rules.guild_locale,
            "public_updates_channel_id": null, "nsfw_level": 0, "stickers": [], "premium_progress_bar_enabled": false,
            "joined_at": "2026-01-01T00:00:00+00:00", "large": false, "unavailable": false, "member_count": 3,
            "voice_states": [], "members": [], "channels": of(false), "threads": of(true), "presences": [],
            "stage_instances": [], "guild_scheduled_events": [], "soundboard_sounds": [],
        })
    }
    pub fn guild_stub(&self) -> Value {
        json!({"id": GUILD.to_string(), "unavailable": true})
    }

    /// A message object of what `author` wrote or sent.
    pub fn make_message(&mut self, channel: u64, author: u64, body: &Value, files: &[Upload]) -> Value {
        let id = self.id();
        let attachments: Vec<Value> = files.iter().map(|file| self.attachment(channel, body, file)).collect();
        let mut embeds = body["embeds"].as_array().cloned().unwrap_or_default();
        let mut in_embeds = Vec::new();
        for embed in &mut embeds {
            embed["type"] = json!("rich");
            for part in ["image", "thumbnail"] {
                let name = embed[part]["url"].as_str().and_then(|url| url.strip_prefix("attachment://"));
                if let Some(file) = name.and_then(|name| attachments.iter().find(|file| file["filename"] == name)) {
                    in_embeds.push(file["id"].clone());
                    embed[part]["url"] = file["url"].clone();
                    embed[part]["description"] = file["description"].clone();
                }
            }
        }
        let content = body["content"].as_str().unwrap_or_default();
        let mut mentions: Vec<Value> = Vec::new();
        if author != BOT && content.contains(&format!("<@{BOT}>")) {
            mentions.push(self.bot());
        }
        json!({
            "id": id.to_string(), "channel_id": channel.to_string(), "author": self.user(author), "content": content,
            "timestamp": "2026-01-01T00:00:00+00:00", "edited_timestamp": null, "tts": false, "mention_everyone": false,
            "mentions": mentions, "mention_roles": [], "embeds": embeds, "pinned": false, "type": 0,
            "attachments": attachments.iter().filter(|file| !in_embeds.contains(&file["id"])).collect::<Vec<_>>(),
            "flags": body["flags"].as_u64().unwrap_or(0), "components": body["components"].as_array().cloned().unwrap_or_default(),
        })
    }

    pub fn attachment(&mut self, channel: u64, body: &Value, file: &Upload) -> Value {
        let id = self.id();
        let listed = body["attachments"].as_array().into_iter().flatten();
        let entry = listed.into_iter().find(|entry| {
            let given = entry["id"].as_u64().or_else(|| entry["id"].as_str()?.parse().ok());
            given.is_some() && given == file.index()
        });
        let name = entry.and_then(|entry| entry["filename"].as_str()).unwrap_or(&file.filename);
        let path = format!("/attachments/{channel}/{id}/{name}");
        self.files.insert(path.clone(), file.bytes.clone());
        let is_image = name.ends_with(".png");
        json!({
            "id": id.to_string(), "filename": name, "size": file.bytes.len(), "url": format!("{}{path}", self.base),
            "proxy_url": format!("{}{path}", self.base), "description": entry.map(|entry| entry["description"].clone()),
            "content_type": if is_image { "image/png" } else { "text/plain; charset=utf-8" }, "ephemeral": false,
        })
    }

    /// Stores a message, tells the bot and the people.
    pub fn post(&mut self, message: Value, interaction: Option<u64>) {
        let id = number(&message["id"]);
        let channel = number(&message["channel_id"]);
        let replies_to = message["message_reference"]["message_id"].as_str().and_then(|id| id.parse().ok());
        if number(&message["author"]["id"]) == BOT {
            self.seen.push(Seen { interaction, replies_to, what: What::Posted(message.clone()) });
        }
        if is_ephemeral(&message) {
            return;
        }
        if let Some(channel) = self.channels.get_mut(&channel) {
            Arc::make_mut(&mut channel.messages).insert(id, message.clone());
        }
        self.tell_of("MESSAGE_CREATE", &message);
    }

    /// A message changed, in the way that the person who sees it will notice.
    pub fn replace(&mut self, message: Value, interaction: Option<u64>) {
        let channel = number(&message["channel_id"]);
        if !is_ephemeral(&message)
            && let Some(channel) = self.channels.get_mut(&channel)
        {
            Arc::make_mut(&mut channel.messages).insert(number(&message["id"]), message.clone());
        }
        self.seen.push(Seen { interaction, replies_to: None, what: What::Edited(message.clone()) });
        if !is_ephemeral(&message) {
            self.tell_of("MESSAGE_UPDATE", &message);
        }
    }

    pub fn remove(&mut self, channel: u64, message: u64, interaction: Option<u64>) -> bool {
        let known = self
            .channels
            .get_mut(&channel)
            .and_then(|channel| Arc::make_mut(&mut channel.messages).remove(&message))
            .is_some();
        self.seen.push(Seen { interaction, replies_to: None, what: What::Deleted });
        known
    }

    fn tell_of(&mut self, event: &str, message: &Value) {
        let Some(channel) = self.channels.get(&number(&message["channel_id"])).cloned() else { return };
        if !channel.has_bot() {
            return;
        }
        let needs = if channel.kind == DM { intent::DIRECT_MESSAGES } else { intent::GUILD_MESSAGES };
        let mut told = message.clone();
        if let Some(guild) = channel.guild {
            told["guild_id"] = json!(guild.to_string());
            told["member"] = self.member(number(&message["author"]["id"]), false);
        }
        if let (Some(id), false) = (message["message_reference"]["message_id"].as_str(), self.rules.terse) {
            told["referenced_message"] =
                id.parse().ok().and_then(|id: u64| channel.messages.get(&id)).cloned().unwrap_or(Value::Null);
        }
        for session in self.sessions.iter_mut().filter(|session| session.intents & needs != 0) {
            session.dispatch(event, as_bot_sees(&told, &channel, session.intents));
        }
    }

    pub fn dispatch(&mut self, event: &str, needs: u64, data: &Value) {
        for session in self.sessions.iter_mut().filter(|session| needs == 0 || session.intents & needs != 0) {
            session.dispatch(event, data.clone());
        }
    }

    /// The one place where an interaction is made: all fields that clients rely on.
    pub fn interact(&mut self, kind: u64, user: u64, channel: u64, data: Value, message: Option<Value>) -> u64 {
        let id = self.id();
        let token = format!("interaction-token-{id}");
        let channel = self.channels[&channel].clone();
        let locale = self.users[&user].locale.clone();
        let mut payload = json!({
            "id": id.to_string(), "application_id": APPLICATION.to_string(), "type": kind, "token": token, "version": 1,
            "data": data, "channel": channel.object(), "channel_id": channel.id.to_string(), "locale": locale,
            "app_permissions": channel.bot_permissions.to_string(), "entitlements": [],
            "attachment_size_limit": 10 * 1024 * 1024,
        });
        payload["authorizing_integration_owners"] = channel.owners(user);
        match channel.guild {
            Some(guild) => {
                payload["context"] = json!(0);
                payload["guild_id"] = json!(guild.to_string());
                payload["guild_locale"] = json!(self.guild_locale(&channel));
                payload["guild"] =
                    json!({"id": guild.to_string(), "locale": self.guild_locale(&channel), "features": []});
                payload["member"] = self.member(user, true);
            }
            None => {
                payload["context"] = json!(if channel.kind == GROUP { 2 } else { 1 });
                payload["user"] = self.user(user);
            }
        }
        if let (true, Some(payload)) = (self.rules.terse, payload.as_object_mut()) {
            for field in ["version", "application_id", "locale", "entitlements", "attachment_size_limit"] {
                payload.remove(field);
            }
        }
        let original = message.clone();
        if let Some(message) = message {
            payload["message"] = message;
        }
        let interaction = Interaction {
            id,
            token,
            kind,
            user,
            channel: channel.id,
            sent: self.now(),
            answered: None,
            is_ephemeral: false,
            original,
            follow_ups: 0,
        };
        self.interactions.insert(id, interaction);
        self.dispatch("INTERACTION_CREATE", 0, &payload);
        id
    }
}

pub(super) fn number(value: &Value) -> u64 {
    value.as_str().and_then(|text| text.parse().ok()).unwrap_or(0)
}

pub(super) fn is_ephemeral(message: &Value) -> bool {
    message["flags"].as_u64().unwrap_or(0) & EPHEMERAL != 0
}

/// Without the privileged intent a bot sees the content of its own messages, of those in direct
/// messages and of those that mention it; a reply to a regular message of the bot mentions it.
pub(super) fn as_bot_sees(message: &Value, channel: &Channel, intents: u64) -> Value {
    let mut message = message.clone();
    if message["referenced_message"].is_object() {
        message["referenced_message"] = as_bot_sees(&message["referenced_message"], channel, intents);
    }
    let mine = BOT.to_string();
    let mentioned = message["mentions"].as_array().into_iter().flatten().any(|user| user["id"] == mine.as_str());
    let shown = intents & intent::MESSAGE_CONTENT != 0
        || channel.kind == DM
        || mentioned
        || message["author"]["id"] == mine.as_str();
    if !shown {
        message["content"] = json!("");
        for list in ["embeds", "attachments", "components"] {
            message[list] = json!([]);
        }
    }
    message
}
