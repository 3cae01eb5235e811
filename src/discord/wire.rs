//! Requests to Discord, made again until they are taken or their time is up.

use poise::serenity_prelude as serenity;
use serde_json::Value;
use serenity::http::{ErrorResponse, Http, HttpError, LightMethod, Request, Route};
use std::sync::LazyLock;
use std::time::Duration;
use tokio::sync::Semaphore;
use tokio::time::Instant;

/// Requests under way at once: with more, connections wait for each other and some for seconds.
static LINES: Semaphore = Semaphore::const_new(64);
/// For what stands in Discord's place, see [`once`].
static CLIENT: LazyLock<reqwest::Client> = LazyLock::new(reqwest::Client::new);
/// For everything that is not bound by an interaction's 3 s.
pub(super) const LATER: Duration = Duration::from_secs(20);
/// Discord's code where a bot may write, but not reply: it may not read what was written before.
const NO_HISTORY: isize = 160_002;

/// Why something could not be done; it is logged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    /// The bot may not do that there.
    Forbidden,
    /// Discord's code for what it does not take.
    Rejected(isize),
    /// Discord is busy or away.
    Failed,
}

/// An attempt that came to nothing.
struct Trouble {
    /// Status and Discord's code, where it answered.
    refused: Option<(u16, isize)>,
    /// How long it asks to be left alone.
    wait: Option<Duration>,
}

impl From<serenity::Error> for Trouble {
    fn from(error: serenity::Error) -> Self {
        Self { refused: refusal_of(&error), wait: None }
    }
}

/// Status and Discord's code. Never the error's own text: it may hold an interaction's token.
pub(super) fn refusal_of(error: &serenity::Error) -> Option<(u16, isize)> {
    match error {
        serenity::Error::Http(HttpError::UnsuccessfulRequest(ErrorResponse { status_code, error, .. })) => {
            Some((status_code.as_u16(), error.code))
        }
        _ => None,
    }
}

/// Reads something of Discord's.
pub(super) async fn read<T: serde::de::DeserializeOwned>(
    http: &Http,
    what: &str,
    route: Route<'_>,
    query: Option<Vec<(&'static str, String)>>,
) -> Result<T, Refusal> {
    let request = || Request::new(route, LightMethod::Get).params(query.clone());
    let body = insist(http, what, LATER, request).await?.bytes().await.map_err(|_| Refusal::Failed)?;
    serde_json::from_slice(&body).map_err(|_| Refusal::Failed)
}

/// Tries again while Discord is busy or unreachable, until the time is up.
pub(super) async fn insist<'a>(
    http: &Http,
    what: &str,
    within: Duration,
    request: impl Fn() -> Request<'a>,
) -> Result<reqwest::Response, Refusal> {
    let deadline = Instant::now() + within;
    let mut pause = Duration::from_millis(50);
    loop {
        let attempt = async {
            let _line = LINES.acquire().await;
            once(http, request()).await
        };
        let Trouble { refused, wait } = match tokio::time::timeout_at(deadline, attempt).await {
            Ok(Ok(done)) => return Ok(done),
            Ok(Err(trouble)) => trouble,
            Err(_) => {
                tracing::error!(what, "Discord did not answer in time");
                return Err(Refusal::Failed);
            }
        };
        let wait = wait.unwrap_or(pause);
        match refused {
            Some((403, code) | (_, code @ NO_HISTORY)) => {
                tracing::warn!(what, code, "not permitted");
                return Err(Refusal::Forbidden);
            }
            Some((status, code)) if status != 429 && status < 500 => {
                tracing::error!(what, status, code, "Discord refused");
                return Err(Refusal::Rejected(code));
            }
            _ if Instant::now() + wait >= deadline => {
                tracing::error!(what, status = refused.map(|(status, _)| status), "Discord could not be reached");
                return Err(Refusal::Failed);
            }
            _ => tokio::time::sleep(wait).await,
        }
        pause = (pause * 2).min(Duration::from_secs(2));
    }
}

/// One attempt. The library's rate limiter waits as long as a 429 says; where it is off, since something
/// stands in Discord's place, the library does not tell how long that is.
async fn once(http: &Http, request: Request<'_>) -> Result<reqwest::Response, Trouble> {
    if http.ratelimiter.is_some() {
        return Ok(http.request(request).await?);
    }
    let unreachable = |_| Trouble { refused: None, wait: None };
    let request = request.build(&CLIENT, http.token(), http.proxy.as_deref())?;
    let response = request.send().await.map_err(unreachable)?;
    if response.status().is_success() {
        return Ok(response);
    }
    let status = response.status().as_u16();
    // Whole seconds, and the only word of what stands before Discord.
    let header = response.headers().get("Retry-After").and_then(|seconds| seconds.to_str().ok()?.parse().ok());
    let body: Value = serde_json::from_slice(&response.bytes().await.unwrap_or_default()).unwrap_or_default();
    let wait = body["retry_after"].as_f64().or(header).and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    let code = body["code"].as_i64().and_then(|code| isize::try_from(code).ok()).unwrap_or_default();
    Err(Trouble { refused: Some((status, code)), wait })
}
