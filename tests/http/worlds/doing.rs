//! Does the steps: to the registry by its doors, and to the model.

use std::collections::BTreeSet;

use agent_registry::oci::Digest;
use jiff::Timestamp;
use reqwest::Method;
use serde_json::{Value, json};

use super::callers::{Caller, Who};
use super::people::{GUILD, Grant, Grantee, LEAVER, Level, ORGANISATIONS, TEAMS, Team, USERS, Visibility};
use super::shelf::{REPOSITORIES, Row, TAGS};
use super::step::Step;
use super::world::{Outcome, World, agree};

impl World {
    /// Does a step, or nothing where it means nothing.
    pub(crate) async fn act(&mut self, step: &Step) -> Outcome {
        match step {
            Step::Push { .. } | Step::PushOther { .. } | Step::Sign { .. } | Step::Retag { .. } => {
                self.push(step).await
            }
            Step::Untag { .. } | Step::Delete { .. } => self.take_away(step).await,
            Step::Yank { .. } | Step::Deprecate { .. } | Step::DeprecateAll { .. } => self.say(step).await,
            Step::Rate { .. } | Step::Pull { .. } => self.use_it(step).await,
            Step::Search { .. }
            | Step::Look { .. }
            | Step::Resolve { .. }
            | Step::Events { .. }
            | Step::Borrow { .. } => self.ask(step).await,
            _ => {
                // What is known before is to be right at once, so it has to be known.
                self.catch_up().await?;
                self.admit(step).await?;
                self.is_right_at_once().await
            }
        }
    }

    async fn push(&mut self, step: &Step) -> Outcome {
        match *step {
            Step::Push { repository, tag, content } => self.push_package(repository, TAGS[tag], content).await,
            Step::PushOther { repository, tag, is_chart } => self.push_other(repository, TAGS[tag], is_chart).await,
            Step::Sign { repository, tag } => match self.tagged(repository, tag) {
                Some((_, digest)) => self.push_signature(repository, digest).await,
                None => Ok(()),
            },
            Step::Retag { repository, from, to } => match self.tagged(repository, from) {
                Some((_, digest)) => self.retag(repository, digest, TAGS[to]).await,
                None => Ok(()),
            },
            _ => unreachable!("no push"),
        }
    }

    /// One of the tags there are.
    fn tagged(&self, repository: usize, number: u8) -> Option<(String, Digest)> {
        let tags = &self.shelves[repository].tags;
        let (tag, (digest, _)) = tags.iter().nth(usize::from(number) % tags.len().max(1))?;
        Some((tag.clone(), *digest))
    }

    async fn take_away(&mut self, step: &Step) -> Outcome {
        match *step {
            Step::Untag { repository, tag } => {
                let Some((tag, _)) = self.tagged(repository, tag) else { return Ok(()) };
                self.delete(repository, &tag).await?;
                self.shelves[repository].untag(&tag);
                self.tell("tag.deleted", repository, Some(&tag), None);
            }
            Step::Delete { repository, tag } => {
                let Some((_, digest)) = self.tagged(repository, tag) else { return Ok(()) };
                self.delete(repository, &digest.to_string()).await?;
                let tags = self.shelves[repository].tags.clone();
                self.shelves[repository].delete(&digest);
                for (tag, _) in tags.iter().filter(|(_, (at, _))| *at == digest) {
                    self.tell("tag.deleted", repository, Some(tag), None);
                }
                self.tell("manifest.deleted", repository, None, Some(digest));
            }
            _ => unreachable!("takes nothing away"),
        }
        Ok(())
    }

    /// One of the versions there are.
    fn version(&self, repository: usize, number: u8) -> Option<(String, Row)> {
        let rows: Vec<_> = self.shelves[repository].rows().into_iter().filter(|row| row.version.is_some()).collect();
        let row = rows.get(usize::from(number) % rows.len().max(1))?.clone();
        Some((row.version.as_ref()?.to_string(), row))
    }

    /// Yanks, deprecates, and takes either back; what is so already is not said again.
    async fn say(&mut self, step: &Step) -> Outcome {
        let (repository, what, version, is_on) = match *step {
            Step::Yank { repository, version, is_yanked } => (repository, "yank", Some(version), is_yanked),
            Step::Deprecate { repository, version, is_deprecated } => {
                (repository, "deprecation", Some(version), is_deprecated)
            }
            Step::DeprecateAll { repository, is_deprecated } => (repository, "deprecation", None, is_deprecated),
            _ => unreachable!("says nothing"),
        };
        let name = REPOSITORIES[repository];
        let (method, body) =
            if is_on { (Method::PUT, json!({"message": "so it is"})) } else { (Method::DELETE, Value::Null) };
        let Some(number) = version else {
            if self.shelves[repository].rows().is_empty() || self.shelves[repository].is_deprecated == is_on {
                return Ok(());
            }
            self.administer(method, &format!("/packages/{name}/deprecation"), &body).await?;
            self.shelves[repository].is_deprecated = is_on;
            let kind = if is_on { "package.deprecated" } else { "package.undeprecated" };
            self.tell(kind, repository, None, None);
            return Ok(());
        };
        let Some((version, row)) = self.version(repository, number) else { return Ok(()) };
        let said = self.shelves[repository].said.entry(version.clone()).or_default();
        let flag = if what == "yank" { &mut said.yanked } else { &mut said.deprecated };
        if std::mem::replace(flag, is_on) == is_on {
            return Ok(());
        }
        self.administer(method, &format!("/packages/{name}/versions/{version}/{what}"), &body).await?;
        let kind = match (what, is_on) {
            ("yank", true) => "version.yanked",
            ("yank", false) => "version.unyanked",
            (_, true) => "version.deprecated",
            (_, false) => "version.undeprecated",
        };
        self.tell(kind, repository, Some(&version.replace('+', "_")), Some(row.digest));
        Ok(())
    }

    async fn use_it(&mut self, step: &Step) -> Outcome {
        match *step {
            Step::Rate { repository, user, stars } => self.rate(repository, user, stars).await,
            Step::Pull { repository, tag, caller } => {
                let Some((tag, digest)) = self.tagged(repository, tag) else { return Ok(()) };
                let caller = self.caller(caller).clone();
                let path = format!("/v2/{}/manifests/{tag}", REPOSITORIES[repository]);
                let status = self.get(&caller, &path).await.status.as_u16();
                let may = !self.is_gone(&caller) && self.pulls(&caller, repository);
                agree!(may == (status == 200), "{} pulls {path}: {status}", caller.named());
                if may {
                    self.count(&caller.identity(), repository, digest);
                }
                Ok(())
            }
            _ => unreachable!("is no use"),
        }
    }

    async fn rate(&mut self, repository: usize, user: usize, stars: Option<u8>) -> Outcome {
        let caller = self.callers.iter().find(|caller| caller.who == Who::User(user)).unwrap().clone();
        if self.shelves[repository].rows().is_empty() || self.is_gone(&caller) {
            return Ok(());
        }
        let path = format!("/api/v1/packages/{}/rating", REPOSITORIES[repository]);
        let has_rated = self.shelves[repository].ratings.contains_key(&user);
        let answer = match stars {
            Some(stars) => self.send(&caller, Method::PUT, &path, &json!({"stars": stars})).await,
            None if has_rated => self.send(&caller, Method::DELETE, &path, &Value::Null).await,
            None => return Ok(()),
        };
        let may = self.pulls(&caller, repository);
        agree!(may == answer.status.is_success(), "{} rates {path} {stars:?}: {}", caller.named(), answer.status);
        if may {
            let ratings = &mut self.shelves[repository].ratings;
            match stars {
                Some(stars) => ratings.insert(user, stars),
                None => ratings.remove(&user),
            };
        }
        Ok(())
    }

    /// Changes who may see what.
    async fn admit(&mut self, step: &Step) -> Outcome {
        match *step {
            Step::Show { repository, visibility } => self.show(repository, visibility).await,
            Step::Grant { repository, grantee, level, lasts } => {
                self.grant(repository, Grantee::nth(grantee), level, lasts).await
            }
            Step::Revoke { repository, grant } => self.revoke(repository, grant).await,
            Step::Member { organisation, user, role } => self.member(organisation, user, role).await,
            Step::Team { organisation, team, role } => self.team(organisation, team, role).await,
            Step::TeamMember { organisation, team, user, is_in } => {
                self.team_member(organisation, team, user, is_in).await
            }
            Step::RemoveGuild => self.remove_guild().await,
            Step::RemoveLeaver => self.remove_leaver().await,
            Step::RemovePublisher => self.remove_publisher().await,
            Step::Shorten { user, repositories, lists } => self.shorten(user, repositories, lists).await,
            _ => unreachable!("admits nobody"),
        }
    }

    async fn show(&mut self, repository: usize, visibility: Visibility) -> Outcome {
        let path = format!("/repositories/{}", REPOSITORIES[repository]);
        self.administer(Method::PUT, &path, &json!({"visibility": visibility.word()})).await?;
        // One that is made is first as its namespace says.
        self.exists(repository);
        let access = self.shelves[repository].access.as_mut().unwrap();
        if std::mem::replace(&mut access.visibility, visibility) != visibility {
            self.tell("visibility.changed", repository, None, None);
        }
        Ok(())
    }

    async fn grant(&mut self, repository: usize, grantee: Grantee, level: Level, lasts: Option<u16>) -> Outcome {
        if self.shelves[repository].access.is_none() || !self.people.has(grantee) {
            return Ok(());
        }
        let end = |lasts: u16| Timestamp::now().as_millisecond() + i64::from(lasts);
        let until = lasts.map(|lasts| Timestamp::from_millisecond(end(lasts)).unwrap());
        let mut wanted = json!({
            "repository": REPOSITORIES[repository], "grantee": {grantee.kind(): grantee.name()}, "level": level.word(),
        });
        if let Some(until) = until {
            wanted["expires"] = until.to_string().into();
        }
        self.administer(Method::PUT, "/permissions", &wanted).await?;
        let grants = &mut self.shelves[repository].access.as_mut().unwrap().grants;
        grants.retain(|grant| grant.grantee != grantee);
        grants.push(Grant { grantee, level, until });
        Ok(())
    }

    async fn revoke(&mut self, repository: usize, number: u8) -> Outcome {
        let Some(access) = &mut self.shelves[repository].access else { return Ok(()) };
        if access.grants.is_empty() {
            return Ok(());
        }
        let grant = access.grants.remove(usize::from(number) % access.grants.len());
        let (kind, name) = (grant.grantee.kind(), grant.grantee.name());
        let path = format!("/permissions?repository={}&{kind}={name}", REPOSITORIES[repository]);
        self.administer(Method::DELETE, &path, &Value::Null).await.map(drop)
    }

    async fn member(&mut self, organisation: usize, user: usize, role: Option<bool>) -> Outcome {
        let is_member = self.people.organisations[organisation].members.contains_key(&user);
        if self.people.organisations[organisation].is_removed
            || self.people.removed.contains(&user)
            || (role.is_none() && !is_member)
        {
            return Ok(());
        }
        let path = format!("/organisations/{}/members/{}", ORGANISATIONS[organisation], USERS[user]);
        match role {
            Some(is_owner) => {
                let role = if is_owner { "owner" } else { "member" };
                self.administer(Method::PUT, &path, &json!({"role": role})).await?;
                self.people.organisations[organisation].members.insert(user, is_owner);
            }
            None => {
                self.administer(Method::DELETE, &path, &Value::Null).await?;
                self.people.leave(organisation, user);
            }
        }
        Ok(())
    }

    async fn team(&mut self, organisation: usize, team: usize, role: Option<Option<Level>>) -> Outcome {
        let (there, is_removed) = {
            let organisation = &self.people.organisations[organisation];
            (organisation.teams[team].is_some(), organisation.is_removed)
        };
        let (path, name) = (format!("/organisations/{}/teams", ORGANISATIONS[organisation]), TEAMS[team]);
        match role {
            _ if is_removed => {}
            Some(role) if there => {
                let body = json!({"role": role.map(Level::word)});
                self.administer(Method::PATCH, &format!("{path}/{name}"), &body).await?;
                self.people.organisations[organisation].teams[team].as_mut().unwrap().role = role;
            }
            Some(role) => {
                let body = json!({"name": name, "role": role.map(Level::word)});
                self.administer(Method::POST, &path, &body).await?;
                let made = Team { role, members: BTreeSet::new() };
                self.people.organisations[organisation].teams[team] = Some(made);
            }
            None if there => {
                self.administer(Method::DELETE, &format!("{path}/{name}"), &Value::Null).await?;
                self.people.organisations[organisation].teams[team] = None;
                self.forget_grants(Grantee::Team(organisation, team));
            }
            None => {}
        }
        Ok(())
    }

    /// Who takes a freed name later is somebody else, who was granted nothing.
    fn forget_grants(&mut self, grantee: Grantee) {
        for access in self.shelves.iter_mut().filter_map(|shelf| shelf.access.as_mut()) {
            access.grants.retain(|grant| grant.grantee != grantee);
        }
    }

    async fn team_member(&mut self, organisation: usize, team: usize, user: usize, is_in: bool) -> Outcome {
        let found = &self.people.organisations[organisation];
        let Some(members) = found.teams[team].as_ref().map(|team| &team.members) else { return Ok(()) };
        let can = if is_in { found.members.contains_key(&user) } else { members.contains(&user) };
        if found.is_removed || !can {
            return Ok(());
        }
        let path =
            format!("/organisations/{}/teams/{}/members/{}", ORGANISATIONS[organisation], TEAMS[team], USERS[user]);
        let (method, body) = if is_in { (Method::PUT, json!({})) } else { (Method::DELETE, Value::Null) };
        self.administer(method, &path, &body).await?;
        let members = &mut self.people.organisations[organisation].teams[team].as_mut().unwrap().members;
        if is_in {
            members.insert(user)
        } else {
            members.remove(&user)
        };
        Ok(())
    }

    async fn remove_guild(&mut self) -> Outcome {
        if std::mem::replace(&mut self.people.organisations[GUILD].is_removed, true) {
            return Ok(());
        }
        self.administer(Method::DELETE, &format!("/organisations/{}", ORGANISATIONS[GUILD]), &Value::Null).await?;
        self.forget_grants(Grantee::Organisation(GUILD));
        (0..TEAMS.len()).for_each(|team| self.forget_grants(Grantee::Team(GUILD, team)));
        Ok(())
    }

    /// Removes the user who may go; what was theirs becomes an organisation's, of which the administrator is the owner.
    async fn remove_leaver(&mut self) -> Outcome {
        if !self.people.removed.insert(LEAVER) {
            return Ok(());
        }
        self.administer(Method::DELETE, &format!("/users/{}", USERS[LEAVER]), &Value::Null).await?;
        (0..ORGANISATIONS.len()).for_each(|organisation| self.people.leave(organisation, LEAVER));
        self.forget_grants(Grantee::User(LEAVER));
        // What they thought goes with them.
        for shelf in &mut self.shelves {
            shelf.ratings.remove(&LEAVER);
        }
        Ok(())
    }

    /// Replaces the caller with a short token by another one.
    async fn shorten(&mut self, user: usize, repositories: u16, lists: bool) -> Outcome {
        if self.people.removed.contains(&user) {
            return Ok(());
        }
        let caller = self.callers.iter().find(|caller| caller.who == Who::User(user)).unwrap().clone();
        let asked: BTreeSet<_> = (0..REPOSITORIES.len()).filter(|index| repositories & (1 << index) != 0).collect();
        let mut scopes: Vec<_> =
            asked.iter().map(|index| format!("repository:{}:pull", REPOSITORIES[*index])).collect();
        scopes.extend(lists.then(|| "registry:catalog:*".to_owned()));
        let path = format!("/token?scope={}", scopes.join("&scope="));
        let answer = self.get(&caller, &path).await;
        agree!(answer.status == 200, "GET {path}: {}", answer.status);
        let token = answer.json()["token"].as_str().unwrap().to_owned();
        // What was not allowed when it was made is not allowed by it later.
        let claims = asked.into_iter().filter(|index| self.pulls(&caller, *index)).collect();
        self.callers.retain(|caller| caller.claims.is_none());
        let short = Caller { claims: Some((claims, lists)), ..Caller::new(Who::User(user), &[], Some(&token)) };
        self.callers.push(short);
        Ok(())
    }
}
