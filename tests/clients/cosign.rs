//! cosign 3 against our server: signatures are bundles that refer to what they sign.

use std::fs;
use std::process::Command;

use crate::home::Home;
use crate::http::{blob, referrers, tags, whole};
use crate::matrix::column;
use crate::process::Process;
use crate::scenes;
use crate::signer::{PREDICATE_TYPE, Signer, verify};

column! {
    "cosign",
    has {
        Push: pushes, Pull: downloads_a_bundle, CopyWithin: copies_within, CopyBetween: copies_between,
        CopyOther: copies_other, Mount: mounts, SendAgain: sends_again, LayoutOut: writes_a_layout, LayoutIn: loads_what_it_saved, Sign: signs,
        Verify: verifies, Attest: attests, VerifyAttestation: verifies_attestations, Tree: shows_a_tree,
    }
    lacks {
        "there is no command for it": [Inspect, ListTags, ListRepositories, Tag, DeleteManifest],
        "`clean` removes only the tags of the older form": [DeleteTag],
        "`attest` attaches": [Attach],
        "`tree` lists those about signatures": [Referrers],
        "a transfer that broke off fails; the command is run again": [Resume],
    }
    notes {
        Push: "`upload blob`",
        Pull: "`download signature` and `download attestation`",
        CopyWithin: "without the bundles",
        CopyBetween: "without the bundles",
        CopyOther: "without the bundles",
        SendAgain: "the blob is sent again from its start",
        LayoutIn: "with bundles only where `missing-layers = \"accept\"` is set: `load` sends the manifest of a bundle before its layer",
    }
}

const BUNDLE: &str = "application/vnd.dev.sigstore.bundle.v0.3+json";

fn cosign(home: &Home, arguments: &[&str]) -> String {
    home.ok("cosign", arguments)
}

fn pushes() {
    let (server, home) = (Process::spawn(), Home::new());
    home.write("note.txt", "remember\n");
    cosign(&home, &["upload", "blob", "-f", "note.txt", &format!("{}/plain/notes:v1", server.host())]);
    whole(server.host(), "plain/notes", "v1");
    let note = agent_registry::oci::Digest::sha256(b"remember\n").to_string();
    assert_eq!(blob(server.host(), "plain/notes", &note), b"remember\n");
}

fn downloads_a_bundle() {
    let signer = Signer::new("cosign");
    assert_eq!(signer.run(&["download", "attestation", &signer.package()]), "");
    signer.attest();
    let bundle = signer.run(&["download", "attestation", &signer.package()]);
    assert!(bundle.contains(BUNDLE), "{bundle}");
    signer.sign();
    assert!(signer.run(&["download", "signature", &signer.package()]).contains(BUNDLE));
}

fn copy(home: &Home, from: &str, to: &str) {
    cosign(home, &["copy", from, to]);
}

/// Beside the tag it was told, it writes one with the digest.
fn copy_alone(home: &Home, from: &str, to: &str) {
    let (host, repository) = to.split_once('/').expect("a host");
    let (repository, _) = repository.split_once(':').expect("a tag");
    copy(home, from, to);
    let second = tags(host, repository).into_iter().find(|tag| tag.starts_with("sha256-")).expect("a second tag");
    home.ok("crane", &["delete", &format!("{host}/{repository}:{second}")]);
}

fn copies_within() {
    scenes::copies_within(copy_alone);
}

fn copies_between() {
    scenes::copies_between(copy_alone);
}

fn copies_other() {
    scenes::copies_other(copy_alone);
}

fn mounts() {
    scenes::mounts(copy);
}

fn sends_again() {
    scenes::sends_again(|home, from, _, to| copy(home, from, to));
}

fn writes_a_layout() {
    scenes::writes_a_layout(|home, reference, layout| drop(cosign(home, &["save", "--dir", layout, reference])));
}

/// A server that takes manifests whose layers are not there yet.
fn patient() -> Process {
    let folder = tempfile::tempdir().expect("a folder");
    let config = folder.path().join("config.toml");
    fs::write(&config, "[manifests]\nmissing-layers = \"accept\"\n").expect("a file");
    let mut command = Command::new(env!("CARGO_BIN_EXE_agent"));
    command.args(["registry", "serve", "--insecure-no-auth", "--listen", "127.0.0.1:0", "--config"]).arg(config);
    command.arg("--data").arg(folder.path().join("data"));
    Process::start(command, folder)
}

fn loads_what_it_saved() {
    let (signer, strict, patient) = (Signer::new("cosign"), Process::spawn(), patient());
    let home = &signer.home;
    // Without bundles it needs nobody's patience.
    signer.run(&["save", "--dir", "unsigned", &signer.package()]);
    signer.run(&["load", "--dir", "unsigned", &format!("{}/loaded/notes:v1", strict.host())]);
    assert_eq!(whole(strict.host(), "loaded/notes", "v1"), signer.digest);
    signer.sign();
    signer.run(&["save", "--dir", "signed", &signer.package()]);
    let said = home.refused("cosign", &["load", "--dir", "signed", &format!("{}/loaded/signed:v1", strict.host())]);
    assert!(said.stderr.contains("MANIFEST_BLOB_UNKNOWN"), "{}", said.stderr);
    let loaded = format!("{}/loaded/notes:v1", patient.host());
    signer.run(&["load", "--dir", "signed", &loaded]);
    let [(bundle, _)] = &referrers(patient.host(), "loaded/notes", &signer.digest)[..] else { panic!("one bundle") };
    whole(patient.host(), "loaded/notes", bundle);
    signer.verify(&["verify"], "ours.pub", &loaded, true);
    signer.verify(&["verify"], "other.pub", &loaded, false);
}

fn signs() {
    let signer = Signer::new("cosign");
    signer.sign();
    let host = signer.server.host();
    let found = referrers(host, Signer::REPOSITORY, &signer.digest);
    let [(bundle, kind)] = &found[..] else { panic!("{found:?}") };
    assert_eq!(kind, BUNDLE);
    whole(host, Signer::REPOSITORY, bundle);
    assert_eq!(tags(host, Signer::REPOSITORY), ["0.3.0"], "no tag stands in for a referrer");
}

fn verifies() {
    let signer = Signer::new("cosign");
    signer.verifies_signatures();
    // The form older versions write, by the same key.
    let (older, home) = (Signer::new("cosign2"), &signer.home);
    older.sign();
    home.write("older.pub", older.home.read("ours.pub"));
    verify(home, "cosign", &["verify"], "older.pub", &older.package(), true);
    verify(home, "cosign", &["verify"], "ours.pub", &older.package(), false);
}

fn attests() {
    let signer = Signer::new("cosign");
    signer.attest();
    let host = signer.server.host();
    let [(bundle, kind)] = &referrers(host, Signer::REPOSITORY, &signer.digest)[..] else { panic!("one bundle") };
    assert_eq!(kind, BUNDLE);
    let manifest = crate::http::manifest(host, Signer::REPOSITORY, bundle).expect("the bundle");
    assert!(String::from_utf8_lossy(&manifest).contains(PREDICATE_TYPE));
}

fn verifies_attestations() {
    Signer::new("cosign").verifies_attestations();
}

fn shows_a_tree() {
    let signer = Signer::new("cosign");
    let empty = signer.run(&["tree", &signer.package()]);
    assert!(!empty.contains("via OCI referrer"), "{empty}");
    signer.sign();
    signer.attest();
    let tree = signer.run(&["tree", &signer.package()]);
    for kind in ["https://sigstore.dev/cosign/sign/v1", PREDICATE_TYPE] {
        assert!(tree.contains(&format!("{kind} artifacts via OCI referrer")), "{kind} is not in {tree}");
    }
}
