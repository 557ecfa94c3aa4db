//! The few fixed words of the API: visibilities, levels, roles, scopes; each is an enum that reads and prints itself.

use serde::{Deserialize, Serialize};

/// A text that is none of the words that are known at its place.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is no {what}: write {known}")]
pub struct WordError {
    /// The text, cut to a length that can be shown.
    text: String,
    /// What it should have been.
    what: &'static str,
    /// The words there are.
    known: String,
}

/// Most characters of a wrong word that an error repeats.
const MAX_SHOWN_CHARACTERS: usize = 40;

/// Declares an enum of words, written in lower case everywhere.
macro_rules! words {
    ($(#[$about:meta])* $name:ident, $what:literal: $($(#[$doc:meta])* $variant:ident = $word:literal,)+) => {
        $(#[$about])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[cfg_attr(feature = "server", derive(utoipa::ToSchema), schema(rename_all = "lowercase"))]
        pub enum $name {
            $($(#[$doc])* #[serde(rename = $word)] $variant,)+
        }

        impl $name {
            /// Every word, in the order of the enum.
            pub const WORDS: &[&str] = &[$($word),+];

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
            type Err = WordError;

            fn from_str(text: &str) -> Result<Self, WordError> {
                match text {
                    $($word => Ok(Self::$variant),)+
                    _ => Err(WordError {
                        text: text.chars().take(MAX_SHOWN_CHARACTERS).collect(),
                        what: $what,
                        known: Self::WORDS.join(", "),
                    }),
                }
            }
        }
    };
}

words! {
    /// Who may see and pull a repository without a grant.
    Visibility, "visibility":
    /// Its namespace, teams and who has a grant.
    Private = "private",
    /// Members of the organisation whose namespace it is in, too.
    Org = "org",
    /// Everybody, without signing in.
    Public = "public",
}

words! {
    /// What a grant or a team's role allows; each level includes those before it.
    Level, "permission":
    /// Pull.
    Read = "read",
    /// Push, and create and move tags.
    Write = "write",
    /// Delete, change visibility, grants and rules.
    Admin = "admin",
}

words! {
    /// A member's place in an organisation.
    Role, "role":
    /// Sees what the organisation shows its members.
    Member = "member",
    /// Decides everything in the organisation.
    Owner = "owner",
}

words! {
    /// What an access token may be used for, within its user's rights.
    Scope, "scope":
    /// Pull, and read lists.
    Read = "read",
    /// Push; includes `read`.
    Write = "write",
    /// Delete tags and manifests; includes `read`.
    Delete = "delete",
    /// Change people, permissions, visibility and tokens; includes `read`.
    Admin = "admin",
}

words! {
    /// What is done to a repository.
    RepositoryAction, "action":
    /// Read anything in it.
    Pull = "pull",
    /// Write blobs, manifests and tags.
    Push = "push",
    /// Delete tags and manifests.
    Delete = "delete",
    /// Change its visibility, grants and rules.
    Admin = "admin",
}

words! {
    /// What kind of caller a credential stands for.
    CallerKind, "kind of caller":
    /// A person or a machine with an account.
    User = "user",
    /// A run of continuous integration.
    Publisher = "publisher",
}

words! {
    /// What a caller showed.
    CredentialKind, "kind of credential":
    /// A password.
    Password = "password",
    /// An access token.
    Token = "token",
    /// A short token, as `/token` gives it.
    Short = "short",
}

words! {
    /// What a token of a user is for.
    TokenKind, "kind of token":
    /// It is shown with each request.
    Access = "access",
    /// It buys short tokens at `/token`, and nothing else.
    Refresh = "refresh",
}

words! {
    /// How a decision went.
    Outcome, "outcome":
    /// It was allowed, and done.
    Allowed = "allowed",
    /// It was refused.
    Denied = "denied",
}

words! {
    /// What a rule about tags does.
    TagRuleKind, "kind of rule":
    /// Matching tags never move, and are not deleted.
    Immutable = "immutable",
    /// Only some may move matching tags.
    Restricted = "restricted",
}

words! {
    /// What is asked of signatures.
    SignedIs, "answer to `signed`":
    /// There is one, whoever made it.
    Yes = "yes",
    /// There is none.
    No = "no",
}

words! {
    /// An order of found packages. What is equal in it is ordered by the repository's name, bytewise.
    Sort, "order":
    /// What fits the words best comes first.
    Relevance = "relevance",
    /// What changed last comes first.
    Updated = "updated",
    /// What is pulled most comes first.
    Downloads = "downloads",
    /// What is rated best comes first, and what nobody has rated last.
    Rating = "rating",
    /// By the repository's name, bytewise.
    Name = "name",
}

#[cfg(test)]
mod tests {
    use super::{Level, Visibility};

    #[test]
    fn words_are_the_same_in_text_and_in_json() {
        for word in Visibility::WORDS {
            let value: Visibility = word.parse().expect("is a word");
            assert_eq!(value.to_string(), *word);
            assert_eq!(serde_json::to_string(&value).expect("serialises"), format!("\"{word}\""));
        }
        assert!(Level::Read < Level::Write && Level::Write < Level::Admin, "each includes those before it");
    }

    #[test]
    fn a_wrong_word_is_told_with_the_right_ones() {
        let error = "Public".parse::<Visibility>().expect_err("case counts");
        assert_eq!(error.to_string(), "`Public` is no visibility: write private, org, public");
        assert!("x".repeat(10_000).parse::<Level>().expect_err("is no word").to_string().len() < 120);
        assert!(serde_json::from_str::<Level>("\"owner\"").is_err());
    }
}
