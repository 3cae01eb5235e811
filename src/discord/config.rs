//! Settings of the bot: the environment, with `.env` read into it beforehand.

use crate::message::Problem;
use crate::msg;
use crate::text::Locale;
use poise::serenity_prelude::GuildId;
use std::fmt;

/// The bot's token. It shows itself to nobody but Discord.
#[derive(Clone)]
pub struct Token(String);

impl Token {
    pub(super) fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(hidden)")
    }
}

impl From<String> for Token {
    fn from(token: String) -> Self {
        Self(token)
    }
}

#[derive(Clone, Debug)]
pub struct Config {
    pub token: Token,
    /// Base URL in place of Discord's.
    pub api_base: Option<String>,
    /// Register commands in this guild at once, instead of globally.
    pub guild: Option<GuildId>,
    /// Ask for the privileged intent.
    pub message_content: bool,
    /// Where nothing tells what somebody reads.
    pub locale: Locale,
}

impl Config {
    /// `None` without a token: then there is nobody to be on Discord.
    pub fn read(setting: impl Fn(&str) -> Option<String>) -> Result<Option<Self>, Problem> {
        let setting = |name: &str| setting(name).map(|text| text.trim().to_owned()).filter(|text| !text.is_empty());
        let bad = |name: &str| Problem::new(msg!("discord-bad-setting", name = name));
        let token = match (setting("DISCORD_TOKEN"), setting("DISCORD_TOKEN_FILE")) {
            (Some(token), _) => token,
            (None, Some(path)) => std::fs::read_to_string(&path)
                .map_err(|error| {
                    Problem::new(msg!("discord-token-file", path = path.as_str(), error = error.to_string()))
                })?
                .trim()
                .to_owned(),
            (None, None) => return Ok(None),
        };
        // Such a token cannot stand in a header; Discord would never see it.
        if token.is_empty() || token.contains(|c: char| c.is_whitespace() || !c.is_ascii_graphic()) {
            return Err(bad("DISCORD_TOKEN"));
        }
        let api_base = setting("DISCORD_API_BASE").map(|base| base.trim_end_matches('/').to_owned());
        if api_base.as_deref().is_some_and(|base| !is_base(base)) {
            return Err(bad("DISCORD_API_BASE"));
        }
        let guild = match setting("DISCORD_GUILD_ID") {
            Some(id) => Some(id.parse().map_err(|_| bad("DISCORD_GUILD_ID"))?),
            None => None,
        };
        let message_content = match setting("DISCORD_MESSAGE_CONTENT").as_deref() {
            None | Some("off") => false,
            Some("on") => true,
            Some(_) => return Err(bad("DISCORD_MESSAGE_CONTENT")),
        };
        let locale = setting("HEADROOM_LOCALE").map_or(Locale::default(), |tag| Locale::read(&tag));
        Ok(Some(Self { token: token.into(), api_base, guild, message_content, locale }))
    }
}

/// `http://host:port` or `https://host/path`: the client library ignores what it cannot parse.
fn is_base(text: &str) -> bool {
    let host = text.strip_prefix("http://").or_else(|| text.strip_prefix("https://"));
    host.is_some_and(|host| {
        host.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '[')
            && !host.contains(|c: char| c.is_whitespace() || matches!(c, '?' | '#' | '@'))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(settings: &[(&str, &str)]) -> Result<Option<Config>, Problem> {
        Config::read(|name| settings.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned()))
    }

    #[test]
    fn without_a_token_there_is_no_bot() {
        assert!(read(&[]).unwrap().is_none());
        assert!(read(&[("DISCORD_TOKEN", "  ")]).unwrap().is_none());
    }

    #[test]
    fn a_malformed_setting_is_refused_by_its_name() {
        for (name, value) in [
            ("DISCORD_TOKEN", "two words"),
            ("DISCORD_API_BASE", "localhost:4000"),
            ("DISCORD_API_BASE", "http://"),
            ("DISCORD_API_BASE", "http://user@host"),
            ("DISCORD_GUILD_ID", "lab"),
            ("DISCORD_MESSAGE_CONTENT", "maybe"),
        ] {
            let problem = read(&[(name, value), ("DISCORD_TOKEN", "secret")]).unwrap_err();
            assert_eq!(problem.message, msg!("discord-bad-setting", name = name));
        }
    }

    #[test]
    fn the_token_is_in_no_debug_output() {
        let config =
            read(&[("DISCORD_TOKEN", "secret"), ("DISCORD_API_BASE", "http://127.0.0.1:4000/")]).unwrap().unwrap();
        assert!(!format!("{config:?}").contains("secret"));
        assert_eq!(config.api_base.as_deref(), Some("http://127.0.0.1:4000"));
    }
}
