//! One entry of a token's `access`: a resource and what may be done to it, in the words of token scopes
//! (distribution's token specification).

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::ActionKind;
use crate::oci::RepositoryName;

/// An action as scopes name it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ScopeAction {
    /// `pull`.
    Pull,
    /// `push`.
    Push,
    /// `delete`.
    Delete,
    /// `*`, everything there is.
    All,
}

impl ScopeAction {
    /// Every action, in the order in which they are written.
    pub const ALL: [Self; 4] = [Self::Pull, Self::Push, Self::Delete, Self::All];

    /// The word in a scope.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pull => "pull",
            Self::Push => "push",
            Self::Delete => "delete",
            Self::All => "*",
        }
    }

    /// The action of a word, if it is known.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|action| action.as_str() == word)
    }
}

/// Some actions; `*` among them stands for all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct ScopeActions(u8);

impl ScopeActions {
    /// These actions.
    pub fn of(actions: &[ScopeAction]) -> Self {
        actions.iter().copied().collect()
    }

    /// Whether there is none.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Whether an action is among them, by its name or as part of `*`.
    pub const fn contains(self, action: ScopeAction) -> bool {
        self.0 & (bit(action) | bit(ScopeAction::All)) != 0
    }

    /// Those in both, `*` taken for all.
    pub fn and(self, other: Self) -> Self {
        ScopeAction::ALL.into_iter().filter(|action| self.contains(*action) && other.contains(*action)).collect()
    }

    /// Those in either.
    pub const fn or(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// The actions as they were named, in order.
    pub fn iter(self) -> impl Iterator<Item = ScopeAction> {
        ScopeAction::ALL.into_iter().filter(move |action| self.0 & bit(*action) != 0)
    }
}

const fn bit(action: ScopeAction) -> u8 {
    1 << action as u8
}

impl FromIterator<ScopeAction> for ScopeActions {
    fn from_iter<I: IntoIterator<Item = ScopeAction>>(actions: I) -> Self {
        Self(actions.into_iter().fold(0, |bits, action| bits | bit(action)))
    }
}

/// What a scope is about.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Resource {
    /// A repository.
    Repository(RepositoryName),
    /// The list of repositories, `registry:catalog`.
    Catalog,
}

impl Resource {
    pub(super) const REPOSITORY: &str = "repository";
    pub(super) const REGISTRY: &str = "registry";
    pub(super) const CATALOG: &str = "catalog";

    pub(super) fn read(kind: &str, name: &str) -> Option<Self> {
        match (kind, name) {
            (Self::REPOSITORY, name) => name.parse().ok().map(Self::Repository),
            (Self::REGISTRY, Self::CATALOG) => Some(Self::Catalog),
            _ => None,
        }
    }

    const fn kind(&self) -> &'static str {
        match self {
            Self::Repository(_) => Self::REPOSITORY,
            Self::Catalog => Self::REGISTRY,
        }
    }

    fn name(&self) -> &str {
        match self {
            Self::Repository(name) => name.as_str(),
            Self::Catalog => Self::CATALOG,
        }
    }
}

/// A resource and what may be, or is to be, done to it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Access {
    /// To what.
    pub resource: Resource,
    /// What.
    pub actions: ScopeActions,
}

impl Access {
    /// What a token needs for an action on a repository.
    ///
    /// Pushing needs pull too, since clients look before they write; changing who may do what needs `*`.
    pub fn needed(action: ActionKind, repository: &RepositoryName) -> Self {
        let actions: &[ScopeAction] = match action {
            ActionKind::Pull => &[ScopeAction::Pull],
            ActionKind::Push => &[ScopeAction::Pull, ScopeAction::Push],
            ActionKind::Delete => &[ScopeAction::Delete],
            ActionKind::Admin => &[ScopeAction::All],
        };
        Self { resource: Resource::Repository(repository.clone()), actions: ScopeActions::of(actions) }
    }

    /// What a token needs to list the repositories.
    pub fn catalog() -> Self {
        Self { resource: Resource::Catalog, actions: ScopeActions::of(&[ScopeAction::All]) }
    }

    /// Whether it allows an action on a repository.
    pub fn allows(&self, action: ActionKind, repository: &RepositoryName) -> bool {
        let needed = match action {
            ActionKind::Pull => ScopeAction::Pull,
            ActionKind::Push => ScopeAction::Push,
            ActionKind::Delete => ScopeAction::Delete,
            ActionKind::Admin => ScopeAction::All,
        };
        self.actions.contains(needed) && matches!(&self.resource, Resource::Repository(name) if name == repository)
    }
}

impl fmt::Display for Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:", self.resource.kind(), self.resource.name())?;
        for (index, action) in self.actions.iter().enumerate() {
            let comma = if index == 0 { "" } else { "," };
            write!(f, "{comma}{}", action.as_str())?;
        }
        Ok(())
    }
}

/// An entry as tokens carry it.
#[derive(Serialize, Deserialize)]
struct Entry<Text> {
    r#type: Text,
    name: Text,
    actions: Vec<Text>,
}

impl Serialize for Access {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let actions = self.actions.iter().map(ScopeAction::as_str).collect();
        let (kind, name) = (self.resource.kind(), self.resource.name());
        Entry { r#type: kind, name, actions }.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Access {
    /// An unknown resource is an error; an unknown action allows nothing and is left out.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let entry = Entry::<String>::deserialize(deserializer)?;
        let unknown = || serde::de::Error::custom("a token's access names a resource this registry does not have");
        let resource = Resource::read(&entry.r#type, &entry.name).ok_or_else(unknown)?;
        Ok(Self { resource, actions: entry.actions.iter().filter_map(|word| ScopeAction::from_word(word)).collect() })
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failing test may panic")]
mod tests {
    use super::*;

    #[test]
    fn an_entry_allows_its_repository_and_its_actions_only() {
        let (name, other) = ("a/b".parse().unwrap(), "a/bc".parse().unwrap());
        let push = Access::needed(ActionKind::Push, &name);
        assert!(push.allows(ActionKind::Pull, &name) && push.allows(ActionKind::Push, &name));
        assert!(!push.allows(ActionKind::Delete, &name) && !push.allows(ActionKind::Admin, &name));
        assert!(!push.allows(ActionKind::Pull, &other));
        assert!(!Access::needed(ActionKind::Delete, &name).allows(ActionKind::Pull, &name));
        assert!(ActionKind::ALL.iter().all(|action| Access::needed(ActionKind::Admin, &name).allows(*action, &name)));
        assert!(!Access::catalog().allows(ActionKind::Pull, &"catalog".parse().unwrap()));
    }

    #[test]
    fn entries_are_written_as_tokens_carry_them() {
        let push = Access::needed(ActionKind::Push, &"a/b".parse().unwrap());
        assert_eq!(push.to_string(), "repository:a/b:pull,push");
        let text = r#"{"type":"repository","name":"a/b","actions":["pull","push"]}"#;
        assert_eq!(serde_json::to_string(&push).unwrap(), text);
        assert_eq!(serde_json::from_str::<Access>(text).unwrap(), push);
        let fly = serde_json::from_str::<Access>(r#"{"type":"repository","name":"a/b","actions":["fly"]}"#).unwrap();
        assert!(fly.actions.is_empty());
        for bad in [r#"{"type":"cluster","name":"a","actions":[]}"#, r#"{"type":"repository","name":"A","actions":[]}"#]
        {
            assert!(serde_json::from_str::<Access>(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn the_star_is_all_actions() {
        let all = ScopeActions::of(&[ScopeAction::All]);
        let some = ScopeActions::of(&[ScopeAction::Pull, ScopeAction::Delete]);
        assert_eq!((all.and(some), some.and(all)), (some, some));
        assert_eq!(some.and(ScopeActions::of(&[ScopeAction::Push])), ScopeActions::default());
        assert!(all.and(all).contains(ScopeAction::All));
    }
}
