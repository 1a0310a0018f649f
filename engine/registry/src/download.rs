//! A file from anywhere on the web, for `docker import URL`: with the engine's
//! proxies, certificates and patience, but no registry's protocol.
//!
//! It is read once from beginning to end. Nothing knows its digest, so a
//! transfer that breaks is not taken up again: its other half may be of
//! another file.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use dhow_model::ErrorKind;
use http::header::ACCEPT_ENCODING;
use percent_encoding::percent_decode_str;
use reqwest::{Response, Url};
use tokio::time::timeout;

use crate::client::Registry;
use crate::error::Error;
use crate::failure::Failure;
use crate::secret::Secret;
use crate::transport::{Outgoing, body_failure, redacted};

/// The longest text of a refusal that is repeated to the person.
const REFUSAL: u64 = 4 * 1024;

/// A file on its way.
pub struct Download {
    response: Response,
    stall: Duration,
}

impl Registry {
    /// Begins to fetch the file at `address`; one without a scheme is on a
    /// plain HTTP server. Redirects are followed; a refusal is an error with
    /// what the server said.
    pub async fn download(&self, address: &str) -> Result<Download, Error> {
        let mut url = parse(address)?;
        let transport = self.transport();
        let base = transport.base_of(&url).await;
        let authorization = take_credentials(&mut url);
        // The archive as it lies there, however a server would like to send it.
        let mut outgoing = Outgoing::get(url.clone()).header(ACCEPT_ENCODING, "identity");
        outgoing.authorization = authorization;
        let mut response = transport.send(&base, outgoing).await?;
        let status = response.status();
        if status.as_u16() < 400 {
            let stall = transport.config().retry.stall;
            return Ok(Download { response, stall });
        }
        let said = transport.body(&mut response, REFUSAL, "error").await;
        let said = said.unwrap_or_default();
        Err(Error::Download {
            url: redacted(&url),
            status: status.to_string(),
            said: String::from_utf8_lossy(&said).trim().to_owned(),
            kind: match status.as_u16() {
                400 => ErrorKind::InvalidParameter,
                401 => ErrorKind::Unauthorized,
                403 => ErrorKind::Forbidden,
                404 => ErrorKind::NotFound,
                _ => ErrorKind::System,
            },
        })
    }
}

impl Download {
    /// How long the file is, if the server says.
    pub fn length(&self) -> Option<u64> {
        self.response.content_length()
    }

    /// The next bytes, or `None` at the end.
    pub async fn next_chunk(&mut self) -> Result<Option<Bytes>, Error> {
        let failure = match timeout(self.stall, self.response.chunk()).await {
            Ok(Ok(chunk)) => return Ok(chunk),
            Ok(Err(error)) => body_failure(error),
            Err(_) => Failure::Stalled,
        };
        Err(Error::Request {
            method: "Get",
            url: redacted(self.response.url()),
            failure,
        })
    }
}

/// `address` as it may be shown and written down: signatures and passwords in
/// it are left out.
pub fn shown_address(address: &str) -> Result<String, Error> {
    Ok(redacted(&parse(address)?))
}

fn parse(address: &str) -> Result<Url, Error> {
    let whole = match address.contains("://") {
        true => address.to_owned(),
        false => format!("http://{address}"),
    };
    let invalid = |reason: String| Error::DownloadAddress(reason);
    let url = Url::parse(&whole).map_err(|error| invalid(error.to_string()))?;
    match url.scheme() {
        "http" | "https" => Ok(url),
        other => Err(invalid(format!("unsupported protocol scheme {other:?}"))),
    }
}

/// Moves the name and password that stand in `url` to where they are sent.
fn take_credentials(url: &mut Url) -> Option<Secret> {
    if url.username().is_empty() && url.password().is_none() {
        return None;
    }
    let decoded = |text| percent_decode_str(text).collect::<Vec<u8>>();
    let pair = [
        decoded(url.username()),
        b":".to_vec(),
        decoded(url.password().unwrap_or_default()),
    ]
    .concat();
    let _ = url.set_username("");
    let _ = url.set_password(None);
    Some(Secret::new(format!("Basic {}", STANDARD.encode(pair))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bare_address_is_on_plain_http() {
        let check = |address: &str, expected: &str| {
            assert_eq!(shown_address(address).unwrap(), expected);
        };
        check("host/tree.tar", "http://host/tree.tar");
        check("host:8000/tree.tar", "http://host:8000/tree.tar");
        check("https://host/tree.tar", "https://host/tree.tar");
        check("http://me:secret@host/t?token=secret", "http://host/t");
        let refused = shown_address("ftp://host/tree.tar").unwrap_err();
        assert_eq!(
            dhow_model::error::chain(&refused),
            "unsupported protocol scheme \"ftp\""
        );
    }

    #[test]
    fn credentials_leave_the_address() {
        let mut url = Url::parse("http://me:p%40ss@host/tree").unwrap();
        let secret = take_credentials(&mut url).unwrap();
        assert_eq!(secret.expose(), "Basic bWU6cEBzcw==");
        assert_eq!(url.as_str(), "http://host/tree");
        assert!(take_credentials(&mut url).is_none());
    }
}
