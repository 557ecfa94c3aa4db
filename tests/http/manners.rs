//! Manners of the REST API: what every answer has, whoever asks for whatever in whichever way.

use agent_registry::server::Config;
use reqwest::Method;
use serde_json::json;

use crate::app::{Answer, TestApp};

/// The web page of another origin that tests list.
const LISTED: &str = "https://catalogue.example.com";

async fn ask(app: &TestApp, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Answer {
    app.send(method.parse::<Method>().unwrap(), path, headers, body.as_bytes()).await
}

#[track_caller]
fn check_problem(answer: &Answer, status: u16) {
    let body = answer.json();
    assert_eq!((answer.status.as_u16(), &body["status"]), (status, &json!(status)), "{body}");
    assert_eq!(answer.header("content-type"), "application/problem+json", "{body}");
    assert!(!body["title"].as_str().unwrap().is_empty() && !body["detail"].as_str().unwrap().is_empty(), "{body}");
    assert_eq!(body["request_id"], answer.header("x-request-id"));
}

#[tokio::test]
async fn what_has_not_changed_is_not_sent_again() {
    let app = TestApp::with_accounts().await;
    let bearer = format!("Bearer {}", app.admin);
    for (path, credential) in [("/api/v1", None), ("/api/v1/users", Some(bearer.as_str())), ("/api/v1/packages", None)]
    {
        let shown: Vec<_> = credential.map(|credential| ("authorization", credential)).into_iter().collect();
        let first = ask(&app, "GET", path, &shown, "").await;
        assert_eq!(first.status, 200);
        let tag = first.header("etag").to_owned();
        assert!(tag.starts_with('"') && tag.len() == 34, "{path}: {tag}");
        assert_eq!(first.header("vary"), "Authorization", "{path}");
        let kept = if credential.is_some() { "private, no-cache" } else { "no-cache" };
        assert_eq!(first.header("cache-control"), kept, "{path}");
        let head = ask(&app, "HEAD", path, &shown, "").await;
        assert_eq!((head.status.as_u16(), head.header("etag"), head.body.len()), (200, tag.as_str(), 0), "{path}");
        assert_eq!(head.header("content-length"), first.body.len().to_string(), "{path}");
        let mut known = shown.clone();
        known.push(("if-none-match", &tag));
        for method in ["GET", "HEAD"] {
            let again = ask(&app, method, path, &known, "").await;
            assert_eq!(
                (again.status.as_u16(), again.header("etag"), again.body.len()),
                (304, tag.as_str(), 0),
                "{path}"
            );
            assert_eq!((again.header("cache-control"), again.header("vary")), (kept, "Authorization"), "{path}");
        }
    }
    let before = ask(&app, "GET", "/api/v1/users", &[("authorization", &bearer)], "").await.header("etag").to_owned();
    let json = ("content-type", "application/json");
    let made = ask(&app, "POST", "/api/v1/users", &[("authorization", &bearer), json], r#"{"name":"ada"}"#).await;
    assert_eq!((made.status.as_u16(), made.header("etag")), (201, ""));
    let changed = [("authorization", bearer.as_str()), ("if-none-match", &before)];
    assert_eq!(ask(&app, "GET", "/api/v1/users", &changed, "").await.status, 200);
}

#[tokio::test]
async fn secrets_are_kept_by_nobody_and_the_description_by_everybody() {
    let app = TestApp::with_accounts().await;
    let bearer = format!("Bearer {}", app.admin);
    let headers = [("authorization", bearer.as_str()), ("content-type", "application/json")];
    let made = ask(&app, "POST", "/api/v1/tokens", &headers, r#"{"name":"ci"}"#).await;
    assert_eq!((made.status.as_u16(), made.header("cache-control")), (201, "no-store"));
    let described = ask(&app, "GET", "/api/v1/openapi.json", &headers, "").await;
    assert_eq!((described.header("cache-control"), described.header("vary")), ("public, max-age=300", ""));
    assert_eq!(described.header("etag").len(), 34);
}

#[tokio::test]
async fn every_refusal_is_a_problem() {
    let app = TestApp::with_accounts().await;
    let bearer = format!("Bearer {}", app.admin);
    let (credential, json) = (("authorization", bearer.as_str()), ("content-type", "application/json"));
    let large = format!(r#"{{"name":"{}"}}"#, "a".repeat(64 * 1024));
    for (method, path, headers, body, status) in [
        ("GET", "/api/v1/nothing", &[][..], "", 404),
        ("GET", "/api/v1/users/a/b/c", &[], "", 404),
        ("DELETE", "/api/v1/me", &[], "", 405),
        ("BREW", "/api/v1/me", &[], "", 405),
        ("POST", "/api/v1/packages/acme/writer", &[], "", 405),
        ("POST", "/api/v1/openapi.json", &[], "", 405),
        ("GET", "/api/v1/me", &[], "", 401),
        ("GET", "/api/v1/me", &[("authorization", "Digest x")], "", 401),
        ("POST", "/api/v1/users", &[credential], r#"{"name":"ada"}"#, 415),
        ("POST", "/api/v1/users", &[credential, ("content-type", "text/json")], r#"{"name":"ada"}"#, 415),
        ("POST", "/api/v1/users", &[credential, json], &large, 413),
        ("POST", "/api/v1/users", &[credential, json], r#"{"name":"#, 400),
        ("POST", "/api/v1/users", &[credential, json], r#"{"name":"ada","admin":true}"#, 400),
        ("GET", "/api/v1/users?limit=none", &[credential], "", 400),
        ("GET", "/api/v1/users?after=a&after=b", &[credential], "", 400),
        ("GET", "/api/v1/permissions", &[credential], "", 400),
        ("GET", "/api/v1/users/%FF", &[credential], "", 400),
        ("GET", "/api/v1/packages/%00", &[credential], "", 400),
        ("GET", "/api/v1/packages?q=%22", &[credential], "", 400),
    ] {
        let answer = ask(&app, method, path, headers, body).await;
        assert_eq!(answer.status, status, "{method} {path}: {}", String::from_utf8_lossy(&answer.body));
        check_problem(&answer, status);
        let vary = if method == "GET" { "Authorization" } else { "" };
        assert_eq!((answer.header("etag"), answer.header("vary")), ("", vary), "{method} {path}");
    }
}

#[tokio::test]
async fn a_path_says_how_it_may_be_asked() {
    let app = TestApp::with_accounts().await;
    for (path, allowed) in [
        ("/api/v1/me", "GET, HEAD, OPTIONS"),
        ("/api/v1/", "GET, HEAD, OPTIONS"),
        ("/api/v1/users", "GET, HEAD, OPTIONS, POST"),
        ("/api/v1/organisations/acme", "DELETE, GET, HEAD, OPTIONS, PATCH"),
        ("/api/v1/repositories/acme/writer", "GET, HEAD, OPTIONS, PUT"),
    ] {
        let refused = ask(&app, "TRACE", path, &[], "").await;
        assert_eq!((refused.status.as_u16(), refused.header("allow")), (405, allowed), "{path}");
        let told = ask(&app, "OPTIONS", path, &[], "").await;
        assert_eq!((told.status.as_u16(), told.header("allow"), told.body.len()), (204, allowed, 0), "{path}");
    }
    check_problem(&ask(&app, "OPTIONS", "/api/v1/nothing", &[], "").await, 404);
}

#[tokio::test]
async fn scripts_of_listed_origins_may_read_and_no_others() {
    let listed = Config { cors_origins: vec![LISTED.parse().unwrap()], ..Config::default() };
    let sharing = TestApp::configured(listed).await;
    let closed = TestApp::with_accounts().await;
    let preflight = [("origin", LISTED), ("access-control-request-method", "PUT")];
    let allowed = ask(&sharing, "OPTIONS", "/api/v1/users/ada/password", &preflight, "").await;
    assert_eq!((allowed.status.as_u16(), allowed.header("access-control-allow-origin")), (204, LISTED));
    assert_eq!(allowed.header("access-control-allow-methods"), "OPTIONS, PUT");
    assert!(allowed.header("access-control-allow-headers").contains("authorization"));
    let read = ask(&sharing, "GET", "/api/v1/me", &[("origin", LISTED)], "").await;
    assert_eq!((read.status.as_u16(), read.header("access-control-allow-origin")), (401, LISTED));
    assert!(read.header("access-control-expose-headers").contains("etag"));
    for answer in [&allowed, &read] {
        let varies = answer.headers.get_all("vary").iter().any(|value| value == "Origin");
        assert!(varies && !answer.headers.contains_key("access-control-allow-credentials"));
    }
    for origin in
        ["https://evil.example.com", "http://catalogue.example.com", "https://catalogue.example.com:8443", "null", "*"]
    {
        let preflight = [("origin", origin), ("access-control-request-method", "GET")];
        for (method, headers) in [("OPTIONS", &preflight[..]), ("GET", &preflight[..1])] {
            let answer = ask(&sharing, method, "/api/v1/packages", headers, "").await;
            assert_eq!(answer.header("access-control-allow-origin"), "", "{method} from {origin}");
            assert_eq!(answer.header("access-control-allow-methods"), "", "{method} from {origin}");
        }
    }
    let unlisted = ask(&closed, "OPTIONS", "/api/v1/packages", &preflight, "").await;
    assert!(unlisted.headers.keys().all(|name| !name.as_str().starts_with("access-control")));
    let elsewhere = ask(&sharing, "GET", "/v2/", &[("origin", LISTED)], "").await;
    assert_eq!(elsewhere.header("access-control-allow-origin"), "", "only the REST API is shared");
}
