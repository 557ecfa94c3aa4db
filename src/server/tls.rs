//! TLS with a certificate and key from files, by rustls.

use std::path::Path;
use std::sync::Arc;

use rustls::ServerConfig;
use rustls::crypto::aws_lc_rs;
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};

use super::{Error, Tls};

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
    ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .and_then(|builder| builder.with_no_client_auth().with_single_cert(chain, key))
        .map_err(|source| failed(&tls.key, source.into()))
}
