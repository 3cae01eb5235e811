//! The bot as a program: on Discord where there is a token, else in a playground on this machine.
//!
//! The playground is the sandbox with the real bot in it and one person, whose messages to the bot are
//! the lines typed here: slash commands, plain lines, changes to the last answer, button presses.

use crate::app::App;
use crate::discord::{self, Config};
use crate::message::Problem;
use crate::msg;
use crate::sandbox::{Person, Rules, Sandbox, Shown, Silence};
use crate::text::{self, Locale, tr};
use rustyline::completion::Completer;
use rustyline::error::ReadlineError;
use rustyline::history::DefaultHistory;
use rustyline::{Context, Editor, Helper, Highlighter, Hinter, Validator};
use std::io::{self, BufRead, IsTerminal};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;
use tokio::runtime::{Builder, Runtime};

/// How long the bot may take to come up in the playground.
const START: Duration = Duration::from_secs(10);

fn setting(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// Runs the bot until it is told to stop. Without a token and unless it `only_serves`, lines are read
/// from the terminal, or from standard input to its end.
pub fn run(app: App, only_serves: bool) -> ExitCode {
    // A missing .env is no fault; the environment wins over it.
    let _ = dotenvy::dotenv();
    let locale = Locale::read(&setting("HEADROOM_LOCALE").unwrap_or_default());
    let ended = Config::read(setting).and_then(|config| {
        discord::log(setting, if config.is_some() || only_serves { "info" } else { "error" });
        let app: &'static App = Box::leak(Box::new(app));
        let is_playground = config.is_none() && !only_serves;
        let runtime = runtime(is_playground).map_err(|error| broken(&error))?;
        let _inside = runtime.enter();
        let stop = stop_signal().map_err(|error| broken(&error))?;
        match config {
            Some(config) => runtime.block_on(discord::serve(config, app, stop)),
            None if only_serves => runtime.block_on(serve_here(app, locale, stop)),
            None => playground(&runtime, app, locale),
        }
    });
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            eprintln!("{}", text::say(locale, &problem.message));
            ExitCode::FAILURE
        }
    }
}

/// One thread hears and sends; questions are worked out beside it. A playground's goes on while a line is typed.
fn runtime(is_playground: bool) -> io::Result<Runtime> {
    let mut builder = if is_playground { Builder::new_multi_thread() } else { Builder::new_current_thread() };
    builder.enable_all().build()
}

fn broken(error: &io::Error) -> Problem {
    Problem::new(msg!("console-broken", error = error.to_string()))
}

/// Ends when somebody asks the program to stop. Listens from the call on, not from the first poll.
#[cfg(unix)]
fn stop_signal() -> io::Result<impl Future<Output = ()> + Send + 'static> {
    use tokio::signal::unix::{SignalKind, signal};
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}

#[cfg(not(unix))]
fn stop_signal() -> io::Result<impl Future<Output = ()> + Send + 'static> {
    Ok(async {
        // Without a handler the interrupt ends the program by itself.
        let _ = tokio::signal::ctrl_c().await;
    })
}

/// A sandbox, and the settings of a bot in it.
async fn sandbox(locale: Locale) -> Result<(Sandbox, Config), Problem> {
    let rules = Rules::default();
    let log = setting("HEADROOM_SANDBOX_LOG").map(PathBuf::from);
    let token = rules.token.clone().into();
    let sandbox = Sandbox::start(rules, log.as_deref()).await.map_err(|error| broken(&error))?;
    let api_base = Some(sandbox.base().to_owned());
    Ok((sandbox, Config { token, api_base, guild: None, message_content: false, locale }))
}

async fn serve_here(
    app: &'static App,
    locale: Locale,
    stop: impl Future<Output = ()> + Send + 'static,
) -> Result<(), Problem> {
    let (sandbox, config) = sandbox(locale).await?;
    println!("{}", text::say(locale, &msg!("console-serving", base = sandbox.base())));
    discord::serve(config, app, stop).await
}

fn playground(runtime: &Runtime, app: &'static App, locale: Locale) -> Result<(), Problem> {
    let (sandbox, config) = runtime.block_on(sandbox(locale))?;
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let bot = runtime.spawn(discord::serve(config, app, async {
        let _ = stopped.await;
    }));
    if runtime.block_on(sandbox.registered(START)).is_none() {
        return Err(Problem::new(msg!("console-no-bot")));
    }
    let person = sandbox.person("You", locale.tag());
    let mut console = Console { runtime, person: person.at(sandbox.direct(&person)), locale, last: None };
    let read = if io::stdin().is_terminal() { console.converse(app) } else { console.read_all() };
    let _ = stop.send(());
    let ended = runtime.block_on(bot);
    read.map_err(|error| broken(&error))?;
    ended.unwrap_or(Ok(()))
}

struct Console<'a> {
    runtime: &'a Runtime,
    person: Person,
    locale: Locale,
    /// The answer whose buttons are within reach.
    last: Option<Shown>,
}

type LineEditor = Editor<Completion, DefaultHistory>;

impl Console<'_> {
    fn converse(&mut self, app: &'static App) -> io::Result<()> {
        println!("{}", tr(self.locale, "console-intro"));
        let mut editor = LineEditor::new().map_err(io::Error::other)?;
        editor.set_helper(Some(Completion(app)));
        loop {
            match editor.readline("› ") {
                Ok(line) => {
                    // History is a convenience; a line that is not kept is no loss.
                    let _ = editor.add_history_entry(&line);
                    let shown = self.say(&line);
                    self.show(shown, &mut |label| editor.readline(label).ok());
                }
                Err(ReadlineError::Interrupted | ReadlineError::Eof) => return Ok(()),
                Err(error) => return Err(io::Error::other(error)),
            }
        }
    }

    fn read_all(&mut self) -> io::Result<()> {
        let mut lines = io::stdin().lock().lines();
        while let Some(line) = lines.next() {
            let shown = self.say(&line?);
            self.show(shown, &mut |_| lines.next()?.ok());
        }
        Ok(())
    }

    /// One line of a person: a slash command, a press, or a message.
    fn say(&self, line: &str) -> Option<Result<Shown, Silence>> {
        let line = line.trim();
        let pressed = |verb: &str| Some((self.last.as_ref()?, line.strip_prefix(verb)?.trim()));
        let answer = if line.is_empty() {
            return None;
        } else if line.starts_with('/') {
            self.runtime.block_on(self.person.slash(line))
        } else if let Some((last, label)) = pressed("press ") {
            self.runtime.block_on(self.person.press(last, label))
        } else if let Some((last, label)) = pressed("choose ") {
            self.runtime.block_on(self.person.choose(last, label))
        } else {
            let id = self.person.say(line);
            self.runtime.block_on(self.person.reply_to(id))
        };
        Some(answer)
    }

    /// Prints what came, and fills in a dialog where one opened.
    fn show(&mut self, answer: Option<Result<Shown, Silence>>, ask: &mut dyn FnMut(&str) -> Option<String>) {
        match answer {
            None => {}
            Some(Err(silence)) => println!("{silence}"),
            Some(Ok(dialog)) if dialog.is_modal() => {
                print!("{dialog}");
                let Some(words) = ask("  ") else { return };
                let answer = self.runtime.block_on(self.person.submit(&dialog, self.last.as_ref(), &[&words]));
                self.show(Some(answer), &mut |_| None);
            }
            Some(Ok(shown)) => {
                println!("{shown}");
                if !shown.buttons().is_empty() {
                    self.last = Some(shown);
                }
            }
        }
    }
}

/// Completes verbs, slash commands, knobs and their values.
#[derive(Helper, Hinter, Highlighter, Validator)]
struct Completion(&'static App);

impl Completer for Completion {
    type Candidate = String;

    fn complete(&self, line: &str, end: usize, _: &Context<'_>) -> rustyline::Result<(usize, Vec<String>)> {
        Ok(self.0.words(&line[..end], false))
    }
}
