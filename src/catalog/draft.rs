//! Heads that draft tokens for a model: small models that read its hidden states.

use super::model::{Counts, LayerKind, Model, Role, Tensor};
use super::shape::{Ffn, Shape, Sliding};

/// Tokens that an EAGLE-3 head has in its own vocabulary, the most frequent ones.
const EAGLE_VOCABULARY: u64 = 32_000;

impl Model {
    /// The multi-token-prediction layers (DeepSeek-V3 report, 2.2): the last layer again, behind a projection of two
    /// hidden states to one and three norms; embedding and LM head are the model's own.
    pub fn mtp_head(&self) -> Option<Model> {
        let last = self.layers.get(usize::from(*self.order.last()?))?;
        let layers = self.mtp_layers;
        let hidden = self.hidden_size;
        let outer = vec![Tensor::matrix(Role::Projection, hidden, 2 * hidden), Tensor::vector(Role::Norm, 3 * hidden)];
        let kind = LayerKind { count: layers, ..last.clone() };
        (layers > 0).then(|| self.head(kind, outer))
    }

    /// An EAGLE-3 head (Li et al. 2025): a dense layer that sees the embedding and the hidden state side by side, behind
    /// a projection of three hidden states to one, and an LM head of its own. Llama-3.1-8B: 425 M parameters, as
    /// published (yuhuili/EAGLE3-LLaMA3.1-Instruct-8B).
    pub fn eagle_head(&self) -> Option<Model> {
        let hidden = self.hidden_size;
        let intermediate_size = if self.ffn.intermediate_size > 0 { self.ffn.intermediate_size } else { 4 * hidden };
        let shape = Shape {
            layers: 1,
            hidden_size: hidden,
            vocab_size: self.vocab_size.min(EAGLE_VOCABULARY),
            attention: self.attention.clone(),
            ffn: Ffn { intermediate_size, ..Ffn::default() },
            ..Shape::default()
        };
        let mut head = Model::of(shape).ok()?;
        let mut kind = head.layers.swap_remove(0);
        for tensor in &mut kind.tensors {
            if matches!(tensor.role, Role::Query | Role::Key | Role::Value | Role::QueryDown | Role::KvDown) {
                tensor.in_features *= 2;
            }
        }
        head.outer.retain(|tensor| tensor.role != Role::Embedding);
        head.outer.push(Tensor::matrix(Role::Projection, hidden, 3 * hidden));
        Some(self.head(kind, head.outer))
    }

    fn head(&self, kind: LayerKind, outer: Vec<Tensor>) -> Model {
        let shape = Shape {
            layers: kind.count,
            tied_embeddings: false,
            mtp_layers: 0,
            vision_parameters: 0,
            tower: None,
            sliding: Sliding::default(),
            ..self.shape.clone()
        };
        let order = vec![0; kind.count as usize];
        let mut head = Model { shape, layers: vec![kind], order, outer, counts: Counts::default(), ..self.clone() };
        head.counts = head.count();
        head
    }
}

#[cfg(test)]
mod tests {
    use crate::catalog::Catalog;

    #[track_caller]
    fn model(id: &str) -> &'static super::Model {
        Catalog::embedded().model(id).expect("a model of the catalog")
    }

    #[test]
    fn heads_are_as_large_as_published() {
        // DeepSeek-V3's README_WEIGHTS.md: 11.5 B without its copies of embedding and head.
        let mtp = model("deepseek-ai/DeepSeek-V3").mtp_head().expect("DeepSeek-V3 has a layer");
        assert!((mtp.counts.total as f64 / 11.5e9 - 1.0).abs() < 0.01, "{}", mtp.counts.total);
        // 2·4096·(4096 + 2·1024) + 4096² + 3·4096·14336 + 3·4096² + 32000·4096.
        let eagle = model("meta-llama/Meta-Llama-3.1-8B").eagle_head().expect("a head");
        assert!((eagle.counts.total as f64 / 425e6 - 1.0).abs() < 0.01, "{}", eagle.counts.total);
        assert!(model("meta-llama/Meta-Llama-3.1-8B").mtp_head().is_none());
    }
}
