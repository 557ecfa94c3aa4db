//! Writing to the index of words: opened by the first change, given up when there were none for a while.

use std::time::{Duration, Instant};

use tantivy::indexer::{IndexWriterOptions, LogMergePolicy};
use tantivy::{Index, IndexWriter};

use super::schema::{FORMAT, Fields};
use super::text::Stems;
use super::{Change, Error};

/// Memory for words that are not written yet, in bytes; more is written in several portions.
const MEMORY: usize = 24_000_000;
/// How long nothing changes before the writer and its threads are given up.
const IDLE: Duration = Duration::from_secs(30);
/// Segments of about the same size that are merged into one.
const MERGED: usize = 6;
/// Documents below which all segments are of about the same size.
const SMALL: u32 = 2_000;
/// The part of a segment's documents that must be gone before it is merged for that alone.
const GONE: f32 = 0.3;

/// What changes need. Its threads merge in the background: one, so that another processor is left for searches.
#[derive(Default)]
pub(super) struct Writer {
    open: Option<(IndexWriter, Instant)>,
    stems: Stems,
}

impl Writer {
    /// Writes changes, each with whether its repository was known before, and what was seen with them: all, or nothing.
    pub(super) fn write<'a>(
        &mut self,
        index: &Index,
        fields: &Fields,
        changes: impl Iterator<Item = (&'a Change, bool)>,
        position: u64,
    ) -> Result<(), Error> {
        let written = self.try_write(index, fields, changes, position);
        if written.is_err() {
            // What is half done is forgotten with the writer.
            self.open = None;
        }
        written
    }

    fn try_write<'a>(
        &mut self,
        index: &Index,
        fields: &Fields,
        changes: impl Iterator<Item = (&'a Change, bool)>,
        position: u64,
    ) -> Result<(), Error> {
        let (writer, used) = match &mut self.open {
            Some(open) => open,
            closed => closed.insert((open(index)?, Instant::now())),
        };
        *used = Instant::now();
        for (change, is_known) in changes {
            if is_known {
                writer.delete_term(fields.key(change.id()));
            }
            if let Change::Put(document) = change {
                writer.add_document(fields.document(document, &mut self.stems))?;
            }
        }
        let mut commit = writer.prepare_commit()?;
        commit.set_payload(&payload(position));
        commit.commit()?;
        Ok(())
    }

    /// Gives the writer up if it was not used for a while; whether it did.
    pub(super) fn rest(&mut self) -> Result<bool, Error> {
        if self.open.as_ref().is_none_or(|(_, used)| used.elapsed() < IDLE) {
            return Ok(false);
        }
        if let Some((writer, _)) = self.open.take() {
            writer.wait_merging_threads()?;
        }
        self.stems = Stems::default();
        Ok(true)
    }
}

fn open(index: &Index) -> Result<IndexWriter, Error> {
    let options = IndexWriterOptions::builder().num_worker_threads(1).memory_budget_per_thread(MEMORY);
    let writer = index.writer_with_options(options.num_merge_threads(1).build())?;
    let mut policy = LogMergePolicy::default();
    policy.set_min_num_segments(MERGED);
    policy.set_min_layer_size(SMALL);
    policy.set_del_docs_ratio_before_merge(GONE);
    writer.set_merge_policy(Box::new(policy));
    Ok(writer)
}

fn payload(position: u64) -> String {
    format!("{FORMAT} {position}")
}

/// The position in a payload of this format.
pub(super) fn position(payload: &str) -> Option<u64> {
    let (format, position) = payload.split_once(' ')?;
    (format == FORMAT.to_string()).then(|| position.parse().ok())?
}
