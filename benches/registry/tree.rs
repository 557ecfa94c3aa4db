//! A tree of four hundred real files: agents of others where they are at hand, else this project's own sources.

use std::fs;
use std::path::{Path, PathBuf};

use agent_registry::oci::Digest;
use anyhow::{Context as _, Result, ensure};
use tempfile::TempDir;

use crate::bench::folder;
use crate::package::noise;

/// Files of the tree, its `agent.yaml` among them.
const FILES: usize = 400;

/// Makes the tree.
pub(crate) fn make() -> Result<TempDir> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let corpus = root.join("../shared/corpus/agents");
    let origins = if corpus.is_dir() {
        ["awesome-copilot", "wshobson", "anthropic-skills"].map(|name| corpus.join(name)).to_vec()
    } else {
        ["src", "tests", "benches", "examples", "fuzz", "spec-conformance"].map(|name| root.join(name)).to_vec()
    };
    let mut files = vec![];
    for origin in &origins {
        collect(origin, &mut files)?;
    }
    ensure!(!files.is_empty(), "no files in {origins:?}");
    let tree = folder()?;
    for number in 1..FILES {
        let file = &files[(number - 1) % files.len()];
        // A folder for every fifty, with their own names behind the number: some are called alike.
        let name = file.file_name().context("a name")?.to_string_lossy();
        let place = tree.path().join(format!("part-{}", number / 50)).join(format!("{number}-{name}"));
        fs::create_dir_all(place.parent().context("a parent")?)?;
        fs::copy(file, place)?;
    }
    let yaml = "apiVersion: agent.dev/v1\nkind: Agent\nmetadata: {name: tree, version: 1.0.0}\n\
                spec: {runtime: python, model: {provider: openai, name: gpt-4}}\n";
    fs::write(tree.path().join("agent.yaml"), yaml)?;
    Ok(tree)
}

/// Makes it another tree, by one file.
pub(crate) fn change(tree: &Path) -> Result<()> {
    Ok(fs::write(tree.join("part-1/changed.txt"), Digest::sha256(&noise(32)).hex())?)
}

fn collect(folder: &Path, found: &mut Vec<PathBuf>) -> Result<()> {
    let mut entries = fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect::<Result<Vec<_>>>()?;
    entries.sort();
    for path in entries {
        if path.is_dir() {
            collect(&path, found)?;
        } else if !path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.')) {
            found.push(path);
        }
    }
    Ok(())
}
