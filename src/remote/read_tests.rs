//! Manifests, blobs and lists from registries that lie, talk too much, or talk of something else.
#![expect(clippy::unwrap_used, reason = "a failing test may panic")]

use super::fixture::{Peer, Reply};
use super::{Error, ErrorKind};
use crate::oci::{Algorithm, Digest, Manifest, RepositoryName, Tag, Target, known};

const MANIFEST: &str = r#"{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json",
    "config":{"mediaType":"application/vnd.oci.image.config.v1+json",
    "digest":"sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a","size":2},"layers":[]}"#;

fn name() -> RepositoryName {
    "a/b".parse().unwrap()
}

fn digest() -> Digest {
    Digest::sha256(MANIFEST.as_bytes())
}

fn by_digest() -> Target {
    Target::Digest(digest())
}

fn by_tag() -> Target {
    Target::Tag(Tag::latest())
}

fn manifest_reply(body: &str) -> Reply {
    Reply::new(200).header("Content-Type", known::OCI_MANIFEST).body(body.as_bytes())
}

#[tokio::test]
async fn a_manifest_is_what_was_asked_for() {
    let peer = Peer::serve(|_| manifest_reply(MANIFEST)).await;
    for target in [by_digest(), by_tag()] {
        let manifest = peer.remote().manifest(&name(), &target).await.unwrap().unwrap();
        assert_eq!(manifest.digest(), digest());
    }
    let accepted = peer.seen()[0].header("accept").unwrap().to_owned();
    for kind in [known::OCI_MANIFEST, known::OCI_INDEX, known::DOCKER_MANIFEST, known::DOCKER_LIST] {
        assert!(accepted.contains(kind), "{kind}");
    }
}

#[tokio::test]
async fn a_manifest_of_another_digest_is_refused() {
    let other = MANIFEST.replace("\"layers\":[]", "\"layers\": []");
    let body = other.clone();
    let swapped = Peer::serve(move |_| manifest_reply(&body)).await;
    let error = swapped.remote().manifest(&name(), &by_digest()).await.unwrap_err();
    assert!(matches!(error, Error::DigestMismatch { .. }), "{error:?}");
    assert!(swapped.remote().manifest(&name(), &by_tag()).await.is_ok(), "a tag may mean any bytes");

    let announced = digest().to_string();
    let lying = Peer::serve(move |_| manifest_reply(&other).header("Docker-Content-Digest", &announced)).await;
    let error = lying.remote().manifest(&name(), &by_tag()).await.unwrap_err();
    assert!(matches!(error, Error::DigestMismatch { .. }), "{error:?}");
    assert_eq!(error.kind(), ErrorKind::Protocol);
}

#[tokio::test]
async fn digests_of_both_algorithms_are_checked() {
    let long = Digest::of(Algorithm::Sha512, MANIFEST.as_bytes());
    let text = long.to_string();
    let peer = Peer::serve(move |_| manifest_reply(MANIFEST).header("Docker-Content-Digest", &text)).await;
    let remote = peer.remote();
    assert_eq!(remote.manifest(&name(), &by_tag()).await.unwrap().unwrap().digest(), long);
    assert_eq!(remote.manifest(&name(), &by_digest()).await.unwrap().unwrap().digest(), digest());
    let wrong = Target::Digest(Digest::of(Algorithm::Sha512, b"else"));
    assert!(matches!(remote.manifest(&name(), &wrong).await, Err(Error::DigestMismatch { .. })));
}

#[tokio::test]
async fn what_does_not_exist_is_no_error() {
    let peer = Peer::serve(|_| {
        Reply::new(404)
            .header("Content-Type", "application/json")
            .body(br#"{"errors":[{"code":"MANIFEST_UNKNOWN","message":"no"}]}"#)
    })
    .await;
    let remote = peer.remote();
    assert!(remote.manifest(&name(), &by_tag()).await.unwrap().is_none());
    assert_eq!(remote.head_manifest(&name(), &by_tag()).await.unwrap(), None);
    assert_eq!(remote.tags(&name()).await.unwrap(), None);
    assert!(!remote.has_blob(&name(), &digest()).await.unwrap());
    assert!(!remote.delete_manifest(&name(), &by_tag()).await.unwrap());
    assert_eq!(remote.get_json::<u8>("/api/v1", 10).await.unwrap(), None);
    assert!(remote.referrers(&name(), &digest()).await.unwrap().is_empty());
    assert_eq!(remote.open_blob(&name(), &digest(), 0).await.unwrap_err().kind(), ErrorKind::NotFound);
}

#[tokio::test]
async fn a_head_tells_the_digest_or_the_manifest_is_read() {
    let text = digest().to_string();
    let announcing = Peer::serve(move |_| manifest_reply(MANIFEST).header("Docker-Content-Digest", &text)).await;
    let found = announcing.remote().head_manifest(&name(), &by_tag()).await.unwrap().unwrap();
    assert_eq!((found.digest, found.size), (digest(), Some(MANIFEST.len() as u64)));
    assert_eq!(found.media_type.unwrap(), known::OCI_MANIFEST);
    assert_eq!(announcing.seen().len(), 1);

    for status in [200, 405] {
        let silent = Peer::serve(move |request| match request.method.as_str() {
            "HEAD" => Reply::new(status),
            _ => manifest_reply(MANIFEST),
        })
        .await;
        let found = silent.remote().head_manifest(&name(), &by_tag()).await.unwrap().unwrap();
        assert_eq!((found.digest, found.size), (digest(), Some(MANIFEST.len() as u64)));
        assert_eq!(silent.seen().len(), 2);
    }
    let other = Target::Digest(Digest::sha256(b"else"));
    let error = announcing.remote().head_manifest(&name(), &other).await.unwrap_err();
    assert!(matches!(error, Error::DigestMismatch { .. }), "{error:?}");
}

#[tokio::test]
async fn bodies_have_limits_whether_announced_or_not() {
    let announced = Peer::serve(|_| manifest_reply("").announcing(5_000_000_000)).await;
    let flood = Peer::serve(|_| Reply::json("").then_flood()).await;
    for peer in [&announced, &flood] {
        let remote = peer.remote();
        let error = remote.manifest(&name(), &by_tag()).await.unwrap_err();
        assert!(matches!(error, Error::TooLarge { limit: 4_194_304, .. }), "{error:?}");
        assert!(matches!(remote.tags(&name()).await, Err(Error::TooLarge { .. })));
        assert!(matches!(remote.repositories().await, Err(Error::TooLarge { .. })));
        assert!(matches!(remote.referrers(&name(), &digest()).await, Err(Error::TooLarge { .. })));
        assert!(matches!(remote.get_json::<u8>("/api/v1", 100).await, Err(Error::TooLarge { limit: 100, .. })));
        assert!(matches!(remote.ping().await, Err(Error::TooLarge { .. })));
    }
    let error = Peer::serve(|_| Reply::new(403).header("Content-Type", "application/json").then_flood()).await;
    let refused = error.remote().tags(&name()).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Denied, "the status survives an endless error");
}

#[tokio::test]
async fn a_web_page_is_no_registry() {
    for status in [200, 404] {
        let peer = Peer::serve(move |_| {
            Reply::new(status).header("Content-Type", "Text/HTML; charset=utf-8").body(b"<html>\x1b[2J</html>")
        })
        .await;
        let remote = peer.remote();
        let errors = [
            remote.ping().await.unwrap_err(),
            remote.manifest(&name(), &by_tag()).await.unwrap_err(),
            remote.head_manifest(&name(), &by_tag()).await.unwrap_err(),
            remote.tags(&name()).await.unwrap_err(),
            remote.repositories().await.unwrap_err(),
            remote.referrers(&name(), &digest()).await.unwrap_err(),
            remote.has_blob(&name(), &digest()).await.unwrap_err(),
        ];
        for error in errors {
            assert!(matches!(error, Error::NotARegistry { .. }), "{status}: {error:?}");
            assert!(error.to_string().contains("is no OCI registry"), "{error}");
            assert!(error.hint().unwrap().contains(&peer.url()), "{:?}", error.hint());
        }
        assert_eq!(remote.get_json::<u8>("/api/v1", 100).await.unwrap(), None, "an own API is simply not there");
    }
    let other = Peer::serve(|_| Reply::new(404)).await;
    assert!(matches!(other.remote().ping().await, Err(Error::NotARegistry { .. })));
    let no_http = Peer::serve(|_| Reply::raw(b"220 mail.example ESMTP\r\n")).await;
    assert!(no_http.remote().ping().await.is_err());
}

#[tokio::test]
async fn an_own_api_answers_in_json_of_the_right_form() {
    let peer = Peer::serve(|request| match request.target.as_str() {
        "/api/v1/packages?q=a%20b" => {
            Reply::new(200).header("Content-Type", "application/json; charset=utf-8").body(b"7")
        }
        "/text" => Reply::new(200).header("Content-Type", "text/plain").body(b"7"),
        _ => Reply::json("\"seven\""),
    })
    .await;
    let remote = peer.remote();
    assert_eq!(remote.get_json::<u8>("/api/v1/packages?q=a%20b", 100).await.unwrap(), Some(7));
    assert_eq!(remote.get_json::<u8>("/text", 100).await.unwrap(), None);
    assert!(matches!(remote.get_json::<u8>("/other", 100).await, Err(Error::Json { .. })));
    for path in ["api", "", "http://h/x", "@h/x"] {
        assert!(matches!(remote.get_json::<u8>(path, 100).await, Err(Error::Malformed { .. })), "{path}");
    }
    assert!(remote.get_json::<u8>("//elsewhere/x", 100).await.is_err(), "not another host, only an odd path");
    assert_eq!(peer.seen().len(), 4);
}

#[tokio::test]
async fn referrers_come_from_the_list_or_the_tag() {
    let entry = format!(r#"{{"mediaType":"{}","digest":"{}","size":2}}"#, known::OCI_MANIFEST, digest());
    let index =
        format!(r#"{{"schemaVersion":2,"mediaType":"{}","manifests":[{entry},{{"odd":1}}]}}"#, known::OCI_INDEX);
    let listing =
        Peer::serve(move |_| Reply::new(200).header("Content-Type", known::OCI_INDEX).body(index.as_bytes())).await;
    let found = listing.remote().referrers(&name(), &digest()).await.unwrap();
    assert_eq!(found.len(), 1, "what is no descriptor is left out");
    assert_eq!(found[0].digest, digest());

    let long = Digest::of(Algorithm::Sha512, b"x");
    let index = format!(r#"{{"schemaVersion":2,"mediaType":"{}","manifests":[{entry}]}}"#, known::OCI_INDEX);
    let tagging = Peer::serve(move |request| match request.path() {
        path if path.contains("/manifests/sha") => {
            Reply::new(200).header("Content-Type", known::OCI_INDEX).body(index.as_bytes())
        }
        _ => Reply::new(404),
    })
    .await;
    assert_eq!(tagging.remote().referrers(&name(), &long).await.unwrap().len(), 1);
    assert_eq!(tagging.seen()[1].path(), format!("/v2/a/b/manifests/sha512-{}", &long.hex()[..64]));
}

async fn read_all(peer: &Peer, offset: u64) -> Result<(u64, Option<u64>, Vec<u8>), Error> {
    let mut body = peer.remote().open_blob(&name(), &Digest::sha256(b"0123456789"), offset).await?;
    let mut bytes = Vec::new();
    while let Some(chunk) = body.next_chunk().await? {
        bytes.extend_from_slice(&chunk);
    }
    Ok((body.offset, body.total, bytes))
}

#[tokio::test]
async fn a_blob_is_read_from_an_offset_or_from_the_beginning() {
    let ranged = Peer::serve(|request| match request.header("range") {
        Some("bytes=4-") => Reply::new(206).header("Content-Range", "bytes 4-9/10").body(b"456789"),
        Some(_) => Reply::new(416),
        None => Reply::new(200).body(b"0123456789"),
    })
    .await;
    assert_eq!(read_all(&ranged, 4).await.unwrap(), (4, Some(10), b"456789".to_vec()));
    assert_eq!(read_all(&ranged, 0).await.unwrap(), (0, Some(10), b"0123456789".to_vec()));
    assert_eq!(ranged.seen()[1].header("range"), None);
    assert_eq!(read_all(&ranged, 99).await.unwrap().0, 0, "beyond the end means to begin again");

    let whole = Peer::serve(|_| Reply::new(200).body(b"0123456789")).await;
    assert_eq!(read_all(&whole, 4).await.unwrap(), (0, Some(10), b"0123456789".to_vec()));
}

#[tokio::test]
async fn a_blob_that_is_cut_stretched_or_misplaced_is_an_error() {
    let cut = Peer::serve(|_| Reply::new(200).body(b"01234").announcing(10)).await;
    assert_eq!(read_all(&cut, 0).await.unwrap_err().kind(), ErrorKind::Unavailable);
    let short = Peer::serve(|_| Reply::new(206).header("Content-Range", "bytes 4-9/10").body(b"45")).await;
    assert!(matches!(read_all(&short, 4).await, Err(Error::Truncated { expected: 10, found: 6 })));
    let long = Peer::serve(|_| Reply::new(206).header("Content-Range", "bytes 4-9/10").body(b"456789abc")).await;
    assert!(matches!(read_all(&long, 4).await, Err(Error::TooLarge { .. })));
    for range in ["bytes 3-9/10", "bytes */10", "4-9/10", "bytes x-y/z", ""] {
        let moved = Peer::serve(move |_| Reply::new(206).header("Content-Range", range).body(b"456789")).await;
        assert!(matches!(read_all(&moved, 4).await, Err(Error::Malformed { .. })), "{range}");
    }
    let wrong = Digest::sha256(b"else").to_string();
    let other = Peer::serve(move |_| Reply::new(200).header("Docker-Content-Digest", &wrong).body(b"x")).await;
    assert!(matches!(read_all(&other, 0).await, Err(Error::DigestMismatch { .. })));
}

#[tokio::test]
async fn broken_manifests_are_told_apart_from_broken_registries() {
    for body in ["", "{", "{}", "[]"] {
        let peer = Peer::serve(move |_| manifest_reply(body)).await;
        let error = peer.remote().manifest(&name(), &by_tag()).await.unwrap_err();
        assert!(matches!(error, Error::Manifest(_)), "{body}: {error:?}");
        let error = peer.remote().tags(&name()).await;
        assert!(error.is_err() || body == "{}", "{body}");
    }
    let plain = Peer::serve(|_| Reply::new(200).header("Content-Type", "text/plain").body(MANIFEST.as_bytes())).await;
    assert!(plain.remote().manifest(&name(), &by_tag()).await.is_ok(), "the manifest says itself what it is");
    let confused =
        Peer::serve(|_| Reply::new(200).header("Content-Type", known::OCI_INDEX).body(MANIFEST.as_bytes())).await;
    assert!(matches!(confused.remote().manifest(&name(), &by_tag()).await, Err(Error::Manifest(_))));
}

fn manifest() -> Manifest {
    Manifest::parse(MANIFEST.into(), None, Algorithm::Sha256).unwrap()
}

#[tokio::test]
async fn tags_go_with_the_manifest_or_after_it() {
    let tags: Vec<Tag> = ["1.0.0", "latest"].map(|tag| tag.parse().unwrap()).to_vec();
    let knowing = Peer::serve(|_| Reply::new(201).header("OCI-Tag", "1.0.0").header("OCI-Tag", "latest")).await;
    knowing.remote().put_manifest(&name(), &manifest(), &tags).await.unwrap();
    assert_eq!(knowing.lines(), [format!("PUT /v2/a/b/manifests/{}?tag=1.0.0&tag=latest", digest())]);
    let seen = &knowing.seen()[0];
    assert_eq!(seen.body, MANIFEST.as_bytes());
    assert_eq!(seen.header("content-type"), Some(known::OCI_MANIFEST));

    let half = Peer::serve(|_| Reply::new(201).header("OCI-Tag", "1.0.0")).await;
    half.remote().put_manifest(&name(), &manifest(), &tags).await.unwrap();
    assert_eq!(half.lines()[1..], ["PUT /v2/a/b/manifests/latest"]);

    let too_long = Peer::serve(|request| Reply::new(if request.target.contains('?') { 414 } else { 201 })).await;
    too_long.remote().put_manifest(&name(), &manifest(), &tags).await.unwrap();
    assert_eq!(too_long.lines()[1..], ["PUT /v2/a/b/manifests/1.0.0", "PUT /v2/a/b/manifests/latest"]);

    knowing.remote().put_manifest(&name(), &manifest(), &[]).await.unwrap();
    assert_eq!(knowing.lines()[1..], [format!("PUT /v2/a/b/manifests/{}", digest())]);
}

#[tokio::test]
async fn new_tags_are_set_only_where_there_are_none() {
    let tags: Vec<Tag> = vec!["1.0.0".parse().unwrap()];
    let free = Peer::serve(|_| Reply::new(201).header("OCI-Tag", "1.0.0")).await;
    assert!(free.remote().put_new_tags(&name(), &manifest(), &tags).await.unwrap());
    assert_eq!(free.seen()[0].header("if-none-match"), Some("*"));
    free.remote().put_manifest(&name(), &manifest(), &tags).await.unwrap();
    assert_eq!(free.seen()[1].header("if-none-match"), None);
    let taken = Peer::serve(|_| Reply::new(412)).await;
    assert!(!taken.remote().put_new_tags(&name(), &manifest(), &tags).await.unwrap());
    assert!(taken.remote().put_manifest(&name(), &manifest(), &tags).await.is_err());
    let denied = Peer::serve(|_| Reply::new(403)).await;
    assert!(denied.remote().put_new_tags(&name(), &manifest(), &tags).await.is_err());
}

#[tokio::test]
async fn a_registry_that_stores_other_bytes_is_found_out() {
    let wrong = Digest::sha256(b"else").to_string();
    let peer = Peer::serve(move |_| Reply::new(201).header("Docker-Content-Digest", &wrong)).await;
    let error = peer.remote().put_manifest(&name(), &manifest(), &[]).await.unwrap_err();
    assert!(matches!(error, Error::DigestMismatch { .. }), "{error:?}");
}
