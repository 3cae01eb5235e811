//! Answers as people see them: Discord's limits for any view, charts, whole answers in both languages.

use headroom::app::App;
use headroom::catalog::Catalog;
use headroom::commands::COMMANDS;
use headroom::estimate::PartKind;
use headroom::plan::Outcome;
use headroom::text::Locale;
use headroom::units::Bytes;
use headroom::view::chart::{self, Chart, Curve, Kind, Point, Slice, Stack};
use headroom::view::embed::{self, limit};
use headroom::view::terminal::{Screen, draw};
use headroom::view::{
    Action, Body, Button, Cell, Row, Section, Select, SelectOption, Style, Table, Tone, View, report,
};
use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::Value;
use std::collections::HashSet;

fn say(line: &str, locale: Locale) -> View {
    let app = App::new(Catalog::embedded(), COMMANDS);
    let asked = app.ask(line).and_then(|asked| Ok((app.answer(&asked)?, asked.line())));
    match asked {
        Ok((answer, line)) => answer.view(&app, locale).line(line),
        Err(problem) => report::problem(locale, &problem),
    }
}

/// Text as people send it to see what breaks.
fn hostile() -> impl Strategy<Value = String> {
    let pieces = prop_oneof![
        Just("```"),
        Just("@everyone"),
        Just("<@1>"),
        Just("[x](http://y)"),
        Just("序列长度"),
        Just("😀"),
        Just("\u{202e}"),
        Just("\u{200b}"),
        Just("\n"),
        Just("**"),
        Just("a fairly long piece of plain text, "),
        Just(""),
        Just("0"),
    ];
    (vec(pieces, 0..8), 1usize..60).prop_map(|(pieces, times)| pieces.concat().repeat(times))
}

fn body() -> impl Strategy<Value = Body> {
    let cell = prop_oneof![
        hostile().prop_map(Cell::Word),
        hostile().prop_map(Cell::Number),
        any::<f64>().prop_map(Cell::Bar),
    ];
    let row = vec(cell, 0..6).prop_map(Row::new);
    let table = (vec(hostile(), 0..6), vec(row, 0..30)).prop_map(|(header, rows)| Table { header, rows });
    prop_oneof![
        table.prop_map(Body::Table),
        hostile().prop_map(Body::Fact),
        hostile().prop_map(Body::Code),
        vec(hostile(), 0..20).prop_map(Body::Steps),
        vec(hostile(), 0..20).prop_map(Body::List),
        vec(hostile(), 0..20).prop_map(Body::Small),
    ]
}

fn view() -> impl Strategy<Value = View> {
    let section = (hostile(), body()).prop_map(|(heading, body)| Section { heading, body });
    let button = (hostile(), hostile()).prop_map(|(label, words)| Button {
        label,
        action: Action::Change(words),
        style: Style::Plain,
    });
    let option = (hostile(), hostile(), hostile(), any::<bool>())
        .prop_map(|(label, note, words, chosen)| SelectOption { label, note, words, chosen });
    let select =
        (hostile(), vec(option, 0..40)).prop_map(|(placeholder, options)| Select { knob: "gpu", placeholder, options });
    let parts = (hostile(), hostile(), vec(section, 0..8), vec(button, 0..40), vec(select, 0..7), hostile());
    parts.prop_map(|(title, verdict, sections, buttons, selects, line)| View {
        title,
        tone: Tone::Bad,
        verdict,
        sections,
        buttons,
        selects,
        line: Some(line),
        ..View::default()
    })
}

fn length(value: &Value) -> usize {
    value.as_str().map_or(0, |text| text.encode_utf16().count())
}

/// What Discord refuses with 50035, as its documentation says.
#[track_caller]
fn check_limits(message: &Value) {
    let embed = &message["embeds"][0];
    let lengths = [&embed["title"], &embed["description"], &embed["footer"]["text"]].map(length);
    assert!(lengths[0] <= 256 && lengths[1] <= 4096 && lengths[2] <= 2048 && lengths.iter().sum::<usize>() <= 6000);
    assert_eq!(embed["description"].as_str().unwrap_or("").matches("```").count() % 2, 0, "an open code block");
    let rows = message["components"].as_array().unwrap();
    assert!(rows.len() <= 5);
    let mut ids = HashSet::new();
    for row in rows {
        let components = row["components"].as_array().unwrap();
        let is_select = components[0]["type"] == 3;
        assert!((1..=if is_select { 1 } else { 5 }).contains(&components.len()));
        for component in components {
            let id = component["custom_id"].as_str().unwrap();
            assert!((1..=100).contains(&id.encode_utf16().count()) && ids.insert(id), "{id}");
            assert!(Action::read(id).is_some(), "{id}");
            if is_select {
                let options = component["options"].as_array().unwrap();
                let values: HashSet<_> = options.iter().map(|option| option["value"].as_str().unwrap()).collect();
                assert!((1..=25).contains(&options.len()) && values.len() == options.len());
                assert!(options.iter().filter(|option| option["default"] == true).count() <= 1);
                for option in options {
                    assert!(
                        (1..=100).contains(&length(&option["label"])) && (1..=100).contains(&length(&option["value"]))
                    );
                    assert!(length(&option["description"]) <= 100);
                }
            } else {
                assert!((1..=limit::BUTTON_LABEL).contains(&length(&component["label"])));
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[test]
    fn any_view_is_within_discords_limits(view in view()) {
        check_limits(&embed::message(&view, true));
    }

    #[test]
    fn any_view_draws_in_any_window(view in view(), columns in 0usize..200, colour in any::<bool>()) {
        let text = draw(&view, Screen { columns, colour });
        prop_assert!(text.ends_with('\n'));
    }
}

#[test]
fn code_blocks_are_no_wider_than_a_phone() {
    for locale in Locale::ALL {
        let message = embed::message(&say(TRAIN, locale), false);
        let description = message["embeds"][0]["description"].as_str().unwrap();
        for line in description.split("```").skip(1).step_by(2).flat_map(str::lines) {
            assert!(unicode_width::UnicodeWidthStr::width(line) <= 40, "{line}");
        }
    }
}

#[test]
fn the_footer_ends_with_the_line() {
    let message = embed::message(&say(TRAIN, Locale::En), false);
    assert_eq!(message["embeds"][0]["footer"]["text"], TRAIN);
    assert_eq!(message["allowed_mentions"]["parse"], serde_json::json!([]));
}

const TRAIN: &str = "train meta-llama/Meta-Llama-3-8B method=full seq=4096 batch=4 zero=3 gpu=a100-sxm-80gb gpus=8";

/// A line of every verb, and mistakes.
const LINES: [&str; 16] = [
    TRAIN,
    "train meta-llama/Meta-Llama-3-8B method=qlora seq=4096 batch=4 gpu=rtx-4090-24gb",
    "train Qwen/Qwen3-30B-A3B stage=grpo method=lora gpu=h100-sxm-80gb gpus=8",
    "train meta-llama/Llama-3.1-70B stage=pretrain tokens=100b gpu=h100-sxm-80gb gpus=64 nodes=8 tp=8",
    "infer Qwen/Qwen2.5-72B-Instruct backend=vllm quant=awq seq=32768 concurrency=64 gpu=a100-sxm-80gb gpus=2",
    "infer deepseek-ai/DeepSeek-V3 backend=sglang gpu=h200-sxm-141gb gpus=8",
    "infer meta-llama/Meta-Llama-3-8B backend=llama.cpp quant=q4_k_m gpu=rtx-4090-24gb",
    "infer meta-llama/Llama-3.1-70B gpu=rtx-4090-24gb",
    "explain meta-llama/Meta-Llama-3-8B work=train method=lora gpu=a100-sxm-80gb",
    "explain deepseek-ai/DeepSeek-V3 gpu=h200-sxm-141gb gpus=8",
    "compare infer meta-llama/Meta-Llama-3-8B gpu=h100-sxm-80gb,rtx-4090-24gb",
    "model deepseek-ai/DeepSeek-V3",
    "gpu h100-sxm-80gb",
    "recipe infer meta-llama/Meta-Llama-3-8B gpu=h100-sxm-80gb",
    "help zero",
    "train llama3 8b zero=7",
];

#[test]
fn no_key_is_left_in_an_answer() {
    for line in LINES {
        for locale in Locale::ALL {
            let text = draw(&say(line, locale), Screen::PLAIN);
            // The request's own words stand in the line and in commands.
            let words =
                text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '-')).filter(|word| !line.contains(word));
            let keys: Vec<_> = words.filter(|word| KEY_STARTS.iter().any(|start| word.starts_with(start))).collect();
            assert!(keys.is_empty(), "{line}, {}: {keys:?}", locale.tag());
        }
    }
}

/// How the keys of texts begin that answers are made of.
const KEY_STARTS: [&str; 14] = [
    "heading-", "part-", "row-", "term-", "time-", "basis-", "step-", "note-", "limit-", "infer-", "train-", "plan-",
    "problem-", "knob-",
];

/// An answer as a terminal and as Discord show it.
fn drawn(view: &View) -> String {
    let message = embed::message(view, false);
    let embed = serde_json::to_string_pretty(&message["embeds"][0]).unwrap();
    let buttons =
        message["components"].as_array().unwrap().iter().flat_map(|row| row["components"].as_array().unwrap());
    let buttons: Vec<_> =
        buttons.filter_map(|button| Some(format!("[{}] {}", button["label"].as_str()?, button["custom_id"]))).collect();
    format!("{}\n{embed}\n{}\n", draw(view, Screen::PLAIN), buttons.join("\n"))
}

#[test]
fn whole_answers_keep_their_words() {
    let lines = [
        ("train-qlora", LINES[1]),
        ("train-full", TRAIN),
        ("infer", LINES[4]),
        ("explain", LINES[8]),
        ("compare", LINES[10]),
        ("model", LINES[11]),
        ("problem", LINES[15]),
    ];
    for (name, line) in lines {
        for locale in Locale::ALL {
            insta::assert_snapshot!(format!("{name}-{}", locale.tag()), drawn(&say(line, locale)));
        }
    }
}

#[test]
fn a_tweak_keeps_its_words() {
    let app = App::new(Catalog::embedded(), COMMANDS);
    let outcome = |line: &str| Outcome::of(&app.ask(line).unwrap().lines[0], app.catalog).unwrap();
    let (before, after) = (outcome(TRAIN), outcome(&TRAIN.replace("zero=3", "zero=2").replace("seq=4096", "seq=8192")));
    for locale in Locale::ALL {
        let view = report::change(locale, &before, &after, app.catalog);
        insta::assert_snapshot!(format!("tweak-{}", locale.tag()), drawn(&view));
    }
}

#[test]
fn every_answer_is_within_discords_limits() {
    for line in LINES {
        for locale in Locale::ALL {
            check_limits(&embed::message(&say(line, locale), false));
        }
    }
}

#[test]
fn a_strangers_words_are_quoted_and_do_nothing() {
    let message = embed::message(&say("train @everyone<@1>`**[x](http://y)\u{202e}", Locale::En), false);
    let text = message["embeds"][0]["description"].as_str().unwrap();
    assert!(text.contains("everyone"), "{text}");
    for live in ["@everyone", "<@1>", "](http:/", "\u{202e}"] {
        assert!(!text.replace("\\<", "").contains(live), "{live} in {text}");
    }
}

#[test]
fn a_chinese_answer_has_no_english_sentence() {
    // Names, units and knobs have no such words.
    let small = ["the", "of", "and", "to", "is", "are", "in", "per", "with", "for", "a", "from", "than"];
    for line in LINES.iter().filter(|line| !line.starts_with("recipe") && !line.starts_with("explain")) {
        let view = say(line, Locale::ZhCn);
        let sections = view.sections.iter().filter(|section| section.heading != "来源");
        let view = View { sections: sections.cloned().collect(), line: None, ..view.clone() };
        let text = draw(&view, Screen::PLAIN);
        let found: Vec<_> = text.split_whitespace().filter(|word| small.contains(word)).collect();
        assert!(found.is_empty(), "{line}: {found:?} in\n{text}");
    }
}

/// Bytes of so many GiB.
fn gib(gib: f64) -> Bytes {
    Bytes::from_gib(gib)
}

fn stack(label: &str, activations: f64) -> Stack {
    let slice = |kind, label: &str, size| Slice { kind, label: label.to_owned(), bytes: gib(size) };
    let parts = vec![
        slice(PartKind::Weights, "weights", 1.9),
        slice(PartKind::Optimizer, "optimizer", 11.2),
        slice(PartKind::Activations, "activations", activations),
    ];
    let total = 13.1 + activations;
    Stack { label: label.to_owned(), parts, low: gib(total * 0.9), high: gib(total * 1.1), card: Some(gib(79.3)) }
}

fn chart(locale: Locale, kind: Kind) -> Chart {
    Chart { locale, title: "Memory < & >".to_owned(), alt: String::new(), kind }
}

fn charts() -> [(&'static str, Kind); 4] {
    let points = (9..=17).map(|power| (1u64 << power, gib(20.0 + f64::from(1 << power) / 400.0))).collect();
    let curve = Curve { points, card: Some(gib(79.3)), asked: 4096, last_fit: Some(23_552) };
    let point = |label: &str, usd_per_hour, tokens_per_s, taken| Point {
        label: label.to_owned(),
        usd_per_hour,
        tokens_per_s,
        taken,
    };
    [
        ("stack", Kind::Stacks(vec![stack("", 24.0)])),
        ("stacks", Kind::Stacks(vec![stack("before", 24.0), stack("after", 96.0)])),
        ("curve", Kind::Curve(curve)),
        (
            "frontier",
            Kind::Frontier(vec![
                point("8 × RTX 4090", 2.8, 9000.0, false),
                point("4 × A100 80GB", 6.0, 16_000.0, true),
                point("8 × H100", 24.0, 61_000.0, false),
            ]),
        ),
    ]
}

#[test]
fn charts_keep_their_drawing() {
    for (name, kind) in charts() {
        insta::assert_snapshot!(format!("chart-{name}"), chart::svg(&chart(Locale::En, kind)));
    }
}

#[test]
fn every_chart_becomes_a_picture_that_is_not_blank() {
    for (name, kind) in charts() {
        let blank = chart::png(&chart(Locale::En, Kind::Stacks(vec![]))).unwrap();
        for locale in Locale::ALL {
            let png = chart::png(&chart(locale, kind.clone())).unwrap();
            assert!(png.starts_with(b"\x89PNG") && png.len() > 2 * blank.len(), "{name}: {} bytes", png.len());
        }
    }
}

#[test]
fn odd_charts_still_draw() {
    let nothing = Curve { points: vec![], card: None, asked: 0, last_fit: None };
    let flat = Curve { points: vec![(1, gib(1.0)), (1, gib(1.0))], card: Some(gib(0.0)), asked: 9, last_fit: Some(0) };
    let one = Point { label: "x".repeat(200), usd_per_hour: 0.0, tokens_per_s: f64::NAN, taken: true };
    let odd = [
        Kind::Curve(nothing),
        Kind::Curve(flat),
        Kind::Frontier(vec![]),
        Kind::Frontier(vec![one]),
        Kind::Stacks(vec![stack("\u{0}<", f64::MAX / 1e12)]),
    ];
    for kind in odd {
        assert!(chart::png(&chart(Locale::En, kind.clone())).is_some(), "{kind:?}");
    }
}
