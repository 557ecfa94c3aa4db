//! The catalogue: the versions of a package.

use std::fmt::Write as _;

use bytes::Bytes;

use super::Error;
use super::search::MAX_TAGS;
use super::service::Registry;
use crate::api::{Hit, MAX_PAGE_LENGTH, Page, Standing, VersionState};
use crate::auth::{Permit, Pull};
use crate::index::repositories::{self, RepositoryId};
use crate::index::{Session, downloads, notices, referrers, standings, versions};

impl Registry {
    /// The versions of one repository, newest first, those that were taken back too. Downloads are each version's own.
    pub async fn versions(&self, permit: &Permit<Pull>, after: Option<&str>, limit: usize) -> Result<Page<Hit>, Error> {
        let start = after.map(read_key).transpose()?;
        let limit = limit.clamp(1, MAX_PAGE_LENGTH);
        self.read(|session| {
            let id = repositories::find(session, permit.repository())?;
            let id = id.ok_or_else(|| Error::RepositoryUnknown(permit.repository().clone()))?;
            let mut rows = versions::of_repository(session, id, start.as_ref(), limit + 1)?;
            let goes_on = rows.len() > limit;
            rows.truncate(limit);
            let next = rows.last().filter(|_| goes_on).map(|row| write_key(&row.cursor.sort_key));
            let standing = standings::of_repository(session, id)?;
            let items = rows.into_iter().map(|row| version(session, id, standing, row)).collect::<Result<_, _>>()?;
            Ok(Page { items, next })
        })
    }
}

fn hit(session: &mut dyn Session, row: versions::Listed) -> Result<Hit, Error> {
    let registry_tags = versions::tags_of(session, row.manifest, MAX_TAGS)?;
    let (summary, size, checked, created_at) = (row.summary, row.size, row.checked, row.created_at);
    let (standing, state) = (Standing::default(), VersionState::default());
    Ok(Hit { summary, size, registry_tags, created_at, checked, standing, state })
}

/// A version with what is known of it alone: its downloads, its signature, and what is said of it.
fn version(
    session: &mut dyn Session,
    id: RepositoryId,
    standing: Standing,
    row: versions::Listed,
) -> Result<Hit, Error> {
    let downloads = downloads::of_manifest(session, row.manifest)?;
    let signed = referrers::is_signed(session, id, &row.summary.digest)?;
    let state = notices::of_key(session, id, row.cursor.sort_key.clone())?;
    Ok(Hit { standing: Standing { downloads, signed, ..standing }, state, ..hit(session, row)? })
}

fn write_key(key: &[u8]) -> String {
    key.iter().fold(String::with_capacity(key.len() * 2), |mut text, byte| {
        // Writing to a string does not fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// Longest sort key in hexadecimal digits: a version has at most the length of a tag, and three numbers.
const MAX_KEY_DIGITS: usize = 1_024;

fn read_key(text: &str) -> Result<Bytes, Error> {
    if text.len() > MAX_KEY_DIGITS || !text.len().is_multiple_of(2) || !text.is_ascii() {
        return Err(Error::Cursor);
    }
    let pairs = (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16));
    pairs.collect::<Result<Vec<u8>, _>>().map(Bytes::from).map_err(|_| Error::Cursor)
}
