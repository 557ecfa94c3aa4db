//! How transfers look: a bar for each blob on a terminal, a line for each larger one elsewhere.

use std::collections::HashMap;
use std::io::IsTerminal as _;
use std::sync::{Mutex, MutexGuard, PoisonError};

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::printer::Printer;
use super::text::{shortened, size};
use crate::client::{Outcome, Progress};
use crate::oci::{Descriptor, Digest};

/// Blobs from this size in bytes get a line where there are no bars.
const TOLD_BYTES: u64 = 1024 * 1024;
/// Blobs from this size in bytes get a bar; those of smaller ones would only flicker.
const BAR_BYTES: u64 = 256 * 1024;
/// Characters of a blob's name beside its bar.
const NAME_CHARACTERS: usize = 32;

/// Shows transfers.
pub(super) struct Transfers {
    printer: Printer,
    /// `sent` or `received`.
    done: &'static str,
    bars: MultiProgress,
    open: Mutex<HashMap<Digest, Open>>,
}

struct Open {
    bar: ProgressBar,
    name: String,
    bytes: u64,
}

impl Transfers {
    /// Bars if stderr is a terminal and nobody asked for quiet.
    pub(super) fn new(printer: Printer, done: &'static str) -> Self {
        let visible = !printer.quiet && std::io::stderr().is_terminal();
        let target = if visible { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
        Self { printer, done, bars: MultiProgress::with_draw_target(target), open: Mutex::default() }
    }

    fn open(&self) -> MutexGuard<'_, HashMap<Digest, Open>> {
        // What another thread left behind is at worst a stale bar.
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Progress for Transfers {
    fn begin(&self, blob: &Descriptor, what: &str) {
        let name = shortened(what, NAME_CHARACTERS);
        let bar = if blob.size < BAR_BYTES {
            ProgressBar::hidden()
        } else {
            self.bars.add(ProgressBar::new(blob.size).with_style(style()).with_message(name.clone()))
        };
        self.open().insert(blob.digest, Open { bar, name, bytes: blob.size });
    }

    fn advance(&self, digest: &Digest, done: u64) {
        if let Some(open) = self.open().get(digest) {
            open.bar.set_position(done);
        }
    }

    fn end(&self, digest: &Digest, how: Outcome) {
        let Some(Open { bar, name, bytes }) = self.open().remove(digest) else { return };
        bar.finish_and_clear();
        let what = match how {
            Outcome::Transferred => self.done,
            Outcome::Existing => "already there",
            Outcome::Mounted => "taken over from another repository",
            Outcome::Cached => "already here",
        };
        let line = format!("  {name}: {} {what}", size(bytes));
        if how == Outcome::Transferred && bytes >= TOLD_BYTES && self.bars.is_hidden() {
            self.printer.note(&line);
        } else {
            self.bars.suspend(|| self.printer.detail(&line));
        }
    }

    fn note(&self, message: &str) {
        self.bars.suspend(|| self.printer.note(message));
    }
}

impl Drop for Transfers {
    fn drop(&mut self) {
        // A failed transfer never ends; its bar must not stay above the error.
        for open in self.open().values() {
            open.bar.finish_and_clear();
        }
    }
}

fn style() -> ProgressStyle {
    let template = "  {msg:32} {bar:28.cyan/dim} {decimal_bytes:>10}/{decimal_total_bytes:10} {decimal_bytes_per_sec:>12} {eta:>4}";
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar()).progress_chars("━╸─")
}
