//! The rules that allow, in the order in which they are tried. What none allows is denied.

use std::fmt;

use super::{
    AboutCaller, AboutRepository, ActionKind, Grantee, Identity, Level, Namespace, Role, TeamName, Visibility,
};
use crate::oci::RepositoryName;

/// What allowed an action; audit rows carry its name.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Rule {
    /// The registry runs without accounts.
    Open,
    /// The registry's own work, with its reason.
    System(&'static str),
    /// The caller is an administrator.
    Administrator,
    /// The namespace is the caller's own, or of an organisation the caller owns.
    NamespaceOwner,
    /// The repository trusts this build system to pull and push.
    Publisher,
    /// A team of the caller's has a role in the namespace's organisation.
    TeamRole(TeamName),
    /// The repository is granted to the caller.
    Grant(Grantee),
    /// The organisation shows the repository to its members.
    OrganisationMember,
    /// The repository is shown to everyone.
    Public,
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Open => f.write_str("open"),
            Self::System(reason) => write!(f, "system: {reason}"),
            Self::Administrator => f.write_str("administrator"),
            Self::NamespaceOwner => f.write_str("namespace-owner"),
            Self::Publisher => f.write_str("publisher"),
            Self::TeamRole(team) => write!(f, "team-role {team}"),
            Self::Grant(grantee) => write!(f, "grant to {grantee}"),
            Self::OrganisationMember => f.write_str("organisation-member"),
            Self::Public => f.write_str("public"),
        }
    }
}

/// All that a rule looks at.
#[derive(Clone, Copy)]
pub(super) struct Question<'a> {
    pub(super) identity: &'a Identity,
    pub(super) action: ActionKind,
    pub(super) repository: &'a RepositoryName,
    pub(super) caller: &'a AboutCaller,
    pub(super) about: &'a AboutRepository,
}

/// A rule that can be tried.
pub(super) struct Trial {
    /// Its name without what it is about.
    pub(super) name: &'static str,
    /// What it allows by.
    pub(super) allows: fn(&Question<'_>) -> Option<Rule>,
    /// Why it does not, for who asks for an explanation.
    pub(super) why_not: fn(&Question<'_>) -> String,
}

/// Every rule, in the order in which they are tried: the first that allows is the one that the audit names.
pub(super) const TRIALS: [Trial; 7] = [
    Trial { name: "administrator", allows: administrator, why_not: no_administrator },
    Trial { name: "namespace-owner", allows: namespace_owner, why_not: no_namespace_owner },
    Trial { name: "publisher", allows: publisher, why_not: no_publisher },
    Trial { name: "team-role", allows: team_role, why_not: no_team_role },
    Trial { name: "grant", allows: grant, why_not: no_grant },
    Trial { name: "organisation-member", allows: organisation_member, why_not: no_organisation_member },
    Trial { name: "public", allows: public, why_not: no_public },
];

impl Question<'_> {
    /// Whether no rule is to be tried: whose account is gone may not even do what everyone may.
    pub(super) fn is_from_nowhere(&self) -> bool {
        self.identity.user().is_some() && !self.caller.is_active
    }

    /// Whether the facts' namespace is the one the repository is in, as they should.
    fn is_in(&self, account: &super::AccountName) -> bool {
        account.owns(self.repository)
    }

    fn is_shown(&self, visibility: Visibility) -> bool {
        self.about.exists && self.about.visibility == visibility && self.action == ActionKind::Pull
    }
}

fn administrator(question: &Question<'_>) -> Option<Rule> {
    (question.identity.user().is_some() && question.caller.is_administrator).then_some(Rule::Administrator)
}

fn no_administrator(question: &Question<'_>) -> String {
    format!("{} is no administrator", question.identity)
}

fn namespace_owner(question: &Question<'_>) -> Option<Rule> {
    let user = question.identity.user()?;
    let is_owner = match &question.about.namespace {
        Namespace::User(owner) => owner == user && question.is_in(owner),
        Namespace::Organisation(name) => question.about.membership == Some(Role::Owner) && question.is_in(name),
        Namespace::None => false,
    };
    is_owner.then_some(Rule::NamespaceOwner)
}

fn no_namespace_owner(question: &Question<'_>) -> String {
    let identity = question.identity;
    match (&question.about.namespace, question.about.membership) {
        (Namespace::User(owner), _) => format!("the namespace is user {owner}'s"),
        (Namespace::Organisation(name), Some(_)) => format!("{identity} is a member of organisation {name}, no owner"),
        (Namespace::Organisation(name), None) => format!("{identity} is not in organisation {name}"),
        (Namespace::None, _) if question.repository.namespace().is_none() => {
            "a name of one component is in no namespace; only administrators make such repositories".to_owned()
        }
        (Namespace::None, _) => "no account has the name of the namespace".to_owned(),
    }
}

fn publisher(question: &Question<'_>) -> Option<Rule> {
    let is_publisher = matches!(question.identity, Identity::Publisher(_)) && question.about.publisher;
    (is_publisher && Level::Write.allows(question.action)).then_some(Rule::Publisher)
}

fn no_publisher(question: &Question<'_>) -> String {
    match question.identity {
        Identity::Publisher(_) if question.about.publisher => "a publisher only pulls and pushes".to_owned(),
        Identity::Publisher(_) => format!("{} is for another repository", question.identity),
        _ => "the caller is no publisher".to_owned(),
    }
}

fn team_role(question: &Question<'_>) -> Option<Rule> {
    question.identity.user()?;
    let Namespace::Organisation(organisation) = &question.about.namespace else { return None };
    let allows = |(team, level): &&(TeamName, Level)| {
        team.organisation() == organisation && question.is_in(organisation) && level.allows(question.action)
    };
    question.about.team_roles.iter().find(allows).map(|(team, _)| Rule::TeamRole(team.clone()))
}

fn no_team_role(question: &Question<'_>) -> String {
    let named = question.about.team_roles.iter().map(|(team, level)| format!("team {team} may only {level}"));
    list(named, "no team of the caller's has a role in the namespace")
}

fn grant(question: &Question<'_>) -> Option<Rule> {
    let user = question.identity.user()?;
    let allows = |(grantee, level): &&(Grantee, Level)| {
        let is_theirs = !matches!(grantee, Grantee::User(name) if name != user);
        is_theirs && level.allows(question.action)
    };
    // The most personal first, since that is the one people look for.
    question.about.grants.iter().filter(allows).map(|(grantee, _)| grantee).min().cloned().map(Rule::Grant)
}

fn no_grant(question: &Question<'_>) -> String {
    let named = question.about.grants.iter().map(|(grantee, level)| format!("{grantee} may only {level}"));
    list(named, "the repository is granted neither to the caller nor to a team or organisation of theirs")
}

fn organisation_member(question: &Question<'_>) -> Option<Rule> {
    question.identity.user()?;
    let Namespace::Organisation(name) = &question.about.namespace else { return None };
    let is_member = question.about.membership.is_some() && question.is_in(name);
    (is_member && question.is_shown(Visibility::Org)).then_some(Rule::OrganisationMember)
}

fn no_organisation_member(question: &Question<'_>) -> String {
    match (&question.about.namespace, question.about.membership) {
        (Namespace::Organisation(_), Some(_)) => not_shown(question, Visibility::Org),
        (Namespace::Organisation(name), None) => format!("{} is not in organisation {name}", question.identity),
        _ => "the namespace is no organisation's".to_owned(),
    }
}

fn public(question: &Question<'_>) -> Option<Rule> {
    question.is_shown(Visibility::Public).then_some(Rule::Public)
}

fn no_public(question: &Question<'_>) -> String {
    not_shown(question, Visibility::Public)
}

fn not_shown(question: &Question<'_>, wanted: Visibility) -> String {
    match question.about.visibility {
        _ if !question.about.exists => "there is no such repository".to_owned(),
        found if found != wanted => format!("the repository is {found}"),
        _ => "visibility only lets pull".to_owned(),
    }
}

fn list(reasons: impl Iterator<Item = String>, nothing: &str) -> String {
    let all = reasons.collect::<Vec<_>>().join(", ");
    if all.is_empty() { nothing.to_owned() } else { all }
}
