//! Runs a registry inside a program: opened over a folder, bound to a free port, stopped by Ctrl-C.
//!
//! `cargo run --example embed_registry -- [FOLDER]`
#![expect(clippy::print_stdout, reason = "the address is what this program answers with")]

use agent_registry::server::{Config, Server, start_logs};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let temporary = tempfile::tempdir()?;
    let folder = std::env::args_os().nth(1).map_or_else(|| temporary.path().to_owned(), Into::into);
    let config =
        Config { listen: ([127, 0, 0, 1], 0).into(), data: folder, insecure_no_auth: true, ..Config::default() };

    start_logs(&config.log)?;
    let server = Server::bind(config).await?;
    println!("{}", server.url());
    server
        .run(async {
            // An error means that nobody can ask for the end; the program then serves until it is killed.
            if tokio::signal::ctrl_c().await.is_err() {
                std::future::pending::<()>().await;
            }
        })
        .await?;
    Ok(())
}
