//! Profiles: named registries with credentials, in `config.json` of the agent folder. The shape is the reference
//! tool's, whose files are read unchanged.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::error::Error;

/// Largest settings file in bytes.
const MAX_CONFIG_BYTES: u64 = 1024 * 1024;

/// The settings file.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Profiles {
    #[serde(default)]
    profiles: BTreeMap<String, Profile>,
    #[serde(default)]
    default_profile: Option<String>,
}

/// One registry with a name.
#[derive(Clone, Default, Deserialize)]
pub(super) struct Profile {
    /// URL or host of the registry.
    #[serde(default)]
    pub registry: String,
    /// The token for it.
    #[serde(default)]
    pub pat: Option<String>,
    /// What names without a namespace get.
    #[serde(default)]
    pub namespace: Option<String>,
}

impl std::fmt::Debug for Profile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let pat = self.pat.as_ref().map(|_| "…");
        let fields = (&self.registry, pat, &self.namespace);
        f.debug_tuple("Profile").field(&fields).finish()
    }
}

/// The settings file as read.
#[derive(Debug)]
pub(super) struct Loaded {
    pub profiles: Profiles,
    /// Other people of this machine can read the tokens in it.
    pub is_exposed: bool,
}

impl Profiles {
    /// Reads the file; one that is not there has no profiles.
    pub(super) fn load(path: &Path) -> Result<Loaded, Error> {
        let failed = |source| Error::io("read", path, source);
        let file = match fs::File::open(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Ok(Loaded { profiles: Self::default(), is_exposed: false });
            }
            other => other.map_err(failed)?,
        };
        let is_readable = is_readable_by_others(&file.metadata().map_err(failed)?);
        let mut text = String::new();
        file.take(MAX_CONFIG_BYTES).read_to_string(&mut text).map_err(failed)?;
        let profiles: Self =
            serde_json::from_str(&text).map_err(|source| Error::Settings { path: path.to_owned(), source })?;
        let is_exposed = is_readable && profiles.profiles.values().any(|profile| profile.pat.is_some());
        Ok(Loaded { profiles, is_exposed })
    }

    /// The profile asked for, else the default one, else none.
    pub(super) fn choose(&self, asked: Option<&str>, path: &Path) -> Result<Option<Profile>, Error> {
        let default = self.default_profile.as_deref().filter(|name| !name.is_empty());
        let Some(name) = asked.or(default) else { return Ok(None) };
        let found = self.profiles.get(name).cloned();
        let unknown = || Error::UnknownProfile {
            name: name.to_owned(),
            path: PathBuf::from(path),
            known: self.profiles.keys().cloned().collect(),
        };
        found.ok_or_else(unknown).map(Some)
    }
}

#[cfg(unix)]
fn is_readable_by_others(metadata: &fs::Metadata) -> bool {
    std::os::unix::fs::PermissionsExt::mode(&metadata.permissions()) & 0o044 != 0
}

#[cfg(not(unix))]
fn is_readable_by_others(_: &fs::Metadata) -> bool {
    false
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failed unwrap fails the test")]
mod tests {
    use super::*;

    fn load(text: &str) -> Result<Loaded, Error> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("config.json");
        fs::write(&path, text).unwrap();
        Profiles::load(&path)
    }

    const UPSTREAM: &str = r#"{"profiles": {"work": {"registry": "https://r.example", "pat": "s3cret",
        "description": "Work"}, "home": {"registry": "localhost:5000", "pat": ""}}, "default_profile": "work"}"#;

    #[test]
    fn the_reference_tools_file_is_read() {
        let loaded = load(UPSTREAM).unwrap();
        let path = Path::new("config.json");
        let work = loaded.profiles.choose(None, path).unwrap().unwrap();
        assert_eq!((work.registry.as_str(), work.pat.as_deref()), ("https://r.example", Some("s3cret")));
        assert_eq!(loaded.profiles.choose(Some("home"), path).unwrap().unwrap().registry, "localhost:5000");
        assert!(!format!("{loaded:?}").contains("s3cret"), "{loaded:?}");
    }

    #[test]
    fn an_unknown_profile_names_the_known_ones() {
        let error = load(UPSTREAM).unwrap().profiles.choose(Some("x"), Path::new("c.json")).unwrap_err();
        assert_eq!(error.to_string(), "no profile `x` in c.json");
        assert_eq!(error.hint().as_deref(), Some("known profiles: home, work"));
    }

    #[test]
    fn a_file_that_is_not_there_has_none_and_a_broken_one_is_told() {
        let loaded = Profiles::load(Path::new("/nonexistent/config.json")).unwrap();
        assert!(loaded.profiles.choose(None, Path::new("")).unwrap().is_none());
        assert!(matches!(load("{"), Err(Error::Settings { .. })));
    }

    #[cfg(unix)]
    #[test]
    fn a_token_others_can_read_is_noticed() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("config.json");
        fs::write(&path, UPSTREAM).unwrap();
        for (mode, exposed) in [(0o600, false), (0o640, true), (0o644, true)] {
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            assert_eq!(Profiles::load(&path).unwrap().is_exposed, exposed, "{mode:o}");
        }
        fs::write(&path, r#"{"profiles": {"a": {"registry": "x"}}}"#).unwrap();
        assert!(!Profiles::load(&path).unwrap().is_exposed);
    }
}
