//! Manifests to push, made as bytes so that a test knows every one of them.

use agent_registry::oci::{Digest, known};
use serde_json::{Value, json};

use crate::app::TestApp;

/// The artifact type of [`image`].
pub(crate) const THING: &str = "application/vnd.example.thing";
/// The type of blobs nobody reads.
pub(crate) const LAYER: &str = "application/octet-stream";

/// An artifact with this configuration of two bytes; `more` replaces or adds fields.
pub(crate) fn image(config: &Digest, more: &Value) -> Vec<u8> {
    let document = json!({
        "schemaVersion": 2, "mediaType": known::OCI_MANIFEST, "artifactType": THING,
        "config": { "mediaType": "application/json", "size": 2, "digest": config }, "layers": [],
    });
    with(document, more)
}

/// An index of these children; `more` replaces or adds fields.
pub(crate) fn index(children: &[Value], more: &Value) -> Vec<u8> {
    with(json!({ "schemaVersion": 2, "mediaType": known::OCI_INDEX, "manifests": children }), more)
}

/// How a manifest points at other bytes.
pub(crate) fn descriptor(media_type: &str, digest: &Digest, size: usize) -> Value {
    json!({ "mediaType": media_type, "digest": digest, "size": size })
}

/// Pushes an artifact that differs from others by its note. Its digest.
pub(crate) async fn push_image(app: &TestApp, name: &str, target: &str, note: &str) -> Digest {
    let config = app.push_blob(name, b"{}").await;
    let bytes = image(&config, &json!({ "annotations": { "note": note } }));
    assert_eq!(app.put_manifest(name, target, known::OCI_MANIFEST, &bytes).await.status, 201);
    Digest::sha256(&bytes)
}

fn with(mut document: Value, more: &Value) -> Vec<u8> {
    for (key, value) in more.as_object().unwrap() {
        match value {
            Value::Null => drop(document.as_object_mut().unwrap().remove(key)),
            value => document[key] = value.clone(),
        }
    }
    serde_json::to_vec(&document).unwrap()
}
