//! Collectives of a step: what they move, and what of their time computing does not hide.

use super::flops::Passes;
use super::machine::Machine;
use super::memory::schedule;
use super::share::{Share, expert_ranks};
use super::states::Sharding;
use crate::catalog::model::{Ffn, LayerKind};
use crate::request::{Method, Train, Zero};

/// Seconds of a step's collectives that computing does not hide. `tokens`: of a micro batch on one GPU; `micro`: seconds
/// that it computes for; `trained`: part of the parameters that is.
pub fn exposed(machine: &Machine, share: &Share, train: &Train, tokens: f64, micro: f64, trained: f64) -> f64 {
    let Machine { request, constants, .. } = *machine;
    let parallel = &request.parallel;
    let (_, accumulation) = schedule(train, parallel.pipeline);
    let (tensor, context) = (f64::from(parallel.tensor), f64::from(parallel.context));
    let width = 2.0 * share.model.hidden_size as f64;
    let again = 2.0 * Passes::of(share.model, train).linears_again;
    let of_group = |ranks: f64| (ranks - 1.0) / ranks;

    // Tensor parallel: two all-reduces forward, two backward, each a reduce-scatter and an all-gather.
    let layers = share.model.depth() as f64 / f64::from(parallel.pipeline);
    let tensor_bytes = (4.0 + again) * 2.0 * of_group(tensor) * tokens * width * layers;
    let tensor_time = tensor_bytes / machine.ring(tensor, 1.0);
    // Experts: tokens out and back, forward and backward.
    let dispatched = |kind: &LayerKind| match kind.ffn {
        Ffn::Moe { top_k, .. } => {
            let bytes = (4.0 + again) * tokens / tensor * width * kind.count as f64;
            machine.dispatch(bytes, expert_ranks(parallel), top_k as f64)
        }
        Ffn::Dense { .. } | Ffn::None => 0.0,
    };
    let expert_time = share.model.layers.iter().map(dispatched).sum::<f64>() / f64::from(parallel.pipeline);
    // Context parallel: keys and values pass round while scores are computed, and their gradients.
    let kept: f64 = share.layers.iter().map(|(kind, count)| count * kind.mixer.cached()).sum();
    let context_bytes = (3.0 + again / 2.0) * 2.0 * (context - 1.0) * tokens * kept / tensor;
    let context_time = context_bytes / machine.ring(context, tensor);
    let each_micro = tensor_time + expert_time + context_time;

    // Data parallel: gradients once a step, or with sharded weights these once forward and once backward.
    let per_node = request.hardware.gpus.div_ceil(request.hardware.nodes);
    let shard = Sharding::of(train.zero, parallel, per_node);
    let [dense, experts] = share.parameters();
    let passed = dense * of_group(shard.ranks) + experts * of_group(shard.expert_ranks);
    let gradient = train.gradient_dtype.bytes() * trained;
    let link = machine.ring(shard.ranks, tensor);
    let gathered = if shard.weights {
        let reduced = if train.method == Method::Full { gradient } else { 0.0 };
        (4.0 + reduced) * passed / link * accumulation
    } else {
        0.0
    };
    let once = match train.zero {
        _ if shard.weights => 0.0,
        Zero::Ddp => 2.0 * gradient,
        // Reduced gradients, updated weights gathered.
        _ => gradient + 2.0 * trained,
    } * passed
        / link;
    // Larger groups wait for their slowest member and for longer rings.
    let replicas = f64::from(parallel.data) * context;
    let straggling = constants.straggling * replicas.max(1.0).log2() * micro * accumulation;
    let hidden_by = |time: f64, cover: f64| (time - constants.overlap * cover).max(constants.least_exposed * time);
    each_micro * accumulation + hidden_by(gathered, micro * accumulation) + hidden_by(once, micro) + straggling
}
