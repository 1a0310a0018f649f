//! The files of a `certs.d/<host:port>` directory: `*.crt` are authorities to
//! trust, `*.cert` with `*.key` of the same name prove who we are.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};

/// What the directories of one registry hold.
#[derive(Default)]
pub(crate) struct Certificates {
    pub(crate) authorities: Vec<CertificateDer<'static>>,
    pub(crate) identity: Option<Identity>,
}

/// A client certificate with its chain, and its key.
pub(crate) struct Identity {
    pub(crate) chain: Vec<CertificateDer<'static>>,
    pub(crate) key: PrivateKeyDer<'static>,
}

/// Names, sizes and times of the files: equal as long as nothing was changed.
pub(crate) type Fingerprint = Vec<(PathBuf, u64, Option<SystemTime>)>;

/// A directory that can't be used. A key's content is never part of it.
#[derive(Debug, thiserror::Error)]
pub enum CertsError {
    /// A file or directory can't be read.
    #[error("open {path}", path = path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why not.
        #[source]
        source: io::Error,
    },
    /// A certificate without its key, in Docker's words.
    #[error(
        "missing key {key} for client certificate {cert}. \
         CA certificates must use the extension .crt"
    )]
    MissingKey {
        /// The key's file name.
        key: String,
        /// The certificate's file name.
        cert: String,
    },
    /// A key without its certificate, in Docker's words.
    #[error("missing client certificate {cert} for key {key}")]
    MissingCertificate {
        /// The certificate's file name.
        cert: String,
        /// The key's file name.
        key: String,
    },
    /// A file that holds no PEM of the right sort.
    #[error("{path}: {wanted} expected, none found", path = path.display())]
    NoPem {
        /// The file.
        path: PathBuf,
        /// What should be in it.
        wanted: &'static str,
    },
}

impl fmt::Debug for Certificates {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Certificates")
            .field("authorities", &self.authorities.len())
            .field("identity", &self.identity.is_some())
            .finish()
    }
}

/// The files that concern the registry `host_port`, in a settled order.
pub(crate) fn fingerprint(dirs: &[PathBuf], host_port: &str) -> Result<Fingerprint, CertsError> {
    let mut files = Vec::new();
    for dir in dirs {
        let dir = dir.join(host_port);
        let entries = match std::fs::read_dir(&dir) {
            Ok(entries) => entries,
            Err(error) if is_absent(&error) => continue,
            Err(source) => return Err(CertsError::Read { path: dir, source }),
        };
        for entry in entries {
            let read = |source| CertsError::Read {
                path: dir.clone(),
                source,
            };
            let path = entry.map_err(read)?.path();
            if matches!(extension(&path), "crt" | "cert" | "key") {
                let meta = std::fs::metadata(&path).map_err(read)?;
                files.push((path, meta.len(), meta.modified().ok()));
            }
        }
    }
    files.sort();
    Ok(files)
}

/// Reads the files of `fingerprint`.
pub(crate) fn load(fingerprint: &Fingerprint) -> Result<Certificates, CertsError> {
    let mut found = Certificates::default();
    for (path, ..) in fingerprint {
        match extension(path) {
            "crt" => found.authorities.extend(certificates(path)?),
            "cert" => {
                let key = path.with_extension("key");
                if !key.exists() {
                    return Err(CertsError::MissingKey {
                        key: file_name(&key),
                        cert: file_name(path),
                    });
                }
                // The first by name serves; rustls offers one identity.
                if found.identity.is_none() {
                    found.identity = Some(Identity {
                        chain: certificates(path)?,
                        key: private_key(&key)?,
                    });
                }
            }
            _ => {
                let cert = path.with_extension("cert");
                if !cert.exists() {
                    return Err(CertsError::MissingCertificate {
                        cert: file_name(&cert),
                        key: file_name(path),
                    });
                }
            }
        }
    }
    Ok(found)
}

/// A host name as part of a path must stay one part.
fn is_absent(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
    )
}

fn extension(path: &Path) -> &str {
    path.extension()
        .and_then(|extension| extension.to_str())
        .unwrap_or_default()
}

fn file_name(path: &Path) -> String {
    path.file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned()
}

fn read(path: &Path) -> Result<Vec<u8>, CertsError> {
    std::fs::read(path).map_err(|source| CertsError::Read {
        path: path.to_owned(),
        source,
    })
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, CertsError> {
    let pem = read(path)?;
    let found: Vec<_> = CertificateDer::pem_slice_iter(&pem)
        .filter_map(Result::ok)
        .collect();
    if found.is_empty() {
        return Err(CertsError::NoPem {
            path: path.to_owned(),
            wanted: "a certificate",
        });
    }
    Ok(found)
}

fn private_key(path: &Path) -> Result<PrivateKeyDer<'static>, CertsError> {
    PrivateKeyDer::from_pem_slice(&read(path)?).map_err(|_| CertsError::NoPem {
        path: path.to_owned(),
        wanted: "a private key",
    })
}
