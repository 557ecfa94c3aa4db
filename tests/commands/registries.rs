//! Which registry is meant: flag, variable, profile; and how one is run.

use std::fs;
use std::process::{Command, Stdio};

use insta::assert_snapshot;

use crate::sandbox::{AGENT, Registry, Sandbox};

fn profile(sandbox: &Sandbox, registry: &str, more: &str) {
    fs::create_dir_all(sandbox.home()).unwrap();
    let config = format!(
        r#"{{"profiles": {{"work": {{"registry": "{registry}", "pat": "s3cret", "description": ""{more}}}}},
            "default_profile": "work"}}"#
    );
    fs::write(sandbox.home().join("config.json"), config).unwrap();
}

#[test]
fn a_profile_gives_registry_and_namespace() {
    let registry = Registry::start();
    let sandbox = Sandbox::new();
    sandbox.write("agent.yaml", AGENT);
    profile(&sandbox, &registry.url, r#", "namespace": "ai-team""#);
    let ran = sandbox.agent("push my-agent:1.0.0").ok();
    assert!(ran.last_line().starts_with(&format!("{}/ai-team/my-agent:1.0.0@", registry.host())), "{ran}");
    assert!(ran.stderr.contains("warning: other users could read the tokens"), "{ran}");
    assert!(!ran.stderr.contains("s3cret"));
    let ran = sandbox.agent("push my-agent:1.0.0 --profile home").failed(78);
    assert!(ran.stderr.contains("known profiles: work"), "{ran}");
}

#[test]
fn a_flag_goes_before_a_variable_before_a_profile() {
    let registry = Registry::start();
    let sandbox = Sandbox::new();
    profile(&sandbox, "http://127.0.0.1:1", "");
    let images = |variable: &str, line: &str| {
        sandbox.run(sandbox.command().env("AGENT_REGISTRY_URL", variable).args(line.split(' '))).code
    };
    assert_eq!(images("", "images"), 69, "the profile's");
    assert_eq!(images(&registry.url, "images"), 0, "the variable's");
    assert_eq!(images(&registry.url, "images --profile work"), 69, "the profile's, by flag");
    assert_eq!(images("http://127.0.0.1:2", &format!("images --registry {}", registry.url)), 0, "the flag's");
}

#[test]
fn a_namespace_or_a_host_is_taken_as_typed() {
    let registry = Registry::start();
    let sandbox = Sandbox::with(&registry);
    sandbox.write("agent.yaml", AGENT);
    for (name, expected) in [
        ("ai-team/my-agent:1.0.0", "ai-team/my-agent:1.0.0@"),
        ("a/b/my-agent:1.0.0", "a/b/my-agent:1.0.0@"),
        (&*format!("{}/my-agent:1.0.0", registry.host()), "my-agent:1.0.0@"),
    ] {
        let ran = sandbox.agent(&format!("push {name}")).ok();
        assert!(ran.last_line().starts_with(&format!("{}/{expected}", registry.host())), "{ran}");
    }
}

#[test]
fn a_registry_is_configured_and_refuses_strangers() {
    let sandbox = Sandbox::new();
    sandbox.write("registry.toml", "listen = \"127.0.0.1:6000\"\n[log]\nfilter = \"warn\"\n");
    let shown = sandbox.agent("registry config show --config registry.toml --data here").ok().stdout;
    assert!(shown.contains("listen = \"127.0.0.1:6000\"") && shown.contains("data = \"here\""), "{shown}");
    assert_eq!(sandbox.agent("registry config check --config registry.toml").ok().stdout, "");
    sandbox.write("registry.toml", "listne = 1\n");
    assert_snapshot!(sandbox.agent("registry config check --config registry.toml"), @r"
    exit 78
    -- stderr
    error: the configuration file registry.toml is wrong
      caused by: TOML parse error at line 1, column 1
          |
        1 | listne = 1
          | ^^^^^^
        unknown field `listne`, expected one of `listen`, `data`, `insecure-no-auth`, `cors-origins`, `workers`, `tls`, `auth`, `log`, `manifests`, `limits`, `events`
    ");
    assert_snapshot!(sandbox.agent("registry serve --insecure-no-auth --listen 0.0.0.0:0"), @r"
    exit 78
    -- stderr
    error: refusing to listen on 0.0.0.0:0 without authentication: whoever reaches it could push and delete
    hint: leave --insecure-no-auth away, or listen on 127.0.0.1:0
    ");
    assert!(!sandbox.path("agent-registry-data").exists(), "nothing was made");
}

#[cfg(unix)]
#[test]
fn a_registry_makes_its_administrator_once_stops_when_asked_and_keeps_its_data() {
    use std::io::{BufRead as _, BufReader};
    let sandbox = Sandbox::new();
    sandbox.write("agent.yaml", AGENT);
    let (mut reference, mut token) = (None, String::new());
    for round in 0..2 {
        let mut served = sandbox.command();
        served.args("registry serve --listen 127.0.0.1:0 --data data --log error".split(' '));
        let mut child = served.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut url = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut url).unwrap();
        let url = url.trim_end();
        if round == 0 {
            token = fs::read_to_string(sandbox.path("data/initial-admin-token")).unwrap().trim().to_owned();
        }
        let signed_in = |words: &str| {
            let mut command = sandbox.command();
            command.env("AGENT_REGISTRY_TOKEN", &token).args(words.split(' ')).args(["--registry", url]);
            sandbox.run(&mut command)
        };
        sandbox.agent(&format!("inspect my-agent:1.0.0 --registry {url}")).failed(77);
        if round == 0 {
            let ran = signed_in("push my-agent:1.0.0").ok();
            assert!(ran.stdout.contains("/admin/my-agent"), "the namespace is the caller's own: {ran}");
            reference = ran.last_line().split('@').nth(1).map(str::to_owned);
        } else {
            let json = signed_in("inspect my-agent:1.0.0 --format json").ok().json();
            assert_eq!(json["digest"].as_str(), reference.as_deref());
        }
        assert!(Command::new("kill").args(["-TERM", &child.id().to_string()]).status().unwrap().success());
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "it ends well");
        let told = String::from_utf8(output.stderr).unwrap();
        assert_eq!(told.contains("initial-admin-token"), round == 0, "{told}");
        assert!(!told.contains(&token), "what is no terminal gets no token");
    }
}

#[cfg(unix)]
#[test]
fn broken_bytes_of_strangers_are_no_errors_in_the_log() {
    use std::io::{BufRead as _, BufReader, Read as _, Write as _};
    let sandbox = Sandbox::new();
    let mut served = sandbox.command();
    served.args("registry serve --listen 127.0.0.1:0 --data data".split(' '));
    let mut child = served.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut url = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut url).unwrap();
    let mut stream = std::net::TcpStream::connect(url.trim_end().trim_start_matches("http://")).unwrap();
    stream.write_all(b"\x16\x03\x01 no HTTP\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 400 "), "{answer}");
    assert!(Command::new("kill").args(["-TERM", &child.id().to_string()]).status().unwrap().success());
    let output = child.wait_with_output().unwrap();
    let log = String::from_utf8(output.stderr).unwrap();
    assert!(log.contains("\"stopping\"") && !log.contains("ERROR"), "{log}");
}
