//! Docker's credential helpers: programs named `docker-credential-…` that keep secrets, spoken to over their streams.

use std::io::{Read as _, Write as _};
use std::process::{Command, Stdio};

use serde::{Deserialize, Serialize};

use super::text::clean;
use super::{Credential, Error};

/// Largest answer of a helper in bytes.
const MAX_ANSWER_BYTES: u64 = 1024 * 1024;
/// What helpers say when they have nothing.
const HAS_NONE: &str = "credentials not found";
/// The user name helpers give to an identity token.
const TOKEN_USER: &str = "<token>";

/// What a helper keeps for a server.
#[derive(Deserialize, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Entry {
    #[serde(default, rename = "ServerURL")]
    server_url: String,
    username: String,
    secret: String,
}

/// A helper, by the end of its program's name.
pub(super) struct Helper {
    program: String,
}

impl Helper {
    /// The helper with this suffix; what is no plain file name is refused.
    pub(super) fn new(suffix: &str) -> Result<Self, Error> {
        let program = format!("docker-credential-{suffix}");
        let is_plain = suffix.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte));
        let helper = Self { program };
        if is_plain { Ok(helper) } else { Err(helper.failed("its name is no file name")) }
    }

    /// The name of the program.
    pub(super) fn program(&self) -> &str {
        &self.program
    }

    /// What it has for a server.
    pub(super) fn get(&self, server: &str) -> Result<Option<Credential>, Error> {
        let (has_worked, answer) = self.run("get", server)?;
        if !has_worked {
            return if answer.contains(HAS_NONE) { Ok(None) } else { Err(self.failed(&answer)) };
        }
        // The parser's message would repeat a part of the secret.
        let entry: Entry =
            serde_json::from_str(&answer).map_err(|_| Error::Malformed { what: "credential helper's answer" })?;
        Ok(Some(match entry.username.as_str() {
            TOKEN_USER => Credential::Token(entry.secret),
            _ => Credential::Basic { user: entry.username, password: entry.secret },
        }))
    }

    /// Gives it a secret to keep.
    pub(super) fn store(&self, server: &str, user: &str, secret: &str) -> Result<(), Error> {
        let entry = Entry { server_url: server.to_owned(), username: user.to_owned(), secret: secret.to_owned() };
        let what = "credential";
        let input = serde_json::to_string(&entry).map_err(|source| Error::Json { what, source })?;
        match self.run("store", &input)? {
            (true, _) => Ok(()),
            // Whatever it says, the secret it was given is not shown.
            (false, answer) => Err(self.failed(&answer.replace(secret, "…"))),
        }
    }

    /// Makes it forget a server; whether it knew it.
    pub(super) fn erase(&self, server: &str) -> Result<bool, Error> {
        // Some helpers call it a success to forget what they never knew.
        if self.get(server)?.is_none() {
            return Ok(false);
        }
        match self.run("erase", server)? {
            (true, _) => Ok(true),
            (false, answer) if answer.contains(HAS_NONE) => Ok(false),
            (false, answer) => Err(self.failed(&answer)),
        }
    }

    fn failed(&self, message: &str) -> Error {
        Error::Helper { program: clean(&self.program), message: clean(message) }
    }

    fn run(&self, verb: &str, input: &str) -> Result<(bool, String), Error> {
        run(&self.program, verb, input).map_err(|source| Error::File { path: self.program.clone().into(), source })
    }
}

/// Runs a helper: a text goes in, whether it succeeded and what it said come out.
fn run(program: &str, verb: &str, input: &str) -> std::io::Result<(bool, String)> {
    let mut child =
        Command::new(program).arg(verb).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn()?;
    if let Some(mut stdin) = child.stdin.take() {
        // A helper that answers without reading closes the pipe; its answer still counts.
        let _ = stdin.write_all(input.as_bytes());
    }
    let mut answer = Vec::new();
    if let Some(stdout) = child.stdout.take() {
        stdout.take(MAX_ANSWER_BYTES).read_to_end(&mut answer)?;
    }
    let status = child.wait()?;
    Ok((status.success(), String::from_utf8_lossy(&answer).into_owned()))
}

#[cfg(all(test, unix))]
#[expect(clippy::unwrap_used, reason = "a failing test may panic")]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    /// A helper that is a shell script.
    fn helper(folder: &std::path::Path, text: &str) -> Helper {
        let path = folder.join("helper");
        std::fs::write(&path, format!("#!/bin/sh\n{text}\n")).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
        Helper { program: path.to_str().unwrap().to_owned() }
    }

    #[test]
    fn a_helper_is_told_the_server_and_answers_in_json() {
        let folder = tempfile::tempdir().unwrap();
        let says = helper(folder.path(), "printf '{\"Username\":\"%s\",\"Secret\":\"%s\"}' \"$1\" \"$(cat)\"");
        let expected = Credential::Basic { user: "get".to_owned(), password: "h:5000".to_owned() };
        assert_eq!(says.get("h:5000").unwrap(), Some(expected));
        let none = helper(folder.path(), "echo credentials not found in native keychain; exit 1");
        assert_eq!(none.get("h").unwrap(), None);
        assert!(!none.erase("h").unwrap());
    }

    #[test]
    fn a_failing_helper_shows_what_it_says_without_the_secret() {
        let folder = tempfile::tempdir().unwrap();
        let locked = helper(folder.path(), "echo locked: $(cat); exit 1");
        let error = locked.store("h", "bob", "hunter2").unwrap_err();
        assert!(error.to_string().contains("locked") && !error.to_string().contains("hunter2"), "{error}");
        assert!(locked.get("h").is_err());
        let odd = helper(folder.path(), "echo '{\"Secret\":\"hunter2\"'");
        assert!(!format!("{:?}", odd.get("h").unwrap_err()).contains("hunter2"));
        assert!(matches!(Helper::new("/../../bin/true"), Err(Error::Helper { .. })));
    }
}
