//! The command lines the project promises, as written, against a real registry process.

use std::fs;

use insta::assert_snapshot;

use crate::sandbox::{AGENT, Registry, Sandbox, files};

fn with_agent(registry: &Registry) -> Sandbox {
    let sandbox = Sandbox::with(registry);
    sandbox.write("agent.yaml", AGENT);
    sandbox.write("main.py", "print('hello')\n");
    sandbox
}

#[test]
fn push_with_and_without_description() {
    let registry = Registry::start();
    let sandbox = with_agent(&registry);
    assert_snapshot!(sandbox.agent("push my-agent:latest"), @r"
    exit 0
    -- stdout
    [host]/default/my-agent:latest@sha256:[hex]
    -- stderr
    source: agent.yaml
    2 files, 244B
    ✓ pushed 3 blobs (846B); tags: latest
    ");
    assert_snapshot!(sandbox.agent("push my-agent:latest --description \"Advanced text generation agent\""), @r"
    exit 0
    -- stdout
    [host]/default/my-agent:latest@sha256:[hex]
    -- stderr
    source: agent.yaml
    2 files, 244B
    ✓ pushed 1 blob (498B), 2 there already; tags: latest
    ");
    assert_snapshot!(sandbox.agent("push my-agent:latest --description \"Advanced text generation agent\""), @r"
    exit 0
    -- stdout
    [host]/default/my-agent:latest@sha256:[hex]
    -- stderr
    source: agent.yaml
    2 files, 244B
    ✓ unchanged: [host]/default/my-agent has it as latest
    ");
    let json = sandbox.agent("inspect my-agent:latest --format json").ok().json();
    assert_eq!(json["config"]["description"], "Advanced text generation agent");
}

#[test]
fn versions_go_up_and_come_down() {
    let registry = Registry::start();
    let sandbox = with_agent(&registry);
    for version in ["1.0.0-alpha.1", "1.0.0-beta.1", "1.0.0-rc.1", "1.0.0", "1.1.0", "2.0.0"] {
        let ran = sandbox.agent(&format!("push my-agent:{version}")).ok();
        let pinned = format!("{}/default/my-agent:{version}@sha256:", registry.host());
        assert!(ran.last_line().starts_with(&pinned), "{ran}");
    }
    let other = Sandbox::with(&registry);
    assert_snapshot!(other.agent("pull my-agent:1.0.0"), @r"
    exit 0
    -- stdout
    [host]/default/my-agent:1.0.0@sha256:[hex]
    -- stderr
    ✓ pulled into my-agent (864B received)
    ");
    assert_eq!(files(&other.path("my-agent")), files(&sandbox.path("")), "byte for byte");
    let directory = other.path("agents");
    // Without such a tag it means the highest stable version.
    other.agent(&format!("pull my-agent:latest --directory {}", directory.display())).ok();
    other.agent(&format!("pull my-agent --directory {}", directory.display())).ok();
    sandbox.agent("push my-agent:latest").ok();
    let ran = other.agent(&format!("pull my-agent:latest --directory {}", directory.display())).ok();
    assert_eq!(files(&directory.join("my-agent")), files(&sandbox.path("")), "{ran}");
    let ran = other.agent("pull my-agent@^1.0.0-alpha --directory ranged --format json").ok();
    assert_eq!(ran.json()["tag"], "1.1.0", "{ran}");
}

#[test]
fn a_second_pull_moves_nothing_and_edits_are_kept() {
    let registry = Registry::start();
    let sandbox = with_agent(&registry);
    let pinned = sandbox.agent("push my-agent:1.0.0").ok().last_line().to_owned();
    let other = Sandbox::with(&registry);
    other.agent(&format!("pull {pinned} --directory a")).ok();
    assert_snapshot!(other.agent(&format!("pull {pinned} --directory a")), @r"
    exit 0
    -- stdout
    [host]/default/my-agent@sha256:[hex]
    -- stderr
    ✓ a/my-agent is up to date
    ");
    let elsewhere = other.agent(&format!("pull {pinned} --directory b --format json")).ok();
    assert_eq!(elsewhere.json()["transferred_bytes"], 0, "{elsewhere}");
    other.write("a/my-agent/main.py", "print('mine')\n");
    assert_snapshot!(other.agent("pull my-agent:1.0.0 --directory a"), @r"
    exit 80
    -- stderr
    error: a/my-agent has files that would be lost: changed main.py
    hint: `--force` replaces it; or pull to another folder with `--directory`
    ");
    assert_eq!(fs::read_to_string(other.path("a/my-agent/main.py")).unwrap(), "print('mine')\n");
    let dry = other.agent("pull my-agent:1.0.0 --directory a --force --dry-run").ok();
    assert!(dry.stderr.contains("nothing was written"), "{dry}");
    assert_eq!(fs::read_to_string(other.path("a/my-agent/main.py")).unwrap(), "print('mine')\n");
    other.agent("pull my-agent:1.0.0 --directory a --force").ok();
    assert_eq!(fs::read_to_string(other.path("a/my-agent/main.py")).unwrap(), "print('hello')\n");
}

#[test]
fn images_and_its_filters() {
    let registry = Registry::start();
    let sandbox = with_agent(&registry);
    sandbox.agent("push my-agent:1.0.0").ok();
    let sentiment = AGENT.replace("my-agent", "sentiment-reader").replace("ai-team@example.com", "ai-team");
    sandbox.write("other/agent.yaml", &sentiment.replace("[text-generation, chat]", "[sentiment-analysis]"));
    sandbox.agent("push sentiment-reader:0.2.0 --path other").ok();
    assert_snapshot!(sandbox.agent("images"), @r"
    exit 0
    -- stdout
    REPOSITORY                                 TAG     IMAGE ID       CREATED    SIZE   SOURCE     DESCRIPTION
    [host]/default/my-agent           1.0.0   [hex]   just now   864B   registry   Generates text
    [host]/default/sentiment-reader   0.2.0   [hex]   just now   588B   registry   Generates text
    ");
    let names = |line: &str| sandbox.agent(&format!("{line} --quiet")).ok().stdout.replace(registry.host(), "[host]");
    let (mine, other) = ("[host]/default/my-agent:1.0.0\n", "[host]/default/sentiment-reader:0.2.0\n");
    assert_eq!(names("images --filter \"capability:text-generation\""), mine);
    assert_eq!(names("images --filter \"sentiment*\""), other);
    assert_eq!(names("images --filter \"author:ai-team\""), format!("{mine}{other}"));
    assert_eq!(names("images --filter author:ai-team --filter capability:chat"), mine, "all must hold");
    assert_eq!(names("images --filter name:nobody"), "");
    assert_eq!(names("images --filter since:1h --filter version:^0.2"), other);
    assert_eq!(names(&format!("images {}/default/my-agent", registry.host())), mine);
    assert_eq!(sandbox.agent("images --local --quiet").ok().stdout, "", "nothing was built or pulled here");
    let json = sandbox.agent("images --format json").ok().json();
    let first = &json[0];
    for key in
        ["id", "repository", "tag", "created", "size", "description", "author", "capabilities", "version", "source"]
    {
        assert!(!first[key].is_null(), "{key}: {first}");
    }
    assert_eq!(sandbox.agent("images --format jsonl").ok().stdout.lines().count(), 2);
    assert_eq!(names("images --limit 1").lines().count(), 1);
    sandbox.agent("images --limit 0").failed(2);
    assert_snapshot!(sandbox.agent("images --filter colour:red"), @r"
    exit 2
    -- stderr
    error: the query cannot be read
        colour:red
        ^
      caused by: column 1: unknown field `colour`, known are name, namespace, capability, tag, author, model, runtime, license, kind, version, since, updated, downloads, rating, signed and sort; put the term in quotes to search for it as text
    hint: write words, `author:ai-team`, `capability:chat`, `tag:x`, `version:^1.2`, `since:7d`; `agent search --help` tells the rest
    ");
}

#[test]
fn a_named_repository_shows_every_tag() {
    let registry = Registry::start();
    let sandbox = with_agent(&registry);
    for tag in ["1.0.0", "dev", "nightly", "latest"] {
        sandbox.write("notes.md", tag);
        sandbox.agent(&format!("push my-agent:{tag}")).ok();
    }
    let listed = sandbox.agent(&format!("images {}/default/my-agent --quiet", registry.host())).ok().stdout;
    let tags: Vec<_> = listed.lines().filter_map(|line| line.rsplit(':').next()).collect();
    assert_eq!(tags, ["1.0.0", "dev", "latest", "nightly"]);
    let filtered = format!("images {}/default/my-agent --quiet --filter version:^1", registry.host());
    assert_eq!(sandbox.agent(&filtered).ok().stdout.lines().count(), 1);
}

#[test]
fn inspect_of_a_name_and_of_a_document() {
    let registry = Registry::start();
    let sandbox = with_agent(&registry);
    let pushed = sandbox.agent("push my-agent:latest").ok();
    let digest = pushed.last_line().split('@').nth(1).unwrap();
    let json = sandbox.agent("inspect my-agent:latest --format json").ok().json();
    assert_eq!((json["digest"].as_str(), &json["tag"]), (Some(digest), &"latest".into()));
    assert_eq!(json["files"].as_array().unwrap().len(), 2);
    assert_eq!(sandbox.agent("inspect ./agent.yaml --format json").ok().json()["digest"], digest);
    assert_snapshot!(sandbox.agent("inspect my-agent:9"), @r"
    exit 79
    -- stderr
    error: `[host]/default/my-agent:9` does not exist; there are latest
    hint: name one of the tags
    ");
    assert_snapshot!(sandbox.agent("inspect my-agent:latest --local"), @r"
    exit 79
    -- stderr
    error: `my-agent:latest` is not in the local store
    hint: `agent images --local` lists what is there
    ");
}

#[test]
fn other_content_behind_a_version_needs_force() {
    let registry = Registry::start();
    let sandbox = with_agent(&registry);
    sandbox.agent("push my-agent:1.0.0").ok();
    sandbox.write("main.py", "print('changed')\n");
    let dry = sandbox.agent("push my-agent:1.1.0 --dry-run").ok();
    assert!(dry.stderr.contains("nothing was sent"), "{dry}");
    sandbox.agent("inspect my-agent:1.1.0").failed(79);
    assert_snapshot!(sandbox.agent("push my-agent:1.0.0"), @r"
    exit 80
    -- stderr
    source: agent.yaml
    2 files, 246B
    error: `[host]/default/my-agent:1.0.0` exists with other content: it points at sha256:[hex], not at sha256:[hex]
    hint: push another version, or `--force` to move the tag
    ");
    sandbox.agent("push my-agent:1.0.0 --force").ok();
    let visible = sandbox.agent("push my-agent:1.0.0 --visibility private").ok();
    assert!(visible.stderr.contains("--visibility private has no effect"), "{visible}");
}
