//! The REST routes that an application uses, each body checked.

use super::check::{self, EPHEMERAL, Upload};
use super::world::{
    APPLICATION, BOT, Channel, DM, Guard, Interaction, PUBLIC_THREAD, Seen, State, What, as_bot_sees, intent,
    is_ephemeral, number, permission,
};
use axum::http::{HeaderMap, header};
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;

/// An interaction must be answered within this.
pub(super) const FIRST_ANSWER: Duration = Duration::from_secs(3);
const TOKEN_LIFE: Duration = Duration::from_secs(15 * 60);
/// Follow-ups of an application that was brought along by a user.
const USER_INSTALL_FOLLOW_UPS: u32 = 5;

/// What is answered: a status and a body (`Null`: none).
pub(super) struct Answer(pub u16, pub Value);

/// A refusal: HTTP status, Discord's code, Discord's words.
fn refuse(status: u16, code: u32, message: &str) -> Answer {
    Answer(status, json!({"message": message, "code": code}))
}

impl From<Value> for Answer {
    fn from(invalid: Value) -> Self {
        Answer(400, invalid)
    }
}

pub(super) type Outcome = Result<Answer, Answer>;

fn ok(body: Value) -> Outcome {
    Ok(Answer(200, body))
}

const NOTHING: Outcome = Ok(Answer(204, Value::Null));

/// A request to one of the routes.
pub(super) struct Call<'a> {
    pub method: &'a str,
    pub query: &'a str,
    pub body: &'a Value,
    pub files: &'a [Upload],
    pub base: &'a str,
}

impl Call<'_> {
    pub fn route(&self, state: &mut Guard<'_>, steps: &[&str], headers: &HeaderMap) -> Outcome {
        // An interaction's token is the key to its routes; all others need the bot's.
        let by_token = matches!(steps, ["interactions", ..] | ["webhooks", ..]);
        let given = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
        if !by_token && given != Some(&format!("Bot {}", state.rules.token)) {
            return Err(refuse(401, 0, "401: Unauthorized"));
        }
        match (self.method, steps) {
            ("GET", ["gateway"]) => ok(json!({"url": self.gateway()})),
            ("GET", ["gateway", "bot"]) => ok(json!({
                "url": self.gateway(), "shards": 1,
                "session_start_limit": {"total": 1000, "remaining": 999, "reset_after": 14_400_000, "max_concurrency": 1},
            })),
            ("GET", ["oauth2", "applications", "@me"] | ["applications", "@me"]) => ok(json!({
                "id": APPLICATION.to_string(), "name": "Headroom", "icon": null, "description": "", "bot_public": true,
                "bot_require_code_grant": false, "verify_key": "00", "owner": state.bot(), "team": null, "flags": 0,
            })),
            ("GET", ["users", "@me"]) => ok(state.bot()),
            ("PUT", ["applications", application, "commands"])
            | ("PUT", ["applications", application, "guilds", _, "commands"])
                if id(application) == APPLICATION =>
            {
                self.register(state)
            }
            ("POST", ["interactions", interaction, token, "callback"]) => self.answer(state, id(interaction), token),
            ("POST", ["webhooks", application, token]) if id(application) == APPLICATION => {
                self.follow_up(state, token)
            }
            (_, ["webhooks", application, token, "messages", message]) if id(application) == APPLICATION => {
                self.answered_message(state, token, message)
            }
            ("GET", ["channels", channel]) => ok(reachable(state, id(channel))?.object()),
            ("GET", ["channels", channel, "messages"]) => self.history(state, id(channel)),
            ("POST", ["channels", channel, "messages"]) => self.create_message(state, id(channel)),
            ("POST", ["channels", channel, "typing"]) => {
                may(&reachable(state, id(channel))?, permission::SEND_MESSAGES)?;
                NOTHING
            }
            ("POST", ["channels", channel, "messages", message, "threads"]) => {
                self.create_thread(state, id(channel), id(message))
            }
            (_, ["channels", channel, "messages", message]) => self.message(state, id(channel), id(message)),
            _ => Err(refuse(404, 0, "404: Not Found")),
        }
    }

    fn gateway(&self) -> String {
        format!("{}/gateway-socket", self.base.replace("http", "ws"))
    }

    fn register(&self, state: &mut State) -> Outcome {
        check::commands(self.body).verdict()?;
        let mut commands = self.body.as_array().cloned().unwrap_or_default();
        for command in &mut commands {
            command["id"] = json!(state.id().to_string());
            command["application_id"] = json!(APPLICATION.to_string());
            command["version"] = json!(state.id().to_string());
            command["type"] = json!(command["type"].as_u64().unwrap_or(1));
            command["description"] = json!(command["description"].as_str().unwrap_or_default());
            command["default_member_permissions"] = Value::Null;
        }
        state.commands = commands.clone();
        ok(Value::Array(commands))
    }

    /// The one callback of an interaction.
    fn answer(&self, state: &mut State, id: u64, token: &str) -> Outcome {
        let now = state.now();
        let unknown = || refuse(404, 10062, "Unknown interaction");
        let interaction = state.interactions.get(&id).filter(|given| given.token == token).ok_or_else(unknown)?;
        if interaction.answered.is_some() {
            return Err(refuse(400, 40060, "Interaction has already been acknowledged."));
        }
        if now.saturating_duration_since(interaction.sent) > FIRST_ANSWER {
            return Err(unknown());
        }
        check::callback(self.body, self.files, interaction.kind).verdict()?;
        let data = &self.body["data"];
        let kind = self.body["type"].as_u64().unwrap_or(0);
        let original = interaction.original.clone();
        let shown = match kind {
            4 => {
                let message = self.interaction_message(state, id, data);
                state.post(message.clone(), Some(id));
                Some(message)
            }
            7 => {
                let message = original.ok_or_else(|| refuse(404, 10008, "Unknown Message"))?;
                Some(self.edited(state, message, data, Some(id)))
            }
            _ => {
                let what = match kind {
                    8 => Some(What::Choices(data["choices"].clone())),
                    9 => Some(What::Modal(data.clone())),
                    _ => None,
                };
                if let Some(what) = what {
                    state.seen.push(Seen { interaction: Some(id), replies_to: None, what });
                }
                // A deferred reply has no message yet.
                if kind == 5 { None } else { original }
            }
        };
        let interaction = state.interactions.get_mut(&id).expect("it was found above");
        interaction.answered = Some(kind);
        interaction.is_ephemeral = data["flags"].as_u64().unwrap_or(0) & EPHEMERAL != 0;
        interaction.original = shown;
        NOTHING
    }

    /// A message that answers an interaction: it carries who asked.
    fn interaction_message(&self, state: &mut State, id: u64, body: &Value) -> Value {
        let Interaction { kind, user, channel, .. } = state.interactions[&id];
        let owners = state.channels.get(&channel).map_or(Value::Null, |channel| channel.owners(user));
        let mut message = state.make_message(channel, BOT, body, self.files);
        message["application_id"] = json!(APPLICATION.to_string());
        message["webhook_id"] = json!(APPLICATION.to_string());
        message["type"] = json!(20);
        let metadata_of = |kind: u64| json!({"id": id.to_string(), "type": kind, "user": state.user(user), "authorizing_integration_owners": owners});
        let mut metadata = metadata_of(kind);
        if kind == 3 {
            metadata["interacted_message_id"] = json!(id.to_string());
        }
        if kind == 5 {
            metadata["triggering_interaction_metadata"] = metadata_of(2);
        }
        message["interaction_metadata"] = metadata;
        message
    }

    fn edited(&self, state: &mut State, mut message: Value, change: &Value, interaction: Option<u64>) -> Value {
        let channel = number(&message["channel_id"]);
        let fresh = state.make_message(channel, BOT, change, self.files);
        for key in ["content", "embeds", "components"] {
            if change.get(key).is_some() {
                message[key] = fresh[key].clone();
            }
        }
        if change.get("attachments").is_some() || !self.files.is_empty() {
            message["attachments"] = fresh["attachments"].clone();
        }
        message["edited_timestamp"] = json!("2026-01-01T00:00:01+00:00");
        state.replace(message.clone(), interaction);
        message
    }

    fn by_token<'s>(&self, state: &'s mut State, token: &str) -> Result<&'s mut Interaction, Answer> {
        let now = state.now();
        let interaction = state.interactions.values_mut().find(|interaction| interaction.token == token);
        let interaction = interaction.ok_or_else(|| refuse(404, 10015, "Unknown Webhook"))?;
        if now.saturating_duration_since(interaction.sent) > TOKEN_LIFE {
            return Err(refuse(401, 50027, "Invalid Webhook Token"));
        }
        if interaction.answered.is_none() {
            return Err(refuse(404, 10015, "Unknown Webhook"));
        }
        Ok(interaction)
    }

    fn follow_up(&self, state: &mut State, token: &str) -> Outcome {
        check::message(self.body, self.files, true).verdict()?;
        let interaction = self.by_token(state, token)?;
        let (id, channel) = (interaction.id, interaction.channel);
        if interaction.answered == Some(5) && interaction.original.is_none() {
            return self.fill_deferred(state, id);
        }
        interaction.follow_ups += 1;
        let count = interaction.follow_ups;
        let channel = state.channels.get(&channel).cloned().ok_or_else(|| refuse(404, 10003, "Unknown Channel"))?;
        if !channel.has_bot() && count > USER_INSTALL_FOLLOW_UPS {
            return Err(refuse(400, 40094, "Follow-up messages are limited for user-installed apps"));
        }
        let message = self.interaction_message(state, id, self.body);
        state.post(message.clone(), Some(id));
        ok(message)
    }

    /// The first message after a deferral takes its place; whether it is ephemeral was settled then.
    fn fill_deferred(&self, state: &mut State, id: u64) -> Outcome {
        let mut message = self.interaction_message(state, id, self.body);
        let flags = if state.interactions[&id].is_ephemeral { EPHEMERAL } else { 0 };
        message["flags"] = json!(flags);
        state.post(message.clone(), Some(id));
        state.interactions.get_mut(&id).expect("it was found by its token").original = Some(message.clone());
        ok(message)
    }

    /// `@original`, or a follow-up by its id.
    fn answered_message(&self, state: &mut State, token: &str, name: &str) -> Outcome {
        let interaction = self.by_token(state, token)?;
        let (id, channel, original) = (interaction.id, interaction.channel, interaction.original.clone());
        let is_deferred = interaction.answered == Some(5) && original.is_none();
        let message = match name {
            "@original" if is_deferred && self.method == "PATCH" => {
                check::message(self.body, self.files, true).verdict()?;
                return self.fill_deferred(state, id);
            }
            "@original" if is_deferred && self.method == "DELETE" => {
                // Nothing was shown yet; what follows stands on its own.
                state.interactions.get_mut(&id).expect("it was found by its token").original = Some(Value::Null);
                return NOTHING;
            }
            "@original" => original.filter(|message| !message.is_null()),
            _ => state.channels[&channel].messages.get(&name.parse().unwrap_or(0)).cloned(),
        };
        let message = message.ok_or_else(|| refuse(404, 10008, "Unknown Message"))?;
        match self.method {
            "GET" => ok(message),
            "PATCH" => {
                check::message(self.body, self.files, false).verdict()?;
                let message = self.edited(state, message, self.body, Some(id));
                if name == "@original" {
                    state.interactions.get_mut(&id).expect("it was found by its token").original =
                        Some(message.clone());
                }
                ok(message)
            }
            "DELETE" => {
                if !state.remove(channel, number(&message["id"]), Some(id)) && !is_ephemeral(&message) {
                    return Err(refuse(404, 10008, "Unknown Message"));
                }
                NOTHING
            }
            _ => Err(refuse(405, 0, "405: Method Not Allowed")),
        }
    }

    fn history(&self, state: &State, channel: u64) -> Outcome {
        let channel = reachable(state, channel)?;
        if channel.kind != DM {
            may(&channel, permission::READ_MESSAGE_HISTORY)?;
        }
        let asked =
            |key: &str| self.query.split('&').find_map(|pair| pair.strip_prefix(key)?.strip_prefix('=')?.parse().ok());
        let limit = asked("limit").unwrap_or(50);
        if !(1..=100).contains(&limit) {
            return Err(Answer(400, json!({"code": 50035, "message": "Invalid Form Body"})));
        }
        let before = asked("before").unwrap_or(u64::MAX);
        let intents = state.sessions.last().map_or(0, |session| session.intents);
        let newest = channel.messages.range(..before).rev().take(limit as usize);
        ok(newest.map(|(_, message)| as_bot_sees(message, &channel, intents)).collect())
    }

    fn create_message(&self, state: &mut State, channel: u64) -> Outcome {
        let channel = reachable(state, channel)?;
        if channel.kind != DM {
            let send =
                if channel.is_thread() { permission::SEND_MESSAGES_IN_THREADS } else { permission::SEND_MESSAGES };
            may(&channel, send)?;
            if !self.body["embeds"].as_array().is_none_or(Vec::is_empty) {
                may(&channel, permission::EMBED_LINKS)?;
            }
            if !self.files.is_empty() {
                may(&channel, permission::ATTACH_FILES)?;
            }
        }
        check::message(self.body, self.files, true).verdict()?;
        if self.body["flags"].as_u64().unwrap_or(0) & EPHEMERAL != 0 {
            return Err(Answer(400, json!({"code": 50035, "message": "Invalid Form Body"})));
        }
        let nonce = self.body["nonce"].clone();
        if self.body["enforce_nonce"] == true
            && let Some(sent) = channel.messages.values().find(|message| message["nonce"] == nonce)
        {
            return ok(sent.clone());
        }
        let mut message = state.make_message(channel.id, BOT, self.body, self.files);
        message["nonce"] = nonce;
        let reference = &self.body["message_reference"];
        if reference.is_object() {
            may(&channel, if channel.kind == DM { 0 } else { permission::READ_MESSAGE_HISTORY })?;
            if !channel.messages.contains_key(&number(&reference["message_id"]))
                && reference["fail_if_not_exists"] != false
            {
                return Err(Answer(
                    400,
                    json!({
                        "code": 50035, "message": "Invalid Form Body",
                        "errors": {"message_reference": {"_errors": [{"code": "REPLIES_UNKNOWN_MESSAGE", "message": "Unknown message"}]}},
                    }),
                ));
            }
            message["type"] = json!(19);
            message["message_reference"] =
                json!({"message_id": reference["message_id"], "channel_id": channel.id.to_string(), "type": 0});
        }
        state.post(message.clone(), None);
        ok(message)
    }

    fn message(&self, state: &mut State, channel: u64, message: u64) -> Outcome {
        let channel = reachable(state, channel)?;
        let found = channel.messages.get(&message).cloned().ok_or_else(|| refuse(404, 10008, "Unknown Message"))?;
        let is_mine = number(&found["author"]["id"]) == BOT;
        match self.method {
            "GET" => {
                let intents = state.sessions.last().map_or(0, |session| session.intents);
                ok(as_bot_sees(&found, &channel, intents))
            }
            "PATCH" if is_mine => {
                check::message(self.body, self.files, false).verdict()?;
                ok(self.edited(state, found, self.body, None))
            }
            "PATCH" => Err(refuse(403, 50005, "Cannot edit a message authored by another user")),
            "DELETE" => {
                if !is_mine {
                    may(&channel, permission::MANAGE_MESSAGES)?;
                }
                state.remove(channel.id, message, None);
                NOTHING
            }
            _ => Err(refuse(405, 0, "405: Method Not Allowed")),
        }
    }

    fn create_thread(&self, state: &mut State, channel: u64, message: u64) -> Outcome {
        let parent = reachable(state, channel)?;
        if parent.kind == DM || parent.is_thread() {
            return Err(refuse(400, 50024, "Cannot execute action on this channel type"));
        }
        may(&parent, permission::CREATE_PUBLIC_THREADS)?;
        check::thread(self.body).verdict()?;
        if !parent.messages.contains_key(&message) {
            return Err(refuse(404, 10008, "Unknown Message"));
        }
        if state.channels.contains_key(&message) {
            return Err(refuse(400, 160_004, "A thread has already been created for this message"));
        }
        let thread = Channel {
            id: message,
            kind: PUBLIC_THREAD,
            name: self.body["name"].as_str().unwrap_or_default().to_owned(),
            parent: Some(parent.id),
            owner: BOT,
            messages: Arc::default(),
            ..parent
        };
        let object = thread.object();
        state.channels.insert(message, thread);
        let mut told = object.clone();
        told["newly_created"] = json!(true);
        state.dispatch("THREAD_CREATE", intent::GUILDS, &told);
        Ok(Answer(201, object))
    }
}

fn id(text: &str) -> u64 {
    text.parse().unwrap_or(0)
}

/// The channel, where the bot may look at it at all.
fn reachable(state: &State, channel: u64) -> Result<Channel, Answer> {
    let channel = state.channels.get(&channel).cloned().ok_or_else(|| refuse(404, 10003, "Unknown Channel"))?;
    if !channel.has_bot() {
        return Err(refuse(403, 50001, "Missing Access"));
    }
    Ok(channel)
}

fn may(channel: &Channel, needed: u64) -> Result<(), Answer> {
    if channel.bot_permissions & needed == needed {
        return Ok(());
    }
    Err(refuse(403, 50013, "Missing Permissions"))
}

#[cfg(test)]
mod tests {
    use super::super::world::{Rules, User, World};
    use super::*;

    /// A world with one person and one registered command.
    struct Table {
        world: World,
        ann: u64,
    }

    impl Table {
        fn new() -> Self {
            let world = World::new(Rules::default(), "http://127.0.0.1:1".into(), None);
            let ann = world.lock().id();
            world.lock().users.insert(ann, User { name: "Ann".into(), locale: "en-US".into(), is_moderator: false });
            Self { world, ann }
        }
        fn call(&self, method: &str, path: &str, body: Value) -> (u16, Value) {
            let mut headers = HeaderMap::new();
            headers.insert(header::AUTHORIZATION, header::HeaderValue::from_static("Bot sandbox"));
            let call = Call { method, query: "", body: &body, files: &[], base: "" };
            let steps: Vec<&str> = path.split('/').collect();
            let Answer(status, body) =
                call.route(&mut self.world.lock(), &steps, &headers).unwrap_or_else(|refused| refused);
            (status, body)
        }
        /// An interaction in a channel: the paths of its callback and of its webhook.
        fn interact(&self, channel: u64) -> (String, String) {
            let mut state = self.world.lock();
            let id = state.interact(2, self.ann, channel, json!({}), None);
            let token = state.interactions[&id].token.clone();
            (format!("interactions/{id}/{token}/callback"), format!("webhooks/{APPLICATION}/{token}"))
        }
    }

    fn hello() -> Value {
        json!({"type": 4, "data": {"content": "hello"}})
    }

    #[test]
    fn an_interaction_has_one_callback_within_three_seconds() {
        let table = Table::new();
        let (callback, _) = table.interact(table.world.general());
        assert_eq!(table.call("POST", &callback, hello()).0, 204);
        let (status, body) = table.call("POST", &callback, hello());
        assert_eq!((status, &body["code"]), (400, &json!(40060)));
        let (late, _) = table.interact(table.world.general());
        table.world.lock().ahead += Duration::from_millis(3001);
        let (status, body) = table.call("POST", &late, hello());
        assert_eq!((status, &body["code"]), (404, &json!(10062)));
        assert_eq!(table.call("POST", &late.replace("token", "tokem"), hello()).1["code"], 10062);
    }

    #[test]
    fn a_token_lives_for_fifteen_minutes() {
        let table = Table::new();
        let (callback, webhook) = table.interact(table.world.general());
        let message = json!({"content": "more"});
        assert_eq!(table.call("POST", &webhook, message.clone()).1["code"], 10015, "before the callback");
        table.call("POST", &callback, hello());
        assert_eq!(table.call("POST", &webhook, message.clone()).0, 200);
        table.world.lock().ahead += TOKEN_LIFE + Duration::from_secs(1);
        let (status, body) = table.call("POST", &webhook, message);
        assert_eq!((status, &body["code"]), (401, &json!(50027)));
    }

    #[test]
    fn the_first_message_after_a_deferral_takes_its_place_and_its_secrecy() {
        let table = Table::new();
        let (callback, webhook) = table.interact(table.world.general());
        table.call("POST", &callback, json!({"type": 5, "data": {"flags": 64}}));
        let (_, first) = table.call("POST", &webhook, json!({"content": "done"}));
        assert_eq!(first["flags"], 64, "settled by the deferral");
        let (_, original) = table.call("GET", &format!("{webhook}/messages/@original"), Value::Null);
        assert_eq!(original["id"], first["id"]);
    }

    #[test]
    fn brought_along_a_bot_reaches_no_channel_and_has_five_follow_ups() {
        let table = Table::new();
        let elsewhere = table.world.elsewhere();
        let (callback, webhook) = table.interact(elsewhere);
        table.call("POST", &callback, hello());
        for _ in 0..5 {
            assert_eq!(table.call("POST", &webhook, json!({"content": "more"})).0, 200);
        }
        assert_eq!(table.call("POST", &webhook, json!({"content": "more"})).1["code"], 40094);
        for path in [format!("channels/{elsewhere}"), format!("channels/{elsewhere}/messages")] {
            assert_eq!(table.call("GET", &path, Value::Null).0, 403, "{path}");
        }
    }

    #[test]
    fn what_is_not_permitted_is_code_50013() {
        let table = Table::new();
        let channel = table.world.general();
        let embed = json!({"embeds": [{"title": "x"}]});
        let path = format!("channels/{channel}/messages");
        let (status, sent) = table.call("POST", &path, embed.clone());
        assert_eq!(status, 200);
        let threads = format!("{path}/{}/threads", sent["id"].as_str().unwrap());
        let deny =
            |permissions: u64| table.world.lock().channels.get_mut(&channel).unwrap().bot_permissions &= !permissions;
        deny(permission::EMBED_LINKS);
        assert_eq!(table.call("POST", &path, embed).1["code"], 50013);
        deny(permission::CREATE_PUBLIC_THREADS);
        assert_eq!(table.call("POST", &threads, json!({"name": "x"})).1["code"], 50013);
        deny(permission::SEND_MESSAGES);
        assert_eq!(table.call("POST", &path, json!({"content": "x"})).1["code"], 50013);
    }

    #[test]
    fn a_message_has_one_thread_and_a_reply_needs_its_message() {
        let table = Table::new();
        let path = format!("channels/{}/messages", table.world.general());
        let (_, sent) = table.call("POST", &path, json!({"content": "x"}));
        let threads = format!("{path}/{}/threads", sent["id"].as_str().unwrap());
        assert_eq!(table.call("POST", &threads, json!({"name": "talk"})).0, 201);
        assert_eq!(table.call("POST", &threads, json!({"name": "talk"})).1["code"], 160_004);
        let lost = json!({"content": "x", "message_reference": {"message_id": "123"}});
        assert_eq!(table.call("POST", &path, lost).0, 400);
    }

    #[test]
    fn one_nonce_is_one_message() {
        let table = Table::new();
        let path = format!("channels/{}/messages", table.world.general());
        let body = json!({"content": "x", "nonce": "7", "enforce_nonce": true});
        let (first, second) = (table.call("POST", &path, body.clone()).1, table.call("POST", &path, body).1);
        assert_eq!(first["id"], second["id"]);
    }

    #[test]
    fn content_is_blank_unless_addressed() {
        let table = Table::new();
        let (mut state, ann) = (table.world.lock(), table.ann);
        let channel = state.channels[&table.world.general()].clone();
        let mut seen = |content: &str, intents: u64| {
            let message = state.make_message(channel.id, ann, &json!({"content": content}), &[]);
            as_bot_sees(&message, &channel, intents)["content"].as_str().unwrap().to_owned()
        };
        let mention = format!("<@{BOT}> seq 8192");
        assert_eq!(seen("seq 8192", intent::GUILD_MESSAGES), "");
        assert_eq!(seen(&mention, intent::GUILD_MESSAGES), mention);
        assert_eq!(seen("seq 8192", intent::MESSAGE_CONTENT), "seq 8192");
    }

    #[test]
    fn other_routes_and_other_tokens_are_refused() {
        let table = Table::new();
        assert_eq!(table.call("GET", "guilds/1/bans", Value::Null).0, 404);
        let call = Call { method: "GET", query: "", body: &Value::Null, files: &[], base: "" };
        let refused = call.route(&mut table.world.lock(), &["gateway", "bot"], &HeaderMap::new());
        assert!(matches!(refused, Err(Answer(401, _))));
    }
}
