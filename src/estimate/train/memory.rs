//! Memory of one GPU at the fullest moment of a step, part by part.
//!
//! States stand throughout. Of gradients the full size is shown; until backward has made them, activations, logits and
//! buffers take their place, so a negative term in each of these keeps the sum true.

use super::activations::{Activations, Batch};
use super::buffers::Buffers;
use super::logits::Logits;
use super::overhead;
use super::phases::{Moments, Phase};
use super::regime::Regime;
use super::resident::Resident;
use super::saved::Walk;
use super::share::Share;
use super::stages::Load;
use super::states::{Sharding, States};
use crate::catalog::constant::Training;
use crate::catalog::model::Role;
use crate::catalog::recipe::BufferRule;
use crate::estimate::{Basis, Memory, Part, PartKind, Term};
use crate::request::{Method, Request, Train};
use crate::units::Bytes;
use smallvec::SmallVec;

/// Memory of a GPU of pipeline stage `at`, and of it what stands throughout.
pub fn of_stage(request: &Request, train: &Train, constants: &Training, at: u32) -> (Memory, Resident) {
    let (parallel, hardware, model) = (&request.parallel, &request.hardware, &*request.model);
    let per_node = hardware.gpus.div_ceil(hardware.nodes);
    let load = Load::of(&request.model, train);
    let regime = Regime::of(request, train);
    let share = Share::of_stage(model, parallel, at);
    let states = States::of(&share, train, &regime, Sharding::of(train.zero, parallel, per_node));
    let resident = Resident::of(&share, train, &regime, &states, &load, hardware.gpus);
    let buffers = Buffers::of(&share, train, &regime, &states, train.gradient_dtype.bytes());
    let batch = batch(request, train, &load, at);
    let walk = walk(request, train, regime);
    let activations = Activations::of(&walk, &share, batch);

    let logits = if share.last && load.logits { loss(train, &regime, &share, batch.tokens) } else { Logits::default() };
    let contiguous = train.framework.buffers == BufferRule::Contiguous && train.lora().is_none();
    let whole_head_trains = train.lora().is_none() && share.last;
    let (kv_cache, engine) =
        if load.generates { writing(request, train, &share, states.shard.ranks) } else { (0.0, 0.0) };
    let moments = Moments {
        activations: &activations,
        batch,
        logits: &logits,
        buffers: &buffers,
        gradients: resident.gradients,
        standing: if train.gradient_accumulation > 1 || contiguous { resident.gradients } else { 0.0 },
        head_gradient: if whole_head_trains { train.gradient_dtype.bytes() * head(&share) } else { 0.0 },
        tied: model.tied_embeddings && share.first && share.last,
        kv_cache,
        engine,
    };
    let phases = moments.phases();
    let peak = phases.into_iter().max_by(|a, b| a.bytes().total_cmp(&b.bytes())).unwrap_or_default();
    let with_gaps = phases.iter().map(|phase| phase.bytes() + phase.gaps(constants)).fold(0.0, f64::max);

    let mut parts = Parts::alive(&resident, &moments, &peak);
    let allocated = parts.total();
    let expandable = train.framework.kernels.expandable_segments;
    let gaps = with_gaps - peak.bytes();
    let outside = overhead::device(hardware.gpus, constants);
    let outside_bytes: f64 = outside.iter().map(|term| term.bytes().0).sum();
    let room = hardware.gpu.map_or(f64::INFINITY, |gpu| gpu.visible().0 - outside_bytes);
    let held = overhead::Held::of(gaps, allocated, room, expandable, constants);
    parts.extend(held.terms);
    let reserved = parts.total();
    parts.extend(outside);
    let device = parts.total();

    let standing = resident.held + resident.gradients;
    let regime_assumed = super::notes::regime_is_assumed(request, train);
    let doubt = overhead::doubt(&peak, standing, regime_assumed, constants);
    let memory = Memory {
        parts: parts.0,
        allocated: Bytes(allocated),
        reserved: Bytes(reserved),
        device: Bytes(device),
        low: Bytes((device - doubt).max(0.0)),
        high: Bytes(device + doubt),
        needed: Bytes(allocated + held.least + outside_bytes),
        host: Bytes((resident.host + activations.away) * f64::from(per_node)),
    };
    (memory, resident)
}

fn batch(request: &Request, train: &Train, load: &Load, at: u32) -> Batch {
    let parallel = &request.parallel;
    let (micro_batch, micro_batches) = schedule(train, parallel.pipeline);
    let tokens = micro_batch * load.sequences * request.seq as f64 / f64::from(parallel.context);
    // Interleaving holds `(p − 1) / v` micro batches more: Narayanan et al. 2021, §2.2, `1 + (p − 1) / (p·v)`.
    let stages = f64::from(parallel.pipeline);
    let more = if train.interleave > 1 { (stages - 1.0) / train.interleave as f64 } else { 0.0 };
    let in_flight = (stages - f64::from(at) + more).min(micro_batches);
    Batch { tokens, pairs: tokens * request.seq as f64, in_flight: in_flight.max(1.0), models: load.trained }
}

/// Sequences of a micro batch, and micro batches of a step. A pipeline without accumulation cuts its batch into single
/// sequences.
pub fn schedule(train: &Train, pipeline: u32) -> (f64, f64) {
    let (batch, accumulation) = (train.micro_batch_size as f64, train.gradient_accumulation as f64);
    if pipeline > 1 && accumulation == 1.0 { (1.0, batch) } else { (batch, accumulation) }
}

/// How the run computes its layers.
pub fn walk<'a>(request: &'a Request, train: &'a Train, regime: Regime) -> Walk<'a> {
    let kernels = &train.framework.kernels;
    let tensor = f64::from(request.parallel.tensor);
    Walk {
        model: &request.model,
        train,
        regime,
        kernel: request.attention,
        tensor,
        sequence: if kernels.sequence_parallel { tensor } else { 1.0 },
        fused_norm: kernels.fused_norm || train.compile,
        fused_mlp: kernels.fused_mlp || train.compile,
        seq: request.seq,
    }
}

/// Parameters of the LM head here, or of the embedding that is one.
fn head(share: &Share) -> f64 {
    let mut tables = share.model.outer.iter().filter(|t| matches!(t.role, Role::LmHead | Role::Embedding));
    tables.next_back().map_or(0.0, |head| head.parameters() as f64 * share.fraction(head.role))
}

/// The loss of `tokens` rows.
fn loss(train: &Train, regime: &Regime, share: &Share, tokens: f64) -> Logits {
    let head_trains = match &train.method {
        Method::Full | Method::Freeze => true,
        Method::Lora(lora) => lora.targets.head,
    };
    // Autocast leaves a 16-bit copy of an fp32 head.
    let fp32_head = regime.autocast && (regime.weight_copies || train.upcasts_unquantised());
    let copy = if fp32_head { regime.compute * head(share) } else { 0.0 };
    Logits::of(share.model, train, tokens, share.tensor, head_trains, regime.compute).with_head_copy(copy)
}

/// What the policy writes its sequences with: its own KV cache, or an engine beside the trainer.
fn writing(request: &Request, train: &Train, share: &Share, ranks: f64) -> (f64, f64) {
    let cache = rollout_cache(share, train, request.seq, ranks);
    match (train.rollout_engine, request.hardware.gpu) {
        (None, _) => (cache, 0.0),
        (Some(fraction), Some(gpu)) => (0.0, fraction * gpu.visible().0),
        // Without a card there is no fraction of one: an engine needs weights and cache at least.
        (Some(_), None) => (0.0, 2.0 * share.model.counts.total as f64 / share.tensor + cache),
    }
}

/// KV cache in 16 bits of the sequences that a rank writes at once: those of its optimizer step (TRL's
/// `steps_per_generation`), or its part of one group.
fn rollout_cache(share: &Share, train: &Train, seq: u64, ranks: f64) -> f64 {
    let each: f64 = share.layers.iter().map(|(kind, count)| count * kind.mixer.cached() / share.tensor).sum();
    let of_step = (train.micro_batch_size * train.gradient_accumulation) as f64;
    2.0 * each * of_step.max(train.generations as f64 / ranks) * seq as f64
}

fn modelled(name: &'static str, source: &'static str, factors: &[(&'static str, f64)]) -> Term {
    Term::new(name, Basis::Modelled, source, factors)
}

/// Terms by part; what is zero is left out.
struct Parts(Vec<Part>);

impl Parts {
    /// All tensors at the peak.
    fn alive(resident: &Resident, moments: &Moments, peak: &Phase) -> Self {
        let mut parts = Self(Vec::with_capacity(8));
        for (kind, term) in &resident.terms {
            parts.add(*kind, term.clone());
        }
        parts.add_activations(moments, peak);
        parts.add_logits(moments.logits, peak);
        parts.add_buffers(moments.buffers, peak);
        let engine = moments.engine;
        for (name, bytes) in [("term-train-rollout", peak.kv_cache - engine), ("term-train-engine", engine)] {
            parts.add(PartKind::KvCache, modelled(name, "train-source-stages", &[("train-bytes", bytes)]));
        }
        parts.give_place(resident.gradients - peak.gradients, peak);
        parts
    }

    fn add(&mut self, kind: PartKind, term: Term) {
        if term.bytes().0 == 0.0 {
            return;
        }
        match self.0.iter_mut().find(|part| part.kind == kind) {
            Some(part) => part.terms.push(term),
            None => self.0.push(Part { kind, terms: SmallVec::from_iter([term]) }),
        }
    }
    fn extend(&mut self, terms: impl IntoIterator<Item = Term>) {
        terms.into_iter().for_each(|term| self.add(PartKind::Overhead, term));
    }
    fn total(&self) -> f64 {
        self.0.iter().map(|part| part.bytes().0).sum()
    }

    fn add_activations(&mut self, moments: &Moments, peak: &Phase) {
        let Moments { activations, batch, .. } = moments;
        let layers = activations.layers.max(1.0);
        let all = activations.kept.bytes(batch.tokens, batch.pairs) * batch.in_flight;
        let still = if all > 0.0 { peak.kept / all } else { 0.0 };
        let kept = activations.kept;
        for (name, bytes, unit, of) in [
            ("term-train-kept", kept.token, "train-tokens", batch.tokens),
            ("term-train-scores", kept.pair, "train-pairs", batch.pairs),
            ("term-train-weight-copies", kept.fixed, "train-copies", 1.0),
        ] {
            let factors = [
                ("train-layers", layers),
                ("train-bytes-each", bytes / layers),
                (unit, of),
                ("train-in-flight", batch.in_flight),
                ("train-still-kept", still),
            ];
            self.add(PartKind::Activations, modelled(name, "train-source-autograd", &factors));
        }
        let rebuilt = [("train-bytes", peak.rebuilt)];
        self.add(PartKind::Activations, modelled("term-train-rebuilt", "train-source-checkpointing", &rebuilt));
        let working = [("train-bytes", peak.working)];
        self.add(PartKind::Activations, modelled("term-train-working", "train-source-autograd", &working));
    }

    fn add_logits(&mut self, logits: &Logits, peak: &Phase) {
        if peak.logits == 0.0 {
            return;
        }
        let factors = [
            ("train-tokens", logits.rows),
            ("train-vocabulary", logits.vocabulary),
            ("train-bytes-each", logits.bytes_each),
        ];
        self.add(PartKind::Logits, modelled("term-train-logits", "train-source-loss", &factors));
        let fused = [("train-bytes", logits.fused)];
        self.add(PartKind::Logits, modelled("term-train-fused-loss", "train-source-loss", &fused));
        let copy = [("train-bytes", logits.head_copy)];
        self.add(PartKind::Logits, modelled("term-train-head-copy", "train-source-autograd", &copy));
    }

    fn add_buffers(&mut self, buffers: &Buffers, peak: &Phase) {
        let of = |name, source, bytes| modelled(name, source, &[("train-bytes", bytes)]);
        let communication = of("term-train-communication", "train-source-framework", buffers.communication);
        self.add(PartKind::Buffers, communication);
        self.add(PartKind::Buffers, of("term-train-importance", "train-source-adalora", buffers.importance));
        let passing = peak.buffers - buffers.resident();
        self.add(PartKind::Buffers, of("term-train-temporaries", "train-source-framework", passing));
    }

    /// Takes gradients that are not made yet off what stands in their place.
    fn give_place(&mut self, gradients: f64, peak: &Phase) {
        let activations = peak.kept + peak.rebuilt + peak.working;
        for (kind, bytes) in
            [(PartKind::Activations, activations), (PartKind::Logits, peak.logits), (PartKind::Buffers, peak.buffers)]
        {
            let part = if peak.passing() > 0.0 { bytes / peak.passing() } else { 0.0 };
            let factors = [("", -1.0), ("train-bytes", gradients), ("train-part", part)];
            self.add(kind, modelled("term-train-place-of-gradients", "train-source-autograd", &factors));
        }
    }
}
