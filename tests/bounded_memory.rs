//! What a server takes of memory while it sends a blob far larger than that. The only test of its program, since it
//! looks at the memory of the whole process.
#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "a failing test may panic")]

use std::fs::File;
use std::path::Path;

use agent_registry::index::repositories::{self, Creator};
use agent_registry::index::tags::Change;
use agent_registry::index::{Sqlite, blobs};
use agent_registry::oci::Digest;
use agent_registry::server::{Config, Limits, Server, Tls};
use jiff::Timestamp;
use reqwest::{Certificate, Client};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

const GIB: u64 = 1024 * 1024 * 1024;
/// The whole blob; it is a hole on the disk.
const BLOB_BYTES: u64 = 10 * GIB;
/// What of it is read each time.
const READ_BYTES: u64 = GIB / 8;
/// What the server may take on top.
const MAX_GROWTH_BYTES: u64 = 32 * 1024 * 1024;

/// The memory of this process that is in use, in bytes.
fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().strip_suffix(" kB").unwrap().parse::<u64>().unwrap() * 1024
}

/// Puts a blob into a data directory without sending it; nobody compares its bytes with its digest when they are read.
async fn plant(data: &Path) -> Digest {
    let digest = Digest::sha256(b"a very large hole");
    let folder = data.join("blobs/sha256").join(&digest.hex()[..2]);
    std::fs::create_dir_all(&folder).unwrap();
    File::create(folder.join(digest.hex())).unwrap().set_len(BLOB_BYTES).unwrap();
    let index = Sqlite::open(&data.join("index.sqlite")).unwrap();
    let now = Timestamp::now();
    let write = index.write::<_, agent_registry::index::Error, _>(move |session| {
        let name = "a/b".parse().unwrap();
        let id = repositories::create(session, &name, Creator::Open, now)?;
        let change = Change { id, repository: &name, actor: "(test)", at: now };
        let blob = blobs::StoredBlob { size: BLOB_BYTES, inline: None };
        blobs::add(session, &change, &digest, &blob, now)
    });
    write.await.unwrap();
    digest
}

async fn serve(data: &Path, tls: Option<Tls>) -> (String, oneshot::Sender<()>, JoinHandle<()>) {
    let listen = ([127, 0, 0, 1], 0).into();
    // Clients keep their connections; the end need not wait for them.
    let limits = Limits { drain_seconds: 0, ..Limits::default() };
    let config = Config {
        listen,
        data: data.to_owned(),
        workers: Some(1),
        tls,
        limits,
        insecure_no_auth: true,
        ..Config::default()
    };
    let server = Server::bind(config).await.unwrap();
    let url = server.url().to_owned();
    let (stop, stopped) = oneshot::channel::<()>();
    let serving = tokio::spawn(async move {
        let stopped = async {
            // A dropped sender ends the server as well.
            let _ = stopped.await;
        };
        server.run(stopped).await.unwrap();
    });
    (url, stop, serving)
}

/// Reads a part of a blob, throws it away, and answers by how much the memory in use grew at most.
async fn growth(client: &Client, url: &str, range: &str) -> u64 {
    let before = resident();
    let mut response = client.get(url).header("range", range).send().await.unwrap();
    assert!(response.status().is_success());
    let zeros = vec![0; 1024 * 1024];
    let (mut read, mut most, mut looked_at) = (0, before, 0);
    while read < READ_BYTES {
        let chunk = response.chunk().await.unwrap().unwrap();
        assert!(chunk == zeros[..chunk.len()]);
        read += chunk.len() as u64;
        if read - looked_at > 8 * 1024 * 1024 {
            looked_at = read;
            most = most.max(resident());
        }
    }
    most - before
}

#[tokio::test]
async fn a_blob_of_ten_gibibytes_costs_little_memory() {
    let place = tempfile::tempdir().unwrap();
    let issued = rcgen::generate_simple_self_signed(vec!["127.0.0.1".to_owned()]).unwrap();
    let (cert, key) = (place.path().join("cert.pem"), place.path().join("key.pem"));
    std::fs::write(&cert, issued.cert.pem()).unwrap();
    std::fs::write(&key, issued.signing_key.serialize_pem()).unwrap();
    let trusted = Certificate::from_pem(issued.cert.pem().as_bytes()).unwrap();
    let newest = Client::builder().tls_certs_only([trusted.clone()]).build().unwrap();
    let older = Client::builder().tls_certs_only([trusted]).http1_only().build().unwrap();

    let data = place.path().join("data");
    std::fs::create_dir(&data).unwrap();
    let digest = plant(&data).await;
    let at_the_end = format!("bytes={}-", BLOB_BYTES - READ_BYTES);
    for tls in [None, Some(Tls { cert, key })] {
        let clients =
            if tls.is_some() { vec![("HTTP/2", &newest), ("HTTP/1.1", &older)] } else { vec![("plain", &older)] };
        let (url, stop, serving) = serve(&data, tls).await;
        for (name, client) in clients {
            // Whatever a first request of a kind leaves behind is not what grows with a blob.
            assert_eq!(client.get(format!("{url}/v2/")).send().await.unwrap().status(), 200);
            for range in ["bytes=0-", &at_the_end] {
                let growth = growth(client, &format!("{url}/v2/a/b/blobs/{digest}"), range).await;
                assert!(growth < MAX_GROWTH_BYTES, "{name} {range}: {growth}");
            }
        }
        stop.send(()).unwrap();
        serving.await.unwrap();
    }
}
