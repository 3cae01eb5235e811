//! Ways out: a view or a sentence to Discord's JSON, sent until it arrives or its time is up.

use super::Bot;
use super::place::Place;
use super::wire::{LATER, Refusal, insist};
use crate::message::Problem;
use crate::text::Locale;
use crate::view::{Action, View, embed, report};
use poise::serenity_prelude as serenity;
use serde_json::{Value, json};
use serenity::http::{Http, LightMethod, Multipart, MultipartUpload, Request, Route};
use serenity::{ChannelId, CreateAttachment, InteractionId, MessageId};
use std::time::Duration;

pub(super) const EPHEMERAL: u64 = 1 << 6;
/// Room within Discord's 3 s for the way to us and back.
const FIRST_ANSWER: Duration = Duration::from_millis(2500);

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
    /// The same without its picture.
    pub fn without_picture(&self) -> Self {
        let mut body = self.body.clone();
        if let Some(message) = body.as_object_mut() {
            message.remove("attachments");
        }
        if let Some(embed) = body.pointer_mut("/embeds/0").and_then(Value::as_object_mut) {
            embed.remove("image");
        }
        Self::raw(body)
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
    let route = Route::InteractionResponse { interaction_id: id, token };
    match send(http, "callback", FIRST_ANSWER, (LightMethod::Post, route), &body, &reply.files).await {
        // An earlier attempt had arrived after all.
        Err(Refusal::Rejected(40_060)) => Ok(()),
        sent => sent,
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
    send(http, "edit", LATER, (LightMethod::Patch, original(http, token)?), &body, &reply.files).await
}

/// Deletes the message that answers an interaction, or that was pressed.
pub(super) async fn delete_original(http: &Http, token: &str) -> Result<(), Refusal> {
    send(http, "deletion", LATER, (LightMethod::Delete, original(http, token)?), &Value::Null, &[]).await
}

fn original<'a>(http: &Http, token: &'a str) -> Result<Route<'a>, Refusal> {
    let application_id = http.application_id().ok_or(Refusal::Failed)?;
    Ok(Route::WebhookOriginalInteractionResponse { application_id, token })
}

/// What was announced with `late`. A problem is for the asker's eyes, whatever everybody saw announced.
pub(super) async fn fill_in(http: &Http, token: &str, late: Callback, reply: &Reply) -> Result<(), Refusal> {
    if late == Callback::Defer && reply.is_ephemeral() && delete_original(http, token).await.is_ok() {
        return follow_up(http, token, reply).await;
    }
    edit_original(http, token, reply).await
}

pub(super) async fn follow_up(http: &Http, token: &str, reply: &Reply) -> Result<(), Refusal> {
    let application_id = http.application_id().ok_or(Refusal::Failed)?;
    let route = Route::WebhookFollowupMessages { application_id, token };
    send(http, "follow-up", LATER, (LightMethod::Post, route), &reply.body, &reply.files).await
}

/// A regular message: replies to it carry their text.
pub(super) async fn post(http: &Http, channel: ChannelId, reply: &Reply) -> Result<(), Refusal> {
    let mut body = reply.body.clone();
    // Sent twice after a lost answer it still appears once.
    body["nonce"] = json!(nonce());
    body["enforce_nonce"] = json!(true);
    let route = Route::ChannelMessages { channel_id: channel };
    send(http, "message", LATER, (LightMethod::Post, route), &body, &reply.files).await
}

/// Opens a thread on a message; it has the message's id.
pub(super) async fn open_thread(http: &Http, channel: ChannelId, on: MessageId, name: &str) -> Result<(), Refusal> {
    let route = Route::ChannelMessageThreads { channel_id: channel, message_id: on };
    let body = json!({"name": name, "auto_archive_duration": 1440});
    send(http, "thread", LATER, (LightMethod::Post, route), &body, &[]).await
}

/// Sends until Discord has taken it. What Discord answers is not read: what was taken is never sent twice.
async fn send(
    http: &Http,
    what: &str,
    within: Duration,
    (method, route): (LightMethod, Route<'_>),
    body: &Value,
    files: &[CreateAttachment],
) -> Result<(), Refusal> {
    let request = || {
        let request = Request::new(route, method);
        match (body, files) {
            (Value::Null, _) => request,
            (body, []) => request.body(Some(body.to_string().into_bytes())),
            (body, files) => request.multipart(Some(Multipart {
                upload: MultipartUpload::Attachments(files.to_vec()),
                fields: Vec::new(),
                payload_json: Some(body.to_string()),
            })),
        }
    };
    insist(http, what, within, request).await.map(drop)
}

/// Different for each message of this process, and hardly ever that of another.
fn nonce() -> String {
    use std::sync::atomic::{AtomicU64, Ordering};
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    format!("{:x}-{:x}", now.as_micros() as u64, NEXT.fetch_add(1, Ordering::Relaxed))
}

/// Whether a view offers this.
pub(super) fn offers(view: &View, action: &Action) -> bool {
    view.buttons.iter().any(|button| button.action == *action)
}
