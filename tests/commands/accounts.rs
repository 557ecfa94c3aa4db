//! A registry with accounts, from its first start: who may do what, as people type it.

use std::fs;

use serde_json::{Value, json};

use crate::sandbox::{AGENT, Ran, Registry, Sandbox};

/// A registry, its administrator, and what people there have in their folders.
struct Scene {
    registry: Registry,
    admin: Sandbox,
}

impl Scene {
    /// A fresh registry whose administrator has signed in with the token it made up.
    fn new() -> Self {
        let (registry, token) = Registry::with_accounts();
        let admin = Sandbox::with(&registry);
        admin.agent_with("login --token-stdin", &token).ok();
        Self { registry, admin }
    }

    /// Somebody with an agent in the folder, signed in with a new token.
    fn user(&self, name: &str) -> Sandbox {
        self.admin.agent(&format!("user add {name}")).ok();
        let made = self.admin.agent(&format!("token create --user {name} --name laptop")).ok();
        self.somebody(Some(made.last_line()))
    }

    /// Somebody with an agent in the folder, perhaps signed in.
    fn somebody(&self, token: Option<&str>) -> Sandbox {
        let sandbox = Sandbox::with(&self.registry);
        sandbox.write("agent.yaml", AGENT);
        if let Some(token) = token {
            sandbox.agent_with("login --token-stdin", token).ok();
        }
        sandbox
    }

    fn admin(&self, line: &str) -> Ran {
        self.admin.agent(line)
    }
}

/// Pulls into a folder of its own.
fn pull(sandbox: &Sandbox, name: &str) -> Ran {
    sandbox.agent(&format!("pull {name} --directory pulled --force"))
}

#[test]
fn a_team_shares_a_private_agent() {
    let scene = Scene::new();
    let (ada, john, stranger) = (scene.user("ada"), scene.user("john"), scene.somebody(None));
    ada.agent("org add ai-team").ok();
    ada.agent("team add ai-team/developers --role write").ok();
    ada.agent("push ai-team/my-agent:latest --visibility private").ok();
    for who in [&john, &stranger] {
        assert!(matches!(pull(who, "ai-team/my-agent:latest").code, 77 | 79));
        assert_eq!(who.agent("images --quiet").ok().stdout, "", "nobody else knows of it");
    }
    john.agent("push ai-team/my-agent:0.2.0").failed(77);

    ada.agent("team member add ai-team/developers john").failed(80);
    ada.agent("org member add ai-team john").ok();
    ada.agent("team member add ai-team/developers john").ok();
    pull(&john, "ai-team/my-agent:latest").ok();
    john.agent("push ai-team/my-agent:0.2.0").ok();
    let explained = ada.agent("permission explain john push ai-team/my-agent").ok();
    assert!(explained.stdout.ends_with(": team-role ai-team/developers\n"), "{explained}");

    ada.agent("team member remove ai-team/developers john").ok();
    assert_eq!(pull(&john, "ai-team/my-agent:latest").code, 79, "at once, with the same token");
    let ran = ada.agent("org member remove ai-team ada").failed(80);
    assert!(ran.stderr.contains("owner"), "{ran}");
}

#[test]
fn the_lines_that_were_promised_work_as_written() {
    let scene = Scene::new();
    let (ada, john) = (scene.user("ada"), scene.user("john"));
    ada.agent("push my-agent:latest").ok();
    let name = format!("{}/ada/my-agent", scene.registry.host());
    assert_eq!(pull(&john, "ada/my-agent:latest").code, 79);
    let dry = "configure permission add my-agent:latest --user john --permission read --dry-run";
    ada.agent(dry).ok();
    assert_eq!(pull(&john, "ada/my-agent:latest").code, 79, "nothing was done");

    let ran = ada.agent("configure permission add my-agent:latest --user john --permission read").ok();
    assert_eq!(ran.stdout, format!("{name}\n"));
    assert!(ran.stderr.contains("all its tags"), "{ran}");
    pull(&john, "ada/my-agent:latest").ok();
    john.agent("push ada/my-agent:1.0.0").failed(77);
    ada.agent("configure permission add my-agent:latest --user john --permission write").ok();
    john.agent("push ada/my-agent:1.0.0").ok();
    john.agent("visibility set ada/my-agent public").failed(77);
    ada.agent("configure permission add my-agent:latest --user john --permission admin --expires 30d").ok();
    john.agent("visibility set ada/my-agent public").ok();
    let listed = ada.agent("configure permission list my-agent --format json").ok().json();
    assert_eq!((&listed[0]["grantee"], &listed[0]["level"]), (&json!({"user": "john"}), &json!("admin")));
    assert!(listed[0]["expires_at"].is_string(), "{listed}");
    ada.agent("visibility set my-agent private").ok();
    ada.agent("configure permission remove my-agent --user john").ok();
    assert_eq!(pull(&john, "ada/my-agent:latest").code, 79);
    assert_eq!(ada.agent("configure permission list my-agent --quiet").ok().stdout, "");
    ada.agent("configure permission add my-agent --user nobody-at-all --permission read").failed(79);
}

#[test]
fn visibility_is_what_strangers_see() {
    let scene = Scene::new();
    let (ada, stranger) = (scene.user("ada"), scene.somebody(None));
    ada.agent("push my-agent:latest").ok();
    assert_eq!(ada.agent("visibility get my-agent").ok().stdout, "private\n");
    assert_eq!(pull(&stranger, "ada/my-agent:latest").code, 77);
    assert_eq!(pull(&stranger, "ada/absent:latest").code, 77, "missing and hidden are the same");
    let ran = stranger.agent("push ada/my-agent:latest --visibility public").failed(77);
    assert!(ran.stderr.contains("agent login"), "{ran}");
    ada.agent("push my-agent:latest --visibility public").ok();
    pull(&stranger, "ada/my-agent:latest").ok();
    assert_eq!(stranger.agent("images --quiet").ok().stdout.lines().count(), 1);
    stranger.agent("push ada/my-agent:9.0.0").failed(77);
    let john = scene.user("john");
    let ran = john.agent("push ada/my-agent:latest --visibility private").failed(77);
    assert!(!ran.stderr.contains("pushed"), "{ran}");
    assert_eq!(ada.agent("visibility get my-agent").ok().stdout, "public\n");
}

#[test]
fn a_password_buys_a_token_and_is_not_kept() {
    let scene = Scene::new();
    let password = "correct horse battery";
    scene.admin.agent_with("user add ada --password-stdin", password).ok();
    let ada = scene.somebody(None);
    let wrong = ada.agent_with("login -u ada --password-stdin", "wrong horse").failed(77);
    assert!(!wrong.to_string().contains("wrong horse"), "{wrong}");
    assert!(!ada.home().join(".docker").exists());
    ada.agent_with("login -u nobody --password-stdin", password).failed(77);
    let ran = ada.agent_with("login -u ada --password-stdin --verbose", password).ok();
    assert!(ran.stderr.contains("signed in") && !ran.to_string().contains(password), "{ran}");
    assert_eq!(ada.agent("whoami").ok().stdout, "ada\n");
    ada.agent("push my-agent:latest").ok();
    let kept = fs::read_to_string(ada.home().join(".docker/config.json")).unwrap();
    assert!(!kept.contains(password), "{kept}");
    ada.agent_with("user password ada --password-stdin", "another horse battery").ok();
    scene.somebody(None).agent_with("login -u ada --password-stdin", password).failed(77);
    ada.agent_with("user password ada --password-stdin", "short").failed(1);
}

#[test]
fn a_token_reaches_as_far_as_it_says_and_ends_at_once() {
    let scene = Scene::new();
    let ada = scene.user("ada");
    ada.agent("push my-agent:latest").ok();
    let made =
        ada.agent("token create --name ci --scope read --repository ada/* --expires 1d --format json").ok().json();
    let (id, secret) = (made["id"].as_i64().unwrap(), made["token"].as_str().unwrap());
    let ci = scene.somebody(Some(secret));
    pull(&ci, "ada/my-agent:latest").ok();
    ci.agent("push ada/my-agent:1.0.0").failed(77);
    ci.agent("token create --name more").failed(77);
    let told = ci.agent("registry auth test --format json").ok().json();
    assert_eq!(told["caller"]["credential"]["scopes"], json!(["read"]));
    assert_eq!(told["caller"]["credential"]["repositories"], json!(["ada/*"]));

    let rotated = ada.agent(&format!("token rotate {id} --overlap 1h")).ok();
    let newer = scene.somebody(Some(rotated.last_line()));
    for sandbox in [&ci, &newer] {
        pull(sandbox, "ada/my-agent:latest").ok();
    }
    ada.agent(&format!("token revoke {id}")).ok();
    ci.agent("whoami").failed(77);
    assert_eq!(pull(&ci, "ada/my-agent:latest").code, 77);
    newer.agent("whoami").ok();
    let listed: Vec<Value> = serde_json::from_str(&ada.agent("token list --format json").ok().stdout).unwrap();
    let revoked = listed.iter().find(|token| token["id"] == id);
    assert!(revoked.is_none_or(|token| token["revoked_at"].is_string()), "{listed:?}");
    assert!(!format!("{listed:?}").contains(secret), "a token is shown once");
    for who in [&scene.somebody(None), &ada] {
        assert!(matches!(who.agent("token revoke 1").code, 77 | 79));
    }
    scene.admin("whoami").ok();
}

#[test]
fn a_name_that_is_gone_stays_taken_until_it_is_freed() {
    let scene = Scene::new();
    let john = scene.user("john");
    john.agent("push my-agent:latest").ok();
    assert!(scene.admin("user add john").failed(80).stderr.contains("john"));
    scene.admin("org add john").failed(80);
    let ran = scene.admin("user remove john --format json").ok().json();
    assert_eq!(ran["repositories"], 1);
    assert!(ran["packages_now_owned_by"].is_string(), "{ran}");
    john.agent("whoami").failed(77);
    pull(&scene.admin, "john/my-agent:latest").ok();
    scene.admin("user add john").failed(80);
    scene.admin("user list").ok();
    for line in ["user add admin", "user add api", "user add Ada", "user add a/b"] {
        assert_ne!(scene.admin(line).code, 0, "{line}");
    }
}

#[test]
fn tags_that_never_move_do_not() {
    let scene = Scene::new();
    let ada = scene.user("ada");
    ada.agent("push my-agent:1.0.0").ok();
    ada.agent("configure tag-rule add my-agent semver --immutable").ok();
    ada.agent("configure tag-rule add my-agent latest --level admin").ok();
    assert_eq!(ada.agent("configure tag-rule list my-agent --quiet").ok().stdout, "semver\nlatest\n");
    let ran = ada.agent("push my-agent:1.0.0 --force --description other").failed(77);
    assert!(ran.stderr.contains("immutable"), "{ran}");
    ada.agent("push my-agent:1.1.0 --set-version --description other").ok();
    ada.agent("configure tag-rule remove my-agent semver").ok();
    ada.agent("push my-agent:1.0.0 --force --description other").ok();
    ada.agent("configure tag-rule remove my-agent semver").failed(79);
    ada.agent("configure tag-rule remove my-agent latest").ok();
    assert_eq!(ada.agent("configure tag-rule list my-agent --quiet").ok().stdout, "");
}

#[test]
fn administrators_read_what_happened_and_nobody_else() {
    let scene = Scene::new();
    let john = scene.user("john");
    john.agent("registry audit").failed(77);
    john.agent("user list").failed(77);
    john.agent("push admin/my-agent:1.0.0").failed(77);
    let denied = scene.admin("registry audit --user john --since 1d --format json").ok().json();
    let denied: Vec<_> = denied.as_array().unwrap().iter().filter(|entry| entry["outcome"] == "denied").collect();
    assert!(denied.iter().any(|entry| entry["object"].to_string().contains("admin/my-agent")), "{denied:?}");
    let made = scene.admin("registry audit --user admin --limit 50").ok();
    assert!(made.stdout.contains("john"), "{made}");
    assert_eq!(scene.admin("registry audit --limit 1 --format jsonl").ok().stdout.lines().count(), 1);
}
