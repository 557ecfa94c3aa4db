//! Looks at a package from every side, and says where two of them disagree.

use std::collections::BTreeMap;

use semver::Version;
use serde_json::Value;

use crate::known::{Copy, Known};
use crate::real::Hand;

/// Fails unless two things are the same.
macro_rules! same {
    ($one:expr, $other:expr, $($what:tt)+) => {{
        let (one, other) = (&$one, &$other);
        if one != other {
            return Err(format!("{}: {one:?} instead of {other:?}", format!($($what)+)));
        }
    }};
}

/// What the registry knows of a package, as far as its tags, its versions and its ratings say; everything else has to
/// agree with that.
pub(crate) async fn observe(hand: &Hand, repository: &str, user: &str) -> Result<Known, String> {
    let (status, tags) = tags(hand, repository).await;
    if status == 404 {
        return Ok(Known::default());
    }
    let mut known = Known::default();
    let (mut yanked, mut deprecated) = (BTreeMap::new(), BTreeMap::new());
    for hit in hand.list(&format!("/packages/{repository}/versions")).await? {
        let version: Version = hit["version"].as_str().unwrap().parse().unwrap();
        let digest = hit["digest"].as_str().unwrap().to_owned();
        yanked.insert(version.clone(), hit["state"]["yanked"].is_object());
        deprecated.insert(version.clone(), hit["state"]["deprecated"].is_object());
        let copy = Copy { digest, is_yanked: yanked[&version], is_deprecated: deprecated[&version] };
        known.versions.insert(version, copy);
    }
    for (tag, digest) in tags {
        match tag.parse::<Version>() {
            Ok(version) => {
                same!(known.versions.get(&version).map(|copy| &copy.digest), Some(&digest), "versions of {tag}")
            }
            Err(_) => known.latest = Some(digest),
        }
    }
    let ratings = hand.list(&format!("/packages/{repository}/ratings")).await?;
    let own = ratings.iter().find(|one| one["user"] == user);
    same!(ratings.len(), usize::from(own.is_some()), "ratings of others than {user}");
    known.stars = own.and_then(|one| one["stars"].as_u64()).and_then(|stars| u8::try_from(stars).ok());
    Ok(known)
}

async fn tags(hand: &Hand, repository: &str) -> (u16, BTreeMap<String, String>) {
    let answer =
        hand.send(reqwest::Method::GET, &format!("/v2/{repository}/tags/list"), "text/plain", vec![]).await.unwrap();
    let status = answer.status().as_u16();
    let list: Value = answer.json().await.unwrap_or_default();
    let mut found = BTreeMap::new();
    for tag in list["tags"].as_array().map(Vec::as_slice).unwrap_or_default() {
        let tag = tag.as_str().unwrap();
        let (_, digest, _) = hand.head(repository, tag).await;
        found.insert(tag.to_owned(), digest);
    }
    (status, found)
}

/// How a package looks to lists of versions: what is said of all of it is said of each.
fn spread(known: &Known) -> Known {
    let mut spread = known.clone();
    for copy in spread.versions.values_mut() {
        copy.is_deprecated |= known.is_deprecated;
    }
    spread.is_deprecated = false;
    spread
}

/// Which of the packages that it may be is there; `found` is what search found of it.
pub(crate) async fn agree(
    hand: &Hand,
    repository: &str,
    user: &str,
    possible: &[Known],
    found: Option<&Value>,
) -> Result<Known, String> {
    let seen = observe(hand, repository, user).await?;
    let is_one = possible.iter().find(|known| spread(known) == seen);
    let Some(known) = is_one else {
        return Err(format!("{repository} is {seen:?}, which is none of {possible:?}"));
    };
    warnings(hand, repository, known).await?;
    record(hand, repository, known).await?;
    resolved(hand, repository, known).await?;
    hit(repository, known, found)?;
    Ok(known.clone())
}

/// Who pulls a version hears what is said of it, and nothing else.
async fn warnings(hand: &Hand, repository: &str, known: &Known) -> Result<(), String> {
    for (version, copy) in &known.versions {
        for target in [&version.to_string(), &copy.digest] {
            let (status, digest, warnings) = hand.head(repository, target).await;
            same!((status, &digest), (200, &copy.digest), "{repository}:{target}");
            let has = |word: &str| warnings.iter().any(|text| text.starts_with("299 - \"") && text.contains(word));
            same!(has("yanked"), copy.is_yanked, "{repository}:{target} warns {warnings:?}");
            same!(
                has("deprecated"),
                copy.is_deprecated || known.is_deprecated,
                "{repository}:{target} warns {warnings:?}"
            );
        }
    }
    Ok(())
}

async fn record(hand: &Hand, repository: &str, known: &Known) -> Result<(), String> {
    let (status, record) = hand.read(&format!("/packages/{repository}")).await;
    let Some((version, copy)) = known.current() else {
        same!(status, 404, "the record of {repository}");
        return Ok(());
    };
    same!(status, 200, "the record of {repository}");
    same!(record["digest"].as_str(), Some(copy.digest.as_str()), "the record of {repository}");
    same!(record["version"].as_str().unwrap_or_default(), version.to_string(), "the record of {repository}");
    rated(&record["rating"], known).map_err(|error| format!("the record of {repository}: {error}"))
}

fn rated(rating: &Value, known: &Known) -> Result<(), String> {
    same!(rating["average"].as_f64(), known.stars.map(f64::from), "average");
    same!(rating["count"].as_u64(), Some(u64::from(known.stars.is_some())), "ratings");
    Ok(())
}

async fn resolved(hand: &Hand, repository: &str, known: &Known) -> Result<(), String> {
    let stable = known.highest_stable().map(|(_, copy)| copy.digest.as_str());
    for (text, wanted) in [("*", stable), ("%5E1", stable), ("latest", known.meant_by_latest()), ("%5E9", None)] {
        let (status, found) = hand.read(&format!("/packages/{repository}/resolve?version={text}")).await;
        same!((status == 200, found["digest"].as_str()), (wanted.is_some(), wanted), "{repository} resolves {text}");
    }
    Ok(())
}

fn hit(repository: &str, known: &Known, found: Option<&Value>) -> Result<(), String> {
    let wanted = known.current().map(|(version, copy)| (version.to_string(), copy.digest.clone()));
    let text = |hit: &Value, key: &str| hit[key].as_str().unwrap_or_default().to_owned();
    same!(found.map(|hit| (text(hit, "version"), text(hit, "digest"))), wanted, "search finds {repository}");
    found.map_or(Ok(()), |hit| rated(&hit["rating"], known))
}
