//! Shapes without a preset: given figure by figure, or of a bare size.

use super::model::{Model, Norm};
use super::shape::{Moe, Shape};

/// Figures that stand in for a preset's, or make a shape on their own. Named as the knobs are.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Figures {
    pub layers: Option<u64>,
    pub hidden: Option<u64>,
    pub heads: Option<u64>,
    pub kv_heads: Option<u64>,
    pub head_dim: Option<u64>,
    pub ffn: Option<u64>,
    pub gated: Option<bool>,
    pub vocab: Option<u64>,
    pub tied: Option<bool>,
    pub experts: Option<u64>,
    pub top_k: Option<u64>,
    pub expert_ffn: Option<u64>,
    pub shared_experts: Option<u64>,
    pub dense_layers: Option<u64>,
    pub kv_lora_rank: Option<u64>,
    pub rope_head_dim: Option<u64>,
    pub sliding_window: Option<u64>,
}

const HEAD_DIM: u64 = 128;
const KV_HEADS: u64 = 8;
/// Llama 3's vocabulary, and Llama 2's for models whose embedding that would swamp.
const VOCABULARY: u64 = 128_256;
const SMALL_VOCABULARY: u64 = 32_000;
const EXPERTS_PER_TOKEN: u64 = 2;

impl Model {
    /// This model with some figures otherwise; its name and source stay. The error is the knob that cannot be so.
    pub fn with(&self, figures: &Figures) -> Result<Self, &'static str> {
        let changed = possible(overlaid(self.shape.clone(), figures))?;
        Ok(Self {
            id: self.id.clone(),
            family: self.family.clone(),
            native: self.native.clone(),
            source: self.source.clone(),
            ..changed
        })
    }

    /// A Llama-like model of these figures; the error is the knob that is needed or cannot be so.
    pub fn custom(figures: &Figures) -> Result<Self, &'static str> {
        let layers = figures.layers.ok_or("layers")?;
        let hidden = figures.hidden.ok_or("hidden")?;
        let mut shape = Shape { layers, hidden_size: hidden, vocab_size: VOCABULARY, ..Shape::default() };
        let heads = figures.heads.unwrap_or_else(|| hidden / figures.head_dim.unwrap_or(HEAD_DIM).max(1)).max(1);
        shape.attention.heads = heads;
        shape.attention.kv_heads = heads;
        shape.attention.head_dim = hidden / heads.max(1);
        shape.ffn.intermediate_size = match figures.gated {
            Some(false) => hidden.saturating_mul(4),
            // Two thirds of that, since there are three matrices instead of two.
            _ => (hidden.saturating_mul(8) / 3).next_multiple_of(256),
        };
        possible(overlaid(shape, figures))
    }

    /// A dense model of the usual shape, with about this many parameters: Llama 3's proportions (depth a 128th of the
    /// hidden size, FFN 3.5 times as wide, 8 key/value heads of 128), the FFN's width then set to meet the count.
    pub fn generic(parameters: u64) -> Self {
        let small = parameters < 1_000_000_000;
        let vocab_size = if small { SMALL_VOCABULARY } else { VOCABULARY };
        let tied_embeddings = parameters < 4_000_000_000;
        // Of a layer: 2h² in queries and outputs, 2·8·128·h in keys and values, 10.5h² in the FFN; h/128 layers.
        let cubic = (parameters as f64 * 128.0 / 12.5).cbrt();
        let step = if cubic < 2048.0 { 256.0 } else { 1024.0 };
        let hidden_size = ((cubic / step).round() * step).max(256.0) as u64;
        let head_dim = if hidden_size < 2048 { 64 } else { HEAD_DIM };
        let heads = hidden_size / head_dim;
        let kv_heads = if heads % KV_HEADS == 0 { KV_HEADS.min(heads) } else { heads };

        let attention = 2 * hidden_size * head_dim * (heads + kv_heads);
        let embeddings = vocab_size * hidden_size * if tied_embeddings { 1 } else { 2 };
        let in_layers = parameters.saturating_sub(embeddings).max(parameters / 4) as f64;
        let layers = (in_layers / (attention as f64 + 10.5 * (hidden_size * hidden_size) as f64)).round().max(1.0);
        let ffn = (in_layers / layers - attention as f64) / (3 * hidden_size) as f64;
        let mut shape = Shape {
            layers: layers as u64,
            hidden_size,
            vocab_size,
            tied_embeddings,
            max_position: Some(131_072),
            norm: Norm::Rms,
            ..Shape::default()
        };
        shape.attention.heads = heads;
        shape.attention.kv_heads = kv_heads;
        shape.attention.head_dim = head_dim;
        shape.ffn.intermediate_size = ((ffn / 64.0).round() as u64 * 64).max(64);
        let model = Self::of(shape).expect("only full attention stands in it");
        Self { id: size(parameters), ..model }
    }
}

fn possible(shape: Shape) -> Result<Model, &'static str> {
    match shape.impossible() {
        Some(knob) => Err(knob),
        None => Ok(Model::of(shape).expect("a preset's pattern, or none")),
    }
}

/// `7b`, `0.5b`, `125m`.
fn size(parameters: u64) -> String {
    let billions = parameters as f64 / 1e9;
    if billions >= 0.5 { format!("{billions}b") } else { format!("{}m", billions * 1e3) }
}

fn overlaid(mut shape: Shape, figures: &Figures) -> Shape {
    let set = |field: &mut u64, figure: Option<u64>| *field = figure.unwrap_or(*field);
    set(&mut shape.layers, figures.layers);
    set(&mut shape.hidden_size, figures.hidden);
    set(&mut shape.vocab_size, figures.vocab);
    set(&mut shape.ffn.intermediate_size, figures.ffn);
    shape.ffn.gated = figures.gated.unwrap_or(shape.ffn.gated);
    shape.tied_embeddings = figures.tied.unwrap_or(shape.tied_embeddings);
    let attention = &mut shape.attention;
    set(&mut attention.heads, figures.heads);
    set(&mut attention.kv_heads, figures.kv_heads);
    set(&mut attention.head_dim, figures.head_dim);
    if let Some(rank) = figures.kv_lora_rank {
        attention.kv_lora_rank = Some(rank);
        attention.nope_head_dim = attention.head_dim;
        attention.rope_head_dim = figures.rope_head_dim.unwrap_or(64);
    }
    set(&mut attention.rope_head_dim, figures.rope_head_dim);
    if let Some(window) = figures.sliding_window {
        shape.sliding.window = Some(window);
        if !shape.pattern.contains("sliding") {
            shape.pattern = "sliding".to_owned();
        }
    }
    if figures.experts == Some(0) {
        shape.moe = None;
    } else if figures.experts.is_some() || shape.moe.is_some() {
        let mut moe = shape.moe.take().unwrap_or_else(|| Moe {
            top_k: EXPERTS_PER_TOKEN,
            intermediate_size: shape.ffn.intermediate_size,
            ..Moe::default()
        });
        set(&mut moe.experts, figures.experts);
        set(&mut moe.top_k, figures.top_k);
        set(&mut moe.intermediate_size, figures.expert_ffn);
        set(&mut moe.dense_layers, figures.dense_layers);
        set(
            &mut moe.shared_intermediate_size,
            figures.shared_experts.map(|shared| shared.saturating_mul(moe.intermediate_size)),
        );
        moe.top_k = moe.top_k.min(moe.experts);
        shape.moe = Some(moe);
    }
    shape
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bare_size_is_met_within_two_percent() {
        for billions in [0.1, 0.35, 0.5, 1.0, 1.5, 3.0, 4.0, 7.0, 8.0, 13.0, 30.0, 70.0, 180.0, 405.0, 1000.0] {
            let model = Model::generic((billions * 1e9) as u64);
            let off = model.counts.total as f64 / (billions * 1e9) - 1.0;
            assert!(off.abs() < 0.02, "{billions}B: {off:+.3}, {:?}", model.shape);
            let ratio = model.ffn.intermediate_size as f64 / model.hidden_size as f64;
            assert!((1.5..6.0).contains(&ratio), "{billions}B: FFN {ratio} of the hidden size");
        }
        assert_eq!(Model::generic(7_000_000_000).id, "7b");
        assert_eq!(Model::generic(125_000_000).id, "125m");
    }

    #[test]
    fn figures_make_llama_3_8b() {
        let figures = Figures {
            layers: Some(32),
            hidden: Some(4096),
            heads: Some(32),
            kv_heads: Some(8),
            ffn: Some(14_336),
            vocab: Some(128_256),
            ..Figures::default()
        };
        assert_eq!(Model::custom(&figures).map(|model| model.counts.total), Ok(8_030_261_248));
        assert_eq!(Model::custom(&Figures::default()).err(), Some("layers"));
        assert_eq!(Model::custom(&Figures { hidden: Some(u64::MAX), ..figures.clone() }).err(), Some("hidden"));
        assert_eq!(Model::custom(&Figures { kv_heads: Some(7), ..figures }).err(), Some("kv_heads"));
    }

    #[test]
    fn figures_change_a_preset() {
        let llama = super::super::Catalog::embedded().model("meta-llama/Meta-Llama-3-8B").expect("a preset");
        let tied = llama.with(&Figures { tied: Some(true), ..Figures::default() }).expect("a shape");
        // The head's 128256 × 4096 are gone.
        assert_eq!(tied.counts.total, 8_030_261_248 - 525_336_576);
        // 32 layers of 8 experts: 7 more FFNs of 3 × 4096 × 14336 and a router of 8 × 4096.
        let sparse = llama.with(&Figures { experts: Some(8), ..Figures::default() }).expect("a shape");
        assert_eq!(sparse.counts.total, 8_030_261_248 + 32 * (7 * 3 * 4096 * 14_336 + 8 * 4096));
    }
}
