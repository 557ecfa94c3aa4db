//! Our command with a home of its own, so that nothing of the person who runs the tests is read or changed.

use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

use crate::programs::{Said, ok, run};

/// A person with an empty home folder.
pub(crate) struct Agent {
    home: TempDir,
}

impl Agent {
    pub(crate) fn new() -> Self {
        Self { home: tempfile::tempdir().expect("a folder") }
    }

    /// The home folder.
    pub(crate) fn home(&self) -> &Path {
        self.home.path()
    }

    /// The command with its arguments; what stands in the environment of the tests does not reach it.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_agent"));
        command.env_clear().env("HOME", self.home.path()).env("AGENT_HOME", self.home.path().join(".agent"));
        command.current_dir(self.home.path()).args(arguments);
        command
    }

    /// Runs it; it must succeed. Gives stdout.
    pub(crate) fn ok(&self, arguments: &[&str]) -> String {
        ok(&mut self.command(arguments))
    }

    /// Runs it; it must fail. Gives both outputs.
    pub(crate) fn refused(&self, arguments: &[&str]) -> Said {
        let said = run(&mut self.command(arguments));
        assert!(!said.success, "{arguments:?} must fail, but said {}", said.stdout);
        said
    }

    /// Pushes a folder to a full reference, and gives the digest in the last line.
    pub(crate) fn push(&self, reference: &str, path: &str) -> String {
        let stdout = self.ok(&["push", reference, "--path", path]);
        let last = stdout.lines().last().unwrap_or_default();
        let (_, digest) = last.split_once('@').unwrap_or_else(|| panic!("no pinned reference in {stdout:?}"));
        assert!(digest.starts_with("sha256:") && digest.len() == 71, "{last}");
        digest.to_owned()
    }
}
