//! How blobs leave the server: byte for byte on connections that are used again, shared by requests in flight, read
//! slowly or given up, and from files that vanish meanwhile.

use std::time::Duration;

use agent_registry::oci::Digest;
use agent_registry::server::Limits;
use reqwest::{Client, Method};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpSocket, TcpStream};

use crate::app::TestApp;

const MIB: usize = 1024 * 1024;

/// Bytes that differ between seeds and between offsets.
fn content(seed: usize, size: usize) -> Vec<u8> {
    (seed..).flat_map(|word| (word * 0x9e37_79b9).to_le_bytes()).take(size).collect()
}

/// A connection on which nothing happens but what a test writes and reads.
struct Wire<T = TcpStream>(BufReader<T>);

impl Wire {
    async fn open(app: &TestApp) -> Self {
        Self(BufReader::new(TcpStream::connect(app.address()).await.unwrap()))
    }

    /// One whose reader leaves little room for what it has not read.
    async fn narrow(app: &TestApp) -> Self {
        let socket = TcpSocket::new_v4().unwrap();
        socket.set_recv_buffer_size(8 * 1024).unwrap();
        let stream = socket.connect(app.address().parse().unwrap()).await.unwrap();
        Self(BufReader::with_capacity(4 * 1024, stream))
    }

    async fn ask(&mut self, requests: &str) {
        self.0.get_mut().write_all(requests.as_bytes()).await.unwrap();
    }
}

impl<T: AsyncRead + Unpin> Wire<T> {
    async fn head(&mut self) -> (u16, usize) {
        let mut head = vec![];
        while !head.ends_with(b"\r\n\r\n") {
            head.push(self.0.read_u8().await.unwrap());
        }
        let head = String::from_utf8(head).unwrap();
        let value = |name: &str| head.split("\r\n").find_map(|line| line.strip_prefix(name)).unwrap_or("0").to_owned();
        assert!(!head.contains("transfer-encoding"), "{head}");
        (head["HTTP/1.1 ".len()..][..3].parse().unwrap(), value("content-length: ").parse().unwrap())
    }

    async fn answer(&mut self) -> (u16, Vec<u8>) {
        let (status, length) = self.head().await;
        let mut body = vec![0; length];
        self.0.read_exact(&mut body).await.unwrap();
        (status, body)
    }
}

fn request(method: &str, digest: &Digest, range: &str) -> String {
    let range = if range.is_empty() { String::new() } else { format!("Range: bytes={range}\r\n") };
    format!("{method} /v2/a/b/blobs/{digest} HTTP/1.1\r\nHost: x\r\n{range}\r\n")
}

#[tokio::test]
async fn a_connection_serves_files_small_blobs_and_heads_in_turn() {
    let app = TestApp::spawn().await;
    let (large, small) = (content(1, 5 * MIB + 3), content(2, 3_000));
    let (file, inline) = (app.push_blob("a/b", &large).await, app.push_blob("a/b", &small).await);
    let mut wire = Wire::open(&app).await;
    for _ in 0..3 {
        wire.ask(&request("GET", &file, "")).await;
        assert!(wire.answer().await == (200, large.clone()));
        wire.ask(&request("HEAD", &file, "")).await;
        assert_eq!(wire.head().await, (200, large.len()));
        wire.ask(&request("GET", &inline, "")).await;
        assert!(wire.answer().await == (200, small.clone()));
        for (first, last) in [(0, 0), (1, 65_536), (4_000_000, large.len() - 1), (large.len() - 1, large.len() - 1)] {
            wire.ask(&request("GET", &file, &format!("{first}-{last}"))).await;
            assert!(wire.answer().await == (206, large[first..=last].to_vec()), "{first}-{last}");
        }
        wire.ask(&request("GET", &file, "99999999-")).await;
        assert_eq!(wire.answer().await.0, 416);
    }
    // The older protocol closes where nothing else was agreed.
    wire.ask(&format!("GET /v2/a/b/blobs/{file} HTTP/1.0\r\n\r\n")).await;
    let mut rest = vec![];
    wire.0.read_to_end(&mut rest).await.unwrap();
    assert!(rest.ends_with(&large) && rest.starts_with(b"HTTP/1.0 200"));
}

#[tokio::test]
async fn answers_to_a_slow_reader_stay_in_order() {
    let app = TestApp::spawn().await;
    let blobs: Vec<_> = (0..3).map(|seed| content(seed * 1_000_003, 6 * MIB + seed)).collect();
    let small = content(9, 2_000);
    let inline = app.push_blob("a/b", &small).await;
    let mut requests = String::new();
    for blob in &blobs {
        let digest = app.push_blob("a/b", blob).await;
        // Whatever else is answered on the way must not be overtaken, nor overtake.
        requests += &request("GET", &digest, "");
        requests += &request("GET", &inline, "");
        requests += &request("GET", &digest, "100-2000000");
    }
    for mut wire in [Wire::narrow(&app).await, Wire::open(&app).await] {
        wire.ask(&requests).await;
        for blob in &blobs {
            assert!(wire.answer().await == (200, blob.clone()));
            assert!(wire.answer().await == (200, small.clone()));
            assert!(wire.answer().await == (206, blob[100..=2_000_000].to_vec()));
        }
        wire.ask(&request("HEAD", &Digest::sha256(&blobs[0]), "")).await;
        assert_eq!(wire.head().await, (200, blobs[0].len()));
    }
}

#[tokio::test]
async fn more_requests_than_fit_wait_behind_a_file() {
    let app = TestApp::spawn().await;
    let large = content(4, 8 * MIB);
    let digest = app.push_blob("a/b", &large).await;
    let mut wire = Wire::narrow(&app).await;
    wire.ask(&request("GET", &digest, "")).await;
    // Far more than the server holds of requests it has not begun with.
    let (reader, mut writer) = tokio::io::split(wire.0.into_inner());
    let early = format!("GET /v2/ HTTP/1.1\r\nHost: x\r\nX-Padding: {}\r\n\r\n", "x".repeat(8_000)).repeat(60);
    let asking = tokio::spawn(async move { writer.write_all(early.as_bytes()).await.map(|()| writer) });
    let mut answers = Wire(BufReader::new(reader));
    assert!(answers.answer().await == (200, large));
    for _ in 0..60 {
        assert!(answers.answer().await == (200, b"{}".to_vec()));
    }
    asking.await.unwrap().unwrap();
}

#[tokio::test]
async fn readers_who_go_away_leave_nothing_open() {
    let app = TestApp::spawn().await;
    let large = content(5, 12 * MIB);
    let digest = app.push_blob("a/b", &large).await;
    for read in [0, 1, 100_000, 3 * MIB] {
        for _ in 0..5 {
            let mut wire = Wire::narrow(&app).await;
            wire.ask(&request("GET", &digest, "")).await;
            let mut some = vec![0; read];
            wire.0.read_exact(&mut some).await.unwrap();
        }
    }
    let path = app.blob_file(&digest);
    let is_open = || {
        let mut open =
            std::fs::read_dir("/proc/self/fd").unwrap().filter_map(|entry| entry.unwrap().path().read_link().ok());
        open.any(|target| target == path)
    };
    // The server hears of it by itself; a request takes the time that is needed.
    for _ in 0..5_000 {
        if !is_open() {
            break;
        }
        assert_eq!(app.get("/v2/").await.status, 200);
    }
    assert!(!is_open());
    assert!(app.get(&format!("/v2/a/b/blobs/{digest}")).await.body == large);
}

#[tokio::test]
async fn a_file_deleted_while_it_is_read_is_read_to_its_end() {
    let app = TestApp::spawn().await;
    let large = content(6, 16 * MIB);
    let digest = app.push_blob("a/b", &large).await;
    let mut wire = Wire::narrow(&app).await;
    wire.ask(&request("GET", &digest, "")).await;
    assert_eq!(wire.head().await, (200, large.len()));
    assert_eq!(app.send(Method::DELETE, &format!("/v2/a/b/blobs/{digest}"), &[], b"").await.status, 202);
    std::fs::remove_file(app.blob_file(&digest)).unwrap();
    let mut body = vec![0; large.len()];
    wire.0.read_exact(&mut body).await.unwrap();
    assert!(body == large);
    // The connection goes on, and the blob is gone.
    wire.ask(&request("GET", &digest, "")).await;
    assert_eq!(wire.answer().await.0, 404);
}

#[tokio::test]
async fn a_file_cut_short_breaks_the_answer_off() {
    let app = TestApp::spawn().await;
    let large = content(7, 16 * MIB);
    let digest = app.push_blob("a/b", &large).await;
    let mut wire = Wire::narrow(&app).await;
    wire.ask(&(request("GET", &digest, "") + &request("GET", &digest, ""))).await;
    assert_eq!(wire.head().await, (200, large.len()));
    std::fs::File::options().write(true).open(app.blob_file(&digest)).unwrap().set_len(15 * MIB as u64).unwrap();
    let mut body = vec![];
    // Closed, possibly with a reset; either way nothing stands in for what is missing.
    let _ = wire.0.read_to_end(&mut body).await;
    assert!(body.len() <= 15 * MIB && large.starts_with(&body));
    assert_eq!(app.get("/v2/").await.status, 200);
}

#[tokio::test]
async fn tls_carries_the_same_bytes_in_both_protocols() {
    let (app, trusted) = TestApp::with_tls(Limits::default()).await;
    let large = content(8, 5 * MIB + 7);
    let digest = app.push_blob("a/b", &large).await;
    let url = format!("{}/v2/a/b/blobs/{digest}", app.url);
    let older = Client::builder().tls_certs_only([trusted]).http1_only().build().unwrap();
    for (client, version) in [(&app.client, reqwest::Version::HTTP_2), (&older, reqwest::Version::HTTP_11)] {
        let get = |range: &'static str| {
            let request = client.get(&url);
            if range.is_empty() { request } else { request.header("range", range) }
        };
        for _ in 0..2 {
            let whole = get("").send().await.unwrap();
            assert_eq!((whole.version(), whole.content_length()), (version, Some(large.len() as u64)));
            assert!(whole.bytes().await.unwrap() == large);
            let part = get("bytes=1000000-4999999").send().await.unwrap();
            assert_eq!(part.status(), 206);
            assert!(part.bytes().await.unwrap() == large[1_000_000..5_000_000]);
        }
        let head = client.head(&url).send().await.unwrap();
        assert_eq!(head.headers()["content-length"], large.len().to_string().as_str());
        let mut broken = client.get(&url).send().await.unwrap();
        assert!(broken.chunk().await.unwrap().is_some());
        drop(broken);
        assert_eq!(client.get(format!("{}/v2/", app.url)).send().await.unwrap().status(), 200);
    }
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_reader_who_takes_nothing_more_is_cut_off() {
    let limits = Limits { body_idle_seconds: 1, ..Limits::default() };
    let app = TestApp::limited(limits).await;
    let size = 64 * MIB;
    let digest = app.push_blob("a/b", &content(1, size)).await;
    let mut wire = Wire::narrow(&app).await;
    wire.ask(&request("GET", &digest, "")).await;
    assert_eq!(wire.head().await, (200, size));
    // Nothing is read until the system has given up the server's side.
    let port = |address: std::net::SocketAddr| format!("0100007F:{:04X}", address.port());
    let pair = format!("{} {}", port(app.address().parse().unwrap()), port(wire.0.get_ref().local_addr().unwrap()));
    let is_open = || std::fs::read_to_string("/proc/net/tcp").unwrap().contains(&pair);
    assert!(is_open());
    let gone = async {
        while is_open() {
            app.get("/livez").await;
        }
    };
    tokio::time::timeout(Duration::from_mins(1), gone).await.unwrap();
    let mut rest = vec![];
    let read = wire.0.read_to_end(&mut rest).await;
    assert!(read.is_err() || rest.len() < size, "the body is not whole");
    assert_eq!(app.get("/v2/").await.status, 200);
}
