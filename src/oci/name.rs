//! A repository name: lowercase components divided by slashes (distribution-spec, "Pulling manifests").

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Longest repository name in bytes. Clients allow 255 for host and name together.
pub const MAX_NAME_LENGTH: usize = 255;

/// Why a text is no repository name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// Nothing there.
    #[error("repository name is empty")]
    Empty,
    /// Over [`MAX_NAME_LENGTH`].
    #[error("repository name has {0} bytes, at most {MAX_NAME_LENGTH} are allowed")]
    TooLong(usize),
    /// A component breaks the grammar.
    #[error(
        "repository name `{name}` is invalid at `{component}`: components are lowercase letters and digits, \
         joined by `.`, `_`, `__` or `-`"
    )]
    Component {
        /// The whole text.
        name: String,
        /// The offending component.
        component: String,
    },
}

/// A repository name such as `ai-team/my-agent`; at most [`MAX_NAME_LENGTH`] bytes.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RepositoryName(String);

impl RepositoryName {
    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The first component, if there is more than one: a user or an organisation.
    pub fn namespace(&self) -> Option<&str> {
        self.0.split_once('/').map(|(namespace, _)| namespace)
    }

    /// The last component: the package name.
    pub fn package(&self) -> &str {
        self.0.rsplit('/').next().unwrap_or(&self.0)
    }

    /// The components in order.
    pub fn components(&self) -> impl Iterator<Item = &str> {
        self.0.split('/')
    }

    /// Puts a namespace in front.
    pub fn within(&self, namespace: &str) -> Result<Self, NameError> {
        format!("{namespace}/{}", self.0).parse()
    }

    /// Whether a text is one component of a name, such as a package name.
    pub fn is_component(text: &str) -> bool {
        is_component(text)
    }
}

impl FromStr for RepositoryName {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        if text.is_empty() {
            return Err(NameError::Empty);
        }
        if text.len() > MAX_NAME_LENGTH {
            return Err(NameError::TooLong(text.len()));
        }
        match text.split('/').find(|component| !is_component(component)) {
            Some(component) => Err(NameError::Component { name: text.to_owned(), component: component.to_owned() }),
            None => Ok(Self(text.to_owned())),
        }
    }
}

/// `[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*`
fn is_component(component: &str) -> bool {
    let alphanumeric = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let mut separator = String::new();
    let mut last_alphanumeric = false;
    for byte in component.bytes() {
        if alphanumeric(byte) {
            let joined = matches!(separator.as_str(), "" | "." | "_" | "__") || separator.bytes().all(|b| b == b'-');
            if !joined {
                return false;
            }
            separator.clear();
            last_alphanumeric = true;
        } else if matches!(byte, b'.' | b'_' | b'-') && (last_alphanumeric || !separator.is_empty()) {
            separator.push(char::from(byte));
            last_alphanumeric = false;
        } else {
            return false;
        }
    }
    last_alphanumeric
}

impl fmt::Display for RepositoryName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for RepositoryName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Serialize for RepositoryName {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for RepositoryName {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}
