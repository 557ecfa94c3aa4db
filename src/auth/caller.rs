//! A caller: who asks, with which credential, from where.

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use uuid::Uuid;

use super::{Access, AccountName, Identity, Reach, TokenId};

/// Where a request came from, for the audit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Origin {
    /// The address of the peer, or what a trusted proxy says it is.
    pub address: Option<IpAddr>,
    /// The id under which the server logs the request.
    pub request: Option<Uuid>,
}

impl Origin {
    /// No request: the registry itself, or a program it is embedded in.
    pub const fn none() -> Self {
        Self { address: None, request: None }
    }
}

/// What a caller showed. Never the secret itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CredentialKind {
    /// Nothing.
    None,
    /// The account's password.
    Password,
    /// An access token.
    Token(TokenId),
    /// A short token.
    ShortToken {
        /// The access token it was made with; none for a password, a publisher, or nobody.
        token: Option<TokenId>,
    },
}

impl CredentialKind {
    /// The access token it is or was made with.
    pub const fn token(self) -> Option<TokenId> {
        match self {
            Self::Token(token) => Some(token),
            Self::ShortToken { token } => token,
            Self::None | Self::Password => None,
        }
    }
}

impl fmt::Display for CredentialKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::None => f.write_str("none"),
            Self::Password => f.write_str("password"),
            Self::Token(token) => write!(f, "token {token}"),
            Self::ShortToken { token: Some(token) } => write!(f, "short token of token {token}"),
            Self::ShortToken { token: None } => f.write_str("short token"),
        }
    }
}

/// Who asks, how far the credential reaches, and where the request came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    identity: Identity,
    reach: Arc<Reach>,
    credential: CredentialKind,
    origin: Origin,
    serial: u64,
}

/// The serial of everybody who shows nothing: they are all alike.
const ANONYMOUS: u64 = 0;

impl Caller {
    /// Somebody without a credential.
    pub fn anonymous(origin: Origin) -> Self {
        let reach = Arc::new(Reach::unlimited());
        Self { identity: Identity::Anonymous, reach, credential: CredentialKind::None, origin, serial: ANONYMOUS }
    }

    /// Somebody whose credential was checked. Each call gives a serial of its own; clones keep it.
    pub fn new(identity: Identity, reach: Reach, credential: CredentialKind, origin: Origin) -> Self {
        static SERIALS: AtomicU64 = AtomicU64::new(ANONYMOUS + 1);
        let serial = SERIALS.fetch_add(1, Ordering::Relaxed);
        Self { identity, reach: Arc::new(reach), credential, origin, serial }
    }

    /// A user who shows nothing that narrows: for programs that embed the registry, and for tests.
    pub fn user(name: AccountName) -> Self {
        Self::new(Identity::User(name), Reach::unlimited(), CredentialKind::None, Origin::none())
    }

    /// Who it is.
    pub fn identity(&self) -> &Identity {
        &self.identity
    }

    /// How far the credential reaches.
    pub fn reach(&self) -> &Reach {
        &self.reach
    }

    /// The same, to be kept.
    pub fn shared_reach(&self) -> Arc<Reach> {
        Arc::clone(&self.reach)
    }

    /// What was shown.
    pub const fn credential(&self) -> CredentialKind {
        self.credential
    }

    /// Where the request came from.
    pub const fn origin(&self) -> Origin {
        self.origin
    }

    /// The same for two callers only if identity and reach are the same, so that what was decided for one holds for
    /// the other. Not the other way round. Means nothing after a restart.
    pub const fn serial(&self) -> u64 {
        self.serial
    }

    /// The same caller in another request.
    #[must_use]
    pub const fn with_origin(mut self, origin: Origin) -> Self {
        self.origin = origin;
        self
    }

    /// The caller with what the short token was made with: what another short token could reach.
    #[must_use]
    pub fn without_claims(&self) -> Self {
        let reach = Reach::new(self.reach.scopes(), self.reach.patterns().to_vec());
        Self::new(self.identity.clone(), reach, self.credential, self.origin)
    }

    /// The caller as a short token with these claims knows it.
    #[must_use]
    pub fn with_claims(&self, claims: Vec<Access>) -> Self {
        let credential = CredentialKind::ShortToken { token: self.credential.token() };
        let reach = Reach::clone(&self.reach).narrowed_by_claims(claims);
        Self::new(self.identity.clone(), reach, credential, self.origin)
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failing test may panic")]
mod tests {
    use super::*;

    #[test]
    fn serials_tell_callers_apart_and_clones_keep_theirs() {
        let ada = Caller::user("ada".parse().unwrap());
        let origin = Origin { address: Some([127, 0, 0, 1].into()), request: Some(Uuid::nil()) };
        let again = ada.clone().with_origin(origin);
        assert_eq!((again.serial(), again.identity(), again.origin()), (ada.serial(), ada.identity(), origin));
        assert_ne!(ada.serial(), Caller::user("ada".parse().unwrap()).serial());
        assert_ne!(ada.serial(), ada.with_claims(vec![]).serial());
        assert_eq!(Caller::anonymous(origin).serial(), Caller::anonymous(Origin::none()).serial());
        assert_ne!(Caller::anonymous(origin).serial(), Caller::anonymous(origin).with_claims(vec![]).serial());
    }

    #[test]
    fn a_short_token_remembers_what_it_was_made_with() {
        let token = CredentialKind::Token(TokenId::new(7));
        let caller = Caller::new(Identity::Anonymous, Reach::unlimited(), token, Origin::none());
        let short = caller.with_claims(vec![]);
        assert_eq!(short.credential(), CredentialKind::ShortToken { token: Some(TokenId::new(7)) });
        assert_eq!([token, short.credential()].map(|c| c.to_string()), ["token 7", "short token of token 7"]);
    }
}
