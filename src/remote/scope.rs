//! What a token must allow (distribution's token scopes).

use crate::oci::RepositoryName;

/// Most scopes taken over from a challenge.
const MAX_ASKED: usize = 8;

/// The resources and actions a request needs, each `type:name:actions`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Scope(Vec<String>);

impl Scope {
    /// Nothing in particular.
    pub(super) fn none() -> Self {
        Self(vec![])
    }

    /// To read a repository.
    pub(super) fn pull(name: &RepositoryName) -> Self {
        Self(vec![format!("repository:{name}:pull")])
    }

    /// To write to a repository.
    pub(super) fn push(name: &RepositoryName) -> Self {
        Self(vec![format!("repository:{name}:pull,push")])
    }

    /// To write to a repository what another one has.
    pub(super) fn mount(name: &RepositoryName, from: &RepositoryName) -> Self {
        Self([Self::push(name).0, Self::pull(from).0].concat())
    }

    /// To delete from a repository: the right to push is not enough.
    pub(super) fn delete(name: &RepositoryName) -> Self {
        Self(vec![format!("repository:{name}:pull,delete")])
    }

    /// To list the repositories.
    pub(super) fn catalogue() -> Self {
        Self(vec!["registry:catalog:*".to_owned()])
    }

    /// These scopes, and those a challenge names beside them.
    pub(super) fn with(&self, challenge: Option<&str>) -> Vec<String> {
        let mut all = self.0.clone();
        for asked in challenge.unwrap_or_default().split_ascii_whitespace().take(MAX_ASKED) {
            if !all.iter().any(|own| own == asked) {
                all.push(asked.to_owned());
            }
        }
        all
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failing test may panic")]
mod tests {
    use super::*;

    #[test]
    fn a_challenge_adds_what_it_needs_and_no_flood() {
        let (name, from) = ("a/b".parse().unwrap(), "c".parse().unwrap());
        let mount = ["repository:a/b:pull,push", "repository:c:pull"];
        assert_eq!(Scope::mount(&name, &from).with(None), mount);
        assert_eq!(Scope::mount(&name, &from).with(Some("repository:c:pull")), mount);
        assert_eq!(Scope::none().with(Some("x:y:z")), ["x:y:z"]);
        let flood = ('a'..='z').map(|letter| format!("repository:{letter}:push")).collect::<Vec<_>>().join(" ");
        assert_eq!(Scope::pull(&name).with(Some(&flood)).len(), 1 + MAX_ASKED);
    }
}
