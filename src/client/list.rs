//! The lists of a registry of this project, page by page.

use serde::de::DeserializeOwned;

use super::Error;
use crate::api::{MAX_PAGE_LENGTH, Page};
use crate::oci::percent_encode;
use crate::remote::Remote;

/// Largest answer that is read, in bytes: a full page of long descriptions.
pub(super) const MAX_ANSWER_BYTES: usize = 32 * 1024 * 1024;

/// Most pages that are followed, whatever a registry says of there being more.
pub(super) const MAX_PAGES: usize = 1_000;

/// Follows the pages of a list, up to `limit` entries; `base` ends where a parameter can follow, with `?` or `&`. `None`
/// when there is no such list.
pub async fn list<T: DeserializeOwned>(
    remote: &Remote,
    base: &str,
    limit: Option<usize>,
) -> Result<Option<Vec<T>>, Error> {
    let limit = limit.unwrap_or(usize::MAX);
    let mut found: Vec<T> = vec![];
    let mut after: Option<String> = None;
    for _ in 0..MAX_PAGES {
        let wanted = (limit - found.len()).min(MAX_PAGE_LENGTH);
        if wanted == 0 {
            break;
        }
        let cursor = after.as_ref().map(|after| format!("&after={}", percent_encode(after)));
        let path = format!("{base}limit={wanted}{}", cursor.unwrap_or_default());
        let Some(page) = remote.get_json::<Page<T>>(&path, MAX_ANSWER_BYTES).await? else { return Ok(None) };
        let is_end = page.items.is_empty() || page.next.is_none() || page.next == after;
        found.extend(page.items.into_iter().take(wanted));
        if is_end {
            break;
        }
        after = page.next;
    }
    Ok(Some(found))
}
