//! Tests of the local store: what it holds, what it notices, and that processes share it.
#![expect(clippy::unwrap_used, reason = "a failing test may panic")]

use std::fs;
use std::path::Path;

use super::fixture::{pack, package, reference, source};
use super::{Error, Store};
use crate::oci::Digest;
use crate::package::ArtifactKind;

fn store() -> (tempfile::TempDir, Store) {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path()).unwrap();
    (folder, store)
}

fn references(store: &Store) -> Vec<String> {
    store.entries().unwrap().iter().map(|entry| entry.reference.to_string()).collect()
}

fn blobs(root: &Path) -> usize {
    fs::read_dir(root.join("blobs/sha256")).unwrap().count()
}

#[test]
fn what_is_added_is_an_image_layout_and_is_found_again() {
    let (folder, store) = store();
    assert!(store.entries().unwrap().is_empty());
    let artifact = package("1.0.0", &[("README.md", "# Demo\n"), ("src/main.go", "package main\n")]);
    let digest = artifact.manifest().digest();
    store.add_artifact(&artifact, &[reference("r.example:5000/team/demo:1.0.0"), reference("team/demo")]).unwrap();
    assert_eq!(references(&store), ["r.example:5000/team/demo:1.0.0", "team/demo:latest"]);
    let entry = store.entries().unwrap().remove(0);
    assert_eq!((entry.manifest, entry.kind, entry.problem.is_none()), (digest, ArtifactKind::Agent, true));
    assert_eq!((entry.config.as_ref(), entry.size), (Some(artifact.config()), artifact.manifest().content_bytes()));
    for found in ["r.example:5000/team/demo:1.0.0", "team/demo:1.0.0", "team/demo", &format!("team/demo@{digest}")] {
        assert_eq!(store.find(&reference(found)).unwrap().unwrap().bytes(), artifact.manifest().bytes(), "{found}");
    }
    for absent in ["other.example/team/demo:1.0.0", "team/demo:2.0.0", "team/other", "r.example:5000/team/demo"] {
        assert!(store.find(&reference(absent)).unwrap().is_none(), "{absent}");
    }
    let index: serde_json::Value =
        serde_json::from_slice(&fs::read(folder.path().join("index.json")).unwrap()).unwrap();
    assert_eq!(index["schemaVersion"], 2);
    let name = &index["manifests"][0]["annotations"]["org.opencontainers.image.ref.name"];
    assert_eq!(name, "r.example:5000/team/demo:1.0.0");
    let layout = fs::read_to_string(folder.path().join("oci-layout")).unwrap();
    assert_eq!(layout, r#"{"imageLayoutVersion":"1.0.0"}"#);
    for blob in artifact.blobs() {
        let bytes = fs::read(store.blob_path(&blob.descriptor.digest)).unwrap();
        assert_eq!(Digest::sha256(&bytes), blob.descriptor.digest);
    }
    assert!(Store::open(folder.path()).is_ok_and(|again| references(&again).len() == 2));
}

#[test]
fn a_moved_tag_leaves_what_it_pointed_at_under_its_digest() {
    let (_folder, store) = store();
    let (old, new) = (package("1.0.0", &[]), package("1.1.0", &[]));
    let latest = reference("team/demo:latest");
    store.add_artifact(&old, std::slice::from_ref(&latest)).unwrap();
    store.add_artifact(&new, std::slice::from_ref(&latest)).unwrap();
    let untagged = format!("team/demo@{}", old.manifest().digest());
    assert_eq!(references(&store), ["team/demo:latest", &untagged]);
    assert_eq!(store.tag(&reference(&untagged), &reference("team/demo:old")).unwrap(), old.manifest().digest());
    assert_eq!(references(&store), ["team/demo:latest", "team/demo:old"], "a tag is a better name than a digest");
    store.add_artifact(&new, &[latest]).unwrap();
    assert_eq!(references(&store).len(), 2, "storing the same again adds nothing");
    assert!(matches!(store.tag(&reference("team/demo:no"), &reference("a/b:c")), Err(Error::NotStored(_))));
}

#[test]
fn removal_takes_only_what_nothing_needs() {
    let (folder, store) = store();
    let shared = [("README.md", "the same\n")];
    let (one, two) = (package("1.0.0", &shared), package("2.0.0", &shared));
    store.add_artifact(&one, &[reference("team/demo:1.0.0"), reference("team/demo:stable")]).unwrap();
    store.add_artifact(&two, &[reference("team/demo:2.0.0")]).unwrap();
    let before = blobs(folder.path());
    let removed = store.remove(&reference("team/demo:1.0.0")).unwrap();
    assert_eq!((removed.bytes, removed.still), (0, vec![reference("team/demo:stable")]));
    assert_eq!(blobs(folder.path()), before);
    let removed = store.remove(&reference("team/demo:stable")).unwrap();
    // Manifest, configuration, agent.yaml and tree; the README is shared.
    assert_eq!(blobs(folder.path()), before - one.blobs().len());
    let readme = Digest::sha256(b"the same\n");
    let own = one.blobs().iter().filter(|blob| blob.descriptor.digest != readme);
    let own: u64 = own.map(|blob| blob.descriptor.size).sum();
    assert_eq!((removed.bytes, removed.still), (own + one.manifest().bytes().len() as u64, vec![]));
    assert!(store.blob_path(&readme).exists());
    assert!(matches!(store.remove(&reference("team/demo:stable")), Err(Error::NotStored(_))));
    let by_digest = format!("team/demo@{}", two.manifest().digest());
    store.remove(&reference(&by_digest)).unwrap();
    assert_eq!((blobs(folder.path()), references(&store).len()), (0, 0));
}

#[test]
fn damage_is_told_and_healed_by_storing_again() {
    let (_folder, store) = store();
    let (good, bad) = (package("1.0.0", &[]), package("2.0.0", &[]));
    store.add_artifact(&good, &[reference("team/demo:1.0.0")]).unwrap();
    store.add_artifact(&bad, &[reference("team/demo:2.0.0")]).unwrap();
    let manifest = store.blob_path(&bad.manifest().digest());
    let config = store.blob_path(&bad.blobs()[0].descriptor.digest);
    let bytes = fs::read(&manifest).unwrap();
    fs::write(&manifest, String::from_utf8(bytes).unwrap().replace("demo", "dem0")).unwrap();
    let find = || store.find(&reference("team/demo:2.0.0"));
    assert!(matches!(find(), Err(Error::Corrupt { .. })), "a wrong manifest");
    let entries = store.entries().unwrap();
    assert!(entries[0].problem.is_none() && entries[0].config.is_some());
    assert!(matches!(entries[1].problem, Some(Error::Corrupt { .. })) && entries[1].config.is_none());
    let blobs = fs::read_dir(manifest.parent().unwrap()).unwrap().count();
    assert_eq!(store.remove(&reference("team/demo:1.0.0")).unwrap().bytes, 0, "what the damaged one needs is unknown");
    assert_eq!(fs::read_dir(manifest.parent().unwrap()).unwrap().count(), blobs);
    fs::remove_file(&config).unwrap();
    store.add_artifact(&bad, &[reference("team/demo:2.0.0")]).unwrap();
    assert!(find().unwrap().is_some() && config.exists());
    fs::remove_file(&manifest).unwrap();
    assert!(matches!(find(), Err(Error::Missing { .. })));
    assert!(find().unwrap_err().to_string().contains("is missing from"));
}

#[test]
fn writers_take_turns_and_lose_nothing() {
    let (folder, store) = store();
    let root = folder.path();
    std::thread::scope(|scope| {
        for writer in 0..8 {
            scope.spawn(move || {
                // A handle of its own each: locks are between open files, whichever process has them.
                let store = Store::open(root).unwrap();
                let artifact = package(&format!("1.0.{writer}"), &[("README.md", "shared\n")]);
                store.add_artifact(&artifact, &[reference(&format!("team/demo:gone-{writer}"))]).unwrap();
                store.add_artifact(&artifact, &[reference(&format!("team/demo:1.0.{writer}"))]).unwrap();
                store.remove(&reference(&format!("team/demo:gone-{writer}"))).unwrap();
            });
        }
    });
    let expected: Vec<_> = (0..8).map(|writer| format!("team/demo:1.0.{writer}")).collect();
    assert_eq!(references(&store), expected);
    assert!(store.entries().unwrap().iter().all(|entry| entry.problem.is_none()));
    let left: Vec<_> = fs::read_dir(root).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left.len(), 4, "no temporary file stays: {left:?}");
}

#[test]
fn a_name_without_a_host_is_refused_where_it_means_two_things() {
    let (_folder, store) = store();
    let (one, two) = (package("1.0.0", &[]), package("1.0.0", &[("a.txt", "a")]));
    store.add_artifact(&one, &[reference("a.example/team/demo:1.0.0")]).unwrap();
    store.add_artifact(&two, &[reference("b.example/team/demo:1.0.0")]).unwrap();
    let error = store.find(&reference("team/demo:1.0.0")).unwrap_err();
    assert!(matches!(&error, Error::Ambiguous { candidates, .. } if candidates.len() == 2), "{error}");
    assert!(store.remove(&reference("team/demo:1.0.0")).is_err() && references(&store).len() == 2);
    let found = store.find(&reference("b.example/team/demo:1.0.0")).unwrap().unwrap();
    assert_eq!(found.digest(), two.manifest().digest());
    store.add_artifact(&two, &[reference("team/demo:1.0.0")]).unwrap();
    assert_eq!(store.find(&reference("team/demo:1.0.0")).unwrap().unwrap().digest(), two.manifest().digest());
}

#[test]
fn files_are_linked_but_only_if_they_are_what_they_should_be() {
    let (folder, store) = store();
    let artifact = package("1.0.0", &[("README.md", "# Demo\n")]);
    let files = tempfile::tempdir_in(folder.path()).unwrap();
    for blob in artifact.blobs() {
        let path = files.path().join(blob.descriptor.digest.hex());
        fs::write(path, super::fixture::bytes_of(blob)).unwrap();
    }
    let find = |digest: &Digest| Some(files.path().join(digest.hex()));
    store.add_manifest(artifact.manifest(), &find, &[reference("team/demo:1.0.0")]).unwrap();
    #[cfg(unix)]
    for blob in artifact.blobs() {
        use std::os::unix::fs::MetadataExt as _;
        let digest = &blob.descriptor.digest;
        assert_eq!(
            fs::metadata(store.blob_path(digest)).unwrap().ino(),
            fs::metadata(find(digest).unwrap()).unwrap().ino()
        );
    }
    let other = package("2.0.0", &[("README.md", "# Other\n")]);
    let wrong = |_: &Digest| Some(files.path().join(artifact.blobs()[0].descriptor.digest.hex()));
    let error = store.add_manifest(other.manifest(), &wrong, &[reference("team/demo:2.0.0")]).unwrap_err();
    assert!(matches!(error, Error::Corrupt { .. }), "{error}");
    assert_eq!(references(&store), ["team/demo:1.0.0"]);
}

#[test]
fn a_source_that_changes_before_it_is_stored_is_noticed() {
    let (_folder, store) = store();
    let folder = source("1.0.0", &[("weights.bin", &"w".repeat(9 * 1024 * 1024))]);
    let artifact = pack(folder.path());
    fs::write(folder.path().join("weights.bin"), "x".repeat(9 * 1024 * 1024)).unwrap();
    let error = store.add_artifact(&artifact, &[reference("team/demo:1.0.0")]).unwrap_err();
    assert!(matches!(&error, Error::Changed(path) if path.ends_with("weights.bin")), "{error}");
    assert!(references(&store).is_empty());
}

#[test]
fn layouts_of_others_are_left_as_they_are() {
    let (folder, store) = store();
    let index = folder.path().join("index.json");
    let digest = Digest::sha256(b"{}");
    let foreign = format!(
        r#"{{"schemaVersion":2,"x":[1],"manifests":[{{"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":"{digest}","size":2,"annotations":{{"org.opencontainers.image.ref.name":"v1"}}}}]}}"#
    );
    fs::write(&index, foreign).unwrap();
    store.add_artifact(&package("1.0.0", &[]), &[reference("team/demo:1.0.0")]).unwrap();
    assert_eq!(references(&store), ["team/demo:1.0.0"]);
    let written: serde_json::Value = serde_json::from_slice(&fs::read(&index).unwrap()).unwrap();
    assert_eq!((&written["x"][0], &written["manifests"][0]["digest"]), (&1.into(), &digest.to_string().into()));
    fs::write(&index, "{").unwrap();
    assert!(matches!(store.entries(), Err(Error::NotALayout { source: Some(_), .. })));
    fs::write(folder.path().join("oci-layout"), r#"{"imageLayoutVersion":"9.0.0"}"#).unwrap();
    assert!(matches!(Store::open(folder.path()), Err(Error::NotALayout { source: None, .. })));
}
