//! The client of the load: one kept-alive HTTP/1.1 connection, as little work per request as there can be.

use std::net::SocketAddr;

use anyhow::{Context as _, Result, bail, ensure};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// Bytes read at once of a large body.
const SLICE_BYTES: usize = 256 * 1024;
/// A larger body is not copied behind its head, but sent after it.
const MAX_COPIED_BYTES: usize = 64 * 1024;

/// A larger body is not kept.
const MAX_KEPT_BYTES: u64 = 256 * 1024;

/// The head of a request, without the length of its body.
pub(crate) fn head(method: &str, path: &str, headers: &[(&str, &str)]) -> String {
    let mut text = format!("{method} {path} HTTP/1.1\r\nhost: localhost\r\n");
    for (name, value) in headers {
        text.extend([name, ": ", value, "\r\n"]);
    }
    text
}

/// What came back.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    /// Bytes of the body.
    pub(crate) length: u64,
}

impl Answer {
    pub(crate) fn expect(self, status: u16) -> Result<Self> {
        ensure!(self.status == status, "status {} where {status} was due", self.status);
        Ok(self)
    }
}

/// A connection that answers one request after the other.
pub(crate) struct Connection {
    stream: TcpStream,
    /// A header of every request, with its end of line.
    authorization: String,
    sent: Vec<u8>,
    received: Vec<u8>,
    head_end: usize,
    slice: Vec<u8>,
}

impl Connection {
    pub(crate) async fn open(address: SocketAddr) -> Result<Self> {
        let stream = TcpStream::connect(address).await.with_context(|| format!("cannot reach {address}"))?;
        stream.set_nodelay(true)?;
        let received = Vec::with_capacity(16 * 1024);
        let (authorization, sent, slice) = (String::new(), vec![], vec![]);
        Ok(Self { stream, authorization, sent, received, head_end: 0, slice })
    }

    /// Shows a token with every request from now on.
    pub(crate) fn showing(mut self, token: &str) -> Self {
        self.show(token);
        self
    }

    /// The same, for a connection that another has made.
    pub(crate) fn show(&mut self, token: &str) {
        self.authorization = format!("authorization: Bearer {token}\r\n");
    }

    /// Sends a request, and reads the answer to its end.
    pub(crate) async fn send(&mut self, head: &str, body: &[u8]) -> Result<Answer> {
        self.sent.clear();
        self.sent.extend_from_slice(head.as_bytes());
        self.sent.extend_from_slice(self.authorization.as_bytes());
        if !body.is_empty() || !(head.starts_with("GET") || head.starts_with("HEAD")) {
            self.sent.extend_from_slice(format!("content-length: {}\r\n", body.len()).as_bytes());
        }
        self.sent.extend_from_slice(b"\r\n");
        if body.len() <= MAX_COPIED_BYTES {
            self.sent.extend_from_slice(body);
            self.stream.write_all(&self.sent).await?;
        } else {
            self.stream.write_all(&self.sent).await?;
            self.stream.write_all(body).await?;
        }
        self.answer(head.starts_with("HEAD")).await
    }

    /// A header of the last answer.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let head = std::str::from_utf8(self.received.get(..self.head_end)?).ok()?;
        head.split("\r\n").filter_map(|line| line.split_once(':')).find_map(|(found, value)| {
            // Names are compared without regard to case.
            found.eq_ignore_ascii_case(name).then_some(value.trim())
        })
    }

    /// The last answer's body, if it was small.
    pub(crate) fn body(&self) -> &[u8] {
        self.received.get(self.head_end..).unwrap_or_default()
    }

    async fn answer(&mut self, is_head: bool) -> Result<Answer> {
        self.received.clear();
        self.head_end = loop {
            if let Some(place) = self.received.windows(4).position(|bytes| bytes == b"\r\n\r\n") {
                break place + 4;
            }
            ensure!(self.stream.read_buf(&mut self.received).await? > 0, "the connection was closed");
        };
        let status = self.received.get(9..12).and_then(|code| std::str::from_utf8(code).ok());
        let status: u16 = status.and_then(|code| code.parse().ok()).context("no status")?;
        if is_head || matches!(status, 204 | 304) {
            return Ok(Answer { status, length: 0 });
        }
        let length = match self.header("content-length") {
            Some(length) => {
                let length = length.parse()?;
                self.drain(length).await?;
                length
            }
            None if self.header("transfer-encoding").is_some() => self.drain_chunks().await?,
            None => bail!("neither a length nor chunks"),
        };
        Ok(Answer { status, length })
    }

    /// Reads the rest of a body of known length, and forgets it if it is large.
    async fn drain(&mut self, length: u64) -> Result<()> {
        while length <= MAX_KEPT_BYTES && ((self.received.len() - self.head_end) as u64) < length {
            ensure!(self.stream.read_buf(&mut self.received).await? > 0, "the body broke off");
        }
        let mut left = length.saturating_sub((self.received.len() - self.head_end) as u64);
        if left > 0 && self.slice.is_empty() {
            self.slice.resize(SLICE_BYTES, 0);
        }
        while left > 0 {
            let read = self.stream.read(&mut self.slice).await? as u64;
            ensure!(read > 0 && read <= left, "the body broke off, {left} bytes before its end");
            left -= read;
        }
        Ok(())
    }

    /// Reads chunks to the last, which is empty. The bodies are JSON, in which the mark of the end cannot be.
    async fn drain_chunks(&mut self) -> Result<u64> {
        while !self.received[self.head_end..].ends_with(b"\r\n0\r\n\r\n") {
            ensure!(self.stream.read_buf(&mut self.received).await? > 0, "the body broke off");
        }
        Ok((self.received.len() - self.head_end) as u64)
    }
}
