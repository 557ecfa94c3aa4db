//! A home for an independent client, so that nothing of the person who runs the tests is read or changed.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use crate::programs::{Said, client, ok, run};

/// Where nobody listens: a client that asks another machine for anything is refused at once. Loopback addresses are asked
/// without a proxy.
const NOWHERE: &str = "http://127.0.0.1:1";

/// An empty folder that a client takes for the home of its user, and in which it runs.
pub(crate) struct Home {
    folder: TempDir,
}

impl Home {
    pub(crate) fn new() -> Self {
        Self { folder: tempfile::tempdir().expect("a folder") }
    }

    /// The path of a file in it.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Writes a file into it.
    pub(crate) fn write(&self, name: &str, bytes: impl AsRef<[u8]>) {
        fs::write(self.path(name), bytes).expect("a file");
    }

    /// Reads a file of it.
    pub(crate) fn read(&self, name: &str) -> Vec<u8> {
        fs::read(self.path(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    /// A client with its arguments; what stands in the environment of the tests does not reach it.
    pub(crate) fn command(&self, name: &str, arguments: &[&str]) -> Command {
        let home = self.folder.path();
        let mut command = Command::new(client(name));
        command.env_clear().env("HOME", home).current_dir(home).args(arguments);
        command.env("HTTP_PROXY", NOWHERE).env("HTTPS_PROXY", NOWHERE).env("NO_PROXY", "127.0.0.1");
        command.env("XDG_DATA_HOME", home.join("data")).env("XDG_RUNTIME_DIR", home.join("run"));
        // Keys of tests have no password, and nobody is asked for one.
        command.env("COSIGN_PASSWORD", "");
        // Run by root, skopeo keeps what it knows about blobs below /var; by anybody else, in the data folder.
        command.env("_CONTAINERS_ROOTLESS_UID", "1000");
        command
    }

    /// Runs a client; it must succeed. Gives stdout.
    pub(crate) fn ok(&self, name: &str, arguments: &[&str]) -> String {
        ok(&mut self.command(name, arguments))
    }

    /// Runs a client; it must fail. Gives both outputs.
    pub(crate) fn refused(&self, name: &str, arguments: &[&str]) -> Said {
        let said = run(&mut self.command(name, arguments));
        assert!(!said.success, "{name} {arguments:?} must fail, but said {}", said.stdout);
        said
    }
}

impl AsRef<Path> for Home {
    fn as_ref(&self) -> &Path {
        self.folder.path()
    }
}
