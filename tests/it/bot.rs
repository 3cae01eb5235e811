//! The real program against the sandbox: what people type, and what they see.
//!
//! An interaction that gets no answer fails its test. Nothing here sleeps: each step waits for what
//! must happen, and fails when it does not.

mod conversation;
mod service;
mod transcript;

use headroom::sandbox::{Rules, Sandbox};
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;
use tokio::io::AsyncReadExt;
use tokio::process::{Child, Command};

/// Longer than anything here takes on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// A sandbox and the program that runs against it.
struct Stage {
    sandbox: Sandbox,
    bot: Child,
}

/// The program with settings, in an empty folder, its streams piped.
fn program(sandbox: &Sandbox, token: &str, settings: &[(&str, &str)]) -> Child {
    let mut command = Command::new(env!("CARGO_BIN_EXE_headroom"));
    command.arg("serve").env_clear().current_dir(std::env::temp_dir());
    command.env("DISCORD_TOKEN", token).env("DISCORD_API_BASE", sandbox.base());
    command.envs(settings.iter().copied()).kill_on_drop(true);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
    command.spawn().expect("the program was built")
}

/// A sandbox that logs where CI wants it.
async fn sandbox(rules: Rules) -> Sandbox {
    let log = std::env::var_os("HEADROOM_SANDBOX_LOG").map(PathBuf::from);
    Sandbox::start(rules, log.as_deref()).await.expect("a free port of 127.0.0.1")
}

impl Stage {
    async fn new() -> Self {
        Self::with(Rules::default(), &[]).await
    }
    async fn with(rules: Rules, settings: &[(&str, &str)]) -> Self {
        let token = rules.token.clone();
        let sandbox = sandbox(rules).await;
        let bot = program(&sandbox, &token, settings);
        let stage = Self { sandbox, bot };
        stage.is_up().await;
        stage
    }
    async fn is_up(&self) -> Vec<String> {
        self.sandbox.registered(PATIENCE).await.expect("the bot registers its commands")
    }

    /// Stops the program as a service manager does; gives its exit status and what it logged.
    async fn stop(&mut self) -> (Option<i32>, String) {
        terminate(&self.bot);
        ended(&mut self.bot).await
    }
    /// The same sandbox with a new process of the bot.
    async fn restart(&mut self) {
        assert_eq!(self.stop().await.0, Some(0));
        self.sandbox.forget_commands();
        self.bot = program(&self.sandbox, &Rules::default().token, &[]);
        self.is_up().await;
    }
}

fn terminate(child: &Child) {
    let id = child.id().expect("it still runs").to_string();
    let sent = std::process::Command::new("kill").args(["-TERM", &id]).status();
    assert!(sent.expect("there is a kill").success());
}

/// Exit status and standard error.
async fn ended(child: &mut Child) -> (Option<i32>, String) {
    let mut log = String::new();
    let mut stderr = child.stderr.take().expect("it is piped");
    let end = async {
        stderr.read_to_string(&mut log).await.expect("logs are text");
        child.wait().await.expect("it can be waited for")
    };
    let status = tokio::time::timeout(PATIENCE, end).await.expect("the program ends");
    (status.code(), log)
}
