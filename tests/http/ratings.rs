//! Ratings: one of each user, changed and taken back, by whom, and what becomes of those of accounts that go.

use reqwest::Method;
use serde_json::{Value, json};

use crate::app::{Answer, TestApp, agent};

/// A server with a public and a private package of the administrator's, and users with tokens.
struct Scene {
    app: TestApp,
    tokens: Vec<(&'static str, String)>,
}

impl Scene {
    async fn new() -> Self {
        let app = TestApp::with_accounts().await;
        let admin = app.admin.clone();
        let mut scene = Self { app, tokens: vec![("admin", admin)] };
        for user in ["ada", "bob"] {
            assert_eq!(scene.send("admin", Method::POST, "/users", &json!({"name": user})).await.status, 201);
            let token = scene.send("admin", Method::POST, &format!("/tokens?user={user}"), &json!({"name": "t"})).await;
            scene.tokens.push((user, token.json()["token"].as_str().unwrap().to_owned()));
        }
        for (name, visibility) in [("open", "public"), ("hidden", "private")] {
            let path = format!("/repositories/admin/{name}");
            assert!(
                scene.send("admin", Method::PUT, &path, &json!({"visibility": visibility})).await.status.is_success()
            );
            let (token, repository) = (&scene.tokens[0].1, format!("admin/{name}"));
            scene.app.push_package_as(token, &repository, "1.0.0", &agent(name, "1.0.0", "")).await;
        }
        scene
    }

    /// A request of the REST API; nobody's name is empty.
    async fn send(&self, who: &str, method: Method, path: &str, body: &Value) -> Answer {
        let token = self.tokens.iter().find(|(name, _)| *name == who).map(|(_, token)| format!("Bearer {token}"));
        let mut headers = vec![("content-type", "application/json")];
        headers.extend(token.as_deref().map(|token| ("authorization", token)));
        let body = if body.is_null() { vec![] } else { body.to_string().into_bytes() };
        self.app.send(method, &format!("/api/v1{path}"), &headers, &body).await
    }

    async fn rate(&self, who: &str, body: &Value) -> Answer {
        self.send(who, Method::PUT, "/packages/admin/open/rating", body).await
    }

    /// Who has given how many stars.
    async fn ratings(&self) -> Vec<(String, u64)> {
        let listed = self.send("", Method::GET, "/packages/admin/open/ratings", &Value::Null).await;
        assert_eq!(listed.status, 200);
        let one = |rating: &Value| (rating["user"].as_str().unwrap().to_owned(), rating["stars"].as_u64().unwrap());
        listed.json()["items"].as_array().unwrap().iter().map(one).collect()
    }
}

fn listed(ratings: &[(&str, u64)]) -> Vec<(String, u64)> {
    ratings.iter().map(|(user, stars)| ((*user).to_owned(), *stars)).collect()
}

#[tokio::test]
async fn each_user_rates_once_and_may_think_again() {
    let scene = Scene::new().await;
    let own = "/packages/admin/open/rating";
    assert_eq!(scene.send("ada", Method::GET, own, &Value::Null).await.status, 404);
    let rated = scene.rate("ada", &json!({"stars": 3, "comment": "<b>fair</b>"})).await;
    assert_eq!(rated.status, 200);
    assert_eq!((rated.json()["user"].clone(), rated.json()["comment"].clone()), (json!("ada"), json!("<b>fair</b>")));
    assert_eq!(scene.rate("bob", &json!({"stars": 1})).await.status, 200);
    assert_eq!(scene.rate("ada", &json!({"stars": 5})).await.status, 200);
    let found = scene.send("ada", Method::GET, own, &Value::Null).await.json();
    assert_eq!((found["stars"].clone(), found.get("comment")), (json!(5), None), "all of it is replaced");
    assert_eq!(scene.ratings().await, listed(&[("ada", 5), ("bob", 1)]));
    let first = scene.send("", Method::GET, "/packages/admin/open/ratings?limit=1", &Value::Null).await.json();
    let path = format!("/packages/admin/open/ratings?limit=1&after={}", first["next"].as_str().unwrap());
    let rest = scene.send("", Method::GET, &path, &Value::Null).await.json();
    assert_eq!((rest["items"][0]["user"].clone(), rest.get("next")), (json!("bob"), None));

    assert_eq!(scene.send("bob", Method::DELETE, own, &Value::Null).await.status, 204);
    assert_eq!(scene.send("bob", Method::DELETE, own, &Value::Null).await.status, 404);
    assert_eq!(scene.ratings().await, listed(&[("ada", 5)]));
}

#[tokio::test]
async fn nobody_rates_what_they_may_not_see_or_without_a_name_or_in_other_words_than_allowed() {
    let scene = Scene::new().await;
    for body in [
        json!({"stars": 0}),
        json!({"stars": 6}),
        json!({"stars": 3.5}),
        json!({"stars": 3, "comment": "x".repeat(1_025)}),
        json!({"stars": 3, "comment": "a\u{1b}[2J"}),
        json!({"stars": 3, "comment": "a\nb"}),
        json!({"comment": "none"}),
        json!({"stars": 3, "user": "bob"}),
    ] {
        assert_eq!(scene.rate("ada", &body).await.status, 400, "{body}");
    }
    assert_eq!(scene.rate("", &json!({"stars": 1})).await.status, 401);
    let hidden = scene.send("ada", Method::PUT, "/packages/admin/hidden/rating", &json!({"stars": 1})).await;
    assert_eq!(hidden.status, 404);
    let missing = scene.send("admin", Method::PUT, "/packages/admin/none/rating", &json!({"stars": 1})).await;
    assert_eq!(missing.status, 404);
    assert_eq!(scene.ratings().await, listed(&[]));
    assert_eq!(scene.rate("ada", &json!({"stars": 3, "comment": "x".repeat(1_024)})).await.status, 200);

    let open = TestApp::spawn().await;
    assert_eq!(open.push_package("team/writer", "1.0.0", &agent("writer", "1.0.0", "")).await.status, 201);
    let headers = [("content-type", "application/json")];
    let refused = open.send(Method::PUT, "/api/v1/packages/team/writer/rating", &headers, b"{\"stars\":5}").await;
    assert_eq!(refused.status, 404);
    assert!(refused.json()["detail"].as_str().unwrap().contains("runs without accounts"), "{}", refused.json());
}

#[tokio::test]
async fn who_administers_a_package_takes_ratings_away_and_accounts_take_theirs_along() {
    let scene = Scene::new().await;
    for (user, stars) in [("ada", 1), ("bob", 4), ("admin", 2)] {
        assert_eq!(scene.rate(user, &json!({"stars": stars})).await.status, 200);
    }
    let of = |user: &str| format!("/packages/admin/open/ratings/{user}");
    assert_eq!(scene.send("ada", Method::DELETE, &of("bob"), &Value::Null).await.status, 403);
    assert_eq!(scene.send("admin", Method::DELETE, &of("ada"), &Value::Null).await.status, 204);
    assert_eq!(scene.send("admin", Method::DELETE, &of("ada"), &Value::Null).await.status, 404);
    assert_eq!(scene.send("admin", Method::DELETE, &of("nobody-known"), &Value::Null).await.status, 404);
    assert_eq!(scene.send("admin", Method::DELETE, &of("Not A Name"), &Value::Null).await.status, 400);
    assert_eq!(scene.ratings().await, listed(&[("admin", 2), ("bob", 4)]));
    assert_eq!(scene.send("admin", Method::DELETE, "/users/bob", &Value::Null).await.status, 200);
    assert_eq!(scene.ratings().await, listed(&[("admin", 2)]));
    assert_eq!(scene.rate("bob", &json!({"stars": 5})).await.status, 401, "the token is gone with the account");

    let audit = scene.send("admin", Method::GET, "/audit?action=rating.remove", &Value::Null).await.json();
    let objects: Vec<_> = audit["items"].as_array().unwrap().iter().map(|entry| entry["object"].clone()).collect();
    assert!(objects.contains(&json!("admin/open ada")), "{objects:?}");
}

#[tokio::test]
async fn records_and_search_know_what_users_think() {
    let scene = Scene::new().await;
    let found = async |query: &str| {
        let page = scene.send("", Method::GET, &format!("/packages?q={query}&fresh=true"), &Value::Null).await.json();
        page["items"].as_array().unwrap().iter().map(|hit| hit["rating"].clone()).collect::<Vec<_>>()
    };
    assert_eq!(found("rating:%3E=1").await, [Value::Null; 0]);
    for (user, stars) in [("ada", 5), ("bob", 4)] {
        assert_eq!(scene.rate(user, &json!({"stars": stars})).await.status, 200);
    }
    let rating = json!({"average": 4.5, "count": 2});
    assert_eq!(found("rating:%3E=4.5").await, std::slice::from_ref(&rating));
    let record = scene.send("", Method::GET, "/packages/admin/open", &Value::Null).await.json();
    assert_eq!(record["rating"], 4.5, "a number, as packages have always had one");
    assert_eq!(scene.send("admin", Method::DELETE, "/users/ada", &Value::Null).await.status, 200);
    assert_eq!(found("rating:%3E=4.5").await, [Value::Null; 0]);
    assert_eq!(found("rating:4").await, [json!({"average": 4.0, "count": 1})], "who is gone counts no more");
}
