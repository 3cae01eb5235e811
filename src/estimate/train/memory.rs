//! Memory of one GPU at the fullest moment of a step, part by part.
//!
//! A step has phases, each with its own peak: the loss's backward, the last layer's backward, the first layer's, the
//! optimizer step, a rollout. States stand throughout; of gradients the full size is shown, though until backward has
//! made them their place is taken by activations, so a negative term keeps the sum true.

use super::activations::{Activations, Batch};
use super::buffers::Buffers;
use super::logits::Logits;
use super::overhead;
use super::regime::Regime;
use super::saved::Walk;
use super::share::Share;
use super::stages::Load;
use super::states::{Sharding, States};
use crate::catalog::constant::Training;
use crate::catalog::model::{Mixer, Role};
use crate::catalog::recipe::BufferRule;
use crate::estimate::{Basis, Memory, Part, PartKind, Term};
use crate::request::{Checkpointing, Master, Method, Offload, Request, Train};
use crate::units::Bytes;
use smallvec::SmallVec;

/// What is alive in one phase beside what is alive in all.
#[derive(Clone, Copy, Debug, Default)]
struct Phase {
    /// Part of what the forward kept that is still there.
    kept: f64,
    rebuilt: f64,
    working: f64,
    logits: f64,
    /// Gradients that are there.
    gradients: f64,
    buffers: f64,
    kv_cache: f64,
}

impl Phase {
    fn bytes(&self) -> f64 {
        self.kept + self.rebuilt + self.working + self.logits + self.gradients + self.buffers + self.kv_cache
    }
}

/// Memory of a GPU of pipeline stage `at`.
pub fn of_stage(request: &Request, train: &Train, constants: &Training, at: u32) -> Memory {
    let parallel = &request.parallel;
    let load = Load::of(train);
    let regime = Regime::of(request, train);
    let share = Share::of_stage(&request.model, parallel, at);
    let gpus_per_node = request.hardware.gpus.div_ceil(request.hardware.nodes);
    let states = States::of(&share, train, &regime, Sharding::of(train.zero, parallel, gpus_per_node));
    let gradient_size = train.gradient_dtype.bytes();
    let buffers = Buffers::of(&share, train, &regime, &states, gradient_size);

    let seq = request.seq as f64 / f64::from(parallel.context);
    let (micro_batch, micro_batches) = schedule(train, parallel.pipeline);
    let sequences = micro_batch * load.sequences;
    let held = f64::from(parallel.pipeline - at).min(micro_batches);
    let batch =
        Batch { tokens: sequences * seq, pairs: sequences * seq * request.seq as f64, in_flight: held.max(1.0) };
    let walk = walk(request, train, regime);
    let activations = Activations::of(&walk, &share, batch);
    let layers = share.depth().max(1.0);

    let head_trains = match &train.method {
        Method::Full | Method::Freeze => true,
        Method::Lora(lora) => lora.targets.head,
    };
    let logits = if share.last && load.logits {
        Logits::of(&request.model, train, batch.tokens, share.tensor, head_trains, regime.compute)
    } else {
        Logits::default()
    };

    // States, several models where the stage trains or keeps several.
    let on_gpu = |offloaded: bool, bytes: f64| if offloaded { 0.0 } else { bytes };
    let optimizer_away = train.offload != Offload::None || train.optimizer.paged;
    let masters =
        if train.master == Master::On && train.lora().is_none() { 4.0 * states.stepped_parameters() } else { 0.0 };
    let optimizer = on_gpu(optimizer_away, load.trained * states.optimizer());
    let master = on_gpu(train.offload != Offload::None, load.trained * masters);
    let shard_weights = |bytes: f64| if states.shard.weights { bytes / states.shard.ranks } else { bytes };
    let others: f64 = share.tensors().map(|(n, t)| n * share.fraction(t.role) * t.parameters() as f64).sum();
    let weights_away = train.offload == Offload::Cpu;
    let frozen = on_gpu(weights_away, states.frozen());
    let trained = on_gpu(weights_away, load.trained * states.trained_weights());
    let other_models = load.frozen * shard_weights(regime.compute.min(2.0) * others);
    let gradients = load.trained * states.gradients();
    let in_backward = train.framework.kernels.steps_in_backward
        && train.lora().is_none()
        && train.gradient_accumulation == 1
        && train.checkpointing == Checkpointing::On
        && request.hardware.gpus == 1;
    let gradients = if in_backward { gradients / layers } else { gradients };
    let gradients = on_gpu(train.offload != Offload::None && states.shard.gradients, gradients);

    // Phases.
    let contiguous = train.framework.buffers == BufferRule::Contiguous && train.lora().is_none();
    let standing = if train.gradient_accumulation > 1 || contiguous { gradients } else { 0.0 };
    let kept_once = activations.kept.bytes(batch.tokens, batch.pairs);
    let kept = kept_once * batch.in_flight;
    let head = share.model.outer.iter().filter(|t| matches!(t.role, Role::LmHead | Role::Embedding)).last();
    let head_gradient = match (&train.method, head) {
        (Method::Full | Method::Freeze, Some(head)) if share.last => {
            gradient_size * head.parameters() as f64 * share.fraction(head.role)
        }
        _ => 0.0,
    };
    // Autocast leaves a 16-bit copy of an fp32 head.
    let fp32_head = regime.autocast && (regime.weight_copies || train.upcasts_unquantised());
    let head_copy = match head {
        Some(head) if share.last && fp32_head => regime.compute * head.parameters() as f64 * share.fraction(head.role),
        _ => 0.0,
    };
    let resident = buffers.resident();
    let loss = Phase {
        kept,
        logits: logits.bytes() + head_copy,
        gradients: standing,
        buffers: resident + buffers.gathered.max(buffers.gathered_head),
        ..Phase::default()
    };
    let last_layer = Phase {
        kept,
        rebuilt: activations.rebuilt,
        working: activations.working,
        gradients: standing.max(head_gradient.min(gradients)),
        buffers: buffers.at_work(),
        ..Phase::default()
    };
    let one_layer = if train.checkpointing == Checkpointing::On { 0.0 } else { kept_once / layers };
    // A head tied to the embedding adds its gradient to the embedding's.
    let tied = if share.model.tied_embeddings && share.first && share.last { head_gradient } else { 0.0 };
    let first_layer =
        Phase { kept: kept - kept_once + one_layer, gradients, buffers: buffers.at_work() + tied, ..last_layer };
    let step = Phase { gradients, buffers: resident + buffers.step, ..Phase::default() };
    let rollout = Phase {
        kv_cache: if load.generates { rollout_cache(&share, train, request) } else { 0.0 },
        gradients: standing,
        buffers: resident + if load.generates { buffers.gathered } else { 0.0 },
        ..Phase::default()
    };
    let phases = [loss, last_layer, first_layer, step, rollout];
    let peak = phases.into_iter().max_by(|a, b| a.bytes().total_cmp(&b.bytes())).unwrap_or_default();

    // Parts.
    let mut parts = Parts::default();
    let dp = |on: bool| if on { 1.0 / states.shard.ranks } else { 1.0 };
    let _ = dp;
    parts
        .add(PartKind::Weights, Term::new("term-frozen-weights", Basis::Exact, "source-tensors", &[("bytes", frozen)]));
    parts.add(
        PartKind::Weights,
        Term::new("term-trained-weights", Basis::Exact, "source-tensors", &[("bytes", trained)]),
    );
    parts.add(
        PartKind::Weights,
        Term::new("term-other-models", Basis::Modelled, "source-tensors", &[("bytes", other_models)]),
    );
    let per = |size: f64, total: f64| [("parameters", total / size), ("bytes-each", size)];
    parts.add(
        PartKind::Gradients,
        Term::new("term-gradients", Basis::Exact, "source-zero", &per(gradient_size, gradients)),
    );
    parts.add(PartKind::Optimizer, Term::new("term-master", Basis::Exact, "source-zero", &per(4.0, master)));
    parts.add(PartKind::Optimizer, Term::new("term-states", Basis::Exact, "source-optimizer", &[("bytes", optimizer)]));
    let each = activations.kept;
    let share_kept = if kept > 0.0 { peak.kept / kept } else { 0.0 };
    let kept_factors = |bytes: f64, of: f64| -> [(&'static str, f64); 5] {
        [
            ("layers", layers),
            ("bytes-each", bytes / layers),
            ("tokens", of),
            ("in-flight", batch.in_flight),
            ("still-kept", share_kept),
        ]
    };
    let modelled = Basis::Modelled;
    parts.add(
        PartKind::Activations,
        Term::new("term-kept", modelled, "source-autograd", &kept_factors(each.token, batch.tokens)),
    );
    parts.add(
        PartKind::Activations,
        Term::new("term-kept-scores", modelled, "source-autograd", &kept_factors(each.pair, batch.pairs)),
    );
    parts.add(
        PartKind::Activations,
        Term::new("term-weight-copies", modelled, "source-autograd", &kept_factors(each.fixed, 1.0)),
    );
    parts.add(
        PartKind::Activations,
        Term::new("term-rebuilt", modelled, "source-checkpointing", &[("bytes", peak.rebuilt)]),
    );
    parts
        .add(PartKind::Activations, Term::new("term-working", modelled, "source-autograd", &[("bytes", peak.working)]));
    if peak.logits > 0.0 {
        let factors = [("rows", logits.rows), ("vocabulary", logits.vocabulary), ("bytes-each", logits.bytes_each)];
        parts.add(PartKind::Logits, Term::new("term-logits", modelled, "source-loss", &factors));
        parts.add(PartKind::Logits, Term::new("term-fused-loss", modelled, "source-loss", &[("bytes", logits.fused)]));
        parts.add(PartKind::Logits, Term::new("term-head-copy", modelled, "source-autograd", &[("bytes", head_copy)]));
    }
    parts.add(
        PartKind::Buffers,
        Term::new("term-communication", modelled, "source-framework", &[("bytes", buffers.communication)]),
    );
    parts.add(
        PartKind::Buffers,
        Term::new("term-importance", modelled, "source-adalora", &[("bytes", buffers.importance)]),
    );
    parts.add(
        PartKind::Buffers,
        Term::new("term-temporaries", modelled, "source-framework", &[("bytes", peak.buffers - resident)]),
    );
    parts.add(PartKind::KvCache, Term::new("term-rollout", modelled, "source-tensors", &[("bytes", peak.kv_cache)]));
    let not_yet = gradients - peak.gradients;
    parts.add(
        PartKind::Activations,
        Term::new("term-place-of-gradients", modelled, "source-autograd", &[("minus", -1.0), ("bytes", not_yet)]),
    );

    let allocated = parts.total();
    let churned = peak.kept + peak.rebuilt + peak.working;
    let expandable = train.framework.kernels.expandable_segments;
    parts.extend(PartKind::Overhead, overhead::allocator(churned, peak.logits, expandable, constants));
    let reserved = parts.total();
    parts.extend(PartKind::Overhead, overhead::device(request.hardware.gpus, constants));
    let device = parts.total();

    let squared: f64 = [
        constants.doubt_activations * (peak.kept + peak.rebuilt + peak.working),
        constants.doubt_logits * peak.logits,
        constants.doubt_buffers * (peak.buffers + peak.kv_cache),
        constants.doubt_states * (frozen + trained + gradients + optimizer + master),
        constants.doubt_fixed,
    ]
    .iter()
    .map(|doubt| doubt * doubt)
    .sum();
    let doubt = squared.sqrt();
    let host = match train.offload {
        Offload::None => 0.0,
        Offload::Optimizer | Offload::Cpu => {
            load.trained * (states.optimizer() + masters + states.stepped_parameters() * gradient_size)
        }
    } + if weights_away { load.trained * states.trained_weights() + states.frozen() } else { 0.0 }
        + if train.optimizer.paged { states.optimizer() } else { 0.0 };
    Memory {
        parts: parts.0,
        allocated: Bytes(allocated),
        reserved: Bytes(reserved),
        device: Bytes(device),
        low: Bytes((device - doubt).max(0.0)),
        high: Bytes(device + doubt),
        needed: Bytes(device),
        host: Bytes(host * f64::from(gpus_per_node)),
    }
}

/// Terms by part; what is zero is left out.
#[derive(Default)]
struct Parts(Vec<Part>);

impl Parts {
    fn add(&mut self, kind: PartKind, term: Term) {
        if term.bytes().0 == 0.0 {
            return;
        }
        match self.0.iter_mut().find(|part| part.kind == kind) {
            Some(part) => part.terms.push(term),
            None => self.0.push(Part { kind, terms: SmallVec::from_iter([term]) }),
        }
    }
    fn extend(&mut self, kind: PartKind, terms: impl IntoIterator<Item = Term>) {
        terms.into_iter().for_each(|term| self.add(kind, term));
    }
    fn total(&self) -> f64 {
        self.0.iter().map(|part| part.bytes().0).sum()
    }
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

/// KV cache of the sequences that are written for one step, in 16 bits.
fn rollout_cache(share: &Share, train: &Train, request: &Request) -> f64 {
    let token = |mixer: &Mixer| match *mixer {
        Mixer::Attention { kv_heads, head_dim, value_head_dim, .. } => (kv_heads * (head_dim + value_head_dim)) as f64,
        Mixer::Latent { kv_lora_rank, rope_head_dim, .. } => (kv_lora_rank + rope_head_dim) as f64,
        Mixer::Compressed { head_dim, rate, .. } => rate.map_or(0.0, |rate| head_dim as f64 / rate as f64),
        Mixer::Linear { .. } | Mixer::Mamba { .. } | Mixer::Parallel(..) | Mixer::None => 0.0,
    };
    let each: f64 = share.layers.iter().map(|(kind, count)| count * token(&kind.mixer) / share.tensor).sum();
    2.0 * each * train.micro_batch_size as f64 * train.generations as f64 * request.seq as f64
}
