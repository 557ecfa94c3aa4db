//! The gate of the official conformance run: it has to fail where the server does, and where nothing was tested.

use std::path::Path;
use std::process::Command;

use crate::distribution::distribution;
use crate::programs::{Said, run};

/// The run against a server, or nothing; its results go to a folder of their own.
fn conformance(host: &str, kind: &str) -> Said {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("spec-conformance/run");
    let folder = tempfile::tempdir().expect("a folder");
    let mut command = Command::new(script);
    command.args(["--registry", host, kind]).env("CARGO_TARGET_DIR", folder.path());
    run(&mut command)
}

#[test]
fn a_server_with_failures_does_not_pass() {
    let said = conformance(distribution().host(), "1.1");
    assert!(!said.success);
    assert!(said.stdout.starts_with("conformance 1.1: 738 passed, 94 failed, 0 errors"), "{}", said.stdout);
    assert!(said.stderr.contains("Blob chunked: FAIL"), "{}", said.stderr);
}

#[test]
fn a_run_that_tested_nothing_does_not_pass() {
    let unknown = conformance("127.0.0.1:1", "bogus");
    assert!(!unknown.success && unknown.stderr.contains("unknown argument `bogus`"), "{}", unknown.stderr);
    let nobody = conformance("127.0.0.1:1", "1.1");
    assert!(!nobody.success && nobody.stdout.contains("0 passed, 867 failed"), "{}", nobody.stdout);
}
