//! Uploads that nobody comes back to end by themselves, with their bytes.

use std::path::Path;
use std::sync::Arc;

use agent_registry::index::Sqlite;
use agent_registry::registry::{Mode, Registry, UPLOAD_LIFETIME};
use agent_registry::storage::FileStore;
use jiff::Timestamp;
use reqwest::Method;

use crate::app::TestApp;

fn open(data: &Path) -> Registry {
    let store = FileStore::open(data, None).unwrap();
    let index = Sqlite::open(&data.join("index.sqlite")).unwrap();
    Registry::new(Arc::new(store), index, Mode::Open)
}

#[tokio::test]
async fn an_abandoned_upload_ends_with_its_bytes() {
    let app = TestApp::spawn().await;
    let mut sessions = vec![];
    for content in [b"few".to_vec(), vec![6; 300_000]] {
        let opened = app.send(Method::POST, "/v2/a/b/blobs/uploads/", &[], b"").await;
        let location = opened.header("location").to_owned();
        assert_eq!(app.send(Method::PATCH, &location, &[], &content).await.status, 202);
        sessions.push((location, content.len()));
    }
    let app = app
        .restarted_after(async |data| {
            let registry = open(data);
            let soon = Timestamp::now().checked_add(UPLOAD_LIFETIME / 2).unwrap();
            assert_eq!(registry.expire_uploads(soon).await.unwrap(), 0, "a client may take its time");
        })
        .await;
    for (location, length) in &sessions {
        assert_eq!(app.get(location).await.header("range"), format!("0-{}", length - 1));
    }
    let app = app
        .restarted_after(async |data| {
            let registry = open(data);
            let late = Timestamp::now().checked_add(UPLOAD_LIFETIME).unwrap();
            assert_eq!(registry.expire_uploads(late).await.unwrap(), 2);
            assert_eq!(std::fs::read_dir(data.join("uploads")).unwrap().count(), 0, "the bytes are gone too");
        })
        .await;
    for (location, _) in &sessions {
        assert_eq!(app.get(location).await.error(), (404, "BLOB_UPLOAD_UNKNOWN".into()));
    }
}
