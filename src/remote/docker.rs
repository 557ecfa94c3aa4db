//! Credentials that docker, podman and others stored: `config.json` and credential helpers.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{ErrorKind as IoErrorKind, Read as _, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;

use super::endpoint::DOCKER_HUB;
use super::text::clean;
use super::{Credential, Error};
use crate::oci::Host;

/// Largest `config.json`, and largest answer of a helper, in bytes.
const MAX_CONFIG_BYTES: u64 = 1024 * 1024;
/// Docker Hub's name in `config.json`.
const DOCKER_HUB_KEY: &str = "https://index.docker.io/v1/";
/// What helpers say when they have nothing.
const HELPER_HAS_NONE: &str = "credentials not found";
/// The user name helpers give to an identity token.
const HELPER_TOKEN_USER: &str = "<token>";

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct DockerConfig {
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

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Secret {
    username: String,
    secret: String,
}

/// The credential docker has for a host: from the host's helper, the general helper or the file itself, in this order.
///
/// The host must match exactly, port included. May run `docker-credential-…` and wait for it, so it blocks.
pub fn docker_credential(config_dir: &Path, host: &Host) -> Result<Option<Credential>, Error> {
    let Some(config) = read(config_dir)? else { return Ok(None) };
    if let Some((key, helper)) = config.cred_helpers.iter().find(|(key, _)| is_for(key, host)) {
        return ask_helper(helper, key);
    }
    if let Some(store) = config.creds_store.as_deref().filter(|store| !store.is_empty()) {
        let key = if is_docker_hub(host) { DOCKER_HUB_KEY } else { host.as_str() };
        match ask_helper(store, key) {
            // A copied configuration often names a store this machine lacks; other registries must go on working.
            Ok(None) | Err(Error::File { .. }) => {}
            answer => return answer,
        }
    }
    config.auths.iter().find(|(key, _)| is_for(key, host)).map_or(Ok(None), |(_, entry)| entry.credential())
}

fn read(config_dir: &Path) -> Result<Option<DockerConfig>, Error> {
    let path = config_dir.join("config.json");
    let failed = |source| Error::File { path: path.clone(), source };
    let file = match File::open(&path) {
        Ok(file) => file,
        Err(error) if matches!(error.kind(), IoErrorKind::NotFound | IoErrorKind::NotADirectory) => return Ok(None),
        Err(error) => return Err(failed(error)),
    };
    let mut text = String::new();
    file.take(MAX_CONFIG_BYTES).read_to_string(&mut text).map_err(failed)?;
    if text.trim().is_empty() {
        return Ok(None);
    }
    serde_json::from_str(&text).map(Some).map_err(|source| Error::Json { what: "docker's config.json", source })
}

/// Whether a key of the file means this host: the host alone, or as the root of an old API's address. A key with a
/// repository's path is for that repository only.
fn is_for(key: &str, host: &Host) -> bool {
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

fn ask_helper(suffix: &str, key: &str) -> Result<Option<Credential>, Error> {
    let program = format!("docker-credential-{suffix}");
    let failed = |message: &str| Error::Helper { program: clean(&program), message: clean(message) };
    if !suffix.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte)) {
        return Err(failed("its name is no file name"));
    }
    let broken = |source| Error::File { path: program.clone().into(), source };
    let (has_worked, answer) = run(&program, key).map_err(broken)?;
    if !has_worked {
        let has_none = answer.contains(HELPER_HAS_NONE);
        return if has_none { Ok(None) } else { Err(failed(&answer)) };
    }
    let secret: Secret =
        serde_json::from_str(&answer).map_err(|source| Error::Json { what: "credential helper's answer", source })?;
    Ok(Some(match secret.username.as_str() {
        HELPER_TOKEN_USER => Credential::Token(secret.secret),
        _ => Credential::Basic { user: secret.username, password: secret.secret },
    }))
}

/// Runs a helper: the server's name goes in, whether it succeeded and what it said come out.
fn run(program: &str, key: &str) -> std::io::Result<(bool, String)> {
    let mut child =
        Command::new(program).arg("get").stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn()?;
    if let Some(mut stdin) = child.stdin.take() {
        // A helper that answers without reading closes the pipe; its answer still counts.
        let _ = stdin.write_all(key.as_bytes());
    }
    let mut answer = Vec::new();
    if let Some(stdout) = child.stdout.take() {
        stdout.take(MAX_CONFIG_BYTES).read_to_end(&mut answer)?;
    }
    let status = child.wait()?;
    Ok((status.success(), String::from_utf8_lossy(&answer).into_owned()))
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

    fn basic(user: &str, password: &str) -> Credential {
        Credential::Basic { user: user.to_owned(), password: password.to_owned() }
    }

    #[test]
    fn a_stored_password_is_for_its_host_alone() {
        let folder = config(
            r#"{"auths":{"reg.example":{"auth":"Ym9iOmE6Yg=="},"https://reg.example:5000/v2/":{"auth":"Ym9iOmM="},
                "reg.example/team":{"auth":"Ym9iOng="}},"HttpHeaders":{"a":"b"}}"#,
        );
        let of = |text| docker_credential(folder.path(), &host(text)).unwrap();
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
        let of = |text| docker_credential(folder.path(), &host(text)).unwrap();
        assert_eq!(of("docker.io"), Some(basic("bob", "a")));
        assert_eq!(of("h"), Some(Credential::Token("RT123".to_owned())));
        assert_eq!(of("plain"), Some(basic("u", "p")));
        assert_eq!(of("empty"), None);
    }

    #[test]
    fn a_missing_file_is_no_error_and_a_broken_one_is() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(docker_credential(folder.path(), &host("h")).unwrap(), None);
        assert_eq!(docker_credential(&folder.path().join("none"), &host("h")).unwrap(), None);
        assert_eq!(docker_credential(config("").path(), &host("h")).unwrap(), None);
        assert!(docker_credential(config("{").path(), &host("h")).is_err());
        for auth in ["%%%", "Ym9i", "/w=="] {
            let folder = config(&format!(r#"{{"auths":{{"h":{{"auth":"{auth}"}}}}}}"#));
            let error = docker_credential(folder.path(), &host("h")).unwrap_err();
            assert!(!error.to_string().contains(auth), "{error}");
        }
    }

    #[test]
    fn a_helper_of_one_host_must_exist_and_a_general_one_need_not() {
        let general = config(r#"{"auths":{"h":{"auth":"Ym9iOmE="}},"credsStore":"that-nobody-has"}"#);
        assert_eq!(docker_credential(general.path(), &host("h")).unwrap(), Some(basic("bob", "a")));
        let own = config(r#"{"auths":{"h":{"auth":"Ym9iOmE="}},"credHelpers":{"h":"that-nobody-has"}}"#);
        assert!(docker_credential(own.path(), &host("h")).is_err());
        assert_eq!(docker_credential(own.path(), &host("other")).unwrap(), None);
        let path = config(r#"{"credHelpers":{"h":"/../../bin/true"}}"#);
        assert!(matches!(docker_credential(path.path(), &host("h")), Err(Error::Helper { .. })));
    }

    #[cfg(unix)]
    #[test]
    fn a_helper_is_told_the_host_and_answers_in_json() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let helper = |text: &str| {
            let path = folder.path().join("helper");
            std::fs::write(&path, format!("#!/bin/sh\n{text}\n")).unwrap();
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
            run(path.to_str().unwrap(), "h:5000").unwrap()
        };
        assert_eq!(helper("printf '%s %s' \"$1\" \"$(cat)\""), (true, "get h:5000".to_owned()));
        assert_eq!(helper("echo credentials not found; exit 1"), (false, "credentials not found\n".to_owned()));
    }
}
