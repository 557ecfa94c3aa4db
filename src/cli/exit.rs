//! The exit codes, which scripts may lean on. Beyond the usual three they are those of `sysexits.h`.

use std::process::ExitCode;

/// How the command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExitStatus {
    /// All went well, or the reader of the output left.
    Success = 0,
    /// It did not work, for a reason that has no code of its own.
    Failure = 1,
    /// The command line is wrong: an unknown flag, a name that is none, a filter that cannot be read.
    Usage = 2,
    /// The data is wrong: an invalid `agent.yaml`, a digest that differs, an archive that is refused.
    Data = 65,
    /// No source where one was looked for.
    NoInput = 66,
    /// The registry cannot be reached, or is no registry, or cannot answer now.
    Unavailable = 69,
    /// This program does not do that.
    OutOfScope = 70,
    /// Reading or writing on this machine failed.
    Io = 74,
    /// The registry refuses these credentials.
    Denied = 77,
    /// The settings file is wrong.
    Config = 78,
    /// The registry or the store does not have it.
    NotFound = 79,
    /// Something is in the way that only `--force` replaces: edited files, another content behind a version.
    Conflict = 80,
    /// A signal ended it before it was done.
    Interrupted = 130,
}

impl From<ExitStatus> for ExitCode {
    fn from(status: ExitStatus) -> Self {
        // Every code fits a byte.
        Self::from(status as u8)
    }
}
