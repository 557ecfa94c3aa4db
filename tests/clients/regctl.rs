//! regctl against our server.

use agent_registry::oci::Digest;
use serde_json::Value;

use crate::agent::Agent;
use crate::home::Home;
use crate::http::{blob, refer, referrers, whole};
use crate::image::Image;
use crate::matrix::column;
use crate::packages::example;
use crate::process::Process;
use crate::programs::{Said, run};
use crate::scenes;

column! {
    "regctl",
    has {
        Push: pushes, Pull: pulls, Inspect: inspects, CopyWithin: copies_within, CopyBetween: copies_between,
        CopyOther: copies_other, ListTags: lists_tags, ListRepositories: lists_repositories, Tag: tags_again,
        DeleteTag: deletes_a_tag, DeleteManifest: deletes_a_manifest, Attach: attaches, Referrers: lists_referrers,
        Mount: mounts, Resume: resumes, LayoutOut: writes_a_layout, LayoutIn: pushes_a_layout,
        SendAgain: sends_again,
    }
    lacks {
        "signing is left to cosign": [Sign, Verify, Attest, VerifyAttestation, Tree],
    }
    notes { SendAgain: "the blob is sent again from its start", }
}

/// Its arguments with a note for each loopback address among them that it speaks plain HTTP.
fn with_hosts(arguments: &[&str]) -> Vec<String> {
    let mut all: Vec<String> = arguments.iter().map(|&argument| argument.to_owned()).collect();
    let hosts = arguments.iter().filter(|argument| argument.starts_with("127.0.0.1:"));
    for host in hosts.map(|argument| argument.split('/').next().unwrap_or_default()) {
        all.extend(["--host".to_owned(), format!("reg={host},tls=disabled")]);
    }
    all
}

pub(crate) fn attempt(home: &Home, arguments: &[&str]) -> Said {
    let all = with_hosts(arguments);
    run(&mut home.command("regctl", &all.iter().map(String::as_str).collect::<Vec<_>>()))
}

fn regctl(home: &Home, arguments: &[&str]) -> String {
    let said = attempt(home, arguments);
    assert!(said.success, "{arguments:?}: {}", said.stderr);
    said.stdout
}

fn refused(home: &Home, arguments: &[&str]) {
    assert!(!attempt(home, arguments).success, "{arguments:?} must fail");
}

fn lines(text: &str) -> Vec<String> {
    text.lines().map(str::to_owned).collect()
}

fn pushes() {
    let (server, home) = (Process::spawn(), Home::new());
    home.write("note.txt", "remember\n");
    let reference = format!("{}/plain/notes:v1", server.host());
    let pushed = regctl(
        &home,
        &[
            "artifact",
            "put",
            "--artifact-type",
            "text/note",
            "--file",
            "note.txt",
            "--file-media-type",
            "text/plain",
            "--format",
            "{{.Manifest.GetDescriptor.Digest}}",
            &reference,
        ],
    );
    assert_eq!(whole(server.host(), "plain/notes", "v1"), pushed.trim());
    assert_eq!(blob(server.host(), "plain/notes", &Digest::sha256(b"remember\n").to_string()), b"remember\n");
    let index = format!("{}/plain/notes:all", server.host());
    regctl(&home, &["index", "create", "--ref", &reference, &index]);
    whole(server.host(), "plain/notes", "all");
}

fn pulls() {
    let (server, agent, home) = (Process::spawn(), Agent::new(), Home::new());
    let source = example("release-notes");
    let reference = format!("{}/ai-team/release-notes:0.3.0", server.host());
    agent.push(&reference, &source.to_string_lossy());
    let readme = regctl(&home, &["artifact", "get", "--file", "release-notes/README.md", &reference]);
    assert_eq!(readme, std::fs::read_to_string(source.join("README.md")).expect("the file"));
    refused(&home, &["artifact", "get", "--file", "release-notes/nothing.md", &reference]);
}

fn inspects() {
    let (server, agent, home) = (Process::spawn(), Agent::new(), Home::new());
    let reference = format!("{}/ai-team/release-notes:0.3.0", server.host());
    let digest = agent.push(&reference, &example("release-notes").to_string_lossy());
    let manifest = regctl(&home, &["manifest", "get", "--format", "raw-body", &reference]);
    assert_eq!(Digest::sha256(manifest.as_bytes()).to_string(), digest);
    assert_eq!(regctl(&home, &["manifest", "head", &reference]).trim(), digest);
    refused(&home, &["manifest", "head", &format!("{}/ai-team/release-notes:9.9.9", server.host())]);
}

fn copy(home: &Home, from: &str, to: &str) {
    regctl(home, &["image", "copy", from, to]);
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
        |home, repository| lines(&regctl(home, &["tag", "ls", repository])),
        |home, repository| refused(home, &["tag", "ls", repository]),
    );
}

fn lists_repositories() {
    scenes::lists_repositories(|home, host| lines(&regctl(home, &["repo", "ls", host])));
}

fn tags_again() {
    scenes::tags_again(|home, reference, tag| {
        let (repository, _) = reference.rsplit_once(':').expect("a tag");
        copy(home, reference, &format!("{repository}:{tag}"));
    });
}

fn deletes_a_tag() {
    scenes::deletes_a_tag(|home, reference| {
        regctl(home, &["tag", "delete", reference]);
        refused(home, &["tag", "delete", reference]);
    });
}

fn deletes_a_manifest() {
    scenes::deletes_a_manifest(|home, repository, _, digest| {
        let reference = format!("{repository}@{digest}");
        regctl(home, &["manifest", "delete", &reference]);
        refused(home, &["manifest", "head", &reference]);
    });
}

fn attaches() {
    let (server, home) = (Process::spawn(), Home::new());
    let image = Image::small();
    image.push(server.host(), "seeds/image", &["v1"]);
    home.write("review.md", "good\n");
    let reference = format!("{}/seeds/image:v1", server.host());
    // `--subject` comes last, so that the address is an argument of its own.
    let put = ["artifact", "put", "--artifact-type", "text/review", "--file", "review.md", "--subject", &reference];
    regctl(&home, &put);
    let found = referrers(server.host(), "seeds/image", &image.digest());
    let [(referrer, kind)] = &found[..] else { panic!("{found:?}") };
    assert_eq!(kind, "text/review");
    whole(server.host(), "seeds/image", referrer);
}

fn lists_referrers() {
    let (server, home) = (Process::spawn(), Home::new());
    Image::small().push(server.host(), "seeds/image", &["v1"]);
    let reference = format!("{}/seeds/image:v1", server.host());
    let list = |more: &[&str]| -> Value {
        let text = regctl(&home, &[&["artifact", "list", "--format", "{{json .}}", &reference], more].concat());
        serde_json::from_str(&text).expect("JSON")
    };
    assert_eq!(list(&[])["descriptors"].as_array().map_or(0, Vec::len), 0);
    let review = refer(server.host(), "seeds/image", "v1", "text/review");
    refer(server.host(), "seeds/image", "v1", "text/other");
    assert_eq!(list(&[])["descriptors"].as_array().map(Vec::len), Some(2));
    let some = list(&["--filter-artifact-type", "text/review"]);
    assert_eq!(some["descriptors"].as_array().map(Vec::len), Some(1), "{some}");
    assert_eq!(some["descriptors"][0]["digest"], review.as_str(), "{some}");
    assert!(regctl(&home, &["artifact", "tree", &reference]).contains(&review));
}

fn mounts() {
    scenes::mounts(copy);
}

fn resumes() {
    scenes::resumes(|home, repository, digest| {
        let all = with_hosts(&["blob", "get", repository, digest]);
        let output = home.command("regctl", &all.iter().map(String::as_str).collect::<Vec<_>>()).output();
        let output = output.expect("it runs");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        output.stdout
    });
}

fn writes_a_layout() {
    scenes::writes_a_layout(|home, reference, layout| copy(home, reference, &format!("ocidir://{layout}:v1")));
}

fn pushes_a_layout() {
    scenes::pushes_a_layout(|home, layout, reference| copy(home, &format!("ocidir://{layout}:v1"), reference));
}

fn sends_again() {
    scenes::sends_again(|home, _, layout, to| copy(home, &format!("ocidir://{layout}:v1"), to));
}

#[test]
fn a_layout_keeps_referrers() {
    let (server, home) = (Process::spawn(), Home::new());
    let image = Image::small();
    image.push(server.host(), "seeds/image", &["v1"]);
    let review = refer(server.host(), "seeds/image", "v1", "text/review");
    let from = format!("{}/seeds/image:v1", server.host());
    let to = format!("{}/copies/image:v1", server.host());
    regctl(&home, &["image", "copy", "--referrers", &from, "ocidir://layout:v1"]);
    regctl(&home, &["image", "copy", "--referrers", "ocidir://layout:v1", &to]);
    let expected = [(review, "text/review".to_owned())];
    assert_eq!(referrers(server.host(), "copies/image", &image.digest()), expected);
}
