//! Rules about tags hold when many try at once.

use futures_util::future::join_all;
use reqwest::Method;
use serde_json::json;

use crate::access_actors::image;
use crate::app::TestApp;

const RIVALS: usize = 16;

#[tokio::test]
async fn of_many_who_write_an_immutable_tag_at_once_one_wins_for_good() {
    let app = TestApp::with_accounts().await;
    let ada = app.user("ada").await;
    ada.push_image("ada/agent", "first", b"first").await;
    let rules = json!({"rules": [{"pattern": "v*", "kind": "immutable"}, {"pattern": "semver", "kind": "immutable"}]});
    ada.must(Method::PUT, "/tag-rules?repository=ada/agent", rules).await;
    let mut images = vec![];
    for number in 0..RIVALS {
        let layer = format!("layer {number}").into_bytes();
        assert_eq!(ada.put_blob("ada/agent", &layer).await.status, 201);
        images.push(image(&layer));
    }
    for tag in ["v1", "1.2.3", "v2", "2.0.0-rc.1"] {
        let answers = join_all(images.iter().map(|image| ada.put_manifest("ada/agent", tag, image))).await;
        let won: Vec<_> = (0..RIVALS).filter(|index| answers[*index] == 201).collect();
        let [winner] = won[..] else { panic!("{tag}: {answers:?}") };
        assert!(answers.iter().all(|status| [201, 403].contains(status)), "{tag}: {answers:?}");
        let path = format!("/v2/ada/agent/manifests/{tag}");
        assert_eq!(ada.get(&path).await.body, images[winner], "{tag}");
        assert_eq!(ada.put_manifest("ada/agent", tag, &images[winner]).await, 201, "the same again changes nothing");
        let loser = &images[(winner + 1) % RIVALS];
        let digest = agent_registry::oci::Digest::sha256(loser);
        assert_eq!(ada.put_manifest("ada/agent", &format!("{digest}?tag={tag}"), loser).await, 403, "{tag}");
        assert_eq!(ada.tries(Method::DELETE, &path).await, 403, "{tag}: else it could be written again");
        let winner = agent_registry::oci::Digest::sha256(&images[winner]);
        assert_eq!(ada.tries(Method::DELETE, &format!("/v2/ada/agent/manifests/{winner}")).await, 403, "{tag}");
    }
    assert_eq!(ada.put_manifest("ada/agent", "latest", &images[0]).await, 201);
    assert_eq!(ada.put_manifest("ada/agent", "latest", &images[1]).await, 201, "other tags move");
}

#[tokio::test]
async fn a_restricted_tag_is_moved_by_whom_the_rule_names() {
    let app = TestApp::with_accounts().await;
    let (ada, bob) = (app.user("ada").await, app.user("bob").await);
    ada.push_image("ada/agent", "latest", b"first").await;
    let grant = json!({"repository": "ada/agent", "grantee": {"user": "bob"}, "level": "write"});
    ada.must(Method::PUT, "/permissions", grant).await;
    let rules = json!({"rules": [{"pattern": "latest", "kind": "restricted", "level": "admin"}]});
    ada.must(Method::PUT, "/tag-rules?repository=ada/agent", rules).await;
    assert_eq!(bob.put_blob("ada/agent", b"second").await.status, 201);
    let second = image(b"second");
    assert_eq!(bob.put_manifest("ada/agent", "latest", &second).await, 403);
    let digest = agent_registry::oci::Digest::sha256(&second);
    let several = format!("{digest}?tag=mine&tag=latest");
    assert_eq!(bob.put_manifest("ada/agent", &several, &second).await, 403, "among others");
    assert_eq!(bob.reads("/v2/ada/agent/manifests/mine").await, 404, "of which none is set then");
    assert_eq!(bob.put_manifest("ada/agent", "mine", &second).await, 201);
    assert_eq!(ada.put_manifest("ada/agent", "latest", &second).await, 201);
    let rules = json!({"rules": [{"pattern": "latest", "kind": "restricted", "grantees": [{"user": "bob"}]}]});
    ada.must(Method::PUT, "/tag-rules?repository=ada/agent", rules).await;
    let first = image(b"first");
    assert_eq!(bob.put_manifest("ada/agent", "latest", &first).await, 201);
    assert_eq!(ada.put_manifest("ada/agent", "latest", &second).await, 403, "who made the rule is not named in it");
}
