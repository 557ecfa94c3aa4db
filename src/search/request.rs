//! What is asked of search.

use super::Viewer;
use crate::api::{Query, Sort};

/// One page of a search.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// What is looked for.
    pub query: &'a Query,
    /// In which order; [`Query::sort`] is not looked at.
    pub sort: Sort,
    /// Who looks.
    pub viewer: &'a Viewer,
    /// The `next` of the page before; none for the first page.
    pub after: Option<&'a str>,
    /// Most packages on the page, at most [`crate::api::MAX_PAGE_LENGTH`].
    pub limit: usize,
    /// Whether facets are counted, too.
    pub facets: bool,
}
