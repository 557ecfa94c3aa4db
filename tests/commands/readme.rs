//! What the README tells people to type is typed.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::sandbox::{Registry, Sandbox};

/// Blocks of the README fenced as `sh tour`.
fn tour() -> String {
    let readme = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md")).unwrap();
    let blocks = readme.split("```sh tour\n").skip(1).map(|rest| rest.split("```").next().unwrap());
    blocks.collect()
}

#[test]
fn the_tour_runs_as_written() {
    let registry = Registry::start();
    let sandbox = Sandbox::with(&registry);
    let host = registry.url.strip_prefix("http://").unwrap();
    let script = tour().replace("127.0.0.1:5050", host);
    assert!(script.matches("\nagent ").count() >= 12, "the tour was found: {script}");
    let program = Path::new(env!("CARGO_BIN_EXE_agent")).parent().unwrap();
    let typed = sandbox.command();
    let mut shell = Command::new("bash");
    shell.args(["-euo", "pipefail", "-c", &script]).current_dir(typed.get_current_dir().unwrap()).env_clear();
    shell.envs(typed.get_envs().filter_map(|(name, value)| Some((name, value?))));
    shell.env("PATH", format!("{}:/usr/bin:/bin", program.display()));
    let ran = sandbox.run(&mut shell).ok();
    for told in ["tags: latest, 0.1.0", "unchanged", "is up to date", "team/my-agent"] {
        assert!(ran.to_string().contains(told), "{told}: {ran}");
    }
    assert!(sandbox.path("agents/my-agent/agent.yaml").is_file());
}

#[test]
fn its_two_commands_are_what_continuous_integration_and_newcomers_run() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let readme = fs::read_to_string(root.join("README.md")).unwrap();
    let first = readme.split("```sh\n").nth(1).unwrap().lines().next().unwrap();
    let second = readme.split("```sh\n").nth(2).unwrap().lines().next().unwrap();
    assert_eq!(first, "cargo run --release -- quickstart");
    let ci = fs::read_to_string(root.join(".ci/run")).unwrap();
    assert!(ci.lines().last().unwrap().ends_with(second), "{second} is not what .ci/run runs");
}
