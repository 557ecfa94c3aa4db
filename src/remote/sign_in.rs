//! Trying a credential before anything is stored.

use super::scope::Scope;
use super::{Error, Remote};
use crate::oci::Route;

/// What a registry makes of a credential it does not refuse.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignIn {
    /// It asked for one, and took this one.
    Accepted,
    /// It lets everybody in, so nobody looked at it.
    NotAsked,
}

impl Remote {
    /// Asks as a stranger first, so that a registry that asks nobody is not mistaken for one that agrees, then with the
    /// credential.
    pub async fn sign_in(&self) -> Result<SignIn, Error> {
        let ask = self.ask(&Route::Ping, Scope::none())?;
        let answer = self.exchange.ask_as_stranger(&ask).await?.status();
        self.ping().await?;
        Ok(if answer.is_success() { SignIn::NotAsked } else { SignIn::Accepted })
    }
}
