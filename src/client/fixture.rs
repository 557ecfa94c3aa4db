//! Packages made from folders, and a registry that answers as a test tells it to.
#![expect(clippy::unwrap_used, reason = "a failing test may panic")]

use std::fmt::Write as _;
use std::io::{BufRead as _, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use super::{Outcome, Progress};
use crate::oci::{Descriptor, Digest, Reference};
use crate::package::{Artifact, Overrides, Source};
use crate::remote::{Credential, Endpoint, Options, Remote};

/// Writes files below a folder, which is made if absent.
pub(super) fn write(folder: &Path, files: &[(&str, &str)]) {
    for (path, text) in files {
        let path = folder.join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
}

/// A source folder of an agent `demo`.
pub(super) fn source(version: &str, files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let agent = format!(
        "apiVersion: agent.dev/v1\nkind: Agent\nmetadata: {{name: demo, version: {version}}}\n\
         spec: {{runtime: go, model: {{provider: openai, name: gpt-4}}}}\n"
    );
    write(folder.path(), &[("agent.yaml", &agent)]);
    write(folder.path(), files);
    folder
}

/// The package of such a folder.
pub(super) fn package(version: &str, files: &[(&str, &str)]) -> Artifact {
    pack(source(version, files).path())
}

pub(super) fn pack(folder: &Path) -> Artifact {
    Source::open(folder).unwrap().draft(&Overrides::default()).unwrap().pack().unwrap()
}

pub(super) fn reference(text: &str) -> Reference {
    text.parse().unwrap()
}

/// Remembers what it was told.
#[derive(Debug, Default)]
pub(super) struct Recorder {
    pub(super) ends: Mutex<Vec<(Digest, Outcome)>>,
    pub(super) notes: Mutex<Vec<String>>,
}

impl Progress for Recorder {
    fn begin(&self, _blob: &Descriptor, _what: &str) {}
    fn advance(&self, _digest: &Digest, _done: u64) {}
    fn end(&self, digest: &Digest, how: Outcome) {
        self.ends.lock().unwrap().push((*digest, how));
    }
    fn note(&self, message: &str) {
        self.notes.lock().unwrap().push(message.to_owned());
    }
}

/// One request, without its body.
#[derive(Clone, Debug)]
pub(super) struct Request {
    pub(super) method: String,
    pub(super) path: String,
    /// Where a requested range begins.
    pub(super) from: Option<usize>,
    /// Whether it shows a credential.
    pub(super) has_credential: bool,
    /// The last event it says it has seen.
    pub(super) last_event: Option<String>,
}

/// One answer; the connection is closed behind it.
#[derive(Clone, Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) headers: Vec<(&'static str, String)>,
    pub(super) body: Vec<u8>,
    /// The length it claims to have, if another than its own.
    pub(super) claimed: Option<usize>,
    /// Whether it says nothing of its length.
    pub(super) is_unmeasured: bool,
}

impl Answer {
    pub(super) fn of(status: u16) -> Self {
        Self { status, headers: vec![], body: vec![], claimed: None, is_unmeasured: false }
    }

    pub(super) fn with(body: impl Into<Vec<u8>>) -> Self {
        Self { body: body.into(), ..Self::of(200) }
    }

    pub(super) fn header(mut self, name: &'static str, value: &(impl ToString + ?Sized)) -> Self {
        self.headers.push((name, value.to_string()));
        self
    }

    /// The rest of a body from where the request wants it.
    pub(super) fn part(body: &[u8], request: &Request) -> Self {
        match request.from {
            None => Self::with(body),
            Some(from) => {
                let range = format!("bytes {from}-{}/{}", body.len() - 1, body.len());
                Self { status: 206, ..Self::with(&body[from..]) }.header("Content-Range", &range)
            }
        }
    }

    pub(super) fn manifest(artifact: &Artifact) -> Self {
        let manifest = artifact.manifest();
        Self::with(manifest.bytes().to_vec())
            .header("Content-Type", manifest.media_type())
            .header("Docker-Content-Digest", &manifest.digest())
    }
}

/// A registry on a port of this machine.
pub(super) struct Registry {
    address: SocketAddr,
    requests: Arc<Mutex<Vec<Request>>>,
    is_over: Arc<AtomicBool>,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl Registry {
    pub(super) fn serve(answer: impl Fn(&Request) -> Answer + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let (requests, is_over) = (Arc::new(Mutex::new(vec![])), Arc::new(AtomicBool::new(false)));
        let (seen, over) = (requests.clone(), is_over.clone());
        let thread = std::thread::spawn(move || {
            for stream in listener.incoming() {
                if over.load(Ordering::SeqCst) {
                    break;
                }
                // A client that goes away in the middle is part of some tests.
                if let Ok(stream) = stream {
                    let _ = converse(&stream, &answer, &seen);
                }
            }
        });
        Self { address, requests, is_over, thread: Some(thread) }
    }

    pub(super) fn remote(&self) -> Remote {
        self.remote_as(None)
    }

    pub(super) fn remote_as(&self, credential: Option<Credential>) -> Remote {
        let endpoint = Endpoint::parse(&format!("http://{}", self.address), false).unwrap();
        Remote::connect(endpoint, Options { credential, max_attempts: 1, ..Options::default() }).unwrap()
    }

    pub(super) fn requests(&self) -> Vec<Request> {
        self.requests.lock().unwrap().clone()
    }
}

impl Drop for Registry {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::SeqCst);
        let _ = TcpStream::connect(self.address);
        let _ = self.thread.take().unwrap().join();
    }
}

fn converse(
    mut stream: &TcpStream,
    answer: &impl Fn(&Request) -> Answer,
    seen: &Mutex<Vec<Request>>,
) -> std::io::Result<()> {
    let mut lines = BufReader::new(stream).lines();
    let first = lines.next().unwrap_or(Ok(String::new()))?;
    let mut words = first.split(' ').map(str::to_owned);
    let (Some(method), Some(path)) = (words.next(), words.next()) else { return Ok(()) };
    let mut request = Request { method, path, from: None, has_credential: false, last_event: None };
    for line in lines.by_ref().map_while(Result::ok).take_while(|line| !line.is_empty()) {
        request.has_credential |= line.to_ascii_lowercase().starts_with("authorization:");
        if let Some(last) = line.to_ascii_lowercase().strip_prefix("last-event-id: ") {
            request.last_event = Some(last.to_owned());
        }
        if let Some(range) = line.to_ascii_lowercase().strip_prefix("range: bytes=") {
            request.from = range.split('-').next().and_then(|from| from.parse().ok());
        }
    }
    seen.lock().unwrap().push(request.clone());
    let answer = answer(&request);
    let length = answer.claimed.unwrap_or(answer.body.len());
    let mut head = format!("HTTP/1.1 {} X\r\nConnection: close\r\n", answer.status);
    if !answer.is_unmeasured {
        let _ = write!(head, "Content-Length: {length}\r\n");
    }
    for (name, value) in &answer.headers {
        let _ = write!(head, "{name}: {value}\r\n");
    }
    stream.write_all(head.as_bytes())?;
    stream.write_all(b"\r\n")?;
    if request.method != "HEAD" {
        stream.write_all(&answer.body)?;
    }
    stream.flush()
}

/// A registry that has one package under `team/demo`, except where `other` answers.
pub(super) fn registry_of(
    artifact: &Artifact,
    other: impl Fn(&Request) -> Option<Answer> + Send + 'static,
) -> Registry {
    let manifest = Answer::manifest(artifact);
    let blobs: Vec<_> =
        artifact.blobs().iter().map(|blob| (blob.descriptor.digest.to_string(), bytes_of(blob))).collect();
    let digest = artifact.manifest().digest().to_string();
    Registry::serve(move |request| {
        if let Some(answer) = other(request) {
            return answer;
        }
        match request.path.strip_prefix("/v2/team/demo/").and_then(|rest| rest.split_once('/')) {
            Some(("manifests", target)) if target == "latest" || target == digest => manifest.clone(),
            Some(("blobs", wanted)) => match blobs.iter().find(|(digest, _)| digest == wanted) {
                Some((_, bytes)) => Answer::part(bytes, request),
                None => Answer::of(404),
            },
            _ => Answer::of(404),
        }
    })
}

pub(super) fn bytes_of(blob: &crate::package::ArtifactBlob) -> Vec<u8> {
    match &blob.content {
        crate::package::BlobContent::Bytes(bytes) => bytes.to_vec(),
        crate::package::BlobContent::File(path) => std::fs::read(path).unwrap(),
    }
}

/// A store and a cache in a folder of their own.
pub(super) struct Home {
    _folder: tempfile::TempDir,
    pub(super) store: super::Store,
    pub(super) cache: super::Cache,
    pub(super) work: PathBuf,
}

impl Home {
    pub(super) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = super::Store::open(&folder.path().join("store")).unwrap();
        let cache = super::Cache::open(&folder.path().join("cache")).unwrap();
        let work = folder.path().join("work");
        std::fs::create_dir(&work).unwrap();
        Self { _folder: folder, store, cache, work }
    }

    /// Files below the working folder.
    pub(super) fn files(&self) -> Vec<String> {
        let mut found = vec![];
        let mut folders = vec![self.work.clone()];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                } else {
                    found.push(path.strip_prefix(&self.work).unwrap().display().to_string());
                }
            }
        }
        found.sort();
        found
    }
}
