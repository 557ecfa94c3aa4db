//! crane and its credentials, which it keeps without trying them.

use std::sync::OnceLock;

use super::{Column, Row, TAG, Tool};
use crate::home::Home;
use crate::image::Image;
use crate::programs::{Said, run};

const TOOL: Tool = Tool {
    log_in: |home, host, user, token| crane(home, &["auth", "login", "-u", user, "-p", token, host]),
    pull: |home, host, repository| {
        crane(home, &["pull", "--format=oci", &format!("{host}/{repository}:{TAG}"), "pulled"])
    },
    push: |home, host, repository| {
        Image::large().write_layout(&home.path("layout"), TAG);
        crane(home, &["push", "layout", &format!("{host}/{repository}:{TAG}")])
    },
    copy: |home, host, from, to| crane(home, &["copy", &format!("{host}/{from}:{TAG}"), &format!("{host}/{to}:{TAG}")]),
    delete: |home, host, repository| crane(home, &["delete", &format!("{host}/{repository}:{TAG}")]),
    list: |home, host| crane(home, &["catalog", host]),
    ..Tool::NONE
};

pub(super) static COLUMN: Column = Column {
    name: "crane",
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
        (
            Row::DeleteByWriter,
            "DENIED: ada may not delete ada/closed with this access token, whose scopes or repositories do not include it",
        ),
        (
            Row::AnonymousCatalogue,
            "UNAUTHORIZED: authentication is required; the header WWW-Authenticate says where to get a token, and for what",
        ),
    ],
    lacks: &[],
    notes: &[],
    outcomes: OnceLock::new(),
};

fn crane(home: &Home, arguments: &[&str]) -> Said {
    run(&mut home.command("crane", arguments))
}

#[test]
fn every_row_is_as_the_table_says() {
    COLUMN.assert();
}
