//! Slash commands, their suggestions, and the message command.

use super::follow_up::Base;
use super::place::Asked;
use super::question::{Question, Said};
use super::reply::{self, Callback, Reply};
use super::wire::Refusal;
use super::{Bot, Data, Never, register};
use crate::commands::{Asks, Given, Opt, SLASH, Slash};
use crate::message::Problem;
use crate::msg;
use crate::text::Locale;
use poise::serenity_prelude as serenity;
use poise::{ApplicationContext, ContextMenuCommandAction, FrameworkError};
use serde_json::json;
use serenity::{AutocompleteChoice, CommandInteraction, ResolvedValue};
use std::time::Duration;

/// Of an interaction's 3 s, what working out an answer may take before a word is sent.
const SOON: Duration = Duration::from_millis(1000);
/// Discord's code for a message that breaks its rules.
const INVALID_BODY: isize = 50_035;
const MOST_SUGGESTIONS: usize = 25;
const LONGEST_SUGGESTION: usize = 100;

/// The table of commands as the framework dispatches it.
pub(super) fn commands() -> Vec<poise::Command<Data, Never>> {
    let mut all: Vec<_> = SLASH.iter().map(|slash| command(slash)).collect();
    all.push(poise::Command {
        name: register::ESTIMATE_THIS.into(),
        context_menu_name: Some(register::ESTIMATE_THIS.into()),
        context_menu_action: Some(ContextMenuCommandAction::Message(|context, _| Box::pin(run(context)))),
        ..Default::default()
    });
    all
}

fn command(slash: &'static Slash) -> poise::Command<Data, Never> {
    poise::Command {
        name: slash.name.into(),
        slash_action: Some(|context| Box::pin(run(context))),
        parameters: slash.options.iter().map(parameter).collect(),
        ..Default::default()
    }
}

fn parameter(option: &Opt) -> poise::CommandParameter<Data, Never> {
    poise::CommandParameter {
        name: option.name().into(),
        name_localizations: Default::default(),
        description: None,
        description_localizations: Default::default(),
        required: option.is_needed(),
        channel_types: None,
        choices: Default::default(),
        type_setter: None,
        autocomplete_callback: None,
        __non_exhaustive: (),
    }
}

async fn run(context: ApplicationContext<'_, Data, Never>) -> Result<(), poise::FrameworkError<'_, Data, Never>> {
    let bot = context.framework.user_data;
    let _under_way = bot.tasks.token();
    bot.commanded(&context.framework.serenity_context.http, context.interaction).await;
    Ok(())
}

/// Options as text, by name. Files and people are no options of ours.
fn given(args: &[serenity::ResolvedOption<'_>]) -> Given {
    let text = |value: &ResolvedValue<'_>| match value {
        ResolvedValue::String(text) => Some((*text).to_owned()),
        ResolvedValue::Integer(n) => Some(n.to_string()),
        ResolvedValue::Number(x) => Some(x.to_string()),
        ResolvedValue::Boolean(flag) => Some(flag.to_string()),
        ResolvedValue::Autocomplete { value, .. } => Some((*value).to_owned()),
        _ => None,
    };
    Given(args.iter().filter_map(|option| Some((option.name.to_owned(), text(&option.value)?))).collect())
}

impl Bot {
    /// Answers a slash command or the message command.
    pub(super) async fn commanded(&self, http: &serenity::Http, command: &CommandInteraction) {
        if !self.is_news(command.id.get()) {
            return;
        }
        let asked = Asked::from(command);
        if let Some(message) = command.data.resolved.messages.values().next() {
            let question = async {
                self.admit(&asked)?;
                if let Some(base) = self.me.get().and_then(|me| Base::of(message, *me)) {
                    return Ok(Question::Line(base.line));
                }
                // Its content is there without any intent.
                match self.text_of(message, &message.content).await? {
                    text if text.is_empty() => Err(Problem::new(msg!("discord-not-understood"))),
                    text => Ok(Question::Text { text, base: None }),
                }
            };
            return self.respond(http, &asked, question, false).await;
        }
        let Some(slash) = SLASH.iter().find(|slash| slash.name == command.data.name) else {
            let problem = Problem::new(msg!("discord-old-command"));
            return self.respond(http, &asked, async { Err(problem) }, true).await;
        };
        let question = async {
            self.admit(&asked)?;
            Ok(match (slash.asks)(&given(&command.data.options())) {
                Asks::Line(line) => Question::Line(line),
                Asks::Tweak { change: words, line: Some(base) } => Question::Change { base, words },
                Asks::Tweak { change: words, line: None } => {
                    let base = self.last_answer(http, &asked).await?;
                    let words = base.meant(words, self.app.catalog);
                    Question::Change { base: base.line, words }
                }
                Asks::OfLast { verb, words } => {
                    Question::About { verb, base: self.last_answer(http, &asked).await?.line, words }
                }
            })
        };
        self.respond(http, &asked, question, slash.is_private).await;
    }

    /// Answers what is being typed. From memory only: there are 3 s, and no way to ask for more.
    pub(super) async fn completed(&self, http: &serenity::Http, typed: &CommandInteraction) {
        if !self.is_news(typed.id.get()) {
            return;
        }
        let focused = typed.data.autocomplete();
        let words = focused.map(|option| self.app.suggest(option.name, option.value)).unwrap_or_default();
        let fits = |words: &String| (1..=LONGEST_SUGGESTION).contains(&words.chars().count());
        let choices = words.into_iter().filter(fits).take(MOST_SUGGESTIONS);
        let choices: Vec<_> = choices.map(|words| AutocompleteChoice::new(words.clone(), words)).collect();
        let reply = Reply::raw(json!({"choices": choices}));
        let _ = reply::answer(http, Asked::from(typed).key(), Callback::Choices, &reply).await;
    }

    pub(super) fn admit(&self, asked: &Asked<'_>) -> Result<(), Problem> {
        match self.visitors.admit(asked.user.id, Some(asked.locale), std::time::Instant::now()) {
            true => Ok(()),
            false => Err(Problem::new(msg!("discord-too-many"))),
        }
    }

    /// Answers a question, off the runtime's thread unless it was just answered. What people write is not kept.
    pub(super) async fn think(&self, question: Question, locale: Locale) -> Said {
        let is_written = matches!(question, Question::Text { .. });
        let asked = (question, locale);
        if let Some(said) = self.said.get(&asked) {
            return said;
        }
        let app = self.app;
        // The turn stays with the work, which goes on when nobody waits for it any more.
        let turn = self.turns.clone().acquire_owned().await;
        let work = move || {
            let _turn = turn;
            (asked.0.answer(app, locale), asked)
        };
        let answered = tokio::task::spawn_blocking(work).await;
        match answered {
            Ok((said, asked)) => {
                if !is_written {
                    self.said.put(asked, said.clone());
                }
                said
            }
            // A panic: the hook has said where.
            Err(_) => Said::Problem(Problem::new(msg!("discord-our-fault"))),
        }
    }

    /// Answers an interaction with a new message.
    pub(super) async fn respond(
        &self,
        http: &serenity::Http,
        asked: &Asked<'_>,
        question: impl Future<Output = Result<Question, Problem>>,
        is_private: bool,
    ) {
        let late = if is_private { Callback::DeferPrivate } else { Callback::Defer };
        let reply = async {
            let said = self.think_if(question.await, asked.locale).await;
            (Callback::Message, self.reply(asked, said, is_private).await)
        };
        self.deliver(http, asked, late, reply).await;
    }

    pub(super) async fn think_if(&self, question: Result<Question, Problem>, locale: Locale) -> Said {
        match question {
            Ok(question) => self.think(question, locale).await,
            Err(problem) => Said::Problem(problem),
        }
    }

    /// What is said, as a message. Problems are for the asker's eyes only.
    pub(super) async fn reply(&self, asked: &Asked<'_>, said: Said, is_private: bool) -> Reply {
        match said {
            Said::View(view) if is_private => self.draw(*view, &asked.place.private()).await.ephemeral(),
            Said::View(view) => self.draw(*view, &asked.place).await,
            Said::Problem(problem) => Reply::problem(asked.locale, &problem).ephemeral(),
            Said::Nothing => Reply::problem(asked.locale, &Problem::new(msg!("discord-nothing-to-change"))).ephemeral(),
        }
    }

    /// Sends the one callback in time: where the reply takes long, first that it is on its way.
    pub(super) async fn deliver(
        &self,
        http: &serenity::Http,
        asked: &Asked<'_>,
        late: Callback,
        reply: impl Future<Output = (Callback, Reply)>,
    ) {
        tokio::pin!(reply);
        let (sent, is_late) = match tokio::time::timeout(SOON, &mut reply).await {
            Ok((kind, reply)) => (reply::answer(http, asked.key(), kind, &reply).await, false),
            Err(_) => match reply::notice(http, asked.key(), late).await {
                Ok(()) => (reply::fill_in(http, asked.token, late, &reply.await.1).await, true),
                refused => (refused, false),
            },
        };
        // What went wrong is in the log; the asker gets one calm sentence, unless the interaction is gone.
        if let Err(Refusal::Rejected(INVALID_BODY)) = sent {
            let sorry = Reply::problem(asked.locale, &Problem::new(msg!("discord-our-fault"))).ephemeral();
            let _ = match is_late {
                true => reply::follow_up(http, asked.token, &sorry).await,
                false => reply::answer(http, asked.key(), Callback::Message, &sorry).await,
            };
        }
    }
}

/// What the framework could not hand to a command: one it does not know, an option it does not know.
pub(super) async fn failed(error: FrameworkError<'_, Data, Never>) {
    let (framework, interaction) = match &error {
        FrameworkError::UnknownInteraction { framework, interaction, .. } => (framework, *interaction),
        FrameworkError::CommandStructureMismatch { ctx, .. } => (&ctx.framework, ctx.interaction),
        _ => return tracing::error!("the framework failed"),
    };
    // What is being typed is answered apart from the framework.
    if interaction.data.autocomplete().is_none() {
        let _under_way = framework.user_data.tasks.token();
        framework.user_data.commanded(&framework.serenity_context.http, interaction).await;
    }
}
