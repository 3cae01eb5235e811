//! How an engine cuts a model over GPUs: from a tensor to the shard that one rank holds.
//!
//! Knows nothing of formats; a shard is a smaller [`Tensor`].

use crate::catalog::model::{Mixer, Role, Tensor};
use crate::request::{Infer, Request};
use std::ops::Range;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Split {
    /// Ranks that a layer's matrices are divided over.
    pub tensor: u64,
    /// Stages that the layers are divided over.
    pub stages: u64,
    /// Copies of the engine, each with requests of its own.
    pub replicas: u64,
    /// Ranks that hold attention whole, serve requests of their own and share the experts (DP attention).
    pub attention_ranks: u64,
    /// Groups that whole experts are dealt out to.
    pub expert: u64,
    /// Rows that the vocabulary is padded to a multiple of.
    vocabulary_multiple: u64,
}

impl Split {
    pub fn of(request: &Request, infer: &Infer) -> Self {
        let parallel = &request.parallel;
        let (tensor, pipeline, data) =
            (u64::from(parallel.tensor), u64::from(parallel.pipeline), u64::from(parallel.data));
        let expert = u64::from(parallel.expert);
        let shares_experts = request.model.is_moe() && expert > 1 && data > 1;
        let (attention_ranks, replicas) = if shares_experts { (data, 1) } else { (1, data) };
        let (tensor, stages) = if infer.backend.splits_layers { (1, tensor * pipeline) } else { (tensor, pipeline) };
        Self {
            tensor,
            stages: stages.min(request.model.depth().max(1)),
            replicas,
            attention_ranks,
            expert: expert.min(tensor * attention_ranks),
            vocabulary_multiple: infer.backend.vocabulary_multiple,
        }
    }

    /// Ranks that the experts of a layer are divided over, one way or the other.
    pub fn expert_ranks(&self) -> u64 {
        self.tensor * self.attention_ranks
    }

    /// Requests are dealt out to so many ranks or replicas.
    pub fn request_ranks(&self) -> u64 {
        self.replicas * self.attention_ranks
    }

    /// Layers of one pipeline stage: what does not divide goes to the stages before the last, which has the head.
    /// vllm/distributed/utils.py `get_pp_indices`.
    pub fn stage(&self, stage: u64, layers: u64) -> Range<usize> {
        let (each, more) = (layers / self.stages, layers % self.stages);
        let first_fuller = self.stages - 1 - more;
        let at = |stage: u64| (stage * each + stage.saturating_sub(first_fuller).min(more)) as usize;
        at(stage)..at(stage + 1)
    }

    /// Of a layer's linears one rank holds `1/tensor`: rows of those that fan out, columns of those that fan in.
    /// Keys and values are not cut below one head. Norms, routers and down projections to a latent are whole.
    pub fn shard(&self, tensor: &Tensor, kv_heads: u64) -> Tensor {
        use Role::*;
        let mut shard = *tensor;
        let mut rows = 1;
        let mut columns = 1;
        match tensor.role {
            Embedding | PerLayerEmbedding | LmHead => {
                shard.out_features = tensor.out_features.next_multiple_of(self.vocabulary_multiple);
                rows = self.tensor;
            }
            Query | QueryUp | KvUp | Gate | Up | SharedGate | SharedUp | MixerIn | Conv | State | OutputDown => {
                rows = self.tensor;
            }
            Key | Value => rows = self.tensor.min(kv_heads),
            Output | Down | SharedDown | MixerOut => columns = self.tensor,
            ExpertGate | ExpertUp | ExpertDown | ExpertBias => {
                shard.copies = tensor.copies.div_ceil(self.expert);
                let within = self.expert_ranks() / self.expert;
                if tensor.role == ExpertDown { columns = within } else { rows = within }
            }
            Position | Norm | Bias | Sinks | QueryDown | KvDown | Indexer | Router | RouterBias | LatentDown
            | LatentUp | PerLayerInput | Residual | Projection | Pooler => {}
        }
        shard.out_features = shard.out_features.div_ceil(rows);
        shard.in_features = shard.in_features.div_ceil(columns);
        shard
    }
}

/// Key/value heads of a layer; what is not attention has its parts divided like one head a rank.
pub fn kv_heads(mixer: &Mixer) -> u64 {
    match mixer {
        Mixer::Attention { kv_heads, .. } => *kv_heads,
        Mixer::Parallel(attention, _) => kv_heads(attention),
        Mixer::Latent { .. } | Mixer::Compressed { .. } => 1,
        Mixer::Linear { .. } | Mixer::Mamba { .. } | Mixer::None => u64::MAX,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_stage_has_no_layer_more_than_others() {
        let split = Split { tensor: 1, stages: 4, replicas: 1, attention_ranks: 1, expert: 1, vocabulary_multiple: 1 };
        let sizes = |layers| (0..4).map(|stage| split.stage(stage, layers).len()).collect::<Vec<_>>();
        assert_eq!(sizes(61), [15, 15, 16, 15]);
        assert_eq!(sizes(63), [16, 16, 16, 15]);
        assert_eq!(split.stage(3, 61), 46..61);
    }
}
