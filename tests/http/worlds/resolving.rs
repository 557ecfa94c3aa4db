//! Asks about one repository: its record, its versions, what a text means as a version, what its users think.

use agent_registry::oci::Digest;
use semver::VersionReq;
use serde_json::Value;

use super::callers::{Caller, Who};
use super::people::USERS;
use super::shelf::{REPOSITORIES, Row, Shelf, package_name};
use super::world::{Outcome, World, agree};
use crate::app::Answer;

/// What a version may be asked by.
pub(crate) const RANGES: [&str; 15] = [
    "*",
    "^1",
    "^1.1",
    "~1.1",
    ">=1, <2",
    "1.x",
    "<1",
    "^2.0.0-beta.1",
    "=1.1.0",
    "^9",
    "latest",
    "1.0.0",
    "2.0.0",
    "edge",
    "1.1.0+build.5",
];

/// What a text means.
#[derive(Debug)]
enum Meaning {
    /// Just this.
    Is(Digest),
    Nothing,
    /// The documentation does not say.
    Unsaid,
}

impl World {
    /// Whether what a caller may not see is not there; `None` is where there is no more to look at.
    fn admitted(&self, caller: &Caller, repository: usize, answer: &Answer) -> Outcome<Option<Value>> {
        let status = answer.status.as_u16();
        let body = String::from_utf8_lossy(&answer.body);
        if self.is_gone(caller) || !self.pulls(caller, repository) {
            // A credential that does not reach is told so, whether there is such a repository or not.
            let is_hidden = match caller.who {
                _ if self.is_gone(caller) => status == 401,
                Who::Nobody => status == 401,
                _ if caller.claims.is_some() => [401, 404].contains(&status),
                _ => [403, 404].contains(&status),
            };
            agree!(is_hidden, "{} gets {status} of a hidden repository: {body}", caller.named());
            return Ok(None);
        }
        agree!([200, 404].contains(&status), "{} gets {status}: {body}", caller.named());
        Ok(Some(if status == 200 { answer.json() } else { Value::Null }))
    }

    /// Reads everything there is about a package.
    pub(crate) async fn looks(&self, caller: &Caller, repository: usize) -> Outcome {
        let told = |what: &str, error: String| {
            format!("{} reads {what} of {}: {error}", caller.named(), REPOSITORIES[repository])
        };
        self.reads_the_record(caller, repository).await.map_err(|error| told("the record", error))?;
        self.reads_versions(caller, repository).await.map_err(|error| told("versions", error))?;
        self.reads_ratings(caller, repository).await.map_err(|error| told("ratings", error))
    }

    async fn reads_the_record(&self, caller: &Caller, repository: usize) -> Outcome {
        let (path, shelf) = (format!("/api/v1/packages/{}", REPOSITORIES[repository]), &self.shelves[repository]);
        let answer = self.get(caller, &path).await;
        let Some(record) = self.admitted(caller, repository, &answer)? else { return Ok(()) };
        let Some(row) = shelf.head() else {
            agree!(record.is_null(), "there is no current version: {record}");
            return Ok(());
        };
        agree!(!record.is_null(), "it should be {row:?}");
        record_is(&record, repository, shelf, &row)
    }

    async fn reads_versions(&self, caller: &Caller, repository: usize) -> Outcome {
        let path = format!("/api/v1/packages/{}/versions", REPOSITORIES[repository]);
        let (mut found, mut after) = (vec![], String::new());
        loop {
            let answer = self.get(caller, &format!("{path}?limit=2{after}")).await;
            let Some(page) = self.admitted(caller, repository, &answer)? else { return Ok(()) };
            found.extend(page["items"].as_array().cloned().unwrap_or_default());
            let Some(next) = page["next"].as_str() else { break };
            after = format!("&after={next}");
        }
        let rows = self.shelves[repository].rows();
        agree!(found.len() == rows.len(), "{found:?} instead of {rows:?}");
        for (hit, row) in found.iter().zip(&rows) {
            let is_row = hit["digest"] == row.digest.to_string()
                && hit["state"]["yanked"].is_object() == row.said.yanked
                && hit["state"]["deprecated"].is_object() == row.said.deprecated
                && row.version.as_ref().is_none_or(|version| hit["version"] == version.to_string());
            agree!(is_row, "{hit} instead of {row:?}");
            let Some(version) = &row.version else { continue };
            let one = self.get(caller, &format!("{path}/{version}")).await;
            let record = self.admitted(caller, repository, &one)?.unwrap_or_default();
            record_is(&record, repository, &self.shelves[repository], row)?;
        }
        Ok(())
    }

    async fn reads_ratings(&self, caller: &Caller, repository: usize) -> Outcome {
        let path = format!("/api/v1/packages/{}/ratings", REPOSITORIES[repository]);
        let answer = self.get(caller, &path).await;
        let Some(page) = self.admitted(caller, repository, &answer)? else { return Ok(()) };
        let listed = page["items"].as_array().cloned().unwrap_or_default();
        let mut listed: Vec<_> = listed.iter().map(|one| (one["user"].clone(), one["stars"].clone())).collect();
        listed.sort_by_key(|(user, _)| user.to_string());
        let ratings = self.shelves[repository].ratings.iter();
        let wanted: Vec<_> = ratings.map(|(user, stars)| (Value::from(USERS[*user]), Value::from(*stars))).collect();
        agree!(listed == wanted, "{listed:?} instead of {wanted:?}");
        Ok(())
    }

    /// Asks what a range or another text means.
    pub(crate) async fn resolves(&self, caller: &Caller, repository: usize, range: usize, pre: bool) -> Outcome {
        let (name, text) = (REPOSITORIES[repository], RANGES[range]);
        let encoded = text.replace('%', "%25").replace('+', "%2B").replace(' ', "%20").replace('^', "%5E");
        let encoded = encoded.replace('<', "%3C").replace('>', "%3E").replace('=', "%3D").replace(',', "%2C");
        let meaning = if pre { Meaning::Unsaid } else { meaning(&self.shelves[repository], text) };
        for path in [
            format!("/api/v1/packages/{name}/resolve?version={encoded}&pre={pre}"),
            format!("/api/v1/packages/{name}/versions/{encoded}?pre={pre}"),
        ] {
            let answer = self.get(caller, &path).await;
            let told = |error: String| format!("{} asks {path}: {error}", caller.named());
            let Some(found) = self.admitted(caller, repository, &answer).map_err(told)? else { continue };
            let is_so = match &meaning {
                Meaning::Is(digest) => found["digest"] == digest.to_string(),
                Meaning::Nothing => found.is_null(),
                Meaning::Unsaid => true,
            };
            agree!(is_so, "{}", told(format!("{meaning:?}, not {found}")));
        }
        Ok(())
    }
}

fn record_is(record: &Value, repository: usize, shelf: &Shelf, row: &Row) -> Outcome {
    let (average, count) = shelf.rating();
    let tags: Vec<_> =
        shelf.tags.iter().filter(|(_, (at, _))| *at == row.digest).map(|(tag, _)| tag.as_str()).collect();
    let is_so = record["digest"] == row.digest.to_string()
        && record["repository"] == REPOSITORIES[repository]
        && record["name"] == package_name(REPOSITORIES[repository])
        && record["registry_tags"] == Value::from(tags.clone())
        && record["state"]["yanked"].is_object() == row.said.yanked
        && record["state"]["deprecated"].is_object() == row.said.deprecated
        && record["rating"]["average"].as_f64() == average
        && record["rating"]["count"] == count;
    agree!(is_so, "{record} instead of {row:?} with {tags:?}, rated {average:?} by {count}");
    Ok(())
}

/// What a text means, without pre-releases where it names none.
fn meaning(shelf: &Shelf, text: &str) -> Meaning {
    let rows = shelf.rows();
    let tag = text.replace('+', "_");
    let is_ambiguous = |digest: &Digest| {
        let said: Vec<_> = rows.iter().filter(|row| row.digest == *digest).map(|row| row.said.yanked).collect();
        said.contains(&true) && said.contains(&false)
    };
    if let Some((digest, _)) = shelf.tags.get(&tag) {
        // Of what is no package not even a record is promised.
        if !rows.iter().any(|row| row.digest == *digest) {
            return Meaning::Unsaid;
        }
        let yanked = || rows.iter().any(|row| row.digest == *digest && row.said.yanked);
        match text {
            "latest" if is_ambiguous(digest) => return Meaning::Unsaid,
            "latest" if yanked() => {}
            _ => return Meaning::Is(*digest),
        }
    }
    let mut shown = rows.iter().filter(|row| !row.said.yanked && row.version.is_some());
    let found = match text {
        "latest" => shown.find(|row| row.version.as_ref().is_some_and(|version| version.pre.is_empty())),
        "edge" => return Meaning::Nothing,
        range => {
            let Ok(range) = VersionReq::parse(range) else { return Meaning::Unsaid };
            // A whole version is that one; that a range of the same text would find another is not said.
            if text.split('.').count() == 3 && text.starts_with(|c: char| c.is_ascii_digit()) {
                return Meaning::Unsaid;
            }
            shown.find(|row| row.version.as_ref().is_some_and(|version| range.matches(version)))
        }
    };
    found.map_or(Meaning::Nothing, |row| Meaning::Is(row.digest))
}
