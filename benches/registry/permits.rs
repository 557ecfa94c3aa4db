//! What it costs to ask whether somebody may read: a private repository by a token, beside one that everybody may read
//! because nobody is asked.

use std::fs;
use std::path::Path;
use std::rc::Rc;

use agent_registry::auth::{Grantee, Level, Role};
use agent_registry::index::repositories::{self, Creator};
use agent_registry::index::{Error, Session, Sqlite, accounts, grants, organisations};
use agent_registry::oci::known;
use anyhow::{Context as _, Result};
use jiff::Timestamp;

use crate::bench::{Bench, folder};
use crate::figure::{Aim, Figure};
use crate::http::{Connection, head};
use crate::manifests::{READERS, read};
use crate::package::{Package, push};
use crate::server::Server;

/// A token of the older form, which needs no checksum.
const TOKEN: &str = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";
const REPOSITORY: &str = "bench/private";
const MANIFESTS: usize = 200;
/// Users, organisations and grants where there are many.
const USERS: usize = 100_000;
const ORGANISATIONS: usize = 10_000;
const GRANTS: usize = 1_000_000;
/// Written in one transaction.
const BATCH: usize = 1_000;

pub(crate) async fn measure(bench: &mut Bench) -> Result<()> {
    let (open, data) = (Server::ours(None)?, folder()?);
    let asked = signed(data.path())?;
    for server in [&open, &asked] {
        store(server).await?;
    }
    compare(bench, "GET manifest by tag, with a permit", (&asked, "without", &open)).await?;
    if bench.options.million {
        let many = folder()?;
        drop(signed(many.path())?);
        fill(&many.path().join("data/index.sqlite")).await?;
        let many = signed(many.path())?;
        store(&many).await?;
        let work = "GET manifest by tag, with a permit among 100,000 users and 1,000,000 grants";
        compare(bench, work, (&many, "among few", &asked)).await?;
    }
    Ok(())
}

async fn compare(bench: &mut Bench, work: &str, (ours, name, other): (&Server, &'static str, &Server)) -> Result<()> {
    let authorization = format!("Bearer {TOKEN}");
    let headers = [("accept", known::OCI_MANIFEST), ("authorization", &authorization)];
    let of = |number| head("GET", &format!("/v2/{REPOSITORY}/manifests/v{number}"), &headers);
    let requests: Rc<Vec<String>> = Rc::new((0..MANIFESTS).map(of).collect());
    let rate = async |server: &Server| Ok([read(server, READERS, &requests).await?.rate()]);
    let [[ours], [other]] = bench.alternate([ours, other], rate).await?;
    let (work, peer) = (work.to_owned(), Some((name, other)));
    bench.add(Figure { work, unit: "/s", ours, peer, aim: Aim::AtLeastTimes(0.9) });
    Ok(())
}

/// Our registry with accounts, whose administrator has [`TOKEN`].
fn signed(folder: &Path) -> Result<Server> {
    let token = folder.join("token");
    fs::write(&token, TOKEN)?;
    let token = token.to_str().context("the folder's name is no UTF-8")?;
    Server::ours_over(&folder.join("data"), &["--admin-token-file", token])
}

async fn store(server: &Server) -> Result<()> {
    let mut connection = Connection::open(server.address).await?.showing(TOKEN);
    for number in 0..MANIFESTS {
        push(&mut connection, REPOSITORY, &Package::unique(), &format!("v{number}")).await?;
    }
    Ok(())
}

/// Makes people and what they were granted, without a server between.
async fn fill(path: &Path) -> Result<()> {
    let index = Sqlite::open(path)?;
    for (most, make) in [(USERS, user as Make), (ORGANISATIONS, organisation), (GRANTS, grant)] {
        for first in (0..most).step_by(BATCH) {
            index.write(move |session| (first..first + BATCH).try_for_each(|number| make(session, number))).await?;
        }
    }
    Ok(())
}

type Make = fn(&mut dyn Session, usize) -> Result<(), Error>;

fn user(session: &mut dyn Session, number: usize) -> Result<(), Error> {
    // Names made here are names, so nothing is left out; were it otherwise, the count of rows would tell.
    let Ok(name) = format!("user-{number}").parse() else { return Ok(()) };
    accounts::create_user(session, &name, false, Timestamp::now()).map(|_| ())
}

fn organisation(session: &mut dyn Session, number: usize) -> Result<(), Error> {
    let (Ok(name), Ok(owner)) = (format!("org-{number}").parse(), format!("user-{number}").parse()) else {
        return Ok(());
    };
    let id = accounts::create_organisation(session, &name, Timestamp::now())?;
    let Some(owner) = accounts::user(session, &owner)? else { return Ok(()) };
    organisations::set_member(session, id, owner.id, Role::Owner, Timestamp::now())
}

fn grant(session: &mut dyn Session, number: usize) -> Result<(), Error> {
    let repository = format!("org-{}/agent", number % ORGANISATIONS).parse();
    // Each repository is granted to a hundred users.
    let user = format!("user-{}", (number / ORGANISATIONS + number % ORGANISATIONS * 7) % USERS).parse();
    let (Ok(repository), Ok(user)) = (repository, user) else { return Ok(()) };
    let repository = repositories::create(session, &repository, Creator::System, Timestamp::now())?;
    let Some(grantee) = grants::grantee(session, &Grantee::User(user))? else { return Ok(()) };
    grants::set(session, repository, grantee, Level::Read, None, Timestamp::now())
}
