//! What every verb is given: the flags, the printer, and the folder that relative paths are in.

use std::path::{Path, PathBuf};

use super::arguments::Global;
use super::error::Error;
use super::printer::Printer;
use super::profiles::{Exposure, Settings};

/// The surroundings of one verb.
#[derive(Clone, Debug)]
pub(super) struct Context {
    pub global: Global,
    pub printer: Printer,
    /// The settings file, where a flag names one.
    pub config: Option<PathBuf>,
    /// The folder relative paths are in; empty for the process's own.
    pub directory: PathBuf,
}

impl Context {
    /// A path the user named, as this process reaches it.
    pub(super) fn path(&self, path: &Path) -> PathBuf {
        let joined = self.directory.join(path);
        // `.` alone is how people name the folder they are in.
        if joined.as_os_str().is_empty() { PathBuf::from(".") } else { joined }
    }

    /// A path as the user would name it.
    pub(super) fn shown(&self, path: &Path) -> String {
        let inside = if self.directory.as_os_str().is_empty() { None } else { path.strip_prefix(&self.directory).ok() };
        let text = inside.unwrap_or(path).display().to_string();
        let plain = text.strip_prefix("./").unwrap_or(&text);
        if plain.is_empty() { ".".to_owned() } else { plain.to_owned() }
    }

    /// The agent folder: settings, store and cache.
    pub(super) fn home(&self) -> Result<PathBuf, Error> {
        match &self.global.home {
            Some(home) if !home.as_os_str().is_empty() => Ok(home.clone()),
            _ => Ok(etcetera::home_dir().map_err(|_| Error::NoHome)?.join(".agent")),
        }
    }

    /// The settings file. Tokens in it that others could read are told, and hidden from them.
    pub(super) fn settings(&self) -> Result<Settings, Error> {
        let path = match &self.config {
            Some(path) => self.path(path),
            None => self.home()?.join("config.json"),
        };
        let settings = Settings::load(&path)?;
        let shown = path.display();
        match settings.exposure {
            Exposure::None => {}
            Exposure::Ended => Printer::warn(&format!(
                "other users could read the tokens in {shown}; they no longer can, but replace tokens that matter"
            )),
            Exposure::Lasting => {
                Printer::warn(&format!("other users can read the tokens in {shown}: close it with `chmod 600`"));
            }
        }
        Ok(settings)
    }

    /// Docker's `config.json`, where there is a place for it.
    pub(super) fn docker_file(&self) -> Option<PathBuf> {
        let folder = match given(self.global.docker_config.as_ref()) {
            Some(folder) => folder.clone(),
            None => etcetera::home_dir().ok()?.join(".docker"),
        };
        Some(folder.join("config.json"))
    }

    /// The files that docker and podman keep credentials in, the first to be asked first.
    pub(super) fn docker_files(&self) -> Vec<PathBuf> {
        let own = given(self.global.auth_file.as_ref()).cloned();
        let podman = given(self.global.runtime_directory.as_ref()).map(|folder| folder.join("containers/auth.json"));
        [own, self.docker_file(), podman].into_iter().flatten().collect()
    }
}

/// A path that is not empty: a variable may be set to nothing.
fn given(path: Option<&PathBuf>) -> Option<&PathBuf> {
    path.filter(|path| !path.as_os_str().is_empty())
}
