//! TLS by rustls: its certificate and key from files, and connections whose requests are watched under it.

use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use actix_http::Protocol;
use actix_http::error::DispatchError;
use rustls::ServerConfig;
use rustls::crypto::aws_lc_rs;
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use super::pace::Pace;
use super::{Error, Tls};

/// What HTTP/2 is called in a handshake (RFC 7301).
const HTTP_2: &[u8] = b"h2";

/// What HTTP/1.1 is called there.
const HTTP_1_1: &[u8] = b"http/1.1";

/// Reads certificate chain and key, both PEM, and checks that they belong together.
pub(super) fn server_config(tls: &Tls) -> Result<ServerConfig, Error> {
    let failed =
        |path: &Path, source: Box<dyn std::error::Error + Send + Sync>| Error::Tls { path: path.to_owned(), source };
    let chain = CertificateDer::pem_file_iter(&tls.cert).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    let chain = chain.map_err(|source| failed(&tls.cert, source.into()))?;
    if chain.is_empty() {
        return Err(failed(&tls.cert, "the file holds no certificate in PEM form".into()));
    }
    let key = PrivateKeyDer::from_pem_file(&tls.key).map_err(|source| failed(&tls.key, source.into()))?;
    let mut config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .and_then(|builder| builder.with_no_client_auth().with_single_cert(chain, key))
        .map_err(|source| failed(&tls.key, source.into()))?;
    config.alpn_protocols = vec![HTTP_2.to_vec(), HTTP_1_1.to_vec()];
    Ok(config)
}

/// A connection under TLS.
#[derive(Debug)]
pub(super) struct Encrypted {
    stream: TlsStream<TcpStream>,
    /// `None` in HTTP/2: requests overlap there, and the library ends connections that do not answer its pings, which
    /// nobody can in the middle of a head.
    pace: Option<Pace>,
}

impl Encrypted {
    /// Shakes hands, for which a client has as long as for the head of a request.
    pub(super) async fn accept(
        acceptor: TlsAcceptor,
        socket: TcpStream,
        limit: Duration,
    ) -> Result<(Self, Protocol, Option<SocketAddr>), DispatchError> {
        socket.set_nodelay(true)?;
        let peer = socket.peer_addr().ok();
        let shaken = tokio::time::timeout(limit, acceptor.accept(socket)).await;
        let stream = shaken.map_err(|_| DispatchError::SlowRequestTimeout)??;
        Ok(match stream.get_ref().1.alpn_protocol() {
            Some(HTTP_2) => (Self { stream, pace: None }, Protocol::Http2, peer),
            _ => (Self { stream, pace: Some(Pace::new(limit)) }, Protocol::Http1, peer),
        })
    }

    /// What its requests tell of their beginning and end, where they follow one another.
    pub(super) fn pace(&self) -> Option<Pace> {
        self.pace.clone()
    }
}

impl AsyncRead for Encrypted {
    fn poll_read(self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let before = buffer.filled().len();
        let read = Pin::new(&mut this.stream).poll_read(context, buffer);
        if let Some(pace) = &this.pace {
            if buffer.filled().len() > before {
                pace.received();
            } else if read.is_ready() && buffer.remaining() > 0 {
                pace.left();
            }
            pace.check(context)?;
        }
        read
    }
}

impl AsyncWrite for Encrypted {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        if let Some(pace) = &this.pace {
            pace.sent();
        }
        Pin::new(&mut this.stream).poll_write(context, bytes)
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_flush(context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(context)
    }
}
