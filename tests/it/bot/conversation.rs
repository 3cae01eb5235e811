//! Conversations: threads, buttons, dialogs, several people, two languages.

use super::Stage;
use super::transcript::Transcript;
use headroom::sandbox::{Person, Shown, permission};

const TRAIN: &str =
    "/train model:meta-llama/Meta-Llama-3-8B method:full gpu:a100-sxm-80gb gpus:8 seq:4096 batch:1 zero:3";

/// Asks, opens a thread on the answer, and gives the person in it with the bot's first message there.
async fn in_thread(stage: &Stage, asker: &Person, script: &mut Transcript) -> (Person, Shown) {
    script.says("Ann", TRAIN);
    let answer = script.shows(asker.slash(TRAIN).await);
    script.says("Ann", "[Discuss in thread]");
    script.shows(asker.press(&answer, "Discuss in thread").await);
    let inside = asker.at(stage.sandbox.newest_thread().expect("a thread was opened"));
    let first = script.shows(Ok(inside.newest().expect("the bot speaks first")));
    (inside, first)
}

/// Replies and notes both sides.
async fn reply(script: &mut Transcript, who: &Person, name: &str, to: &Shown, text: &str) -> Shown {
    script.says(name, text);
    script.shows(who.reply(to, text).await)
}

#[tokio::test]
async fn a_thread_of_six_tweaks_goes_on_across_a_restart() {
    let mut stage = Stage::new().await;
    let mut script = Transcript::default();
    let ann = stage.sandbox.person("Ann", "en-US");
    let (ann, first) = in_thread(&stage, &ann, &mut script).await;
    let one = reply(&mut script, &ann, "Ann", &first, "seq 8192, zero2").await;
    let two = reply(&mut script, &ann, "Ann", &one, "what about on 4090s?").await;
    let three = reply(&mut script, &ann, "Ann", &two, "qlora then").await;
    stage.restart().await;
    script.note("the bot restarts");
    let four = reply(&mut script, &ann, "Ann", &three, "改成 batch 2").await;
    script.says("Ann", "@Headroom checkpointing on");
    let five = script.shows(ann.mention("checkpointing on").await);
    assert!(five.line().unwrap().contains("checkpointing=on"));
    let six = reply(&mut script, &ann, "Ann", &one, "4 GPUs").await;
    assert!(six.line().unwrap().contains("seq=8192"), "a reply follows the message it answers: {:?}", six.line());
    assert!(four.line().unwrap().contains("batch=2"));
    insta::assert_snapshot!("six_tweaks_across_a_restart", script.text());
}

#[tokio::test]
async fn two_people_share_a_thread() {
    let stage = Stage::new().await;
    let mut script = Transcript::default();
    let ann = stage.sandbox.person("Ann", "en-US");
    let (ann, first) = in_thread(&stage, &ann, &mut script).await;
    let ming = stage.sandbox.person("小明", "zh-CN").at(stage.sandbox.newest_thread().unwrap());
    let anns = reply(&mut script, &ann, "Ann", &first, "seq=8192").await;
    let mings = reply(&mut script, &ming, "小明", &first, "换成 QLoRA，4 张卡").await;
    assert_eq!(
        anns.line(),
        Some("train meta-llama/Meta-Llama-3-8B method=full seq=8192 batch=1 zero=3 gpu=a100-sxm-80gb gpus=8")
    );
    assert!(mings.line().unwrap().contains("seq=4096"), "each follows its own message");
    script.says("小明", "[调整…]");
    let dialog = script.shows(ming.press(&mings, "调整…").await);
    script.says("小明", "zero2");
    script.shows(ming.submit(&dialog, Some(&mings), &["zero2"]).await);
    insta::assert_snapshot!("two_people", script.text());
}

#[tokio::test]
async fn a_button_of_before_works_or_says_why_not() {
    let mut stage = Stage::new().await;
    let ann = stage.sandbox.person("Ann", "en-US");
    let answer = ann.slash(TRAIN).await.unwrap();
    stage.restart().await;
    let changed = ann.press_id(&answer, "h1:change:zero=2").await.unwrap();
    assert!(changed.line().unwrap().contains("zero=2"));
    for id in ["v1:t:zero=2", "h0:tweak", "h1:", "h1:change:", "h1:delete", "h1:unheard-of"] {
        let told = ann.press_id(&answer, id).await.unwrap();
        assert!(told.is_ephemeral() && told.to_string().contains("older version"), "{id}: {told}");
    }
}

#[tokio::test]
async fn what_is_not_addressed_to_the_bot_gets_one_hint_and_then_silence() {
    let stage = Stage::new().await;
    let mut script = Transcript::default();
    let ann = stage.sandbox.person("Ann", "en-US");
    let (ann, first) = in_thread(&stage, &ann, &mut script).await;
    let plain = ann.say("seq 8192");
    let hint = ann.reply_to(plain).await.unwrap();
    assert!(hint.to_string().contains("mention me"), "{hint}");
    let quiet = ann.send_reply(&first, "seq 8192", false);
    // A forged line in somebody else's message is not believed.
    let forged = ann.say("train meta-llama/Meta-Llama-3-8B seq=1 gpu=h100-sxm-80gb");
    let chat = ann.send_reply(&first, "thanks, that is great news", true);
    let asked = ann.mention("gpus=4").await.unwrap();
    assert_eq!(asked.line().unwrap().matches("seq=4096").count(), 1, "{:?}", asked.line());
    assert!([quiet, forged, chat].iter().all(|id| ann.answers(*id) == 0));
}

#[tokio::test]
async fn what_is_told_twice_is_answered_once() {
    let stage = Stage::new().await;
    let ann = stage.sandbox.person("Ann", "en-US");
    let said = ann.say(&format!("<@{}> {}", stage.sandbox.bot(), "train meta-llama/Meta-Llama-3-8B"));
    ann.reply_to(said).await.unwrap();
    stage.sandbox.tell_again();
    ann.mention("infer meta-llama/Meta-Llama-3-8B").await.unwrap();
    assert_eq!(ann.answers(said), 1);
}

#[tokio::test]
async fn a_discord_of_few_words_is_understood() {
    let rules = headroom::sandbox::Rules { terse: true, ..Default::default() };
    let stage = Stage::with(rules, &[]).await;
    let ann = stage.sandbox.person("Ann", "en-US");
    let (ann, first) = in_thread(&stage, &ann, &mut Transcript::default()).await;
    assert!(ann.reply(&first, "seq 8192").await.unwrap().line().unwrap().contains("seq=8192"));
    let other = ann.reply(&first, "batch 2").await.unwrap();
    assert!(other.line().unwrap().contains("seq=4096 batch=2"), "it follows the message replied to, not the newest");
    let dialog = ann.press(&other, "Tweak…").await.unwrap();
    assert!(ann.submit(&dialog, Some(&other), &["zero2"]).await.unwrap().line().unwrap().contains("zero=2"));
}

#[tokio::test]
async fn with_the_intent_plain_text_in_a_thread_is_read() {
    let rules = headroom::sandbox::Rules { message_content: true, ..Default::default() };
    let stage = Stage::with(rules, &[("DISCORD_MESSAGE_CONTENT", "on")]).await;
    let ann = stage.sandbox.person("Ann", "en-US");
    let (ann, _) = in_thread(&stage, &ann, &mut Transcript::default()).await;
    let plain = ann.say("seq=8192");
    assert!(ann.reply_to(plain).await.unwrap().line().unwrap().contains("seq=8192"));
}

#[tokio::test]
async fn a_wish_without_a_value_offers_some() {
    let stage = Stage::new().await;
    let mut script = Transcript::default();
    let ann = stage.sandbox.person("Ann", "en-US");
    let (ann, first) = in_thread(&stage, &ann, &mut script).await;
    let offered = reply(&mut script, &ann, "Ann", &first, "bigger batch").await;
    let label = offered.buttons()[0].to_owned();
    script.says("Ann", &format!("[{label}]"));
    let changed = script.shows(ann.press(&offered, &label).await);
    assert!(changed.line().unwrap().contains(&label));
    let why = reply(&mut script, &ann, "Ann", &first, "why is the optimizer so big?").await;
    assert!(why.line().unwrap().starts_with("explain "), "{:?}", why.line());
    insta::assert_snapshot!("wish_and_question", script.text());
}

#[tokio::test]
async fn selects_dialogs_explanations_and_recipes_work_from_an_answer() {
    let stage = Stage::new().await;
    let mut script = Transcript::default();
    let ann = stage.sandbox.person("Ann", "en-US");
    script.says("Ann", TRAIN);
    let answer = script.shows(ann.slash(TRAIN).await);
    script.says("Ann", "<method=qlora>");
    let changed = script.shows(ann.choose(&answer, "method=qlora").await);
    assert!(changed.line().unwrap().contains("method=qlora"));
    script.says("Ann", "[Compare]");
    script.shows(ann.press(&changed, "Compare").await);
    script.says("Ann", "[Tweak…]");
    let dialog = script.shows(ann.press(&answer, "Tweak…").await);
    script.says("Ann", "seq 8k");
    let tweaked = script.shows(ann.submit(&dialog, Some(&answer), &["seq 8k"]).await);
    assert!(tweaked.line().unwrap().contains("seq=8192"));
    script.says("Ann", "[Explain]");
    let explained = script.shows(ann.press(&answer, "Explain").await);
    assert!(explained.is_ephemeral());
    script.says("Ann", "[Show everyone]");
    assert!(!script.shows(ann.press(&explained, "Show everyone").await).is_ephemeral());
    script.says("Ann", "[Recipe]");
    assert!(script.shows(ann.press(&answer, "Recipe").await).is_ephemeral());
    insta::assert_snapshot!("from_an_answer", script.text());
}

#[tokio::test]
async fn who_asked_or_a_moderator_may_delete() {
    let stage = Stage::new().await;
    let [ann, ben] = ["Ann", "Ben"].map(|name| stage.sandbox.person(name, "en-US"));
    let moderator = stage.sandbox.moderator("Mod", "en-US");
    let answer = ann.slash(TRAIN).await.unwrap();
    let told = ben.press(&answer, "Delete").await.unwrap();
    assert!(told.is_ephemeral() && told.to_string().contains("moderator"), "{told}");
    assert!(ann.press(&answer, "Delete").await.unwrap().is_deletion());
    let answer = ann.slash(TRAIN).await.unwrap();
    assert!(moderator.press(&answer, "Delete").await.unwrap().is_deletion());
}

#[tokio::test]
async fn a_missing_permission_is_told_by_its_name() {
    let stage = Stage::new().await;
    let ann = stage.sandbox.person("Ann", "en-US");
    let answer = ann.slash(TRAIN).await.unwrap();
    stage.sandbox.deny(stage.sandbox.general(), permission::CREATE_PUBLIC_THREADS);
    let told = ann.press(&answer, "Discuss in thread").await.unwrap();
    assert!(told.is_ephemeral() && told.to_string().contains("Create Public Threads"), "{told}");
    // Without the right to attach files the answer comes without its picture.
    stage.sandbox.deny(stage.sandbox.general(), permission::ATTACH_FILES);
    assert!(ann.slash(TRAIN).await.unwrap().image().is_none());
    stage.sandbox.deny(stage.sandbox.general(), permission::EMBED_LINKS);
    let told = ann.mention("train meta-llama/Meta-Llama-3-8B").await.unwrap();
    assert!(told.to_string().contains("Embed Links"), "{told}");
}

#[tokio::test]
async fn brought_along_by_a_user_it_answers_where_it_was_not_added() {
    let stage = Stage::new().await;
    let mut script = Transcript::default();
    let ann = stage.sandbox.person("Ann", "en-US").at(stage.sandbox.elsewhere());
    script.says("Ann", TRAIN);
    let answer = script.shows(ann.slash(TRAIN).await);
    assert!(!answer.buttons().contains(&"Discuss in thread"));
    script.says("Ann", "[Tweak…]");
    let dialog = script.shows(ann.press(&answer, "Tweak…").await);
    script.says("Ann", "zero 2");
    let tweaked = script.shows(ann.submit(&dialog, Some(&answer), &["zero 2"]).await);
    assert!(!tweaked.buttons().contains(&"Discuss in thread"));
    script.says("Ann", "/tweak change:seq 8192");
    script.shows(ann.slash("/tweak change:seq 8192").await);
    let line = "/tweak change:seq 8192 line:train meta-llama/Meta-Llama-3-8B gpu=a100-sxm-80gb gpus=8";
    script.says("Ann", line);
    script.shows(ann.slash(line).await);
    insta::assert_snapshot!("brought_along", script.text());
}

#[tokio::test]
async fn ten_people_at_once_in_one_thread_each_get_their_answer() {
    let stage = Stage::new().await;
    let ann = stage.sandbox.person("Ann", "en-US");
    let (_, first) = in_thread(&stage, &ann, &mut Transcript::default()).await;
    let thread = stage.sandbox.newest_thread().unwrap();
    let mut asked = tokio::task::JoinSet::new();
    for n in 1..=10 {
        let (person, first) = (stage.sandbox.person(&format!("P{n}"), "en-US").at(thread), first.clone());
        asked.spawn(async move { (n, person.reply(&first, &format!("seq={}", n * 1024)).await) });
    }
    while let Some(answered) = asked.join_next().await {
        let (n, shown) = answered.unwrap();
        let line = shown.unwrap().line().unwrap().to_owned();
        assert!(line.contains(&format!("seq={} ", n * 1024)), "{n}: {line}");
    }
}

#[tokio::test]
async fn one_person_cannot_flood() {
    let stage = Stage::new().await;
    let ann = stage.sandbox.person("Ann", "en-US");
    let mut told = Vec::new();
    for _ in 0..25 {
        told.push(ann.slash("/help topic:zero").await.unwrap().to_string());
    }
    assert!(told.iter().any(|shown| shown.contains("few seconds")), "the last of many is turned away");
    assert!(!told[..20].iter().any(|shown| shown.contains("few seconds")));
}

const CONFIG: &str = r#"{
  "architectures": ["BrandNewForCausalLM"], "model_type": "brand_new", "hidden_size": 3328,
  "intermediate_size": 9216, "num_hidden_layers": 34, "num_attention_heads": 26, "num_key_value_heads": 2,
  "vocab_size": 128256, "max_position_embeddings": 131072, "tie_word_embeddings": true, "hidden_act": "silu",
  "torch_dtype": "bfloat16", "rms_norm_eps": 1e-05
}"#;

#[tokio::test]
async fn a_configuration_of_an_unknown_architecture_is_estimated() {
    let stage = Stage::new().await;
    let mut script = Transcript::default();
    let ann = stage.sandbox.person("Ann", "en-US");
    script.says("Ann", "@Headroom (attaches config.json)");
    let answer = script.shows(ann.mention_with("on a 4090", &[("config.json", CONFIG.as_bytes())]).await);
    let line = answer.line().unwrap();
    assert!(line.contains("hidden=3328") && line.contains("gpu=rtx-4090"), "{line}");
    let pasted = ann.say(CONFIG);
    script.says("Ann", "(pastes config.json) > Estimate this");
    script.shows(ann.apply("Estimate this", pasted).await);
    for (name, bytes) in [("weights.bin", &b"\xff\xfe\x00"[..]), ("huge.txt", &[b'x'; 300_000][..])] {
        script.says("Ann", &format!("@Headroom (attaches {name})"));
        script.shows(ann.mention_with("", &[(name, bytes)]).await);
    }
    insta::assert_snapshot!("unknown_architecture", script.text());
}

const OUT_OF_MEMORY: &str = "\
vllm serve Qwen/Qwen2.5-32B-Instruct --max-model-len 32768
torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 270.00 MiB. GPU 0 has a total capacity of 23.64 GiB of \
which 185.06 MiB is free. Process 4242 has 23.45 GiB memory in use. Of the allocated memory 22.90 GiB is allocated by \
PyTorch, and 93.53 MiB is reserved by PyTorch but unallocated.";

#[tokio::test]
async fn an_out_of_memory_message_becomes_a_fitting_set_up_in_two_clicks() {
    let stage = Stage::new().await;
    let mut script = Transcript::default();
    let ann = stage.sandbox.person("Ann", "en-US");
    script.says("Ann", OUT_OF_MEMORY);
    let pasted = ann.say(OUT_OF_MEMORY);
    script.says("Ann", "> Estimate this");
    let short = script.shows(ann.apply("Estimate this", pasted).await);
    for told in ["seq=32768", "oom.tried=270 MiB", "oom.total=23.6 GiB", "gpu=rtx-4090-24gb", "❌"] {
        assert!(short.to_string().contains(told), "{told} in {short}");
    }
    let label = short.buttons()[0].to_owned();
    script.says("Ann", &format!("[{label}]"));
    let fitting = script.shows(ann.press(&short, &label).await);
    assert!(fitting.to_string().contains('✅'), "{fitting}");
    let back = fitting.buttons().iter().find(|label| label.starts_with("Back to")).expect("a way back").to_string();
    script.says("Ann", &format!("[{back}]"));
    let again = script.shows(ann.press(&fitting, &back).await);
    assert_eq!(again.line(), short.line());
    insta::assert_snapshot!("out_of_memory_to_fitting", script.text());
}

#[tokio::test]
async fn an_out_of_memory_message_alone_asks_for_the_model_and_goes_on() {
    let stage = Stage::new().await;
    let mut script = Transcript::default();
    let ann = stage.sandbox.person("Ann", "en-US");
    let (_, message) = OUT_OF_MEMORY.split_once('\n').expect("two lines");
    let asked = ann.mention(message).await.expect("an answer");
    for told in ["Which model", "oom.tried=270 MiB", "Still to say"] {
        assert!(asked.to_string().contains(told), "{told} in {asked}");
    }
    let answer = reply(&mut script, &ann, "Ann", &asked, "llama-3-8b lora on a 4090, seq 4096").await;
    let line = "train meta-llama/Meta-Llama-3-8B method=lora seq=4096 gpu=rtx-4090-24gb";
    assert_eq!(answer.line(), Some(line));
    let serving = reply(&mut script, &ann, "Ann", &answer, "now for serving").await;
    assert_eq!(serving.line(), Some("infer meta-llama/Meta-Llama-3-8B seq=4096 gpu=rtx-4090-24gb"));
}
