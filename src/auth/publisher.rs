//! Publishers: which runs of continuous integration elsewhere may publish to a repository, by what their issuer says.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Asserted, IssuerUrl};

/// Most claims a publisher may ask for.
pub const MAX_PUBLISHER_CLAIMS: usize = 16;

/// Longest name and longest value of such a claim in bytes.
const MAX_CLAIM_LENGTH: usize = 1024;

/// Claims that say whose run it is, and that nobody else can ever have: of GitHub, of GitLab, of any issuer. The name
/// of a repository is none of them: who takes it over after its owner would take over the right to publish, too.
const IDENTIFYING: [&str; 3] = ["repository_id", "project_id", "sub"];

/// Issuers whose `sub` holds a name that can change hands, with the claim that cannot.
const NUMBERED: [(&str, &str); 2] =
    [("https://token.actions.githubusercontent.com", "repository_id"), ("https://gitlab.com", "project_id")];

/// What GitHub calls the file of a workflow, with its repository and branch.
const WORKFLOW_REF: &str = "workflow_ref";

/// Events in which GitHub runs a repository's workflow on what a stranger sent, with the repository's own rights.
const STRANGERS_EVENTS: [&str; 2] = ["pull_request_target", "workflow_run"];

/// Why nobody can be a publisher by these claims.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PublisherRuleError {
    /// None, or too many.
    #[error("a publisher needs 1 to {MAX_PUBLISHER_CLAIMS} claims")]
    Count,
    /// A name or a value that no token can have.
    #[error("the claim `{0}` must have a name and a value of 1 to {MAX_CLAIM_LENGTH} bytes without control characters")]
    Claim(String),
    /// Anybody at this issuer could have them.
    #[error("the claims do not say whose run it is: add `repository_id` (GitHub), `project_id` (GitLab) or `sub`")]
    Anybody,
    /// Who takes over a name at this issuer would have them.
    #[error("names at this issuer can change hands: add `{0}`")]
    Named(&'static str),
    /// Every workflow of a repository could publish.
    #[error("beside `repository_id` the claims must name a `workflow`: the file, such as `release.yml`")]
    AnyWorkflow,
}

/// Why a run is not the one a publisher means.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Mismatch {
    /// A claim is missing or has another value.
    #[error("the claim `{0}` is missing or has another value")]
    Claim(String),
    /// The run may do what a stranger wrote.
    #[error("runs for the event `{0}` are never trusted: they act on what strangers send")]
    Event(String),
}

/// What the identity token of a run must say.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "BTreeMap<String, String>", into = "BTreeMap<String, String>")]
pub struct PublisherRule(BTreeMap<String, String>);

impl PublisherRule {
    /// Takes claims that say whose run it is. `workflow` with the name of a file stands for the file that
    /// `workflow_ref` names.
    pub fn new(claims: BTreeMap<String, String>) -> Result<Self, PublisherRuleError> {
        if claims.is_empty() || claims.len() > MAX_PUBLISHER_CLAIMS {
            return Err(PublisherRuleError::Count);
        }
        let is_text =
            |text: &str| !text.is_empty() && text.len() <= MAX_CLAIM_LENGTH && !text.chars().any(char::is_control);
        if let Some((name, _)) = claims.iter().find(|(name, value)| !is_text(name) || !is_text(value)) {
            return Err(PublisherRuleError::Claim(name.chars().take(64).filter(|c| !c.is_control()).collect()));
        }
        if !IDENTIFYING.iter().any(|name| claims.contains_key(*name)) {
            return Err(PublisherRuleError::Anybody);
        }
        let names_workflow = claims.get("workflow").is_some_and(|file| is_workflow_file(file))
            || ["workflow_ref", "job_workflow_ref", "sub"].iter().any(|name| claims.contains_key(*name));
        if claims.contains_key("repository_id") && !names_workflow {
            return Err(PublisherRuleError::AnyWorkflow);
        }
        Ok(Self(claims))
    }

    /// As [`Self::new`], for runs of one issuer, of which more may be known.
    pub fn of(issuer: &IssuerUrl, claims: BTreeMap<String, String>) -> Result<Self, PublisherRuleError> {
        let rule = Self::new(claims)?;
        let is_below = |address: &str| {
            let rest = issuer.as_str().strip_prefix(address);
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        match NUMBERED.iter().find(|(address, _)| is_below(address)) {
            Some((_, claim)) if !rule.0.contains_key(*claim) => Err(PublisherRuleError::Named(claim)),
            _ => Ok(rule),
        }
    }

    /// The claims, with the values they must have.
    pub fn claims(&self) -> &BTreeMap<String, String> {
        &self.0
    }

    /// What the publisher is found by: one of [`selectors`] of every run it means.
    pub fn selector(&self) -> String {
        let found = IDENTIFYING.iter().find_map(|name| self.0.get(*name).map(|value| selector(name, value)));
        found.unwrap_or_default()
    }

    /// Whether a run is the one that is meant. That its issuer is the right one was seen before.
    pub fn matches(&self, run: &Asserted) -> Result<(), Mismatch> {
        let event = run.claims().get("event_name").and_then(Value::as_str).unwrap_or_default();
        if STRANGERS_EVENTS.contains(&event) {
            return Err(Mismatch::Event(event.to_owned()));
        }
        let differs =
            |(name, wanted): &(&String, &String)| found(run, name, wanted).as_deref() != Some(wanted.as_str());
        match self.0.iter().find(differs) {
            Some((name, _)) => Err(Mismatch::Claim(name.clone())),
            None => Ok(()),
        }
    }
}

/// What a run may be found by, among publishers of its issuer.
pub fn selectors(run: &Asserted) -> Vec<String> {
    let found = IDENTIFYING.iter().filter_map(|name| text(run.claims().get(*name)).map(|value| selector(name, &value)));
    found.collect()
}

fn selector(name: &str, value: &str) -> String {
    format!("{name}={value}")
}

/// What a run says of a claim.
fn found(run: &Asserted, name: &str, wanted: &str) -> Option<String> {
    if name != "workflow" || !is_workflow_file(wanted) {
        return text(run.claims().get(name));
    }
    // `owner/repository/.github/workflows/release.yml@refs/heads/main`; what GitHub calls `workflow` is a title that
    // every file may have.
    let reference = text(run.claims().get(WORKFLOW_REF))?;
    let path = reference.split('@').next()?;
    path.split_once("/.github/workflows/").map(|(_, file)| file.to_owned())
}

fn is_workflow_file(text: &str) -> bool {
    !text.contains('/') && [".yml", ".yaml"].iter().any(|end| text.len() > end.len() && text.ends_with(end))
}

fn text(claim: Option<&Value>) -> Option<String> {
    match claim? {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(flag) => Some(flag.to_string()),
        _ => None,
    }
}

impl TryFrom<BTreeMap<String, String>> for PublisherRule {
    type Error = PublisherRuleError;

    fn try_from(claims: BTreeMap<String, String>) -> Result<Self, PublisherRuleError> {
        Self::new(claims)
    }
}

impl From<PublisherRule> for BTreeMap<String, String> {
    fn from(rule: PublisherRule) -> Self {
        rule.0
    }
}

impl fmt::Display for PublisherRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let all: Vec<_> = self.0.iter().map(|(name, value)| format!("{name}={value}")).collect();
        f.write_str(&all.join(" "))
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failing test may panic")]
mod tests {
    use serde_json::json;

    use super::*;

    fn rule(claims: &[(&str, &str)]) -> Result<PublisherRule, PublisherRuleError> {
        PublisherRule::new(claims.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect())
    }

    fn run(changes: &[(&str, Value)]) -> Asserted {
        let mut claims = json!({
            "repository_id": "4711", "repository": "acme/agents", "workflow": "Release", "environment": "release",
            "workflow_ref": "acme/agents/.github/workflows/release.yml@refs/heads/main", "event_name": "push",
            "sub": "repo:acme/agents:environment:release", "run_attempt": 1, "ref_protected": true,
        });
        for (name, value) in changes {
            claims[*name] = value.clone();
        }
        Asserted::of_claims(claims.as_object().unwrap().clone())
    }

    const GITHUB: [(&str, &str); 3] =
        [("repository_id", "4711"), ("workflow", "release.yml"), ("environment", "release")];

    #[test]
    fn a_run_is_known_by_its_claims_and_only_all_of_them() {
        let github = rule(&GITHUB).unwrap();
        assert_eq!(github.matches(&run(&[])), Ok(()));
        assert!(selectors(&run(&[])).contains(&github.selector()));
        for (name, value) in [
            ("repository_id", json!("4712")),
            ("repository_id", json!("47110")),
            ("environment", json!("Release")),
            ("environment", json!("")),
            ("environment", Value::Null),
            ("environment", json!(["release"])),
        ] {
            assert_eq!(github.matches(&run(&[(name, value.clone())])), Err(Mismatch::Claim(name.into())), "{value}");
        }
        let numbers = rule(&[("sub", "repo:acme/agents:environment:release"), ("run_attempt", "1")]).unwrap();
        assert_eq!(numbers.matches(&run(&[])), Ok(()));
    }

    #[test]
    fn the_workflow_is_the_file_and_not_its_title() {
        let github = rule(&GITHUB).unwrap();
        for reference in [
            "acme/agents/.github/workflows/other.yml@refs/heads/main",
            "acme/agents/.github/workflows/other.yml@refs/heads/x/.github/workflows/release.yml",
            "acme/agents/.github/workflows/sub/release.yml@refs/heads/main",
            "release.yml",
        ] {
            let titled = run(&[("workflow_ref", json!(reference)), ("workflow", json!("release.yml"))]);
            assert_eq!(github.matches(&titled), Err(Mismatch::Claim("workflow".into())), "{reference}");
        }
        assert!(github.matches(&run(&[("workflow_ref", Value::Null)])).is_err());
        let titled = rule(&[("project_id", "4"), ("workflow", "Release")]).unwrap();
        assert_eq!(titled.matches(&run(&[("project_id", json!(4))])), Ok(()));
    }

    #[test]
    fn runs_that_act_on_what_strangers_send_are_refused_whatever_was_asked_for() {
        for event in STRANGERS_EVENTS {
            let asked = [&GITHUB[..], &[("event_name", event)]].concat();
            for rule in [rule(&GITHUB).unwrap(), rule(&asked).unwrap()] {
                let told = rule.matches(&run(&[("event_name", json!(event))]));
                assert_eq!(told, Err(Mismatch::Event(event.into())));
            }
        }
    }

    #[test]
    fn claims_must_say_whose_run_it_is() {
        use PublisherRuleError::{AnyWorkflow, Anybody, Claim, Count};
        assert_eq!(rule(&[]), Err(Count));
        for anybody in [("workflow", "release.yml"), ("repository", "acme/agents"), ("ref", "refs/heads/main")] {
            assert_eq!(rule(&[anybody]), Err(Anybody), "{anybody:?}");
        }
        assert_eq!(rule(&[("repository_id", "4711")]), Err(AnyWorkflow));
        assert_eq!(rule(&[("repository_id", "4711"), ("workflow", "Release")]), Err(AnyWorkflow));
        for fine in [("project_id", "22"), ("sub", "anything")] {
            assert!(rule(&[fine]).is_ok(), "{fine:?}");
        }
        assert!(matches!(rule(&[("sub", "")]), Err(Claim(_))));
        assert!(matches!(rule(&[("sub", "a\nb")]), Err(Claim(_))));
        assert!(matches!(rule(&[("sub", &"s".repeat(1025))]), Err(Claim(_))));
        let many: BTreeMap<_, _> = (0..=MAX_PUBLISHER_CLAIMS).map(|n| (format!("sub{n}"), "x".to_owned())).collect();
        assert_eq!(PublisherRule::new(many), Err(Count));
    }

    #[test]
    fn a_name_that_can_change_hands_is_no_identity() {
        let by_name = rule(&[("sub", "repo:acme/agents:ref:refs/heads/main")]).unwrap();
        for (issuer, claim) in [
            ("https://token.actions.githubusercontent.com", "repository_id"),
            ("https://token.actions.githubusercontent.com/acme", "repository_id"),
            ("https://gitlab.com", "project_id"),
        ] {
            let told = PublisherRule::of(&issuer.parse().unwrap(), by_name.claims().clone());
            assert_eq!(told, Err(PublisherRuleError::Named(claim)), "{issuer}");
        }
        assert!(PublisherRule::of(&"https://gitlab.com.example".parse().unwrap(), by_name.0).is_ok());
        let github = NUMBERED[0].0.parse().unwrap();
        assert!(PublisherRule::of(&github, rule(&GITHUB).unwrap().0).is_ok());
    }

    #[test]
    fn a_stored_rule_reads_back_and_a_broken_one_does_not() {
        let github = rule(&GITHUB).unwrap();
        let stored = serde_json::to_string(&github).unwrap();
        assert_eq!(serde_json::from_str::<PublisherRule>(&stored).unwrap(), github);
        assert!(serde_json::from_str::<PublisherRule>(r#"{"ref":"main"}"#).is_err());
        assert_eq!(github.to_string(), "environment=release repository_id=4711 workflow=release.yml");
    }
}
