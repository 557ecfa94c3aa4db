//! What every verb is given: the flags, the printer, and the folder that relative paths are in.

use std::path::{Path, PathBuf};

use super::arguments::Global;
use super::error::Error;
use super::printer::Printer;

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
}
