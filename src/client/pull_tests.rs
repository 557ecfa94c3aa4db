//! Tests of pulling: what is written, what is refused, and that a refusal writes nothing.
#![expect(clippy::unwrap_used, reason = "a failing test may panic")]

use std::fs;
use std::path::PathBuf;

use super::fixture::{Answer, Home, Recorder, Registry, Request, bytes_of, package, reference, registry_of, write};
use super::{Error, PullReport, PullRequest, PullState, Selector, pull};
use crate::oci::{Digest, ManifestKind};
use crate::package::{Artifact, ArtifactKind, Difference, tree_layer};
use crate::remote::Remote;

fn request<'a>(home: &'a Home, remote: Option<&'a Remote>, progress: &'a Recorder) -> PullRequest<'a> {
    PullRequest {
        remote,
        repository: "team/demo".parse().unwrap(),
        selector: Selector::Default,
        directory: home.work.clone(),
        force: false,
        dry_run: false,
        store: &home.store,
        cache: &home.cache,
        progress,
    }
}

async fn pull_latest(home: &Home, registry: &Registry) -> Result<PullReport, Error> {
    pull(request(home, Some(&registry.remote()), &Recorder::default())).await
}

fn nothing_else(_: &Request) -> Option<Answer> {
    None
}

fn demo(version: &str, readme: &str) -> Artifact {
    package(version, &[("README.md", readme), ("src/main.go", "package main\n")])
}

const FILES: [&str; 3] = ["demo/README.md", "demo/agent.yaml", "demo/src/main.go"];

#[tokio::test]
async fn a_package_is_written_once_and_then_up_to_date() {
    let (home, artifact) = (Home::new(), demo("1.0.0", "one\n"));
    let registry = registry_of(&artifact, nothing_else);
    let first = pull_latest(&home, &registry).await.unwrap();
    assert_eq!((first.state, first.digest), (PullState::Written, artifact.manifest().digest()));
    assert_eq!((first.path.clone(), first.tag.unwrap().as_str()), (home.work.join("demo"), "latest"));
    assert_eq!(first.transferred_bytes, artifact.manifest().content_bytes());
    assert_eq!(home.files(), FILES);
    let second = pull_latest(&home, &registry).await.unwrap();
    assert_eq!((second.state, second.transferred_bytes), (PullState::UpToDate, 0));
    let stored = home.store.entries().unwrap().remove(0);
    let expected = format!("{}/team/demo:latest", registry.remote().endpoint().host());
    assert_eq!((stored.reference.to_string(), stored.config.as_ref()), (expected, Some(artifact.config())));
    for blob in artifact.blobs() {
        assert!(home.store.blob_path(&blob.descriptor.digest).exists(), "the store is a whole layout");
    }
    fs::remove_dir_all(home.work.join("demo")).unwrap();
    let third = pull_latest(&home, &registry).await.unwrap();
    assert_eq!((third.state, third.transferred_bytes), (PullState::Written, 0), "nothing is fetched twice");
}

#[tokio::test]
async fn an_unedited_folder_is_replaced_an_edited_one_is_not() {
    let (home, old, new) = (Home::new(), demo("1.0.0", "one\n"), demo("2.0.0", "two\n"));
    pull_latest(&home, &registry_of(&old, nothing_else)).await.unwrap();
    let registry = registry_of(&new, nothing_else);
    write(&home.work.join("demo"), &[("README.md", "mine\n"), ("extra.txt", "x"), (".env", "SECRET=1\n")]);
    let error = pull_latest(&home, &registry).await.unwrap_err();
    let Error::Edited { path, differences } = &error else { panic!("{error}") };
    let expected = [Difference::Changed("README.md".parse().unwrap()), Difference::Added("extra.txt".parse().unwrap())];
    assert_eq!((path, &differences[..]), (&home.work.join("demo"), &expected[..]));
    assert_eq!(fs::read_to_string(home.work.join("demo/README.md")).unwrap(), "mine\n");
    fs::remove_file(home.work.join("demo/extra.txt")).unwrap();
    write(&home.work.join("demo"), &[("README.md", "one\n")]);
    let report = pull_latest(&home, &registry).await.unwrap();
    assert_eq!((report.state, report.kept.len()), (PullState::Replaced, 1));
    assert_eq!(fs::read_to_string(home.work.join("demo/README.md")).unwrap(), "two\n");
    assert_eq!(fs::read_to_string(home.work.join("demo/.env")).unwrap(), "SECRET=1\n");
    write(&home.work.join("demo"), &[("README.md", "mine\n")]);
    let (remote, recorder) = (registry_of(&old, nothing_else), Recorder::default());
    let remote = (remote.remote(), remote);
    let forced = PullRequest { force: true, ..request(&home, Some(&remote.0), &recorder) };
    assert_eq!(pull(forced).await.unwrap().state, PullState::Replaced);
    assert_eq!(fs::read_to_string(home.work.join("demo/README.md")).unwrap(), "one\n");
}

#[tokio::test]
async fn a_folder_edited_while_layers_come_is_left_alone() {
    let (home, old, new) = (Home::new(), demo("1.0.0", "one\n"), demo("2.0.0", "two\n"));
    pull_latest(&home, &registry_of(&old, nothing_else)).await.unwrap();
    let readme = home.work.join("demo/README.md");
    // The tree is the same in both, so it is not fetched at all.
    let (edited, layer) = (readme.clone(), Digest::sha256(b"two\n").to_string());
    let registry = registry_of(&new, move |request| {
        if request.path.ends_with(&layer) {
            fs::write(&edited, "mine\n").unwrap();
        }
        None
    });
    assert!(matches!(pull_latest(&home, &registry).await, Err(Error::Edited { .. })));
    assert_eq!((fs::read_to_string(readme).unwrap(), home.files().len()), ("mine\n".to_owned(), FILES.len()));
}

#[tokio::test]
async fn a_dry_run_reads_and_leaves_no_trace() {
    let (home, artifact) = (Home::new(), demo("1.0.0", "one\n"));
    let (registry, recorder) = (registry_of(&artifact, nothing_else), Recorder::default());
    let remote = registry.remote();
    let report = pull(PullRequest { dry_run: true, ..request(&home, Some(&remote), &recorder) }).await.unwrap();
    assert_eq!(report.state, PullState::Written);
    assert!(home.files().is_empty() && home.store.entries().unwrap().is_empty());
    assert!(artifact.blobs().iter().all(|blob| !home.cache.path(&blob.descriptor).exists()));
    assert!(registry.requests().iter().all(|request| ["GET", "HEAD"].contains(&request.method.as_str())));
}

#[tokio::test]
async fn lies_about_layers_write_nothing() {
    let artifact = demo("1.0.0", "one\n");
    let tree = tree_layer(artifact.manifest()).unwrap().digest.to_string();
    let other = package("1.0.0", &[("README.md", "one\n"), ("src/main.go", "package evil\n")]);
    let blob = |digest: &Digest| other.blobs().iter().find(|blob| blob.descriptor.digest == *digest).map(bytes_of);
    let evil = tree_layer(other.manifest()).unwrap();
    let evil_bytes = blob(&evil.digest).unwrap();
    // Other bytes under the right digest.
    let (home, bytes) = (Home::new(), evil_bytes.clone());
    let registry =
        registry_of(&artifact, move |request| request.path.ends_with(&tree).then(|| Answer::with(bytes.clone())));
    let error = pull_latest(&home, &registry).await.unwrap_err();
    assert!(matches!(error, Error::Corrupt { .. }), "{error}");
    assert!(home.files().is_empty() && home.store.entries().unwrap().is_empty());
    // A manifest that is consistent in itself, with a tree its configuration does not list.
    let ManifestKind::Image { layers, .. } = artifact.manifest().kind() else { panic!() };
    let good = layers.iter().find(|layer| Some(*layer) == tree_layer(artifact.manifest())).unwrap();
    let text = String::from_utf8(artifact.manifest().bytes().to_vec()).unwrap();
    let text = text.replace(
        &serde_json_canonicalizer::to_string(good).unwrap(),
        &serde_json_canonicalizer::to_string(evil).unwrap(),
    );
    let (home, digest) = (Home::new(), evil.digest.to_string());
    let registry = registry_of(&artifact, move |request| {
        if request.path.ends_with("/manifests/latest") {
            let kind = "application/vnd.oci.image.manifest.v1+json";
            return Some(Answer::with(text.clone()).header("Content-Type", kind));
        }
        request.path.ends_with(&digest).then(|| Answer::with(evil_bytes.clone()))
    });
    let error = pull_latest(&home, &registry).await.unwrap_err();
    assert!(matches!(error, Error::Install(_)), "{error}");
    assert!(home.files().is_empty() && fs::read_dir(&home.work).unwrap().next().is_none());
    assert!(home.store.entries().unwrap().is_empty());
}

#[tokio::test]
async fn another_manifest_than_the_digest_asked_for_is_refused() {
    let (home, artifact, recorder) = (Home::new(), demo("1.0.0", "one\n"), Recorder::default());
    let wanted = demo("1.0.1", "one\n").manifest().digest();
    let answer = Answer::manifest(&artifact);
    let bare = Answer { headers: vec![answer.headers[0].clone()], ..answer };
    let registry = Registry::serve(move |_| bare.clone());
    let remote = registry.remote();
    let by_digest = PullRequest { selector: Selector::Digest(wanted), ..request(&home, Some(&remote), &recorder) };
    assert!(matches!(pull(by_digest).await, Err(Error::Remote(_))));
    assert!(home.files().is_empty());
}

#[tokio::test]
async fn a_damaged_cache_heals() {
    let (home, artifact) = (Home::new(), demo("1.0.0", "one\n"));
    let registry = registry_of(&artifact, nothing_else);
    for blob in artifact.blobs() {
        let mut bytes = bytes_of(blob);
        bytes[0] ^= 1;
        fs::write(home.cache.path(&blob.descriptor), bytes).unwrap();
    }
    let recorder = Recorder::default();
    let report = pull(request(&home, Some(&registry.remote()), &recorder)).await.unwrap();
    assert_eq!((report.state, home.files().len()), (PullState::Written, FILES.len()));
    assert_eq!(report.transferred_bytes, artifact.manifest().content_bytes());
    assert!(recorder.notes.lock().unwrap().iter().any(|note| note.contains("damaged")));
}

#[tokio::test]
async fn foreign_artifacts_are_called_by_their_name() {
    let home = Home::new();
    let config = Digest::sha256(b"{}");
    let chart = format!(
        r#"{{"schemaVersion":2,"config":{{"mediaType":"application/vnd.cncf.helm.config.v1+json","digest":"{config}","size":2}},"layers":[]}}"#
    );
    let registry = Registry::serve(move |_| {
        Answer::with(chart.clone()).header("Content-Type", "application/vnd.oci.image.manifest.v1+json")
    });
    let error = pull_latest(&home, &registry).await.unwrap_err();
    assert!(matches!(&error, Error::NotAPackage { kind: ArtifactKind::HelmChart, .. }), "{error}");
    assert!(error.to_string().ends_with("is no agent package: it is of kind Helm chart"));
    assert_eq!(error.hint().unwrap(), "try `helm pull`");
    assert!(home.files().is_empty() && home.store.entries().unwrap().is_empty());
}

#[tokio::test]
async fn ranges_and_defaults_are_resolved_from_the_tags() {
    let (home, artifact) = (Home::new(), demo("1.2.0", "one\n"));
    let manifest = Answer::manifest(&artifact);
    let registry = registry_of(&artifact, move |request| match request.path.split('?').next().unwrap() {
        "/v2/team/demo/tags/list" => Some(
            Answer::with(r#"{"name":"team/demo","tags":["1.2.0","1.0.0","2.0.0-rc.1","dev"]}"#)
                .header("Content-Type", "application/json"),
        ),
        "/v2/team/demo/manifests/1.2.0" => Some(manifest.clone()),
        "/v2/team/demo/manifests/latest" => Some(Answer::of(404)),
        _ => None,
    });
    let (remote, recorder) = (registry.remote(), Recorder::default());
    let select = |selector| PullRequest { selector, ..request(&home, Some(&remote), &recorder) };
    for selector in [Selector::Default, Selector::Range("^1".parse().unwrap())] {
        assert_eq!(pull(select(selector)).await.unwrap().tag.unwrap().as_str(), "1.2.0");
    }
    let error = pull(select(Selector::Range("^2".parse().unwrap()))).await.unwrap_err();
    assert!(matches!(&error, Error::NoMatch { .. }) && error.hint().unwrap().contains("pre-release"), "{error}");
    let error = pull(select(Selector::Tag("nope".parse().unwrap()))).await.unwrap_err();
    assert!(
        error.to_string().ends_with("team/demo:nope` does not exist; there are 1.2.0, 1.0.0, 2.0.0-rc.1, dev"),
        "{error}"
    );
}

#[tokio::test]
async fn what_is_stored_can_be_laid_down_without_a_registry() {
    let (home, artifact, recorder) = (Home::new(), demo("1.0.0", "one\n"), Recorder::default());
    home.store.add_artifact(&artifact, &[reference("r.example/team/demo:1.0.0")]).unwrap();
    let report = pull(request(&home, None, &recorder)).await.unwrap();
    assert_eq!((report.state, report.transferred_bytes), (PullState::Written, 0));
    assert_eq!(home.files(), FILES);
    let absent = PullRequest { selector: Selector::Tag("2.0.0".parse().unwrap()), ..request(&home, None, &recorder) };
    assert!(matches!(pull(absent).await, Err(Error::NotStored(_))));
    fs::remove_dir_all(home.work.join("demo")).unwrap();
    fs::remove_file(home.store.blob_path(&tree_layer(artifact.manifest()).unwrap().digest)).unwrap();
    assert!(matches!(pull(request(&home, None, &recorder)).await, Err(Error::Missing { .. })));
    assert!(home.files().is_empty());
}

#[tokio::test]
async fn a_file_in_the_way_goes_only_by_force() {
    let (home, artifact, recorder) = (Home::new(), demo("1.0.0", "one\n"), Recorder::default());
    let registry = registry_of(&artifact, nothing_else);
    let remote = registry.remote();
    fs::write(home.work.join("demo"), "in the way").unwrap();
    assert!(matches!(pull(request(&home, Some(&remote), &recorder)).await, Err(Error::Occupied(_))));
    assert_eq!(home.files(), ["demo"]);
    let report = pull(PullRequest { force: true, ..request(&home, Some(&remote), &recorder) }).await.unwrap();
    assert_eq!((report.state, home.files().len()), (PullState::Replaced, FILES.len()));
}

#[tokio::test]
async fn a_folder_that_cannot_be_written_is_named() {
    let (home, artifact, recorder) = (Home::new(), demo("1.0.0", "one\n"), Recorder::default());
    let registry = registry_of(&artifact, nothing_else);
    let remote = registry.remote();
    // Root may write anywhere, but below a file nobody can.
    fs::write(home.work.join("file"), "").unwrap();
    let directory: PathBuf = home.work.join("file/below");
    let error = pull(PullRequest { directory, ..request(&home, Some(&remote), &recorder) }).await.unwrap_err();
    assert!(error.to_string().contains("file/below"), "{error}");
    assert_eq!(home.files(), ["file"]);
}
