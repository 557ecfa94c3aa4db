//! The keys an issuer signs with: of its key set (RFC 7517) those that this registry can check a token with.

use std::fmt;

use jsonwebtoken::jwk::{AlgorithmParameters, EllipticCurve, Jwk, KeyAlgorithm, KeyOperations, PublicKeyUse};
use jsonwebtoken::{Algorithm, DecodingKey};
use serde::Deserialize;

/// Most keys of one issuer. The large ones have about ten at a time.
pub const MAX_ISSUER_KEYS: usize = 64;

/// Longest name of a key in bytes.
pub(super) const MAX_KEY_ID_LENGTH: usize = 256;

/// Why a key set cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum IssuerKeysError {
    /// It is no key set.
    #[error("the issuer's key set is no JSON Web Key Set")]
    Json(#[from] serde_json::Error),
    /// More keys than anybody needs.
    #[error("the issuer's key set has {0} keys, more than {MAX_ISSUER_KEYS}")]
    TooMany(usize),
}

/// Keys by name. Each goes with one algorithm, so that a token cannot choose another.
#[derive(Clone, Default)]
pub struct IssuerKeys(Vec<IssuerKey>);

#[derive(Clone)]
struct IssuerKey {
    id: String,
    algorithm: Algorithm,
    key: DecodingKey,
}

#[derive(Deserialize)]
struct KeySet {
    keys: Vec<serde_json::Value>,
}

impl IssuerKeys {
    /// Reads a key set. Keys of other kinds, for other purposes or without a name are passed over, as RFC 7517 asks.
    pub fn parse(json: &[u8]) -> Result<Self, IssuerKeysError> {
        let set: KeySet = serde_json::from_slice(json)?;
        if set.keys.len() > MAX_ISSUER_KEYS {
            return Err(IssuerKeysError::TooMany(set.keys.len()));
        }
        let keys = set.keys.into_iter().filter_map(|key| serde_json::from_value(key).ok());
        Ok(Self(keys.filter_map(|key| IssuerKey::of(&key)).collect()))
    }

    /// The key of a name, if it goes with this algorithm.
    pub(super) fn find(&self, id: &str, algorithm: Algorithm) -> Option<&DecodingKey> {
        self.0.iter().find(|key| key.id == id && key.algorithm == algorithm).map(|key| &key.key)
    }

    /// Whether there is a key of this name.
    pub fn knows(&self, id: &str) -> bool {
        self.0.iter().any(|key| key.id == id)
    }
}

impl IssuerKey {
    fn of(jwk: &Jwk) -> Option<Self> {
        let (algorithm, named) = match &jwk.algorithm {
            AlgorithmParameters::RSA(_) => (Algorithm::RS256, KeyAlgorithm::RS256),
            AlgorithmParameters::EllipticCurve(key) if key.curve == EllipticCurve::P256 => {
                (Algorithm::ES256, KeyAlgorithm::ES256)
            }
            AlgorithmParameters::OctetKeyPair(key) if key.curve == EllipticCurve::Ed25519 => {
                (Algorithm::EdDSA, KeyAlgorithm::EdDSA)
            }
            // Symmetric keys above all: a public one would let everybody sign.
            _ => return None,
        };
        let is_for_this = jwk.common.key_algorithm.is_none_or(|algorithm| algorithm == named)
            && jwk.common.public_key_use.as_ref().is_none_or(|purpose| *purpose == PublicKeyUse::Signature)
            && jwk.common.key_operations.as_ref().is_none_or(|all| all.contains(&KeyOperations::Verify));
        let id = jwk.common.key_id.clone().filter(|id| is_for_this && id.len() <= MAX_KEY_ID_LENGTH)?;
        Some(Self { id, algorithm, key: DecodingKey::from_jwk(jwk).ok()? })
    }
}

impl fmt::Debug for IssuerKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.0.iter().map(|key| &key.id)).finish()
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failing test may panic")]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn ed(id: &str, more: &[(&str, Value)]) -> Value {
        let mut key =
            json!({"kty": "OKP", "crv": "Ed25519", "kid": id, "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"});
        for (name, value) in more {
            key[*name] = value.clone();
        }
        key
    }

    fn parse(keys: &[Value]) -> Result<IssuerKeys, IssuerKeysError> {
        IssuerKeys::parse(json!({ "keys": keys }).to_string().as_bytes())
    }

    #[test]
    fn only_signing_keys_of_known_kinds_are_taken() {
        let keys = parse(&[
            ed("plain", &[]),
            ed("signs", &[("use", json!("sig")), ("alg", json!("EdDSA")), ("key_ops", json!(["verify"]))]),
            ed("encrypts", &[("use", json!("enc"))]),
            ed("derives", &[("key_ops", json!(["deriveKey"]))]),
            ed("another", &[("alg", json!("RS256"))]),
            ed(&"n".repeat(MAX_KEY_ID_LENGTH + 1), &[]),
            json!({"kty": "oct", "kid": "secret", "k": "AAAA", "alg": "HS256"}),
            json!({"kty": "EC", "crv": "P-384", "kid": "p384", "x": "AA", "y": "AA"}),
            json!({"kty": "AKP", "kid": "future"}),
            json!(["no", "key"]),
            json!({"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}),
        ])
        .unwrap();
        assert_eq!(format!("{keys:?}"), r#"["plain", "signs"]"#);
        assert!(keys.knows("plain") && !keys.knows("secret"));
        assert!(keys.find("plain", Algorithm::EdDSA).is_some());
        assert!(keys.find("plain", Algorithm::RS256).is_none(), "a token cannot choose its algorithm");
    }

    #[test]
    fn a_key_set_has_a_limit_and_a_form() {
        let many: Vec<_> = (0..=MAX_ISSUER_KEYS).map(|n| ed(&n.to_string(), &[])).collect();
        assert!(parse(&many[..MAX_ISSUER_KEYS]).is_ok());
        assert!(matches!(parse(&many), Err(IssuerKeysError::TooMany(_))));
        for bad in ["", "[]", "{}", r#"{"keys": {}}"#, "<html>"] {
            assert!(matches!(IssuerKeys::parse(bad.as_bytes()), Err(IssuerKeysError::Json(_))), "{bad}");
        }
    }
}
