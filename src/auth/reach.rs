//! How far a credential reaches: it narrows what its owner may do, and never adds to it.

use super::{Access, ActionKind, RepositoryPattern, Resource, Scope, Scopes};
use crate::oci::RepositoryName;

/// The reach of a credential.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Reach {
    scopes: Scopes,
    patterns: Vec<RepositoryPattern>,
    claims: Option<Vec<Access>>,
}

/// What of a credential does not reach.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Narrowing {
    /// The access token's scopes or patterns.
    Token,
    /// The short token's claims, where another short token of the same credential could.
    Claims,
}

impl Reach {
    /// Everything its owner may do.
    pub fn unlimited() -> Self {
        Self::new(Scopes::all(), vec![])
    }

    /// Of an access token. Without a pattern it reaches all repositories.
    pub const fn new(scopes: Scopes, patterns: Vec<RepositoryPattern>) -> Self {
        Self { scopes, patterns, claims: None }
    }

    /// Of a short token made with a credential of this reach. Claims on top of claims leave what both allow.
    #[must_use]
    pub fn narrowed_by_claims(mut self, claims: Vec<Access>) -> Self {
        self.claims = Some(match self.claims {
            None => claims,
            Some(known) => claims.into_iter().filter_map(|claim| both(&known, claim)).collect(),
        });
        self
    }

    /// What it may be used for.
    pub const fn scopes(&self) -> Scopes {
        self.scopes
    }

    /// The repositories it reaches; all without one.
    pub fn patterns(&self) -> &[RepositoryPattern] {
        &self.patterns
    }

    /// The claims of the short token; none where it is no short token.
    pub fn claims(&self) -> Option<&[Access]> {
        self.claims.as_deref()
    }

    /// Whether it narrows nothing.
    pub fn is_unlimited(&self) -> bool {
        self.scopes.covers(Scopes::all()) && self.patterns.is_empty() && self.claims.is_none()
    }

    /// What keeps it from an action on a repository; nothing where it reaches.
    pub fn narrows(&self, action: ActionKind, repository: &RepositoryName) -> Option<Narrowing> {
        if !self.scopes.allows(action) || !self.is_matched(repository) {
            return Some(Narrowing::Token);
        }
        let claimed = |claims: &Vec<Access>| claims.iter().any(|claim| claim.allows(action, repository));
        if self.claims.as_ref().is_none_or(claimed) { None } else { Some(Narrowing::Claims) }
    }

    /// Whether it reaches so far that a list may name a repository: claims on the catalogue are enough for the name,
    /// not for what is in it.
    pub fn sees(&self, repository: &RepositoryName) -> bool {
        match self.narrows(ActionKind::Pull, repository) {
            None => true,
            Some(Narrowing::Claims) => self.lists_all(),
            Some(Narrowing::Token) => false,
        }
    }

    /// Whether it may ask for the list of all repositories: a short token only with claims on the catalogue.
    pub fn lists_all(&self) -> bool {
        let is_catalog = |claim: &Access| claim.resource == Resource::Catalog && !claim.actions.is_empty();
        self.scopes.includes(Scope::Read) && self.claims.as_ref().is_none_or(|claims| claims.iter().any(is_catalog))
    }

    /// Whether a credential of the other reach could do nothing that one of this reach cannot. Says no where it cannot
    /// tell, and always where this one has claims: a short token is for the moment, and is no ground for another.
    pub fn covers(&self, other: &Self) -> bool {
        let matched = |pattern| self.patterns.iter().any(|own| own.covers(pattern));
        let every_repository = self.patterns.iter().any(|own| own.as_str() == "**");
        self.claims.is_none()
            && self.scopes.covers(other.scopes)
            && (self.patterns.is_empty()
                || every_repository
                || (!other.patterns.is_empty() && other.patterns.iter().all(matched)))
    }

    fn is_matched(&self, repository: &RepositoryName) -> bool {
        self.patterns.is_empty() || self.patterns.iter().any(|pattern| pattern.matches(repository))
    }
}

/// What a claim leaves of others.
fn both(known: &[Access], claim: Access) -> Option<Access> {
    let old = known.iter().filter(|old| old.resource == claim.resource);
    let allowed = old.fold(super::ScopeActions::default(), |actions, old| actions.or(old.actions));
    let actions = claim.actions.and(allowed);
    (!actions.is_empty()).then_some(Access { actions, ..claim })
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failing test may panic")]
mod tests {
    use super::super::parse_scope;
    use super::*;

    fn reach(scopes: &str, patterns: &[&str]) -> Reach {
        Reach::new(scopes.parse().unwrap(), patterns.iter().map(|pattern| pattern.parse().unwrap()).collect())
    }

    fn name(text: &str) -> RepositoryName {
        text.parse().unwrap()
    }

    #[test]
    fn scopes_and_patterns_narrow_as_the_token_does() {
        let token = reach("write", &["a/*", "shared/**"]);
        assert_eq!(token.narrows(ActionKind::Push, &name("a/x")), None);
        assert_eq!(token.narrows(ActionKind::Pull, &name("shared/x/y")), None);
        assert_eq!(token.narrows(ActionKind::Delete, &name("a/x")), Some(Narrowing::Token));
        assert_eq!(token.narrows(ActionKind::Pull, &name("ab/x")), Some(Narrowing::Token));
        assert!(token.sees(&name("a/x")) && !token.sees(&name("ab/x")));
        assert!(!token.is_unlimited() && Reach::unlimited().is_unlimited());
    }

    #[test]
    fn claims_narrow_after_the_token() {
        let short = reach("write", &["a/*"]).narrowed_by_claims(parse_scope("repository:a/x:pull repository:b/x:pull"));
        assert_eq!(short.narrows(ActionKind::Pull, &name("a/x")), None);
        assert_eq!(short.narrows(ActionKind::Push, &name("a/x")), Some(Narrowing::Claims));
        assert_eq!(short.narrows(ActionKind::Pull, &name("a/y")), Some(Narrowing::Claims));
        assert_eq!(short.narrows(ActionKind::Pull, &name("b/x")), Some(Narrowing::Token), "claims widen nothing");
        assert!(!short.lists_all() && short.sees(&name("a/x")) && !short.sees(&name("a/y")));
    }

    #[test]
    fn a_claim_on_the_catalogue_shows_names_and_opens_nothing() {
        let short = reach("read", &["a/*"]).narrowed_by_claims(vec![Access::catalog()]);
        assert!(short.lists_all() && short.sees(&name("a/x")) && !short.sees(&name("b/x")));
        assert_eq!(short.narrows(ActionKind::Pull, &name("a/x")), Some(Narrowing::Claims));
    }

    #[test]
    fn claims_on_claims_leave_what_both_allow() {
        let first = Reach::unlimited().narrowed_by_claims(parse_scope("repository:a/x:pull,push"));
        let second = first.narrowed_by_claims(parse_scope("repository:a/x:push,delete repository:a/y:pull"));
        assert_eq!(second.claims(), Some(parse_scope("repository:a/x:push").as_slice()));
    }

    #[test]
    fn a_credential_covers_what_reaches_no_further() {
        for (wide, narrow) in [
            (Reach::unlimited(), reach("admin", &[])),
            (reach("write", &["a/**"]), reach("read", &["a/*", "a/b"])),
            (reach("read", &["**"]), reach("read", &[])),
        ] {
            assert!(wide.covers(&narrow), "{wide:?} {narrow:?}");
        }
        for (narrow, wide) in [
            (reach("read", &[]), reach("write", &[])),
            (reach("write", &["a/*"]), reach("write", &[])),
            (reach("write", &["a/*"]), reach("write", &["a/x", "b/x"])),
            (Reach::unlimited().narrowed_by_claims(vec![]), reach("read", &[])),
        ] {
            assert!(!narrow.covers(&wide), "{narrow:?} {wide:?}");
        }
    }
}
