//! The vocabulary's promises: printing and parsing are inverse, no input panics, and each refusal names its reason.

use agent_registry::oci::{
    Algorithm, ByteRange, ChunkRange, Digest, EdgeKind, ErrorCode, HashState, Hasher, Host, Manifest, ManifestError,
    MediaType, Method, Page, RangeError, Reference, RepositoryName, Route, RouteError, Slice, Tag, Target, UploadId,
    UploadStart, known,
};
use bytes::Bytes;
use proptest::prelude::*;

const EMPTY_SHA256: &str = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

fn name() -> impl Strategy<Value = RepositoryName> {
    "[a-z0-9]{1,8}((\\.|_|__|-{1,3})[a-z0-9]{1,5}){0,2}(/[a-z0-9]{1,8}((\\.|_|__|-)[a-z0-9]{1,5})?){0,3}"
        .prop_map(|text| text.parse().expect("the pattern is the grammar"))
}

fn tag() -> impl Strategy<Value = Tag> {
    "[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}".prop_map(|text| text.parse().expect("the pattern is the grammar"))
}

fn digest() -> impl Strategy<Value = Digest> {
    (any::<bool>(), any::<Vec<u8>>())
        .prop_map(|(long, content)| Digest::of(if long { Algorithm::Sha512 } else { Algorithm::Sha256 }, &content))
}

fn target() -> impl Strategy<Value = Target> {
    prop_oneof![tag().prop_map(Target::Tag), digest().prop_map(Target::Digest)]
}

fn page() -> impl Strategy<Value = Page> {
    (any::<Option<u64>>(), proptest::option::of("[ -~]{1,40}")).prop_map(|(n, last)| Page { n, last })
}

fn upload_start() -> impl Strategy<Value = UploadStart> {
    prop_oneof![
        Just(UploadStart::Session(None)),
        Just(UploadStart::Session(Some(Algorithm::Sha512))),
        digest().prop_map(UploadStart::Whole),
        (digest(), proptest::option::of(name())).prop_map(|(digest, from)| UploadStart::Mount(digest, from)),
    ]
}

fn route() -> impl Strategy<Value = Route> {
    let id = || any::<u8>().prop_map(|_| UploadId::random());
    let tags = proptest::collection::btree_set(tag(), 0..5).prop_map(|tags| tags.into_iter().collect::<Vec<_>>());
    prop_oneof![
        Just(Route::Ping),
        page().prop_map(Route::Catalog),
        (name(), page()).prop_map(|(name, page)| Route::Tags(name, page)),
        (name(), target()).prop_map(|(name, target)| Route::ManifestGet(name, target)),
        (name(), target()).prop_map(|(name, target)| Route::ManifestHead(name, target)),
        (name(), target(), tags).prop_map(|(name, target, tags)| Route::ManifestPut(name, target, tags)),
        (name(), target()).prop_map(|(name, target)| Route::ManifestDelete(name, target)),
        (name(), digest()).prop_map(|(name, digest)| Route::BlobGet(name, digest)),
        (name(), digest()).prop_map(|(name, digest)| Route::BlobHead(name, digest)),
        (name(), digest()).prop_map(|(name, digest)| Route::BlobDelete(name, digest)),
        (name(), upload_start()).prop_map(|(name, start)| Route::UploadStart(name, start)),
        (name(), id()).prop_map(|(name, id)| Route::UploadStatus(name, id)),
        (name(), id()).prop_map(|(name, id)| Route::UploadChunk(name, id)),
        (name(), id(), digest()).prop_map(|(name, id, digest)| Route::UploadFinish(name, id, digest)),
        (name(), id()).prop_map(|(name, id)| Route::UploadCancel(name, id)),
        (name(), digest(), page()).prop_map(|(name, digest, page)| {
            Route::Referrers(name, digest, vec![MediaType::known(known::AGENT)], page)
        }),
    ]
}

proptest! {
    #[test]
    fn a_printed_route_parses_to_itself(route in route()) {
        let url = route.path_and_query();
        let (path, query) = url.split_once('?').unwrap_or((&url, ""));
        prop_assert_eq!(Route::parse(route.method(), path, query), Ok(route));
    }

    #[test]
    fn a_printed_reference_parses_to_itself(
        host in proptest::option::of("([a-z]{1,5}\\.[a-z]{2,3}|localhost|\\[::1\\])(:[1-9][0-9]{0,3})?"),
        name in name(), tag in proptest::option::of(tag()), digest in proptest::option::of(digest()),
    ) {
        // `[::1]` without a port has colons, `localhost` is known by name: each of these is seen as a host.
        let host = host.map(|host| host.parse::<Host>().expect("the pattern is the grammar"));
        let name = if host.is_none() && name.as_str().split('/').next().is_some_and(|first| first.contains('.')) {
            name.within("ns").expect("short enough")
        } else { name };
        let reference = Reference { host, name, tag, digest };
        prop_assert_eq!(reference.to_string().parse::<Reference>(), Ok(reference));
    }

    #[test]
    fn a_printed_digest_parses_to_itself(digest in digest()) {
        prop_assert_eq!(digest.to_string().parse::<Digest>(), Ok(digest));
    }

    #[test]
    fn a_resumed_hash_ends_like_an_unbroken_one(content in any::<Vec<u8>>(), at in any::<prop::sample::Index>()) {
        let at = if content.is_empty() { 0 } else { at.index(content.len()) };
        for algorithm in Algorithm::ALL {
            let mut first = Hasher::new(algorithm);
            first.update(&content[..at]);
            let mut second = Hasher::resume(&first.state()).expect("own state");
            second.update(&content[at..]);
            prop_assert_eq!(second.finish(), Digest::of(algorithm, &content));
        }
    }

    #[test]
    fn no_input_panics(text in "\\PC{0,60}", other in "[/a-z0-9:@%.?&=_-]{0,80}") {
        for text in [&text, &other] {
            let _ = text.parse::<Reference>();
            let _ = text.parse::<Digest>();
            let _ = text.parse::<RepositoryName>();
            let _ = text.parse::<UploadId>();
            let _ = text.parse::<ChunkRange>();
            let _ = ByteRange::from_header(text).map(|range| range.map(|range| range.resolve(10)));
            let _ = MediaType::from_header(text);
            let _ = Manifest::parse(Bytes::from(text.clone()), None, Algorithm::Sha256);
            for method in [Method::Get, Method::Put, Method::Post] {
                let _ = Route::parse(method, &format!("/v2/{text}"), text);
            }
        }
    }
}

#[test]
fn known_digest_is_computed() {
    assert_eq!(Digest::sha256(b"").to_string(), EMPTY_SHA256);
}

#[test]
fn a_damaged_hash_state_is_refused() {
    let state = Hasher::new(Algorithm::Sha256).state();
    let other_version = HashState { bytes: [&[99], &state.bytes[1..]].concat(), ..state.clone() };
    let short = HashState { bytes: state.bytes[..20].to_vec(), ..state };
    assert!(Hasher::resume(&other_version).is_err());
    assert!(Hasher::resume(&short).is_err());
}

#[test]
fn digests_refuse_other_spellings() {
    for text in ["sha256:abc", "sha256", "md5:00", &EMPTY_SHA256.to_uppercase(), "sha256:../../etc/passwd", ""] {
        assert!(text.parse::<Digest>().is_err(), "{text}");
    }
}

#[test]
fn names_follow_the_grammar() {
    for good in ["a", "ai-team/my-agent", "a__b", "a---b/c.d/e_f", "0"] {
        assert!(good.parse::<RepositoryName>().is_ok(), "{good}");
    }
    let long = "a".repeat(256);
    for bad in ["", "A", "a//b", "/a", "a/", "-a", "a-", "a..b", "a___b", "a.-b", "a/../b", "ä", &long] {
        assert!(bad.parse::<RepositoryName>().is_err(), "{bad}");
    }
}

#[test]
fn references_add_no_hidden_host() {
    let parse = |text: &str| text.parse::<Reference>().expect("valid");
    assert_eq!(parse("my-agent").host, None);
    assert_eq!(parse("ns/name:tag").to_string(), "ns/name:tag");
    let full = parse(&format!("host:5000/ns/name:1.0.0+build@{EMPTY_SHA256}"));
    assert_eq!(full.host.map(|host| host.to_string()), Some("host:5000".to_owned()));
    assert_eq!(full.tag.map(|tag| tag.to_string()), Some("1.0.0_build".to_owned()));
    assert!(parse("localhost/a").host.is_some_and(|host| host.is_loopback()));
    for bad in ["", ":tag", "a:b:c", "a@b", "ho st:1/a", "h:0/a", "h:70000/a", "[::g]:1/a"] {
        assert!(bad.parse::<Reference>().is_err(), "{bad}");
    }
}

#[test]
fn hidden_slashes_and_dots_are_refused() {
    for path in ["/v2/a%2fb/tags/list", "/v2/a/../b/tags/list", "/v2/a%00/tags/list", "/v2/a/manifests/%zz"] {
        assert!(matches!(Route::parse(Method::Get, path, ""), Err(RouteError::Invalid { .. })), "{path}");
    }
    assert_eq!(Route::parse(Method::Get, "/v2/a/nothing", ""), Err(RouteError::NotFound));
    let reading = RouteError::MethodNotAllowed(vec![Method::Get, Method::Head]);
    assert_eq!(Route::parse(Method::Post, "/v2/a/tags/list", ""), Err(reading));
}

#[test]
fn page_sizes_are_clamped_or_refused() {
    let n = |query: &str| Route::parse(Method::Get, "/v2/_catalog", query);
    assert_eq!(n("n=99999999999999999999999"), Ok(Route::Catalog(Page { n: Some(u64::MAX), last: None })));
    for bad in ["n=-1", "n=x", "n=", "n=1.5"] {
        let code = match n(bad) {
            Err(RouteError::Invalid { code, .. }) => Some(code),
            _ => None,
        };
        assert_eq!(code, Some(ErrorCode::Unsupported), "{bad}");
    }
}

#[test]
fn too_many_tags_are_refused() {
    let query: Vec<_> = (0..65).map(|n| format!("tag=t{n}")).collect();
    let path = format!("/v2/a/manifests/{EMPTY_SHA256}");
    assert_eq!(Route::parse(Method::Put, &path, &query.join("&")), Err(RouteError::TooLong));
    assert!(Route::parse(Method::Put, &path, &query[..64].join("&")).is_ok());
}

#[test]
fn ranges_resolve_as_the_suite_expects() {
    let resolve = |text: &str| ByteRange::from_header(text).map(|range| range.map(|range| range.resolve(2000)));
    let slice = |offset, length| Ok(Some(Ok(Slice { offset, length })));
    assert_eq!(resolve("bytes=500-1499"), slice(500, 1000));
    assert_eq!(resolve("bytes=500-"), slice(500, 1500));
    assert_eq!(resolve("bytes=-500"), slice(1500, 500));
    assert_eq!(resolve("bytes=1000-5000"), slice(1000, 1000));
    assert_eq!(resolve("bytes=500-0"), Ok(Some(Err(RangeError::Unsatisfiable))));
    assert_eq!(resolve("bytes=2000-"), Ok(Some(Err(RangeError::Unsatisfiable))));
    assert_eq!(resolve("lines=1-2"), Ok(None));
    assert_eq!(resolve("bytes=a-b"), Err(RangeError::Malformed));
    assert!("bytes 0-9".parse::<ChunkRange>().is_err());
    assert_eq!("0-9".parse::<ChunkRange>().map(ChunkRange::length), Ok(10));
}

fn manifest(text: &str) -> Result<Manifest, ManifestError> {
    Manifest::parse(Bytes::copy_from_slice(text.as_bytes()), None, Algorithm::Sha256)
}

fn descriptor(kind: &str) -> String {
    format!(r#"{{"mediaType":"{kind}","digest":"{EMPTY_SHA256}","size":0}}"#)
}

#[test]
fn a_manifest_keeps_its_bytes_and_lists_its_edges() {
    let config = descriptor(known::AGENT_CONFIG);
    let text = format!(
        r#"{{"schemaVersion":2, "mediaType":"{}","artifactType":"{}","config":{config},"layers":[{config}],
        "subject":{config},"annotations":null,"unknown":[1]}}"#,
        known::OCI_MANIFEST,
        known::AGENT
    );
    let manifest = manifest(&text).expect("valid");
    assert_eq!(manifest.bytes(), text.as_bytes());
    assert_eq!(manifest.digest(), Digest::sha256(text.as_bytes()));
    assert!(manifest.is_agent());
    let kinds: Vec<_> = manifest.edges().iter().map(|edge| edge.kind).collect();
    assert_eq!(kinds, [EdgeKind::Config, EdgeKind::Layer, EdgeKind::Subject]);
}

#[test]
fn ambiguous_and_contradicting_manifests_are_refused() {
    let config = descriptor(known::OCI_CONFIG);
    let both = format!(r#"{{"schemaVersion":2,"config":{config},"layers":[],"manifests":[]}}"#);
    assert!(matches!(manifest(&both), Err(ManifestError::Ambiguous("layers"))));
    let index = r#"{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[]}"#;
    let header = MediaType::known(known::OCI_MANIFEST);
    let result = Manifest::parse(Bytes::from(index), Some(&header), Algorithm::Sha256);
    assert!(matches!(result, Err(ManifestError::MediaTypeMismatch { .. })));
    let empty = format!(r#"{{"schemaVersion":2,"config":{},"layers":[]}}"#, descriptor(known::OCI_EMPTY));
    assert!(matches!(manifest(&empty), Err(ManifestError::NoArtifactType)));
}

#[test]
fn deep_large_and_broken_manifests_are_refused() {
    let deep = format!(r#"{{"schemaVersion":2,"x":{}{}}}"#, "[".repeat(10_000), "]".repeat(10_000));
    assert!(matches!(manifest(&deep), Err(ManifestError::TooDeep)));
    let brackets = format!(r#"{{"schemaVersion":2,"x":"\"{}","manifests":[]}}"#, "[".repeat(10_000));
    assert!(manifest(&brackets).is_ok(), "brackets in a string are no nesting");
    assert!(matches!(manifest(&" ".repeat(4 * 1024 * 1024 + 1)), Err(ManifestError::TooLarge(_))));
    assert!(matches!(manifest("{"), Err(ManifestError::Json(_))));
    assert!(matches!(manifest(r#"{"schemaVersion":1,"manifests":[]}"#), Err(ManifestError::SchemaVersion(1))));
}
