//! Registries that are after the caller's credential, memory or time: nothing of it is theirs, and the error is clear.

use std::process::Command;
use std::time::{Duration, Instant};

use agent_registry::oci::Digest;
use serde_json::json;

use crate::peer::{Peer, Reply, Seen};
use crate::sandbox::{AGENT, Ran, Sandbox};

/// What nobody but the registry may see, and what nobody may print.
const TOKEN: &str = "agr_canary0000000000000000000000000000000";
const PASSWORD: &str = "hunter2-canary";
/// `bob` with the password, and `token` with the token, as headers carry them.
const ENCODED: [&str; 2] = ["Ym9iOmh1bnRlcjItY2FuYXJ5", "dG9rZW46YWdyX2NhbmFyeTAw"];

/// Bytes a command may have for data. Without a limit of its own it would take a gigabyte that it is sent.
const MEMORY: u64 = 256 * 1024 * 1024;
/// Longest a command may take, on a slow machine.
const PATIENCE: Duration = Duration::from_mins(1);

/// What people type, from reading to writing to signing in.
const LINES: [&str; 13] = [
    "pull team/x:1.0.0",
    "pull team/x@^1",
    "push team/my-agent:1.0.0",
    "push team/my-agent:1.0.0 --visibility public",
    "images",
    "inspect team/x:1.0.0",
    "user list",
    "token create --name x",
    "configure permission add team/x --user john --permission read",
    "whoami",
    "registry auth test",
    "registry ping",
    "logout --dry-run",
];

/// Whatever shows a secret.
fn leaks(text: &str) -> bool {
    [TOKEN, PASSWORD].into_iter().chain(ENCODED).any(|secret| text.contains(secret))
}

/// Runs a line with a limit on memory and time.
fn bounded(sandbox: &Sandbox, typed: &Command, input: &str) -> Ran {
    let mut command = Command::new("prlimit");
    command.arg(format!("--data={MEMORY}")).arg(typed.get_program()).args(typed.get_args());
    command.current_dir(sandbox.path("")).env_clear();
    command.envs(typed.get_envs().filter_map(|(name, value)| Some((name, value?)))).env("PATH", "/usr/bin:/bin");
    let begun = Instant::now();
    let ran = sandbox.run_with(&mut command, input);
    assert!(begun.elapsed() < PATIENCE, "{typed:?} took {:?}", begun.elapsed());
    assert!(!leaks(&ran.stdout) && !leaks(&ran.stderr), "{typed:?}: {ran}");
    assert!(!ran.stderr.contains("panicked"), "{typed:?}: {ran}");
    ran
}

/// Types every line against a registry, with each way of being known there.
fn provoke(registry: &Peer) -> Vec<(String, Ran)> {
    let mut all = vec![];
    let sandbox = Sandbox::new();
    sandbox.write("agent.yaml", AGENT);
    let docker = json!({"auths": {registry.host(): {"auth": ENCODED[0]}}}).to_string();
    sandbox.write("docker/config.json", &docker);
    let typed = |line: &str| {
        let mut command = sandbox.typed(&format!("{line} --verbose"));
        command.env("AGENT_REGISTRY_URL", &registry.url);
        command
    };
    for line in LINES {
        let mut with_token = typed(line);
        with_token.env("AGENT_REGISTRY_TOKEN", TOKEN);
        all.push((line.to_owned(), bounded(&sandbox, &with_token, "")));
        let mut with_password = typed(line);
        with_password.env("DOCKER_CONFIG", sandbox.path("docker"));
        all.push((line.to_owned(), bounded(&sandbox, &with_password, "")));
    }
    for (line, secret) in [("login -u bob --password-stdin", PASSWORD), ("login --token-stdin", TOKEN)] {
        all.push((line.to_owned(), bounded(&sandbox, &typed(line), secret)));
    }
    for (line, ran) in &all {
        let errors = ran.stderr.matches("error:").count();
        assert!(ran.code == 0 && errors == 0 || ran.code != 0 && errors == 1, "one clear error: {line}: {ran}");
    }
    all
}

/// A second listener, which must see no secret, whatever it asks for.
fn thief() -> Peer {
    Peer::serve(|request| match request.path() {
        "/token" => Reply::json(r#"{"token":"x","access_token":"x"}"#),
        _ => Reply::basic_challenge(),
    })
}

/// What the thief saw, without a secret in it.
fn loot(thief: &Peer) -> Vec<Seen> {
    let seen = thief.seen();
    for request in &seen {
        assert!(!leaks(&format!("{request:?}")), "{request:?}");
        assert_eq!(request.authorization(), None, "{request:?}");
    }
    seen
}

/// What a registry of this program says of itself.
fn ours() -> Reply {
    Reply::json(r#"{"name":"agent-registry","version":"1","default_namespace":"team","authentication":true}"#)
}

#[test]
fn a_realm_elsewhere_gets_nothing() {
    let thief = thief();
    for scheme in ["Bearer realm=\"THIEF/token\",service=\"s\"", "Basic realm=\"x\", Bearer realm=\"THIEF/token\""] {
        let challenge = scheme.replace("THIEF", &thief.url);
        let registry = Peer::serve(move |request| match (request.path(), request.authorization()) {
            ("/api/v1", None) => ours(),
            _ => Reply::new(401).header("WWW-Authenticate", &challenge),
        });
        for (line, ran) in provoke(&registry) {
            assert!(ran.code != 0 || line.starts_with("logout"), "{line}: {ran}");
        }
    }
    assert!(loot(&thief).is_empty(), "a realm in plain HTTP elsewhere is not even asked");
}

#[test]
fn a_redirect_elsewhere_takes_nothing_along() {
    let thief = thief();
    for status in [301, 302, 303, 307, 308] {
        let target = thief.url.clone();
        let registry = Peer::serve(move |request| {
            let is_asked = request.authorization().is_some();
            match request.path() {
                "/api/v1" if !is_asked => ours(),
                path if is_asked || path.starts_with("/api/") => {
                    Reply::new(status).header("Location", &format!("{target}{}", request.target))
                }
                _ => Reply::basic_challenge(),
            }
        });
        provoke(&registry);
    }
    let seen = loot(&thief);
    assert!(!seen.is_empty(), "reads are followed, so the test can fail");
    assert!(seen.iter().all(|request| !request.path().starts_with("/api/")), "own questions stay at home: {seen:?}");
    assert!(seen.iter().all(|request| !request.body.contains("password")), "{seen:?}");
}

#[test]
fn an_upload_elsewhere_takes_nothing_along() {
    let thief = thief();
    let target = format!("{}/upload", thief.url);
    let registry = Peer::serve(move |request| match (request.method.as_str(), request.authorization()) {
        (_, None) if request.path() == "/api/v1" => Reply::new(404),
        (_, None) => Reply::basic_challenge(),
        ("POST", _) => Reply::new(202).header("Location", &target),
        _ => Reply::new(404),
    });
    for (line, ran) in provoke(&registry) {
        assert!(!line.starts_with("push") || ran.code != 0, "{line}: {ran}");
    }
    assert!(loot(&thief).iter().any(|request| request.path() == "/upload"), "it was sent there, so the test can fail");
}

#[test]
fn pages_elsewhere_are_not_asked_for_and_pages_without_end_end() {
    let thief = thief();
    let link = format!("<{}/v2/team/x/tags/list?last=1>; rel=\"next\"", thief.url);
    let elsewhere = Peer::serve(move |request| match request.path() {
        path if path.ends_with("/tags/list") => Reply::json(r#"{"tags":["1.0.0"]}"#).header("Link", &link),
        _ => Reply::new(404),
    });
    for (line, ran) in provoke(&elsewhere) {
        assert!(line != "pull team/x@^1" || ran.stderr.contains("next page leads to"), "{line}: {ran}");
    }
    assert!(loot(&thief).is_empty());

    let endless = Peer::serve(|request| {
        let number: u64 = request.target.rsplit('=').next().and_then(|text| text.parse().ok()).unwrap_or(0);
        match request.path() {
            "/api/v1" => ours(),
            path if path.ends_with("/tags/list") => Reply::json(r#"{"tags":["0.1.0"]}"#)
                .header("Link", &format!("</v2/team/x/tags/list?n={}>; rel=next", number + 1)),
            "/api/v1/users" => Reply::json(
                &json!({"items": [{"name": "a", "is_administrator": false,
                "has_password": false, "default_visibility": "private", "created_at": "2026-01-01T00:00:00Z"}],
                "next": (number + 1).to_string()})
                .to_string(),
            ),
            _ => Reply::new(404),
        }
    });
    let sandbox = Sandbox::new();
    let typed = sandbox.typed(&format!("pull team/x@^1 --registry {}", endless.url));
    let ran = bounded(&sandbox, &typed, "").failed(65);
    assert!(ran.stderr.contains("pages of a list do not end"), "{ran}");
    let typed = sandbox.typed(&format!("user list --quiet --registry {}", endless.url));
    assert!(bounded(&sandbox, &typed, "").ok().stdout.lines().count() <= 1000);
}

#[test]
fn other_places_of_a_layer_are_never_asked() {
    let thief = thief();
    let config = r#"{"x":1}"#;
    let layer = |kind: &str, digest: Digest| {
        json!({"mediaType": kind, "digest": digest.to_string(), "size": 7,
            "urls": [format!("{}/layer", thief.url), format!("{}/other", thief.url)]})
    };
    let manifest = json!({
        "schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "artifactType": "application/vnd.agentpkg.agent.v1",
        "config": layer("application/vnd.agentpkg.agent.config.v1+json", Digest::sha256(config.as_bytes())),
        "layers": [layer("application/vnd.agentpkg.agent.content.v1.tar+gzip", Digest::sha256(b"absent."))]
    })
    .to_string();
    let registry = Peer::serve(move |request| match request.path() {
        path if path.contains("/manifests/") => {
            Reply::new(200).header("Content-Type", "application/vnd.oci.image.manifest.v1+json").body(&manifest)
        }
        path if path.ends_with("/tags/list") => Reply::json(r#"{"tags":["1.0.0"]}"#),
        _ => Reply::new(404),
    });
    for (line, ran) in provoke(&registry) {
        assert!(!line.starts_with("pull") || ran.code != 0, "what the registry lacks is not there: {line}: {ran}");
    }
    assert!(loot(&thief).is_empty());
}

#[test]
fn an_answer_without_end_fills_no_memory() {
    for status in [200, 401, 403, 404] {
        let registry = Peer::serve(move |request| match request.path() {
            "/api/v1" => ours(),
            _ => Reply::new(status).header("Content-Type", "application/json").body("{").then_flood(),
        });
        for (line, ran) in provoke(&registry) {
            // Asked to sign in is an answer, and a list that is not there is empty.
            let is_answered = match status {
                401 | 403 => line == "registry ping",
                404 => line == "images",
                _ => true,
            };
            assert!(ran.code != 0 || line.starts_with("logout") || is_answered, "{status} {line}: {ran}");
        }
    }
}

#[test]
fn an_error_that_trickles_is_told_by_its_status() {
    let registry = Peer::serve(|request| match request.path() {
        "/api/v1" => ours(),
        _ => Reply::new(403).header("Content-Type", "application/json").then_drip(),
    });
    let sandbox = Sandbox::new();
    for line in ["pull team/x:1.0.0", "user list"] {
        let mut typed = sandbox.typed(&format!("{line} --registry {}", registry.url));
        let ran = bounded(&sandbox, typed.env("AGENT_REGISTRY_TOKEN", TOKEN), "").failed(77);
        assert!(ran.stderr.contains("answered 403") && ran.stderr.contains("Forbidden"), "{ran}");
    }
}

#[test]
fn a_registry_that_repeats_the_credential_is_not_repeated() {
    let registry = Peer::serve(|request| {
        if request.path() == "/api/v1" && request.authorization().is_none() {
            return ours();
        }
        let shown = format!("{:?} {}", request.authorization(), request.body);
        let body = json!({"errors": [{"code": shown, "message": shown}], "detail": shown}).to_string();
        let reply = Reply::new(if request.authorization().is_some() { 403 } else { 401 });
        let reply = reply.header("Content-Type", "application/json").body(&body);
        reply.header("WWW-Authenticate", "Basic realm=\"x\"")
    });
    let all = provoke(&registry);
    assert!(all.iter().any(|(_, ran)| ran.stderr.contains("Bearer …")), "it was repeated, so the test can fail");
}
