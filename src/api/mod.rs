//! The words of our own API: what it answers with, and the query that filters packages, the same for both ends.

mod catalogue;
mod events;
mod expiry;
mod matching;
mod package;
mod parse;
mod parse_value;
mod pattern;
mod people;
mod permissions;
mod query;
mod records;
mod secret;
mod sign_in;
#[cfg(feature = "server")]
pub(crate) mod texts;
mod tokens;
mod words;

pub use catalogue::{
    DayDownloads, Downloads, Event, FacetCount, Facets, MAX_FACET_VALUES, MAX_MESSAGE_LENGTH, MAX_STARS, NewNotice,
    NewRating, Notice, Rating, Resolved, SearchPage, Standing, UserRating, VersionState,
};
pub use events::{EventPage, LATEST};
pub use expiry::{DEFAULT_TOKEN_DAYS, Expiry, ExpiryError, MAX_TOKEN_DAYS};
pub use package::{
    MAX_FILES_SHOWN, MAX_MOVES_SHOWN, MAX_REFERRERS_SHOWN, Package, PackageFile, PackageLayer, PackageReferrer, RunsOn,
    TagMove,
};
pub use parse::{MAX_QUERY_LENGTH, MAX_QUERY_TERMS, QueryError};
pub use pattern::Pattern;
pub use people::{
    AdministratorChange, CallerCredential, MAX_PASSWORD_LENGTH, MIN_PASSWORD_LENGTH, Me, Member, MemberChange,
    Membership, NewOrganisation, NewPassword, NewTeam, NewUser, Organisation, OrganisationChange, Removed, Team,
    TeamChange, TeamMember, User,
};
pub use permissions::{
    AuditEntry, Explanation, Grantee, MAX_TAG_RULES, NewPermission, Permission, RepositorySettings, TagRule, TagRules,
    TriedRule,
};
pub use query::{Comparison, Condition, Field, Period, QUERY_GRAMMAR, Query, Relation, Term};
pub use records::{
    Backup, BackupContent, BackupState, DEFAULT_PAGE_LENGTH, Hit, MAX_PAGE_LENGTH, NewBackup, Page, RegistryInfo,
    Repository,
};
pub use secret::Secret;
pub use sign_in::{MAX_USER_IDENTITIES, NewUserIdentity, SignInIssuer, UserIdentity, sign_in_nonce};
pub use tokens::{
    ACCESS_TOKEN_PREFIX, DEFAULT_OVERLAP_SECONDS, ExchangedToken, IdentityToken, Login, MAX_IDENTITY_TOKEN_LENGTH,
    MAX_OVERLAP_SECONDS, MAX_PATTERN_LENGTH, MAX_PUBLISHER_CLAIMS, MAX_TOKEN_NAME_LENGTH, MAX_TOKEN_PATTERNS,
    NewPublisher, NewToken, Publisher, SigningKey, Token, TokenRequest, TokenRotation,
};
pub use words::{
    CallerKind, CredentialKind, Level, Outcome, RepositoryAction, Role, Scope, SignedIs, Sort, TagRuleKind, TokenKind,
    Visibility, WordError,
};
