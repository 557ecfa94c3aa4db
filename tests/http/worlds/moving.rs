//! Pages of a search while packages come, change and go: what stays as it is comes on exactly one of them.

use std::collections::BTreeMap;

use agent_registry::package::BlobContent;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestCaseError, TestRunner};
use reqwest::{Method, Url};
use serde_json::{Value, json};

use super::goods::{CONTENTS, Content};
use super::searching::{in_order, names};
use super::step::SORTS;
use super::world::{Outcome, agree};
use crate::access_actors::{Actor, until};
use crate::app::TestApp;

/// Packages that nobody touches.
const STILL: usize = 22;
/// Packages that change between any two pages.
const MOVING: usize = 9;
/// Pages that a walk may take before it is one without end.
const MAX_PAGES: usize = 80;
/// Queries that find everything that stays, and much of what moves.
const QUERIES: [&str; 5] = ["", "team", "team -walrus", "namespace:moving", "kind:agent since:2d"];

/// What happens between two pages.
#[derive(Clone, Debug)]
enum Change {
    Push { package: usize, minor: u8, content: u8 },
    Delete { package: usize },
    Yank { package: usize, is_yanked: bool },
    Rate { package: usize, stars: u8 },
    Pull { package: usize },
}

fn change() -> impl Strategy<Value = Change> {
    let package = 0..MOVING;
    prop_oneof![
        6 => (package.clone(), 0..3_u8, 0..CONTENTS)
            .prop_map(|(package, minor, content)| Change::Push { package, minor, content }),
        2 => package.clone().prop_map(|package| Change::Delete { package }),
        2 => (package.clone(), any::<bool>()).prop_map(|(package, is_yanked)| Change::Yank { package, is_yanked }),
        1 => (package.clone(), 1..=5_u8).prop_map(|(package, stars)| Change::Rate { package, stars }),
        1 => package.prop_map(|package| Change::Pull { package }),
    ]
}

/// A name that sorts among those that stay.
fn moving(package: usize) -> String {
    format!("moving/p{:02}-mover-team", package * STILL / MOVING)
}

fn still(package: usize) -> String {
    format!("moving/p{package:02}-team")
}

async fn push(actor: &Actor<'_>, repository: &str, version: &str, content: u8) -> Outcome {
    let name = repository.rsplit('/').next().unwrap();
    let artifact = Content::of(content).pack(name, Some(version));
    for blob in artifact.blobs() {
        let bytes = match &blob.content {
            BlobContent::Bytes(bytes) => bytes.to_vec(),
            BlobContent::File(path) => std::fs::read(path).unwrap(),
        };
        let sent = actor.put_blob(repository, &bytes).await.status;
        agree!(sent == 201, "a blob of {repository}: {sent}");
    }
    let put = actor.put_manifest(repository, version, artifact.manifest().bytes()).await;
    agree!(put == 201, "{repository}:{version}: {put}");
    Ok(())
}

async fn make(actor: &Actor<'_>, change: &Change) -> Outcome {
    match *change {
        Change::Push { package, minor, content } => {
            push(actor, &moving(package), &format!("1.{minor}.0"), content).await?;
        }
        Change::Delete { package } => {
            let repository = moving(package);
            let record = actor.get(&format!("/api/v1/packages/{repository}")).await;
            if record.status == 200 {
                let digest = record.json()["digest"].as_str().unwrap().to_owned();
                let path = format!("/v2/{repository}/manifests/{digest}");
                agree!(actor.tries(Method::DELETE, &path).await == 202, "DELETE {path}");
            }
        }
        // Where there is no such package or version there is nothing to change.
        Change::Yank { package, is_yanked } => {
            let path = format!("/packages/{}/versions/1.1.0/yank", moving(package));
            let method = if is_yanked { Method::PUT } else { Method::DELETE };
            let body = if is_yanked { json!({}) } else { Value::Null };
            let status = actor.call(method, &path, &body).await.status;
            agree!(status.is_success() || status == 404, "{path}: {status}");
        }
        Change::Rate { package, stars } => {
            let path = format!("/packages/{}/rating", moving(package));
            let status = actor.call(Method::PUT, &path, &json!({"stars": stars})).await.status;
            agree!(status.is_success() || status == 404, "{path}: {status}");
        }
        Change::Pull { package } => {
            actor.get(&format!("/v2/{}/manifests/1.0.0", moving(package))).await;
        }
    }
    Ok(())
}

async fn page(actor: &Actor<'_>, query: &str, sort: &str, limit: &str, after: Option<&str>) -> Outcome<Value> {
    let base = format!("{}/api/v1/packages", actor.app.url);
    let all = [("q", query), ("sort", sort), ("limit", limit), ("fresh", "true")];
    let url = Url::parse_with_params(&base, all.into_iter().chain(after.map(|after| ("after", after)))).unwrap();
    let answer = actor.get(url.as_str()).await;
    agree!(answer.status == 200, "{url}: {} {}", answer.status, String::from_utf8_lossy(&answer.body));
    Ok(answer.json())
}

/// Walks through all pages, with a few changes before each.
async fn walk(actor: &Actor<'_>, query: &str, sort: &str, changes: &[Change]) -> Outcome {
    let mut order: Vec<_> = names(&page(actor, query, sort, "1000", None).await?)
        .into_iter()
        .filter(|name| (0..STILL).any(|package| still(package) == *name))
        .collect();
    agree!(order.len() == STILL, "{query}: only {order:?}");
    let (mut met, mut after) = (vec![], None::<String>);
    let mut changes = changes.iter().cycle();
    for _ in 0..MAX_PAGES {
        for change in changes.by_ref().take(2) {
            make(actor, change).await?;
        }
        let found = page(actor, query, sort, "3", after.as_deref()).await?;
        in_order(&found, sort)?;
        agree!(found["total"].as_u64() >= Some(STILL as u64), "the total is {}", found["total"]);
        met.extend(names(&found).into_iter().filter(|name| order.contains(name)));
        match found["next"].as_str() {
            Some(next) => after = Some(next.to_owned()),
            None => {
                // How relevant something is may change from walk to walk, but not within one.
                if sort == "relevance" {
                    met.sort();
                    order.sort();
                }
                agree!(met == order, "{query} by {sort}: came as {met:?}\ninstead of {order:?}");
                return Ok(());
            }
        }
    }
    Err(format!("{query} by {sort}: the pages do not end"))
}

/// What stays: with different times, ratings and pulls.
async fn furnish(app: &TestApp) {
    let (boss, ada, ben) = (app.boss(), app.user("ada").await, app.user("ben").await);
    let mut pulled = BTreeMap::new();
    for package in 0..STILL {
        let repository = still(package);
        boss.must(Method::PUT, &format!("/repositories/{repository}"), json!({"visibility": "public"})).await;
        for minor in 0..=package % 3 {
            let content = u8::try_from((package + minor) % usize::from(CONTENTS)).unwrap();
            push(&boss, &repository, &format!("1.{minor}.0"), content).await.unwrap();
            for actor in [&ada, &ben].into_iter().take((package * 7) % 3) {
                assert_eq!(actor.reads(&format!("/v2/{repository}/manifests/1.{minor}.0")).await, 200);
                *pulled.entry(repository.clone()).or_insert(0_u64) += 1;
            }
        }
        for (actor, stars) in [(&ada, package % 5 + 1), (&ben, package % 3 + 2)].into_iter().take(package % 4) {
            actor.must(Method::PUT, &format!("/packages/{repository}/rating"), json!({"stars": stars})).await;
        }
    }
    for (repository, count) in pulled {
        let path = format!("/api/v1/packages/{repository}/downloads?days=1");
        until(async || boss.get(&path).await.json()["total"] == count).await;
    }
}

#[test]
fn what_stays_comes_on_exactly_one_page_while_others_change() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let app = runtime.block_on(TestApp::with_accounts());
    runtime.block_on(furnish(&app));
    let boss = app.boss();
    let config =
        Config { cases: super::worlds() / 4, max_shrink_iters: 40, failure_persistence: None, ..Config::default() };
    let walks = (0..QUERIES.len(), 0..SORTS.len(), prop::collection::vec(change(), 1..60));
    // Each order at least once, then any.
    for sort in SORTS {
        let changes = |number: usize| Change::Push { package: number % MOVING, minor: 1, content: 5 };
        let changes: Vec<_> =
            (0..MOVING).map(changes).chain((0..MOVING).map(|package| Change::Delete { package })).collect();
        runtime.block_on(walk(&boss, QUERIES[1], sort, &changes)).unwrap_or_else(|error| panic!("{error}"));
    }
    let outcome = TestRunner::new(config).run(&walks, |(query, sort, changes)| {
        runtime.block_on(walk(&boss, QUERIES[query], SORTS[sort], &changes)).map_err(TestCaseError::fail)
    });
    outcome.unwrap_or_else(|error| panic!("{error}"));
}
