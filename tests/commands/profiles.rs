//! Profiles: kept under names, with tokens only their owner can read.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use insta::assert_snapshot;
use serde_json::{Value, json};

use crate::peer::{Peer, Reply};
use crate::sandbox::Sandbox;

/// A secret that must never be seen where it does not belong.
const SECRET: &str = "s3cret-canary";

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

fn settings(sandbox: &Sandbox) -> Value {
    serde_json::from_slice(&fs::read(sandbox.home().join("config.json")).unwrap()).unwrap()
}

#[test]
fn profiles_are_added_chosen_and_removed() {
    let sandbox = Sandbox::new();
    assert_snapshot!(sandbox.agent("configure profile list"), @r"
    exit 0
    -- stderr
    there are no profiles; add one with `agent configure profile add NAME --registry URL`
    ");
    sandbox.agent_with("configure profile add work --registry https://r.example --pat-stdin", SECRET).ok();
    let ran = sandbox.agent(
        "configure profile add home --registry localhost:5000 --description \"at home\" --namespace ada --set-default",
    );
    assert_snapshot!(ran.ok(), @r"
    exit 0
    -- stderr
    ✓ added profile home, used where no profile is named
    ");
    assert_snapshot!(sandbox.agent("configure profile list"), @r"
    exit 0
    -- stdout
    NAME   REGISTRY            TOKEN   DEFAULT   DESCRIPTION
    home   localhost:5000              yes       at home
    work   https://r.example   yes
    ");
    let listed = sandbox.agent("configure profile list --format json").ok();
    assert!(!listed.stdout.contains(SECRET), "{listed}");
    assert_eq!(listed.json()[1]["has_token"], true);
    assert_eq!(mode(&sandbox.home().join("config.json")), 0o600);
    assert_eq!(mode(&sandbox.home()), 0o700);

    sandbox.agent("configure profile set-default work").ok();
    assert_eq!(settings(&sandbox)["default_profile"], "work");
    sandbox.agent("configure profile remove home --dry-run").ok();
    sandbox.agent("configure profile remove home").ok();
    assert_eq!(settings(&sandbox)["profiles"].as_object().unwrap().len(), 1);
    assert_snapshot!(sandbox.agent("configure profile remove home"), @r"
    exit 78
    -- stderr
    error: no profile `home` in [home]/config.json
    hint: known profiles: work
    ");
    for line in ["add \"a b\" --registry h", "add x", "add x --registry ftp://h", "add x --registry h --pat-stdin"] {
        sandbox.agent(&format!("configure profile {line}")).failed(2);
    }
}

#[test]
fn the_reference_tools_file_is_tightened_once_and_keeps_what_is_not_known() {
    let sandbox = Sandbox::new();
    let file = sandbox.home().join("config.json");
    fs::create_dir_all(sandbox.home()).unwrap();
    let upstream = json!({
        "profiles": {"work": {"registry": "https://r.example", "pat": SECRET, "description": "", "team": "x"}},
        "default_profile": "work", "telemetry": false
    });
    fs::write(&file, upstream.to_string()).unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
    let ran = sandbox.agent("configure profile list").ok();
    assert!(ran.stderr.contains("warning: other users could read the tokens in"), "{ran}");
    assert_eq!(mode(&file), 0o600);
    assert_eq!(settings(&sandbox), upstream, "nothing else has changed");
    let ran = sandbox.agent("configure profile list").ok();
    assert!(!ran.stderr.contains("warning"), "{ran}");

    sandbox.agent("configure profile add work --registry https://r.example --description new").ok();
    let mut expected = upstream;
    expected["profiles"]["work"]["description"] = json!("new");
    assert_eq!(settings(&sandbox), expected, "the token of the same registry stays");
    sandbox.agent("configure profile add work --registry https://r.example.evil").ok();
    assert_eq!(settings(&sandbox)["profiles"]["work"]["pat"], "", "a token goes to no other registry");
}

#[test]
fn a_token_is_tried_before_it_is_kept() {
    let peer = Peer::serve(|request| match request.authorization() {
        Some("Bearer good") => Reply::json("{}"),
        _ => Reply::basic_challenge(),
    });
    let sandbox = Sandbox::new();
    let add = format!("configure profile add work --registry {} --pat-stdin --test", peer.url);
    let ran = sandbox.agent_with(&add, SECRET).failed(77);
    assert!(!ran.to_string().contains(SECRET), "{ran}");
    assert!(!sandbox.home().join("config.json").exists());
    sandbox.agent_with(&add, "good\n").ok();
    assert_snapshot!(sandbox.agent("configure profile test --format json").ok().stdout.replace(&peer.url, "[url]"), @r#"
    {
      "accepted": true,
      "has_token": true,
      "profile": "work",
      "registry": "[url]"
    }
    "#);
    sandbox.agent("configure profile test nobody").failed(78);
}

#[test]
fn a_token_on_the_command_line_is_taken_with_a_word_about_it() {
    let sandbox = Sandbox::new();
    let ran = sandbox.agent(&format!("configure profile add work --registry h --pat {SECRET} --verbose")).ok();
    assert!(ran.stderr.contains("other users can read a token on the command line"), "{ran}");
    assert!(!ran.to_string().contains(SECRET), "{ran}");
    assert_eq!(settings(&sandbox)["profiles"]["work"]["pat"], SECRET);
}

#[test]
fn the_older_settings_file_is_taken_over() {
    let sandbox = Sandbox::new();
    let yaml = format!(
        "registries:\n  default:\n    url: https://r.example\n    auth: {{type: token, token: {SECRET}}}\n  \
         by-name:\n    url: https://u.example\n    auth: {{type: username, username: bob, password: pw}}\n  \
         variable:\n    url: https://v.example\n    auth: {{type: token, token: \"${{TOKEN}}\"}}\n  \
         oauth:\n    url: https://o.example\n    auth: {{type: oauth2, client_id: x, client_secret: y}}\n  \
         broken:\n    url: ftp://b.example\n"
    );
    fs::create_dir_all(sandbox.home().join(".aac")).unwrap();
    fs::write(sandbox.home().join(".aac/config.yaml"), &yaml).unwrap();
    let ran = sandbox.agent("configure profile list").ok();
    assert!(ran.stderr.contains("agent configure profile import"), "{ran}");
    let ran = sandbox.agent("configure profile import").ok();
    assert!(!ran.to_string().contains(SECRET), "{ran}");
    assert_eq!(ran.stdout, "by-name\ndefault\noauth\nvariable\n");
    for told in ["left out: broken", "oauth signs in by OAuth", "the token of variable is a variable"] {
        assert!(ran.stderr.contains(told), "{told}: {ran}");
    }
    let written = settings(&sandbox);
    assert_eq!(written["default_profile"], "default");
    assert_eq!(written["profiles"]["default"]["pat"], SECRET);
    assert_eq!(written["profiles"]["by-name"], json!({"registry": "https://u.example", "user": "bob", "pat": "pw"}));
    assert_eq!(written["profiles"]["variable"], json!({"registry": "https://v.example"}));
    let ran = sandbox.agent("configure profile import").ok();
    assert_eq!(ran.stdout, "", "what is there is left alone: {ran}");

    sandbox.write("bad.yaml", &format!("registries: [{SECRET}: {{\n"));
    let ran = sandbox.agent("configure profile import bad.yaml").failed(78);
    assert!(!ran.to_string().contains(SECRET), "{ran}");
}
