//! Our own command and its credentials.

use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use super::{Column, Row, TAG, Tool};
use crate::home::Home;
use crate::image::Image;
use crate::programs::{Said, run};

const TOOL: Tool = Tool {
    seed,
    log_in,
    pull: |home, host, repository| {
        agent(home, &["pull", &format!("{host}/{repository}:{TAG}"), "--directory", "pulled"])
    },
    push: |home, host, repository| {
        package(&home.path("large"), repository, &Image::large().layer.repeat(3));
        agent(home, &["push", &format!("{host}/{repository}:{TAG}"), "--path", "large"])
    },
    list: |home, host| agent(home, &["images", "--remote", "--registry", &format!("http://{host}")]),
    ..Tool::NONE
};

pub(super) static COLUMN: Column = Column {
    name: "agent",
    tool: TOOL,
    refused: &[
        (
            Row::AnonymousPrivatePull,
            "UNAUTHORIZED: authentication is required; the header WWW-Authenticate says where to get a token, and for what",
        ),
        (Row::WrongToken, "UNAUTHORIZED: the credentials are not accepted"),
        (
            Row::ReadTokenPushing,
            "DENIED: ada may not push ada/pushed with this access token, whose scopes or repositories do not include it",
        ),
    ],
    lacks: &[
        ("there is no verb for it", &[Row::Mount, Row::DeleteByWriter, Row::Delete]),
        ("a registry of this program is shown the access token itself", &[Row::ExpiredInUpload]),
    ],
    notes: &[(Row::AnonymousCatalogue, "the public ones")],
    outcomes: OnceLock::new(),
};

fn command(home: &Home, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_agent"));
    command.env_clear().env("HOME", home.as_ref()).env("AGENT_HOME", home.path(".agent"));
    command.current_dir(home).args(arguments);
    command
}

fn agent(home: &Home, arguments: &[&str]) -> Said {
    run(&mut command(home, arguments))
}

fn log_in(home: &Home, host: &str, _: &str, token: &str) -> Said {
    home.write("token", token);
    let token = std::fs::File::open(home.path("token")).expect("the token");
    run(command(home, &["login", host, "--token-stdin"]).stdin(Stdio::from(token)))
}

/// Writes a package of the repository's name.
fn package(folder: &Path, repository: &str, more: &[u8]) {
    let (_, name) = repository.split_once('/').expect("a namespace");
    let text = format!(
        "apiVersion: agent.dev/v1\nkind: Agent\nmetadata:\n  name: {name}\n  version: {TAG}\nspec:\n  \
         runtime: go\n  model: {{provider: ollama, name: llama3.2}}\n  capabilities: [testing]\n"
    );
    std::fs::create_dir_all(folder).expect("a folder");
    std::fs::write(folder.join("agent.yaml"), text).expect("a file");
    std::fs::write(folder.join("data.bin"), more).expect("a file");
}

/// A package of the repository's name, pushed with credentials that stand before the host.
fn seed(host: &str, repository: &str) {
    let home = Home::new();
    let (credentials, host) = host.rsplit_once('@').expect("credentials");
    let (_, token) = credentials.split_once(':').expect("a token");
    package(&home.path("small"), repository, b"small");
    let mut push = command(&home, &["push", &format!("{host}/{repository}:{TAG}"), "--path", "small"]);
    let said = run(push.env("AGENT_REGISTRY_URL", format!("http://{host}")).env("AGENT_REGISTRY_TOKEN", token));
    assert!(said.success, "{}", said.stderr);
}

#[test]
fn every_row_is_as_the_table_says() {
    COLUMN.assert();
}
