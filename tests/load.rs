//! Ten thousand pushes by eight clients: the server's memory stays flat, and a filter answers from all of them.
//!
//! Not part of `make test`, for its length; `make test-long` runs it, on a release build.

mod app;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use agent_registry::oci::{Digest, Manifest};
use agent_registry::package::{BlobContent, Overrides, Source};

const PUSHES: usize = 10_000;
const CLIENTS: usize = 8;
/// Pushes after which memory is first looked at: caches and connections exist by then.
const WARM: usize = 2_000;
/// Growth allowed from then on, in KiB: the pages of a database that is five times as large.
const MAX_GROWTH_KIB: u64 = 48 * 1024;
const REPOSITORIES: usize = 500;

#[test]
fn ten_thousand_pushes_leave_memory_flat_and_filters_quick() {
    let server = app::Process::spawn();
    let runtime = tokio::runtime::Runtime::new().expect("runtime");
    let next = Arc::new(AtomicUsize::new(0));
    let started = Instant::now();
    push_until(&runtime, &server, &next, WARM);
    let warm = server.resident_kib();
    push_until(&runtime, &server, &next, PUSHES);
    let seconds = started.elapsed().as_secs_f64();
    let after = server.resident_kib();
    println!("{PUSHES} pushes in {seconds:.1} s ({:.0}/s), RSS {warm} KiB after {WARM}, {after} KiB after all", PUSHES as f64 / seconds);
    runtime.block_on(filters(&server.url()));
    assert!(after < warm + MAX_GROWTH_KIB, "memory grew from {warm} to {after} KiB");
}

fn push_until(runtime: &tokio::runtime::Runtime, server: &app::Process, next: &Arc<AtomicUsize>, end: usize) {
    runtime.block_on(async {
        let clients = (0..CLIENTS).map(|_| {
            let (url, next) = (server.url(), Arc::clone(next));
            tokio::spawn(async move {
                let http = reqwest::Client::new();
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    if number >= end {
                        next.fetch_sub(1, Ordering::Relaxed);
                        return;
                    }
                    push(&http, &url, number).await;
                }
            })
        });
        for client in futures_util::future::join_all(clients).await {
            client.expect("every push succeeds");
        }
    });
}

/// An agent of its own: name, version, capability and content differ.
async fn push(http: &reqwest::Client, url: &str, number: usize) {
    let (name, version) = (format!("agent-{:03}", number % REPOSITORIES), format!("1.{}.0", number / REPOSITORIES));
    let folder = tempfile::tempdir().expect("a folder");
    let yaml = format!(
        "apiVersion: agent.dev/v1\nkind: Agent\nmetadata:\n  name: {name}\n  version: {version}\n  \
         description: Agent number {number}\n  author: team-{}\n  tags: [load]\nspec:\n  runtime: python\n  \
         model: {{provider: openai, name: gpt-4}}\n  capabilities: [chat, skill-{}]\n",
        number % 7,
        number % 100,
    );
    std::fs::write(folder.path().join("agent.yaml"), yaml).expect("agent.yaml");
    let source = Source::open(folder.path()).expect("a source");
    let artifact = source.draft(&Overrides::default()).expect("a draft").pack().expect("an artifact");
    let base = format!("{url}/v2/load/{name}");
    for blob in artifact.blobs() {
        let bytes = match &blob.content {
            BlobContent::Bytes(bytes) => bytes.to_vec(),
            BlobContent::File(path) => std::fs::read(path).expect("a layer"),
        };
        upload(http, &base, &blob.descriptor.digest, bytes).await;
    }
    put(http, &base, artifact.manifest(), &version).await;
}

async fn upload(http: &reqwest::Client, base: &str, digest: &Digest, bytes: Vec<u8>) {
    let answer = http.post(format!("{base}/blobs/uploads/?digest={digest}")).body(bytes).send().await;
    assert_eq!(answer.expect("an answer").status(), 201);
}

async fn put(http: &reqwest::Client, base: &str, manifest: &Manifest, version: &str) {
    let url = format!("{base}/manifests/{}?tag={version}&tag=latest", manifest.digest());
    let request = http.put(url).header("content-type", manifest.media_type().as_str());
    let answer = request.body(manifest.bytes().clone()).send().await.expect("an answer");
    assert_eq!(answer.status(), 201);
}

/// One that matches few, one that matches none, one that matches all: each has to be right, and is timed for the log.
async fn filters(url: &str) {
    let http = reqwest::Client::new();
    for (query, expected) in [("capability:skill-42", 100), ("no-such-word", 0), ("author:team-3 version:1.0.0", 71)] {
        let mut best = f64::MAX;
        for _ in 0..5 {
            let started = Instant::now();
            let request = http.get(format!("{url}/api/v1/packages")).query(&[("q", query), ("limit", "1000")]);
            let page: serde_json::Value = request.send().await.expect("an answer").json().await.expect("JSON");
            best = best.min(started.elapsed().as_secs_f64() * 1000.0);
            assert_eq!(page["items"].as_array().map(Vec::len), Some(expected), "{query}");
        }
        println!("`{query}`: {expected} found in {best:.1} ms");
    }
}
