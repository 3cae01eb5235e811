//! What sequences keep between steps: keys and values, latents, states.
//!
//! From a model's mixers to bytes of one sequence on one rank, and to vLLM's blocks. Knows nothing of how
//! much memory there is (see `pool`).

use super::split::Split;
use crate::catalog::model::{Direction, Indexer, Mixer, Model};
use smallvec::SmallVec;
use std::ops::Range;

/// Layers that keep the same for a sequence.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Layers {
    pub count: f64,
    /// Bytes of one cache entry of one layer.
    pub entry: f64,
    /// Entries kept: one each `rate` tokens, of the last `window` tokens where there is one.
    pub rate: u64,
    pub window: Option<u64>,
    /// Entries that a step reads at most: an indexer picks the best, or a window leaves the others out.
    pub reads: Option<u64>,
    /// Bytes of a sequence of any length: recurrent state and convolution, or a compressor's last inputs.
    pub state: f64,
    /// Where an engine fixes it: how these layers are paged.
    pub pages: Option<Pages>,
}

/// Pages of their own for some layers.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pages {
    /// Tokens that a page is for.
    pub tokens: u64,
    /// Bytes of it, before it is padded to another kind's.
    pub bytes: f64,
    /// Tokens back from each of a step's that must be at hand.
    pub window: Option<u64>,
}

impl Layers {
    fn entries(&self, tokens: u64, block: u64) -> f64 {
        let kept = self.window.map_or(tokens, |window| tokens.min(window));
        kept.div_ceil(self.rate).next_multiple_of(block) as f64
    }
    fn of_same_kind(&self, other: &Self) -> bool {
        self.entry == other.entry
            && self.rate == other.rate
            && self.window == other.window
            && self.reads == other.reads
            && self.state == other.state
            && self.pages == other.pages
    }
}

/// How an engine stores entries.
#[derive(Clone, Copy, Debug)]
pub struct Store {
    /// Bits of an element of keys and values, scales included.
    pub bits: f64,
    /// Elements that a head's keys, and its values, are padded to where latents are not cached as such.
    pub latent_head_width: Option<u64>,
    /// Bytes of an element of a recurrent state.
    pub state_bytes: f64,
    /// Entries that have left a layer's window stay.
    pub keeps_all: bool,
}

/// What a stage's layers keep.
#[derive(Clone, Debug, Default)]
pub struct Cache {
    pub layers: SmallVec<[Layers; 4]>,
}

impl Cache {
    pub fn of(model: &Model, split: &Split, store: Store, range: Range<usize>) -> Self {
        let mut cache = Self::default();
        for (at, kind) in model.layers.iter().enumerate() {
            let count = model.order[range.clone()].iter().filter(|&&kind| usize::from(kind) == at).count();
            if count > 0 && kind.direction != Direction::Both {
                cache.mixer(&kind.mixer, count as f64, split.tensor, store);
            }
        }
        cache
    }

    /// With the layers of another model that keeps the same sequences.
    pub fn with(mut self, other: &Cache) -> Self {
        other.layers.iter().for_each(|layers| self.push(*layers));
        self
    }

    fn push(&mut self, layers: Layers) {
        match self.layers.iter_mut().find(|known| known.of_same_kind(&layers)) {
            Some(known) => known.count += layers.count,
            None => self.layers.push(layers),
        }
    }

    /// Keys and values: `max(1, K/tp)·(d_k + d_v)` elements a token; a latent `r_kv + d_rope`, whole on each rank; an
    /// indexer's key in 8 bits with an fp32 scale. Linear attention: `H_v/tp·d_k·d_v`; Mamba: `inner/tp·N`; both with
    /// the last `kernel - 1` inputs of their convolution in 16 bits.
    fn mixer(&mut self, mixer: &Mixer, count: f64, tensor: u64, store: Store) {
        let width = store.bits / 8.0;
        let kept = |entry: f64, rate: u64, window: Option<u64>, indexer: &Option<Indexer>| {
            let reads = indexer.as_ref().map(|index| index.top_k);
            let (window, reads) = if store.keeps_all { (None, reads.or(window)) } else { (window, reads) };
            Layers { count, entry, rate, window, reads, state: 0.0, pages: None }
        };
        let state = |elements: u64, kernel: u64, channels: u64| {
            let convolution = (kernel.saturating_sub(1) * channels.div_ceil(tensor)) as f64 * 2.0;
            let state = elements.div_ceil(tensor) as f64 * store.state_bytes + convolution;
            Layers { count, entry: 0.0, rate: 1, window: None, reads: None, state, pages: None }
        };
        let keys_of = |indexer: &Option<Indexer>| indexer.as_ref().map_or(0.0, |index| index.head_dim as f64 + 4.0);
        match mixer {
            Mixer::Attention { shares_kv: true, .. } | Mixer::None => {}
            Mixer::Attention { kv_heads, head_dim, value_head_dim, window, indexer, .. } => {
                let heads = kv_heads.div_ceil(tensor);
                let entry = (heads * (head_dim + value_head_dim)) as f64 * width + keys_of(indexer);
                self.push(kept(entry, 1, *window, indexer));
            }
            Mixer::Latent { heads, kv_lora_rank, rope_head_dim, indexer, window, .. } => {
                let entry = if let Some(padded) = store.latent_head_width {
                    (heads.div_ceil(tensor) * 2 * padded) as f64 * width
                } else if store.bits == 8.0 && indexer.is_some() {
                    // FlashMLA's sparse kernels: the rotated part in 16 bits, an fp32 scale for 128 others.
                    (kv_lora_rank + 2 * rope_head_dim + kv_lora_rank / 128 * 4) as f64
                } else {
                    (kv_lora_rank + rope_head_dim) as f64 * width
                };
                let entry = entry + keys_of(indexer);
                self.push(kept(entry, 1, *window, indexer));
            }
            Mixer::Compressed { head_dim, rope_head_dim, window, rate, indexer, .. } => {
                // FlashMLA's layout: the rotated part in 16 bits, a byte of scale for 64 others and one to align.
                let (head, rotated) = (*head_dim as f64, *rope_head_dim as f64);
                let narrow = head + rotated + (head - rotated) / 64.0 + 1.0;
                let entry = if store.bits == 8.0 { narrow } else { head * width };
                let paged = |layers: Layers, tokens: u64, window: Option<u64>| {
                    let bytes = layers.entry * tokens as f64 / layers.rate as f64;
                    Layers { pages: Some(Pages { tokens, bytes, window }), ..layers }
                };
                self.push(paged(kept(entry, 1, Some(*window), &None), 64, Some(*window)));
                let Some(rate) = *rate else { return };
                // Keys and gates in fp32 that a compressor has yet to sum, of overlapping groups where they are short.
                let (overlap, block) = if indexer.is_some() { (2, 4) } else { (1, 8) };
                let compressor = |width: u64| {
                    let (token, back) = ((2 * overlap * width * 4) as f64, overlap * rate);
                    let pages = Pages { tokens: block, bytes: token * block as f64, window: Some(back) };
                    Layers { state: back as f64 * token, pages: Some(pages), ..kept(0.0, 1, None, &None) }
                };
                self.push(paged(kept(entry, rate, None, indexer), 256, None));
                self.push(compressor(*head_dim));
                if let Some(index) = indexer {
                    self.push(paged(kept(keys_of(indexer), rate, None, &None), 256, None));
                    self.push(compressor(index.head_dim));
                }
            }
            Mixer::Linear { value_heads, key_head_dim, value_head_dim, conv_kernel, conv_channels, .. } => {
                self.push(state(value_heads * key_head_dim * value_head_dim, *conv_kernel, *conv_channels));
            }
            Mixer::Mamba { inner_size, state_size, conv_kernel, conv_channels, .. } => {
                self.push(state(inner_size * state_size, *conv_kernel, *conv_channels));
            }
            Mixer::Parallel(attention, recurrent) => {
                self.mixer(attention, count, tensor, store);
                self.mixer(recurrent, count, tensor, store);
            }
        }
    }

    /// Bytes a token adds while no window is full.
    pub fn token(&self) -> f64 {
        self.layers.iter().map(|layers| layers.count * layers.entry / layers.rate as f64).sum()
    }

    /// Bytes that a sequence keeps whatever its length.
    pub fn state(&self) -> f64 {
        self.layers.iter().map(|layers| layers.count * layers.state).sum()
    }

    /// Bytes of one sequence, entries in blocks of `block`.
    pub fn sequence(&self, tokens: u64, block: u64) -> f64 {
        let bytes = |layers: &Layers| layers.count * (layers.entry * layers.entries(tokens, block) + layers.state);
        self.layers.iter().map(bytes).sum()
    }

    /// vLLM's bytes of one sequence where layers have pages of their own (DeepSeek-V4): whole pages, each padded to the
    /// next of the sizes that keys and values or an indexer have; a window also holds a step's `batched` tokens.
    pub fn padded(&self, tokens: u64, batched: u64) -> Option<f64> {
        let paged = || self.layers.iter().filter_map(|layers| layers.pages.map(|pages| (layers, pages)));
        let largest =
            paged().filter(|(layers, _)| layers.window.is_some()).map(|(_, pages)| pages.bytes).reduce(f64::max)?;
        let index = paged().filter(|(layers, pages)| layers.rate > 1 && pages.bytes < largest);
        let smaller = index.map(|(_, pages)| pages.bytes).fold(0.0, f64::max);
        let bytes = |(layers, pages): (&Layers, Pages)| {
            let count = match pages.window {
                Some(window) => window_blocks(window, batched, tokens, pages.tokens),
                None => tokens.div_ceil(pages.tokens),
            };
            layers.count * count as f64 * if pages.bytes <= smaller { smaller } else { largest }
        };
        Some(paged().map(bytes).sum())
    }

    /// Bytes that one step of one sequence of this length reads, and writes of states.
    pub fn traffic(&self, tokens: f64) -> f64 {
        let bytes = |layers: &Layers| {
            let kept = layers.window.map_or(tokens, |window| tokens.min(window as f64)) / layers.rate as f64;
            let read = layers.reads.map_or(kept, |reads| kept.min(reads as f64));
            // A compressor's inputs wait to be summed once.
            let state = if layers.pages.is_none() { 2.0 * layers.state } else { 0.0 };
            layers.count * (layers.entry * read + state)
        };
        self.layers.iter().map(bytes).sum()
    }
}

/// Blocks of `block` tokens that a window takes in vLLM: a step's `batched` tokens beside it, and one it stands across.
fn window_blocks(window: u64, batched: u64, sequence: u64, block: u64) -> u64 {
    (window.saturating_sub(1) + batched).min(sequence).div_ceil(block) + 1
}

/// vLLM's block table: blocks of one size that any group of layers may take.
///
/// Layers of a kind (full attention, one window, states) form groups of equal size, the least count of any kind;
/// a block holds `block` tokens of a group's layers. A state fills one block, so `block` grows until a page
/// of keys and values is no smaller. vllm/v1/core/kv_cache_utils.py `get_kv_cache_groups`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Blocks {
    /// Tokens in a block.
    pub tokens: u64,
    /// Bytes of a block.
    pub bytes: f64,
    /// Groups of layers that share the blocks, each counted as blocks for `tokens`.
    pub groups: f64,
    /// Blocks that one sequence of the asked length takes.
    pub of_sequence: u64,
}

impl Blocks {
    /// `batched`: most tokens of one step, which a window must hold besides itself. `drafted`: tokens drafted at once,
    /// after each of which a state may have to go back.
    pub fn of(cache: &Cache, block: u64, sequence: u64, batched: u64, drafted: u64) -> Option<Self> {
        let paged = || cache.layers.iter().filter(|layers| layers.entry > 0.0);
        let page = paged().map(|layers| layers.entry / layers.rate as f64).fold(0.0, f64::max);
        if page == 0.0 {
            return None;
        }
        let state = cache.layers.iter().map(|layers| layers.state).fold(0.0, f64::max);
        let tokens = ((state / page).ceil() as u64).next_multiple_of(block).max(block);
        let counts = || cache.layers.iter().map(|layers| layers.count as u64);
        let (least, most) = (counts().min().unwrap_or(1), counts().max().unwrap_or(1));
        let group = if (most as f64) < 1.25 * least as f64 { most } else { least };
        let mut groups = 0.0;
        let mut of_sequence = 0;
        for layers in &cache.layers {
            let of_kind = (layers.count as u64).div_ceil(group);
            // Smaller entries fill a block with more tokens.
            let denser = if layers.window.is_none() && layers.entry > 0.0 {
                (page * layers.rate as f64 / layers.entry).log2().floor().exp2() as u64
            } else {
                1
            };
            groups += of_kind as f64 / denser as f64;
            of_sequence += of_kind
                * match layers.window {
                    _ if layers.entry == 0.0 => 1 + drafted,
                    Some(window) => window_blocks(window, batched, sequence, tokens),
                    None => sequence.div_ceil(tokens * denser),
                };
        }
        Some(Self { tokens, bytes: page * (tokens * group) as f64, groups, of_sequence })
    }
}
