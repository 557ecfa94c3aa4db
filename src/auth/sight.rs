//! What a caller may see in lists, searches and the catalogue.

use std::sync::Arc;

use super::{Caller, Identity, Reach};
use crate::oci::RepositoryName;

/// The repositories a caller may know of.
///
/// The index turns [`Sight::is_administrator`] and [`Sight::identity`] into a condition, and leaves out afterwards what
/// [`Sight::sees`] says no to: a credential narrows by patterns, which no index helps to find.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Sight {
    identity: Identity,
    is_administrator: bool,
    reach: Arc<Reach>,
}

impl Sight {
    /// What a caller sees.
    pub fn of(caller: &Caller, is_administrator: bool) -> Self {
        let is_administrator = is_administrator && caller.identity().user().is_some();
        Self { identity: caller.identity().clone(), is_administrator, reach: caller.shared_reach() }
    }

    /// Everything: the registry runs without accounts.
    pub fn everything() -> Self {
        Self { identity: Identity::Anonymous, is_administrator: true, reach: Arc::new(Reach::unlimited()) }
    }

    /// The registry's own view.
    pub fn system() -> Self {
        Self::everything()
    }

    /// Whether nothing is hidden.
    pub fn is_everything(&self) -> bool {
        self.is_administrator && self.reach.is_unlimited()
    }

    /// Whether nothing is hidden from the person, so that only [`Sight::sees`] leaves out.
    pub const fn is_administrator(&self) -> bool {
        self.is_administrator
    }

    /// Whose memberships and grants count; means nothing to an administrator's sight.
    pub const fn identity(&self) -> &Identity {
        &self.identity
    }

    /// How far the credential reaches: who takes something out of a repository in sight asks it about pulling.
    pub fn reach(&self) -> &Reach {
        &self.reach
    }

    /// Whether the credential reaches so far that a list may name a repository.
    pub fn sees(&self, repository: &RepositoryName) -> bool {
        self.reach.sees(repository)
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failing test may panic")]
mod tests {
    use super::super::{CredentialKind, Origin};
    use super::*;

    #[test]
    fn only_an_administrator_without_a_narrow_credential_sees_everything() {
        let root = Caller::user("root".parse().unwrap());
        assert!(Sight::of(&root, true).is_everything() && Sight::system().is_everything());
        assert!(!Sight::of(&root, false).is_everything());
        let nobody = Caller::anonymous(Origin::none());
        assert!(!Sight::of(&nobody, true).is_administrator(), "nobody known is no administrator");
        let reach = Reach::new("read".parse().unwrap(), vec!["a/*".parse().unwrap()]);
        let narrow = Caller::new(root.identity().clone(), reach, CredentialKind::Password, Origin::none());
        let sight = Sight::of(&narrow, true);
        assert!(sight.is_administrator() && !sight.is_everything());
        assert!(sight.sees(&"a/x".parse().unwrap()) && !sight.sees(&"ab/x".parse().unwrap()));
    }
}
