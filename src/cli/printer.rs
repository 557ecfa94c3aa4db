//! Where output goes: data to stdout, words for people to stderr. Colours vanish where nobody sees them (`NO_COLOR`, a
//! pipe); nothing depends on them.

use std::io::{self, Write as _};

use owo_colors::OwoColorize as _;
use serde::Serialize;

use super::error::Error;
use super::text::{safe_json, safe_lines};

/// What the HTTP library says between "no connection" and the system's reason; it tells people nothing.
const BETWEEN: [&str; 4] =
    ["error sending request", "client error (Connect)", "tcp connect error", "client error (SendRequest)"];

/// How data is printed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum Format {
    // For people.
    #[default]
    Table,
    // One JSON value.
    Json,
    // One JSON value a line.
    Jsonl,
}

/// Prints, as the flags ask.
#[derive(Clone, Copy, Debug)]
pub(super) struct Printer {
    pub format: Format,
    pub quiet: bool,
    pub verbose: bool,
}

impl Printer {
    /// A line of data.
    pub(super) fn data(line: &str) -> Result<(), Error> {
        writeln!(anstream::stdout().lock(), "{line}").map_err(Error::Output)
    }

    /// A JSON value; on one line as `jsonl`.
    pub(super) fn json(self, value: &impl Serialize) -> Result<(), Error> {
        let json = match self.format {
            Format::Jsonl => serde_json::to_string(value),
            Format::Table | Format::Json => serde_json::to_string_pretty(value),
        };
        let json = json.map_err(|error| Error::Output(io::Error::from(error)))?;
        Self::data(&safe_json(&json))
    }

    /// A JSON array, or each of its items on a line.
    pub(super) fn json_list<T: Serialize>(self, items: &[T]) -> Result<(), Error> {
        if self.format == Format::Jsonl {
            return items.iter().try_for_each(|item| self.json(item));
        }
        self.json(&items)
    }

    /// Something people may want to know.
    pub(super) fn note(self, text: &str) {
        if !self.quiet {
            Self::line(&safe_lines(text));
        }
    }

    /// Something that was done.
    pub(super) fn done(self, text: &str) {
        if !self.quiet {
            Self::line(&format!("{} {}", "✓".green(), safe_lines(text)));
        }
    }

    /// How something was decided, for those who ask with `--verbose`.
    pub(super) fn detail(self, text: &str) {
        if self.verbose && !self.quiet {
            Self::line(&format!("{}", safe_lines(text).dimmed()));
        }
    }

    /// Something probably not meant. It is told even under `--quiet`.
    pub(super) fn warn(text: &str) {
        Self::line(&format!("{} {}", "warning:".yellow().bold(), safe_lines(text)));
    }

    /// Why it failed: the error, its causes, and what to do.
    pub(super) fn error(error: &Error) {
        Self::line(&format!("{} {}", "error:".red().bold(), safe_lines(&error.to_string())));
        let mut shown = error.to_string();
        let mut cause = std::error::Error::source(error);
        while let Some(error) = cause {
            let text = error.to_string();
            // A message that already holds its cause says it once.
            if !shown.contains(&text) && !BETWEEN.contains(&text.as_str()) {
                Self::line(&format!("  {} {}", "caused by:".red(), indented(&safe_lines(&text))));
            }
            shown = text;
            cause = error.source();
        }
        if let Some(hint) = error.hint() {
            Self::line(&format!("{} {}", "hint:".cyan().bold(), safe_lines(&hint).replace('\n', "\n      ")));
        }
    }

    /// A line as it is, with its own styles.
    pub(super) fn line(styled: &str) {
        // Nobody reads stderr: nothing is left to tell it to.
        let _ = writeln!(anstream::stderr().lock(), "{styled}");
    }
}

/// Further lines stand below the first.
fn indented(text: &str) -> String {
    text.replace('\n', "\n    ")
}
