//! Memory of the fullest rank, part by part: what the engine takes, and what the asked load needs of it.

use super::super::{Basis, Memory, Part, PartKind, Term};
use super::Server;
use crate::catalog::backend::Pool;
use crate::request::Concurrency;
use crate::units::Bytes;
use smallvec::{SmallVec, smallvec};

impl Server<'_> {
    pub fn memory(&self, starts: bool) -> Memory {
        let load = self.load_bytes();
        let pooled = self.budget.filter(|_| starts && self.infer.backend.pool.is_reserved());
        // A fraction that leaves less than contexts and graphs take is not filled.
        let room = self.request.hardware.gpu.map(|card| (card.visible().0 - self.taken.total()).max(0.0));
        let pooled = pooled.map(|pool| room.map_or(pool, |room| pool.min(room)));
        let cache = pooled.unwrap_or(load);
        let parts = self.parts(cache, pooled.is_some());
        let device: Bytes = parts.iter().map(Part::bytes).sum();
        let outside = self.taken.context + self.taken.libraries + self.taken.graphs;
        let doubt = 0.25 * self.taken.activations + 0.3 * outside + 0.005 * self.taken.weights;
        let needed = match self.infer.concurrency {
            Concurrency::Requests(_) => Bytes(self.taken.total() + load.min(cache)),
            Concurrency::Max => device,
        };
        let tables = self.all.embedding.bytes + self.all.layer_embedding.bytes;
        let (weights, cache) = &self.host;
        let sequences = self.asked().unwrap_or(1) as f64 * cache.sequence(self.request.seq, self.rule.block_tokens);
        let host = match self.infer.backend.pool {
            Pool::Cells => tables + weights.bytes() + sequences,
            Pool::OfTotal | Pool::Static | Pool::OfFree | Pool::OfRest | Pool::Grows => 0.0,
        };
        Memory {
            allocated: device - Bytes(outside),
            reserved: device - Bytes(outside),
            device,
            low: device - Bytes(doubt),
            high: device + Bytes(doubt),
            needed,
            host: Bytes(host),
            parts,
        }
    }

    fn parts(&self, cache: f64, pooled: bool) -> Vec<Part> {
        let term = |name, factors: &[(&'static str, f64)], basis, source| Term {
            name,
            factors: SmallVec::from_slice(factors),
            basis,
            source,
        };
        let gib = |name, bytes: f64| term(name, &[("infer-bytes", bytes)], Basis::Modelled, &self.infer.backend.source);
        let mut weights: SmallVec<[Term; 3]> = self
            .weights
            .parts()
            .into_iter()
            .filter(|(_, tally)| tally.bytes > 0.0)
            .map(|(name, tally)| {
                let factors = [("infer-parameters", tally.parameters), ("infer-bytes-per-parameter", tally.width())];
                term(name, &factors, Basis::Exact, "infer-source-tensors")
            })
            .collect();
        if let Some(drafter) = &self.drafter {
            let bytes = drafter.weights.bytes();
            weights.push(term("term-infer-draft", &[("infer-bytes", bytes)], Basis::Exact, "infer-source-tensors"));
        }
        if self.rotary > 0.0 {
            weights.push(gib("term-infer-rotary", self.rotary));
        }
        let kv = if pooled {
            term("term-infer-pool", &[("infer-bytes", cache)], Basis::Modelled, &self.infer.backend.source)
        } else {
            let requests = self.asked().unwrap_or(1) as f64;
            let factors = [("infer-requests", requests), ("infer-bytes-per-request", cache / requests)];
            term("term-infer-sequences", &factors, Basis::Exact, "infer-source-tensors")
        };
        let overhead = [
            ("term-infer-context", self.taken.context),
            ("term-infer-libraries", self.taken.libraries),
            ("term-infer-graphs", self.taken.graphs),
        ];
        let overhead = overhead.into_iter().filter(|(_, bytes)| *bytes > 0.0).map(|(name, bytes)| gib(name, bytes));
        let mut parts = vec![Part { kind: PartKind::Weights, terms: weights }];
        parts.extend(self.peak.parts());
        parts.push(Part { kind: PartKind::KvCache, terms: smallvec![kv] });
        parts.push(Part { kind: PartKind::Overhead, terms: overhead.collect() });
        parts
    }
}
