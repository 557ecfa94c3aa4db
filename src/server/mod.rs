//! Transports over the registry: the distribution API, the REST API, configuration and logs.

mod attempts;
mod auth_config;
mod backups;
mod config;
mod connection;
mod data_dir;
mod error;
mod first_token;
mod http;
mod json_lines;
mod listen;
mod logs;
mod oidc;
mod pace;
mod recovery;
mod service;
mod tls;

pub use auth_config::{Auth, ExternalUrl, ExternalUrlError};
pub use config::{Config, ConfigError, Events, Limits, LogFormat, Logs, Manifests, MissingLayers, Overrides, Tls};
pub use data_dir::{DataDir, FORMAT};
pub use error::Error;
pub use first_token::FirstToken;
pub use http::openapi;
pub use logs::start_logs;
pub use oidc::{FetchError, IssuerSettings, OidcError};
pub use recovery::{reindex, restore};
pub use service::Server;

pub use crate::registry::{BackedUp, Rebuilt};
