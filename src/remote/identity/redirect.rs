//! Where a browser comes back to after a sign-in: a port of this machine, open for one answer.

use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;

use super::super::Error;
use super::issuer::refused;
use crate::oci::percent_decode;

/// How long a person may take to sign in.
const PATIENCE: Duration = Duration::from_mins(5);

/// How long one connection may take to ask.
const REQUEST_PATIENCE: Duration = Duration::from_secs(5);

/// Most bytes of a request that are read: its first line is all that counts.
const MAX_REQUEST_BYTES: usize = 8 * 1024;

/// The path a browser is sent to.
const PATH: &str = "/callback";

/// A port that waits.
pub(super) struct Listener {
    listener: TcpListener,
    /// What the issuer is told to send the browser to.
    pub(super) address: String,
}

/// What a browser brought.
enum Brought {
    Code(String),
    Refused(String),
    /// It is none of ours: another program, a page that guesses, the browser's search for an icon.
    Nothing,
}

impl Listener {
    pub(super) async fn bind() -> Result<Self, Error> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.map_err(Error::Listen)?;
        let port = listener.local_addr().map_err(Error::Listen)?.port();
        Ok(Self { listener, address: format!("http://127.0.0.1:{port}{PATH}") })
    }

    /// The code the issuer sends for this `state`.
    pub(super) async fn code(&self, issuer: &str, state: &str) -> Result<String, Error> {
        let waiting = async {
            loop {
                let (mut stream, _) = self.listener.accept().await.map_err(Error::Listen)?;
                // A connection that says nothing must not keep the browser waiting for long.
                match timeout(REQUEST_PATIENCE, answer(&mut stream, issuer, state)).await {
                    Ok(Ok(Brought::Code(code))) => return Ok(code),
                    Ok(Ok(Brought::Refused(problem))) => return Err(refused(issuer, &problem)),
                    Ok(Ok(Brought::Nothing) | Err(_)) | Err(_) => {}
                }
            }
        };
        timeout(PATIENCE, waiting).await.unwrap_or_else(|_| Err(refused(issuer, "nobody signed in within 5 minutes")))
    }
}

async fn answer(stream: &mut TcpStream, issuer: &str, state: &str) -> std::io::Result<Brought> {
    let mut head = vec![];
    while !head.windows(4).any(|window| window == b"\r\n\r\n") && head.len() < MAX_REQUEST_BYTES {
        if stream.read_buf(&mut head).await? == 0 {
            break;
        }
    }
    let line = String::from_utf8_lossy(&head);
    let brought = read(line.lines().next().unwrap_or_default(), issuer, state);
    let (status, text) = match &brought {
        Brought::Code(_) => ("200 OK", "You are signed in. This window can be closed."),
        Brought::Refused(_) => ("200 OK", "You are not signed in. This window can be closed."),
        Brought::Nothing => ("404 Not Found", "There is nothing here."),
    };
    let answer = format!(
        "HTTP/1.1 {status}\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: {}\r\n\
         Cache-Control: no-store\r\nConnection: close\r\n\r\n{text}",
        text.len()
    );
    stream.write_all(answer.as_bytes()).await?;
    stream.shutdown().await?;
    Ok(brought)
}

/// Reads the first line of a request. Without the right `state` nothing in it is believed.
fn read(line: &str, issuer: &str, state: &str) -> Brought {
    let mut words = line.split(' ');
    let target = (words.next() == Some("GET")).then(|| words.next()).flatten().unwrap_or_default();
    let Some(query) = target.strip_prefix(PATH).and_then(|rest| rest.strip_prefix('?')) else {
        return Brought::Nothing;
    };
    let value = |name: &str| {
        let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
        pairs.filter(|(key, _)| *key == name).find_map(|(_, value)| percent_decode(value, true))
    };
    // RFC 9207: whose answer it is, where an issuer says so.
    let is_other = value("iss").is_some_and(|from| from != issuer);
    if value("state").as_deref() != Some(state) || is_other {
        return Brought::Nothing;
    }
    match (value("code"), value("error")) {
        (Some(code), None) if !code.is_empty() => Brought::Code(code),
        (_, Some(error)) => {
            let more = value("error_description").map(|more| format!(": {more}")).unwrap_or_default();
            Brought::Refused(format!("{error}{more}"))
        }
        _ => Brought::Nothing,
    }
}
