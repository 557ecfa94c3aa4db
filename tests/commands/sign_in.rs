//! Signing in and out: what is tried, what is kept and where, and that no secret is seen anywhere else.

use std::fs;
use std::io::{Read as _, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::process::{Command, Stdio};

use insta::assert_snapshot;
use serde_json::{Value, json};

use crate::peer::{Peer, Reply};
use crate::sandbox::{Ran, Sandbox};

/// What must never be printed.
const PASSWORD: &str = "hunter2-canary";
const TOKEN: &str = "agr_canary0000000000000000000000000000000";
/// `bob` with the password, as a header.
const BOB: &str = "Basic Ym9iOmh1bnRlcjItY2FuYXJ5";

/// The registry of another project, which asks for a password.
fn other_registry() -> Peer {
    Peer::serve(|request| match (request.authorization(), request.path()) {
        (Some(BOB), "/v2/") => Reply::json("{}"),
        (Some(BOB), _) | (_, "/api/v1") => Reply::new(404),
        _ => Reply::basic_challenge(),
    })
}

/// A registry of this program, as far as signing in goes.
fn our_registry() -> Peer {
    Peer::serve(|request| {
        let is_known = request.authorization() == Some(&format!("Bearer {TOKEN}"));
        match (request.method.as_str(), request.path()) {
            ("GET", "/api/v1") if is_known || request.authorization().is_none() => Reply::json(&info(is_known)),
            ("POST", "/api/v1/login") => sign_in(&serde_json::from_str(&request.body).unwrap()),
            ("GET", "/v2/") if is_known => Reply::json("{}"),
            ("GET", "/api/v1/me") if is_known => Reply::json(&me()),
            _ => Reply::new(401).header("WWW-Authenticate", "Bearer realm=\"/token\",service=\"s\""),
        }
    })
}

fn info(is_known: bool) -> String {
    let namespace = if is_known { "ada" } else { "default" };
    json!({"name": "agent-registry", "version": "1", "default_namespace": namespace, "authentication": true})
        .to_string()
}

fn sign_in(wanted: &Value) -> Reply {
    if (&wanted["user"], &wanted["password"]) != (&json!("ada"), &json!(PASSWORD)) {
        return Reply::problem(401, "user or password is wrong");
    }
    Reply::json(
        &json!({
            "token": TOKEN, "id": 7, "user": "ada", "name": wanted["name"], "kind": "access", "scopes": ["read"],
            "repositories": [], "created_at": "2026-01-01T00:00:00Z", "expires_at": "2026-04-01T00:00:00Z"
        })
        .to_string(),
    )
}

fn me() -> String {
    json!({
        "name": "ada", "kind": "user", "is_administrator": false, "organisations": [],
        "credential": {"kind": "token", "token": 7, "scopes": ["read", "write"], "repositories": ["ada/**"],
            "expires_at": "2026-04-01T00:00:00Z"}
    })
    .to_string()
}

fn docker_config(sandbox: &Sandbox) -> Value {
    serde_json::from_slice(&fs::read(sandbox.home().join(".docker/config.json")).unwrap()).unwrap()
}

fn without_secrets(ran: Ran) -> Ran {
    for secret in [PASSWORD, TOKEN, "Ym9iOmh1bnRlcjItY2FuYXJ5"] {
        assert!(!ran.stdout.contains(secret) && !ran.stderr.contains(secret), "{ran}");
    }
    ran
}

#[test]
fn a_password_is_tried_kept_as_docker_does_used_and_forgotten() {
    let (peer, sandbox) = (other_registry(), Sandbox::new());
    let host = peer.host();
    let ran = sandbox.agent_with(&format!("login {host} -u bob --password-stdin --verbose"), "wrong\n");
    assert!(ran.failed(77).stderr.contains("does not accept this credential"));
    assert!(!sandbox.home().join(".docker").exists(), "nothing was kept");

    let login = format!("login {host} -u bob --password-stdin --verbose");
    let ran = without_secrets(sandbox.agent_with(&login, &format!("{PASSWORD}\n")).ok());
    assert!(ran.stderr.contains("signed in to") && ran.stderr.contains("kept in"), "{ran}");
    assert_eq!(docker_config(&sandbox), json!({"auths": {host: {"auth": BOB.trim_start_matches("Basic ")}}}));
    let mode = fs::metadata(sandbox.home().join(".docker/config.json")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);

    let ran = without_secrets(sandbox.agent(&format!("registry auth test {host} --verbose")).ok());
    assert!(ran.stdout.contains("accepted") && ran.stdout.contains("bob"), "{ran}");
    assert_eq!(sandbox.agent(&format!("whoami {host}")).ok().stdout, "bob\n");
    sandbox.agent(&format!("logout {host}")).ok();
    assert_eq!(docker_config(&sandbox), json!({"auths": {}}));
    let ran = sandbox.agent(&format!("whoami {host}")).failed(77);
    assert!(ran.stderr.contains(&format!("hint: sign in with `agent login {host}`")), "{ran}");
    let ran = sandbox.agent(&format!("logout {host}")).ok();
    assert!(ran.stderr.contains("nothing was kept"), "{ran}");
}

#[test]
fn a_password_for_our_registry_becomes_a_token() {
    let (peer, sandbox) = (our_registry(), Sandbox::new());
    let login = format!("login {} --username ada --password-stdin --format json", peer.url);
    let ran = without_secrets(sandbox.agent_with(&login, PASSWORD).ok());
    assert_eq!(ran.json()["user"], "ada");
    let kept = docker_config(&sandbox).to_string();
    assert!(!kept.contains(PASSWORD), "{kept}");
    let shown: Vec<_> = peer.seen().iter().filter(|seen| format!("{seen:?}").contains(PASSWORD)).cloned().collect();
    assert_eq!(shown.len(), 1, "the password went out once");
    assert_eq!(shown[0].path(), "/api/v1/login");
    let ran = without_secrets(sandbox.agent(&format!("registry auth test {}", peer.url)).ok());
    assert_snapshot!(ran.stdout.replace(&peer.url, "[url]"), @r"
    Registry       [url]
    Credential     accepted
    User           ada
    Scopes         read, write
    Repositories   ada/**
    Expires        2026-04-01T00:00:00Z
    ");
    assert_eq!(sandbox.agent(&format!("whoami {}", peer.url)).ok().stdout, "ada\n");
    let dry = sandbox.agent_with(&format!("{login} --dry-run"), "other").failed(77);
    assert!(!dry.to_string().contains("other\n"), "{dry}");
}

#[test]
fn a_token_goes_into_the_profile_of_its_registry() {
    let (peer, sandbox) = (our_registry(), Sandbox::new());
    sandbox.agent(&format!("configure profile add work --registry {}", peer.url)).ok();
    let ran = without_secrets(sandbox.agent_with("login --token-stdin", TOKEN).ok());
    assert!(ran.stderr.contains("as ada") && ran.stderr.contains("kept in profile work"), "{ran}");
    let settings: Value = serde_json::from_slice(&fs::read(sandbox.home().join("config.json")).unwrap()).unwrap();
    assert_eq!(settings["profiles"]["work"]["pat"], TOKEN);
    assert!(!sandbox.home().join(".docker").exists());
    assert_eq!(sandbox.agent("whoami").ok().stdout, "ada\n");
    assert_eq!(sandbox.agent("whoami --format json").ok().json()["credential"]["token"], 7);
    without_secrets(sandbox.agent("logout").ok());
    sandbox.agent("whoami").failed(77);
    let ran = sandbox.agent_with(&format!("login {} --token-stdin --store docker", peer.host()), TOKEN).ok();
    assert!(ran.stderr.contains("config.json"), "{ran}");
    assert!(docker_config(&sandbox)["auths"][peer.host()]["auth"].is_string());
    assert_eq!(sandbox.agent("whoami").ok().stdout, "ada\n", "found again in docker's file");
    sandbox.agent_with(&format!("login {} --token-stdin --store helper", peer.host()), TOKEN).failed(78);
    sandbox.agent_with("login localhost:1 --token-stdin --store profile", TOKEN).failed(78);
}

#[test]
fn a_credential_helper_keeps_and_forgets() {
    let (peer, sandbox) = (other_registry(), Sandbox::new());
    let programs = sandbox.path("bin");
    let vault = sandbox.path("vault");
    // The protocol of docker's helpers, for one server.
    let script = format!(
        "#!/bin/sh\ncase \"$1\" in\n  store) cat > {0} ;;\n  get) cat > /dev/null; [ -f {0} ] && cat {0} || \
         {{ echo credentials not found in native keychain; exit 1; }} ;;\n  erase) cat > /dev/null; rm {0} ;;\nesac\n",
        vault.display()
    );
    sandbox.write("bin/docker-credential-vault", &script);
    fs::set_permissions(programs.join("docker-credential-vault"), fs::Permissions::from_mode(0o755)).unwrap();
    fs::create_dir_all(sandbox.home().join(".docker")).unwrap();
    let before = json!({"credsStore": "vault", "auths": {peer.host(): {"auth": "b2xkOm9sZA=="}}, "detachKeys": "x"});
    fs::write(sandbox.home().join(".docker/config.json"), before.to_string()).unwrap();
    let path = format!("{}:/usr/bin:/bin", programs.display());
    let agent = |line: &str, input: &str| sandbox.run_with(sandbox.typed(line).env("PATH", &path), input);

    let login = format!("login {} -u bob --password-stdin --store helper", peer.host());
    let ran = without_secrets(agent(&login, PASSWORD).ok());
    assert!(ran.stderr.contains("kept in docker-credential-vault"), "{ran}");
    let kept: Value = serde_json::from_slice(&fs::read(&vault).unwrap()).unwrap();
    assert_eq!(kept, json!({"ServerURL": peer.host(), "Username": "bob", "Secret": PASSWORD}));
    let expected = json!({"credsStore": "vault", "auths": {peer.host(): {}}, "detachKeys": "x"});
    assert_eq!(docker_config(&sandbox), expected, "no secret beside the helper");
    assert_eq!(agent(&format!("whoami {}", peer.host()), "").ok().stdout, "bob\n");
    let ran = agent(&format!("logout {}", peer.host()), "").ok();
    assert!(ran.stderr.contains("docker-credential-vault"), "{ran}");
    assert!(!vault.exists());
    agent(&format!("whoami {}", peer.host()), "").failed(77);
}

#[test]
fn podmans_file_is_read_too() {
    let (peer, sandbox) = (other_registry(), Sandbox::new());
    let auths = json!({"auths": {peer.host(): {"auth": BOB.trim_start_matches("Basic ")}}}).to_string();
    sandbox.write("auth.json", &auths);
    sandbox.write("run/containers/auth.json", &auths);
    for (variable, value) in [("REGISTRY_AUTH_FILE", "auth.json"), ("XDG_RUNTIME_DIR", "run")] {
        let line = format!("whoami {}", peer.host());
        let ran = sandbox.run(sandbox.typed(&line).env(variable, sandbox.path(value))).ok();
        assert_eq!(ran.stdout, "bob\n", "{variable}");
    }
}

#[test]
fn a_registry_that_asks_nobody_is_told() {
    let peer = Peer::serve(|request| if request.path() == "/v2/" { Reply::json("{}") } else { Reply::new(404) });
    let sandbox = Sandbox::new();
    let ran = sandbox.agent_with(&format!("login {} -u bob --password-stdin", peer.host()), PASSWORD).ok();
    assert!(ran.stderr.contains("asks nobody for a credential"), "{ran}");
    assert!(!ran.stderr.contains("signed in"), "{ran}");
    assert!(peer.seen().iter().all(|request| request.authorization().is_none()));
    let ran = sandbox.agent(&format!("registry ping {}", peer.host())).ok();
    assert!(ran.stderr.contains("an OCI registry answers in"), "{ran}");
    assert_eq!(ran.stdout, format!("{}\n", peer.url));
    sandbox.agent("registry ping 127.0.0.1:1").failed(69);
}

#[test]
fn without_a_terminal_a_secret_must_come_from_stdin() {
    let sandbox = Sandbox::new();
    let mut command = Command::new("setsid");
    command.arg("--wait").arg(env!("CARGO_BIN_EXE_agent")).args(["login", "127.0.0.1:1", "-u", "bob"]).env_clear();
    command.env("HOME", sandbox.home()).env("AGENT_HOME", sandbox.home()).env("PATH", "/usr/bin:/bin");
    assert_snapshot!(sandbox.run(command.stdin(Stdio::null())), @r"
    exit 2
    -- stderr
    error: a secret is needed, and there is no terminal to ask for it
    hint: give it on stdin, with `--password-stdin` or `--token-stdin`
    ");
    sandbox.agent("login 127.0.0.1:1 --password-stdin").failed(2);
    sandbox.agent_with("login 127.0.0.1:1 -u bob --password-stdin", "").failed(2);
}

/// `script` gives the command a terminal, which shows what is typed unless it is told not to.
#[test]
fn a_password_typed_on_a_terminal_is_not_shown() {
    let (peer, sandbox) = (other_registry(), Sandbox::new());
    let agent = env!("CARGO_BIN_EXE_agent");
    let mut command = Command::new("script");
    command.args(["--quiet", "--return", "--echo", "always", "--command"]);
    command.arg(format!("{agent} login {}", peer.host())).arg("/dev/null").env_clear();
    command.env("HOME", sandbox.home()).env("AGENT_HOME", sandbox.home()).env("PATH", "/usr/bin:/bin");
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let (mut keys, mut screen) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
    let mut shown = String::new();
    for (prompt, typed) in [("(empty for a token): ", "bob\n"), ("Password or token: ", PASSWORD), ("", "\n")] {
        while !shown.ends_with(prompt) {
            let mut byte = [0];
            screen.read_exact(&mut byte).unwrap();
            shown.push(char::from(byte[0]));
        }
        keys.write_all(typed.as_bytes()).unwrap();
    }
    screen.read_to_string(&mut shown).unwrap();
    assert!(child.wait().unwrap().success(), "{shown}");
    assert!(shown.contains("bob") && shown.contains("signed in to"), "{shown}");
    assert!(!shown.contains(PASSWORD), "{shown}");
    assert!(docker_config(&sandbox)["auths"][peer.host()]["auth"].is_string());
}
