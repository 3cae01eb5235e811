//! Memory for the KV cache by each engine's own rule, and what it holds.

use super::cache::{Blocks, Cache};
use crate::catalog::Gpu;
use crate::catalog::backend::{MemoryRule, Pool};

/// What an engine takes on one GPU before it sizes its cache, bytes.
#[derive(Clone, Copy, Debug, Default)]
pub struct Taken {
    pub weights: f64,
    /// Peak of activations, logits and scratch in the allocator.
    pub activations: f64,
    /// Outside the allocator: driver context, loaded kernels.
    pub context: f64,
    /// Outside the allocator: communicators and what libraries allocate themselves.
    pub libraries: f64,
    pub graphs: f64,
}

impl Taken {
    pub fn total(&self) -> f64 {
        self.weights + self.activations + self.context + self.libraries + self.graphs
    }
}

/// Bytes that the engine gives its cache on a card; negative where it cannot start.
///
/// - vLLM: `f·total - weights - activations - libraries (- graphs)`; the driver context counts as used by others.
/// - SGLang: `f·free - weights - libraries`, `free` at start; activations and graphs live in the rest.
/// - TensorRT-LLM, TGI: `f·(free - weights - activations - libraries - graphs)`.
/// - LMDeploy: `f·(free - weights - libraries)`, once weights are loaded; activations live in the rest.
/// - Transformers and llama.cpp: all that is left.
pub fn budget(pool: Pool, rule: &MemoryRule, fraction: f64, card: &Gpu, taken: &Taken) -> f64 {
    let card = card.visible();
    let free = card.0 - taken.context;
    let static_part = taken.weights + taken.libraries;
    match pool {
        Pool::OfTotal => {
            let graphs = if rule.graphs_in_budget { taken.graphs } else { 0.0 };
            fraction * card.0 - static_part - taken.activations - graphs
        }
        Pool::Static => fraction * free - static_part,
        Pool::OfFree => fraction * (free - static_part - taken.activations - taken.graphs),
        Pool::OfRest => fraction * (free - static_part),
        Pool::Grows | Pool::Cells => free - static_part - taken.activations - taken.graphs,
    }
}

/// What a budget holds on one rank.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Holds {
    pub tokens: u64,
    /// Sequences of the asked length at once; a part where not even one fits.
    pub sequences: f64,
    /// Bytes that a token takes by the engine's own count.
    pub token_bytes: f64,
    /// Longest sequence.
    pub longest: u64,
    /// Blocks of vLLM's table.
    pub blocks: Option<u64>,
}

/// From bytes to tokens: vLLM by its block table, others by sequences of the asked length.
pub fn holds(
    pool: Pool,
    cache: &Cache,
    rule: &MemoryRule,
    budget: f64,
    sequence: u64,
    (batched, drafted): (u64, u64),
) -> Holds {
    let budget = budget.max(0.0);
    let block = rule.block_tokens;
    let padded = cache.padded(sequence, batched).filter(|_| pool == Pool::OfTotal);
    if pool == Pool::OfTotal
        && padded.is_none()
        && let Some(blocks) = Blocks::of(cache, block, sequence, batched, drafted)
    {
        let count = (budget / blocks.bytes).floor();
        let sequences = count / blocks.of_sequence as f64;
        let by_block = (count / blocks.groups).floor() as u64 * blocks.tokens;
        return Holds {
            tokens: if rule.counts_sequences { (sequences * sequence as f64) as u64 } else { by_block },
            sequences,
            token_bytes: blocks.bytes * blocks.groups / blocks.tokens as f64,
            longest: longest(cache, budget, block, 0.0),
            blocks: Some(count as u64),
        };
    }
    let bytes = padded.unwrap_or_else(|| cache.sequence(sequence, block));
    let sequences = budget / bytes.max(1.0);
    Holds {
        tokens: (sequences * sequence as f64) as u64 / block * block,
        sequences,
        token_bytes: cache.token(),
        longest: longest(cache, budget, block, padded.map_or(0.0, |bytes| bytes - cache.sequence(sequence, 1))),
        blocks: None,
    }
}

/// The longest sequence that fits in a budget: what windows, states and their padding take first, then whole blocks.
fn longest(cache: &Cache, budget: f64, block: u64, padding: f64) -> u64 {
    let windows = cache.layers.iter().filter_map(|layers| layers.window.map(|window| (layers, window)));
    let fixed: f64 = windows.map(|(layers, window)| layers.count * layers.entry * window as f64).sum();
    let growing: f64 = cache.layers.iter().filter(|layers| layers.window.is_none()).map(growth).sum();
    let room = budget - fixed - cache.state() - padding;
    if room <= 0.0 {
        return (budget / cache.token().max(1.0)) as u64 / block * block;
    }
    if growing == 0.0 { u64::MAX } else { (room / growing) as u64 / block * block }
}

fn growth(layers: &super::cache::Layers) -> f64 {
    layers.count * layers.entry / layers.rate as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::Catalog;
    use crate::units::GIB;

    #[test]
    fn lmdeploy_takes_its_share_of_what_weights_leave() {
        let catalog = Catalog::embedded();
        let card = catalog.gpu("a100-sxm-80gb").expect("a card");
        let rule = &catalog.backends.iter().find(|row| row.pool == Pool::OfRest).expect("a row").memory[0];
        let taken =
            Taken { weights: 14.0 * GIB, activations: 5.0 * GIB, context: 0.5 * GIB, libraries: GIB, graphs: 0.0 };
        // Of 81,251 MiB 78.826 GiB can be had, 63.326 beside context, weights and libraries: four fifths of that.
        let budget = budget(Pool::OfRest, rule, 0.8, card, &taken) / GIB;
        assert!((budget - 50.661).abs() < 0.001, "{budget}");
    }
}
