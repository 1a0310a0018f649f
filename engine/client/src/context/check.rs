//! Whether an endpoint could be connected to, judged by its texts alone: what
//! Docker refuses when a context is made, and in its words.
//!
//! Pure: nothing is opened, no name is resolved.

use std::collections::BTreeMap;

use rustls::sign::CertifiedKey;
use rustls_pki_types::pem::{PemObject, SectionKind};
use rustls_pki_types::{CertificateDer, PrivateKeyDer};

use super::error::ContextError;
use super::{CA, CERTIFICATE, KEY};
use crate::endpoint::authority_fault;

/// Checks a host text and the TLS files for it.
pub fn check(host: &str, files: &BTreeMap<String, Vec<u8>>) -> Result<(), ContextError> {
    if host.is_empty() {
        return Ok(());
    }
    if let Some((scheme, rest)) = host.split_once("://") {
        if let Some(fault) = authority_fault(scheme, rest) {
            return Err(options(format!("parse {host:?}: {fault}")));
        }
        if scheme == "ssh" {
            return ssh(rest);
        }
        // No TLS on the way to a socket, so nothing to check.
        if !matches!(scheme, "unix" | "npipe" | "fd") {
            material(files)?;
        }
    } else {
        material(files)?;
    }
    match host.split_once("://") {
        Some((_, "")) => {}
        Some(("npipe", _)) => return Err(ContextError::Host("protocol not available".into())),
        Some(_) => return Ok(()),
        None => {}
    }
    let reason = format!("unable to parse docker host `{host}`");
    Err(ContextError::Host(reason))
}

/// What an ssh address may consist of.
fn ssh(rest: &str) -> Result<(), ContextError> {
    let refused = |reason: String| {
        Err(options(format!(
            "ssh host connection is not valid: invalid SSH URL: {reason}"
        )))
    };
    let (rest, fragment) = rest.split_once('#').unwrap_or((rest, ""));
    let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
    let authority = rest.split('/').next().unwrap_or_default();
    let (user, host) = authority.rsplit_once('@').unwrap_or(("", authority));
    if user.contains(':') {
        return refused("plain-text password is not supported".to_owned());
    }
    if host.split(':').next().unwrap_or_default().is_empty() {
        return refused("hostname is empty".to_owned());
    }
    if !query.is_empty() {
        return refused(format!("query parameters are not allowed: {query:?}"));
    }
    if !fragment.is_empty() {
        return refused(format!("fragments are not allowed: {fragment:?}"));
    }
    Ok(())
}

fn material(files: &BTreeMap<String, Vec<u8>>) -> Result<(), ContextError> {
    let unusable = |reason: &str| {
        Err(options(format!(
            "failed to retrieve context tls info: {reason}"
        )))
    };
    if let Some(ca) = files.get(CA)
        && !matches!(CertificateDer::pem_slice_iter(ca).next(), Some(Ok(_)))
    {
        return unusable("ca.pem seems invalid");
    }
    let Some(key) = files.get(KEY) else {
        return Ok(());
    };
    if sections(key).is_empty() {
        return Err(options("no valid private key found".to_owned()));
    }
    let certificate = files
        .get(CERTIFICATE)
        .map(Vec::as_slice)
        .unwrap_or_default();
    let chain: Vec<CertificateDer> = CertificateDer::pem_slice_iter(certificate)
        .filter_map(Result::ok)
        .collect();
    if chain.is_empty() {
        let found = sections(certificate);
        return unusable(match found.first() {
            None => "tls: failed to find any PEM data in certificate input",
            Some(kind) if is_key(*kind) => {
                "tls: failed to find certificate PEM data in certificate input, but did find a private key; PEM inputs may have been switched"
            }
            Some(_) => "tls: failed to find \"CERTIFICATE\" PEM block in certificate input",
        });
    }
    let Ok(secret) = PrivateKeyDer::from_pem_slice(key) else {
        return unusable(match sections(key).first() {
            Some(SectionKind::Certificate) => {
                "tls: found a certificate rather than a key in the PEM for the private key"
            }
            _ => "tls: failed to find PEM block with type ending in \"PRIVATE KEY\" in key input",
        });
    };
    let provider = rustls::crypto::ring::default_provider();
    match CertifiedKey::from_der(chain, secret, &provider) {
        Ok(_) => Ok(()),
        Err(rustls::Error::InconsistentKeys(_)) => {
            unusable("tls: private key does not match public key")
        }
        Err(error) => unusable(&error.to_string()),
    }
}

fn sections(pem: &[u8]) -> Vec<SectionKind> {
    <(SectionKind, Vec<u8>)>::pem_slice_iter(pem)
        .filter_map(|section| Some(section.ok()?.0))
        .collect()
}

fn is_key(kind: SectionKind) -> bool {
    matches!(
        kind,
        SectionKind::PrivateKey | SectionKind::RsaPrivateKey | SectionKind::EcPrivateKey
    )
}

fn options(reason: String) -> ContextError {
    ContextError::Options(reason)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn refused(host: &str, expected: &str) {
        let error = check(host, &BTreeMap::new()).unwrap_err();
        assert_eq!(error.to_string(), expected);
    }

    #[test]
    fn hosts_are_judged_as_docker_does() {
        for host in [
            "",
            "tcp://far",
            "tcp://[::1]:3",
            "tcp://a/b:1",
            "tcp://x:99999",
            "foo://x",
            "unix:///run/x.sock",
            "ssh://me@far:22",
            "ssh://far/path",
        ] {
            assert!(check(host, &BTreeMap::new()).is_ok(), "{host}");
        }
        let apply = "unable to apply docker endpoint options";
        for host in ["foo", "/x", "tcp://", "unix://", "fd://"] {
            refused(
                host,
                &format!("{apply}: unable to parse docker host `{host}`"),
            );
        }
        refused(
            "npipe:////./pipe/x",
            &format!("{apply}: protocol not available"),
        );
        let options = "invalid docker endpoint options";
        refused(
            "tcp://x:abc",
            &format!("{options}: parse \"tcp://x:abc\": invalid port \":abc\" after host"),
        );
        refused(
            "tcp://[::1",
            &format!("{options}: parse \"tcp://[::1\": missing ']' in host"),
        );
        let ssh = format!("{options}: ssh host connection is not valid: invalid SSH URL");
        refused("ssh://", &format!("{ssh}: hostname is empty"));
        refused(
            "ssh://me:secret@far",
            &format!("{ssh}: plain-text password is not supported"),
        );
        refused(
            "ssh://h?q=1",
            &format!("{ssh}: query parameters are not allowed: \"q=1\""),
        );
    }
}
