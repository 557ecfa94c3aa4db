//! Registries of other projects, broken ones, hostile ones, and artifacts that are no agents.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpListener;

use agent_registry::oci::{Algorithm, Digest, Manifest, MediaType, RepositoryName};
use agent_registry::remote::{BlobSource, Endpoint, Options, Remote};
use insta::assert_snapshot;

use crate::sandbox::{AGENT, Registry, Sandbox};

/// A server that gives every request the same answer.
fn answering(status: &'static str, headers: &'static str, body: &'static str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut reader = BufReader::new(stream.try_clone().unwrap());
            let mut line = String::new();
            while reader.read_line(&mut line).unwrap_or(0) > 2 {
                line.clear();
            }
            let length = body.len();
            // The client may have left.
            let _ = write!(
                stream,
                "HTTP/1.1 {status}\r\nConnection: close\r\n{headers}Content-Length: {length}\r\n\r\n{body}"
            );
        }
    });
    url
}

#[test]
fn a_page_for_people_is_no_registry() {
    let url = answering("200 OK", "Content-Type: text/html\r\n", "<html>\u{1b}[31mWelcome</html>");
    let sandbox = Sandbox::new();
    sandbox.write("agent.yaml", AGENT);
    for line in ["push team/my-agent:1.0.0", "pull team/my-agent:1.0.0", "inspect team/my-agent:1.0.0"] {
        let ran = sandbox.agent(&format!("{line} --registry {url}"));
        assert!(matches!(ran.code, 65 | 69), "{ran}");
        assert!(ran.stderr.contains("is no OCI registry") && !ran.stderr.contains('\u{1b}'), "{ran}");
        assert_eq!(ran.stderr.matches("error:").count(), 1, "{ran}");
    }
    assert!(!sandbox.path("my-agent").exists());
}

#[test]
fn an_answer_nobody_can_use_names_who_gave_it() {
    let url = answering("200 OK", "Content-Type: application/json\r\n", "{}");
    let ran = Sandbox::new().agent(&format!("pull team/my-agent:1.0.0 --registry {url}")).failed(65);
    assert!(ran.stderr.starts_with(&format!("error: the answer of the registry {url} cannot be used\n")), "{ran}");
    assert!(ran.stderr.contains(&format!("hint: check the address: a registry answers at {url}/v2/")), "{ran}");
}

#[test]
fn a_registry_in_trouble_is_one_error_after_some_tries() {
    let retry = "Retry-After: 0\r\nContent-Type: application/json\r\n";
    let url = answering("503 Service Unavailable", retry, r#"{"errors":[{"code":"X","message":"\u001b[2Jbusy"}]}"#);
    let ran = Sandbox::new().agent(&format!("pull team/my-agent:1.0.0 --registry {url}")).failed(69);
    assert!(ran.stderr.contains("cannot be used now") && ran.stderr.contains("busy"), "{ran}");
    assert!(!ran.stderr.contains('\u{1b}') && !ran.stderr.contains("agent registry serve"), "{ran}");
}

#[test]
fn without_a_catalogue_the_store_is_listed_and_the_hint_given() {
    let url = answering("404 Not Found", "", "");
    let sandbox = Sandbox::new();
    sandbox.write("agent.yaml", AGENT);
    sandbox.agent("build -t my-agent:1.0.0").ok();
    let ran = sandbox.agent(&format!("images --quiet --registry {url}")).ok();
    assert_eq!(ran.stdout, "my-agent:1.0.0\n");
    assert!(ran.stderr.contains("has no catalogue of agents"), "{ran}");
    let ran = sandbox.agent(&format!("images --remote --registry {url}")).failed(2);
    assert!(ran.stderr.contains("hint: name a repository"), "{ran}");
    sandbox.agent(&format!("images {}/team/x --registry {url}", url.trim_start_matches("http://"))).failed(79);
}

/// Puts an image into a registry, as another tool would.
fn push_image(registry: &Registry) {
    let config = br#"{"architecture":"amd64","os":"linux"}"#.as_slice();
    let digest = Digest::sha256(config);
    let text = format!(
        r#"{{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":{{"mediaType":
        "application/vnd.oci.image.config.v1+json","digest":"{digest}","size":{}}},"layers":[]}}"#,
        config.len()
    );
    let media_type: MediaType = "application/vnd.oci.image.manifest.v1+json".parse().unwrap();
    let manifest = Manifest::parse(text.into(), Some(&media_type), Algorithm::Sha256).unwrap();
    let remote = Remote::connect(Endpoint::parse(&registry.url, false).unwrap(), Options::default()).unwrap();
    let name: RepositoryName = "team/image".parse().unwrap();
    tokio::runtime::Runtime::new().unwrap().block_on(async {
        let source = BlobSource::Bytes(config.to_vec().into());
        remote.push_blob(&name, &digest, config.len() as u64, &source, &|_| {}).await.unwrap();
        remote.put_manifest(&name, &manifest, &["1.0".parse().unwrap()]).await.unwrap();
    });
}

#[test]
fn what_is_no_agent_is_named() {
    let registry = Registry::start();
    push_image(&registry);
    let sandbox = Sandbox::with(&registry);
    assert_snapshot!(sandbox.agent("pull team/image:1.0"), @r"
    exit 65
    -- stderr
    error: `[host]/team/image:1.0` is no agent package: it is of kind container image
    hint: try `docker pull`
    ");
    assert!(!sandbox.path("image").exists());
    assert_snapshot!(sandbox.agent("inspect team/image:1.0"), @r"
    exit 0
    -- stdout
    Reference   [host]/team/image:1.0
    Kind        container image
    Digest      sha256:[hex]
    Size        37B
    -- stderr
    this is no agent package but of kind container image
    ");
    let json = sandbox.agent(&format!("images {}/team/image --format json", registry.host())).ok().json();
    assert_eq!((&json[0]["kind"], &json[0]["tag"]), (&"container image".into(), &"1.0".into()));
}
