//! Conditions on what a request finds: `If-Match` and `If-None-Match` (RFC 9110, section 13.1), by digest.

use super::Digest;

/// Most entity tags one header may list; the rest is not looked at.
pub const MAX_ENTITY_TAGS: usize = 64;

/// What one of the two headers names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EntityTags {
    /// `*`: anything that exists.
    Any,
    /// Content with one of these digests. An entity tag that is no digest names nothing of ours.
    Digests(Vec<Digest>),
}

impl EntityTags {
    /// Reads a header; every text is one.
    pub fn from_header(value: &str) -> Self {
        if value.trim() == "*" {
            return Self::Any;
        }
        let tags = value.split(',').take(MAX_ENTITY_TAGS);
        let digest = |tag: &str| {
            let tag = tag.trim();
            // Digests are compared whole, so a weak tag is as good as a strong one.
            tag.strip_prefix("W/").unwrap_or(tag).trim_matches('"').parse().ok()
        };
        Self::Digests(tags.filter_map(digest).collect())
    }

    /// Whether what exists, or that nothing does, is named.
    pub fn names(&self, current: Option<&Digest>) -> bool {
        match (self, current) {
            (_, None) => false,
            (Self::Any, Some(_)) => true,
            (Self::Digests(digests), Some(current)) => digests.contains(current),
        }
    }
}

/// Both conditions of one request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Conditions {
    /// Go on only if what exists is named here.
    pub if_match: Option<EntityTags>,
    /// Go on only if what exists is not named here.
    pub if_none_match: Option<EntityTags>,
}

impl Conditions {
    /// Whether a change may go on, given what exists.
    pub fn hold(&self, current: Option<&Digest>) -> bool {
        self.if_match.as_ref().is_none_or(|tags| tags.names(current))
            && self.if_none_match.as_ref().is_none_or(|tags| !tags.names(current))
    }

    /// Whether there is nothing to compare.
    pub fn is_empty(&self) -> bool {
        self.if_match.is_none() && self.if_none_match.is_none()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn conditions_follow_the_table_of_the_rfc() {
        let (one, two) = (Digest::sha256(b"1"), Digest::sha256(b"2"));
        let listed = EntityTags::from_header(&format!("\"x\", W/\"{one}\""));
        assert_eq!(listed, EntityTags::Digests(vec![one]));
        let if_match = |tags| Conditions { if_match: Some(tags), if_none_match: None };
        let if_none_match = |tags| Conditions { if_match: None, if_none_match: Some(tags) };
        for (conditions, on_one, on_two, on_none) in [
            (Conditions::default(), true, true, true),
            (if_match(listed.clone()), true, false, false),
            (if_match(EntityTags::from_header(" * ")), true, true, false),
            (if_none_match(listed), false, true, true),
            (if_none_match(EntityTags::Any), false, false, true),
        ] {
            assert_eq!(conditions.hold(Some(&one)), on_one, "{conditions:?}");
            assert_eq!(conditions.hold(Some(&two)), on_two, "{conditions:?}");
            assert_eq!(conditions.hold(None), on_none, "{conditions:?}");
        }
        assert!(Conditions::default().is_empty());
    }
}
