//! The first administrator of a registry that knows nobody yet.

use jiff::Timestamp;

use super::Error;
use super::service::Registry;
use crate::auth::{AccessToken, AccountName, Scopes};
use crate::index::tokens::{NewToken, TokenKind};
use crate::index::{accounts, tokens};

/// Name of the first administrator.
pub const FIRST_ADMINISTRATOR: &str = "admin";

/// What the first token is called in lists.
const FIRST_TOKEN_NAME: &str = "first start";

impl Registry {
    /// Whether nobody has an account.
    pub fn knows_nobody(&self) -> Result<bool, Error> {
        self.read(|session| Ok(!accounts::is_any(session)?))
    }

    /// Makes the first administrator, who has this token, unless somebody has an account. Whether it did.
    pub async fn first_start(&self, token: &AccessToken) -> Result<bool, Error> {
        let (hash, now) = (token.hash(), Timestamp::now());
        let Ok(name) = FIRST_ADMINISTRATOR.parse::<AccountName>() else { return Ok(false) };
        let write = self.index.write(move |session| {
            if accounts::is_any(session)? {
                return Ok(false);
            }
            let account = accounts::create_user(session, &name, true, now)?;
            let new = NewToken {
                account,
                kind: TokenKind::Access,
                hash: &hash,
                name: FIRST_TOKEN_NAME,
                scopes: &Scopes::all(),
                patterns: &[],
                parent: None,
                expires_at: None,
            };
            tokens::insert(session, &new, now)?;
            Ok::<_, Error>(true)
        });
        write.await
    }
}
