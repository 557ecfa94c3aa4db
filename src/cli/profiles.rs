//! Profiles: named registries with credentials, in `config.json` of the agent folder. The shape is the reference
//! tool's, whose files are read unchanged; what this program does not know in them stays.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::error::Error;
use crate::remote::{Credential, write_private};

/// Largest settings file in bytes.
const MAX_CONFIG_BYTES: u64 = 1024 * 1024;

/// One registry with a name.
#[derive(Clone, Default, Deserialize)]
pub(super) struct Profile {
    /// URL or host of the registry.
    #[serde(default)]
    pub registry: String,
    /// The token for it, or the password of the user.
    #[serde(default)]
    pub pat: Option<String>,
    /// The user, where a password or a token needs one.
    #[serde(default)]
    pub user: Option<String>,
    /// What names without a namespace get.
    #[serde(default)]
    pub namespace: Option<String>,
    /// What it is for.
    #[serde(default)]
    pub description: Option<String>,
}

impl Profile {
    /// Who one is there.
    pub(super) fn credential(&self) -> Option<Credential> {
        let secret = self.pat.clone().filter(|pat| !pat.is_empty())?;
        Some(match self.user.clone().filter(|user| !user.is_empty()) {
            Some(user) => Credential::Basic { user, password: secret },
            None => Credential::Token(secret),
        })
    }
}

impl std::fmt::Debug for Profile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let pat = self.pat.as_ref().map(|_| "…");
        let fields = (&self.registry, pat, &self.user, &self.namespace);
        f.debug_tuple("Profile").field(&fields).finish()
    }
}

/// Who could read the tokens in the file when it was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Exposure {
    /// Its owner alone, or there are none in it.
    None,
    /// Other users of this machine; now its owner alone.
    Ended,
    /// Other users of this machine, still.
    Lasting,
}

#[derive(Default, Deserialize)]
struct Known {
    #[serde(default)]
    profiles: Option<BTreeMap<String, Profile>>,
    #[serde(default)]
    default_profile: Option<String>,
}

/// The settings file.
pub(super) struct Settings {
    path: PathBuf,
    /// Everything in it, known or not.
    document: Map<String, Value>,
    profiles: BTreeMap<String, Profile>,
    default: Option<String>,
    /// Who could read it.
    pub exposure: Exposure,
}

impl Settings {
    /// Reads the file; one that is not there has no profiles. One with tokens that others can read is closed to them.
    pub(super) fn load(path: &Path) -> Result<Self, Error> {
        let failed = |source| Error::io("read", path, source);
        let (mut document, mut known, mut exposure) = (Map::new(), Known::default(), Exposure::None);
        match fs::File::open(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(failed(error)),
            Ok(file) => {
                let metadata = file.metadata().map_err(failed)?;
                let mut text = String::new();
                file.take(MAX_CONFIG_BYTES).read_to_string(&mut text).map_err(failed)?;
                let unreadable = |source| Error::Settings { path: path.to_owned(), source };
                document = serde_json::from_str(&text).map_err(unreadable)?;
                known = serde_json::from_str(&text).map_err(unreadable)?;
                let profiles = known.profiles.iter().flat_map(BTreeMap::values);
                if profiles.filter_map(|profile| profile.pat.as_ref()).any(|pat| !pat.is_empty()) {
                    exposure = close(path, &metadata);
                }
            }
        }
        let default = known.default_profile.filter(|name| !name.is_empty());
        let profiles = known.profiles.unwrap_or_default();
        Ok(Self { path: path.to_owned(), document, profiles, default, exposure })
    }

    /// The file.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Every profile by its name.
    pub(super) fn profiles(&self) -> &BTreeMap<String, Profile> {
        &self.profiles
    }

    /// The profile that is used when none is named.
    pub(super) fn default(&self) -> Option<&str> {
        self.default.as_deref()
    }

    /// A profile that must be there.
    pub(super) fn get(&self, name: &str) -> Result<&Profile, Error> {
        self.profiles.get(name).ok_or_else(|| Error::UnknownProfile {
            name: name.to_owned(),
            path: self.path.clone(),
            known: self.profiles.keys().cloned().collect(),
        })
    }

    /// The profile asked for, else the default one, else none; with its name.
    pub(super) fn choose(&self, asked: Option<&str>) -> Result<Option<(&str, &Profile)>, Error> {
        let Some(name) = asked.or(self.default()) else { return Ok(None) };
        let profile = self.get(name)?;
        Ok(self.profiles.get_key_value(name).map(|(name, _)| (name.as_str(), profile)))
    }

    /// Sets the given keys of a profile, or with `None` removes them; the other ones stay. It is made if need be.
    pub(super) fn put(&mut self, name: &str, changes: &[(&str, Option<String>)]) {
        let profiles = object(&mut self.document, "profiles");
        let profile = object(profiles, name);
        for (key, value) in changes {
            match value {
                Some(value) => profile.insert((*key).to_owned(), json!(value)),
                None => profile.remove(*key),
            };
        }
        if let Ok(profile) = serde_json::from_value(Value::Object(profile.clone())) {
            self.profiles.insert(name.to_owned(), profile);
        }
    }

    /// Removes a profile; as the default, too.
    pub(super) fn remove(&mut self, name: &str) {
        object(&mut self.document, "profiles").remove(name);
        self.profiles.remove(name);
        if self.default() == Some(name) {
            self.default = None;
            self.document.insert("default_profile".to_owned(), json!(""));
        }
    }

    /// Makes a profile the default one.
    pub(super) fn set_default(&mut self, name: &str) {
        self.default = Some(name.to_owned());
        self.document.insert("default_profile".to_owned(), json!(name));
    }

    /// Writes the file, for its owner alone.
    pub(super) fn save(&self) -> Result<(), Error> {
        let unwritable = |source| Error::Settings { path: self.path.clone(), source };
        let text = serde_json::to_string_pretty(&self.document).map_err(unwritable)?;
        Ok(write_private(&self.path, text.as_bytes())?)
    }
}

/// The object under a key, in place of whatever else is there.
fn object<'a>(parent: &'a mut Map<String, Value>, key: &str) -> &'a mut Map<String, Value> {
    let value = parent.entry(key).or_insert_with(|| json!({}));
    if !value.is_object() {
        *value = json!({});
    }
    match value {
        Value::Object(object) => object,
        _ => unreachable!("it was made an object just now"),
    }
}

#[cfg(unix)]
fn close(path: &Path, metadata: &fs::Metadata) -> Exposure {
    use std::os::unix::fs::PermissionsExt as _;
    let of_others = metadata.permissions().mode() & 0o077;
    if of_others == 0 {
        return Exposure::None;
    }
    match fs::set_permissions(path, fs::Permissions::from_mode(0o600)) {
        Ok(()) => Exposure::Ended,
        Err(_) => Exposure::Lasting,
    }
}

#[cfg(not(unix))]
fn close(_: &Path, _: &fs::Metadata) -> Exposure {
    Exposure::None
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failed unwrap fails the test")]
mod tests {
    use super::*;

    fn with(text: &str) -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("config.json");
        fs::write(&path, text).unwrap();
        (folder, path)
    }

    fn load(text: &str) -> Result<Settings, Error> {
        let (_folder, path) = with(text);
        Settings::load(&path)
    }

    const UPSTREAM: &str = r#"{"profiles": {"work": {"registry": "https://r.example", "pat": "s3cret",
        "description": "Work", "team": [1]}, "home": {"registry": "localhost:5000", "pat": ""}},
        "default_profile": "work", "telemetry": {"off": true}}"#;

    #[test]
    fn the_reference_tools_file_is_read() {
        let settings = load(UPSTREAM).unwrap();
        let (name, work) = settings.choose(None).unwrap().unwrap();
        assert_eq!((name, work.registry.as_str()), ("work", "https://r.example"));
        assert_eq!(work.credential(), Some(Credential::Token("s3cret".to_owned())));
        let (_, home) = settings.choose(Some("home")).unwrap().unwrap();
        assert_eq!((home.registry.as_str(), home.credential()), ("localhost:5000", None));
        assert!(!format!("{work:?}").contains("s3cret"), "{work:?}");
        assert!(load(r#"{"profiles": null}"#).unwrap().choose(None).unwrap().is_none());
    }

    #[test]
    fn a_profile_with_a_user_signs_in_by_name() {
        let settings = load(r#"{"profiles": {"a": {"registry": "x", "user": "bob", "pat": "pw"}}}"#).unwrap();
        let expected = Credential::Basic { user: "bob".to_owned(), password: "pw".to_owned() };
        assert_eq!(settings.get("a").unwrap().credential(), Some(expected));
    }

    #[test]
    fn what_is_written_keeps_everything_it_does_not_know() {
        let (_folder, path) = with(UPSTREAM);
        let mut settings = Settings::load(&path).unwrap();
        settings.put("work", &[("pat", Some("new".to_owned())), ("description", None)]);
        settings.put("third", &[("registry", Some("h:1".to_owned()))]);
        settings.remove("home");
        settings.save().unwrap();
        let written: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
        let expected = json!({
            "profiles": {
                "work": {"registry": "https://r.example", "pat": "new", "team": [1]},
                "third": {"registry": "h:1"}
            },
            "default_profile": "work", "telemetry": {"off": true}
        });
        assert_eq!(written, expected);
        settings.remove("work");
        assert_eq!(settings.default(), None);
        settings.set_default("third");
        settings.save().unwrap();
        assert_eq!(Settings::load(&path).unwrap().choose(None).unwrap().unwrap().0, "third");
    }

    #[test]
    fn an_unknown_profile_names_the_known_ones() {
        let error = load(UPSTREAM).unwrap().choose(Some("x")).unwrap_err();
        assert!(error.to_string().starts_with("no profile `x` in "), "{error}");
        assert_eq!(error.hint().as_deref(), Some("known profiles: home, work"));
    }

    #[test]
    fn a_file_that_is_not_there_has_none_and_a_broken_one_is_told() {
        let settings = Settings::load(Path::new("/nonexistent/config.json")).unwrap();
        assert!(settings.choose(None).unwrap().is_none());
        assert!(matches!(load("{"), Err(Error::Settings { .. })));
        assert!(matches!(load(r#"{"profiles": 1}"#), Err(Error::Settings { .. })));
    }

    #[cfg(unix)]
    #[test]
    fn a_token_others_can_read_is_closed_to_them() {
        use std::os::unix::fs::PermissionsExt as _;
        let (_folder, path) = with(UPSTREAM);
        let mode = || fs::metadata(&path).unwrap().permissions().mode() & 0o777;
        for (before, exposure) in [(0o600, Exposure::None), (0o640, Exposure::Ended), (0o644, Exposure::Ended)] {
            fs::set_permissions(&path, fs::Permissions::from_mode(before)).unwrap();
            assert_eq!(Settings::load(&path).unwrap().exposure, exposure, "{before:o}");
            assert_eq!(mode(), 0o600, "{before:o}");
        }
        fs::write(&path, r#"{"profiles": {"a": {"registry": "x"}}}"#).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        assert_eq!(Settings::load(&path).unwrap().exposure, Exposure::None);
        assert_eq!(mode(), 0o644, "there is nothing to hide in it");
    }
}
