//! The decision about people: may this caller do this to that account, to its tokens, or to the registry itself?

use std::fmt;

use super::{
    AccountAction, AccountName, Caller, CredentialKind, Identity, Origin, Reach, Reason, RepositoryPattern, Role,
    Scope, Scopes,
};

/// What such a decision is made from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AccountFacts {
    /// Whether the caller is an administrator.
    pub is_administrator: bool,
    /// Whether the caller's account is there and not removed.
    pub is_active: bool,
    /// The caller's place in the organisation the action is about, if it is about one.
    pub membership: Option<Role>,
}

/// By what right somebody acts; audit rows carry its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Authority {
    /// The registry's own work, with its reason.
    System(&'static str),
    /// The caller is an administrator.
    Administrator,
    /// The caller owns the organisation.
    OrganisationOwner,
    /// It is about the caller.
    Oneself,
    /// The caller is in the organisation.
    OrganisationMember,
    /// Every user may.
    SignedIn,
}

impl fmt::Display for Authority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::System(reason) => write!(f, "system: {reason}"),
            Self::Administrator => f.write_str("administrator"),
            Self::OrganisationOwner => f.write_str("organisation-owner"),
            Self::Oneself => f.write_str("oneself"),
            Self::OrganisationMember => f.write_str("organisation-member"),
            Self::SignedIn => f.write_str("signed-in"),
        }
    }
}

/// The proof that something about people was allowed. Only this room makes one.
///
/// It is decided, used and audited in one transaction, and names no generation: it is never kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountPermit {
    identity: Option<Identity>,
    credential: CredentialKind,
    origin: Origin,
    action: &'static str,
    account: Option<AccountName>,
    authority: Authority,
}

impl AccountPermit {
    /// Leave for the registry's own work, such as making the first administrator; the reason goes into the audit.
    pub fn system(reason: &'static str, action: AccountAction<'_>) -> Self {
        Self {
            identity: None,
            credential: CredentialKind::None,
            origin: Origin::none(),
            action: action.as_str(),
            account: action.account().cloned(),
            authority: Authority::System(reason),
        }
    }

    /// Who acts, as audit rows name it.
    pub fn actor(&self) -> String {
        self.identity.as_ref().map_or_else(|| "(system)".to_owned(), ToString::to_string)
    }

    /// What the caller showed.
    pub fn credential(&self) -> CredentialKind {
        self.credential
    }

    /// Where the request came from.
    pub fn origin(&self) -> Origin {
        self.origin
    }

    /// What was allowed, as audit rows name it.
    pub fn action(&self) -> &'static str {
        self.action
    }

    /// The account it is about.
    pub fn account(&self) -> Option<&AccountName> {
        self.account.as_ref()
    }

    /// By what right.
    pub fn authority(&self) -> Authority {
        self.authority
    }
}

/// The answer no.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{identity} may not {action}{}{}", on(account.as_ref()), match reason {
    Reason::Rights => "",
    Reason::Token => " with this access token: it must reach as far as what it changes",
    Reason::Claims => " with a short token: show an access token",
})]
pub struct AccountDenied {
    /// Who asked.
    pub identity: Identity,
    /// For what, as audit rows name it.
    pub action: &'static str,
    /// About whom; none where it is about the registry.
    pub account: Option<AccountName>,
    /// Why not.
    pub reason: Reason,
}

fn on(account: Option<&AccountName>) -> String {
    account.map(|name| format!(" {name}")).unwrap_or_default()
}

/// Decides from the facts alone. What no authority allows is denied; what one allows, the credential may still not
/// reach.
pub fn decide_account(
    facts: &AccountFacts,
    caller: &Caller,
    action: AccountAction<'_>,
) -> Result<AccountPermit, AccountDenied> {
    let judged = match caller.identity().user().filter(|_| facts.is_active) {
        Some(user) => authority(*facts, user, action).ok_or(Reason::Rights),
        None => Err(Reason::Rights),
    };
    let (identity, account) = (caller.identity().clone(), action.account().cloned());
    match judged.and_then(|authority| reaches(caller, action).map(|()| authority)) {
        Ok(authority) => Ok(AccountPermit {
            identity: Some(identity),
            credential: caller.credential(),
            origin: caller.origin(),
            action: action.as_str(),
            account,
            authority,
        }),
        Err(reason) => Err(AccountDenied { identity, action: action.as_str(), account, reason }),
    }
}

/// By what right a user may, before the credential is looked at.
fn authority(facts: AccountFacts, user: &AccountName, action: AccountAction<'_>) -> Option<Authority> {
    use AccountAction as Do;
    if facts.is_administrator {
        return Some(Authority::Administrator);
    }
    let oneself = || (action.account() == Some(user)).then_some(Authority::Oneself);
    let owner = || (facts.membership == Some(Role::Owner)).then_some(Authority::OrganisationOwner);
    let member = || facts.membership.map(|_| Authority::OrganisationMember);
    match action {
        Do::RemoveOrganisation(_) | Do::ChangeMembers(_) | Do::ChangeTeams(_) => owner(),
        Do::SetDefaultVisibility(_) => owner().or_else(oneself),
        Do::ViewOrganisation(_) => owner().or_else(member),
        Do::Leave(_) => member(),
        Do::ViewUser(_) | Do::SetPassword(_) | Do::ListTokens(_) | Do::RevokeToken { .. } => oneself(),
        Do::CreateToken { is_special, .. } => oneself().filter(|_| !is_special),
        Do::CreateOrganisation(name) => (!name.is_reserved()).then_some(Authority::SignedIn),
        Do::ListOrganisations => Some(Authority::SignedIn),
        Do::ListUsers
        | Do::CreateUser { .. }
        | Do::RemoveUser(_)
        | Do::SetAdministrator(_)
        | Do::FreeName(_)
        | Do::Explain
        | Do::ReadAudit
        | Do::RotateSigningKeys => None,
    }
}

/// Whether the credential is good for it: nobody gets further with a token than the token itself goes.
fn reaches(caller: &Caller, action: AccountAction<'_>) -> Result<(), Reason> {
    use AccountAction as Do;
    let own = caller.reach();
    if own.claims().is_some() || matches!(caller.credential(), CredentialKind::ShortToken { .. }) {
        // A short token is made for repositories, and dies too soon to answer for a change.
        return Err(Reason::Claims);
    }
    let admin = |patterns| own.covers(&Reach::new(Scopes::of(&[Scope::Admin]), patterns));
    let is_enough = match action {
        _ if action.is_view() => own.scopes().includes(Scope::Read),
        // Whoever holds a token may end it.
        Do::RevokeToken { token, .. } if caller.credential() == CredentialKind::Token(token) => true,
        // Else a narrow token that leaked would be worth as much as a wide one.
        Do::CreateToken { reach, .. } => own.scopes().includes(Scope::Admin) && own.covers(reach),
        // Who signs in by password, or is an administrator, reaches everything.
        Do::SetPassword(_) | Do::SetAdministrator(_) | Do::CreateUser { as_administrator: true, .. } => {
            own.is_unlimited()
        }
        Do::CreateOrganisation(name)
        | Do::RemoveOrganisation(name)
        | Do::ChangeMembers(name)
        | Do::Leave(name)
        | Do::ChangeTeams(name)
        | Do::SetDefaultVisibility(name) => admin(vec![RepositoryPattern::namespace(name)]),
        _ => admin(vec![]),
    };
    if is_enough { Ok(()) } else { Err(Reason::Token) }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failing test may panic")]
mod tests {
    use super::super::{PublisherId, TokenId};
    use super::*;

    const ADMINISTRATOR: usize = 0;
    const COLUMNS: [&str; 6] = ["administrator", "owner", "member", "oneself", "stranger", "nobody"];

    fn name(text: &str) -> AccountName {
        text.parse().unwrap()
    }

    fn facts(column: &str) -> AccountFacts {
        let membership = match column {
            "owner" => Some(Role::Owner),
            "member" => Some(Role::Member),
            _ => None,
        };
        AccountFacts { is_administrator: column == "administrator", is_active: column != "nobody", membership }
    }

    fn caller(column: &str) -> Caller {
        match column {
            "nobody" => Caller::anonymous(Origin::none()),
            "oneself" => Caller::user(name("acme")),
            _ => Caller::user(name("ada")),
        }
    }

    fn reached(reach: Reach, credential: CredentialKind) -> Caller {
        Caller::new(Identity::User(name("acme")), reach, credential, Origin::none())
    }

    fn actions<'a>(acme: &'a AccountName, reserved: &'a AccountName, reach: &'a Reach) -> Vec<AccountAction<'a>> {
        use AccountAction as Do;
        vec![
            Do::ListUsers,
            Do::ViewUser(acme),
            Do::CreateUser { name: acme, as_administrator: false },
            Do::RemoveUser(acme),
            Do::SetAdministrator(acme),
            Do::SetPassword(acme),
            Do::FreeName(acme),
            Do::ListOrganisations,
            Do::ViewOrganisation(acme),
            Do::CreateOrganisation(acme),
            Do::CreateOrganisation(reserved),
            Do::RemoveOrganisation(acme),
            Do::ChangeMembers(acme),
            Do::Leave(acme),
            Do::ChangeTeams(acme),
            Do::SetDefaultVisibility(acme),
            Do::ListTokens(acme),
            Do::CreateToken { user: acme, reach, is_special: false },
            Do::CreateToken { user: acme, reach, is_special: true },
            Do::RevokeToken { user: acme, token: TokenId::new(7) },
            Do::Explain,
            Do::ReadAudit,
            Do::RotateSigningKeys,
        ]
    }

    /// Who may do what to account `acme`, by what right; `-` is no. Rows in the order of `actions`.
    #[rustfmt::skip]
    const TABLE: &[[&str; 7]] = &[
        // action                 administrator    owner                 member                 oneself      stranger     nobody
        ["user.list",             "administrator", "-",                  "-",                   "-",         "-",         "-"],
        ["user.view",             "administrator", "-",                  "-",                   "oneself",   "-",         "-"],
        ["user.create",           "administrator", "-",                  "-",                   "-",         "-",         "-"],
        ["user.remove",           "administrator", "-",                  "-",                   "-",         "-",         "-"],
        ["user.administrator",    "administrator", "-",                  "-",                   "-",         "-",         "-"],
        ["user.password",         "administrator", "-",                  "-",                   "oneself",   "-",         "-"],
        ["account.free",          "administrator", "-",                  "-",                   "-",         "-",         "-"],
        ["organisation.list",     "administrator", "signed-in",          "signed-in",           "signed-in", "signed-in", "-"],
        ["organisation.view",     "administrator", "organisation-owner", "organisation-member", "-",         "-",         "-"],
        ["organisation.create",   "administrator", "signed-in",          "signed-in",           "signed-in", "signed-in", "-"],
        ["organisation.create",   "administrator", "-",                  "-",                   "-",         "-",         "-"],
        ["organisation.remove",   "administrator", "organisation-owner", "-",                   "-",         "-",         "-"],
        ["organisation.members",  "administrator", "organisation-owner", "-",                   "-",         "-",         "-"],
        ["organisation.leave",    "administrator", "organisation-member", "organisation-member", "-",        "-",         "-"],
        ["organisation.teams",    "administrator", "organisation-owner", "-",                   "-",         "-",         "-"],
        ["account.visibility",    "administrator", "organisation-owner", "-",                   "oneself",   "-",         "-"],
        ["token.list",            "administrator", "-",                  "-",                   "oneself",   "-",         "-"],
        ["token.create",          "administrator", "-",                  "-",                   "oneself",   "-",         "-"],
        ["token.create",          "administrator", "-",                  "-",                   "-",         "-",         "-"],
        ["token.revoke",          "administrator", "-",                  "-",                   "oneself",   "-",         "-"],
        ["permission.explain",    "administrator", "-",                  "-",                   "-",         "-",         "-"],
        ["audit.read",            "administrator", "-",                  "-",                   "-",         "-",         "-"],
        ["signing-key.rotate",    "administrator", "-",                  "-",                   "-",         "-",         "-"],
    ];

    #[test]
    fn the_table_says_who_may_do_what_to_whom() {
        let (acme, reserved, reach) = (name("acme"), name("api"), Reach::unlimited());
        let actions = actions(&acme, &reserved, &reach);
        assert_eq!(actions.len(), TABLE.len());
        for (action, row) in actions.into_iter().zip(TABLE) {
            assert_eq!(action.as_str(), row[0]);
            for (column, expected) in COLUMNS.iter().zip(&row[1..]) {
                let decided = decide_account(&facts(column), &caller(column), action);
                let found = decided.map_or("-".to_owned(), |permit| permit.authority().to_string());
                assert_eq!(&found, expected, "{} as {column}", row[0]);
            }
        }
    }

    #[test]
    fn whose_account_is_gone_and_who_is_no_user_may_nothing() {
        let (acme, reserved, reach) = (name("acme"), name("api"), Reach::unlimited());
        let publisher = Identity::Publisher(PublisherId::new(1));
        let publisher = Caller::new(publisher, Reach::unlimited(), CredentialKind::None, Origin::none());
        for action in actions(&acme, &reserved, &reach) {
            let gone = AccountFacts { is_active: false, ..facts(COLUMNS[ADMINISTRATOR]) };
            assert_eq!(decide_account(&gone, &caller("oneself"), action).unwrap_err().reason, Reason::Rights);
            let denied = decide_account(&facts(COLUMNS[ADMINISTRATOR]), &publisher, action).unwrap_err();
            assert_eq!(denied.reason, Reason::Rights);
        }
    }

    #[test]
    fn a_token_does_nothing_beyond_itself_even_for_an_administrator() {
        let (acme, other, administrator) = (name("acme"), name("other"), facts("administrator"));
        let reach = |scopes: &str, patterns: &[&str]| {
            Reach::new(scopes.parse().unwrap(), patterns.iter().map(|pattern| pattern.parse().unwrap()).collect())
        };
        let token = |reach| reached(reach, CredentialKind::Token(TokenId::new(7)));
        let may =
            |caller: &Caller, action| decide_account(&administrator, caller, action).map_err(|no| no.reason).err();
        let reader = token(reach("read", &[]));
        assert_eq!(may(&reader, AccountAction::ListUsers), None);
        assert_eq!(may(&reader, AccountAction::RemoveUser(&acme)), Some(Reason::Token));
        let revoke = |token| AccountAction::RevokeToken { user: &acme, token: TokenId::new(token) };
        assert_eq!((may(&reader, revoke(7)), may(&reader, revoke(8))), (None, Some(Reason::Token)));
        let namespaced = token(reach("admin", &["acme/**"]));
        assert_eq!(may(&namespaced, AccountAction::ChangeTeams(&acme)), None);
        assert_eq!(may(&namespaced, AccountAction::ChangeTeams(&other)), Some(Reason::Token));
        assert_eq!(may(&namespaced, AccountAction::RotateSigningKeys), Some(Reason::Token));
        let admin = token(reach("admin", &[]));
        assert_eq!(may(&admin, AccountAction::RotateSigningKeys), None);
        assert_eq!(may(&admin, AccountAction::CreateUser { name: &acme, as_administrator: false }), None);
        for more in [
            AccountAction::SetPassword(&acme),
            AccountAction::SetAdministrator(&acme),
            AccountAction::CreateUser { name: &acme, as_administrator: true },
        ] {
            assert_eq!(may(&admin, more), Some(Reason::Token), "a password signs in to everything");
            assert_eq!(may(&token(Reach::unlimited()), more), None);
        }
    }

    #[test]
    fn no_token_makes_one_that_reaches_further() {
        let acme = name("acme");
        let may = |own: &Reach, wanted: &Reach| {
            let caller = reached(own.clone(), CredentialKind::Token(TokenId::new(7)));
            let action = AccountAction::CreateToken { user: &acme, reach: wanted, is_special: false };
            decide_account(&facts("oneself"), &caller, action).is_ok()
        };
        let reach = |scopes: &str, pattern: &str| Reach::new(scopes.parse().unwrap(), vec![pattern.parse().unwrap()]);
        assert!(may(&reach("write,admin", "acme/**"), &reach("read,write", "acme/x")));
        assert!(!may(&reach("write,admin", "acme/**"), &reach("delete", "acme/x")));
        assert!(!may(&reach("write,admin", "acme/**"), &reach("read", "other/x")));
        assert!(!may(&reach("write,admin", "acme/**"), &Reach::new("read".parse().unwrap(), vec![])));
        assert!(
            !may(&reach("write", "acme/**"), &reach("read", "acme/x")),
            "tokens are made by password or admin scope"
        );
        assert!(may(&Reach::unlimited(), &Reach::unlimited()));
    }

    #[test]
    fn a_short_token_decides_nothing_about_people() {
        let (acme, reserved, reach) = (name("acme"), name("api"), Reach::unlimited());
        for short in [
            Caller::user(acme.clone()).with_claims(vec![]),
            reached(Reach::unlimited(), CredentialKind::ShortToken { token: None }),
        ] {
            for action in actions(&acme, &reserved, &reach) {
                let denied = decide_account(&facts("administrator"), &short, action).unwrap_err();
                assert_eq!(denied.reason, Reason::Claims, "{denied}");
            }
        }
    }

    #[test]
    fn permits_and_denials_say_who_what_and_whom() {
        let acme = name("acme");
        let permit = decide_account(&facts("oneself"), &caller("oneself"), AccountAction::ListTokens(&acme)).unwrap();
        assert_eq!((permit.actor().as_str(), permit.action(), permit.account()), ("acme", "token.list", Some(&acme)));
        let first =
            AccountPermit::system("first start", AccountAction::CreateUser { name: &acme, as_administrator: true });
        assert_eq!((first.actor().as_str(), first.authority().to_string()), ("(system)", "system: first start".into()));
        let denied = decide_account(&facts("stranger"), &caller("stranger"), AccountAction::RemoveUser(&acme));
        assert_eq!(denied.unwrap_err().to_string(), "ada may not user.remove acme");
    }
}
