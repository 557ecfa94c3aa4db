//! Packages on their way between folders, the local store and a real registry in this process.
#![expect(clippy::unwrap_used, reason = "a failing test may panic")]

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use agent_registry::client::{
    Cache, Catalogue, Error, Outcome, Progress, PullReport, PullRequest, PullState, PushReport, PushRequest,
    PushStoredRequest, Selector, Silent, Store, describe, find_unchanged, pull, push, push_stored,
};
use agent_registry::oci::{Algorithm, Descriptor, Digest, Manifest, RepositoryName, Tag, Target};
use agent_registry::package::{Artifact, ArtifactKind, Draft, Overrides, Source};
use agent_registry::remote::{BlobSource, Endpoint, Options, Remote};
use agent_registry::server::{Config, Server};
use tempfile::TempDir;
use tokio::sync::oneshot;

/// A registry, a store, a cache and a folder to pull into; all go with the value.
struct Place {
    remote: Remote,
    store: Store,
    cache: Cache,
    work: PathBuf,
    // Dropped, it ends the server.
    _stop: oneshot::Sender<()>,
    _folder: TempDir,
}

impl Place {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (data, listen) = (folder.path().join("data"), ([127, 0, 0, 1], 0).into());
        let server =
            Server::bind(Config { data, listen, workers: Some(1), insecure_no_auth: true, ..Config::default() })
                .await
                .unwrap();
        let endpoint = Endpoint::parse(server.url(), false).unwrap();
        let (stop, stopped) = oneshot::channel::<()>();
        tokio::spawn(server.run(async move { drop(stopped.await) }));
        let work = folder.path().join("work");
        fs::create_dir(&work).unwrap();
        Self {
            remote: Remote::connect(endpoint, Options::default()).unwrap(),
            store: Store::open(&folder.path().join("store")).unwrap(),
            cache: Cache::open(&folder.path().join("cache")).unwrap(),
            work,
            _stop: stop,
            _folder: folder,
        }
    }

    fn push<'a>(&'a self, artifact: &'a Artifact, tag: &str) -> PushRequest<'a> {
        let (repository, tag) = (name("team/demo"), tag.parse().unwrap());
        PushRequest { remote: &self.remote, repository, tag, artifact, force: false, dry_run: false, progress: &Silent }
    }

    async fn pull(&self, selector: Selector) -> Result<PullReport, Error> {
        pull(PullRequest {
            remote: Some(&self.remote),
            repository: name("team/demo"),
            selector,
            directory: self.work.clone(),
            force: false,
            dry_run: false,
            store: &self.store,
            cache: &self.cache,
            progress: &Silent,
        })
        .await
    }

    async fn tagged(&self, tag: &str) -> Option<Digest> {
        let target = Target::Tag(tag.parse().unwrap());
        self.remote.head_manifest(&name("team/demo"), &target).await.unwrap().map(|found| found.digest)
    }
}

fn name(text: &str) -> RepositoryName {
    text.parse().unwrap()
}

fn tags(texts: &[&str]) -> Vec<Tag> {
    texts.iter().map(|text| text.parse().unwrap()).collect()
}

fn source(version: &str, files: &[(&str, &str)]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let agent = format!(
        "apiVersion: agent.dev/v1\nkind: Agent\nmetadata: {{name: demo, version: {version}, description: Sorts issues}}\n\
         spec: {{runtime: go, model: {{provider: openai, name: gpt-4}}}}\n"
    );
    for (path, text) in files.iter().copied().chain([("agent.yaml", agent.as_str())]) {
        let path = folder.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    folder
}

fn pack(folder: &Path) -> Artifact {
    Source::open(folder).unwrap().draft(&Overrides::default()).unwrap().pack().unwrap()
}

fn package(version: &str, readme: &str) -> Artifact {
    pack(source(version, &[("README.md", readme), ("src/main.go", "package main\n")]).path())
}

fn sent(report: &PushReport) -> (usize, usize, bool) {
    (report.uploaded_blobs, report.existing_blobs, report.is_unchanged)
}

#[derive(Default)]
struct Ends(Mutex<Vec<Outcome>>);

impl Progress for Ends {
    fn begin(&self, _blob: &Descriptor, _what: &str) {}
    fn advance(&self, _digest: &Digest, _done: u64) {}
    fn end(&self, _digest: &Digest, how: Outcome) {
        self.0.lock().unwrap().push(how);
    }
    fn note(&self, _message: &str) {}
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_pushed_is_pulled_and_sent_only_once() {
    let place = Place::new().await;
    let first = package("1.0.0", "one\n");
    let report = push(place.push(&first, "1.0.0")).await.unwrap();
    assert_eq!((sent(&report), &report.tags[..]), ((4, 0, false), &tags(&["1.0.0"])[..]));
    assert_eq!(report.uploaded_bytes, first.manifest().content_bytes());
    let again = push(place.push(&first, "1.0.0")).await.unwrap();
    assert_eq!((sent(&again), again.uploaded_bytes), ((0, 4, true), 0));
    let retagged = push(place.push(&first, "stable")).await.unwrap();
    assert_eq!((sent(&retagged), place.tagged("stable").await), ((0, 4, false), Some(report.digest)));
    let second = package("1.1.0", "one\n");
    // Only agent.yaml and the configuration differ.
    assert_eq!(sent(&push(place.push(&second, "1.1.0")).await.unwrap()), (2, 2, false));
    let pulled = place.pull(Selector::Range("~1.0".parse().unwrap())).await.unwrap();
    assert_eq!((pulled.digest, pulled.state), (first.manifest().digest(), PullState::Written));
    let pulled = place.pull(Selector::Default).await.unwrap();
    assert_eq!((pulled.digest, pulled.state), (second.manifest().digest(), PullState::Replaced));
    assert_eq!(pulled.tag, Some("1.1.0".parse().unwrap()), "there is no `latest`");
    assert_eq!(fs::read_to_string(place.work.join("demo/src/main.go")).unwrap(), "package main\n");
    let pulled = place.pull(Selector::Digest(first.manifest().digest())).await.unwrap();
    assert_eq!((pulled.state, pulled.transferred_bytes), (PullState::Replaced, 0));
    assert!(matches!(place.pull(Selector::Tag("9.9.9".parse().unwrap())).await, Err(Error::NotFound { .. })));
}

#[tokio::test(flavor = "multi_thread")]
async fn latest_brings_its_version_along_but_never_moves_one() {
    let place = Place::new().await;
    let (one, other) = (package("1.0.0", "one\n"), package("1.0.0", "other\n"));
    let report = push(place.push(&one, "latest")).await.unwrap();
    assert_eq!((&report.tags[..], report.warnings.len()), (&tags(&["latest", "1.0.0"])[..], 0));
    assert_eq!(place.tagged("1.0.0").await, Some(one.manifest().digest()));
    let report = push(place.push(&other, "latest")).await.unwrap();
    assert_eq!((&report.tags[..], report.warnings.len()), (&tags(&["latest"])[..], 1));
    assert!(report.warnings[0].contains(&one.manifest().digest().to_string()), "{:?}", report.warnings);
    assert_eq!(place.tagged("latest").await, Some(other.manifest().digest()));
    assert_eq!(place.tagged("1.0.0").await, Some(one.manifest().digest()));
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_to_push_is_found_before_anything_is_packed() {
    let place = Place::new().await;
    let folder = source("1.0.0", &[("README.md", "one")]);
    let draft = || Source::open(folder.path()).unwrap().draft(&Overrides::default()).unwrap();
    let find = async |tag: &str, draft: &Draft| {
        find_unchanged(&place.remote, &name("team/demo"), &tag.parse().unwrap(), draft).await.unwrap()
    };
    assert_eq!(find("latest", &draft()).await, None);
    let pushed = push(place.push(&pack(folder.path()), "latest")).await.unwrap();
    let found = find("latest", &draft()).await.unwrap();
    assert_eq!((found.digest, &found.tags, found.is_unchanged), (pushed.digest, &tags(&["latest", "1.0.0"]), true));
    assert_eq!(find("1.0.0", &draft()).await.unwrap().digest, pushed.digest);
    assert_eq!(find("other", &draft()).await, None);
    let dated = Overrides { created: Some("2026-01-01T00:00:00Z".parse().unwrap()), ..Overrides::default() };
    assert_eq!(find("latest", &Source::open(folder.path()).unwrap().draft(&dated).unwrap()).await, None);
    fs::write(folder.path().join("README.md"), "two").unwrap();
    assert_eq!(find("latest", &draft()).await, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_version_moves_only_by_force() {
    let place = Place::new().await;
    let (one, other) = (package("1.0.0", "one\n"), package("1.0.0", "other\n"));
    push(place.push(&one, "1.0.0")).await.unwrap();
    let error = push(place.push(&other, "1.0.0")).await.unwrap_err();
    assert!(matches!(error, Error::TagTaken { .. }) && error.hint().unwrap().contains("--force"), "{error}");
    assert!(error.to_string().contains(&one.manifest().digest().to_string()), "{error}");
    assert_eq!(place.tagged("1.0.0").await, Some(one.manifest().digest()));
    let report = push(PushRequest { force: true, ..place.push(&other, "1.0.0") }).await.unwrap();
    assert_eq!((report.is_unchanged, place.tagged("1.0.0").await), (false, Some(other.manifest().digest())));
    let error = push(place.push(&one, "2.0.0")).await.unwrap_err();
    assert_eq!(error.to_string(), "the tag `2.0.0` says another version than the package, which is 1.0.0");
    assert!(error.hint().unwrap().contains("--set-version 2.0.0"));
    let elsewhere = PushRequest { repository: name("team/other"), ..place.push(&one, "dev") };
    assert!(matches!(push(elsewhere).await, Err(Error::NameDiffers { .. })));
    assert_eq!(place.tagged("2.0.0").await, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_pushes_of_one_version_at_once_one_is_refused() {
    for tag in ["1.0.0", "latest"] {
        let place = Place::new().await;
        let (one, other) = (package("1.0.0", "one\n"), package("1.0.0", "other\n"));
        let ends = tokio::join!(push(place.push(&one, tag)), push(place.push(&other, tag)));
        let version = place.tagged("1.0.0").await.unwrap();
        let ends = [ends.0, ends.1];
        // `latest` may go to either; who finds it at the other's is told so.
        let is_expected = |end: &_| matches!(end, Ok(_) | Err(Error::TagTaken { .. } | Error::ReadBack { .. }));
        assert!(ends.iter().all(is_expected), "{ends:?}");
        let done: Vec<_> = ends.into_iter().flatten().collect();
        assert!(tag == "latest" || done.len() == 1, "{done:?}");
        let claims = done.iter().filter(|report| report.tags.contains(&"1.0.0".parse().unwrap()));
        assert!(claims.into_iter().all(|report| report.digest == version), "nobody's version is taken away: {done:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dry_run_pushes_nothing() {
    let place = Place::new().await;
    let artifact = package("1.0.0", "one\n");
    let report = push(PushRequest { dry_run: true, ..place.push(&artifact, "latest") }).await.unwrap();
    assert_eq!((sent(&report), &report.tags[..]), ((4, 0, false), &tags(&["latest", "1.0.0"])[..]));
    assert!(place.remote.repositories().await.unwrap().is_empty());
    for blob in artifact.blobs() {
        assert!(!place.remote.has_blob(&name("team/demo"), &blob.descriptor.digest).await.unwrap());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_source_that_changes_on_the_way_is_noticed_and_nothing_tagged() {
    let place = Place::new().await;
    let size = 9 * 1024 * 1024;
    let folder = source("1.0.0", &[("weights.bin", &"w".repeat(size))]);
    let artifact = pack(folder.path());
    for changed in ["x".repeat(size), "x".repeat(size + 1)] {
        fs::write(folder.path().join("weights.bin"), changed).unwrap();
        let error = push(place.push(&artifact, "latest")).await.unwrap_err();
        assert!(matches!(&error, Error::Changed(path) if path.ends_with("weights.bin")), "{error}");
        assert_eq!((place.tagged("latest").await, place.tagged("1.0.0").await), (None, None));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_large_file_is_continued_where_it_stopped() {
    let place = Place::new().await;
    let weights = "0123456789".repeat(900 * 1024);
    let artifact = pack(source("1.0.0", &[("weights.bin", &weights)]).path());
    assert!(matches!(push(place.push(&artifact, "1.0.0")).await, Err(Error::Io { .. })), "the folder is gone");
    let folder = source("1.0.0", &[("weights.bin", &weights)]);
    let artifact = pack(folder.path());
    push(place.push(&artifact, "1.0.0")).await.unwrap();
    let blob = artifact.blobs().iter().find(|blob| blob.descriptor.size == weights.len() as u64).unwrap();
    let partial =
        place.work.parent().unwrap().join(format!("cache/blobs/sha256/{}.partial", blob.descriptor.digest.hex()));
    fs::write(&partial, &weights[..8_000_000]).unwrap();
    let report = place.pull(Selector::Default).await.unwrap();
    assert_eq!(report.transferred_bytes, artifact.manifest().content_bytes() - 8_000_000);
    assert_eq!(fs::read_to_string(place.work.join("demo/weights.bin")).unwrap(), weights);
    assert!(!partial.exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_stored_is_pushed_and_taken_over_where_it_can_be() {
    let place = Place::new().await;
    let artifact = package("1.0.0", "one\n");
    let host = place.remote.endpoint().host().clone();
    place.store.add_artifact(&artifact, &[format!("{host}/team/demo:1.0.0").parse().unwrap()]).unwrap();
    let ends = Ends::default();
    let stored = |repository: &str, progress| PushStoredRequest {
        remote: &place.remote,
        repository: name(repository),
        tag: "1.0.0".parse().unwrap(),
        manifest: artifact.manifest(),
        store: &place.store,
        force: false,
        dry_run: false,
        progress,
    };
    assert_eq!(sent(&push_stored(stored("team/demo", &Silent)).await.unwrap()), (4, 0, false));
    let report = push_stored(stored("other/demo", &ends)).await.unwrap();
    assert_eq!((sent(&report), report.uploaded_bytes), ((0, 4, false), 0));
    assert_eq!(*ends.0.lock().unwrap(), [Outcome::Mounted; 4]);
    let config = &artifact.blobs()[1].descriptor.digest;
    fs::remove_file(place.store.blob_path(config)).unwrap();
    place.store.remove(&format!("{host}/team/demo:1.0.0").parse().unwrap()).unwrap();
    let error = push_stored(stored("third/demo", &Silent)).await.unwrap_err();
    assert!(matches!(error, Error::Missing { .. }), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_catalogue_and_any_artifact_can_be_asked() {
    let place = Place::new().await;
    for version in ["1.0.0", "1.1.0"] {
        push(place.push(&package(version, "one\n"), "latest")).await.unwrap();
    }
    let catalogue = Catalogue::detect(&place.remote).await.unwrap().unwrap();
    assert_eq!(catalogue.info().name, "agent-registry");
    let found = catalogue.search("sorts capability:* -runtime:python", None).await.unwrap();
    assert!(found.is_empty(), "it has no capability");
    assert_eq!(catalogue.search("sorts & runtime:go", Some(5)).await.unwrap().len(), 1, "a sign is no word");
    let found = catalogue.search("sorts runtime:go", Some(5)).await.unwrap();
    assert_eq!((found.len(), found[0].summary.version.as_deref()), (1, Some("1.1.0")));
    assert_eq!(catalogue.search("sorts", Some(1)).await.unwrap(), found[..1]);
    assert!(catalogue.search("sorts", Some(0)).await.unwrap().is_empty());
    let package = catalogue.package(&name("team/demo"), None).await.unwrap().unwrap();
    assert_eq!(package.version.unwrap(), "1.1.0");
    let target = Target::Tag("1.0.0".parse().unwrap());
    let package = catalogue.package(&name("team/demo"), Some(&target)).await.unwrap().unwrap();
    assert_eq!(package.version.unwrap(), "1.0.0");
    assert_eq!(catalogue.versions(&name("team/demo"), None).await.unwrap().unwrap().len(), 2);
    assert!(catalogue.package(&name("team/none"), None).await.unwrap().is_none());
    assert!(catalogue.versions(&name("team/none"), None).await.unwrap().is_none());
    let described = describe(&place.remote, &name("team/demo"), &target).await.unwrap().unwrap();
    assert_eq!((&described.kind, described.problem.is_none()), (&ArtifactKind::Agent, true));
    assert_eq!(described.config.unwrap().metadata.name, "demo");
    let absent = Target::Tag("nope".parse().unwrap());
    assert!(describe(&place.remote, &name("team/demo"), &absent).await.unwrap().is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_others_pushed_is_described_but_not_pulled() {
    let place = Place::new().await;
    let (repository, config) = (name("team/demo"), br#"{"name":"chart"}"#.as_slice());
    let digest = Digest::sha256(config);
    let source = BlobSource::Bytes(config.into());
    place.remote.push_blob(&repository, &digest, config.len() as u64, &source, &|_| ()).await.unwrap();
    let text = format!(
        r#"{{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":{{"mediaType":"application/vnd.cncf.helm.config.v1+json","digest":"{digest}","size":{}}},"layers":[]}}"#,
        config.len()
    );
    let manifest = Manifest::parse(text.into(), None, Algorithm::Sha256).unwrap();
    place.remote.put_manifest(&repository, &manifest, &tags(&["latest"])).await.unwrap();
    let described = describe(&place.remote, &repository, &Target::Tag(Tag::latest())).await.unwrap().unwrap();
    assert_eq!((described.kind, described.facts.unwrap()["name"].as_str()), (ArtifactKind::HelmChart, Some("chart")));
    assert!(described.config.is_none());
    let error = place.pull(Selector::Default).await.unwrap_err();
    assert!(matches!(error, Error::NotAPackage { kind: ArtifactKind::HelmChart, .. }), "{error}");
    assert!(fs::read_dir(&place.work).unwrap().next().is_none());
}
