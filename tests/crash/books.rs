//! Adds up the tables of the catalogue in a database that nobody has open: what is stored twice is the same twice.

use std::path::Path;

use rusqlite::Connection;

/// What must not find anything, and what it is about.
const FAULTS: &[(&str, &str)] = &[
    (
        "a version is ranked as yanked if and only if that is said of it",
        "SELECT v.repository_id, v.version FROM version v WHERE (v.rank >= 4) <> EXISTS (SELECT 1 FROM notice n \
         WHERE n.repository_id = v.repository_id AND n.sort_key = v.sort_key AND n.kind = 1)",
    ),
    (
        "nothing is said of a version that is not there",
        "SELECT n.repository_id, n.kind FROM notice n WHERE n.sort_key <> x'' AND NOT EXISTS (SELECT 1 FROM version v \
         WHERE v.repository_id = n.repository_id AND v.sort_key = n.sort_key)",
    ),
    (
        "a manifest is marked if and only if something is said of a version that it is",
        "SELECT m.repository_id, hex(m.digest) FROM manifest m WHERE (m.notice <> 0) <> EXISTS (SELECT 1 FROM version v \
         JOIN notice n ON n.repository_id = v.repository_id AND n.sort_key = v.sort_key \
         WHERE v.manifest_id = m.id AND v.sort_key <> x'')",
    ),
    (
        "a repository is marked if and only if something is said of all of it",
        "SELECT r.id, r.name FROM repository r WHERE (r.notice <> 0) <> EXISTS (SELECT 1 FROM notice n \
         WHERE n.repository_id = r.id AND n.sort_key = x'')",
    ),
    (
        "ratings add up",
        "SELECT r.id, r.name FROM repository r LEFT JOIN standing s ON s.repository_id = r.id WHERE \
         coalesce(s.ratings, 0) <> (SELECT count(*) FROM rating g WHERE g.repository_id = r.id) OR \
         coalesce(s.stars, 0) <> (SELECT coalesce(sum(g.stars), 0) FROM rating g WHERE g.repository_id = r.id)",
    ),
    (
        "pulls add up",
        "SELECT r.id, r.name FROM repository r LEFT JOIN standing s ON s.repository_id = r.id WHERE \
         coalesce(s.downloads, 0) < (SELECT coalesce(sum(d.count), 0) FROM download d \
         JOIN manifest m ON m.id = d.manifest_id WHERE m.repository_id = r.id)",
    ),
    (
        "every version is where its tag points",
        "SELECT v.repository_id, v.version FROM version v WHERE v.version IS NOT NULL AND NOT EXISTS (SELECT 1 FROM tag t \
         WHERE t.repository_id = v.repository_id AND t.name = replace(v.version, '+', '_') \
         AND t.manifest_id = v.manifest_id)",
    ),
];

/// The first fault is the error.
pub(crate) fn balance(database: &Path) -> Result<(), String> {
    let connection = Connection::open(database).map_err(|error| error.to_string())?;
    let check: String = connection.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
    if check != "ok" {
        return Err(check);
    }
    for (what, sql) in
        FAULTS.iter().chain(&[("no row dangles", "SELECT rowid, \"table\" FROM pragma_foreign_key_check")])
    {
        let mut statement = connection.prepare(sql).map_err(|error| format!("{what}: {error}"))?;
        let mut rows = statement.query([]).map_err(|error| format!("{what}: {error}"))?;
        if let Some(row) = rows.next().map_err(|error| format!("{what}: {error}"))? {
            let shown = |column| row.get_ref(column).map(|value| format!("{value:?}")).unwrap_or_default();
            return Err(format!("not so: {what}: {} {}", shown(0), shown(1)));
        }
    }
    Ok(())
}
