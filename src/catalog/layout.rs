//! From a shape to its layers and tensors.
//!
//! One function a kind of block; each lists the weights as the published code declares them
//! (Hugging Face `transformers` modelling files, named by `model_type`).

use super::model::{Architecture, Direction, Ffn, Indexer, LayerKind, Mixer, Norm, Role, Tensor};
use super::pattern::{Block, Place, pattern};
use super::shape::{Attention, Compressed, Linear, LinearKind, Mamba, Moe, OutputGate, QkNorm, Shape};

pub struct Layout {
    pub layers: Vec<LayerKind>,
    pub order: Vec<u8>,
    pub outer: Vec<Tensor>,
}

/// Tensors of one place in the model, as they are declared.
struct Tensors(Vec<Tensor>);

impl Tensors {
    fn new() -> Self {
        // A layer has about that many.
        Self(Vec::with_capacity(16))
    }
    fn push(&mut self, tensor: Tensor) {
        if tensor.parameters() > 0 {
            self.0.push(tensor);
        }
    }
    fn vector(&mut self, role: Role, features: u64) {
        self.push(Tensor::vector(role, features));
    }
    fn linear(&mut self, role: Role, output: u64, input: u64, bias: bool) {
        self.push(Tensor::matrix(role, output, input));
        if bias {
            self.vector(Role::Bias, output);
        }
    }
    fn norm(&mut self, norm: Norm, width: u64) {
        match norm {
            Norm::Rms | Norm::LayerNoBias => self.vector(Role::Norm, width),
            Norm::Layer => {
                self.vector(Role::Norm, width);
                self.vector(Role::Norm, width);
            }
            Norm::Plain => {}
        }
    }
}

/// What stands at one depth.
#[derive(Clone, Copy, PartialEq)]
struct Depth {
    block: Block,
    moe: bool,
    /// Without a score-correction bias: DeepSeek-V4's leading layers, routed by a hash of the token.
    hashed: bool,
    shares_kv: bool,
    ffn_width: u64,
    direction: Direction,
}

pub fn layout(shape: &Shape) -> Result<Layout, String> {
    let mut kinds: Vec<(Depth, LayerKind)> = Vec::new();
    let mut order = Vec::with_capacity(shape.layers as usize);
    for depth in depths(shape)? {
        let at = match kinds.iter().position(|(known, _)| *known == depth) {
            Some(at) => at,
            None => {
                kinds.push((depth, layer(shape, depth)?));
                kinds.len() - 1
            }
        };
        kinds[at].1.count += 1;
        order.push(u8::try_from(at).map_err(|_| "pattern".to_owned())?);
    }
    Ok(Layout { layers: kinds.into_iter().map(|(_, kind)| kind).collect(), order, outer: outer(shape) })
}

fn depths(shape: &Shape) -> Result<Vec<Depth>, String> {
    let stacks: &[(Direction, u64)] = match shape.architecture {
        Architecture::Decoder => &[(Direction::Causal, shape.layers)],
        Architecture::Encoder => &[(Direction::Both, shape.layers)],
        Architecture::EncoderDecoder => &[
            (Direction::Both, shape.layers),
            (Direction::CausalAndEncoder, shape.decoder_layers.unwrap_or(shape.layers)),
        ],
    };
    let moe = shape.moe.as_ref().filter(|moe| moe.experts > 0);
    let mut depths = Vec::with_capacity(shape.layers as usize);
    for &(direction, layers) in stacks {
        let places = pattern(&shape.pattern, layers)?;
        for (at, Place { block, ffn_width }) in (0..layers).zip(places) {
            let moe = match (moe, block) {
                (_, Block::Mlp) => false,
                // A width of its own is that of a dense FFN.
                _ if ffn_width.is_some() => false,
                (moe, Block::Moe) => moe.is_some(),
                (Some(moe), _) => !shape.single_block && at >= moe.dense_layers && at % moe.every == moe.offset,
                (None, _) => false,
            };
            let shares_kv = at >= layers - shape.attention.kv_shared_layers.min(layers);
            let wide = shares_kv && shape.ffn.wide_where_shared;
            depths.push(Depth {
                block,
                moe,
                hashed: shape.moe.as_ref().is_some_and(|moe| moe.router_bias && at < moe.hash_layers),
                shares_kv,
                ffn_width: ffn_width.unwrap_or(shape.ffn.intermediate_size * if wide { 2 } else { 1 }),
                direction,
            });
        }
    }
    Ok(depths)
}

fn layer(shape: &Shape, depth: Depth) -> Result<LayerKind, String> {
    let hidden = shape.hidden_size;
    let mut tensors = Tensors::new();
    // Without a mixer its norms are not there either.
    let alone = matches!(depth.block, Block::Mlp | Block::Moe) && !shape.single_block;
    for _ in 0..if alone { shape.block_norms / 2 } else { shape.block_norms } {
        tensors.norm(shape.norm, hidden);
    }
    let mixer = match depth.block {
        Block::Full | Block::Sliding | Block::Sparse | Block::Shared | Block::Compressed => {
            attention(shape, depth, &mut tensors)
        }
        Block::Linear => {
            let linear = shape.linear.as_ref().ok_or("linear")?;
            linear_attention(linear, hidden, &mut tensors)
        }
        Block::Mamba => mamba(shape.mamba.as_ref().ok_or("mamba")?, hidden, &mut tensors),
        Block::Parallel => {
            let attention = attention(shape, depth, &mut tensors);
            let mamba = mamba(shape.mamba.as_ref().ok_or("mamba")?, hidden, &mut tensors);
            Mixer::Parallel(Box::new(attention), Box::new(mamba))
        }
        Block::Mlp | Block::Moe => Mixer::None,
    };
    if depth.direction == Direction::CausalAndEncoder {
        tensors.norm(shape.norm, hidden);
        projections(&shape.attention, hidden, &mut tensors);
    }
    let mixer_alone = shape.single_block && mixer != Mixer::None;
    let ffn = match (&shape.moe, depth.moe) {
        _ if mixer_alone => Ffn::None,
        (Some(moe), true) => {
            if moe.beside_dense {
                dense(shape, depth.ffn_width, &mut tensors);
            }
            experts(shape, moe, depth.hashed, &mut tensors)
        }
        _ => dense(shape, depth.ffn_width, &mut tensors),
    };
    if shape.sub_norms {
        tensors.norm(shape.norm, shape.attention.heads * shape.attention.head_dim);
        tensors.norm(shape.norm, shape.ffn.intermediate_size);
    }
    residual(shape, &mut tensors);
    Ok(LayerKind { count: 0, mixer, ffn, direction: depth.direction, tensors: tensors.0 })
}

fn attention(shape: &Shape, depth: Depth, tensors: &mut Tensors) -> Mixer {
    let sliding = depth.block == Block::Sliding;
    let mut own = shape.attention.clone();
    if sliding {
        own = shape.sliding.over(&own);
    }
    let window = if sliding { shape.sliding.window } else { None };
    let hidden = shape.hidden_size;
    if let Some(compressed) = &own.compressed {
        return compressed_attention(&own, compressed, depth.block, shape.sliding.window, hidden, tensors);
    }
    let indexer = match depth.block {
        Block::Sparse => own.indexer.clone(),
        Block::Shared => own.indexer.as_ref().map(|indexer| Indexer { heads: 0, head_dim: 0, ..*indexer }),
        _ => None,
    };
    if own.kv_lora_rank.is_some() {
        return latent_attention(&own, indexer, window, hidden, tensors);
    }
    if let Some(indexer) = &indexer {
        // MiniMax-M3: own query and key projections with a norm each.
        tensors.linear(Role::Indexer, indexer.heads * indexer.head_dim, hidden, false);
        tensors.linear(Role::Indexer, indexer.head_dim, hidden, false);
        tensors.vector(Role::Norm, indexer.head_dim);
        tensors.vector(Role::Norm, indexer.head_dim);
    }
    if depth.shares_kv {
        own.kv_heads = 0;
    }
    if own.experts {
        expert_projections(shape, hidden, tensors);
    } else {
        projections(&own, hidden, tensors);
    }
    let full = if sliding { shape.sliding.over(&shape.attention) } else { shape.attention.clone() };
    Mixer::Attention {
        heads: full.heads,
        kv_heads: full.kv_heads,
        head_dim: full.head_dim,
        value_head_dim: full.value_head_dim.unwrap_or(full.head_dim),
        window,
        shares_kv: depth.shares_kv,
        qk_norm: full.qk_norm != QkNorm::None,
        bias: full.qkv_bias,
        output_gate: full.output_gate != OutputGate::None,
        indexer,
    }
}

/// `q: heads·d × h`, `k: kv·d × h`, `v: kv·d_v × h`, `o: h × heads·d_v`; Step-3's queries through a bottleneck.
fn projections(own: &Attention, hidden: u64, tensors: &mut Tensors) {
    let value_head_dim = own.value_head_dim.unwrap_or(own.head_dim);
    let query = own.heads * own.head_dim;
    let key = own.kv_heads * own.head_dim;
    let gate = match own.output_gate {
        OutputGate::None => 0,
        OutputGate::Head => own.heads,
        OutputGate::Element => query,
    };
    match own.q_lora_rank {
        Some(rank) => {
            tensors.linear(Role::QueryDown, rank, hidden, own.qkv_bias);
            tensors.vector(Role::Norm, rank);
            tensors.linear(Role::QueryUp, query + gate, rank, false);
        }
        None => tensors.linear(Role::Query, query + gate, hidden, own.qkv_bias),
    }
    tensors.linear(Role::Key, key, hidden, own.qkv_bias);
    if !own.key_is_value {
        tensors.linear(Role::Value, own.kv_heads * value_head_dim, hidden, own.qkv_bias);
    }
    tensors.linear(Role::Output, hidden, own.heads * value_head_dim, own.output_bias);
    let (query_norm, key_norm) = match own.qk_norm {
        QkNorm::None => (0, 0),
        QkNorm::Head => (own.head_dim, own.head_dim.min(key)),
        QkNorm::All => (query, key),
    };
    for width in [query_norm, key_norm] {
        tensors.norm(if own.qk_norm_bias { Norm::Layer } else { Norm::Rms }, width);
    }
    if own.sinks {
        tensors.vector(Role::Sinks, own.heads);
    }
}

/// JetMoE: keys and values for all; each expert queries every key head once and has its output projection.
fn expert_projections(shape: &Shape, hidden: u64, tensors: &mut Tensors) {
    let Some(moe) = &shape.moe else { return };
    let key = shape.attention.kv_heads * shape.attention.head_dim;
    tensors.linear(Role::Key, key, hidden, false);
    tensors.linear(Role::Value, key, hidden, false);
    tensors.linear(Role::Router, moe.experts, hidden, false);
    tensors.push(Tensor { copies: moe.experts, ..Tensor::matrix(Role::Query, key, hidden) });
    tensors.push(Tensor { copies: moe.experts, ..Tensor::matrix(Role::Output, hidden, key) });
    tensors.vector(Role::Bias, hidden);
}

/// DeepSeek-V2's multi-head latent attention; the indexer is DeepSeek-V3.2's.
fn latent_attention(
    own: &Attention,
    indexer: Option<Indexer>,
    window: Option<u64>,
    hidden: u64,
    tensors: &mut Tensors,
) -> Mixer {
    let kv_lora_rank = own.kv_lora_rank.unwrap_or_default();
    let key_head_dim = own.nope_head_dim + own.rope_head_dim;
    let value_head_dim = own.value_head_dim.unwrap_or(own.nope_head_dim);
    match own.q_lora_rank {
        Some(rank) => {
            tensors.linear(Role::QueryDown, rank, hidden, own.qkv_bias);
            tensors.vector(Role::Norm, rank);
            tensors.linear(Role::QueryUp, own.heads * key_head_dim, rank, false);
        }
        None => tensors.linear(Role::Query, own.heads * key_head_dim, hidden, false),
    }
    tensors.linear(Role::KvDown, kv_lora_rank + own.rope_head_dim, hidden, own.qkv_bias);
    tensors.vector(Role::Norm, kv_lora_rank);
    tensors.linear(Role::KvUp, own.heads * (own.nope_head_dim + value_head_dim), kv_lora_rank, false);
    tensors.linear(Role::Output, hidden, own.heads * value_head_dim, own.output_bias);
    match own.output_gate {
        OutputGate::None => {}
        OutputGate::Head => tensors.linear(Role::Query, own.heads, hidden, false),
        OutputGate::Element => tensors.linear(Role::Query, own.heads * value_head_dim, hidden, false),
    }
    if own.sinks {
        tensors.vector(Role::Sinks, own.heads);
    }
    if let Some(indexer) = indexer.as_ref().filter(|indexer| indexer.heads > 0) {
        let rank = own.q_lora_rank.unwrap_or(hidden);
        tensors.linear(Role::Indexer, indexer.heads * indexer.head_dim, rank, false);
        tensors.linear(Role::Indexer, indexer.head_dim, hidden, false);
        tensors.norm(Norm::Layer, indexer.head_dim);
        tensors.linear(Role::Indexer, indexer.heads, hidden, false);
    }
    Mixer::Latent {
        heads: own.heads,
        q_lora_rank: own.q_lora_rank,
        kv_lora_rank,
        nope_head_dim: own.nope_head_dim,
        rope_head_dim: own.rope_head_dim,
        value_head_dim,
        indexer,
        window,
    }
}

/// DeepSeek-V4: one key/value head shared by all, grouped low-rank output, and beyond the window a cache of
/// one entry for every `rate` tokens; the finer one is searched with an indexer.
fn compressed_attention(
    own: &Attention,
    compressed: &Compressed,
    block: Block,
    window: Option<u64>,
    hidden: u64,
    tensors: &mut Tensors,
) -> Mixer {
    let (width, rank) = (own.head_dim, own.q_lora_rank.unwrap_or(hidden));
    tensors.linear(Role::QueryDown, rank, hidden, false);
    tensors.vector(Role::Norm, rank);
    tensors.linear(Role::QueryUp, own.heads * width, rank, false);
    tensors.linear(Role::Key, width, hidden, false);
    tensors.vector(Role::Norm, width);
    let grouped = compressed.output_groups * compressed.o_lora_rank;
    tensors.linear(Role::OutputDown, grouped, own.heads * width / compressed.output_groups.max(1), false);
    tensors.linear(Role::Output, hidden, grouped, false);
    tensors.vector(Role::Sinks, own.heads);
    // Compressor: keys and their gate, a position bias for each token of a block, a norm.
    let mut compressor = |rate: u64, overlap: u64, width: u64| {
        tensors.linear(Role::KvDown, overlap * width, hidden, false);
        tensors.linear(Role::KvDown, overlap * width, hidden, false);
        tensors.push(Tensor::matrix(Role::State, rate, overlap * width));
        tensors.vector(Role::Norm, width);
    };
    let (rate, indexer) = match block {
        Block::Sparse => {
            compressor(compressed.sparse_rate, 2, width);
            let indexer = own.indexer.clone();
            if let Some(indexer) = &indexer {
                compressor(compressed.sparse_rate, 2, indexer.head_dim);
                tensors.linear(Role::Indexer, indexer.heads * indexer.head_dim, rank, false);
                tensors.linear(Role::Indexer, indexer.heads, hidden, false);
            }
            (Some(compressed.sparse_rate), indexer)
        }
        Block::Compressed => {
            compressor(compressed.dense_rate, 1, width);
            (Some(compressed.dense_rate), None)
        }
        _ => (None, None),
    };
    let window = window.unwrap_or_default();
    Mixer::Compressed { heads: own.heads, head_dim: width, rope_head_dim: own.rope_head_dim, window, rate, indexer }
}

fn linear_attention(linear: &Linear, hidden: u64, tensors: &mut Tensors) -> Mixer {
    let Linear { kind, key_heads, value_heads, key_head_dim, value_head_dim, conv_kernel, whole_gates } = *linear;
    let (key, value) = (key_heads * key_head_dim, value_heads * value_head_dim);
    let conv_channels = match kind {
        LinearKind::GatedDelta | LinearKind::KimiDelta => 2 * key + value,
        LinearKind::RgLru | LinearKind::ShortConv => value,
        LinearKind::Lightning | LinearKind::Mlstm | LinearKind::Rwkv => 0,
    };
    match kind {
        LinearKind::GatedDelta => {
            tensors.linear(Role::MixerIn, 2 * key + 2 * value, hidden, false);
            tensors.linear(Role::MixerIn, 2 * value_heads, hidden, false);
            // Step bias and decay of each value head.
            tensors.vector(Role::State, 2 * value_heads);
            tensors.vector(Role::Norm, value_head_dim);
        }
        LinearKind::KimiDelta => {
            tensors.linear(Role::MixerIn, 2 * key + value, hidden, false);
            tensors.linear(Role::MixerIn, value_heads, hidden, false);
            // Forget gate and output gate, most often each through a bottleneck of one head.
            for _ in 0..2 {
                if whole_gates {
                    tensors.linear(Role::MixerIn, value, hidden, false);
                } else {
                    tensors.linear(Role::MixerIn, value_head_dim, hidden, false);
                    tensors.linear(Role::MixerIn, value, value_head_dim, false);
                }
            }
            tensors.vector(Role::State, value + value_heads);
            tensors.vector(Role::Norm, value_head_dim);
        }
        LinearKind::Lightning => {
            tensors.linear(Role::MixerIn, 2 * key + value, hidden, false);
            tensors.linear(Role::MixerIn, value, hidden, false);
            tensors.vector(Role::Norm, value);
        }
        LinearKind::Mlstm => {
            tensors.linear(Role::MixerIn, 2 * key + 2 * value, hidden, false);
            // Input and forget gates.
            tensors.linear(Role::MixerIn, 2 * value_heads, hidden, true);
            tensors.vector(Role::Norm, value);
        }
        LinearKind::ShortConv => tensors.linear(Role::MixerIn, 3 * value, hidden, false),
        LinearKind::Rwkv => {
            // Keys, values and receptance; the receptance of channel mixing.
            tensors.linear(Role::MixerIn, 3 * value, hidden, false);
            tensors.linear(Role::MixerIn, hidden, hidden, false);
            // Decay and bonus; shares of the token before in each of the five inputs.
            tensors.vector(Role::State, 2 * value + 5 * hidden);
        }
        LinearKind::RgLru => {
            // Two branches in; a recurrence and an input gate, block-diagonal by head.
            tensors.linear(Role::MixerIn, 2 * value, hidden, true);
            tensors.push(Tensor::matrix(Role::State, 2 * value, value_head_dim));
            tensors.vector(Role::State, 3 * value);
            tensors.vector(Role::Bias, conv_channels);
        }
    }
    tensors.push(Tensor::matrix(Role::Conv, conv_channels, conv_kernel));
    tensors.linear(Role::MixerOut, hidden, value, kind == LinearKind::RgLru);
    Mixer::Linear { key_heads, value_heads, key_head_dim, value_head_dim, conv_kernel, conv_channels }
}

/// Mamba 1 (Gu and Dao 2023) and 2 (Dao and Gu 2024).
fn mamba(mamba: &Mamba, hidden: u64, tensors: &mut Tensors) -> Mixer {
    let Mamba { inner_size, state_size, heads, groups, conv_kernel, time_step_rank, .. } = *mamba;
    let second = heads > 0;
    let conv_channels = if second { inner_size + 2 * groups * state_size } else { inner_size };
    tensors.push(Tensor::matrix(Role::Conv, conv_channels, conv_kernel));
    if mamba.conv_bias {
        tensors.vector(Role::Bias, conv_channels);
    }
    if second {
        tensors.linear(Role::MixerIn, inner_size + conv_channels + heads, hidden, mamba.bias);
        // Step bias, decay and skip of each head.
        tensors.vector(Role::State, 3 * heads);
        if mamba.gated_norm {
            tensors.vector(Role::Norm, inner_size);
        }
    } else {
        tensors.linear(Role::MixerIn, 2 * inner_size, hidden, mamba.bias);
        tensors.linear(Role::MixerIn, time_step_rank + 2 * state_size, inner_size, false);
        tensors.linear(Role::MixerIn, inner_size, time_step_rank, true);
        tensors.push(Tensor::matrix(Role::State, inner_size, state_size));
        tensors.vector(Role::State, inner_size);
        if mamba.inner_norms {
            tensors.vector(Role::Norm, time_step_rank + 2 * state_size);
        }
    }
    tensors.linear(Role::MixerOut, hidden, inner_size, mamba.bias);
    Mixer::Mamba { inner_size, state_size, heads, groups, conv_kernel, conv_channels }
}

fn dense(shape: &Shape, intermediate_size: u64, tensors: &mut Tensors) -> Ffn {
    let (hidden, gated, bias) = (shape.hidden_size, shape.ffn.gated, shape.ffn.bias);
    if intermediate_size == 0 {
        return Ffn::None;
    }
    if gated {
        tensors.linear(Role::Gate, intermediate_size, hidden, bias);
    }
    tensors.linear(Role::Up, intermediate_size, hidden, bias);
    tensors.linear(Role::Down, hidden, intermediate_size, bias);
    tensors.vector(Role::State, shape.ffn.activation_parameters);
    Ffn::Dense { intermediate_size, gated }
}

fn experts(shape: &Shape, moe: &Moe, hashed: bool, tensors: &mut Tensors) -> Ffn {
    let (hidden, gated) = (shape.hidden_size, shape.ffn.gated);
    let width = moe.latent_size.unwrap_or(hidden);
    let Moe { experts, top_k, intermediate_size, shared_intermediate_size, .. } = *moe;
    tensors.linear(Role::Router, experts + moe.zero_experts, hidden, moe.bias);
    if moe.router_bias && !hashed {
        tensors.vector(Role::RouterBias, experts + moe.zero_experts);
    }
    if moe.router_scales {
        tensors.vector(Role::Router, hidden + experts);
    }
    if moe.output_bias {
        tensors.vector(Role::Bias, hidden);
    }
    if moe.output_norm {
        tensors.norm(shape.norm, hidden);
    }
    if let Some(latent) = moe.latent_size {
        tensors.linear(Role::LatentDown, latent, hidden, false);
        tensors.linear(Role::LatentUp, hidden, latent, false);
    }
    let stack = |role, output, input| Tensor { copies: experts, ..Tensor::matrix(role, output, input) };
    let mut push = |role, output, input| {
        tensors.push(stack(role, output, input));
        if moe.bias {
            tensors.push(stack(Role::ExpertBias, output, 1));
        }
    };
    if gated {
        push(Role::ExpertGate, intermediate_size, width);
    }
    push(Role::ExpertUp, intermediate_size, width);
    push(Role::ExpertDown, width, intermediate_size);
    if shared_intermediate_size > 0 {
        if gated {
            tensors.linear(Role::SharedGate, shared_intermediate_size, hidden, false);
        }
        tensors.linear(Role::SharedUp, shared_intermediate_size, hidden, false);
        tensors.linear(Role::SharedDown, hidden, shared_intermediate_size, false);
        if moe.shared_gate {
            tensors.linear(Role::Router, 1, hidden, false);
        }
    }
    Ffn::Moe { experts, top_k, intermediate_size, shared_intermediate_size, gated }
}

/// What stands on the residual stream beside mixer and FFN.
fn residual(shape: &Shape, tensors: &mut Tensors) {
    let hidden = shape.hidden_size;
    if let Some(width) = shape.per_layer_input_size {
        tensors.linear(Role::PerLayerInput, width, hidden, false);
        tensors.linear(Role::PerLayerInput, hidden, width, false);
        tensors.norm(shape.norm, hidden);
    }
    if let Some(streams) = shape.hyper_connections {
        // Before mixer and before FFN: weights to read from, write to and mix the streams.
        for _ in 0..2 {
            let weights = (2 + streams) * streams;
            tensors.push(Tensor::matrix(Role::Residual, weights, streams * hidden));
            tensors.vector(Role::Residual, weights + 3);
        }
    }
    if let Some(inputs) = shape.altup_inputs {
        // Scale, correction and prediction coefficients, router and its norm.
        tensors.vector(Role::Residual, hidden + inputs * inputs + inputs * inputs * inputs);
        tensors.linear(Role::Residual, inputs, hidden, false);
        tensors.norm(shape.norm, hidden);
    }
    if let Some(rank) = shape.laurel_rank {
        tensors.linear(Role::Residual, rank, hidden, false);
        tensors.linear(Role::Residual, hidden, rank, false);
        tensors.norm(shape.norm, hidden);
    }
}

fn outer(shape: &Shape) -> Vec<Tensor> {
    let hidden = shape.hidden_size;
    let width = shape.embedding_size.unwrap_or(hidden);
    let mut tensors = Tensors::new();
    tensors.push(Tensor::matrix(Role::Embedding, shape.vocab_size, width));
    tensors.push(Tensor::matrix(Role::Position, shape.token_types, hidden));
    let stacks = if shape.architecture == Architecture::EncoderDecoder { 2 } else { 1 };
    for _ in 0..stacks {
        if let Some(beyond) = shape.learned_positions {
            tensors.push(Tensor::matrix(Role::Position, shape.max_position.unwrap_or_default() + beyond, hidden));
        }
        tensors.push(Tensor::matrix(Role::Position, shape.relative_buckets, shape.attention.heads));
        if shape.embedding_norm {
            tensors.norm(shape.norm, hidden);
        }
    }
    if width != hidden {
        tensors.linear(Role::Projection, hidden, width, false);
        tensors.linear(Role::Projection, width, hidden, false);
    }
    if let Some(own) = shape.per_layer_input_size {
        let all = shape.layers * own;
        let vocab = shape.per_layer_vocab_size.unwrap_or(shape.vocab_size);
        tensors.push(Tensor::matrix(Role::PerLayerEmbedding, vocab, all));
        tensors.linear(Role::Projection, all, hidden, false);
        tensors.norm(shape.norm, own);
    }
    if let Some(streams) = shape.hyper_connections {
        tensors.push(Tensor::matrix(Role::Residual, streams, streams * hidden));
        tensors.vector(Role::Residual, streams + 1);
    }
    if let Some(inputs) = shape.altup_inputs {
        tensors.linear(Role::Projection, 2 * (inputs - 1) * hidden, hidden, false);
    }
    if shape.final_norm {
        for _ in 0..stacks {
            tensors.norm(shape.norm, hidden);
        }
    }
    if shape.pooler {
        tensors.linear(Role::Pooler, hidden, hidden, true);
    }
    if shape.lm_head && !shape.tied_embeddings {
        tensors.push(Tensor::matrix(Role::LmHead, shape.vocab_size, width));
    }
    if shape.lm_head_bias {
        tensors.vector(Role::LmHead, shape.vocab_size);
    }
    tensors.0
}
