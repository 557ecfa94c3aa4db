//! A wire between a client and a server that counts what goes over it, and can break once.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;

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
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let host = listener.local_addr().expect("an address").to_string();
        let counts = Arc::new(Counts::default());
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
