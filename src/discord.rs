//! The bot: Discord's events to lines, views to Discord's messages.
//!
//! A slash command, a press, a dialog, a reply and a mention all become a line that `app` answers;
//! what is answered lives in the message itself (its footer), so nothing is stored here and a restart
//! loses nothing. The latest answers and pictures are kept only to spare the work. Text of users and of errors
//! never reaches a log; an interaction's token neither.

mod config;
mod follow_up;
mod logs;
mod pictures;
mod place;
mod press;
mod question;
mod register;
mod reply;
mod slash;
mod unread;
mod visitors;
mod wire;

pub use config::{Config, Token};
pub use logs::start as log;

use crate::app::App;
use crate::latest::Latest;
use crate::message::Problem;
use crate::msg;
use crate::text::Locale;
use follow_up::Threads;
use pictures::Pictures;
use poise::serenity_prelude as serenity;
use question::{Question, Said};
use serenity::http::Ratelimit;
use serenity::{CreateAllowedMentions, FullEvent, GatewayError, GatewayIntents, HttpBuilder, Interaction, UserId};
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant, SystemTime};
use tokio::sync::Semaphore;
use tokio_util::task::TaskTracker;
use unread::Unread;
use visitors::Visitors;
use wire::refusal_of;

/// How long the answers that are under way may take after a signal to stop.
const DRAIN: Duration = Duration::from_secs(10);
/// How long Discord may be away when the bot starts.
const START: Duration = Duration::from_secs(20);
/// Answers kept: about a megabyte.
const SAID: usize = 64;
/// Events remembered.
const HEARD: usize = 1024;
/// Between looks for rate limits that have passed.
const SWEEP: Duration = Duration::from_secs(600);
/// Longest pause between attempts to register.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// What every handler shares.
pub(crate) struct Bot {
    app: &'static App,
    config: Config,
    /// Answers under way.
    tasks: TaskTracker,
    /// Of questions that are worked out at once.
    turns: Arc<Semaphore>,
    /// What was said to the latest questions.
    said: Latest<(Question, Locale), Said>,
    pictures: Pictures,
    visitors: Visitors,
    threads: Threads,
    /// The bot's own user, once Discord has told; an old application's has another id than the application.
    me: OnceLock<UserId>,
    /// Ids of the latest events, newest first: what a resumed connection tells again is not answered again.
    heard: Mutex<VecDeque<u64>>,
}

type Data = Arc<Bot>;
/// Handlers answer their user themselves; nothing is left to report.
type Never = std::convert::Infallible;

/// Runs the bot until `stop`, then lets what is under way finish.
pub async fn serve(
    config: Config,
    app: &'static App,
    stop: impl Future<Output = ()> + Send + 'static,
) -> Result<(), Problem> {
    let mut http = HttpBuilder::new(config.token.reveal()).default_allowed_mentions(CreateAllowedMentions::new());
    if let Some(base) = &config.api_base {
        // The library ignores the proxy while its own rate limiter is on.
        http = http.proxy(base).ratelimiter_disabled(true);
    }
    let mut intents = GatewayIntents::GUILDS | GatewayIntents::GUILD_MESSAGES | GatewayIntents::DIRECT_MESSAGES;
    if config.message_content {
        intents |= GatewayIntents::MESSAGE_CONTENT;
    }
    // One is left for the network.
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    let bot = Arc::new(Bot {
        app,
        config,
        tasks: TaskTracker::new(),
        turns: Arc::new(Semaphore::new(processors.saturating_sub(1).max(1))),
        said: Latest::new(SAID),
        pictures: Pictures::default(),
        visitors: Visitors::default(),
        threads: Threads::default(),
        me: OnceLock::new(),
        heard: Mutex::default(),
    });
    let http = http.build();
    tokio::pin!(stop);
    tokio::select! {
        there = wait_for_discord(&http) => there?,
        () = &mut stop => return Ok(()),
    }
    let mut client = serenity::ClientBuilder::new_with_http(http, intents)
        .framework(framework(bot.clone()))
        .raw_event_handler(Unread::new(bot.clone()))
        .await
        .map_err(|error| startup_problem(&error))?;
    let shards = client.shard_manager.clone();
    tokio::select! {
        () = sweep_rate_limits(client.http.clone()), if client.http.ratelimiter.is_some() => Ok(()),
        ended = client.start_autosharded() => ended.map_err(|error| startup_problem(&error)),
        () = &mut stop => {
            tracing::info!("stopping");
            bot.drain().await;
            shards.shutdown_all().await;
            // What arrived while the connections closed.
            bot.drain().await;
            Ok(())
        }
    }
}

impl Bot {
    /// Whether an event, by the id of its interaction or message, is told for the first time.
    fn is_news(&self, id: u64) -> bool {
        let mut heard = self.heard.lock().unwrap_or_else(PoisonError::into_inner);
        let is_news = !heard.contains(&id);
        if is_news {
            heard.truncate(HEARD - 1);
            heard.push_front(id);
        }
        is_news
    }

    /// Answers an interaction of whichever kind.
    async fn asked(&self, http: &serenity::Http, interaction: &Interaction) {
        let _under_way = self.tasks.token();
        match interaction {
            Interaction::Command(command) => self.commanded(http, command).await,
            Interaction::Autocomplete(typed) => self.completed(http, typed).await,
            Interaction::Component(pressed) => self.pressed(http, pressed).await,
            Interaction::Modal(submitted) => self.submitted(http, submitted).await,
            _ => {}
        }
    }

    async fn drain(&self) {
        self.tasks.close();
        if tokio::time::timeout(DRAIN, self.tasks.wait()).await.is_err() {
            tracing::warn!(unfinished = self.tasks.len(), "answers cut short");
        }
    }
}

/// Waits until Discord lets the bot in: the library asks once, and then takes another gateway for it.
async fn wait_for_discord(http: &serenity::Http) -> Result<(), Problem> {
    let deadline = Instant::now() + START;
    let mut pause = Duration::from_millis(250);
    loop {
        let Err(error) = http.get_bot_gateway().await else { return Ok(()) };
        let refused = refusal_of(&error);
        let passes = refused.is_none_or(|(status, _)| status == 429 || status >= 500);
        if !passes || Instant::now() + pause > deadline {
            return Err(startup_problem(&error));
        }
        tracing::warn!(status = refused.map(|(status, _)| status), retry_in = ?pause, "Discord is not there yet");
        tokio::time::sleep(pause).await;
        pause *= 2;
    }
}

fn framework(bot: Data) -> poise::Framework<Data, Never> {
    let options = poise::FrameworkOptions {
        commands: slash::commands(),
        allowed_mentions: Some(CreateAllowedMentions::new()),
        on_error: |error| Box::pin(slash::failed(error)),
        event_handler: |context, event| Box::pin(hear(context, event)),
        prefix_options: poise::PrefixFrameworkOptions { mention_as_prefix: false, ..Default::default() },
        ..Default::default()
    };
    // This must not fail: without its data the framework would wait for ever and look alive.
    let builder = poise::Framework::builder().options(options).initialize_owners(false).setup(|context, ready, _| {
        bot.me.get_or_init(|| ready.user.id);
        tokio::spawn(keep_registering(bot.clone(), context.http.clone()));
        Box::pin(std::future::ready(Ok(bot)))
    });
    builder.build()
}

/// Registers the commands, again and again until Discord takes them.
async fn keep_registering(bot: Data, http: Arc<serenity::Http>) {
    let commands = register::commands(bot.app.catalog);
    let mut pause = Duration::from_millis(250);
    loop {
        let registered = match bot.config.guild {
            Some(guild) => http.create_guild_commands(guild, &commands).await,
            None => http.create_global_commands(&commands).await,
        };
        match registered {
            Ok(registered) => return tracing::info!(commands = registered.len(), "registered"),
            Err(error) => {
                let (status, code) = refusal_of(&error).unzip();
                tracing::error!(status, code, retry_in = ?pause, "registration failed");
            }
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

async fn hear(context: poise::FrameworkContext<'_, Data, Never>, event: &FullEvent) -> Result<(), Never> {
    let (bot, http) = (context.user_data, &context.serenity_context.http);
    let _under_way = bot.tasks.token();
    match event {
        FullEvent::Ready { data_about_bot } => {
            tracing::info!(guilds = data_about_bot.guilds.len(), "online");
        }
        // They come by way of the framework.
        FullEvent::InteractionCreate { interaction: Interaction::Command(_) } => {}
        FullEvent::InteractionCreate { interaction } => bot.asked(http, interaction).await,
        FullEvent::Message { new_message } => bot.written(http, new_message).await,
        FullEvent::GuildCreate { guild, .. } => bot.threads.learn(guild, context.bot_id()),
        FullEvent::ThreadCreate { thread } => bot.threads.note(thread, context.bot_id()),
        FullEvent::ThreadDelete { thread, .. } => bot.threads.forget(thread.id),
        _ => {}
    }
    Ok(())
}

/// The library keeps a rate limit for each interaction for ever; those that have passed are dropped.
async fn sweep_rate_limits(http: Arc<serenity::Http>) {
    let Some(limiter) = &http.ratelimiter else { return };
    loop {
        tokio::time::sleep(SWEEP).await;
        let now = SystemTime::now();
        // A locked one is in use.
        let is_needed = |route: &tokio::sync::Mutex<Ratelimit>| match route.try_lock() {
            Ok(route) => route.reset().is_some_and(|at| at > now),
            Err(_) => true,
        };
        limiter.routes().write().await.retain(|_, route| is_needed(route));
    }
}

/// Why the bot could not come up, in one sentence for whoever runs it.
fn startup_problem(error: &serenity::Error) -> Problem {
    let message = match error {
        serenity::Error::Gateway(GatewayError::InvalidAuthentication) => msg!("discord-bad-token"),
        serenity::Error::Gateway(GatewayError::DisallowedGatewayIntents) => msg!("discord-intent-refused"),
        error => match refusal_of(error) {
            Some((401, _)) => msg!("discord-bad-token"),
            Some((status, _)) => msg!("discord-refused", status = u32::from(status)),
            None => msg!("discord-unreachable"),
        },
    };
    Problem::new(message)
}

/// The locale of a text: Chinese if any of it is, else whatever else is known.
fn locale_of(text: &str, otherwise: Locale) -> Locale {
    let is_han = |c: char| ('\u{4e00}'..='\u{9fff}').contains(&c);
    if text.contains(is_han) { Locale::ZhCn } else { otherwise }
}
