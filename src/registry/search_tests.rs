//! Searching through the registry: what is found, by whom, and when.
#![expect(clippy::unwrap_used, reason = "a failing test may panic")]
