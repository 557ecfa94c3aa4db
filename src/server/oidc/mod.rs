//! Issuers of identity tokens: what they say of themselves and the keys they sign with, fetched with care.
//!
//! The addresses come from the configuration and from documents out there, so nothing of this machine's own network
//! may be reached through them, and no answer is trusted to be small, quick or honest.

mod address;
mod elsewhere;
mod fetch;
mod issuer;
mod issuers;
mod settings;

pub(super) use elsewhere::Elsewhere;
pub use fetch::FetchError;
use issuer::Refresh;
use issuers::Issuers;
pub use issuers::OidcError;
pub use settings::Issuer as IssuerSettings;

#[cfg(test)]
mod issuer_tests;
