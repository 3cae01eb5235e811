//! Slash commands, their suggestions, and the message command.

use super::reply::{self, Callback, Reply};
use super::{Bot, Data, Never, place::Asked, register, said::Said};
use crate::commands::{Asks, Given, Opt, SLASH, Slash};
use crate::message::Problem;
use crate::msg;
use crate::text::clip;
use poise::serenity_prelude as serenity;
use poise::{ApplicationContext, ContextMenuCommandAction, FrameworkError};
use serenity::{AutocompleteChoice, CreateAutocompleteResponse, ResolvedValue};

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
    let said = match bot.admit(&asked) {
        Err(problem) => Said::Problem(problem),
        Ok(()) => match (slash.asks)(&given(context.args)) {
            Asks::Line(line) => bot.line(&line, asked.locale),
            Asks::Tweak { change, line: Some(line) } => bot.change(&line, &change, asked.locale),
            Asks::Tweak { change, line: None } => match bot.last_line(http, &asked).await {
                Ok(base) => bot.change(&base, &change, asked.locale),
                Err(problem) => Said::Problem(problem),
            },
            Asks::OfLast { verb, words } => match bot.last_line(http, &asked).await {
                Ok(base) => bot.about(verb, &base, &words, asked.locale),
                Err(problem) => Said::Problem(problem),
            },
        },
    };
    bot.respond(http, &asked, said, slash.is_private).await;
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
    let said = match bot.admit(&asked) {
        Err(problem) => Said::Problem(problem),
        Ok(()) => match bot.text_of(message, &message.content).await {
            Ok(text) => bot.read(&text, None, asked.locale),
            Err(problem) => Said::Problem(problem),
        },
    };
    bot.respond(http, &asked, said, false).await;
}

impl Bot {
    pub(super) fn admit(&self, asked: &Asked<'_>) -> Result<(), Problem> {
        match self.visitors.admit(asked.user.id, Some(asked.locale), std::time::Instant::now()) {
            true => Ok(()),
            false => Err(Problem::new(msg!("discord-too-many"))),
        }
    }

    /// Answers an interaction with a new message. Problems are for the asker's eyes only.
    pub(super) async fn respond(&self, http: &serenity::Http, asked: &Asked<'_>, said: Said, is_private: bool) {
        let reply = match said {
            Said::View(view) if is_private => self.draw(*view, &asked.place.private()).await.ephemeral(),
            Said::View(view) => self.draw(*view, &asked.place).await,
            Said::Problem(problem) => Reply::problem(asked.locale, &problem).ephemeral(),
            Said::Nothing => Reply::problem(asked.locale, &Problem::new(msg!("discord-nothing-to-change"))).ephemeral(),
        };
        if reply::answer(http, asked.key(), Callback::Message, &reply).await.is_err() {
            self.apologize(http, asked).await;
        }
    }

    /// What went wrong is in the log; the asker gets one calm sentence.
    pub(super) async fn apologize(&self, http: &serenity::Http, asked: &Asked<'_>) {
        let sorry = Reply::problem(asked.locale, &Problem::new(msg!("discord-our-fault"))).ephemeral();
        let _ = reply::answer(http, asked.key(), Callback::Message, &sorry).await;
    }
}

/// What the framework could not hand to a command.
pub(super) async fn failed(error: FrameworkError<'_, Data, Never>) {
    match error {
        FrameworkError::CommandPanic { ctx: poise::Context::Application(context), payload, .. } => {
            let place = payload.as_deref().map(|text| clip(text, 200).into_owned());
            tracing::error!(command = %context.command().name, ?place, "a command panicked");
            let asked = Asked::from(context.interaction);
            context.framework.user_data.apologize(&context.framework.serenity_context.http, &asked).await;
        }
        FrameworkError::UnknownInteraction { framework, interaction, .. } => {
            let asked = Asked::from(interaction);
            let problem = Said::Problem(Problem::new(msg!("discord-old-command")));
            framework.user_data.respond(&framework.serenity_context.http, &asked, problem, true).await;
        }
        _ => tracing::error!("the framework failed"),
    }
}
