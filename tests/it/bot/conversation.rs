//! Conversations: threads, buttons, dialogs, several people. Each is told in both languages.

use super::Stage;
use super::transcript::Transcript;
use headroom::sandbox::{Person, Rules, Shown, permission};
use headroom::text::{Locale, tr};

const LLAMA: &str = "meta-llama/Meta-Llama-3-8B";
const TRAIN: &str =
    "/train model:meta-llama/Meta-Llama-3-8B method:full gpu:a100-sxm-80gb gpus:8 seq:4096 batch:1 zero:3";

/// A conversation in one language, written down.
struct Scene {
    locale: Locale,
    stage: Stage,
    script: Transcript,
}

impl Scene {
    async fn new(locale: Locale) -> Self {
        Self::with(locale, Rules { guild_locale: locale.tag(), ..Rules::default() }, &[]).await
    }
    async fn with(locale: Locale, rules: Rules, settings: &[(&str, &str)]) -> Self {
        Self { locale, stage: Stage::with(rules, settings).await, script: Transcript::default() }
    }
    fn in_words<'a>(&self, english: &'a str, chinese: &'a str) -> &'a str {
        if self.locale == Locale::ZhCn { chinese } else { english }
    }
    fn label(&self, key: &str) -> String {
        tr(self.locale, key).into_owned()
    }
    fn ann(&self) -> Person {
        self.stage.sandbox.person(self.in_words("Ann", "小安"), self.locale.tag())
    }
    fn ben(&self) -> Person {
        self.stage.sandbox.person(self.in_words("Ben", "小本"), self.locale.tag())
    }
    /// Asks, opens a thread on the answer, and gives the person in it with the bot's first message there.
    async fn in_thread(&mut self, asker: &Person) -> (Person, Shown) {
        let answer = self.script.slash(asker, TRAIN).await;
        let label = self.label("button-thread");
        self.script.press(asker, &answer, &label).await;
        let inside = asker.at(self.stage.sandbox.newest_thread().expect("a thread was opened"));
        let first = self.script.shows(Ok(inside.newest().expect("the bot speaks first")));
        (inside, first)
    }
    fn keep(self, name: &str) {
        insta::assert_snapshot!(format!("{name}_{}", self.locale.tag()), self.script.text());
    }
}

#[tokio::test]
async fn a_thread_of_six_tweaks_goes_on_across_a_restart() {
    for locale in Locale::ALL {
        let mut scene = Scene::new(locale).await;
        let ann = scene.ann();
        let (ann, first) = scene.in_thread(&ann).await;
        let words = scene.in_words("seq 8192, zero2", "序列 8192，zero2");
        let one = scene.script.reply(&ann, &first, words).await;
        let words = scene.in_words("what about on 4090s?", "换成 4090 呢？");
        let two = scene.script.reply(&ann, &one, words).await;
        let words = scene.in_words("qlora then", "那改成 QLoRA");
        let three = scene.script.reply(&ann, &two, words).await;
        scene.stage.restart().await;
        scene.script.note(scene.in_words("the bot restarts", "机器人重启"));
        let words = scene.in_words("batch 2", "改成 batch 2");
        let four = scene.script.reply(&ann, &three, words).await;
        let words = scene.in_words("checkpointing on", "打开重计算");
        let five = scene.script.mention(&ann, words).await;
        let words = scene.in_words("4 GPUs", "4 张卡");
        let six = scene.script.reply(&ann, &one, words).await;
        for (answer, part) in [(&one, "seq=8192"), (&two, "gpu=rtx-4090-24gb"), (&three, "method=qlora")] {
            assert!(answer.line().unwrap().contains(part), "{part}: {answer}");
        }
        for (answer, part) in [(&four, "batch=2"), (&five, "checkpointing=on"), (&six, "gpus=4"), (&six, "seq=8192")] {
            assert!(answer.line().unwrap().contains(part), "{part}: {answer}");
        }
        assert!(six.line().unwrap().contains("method=full"), "a reply follows the message it answers: {six}");
        scene.keep("six_tweaks_across_a_restart");
    }
}

#[tokio::test]
async fn a_change_is_taken_back_in_words() {
    for locale in Locale::ALL {
        let mut scene = Scene::new(locale).await;
        let ann = scene.ann();
        let (ann, first) = scene.in_thread(&ann).await;
        let changed = scene.script.reply(&ann, &first, "zero 2, 8k").await;
        assert_ne!(changed.line(), first.line());
        let words = scene.in_words("undo that", "撤销");
        let back = scene.script.reply(&ann, &changed, words).await;
        assert_eq!(back.line(), first.line());
        let words = scene.in_words("zero 1, 2 or 3?", "zero 1、2 还是 3？");
        let compared = scene.script.reply(&ann, &back, words).await;
        assert_eq!(compared.line().unwrap().split(" | ").count(), 3);
        scene.keep("taken_back");
    }
}

#[tokio::test]
async fn two_people_share_a_thread() {
    for locale in Locale::ALL {
        let mut scene = Scene::new(locale).await;
        let ann = scene.ann();
        let (ann, first) = scene.in_thread(&ann).await;
        let (name, tag, words) = match locale {
            Locale::En => ("小明", "zh-CN", "换成 QLoRA，4 张卡"),
            Locale::ZhCn => ("Ben", "en-US", "QLoRA on 4 GPUs"),
        };
        let other = scene.stage.sandbox.person(name, tag).at(scene.stage.sandbox.newest_thread().unwrap());
        let anns = scene.script.reply(&ann, &first, "seq=8192").await;
        let others = scene.script.reply(&other, &first, words).await;
        assert_eq!(
            anns.line(),
            Some("train meta-llama/Meta-Llama-3-8B method=full seq=8192 batch=1 zero=3 gpu=a100-sxm-80gb gpus=8")
        );
        assert!(others.line().unwrap().contains("seq=4096"), "each follows its own message: {others}");
        // A message tells no language of its own: that typed, else that of the conversation.
        let tweaked = scene.script.submit(&other, &others, &tr(Locale::ZhCn, "button-tweak"), "zero2").await;
        let explain = tr(Locale::read(tag), "button-explain");
        assert!(tweaked.buttons().contains(&&*explain), "a dialog does: {tweaked}");
        scene.keep("two_people");
    }
}

#[tokio::test]
async fn a_choice_of_two_is_answered_by_a_comparison() {
    for locale in Locale::ALL {
        let mut scene = Scene::new(locale).await;
        let ann = scene.ann();
        let (ann, first) = scene.in_thread(&ann).await;
        for (english, chinese) in [("zero2 or zero3?", "zero2 还是 zero3？"), ("4090 or h100?", "4090 还是 h100？")]
        {
            let words = scene.in_words(english, chinese);
            let answer = scene.script.reply(&ann, &first, words).await;
            let line = answer.line().unwrap();
            assert!(line.starts_with("compare ") && (line.contains(" | ") || line.contains(',')), "{line}");
        }
        scene.keep("a_choice_of_two");
    }
}

#[tokio::test]
async fn a_button_of_before_works_or_says_why_not() {
    for locale in Locale::ALL {
        let mut scene = Scene::new(locale).await;
        let ann = scene.ann();
        let answer = scene.script.slash(&ann, TRAIN).await;
        scene.stage.restart().await;
        scene.script.note(scene.in_words("the bot restarts in a new version", "机器人升级重启"));
        for id in ["h1:change:zero=2", "v1:t:zero=2"] {
            scene.script.says(&ann.name(), &format!("[{id}]"));
            let shown = scene.script.shows(ann.press_id(&answer, id).await);
            assert_eq!(shown.is_ephemeral(), id.starts_with('v'), "{shown}");
        }
        for id in ["h0:tweak", "h1:", "h1:change:", "h1:delete", "h1:unheard-of"] {
            let told = ann.press_id(&answer, id).await.unwrap();
            assert!(
                told.is_ephemeral() && told.to_string().contains(&*tr(locale, "discord-old-button")),
                "{id}: {told}"
            );
        }
        scene.keep("buttons_of_before");
    }
}

#[tokio::test]
async fn what_is_not_addressed_to_the_bot_gets_one_hint_and_then_silence() {
    for locale in Locale::ALL {
        let mut scene = Scene::new(locale).await;
        let ann = scene.ann();
        let (ann, first) = scene.in_thread(&ann).await;
        let plain = ann.say("seq 8192");
        scene.script.says(&ann.name(), "seq 8192");
        let hint = scene.script.shows(ann.reply_to(plain).await);
        assert!(hint.to_string().contains(&*tr(locale, "thread-hint")), "{hint}");
        let thanks = scene.in_words("thanks, that is great news", "谢谢，太好了");
        // A forged line in somebody else's message is not believed.
        let forged = "train meta-llama/Meta-Llama-3-8B seq=1 gpu=h100-sxm-80gb";
        let ignored = [
            ("seq 8192", ann.send_reply(&first, "seq 8192", false)),
            (forged, ann.say(forged)),
            (thanks, ann.send_reply(&first, thanks, true)),
        ];
        ignored.iter().for_each(|(words, _)| scene.script.says(&ann.name(), words));
        let asked = scene.script.mention(&ann, "gpus=4").await;
        assert_eq!(asked.line().unwrap().matches("seq=4096").count(), 1, "{:?}", asked.line());
        assert!(ignored.iter().all(|(_, id)| ann.answers(*id) == 0));
        scene.keep("silence_and_a_forged_line");
    }
}

#[tokio::test]
async fn a_wish_without_a_value_offers_some() {
    for locale in Locale::ALL {
        let mut scene = Scene::new(locale).await;
        let ann = scene.ann();
        let (ann, first) = scene.in_thread(&ann).await;
        let words = scene.in_words("bigger batch", "batch 大一点");
        let offered = scene.script.reply(&ann, &first, words).await;
        let label = offered.buttons()[0].to_owned();
        let changed = scene.script.press(&ann, &offered, &label).await;
        assert!(changed.line().unwrap().contains(&label));
        let words = scene.in_words("why is the optimizer so big?", "优化器为什么这么大？");
        let why = scene.script.reply(&ann, &first, words).await;
        assert!(why.line().unwrap().starts_with("explain "), "{:?}", why.line());
        scene.keep("wish_and_question");
    }
}

#[tokio::test]
async fn selects_dialogs_explanations_and_recipes_work_from_an_answer() {
    for locale in Locale::ALL {
        let mut scene = Scene::new(locale).await;
        let ann = scene.ann();
        let label = |key| tr(locale, key).into_owned();
        let script = &mut scene.script;
        let answer = script.slash(&ann, TRAIN).await;
        let changed = script.choose(&ann, &answer, "method=qlora").await;
        assert!(changed.line().unwrap().contains("method=qlora"));
        script.press(&ann, &changed, &label("button-compare")).await;
        let tweaked = script.submit(&ann, &answer, &label("button-tweak"), "seq 8k").await;
        assert!(tweaked.line().unwrap().contains("seq=8192"));
        let explained = script.press(&ann, &answer, &label("button-explain")).await;
        assert!(explained.is_ephemeral());
        assert!(!script.press(&ann, &explained, &label("button-share")).await.is_ephemeral());
        assert!(script.press(&ann, &answer, &label("button-recipe")).await.is_ephemeral());
        scene.keep("from_an_answer");
    }
}

#[tokio::test]
async fn who_asked_or_a_moderator_may_delete() {
    for locale in Locale::ALL {
        let mut scene = Scene::new(locale).await;
        let (ann, ben) = (scene.ann(), scene.ben());
        let moderator = scene.stage.sandbox.moderator(scene.in_words("Moderator", "管理员"), locale.tag());
        let (delete, script) = (scene.label("button-delete"), &mut scene.script);
        let answer = script.slash(&ann, TRAIN).await;
        assert!(script.press(&ben, &answer, &delete).await.is_ephemeral());
        assert!(script.press(&ann, &answer, &delete).await.is_deletion());
        let answer = script.slash(&ann, TRAIN).await;
        assert!(script.press(&moderator, &answer, &delete).await.is_deletion());
        scene.keep("deletion");
    }
}

#[tokio::test]
async fn a_missing_permission_is_told_by_its_name() {
    for locale in Locale::ALL {
        let mut scene = Scene::new(locale).await;
        let ann = scene.ann();
        let answer = scene.script.slash(&ann, TRAIN).await;
        let deny = |scene: &mut Scene, name: &str, permissions| {
            scene.script.note(&format!("{} {name}", scene.in_words("the bot loses", "机器人失去权限")));
            scene.stage.sandbox.deny(scene.stage.sandbox.general(), permissions);
        };
        deny(&mut scene, "Create Public Threads", permission::CREATE_PUBLIC_THREADS);
        let label = scene.label("button-thread");
        let told = scene.script.press(&ann, &answer, &label).await;
        assert!(told.is_ephemeral() && told.to_string().contains("Create Public Threads"), "{told}");
        deny(&mut scene, "Attach Files", permission::ATTACH_FILES);
        assert!(scene.script.slash(&ann, TRAIN).await.image().is_none(), "the answer comes without its picture");
        deny(&mut scene, "Embed Links", permission::EMBED_LINKS);
        let told = scene.script.mention(&ann, "train meta-llama/Meta-Llama-3-8B").await;
        assert!(told.to_string().contains("Embed Links"), "{told}");
        scene.keep("missing_permissions");
    }
}

#[tokio::test]
async fn brought_along_by_a_user_it_answers_where_it_was_not_added() {
    for locale in Locale::ALL {
        let mut scene = Scene::new(locale).await;
        let ann = scene.ann().at(scene.stage.sandbox.elsewhere());
        let (thread, tweak) = (scene.label("button-thread"), scene.label("button-tweak"));
        let script = &mut scene.script;
        let answer = script.slash(&ann, TRAIN).await;
        assert!(!answer.buttons().contains(&&*thread));
        let tweaked = script.submit(&ann, &answer, &tweak, "zero 2").await;
        assert!(!tweaked.buttons().contains(&&*thread));
        assert!(script.slash(&ann, "/tweak change:seq 8192").await.is_ephemeral());
        let line = "/tweak change:seq 8192 line:train meta-llama/Meta-Llama-3-8B gpu=a100-sxm-80gb gpus=8";
        script.slash(&ann, line).await;
        scene.keep("brought_along");
    }
}

#[tokio::test]
async fn wherever_people_talk_it_answers() {
    for locale in Locale::ALL {
        let mut scene = Scene::new(locale).await;
        let ann = scene.ann();
        let thread = scene.label("button-thread");
        let sandbox = &scene.stage.sandbox;
        let places = [
            (scene.in_words("a direct message", "私信"), sandbox.direct(&ann)),
            (scene.in_words("a group", "群聊"), sandbox.group(&ann)),
            (scene.in_words("a forum post", "论坛帖子"), sandbox.forum_post(&ann)),
            (scene.in_words("a private thread", "私密子区"), sandbox.private_thread(&ann)),
        ];
        for (place, channel) in places {
            scene.script.note(place);
            let ann = ann.at(channel);
            let answer = scene.script.slash(&ann, &format!("/infer model:{LLAMA} gpu:h100-sxm-80gb")).await;
            assert!(!answer.buttons().contains(&&*thread), "no threads here: {answer}");
            let words = scene.in_words("on 2 GPUs", "用两张卡");
            let tweak = scene.label("button-tweak");
            let changed = scene.script.submit(&ann, &answer, &tweak, words).await;
            assert_eq!(changed.line(), Some("infer meta-llama/Meta-Llama-3-8B gpu=h100-sxm-80gb gpus=2"));
        }
        scene.keep("wherever_people_talk");
    }
}

#[tokio::test]
async fn ten_people_at_once_in_one_thread_each_get_their_answer() {
    for locale in Locale::ALL {
        let mut scene = Scene::new(locale).await;
        let ann = scene.ann();
        let (_, first) = scene.in_thread(&ann).await;
        let thread = scene.stage.sandbox.newest_thread().unwrap();
        let people: Vec<Person> =
            (1..=10).map(|n| scene.stage.sandbox.person(&format!("P{n}"), locale.tag()).at(thread)).collect();
        let words = |n: usize| format!("seq={}", (n + 1) * 1024);
        let mut asked = tokio::task::JoinSet::new();
        for (n, person) in people.iter().cloned().enumerate() {
            let first = first.clone();
            asked.spawn(async move { (n, person.reply(&first, &words(n)).await) });
        }
        let mut answers = asked.join_all().await;
        answers.sort_by_key(|(n, _)| *n);
        for (n, answer) in answers {
            scene.script.says(&people[n].name(), &words(n));
            let shown = scene.script.shows(answer);
            assert!(shown.line().unwrap().contains(&format!("{} ", words(n))), "{n}: {shown}");
        }
        scene.keep("ten_at_once");
    }
}

const CONFIG: &str = r#"{
  "architectures": ["BrandNewForCausalLM"], "model_type": "brand_new", "hidden_size": 3328,
  "intermediate_size": 9216, "num_hidden_layers": 34, "num_attention_heads": 26, "num_key_value_heads": 2,
  "vocab_size": 128256, "max_position_embeddings": 131072, "tie_word_embeddings": true, "hidden_act": "silu",
  "torch_dtype": "bfloat16", "rms_norm_eps": 1e-05
}"#;

#[tokio::test]
async fn a_configuration_of_an_unknown_architecture_is_estimated() {
    for locale in Locale::ALL {
        let mut scene = Scene::new(locale).await;
        let ann = scene.ann();
        let words = scene.in_words("on a 4090", "用 4090");
        let answer = scene.script.attach(&ann, words, "config.json", CONFIG.as_bytes()).await;
        let line = answer.line().unwrap();
        assert!(line.contains("hidden=3328") && line.contains("gpu=rtx-4090"), "{line}");
        scene.script.paste(&ann, CONFIG).await;
        for (name, bytes) in [("weights.bin", &b"\xff\xfe\x00"[..]), ("huge.txt", &[b'x'; 300_000][..])] {
            scene.script.attach(&ann, "", name, bytes).await;
        }
        scene.keep("unknown_architecture");
    }
}

const OUT_OF_MEMORY: &str = "\
vllm serve Qwen/Qwen2.5-32B-Instruct --max-model-len 32768
torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 270.00 MiB. GPU 0 has a total capacity of 23.64 GiB of \
which 185.06 MiB is free. Process 4242 has 23.45 GiB memory in use. Of the allocated memory 22.90 GiB is allocated by \
PyTorch, and 93.53 MiB is reserved by PyTorch but unallocated.";

#[tokio::test]
async fn an_out_of_memory_message_becomes_a_fitting_set_up_in_two_clicks() {
    for locale in Locale::ALL {
        let mut scene = Scene::new(locale).await;
        let (ann, script) = (scene.ann(), &mut scene.script);
        let short = script.paste(&ann, OUT_OF_MEMORY).await;
        for told in ["seq=32768", "oom.tried=270 MiB", "oom.total=23.6 GiB", "gpu=rtx-4090-24gb", "❌"] {
            assert!(short.to_string().contains(told), "{told} in {short}");
        }
        let label = short.buttons()[0].to_owned();
        let fitting = script.press(&ann, &short, &label).await;
        assert!(fitting.to_string().contains('✅'), "{fitting}");
        let back = fitting.buttons()[0].to_owned();
        let again = script.press(&ann, &fitting, &back).await;
        assert_eq!(again.line(), short.line());
        scene.keep("out_of_memory_to_fitting");
    }
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
    let rules = Rules { terse: true, ..Default::default() };
    let mut scene = Scene::with(Locale::En, rules, &[]).await;
    let ann = scene.ann();
    let (ann, first) = scene.in_thread(&ann).await;
    assert!(ann.reply(&first, "seq 8192").await.unwrap().line().unwrap().contains("seq=8192"));
    let other = ann.reply(&first, "batch 2").await.unwrap();
    assert!(other.line().unwrap().contains("seq=4096 batch=2"), "it follows the message replied to, not the newest");
    let dialog = ann.press(&other, "Tweak…").await.unwrap();
    assert!(ann.submit(&dialog, Some(&other), &["zero2"]).await.unwrap().line().unwrap().contains("zero=2"));
}

#[tokio::test]
async fn with_the_intent_plain_text_in_a_thread_is_read() {
    let rules = Rules { message_content: true, ..Default::default() };
    let mut scene = Scene::with(Locale::En, rules, &[("DISCORD_MESSAGE_CONTENT", "on")]).await;
    let ann = scene.ann();
    let (ann, _) = scene.in_thread(&ann).await;
    let plain = ann.say("seq=8192");
    assert!(ann.reply_to(plain).await.unwrap().line().unwrap().contains("seq=8192"));
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

#[tokio::test]
async fn an_out_of_memory_message_alone_asks_for_the_model_and_goes_on() {
    let stage = Stage::new().await;
    let ann = stage.sandbox.person("Ann", "en-US");
    let (_, message) = OUT_OF_MEMORY.split_once('\n').expect("two lines");
    let asked = ann.mention(message).await.expect("an answer");
    for told in ["Which model", "oom.tried=270 MiB", "Still to say"] {
        assert!(asked.to_string().contains(told), "{told} in {asked}");
    }
    let answer = ann.reply(&asked, "llama-3-8b lora on a 4090, seq 4096").await.unwrap();
    let line = "train meta-llama/Meta-Llama-3-8B method=lora seq=4096 gpu=rtx-4090-24gb";
    assert_eq!(answer.line(), Some(line));
    let serving = ann.reply(&answer, "now for serving").await.unwrap();
    assert_eq!(serving.line(), Some("infer meta-llama/Meta-Llama-3-8B seq=4096 gpu=rtx-4090-24gb"));
}
