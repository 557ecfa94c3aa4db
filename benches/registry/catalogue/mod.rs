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
use crate::search_chart::name;
use crate::server::Server;
use questions::Kind;
use world::World;

/// Packages of the larger world, and how much longer its answers may take.
const MANY_PACKAGES: usize = 1_000_000;
const MANY_TIMES: f64 = 3.0;
/// How much longer an answer may take beside pushes.
const BESIDE_TIMES: f64 = 2.0;
/// Pushes of a round that search is watched for.
const WATCHED: usize = 40;

/// The times of each kind of question, by rounds: p50, p99.
type Times = Vec<[Vec<f64>; 2]>;

pub(crate) async fn measure(bench: &mut Bench) -> Result<()> {
    let world = World::of(bench.options.packages).await?;
    stored(bench, &world);
    starts(bench, &world).await?;
    let (server, kinds) = serve(&world).await?;
    let alone = times(bench, &server, &kinds).await?;
    add(bench, &kinds, &alone, false);
    memory(bench, &server, &kinds).await?;
    beside(bench, &server, &kinds).await?;
    pushes(bench, &server).await?;
    drop(server);
    if bench.options.million { with_many(bench, &kinds, alone).await } else { Ok(()) }
}

/// Starts a server that sees what it should, and makes questions that find what they should.
async fn serve(world: &World) -> Result<(Server, Vec<Kind>)> {
    let facts = &world.facts;
    let (packages, versions, visible) = (facts.packages, facts.versions, facts.visible);
    println!("{packages} packages, {versions} versions, {visible} in sight; frequent words: {:?}", facts.frequent);
    let (server, _) = start::start(world).await?;
    start::check(&server, world).await?;
    let kinds = questions::all(facts);
    let mut connection = ask::connect(&server).await?;
    for kind in &kinds {
        ask::check(&mut connection, kind).await?;
    }
    Ok((server, kinds))
}

/// Compares answers among many more packages with those among fewer.
async fn with_many(bench: &mut Bench, kinds: &[Kind], fewer: Times) -> Result<()> {
    let world = World::of(MANY_PACKAGES).await?;
    let (server, more) = serve(&world).await?;
    let times = times(bench, &server, &more).await?;
    for ((kind, [_, ours]), [_, fewer]) in kinds.iter().zip(times).zip(fewer) {
        bench.add(Figure {
            work: format!("{} with {MANY_PACKAGES} packages", name(kind.name, false, "p99")),
            unit: "ms",
            ours,
            peer: Some(("with fewer", fewer)),
            aim: Aim::AtMostTimes(MANY_TIMES),
        });
    }
    drop(server);
    // It takes more of the disk than anybody would want to miss.
    world.discard()
}

/// What the disk holds for it.
fn stored(bench: &mut Bench, world: &World) {
    let facts = &world.facts;
    let content = facts.manifest_bytes + facts.blob_bytes;
    let beside = world.made_bytes.saturating_sub(content);
    let each = |bytes: u64, number: usize| bytes_as_number(bytes) / count(number);
    let figure =
        |work: &str, ours, aim| Figure { work: work.to_owned(), unit: "bytes", ours: vec![ours], peer: None, aim };
    bench.add(figure("a version's manifest", each(facts.manifest_bytes, facts.versions), Aim::None));
    bench.add(figure(
        "a version in the database, beside manifest and blobs",
        each(beside, facts.versions),
        Aim::AtMost(1024.0),
    ));
}

/// Starts: with nothing of search, with all of it, after missed events; and what search has on the disk.
async fn starts(bench: &mut Bench, world: &World) -> Result<()> {
    let figure = |work: &str, unit, ours, aim| Figure { work: work.to_owned(), unit, ours, peer: None, aim };
    world.forget_search()?;
    let (server, [answers, built]) = start::start(world).await?;
    drop(server);
    bench.add(figure("search built from nothing", "s", vec![built], Aim::None));
    let (mut first, mut ready, mut replayed, mut bytes) = (vec![answers], vec![], vec![], vec![]);
    for _ in 0..bench.options.rounds {
        let (server, [answers, seconds]) = start::start(world).await?;
        let packages = ask::total(&server).await?;
        drop(server);
        bytes.push(bytes_as_number(world.search_bytes()?) / count(packages));
        first.push(answers);
        ready.push(seconds);
        start::miss(world).await?;
        let (server, [answers, seconds]) = start::start(world).await?;
        drop(server);
        first.push(answers);
        replayed.push(seconds);
    }
    bench.add(figure("search on the disk, for a package", "bytes", bytes, Aim::AtMost(400.0)));
    bench.add(figure("start to the first answer", "s", first, Aim::AtMost(0.3)));
    bench.add(figure("start to search", "s", ready, Aim::AtMost(1.0)));
    let work = format!("start to search, with {} events missed", start::MISSED);
    bench.add(figure(&work, "s", replayed, Aim::AtMost(5.0)));
    Ok(())
}

/// Asks all kinds of questions, round by round.
async fn times(bench: &Bench, server: &Server, kinds: &[Kind]) -> Result<Times> {
    let mut found: Times = kinds.iter().map(|_| [vec![], vec![]]).collect();
    for _ in 0..bench.options.rounds {
        round(server, kinds, &mut found).await?;
    }
    Ok(found)
}

async fn round(server: &Server, kinds: &[Kind], found: &mut Times) -> Result<()> {
    let mut connection = ask::connect(server).await?;
    for (kind, values) in kinds.iter().zip(found) {
        for (values, value) in values.iter_mut().zip(ask::ask(&mut connection, kind).await?) {
            values.push(value);
        }
    }
    Ok(())
}

/// Asks all of them while packages are pushed, and looks how soon search sees those.
async fn beside(bench: &mut Bench, server: &Server, kinds: &[Kind]) -> Result<()> {
    let mut found: Times = kinds.iter().map(|_| [vec![], vec![]]).collect();
    let (mut rates, mut seen) = (vec![], vec![]);
    for _ in 0..bench.options.rounds {
        let pushes = pushing::Pushes::begin(server).await?;
        round(server, kinds, &mut found).await?;
        seen.push(ask::percentiles(pushing::until_seen(server, WATCHED).await?));
        rates.push(pushes.end().await?);
    }
    add(bench, kinds, &found, true);
    let work = "pushes of agent packages beside them".to_owned();
    bench.add(Figure { work, unit: "/s", ours: rates, peer: None, aim: Aim::None });
    add_seen(bench, " beside pushes", &seen);
    Ok(())
}

fn add(bench: &mut Bench, kinds: &[Kind], times: &Times, beside: bool) {
    for (kind, values) in kinds.iter().zip(times) {
        for ((values, aim), part) in values.iter().zip(kind.aims).zip(["p50", "p99"]) {
            let (work, ours) = (name(kind.name, beside, part), values.clone());
            let aim = Aim::AtMost(if beside { aim * BESIDE_TIMES } else { aim });
            bench.add(Figure { work, unit: "ms", ours, peer: None, aim });
        }
    }
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
