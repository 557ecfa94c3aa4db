//! Slow callers: they are given up, and nobody waits for them.

use std::sync::Arc;
use std::time::{Duration, Instant};

use agent_registry::oci::Digest;
use agent_registry::server::Limits;
use reqwest::Method;
use rustls::crypto::aws_lc_rs;
use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, ServerName};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::{interval, timeout};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::app::TestApp;

/// Longer than any limit these tests set, shorter than anybody wants to wait.
const PATIENCE: Duration = Duration::from_secs(30);

fn impatient() -> Limits {
    Limits { head_seconds: 1, body_idle_seconds: 1, ..Limits::default() }
}

/// Sends `drop` again and again, until the server has answered or hung up; what it said.
async fn drip(stream: impl AsyncRead + AsyncWrite, drop: &[u8]) -> String {
    let (mut reading, mut writing) = tokio::io::split(stream);
    let mut answer = vec![];
    let dripping = async {
        let mut often = interval(Duration::from_millis(100));
        loop {
            often.tick().await;
            // What is encrypted stays in a buffer until it is flushed.
            if writing.write_all(drop).await.is_err() || writing.flush().await.is_err() {
                std::future::pending::<()>().await;
            }
        }
    };
    // A connection reset while the server still gets bytes is an end as well.
    let ended = async { drop_error(reading.read_to_end(&mut answer).await) };
    tokio::select! {
        () = dripping => {}
        ended = timeout(PATIENCE, ended) => ended.expect("the server gives up by itself"),
    }
    String::from_utf8_lossy(&answer).into_owned()
}

fn drop_error<T>(_: std::io::Result<T>) {}

/// A connection under TLS, for one version of HTTP.
async fn encrypted(app: &TestApp, version: &[u8]) -> TlsStream<TcpStream> {
    let mut trusted = RootCertStore::empty();
    trusted.add(CertificateDer::from_pem_file(app.data().join("cert.pem")).unwrap()).unwrap();
    let config = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()));
    let mut config =
        config.with_safe_default_protocol_versions().unwrap().with_root_certificates(trusted).with_no_client_auth();
    config.alpn_protocols = vec![version.to_vec()];
    let socket = TcpStream::connect(app.address()).await.unwrap();
    let name = ServerName::try_from("127.0.0.1").unwrap();
    let stream = TlsConnector::from(Arc::new(config)).connect(name, socket).await.unwrap();
    assert_eq!(stream.get_ref().1.alpn_protocol(), Some(version));
    stream
}

#[tokio::test]
async fn a_head_that_does_not_end_is_given_up_while_others_are_served() {
    let app = TestApp::limited(impatient()).await;
    let mut slow = vec![];
    for _ in 0..50 {
        let mut stream = TcpStream::connect(app.address()).await.unwrap();
        stream.write_all(b"GET /v2/ HTTP/1.1\r\nHost: x\r\n").await.unwrap();
        slow.push(tokio::spawn(drip(stream, b"X-More: more\r\n")));
    }
    let begun = Instant::now();
    for _ in 0..20 {
        assert_eq!(app.get("/v2/").await.status, 200);
    }
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
    for stream in slow {
        let answer = stream.await.unwrap();
        assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 4"), "{answer}");
    }
}

#[tokio::test]
async fn a_second_head_that_does_not_end_is_given_up_too() {
    let app = TestApp::limited(impatient()).await;
    second_head(TcpStream::connect(app.address()).await.unwrap()).await;
}

#[tokio::test]
async fn a_second_head_that_does_not_end_is_given_up_under_tls() {
    let (app, _) = TestApp::with_tls(impatient()).await;
    second_head(encrypted(&app, b"http/1.1").await).await;
}

async fn second_head(mut stream: impl AsyncRead + AsyncWrite + Unpin) {
    stream.write_all(b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
    stream.flush().await.unwrap();
    let mut first = vec![0; 12];
    stream.read_exact(&mut first).await.unwrap();
    assert_eq!(first, b"HTTP/1.1 200");
    let rest = drip(stream, b"X").await;
    assert!(rest.ends_with("ok\n"), "{rest}");
}

/// The head of an HTTP/2 frame (RFC 9113, 4.1), of fewer than 256 bytes.
fn frame(length: u8, kind: u8, flags: u8, stream: u8) -> [u8; 9] {
    [0, 0, length, kind, flags, 0, 0, 0, stream]
}

#[tokio::test]
async fn a_second_head_that_does_not_end_is_given_up_in_http_2() {
    const SETTINGS: u8 = 4;
    const HEADERS: u8 = 1;
    const WHOLE: u8 = 5;
    let (app, _) = TestApp::with_tls(impatient()).await;
    let mut stream = encrypted(&app, b"h2").await;
    // GET and https from the static table, path and authority as literals.
    let head = b"\x82\x87\x04\x06/livez\x01\x01x";
    let begin = [
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        &frame(0, SETTINGS, 0, 0)[..],
        &frame(u8::try_from(head.len()).unwrap(), HEADERS, WHOLE, 1),
        head,
        &frame(255, HEADERS, WHOLE, 3),
    ];
    stream.write_all(&begin.concat()).await.unwrap();
    stream.flush().await.unwrap();
    let answer = drip(stream, b"X").await;
    assert!(answer.contains("ok\n"), "the first request was answered: {answer:?}");
}

#[tokio::test]
async fn a_handshake_that_does_not_end_is_given_up() {
    let (app, _) = TestApp::with_tls(impatient()).await;
    let mut stream = TcpStream::connect(app.address()).await.unwrap();
    // A record of 512 bytes that is a handshake's.
    stream.write_all(&[22, 3, 1, 2, 0, 1]).await.unwrap();
    assert_eq!(drip(stream, &[0]).await, "");
    assert_eq!(app.client.get(format!("{}/v2/", app.url)).send().await.unwrap().status(), 200);
}

#[tokio::test]
async fn a_long_answer_read_slowly_is_no_late_head() {
    let app = TestApp::limited(Limits { body_idle_seconds: 30, ..impatient() }).await;
    let (digest, size) = long_blob(&app).await;
    long_answer(TcpStream::connect(app.address()).await.unwrap(), &digest, size).await;
}

#[tokio::test]
async fn a_long_answer_read_slowly_is_no_late_head_under_tls() {
    let (app, _) = TestApp::with_tls(Limits { body_idle_seconds: 30, ..impatient() }).await;
    let (digest, size) = long_blob(&app).await;
    long_answer(encrypted(&app, b"http/1.1").await, &digest, size).await;
}

/// A blob of more bytes than the system keeps for both sides, so that it is on its way as long as nothing is read.
async fn long_blob(app: &TestApp) -> (Digest, usize) {
    let size = 64 * 1024 * 1024;
    (app.push_blob("a/b", &vec![5; size]).await, size)
}

async fn long_answer(mut stream: impl AsyncRead + AsyncWrite + Unpin, digest: &Digest, size: usize) {
    let requests = format!("GET /v2/a/b/blobs/{digest} HTTP/1.1\r\nHost: x\r\n\r\nGET /livez HTTP/1.1\r\nHost:");
    stream.write_all(requests.as_bytes()).await.unwrap();
    stream.flush().await.unwrap();
    let (mut often, mut received) = (interval(Duration::from_millis(300)), vec![]);
    let mut buffer = vec![0; 64 * 1024];
    for _ in 0..8 {
        often.tick().await;
        let read = stream.read(&mut buffer).await.unwrap();
        received.extend_from_slice(&buffer[..read]);
    }
    let mut rest = vec![0; size - received.len()];
    stream.read_exact(&mut rest).await.unwrap();
    received.extend_from_slice(&rest);
    stream.write_all(b" x\r\nConnection: close\r\n\r\n").await.unwrap();
    stream.flush().await.unwrap();
    timeout(PATIENCE, stream.read_to_end(&mut received)).await.unwrap().unwrap();
    assert!(received.ends_with(b"ok\n"), "{} bytes", received.len());
}

#[tokio::test]
async fn a_stalled_chunk_ends_and_keeps_what_came() {
    let app = TestApp::limited(impatient()).await;
    let location = app.send(Method::POST, "/v2/a/b/blobs/uploads/", &[], b"").await.header("location").to_owned();
    let mut stream = TcpStream::connect(app.address()).await.unwrap();
    let head = format!("PATCH {location} HTTP/1.1\r\nHost: x\r\nContent-Length: 600000\r\n\r\n");
    stream.write_all(head.as_bytes()).await.unwrap();
    stream.write_all(&vec![b'x'; 100_000]).await.unwrap();
    // Meanwhile: another request of the same session is refused, all others are served.
    loop {
        let busy = app.send(Method::PATCH, &location, &[], b"").await;
        if busy.status == 409 {
            break;
        }
        assert_eq!(busy.status, 202, "before the slow one was read");
    }
    app.push_blob("a/b", &vec![1; 100_000]).await;
    let mut answer = vec![0; 12];
    timeout(PATIENCE, stream.read_exact(&mut answer)).await.unwrap().unwrap();
    assert_eq!(answer, b"HTTP/1.1 408");
    assert_eq!(app.get(&location).await.header("range"), "0-99999");
}

#[tokio::test]
async fn a_trickle_is_given_up_although_it_never_pauses() {
    let app = TestApp::limited(impatient()).await;
    let location = app.send(Method::POST, "/v2/a/b/blobs/uploads/", &[], b"").await.header("location").to_owned();
    let mut stream = TcpStream::connect(app.address()).await.unwrap();
    let head = format!("PATCH {location} HTTP/1.1\r\nHost: x\r\nContent-Length: 600000\r\n\r\n");
    stream.write_all(head.as_bytes()).await.unwrap();
    let answer = drip(stream, b"x").await;
    assert!(answer.starts_with("HTTP/1.1 408") && answer.contains("bytes a second"), "{answer}");
}

#[tokio::test]
async fn one_identity_cannot_open_sessions_without_end() {
    let app = TestApp::limited(Limits { uploads_per_identity: 3, ..Limits::default() }).await;
    let open = async || app.send(Method::POST, "/v2/a/b/blobs/uploads/", &[], b"").await;
    let mut locations = vec![];
    for _ in 0..3 {
        locations.push(open().await.header("location").to_owned());
    }
    let refused = open().await;
    assert_eq!((refused.error(), refused.header("retry-after")), ((429, "TOOMANYREQUESTS".into()), "5"));
    // With bytes they count apart, so that the next three may begin.
    for location in &locations {
        assert_eq!(app.send(Method::PATCH, location, &[], b"abc").await.status, 202);
    }
    let fourth = open().await.header("location").to_owned();
    assert_eq!(app.send(Method::PATCH, &fourth, &[], b"abc").await.error().0, 429);
    // One that goes on is not one more, and one that ends makes room.
    assert_eq!(app.send(Method::PATCH, &locations[0], &[], b"def").await.header("range"), "0-5");
    assert_eq!(app.send(Method::DELETE, &locations[0], &[], b"").await.status, 204);
    let fifth = open().await.header("location").to_owned();
    assert_eq!(app.send(Method::PATCH, &fifth, &[], b"abc").await.status, 202);
    // A blob in one request needs no session.
    app.push_blob("a/b", b"whole").await;
}
