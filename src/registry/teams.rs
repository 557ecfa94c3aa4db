//! Teams: listed, made, changed and removed, and who is in them.

use jiff::Timestamp;

use super::acting::{allow, done, organisation, user};
use super::lists::{Listed, cut};
use super::{Error, Refusal, Registry};
use crate::auth::{AccountAction as Do, AccountName, Caller, Level, TeamName};
use crate::index::repositories::MAX_PAGE;
use crate::index::teams::Team;
use crate::index::{Session, organisations, teams};

/// A team and how many are in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CountedTeam {
    /// The team.
    pub team: Team,
    /// How many are in it.
    pub members: u64,
}

impl Registry {
    /// The teams of an organisation, by name.
    pub async fn teams(
        &self,
        caller: &Caller,
        name: &AccountName,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Listed<CountedTeam>, Error> {
        let limit = limit.clamp(1, MAX_PAGE);
        self.look(caller, Do::ViewOrganisation(name), |session, _| {
            let id = organisation(session, name)?.id;
            let found = teams::list(session, id, after, limit + 1)?;
            let counted = found.into_iter().map(|team| count(session, team)).collect::<Result<_, _>>()?;
            Ok(cut(counted, limit, |counted: &CountedTeam| counted.team.name.clone()))
        })
    }

    /// One team.
    pub async fn team(&self, caller: &Caller, name: &TeamName) -> Result<CountedTeam, Error> {
        self.look(caller, Do::ViewOrganisation(name.organisation()), |session, _| {
            let team = find(session, name)?;
            count(session, team)
        })
    }

    /// Makes a team; with a role its members may do as much to every repository of the organisation.
    pub async fn create_team(&self, caller: &Caller, name: &TeamName, role: Option<Level>) -> Result<Team, Error> {
        let name = name.clone();
        let deed = self.act(caller, move |session, caller, now| {
            let permit = allow(session, caller, Do::ChangeTeams(name.organisation()))?;
            let id = organisation(session, name.organisation())?.id;
            if teams::find(session, id, name.team())?.is_some() {
                return Err(Refusal::TeamTaken(name.clone()).into());
            }
            teams::create(session, id, name.team(), role, now)?;
            done(session, &permit, &format!("{name} {}", word(role)), now)?;
            find(session, &name)
        });
        deed.await
    }

    /// Sets what a team's members may do to every repository of the organisation.
    pub async fn set_team_role(&self, caller: &Caller, name: &TeamName, role: Option<Level>) -> Result<(), Error> {
        let what = move || word(role).to_owned();
        self.change_team(caller, name, what, move |session, team, _| Ok(teams::set_role(session, team.id, role)?)).await
    }

    /// Removes a team, and with it what it was granted.
    pub async fn remove_team(&self, caller: &Caller, name: &TeamName) -> Result<(), Error> {
        let what = || "removed".to_owned();
        self.change_team(caller, name, what, |session, team, now| Ok(teams::remove(session, team.id, now)?)).await
    }

    /// Who is in a team, by name, and since when.
    pub async fn team_members(
        &self,
        caller: &Caller,
        name: &TeamName,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Listed<(AccountName, Timestamp)>, Error> {
        let limit = limit.clamp(1, MAX_PAGE);
        self.look(caller, Do::ViewOrganisation(name.organisation()), |session, _| {
            let team = find(session, name)?;
            let found = teams::members(session, team.id, after, limit + 1)?;
            Ok(cut(found, limit, |(user, _)| user.to_string()))
        })
    }

    /// Puts a user of the organisation into a team.
    pub async fn add_team_member(&self, caller: &Caller, name: &TeamName, member: &AccountName) -> Result<(), Error> {
        let (organisation_name, member) = (name.organisation().clone(), member.clone());
        let added = member.clone();
        let deed = move |session: &mut dyn Session, team: &Team, now: Timestamp| {
            let (organisation, user) = (organisation(session, &organisation_name)?, user(session, &member)?);
            if organisations::role(session, organisation.id, user.id)?.is_none() {
                let (user, organisation) = (member.clone(), organisation_name.clone());
                return Err(Refusal::NotMember { user, organisation }.into());
            }
            Ok(teams::add_member(session, team.id, user.id, now)?)
        };
        self.change_team(caller, name, move || format!("+{added}"), deed).await
    }

    /// Takes a user out of a team.
    pub async fn remove_team_member(
        &self,
        caller: &Caller,
        name: &TeamName,
        member: &AccountName,
    ) -> Result<(), Error> {
        let (member, removed) = (member.clone(), member.clone());
        let deed = move |session: &mut dyn Session, team: &Team, _: Timestamp| {
            let user = user(session, &member)?;
            if teams::remove_member(session, team.id, user.id)? {
                Ok(())
            } else {
                Err(Refusal::UnknownUser(member.clone()).into())
            }
        };
        self.change_team(caller, name, move || format!("-{removed}"), deed).await
    }

    async fn change_team(
        &self,
        caller: &Caller,
        name: &TeamName,
        what: impl Fn() -> String + Send + 'static,
        change: impl Fn(&mut dyn Session, &Team, Timestamp) -> Result<(), Error> + Send + 'static,
    ) -> Result<(), Error> {
        let name = name.clone();
        let deed = self.act(caller, move |session, caller, now| {
            let permit = allow(session, caller, Do::ChangeTeams(name.organisation()))?;
            let team = find(session, &name)?;
            change(session, &team, now)?;
            done(session, &permit, &format!("{name} {}", what()), now)
        });
        deed.await
    }
}

fn word(role: Option<Level>) -> &'static str {
    role.map_or("none", Level::as_str)
}

fn find(session: &mut dyn Session, name: &TeamName) -> Result<Team, Error> {
    let id = organisation(session, name.organisation())?.id;
    Ok(teams::find(session, id, name.team())?.ok_or_else(|| Refusal::UnknownTeam(name.clone()))?)
}

fn count(session: &mut dyn Session, team: Team) -> Result<CountedTeam, Error> {
    Ok(CountedTeam { members: teams::count_members(session, team.id)?, team })
}
