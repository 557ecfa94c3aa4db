//! Who may do what to a repository, and by which rule: every kind of caller, visibility and action in one table.

#![expect(clippy::unwrap_used, reason = "a failing test may panic")]

use super::{
    AboutCaller, AboutRepository, Access, AccountName, Action, ActionKind, Admin, Caller, CredentialKind, Delete,
    Facts, Grantee, Identity, Level, Namespace, Origin, PublisherId, Pull, Push, Reach, Reason, Role, TokenId,
    Visibility, decide, parse_scope,
};
use crate::oci::RepositoryName;

/// A caller of the table, and what the facts say of them and of `acme/agent`, apart from its visibility.
fn case(who: &str) -> (Caller, AboutCaller, AboutRepository) {
    let (acme, ada) = (name("acme"), name("ada"));
    let caller = match who {
        "anonymous" => Caller::anonymous(Origin::none()),
        "publisher" | "other publisher" => checked(Identity::Publisher(PublisherId::new(7)), Reach::unlimited()),
        _ => Caller::user(ada.clone()),
    };
    let about_caller = AboutCaller {
        is_administrator: matches!(who, "administrator" | "gone admin"),
        is_active: !matches!(who, "anonymous" | "gone owner" | "gone admin"),
    };
    let grant = |level| vec![(Grantee::User(name("ada")), level)];
    let role = |level| vec![("acme/devs".parse().unwrap(), level)];
    let about = AboutRepository { namespace: Namespace::Organisation(acme.clone()), ..AboutRepository::unknown() };
    let member = AboutRepository { membership: Some(Role::Member), ..about.clone() };
    let about = match who {
        "member" => member,
        "owner" | "gone owner" => AboutRepository { membership: Some(Role::Owner), ..about },
        "reader" => AboutRepository { grants: grant(Level::Read), ..about },
        "writer" => AboutRepository { grants: grant(Level::Write), ..about },
        "admin" => AboutRepository { grants: grant(Level::Admin), ..about },
        "team grant" => {
            AboutRepository { grants: vec![(Grantee::Team("beta/ops".parse().unwrap()), Level::Write)], ..about }
        }
        "org grant" => AboutRepository { grants: vec![(Grantee::Organisation(name("beta")), Level::Read)], ..about },
        "team reads" => AboutRepository { team_roles: role(Level::Read), ..member },
        "team writes" => AboutRepository { team_roles: role(Level::Write), ..member },
        "team admins" => AboutRepository { team_roles: role(Level::Admin), ..member },
        "user's own" => AboutRepository { namespace: Namespace::User(ada), ..about },
        "user's other" => AboutRepository { namespace: Namespace::User(name("bob")), ..about },
        "publisher" => AboutRepository { publisher: true, ..about },
        "no namespace" => AboutRepository { namespace: Namespace::None, ..about },
        _ => about,
    };
    (caller, about_caller, about)
}

fn name(text: &str) -> AccountName {
    text.parse().unwrap()
}

fn checked(identity: Identity, reach: Reach) -> Caller {
    Caller::new(identity, reach, CredentialKind::Token(TokenId::new(1)), Origin::none())
}

fn repository(who: &str) -> RepositoryName {
    let text = match who {
        "user's own" => "ada/agent",
        "user's other" => "bob/agent",
        _ => "acme/agent",
    };
    text.parse().unwrap()
}

fn found<A: Action>(facts: &Facts, caller: &Caller, action: A, repository: &RepositoryName) -> String {
    match decide(facts, caller, action, repository) {
        Ok(permit) => permit.rule().to_string(),
        Err(denied) => {
            assert_eq!((denied.reason, &denied.repository), (Reason::Rights, repository));
            "-".to_owned()
        }
    }
}

/// Rows: who, visibility (`missing`: there is no such repository); then the rule that allows pull, push, delete and
/// admin, `-` where none does. Columns `delete` and `admin` are one, since no level tells them apart.
#[rustfmt::skip]
const TABLE: &[[&str; 5]] = &[
    // who               visibility  pull                    push                    delete, admin
    ["anonymous",       "private",  "-",                           "-",                       "-"],
    ["anonymous",       "org",      "-",                           "-",                       "-"],
    ["anonymous",       "public",   "public",                      "-",                       "-"],
    ["anonymous",       "missing",  "-",                           "-",                       "-"],
    ["stranger",        "private",  "-",                           "-",                       "-"],
    ["stranger",        "org",      "-",                           "-",                       "-"],
    ["stranger",        "public",   "public",                      "-",                       "-"],
    ["stranger",        "missing",  "-",                           "-",                       "-"],
    ["member",          "private",  "-",                           "-",                       "-"],
    ["member",          "org",      "organisation-member",         "-",                       "-"],
    ["member",          "public",   "public",                      "-",                       "-"],
    ["member",          "missing",  "-",                           "-",                       "-"],
    ["reader",          "private",  "grant to user ada",           "-",                       "-"],
    ["reader",          "org",      "grant to user ada",           "-",                       "-"],
    ["reader",          "public",   "grant to user ada",           "-",                       "-"],
    ["reader",          "missing",  "-",                           "-",                       "-"],
    ["writer",          "private",  "grant to user ada",           "grant to user ada",       "-"],
    ["writer",          "org",      "grant to user ada",           "grant to user ada",       "-"],
    ["writer",          "public",   "grant to user ada",           "grant to user ada",       "-"],
    ["writer",          "missing",  "-",                           "-",                       "-"],
    ["admin",           "private",  "grant to user ada",           "grant to user ada",       "grant to user ada"],
    ["admin",           "org",      "grant to user ada",           "grant to user ada",       "grant to user ada"],
    ["admin",           "public",   "grant to user ada",           "grant to user ada",       "grant to user ada"],
    ["admin",           "missing",  "-",                           "-",                       "-"],
    ["team grant",      "private",  "grant to team beta/ops",      "grant to team beta/ops",  "-"],
    ["team grant",      "org",      "grant to team beta/ops",      "grant to team beta/ops",  "-"],
    ["team grant",      "public",   "grant to team beta/ops",      "grant to team beta/ops",  "-"],
    ["team grant",      "missing",  "-",                           "-",                       "-"],
    ["org grant",       "private",  "grant to organisation beta",  "-",                       "-"],
    ["org grant",       "org",      "grant to organisation beta",  "-",                       "-"],
    ["org grant",       "public",   "grant to organisation beta",  "-",                       "-"],
    ["org grant",       "missing",  "-",                           "-",                       "-"],
    ["team reads",      "private",  "team-role acme/devs",         "-",                       "-"],
    ["team reads",      "org",      "team-role acme/devs",         "-",                       "-"],
    ["team reads",      "public",   "team-role acme/devs",         "-",                       "-"],
    ["team reads",      "missing",  "team-role acme/devs",         "-",                       "-"],
    ["team writes",     "private",  "team-role acme/devs",         "team-role acme/devs",     "-"],
    ["team writes",     "org",      "team-role acme/devs",         "team-role acme/devs",     "-"],
    ["team writes",     "public",   "team-role acme/devs",         "team-role acme/devs",     "-"],
    ["team writes",     "missing",  "team-role acme/devs",         "team-role acme/devs",     "-"],
    ["team admins",     "private",  "team-role acme/devs",         "team-role acme/devs",     "team-role acme/devs"],
    ["team admins",     "org",      "team-role acme/devs",         "team-role acme/devs",     "team-role acme/devs"],
    ["team admins",     "public",   "team-role acme/devs",         "team-role acme/devs",     "team-role acme/devs"],
    ["team admins",     "missing",  "team-role acme/devs",         "team-role acme/devs",     "team-role acme/devs"],
    ["owner",           "private",  "namespace-owner",             "namespace-owner",         "namespace-owner"],
    ["owner",           "org",      "namespace-owner",             "namespace-owner",         "namespace-owner"],
    ["owner",           "public",   "namespace-owner",             "namespace-owner",         "namespace-owner"],
    ["owner",           "missing",  "namespace-owner",             "namespace-owner",         "namespace-owner"],
    ["user's own",      "private",  "namespace-owner",             "namespace-owner",         "namespace-owner"],
    ["user's own",      "org",      "namespace-owner",             "namespace-owner",         "namespace-owner"],
    ["user's own",      "public",   "namespace-owner",             "namespace-owner",         "namespace-owner"],
    ["user's own",      "missing",  "namespace-owner",             "namespace-owner",         "namespace-owner"],
    ["user's other",    "private",  "-",                           "-",                       "-"],
    ["user's other",    "org",      "-",                           "-",                       "-"],
    ["user's other",    "public",   "public",                      "-",                       "-"],
    ["user's other",    "missing",  "-",                           "-",                       "-"],
    ["administrator",   "private",  "administrator",               "administrator",           "administrator"],
    ["administrator",   "org",      "administrator",               "administrator",           "administrator"],
    ["administrator",   "public",   "administrator",               "administrator",           "administrator"],
    ["administrator",   "missing",  "administrator",               "administrator",           "administrator"],
    ["publisher",       "private",  "publisher",                   "publisher",               "-"],
    ["publisher",       "org",      "publisher",                   "publisher",               "-"],
    ["publisher",       "public",   "publisher",                   "publisher",               "-"],
    ["publisher",       "missing",  "publisher",                   "publisher",               "-"],
    ["other publisher", "private",  "-",                           "-",                       "-"],
    ["other publisher", "org",      "-",                           "-",                       "-"],
    ["other publisher", "public",   "public",                      "-",                       "-"],
    ["other publisher", "missing",  "-",                           "-",                       "-"],
    ["no namespace",    "private",  "-",                           "-",                       "-"],
    ["no namespace",    "org",      "-",                           "-",                       "-"],
    ["no namespace",    "public",   "public",                      "-",                       "-"],
    ["no namespace",    "missing",  "-",                           "-",                       "-"],
    ["gone owner",      "private",  "-",                           "-",                       "-"],
    ["gone owner",      "org",      "-",                           "-",                       "-"],
    ["gone owner",      "public",   "-",                           "-",                       "-"],
    ["gone owner",      "missing",  "-",                           "-",                       "-"],
    ["gone admin",      "private",  "-",                           "-",                       "-"],
    ["gone admin",      "org",      "-",                           "-",                       "-"],
    ["gone admin",      "public",   "-",                           "-",                       "-"],
    ["gone admin",      "missing",  "-",                           "-",                       "-"],
];

#[test]
fn the_table_says_who_may_do_what_by_which_rule() {
    for [who, visibility, pull, push, admin] in TABLE {
        let (caller, about_caller, about) = case(who);
        let exists = *visibility != "missing";
        // A grant is a grant on a repository, so there is none where there is no repository.
        let grants = if exists { about.grants.clone() } else { vec![] };
        let visibility_found = visibility.parse().unwrap_or(Visibility::Private);
        let about = AboutRepository { exists, visibility: visibility_found, grants, ..about };
        let (facts, repository) = (Facts::of(about_caller, about, 1), repository(who));
        let row = format!("{who}, {visibility}");
        assert_eq!(&found(&facts, &caller, Pull, &repository), pull, "{row}: pull");
        assert_eq!(&found(&facts, &caller, Push, &repository), push, "{row}: push");
        assert_eq!(&found(&facts, &caller, Delete, &repository), admin, "{row}: delete");
        assert_eq!(&found(&facts, &caller, Admin, &repository), admin, "{row}: admin");
    }
}

#[test]
fn the_table_has_every_visibility_of_every_caller_once() {
    let mut seen: Vec<(&str, &str)> = TABLE.iter().map(|row| (row[0], row[1])).collect();
    let rows = seen.len();
    seen.sort_unstable();
    seen.dedup();
    assert_eq!(seen.len(), rows);
    for (who, _) in &seen {
        assert_eq!(seen.iter().filter(|(other, _)| other == who).count(), Visibility::ALL.len() + 1, "{who}");
    }
}

/// What a credential leaves an owner of `acme/agent`: scopes, pattern, claims; then the reason why not to pull, push,
/// delete and admin, `-` where the credential reaches.
#[rustfmt::skip]
const CREDENTIALS: &[[&str; 7]] = &[
    // scopes                    pattern       claims                               pull      push      delete    admin
    ["read,write,delete,admin",  "**",         "none",                              "-",      "-",      "-",      "-"],
    ["read",                     "**",         "none",                              "-",      "token",  "token",  "token"],
    ["write",                    "**",         "none",                              "-",      "-",      "token",  "token"],
    ["delete",                   "**",         "none",                              "-",      "token",  "-",      "token"],
    ["admin",                    "**",         "none",                              "-",      "token",  "token",  "-"],
    ["write",                    "acme/*",     "none",                              "-",      "-",      "token",  "token"],
    ["write",                    "acm/*",      "none",                              "token",  "token",  "token",  "token"],
    ["write",                    "acme",       "none",                              "token",  "token",  "token",  "token"],
    ["write",                    "acme/*/*",   "none",                              "token",  "token",  "token",  "token"],
    ["read,write,delete,admin",  "**",         "",                                  "claims", "claims", "claims", "claims"],
    ["read,write,delete,admin",  "**",         "repository:acme/agent:pull",        "-",      "claims", "claims", "claims"],
    ["read,write,delete,admin",  "**",         "repository:acme/agent:pull,push",   "-",      "-",      "claims", "claims"],
    ["read,write,delete,admin",  "**",         "repository:acme/agent:*",           "-",      "-",      "-",      "-"],
    ["read,write,delete,admin",  "**",         "repository:acme/agents:*",          "claims", "claims", "claims", "claims"],
    ["read,write,delete,admin",  "**",         "registry:catalog:*",                "claims", "claims", "claims", "claims"],
    ["read",                     "acme/*",     "repository:acme/agent:*",           "-",      "token",  "token",  "token"],
];

#[test]
fn a_credential_only_takes_away_and_says_what_of_it_did() {
    let repository: RepositoryName = "acme/agent".parse().unwrap();
    let (_, about_caller, about) = case("owner");
    let facts = Facts::of(about_caller, about, 1);
    for row @ [scopes, pattern, claims, expected @ ..] in CREDENTIALS {
        let reach = Reach::new(scopes.parse().unwrap(), vec![pattern.parse().unwrap()]);
        let claims: Option<Vec<Access>> = (*claims != "none").then(|| parse_scope(claims));
        let reach = claims.into_iter().fold(reach, Reach::narrowed_by_claims);
        let owner = checked(Identity::User(name("ada")), reach);
        let found = [
            decide(&facts, &owner, Pull, &repository).err(),
            decide(&facts, &owner, Push, &repository).err(),
            decide(&facts, &owner, Delete, &repository).err(),
            decide(&facts, &owner, Admin, &repository).err(),
        ];
        let words = found.map(|denied| match denied.map(|denied| denied.reason) {
            None => "-",
            Some(Reason::Token) => "token",
            Some(Reason::Claims) => "claims",
            Some(Reason::Rights) => "rights",
        });
        assert_eq!(&words, expected, "{row:?}");
    }
    assert_eq!(CREDENTIALS[0].len(), 3 + ActionKind::ALL.len());
}
