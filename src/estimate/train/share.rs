//! What part of a model one GPU holds: its pipeline stage, its tensor and expert shards.

use crate::catalog::model::{LayerKind, Model, Role, Tensor};
use crate::request::Parallel;
use smallvec::SmallVec;

/// The layers of one pipeline stage, and how tensors are split within it.
pub struct Share<'a> {
    pub model: &'a Model,
    pub tensor: f64,
    /// Ranks that experts are split over.
    pub expert: f64,
    /// Layers of each kind.
    pub layers: SmallVec<[(&'a LayerKind, f64); 4]>,
    pub first: bool,
    pub last: bool,
}

impl<'a> Share<'a> {
    /// Stage `at` of the pipeline; layers are dealt as evenly as they go.
    pub fn of_stage(model: &'a Model, parallel: &Parallel, at: u32) -> Self {
        let (stages, depth) = (parallel.pipeline as usize, model.order.len());
        let cut = |stage: usize| stage * depth / stages;
        let range = &model.order[cut(at as usize)..cut(at as usize + 1)];
        let mut layers: SmallVec<[(&LayerKind, f64); 4]> = SmallVec::new();
        for (index, kind) in model.layers.iter().enumerate() {
            let count = range.iter().filter(|of| usize::from(**of) == index).count();
            if count > 0 {
                layers.push((kind, count as f64));
            }
        }
        Self {
            model,
            tensor: f64::from(parallel.tensor),
            expert: expert_ranks(parallel),
            layers,
            first: at == 0,
            last: at as usize + 1 == stages,
        }
    }

    /// The part of a tensor that stands here; norms and routers are whole everywhere.
    pub fn fraction(&self, role: Role) -> f64 {
        match role {
            Role::Norm | Role::Router | Role::RouterBias | Role::Position => 1.0,
            role if role.is_routed_expert() => 1.0 / self.expert,
            _ => 1.0 / self.tensor,
        }
    }

    /// Parameters on this GPU, of dense layers and of experts.
    pub fn parameters(&self) -> [f64; 2] {
        self.tensors().fold([0.0; 2], |[dense, expert], (times, tensor)| {
            let here = times * self.fraction(tensor.role) * tensor.parameters() as f64;
            if tensor.role.is_routed_expert() { [dense, expert + here] } else { [dense + here, expert] }
        })
    }

    pub fn depth(&self) -> f64 {
        self.layers.iter().map(|(_, count)| count).sum()
    }

    /// Every tensor here with how many times it stands: embeddings on the first stage, the rest of what is outside
    /// the layers on the last, which also has a copy of embeddings that its head is tied to.
    pub fn tensors(&self) -> impl Iterator<Item = (f64, &'a Tensor)> {
        let outer = self.model.outer.iter().filter(|tensor| match tensor.role {
            Role::Embedding => self.first || (self.last && self.model.tied_embeddings),
            Role::Position => self.first,
            _ => self.last,
        });
        let layers = self.layers.iter().flat_map(|(kind, count)| kind.tensors.iter().map(move |t| (*count, t)));
        outer.map(|tensor| (1.0, tensor)).chain(layers)
    }
}

/// Expert-parallel ranks, of which those of a tensor-parallel group are some: launchers leave an expert whole
/// (`expert_tensor_parallel_size` 1) unless there are more ranks of the latter.
pub fn expert_ranks(parallel: &Parallel) -> f64 {
    f64::from(parallel.expert.max(parallel.tensor))
}
