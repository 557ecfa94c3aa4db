//! What the distribution specification asks of a client, where no other test shows it.
#![expect(clippy::unwrap_used, reason = "a failing test may panic")]

use super::fixture::{Peer, Reply, Seen};
use super::{BlobSource, Remote};
use crate::oci::{Digest, MAX_MANIFEST_BYTES, RepositoryName, Tag, Target, known};

const MANIFEST: &str = r#"{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json",
    "config":{"mediaType":"application/vnd.oci.image.config.v1+json",
    "digest":"sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a","size":2},"layers":[]}"#;
/// Ten bytes go whole, more in pieces of four.
const LARGE: &[u8] = b"0123456789abcdefgh";

fn name() -> RepositoryName {
    "a/b".parse().unwrap()
}

fn latest() -> Target {
    Target::Tag(Tag::latest())
}

async fn push(remote: &Remote, content: &'static [u8]) {
    let (digest, source) = (Digest::sha256(content), BlobSource::Bytes(content.into()));
    remote.push_blob(&name(), &digest, content.len() as u64, &source, &|_| ()).await.unwrap();
}

/// The bytes of an answer's range, as this request leaves them.
fn reached(request: &Seen) -> String {
    let range = request.header("content-range").unwrap();
    format!("0-{}", range.split('-').nth(1).unwrap())
}

#[tokio::test]
async fn parameters_of_a_type_do_not_matter() {
    for kind in
        ["application/vnd.oci.image.manifest.v1+json; charset=utf-8", "Application/Vnd.OCI.Image.Manifest.V1+JSON"]
    {
        let peer = Peer::serve(move |_| Reply::new(200).header("Content-Type", kind).body(MANIFEST.as_bytes())).await;
        let manifest = peer.remote().manifest(&name(), &latest()).await.unwrap().unwrap();
        assert_eq!(*manifest.media_type(), known::OCI_MANIFEST);
        assert_eq!(peer.lines(), ["GET /v2/a/b/manifests/latest"]);
    }
}

#[tokio::test]
async fn an_upload_is_opened_by_an_empty_post() {
    for content in [b"small".as_slice(), LARGE] {
        let peer = Peer::serve(|request| match request.method.as_str() {
            "POST" => Reply::new(202).header("Location", "/uploads/1"),
            "PATCH" => Reply::new(202).header("Location", "/uploads/1").header("Range", &reached(request)),
            _ => Reply::new(201),
        })
        .await;
        push(&peer.remote(), content).await;
        let opening = &peer.seen()[0];
        assert_eq!(opening.line(), "POST /v2/a/b/blobs/uploads/");
        assert_eq!((opening.header("content-length"), opening.body.len()), (Some("0"), 0));
        assert_eq!(opening.header("transfer-encoding"), None);
    }
}

#[tokio::test]
async fn an_upload_moves_on_to_every_new_location() {
    let peer = Peer::serve(|request| {
        let step = request.target.rsplit("step=").next().unwrap().split('&').next().unwrap().parse::<usize>().ok();
        let next = format!("/uploads/x?step={}", step.map_or(1, |step| step + 1));
        match request.method.as_str() {
            "POST" => Reply::new(202).header("Location", &next),
            // The second piece breaks off before anything of it has come.
            "PATCH" if step == Some(2) => Reply::new(503),
            "GET" => Reply::new(204).header("Location", &next).header("Range", "0-3"),
            "PATCH" => Reply::new(202).header("Location", &next).header("Range", &reached(request)),
            _ => Reply::new(201),
        }
    })
    .await;
    push(&peer.remote(), LARGE).await;
    let lines = peer.lines();
    let expected =
        ["PATCH /uploads/x?step=1", "PATCH /uploads/x?step=2", "GET /uploads/x?step=2", "PATCH /uploads/x?step=3"];
    assert_eq!(lines[1..5], expected);
    assert!(lines.last().unwrap().starts_with("PUT /uploads/x?step=7&digest=sha256:"), "{lines:?}");
}

#[tokio::test]
async fn an_upload_that_cannot_be_given_back_is_no_error() {
    for status in [404, 405, 500] {
        let peer = Peer::serve(move |request| match request.method.as_str() {
            "POST" => Reply::new(202).header("Location", "/uploads/1"),
            _ => Reply::new(status),
        })
        .await;
        let from = "c/d".parse().unwrap();
        assert!(!peer.remote().mount_blob(&name(), &Digest::sha256(b"x"), &from).await.unwrap());
        assert_eq!(peer.lines()[1..], ["DELETE /uploads/1"]);
    }
}

#[tokio::test]
async fn a_manifest_of_four_mebibytes_is_read() {
    let body = format!("{MANIFEST}{}", " ".repeat(MAX_MANIFEST_BYTES - MANIFEST.len()));
    let peer =
        Peer::serve(move |_| Reply::new(200).header("Content-Type", known::OCI_MANIFEST).body(body.as_bytes())).await;
    let manifest = peer.remote().manifest(&name(), &latest()).await.unwrap().unwrap();
    assert_eq!(manifest.bytes().len(), MAX_MANIFEST_BYTES);
}

#[tokio::test]
async fn without_list_and_tag_there_are_no_referrers() {
    let image = |request: &Seen| match request.path() {
        path if path.contains("/manifests/sha256-") => {
            Reply::new(200).header("Content-Type", known::OCI_MANIFEST).body(MANIFEST.as_bytes())
        }
        _ => Reply::new(404),
    };
    for peer in [Peer::serve(|_| Reply::new(404)).await, Peer::serve(image).await] {
        let found = peer.remote().referrers(&name(), &Digest::sha256(b"x")).await.unwrap();
        assert!(found.is_empty());
        assert_eq!(peer.seen().len(), 2);
    }
}

#[tokio::test]
async fn a_warning_changes_nothing() {
    let digest = Digest::sha256(MANIFEST.as_bytes());
    let answer = |warning: &'static str| {
        move |request: &Seen| match request.method.as_str() {
            "DELETE" => Reply::new(202).header("Warning", warning),
            _ => Reply::new(200)
                .header("Content-Type", known::OCI_MANIFEST)
                .header("Warning", warning)
                .body(MANIFEST.as_bytes()),
        }
    };
    for warning in ["299 - \"This image is deprecated\"", "199 host \"old\" \"date\"", "nonsense", ""] {
        let peer = Peer::serve(answer(warning)).await;
        let remote = peer.remote();
        assert_eq!(remote.manifest(&name(), &latest()).await.unwrap().unwrap().digest(), digest);
        assert!(remote.has_blob(&name(), &digest).await.unwrap());
        assert!(remote.delete_manifest(&name(), &latest()).await.unwrap());
        assert_eq!(peer.seen().len(), 3);
    }
}
