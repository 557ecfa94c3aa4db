//! What an administrator says of an issuer: `[[auth.issuers]]` in the configuration.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::auth::IssuerUrl;

/// Most issuers.
const MAX_ISSUERS: usize = 32;

/// Longest name, client and claim of an issuer in bytes.
const MAX_WORD_LENGTH: usize = 256;

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

impl Issuer {
    /// What is wrong with some issuers, as key and problem.
    pub(in crate::server) fn check(all: &[Self]) -> Result<(), (&'static str, &'static str)> {
        let is_word = |text: &str| {
            !text.is_empty() && text.len() <= MAX_WORD_LENGTH && text.chars().all(|c| c.is_ascii_graphic())
        };
        if all.len() > MAX_ISSUERS {
            return Err(("auth.issuers", "has more than 32 entries"));
        }
        if all.iter().any(|issuer| !is_word(&issuer.name)) {
            return Err(("auth.issuers.name", "must be one word"));
        }
        let is_again = |(place, issuer): (usize, &Self)| {
            all[..place].iter().any(|other| other.url == issuer.url || other.name == issuer.name)
        };
        if all.iter().enumerate().any(is_again) {
            return Err(("auth.issuers", "names an issuer twice"));
        }
        let is_nobodys = |issuer: &Self| issuer.sign_in && !issuer.client_id.as_deref().is_some_and(is_word);
        if all.iter().any(is_nobodys) {
            return Err(("auth.issuers.client-id", "is needed beside `sign-in`"));
        }
        let is_no_claim = |issuer: &Self| issuer.create_users_from.as_deref().is_some_and(|claim| !is_word(claim));
        if all.iter().any(is_no_claim) {
            return Err(("auth.issuers.create-users-from", "must name a claim"));
        }
        Ok(())
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failing test may panic")]
mod tests {
    use super::*;

    fn issuer(name: &str, url: &str) -> Issuer {
        toml::from_str(&format!("name = \"{name}\"\nurl = \"{url}\"\n")).unwrap()
    }

    #[test]
    fn issuers_are_checked_when_the_configuration_is_read() {
        let github = || issuer("github", "https://token.actions.githubusercontent.com");
        assert_eq!(Issuer::check(&[github(), issuer("own", "https://id.example")]), Ok(()));
        assert!(Issuer::check(&[github(), github()]).is_err());
        assert!(Issuer::check(&[github(), issuer("other", github().url.as_str())]).is_err());
        assert!(Issuer::check(&[issuer("", "https://id.example")]).is_err());
        assert!(Issuer::check(&[Issuer { sign_in: true, ..github() }]).is_err());
        let complete = Issuer { sign_in: true, client_id: Some("agent".to_owned()), ..github() };
        assert_eq!(Issuer::check(std::slice::from_ref(&complete)), Ok(()));
        assert!(Issuer::check(&[Issuer { create_users_from: Some("a b".to_owned()), ..complete }]).is_err());
        for wrong in ["url = \"http://id.example\"", "url = \"https://id.example\"\nkeys = 1"] {
            assert!(toml::from_str::<Issuer>(&format!("name = \"x\"\n{wrong}")).is_err(), "{wrong}");
        }
    }
}
