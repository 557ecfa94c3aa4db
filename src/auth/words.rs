//! The fixed words of the permission model: visibility, level, role.

use serde::{Deserialize, Serialize};

use super::ActionKind;

/// Most characters of a wrong text that an error repeats.
pub(super) const MAX_SHOWN_CHARACTERS: usize = 64;

/// A text that is none of the words known at its place.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is no {what}: use one of {known}")]
pub struct WordError {
    text: String,
    what: &'static str,
    known: String,
}

impl WordError {
    pub(super) fn new(text: &str, what: &'static str, known: &[&str]) -> Self {
        Self { text: text.chars().take(MAX_SHOWN_CHARACTERS).collect(), what, known: known.join(", ") }
    }
}

/// Declares an enum of words in lower case, ordered as declared.
macro_rules! words {
    ($(#[$about:meta])* $name:ident, $what:literal: $($(#[$doc:meta])* $variant:ident = $word:literal,)+) => {
        $(#[$about])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum $name {
            $($(#[$doc])* #[serde(rename = $word)] $variant,)+
        }

        impl $name {
            /// Every word, in order.
            pub const ALL: &[Self] = &[$(Self::$variant),+];

            /// The word.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $word,)+
                }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(self.as_str())
            }
        }

        impl std::str::FromStr for $name {
            type Err = $crate::auth::WordError;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                let found = Self::ALL.iter().find(|word| word.as_str() == text).copied();
                found.ok_or_else(|| $crate::auth::WordError::new(text, $what, &[$($word),+]))
            }
        }
    };
}

pub(super) use words;

words! {
    /// Who sees a repository without a grant.
    Visibility, "visibility":
    /// Only its namespace's owners, teams with a role, and whom it is granted to.
    Private = "private",
    /// Also the members of the organisation whose namespace it is in.
    Org = "org",
    /// Everyone, unknown callers included.
    Public = "public",
}

words! {
    /// How much a grant or a team's role allows; each level includes those before it.
    Level, "permission":
    /// Pull.
    Read = "read",
    /// Pull and push.
    Write = "write",
    /// Everything, permissions and visibility included.
    Admin = "admin",
}

words! {
    /// A user's place in an organisation.
    Role, "role":
    /// Belongs to it, and pulls what it shows its members.
    Member = "member",
    /// May do everything in it.
    Owner = "owner",
}

impl Level {
    /// Whether this level is enough for an action.
    pub const fn allows(self, action: ActionKind) -> bool {
        match action {
            ActionKind::Pull => true,
            ActionKind::Push => matches!(self, Self::Write | Self::Admin),
            ActionKind::Delete | ActionKind::Admin => matches!(self, Self::Admin),
        }
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failing test may panic")]
mod tests {
    use super::*;

    #[test]
    fn words_read_back_and_others_are_named() {
        for word in Visibility::ALL {
            assert_eq!(word.as_str().parse::<Visibility>().unwrap(), *word);
            assert_eq!(serde_json::to_string(word).unwrap(), format!("\"{word}\""));
        }
        for word in Level::ALL {
            assert_eq!(serde_json::from_str::<Level>(&format!("\"{word}\"")).unwrap(), *word);
        }
        let wrong = "boss".parse::<Role>().unwrap_err();
        assert_eq!(wrong.to_string(), "`boss` is no role: use one of member, owner");
        assert!("Private".parse::<Visibility>().is_err());
        assert!(serde_json::from_str::<Level>("\"owner\"").is_err());
    }

    #[test]
    fn each_level_includes_the_one_before() {
        let allowed = |level: Level| ActionKind::ALL.iter().filter(|action| level.allows(**action)).count();
        assert_eq!(Level::ALL.iter().map(|level| allowed(*level)).collect::<Vec<_>>(), [1, 2, 4]);
        assert!(!Level::Write.allows(ActionKind::Delete));
        assert!(Level::Read < Level::Write && Level::Write < Level::Admin);
    }
}
