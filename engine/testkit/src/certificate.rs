//! A private certificate authority, and certificates for loopback.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::outcome::Outcome;

/// An authority that nobody trusts unless told to.
pub struct Authority {
    folder: PathBuf,
}

/// A certificate and its key, as files.
pub struct Certificate {
    pub certificate: PathBuf,
    pub key: PathBuf,
}

impl Authority {
    /// Makes one in `folder`.
    pub fn new(folder: &Path) -> Self {
        std::fs::create_dir_all(folder).expect("a temporary folder can be made");
        let authority = Self {
            folder: folder.to_owned(),
        };
        let mut arguments = vec![
            "-subj",
            "/CN=Dhow test authority",
            "-addext",
            "basicConstraints=critical,CA:TRUE",
        ];
        arguments.extend(["-keyout", "ca-key.pem", "-out", "ca.pem"]);
        authority.request(&arguments);
        authority
    }

    /// The authority's own certificate.
    pub fn certificate(&self) -> PathBuf {
        self.folder.join("ca.pem")
    }

    /// Issues a certificate for servers and clients on loopback.
    pub fn issue(&self, name: &str) -> Certificate {
        let (key, certificate) = (format!("{name}-key.pem"), format!("{name}.pem"));
        let subject = format!("/CN={name}");
        self.request(&[
            "-CA",
            "ca.pem",
            "-CAkey",
            "ca-key.pem",
            "-subj",
            &subject,
            "-addext",
            "subjectAltName=DNS:localhost,IP:127.0.0.1,IP:::1",
            "-addext",
            "extendedKeyUsage=serverAuth,clientAuth",
            "-addext",
            "basicConstraints=critical,CA:FALSE",
            "-keyout",
            &key,
            "-out",
            &certificate,
        ]);
        Certificate {
            certificate: self.folder.join(certificate),
            key: self.folder.join(key),
        }
    }

    fn request(&self, arguments: &[&str]) {
        let mut command = Command::new("openssl");
        command
            .args([
                "req",
                "-x509",
                "-newkey",
                "ec",
                "-pkeyopt",
                "ec_paramgen_curve:prime256v1",
            ])
            .args(["-nodes", "-days", "2"])
            .args(arguments)
            .current_dir(&self.folder);
        Outcome::of(command, b"").ok();
    }
}

#[cfg(test)]
mod tests {
    use super::Authority;
    use crate::outcome::Outcome;

    #[test]
    fn what_it_issues_is_trusted_by_who_trusts_it() {
        let folder = tempfile::tempdir().unwrap();
        let authority = Authority::new(folder.path());
        let issued = authority.issue("server");
        let mut verify = std::process::Command::new("openssl");
        verify
            .arg("verify")
            .arg("-CAfile")
            .arg(authority.certificate())
            .arg(&issued.certificate);
        assert!(Outcome::of(verify, b"").ok().ends_with("OK"));
    }
}
