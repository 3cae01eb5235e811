//! What stands on a GPU from the first step to the last: weights, gradients, optimizer states, other models.

use super::regime::Regime;
use super::share::Share;
use super::stages::Load;
use super::states::States;
use crate::estimate::{Basis, PartKind, Term};
use crate::request::{Checkpointing, Master, Offload, Train};

/// Bytes on one GPU, and where each of them comes from.
#[derive(Clone, Debug)]
pub struct Resident {
    pub terms: [(PartKind, Term); 6],
    /// All but gradients.
    pub held: f64,
    /// Gradients when backward has made them all.
    pub gradients: f64,
    /// Gradients, states and masters that one rank steps, wherever they stand.
    pub stepped: f64,
    /// Weights that one GPU computes with, likewise.
    pub weights: f64,
    /// Of one GPU's share, what offloading keeps in host memory.
    pub host: f64,
}

impl Resident {
    pub fn of(share: &Share, train: &Train, regime: &Regime, states: &States, load: &Load, gpus: u32) -> Self {
        let shard = &states.shard;
        let part = |sharded: bool| if sharded { 1.0 / shard.ranks } else { 1.0 };
        let there = |away: bool| if away { 0.0 } else { 1.0 };
        let (weights_away, states_away) = (train.offload == Offload::Cpu, train.offload != Offload::None);
        // ZeRO-2 and up move gradients to the host as they are reduced.
        let gradients_away = states_away && shard.gradients;

        let models = share.tensors().map(|(n, t)| n * share.fraction(t.role) * t.parameters() as f64).sum::<f64>();
        let masters = if train.master == Master::On && train.lora().is_none() { 4.0 } else { 0.0 };
        let in_backward = if steps_in_backward(train, gpus) { 1.0 / share.depth().max(1.0) } else { 1.0 };
        let per = |bytes: f64, count: f64| if count > 0.0 { bytes / count } else { 0.0 };
        let term = |name, source, factors: [(&'static str, f64); 4]| Term::new(name, Basis::Exact, source, &factors);

        // A critic trains as the policy does: beside adapters it has a frozen base of its own.
        let (frozen, trained) = (load.trained * states.frozen(), states.trained_weights());
        let (kept, stepped) = (states.gradient_parameters(), states.stepped_parameters());
        let gradient_bytes = states.gradients();
        let optimizer = states.optimizer();
        let gradients = load.trained * gradient_bytes * in_backward * there(gradients_away);
        let terms = [
            (
                PartKind::Weights,
                Term::new(
                    "term-train-frozen",
                    Basis::Exact,
                    "train-source-tensors",
                    &[("train-bytes", frozen), ("train-on-gpu", there(weights_away))],
                ),
            ),
            (
                PartKind::Weights,
                term(
                    "term-train-weights",
                    "train-source-tensors",
                    [
                        ("train-models", load.trained),
                        ("train-parameters", states.weight_parameters()),
                        ("train-bytes-each", per(trained, states.weight_parameters())),
                        ("train-on-gpu", there(weights_away)),
                    ],
                ),
            ),
            (
                PartKind::Weights,
                term(
                    "term-train-other-models",
                    "train-source-stages",
                    [
                        ("train-models", load.frozen),
                        ("train-parameters", models),
                        ("train-bytes-each", regime.compute.min(2.0)),
                        ("train-shard", part(shard.weights)),
                    ],
                ),
            ),
            (
                PartKind::Gradients,
                term(
                    "term-train-gradients",
                    "train-source-zero",
                    [
                        ("train-models", load.trained),
                        ("train-parameters", kept),
                        ("train-bytes-each", per(gradient_bytes, kept) * in_backward),
                        ("train-on-gpu", there(gradients_away)),
                    ],
                ),
            ),
            (
                PartKind::Optimizer,
                term(
                    "term-train-master",
                    "train-source-zero",
                    [
                        ("train-models", load.trained),
                        ("train-parameters", stepped),
                        ("train-bytes-each", masters),
                        ("train-on-gpu", there(states_away)),
                    ],
                ),
            ),
            (
                PartKind::Optimizer,
                term(
                    "term-train-states",
                    "train-source-optimizer",
                    [
                        ("train-models", load.trained),
                        ("train-parameters", stepped),
                        ("train-bytes-each", per(optimizer, stepped)),
                        ("train-on-gpu", there(states_away || train.optimizer.paged)),
                    ],
                ),
            ),
        ];
        let all: f64 = terms.iter().map(|(_, term)| term.bytes().0).sum();
        let host = load.trained
            * ((1.0 - there(states_away)) * (optimizer + masters * stepped)
                + (1.0 - there(gradients_away)) * gradient_bytes
                + if train.optimizer.paged && !states_away { optimizer } else { 0.0 })
            + (1.0 - there(weights_away)) * (frozen + load.trained * trained);
        let stepped = load.trained * (gradient_bytes + optimizer + masters * stepped);
        let weights = frozen + load.trained * trained;
        Self { terms, held: all - gradients, gradients, stepped, weights, host }
    }
}

/// Whether each parameter is stepped as soon as its gradient is there, so that gradients of one layer stand at a time.
fn steps_in_backward(train: &Train, gpus: u32) -> bool {
    train.framework.kernels.steps_in_backward
        && train.lora().is_none()
        && train.gradient_accumulation == 1
        && train.checkpointing == Checkpointing::On
        && gpus == 1
}
