//! The docker command without an engine against our server: `docker manifest`.

use std::process::Command;

use agent_registry::oci::Digest;
use serde_json::Value;

use crate::agent::Agent;
use crate::home::Home;
use crate::http::{manifest, tags, whole};
use crate::image::{Image, Kind};
use crate::matrix::{column, numbers};
use crate::packages::example;
use crate::process::Process;
use crate::programs::ok;
use crate::wire::Wire;

column! {
    "docker",
    has { Push: pushes, Inspect: inspects, Mount: mounts, }
    lacks {
        "without an engine there is only `docker manifest`": [
            Pull, CopyWithin, CopyBetween, CopyOther, ListTags, ListRepositories, Tag, DeleteTag, DeleteManifest,
            Attach, Referrers, Resume, SendAgain, LayoutOut, LayoutIn, Sign, Verify, Attest, VerifyAttestation, Tree
        ],
    }
    notes {
        Push: "a manifest list, with `docker manifest push`",
        Inspect: "Docker's media types; OCI's since version 23, before which it knows none",
        Mount: "of what a pushed manifest list names in other repositories",
    }
}

/// The first version that reads OCI manifests.
const READS_OCI: u64 = 23;

fn docker(home: &Home, arguments: &[&str]) -> String {
    home.ok("docker", &[&["manifest"], arguments].concat())
}

/// Makes a list of one image and pushes it; gives the digest docker says.
fn push_list(home: &Home, image: &str, list: &str) -> String {
    docker(home, &["create", "--insecure", list, image]);
    docker(home, &["annotate", "--os", "linux", "--arch", "amd64", list, image]);
    let pushed = docker(home, &["push", "--insecure", list]);
    pushed.lines().last().unwrap_or_default().to_owned()
}

fn pushes() {
    let (server, home) = (Process::spawn(), Home::new());
    let image = Image::of(Kind::Docker, b"in the layer\n");
    image.push(server.host(), "seeds/image", &["v1"]);
    let from = format!("{}/seeds/image:v1", server.host());
    let digest = push_list(&home, &from, &format!("{}/lists/image:all", server.host()));
    assert_eq!(whole(server.host(), "lists/image", "all"), digest);
    assert_eq!(tags(server.host(), "lists/image"), ["all"]);
    assert!(manifest(server.host(), "lists/image", &image.digest()).is_some(), "the image came along");
}

fn inspects() {
    let (server, agent, home) = (Process::spawn(), Agent::new(), Home::new());
    let image = Image::of(Kind::Docker, b"in the layer\n");
    image.push(server.host(), "seeds/image", &["v1"]);
    let reference = format!("{}/seeds/image:v1", server.host());
    let inspected: Value = serde_json::from_str(&docker(&home, &["inspect", "--insecure", &reference])).expect("JSON");
    assert_eq!(inspected["layers"][0]["digest"], image.layer_digest().as_str(), "{inspected}");
    let more: Value = serde_json::from_str(&docker(&home, &["inspect", "--insecure", "-v", &reference])).expect("JSON");
    assert_eq!(more["Descriptor"]["digest"], image.digest().as_str(), "{more}");
    home.refused("docker", &["manifest", "inspect", "--insecure", &format!("{}/seeds/image:v9", server.host())]);

    let package = format!("{}/ai-team/release-notes:0.3.0", server.host());
    let digest = agent.push(&package, &example("release-notes").to_string_lossy());
    let version = ok(Command::new(crate::programs::client("docker")).arg("--version"));
    if numbers(&version)[0] < READS_OCI {
        let said = home.refused("docker", &["manifest", "inspect", "--insecure", &package]);
        assert!(said.stderr.contains("unsupported manifest media type"), "{}", said.stderr);
        return;
    }
    let raw = docker(&home, &["inspect", "--insecure", &package]);
    assert!(raw.contains("application/vnd.agentpkg.agent.v1"), "{raw}");
    let bytes = manifest(server.host(), "ai-team/release-notes", "0.3.0").expect("the package");
    assert_eq!(Digest::sha256(&bytes).to_string(), digest);
    let (shown, stored): (Value, Value) =
        (serde_json::from_str(&raw).expect("JSON"), serde_json::from_slice(&bytes).expect("JSON"));
    assert_eq!(shown, stored, "it shows what is stored");
}

fn mounts() {
    let (server, home) = (Process::spawn(), Home::new());
    let image = Image::of(Kind::Docker, &Image::large().layer);
    image.push(server.host(), "seeds/image", &["v1"]);
    let wire = Wire::to(server.host());
    push_list(&home, &format!("{}/seeds/image:v1", wire.host()), &format!("{}/lists/image:all", wire.host()));
    whole(server.host(), "lists/image", "all");
    assert!(wire.sent() > 0 && wire.sent() < image.layer.len() as u64 / 8, "{} bytes were sent", wire.sent());
}
