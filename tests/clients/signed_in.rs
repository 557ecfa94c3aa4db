//! One sign-in for everybody: what `agent login` keeps serves other clients, and what docker keeps serves `agent`.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::agent::Agent;
use crate::distribution::distribution_with;
use crate::home::Home;
use crate::packages::example;
use crate::process::Process;
use crate::programs::run;

/// A password of `bob`, and what `htpasswd -B` makes of it.
const PASSWORD: &str = "hunter2-canary";
const HTPASSWD: &str = "bob:$2y$05$abcdefghijklmnopqrstuuVg6uW7bHRPWZkTPjmKIf1dSrkXmege.\n";

/// Our registry with accounts, and the token of its administrator.
fn with_accounts() -> (Process, String) {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("data");
    let mut command = Command::new(env!("CARGO_BIN_EXE_agent"));
    command.args(["registry", "serve", "--listen", "127.0.0.1:0", "--data"]).arg(&data);
    let process = Process::start(command, folder);
    let token = fs::read_to_string(data.join("initial-admin-token")).expect("the first token");
    (process, token)
}

/// Signs in with a secret on stdin.
fn sign_in(command: &mut Command, secret: &str) -> bool {
    let file = tempfile::NamedTempFile::new().expect("a file");
    fs::write(file.path(), secret).expect("a secret");
    run(command.stdin(fs::File::open(file.path()).expect("the secret"))).success
}

/// Reads a tag as each client does, with docker's file in a folder. Whether it could.
fn reads(docker: &Path, reference: &str) -> Vec<(&'static str, bool)> {
    let host = reference.split('/').next().expect("a host");
    let (regctl, skopeo) = (format!("reg={host},tls=disabled"), format!("docker://{reference}"));
    let lines: [(&str, &[&str]); 4] = [
        ("oras", &["manifest", "fetch", "--plain-http", reference]),
        ("crane", &["manifest", "--insecure", reference]),
        ("regctl", &["manifest", "get", "--host", &regctl, reference]),
        ("skopeo", &["inspect", "--raw", "--tls-verify=false", &skopeo]),
    ];
    let could = |(client, line): (&'static str, &[&str])| {
        (client, run(Home::new().command(client, line).env("DOCKER_CONFIG", docker)).success)
    };
    lines.into_iter().map(could).collect()
}

#[test]
fn what_we_keep_serves_every_client() {
    let ((server, token), agent) = (with_accounts(), Agent::new());
    let reference = format!("{}/ai-team/sentiment-analyzer:latest", server.host());
    let docker = agent.home().join(".docker");
    fs::create_dir(&docker).expect("a folder");
    assert!(sign_in(&mut agent.command(&["login", server.host(), "--token-stdin"]), &token));
    agent.push(&reference, &example("sentiment-analyzer").to_string_lossy());
    let stranger = tempfile::tempdir().expect("a folder");
    for (client, could) in reads(&docker, &reference) {
        assert!(could, "{client} with what `agent login` kept");
    }
    for (client, could) in reads(stranger.path(), &reference) {
        assert!(!could, "{client} as a stranger must not see what is private");
    }
    agent.ok(&["logout", server.host()]);
    agent.refused(&["pull", &reference]);
}

#[test]
fn what_docker_keeps_serves_us() {
    let ((server, token), agent, home) = (with_accounts(), Agent::new(), Home::new());
    let docker = agent.home().join(".docker");
    let mut login = home.command("docker", &["login", server.host(), "--username", "admin", "--password-stdin"]);
    assert!(sign_in(login.env("DOCKER_CONFIG", &docker), &token));
    assert_eq!(agent.ok(&["whoami", server.host()]), "admin\n");
    let reference = format!("{}/ai-team/sentiment-analyzer:latest", server.host());
    agent.push(&reference, &example("sentiment-analyzer").to_string_lossy());
    let mut logout = home.command("docker", &["logout", server.host()]);
    assert!(run(logout.env("DOCKER_CONFIG", &docker)).success);
    agent.refused(&["whoami", server.host()]);
}

#[test]
fn a_registry_of_another_project_takes_a_password() {
    let (server, agent) = (distribution_with(Some(HTPASSWD)), Agent::new());
    let login = ["login", server.host(), "--username", "bob", "--password-stdin"];
    assert!(!sign_in(&mut agent.command(&login), "wrong"));
    assert!(!agent.home().join(".docker").exists(), "nothing was kept");
    assert!(sign_in(&mut agent.command(&login), PASSWORD));
    assert_eq!(agent.ok(&["whoami", server.host()]), "bob\n");
    let reference = format!("{}/ai-team/sentiment-analyzer:latest", server.host());
    agent.push(&reference, &example("sentiment-analyzer").to_string_lossy());
    let out = tempfile::tempdir().expect("a folder");
    agent.ok(&["pull", &reference, "--directory", &out.path().to_string_lossy()]);
    agent.ok(&["logout", server.host()]);
    agent.refused(&["push", &reference, "--path", &example("sentiment-analyzer").to_string_lossy()]);
}
