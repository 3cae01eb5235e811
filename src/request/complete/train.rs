//! Training: what the framework does where nothing was asked.

use super::{Fill, Settled};
use crate::message::Problem;
use crate::msg;
use crate::request::settings::Value;
use crate::request::{
    Checkpointing, Compute, Dtype, Lora, LoraKind, Loss, Master, Method, Offload, Stage, Targets, Train, Work, Zero,
};

pub(super) fn fill(fill: &mut Fill) -> Result<Settled, Problem> {
    let catalog = fill.catalog;
    let framework = fill.row("framework", &catalog.frameworks, |row| &row.name, "hf")?;
    let precision = fill.precision()?;
    let attention = fill.attention("flash");
    let seq = match fill.settings.get("seq") {
        Some(Value::Max) => fill.model.max_position.unwrap_or(4096),
        _ => fill.count("seq", fill.model.max_position.map_or(2048, |max| max.min(2048))),
    };
    let half = if precision == Compute::Fp16 { Dtype::Fp16 } else { Dtype::Bf16 };
    let method = method(fill)?;
    let full = method == Method::Full;
    let optimizer = fill.row("optimizer", &catalog.optimizers, |row| &row.name, "adamw")?;
    let (micro_batch_size, gradient_accumulation) = batch(fill)?;
    let master = match fill.choice("master", if full { "on" } else { "off" }) {
        "amp" => Master::Amp,
        "on" => Master::On,
        _ => Master::Off,
    };
    let gradients = dtype(fill.choice("grads", if half == Dtype::Fp16 { "fp16" } else { "bf16" }));
    let zero = match (fill.settings.choice("sharding"), fill.settings.count("zero")) {
        (Some("hsdp"), None) => Zero::Hsdp,
        (Some(_), None) => Zero::Fsdp,
        (Some(_), Some(_)) => {
            return Err(Problem::of("zero", msg!("problem-zero-and-sharding"))
                .suggest(["zero=3".to_owned(), "sharding=fsdp".to_owned()]));
        }
        (None, None) => {
            fill.assume("zero", 0);
            Zero::Ddp
        }
        (None, Some(0)) => Zero::Ddp,
        (None, Some(1)) => Zero::One,
        (None, Some(2)) => Zero::Two,
        (None, Some(_)) => Zero::Three,
    };
    let tokens = tokens(fill, seq);
    let train = Train {
        method,
        stage: stage(fill.choice("stage", "sft")),
        micro_batch_size,
        gradient_accumulation,
        optimizer,
        master,
        gradient_dtype: gradients,
        autocast: fill.switch("autocast", false),
        zero,
        offload: match fill.choice("offload", "none") {
            "cpu" => Offload::Cpu,
            "optimizer" => Offload::Optimizer,
            _ => Offload::None,
        },
        checkpointing: match fill.choice("checkpointing", "off") {
            "on" => Checkpointing::On,
            "selective" => Checkpointing::Selective,
            _ => Checkpointing::Off,
        },
        loss: match fill.choice("loss", "full") {
            "fused" => Loss::Fused,
            "chunked" => Loss::Chunked,
            _ => Loss::Full,
        },
        compile: fill.switch("compile", false),
        framework,
        packing: fill.switch("packing", false),
        reference_model: fill.settings.switch("ref_model").unwrap_or(false),
        generations: fill.settings.count("generations").unwrap_or(1),
        reward_model: None,
        tokens,
    };
    Ok(Settled { precision, seq, attention, work: Work::Train(train) })
}

fn method(fill: &mut Fill) -> Result<Method, Problem> {
    let catalog = fill.catalog;
    let rank_given = fill.settings.get("lora_rank").is_some();
    let word = fill.choice("method", if rank_given { "lora" } else { "full" });
    let kind = match word {
        "full" => return Ok(Method::Full),
        "freeze" => return Ok(Method::Freeze),
        "adalora" => LoraKind::AdaLora,
        "dora" => LoraKind::Dora,
        _ => LoraKind::Lora,
    };
    let rank = fill.count("lora_rank", 8);
    if rank > fill.model.hidden_size {
        return Err(Problem::of(
            "lora_rank",
            msg!("problem-rank-over-hidden", rank = rank, hidden = fill.model.hidden_size),
        )
        .suggest(["lora_rank=64".to_owned()]));
    }
    let base =
        if word == "qlora" { Some(fill.row("quant", &catalog.formats, |row| &row.name, "bnb-nf4")?) } else { None };
    let targets = targets(fill.settings.texts("lora_targets"));
    let adapter_dtype = dtype(fill.choice("adapters", "fp32"));
    Ok(Method::Lora(Lora { kind, rank, targets, adapter_dtype, base }))
}

fn targets(words: &[String]) -> Targets {
    let given = |word: &str| words.iter().any(|given| given == word);
    let all = words.is_empty() || given("all");
    let attention = all || given("attention");
    Targets {
        q: attention || given("q"),
        k: attention || given("k"),
        v: attention || given("v"),
        o: attention || given("o"),
        gate: all || given("gate"),
        up: all || given("up"),
        down: all || given("down"),
        embed: given("embed"),
        head: given("head"),
    }
}

fn dtype(word: &str) -> Dtype {
    match word {
        "fp32" => Dtype::Fp32,
        "fp16" => Dtype::Fp16,
        _ => Dtype::Bf16,
    }
}

fn stage(word: &str) -> Stage {
    match word {
        "pretrain" => Stage::Pretrain,
        "rm" => Stage::Rm,
        "dpo" => Stage::Dpo,
        "orpo" => Stage::Orpo,
        "cpo" => Stage::Cpo,
        "simpo" => Stage::SimPo,
        "kto" => Stage::Kto,
        "ppo" => Stage::Ppo,
        "grpo" => Stage::Grpo,
        _ => Stage::Sft,
    }
}

/// Micro batch and accumulation: of these and the global batch, two fix the third.
fn batch(fill: &mut Fill) -> Result<(u64, u64), Problem> {
    let data = u64::from(fill.parallel.data);
    let (batch, accum) = (fill.settings.count("batch"), fill.settings.count("accum"));
    let Some(global) = fill.settings.count("global_batch") else {
        return Ok((fill.count("batch", 1), fill.count("accum", 1)));
    };
    let known = batch.unwrap_or(1).saturating_mul(accum.unwrap_or(1)).saturating_mul(data);
    let contradiction = || {
        Problem::of("global_batch", msg!("problem-global-batch", global = global, product = known))
            .suggest([format!("global_batch={known}")])
    };
    if !global.is_multiple_of(known) {
        return Err(contradiction());
    }
    let left = global / known;
    match (batch, accum) {
        (Some(_), Some(_)) if left != 1 => Err(contradiction()),
        (Some(batch), Some(accum)) => Ok((batch, accum)),
        (None, Some(accum)) => {
            fill.assume("batch", left);
            Ok((left, accum))
        }
        (batch, None) => {
            fill.assume("accum", left);
            Ok((batch.unwrap_or(1), left))
        }
    }
}

fn tokens(fill: &Fill, seq: u64) -> Option<u64> {
    let settings = fill.settings;
    let once = settings.count("tokens").or_else(|| settings.count("samples").map(|n| n.saturating_mul(seq)))?;
    Some((once as f64 * settings.number("epochs").unwrap_or(1.0)) as u64)
}
