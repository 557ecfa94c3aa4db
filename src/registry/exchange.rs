//! The exchange of a run's identity for a token of the publisher it fits, that lasts for minutes and reaches one
//! repository.

use std::time::Duration;

use jiff::Timestamp;

use super::exchange_error::ExchangeError;
use super::leave::By;
use super::service::after;
use super::{Error, Registry};
use crate::auth::{
    AccessToken, Asserted, Caller, CredentialKind, Identity, Origin, PublisherMismatch, PublisherRule, Rule, selectors,
};
use crate::index::publishers::{self, StoredPublisher};
use crate::index::{Session, audit};
use crate::oci::RepositoryName;

/// How long a publisher's token lives.
pub const PUBLISHER_TOKEN_LIFE: Duration = Duration::from_mins(15);

/// Most publishers that one identity is compared with, for each claim it can be found by.
const MAX_CANDIDATES: usize = 1_000;

/// Rows that nobody needs any more, of each kind, that an exchange takes away: more than it adds.
const FORGOTTEN_AT_ONCE: usize = 4;

/// A token made for a run.
#[derive(Debug)]
pub struct PublisherToken {
    /// The token itself.
    pub token: AccessToken,
    /// When it ends.
    pub expires_at: Timestamp,
    /// The one repository it reaches.
    pub repository: RepositoryName,
}

impl Registry {
    /// Exchanges what an issuer says of a run for a token of the publisher that it fits; `wanted` chooses among
    /// publishers of several repositories. Each identity is exchanged once.
    pub async fn exchange_run(
        &self,
        run: &Asserted,
        wanted: Option<&RepositoryName>,
        origin: Origin,
    ) -> Result<PublisherToken, Error> {
        self.has_accounts()?;
        let token = AccessToken::generate()?;
        let (hash, now) = (token.hash(), Timestamp::now());
        let expires_at = after(now, PUBLISHER_TOKEN_LIFE);
        let (identity, wanted) = (run.clone(), wanted.cloned());
        let write = self.index.write(move |session| {
            let publisher = choose(session, &identity, wanted.as_ref())?;
            use_once(session, &identity, now)?;
            publishers::forget_tokens(session, now, FORGOTTEN_AT_ONCE)?;
            let id = publishers::add_token(session, publisher.id, &hash, now, expires_at)?;
            publishers::touch(session, publisher.id, now)?;
            let actor = Identity::Publisher(publisher.id).to_string();
            let by = By { actor, credential: CredentialKind::Token(id), origin };
            let object = format!("{}: {} {}", publisher.repository, identity.issuer(), identity.subject());
            let rule = Rule::Publisher.to_string();
            audit::append(session, &by.entry("publisher.exchange", object, rule, audit::Outcome::Allowed, now))?;
            Ok::<_, Error>(publisher.repository)
        });
        let repository = write.await.inspect_err(|error| self.note_unexchanged(run, error, origin))?;
        Ok(PublisherToken { token, expires_at, repository })
    }

    /// Notes for the audit that an identity was exchanged for nothing, unless the registry itself failed.
    pub(super) fn note_unexchanged(&self, from: &Asserted, error: &Error, origin: Origin) {
        if let Error::Exchange(reason) = error {
            let object = format!("{} {}", from.issuer(), from.subject());
            self.denials.push(&Caller::anonymous(origin), "oidc.exchange", &object, &reason.to_string());
        }
    }
}

/// Takes note that an identity was used, and forgets some that nobody would accept any more.
pub(super) fn use_once(session: &mut dyn Session, from: &Asserted, now: Timestamp) -> Result<(), Error> {
    publishers::forget_used(session, now, FORGOTTEN_AT_ONCE)?;
    let is_first = publishers::use_once(session, from.fingerprint(), from.usable_until())?;
    if is_first { Ok(()) } else { Err(ExchangeError::Used.into()) }
}

/// The one publisher that a run fits.
fn choose(
    session: &mut dyn Session,
    run: &Asserted,
    wanted: Option<&RepositoryName>,
) -> Result<StoredPublisher, Error> {
    let (mut fitting, mut nearly) = (vec![], None::<PublisherMismatch>);
    for selector in selectors(run.claims()) {
        for candidate in publishers::candidates(session, run.issuer().as_str(), &selector, MAX_CANDIDATES)? {
            if wanted.is_some_and(|wanted| *wanted != candidate.repository) {
                continue;
            }
            let rule: PublisherRule = serde_json::from_slice(&candidate.rule).map_err(ExchangeError::Rule)?;
            match rule.check(run.issuer().as_str(), run.claims()) {
                // What it is for is said twice; they must agree.
                Ok(()) if *rule.repository() == candidate.repository => fitting.push(candidate),
                Ok(()) => {}
                Err(mismatch) => nearly = Some(mismatch),
            }
        }
    }
    let first = fitting.pop().ok_or(ExchangeError::NoPublisher(nearly))?;
    // Several publishers of one repository allow the same.
    let is_one = fitting.iter().all(|other| other.repository == first.repository);
    if is_one { Ok(first) } else { Err(ExchangeError::Ambiguous.into()) }
}
