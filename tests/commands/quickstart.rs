//! The first command a newcomer types.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};

use crate::sandbox::{Sandbox, files};

#[test]
fn the_story_ends_well_and_leaves_nothing_of_its_own() {
    let sandbox = Sandbox::new();
    let temporary = sandbox.path("tmp");
    fs::create_dir(&temporary).unwrap();
    let ran = sandbox.run(sandbox.command().env("TMPDIR", &temporary).arg("quickstart")).ok();
    for told in [
        "agent validate sentiment-analyzer release-notes incident-review",
        "agent push incident-review:latest",
        "agent images --filter capability:sentiment-analysis",
        "agent pull sentiment-analyzer@^1.0 --directory pulled",
        "pulled/sentiment-analyzer equals sentiment-analyzer",
        "unchanged",
        "is up to date",
    ] {
        assert!(ran.stderr.contains(told), "{told}: {ran}");
    }
    assert_eq!(fs::read_dir(&temporary).unwrap().count(), 0, "the folder is gone");
    assert!(!sandbox.home().exists(), "the user's own folder was not touched");
}

#[test]
fn a_given_folder_is_kept_and_an_occupied_one_refused() {
    let sandbox = Sandbox::new();
    sandbox.agent("quickstart --directory tour").ok();
    assert_eq!(
        files(&sandbox.path("tour/pulled/sentiment-analyzer")),
        files(&sandbox.path("tour/sentiment-analyzer")),
        "byte for byte"
    );
    sandbox.agent("quickstart --directory tour").failed(80);
}

#[cfg(unix)]
#[test]
fn keep_leaves_the_registry_running_until_it_is_stopped() {
    let sandbox = Sandbox::new();
    let mut command = sandbox.command();
    let mut child =
        command.args(["quickstart", "--keep"]).stderr(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines().map(Result::unwrap);
    let url = lines.find_map(|line| Some(line.split_once("AGENT_REGISTRY_URL=")?.1.to_owned())).unwrap();
    let token = lines.find_map(|line| Some(line.split_once("AGENT_REGISTRY_TOKEN=")?.1.to_owned())).unwrap();
    assert!(lines.any(|line| line.contains("Ctrl-C stops it")), "it says how to stop it");
    let mut signed_in = sandbox.command();
    signed_in.env("AGENT_REGISTRY_TOKEN", token).args(["images", "--quiet", "--registry", &url]);
    let ran = sandbox.run(&mut signed_in).ok();
    assert_eq!(ran.stdout.lines().count(), 6, "{ran}");
    assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
    assert!(child.wait().unwrap().success());
    sandbox.agent(&format!("images --registry {url}")).failed(69);
}
