//! What happens in a world: steps that mean something whatever came before, so that a shorter list of them is a world,
//! too.

use proptest::prelude::*;

use super::asked::{Asked, asked};
use super::goods::CONTENTS;
use super::people::{Level, Visibility};
use super::shelf::{REPOSITORIES, TAGS};

/// The orders of search.
pub(crate) const SORTS: [&str; 5] = ["relevance", "updated", "downloads", "rating", "name"];

/// Repositories, tags, users… are given by their places in lists; where there may be fewer, the remainder counts.
#[derive(Clone, Debug)]
pub(crate) enum Step {
    /// A package under a tag.
    Push {
        repository: usize,
        tag: usize,
        content: u8,
    },
    /// Something that is no package under a tag.
    PushOther {
        repository: usize,
        tag: usize,
        is_chart: bool,
    },
    /// A signature of what a tag points at.
    Sign {
        repository: usize,
        tag: u8,
    },
    /// Another tag for what a tag points at.
    Retag {
        repository: usize,
        from: u8,
        to: usize,
    },
    Untag {
        repository: usize,
        tag: u8,
    },
    /// Deletes what a tag points at.
    Delete {
        repository: usize,
        tag: u8,
    },
    Yank {
        repository: usize,
        version: u8,
        is_yanked: bool,
    },
    Deprecate {
        repository: usize,
        version: u8,
        is_deprecated: bool,
    },
    DeprecateAll {
        repository: usize,
        is_deprecated: bool,
    },
    /// Makes the repository, where there is none.
    Show {
        repository: usize,
        visibility: Visibility,
    },
    /// For so many milliseconds, or for ever.
    Grant {
        repository: usize,
        grantee: u8,
        level: Level,
        lasts: Option<u16>,
    },
    Revoke {
        repository: usize,
        grant: u8,
    },
    /// As a member, as an owner, or not at all.
    Member {
        organisation: usize,
        user: usize,
        role: Option<bool>,
    },
    /// Makes a team or changes its role, or removes it.
    Team {
        organisation: usize,
        team: usize,
        role: Option<Option<Level>>,
    },
    TeamMember {
        organisation: usize,
        team: usize,
        user: usize,
        is_in: bool,
    },
    RemoveGuild,
    RemoveLeaver,
    Rate {
        repository: usize,
        user: usize,
        stars: Option<u8>,
    },
    Pull {
        repository: usize,
        tag: u8,
        caller: u8,
    },
    /// A short token of a user's, for some repositories (by bits), and perhaps for lists.
    Shorten {
        user: usize,
        repositories: u16,
        lists: bool,
    },
    /// Ends the publisher.
    RemovePublisher,
    Search {
        caller: u8,
        query: Asked,
        sort: usize,
        limit: u8,
    },
    Look {
        caller: u8,
        repository: usize,
    },
    Resolve {
        caller: u8,
        repository: usize,
        range: usize,
        pre: bool,
    },
    Events {
        caller: u8,
        limit: u8,
    },
    /// What somebody else's cursor shows a caller.
    Borrow {
        from: u8,
        caller: u8,
        sort: usize,
    },
}

fn repository() -> std::ops::Range<usize> {
    0..REPOSITORIES.len()
}

fn level() -> impl Strategy<Value = Level> {
    prop::sample::select(&Level::ALL[..])
}

fn content() -> impl Strategy<Value = Step> {
    let (tag, nth) = (0..TAGS.len(), any::<u8>);
    let version = |of: fn(usize, u8, bool) -> Step| {
        (repository(), nth(), prop::bool::weighted(0.7)).prop_map(move |(at, version, is)| of(at, version, is))
    };
    prop_oneof![
        10 => (repository(), tag.clone(), 0..CONTENTS)
            .prop_map(|(repository, tag, content)| Step::Push { repository, tag, content }),
        2 => (repository(), tag.clone(), any::<bool>())
            .prop_map(|(repository, tag, is_chart)| Step::PushOther { repository, tag, is_chart }),
        1 => (repository(), nth()).prop_map(|(repository, tag)| Step::Sign { repository, tag }),
        3 => (repository(), nth(), tag).prop_map(|(repository, from, to)| Step::Retag { repository, from, to }),
        1 => (repository(), nth()).prop_map(|(repository, tag)| Step::Untag { repository, tag }),
        1 => (repository(), nth()).prop_map(|(repository, tag)| Step::Delete { repository, tag }),
        4 => version(|repository, version, is_yanked| Step::Yank { repository, version, is_yanked }),
        2 => version(|repository, version, is_deprecated| Step::Deprecate { repository, version, is_deprecated }),
        1 => (repository(), prop::bool::weighted(0.6))
            .prop_map(|(repository, is_deprecated)| Step::DeprecateAll { repository, is_deprecated }),
        2 => (repository(), 0..4_usize, prop::option::weighted(0.8, 1..=5_u8))
            .prop_map(|(repository, user, stars)| Step::Rate { repository, user, stars }),
        1 => (repository(), nth(), nth())
            .prop_map(|(repository, tag, caller)| Step::Pull { repository, tag, caller }),
    ]
}

fn access() -> impl Strategy<Value = Step> {
    let role = prop::option::weighted(0.7, any::<bool>());
    let team_role = prop::option::weighted(0.8, prop::option::weighted(0.6, level()));
    let lasts = prop::option::weighted(0.2, 200..2_000_u16);
    prop_oneof![
        4 => (repository(), prop::sample::select(&Visibility::ALL[..]))
            .prop_map(|(repository, visibility)| Step::Show { repository, visibility }),
        4 => (repository(), any::<u8>(), level(), lasts)
            .prop_map(|(repository, grantee, level, lasts)| Step::Grant { repository, grantee, level, lasts }),
        2 => (repository(), any::<u8>()).prop_map(|(repository, grant)| Step::Revoke { repository, grant }),
        4 => (0..3_usize, 0..4_usize, role)
            .prop_map(|(organisation, user, role)| Step::Member { organisation, user, role }),
        3 => (0..3_usize, 0..2_usize, team_role)
            .prop_map(|(organisation, team, role)| Step::Team { organisation, team, role }),
        3 => (0..3_usize, 0..2_usize, 0..4_usize, prop::bool::weighted(0.8))
            .prop_map(|(organisation, team, user, is_in)| Step::TeamMember { organisation, team, user, is_in }),
        1 => prop_oneof![1 => Just(Step::RemoveGuild), 1 => Just(Step::RemoveLeaver), 2 => Just(Step::RemovePublisher)],
        1 => (0..4_usize, any::<u16>(), any::<bool>())
            .prop_map(|(user, repositories, lists)| Step::Shorten { user, repositories, lists }),
    ]
}

fn question() -> impl Strategy<Value = Step> {
    let caller = any::<u8>;
    prop_oneof![
        6 => (caller(), asked(), 0..SORTS.len(), 1..6_u8)
            .prop_map(|(caller, query, sort, limit)| Step::Search { caller, query, sort, limit }),
        3 => (caller(), repository()).prop_map(|(caller, repository)| Step::Look { caller, repository }),
        3 => (caller(), repository(), 0..super::resolving::RANGES.len(), any::<bool>())
            .prop_map(|(caller, repository, range, pre)| Step::Resolve { caller, repository, range, pre }),
        1 => (caller(), 1..9_u8).prop_map(|(caller, limit)| Step::Events { caller, limit }),
        1 => (caller(), caller(), 0..SORTS.len()).prop_map(|(from, caller, sort)| Step::Borrow { from, caller, sort }),
    ]
}

/// Some history of a world.
pub(crate) fn steps(length: std::ops::Range<usize>) -> impl Strategy<Value = Vec<Step>> {
    prop::collection::vec(prop_oneof![4 => content(), 2 => access(), 3 => question()], length)
}
