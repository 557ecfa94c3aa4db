//! Tests of catalogues that go on and on, and of registries that have none.
#![expect(clippy::unwrap_used, reason = "a failing test may panic")]

use super::Catalogue;
use super::fixture::{Answer, Registry, Request};
use crate::remote::Credential;

const INFO: &str = r#"{"name":"agent-registry","version":"1","default_namespace":"default"}"#;

fn hit(number: usize) -> String {
    let digest = crate::oci::Digest::sha256(&number.to_be_bytes());
    format!(
        r#"{{"repository":"team/a{number}","version":null,"digest":"{digest}","updated_at":"2026-01-01T00:00:00Z","size":1,"registry_tags":[],"created_at":"2026-01-01T00:00:00Z","checked":true,"downloads":0,"rating":{{"count":0}},"signed":false}}"#
    )
}

/// Answers with one entry a page, and the number of the next as the cursor.
fn endless(request: &Request) -> Answer {
    let Some((_, query)) = request.path.split_once('?') else { return json(INFO) };
    let after = query.split('&').find_map(|pair| pair.strip_prefix("after="));
    let number: usize = after.map_or(0, |after| after.parse().unwrap());
    json(&format!(r#"{{"items":[{}],"next":"{}"}}"#, hit(number), number + 1))
}

fn json(text: &str) -> Answer {
    Answer::with(text).header("Content-Type", "application/json")
}

#[tokio::test]
async fn pages_are_followed_up_to_the_limit_and_never_without_end() {
    let registry = Registry::serve(endless);
    let remote = registry.remote();
    let catalogue = Catalogue::detect(&remote).await.unwrap().unwrap();
    let found = catalogue.search("a b&c", Some(3)).await.unwrap();
    let names: Vec<_> = found.iter().map(|hit| hit.summary.repository.to_string()).collect();
    assert_eq!(names, ["team/a0", "team/a1", "team/a2"]);
    let asked = registry.requests();
    assert_eq!(asked[1].path, "/api/v1/packages?q=a%20b%26c&fresh=true&limit=3");
    assert_eq!(asked[3].path, "/api/v1/packages?q=a%20b%26c&fresh=true&limit=1&after=2");
    assert_eq!(catalogue.search("", None).await.unwrap().len(), super::list::MAX_PAGES);
}

#[tokio::test]
async fn a_cursor_that_stands_still_ends_the_list() {
    let registry = Registry::serve(|request| match request.path.as_str() {
        "/api/v1" => json(INFO),
        _ => json(&format!(r#"{{"items":[{}],"next":"same"}}"#, hit(1))),
    });
    let remote = registry.remote();
    let catalogue = Catalogue::detect(&remote).await.unwrap().unwrap();
    assert_eq!(catalogue.versions(&"team/a1".parse().unwrap(), None).await.unwrap().unwrap().len(), 2);
}

#[tokio::test]
async fn registries_of_others_have_no_catalogue() {
    let not_ours = INFO.replace("agent-registry", "another");
    for answer in
        [json(&not_ours), json("[]"), Answer::with("<html>"), Answer::of(404), Answer::of(401), Answer::of(405)]
    {
        let status = answer.status;
        let registry = Registry::serve(move |_| answer.clone());
        assert!(Catalogue::detect(&registry.remote()).await.unwrap().is_none(), "{status}");
    }
    let registry = Registry::serve(|_| Answer::of(503));
    assert!(Catalogue::detect(&registry.remote()).await.is_err(), "in trouble is not absent");
}

#[tokio::test]
async fn a_credential_that_ours_refuses_is_an_error_and_no_other_registry() {
    let old = || Some(Credential::Token("agr_old".to_owned()));
    let ours = Registry::serve(|request| if request.has_credential { Answer::of(401) } else { json(INFO) });
    let error = Catalogue::detect(&ours.remote_as(old())).await.unwrap_err();
    assert!(error.to_string().contains("401"), "{error}");
    let other = Registry::serve(|_| Answer::of(401));
    assert!(Catalogue::detect(&other.remote_as(old())).await.unwrap().is_none());
}

#[tokio::test]
async fn a_name_without_a_namespace_gets_the_callers_own() {
    let asks = INFO.replace('}', r#","authentication":true}"#);
    let me = r#"{"name":"ada","kind":"user","is_administrator":false,"credential":{"kind":"password","scopes":[]}}"#;
    let registry = Registry::serve(move |request| json(if request.path == "/api/v1/me" { me } else { &asks }));
    let known = registry.remote_as(Some(Credential::Token("agr_x".to_owned())));
    let namespace = Catalogue::detect(&known).await.unwrap().unwrap().namespace().await;
    assert_eq!(namespace.unwrap(), "ada");
    let stranger = registry.remote();
    let namespace = Catalogue::detect(&stranger).await.unwrap().unwrap().namespace().await;
    assert_eq!(namespace.unwrap(), "default");
}
