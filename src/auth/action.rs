//! What can be done to a repository: one marker type an action, so that a permit for one is none for another.

use std::fmt;
use std::str::FromStr;

use super::WordError;

/// The actions as a value, for logs, audit rows and rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ActionKind {
    /// Read bytes, tags and referrers.
    Pull,
    /// Add bytes and move tags.
    Push,
    /// Take tags, manifests and blobs away.
    Delete,
    /// Change who may do what.
    Admin,
}

impl ActionKind {
    /// Every action.
    pub const ALL: [Self; 4] = [Self::Pull, Self::Push, Self::Delete, Self::Admin];

    /// The word used in token scopes, logs and audit rows.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pull => "pull",
            Self::Push => "push",
            Self::Delete => "delete",
            Self::Admin => "admin",
        }
    }
}

impl FromStr for ActionKind {
    type Err = WordError;

    fn from_str(text: &str) -> Result<Self, WordError> {
        let found = Self::ALL.into_iter().find(|action| action.as_str() == text);
        found.ok_or_else(|| WordError::new(text, "action", &Self::ALL.map(Self::as_str)))
    }
}

impl fmt::Display for ActionKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

mod sealed {
    pub trait Sealed {}
}

/// A marker type for one action; sealed, so no other room invents an action.
pub trait Action: sealed::Sealed + Copy {
    /// The action as a value.
    const KIND: ActionKind;
}

macro_rules! markers {
    ($($(#[$doc:meta])* $name:ident),+ $(,)?) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub struct $name;

        impl sealed::Sealed for $name {}

        impl Action for $name {
            const KIND: ActionKind = ActionKind::$name;
        }
    )+};
}

markers! {
    /// Marks a permit to read.
    Pull,
    /// Marks a permit to add.
    Push,
    /// Marks a permit to take away.
    Delete,
    /// Marks a permit to change who may do what.
    Admin,
}
