//! What changes all the time and is no part of any document: downloads and ratings.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::api::{Rating, Standing};

/// Slots in one chunk.
const CHUNK: usize = 512;

/// The standing of every slot. Copies share it: who began to search sees what is set afterwards.
#[derive(Clone, Debug, Default)]
pub(super) struct Live {
    chunks: Vec<Arc<[Cell; CHUNK]>>,
}

#[derive(Debug, Default)]
struct Cell {
    downloads: AtomicU64,
    /// The bits of the average.
    average: AtomicU64,
    ratings: AtomicU64,
}

impl Live {
    /// Makes room for slots below a number.
    pub(super) fn grow(&mut self, slots: usize) {
        while self.chunks.len() * CHUNK < slots {
            self.chunks.push(Arc::new(std::array::from_fn(|_| Cell::default())));
        }
    }

    pub(super) fn downloads(&self, slot: u32) -> u64 {
        self.cell(slot).downloads.load(Ordering::Relaxed)
    }

    pub(super) fn rating(&self, slot: u32) -> Rating {
        let cell = self.cell(slot);
        let count = cell.ratings.load(Ordering::Relaxed);
        let average = f64::from_bits(cell.average.load(Ordering::Relaxed));
        Rating { average: (count > 0).then_some(average), count }
    }

    pub(super) fn set(&self, slot: u32, standing: &Standing) {
        let cell = self.cell(slot);
        cell.downloads.store(standing.downloads, Ordering::Relaxed);
        cell.average.store(standing.rating.average.unwrap_or_default().to_bits(), Ordering::Relaxed);
        cell.ratings.store(standing.rating.count, Ordering::Relaxed);
    }

    fn cell(&self, slot: u32) -> &Cell {
        &self.chunks[slot as usize / CHUNK][slot as usize % CHUNK]
    }
}
