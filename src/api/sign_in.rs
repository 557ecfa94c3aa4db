//! Signing in at an issuer that the registry trusts, as the API speaks of it.

use std::fmt::Write as _;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::Secret;

/// Most identities of one user.
pub const MAX_USER_IDENTITIES: usize = 16;

/// An issuer at which people sign in: in what the registry says of itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "server", derive(utoipa::ToSchema))]
pub struct SignInIssuer {
    /// What people call it.
    pub name: String,
    /// Its address: an https address, with a description as OpenID Connect Discovery says.
    pub url: String,
    /// As whom a program of the registry's users asks there: a public client.
    pub client_id: String,
}

/// An identity at an issuer that signs a user in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "server", derive(utoipa::ToSchema))]
pub struct UserIdentity {
    /// The issuer, exactly as its tokens name it.
    pub issuer: String,
    /// Who it is there: `sub` of the identity token.
    pub subject: String,
    /// Since when.
    #[cfg_attr(feature = "server", schema(value_type = String, format = DateTime))]
    pub linked_at: Timestamp,
}

/// An identity to be linked: `PUT /api/v1/users/{name}/identities`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "server", derive(utoipa::ToSchema))]
pub struct NewUserIdentity {
    /// The issuer, which an administrator has listed.
    #[cfg_attr(feature = "server", schema(max_length = 256, pattern = "^https://"))]
    pub issuer: String,
    /// Who it is there: `sub` of the identity token.
    #[cfg_attr(feature = "server", schema(min_length = 1, max_length = 1024))]
    pub subject: String,
}

/// The `nonce` of an identity token that a person gets for one registry. The issuer signs it, so that a registry which
/// was shown the token cannot show it to another: that one is known by another name.
pub fn sign_in_nonce(audience: &str, secret: &Secret) -> String {
    let mut hash = Sha256::new();
    for part in [audience, secret.expose()] {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    hash.finalize().iter().fold(String::new(), |mut text, byte| {
        // Writing to a text cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_nonce_is_of_one_registry_and_one_secret() {
        let (one, other) = (Secret::new("a"), Secret::new("b"));
        let nonce = sign_in_nonce("registry.example", &one);
        assert_eq!((nonce.len(), &nonce), (64, &sign_in_nonce("registry.example", &one)));
        assert_ne!(nonce, sign_in_nonce("registry.example", &other));
        assert_ne!(nonce, sign_in_nonce("registry.evil", &one));
        assert_ne!(sign_in_nonce("ab", &Secret::new("c")), sign_in_nonce("a", &Secret::new("bc")));
    }
}
