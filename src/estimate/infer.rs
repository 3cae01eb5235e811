//! Inference: memory by engine, capacity and speed.
//!
//! A request's split and format give the weights of the fullest rank, its mixers what a sequence keeps; the engine's
//! rule gives the memory for the cache and with it how many requests run; the GPU's data sheet the time of a step.

use super::{Compute, Estimate, Point, Serving};
use crate::catalog::Gpu;
use crate::catalog::backend::{ByWiring, MemoryRule, Pool, Wiring};
use crate::catalog::constant::Serving as Constants;
use crate::message::Message;
use crate::msg;
use crate::request::{Concurrency, Infer, Request};
use crate::units::{Bytes, Flops, GIB};
use std::ops::Range;

mod activations;
mod cache;
mod draft;
mod host;
mod load;
mod memory;
mod pool;
mod serve;
mod speed;
mod split;
mod weights;

use activations::Peak;
use cache::{Cache, Store};
use draft::Drafter;
use pool::{Holds, Taken};
use split::Split;
use weights::{Ledger, Weights};

/// Estimates what was asked of an engine, on the card named or on one without limits.
pub fn estimate(request: &Request, infer: &Infer, constants: &Constants) -> Estimate {
    let server = Server::of(request, infer);
    let starts = server.starts();
    let memory = server.memory(starts);
    let speed = server.speed(constants);
    let length = server.length();
    // With every layer on the host there is no cache to count.
    let budget = server.budget.filter(|_| !server.cache.layers.is_empty());
    let holds = budget.map(|_| server.holds(length));
    let ranks = server.split.request_ranks() as f64;
    let max_seq = budget.map(|_| {
        let longest = server.holds(request.seq).longest;
        request.model.max_position.map_or(longest, |most| longest.min(most))
    });
    let serving = Serving {
        kv_bytes_per_token: Bytes(server.holds(request.seq).token_bytes),
        kv_tokens: holds.map(|_| server.holds(request.seq).tokens),
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
        notes: server.notes(starts, max_seq, constants),
        memory,
        serving: Some(serving),
    }
}

/// A server's speed over the number of requests; see [`Server::knee`].
pub fn knee(request: &Request, infer: &Infer, constants: &Constants) -> Option<Vec<Point>> {
    Server::of(request, infer).knee(constants)
}

/// Output tokens a second of one GPU at most; see [`Server::fastest`].
pub fn fastest<'a>(
    request: &'a Request,
    infer: &'a Infer,
    constants: &'a Constants,
) -> impl Fn(&Gpu) -> Option<f64> + use<'a> {
    let server = Server::of(request, infer);
    move |gpu| server.fastest(gpu, constants)
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
    /// Off the card, and what sequences keep there.
    host: (Weights, Cache),
    /// With the drafter's.
    cache: Cache,
    all_cache: Cache,
    drafter: Option<Drafter<'a>>,
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
        let store = Store {
            bits: infer.kv.bits,
            latent_head_width: rule.latent_head_width,
            state_bytes: rule.state_bytes,
            keeps_all: rule.keeps_all,
        };
        let layers = 0..model.order.len();
        let all = ledger.sum(layers.clone());
        // The host has the first layers; the card's stages part what follows.
        let first = infer.on_host.layers.min(model.depth());
        let headless = infer.on_host.layers > first;
        let host = (ledger.on_host(infer.on_host), Cache::of(model, &split, store, 0..first as usize));
        let all_cache = Cache::of(model, &split, store, first as usize..layers.end);
        let on_card = |stage: Range<usize>| {
            let weights = ledger.sum(stage.clone());
            let experts_of = stage.start..stage.end.min(infer.on_host.experts_of as usize);
            let left = Weights { experts: ledger.layers(experts_of).experts, ..Weights::default() };
            match infer.backend.pool {
                _ if headless => Weights::default(),
                Pool::Cells => weights.off_host(model) - left,
                Pool::OfTotal | Pool::Static | Pool::OfFree | Pool::OfRest | Pool::Grows => weights,
            }
        };
        let drafter = infer.draft.as_ref().and_then(|draft| Drafter::of(draft, split, store));
        let depth = model.depth() - first;
        let (weights, cache, peak, depth) = (0..split.stages)
            .map(|at| {
                let stage = split.stage(at, depth);
                let stage = stage.start + first as usize..stage.end + first as usize;
                let cache = Cache::of(model, &split, store, stage.clone());
                let cache = drafter.iter().fold(cache, |cache, drafter| cache.with(&drafter.cache));
                let last = at + 1 == split.stages && !headless;
                let peak = Peak::of(request, infer, rule, &split, &cache, last);
                (on_card(stage.clone()), cache, peak, stage.len() as f64)
            })
            .max_by(|a, b| (a.0.bytes() + a.2.bytes()).total_cmp(&(b.0.bytes() + b.2.bytes())))
            .unwrap_or((all, all_cache.clone(), Peak::default(), depth as f64));

        let shared = split.tensor * split.attention_ranks > 1;
        let wiring = Wiring::of(request.hardware.gpu);
        let of = |gib: ByWiring, several: bool| gib[if several { wiring } else { Wiring::Alone } as usize] * GIB;
        let rotary = if infer.backend.pool.is_reserved() { activations::rotary(model) } else { 0.0 };
        let graphs = if infer.eager { 0.0 } else { graphs(rule, depth, model.is_moe()) * captured(infer) };
        let taken = Taken {
            weights: weights.bytes() + rotary + drafter.as_ref().map_or(0.0, |drafter| drafter.weights.bytes()),
            activations: peak.bytes(),
            context: of(rule.context_gib, shared || split.stages > 1),
            libraries: of(rule.non_torch_gib, shared),
            graphs,
        };
        let card = request.hardware.gpu;
        let budget = card.map(|card| pool::budget(infer.backend.pool, rule, infer.memory_fraction, card, &taken));
        Self { request, infer, rule, split, weights, all, host, cache, all_cache, drafter, rotary, peak, taken, budget }
    }

    fn holds_in(&self, budget: f64, sequence: u64) -> Holds {
        let step = (self.infer.max_batched_tokens, self.infer.drafted());
        pool::holds(self.infer.backend.pool, &self.cache, self.rule, budget, sequence, step)
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

    /// Requests of the asked load on one rank; none for as many as a pool holds.
    fn asked(&self) -> Option<u64> {
        match self.infer.concurrency {
            Concurrency::Requests(requests) => Some(requests.div_ceil(self.split.request_ranks()).max(1)),
            Concurrency::Max if self.infer.backend.pool.is_reserved() => None,
            Concurrency::Max => {
                let room = self.budget.unwrap_or(0.0) / self.request_bytes();
                Some((room as u64).clamp(1, self.infer.max_seqs))
            }
        }
    }

    /// Bytes of one request: a slot as long as the longest where cells are allocated at start, else its own tokens.
    fn request_bytes(&self) -> f64 {
        let tokens = if self.infer.backend.pool == Pool::Cells { self.request.seq } else { self.request_tokens() };
        self.cache.sequence(tokens, self.rule.block_tokens)
    }

    /// Bytes that the asked load's sequences keep on the rank, as many as run at once.
    fn load_bytes(&self) -> f64 {
        self.asked().unwrap_or(1).min(self.infer.max_seqs) as f64 * self.request_bytes()
    }

    /// vLLM, TensorRT-LLM and TGI refuse a length that one sequence could not reach, SGLang and LMDeploy only requests as long; vLLM
    /// also more sequences than have room for their states. What was not asked for can be lowered.
    fn starts(&self) -> bool {
        let Some(budget) = self.budget else { return true };
        let asked = |key| self.request.settings.get(key).is_some();
        let least = match self.infer.backend.pool {
            Pool::Grows | Pool::Cells => return self.load_bytes() <= budget,
            Pool::Static | Pool::OfRest if asked("prompt") || asked("output") => self.request_tokens(),
            Pool::Static | Pool::OfRest => self.rule.block_tokens,
            Pool::OfTotal | Pool::OfFree => self.length(),
        };
        let states = !asked("max_seqs") || self.lacking_states().is_none();
        budget > 0.0 && self.holds(self.length()).longest >= least && states && !self.lacks_rest(budget)
    }

    /// LMDeploy's pool leaves `1 - f` of what weights leave, whatever a step then takes of it.
    fn lacks_rest(&self, pool: f64) -> bool {
        let rest = pool * (1.0 / self.infer.memory_fraction - 1.0);
        self.infer.backend.pool == Pool::OfRest && rest < self.taken.activations + self.taken.graphs
    }

    /// Sequences that find a block for their states, where they are fewer than the engine is to take.
    fn lacking_states(&self) -> Option<u64> {
        let checks = self.rule.state_each && !self.infer.eager && self.cache.state() > 0.0;
        let blocks = self.holds(self.length()).blocks.filter(|_| checks && self.budget.is_some())?;
        (blocks < self.infer.max_seqs).then_some(blocks)
    }

    fn compute(&self) -> Compute {
        let active = 2.0 * self.request.model.counts.active as f64;
        Compute { flops_per_token: Flops(active), flops_per_step: Flops(active * self.infer.prompt as f64) }
    }

    fn notes(&self, starts: bool, max_seq: Option<u64>, constants: &Constants) -> Vec<Message> {
        let mut notes = Vec::new();
        if !starts && let Some(max_seq) = max_seq.filter(|seq| *seq > 0) {
            notes.push(msg!("note-infer-longest", tokens = max_seq));
        }
        let own = self.request.model.max_position.filter(|own| *own < self.request.seq);
        if starts && let Some(most) = max_seq.filter(|most| *most < self.request.seq) {
            notes.push(match self.infer.backend.pool {
                _ if own == Some(most) => msg!("note-infer-beyond", seq = self.request.seq, own = most),
                Pool::Static => msg!("note-infer-refuses", tokens = most),
                _ => msg!("note-infer-lower-seq", seq = self.request.seq, tokens = most),
            });
        }
        if let Some(most) = self.lacking_states().filter(|most| *most > 0) {
            notes.push(msg!("note-infer-lower-seqs", seqs = self.infer.max_seqs, most = most));
        }
        if self.budget.is_some_and(|pool| pool > 0.0 && self.lacks_rest(pool)) {
            notes.push(msg!("note-infer-rest"));
        }
        if self.request_tokens() > self.request.seq {
            notes.push(msg!("note-infer-too-long", tokens = self.request_tokens(), seq = self.request.seq));
        }
        if starts
            && let (held, asked) = self.running()
            && held < asked
        {
            notes.push(msg!("note-infer-queue", runs = held as u64, asked = asked as u64));
        }
        if self.infer.on_host.any()
            && let Some(host) = self.request.hardware.gpu.and_then(|gpu| constants.host(gpu))
        {
            let weights = Bytes(self.host.0.bytes());
            notes.push(msg!("note-infer-host", weights = weights, gbps = host.read_gbps as u64));
        }
        if let Some(draft) = &self.infer.draft {
            notes.push(msg!("note-infer-draft", drafted = draft.tokens, tokens = draft.accepted()));
        }
        notes
    }
}

/// Share of what all sizes' graphs take: vLLM captures batches of 1, 2, 4, then by 8 to 256 and by 16 to 512, and none
/// above twice the tokens that all sequences decode at once.
fn captured(infer: &Infer) -> f64 {
    let sizes = |most: u64| 3.0 + most.min(248) as f64 / 8.0 + (most.saturating_sub(240) / 16) as f64;
    let most = (2 * infer.max_seqs.saturating_mul(1 + infer.drafted())).min(512);
    if infer.backend.pool == Pool::OfTotal { 0.3 + 0.7 * sizes(most) / sizes(512) } else { 1.0 }
}

/// CUDA graphs: a base and a share for each layer, more for a layer of experts.
fn graphs(rule: &MemoryRule, layers: f64, moe: bool) -> f64 {
    let (base, layer, experts) = rule.graphs_gib;
    (base + layers * (layer + if moe { experts } else { 0.0 })) * GIB
}
