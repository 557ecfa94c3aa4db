//! skopeo against our server.

use agent_registry::oci::Digest;
use serde_json::Value;

use crate::agent::Agent;
use crate::home::Home;
use crate::http::whole;
use crate::image::Image;
use crate::matrix::column;
use crate::packages::example;
use crate::process::Process;
use crate::scenes;
use crate::wire::Wire;

column! {
    "skopeo",
    has {
        Push: pushes, Pull: pulls, Inspect: inspects, CopyWithin: copies_within, CopyBetween: copies_between,
        CopyOther: copies_other, ListTags: lists_tags, Tag: tags_again, DeleteManifest: deletes_a_manifest,
        Mount: mounts, LayoutOut: writes_a_layout, LayoutIn: pushes_a_layout,
    }
    lacks {
        "there is no command for it": [ListRepositories, Attach, Referrers],
        "`delete` of a tag deletes what the tag points to": [DeleteTag],
        "a transfer that broke off fails; the command is run again": [SendAgain],
        "1.9.3 fails where a download breaks off": [Resume],
        "its signatures are files beside the registry, or those cosign reads": [Sign, Verify, Attest, VerifyAttestation, Tree],
    }
    notes {
        Inspect: "of an artifact that is no image only `inspect --raw`",
        Mount: "of a blob that it has seen in another repository of the registry before",
    }
}

fn skopeo(home: &Home, arguments: &[&str]) -> String {
    home.ok("skopeo", &[&["--insecure-policy"], arguments].concat())
}

/// Between any of its transports.
fn transport(home: &Home, from: &str, to: &str) {
    skopeo(home, &["copy", "--src-tls-verify=false", "--dest-tls-verify=false", from, to]);
}

fn copy(home: &Home, from: &str, to: &str) {
    transport(home, &format!("docker://{from}"), &format!("docker://{to}"));
}

fn pushes() {
    let (server, home, image) = (Process::spawn(), Home::new(), Image::small());
    image.write_layout(&home.path("layout"), "v1");
    transport(&home, "oci:layout:v1", "dir:image");
    transport(&home, "dir:image", &format!("docker://{}/images/base:v1", server.host()));
    assert_eq!(whole(server.host(), "images/base", "v1"), image.digest());
}

fn pulls() {
    let (server, home, image) = (Process::spawn(), Home::new(), Image::small());
    image.push(server.host(), "seeds/image", &["v1"]);
    transport(&home, &format!("docker://{}/seeds/image:v1", server.host()), "dir:image");
    assert_eq!(Digest::sha256(&home.read("image/manifest.json")).to_string(), image.digest());
    let layer = image.layer_digest();
    assert_eq!(home.read(&format!("image/{}", layer.trim_start_matches("sha256:"))), image.layer);
    let missing = format!("docker://{}/seeds/image:v9", server.host());
    home.refused("skopeo", &["--insecure-policy", "copy", "--src-tls-verify=false", &missing, "dir:missing"]);
}

fn inspects() {
    let (server, agent, home, image) = (Process::spawn(), Agent::new(), Home::new(), Image::small());
    image.push(server.host(), "seeds/image", &["v1", "v2"]);
    let reference = format!("docker://{}/seeds/image:v1", server.host());
    let inspected = skopeo(&home, &["inspect", "--tls-verify=false", &reference]);
    let inspected: Value = serde_json::from_str(&inspected).expect("JSON");
    assert_eq!(inspected["Digest"], image.digest().as_str(), "{inspected}");
    assert_eq!(inspected["RepoTags"], serde_json::json!(["v1", "v2"]), "{inspected}");
    let package = format!("{}/ai-team/release-notes:0.3.0", server.host());
    let digest = agent.push(&package, &example("release-notes").to_string_lossy());
    let raw = skopeo(&home, &["inspect", "--raw", "--tls-verify=false", &format!("docker://{package}")]);
    assert_eq!(Digest::sha256(raw.as_bytes()).to_string(), digest);
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
    let arguments = |repository: &str| format!("docker://{repository}");
    scenes::lists_tags(
        |home, repository| {
            let listed = skopeo(home, &["list-tags", "--tls-verify=false", &arguments(repository)]);
            let listed: Value = serde_json::from_str(&listed).expect("JSON");
            let tags = listed["Tags"].as_array().expect("tags").iter();
            tags.filter_map(Value::as_str).map(str::to_owned).collect()
        },
        |home, repository| drop(home.refused("skopeo", &["list-tags", "--tls-verify=false", &arguments(repository)])),
    );
}

fn tags_again() {
    scenes::tags_again(|home, reference, tag| {
        let (repository, _) = reference.rsplit_once(':').expect("a tag");
        copy(home, reference, &format!("{repository}:{tag}"));
    });
}

fn deletes_a_manifest() {
    scenes::deletes_a_manifest(|home, repository, tag, _| {
        let reference = format!("docker://{repository}:{tag}");
        skopeo(home, &["delete", "--tls-verify=false", &reference]);
        home.refused("skopeo", &["delete", "--tls-verify=false", &reference]);
    });
}

fn mounts() {
    let (server, home, image) = (Process::spawn(), Home::new(), Image::large());
    image.push(server.host(), "seeds/image", &["v1"]);
    let wire = Wire::to(server.host());
    let from = format!("docker://{}/seeds/image:v1", wire.host());
    // It remembers where it met a blob, and offers to mount it from there.
    transport(&home, &from, "dir:seen");
    let received = wire.received();
    transport(&home, &from, &format!("docker://{}/copies/image:v1", wire.host()));
    assert_eq!(whole(server.host(), "copies/image", "v1"), image.digest());
    let length = image.layer.len() as u64;
    assert!(received > length, "{received} bytes were received for a blob of {length}");
    assert!(wire.sent() < length / 8, "{} bytes were sent", wire.sent());
    assert!(wire.received() - received < length / 8, "the blob was received again");
}

fn writes_a_layout() {
    scenes::writes_a_layout(|home, reference, layout| {
        transport(home, &format!("docker://{reference}"), &format!("oci:{layout}:v1"));
    });
}

fn pushes_a_layout() {
    scenes::pushes_a_layout(|home, layout, reference| {
        transport(home, &format!("oci:{layout}:v1"), &format!("docker://{reference}"));
    });
}

#[test]
fn a_copied_package_keeps_its_digest() {
    let (server, agent, home) = (Process::spawn(), Agent::new(), Home::new());
    let from = format!("{}/ai-team/release-notes:0.3.0", server.host());
    let digest = agent.push(&from, &example("release-notes").to_string_lossy());
    copy(&home, &from, &format!("{}/copies/release-notes:0.3.0", server.host()));
    assert_eq!(whole(server.host(), "copies/release-notes", "0.3.0"), digest);
}
