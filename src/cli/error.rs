//! Why a verb failed: the message, the exit code, and what to do about it.

use std::io;
use std::path::{Path, PathBuf};

use super::exit::ExitStatus;
use super::text::counted;
use crate::api::QueryError;
use crate::client;
use crate::oci::ReferenceError;
use crate::package::{InstallError, PackError, SourceError, VersionError, VersionRangeError};
use crate::remote::{self, Endpoint, EndpointError, ErrorKind};

/// Why a verb failed.
#[derive(Debug, thiserror::Error)]
pub(super) enum Error {
    /// Writing to stdout failed.
    #[error("cannot write the output")]
    Output(#[source] io::Error),
    /// The file system refused.
    #[error("cannot {what} {}", path.display())]
    Io {
        /// A verb such as `read`.
        what: &'static str,
        path: PathBuf,
        source: io::Error,
    },
    /// The runtime for network work could not be started.
    #[error("cannot start the runtime")]
    Runtime(#[source] io::Error),
    /// A signal came.
    #[error("interrupted")]
    Interrupted,
    /// No home directory.
    #[error("this user has no home directory")]
    NoHome,
    /// The settings file is no JSON of the expected shape.
    #[error("the settings file {} cannot be read", path.display())]
    Settings { path: PathBuf, source: serde_json::Error },
    /// A profile nobody wrote.
    #[error("no profile `{name}` in {}", path.display())]
    UnknownProfile { name: String, path: PathBuf, known: Vec<String> },
    /// A name for a profile that cannot be typed easily.
    #[error("`{0}` cannot name a profile: 1 to 64 characters without spaces")]
    ProfileName(String),
    /// No profile where one is needed.
    #[error("there is no profile{}", endpoint.as_ref().map(|endpoint| format!(" for {endpoint}")).unwrap_or_default())]
    NoProfile { endpoint: Option<Box<Endpoint>> },
    /// An older settings file that cannot be read; its lines may hold secrets, so only the place is told.
    #[error("{} cannot be read: line {line}, column {column}", path.display())]
    Import { path: PathBuf, line: u64, column: u64 },
    /// A flag that was left out.
    #[error("{what} is missing")]
    Missing { what: &'static str, flag: &'static str },
    /// Nobody to ask for a secret.
    #[error("a secret is needed, and there is no terminal to ask for it")]
    NoTerminal,
    /// The terminal could not be read or written.
    #[error("the terminal cannot be used")]
    Terminal(#[source] io::Error),
    /// Stdin could not be read.
    #[error("stdin cannot be read")]
    Stdin(#[source] io::Error),
    /// Nothing was entered.
    #[error("the secret is empty")]
    EmptySecret,
    /// Typed twice, and not the same.
    #[error("the two entries differ")]
    SecretsDiffer,
    /// No program to keep a credential.
    #[error("docker's config.json names no credential helper for {0}")]
    NoHelper(Box<Endpoint>),
    /// Nobody is signed in.
    #[error("nobody is signed in to {0}")]
    Anonymous(Box<Endpoint>),
    /// A name that is no reference.
    #[error("`{text}` is no name of a package")]
    Reference { text: String, source: ReferenceError },
    /// What follows the `@` is neither digest nor range.
    #[error("`{text}` is neither a digest nor a version range")]
    Range { text: String, source: Box<VersionRangeError> },
    /// A reference without what the verb needs, or with what it cannot use.
    #[error("`{text}` {problem}")]
    WrongReference { text: String, problem: &'static str, hint: &'static str },
    /// A query, with a mark where it is wrong.
    #[error("the query cannot be read{shown}")]
    Query { shown: String, source: QueryError },
    /// A value that cannot be quoted.
    #[error("a value for `{field}` cannot hold a quotation mark")]
    Quoted { field: String },
    /// A name `init` cannot use.
    #[error("`{name}` cannot name a package: lowercase letters and digits, joined by `.`, `_`, `__` or `-`")]
    Name { name: String, suggestion: Option<String> },
    /// A model that is not `provider/name`.
    #[error("`{0}` is no model: write `provider/name`, such as `openai/gpt-4`")]
    Model(String),
    /// Something is there already.
    #[error("{0} is there already and not empty")]
    Occupied(String),
    /// Documents with errors, which were printed.
    #[error("{what} {}: {}", if *errors == 0 { "is not valid" } else { "cannot be used" }, counted(*errors, "error"))]
    Invalid { what: String, errors: usize },
    /// No package where it was looked for.
    #[error("no source for `{name}`{}", lines(looked))]
    NoSource { name: String, looked: Vec<String> },
    /// A package that cannot be opened.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// A package that cannot be packed.
    #[error(transparent)]
    Pack(#[from] PackError),
    /// A version that is none.
    #[error(transparent)]
    Version(#[from] VersionError),
    /// The tag says one version, the package another.
    #[error("the tag says version {tag}, {document} says {inside}")]
    VersionDiffers { tag: String, document: String, inside: String },
    /// A package from the store, which no flag can change.
    #[error("`{0}` cannot be used with a package from the local store: it is pushed as it was built")]
    Stored(&'static str),
    /// A registry's address that is none.
    #[error(transparent)]
    Endpoint(#[from] EndpointError),
    /// A registry that cannot be reached, or not be used now.
    #[error("the registry {endpoint} cannot be used now")]
    Unavailable { endpoint: Box<Endpoint>, source: remote::Error },
    /// A registry whose answer is nothing this program can go on with.
    #[error("the answer of the registry {endpoint} cannot be used")]
    Unusable { endpoint: Box<Endpoint>, source: remote::Error },
    /// A registry, before anything was asked of it.
    #[error(transparent)]
    Remote(#[from] remote::Error),
    /// A push, a pull, the store or the cache.
    #[error(transparent)]
    Client(#[from] client::Error),
    /// Not in the registry or the store.
    #[error("`{what}` is not in {place}")]
    NotFound { what: String, place: String },
    /// A registry that cannot list what it has.
    #[error("the registry {0} has no catalogue of agents")]
    NoCatalogue(Box<Endpoint>),
    /// A registry that tells nobody what happens in it.
    #[error("the registry {0} has no feed of events, so there is nothing to watch")]
    NoEvents(Box<Endpoint>),
    /// A registry whose people this program cannot manage.
    #[error("{0} is no registry of this program, so its users, tokens and permissions are managed elsewhere")]
    NoPeople(Box<Endpoint>),
    /// A registry that knows nothing of yanks, deprecations and ratings.
    #[error("{0} is no registry of this program: it does not keep what is yanked, deprecated or rated")]
    NoNotices(Box<Endpoint>),
    /// A registry at which nobody has a name.
    #[error("{0} asks nobody to sign in, so nobody can rate there")]
    NobodySignsIn(String),
    /// A registry that deletes nothing, or only by digest.
    #[error("the registry {endpoint} does not allow deletion")]
    NoDeletion {
        endpoint: Box<Endpoint>,
        /// The same by digest, where a tag was named.
        by_digest: Option<String>,
        source: remote::Error,
    },
    /// A registry that wants identities made for another name than it is reached by.
    #[error("the registry {endpoint} calls itself `{audience}`, and an identity for that name could be used there")]
    OtherName { endpoint: Box<Endpoint>, audience: String },
    /// A registry without any issuer that people can sign in at.
    #[error("{0} trusts no issuer that people can sign in at")]
    NoSignIn(Box<Endpoint>),
    /// Several issuers, or none of the name.
    #[error("it is not clear where to sign in")]
    IssuerUnclear { known: Vec<String> },
    /// A registry that cannot be told who may see a repository.
    #[error("{0} cannot be told who may see a package, so nothing was pushed")]
    NoVisibility(Box<Endpoint>),
    /// A time that is none.
    #[error("`{0}` is no time: write seconds since 1970 or 2026-01-31T12:00:00Z")]
    Time(String),
    /// A flag whose promise cannot be kept.
    #[error("`{0}` is not available yet, and nothing was done")]
    NotYet(&'static str),
    /// A verb of another tool.
    #[error("`agent {verb}` is not part of this program: {instead}")]
    OutOfScope { verb: &'static str, instead: &'static str },
    /// A command of the quickstart that the parser refuses.
    #[error("the command cannot be read")]
    #[cfg_attr(not(feature = "server"), expect(dead_code, reason = "only where there is a registry"))]
    CommandLine(#[source] clap::Error),
    /// What was pulled is not what was pushed.
    #[error("the pulled package differs from its source: {}", .0.join(", "))]
    #[cfg_attr(not(feature = "server"), expect(dead_code, reason = "only where there is a registry"))]
    NotIdentical(Vec<String>),
    /// The registry gave a backup up.
    #[error("the backup failed: {0}")]
    #[cfg_attr(not(feature = "server"), expect(dead_code, reason = "only where there is a registry"))]
    Backup(String),
    /// All but this is there.
    #[error("{} could not be found again; everything else is there", counted(*.0, "thing"))]
    #[cfg_attr(not(feature = "server"), expect(dead_code, reason = "only where there is a registry"))]
    Lost(usize),
    /// The registry does not start, or stops.
    #[error("{source}")]
    #[cfg_attr(not(feature = "server"), expect(dead_code, reason = "only where there is a registry"))]
    Server { hint: Option<String>, status: ExitStatus, source: Box<dyn std::error::Error + Send + Sync> },
    /// Built without the registry.
    #[error("this build of `agent` has no registry: it was made without the feature `server`")]
    #[cfg_attr(feature = "server", expect(dead_code, reason = "said only by a build without the registry"))]
    NoServer,
}

impl Error {
    /// The file system refused to do `what` with `path`.
    pub(super) fn io(what: &'static str, path: &Path, source: io::Error) -> Self {
        Self::Io { what, path: path.to_owned(), source }
    }

    /// What the client met while it spoke to a registry.
    pub(super) fn of_client(error: client::Error, endpoint: &Endpoint) -> Self {
        match error {
            client::Error::Remote(source) if source.kind() == ErrorKind::Unavailable => {
                Self::Unavailable { endpoint: Box::new(endpoint.clone()), source }
            }
            // The others of this kind say themselves whose answer it was.
            client::Error::Remote(source)
                if source.kind() == ErrorKind::Protocol
                    && !matches!(source, remote::Error::NotARegistry { .. } | remote::Error::Foreign { .. }) =>
            {
                Self::Unusable { endpoint: Box::new(endpoint.clone()), source }
            }
            other => Self::Client(other),
        }
    }

    /// The exit code.
    pub(super) fn status(&self) -> ExitStatus {
        match self {
            // `agent images | head` is no failure.
            Self::Output(error) if error.kind() == io::ErrorKind::BrokenPipe => ExitStatus::Success,
            Self::Output(_) | Self::Io { .. } | Self::Runtime(_) | Self::Terminal(_) | Self::Stdin(_) => ExitStatus::Io,
            Self::OtherName { .. }
            | Self::NoHome
            | Self::Settings { .. }
            | Self::UnknownProfile { .. }
            | Self::NoProfile { .. }
            | Self::Import { .. }
            | Self::NoHelper(_) => ExitStatus::Config,
            Self::Anonymous(_) => ExitStatus::Denied,
            Self::Reference { .. }
            | Self::Range { .. }
            | Self::WrongReference { .. }
            | Self::Query { .. }
            | Self::Quoted { .. }
            | Self::ProfileName(_)
            | Self::Missing { .. }
            | Self::NoTerminal
            | Self::EmptySecret
            | Self::SecretsDiffer
            | Self::Name { .. }
            | Self::Model(_)
            | Self::Time(_)
            | Self::Version(_)
            | Self::VersionDiffers { .. }
            | Self::Endpoint(_)
            | Self::NoCatalogue(_)
            | Self::NoEvents(_)
            | Self::NoPeople(_)
            | Self::NoNotices(_)
            | Self::NobodySignsIn(_)
            | Self::NoSignIn(_)
            | Self::IssuerUnclear { .. }
            | Self::NoVisibility(_)
            | Self::Stored(_) => ExitStatus::Usage,
            Self::Occupied(_) => ExitStatus::Conflict,
            Self::Unavailable { .. } => ExitStatus::Unavailable,
            Self::Remote(error) => of_remote(error),
            Self::Client(error) => of_client(error),
            Self::NotFound { .. } => ExitStatus::NotFound,
            Self::NoSource { .. } | Self::Source(SourceError::NotFound(_)) => ExitStatus::NoInput,
            Self::Source(SourceError::Io { source, .. }) if source.kind() == io::ErrorKind::NotFound => {
                ExitStatus::NoInput
            }
            Self::Source(_) | Self::Pack(_) if client::system_error(self).is_some() => ExitStatus::Io,
            Self::CommandLine(_) | Self::Backup(_) | Self::NoDeletion { .. } => ExitStatus::Failure,
            Self::Interrupted => ExitStatus::Interrupted,
            Self::Lost(_)
            | Self::Unusable { .. }
            | Self::Invalid { .. }
            | Self::NotIdentical(_)
            | Self::Source(_)
            | Self::Pack(_) => ExitStatus::Data,
            Self::Server { status, .. } => *status,
            Self::NotYet(_) | Self::OutOfScope { .. } | Self::NoServer => ExitStatus::OutOfScope,
        }
    }

    /// What to do about it.
    pub(super) fn hint(&self) -> Option<String> {
        Some(match self {
            Self::NoHome => "name a folder with the variable AGENT_HOME".to_owned(),
            Self::UnknownProfile { known, .. } if known.is_empty() => "there are no profiles".to_owned(),
            Self::UnknownProfile { known, .. } => format!("known profiles: {}", known.join(", ")),
            Self::NoProfile { .. } => "add one with `agent configure profile add NAME --registry URL`".to_owned(),
            Self::Missing { flag, .. } => format!("add `{flag}`"),
            Self::NoTerminal => "give it on stdin, with `--password-stdin` or `--token-stdin`".to_owned(),
            Self::NoHelper(_) => "name one there as `credsStore`, or use `--store docker`".to_owned(),
            Self::Anonymous(endpoint) => format!("sign in with `agent login {}`", endpoint.host()),
            Self::Reference { .. } => {
                "write `name`, `name:tag`, `namespace/name:tag` or `host/namespace/name:tag`".to_owned()
            }
            Self::Range { .. } => {
                "write `name@^1.2`, `name@~1`, `name@>=1,<2` or `name@sha256:…`; a tag stands behind a colon".to_owned()
            }
            Self::WrongReference { hint, .. } => (*hint).to_owned(),
            Self::Query { .. } => {
                "write words, `author:ai-team`, `capability:chat`, `tag:x`, `version:^1.2`, `since:7d`; \
                 `agent search --help` tells the rest"
                    .to_owned()
            }
            Self::Name { suggestion: Some(slug), .. } => format!("did you mean `{slug}`?"),
            Self::Occupied(_) => "choose another name, or another folder with `--directory`".to_owned(),
            Self::NoSource { .. } => "name a source with `--path`, or make one with `agent init`".to_owned(),
            Self::VersionDiffers { tag, .. } => {
                format!("push the tag the package says, or push it as {tag} with `--set-version`")
            }
            Self::Endpoint(error) => return error.hint(),
            Self::Unavailable { endpoint, source } => return unavailable(endpoint, source),
            Self::Unusable { endpoint, source } => {
                source.hint().unwrap_or_else(|| format!("check the address: a registry answers at {endpoint}/v2/"))
            }
            Self::Remote(error) => return error.hint().or_else(|| self.system_hint()),
            Self::Client(error) => return error.hint(),
            Self::Source(SourceError::Tree(error)) | Self::Pack(PackError::Tree(error)) if error.hint().is_some() => {
                return error.hint().map(str::to_owned);
            }
            Self::Pack(PackError::Changed(_)) => "push again when nothing writes to the folder".to_owned(),
            Self::NotFound { .. } => "`agent images` lists what there is".to_owned(),
            Self::NoCatalogue(endpoint) => {
                format!("name a repository: `agent images {}/NAMESPACE/NAME`", endpoint.host())
            }
            Self::NoNotices(_) => "`agent delete` works there, if the registry allows it; else name another registry \
                                   with `--registry URL` or `--profile NAME`"
                .to_owned(),
            Self::NobodySignsIn(_) => "ratings belong to users: name a registry that has them".to_owned(),
            Self::NoDeletion { by_digest: Some(name), .. } => {
                format!("it may be switched off there, or work by digest only: `agent delete {name}`")
            }
            Self::NoDeletion { .. } => "it may be switched off there; ask who runs the registry".to_owned(),
            Self::NoEvents(_) | Self::NoPeople(_) => {
                "name another registry with `--registry URL` or `--profile NAME`".to_owned()
            }
            Self::OtherName { audience, .. } => {
                format!("reach it by that name, with `--registry {audience}`, if it is that registry")
            }
            Self::NoSignIn(_) => "sign in with a password or a token, without `--oidc`".to_owned(),
            Self::IssuerUnclear { known } if known.is_empty() => {
                "this registry names no issuer; sign in with a password or a token".to_owned()
            }
            Self::IssuerUnclear { known } => format!("name one with `--oidc=NAME`: {}", known.join(", ")),
            Self::NoVisibility(_) => {
                "push without `--visibility`, and set it where that registry is managed".to_owned()
            }
            Self::Server { hint, .. } => return hint.clone(),
            Self::NoServer => "install it with its default features".to_owned(),
            _ => return self.system_hint(),
        })
    }

    fn system_hint(&self) -> Option<String> {
        client::system_error(self).and_then(client::system_hint).map(str::to_owned)
    }
}

fn lines(looked: &[String]) -> String {
    looked.iter().fold(String::new(), |text, place| text + "\n  looked in " + place)
}

fn unavailable(endpoint: &Endpoint, source: &remote::Error) -> Option<String> {
    let is_refused = client::system_error(source).is_some_and(|error| error.kind() == io::ErrorKind::ConnectionRefused);
    let is_absent = is_refused && endpoint.host().is_loopback();
    let start = "start a registry with `agent registry serve`, or choose another with `--registry URL` or \
                 AGENT_REGISTRY_URL";
    if is_absent { Some(start.to_owned()) } else { source.hint() }
}

fn of_remote(error: &remote::Error) -> ExitStatus {
    match error.kind() {
        ErrorKind::NotFound => ExitStatus::NotFound,
        ErrorKind::Denied => ExitStatus::Denied,
        ErrorKind::Unavailable => ExitStatus::Unavailable,
        ErrorKind::Refused if is_conflict(error) => ExitStatus::Conflict,
        ErrorKind::Refused => ExitStatus::Failure,
        ErrorKind::Protocol => ExitStatus::Data,
        ErrorKind::Io => ExitStatus::Io,
    }
}

/// A name that is taken, or an owner that cannot go: what the registry's own API answers 409 to.
fn is_conflict(error: &remote::Error) -> bool {
    matches!(error, remote::Error::Refused(refusal) if refusal.status == 409 && refusal.is_about_own_api())
}

fn of_client(error: &client::Error) -> ExitStatus {
    use client::Error as Client;
    match error {
        Client::Remote(error) => of_remote(error),
        Client::Io { .. } | Client::Install(InstallError::Io { .. }) => ExitStatus::Io,
        Client::NotStored(_)
        | Client::NotFound { .. }
        | Client::NoDefault { .. }
        | Client::NoMatch { .. }
        | Client::Unresolved { .. } => ExitStatus::NotFound,
        Client::Ambiguous { .. } | Client::VersionDiffers { .. } | Client::NameDiffers { .. } => ExitStatus::Usage,
        Client::Edited { .. } | Client::Occupied(_) | Client::TagTaken { .. } | Client::ReadBack { .. } => {
            ExitStatus::Conflict
        }
        Client::Unreadable { .. } => ExitStatus::Conflict,
        Client::Truncated { .. } => ExitStatus::Unavailable,
        other if client::system_error(other).is_some() => ExitStatus::Io,
        _ => ExitStatus::Data,
    }
}
