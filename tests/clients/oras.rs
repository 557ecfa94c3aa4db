//! oras against our server.

use std::fs;

use agent_registry::oci::Digest;
use serde_json::Value;

use crate::agent::Agent;
use crate::contents::{contents, expected};
use crate::home::Home;
use crate::http::{blob, refer, referrers, tags, whole};
use crate::image::Image;
use crate::matrix::column;
use crate::packages::{EXAMPLES, everything, example};
use crate::process::Process;
use crate::scenes;

column! {
    "oras",
    has {
        Push: pushes, Pull: pulls, Inspect: inspects, CopyWithin: copies_within, CopyBetween: copies_between,
        CopyOther: copies_other, ListTags: lists_tags, ListRepositories: lists_repositories, Tag: tags_again,
        DeleteManifest: deletes_a_manifest, Attach: attaches, Referrers: discovers, Mount: mounts,
        LayoutOut: writes_a_layout, LayoutIn: pushes_a_layout,
    }
    lacks {
        "`manifest delete` of a tag deletes what the tag points to": [DeleteTag],
        "a transfer that broke off fails; the command is run again": [Resume, SendAgain],
        "signing is left to cosign": [Sign, Verify, Attest, VerifyAttestation, Tree],
    }
    notes {}
}

fn oras(home: &Home, arguments: &[&str]) -> String {
    home.ok("oras", arguments)
}

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

fn copy(home: &Home, from: &str, to: &str) {
    oras(home, &["cp", "--from-plain-http", "--to-plain-http", from, to]);
}

fn pushes() {
    let (server, home) = (Process::spawn(), Home::new());
    home.write("note.txt", "remember\n");
    let reference = format!("{}/plain/notes:v1", server.host());
    let arguments = ["push", "--plain-http", "--format", "json", "--artifact-type", "text/note", &reference];
    let pushed = json(&oras(&home, &[&arguments[..], &["note.txt:text/plain"]].concat()));
    assert_eq!(whole(server.host(), "plain/notes", "v1"), pushed["digest"].as_str().expect("a digest"));
    let layer = Digest::sha256(b"remember\n").to_string();
    assert_eq!(blob(server.host(), "plain/notes", &layer), b"remember\n");
}

fn pulls() {
    let (server, agent) = (Process::spawn(), Agent::new());
    let (_parent, all) = everything();
    for source in EXAMPLES.map(example).into_iter().chain([all]) {
        let name = source.file_name().expect("a name").to_string_lossy().into_owned();
        let reference = format!("{}/ai-team/{name}:latest", server.host());
        agent.push(&reference, &source.to_string_lossy());
        let home = Home::new();
        oras(&home, &["pull", "--plain-http", &reference, "--output", "out"]);
        assert_eq!(contents(&home.path("out").join(&name)), expected(&source), "{name}");
        assert_eq!(fs::read_dir(home.path("out")).expect("the output").count(), 1, "nothing beside {name}");
        home.refused("oras", &["pull", "--plain-http", &format!("{reference}-no")]);
    }
}

fn inspects() {
    let (server, agent, home) = (Process::spawn(), Agent::new(), Home::new());
    let reference = format!("{}/ai-team/release-notes:0.3.0", server.host());
    let digest = agent.push(&reference, &example("release-notes").to_string_lossy());
    let manifest = oras(&home, &["manifest", "fetch", "--plain-http", &reference]);
    assert_eq!(Digest::sha256(manifest.as_bytes()).to_string(), digest);
    assert_eq!(json(&manifest)["artifactType"], "application/vnd.agentpkg.agent.v1");
    assert_eq!(oras(&home, &["resolve", "--plain-http", &reference]).trim(), digest);
    let config = json(&oras(&home, &["manifest", "fetch-config", "--plain-http", &reference]));
    assert!(config.to_string().contains("release-notes"), "{config}");
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
        |home, repository| {
            oras(home, &["repo", "tags", "--plain-http", repository]).lines().map(str::to_owned).collect()
        },
        |home, repository| drop(home.refused("oras", &["repo", "tags", "--plain-http", repository])),
    );
}

fn lists_repositories() {
    scenes::lists_repositories(|home, host| {
        oras(home, &["repo", "ls", "--plain-http", host]).lines().map(str::to_owned).collect()
    });
}

fn tags_again() {
    scenes::tags_again(|home, reference, tag| drop(oras(home, &["tag", "--plain-http", reference, tag])));
}

fn deletes_a_manifest() {
    scenes::deletes_a_manifest(|home, repository, tag, _| {
        let reference = format!("{repository}:{tag}");
        oras(home, &["manifest", "delete", "--plain-http", "--force", &reference]);
        home.refused("oras", &["manifest", "fetch", "--plain-http", &reference]);
    });
}

fn attaches() {
    let (server, agent, home) = (Process::spawn(), Agent::new(), Home::new());
    let reference = format!("{}/ai-team/sentiment-analyzer:1.0.0", server.host());
    let digest = agent.push(&reference, &example("sentiment-analyzer").to_string_lossy());
    home.write("review.md", "good\n");
    let attach = ["attach", "--plain-http", "--artifact-type", "text/review", &reference, "review.md:text/markdown"];
    oras(&home, &attach);
    let found = referrers(server.host(), "ai-team/sentiment-analyzer", &digest);
    let [(referrer, kind)] = &found[..] else { panic!("{found:?}") };
    assert_eq!(kind, "text/review");
    whole(server.host(), "ai-team/sentiment-analyzer", referrer);
    assert_eq!(tags(server.host(), "ai-team/sentiment-analyzer"), ["1.0.0"], "no tag stands in for a referrer");
}

fn discovers() {
    let (server, home) = (Process::spawn(), Home::new());
    let image = Image::small();
    image.push(server.host(), "seeds/image", &["v1"]);
    let reference = format!("{}/seeds/image:v1", server.host());
    let discover = |more: &[&str]| {
        json(&oras(&home, &[&["discover", "--plain-http", "--format", "json", &reference], more].concat()))
    };
    assert_eq!(discover(&[])["referrers"].as_array().map(Vec::len), Some(0));
    let review = refer(server.host(), "seeds/image", "v1", "text/review");
    refer(server.host(), "seeds/image", "v1", "text/other");
    let all = discover(&[]);
    assert_eq!(all["referrers"].as_array().map(Vec::len), Some(2), "{all}");
    let some = discover(&["--artifact-type", "text/review"]);
    assert_eq!(some["referrers"].as_array().map(Vec::len), Some(1), "{some}");
    assert_eq!(some["referrers"][0]["digest"], review.as_str(), "{some}");
}

fn mounts() {
    scenes::mounts(copy);
}

fn writes_a_layout() {
    scenes::writes_a_layout(|home, reference, layout| {
        oras(home, &["cp", "--from-plain-http", "--to-oci-layout", reference, &format!("{layout}:v1")]);
    });
}

fn pushes_a_layout() {
    scenes::pushes_a_layout(|home, layout, reference| {
        oras(home, &["cp", "--from-oci-layout", "--to-plain-http", &format!("{layout}:v1"), reference]);
    });
}

#[test]
fn a_copied_package_is_pulled_with_our_command() {
    let (here, there, agent) = (Process::spawn(), Process::spawn(), Agent::new());
    let (_parent, source) = everything();
    let from = format!("{}/ai-team/everything:1.0.0", here.host());
    let to = format!("{}/mirror/everything:1.0.0", there.host());
    let digest = agent.push(&from, &source.to_string_lossy());
    let home = Home::new();
    copy(&home, &from, &to);
    assert_eq!(whole(there.host(), "mirror/everything", "1.0.0"), digest);
    let directory = home.path("pulled");
    Agent::new().ok(&["pull", &to, "--directory", &directory.to_string_lossy()]);
    assert_eq!(contents(&directory.join("everything")), expected(&source));
}

#[test]
fn a_copy_with_referrers_brings_them_along() {
    let (here, there, home) = (Process::spawn(), Process::spawn(), Home::new());
    let image = Image::small();
    image.push(here.host(), "seeds/image", &["v1"]);
    let review = refer(here.host(), "seeds/image", "v1", "text/review");
    let from = format!("{}/seeds/image:v1", here.host());
    let to = format!("{}/copies/image:v1", there.host());
    oras(&home, &["cp", "--recursive", "--from-plain-http", "--to-plain-http", &from, &to]);
    let expected = [(review, "text/review".to_owned())];
    assert_eq!(referrers(there.host(), "copies/image", &image.digest()), expected);
}
