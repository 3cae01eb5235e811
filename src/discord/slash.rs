//! Slash commands, their suggestions, and the message command.

use super::place::Asked;
use super::question::{Question, Said};
use super::reply::{self, Callback, Reply};
use super::{Bot, Data, Never, register};
use crate::commands::{Asks, Given, Opt, SLASH, Slash};
use crate::message::Problem;
use crate::msg;
use crate::text::Locale;
use poise::serenity_prelude as serenity;
use poise::{ApplicationContext, ContextMenuCommandAction, FrameworkError};
use serenity::{AutocompleteChoice, CreateAutocompleteResponse, ResolvedValue};
use std::time::Duration;

/// Of an interaction's 3 s, what working out an answer may take before a word is sent.
const SOON: Duration = Duration::from_millis(1500);
const MOST_SUGGESTIONS: usize = 25;
const LONGEST_SUGGESTION: usize = 100;

/// The table of commands as the framework dispatches it.
pub(super) fn commands() -> Vec<poise::Command<Data, Never>> {
    let mut all: Vec<_> = SLASH.iter().map(|slash| command(slash)).collect();
    all.push(poise::Command {
        name: register::ESTIMATE_THIS.into(),
        context_menu_name: Some(register::ESTIMATE_THIS.into()),
        context_menu_action: Some(ContextMenuCommandAction::Message(|context, message| {
            Box::pin(async move {
                estimate_this(context, &message).await;
                Ok(())
            })
        })),
        ..Default::default()
    });
    all
}

fn command(slash: &'static Slash) -> poise::Command<Data, Never> {
    poise::Command {
        name: slash.name.into(),
        slash_action: Some(|context| {
            Box::pin(async move {
                run(context).await;
                Ok(())
            })
        }),
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
        autocomplete_callback: Some(|context, typed| Box::pin(suggest(context, typed))),
        __non_exhaustive: (),
    }
}

async fn run(context: ApplicationContext<'_, Data, Never>) {
    let bot = context.framework.user_data;
    let _under_way = bot.tasks.token();
    let http = &context.framework.serenity_context.http;
    let asked = Asked::from(context.interaction);
    let Some(slash) = SLASH.iter().find(|slash| slash.name == context.command().name) else { return };
    let question = async {
        bot.admit(&asked)?;
        Ok(match (slash.asks)(&given(context.args)) {
            Asks::Line(line) => Question::Line(line),
            Asks::Tweak { change: words, line: Some(base) } => Question::Change { base, words },
            Asks::Tweak { change: words, line: None } => {
                Question::Change { base: bot.last_line(http, &asked).await?, words }
            }
            Asks::OfLast { verb, words } => Question::About { verb, base: bot.last_line(http, &asked).await?, words },
        })
    };
    bot.respond(http, &asked, question, slash.is_private).await;
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

/// From memory only: there are 3 s, and no way to ask for more.
async fn suggest(context: ApplicationContext<'_, Data, Never>, typed: &str) -> CreateAutocompleteResponse {
    let bot = context.framework.user_data;
    let _under_way = bot.tasks.token();
    let focused = context.args.iter().find(|option| matches!(option.value, ResolvedValue::Autocomplete { .. }));
    let words = focused.map(|option| bot.app.suggest(option.name, typed)).unwrap_or_default();
    let fits = |words: &String| (1..=LONGEST_SUGGESTION).contains(&words.chars().count());
    let choices = words.into_iter().filter(fits).take(MOST_SUGGESTIONS);
    CreateAutocompleteResponse::new()
        .set_choices(choices.map(|words| AutocompleteChoice::new(words.clone(), words)).collect())
}

/// "Estimate this": the content of the message is there without any intent.
async fn estimate_this(context: ApplicationContext<'_, Data, Never>, message: &serenity::Message) {
    let bot = context.framework.user_data;
    let _under_way = bot.tasks.token();
    let http = &context.framework.serenity_context.http;
    let asked = Asked::from(context.interaction);
    let question = async {
        bot.admit(&asked)?;
        let text = bot.text_of(message, &message.content).await?;
        Ok(Question::Text { text, base: None })
    };
    bot.respond(http, &asked, question, false).await;
}

impl Bot {
    pub(super) fn admit(&self, asked: &Asked<'_>) -> Result<(), Problem> {
        match self.visitors.admit(asked.user.id, Some(asked.locale), std::time::Instant::now()) {
            true => Ok(()),
            false => Err(Problem::new(msg!("discord-too-many"))),
        }
    }

    /// Answers a question off the runtime's threads.
    pub(super) async fn think(&self, question: Question, locale: Locale) -> Said {
        let app = self.app;
        let answered = tokio::task::spawn_blocking(move || question.answer(app, locale)).await;
        // A panic: the hook has said where.
        answered.unwrap_or_else(|_| Said::Problem(Problem::new(msg!("discord-our-fault"))))
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
        let sent = match tokio::time::timeout(SOON, &mut reply).await {
            Ok((kind, reply)) => reply::answer(http, asked.key(), kind, &reply).await,
            Err(_) => match reply::notice(http, asked.key(), late).await {
                Ok(()) => reply::edit_original(http, asked.token, &reply.await.1).await,
                refused => refused,
            },
        };
        if sent.is_err() {
            self.apologize(http, asked).await;
        }
    }

    /// What went wrong is in the log; the asker gets one calm sentence.
    async fn apologize(&self, http: &serenity::Http, asked: &Asked<'_>) {
        let sorry = Reply::problem(asked.locale, &Problem::new(msg!("discord-our-fault"))).ephemeral();
        let _ = reply::answer(http, asked.key(), Callback::Message, &sorry).await;
    }
}

/// What the framework could not hand to a command.
pub(super) async fn failed(error: FrameworkError<'_, Data, Never>) {
    match error {
        FrameworkError::UnknownInteraction { framework, interaction, .. } => {
            let asked = Asked::from(interaction);
            let problem = Problem::new(msg!("discord-old-command"));
            let http = &framework.serenity_context.http;
            framework.user_data.respond(http, &asked, async { Err(problem) }, true).await;
        }
        _ => tracing::error!("the framework failed"),
    }
}
