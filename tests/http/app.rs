//! A server of its own for each test, in this process, on a free port over a temporary folder.

use std::path::{Path, PathBuf};

use agent_registry::oci::{Digest, Manifest};
use agent_registry::package::{Artifact, BlobContent, Overrides, Source};
use agent_registry::server::{Config, Limits, Server, Tls};
use reqwest::header::HeaderMap;
use reqwest::{Certificate, Client, Method, StatusCode};
use serde_json::Value;
use tempfile::TempDir;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

/// A running server and a client for it.
pub(crate) struct TestApp {
    pub(crate) url: String,
    pub(crate) client: Client,
    directory: TempDir,
    data: PathBuf,
    /// The first administrator's token; empty where the server checks nobody, or has one since before.
    pub(crate) admin: String,
    is_open: bool,
    stop: oneshot::Sender<()>,
    serving: JoinHandle<()>,
}

/// An answer, read whole.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&self.body)))
    }

    /// Where the next page is, on this server; empty on the last.
    pub(crate) fn next(&self) -> String {
        let link = self.header("link");
        let next = link.strip_prefix('<').and_then(|link| link.strip_suffix(">; rel=\"next\"")).unwrap_or_default();
        assert!(if link.is_empty() { next.is_empty() } else { next.starts_with("/v2/") }, "{link}");
        next.to_owned()
    }

    /// Status and first error code of the distribution API.
    pub(crate) fn error(&self) -> (u16, String) {
        (self.status.as_u16(), self.json()["errors"][0]["code"].as_str().unwrap_or_default().to_owned())
    }

    /// The message of the first error.
    pub(crate) fn message(&self) -> String {
        self.json()["errors"][0]["message"].as_str().unwrap_or_default().to_owned()
    }
}

impl TestApp {
    pub(crate) async fn spawn() -> Self {
        Self::with(Config::default()).await
    }

    /// A server that knows people, of whom there is one, the administrator.
    pub(crate) async fn with_accounts() -> Self {
        Self::configured(Config::default()).await
    }

    /// The same with a configuration of its own, but for address and folder.
    pub(crate) async fn configured(config: Config) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let data = directory.path().join("data");
        Self::on(directory, data, config).await
    }

    pub(crate) async fn limited(limits: Limits) -> Self {
        Self::with(Config { limits, ..Config::default() }).await
    }

    /// A server under TLS, and the certificate its clients are to trust, which lies in its folder as `cert.pem`.
    pub(crate) async fn with_tls(limits: Limits) -> (Self, Certificate) {
        let directory = tempfile::tempdir().unwrap();
        let issued = rcgen::generate_simple_self_signed(vec!["127.0.0.1".to_owned()]).unwrap();
        let (cert, key) = (directory.path().join("cert.pem"), directory.path().join("key.pem"));
        std::fs::write(&cert, issued.cert.pem()).unwrap();
        std::fs::write(&key, issued.signing_key.serialize_pem()).unwrap();
        let app = Self::over(directory, Config { tls: Some(Tls { cert, key }), limits, ..Config::default() }).await;
        let trusted = Certificate::from_pem(issued.cert.pem().as_bytes()).unwrap();
        let client = Client::builder().tls_certs_only([trusted.clone()]).build().unwrap();
        (Self { client, ..app }, trusted)
    }

    /// A server with a configuration of its own, but for address and folder.
    pub(crate) async fn with(config: Config) -> Self {
        Self::over(tempfile::tempdir().unwrap(), config).await
    }

    /// A server over a data directory that lies in a folder.
    pub(crate) async fn at(folder: TempDir, data: &str) -> Self {
        let data = folder.path().join(data);
        Self::on(folder, data, Config { insecure_no_auth: true, ..Config::default() }).await
    }

    async fn over(directory: TempDir, config: Config) -> Self {
        let data = directory.path().to_owned();
        Self::on(directory, data, Config { insecure_no_auth: true, ..config }).await
    }

    async fn on(directory: TempDir, data: PathBuf, config: Config) -> Self {
        let listen = ([127, 0, 0, 1], 0).into();
        let config = Config { listen, data: data.clone(), workers: Some(1), ..config };
        let is_open = config.insecure_no_auth;
        let mut server = Server::bind(config).await.unwrap();
        let admin = server.take_first_token().map(|token| token.expose().to_owned()).unwrap_or_default();
        let url = server.url().to_owned();
        let (stop, stopped) = oneshot::channel::<()>();
        let serving = tokio::spawn(async move {
            let stopped = async {
                // A dropped sender ends the server as well.
                let _ = stopped.await;
            };
            server.run(stopped).await.unwrap();
        });
        let client = Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
        Self { url, client, directory, data, admin, is_open, stop, serving }
    }

    /// Stops the server and starts another one over the same folder.
    pub(crate) async fn restarted(self) -> Self {
        self.restarted_after(async |_| ()).await
    }

    /// Stops the server, does something to its folder, and starts another one over it.
    pub(crate) async fn restarted_after(self, meanwhile: impl AsyncFnOnce(&Path)) -> Self {
        self.again(meanwhile, Config::default()).await
    }

    /// Stops the server and starts another one over the same folder, with a configuration of its own.
    pub(crate) async fn restarted_with(self, config: Config) -> Self {
        self.again(async |_| (), config).await
    }

    async fn again(self, meanwhile: impl AsyncFnOnce(&Path), config: Config) -> Self {
        let Self { directory, data, admin, is_open, stop, serving, client, .. } = self;
        drop(client);
        stop.send(()).unwrap();
        serving.await.unwrap();
        meanwhile(directory.path()).await;
        let again = Self::on(directory, data, Config { insecure_no_auth: is_open, ..config }).await;
        Self { admin, ..again }
    }

    /// Where its data is.
    pub(crate) fn data(&self) -> &Path {
        &self.data
    }

    /// The file of a blob that is not in the database.
    pub(crate) fn blob_file(&self, digest: &Digest) -> PathBuf {
        let folder = self.directory.path().join("blobs").join(digest.algorithm().as_str());
        folder.join(&digest.hex()[..2]).join(digest.hex())
    }

    /// The address of the server, for raw sockets.
    pub(crate) fn address(&self) -> &str {
        self.url.split_once("://").unwrap().1
    }

    pub(crate) async fn send(&self, method: Method, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Answer {
        let url = if path.starts_with("http") { path.to_owned() } else { format!("{}{path}", self.url) };
        let mut request = self.client.request(method, url);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let response = request.body(body.to_vec()).send().await.unwrap();
        let (status, headers) = (response.status(), response.headers().clone());
        Answer { status, headers, body: response.bytes().await.unwrap().to_vec() }
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.send(Method::GET, path, &[], b"").await
    }

    pub(crate) async fn push_blob(&self, name: &str, content: &[u8]) -> Digest {
        let digest = Digest::sha256(content);
        let path = format!("/v2/{name}/blobs/uploads/?digest={digest}");
        assert_eq!(self.send(Method::POST, &path, &[], content).await.status, 201);
        digest
    }

    pub(crate) async fn put_manifest(&self, name: &str, target: &str, media_type: &str, bytes: &[u8]) -> Answer {
        let path = format!("/v2/{name}/manifests/{target}");
        self.send(Method::PUT, &path, &[("content-type", media_type)], bytes).await
    }

    /// Pushes the blobs of a package and gives what its manifest got.
    pub(crate) async fn push_package(&self, name: &str, target: &str, artifact: &Artifact) -> Answer {
        for blob in artifact.blobs() {
            let content = match &blob.content {
                BlobContent::Bytes(bytes) => bytes.to_vec(),
                BlobContent::File(path) => std::fs::read(path).unwrap(),
            };
            assert_eq!(self.push_blob(name, &content).await, blob.descriptor.digest);
        }
        self.push_manifest(name, target, artifact.manifest()).await
    }

    /// The same as somebody, where people are known.
    pub(crate) async fn push_package_as(&self, token: &str, name: &str, target: &str, artifact: &Artifact) {
        let authorization = format!("Bearer {token}");
        for blob in artifact.blobs() {
            let content = match &blob.content {
                BlobContent::Bytes(bytes) => bytes.to_vec(),
                BlobContent::File(path) => std::fs::read(path).unwrap(),
            };
            let path = format!("/v2/{name}/blobs/uploads/?digest={}", blob.descriptor.digest);
            let headers = [("authorization", authorization.as_str())];
            assert_eq!(self.send(Method::POST, &path, &headers, &content).await.status, 201);
        }
        let manifest = artifact.manifest();
        let headers = [("authorization", authorization.as_str()), ("content-type", manifest.media_type().as_str())];
        let path = format!("/v2/{name}/manifests/{target}");
        assert_eq!(self.send(Method::PUT, &path, &headers, manifest.bytes()).await.status, 201);
    }

    pub(crate) async fn push_manifest(&self, name: &str, target: &str, manifest: &Manifest) -> Answer {
        self.put_manifest(name, target, manifest.media_type().as_str(), manifest.bytes()).await
    }
}

/// Packs one of the example packages.
pub(crate) fn example(name: &str) -> Artifact {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/packages").join(name);
    Source::open(&path).unwrap().draft(&Overrides::default()).unwrap().pack().unwrap()
}

/// Packs an agent made for one test.
pub(crate) fn agent(name: &str, version: &str, more: &str) -> Artifact {
    let place = tempfile::tempdir().unwrap();
    let text = format!(
        "apiVersion: agent.dev/v1\nkind: Agent\nmetadata:\n  name: {name}\n  version: {version}\n{more}\
         spec:\n  runtime: python\n  model: {{provider: openai, name: gpt-4}}\n  capabilities: [text-generation]\n"
    );
    std::fs::write(place.path().join("agent.yaml"), text).unwrap();
    std::fs::write(place.path().join("main.py"), "print('hello')\n").unwrap();
    Source::open(place.path()).unwrap().draft(&Overrides::default()).unwrap().pack().unwrap()
}
