//! Hashing a stream, with a state that can be stored and taken up again after a restart.

use sha2::digest::common::hazmat::SerializableState as _;
use sha2::{Digest as _, Sha256, Sha512};

use super::{Algorithm, Digest};

/// Version of the stored state: its layout is stable only within one minor version of the hash crate.
const STATE_VERSION: u8 = 11;

/// A running hash of one algorithm.
#[derive(Clone, Debug)]
pub struct Hasher(State);

#[derive(Clone, Debug)]
enum State {
    Sha256(Box<Sha256>),
    Sha512(Box<Sha512>),
}

/// A stored hash state: the algorithm, a version, and opaque bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HashState {
    /// The algorithm the state belongs to.
    pub algorithm: Algorithm,
    /// Version byte followed by the serialised state.
    pub bytes: Vec<u8>,
}

/// A stored hash state that this build cannot continue; hash the stored bytes again instead.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("stored hash state is of another version or damaged")]
pub struct HashStateError;

impl Hasher {
    /// Starts an empty hash.
    pub fn new(algorithm: Algorithm) -> Self {
        Self(match algorithm {
            Algorithm::Sha256 => State::Sha256(Box::default()),
            Algorithm::Sha512 => State::Sha512(Box::default()),
        })
    }

    /// The algorithm being computed.
    pub fn algorithm(&self) -> Algorithm {
        match self.0 {
            State::Sha256(_) => Algorithm::Sha256,
            State::Sha512(_) => Algorithm::Sha512,
        }
    }

    /// Adds bytes.
    pub fn update(&mut self, content: &[u8]) {
        match &mut self.0 {
            State::Sha256(hash) => hash.update(content),
            State::Sha512(hash) => hash.update(content),
        }
    }

    /// Ends the hash.
    ///
    /// # Panics
    /// Never: a hash's output has its own algorithm's length.
    pub fn finish(self) -> Digest {
        let algorithm = self.algorithm();
        let raw: Vec<u8> = match self.0 {
            State::Sha256(hash) => hash.finalize().to_vec(),
            State::Sha512(hash) => hash.finalize().to_vec(),
        };
        Digest::from_raw(algorithm, &raw).expect("a hash has its own algorithm's length")
    }

    /// Takes the state out for storing; the hash itself goes on.
    pub fn state(&self) -> HashState {
        let mut bytes = vec![STATE_VERSION];
        match &self.0 {
            State::Sha256(hash) => bytes.extend_from_slice(&hash.serialize()),
            State::Sha512(hash) => bytes.extend_from_slice(&hash.serialize()),
        }
        HashState { algorithm: self.algorithm(), bytes }
    }

    /// Continues a stored state.
    pub fn resume(state: &HashState) -> Result<Self, HashStateError> {
        let (version, bytes) = state.bytes.split_first().ok_or(HashStateError)?;
        if *version != STATE_VERSION {
            return Err(HashStateError);
        }
        let state = match state.algorithm {
            Algorithm::Sha256 => {
                let bytes = bytes.try_into().map_err(|_| HashStateError)?;
                State::Sha256(Box::new(Sha256::deserialize(bytes).map_err(|_| HashStateError)?))
            }
            Algorithm::Sha512 => {
                let bytes = bytes.try_into().map_err(|_| HashStateError)?;
                State::Sha512(Box::new(Sha512::deserialize(bytes).map_err(|_| HashStateError)?))
            }
        };
        Ok(Self(state))
    }
}
