//! Uploads: to a small registry with sessions that can be made to forget, to cut off and to refuse.
#![expect(clippy::unwrap_used, reason = "a failing test may panic")]

use std::sync::{Arc, Mutex};

use super::fixture::{Peer, Reply, Seen};
use super::{BlobSource, Error, ErrorKind, Remote};
use crate::oci::{Algorithm, ChunkRange, Digest, RepositoryName};

fn name() -> RepositoryName {
    "a/b".parse().unwrap()
}

/// What the registry holds. Sessions are numbered, and each answer moves on to a new location.
#[derive(Default)]
struct Shelf {
    sessions: Vec<Vec<u8>>,
    blobs: Vec<(String, Vec<u8>)>,
    steps: usize,
}

impl Shelf {
    fn answer(&mut self, request: &Seen) -> Reply {
        let number = request.path().rsplit('/').next().unwrap().parse::<usize>();
        match (request.method.as_str(), number) {
            ("HEAD", _) => {
                let has = self.blobs.iter().any(|(digest, _)| request.path().ends_with(digest.as_str()));
                Reply::new(if has { 200 } else { 404 })
            }
            ("POST", _) => {
                self.sessions.push(vec![]);
                self.moved(202, self.sessions.len() - 1)
            }
            ("PATCH", Ok(number)) => {
                let range: ChunkRange = request.header("content-range").unwrap().parse().unwrap();
                if range.first != self.sessions[number].len() as u64 {
                    return self.moved(416, number);
                }
                assert_eq!(range.length(), request.body.len() as u64);
                self.sessions[number].extend_from_slice(&request.body);
                self.moved(202, number)
            }
            ("GET", Ok(number)) => self.moved(204, number),
            ("PUT", Ok(number)) => {
                let mut content = std::mem::take(&mut self.sessions[number]);
                content.extend_from_slice(&request.body);
                let digest = request.target.rsplit("digest=").next().unwrap().to_owned();
                if Digest::sha256(&content).to_string() != digest {
                    return refusal(400, "DIGEST_INVALID");
                }
                self.blobs.push((digest.clone(), content));
                Reply::new(201).header("Docker-Content-Digest", &digest)
            }
            ("DELETE", _) => Reply::new(204),
            _ => Reply::new(405),
        }
    }

    fn moved(&mut self, status: u16, number: usize) -> Reply {
        self.steps += 1;
        let end = self.sessions[number].len().saturating_sub(1);
        Reply::new(status)
            .header("Location", &format!("/uploads/{number}?state={}&signed=a%2Fb", self.steps))
            .header("Range", &format!("0-{end}"))
    }
}

fn refusal(status: u16, code: &str) -> Reply {
    let body = format!(r#"{{"errors":[{{"code":"{code}"}}]}}"#);
    Reply::new(status).header("Content-Type", "application/json").body(body.as_bytes())
}

/// A registry, with a chance to answer otherwise: by the request and the number of those of its method before.
async fn registry(
    disturb: impl Fn(&Seen, usize, &mut Shelf) -> Option<Reply> + Send + Sync + 'static,
) -> (Peer, Arc<Mutex<Shelf>>) {
    let shelf = Arc::new(Mutex::new(Shelf::default()));
    let (own, counts) = (Arc::clone(&shelf), Mutex::new(std::collections::HashMap::<String, usize>::new()));
    let peer = Peer::serve(move |request| {
        let mut shelf = own.lock().unwrap();
        let mut counts = counts.lock().unwrap();
        let count = counts.entry(request.method.clone()).or_default();
        *count += 1;
        disturb(request, *count, &mut shelf).unwrap_or_else(|| shelf.answer(request))
    })
    .await;
    (peer, shelf)
}

/// Ten bytes go whole, more in pieces of four.
const SMALL: &[u8] = b"0123456789";
const LARGE: &[u8] = b"0123456789abcdefgh";

async fn push(remote: &Remote, content: &'static [u8]) -> (Result<(), Error>, Vec<u64>) {
    let told = Mutex::new(vec![]);
    let source = BlobSource::Bytes(content.into());
    let progress = |total| told.lock().unwrap().push(total);
    let digest = Digest::sha256(content);
    let result = remote.push_blob(&name(), &digest, content.len() as u64, &source, &progress).await;
    (result, told.into_inner().unwrap())
}

fn methods(peer: &Peer) -> String {
    peer.seen().iter().map(|request| request.method.as_str()).collect::<Vec<_>>().join(" ")
}

#[tokio::test]
async fn a_small_blob_goes_in_one_piece() {
    let (peer, shelf) = registry(|_, _, _| None).await;
    let (result, told) = push(&peer.remote(), SMALL).await;
    result.unwrap();
    assert_eq!(told.last(), Some(&10));
    assert_eq!(shelf.lock().unwrap().blobs[0].1, SMALL);
    let digest = Digest::sha256(SMALL);
    let expected = ["POST /v2/a/b/blobs/uploads/", &format!("PUT /uploads/0?state=1&signed=a%2Fb&digest={digest}")];
    assert_eq!(peer.lines(), expected);
    let (result, _) = push(&peer.remote(), b"").await;
    result.unwrap();
    assert_eq!(shelf.lock().unwrap().blobs[1].1, b"", "nothing is something, too");
}

#[tokio::test]
async fn a_file_goes_as_it_is_and_with_its_size() {
    let (peer, shelf) = registry(|_, _, _| None).await;
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), LARGE).unwrap();
    let (source, digest) = (BlobSource::File(file.path().to_owned()), Digest::sha256(LARGE));
    peer.remote().push_blob(&name(), &digest, 18, &source, &|_| ()).await.unwrap();
    assert_eq!(shelf.lock().unwrap().blobs[0].1, LARGE);
    let before = peer.seen().len();
    let error = peer.remote().push_blob(&name(), &digest, 17, &source, &|_| ()).await.unwrap_err();
    assert!(matches!(error, Error::SourceChanged { expected: 17, found: 18 }), "{error:?}");
    assert_eq!(peer.seen().len(), before, "nothing is sent");
}

#[tokio::test]
async fn a_failed_upload_begins_again_in_a_new_session() {
    let (peer, shelf) = registry(|request, count, _| match request.method.as_str() {
        "PUT" if count == 1 => Some(Reply::new(500)),
        "PUT" if count == 2 => Some(refusal(404, "BLOB_UPLOAD_UNKNOWN")),
        _ => None,
    })
    .await;
    push(&peer.remote(), SMALL).await.0.unwrap();
    assert_eq!(methods(&peer), "POST PUT HEAD POST PUT HEAD POST PUT");
    assert_eq!(shelf.lock().unwrap().blobs.len(), 1);
}

#[tokio::test]
async fn a_lost_answer_does_not_send_the_blob_twice() {
    let (peer, shelf) = registry(|request, _, shelf| {
        (request.method == "PUT").then(|| {
            shelf.answer(request);
            Reply::hang_up()
        })
    })
    .await;
    push(&peer.remote(), SMALL).await.0.unwrap();
    assert_eq!(methods(&peer), "POST PUT HEAD");
    push(&peer.remote(), LARGE).await.0.unwrap();
    assert_eq!(shelf.lock().unwrap().blobs.len(), 2);
}

#[tokio::test]
async fn an_upload_that_never_succeeds_ends() {
    let (peer, _) = registry(|request, _, _| (request.method == "PUT").then(|| Reply::new(503))).await;
    for content in [SMALL, LARGE] {
        assert_eq!(push(&peer.remote(), content).await.0.unwrap_err().kind(), ErrorKind::Unavailable);
    }
    assert!(peer.seen().len() < 60, "{}", methods(&peer));
    let (wrong, _) = registry(|request, _, _| (request.method == "PUT").then(|| refusal(400, "DIGEST_INVALID"))).await;
    let error = push(&wrong.remote(), SMALL).await.0.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Refused);
    assert_eq!(methods(&wrong), "POST PUT", "a refusal is final");
}

#[tokio::test]
async fn a_large_blob_goes_in_pieces() {
    let (peer, shelf) = registry(|_, _, _| None).await;
    let (result, told) = push(&peer.remote(), LARGE).await;
    result.unwrap();
    assert_eq!(methods(&peer), "POST PATCH PATCH PATCH PATCH PATCH PUT");
    assert_eq!(shelf.lock().unwrap().blobs[0].1, LARGE);
    assert!(told.is_sorted() && told.last() == Some(&18), "{told:?}");
}

#[tokio::test]
async fn a_large_blob_goes_on_where_it_was_cut() {
    let (peer, shelf) = registry(|request, count, shelf| match (request.method.as_str(), count) {
        // Two of four bytes arrive.
        ("PATCH", 2) => {
            shelf.sessions[0].extend_from_slice(&request.body[..2]);
            Some(Reply::hang_up())
        }
        ("PATCH", 4) => Some(Reply::new(503).header("Retry-After", "0")),
        ("GET", 1) => Some(Reply::new(502)),
        ("PUT", 1) => Some(Reply::new(504)),
        _ => None,
    })
    .await;
    push(&peer.remote(), LARGE).await.0.unwrap();
    assert_eq!(shelf.lock().unwrap().blobs[0].1, LARGE);
    assert_eq!(shelf.lock().unwrap().sessions.len(), 1, "one session was enough");
    let ranges: Vec<_> = peer.seen().iter().filter_map(|r| r.header("content-range").map(str::to_owned)).collect();
    assert_eq!(ranges, ["0-3", "4-7", "6-9", "10-13", "10-13", "14-17"]);
    assert_eq!(methods(&peer), "POST PATCH PATCH GET GET PATCH PATCH GET PATCH PATCH PUT HEAD GET PUT");
}

#[tokio::test]
async fn a_forgotten_session_begins_again() {
    let (peer, shelf) = registry(|request, count, _| match (request.method.as_str(), count) {
        ("PATCH", 2) => Some(refusal(404, "BLOB_UPLOAD_UNKNOWN")),
        ("PATCH", 5) => Some(Reply::new(500)),
        ("GET", 1) => Some(Reply::new(404)),
        _ => None,
    })
    .await;
    push(&peer.remote(), LARGE).await.0.unwrap();
    assert_eq!(shelf.lock().unwrap().sessions.len(), 3);
    assert_eq!(shelf.lock().unwrap().blobs[0].1, LARGE);
}

#[tokio::test]
async fn a_registry_without_pieces_gets_the_whole() {
    for status in [400, 405, 416, 501] {
        let (peer, shelf) =
            registry(move |request, _, _| (request.method == "PATCH").then(|| Reply::new(status))).await;
        push(&peer.remote(), LARGE).await.0.unwrap();
        assert_eq!(methods(&peer), "POST PATCH POST PUT", "{status}");
        assert_eq!(shelf.lock().unwrap().blobs[0].1, LARGE);
    }
}

#[tokio::test]
async fn a_registry_that_makes_no_headway_is_given_up() {
    let (stuck, _) = registry(|request, _, shelf| {
        (request.method == "PATCH").then(|| shelf.moved(202, 0).header("X", "nothing kept"))
    })
    .await;
    let error = push(&stuck.remote(), LARGE).await.0.unwrap_err();
    assert!(matches!(error, Error::Truncated { found: 0, .. }), "{error:?}");
    assert_eq!(methods(&stuck), "POST PATCH PATCH PATCH PATCH");

    let (boasting, _) = registry(|request, _, _| {
        (request.method == "PATCH")
            .then(|| Reply::new(202).header("Range", "0-999999").header("Location", "/uploads/0"))
    })
    .await;
    let error = push(&boasting.remote(), LARGE).await.0.unwrap_err();
    assert!(matches!(error, Error::Malformed { .. }), "{error:?}");
}

#[tokio::test]
async fn odd_but_harmless_answers_are_taken() {
    let (peer, shelf) = registry(|request, count, shelf| match (request.method.as_str(), count) {
        // 201 to a PATCH, without range and location, and a floor for pieces.
        ("POST", _) => Some(shelf.answer(request).header("OCI-Chunk-Min-Length", "9")),
        ("PATCH", _) => {
            shelf.sessions[0].extend_from_slice(&request.body);
            Some(Reply::new(201))
        }
        ("PUT", _) => {
            shelf.answer(request);
            Some(Reply::new(204))
        }
        _ => None,
    })
    .await;
    push(&peer.remote(), LARGE).await.0.unwrap();
    assert_eq!(methods(&peer), "POST PATCH PATCH PUT", "pieces of nine");
    assert_eq!(shelf.lock().unwrap().blobs[0].1, LARGE);
}

#[tokio::test]
async fn an_upload_needs_a_location_and_the_right_digest() {
    let nowhere = Peer::serve(|_| Reply::new(202)).await;
    let error = push(&nowhere.remote(), SMALL).await.0.unwrap_err();
    assert!(matches!(error, Error::Malformed { .. }), "{error:?}");
    let wrong = Digest::sha256(b"else").to_string();
    let (liar, _) = registry(move |request, _, _| {
        (request.method == "PUT").then(|| Reply::new(201).header("Docker-Content-Digest", &wrong))
    })
    .await;
    let error = push(&liar.remote(), SMALL).await.0.unwrap_err();
    assert!(matches!(error, Error::DigestMismatch { .. }), "{error:?}");
}

#[tokio::test]
async fn another_algorithm_is_announced() {
    let peer = Peer::serve(|request| match request.method.as_str() {
        "POST" => Reply::new(202).header("Location", "next"),
        _ => Reply::new(201).header("Docker-Content-Digest", &Digest::sha256(SMALL).to_string()),
    })
    .await;
    let (source, digest) = (BlobSource::Bytes(SMALL.into()), Digest::of(Algorithm::Sha512, SMALL));
    peer.remote().push_blob(&name(), &digest, 10, &source, &|_| ()).await.unwrap();
    let put = format!("PUT /v2/a/b/blobs/uploads/next?digest={digest}");
    assert_eq!(peer.lines(), ["POST /v2/a/b/blobs/uploads/?digest-algorithm=sha512", &put]);
}

#[tokio::test]
async fn a_blob_is_mounted_or_the_session_given_back() {
    let (digest, from) = (Digest::sha256(SMALL), "c/d".parse().unwrap());
    let mounting = Peer::serve(|_| Reply::new(201)).await;
    assert!(mounting.remote().mount_blob(&name(), &digest, &from).await.unwrap());
    assert_eq!(mounting.lines(), [format!("POST /v2/a/b/blobs/uploads/?mount={digest}&from=c/d")]);

    let (opening, _) = registry(|_, _, _| None).await;
    assert!(!opening.remote().mount_blob(&name(), &digest, &from).await.unwrap());
    assert_eq!(methods(&opening), "POST DELETE");

    for status in [401, 403, 404, 405] {
        let refusing = Peer::serve(move |_| Reply::new(status)).await;
        assert!(!refusing.remote().mount_blob(&name(), &digest, &from).await.unwrap(), "{status}");
    }
    let down = Peer::serve(|_| Reply::new(500)).await;
    assert!(down.remote().mount_blob(&name(), &digest, &from).await.is_err());
}
