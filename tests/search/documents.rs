//! The real agents as documents of a search.

use std::fs;

use agent_registry::auth::Visibility;
use agent_registry::oci::Digest;
use agent_registry::package::{Source, SourceKind, Summary, slug};
use agent_registry::search::{Change, Document, Search};
use jiff::Timestamp;

use crate::corpus::{RealAgent, real_agents};

/// A search that holds all of them.
pub(crate) fn search() -> Search {
    let search = Search::in_memory().expect("a search");
    let agents = real_agents();
    let changes = (1..).zip(&agents).map(|(id, agent)| Change::Put(Box::new(document(id, agent)))).collect();
    search.apply(changes, 1).expect("taken in");
    assert_eq!(search.documents(), agents.len() as u64);
    search
}

fn document(repository_id: i64, agent: &RealAgent) -> Document {
    let source = Source::open(&agent.path).unwrap_or_else(|error| panic!("{}: {error}", agent.place));
    let folder = agent.place.rsplit_once('/').map_or("", |(folder, _)| folder);
    let folders = folder.split('/').map(|part| slug(part).expect("a folder with letters")).collect::<Vec<_>>();
    let metadata = source.metadata();
    let text = |value: &Option<String>| value.clone().unwrap_or_default();
    let summary = Summary {
        repository: format!("{}/{}", folders.join("/"), metadata.name).parse().expect("a repository name"),
        version: metadata.version.as_ref().map(ToString::to_string),
        digest: Digest::sha256(agent.place.as_bytes()),
        description: text(&metadata.description),
        author: text(&metadata.author),
        capabilities: metadata.capabilities.clone(),
        tags: metadata.tags.clone(),
        model: metadata.model_reference().unwrap_or_default(),
        runtime: text(&metadata.runtime),
        license: text(&metadata.license),
        kind: if source.kind() == SourceKind::Skill { "skill" } else { "agent" }.to_owned(),
        updated_at: Timestamp::now(),
    };
    Document {
        repository_id,
        versions: metadata.version.clone().into_iter().collect(),
        summary,
        readme: readme(&source),
        signed: false,
        visibility: Visibility::Public,
        as_of: 1,
    }
}

/// The text beside the description: the one that a registry reads, too.
fn readme(source: &Source) -> String {
    let folder = (source.kind() != SourceKind::Single).then(|| source.root());
    let found = ["README.md", "SKILL.md"].into_iter().find_map(|name| fs::read_to_string(folder?.join(name)).ok());
    let text = found.unwrap_or_default();
    match text.strip_prefix("---").and_then(|rest| rest.split_once("\n---")) {
        Some((_, body)) => body.trim_start().to_owned(),
        None => text,
    }
}
