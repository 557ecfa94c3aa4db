//! Issuers that rotate keys, lie, stall, send elsewhere or live in a private network.
#![expect(clippy::unwrap_used, reason = "a failing test may panic")]

use std::time::Duration;

use jiff::Timestamp;
use serde_json::Value;

use super::{FetchError, IssuerSettings, Issuers, OidcError, Refresh};
use crate::auth::{Asserted, AssertionError};

use crate::issuer::{Issuer, Mood};
use crate::minter::{Signer, github_claims};

const AUDIENCE: &str = "registry.example";

/// An issuer, and what a registry keeps of it.
struct Scene {
    issuer: Issuer,
    issuers: Issuers,
    _folder: tempfile::TempDir,
}

impl Scene {
    async fn new(signers: &[Signer], refresh: Refresh) -> Self {
        Self::with(signers, refresh, true).await
    }

    async fn with(signers: &[Signer], refresh: Refresh, is_private_allowed: bool) -> Self {
        let issuer = Issuer::start(signers).await;
        let folder = tempfile::tempdir().unwrap();
        let authority = folder.path().join("ca.pem");
        std::fs::write(&authority, &issuer.certificate).unwrap();
        let settings = IssuerSettings {
            url: issuer.url.parse().unwrap(),
            name: "ci".to_owned(),
            ca_certificate: Some(authority),
            client_id: None,
            sign_in: false,
            create_users_from: None,
        };
        let issuers = Issuers::new(&[settings], is_private_allowed, refresh).unwrap();
        Self { issuer, issuers, _folder: folder }
    }

    fn claims(&self) -> Value {
        github_claims(&self.issuer.url, AUDIENCE, Timestamp::now().as_second())
    }

    async fn verify(&self, signer: &Signer) -> Result<Asserted, OidcError> {
        let verified = self.issuers.verify(&signer.sign(&self.claims()), AUDIENCE, Timestamp::now()).await;
        verified.map(|(asserted, _)| asserted)
    }
}

/// Never older than now, always asked again.
fn eager() -> Refresh {
    Refresh { fresh: Duration::ZERO, pause: Duration::ZERO, ..Refresh::default() }
}

#[tokio::test]
async fn keys_are_fetched_once_for_many_tokens() {
    let signer = Signer::p256("k");
    let scene = Scene::new(std::slice::from_ref(&signer), Refresh::default()).await;
    assert_eq!(scene.issuer.fetches(), 0, "nobody is asked before a token comes");
    let all = futures_util::future::join_all((0..10).map(|_| scene.verify(&signer))).await;
    assert!(all.iter().all(Result::is_ok), "{all:?}");
    assert_eq!(scene.issuer.fetches(), 1);
}

#[tokio::test]
async fn a_new_key_is_found_and_an_old_one_ends() {
    let (old, new) = (Signer::rsa("old"), Signer::ed25519("new"));
    let scene = Scene::new(std::slice::from_ref(&old), Refresh { pause: Duration::ZERO, ..Refresh::default() }).await;
    scene.verify(&old).await.unwrap();
    scene.issuer.rotate(&[old.clone(), new.clone()]);
    scene.verify(&new).await.unwrap();
    scene.verify(&old).await.unwrap();
    assert_eq!(scene.issuer.fetches(), 2);
    scene.issuer.rotate(std::slice::from_ref(&new));
    scene.verify(&old).await.unwrap();
    let scene = Scene::new(&[old.clone(), new.clone()], eager()).await;
    scene.verify(&old).await.unwrap();
    scene.issuer.rotate(std::slice::from_ref(&new));
    let ended = scene.verify(&old).await.unwrap_err();
    assert!(matches!(ended, OidcError::Assertion(AssertionError::UnknownKey)), "{ended}");
}

#[tokio::test]
async fn unknown_keys_make_nobody_flood_the_issuer() {
    let signer = Signer::ed25519("k");
    let scene = Scene::new(std::slice::from_ref(&signer), Refresh::default()).await;
    for number in 0..20 {
        let refused = scene.verify(&Signer::ed25519(&format!("unknown-{number}"))).await.unwrap_err();
        assert!(matches!(refused, OidcError::Assertion(AssertionError::UnknownKey)), "{refused}");
    }
    assert_eq!(scene.issuer.fetches(), 1);
    scene.verify(&signer).await.unwrap();
    assert_eq!(scene.issuer.fetches(), 1);
}

#[tokio::test]
async fn issuers_nobody_listed_are_never_asked() {
    let signer = Signer::ed25519("k");
    let scene = Scene::new(std::slice::from_ref(&signer), eager()).await;
    let stranger = Issuer::start(std::slice::from_ref(&signer)).await;
    let now = Timestamp::now();
    let lookalikes =
        [stranger.url.clone(), format!("{}/", scene.issuer.url), format!("{}.evil", scene.issuer.url), String::new()];
    for url in lookalikes {
        let token = signer.sign(&github_claims(&url, AUDIENCE, now.as_second()));
        let refused = scene.issuers.verify(&token, AUDIENCE, now).await.unwrap_err();
        assert!(matches!(refused, OidcError::Untrusted), "{url}: {refused}");
    }
    assert_eq!((stranger.fetches(), scene.issuer.fetches()), (0, 0));
}

#[tokio::test]
async fn documents_that_lie_stall_or_do_not_end_are_refused() {
    let signer = Signer::ed25519("k");
    let patience = Duration::from_millis(300);
    let scene = Scene::new(std::slice::from_ref(&signer), Refresh { patience, ..eager() }).await;
    let moods = [
        (Mood::OtherIssuer, "names another issuer, `https://other.example`"),
        (Mood::Redirect, "answered with status 302"),
        (Mood::Endless, "has more than 65536 bytes"),
        (Mood::Silent, "took longer than 300 ms"),
        (Mood::Garbage, "is no OpenID Connect discovery document"),
        (Mood::Down, "answered with status 503"),
        (Mood::KeysAt("http://127.0.0.1:1/keys"), "is no https address"),
        (Mood::KeysAt("file:///etc/passwd"), "is no https address"),
        (Mood::KeysAt("https://u:p@127.0.0.1:1/keys"), "is no https address"),
        (Mood::KeysAt("https://127.0.0.1:1/keys"), "cannot fetch"),
        (Mood::KeysAt("nonsense"), "is no https address"),
    ];
    for (mood, expected) in moods {
        scene.issuer.set_mood(mood);
        let refused = scene.verify(&signer).await.unwrap_err();
        let cause = std::error::Error::source(&refused).map(ToString::to_string).unwrap_or_default();
        assert!(format!("{refused}: {cause}").contains(expected), "{mood:?}: {refused}: {cause}");
        assert!(!refused.is_callers_fault());
    }
    scene.issuer.set_mood(Mood::Honest);
    scene.verify(&signer).await.unwrap();
}

#[tokio::test]
async fn known_keys_outlast_an_issuer_that_is_down() {
    let signer = Signer::ed25519("k");
    let scene = Scene::new(std::slice::from_ref(&signer), eager()).await;
    scene.verify(&signer).await.unwrap();
    scene.issuer.set_mood(Mood::Down);
    scene.verify(&signer).await.unwrap();
    let scene = Scene::new(std::slice::from_ref(&signer), Refresh { usable: Duration::ZERO, ..eager() }).await;
    scene.verify(&signer).await.unwrap();
    scene.issuer.set_mood(Mood::Down);
    assert!(
        matches!(scene.verify(&signer).await, Err(OidcError::Fetch(FetchError::Status { .. }))),
        "but not for ever"
    );
}

#[tokio::test]
async fn a_failure_is_not_tried_again_at_once() {
    let signer = Signer::ed25519("k");
    let scene = Scene::new(std::slice::from_ref(&signer), Refresh::default()).await;
    scene.issuer.set_mood(Mood::Down);
    assert!(matches!(scene.verify(&signer).await, Err(OidcError::Fetch(_))));
    scene.issuer.set_mood(Mood::Honest);
    assert!(matches!(scene.verify(&signer).await, Err(OidcError::Unreachable)));
    assert_eq!(scene.issuer.fetches(), 1);
}

#[tokio::test]
async fn private_addresses_are_not_asked_by_number_or_by_name() {
    let signer = Signer::ed25519("k");
    let scene = Scene::with(std::slice::from_ref(&signer), eager(), false).await;
    let is_private = |error: &OidcError| {
        let mut cause: Option<&dyn std::error::Error> = Some(error);
        std::iter::from_fn(|| {
            let now = cause?;
            cause = now.source();
            Some(now.to_string())
        })
        .any(|text| text.contains("leads to no public address"))
    };
    let refused = scene.verify(&signer).await.unwrap_err();
    assert!(is_private(&refused), "{refused:?}");
    let port = scene.issuer.url.rsplit(':').next().unwrap();
    for host in ["localhost", "[::1]", "[::ffff:127.0.0.1]", "2130706433", "0x7f.1", "127.1"] {
        let url = format!("https://{host}:{port}");
        let settings = IssuerSettings { url: url.parse().unwrap(), ..scene.issuers.settings().next().unwrap().clone() };
        let issuers = Issuers::new(&[settings], false, eager()).unwrap();
        let token = signer.sign(&github_claims(&url, AUDIENCE, Timestamp::now().as_second()));
        let refused = issuers.verify(&token, AUDIENCE, Timestamp::now()).await.unwrap_err();
        assert!(is_private(&refused), "{host}: {refused:?}");
    }
    assert_eq!(scene.issuer.fetches(), 0);
}

#[tokio::test]
async fn an_issuer_must_show_a_certificate_that_is_trusted() {
    let signer = Signer::ed25519("k");
    let scene = Scene::new(std::slice::from_ref(&signer), eager()).await;
    let settings = IssuerSettings { ca_certificate: None, ..scene.issuers.settings().next().unwrap().clone() };
    let issuers = Issuers::new(&[settings], true, eager()).unwrap();
    let refused = issuers.verify(&signer.sign(&scene.claims()), AUDIENCE, Timestamp::now()).await.unwrap_err();
    assert!(matches!(refused, OidcError::Fetch(FetchError::Exchange { .. })), "{refused}");
    assert_eq!(scene.issuer.fetches(), 0);
}
