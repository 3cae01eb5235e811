//! The bot as a service: coming up, answering, trouble with Discord, going down.

use super::transcript::Transcript;
use super::{PATIENCE, Stage, ended, program, sandbox, terminate};
use headroom::sandbox::{Fault, Rules, Silence};
use std::time::Duration;

const LLAMA: &str = "meta-llama/Meta-Llama-3-8B";

#[tokio::test]
async fn commands_are_registered_and_answered() {
    let stage = Stage::new().await;
    let mut names = stage.is_up().await;
    names.sort();
    assert_eq!(
        names,
        ["Estimate this", "compare", "explain", "fit", "gpu", "help", "infer", "model", "recipe", "train", "tweak"]
    );
    let ann = stage.sandbox.person("Ann", "en-US");
    let mut script = Transcript::default();
    for line in [
        "/train model:meta-llama/Meta-Llama-3-8B method:full gpu:a100-sxm-80gb gpus:8 seq:4096 batch:1 zero:3",
        "/infer model:Qwen/Qwen2.5-7B-Instruct gpu:rtx-4090-24gb backend:vllm seq:8192",
        "/model model:meta-llama/Meta-Llama-3-8B",
        "/gpu gpu:h100-sxm-80gb",
        "/fit gpu:rtx-4090-24gb gpus:2",
        "/compare first:infer meta-llama/Meta-Llama-3-8B gpu=h100-sxm-80gb second:infer meta-llama/Meta-Llama-3-8B gpu=rtx-4090-24gb",
        "/explain",
        "/recipe",
        "/tweak change:seq=2048",
        "/help",
        "/help topic:zero",
    ] {
        script.slash(&ann, line).await;
    }
    insta::assert_snapshot!("every_command", script.text());
}

#[tokio::test]
async fn an_answer_carries_its_line_and_a_picture() {
    let stage = Stage::new().await;
    let ann = stage.sandbox.person("Ann", "en-US");
    let shown = ann.slash(&format!("/train model:{LLAMA} gpu:a100-sxm-80gb gpus:8")).await.unwrap();
    assert!(!shown.is_ephemeral());
    assert_eq!(shown.line(), Some("train meta-llama/Meta-Llama-3-8B gpu=a100-sxm-80gb gpus=8"));
    let (url, alternative) = shown.image().expect("a picture of the memory");
    assert!(stage.sandbox.file(url).unwrap().starts_with(b"\x89PNG\r\n"), "{url} is a PNG");
    assert!(alternative.contains("GiB"), "{alternative}");
}

#[tokio::test]
async fn suggestions_come_while_typing() {
    let stage = Stage::new().await;
    let ann = stage.sandbox.person("Ann", "en-US");
    let models = ann.complete("/train model:meta-llama-3-8").await.unwrap();
    assert!(models.choices().contains(&LLAMA), "{:?}", models.choices());
    let cards = ann.complete("/infer model:llama gpu:h100").await.unwrap();
    assert!(cards.choices().iter().any(|card| card.starts_with("h100")), "{:?}", cards.choices());
    for odd in ["", "🦙", "序列", "千问", "\u{202e}x"] {
        let few = ann.complete(&format!("/train model:{odd}")).await.unwrap();
        assert!(few.choices().len() <= 25);
    }
    for (typed, expect) in [
        ("/fit gpu:4090", "rtx-4090-24gb"),
        ("/gpu gpu:mi300", "mi300x-192gb"),
        ("/help topic:chec", "checkpointing"),
        ("/compare first:in", "infer"),
        ("/compare first:infer meta-llama-3-8", "infer meta-llama/Meta-Llama-3-8B"),
        ("/compare first:infer llama3-8b second:train llama3-8b method=q", "train llama3-8b method=qlora"),
        ("/explain line:train llama3-8b gpu=h100", "train llama3-8b gpu=h100-sxm-80gb"),
        ("/recipe line:infer qwen2.5-7b quant=aw", "infer qwen2.5-7b quant=awq"),
        ("/tweak change:", "seq=8192"),
        ("/tweak change:seq=8192 opti", "seq=8192 optimizer=adamw"),
        ("/tweak change:序列\u{3000}zero", "序列\u{3000}zero=3"),
        ("/infer model:llama3-8b more:attn=", "attn=flash"),
    ] {
        let offered = ann.complete(typed).await.unwrap();
        assert!(offered.choices().contains(&expect), "{typed}: {:?}", offered.choices());
    }
}

#[tokio::test]
async fn a_mistake_is_shown_to_the_asker_only() {
    let stage = Stage::new().await;
    let ann = stage.sandbox.person("Ann", "en-US");
    let mut script = Transcript::default();
    for line in [
        "/train model:no-such-model-at-all",
        "/train model:meta-llama/Meta-Llama-3-8B more:zero=7",
        "/infer model:meta-llama/Meta-Llama-3-8B gpu:nosuchcard",
        "/explain line:nonsense",
    ] {
        assert!(script.slash(&ann, line).await.is_ephemeral(), "{line}");
    }
    // What the client itself refuses never gets here.
    for line in ["/train method:full", "/train model:x seq:0", "/train model:x method:magic", "/nosuch"] {
        assert!(matches!(ann.slash(line).await, Err(Silence::NotOffered(_))), "{line}");
    }
    insta::assert_snapshot!("mistakes", script.text());
}

#[tokio::test]
async fn answers_are_in_the_readers_language() {
    let stage = Stage::new().await;
    let mut script = Transcript::default();
    for (name, locale) in [("小明", "zh-CN"), ("小華", "zh-TW")] {
        let person = stage.sandbox.person(name, locale);
        for line in ["/训练 模型:meta-llama/Meta-Llama-3-8B 显卡:a100-sxm-80gb 卡数:8", "/train model:没有这个模型"]
        {
            script.slash(&person, line).await;
        }
    }
    insta::assert_snapshot!("in_chinese", script.text());
    let otto = stage.sandbox.person("Otto", "de");
    assert!(otto.slash("/help").await.unwrap().to_string().contains("train"), "the rest reads English");
}

#[tokio::test]
async fn direct_messages_work_like_a_channel() {
    let stage = Stage::new().await;
    let ann = stage.sandbox.person("Ann", "en-US");
    let ann = ann.at(stage.sandbox.direct(&ann));
    let shown = ann.slash(&format!("/train model:{LLAMA} gpu:a100-sxm-80gb")).await.unwrap();
    assert!(!shown.buttons().contains(&"Discuss in thread"), "there are no threads here");
    let id = ann.say("gpus=8");
    let changed = ann.reply_to(id).await.unwrap();
    assert_eq!(changed.line(), Some("train meta-llama/Meta-Llama-3-8B gpu=a100-sxm-80gb gpus=8"));
    let id = ann.say(&format!("infer {LLAMA} gpu=rtx-4090-24gb"));
    assert_eq!(ann.reply_to(id).await.unwrap().line(), Some("infer meta-llama/Meta-Llama-3-8B gpu=rtx-4090-24gb"));
}

#[tokio::test]
async fn a_busy_or_broken_discord_gets_the_answer_all_the_same() {
    let stage = Stage::new().await;
    let ann = stage.sandbox.person("Ann", "en-US");
    for fault in [
        Fault::RateLimit { retry_after: 0.1, scope: "shared" },
        Fault::RateLimit { retry_after: 0.1, scope: "global" },
        Fault::Status(500),
        Fault::Status(502),
        Fault::Drop,
    ] {
        stage.sandbox.plan("/callback", fault.clone(), 2);
        let shown = ann.slash(&format!("/train model:{LLAMA}")).await;
        assert!(shown.is_ok_and(|shown| shown.line().is_some()), "{fault:?}");
        assert!(stage.sandbox.faults_met(PATIENCE).await, "{fault:?}");
    }
}

#[tokio::test]
async fn a_rate_limit_is_waited_out() {
    let stage = Stage::new().await;
    let ann = stage.sandbox.person("Ann", "en-US");
    stage.sandbox.plan("/callback", Fault::RateLimit { retry_after: 0.7, scope: "user" }, 2);
    let asked = std::time::Instant::now();
    ann.slash("/help").await.expect("an answer");
    assert!(asked.elapsed() >= Duration::from_millis(1400), "{:?}", asked.elapsed());
}

#[tokio::test]
async fn a_late_answer_is_announced_in_time() {
    let stage = Stage::new().await;
    let ann = stage.sandbox.person("Ann", "en-US");
    ann.slash(&format!("/train model:{LLAMA} gpu:a100-sxm-80gb")).await.unwrap();
    // Looking for the last answer takes longer than Discord waits for a word.
    stage.sandbox.plan("/messages", Fault::Delay(Duration::from_secs(4)), 1);
    let shown = ann.slash("/tweak change:gpus=8").await.expect("an answer");
    assert_eq!(shown.line(), Some("train meta-llama/Meta-Llama-3-8B gpu=a100-sxm-80gb gpus=8"));
    assert!(stage.sandbox.faults_met(PATIENCE).await);
    stage.sandbox.plan("/messages", Fault::Delay(Duration::from_secs(4)), 1);
    let told = ann.slash("/tweak change:zero=7").await.expect("an answer");
    assert!(
        told.is_ephemeral() && told.to_string().contains("zero"),
        "a problem is for the asker's eyes, late or not: {told}"
    );
}

#[tokio::test]
async fn fifty_searches_at_once_are_each_answered_in_time() {
    let stage = Stage::new().await;
    let mut asked = tokio::task::JoinSet::new();
    for n in 1..=50 {
        let person = stage.sandbox.person(&format!("P{n}"), "en-US");
        asked.spawn(async move { person.slash(&format!("/train model:{LLAMA} seq:{}", 64 * n)).await });
    }
    while let Some(shown) = asked.join_next().await {
        assert!(shown.unwrap().expect("a word within 3 s, and the answer").line().is_some());
    }
}

#[tokio::test]
async fn the_connection_comes_back() {
    let stage = Stage::new().await;
    let ann = stage.sandbox.person("Ann", "en-US");
    let works = async || ann.slash("/help").await.expect("an answer after the reconnect");
    // While nobody is connected, Discord keeps events for whoever resumes.
    stage.sandbox.ask_to_reconnect();
    works().await;
    assert!(stage.sandbox.resumed(PATIENCE).await);
    stage.sandbox.drop_socket();
    works().await;
    assert!(stage.sandbox.identified(1, PATIENCE).await);
    stage.sandbox.invalidate_session();
    assert!(stage.sandbox.identified(2, PATIENCE).await, "a dead session is replaced");
    stage.sandbox.connected(PATIENCE).await;
    works().await;
}

#[tokio::test]
async fn a_bad_token_ends_the_program_with_one_sentence() {
    let sandbox = sandbox(Rules::default()).await;
    let secret = "wrong-but-still-secret";
    let (code, said) = ended(&mut program(&sandbox, secret, &[])).await;
    assert_eq!(code, Some(1));
    assert!(said.lines().last().unwrap().contains("DISCORD_TOKEN"), "{said}");
    assert!(!said.contains(secret), "{said}");
}

#[tokio::test]
async fn a_refused_intent_ends_the_program_with_one_sentence() {
    let sandbox = sandbox(Rules::default()).await;
    let mut bot = program(&sandbox, &Rules::default().token, &[("DISCORD_MESSAGE_CONTENT", "on")]);
    let (code, said) = ended(&mut bot).await;
    assert_eq!(code, Some(1));
    assert!(said.lines().last().unwrap().contains("DISCORD_MESSAGE_CONTENT"), "{said}");
}

#[tokio::test]
async fn the_bot_comes_up_once_discord_lets_it() {
    let sandbox = sandbox(Rules::default()).await;
    sandbox.plan("/gateway", Fault::Status(500), 2);
    sandbox.plan("/commands", Fault::Status(500), 1);
    sandbox.plan("/commands", Fault::Garbage, 1);
    let bot = program(&sandbox, &Rules::default().token, &[]);
    let stage = Stage { sandbox, bot };
    stage.is_up().await;
    let ann = stage.sandbox.person("Ann", "en-US");
    assert!(ann.slash("/help").await.is_ok());
}

#[tokio::test]
async fn a_signal_lets_the_answer_under_way_finish() {
    let mut stage = Stage::new().await;
    let ann = stage.sandbox.person("Ann", "en-US");
    // The first attempt fails, so that the signal finds the answer half way.
    stage.sandbox.plan("/callback", Fault::Status(500), 1);
    let asked = tokio::spawn(async move { ann.slash("/help").await });
    assert!(stage.sandbox.faults_met(PATIENCE).await);
    let (code, log) = stage.stop().await;
    assert!(asked.await.unwrap().is_ok(), "{log}");
    assert_eq!(code, Some(0), "{log}");
}

#[tokio::test]
async fn tokens_are_in_no_log() {
    let mut stage = Stage::with(Rules::default(), &[("HEADROOM_LOG", "trace"), ("HEADROOM_LOG_FORMAT", "json")]).await;
    let ann = stage.sandbox.person("Ann", "en-US");
    stage.sandbox.plan("/callback", Fault::Status(400), 1);
    let _ = ann.slash("/help").await;
    let (_, log) = stage.stop().await;
    assert!(log.contains("registered"), "{log}");
    assert!(!log.contains("interaction-token"), "{log}");
    assert!(!log.contains(&Rules::default().token), "{log}");
}

#[tokio::test]
async fn a_silent_socket_is_left_for_a_new_one() {
    let rules = Rules { heartbeat: Duration::from_millis(500), ..Rules::default() };
    let stage = Stage::with(rules, &[]).await;
    stage.sandbox.fall_silent();
    assert!(stage.sandbox.identified(2, PATIENCE).await, "no heartbeat was acknowledged");
    assert!(stage.sandbox.connected(PATIENCE).await);
    let ann = stage.sandbox.person("Ann", "en-US");
    assert!(ann.slash("/help").await.is_ok());
}

#[tokio::test]
async fn without_a_token_the_program_serves_a_playground() {
    let mut command = tokio::process::Command::new(env!("CARGO_BIN_EXE_headroom"));
    command.env_clear().current_dir(std::env::temp_dir()).kill_on_drop(true);
    command.stdin(std::process::Stdio::piped()).stdout(std::process::Stdio::piped());
    let mut program = command.spawn().unwrap();
    let lines = format!("/train model:{LLAMA} gpu:a100-sxm-80gb\ngpus=8\npress Explain\n/nosuch\n");
    let mut stdin = program.stdin.take().unwrap();
    tokio::io::AsyncWriteExt::write_all(&mut stdin, lines.as_bytes()).await.unwrap();
    drop(stdin);
    let output = tokio::time::timeout(PATIENCE, program.wait_with_output()).await.unwrap().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success());
    for line in ["gpu=a100-sxm-80gb gpus=8", "explain ", "no command /nosuch"] {
        assert!(text.contains(line), "{line} in\n{text}");
    }
}

#[tokio::test]
async fn serving_without_a_token_goes_on_until_a_signal() {
    let mut command = tokio::process::Command::new(env!("CARGO_BIN_EXE_headroom"));
    command.arg("serve").env_clear().current_dir(std::env::temp_dir()).kill_on_drop(true);
    command
        .stdin(std::process::Stdio::null())
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped());
    let mut program = command.spawn().unwrap();
    let mut said = tokio::io::BufReader::new(program.stdout.take().unwrap());
    let mut line = String::new();
    let read = tokio::io::AsyncBufReadExt::read_line(&mut said, &mut line);
    tokio::time::timeout(PATIENCE, read).await.unwrap().unwrap();
    assert!(line.contains("http://127.0.0.1:"), "{line}");
    terminate(&program);
    assert_eq!(ended(&mut program).await.0, Some(0));
}
