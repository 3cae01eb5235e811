//! The program: the bot, the console, one line answered, or a service over files.

use clap::{Args, Parser, Subcommand};
use headroom::app::App;
use headroom::catalog::{Catalog, check};
use headroom::commands::COMMANDS;
use headroom::message::Problem;
use headroom::msg;
use headroom::text::{Locale, say};
use headroom::view::{report, terminal};
use headroom::{answer, batch, validate};
use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

/// The catalog is many small pieces: they are read a sixth faster than from the system's allocator.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// What training or serving a language model takes: memory, compute, time, hardware.
#[derive(Parser)]
#[command(
    version,
    about,
    disable_help_subcommand = true,
    after_help = "Examples:
  headroom train llama-3-8b method=qlora seq=4096 gpu=rtx-4090-24gb
  headroom infer qwen2.5-72b quant=awq seq=32k concurrency=64 gpu=2xa100-80gb
  headroom help zero"
)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    line: LineArgs,
}

#[derive(Args)]
struct LineArgs {
    /// A line: a verb (train, infer, model, gpu, fit, compare, explain, recipe, help) and knobs.
    #[arg(value_name = "LINE")]
    words: Vec<String>,
    /// Print one JSON object.
    #[arg(long)]
    json: bool,
    /// Language of the answer: en or zh-CN.
    #[arg(long, env = "HEADROOM_LOCALE", default_value = "en")]
    lang: String,
}

#[derive(Subcommand)]
enum Command {
    /// Run the bot: against Discord where DISCORD_TOKEN is set, else in the local playground.
    Serve,
    /// Answer JSON lines from stdin, one JSON object a line.
    Batch,
    /// Check the whole catalog and list every fault.
    Check,
    /// Score the answers to measured cases: CSV files with a `line` column.
    Validate {
        #[arg(required = true)]
        files: Vec<PathBuf>,
        /// Leave each value of this column out in turn, fit the constants on the rest, and score on it.
        #[arg(long, value_name = "COLUMN")]
        leave_out: Option<String>,
        /// Print the constants as fitted to all rows.
        #[arg(long)]
        fit: bool,
        /// Write the scores, left-out ones beside them, to this Markdown file.
        #[arg(long, value_name = "FILE")]
        write: Option<PathBuf>,
    },
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    match cli.command {
        Some(Command::Batch) => batch(),
        Some(Command::Check) => check(Locale::read(&cli.line.lang)),
        Some(Command::Validate { files, leave_out, fit, write }) => {
            match validate::run(&files, &validate::Options { leave_out, fit, write }) {
                Ok(report) => print(&report.to_string()),
                Err(error) => fail(&error),
            }
        }
        Some(Command::Serve) => serve(true),
        None if cli.line.words.is_empty() => serve(false),
        None => one_line(&cli.line),
    }
}

fn app() -> App {
    App::new(Catalog::embedded(), COMMANDS)
}

fn one_line(args: &LineArgs) -> ExitCode {
    let app = app();
    let locale = Locale::read(&args.lang);
    let answered = app.ask(&args.words.join(" ")).and_then(|asked| {
        let answer = app.answer(&asked)?;
        Ok((asked, answer))
    });
    match answered {
        Ok((asked, answer)) if args.json => print(&answer::whole(&asked, answer.as_ref(), locale).to_string()),
        Ok((asked, answer)) => {
            print(&terminal::draw(&app.view(&asked, answer.as_ref(), locale), terminal::Screen::stdout()))
        }
        Err(problem) => {
            if args.json {
                print(&answer::problem(&problem, locale).to_string());
            }
            complain(&problem, locale)
        }
    }
}

fn complain(problem: &Problem, locale: Locale) -> ExitCode {
    eprintln!("{}", terminal::draw(&report::problem(locale, problem), terminal::Screen::stdout()).trim_end());
    ExitCode::from(2)
}

/// A reader that went away (`| head`) is no fault of ours.
fn print(text: &str) -> ExitCode {
    let mut out = io::stdout().lock();
    let _gone = writeln!(out, "{}", text.trim_end());
    ExitCode::SUCCESS
}

fn batch() -> ExitCode {
    match batch::run(&app(), io::stdin().lock(), io::BufWriter::new(io::stdout().lock())) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(error) => fail(&error),
    }
}

fn check(locale: Locale) -> ExitCode {
    let report = check::check(Catalog::embedded());
    for fault in &report.faults {
        println!("{}", say(locale, fault));
    }
    let faults = report.faults.len();
    let (exact, published) = (report.exact, report.published);
    let (summary, code) = match faults {
        0 => (msg!("check-passed", exact = exact, published = published), ExitCode::SUCCESS),
        _ => (msg!("check-failed", exact = exact, published = published, faults = faults), ExitCode::FAILURE),
    };
    println!("{}", say(locale, &summary));
    code
}

fn fail(error: &dyn std::fmt::Display) -> ExitCode {
    eprintln!("{error}");
    ExitCode::FAILURE
}

/// The bot. Without a token, in a playground: with a console, unless it `only_serves`.
#[cfg(all(feature = "discord", feature = "sandbox"))]
fn serve(only_serves: bool) -> ExitCode {
    headroom::console::run(app(), only_serves)
}

#[cfg(not(all(feature = "discord", feature = "sandbox")))]
fn serve(_only_serves: bool) -> ExitCode {
    fail(&"this program was built without the bot; give it a line, such as: headroom train llama-3-8b")
}
