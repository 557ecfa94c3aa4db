//! `agent watch` against the registry this program runs: what is pushed is printed, once, whatever happens meanwhile.

use std::io::{BufRead as _, BufReader};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use serde_json::{Value, json};

use crate::process::Process;
use crate::sandbox::{AGENT, Registry, Sandbox};

/// Longer than anything here takes.
const PATIENCE: Duration = Duration::from_mins(1);

/// A command that goes on.
struct Running {
    child: Child,
    lines: Receiver<String>,
    told: Receiver<String>,
}

impl Running {
    /// Starts it, and waits until it follows the registry, if it tells.
    fn start(sandbox: &Sandbox, line: &str) -> Self {
        let mut command = sandbox.typed(&format!("{line} --verbose"));
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let (lines, told) = (read(child.stdout.take().unwrap()), read(child.stderr.take().unwrap()));
        let running = Self { child, lines, told };
        if !line.contains("--quiet") {
            running.until_told("following");
        }
        running
    }

    fn line(&self) -> String {
        self.lines.recv_timeout(PATIENCE).expect("a line is printed")
    }

    fn until_told(&self, text: &str) {
        while !self.told.recv_timeout(PATIENCE).expect("it is told").contains(text) {}
    }

    /// Ends it as Ctrl-C does; what it printed since.
    fn interrupt(mut self) -> Vec<String> {
        assert!(Command::new("kill").args(["-INT", &self.child.id().to_string()]).status().unwrap().success());
        assert_eq!(self.child.wait().unwrap().code(), Some(0));
        self.lines.iter().collect()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn read(from: impl std::io::Read + Send + 'static) -> Receiver<String> {
    let (sender, receiver) = channel();
    std::thread::spawn(move || {
        for line in BufReader::new(from).lines().map_while(Result::ok) {
            // Nobody listens any more when the test is over.
            let _ = sender.send(line);
        }
    });
    receiver
}

/// A registry on an address of its own choice, so that another one can take its place.
fn serve(data: &Path, address: &str) -> Process {
    let mut command = Command::new(env!("CARGO_BIN_EXE_agent"));
    command.args(["registry", "serve", "--insecure-no-auth", "--listen", address, "--data"]).arg(data);
    Process::start(command, tempfile::tempdir().unwrap())
}

#[test]
fn new_versions_are_printed_as_they_come_each_on_a_line() {
    let registry = Registry::start();
    let sandbox = Sandbox::with(&registry);
    sandbox.write("agent.yaml", AGENT);
    sandbox.agent("push my-agent:0.9.0").ok();
    let watch = Running::start(&sandbox, "watch");
    let quiet = Running::start(&sandbox, "watch --quiet --since oldest");
    let other = Running::start(&sandbox, "watch capability:painting");
    let found = Running::start(&sandbox, "watch capability:chat author:ai-team* --format jsonl");
    let elsewhere = Running::start(&sandbox, "watch --repository somewhere/else --events");
    sandbox.agent("push my-agent:1.0.0").ok();
    sandbox.agent("push my-agent:latest --set-version 1.1.0").ok();
    let (first, second) = (watch.line(), watch.line());
    let reference = format!("{}/default/my-agent", registry.host());
    let columns: Vec<_> = first.split("  ").collect();
    assert!(columns[0].parse::<jiff::Timestamp>().is_ok(), "{first}");
    assert_eq!((columns[1], columns[4]), (format!("{reference}:1.0.0").as_str(), "Generates text"), "{first}");
    assert!(columns[2].len() == 12 && columns[2].chars().all(|c| c.is_ascii_hexdigit()), "{first}");
    assert!(second.contains(":1.1.0  "), "not `latest`, which is the same: {second}");
    let expected = ["0.9.0", "1.0.0", "1.1.0"].map(|version| format!("{reference}:{version}"));
    assert_eq!([quiet.line(), quiet.line(), quiet.line()], expected);
    let event: Value = serde_json::from_str(&found.line()).unwrap();
    assert_eq!((&event["kind"], &event["tag"]), (&json!("tag.moved"), &json!("1.0.0")));
    assert_eq!(event["package"]["capabilities"], json!(["text-generation", "chat"]));
    let number = event["id"].as_u64().unwrap();
    found.line();
    for running in [watch, quiet, found] {
        assert_eq!(running.interrupt(), Vec::<String>::new());
    }
    for running in [other, elsewhere] {
        assert_eq!(running.interrupt(), Vec::<String>::new(), "nothing that was asked for");
    }

    let later = Running::start(&sandbox, &format!("watch --since {number}"));
    assert!(later.line().contains(":1.1.0  "));
    let all = Running::start(&sandbox, "watch --since oldest --events --repository my-agent");
    let kinds: Vec<_> = (0..7).map(|_| all.line()).collect();
    assert!(kinds[0].contains(&format!("{reference}@sha256:")) && kinds[0].contains("manifest.pushed"), "{kinds:?}");
    assert!(kinds[1].contains(&format!("{reference}:0.9.0  tag.moved  ")), "{kinds:?}");
}

#[test]
fn a_restart_of_the_registry_hides_nothing_and_repeats_nothing() {
    let place = tempfile::tempdir().unwrap();
    let data = place.path().join("data");
    let process = serve(&data, "127.0.0.1:0");
    let address = process.host().to_owned();
    let sandbox = Sandbox::new();
    sandbox.write("agent.yaml", AGENT);
    let push = |version: &str| {
        sandbox.agent(&format!("push my-agent:{version} --set-version --registry http://{address}")).ok();
    };
    push("1.0.0");
    let watch = Running::start(&sandbox, &format!("watch --registry http://{address}"));
    push("1.1.0");
    assert!(watch.line().contains(":1.1.0 "));
    let mut process = process;
    for version in ["1.2.0", "1.3.0"] {
        assert!(Command::new("kill").args(["-TERM", &process.child.id().to_string()]).status().unwrap().success());
        assert!(process.child.wait().unwrap().success());
        watch.until_told("connecting again");
        process = serve(&data, &address);
        push(version);
        watch.until_told("connected again");
    }
    push("1.4.0");
    for version in ["1.2.0", "1.3.0", "1.4.0"] {
        let line = watch.line();
        assert!(line.contains(&format!(":{version} ")), "{line} instead of {version}");
    }
    assert_eq!(watch.interrupt(), Vec::<String>::new());
}

#[test]
fn nobody_reading_is_an_end_without_complaint() {
    let registry = Registry::start();
    let sandbox = Sandbox::with(&registry);
    let mut command = sandbox.typed("watch --verbose");
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let told = read(child.stderr.take().unwrap());
    while !told.recv_timeout(PATIENCE).unwrap().contains("following") {}
    drop(child.stdout.take());
    // Nothing is pushed: it finds out by itself.
    assert_eq!(child.wait().unwrap().code(), Some(0));
    assert_eq!(told.iter().collect::<Vec<_>>(), Vec::<String>::new());
}

#[test]
fn what_is_revoked_ends_it_and_what_is_hidden_is_not_printed() {
    let (registry, token) = Registry::with_accounts();
    let admin = Sandbox::with(&registry);
    admin.agent_with("login --token-stdin", &token).ok();
    let user = |name: &str| {
        admin.agent(&format!("user add {name}")).ok();
        let made = admin.agent(&format!("token create --user {name} --name laptop --format json")).ok().json();
        let sandbox = Sandbox::with(&registry);
        sandbox.write("agent.yaml", AGENT);
        sandbox.agent_with("login --token-stdin", made["token"].as_str().unwrap()).ok();
        (sandbox, made["id"].as_i64().unwrap())
    };
    let ((ada, _), (john, id)) = (user("ada"), user("john"));
    let mut watch = Running::start(&john, "watch");
    let stranger = Running::start(&Sandbox::with(&registry), "watch");
    ada.agent("push my-agent:1.0.0").ok();
    ada.agent("push my-agent:2.0.0 --set-version").ok();
    ada.agent("configure permission add my-agent --user john --permission read").ok();
    ada.agent("push my-agent:3.0.0 --set-version").ok();
    assert!(watch.line().contains("ada/my-agent:3.0.0 "));
    admin.agent(&format!("token revoke {id}")).ok();
    watch.until_told("401");
    assert_eq!(watch.child.wait().unwrap().code(), Some(77));
    assert_eq!(stranger.interrupt(), Vec::<String>::new());
}

#[test]
fn a_registry_without_events_is_told_apart() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            BufReader::new(&stream).lines().map_while(Result::ok).find(String::is_empty);
            let answer = "HTTP/1.1 404 Not Found\r\nConnection: close\r\nContent-Length: 0\r\n\r\n";
            // The client may have left.
            let _ = std::io::Write::write_all(&mut stream, answer.as_bytes());
        }
    });
    let sandbox = Sandbox::new();
    let ran = sandbox.agent(&format!("watch --registry http://{address}")).failed(2);
    assert!(ran.stderr.contains("has no feed of events") && ran.stderr.contains("hint: "), "{ran}");
    sandbox.agent("watch --registry http://127.0.0.1:1").failed(69);
    sandbox.agent("watch --since yesterday").failed(2);
    sandbox.agent("watch nonsense:x").failed(2);
    sandbox.agent("watch name:x --events").failed(2);
}
