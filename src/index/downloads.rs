//! Downloads: how often manifests were pulled, by days.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::manifests::ManifestId;
use super::repositories::{RepositoryId, page};
use super::standings::{self, Change};
use super::{Error, Row, Session, Value};
use crate::oci::Digest;
use crate::package::Version;

/// Seconds of a day; days begin in UTC.
const DAY_SECONDS: i64 = 86_400;

/// A day since 1970, in UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Day(i64);

impl Day {
    /// The day of this number.
    pub const fn new(number: i64) -> Self {
        Self(number)
    }

    /// Its number.
    pub const fn get(self) -> i64 {
        self.0
    }

    /// The day of a moment.
    pub fn of(moment: Timestamp) -> Self {
        Self(moment.as_second().div_euclid(DAY_SECONDS))
    }

    /// The day so many days before.
    #[must_use]
    pub const fn minus(self, days: u32) -> Self {
        Self(self.0.saturating_sub(days as i64))
    }

    /// Its first moment.
    pub fn start(self) -> Timestamp {
        Timestamp::from_second(self.0.saturating_mul(DAY_SECONDS)).unwrap_or(Timestamp::MAX)
    }
}

impl From<Day> for Value {
    fn from(day: Day) -> Self {
        Self::Integer(day.0)
    }
}

/// Pulls of one manifest on one day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pulled {
    /// The manifest's row.
    pub manifest: ManifestId,
    /// What it is: a row may have been given to another manifest since.
    pub digest: Digest,
    /// When.
    pub day: Day,
    /// How often.
    pub count: u32,
}

/// Adds pulls to those that are counted. The repositories whose sums have changed.
///
/// Manifests about others, and those under a tag such as `sha256-….sig`, by which signatures are kept, are not counted,
/// nor those that are gone.
pub fn add(session: &mut dyn Session, pulled: &[Pulled]) -> Result<Vec<RepositoryId>, Error> {
    let mut sums: BTreeMap<i64, i64> = BTreeMap::new();
    for pulls in pulled {
        let sql = "INSERT INTO download (manifest_id, day, count) SELECT m.id, ?3, ?4 FROM manifest m \
                   WHERE m.id = ?1 AND m.digest = ?2 \
                   AND NOT EXISTS (SELECT 1 FROM edge e WHERE e.manifest_id = m.id AND e.kind = 4) \
                   AND NOT EXISTS (SELECT 1 FROM tag t WHERE t.manifest_id = m.id \
                   AND (t.name >= 'sha256-' AND t.name < 'sha256.' OR t.name >= 'sha512-' AND t.name < 'sha512.')) \
                   ON CONFLICT (manifest_id, day) DO UPDATE SET count = download.count + excluded.count \
                   RETURNING (SELECT m.repository_id FROM manifest m WHERE m.id = manifest_id)";
        let count = i64::from(pulls.count);
        let parameters = [pulls.manifest.into(), (&pulls.digest).into(), pulls.day.into(), Value::Integer(count)];
        if let Some(row) = session.first(sql, &parameters)? {
            *sums.entry(row.integer(0)?).or_default() += count;
        }
    }
    let add = |(repository, downloads)| {
        let repository = RepositoryId(repository);
        let change = Change { downloads, ..Change::default() };
        standings::add(session, repository, change).map(|()| repository)
    };
    sums.into_iter().map(add).collect()
}

/// How often a manifest was pulled, of those days that are kept.
pub fn of_manifest(session: &mut dyn Session, manifest: ManifestId) -> Result<u64, Error> {
    let sql = "SELECT coalesce(sum(count), 0) FROM download WHERE manifest_id = ?1";
    session.first(sql, &[manifest.into()])?.map_or(Ok(0), |row| row.size(0))
}

/// One line of a list of days.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// The day.
    pub day: Day,
    /// The manifest.
    pub digest: Digest,
    /// The highest version it is now, if it is one.
    pub version: Option<Version>,
    /// How often it was pulled on that day.
    pub count: u64,
}

/// The pulls of a repository since a day, the newest day first and then by digest, after a line; at most `limit`.
pub fn of_repository(
    session: &mut dyn Session,
    repository: RepositoryId,
    since: Day,
    after: Option<(Day, Digest)>,
    limit: usize,
) -> Result<Vec<Listed>, Error> {
    let sql = "SELECT d.day, m.digest, d.count, (SELECT v.version FROM version v WHERE v.manifest_id = m.id \
               ORDER BY v.sort_key DESC LIMIT 1) FROM manifest m JOIN download d ON d.manifest_id = m.id \
               WHERE m.repository_id = ?1 AND d.day >= ?2 AND (d.day < ?3 OR d.day = ?3 AND m.digest > ?4) \
               ORDER BY d.day DESC, m.digest LIMIT ?5";
    let (day, digest) =
        after.map_or((Day(i64::MAX), Value::Bytes(bytes::Bytes::new())), |(day, digest)| (day, (&digest).into()));
    let parameters = [repository.into(), since.into(), day.into(), digest, page(limit)];
    let read = |row: &Row| {
        let (day, digest, count) = (Day(row.integer(0)?), row.digest(1)?, row.size(2)?);
        Ok(Listed { day, digest, version: row.optional(3, Row::parsed)?, count })
    };
    session.query(sql, &parameters)?.iter().map(read).collect()
}

/// Manifests that have days before one, after a manifest's row: those, and where to go on; `None` at the end.
pub fn old(
    session: &mut dyn Session,
    before: Day,
    after: Option<ManifestId>,
    limit: usize,
) -> Result<(Vec<ManifestId>, Option<ManifestId>), Error> {
    let sql = "SELECT manifest_id, min(day) FROM download WHERE manifest_id > ?1 GROUP BY manifest_id \
               ORDER BY manifest_id LIMIT ?2";
    let after = after.map_or(i64::MIN, |after| after.0);
    let rows = session.query(sql, &[after.into(), page(limit)])?;
    let mut found = vec![];
    for row in &rows {
        if row.integer(1)? < before.0 {
            found.push(ManifestId(row.integer(0)?));
        }
    }
    let last = rows.last().filter(|_| rows.len() >= limit).map(|row| row.integer(0).map(ManifestId)).transpose()?;
    Ok((found, last))
}

/// Takes the days of a manifest before one away; sums keep them.
pub fn forget(session: &mut dyn Session, manifest: ManifestId, before: Day) -> Result<(), Error> {
    let sql = "DELETE FROM download WHERE manifest_id = ?1 AND day < ?2";
    session.execute(sql, &[manifest.into(), before.into()]).map(|_| ())
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failing test may panic")]
mod tests {
    use super::super::fixture::{Fixture, manifest, name, tag, time};
    use super::super::{manifests, tags};
    use super::*;
    use crate::oci::Manifest;

    const KIND: &str = "application/vnd.example.thing";

    fn put(index: &mut Fixture, text: &str, pushed: &Manifest, tags: &[&str]) -> ManifestId {
        let here = name(text);
        let change = tags::Change { id: index.repository(text), repository: &here, actor: "ada", at: time(1) };
        let tags: Vec<_> = tags.iter().map(|text| tag(text)).collect();
        manifests::put(index.session(), &change, pushed, &tags).unwrap().id
    }

    fn pulled(manifest: ManifestId, digest: Digest, day: i64, count: u32) -> Pulled {
        Pulled { manifest, digest, day: Day(day), count }
    }

    fn total(index: &mut Fixture, text: &str) -> u64 {
        let id = index.repository(text);
        standings::of_repository(index.session(), id).unwrap().downloads
    }

    #[test]
    fn pulls_add_up_by_day_and_in_the_sum_of_their_repository() {
        let mut index = Fixture::new();
        let (one, two) = (manifest(KIND, "one", None), manifest(KIND, "two", None));
        let (first, second) = (put(&mut index, "a/b", &one, &["1"]), put(&mut index, "a/b", &two, &[]));
        let other = put(&mut index, "a/c", &one, &["1"]);
        let batch =
            [pulled(first, one.digest(), 5, 2), pulled(second, two.digest(), 5, 1), pulled(other, one.digest(), 5, 7)];
        let (here, there) = (index.repository("a/b"), index.repository("a/c"));
        assert_eq!(add(index.session(), &batch).unwrap(), [here, there]);
        assert_eq!(add(index.session(), &[pulled(first, one.digest(), 6, 1)]).unwrap(), [here]);
        assert_eq!(add(index.session(), &[pulled(first, one.digest(), 6, 3)]).unwrap(), [here]);
        assert_eq!((total(&mut index, "a/b"), total(&mut index, "a/c")), (7, 7));
        assert_eq!(of_manifest(index.session(), first).unwrap(), 6);
        let mut lines = |since, after, limit| {
            let rows = of_repository(index.session(), here, Day(since), after, limit).unwrap();
            rows.into_iter().map(|row| (row.day, row.digest, row.count)).collect::<Vec<_>>()
        };
        let mut digests = [(one.digest(), 2), (two.digest(), 1)];
        digests.sort_by_key(|(digest, _)| digest.raw().to_vec());
        let expected =
            [(Day(6), one.digest(), 4), (Day(5), digests[0].0, digests[0].1), (Day(5), digests[1].0, digests[1].1)];
        assert_eq!(lines(0, None, 9), expected);
        assert_eq!(lines(6, None, 9), expected[..1]);
        assert_eq!(lines(0, Some((expected[0].0, expected[0].1)), 1), expected[1..2]);
        assert_eq!(lines(0, Some((expected[1].0, expected[1].1)), 9), expected[2..]);
    }

    #[test]
    fn signatures_and_what_is_gone_do_not_count() {
        let mut index = Fixture::new();
        let subject = manifest(KIND, "subject", None);
        let referrer = manifest(KIND, "about", Some(&subject));
        let tagged = manifest(KIND, "old style", None);
        let plain = manifest(KIND, "plain", None);
        let ids = [
            put(&mut index, "a/b", &referrer, &["named"]),
            put(&mut index, "a/b", &tagged, &["sha256-0123.sig", "also"]),
            put(&mut index, "a/b", &plain, &["sha25", "sha2567", "sha512"]),
        ];
        let digests = [referrer.digest(), tagged.digest(), plain.digest()];
        let all: Vec<_> = ids.iter().zip(digests).map(|(id, digest)| pulled(*id, digest, 1, 1)).collect();
        add(index.session(), &all).unwrap();
        assert_eq!(ids.map(|id| of_manifest(index.session(), id).unwrap()), [0, 0, 1]);
        let here = name("a/b");
        let change = tags::Change { id: index.repository("a/b"), repository: &here, actor: "ada", at: time(1) };
        manifests::delete(index.session(), &change, &plain.digest()).unwrap();
        assert!(add(index.session(), &all).unwrap().is_empty());
        let reused = put(&mut index, "a/b", &manifest(KIND, "another", None), &[]);
        assert!(
            add(index.session(), &[pulled(reused, plain.digest(), 1, 1)]).unwrap().is_empty(),
            "it was another's row"
        );
        assert_eq!(total(&mut index, "a/b"), 1, "the sum keeps what was");
        assert_eq!(index.count("SELECT count(*) FROM download"), 0);
    }

    #[test]
    fn old_days_go_a_bounded_part_at_a_time_and_sums_stay() {
        let mut index = Fixture::new();
        for note in 0..5 {
            let pushed = manifest(KIND, &note.to_string(), None);
            let id = put(&mut index, "a/b", &pushed, &[]);
            let days = (1..=note + 1).map(|day| pulled(id, pushed.digest(), day, 1)).collect::<Vec<_>>();
            add(index.session(), &days).unwrap();
        }
        let (mut after, mut rounds) = (None, 0);
        loop {
            let (found, last) = old(index.session(), Day(3), after, 2).unwrap();
            for id in found {
                forget(index.session(), id, Day(3)).unwrap();
            }
            rounds += 1;
            after = last;
            if after.is_none() {
                break;
            }
        }
        assert_eq!(rounds, 3);
        assert_eq!(index.count("SELECT count(*) FROM download"), 6);
        assert_eq!(index.count("SELECT min(day) FROM download"), 3);
        assert_eq!(total(&mut index, "a/b"), 15);
        assert_eq!(old(index.session(), Day(3), None, 9).unwrap(), (vec![], None));
    }

    #[test]
    fn days_begin_in_utc_also_before_1970() {
        let day = |second| Day::of(Timestamp::from_second(second).unwrap());
        assert_eq!([day(0), day(86_399), day(86_400), day(-1)], [Day(0), Day(0), Day(1), Day(-1)]);
        assert_eq!(day(86_400 * 3 + 5).start(), Timestamp::from_second(86_400 * 3).unwrap());
        assert_eq!(Day(10).minus(3), Day(7));
    }
}
