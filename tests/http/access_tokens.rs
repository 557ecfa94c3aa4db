//! Tokens are good for what they were made for and nothing else: not elsewhere, not as another kind, not for more.

use agent_registry::server::{Auth, Config};
use reqwest::Method;
use serde_json::{Value, json};

use crate::access_actors::basic;
use crate::app::TestApp;

fn secret(authorization: &str) -> &str {
    authorization.split_once(' ').unwrap().1
}

async fn form(app: &TestApp, text: String) -> crate::app::Answer {
    let headers = [("content-type", "application/x-www-form-urlencoded")];
    app.send(Method::POST, "/token", &headers, text.as_bytes()).await
}

#[tokio::test]
async fn a_token_of_one_registry_is_nothing_to_another() {
    let external = || Auth { external_url: Some("https://registry.example.com".parse().unwrap()), ..Auth::default() };
    let (here, there) = (
        TestApp::configured(Config { auth: external(), ..Config::default() }).await,
        TestApp::configured(Config { auth: external(), ..Config::default() }).await,
    );
    let (ada, same) = (here.user("ada").await, there.user("ada").await);
    let short = ada.short("repository:ada/agent:pull,push").await.authorization.unwrap();
    assert_eq!(here.actor(&short).reads("/v2/").await, 200);
    assert_eq!(there.actor(&short).reads("/v2/").await, 401, "another key, although name and user are the same");
    let long = ada.authorization.unwrap();
    assert_eq!(there.actor(&long).reads("/v2/").await, 401);
    assert_eq!(there.actor(basic("ada", secret(&long))).reads("/v2/").await, 401);
    assert_eq!(same.reads("/v2/").await, 200);
}

#[tokio::test]
async fn a_short_token_is_for_the_host_it_was_made_for() {
    let app = TestApp::with_accounts().await;
    let ada = app.user("ada").await;
    let elsewhere = ada.send(Method::GET, "/token?scope=repository:ada/a:push", &[("host", "evil.example")], b"").await;
    let token = format!("Bearer {}", elsewhere.json()["token"].as_str().unwrap());
    assert_eq!(app.actor(&token).reads("/v2/").await, 401, "a name somebody else gave the registry");
    assert_eq!(app.actor(&token).send(Method::GET, "/v2/", &[("host", "evil.example")], b"").await.status, 200);
    let asked = ada.get("/token?service=other.example.com").await.json();
    let token = format!("Bearer {}", asked["token"].as_str().unwrap());
    assert_eq!(app.actor(&token).reads("/v2/").await, 200, "what the client calls the service is no matter");
}

#[tokio::test]
async fn no_kind_of_token_passes_for_another() {
    let app = TestApp::with_accounts().await;
    let ada = app.user("ada").await;
    let long = secret(ada.authorization.as_ref().unwrap()).to_owned();
    let password = format!("grant_type=password&username=ada&password={long}&access_type=offline");
    let refresh = form(&app, password).await.json()["refresh_token"].as_str().unwrap().to_owned();
    let short = ada.short("").await.authorization.unwrap();
    let short = secret(&short);
    for shown in [
        format!("Bearer {refresh}"),
        basic("ada", &refresh),
        basic("ada", short),
        basic("", &long),
        basic("bob", &long),
        basic("ADA", &long),
        basic("ada", &long.to_uppercase()),
        format!("Bearer {long}."),
        format!("Bearer {}", &long[..long.len() - 1]),
        format!("Bearer .{long}."),
        format!("Bearer {short}{short}"),
        format!("Bearer {}.", short.rsplit_once('.').unwrap().0),
        format!("Bearer {}", short.replace('.', "..")),
    ] {
        for path in ["/v2/", "/v2/ada/agent/tags/list", "/token", "/api/v1/me", "/api/v1/packages"] {
            assert_eq!(app.actor(&shown).reads(path).await, 401, "{shown} {path}");
        }
    }
    for wrong in [long.as_str(), short, ""] {
        let text = format!("grant_type=refresh_token&refresh_token={wrong}");
        let answer = form(&app, text).await;
        assert!([400, 401].contains(&answer.status.as_u16()), "{wrong}");
        assert!(answer.json().get("access_token").is_none());
    }
    let text = format!("grant_type=password&username=ada&password={short}");
    assert_eq!(form(&app, text).await.status, 401, "a short token buys no other");
    assert_eq!(app.actor(format!("Bearer {short}")).reads("/token").await, 401);
    let text = format!("grant_type=refresh_token&refresh_token={refresh}");
    assert_eq!(form(&app, text).await.status, 200, "the refresh token was good all the time");
}

#[tokio::test]
async fn nobody_gets_more_than_they_may_by_asking() {
    let app = TestApp::with_accounts().await;
    let (ada, bob) = (app.user("ada").await, app.user("bob").await);
    ada.push_image("ada/agent", "v1", b"x").await;
    let grant = json!({"repository": "ada/agent", "grantee": {"user": "bob"}, "level": "read"});
    ada.must(Method::PUT, "/permissions", grant).await;
    let reader = app.token("ada", json!({"name": "r", "scopes": ["read"]})).await.1;
    let writer = app.token("ada", json!({"name": "w", "scopes": ["write"], "repositories": ["ada/agent"]})).await.1;
    let granted = async |actor: &crate::access_actors::Actor<'_>, scope: &str| {
        let token = actor.get(&format!("/token?scope={scope}")).await.json()["token"].as_str().unwrap().to_owned();
        let part = token.split('.').nth(1).unwrap();
        let claims = base64::Engine::decode(&base64::engine::general_purpose::URL_SAFE_NO_PAD, part).unwrap();
        serde_json::from_slice::<Value>(&claims).unwrap()["access"].clone()
    };
    let of = |actions: &[&str]| json!([{"type": "repository", "name": "ada/agent", "actions": actions}]);
    let everything = "repository:ada/agent:pull,push,delete,*";
    assert_eq!(granted(&app.nobody(), everything).await, json!([]));
    assert_eq!(granted(&bob, everything).await, of(&["pull"]));
    assert_eq!(granted(&reader, everything).await, of(&["pull"]));
    assert_eq!(granted(&writer, everything).await, of(&["pull", "push"]));
    assert_eq!(granted(&writer, "repository:ada/other:pull,push").await, json!([]));
    assert_eq!(granted(&ada, everything).await, of(&["*"]));
    assert_eq!(granted(&app.nobody(), "registry:catalog:*").await, json!([]));

    let short = bob.short(everything).await;
    assert_eq!(short.reads("/v2/ada/agent/manifests/v1").await, 200);
    assert_eq!(short.put_manifest("ada/agent", "v2", b"{}").await, 403, "he may not, whatever token");
    assert_eq!(short.tries(Method::DELETE, "/v2/ada/agent/manifests/v1").await, 403);
    let puller = ada.short("repository:ada/agent:pull").await;
    assert_eq!(puller.tries(Method::DELETE, "/v2/ada/agent/manifests/v1").await, 401, "she may, with another token");
    let pusher = ada.short("repository:ada/agent:pull,push").await;
    assert_eq!(pusher.tries(Method::DELETE, "/v2/ada/agent/manifests/v1").await, 401, "push is not delete");
    for (actor, path) in [(&puller, "/token?scope=repository:ada/agent:push"), (&pusher, "/token")] {
        assert_eq!(actor.reads(path).await, 401, "and it is no ground for another");
    }
    for (method, path, body) in [
        (Method::POST, "/tokens", json!({"name": "wider"})),
        (Method::POST, "/tokens", json!({"name": "same", "scopes": ["read"], "repositories": ["ada/agent"]})),
        (Method::PUT, "/permissions", json!({"repository": "ada/agent", "grantee": {"user": "bob"}, "level": "admin"})),
        (Method::PUT, "/repositories/ada/agent", json!({"visibility": "public"})),
        (Method::POST, "/users", json!({"name": "eve"})),
        (Method::PUT, "/users/ada/password", json!({"password": "a new password"})),
        (Method::PUT, "/users/ada/administrator", json!({"is_administrator": true})),
    ] {
        for actor in [&puller, &pusher, &reader, &writer] {
            let status = actor.call(method.clone(), path, &body).await.status.as_u16();
            assert!([401, 403].contains(&status), "{path} {body}: {status}");
        }
    }
    assert_eq!(ada.reads("/v2/ada/agent/manifests/v1").await, 200);
    assert_eq!(app.nobody().reads("/v2/ada/agent/manifests/v1").await, 401);
}

#[tokio::test]
async fn a_pattern_ends_where_its_component_does() {
    let app = TestApp::with_accounts().await;
    for name in ["a", "ab"] {
        app.user(name).await;
    }
    let boss = app.boss();
    for repository in ["a/x", "ab/x", "a/x/y"] {
        boss.push_image(repository, "v1", repository.as_bytes()).await;
    }
    let token = app.token("admin", json!({"name": "n", "scopes": ["write"], "repositories": ["a/*"]})).await.1;
    let short = token.short("repository:a/x:pull&scope=repository:ab/x:pull&scope=repository:a/x/y:pull").await;
    for actor in [&token, &short] {
        assert_eq!(actor.reads("/v2/a/x/manifests/v1").await, 200);
        for hidden in ["ab/x", "a/x/y", "a"] {
            assert!([404, 401].contains(&actor.reads(&format!("/v2/{hidden}/manifests/v1")).await), "{hidden}");
        }
    }
    assert_eq!(token.get("/v2/_catalog").await.json()["repositories"], json!(["a/x"]));
    assert_eq!(token.put_blob("ab/x", b"no").await.status, 403);
    assert_eq!(token.put_blob("a/new", b"yes").await.status, 201);
}

#[tokio::test]
async fn a_narrow_token_gets_nobody_further_by_way_of_accounts() {
    let app = TestApp::with_accounts().await;
    let (ada, _) = (app.user("ada").await, app.user("bob").await);
    let wide = ada.get("/api/v1/me").await.json()["credential"]["token"].as_i64().unwrap();
    let all = ["read", "write", "delete", "admin"];
    let narrow = json!({"name": "n", "scopes": all, "repositories": ["ada/x"]});
    let narrow_ada = app.token("ada", narrow.clone()).await.1;
    let narrow_boss = app.token("admin", narrow.clone()).await.1;
    let unadmin = app.token("admin", json!({"name": "w", "scopes": ["read", "write", "delete"]})).await.1;
    let rotate = format!("/tokens/{wide}/rotate");
    let end = format!("/tokens/{wide}");
    for (method, path, body) in [
        (Method::POST, "/tokens", json!({"name": "wider", "repositories": ["**"]})),
        (Method::POST, "/tokens", json!({"name": "wider", "repositories": ["ada/x", "ada/y"]})),
        (Method::POST, "/tokens", json!({"name": "wider", "repositories": ["ada/*"]})),
        (Method::POST, "/tokens?user=ada", json!({"name": "wider", "repositories": ["ada/y"]})),
        (Method::POST, &rotate, json!({"overlap_seconds": 0})),
        (Method::DELETE, &end, Value::Null),
        (Method::PUT, "/users/ada/password", json!({"password": "a new password"})),
        (Method::PUT, "/users/bob/password", json!({"password": "a new password"})),
        (Method::PUT, "/users/ada/administrator", json!({"is_administrator": true})),
        (Method::POST, "/users", json!({"name": "eve", "is_administrator": true, "password": "a new password"})),
        (Method::DELETE, "/users/bob", Value::Null),
    ] {
        for (who, actor) in [("ada", &narrow_ada), ("admin", &narrow_boss), ("admin without admin", &unadmin)] {
            let answer = actor.call(method.clone(), path, &body).await;
            let told = String::from_utf8_lossy(&answer.body).into_owned();
            assert!([403, 404].contains(&answer.status.as_u16()), "{who}: {method} {path} {body}: {told}");
        }
    }
    assert_eq!(ada.reads("/v2/").await, 200, "the wide token is as it was");
    assert_eq!(app.actor(basic("ada", "a new password")).reads("/token").await, 401);
    for same in [narrow, json!({"name": "no further"})] {
        let made = narrow_ada.call(Method::POST, "/tokens", &same).await;
        assert_eq!((made.status.as_u16(), &made.json()["repositories"]), (201, &json!(["ada/x"])));
    }
}

#[tokio::test]
async fn what_nobody_was_given_for_a_public_repository_ends_with_its_being_public() {
    let app = TestApp::with_accounts().await;
    let ada = app.user("ada").await;
    ada.must(Method::PUT, "/repositories/ada/open", json!({"visibility": "public"})).await;
    ada.push_image("ada/open", "v1", b"x").await;
    let short = app.nobody().short("repository:ada/open:pull").await;
    assert_eq!(short.reads("/v2/ada/open/manifests/v1").await, 200);
    ada.must(Method::PUT, "/repositories/ada/open", json!({"visibility": "private"})).await;
    assert_eq!(short.reads("/v2/ada/open/manifests/v1").await, 401);
    assert_eq!(app.nobody().reads("/v2/ada/open/manifests/v1").await, 401);
}
