//! Charts as PNG: drawn off the runtime's thread, one at a time, the latest kept.

use crate::latest::Latest;
use crate::view::chart::{self, Chart};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Semaphore;

/// How long an answer waits for its picture. Under load it goes without.
const PATIENCE: Duration = Duration::from_millis(500);
/// Kept for whoever asks the same: about a megabyte.
const KEPT: usize = 16;

type Png = Arc<[u8]>;

pub(super) struct Pictures {
    /// One is drawn at a time: answers come first.
    turn: Arc<Semaphore>,
    kept: Latest<Chart, Png>,
}

impl Default for Pictures {
    fn default() -> Self {
        Self { turn: Arc::new(Semaphore::new(1)), kept: Latest::new(KEPT) }
    }
}

impl Pictures {
    pub async fn draw(&self, chart: &Chart) -> Option<Png> {
        if let Some(png) = self.kept.get(chart) {
            return Some(png);
        }
        let png: Png = tokio::time::timeout(PATIENCE, self.draw_anew(chart.clone())).await.ok()??.into();
        self.kept.put(chart.clone(), png.clone());
        Some(png)
    }

    async fn draw_anew(&self, chart: Chart) -> Option<Vec<u8>> {
        // The turn stays with the drawing, which goes on when nobody waits for it any more.
        let turn = self.turn.clone().acquire_owned().await.ok()?;
        let draw = move || {
            let _turn = turn;
            chart::png(&chart)
        };
        tokio::task::spawn_blocking(draw).await.ok()?
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::Locale;
    use crate::view::chart::Kind;

    #[tokio::test]
    async fn a_drawing_that_nobody_waits_for_keeps_its_turn() {
        let pictures = Pictures::default();
        let kind = Kind::Stacks(Vec::new());
        let chart = Chart { locale: Locale::En, title: String::new(), alt: String::new(), kind };
        tokio::select! {
            biased;
            _ = pictures.draw_anew(chart.clone()) => panic!("nothing is drawn in no time"),
            () = std::future::ready(()) => {}
        }
        assert_eq!(pictures.turn.available_permits(), 0);
        assert!(pictures.draw_anew(chart).await.is_some());
    }
}
