//! Every request is read without a panic, and what is read prints as a request that reads the same.
#![no_main]

use agent_registry::oci::{Method, Route};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: (u8, &str, &str)| {
    let (method, path, query) = input;
    let methods = [Method::Get, Method::Head, Method::Put, Method::Post, Method::Patch, Method::Delete];
    let method = methods[usize::from(method) % methods.len()];
    if let Ok(route) = Route::parse(method, path, query) {
        let url = route.path_and_query();
        let (path, query) = url.split_once('?').unwrap_or((&url, ""));
        assert_eq!(Route::parse(route.method(), path, query).as_ref(), Ok(&route));
    }
});
