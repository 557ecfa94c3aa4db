//! Starting, stopping, probes, the front page, TLS, and who may be listened to.

use agent_registry::server::{Config, Error, Server, Tls};
use tokio::sync::oneshot;

use crate::app::TestApp;

#[tokio::test]
async fn probes_and_the_front_page_answer() {
    let app = TestApp::spawn().await;
    for path in ["/livez", "/readyz"] {
        assert_eq!(app.get(path).await.status, 200, "{path}");
    }
    let page = app.get("/").await;
    let text = String::from_utf8(page.body).unwrap();
    assert!(text.contains(&format!("export AGENT_REGISTRY_URL={}", app.url)), "{text}");
    assert!(text.contains(env!("CARGO_PKG_VERSION")));
    let evil = app.send(reqwest::Method::GET, "/", &[("host", "<script>alert(1)</script>")], b"").await;
    assert!(!String::from_utf8_lossy(&evil.body).contains("<script>"));
}

#[tokio::test]
async fn without_authentication_strangers_are_not_listened_to() {
    let place = tempfile::tempdir().unwrap();
    let known = Config { listen: ([0, 0, 0, 0], 0).into(), data: place.path().to_owned(), ..Config::default() };
    let open = Config { insecure_no_auth: true, ..known.clone() };
    let refused = Server::bind(open).await.unwrap_err();
    assert!(matches!(refused, Error::Exposed(_)));
    assert!(refused.hint().unwrap().contains("--insecure-no-auth"));
    assert!(std::fs::read_dir(place.path()).unwrap().next().is_none(), "nothing is made before the refusal");
    let server = Server::bind(known).await.unwrap();
    assert!(server.url().starts_with("http://localhost:"));
    let second = Config { listen: ([127, 0, 0, 1], 0).into(), data: place.path().to_owned(), ..Config::default() };
    assert!(matches!(Server::bind(second).await, Err(Error::Locked(_))));
}

#[tokio::test]
async fn tls_serves_with_the_certificate_given() {
    let place = tempfile::tempdir().unwrap();
    let issued = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    let (cert, key) = (place.path().join("cert.pem"), place.path().join("key.pem"));
    std::fs::write(&cert, issued.cert.pem()).unwrap();
    std::fs::write(&key, issued.signing_key.serialize_pem()).unwrap();
    let tls = Tls { cert: cert.clone(), key };
    let config = Config {
        listen: ([127, 0, 0, 1], 0).into(),
        data: place.path().join("data"),
        tls: Some(tls),
        insecure_no_auth: true,
        ..Config::default()
    };
    let mut broken = config.clone();
    broken.tls = Some(Tls { cert: cert.clone(), key: cert });
    assert!(matches!(Server::bind(broken).await, Err(Error::Tls { .. })));

    let server = Server::bind(config).await.unwrap();
    let url = server.url().replace("127.0.0.1", "localhost");
    let (stop, stopped) = oneshot::channel::<()>();
    let serving = tokio::spawn(server.run(async {
        let _ = stopped.await;
    }));
    let root = reqwest::Certificate::from_pem(issued.cert.pem().as_bytes()).unwrap();
    let client = reqwest::Client::builder().tls_certs_only([root]).build().unwrap();
    assert_eq!(client.get(format!("{url}/v2/")).send().await.unwrap().status(), 200);
    let stranger = reqwest::Client::new().get(format!("{url}/v2/")).send().await;
    assert!(stranger.is_err(), "an unknown certificate is not trusted");
    drop(client);
    stop.send(()).unwrap();
    serving.await.unwrap().unwrap();
}
