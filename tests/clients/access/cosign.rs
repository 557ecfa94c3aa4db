//! cosign 3 and its credentials, which it keeps without trying them.

use std::sync::OnceLock;

use super::{Column, Row, TAG, Tool};
use crate::home::Home;
use crate::image::Image;
use crate::programs::{Said, run};

const TOOL: Tool = Tool {
    log_in: |home, host, user, token| cosign(home, &["login", host, "-u", user, "-p", token]),
    pull: |home, host, repository| cosign(home, &["save", "--dir", "pulled", &format!("{host}/{repository}:{TAG}")]),
    push: |home, host, repository| {
        home.write("large", Image::large().layer);
        cosign(home, &["upload", "blob", "-f", "large", &format!("{host}/{repository}:{TAG}")])
    },
    copy: |home, host, from, to| {
        cosign(home, &["copy", &format!("{host}/{from}:{TAG}"), &format!("{host}/{to}:{TAG}")])
    },
    ..Tool::NONE
};

pub(super) static COLUMN: Column = Column {
    name: "cosign",
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
    lacks: &[(
        "there is no command for it",
        &[Row::DeleteByWriter, Row::Delete, Row::Catalogue, Row::AnonymousCatalogue],
    )],
    notes: &[],
    outcomes: OnceLock::new(),
};

fn cosign(home: &Home, arguments: &[&str]) -> Said {
    run(&mut home.command("cosign", arguments))
}

#[test]
fn every_row_is_as_the_table_says() {
    COLUMN.assert();
}
