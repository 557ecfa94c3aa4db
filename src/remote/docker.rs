//! Credentials that docker, podman and others stored: `config.json`, `auth.json` and credential helpers.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{ErrorKind as IoErrorKind, Read as _};
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;

use super::docker_helper::Helper;
use super::endpoint::DOCKER_HUB;
use super::{Credential, Error};
use crate::oci::Host;

/// Largest such file in bytes.
pub(super) const MAX_CONFIG_BYTES: u64 = 1024 * 1024;
/// Docker Hub's name in `config.json`.
const DOCKER_HUB_KEY: &str = "https://index.docker.io/v1/";

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct DockerConfig {
    auths: BTreeMap<String, Entry>,
    creds_store: Option<String>,
    cred_helpers: BTreeMap<String, String>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Entry {
    auth: Option<String>,
    username: Option<String>,
    password: Option<String>,
    #[serde(rename = "identitytoken")]
    identity_token: Option<String>,
    #[serde(rename = "registrytoken")]
    registry_token: Option<String>,
}

/// The credential a file of docker's or podman's has for a host: from the host's helper, the general helper or the file
/// itself, in this order.
///
/// The host must match exactly, port included. May run `docker-credential-…` and wait for it, so it blocks.
pub fn docker_credential(file: &Path, host: &Host) -> Result<Option<Credential>, Error> {
    let Some(config) = DockerConfig::read(file)? else { return Ok(None) };
    if let Some((key, helper)) = config.own_helper(host) {
        return Helper::new(helper)?.get(key);
    }
    if let Some(store) = config.general_helper() {
        match Helper::new(store)?.get(key_of(host)) {
            // A copied configuration often names a store this machine lacks; other registries must go on working.
            Ok(None) | Err(Error::File { .. }) => {}
            answer => return answer,
        }
    }
    config.auths.iter().find(|(key, _)| is_for(key, host)).map_or(Ok(None), |(_, entry)| entry.credential())
}

impl DockerConfig {
    /// Reads a file; `None` when there is none, or nothing in it.
    pub(super) fn read(file: &Path) -> Result<Option<Self>, Error> {
        let Some(text) = read_text(file)? else { return Ok(None) };
        serde_json::from_str(&text).map(Some).map_err(|source| Error::Json { what: "docker's config.json", source })
    }

    /// The helper for this host alone, with the host's name there.
    pub(super) fn own_helper(&self, host: &Host) -> Option<(&str, &str)> {
        let (key, helper) = self.cred_helpers.iter().find(|(key, _)| is_for(key, host))?;
        Some((key, helper))
    }

    /// The helper for every host without its own.
    pub(super) fn general_helper(&self) -> Option<&str> {
        self.creds_store.as_deref().filter(|store| !store.is_empty())
    }
}

/// The text of a file; `None` when there is none, or nothing in it.
pub(super) fn read_text(path: &Path) -> Result<Option<String>, Error> {
    let failed = |source| Error::File { path: path.to_owned(), source };
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if matches!(error.kind(), IoErrorKind::NotFound | IoErrorKind::NotADirectory) => return Ok(None),
        Err(error) => return Err(failed(error)),
    };
    let mut text = String::new();
    file.take(MAX_CONFIG_BYTES).read_to_string(&mut text).map_err(failed)?;
    Ok(Some(text).filter(|text| !text.trim().is_empty()))
}

/// The host as these files and helpers name it.
pub(super) fn key_of(host: &Host) -> &str {
    if is_docker_hub(host) { DOCKER_HUB_KEY } else { host.as_str() }
}

/// Whether a key of the file means this host: the host alone, or as the root of an old API's address. A key with a
/// repository's path is for that repository only.
pub(super) fn is_for(key: &str, host: &Host) -> bool {
    if is_docker_hub(host) {
        return key == DOCKER_HUB_KEY || key == "docker.io";
    }
    let bare = key.strip_prefix("https://").or_else(|| key.strip_prefix("http://")).unwrap_or(key);
    let bare = ["/v1/", "/v2/", "/v1", "/v2", "/"].iter().find_map(|path| bare.strip_suffix(path)).unwrap_or(bare);
    bare.eq_ignore_ascii_case(host.as_str())
}

fn is_docker_hub(host: &Host) -> bool {
    DOCKER_HUB.contains(&host.as_str())
}

impl Entry {
    fn credential(&self) -> Result<Option<Credential>, Error> {
        let given = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
        if let Some(token) = given(&self.identity_token).or_else(|| given(&self.registry_token)) {
            return Ok(Some(Credential::Token(token)));
        }
        if let Some(auth) = given(&self.auth) {
            return decode(&auth).map(Some);
        }
        Ok(given(&self.username)
            .zip(given(&self.password))
            .map(|(user, password)| Credential::Basic { user, password }))
    }
}

fn decode(auth: &str) -> Result<Credential, Error> {
    let malformed = || Error::Malformed { what: "credential in docker's config.json" };
    let raw = STANDARD.decode(auth.trim()).map_err(|_| malformed())?;
    let text = String::from_utf8(raw).map_err(|_| malformed())?;
    let (user, password) = text.split_once(':').ok_or_else(malformed)?;
    Ok(Credential::Basic { user: user.to_owned(), password: password.trim_end_matches('\0').to_owned() })
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failing test may panic")]
mod tests {
    use super::*;

    fn host(text: &str) -> Host {
        text.parse().unwrap()
    }

    fn config(text: &str) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("config.json"), text).unwrap();
        folder
    }

    fn file(folder: &tempfile::TempDir) -> std::path::PathBuf {
        folder.path().join("config.json")
    }

    fn basic(user: &str, password: &str) -> Credential {
        Credential::Basic { user: user.to_owned(), password: password.to_owned() }
    }

    #[test]
    fn a_stored_password_is_for_its_host_alone() {
        let folder = config(
            r#"{"auths":{"reg.example":{"auth":"Ym9iOmE6Yg=="},"https://reg.example:5000/v2/":{"auth":"Ym9iOmM="},
                "reg.example/team":{"auth":"Ym9iOng="}},"HttpHeaders":{"a":"b"}}"#,
        );
        let of = |text| docker_credential(&file(&folder), &host(text)).unwrap();
        assert_eq!(of("reg.example"), Some(basic("bob", "a:b")));
        assert_eq!(of("REG.example"), Some(basic("bob", "a:b")));
        assert_eq!(of("reg.example:5000"), Some(basic("bob", "c")));
        for other in ["reg.example.evil", "evil-reg.example", "reg.example:443", "example", "team"] {
            assert_eq!(of(other), None, "{other}");
        }
    }

    #[test]
    fn tokens_and_docker_hub_have_their_own_spelling() {
        let folder = config(
            r#"{"auths":{"https://index.docker.io/v1/":{"auth":"Ym9iOmE="},
                "h":{"auth":"Ym9iOg==","identitytoken":"RT123"},"empty":{},"plain":{"username":"u","password":"p"}}}"#,
        );
        let of = |text| docker_credential(&file(&folder), &host(text)).unwrap();
        assert_eq!(of("docker.io"), Some(basic("bob", "a")));
        assert_eq!(of("h"), Some(Credential::Token("RT123".to_owned())));
        assert_eq!(of("plain"), Some(basic("u", "p")));
        assert_eq!(of("empty"), None);
    }

    #[test]
    fn a_missing_file_is_no_error_and_a_broken_one_is() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(docker_credential(&file(&folder), &host("h")).unwrap(), None);
        assert_eq!(docker_credential(&folder.path().join("none/config.json"), &host("h")).unwrap(), None);
        assert_eq!(docker_credential(&file(&config("")), &host("h")).unwrap(), None);
        assert!(docker_credential(&file(&config("{")), &host("h")).is_err());
        for auth in ["%%%", "Ym9i", "/w=="] {
            let folder = config(&format!(r#"{{"auths":{{"h":{{"auth":"{auth}"}}}}}}"#));
            let error = docker_credential(&file(&folder), &host("h")).unwrap_err();
            assert!(!error.to_string().contains(auth), "{error}");
        }
    }

    #[test]
    fn a_helper_of_one_host_must_exist_and_a_general_one_need_not() {
        let general = config(r#"{"auths":{"h":{"auth":"Ym9iOmE="}},"credsStore":"that-nobody-has"}"#);
        assert_eq!(docker_credential(&file(&general), &host("h")).unwrap(), Some(basic("bob", "a")));
        let own = config(r#"{"auths":{"h":{"auth":"Ym9iOmE="}},"credHelpers":{"h":"that-nobody-has"}}"#);
        assert!(docker_credential(&file(&own), &host("h")).is_err());
        assert_eq!(docker_credential(&file(&own), &host("other")).unwrap(), None);
        let path = config(r#"{"credHelpers":{"h":"/../../bin/true"}}"#);
        assert!(matches!(docker_credential(&file(&path), &host("h")), Err(Error::Helper { .. })));
    }
}
