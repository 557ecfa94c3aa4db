//! The matrix of clients and verbs: each cell is a test of its own, and the table is written from the cells that ran.

use std::any::Any;
use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{LazyLock, OnceLock};
use std::thread;

use crate::programs::{client, ok, run};
use crate::{cosign, cosign2, crane, docker, helm, oci_client, oras, regctl, skopeo};

/// The columns.
static CLIENTS: [&LazyLock<Client>; 9] = [
    &oras::CLIENT,
    &crane::CLIENT,
    &regctl::CLIENT,
    &skopeo::CLIENT,
    &docker::CLIENT,
    &helm::CLIENT,
    &cosign::CLIENT,
    &cosign2::CLIENT,
    &oci_client::CLIENT,
];

/// The rows, in their order.
const VERBS: [(Verb, &str); 23] = [
    (Verb::Push, "push"),
    (Verb::Pull, "pull"),
    (Verb::Inspect, "inspect"),
    (Verb::CopyWithin, "copy between two repositories"),
    (Verb::CopyBetween, "copy between two of our registries"),
    (Verb::CopyOther, "copy to and from distribution"),
    (Verb::ListTags, "list tags"),
    (Verb::ListRepositories, "list repositories"),
    (Verb::Tag, "tag"),
    (Verb::DeleteTag, "delete a tag"),
    (Verb::DeleteManifest, "delete a manifest"),
    (Verb::Attach, "attach"),
    (Verb::Referrers, "list referrers"),
    (Verb::Mount, "mount a blob"),
    (Verb::Resume, "resume an interrupted download"),
    (Verb::SendAgain, "come through an interrupted upload"),
    (Verb::LayoutOut, "write an OCI layout"),
    (Verb::LayoutIn, "push an OCI layout"),
    (Verb::Sign, "sign"),
    (Verb::Verify, "verify"),
    (Verb::Attest, "attest"),
    (Verb::VerifyAttestation, "verify an attestation"),
    (Verb::Tree, "tree of signatures"),
];

/// What a client may be able to do with a registry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verb {
    Push,
    Pull,
    Inspect,
    CopyWithin,
    CopyBetween,
    CopyOther,
    ListTags,
    ListRepositories,
    Tag,
    DeleteTag,
    DeleteManifest,
    Attach,
    Referrers,
    Mount,
    Resume,
    SendAgain,
    LayoutOut,
    LayoutIn,
    Sign,
    Verify,
    Attest,
    VerifyAttestation,
    Tree,
}

/// A verb that a client has, and the one run of its test in this process.
pub(crate) struct Cell {
    verb: Verb,
    test: fn(),
    outcome: OnceLock<Result<(), String>>,
}

impl Cell {
    pub(crate) fn new(verb: Verb, test: fn()) -> Self {
        Self { verb, test, outcome: OnceLock::new() }
    }

    /// Runs the test, or waits for whoever runs it already.
    fn outcome(&self) -> &Result<(), String> {
        self.outcome.get_or_init(|| catch_unwind(AssertUnwindSafe(self.test)).map_err(|payload| said(&*payload)))
    }
}

pub(crate) fn said(payload: &(dyn Any + Send)) -> String {
    let text = payload.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| payload.downcast_ref::<&str>().copied()).unwrap_or("a panic without words").to_owned()
}

/// A column: every verb is either among its cells or among what it lacks.
pub(crate) struct Client {
    pub(crate) name: &'static str,
    pub(crate) cells: Vec<Cell>,
    /// Why it has no such verb.
    pub(crate) lacks: &'static [(&'static str, &'static [Verb])],
    /// What is to be known about a cell that passes.
    pub(crate) notes: &'static [(Verb, &'static str)],
}

impl Client {
    fn cell(&self, verb: Verb) -> Option<&Cell> {
        self.cells.iter().find(|cell| cell.verb == verb)
    }

    fn reason(&self, verb: Verb) -> Option<&'static str> {
        self.lacks.iter().find(|(_, verbs)| verbs.contains(&verb)).map(|(reason, _)| *reason)
    }

    fn note(&self, verb: Verb) -> Option<&'static str> {
        self.notes.iter().find(|(noted, _)| *noted == verb).map(|(_, note)| *note)
    }

    /// Fails as the cell did.
    pub(crate) fn assert(&self, verb: Verb) {
        let cell = self.cell(verb).expect("the verb is in the column");
        if let Err(said) = cell.outcome() {
            panic!("{} {verb:?}: {said}", self.name);
        }
    }
}

/// Declares the column of a client: which function tests which verb, why the others are missing, and notes.
macro_rules! column {
    ($name:literal, has { $($verb:ident: $test:ident,)* } lacks { $($reason:literal: [$($missing:ident),*],)* }
     notes { $($noted:ident: $note:literal,)* }) => {
        pub(crate) static CLIENT: std::sync::LazyLock<$crate::matrix::Client> =
            std::sync::LazyLock::new(|| $crate::matrix::Client {
                name: $name,
                cells: vec![$($crate::matrix::Cell::new($crate::matrix::Verb::$verb, $test)),*],
                lacks: &[$(($reason, &[$($crate::matrix::Verb::$missing),*])),*],
                notes: &[$(($crate::matrix::Verb::$noted, $note)),*],
            });

        mod cells {
            $(#[test]
            fn $test() {
                super::CLIENT.assert($crate::matrix::Verb::$verb);
            })*
        }
    };
}
pub(crate) use column;

/// The pinned version of each client, as versions.txt has it: exact, or with `+` the least.
pub(crate) fn versions() -> BTreeMap<String, (String, String)> {
    let list = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clients/versions.txt"));
    let list = list.expect("the list of clients");
    let lines = list.lines().filter(|line| !line.starts_with('#'));
    let fields = lines.map(|line| line.split_whitespace().map(str::to_owned).collect::<Vec<_>>());
    let of = |fields: Vec<String>| match <[String; 3]>::try_from(fields) {
        Ok([name, package, version]) => (name, (package, version)),
        Err(fields) => panic!("{fields:?} is no name, package and version"),
    };
    let mut found: BTreeMap<_, _> = fields.map(of).collect();
    found.insert("oci-client".to_owned(), ("crate".to_owned(), locked("oci-client")));
    found
}

/// The version of a crate in Cargo.lock.
fn locked(name: &str) -> String {
    let lock = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.lock")).expect("Cargo.lock");
    let (_, after) = lock.split_once(&format!("name = \"{name}\"\nversion = \"")).expect("the crate is locked");
    format!("v{}", after.split('"').next().expect("a version"))
}

/// The numbers of a version anywhere in a text.
pub(crate) fn numbers(text: &str) -> Vec<u64> {
    let start = text.find(|c: char| c.is_ascii_digit()).expect("a version");
    let end = text[start..].find(|c: char| !(c.is_ascii_digit() || c == '.')).map_or(text.len(), |end| start + end);
    text[start..end].split('.').filter_map(|number| number.parse().ok()).collect()
}

/// The table of what passed, as it is committed.
fn table() -> String {
    let versions = versions();
    let mut text =
        "# Clients\n\nWhat each client does with our registry, as `tests/clients` ran it: ✓ was run and its result \
         looked at, – does not exist for that client. A version with `+` is that one or a newer. The test writes this \
         file.\n\n| |"
            .to_owned();
    for client in CLIENTS {
        let _ = write!(text, " {} {} |", client.name, versions[client.name].1);
    }
    text.push_str("\n|---|");
    text.push_str(&"---|".repeat(CLIENTS.len()));
    let mut notes: Vec<String> = vec![];
    for (verb, title) in VERBS {
        let _ = write!(text, "\n| {title} |");
        for client in CLIENTS {
            let passed = client.cell(verb).map(|cell| cell.outcome().is_ok());
            let (sign, note) = match passed {
                Some(true) => ("✓", client.note(verb)),
                Some(false) => ("✗", None),
                None => ("–", client.reason(verb)),
            };
            let _ = write!(text, " {sign}");
            if let Some(note) = note {
                let known = notes.iter().position(|other| other == note);
                let number = known.unwrap_or(notes.len());
                if known.is_none() {
                    notes.push(note.to_owned());
                }
                let _ = write!(text, "[^{}]", number + 1);
            }
            text.push_str(" |");
        }
    }
    text.push('\n');
    for (number, note) in notes.iter().enumerate() {
        let _ = write!(text, "\n[^{}]: {note}.\n", number + 1);
    }
    text
}

#[test]
fn every_client_has_every_verb_or_a_reason() {
    for client in CLIENTS {
        for (verb, title) in VERBS {
            let (has, lacks) = (client.cell(verb).is_some(), client.reason(verb).is_some());
            assert!(has != lacks, "{}: `{title}` must be either tested or have a reason", client.name);
            assert!(has || client.note(verb).is_none(), "{}: a note for `{title}`, which it lacks", client.name);
        }
    }
}

#[test]
fn every_client_is_the_version_of_the_list() {
    for (name, (package, version)) in versions() {
        if let Some(least) = version.strip_suffix('+') {
            let said = ok(Command::new(client(&name)).arg("--version"));
            assert!(numbers(&said) >= numbers(least), "{name} must be {least} or newer, and is {said}");
        } else if package.starts_with("pypi:") {
            let said = ok(Command::new(client(&name)).arg("--version"));
            assert!(said.contains(version.trim_start_matches('v')), "{name} is not {version}, but {said}");
        } else if package != "crate" {
            // Go writes into each program from which module it was built.
            let module = format!("\t{version}\t");
            let found = run(Command::new("grep").args(["-aqF", &module]).arg(client(&name)));
            assert!(found.success, "{name} is not {version}");
        }
    }
}

#[test]
fn the_committed_table_is_what_was_run() {
    let cells: Vec<_> = CLIENTS.iter().flat_map(|client| client.cells.iter().map(move |cell| (client, cell))).collect();
    let next = AtomicUsize::new(0);
    let threads = thread::available_parallelism().map_or(2, usize::from);
    thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                while let Some((_, cell)) = cells.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let _ = cell.outcome();
                }
            });
        }
    });
    let failed = cells.iter().filter_map(|(client, cell)| {
        cell.outcome().as_ref().err().map(|said| format!("{} {:?}: {said}", client.name, cell.verb))
    });
    let failed: Vec<_> = failed.collect();
    let new = Path::new(env!("CARGO_TARGET_TMPDIR")).join("CLIENTS.md");
    let text = table();
    fs::write(&new, &text).expect("the table is written");
    assert!(failed.is_empty(), "{}", failed.join("\n"));
    let committed = Path::new(env!("CARGO_MANIFEST_DIR")).join("spec-conformance/CLIENTS.md");
    let is_same = fs::read_to_string(&committed).is_ok_and(|old| old == text);
    assert!(is_same, "{} is not what was run; look at {} and copy it there", committed.display(), new.display());
}
