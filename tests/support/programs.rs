//! Runs other programs and reads what they say; the independent clients are found where `make clients` puts them.

use std::path::{Path, PathBuf};
use std::process::Command;

/// What a program said and how it ended.
pub(crate) struct Said {
    pub(crate) success: bool,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// The path of an installed client.
pub(crate) fn client(name: &str) -> PathBuf {
    let install = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clients/install");
    let said = run(Command::new(install).args(["--where", name]));
    assert!(said.success, "{name} is missing, and nothing is skipped for it: run `make clients` ({})", said.stderr);
    PathBuf::from(said.stdout.trim())
}

/// Runs a program to its end.
pub(crate) fn run(command: &mut Command) -> Said {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Said { success: output.status.success(), stdout: text(&output.stdout), stderr: text(&output.stderr) }
}

/// Runs a program that must succeed, and gives its stdout.
pub(crate) fn ok(command: &mut Command) -> String {
    let said = run(command);
    assert!(said.success, "{command:?} failed:\n{}{}", said.stdout, said.stderr);
    said.stdout
}
