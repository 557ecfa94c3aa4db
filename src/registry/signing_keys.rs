//! The keys that sign short tokens: made at first start, and replaced while the one before is still believed.

use std::time::Duration;

use bytes::Bytes;
use jiff::Timestamp;

use super::acting::{allow, done};
use super::{Error, Registry};
use crate::auth::{AccountAction, Caller, KeyRing, SigningKey, SigningKeyError};
use crate::index::Session;
use crate::index::signing_keys::{self, StoredKey};

/// How long a retired key is believed: longer than any token lives that it has signed.
const OVERLAP: Duration = Duration::from_hours(1);

impl Registry {
    /// Makes the first key where there is none.
    pub async fn ensure_signing_key(&self) -> Result<(), Error> {
        let (new, now) = (SigningKey::generate(Timestamp::now())?, Timestamp::now());
        let write = self.index.write(move |session| {
            // Asked in the transaction: of two that start at once, one makes it.
            let is_there = signing_keys::list(session, now)?.iter().any(|key| key.retired_at.is_none());
            if is_there { Ok(()) } else { Ok::<_, Error>(store(session, &new, now)?) }
        });
        write.await
    }

    /// Lets a new key sign from now on. Its name, and when it was made.
    pub async fn rotate_signing_key(&self, caller: &Caller) -> Result<(String, Timestamp), Error> {
        let new = SigningKey::generate(Timestamp::now())?;
        let made = (new.id().to_owned(), new.created_at());
        let deed = self.act(caller, move |session, caller, now| {
            let permit = allow(session, caller, AccountAction::RotateSigningKeys)?;
            store(session, &new, now)?;
            done(session, &permit, new.id(), now)
        });
        deed.await?;
        Ok(made)
    }

    /// Reads the key that signs, and those that are still believed.
    pub(super) fn load_keys(&self) -> Result<KeyRing, Error> {
        let retired_after = Timestamp::now().checked_sub(OVERLAP).unwrap_or(Timestamp::MIN);
        let stored = self.read(|session| signing_keys::list(session, retired_after).map_err(Error::from))?;
        let (mut active, mut retired) = (None, vec![]);
        for StoredKey { private, created_at, retired_at, .. } in stored {
            let key = SigningKey::from_bytes(&private, created_at)?;
            if retired_at.is_none() { active = Some(key) } else { retired.push(key) }
        }
        Ok(KeyRing::new(active.ok_or(SigningKeyError::Key)?, retired))
    }
}

/// Lets a key sign from now on.
pub(super) fn store(session: &mut dyn Session, key: &SigningKey, now: Timestamp) -> Result<(), crate::index::Error> {
    signing_keys::rotate(session, key.id(), Bytes::copy_from_slice(key.to_bytes()), now)?;
    let forgotten = now.checked_sub(OVERLAP).unwrap_or(Timestamp::MIN);
    signing_keys::forget(session, forgotten).map(|_| ())
}
