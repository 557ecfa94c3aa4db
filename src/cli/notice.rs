//! Why a version was yanked or deprecated, in words.

use crate::api::Notice;

/// What follows the word for it: the reason, and what to use instead, where they are given.
pub(super) fn why(notice: &Notice) -> String {
    let reason = if notice.message.is_empty() { String::new() } else { format!(": {}", notice.message) };
    let instead = notice.superseded_by.as_ref().map(|other| format!("; use {other} instead"));
    reason + &instead.unwrap_or_default()
}
