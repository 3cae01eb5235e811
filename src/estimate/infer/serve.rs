//! Speed under the asked load and around it, and what it waits for.

use super::super::{Limit, Point, Ranged, Speed};
use super::Server;
use super::draft::Decoder;
use super::host::Host;
use super::load::{Load, Pacing, pacing};
use super::speed::{self, Machine, Step};
use super::weights::Weights;
use crate::catalog::Gpu;
use crate::catalog::backend::Pool;
use crate::catalog::constant::{Pace, Serving as Constants};
use crate::catalog::gpu::Vendor;
use crate::request::Concurrency;
use crate::units::Seconds;

impl Server<'_> {
    /// Requests that can run at once over all ranks, and those asked for.
    pub fn running(&self) -> (f64, f64) {
        let ranks = self.split.request_ranks() as f64;
        let most = self.infer.max_seqs as f64 * ranks;
        let asked = match self.infer.concurrency {
            Concurrency::Requests(requests) => Some(requests.max(1) as f64),
            Concurrency::Max => self.asked().map(|requests| requests as f64 * ranks),
        };
        let held = match self.budget {
            Some(budget) if budget > 0.0 && self.infer.backend.pool.is_reserved() => {
                let output = if self.infer.backend.reserves_output { self.infer.output } else { self.infer.output / 2 };
                let sequences = self.holds_in(budget, (self.infer.prompt + output).max(1)).sequences;
                (sequences.max(1.0) * ranks).min(most)
            }
            // What does not fit is timed as if it did.
            _ => asked.unwrap_or(ranks).min(most),
        };
        (held, asked.unwrap_or(held))
    }

    fn decoder<'b>(&'b self, gpu: &Gpu, pace: &'b Pace, constants: &'b Constants) -> Option<Decoder<'b>> {
        let kernels = constants.kernels(&self.infer.backend.kernels, gpu)?;
        let eager = self.infer.eager && self.infer.backend.pool != Pool::Cells;
        let since = self.infer.backend.captures_since.filter(|_| gpu.vendor == Vendor::Nvidia);
        let captured = since.is_some_and(|since| since <= self.infer.backend_version);
        let machine = |model, format, weights: Weights| {
            let machine = Machine::of(model, gpu, format, &self.split, &weights, kernels, pace)?;
            Some(if eager {
                machine.eager()
            } else if captured {
                machine.captured()
            } else {
                machine
            })
        };
        let drafter = self.drafter.as_ref().and_then(|drafter| {
            let mut weights = drafter.weights;
            if weights.head.bytes == 0.0 && !drafter.model.tied_embeddings {
                weights.head = if self.request.model.tied_embeddings { self.all.embedding } else { self.all.head };
            }
            Some((machine(drafter.model, drafter.format, weights)?, &drafter.cache))
        });
        let model = &*self.request.model;
        let (weights, cache) = &self.host;
        let on_card = machine(model, self.infer.weights, self.all - *weights)?;
        let host = match constants.host(gpu).filter(|_| self.infer.on_host.any()) {
            Some(host) => Some((
                Host::of(weights, cache, speed::chosen(model), gpu, host),
                machine(model, self.infer.weights, self.all)?,
            )),
            None => None,
        };
        Some(Decoder { machine: on_card, host, cache: &self.all_cache, draft: self.infer.draft.as_ref(), drafter })
    }

    fn load(&self, held: f64, asked: f64) -> Load {
        Load {
            prompt: self.infer.prompt as f64,
            output: self.infer.output as f64,
            asked,
            runs: held.min(asked),
            ranks: self.split.request_ranks() as f64,
            chunk: self.infer.max_batched_tokens as f64,
        }
    }

    pub fn speed(&self, constants: &Constants) -> Option<(Speed, Step)> {
        let pace = constants.pace(&self.infer.backend.name)?;
        let decoder = self.decoder(self.request.hardware.gpu?, pace, constants)?;
        let (held, asked) = self.running();
        let at = |held, asked| pacing(&self.load(held, asked), &decoder, pace);
        let Pacing { first, each, tokens_per_s, prefill, step } = at(held, asked);
        let kernels = decoder.machine.kernels;
        // Whether requests wait for a place hangs on their lengths and the last of the memory.
        let places = if self.infer.backend.pool.is_reserved() { kernels.places } else { 1.0 };
        let waiting = |held: f64| if held < asked { at(held, asked).first } else { first };
        let (soon, late) = (waiting(held * places).min(first), waiting(held / places).max(first));
        let experts = if self.request.model.is_moe() { kernels.expert_doubt } else { 1.0 };
        // What is known least of a machine is what its host's memory reaches.
        let hosted = decoder.host.as_ref().map_or(0.0, |(host, _)| host.constants.spread) * step.on_host / step.total;
        let ranged = |value: f64, spread: f64| {
            let by = (spread * kernels.doubt.max(pace.doubt) + hosted).exp();
            Ranged { value, low: value / by, high: value * by }
        };
        // Where nothing is put out, the rate is the prefill's.
        let (ttft, tpot) = (pace.ttft_spread, pace.tpot_spread * experts);
        let rate = if self.infer.output == 0 { ttft } else { tpot };
        let ttft_ms =
            Ranged { value: first * 1e3, low: ranged(soon * 1e3, ttft).low, high: ranged(late * 1e3, ttft).high };
        let speed = Speed {
            ttft_ms,
            tpot_ms: ranged(each * 1e3, tpot),
            tokens_per_s: ranged(tokens_per_s, rate),
            tokens_per_s_per_gpu: tokens_per_s / f64::from(self.request.hardware.gpus),
            prefill_tokens_per_s: if prefill > 0.0 { self.infer.prompt as f64 / prefill } else { 0.0 },
            breakdown: vec![
                ("step-weights", Seconds(step.weights)),
                ("step-compute", Seconds(step.compute)),
                ("step-cache", Seconds(step.cache)),
                ("step-launch", Seconds(step.launch)),
                ("step-communication", Seconds(step.communication)),
                ("step-host", Seconds(step.host)),
                ("step-on-host", Seconds(step.on_host)),
                ("step-draft", Seconds(step.draft)),
            ],
        };
        Some((speed, step))
    }

    /// From one request to as many as run at once.
    pub fn knee(&self, constants: &Constants) -> Option<Vec<Point>> {
        let pace = constants.pace(&self.infer.backend.name)?;
        let decoder = self.decoder(self.request.hardware.gpu?, pace, constants)?;
        let starts = self.starts();
        let most = match self.infer.concurrency {
            Concurrency::Requests(_) => self.capacity(starts),
            Concurrency::Max => self.running().0.floor().max(1.0),
        };
        let fewer = (0..6).map(|power| 4f64.powi(power)).take_while(|requests| *requests < most);
        let at = |requests| {
            let pacing = pacing(&self.load(requests, requests), &decoder, pace);
            Point { requests: requests as u64, tpot_ms: pacing.each * 1e3, tokens_per_s: pacing.tokens_per_s }
        };
        Some(fewer.chain([most]).map(at).collect())
    }

    /// Output tokens a second of one GPU at most, in whatever layout of however many: with all requests at once, and
    /// memory for them. None where the GPU's rates are not known.
    pub fn fastest(&self, gpu: &Gpu, constants: &Constants) -> Option<f64> {
        let pace = constants.pace(&self.infer.backend.name)?;
        let requests = match self.infer.concurrency {
            Concurrency::Requests(requests) => requests.max(1),
            Concurrency::Max => self.infer.max_seqs * self.split.request_ranks(),
        };
        let load = self.load(requests as f64, requests as f64);
        let pacing = pacing(&load, &self.decoder(gpu, pace, constants)?, pace);
        Some(pacing.tokens_per_s / f64::from(self.request.hardware.gpus))
    }

    /// Requests of the asked load that run at once at most.
    fn capacity(&self, starts: bool) -> f64 {
        let ranks = self.split.request_ranks() as f64;
        match self.budget {
            Some(budget) if starts => {
                let held = self.holds_in(budget, self.request_tokens()).sequences.max(1.0);
                (held.min(self.infer.max_seqs as f64) * ranks).floor()
            }
            _ => {
                let (held, asked) = self.running();
                held.min(asked)
            }
        }
    }

    pub fn limit(&self, starts: bool, speed: Option<&(Speed, Step)>) -> Option<Limit> {
        if !starts {
            let weights = self.budget.is_some_and(|budget| budget <= 0.0);
            return Some(if weights { Limit::Weights } else { Limit::KvCache });
        }
        let (_, step) = speed?;
        let (held, asked) = self.running();
        if held < asked {
            return Some(Limit::KvCache);
        }
        let causes = [
            (Limit::Bandwidth, step.cache + if step.weights >= step.compute { step.weights } else { 0.0 }),
            (Limit::Compute, if step.compute > step.weights { step.compute } else { 0.0 }),
            (Limit::Launch, step.launch + step.host),
            (Limit::Communication, step.communication),
            (Limit::Host, step.on_host),
        ];
        causes.into_iter().max_by(|(_, a), (_, b)| a.total_cmp(b)).map(|(limit, _)| limit)
    }
}
