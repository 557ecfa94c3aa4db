//! Choosing a version: ranges, pre-releases and versions that were taken back, in our registry and in others.

use agent_registry::oci::Digest;
use agent_registry::package::{Artifact, BlobContent, Overrides, Source};
use insta::assert_snapshot;

use crate::peer::{Peer, Reply};
use crate::sandbox::{AGENT, Ran, Registry, Sandbox};

fn with_versions(registry: &Registry, versions: &[&str]) -> Sandbox {
    let sandbox = Sandbox::with(registry);
    sandbox.write("agent.yaml", AGENT);
    for version in versions {
        sandbox.write("main.py", &format!("print('{version}')\n"));
        sandbox.agent(&format!("push my-agent:{version}")).ok();
    }
    sandbox
}

/// The tag of what a pull took, which it prints last.
fn pulled(ran: &Ran) -> &str {
    ran.last_line().split('@').next().unwrap().rsplit(':').next().unwrap()
}

#[test]
fn a_pull_takes_the_highest_version_that_is_meant() {
    let registry = Registry::start();
    let sandbox = with_versions(&registry, &["1.0.0", "1.2.0", "1.10.0", "2.0.0-rc.1"]);
    for (line, expected) in [
        ("pull my-agent", "1.10.0"),
        ("pull my-agent@latest", "1.10.0"),
        ("pull my-agent@^1.0", "1.10.0"),
        ("pull my-agent@~1.2", "1.2.0"),
        ("pull my-agent@1.x", "1.10.0"),
        ("pull \"my-agent@>=1, <1.3\"", "1.2.0"),
        ("pull my-agent@1.2.0", "1.2.0"),
        ("pull my-agent --pre", "2.0.0-rc.1"),
        ("pull my-agent@>1.10 --pre", "2.0.0-rc.1"),
        ("pull my-agent@2.0.0-rc.1", "2.0.0-rc.1"),
    ] {
        assert_eq!(pulled(&sandbox.agent(line).ok()), expected, "{line}");
        let text = std::fs::read_to_string(sandbox.path("my-agent/main.py")).unwrap();
        assert_eq!(text, format!("print('{expected}')\n"), "{line}");
    }
    let inspected = sandbox.agent("inspect my-agent --pre --format json").ok().json();
    assert_eq!((&inspected["config"]["version"], &inspected["latest"]), (&"2.0.0-rc.1".into(), &"1.10.0".into()));
    assert_snapshot!(sandbox.agent("pull my-agent@^3"), @r"
    exit 79
    -- stderr
    error: no version of default/my-agent matches `^3`; the nearest are 2.0.0-rc.1 (a pre-release), 1.10.0
    hint: `agent versions default/my-agent` lists all; `--pre` lets pre-releases count
    ");
    assert_snapshot!(sandbox.agent("pull my-agent:1.2.0 --pre"), @r"
    exit 2
    -- stderr
    error: `my-agent:1.2.0` names exactly one version, so that nothing is left for --pre to let in
    hint: leave `--pre` out, or name a range such as `name@^1.2`
    ");
    assert_snapshot!(sandbox.agent("pull nobody@^1"), @r"
    exit 79
    -- stderr
    error: `[host]/default/nobody` does not exist
    hint: check the name and that your credentials (AGENT_REGISTRY_TOKEN, a profile, or Docker's) may see it
    ");
}

#[test]
fn what_was_taken_back_comes_only_by_its_name_and_with_one_warning() {
    let registry = Registry::start();
    let sandbox = with_versions(&registry, &["1.0.0", "1.1.0", "1.2.0"]);
    sandbox.agent("yank my-agent:1.2.0 --message \"loses texts\"").ok();
    sandbox.agent("deprecate my-agent:1.0.0 --message old --superseded-by my-agent:1.1.0").ok();
    for line in ["pull my-agent", "pull my-agent@^1", "pull my-agent@*"] {
        let ran = sandbox.agent(line).ok();
        assert_eq!((pulled(&ran), ran.stderr.contains("warning")), ("1.1.0", false), "{line}: {ran}");
    }
    let warning = "warning: the registry says: version 1.2.0 of default/my-agent was yanked: loses texts\n";
    for line in ["pull my-agent:1.2.0", "pull my-agent@1.2.0 --quiet", "pull my-agent:1.2.0 --format json"] {
        let ran = sandbox.agent(line).ok();
        assert_eq!(ran.stderr.matches("yanked").count(), 1, "{line}: {ran}");
        assert!(ran.stderr.contains(warning), "{line}: {ran}");
    }
    sandbox.agent("pull my-agent@=1.2.0").failed(79);
    let ran = sandbox.agent("inspect my-agent:1.2.0").ok();
    assert!(ran.stderr.contains("my-agent:1.2.0 was yanked: loses texts\n"), "{ran}");
    assert!(ran.stdout.contains("State") && ran.stdout.contains("yanked just now"), "{ran}");
    assert!(ran.stdout.contains("Newest") && ran.stdout.contains("1.1.0"), "{ran}");
    let json = sandbox.agent("inspect my-agent:1.0.0 --format json").ok().json();
    assert_eq!(json["state"]["deprecated"]["superseded_by"], "my-agent:1.1.0");
    let table = sandbox.agent("versions my-agent").ok().stdout;
    let lines: Vec<Vec<&str>> = table.lines().map(|line| line.split_whitespace().collect()).collect();
    assert_eq!(lines[0], ["VERSION", "CREATED", "SIZE", "DOWNLOADS", "TAGS", "STATE"]);
    assert_eq!(lines[1..].iter().map(|line| line[0]).collect::<Vec<_>>(), ["1.2.0", "1.1.0", "1.0.0"]);
    assert!(table.contains("yanked: loses texts\n"), "{table}");
    assert!(table.ends_with("deprecated: old; use my-agent:1.1.0 instead\n"), "{table}");
    let lines = sandbox.agent("versions my-agent --format jsonl").ok().stdout;
    let lines: Vec<serde_json::Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), 3);
    assert_eq!((&lines[0]["version"], &lines[0]["yanked"]["message"]), (&"1.2.0".into(), &"loses texts".into()));
    assert!(lines[1]["yanked"].is_null() && lines[1]["downloads"].is_u64() && lines[1]["size"].is_u64());
}

#[test]
fn versions_are_listed_as_far_as_is_asked() {
    let registry = Registry::start();
    let sandbox = with_versions(&registry, &["0.9.0", "1.0.0", "1.1.0-rc.1", "1.1.0"]);
    sandbox.agent("push my-agent:latest").ok();
    let quiet = |line: &str| {
        let stdout = sandbox.agent(&format!("versions {line} --quiet")).ok().stdout;
        stdout.lines().map(|line| line.rsplit(':').next().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(quiet("my-agent"), ["1.1.0", "1.1.0-rc.1", "1.0.0", "0.9.0", "latest"]);
    assert_eq!(quiet("my-agent@^1"), ["1.1.0", "1.0.0"]);
    assert_eq!(quiet("my-agent@^1 --pre"), ["1.1.0", "1.1.0-rc.1", "1.0.0"]);
    assert_eq!(quiet("my-agent --limit 2"), ["1.1.0", "1.1.0-rc.1"]);
    assert_eq!(quiet("my-agent@^7"), [""; 0]);
    let limited = sandbox.agent("versions my-agent --limit 2").ok();
    assert!(limited.stderr.contains("only the first 2 are shown"), "{limited}");
    let table = sandbox.agent("versions my-agent").ok().stdout;
    let last = table.lines().last().unwrap();
    assert!(last.starts_with('-') && last.ends_with("latest"), "what has no version comes last: {table}");
    sandbox.agent("versions my-agent:1.0.0").failed(2);
    sandbox.agent("versions nobody").failed(79);
    sandbox.agent("versions my-agent --limit 0").failed(2);
}

#[test]
fn inspect_shows_the_first_files_or_all() {
    let registry = Registry::start();
    let sandbox = Sandbox::with(&registry);
    sandbox.write("agent.yaml", AGENT);
    for number in 0..30 {
        sandbox.write(&format!("notes/{number:02}.md"), "x");
    }
    sandbox.agent("push my-agent:1.0.0").ok();
    let some = sandbox.agent("inspect my-agent").ok().stdout;
    assert!(some.contains("… and 11 files more; `--files` lists them") && !some.contains("notes/29.md"), "{some}");
    let all = sandbox.agent("inspect my-agent --files").ok().stdout;
    assert!(!all.contains("more") && all.contains("notes/29.md"), "{all}");
}

fn packed(version: &str) -> Artifact {
    let place = tempfile::tempdir().unwrap();
    std::fs::write(
        place.path().join("agent.yaml"),
        AGENT.replace("  author", &format!("  version: {version}\n  author")),
    )
    .unwrap();
    Source::open(place.path()).unwrap().draft(&Overrides::default()).unwrap().pack().unwrap()
}

/// A registry of another project, which holds these versions, and `stable`, which is the first of them.
fn other_registry(versions: &[&str]) -> Peer {
    let held: Vec<(String, Artifact)> = versions.iter().map(|text| ((*text).to_owned(), packed(text))).collect();
    Peer::serve(move |request| {
        if request.path() == "/v2/team/my-agent/tags/list" {
            let mut tags: Vec<_> = held.iter().map(|(tag, _)| tag.as_str()).collect();
            tags.push("stable");
            return Reply::json(&serde_json::json!({"name": "team/my-agent", "tags": tags}).to_string());
        }
        let last = request.path().rsplit('/').next().unwrap();
        let wanted = if last == "stable" { held[0].0.as_str() } else { last };
        if let Some((_, artifact)) = held.iter().find(|(tag, _)| tag == wanted) {
            let manifest = artifact.manifest();
            let reply = Reply::new(200).header("Content-Type", manifest.media_type().as_str());
            let reply = reply.header("Docker-Content-Digest", &manifest.digest().to_string());
            return reply.body(std::str::from_utf8(manifest.bytes()).unwrap());
        }
        let blobs = held.iter().flat_map(|(_, artifact)| artifact.blobs());
        let found = blobs.into_iter().find(|blob| blob.descriptor.digest.to_string() == last);
        match found.map(|blob| &blob.content) {
            Some(BlobContent::Bytes(bytes)) => Reply::new(200).body(&String::from_utf8_lossy(bytes)),
            _ => Reply::new(404),
        }
    })
}

#[test]
fn in_other_registries_versions_are_read_from_the_tags() {
    let peer = other_registry(&["1.0.0", "1.10.0", "1.9.0", "2.0.0-rc.1"]);
    let sandbox = Sandbox::new();
    let name = format!("{}/team/my-agent", peer.host());
    let lines = sandbox.agent(&format!("versions {name} --format json")).ok().json();
    let column = |key: &str| lines.as_array().unwrap().iter().map(|line| line[key].clone()).collect::<Vec<_>>();
    assert_eq!(column("version"), ["2.0.0-rc.1", "1.10.0", "1.9.0", "1.0.0"]);
    assert_eq!(column("tags")[3], serde_json::json!(["1.0.0", "stable"]));
    assert!(column("downloads").iter().all(serde_json::Value::is_null), "nobody knows");
    assert!(column("digest")[0].as_str().unwrap().parse::<Digest>().is_ok());
    let shown = sandbox.agent(&format!("versions {name}@^1 --limit 2")).ok().stdout;
    assert!(shown.contains("1.10.0") && shown.contains("1.9.0") && !shown.contains("1.0.0 "), "{shown}");
    for (line, expected) in [("@^1", "1.10.0"), ("@~1.9", "1.9.0"), ("@>=1 --pre", "2.0.0-rc.1"), ("", "1.10.0")] {
        let ran = sandbox.agent(&format!("inspect {name}{line} --format json")).ok();
        assert_eq!(ran.json()["tag"], expected, "{line}: {ran}");
    }
    let ran = sandbox.agent(&format!("pull {name}@^3")).failed(79);
    assert!(ran.stderr.contains("no version of `team/my-agent` matches `^3`; there are"), "{ran}");
    assert!(peer.seen().iter().all(|seen| !seen.path().ends_with("/resolve")), "it has no catalogue to ask");
}
