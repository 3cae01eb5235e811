//! The LM head's output and its loss.
//!
//! transformers' causal loss holds, at the peak of its backward, log-probabilities, their gradient and the logits'
//! gradient in fp32: 12 bytes a logit. Chunked losses keep 16-bit logits and differentiate a slice; a fused linear
//! cross-entropy (Hsu et al. 2024, "Liger Kernel") never holds more than a slice.

use crate::catalog::model::{Model, Role};
use crate::request::{Loss, Train};

/// Bytes by what they are made of: rows of logits, and bytes a logit.
#[derive(Clone, Copy, Debug, Default)]
pub struct Logits {
    pub rows: f64,
    pub vocabulary: f64,
    pub bytes_each: f64,
    /// The hidden states' and the head's gradients that a fused loss makes in its forward.
    pub fused: f64,
    /// A 16-bit copy of an fp32 head.
    pub head_copy: f64,
}

/// Slices that a chunked loss cuts a batch into (torchtune's `CEWithChunkedOutputLoss`).
const CHUNKS: f64 = 8.0;

impl Logits {
    /// Of `tokens` rows on one GPU whose head is split over `tensor` ranks.
    pub fn of(model: &Model, train: &Train, tokens: f64, tensor: f64, head_trains: bool, size: f64) -> Self {
        let (vocabulary, hidden) = (model.vocab_size as f64, model.hidden_size as f64);
        if !model.outer.iter().any(|t| t.role == Role::LmHead) && !model.tied_embeddings {
            return Self::default();
        }
        let full = train.framework.kernels.loss_bytes + if model.final_logit_softcap { size } else { 0.0 };
        let each =
            |rows: f64, bytes_each: f64| Self { rows, vocabulary: vocabulary / tensor, bytes_each, ..Self::default() };
        match train.loss {
            Loss::Full => each(tokens, full),
            // All logits in 16 bits, one slice as the full loss has it; compiled, its fp32 copies stay in registers.
            Loss::Chunked => each(tokens, size + if train.compile { size } else { full } / CHUNKS),
            Loss::Fused => {
                // Liger's slices: as many rows as make a slice no larger than the hidden states.
                let slices = (vocabulary / hidden).ceil().max(1.0);
                let rows = tokens / slices;
                let head = if head_trains { vocabulary * hidden / tensor } else { 0.0 };
                Self { fused: size * (tokens * hidden + head), ..each(rows, full) }
            }
        }
    }

    pub fn with_head_copy(self, head_copy: f64) -> Self {
        Self { head_copy, ..self }
    }

    pub fn bytes(&self) -> f64 {
        self.rows * self.vocabulary * self.bytes_each + self.fused + self.head_copy
    }
}
