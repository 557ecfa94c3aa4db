//! The Rust library `oci-client` against our server: what a program does with its calls.

use futures_util::StreamExt;
use oci_client::client::{BlobResponse, ClientConfig, ClientProtocol, Config, ImageLayer};
use oci_client::manifest::{OciDescriptor, OciImageManifest, OciManifest};
use oci_client::secrets::RegistryAuth::Anonymous;
use oci_client::{Client, Reference};
use tokio::runtime::Runtime;

use crate::agent::Agent;
use crate::home::Home;
use crate::http::{OCI_MANIFEST, blob, refer, referrers, whole};
use crate::image::Image;
use crate::matrix::column;
use crate::packages::example;
use crate::process::Process;
use crate::scenes;

column! {
    "oci-client",
    has {
        Push: pushes, Pull: pulls, Inspect: inspects, CopyWithin: copies_within, CopyBetween: copies_between,
        CopyOther: copies_other, ListTags: lists_tags, ListRepositories: lists_repositories, Tag: tags_again,
        Attach: attaches, Referrers: lists_referrers, Mount: mounts, Resume: resumes,
    }
    lacks {
        "a program begins again": [SendAgain],
        "there is no call for it": [
            DeleteTag, DeleteManifest, LayoutOut, LayoutIn, Sign, Verify, Attest, VerifyAttestation, Tree
        ],
    }
    notes {
        CopyWithin: "a few calls of a program",
        CopyBetween: "a few calls of a program",
        CopyOther: "a few calls of a program",
        Resume: "the program asks for the rest, and looks at the digest itself",
    }
}

fn client() -> Client {
    Client::new(ClientConfig { protocol: ClientProtocol::Http, ..ClientConfig::default() })
}

fn reference(text: &str) -> Reference {
    text.parse().unwrap_or_else(|error| panic!("{text}: {error}"))
}

fn wait<T>(future: impl Future<Output = T>) -> T {
    Runtime::new().expect("a runtime").block_on(future)
}

/// The bytes of a manifest and what it says.
async fn manifest(client: &Client, from: &Reference) -> (Vec<u8>, OciImageManifest) {
    let (bytes, _) = client.pull_manifest_raw(from, &Anonymous, &[OCI_MANIFEST]).await.expect("a manifest");
    let parsed = serde_json::from_slice(&bytes).expect("a manifest");
    (bytes.to_vec(), parsed)
}

async fn put(client: &Client, to: &Reference, bytes: Vec<u8>) {
    let media_type = OCI_MANIFEST.parse().expect("a media type");
    client.push_manifest_raw(to, bytes, media_type).await.expect("pushed");
}

async fn copy_bytes(from: &str, to: &str) {
    let (client, from, to) = (client(), reference(from), reference(to));
    let (bytes, parsed) = manifest(&client, &from).await;
    for part in parsed.layers.iter().chain([&parsed.config]) {
        let mut pulled = vec![];
        client.pull_blob(&from, part, &mut pulled).await.expect("a blob");
        client.push_blob(&to, pulled, &part.digest).await.expect("pushed");
    }
    put(&client, &to, bytes).await;
}

async fn copy_mounting(from: &str, to: &str) {
    let (client, from, to) = (client(), reference(from), reference(to));
    let (bytes, parsed) = manifest(&client, &from).await;
    for part in parsed.layers.iter().chain([&parsed.config]) {
        client.mount_blob(&to, &from, &part.digest).await.expect("mounted");
    }
    put(&client, &to, bytes).await;
}

fn pushes() {
    let server = Process::spawn();
    let reference = reference(&format!("{}/images/base:v1", server.host()));
    // More than one chunk of those it sends.
    let large = Image::large().layer.repeat(2);
    let layers = [ImageLayer::oci_v1(large, None), ImageLayer::oci_v1(b"small".to_vec(), None)];
    let config = Config::oci_v1(b"{}".to_vec(), None);
    wait(client().push(&reference, &layers, config, &Anonymous, None)).expect("pushed");
    whole(server.host(), "images/base", "v1");
    assert_eq!(blob(server.host(), "images/base", &layers[1].sha256_digest()), b"small");
}

fn pulls() {
    let (server, agent) = (Process::spawn(), Agent::new());
    let source = example("release-notes");
    let package = format!("{}/ai-team/release-notes:0.3.0", server.host());
    let digest = agent.push(&package, &source.to_string_lossy());
    wait(async {
        let (client, from) = (client(), reference(&package));
        let (_, parsed) = manifest(&client, &from).await;
        let types = parsed.layers.iter().map(|layer| layer.media_type.as_str()).collect();
        let pulled = client.pull(&from, &Anonymous, types).await.expect("pulled");
        assert_eq!(pulled.digest, Some(digest));
        let readme = pulled.layers.iter().find(|layer| layer.media_type == "text/markdown").expect("the README");
        assert_eq!(readme.data, std::fs::read(source.join("README.md")).expect("the file"));
        let refused = client.pull(&from, &Anonymous, vec!["text/plain"]).await;
        assert!(refused.is_err(), "layers of types nobody asked for");
    });
}

fn inspects() {
    let server = Process::spawn();
    let image = Image::small();
    image.push(server.host(), "seeds/image", &["v1"]);
    wait(async {
        let (client, from) = (client(), reference(&format!("{}/seeds/image:v1", server.host())));
        assert_eq!(client.fetch_manifest_digest(&from, &Anonymous).await.expect("a digest"), image.digest());
        let (_, digest, config) = client.pull_manifest_and_config(&from, &Anonymous).await.expect("both");
        assert_eq!(digest, image.digest());
        assert!(config.contains("diff_ids"), "{config}");
        let missing = reference(&format!("{}/seeds/image:v9", server.host()));
        assert!(client.fetch_manifest_digest(&missing, &Anonymous).await.is_err());
    });
}

fn copies_within() {
    scenes::copies_within(|_, from, to| wait(copy_mounting(from, to)));
}

fn copies_between() {
    scenes::copies_between(|_, from, to| wait(copy_bytes(from, to)));
}

fn copies_other() {
    scenes::copies_other(|_, from, to| wait(copy_bytes(from, to)));
}

fn lists_tags() {
    scenes::lists_tags(
        |_, repository| {
            wait(async {
                let (client, of) = (client(), reference(repository));
                let first = client.list_tags(&of, &Anonymous, Some(2), None).await.expect("a page").tags;
                assert_eq!(first.len(), 2);
                let last = first.last().map(String::as_str);
                let rest = client.list_tags(&of, &Anonymous, Some(2), last).await.expect("a page").tags;
                [first, rest].concat()
            })
        },
        |_, repository| {
            let refused = wait(client().list_tags(&reference(repository), &Anonymous, None, None));
            assert!(refused.is_err());
        },
    );
}

fn lists_repositories() {
    scenes::lists_repositories(|_, host| {
        let any = reference(&format!("{host}/any:v1"));
        wait(client().catalog(&any, &Anonymous, None, None)).expect("a list").repositories
    });
}

fn tags_again() {
    scenes::tags_again(|_: &Home, from, tag| {
        wait(async {
            let (client, from) = (client(), reference(from));
            let (bytes, _) = manifest(&client, &from).await;
            let to = Reference::with_tag(from.registry().to_owned(), from.repository().to_owned(), tag.to_owned());
            put(&client, &to, bytes).await;
        });
    });
}

fn attaches() {
    let server = Process::spawn();
    let image = Image::small();
    image.push(server.host(), "seeds/image", &["v1"]);
    wait(async {
        let client = client();
        let from = reference(&format!("{}/seeds/image:v1", server.host()));
        let (bytes, _) = manifest(&client, &from).await;
        client
            .push_blob(&from, b"{}".to_vec(), &agent_registry::oci::Digest::sha256(b"{}").to_string())
            .await
            .expect("pushed");
        let empty = OciDescriptor {
            media_type: "application/vnd.oci.empty.v1+json".to_owned(),
            digest: agent_registry::oci::Digest::sha256(b"{}").to_string(),
            size: 2,
            ..OciDescriptor::default()
        };
        let size = i64::try_from(bytes.len()).expect("a size");
        let subject = OciDescriptor {
            media_type: OCI_MANIFEST.to_owned(),
            digest: image.digest(),
            size,
            ..OciDescriptor::default()
        };
        let review = OciImageManifest {
            media_type: Some(OCI_MANIFEST.to_owned()),
            artifact_type: Some("text/review".to_owned()),
            config: empty.clone(),
            layers: vec![empty],
            subject: Some(subject),
            ..OciImageManifest::default()
        };
        let to = reference(&format!("{}/seeds/image:review", server.host()));
        client.push_manifest(&to, &OciManifest::Image(review)).await.expect("pushed");
    });
    let expected = [(whole(server.host(), "seeds/image", "review"), "text/review".to_owned())];
    assert_eq!(referrers(server.host(), "seeds/image", &image.digest()), expected);
}

fn lists_referrers() {
    let server = Process::spawn();
    let image = Image::small();
    image.push(server.host(), "seeds/image", &["v1"]);
    let review = refer(server.host(), "seeds/image", "v1", "text/review");
    refer(server.host(), "seeds/image", "v1", "text/other");
    wait(async {
        let client = client();
        let of = reference(&format!("{}/seeds/image@{}", server.host(), image.digest()));
        assert_eq!(client.pull_referrers(&of, None).await.expect("a list").manifests.len(), 2);
        let some = client.pull_referrers(&of, Some("text/review")).await.expect("a list").manifests;
        assert_eq!(some.iter().map(|one| one.digest.as_str()).collect::<Vec<_>>(), [review]);
    });
}

fn mounts() {
    scenes::mounts(|_, from, to| wait(copy_mounting(from, to)));
}

fn resumes() {
    scenes::resumes(|_, repository, digest| {
        wait(async {
            let (client, from) = (client(), reference(repository));
            let mut got = vec![];
            let mut stream = client.pull_blob_stream(&from, digest).await.expect("a stream");
            while let Some(Ok(piece)) = stream.next().await {
                got.extend_from_slice(&piece);
            }
            let answer =
                client.pull_blob_stream_partial(&from, digest, got.len() as u64, None).await.expect("the rest");
            let BlobResponse::Partial(mut rest) = answer else { panic!("the whole blob came again") };
            while let Some(piece) = rest.next().await {
                got.extend_from_slice(&piece.expect("a piece"));
            }
            got
        })
    });
}
