//! Our command against the reference registry, which has no catalogue of agents and knows nothing of packages.

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::agent::Agent;
use crate::contents::{contents, expected};
use crate::packages::{EXAMPLES, everything, example};
use crate::process::Process;
use crate::programs::{client, ok};

/// distribution v3 on a free port.
pub(crate) fn distribution() -> Process {
    distribution_with(None)
}

/// The same, perhaps for those alone whose passwords are in a file of the web server Apache.
pub(crate) fn distribution_with(passwords: Option<&str>) -> Process {
    let folder = tempfile::tempdir().expect("a folder");
    let config = folder.path().join("config.yml");
    let data = folder.path().join("data");
    let auth = passwords.map_or_else(String::new, |passwords| {
        let path = folder.path().join("htpasswd");
        fs::write(&path, passwords).expect("a file");
        format!("auth: {{htpasswd: {{realm: test, path: {}}}}}\n", path.display())
    });
    let text = format!(
        "version: 0.1\nlog: {{level: info}}\nstorage: {{filesystem: {{rootdirectory: {}}}, delete: {{enabled: true}}}}\n\
         http: {{addr: \"127.0.0.1:0\", secret: test}}\n{auth}",
        data.display()
    );
    fs::write(&config, text).expect("a file");
    let mut command = Command::new(client("distribution"));
    // Without this it waits for a collector of traces.
    command.env_clear().env("OTEL_TRACES_EXPORTER", "none").arg("serve").arg(&config);
    Process::start(command, folder)
}

fn pull(agent: &Agent, reference: &str, directory: &Path) {
    agent.ok(&["pull", reference, "--directory", &directory.to_string_lossy()]);
}

#[test]
fn packages_go_up_and_come_back_byte_for_byte() {
    let (server, agent) = (distribution(), Agent::new());
    let (_parent, all) = everything();
    for source in EXAMPLES.map(example).into_iter().chain([all]) {
        let name = source.file_name().expect("a name").to_string_lossy().into_owned();
        let reference = format!("{}/ai-team/{name}:latest", server.host());
        let digest = agent.push(&reference, &source.to_string_lossy());
        assert_eq!(agent.push(&reference, &source.to_string_lossy()), digest, "pushed again, {name} is the same");
        let folder = tempfile::tempdir().expect("a folder");
        pull(&Agent::new(), &reference, folder.path());
        assert_eq!(contents(&folder.path().join(&name)), expected(&source), "{name}");
        let pinned = format!("{}/ai-team/{name}@{digest}", server.host());
        let other = tempfile::tempdir().expect("a folder");
        pull(&agent, &pinned, other.path());
        assert_eq!(contents(&other.path().join(&name)), expected(&source), "{name} by digest");
    }
}

#[test]
fn versions_are_inspected_and_listed() {
    let (server, agent) = (distribution(), Agent::new());
    let repository = format!("{}/ai-team/sentiment-analyzer", server.host());
    let source = example("sentiment-analyzer");
    let digest = agent.push(&format!("{repository}:latest"), &source.to_string_lossy());
    let inspected = agent.ok(&["inspect", &format!("{repository}:1.0.0"), "--format", "json"]);
    let inspected: Value = serde_json::from_str(&inspected).unwrap_or_else(|error| panic!("{error}: {inspected}"));
    let text = inspected.to_string();
    for expected in [digest.as_str(), "sentiment-analyzer", "sentiment-analysis", "1.0.0", "Apache-2.0"] {
        assert!(text.contains(expected), "{expected} is not in {inspected:#}");
    }
    let listed = agent.ok(&["images", &repository]);
    for expected in ["1.0.0", "latest", "sentiment-analyzer"] {
        assert!(listed.contains(expected), "{expected} is not in {listed}");
    }
}

#[test]
fn a_version_is_not_replaced_unless_forced() {
    let (server, agent) = (distribution(), Agent::new());
    let reference = format!("{}/ai-team/everything:1.0.0", server.host());
    let (_parent, source) = everything();
    let path = source.to_string_lossy();
    let digest = agent.push(&reference, &path);
    fs::write(source.join("README.md"), "# Another\n").expect("a file");
    let said = agent.refused(&["push", &reference, "--path", &path]);
    assert!(said.stderr.contains("--force"), "{}", said.stderr);
    let other = ok(&mut agent.command(&["push", &reference, "--path", &path, "--force"]));
    assert!(!other.contains(&digest), "{other}");
}

#[test]
fn what_is_missing_is_told() {
    let (server, agent) = (distribution(), Agent::new());
    let folder = tempfile::tempdir().expect("a folder");
    let reference = format!("{}/ai-team/nothing:1.0.0", server.host());
    let said = agent.refused(&["pull", &reference, "--directory", &folder.path().to_string_lossy()]);
    assert!(said.stderr.contains("nothing"), "{}", said.stderr);
    assert_eq!(fs::read_dir(folder.path()).expect("the folder").count(), 0);
}
