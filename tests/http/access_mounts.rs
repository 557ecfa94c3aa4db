//! Mounts take nothing from where the caller may not pull, and tell nothing about it.

use agent_registry::oci::Digest;
use reqwest::Method;
use serde_json::json;

use crate::access_actors::Actor;
use crate::app::{Answer, TestApp};

const SECRET: &[u8] = b"the content of the secret";

fn query(digest: &Digest, from: Option<&str>) -> String {
    let from = from.map(|from| format!("&from={from}")).unwrap_or_default();
    format!("/v2/bob/own/blobs/uploads/?mount={digest}{from}")
}

async fn mount(actor: &Actor<'_>, digest: &Digest, from: Option<&str>) -> Answer {
    actor.send(Method::POST, &query(digest, from), &[], b"").await
}

fn shape(answer: &Answer) -> (u16, Vec<String>, usize) {
    let mut names: Vec<_> = answer.headers.keys().map(ToString::to_string).collect();
    names.sort();
    (answer.status.as_u16(), names, answer.body.len())
}

#[tokio::test]
async fn a_blob_of_somebody_else_is_mounted_no_more_than_one_that_is_nowhere() {
    let app = TestApp::with_accounts().await;
    let (ada, bob) = (app.user("ada").await, app.user("bob").await);
    let secret = ada.push_image("ada/secret", "v1", SECRET).await.layer;
    let nowhere = Digest::sha256(b"nowhere");
    let all = "repository:bob/own:pull,push&scope=repository:ada/secret:pull&scope=repository:ada/absent:pull";
    let (short, narrow) = (bob.short(all).await, bob.short("repository:bob/own:pull,push").await);
    for caller in [&bob, &short, &narrow] {
        let expected = shape(&mount(caller, &nowhere, Some("ada/absent")).await);
        assert_eq!(expected.0, 202);
        for (digest, from) in [
            (&secret, Some("ada/secret")),
            (&secret, Some("ada/absent")),
            (&nowhere, Some("ada/secret")),
            (&secret, None),
            (&nowhere, None),
            (&secret, Some("bob/own")),
        ] {
            assert_eq!(shape(&mount(caller, digest, from).await), expected, "{digest} from {from:?}");
        }
    }
    assert_eq!(bob.reads(&format!("/v2/bob/own/blobs/{secret}")).await, 404);
    assert_eq!(ada.reads(&format!("/v2/ada/secret/blobs/{secret}")).await, 200);
}

#[tokio::test]
async fn who_may_pull_the_source_mounts_from_it_with_a_token_that_says_so() {
    let app = TestApp::with_accounts().await;
    let (ada, bob) = (app.user("ada").await, app.user("bob").await);
    let secret = ada.push_image("ada/secret", "v1", SECRET).await.layer;
    let grant = json!({"repository": "ada/secret", "grantee": {"user": "bob"}, "level": "read"});
    ada.must(Method::PUT, "/permissions", grant).await;
    let narrow = bob.short("repository:bob/own:pull,push").await;
    let asked = mount(&narrow, &secret, Some("ada/secret")).await;
    assert_eq!(asked.status, 401);
    let challenge = asked.header("www-authenticate").to_owned();
    assert!(challenge.contains("repository:bob/own:pull,push repository:ada/secret:pull"), "{challenge}");
    let scope = "repository:bob/own:pull,push%20repository:ada/secret:pull";
    let wide = bob.short(scope).await;
    assert_eq!(mount(&wide, &secret, Some("ada/secret")).await.status, 201);
    assert_eq!(bob.reads(&format!("/v2/bob/own/blobs/{secret}")).await, 200, "it is bob's now");

    let gone = "/permissions?repository=ada/secret&user=bob";
    ada.must(Method::DELETE, gone, serde_json::Value::Null).await;
    let other = ada.put_blob("ada/secret", b"more of the secret").await;
    assert_eq!(other.status, 201);
    let more = Digest::sha256(b"more of the secret");
    assert_eq!(mount(&wide, &more, Some("ada/secret")).await.status, 202, "claims outlive no right");
    assert_eq!(mount(&bob, &more, None).await.status, 202);
}

#[tokio::test]
async fn a_token_for_other_repositories_does_not_reach_a_source_that_its_owner_may_pull() {
    let app = TestApp::with_accounts().await;
    let ada = app.user("ada").await;
    let secret = ada.push_image("ada/secret", "v1", SECRET).await.layer;
    let narrow = json!({"name": "narrow", "scopes": ["write"], "repositories": ["ada/other"]});
    let narrow = app.token("ada", narrow).await.1;
    for from in ["&from=ada/secret", ""] {
        let path = format!("/v2/ada/other/blobs/uploads/?mount={secret}{from}");
        assert_eq!(narrow.tries(Method::POST, &path).await, 202, "{from}");
        assert_eq!(ada.reads(&format!("/v2/ada/other/blobs/{secret}")).await, 404, "{from}");
        let path = format!("/v2/ada/own/blobs/uploads/?mount={secret}{from}");
        assert_eq!(ada.tries(Method::POST, &path).await, 201, "{from}");
    }
}
