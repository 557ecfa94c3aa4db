//! What an administrator says of an issuer: `[[auth.issuers]]` in the configuration.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::auth::IssuerUrl;

/// An issuer whose identity tokens are taken.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Issuer {
    /// Its address, exactly as its tokens carry it as `iss`.
    pub url: IssuerUrl,
    /// What people call it, such as `company`; shown where one is chosen.
    pub name: String,
    /// PEM file with a further authority to trust its certificate by; for issuers of one's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ca_certificate: Option<PathBuf>,
    /// As whom this registry's users sign in there: a public client, without secret.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_id: Option<String>,
    /// Whether people sign in with it; needs `client-id`. Default false: only publishers use it.
    #[serde(default)]
    pub sign_in: bool,
    /// The claim that names a user who signs in for the first time, such as `preferred_username`; without it only users
    /// whom an administrator linked can sign in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub create_users_from: Option<String>,
}
