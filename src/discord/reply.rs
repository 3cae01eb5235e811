//! Ways out: a view or a sentence to Discord's JSON, sent until it arrives or its time is up.

use super::Bot;
use super::place::Place;
use crate::message::Problem;
use crate::text::Locale;
use crate::view::{Action, View, embed, report};
use poise::serenity_prelude as serenity;
use serde_json::{Value, json};
use serenity::http::{Http, HttpError};
use serenity::{ChannelId, CreateAttachment, InteractionId, Message, MessageId};
use std::time::Duration;
use tokio::sync::Semaphore;
use tokio::time::Instant;

pub(super) const EPHEMERAL: u64 = 1 << 6;
/// Room within Discord's 3 s for the way to us and back.
const FIRST_ANSWER: Duration = Duration::from_millis(2500);
/// Requests under way at once: with more, connections wait for each other and some for seconds.
static LINES: Semaphore = Semaphore::const_new(64);
/// For everything that is not bound by the 3 s.
pub(super) const LATER: Duration = Duration::from_secs(20);

/// Kinds of interaction callbacks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Callback {
    Message,
    /// "thinking…", to be filled in by an edit.
    Defer,
    /// The same for the asker's eyes only.
    DeferPrivate,
    /// The press was noticed; nothing changes yet.
    Noticed,
    Update,
    Choices,
    Modal,
}

impl Callback {
    const fn number(self) -> u8 {
        match self {
            Callback::Message => 4,
            Callback::Defer | Callback::DeferPrivate => 5,
            Callback::Noticed => 6,
            Callback::Update => 7,
            Callback::Choices => 8,
            Callback::Modal => 9,
        }
    }
}

/// A message on its way out.
#[derive(Clone, Debug)]
pub(super) struct Reply {
    pub body: Value,
    files: Vec<CreateAttachment>,
}

impl Reply {
    pub fn text(words: &str) -> Self {
        let body = json!({"content": words, "allowed_mentions": {"parse": []}});
        Self { body, files: Vec::new() }
    }
    /// A user's mistake: what was wrong, and what to type instead.
    pub fn problem(locale: Locale, problem: &Problem) -> Self {
        Self::raw(embed::message(&report::problem(locale, problem), false))
    }
    /// Something that is no message.
    pub fn raw(body: Value) -> Self {
        Self { body, files: Vec::new() }
    }
    /// With words above it.
    pub fn saying(mut self, words: &str) -> Self {
        self.body["content"] = json!(words);
        self
    }
    /// The same without its picture, where it has one.
    pub fn without_picture(mut self) -> Option<Self> {
        if self.files.is_empty() {
            return None;
        }
        self.files.clear();
        if let Some(message) = self.body.as_object_mut() {
            message.remove("attachments");
        }
        if let Some(embed) = self.body["embeds"][0].as_object_mut() {
            embed.remove("image");
        }
        Some(self)
    }
    pub fn ephemeral(mut self) -> Self {
        self.body["flags"] = json!(EPHEMERAL);
        self
    }
    fn is_ephemeral(&self) -> bool {
        self.body["flags"] == EPHEMERAL
    }
    /// As a reply to a message.
    pub fn to(mut self, message: MessageId) -> Self {
        self.body["message_reference"] = json!({"message_id": message.to_string(), "fail_if_not_exists": false});
        self
    }
}

/// Why something could not be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    /// Codes 50001 and 50013: the bot may not do that there.
    Forbidden,
    /// Anything else; it is logged.
    Failed,
}

impl Bot {
    /// Draws a view for where it will stand, with its picture where there is time for one.
    pub(super) async fn draw(&self, mut view: View, place: &Place) -> Reply {
        place.fit(&mut view);
        let png = match &view.chart {
            Some(chart) if place.may_attach => self.pictures.draw(chart).await,
            _ => None,
        };
        let files = png.map(|png| CreateAttachment::bytes(&*png, embed::CHART_FILE));
        Reply { body: embed::message(&view, files.is_some()), files: files.into_iter().collect() }
    }
}

/// The one callback of an interaction.
pub(super) async fn answer(
    http: &Http,
    interaction: (InteractionId, &str),
    kind: Callback,
    reply: &Reply,
) -> Result<(), Refusal> {
    let (id, token) = interaction;
    let body = match &reply.body {
        Value::Null => json!({"type": kind.number()}),
        data => json!({"type": kind.number(), "data": data}),
    };
    let sent =
        insist("callback", FIRST_ANSWER, || http.create_interaction_response(id, token, &body, reply.files.clone()))
            .await;
    match sent {
        Err(Sent::Acknowledged) => Ok(()),
        sent => sent.map_err(Sent::refusal),
    }
}

/// A callback without a message.
pub(super) async fn notice(http: &Http, interaction: (InteractionId, &str), kind: Callback) -> Result<(), Refusal> {
    let body = if kind == Callback::DeferPrivate { json!({"flags": EPHEMERAL}) } else { Value::Null };
    answer(http, interaction, kind, &Reply::raw(body)).await
}

pub(super) async fn edit_original(http: &Http, token: &str, reply: &Reply) -> Result<(), Refusal> {
    let mut body = reply.body.clone();
    // Who sees it was settled by the callback.
    if let Some(message) = body.as_object_mut() {
        message.remove("flags");
    }
    let edit = || http.edit_original_interaction_response(token, &body, reply.files.clone());
    insist("edit", LATER, edit).await.map(drop).map_err(Sent::refusal)
}

/// What was announced with `late`. A problem is for the asker's eyes, whatever everybody saw announced.
pub(super) async fn fill_in(http: &Http, token: &str, late: Callback, reply: &Reply) -> Result<(), Refusal> {
    if late == Callback::Defer && reply.is_ephemeral() && http.delete_original_interaction_response(token).await.is_ok()
    {
        return follow_up(http, token, reply).await;
    }
    edit_original(http, token, reply).await
}

pub(super) async fn follow_up(http: &Http, token: &str, reply: &Reply) -> Result<(), Refusal> {
    let send = || http.create_followup_message(token, &reply.body, reply.files.clone());
    insist("follow-up", LATER, send).await.map(drop).map_err(Sent::refusal)
}

/// A regular message: replies to it carry their text.
pub(super) async fn post(http: &Http, channel: ChannelId, reply: &Reply) -> Result<Message, Refusal> {
    let mut body = reply.body.clone();
    // Sent twice after a lost answer it still appears once.
    body["nonce"] = json!(nonce());
    body["enforce_nonce"] = json!(true);
    insist("message", LATER, || http.send_message(channel, reply.files.clone(), &body)).await.map_err(Sent::refusal)
}

/// Different for each message of this process, and hardly ever that of another.
fn nonce() -> String {
    use std::sync::atomic::{AtomicU64, Ordering};
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    format!("{:x}-{:x}", now.as_micros() as u64, NEXT.fetch_add(1, Ordering::Relaxed))
}

/// How an attempt ended that was not a success.
pub(super) enum Sent {
    /// An earlier attempt had arrived after all.
    Acknowledged,
    Forbidden,
    Failed,
}

impl Sent {
    fn refusal(self) -> Refusal {
        match self {
            Sent::Forbidden => Refusal::Forbidden,
            Sent::Acknowledged | Sent::Failed => Refusal::Failed,
        }
    }
}

/// Tries again while Discord is busy or unreachable, until the time is up.
pub(super) async fn insist<T, F>(what: &str, within: Duration, call: impl Fn() -> F) -> Result<T, Sent>
where
    F: Future<Output = serenity::Result<T>>,
{
    let deadline = Instant::now() + within;
    let mut pause = Duration::from_millis(50);
    loop {
        let attempt = async {
            let _line = LINES.acquire().await;
            call().await
        };
        let error = match tokio::time::timeout_at(deadline, attempt).await {
            Ok(Ok(done)) => return Ok(done),
            Ok(Err(error)) => error,
            Err(_) => {
                tracing::error!(what, "Discord did not answer in time");
                return Err(Sent::Failed);
            }
        };
        let refused = refusal_of(&error);
        match refused {
            Some((_, 40060)) => return Err(Sent::Acknowledged),
            Some((403, code)) => {
                tracing::warn!(what, code, "not permitted");
                return Err(Sent::Forbidden);
            }
            Some((status, code)) if status != 429 && status < 500 => {
                tracing::error!(what, status, code, "Discord refused");
                return Err(Sent::Failed);
            }
            _ if Instant::now() + pause >= deadline => {
                tracing::error!(what, status = refused.map(|(status, _)| status), "Discord could not be reached");
                return Err(Sent::Failed);
            }
            _ => tokio::time::sleep(pause).await,
        }
        pause = (pause * 2).min(Duration::from_secs(2));
    }
}

/// Status and Discord's code. Never the error's own text: it may hold an interaction's token.
pub(super) fn refusal_of(error: &serenity::Error) -> Option<(u16, isize)> {
    match error {
        serenity::Error::Http(HttpError::UnsuccessfulRequest(response)) => {
            Some((response.status_code.as_u16(), response.error.code))
        }
        _ => None,
    }
}

/// Whether a view offers this.
pub(super) fn offers(view: &View, action: &Action) -> bool {
    view.buttons.iter().any(|button| button.action == *action)
}
