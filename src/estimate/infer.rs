//! Inference: memory by engine, capacity and speed.
//!
//! A request's split and format give the weights of the fullest rank, its mixers what a sequence keeps; the engine's
//! rule gives the memory for the cache and with it how many requests run; the GPU's data sheet the time of a step.

use super::{Basis, Compute, Estimate, Limit, Memory, Part, PartKind, Ranged, Serving, Speed, Term};
use crate::catalog::backend::{MemoryRule, Pool};
use crate::catalog::constant::{Pace, Serving as Constants};
use crate::message::Message;
use crate::msg;
use crate::request::{Concurrency, Infer, Request};
use crate::units::{Bytes, Flops, GIB, Seconds};
use smallvec::{SmallVec, smallvec};

mod activations;
mod cache;
mod load;
mod pool;
mod speed;
mod split;
mod weights;

use activations::Peak;
use cache::{Cache, Store};
use load::{Load, Pacing, pacing};
use pool::{Holds, Taken};
use speed::{Machine, Step};
use split::Split;
use weights::{Ledger, Weights};

/// Estimates what was asked of an engine, on the card named or on one without limits.
pub fn estimate(request: &Request, infer: &Infer, constants: &Constants) -> Estimate {
    let server = Server::of(request, infer);
    let starts = server.starts();
    let memory = server.memory(starts);
    let speed = server.speed(starts, constants);
    let length = server.length();
    let holds = server.budget.map(|_| server.holds(length));
    let ranks = server.split.request_ranks() as f64;
    let max_seq = server.budget.map(|_| {
        let longest = server.holds(request.seq).longest;
        request.model.max_position.map_or(longest, |most| longest.min(most))
    });
    let serving = Serving {
        kv_bytes_per_token: Bytes(server.holds(request.seq).token_bytes),
        kv_tokens: holds.map(|holds| holds.tokens),
        request_tokens: length,
        max_concurrency: holds.map(|holds| (holds.sequences * ranks) as u64),
        max_seq,
        weights_per_gpu: Bytes(server.taken.weights),
        activation_peak: Bytes(server.taken.activations),
        kv_cache_available: server.budget.map(|budget| Bytes(budget.max(0.0))),
        starts,
        limit: server.limit(starts, speed.as_ref()),
        speed: speed.as_ref().map(|(speed, _)| speed.clone()),
    };
    Estimate {
        compute: server.compute(),
        time: None,
        trainable_parameters: 0,
        notes: server.notes(starts, max_seq),
        memory,
        serving: Some(serving),
    }
}

/// An engine on one rank of the fullest stage, before its cache is sized.
struct Server<'a> {
    request: &'a Request,
    infer: &'a Infer,
    rule: &'a MemoryRule,
    split: Split,
    /// Of the fullest stage, and of the whole model on one tensor rank.
    weights: Weights,
    all: Weights,
    cache: Cache,
    all_cache: Cache,
    rotary: f64,
    peak: Peak,
    taken: Taken,
    /// Bytes for the cache; none without a card. Negative where the engine cannot start.
    budget: Option<f64>,
}

impl<'a> Server<'a> {
    fn of(request: &'a Request, infer: &'a Infer) -> Self {
        let model = &*request.model;
        let rule = infer.backend.memory(infer.backend_version);
        let split = Split::of(request, infer);
        let ledger = Ledger::new(model, infer.weights, split, rule.expert_multiple);
        let store = Store { bits: infer.kv.bits, state_bytes: rule.state_bytes };
        let layers = 0..model.order.len();
        let all = ledger.sum(layers.clone());
        let all_cache = Cache::of(model, &split, store, layers.clone());
        let on_host =
            |weights: Weights| if infer.backend.pool == Pool::Cells { weights.off_host(model) } else { weights };
        let (weights, stage) = (0..split.stages)
            .map(|at| split.stage(at, model.depth()))
            .map(|stage| (on_host(ledger.sum(stage.clone())), stage))
            .max_by(|(a, _), (b, _)| a.bytes().total_cmp(&b.bytes()))
            .unwrap_or((all, layers));
        let depth = stage.len() as f64;
        let cache = Cache::of(model, &split, store, stage);

        let shared = split.tensor * split.attention_ranks > 1;
        let one_of = |(one, each): (f64, f64), several: bool| if several { each } else { one } * GIB;
        let rotary = match infer.backend.pool {
            Pool::OfTotal | Pool::Static | Pool::OfFree => activations::rotary(model),
            Pool::Grows | Pool::Cells => 0.0,
        };
        let peak = Peak::of(request, infer, rule, &split, &cache);
        let graphs = if infer.eager { 0.0 } else { graphs(rule, depth, model.is_moe()) };
        let taken = Taken {
            weights: weights.bytes() + rotary,
            activations: peak.bytes(),
            context: one_of(rule.context_gib, shared || split.stages > 1),
            libraries: one_of(rule.non_torch_gib, shared),
            graphs,
        };
        let card = request.hardware.gpu;
        let budget = card.map(|card| pool::budget(infer.backend.pool, rule, infer.memory_fraction, card, &taken));
        Self { request, infer, rule, split, weights, all, cache, all_cache, rotary, peak, taken, budget }
    }

    fn holds_in(&self, budget: f64, sequence: u64) -> Holds {
        let batched = self.infer.max_batched_tokens;
        pool::holds(self.infer.backend.pool, &self.cache, self.rule, budget, sequence, batched)
    }

    fn holds(&self, sequence: u64) -> Holds {
        self.holds_in(self.budget.unwrap_or(0.0), sequence)
    }

    /// Tokens of a request: `seq` where it was asked, else what the load has.
    fn length(&self) -> u64 {
        if self.request.settings.get("seq").is_some() { self.request.seq } else { self.request_tokens() }
    }

    fn request_tokens(&self) -> u64 {
        (self.infer.prompt + self.infer.output).max(1)
    }

    /// Requests of the asked load on one rank.
    fn asked(&self) -> Option<u64> {
        match self.infer.concurrency {
            Concurrency::Requests(requests) => Some(requests.div_ceil(self.split.request_ranks()).max(1)),
            Concurrency::Max => None,
        }
    }

    /// Bytes that the asked load's sequences keep on the rank, as many as run at once.
    fn load_bytes(&self) -> f64 {
        let block = self.rule.block_tokens;
        match self.infer.backend.pool {
            // A slot for each request, as long as the longest.
            Pool::Cells => self.asked().unwrap_or(1) as f64 * self.cache.sequence(self.request.seq, block),
            Pool::OfTotal | Pool::Static | Pool::OfFree | Pool::Grows => {
                let tokens = self.request_tokens();
                let requests = self.asked().unwrap_or(1).min(self.infer.max_seqs);
                requests as f64 * self.cache.sequence(tokens, block)
            }
        }
    }

    /// The engine refuses a length that one sequence could not reach; a length it was not asked for can be lowered.
    fn starts(&self) -> bool {
        let Some(budget) = self.budget else { return true };
        match self.infer.backend.pool {
            Pool::OfTotal | Pool::Static | Pool::OfFree => {
                budget > 0.0 && self.holds(self.length()).longest >= self.length()
            }
            Pool::Grows | Pool::Cells => self.load_bytes() <= budget,
        }
    }

    fn memory(&self, starts: bool) -> Memory {
        let load = self.load_bytes();
        let pooled = match (self.infer.backend.pool, self.budget) {
            (Pool::OfTotal | Pool::Static | Pool::OfFree, Some(budget)) if starts => Some(budget),
            _ => None,
        };
        let cache = pooled.unwrap_or(load);
        let parts = self.parts(cache, pooled.is_some());
        let device: Bytes = parts.iter().map(Part::bytes).sum();
        let outside = self.taken.context + self.taken.libraries + self.taken.graphs;
        let doubt = 0.25 * self.taken.activations + 0.3 * outside + 0.005 * self.taken.weights;
        let needed = match self.infer.concurrency {
            Concurrency::Requests(_) => Bytes(self.taken.total() + load.min(cache)),
            Concurrency::Max => device,
        };
        let host = match self.infer.backend.pool {
            Pool::Cells => self.all.embedding.bytes + self.all.layer_embedding.bytes,
            Pool::OfTotal | Pool::Static | Pool::OfFree | Pool::Grows => 0.0,
        };
        Memory {
            allocated: device - Bytes(outside),
            reserved: device - Bytes(outside),
            device,
            low: device - Bytes(doubt),
            high: device + Bytes(doubt),
            needed,
            host: Bytes(host),
            parts,
        }
    }

    fn parts(&self, cache: f64, pooled: bool) -> Vec<Part> {
        let term = |name, factors: &[(&'static str, f64)], basis, source| Term {
            name,
            factors: SmallVec::from_slice(factors),
            basis,
            source,
        };
        let gib =
            |name, bytes: f64| term(name, &[("infer-bytes", bytes)], Basis::Modelled, &self.infer.backend.source.0);
        let mut weights: SmallVec<[Term; 3]> = self
            .weights
            .parts()
            .into_iter()
            .filter(|(_, tally)| tally.bytes > 0.0)
            .map(|(name, tally)| {
                let factors = [("infer-parameters", tally.parameters), ("infer-bytes-per-parameter", tally.width())];
                term(name, &factors, Basis::Exact, "infer-source-tensors")
            })
            .collect();
        if self.rotary > 0.0 {
            weights.push(gib("term-infer-rotary", self.rotary));
        }
        let kv = if pooled {
            term("term-infer-pool", &[("infer-bytes", cache)], Basis::Modelled, &self.infer.backend.source.0)
        } else {
            let requests = self.asked().unwrap_or(1) as f64;
            let factors = [("infer-requests", requests), ("infer-bytes-per-request", cache / requests)];
            term("term-infer-sequences", &factors, Basis::Exact, "infer-source-tensors")
        };
        let overhead = [
            ("term-infer-context", self.taken.context),
            ("term-infer-libraries", self.taken.libraries),
            ("term-infer-graphs", self.taken.graphs),
        ];
        let overhead = overhead.into_iter().filter(|(_, bytes)| *bytes > 0.0).map(|(name, bytes)| gib(name, bytes));
        let mut parts = vec![Part { kind: PartKind::Weights, terms: weights }];
        parts.extend(self.peak.parts());
        parts.push(Part { kind: PartKind::KvCache, terms: smallvec![kv] });
        parts.push(Part { kind: PartKind::Overhead, terms: overhead.collect() });
        parts
    }

    /// Requests that run at once over all ranks, and those asked for.
    fn running(&self, starts: bool) -> (f64, f64) {
        let ranks = self.split.request_ranks() as f64;
        let most = self.infer.max_seqs as f64 * ranks;
        let asked = match self.infer.concurrency {
            Concurrency::Requests(requests) => Some(requests.max(1) as f64),
            Concurrency::Max => None,
        };
        let held = match (self.infer.backend.pool, self.budget) {
            (Pool::OfTotal | Pool::Static | Pool::OfFree, Some(budget)) if starts => {
                let output = if self.infer.backend.reserves_output { self.infer.output } else { self.infer.output / 2 };
                let sequences = self.holds_in(budget, (self.infer.prompt + output).max(1)).sequences;
                (sequences.max(1.0) * ranks).min(most)
            }
            // What does not fit is timed as if it did.
            _ => asked.unwrap_or(ranks).min(most),
        };
        let asked = asked.unwrap_or(held);
        (held.min(asked), asked)
    }

    fn machine<'b>(&self, pace: &'b Pace, constants: &'b Constants) -> Option<Machine<'b>> {
        let gpu = self.request.hardware.gpu?;
        let kernels = constants.kernels(&self.infer.backend.kernels, gpu)?;
        Machine::of(&self.request.model, gpu, self.infer.weights, &self.split, &self.all, kernels, pace)
    }

    fn load(&self, runs: f64, asked: f64) -> Load {
        Load {
            prompt: self.infer.prompt as f64,
            output: self.infer.output as f64,
            asked,
            runs,
            ranks: self.split.request_ranks() as f64,
            chunk: self.infer.max_batched_tokens as f64,
        }
    }

    fn speed(&self, starts: bool, constants: &Constants) -> Option<(Speed, Step)> {
        let pace = constants.pace(&self.infer.backend.name)?;
        let machine = self.machine(pace, constants)?;
        let (runs, asked) = self.running(starts);
        let at = |runs, asked| pacing(&self.load(runs, asked), &machine, &self.all_cache, pace);
        let Pacing { first, each, tokens_per_s, prefill, step } = at(runs, asked);
        let held = match self.infer.concurrency {
            Concurrency::Requests(_) => self.capacity(starts),
            Concurrency::Max => runs,
        };
        let knee = (0..6)
            .map(|power| 4f64.powi(power))
            .take_while(|requests| *requests < held)
            .chain([held])
            .map(|requests| {
                let point = at(requests, requests);
                (requests as u64, point.each * 1e3, point.tokens_per_s)
            })
            .collect();
        let ranged = |value: f64, low: f64, high: f64| Ranged { value, low: value * low, high: value * high };
        let speed = Speed {
            ttft_ms: ranged(first * 1e3, pace.ttft_low, pace.ttft_high),
            tpot_ms: ranged(each * 1e3, pace.tpot_low, pace.tpot_high),
            tokens_per_s: ranged(tokens_per_s, pace.rate_low, pace.rate_high),
            tokens_per_s_per_gpu: tokens_per_s / f64::from(self.request.hardware.gpus),
            prefill_tokens_per_s: if prefill > 0.0 { self.infer.prompt as f64 / prefill } else { 0.0 },
            knee,
            breakdown: vec![
                ("step-weights", Seconds(step.weights)),
                ("step-compute", Seconds(step.compute)),
                ("step-cache", Seconds(step.cache)),
                ("step-launch", Seconds(step.launch)),
                ("step-communication", Seconds(step.communication)),
                ("step-host", Seconds(step.host)),
            ],
        };
        Some((speed, step))
    }

    /// Requests of the asked load that run at once at most.
    fn capacity(&self, starts: bool) -> f64 {
        let ranks = self.split.request_ranks() as f64;
        match self.budget {
            Some(budget) if starts => {
                let held = self.holds_in(budget, self.request_tokens()).sequences.max(1.0);
                (held.min(self.infer.max_seqs as f64) * ranks).floor()
            }
            _ => self.running(starts).0,
        }
    }

    fn limit(&self, starts: bool, speed: Option<&(Speed, Step)>) -> Option<Limit> {
        if !starts {
            let weights = self.budget.is_some_and(|budget| budget <= 0.0);
            return Some(if weights { Limit::Weights } else { Limit::KvCache });
        }
        let (_, step) = speed?;
        let (runs, asked) = self.running(starts);
        if runs < asked {
            return Some(Limit::KvCache);
        }
        let causes = [
            (Limit::Bandwidth, step.cache + if step.weights >= step.compute { step.weights } else { 0.0 }),
            (Limit::Compute, if step.compute > step.weights { step.compute } else { 0.0 }),
            (Limit::Launch, step.launch + step.host),
            (Limit::Communication, step.communication),
        ];
        causes.into_iter().max_by(|(_, a), (_, b)| a.total_cmp(b)).map(|(limit, _)| limit)
    }

    fn compute(&self) -> Compute {
        let active = 2.0 * self.request.model.counts.active as f64;
        Compute { flops_per_token: Flops(active), flops_per_step: Flops(active * self.infer.prompt as f64) }
    }

    fn notes(&self, starts: bool, max_seq: Option<u64>) -> Vec<Message> {
        let mut notes = Vec::new();
        if !starts && let Some(max_seq) = max_seq.filter(|seq| *seq > 0) {
            notes.push(msg!("note-infer-longest", tokens = max_seq));
        }
        if starts && max_seq.is_some_and(|most| most < self.request.seq) {
            let most = max_seq.unwrap_or_default();
            notes.push(msg!("note-infer-lower-seq", seq = self.request.seq, tokens = most));
        }
        if starts
            && let (runs, asked) = self.running(starts)
            && runs < asked
        {
            notes.push(msg!("note-infer-queue", runs = runs as u64, asked = asked as u64));
        }
        notes
    }
}

/// CUDA graphs: a base and a share for each layer, more for a layer of experts.
fn graphs(rule: &MemoryRule, layers: f64, moe: bool) -> f64 {
    let (base, layer, experts) = rule.graphs_gib;
    (base + layers * (layer + if moe { experts } else { 0.0 })) * GIB
}
