//! What happened, page by page: everything in one order, as far as one may see, as long as it is kept.

use std::time::{Duration, Instant};

use agent_registry::server::{Config, Events};
use reqwest::Method;
use serde_json::{Value, json};

use crate::access_actors::{Actor, image};
use crate::app::{TestApp, agent};

/// How long something may take that happens by itself within some seconds.
const SOON: Duration = Duration::from_secs(30);

/// An event in short: what, where and on which tag.
pub(crate) fn short(event: &Value) -> String {
    let text = |key: &str| event[key].as_str().unwrap_or("-").to_owned();
    format!("{} {} {}", text("kind"), text("repository"), text("tag"))
}

/// All pages from somewhere on, of so many entries.
async fn all(actor: &Actor<'_>, parameters: &str, limit: usize) -> (Vec<Value>, u64) {
    let (mut found, mut after) = (vec![], String::new());
    loop {
        let page = actor.get(&format!("/api/v1/events?limit={limit}&{parameters}{after}")).await;
        assert_eq!(page.status, 200, "{}", String::from_utf8_lossy(&page.body));
        let page = page.json();
        let items = page["items"].as_array().unwrap();
        assert!(items.len() <= limit);
        found.extend(items.iter().cloned());
        match page["next"].as_str() {
            Some(next) => after = format!("&after={next}"),
            None => return (found, page["as_of"].as_u64().unwrap()),
        }
    }
}

async fn told(actor: &Actor<'_>, parameters: &str) -> Vec<String> {
    all(actor, parameters, 100).await.0.iter().map(short).collect()
}

#[tokio::test]
async fn everything_that_happens_is_told_once_in_one_order_however_long_the_pages_are() {
    let app = TestApp::spawn().await;
    let nobody = app.nobody();
    assert_eq!(app.get("/api/v1/events").await.json(), json!({"items": [], "as_of": 0}));
    app.push_package("team/writer", "1.0.0", &agent("writer", "1.0.0", "")).await;
    nobody.push_image("team/tool", "v1", b"one").await;
    nobody.push_image("team/tool", "v1", b"two").await;
    assert_eq!(nobody.tries(Method::DELETE, "/v2/team/tool/manifests/v1").await, 202);
    let first = nobody.push_image("team/tool", "v2", b"one").await.manifest;
    assert_eq!(nobody.tries(Method::DELETE, &format!("/v2/team/tool/manifests/{first}")).await, 202);
    let expected = [
        "manifest.pushed team/writer -",
        "tag.moved team/writer 1.0.0",
        "manifest.pushed team/tool -",
        "tag.moved team/tool v1",
        "manifest.pushed team/tool -",
        "tag.moved team/tool v1",
        "tag.deleted team/tool v1",
        "tag.moved team/tool v2",
        "tag.deleted team/tool v2",
        "manifest.deleted team/tool -",
    ];
    let (events, as_of) = all(&nobody, "", 100).await;
    assert_eq!(events.iter().map(short).collect::<Vec<_>>(), expected);
    for limit in [1, 3, 1_000] {
        assert_eq!(all(&nobody, "", limit).await, (events.clone(), as_of), "{limit}");
    }
    let numbers: Vec<_> = events.iter().map(|event| event["id"].as_u64().unwrap()).collect();
    assert!(numbers.is_sorted_by(|a, b| a < b) && numbers.last() == Some(&as_of), "{numbers:?} {as_of}");
    assert_eq!(events[9]["digest"], json!(first.to_string()));
    assert!(events.iter().all(|event| event["at"].is_string() && event["actor"].is_string()));

    let from = |number: u64| format!("after={number}");
    assert_eq!(told(&nobody, &from(numbers[7])).await, expected[8..]);
    assert_eq!(told(&nobody, &from(as_of)).await, Vec::<String>::new());
    assert_eq!(told(&nobody, "after=latest").await, Vec::<String>::new());
    assert_eq!(app.get("/api/v1/events?after=latest").await.json()["as_of"], as_of);
    assert_eq!(told(&nobody, "repository=team/writer").await, expected[..2]);
    assert_eq!(told(&nobody, "repository=team/nothing").await, Vec::<String>::new());
    let deleted = told(&nobody, "kind=tag.deleted,manifest.deleted&repository=team/tool").await;
    assert_eq!(deleted, [expected[6], expected[8], expected[9]]);
    assert_eq!(app.send(Method::HEAD, "/api/v1/events", &[("accept", "text/event-stream")], b"").await.status, 200);
}

#[tokio::test]
async fn what_cannot_be_read_is_refused_with_what_is_allowed() {
    let app = TestApp::spawn().await;
    for (parameters, expected) in [
        ("after=soon", "does not go on from there"),
        ("after=-1", "does not go on from there"),
        ("after=18446744073709551615", "does not go on from there"),
        ("limit=0", "`limit`"),
        ("kind=blob.added", "tag.moved"),
        ("kind=", "tag.moved"),
        ("repository=A", "name"),
    ] {
        for accept in ["application/json", "text/event-stream"] {
            if accept == "text/event-stream" && parameters.starts_with("limit") {
                continue;
            }
            let path = format!("/api/v1/events?{parameters}");
            let answer = app.send(Method::GET, &path, &[("accept", accept)], b"").await;
            let detail = answer.json()["detail"].as_str().unwrap_or_default().to_owned();
            assert!(answer.status == 400 && detail.contains(expected), "{parameters}: {} {detail}", answer.status);
        }
    }
    assert_eq!(app.send(Method::POST, "/api/v1/events", &[], b"").await.status, 405);
}

#[tokio::test]
async fn everybody_is_told_what_they_may_see() {
    let app = TestApp::with_accounts().await;
    let (ada, bob, nobody, boss) = (app.user("ada").await, app.user("bob").await, app.nobody(), app.boss());
    ada.push_image("ada/secret", "v1", b"x").await;
    bob.push_image("bob/open", "v1", b"x").await;
    bob.must(Method::PUT, "/repositories/bob/open", json!({"visibility": "public"})).await;
    bob.push_image("bob/open", "v2", b"x").await;
    let of = async |actor: &Actor<'_>, kind: &str| told(actor, &format!("kind={kind}")).await;
    let (secret, open) = ("tag.moved ada/secret v1", ["tag.moved bob/open v1", "tag.moved bob/open v2"]);
    assert_eq!(of(&boss, "tag.moved").await, [secret, open[0], open[1]]);
    assert_eq!(of(&ada, "tag.moved").await, [secret, open[0], open[1]]);
    for actor in [&bob, &nobody] {
        assert_eq!(of(actor, "tag.moved").await, open);
        assert_eq!(told(actor, "repository=ada/secret").await, Vec::<String>::new());
        assert_eq!(told(actor, "repository=ada/missing").await, Vec::<String>::new());
    }
    let grant = json!({"repository": "ada/secret", "grantee": {"user": "bob"}, "level": "read"});
    ada.must(Method::PUT, "/permissions", grant).await;
    assert_eq!(of(&bob, "tag.moved").await, [secret, open[0], open[1]]);
    let narrow = app.token("bob", json!({"name": "n", "scopes": ["read"], "repositories": ["ada/*"]})).await.1;
    assert_eq!(of(&narrow, "tag.moved").await, [secret]);
    let short = bob.short("repository:bob/open:pull").await;
    assert_eq!(of(&short, "tag.moved").await, open, "a short token reaches what it was made for");
    let catalogue = bob.short("registry:catalog:*").await;
    assert_eq!(of(&catalogue, "tag.moved").await, Vec::<String>::new(), "names are not what is in them");
    assert_eq!(app.actor("Bearer wrong").reads("/api/v1/events").await, 401);
    ada.must(Method::DELETE, "/permissions?repository=ada/secret&user=bob", Value::Null).await;
    assert_eq!(of(&bob, "tag.moved").await, open);
    assert_eq!(of(&narrow, "tag.moved").await, Vec::<String>::new());
}

#[tokio::test]
async fn what_is_no_longer_kept_is_not_passed_over_in_silence() {
    let app =
        TestApp::with(Config { events: Events { keep_count: 3, ..Events::default() }, ..Config::default() }).await;
    let nobody = app.nobody();
    nobody.push_image("a/b", "t0", b"x").await;
    let manifest = image(b"x");
    for number in 1..=5 {
        assert_eq!(nobody.put_manifest("a/b", &format!("t{number}"), &manifest).await, 201);
    }
    let begun = Instant::now();
    let refused = loop {
        let refused = app.get("/api/v1/events?after=1").await;
        if refused.status != 200 {
            break refused;
        }
        assert!(begun.elapsed() < SOON, "{}", String::from_utf8_lossy(&refused.body));
        tokio::task::yield_now().await;
    };
    // A blob, the manifest, six tags: of eight events the last three are kept.
    assert_eq!(refused.status, 410);
    let detail = refused.json()["detail"].as_str().unwrap().to_owned();
    assert!(detail.contains("number 5") && detail.contains("is 6"), "{detail}");
    let stream = app.send(Method::GET, "/api/v1/events?after=4", &[("accept", "text/event-stream")], b"").await;
    assert_eq!(stream.status, 410);
    for parameters in ["", "after=5"] {
        assert_eq!(told(&nobody, parameters).await, ["tag.moved a/b t3", "tag.moved a/b t4", "tag.moved a/b t5"]);
    }
}
