//! Callers who break off, stall, lie about lengths or try tricks with paths: 4xx or a closed connection, and the server
//! goes on.

use agent_registry::oci::Digest;
use agent_registry::server::Limits;
use reqwest::Method;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::app::TestApp;

/// Sends raw bytes and reads what comes until the server closes the connection.
async fn raw(app: &TestApp, request: &[u8]) -> String {
    let mut stream = TcpStream::connect(app.address()).await.unwrap();
    stream.write_all(request).await.unwrap();
    stream.shutdown().await.unwrap();
    let mut answer = vec![];
    stream.read_to_end(&mut answer).await.unwrap();
    String::from_utf8_lossy(&answer).into_owned()
}

async fn still_serves(app: &TestApp) {
    assert_eq!(app.get("/v2/").await.status, 200);
}

#[tokio::test]
async fn path_tricks_reach_nothing() {
    let app = TestApp::spawn().await;
    for path in [
        "/v2/../../etc/passwd",
        "/v2/a/../../b/tags/list",
        "/v2/a%2fb/tags/list",
        "/v2/a/b%00/tags/list",
        "/v2/..%2f..%2fetc/manifests/latest",
        "/v2/a/b/manifests/..%2f..%2fx",
        "/v2/A/b/tags/list",
        "/v2/a//b/tags/list",
        "/v2/a/b/manifests/%2e%2e",
        "/v2/a/b/blobs/uploads/../../x",
        "/v2/%ff/tags/list",
        "/v2/a/b/blobs/sha256:..",
        "/v2/a/b/manifests/.hidden",
        "/v2/a/b/blobs/uploads/not-a-uuid",
        "/api/v1/packages/..%2f..%2fetc",
        "/api/v1/packages/A",
        "/api/v1/packages/a/b/versions/..%2fx",
        "/%2e%2e/etc/passwd",
    ] {
        let answer = raw(&app, format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").as_bytes()).await;
        assert!(answer.starts_with("HTTP/1.1 4"), "{path}: {answer}");
    }
    let long = format!("/v2/{}/tags/list", "a/".repeat(300) + "a");
    assert_eq!(app.get(&long).await.error(), (400, "NAME_INVALID".into()));
    let endless = format!("/v2/a/b/tags/list?last={}", "a".repeat(20_000));
    assert_eq!(app.get(&endless).await.status, 414);
    still_serves(&app).await;
}

#[tokio::test]
async fn unknown_methods_and_paths_are_told_apart() {
    let app = TestApp::spawn().await;
    let refused = app.send(Method::PUT, "/v2/a/b/tags/list", &[], b"").await;
    assert_eq!((refused.error().0, refused.header("allow")), (405, "GET, HEAD"));
    assert_eq!(app.send(Method::OPTIONS, "/v2/", &[], b"").await.status, 405);
    assert_eq!(app.get("/v2/a/b/nothing/here").await.error(), (404, "UNSUPPORTED".into()));
    let nowhere = app.get("/nowhere").await;
    assert_eq!((nowhere.status.as_u16(), nowhere.header("content-type")), (404, "application/problem+json"));
    assert_eq!(nowhere.json()["request_id"], nowhere.header("x-request-id"));
}

#[tokio::test]
async fn a_body_that_breaks_off_stores_nothing() {
    let app = TestApp::spawn().await;
    let digest = Digest::sha256(b"0123456789");
    for head in [
        format!("POST /v2/a/b/blobs/uploads/?digest={digest} HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n01234"),
        format!("POST /v2/a/b/blobs/uploads/?digest={digest} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\na\r\n012"),
        "PUT /v2/a/b/manifests/latest HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{".to_owned(),
        "POST /v2/a/b/blobs/uploads/ HTTP/1.1\r\nHost: x\r\nContent-Length: -5\r\n\r\n".to_owned(),
        "POST /v2/a/b/blobs/uploads/ HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nabcde".to_owned(),
        "nonsense\r\n\r\n".to_owned(),
    ] {
        let answer = raw(&app, head.as_bytes()).await;
        assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 4"), "{head}: {answer}");
    }
    assert_eq!(app.get(&format!("/v2/a/b/blobs/{digest}")).await.status, 404);
    assert_eq!(app.get("/v2/a/b/manifests/latest").await.status, 404);
    still_serves(&app).await;
}

#[tokio::test]
async fn what_came_of_a_broken_chunk_is_kept_for_the_next() {
    let app = TestApp::spawn().await;
    let opened = app.send(Method::POST, "/v2/a/b/blobs/uploads/", &[], b"").await;
    let location = opened.header("location").to_owned();
    let half = vec![b'x'; 300_000];
    let mut request = format!("PATCH {location} HTTP/1.1\r\nHost: x\r\nContent-Length: 600000\r\n\r\n").into_bytes();
    request.extend_from_slice(&half);
    raw(&app, &request).await;
    // The server notices the end by itself; until then the session stands where it stood. What the connection still
    // held when it broke off need not have come.
    let mut reached = 0;
    for _ in 0..500 {
        let range = app.get(&location).await.header("range").to_owned();
        reached = range.strip_prefix("0-").unwrap().parse::<usize>().unwrap();
        if reached > 0 {
            break;
        }
    }
    assert!((1..half.len()).contains(&reached), "{reached}");
    let rest = [&half[reached + 1..], b"end"].concat();
    let digest = Digest::sha256(&[half.as_slice(), b"end"].concat());
    let (put, range) = (format!("{location}?digest={digest}"), format!("{}-{}", reached + 1, reached + rest.len()));
    assert_eq!(app.send(Method::PUT, &put, &[("content-range", &range)], &rest).await.status, 201);
}

#[tokio::test]
async fn a_put_that_broke_off_can_be_sent_again() {
    let app = TestApp::spawn().await;
    let (first, rest) = (b"first ".as_slice(), vec![b'x'; 600_000]);
    for before in [b"".as_slice(), first] {
        let opened = app.send(Method::POST, "/v2/a/b/blobs/uploads/", &[], b"").await;
        let location = opened.header("location").to_owned();
        assert_eq!(app.send(Method::PATCH, &location, &[], before).await.status, 202);
        let range = app.get(&location).await.header("range").to_owned();
        let put = format!("{location}?digest={}", Digest::sha256(&[before, &rest].concat()));
        let head = format!("PUT {put} HTTP/1.1\r\nHost: x\r\nContent-Length: 600000\r\n\r\n");
        raw(&app, &[head.as_bytes(), &rest[..300_000]].concat()).await;
        // The server notices the end by itself; until then the session is busy.
        let mut again = app.send(Method::PUT, &put, &[], &rest).await;
        for _ in 0..500 {
            if again.status != 409 {
                break;
            }
            assert_eq!(app.get(&location).await.header("range"), range, "nothing of it is kept");
            again = app.send(Method::PUT, &put, &[], &rest).await;
        }
        assert_eq!(again.status, 201, "{}", String::from_utf8_lossy(&again.body));
    }
}

#[tokio::test]
async fn a_stalled_body_ends_with_408() {
    let app = TestApp::limited(Limits { body_idle_seconds: 1, ..Limits::default() }).await;
    let digest = Digest::sha256(b"0123456789");
    let mut stream = TcpStream::connect(app.address()).await.unwrap();
    let head =
        format!("POST /v2/a/b/blobs/uploads/?digest={digest} HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n01234");
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut answer = vec![0; 12];
    stream.read_exact(&mut answer).await.unwrap();
    assert_eq!(answer, b"HTTP/1.1 408");
    still_serves(&app).await;
}

#[tokio::test]
async fn a_full_store_says_so_and_loses_nothing() {
    let app = TestApp::limited(Limits { store_bytes: Some(1_000_000), ..Limits::default() }).await;
    let kept = vec![1; 600_000];
    let digest = app.push_blob("a/b", &kept).await;
    let more = vec![2; 600_000];
    let path = format!("/v2/a/b/blobs/uploads/?digest={}", Digest::sha256(&more));
    let refused = app.send(Method::POST, &path, &[], &more).await;
    assert_eq!(refused.status, 507);
    assert!(refused.message().contains("out of space"), "{}", refused.message());
    assert!(refused.message().contains(refused.header("x-request-id")), "{}", refused.message());
    assert_eq!(app.get(&format!("/v2/a/b/blobs/{digest}")).await.body, kept);
    // What the refused upload had taken is free again.
    app.push_blob("a/b", &vec![3; 300_000]).await;
}
