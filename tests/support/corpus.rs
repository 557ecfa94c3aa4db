//! The real agents at hand: every `agent.yaml`, `SKILL.md` folder and agent in one Markdown file of the corpus.

use std::fs;
use std::path::{Path, PathBuf};

/// One agent of the corpus.
pub(crate) struct RealAgent {
    /// What can be opened as a source: a folder, or a Markdown file.
    pub(crate) path: PathBuf,
    /// Where it is in the corpus, `/` between the parts.
    pub(crate) place: String,
}

/// All of them, ordered by place. Another dialect, docker-agent's YAML, is not among them.
pub(crate) fn real_agents() -> Vec<RealAgent> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/corpus/agents");
    assert!(root.is_dir(), "the corpus of real agents must be at {}", root.display());
    let mut found = vec![];
    for origin in sorted(&root).into_iter().filter(|path| !path.ends_with("docker-agent")) {
        collect(&origin, &mut found);
    }
    assert!(found.len() > 500, "the walk must find the corpus, not {} agents", found.len());
    let place = |path: &Path| path.strip_prefix(&root).expect("below the root").to_string_lossy().replace('\\', "/");
    found.into_iter().map(|path| RealAgent { place: place(&path), path }).collect()
}

/// What is inside an agent's folder is part of it, and no agent of its own.
fn collect(folder: &Path, found: &mut Vec<PathBuf>) {
    if ["agent.yaml", "SKILL.md"].iter().any(|name| folder.join(name).is_file()) {
        found.push(folder.to_owned());
        return;
    }
    for path in sorted(folder) {
        if path.is_dir() {
            collect(&path, found);
        } else if is_agent(&path) {
            found.push(path);
        }
    }
}

/// Markdown in a folder called `agents` is one, and `*.agent.md` anywhere.
fn is_agent(path: &Path) -> bool {
    let name = path.file_name().expect("a name").to_string_lossy();
    let is_among_agents = path.parent().is_some_and(|parent| parent.ends_with("agents"));
    name.ends_with(".agent.md") || (is_among_agents && name.ends_with(".md"))
}

fn sorted(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).expect("a readable folder");
    let mut paths: Vec<_> = entries.map(|entry| entry.expect("a readable entry").path()).collect();
    paths.sort();
    paths
}
