//! Messages: a mention asks, a reply or a message in the bot's own thread changes the answer before it.
//!
//! The line to change is found in the bot's own messages only: the one replied to, else the newest in
//! the channel, else the one the thread was opened on. What others write as a line is not believed.

use super::place::{Asked, Place};
use super::question::{FENCE, Question, Said};
use super::reply::{self, Reply};
use super::wire::{self, LATER, Refusal};
use super::{Bot, locale_of};
use crate::catalog::Catalog;
use crate::message::Problem;
use crate::msg;
use crate::request::tweak::takes_back;
use crate::text::{Locale, tr};
use crate::view::Action;
use poise::serenity_prelude as serenity;
use serde_json::Value;
use serenity::http::Route;
use serenity::{
    ActionRowComponent, Button, ButtonKind, ChannelId, Guild, GuildChannel, GuildId, Http, Message, MessageId,
    MessageType, UserId,
};
use std::collections::HashMap;
use std::sync::Mutex;

/// How many messages back an answer is looked for.
const LOOK_BACK: u8 = 50;
/// Larger files are not read.
const LARGEST_FILE: u32 = 256 * 1024;
/// Where Discord keeps attachments.
const FILE_HOSTS: [&str; 2] = ["https://cdn.discordapp.com/", "https://media.discordapp.net/"];

/// The canonical line of an answer: the last line of the last embed's footer.
pub(super) fn line_of(message: &Message) -> Option<&str> {
    message.embeds.last()?.footer.as_ref()?.text.lines().last()
}

/// Threads, and the languages of guilds: told again after each connect, or asked for.
#[derive(Default)]
pub(super) struct Threads(Mutex<Known>);

#[derive(Default)]
struct Known {
    threads: HashMap<ChannelId, Thread>,
    locales: HashMap<GuildId, Locale>,
}

#[derive(Clone, Copy, Default)]
struct Thread {
    /// Opened by the bot.
    is_own: bool,
    /// Somebody was told there how to be read.
    is_hinted: bool,
}

impl Threads {
    fn known(&self) -> std::sync::MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
    pub fn learn(&self, guild: &Guild, bot: UserId) {
        self.known().locales.insert(guild.id, Locale::read(&guild.preferred_locale));
        guild.threads.iter().for_each(|thread| self.note(thread, bot));
    }
    pub fn note(&self, thread: &GuildChannel, bot: UserId) {
        if thread.thread_metadata.is_some() {
            self.known().threads.entry(thread.id).or_default().is_own |= thread.owner_id == Some(bot);
        }
    }
    /// Known at once where the bot opens it: people may be faster than the event.
    pub fn own(&self, thread: ChannelId) {
        self.known().threads.entry(thread).or_default().is_own = true;
    }
    pub fn forget(&self, thread: ChannelId) {
        self.known().threads.remove(&thread);
    }
    fn of(&self, channel: ChannelId) -> Option<Thread> {
        self.known().threads.get(&channel).copied()
    }
    /// Whether the hint is due; it is given once, and only in the bot's own threads.
    fn take_hint(&self, channel: ChannelId) -> bool {
        let mut known = self.known();
        let own = known.threads.get_mut(&channel).filter(|thread| thread.is_own);
        own.is_some_and(|thread| !std::mem::replace(&mut thread.is_hinted, true))
    }
    fn locale(&self, guild: Option<GuildId>) -> Option<Locale> {
        self.known().locales.get(&guild?).copied()
    }
}

impl Bot {
    pub(super) async fn written(&self, http: &Http, message: &Message) {
        let Some(&bot) = self.me.get() else { return };
        let is_person = !message.author.bot && message.webhook_id.is_none();
        if !is_person
            || !self.is_news(message.id.get())
            || !matches!(message.kind, MessageType::Regular | MessageType::InlineReply)
        {
            return;
        }
        let is_direct = message.guild_id.is_none();
        let thread = self.threads.of(message.channel_id);
        let is_addressed = is_direct || message.mentions_user_id(bot);
        let brings = !message.attachments.is_empty() || !message.message_snapshots.is_empty();
        let has_text = !message.content.trim().is_empty() || brings;
        if !has_text {
            // Without the intent all that is not addressed to the bot looks empty.
            if self.threads.take_hint(message.channel_id) {
                let locale = self.threads.locale(message.guild_id).unwrap_or(self.config.locale);
                let _ = reply::post(http, message.channel_id, &Reply::text(&tr(locale, "thread-hint")).to(message.id))
                    .await;
            }
            return;
        }
        let is_read = is_addressed || (self.config.message_content && thread.is_some_and(|thread| thread.is_own));
        if !is_read {
            return;
        }
        if !self.visitors.admit(message.author.id, None, std::time::Instant::now()) {
            return tracing::debug!("too many messages from one person");
        }
        let typed = without_mention(&message.content, bot);
        let is_thread = !is_direct && (thread.is_some() || self.is_thread(http, bot, message.channel_id).await);
        let base = self.base_of(http, bot, message, is_thread).await;
        // The language typed, that of their client, of the conversation, of the guild.
        let known = self.threads.locale(message.guild_id).unwrap_or(self.config.locale);
        let spoken = base.as_ref().map_or(known, |base| locale_of(&base.shown, known));
        let locale = locale_of(&typed, self.visitors.locale(message.author.id).unwrap_or(spoken));
        let said = match self.text_of(message, &typed).await {
            Ok(text) => {
                let question = match base {
                    Some(base) => Question::Text { text: base.meant(text, self.app.catalog), base: Some(base.line) },
                    None => Question::Text { text, base: None },
                };
                self.think(question, locale).await
            }
            Err(problem) => Said::Problem(problem),
        };
        let place = Place::of_message(message.author.id, is_direct, is_thread);
        let reply = match said {
            Said::View(view) => self.draw(*view, &place).await,
            Said::Problem(problem) => Reply::problem(locale, &problem),
            // Talk among people is none of the bot's business; in private there is nobody else.
            Said::Nothing if is_direct => Reply::problem(locale, &Problem::new(msg!("discord-nothing-to-change"))),
            Said::Nothing => return,
        };
        // Without the right to attach there may be one to embed, without that one to speak, or all but to reply.
        let bare = reply.without_picture();
        let cannot_embed = Reply::text(&tr(locale, "discord-cannot-embed"));
        for attempt in [reply.to(message.id), bare.clone().to(message.id), cannot_embed.to(message.id), bare] {
            match reply::post(http, message.channel_id, &attempt).await {
                Err(Refusal::Forbidden) => {}
                Ok(()) | Err(_) => return,
            }
        }
    }

    /// Whether a channel of which nothing was told is a thread.
    async fn is_thread(&self, http: &Http, bot: UserId, channel: ChannelId) -> bool {
        let Ok(channel) = channel_of(http, channel).await else { return false };
        self.threads.note(&channel, bot);
        channel.thread_metadata.is_some()
    }

    /// The answer that a message follows.
    async fn base_of(&self, http: &Http, bot: UserId, message: &Message, is_thread: bool) -> Option<Base> {
        if let Some(replied) = &message.referenced_message {
            return Base::of(replied, bot);
        }
        // Discord need not send along what was replied to.
        let reference = message.message_reference.as_ref().filter(|_| message.kind == MessageType::InlineReply);
        if let Some(replied) = reference.and_then(|reference| reference.message_id)
            && let Ok(replied) = message_of(http, message.channel_id, replied).await
        {
            return Base::of(&replied, bot);
        }
        if !is_thread && message.guild_id.is_some() {
            return None;
        }
        newest(http, bot, message.channel_id, is_thread, Some(message.id)).await.ok()?
    }

    /// The last answer in a channel.
    pub(super) async fn last_answer(&self, http: &Http, asked: &Asked<'_>) -> Result<Base, Problem> {
        let unknown = || Problem::of("line", msg!("discord-no-last-answer"));
        let bot = self.me.get().ok_or_else(unknown)?;
        match newest(http, *bot, asked.channel, asked.place.is_thread, None).await {
            Ok(Some(base)) => Ok(base),
            Ok(None) | Err(_) => Err(unknown()),
        }
    }

    /// What was typed, and the text files that came along; of a forwarded message what it forwards, of a
    /// program's wordless message what its embeds say.
    pub(super) async fn text_of(&self, message: &Message, typed: &str) -> Result<String, Problem> {
        let mut text = typed.to_owned();
        let forwarded = &message.message_snapshots;
        for snapshot in forwarded {
            text = format!("{text}\n{}", snapshot.content);
        }
        if text.trim().is_empty() {
            let said = message.embeds.iter().filter_map(|embed| embed.description.as_deref());
            text = said.collect::<Vec<_>>().join("\n");
        }
        let files = message.attachments.iter().chain(forwarded.iter().flat_map(|snapshot| &snapshot.attachments));
        for file in files {
            let name = file.filename.as_str();
            let is_media = |kind: &str| ["image/", "video/", "audio/"].iter().any(|media| kind.starts_with(media));
            if file.content_type.as_deref().is_some_and(is_media) {
                return Err(Problem::new(msg!("discord-file-kind", name = name)));
            }
            if file.size > LARGEST_FILE {
                return Err(Problem::new(msg!(
                    "discord-file-size",
                    name = name,
                    limit = crate::units::Bytes(LARGEST_FILE.into())
                )));
            }
            let bytes = match is_discords(&file.url, self.config.api_base.as_deref()) {
                true => tokio::time::timeout(LATER, file.download()).await.ok().and_then(Result::ok),
                false => None,
            };
            let read = bytes.and_then(|bytes| String::from_utf8(bytes).ok());
            let read = read.ok_or_else(|| Problem::new(msg!("discord-file-unread", name = name)))?;
            text += &format!("\n{FENCE}\n{}\n{FENCE}", read.replace(FENCE, "'''"));
        }
        Ok(text.trim().to_owned())
    }
}

/// Whether a file lies with Discord, or with what stands in its place; nothing else is fetched.
fn is_discords(url: &str, api_base: Option<&str>) -> bool {
    let stand_in = api_base.and_then(|base| url.strip_prefix(base)).is_some_and(|path| path.starts_with('/'));
    stand_in || FILE_HOSTS.iter().any(|host| url.starts_with(host))
}

/// An answer of the bot that others refer to.
pub(super) struct Base {
    pub line: String,
    /// The words that its button back says.
    back: Option<String>,
    /// Its words, which tell the language of the conversation.
    shown: String,
}

impl Base {
    pub fn of(message: &Message, bot: UserId) -> Option<Self> {
        let line = line_of(message).filter(|_| message.author.id == bot)?;
        let shown = message.embeds.last()?.description.clone().unwrap_or_default();
        let buttons = message.components.iter().flat_map(|row| &row.components);
        // What an answer is compared with is what was before it.
        let back = buttons.into_iter().find_map(|part| match part {
            ActionRowComponent::Button(Button { data: ButtonKind::NonLink { custom_id, .. }, .. }) => {
                match Action::read(custom_id) {
                    Some(Action::Compare(words)) => Some(words),
                    _ => None,
                }
            }
            _ => None,
        });
        Some(Self { line: line.to_owned(), back, shown })
    }

    /// What somebody means by a text: `undo` is the change back.
    pub fn meant(&self, text: String, catalog: &'static Catalog) -> String {
        self.back.clone().filter(|_| takes_back(&text, catalog)).unwrap_or(text)
    }
}

/// The newest answer in a channel, or the one that a thread was opened on.
async fn newest(
    http: &Http,
    bot: UserId,
    channel: ChannelId,
    is_thread: bool,
    before: Option<MessageId>,
) -> Result<Option<Base>, Refusal> {
    let mut query = vec![("limit", LOOK_BACK.to_string())];
    query.extend(before.map(|before| ("before", before.to_string())));
    let route = Route::ChannelMessages { channel_id: channel };
    let messages: Vec<Value> = wire::read(http, "history", route, Some(query)).await?;
    // Read one by one: what the library cannot read of others does not hide our own.
    let mine = messages.into_iter().filter(|message| message["author"]["id"] == bot.to_string());
    let found =
        mine.filter_map(|message| serde_json::from_value(message).ok()).find_map(|message| Base::of(&message, bot));
    if found.is_some() || !is_thread {
        return Ok(found);
    }
    let thread = channel_of(http, channel).await?;
    let Some(parent) = thread.parent_id.filter(|_| thread.thread_metadata.is_some()) else { return Ok(None) };
    let starter = message_of(http, parent, MessageId::new(channel.get())).await;
    Ok(starter.ok().and_then(|starter| Base::of(&starter, bot)))
}

async fn channel_of(http: &Http, channel_id: ChannelId) -> Result<GuildChannel, Refusal> {
    wire::read(http, "channel", Route::Channel { channel_id }, None).await
}

async fn message_of(http: &Http, channel_id: ChannelId, message_id: MessageId) -> Result<Message, Refusal> {
    wire::read(http, "message", Route::ChannelMessage { channel_id, message_id }, None).await
}

fn without_mention(content: &str, bot: UserId) -> String {
    content.replace(&format!("<@{bot}>"), " ").replace(&format!("<@!{bot}>"), " ").trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_fetched_from_discord_alone() {
        let base = Some("http://127.0.0.1:4000");
        for url in ["https://cdn.discordapp.com/attachments/1/2/a.json", "https://media.discordapp.net/a"] {
            assert!(is_discords(url, None) && is_discords(url, base), "a proxy of the API leaves files where they are");
        }
        assert!(is_discords("http://127.0.0.1:4000/attachments/a.json", base));
        for url in ["http://127.0.0.1:4000/a", "http://cdn.discordapp.com/a", "https://cdn.discordapp.com.example/a"] {
            assert!(!is_discords(url, None), "{url}");
        }
        assert!(!is_discords("http://127.0.0.1:40001/a", base));
    }
}
