//! regctl and its credentials.

use std::sync::OnceLock;

use super::{Column, Row, TAG, Tool};
use crate::home::Home;
use crate::image::Image;
use crate::programs::{Said, run};

const TOOL: Tool = Tool {
    log_in: |home, host, user, token| {
        let known = regctl(home, &["registry", "set", "--tls", "disabled", host]);
        if known.success { regctl(home, &["registry", "login", "-u", user, "-p", token, host]) } else { known }
    },
    pull: |home, host, repository| {
        let plain = format!("reg={host},tls=disabled");
        let reference = format!("{host}/{repository}:{TAG}");
        regctl(home, &["--host", &plain, "image", "copy", &reference, &format!("ocidir://pulled:{TAG}")])
    },
    push: |home, host, repository| {
        Image::large().write_layout(&home.path("layout"), TAG);
        regctl(home, &["image", "copy", &format!("ocidir://layout:{TAG}"), &format!("{host}/{repository}:{TAG}")])
    },
    copy: |home, host, from, to| {
        regctl(home, &["image", "copy", &format!("{host}/{from}:{TAG}"), &format!("{host}/{to}:{TAG}")])
    },
    delete: |home, host, repository| regctl(home, &["tag", "delete", &format!("{host}/{repository}:{TAG}")]),
    list: |home, host| regctl(home, &["--host", &format!("reg={host},tls=disabled"), "repo", "ls", host]),
    // It takes a token that is to live for less for one that lives so long.
    patience: 60,
    ..Tool::NONE
};

pub(super) static COLUMN: Column = Column {
    name: "regctl",
    tool: TOOL,
    refused: &[
        (Row::AnonymousPrivatePull, "unauthorized"),
        (Row::WrongToken, "unauthorized"),
        (Row::ReadTokenPushing, "unauthorized [http 403]"),
        (Row::DeleteByWriter, "unauthorized [http 403]"),
        (Row::AnonymousCatalogue, "unauthorized"),
    ],
    lacks: &[],
    notes: &[],
    outcomes: OnceLock::new(),
};

fn regctl(home: &Home, arguments: &[&str]) -> Said {
    run(&mut home.command("regctl", arguments))
}

#[test]
fn every_row_is_as_the_table_says() {
    COLUMN.assert();
}
