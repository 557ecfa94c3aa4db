//! Who is asking.

use std::fmt;

use super::AccountName;

macro_rules! numbers {
    ($($(#[$doc:meta])* $name:ident),+ $(,)?) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(i64);

        impl $name {
            /// The number of its row.
            pub const fn new(number: i64) -> Self {
                Self(number)
            }

            /// The number of its row.
            pub const fn get(self) -> i64 {
                self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    )+};
}

numbers! {
    /// A publisher: what a build system elsewhere may present itself as, for one repository.
    PublisherId,
    /// An access token, by its row; nothing of its text.
    TokenId,
}

/// Who is asking: nobody known, a user, or a build system that a repository trusts.
///
/// The registry's own work is no identity a request could claim: it holds [`super::Permit::system`].
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Identity {
    /// A caller without credentials.
    Anonymous,
    /// A user whose credentials were checked.
    User(AccountName),
    /// A build system whose identity was checked against a publisher.
    Publisher(PublisherId),
}

impl Identity {
    /// The user's name, if there is one.
    pub fn user(&self) -> Option<&AccountName> {
        match self {
            Self::User(name) => Some(name),
            Self::Anonymous | Self::Publisher(_) => None,
        }
    }

    /// Whether nobody is known.
    pub fn is_anonymous(&self) -> bool {
        matches!(self, Self::Anonymous)
    }
}

impl fmt::Display for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            // Parentheses cannot occur in an account's name, so nobody can pass for it in a log.
            Self::Anonymous => f.write_str("(anonymous)"),
            Self::User(name) => name.fmt(f),
            Self::Publisher(id) => write!(f, "(publisher {id})"),
        }
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failing test may panic")]
mod tests {
    use super::*;

    #[test]
    fn no_account_can_pass_for_another_kind_of_caller() {
        let others = [Identity::Anonymous, Identity::Publisher(PublisherId::new(7))];
        assert_eq!(others.each_ref().map(ToString::to_string), ["(anonymous)", "(publisher 7)"]);
        for other in others {
            assert!(other.to_string().parse::<AccountName>().is_err());
            assert_eq!(other.user(), None);
        }
        assert_eq!(Identity::User("ada".parse().unwrap()).to_string(), "ada");
    }
}
