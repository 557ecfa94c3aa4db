//! The catalogue with a million versions of a hundred thousand packages: what questions take, alone and beside pushes,
//! what it costs to keep it, and what a start takes.

mod artifact;
mod ask;
mod facts;
mod fill;
mod people;
mod plan;
mod pushing;
mod questions;
mod random;
mod start;
mod vocabulary;
mod world;

use anyhow::Result;

use crate::bench::{Bench, folder};
use crate::figure::{Aim, Figure};
use crate::load::count;
use crate::server::Server;
use questions::Kind;
use world::World;

/// Packages of the larger world, and how much longer its answers may take.
const MANY_PACKAGES: usize = 1_000_000;
const MANY_TIMES: f64 = 3.0;
/// Pushes of a round that search is watched for.
const WATCHED: usize = 40;

/// The times of each kind of question, by rounds: p50, p99.
type Times = Vec<[Vec<f64>; 2]>;

pub(crate) async fn measure(bench: &mut Bench) -> Result<()> {
    let few = bench.options.packages;
    let times = of(bench, few).await?;
    if bench.options.million && few < MANY_PACKAGES {
        let more = of(bench, MANY_PACKAGES).await?;
        for ((kind, [_, p99]), [_, before]) in
            times.into_iter().zip(more).map(|((kind, times), (_, more))| ((kind, more), times))
        {
            bench.add(Figure {
                work: format!("search: {kind}, p99 with {MANY_PACKAGES} packages"),
                unit: "ms",
                ours: p99,
                peer: Some(("with fewer", before)),
                aim: Aim::AtMostTimes(MANY_TIMES),
            });
        }
    }
    Ok(())
}

/// Measures everything over the world of so many packages. Answers the times of questions that nothing was beside.
async fn of(bench: &mut Bench, packages: usize) -> Result<Vec<(&'static str, [Vec<f64>; 2])>> {
    let world = World::of(packages).await?;
    let facts = &world.facts;
    println!(
        "{} packages, {} versions; the user sees {}; words: {:?}",
        facts.packages, facts.versions, facts.visible, facts.frequent
    );
    stored(bench, &world)?;
    starts(bench, &world).await?;
    let kinds = questions::all(&world.facts);
    let server = start::start(&world).await?.0;
    start::check(&server, &world).await?;
    let mut connection = ask::connect(&server).await?;
    for kind in &kinds {
        ask::check(&mut connection, kind).await?;
    }
    let alone = times(bench, &server, &kinds, false).await?;
    memory(bench, &server, &kinds).await?;
    times(bench, &server, &kinds, true).await?;
    pushes(bench, &server).await?;
    Ok(kinds.iter().map(|kind| kind.name).zip(alone).collect())
}

/// What the disk holds for it.
fn stored(bench: &mut Bench, world: &World) -> Result<()> {
    let facts = &world.facts;
    let content = facts.manifest_bytes + facts.blob_bytes;
    let beside = world.database_bytes()?.saturating_sub(content);
    let each = |bytes: u64, number: usize| bytes_as_number(bytes) / count(number);
    let figure =
        |work: &str, ours, aim| Figure { work: work.to_owned(), unit: "bytes", ours: vec![ours], peer: None, aim };
    bench.add(figure("a version's manifest", each(facts.manifest_bytes, facts.versions), Aim::None));
    bench.add(figure(
        "a version in the database, beside manifest and blobs",
        each(beside, facts.versions),
        Aim::AtMost(1024.0),
    ));
    Ok(())
}

/// Starts: with nothing of search, with all of it, after missed events; and what search has on the disk.
async fn starts(bench: &mut Bench, world: &World) -> Result<()> {
    let figure = |work: &str, unit, ours, aim| Figure { work: work.to_owned(), unit, ours, peer: None, aim };
    world.forget_search()?;
    let (server, [answers, built]) = start::start(world).await?;
    drop(server);
    bench.add(figure("search built from nothing", "s", vec![built], Aim::None));
    let bytes = bytes_as_number(world.search_bytes()?) / count(world.facts.packages);
    bench.add(figure("search on the disk, for a package", "bytes", vec![bytes], Aim::AtMost(400.0)));
    let (mut first, mut ready, mut replayed) = (vec![answers], vec![], vec![]);
    for _ in 0..bench.options.rounds {
        let (server, [answers, seconds]) = start::start(world).await?;
        drop(server);
        first.push(answers);
        ready.push(seconds);
        start::miss(world).await?;
        let (server, [answers, seconds]) = start::start(world).await?;
        drop(server);
        first.push(answers);
        replayed.push(seconds);
    }
    bench.add(figure("start to the first answer", "s", first, Aim::AtMost(0.3)));
    bench.add(figure("start to search", "s", ready, Aim::AtMost(1.0)));
    let work = format!("start to search, with {} events missed", start::MISSED);
    bench.add(figure(&work, "s", replayed, Aim::AtMost(5.0)));
    Ok(())
}

/// Asks all kinds of questions, round by round.
async fn times(bench: &mut Bench, server: &Server, kinds: &[Kind], beside: bool) -> Result<Times> {
    let mut connection = ask::connect(server).await?;
    let mut found: Times = kinds.iter().map(|_| [vec![], vec![]]).collect();
    let (mut rates, mut seen) = (vec![], vec![]);
    for _ in 0..bench.options.rounds {
        let pushes = if beside { Some(pushing::Pushes::begin(server).await?) } else { None };
        for (kind, values) in kinds.iter().zip(&mut found) {
            for (values, value) in values.iter_mut().zip(ask::ask(&mut connection, kind).await?) {
                values.push(value);
            }
        }
        if let Some(pushes) = pushes {
            seen.push(ask::percentiles(pushing::until_seen(server, WATCHED).await?));
            rates.push(pushes.end().await?);
        }
    }
    let (times, place) = if beside { (2.0, " beside pushes") } else { (1.0, "") };
    for (kind, values) in kinds.iter().zip(&found) {
        for ((values, aim), part) in values.iter().zip(kind.aims).zip(["p50", "p99"]) {
            let (work, ours) = (format!("search: {}{place}, {part}", kind.name), values.clone());
            bench.add(Figure { work, unit: "ms", ours, peer: None, aim: Aim::AtMost(aim * times) });
        }
    }
    if beside {
        let work = "pushes of agent packages beside them".to_owned();
        bench.add(Figure { work, unit: "/s", ours: rates, peer: None, aim: Aim::None });
        add_seen(bench, " beside pushes", &seen);
    }
    Ok(found)
}

/// What memory a registry takes beyond one that is empty, both having answered the same questions.
async fn memory(bench: &mut Bench, server: &Server, kinds: &[Kind]) -> Result<()> {
    let folder = folder()?;
    let empty = world::serve(folder.path())?;
    let mut connection = crate::http::Connection::open(empty.address).await?.showing(people::ADMIN_TOKEN);
    for path in kinds
        .iter()
        .filter(|kind| kind.paths.iter().all(|path| path.contains("?q=")))
        .flat_map(|kind| kind.paths.iter().take(100))
    {
        ask::json(&mut connection, path).await?;
    }
    for (work, key, aim) in [("", "VmRSS", Aim::AtMost(150.0)), (", without mapped files", "RssAnon", Aim::None)] {
        let work = format!("memory of a full catalogue, beyond an empty one{work}");
        let ours = vec![server.memory(key)? - empty.memory(key)?];
        bench.add(Figure { work, unit: "MiB", ours, peer: None, aim });
    }
    Ok(())
}

/// What a push costs where much is stored, and until search sees it.
async fn pushes(bench: &mut Bench, full: &Server) -> Result<()> {
    let folder = folder()?;
    let empty = world::serve(folder.path())?;
    let cost = async |server: &Server| Ok([pushing::cost(server).await?]);
    let [[ours], [peer]] = bench.alternate([full, &empty], cost).await?;
    bench.add(Figure {
        work: "push of an agent package into a full catalogue".to_owned(),
        unit: "ms",
        ours,
        peer: Some(("into an empty one", peer)),
        aim: Aim::AtMostTimes(1.2),
    });
    let mut seen = vec![];
    for _ in 0..bench.options.rounds {
        seen.push(ask::percentiles(pushing::until_seen(full, WATCHED).await?));
    }
    add_seen(bench, "", &seen);
    Ok(())
}

fn add_seen(bench: &mut Bench, place: &str, seen: &[[f64; 2]]) {
    for (column, part) in ["p50", "p99"].into_iter().enumerate() {
        let ours = seen.iter().map(|round| round[column]).collect();
        let work = format!("from a push's 201 to search{place}, {part}");
        bench.add(Figure { work, unit: "ms", ours, peer: None, aim: Aim::AtMost(500.0) });
    }
}

fn bytes_as_number(bytes: u64) -> f64 {
    // In KiB, of which there are few enough for an exact number.
    f64::from(u32::try_from(bytes / 1024).unwrap_or(u32::MAX)) * 1024.0
}
