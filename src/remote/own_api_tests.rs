//! The registry's own API: what is sent, what is sent again, and what is made of the answers. And signing in.
#![expect(clippy::unwrap_used, reason = "a failing test may panic")]

use serde_json::{Value, json};

use super::fixture::{BOB, Peer, Reply, bob};
use super::{Credential, Error, ErrorKind, SignIn};

const PATH: &str = "/api/v1/things/1";
const LIMIT: usize = 1024;

#[tokio::test]
async fn changes_are_sent_as_json_and_no_answer_is_null() {
    let peer = Peer::serve(|request| match request.method.as_str() {
        "DELETE" => Reply::new(204),
        _ => Reply::json(&String::from_utf8(request.body.clone()).unwrap()),
    })
    .await;
    let remote = peer.remote();
    let content = json!({"a": 1});
    assert_eq!(remote.put_json::<Value>(PATH, &content, LIMIT).await.unwrap(), content);
    assert_eq!(remote.patch_json::<Value>(PATH, &content, LIMIT).await.unwrap(), content);
    assert_eq!(remote.post_json::<Value>(PATH, &content, LIMIT).await.unwrap(), content);
    assert_eq!(remote.delete_json::<Value>(PATH, LIMIT).await.unwrap(), Value::Null);
    remote.delete_json::<()>(PATH, LIMIT).await.unwrap();
    let types: Vec<_> = peer.seen().iter().map(|request| request.header("content-type").map(str::to_owned)).collect();
    let json = Some("application/json".to_owned());
    assert_eq!(types, [json.clone(), json.clone(), json, None, None]);
}

#[tokio::test]
async fn only_what_may_be_done_twice_is_sent_twice() {
    for (status, times) in [(500, [4, 1, 1, 1]), (503, [4, 4, 4, 4]), (409, [1, 1, 1, 1])] {
        let peer = Peer::serve(move |_| Reply::new(status)).await;
        let remote = peer.remote();
        remote.put_json::<Value>(PATH, &1, LIMIT).await.unwrap_err();
        remote.patch_json::<Value>(PATH, &1, LIMIT).await.unwrap_err();
        remote.post_json::<Value>(PATH, &1, LIMIT).await.unwrap_err();
        remote.delete_json::<Value>(PATH, LIMIT).await.unwrap_err();
        let count = |method: &str| peer.seen().iter().filter(|request| request.method == method).count();
        assert_eq!(["PUT", "PATCH", "POST", "DELETE"].map(count), times, "{status}");
    }
}

#[tokio::test]
async fn a_new_token_in_a_broken_answer_is_not_repeated() {
    let peer = Peer::serve(|_| Reply::json(r#"{"token":"agr_secret","id":"agr_secret"}"#)).await;
    let error = peer.remote().post_json::<u64>(PATH, &1, LIMIT).await.unwrap_err();
    assert!(!format!("{error:?}").contains("agr_secret"), "{error:?}");
}

#[tokio::test]
async fn a_refusal_says_what_the_problem_is() {
    let problem = br#"{"title":"Conflict","detail":"the name ada is taken"}"#;
    let peer = Peer::serve(|_| Reply::new(409).header("Content-Type", "application/problem+json").body(problem)).await;
    let error = peer.remote().post_json::<Value>("/api/v1/users", &1, LIMIT).await.unwrap_err();
    assert!(error.to_string().ends_with("answered 409 to POST /api/v1/users: the name ada is taken"), "{error}");
    assert!(matches!(error, Error::Refused(refusal) if refusal.is_about_own_api()));
}

#[tokio::test]
async fn an_access_token_goes_with_the_first_request_and_a_password_when_asked_for() {
    let peer = Peer::serve(|request| match (request.path(), request.authorization()) {
        ("/token", Some(BOB)) => Reply::json(r#"{"token":"short"}"#),
        (_, Some("Bearer agr_1" | "Bearer short")) => Reply::json("1"),
        _ => Reply::challenge("/token", ""),
    })
    .await;
    let with_token = peer.remote_as(Credential::Token("agr_1".to_owned()));
    assert_eq!(with_token.put_json::<u64>(PATH, &1, LIMIT).await.unwrap(), 1);
    assert_eq!(peer.seen().len(), 1, "no question was needed");
    assert_eq!(peer.remote_as(bob()).put_json::<u64>(PATH, &1, LIMIT).await.unwrap(), 1);
    let error = with_token.as_stranger().put_json::<u64>(PATH, &1, LIMIT).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Denied, "a stranger has nothing to show");
}

#[tokio::test]
async fn who_asks_nobody_has_agreed_to_nothing() {
    let asking = Peer::serve(|request| match request.authorization() {
        Some(BOB) => Reply::json("{}"),
        _ => Reply::new(401).header("WWW-Authenticate", "Basic realm=\"x\""),
    })
    .await;
    assert_eq!(asking.remote_as(bob()).sign_in().await.unwrap(), SignIn::Accepted);
    let wrong = Credential::Basic { user: "bob".to_owned(), password: "wrong".to_owned() };
    assert_eq!(asking.remote_as(wrong).sign_in().await.unwrap_err().kind(), ErrorKind::Denied);
    assert_eq!(asking.remote().sign_in().await.unwrap_err().kind(), ErrorKind::Denied);
    let open = Peer::serve(|_| Reply::json("{}")).await;
    assert_eq!(open.remote_as(bob()).sign_in().await.unwrap(), SignIn::NotAsked);
    assert!(open.seen().iter().all(|request| request.authorization().is_none()), "nobody asked, nothing was shown");
}
