//! When tokens were used last: collected in memory, to the minute, and written now and then in one go.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use jiff::Timestamp;

use super::Error;
use super::service::Registry;
use crate::auth::TokenId;
use crate::index::tokens;

/// Most tokens that wait to be written; the use of others is noted a minute later.
const MAX_WAITING: usize = 100_000;

/// Tokens written in one transaction.
const BATCH: usize = 500;

/// Tokens whose last use is not written yet.
#[derive(Debug, Default)]
pub(super) struct LastUsed(Mutex<HashMap<TokenId, Timestamp>>);

impl LastUsed {
    pub(super) fn note(&self, token: TokenId, at: Timestamp) {
        let mut waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if waiting.len() < MAX_WAITING || waiting.contains_key(&token) {
            waiting.insert(token, at);
        }
    }

    fn take(&self) -> Vec<(TokenId, Timestamp)> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner)).into_iter().collect()
    }
}

impl Registry {
    /// Writes when tokens were used last. How many.
    pub async fn write_last_used(&self) -> Result<usize, Error> {
        let noted = self.credentials.last_used.take();
        for batch in noted.chunks(BATCH) {
            let batch = batch.to_vec();
            let write = self.index.write(move |session| {
                batch.iter().try_for_each(|(token, at)| tokens::touch(session, *token, *at)).map_err(Error::from)
            });
            write.await?;
        }
        Ok(noted.len())
    }
}
