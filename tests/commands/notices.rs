//! Yanked, deprecated, deleted and rated from the command line, and what whoever pulls is told.

use insta::assert_snapshot;
use serde_json::json;

use crate::peer::{Peer, Reply};
use crate::sandbox::{AGENT, Registry, Sandbox};

/// Versions of one agent, each with bytes of its own.
fn push(sandbox: &Sandbox, versions: &[&str]) {
    for version in versions {
        sandbox.write("agent.yaml", AGENT);
        let line = format!("push team/my-agent:{version} --set-version --description \"version {version}\"");
        sandbox.agent(&line).ok();
    }
}

/// The warnings a command printed.
fn warnings(ran: &crate::sandbox::Ran) -> Vec<&str> {
    ran.stderr.lines().filter(|line| line.starts_with("warning:")).collect()
}

#[test]
fn a_yanked_version_is_pulled_by_its_name_alone_and_with_a_warning() {
    let registry = Registry::start();
    let sandbox = Sandbox::with(&registry);
    push(&sandbox, &["1.0.0", "1.1.0", "2.0.0-rc.1"]);
    assert_snapshot!(sandbox.agent("yank team/my-agent:1.1.0 --message \"loses long texts\" --dry-run"), @r"
    exit 0
    -- stdout
    [host]/team/my-agent:1.1.0
    -- stderr
    would yank [host]/team/my-agent:1.1.0; nothing was done
    ");
    assert_snapshot!(sandbox.agent("yank team/my-agent:1.1.0 --message \"loses long texts\""), @r"
    exit 0
    -- stdout
    [host]/team/my-agent:1.1.0
    -- stderr
    ✓ yanked [host]/team/my-agent:1.1.0
    whoever names it still gets it; `agent unyank team/my-agent:1.1.0` brings it back
    ");
    for line in ["pull team/my-agent:1.1.0 --directory named", "inspect team/my-agent:1.1.0"] {
        let ran = sandbox.agent(line).ok();
        let warnings = warnings(&ran);
        assert!(warnings.len() == 1 && warnings[0].ends_with(" was yanked: loses long texts"), "{ran}");
    }
    let chosen = |line: &str| {
        let ran = sandbox.agent(line).ok();
        assert_eq!(warnings(&ran), [""; 0], "{ran}");
        let (_, version) = ran.last_line().split_once("my-agent:").unwrap();
        version.split('@').next().unwrap().to_owned()
    };
    for name in ["team/my-agent@^1", "team/my-agent", "team/my-agent@*"] {
        assert_eq!(chosen(&format!("pull {name} --directory chosen --force")), "1.0.0", "{name}");
    }
    let json = sandbox.agent("unyank team/my-agent:1.1.0 --format json").ok().json();
    assert_eq!(json, json!({"reference": format!("{}/team/my-agent:1.1.0", registry.host()), "state": {}}));
    assert_eq!(chosen("pull team/my-agent@^1 --directory chosen --force"), "1.1.0");
    assert_eq!(warnings(&sandbox.agent("pull team/my-agent:1.1.0 --directory named").ok()), [""; 0]);
}

#[test]
fn a_deprecated_package_is_still_chosen_and_names_its_successor() {
    let registry = Registry::start();
    let sandbox = Sandbox::with(&registry);
    push(&sandbox, &["1.0.0", "1.1.0"]);
    sandbox.agent("deprecate team/my-agent:1.0.0 --message slow --superseded-by team/my-agent:1.1.0").ok();
    let json = sandbox.agent("deprecate team/my-agent --message \"all of it\" --format json").ok().json();
    assert_eq!(json["state"]["deprecated"]["message"], "all of it");
    for (name, warning) in [
        ("team/my-agent:1.0.0", "version 1.0.0 of team/my-agent is deprecated: slow; use team/my-agent:1.1.0 instead"),
        ("team/my-agent@^1", "team/my-agent is deprecated: all of it"),
    ] {
        let ran = sandbox.agent(&format!("pull {name} --directory pulled --force")).ok();
        assert_eq!(warnings(&ran), [format!("warning: the registry says: {warning}")], "{name}");
    }
    let ran = sandbox.agent("deprecate team/my-agent:1.0.0 --undo").ok();
    assert!(ran.stderr.contains("the whole package is deprecated still"), "{ran}");
    sandbox.agent("deprecate team/my-agent --undo --quiet").ok();
    assert_eq!(warnings(&sandbox.agent("inspect team/my-agent:1.0.0").ok()), [""; 0]);
}

#[test]
fn slips_are_told_before_anything_is_done() {
    let registry = Registry::start();
    let sandbox = Sandbox::with(&registry);
    push(&sandbox, &["1.0.0"]);
    sandbox.agent("push team/my-agent:edge").ok();
    for (line, code, word) in [
        ("yank team/my-agent", 2, "names no version"),
        ("yank team/my-agent:edge", 2, "names a tag that is no version"),
        ("yank team/my-agent@^1", 2, "names a range"),
        ("yank team/my-agent:9.9.9 --dry-run", 79, "9.9.9"),
        ("yank team/none:1.0.0", 79, "team/none:1.0.0"),
        ("deprecate team/my-agent:1.0.0", 2, "--message"),
        ("deprecate team/my-agent --undo --message x", 2, "--message"),
        ("deprecate team/my-agent --message x --superseded-by \"No Name\"", 1, "superseded_by"),
        ("delete team/my-agent", 2, "neither a tag nor a digest"),
        ("delete team/my-agent@^1 --yes", 2, "neither a tag nor a digest"),
        ("delete team/my-agent:9.9.9 --yes", 79, "team/my-agent:9.9.9"),
        ("rate team/my-agent", 2, "STARS"),
        ("rate team/my-agent 6", 2, "6 is not in 1..=5"),
        ("rate team/my-agent 5", 2, "asks nobody to sign in"),
    ] {
        let ran = sandbox.agent(line).failed(code);
        assert!(ran.stderr.contains(word), "{line}: {ran}");
    }
    assert_eq!(warnings(&sandbox.agent("inspect team/my-agent:1.0.0").ok()), [""; 0]);
}

#[test]
fn a_tag_goes_alone_and_a_digest_with_all_its_tags() {
    let registry = Registry::start();
    let sandbox = Sandbox::with(&registry);
    push(&sandbox, &["1.0.0", "1.1.0"]);
    let digest = sandbox.agent("inspect team/my-agent:1.1.0 --format json").ok().json()["digest"].clone();
    let digest = digest.as_str().unwrap();
    sandbox.agent("push team/my-agent:edge --description \"version 1.1.0\"").ok();
    let images = || sandbox.agent(&format!("images {}/team/my-agent --format json", registry.host())).ok().json();
    let tags = || {
        let images = images();
        let mut tags: Vec<_> =
            images.as_array().unwrap().iter().map(|row| row["tag"].as_str().unwrap().to_owned()).collect();
        tags.sort();
        tags
    };
    assert_eq!(tags(), ["1.0.0", "1.1.0", "edge"]);
    let ran = sandbox.agent("delete team/my-agent:1.1.0 --dry-run").ok();
    assert!(ran.stderr.contains("would delete") && tags().len() == 3, "{ran}");
    let ran = sandbox.agent("delete team/my-agent:1.1.0").ok();
    assert!(ran.stderr.contains(&format!("still there as {digest}")), "{ran}");
    assert_eq!(tags(), ["1.0.0", "edge"]);
    let elsewhere = Sandbox::with(&registry);
    elsewhere.agent(&format!("pull team/my-agent@{digest}")).ok();

    push(&sandbox, &["1.1.0"]);
    let json = sandbox.agent(&format!("delete team/my-agent@{digest} --yes --format json")).ok().json();
    assert_eq!((&json["tags"], &json["dry_run"]), (&json!(["1.1.0"]), &json!(false)));
    assert_eq!(json["digest"], digest);
    Sandbox::with(&registry).agent(&format!("pull team/my-agent@{digest}")).failed(79);
    sandbox.agent(&format!("delete team/my-agent@{digest}")).failed(79);
    assert_eq!(tags(), ["1.0.0", "edge"]);
}

/// Another registry with one manifest, which answers a deletion with this.
fn other(deletion: Reply) -> Peer {
    let digest = format!("sha256:{}", "0".repeat(64));
    Peer::serve(move |request| match (request.method.as_str(), request.path()) {
        ("DELETE", _) => deletion.clone(),
        ("GET", "/v2/team/my-agent/tags/list") => Reply::json(r#"{"tags":["1.0.0","2.0.0"]}"#),
        (_, path) if path.starts_with("/v2/team/my-agent/manifests/") && !path.ends_with("/2.0.0") => {
            Reply::new(200).header("Docker-Content-Digest", &digest)
        }
        _ => Reply::new(404),
    })
}

#[test]
fn another_registry_deletes_if_it_will_and_keeps_nothing_else() {
    let (sandbox, digest) = (Sandbox::new(), format!("sha256:{}", "0".repeat(64)));
    let willing = other(Reply::new(202));
    let ran = sandbox.agent(&format!("delete {}/team/my-agent@{digest}", willing.host())).ok();
    assert!(ran.stderr.contains("with 1 tag: 1.0.0"), "{ran}");
    let deleted = format!("DELETE /v2/team/my-agent/manifests/{digest}");
    assert!(willing.take_lines().contains(&deleted));
    sandbox.agent(&format!("delete {}/team/my-agent:1.0.0 --dry-run", willing.host())).ok();
    assert!(!willing.take_lines().iter().any(|line| line.starts_with("DELETE")));

    let unsupported = Reply::new(405)
        .header("Content-Type", "application/json")
        .body(r#"{"errors":[{"code":"UNSUPPORTED","message":"The operation is unsupported."}]}"#);
    let unwilling = other(unsupported);
    let host = unwilling.host();
    let ran = sandbox.agent(&format!("delete {host}/team/my-agent:1.0.0")).failed(1);
    assert!(ran.stderr.contains("does not allow deletion"), "{ran}");
    assert!(ran.stderr.contains(&format!("`agent delete {host}/team/my-agent@{digest}`")), "{ran}");
    let ran = sandbox.agent(&format!("delete {host}/team/my-agent@{digest}")).failed(1);
    assert!(ran.stderr.contains("ask who runs the registry"), "{ran}");
    for line in ["yank NAME:1.0.0", "unyank NAME:1.0.0", "deprecate NAME --message x", "rate NAME 5"] {
        let line = line.replace("NAME", &format!("{host}/team/my-agent"));
        let ran = sandbox.agent(&line).failed(2);
        assert!(ran.stderr.contains("is no registry of this program"), "{ran}");
        assert!(ran.stderr.contains("hint: `agent delete` works there"), "{ran}");
    }
}

/// `script` gives the command a terminal.
#[cfg(unix)]
#[test]
fn whoever_sits_at_a_terminal_is_asked_first() {
    use std::io::{Read as _, Write as _};
    use std::process::{Command, Stdio};
    let (peer, sandbox) = (other(Reply::new(202)), Sandbox::new());
    let agent = env!("CARGO_BIN_EXE_agent");
    for (typed, is_deleted) in [("\n", false), ("no\n", false), ("y\n", true)] {
        let mut command = Command::new("script");
        command.args(["--quiet", "--return", "--command"]);
        command.arg(format!("{agent} delete {}/team/my-agent:1.0.0", peer.host())).arg("/dev/null").env_clear();
        command.env("HOME", sandbox.home()).env("AGENT_HOME", sandbox.home()).env("PATH", "/usr/bin:/bin");
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let (mut keys, mut screen) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
        let mut shown = String::new();
        while !shown.ends_with("[y/N] ") {
            let mut byte = [0];
            screen.read_exact(&mut byte).unwrap();
            shown.push(char::from(byte[0]));
        }
        keys.write_all(typed.as_bytes()).unwrap();
        screen.read_to_string(&mut shown).unwrap();
        assert!(child.wait().unwrap().success(), "{shown}");
        assert_eq!(shown.contains("nothing was deleted"), !is_deleted, "{shown}");
        assert_eq!(peer.take_lines().iter().any(|line| line.starts_with("DELETE")), is_deleted, "{typed}");
    }
}

#[test]
fn users_rate_what_they_may_pull() {
    let (registry, token) = Registry::with_accounts();
    let sandbox = Sandbox::with(&registry);
    sandbox.agent_with("login --token-stdin", &token).ok();
    push(&sandbox, &["1.0.0"]);
    assert_snapshot!(sandbox.agent("rate team/my-agent:1.0.0 4 --comment \"finds what I overlook\""), @r"
    exit 0
    -- stdout
    [host]/team/my-agent
    -- stderr
    ✓ rated [host]/team/my-agent with 4
    ");
    let json = sandbox.agent("rate team/my-agent 2 --format json").ok().json();
    assert_eq!((&json["rating"]["stars"], &json["rating"]["user"]), (&json!(2), &json!("admin")));
    sandbox.agent("rate team/my-agent --remove --dry-run").ok();
    sandbox.agent("rate team/my-agent --remove").ok();
    sandbox.agent("rate team/my-agent --remove").failed(79);
    sandbox.agent("rate team/none 2").failed(79);
    let stranger = Sandbox::with(&registry);
    stranger.agent("rate team/my-agent 1").failed(77);
}
