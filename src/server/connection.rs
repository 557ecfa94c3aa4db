//! A plain TCP connection that sends a part of a file by itself, after what was written to it before.

use std::cell::RefCell;
use std::fs::File;
use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll, Waker, ready};

use tokio::io::{AsyncRead, AsyncWrite, Interest, ReadBuf};
use tokio::net::TcpStream;

use super::pace::Pace;
use crate::oci::Slice;

/// Bytes one system call sends at most.
const STEP_BYTES: u64 = 1024 * 1024;

/// System calls until other connections of the same thread get their turn.
const MAX_STEPS: usize = 4;

/// A connection without TLS.
///
/// The one who answers requests calls `poll_flush` only when every byte it had was taken by `poll_write`. A file is
/// sent there and nowhere else, so that it can never overtake the head it belongs to or the answer before.
#[derive(Debug)]
pub(super) struct Connection {
    socket: TcpStream,
    outbox: Outbox,
    pace: Pace,
}

impl Connection {
    pub(super) fn new(socket: TcpStream, pace: Pace) -> Self {
        Self { socket, outbox: Outbox::default(), pace }
    }

    /// What its requests tell of their beginning and end.
    pub(super) fn pace(&self) -> Pace {
        self.pace.clone()
    }

    /// Where the answers of this connection leave files to be sent; `None` where the system cannot send any.
    pub(super) fn outbox(&self) -> Option<Outbox> {
        cfg!(target_os = "linux").then(|| self.outbox.clone())
    }
}

impl AsyncRead for Connection {
    fn poll_read(self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        // Requests that come early wait in the kernel: reading on would fill a buffer, and then spin on it.
        if this.outbox.is_busy() {
            return Poll::Pending;
        }
        let before = buffer.filled().len();
        let read = Pin::new(&mut this.socket).poll_read(context, buffer);
        if buffer.filled().len() > before {
            this.pace.received();
        } else if read.is_ready() && buffer.remaining() > 0 {
            this.pace.left();
        }
        this.pace.check(context)?;
        read
    }
}

impl AsyncWrite for Connection {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        this.outbox.check_writable()?;
        this.pace.sent();
        Pin::new(&mut this.socket).poll_write(context, bytes)
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if this.outbox.is_busy() {
            this.pace.sent();
        }
        ready!(this.outbox.poll_send(&this.socket, context))?;
        Pin::new(&mut this.socket).poll_flush(context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().socket).poll_shutdown(context)
    }
}

/// Holds the one file that a connection is to send next.
#[derive(Clone, Debug, Default)]
pub(super) struct Outbox(Rc<RefCell<Slot>>);

#[derive(Debug, Default)]
enum Slot {
    #[default]
    Empty,
    Posted(Parcel),
    Sent,
    /// Bytes that a head has promised will never come: the connection is of no more use.
    Abandoned,
}

/// A part of a file that is to be sent.
#[derive(Debug)]
struct Parcel {
    file: Arc<File>,
    offset: u64,
    end: u64,
    has_begun: bool,
    sender: Waker,
}

impl Outbox {
    /// Asks for a part of a file to be sent after everything written so far.
    pub(super) fn post(&self, file: Arc<File>, slice: Slice) -> Posted {
        Posted { outbox: self.clone(), part: Some((file, slice)), is_sent: false }
    }

    /// Whether a file is on its way out, at whose end whoever waits is woken.
    fn is_busy(&self) -> bool {
        matches!(&*self.0.borrow(), Slot::Posted(_))
    }

    /// Refuses bytes that would end up in the middle of a file.
    fn check_writable(&self) -> io::Result<()> {
        match &*self.0.borrow() {
            Slot::Posted(parcel) if parcel.has_begun => Err(io::Error::other("an answer before has not been sent")),
            Slot::Abandoned => Err(abandoned()),
            _ => Ok(()),
        }
    }

    fn poll_send(&self, socket: &TcpStream, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut slot = self.0.borrow_mut();
        let parcel = match &mut *slot {
            Slot::Empty | Slot::Sent => return Poll::Ready(Ok(())),
            Slot::Abandoned => return Poll::Ready(Err(abandoned())),
            Slot::Posted(parcel) => parcel,
        };
        parcel.has_begun = true;
        ready!(parcel.poll_send(socket, context))?;
        parcel.sender.wake_by_ref();
        *slot = Slot::Sent;
        Poll::Ready(Ok(()))
    }
}

fn abandoned() -> io::Error {
    io::Error::new(io::ErrorKind::ConnectionAborted, "an answer was given up")
}

impl Parcel {
    fn poll_send(&mut self, socket: &TcpStream, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        for _ in 0..MAX_STEPS {
            if self.offset == self.end {
                return Poll::Ready(Ok(()));
            }
            ready!(socket.poll_write_ready(context))?;
            let length = (self.end - self.offset).min(STEP_BYTES);
            match socket.try_io(Interest::WRITABLE, || send(socket, &self.file, self.offset, length)) {
                Ok(0) => {
                    tracing::error!(missing_bytes = self.end - self.offset, "a blob's file is shorter than it was");
                    return Poll::Ready(Err(io::ErrorKind::UnexpectedEof.into()));
                }
                Ok(sent) => self.offset += sent,
                Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted) => {}
                Err(error) => return Poll::Ready(Err(error)),
            }
        }
        context.waker().wake_by_ref();
        Poll::Pending
    }
}

#[cfg(target_os = "linux")]
fn send(socket: &TcpStream, file: &File, mut offset: u64, length: u64) -> io::Result<u64> {
    let length = usize::try_from(length).unwrap_or(usize::MAX);
    Ok(rustix::fs::sendfile(socket, file, Some(&mut offset), length)? as u64)
}

#[cfg(not(target_os = "linux"))]
fn send(_socket: &TcpStream, _file: &File, _offset: u64, _length: u64) -> io::Result<u64> {
    Err(io::ErrorKind::Unsupported.into())
}

/// A part of a file on its way out. Dropping it too early breaks the connection off.
#[derive(Debug)]
pub(super) struct Posted {
    outbox: Outbox,
    /// Until it is handed over.
    part: Option<(Arc<File>, Slice)>,
    is_sent: bool,
}

impl Posted {
    /// Ready when everything is sent; the first call hands the file over.
    pub(super) fn poll_sent(&mut self, context: &mut Context<'_>) -> Poll<()> {
        let mut slot = self.outbox.0.borrow_mut();
        if let Some((file, slice)) = self.part.take() {
            let (offset, end) = (slice.offset, slice.offset + slice.length);
            let sender = context.waker().clone();
            *slot = Slot::Posted(Parcel { file, offset, end, has_begun: false, sender });
            return Poll::Pending;
        }
        match &mut *slot {
            Slot::Posted(parcel) => {
                parcel.sender.clone_from(context.waker());
                Poll::Pending
            }
            // The connection fails at its next write; nothing is to be done here.
            Slot::Abandoned => Poll::Pending,
            Slot::Sent | Slot::Empty => {
                *slot = Slot::Empty;
                self.is_sent = true;
                Poll::Ready(())
            }
        }
    }
}

impl Drop for Posted {
    fn drop(&mut self) {
        if self.part.is_none() && !self.is_sent {
            *self.outbox.0.borrow_mut() = Slot::Abandoned;
        }
    }
}

#[cfg(all(test, target_os = "linux"))]
#[expect(clippy::unwrap_used, reason = "a failing test may panic")]
mod tests {
    use std::future::poll_fn;
    use std::io::Write as _;

    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpListener;

    use super::*;

    async fn pair() -> (Connection, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let pace = Pace::new(std::time::Duration::from_secs(10));
        (Connection::new(listener.accept().await.unwrap().0, pace), client)
    }

    fn file(content: &[u8]) -> Arc<File> {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(content).unwrap();
        Arc::new(file)
    }

    /// What a response body does when it is asked for its first bytes.
    async fn hand_over(posted: &mut Posted) {
        let is_sent = poll_fn(|context| Poll::Ready(posted.poll_sent(context).is_ready())).await;
        assert!(!is_sent);
    }

    #[tokio::test]
    async fn a_file_follows_what_was_written_however_often_it_is_asked_for() {
        let (mut connection, mut client) = pair().await;
        let mut posted = connection.outbox().unwrap().post(file(b"0123456789"), Slice { offset: 2, length: 5 });
        for _ in 0..3 {
            hand_over(&mut posted).await;
        }
        let mut nothing = [0; 1];
        assert_eq!(client.try_read(&mut nothing).unwrap_err().kind(), io::ErrorKind::WouldBlock);
        connection.write_all(b"head ").await.unwrap();
        hand_over(&mut posted).await;
        connection.flush().await.unwrap();
        poll_fn(|context| posted.poll_sent(context)).await;
        drop(posted);
        connection.write_all(b" next").await.unwrap();
        connection.flush().await.unwrap();
        drop(connection);
        let mut received = String::new();
        client.read_to_string(&mut received).await.unwrap();
        assert_eq!(received, "head 23456 next");
    }

    #[tokio::test]
    async fn nothing_comes_between_a_file_that_waits_and_its_rest() {
        let (mut connection, mut client) = pair().await;
        let content = vec![7; 64 * 1024 * 1024];
        let mut posted = connection.outbox().unwrap().post(file(&content), Slice::whole(content.len() as u64));
        hand_over(&mut posted).await;
        // As often as it takes to fill the socket, and once more.
        for _ in 0..64 {
            let is_ready =
                poll_fn(|context| Poll::Ready(Pin::new(&mut connection).poll_flush(context).is_ready())).await;
            assert!(!is_ready);
        }
        assert!(connection.write(b"early").await.is_err());
        drop(posted);
        assert!(connection.write(b"early").await.is_err());
        assert!(connection.flush().await.is_err());
        drop(connection);
        let mut received = vec![];
        client.read_to_end(&mut received).await.unwrap();
        assert!(received.len() < content.len() && received.iter().all(|byte| *byte == 7));
    }

    #[tokio::test]
    async fn a_file_that_nobody_asked_for_leaves_the_connection_as_it_was() {
        let (mut connection, mut client) = pair().await;
        drop(connection.outbox().unwrap().post(file(b"x"), Slice::whole(1)));
        connection.write_all(b"head").await.unwrap();
        connection.flush().await.unwrap();
        let mut received = [0; 4];
        client.read_exact(&mut received).await.unwrap();
        assert_eq!(&received, b"head");
    }
}
