//! Identities from elsewhere, as people and runs use them: a run publishes without a stored secret, a person signs in
//! with a browser.

use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};

use jiff::Timestamp;

use crate::peer::{Peer, Reply};
use crate::process::Process;
use crate::sandbox::{AGENT, Ran, Sandbox};

#[path = "../support/issuer.rs"]
#[expect(dead_code, reason = "these tests need a part of it")]
mod issuer;
#[path = "../support/minter.rs"]
#[expect(dead_code, reason = "these tests need a part of it")]
mod minter;
use issuer::Issuer;
use minter::{Signer, github_claims, gitlab_claims};

const ADMIN: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
const RUNTIME: &str = "runtime-secret-of-the-service";

/// A registry of its own that trusts an issuer, and a place to type.
struct Scene {
    issuer: Issuer,
    signer: Signer,
    registry: Process,
    sandbox: Sandbox,
}

impl Scene {
    async fn new() -> Self {
        let signer = Signer::ed25519("k");
        let issuer = Issuer::start(std::slice::from_ref(&signer)).await;
        let sandbox = Sandbox::new();
        sandbox.write("ca.pem", &issuer.certificate);
        sandbox.write("admin", ADMIN);
        let text = format!(
            "[auth]\nadmin-token-file = \"{}\"\nallow-private-issuers = true\n[[auth.issuers]]\nname = \"company\"\n\
             url = \"{}\"\nca-certificate = \"{}\"\nclient-id = \"agent-cli\"\nsign-in = true\n\
             create-users-from = \"preferred_username\"\n",
            sandbox.path("admin").display(),
            issuer.url,
            sandbox.path("ca.pem").display()
        );
        sandbox.write("registry.toml", &text);
        let mut command = Command::new(env!("CARGO_BIN_EXE_agent"));
        command.args(["registry", "serve", "--listen", "127.0.0.1:0", "--data"]).arg(sandbox.path("data"));
        command.arg("--config").arg(sandbox.path("registry.toml"));
        let registry = Process::start(command, tempfile::tempdir().unwrap());
        sandbox.write("my-agent/agent.yaml", AGENT);
        Self { issuer, signer, registry, sandbox }
    }

    fn url(&self) -> String {
        format!("http://{}", self.registry.host())
    }

    fn typed(&self, line: &str, variables: &[(&str, &str)]) -> Command {
        let mut command = self.sandbox.typed(line);
        command.env("AGENT_REGISTRY_URL", self.url()).envs(variables.iter().copied());
        command
    }

    fn agent(&self, line: &str, variables: &[(&str, &str)]) -> Ran {
        let ran = self.sandbox.run(&mut self.typed(line, variables));
        assert!(!ran.stderr.contains("eyJ") && !ran.stderr.contains(RUNTIME), "no secret is shown: {ran}");
        ran
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_pushes_without_a_stored_secret() {
    let scene = Scene::new().await;
    let publisher = |claims: &str| {
        let line = format!("publisher add acme/my-agent --issuer {} {claims}", scene.issuer.url);
        scene.agent(&line, &[("AGENT_REGISTRY_TOKEN", ADMIN)]).ok();
    };
    publisher("--claim repository_id=4711 --claim workflow_file=publish.yml");
    publisher("--claim project_id=22");

    // As on GitHub: an address and a token to ask for the identity with.
    let (url, signer) = (scene.issuer.url.clone(), scene.signer.clone());
    let service = Peer::serve(move |request| {
        if request.authorization() != Some(&format!("Bearer {RUNTIME}")) {
            return Reply::problem(401, "not yours");
        }
        let audience = request.target.split("audience=").nth(1).unwrap_or_default().to_owned();
        let token = signer.sign(&github_claims(&url, &audience, Timestamp::now().as_second()));
        Reply::json(&format!(r#"{{"value":"{token}"}}"#))
    });
    let request = format!("{}/token?api-version=2.0", service.url);
    let run = [("ACTIONS_ID_TOKEN_REQUEST_URL", request.as_str()), ("ACTIONS_ID_TOKEN_REQUEST_TOKEN", RUNTIME)];
    let pushed = scene.agent("push acme/my-agent:latest --path my-agent --verbose", &run).ok();
    assert!(pushed.stderr.contains("the identity of this run"), "{pushed}");
    scene.agent("push acme/my-agent:latest --path my-agent", &run).ok();
    scene.agent("push acme/other:latest --path my-agent", &run).failed(77);
    scene.agent("push acme/my-agent:latest --path my-agent", &[]).failed(77);

    // As on GitLab: the identity itself, good for one exchange.
    let identity = scene.signer.sign(&gitlab_claims(&scene.issuer.url, &scene.url(), Timestamp::now().as_second()));
    let job = [("AGENT_REGISTRY_ID_TOKEN", identity.as_str())];
    scene.agent("push acme/my-agent:latest --path my-agent", &job).ok();
    let again = scene.agent("push acme/my-agent:latest --path my-agent", &job).failed(77);
    assert!(again.stderr.contains("used before"), "{again}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_signs_in_with_a_browser_here_or_elsewhere() {
    let scene = Scene::new().await;
    let ca = scene.sandbox.path("ca.pem");
    let line = format!("login --ca-certificate {} --oidc", ca.display());
    let mut child = scene.typed(&line, &[]).stderr(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines().map(Result::unwrap);
    let page = lines.find(|line| line.starts_with(&scene.issuer.url)).expect("it shows the address to open");
    let trusted = reqwest::Certificate::from_pem(scene.issuer.certificate.as_bytes()).unwrap();
    let browser = reqwest::Client::builder().tls_certs_only([trusted]).build().unwrap();
    assert_eq!(browser.get(page).send().await.unwrap().status(), 200);
    let rest: Vec<String> = lines.collect();
    assert!(child.wait().unwrap().success(), "{rest:?}");
    assert!(rest.iter().any(|line| line.contains("as ada")), "{rest:?}");
    assert!(!rest.iter().any(|line| line.contains("agr_") || line.contains("eyJ")), "{rest:?}");
    let known = scene.agent("whoami --format json", &[]).ok();
    assert_eq!(known.json()["name"], "ada", "{known}");

    let device = scene.agent(&format!("{line}=company --device"), &[]).ok();
    assert!(device.stderr.contains("WDJB-MJHT"), "{device}");
    let wrong = scene.agent("login --oidc=nobody", &[]).failed(2);
    assert!(wrong.stderr.contains("--oidc=NAME`: company"), "{wrong}");
}
