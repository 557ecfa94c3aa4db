//! The search agrees with the model under any documents, viewers, queries, and changes in between.
#![expect(
    clippy::unwrap_used,
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::cast_sign_loss,
    reason = "a failing test may panic, and rows are no less than 0"
)]

use std::collections::BTreeSet;

use jiff::Timestamp;
use proptest::prelude::*;
use proptest::sample::{Index, select, subsequence};

use super::model::{Model, Who, facets};
use super::{Change, Document, Request, Search, Viewer};
use crate::api::{Query, Rating, Sort, Standing};
use crate::auth::{Caller, CredentialKind, Origin, Reach, Sight, Visibility};
use crate::oci::Digest;
use crate::package::Summary;

/// Words of which some begin as others, or are one mistake away.
const WORDS: [&str; 10] =
    ["alpha", "alphabet", "gamma", "gamme", "kappa", "kappas", "omega", "sigmoid", "zeta", "lambda"];
const TERMS: [&str; 34] = [
    "alpha",
    "alph",
    "gamma",
    "gamna",
    "kappa",
    "omeg",
    "sigmo",
    "zeat",
    "lambda",
    "-gamma",
    "-omega",
    "alph*",
    "*mm*",
    "-*et*",
    "z?ta",
    "\"alpha gamma\"",
    "\"kappa omega\"",
    "-\"zeta alpha\"",
    "capability:gamma",
    "capability:*a",
    "-tag:omega",
    "tag:k*",
    "namespace:red",
    "name:*-*",
    "runtime:go",
    "-runtime:go",
    "model:m1",
    "author:ada",
    "license:mit",
    "kind:skill",
    "version:^1.2",
    "-version:>=2",
    "signed:yes",
    "rating:>=3",
];
const MORE: [&str; 6] =
    ["downloads:>5", "-downloads:<2", "updated:>=2026-01-10", "updated:<2026-01-20", "version:*", "license:apache-2.0"];
const SORTS: [Sort; 5] = [Sort::Relevance, Sort::Updated, Sort::Downloads, Sort::Rating, Sort::Name];
/// Repositories there are at most.
const REPOSITORIES: i64 = 24;

fn words(most: usize) -> impl Strategy<Value = Vec<&'static str>> {
    prop::collection::vec(select(&WORDS[..]), 0..=most)
}

fn document() -> impl Strategy<Value = Document> {
    let texts = (words(2), words(4), words(3), words(2), words(6));
    let more =
        (0..REPOSITORIES, select(vec!["", "go", "python"]), select(vec!["", "p/m1", "m2"]), 0..4usize, any::<bool>());
    let versions = subsequence(vec!["0.1.0", "1.0.0", "1.2.0", "1.3.0-rc.1", "2.0.0", "2.1.0+build"], 0..=6);
    (texts, more, versions, 0..30i64, 0..3usize, 0..20u64).prop_map(
        |(texts, more, versions, day, visibility, as_of)| {
            let (author, description, capabilities, tags, readme) = texts;
            let (repository_id, runtime, model, other, signed) = more;
            let owned = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
            let namespace = ["red", "green", "blue"][repository_id as usize % 3];
            // A repository keeps its name.
            let [one, other_word] = [0, 3].map(|more| WORDS[(repository_id as usize + more) % WORDS.len()]);
            let name = format!("{namespace}/{one}-{other_word}-x{repository_id}");
            let summary = Summary {
                repository: name.parse().unwrap(),
                version: versions.last().map(|it| (*it).to_owned()),
                digest: Digest::sha256(name.as_bytes()),
                description: description.join(" "),
                author: [String::new(), "Ada <ada@a.org>".to_owned(), author.join(" "), "ada".to_owned()][other]
                    .clone(),
                capabilities: owned(&capabilities),
                tags: owned(&tags),
                model: model.to_owned(),
                runtime: runtime.to_owned(),
                license: ["", "MIT", "Apache-2.0", "MIT OR Apache-2.0"][other].to_owned(),
                kind: ["agent", "skill"][other % 2].to_owned(),
                updated_at: format!("2026-01-{:02}T00:00:00Z", day + 1).parse().unwrap(),
            };
            Document {
                repository_id,
                summary,
                readme: readme.join(" "),
                versions: versions.iter().map(|version| version.parse().unwrap()).collect(),
                signed,
                visibility: Visibility::ALL[visibility],
                as_of,
            }
        },
    )
}

fn documents(most: usize) -> impl Strategy<Value = Vec<Change>> {
    let put = document().prop_map(|document| Change::Put(Box::new(document)));
    let change = prop_oneof![6 => put, 1 => (0..REPOSITORIES).prop_map(Change::Remove)];
    prop::collection::vec(change, 0..=most).prop_map(|changes| {
        let mut ids = BTreeSet::new();
        changes.into_iter().filter(|change| ids.insert(change.id())).collect()
    })
}

fn who() -> impl Strategy<Value = Who> {
    let names = || subsequence(vec!["red".to_owned(), "green".to_owned(), "blue".to_owned()], 0..=2);
    let repositories = prop::collection::vec(0..REPOSITORIES, 0..6);
    (names(), names(), repositories, 0..5u8).prop_map(|(namespaces, organisations, repositories, kind)| {
        let caller = Caller::user("ada".parse().unwrap());
        let reach = Reach::new("read".parse().unwrap(), vec!["red/*".parse().unwrap(), "green/a*".parse().unwrap()]);
        let narrow = Caller::new(caller.identity().clone(), reach, CredentialKind::Password, Origin::none());
        let sight = match kind {
            0 => Sight::everything(),
            1 => Sight::of(&caller, true),
            2 => Sight::of(&narrow, false),
            3 => Sight::of(&narrow, true),
            _ => Sight::of(&caller, false),
        };
        Who { sight, namespaces, organisations, repositories }
    })
}

fn query() -> impl Strategy<Value = Query> {
    let terms: Vec<&'static str> = TERMS.iter().chain(&MORE).copied().collect();
    prop::collection::vec(select(terms), 0..4)
        .prop_map(|terms| Query::parse(&terms.join(" "), Timestamp::UNIX_EPOCH).unwrap())
}

/// Something that happens to a search.
#[derive(Clone, Debug)]
enum Step {
    Apply(Vec<Change>),
    Show(i64, Visibility, u64),
    Rate(i64, Standing),
    Ask(Query, Sort, Who, usize),
}

fn step() -> impl Strategy<Value = Step> {
    let standing = (0..10u64, 0..4u64, 0..15u64).prop_map(|(downloads, count, stars)| Standing {
        downloads,
        rating: Rating::of(count, stars.min(count * 5)),
        signed: false,
    });
    prop_oneof![
        2 => documents(8).prop_map(Step::Apply),
        2 => (0..REPOSITORIES, 0..3usize, 0..20u64).prop_map(|(id, it, as_of)| Step::Show(id, Visibility::ALL[it], as_of)),
        2 => (0..REPOSITORIES, standing).prop_map(|(id, standing)| Step::Rate(id, standing)),
        8 => (query(), select(&SORTS[..]), who(), 1..9usize).prop_map(|(query, sort, who, limit)| Step::Ask(query, sort, who, limit)),
    ]
}

fn viewer(who: &Who) -> Viewer {
    let Who { sight, namespaces, organisations, repositories } = who.clone();
    Viewer::new(sight, namespaces, organisations, repositories)
}

/// Asks for all pages, and compares them with the model.
fn compare(search: &Search, model: &Model, query: &Query, sort: Sort, who: &Who, limit: usize) {
    let expected = model.search(query, sort, who);
    let viewer = viewer(who);
    let (mut after, mut found) = (None::<String>, vec![]);
    loop {
        let request = Request { query, sort, viewer: &viewer, after: after.as_deref(), limit, facets: true };
        let answer = search.search(&request).unwrap();
        if answer.relaxed {
            assert!(expected.is_empty() && after.is_none(), "{query:?}");
            let all = model.search(&Query::default(), sort, who);
            let is_seen = |id| all.iter().any(|(document, _)| document.repository_id == id);
            assert!(answer.found.iter().all(|found| is_seen(found.repository_id)));
            return;
        }
        assert_eq!(answer.total, expected.len() as u64, "{query:?} {who:?}");
        assert_eq!(answer.facets, Some(facets(&expected)), "{query:?}");
        assert!(answer.found.len() == limit || answer.next.is_none());
        found.extend(answer.found);
        after = answer.next;
        if after.is_none() {
            break;
        }
    }
    let mut ids: Vec<_> = found.iter().map(|found| found.repository_id).collect();
    let mut wanted: Vec<_> = expected.iter().map(|(document, _)| document.repository_id).collect();
    if sort == Sort::Relevance {
        ids.sort_unstable();
        wanted.sort_unstable();
    }
    assert_eq!(ids, wanted, "{query:?} {sort}");
    for found in found {
        let (document, _) = &model.documents[&found.repository_id];
        assert_eq!(found.repository, document.summary.repository);
        assert_eq!(found.version.as_ref().map(ToString::to_string), best(document, query), "{query:?}");
    }
}

/// The highest version in all ranges of a query.
fn best(document: &Document, query: &Query) -> Option<String> {
    let ranges = query.terms.iter().filter(|term| !term.negated).filter_map(|term| match &term.condition {
        crate::api::Condition::Version(range) => Some(range),
        _ => None,
    });
    ranges.clone().next()?;
    let versions = document.versions.iter().filter(|version| ranges.clone().all(|range| range.matches(version, false)));
    versions.max().map(|version| version.to_string().split('+').next().unwrap().to_owned())
}

fn play(search: &Search, model: &mut Model, steps: Vec<Step>) {
    for (position, step) in (1..).zip(steps) {
        match step {
            Step::Apply(changes) => {
                model.apply(&changes);
                search.apply(changes, position).unwrap();
                assert_eq!((search.position(), search.documents()), (position, model.documents.len() as u64));
            }
            Step::Show(id, visibility, as_of) => {
                model.set_visibility(id, visibility, as_of);
                search.set_visibilities(&[(id, visibility)], as_of);
            }
            Step::Rate(id, standing) => {
                model.documents.entry(id).and_modify(|known| known.1 = standing);
                search.set_standings(&[(id, standing)]);
            }
            Step::Ask(query, sort, who, limit) => compare(search, model, &query, sort, &who, limit),
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn answers_are_those_of_the_model(first in documents(20), steps in prop::collection::vec(step(), 1..40)) {
        let (search, mut model) = (Search::in_memory().unwrap(), Model::default());
        play(&search, &mut model, [vec![Step::Apply(first)], steps].concat());
    }

    #[test]
    fn a_restart_changes_nothing(
        first in documents(20),
        asked in prop::collection::vec((query(), select(&SORTS[..]), who(), 1..9usize), 1..10),
    ) {
        let directory = tempfile::tempdir().unwrap();
        let mut model = Model::default();
        let opened = Search::open(directory.path()).unwrap();
        prop_assert!(opened.is_new);
        let half = first.len() / 2;
        for (position, changes) in [(1, &first[..half]), (7, &first[half..])] {
            model.apply(changes);
            opened.search.apply(changes.to_vec(), position).unwrap();
        }
        drop(opened);
        let opened = Search::open(directory.path()).unwrap();
        prop_assert!(!opened.is_new);
        prop_assert_eq!(opened.search.position(), 7);
        let asked = asked.into_iter().map(|(query, sort, who, limit)| Step::Ask(query, sort, who, limit));
        play(&opened.search, &mut model, asked.collect());
    }

    #[test]
    fn pages_show_what_did_not_change_once(
        first in documents(30),
        changes in prop::collection::vec(documents(4), 1..6),
        query in query(),
        sort in select(&SORTS[..]),
        limit in 1..5usize,
        touched in prop::collection::vec(any::<Index>(), 6),
    ) {
        let search = Search::in_memory().unwrap();
        let mut model = Model::default();
        model.apply(&first);
        search.apply(first, 1).unwrap();
        let who = Who { sight: Sight::everything(), namespaces: vec![], organisations: vec![], repositories: vec![] };
        let touched: Vec<i64> = touched.iter().map(|index| index.index(REPOSITORIES as usize) as i64).collect();
        let expected = model.search(&query, sort, &who);
        let kept = expected.iter().map(|it| it.0.repository_id).filter(|id| !touched.contains(id));
        let mut kept: Vec<_> = kept.collect();
        let viewer = Viewer::everything();
        let (mut after, mut seen) = (None::<String>, vec![]);
        let mut changes = changes.into_iter();
        loop {
            let request = Request { query: &query, sort, viewer: &viewer, after: after.as_deref(), limit, facets: false };
            let answer = search.search(&request).unwrap();
            if answer.relaxed {
                return Ok(());
            }
            seen.extend(answer.found.iter().map(|found| found.repository_id).filter(|id| !touched.contains(id)));
            after = answer.next;
            if after.is_none() {
                break;
            }
            let meanwhile = changes.next().unwrap_or_default().into_iter().filter(|it| touched.contains(&it.id()));
            search.apply(meanwhile.collect(), 2).unwrap();
        }
        if sort == Sort::Relevance {
            kept.sort_unstable();
            seen.sort_unstable();
        }
        prop_assert_eq!(seen, kept);
    }
}
