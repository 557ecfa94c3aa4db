//! The domain service: one method a use case. No HTTP and no SQL; every method on a repository takes a permit.

#[cfg(test)]
mod access_tests;
mod acting;
mod audit;
mod authorise;
mod backup;
mod blobs;
mod catalogue;
mod credentials;
mod denials;
mod downloads;
mod error;
mod events;
#[cfg(test)]
mod events_tests;
mod exchange;
mod exchange_error;
mod feed_search;
mod first_start;
#[cfg(test)]
mod fixture;
mod grants;
mod identities;
mod journal;
mod last_used;
mod leave;
mod lists;
mod manifests;
mod no_version;
mod notices;
mod organisations;
mod orphans;
mod package_check;
mod package_record;
mod people;
#[cfg(test)]
mod people_tests;
mod publishers;
mod pulls;
mod ratings;
mod readme;
mod rebuild;
mod record;
mod refusal;
mod relist;
#[cfg(test)]
mod relist_tests;
mod resolve;
mod rules;
mod search;
mod search_place;
#[cfg(test)]
mod search_tests;
#[cfg(test)]
mod secrecy_tests;
mod service;
mod serving;
mod sessions;
mod sign_in;
#[cfg(test)]
mod sign_in_tests;
mod signing_keys;
mod teams;
#[cfg(test)]
mod tests;
mod tokens;
mod upload;
mod uploads;
mod viewers;
mod visibility;

pub use authorise::Mode;
pub use backup::{BackedUp, put_in_place, restore};
pub use blobs::{Blob, Content};
pub use credentials::{Purpose, Rejected, Shown};
pub use downloads::KEPT_DAYS;
pub use error::Error;
pub use events::{Retention, Start};
pub use exchange::{PUBLISHER_TOKEN_LIFE, PublisherToken};
pub use exchange_error::ExchangeError;
pub use identities::{SIGN_IN_TOKEN_LIFE, SignInRule, SignedIn};
pub use lists::{DEFAULT_LIST_LENGTH, Listed};
pub use manifests::{NewManifest, Pushed};
pub use no_version::{Missing, NoVersion};
pub use notices::Told;
pub use organisations::Organisation;
pub use package_check::MAX_INLINE_CHECK_BYTES;
pub use people::{NewUser, Removed, Standing};
pub use publishers::{MAX_PUBLISHERS, NewPublisher};
pub use rebuild::{Loss, Lost, Rebuilt};
pub use record::RecordError;
pub use refusal::{Refusal, RefusalKind};
pub use relist::{MAX_NAMED, Relisted};
pub use resolve::Wanted;
pub use search::SearchRequest;
pub use service::{LEASE, MAX_SHORT_TOKEN_LIFE, Registry, UPLOAD_LIFETIME};
pub use sessions::{MAX_EMPTY_UPLOADS, MAX_UPLOADS_PER_IDENTITY};
pub use sign_in::{Issued, REFRESH_TOKEN_LIFE};
pub use teams::CountedTeam;
pub use tokens::{
    Lifetime, MAX_TOKEN_LIFETIME, MAX_TOKEN_NAME_LENGTH, MAX_TOKEN_OVERLAP, MAX_TOKENS_PER_ACCOUNT, NewToken,
    TOKEN_LIFETIME,
};
pub use upload::Upload;
pub use visibility::Creation;
