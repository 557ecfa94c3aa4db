//! Guessing gets nowhere and says nothing: wrong credentials, odd headers and scopes, and answers without secrets.

use reqwest::Method;
use serde_json::{Value, json};

use crate::access_actors::basic;
use crate::app::TestApp;

async fn set_password(app: &TestApp, user: &str, password: &str) {
    app.boss().must(Method::PUT, &format!("/users/{user}/password"), json!({"password": password})).await;
}

#[tokio::test]
async fn passwords_of_one_account_are_tried_ten_times_a_minute() {
    let app = TestApp::with_accounts().await;
    let (ada, _) = (app.user("ada").await, app.user("bob").await);
    set_password(&app, "ada", "the right password").await;
    for number in 0..10 {
        let answer = app.actor(basic("ada", &format!("guess number {number}"))).get("/token").await;
        assert_eq!((answer.status.as_u16(), answer.header("retry-after")), (401, ""), "{number}");
    }
    let login = json!({"user": "ada", "password": "the right password"});
    let form = b"grant_type=password&username=ada&password=the+right+password";
    let typed = [("content-type", "application/x-www-form-urlencoded")];
    let answers = [
        app.actor(basic("ada", "the right password")).get("/token").await,
        app.send(Method::POST, "/token", &typed, form).await,
        app.nobody().call(Method::POST, "/login", &login).await,
    ];
    for answer in answers {
        assert_eq!(answer.status, 429, "{}", String::from_utf8_lossy(&answer.body));
        assert!((1..=61).contains(&answer.header("retry-after").parse::<u64>().unwrap()));
    }
    assert_eq!(ada.reads("/v2/").await, 200, "who has a token is not kept out by others' guesses");
    assert_eq!(ada.reads("/token").await, 200);
}

#[tokio::test]
async fn a_wrong_password_and_a_wrong_name_are_told_alike() {
    let mut told = vec![];
    // Each way at a registry of its own: ten are the most an address may guess.
    let (app, other) = (TestApp::with_accounts().await, TestApp::with_accounts().await);
    for app in [&app, &other] {
        let ada = app.user("ada").await;
        set_password(app, "ada", "the right password").await;
        app.user("keyless").await;
        ada.must(Method::POST, "/organisations", json!({"name": "acme"})).await;
    }
    for (user, password) in [
        ("ada", "the wrong password"),
        ("nobody", "the right password"),
        ("keyless", "the right password"),
        ("acme", "the right password"),
        ("Not A Name", "the right password"),
        ("ada", ""),
        ("", "the right password"),
    ] {
        let basic = app.actor(basic(user, password)).get("/token").await;
        let login = other.nobody().call(Method::POST, "/login", &json!({"user": user, "password": password})).await;
        assert_eq!((basic.status.as_u16(), login.status.as_u16()), (401, 401), "{user}:{password}");
        let challenge = basic.header("www-authenticate").to_owned();
        told.push((basic.message(), challenge, login.json()["detail"].as_str().unwrap().to_owned()));
    }
    told.dedup();
    assert_eq!(told.len(), 1, "{told:?}");
}

#[tokio::test]
async fn nothing_in_basic_is_nobody_and_not_an_error() {
    let app = TestApp::with_accounts().await;
    let ada = app.user("ada").await;
    ada.must(Method::PUT, "/repositories/ada/open", json!({"visibility": "public"})).await;
    ada.push_image("ada/open", "v1", b"x").await;
    ada.push_image("ada/closed", "v1", b"x").await;
    let empty = app.actor("Basic Og==");
    assert_eq!(empty.reads("/v2/").await, 401);
    assert_eq!(empty.reads("/v2/ada/open/manifests/v1").await, 200);
    assert_eq!(empty.reads("/v2/ada/closed/manifests/v1").await, 401);
    assert_eq!(empty.reads("/v2/_catalog").await, 401);
    assert_eq!(empty.reads("/api/v1/me").await, 401);
    assert_eq!(empty.put_blob("ada/open", b"y").await.status, 401);
    let token = empty.short("repository:ada/open:pull,push&scope=repository:ada/closed:pull").await;
    assert_eq!(token.reads("/v2/ada/open/manifests/v1").await, 200);
    assert_eq!(token.reads("/v2/ada/closed/manifests/v1").await, 401);
    assert_eq!(token.put_blob("ada/open", b"y").await.status, 401, "nobody pushes");
}

#[tokio::test]
async fn whatever_is_asked_for_as_a_scope_is_no_error() {
    let app = TestApp::with_accounts().await;
    let ada = app.user("ada").await;
    let long = "a".repeat(5_000);
    let many = "scope=repository:ada/x:pull&".repeat(200);
    for query in [
        "scope=",
        "scope=%20%20",
        "scope=:::",
        "scope=repository",
        "scope=repository::pull",
        "scope=repository:ada/x:",
        "scope=repository:ada/x:fly,pull,,",
        "scope=repository:../../etc:pull",
        "scope=repository:ADA/X:pull",
        "scope=repository(plugin):ada/x:pull",
        "scope=repository:localhost:5000/ada/x:pull",
        "scope=registry:catalog:*%20registry:other:*",
        "scope=cluster:x:pull%20repository:ada/x:pull%20repository:ada/y:push",
        "scope=%FF%FE",
        "scope=a%00b",
        "scope=repository:ada/x:pull%0d%0aSet-Cookie:%20a=b",
        "account=ada&account=bob&client_id=x&offline_token=true&service=a&service=b",
        &format!("scope=repository:{long}:pull"),
        &many,
    ] {
        for actor in [&ada, &app.nobody()] {
            let answer = actor.get(&format!("/token?{query}")).await;
            assert_eq!(answer.status, 200, "{query}: {}", String::from_utf8_lossy(&answer.body));
            let json = answer.json();
            assert_eq!((&json["token"], json.get("refresh_token")), (&json["access_token"], None), "{query}");
            assert_eq!(answer.header("set-cookie"), "");
            assert_eq!(actor.app.actor(format!("Bearer {}", json["token"].as_str().unwrap())).reads("/v2/").await, 200);
        }
    }
}

#[tokio::test]
async fn odd_headers_are_refused_and_never_an_error_of_the_server() {
    let app = TestApp::with_accounts().await;
    let long = format!("Bearer {}", "x".repeat(7_000));
    for shown in [
        "Bearer",
        "Bearer ",
        "bearer  a",
        "Basic",
        "Basic !",
        "Basic YQ==",
        "Basic YTo=",
        "Basic ////",
        "Token x",
        "x",
        "Bearer a.b.c",
        "Bearer ...",
        "Bearer eyJhbGciOiJub25lIn0.e30.",
        "Bearer eyJhbGciOiJIUzI1NiIsImtpZCI6IiJ9.e30.AA",
        &long,
    ] {
        for path in ["/v2/", "/token", "/v2/a/b/tags/list", "/v2/_catalog", "/api/v1/me", "/api/v1/packages"] {
            let answer = app.actor(shown).get(path).await;
            assert_eq!(answer.status, 401, "{shown} {path}");
            assert_eq!(answer.headers.get_all("www-authenticate").iter().count(), 1, "{shown} {path}");
        }
    }
    let twice = app.boss().send(Method::GET, "/v2/", &[("authorization", "Basic Og==")], b"").await;
    assert_eq!(twice.status, 401, "two headers say two things");
}

#[tokio::test]
async fn no_answer_repeats_a_secret() {
    let app = TestApp::with_accounts().await;
    let ada = app.user("ada").await;
    set_password(&app, "ada", "correct horse battery").await;
    let token = ada.authorization.clone().unwrap();
    let token = token.split_once(' ').unwrap().1;
    let short = ada.short("repository:ada/x:pull").await.authorization.unwrap();
    let short = short.split_once(' ').unwrap().1;
    let shown = [
        format!("Bearer {token}"),
        format!("Bearer {token}x"),
        format!("Bearer {short}"),
        format!("Bearer {short}x"),
        basic("ada", token),
        basic("bob", token),
        basic("ada", "correct horse battery"),
        basic("ada", "incorrect horse"),
        token.to_owned(),
    ];
    let mut said = String::new();
    let mut keep = |answer: crate::app::Answer| {
        said.push_str(&String::from_utf8_lossy(&answer.body));
        said.extend(answer.headers.values().map(|value| value.to_str().unwrap()));
    };
    for shown in &shown {
        let actor = app.actor(shown);
        for path in
            ["/v2/", "/v2/ada/x/manifests/v1", "/v2/_catalog", "/api/v1/me", "/api/v1/tokens", "/api/v1/users/ada"]
        {
            keep(actor.get(path).await);
        }
        keep(actor.put_blob("bob/x", b"x").await);
        keep(actor.call(Method::POST, "/tokens", &json!({"name": "x", "scopes": ["fly"], "token": token})).await);
        keep(actor.call(Method::POST, "/users", &json!({"name": "ada", "password": "incorrect horse"})).await);
        keep(actor.call(Method::PUT, "/users/ada/password", &Value::String("incorrect horse".into())).await);
    }
    let typed = [("content-type", "application/x-www-form-urlencoded")];
    for form in [
        format!("grant_type=password&username=ada&password={token}x"),
        "grant_type=password&username=ada&password=incorrect+horse".to_owned(),
        format!("grant_type=refresh_token&refresh_token={token}"),
        format!("grant_type={token}"),
        token.to_owned(),
    ] {
        keep(app.send(Method::POST, "/token", &typed, form.as_bytes()).await);
    }
    keep(app.nobody().call(Method::POST, "/login", &json!({"user": "ada", "password": "incorrect horse"})).await);
    keep(app.nobody().call(Method::POST, "/login", &json!({"user": "ada", "password": ["incorrect horse"]})).await);
    for secret in [token, short, "correct horse"] {
        assert!(!said.contains(secret), "{secret} is in {said}");
    }
    let audit = app.boss().get("/api/v1/audit?limit=1000").await;
    let audit = String::from_utf8_lossy(&audit.body).into_owned();
    for secret in [token, short, "horse"] {
        assert!(!audit.contains(secret), "{secret} is in {audit}");
    }
}

#[tokio::test]
async fn who_claims_to_be_elsewhere_is_counted_where_they_are() {
    let app = TestApp::with_accounts().await;
    let ada = app.user("ada").await;
    assert_eq!(ada.reads("/v2/").await, 200);
    let guess = async |number: usize| {
        let claimed = format!("203.0.113.{}", number % 250);
        let headers = [("x-forwarded-for", claimed.as_str()), ("x-real-ip", &claimed), ("forwarded", "for=192.0.2.1")];
        app.actor(format!("Bearer agr_{number:038}")).send(Method::GET, "/v2/", &headers, b"").await
    };
    let mut statuses = vec![];
    for number in 0..105 {
        statuses.push(guess(number).await.status.as_u16());
    }
    assert_eq!(statuses.iter().filter(|status| **status == 401).count(), 100, "{statuses:?}");
    assert!(statuses.ends_with(&[429; 5]), "{statuses:?}");
    assert_eq!(ada.reads("/v2/").await, 200, "who was accepted before goes on");
    assert_eq!(app.nobody().reads("/v2/").await, 401, "and who shows nothing is asked to sign in");
}
