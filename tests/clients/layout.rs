//! Reads an OCI image layout as its specification describes it, without our own code.

use std::fs;
use std::path::Path;

use agent_registry::oci::Digest;
use serde_json::Value;

/// The digest of the one manifest in the layout, after every blob was found to be what its name says.
pub(crate) fn checked(root: &Path) -> String {
    let blobs = root.join("blobs/sha256");
    let mut count = 0;
    for entry in fs::read_dir(&blobs).expect("blobs") {
        let path = entry.expect("a readable entry").path();
        let name = path.file_name().expect("a name").to_string_lossy().into_owned();
        assert_eq!(Digest::sha256(&fs::read(&path).expect("a blob")).to_string(), format!("sha256:{name}"));
        count += 1;
    }
    let index: Value = json(&root.join("index.json"));
    let manifests = index["manifests"].as_array().expect("a list of manifests");
    assert_eq!(manifests.len(), 1, "{index}");
    let digest = manifests[0]["digest"].as_str().expect("a digest").to_owned();
    let manifest = json(&blobs.join(digest.trim_start_matches("sha256:")));
    let layers = manifest["layers"].as_array().expect("layers");
    let mut needed: Vec<_> = layers.iter().chain([&manifest["config"]]).map(|blob| blob["digest"].clone()).collect();
    needed.sort_by_key(ToString::to_string);
    needed.dedup();
    assert_eq!(count, needed.len() + 1, "the manifest and each of its blobs, nothing else");
    digest
}

fn json(path: &Path) -> Value {
    let bytes = fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_slice(&bytes).expect("JSON")
}
