//! Log lines: for people on a terminal, JSON for machines, always on stderr.

use std::io::{self, IsTerminal as _};

use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt;
use tracing_subscriber::util::SubscriberInitExt as _;

use super::json_lines::JsonLines;
use super::{ConfigError, LogFormat, Logs};

/// Starts logging for the whole process; where something logs already, that goes on instead.
pub fn start_logs(logs: &Logs) -> Result<(), ConfigError> {
    let problem = "is no filter such as `info` or `warn,agent_registry=debug`";
    let filter = EnvFilter::try_new(&logs.filter).map_err(|_| ConfigError::Value { key: "log.filter", problem })?;
    let is_json = match logs.format {
        LogFormat::Json => true,
        LogFormat::Human => false,
        LogFormat::Auto => !io::stderr().is_terminal(),
    };
    let builder = fmt().with_env_filter(filter).with_writer(io::stderr);
    // Fails where a program that embeds the registry logs in its own way, which is meant.
    let _ = if is_json {
        builder.event_format(JsonLines).finish().try_init()
    } else {
        builder.with_ansi(io::stderr().is_terminal()).with_target(false).finish().try_init()
    };
    Ok(())
}
