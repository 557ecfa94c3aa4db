//! The backup under way, and how the newest one went: at most one at a time.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::task::JoinHandle;

use super::Error;
use super::data_dir::mark;
use crate::api::{Backup, BackupContent, BackupState};
use crate::registry::Registry;

/// Makes backups of one registry.
#[derive(Debug)]
pub(super) struct Backups {
    registry: Arc<Registry>,
    data: PathBuf,
    newest: Mutex<Option<Backup>>,
    running: Mutex<Option<JoinHandle<()>>>,
}

impl Backups {
    pub(super) fn new(registry: Arc<Registry>, data: &Path) -> Self {
        Self { registry, data: data.to_owned(), newest: Mutex::default(), running: Mutex::default() }
    }

    /// The newest backup.
    pub(super) fn newest(&self) -> Option<Backup> {
        self.newest.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Begins a backup. `None`: one is under way.
    pub(super) fn start(self: &Arc<Self>, directory: &str) -> Option<Backup> {
        let mut newest = self.newest.lock().unwrap_or_else(PoisonError::into_inner);
        if newest.as_ref().is_some_and(|newest| newest.state == BackupState::Running) {
            return None;
        }
        let (state, directory) = (BackupState::Running, directory.to_owned());
        let begun = Backup { directory, state, problem: None, content: None };
        *newest = Some(begun.clone());
        // It ends by itself when the caller goes away: half a backup helps nobody.
        let running = tokio::spawn(Arc::clone(self).run(PathBuf::from(&begun.directory)));
        *self.running.lock().unwrap_or_else(PoisonError::into_inner) = Some(running);
        Some(begun)
    }

    /// Gives up what is under way, so that the directory is free; half a backup is none.
    pub(super) async fn stop(&self) {
        let running = self.running.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(running) = running {
            running.abort();
            // Ends with an error where it was aborted.
            let _ = running.await;
        }
    }

    async fn run(self: Arc<Self>, target: PathBuf) {
        let made = self.make(&target).await;
        let mut newest = self.newest.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(backup) = newest.as_mut() else { return };
        match made {
            Ok(content) => {
                tracing::info!(directory = backup.directory, files = content.files, "backup done");
                (backup.state, backup.content) = (BackupState::Done, Some(content));
            }
            Err(error) => {
                let problem = with_causes(&error);
                tracing::warn!(directory = backup.directory, error = problem, "backup failed");
                (backup.state, backup.problem) = (BackupState::Failed, Some(problem));
            }
        }
    }

    async fn make(&self, target: &Path) -> Result<BackupContent, Error> {
        let made = self.registry.back_up(&self.data, target).await?;
        // Last: without it nothing takes the folder for a backup.
        mark(target)?;
        Ok(BackupContent {
            last_event: made.last_event,
            repositories: made.totals.repositories,
            manifests: made.totals.manifests,
            tags: made.totals.tags,
            blobs: made.totals.blobs,
            files: made.files,
            bytes: made.bytes,
            lost: made.lost,
        })
    }
}

/// The whole story: who asks administers this machine.
fn with_causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}
