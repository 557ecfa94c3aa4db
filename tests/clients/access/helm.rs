//! helm and its credentials.

use std::io::Write as _;
use std::sync::OnceLock;

use agent_registry::oci::Digest;
use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::json;

use super::{Column, Row, TAG, Tool};
use crate::home::Home;
use crate::http::{OCI_MANIFEST, put_blob, put_manifest};
use crate::image::Image;
use crate::programs::{Said, run};

const TOOL: Tool = Tool {
    seed,
    log_in: |home, host, user, token| helm(home, &["registry", "login", "--plain-http", "-u", user, "-p", token, host]),
    pull: |home, host, repository| {
        helm(home, &["pull", "--plain-http", &format!("oci://{host}/{repository}"), "--version", TAG])
    },
    push: |home, host, repository| {
        let (namespace, name) = repository.split_once('/').expect("a namespace");
        home.write("chart.tgz", chart(name, &Image::large().layer));
        helm(home, &["push", "--plain-http", "chart.tgz", &format!("oci://{host}/{namespace}")])
    },
    ..Tool::NONE
};

pub(super) static COLUMN: Column = Column {
    name: "helm",
    tool: TOOL,
    refused: &[
        (
            Row::AnonymousPrivatePull,
            "unauthorized: authentication is required; the header WWW-Authenticate says where to get a token, and for what",
        ),
        (Row::WrongToken, "unauthorized: the credentials are not accepted"),
        (
            Row::ReadTokenPushing,
            "denied: ada may not push ada/pushed with this access token, whose scopes or repositories do not include it",
        ),
    ],
    lacks: &[(
        "it pushes and pulls charts and leaves registries to others",
        &[Row::Mount, Row::DeleteByWriter, Row::Delete, Row::Catalogue, Row::AnonymousCatalogue],
    )],
    notes: &[],
    outcomes: OnceLock::new(),
};

fn helm(home: &Home, arguments: &[&str]) -> Said {
    run(&mut home.command("helm", arguments))
}

/// A chart with one more file.
fn chart(name: &str, more: &[u8]) -> Vec<u8> {
    let mut archive = tar::Builder::new(GzEncoder::new(vec![], Compression::fast()));
    let about = format!("apiVersion: v2\nname: {name}\nversion: {TAG}\n");
    for (path, bytes) in [("Chart.yaml", about.as_bytes()), ("data.bin", more)] {
        let mut header = tar::Header::new_ustar();
        header.set_size(bytes.len() as u64);
        header.set_mode(0o644);
        archive.append_data(&mut header, format!("{name}/{path}"), bytes).expect("an archive");
    }
    let mut packed = archive.into_inner().expect("an archive");
    packed.flush().expect("compressed");
    packed.finish().expect("compressed")
}

/// A chart of the repository's name.
fn seed(host: &str, repository: &str) {
    let (_, name) = repository.split_once('/').expect("a namespace");
    let config = json!({"apiVersion": "v2", "name": name, "version": TAG}).to_string().into_bytes();
    let chart = chart(name, b"small");
    let described = |media_type: &str, bytes: &[u8]| {
        put_blob(host, repository, bytes);
        json!({"mediaType": media_type, "size": bytes.len(), "digest": Digest::sha256(bytes).to_string()})
    };
    let manifest = json!({
        "schemaVersion": 2, "mediaType": OCI_MANIFEST,
        "config": described("application/vnd.cncf.helm.config.v1+json", &config),
        "layers": [described("application/vnd.cncf.helm.chart.content.v1.tar+gzip", &chart)],
    });
    put_manifest(host, repository, TAG, OCI_MANIFEST, manifest.to_string().as_bytes());
}

#[test]
fn every_row_is_as_the_table_says() {
    COLUMN.assert();
}
