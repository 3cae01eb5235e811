//! Where an answer will stand, and what can be done there.

use super::reply::offers;
use crate::message::Message;
use crate::msg;
use crate::text::{Locale, tr};
use crate::view::{Action, Button, Style, View};
use poise::serenity_prelude as serenity;
use serenity::{AuthorizingIntegrationOwner, ChannelType, Permissions};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub is_thread: bool,
    pub is_direct: bool,
    /// Whether the bot itself is there, and not only brought along by a user.
    pub has_bot: bool,
    pub may_attach: bool,
    /// Only its reader sees the answer.
    pub is_private: bool,
    /// Who asked.
    pub asker: serenity::UserId,
}

impl Place {
    /// Where a regular message was written: the bot is there, since it heard of it.
    pub fn of_message(asker: serenity::UserId, is_direct: bool, is_thread: bool) -> Self {
        Self { is_thread, is_direct, has_bot: true, may_attach: true, is_private: false, asker }
    }
    pub fn private(self) -> Self {
        Self { is_private: true, ..self }
    }

    /// Adds what can be done with an answer here, and takes away what cannot.
    pub fn fit(&self, view: &mut View) {
        let can_open_thread = self.has_bot && !self.is_thread && !self.is_direct && !self.is_private;
        view.buttons.retain(|button| match button.action {
            Action::Thread => can_open_thread,
            Action::Share => self.is_private,
            _ => true,
        });
        let line = view.line.as_deref().unwrap_or_default();
        let is_estimate = line.starts_with("train ") || line.starts_with("infer ");
        let standard = [
            (Action::Tweak, "button-tweak", is_estimate),
            (Action::Thread, "button-thread", can_open_thread && is_estimate),
            (Action::Share, "button-share", self.is_private && !line.is_empty()),
            (Action::Delete(self.asker.get()), "button-delete", !self.is_private),
        ];
        for (action, label, wanted) in standard {
            if wanted && !offers(view, &action) {
                let style = if matches!(action, Action::Delete(_)) { Style::Danger } else { Style::Plain };
                view.buttons.push(Button { label: tr(view.locale, label).into_owned(), action, style });
            }
        }
    }
}

/// What the bot lacks, of what it needs to do something in a channel: Discord's name of it.
pub(super) fn missing(needed: &[Permissions], has: Option<Permissions>) -> Option<Message> {
    let has = has?;
    let lacking: Vec<String> = needed
        .iter()
        .filter(|permission| !has.contains(**permission))
        .flat_map(|permission| permission.get_permission_names())
        .map(str::to_owned)
        .collect();
    (!lacking.is_empty()).then(|| msg!("discord-missing-permission", permissions = lacking))
}

/// What the kinds of interaction have in common.
pub(super) struct Asked<'a> {
    pub id: serenity::InteractionId,
    pub token: &'a str,
    pub user: &'a serenity::User,
    pub channel: serenity::ChannelId,
    pub locale: Locale,
    pub guild_locale: Option<Locale>,
    pub place: Place,
    /// The bot's, in this channel.
    pub permissions: Option<Permissions>,
    pub is_moderator: bool,
}

impl Asked<'_> {
    pub fn key(&self) -> (serenity::InteractionId, &str) {
        (self.id, self.token)
    }
}

fn place(
    asker: serenity::UserId,
    channel: Option<&serenity::PartialChannel>,
    in_guild: bool,
    has_bot: bool,
    may: Option<Permissions>,
) -> Place {
    let kind = channel.map(|channel| channel.kind);
    let is_thread =
        matches!(kind, Some(ChannelType::PublicThread | ChannelType::PrivateThread | ChannelType::NewsThread));
    let may_attach = may.is_none_or(|may| may.contains(Permissions::ATTACH_FILES));
    Place { is_thread, is_direct: !in_guild, has_bot, may_attach, is_private: false, asker }
}

fn guild_installed(owners: &[AuthorizingIntegrationOwner]) -> bool {
    // Older payloads name no owners; then only guilds could add a bot.
    owners.is_empty() || owners.iter().any(|owner| matches!(owner, AuthorizingIntegrationOwner::GuildInstall(_)))
}

macro_rules! asked {
    ($kind:ty, $interaction:ident => $has_bot:expr) => {
        impl<'a> From<&'a $kind> for Asked<'a> {
            fn from($interaction: &'a $kind) -> Self {
                let member = $interaction.member.as_ref().and_then(|member| member.permissions);
                let in_guild = $interaction.guild_id.is_some();
                let channel = $interaction.channel.as_ref();
                Self {
                    id: $interaction.id,
                    token: &$interaction.token,
                    user: &$interaction.user,
                    channel: $interaction.channel_id,
                    locale: Locale::read(&$interaction.locale),
                    guild_locale: $interaction.guild_locale.as_deref().map(Locale::read),
                    place: place($interaction.user.id, channel, in_guild, $has_bot, $interaction.app_permissions),
                    permissions: $interaction.app_permissions,
                    is_moderator: member.is_some_and(|may| may.contains(Permissions::MANAGE_MESSAGES)),
                }
            }
        }
    };
}

/// Who brought the bot to where a dialog was opened: the library does not read it of the dialog's own
/// interaction, only of the message's.
fn owners_of(message: Option<&serenity::Message>) -> &[AuthorizingIntegrationOwner] {
    use serenity::MessageInteractionMetadata::{Command, Component, ModalSubmit};
    match message.and_then(|message| message.interaction_metadata.as_deref()) {
        Some(Command(asked)) => &asked.authorizing_integration_owners.0,
        Some(Component(pressed)) => &pressed.authorizing_integration_owners.0,
        Some(ModalSubmit(submitted)) => &submitted.authorizing_integration_owners.0,
        _ => &[],
    }
}

asked!(serenity::CommandInteraction, it => guild_installed(&it.authorizing_integration_owners.0));
asked!(serenity::ComponentInteraction, it => guild_installed(&it.authorizing_integration_owners.0));
asked!(serenity::ModalInteraction, it => guild_installed(owners_of(it.message.as_deref())));
