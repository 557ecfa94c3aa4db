//! Plain HTTP to a registry, written out: what a client says it did is looked at without that client and without ours.
//! A host may have credentials before it, as in an URL: `user:token@127.0.0.1:5050`.

use std::io::{Read, Write};
use std::net::TcpStream;

use agent_registry::oci::Digest;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

/// The media type of an OCI manifest.
pub(crate) const OCI_MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
/// The manifests and lists that are asked for.
const ACCEPT: &str = "application/vnd.oci.image.manifest.v1+json, application/vnd.oci.image.index.v1+json, \
                      application/vnd.docker.distribution.manifest.v2+json, \
                      application/vnd.docker.distribution.manifest.list.v2+json";

/// What a server answered.
pub(crate) struct Answer {
    pub(crate) status: u16,
    head: String,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let mut fields = self.head.lines().filter_map(|line| line.split_once(':'));
        fields.find(|(field, _)| field.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim())
    }

    pub(crate) fn json(&self) -> Value {
        let text = String::from_utf8_lossy(&self.body);
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"))
    }
}

/// One request on a connection of its own.
pub(crate) fn send(host: &str, method: &str, path: &str, fields: &str, body: &[u8]) -> Answer {
    let (credentials, host) = host.rsplit_once('@').map_or((None, host), |(before, host)| (Some(before), host));
    let authorization = credentials.map(|text| format!("authorization: Basic {}\r\n", STANDARD.encode(text)));
    let authorization = authorization.unwrap_or_default();
    let mut stream = TcpStream::connect(host).expect("the server listens");
    let length = body.len();
    let head = format!(
        "{method} {path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\ncontent-length: {length}\r\n{authorization}{fields}\r\n"
    );
    stream.write_all(head.as_bytes()).expect("the request is sent");
    stream.write_all(body).expect("the body is sent");
    let mut answer = vec![];
    stream.read_to_end(&mut answer).expect("an answer");
    let end = answer.windows(4).position(|window| window == b"\r\n\r\n").expect("a head");
    let head = String::from_utf8_lossy(&answer[..end]).into_owned();
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status");
    Answer { status, head, body: answer.split_off(end + 4) }
}

fn get(host: &str, path: &str) -> Answer {
    send(host, "GET", path, &format!("accept: {ACCEPT}\r\n"), b"")
}

/// A manifest by tag or digest, or nothing where the server has none.
pub(crate) fn manifest(host: &str, repository: &str, reference: &str) -> Option<Vec<u8>> {
    let answer = get(host, &format!("/v2/{repository}/manifests/{reference}"));
    assert!(matches!(answer.status, 200 | 404), "{}", answer.head);
    (answer.status == 200).then_some(answer.body)
}

/// A blob that must be there.
pub(crate) fn blob(host: &str, repository: &str, digest: &str) -> Vec<u8> {
    let answer = get(host, &format!("/v2/{repository}/blobs/{digest}"));
    assert_eq!(answer.status, 200, "{digest} in {repository}: {}", answer.head);
    assert_eq!(Digest::sha256(&answer.body).to_string(), digest);
    answer.body
}

/// The digest of a manifest that must be there with all it needs, each blob read and hashed.
pub(crate) fn whole(host: &str, repository: &str, reference: &str) -> String {
    let bytes = manifest(host, repository, reference).unwrap_or_else(|| panic!("no {repository}:{reference}"));
    let manifest: Value = serde_json::from_slice(&bytes).expect("a manifest is JSON");
    let needed = |field: &str| manifest[field].as_array().cloned().unwrap_or_default();
    for child in needed("manifests") {
        whole(host, repository, child["digest"].as_str().expect("a digest"));
    }
    for part in needed("layers").iter().chain(manifest.get("config")) {
        blob(host, repository, part["digest"].as_str().expect("a digest"));
    }
    Digest::sha256(&bytes).to_string()
}

/// The tags of a repository.
pub(crate) fn tags(host: &str, repository: &str) -> Vec<String> {
    let answer = get(host, &format!("/v2/{repository}/tags/list"));
    if answer.status == 404 {
        return vec![];
    }
    let tags = answer.json()["tags"].as_array().cloned().unwrap_or_default();
    tags.iter().filter_map(Value::as_str).map(str::to_owned).collect()
}

/// What refers to a manifest: the digest and the type of each.
pub(crate) fn referrers(host: &str, repository: &str, digest: &str) -> Vec<(String, String)> {
    let list = get(host, &format!("/v2/{repository}/referrers/{digest}")).json();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let manifests = list["manifests"].as_array().expect("a list of manifests");
    manifests.iter().map(|one| (text(&one["digest"]), text(&one["artifactType"]))).collect()
}

/// Uploads a blob whole.
pub(crate) fn put_blob(host: &str, repository: &str, bytes: &[u8]) {
    let started = send(host, "POST", &format!("/v2/{repository}/blobs/uploads/"), "", b"");
    let place = started.header("location").expect("a location");
    let (_, place) = place.split_once("/v2/").expect("a location of the distribution API");
    let place = format!("/v2/{place}");
    let joint = if place.contains('?') { '&' } else { '?' };
    let path = format!("{place}{joint}digest={}", Digest::sha256(bytes));
    let stored = send(host, "PUT", &path, "content-type: application/octet-stream\r\n", bytes);
    assert_eq!(stored.status, 201, "{}", stored.head);
}

/// Stores a manifest under a tag or its digest.
pub(crate) fn put_manifest(host: &str, repository: &str, reference: &str, media_type: &str, bytes: &[u8]) {
    let path = format!("/v2/{repository}/manifests/{reference}");
    let stored = send(host, "PUT", &path, &format!("content-type: {media_type}\r\n"), bytes);
    assert_eq!(stored.status, 201, "{}", stored.head);
}

/// Stores an artifact of this type about a manifest, and gives its digest.
pub(crate) fn refer(host: &str, repository: &str, subject: &str, artifact_type: &str) -> String {
    let bytes = manifest(host, repository, subject).expect("a subject");
    let of: Value = serde_json::from_slice(&bytes).expect("JSON");
    put_blob(host, repository, b"{}");
    let empty = json!({"mediaType": "application/vnd.oci.empty.v1+json", "size": 2, "digest": Digest::sha256(b"{}").to_string()});
    let subject =
        json!({"mediaType": of["mediaType"], "size": bytes.len(), "digest": Digest::sha256(&bytes).to_string()});
    let text = json!({
        "schemaVersion": 2, "mediaType": OCI_MANIFEST, "artifactType": artifact_type,
        "config": empty, "layers": [empty], "subject": subject,
    });
    let text = text.to_string();
    let digest = Digest::sha256(text.as_bytes()).to_string();
    put_manifest(host, repository, &digest, OCI_MANIFEST, text.as_bytes());
    digest
}
