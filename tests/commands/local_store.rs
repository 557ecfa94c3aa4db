//! The local store: build, tag, rmi, and pushing what is in it.

use insta::assert_snapshot;

use crate::sandbox::{AGENT, Registry, Sandbox};

#[test]
fn names_come_and_go_and_the_last_one_frees() {
    let sandbox = Sandbox::new();
    sandbox.write("agent.yaml", AGENT);
    sandbox.agent("build -t my-agent:1.0.0").ok();
    sandbox.agent("tag my-agent:1.0.0 my-agent:stable").ok();
    assert_eq!(sandbox.agent("images --local -q").ok().stdout, "my-agent:1.0.0\nmy-agent:stable\n");
    sandbox.agent("rmi my-agent:1.0.0 --dry-run").ok();
    assert_eq!(sandbox.agent("images --local -q").ok().stdout.lines().count(), 2, "a dry run removes nothing");
    assert_snapshot!(sandbox.agent("rmi my-agent:1.0.0"), @r"
    exit 0
    -- stdout
    my-agent:1.0.0
    -- stderr
    ✓ removed; the same package is still there as my-agent:stable
    ");
    let last = sandbox.agent("rmi my-agent:stable --format json").ok().json();
    assert!(last[0]["freed_bytes"].as_u64().unwrap() > 0, "{last}");
    assert_snapshot!(sandbox.agent("rmi my-agent:stable"), @r"
    exit 79
    -- stderr
    error: `my-agent:stable` is not in the local store
    hint: `agent images --local` lists what is there
    ");
    sandbox.agent("rmi my-agent:stable --force").ok();
    sandbox.agent("tag my-agent:stable x:1").failed(79);
}

#[test]
fn all_tags_of_a_name_and_no_other() {
    let sandbox = Sandbox::new();
    sandbox.write("agent.yaml", AGENT);
    sandbox.agent("build -t my-agent:1.0.0 -t my-agent:stable -t team/my-agent:1.0.0").ok();
    sandbox.agent("rmi my-agent --all-tags").ok();
    assert_eq!(sandbox.agent("images --local -q").ok().stdout, "team/my-agent:1.0.0\n");
}

#[test]
fn what_was_built_is_pushed_from_anywhere() {
    let registry = Registry::start();
    let sandbox = Sandbox::with(&registry);
    sandbox.write("source/agent.yaml", AGENT);
    let built = sandbox.agent("build source -t my-agent:1.0.0").ok();
    let digest = built.last_line().split('@').nth(1).unwrap().to_owned();
    let pushed = sandbox.agent("push my-agent:1.0.0").ok();
    assert!(pushed.stderr.contains("source: my-agent:1.0.0 in the local store"), "{pushed}");
    assert!(pushed.last_line().ends_with(&digest), "{pushed}");
    sandbox.agent("push my-agent:1.0.0 --description other").failed(2);
    let again = sandbox.agent("build source -t my-agent:1.0.0 --push").ok();
    assert!(again.stderr.contains("unchanged"), "{again}");
}

#[test]
fn a_pulled_package_answers_to_its_short_name() {
    let registry = Registry::start();
    let sandbox = Sandbox::with(&registry);
    sandbox.write("source/agent.yaml", AGENT);
    sandbox.agent("push my-agent:1.0.0 --path source").ok();
    sandbox.agent("pull my-agent:1.0.0").ok();
    let json = sandbox.agent("inspect my-agent:1.0.0 --local --format json").ok().json();
    assert_eq!(json["reference"], format!("{}/default/my-agent:1.0.0", registry.host()));
    assert_eq!(sandbox.agent("images --format json").ok().json()[0]["source"], "both");
    sandbox.agent("rmi my-agent:1.0.0").ok();
    assert_eq!(sandbox.agent("images --format json").ok().json()[0]["source"], "registry");
}
