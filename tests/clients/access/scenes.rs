//! What is the same for every client: people, a credential, one act of the client, and a look at what is there
//! afterwards.

use super::community::{CLOSED, Community, OPEN};
use super::{Outcome, Row, TAG, Tool};
use crate::home::Home;
use crate::http::{manifest, send, whole};
use crate::image::{Image, LARGE_BYTES};
use crate::programs::Said;
use crate::wire::Wire;

/// Where clients push.
const PUSHED: &str = "ada/pushed";

/// An access token of the right form that nobody has.
const WRONG_TOKEN: &str = "ffeeddccbbaa99887766554433221100ffeeddccbbaa99887766554433221100";

/// Tries a row, and looks at what came of it.
pub(super) fn play(tool: &Tool, row: Row) -> Outcome {
    match row {
        Row::AnonymousPublicPull => worked(&(tool.pull)(&Home::new(), Community::open(tool.seed).host(), OPEN)),
        Row::AnonymousPrivatePull => pulls_nothing_private(tool),
        Row::WrongToken => pulls_with_a_wrong_token(tool),
        Row::ReadTokenPulling => {
            let (community, home) = signed_in(tool, &["read"]);
            worked(&(tool.pull)(&home, community.host(), CLOSED))
        }
        Row::ReadTokenPushing => pushes_with_a_read_token(tool),
        Row::WriteToken => {
            let (community, home) = signed_in(tool, &["write"]);
            pushed(&(tool.push)(&home, community.host(), PUSHED), &community)
        }
        Row::ExpiredInUpload => pushes_while_the_token_expires(tool),
        Row::Mount => mounts(tool),
        Row::DeleteByWriter => deletes_with_a_write_token(tool),
        Row::Delete => deletes(tool),
        Row::Catalogue => lists_what_it_may_see(tool),
        Row::AnonymousCatalogue => lists_at_most_what_is_public(tool),
    }
}

fn words(said: &Said) -> String {
    format!("{}{}", said.stdout, said.stderr)
}

fn worked(said: &Said) -> Outcome {
    if said.success { Outcome::Works } else { Outcome::Refused(vec![words(said)]) }
}

/// Each of them must have been refused.
fn refused(all: impl IntoIterator<Item = Said>) -> Outcome {
    let all = all.into_iter().inspect(|said| assert!(!said.success, "it must fail, but said {}", words(said)));
    Outcome::Refused(all.map(|said| words(&said)).collect())
}

/// What was pushed is there whole, or what the client said.
fn pushed(said: &Said, community: &Community) -> Outcome {
    if said.success {
        whole(&community.administrator(), PUSHED, TAG);
    }
    worked(said)
}

fn log_in(tool: &Tool, home: &Home, host: &str, user: &str, token: &str) {
    let said = (tool.log_in)(home, host, user, token);
    assert!(said.success, "signing in: {}", words(&said));
    assert!(!words(&said).contains(token), "the token is told: {}", words(&said));
}

/// A registry, and a home in which `ada` has signed in with a token for these scopes.
fn signed_in(tool: &Tool, scopes: &[&str]) -> (Community, Home) {
    let (community, home) = (Community::open(tool.seed), Home::new());
    log_in(tool, &home, community.host(), "ada", &community.token("ada", scopes));
    (community, home)
}

fn pulls_nothing_private(tool: &Tool) -> Outcome {
    let community = Community::open(tool.seed);
    refused([CLOSED, "ada/absent"].map(|repository| (tool.pull)(&Home::new(), community.host(), repository)))
}

/// Clients differ in whether they try a token at once; what they say first is taken.
fn pulls_with_a_wrong_token(tool: &Tool) -> Outcome {
    let (community, home) = (Community::open(tool.seed), Home::new());
    let said = (tool.log_in)(&home, community.host(), "ada", WRONG_TOKEN);
    if !said.success {
        return refused([said]);
    }
    refused([(tool.pull)(&home, community.host(), CLOSED)])
}

fn pushes_with_a_read_token(tool: &Tool) -> Outcome {
    let (community, home) = signed_in(tool, &["read"]);
    let said = (tool.push)(&home, community.host(), PUSHED);
    assert_eq!(manifest(&community.administrator(), PUSHED, TAG), None, "{}", words(&said));
    refused([said])
}

fn pushes_while_the_token_expires(tool: &Tool) -> Outcome {
    let (community, home) = (Community::patient(tool.patience, tool.seed), Home::new());
    let wire = Wire::holding(community.host());
    log_in(tool, &home, wire.host(), "ada", &community.token("ada", &["write"]));
    let said = (tool.push)(&home, wire.host(), PUSHED);
    assert!(wire.has_held(), "no upload showed a short token: {}", words(&said));
    pushed(&said, &community)
}

/// Who may read the source has its blob without sending it; who may not gets nothing.
fn mounts(tool: &Tool) -> Outcome {
    let community = Community::open(|host, repository| Image::large().push(host, repository, &[TAG]));
    for user in ["bob", "eve"] {
        community.add_user(user);
    }
    community.let_read(CLOSED, "bob");
    let (home, wire) = (Home::new(), Wire::to(community.host()));
    log_in(tool, &home, wire.host(), "eve", &community.token("eve", &["write"]));
    let stranger = (tool.copy)(&home, wire.host(), CLOSED, "eve/copy");
    assert!(!stranger.success, "a stranger must not copy, but {}", words(&stranger));
    let home = Home::new();
    log_in(tool, &home, wire.host(), "bob", &community.token("bob", &["write"]));
    let said = (tool.copy)(&home, wire.host(), CLOSED, "bob/copy");
    assert_eq!(manifest(&community.administrator(), "eve/copy", TAG), None);
    if said.success {
        whole(&community.administrator(), "bob/copy", TAG);
        assert!(wire.sent() < LARGE_BYTES as u64 / 8, "{} bytes were sent", wire.sent());
    }
    worked(&said)
}

fn is_there(community: &Community) -> bool {
    manifest(&community.administrator(), CLOSED, TAG).is_some()
}

fn deletes_with_a_write_token(tool: &Tool) -> Outcome {
    let (community, home) = signed_in(tool, &["write"]);
    let said = (tool.delete)(&home, community.host(), CLOSED);
    assert!(is_there(&community), "it is gone: {}", words(&said));
    refused([said])
}

fn deletes(tool: &Tool) -> Outcome {
    let (community, home) = signed_in(tool, &["read", "delete"]);
    assert!(is_there(&community), "there is something to delete");
    let said = (tool.delete)(&home, community.host(), CLOSED);
    assert_eq!(is_there(&community), !said.success, "{}", words(&said));
    worked(&said)
}

fn lists_at_most_what_is_public(tool: &Tool) -> Outcome {
    let community = Community::open(tool.seed);
    let said = (tool.list)(&Home::new(), community.host());
    assert!(!words(&said).contains(CLOSED), "{}", words(&said));
    assert_eq!(said.stdout.contains(OPEN), said.success, "{}", words(&said));
    worked(&said)
}

fn lists_what_it_may_see(tool: &Tool) -> Outcome {
    let (community, home) = signed_in(tool, &["read"]);
    community.add_user("eve");
    for (repository, visibility) in [("eve/hidden", "private"), ("eve/shown", "public")] {
        community.create(repository, visibility);
        (tool.seed)(&community.administrator(), repository);
    }
    let said = (tool.list)(&home, community.host());
    if said.success {
        for repository in [CLOSED, OPEN, "eve/shown"] {
            assert!(said.stdout.contains(repository), "{repository} is not in {}", said.stdout);
        }
        assert!(!words(&said).contains("hidden"), "{}", words(&said));
        let all = send(&community.administrator(), "GET", "/v2/_catalog", "", b"").json();
        assert!(all.to_string().contains("eve/hidden"), "{all}");
    }
    worked(&said)
}
