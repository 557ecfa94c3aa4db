//! Whoever reads what this program prints: whether they are still there, for verbs that may print nothing for hours.

use std::time::Duration;

/// How often it is looked.
const INTERVAL: Duration = Duration::from_secs(1);

/// Ends when nobody reads stdout any more; never where that cannot be told.
pub(super) async fn gone() {
    loop {
        tokio::time::sleep(INTERVAL).await;
        if is_gone() {
            return;
        }
    }
}

#[cfg(unix)]
fn is_gone() -> bool {
    use rustix::event::{PollFd, PollFlags, Timespec, poll};
    let stdout = std::io::stdout();
    // Asked for nothing, it tells of errors alone: that a pipe has no other end any more is one.
    let mut watched = [PollFd::new(&stdout, PollFlags::empty())];
    let now = Timespec::default();
    poll(&mut watched, Some(&now)).is_ok_and(|count| count > 0) && watched[0].revents().contains(PollFlags::ERR)
}

#[cfg(not(unix))]
fn is_gone() -> bool {
    false
}
