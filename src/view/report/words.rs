//! What answers say in the same words: names, verdicts, layouts, figures that add up.

use crate::catalog::{Gpu, Model};
use crate::estimate::{Estimate, Memory, PartKind};
use crate::msg;
use crate::plan::{Verdict, room};
use crate::request::{LoraKind, Method, Parallel, Request, Settings, Stage, Train, Value, Work, Zero};
use crate::text::{self, Locale, number, say, tr};
use crate::units::{Bytes, GIB, MIB};
use crate::view::Tone;
use std::borrow::Cow;
use std::fmt::Display;

/// `Llama-3-8B · full fine-tuning · 8 × A100 80GB SXM`.
pub(super) fn title(locale: Locale, request: &Request) -> String {
    let mut words = vec![short_name(&request.model).to_owned()];
    match &request.work {
        Work::Train(train) => {
            words.push(method(locale, train).into_owned());
            match train.stage {
                Stage::Pretrain | Stage::Sft => {}
                stage => words.push(stage_name(stage).to_owned()),
            }
        }
        Work::Infer(infer) => {
            if infer.weights.name != "none" {
                words.push(infer.weights.name.to_uppercase());
            }
            words.push(engine(locale, &infer.backend.name));
        }
    }
    if let Some(gpu) = request.hardware.gpu {
        words.push(cards(request.hardware.gpus, gpu));
    }
    words.join(" · ")
}

/// An engine's name as its makers write it.
fn engine(locale: Locale, name: &str) -> String {
    let key = format!("engine-{name}");
    if text::has(&key) { tr(locale, &key).into_owned() } else { name.to_owned() }
}

/// A Hugging Face id without its owner.
pub(super) fn short_name(model: &Model) -> &str {
    model.id.rsplit('/').next().unwrap_or(&model.id)
}

fn method(locale: Locale, train: &Train) -> Cow<'static, str> {
    match &train.method {
        Method::Full if train.stage == Stage::Pretrain => tr(locale, "method-pretrain"),
        Method::Full => tr(locale, "method-full"),
        Method::Freeze => tr(locale, "method-freeze"),
        Method::Lora(lora) => Cow::Borrowed(match lora.kind {
            LoraKind::Lora if lora.base.is_some() => "QLoRA",
            LoraKind::Lora => "LoRA",
            LoraKind::AdaLora => "AdaLoRA",
            LoraKind::Dora => "DoRA",
        }),
    }
}

/// The value of the `method` knob.
pub(super) fn method_word(method: &Method) -> &'static str {
    match method {
        Method::Full => "full",
        Method::Freeze => "freeze",
        Method::Lora(lora) => match lora.kind {
            LoraKind::Lora if lora.base.is_some() => "qlora",
            LoraKind::Lora => "lora",
            LoraKind::AdaLora => "adalora",
            LoraKind::Dora => "dora",
        },
    }
}

const fn stage_name(stage: Stage) -> &'static str {
    match stage {
        Stage::Pretrain => "PT",
        Stage::Sft => "SFT",
        Stage::Rm => "RM",
        Stage::Dpo => "DPO",
        Stage::Orpo => "ORPO",
        Stage::Cpo => "CPO",
        Stage::SimPo => "SimPO",
        Stage::Kto => "KTO",
        Stage::Ppo => "PPO",
        Stage::Grpo => "GRPO",
    }
}

/// `8 × A100 80GB SXM`.
pub(super) fn cards(gpus: u32, gpu: &Gpu) -> String {
    format!("{gpus} × {}", card(gpu))
}

/// A card's name without its maker's, which everyone knows.
pub(super) fn card(gpu: &Gpu) -> &str {
    let name = gpu.name.as_str();
    ["NVIDIA ", "AMD ", "Intel ", "Huawei ", "Google ", "AWS "]
        .iter()
        .find_map(|maker| name.strip_prefix(maker))
        .unwrap_or(name)
}

/// GiB without the unit: `51.2`.
pub(super) fn gib(size: Bytes) -> String {
    number(size.gib())
}

/// `46–57`.
pub(super) fn between(low: impl Display, high: impl Display) -> String {
    format!("{low}–{high}")
}

/// `31k → 24k`.
pub(super) fn between_arrows(old: impl Display, new: impl Display) -> String {
    format!("{old} → {new}")
}

pub(super) fn tone(verdict: Verdict) -> Tone {
    match verdict {
        Verdict::Fits { .. } => Tone::Good,
        Verdict::Tight { .. } => Tone::Tight,
        Verdict::Short { .. } => Tone::Bad,
        Verdict::NoGpu => Tone::Neutral,
    }
}

/// The line that says it.
pub(super) fn verdict(locale: Locale, request: &Request, estimate: &Estimate, verdict: Verdict) -> String {
    let memory = &estimate.memory;
    let each = if request.hardware.gpus > 1 { tr(locale, "each-gpu") } else { Cow::Borrowed("") };
    let each = &*each;
    let used = gib(memory.device);
    let needed = gib(memory.needed);
    let likely = between(gib(memory.low), gib(memory.high));
    let card = request.hardware.gpu.map(|gpu| text::bytes(gpu.memory)).unwrap_or_default();
    let room = request.hardware.gpu.map(|gpu| text::bytes(room(request, gpu))).unwrap_or_default();
    let serves = request.infer().is_some();
    let reserves_more = reserves_more(memory);
    let message = match verdict {
        Verdict::Fits { .. } if serves && reserves_more => {
            msg!("verdict-serves", each = each, needed = needed, card = card, used = used)
        }
        Verdict::Fits { .. } if serves => {
            msg!("verdict-serves-plain", each = each, used = used, card = card, likely = likely)
        }
        Verdict::Fits { .. } if reserves_more => {
            msg!("verdict-trains-shown", each = each, needed = needed, card = card, used = used, likely = likely)
        }
        Verdict::Fits { .. } => msg!("verdict-trains", each = each, used = used, card = card, likely = likely),
        Verdict::Tight { headroom } => {
            msg!("verdict-tight", each = each, needed = needed, card = room, spare = headroom, likely = likely)
        }
        Verdict::Short { by } if by.0 > 0.0 => {
            let by = if by.0 < GIB { text::bytes(by) } else { format!("{} GiB", gib(by)) };
            msg!("verdict-short", each = each, by = by, needed = needed, card = room)
        }
        Verdict::Short { .. } => msg!("verdict-no-start", seq = request.seq),
        Verdict::NoGpu if reserves_more => {
            msg!("verdict-no-gpu-shown", each = each, needed = needed, used = used, likely = likely)
        }
        Verdict::NoGpu => msg!("verdict-no-gpu", each = each, needed = needed, likely = likely),
    };
    say(locale, &message)
}

pub(super) fn part_name(locale: Locale, kind: PartKind) -> Cow<'static, str> {
    let key = match kind {
        PartKind::Weights => "part-weights",
        PartKind::Gradients => "part-gradients",
        PartKind::Optimizer => "part-optimizer",
        PartKind::Activations => "part-activations",
        PartKind::Logits => "part-logits",
        PartKind::Buffers => "part-buffers",
        PartKind::KvCache => "part-kv-cache",
        PartKind::Overhead => "part-overhead",
    };
    tr(locale, key)
}

/// Whether an engine takes noticeably more than the load needs.
pub(super) fn reserves_more(memory: &Memory) -> bool {
    memory.device.0 > memory.needed.0 * 1.02
}

/// The parts that take anything, each with its bytes.
pub(super) fn parts(memory: &Memory) -> Vec<(PartKind, Bytes)> {
    memory.parts.iter().map(|part| (part.kind, part.bytes())).filter(|(_, bytes)| bytes.0 > 0.0).collect()
}

/// The unit a table counts in, by its total, and the unit's name.
pub(super) fn table_unit(total: Bytes) -> (f64, &'static str) {
    if total.0 >= GIB { (GIB, "GiB") } else { (MIB, "MiB") }
}

/// `key=value` words, as they stand in a line.
pub(super) fn words<'a>(changes: impl IntoIterator<Item = (&'a str, &'a Value)>) -> String {
    let words: Vec<String> = changes.into_iter().map(|(key, value)| format!("{key}={value}")).collect();
    words.join(" ")
}

/// The words that turn one line into the other, where words can.
pub(super) fn difference(from: &Settings, to: &Settings) -> String {
    words(to.values.iter().filter(|(key, value)| from.get(key) != Some(value)).map(|(key, value)| (*key, value)))
}

/// How the request is spread over its GPUs.
pub(super) fn layout_of(request: &Request) -> String {
    let zero = request.train().map(|train| train.zero);
    layout(&request.parallel, zero).unwrap_or_default()
}

/// `TP 4 · PP 2 · ZeRO-3`: what is more than one, and how states are sharded.
pub(super) fn layout(parallel: &Parallel, zero: Option<Zero>) -> Option<String> {
    let degrees = [
        ("TP", parallel.tensor),
        ("PP", parallel.pipeline),
        ("EP", parallel.expert),
        ("CP", parallel.context),
        ("DP", parallel.data),
    ];
    let mut words: Vec<String> =
        degrees.iter().filter(|(_, degree)| *degree > 1).map(|(name, degree)| format!("{name} {degree}")).collect();
    match zero {
        Some(Zero::One) => words.push("ZeRO-1".to_owned()),
        Some(Zero::Two) => words.push("ZeRO-2".to_owned()),
        Some(Zero::Three) => words.push("ZeRO-3".to_owned()),
        Some(Zero::Fsdp) => words.push("FSDP".to_owned()),
        Some(Zero::Hsdp) => words.push("HSDP".to_owned()),
        Some(Zero::Ddp) | None => {}
    }
    (!words.is_empty()).then(|| words.join(" "))
}

/// Of all GPUs together, where the price is known.
pub(super) fn usd_per_hour(request: &Request) -> Option<f64> {
    let price = request.hardware.gpu?.price.as_ref()?;
    Some(price.usd_per_hour * f64::from(request.hardware.gpus))
}

/// `31k tok/s (27k–35k)`, or the plain value where there is no doubt.
pub(super) fn with_range(value: String, low: f64, high: f64) -> String {
    match low < high {
        true => format!("{value} ({})", between(number(low), number(high))),
        false => value,
    }
}
