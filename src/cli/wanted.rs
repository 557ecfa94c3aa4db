//! What people type to name a package: a reference, or a name with a range of versions, `name@^1.2`.

use super::error::Error;
use crate::client::{Ranged, Selector};
use crate::oci::{Host, Reference, RepositoryName, Tag};
use crate::package::VersionRange;

/// A package as named on the command line.
#[derive(Clone, Debug)]
pub(super) struct Wanted {
    /// As typed.
    pub text: String,
    /// The registry, where one was named.
    pub host: Option<Host>,
    /// The repository as typed.
    pub name: RepositoryName,
    /// Which version.
    pub selector: Selector,
}

impl Wanted {
    /// Reads a name. `name@1.2.0` means exactly that version; other texts behind `@` are ranges as cargo knows them.
    pub(super) fn parse(text: &str) -> Result<Self, Error> {
        let invalid = |source| Error::Reference { text: text.to_owned(), source };
        let (plain, range) = match text.split_once('@') {
            Some((plain, behind)) if !behind.contains(':') => (plain, Some(behind)),
            _ => (text, None),
        };
        let reference: Reference = plain.parse().map_err(invalid)?;
        let selector = match (range, reference.tag, reference.digest) {
            (Some(_), Some(_), _) => {
                let problem = "names both a tag and a range of versions";
                return Err(Error::WrongReference { text: text.to_owned(), problem, hint: "leave one of them out" });
            }
            (Some("latest"), None, _) | (None, None, None) => Selector::Default,
            (Some(range), None, _) => Selector::Range(Ranged { range: read_range(range)?, pre: false }),
            (None, _, Some(digest)) => Selector::Digest(digest),
            (None, Some(tag), None) => Selector::Tag(tag),
        };
        Ok(Self { text: text.to_owned(), host: reference.host, name: reference.name, selector })
    }

    /// With pre-releases among what is chosen from: the highest version then, where nobody says which.
    pub(super) fn with_pre_releases(self) -> Result<Self, Error> {
        let range = match self.selector {
            Selector::Range(Ranged { range, .. }) => range,
            Selector::Default => VersionRange::ANY,
            Selector::Tag(_) | Selector::Digest(_) => {
                let problem = "names exactly one version, so that nothing is left for --pre to let in";
                let hint = "leave `--pre` out, or name a range such as `name@^1.2`";
                return Err(Error::WrongReference { text: self.text, problem, hint });
            }
        };
        Ok(Self { selector: Selector::Range(Ranged { range, pre: true }), ..self })
    }

    /// The tag, for verbs that write one; without a tag it is `latest`.
    pub(super) fn tag(&self) -> Result<Tag, Error> {
        match &self.selector {
            Selector::Tag(tag) => Ok(tag.clone()),
            Selector::Default => Ok(Tag::latest()),
            Selector::Digest(_) | Selector::Range(_) => Err(Error::WrongReference {
                text: self.text.clone(),
                problem: "names no tag",
                hint: "write `name:tag`: what is written gets a name of its own",
            }),
        }
    }

    /// The reference in the local store: as typed, with a tag or digest.
    pub(super) fn local(&self) -> Result<Reference, Error> {
        let (tag, digest) = match &self.selector {
            Selector::Digest(digest) => (None, Some(*digest)),
            _ => (Some(self.tag()?), None),
        };
        Ok(Reference { host: self.host.clone(), name: self.name.clone(), tag, digest })
    }
}

fn read_range(text: &str) -> Result<VersionRange, Error> {
    // Versions are written with `+`, their tags with `_`.
    let range = text.replace('_', "+").parse();
    range.map_err(|source| Error::Range { text: text.to_owned(), source: Box::new(source) })
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failed unwrap fails the test")]
mod tests {
    use super::*;
    use crate::oci::Digest;

    fn selector(text: &str) -> Selector {
        Wanted::parse(text).unwrap().selector
    }

    #[test]
    fn tags_digests_and_ranges_are_told_apart() {
        let digest = Digest::sha256(b"x");
        assert_eq!(selector("my-agent"), Selector::Default);
        assert_eq!(selector("my-agent:1.0.0"), Selector::Tag("1.0.0".parse().unwrap()));
        assert_eq!(selector(&format!("h:1/a/b:1@{digest}")), Selector::Digest(digest));
        assert_eq!(selector("h:1/a/b@>=1, <2"), Selector::Range(">=1, <2".parse().unwrap()));
        assert_eq!(selector("a@1.2.0_b"), Selector::Range("1.2.0+b".parse().unwrap()));
        assert_eq!(selector("a@latest"), Selector::Default);
        let wanted = Wanted::parse("localhost:5000/team/x@^1.2").unwrap();
        assert_eq!((wanted.host.unwrap().as_str(), wanted.name.as_str()), ("localhost:5000", "team/x"));
    }

    #[test]
    fn what_is_no_name_is_refused() {
        for (text, expected) in [
            ("My-Agent", "`My-Agent` is no name of a package"),
            ("a:b c", "`a:b c` is no name of a package"),
            ("a@beta", "`beta` is neither a digest nor a version range"),
            ("a@sha256:12", "`a@sha256:12` is no name of a package"),
            ("a:1@^1", "`a:1@^1` names both a tag and a range of versions"),
        ] {
            assert_eq!(Wanted::parse(text).unwrap_err().to_string(), expected);
        }
        assert!(Wanted::parse("a@^1").unwrap().tag().is_err());
        let with_pre = |text: &str| Wanted::parse(text).unwrap().with_pre_releases();
        assert_eq!(with_pre("a").unwrap().selector, with_pre("a@*").unwrap().selector);
        assert!(matches!(with_pre("a@^1").unwrap().selector, Selector::Range(Ranged { pre: true, .. })));
        assert!(with_pre("a:1.0.0").is_err() && with_pre(&format!("a@{}", Digest::sha256(b"x"))).is_err());
        assert_eq!(Wanted::parse("a").unwrap().tag().unwrap(), Tag::latest());
    }
}
