//! crane against our server.

use std::process::Command;

use serde_json::Value;

use crate::agent::Agent;
use crate::home::Home;
use crate::http::whole;
use crate::layout::checked;
use crate::matrix::column;
use crate::packages::{everything, example};
use crate::process::Process;
use crate::programs::ok;
use crate::scenes;

column! {
    "crane",
    has {
        Push: pushes, Pull: pulls, Inspect: inspects, CopyWithin: copies_within, CopyBetween: copies_between,
        CopyOther: copies_other, ListTags: lists_tags, ListRepositories: lists_repositories, Tag: tags_again,
        DeleteTag: deletes_a_tag, DeleteManifest: deletes_a_manifest, Mount: mounts, LayoutOut: writes_a_layout,
        LayoutIn: pushes_a_layout, SendAgain: sends_again,
    }
    lacks {
        "there is no command about referrers": [Attach, Referrers],
        "a transfer that broke off fails; the command is run again": [Resume],
        "signing is left to cosign": [Sign, Verify, Attest, VerifyAttestation, Tree],
    }
    notes { SendAgain: "the blob is sent again from its start", }
}

/// Loopback is plain HTTP to it.
fn crane(home: &Home, arguments: &[&str]) -> String {
    home.ok("crane", arguments)
}

fn lines(text: &str) -> Vec<String> {
    text.lines().map(str::to_owned).collect()
}

/// Pushes an image of one layer, and gives its digest.
fn push_image(home: &Home, reference: &str) -> String {
    home.write("file.txt", "in the layer\n");
    ok(Command::new("tar").current_dir(home).args(["-cf", "layer.tar", "file.txt"]));
    let pushed = crane(home, &["append", "--oci-empty-base", "-f", "layer.tar", "-t", reference]);
    let (_, digest) = pushed.trim().split_once('@').expect("a digest");
    digest.to_owned()
}

fn pushes() {
    let (server, home) = (Process::spawn(), Home::new());
    let reference = format!("{}/images/base:v1", server.host());
    let digest = push_image(&home, &reference);
    assert_eq!(whole(server.host(), "images/base", "v1"), digest);
    crane(&home, &["validate", "--remote", &reference]);
    // The other form it saves, a tarball as docker writes it.
    crane(&home, &["pull", &reference, "image.tar"]);
    let again = format!("{}/images/again:v1", server.host());
    let pushed = crane(&home, &["push", "image.tar", &again]);
    assert_eq!(format!("{}/images/again@{}", server.host(), whole(server.host(), "images/again", "v1")), pushed.trim());
}

fn pulls() {
    let (server, agent) = (Process::spawn(), Agent::new());
    let (_parent, all) = everything();
    for source in [example("sentiment-analyzer"), all] {
        let name = source.file_name().expect("a name").to_string_lossy().into_owned();
        let reference = format!("{}/ai-team/{name}:1.0.0", server.host());
        let digest = agent.push(&reference, &source.to_string_lossy());
        let home = Home::new();
        crane(&home, &["pull", "--format=oci", &reference, "layout"]);
        assert_eq!(checked(&home.path("layout")), digest);
    }
}

fn inspects() {
    let (server, agent, home) = (Process::spawn(), Agent::new(), Home::new());
    let reference = format!("{}/ai-team/release-notes:0.3.0", server.host());
    let digest = agent.push(&reference, &example("release-notes").to_string_lossy());
    assert_eq!(crane(&home, &["digest", &reference]).trim(), digest);
    let manifest: Value = serde_json::from_str(&crane(&home, &["manifest", &reference])).expect("JSON");
    assert_eq!(manifest["artifactType"], "application/vnd.agentpkg.agent.v1");
    assert!(crane(&home, &["config", &reference]).contains("release-notes"));
    home.refused("crane", &["digest", &format!("{}/ai-team/release-notes:9.9.9", server.host())]);
}

fn copy(home: &Home, from: &str, to: &str) {
    crane(home, &["copy", from, to]);
}

fn copies_within() {
    scenes::copies_within(copy);
}

fn copies_between() {
    scenes::copies_between(copy);
}

fn copies_other() {
    scenes::copies_other(copy);
}

fn lists_tags() {
    scenes::lists_tags(
        |home, repository| lines(&crane(home, &["ls", repository])),
        |home, repository| drop(home.refused("crane", &["ls", repository])),
    );
}

fn lists_repositories() {
    scenes::lists_repositories(|home, host| lines(&crane(home, &["catalog", host])));
}

fn tags_again() {
    scenes::tags_again(|home, reference, tag| drop(crane(home, &["tag", reference, tag])));
}

fn deletes_a_tag() {
    scenes::deletes_a_tag(|home, reference| {
        crane(home, &["delete", reference]);
        home.refused("crane", &["delete", reference]);
    });
}

fn deletes_a_manifest() {
    scenes::deletes_a_manifest(|home, repository, _, digest| {
        crane(home, &["delete", &format!("{repository}@{digest}")]);
    });
}

fn mounts() {
    scenes::mounts(copy);
}

fn writes_a_layout() {
    scenes::writes_a_layout(|home, reference, layout| {
        crane(home, &["pull", "--format=oci", reference, layout]);
    });
}

fn pushes_a_layout() {
    scenes::pushes_a_layout(|home, layout, reference| drop(crane(home, &["push", layout, reference])));
}

fn sends_again() {
    scenes::sends_again(|home, from, _, to| copy(home, from, to));
}

#[test]
fn our_command_says_what_an_image_is_and_writes_nothing() {
    let (server, agent, home) = (Process::spawn(), Agent::new(), Home::new());
    let reference = format!("{}/images/base:v1", server.host());
    push_image(&home, &reference);
    let directory = home.path("pulled");
    let said = agent.refused(&["pull", &reference, "--directory", &directory.to_string_lossy()]);
    assert!(said.stderr.contains("image"), "{}", said.stderr);
    assert!(!directory.join("base").exists());
}
