//! The verbs about people, as they ask a registry: which request each line makes, and what is printed of the answer.

use insta::assert_snapshot;
use serde_json::{Value, json};

use crate::peer::{Peer, Reply, Seen};
use crate::sandbox::{AGENT, Sandbox};

const TOKEN: &str = "agr_canary0000000000000000000000000000000";
const AT: &str = "2026-01-01T00:00:00Z";

/// A registry of this program for one question, which gives one answer; anything else is not there.
fn registry(answer: impl Fn(&Seen) -> Option<Value> + Send + Sync + 'static) -> (Peer, Sandbox) {
    let peer = Peer::serve(move |request| {
        if request.path() == "/api/v1" {
            let info = json!({"name": "agent-registry", "version": "1", "default_namespace": "ada",
                "authentication": true, "audience": "registry.example"});
            return Reply::json(&info.to_string());
        }
        if request.authorization() != Some(&format!("Bearer {TOKEN}")) {
            return Reply::problem(401, "sign in");
        }
        answer(request).map_or_else(|| Reply::problem(404, "there is none"), |value| Reply::json(&value.to_string()))
    });
    let sandbox = Sandbox::new();
    (peer, sandbox)
}

/// Types a line with the token in the environment.
fn agent(peer: &Peer, sandbox: &Sandbox, line: &str) -> crate::sandbox::Ran {
    let mut command = sandbox.typed(line);
    let ran = sandbox.run(command.env("AGENT_REGISTRY_URL", &peer.url).env("AGENT_REGISTRY_TOKEN", TOKEN));
    assert!(!ran.to_string().contains(TOKEN), "{ran}");
    ran
}

/// What one line asks, beside whether this is the right kind of registry.
fn asks(line: &str, answer: Value) -> String {
    let (peer, sandbox) = registry(move |_| Some(answer.clone()));
    agent(&peer, &sandbox, line).ok();
    let lines = peer.take_lines().into_iter().filter(|line| line != "GET /api/v1");
    lines.collect::<Vec<_>>().join("\n")
}

fn user() -> Value {
    json!({"name": "john", "is_administrator": false, "has_password": false, "default_visibility": "private",
        "created_at": AT})
}

fn permission() -> Value {
    json!({"repository": "ada/my-agent", "grantee": {"user": "john"}, "level": "read", "created_at": AT})
}

fn page(item: &Value) -> Value {
    json!({"items": [item]})
}

#[test]
fn each_line_makes_its_request() {
    let removed = json!({"name": "john", "repositories": 2, "packages_now_owned_by": "root"});
    let org = json!({"name": "team", "default_visibility": "org", "role": "owner", "members": 1, "created_at": AT});
    let team = json!({"organisation": "team", "name": "devs", "role": "write", "members": 0, "created_at": AT});
    let token = json!({"id": 7, "user": "ada", "name": "ci", "kind": "access", "scopes": ["read", "write"],
        "repositories": ["team/*"], "created_at": AT, "expires_at": AT});
    let publisher = json!({"id": 3, "repository": "ada/my-agent", "issuer": "https://i", "claims": {"a": "b"},
        "created_by": "ada", "created_at": AT});
    let rules = json!({"rules": []});
    let none = Value::Null;
    let cases = [
        ("user add john", &user(), r#"POST /api/v1/users {"name":"john","is_administrator":false}"#),
        ("user add john --administrator", &user(), r#"POST /api/v1/users {"name":"john","is_administrator":true}"#),
        ("user list", &page(&user()), "GET /api/v1/users?limit=1000"),
        ("user remove john", &removed, "DELETE /api/v1/users/john"),
        (
            "user set john --administrator true",
            &none,
            r#"PUT /api/v1/users/john/administrator {"is_administrator":true}"#,
        ),
        ("user free john", &none, "POST /api/v1/accounts/john/free {}"),
        (
            "org add team --default-visibility org",
            &org,
            r#"POST /api/v1/organisations {"name":"team","default_visibility":"org"}"#,
        ),
        ("org list", &page(&org), "GET /api/v1/organisations?limit=1000"),
        (
            "org set team --default-visibility public",
            &none,
            r#"PATCH /api/v1/organisations/team {"default_visibility":"public"}"#,
        ),
        ("org remove team", &removed, "DELETE /api/v1/organisations/team"),
        (
            "org members team",
            &page(&json!({"user": "john", "role": "owner", "since": AT})),
            "GET /api/v1/organisations/team/members?limit=1000",
        ),
        (
            "org member add team john --role owner",
            &none,
            r#"PUT /api/v1/organisations/team/members/john {"role":"owner"}"#,
        ),
        ("org member remove team john", &none, "DELETE /api/v1/organisations/team/members/john"),
        (
            "team add team/devs --role write",
            &team,
            r#"POST /api/v1/organisations/team/teams {"name":"devs","role":"write"}"#,
        ),
        ("team list team", &page(&team), "GET /api/v1/organisations/team/teams?limit=1000"),
        ("team set team/devs --role none", &none, r#"PATCH /api/v1/organisations/team/teams/devs {"role":null}"#),
        ("team remove team/devs", &none, "DELETE /api/v1/organisations/team/teams/devs"),
        (
            "team members team/devs",
            &page(&json!({"user": "john", "since": AT})),
            "GET /api/v1/organisations/team/teams/devs/members?limit=1000",
        ),
        ("team member add team/devs john", &none, "PUT /api/v1/organisations/team/teams/devs/members/john {}"),
        ("team member remove team/devs john", &none, "DELETE /api/v1/organisations/team/teams/devs/members/john"),
        ("token list", &page(&token), "GET /api/v1/tokens?limit=1000"),
        ("token list --user john", &page(&token), "GET /api/v1/tokens?user=john&limit=1000"),
        ("token revoke 7", &none, "DELETE /api/v1/tokens/7"),
        (
            "visibility set my-agent:latest public",
            &none,
            r#"PUT /api/v1/repositories/ada/my-agent {"visibility":"public"}"#,
        ),
        (
            "configure permission add my-agent:latest --user john --permission read",
            &permission(),
            r#"PUT /api/v1/permissions {"repository":"ada/my-agent","grantee":{"user":"john"},"level":"read"}"#,
        ),
        (
            "configure permission add x/my-agent --team team/devs --permission write --expires 30d",
            &permission(),
            r#"PUT /api/v1/permissions {"repository":"x/my-agent","grantee":{"team":"team/devs"},"level":"write","expires":"30d"}"#,
        ),
        (
            "configure permission add my-agent --org team --permission admin",
            &permission(),
            r#"PUT /api/v1/permissions {"repository":"ada/my-agent","grantee":{"organisation":"team"},"level":"admin"}"#,
        ),
        (
            "configure permission list my-agent",
            &page(&permission()),
            "GET /api/v1/permissions?repository=ada/my-agent&limit=1000",
        ),
        (
            "configure permission remove my-agent --team team/devs",
            &none,
            "DELETE /api/v1/permissions?repository=ada/my-agent&team=team/devs",
        ),
        (
            "configure tag-rule add my-agent v* --immutable",
            &rules,
            "GET /api/v1/tag-rules?repository=ada/my-agent\n\
             PUT /api/v1/tag-rules?repository=ada/my-agent {\"rules\":[{\"pattern\":\"v*\",\"kind\":\"immutable\"}]}",
        ),
        (
            "publisher add my-agent --issuer github --claim repository_id=1",
            &publisher,
            r#"POST /api/v1/publishers {"repository":"ada/my-agent","issuer":"https://token.actions.githubusercontent.com","claims":{"repository_id":"1"}}"#,
        ),
        ("publisher list my-agent", &page(&publisher), "GET /api/v1/publishers?repository=ada/my-agent&limit=1000"),
        ("publisher remove 3", &none, "DELETE /api/v1/publishers/3"),
        (
            "registry audit --user john --action push --since 2026-01-01T00:00:00Z --limit 5",
            &json!({"items": []}),
            "GET /api/v1/audit?user=john&action=push&since=2026-01-01T00:00:00Z&limit=5",
        ),
    ];
    for (line, answer, expected) in cases {
        assert_eq!(asks(line, answer.clone()).replace("%3A", ":").replace("%2F", "/"), expected, "{line}");
    }
}

#[test]
fn nothing_is_done_by_a_dry_run() {
    let (peer, sandbox) = registry(|_| panic!("nothing is asked for"));
    for line in [
        "user add john --password-stdin",
        "user remove john",
        "user password john",
        "org add team",
        "org member remove team john",
        "team remove team/devs",
        "token create --name ci",
        "token revoke 7",
        "token rotate 7",
        "visibility set my-agent public",
        "configure permission add my-agent:latest --user john --permission write",
        "configure permission remove my-agent --user john",
        "configure tag-rule remove my-agent v*",
        "publisher remove 3",
    ] {
        let ran = agent(&peer, &sandbox, &format!("{line} --dry-run")).ok();
        assert!(ran.stderr.contains("would ") && ran.stderr.contains("nothing was done"), "{line}: {ran}");
    }
    assert!(peer.take_lines().iter().all(|line| line == "GET /api/v1"));
}

#[test]
fn what_was_done_is_said_and_a_grant_is_for_all_tags() {
    let (peer, sandbox) = registry(|request| match request.path() {
        "/api/v1/users" => Some(user()),
        "/api/v1/permissions" => Some(permission()),
        _ => None,
    });
    let shown = |line: &str| agent(&peer, &sandbox, line).to_string().replace(peer.host(), "[host]");
    assert_snapshot!(shown("user add john"), @r"
    exit 0
    -- stdout
    john
    -- stderr
    ✓ added the user john
    john has no password; `agent token create --user john --name NAME` makes a token to sign in with
    ");
    assert_snapshot!(shown("configure permission add my-agent:latest --user john --permission read"), @r"
    exit 0
    -- stdout
    [host]/ada/my-agent
    -- stderr
    ✓ user john may read [host]/ada/my-agent, all its tags
    ");
    assert_snapshot!(shown("user remove john"), @r"
    exit 79
    -- stderr
    error: http://[host] answered 404 to DELETE /api/v1/users/john: there is none
    hint: check the name, and whether you may see it: `agent whoami`
    ");
    for line in [
        "configure permission add my-agent --permission read",
        "configure permission add my-agent --user a --team b/c --permission read",
        "configure permission add my-agent --user a --permission owner",
        "team add devs",
        "token create --name x --scope everything",
        "token create --name x --expires tomorrow",
        "visibility set my-agent secret",
        "permission explain john fly my-agent",
    ] {
        agent(&peer, &sandbox, line).failed(2);
    }
}

#[test]
fn a_new_token_is_alone_on_stdout_and_shown_nowhere_else() {
    let secret = "agr_fresh00000000000000000000000000000000";
    let (peer, sandbox) = registry(move |request| {
        Some(json!({
            "token": secret, "id": 8, "user": "ada", "name": "ci", "kind": "access", "scopes": ["read", "write"],
            "repositories": ["team/*"], "created_at": AT, "expires_at": "2026-04-01T00:00:00Z"
        }))
        .filter(|_| request.method == "POST")
    });
    let line = "token create --name ci --scope read,write --repository team/* --expires 90d --verbose";
    let ran = agent(&peer, &sandbox, line).ok();
    assert_eq!(ran.stdout, format!("{secret}\n"));
    assert!(!ran.stderr.contains(secret), "{ran}");
    assert!(ran.stderr.contains("for read,write in team/* until 2026-04-01"), "{ran}");
    let body: Value = serde_json::from_str(&peer.seen().last().unwrap().body).unwrap();
    assert_eq!(body, json!({"name": "ci", "scopes": ["read", "write"], "repositories": ["team/*"], "expires": "90d"}));
    let ran = agent(&peer, &sandbox, "token rotate 7 --overlap 1h --format json").ok();
    assert_eq!(ran.json()["token"], secret);
    assert_eq!(peer.seen().last().unwrap().line(), "POST /api/v1/tokens/7/rotate {\"overlap_seconds\":3600}");
}

#[test]
fn an_explanation_names_the_rule_or_every_one_that_was_tried() {
    let (peer, sandbox) = registry(|request| {
        let allowed = request.target.contains("action=pull");
        Some(json!({
            "user": "john", "action": if allowed { "pull" } else { "push" }, "repository": "ada/my-agent",
            "allowed": allowed, "rule": allowed.then_some("grant to user"),
            "tried": [{"rule": "administrator", "reason": "john is none\u{1b}[2J"}]
        }))
    });
    let ran = agent(&peer, &sandbox, "permission explain john read my-agent").ok();
    assert_eq!(ran.stdout, format!("john may pull {}/ada/my-agent: grant to user\n", peer.host()));
    let ran = agent(&peer, &sandbox, "permission explain john push my-agent").ok();
    assert!(ran.stdout.contains("john may not push"), "{ran}");
    assert!(ran.stdout.contains("  not by administrator: john is none"), "{ran}");
    assert!(!ran.stdout.contains('\u{1b}'), "{ran}");
}

#[test]
fn a_conflict_and_a_wrong_token_have_their_own_exit_codes() {
    let peer = Peer::serve(|request| match (request.path(), request.method.as_str(), request.authorization()) {
        ("/api/v1", _, None) => Reply::json(
            r#"{"name":"agent-registry","version":"1","default_namespace":"default","authentication":true}"#,
        ),
        (_, _, Some("Bearer old") | None) => Reply::problem(401, "the token is worth nothing"),
        ("/api/v1", ..) => {
            Reply::json(r#"{"name":"agent-registry","version":"1","default_namespace":"ada","authentication":true}"#)
        }
        (_, "POST", _) => Reply::problem(409, "the name john is taken"),
        (_, "DELETE", _) => Reply::problem(409, "john is the last owner of team"),
        _ => Reply::problem(403, "only administrators may do it"),
    });
    let sandbox = Sandbox::new();
    let with = |token: &str, line: &str| {
        sandbox.run(sandbox.typed(line).env("AGENT_REGISTRY_URL", &peer.url).env("AGENT_REGISTRY_TOKEN", token))
    };
    assert!(with("new", "user add john").failed(80).stderr.contains("the name john is taken"));
    assert!(with("new", "org member remove team john").failed(80).stderr.contains("the last owner"));
    assert!(with("new", "user list").failed(77).stderr.contains("only administrators"));
    let ran = with("old", "user list").failed(77);
    assert!(ran.stderr.contains("does not accept this credential"), "{ran}");
    assert!(with("", "user list").failed(77).stderr.contains("hint: sign in to"));
}

#[test]
fn other_registries_have_no_people_for_this_program() {
    let peer = Peer::serve(|_| Reply::new(404));
    let sandbox = Sandbox::new();
    sandbox.write("agent.yaml", AGENT);
    for line in ["user list", "token create --name x", "configure permission list a/my-agent"] {
        let ran = sandbox.agent(&format!("{line} --registry {}", peer.url)).failed(2);
        assert!(ran.stderr.contains("is no registry of this program"), "{line}: {ran}");
    }
    let ran = sandbox.agent(&format!("push a/my-agent:1.0.0 --visibility private --registry {}", peer.url)).failed(2);
    assert!(ran.stderr.contains("cannot be told who may see a package, so nothing was pushed"), "{ran}");
    assert!(peer.seen().iter().all(|request| request.method == "GET"), "{:?}", peer.take_lines());
}

#[test]
fn visibility_is_settled_before_the_first_byte() {
    let (peer, sandbox) = registry(|request| (request.method == "PUT").then_some(Value::Null));
    sandbox.write("agent.yaml", AGENT);
    // This registry stores nothing: what matters is what comes first.
    agent(&peer, &sandbox, "push my-agent:latest --visibility public");
    let writes: Vec<_> = peer.take_lines().into_iter().filter(|line| !line.starts_with("GET")).collect();
    assert_eq!(writes[0], r#"PUT /api/v1/repositories/ada/my-agent {"visibility":"public"}"#);
    agent(&peer, &sandbox, "push my-agent:latest --visibility public --dry-run").ok();
    assert!(peer.take_lines().iter().all(|line| line.starts_with("GET") || line.starts_with("HEAD")));

    let refusing = Peer::serve(|request| match request.path() {
        "/api/v1" => {
            Reply::json(r#"{"name":"agent-registry","version":"1","default_namespace":"a","authentication":true}"#)
        }
        path if path.starts_with("/api/") => Reply::problem(403, "only its owner may change who sees it"),
        _ => Reply::new(500),
    });
    let ran = sandbox.agent(&format!("push my-agent:latest --visibility public --registry {}", refusing.url));
    assert!(ran.failed(77).stderr.contains("only its owner"));
    assert!(refusing.seen().iter().all(|request| !request.path().starts_with("/v2/")), "nothing was sent");
}
