//! Reads what an agent says of itself, and what its package would be, without a registry:
//! `cargo run --example read_package -- examples/packages/sentiment-analyzer`.

use std::io::Write;
use std::path::PathBuf;

use agent_registry::package::{Overrides, Source};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let path = std::env::args_os().nth(1).map_or_else(
        || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("examples/packages/sentiment-analyzer"),
        PathBuf::from,
    );
    let source = Source::open(&path)?;
    let mut out = std::io::stdout().lock();
    for warning in source.warnings() {
        writeln!(out, "{}:{warning}", source.document().display())?;
    }
    let metadata = source.metadata();
    let version = metadata.version.as_ref().map_or_else(|| "no version".to_owned(), ToString::to_string);
    writeln!(out, "{} ({version}): {}", metadata.name, metadata.description.as_deref().unwrap_or("no description"))?;
    writeln!(out, "can: {}", metadata.capabilities.join(", "))?;

    // The digest depends on the tree alone: anyone who packs these files gets this one.
    let artifact = source.draft(&Overrides::default())?.pack()?;
    writeln!(out, "packs to {}", artifact.manifest().digest())?;
    for blob in artifact.blobs() {
        let descriptor = &blob.descriptor;
        writeln!(out, "  {:>8} bytes  {}  {}", descriptor.size, descriptor.media_type, descriptor.digest)?;
    }
    Ok(())
}
