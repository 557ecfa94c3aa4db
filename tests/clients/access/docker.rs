//! The docker command without an engine: it signs in, and has `docker manifest`.

use std::sync::OnceLock;

use super::community::CLOSED;
use super::{Column, Row, TAG, Tool};
use crate::home::Home;
use crate::image::{Image, Kind};
use crate::programs::{Said, run};

const TOOL: Tool = Tool {
    seed: |host, repository| Image::of(Kind::Docker, b"in the layer\n").push(host, repository, &[TAG]),
    log_in: |home, host, user, token| docker(home, &["login", "-u", user, "-p", token, host]),
    pull: |home, host, repository| {
        docker(home, &["manifest", "inspect", "--insecure", &format!("{host}/{repository}:{TAG}")])
    },
    push: |home, host, repository| push_list(home, host, CLOSED, repository),
    copy: push_list,
    ..Tool::NONE
};

pub(super) static COLUMN: Column = Column {
    name: "docker",
    tool: TOOL,
    refused: &[
        (
            Row::AnonymousPrivatePull,
            "unauthorized: authentication is required; the header WWW-Authenticate says where to get a token, and for what",
        ),
        (Row::WrongToken, "unauthorized: the credentials are not accepted"),
        (
            Row::ReadTokenPushing,
            "denied: ada may not push ada/pushed with this access token, whose scopes or repositories do not include it",
        ),
    ],
    lacks: &[
        (
            "without an engine there is only `docker manifest`",
            &[Row::DeleteByWriter, Row::Delete, Row::Catalogue, Row::AnonymousCatalogue],
        ),
        ("it sends no blob: what a manifest list names is mounted", &[Row::ExpiredInUpload]),
    ],
    notes: &[],
    outcomes: OnceLock::new(),
};

fn docker(home: &Home, arguments: &[&str]) -> Said {
    run(&mut home.command("docker", arguments))
}

/// Pushes a list of one image, whose blobs are mounted from its repository.
fn push_list(home: &Home, host: &str, from: &str, to: &str) -> Said {
    let (image, list) = (format!("{host}/{from}:{TAG}"), format!("{host}/{to}:{TAG}"));
    let made = docker(home, &["manifest", "create", "--insecure", &list, &image]);
    if made.success { docker(home, &["manifest", "push", "--insecure", &list]) } else { made }
}

#[test]
fn every_row_is_as_the_table_says() {
    COLUMN.assert();
}
