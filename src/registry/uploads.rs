//! Upload sessions: opened, asked, continued, cancelled, and ended when nobody comes back.

use jiff::Timestamp;

use super::Error;
use super::service::Registry;
use super::sessions::EmptySession;
use super::upload::{Start, Upload};
use crate::auth::{Permit, Push};
use crate::index::{repositories, uploads};
use crate::oci::{Algorithm, ChunkRange, UploadId};
use crate::storage::Checkpoint;

/// Expired sessions ended at a time.
const EXPIRY_BATCH: usize = 500;

impl Registry {
    /// Opens a session; without an algorithm its bytes are hashed with SHA-256 while they arrive.
    pub async fn begin_upload(&self, permit: &Permit<Push>, algorithm: Option<Algorithm>) -> Result<UploadId, Error> {
        let id = UploadId::random();
        let session = EmptySession {
            repository: permit.repository().clone(),
            owner: permit.actor(),
            algorithm: algorithm.unwrap_or(Algorithm::Sha256),
            opened_at: Timestamp::now(),
        };
        self.sessions.open(id, session, self.uploads_per_identity)?;
        Ok(id)
    }

    /// How many bytes of a session are durable.
    pub async fn upload_offset(&self, permit: &Permit<Push>, id: &UploadId) -> Result<u64, Error> {
        let now = Timestamp::now();
        if self.sessions.find(id, permit.repository(), &permit.actor(), now).is_some() {
            return Ok(0);
        }
        Ok(self.durable(permit, id, now)?.offset)
    }

    /// Takes the turn to write to a session. A chunk that does not begin at its offset is refused, and the session
    /// stays as it is.
    pub async fn open_upload(
        &self,
        permit: &Permit<Push>,
        id: &UploadId,
        chunk: Option<ChunkRange>,
    ) -> Result<Upload, Error> {
        let turn = self.sessions.take_turn(*id)?;
        let now = Timestamp::now();
        let empty = self.sessions.find(id, permit.repository(), &permit.actor(), now);
        let start = if let Some(session) = empty {
            Start::Empty(session.algorithm)
        } else {
            let upload = self.durable(permit, id, now)?;
            Start::Durable(Checkpoint { offset: upload.offset, state: upload.hash })
        };
        let expected = start.offset();
        match chunk {
            Some(chunk) if chunk.first != expected => Err(Error::UploadOutOfOrder { expected, found: chunk.first }),
            _ => Upload::open(self, permit, turn, *id, start).await,
        }
    }

    /// Takes a blob that comes in one request, without a session that anybody knows of.
    pub async fn receive_blob(&self, permit: &Permit<Push>, algorithm: Algorithm) -> Result<Upload, Error> {
        let id = UploadId::random();
        let turn = self.sessions.take_turn(id)?;
        Upload::open(self, permit, turn, id, Start::Empty(algorithm)).await
    }

    /// Gives a session up, with its bytes.
    pub async fn cancel_upload(&self, permit: &Permit<Push>, id: &UploadId) -> Result<(), Error> {
        let _turn = self.sessions.take_turn(*id)?;
        let now = Timestamp::now();
        if self.sessions.find(id, permit.repository(), &permit.actor(), now).is_some() {
            self.sessions.close(id);
            return Ok(());
        }
        self.durable(permit, id, now)?;
        self.end(*id).await
    }

    /// Ends sessions that have expired, and removes bytes of uploads that nobody can continue. How many there were.
    pub async fn expire_uploads(&self, now: Timestamp) -> Result<usize, Error> {
        self.sessions.expire(now);
        let expired = self.read(|session| uploads::expired(session, now, EXPIRY_BATCH).map_err(Error::from))?;
        let mut ended = 0;
        for id in expired {
            // One that is being written to is not expired much longer.
            if let Ok(_turn) = self.sessions.take_turn(id) {
                self.end(id).await?;
                ended += 1;
            }
        }
        for id in self.store.uploads().await? {
            let is_kept = self.sessions.is_alive(&id)
                || self.read(|session| uploads::exists(session, &id).map_err(Error::from))?;
            if !is_kept && self.store.discard(id).await.is_ok() {
                ended += 1;
            }
        }
        Ok(ended)
    }

    async fn end(&self, id: UploadId) -> Result<(), Error> {
        self.index.write(move |session| uploads::remove(session, &id).map_err(Error::from)).await?;
        match self.store.discard(id).await {
            Err(crate::storage::Error::UploadNotFound(_)) => Ok(()),
            other => Ok(other?),
        }
    }

    fn durable(&self, permit: &Permit<Push>, id: &UploadId, now: Timestamp) -> Result<uploads::Upload, Error> {
        let found = self.read(|session| {
            let Some(repository) = repositories::find(session, permit.repository())? else { return Ok(None) };
            Ok(uploads::find(session, repository, id, now)?)
        })?;
        found.filter(|upload| upload.owner == permit.actor()).ok_or(Error::UploadUnknown(*id))
    }
}
