//! Answers as JSON: the shapes that programs rely on.
//!
//! Bytes, seconds, FLOPs and tokens are plain numbers; a field that does not apply is absent.

use crate::app::{Answer, Asked};
use crate::catalog::names::Resolution;
use crate::estimate::{Basis, Estimate, PartKind, Point, Ranged, Serving, Speed, Time, knee};
use crate::message::Problem;
use crate::paste::Pasted;
use crate::plan::{Choice, Outcome, Plan, Verdict};
use crate::request::tweak::{Said, Tweak};
use crate::request::{Request, Settings, Value as KnobValue, Zero, line};
use crate::text::{self, Locale};
use crate::units::Bytes;
use serde_json::{Map, Value, json};

/// An answer with its verb and canonical line in front.
pub fn whole(asked: &Asked, answer: &dyn Answer, locale: Locale) -> Value {
    let mut whole = fields([("ok", json!(true)), ("verb", json!(asked.verb.word())), ("line", json!(asked.line()))]);
    whole.append(&mut answer.json(locale));
    if !asked.ignored.is_empty() {
        whole.insert("ignored".into(), json!(asked.ignored));
    }
    whole.extend(asked.read_as.as_ref().map(|name| ("read_as".into(), json!(name))));
    Value::Object(whole)
}

/// The fields of a `train` or `infer` line answered.
pub fn outcome(outcome: &Outcome, locale: Locale) -> Map<String, Value> {
    let Outcome { request, estimate, plan } = outcome;
    let mut answer = Map::new();
    answer.insert("model".into(), model(request, estimate));
    answer.insert("memory".into(), memory(estimate));
    let compute = &estimate.compute;
    answer.insert(
        "compute".into(),
        json!({"flops_per_token": compute.flops_per_token, "flops_per_step": compute.flops_per_step}),
    );
    if let Some(time) = &estimate.time {
        answer.insert("time".into(), training_time(time));
    }
    if let Some(serving) = &estimate.serving {
        answer.insert("serving".into(), served(request, serving));
    }
    answer.insert("fit".into(), fit(request, plan));
    answer.insert("recommendations".into(), plan.options.iter().map(recommendation).collect());
    if !plan.advice.is_empty() {
        answer.insert("advice".into(), plan.advice.iter().map(|advice| json!({
            "changes": changes(&advice.changes), "line": line::write(&advice.settings), "saves": advice.saves,
            "slowdown": advice.slowdown, "fits": advice.fits, "text": text::say(locale, &advice.label),
        })).collect());
    }
    if !plan.misses.is_empty() {
        answer.insert(
            "misses".into(),
            plan.misses
                .iter()
                .map(|miss| {
                    let mut said = json!({
                        "knob": miss.knob, "line": line::write(&miss.settings), "text": text::say(locale, &miss.label),
                    });
                    if let (Some(asked), Some(nearest)) = (miss.asked, miss.nearest) {
                        said["asked"] = asked.into();
                        said["nearest"] = nearest.into();
                    }
                    said
                })
                .collect(),
        );
    }
    let assumed = request.assumed.iter().map(|(knob, value)| format!("{knob}={value}"));
    answer.insert("assumed".into(), assumed.collect());
    let notes = estimate.notes.iter().chain(&plan.notes);
    answer.insert("notes".into(), notes.map(|note| text::say(locale, note)).collect());
    answer
}

fn model(request: &Request, estimate: &Estimate) -> Value {
    let counts = &request.model.counts;
    let mut fields = vec![
        ("id", json!(request.model.id)),
        ("params_total", json!(counts.total)),
        ("params_active", json!(counts.active)),
    ];
    if request.train().is_some() {
        fields.push(("params_trainable", json!(estimate.trainable_parameters)));
    }
    object(fields)
}

fn memory(estimate: &Estimate) -> Value {
    let memory = &estimate.memory;
    let parts = memory.parts.iter().filter(|part| part.bytes() > Bytes::ZERO);
    let mut per_gpu = object(parts.map(|part| (part_name(part.kind), json!(part.bytes()))));
    per_gpu["total"] = json!(memory.device);
    let mut fields = vec![
        ("per_gpu", per_gpu),
        ("allocated", json!(memory.allocated)),
        ("reserved", json!(memory.reserved)),
        ("device", json!(memory.device)),
        ("needed", json!(memory.needed)),
        ("low", json!(memory.low)),
        ("high", json!(memory.high)),
    ];
    if memory.host > Bytes::ZERO {
        fields.push(("host", json!(memory.host)));
    }
    object(fields)
}

/// A part's name in the JSON.
pub const fn part_name(kind: PartKind) -> &'static str {
    match kind {
        PartKind::Weights => "weights",
        PartKind::Gradients => "gradients",
        PartKind::Optimizer => "optimizer",
        PartKind::Activations => "activations",
        PartKind::Logits => "logits",
        PartKind::Buffers => "buffers",
        PartKind::KvCache => "kv_cache",
        PartKind::Overhead => "overhead",
    }
}

pub const fn basis_name(basis: Basis) -> &'static str {
    match basis {
        Basis::Exact => "exact",
        Basis::Modelled => "modelled",
        Basis::Assumed => "assumed",
    }
}

fn training_time(time: &Time) -> Value {
    let mut fields = vec![
        ("step_s", json!(time.step)),
        ("tokens_per_s", json!(time.tokens_per_s)),
        ("tokens_per_s_per_gpu", json!(time.tokens_per_s_per_gpu)),
        ("tokens_per_s_low", json!(time.low)),
        ("tokens_per_s_high", json!(time.high)),
        ("tflops_per_gpu", json!(time.flops_per_gpu.0 / 1e12)),
        ("mfu", json!(time.mfu)),
    ];
    fields.extend(time.total.map(|total| ("total_s", json!(total))));
    fields.extend(time.gpu_hours.map(|hours| ("gpu_hours", json!(hours))));
    if let Some((low, high)) = time.goodput_total {
        fields.extend([("total_s_low", json!(low)), ("total_s_high", json!(high))]);
    }
    object(fields)
}

fn served(request: &Request, serving: &Serving) -> Value {
    let mut fields = Vec::new();
    if let Some(speed) = &serving.speed {
        fields.extend(speed_fields(request, speed));
    }
    fields.push(("kv_bytes_per_token", json!(serving.kv_bytes_per_token)));
    fields.extend(serving.kv_tokens.map(|tokens| ("kv_tokens", json!(tokens))));
    fields.extend(serving.max_concurrency.map(|requests| ("max_concurrency", json!(requests))));
    fields.extend(serving.max_seq.map(|tokens| ("max_seq", json!(tokens))));
    fields.push(("weights_per_gpu", json!(serving.weights_per_gpu)));
    fields.push(("activation_peak", json!(serving.activation_peak)));
    fields.extend(serving.kv_cache_available.map(|bytes| ("kv_cache_available", json!(bytes))));
    fields.push(("starts", json!(serving.starts)));
    object(fields)
}

fn speed_fields(request: &Request, speed: &Speed) -> Vec<(&'static str, Value)> {
    let range = |range: Ranged| json!([range.low, range.high]);
    let knee = knee(request).into_iter().map(|Point { requests, tpot_ms, tokens_per_s }| {
        json!({"concurrency": requests, "tpot_ms": tpot_ms, "tokens_per_s": tokens_per_s})
    });
    vec![
        ("ttft_ms", json!(speed.ttft_ms.value)),
        ("ttft_ms_range", range(speed.ttft_ms)),
        ("tpot_ms", json!(speed.tpot_ms.value)),
        ("tpot_ms_range", range(speed.tpot_ms)),
        ("tokens_per_s", json!(speed.tokens_per_s.value)),
        ("tokens_per_s_range", range(speed.tokens_per_s)),
        ("tokens_per_s_per_gpu", json!(speed.tokens_per_s_per_gpu)),
        ("prefill_tokens_per_s", json!(speed.prefill_tokens_per_s)),
        ("knee", knee.collect()),
    ]
}

fn fit(request: &Request, plan: &Plan) -> Value {
    let (verdict, headroom) = match plan.verdict {
        Verdict::Fits { headroom } => ("fits", Some(headroom)),
        Verdict::Tight { headroom } => ("tight", Some(headroom)),
        Verdict::Short { by } => ("short", Some(Bytes(-by.0))),
        Verdict::NoGpu => ("no_gpu", None),
    };
    let mut fields = vec![("verdict", json!(verdict))];
    fields.extend(request.hardware.gpu.map(|gpu| ("gpu", json!(gpu.id))));
    fields.push(("gpus", json!(request.hardware.gpus)));
    fields.extend(headroom.map(|headroom| ("headroom", json!(headroom))));
    object(fields)
}

pub fn recommendation(choice: &Choice) -> Value {
    let parallel = choice.parallel;
    let mut fields = vec![
        ("gpu", json!(choice.gpu.id)),
        ("gpus", json!(choice.gpus)),
        ("nodes", json!(choice.nodes)),
        ("tp", json!(parallel.tensor)),
        ("pp", json!(parallel.pipeline)),
        ("dp", json!(parallel.data)),
        ("ep", json!(parallel.expert)),
        ("cp", json!(parallel.context)),
    ];
    fields.extend(choice.zero.map(|zero| ("zero", json!(zero_stage(zero)))));
    fields.extend([("device", json!(choice.device)), ("headroom", json!(choice.headroom))]);
    fields.extend(choice.tokens_per_s.map(|rate| ("tokens_per_s", json!(rate))));
    fields.extend(choice.usd_per_hour.map(|usd| ("usd_per_hour", json!(usd))));
    fields.push(("line", json!(line::write(&choice.settings))));
    object(fields)
}

/// FSDP shards what ZeRO 3 shards.
const fn zero_stage(zero: Zero) -> u8 {
    match zero {
        Zero::Ddp => 0,
        Zero::One => 1,
        Zero::Two => 2,
        Zero::Three | Zero::Fsdp | Zero::Hsdp => 3,
    }
}

/// Changed knobs by key, each value as a number where it is one.
pub fn changes<'a>(changes: impl IntoIterator<Item = &'a (&'static str, KnobValue)>) -> Value {
    object(changes.into_iter().map(|(key, value)| (*key, knob_value(value))))
}

pub fn knob_value(value: &KnobValue) -> Value {
    match value {
        KnobValue::Count(n) => json!(n),
        KnobValue::Number(x) => json!(x),
        KnobValue::Choice(_) | KnobValue::Text(_) | KnobValue::List(_) | KnobValue::Bound(_) => {
            // `zero=3` is a number to those who read it.
            let word = value.to_string();
            word.parse::<u64>().map_or_else(|_| json!(word), |n| json!(n))
        }
    }
}

/// What a text changes of a line; `null` is a knob given back to its default.
pub fn tweak(tweak: &Tweak, locale: Locale) -> Value {
    let outcome = match tweak.outcome {
        Said::Changed => "changed",
        Said::Nothing => "none",
        Said::Wish | Said::Either => "ask",
        Said::Error => "error",
    };
    let mut heard = fields([("ok", json!(true)), ("outcome", json!(outcome))]);
    if tweak.outcome == Said::Changed {
        let changes = tweak.changes.iter().map(|(key, value)| (*key, value.as_ref().map_or(Value::Null, knob_value)));
        heard.insert("changes".into(), object(changes));
    }
    if outcome == "ask" {
        heard.insert("ask".into(), json!(tweak.ask));
    }
    if tweak.outcome == Said::Either {
        heard.insert("alternatives".into(), tweak.alternatives.iter().map(canonical).collect());
    }
    heard.extend(tweak.error.as_ref().map(|problem| ("error".into(), error(problem, locale))));
    heard.extend(tweak.explain.map(|subject| ("explain".into(), json!(subject))));
    heard.insert("line".into(), canonical(&tweak.settings));
    Value::Object(heard)
}

/// What a model's name was read as.
pub fn resolution(resolution: &Resolution, locale: Locale) -> Value {
    let mut found = fields([("ok", json!(true)), ("outcome", json!(resolution.outcome.word()))]);
    found.extend(resolution.id.as_ref().map(|id| ("model".into(), json!(id))));
    found.extend(resolution.quant.as_ref().map(|quant| ("quant".into(), json!(quant))));
    found.insert("candidates".into(), json!(resolution.candidates));
    found.extend(resolution.reason.as_ref().map(|reason| ("reason".into(), json!(text::say(locale, reason)))));
    found.extend(resolution.read_as.as_ref().map(|name| ("read_as".into(), json!(name))));
    Value::Object(found)
}

/// What a pasted text was read as.
pub fn pasted(pasted: &Pasted, locale: Locale) -> Value {
    let Some(kind) = pasted.kind else { return object([("ok", json!(true)), ("outcome", json!("none"))]) };
    let notes: Vec<String> = pasted.notes.iter().map(|note| text::say(locale, note)).collect();
    let notes = (!notes.is_empty()).then(|| ("notes", json!(notes)));
    let read = [
        ("ok", json!(true)),
        ("outcome", json!("understood")),
        ("kind", json!(kind.word())),
        ("understood", json!(pasted.understood)),
        ("asked", json!(pasted.asked)),
        ("assumed", json!(pasted.assumed)),
        ("line", canonical(&pasted.settings)),
    ];
    object(read.into_iter().chain(notes))
}

/// A user's mistake.
pub fn problem(problem: &Problem, locale: Locale) -> Value {
    json!({"ok": false, "error": error(problem, locale)})
}

pub fn error(problem: &Problem, locale: Locale) -> Value {
    let mut fields = Vec::new();
    fields.extend(problem.knob.map(|knob| ("knob", json!(knob))));
    fields.push(("message", json!(text::say(locale, &problem.message))));
    fields.push(("suggestions", json!(problem.suggestions)));
    object(fields)
}

/// The settings as a line.
pub fn canonical(settings: &Settings) -> Value {
    json!(line::write(settings))
}

fn object(entries: impl IntoIterator<Item = (&'static str, Value)>) -> Value {
    Value::Object(fields(entries))
}

pub fn fields(entries: impl IntoIterator<Item = (&'static str, Value)>) -> Map<String, Value> {
    entries.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}
