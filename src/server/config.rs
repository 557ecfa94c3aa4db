//! Configuration: one TOML file, overridden by what the command line and the environment say.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::{fs, io};

use serde::{Deserialize, Serialize};

use super::{Auth, ExternalUrl};
use crate::registry::MAX_UPLOADS_PER_IDENTITY;

/// Largest configuration file in bytes.
const MAX_CONFIG_FILE_BYTES: u64 = 1024 * 1024;

/// Where the server listens when nobody says.
const DEFAULT_LISTEN: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 5050);

/// Most origins that may read the REST API.
const MAX_CORS_ORIGINS: usize = 64;

/// What is logged when nobody says.
const DEFAULT_FILTER: &str = "info,actix_server=warn,actix_http::h1=off";

/// Why a configuration cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("cannot read the configuration file {}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// The file is no TOML, or has a key or value nobody knows; the source says where.
    #[error("the configuration file {} is wrong", path.display())]
    Parse {
        /// The file.
        path: PathBuf,
        /// What is wrong, with line and column.
        source: Box<toml::de::Error>,
    },
    /// A value that makes no sense.
    #[error("`{key}` {problem}")]
    Value {
        /// The key, as in the file.
        key: &'static str,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// It cannot be written as TOML.
    #[error("the configuration cannot be printed")]
    Print(#[from] toml::ser::Error),
}

/// Everything the server can be told. Every field has a default; an unknown key is an error.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Config {
    /// Address and port; port 0 takes a free one. Default `127.0.0.1:5050`.
    pub listen: SocketAddr,
    /// The data directory, created where needed. Default `agent-registry-data` in the working directory.
    pub data: PathBuf,
    /// Check nobody: everyone may do everything, so only on loopback addresses. Default false.
    pub insecure_no_auth: bool,
    /// Web pages whose scripts may read the REST API in a browser, such as `https://catalogue.example.com`: exact
    /// origins, at most 64. Default none.
    pub cors_origins: Vec<ExternalUrl>,
    /// Threads that serve requests; default as many as cores.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub workers: Option<usize>,
    /// TLS; without it the server speaks plain HTTP.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tls: Option<Tls>,
    /// How clients sign in.
    pub auth: Auth,
    /// What is logged, and how.
    pub log: Logs,
    /// Which manifests are taken.
    pub manifests: Manifests,
    /// Limits on callers.
    pub limits: Limits,
    /// The feed of events.
    pub events: Events,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            listen: DEFAULT_LISTEN,
            data: PathBuf::from("agent-registry-data"),
            insecure_no_auth: false,
            cors_origins: vec![],
            workers: None,
            tls: None,
            auth: Auth::default(),
            log: Logs::default(),
            manifests: Manifests::default(),
            limits: Limits::default(),
            events: Events::default(),
        }
    }
}

/// Certificate and key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Tls {
    /// PEM file with the certificate, followed by those that vouch for it.
    pub cert: PathBuf,
    /// PEM file with the key.
    pub key: PathBuf,
}

/// What is logged, and how.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Logs {
    /// `auto` (default): for people on a terminal, JSON otherwise.
    pub format: LogFormat,
    /// What to log, such as `warn` or `info,agent_registry=debug`. The default leaves out what callers' broken bytes
    /// make of the HTTP parser: everybody could fill the log with errors that are none of ours.
    pub filter: String,
}

impl Default for Logs {
    fn default() -> Self {
        Self { format: LogFormat::Auto, filter: DEFAULT_FILTER.to_owned() }
    }
}

/// The form of log lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LogFormat {
    /// For people on a terminal, JSON otherwise.
    Auto,
    /// For people.
    Human,
    /// One JSON object a line.
    Json,
}

/// Which manifests are taken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Manifests {
    /// What happens to a manifest whose layers are not in its repository: `refuse` (default) or `accept`.
    pub missing_layers: MissingLayers,
}

/// What happens to a manifest whose layers are not in its repository.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MissingLayers {
    /// It is refused.
    #[default]
    Refuse,
    /// It is stored; pulls of what lacks fail.
    Accept,
}

/// Limits on callers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Limits {
    /// Seconds a client has to send the head of a request, and to shake hands for TLS. Default 10.
    pub head_seconds: u64,
    /// Seconds a request body may pause before the request ends with 408, and on Linux a reader may take nothing of an
    /// answer before its connection is broken off. Default 60.
    pub body_idle_seconds: u64,
    /// Upload sessions one identity may have open without bytes, and as many with some. Default 10,000.
    pub uploads_per_identity: usize,
    /// Seconds running requests have to end when the server is told to stop. Default 30.
    pub drain_seconds: u64,
    /// Bytes the blob store may hold, uploads included; without it the disk is the limit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub store_bytes: Option<u64>,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            head_seconds: 10,
            body_idle_seconds: 60,
            uploads_per_identity: MAX_UPLOADS_PER_IDENTITY,
            drain_seconds: 30,
            store_bytes: None,
        }
    }
}

/// The feed of events.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Events {
    /// Days an event is kept; 0 is for ever. Default 90.
    pub keep_days: u32,
    /// Events that are kept, the newest; 0 is any number. Default 1,000,000, in about 150 MiB.
    pub keep_count: u64,
    /// Streams of events one identity may have open, or one address where nobody signs in. Default 32.
    pub streams_per_identity: usize,
    /// Streams of events that may be open in all. Default 1,000.
    pub streams: usize,
    /// Seconds of silence after which a stream says that it is still there. Default 15.
    pub heartbeat_seconds: u64,
}

impl Default for Events {
    fn default() -> Self {
        Self { keep_days: 90, keep_count: 1_000_000, streams_per_identity: 32, streams: 1_000, heartbeat_seconds: 15 }
    }
}

/// What command line and environment say instead of the file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Overrides {
    /// Instead of `listen`.
    pub listen: Option<SocketAddr>,
    /// Instead of `data`.
    pub data: Option<PathBuf>,
    /// Sets `insecure-no-auth`.
    pub insecure_no_auth: bool,
    /// Instead of `auth.external-url`.
    pub external_url: Option<ExternalUrl>,
    /// Instead of `auth.admin-token-file`.
    pub admin_token_file: Option<PathBuf>,
    /// Instead of `tls.cert`; needs a key beside it or in the file.
    pub tls_cert: Option<PathBuf>,
    /// Instead of `tls.key`.
    pub tls_key: Option<PathBuf>,
    /// Instead of `log.format`.
    pub log_format: Option<LogFormat>,
    /// Instead of `log.filter`.
    pub log_filter: Option<String>,
}

impl Config {
    /// Reads the file, if there is one, and applies what overrides it.
    pub fn load(file: Option<&Path>, overrides: Overrides) -> Result<Self, ConfigError> {
        let mut config = match file {
            Some(path) => Self::read(path)?,
            None => Self::default(),
        };
        config.listen = overrides.listen.unwrap_or(config.listen);
        config.data = overrides.data.unwrap_or(config.data);
        config.insecure_no_auth |= overrides.insecure_no_auth;
        config.auth.external_url = overrides.external_url.or(config.auth.external_url);
        config.auth.admin_token_file = overrides.admin_token_file.or(config.auth.admin_token_file);
        config.log.format = overrides.log_format.unwrap_or(config.log.format);
        config.log.filter = overrides.log_filter.unwrap_or(config.log.filter);
        let (cert, key) = config.tls.map_or((None, None), |tls| (Some(tls.cert), Some(tls.key)));
        config.tls = match (overrides.tls_cert.or(cert), overrides.tls_key.or(key)) {
            (Some(cert), Some(key)) => Some(Tls { cert, key }),
            (None, None) => None,
            (Some(_), None) => {
                return Err(ConfigError::Value { key: "tls.key", problem: "is needed beside `tls.cert`" });
            }
            (None, Some(_)) => {
                return Err(ConfigError::Value { key: "tls.cert", problem: "is needed beside `tls.key`" });
            }
        };
        config.check()?;
        Ok(config)
    }

    /// The whole configuration as a file would say it.
    pub fn to_toml(&self) -> Result<String, ConfigError> {
        Ok(toml::to_string_pretty(self)?)
    }

    fn read(path: &Path) -> Result<Self, ConfigError> {
        let failed = |source| ConfigError::Read { path: path.to_owned(), source };
        if fs::metadata(path).map_err(failed)?.len() > MAX_CONFIG_FILE_BYTES {
            return Err(failed(io::Error::other(format!("larger than {MAX_CONFIG_FILE_BYTES} bytes"))));
        }
        let text = fs::read_to_string(path).map_err(failed)?;
        toml::from_str(&text).map_err(|source| ConfigError::Parse { path: path.to_owned(), source: Box::new(source) })
    }

    fn check(&self) -> Result<(), ConfigError> {
        let zero = "must be at least 1";
        if self.workers == Some(0) {
            return Err(ConfigError::Value { key: "workers", problem: zero });
        }
        if self.cors_origins.len() > MAX_CORS_ORIGINS {
            return Err(ConfigError::Value { key: "cors-origins", problem: "has more than 64 origins" });
        }
        let counted = [
            ("limits.head-seconds", self.limits.head_seconds == 0),
            ("limits.body-idle-seconds", self.limits.body_idle_seconds == 0),
            ("limits.uploads-per-identity", self.limits.uploads_per_identity == 0),
            ("events.heartbeat-seconds", self.events.heartbeat_seconds == 0),
        ];
        if let Some((key, _)) = counted.into_iter().find(|(_, is_zero)| *is_zero) {
            return Err(ConfigError::Value { key, problem: zero });
        }
        self.auth.check().map_err(|(key, problem)| ConfigError::Value { key, problem })?;
        if self.data.as_os_str().is_empty() {
            return Err(ConfigError::Value { key: "data", problem: "must not be empty" });
        }
        Ok(())
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failing test may panic")]
mod tests {
    use super::*;

    fn file(text: &str) -> tempfile::NamedTempFile {
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(file.path(), text).unwrap();
        file
    }

    #[test]
    fn what_is_printed_reads_back() {
        let text =
            "listen = \"0.0.0.0:80\"\nworkers = 2\n[tls]\ncert = \"a\"\nkey = \"b\"\n[limits]\nstore-bytes = 9\n";
        let config = Config::load(Some(file(text).path()), Overrides::default()).unwrap();
        assert_eq!((config.workers, config.limits.store_bytes), (Some(2), Some(9)));
        for config in [config, Config::default()] {
            let printed = file(&config.to_toml().unwrap());
            assert_eq!(Config::load(Some(printed.path()), Overrides::default()).unwrap(), config);
        }
    }

    #[test]
    fn flags_win_over_the_file() {
        let file = file("listen = \"127.0.0.1:1\"\ndata = \"/a\"\n[log]\nfilter = \"warn\"\n");
        let overrides =
            Overrides { listen: Some("127.0.0.1:2".parse().unwrap()), insecure_no_auth: true, ..Overrides::default() };
        let config = Config::load(Some(file.path()), overrides).unwrap();
        assert_eq!((config.listen.port(), config.insecure_no_auth), (2, true));
        assert_eq!((config.data.as_path(), config.log.filter.as_str()), (Path::new("/a"), "warn"));
    }

    #[test]
    fn mistakes_are_told_with_their_place() {
        let cases = [
            ("listne = \"127.0.0.1:1\"\n", "unknown field `listne`"),
            ("workers = 0\n", "`workers` must be at least 1"),
            ("[log]\nformat = \"xml\"\n", "unknown variant `xml`"),
            ("data = \"\"\n", "`data` must not be empty"),
            ("cors-origins = [\"*\"]\n", "the address must be `http://host[:port]`"),
            ("cors-origins = [\"https://a.example.com/page\"]\n", "the address must be `http://host[:port]`"),
        ];
        for (text, expected) in cases {
            let error = Config::load(Some(file(text).path()), Overrides::default()).unwrap_err();
            let cause = std::error::Error::source(&error).map(ToString::to_string).unwrap_or_default();
            assert!(format!("{error}: {cause}").contains(expected), "{error}: {cause}");
        }
        let half = Overrides { tls_cert: Some("a".into()), ..Overrides::default() };
        assert!(Config::load(None, half).unwrap_err().to_string().contains("tls.key"));
        let missing = Config::load(Some(Path::new("/nowhere/x.toml")), Overrides::default()).unwrap_err();
        assert!(missing.to_string().contains("/nowhere/x.toml"));
    }
}
