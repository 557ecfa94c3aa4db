//! Events as they happen: nothing twice, nothing missed, no longer than one may see them, and none forgotten by a slow
//! reader, a restart or a crowd.

use std::time::{Duration, Instant};

use agent_registry::server::{Config, Events};
use reqwest::{Method, Response};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::access_actors::{Actor, image, until};
use crate::app::TestApp;
use crate::events::short;

/// Longer than anything here takes.
const PATIENCE: Duration = Duration::from_mins(1);

/// What a stream says at once: an event, or words between them.
#[derive(Clone, Debug, Default, PartialEq)]
struct Said {
    id: Option<u64>,
    kind: String,
    data: Value,
    comment: String,
}

/// A stream being read.
struct Following {
    response: Response,
    text: String,
}

impl Following {
    /// The answer to the request for a stream, which must be one.
    async fn begin(actor: &Actor<'_>, parameters: &str, last: Option<u64>) -> Self {
        let response = request(actor, parameters, last).await;
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        assert_eq!(response.headers()["cache-control"], "no-store");
        Self { response, text: String::new() }
    }

    /// The next thing said; nothing at the end.
    async fn said(&mut self) -> Option<Said> {
        loop {
            if let Some((block, rest)) = self.text.split_once("\n\n") {
                let (block, rest) = (block.to_owned(), rest.to_owned());
                self.text = rest;
                return Some(parse(&block));
            }
            let chunk = tokio::time::timeout(PATIENCE, self.response.chunk()).await.expect("something is said");
            // A server that ends may end a connection as well.
            let Some(chunk) = chunk.unwrap_or_default() else {
                assert_eq!(self.text, "", "a stream ends between two events");
                return None;
            };
            self.text.push_str(std::str::from_utf8(&chunk).unwrap());
        }
    }

    /// The next event.
    async fn event(&mut self) -> Said {
        loop {
            let said = self.said().await.expect("the stream goes on");
            if !said.data.is_null() {
                assert_eq!((Some(said.data["id"].as_u64().unwrap()), &said.data["kind"]), (said.id, &json!(said.kind)));
                return said;
            }
        }
    }

    /// The next so many events in short.
    async fn events(&mut self, count: usize) -> Vec<String> {
        let mut found = vec![];
        for _ in 0..count {
            found.push(short(&self.event().await.data));
        }
        found
    }

    /// All that is still said until the end.
    async fn rest(&mut self) -> Vec<Said> {
        let mut rest = vec![];
        while let Some(said) = self.said().await {
            rest.push(said);
        }
        rest
    }
}

async fn request(actor: &Actor<'_>, parameters: &str, last: Option<u64>) -> Response {
    let url = format!("{}/api/v1/events?{parameters}", actor.app.url);
    let mut request = actor.app.client.get(url).header("accept", "text/event-stream");
    if let Some(shown) = &actor.authorization {
        request = request.header("authorization", shown);
    }
    if let Some(last) = last {
        request = request.header("last-event-id", last.to_string());
    }
    request.send().await.unwrap()
}

fn parse(block: &str) -> Said {
    let mut said = Said::default();
    for line in block.lines() {
        match line.split_once(": ").unwrap_or((line.trim_end_matches(':'), "")) {
            ("id", id) => said.id = Some(id.parse().unwrap()),
            ("event", kind) => kind.clone_into(&mut said.kind),
            ("data", data) => said.data = serde_json::from_str(data).unwrap(),
            ("", comment) => comment.clone_into(&mut said.comment),
            ("retry", "1000") => {}
            _ => panic!("{block}"),
        }
    }
    said
}

async fn tag(actor: &Actor<'_>, repository: &str, tag: &str) {
    assert_eq!(actor.put_manifest(repository, tag, &image(b"x")).await, 201);
}

#[tokio::test]
async fn what_happens_is_told_when_it_does() {
    let app = TestApp::spawn().await;
    let nobody = app.nobody();
    nobody.push_image("a/b", "before", b"x").await;
    let mut following = Following::begin(&nobody, "after=latest", None).await;
    let begin = following.said().await.unwrap();
    assert_eq!((begin.id, begin.data), (Some(3), Value::Null), "where it begins, should it break off at once");
    let mut slowest = Duration::ZERO;
    for number in 0..20 {
        tag(&nobody, "a/b", &format!("t{number}")).await;
        let pushed = Instant::now();
        assert_eq!(short(&following.event().await.data), format!("tag.moved a/b t{number}"));
        slowest = slowest.max(pushed.elapsed());
    }
    assert!(slowest < Duration::from_secs(2), "{slowest:?}");
    let mut old = Following::begin(&nobody, "kind=tag.moved&repository=a/b", None).await;
    assert_eq!(old.events(2).await, ["tag.moved a/b before", "tag.moved a/b t0"]);
}

#[tokio::test]
async fn a_stream_goes_on_after_a_restart_where_it_was() {
    let app = TestApp::spawn().await;
    app.nobody().push_image("a/b", "t0", b"x").await;
    let mut following = Following::begin(&app.nobody(), "kind=tag.moved", None).await;
    let mut seen = vec![following.event().await];
    tag(&app.nobody(), "a/b", "t1").await;
    seen.push(following.event().await);
    let begun = Instant::now();
    let app = app.restarted().await;
    assert!(begun.elapsed() < Duration::from_secs(15), "the server did not wait for it: {:?}", begun.elapsed());
    let rest = following.rest().await;
    assert_eq!(rest.last().unwrap().comment, "the registry stops");
    seen.extend(rest.into_iter().filter(|said| !said.data.is_null()));
    for number in 2..4 {
        tag(&app.nobody(), "a/b", &format!("t{number}")).await;
    }
    let last = seen.last().unwrap().id;
    // The address still says where it began; what was seen counts.
    let mut again = Following::begin(&app.nobody(), "kind=tag.moved&after=latest", last).await;
    tag(&app.nobody(), "a/b", "t4").await;
    for _ in seen.len()..5 {
        seen.push(again.event().await);
    }
    let tags: Vec<_> = seen.iter().map(|said| said.data["tag"].as_str().unwrap()).collect();
    assert_eq!(tags, ["t0", "t1", "t2", "t3", "t4"]);
}

#[tokio::test]
async fn a_stream_shows_what_one_may_see_at_that_moment() {
    let app = TestApp::with_accounts().await;
    let (ada, bob) = (app.user("ada").await, app.user("bob").await);
    ada.push_image("ada/agent", "t0", b"x").await;
    bob.push_image("bob/mark", "m0", b"x").await;
    let mut following = Following::begin(&bob, "after=latest&kind=tag.moved", None).await;
    let grant = json!({"repository": "ada/agent", "grantee": {"user": "bob"}, "level": "read"});
    tag(&ada, "ada/agent", "hidden").await;
    tag(&bob, "bob/mark", "m1").await;
    // What he had no right to when it came is not told him later.
    assert_eq!(following.events(1).await, ["tag.moved bob/mark m1"]);
    ada.must(Method::PUT, "/permissions", grant).await;
    tag(&ada, "ada/agent", "shown").await;
    assert_eq!(following.events(1).await, ["tag.moved ada/agent shown"]);
    ada.must(Method::DELETE, "/permissions?repository=ada/agent&user=bob", Value::Null).await;
    tag(&ada, "ada/agent", "hidden-again").await;
    tag(&bob, "bob/mark", "m2").await;
    assert_eq!(following.events(1).await, ["tag.moved bob/mark m2"]);
}

#[tokio::test]
async fn what_is_made_public_is_seen_from_then_on_and_what_is_made_private_no_more() {
    let app = TestApp::with_accounts().await;
    let (ada, nobody) = (app.user("ada").await, app.nobody());
    ada.push_image("ada/agent", "t0", b"x").await;
    ada.push_image("ada/mark", "m0", b"x").await;
    let show = async |name: &str, to: &str| {
        ada.must(Method::PUT, &format!("/repositories/ada/{name}"), json!({"visibility": to})).await;
    };
    show("mark", "public").await;
    let mut following = Following::begin(&nobody, "after=latest", None).await;
    tag(&ada, "ada/agent", "t1").await;
    tag(&ada, "ada/mark", "m1").await;
    assert_eq!(following.events(1).await, ["tag.moved ada/mark m1"]);
    show("agent", "public").await;
    tag(&ada, "ada/agent", "t2").await;
    let made = following.event().await.data;
    assert_eq!((short(&made), &made["detail"]), ("visibility.changed ada/agent -".to_owned(), &json!("public")));
    assert_eq!(following.events(1).await, ["tag.moved ada/agent t2"]);
    show("agent", "private").await;
    tag(&ada, "ada/agent", "t3").await;
    tag(&ada, "ada/mark", "m2").await;
    assert_eq!(following.events(1).await, ["tag.moved ada/mark m2"]);
}

#[tokio::test]
async fn a_stream_ends_with_the_credential_it_was_opened_with() {
    let app = TestApp::with_accounts().await;
    let ada = app.user("ada").await;
    let (id, token) = app.token("ada", json!({"name": "ci"})).await;
    let short = token.short("repository:ada/agent:pull").await;
    ada.push_image("ada/agent", "t0", b"x").await;
    let mut streams = vec![];
    for actor in [&token, &short] {
        let mut following = Following::begin(actor, "kind=tag.moved", None).await;
        assert_eq!(following.events(1).await, ["tag.moved ada/agent t0"]);
        streams.push(following);
    }
    let mut other = Following::begin(&ada, "after=latest", None).await;
    ada.must(Method::DELETE, &format!("/tokens/{id}"), Value::Null).await;
    tag(&ada, "ada/agent", "t1").await;
    for following in &mut streams {
        let rest = following.rest().await;
        assert_eq!(rest.len(), 1, "{rest:?}");
        assert_eq!(rest[0].comment, "the credential is no longer accepted");
    }
    assert_eq!(other.events(1).await, ["tag.moved ada/agent t1"]);
    assert_eq!(request(&token, "after=latest", None).await.status(), 401);
    assert_eq!(request(&app.actor("Bearer wrong"), "", None).await.status(), 401);
}

#[tokio::test]
async fn a_silent_stream_says_that_it_is_there_and_how_far_it_has_looked() {
    let app =
        TestApp::with(Config { events: Events { heartbeat_seconds: 1, ..Events::default() }, ..Config::default() })
            .await;
    let nobody = app.nobody();
    let mut following = Following::begin(&nobody, "repository=a/quiet", None).await;
    assert_eq!(following.said().await.unwrap().id, Some(0));
    nobody.push_image("a/loud", "t0", b"x").await;
    let moved = loop {
        let said = following.said().await.unwrap();
        assert_eq!(said.data, Value::Null);
        if said.id.is_some() {
            break said.id;
        }
    };
    assert_eq!(moved, Some(3));
    assert_eq!(following.said().await.unwrap(), Said::default(), "told once");
}

#[tokio::test]
async fn each_may_open_some_streams_and_whoever_leaves_makes_room() {
    let app = TestApp::configured(Config {
        events: Events { streams_per_identity: 2, streams: 3, ..Events::default() },
        ..Config::default()
    })
    .await;
    let (ada, bob, nobody) = (app.user("ada").await, app.user("bob").await, app.nobody());
    let first = Following::begin(&ada, "after=latest", None).await;
    let _second = Following::begin(&ada, "after=latest", None).await;
    let refused = request(&ada, "after=latest", None).await;
    assert_eq!((refused.status().as_u16(), refused.headers()["retry-after"].to_str().unwrap()), (429, "5"));
    let _third = Following::begin(&bob, "after=latest", None).await;
    assert_eq!(request(&nobody, "after=latest", None).await.status(), 429, "there are as many as there may be");
    assert_eq!(ada.reads("/api/v1/events").await, 200, "pages are no streams");
    drop(first);
    // Long before the next heartbeat.
    let begun = Instant::now();
    until(async || request(&nobody, "after=latest", None).await.status() == 200).await;
    assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", begun.elapsed());
}

#[tokio::test]
async fn many_follow_and_each_is_told_everything() {
    let app = TestApp::with(Config {
        events: Events { streams_per_identity: 300, ..Events::default() },
        ..Config::default()
    })
    .await;
    let nobody = app.nobody();
    nobody.push_image("a/b", "first", b"x").await;
    let mut streams = vec![];
    for _ in 0..200 {
        streams.push(Following::begin(&nobody, "after=latest", None).await);
    }
    let tags: Vec<_> = (0..50).map(|number| format!("t{number}")).collect();
    for name in &tags {
        tag(&nobody, "a/b", name).await;
    }
    let expected: Vec<_> = tags.iter().map(|name| format!("tag.moved a/b {name}")).collect();
    for following in &mut streams {
        assert_eq!(following.events(tags.len()).await, expected);
    }
}

#[tokio::test]
async fn a_reader_that_stalls_gets_everything_in_the_end_and_holds_up_nobody() {
    let app = TestApp::spawn().await;
    let nobody = app.nobody();
    nobody.push_image("a/b", "first", b"x").await;
    let mut slow = TcpStream::connect(app.address()).await.unwrap();
    let head = "GET /api/v1/events?kind=tag.moved HTTP/1.1\r\nHost: x\r\nAccept: text/event-stream\r\n\r\n";
    slow.write_all(head.as_bytes()).await.unwrap();
    let mut counts = vec![0; 12];
    slow.read_exact(&mut counts).await.unwrap();
    assert_eq!(counts, b"HTTP/1.1 200");
    // More than the system keeps for both sides; each moves to and fro, since a tag that stays is no event.
    let (one, other) = (image(b"x"), image(b"y"));
    nobody.push_image("a/b", "other", b"y").await;
    let long = "t".repeat(120);
    let tags = (0..60).map(|number| format!("tag={long}{number}&")).collect::<Vec<_>>().concat();
    let (count, mut pushed) = (200, Instant::now());
    for round in 0..count {
        let manifest = if round % 2 == 0 { &one } else { &other };
        let digest = agent_registry::oci::Digest::sha256(manifest);
        pushed = Instant::now();
        assert_eq!(nobody.put_manifest("a/b", &format!("{digest}?{tags}"), manifest).await, 201);
    }
    assert!(pushed.elapsed() < Duration::from_secs(5), "{:?}", pushed.elapsed());
    tag(&nobody, "a/b", "last").await;
    let mut text = vec![];
    while !text.ends_with(b"\"tag\":\"last\"") {
        let mut chunk = vec![0; 64 * 1024];
        let read = tokio::time::timeout(PATIENCE, slow.read(&mut chunk)).await.unwrap().unwrap();
        assert!(read > 0);
        text.extend_from_slice(&chunk[..read]);
        if text.windows(12).rev().take(2_000).any(|bytes| bytes == b"\"tag\":\"last\"") {
            break;
        }
    }
    let text = String::from_utf8_lossy(&text);
    let numbers: Vec<u64> = text.lines().filter_map(|line| line.strip_prefix("id: ")?.parse().ok()).collect();
    assert!(text.len() > 4_000_000, "it was more than the system keeps: {}", text.len());
    assert!(numbers.is_sorted_by(|a, b| a < b), "nothing twice");
    assert_eq!(text.matches("\nevent: tag.moved\n").count(), 60 * count + 3, "and nothing missed");
}
