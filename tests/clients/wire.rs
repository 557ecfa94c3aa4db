//! A wire between a client and a server that counts what goes over it, and can break or wait once.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// How often a token that is to expire is tried, and for how long at most.
const TRY: Duration = Duration::from_millis(200);
const PATIENCE: Duration = Duration::from_mins(3);

/// A way along the wire, as the client sees it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    Sent,
    Received,
}

/// What went over it, in bytes.
#[derive(Default)]
struct Counts {
    sent: AtomicU64,
    received: AtomicU64,
    was_cut: AtomicBool,
    holds: bool,
    has_held: AtomicBool,
}

impl Counts {
    fn of(&self, way: Way) -> &AtomicU64 {
        match way {
            Way::Sent => &self.sent,
            Way::Received => &self.received,
        }
    }
}

/// An address that leads to a server.
pub(crate) struct Wire {
    host: String,
    counts: Arc<Counts>,
}

impl Wire {
    /// A wire that holds.
    pub(crate) fn to(server: &str) -> Self {
        Self::breaking(server, Way::Sent, u64::MAX)
    }

    /// A wire that breaks once, after this many bytes that way; clients can connect again at once.
    pub(crate) fn breaking(server: &str, way: Way, after: u64) -> Self {
        Self::laid(server, (way, after), Counts::default())
    }

    /// A wire that holds the first request with bytes for a blob until the short token that it shows has expired.
    pub(crate) fn holding(server: &str) -> Self {
        Self::laid(server, (Way::Sent, u64::MAX), Counts { holds: true, ..Counts::default() })
    }

    fn laid(server: &str, (way, after): (Way, u64), counts: Counts) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let host = listener.local_addr().expect("an address").to_string();
        let counts = Arc::new(counts);
        let (shared, server) = (Arc::clone(&counts), server.to_owned());
        // It ends with the process of the tests: a listener that is dropped elsewhere does not wake it.
        thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                let server = TcpStream::connect(&server).expect("the server listens");
                let (from, to) = (client.try_clone().expect("a socket"), server.try_clone().expect("a socket"));
                carry(from, to, Way::Sent, (way, after), &shared);
                carry(server, client, Way::Received, (way, after), &shared);
            }
        });
        Self { host, counts }
    }

    /// Host and port of this end.
    pub(crate) fn host(&self) -> &str {
        &self.host
    }

    /// Bytes that clients sent to the server.
    pub(crate) fn sent(&self) -> u64 {
        self.counts.sent.load(Ordering::Relaxed)
    }

    /// Bytes that clients received from the server.
    pub(crate) fn received(&self) -> u64 {
        self.counts.received.load(Ordering::Relaxed)
    }

    /// Whether it held a request until its token had expired.
    pub(crate) fn has_held(&self) -> bool {
        self.counts.has_held.load(Ordering::Relaxed)
    }

    /// Whether it broke.
    pub(crate) fn was_cut(&self) -> bool {
        self.counts.was_cut.load(Ordering::Relaxed)
    }
}

/// Copies in a thread of its own until either end closes, or until the piece that breaks the wire, which does not
/// arrive.
fn carry(mut from: TcpStream, mut to: TcpStream, way: Way, (breaking, after): (Way, u64), counts: &Arc<Counts>) {
    let counts = Arc::clone(counts);
    thread::spawn(move || {
        let mut buffer = vec![0; 16 * 1024];
        while let Ok(length @ 1..) = from.read(&mut buffer) {
            if counts.holds && way == Way::Sent {
                hold(&buffer[..length], &to, &counts);
            }
            let count = length as u64;
            let before = counts.of(way).fetch_add(count, Ordering::Relaxed);
            let is_over = way == breaking && before.saturating_add(count) > after;
            let breaks = is_over && !counts.was_cut.swap(true, Ordering::Relaxed);
            if breaks || to.write_all(&buffer[..length]).is_err() {
                break;
            }
        }
        // Either may be closed already; then there is nothing left to end.
        let _ = from.shutdown(Shutdown::Both);
        let _ = to.shutdown(Shutdown::Both);
    });
}

/// Waits, if this is the first request with bytes for a blob and shows a short token, until the server refuses that.
fn hold(request: &[u8], server: &TcpStream, counts: &Counts) {
    let head = String::from_utf8_lossy(request);
    let line = head.lines().next().unwrap_or_default();
    let sends = ["PATCH /v2/", "PUT /v2/"].iter().any(|start| line.starts_with(start))
        || (line.starts_with("POST /v2/") && line.contains("?digest="));
    if counts.has_held.load(Ordering::Relaxed) || !sends || !line.contains("/blobs/uploads/") {
        return;
    }
    let field = |wanted: &str| {
        let mut fields = head.lines().filter_map(|line| line.split_once(": "));
        fields.find(|(name, _)| name.eq_ignore_ascii_case(wanted)).map(|(_, value)| value).unwrap_or_default()
    };
    // Only a short token has dots.
    let (host, token) = (field("host"), field("authorization"));
    if !token.contains('.') {
        return;
    }
    let started = Instant::now();
    while is_accepted(server, host, token) {
        assert!(started.elapsed() < PATIENCE, "the token does not expire");
        thread::park_timeout(TRY);
    }
    counts.has_held.store(true, Ordering::Relaxed);
}

/// Whether the server accepts a token that was made for a host.
fn is_accepted(server: &TcpStream, host: &str, token: &str) -> bool {
    let mut asked = TcpStream::connect(server.peer_addr().expect("an address")).expect("the server listens");
    let request = format!("GET /v2/ HTTP/1.1\r\nhost: {host}\r\nauthorization: {token}\r\nconnection: close\r\n\r\n");
    asked.write_all(request.as_bytes()).expect("the request is sent");
    let mut answer = String::new();
    asked.read_to_string(&mut answer).expect("an answer");
    answer.starts_with("HTTP/1.1 200")
}
