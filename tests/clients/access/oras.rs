//! oras and its credentials.

use std::sync::OnceLock;

use super::{Column, Row, TAG, Tool};
use crate::home::Home;
use crate::image::Image;
use crate::programs::{Said, run};

const TOOL: Tool = Tool {
    log_in: |home, host, user, token| oras(home, &["login", "--plain-http", "-u", user, "-p", token, host]),
    pull: |home, host, repository| {
        let reference = format!("{host}/{repository}:{TAG}");
        oras(home, &["cp", "--from-plain-http", "--to-oci-layout", &reference, &format!("pulled:{TAG}")])
    },
    push: |home, host, repository| {
        Image::large().write_layout(&home.path("layout"), TAG);
        let reference = format!("{host}/{repository}:{TAG}");
        oras(home, &["cp", "--from-oci-layout", "--to-plain-http", &format!("layout:{TAG}"), &reference])
    },
    copy: |home, host, from, to| {
        let (from, to) = (format!("{host}/{from}:{TAG}"), format!("{host}/{to}:{TAG}"));
        oras(home, &["cp", "--from-plain-http", "--to-plain-http", &from, &to])
    },
    delete: |home, host, repository| {
        oras(home, &["manifest", "delete", "--plain-http", "--force", &format!("{host}/{repository}:{TAG}")])
    },
    list: |home, host| oras(home, &["repo", "ls", "--plain-http", host]),
    ..Tool::NONE
};

pub(super) static COLUMN: Column = Column {
    name: "oras",
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
        (
            Row::DeleteByWriter,
            "denied: ada may not delete ada/closed with this access token, whose scopes or repositories do not include it",
        ),
        (
            Row::AnonymousCatalogue,
            "unauthorized: authentication is required; the header WWW-Authenticate says where to get a token, and for what",
        ),
    ],
    lacks: &[],
    notes: &[],
    outcomes: OnceLock::new(),
};

fn oras(home: &Home, arguments: &[&str]) -> Said {
    run(&mut home.command("oras", arguments))
}

#[test]
fn every_row_is_as_the_table_says() {
    COLUMN.assert();
}
