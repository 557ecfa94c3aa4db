//! What a caller may see in lists, searches and the catalogue.

use super::facts::Policy;
use super::{Facts, Identity};

/// The repositories a caller may know of; the index turns it into a condition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sight {
    scope: Scope,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Scope {
    Everything,
    Nothing,
}

impl Sight {
    /// What an identity sees under the given facts. What no rule shows is hidden.
    pub fn of(facts: &Facts, identity: &Identity) -> Self {
        let _ = identity;
        match facts.policy() {
            Policy::Open => Self { scope: Scope::Everything },
            Policy::Closed => Self { scope: Scope::Nothing },
        }
    }

    /// The registry's own view.
    pub const fn system() -> Self {
        Self { scope: Scope::Everything }
    }

    /// Whether nothing is hidden.
    pub fn is_everything(&self) -> bool {
        self.scope == Scope::Everything
    }
}
