//! The matrix of clients and credentials: what each client may do with what it shows, and what it says where it may
//! not. The table is written from what was run.

mod agent;
mod community;
mod cosign;
mod crane;
mod docker;
mod helm;
mod oci_client;
mod oras;
mod regctl;
mod scenes;
mod shared;
mod skopeo;
mod table;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::OnceLock;

use crate::home::Home;
use crate::image::Image;
use crate::programs::Said;

/// The tag of everything that is pushed here: also a version, which charts and packages need.
const TAG: &str = "1.0.0";

/// What is tried with a client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Row {
    AnonymousPublicPull,
    AnonymousPrivatePull,
    WrongToken,
    ReadTokenPulling,
    ReadTokenPushing,
    WriteToken,
    ExpiredInUpload,
    Mount,
    DeleteByWriter,
    Delete,
    Catalogue,
    AnonymousCatalogue,
}

/// The rows, in their order.
const ROWS: [(Row, &str); 12] = [
    (Row::AnonymousPublicPull, "anonymous pull of a public repository"),
    (Row::AnonymousPrivatePull, "anonymous pull of a private or missing repository"),
    (Row::WrongToken, "pull with a wrong token"),
    (Row::ReadTokenPulling, "pull with a read token"),
    (Row::ReadTokenPushing, "push with a read token"),
    (Row::WriteToken, "push with a write token"),
    (Row::ExpiredInUpload, "push while the short token expires"),
    (Row::Mount, "mount from a private repository"),
    (Row::DeleteByWriter, "delete with a write token"),
    (Row::Delete, "delete with a delete token"),
    (Row::Catalogue, "list repositories"),
    (Row::AnonymousCatalogue, "list repositories anonymously"),
];

/// What came of it.
enum Outcome {
    /// It worked, and what it left was looked at.
    Works,
    /// It was refused, each time with these words among others.
    Refused(Vec<String>),
}

/// What a client can do. Hosts are without a scheme; credentials are those that it has kept in its home.
struct Tool {
    /// Fills a private or public repository, at a host with credentials.
    seed: fn(&str, &str),
    /// Signs a user in with a token.
    log_in: fn(&Home, &str, &str, &str) -> Said,
    /// Gets what was seeded in a repository, with its bytes.
    pull: fn(&Home, &str, &str) -> Said,
    /// Pushes something large to a repository.
    push: fn(&Home, &str, &str) -> Said,
    /// Copies what was seeded from one repository to another of the same host.
    copy: fn(&Home, &str, &str, &str) -> Said,
    /// Deletes what was seeded.
    delete: fn(&Home, &str, &str) -> Said,
    /// Lists the repositories.
    list: fn(&Home, &str) -> Said,
    /// How long the client takes a short token for good at least, in seconds.
    patience: u32,
}

impl Tool {
    /// A tool without anything.
    const NONE: Self = Self {
        seed: |host, repository| Image::small().push(host, repository, &[TAG]),
        log_in: |_, _, _, _| unreachable!("it keeps no credentials"),
        pull: |_, _, _| unreachable!("it does not pull"),
        push: |_, _, _| unreachable!("it does not push"),
        copy: |_, _, _, _| unreachable!("it does not copy"),
        delete: |_, _, _| unreachable!("it does not delete"),
        list: |_, _| unreachable!("it does not list"),
        patience: 2,
    };
}

/// A column: a row is refused with some words, lacking for a reason, or works.
struct Column {
    name: &'static str,
    tool: Tool,
    refused: &'static [(Row, &'static str)],
    lacks: &'static [(&'static str, &'static [Row])],
    notes: &'static [(Row, &'static str)],
    outcomes: OnceLock<Vec<Result<(), String>>>,
}

impl Column {
    fn words(&self, row: Row) -> Option<&'static str> {
        self.refused.iter().find(|(refused, _)| *refused == row).map(|(_, words)| *words)
    }

    fn reason(&self, row: Row) -> Option<&'static str> {
        self.lacks.iter().find(|(_, rows)| rows.contains(&row)).map(|(reason, _)| *reason)
    }

    fn note(&self, row: Row) -> Option<&'static str> {
        self.notes.iter().find(|(noted, _)| *noted == row).map(|(_, note)| *note)
    }

    /// Runs every row, or waits for whoever runs them already.
    fn outcomes(&self) -> &[Result<(), String>] {
        self.outcomes.get_or_init(|| ROWS.iter().map(|(row, _)| self.run(*row)).collect())
    }

    fn run(&self, row: Row) -> Result<(), String> {
        if self.reason(row).is_some() {
            return Ok(());
        }
        let outcome = catch_unwind(AssertUnwindSafe(|| scenes::play(&self.tool, row)));
        match (outcome.map_err(|payload| crate::matrix::said(&*payload))?, self.words(row)) {
            (Outcome::Works, None) => Ok(()),
            (Outcome::Works, Some(words)) => Err(format!("it worked, and should say `{words}`")),
            (Outcome::Refused(said), Some(words)) if said.iter().all(|said| said.contains(words)) => Ok(()),
            (Outcome::Refused(said), _) => Err(format!("it was refused: {}", said.join("\n"))),
        }
    }

    /// What is not as the table says.
    fn failures(&self) -> Vec<String> {
        let failed = ROWS.iter().zip(self.outcomes());
        let failed = failed.filter_map(|((row, _), outcome)| Some(format!("{row:?}: {}", outcome.as_ref().err()?)));
        failed.map(|failure| format!("{}: {failure}", self.name)).collect()
    }

    /// Fails with every row that is not as the table says.
    fn assert(&self) {
        let failures = self.failures();
        assert!(failures.is_empty(), "{}", failures.join("\n"));
    }
}

/// What a program of this process said.
fn spoken<T>(result: Result<T, impl std::fmt::Display>, stdout: impl FnOnce(T) -> String) -> Said {
    match result {
        Ok(value) => Said { success: true, stdout: stdout(value), stderr: String::new() },
        Err(error) => Said { success: false, stdout: String::new(), stderr: error.to_string() },
    }
}
