//! What clients do with versions that were yanked or deprecated: all get the right bytes, and some show the warning.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use agent_registry::oci::Digest;

use crate::agent::Agent;
use crate::contents::{contents, expected};
use crate::home::Home;
use crate::layout::checked;
use crate::packages::example;
use crate::process::Process;
use crate::programs::{Said, run};
use crate::regctl;

const NAME: &str = "sentiment-analyzer";

/// A package of which one version was yanked, one deprecated, and one is as it was.
struct Shelf {
    server: Process,
    /// Version and digest.
    versions: [(&'static str, String); 3],
    agent: Agent,
}

impl Shelf {
    fn new() -> Self {
        let (server, agent) = (Process::spawn(), Agent::new());
        let folder = example(NAME);
        let versions = ["0.8.0", "0.9.0", "1.0.0"].map(|version| {
            let reference = format!("{}/ai-team/{NAME}:{version}", server.host());
            let said = agent.ok(&["push", &reference, "--path", &folder.to_string_lossy(), "--set-version", version]);
            let (_, digest) = said.lines().last().expect("a reference").split_once('@').expect("a digest");
            (version, digest.to_owned())
        });
        let shelf = Self { server, versions, agent };
        shelf.agent.ok(&["yank", &shelf.tagged(2), "--message", "it rates nothing"]);
        let newer = format!("ai-team/{NAME}:0.8.0");
        shelf.agent.ok(&["deprecate", &shelf.tagged(1), "--message", "it is slow", "--superseded-by", &newer]);
        shelf
    }

    fn repository(&self) -> String {
        format!("{}/ai-team/{NAME}", self.server.host())
    }

    fn tagged(&self, index: usize) -> String {
        format!("{}:{}", self.repository(), self.versions[index].0)
    }

    fn pinned(&self, index: usize) -> String {
        format!("{}@{}", self.repository(), self.versions[index].1)
    }
}

/// Pulls a reference into an empty home, and says what was said; the bytes were looked at.
type Pull = fn(&Home, &str, &str) -> Said;

const CLIENTS: [(&str, Pull); 5] =
    [("oras", oras), ("crane", crane), ("regctl", with_regctl), ("skopeo", skopeo), ("agent", agent)];

fn succeeded(said: Said) -> Said {
    assert!(said.success, "{}{}", said.stdout, said.stderr);
    said
}

fn oras(home: &Home, reference: &str, _: &str) -> Said {
    let said = run(&mut home.command("oras", &["pull", "--plain-http", reference, "--output", "out"]));
    let file = contents(&home.path("out").join(NAME));
    let all = expected(&example(NAME));
    assert_eq!(file.keys().collect::<Vec<_>>(), all.keys().collect::<Vec<_>>(), "{reference}");
    succeeded(said)
}

fn crane(home: &Home, reference: &str, digest: &str) -> Said {
    let said = run(&mut home.command("crane", &["pull", "--format=oci", reference, "layout"]));
    assert_eq!(checked(&home.path("layout")), digest, "{reference}");
    succeeded(said)
}

fn with_regctl(home: &Home, reference: &str, digest: &str) -> Said {
    let said = regctl::attempt(home, &["manifest", "get", "--format", "raw-body", reference]);
    assert_eq!(Digest::sha256(said.stdout.as_bytes()).to_string(), digest, "{reference}");
    succeeded(said)
}

fn skopeo(home: &Home, reference: &str, digest: &str) -> Said {
    let from = format!("docker://{reference}");
    let arguments = ["--insecure-policy", "copy", "--src-tls-verify=false", &from, "dir:copied"];
    let said = run(&mut home.command("skopeo", &arguments));
    assert_eq!(Digest::sha256(&home.read("copied/manifest.json")).to_string(), digest, "{reference}");
    succeeded(said)
}

fn agent(home: &Home, reference: &str, _: &str) -> Said {
    let agent = Agent::new();
    let out = home.path("out");
    let said = run(&mut agent.command(&["pull", reference, "--directory", &out.to_string_lossy()]));
    assert!(out.join(NAME).join("agent.yaml").exists(), "{reference}: {}", said.stderr);
    succeeded(said)
}

/// The lines about a warning, as they are on every machine and day.
fn warnings(said: &Said, shelf: &Shelf) -> Vec<String> {
    let all = format!("{}\n{}", said.stderr, said.stdout);
    let lines = all.lines().filter(|line| line.contains("yanked") || line.contains("deprecated"));
    let plain = |line: &str| {
        // The time at the beginning of a line, and colours.
        let line = line
            .split_once("Z][")
            .map_or_else(|| line.to_owned(), |(_, rest)| format!("[{rest}"))
            .replace("\u{1b}[1;33m", "")
            .replace("\u{1b}[0m", "");
        let mut text = line.replace(shelf.server.host(), "HOST");
        for (version, digest) in &shelf.versions {
            text = text.replace(digest, &format!("DIGEST-OF-{version}"));
        }
        // Logs begin with the time.
        match text.split_once("time=") {
            Some((before, rest)) => format!("{before}{}", rest.split_once(' ').map_or(rest, |(_, rest)| rest)),
            None => text,
        }
    };
    lines.map(plain).collect()
}

#[test]
fn every_client_gets_what_was_taken_back_and_the_committed_table_says_who_shows_why() {
    let shelf = Shelf::new();
    let mut table = "# Warnings\n\nWhat clients say when they pull a version that was yanked or deprecated. All of them \
                     get it, by tag and by digest, and end without an error; the registry sends `Warning: 299` with it, \
                     and – is where a client does not show that. The test writes this file.\n\n| client | of a version \
                     | says |\n|---|---|---|\n"
        .to_owned();
    for (client, pull) in CLIENTS {
        for (index, state) in [(2, "yanked"), (1, "deprecated"), (0, "plain")] {
            let digest = &shelf.versions[index].1;
            for (by, reference) in [("tag", shelf.tagged(index)), ("digest", shelf.pinned(index))] {
                let said = warnings(&pull(&Home::new(), &reference, digest), &shelf);
                if state == "plain" {
                    assert!(said.is_empty(), "{client} warns of {reference}: {said:?}");
                    continue;
                }
                let said = if said.is_empty() { "–".to_owned() } else { format!("`{}`", said.join("` `")) };
                assert!(client != "agent" || said.contains(state), "our own command always says it: {said}");
                let _ = writeln!(table, "| {client} | {state}, by {by} | {said} |");
            }
        }
    }
    let new = Path::new(env!("CARGO_TARGET_TMPDIR")).join("WARNINGS.md");
    fs::write(&new, &table).expect("the table is written");
    let committed = Path::new(env!("CARGO_MANIFEST_DIR")).join("spec-conformance/WARNINGS.md");
    let is_same = fs::read_to_string(&committed).is_ok_and(|old| old == table);
    assert!(is_same, "{} is not what was run; look at {} and copy it there", committed.display(), new.display());
}

#[test]
fn ranges_latest_and_search_skip_what_was_yanked() {
    let shelf = Shelf::new();
    let agent = Agent::new();
    let repository = shelf.repository();
    // 1.0.0 was yanked, so that 0.9.0 is the highest, and says that it is deprecated.
    for (wanted, got) in [("@*", 1), ("@>=0.8", 1), ("@^0.8", 0), (":latest", 1), ("", 1)] {
        let place = Home::new();
        let directory = place.path("out");
        let reference = format!("{repository}{wanted}");
        let said = run(&mut agent.command(&["pull", &reference, "--directory", &directory.to_string_lossy()]));
        assert!(said.success, "{reference}: {}", said.stderr);
        let version = shelf.versions[got].0;
        let text = fs::read_to_string(directory.join(NAME).join("agent.yaml")).expect("the package");
        let all = format!("{}{}", said.stdout, said.stderr);
        assert!(
            all.contains(&shelf.versions[got].1) || all.contains(version) || text.contains(version),
            "{reference}: {all}"
        );
        assert_eq!(all.contains("deprecated"), got == 1, "{reference}: {all}");
        assert!(!all.contains("yanked"), "{reference}: {all}");
    }
    for wanted in ["@^1", "@=1.0.0"] {
        agent.refused(&["pull", &format!("{repository}{wanted}"), "--directory", "out"]);
    }
    let search = |query: &str| {
        let registry = format!("http://{}", shelf.server.host());
        agent.ok(&["search", query, "--registry", &registry, "--format", "json"])
    };
    assert!(search(NAME).contains("0.9.0") && !search(NAME).contains("1.0.0"), "{}", search(NAME));
    assert!(!search("version:^1").contains(NAME));
    let listed = agent.ok(&["versions", &repository]);
    for (version, word) in [("1.0.0", "yanked"), ("0.9.0", "deprecated"), ("0.8.0", "")] {
        let line = listed.lines().find(|line| line.contains(version)).unwrap_or_else(|| panic!("{version}: {listed}"));
        assert!(line.contains(word), "{line}");
    }
    // What is taken back twice is as before.
    shelf.agent.ok(&["unyank", &shelf.tagged(2)]);
    assert!(search(NAME).contains("1.0.0"), "{}", search(NAME));
}
