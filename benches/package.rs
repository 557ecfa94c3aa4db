//! What a push and a search cost before any byte is sent: reading, packing, unpacking and matching. `cargo bench`.
//!
//! Each case runs until it has taken a second, and the best run counts: others are the machine's business.
#![expect(clippy::print_stdout, reason = "the measured numbers are what this program is run for")]

use std::fs::{self, File};
use std::hint::black_box;
use std::io;
use std::path::Path;
use std::time::{Duration, Instant};

use agent_registry::api::{Query, Standing};
use agent_registry::package::{AgentYaml, Artifact, BlobContent, Config, Overrides, Source, Summary, stage};
use jiff::Timestamp;

/// Time each case is given.
const CASE: Duration = Duration::from_secs(1);
/// Files of the large package, each of [`FILE_BYTES`].
const FILES: usize = 500;
const FILE_BYTES: usize = 20_000;
/// Summaries a filter walks over.
const SUMMARIES: usize = 10_000;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/packages/sentiment-analyzer");
    let yaml = fs::read(example.join("agent.yaml"))?;
    measure("read agent.yaml", || black_box(AgentYaml::parse(&yaml)).is_ok());
    measure("pack the example", || pack(&example).is_ok());

    let folder = tempfile::tempdir()?;
    let large = large_package(folder.path())?;
    measure("draft 500 files, 10 MB", || draft(&large).is_ok());
    measure("pack 500 files, 10 MB", || pack(&large).is_ok());
    let artifact = pack(&large)?;
    measure("unpack 500 files, 10 MB", || unpack(&artifact).is_ok());

    let summaries = summaries(artifact.config(), &artifact)?;
    for text in ["capability:skill-42", "sentiment*", "author:team-3 version:^1.2"] {
        let query = Query::parse(text, Timestamp::now())?;
        let found = || summaries.iter().filter(|summary| query.matches(summary, &Standing::default())).count();
        measure(&format!("filter {SUMMARIES}: {text}"), || black_box(found()) <= SUMMARIES);
    }
    Ok(())
}

/// Prints the best time of a case that must succeed.
fn measure(name: &str, mut case: impl FnMut() -> bool) {
    let (started, mut best, mut runs) = (Instant::now(), Duration::MAX, 0_u32);
    while runs == 0 || started.elapsed() < CASE {
        let began = Instant::now();
        assert!(case(), "{name} must succeed");
        best = best.min(began.elapsed());
        runs += 1;
    }
    println!("{name:<45} {best:>12.1?}  best of {runs}");
}

fn draft(path: &Path) -> Result<Config, Box<dyn std::error::Error>> {
    Ok(Source::open(path)?.draft(&Overrides::default())?.config().clone())
}

fn pack(path: &Path) -> Result<Artifact, Box<dyn std::error::Error>> {
    Ok(Source::open(path)?.draft(&Overrides::default())?.pack()?)
}

fn unpack(artifact: &Artifact) -> Result<(), Box<dyn std::error::Error>> {
    let directory = tempfile::tempdir()?;
    let mut open = |descriptor: &agent_registry::oci::Descriptor| -> io::Result<Box<dyn io::Read>> {
        let blob = artifact.blobs().iter().find(|blob| blob.descriptor.digest == descriptor.digest);
        Ok(match &blob.ok_or(io::ErrorKind::NotFound)?.content {
            BlobContent::Bytes(bytes) => Box::new(io::Cursor::new(bytes.clone())),
            BlobContent::File(path) => Box::new(File::open(path)?),
        })
    };
    stage(artifact.manifest(), artifact.config(), &mut open, directory.path())?.swap()?;
    Ok(())
}

/// Text that compresses about as well as source code does.
fn large_package(parent: &Path) -> io::Result<std::path::PathBuf> {
    let root = parent.join("large");
    fs::create_dir_all(root.join("src"))?;
    let head = "apiVersion: agent.dev/v1\nkind: Agent\nmetadata: {name: large, version: 1.0.0}\n";
    fs::write(
        root.join("agent.yaml"),
        format!("{head}spec: {{runtime: go, model: {{provider: ollama, name: llama3.2}}}}\n"),
    )?;
    // A number after each word, so that no two files are the same.
    let mut words = ["let x", " = call(", ", index", ");\n", "return self."].into_iter().cycle();
    let mut state = 1_u64;
    for file in 0..FILES {
        let mut text = String::with_capacity(FILE_BYTES + 32);
        while text.len() < FILE_BYTES {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            text += words.next().unwrap_or_default();
            text += &(state >> 52).to_string();
        }
        fs::write(root.join(format!("src/file{file:03}.txt")), text)?;
    }
    Ok(root)
}

fn summaries(config: &Config, artifact: &Artifact) -> Result<Vec<Summary>, Box<dyn std::error::Error>> {
    let digest = artifact.manifest().digest();
    let mut summaries = Vec::with_capacity(SUMMARIES);
    for number in 0..SUMMARIES {
        let repository = format!("team-{}/agent-{number:05}", number % 7).parse()?;
        let summary = config.summary(repository, digest, Timestamp::now());
        summaries.push(Summary {
            version: Some(format!("1.{}.0", number % 20)),
            description: format!("Agent number {number} reads text and rates its sentiment"),
            author: format!("team-{}", number % 7),
            capabilities: vec!["chat".to_owned(), format!("skill-{}", number % 100)],
            ..summary
        });
    }
    Ok(summaries)
}
