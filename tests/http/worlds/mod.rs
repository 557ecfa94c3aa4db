//! Whole worlds of people, permissions and packages: whatever happens in them, everybody finds, reads, resolves and hears
//! of just what they may, at once and on every page.
//!
//! `WORLDS` says how many; 24 where nobody says. What fails is printed as the shortest list of steps that fails: that list
//! is the whole of the world, and plays again as an argument of [`play`].

mod asked;
mod callers;
mod doing;
mod goods;
mod listening;
mod moving;
mod people;
mod resolving;
mod searching;
mod shelf;
mod step;
mod world;

use proptest::test_runner::{Config, TestCaseError, TestRunner};
use step::Step;
use world::{Outcome, World};

use asked::Asked;
use shelf::REPOSITORIES;
use step::{SORTS, steps};

/// Steps of a world.
const STEPS: std::ops::Range<usize> = 40..110;
/// How often a list of steps that fails is made shorter, and for how many milliseconds.
const SHRINKS: u32 = 300;
const SHRINK_TIME: u32 = 60_000;

/// Plays a world to its end, where everybody asks about everything.
async fn play(steps: &[Step]) -> Outcome {
    let mut world = World::new().await;
    for (number, step) in steps.iter().enumerate() {
        world.act(step).await.map_err(|error| format!("step {number}, {step:?}: {error}"))?;
    }
    for caller in 0..u8::try_from(world.callers.len()).unwrap() {
        let search = |sort| Step::Search { caller, query: Asked::default(), sort, limit: 3 };
        let mut last: Vec<_> = (0..SORTS.len()).map(search).collect();
        last.extend((0..REPOSITORIES.len()).map(|repository| Step::Look { caller, repository }));
        last.push(Step::Events { caller, limit: 7 });
        for step in &last {
            world.act(step).await.map_err(|error| format!("at last, {step:?}: {error}"))?;
        }
    }
    Ok(())
}

#[expect(clippy::disallowed_methods, reason = "how many worlds are played is said when the tests are run")]
fn worlds() -> u32 {
    std::env::var("WORLDS").map_or(24, |worlds| worlds.parse().expect("WORLDS is a number"))
}

#[test]
fn everybody_finds_just_what_they_may() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let config = Config {
        cases: worlds(),
        max_shrink_iters: SHRINKS,
        max_shrink_time: SHRINK_TIME,
        failure_persistence: None,
        ..Config::default()
    };
    let outcome =
        TestRunner::new(config).run(&steps(STEPS), |steps| runtime.block_on(play(&steps)).map_err(TestCaseError::fail));
    outcome.unwrap_or_else(|error| panic!("{error}"));
}
