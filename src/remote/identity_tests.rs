//! Identity tokens of a run and of a person: from a real issuer, and from those that lie, stall or want a secret.
#![cfg(feature = "server")]
#![expect(clippy::unwrap_used, reason = "a failing test may panic")]

use std::sync::Arc;

use reqwest::Url;
use serde_json::Value;

use super::fixture::{Peer, Reply};
use super::identity::{CiRun, IdentityToken, Issuer};
use super::{Endpoint, Error, ErrorKind, Options, Remote};

use crate::issuer;
use crate::minter::Signer;

const TOKEN: &str = "eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJ4In0.c2ln";

fn request(url: &str) -> CiRun {
    CiRun::Request { url: url.to_owned(), token: "runtime-secret".to_owned() }
}

#[tokio::test]
async fn a_run_asks_its_service_for_the_registry_it_publishes_to() {
    let service = Peer::serve(|_| Reply::json(&format!(r#"{{"count":1,"value":"{TOKEN}"}}"#))).await;
    let run = request(&format!("{}/idtoken/7?api-version=2.0", service.url()));
    let token = run.identity(&service.remote(), "reg.example:5000 & more").await.unwrap();
    assert_eq!(token.expose(), TOKEN);
    assert_eq!(service.lines(), ["GET /idtoken/7?api-version=2.0&audience=reg.example:5000%20%26%20more"]);
    assert_eq!(service.seen()[0].authorization(), Some("Bearer runtime-secret"));
    assert_eq!(CiRun::Token(format!("{TOKEN}\n")).identity(&service.remote(), "any").await.unwrap().expose(), TOKEN);
    assert_eq!(service.seen().len(), 1);
}

#[tokio::test]
async fn the_token_of_a_run_goes_to_nobody_else() {
    let registry = Peer::serve(|_| Reply::new(500)).await.remote();
    for url in ["http://ci.example/t", "http://127.0.0.1.evil/t", "ftp://127.0.0.1/t", "/t", ""] {
        let refused = request(url).identity(&registry, "a").await.unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::Protocol, "{url}: {refused}");
    }
    let elsewhere = Peer::serve(|_| Reply::json(r#"{"value":"a.b.c"}"#)).await;
    let target = elsewhere.url();
    let service = Peer::serve(move |_| Reply::new(302).header("Location", &target)).await;
    let refused = request(&service.url()).identity(&registry, "a").await.unwrap_err();
    assert!(matches!(refused, Error::NoIdentity(_)), "{refused}");
    assert!(elsewhere.seen().is_empty());
}

#[tokio::test]
async fn what_a_service_answers_is_bounded_and_checked() {
    let answers = [
        r#"{"value":"not a token"}"#.to_owned(),
        r#"{"value":"a.b.c\r\nX: y"}"#.to_owned(),
        format!(r#"{{"value":"{}.b.c"}}"#, "a".repeat(20_000)),
        r#"{"token":"a.b.c"}"#.to_owned(),
        "<html>".to_owned(),
        " ".repeat(70_000),
    ];
    for answer in answers {
        let body = answer.clone();
        let service = Peer::serve(move |_| Reply::json(&body)).await;
        let refused = request(&service.url()).identity(&service.remote(), "a").await.unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::Protocol, "{answer}");
    }
    let service = Peer::serve(|_| Reply::new(403).body(br#"{"message":"no id-token permission"}"#)).await;
    let refused = request(&service.url()).identity(&service.remote(), "a").await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Denied);
    assert!(refused.to_string().contains("no id-token permission"), "{refused}");
}

#[test]
fn no_token_is_shown() {
    let shown = format!("{:?} {:?} {:?}", request("https://h"), CiRun::Token(TOKEN.into()), IdentityToken::new(TOKEN));
    assert!(!shown.contains("secret") && !shown.contains("eyJ"), "{shown}");
}

/// A registry somewhere that trusts the issuer's certificate; nothing listens there.
fn registry(issuer: &issuer::Issuer) -> Remote {
    let options = Options { ca_certificate: Some(issuer.certificate.clone().into_bytes()), ..Options::default() };
    Remote::connect(Endpoint::parse("http://127.0.0.1:1", false).unwrap(), options).unwrap()
}

fn claims(token: &IdentityToken) -> Value {
    jsonwebtoken::dangerous::insecure_decode_claims(token.expose()).unwrap()
}

/// What a person's browser does: opens the page, and goes where that sends it.
async fn browse(page: Url, issuer: &issuer::Issuer) -> reqwest::Response {
    let trusted = reqwest::Certificate::from_pem(issuer.certificate.as_bytes()).unwrap();
    let browser = reqwest::Client::builder().tls_certs_only([trusted]).no_proxy().build().unwrap();
    browser.get(page).send().await.unwrap()
}

#[tokio::test]
async fn a_person_signs_in_with_the_browser_of_this_machine() {
    let issuer = Arc::new(issuer::Issuer::start(&[Signer::p256("k")]).await);
    let known = Issuer::discover(&registry(&issuer), &issuer.url, "agent-cli").await.unwrap();
    let show = |address: &str| {
        let (page, issuer) = (Url::parse(address).unwrap(), Arc::clone(&issuer));
        tokio::spawn(async move { assert_eq!(browse(page, &issuer).await.status(), 200) });
    };
    let token = known.sign_in_here("bound-to-the-registry", show).await.unwrap();
    let claims = claims(&token);
    assert_eq!((claims["aud"].as_str(), claims["sub"].as_str()), (Some("agent-cli"), Some("person-1")));
    assert_eq!(claims["nonce"], "bound-to-the-registry");
}

#[tokio::test]
async fn a_person_signs_in_with_another_machine() {
    let issuer = issuer::Issuer::start(&[Signer::ed25519("k")]).await;
    let known = Issuer::discover(&registry(&issuer), &issuer.url, "agent-cli").await.unwrap();
    let mut shown = None;
    let token = known.sign_in_elsewhere(|code| shown = Some(code.clone())).await.unwrap();
    assert_eq!(claims(&token)["aud"], "agent-cli");
    let shown = shown.unwrap();
    assert_eq!((shown.page, shown.code.as_str()), (format!("{}/activate", issuer.url), "WDJB-MJHT"));
}

#[tokio::test]
async fn only_the_browser_that_was_sent_is_believed() {
    let issuer = issuer::Issuer::start(&[Signer::ed25519("k")]).await;
    let known = Issuer::discover(&registry(&issuer), &issuer.url, "agent-cli").await.unwrap();
    let strangers = |address: &str| {
        let page = Url::parse(address).unwrap();
        let of = |name: &str| page.query_pairs().find(|(key, _)| key == name).unwrap().1.into_owned();
        let (back, state) = (of("redirect_uri"), of("state"));
        assert_eq!((of("code_challenge").len(), of("code_challenge_method").as_str()), (43, "S256"));
        tokio::spawn(async move {
            let browser = reqwest::Client::builder().no_proxy().build().unwrap();
            let other = back.replace("/callback", "/other");
            let guesses = [
                format!("{back}?code=x&state=guess"),
                format!("{back}?code=x"),
                format!("{back}?error=access_denied&state=guess"),
                format!("{other}?code=x&state={state}"),
                format!("{back}?code=x&state={state}&iss=https%3A%2F%2Fother.example"),
            ];
            for guess in guesses {
                assert_eq!(browser.get(&guess).send().await.unwrap().status(), 404, "{guess}");
            }
            let told = format!("{back}?error=access_denied&error_description=not%20%1B%5B2Jtoday&state={state}");
            assert_eq!(browser.get(told).send().await.unwrap().status(), 200);
        });
    };
    let refused = known.sign_in_here("n", strangers).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Denied);
    assert!(refused.to_string().ends_with("failed: access_denied: not  [2Jtoday"), "{refused}");
}

#[tokio::test]
async fn an_issuer_that_lies_or_stands_inside_is_refused() {
    let issuer = issuer::Issuer::start(&[Signer::ed25519("k")]).await;
    let registry = registry(&issuer);
    for mood in [issuer::Mood::OtherIssuer, issuer::Mood::Redirect, issuer::Mood::Endless, issuer::Mood::Garbage] {
        issuer.set_mood(mood);
        assert!(Issuer::discover(&registry, &issuer.url, "c").await.is_err(), "{mood:?}");
    }
    let remote = |address: &str| Remote::connect(Endpoint::parse(address, false).unwrap(), Options::default()).unwrap();
    let public = remote("https://registry.example");
    let asked = issuer.fetches();
    for inside in
        [issuer.url.as_str(), "https://169.254.169.254", "https://localhost:1", "http://ci.example", "file:///x"]
    {
        let refused = Issuer::discover(&public, inside, "c").await.unwrap_err();
        assert!(matches!(refused, Error::Foreign { .. }), "{inside}: {refused}");
    }
    assert_eq!(issuer.fetches(), asked);
}
