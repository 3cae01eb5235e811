//! Logs: what happened, never what was said, never a token.

use tracing_subscriber::EnvFilter;

/// These print whole requests, and with them interactions' tokens, below this level.
const TALKATIVE: &str = "serenity=warn,poise=warn,reqwest=warn,hyper=warn,hyper_util=warn,tungstenite=warn,h2=warn";

/// Starts logging to standard error: `HEADROOM_LOG` filters, `HEADROOM_LOG_FORMAT` is `text` or `json`.
pub fn start(setting: impl Fn(&str) -> Option<String>, otherwise: &str) {
    let asked = setting("HEADROOM_LOG").unwrap_or_else(|| otherwise.to_owned());
    // What comes later in a filter wins.
    let filter = EnvFilter::builder().parse_lossy(format!("{asked},{TALKATIVE}"));
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    // A second start in one process keeps the first.
    let _ = match setting("HEADROOM_LOG_FORMAT").as_deref() {
        Some("json") => log.json().try_init(),
        _ => log.try_init(),
    };
}
