//! The questions, and how they went.

use agent_registry::api::{Query, Sort};
use agent_registry::search::{Request, Search, Viewer};
use jiff::Timestamp;
use serde::Deserialize;

/// How many of the questions must be answered.
pub(crate) const MUST_PASS: usize = 54;
/// Among how many of the first answers one that is right must be.
pub(crate) const TOP: usize = 5;
/// How many answers are looked through for the table.
const DEPTH: usize = 100;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Question {
    pub(crate) ask: String,
    pub(crate) expect: Vec<String>,
    pub(crate) kind: String,
    pub(crate) half: String,
}

#[derive(Deserialize)]
struct Questions {
    question: Vec<Question>,
}

/// How a question went.
pub(crate) struct Outcome {
    /// The place of the first answer that is right, from 1; nothing where none is among the first [`DEPTH`].
    pub(crate) rank: Option<usize>,
    pub(crate) total: u64,
    pub(crate) relaxed: bool,
}

impl Outcome {
    pub(crate) fn passes(&self) -> bool {
        self.rank.is_some_and(|rank| rank <= TOP)
    }
}

pub(crate) fn questions() -> Vec<Question> {
    let questions: Questions = toml::from_str(include_str!("questions.toml")).expect("questions");
    assert_eq!(questions.question.len(), 60);
    questions.question
}

impl Question {
    pub(crate) fn put(&self, search: &Search) -> Outcome {
        let query = Query::parse(&self.ask, Timestamp::now()).unwrap_or_else(|error| panic!("{}: {error}", self.ask));
        let viewer = Viewer::everything();
        let sort = query.sort.unwrap_or(Sort::Relevance);
        let request = Request { query: &query, sort, viewer: &viewer, after: None, limit: DEPTH, facets: false };
        let answer = search.search(&request).expect("an answer");
        let is_right = |found: &str| {
            let last = found.rsplit('/').next().unwrap_or(found);
            self.expect.iter().any(|expected| expected == found || expected == last)
        };
        let rank = answer.found.iter().position(|found| is_right(found.repository.as_str())).map(|at| at + 1);
        Outcome { rank, total: answer.total, relaxed: answer.relaxed }
    }
}
