//! A registry over TLS: whom it is trusted through, and that it cannot send this client to plain HTTP.
#![cfg(feature = "server")]
#![expect(clippy::unwrap_used, reason = "a failing test may panic")]

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use rustls::{ServerConfig, ServerConnection, StreamOwned};

use super::fixture::{Peer, Reply, bob, patience};
use super::upload::Pieces;
use super::{BlobSource, Endpoint, Error, Options, Remote};
use crate::oci::{Digest, RepositoryName};

/// A server with a certificate of its own, which gives one answer to everything.
struct Secure {
    address: String,
    certificate: String,
    connections: Arc<AtomicUsize>,
}

impl Secure {
    fn serve(answer: String) -> Self {
        let made = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
        let key = rustls_pki_types::PrivatePkcs8KeyDer::from(made.signing_key.serialize_der());
        let config = ServerConfig::builder_with_provider(rustls::crypto::aws_lc_rs::default_provider().into())
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![made.cert.der().clone()], key.into())
            .unwrap();
        let (config, connections) = (Arc::new(config), Arc::new(AtomicUsize::new(0)));
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let count = Arc::clone(&connections);
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                count.fetch_add(1, Ordering::Relaxed);
                let connection = ServerConnection::new(Arc::clone(&config)).unwrap();
                let mut stream = StreamOwned::new(connection, stream);
                let mut request = [0; 8192];
                // A client that does not trust the certificate goes away here.
                if stream.read(&mut request).is_ok() {
                    let _ = stream.write_all(answer.as_bytes());
                    stream.conn.send_close_notify();
                    let _ = stream.flush();
                }
            }
        });
        Self { address, certificate: made.cert.pem(), connections }
    }

    fn remote(&self, ca_certificate: Option<&str>) -> Remote {
        let endpoint = Endpoint::parse(&format!("https://{}", self.address), false).unwrap();
        let ca_certificate = ca_certificate.map(|pem| pem.as_bytes().to_vec());
        let options = Options { credential: Some(bob()), ca_certificate, ..Options::default() };
        Remote::with(endpoint, options, patience(), Pieces::default()).unwrap()
    }
}

fn answer(status: u16, header: &str) -> String {
    format!("HTTP/1.1 {status} X\r\nConnection: close\r\nContent-Length: 2\r\n{header}\r\n\r\n{{}}")
}

fn name() -> RepositoryName {
    "a/b".parse().unwrap()
}

#[tokio::test]
async fn a_certificate_is_trusted_when_its_authority_is_named() {
    let secure = Secure::serve(answer(200, "Content-Type: application/json"));
    secure.remote(Some(&secure.certificate)).ping().await.unwrap();
    assert_eq!(secure.connections.load(Ordering::Relaxed), 1);

    let error = secure.remote(None).ping().await.unwrap_err();
    assert!(matches!(error, Error::Connect { .. }), "{error:?}");
    assert!(error.hint().unwrap().contains("--ca-certificate"), "{:?}", error.hint());
    assert_eq!(secure.connections.load(Ordering::Relaxed), 2, "asking again would not help");
}

#[tokio::test]
async fn the_wrong_scheme_is_named() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let host = listener.local_addr().unwrap().to_string();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().map_while(Result::ok) {
            let _ = stream.read(&mut [0; 8192]);
            let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n");
        }
    });
    let endpoint = Endpoint::parse(&format!("https://{host}"), false).unwrap();
    let remote = Remote::with(endpoint, Options::default(), patience(), Pieces::default()).unwrap();
    let hint = remote.ping().await.unwrap_err().hint().unwrap();
    assert!(hint.contains(&format!("use http://{host}")), "{hint}");
    let secure = Secure::serve(answer(200, ""));
    let endpoint = Endpoint::parse(&format!("http://{}", secure.address), false).unwrap();
    let remote = Remote::with(endpoint, Options::default(), patience(), Pieces::default()).unwrap();
    let hint = remote.ping().await.unwrap_err().hint().unwrap();
    assert!(hint.contains(&format!("https://{}", secure.address)), "{hint}");
}

#[tokio::test]
async fn nothing_leads_from_tls_to_plain_http() {
    let plain = Peer::serve(|_| Reply::json(r#"{"token":"x","tags":[]}"#)).await;
    let url = plain.url();
    let answers = [
        answer(307, &format!("Location: {url}/x")),
        answer(202, &format!("Location: {url}/x")),
        answer(200, &format!("Link: <{url}/x>; rel=next")),
        answer(401, &format!("WWW-Authenticate: Bearer realm=\"{url}/token\"")),
    ];
    for answer in answers {
        let secure = Secure::serve(answer.clone());
        let remote = secure.remote(Some(&secure.certificate));
        let error = if answer.contains(" 202 ") {
            let blob = BlobSource::Bytes("x".into());
            remote.push_blob(&name(), &Digest::sha256(b"x"), 1, &blob, &|_| ()).await.unwrap_err()
        } else {
            remote.tags(&name()).await.unwrap_err()
        };
        assert!(matches!(error, Error::Foreign { .. }), "{answer}: {error:?}");
    }
    assert!(plain.seen().is_empty(), "{:?}", plain.lines());
}
