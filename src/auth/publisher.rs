//! Publishers: which run of which build system may push to a repository without a stored secret.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::words::MAX_SHOWN_CHARACTERS;
use super::{Access, ActionKind, Reach, Scope, Scopes};
use crate::oci::RepositoryName;

/// Most claims one publisher asks for.
pub const MAX_PUBLISHER_CLAIMS: usize = 16;

/// Longest name and value of such a claim in bytes.
pub const MAX_CLAIM_LENGTH: usize = 512;

/// The claims by which a presented identity finds its publishers, at least one of which each publisher asks for: they
/// are never given to another project, as names are.
const SELECTORS: [&str; 3] = ["repository_id", "project_id", "sub"];

/// Issuers whose `sub` holds a name that can change hands, with the claim that cannot.
const NUMBERED: [(&str, &str); 2] =
    [("https://token.actions.githubusercontent.com", "repository_id"), ("https://gitlab.com", "project_id")];

/// Claims that are compared with the registry itself, or are other for each token.
const NOT_ASKED: [&str; 6] = ["iss", "aud", "exp", "nbf", "iat", "jti"];

/// Not a claim of its own: the file that defines the workflow, inside the project. Both large build systems have it in a
/// reference that also names a branch.
const WORKFLOW_FILE: &str = "workflow_file";

/// Runs that strangers can start with a project's own rights.
const REFUSED_EVENTS: [&str; 2] = ["pull_request_target", "workflow_run"];

/// A publisher that cannot be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PublisherError {
    /// Nothing it asks for tells one project from the others for ever.
    #[error("a publisher asks at least for `repository_id` (GitHub), `project_id` (GitLab) or `sub`")]
    NoSelector,
    /// Who takes over a name at this issuer would be the publisher.
    #[error("names at this issuer can change hands: a publisher there asks for `{0}`")]
    Named(&'static str),
    /// More claims than are kept.
    #[error("a publisher asks for at most {MAX_PUBLISHER_CLAIMS} claims, this one for {0}")]
    TooManyClaims(usize),
    /// A claim cannot be asked for.
    #[error("a publisher cannot ask for claim `{name}`: {problem}")]
    Claim {
        /// Its name, cut to a length that can be shown.
        name: String,
        /// Why not.
        problem: &'static str,
    },
}

/// Why an identity is not this publisher's. For the log of the registry; who presents it learns that none matches.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PublisherMismatch {
    /// It comes from another issuer.
    #[error("the identity comes from another issuer")]
    Issuer,
    /// A claim is missing or has another value.
    #[error("the identity's claim `{0}` is missing or has another value than the publisher asks for")]
    Claim(String),
    /// It is of a run that others can start.
    #[error("runs of event `{0}` can be started by strangers and are refused")]
    Event(&'static str),
}

/// What an identity must be to publish to a repository, which need not exist yet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PublisherRule {
    issuer: String,
    repository: RepositoryName,
    claims: BTreeMap<String, String>,
}

impl PublisherRule {
    /// A publisher of an issuer, who an administrator listed, with claims that are compared exactly.
    ///
    /// `workflow_file` among them means the file that defines the workflow, such as `release.yml`.
    pub fn new(
        issuer: String,
        repository: RepositoryName,
        claims: BTreeMap<String, String>,
    ) -> Result<Self, PublisherError> {
        if claims.len() > MAX_PUBLISHER_CLAIMS {
            return Err(PublisherError::TooManyClaims(claims.len()));
        }
        for (name, value) in &claims {
            let problem = if NOT_ASKED.contains(&name.as_str()) {
                "it is checked anyway"
            } else if name.is_empty() || value.is_empty() {
                "its name and value must not be empty"
            } else if name.len() > MAX_CLAIM_LENGTH || value.len() > MAX_CLAIM_LENGTH {
                "its name or value is too long"
            } else {
                continue;
            };
            return Err(PublisherError::Claim { name: name.chars().take(MAX_SHOWN_CHARACTERS).collect(), problem });
        }
        if !SELECTORS.iter().any(|selector| claims.contains_key(*selector)) {
            return Err(PublisherError::NoSelector);
        }
        let is_below = |address: &str| {
            let rest = issuer.strip_prefix(address);
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        if let Some((_, number)) = NUMBERED.iter().find(|(address, _)| is_below(address))
            && !claims.contains_key(*number)
        {
            return Err(PublisherError::Named(number));
        }
        Ok(Self { issuer, repository, claims })
    }

    /// Who signs the identities.
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// The repository it may push to.
    pub fn repository(&self) -> &RepositoryName {
        &self.repository
    }

    /// The claims it asks for.
    pub fn claims(&self) -> &BTreeMap<String, String> {
        &self.claims
    }

    /// By what it is found: one of [`selectors`] of every identity that matches.
    pub fn selector(&self) -> String {
        let found = SELECTORS.iter().find_map(|name| self.claims.get(*name).map(|value| selector(name, value)));
        found.unwrap_or_default()
    }

    /// Whether a verified identity is this publisher's. Signature, audience and times are the issuer's keys' question.
    pub fn check(&self, issuer: &str, identity: &Map<String, Value>) -> Result<(), PublisherMismatch> {
        if issuer != self.issuer {
            return Err(PublisherMismatch::Issuer);
        }
        let event = claim(identity, "event_name");
        if let Some(refused) = REFUSED_EVENTS.iter().find(|refused| event.as_deref() == Some(**refused)) {
            return Err(PublisherMismatch::Event(refused));
        }
        for (name, wanted) in &self.claims {
            let found = if name == WORKFLOW_FILE { workflow_file(identity) } else { claim(identity, name) };
            if found.as_ref() != Some(wanted) {
                return Err(PublisherMismatch::Claim(name.clone()));
            }
        }
        Ok(())
    }

    /// How far its tokens reach: pull and push in this repository, nothing else.
    pub fn reach(&self) -> Reach {
        let push = Access::needed(ActionKind::Push, &self.repository);
        Reach::new(Scopes::of(&[Scope::Write]), vec![(&self.repository).into()]).narrowed_by_claims(vec![push])
    }
}

impl<'de> Deserialize<'de> for PublisherRule {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        struct Parts {
            issuer: String,
            repository: RepositoryName,
            claims: BTreeMap<String, String>,
        }
        let parts = Parts::deserialize(deserializer)?;
        Self::new(parts.issuer, parts.repository, parts.claims).map_err(serde::de::Error::custom)
    }
}

/// By what the publishers of an identity are found, most telling first.
pub fn selectors(identity: &Map<String, Value>) -> Vec<String> {
    let found = |name: &&str| claim(identity, name).filter(|value| value.len() <= MAX_CLAIM_LENGTH);
    SELECTORS.iter().filter_map(|name| found(name).map(|value| selector(name, &value))).collect()
}

fn selector(name: &str, value: &str) -> String {
    format!("{name}={value}")
}

/// A claim as text: issuers write numbers and truth both with and without quotes.
fn claim(identity: &Map<String, Value>, name: &str) -> Option<String> {
    match identity.get(name)? {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(truth) => Some(truth.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

/// `release.yml` of GitHub's `owner/name/.github/workflows/release.yml@refs/heads/main`, `.gitlab-ci.yml` of GitLab's
/// `gitlab.com/group/name//.gitlab-ci.yml@refs/heads/main`.
fn workflow_file(identity: &Map<String, Value>) -> Option<String> {
    if let (Some(reference), Some(project)) = (claim(identity, "workflow_ref"), claim(identity, "repository")) {
        let path = without_branch(&reference, claim(identity, "ref"))?;
        return path.strip_prefix(&format!("{project}/.github/workflows/")).map(ToOwned::to_owned);
    }
    let reference = claim(identity, "ci_config_ref_uri")?;
    let path = without_branch(&reference, claim(identity, "ref_path"))?;
    let project = format!("/{}//", claim(identity, "project_path")?);
    path.split_once(&project).map(|(_, file)| file.to_owned())
}

/// Both a file and a branch may have an `@` in their names, so where there are several the branch must be known.
fn without_branch(reference: &str, branch: Option<String>) -> Option<&str> {
    if let Some(path) = branch.and_then(|branch| reference.strip_suffix(&branch)?.strip_suffix('@')) {
        return Some(path);
    }
    reference.split_once('@').filter(|(_, branch)| !branch.contains('@')).map(|(path, _)| path)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failing test may panic")]
mod tests {
    use serde_json::json;

    use super::super::Narrowing;
    use super::*;

    const ISSUER: &str = "https://ci.example";

    fn rule(claims: &[(&str, &str)]) -> Result<PublisherRule, PublisherError> {
        let claims = claims.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        PublisherRule::new(ISSUER.to_owned(), "acme/agent".parse().unwrap(), claims)
    }

    fn identity(more: &Value) -> Map<String, Value> {
        let mut identity = json!({
            "sub": "repo:octo/agent:environment:release", "repository": "octo/agent", "repository_id": "1234",
            "workflow_ref": "octo/agent/.github/workflows/release.yml@refs/heads/main", "environment": "release",
            "event_name": "push",
        });
        let map = identity.as_object_mut().unwrap();
        map.extend(more.as_object().unwrap().clone());
        map.clone()
    }

    #[test]
    fn an_identity_matches_when_every_claim_does() {
        let rule =
            rule(&[("repository_id", "1234"), ("workflow_file", "release.yml"), ("environment", "release")]).unwrap();
        assert_eq!(rule.check(ISSUER, &identity(&json!({}))), Ok(()));
        assert_eq!(rule.check(ISSUER, &identity(&json!({"repository_id": 1234}))), Ok(()));
        assert_eq!(rule.check("https://evil.example", &identity(&json!({}))), Err(PublisherMismatch::Issuer));
        for (name, other) in [
            ("repository_id", json!("12345")),
            ("repository_id", json!(["1234"])),
            ("environment", json!(null)),
            ("environment", json!("Release")),
        ] {
            let mismatch = rule.check(ISSUER, &identity(&json!({ name: other })));
            assert_eq!(mismatch, Err(PublisherMismatch::Claim(name.to_owned())));
        }
    }

    #[test]
    fn the_workflow_is_the_file_in_the_project_whatever_the_branch() {
        let github = rule(&[("repository_id", "1234"), ("workflow_file", "release.yml")]).unwrap();
        for (reference, matches) in [
            ("octo/agent/.github/workflows/release.yml@refs/tags/v1", true),
            ("octo/other/.github/workflows/release.yml@refs/heads/main", false),
            ("octo/agent/.github/workflows/x/release.yml@refs/heads/main", false),
            ("octo/agent/.github/workflows/evil.yml@x/.github/workflows/release.yml", false),
            ("octo/agent/.github/workflows/release.yml@evil.yml@refs/heads/main", false),
            ("octo/agent/.github/workflows/release.yml", false),
        ] {
            let found = github.check(ISSUER, &identity(&json!({ "workflow_ref": reference })));
            assert_eq!(found.is_ok(), matches, "{reference}");
        }
        let file = "octo/agent/.github/workflows/release.yml";
        for (reference, branch, matches) in [
            (format!("{file}@refs/tags/@octo/agent@1.0.0"), "refs/tags/@octo/agent@1.0.0", true),
            (format!("{file}@evil.yml@refs/heads/main"), "refs/heads/main", false),
        ] {
            let found = github.check(ISSUER, &identity(&json!({ "workflow_ref": reference, "ref": branch })));
            assert_eq!(found.is_ok(), matches, "{reference}");
        }
        let gitlab = rule(&[("project_id", "5"), ("workflow_file", ".gitlab-ci.yml")]).unwrap();
        let identity = json!({
            "project_id": "5", "project_path": "group/agent", "sub": "project_path:group/agent:ref_type:branch:ref:main",
            "ci_config_ref_uri": "gitlab.com/group/agent//.gitlab-ci.yml@refs/heads/main",
        });
        assert_eq!(gitlab.check(ISSUER, identity.as_object().unwrap()), Ok(()));
    }

    #[test]
    fn runs_that_strangers_start_are_refused() {
        let rule = rule(&[("repository_id", "1234")]).unwrap();
        for event in REFUSED_EVENTS {
            let found = rule.check(ISSUER, &identity(&json!({ "event_name": event })));
            assert_eq!(found, Err(PublisherMismatch::Event(event)));
        }
        assert_eq!(rule.check(ISSUER, &identity(&json!({ "event_name": "workflow_dispatch" }))), Ok(()));
    }

    #[test]
    fn a_publisher_asks_for_what_tells_one_project_from_the_others() {
        assert_eq!(rule(&[("repository", "octo/agent")]), Err(PublisherError::NoSelector));
        assert_eq!(rule(&[]), Err(PublisherError::NoSelector));
        for bad in [("aud", "x"), ("environment", ""), ("", "x"), ("environment", &"x".repeat(513))] {
            assert!(matches!(rule(&[("sub", "x"), bad]), Err(PublisherError::Claim { .. })), "{bad:?}");
        }
        let names: Vec<String> = (0..17).map(|number| format!("claim{number}")).collect();
        let many: Vec<(&str, &str)> = names.iter().map(|name| (name.as_str(), "x")).collect();
        assert_eq!(rule(&many), Err(PublisherError::TooManyClaims(17)));
    }

    #[test]
    fn a_name_that_can_change_hands_is_no_identity() {
        let by_name = |issuer: &str, name: &str| {
            let claims = [(name.to_owned(), "x".to_owned())].into_iter().collect();
            PublisherRule::new(issuer.to_owned(), "acme/agent".parse().unwrap(), claims)
        };
        for (issuer, number) in NUMBERED {
            for issuer in [issuer.to_owned(), format!("{issuer}/acme")] {
                assert_eq!(by_name(&issuer, "sub"), Err(PublisherError::Named(number)), "{issuer}");
                assert!(by_name(&issuer, number).is_ok());
            }
            assert!(by_name(&format!("{issuer}.example"), "sub").is_ok());
        }
    }

    #[test]
    fn an_identity_finds_its_publishers_by_what_they_ask_for() {
        let found = selectors(&identity(&json!({})));
        assert_eq!(found, ["repository_id=1234", "sub=repo:octo/agent:environment:release"]);
        assert_eq!(rule(&[("repository_id", "1234"), ("sub", "x")]).unwrap().selector(), found[0]);
        assert!(selectors(&Map::new()).is_empty());
    }

    #[test]
    fn its_tokens_push_to_its_repository_and_nowhere_else() {
        let rule = rule(&[("sub", "x")]).unwrap();
        let reach = rule.reach();
        assert_eq!(reach.narrows(ActionKind::Push, rule.repository()), None);
        assert_eq!(reach.narrows(ActionKind::Delete, rule.repository()), Some(Narrowing::Token));
        assert_eq!(reach.narrows(ActionKind::Pull, &"acme/agent2".parse().unwrap()), Some(Narrowing::Token));
        assert!(!reach.lists_all());
        let text = serde_json::to_string(&rule).unwrap();
        assert_eq!(serde_json::from_str::<PublisherRule>(&text).unwrap(), rule);
        assert!(serde_json::from_str::<PublisherRule>(&text.replace("sub", "name")).is_err());
    }
}
