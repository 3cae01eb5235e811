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
    turn: Semaphore,
    kept: Latest<Chart, Png>,
}

impl Default for Pictures {
    fn default() -> Self {
        Self { turn: Semaphore::new(1), kept: Latest::new(KEPT) }
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
        let _turn = self.turn.acquire().await.ok()?;
        tokio::task::spawn_blocking(move || chart::png(&chart)).await.ok()?
    }
}
