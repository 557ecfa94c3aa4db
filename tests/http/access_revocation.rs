//! What is taken back is gone at once: tokens, what was made with them, members, teams, grants and visibility, also in
//! the middle of an upload.

use agent_registry::oci::Digest;
use agent_registry::server::{Auth, Config};
use futures_util::{StreamExt as _, stream};
use reqwest::Method;
use serde_json::{Value, json};
use tokio::sync::oneshot;

use crate::access_actors::{Actor, basic, until};
use crate::app::TestApp;

const NAME: &str = "ada/agent";

fn secret(actor: &Actor<'_>) -> String {
    actor.authorization.as_ref().unwrap().split_once(' ').unwrap().1.to_owned()
}

#[tokio::test]
async fn a_revoked_token_ends_everything_that_was_made_with_it() {
    let app = TestApp::with_accounts().await;
    let ada = app.user("ada").await;
    ada.push_image(NAME, "v1", b"x").await;
    let (id, token) = app.token("ada", json!({"name": "ci", "scopes": ["write"]})).await;
    let form = format!("grant_type=password&username=ada&password={}&access_type=offline", secret(&token));
    let headers = [("content-type", "application/x-www-form-urlencoded")];
    let made = app.send(Method::POST, "/token", &headers, form.as_bytes()).await.json();
    let refresh = made["refresh_token"].as_str().unwrap().to_owned();
    let refreshed = async || {
        let form = format!("grant_type=refresh_token&refresh_token={refresh}&scope=repository:{NAME}:pull,push");
        app.send(Method::POST, "/token", &headers, form.as_bytes()).await
    };
    let short = token.short(&format!("repository:{NAME}:pull,push")).await;
    let second = app.actor(format!("Bearer {}", refreshed().await.json()["access_token"].as_str().unwrap()));
    let named = app.actor(basic("ada", &secret(&token)));
    let all = [&token, &named, &short, &second];
    let place = token.begin(NAME).await;
    assert_eq!(token.patch(&place, b"first ").await, 202);
    for actor in all {
        assert_eq!(actor.reads(&format!("/v2/{NAME}/manifests/v1")).await, 200, "before");
    }
    ada.must(Method::DELETE, &format!("/tokens/{id}"), Value::Null).await;
    for actor in all {
        for path in ["/v2/", "/v2/ada/agent/manifests/v1", "/v2/_catalog", "/api/v1/me", "/token"] {
            assert_eq!(actor.reads(path).await, 401, "{path}");
        }
        assert_eq!(actor.patch(&place, b"second").await, 401);
        assert_eq!(actor.finish(&place, b"first ").await, 401);
        assert_eq!(actor.put_manifest(NAME, "v2", b"{}").await, 401);
    }
    assert_eq!(refreshed().await.status, 401);
    assert_eq!(ada.patch(&place, b"second").await, 202, "the session is its owner's, who has other tokens");
    assert_eq!(ada.finish(&place, b"first second").await, 201);
}

/// Sends the first bytes of a chunk, does something while the server waits for the rest, and gives the status.
async fn interrupted(actor: &Actor<'_>, place: &str, meanwhile: impl AsyncFnOnce()) -> u16 {
    let (go, wait) = oneshot::channel::<()>();
    let first = stream::iter([Ok::<_, std::io::Error>(vec![b'a'; 200_000])]);
    let rest = stream::once(async {
        wait.await.unwrap();
        Ok(vec![b'b'; 200_000])
    });
    let request = actor.app.client.patch(format!("{}{place}", actor.app.url));
    let request = request.header("authorization", actor.authorization.as_deref().unwrap());
    let sent = tokio::spawn(request.body(reqwest::Body::wrap_stream(first.chain(rest))).send());
    // Its bytes are in the store once the server has begun to take them.
    let id = place.rsplit('/').next().unwrap();
    until(async || actor.app.data().join("uploads").join(id).exists()).await;
    meanwhile().await;
    go.send(()).unwrap();
    sent.await.unwrap().unwrap().status().as_u16()
}

#[tokio::test]
async fn a_token_revoked_while_its_bytes_arrive_leaves_nothing() {
    let app = TestApp::with_accounts().await;
    let ada = app.user("ada").await;
    let (id, token) = app.token("ada", json!({"name": "ci", "scopes": ["write"]})).await;
    let short = token.short(&format!("repository:{NAME}:pull,push")).await;
    let place = short.begin(NAME).await;
    let revoked = async || drop(ada.must(Method::DELETE, &format!("/tokens/{id}"), Value::Null).await);
    assert_eq!(interrupted(&short, &place, revoked).await, 403);
    assert_eq!(ada.reads(&place).await, 204, "the session stands where it stood");
    assert_eq!(ada.get(&place).await.header("range"), "0-0");
    let whole = app.token("ada", json!({"name": "again", "scopes": ["write"]})).await.1;
    let place = whole.begin(NAME).await;
    assert_eq!(interrupted(&whole, &place, async || ()).await, 202, "and without a revocation it is taken");
    let bytes = [vec![b'a'; 200_000], vec![b'b'; 200_000]].concat();
    assert_eq!(whole.finish(&place, &bytes).await, 201);
}

#[tokio::test]
async fn a_grant_taken_back_while_bytes_arrive_leaves_nothing() {
    let app = TestApp::with_accounts().await;
    let (ada, bob) = (app.user("ada").await, app.user("bob").await);
    ada.push_image(NAME, "v1", b"x").await;
    let grant = json!({"repository": NAME, "grantee": {"user": "bob"}, "level": "write"});
    ada.must(Method::PUT, "/permissions", grant).await;
    let place = bob.begin(NAME).await;
    let gone = format!("/permissions?repository={NAME}&user=bob");
    let taken = async || drop(ada.must(Method::DELETE, &gone, Value::Null).await);
    assert_eq!(interrupted(&bob, &place, taken).await, 403);
    assert_eq!(bob.patch(&place, b"x").await, 403);
    assert_eq!(bob.finish(&place, b"").await, 403);
    assert_eq!(bob.reads(&place).await, 403);
    assert_eq!(ada.reads(&place).await, 404, "the session is bob's, and nobody else's");
}

/// A change by REST.
type Step = (Method, &'static str, Value);

/// A way to be allowed to read `acme/agent`, and how it is taken back.
struct Way {
    what: &'static str,
    given: Vec<Step>,
    taken: Step,
}

fn ways() -> Vec<Way> {
    let (member, permissions) = ("/organisations/acme/members/bob", "/permissions");
    let repository = "/repositories/acme/agent";
    let grant = |grantee: Value| json!({"repository": "acme/agent", "grantee": grantee, "level": "read"});
    let visible = |visibility: &str| (Method::PUT, repository, json!({"visibility": visibility}));
    let is_member = (Method::PUT, member, json!({"role": "member"}));
    let no_user = "/permissions?repository=acme/agent&user=bob";
    let (team, of_team) = ("/organisations/acme/teams/devs", "/organisations/acme/teams/devs/members/bob");
    vec![
        Way { what: "member", given: vec![is_member.clone()], taken: (Method::DELETE, member, Value::Null) },
        Way {
            what: "grant",
            given: vec![(Method::PUT, permissions, grant(json!({"user": "bob"})))],
            taken: (Method::DELETE, no_user, Value::Null),
        },
        Way { what: "public", given: vec![visible("public")], taken: visible("private") },
        Way {
            what: "team role",
            given: vec![
                is_member,
                (Method::POST, "/organisations/acme/teams", json!({"name": "devs", "role": "read"})),
                (Method::PUT, of_team, json!({})),
            ],
            taken: (Method::PATCH, team, json!({"role": null})),
        },
        Way {
            what: "team grant",
            given: vec![(Method::PUT, permissions, grant(json!({"team": "acme/devs"})))],
            taken: (Method::DELETE, of_team, Value::Null),
        },
    ]
}

#[tokio::test]
async fn members_teams_grants_and_visibility_end_at_once() {
    let app = TestApp::with_accounts().await;
    let (ada, bob) = (app.user("ada").await, app.user("bob").await);
    ada.must(Method::POST, "/organisations", json!({"name": "acme", "default_visibility": "org"})).await;
    ada.push_image("acme/agent", "v1", b"x").await;
    let (path, scope) = ("/v2/acme/agent/manifests/v1", "repository:acme/agent:pull,push");
    let before = bob.short(scope).await;
    assert_eq!((bob.reads(path).await, bob.short(scope).await.reads(path).await), (404, 404));
    for Way { what, given, taken: (method, place, body) } in ways() {
        for (method, place, body) in given {
            ada.must(method, place, body).await;
        }
        let held = bob.short(scope).await;
        assert_eq!((bob.reads(path).await, held.reads(path).await), (200, 200), "{what} given");
        ada.must(method, place, body).await;
        assert_eq!((bob.reads(path).await, held.reads(path).await), (404, 404), "{what}: claims outlive no right");
        assert!(!bob.get("/v2/_catalog").await.json().to_string().contains("acme"), "{what}");
    }
    assert!([401, 404].contains(&before.reads(path).await), "a token from before all that");
}

#[tokio::test]
async fn a_removed_user_is_nobody_and_a_grant_ends_when_it_says() {
    let app = TestApp::with_accounts().await;
    let (ada, bob) = (app.user("ada").await, app.user("bob").await);
    ada.push_image(NAME, "v1", b"x").await;
    let end = jiff::Timestamp::now().as_millisecond() + 2_000;
    let end = jiff::Timestamp::from_millisecond(end).unwrap();
    let grant = json!({"repository": NAME, "grantee": {"user": "bob"}, "level": "write", "expires": end.to_string()});
    ada.must(Method::PUT, "/permissions", grant).await;
    let path = format!("/v2/{NAME}/manifests/v1");
    let short = bob.short(&format!("repository:{NAME}:pull,push")).await;
    assert_eq!((bob.reads(&path).await, short.reads(&path).await), (200, 200));
    until(async || bob.reads(&path).await != 200).await;
    assert!(jiff::Timestamp::now() >= end, "not before it said");
    assert_eq!((bob.reads(&path).await, short.reads(&path).await), (404, 404));
    assert_eq!(short.put_blob(NAME, b"y").await.status, 403);

    let place = ada.begin(NAME).await;
    assert_eq!(ada.patch(&place, b"some").await, 202);
    let short = ada.short(&format!("repository:{NAME}:pull,push")).await;
    app.boss().must(Method::DELETE, "/users/ada", Value::Null).await;
    for actor in [&ada, &short] {
        assert_eq!(actor.reads(&path).await, 401);
        assert_eq!(actor.patch(&place, b" more").await, 401);
        assert_eq!(actor.finish(&place, b"some").await, 401);
    }
}

#[tokio::test]
async fn who_takes_a_freed_name_is_somebody_else() {
    let app = TestApp::with_accounts().await;
    let (ada, bob) = (app.user("ada").await, app.user("bob").await);
    ada.push_image(NAME, "v1", b"x").await;
    let grant = json!({"repository": NAME, "grantee": {"user": "bob"}, "level": "write"});
    ada.must(Method::PUT, "/permissions", grant).await;
    let short = bob.short(&format!("repository:{NAME}:pull,push")).await;
    let place = short.begin(NAME).await;
    assert_eq!(short.patch(&place, b"some").await, 202);
    let empty = short.begin(NAME).await;
    app.boss().must(Method::DELETE, "/users/bob", Value::Null).await;
    app.boss().must(Method::POST, "/accounts/bob/free", json!({})).await;
    let other = app.user("bob").await;
    for actor in [&bob, &short] {
        assert_eq!(actor.reads("/v2/").await, 401);
        assert_eq!(actor.finish(&place, b"some").await, 401);
    }
    assert_eq!(other.reads(&format!("/v2/{NAME}/manifests/v1")).await, 404, "the grant was not theirs");
    assert_eq!(other.reads(&place).await, 403);
    ada.must(Method::PUT, "/permissions", json!({"repository": NAME, "grantee": {"user": "bob"}, "level": "write"}))
        .await;
    for place in [place, empty] {
        assert_eq!(other.reads(&place).await, 404, "nor were the uploads");
        assert_eq!(other.finish(&place, b"some").await, 404);
    }
}

#[tokio::test]
async fn an_open_upload_outlives_its_short_token_and_nothing_else_does() {
    let auth = Auth { token_seconds: 1, ..Auth::default() };
    let app = TestApp::configured(Config { auth, ..Config::default() }).await;
    let (ada, bob) = (app.user("ada").await, app.user("bob").await);
    let grant = json!({"repository": NAME, "grantee": {"user": "bob"}, "level": "write"});
    ada.push_image(NAME, "v1", b"x").await;
    ada.must(Method::PUT, "/permissions", grant).await;
    let (id, token) = app.token("ada", json!({"name": "ci", "scopes": ["write"]})).await;
    let scope = format!("repository:{NAME}:pull,push");
    let (short, other) = (token.short(&scope).await, bob.short(&scope).await);
    let (place, second) = (token.begin(NAME).await, token.begin(NAME).await);
    assert_eq!(token.patch(&place, b"one ").await, 202);
    until(async || (short.reads("/v2/").await, other.reads("/v2/").await) == (401, 401)).await;
    for path in ["manifests/v1", "tags/list"] {
        let refused = short.get(&format!("/v2/{NAME}/{path}")).await;
        assert_eq!(refused.status, 401);
        assert!(refused.header("www-authenticate").contains("error=\"invalid_token\""));
    }
    assert_eq!(short.tries(Method::POST, &format!("/v2/{NAME}/blobs/uploads/")).await, 401, "no new session");
    assert_eq!(short.put_manifest(NAME, "v2", b"{}").await, 401);
    assert_eq!(other.patch(&place, b"evil").await, 404, "it is somebody else's");
    assert_eq!(short.reads(&place).await, 204);
    assert_eq!(short.patch(&place, b"two").await, 202);
    assert_eq!(short.reads("/v2/").await, 401, "it was not taken up again");
    assert_eq!(short.finish(&place, b"one two").await, 201);
    assert_eq!(short.reads(&format!("/v2/{NAME}/blobs/{}", Digest::sha256(b"one two"))).await, 401);
    ada.must(Method::DELETE, &format!("/tokens/{id}"), Value::Null).await;
    assert_eq!(short.patch(&second, b"more").await, 401, "what it was made from is revoked");
    assert_eq!(ada.patch(&second, b"more").await, 202);
}

#[tokio::test]
async fn a_session_belongs_to_who_opened_it_and_to_its_repository() {
    let app = TestApp::with_accounts().await;
    let (ada, bob) = (app.user("ada").await, app.user("bob").await);
    ada.push_image(NAME, "v1", b"x").await;
    ada.push_image("ada/other", "v1", b"x").await;
    let grant = json!({"repository": NAME, "grantee": {"user": "bob"}, "level": "admin"});
    ada.must(Method::PUT, "/permissions", grant).await;
    for has_bytes in [false, true] {
        let place = ada.begin(NAME).await;
        if has_bytes {
            assert_eq!(ada.patch(&place, b"ada's ").await, 202);
        }
        for (actor, place) in
            [(&bob, place.clone()), (&app.boss(), place.clone()), (&ada, place.replace(NAME, "ada/other"))]
        {
            assert_eq!(actor.reads(&place).await, 404);
            assert_eq!(actor.patch(&place, b"evil").await, 404);
            assert_eq!(actor.finish(&place, b"").await, 404);
            assert_eq!(actor.tries(Method::DELETE, &place).await, 404);
        }
        assert_eq!(app.nobody().patch(&place, b"evil").await, 401);
        assert_eq!(ada.patch(&place, b"bytes").await, 202);
        let whole: &[u8] = if has_bytes { b"ada's bytes" } else { b"bytes" };
        assert_eq!(ada.finish(&place, whole).await, 201);
    }
}

#[tokio::test]
async fn no_request_that_begins_after_a_revocation_succeeds() {
    let app = TestApp::with_accounts().await;
    let ada = app.user("ada").await;
    ada.push_image(NAME, "v1", b"x").await;
    let path = format!("/v2/{NAME}/manifests/v1");
    for round in 0..10 {
        let (id, token) = app.token("ada", json!({"name": format!("round {round}")})).await;
        let short = token.short(&format!("repository:{NAME}:pull")).await;
        let revoked = std::sync::atomic::AtomicBool::new(false);
        let reading = async |actor: &Actor<'_>| {
            let mut reads = 0;
            loop {
                let was_revoked = revoked.load(std::sync::atomic::Ordering::SeqCst);
                match (actor.reads(&path).await, was_revoked) {
                    (200, false) => reads += 1,
                    (200, true) => panic!("read after the revocation"),
                    (401, _) => return reads,
                    (other, _) => panic!("{other}"),
                }
            }
        };
        let revoking = async {
            for _ in 0..5 {
                assert_eq!(ada.reads(&path).await, 200);
            }
            ada.must(Method::DELETE, &format!("/tokens/{id}"), Value::Null).await;
            revoked.store(true, std::sync::atomic::Ordering::SeqCst);
        };
        let (first, second, ()) = futures_util::join!(reading(&token), reading(&short), revoking);
        assert!(first > 0 && second > 0, "they read before");
    }
}
