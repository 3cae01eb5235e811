//! Training: what the framework does where nothing was asked.

use super::model::named;
use super::{Fill, Settled};
use crate::catalog::recipe::Defaults;
use crate::catalog::{Format, Model};
use crate::message::Problem;
use crate::msg;
use crate::request::settings::Value;
use crate::request::{
    Checkpointing, Compute, Dtype, Lora, LoraKind, Loss, Master, Method, Offload, Stage, Targets, Train, Work, Zero,
};
use std::sync::Arc;

pub(super) fn fill(fill: &mut Fill) -> Result<Settled, Problem> {
    let catalog = fill.catalog;
    let framework = fill.row("framework", &catalog.frameworks, |row| &row.name, "hf")?;
    let defaults = &framework.defaults;
    let precision = fill.precision()?;
    let attention = fill.attention(&defaults.attn);
    let seq = match fill.settings.get("seq") {
        Some(Value::Bound(_)) => fill.model.max_position.unwrap_or(4096),
        _ => fill.count("seq", fill.model.max_position.map_or(2048, |max| max.min(2048))),
    };
    let stage = stage(fill.choice("stage", "sft"));
    let method = method(fill, defaults)?;
    let optimizer = fill.row("optimizer", &catalog.optimizers, |row| &row.name, "adamw")?;
    let (micro_batch_size, gradient_accumulation) = batch(fill)?;
    let zero = zero(fill, defaults)?;
    let adapters = matches!(method, Method::Lora(_));
    let master = master(fill, defaults, precision, adapters, zero);
    let gradient_dtype = gradients(fill, defaults, precision, &method, master);
    // peft's `prepare_model_for_kbit_training` switches checkpointing on.
    let prepared = framework.kernels.kbit_upcast && matches!(&method, Method::Lora(lora) if lora.base.is_some());
    let checkpointing = if prepared { "on" } else { defaults.checkpointing.as_str() };
    let rl = matches!(stage, Stage::Ppo | Stage::Grpo);
    let has_reference = rl || matches!(stage, Stage::Dpo | Stage::Kto);
    let tokens = tokens(fill, seq);
    let train = Train {
        method,
        stage,
        micro_batch_size,
        gradient_accumulation,
        optimizer,
        master,
        gradient_dtype,
        autocast: fill.switch("autocast", precision != Compute::Fp32 && defaults.autocast == "on"),
        zero,
        offload: match fill.choice("offload", "none") {
            "cpu" => Offload::Cpu,
            "optimizer" => Offload::Optimizer,
            _ => Offload::None,
        },
        checkpointing: match fill.choice("checkpointing", checkpointing) {
            "on" => Checkpointing::On,
            "selective" => Checkpointing::Selective,
            _ => Checkpointing::Off,
        },
        loss: match fill.choice("loss", if compares(stage) { "full" } else { &defaults.loss }) {
            "fused" => Loss::Fused,
            "chunked" => Loss::Chunked,
            _ => Loss::Full,
        },
        compile: fill.switch("compile", false),
        framework,
        packing: fill.switch("packing", false),
        interleave: fill.settings.count("interleave").unwrap_or(1),
        reference_model: has_reference && fill.switch("ref_model", true),
        generations: if stage == Stage::Grpo {
            fill.count("generations", 8)
        } else {
            fill.settings.count("generations").unwrap_or(1)
        },
        rollout_engine: fill.settings.number("rollout_mem_util").filter(|_| rl),
        reward_model: reward_model(fill)?,
        tokens,
    };
    Ok(Settled { precision, seq, attention, work: Work::Train(train) })
}

/// Stages whose losses compare log-probabilities of whole answers, which trainers take of all logits.
fn compares(stage: Stage) -> bool {
    match stage {
        Stage::Dpo | Stage::Orpo | Stage::Cpo | Stage::SimPo | Stage::Kto => true,
        Stage::Pretrain | Stage::Sft | Stage::Rm | Stage::Ppo | Stage::Grpo => false,
    }
}

/// Sharding over data-parallel ranks; where nothing was asked and there are several, the framework's.
fn zero(fill: &mut Fill, defaults: &'static Defaults) -> Result<Zero, Problem> {
    match (fill.settings.choice("sharding"), fill.settings.count("zero")) {
        (Some("hsdp"), None) => return Ok(Zero::Hsdp),
        (Some(_), None) => return Ok(Zero::Fsdp),
        (Some(_), Some(_)) => {
            return Err(Problem::of("zero", msg!("problem-zero-and-sharding"))
                .suggest(["zero=3".to_owned(), "sharding=fsdp".to_owned()]));
        }
        (None, Some(stage)) if stage > 1 && fill.parallel.pipeline > 1 => {
            // DeepSpeed's PipelineEngine asserts a stage below that of gradients.
            return Err(Problem::of("zero", msg!("problem-zero-pipeline", stage = stage))
                .suggest(["zero=1".to_owned(), "pp=1".to_owned()]));
        }
        (None, Some(stage)) => return Ok(zero_stage(stage)),
        (None, None) => {}
    }
    if fill.parallel.data * fill.parallel.context == 1 {
        fill.assume("zero", "0");
        return Ok(Zero::Ddp);
    }
    match defaults.sharding.parse() {
        Ok(stage) => {
            fill.assume("zero", defaults.sharding.as_str());
            Ok(zero_stage(stage))
        }
        Err(_) => {
            fill.assume("sharding", defaults.sharding.as_str());
            Ok(if defaults.sharding == "hsdp" { Zero::Hsdp } else { Zero::Fsdp })
        }
    }
}

fn zero_stage(stage: u64) -> Zero {
    match stage {
        0 => Zero::Ddp,
        1 => Zero::One,
        2 => Zero::Two,
        _ => Zero::Three,
    }
}

/// What full fine-tuning in 16 bits steps. DeepSpeed, which a ZeRO stage brings in, keeps an fp32 master of its own.
fn master(fill: &mut Fill, defaults: &'static Defaults, precision: Compute, adapters: bool, zero: Zero) -> Master {
    let deepspeed = matches!(zero, Zero::One | Zero::Two | Zero::Three);
    let default = match &*defaults.master {
        _ if precision == Compute::Fp32 || adapters => "off",
        "amp" | "off" if deepspeed => "on",
        framework => framework,
    };
    match fill.choice("master", default) {
        "amp" => Master::Amp,
        "on" => Master::On,
        _ => Master::Off,
    }
}

/// Gradients are as wide as what they belong to, but for a framework that accumulates them in fp32 beside a master.
fn gradients(
    fill: &mut Fill,
    defaults: &'static Defaults,
    precision: Compute,
    method: &Method,
    master: Master,
) -> Dtype {
    let half = if precision == Compute::Fp16 { "fp16" } else { "bf16" };
    let default = match (method, master) {
        (Method::Lora(lora), _) => match lora.adapter_dtype {
            Dtype::Fp32 => "fp32",
            Dtype::Bf16 => "bf16",
            Dtype::Fp16 => "fp16",
        },
        (Method::Full | Method::Freeze, _) if precision == Compute::Fp32 => "fp32",
        (Method::Full | Method::Freeze, Master::Amp) => "fp32",
        // Megatron's fp8 recipes reduce gradients in 16 bits.
        (Method::Full | Method::Freeze, Master::On) if defaults.grads == "fp32" && precision != Compute::Fp8 => "fp32",
        (Method::Full | Method::Freeze, Master::On | Master::Off) => half,
    };
    dtype(fill.choice("grads", default))
}

fn reward_model(fill: &Fill) -> Result<Option<Arc<Model>>, Problem> {
    let Some(id) = fill.settings.text("reward_model") else { return Ok(None) };
    let of_knob = |problem| Problem { knob: Some("reward_model"), ..problem };
    named(id, fill.catalog).map(Some).map_err(of_knob)
}

fn method(fill: &mut Fill, defaults: &'static Defaults) -> Result<Method, Problem> {
    let catalog = fill.catalog;
    let rank_given = fill.settings.get("lora_rank").is_some();
    let quantised = fill.settings.text("quant").is_some_and(|name| name != "none");
    let usual = if quantised {
        "qlora"
    } else if rank_given {
        "lora"
    } else {
        "full"
    };
    let word = fill.choice("method", usual);
    if quantised && matches!(word, "full" | "freeze") {
        return Err(
            Problem::of("quant", msg!("problem-quantised-weights", method = word)).suggest(["method=qlora".to_owned()])
        );
    }
    if word == "qlora" && fill.settings.text("quant") == Some("none") {
        return Err(Problem::of("quant", msg!("problem-qlora-unquantised"))
            .suggest(["method=lora".to_owned(), "quant=bnb-nf4".to_owned()]));
    }
    let kind = match word {
        "full" => return Ok(Method::Full),
        "freeze" => return Ok(Method::Freeze),
        "adalora" => LoraKind::AdaLora,
        "dora" => LoraKind::Dora,
        _ => LoraKind::Lora,
    };
    // peft's `LoraConfig.r` and `AdaLoraConfig.init_r`.
    let rank = fill.count("lora_rank", if kind == LoraKind::AdaLora { 12 } else { 8 });
    if rank > fill.model.hidden_size {
        return Err(Problem::of(
            "lora_rank",
            msg!("problem-rank-over-hidden", rank = rank, hidden = fill.model.hidden_size),
        )
        .suggest(["lora_rank=64".to_owned()]));
    }
    let base = if word == "qlora" || quantised {
        let named = fill.row("quant", &catalog.formats, |row| &row.name, "bnb-nf4")?;
        // What is trained on in 8 bits is bitsandbytes' LLM.int8().
        let of_library = catalog.formats.iter().find(|format| named.name == "int8" && format.name == "bnb-int8");
        Some(of_library.unwrap_or(named))
    } else {
        None
    };
    if let Some(base) = base {
        trainable(base, fill.parallel.tensor)?;
    }
    if fill.settings.texts("lora_targets").is_empty() {
        fill.assume("lora_targets", "all");
    }
    let targets = targets(fill.settings.texts("lora_targets"));
    let pure_fp32 = fill.settings.choice("precision") == Some("fp32");
    let adapter_dtype = dtype(fill.choice("adapters", if pure_fp32 { "fp32" } else { &defaults.adapters }));
    Ok(Method::Lora(Lora { kind, rank, targets, adapter_dtype, base }))
}

/// Whether adapters can be trained over weights of this format, on so many tensor-parallel ranks.
fn trainable(base: &Format, tensor: u32) -> Result<(), Problem> {
    if base.is_gguf() {
        let message = msg!("problem-gguf-training", quant = base.name.as_str());
        return Err(Problem::of("quant", message).suggest(["quant=bnb-nf4".to_owned()]));
    }
    // bitsandbytes packs a whole matrix as one flat row of blocks, which no rank can take a slice of.
    if base.name.starts_with("bnb") && tensor > 1 {
        let message = msg!("problem-bnb-tensor-parallel", quant = base.name.as_str());
        return Err(Problem::of("tp", message).suggest(["tp=1".to_owned(), "quant=gptq-int4".to_owned()]));
    }
    Ok(())
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
            .suggest([format!("global_batch={}", if accum.is_some() { known } else { global.next_multiple_of(known) })])
    };
    if !global.is_multiple_of(known) {
        return Err(contradiction());
    }
    let left = global / known;
    match (batch, accum) {
        (Some(_), Some(_)) if left != 1 => Err(contradiction()),
        (Some(batch), Some(accum)) => Ok((batch, accum)),
        (None, Some(accum)) => {
            fill.assume("batch", left.to_string());
            Ok((left, accum))
        }
        (batch, None) => {
            fill.assume("accum", left.to_string());
            Ok((batch.unwrap_or(1), left))
        }
    }
}

fn tokens(fill: &Fill, seq: u64) -> Option<u64> {
    let settings = fill.settings;
    let once = settings.count("tokens").or_else(|| settings.count("samples").map(|n| n.saturating_mul(seq)))?;
    Some((once as f64 * settings.number("epochs").unwrap_or(1.0)) as u64)
}
