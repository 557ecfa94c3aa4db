//! What the README tells people to type is typed.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::sandbox::{Ran, Registry, Sandbox};

/// Blocks of the README fenced as `sh` and a word.
fn blocks(word: &str) -> String {
    let readme = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md")).unwrap();
    let fence = format!("```sh {word}\n");
    let blocks = readme.split(&fence).skip(1).map(|rest| rest.split("```").next().unwrap());
    blocks.collect()
}

/// Types blocks of the README as `admin` of a registry with accounts.
fn type_blocks(word: &str) -> (Sandbox, Ran) {
    let (registry, token) = Registry::with_accounts();
    let sandbox = Sandbox::with(&registry);
    sandbox.agent_with("login --token-stdin", &token).ok();
    let script = blocks(word).replace("127.0.0.1:5050", registry.host());
    assert!(script.matches("\nagent ").count() >= 5, "the blocks were found: {script}");
    let program = Path::new(env!("CARGO_BIN_EXE_agent")).parent().unwrap();
    let typed = sandbox.command();
    let mut shell = Command::new("bash");
    shell.args(["-euo", "pipefail", "-c", &script]).current_dir(typed.get_current_dir().unwrap()).env_clear();
    shell.envs(typed.get_envs().filter_map(|(name, value)| Some((name, value?))));
    shell.env("PATH", format!("{}:/usr/bin:/bin", program.display()));
    let ran = sandbox.run(&mut shell).ok();
    (sandbox, ran)
}

#[test]
fn the_tour_runs_as_written() {
    let (sandbox, ran) = type_blocks("tour");
    for told in ["tags: latest, 0.1.0", "unchanged", "is up to date", "team/my-agent"] {
        assert!(ran.to_string().contains(told), "{told}: {ran}");
    }
    assert!(sandbox.path("agents/my-agent/agent.yaml").is_file());
}

#[test]
fn a_team_shares_a_package_as_written() {
    let (sandbox, ran) = type_blocks("people");
    for told in ["john may push", "team-role ai-team/developers", "user ada read", "never move"] {
        assert!(ran.to_string().contains(told), "{told}: {ran}");
    }
    assert!(fs::read_to_string(sandbox.path("john.token")).unwrap().starts_with("agr_"));
}

#[test]
fn a_bad_version_is_taken_back_as_written() {
    let (_, ran) = type_blocks("versions");
    for told in ["was yanked: forgets the question", "rated", "deleted", "deprecated"] {
        assert!(ran.to_string().contains(told), "{told}: {ran}");
    }
    assert_eq!(ran.stdout.matches("my-agent:1.1.0@").count(), 2, "pushed, and chosen by the range: {ran}");
}

#[test]
fn what_happens_is_followed_as_written() {
    let (_, ran) = type_blocks("following");
    for told in ["my-agent:1.0.0  ", "\"tag\":\"1.1.0\"", "  manifest.pushed  ", "  tag.moved  "] {
        assert!(ran.stdout.contains(told), "{told}: {ran}");
    }
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
