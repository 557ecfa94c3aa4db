//! How popular packages are, as it was some time ago: what is pulled meanwhile must not move pages under a reader.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::columns::Columns;

/// How long popularity stays as it is, although standings changed.
const LIFE: Duration = Duration::from_mins(10);
/// Earlier ones that are kept for pages that began with them.
const KEPT: usize = 3;
/// Downloads that are as popular as can be.
const MOST: f64 = 100_000.0;
/// The most popular; nobody's is 0.
pub(super) const FULL: u32 = 255;

/// The popularity of every slot, by when it was taken.
#[derive(Clone, Debug)]
pub(super) struct Popularities {
    /// The newest last, each with its number.
    taken: Vec<(u32, Arc<Vec<u8>>)>,
    since: Instant,
    /// Standings that changed since.
    changes: usize,
}

impl Default for Popularities {
    fn default() -> Self {
        Self { taken: vec![(0, Arc::default())], since: Instant::now(), changes: 0 }
    }
}

impl Popularities {
    /// The number of the newest.
    pub(super) fn current(&self) -> u32 {
        self.taken.last().map_or(0, |(number, _)| *number)
    }

    /// The one of a number; where it is gone or was never, the oldest there is.
    pub(super) fn get(&self, number: u32) -> &[u8] {
        let found = self.taken.iter().rev().find(|(known, _)| *known == number).or(self.taken.first());
        found.map_or(&[], |(_, popularity)| popularity)
    }

    /// Says that so many standings changed.
    pub(super) const fn count(&mut self, standings: usize) {
        self.changes += standings;
    }

    /// Takes popularity anew where it is time.
    pub(super) fn renew(&mut self, columns: &Columns) {
        if !self.is_due(columns) {
            return;
        }
        let slots = 0..u32::try_from(columns.room()).unwrap_or(u32::MAX);
        let popularity = slots.map(|slot| popularity(columns, slot)).collect();
        self.taken.push((self.current().wrapping_add(1), Arc::new(popularity)));
        if self.taken.len() > 1 + KEPT {
            self.taken.remove(0);
        }
        (self.since, self.changes) = (Instant::now(), 0);
    }

    /// Whether [`Self::renew`] would do something.
    pub(super) fn is_due(&self, columns: &Columns) -> bool {
        self.changes > 0 && (self.since.elapsed() > LIFE || self.changes > columns.room() / 8)
    }
}

/// Two thirds downloads, on a scale of powers; one third what users think, which few of them say little about.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss, reason = "0 to 255")]
fn popularity(columns: &Columns, slot: u32) -> u8 {
    let downloads = (columns.live.downloads(slot) as f64).ln_1p() / MOST.ln_1p();
    let rating = columns.live.rating(slot);
    let trust = rating.count as f64 / (rating.count as f64 + 3.0);
    let liked = rating.average.map_or(0.0, |average| (average - 1.0) / 4.0 * trust);
    ((downloads.min(1.0) * 2.0 + liked) / 3.0 * f64::from(FULL)) as u8
}
