//! Who is in the world: organisations, and a user in fifty teams who may read ten thousand private repositories.

use agent_registry::auth::{AccessToken, AccountName, Role, Scopes};
use agent_registry::index::teams::{self, TeamId};
use agent_registry::index::tokens::{self, NewToken, TokenKind};
use agent_registry::index::{Error, Session, Sqlite, accounts, organisations};
use anyhow::Result;
use jiff::Timestamp;

use super::plan::{Plan, TEAMS};

/// Tokens of the older form, which need no checksum: the administrator's and the user's.
pub(crate) const ADMIN_TOKEN: &str = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";
pub(crate) const USER_TOKEN: &str = "ffeeddccbbaa99887766554433221100ffeeddccbbaa99887766554433221100";
/// Made in one transaction.
const BATCH: usize = 500;

/// The organisation of a team of the user: neither the largest ones nor the smallest.
pub(crate) fn organisation_of(team: usize, organisations: usize) -> usize {
    (organisations / 20 + team * organisations / 75) % organisations
}

/// Makes them; the administrator is there. Answers the teams.
pub(crate) async fn fill(index: &Sqlite, plan: &Plan) -> Result<Vec<TeamId>> {
    let admin: AccountName = "admin".parse()?;
    for names in plan.organisations.chunks(BATCH) {
        let (names, admin) = (names.to_vec(), admin.clone());
        index.write(move |session| names.iter().try_for_each(|name| organisation(session, name, &admin))).await?;
    }
    let (user, hash): (AccountName, _) = ("reader".parse()?, AccessToken::parse(USER_TOKEN)?.hash());
    let count = plan.organisations.len();
    let places = (0..TEAMS).map(|team| plan.organisations[organisation_of(team, count)].clone());
    let places: Vec<AccountName> = places.collect();
    let made: Result<Vec<TeamId>, Error> = index.write(move |session| member(session, &user, &hash, &places)).await;
    let made = made?;
    anyhow::ensure!(made.len() == TEAMS, "{} teams", made.len());
    Ok(made)
}

fn organisation(session: &mut dyn Session, name: &AccountName, owner: &AccountName) -> Result<(), Error> {
    let id = accounts::create_organisation(session, name, Timestamp::now())?;
    let Some(owner) = accounts::user(session, owner)? else { return Ok(()) };
    organisations::set_member(session, id, owner.id, Role::Owner, Timestamp::now())
}

/// Makes the user with a token and a team in each of these organisations, which may be the same.
fn member(
    session: &mut dyn Session,
    name: &AccountName,
    hash: &[u8; 32],
    places: &[AccountName],
) -> Result<Vec<TeamId>, Error> {
    let (now, scopes) = (Timestamp::now(), Scopes::all());
    let user = accounts::create_user(session, name, false, now)?;
    let (kind, patterns) = (TokenKind::Access, &[]);
    let token = NewToken {
        account: user,
        kind,
        hash,
        name: "bench",
        scopes: &scopes,
        patterns,
        parent: None,
        expires_at: None,
    };
    tokens::insert(session, &token, now)?;
    let mut made = vec![];
    for (number, place) in places.iter().enumerate() {
        let Some(organisation) = accounts::organisation(session, place)? else { continue };
        organisations::set_member(session, organisation.id, user, Role::Member, now)?;
        // Without a role: the team sees what it is granted.
        let team = teams::create(session, organisation.id, &format!("team-{number}"), None, now)?;
        teams::add_member(session, team, user, now)?;
        made.push(team);
    }
    Ok(made)
}
