//! The audit, for administrators.

use super::lists::{Listed, cut};
use super::{Error, Registry};
use crate::auth::{AccountAction, Caller};
use crate::index::audit::{self, Entry, Filter};
use crate::index::repositories::MAX_PAGE;

impl Registry {
    /// Entries with their numbers, the newest first; what was denied until now is among them.
    pub async fn audit(&self, caller: &Caller, filter: &Filter, limit: usize) -> Result<Listed<(i64, Entry)>, Error> {
        let limit = limit.clamp(1, MAX_PAGE);
        self.look(caller, AccountAction::ReadAudit, |_, _| Ok(()))?;
        self.write_denials().await?;
        self.look(caller, AccountAction::ReadAudit, |session, _| {
            Ok(cut(audit::list(session, filter, limit + 1)?, limit, |(number, _)| number.to_string()))
        })
    }
}
