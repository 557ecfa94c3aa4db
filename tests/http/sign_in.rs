//! Signing in as clients do it: challenges, `/token`, and what each credential is good for.

use agent_registry::server::{Auth, Config};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use reqwest::Method;
use serde_json::Value;

use crate::app::{Answer, TestApp};

fn basic(user: &str, secret: &str) -> String {
    format!("Basic {}", STANDARD.encode(format!("{user}:{secret}")))
}

impl TestApp {
    async fn get_as(&self, authorization: &str, path: &str) -> Answer {
        self.send(Method::GET, path, &[("authorization", authorization)], b"").await
    }

    fn host(&self) -> String {
        self.url.split("://").nth(1).unwrap().to_owned()
    }

    fn challenge(&self, rest: &str) -> String {
        format!("Bearer realm=\"{}/token\",service=\"{}\"{rest}", self.url, self.host())
    }

    /// A short token of the administrator's for a scope.
    async fn short(&self, scope: &str) -> String {
        let answer = self.get_as(&basic("admin", &self.admin), &format!("/token?scope={scope}")).await;
        assert_eq!(answer.status, 200);
        answer.json()["token"].as_str().unwrap().to_owned()
    }

    async fn form(&self, form: &[(&str, &str)]) -> Answer {
        let pairs = form.iter().map(|(name, value)| format!("{name}={}", value.replace(':', "%3A").replace(' ', "+")));
        let body = pairs.collect::<Vec<_>>().join("&");
        let headers = [("content-type", "application/x-www-form-urlencoded")];
        self.send(Method::POST, "/token", &headers, body.as_bytes()).await
    }
}

fn claims(token: &str) -> Value {
    let part = token.split('.').nth(1).unwrap();
    serde_json::from_slice(&base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
}

#[tokio::test]
async fn the_ping_asks_for_a_bearer_token_and_takes_every_good_credential() {
    let app = TestApp::with_accounts().await;
    for authorization in [None, Some("Basic Og==")] {
        let headers: Vec<_> = authorization.map(|value| ("authorization", value)).into_iter().collect();
        let answer = app.send(Method::GET, "/v2/", &headers, b"").await;
        assert_eq!((answer.status.as_u16(), answer.error().1.as_str()), (401, "UNAUTHORIZED"));
        assert_eq!(answer.headers.get_all("www-authenticate").iter().count(), 1);
        assert_eq!(answer.header("www-authenticate"), app.challenge(""));
    }
    let short = app.short("").await;
    let anonymous = app.get("/token").await.json()["token"].as_str().unwrap().to_owned();
    for good in [
        format!("Bearer {}", app.admin),
        basic("admin", &app.admin),
        basic("__token__", &app.admin),
        format!("Bearer {short}"),
        format!("bearer {anonymous}"),
    ] {
        let answer = app.get_as(&good, "/v2/").await;
        assert_eq!((answer.status.as_u16(), answer.body.as_slice()), (200, &b"{}"[..]));
    }
}

#[tokio::test]
async fn wrong_credentials_are_all_told_the_same() {
    let app = TestApp::with_accounts().await;
    let other = format!("agr_{}", "0".repeat(38));
    let short = app.short("").await;
    let changed = format!("{}x", &short[..short.len() - 1]);
    let mut told = Vec::new();
    for bad in [
        "Bearer x".to_owned(),
        format!("Bearer {other}"),
        format!("Bearer {}", "a".repeat(64)),
        format!("Bearer {changed}"),
        format!("Bearer {}", short.rsplit_once('.').unwrap().0),
        basic("admin", "password"),
        basic("bob", &app.admin),
        basic("admin", &short),
        format!("Bearer {}", "x".repeat(100_000)),
        "Digest x".to_owned(),
    ] {
        for path in ["/v2/", "/v2/a/b/tags/list", "/api/v1/packages", "/api/v1"] {
            let answer = app.get_as(&bad, path).await;
            assert_eq!(answer.status, 401, "{path}");
            let scope = if path.contains("/a/b/") { ",scope=\"repository:a/b:pull\"" } else { "" };
            let expected = app.challenge(&format!("{scope},error=\"invalid_token\""));
            assert_eq!(answer.header("www-authenticate"), expected, "{path}");
            if path == "/v2/" && !bad.starts_with("Digest") && bad.len() < 50_000 {
                told.push(answer.message());
            }
        }
    }
    told.dedup();
    assert_eq!(told, ["the credentials are not accepted"]);
}

#[tokio::test]
async fn the_token_endpoint_grants_what_is_asked_for_and_allowed() {
    let app = TestApp::with_accounts().await;
    let query = "service=x&account=admin&client_id=docker&offline_token=true&scope=repository:a/b:pull,push,fly\
                 &scope=repository(plugin):c/d:*%20registry:catalog:*%20cluster:x:pull%20nonsense";
    let answer = app.get_as(&basic("admin", &app.admin), &format!("/token?{query}")).await;
    assert_eq!((answer.status.as_u16(), answer.header("cache-control")), (200, "no-store"));
    let json = answer.json();
    assert_eq!(json["token"], json["access_token"]);
    assert_eq!((&json["expires_in"], json.get("refresh_token")), (&Value::from(300), None));
    let claims = claims(json["token"].as_str().unwrap());
    assert_eq!((&claims["sub"], &claims["aud"]), (&"admin".into(), &app.host().into()));
    let access = serde_json::json!([
        {"type": "repository", "name": "a/b", "actions": ["pull", "push"]},
        {"type": "repository", "name": "c/d", "actions": ["*"]},
        {"type": "registry", "name": "catalog", "actions": ["*"]},
    ]);
    assert_eq!(claims["access"], access);
    let anonymous = app.get("/token?scope=repository:a/b:pull&scope=registry:catalog:*").await;
    let claims = self::claims(anonymous.json()["token"].as_str().unwrap());
    assert_eq!(
        (anonymous.status.as_u16(), &claims["sub"], &claims["access"]),
        (200, &"".into(), &serde_json::json!([]))
    );
}

#[tokio::test]
async fn forms_sign_in_and_refresh() {
    let app = TestApp::with_accounts().await;
    let password = [("grant_type", "password"), ("username", "admin"), ("password", app.admin.as_str())];
    let scope = [("service", "x"), ("client_id", "c"), ("scope", "repository:a/b:pull repository:c/d:push")];
    let once = app.form(&[&password[..], &scope[..]].concat()).await.json();
    assert_eq!(once["scope"], "repository:a/b:pull repository:c/d:push");
    assert_eq!((once["expires_in"].as_i64(), once.get("refresh_token")), (Some(300), None));
    let kept = app.form(&[&password[..], &scope[..], &[("access_type", "offline")]].concat()).await.json();
    let refresh = kept["refresh_token"].as_str().unwrap();
    assert!(refresh.starts_with("agrr_"));
    let again = app.form(&[("grant_type", "refresh_token"), ("refresh_token", refresh), scope[2]]).await;
    assert_eq!(again.status, 200);
    let short = again.json()["access_token"].as_str().unwrap().to_owned();
    assert_eq!(app.get_as(&format!("Bearer {short}"), "/v2/").await.status, 200);
    for (authorization, what) in [(format!("Bearer {refresh}"), "bearer"), (basic("admin", refresh), "basic")] {
        assert_eq!(app.get_as(&authorization, "/v2/").await.status, 401, "a refresh token is no {what} credential");
        assert_eq!(app.get_as(&authorization, "/token").await.status, 401, "{what}");
    }
    let crossed = app.form(&[("grant_type", "refresh_token"), ("refresh_token", app.admin.as_str())]).await;
    assert_eq!(crossed.status, 401);
    for wrong in
        [&[("grant_type", "magic")][..], &[("grant_type", "password")], &[], &[("grant_type", "refresh_token")]]
    {
        assert_eq!(app.form(wrong).await.status, 400);
    }
}

#[tokio::test]
async fn a_form_may_come_in_pieces_of_no_said_length() {
    let app = TestApp::with_accounts().await;
    let text = format!("grant_type=password&username=admin&password={}&service=x", app.admin);
    let pieces = text.into_bytes().chunks(7).map(|piece| Ok::<_, std::io::Error>(piece.to_vec())).collect::<Vec<_>>();
    let body = reqwest::Body::wrap_stream(futures_util::stream::iter(pieces));
    let request = app.client.post(format!("{}/token", app.url)).body(body);
    let request = request.header("content-type", "application/x-www-form-urlencoded");
    assert_eq!(request.send().await.unwrap().status(), 200);
}

#[tokio::test]
async fn a_short_token_is_good_for_its_claims_and_its_host_and_buys_no_other() {
    let app = TestApp::with_accounts().await;
    let short = format!("Bearer {}", app.short("repository:a/b:pull").await);
    let ok = app.get_as(&short, "/v2/a/b/tags/list").await;
    assert_eq!(ok.error(), (404, "NAME_UNKNOWN".to_owned()), "an administrator learns that it is missing");
    let upload = app.send(Method::POST, "/v2/a/b/blobs/uploads/", &[("authorization", &short)], b"").await;
    assert_eq!(upload.status, 401);
    let scope = ",scope=\"repository:a/b:pull,push\",error=\"insufficient_scope\"";
    assert_eq!(upload.header("www-authenticate"), app.challenge(scope));
    let mount =
        "/v2/a/b/blobs/uploads/?from=c/d&mount=sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    let mounted = app.send(Method::POST, mount, &[("authorization", &short)], b"").await;
    let scope = ",scope=\"repository:a/b:pull,push repository:c/d:pull\",error=\"insufficient_scope\"";
    assert_eq!((mounted.status.as_u16(), mounted.header("www-authenticate")), (401, app.challenge(scope).as_str()));
    for path in ["/v2/_catalog", "/v2/a/c/tags/list"] {
        assert_eq!(app.get_as(&short, path).await.status, 401, "{path}");
    }
    assert_eq!(app.get_as(&short, "/token").await.status, 401);
    let elsewhere = [("authorization", short.as_str()), ("host", "other.example.com")];
    let refused = app.send(Method::GET, "/v2/", &elsewhere, b"").await;
    assert_eq!(refused.status, 401);
    assert!(refused.header("www-authenticate").starts_with("Bearer realm=\"http://other.example.com/token\""));
    let catalogue = format!("Bearer {}", app.short("registry:catalog:*").await);
    assert_eq!(app.get_as(&catalogue, "/v2/_catalog").await.status, 200);
    assert_eq!(
        app.get("/v2/_catalog").await.header("www-authenticate"),
        app.challenge(",scope=\"registry:catalog:*\"")
    );
}

#[tokio::test]
async fn missing_and_private_look_the_same_to_nobody() {
    let app = TestApp::with_accounts().await;
    let admin = format!("Bearer {}", app.admin);
    let push = app.send(Method::POST, "/v2/a/secret/blobs/uploads/", &[("authorization", &admin)], b"").await;
    assert_eq!(push.status, 202);
    let blob =
        "/v2/a/secret/blobs/uploads/?digest=sha256:2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824";
    assert_eq!(app.send(Method::POST, blob, &[("authorization", &admin)], b"hello").await.status, 201);
    for (method, path) in [
        (Method::GET, "/v2/a/NAME/tags/list"),
        (Method::GET, "/v2/a/NAME/manifests/latest"),
        (Method::HEAD, "/v2/a/NAME/blobs/sha256:2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"),
        (Method::POST, "/v2/a/NAME/blobs/uploads/"),
        (Method::DELETE, "/v2/a/NAME/manifests/latest"),
        (Method::GET, "/api/v1/packages/a/NAME"),
        (Method::GET, "/api/v1/repositories/a/NAME"),
    ] {
        let answers = [
            app.send(method.clone(), &path.replace("NAME", "secret"), &[], b"").await,
            app.send(method.clone(), &path.replace("NAME", "absent"), &[], b"").await,
        ];
        let [private, missing] = answers.map(|answer| {
            let body = String::from_utf8(answer.body.clone()).unwrap().replace(answer.header("x-request-id"), "ID");
            (
                answer.status,
                answer.header("www-authenticate").replace("absent", "secret"),
                body.replace("absent", "secret"),
            )
        });
        assert_eq!(private, missing, "{path}");
        assert_eq!(private.0, 401, "{path}");
    }
    assert_eq!(app.get("/api/v1/packages").await.json()["items"], serde_json::json!([]));
}

#[tokio::test]
async fn guessing_is_slowed_down() {
    let app = TestApp::with_accounts().await;
    for _ in 0..10 {
        assert_eq!(app.get_as(&basic("admin", "wrong password"), "/token").await.status, 401);
    }
    let slowed = app.get_as(&basic("admin", "wrong password"), "/token").await;
    assert_eq!(slowed.error(), (429, "TOOMANYREQUESTS".to_owned()));
    let rest: u64 = slowed.header("retry-after").parse().unwrap();
    assert!((1..=61).contains(&rest), "{rest}");
    assert_eq!(app.get_as(&basic("admin", &app.admin), "/token").await.status, 200, "a token is no guess");
    for _ in 0..90 {
        app.get_as("Bearer agr_x", "/v2/").await;
    }
    assert_eq!(app.get_as("Bearer agr_x", "/v2/").await.status, 429);
    assert_eq!(app.get_as(&basic("admin", &app.admin), "/v2/").await.status, 200, "known credentials do not suffer");
}

#[tokio::test]
async fn the_first_start_makes_one_administrator_and_later_ones_none() {
    let app = TestApp::with_accounts().await;
    assert!(app.admin.starts_with("agr_"));
    let admin = format!("Bearer {}", app.admin);
    let short = format!("Bearer {}", app.short("").await);
    let app = app.restarted().await;
    assert_eq!(app.get_as(&admin, "/v2/").await.status, 200);
    assert_eq!(app.get_as(&short, "/v2/").await.status, 401, "another port is another service");
    let claims = claims(&short);
    let moved = [("authorization", short.as_str()), ("host", claims["aud"].as_str().unwrap())];
    assert_eq!(app.send(Method::GET, "/v2/", &moved, b"").await.status, 200, "the key is the same");
}

#[tokio::test]
async fn the_first_token_may_be_brought_along() {
    let place = tempfile::tempdir().unwrap();
    let file = place.path().join("token");
    let token = "0123456789abcdefABCDEF0123456789".repeat(2);
    std::fs::write(&file, format!("{token}\n")).unwrap();
    let auth = Auth { admin_token_file: Some(file), ..Auth::default() };
    let app = TestApp::configured(Config { auth, ..Config::default() }).await;
    assert!(app.admin.is_empty(), "nothing is made up");
    assert_eq!(app.get_as(&basic("admin", &token), "/v2/").await.status, 200);
    assert_eq!(app.get_as(&format!("Bearer {token}"), "/api/v1").await.json()["default_namespace"], "admin");
    assert_eq!(app.get("/api/v1").await.json()["default_namespace"], "default");
}

#[tokio::test]
async fn without_authentication_nothing_of_it_is_there() {
    let app = TestApp::spawn().await;
    assert_eq!(app.get("/token").await.status, 404);
    assert_eq!(app.get_as("Bearer nonsense", "/v2/").await.status, 200);
    assert_eq!(app.get("/api/v1").await.json()["authentication"], false);
}
