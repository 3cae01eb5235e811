//! Buttons, selects and the dialog. A component holds a difference; the message it stands on holds
//! the line that it is a difference to.

use super::Bot;
use super::follow_up::line_of;
use super::place::{Asked, Place, missing};
use super::question::{Question, Said};
use super::reply::{self, Callback, EPHEMERAL, Reply};
use super::wire::Refusal;
use crate::message::Problem;
use crate::msg;
use crate::text::{clip, tr};
use crate::view::Action;
use poise::serenity_prelude as serenity;
use serde_json::json;
use serenity::{
    ActionRowComponent, ChannelId, ComponentInteraction, ComponentInteractionDataKind, Http, Message, ModalInteraction,
    Permissions,
};

const LONGEST_TWEAK: u16 = 1000;
const LONGEST_THREAD_NAME: usize = 100;
/// What a thread's conversation takes.
const IN_THREADS: [Permissions; 2] = [Permissions::SEND_MESSAGES_IN_THREADS, Permissions::EMBED_LINKS];

impl Bot {
    pub(super) async fn pressed(&self, http: &Http, pressed: &ComponentInteraction) {
        if !self.is_news(pressed.id.get()) {
            return;
        }
        let asked = Asked::from(pressed);
        let base = line_of(&pressed.message).map(str::to_owned);
        let old = || Err(Problem::new(msg!("discord-old-button")));
        let (action, base) = match (Action::read(&pressed.data.custom_id), base) {
            (Some(Action::Delete(asker)), _) => return self.delete(http, &asked, asker).await,
            (Some(action), Some(base)) => (action, base),
            _ => return self.respond(http, &asked, async { old() }, true).await,
        };
        if let Err(problem) = self.admit(&asked) {
            return self.respond(http, &asked, async { Err(problem) }, true).await;
        }
        let about = |verb, base| Ok(Question::About { verb, base, words: String::new() });
        match action {
            Action::Change(words) => {
                self.react(http, &asked, &pressed.message, Ok(Question::Change { base, words })).await
            }
            Action::Select(_) => {
                let question = match &pressed.data.kind {
                    ComponentInteractionDataKind::StringSelect { values } if !values.is_empty() => {
                        Ok(Question::Change { base, words: values[0].clone() })
                    }
                    _ => old(),
                };
                self.react(http, &asked, &pressed.message, question).await;
            }
            Action::Compare(words) => {
                self.react(http, &asked, &pressed.message, Ok(Question::Compare { base, words })).await
            }
            Action::Tweak => self.ask_for_tweak(http, &asked).await,
            Action::Explain => self.respond(http, &asked, async { about("explain", base) }, true).await,
            Action::Recipe => self.respond(http, &asked, async { about("recipe", base) }, true).await,
            Action::Share => self.respond(http, &asked, async { Ok(Question::Line(base)) }, false).await,
            Action::Thread => self.open_thread(http, &asked, &pressed.message, base).await,
            Action::Delete(_) => {}
        }
    }

    pub(super) async fn submitted(&self, http: &Http, submitted: &ModalInteraction) {
        if !self.is_news(submitted.id.get()) {
            return;
        }
        let asked = Asked::from(submitted);
        let message = submitted.message.as_deref();
        let inputs = submitted.data.components.iter().flat_map(|row| &row.components);
        let text = inputs.into_iter().find_map(|component| match component {
            ActionRowComponent::InputText(input) => input.value.as_deref(),
            _ => None,
        });
        let is_ours = Action::read(&submitted.data.custom_id) == Some(Action::Tweak);
        let (Some(message), Some(text), true) = (message, text, is_ours) else {
            // The library drops what stands in a form that it does not know.
            let unread = is_ours && text.is_none();
            let problem = Problem::new(if unread { msg!("discord-dialog-unread") } else { msg!("discord-old-button") });
            return self.respond(http, &asked, async { Err(problem) }, true).await;
        };
        let question = self.admit(&asked).and_then(|()| match line_of(message) {
            Some(base) => Ok(Question::Change { base: base.to_owned(), words: text.to_owned() }),
            None => Err(Problem::new(msg!("discord-old-button"))),
        });
        self.react(http, &asked, message, question).await;
    }

    /// Answers a press. What only its reader sees changes in place; in a thread the answer is a regular
    /// message, since only replies to those carry their text; elsewhere it is a new message.
    async fn react(&self, http: &Http, asked: &Asked<'_>, message: &Message, question: Result<Question, Problem>) {
        let is_private = message.flags.is_some_and(|flags| flags.bits() & EPHEMERAL != 0);
        if is_private {
            let reply = async {
                let said = self.think_if(question, asked.locale).await;
                let kind = if matches!(said, Said::View(_)) { Callback::Update } else { Callback::Message };
                (kind, self.reply(asked, said, true).await)
            };
            return self.deliver(http, asked, Callback::Noticed, reply).await;
        }
        let speaks_in_thread =
            asked.place.is_thread && asked.place.has_bot && missing(&IN_THREADS, asked.permissions).is_none();
        if !speaks_in_thread {
            return self.respond(http, asked, async { question }, false).await;
        }
        if reply::notice(http, asked.key(), Callback::Noticed).await.is_err() {
            return;
        }
        let said = self.think_if(question, asked.locale).await;
        let is_answer = matches!(said, Said::View(_));
        let reply = self.reply(asked, said, false).await;
        if !is_answer || reply::post(http, asked.channel, &reply.clone().to(message.id)).await.is_err() {
            let _ = reply::follow_up(http, asked.token, &reply).await;
        }
    }

    async fn ask_for_tweak(&self, http: &Http, asked: &Asked<'_>) {
        let words = |key| tr(asked.locale, key);
        let dialog = json!({
            "custom_id": Action::Tweak.to_string(), "title": words("tweak-title"),
            "components": [{"type": 1, "components": [{
                "type": 4, "custom_id": "change", "style": 1, "label": words("tweak-label"),
                "placeholder": words("tweak-placeholder"), "max_length": LONGEST_TWEAK, "required": true,
            }]}],
        });
        self.deliver(http, asked, Callback::Noticed, std::future::ready((Callback::Modal, Reply::raw(dialog)))).await;
    }

    async fn delete(&self, http: &Http, asked: &Asked<'_>, asker: u64) {
        if asked.user.id.get() != asker && !asked.is_moderator {
            let problem = Problem::new(msg!("discord-not-yours"));
            return self.respond(http, asked, async { Err(problem) }, true).await;
        }
        // The message of a noticed press is the interaction's original.
        if reply::notice(http, asked.key(), Callback::Noticed).await.is_ok() {
            let _ = reply::delete_original(http, asked.token).await;
        }
    }

    /// Opens a thread on the answer, and repeats it there as a regular message.
    async fn open_thread(&self, http: &Http, asked: &Asked<'_>, message: &Message, base: String) {
        let needed = [&[Permissions::CREATE_PUBLIC_THREADS][..], &IN_THREADS].concat();
        let problem = match (asked.place.has_bot, missing(&needed, asked.permissions)) {
            (false, _) => Some(msg!("discord-not-in-guild")),
            (true, lacking) => lacking,
        };
        if let Some(problem) = problem {
            return self.respond(http, asked, async { Err(Problem::new(problem)) }, true).await;
        }
        // The answer in words everyone there reads.
        let locale = asked.guild_locale.unwrap_or(asked.locale);
        if reply::notice(http, asked.key(), Callback::DeferPrivate).await.is_err() {
            return;
        }
        let view = match self.think(Question::Line(base), locale).await {
            Said::View(view) => view,
            said => {
                let problem = self.reply(asked, said, true).await;
                let _ = reply::edit_original(http, asked.token, &problem).await;
                return;
            }
        };
        let name = clip(&view.title, LONGEST_THREAD_NAME).into_owned();
        let thread = ChannelId::new(message.id.get());
        let opened = match reply::open_thread(http, asked.channel, message.id, &name).await {
            Ok(()) => {
                self.threads.own(thread);
                let place = Place { is_thread: true, ..asked.place };
                let first = self.draw(*view, &place).await.saying(&tr(locale, "thread-hint"));
                reply::post(http, thread, &first).await
            }
            refused => refused,
        };
        const ALREADY_THERE: isize = 160_004;
        let said = match opened {
            Ok(()) | Err(Refusal::Rejected(ALREADY_THERE)) => Reply::text(&format!("→ <#{thread}>")),
            Err(Refusal::Forbidden) => Reply::problem(asked.locale, &Problem::new(msg!("discord-cannot-thread"))),
            Err(_) => Reply::problem(asked.locale, &Problem::new(msg!("discord-our-fault"))),
        };
        let _ = reply::edit_original(http, asked.token, &said).await;
    }
}
