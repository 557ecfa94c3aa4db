//! What is pushed: the examples, and one package with everything the layout can hold.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

/// Folder of an example.
pub(crate) fn example(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/packages").join(name)
}

/// The names of all examples.
pub(crate) const EXAMPLES: [&str; 3] = ["incident-review", "release-notes", "sentiment-analyzer"];

/// Over the size from which a file is a layer of its own.
const LARGE_BYTES: usize = 9 * 1024 * 1024;

/// A package `everything` with each kind of layer: documents, a large file, an executable, nested and empty folders,
/// an empty file and a name that is not ASCII.
pub(crate) fn everything() -> (TempDir, PathBuf) {
    let parent = tempfile::tempdir().expect("a folder");
    let root = parent.path().join("everything");
    let write = |path: &str, bytes: &[u8]| {
        let path = root.join(path);
        fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        fs::write(path, bytes).expect("a file");
    };
    write(
        "agent.yaml",
        b"apiVersion: agent.dev/v1\nkind: Agent\nmetadata:\n  name: everything\n  version: 1.0.0\nspec:\n  \
          runtime: go\n  model: {provider: ollama, name: llama3.2}\n  capabilities: [testing]\n",
    );
    write("README.md", b"# Everything\n");
    write("agent-card.json", br#"{"name": "everything"}"#);
    let large: Vec<u8> = (0..=250_u8).cycle().take(LARGE_BYTES).collect();
    write("models/large.bin", &large);
    write("bin/run.sh", b"#!/bin/sh\n");
    fs::set_permissions(root.join("bin/run.sh"), fs::Permissions::from_mode(0o755)).expect("a mode");
    write("deep/er/and/deeper/empty.txt", b"");
    write("texte/\u{fc}ber.txt", "\u{fc}ber\n".as_bytes());
    fs::create_dir_all(root.join("nothing/in/here")).expect("a folder");
    (parent, root)
}
