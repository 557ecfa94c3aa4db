//! A database in memory with the real schema, and short ways to write test values.
#![expect(clippy::unwrap_used, reason = "a failing test may panic")]

use jiff::Timestamp;
use rusqlite::Connection;

use super::accounts::{self, AccountId};
use super::repositories::{self, Creator, RepositoryId};
use super::sqlite::Connected;
use super::tags::Change;
use super::{Error, Row, Session, Value, migrations};
use crate::auth::{AccountName, Caller, Origin, Visibility};
use crate::oci::{Algorithm, Manifest, RepositoryName, Tag};

pub(super) struct Fixture {
    connection: Connection,
}

impl Fixture {
    pub(super) fn new() -> Self {
        let mut connection = Connection::open_in_memory().unwrap();
        connection.pragma_update(None, "foreign_keys", true).unwrap();
        migrations::migrate(&mut connection).unwrap();
        Self { connection }
    }

    pub(super) fn session(&mut self) -> &mut dyn Session {
        self
    }

    pub(super) fn repository(&mut self, text: &str) -> RepositoryId {
        repositories::create(self, &name(text), Creator::System, time(0)).unwrap()
    }

    /// Changes who may see a repository.
    pub(super) fn show_to(&mut self, text: &str, visibility: Visibility) {
        let change = Change { id: self.repository(text), repository: &name(text), actor: "olga", at: time(0) };
        repositories::set_visibility(self, &change, visibility).unwrap();
    }

    pub(super) fn user(&mut self, text: &str) -> AccountId {
        accounts::create_user(self, &account(text), false, time(0)).unwrap()
    }

    pub(super) fn organisation(&mut self, text: &str) -> AccountId {
        accounts::create_organisation(self, &account(text), time(0)).unwrap()
    }

    pub(super) fn count(&mut self, sql: &'static str) -> i64 {
        self.query(sql, &[]).unwrap()[0].integer(0).unwrap()
    }
}

impl Session for Fixture {
    fn query(&mut self, sql: &'static str, parameters: &[Value]) -> Result<Vec<Row>, Error> {
        Connected(&self.connection).query(sql, parameters)
    }

    fn execute(&mut self, sql: &'static str, parameters: &[Value]) -> Result<usize, Error> {
        Connected(&self.connection).execute(sql, parameters)
    }
}

pub(super) fn name(text: &str) -> RepositoryName {
    text.parse().unwrap()
}

pub(super) fn account(text: &str) -> AccountName {
    text.parse().unwrap()
}

/// A caller whose credential reaches everything their account does; nobody's name is empty.
pub(super) fn caller(text: &str) -> Caller {
    let name = text.parse::<AccountName>();
    name.map_or_else(|_| Caller::anonymous(Origin::none()), Caller::user)
}

pub(super) fn tag(text: &str) -> Tag {
    text.parse().unwrap()
}

pub(super) fn time(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

/// An artifact whose bytes differ by `note`, about `subject` if there is one.
pub(super) fn manifest(kind: &str, note: &str, subject: Option<&Manifest>) -> Manifest {
    let config = serde_json::json!({
        "mediaType": "application/vnd.oci.empty.v1+json", "size": 2,
        "digest": "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a",
    });
    let mut document = serde_json::json!({
        "schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "artifactType": kind, "config": config, "layers": [config], "annotations": { "note": note },
    });
    if let Some(subject) = subject {
        document["subject"] = serde_json::to_value(subject.descriptor()).unwrap();
    }
    Manifest::parse(serde_json::to_vec(&document).unwrap().into(), None, Algorithm::Sha256).unwrap()
}
