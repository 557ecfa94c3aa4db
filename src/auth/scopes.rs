//! What an access token may be used for, whatever its owner may do.

use std::fmt;
use std::str::FromStr;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::ActionKind;
use super::words::{WordError, words};

words! {
    /// One use of an access token. Each includes `read`, and nothing else but itself.
    Scope, "scope":
    /// Pull, and look at lists.
    Read = "read",
    /// Push.
    Write = "write",
    /// Delete.
    Delete = "delete",
    /// Change people, permissions, visibility and tokens.
    Admin = "admin",
}

/// Some uses, at least one where it was parsed.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Scopes(u8);

impl Scopes {
    /// Every use: the scopes of who signed in by password.
    pub fn all() -> Self {
        Self::of(Scope::ALL)
    }

    /// These uses.
    pub fn of(scopes: &[Scope]) -> Self {
        Self(scopes.iter().fold(0, |bits, scope| bits | bit(*scope)))
    }

    /// Whether a use is among them; any use includes `read`.
    pub fn includes(self, scope: Scope) -> bool {
        self.0 & bit(scope) != 0 || (scope == Scope::Read && self.0 != 0)
    }

    /// Whether they are enough for an action on a repository.
    pub fn allows(self, action: ActionKind) -> bool {
        self.includes(match action {
            ActionKind::Pull => Scope::Read,
            ActionKind::Push => Scope::Write,
            ActionKind::Delete => Scope::Delete,
            ActionKind::Admin => Scope::Admin,
        })
    }

    /// Whether everything these are not enough for, the others are not enough for either.
    pub fn covers(self, others: Self) -> bool {
        others.iter().all(|scope| self.includes(scope))
    }

    /// The uses as they were named, in order.
    pub fn iter(self) -> impl Iterator<Item = Scope> {
        Scope::ALL.iter().copied().filter(move |scope| self.0 & bit(*scope) != 0)
    }
}

const fn bit(scope: Scope) -> u8 {
    1 << scope as u8
}

impl FromStr for Scopes {
    type Err = WordError;

    /// Reads `read,write`.
    fn from_str(text: &str) -> Result<Self, WordError> {
        text.split(',').try_fold(Self(0), |scopes, word| Ok(Self(scopes.0 | bit(word.trim().parse()?))))
    }
}

impl fmt::Display for Scopes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, scope) in self.iter().enumerate() {
            let comma = if index == 0 { "" } else { "," };
            write!(f, "{comma}{scope}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for Scopes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Scopes({self})")
    }
}

impl Serialize for Scopes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.iter())
    }
}

impl<'de> Deserialize<'de> for Scopes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let scopes = Vec::<Scope>::deserialize(deserializer)?;
        if scopes.is_empty() {
            return Err(D::Error::custom("a token needs at least one scope"));
        }
        Ok(Self::of(&scopes))
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failing test may panic")]
mod tests {
    use super::*;

    #[test]
    fn each_scope_is_enough_for_reading_and_its_own_action() {
        let allowed = |text: &str| {
            let scopes: Scopes = text.parse().unwrap();
            ActionKind::ALL.iter().filter(|action| scopes.allows(**action)).map(|a| a.as_str()).collect::<Vec<_>>()
        };
        assert_eq!(allowed("read"), ["pull"]);
        assert_eq!(allowed("write"), ["pull", "push"]);
        assert_eq!(allowed("delete"), ["pull", "delete"]);
        assert_eq!(allowed("admin"), ["pull", "admin"]);
        assert_eq!(allowed("admin, write"), ["pull", "push", "admin"]);
        assert_eq!(ActionKind::ALL.iter().filter(|action| Scopes::all().allows(**action)).count(), 4);
        assert!(!Scopes::of(&[]).includes(Scope::Read));
    }

    #[test]
    fn scopes_read_back_in_one_order() {
        let scopes: Scopes = "write,read,write".parse().unwrap();
        assert_eq!((scopes.to_string(), scopes.to_string().parse()), ("read,write".to_owned(), Ok(scopes)));
        assert_eq!(serde_json::to_string(&scopes).unwrap(), r#"["read","write"]"#);
        assert_eq!(serde_json::from_str::<Scopes>(r#"["write","read"]"#).unwrap(), scopes);
        for bad in ["", "read,", "all", "READ", "read write"] {
            assert!(bad.parse::<Scopes>().is_err(), "{bad}");
        }
        assert!(serde_json::from_str::<Scopes>("[]").is_err());
    }

    #[test]
    fn scopes_cover_what_they_include() {
        let scopes = |text: &str| text.parse::<Scopes>().unwrap();
        assert!(scopes("write").covers(scopes("read")));
        assert!(Scopes::all().covers(scopes("read,admin")));
        assert!(!scopes("admin").covers(scopes("write")));
        assert!(!scopes("read,write").covers(scopes("delete")));
    }
}
