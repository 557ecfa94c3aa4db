//! The audit: what was allowed that changed something, and what was denied.

use std::net::IpAddr;

use jiff::Timestamp;

use super::repositories::page;
use super::{Error, Row, Session, Value};

/// Whether a decision was yes or no.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Yes, and it was done.
    Allowed,
    /// No.
    Denied,
}

impl Outcome {
    /// Part of the file format: never change a number.
    const fn number(self) -> i64 {
        match self {
            Self::Allowed => 1,
            Self::Denied => 2,
        }
    }
}

/// One decision.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// When.
    pub at: Timestamp,
    /// Who, as [`crate::auth::Permit::actor`] says.
    pub actor: String,
    /// With what: `password`, `token 7`, …
    pub credential: String,
    /// What was done or wanted: `push`, `account.create`, …
    pub action: String,
    /// To what.
    pub object: String,
    /// The rule that allowed it, or why it was denied.
    pub rule: String,
    /// Yes or no.
    pub outcome: Outcome,
    /// From where.
    pub address: Option<IpAddr>,
    /// The request's id, which the log has too.
    pub request: Option<String>,
}

/// Adds an entry to the running transaction.
pub fn append(session: &mut dyn Session, entry: &Entry) -> Result<(), Error> {
    let sql = "INSERT INTO audit (at, actor, credential, action, object, rule, outcome, address, request) \
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)";
    let parameters = [
        entry.at.into(),
        entry.actor.as_str().into(),
        entry.credential.as_str().into(),
        entry.action.as_str().into(),
        entry.object.as_str().into(),
        entry.rule.as_str().into(),
        entry.outcome.number().into(),
        Value::optional(entry.address.map(|address| Value::Text(address.to_string()))),
        Value::optional(entry.request.as_deref()),
    ];
    session.execute(sql, &parameters).map(|_| ())
}

/// Which entries are wanted.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// Of this actor only.
    pub actor: Option<String>,
    /// Of this action only.
    pub action: Option<String>,
    /// Not older than this.
    pub since: Option<Timestamp>,
    /// Older than this entry, by its number.
    pub before: Option<i64>,
}

/// Entries with their numbers, the newest first, at most `limit`.
pub fn list(session: &mut dyn Session, filter: &Filter, limit: usize) -> Result<Vec<(i64, Entry)>, Error> {
    let first = filter.since.map_or(Ok(0), |since| first_since(session, since))?;
    let range = [first.into(), filter.before.unwrap_or(i64::MAX).into(), page(limit)];
    let with = |texts: &[&String]| -> Vec<Value> {
        range.iter().cloned().chain(texts.iter().map(|text| text.as_str().into())).collect()
    };
    let rows = match (&filter.actor, &filter.action) {
        (None, None) => session.query(
            "SELECT id, at, actor, credential, action, object, rule, outcome, address, request FROM audit \
             WHERE id >= ?1 AND id < ?2 ORDER BY id DESC LIMIT ?3",
            &range,
        ),
        (Some(actor), None) => session.query(
            "SELECT id, at, actor, credential, action, object, rule, outcome, address, request FROM audit \
             WHERE id >= ?1 AND id < ?2 AND actor = ?4 ORDER BY id DESC LIMIT ?3",
            &with(&[actor]),
        ),
        (None, Some(action)) => session.query(
            "SELECT id, at, actor, credential, action, object, rule, outcome, address, request FROM audit \
             WHERE id >= ?1 AND id < ?2 AND action = ?4 ORDER BY id DESC LIMIT ?3",
            &with(&[action]),
        ),
        (Some(actor), Some(action)) => session.query(
            "SELECT id, at, actor, credential, action, object, rule, outcome, address, request FROM audit \
             WHERE id >= ?1 AND id < ?2 AND actor = ?4 AND action = ?5 ORDER BY id DESC LIMIT ?3",
            &with(&[actor, action]),
        ),
    }?;
    rows.iter().map(read).collect()
}

/// The number of the first entry not older than a moment. Numbers grow with time, so that it is found by halving: an
/// index of times would cost every push one more page.
fn first_since(session: &mut dyn Session, since: Timestamp) -> Result<i64, Error> {
    let last = session.first("SELECT id FROM audit ORDER BY id DESC LIMIT 1", &[])?;
    let (mut low, mut high) = (0, last.map_or(Ok(0), |row| row.integer(0))? + 1);
    while low < high {
        let middle = low + (high - low) / 2;
        let sql = "SELECT id, at FROM audit WHERE id >= ?1 ORDER BY id LIMIT 1";
        match session.first(sql, &[middle.into()])? {
            Some(row) if row.time(1)? < since => low = row.integer(0)? + 1,
            _ => high = middle,
        }
    }
    Ok(low)
}

fn read(row: &Row) -> Result<(i64, Entry), Error> {
    let outcome = match row.integer(7)? {
        1 => Outcome::Allowed,
        2 => Outcome::Denied,
        _ => return Err(Error::Column { column: 7, wanted: "an outcome" }),
    };
    let entry = Entry {
        at: row.time(1)?,
        actor: row.text(2)?.to_owned(),
        credential: row.text(3)?.to_owned(),
        action: row.text(4)?.to_owned(),
        object: row.text(5)?.to_owned(),
        rule: row.text(6)?.to_owned(),
        outcome,
        address: row.optional(8, Row::parsed)?,
        request: row.optional(9, |row, column| row.text(column).map(str::to_owned))?,
    };
    Ok((row.integer(0)?, entry))
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failing test may panic")]
mod tests {
    use super::super::fixture::{Fixture, time};
    use super::*;

    fn entry(at: i64, actor: &str, action: &str) -> Entry {
        let (actor, action, object) = (actor.to_owned(), action.to_owned(), "acme/agent".to_owned());
        let (credential, rule, outcome) = ("token 7".to_owned(), "namespace-owner".to_owned(), Outcome::Denied);
        let (address, request) = (Some("::1".parse().unwrap()), Some("a-b".to_owned()));
        Entry { at: time(at), actor, credential, action, object, rule, outcome, address, request }
    }

    #[test]
    fn entries_come_back_newest_first_by_actor_action_and_time() {
        let mut index = Fixture::new();
        let all: Vec<Entry> = (0..40)
            .map(|number| {
                let actor = if number % 2 == 0 { "ada" } else { "bob" };
                entry(number / 4, actor, if number % 3 == 0 { "push" } else { "delete" })
            })
            .collect();
        for entry in &all {
            append(index.session(), entry).unwrap();
        }
        let found = |index: &mut Fixture, filter: &Filter, limit| {
            let rows = list(index.session(), filter, limit).unwrap();
            (rows.last().map(|(number, _)| *number), rows.into_iter().map(|(_, entry)| entry).collect::<Vec<_>>())
        };
        let wanted = |test: &dyn Fn(&Entry) -> bool| -> Vec<Entry> {
            all.iter().rev().filter(|entry| test(entry)).cloned().collect()
        };
        assert_eq!(found(&mut index, &Filter::default(), 100).1, wanted(&|_| true));
        let by_actor = Filter { actor: Some("ada".to_owned()), ..Filter::default() };
        let (last, first) = found(&mut index, &by_actor, 3);
        let rest = found(&mut index, &Filter { before: last, ..by_actor.clone() }, 100).1;
        assert_eq!([first, rest].concat(), wanted(&|entry| entry.actor == "ada"));
        for second in 0..12 {
            let since = Filter { since: Some(time(second)), ..Filter::default() };
            assert_eq!(found(&mut index, &since, 100).1, wanted(&|entry| entry.at >= time(second)), "{second}");
        }
        let push = Filter { action: Some("push".to_owned()), ..Filter::default() };
        assert_eq!(found(&mut index, &push, 100).1, wanted(&|entry| entry.action == "push"));
        let both = Filter { action: Some("push".to_owned()), since: Some(time(4)), ..by_actor };
        let expected = wanted(&|entry| entry.action == "push" && entry.actor == "ada" && entry.at >= time(4));
        assert_eq!(found(&mut index, &both, 100).1, expected);
        assert!(list(Fixture::new().session(), &Filter { since: Some(time(1)), ..push }, 9).unwrap().is_empty());
    }
}
