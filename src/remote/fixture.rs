//! A server on the loopback that speaks HTTP by hand, so that it can also speak it wrongly.
#![expect(clippy::unwrap_used, reason = "a failing test may panic")]

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

use super::patience::Patience;
use super::upload::Pieces;
use super::{Credential, Endpoint, Options, Remote};

/// A request as it arrived.
#[derive(Clone, Debug)]
pub(super) struct Seen {
    pub(super) method: String,
    pub(super) target: String,
    pub(super) headers: HashMap<String, String>,
    pub(super) body: Vec<u8>,
}

impl Seen {
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(String::as_str)
    }

    pub(super) fn authorization(&self) -> Option<&str> {
        self.header("authorization")
    }

    pub(super) fn path(&self) -> &str {
        self.target.split('?').next().unwrap()
    }

    pub(super) fn line(&self) -> String {
        format!("{} {}", self.method, self.target)
    }
}

/// What the server does after the bytes of its answer.
#[derive(Clone, Copy)]
enum Then {
    Close,
    /// Keeps the connection, silently.
    Stall,
    /// Writes until nobody listens.
    Flood,
    /// Writes a byte now and then, until nobody listens.
    Drip,
}

/// An answer.
pub(super) struct Reply {
    bytes: Vec<u8>,
    body: Vec<u8>,
    length: Option<usize>,
    then: Then,
}

impl Reply {
    pub(super) fn new(status: u16) -> Self {
        let bytes = format!("HTTP/1.1 {status} X\r\nConnection: close\r\n").into_bytes();
        Self { bytes, body: vec![], length: None, then: Then::Close }
    }

    /// Bytes instead of HTTP.
    pub(super) fn raw(bytes: &[u8]) -> Self {
        Self { bytes: bytes.to_vec(), body: vec![], length: Some(usize::MAX), then: Then::Close }
    }

    /// No answer at all.
    pub(super) fn hang_up() -> Self {
        Self::raw(b"")
    }

    pub(super) fn json(body: &str) -> Self {
        Self::new(200).header("Content-Type", "application/json").body(body.as_bytes())
    }

    /// A 401 whose realm is given.
    pub(super) fn challenge(realm: &str, scope: &str) -> Self {
        let value = format!("Bearer realm=\"{realm}\",service=\"s\",scope=\"{scope}\"");
        Self::new(401).header("WWW-Authenticate", &value)
    }

    pub(super) fn header(mut self, name: &str, value: &str) -> Self {
        self.bytes.extend_from_slice(format!("{name}: {value}\r\n").as_bytes());
        self
    }

    pub(super) fn body(mut self, body: &[u8]) -> Self {
        self.body = body.to_vec();
        self
    }

    /// Announces another length than the body has.
    pub(super) fn announcing(mut self, length: usize) -> Self {
        self.length = Some(length);
        self
    }

    pub(super) fn then_stall(mut self) -> Self {
        self.then = Then::Stall;
        self
    }

    /// Goes on with a chunked body that does not end.
    pub(super) fn then_flood(mut self) -> Self {
        self.then = Then::Flood;
        self
    }

    /// Goes on with single bytes, up to the length announced.
    pub(super) fn then_drip(mut self) -> Self {
        self.then = Then::Drip;
        self
    }

    async fn write(mut self, stream: &mut TcpStream, is_head: bool) -> std::io::Result<()> {
        match (self.then, self.length) {
            (Then::Flood, _) => self.bytes.extend_from_slice(b"Transfer-Encoding: chunked\r\n\r\n"),
            (_, Some(usize::MAX)) => {}
            (_, length) => {
                let length = length.unwrap_or(self.body.len());
                self.bytes.extend_from_slice(format!("Content-Length: {length}\r\n\r\n").as_bytes());
            }
        }
        if !is_head {
            self.bytes.extend_from_slice(&self.body);
        }
        stream.write_all(&self.bytes).await?;
        match self.then {
            Then::Close => stream.shutdown().await,
            Then::Stall => {
                let mut nothing = [0];
                while stream.read(&mut nothing).await? > 0 {}
                Ok(())
            }
            Then::Drip => {
                let mut pace = tokio::time::interval(Duration::from_millis(5));
                loop {
                    pace.tick().await;
                    stream.write_all(b" ").await?;
                }
            }
            Then::Flood => loop {
                stream.write_all(b"2000\r\n").await?;
                stream.write_all(&[b' '; 0x2000]).await?;
                stream.write_all(b"\r\n").await?;
            },
        }
    }
}

/// A running server, ended when dropped.
pub(super) struct Peer {
    address: String,
    seen: Arc<Mutex<Vec<Seen>>>,
    task: JoinHandle<()>,
}

impl Drop for Peer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Peer {
    /// Answers every request with `answer`, one a connection.
    pub(super) async fn serve(answer: impl Fn(&Seen) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let seen = Arc::new(Mutex::new(Vec::new()));
        let (log, answer) = (Arc::clone(&seen), Arc::new(answer));
        let task = tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let (log, answer) = (Arc::clone(&log), Arc::clone(&answer));
                tokio::spawn(async move {
                    let Some(request) = read_request(&mut stream).await else { return };
                    log.lock().unwrap().push(request.clone());
                    let reply = answer(&request);
                    // A client that has heard enough hangs up.
                    let _ = reply.write(&mut stream, request.method == "HEAD").await;
                });
            }
        });
        Self { address, seen, task }
    }

    pub(super) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub(super) fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }

    pub(super) fn lines(&self) -> Vec<String> {
        self.seen().iter().map(Seen::line).collect()
    }

    pub(super) fn remote(&self) -> Remote {
        self.remote_as(None)
    }

    pub(super) fn remote_as(&self, credential: impl Into<Option<Credential>>) -> Remote {
        self.remote_with(credential.into(), patience())
    }

    pub(super) fn remote_with(&self, credential: Option<Credential>, patience: Patience) -> Remote {
        let endpoint = Endpoint::parse(&self.address, false).unwrap();
        let options = Options { credential, ..Options::default() };
        Remote::with(endpoint, options, patience, Pieces { whole: 10, piece: 4 }).unwrap()
    }
}

/// Waits that suit a test: none between attempts, ample for a slow machine otherwise.
pub(super) fn patience() -> Patience {
    Patience {
        connect: Duration::from_secs(10),
        idle: Duration::from_secs(20),
        whole: Duration::from_secs(20),
        words: Duration::from_secs(20),
        first_delay: Duration::from_millis(1),
        longest_delay: Duration::from_millis(2),
        attempts: 4,
    }
}

pub(super) fn bob() -> Credential {
    Credential::Basic { user: "bob".to_owned(), password: "secret".to_owned() }
}

/// `bob` as a header.
pub(super) const BOB: &str = "Basic Ym9iOnNlY3JldA==";

async fn read_request(stream: &mut TcpStream) -> Option<Seen> {
    let mut bytes = Vec::new();
    let head_ends = loop {
        if let Some(place) = find(&bytes, b"\r\n\r\n") {
            break place;
        }
        read_more(stream, &mut bytes).await?;
    };
    let head = String::from_utf8(bytes[..head_ends].to_vec()).unwrap();
    let mut body = bytes.split_off(head_ends + 4);
    let mut lines = head.lines();
    let mut words = lines.next()?.split(' ');
    let (method, target) = (words.next()?.to_owned(), words.next()?.to_owned());
    let headers: HashMap<_, _> = lines
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
        .collect();
    // A streamed body without its length would be one that many registries refuse.
    assert!(!headers.contains_key("transfer-encoding"), "{method} {target} is chunked");
    let length: usize = headers.get("content-length").map_or(0, |length| length.parse().unwrap());
    while body.len() < length {
        read_more(stream, &mut body).await?;
    }
    Some(Seen { method, target, headers, body })
}

async fn read_more(stream: &mut TcpStream, bytes: &mut Vec<u8>) -> Option<()> {
    let read = stream.read_buf(bytes).await.ok()?;
    (read > 0).then_some(())
}

fn find(bytes: &[u8], pattern: &[u8]) -> Option<usize> {
    bytes.windows(pattern.len()).position(|window| window == pattern)
}
