//! Keeping a credential the way docker does, so that one sign-in serves docker, oras, helm, cosign and this program.

use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Serialize as _;
use serde_json::ser::{PrettyFormatter, Serializer};
use serde_json::{Map, Value, json};

use super::Error;
use super::docker::{DockerConfig, is_for, key_of, read_text};
use super::docker_helper::Helper;
use super::private_file::write_private;
use crate::oci::Host;

/// Where a credential is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kept {
    /// By a credential helper: the name of its program.
    Helper(String),
    /// In a file.
    File(PathBuf),
}

/// The helper that a file of docker's names for a host, if any.
pub fn docker_helper(file: &Path, host: &Host) -> Result<Option<String>, Error> {
    let Some(config) = DockerConfig::read(file)? else { return Ok(None) };
    Ok(helper_of(&config, host)?.map(|(helper, _)| helper.program().to_owned()))
}

/// Keeps a credential for a host: with the helper that the file names, else in the file itself. Everything else in the
/// file stays; the file is replaced in one step, and readable by its owner alone. May run a helper, so it blocks.
pub fn keep_docker_credential(file: &Path, host: &Host, user: &str, secret: &str) -> Result<Kept, Error> {
    let config = DockerConfig::read(file)?.unwrap_or_default();
    let (kept, entry) = match helper_of(&config, host)? {
        Some((helper, key)) => {
            helper.store(&key, user, secret)?;
            // As docker does: an entry without a secret says that there is one with the helper.
            (Kept::Helper(helper.program().to_owned()), json!({}))
        }
        None => (Kept::File(file.to_owned()), json!({"auth": STANDARD.encode(format!("{user}:{secret}"))})),
    };
    let mut document = Document::read(file)?;
    document.put(host, entry)?;
    document.write(file)?;
    Ok(kept)
}

/// Forgets a credential for a host, wherever the file says it is; where it was.
pub fn forget_docker_credential(file: &Path, host: &Host) -> Result<Vec<Kept>, Error> {
    let Some(config) = DockerConfig::read(file)? else { return Ok(vec![]) };
    let mut was = vec![];
    if let Some((helper, key)) = helper_of(&config, host)?
        && helper.erase(&key)?
    {
        was.push(Kept::Helper(helper.program().to_owned()));
    }
    let mut document = Document::read(file)?;
    let (has_changed, had_secret) = document.remove(host);
    if has_changed {
        document.write(file)?;
    }
    if had_secret {
        was.push(Kept::File(file.to_owned()));
    }
    Ok(was)
}

fn helper_of(config: &DockerConfig, host: &Host) -> Result<Option<(Helper, String)>, Error> {
    match (config.own_helper(host), config.general_helper()) {
        (Some((key, helper)), _) => Ok(Some((Helper::new(helper)?, key.to_owned()))),
        (None, Some(helper)) => Ok(Some((Helper::new(helper)?, key_of(host).to_owned()))),
        (None, None) => Ok(None),
    }
}

/// The file with everything in it, known or not.
struct Document(Map<String, Value>);

impl Document {
    fn read(file: &Path) -> Result<Self, Error> {
        let Some(text) = read_text(file)? else { return Ok(Self(Map::new())) };
        serde_json::from_str(&text).map(Self).map_err(|source| Error::Json { what: "docker's config.json", source })
    }

    fn put(&mut self, host: &Host, entry: Value) -> Result<(), Error> {
        self.remove(host);
        let auths = self.0.entry("auths").or_insert_with(|| json!({}));
        let auths = auths.as_object_mut().ok_or(Error::Malformed { what: "`auths` in docker's config.json" })?;
        auths.insert(key_of(host).to_owned(), entry);
        Ok(())
    }

    /// Removes every spelling of a host; whether there was one, and whether with a secret.
    fn remove(&mut self, host: &Host) -> (bool, bool) {
        let Some(auths) = self.0.get_mut("auths").and_then(Value::as_object_mut) else { return (false, false) };
        let keys: Vec<_> = auths.keys().filter(|key| is_for(key, host)).cloned().collect();
        let removed: Vec<_> = keys.iter().filter_map(|key| auths.remove(key)).collect();
        let had_secret = removed.iter().any(|entry| entry.as_object().is_some_and(|entry| !entry.is_empty()));
        (!removed.is_empty(), had_secret)
    }

    fn write(&self, file: &Path) -> Result<(), Error> {
        let mut text = vec![];
        // Docker's own indentation, so that a file under version control changes only where it changes.
        let mut serializer = Serializer::with_formatter(&mut text, PrettyFormatter::with_indent(b"\t"));
        let what = "docker's config.json";
        self.0.serialize(&mut serializer).map_err(|source| Error::Json { what, source })?;
        write_private(file, &text)
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failing test may panic")]
mod tests {
    use super::super::{Credential, docker_credential};
    use super::*;

    fn host(text: &str) -> Host {
        text.parse().unwrap()
    }

    fn bob(password: &str) -> Credential {
        Credential::Basic { user: "bob".to_owned(), password: password.to_owned() }
    }

    #[test]
    fn what_was_kept_is_found_and_forgotten_and_nothing_else_is_touched() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("docker/config.json");
        let kept = keep_docker_credential(&file, &host("h:5000"), "bob", "a:b").unwrap();
        assert_eq!(kept, Kept::File(file.clone()));
        assert_eq!(docker_credential(&file, &host("h:5000")).unwrap(), Some(bob("a:b")));
        assert_eq!(docker_credential(&file, &host("h")).unwrap(), None);

        let text = r#"{"HttpHeaders":{"a":"b"},"auths":{"https://h:5000/v2/":{"auth":"b2xkOm9sZA=="},
            "h":{"auth":"Ym9iOmE=","more":1},"h:5000/team":{"auth":"Ym9iOmE="}},"detachKeys":"x"}"#;
        std::fs::write(&file, text).unwrap();
        keep_docker_credential(&file, &host("h:5000"), "bob", "new").unwrap();
        let written: Value = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
        let before: Value = serde_json::from_str(text).unwrap();
        for kept in ["/HttpHeaders", "/detachKeys", "/auths/h", "/auths/h:5000~1team"] {
            assert_eq!(written.pointer(kept), before.pointer(kept), "{kept}");
        }
        assert_eq!(written["auths"].as_object().unwrap().len(), 3, "the other spelling is gone: {written}");
        assert_eq!(docker_credential(&file, &host("h:5000")).unwrap(), Some(bob("new")));

        assert_eq!(forget_docker_credential(&file, &host("h:5000")).unwrap(), [Kept::File(file.clone())]);
        assert_eq!(docker_credential(&file, &host("h:5000")).unwrap(), None);
        assert_eq!(docker_credential(&file, &host("h")).unwrap(), Some(bob("a")));
        assert_eq!(forget_docker_credential(&file, &host("h:5000")).unwrap(), []);
        assert_eq!(forget_docker_credential(&folder.path().join("none"), &host("h")).unwrap(), []);
    }

    #[test]
    fn a_broken_file_is_left_as_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("config.json");
        for text in ["{", "[]", r#"{"auths":[]}"#] {
            std::fs::write(&file, text).unwrap();
            assert!(keep_docker_credential(&file, &host("h"), "bob", "hunter2").is_err(), "{text}");
            assert_eq!(std::fs::read_to_string(&file).unwrap(), text);
        }
    }
}
