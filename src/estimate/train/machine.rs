//! What one GPU of a cluster does a second: matrix products, attention, bytes over its links.

use crate::catalog::constant::Training;
use crate::catalog::gpu::{Class, Gpu};
use crate::request::{Compute, Request, Train};

/// A GPU at work in its cluster.
pub struct Machine<'a> {
    pub gpu: &'a Gpu,
    /// Dense operations a second in the run's precision, and in what stays 16-bit beside fp8 linears.
    pub peak: f64,
    pub half_peak: f64,
    /// Of memory, bytes a second.
    pub bandwidth: f64,
    pub request: &'a Request,
    pub constants: &'a Training,
}

impl<'a> Machine<'a> {
    /// `None` without the GPU's rates.
    pub fn of(gpu: &'a Gpu, request: &'a Request, constants: &'a Training) -> Option<Self> {
        let half = if request.precision == Compute::Fp8 { Compute::Bf16 } else { request.precision };
        let peak = peak(gpu, request.precision)?;
        let half_peak = peak_or(gpu, half, peak);
        Some(Self { gpu, peak, half_peak, bandwidth: gpu.bandwidth?.0, request, constants })
    }

    /// Rate of matrix products in the run's precision or in 16 bits, their memory traffic not counted.
    pub fn rate(&self, precision: Compute) -> f64 {
        let peak = if precision == Compute::Fp8 { self.peak * self.constants.efficiency_fp8 } else { self.half_peak };
        peak * self.efficiency()
    }

    /// Part of the dense peak that large matrix products reach: an operation takes its turn of the units and its energy
    /// of the board's power.
    fn efficiency(&self) -> f64 {
        let constants = self.constants;
        let joules = match &*self.gpu.generation {
            "volta" | "turing" => constants.joules_turing,
            "blackwell" => constants.joules_blackwell,
            _ => constants.joules,
        };
        let peak = peak_or(self.gpu, Compute::Bf16, self.peak);
        let watts = self.gpu.tdp_watts.unwrap_or(peak * USUAL_WATTS);
        1.0 / (1.0 + joules * peak / watts)
    }

    pub fn attention_rate(&self, train: &Train) -> f64 {
        let constants = self.constants;
        let hopper = self.gpu.compute_capability.is_some_and(|capability| capability >= (9, 0));
        let behind = train.framework.kernels.attention.behind() + i32::from(hopper);
        let kernel = constants.efficiency_attention * constants.attention_behind.powi(behind.max(0));
        let ring = if self.request.parallel.context > 1 { constants.efficiency_ring } else { 1.0 };
        self.half_peak * self.efficiency() * kernel * ring
    }

    /// GPUs that the card's own link joins.
    fn joined(&self) -> f64 {
        let hardware = &self.request.hardware;
        let per_node = hardware.gpus.div_ceil(hardware.nodes);
        let rack = if self.gpu.link.reach > self.gpu.gpus_per_node { self.gpu.link.reach } else { 1 };
        f64::from(per_node.max(rack))
    }

    /// Bytes a second to one of `group` GPUs within a machine.
    fn within(&self, group: f64) -> f64 {
        self.gpu.link.between(group).unwrap_or_else(|| self.pcie())
    }

    fn pcie(&self) -> f64 {
        // GeForce cards write to each other only by way of the host.
        let peers = if self.gpu.class == Class::Consumer { self.constants.link_through_host } else { 1.0 };
        self.gpu.link.pcie.0 / 2.0 * peers
    }

    /// One GPU's share of the network.
    fn network(&self) -> f64 {
        self.constants.network * self.pcie()
    }

    /// Bytes a second through one GPU of a ring of this many, laid over `stride` GPUs each.
    ///
    /// Across machines a ring enters each machine once, so its members there share their NICs' rates.
    pub fn ring(&self, group: f64, stride: f64) -> f64 {
        let within = self.within(group);
        let across = self.network() * (self.joined() / stride).clamp(1.0, group);
        let bandwidth = if group * stride <= self.joined() { within } else { within.min(across) };
        (bandwidth * self.constants.link_efficiency).max(1.0)
    }

    /// Seconds to send tokens of `bytes` to `chosen` of `group` neighbours each: over the network once to every machine
    /// that has some of them (DeepEP's dispatch), and from there over the machine's own links.
    pub fn dispatch(&self, bytes: f64, group: f64, chosen: f64) -> f64 {
        let here = self.joined().min(group);
        let machines = group / here;
        let reached = machines * (1.0 - (1.0 - 1.0 / machines).powf(chosen));
        let within = chosen * (here - 1.0) / here / self.within(here).max(1.0);
        let across = reached * (machines - 1.0) / machines / self.network().max(1.0);
        bytes * within.max(across) / self.constants.link_efficiency
    }
}

/// Board power for an operation a second, where it is not known: an A100's.
const USUAL_WATTS: f64 = 400.0 / 312e12;

/// Dense peak of a precision; fp32 runs on TF32 units where there are some.
fn peak(gpu: &Gpu, precision: Compute) -> Option<f64> {
    let rate = match precision {
        Compute::Fp32 => gpu.peak.tf32.or(gpu.peak.fp32),
        Compute::Fp16 => gpu.peak.fp16,
        Compute::Bf16 => gpu.peak.bf16.or(gpu.peak.fp16),
        Compute::Fp8 => gpu.peak.fp8,
    };
    rate.map(|rate| rate.0)
}

fn peak_or(gpu: &Gpu, precision: Compute, otherwise: f64) -> f64 {
    peak(gpu, precision).unwrap_or(otherwise)
}
