//! Downloads: counted in memory as manifests are pulled, written now and then, listed by day and version.

use std::sync::Arc;

use jiff::Timestamp;
use jiff::tz::Offset;

use super::{Error, Registry};
use crate::api::{DayDownloads, Downloads, MAX_PAGE_LENGTH};
use crate::auth::{Permit, Pull};
use crate::index::downloads::{self, Day, Listed};
use crate::index::manifests::{ManifestId, StoredManifest};
use crate::index::repositories;
use crate::index::standings;
use crate::oci::Digest;

/// How many days downloads are kept one by one, the running one included; sums keep all.
pub const KEPT_DAYS: u32 = 400;

/// Manifests counted in one transaction: with the sums of their repositories at most 300 rows.
const BATCH: usize = 150;

/// Manifests looked at for days that are too old, at a time.
const OLD_BATCH: usize = 500;

impl Registry {
    /// Counts that a manifest was pulled, once a client, manifest and clock hour; written by
    /// [`Self::write_downloads`]. What the registry itself reads is no download.
    pub fn note_pull(&self, permit: &Permit<Pull>, manifest: &StoredManifest) {
        if let Some(identity) = permit.identity() {
            self.pulls.note(identity, permit.origin().address, manifest, Timestamp::now());
        }
    }

    /// Writes the downloads that wait, durably. How many manifests and days they are.
    ///
    /// To be called again and again by who runs the registry; what cannot be written waits for the next time.
    pub async fn write_downloads(&self) -> Result<usize, Error> {
        let (mut taken, mut written) = (self.pulls.take(), 0);
        loop {
            let batch = Arc::new(taken.next(BATCH));
            if batch.is_empty() {
                return Ok(written);
            }
            let shared = Arc::clone(&batch);
            let write = self.index.write(move |session| downloads::add(session, &shared).map_err(Error::from));
            match write.await {
                Ok(changed) => self.refresh_standings(&changed)?,
                Err(error) => {
                    taken.give_back(&batch);
                    return Err(error);
                }
            }
            written += batch.len();
        }
    }

    /// Takes the days away that are older than [`KEPT_DAYS`].
    ///
    /// To be called once a day by who runs the registry.
    pub async fn forget_old_downloads(&self, now: Timestamp) -> Result<(), Error> {
        let before = Day::of(now).minus(KEPT_DAYS - 1);
        let mut after: Option<ManifestId> = None;
        loop {
            let index = Arc::clone(&self.index);
            let look = move || index.read(|session| Ok::<_, Error>(downloads::old(session, before, after, OLD_BATCH)?));
            // It reads every day that is kept of these manifests, which is too long for a thread that serves requests.
            let (old, last) = tokio::task::spawn_blocking(look).await??;
            if !old.is_empty() {
                let write = self.index.write(move |session| {
                    old.iter().try_for_each(|id| downloads::forget(session, *id, before)).map_err(Error::from)
                });
                write.await?;
            }
            match last {
                Some(_) => after = last,
                None => return Ok(()),
            }
        }
    }

    /// The downloads of a repository: all together, and those of the last `days` by day and manifest, newest first.
    pub async fn downloads(
        &self,
        permit: &Permit<Pull>,
        days: u32,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Downloads, Error> {
        let after = after.map(read_cursor).transpose()?;
        let limit = limit.clamp(1, MAX_PAGE_LENGTH);
        let since = Day::of(Timestamp::now()).minus(days.clamp(1, KEPT_DAYS) - 1);
        self.read(|session| {
            let id = repositories::find(session, permit.repository())?;
            let id = id.ok_or_else(|| Error::RepositoryUnknown(permit.repository().clone()))?;
            let total = standings::of_repository(session, id)?.downloads;
            let mut rows = downloads::of_repository(session, id, since, after, limit + 1)?;
            let goes_on = rows.len() > limit;
            rows.truncate(limit);
            let next = rows.last().filter(|_| goes_on).map(|row| format!("{}~{}", row.day.get(), row.digest));
            Ok(Downloads { total, days: rows.into_iter().map(told).collect(), next })
        })
    }
}

fn told(row: Listed) -> DayDownloads {
    let day = Offset::UTC.to_datetime(row.day.start()).date();
    DayDownloads { day, version: row.version.map(|version| version.to_string()), digest: row.digest, count: row.count }
}

fn read_cursor(text: &str) -> Result<(Day, Digest), Error> {
    let (day, digest) = text.split_once('~').ok_or(Error::Cursor)?;
    let day = day.parse().map_err(|_| Error::Cursor)?;
    Ok((Day::new(day), digest.parse().map_err(|_| Error::Cursor)?))
}
