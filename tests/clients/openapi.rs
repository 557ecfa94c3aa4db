//! The REST API as its description promises it, to programs that know nothing but the description: a validator, a
//! fuzzer, a script, and a browser.

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

use crate::agent::Agent;
use crate::home::Home;
use crate::http::{Answer, send};
use crate::process::Process;
use crate::programs::{ok, run};

/// Seconds that the fuzzer asks, where the variable does not say otherwise.
const FUZZING_SECONDS: &str = "30";
const FUZZING_SECONDS_VARIABLE: &str = "FUZZING_SECONDS";

/// Checks of the fuzzer that say nothing here: what a description cannot say makes a value wrong, such as a cursor that
/// no page gave, or two parameters that exclude each other; and a repository has slashes in its name, so that a path which
/// can be changed can also be read as that of a package. Guessing credentials would make the registry refuse the right
/// one for a while, and all answers the same; who is refused without one is a table of its own.
const CHECKS_LEFT_OUT: &str = "positive_data_acceptance,allow_header_conformance,ignored_auth";

/// Operations that are not fuzzed: one writes a copy of everything into whatever folder it is told, the other takes
/// guesses of passwords.
const NOT_FUZZED: [&str; 2] = ["start_backup", "sign_in"];

/// Tokens made before the one that the fuzzer shows, which revokes those with small numbers.
const TOKENS_BEFORE: usize = 60;

/// A registry with accounts, the people and packages that the examples of the description speak of, and a token of an
/// administrator whom the fuzzer does not know.
struct Scene {
    server: Process,
    token: String,
}

impl Scene {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let data = folder.path().join("data");
        let mut command = Command::new(env!("CARGO_BIN_EXE_agent"));
        command.args(["registry", "serve", "--listen", "127.0.0.1:0", "--data"]).arg(&data);
        let server = Process::start(command, folder);
        let token = fs::read_to_string(data.join("initial-admin-token")).expect("the first token").trim().to_owned();
        let scene = Self { server, token };
        scene.make("POST", "/api/v1/users", &json!({"name": "ada", "password": "correct horse battery"}));
        scene.make("POST", "/api/v1/users", &json!({"name": "grace"}));
        scene.make("POST", "/api/v1/organisations", &json!({"name": "acme", "default_visibility": "public"}));
        scene.make("PUT", "/api/v1/organisations/acme/members/ada", &json!({"role": "member"}));
        scene.make("POST", "/api/v1/organisations/acme/teams", &json!({"name": "devs"}));
        scene.push_writers();
        scene
    }

    fn url(&self) -> String {
        format!("http://{}", self.server.host())
    }

    fn ask(&self, method: &str, path: &str, body: &Value) -> Answer {
        let fields = format!("authorization: Bearer {}\r\ncontent-type: application/json\r\n", self.token);
        let body = if body.is_null() { String::new() } else { body.to_string() };
        send(self.server.host(), method, path, &fields, body.as_bytes())
    }

    fn make(&self, method: &str, path: &str, body: &Value) -> Value {
        let answer = self.ask(method, path, body);
        let text = String::from_utf8_lossy(&answer.body).into_owned();
        assert!((200..300).contains(&answer.status), "{method} {path}: {} {text}", answer.status);
        serde_json::from_str(&text).unwrap_or_default()
    }

    /// Pushes three versions of one agent.
    fn push_writers(&self) {
        let agent = Agent::new();
        let folder = agent.home().join("writer");
        fs::create_dir(&folder).expect("a folder");
        for version in ["1.0.0", "1.2.0", "2.0.0"] {
            let text = format!(
                "apiVersion: agent.dev/v1\nkind: Agent\nmetadata:\n  name: writer\n  version: {version}\n  description: \
                 Writes letters.\nspec:\n  runtime: python\n  model: {{provider: openai, name: gpt-4}}\n  capabilities: \
                 [text-generation]\n"
            );
            fs::write(folder.join("agent.yaml"), text).expect("a file");
            let reference = format!("{}/acme/writer:{version}", self.server.host());
            let mut push = agent.command(&["push", &reference, "--path", "writer"]);
            ok(push.env("AGENT_REGISTRY_URL", self.url()).env("AGENT_REGISTRY_TOKEN", &self.token));
        }
    }

    /// The description, in a file of a home.
    fn describe(&self, home: &Home) -> Value {
        let answer = self.ask("GET", "/api/v1/openapi.json", &Value::Null);
        home.write("openapi.json", &answer.body);
        answer.json()
    }
}

fn operation_ids(document: &Value) -> Vec<&str> {
    let paths = document["paths"].as_object().expect("paths").values();
    let operations = paths.flat_map(|item| item.as_object().expect("operations").values());
    operations.map(|operation| operation["operationId"].as_str().expect("an id")).collect()
}

#[test]
fn an_independent_validator_finds_the_description_good() {
    let (scene, home) = (Scene::new(), Home::new());
    let mut document = scene.describe(&home);
    assert_eq!(home.ok("openapi-spec-validator", &["openapi.json"]).trim(), "openapi.json: OK");
    document["paths"]["/api/v1"]["get"].as_object_mut().expect("an operation").remove("responses");
    document["components"]["schemas"]["User"]["type"] = json!("thing");
    home.write("wrong.json", document.to_string());
    let said = home.refused("openapi-spec-validator", &["wrong.json"]);
    assert!(said.stdout.contains("thing"), "{}", said.stdout);
}

#[test]
#[expect(clippy::disallowed_methods, reason = "how long is said when the tests are run")]
fn a_fuzzer_finds_no_failure_and_no_answer_that_is_not_described() {
    let (mut scene, home) = (Scene::new(), Home::new());
    let document = scene.describe(&home);
    for _ in 0..TOKENS_BEFORE {
        let made = scene.make("POST", "/api/v1/tokens", &json!({"name": "another"}));
        scene.token = made["token"].as_str().expect("a token").to_owned();
    }
    let seconds = std::env::var(FUZZING_SECONDS_VARIABLE).unwrap_or_else(|_| FUZZING_SECONDS.to_owned());
    let (url, credential) =
        (format!("{}/api/v1/openapi.json", scene.url()), format!("Authorization: Bearer {}", scene.token));
    let mut arguments = vec!["run", &url, "--header", &credential, "--max-time", &seconds, "--no-color"];
    arguments.extend(["--exclude-checks", CHECKS_LEFT_OUT, "--continue-on-failure", "--request-timeout", "20"]);
    arguments.extend(["--generation-database", "none", "--report", "json", "--report-json-path", "report.json"]);
    arguments.extend(NOT_FUZZED.iter().flat_map(|id| ["--exclude-operation-id", *id]));
    let said = run(&mut home.command("schemathesis", &arguments));
    assert!(said.success, "the fuzzer found something; `st replay` needs the same registry:\n{}", said.stdout);
    let fuzzed = operation_ids(&document).len() - NOT_FUZZED.len();
    assert!(
        said.stdout.contains(&format!("Tested: {fuzzed}\n")),
        "not all of {fuzzed} operations were tried:\n{}",
        said.stdout
    );
    // Else it would have asked as a stranger for some of the time.
    let status = scene.ask("GET", "/api/v1/me", &Value::Null).status;
    assert_eq!(status, 200, "the fuzzer's token has ended:\n{}", said.stdout);
}

#[test]
fn a_script_written_from_the_description_finds_inspects_and_resolves() {
    let (scene, home, url) = (Scene::new(), Home::new(), Scene::url);
    let url = url(&scene);
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/rest.py");
    let script = script.to_str().expect("a path");
    let say = |arguments: &[&str]| {
        let line: Vec<_> = [script, &url].iter().copied().chain(arguments.iter().copied()).collect();
        run(home.command("python3", &line).env("AGENT_REGISTRY_TOKEN", &scene.token))
    };
    let found = say(&["search", "capability:text-generation"]);
    assert!(found.stdout.starts_with("acme/writer\t2.0.0\tWrites letters."), "{}{}", found.stdout, found.stderr);
    assert_eq!(say(&["search", "capability:translation"]).stdout, "");
    let record: Value = serde_json::from_str(&say(&["inspect", "acme/writer", "1.0.0"]).stdout).expect("a record");
    assert_eq!(record["repository"], "acme/writer");
    let newest: Value = serde_json::from_str(&say(&["inspect", "acme/writer"]).stdout).expect("a record");
    assert_ne!(newest["digest"], record["digest"]);
    let resolved = say(&["resolve", "acme/writer", "^1"]).stdout;
    let wanted: Value = serde_json::from_str(&say(&["inspect", "acme/writer", "1.2.0"]).stdout).expect("a record");
    assert_eq!(json!(resolved.trim()), wanted["digest"]);
    let refused = say(&["resolve", "acme/writer", "^7"]);
    assert!(!refused.success && refused.stderr.starts_with("error: Not Found: "), "{}", refused.stderr);
}

#[test]
fn a_browser_shows_every_operation_and_asks_nobody_else() {
    let (scene, home) = (Scene::new(), Home::new());
    let document = scene.describe(&home);
    let (page, profile) = (format!("{}/api/v1/docs", scene.url()), home.path("profile"));
    let profile = format!("--user-data-dir={}", profile.display());
    let log = format!("--log-net-log={}", home.path("net.json").display());
    // Only loopback addresses are reached, whatever the browser itself would like to ask its makers.
    let nowhere = "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1";
    let quiet =
        ["--no-first-run", "--disable-background-networking", "--disable-component-update", "--no-proxy-server"];
    let mut arguments = vec!["--headless=new", "--no-sandbox", "--disable-gpu", "--enable-logging=stderr", nowhere];
    arguments.extend(quiet);
    arguments.extend([profile.as_str(), log.as_str(), "--virtual-time-budget=20000", "--dump-dom", page.as_str()]);
    let said = run(&mut home.command("chromium", &arguments));
    assert!(said.success, "{}", said.stderr);
    for id in operation_ids(&document) {
        assert!(said.stdout.contains(&format!("-{id}\"")), "{id} is not shown:\n{}", said.stdout);
    }
    let complaints: Vec<_> = said.stderr.lines().filter(|line| line.contains("CONSOLE")).collect();
    assert!(complaints.is_empty(), "the page has trouble:\n{}", complaints.join("\n"));
    let asked = asked_by_the_page(&home);
    for file in ["/swagger-ui.css", "/swagger-ui-bundle.js", "/docs.css", "/docs.js"] {
        assert!(asked.contains(&format!("{page}{file}")), "{file} in {asked:?}");
    }
    let elsewhere: Vec<_> = asked.iter().filter(|url| !url.starts_with(&scene.url())).collect();
    assert!(elsewhere.is_empty(), "the page asks {elsewhere:?}");
}

/// Every address that a page asked for, from the browser's own log of what it did on the network.
fn asked_by_the_page(home: &Home) -> Vec<String> {
    let log = String::from_utf8(home.read("net.json")).expect("text");
    // The browser may be ended in the middle of the last line.
    let events = log.lines().filter_map(|line| serde_json::from_str::<Value>(line.trim_end_matches(',')).ok());
    let urls = events.filter(|event| {
        // What the browser asks for itself has no page behind it.
        let initiator = event["params"]["initiator"].as_str();
        initiator.is_some_and(|initiator| initiator != "not an origin")
    });
    urls.filter_map(|event| event["params"]["url"].as_str().map(str::to_owned)).collect()
}
