//! Any text is a query or an error.
#![no_main]

use agent_registry::api::Query;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let _ = Query::parse(text, "2026-01-01T00:00:00Z".parse().expect("a time"));
});
