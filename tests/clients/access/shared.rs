//! One sign-in serves the others: what `docker login` and `skopeo login` keep is used by other clients.

use std::os::unix::fs::PermissionsExt as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use super::community::{CLOSED, Community, OPEN};
use super::{Tool, agent, cosign, crane, docker, helm, oras, regctl, skopeo};
use crate::home::Home;

/// Signs `ada` in with a read token, and gives it.
fn log_in(tool: &Tool, home: &Home, community: &Community) -> String {
    let token = community.token("ada", &["read"]);
    let said = (tool.log_in)(home, community.host(), "ada", &token);
    assert!(said.success, "{}", said.stderr);
    token
}

fn docker_config(home: &Home) -> Value {
    serde_json::from_slice(&home.read(".docker/config.json")).expect("JSON")
}

#[test]
fn what_docker_login_keeps_serves_every_other_client() {
    for column in [
        &oras::COLUMN,
        &skopeo::COLUMN,
        &crane::COLUMN,
        &regctl::COLUMN,
        &helm::COLUMN,
        &cosign::COLUMN,
        &agent::COLUMN,
    ] {
        let (community, home) = (Community::open(column.tool.seed), Home::new());
        let host = community.host();
        let token = log_in(&docker::COLUMN.tool, &home, &community);
        let kept = &docker_config(&home)["auths"][host];
        assert_eq!(kept["auth"], STANDARD.encode(format!("ada:{token}")), "{kept}");
        assert_eq!(kept.get("identitytoken"), None, "{kept}");
        for repository in [CLOSED, OPEN] {
            let pulled = (column.tool.pull)(&home, host, repository);
            assert!(pulled.success, "{} {repository}: {}", column.name, pulled.stderr);
            std::fs::remove_dir_all(home.path("pulled")).unwrap_or_default();
        }
        let absent = (column.tool.pull)(&home, host, "ada/absent");
        assert!(!absent.success, "{}", column.name);
    }
}

#[test]
fn what_skopeo_login_keeps_is_where_podman_looks_and_nowhere_else() {
    let (community, home) = (Community::open(Tool::NONE.seed), Home::new());
    let token = log_in(&skopeo::COLUMN.tool, &home, &community);
    let kept: Value = serde_json::from_slice(&home.read("run/containers/auth.json")).expect("JSON");
    assert_eq!(kept["auths"][community.host()]["auth"], STANDARD.encode(format!("ada:{token}")), "{kept}");
    let mode = std::fs::metadata(home.path("run/containers/auth.json")).expect("the file").permissions().mode();
    assert_eq!(mode & 0o077, 0, "{mode:o}");
    assert!((skopeo::COLUMN.tool.pull)(&home, community.host(), CLOSED).success);
    assert!(!(oras::COLUMN.tool.pull)(&home, community.host(), CLOSED).success, "oras does not read it");
}

#[test]
fn one_who_signed_in_with_docker_pulls_public_and_private_and_after_logging_out_public_only() {
    let (community, home) = (Community::open(docker::COLUMN.tool.seed), Home::new());
    let host = community.host().to_owned();
    let pulls = |repository: &str| (docker::COLUMN.tool.pull)(&home, &host, repository).success;
    assert!(pulls(OPEN) && !pulls(CLOSED), "nobody in particular");
    community.add_user("eve");
    for (repository, visibility) in [("eve/open", "public"), ("eve/closed", "private")] {
        community.create(repository, visibility);
        (docker::COLUMN.tool.seed)(&community.administrator(), repository);
    }
    log_in(&docker::COLUMN.tool, &home, &community);
    assert!(pulls(OPEN) && pulls(CLOSED) && pulls("eve/open") && !pulls("eve/closed"), "ada");
    home.ok("docker", &["logout", &host]);
    assert!(pulls("eve/open") && !pulls(CLOSED), "nobody again");
}

#[test]
fn what_our_login_keeps_as_docker_does_serves_others() {
    let (community, home) = (Community::open(Tool::NONE.seed), Home::new());
    let token = log_in(&agent::COLUMN.tool, &home, &community);
    let kept = docker_config(&home);
    assert!(kept["auths"][community.host()]["auth"].is_string(), "{kept}");
    for column in [&oras::COLUMN, &skopeo::COLUMN, &crane::COLUMN] {
        let pulled = (column.tool.pull)(&home, community.host(), CLOSED);
        assert!(pulled.success && !pulled.stderr.contains(&token), "{}: {}", column.name, pulled.stderr);
        std::fs::remove_dir_all(home.path("pulled")).unwrap_or_default();
    }
}
