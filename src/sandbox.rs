//! A strict Discord on loopback: what the end-to-end tests and the playground run the real bot against.
//!
//! Written from Discord's documents, not from what the bot sends. It checks each body against the
//! documented shapes and limits, blanks what a bot without the privileged intent does not see, lets
//! interactions expire, knows permissions, reconnects and rate limits, and logs every request.
//! A [`Person`] drives it and gets back what a person would see.

mod check;
mod gateway;
mod http;
mod person;
mod rest;
mod shown;
mod world;

pub use person::{Person, Silence};
pub use shown::Shown;
pub use world::{Fault, Rules, permission};

use axum::extract::{State, WebSocketUpgrade};
use axum::routing::get;
use axum::serve::ListenerExt;
use gateway::Frame;
use std::fs::File;
use std::net::Ipv4Addr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use world::{Planned, User, World};

/// A running sandbox; it stops when dropped.
pub struct Sandbox {
    world: Arc<World>,
    server: tokio::task::JoinHandle<()>,
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        self.server.abort();
    }
}

impl Sandbox {
    /// Listens on a free port of 127.0.0.1, logging requests to a file where one is given.
    pub async fn start(rules: Rules, log: Option<&Path>) -> std::io::Result<Self> {
        let log = match log {
            Some(path) => Some(File::options().create(true).append(true).open(path)?),
            None => None,
        };
        let listener = tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let base = format!("http://{}", listener.local_addr()?);
        // Else each small frame waits for the acknowledgement of the one before. Without it all still works.
        let listener = listener.tap_io(|stream| drop(stream.set_nodelay(true)));
        let world = Arc::new(World::new(rules, base, log));
        let app = axum::Router::new()
            .route("/gateway-socket/", get(upgrade))
            .route("/gateway-socket", get(upgrade))
            .fallback(http::handle)
            .layer(axum::extract::DefaultBodyLimit::disable())
            .with_state(world.clone());
        let server = tokio::spawn(async move {
            if let Err(error) = axum::serve(listener, app).await {
                tracing::error!(%error, "the sandbox stopped");
            }
        });
        Ok(Self { world, server })
    }

    /// What `DISCORD_API_BASE` must be.
    pub fn base(&self) -> &str {
        &self.world.base
    }

    /// Somebody new, standing in the channel that has the bot.
    pub fn person(&self, name: &str, locale: &str) -> Person {
        let user = User { name: name.into(), locale: locale.into(), is_moderator: false };
        let mut state = self.world.lock();
        let id = state.id();
        state.users.insert(id, user);
        Person { world: self.world.clone(), id, channel: self.world.general() }
    }
    pub fn moderator(&self, name: &str, locale: &str) -> Person {
        let person = self.person(name, locale);
        self.world.lock().users.get_mut(&person.id).expect("made above").is_moderator = true;
        person
    }

    /// The bot's user id.
    pub fn bot(&self) -> u64 {
        world::BOT
    }
    pub fn general(&self) -> u64 {
        self.world.general()
    }
    /// A channel of a guild that the bot was not added to.
    pub fn elsewhere(&self) -> u64 {
        self.world.elsewhere()
    }
    /// The person's direct messages with the bot.
    pub fn direct(&self, person: &Person) -> u64 {
        self.world.lock().open(world::DM, None, person.id)
    }
    /// A conversation of several people, where the bot comes along with whoever added it.
    pub fn group(&self, person: &Person) -> u64 {
        self.world.lock().open(world::GROUP, None, person.id)
    }
    /// A post in a forum of the guild that has the bot.
    pub fn forum_post(&self, person: &Person) -> u64 {
        let mut state = self.world.lock();
        let forum = state.open(world::FORUM, None, 0);
        state.open(world::PUBLIC_THREAD, Some(forum), person.id)
    }
    /// A private thread that the bot was invited to.
    pub fn private_thread(&self, person: &Person) -> u64 {
        let general = self.world.general();
        self.world.lock().open(world::PRIVATE_THREAD, Some(general), person.id)
    }
    /// The thread that was opened last.
    pub fn newest_thread(&self) -> Option<u64> {
        self.world.lock().channels.values().filter(|channel| channel.is_thread()).map(|channel| channel.id).next_back()
    }
    /// Takes permissions from the bot in a channel, and so in the threads that are opened on it later.
    pub fn deny(&self, channel: u64, permissions: u64) {
        if let Some(channel) = self.world.lock().channels.get_mut(&channel) {
            channel.bot_permissions &= !permissions;
        }
    }

    /// The next `times` requests whose path contains `on` meet `fault`.
    pub fn plan(&self, on: &str, fault: Fault, times: u32) {
        self.world.lock().faults.push(Planned { on: on.into(), fault, times });
    }
    /// Whether all planned faults have happened.
    pub async fn faults_met(&self, patience: Duration) -> bool {
        self.world
            .until(patience, |state| state.faults.iter().all(|plan| plan.times == 0).then_some(()))
            .await
            .is_some()
    }
    /// Puts the clock forward: interactions and their tokens grow old.
    pub fn pass(&self, time: Duration) {
        self.world.lock().ahead += time;
    }

    /// The registered commands' names, once there are any.
    pub async fn registered(&self, patience: Duration) -> Option<Vec<String>> {
        let names = |state: &world::State| {
            let names = state.commands.iter().filter_map(|command| command["name"].as_str().map(str::to_owned));
            Some(names.collect::<Vec<_>>()).filter(|names| !names.is_empty())
        };
        let ready = |state: &world::State| state.sessions.iter().any(gateway::Session::is_connected);
        self.world.until(patience, |state| names(state).filter(|_| ready(state))).await
    }
    /// Forgets the registration, as before a restart of the bot.
    pub fn forget_commands(&self) {
        self.world.lock().commands.clear();
    }
    /// Waits until the bot has identified at least `times` times.
    pub async fn identified(&self, times: u32, patience: Duration) -> bool {
        self.world.until(patience, |state| (state.identifies >= times).then_some(())).await.is_some()
    }

    /// Waits until the bot is connected.
    pub async fn connected(&self, patience: Duration) -> bool {
        let is_up = |state: &world::State| state.sessions.iter().any(gateway::Session::is_connected).then_some(());
        self.world.until(patience, is_up).await.is_some()
    }
    /// Waits until the bot has tried to resume a session.
    pub async fn resumed(&self, patience: Duration) -> bool {
        self.world.until(patience, |state| (state.resumes > 0).then_some(())).await.is_some()
    }
    /// The bytes behind a URL that a message showed.
    pub fn file(&self, url: &str) -> Option<Vec<u8>> {
        self.world.lock().files.get(url.strip_prefix(self.base())?).cloned()
    }

    /// The socket stays open and nothing comes through it any more.
    pub fn fall_silent(&self) {
        self.world.lock().is_silent = true;
    }
    /// All events come once more, as after a resume that lost its place.
    pub fn tell_again(&self) {
        self.world.lock().sessions.iter_mut().for_each(gateway::Session::tell_again);
    }
    /// Op 7: the bot is told to reconnect and to resume.
    pub fn ask_to_reconnect(&self) {
        self.push(|| Frame::Send(serde_json::json!({"op": 7, "d": null})));
    }
    /// Op 9: the session is gone; the bot must identify anew.
    pub fn invalidate_session(&self) {
        self.push(|| Frame::Send(serde_json::json!({"op": 9, "d": false})));
    }
    /// The connection breaks.
    pub fn drop_socket(&self) {
        self.push(|| Frame::Vanish);
    }
    fn push(&self, frame: impl Fn() -> Frame) {
        for session in &self.world.lock().sessions {
            session.push(frame());
        }
    }
}

async fn upgrade(State(world): State<Arc<World>>, socket: WebSocketUpgrade) -> axum::response::Response {
    socket.on_upgrade(|socket| gateway::serve(world, socket))
}
