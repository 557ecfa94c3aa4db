//! Which page of a list is wanted, and how it is answered.

use serde::Deserialize;

use super::{Failure, length};
use crate::api::Page;
use crate::registry::Listed;

/// Which page of a list.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
pub(super) struct Paging {
    /// What the page before gave as `next`.
    pub(super) after: Option<String>,
    /// Most entries in the page: 1 to 1000, by default 100.
    #[param(value_type = Option<u32>)]
    limit: Option<String>,
}

impl Paging {
    pub(super) fn after(&self) -> Option<&str> {
        self.after.as_deref()
    }

    pub(super) fn limit(&self) -> Result<usize, Failure> {
        length(self.limit.as_deref())
    }
}

/// A page of what the registry has listed.
pub(super) fn page<T, U>(listed: Listed<T>, entry: impl FnMut(T) -> U) -> Page<U> {
    Page { items: listed.items.into_iter().map(entry).collect(), next: listed.next }
}
