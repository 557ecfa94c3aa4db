//! helm against our server: charts are artifacts with tags in which `_` stands for `+`.

use std::fs;

use serde_json::Value;

use crate::agent::Agent;
use crate::home::Home;
use crate::http::{manifest, tags, whole};
use crate::matrix::column;
use crate::process::Process;

column! {
    "helm",
    has { Push: pushes, Pull: pulls, Inspect: shows, ListTags: finds_a_version_by_its_range, }
    lacks {
        "it pushes and pulls charts and leaves registries to others": [
            CopyWithin, CopyBetween, CopyOther, ListRepositories, Tag, DeleteTag, DeleteManifest, Attach, Referrers,
            Mount, Resume, SendAgain, LayoutOut, LayoutIn
        ],
        "a chart has a provenance file and no signature in the registry": [Sign, Verify, Attest, VerifyAttestation, Tree],
    }
    notes {
        Inspect: "`show chart`, `show values` and `template`",
        ListTags: "to find the newest version of a range; it prints no list",
    }
}

fn helm(home: &Home, arguments: &[&str]) -> String {
    home.ok("helm", arguments)
}

/// Pushes a chart of each version to `charts/demo`.
fn push(home: &Home, host: &str, versions: &[&str]) {
    fs::create_dir_all(home.path("demo/templates")).expect("a folder");
    home.write("demo/values.yaml", "greeting: hello\n");
    home.write(
        "demo/templates/map.yaml",
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: {{ .Values.greeting }}}\n",
    );
    for version in versions {
        home.write("demo/Chart.yaml", format!("apiVersion: v2\nname: demo\nversion: {version}\n"));
        helm(home, &["package", "demo"]);
        let pushed = ["push", "--plain-http", &format!("demo-{version}.tgz"), &format!("oci://{host}/charts")];
        helm(home, &pushed);
    }
}

fn pushes() {
    let (server, home) = (Process::spawn(), Home::new());
    push(&home, server.host(), &["0.3.1+build.7"]);
    assert_eq!(tags(server.host(), "charts/demo"), ["0.3.1_build.7"]);
    whole(server.host(), "charts/demo", "0.3.1_build.7");
    let manifest = manifest(server.host(), "charts/demo", "0.3.1_build.7").expect("the chart");
    let manifest: Value = serde_json::from_slice(&manifest).expect("JSON");
    assert_eq!(manifest["config"]["mediaType"], "application/vnd.cncf.helm.config.v1+json");
}

fn pulls() {
    let (server, home) = (Process::spawn(), Home::new());
    push(&home, server.host(), &["0.3.1+build.7"]);
    let chart = format!("oci://{}/charts/demo", server.host());
    fs::create_dir(home.path("got")).expect("a folder");
    helm(&home, &["pull", "--plain-http", &chart, "--version", "0.3.1+build.7", "--destination", "got"]);
    assert_eq!(home.read("got/demo-0.3.1+build.7.tgz"), home.read("demo-0.3.1+build.7.tgz"));
    home.refused("helm", &["pull", "--plain-http", &chart, "--version", "9.9.9"]);
}

fn shows() {
    let (server, home) = (Process::spawn(), Home::new());
    push(&home, server.host(), &["0.2.0"]);
    let chart = format!("oci://{}/charts/demo", server.host());
    let show = |verb: &[&str]| helm(&home, &[verb, &["--plain-http", &chart, "--version", "0.2.0"]].concat());
    assert!(show(&["show", "chart"]).contains("name: demo\nversion: 0.2.0"));
    assert!(show(&["show", "values"]).contains("greeting: hello"));
    assert!(show(&["template", "release"]).contains("metadata: {name: hello}"));
}

fn finds_a_version_by_its_range() {
    let (server, home) = (Process::spawn(), Home::new());
    push(&home, server.host(), &["0.1.0", "0.2.0", "0.2.5", "1.0.0", "1.1.0-rc.1"]);
    let chart = format!("oci://{}/charts/demo", server.host());
    for (range, expected) in [("~0.2", "0.2.5"), ("^1", "1.0.0"), (">0.0.0-0", "1.1.0-rc.1")] {
        let shown = helm(&home, &["show", "chart", "--plain-http", &chart, "--version", range]);
        assert!(shown.contains(&format!("version: {expected}\n")), "{range}: {shown}");
    }
    home.refused("helm", &["show", "chart", "--plain-http", &chart, "--version", "^2"]);
}

#[test]
fn our_command_says_that_a_chart_is_none_of_its_packages() {
    let (server, agent, home) = (Process::spawn(), Agent::new(), Home::new());
    push(&home, server.host(), &["0.2.0"]);
    let said = agent.refused(&["pull", &format!("{}/charts/demo:0.2.0", server.host())]);
    assert!(said.stderr.to_lowercase().contains("helm"), "{}", said.stderr);
}
