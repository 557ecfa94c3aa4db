//! The token of the first administrator: from a file, or made up, and then told once.

use std::fs::{self, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

use super::{DataDir, Error};
use crate::auth::{AccessToken, AccountName, TokenForm};
use crate::registry::{self, Registry};

/// Name of the first administrator.
const FIRST_ADMINISTRATOR: &str = "admin";

/// Where the token goes where nobody could read it from a terminal.
const FILE_NAME: &str = "initial-admin-token";

/// Largest file with a token in bytes.
const MAX_FILE_BYTES: u64 = 4096;

/// A token that was made up at first start, and that nobody has been told yet.
#[derive(Debug)]
pub struct FirstToken {
    token: AccessToken,
    path: PathBuf,
}

impl FirstToken {
    /// The token, to be shown once.
    pub fn expose(&self) -> &str {
        self.token.expose()
    }

    /// Writes it into the data directory, into a file that only its owner reads.
    pub fn store(&self) -> Result<&Path, Error> {
        let failed = |source| Error::DataDir { path: self.path.clone(), source };
        write_private(&self.path, self.token.expose()).map_err(failed)?;
        Ok(&self.path)
    }
}

/// Makes the first administrator where nobody has an account, and gives namespaces of before an owner. `None`: there
/// was nothing to do, or whoever starts the registry has brought the token.
pub(super) async fn first_start(
    registry: &Registry,
    directory: &DataDir,
    file: Option<&Path>,
) -> Result<Option<FirstToken>, Error> {
    // A file that has served its purpose may be gone.
    let first = if registry.knows_nobody()? { make(registry, directory, file).await? } else { None };
    let adopted = registry.adopt_namespaces().await?;
    if adopted > 0 {
        tracing::info!(adopted, "namespaces without an owner now belong to the first administrator");
    }
    Ok(first)
}

async fn make(registry: &Registry, directory: &DataDir, file: Option<&Path>) -> Result<Option<FirstToken>, Error> {
    let brought = file.map(read).transpose()?;
    let token = brought.clone().map_or_else(AccessToken::generate, Ok).map_err(registry::Error::from)?;
    // A constant that is a name.
    let Ok(name) = FIRST_ADMINISTRATOR.parse::<AccountName>() else { return Ok(None) };
    let is_made = registry.make_first_administrator(&name, token.hash(), None).await?.is_some();
    let path = directory.root().join(FILE_NAME);
    Ok((is_made && brought.is_none()).then_some(FirstToken { token, path }))
}

fn read(path: &Path) -> Result<AccessToken, Error> {
    let failed = |source| Error::AdminToken { path: path.to_owned(), source };
    let mut text = String::new();
    fs::File::open(path).and_then(|file| file.take(MAX_FILE_BYTES).read_to_string(&mut text)).map_err(failed)?;
    let token = AccessToken::parse(text.trim()).ok().filter(|token| token.form() != TokenForm::Refresh);
    token.ok_or_else(|| failed(io::Error::new(io::ErrorKind::InvalidData, "the file holds no access token")))
}

fn write_private(path: &Path, text: &str) -> io::Result<()> {
    // One that is there already is of an index that was lost, or somebody's who wants to read this one.
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    writeln!(file, "{text}")?;
    file.sync_all()
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failing test may panic")]
mod tests {
    use super::*;

    #[test]
    fn a_file_may_hold_one_token_of_either_form() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("token");
        let own = AccessToken::generate().unwrap();
        for good in [own.expose().to_owned(), format!("{}\n", own.expose()), "aB".repeat(32)] {
            fs::write(&path, &good).unwrap();
            assert_eq!(read(&path).unwrap().expose(), good.trim());
        }
        let refresh = AccessToken::generate_refresh().unwrap();
        for bad in ["", "admin", "password123", &own.expose()[1..], refresh.expose(), &"a".repeat(100_000)] {
            fs::write(&path, bad).unwrap();
            let error = read(&path).unwrap_err();
            assert!(bad.is_empty() || !format!("{error:?}").contains(bad), "no error repeats it");
        }
        assert!(read(&folder.path().join("nowhere")).is_err());
    }

    #[cfg(unix)]
    #[test]
    fn only_the_owner_reads_what_is_written_whatever_was_there() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(FILE_NAME);
        let token = AccessToken::generate().unwrap();
        let first = FirstToken { token: token.clone(), path: path.clone() };
        assert_eq!(first.store().unwrap(), path);
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(read(&path).unwrap().hash(), token.hash());
        let open = fs::Permissions::from_mode(0o666);
        fs::set_permissions(&path, open).unwrap();
        first.store().unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert!(!format!("{first:?}").contains(token.expose()));
    }
}
