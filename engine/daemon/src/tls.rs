//! TLS for TCP clients, mutual where `--tlsverify` says so.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::RootCertStore;
use rustls::crypto::ring;
use rustls::server::{ServerConfig, WebPkiClientVerifier};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::TlsAcceptor;

use crate::config::Tls;

/// Why connections can't be secured.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("tls: {}: {reason}", file.display())]
    File { file: PathBuf, reason: String },
    #[error("tls: {0}")]
    Config(String),
}

/// What new TCP connections are passed through.
pub fn acceptor(tls: &Tls) -> Result<TlsAcceptor, Error> {
    let provider = Arc::new(ring::default_provider());
    let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .map_err(|e| Error::Config(e.to_string()))?;
    let builder = match &tls.client_authority {
        None => builder.with_no_client_auth(),
        Some(file) => {
            let mut roots = RootCertStore::empty();
            for certificate in certificates(file)? {
                roots
                    .add(certificate)
                    .map_err(|e| wrong(file, e.to_string()))?;
            }
            let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider)
                .build()
                .map_err(|e| wrong(file, e.to_string()))?;
            builder.with_client_cert_verifier(verifier)
        }
    };
    let key = PrivateKeyDer::from_pem_file(&tls.key).map_err(|e| wrong(&tls.key, pem_error(&e)))?;
    let mut config = builder
        .with_single_cert(certificates(&tls.certificate)?, key)
        .map_err(|e| wrong(&tls.certificate, e.to_string()))?;
    // HTTP/2 is not spoken here; a client that offers both must hear it.
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(TlsAcceptor::from(Arc::new(config)))
}

fn certificates(file: &Path) -> Result<Vec<CertificateDer<'static>>, Error> {
    let certificates: Vec<_> = CertificateDer::pem_file_iter(file)
        .and_then(Iterator::collect)
        .map_err(|e| wrong(file, pem_error(&e)))?;
    if certificates.is_empty() {
        return Err(wrong(file, "no certificate in it".to_owned()));
    }
    Ok(certificates)
}

fn pem_error(error: &rustls_pki_types::pem::Error) -> String {
    match error {
        rustls_pki_types::pem::Error::Io(source) => io::Error::to_string(source),
        other => other.to_string(),
    }
}

fn wrong(file: &Path, reason: String) -> Error {
    Error::File {
        file: file.to_owned(),
        reason,
    }
}
