//! Every real agent at hand goes in, is found, comes back byte for byte, and is not sent twice.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use agent_registry::client::{
    Cache, Catalogue, PullRequest, PullState, PushReport, PushRequest, Selector, Silent, Store, pull, push,
};
use agent_registry::oci::{Digest, RepositoryName, Tag};
use agent_registry::package::{Artifact, Overrides, Source, slug};
use agent_registry::remote::{Endpoint, Options, Remote};
use futures_util::{StreamExt as _, stream};

#[path = "support/contents.rs"]
mod contents;
#[path = "support/corpus.rs"]
mod corpus;
#[path = "support/process.rs"]
mod process;
#[path = "support/programs.rs"]
mod programs;

use contents::{contents, expected};
use corpus::{RealAgent, real_agents};
use process::Process;
use programs::{client, ok};

/// Agents that do not go in: where they are, and a part of the reason. At most one in a hundred.
const REJECTED: &[(&str, &str)] = &[];

/// Pushes and pulls under way at once.
const AT_ONCE: usize = 8;

/// An agent of the corpus that packs.
struct Packed {
    source: PathBuf,
    place: String,
    repository: RepositoryName,
    tag: Tag,
    artifact: Artifact,
}

#[test]
fn every_real_agent_goes_up_is_found_and_comes_down() {
    let agents = real_agents();
    let packed = pack_all(&agents);
    let server = Process::spawn();
    let endpoint = Endpoint::parse(&format!("http://{}", server.host()), false).expect("an endpoint");
    let remote = Remote::connect(endpoint, Options::default()).expect("a registry");
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    runtime.block_on(async {
        for report in push_all(&remote, &packed).await {
            assert!(!report.is_unchanged && report.uploaded_blobs > 0, "{report:?}");
        }
        all_are_indexed(&remote, &packed).await;
        all_come_back(&remote, &packed).await;
        for report in push_all(&remote, &packed).await {
            assert_eq!((report.is_unchanged, report.uploaded_blobs, report.uploaded_bytes), (true, 0, 0), "{report:?}");
        }
    });
    ten_come_through_oras(&server, &packed);
}

/// Packs what can be packed; what cannot is known, with its reason.
fn pack_all(agents: &[RealAgent]) -> Vec<Packed> {
    let (mut packed, mut rejected) = (vec![], vec![]);
    for agent in agents {
        match pack(&agent.path) {
            Ok(artifact) => packed.push(placed(agent, artifact)),
            Err(reason) => rejected.push((agent.place.clone(), reason)),
        }
    }
    assert_eq!(rejected.len(), REJECTED.len(), "{rejected:#?}");
    for ((place, reason), (known_place, known_reason)) in rejected.iter().zip(REJECTED) {
        assert!(place == known_place && reason.contains(known_reason), "{place}: {reason}");
    }
    assert!(rejected.len() * 100 <= agents.len(), "{} of {} are rejected", rejected.len(), agents.len());
    let names: BTreeMap<_, _> = packed.iter().map(|agent| (&agent.repository, &agent.place)).collect();
    assert_eq!(names.len(), packed.len(), "each agent has a repository of its own");
    packed
}

fn pack(path: &Path) -> Result<Artifact, String> {
    let source = Source::open(path).map_err(|error| chain(&error))?;
    let draft = source.draft(&Overrides::default()).map_err(|error| chain(&error))?;
    draft.pack().map_err(|error| chain(&error))
}

/// An error with all its causes.
fn chain(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(Some(error), |error| error.source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

/// A repository as the corpus has it: many agents have the same name, each in a folder of its own.
fn placed(agent: &RealAgent, artifact: Artifact) -> Packed {
    let metadata = &artifact.config().metadata;
    let folder = agent.place.rsplit_once('/').map_or("", |(folder, _)| folder);
    let folders = folder.split('/').map(|part| slug(part).expect("a folder with letters")).collect::<Vec<_>>();
    let repository = format!("{}/{}", folders.join("/"), metadata.name).parse().expect("a repository name");
    let tag = metadata.version.as_ref().map_or_else(|| "latest".parse().expect("a tag"), |it| it.tag().clone());
    Packed { source: agent.path.clone(), place: agent.place.clone(), repository, tag, artifact }
}

async fn push_all(remote: &Remote, packed: &[Packed]) -> Vec<PushReport> {
    let pushes = packed.iter().map(|agent| async move {
        let request = PushRequest {
            remote,
            repository: agent.repository.clone(),
            tag: agent.tag.clone(),
            artifact: &agent.artifact,
            force: false,
            dry_run: false,
            progress: &Silent,
        };
        let report = push(request).await.unwrap_or_else(|error| panic!("{}: {}", agent.place, chain(&error)));
        assert_eq!(report.digest, agent.artifact.manifest().digest(), "{}", agent.place);
        assert!(report.tags.contains(&agent.tag), "{}: {:?}", agent.place, report.tags);
        report
    });
    stream::iter(pushes).buffer_unordered(AT_ONCE).collect().await
}

/// The list shows each package once, and each can be asked for by name.
async fn all_are_indexed(remote: &Remote, packed: &[Packed]) {
    let catalogue = Catalogue::detect(remote).await.expect("an answer").expect("a catalogue");
    let hits = catalogue.search("", None).await.expect("a list");
    let found: BTreeMap<_, _> = hits.iter().map(|hit| (&hit.summary.repository, hit.summary.digest)).collect();
    let pushed: BTreeMap<_, _> =
        packed.iter().map(|agent| (&agent.repository, agent.artifact.manifest().digest())).collect();
    assert_eq!(hits.len(), packed.len());
    assert_eq!(found, pushed);
    for agent in packed {
        let package = catalogue.package(&agent.repository, None).await.expect("an answer");
        let package = package.unwrap_or_else(|| panic!("{} is not indexed", agent.place));
        assert_eq!(package.digest, agent.artifact.manifest().digest(), "{}", agent.place);
        assert_eq!(package.metadata(), agent.artifact.config().metadata, "{}", agent.place);
        assert!(package.checked, "{} was compared with its configuration", agent.place);
    }
}

/// Each is pulled into an empty folder, and what is there packs to the same digest again.
async fn all_come_back(remote: &Remote, packed: &[Packed]) {
    let home = tempfile::tempdir().expect("a folder");
    let store = Store::open(&home.path().join("store")).expect("a store");
    let cache = Cache::open(&home.path().join("cache")).expect("a cache");
    let (store, cache) = (&store, &cache);
    let pulls = packed.iter().map(|agent| async move {
        let folder = tempfile::tempdir().expect("a folder");
        let request = PullRequest {
            remote: Some(remote),
            repository: agent.repository.clone(),
            selector: Selector::Default,
            directory: folder.path().to_owned(),
            force: false,
            dry_run: false,
            store,
            cache,
            progress: &Silent,
        };
        let report = pull(request).await.unwrap_or_else(|error| panic!("{}: {}", agent.place, chain(&error)));
        let digest: Digest = agent.artifact.manifest().digest();
        assert_eq!((report.digest, report.state), (digest, PullState::Written), "{}", agent.place);
        assert_eq!(contents(&report.path), expected(&agent.source), "{}", agent.place);
        let again = pack(&report.path).expect("a pulled copy packs");
        assert_eq!(again.manifest().digest(), digest, "{}", agent.place);
    });
    stream::iter(pulls).buffer_unordered(AT_ONCE).collect::<Vec<()>>().await;
}

/// Ten from all over the corpus, through a client that knows nothing of packages.
fn ten_come_through_oras(server: &Process, packed: &[Packed]) {
    let oras = client("oras");
    for agent in packed.iter().step_by(packed.len() / 10).take(10) {
        let folder = tempfile::tempdir().expect("a folder");
        let mut command = Command::new(&oras);
        command.env_clear().env("HOME", folder.path()).args(["pull", "--plain-http", "--output"]).arg(folder.path());
        ok(command.arg(format!("{}/{}:{}", server.host(), agent.repository, agent.tag)));
        let pulled = folder.path().join(agent.repository.package());
        assert_eq!(contents(&pulled), expected(&agent.source), "{}", agent.place);
    }
}
