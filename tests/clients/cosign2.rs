//! cosign 2 against our server: signatures are images under tags made of the digest they sign.

use agent_registry::oci::Digest;

use crate::home::Home;
use crate::http::{blob, referrers, tags, whole};
use crate::matrix::column;
use crate::process::Process;
use crate::scenes;
use crate::signer::{Signer, verify};

column! {
    "cosign2",
    has {
        Push: pushes, Pull: downloads_a_signature,
        CopyWithin: copies_within, CopyBetween: copies_between, CopyOther: copies_other, DeleteTag: cleans,
        Mount: mounts, SendAgain: sends_again, LayoutOut: writes_a_layout, LayoutIn: loads_what_it_saved, Sign: signs, Verify: verifies,
        Attest: attests, VerifyAttestation: verifies_attestations, Tree: shows_a_tree,
    }
    lacks {
        "`attest` attaches": [Attach],
        "a transfer that broke off fails; the command is run again": [Resume],
        "there is no command for it": [Inspect, ListTags, ListRepositories, Tag, DeleteManifest],
        "`tree` lists those about signatures": [Referrers],
    }
    notes {
        Push: "`upload blob`",
        Pull: "`download signature` and `download attestation`",
        SendAgain: "the blob is sent again from its start",
        DeleteTag: "`clean` removes the tags of signatures and attestations",
        Verify: "of the bundles that version 3 writes only with `--trusted-root`",
    }
}

fn pushes() {
    let (server, home) = (Process::spawn(), Home::new());
    home.write("note.txt", "remember\n");
    home.ok("cosign2", &["upload", "blob", "-f", "note.txt", &format!("{}/plain/notes:v1", server.host())]);
    whole(server.host(), "plain/notes", "v1");
    assert_eq!(blob(server.host(), "plain/notes", &Digest::sha256(b"remember\n").to_string()), b"remember\n");
}

fn downloads_a_signature() {
    let signer = Signer::new("cosign2");
    signer.home.refused("cosign2", &["download", "signature", &signer.package()]);
    signer.sign();
    assert!(signer.run(&["download", "signature", &signer.package()]).contains("Base64Signature"));
    signer.attest();
    assert!(signer.run(&["download", "attestation", &signer.package()]).contains("application/vnd.in-toto+json"));
}

/// Copies what is signed and unsigned alike; the tag with the digest that it adds is taken away again.
fn copy_alone(home: &Home, from: &str, to: &str) {
    let (host, repository) = to.split_once('/').expect("a host");
    let (repository, _) = repository.split_once(':').expect("a tag");
    home.ok("cosign2", &["copy", from, to]);
    let second = tags(host, repository).into_iter().find(|tag| tag.starts_with("sha256-")).expect("a second tag");
    home.ok("crane", &["delete", &format!("{host}/{repository}:{second}")]);
}

fn copies_within() {
    scenes::copies_within(copy_alone);
}

fn copies_between() {
    scenes::copies_between(copy_alone);
    let (signer, there) = (Signer::new("cosign2"), Process::spawn());
    signer.sign();
    let copy = format!("{}/copies/notes:v1", there.host());
    signer.run(&["copy", &signer.package(), &copy]);
    signer.verify(&["verify"], "ours.pub", &copy, true);
}

fn copies_other() {
    scenes::copies_other(copy_alone);
}

fn mounts() {
    scenes::mounts(|home, from, to| drop(home.ok("cosign2", &["copy", from, to])));
}

fn cleans() {
    let signer = Signer::new("cosign2");
    signer.sign();
    signer.attest();
    signer.run(&["clean", "--force", &signer.package()]);
    assert_eq!(tags(signer.server.host(), Signer::REPOSITORY), ["0.3.0"]);
    signer.verify(&["verify"], "ours.pub", &signer.package(), false);
}

fn sends_again() {
    scenes::sends_again(|home, from, _, to| drop(home.ok("cosign2", &["copy", from, to])));
}

fn writes_a_layout() {
    scenes::writes_a_layout(|home, reference, layout| drop(home.ok("cosign2", &["save", "--dir", layout, reference])));
}

fn loads_what_it_saved() {
    let (signer, there) = (Signer::new("cosign2"), Process::spawn());
    signer.sign();
    signer.run(&["save", "--dir", "signed", &signer.package()]);
    let loaded = format!("{}/loaded/notes:v1", there.host());
    signer.run(&["load", "--dir", "signed", &loaded]);
    assert_eq!(whole(there.host(), "loaded/notes", "v1"), signer.digest);
    signer.verify(&["verify"], "ours.pub", &loaded, true);
    signer.verify(&["verify"], "other.pub", &loaded, false);
}

/// The tag for a signature or an attestation.
fn tag(signer: &Signer, kind: &str) -> String {
    format!("{}.{kind}", signer.digest.replace(':', "-"))
}

fn signs() {
    let signer = Signer::new("cosign2");
    signer.sign();
    let host = signer.server.host();
    assert_eq!(tags(host, Signer::REPOSITORY), ["0.3.0".to_owned(), tag(&signer, "sig")]);
    whole(host, Signer::REPOSITORY, &tag(&signer, "sig"));
    assert_eq!(referrers(host, Signer::REPOSITORY, &signer.digest), []);
}

fn verifies() {
    Signer::new("cosign2").verifies_signatures();
    let (newer, home) = (Signer::new("cosign"), Home::new());
    newer.sign();
    for file in ["ours.pub", "other.pub", "root.json"] {
        home.write(file, newer.home.read(file));
    }
    verify(&home, "cosign2", &["verify"], "ours.pub", &newer.package(), true);
    verify(&home, "cosign2", &["verify"], "other.pub", &newer.package(), false);
    let without = ["verify", "--insecure-ignore-tlog", "--key", "ours.pub", &newer.package()];
    let said = home.refused("cosign2", &without);
    assert!(said.stderr.contains("trusted root is required"), "{}", said.stderr);
}

fn attests() {
    let signer = Signer::new("cosign2");
    signer.attest();
    let host = signer.server.host();
    assert_eq!(tags(host, Signer::REPOSITORY), ["0.3.0".to_owned(), tag(&signer, "att")]);
    whole(host, Signer::REPOSITORY, &tag(&signer, "att"));
}

fn verifies_attestations() {
    Signer::new("cosign2").verifies_attestations();
}

fn shows_a_tree() {
    let signer = Signer::new("cosign2");
    signer.sign();
    signer.attest();
    let tree = signer.run(&["tree", &signer.package()]);
    for kind in ["sig", "att"] {
        assert!(tree.contains(&tag(&signer, kind)), "{kind} is not in {tree}");
    }
}
