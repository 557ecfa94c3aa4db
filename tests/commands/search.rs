//! `agent search`: what it prints, for people and for programs, and what it says of a query it cannot read.

use insta::assert_snapshot;

use crate::sandbox::{AGENT, Registry, Sandbox};

/// Three packages of one team.
fn shelf(registry: &Registry) -> Sandbox {
    let sandbox = Sandbox::with(registry);
    for (name, version, capability, description) in [
        ("reviewer", "1.2.0", "code-review", "Reviews pull requests and tells what is wrong with them, politely"),
        ("writer", "0.3.0", "chat", "Writes release notes"),
        ("helper", "2.0.0", "chat", "Answers questions"),
    ] {
        let text = AGENT.replace("my-agent", name).replace("text-generation, chat", capability);
        sandbox.write(&format!("{name}/agent.yaml"), &text);
        sandbox.agent(&format!("push team/{name}:{version} --path {name} --description \"{description}\"")).ok();
    }
    sandbox
}

#[test]
fn packages_are_found_and_printed_for_people_and_programs() {
    let registry = Registry::start();
    let sandbox = shelf(&registry);
    assert_snapshot!(sandbox.agent("search --sort name"), @r"
    exit 0
    -- stdout
    NAME            VERSION   DESCRIPTION
    team/helper     2.0.0     Answers questions
    team/reviewer   1.2.0     Reviews pull requests and tells what is wrong with them, politely
    team/writer     0.3.0     Writes release notes
    -- stderr
    3 packages
    ");
    assert!(sandbox.agent("search release notes").ok().stdout.contains("team/writer"));
    let one = sandbox.agent("search --capability chat --facets --limit 1 --sort name").ok();
    assert!(one.stdout.contains("team/helper") && !one.stdout.contains("team/writer"), "{one}");
    assert!(
        one.stdout.contains("CAPABILITIES   chat (2)")
            && one.stderr.contains("1 of 2 packages")
            && !one.stderr.contains("--limit"),
        "{one}"
    );
    let none = sandbox.agent("search quantum").ok();
    assert!(none.stdout.is_empty() && none.stderr.contains("nothing found"), "{none}");
    let quiet = sandbox.agent("search --quiet --sort name").ok();
    let host = registry.host();
    assert_eq!(
        quiet.stdout,
        format!("{host}/team/helper:2.0.0\n{host}/team/reviewer:1.2.0\n{host}/team/writer:0.3.0\n")
    );
    let json = sandbox.agent("search name:reviewer --facets --format json").ok().json();
    assert_eq!((&json["total"], &json["items"][0]["repository"]), (&1.into(), &"team/reviewer".into()));
    assert_eq!(json["facets"]["capabilities"][0]["value"], "code-review");
    assert_eq!(sandbox.agent("search --format jsonl").ok().stdout.lines().count(), 3);
    assert_eq!(sandbox.agent("search -- -name:writer -name:helper").ok().stdout.lines().count(), 2);
    assert_eq!(sandbox.agent("search --author nobody --format json").ok().json()["total"], 0);
}

#[test]
fn the_form_of_agent_as_code_is_kept() {
    let registry = Registry::start();
    let sandbox = shelf(&registry);
    let json = sandbox.agent("search reviewer --compat --format json").ok().json();
    let keys = |value: &serde_json::Value| value.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    assert_eq!(keys(&json), ["images", "page", "per_page", "total"]);
    let image = &json["images"][0];
    let expected = ["author", "capabilities", "created", "description", "downloads", "name", "rating", "size", "tag"];
    assert_eq!(keys(image), expected);
    assert_eq!((&image["name"], &image["tag"], &json["total"]), (&"team/reviewer".into(), &"1.2.0".into(), &1.into()));
    assert!(image["size"].is_u64() && image["capabilities"].is_array(), "{image}");
    sandbox.agent("search --compat --facets").failed(2);
}

#[test]
fn a_wrong_query_is_shown_with_its_mistake_and_asks_nobody() {
    let sandbox = Sandbox::new();
    let asked = |line: &str| sandbox.agent(&format!("{line} --registry http://127.0.0.1:9")).failed(2);
    assert_snapshot!(asked("search good colour:red"), @r"
    exit 2
    -- stderr
    error: the query cannot be read
        good colour:red
             ^
      caused by: column 6: unknown field `colour`, known are name, namespace, capability, tag, author, model, runtime, license, kind, version, since, updated, downloads, rating, signed and sort; put the term in quotes to search for it as text
    hint: write words, `author:ai-team`, `capability:chat`, `tag:x`, `version:^1.2`, `since:7d`; `agent search --help` tells the rest
    ");
    assert!(asked("search rating:>9").stderr.contains("    rating:>9\n           ^\n"));
    assert!(asked("images --filter version:>=a").stderr.contains("    version:>=a\n            ^\n"));
    let quoted = sandbox.run(sandbox.command().args(["search", "--capability", "a\"b"])).failed(2);
    assert!(quoted.stderr.contains("quotation mark"), "{quoted}");
    let long = "x".repeat(2_000);
    assert!(asked(&format!("search {long}")).stderr.contains("at most 1024"));
}
