//! Makes identity tokens as continuous-integration services make them, with keys of every kind that is taken.
#![expect(clippy::unwrap_used, reason = "a failing test may panic")]

use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::{Value, json};

/// Bytes before the key itself in the PKCS#8 form of an RSA key of 2048 bits.
const RSA_WRAPPER: usize = 26;

/// A key that signs.
#[derive(Clone)]
pub(crate) struct Signer {
    key_id: String,
    algorithm: Algorithm,
    key: EncodingKey,
    jwk: Value,
}

impl Signer {
    pub(crate) fn rsa(key_id: &str) -> Self {
        let pair = rcgen::KeyPair::generate_for(&rcgen::PKCS_RSA_SHA256).unwrap();
        let key = EncodingKey::from_rsa_der(&pair.serialize_der()[RSA_WRAPPER..]);
        let jwk = serde_json::to_value(Jwk::from_encoding_key(&key, Algorithm::RS256).unwrap()).unwrap();
        Self::named(key_id, Algorithm::RS256, key, jwk)
    }

    pub(crate) fn p256(key_id: &str) -> Self {
        let pair = rcgen::KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256).unwrap();
        let key = EncodingKey::from_ec_der(&pair.serialize_der());
        let jwk = serde_json::to_value(Jwk::from_encoding_key(&key, Algorithm::ES256).unwrap()).unwrap();
        Self::named(key_id, Algorithm::ES256, key, jwk)
    }

    pub(crate) fn ed25519(key_id: &str) -> Self {
        let pair = rcgen::KeyPair::generate_for(&rcgen::PKCS_ED25519).unwrap();
        let key = EncodingKey::from_ed_der(&pair.serialize_der());
        let jwk = json!({"kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "x": base64url(pair.public_key_raw())});
        Self::named(key_id, Algorithm::EdDSA, key, jwk)
    }

    fn named(key_id: &str, algorithm: Algorithm, key: EncodingKey, mut jwk: Value) -> Self {
        jwk["kid"] = key_id.into();
        jwk["use"] = "sig".into();
        Self { key_id: key_id.to_owned(), algorithm, key, jwk }
    }

    /// The public part, as a key set has it.
    pub(crate) fn jwk(&self) -> &Value {
        &self.jwk
    }

    /// The header it signs with.
    pub(crate) fn header(&self) -> Header {
        let mut header = Header::new(self.algorithm);
        header.kid = Some(self.key_id.clone());
        header
    }

    pub(crate) fn sign(&self, claims: &Value) -> String {
        self.sign_with(&self.header(), claims)
    }

    pub(crate) fn sign_with(&self, header: &Header, claims: &Value) -> String {
        jsonwebtoken::encode(header, claims, &self.key).unwrap()
    }

    /// A token with exactly this header, whatever the library thinks of it.
    pub(crate) fn sign_raw(&self, header: &Value, claims: &Value) -> String {
        let signed = format!("{}.{}", base64url(header.to_string()), base64url(claims.to_string()));
        let signature = jsonwebtoken::crypto::sign(signed.as_bytes(), &self.key, self.algorithm).unwrap();
        format!("{signed}.{signature}")
    }
}

/// A key set with the public parts.
pub(crate) fn key_set(signers: &[Signer]) -> Value {
    json!({ "keys": signers.iter().map(Signer::jwk).collect::<Vec<_>>() })
}

/// The claims of a workflow on GitHub; `now` in seconds since 1970.
pub(crate) fn github_claims(issuer: &str, audience: &str, now: i64) -> Value {
    json!({
        "jti": unique(), "iss": issuer, "aud": audience, "iat": now, "nbf": now - 5, "exp": now + 300,
        "sub": "repo:acme/agents:environment:release",
        "repository": "acme/agents", "repository_id": "4711", "repository_owner": "acme",
        "repository_owner_id": "42", "repository_visibility": "private",
        "workflow": "publish", "workflow_ref": "acme/agents/.github/workflows/publish.yml@refs/heads/main",
        "job_workflow_ref": "acme/agents/.github/workflows/publish.yml@refs/heads/main",
        "workflow_sha": "a".repeat(40), "sha": "a".repeat(40), "ref": "refs/heads/main", "ref_type": "branch",
        "ref_protected": "true", "environment": "release", "event_name": "push", "actor": "ada", "actor_id": "7",
        "run_id": "1", "run_number": "1", "run_attempt": "1", "runner_environment": "github-hosted",
    })
}

/// The claims of a job on GitLab.
pub(crate) fn gitlab_claims(issuer: &str, audience: &str, now: i64) -> Value {
    json!({
        "jti": unique(), "iss": issuer, "aud": audience, "iat": now, "nbf": now - 5, "exp": now + 3600,
        "sub": "project_path:acme/agents:ref_type:branch:ref:main",
        "project_id": "22", "project_path": "acme/agents", "namespace_id": "72", "namespace_path": "acme",
        "user_id": "1", "user_login": "ada", "pipeline_id": "574", "pipeline_source": "push", "job_id": "302",
        "ref": "main", "ref_type": "branch", "ref_path": "refs/heads/main", "ref_protected": "true",
        "environment": "release", "environment_protected": "true", "runner_environment": "gitlab-hosted",
        "ci_config_ref_uri": "gitlab.example/acme/agents//.gitlab-ci.yml@refs/heads/main", "ci_config_sha": "b".repeat(40),
    })
}

/// A text that no other has.
pub(crate) fn unique() -> String {
    uuid::Uuid::new_v4().to_string()
}

/// Base64 for URLs, without padding.
pub(crate) fn base64url(bytes: impl AsRef<[u8]>) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let mut text = String::new();
    for chunk in bytes.as_ref().chunks(3) {
        let number = chunk.iter().fold(0u32, |number, byte| number << 8 | u32::from(*byte)) << (8 * (3 - chunk.len()));
        for place in 0..=chunk.len() {
            text.push(char::from(LETTERS[(number >> (18 - 6 * place)) as usize & 63]));
        }
    }
    text
}
