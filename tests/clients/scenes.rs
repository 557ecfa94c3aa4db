//! What is the same for every client: a registry with something in it, one act of the client, and a look at what is
//! there afterwards.

use crate::distribution::distribution;
use crate::home::Home;
use crate::http::{manifest, put_blob, tags, whole};
use crate::image::{Image, LARGE_BYTES};
use crate::layout::checked;
use crate::process::Process;
use crate::wire::{Way, Wire};

/// What a client may send or receive besides the bytes of a large blob.
const TALK_BYTES: u64 = 128 * 1024;

/// An image is copied from one reference to another, and is there whole with the same digest.
fn copied(from: &str, to: &str, copy: impl Fn(&Home, &str, &str)) {
    let image = Image::small();
    image.push(from, "seeds/image", &["v1"]);
    copy(&Home::new(), &format!("{from}/seeds/image:v1"), &format!("{to}/copies/image:v2"));
    assert_eq!(whole(to, "copies/image", "v2"), image.digest());
    assert_eq!(tags(to, "copies/image"), ["v2"]);
}

/// `copy` gets a home, the reference that is there and the one to make.
pub(crate) fn copies_within(copy: impl Fn(&Home, &str, &str)) {
    let server = Process::spawn();
    copied(server.host(), server.host(), copy);
}

/// From one of our registries to another.
pub(crate) fn copies_between(copy: impl Fn(&Home, &str, &str)) {
    let (here, there) = (Process::spawn(), Process::spawn());
    copied(here.host(), there.host(), copy);
}

/// From our registry to distribution, and the other way.
pub(crate) fn copies_other(copy: impl Fn(&Home, &str, &str)) {
    let (ours, other) = (Process::spawn(), distribution());
    copied(ours.host(), other.host(), &copy);
    copied(other.host(), ours.host(), &copy);
}

/// `list` gets a home and a repository with its host; the lines it gives are the tags. A repository that is not there
/// is refused: `refused` makes sure of it.
pub(crate) fn lists_tags(list: impl Fn(&Home, &str) -> Vec<String>, refused: impl Fn(&Home, &str)) {
    let server = Process::spawn();
    Image::small().push(server.host(), "seeds/image", &["v1", "latest", "2.0.0-rc.1"]);
    let mut listed = list(&Home::new(), &format!("{}/seeds/image", server.host()));
    listed.sort();
    assert_eq!(listed, ["2.0.0-rc.1", "latest", "v1"]);
    refused(&Home::new(), &format!("{}/seeds/nothing", server.host()));
}

/// `list` gets a home and a host, and gives the repositories.
pub(crate) fn lists_repositories(list: impl Fn(&Home, &str) -> Vec<String>) {
    let server = Process::spawn();
    for repository in ["a/image", "b/c/image", "z"] {
        Image::small().push(server.host(), repository, &["v1"]);
    }
    assert_eq!(list(&Home::new(), server.host()), ["a/image", "b/c/image", "z"]);
}

/// `tag` gets a home, a reference and a further tag for it.
pub(crate) fn tags_again(tag: impl Fn(&Home, &str, &str)) {
    let server = Process::spawn();
    let image = Image::small();
    image.push(server.host(), "seeds/image", &["v1"]);
    tag(&Home::new(), &format!("{}/seeds/image:v1", server.host()), "stable");
    assert_eq!(tags(server.host(), "seeds/image"), ["stable", "v1"]);
    assert_eq!(whole(server.host(), "seeds/image", "stable"), image.digest());
}

/// `delete` gets a home and a reference by tag; only this tag goes.
pub(crate) fn deletes_a_tag(delete: impl Fn(&Home, &str)) {
    let server = Process::spawn();
    let image = Image::small();
    image.push(server.host(), "seeds/image", &["v1", "v2"]);
    delete(&Home::new(), &format!("{}/seeds/image:v1", server.host()));
    assert_eq!(tags(server.host(), "seeds/image"), ["v2"]);
    assert_eq!(whole(server.host(), "seeds/image", &image.digest()), image.digest());
}

/// `delete` gets a home, a repository with its host, a tag and the digest it points to; the manifest goes with all its
/// tags, and another stays.
pub(crate) fn deletes_a_manifest(delete: impl Fn(&Home, &str, &str, &str)) {
    let server = Process::spawn();
    let (gone, kept) = (Image::small(), Image::large());
    gone.push(server.host(), "seeds/image", &["v1", "v2"]);
    kept.push(server.host(), "seeds/image", &["v3"]);
    delete(&Home::new(), &format!("{}/seeds/image", server.host()), "v1", &gone.digest());
    assert_eq!(tags(server.host(), "seeds/image"), ["v3"]);
    assert_eq!(manifest(server.host(), "seeds/image", &gone.digest()), None);
    assert_eq!(whole(server.host(), "seeds/image", "v3"), kept.digest());
}

/// `copy` gets a home and two references in one registry; what is copied is large, and is not sent.
pub(crate) fn mounts(copy: impl Fn(&Home, &str, &str)) {
    let server = Process::spawn();
    let image = Image::large();
    image.push(server.host(), "seeds/image", &["v1"]);
    let wire = Wire::to(server.host());
    copy(&Home::new(), &format!("{}/seeds/image:v1", wire.host()), &format!("{}/copies/image:v1", wire.host()));
    assert_eq!(whole(server.host(), "copies/image", "v1"), image.digest());
    assert!(wire.sent() > 0 && wire.sent() < TALK_BYTES, "{} bytes were sent", wire.sent());
    assert!(wire.received() < TALK_BYTES, "{} bytes were received", wire.received());
}

/// `get` gets a home, a repository with its host and the digest of a large blob, and gives its bytes although the
/// connection breaks after half of them; the first half is not asked for again.
pub(crate) fn resumes(get: impl Fn(&Home, &str, &str) -> Vec<u8>) {
    let server = Process::spawn();
    let image = Image::large();
    put_blob(server.host(), "seeds/image", &image.layer);
    let length = image.layer.len() as u64;
    let wire = Wire::breaking(server.host(), Way::Received, length / 2);
    let got = get(&Home::new(), &format!("{}/seeds/image", wire.host()), &image.layer_digest());
    assert!(got == image.layer, "{} bytes of {length} that are not the blob's", got.len());
    assert!(wire.was_cut(), "the connection did not break");
    // A piece that was not delivered is counted, and sent again.
    assert!(wire.received() < length + LARGE_BYTES as u64 / 8, "{} bytes for {length}", wire.received());
}

/// `write` gets a home, a reference and the name of a folder in the home for the layout.
pub(crate) fn writes_a_layout(write: impl Fn(&Home, &str, &str)) {
    let server = Process::spawn();
    let (image, home) = (Image::small(), Home::new());
    image.push(server.host(), "seeds/image", &["v1"]);
    write(&home, &format!("{}/seeds/image:v1", server.host()), "layout");
    assert_eq!(checked(&home.path("layout")), image.digest());
}

/// `push` gets a home, the name of a folder in it with a layout whose image is tagged `v1`, and a reference.
pub(crate) fn pushes_a_layout(push: impl Fn(&Home, &str, &str)) {
    let server = Process::spawn();
    let (image, home) = (Image::small(), Home::new());
    image.write_layout(&home.path("layout"), "v1");
    push(&home, "layout", &format!("{}/pushed/image:v1", server.host()));
    assert_eq!(whole(server.host(), "pushed/image", "v1"), image.digest());
}

/// `push` gets a home, a reference and the name of a folder in the home, which hold the same large image, and where it
/// is to go; the connection breaks while the blob is sent, and the client comes through by itself.
pub(crate) fn sends_again(push: impl Fn(&Home, &str, &str, &str)) {
    let (here, there) = (Process::spawn(), Process::spawn());
    let (image, home) = (Image::large(), Home::new());
    image.push(here.host(), "seeds/image", &["v1"]);
    image.write_layout(&home.path("layout"), "v1");
    let wire = Wire::breaking(there.host(), Way::Sent, LARGE_BYTES as u64 / 2);
    let (from, to) = (format!("{}/seeds/image:v1", here.host()), format!("{}/pushed/image:v1", wire.host()));
    push(&home, &from, "layout", &to);
    assert!(wire.was_cut(), "the connection did not break");
    assert_eq!(whole(there.host(), "pushed/image", "v1"), image.digest());
}
