//! What needs no registry: init, validate, build, inspect of a path, and the errors on the way.

use insta::assert_snapshot;

use crate::sandbox::{AGENT, Sandbox, files};

#[test]
fn ten_mistakes_are_ten_lines_with_places() {
    let sandbox = Sandbox::new();
    let broken = "apiVersion: \"\"\nkind: Pod\nmetadata:\n  name: \"--\"\n  version: 1.0\n  tags: chat\n  labels: {a: [1]}\n\
                  spec:\n  runtime: perl\n  model: gpt-4\n  ports:\n    - container: 70000\n  healthCheck:\n    command: \
                  []\n  colour: red\n";
    sandbox.write("agent.yaml", broken);
    let ran = sandbox.agent("validate");
    assert_snapshot!(ran, @r"
    exit 65
    -- stdout
    agent.yaml:1:13: error: `apiVersion`: expected text that is not empty, found ``
    agent.yaml:2:7: error: `kind`: expected `Agent`, found `Pod`
    agent.yaml:4:9: error: `metadata.name`: expected a name with at least one letter from a to z or digit, found `--`
    agent.yaml:5:12: error: `metadata.version`: expected a semantic version such as `1.2.3`, found `1.0`
    agent.yaml:6:9: error: `metadata.tags`: expected a list, found `chat`
    agent.yaml:7:15: error: `metadata.labels.a`: expected text, found a list
    agent.yaml:9:12: error: `spec.runtime`: expected one of `python`, `nodejs`, `go`, `rust`, `java`, found `perl`
    agent.yaml:10:10: error: `spec.model`: expected a map, found `gpt-4`
    agent.yaml:12:18: error: `spec.ports[0].container`: expected a whole number from 1 to 65535, found `70000`
    agent.yaml:14:14: error: `spec.healthCheck.command`: expected a list with at least one item, found an empty list
    agent.yaml:15:3: warning: `spec.colour`: unknown key, ignored; known here: runtime, model, capabilities, capability_config, dependencies, dev_dependencies, environment, ports, volumes, healthCheck, resources, scaling, config, compatibility
    -- stderr
    error: agent.yaml cannot be used: 10 errors
    ");
    let json = sandbox.agent("validate --format json").failed(65).json();
    let problems = json[0]["problems"].as_array().unwrap();
    assert_eq!(problems.iter().filter(|problem| problem["severity"] == "error").count(), 10);
    assert_eq!((&json[0]["valid"], &problems[1]["line"]), (&false.into(), &2.into()));
    let again = sandbox.agent("push my-agent:latest").failed(65);
    assert_eq!(again.stderr.matches(": error: ").count(), 10, "{again}");
}

#[test]
fn what_init_writes_is_valid_in_every_shape() {
    let sandbox = Sandbox::new();
    for (name, flags) in [
        ("plain", ""),
        ("web", "--runtime nodejs --template chatbot"),
        ("fast", "-r go -t summarizer -m ollama/llama3.2"),
        ("howto", "--template skill"),
    ] {
        sandbox.agent(&format!("init {name} {flags}")).ok();
        let ran = sandbox.agent(&format!("validate {name}")).ok();
        assert_eq!(ran.stdout, "", "no warning either: {ran}");
        for (path, content) in files(&sandbox.path(name)) {
            let text = String::from_utf8(content).unwrap();
            let is_place = |rest: &str| rest.starts_with(|next: char| next.is_ascii_lowercase());
            assert!(!text.split("{{").skip(1).any(is_place), "{name}/{} is filled in", path.display());
        }
    }
    assert!(sandbox.path("fast/main.go").exists() && !sandbox.path("fast/main.py").exists());
    assert!(!sandbox.path("howto/agent.yaml").exists());
}

#[test]
fn init_overwrites_nothing_and_takes_only_names() {
    let sandbox = Sandbox::new();
    sandbox.write("my-agent/notes.txt", "mine");
    assert_snapshot!(sandbox.agent("init my-agent"), @r"
    exit 80
    -- stderr
    error: my-agent is there already and not empty
    hint: choose another name, or another folder with `--directory`
    ");
    assert_eq!(files(&sandbox.path("my-agent")).len(), 1);
    assert_snapshot!(sandbox.agent("init \"My Agent\""), @r"
    exit 2
    -- stderr
    error: `My Agent` cannot name a package: lowercase letters and digits, joined by `.`, `_`, `__` or `-`
    hint: did you mean `my-agent`?
    ");
    assert_snapshot!(sandbox.agent("init x --model gpt-4"), @r"
    exit 2
    -- stderr
    error: `gpt-4` is no model: write `provider/name`, such as `openai/gpt-4`
    ");
    assert_snapshot!(sandbox.agent("init x --dry-run"), @r"
    exit 0
    -- stdout
    x/agent.yaml
    x/README.md
    x/prompt.md
    x/main.py
    x/requirements.txt
    -- stderr
    nothing was written
    ");
    assert!(!sandbox.path("x").exists());
}

#[test]
fn from_init_to_build_and_inspect() {
    let sandbox = Sandbox::new();
    sandbox.agent("init my-agent").ok();
    sandbox.write("my-agent/.env", "KEY=secret");
    sandbox.write("my-agent/notes/draft.txt", "x");
    sandbox.write("my-agent/.agentignore", "notes/\n");
    assert_snapshot!(sandbox.agent("build my-agent --dry-run"), @r"
    exit 0
    -- stdout
    my-agent:0.1.0@sha256:[hex]
    my-agent:latest@sha256:[hex]
    -- stderr
    6 files, 2.8kB
    left out: .env by .env (built in)
    left out: notes by notes/ (.agentignore)
    nothing was stored
    ");
    assert!(sandbox.agent("images --local --quiet").ok().stdout.is_empty(), "a dry run stores nothing");
    let built = sandbox.agent("build my-agent --tag my-agent:0.1.0").ok();
    let digest = built.last_line().split('@').nth(1).unwrap().to_owned();
    let of_path = sandbox.agent("inspect ./my-agent/agent.yaml --format json").ok().json();
    let of_store = sandbox.agent("inspect my-agent:0.1.0 --local --format json").ok().json();
    assert_eq!((of_path["digest"].as_str(), of_store["digest"].as_str()), (Some(&*digest), Some(&*digest)));
    assert_eq!((&of_path["source"], &of_store["source"]), (&"disk".into(), &"local".into()));
    assert_eq!(of_store["config"]["capabilities"], serde_json::json!(["text-generation"]));
    assert_snapshot!(sandbox.agent("inspect ./my-agent"), @r"
    exit 0
    -- stdout
    Reference      my-agent/agent.yaml
    Kind           agent
    Name           my-agent
    Version        0.1.0
    Description    Answers questions in a few clear sentences
    Capabilities   text-generation
    Model          openai/gpt-4
    Runtime        python
    Ports          8080
    Health check   http://localhost:8080/health
    Digest         sha256:[hex]
    Size           3kB

    FILE               SIZE    DIGEST
    .agentignore       7B      [hex]
    README.md          362B    [hex]
    agent.yaml         405B    [hex]
    main.py            1.9kB   [hex]
    prompt.md          62B     [hex]
    requirements.txt   34B     [hex]
    ");
}

#[test]
fn a_tag_that_contradicts_the_package_is_refused() {
    let sandbox = Sandbox::new();
    sandbox.agent("init my-agent").ok();
    assert_snapshot!(sandbox.agent("build my-agent -t my-agent:2.0.0"), @r"
    exit 2
    -- stderr
    error: the tag says version 2.0.0, agent.yaml says 0.1.0
    hint: push the tag the package says, or push it as 2.0.0 with `--set-version`
    ");
    sandbox.agent("build my-agent -t my-agent:2.0.0 --set-version").ok();
    let json = sandbox.agent("inspect my-agent:2.0.0 --local --format json").ok().json();
    assert_eq!(json["config"]["version"], "2.0.0");
}

#[test]
fn docker_flags_of_build_are_taken_and_explained() {
    let sandbox = Sandbox::new();
    sandbox.write("agent.yaml", AGENT);
    let ran = sandbox.agent("build . -t my-agent:1.0.0 --no-cache --platform linux/arm64").ok();
    assert!(ran.stderr.contains("the same on every platform"), "{ran}");
    let ran = sandbox.agent("build --validate-only").ok();
    assert_eq!(ran.stdout, "");
}

#[test]
fn a_missing_source_says_where_it_looked() {
    let sandbox = Sandbox::new();
    sandbox.write("agent.yaml", &AGENT.replace("my-agent", "other"));
    assert_snapshot!(sandbox.agent("push my-agent:latest"), @r"
    exit 66
    -- stderr
    error: no source for `my-agent:latest`
      looked in ./agent.yaml (it is `other`)
      looked in ./my-agent/ (not there)
      looked in the local store (no my-agent:latest)
    hint: name a source with `--path`, or make one with `agent init`
    ");
    assert_snapshot!(sandbox.agent("build nowhere"), @r"
    exit 66
    -- stderr
    error: cannot read nowhere
      caused by: No such file or directory (os error 2)
    ");
}

#[test]
fn promises_that_cannot_be_kept_are_refused() {
    let sandbox = Sandbox::new();
    sandbox.write("agent.yaml", AGENT);
    for line in ["push my-agent:1.0.0 --sign", "push my-agent:1.0.0 --security-scan", "pull x --verify-signature"] {
        let ran = sandbox.agent(line).failed(70);
        assert!(ran.stderr.contains("is not available yet, and nothing was done"), "{ran}");
    }
    for line in ["run my-agent:latest -p 8080:8080 -e A=b", "test .", "llm list"] {
        let ran = sandbox.agent(line).failed(70);
        assert_eq!((ran.stdout.as_str(), ran.stderr.lines().count()), ("", 1), "{ran}");
    }
}

#[test]
fn an_unreachable_registry_is_one_clear_error() {
    // A port nobody listens on: it was free a moment ago.
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let sandbox = Sandbox::new();
    sandbox.write("agent.yaml", AGENT);
    for line in ["push my-agent:latest", "pull my-agent:1.0.0", "images", "inspect my-agent"] {
        let ran = sandbox.agent(&format!("{line} --registry http://127.0.0.1:{port}")).failed(69);
        assert_eq!(ran.stdout, "", "{ran}");
        assert!(
            ran.stderr.contains(&format!("error: the registry http://127.0.0.1:{port} cannot be used now")),
            "{ran}"
        );
        assert!(ran.stderr.contains("hint: start a registry with `agent registry serve`"), "{ran}");
    }
    let ran = sandbox.agent("images --registry http://registry.example.com").failed(2);
    assert!(ran.stderr.contains("--plain-http"), "{ran}");
}

#[test]
fn looking_needs_no_right_to_write() {
    let sandbox = Sandbox::new();
    sandbox.agent("images --local").ok();
    sandbox.agent("push nothing:1.0.0").failed(66);
    assert!(!sandbox.home().exists(), "nothing was stored");
}

#[cfg(unix)]
#[test]
fn everything_that_cannot_be_packed_is_told_at_once() {
    let sandbox = Sandbox::new();
    sandbox.write("my-agent/agent.yaml", AGENT);
    for link in ["a", "b"] {
        std::os::unix::fs::symlink("/etc/hostname", sandbox.path("my-agent").join(link)).unwrap();
    }
    assert_snapshot!(sandbox.agent("build my-agent"), @r"
    exit 65
    -- stderr
    error: several files cannot be packed
      the symbolic link `a` does not lead to a regular file of the package
      the symbolic link `b` does not lead to a regular file of the package
    hint: take them out of the folder, or leave them out of the package with lines in .agentignore
    ");
    assert_snapshot!(sandbox.agent("validate my-agent"), @r"
    exit 65
    -- stdout
    my-agent: error: the symbolic link `a` does not lead to a regular file of the package
    my-agent: error: the symbolic link `b` does not lead to a regular file of the package
    -- stderr
    error: my-agent cannot be used: 2 errors
    ");
    let found = sandbox.agent("validate my-agent --format json").failed(65).json();
    assert_eq!(found[0]["problems"].as_array().unwrap().len(), 2);
}
