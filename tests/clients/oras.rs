//! oras against our server.

use std::fs;
use std::path::Path;
use std::process::Command;

use agent_registry::oci::Digest;
use serde_json::Value;

use crate::agent::Agent;
use crate::contents::{contents, expected};
use crate::packages::{EXAMPLES, everything, example};
use crate::process::Process;
use crate::programs::{client, ok, run};

/// oras with a home of its own, in a folder.
fn oras(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(client("oras"));
    command.env_clear().env("HOME", folder).current_dir(folder).args(arguments);
    command
}

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

#[test]
fn oras_pulls_a_package_as_exactly_its_source_tree() {
    let (server, agent) = (Process::spawn(), Agent::new());
    let (_parent, all) = everything();
    for source in EXAMPLES.map(example).into_iter().chain([all]) {
        let name = source.file_name().expect("a name").to_string_lossy().into_owned();
        let reference = format!("{}/ai-team/{name}:latest", server.host());
        let digest = agent.push(&reference, &source.to_string_lossy());
        let folder = tempfile::tempdir().expect("a folder");
        let out = folder.path().join("out");
        ok(&mut oras(folder.path(), &["pull", "--plain-http", &reference, "--output", &out.to_string_lossy()]));
        assert_eq!(contents(&out.join(&name)), expected(&source), "{name}");
        assert_eq!(fs::read_dir(&out).expect("the output").count(), 1, "nothing beside {name}");
        let manifest = ok(&mut oras(folder.path(), &["manifest", "fetch", "--plain-http", &reference]));
        assert_eq!(Digest::sha256(manifest.as_bytes()).to_string(), digest, "{name}");
        assert_eq!(json(&manifest)["artifactType"], "application/vnd.agentpkg.agent.v1");
    }
}

#[test]
fn oras_pushes_tags_lists_and_pulls_its_own() {
    let server = Process::spawn();
    let folder = tempfile::tempdir().expect("a folder");
    let repository = format!("{}/plain/notes", server.host());
    fs::write(folder.path().join("note.txt"), "remember\n").expect("a file");
    let v1 = format!("{repository}:v1");
    let pushed = ok(&mut oras(
        folder.path(),
        &["push", "--plain-http", "--format", "json", "--artifact-type", "text/note", &v1, "note.txt:text/plain"],
    ));
    ok(&mut oras(folder.path(), &["tag", "--plain-http", &v1, "v2", "latest"]));
    let tags = ok(&mut oras(folder.path(), &["repo", "tags", "--plain-http", &repository]));
    assert_eq!(tags.lines().collect::<Vec<_>>(), ["latest", "v1", "v2"]);
    let names = ok(&mut oras(folder.path(), &["repo", "ls", "--plain-http", server.host()]));
    assert_eq!(names.trim(), "plain/notes");
    let latest = format!("{repository}:latest");
    ok(&mut oras(folder.path(), &["pull", "--plain-http", &latest, "--output", "back"]));
    assert_eq!(fs::read_to_string(folder.path().join("back/note.txt")).expect("the file"), "remember\n");
    let described = ok(&mut oras(folder.path(), &["manifest", "fetch", "--plain-http", "--descriptor", &latest]));
    assert_eq!(json(&described)["digest"], json(&pushed)["digest"]);
    let missing = format!("{repository}:v3");
    assert!(!run(&mut oras(folder.path(), &["pull", "--plain-http", &missing])).success);
}

#[test]
fn oras_attaches_and_discovers_what_is_about_a_package() {
    let (server, agent) = (Process::spawn(), Agent::new());
    let folder = tempfile::tempdir().expect("a folder");
    let reference = format!("{}/ai-team/sentiment-analyzer:1.0.0", server.host());
    agent.push(&reference, &example("sentiment-analyzer").to_string_lossy());
    fs::write(folder.path().join("review.md"), "good\n").expect("a file");
    let kind = ["--artifact-type", "text/review"];
    let discover = ["discover", "--plain-http", "--format", "json", kind[0], kind[1], reference.as_str()];
    let before = json(&ok(&mut oras(folder.path(), &discover)));
    assert_eq!(before["referrers"].as_array().map(Vec::len), Some(0), "{before}");
    let attach = ["attach", "--plain-http", kind[0], kind[1], &reference, "review.md:text/markdown"];
    ok(&mut oras(folder.path(), &attach));
    let after = json(&ok(&mut oras(folder.path(), &discover)));
    assert_eq!(after["referrers"][0]["artifactType"], "text/review", "{after}");
    assert_eq!(after["referrers"].as_array().map(Vec::len), Some(1), "{after}");
}

#[test]
fn oras_copies_a_package_to_another_registry_without_changing_it() {
    let (here, there, agent) = (Process::spawn(), Process::spawn(), Agent::new());
    let (_parent, source) = everything();
    let from = format!("{}/ai-team/everything:1.0.0", here.host());
    let to = format!("{}/mirror/everything:1.0.0", there.host());
    let digest = agent.push(&from, &source.to_string_lossy());
    let folder = tempfile::tempdir().expect("a folder");
    ok(&mut oras(folder.path(), &["cp", "--from-plain-http", "--to-plain-http", &from, &to]));
    let described = ok(&mut oras(folder.path(), &["manifest", "fetch", "--plain-http", "--descriptor", &to]));
    assert_eq!(json(&described)["digest"], digest.as_str());
    let directory = folder.path().join("pulled");
    Agent::new().ok(&["pull", &to, "--directory", &directory.to_string_lossy()]);
    assert_eq!(contents(&directory.join("everything")), expected(&source));
}

#[test]
fn oras_deletes_and_the_tag_is_gone() {
    let (server, agent) = (Process::spawn(), Agent::new());
    let folder = tempfile::tempdir().expect("a folder");
    let reference = format!("{}/ai-team/incident-review:1.1.0", server.host());
    agent.push(&reference, &example("incident-review").to_string_lossy());
    ok(&mut oras(folder.path(), &["manifest", "delete", "--plain-http", "--force", &reference]));
    assert!(!run(&mut oras(folder.path(), &["manifest", "fetch", "--plain-http", &reference])).success);
    agent.refused(&["pull", &reference]);
}
