//! skopeo and its credentials, which it keeps as podman and buildah do.

use std::sync::OnceLock;

use super::{Column, Row, TAG, Tool};
use crate::home::Home;
use crate::image::Image;
use crate::programs::{Said, run};

const TOOL: Tool = Tool {
    log_in: |home, host, user, token| {
        std::fs::create_dir_all(home.path("run")).expect("the folder that a login session has");
        skopeo(home, &["login", "--tls-verify=false", "-u", user, "-p", token, host])
    },
    pull: |home, host, repository| copy(home, &format!("docker://{host}/{repository}:{TAG}"), "dir:pulled"),
    push: |home, host, repository| {
        Image::large().write_layout(&home.path("layout"), TAG);
        copy(home, &format!("oci:layout:{TAG}"), &format!("docker://{host}/{repository}:{TAG}"))
    },
    copy: |home, host, from, to| {
        // It remembers where it met a blob, and offers to mount it from there.
        let (from, to) = (format!("docker://{host}/{from}:{TAG}"), format!("docker://{host}/{to}:{TAG}"));
        let seen = copy(home, &from, "dir:seen");
        if seen.success { copy(home, &from, &to) } else { seen }
    },
    delete: |home, host, repository| {
        skopeo(home, &["delete", "--tls-verify=false", &format!("docker://{host}/{repository}:{TAG}")])
    },
    // Its library takes a token that is to live for less for one that lives so long.
    patience: 60,
    ..Tool::NONE
};

pub(super) static COLUMN: Column = Column {
    name: "skopeo",
    tool: TOOL,
    refused: &[
        (
            Row::AnonymousPrivatePull,
            "unauthorized: authentication is required; the header WWW-Authenticate says where to get a token, and for what",
        ),
        (Row::WrongToken, "invalid username/password"),
        (
            Row::ReadTokenPushing,
            "denied: ada may not push ada/pushed with this access token, whose scopes or repositories do not include it",
        ),
        (Row::DeleteByWriter, "(403 Forbidden)"),
    ],
    lacks: &[("there is no command for it", &[Row::Catalogue, Row::AnonymousCatalogue])],
    notes: &[(Row::Mount, "of a blob that it has seen in another repository of the registry before")],
    outcomes: OnceLock::new(),
};

fn skopeo(home: &Home, arguments: &[&str]) -> Said {
    run(&mut home.command("skopeo", &[&["--insecure-policy"], arguments].concat()))
}

fn copy(home: &Home, from: &str, to: &str) -> Said {
    skopeo(home, &["copy", "--src-tls-verify=false", "--dest-tls-verify=false", from, to])
}

#[test]
fn every_row_is_as_the_table_says() {
    COLUMN.assert();
}
