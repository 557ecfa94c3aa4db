//! A server that answers as a test tells it, well or badly, and remembers what it was asked.

use std::collections::HashMap;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// A request as it arrived.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    pub(crate) method: String,
    pub(crate) target: String,
    pub(crate) headers: HashMap<String, String>,
    pub(crate) body: String,
}

impl Seen {
    pub(crate) fn path(&self) -> &str {
        self.target.split('?').next().unwrap()
    }

    pub(crate) fn authorization(&self) -> Option<&str> {
        self.headers.get("authorization").map(String::as_str)
    }

    /// Method, target and body on one line.
    pub(crate) fn line(&self) -> String {
        format!("{} {} {}", self.method, self.target, self.body).trim_end().to_owned()
    }
}

/// What follows the body of an answer.
#[derive(Clone, Copy, PartialEq)]
enum Then {
    End,
    /// Bytes as fast as they are taken, without end.
    Flood,
    /// A byte now and then, without end.
    Drip,
}

/// An answer.
#[derive(Clone)]
pub(crate) struct Reply {
    status: u16,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
    then: Then,
}

impl Reply {
    pub(crate) fn new(status: u16) -> Self {
        Self { status, headers: vec![], body: vec![], then: Then::End }
    }

    pub(crate) fn json(body: &str) -> Self {
        Self::new(200).header("Content-Type", "application/json").body(body)
    }

    /// A problem, as the REST API tells one.
    pub(crate) fn problem(status: u16, detail: &str) -> Self {
        let body = serde_json::json!({"title": "Problem", "status": status, "detail": detail}).to_string();
        Self::new(status).header("Content-Type", "application/problem+json").body(&body)
    }

    pub(crate) fn basic_challenge() -> Self {
        Self::new(401).header("WWW-Authenticate", "Basic realm=\"test\"")
    }

    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    pub(crate) fn body(mut self, body: &str) -> Self {
        self.body = body.as_bytes().to_vec();
        self
    }

    pub(crate) fn then_flood(mut self) -> Self {
        self.then = Then::Flood;
        self
    }

    pub(crate) fn then_drip(mut self) -> Self {
        self.then = Then::Drip;
        self
    }

    fn write(&self, stream: &mut TcpStream, is_head: bool) -> std::io::Result<()> {
        write!(stream, "HTTP/1.1 {} X\r\nConnection: close\r\n", self.status)?;
        for (name, value) in &self.headers {
            write!(stream, "{name}: {value}\r\n")?;
        }
        if self.then == Then::End {
            write!(stream, "Content-Length: {}\r\n", self.body.len())?;
        }
        stream.write_all(b"\r\n")?;
        if !is_head {
            stream.write_all(&self.body)?;
        }
        loop {
            match self.then {
                Then::End => return stream.flush(),
                Then::Flood => stream.write_all(&[b' '; 16 * 1024])?,
                Then::Drip => {
                    stream.write_all(b" ")?;
                    std::thread::park_timeout(Duration::from_millis(100));
                }
            }
        }
    }
}

/// A server on this machine. It ends with the process.
pub(crate) struct Peer {
    pub(crate) url: String,
    seen: Arc<Mutex<Vec<Seen>>>,
}

impl Peer {
    pub(crate) fn serve(answer: impl Fn(&Seen) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let seen = Arc::new(Mutex::new(vec![]));
        let (log, answer) = (Arc::clone(&seen), Arc::new(answer));
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let (log, answer) = (Arc::clone(&log), Arc::clone(&answer));
                std::thread::spawn(move || {
                    let mut stream = stream;
                    let Some(request) = read(&stream) else { return };
                    log.lock().unwrap().push(request.clone());
                    // A client that has heard enough hangs up.
                    let _ = answer(&request).write(&mut stream, request.method == "HEAD");
                });
            }
        });
        Self { url, seen }
    }

    /// Host and port.
    pub(crate) fn host(&self) -> &str {
        self.url.trim_start_matches("http://")
    }

    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }

    /// What was asked since the last time, as lines.
    pub(crate) fn take_lines(&self) -> Vec<String> {
        self.seen.lock().unwrap().drain(..).map(|request| request.line()).collect()
    }
}

fn read(stream: &TcpStream) -> Option<Seen> {
    let mut reader = BufReader::new(stream);
    let mut first = String::new();
    reader.read_line(&mut first).ok()?;
    let mut words = first.split(' ');
    let (method, target) = (words.next()?.to_owned(), words.next()?.to_owned());
    let mut headers = HashMap::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        let Some((name, value)) = line.trim_end().split_once(':') else { break };
        headers.insert(name.to_ascii_lowercase(), value.trim().to_owned());
    }
    let length: usize = headers.get("content-length").and_then(|length| length.parse().ok()).unwrap_or(0);
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    Some(Seen { method, target, headers, body: String::from_utf8_lossy(&body).into_owned() })
}
