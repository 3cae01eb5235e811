//! From what was asked to a full request: defaults of the framework or engine, checks across knobs.

use super::knobs;
use super::settings::{Settings, Verb};
use super::{AttentionKernel, Completed, Compute, Hardware, Parallel, Request, Work};
use crate::catalog::gpu::Peak;
use crate::catalog::{Catalog, Model};
use crate::message::Problem;
use crate::msg;
use crate::units::FlopsPerSec;
use std::borrow::Cow;
use std::sync::Arc;

mod cluster;
mod infer;
mod model;
mod train;

pub(super) use cluster::ranks;
pub use cluster::{experts, splits_heads};
use cluster::{hardware, parallel};

/// Fills in what was not asked and checks what was.
pub fn complete(settings: &Settings, catalog: &'static Catalog) -> Completed {
    let work = work_of(settings);
    for key in settings.values.keys() {
        let knob = knobs::find(key).filter(|knob| !knob.scope.serves(work));
        if knob.is_some() {
            let other = if work == Verb::Train { Verb::Infer } else { Verb::Train };
            return Err(Problem::of(
                key,
                msg!("problem-other-work", knob = *key, verb = work.word(), other = other.word()),
            ));
        }
    }
    let model = model::model(settings, catalog)?;
    let hardware = hardware(settings, catalog)?;
    let parallel = parallel(settings, work, &model, &hardware)?;
    let mut fill = Fill { settings, catalog, model: &model, hardware: &hardware, parallel, assumed: vec![] };
    for (key, value) in model::usual_shape(settings) {
        fill.assume(key, value.to_string());
    }
    let common = if work == Verb::Train { train::fill(&mut fill)? } else { infer::fill(&mut fill)? };
    let assumed = fill.assumed;
    Ok(Request {
        settings: settings.clone(),
        model,
        hardware,
        parallel,
        precision: common.precision,
        seq: common.seq,
        attention: common.attention,
        work: common.work,
        assumed,
    })
}

/// Which work is estimated; a verb that looks at either goes by `work`, else by the knobs given.
pub fn work_of(settings: &Settings) -> Verb {
    match settings.verb {
        Verb::Train => Verb::Train,
        Verb::Infer => Verb::Infer,
        Verb::Model | Verb::Gpu | Verb::Fit | Verb::Compare | Verb::Explain | Verb::Recipe | Verb::Help => {
            let scoped =
                |scope| settings.values.keys().any(|key| knobs::find(key).is_some_and(|knob| knob.scope == scope));
            match settings.choice("work") {
                Some("train") => Verb::Train,
                Some(_) => Verb::Infer,
                None if scoped(knobs::Scope::Train) && !scoped(knobs::Scope::Infer) => Verb::Train,
                None => Verb::Infer,
            }
        }
    }
}

/// What the parts of a work settle beyond model, hardware and parallelism.
struct Settled {
    precision: Compute,
    seq: u64,
    attention: AttentionKernel,
    work: Work,
}

/// Takes each knob from the settings, or a default that is noted as assumed.
struct Fill<'a> {
    settings: &'a Settings,
    catalog: &'static Catalog,
    model: &'a Arc<Model>,
    hardware: &'a Hardware,
    parallel: Parallel,
    assumed: Vec<(&'static str, Cow<'static, str>)>,
}

impl Fill<'_> {
    /// Notes a default as the words that would ask for it.
    fn assume(&mut self, key: &'static str, value: impl Into<Cow<'static, str>>) {
        self.assumed.push((key, value.into()));
    }
    fn count(&mut self, key: &'static str, default: u64) -> u64 {
        self.settings.count(key).unwrap_or_else(|| {
            self.assume(key, default.to_string());
            default
        })
    }
    fn number(&mut self, key: &'static str, default: f64) -> f64 {
        self.settings.number(key).unwrap_or_else(|| {
            self.assume(key, default.to_string());
            default
        })
    }
    fn choice(&mut self, key: &'static str, default: &'static str) -> &'static str {
        self.settings.choice(key).unwrap_or_else(|| {
            self.assume(key, default);
            default
        })
    }
    fn switch(&mut self, key: &'static str, default: bool) -> bool {
        self.settings.switch(key).unwrap_or_else(|| {
            self.assume(key, if default { "on" } else { "off" });
            default
        })
    }
    /// A row of a table of recipes by the name asked for, or the default's.
    fn row<T>(
        &mut self,
        key: &'static str,
        rows: &'static [T],
        name_of: fn(&T) -> &str,
        default: &'static str,
    ) -> Result<&'static T, Problem> {
        let name = self.settings.text(key).unwrap_or_else(|| {
            self.assume(key, default);
            default
        });
        rows.iter()
            .find(|row| name_of(row) == name)
            .ok_or_else(|| Problem::of(key, msg!("problem-no-such-row", knob = key, typed = name)))
    }
    /// `precision`, refused where it was asked for and the GPU has no such units; bf16 by default, fp16 where there is none.
    fn precision(&mut self) -> Result<Compute, Problem> {
        let gpu = self.hardware.gpu;
        let lacks = |rate: fn(&Peak) -> Option<FlopsPerSec>| gpu.is_some_and(|gpu| rate(&gpu.peak).is_none());
        let half = if lacks(|peak| peak.bf16) { "fp16" } else { "bf16" };
        let word = self.choice("precision", half);
        let (precision, lacking) = match word {
            "fp32" => (Compute::Fp32, false),
            "fp16" => (Compute::Fp16, lacks(|peak| peak.fp16)),
            "fp8" => (Compute::Fp8, lacks(|peak| peak.fp8)),
            _ => (Compute::Bf16, lacks(|peak| peak.bf16)),
        };
        match gpu {
            Some(gpu) if lacking && self.settings.get("precision").is_some() => {
                let message =
                    msg!("problem-gpu-lacks-precision", gpu = gpu.name.as_str(), precision = word, instead = half);
                Err(Problem::of("precision", message).suggest([format!("precision={half}")]))
            }
            Some(_) | None => Ok(precision),
        }
    }
    fn attention(&mut self, default: &'static str) -> AttentionKernel {
        match self.choice("attn", default) {
            "sdpa" => AttentionKernel::Sdpa,
            "eager" => AttentionKernel::Eager,
            _ => AttentionKernel::Flash,
        }
    }
}
