//! The gateway: hello, identify, heartbeats, dispatches in order, resume.

use super::world::{APPLICATION, World, intent};
use axum::extract::ws::{CloseFrame, Message, WebSocket};
use serde_json::{Value, json};
use std::sync::Arc;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

const AUTHENTICATION_FAILED: u16 = 4004;
const INVALID_INTENTS: u16 = 4013;
const DISALLOWED_INTENTS: u16 = 4014;

/// One identified connection, kept after it closes so that it can be resumed.
pub(super) struct Session {
    pub id: String,
    pub intents: u64,
    /// Everything dispatched so far; an event's number is its place, counted from one.
    sent: Vec<Value>,
    line: UnboundedSender<Frame>,
}

pub(super) enum Frame {
    Send(Value),
    Close(u16, &'static str),
    /// The TCP connection goes away without a word.
    Vanish,
}

impl Session {
    pub fn dispatch(&mut self, event: &str, data: Value) {
        self.sent.push(json!({"op": 0, "t": event, "s": self.sent.len() + 1, "d": data}));
        self.push(Frame::Send(self.sent[self.sent.len() - 1].clone()));
    }
    /// Tells everything since the start a second time.
    pub fn tell_again(&mut self) {
        for told in self.sent.clone() {
            if let Some(event) = told["t"].as_str().filter(|event| *event != "READY") {
                self.dispatch(event, told["d"].clone());
            }
        }
    }
    /// Sends to the connection, if it still stands.
    pub fn push(&self, frame: Frame) {
        let _ = self.line.send(frame);
    }
    pub fn is_connected(&self) -> bool {
        !self.line.is_closed()
    }
}

/// Serves one websocket until it closes.
pub(super) async fn serve(world: Arc<World>, mut socket: WebSocket) {
    let (line, mut frames) = unbounded_channel();
    let interval = world.lock().rules.heartbeat.as_millis() as u64;
    let hello = json!({"op": 10, "d": {"heartbeat_interval": interval, "_trace": []}});
    let _ = line.send(Frame::Send(hello));
    loop {
        tokio::select! {
            frame = frames.recv() => {
                if !forward(&mut socket, frame).await {
                    return close(&mut frames);
                }
            }
            received = socket.recv() => {
                let Some(Ok(message)) = received else { return close(&mut frames) };
                let Message::Text(text) = message else { continue };
                match serde_json::from_str::<Value>(&text) {
                    Ok(payload) => hear(&world, &line, &payload),
                    Err(_) => { let _ = line.send(Frame::Close(4002, "Error while decoding payload.")); }
                }
            }
        }
    }
}

/// What was queued for this connection stays in the session for a resume.
fn close(frames: &mut UnboundedReceiver<Frame>) {
    frames.close();
}

/// Whether the connection stands.
async fn forward(socket: &mut WebSocket, frame: Option<Frame>) -> bool {
    match frame {
        Some(Frame::Send(payload)) => socket.send(Message::Text(payload.to_string().into())).await.is_ok(),
        Some(Frame::Close(code, reason)) => {
            let _ = socket.send(Message::Close(Some(CloseFrame { code, reason: reason.into() }))).await;
            false
        }
        Some(Frame::Vanish) | None => false,
    }
}

fn hear(world: &World, line: &UnboundedSender<Frame>, payload: &Value) {
    let say = |frame| {
        let _ = line.send(frame);
    };
    let data = &payload["d"];
    match payload["op"].as_u64() {
        Some(1) if world.lock().is_silent => {}
        Some(1) => say(Frame::Send(json!({"op": 11}))),
        Some(2) => identify(world, line, data),
        Some(6) => resume(world, line, data),
        Some(3 | 4 | 8) => {}
        _ => say(Frame::Close(4001, "Unknown opcode.")),
    }
}

fn is_token(given: &Value, token: &str) -> bool {
    given.as_str().is_some_and(|given| given.trim_start_matches("Bot ") == token)
}

fn identify(world: &World, line: &UnboundedSender<Frame>, data: &Value) {
    let mut state = world.lock();
    state.identifies += 1;
    state.is_silent = false;
    let refuse = |code, reason| {
        let _ = line.send(Frame::Close(code, reason));
    };
    if !is_token(&data["token"], &state.rules.token) {
        return refuse(AUTHENTICATION_FAILED, "Authentication failed.");
    }
    let Some(intents) = data["intents"].as_u64().filter(|bits| *bits < 1 << 26) else {
        return refuse(INVALID_INTENTS, "Invalid intent(s).");
    };
    let allowed = if state.rules.message_content { intent::MESSAGE_CONTENT } else { 0 };
    if intents & intent::PRIVILEGED & !allowed != 0 {
        return refuse(DISALLOWED_INTENTS, "Disallowed intent(s).");
    }
    let id = format!("session-{}", state.id());
    let mut session = Session { id: id.clone(), intents, sent: Vec::new(), line: line.clone() };
    session.dispatch(
        "READY",
        json!({
            "v": 10, "user": state.bot(), "guilds": [state.guild_stub()], "session_id": id,
            "resume_gateway_url": format!("{}/gateway-socket", world.base.replace("http", "ws")),
            "shard": data["shard"].as_array().map_or(json!([0, 1]), |shard| json!(shard)),
            "application": {"id": APPLICATION.to_string(), "flags": 0},
        }),
    );
    if intents & intent::GUILDS != 0 {
        session.dispatch("GUILD_CREATE", state.guild());
    }
    state.sessions.push(session);
}

fn resume(world: &World, line: &UnboundedSender<Frame>, data: &Value) {
    let mut state = world.lock();
    state.resumes += 1;
    state.is_silent = false;
    let seq = data["seq"].as_u64().unwrap_or(0) as usize;
    let good_token = is_token(&data["token"], &state.rules.token);
    let known = state.sessions.iter_mut().find(|session| data["session_id"] == session.id.as_str());
    match known.filter(|session| good_token && seq <= session.sent.len()) {
        Some(session) => {
            session.line = line.clone();
            for missed in &session.sent[seq..] {
                session.push(Frame::Send(missed.clone()));
            }
            session.dispatch("RESUMED", json!({}));
        }
        None => {
            let _ = line.send(Frame::Send(json!({"op": 9, "d": false})));
        }
    }
}
