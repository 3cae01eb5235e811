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

/// A request's cycle: `C = n_out·dec(x) + own + (b - 1)·other`, `b` requests on a rank, `x` of them decoding; a prefill is
/// the shorter the more prompts come in a step and share its launches.
///
/// All others' prefills stall it once a cycle, part of them while it waits for its own first token:
/// `w = own·C/(n_out·dec + own)` where they come evenly (mean value analysis of a closed queue, Schweitzer 1979),
/// `own + other·(b - 1)/2` where all come at once; `wave` is how far they do. Its tokens take the rest of the cycle.
/// Before it lie the engine's way in, its steps of lead (none where nobody else is served) and the wait for a place;
/// tokens a second are those of all requests in the time that each is there (Little's law).
pub fn pacing(load: &Load, decoder: &Decoder, pace: &Pace) -> Pacing {
    // Stages of a pipeline each work on a part of the batch.
    let batch = (load.runs / load.ranks).max(1.0);
    let context = load.prompt + load.output / 2.0;
    let prefill = |together| {
        if load.prompt > 0.0 { decoder.prefill(load.prompt, load.chunk, together) } else { 0.0 }
    };
    let in_a_step = (batch / load.output.max(1.0)).max(pace.wave * batch);
    let own = prefill(1.0);
    let other = prefill(in_a_step.min(load.chunk / load.prompt.max(1.0)).max(1.0));
    let prefills = own + (batch - 1.0) * other;
    let (mut decoding, mut cycle, mut wait, mut lead) = (batch, 0.0, own, 0.0);
    let mut step = Step::default();
    for _ in 0..4 {
        step = decoder.step((decoding / decoder.machine.stages).max(1.0), context);
        let decode = load.output * step.total / step.tokens;
        cycle = decode + prefills;
        let evenly = if decode > 0.0 { own * cycle / (decode + own) } else { prefills };
        let at_once = own + (batch - 1.0) / 2.0 * other;
        wait = evenly + pace.wave * (at_once - evenly).max(0.0);
        lead = pace.first_ms * 1e-3 + pace.first_steps * step.total * (1.0 - 1.0 / batch);
        decoding = (batch * (cycle - wait) / (lead + cycle)).clamp(1.0, batch);
    }
    let waiting = (load.asked / load.runs - 1.0).max(0.0) * cycle;
    let tokens = if load.output > 0.0 { load.output } else { load.prompt };
    Pacing {
        first: lead + wait + waiting,
        each: if load.output > 0.0 { (cycle - wait) / load.output } else { 0.0 },
        tokens_per_s: load.asked * tokens / (lead + waiting + cycle),
        prefill: own,
        step,
    }
}
