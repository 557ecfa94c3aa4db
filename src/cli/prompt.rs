//! Secrets from people: asked for on the terminal without showing them, or read from stdin. Never from the command line,
//! which every user of the machine can read.

use std::io::{self, Read as _};

use super::error::Error;

/// Longest secret or line in bytes: far more than any token.
const MAX_SECRET_BYTES: u64 = 64 * 1024;

/// Asks for a line on the terminal and shows what is typed.
pub(super) async fn line(label: &str) -> Result<String, Error> {
    terminal::ask(label, false).await
}

/// Asks for a secret on the terminal; what is typed is not shown.
pub(super) async fn secret(label: &str) -> Result<String, Error> {
    filled(terminal::ask(label, true).await?)
}

/// Asks for a new secret, twice.
pub(super) async fn new_secret(label: &str) -> Result<String, Error> {
    let first = secret(&format!("{label}: ")).await?;
    let second = secret(&format!("{label}, again: ")).await?;
    if first == second { Ok(first) } else { Err(Error::SecretsDiffer) }
}

/// The secret on stdin, without the line break at its end.
pub(super) fn from_stdin() -> Result<String, Error> {
    let mut text = String::new();
    let read = io::stdin().lock().take(MAX_SECRET_BYTES).read_to_string(&mut text);
    read.map_err(Error::Stdin)?;
    let text = text.strip_suffix('\n').map_or(text.as_str(), |text| text.strip_suffix('\r').unwrap_or(text));
    filled(text.to_owned())
}

fn filled(secret: String) -> Result<String, Error> {
    if secret.is_empty() { Err(Error::EmptySecret) } else { Ok(secret) }
}

#[cfg(unix)]
mod terminal {
    use std::fs::{File, OpenOptions};
    use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};

    use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};
    use tokio::sync::oneshot;

    use super::{Error, MAX_SECRET_BYTES};

    /// Asks on the terminal of this process, wherever its stdin and stdout lead.
    pub(super) async fn ask(label: &str, is_secret: bool) -> Result<String, Error> {
        let tty = OpenOptions::new().read(true).write(true).open("/dev/tty").map_err(|_| Error::NoTerminal)?;
        let silence = if is_secret { Some(Silence::begin(&tty).map_err(Error::Terminal)?) } else { None };
        (&tty).write_all(label.as_bytes()).map_err(Error::Terminal)?;
        let (sender, receiver) = oneshot::channel();
        let reader = tty.try_clone().map_err(Error::Terminal)?;
        // On a thread of its own, so that Ctrl-C is heard while nothing is typed, and the echo comes back.
        std::thread::spawn(move || sender.send(read_line(reader)));
        let line = receiver.await.unwrap_or_else(|_| Err(io::ErrorKind::Interrupted.into()));
        if silence.is_some() {
            // The line break was not shown either.
            (&tty).write_all(b"\n").map_err(Error::Terminal)?;
        }
        line.map_err(Error::Terminal)
    }

    fn read_line(tty: File) -> io::Result<String> {
        let mut line = String::new();
        BufReader::new(tty.take(MAX_SECRET_BYTES)).read_line(&mut line)?;
        Ok(line.trim_end_matches(['\n', '\r']).to_owned())
    }

    /// A terminal that shows nothing of what is typed, until the value is dropped.
    struct Silence {
        tty: File,
        before: Termios,
    }

    impl Silence {
        fn begin(tty: &File) -> io::Result<Self> {
            let tty = tty.try_clone()?;
            let before = tcgetattr(&tty)?;
            let mut silent = before.clone();
            silent.local_modes.remove(LocalModes::ECHO);
            tcsetattr(&tty, OptionalActions::Flush, &silent)?;
            Ok(Self { tty, before })
        }
    }

    impl Drop for Silence {
        fn drop(&mut self) {
            // A terminal that is gone needs no echo.
            let _ = tcsetattr(&self.tty, OptionalActions::Now, &self.before);
        }
    }
}

#[cfg(not(unix))]
mod terminal {
    use super::Error;

    /// Asking in secret needs a Unix terminal; stdin works everywhere.
    pub(super) async fn ask(_: &str, _: bool) -> Result<String, Error> {
        Err(Error::NoTerminal)
    }
}
