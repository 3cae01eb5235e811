//! Speculative decoding: what the drafter keeps beside the model, and what a step of drafting and checking gives.
//!
//! A step proposes `k` tokens, one after another, and the model checks them in one pass over `k + 1` tokens a sequence.
//! Leviathan et al. 2023, "Fast Inference from Transformers via Speculative Decoding".

use super::cache::{Cache, Store};
use super::host::Host;
use super::speed::{Machine, Step};
use super::split::Split;
use super::weights::{Ledger, Weights};
use crate::catalog::{Format, Model};
use crate::request::Draft;

/// A drafter's weights and cache on one rank: cut as the model is, whole on one pipeline stage.
pub struct Drafter<'a> {
    pub model: &'a Model,
    pub format: &'a Format,
    pub weights: Weights,
    pub cache: Cache,
}

impl<'a> Drafter<'a> {
    /// None where earlier text is looked up.
    pub fn of(draft: &'a Draft, split: Split, store: Store) -> Option<Self> {
        let (model, format) = draft.model.as_ref()?;
        let layers = 0..model.order.len();
        let weights = Ledger::new(model, format, split, (1, 1)).sum(layers.clone());
        Some(Self { model, format, weights, cache: Cache::of(model, &split, store, layers) })
    }
}

impl Draft {
    /// Tokens that a step gives a sequence: the accepted ones and the model's own, `Σ aⁱ = (1 - a^(k+1)) / (1 - a)`;
    /// Leviathan et al., eq. 1.
    pub fn accepted(&self) -> f64 {
        (0..=self.tokens).map(|at| self.acceptance.powf(at as f64)).sum()
    }
}

/// What decodes: a model, what of it the host computes, and a drafter where one was asked for.
pub struct Decoder<'a> {
    pub machine: Machine<'a>,
    /// The host, and the model as if it were all on the card, where prompts are computed.
    pub host: Option<(Host<'a>, Machine<'a>)>,
    pub cache: &'a Cache,
    pub draft: Option<&'a Draft>,
    pub drafter: Option<(Machine<'a>, &'a Cache)>,
}

impl Decoder<'_> {
    /// One step of `batch` sequences a rank, each with `context` tokens in the cache.
    pub fn step(&self, batch: f64, context: f64) -> Step {
        let width = self.draft.map_or(0, |draft| draft.tokens) as f64 + 1.0;
        let on_host = self.host.as_ref().map_or(0.0, |(host, _)| host.decode(batch, width, context));
        let on_card = self.machine.decode(batch, width, context, self.cache);
        let checking = Step { on_host, total: on_card.total + on_host, ..on_card };
        let Some(draft) = self.draft else { return checking };
        let drafting = self.drafter.as_ref().map_or(0.0, |(machine, cache)| {
            let pass = machine.decode(batch, 1.0, context, cache);
            draft.tokens as f64 * (pass.total - pass.host)
        });
        Step { draft: drafting, total: checking.total + drafting, tokens: draft.accepted(), ..checking }
    }

    /// Seconds that a prompt keeps its ranks busy, one of `together`; a drafter reads it too.
    pub fn prefill(&self, tokens: f64, chunk: f64, together: f64) -> f64 {
        let drafter = self.drafter.as_ref().map_or(0.0, |(machine, _)| machine.prefill(tokens, chunk, together));
        let own = match &self.host {
            Some((host, whole)) => host.prefill(tokens, chunk) + whole.prefill(tokens, chunk, together),
            None => self.machine.prefill(tokens, chunk, together),
        };
        own + drafter
    }
}

#[cfg(test)]
mod tests {
    use crate::catalog::backend::DraftKind;
    use crate::request::Draft;

    #[test]
    fn accepted_tokens_are_a_geometric_sum() {
        let draft = |tokens, acceptance| Draft { kind: DraftKind::Ngram, model: None, tokens, acceptance };
        // 1 + 0.5 + 0.25 + 0.125
        assert_eq!(draft(3, 0.5).accepted(), 1.875);
        assert_eq!(draft(4, 1.0).accepted(), 5.0);
        assert_eq!(draft(4, 0.0).accepted(), 1.0);
    }
}
