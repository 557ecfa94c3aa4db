//! The same tree gives the same manifest digest: whoever packs it, wherever, whenever, and again from a pulled copy.

use std::fs::{self, File};
use std::io::{self, Read};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, SystemTime};

use agent_registry::oci::Descriptor;
use agent_registry::package::{Artifact, BlobContent, Overrides, Source, stage};
use tempfile::TempDir;

#[path = "support/contents.rs"]
mod contents;
#[path = "support/corpus.rs"]
mod corpus;

/// Digests of `examples/packages`. They change with a file there, and with nothing else: a dependency that packs
/// differently has to be pinned, or every package in every registry counts as changed.
const GOLDEN: &[(&str, &str)] = &[
    ("incident-review", "sha256:1839c8ad605066a4d7ea06bbbbf2ac673a1eeeb435ddd4ba4ee424e9f4ad83db"),
    ("release-notes", "sha256:c4a08742c3595e0c1d36927eb78a77464837ee594baa98a15fa97f98f8985f68"),
    ("sentiment-analyzer", "sha256:dd9d35ed417d0773c910652892252c825fd02f9ec792cd32a668ffa21205da2d"),
];

fn example(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/packages").join(name)
}

fn pack(path: &Path) -> Artifact {
    let source = Source::open(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let draft = source.draft(&Overrides::default()).expect("a draft");
    draft.pack().expect("an artifact")
}

fn digest(path: &Path) -> String {
    pack(path).manifest().digest().to_string()
}

/// Copies a tree, and nothing but names, bytes and the executable bit.
fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a folder");
    for (path, entry) in contents::contents(from) {
        match entry {
            contents::Entry::Folder => fs::create_dir_all(to.join(path)).expect("a folder"),
            contents::Entry::File { bytes, is_executable } => {
                let target = to.join(path);
                fs::create_dir_all(target.parent().expect("a folder")).expect("a folder");
                fs::write(&target, bytes).expect("a file");
                let mode = if is_executable { 0o700 } else { 0o600 };
                fs::set_permissions(target, fs::Permissions::from_mode(mode)).expect("a mode");
            }
            contents::Entry::Other => panic!("{path} is neither file nor folder"),
        }
    }
}

/// A copy of an example, in a folder of the same name: a skill without a name is called after its folder.
fn copied(name: &str) -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join(name);
    copy(&example(name), &path);
    (folder, path)
}

/// Unpacks an artifact as a pull does, without a registry between.
fn pulled(artifact: &Artifact, directory: &Path) -> PathBuf {
    let mut open = |descriptor: &Descriptor| -> io::Result<Box<dyn Read>> {
        let blob = artifact.blobs().iter().find(|blob| blob.descriptor.digest == descriptor.digest);
        Ok(match &blob.expect("a layer of the artifact").content {
            BlobContent::Bytes(bytes) => Box::new(io::Cursor::new(bytes.clone())),
            BlobContent::File(path) => Box::new(File::open(path)?),
        })
    };
    let staged = stage(artifact.manifest(), artifact.config(), &mut open, directory).expect("a staged package");
    staged.swap().expect("a folder in place")
}

#[test]
fn the_examples_have_the_committed_digests() {
    let found: Vec<_> = GOLDEN.iter().map(|(name, _)| (*name, digest(&example(name)))).collect();
    let golden: Vec<_> = GOLDEN.iter().map(|(name, digest)| (*name, (*digest).to_owned())).collect();
    assert_eq!(found, golden);
    let folders = fs::read_dir(example("")).expect("the examples").count();
    assert_eq!(folders, GOLDEN.len(), "each example has a committed digest");
}

#[test]
fn place_time_modes_and_owner_do_not_matter() {
    for (name, golden) in GOLDEN {
        let (_folder, path) = copied(name);
        // Only root may give files away; what the test checks otherwise is the same for anyone.
        let mut is_given_away = true;
        for (number, file) in contents::contents(&path).keys().enumerate() {
            let file = path.join(file);
            is_given_away &= std::os::unix::fs::chown(&file, Some(1234), Some(5678)).is_ok();
            if file.is_file() {
                let time = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000_000 + number as u64);
                File::options().write(true).open(&file).and_then(|file| file.set_modified(time)).expect("a time");
            }
        }
        assert_eq!(digest(&path), *golden, "{name}, given away: {is_given_away}");
    }
}

#[test]
fn a_checkout_around_the_tree_does_not_matter() {
    for (name, golden) in GOLDEN {
        let (folder, path) = copied(name);
        // Rules outside the tree must not be read, neither the checkout's nor a person's own.
        fs::write(folder.path().join(".gitignore"), "*\n").expect("rules");
        git(folder.path(), &["init", "--quiet"]);
        fs::write(folder.path().join(".git/info/exclude"), "*.md\n").expect("rules");
        assert_eq!(digest(&path), *golden, "{name} in a checkout");
        git(&path, &["init", "--quiet"]);
        git(&path, &["add", "--all", "--force"]);
        assert_eq!(digest(&path), *golden, "{name} is a checkout");
    }
}

fn git(folder: &Path, arguments: &[&str]) {
    let status = Command::new("git").arg("-C").arg(folder).args(arguments).status();
    assert!(status.expect("git runs").success(), "git {arguments:?}");
}

#[test]
fn an_edit_an_executable_bit_and_an_empty_folder_do_matter() {
    let (_folder, path) = copied("sentiment-analyzer");
    let golden = digest(&path);
    fs::create_dir(path.join("empty")).expect("a folder");
    let with_folder = digest(&path);
    let script = path.join("sentiment/server.py");
    fs::set_permissions(&script, fs::Permissions::from_mode(0o755)).expect("a mode");
    let with_bit = digest(&path);
    fs::write(&script, "pass\n").expect("a file");
    let with_edit = digest(&path);
    let all = [&golden, &with_folder, &with_bit, &with_edit];
    for (place, digest) in all.iter().enumerate() {
        assert!(!all[..place].contains(digest), "{all:?}");
    }
}

#[test]
fn a_pulled_copy_of_any_real_agent_packs_to_the_same_digest() {
    for agent in corpus::real_agents() {
        let artifact = pack(&agent.path);
        let directory = tempfile::tempdir().expect("a folder");
        let path = pulled(&artifact, directory.path());
        assert_eq!(contents::contents(&path), contents::expected(&agent.path), "{}", agent.place);
        assert_eq!(pack(&path).manifest().digest(), artifact.manifest().digest(), "{}", agent.place);
    }
}
