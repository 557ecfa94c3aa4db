<<<<<<< HEAD
//! A registry inside a program of one's own: `cargo run --example embed_registry -- DIRECTORY`, ended by Ctrl-C.
=======
//! Runs a registry inside a program: opened over a folder, bound to a free port, stopped by Ctrl-C.
//!
//! `cargo run --example embed_registry -- [FOLDER]`
#![expect(clippy::print_stdout, reason = "the address is what this program answers with")]
>>>>>>> main

use std::io::Write;
use std::path::PathBuf;

use agent_registry::server::{Config, Server};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args_os().skip(1);
    let data = arguments.next().map_or_else(|| std::env::temp_dir().join("agent-registry-example"), PathBuf::from);
    // Port 0 is any free one; loopback only, since nobody has to sign in.
    let config = Config { listen: ([127, 0, 0, 1], 0).into(), data, ..Config::default() };
    let server = Server::bind(config).await?;
    let url = server.url().to_owned();
    writeln!(std::io::stdout(), "{url}")?;

    // Whatever the program waits for stops the registry; running requests end first.
    let stop = async {
        if let Err(error) = tokio::signal::ctrl_c().await {
            tracing::error!(%error, "cannot wait for Ctrl-C");
        }
    };
    server.run(stop).await?;
    Ok(())
}
