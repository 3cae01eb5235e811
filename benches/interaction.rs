//! CPU time, memory and start of the bot in the sandbox, beside a bot that does nothing but answer.
//!
//! `cargo bench --bench interaction`: each runs in a process of its own, one interaction after another; the same line
//! over and over finds its search and its picture done, another line each time finds nothing.

use headroom::sandbox::{Rules, Sandbox};
use poise::serenity_prelude as serenity;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

const PATIENCE: Duration = Duration::from_secs(60);
const INTERACTIONS: u32 = 500;
/// Set for the process that plays the bot that does nothing.
const NO_OP: &str = "HEADROOM_BENCH_NO_OP";

fn main() {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    match std::env::var(NO_OP) {
        Ok(base) => runtime.block_on(no_op(&base)),
        Err(_) => runtime.block_on(compare()),
    }
}

async fn compare() {
    let no_op = std::env::current_exe().expect("this program has a path");
    let headroom = || Command::new(env!("CARGO_BIN_EXE_headroom"));
    let line = "/train model:meta-llama/Meta-Llama-3-8B method:full gpu:a100-sxm-80gb gpus:8";
    let base = measure("a bot that does nothing", Command::new(no_op), |_| "/train model:x".to_owned()).await;
    let warm = measure("headroom, the same line", headroom(), |_| line.to_owned()).await;
    let cold = measure("headroom, another line each time", headroom(), |n| format!("{line} seq:{}", 1024 + n)).await;
    println!("{:.1} times the CPU for the same line, {:.1} for another each time", warm / base, cold / base);
}

/// Microseconds of CPU per interaction.
async fn measure(name: &str, mut command: Command, line: impl Fn(u32) -> String) -> f64 {
    let rules = Rules::default();
    let token = rules.token.clone();
    let sandbox = Sandbox::start(rules, None).await.expect("a free port");
    command.env(NO_OP, sandbox.base()).env("DISCORD_API_BASE", sandbox.base()).env("DISCORD_TOKEN", token);
    command.stdout(Stdio::null()).stderr(Stdio::null());
    let start = Instant::now();
    let mut bot = command.spawn().expect("the program starts");
    sandbox.registered(PATIENCE).await.expect("the bot registers");
    let up = start.elapsed();
    // Each person may ask only so much; warm caches first.
    let ask = async |n: u32| {
        let person = sandbox.person(&format!("P{n}"), "en-US");
        person.slash(&line(n)).await.expect("an answer");
    };
    ask(0).await;
    let before = cpu(&bot);
    let start = Instant::now();
    for n in 1..=INTERACTIONS {
        ask(n).await;
    }
    let (used, took) = (cpu(&bot) - before, start.elapsed());
    let (each, memory) = (used.as_secs_f64() * 1e6 / f64::from(INTERACTIONS), memory(&bot));
    println!(
        "{name}: registered after {:.0} ms; {each:.0} µs of CPU and {:.0} µs on the clock per interaction; {memory:.1} MiB",
        up.as_secs_f64() * 1e3,
        took.as_secs_f64() * 1e6 / f64::from(INTERACTIONS),
    );
    bot.kill().expect("it still runs");
    let _ = bot.wait();
    each
}

/// User and system time of a process, from Linux's table of it.
fn cpu(child: &Child) -> Duration {
    const TICKS_PER_SECOND: f64 = 100.0;
    let stat = std::fs::read_to_string(format!("/proc/{}/stat", child.id())).expect("it runs, on Linux");
    // The name, in brackets, may hold spaces; time in user and in kernel mode are the 12th and 13th after it.
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    let ticks: f64 = [11, 12].iter().filter_map(|at| fields.get(*at)?.parse::<f64>().ok()).sum();
    Duration::from_secs_f64(ticks / TICKS_PER_SECOND)
}

fn memory(child: &Child) -> f64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", child.id())).expect("it runs, on Linux");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap_or_default();
    line.trim().trim_end_matches(" kB").parse::<f64>().unwrap_or(0.0) / 1024.0
}

/// A poise bot with one command, which answers with one embed.
async fn no_op(base: &str) {
    type Error = serenity::Error;
    #[poise::command(slash_command)]
    async fn train(context: poise::Context<'_, (), Error>, model: String) -> Result<(), Error> {
        let embed = serenity::CreateEmbed::new().title(model).field("a", "b", true).field("c", "d", true);
        context.send(poise::CreateReply::default().embed(embed)).await.map(drop)
    }
    let options = poise::FrameworkOptions { commands: vec![train()], ..Default::default() };
    let framework = poise::Framework::builder().options(options).setup(|context, _, framework| {
        Box::pin(poise::builtins::register_globally(context, &framework.options().commands))
    });
    let http = serenity::HttpBuilder::new(Rules::default().token).proxy(base).ratelimiter_disabled(true).build();
    // Told of the same events: its own message among them.
    let intents = serenity::GatewayIntents::GUILDS
        | serenity::GatewayIntents::GUILD_MESSAGES
        | serenity::GatewayIntents::DIRECT_MESSAGES;
    let client = serenity::ClientBuilder::new_with_http(http, intents);
    let mut client = client.framework(framework.build()).await.expect("the library starts");
    client.start().await.expect("the sandbox answers");
}
