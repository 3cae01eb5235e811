//! What stays in the host's memory and is computed there (llama.cpp's `--n-gpu-layers` and `--n-cpu-moe`).
//!
//! Few tokens a step are multiplied by the processor, which reads the weights at its memory's bandwidth; prompts have
//! them copied to the card, a micro batch at a time. llama.cpp ggml/src/ggml-cuda `offload_op`: from 32 tokens on.

use super::cache::Cache;
use super::weights::Weights;
use crate::catalog::Gpu;
use crate::catalog::constant;

/// Tokens of a step from which weights are copied to the card instead.
const COPIED_FROM: f64 = 32.0;

/// The host's part of a model.
pub struct Host<'a> {
    weights: &'a Weights,
    cache: &'a Cache,
    /// Share of the routed experts that a token goes through.
    chosen: f64,
    /// Bytes/s from the card's slot.
    copy: f64,
    pub constants: &'a constant::Host,
}

impl<'a> Host<'a> {
    pub fn of(weights: &'a Weights, cache: &'a Cache, chosen: f64, gpu: &Gpu, constants: &'a constant::Host) -> Self {
        Self { weights, cache, chosen, copy: (constants.copy * gpu.link.pcie.0 / 2.0).max(1e9), constants }
    }

    /// Seconds of a decode step: `max(bytes/bandwidth, 2·P·tokens/rate)`, experts as far as the tokens chose them, and
    /// what the sequences keep.
    pub fn decode(&self, batch: f64, width: f64, context: f64) -> f64 {
        let tokens = batch * width;
        let experts = self.weights.experts;
        let dense = self.weights.packed + self.weights.plain + self.weights.head;
        let bytes = dense.bytes + experts.bytes * (1.0 - (1.0 - self.chosen).powf(tokens));
        let products = 2.0 * tokens * (dense.parameters + experts.parameters * self.chosen);
        let bandwidth = self.constants.read_gbps * 1e9;
        (bytes / bandwidth).max(products / (self.constants.tflops * 1e12))
            + batch * self.cache.traffic(context) / bandwidth
    }

    /// Seconds that a prompt adds: every chunk has all weights copied.
    pub fn prefill(&self, tokens: f64, chunk: f64) -> f64 {
        if tokens < COPIED_FROM {
            return self.decode(1.0, tokens, tokens);
        }
        (tokens / chunk).ceil() * self.weights.bytes() / self.copy
    }
}

#[cfg(test)]
mod tests {
    use super::super::weights::Tally;
    use super::*;

    #[test]
    fn a_token_reads_what_stays_on_the_host_once() {
        let weights = Weights {
            packed: Tally { parameters: 4e9, bytes: 2e9 },
            experts: Tally { parameters: 20e9, bytes: 10e9 },
            ..Weights::default()
        };
        let constants = constant::Host { read_gbps: 50.0, tflops: 1.0, copy: 0.5, spread: 0.5 };
        let cache = Cache::default();
        let host = Host { weights: &weights, cache: &cache, chosen: 0.1, copy: 12e9, constants: &constants };
        // (2 + 0.1 x 10) GB at 50 GB/s.
        assert_eq!(host.decode(1.0, 1.0, 1000.0), 0.06);
        // Two chunks of 12 GB through the slot.
        assert_eq!(host.prefill(1024.0, 512.0), 2.0);
        // 64 tokens are bound by products: 2 x 64 x (4 + 2) GFLOP at 1 TFLOP/s.
        assert!((host.decode(64.0, 1.0, 1000.0) - 0.768).abs() < 1e-9);
    }
}
