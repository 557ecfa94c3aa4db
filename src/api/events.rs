//! What happened, page by page.

use serde::{Deserialize, Serialize};

use super::Event;

/// What to give as `after` to see only what comes.
pub const LATEST: &str = "latest";

/// A page of the feed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "server", derive(utoipa::ToSchema))]
pub struct EventPage {
    /// What happened, in the one order in which everybody sees it. It may be empty although there is a next page: a page
    /// looks at a bounded number of events, of which the caller may see few.
    pub items: Vec<Event>,
    /// What to give as `after` for the next page; absent where nothing has happened since.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
    /// The number of the last event that was looked at: what to give as `after` later.
    pub as_of: u64,
}
