//! What requests see of a server under load: waiting, first token, pace, and all their tokens a second.
//!
//! Requests come in a closed loop: `concurrency` at once, each followed by the next. Knows nothing of GPUs.

use super::draft::Decoder;
use super::speed::Step;
use crate::catalog::constant::Pace;

/// What is asked of one rank's share of the server.
#[derive(Clone, Copy, Debug)]
pub struct Load {
    /// Tokens of a request, in and out.
    pub prompt: f64,
    pub output: f64,
    /// Requests at once, over all ranks that take requests.
    pub asked: f64,
    /// Requests that run at once; the others wait for a place.
    pub runs: f64,
    /// Ranks or replicas that requests are dealt out to.
    pub ranks: f64,
    /// Most prompt tokens of one step.
    pub chunk: f64,
}

/// Seconds, and tokens a second over all ranks.
#[derive(Clone, Copy, Debug)]
pub struct Pacing {
    pub first: f64,
    pub each: f64,
    /// Tokens out; where none are asked, in.
    pub tokens_per_s: f64,
    pub prefill: f64,
    pub step: Step,
}

/// A request's cycle: `C = n_out·dec(x) + b·pre`, `b` requests on a rank, `x` of them decoding.
///
/// All others' prefills stall it once a cycle, part of them while it waits for its own first token:
/// `w = pre·C/(n_out·dec + pre)`, so `x = b·(C - w)/C` and a token takes `(C - w)/n_out`. To the first token come the
/// engine's way in and its steps of lead, the wave of requests that start together, and the wait for a place.
pub fn pacing(load: &Load, decoder: &Decoder, pace: &Pace) -> Pacing {
    // Stages of a pipeline each work on a part of the batch.
    let batch = (load.runs / load.ranks).max(1.0);
    let context = load.prompt + load.output / 2.0;
    let prefill = if load.prompt > 0.0 { decoder.prefill(load.prompt, load.chunk) } else { 0.0 };
    let mut decoding = batch;
    let mut cycle = 0.0;
    let mut wait = prefill;
    let mut step = Step::default();
    for _ in 0..4 {
        step = decoder.step((decoding / decoder.machine.stages).max(1.0), context);
        let decode = load.output * step.total / step.tokens;
        cycle = decode + batch * prefill;
        wait = if decode > 0.0 { prefill * cycle / (decode + prefill) } else { batch * prefill };
        decoding = (batch * (cycle - wait) / cycle).clamp(1.0, batch);
    }
    let waiting = (load.asked / load.runs - 1.0).max(0.0) * cycle;
    let lead = pace.first_ms * 1e-3 + pace.first_steps * step.total + pace.wave * batch * prefill;
    let tokens = if load.output > 0.0 { load.output } else { load.prompt };
    Pacing {
        first: lead + wait + waiting,
        each: if load.output > 0.0 { (cycle - wait) / load.output } else { 0.0 },
        tokens_per_s: load.runs * tokens / cycle,
        prefill,
        step,
    }
}
