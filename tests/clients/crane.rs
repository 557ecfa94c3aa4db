//! crane against our server.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::agent::Agent;
use crate::layout::checked;
use crate::packages::{everything, example};
use crate::process::Process;
use crate::programs::{client, ok, run};

/// crane with a home of its own. Loopback is plain HTTP to it.
fn crane(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(client("crane"));
    command.env_clear().env("HOME", folder).current_dir(folder).args(arguments);
    command
}

/// Pushes an image of one layer, and gives its digest.
fn push_image(folder: &Path, reference: &str) -> String {
    fs::write(folder.join("file.txt"), "in the layer\n").expect("a file");
    ok(Command::new("tar").current_dir(folder).args(["-cf", "layer.tar", "file.txt"]));
    let pushed = ok(&mut crane(folder, &["append", "--oci-empty-base", "-f", "layer.tar", "-t", reference]));
    let (_, digest) = pushed.trim().split_once('@').expect("a digest");
    digest.to_owned()
}

#[test]
fn crane_pulls_a_package_as_an_image_layout() {
    let (server, agent) = (Process::spawn(), Agent::new());
    let (_parent, all) = everything();
    for source in [example("sentiment-analyzer"), all] {
        let name = source.file_name().expect("a name").to_string_lossy().into_owned();
        let reference = format!("{}/ai-team/{name}:1.0.0", server.host());
        let digest = agent.push(&reference, &source.to_string_lossy());
        let folder = tempfile::tempdir().expect("a folder");
        ok(&mut crane(folder.path(), &["pull", "--format=oci", &reference, "layout"]));
        assert_eq!(checked(&folder.path().join("layout")), digest);
        assert_eq!(ok(&mut crane(folder.path(), &["digest", &reference])).trim(), digest);
    }
}

#[test]
fn crane_pushes_lists_and_pulls_an_image() {
    let server = Process::spawn();
    let folder = tempfile::tempdir().expect("a folder");
    let reference = format!("{}/images/base:v1", server.host());
    let digest = push_image(folder.path(), &reference);
    ok(&mut crane(folder.path(), &["tag", &reference, "v2"]));
    let tags = ok(&mut crane(folder.path(), &["ls", &format!("{}/images/base", server.host())]));
    assert_eq!(tags.lines().collect::<Vec<_>>(), ["v1", "v2"]);
    assert_eq!(ok(&mut crane(folder.path(), &["catalog", server.host()])).trim(), "images/base");
    ok(&mut crane(folder.path(), &["validate", "--remote", &reference]));
    ok(&mut crane(folder.path(), &["pull", "--format=oci", &reference, "layout"]));
    assert_eq!(checked(&folder.path().join("layout")), digest);
    let again = format!("{}/images/again:v1", server.host());
    ok(&mut crane(folder.path(), &["push", "layout", &again]));
    assert_eq!(ok(&mut crane(folder.path(), &["digest", &again])).trim(), digest);
    let missing = format!("{}/images/base:v3", server.host());
    assert!(!run(&mut crane(folder.path(), &["digest", &missing])).success);
}

#[test]
fn crane_copies_a_package_within_and_between_registries() {
    let (here, there, agent) = (Process::spawn(), Process::spawn(), Agent::new());
    let folder = tempfile::tempdir().expect("a folder");
    let from = format!("{}/ai-team/release-notes:0.3.0", here.host());
    let digest = agent.push(&from, &example("release-notes").to_string_lossy());
    for to in [&here, &there].map(|server| format!("{}/copies/release-notes:0.3.0", server.host())) {
        ok(&mut crane(folder.path(), &["copy", &from, &to]));
        assert_eq!(ok(&mut crane(folder.path(), &["digest", &to])).trim(), digest);
    }
}

#[test]
fn our_command_says_what_an_image_is_and_writes_nothing() {
    let (server, agent) = (Process::spawn(), Agent::new());
    let folder = tempfile::tempdir().expect("a folder");
    let reference = format!("{}/images/base:v1", server.host());
    push_image(folder.path(), &reference);
    let directory = folder.path().join("pulled");
    let said = agent.refused(&["pull", &reference, "--directory", &directory.to_string_lossy()]);
    assert!(said.stderr.contains("image"), "{}", said.stderr);
    assert!(!directory.join("base").exists());
}
