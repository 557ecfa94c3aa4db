//! Rules about a repository's tags: which never move, and who may move the others.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::glob::glob;
use super::words::MAX_SHOWN_CHARACTERS;
use super::{Grantee, Identity, Level};
use crate::oci::{Digest, MAX_TAG_LENGTH, Tag};

/// Most users, teams and organisations that one rule names.
pub const MAX_MOVERS: usize = 64;

/// A rule that cannot be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TagRuleError {
    /// The pattern matches no tag.
    #[error(
        "tag pattern `{0}` is invalid: write 1 to {MAX_TAG_LENGTH} letters, digits, `_`, `.`, `-`, with `*` for any \
         characters and `?` for one, or the word `semver`"
    )]
    Pattern(String),
    /// Nobody is named, or too many are.
    #[error("a rule about who may move a tag names 1 to {MAX_MOVERS} users, teams or organisations, this one {0}")]
    Movers(usize),
}

/// Which tags a rule is about.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct TagPattern(String);

impl TagPattern {
    /// The word for tags that are semantic versions, with or without `v`, with `_` for `+`.
    pub const SEMVER: &str = "semver";

    /// The pattern as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether a rule with this pattern is about a tag. Case counts.
    pub fn matches(&self, tag: &Tag) -> bool {
        let tag = tag.as_str();
        if self.0 == Self::SEMVER {
            let version = tag.strip_prefix('v').unwrap_or(tag).replacen('_', "+", 1);
            return semver::Version::parse(&version).is_ok();
        }
        glob(self.0.as_bytes(), tag.as_bytes())
    }
}

impl FromStr for TagPattern {
    type Err = TagRuleError;

    fn from_str(text: &str) -> Result<Self, TagRuleError> {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-' | b'*' | b'?');
        if !text.is_empty() && text.len() <= MAX_TAG_LENGTH && text.bytes().all(allowed) {
            Ok(Self(text.to_owned()))
        } else {
            Err(TagRuleError::Pattern(text.chars().take(MAX_SHOWN_CHARACTERS).collect()))
        }
    }
}

impl fmt::Display for TagPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Serialize for TagPattern {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for TagPattern {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

/// Who may set, move and delete a restricted tag.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Movers {
    /// Who has at least this level.
    Level(Level),
    /// Only these, whatever level others have; they still need the right to push.
    Grantees(Vec<Grantee>),
}

impl fmt::Display for Movers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Level(level) => write!(f, "who has permission {level}"),
            Self::Grantees(grantees) => {
                f.write_str(&grantees.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "))
            }
        }
    }
}

/// What a rule says of the tags it is about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TagRuleKind {
    /// Once set, a tag neither moves nor goes.
    Immutable,
    /// Only some may set, move and delete it.
    Restricted(Movers),
}

/// A rule. Every one that is about a tag holds; there is no exception for anybody, for who may change rules can.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TagRule {
    pattern: TagPattern,
    kind: TagRuleKind,
}

impl TagRule {
    /// A rule about the tags of a pattern.
    pub fn new(pattern: TagPattern, kind: TagRuleKind) -> Result<Self, TagRuleError> {
        match &kind {
            TagRuleKind::Restricted(Movers::Grantees(grantees)) if !(1..=MAX_MOVERS).contains(&grantees.len()) => {
                Err(TagRuleError::Movers(grantees.len()))
            }
            _ => Ok(Self { pattern, kind }),
        }
    }

    /// The tags it is about.
    pub fn pattern(&self) -> &TagPattern {
        &self.pattern
    }

    /// What it says.
    pub fn kind(&self) -> &TagRuleKind {
        &self.kind
    }

    /// The users, teams and organisations it names, so that it can be looked up which of them a caller belongs to.
    pub fn grantees(&self) -> &[Grantee] {
        match &self.kind {
            TagRuleKind::Restricted(Movers::Grantees(grantees)) => grantees,
            TagRuleKind::Restricted(Movers::Level(_)) | TagRuleKind::Immutable => &[],
        }
    }
}

impl<'de> Deserialize<'de> for TagRule {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        struct Parts {
            pattern: TagPattern,
            kind: TagRuleKind,
        }
        let parts = Parts::deserialize(deserializer)?;
        Self::new(parts.pattern, parts.kind).map_err(serde::de::Error::custom)
    }
}

/// Who wants to change a tag.
#[derive(Clone, Copy, Debug)]
pub struct Mover<'a> {
    /// Who it is.
    pub identity: &'a Identity,
    /// What the caller may do with the repository, whatever the credential: [`super::level`].
    pub level: Option<Level>,
    /// Those teams and organisations of [`TagRule::grantees`] to which the caller belongs.
    pub belongs_to: &'a [Grantee],
}

impl Mover<'_> {
    fn is_one_of(&self, movers: &Movers) -> bool {
        match movers {
            Movers::Level(least) => self.level.is_some_and(|level| level >= *least),
            Movers::Grantees(grantees) => grantees.iter().any(|grantee| match grantee {
                Grantee::User(name) => self.identity.user() == Some(name),
                Grantee::Team(_) | Grantee::Organisation(_) => self.belongs_to.contains(grantee),
            }),
        }
    }
}

/// Why a tag stays as it is.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TagRefused {
    /// The tag never moves.
    #[error("tag {tag} stays at {at}: rule `{pattern}` of this repository makes it immutable")]
    Immutable {
        /// The tag.
        tag: Tag,
        /// Where it is.
        at: Box<Digest>,
        /// The rule.
        pattern: TagPattern,
    },
    /// Others may change it.
    #[error("tag {tag} may not be changed by {identity}: rule `{pattern}` of this repository leaves it to {movers}")]
    Restricted {
        /// The tag.
        tag: Tag,
        /// Who wanted to.
        identity: Identity,
        /// The rule.
        pattern: TagPattern,
        /// Who may.
        movers: Movers,
    },
}

/// Checks that a tag may go from where it is to where it is wanted; `new` is none to delete it.
///
/// Must be asked in the transaction that changes the tag, for deleting a manifest with each of its tags. What leaves a
/// tag where it is changes nothing, and is never refused.
pub fn check_tag(
    rules: &[TagRule],
    tag: &Tag,
    current: Option<&Digest>,
    new: Option<&Digest>,
    mover: Mover<'_>,
) -> Result<(), TagRefused> {
    if current == new {
        return Ok(());
    }
    for rule in rules.iter().filter(|rule| rule.pattern.matches(tag)) {
        let (tag, pattern) = (tag.clone(), rule.pattern.clone());
        match (&rule.kind, current) {
            (TagRuleKind::Immutable, Some(at)) => {
                return Err(TagRefused::Immutable { tag, at: Box::new(*at), pattern });
            }
            (TagRuleKind::Restricted(movers), _) if !mover.is_one_of(movers) => {
                let (identity, movers) = (mover.identity.clone(), movers.clone());
                return Err(TagRefused::Restricted { tag, identity, pattern, movers });
            }
            _ => {}
        }
    }
    Ok(())
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failing test may panic")]
mod tests {
    use super::*;

    fn rule(pattern: &str, kind: TagRuleKind) -> TagRule {
        TagRule::new(pattern.parse().unwrap(), kind).unwrap()
    }

    fn tag(text: &str) -> Tag {
        text.parse().unwrap()
    }

    fn user(name: &str) -> Identity {
        Identity::User(name.parse().unwrap())
    }

    #[test]
    fn patterns_are_globs_or_versions() {
        let matches = |pattern: &str, text: &str| pattern.parse::<TagPattern>().unwrap().matches(&tag(text));
        for (pattern, text) in [
            ("v*", "v1"),
            ("semver", "1.2.3"),
            ("semver", "v1.2.3-rc.1"),
            ("semver", "1.2.3_build.5"),
            ("rc-?", "rc-1"),
        ] {
            assert!(matches(pattern, text), "{pattern} {text}");
        }
        for (pattern, text) in [
            ("v*", "1"),
            ("semver", "1.2"),
            ("semver", "latest"),
            ("semver", "semver"),
            ("rc-?", "rc-10"),
            ("v*", "V1"),
        ] {
            assert!(!matches(pattern, text), "{pattern} {text}");
        }
        for bad in ["", "a/b", "a b", "v+", "é", &"a".repeat(129)] {
            assert!(bad.parse::<TagPattern>().is_err(), "{bad}");
        }
    }

    #[test]
    fn an_immutable_tag_is_set_once_and_neither_moves_nor_goes() {
        let (rules, root) = ([rule("v*", TagRuleKind::Immutable)], user("root"));
        let mover = Mover { identity: &root, level: Some(Level::Admin), belongs_to: &[] };
        let (one, two) = (Digest::sha256(b"1"), Digest::sha256(b"2"));
        let check = |name: &str, current, new| check_tag(&rules, &tag(name), current, new, mover);
        assert_eq!(check("v1", None, Some(&one)), Ok(()));
        assert_eq!(check("v1", Some(&one), Some(&one)), Ok(()), "the same again changes nothing");
        assert!(matches!(check("v1", Some(&one), Some(&two)), Err(TagRefused::Immutable { .. })));
        let refused = check("v1", Some(&one), None).unwrap_err().to_string();
        assert!(refused.contains(&one.to_string()) && refused.contains("`v*`"), "{refused}");
        assert_eq!(check("latest", Some(&one), Some(&two)), Ok(()));
    }

    #[test]
    fn a_restricted_tag_is_for_who_has_the_level() {
        let rules = [rule("latest", TagRuleKind::Restricted(Movers::Level(Level::Admin)))];
        let (ada, one) = (user("ada"), Digest::sha256(b"1"));
        let check = |name: &str, level| {
            check_tag(&rules, &tag(name), None, Some(&one), Mover { identity: &ada, level, belongs_to: &[] })
        };
        assert_eq!(check("latest", Some(Level::Admin)), Ok(()));
        assert_eq!(
            check("latest", Some(Level::Write)).unwrap_err().to_string(),
            "tag latest may not be changed by ada: rule `latest` of this repository leaves it to who has permission admin"
        );
        assert!(check("latest", None).is_err());
        assert_eq!(check("latest-2", Some(Level::Write)), Ok(()));
    }

    #[test]
    fn a_tag_restricted_to_some_is_for_nobody_else() {
        let movers: Vec<Grantee> =
            vec![Grantee::User("ada".parse().unwrap()), Grantee::Team("acme/release".parse().unwrap())];
        let rules = [rule("latest", TagRuleKind::Restricted(Movers::Grantees(movers.clone())))];
        let (one, two) = (Digest::sha256(b"1"), Digest::sha256(b"2"));
        let check = |identity: &Identity, belongs_to: &[Grantee]| {
            let mover = Mover { identity, level: Some(Level::Admin), belongs_to };
            check_tag(&rules, &tag("latest"), Some(&one), Some(&two), mover).is_ok()
        };
        assert!(check(&user("ada"), &[]));
        assert!(check(&user("bob"), &movers[1..]));
        assert!(!check(&user("bob"), &[Grantee::Team("acme/devs".parse().unwrap())]));
        assert!(!check(&user("bob"), &movers[..1]), "a user is known by the name alone");
        assert!(!check(&Identity::Anonymous, &[]));
    }

    #[test]
    fn rules_read_back_and_impossible_ones_are_refused() {
        let rules = [
            rule("semver", TagRuleKind::Immutable),
            rule("l*", TagRuleKind::Restricted(Movers::Level(Level::Admin))),
            rule("x", TagRuleKind::Restricted(Movers::Grantees(vec![Grantee::Organisation("acme".parse().unwrap())]))),
        ];
        let text = serde_json::to_string(&rules).unwrap();
        assert!(text.starts_with(r#"[{"pattern":"semver","kind":"immutable"},"#), "{text}");
        assert_eq!(serde_json::from_str::<Vec<TagRule>>(&text).unwrap(), rules);
        let nobody = r#"{"pattern":"x","kind":{"restricted":{"grantees":[]}}}"#;
        assert!(serde_json::from_str::<TagRule>(nobody).is_err());
        let many = vec![Grantee::User("ada".parse().unwrap()); MAX_MOVERS + 1];
        assert_eq!(
            TagRule::new("x".parse().unwrap(), TagRuleKind::Restricted(Movers::Grantees(many))),
            Err(TagRuleError::Movers(MAX_MOVERS + 1))
        );
    }
}
