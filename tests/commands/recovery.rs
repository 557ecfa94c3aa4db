//! A registry's data kept and got back, as an administrator types it.

use std::fs;

use insta::assert_snapshot;

use crate::sandbox::{AGENT, Registry, Sandbox};

#[test]
fn a_backup_of_a_running_registry_becomes_a_registry() {
    let place = tempfile::tempdir().unwrap();
    let registry = Registry::start_on(&place.path().join("first"));
    let sandbox = Sandbox::with(&registry);
    sandbox.write("agent.yaml", AGENT);
    sandbox.agent("push my-agent:1.0.0").ok();
    assert_snapshot!(sandbox.agent("registry backup copies/first").ok(), @r"
    exit 0
    -- stdout
    [work]/copies/first
    -- stderr
    ✓ backed up 1 manifest and 1 tag
    ");
    let again = sandbox.agent("registry backup copies/first").failed(1);
    assert!(again.stderr.contains("is not empty"), "{again}");
    sandbox.agent("push my-agent:1.1.0").ok();

    assert_snapshot!(sandbox.agent("registry restore copies/first --data restored").ok(), @r"
    exit 0
    -- stdout
    restored
    -- stderr
    ✓ restored 1 manifest and 1 tag
    ");
    let again = sandbox.agent("registry restore copies/first --data restored").failed(80);
    assert!(again.stderr.contains("is not empty"), "{again}");
    let nothing = sandbox.agent("registry restore copies --data elsewhere").failed(65);
    assert!(nothing.stderr.contains("holds no finished backup"), "{nothing}");
    let copy = Registry::start_on(&sandbox.path("restored"));
    let restored = Sandbox::with(&copy);
    restored.agent("pull my-agent:1.0.0").ok();
    restored.agent("pull my-agent:1.1.0").failed(79);
    assert_eq!(fs::read_to_string(restored.path("my-agent/agent.yaml")).unwrap(), AGENT);
}

#[test]
fn a_backup_as_json_says_what_it_holds() {
    let registry = Registry::start();
    let sandbox = Sandbox::with(&registry);
    sandbox.write("agent.yaml", AGENT);
    sandbox.agent("push my-agent:1.0.0").ok();
    let made = sandbox.agent("registry backup copy --format json").ok().json();
    assert_eq!((&made["state"], &made["content"]["tags"]), (&"done".into(), &1.into()));
    let restored = sandbox.agent("registry restore copy --data restored --format json").ok().json();
    assert_eq!((&restored["tags"], &restored["lost"]), (&1.into(), &serde_json::json!([])));
}

#[test]
fn a_lost_index_is_built_again() {
    let place = tempfile::tempdir().unwrap();
    let data = place.path().join("data");
    let registry = Registry::start_on(&data);
    let sandbox = Sandbox::with(&registry);
    sandbox.write("agent.yaml", AGENT);
    sandbox.agent("push my-agent:1.0.0").ok();
    let reindex = || sandbox.run(sandbox.command().args(["registry", "reindex", "--data"]).arg(&data));
    let busy = reindex().failed(69);
    assert!(busy.stderr.contains("another process is using the data directory"), "{busy}");
    registry.stop();
    let needless = reindex().failed(80);
    assert!(needless.stderr.contains("has an index") && needless.stderr.contains("hint: "), "{needless}");
    fs::remove_file(data.join("index.sqlite")).unwrap();
    let refused = sandbox.run(
        sandbox
            .command()
            .args(["registry", "serve", "--insecure-no-auth", "--listen", "127.0.0.1:0", "--data"])
            .arg(&data),
    );
    assert!(refused.code == 65 && refused.stderr.contains("agent registry reindex --data"), "{refused}");
    assert_snapshot!(reindex().ok(), @r"
    exit 0
    -- stderr
    ✓ rebuilt 1 manifest and 1 tag up to event 4
    ");
    let registry = Registry::start_on(&data);
    let sandbox = Sandbox::with(&registry);
    sandbox.agent("pull my-agent:1.0.0").ok();
    registry.stop();

    // Without the journal's bytes there is nothing to build from, and the command says so by its code.
    fs::remove_file(data.join("index.sqlite")).unwrap();
    let mut segments = fs::read_dir(data.join("journal")).unwrap().map(|entry| entry.unwrap().path());
    let segment = segments.next().unwrap();
    let mut bytes = fs::read(&segment).unwrap();
    bytes[60] ^= 1;
    fs::write(&segment, &bytes).unwrap();
    fs::write(segment.with_file_name(format!("{:020}.log", 900)), "agent-registry journal 1\n").unwrap();
    let lossy = sandbox.run(sandbox.command().args(["registry", "reindex", "--data"]).arg(&data)).failed(65);
    assert!(lossy.stderr.contains("lost: the records in") && lossy.stderr.contains("after byte 25"), "{lossy}");
}
