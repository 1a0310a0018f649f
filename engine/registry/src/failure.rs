//! Why no answer came: the network's and TLS's faults, worded as Go's HTTP
//! client words them, because those are the texts that people search for.

use std::error::Error as StdError;
use std::io;
use std::net::SocketAddr;

use crate::certs::CertsError;
use crate::refusal::Refusal;

/// The reason behind a request that brought no usable answer.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The name has no address.
    #[error("dial tcp: lookup {host}: {reason}")]
    Lookup {
        /// The name.
        host: String,
        /// `no such host`, or what the resolver said.
        reason: String,
    },
    /// No connection.
    #[error("dial tcp {address}: {reason}")]
    Dial {
        /// Where to.
        address: String,
        /// `connect: connection refused`, `i/o timeout`.
        reason: String,
    },
    /// No connection to a proxy.
    #[error("proxyconnect tcp: {0}")]
    Proxy(String),
    /// The certificate or the handshake was refused.
    #[error("tls: {0}")]
    Tls(String),
    /// A server without TLS where TLS was expected.
    #[error("http: server gave HTTP response to HTTPS client")]
    PlainHttp,
    /// No answer in time.
    #[error("net/http: request canceled (Client.Timeout exceeded while awaiting headers)")]
    AnswerTimeout,
    /// Bytes stopped coming.
    #[error("read: i/o timeout")]
    Stalled,
    /// The connection ended before its time.
    #[error("unexpected EOF")]
    Cut,
    /// The connection was torn down.
    #[error("read: connection reset by peer")]
    Reset,
    /// Too many redirects.
    #[error("stopped after 10 redirects")]
    Redirects,
    /// A redirect that must not be followed.
    #[error("redirect to {to} refused: {reason}")]
    Redirect {
        /// Scheme and host only: the rest may carry a signature.
        to: String,
        /// Why.
        reason: &'static str,
    },
    /// The registry wants a name and password, and there is none.
    #[error("no basic auth credentials")]
    NoCredentials,
    /// The token server gave no token.
    #[error("authorization server did not include a token in the response")]
    NoToken,
    /// The token server refused.
    #[error(transparent)]
    Refused(Refusal),
    /// The registry's challenge can't be met.
    #[error("{0}")]
    Challenge(&'static str),
    /// The registry's `certs.d` directory can't be used.
    #[error(transparent)]
    Certificates(CertsError),
    /// An answer that breaks the protocol.
    #[error("malformed answer: {0}")]
    Malformed(&'static str),
    /// Anything else.
    #[error("{0}")]
    Other(String),
}

impl Failure {
    /// Whether the same request may well succeed in a moment.
    pub(crate) fn is_passing(&self) -> bool {
        matches!(
            self,
            Self::AnswerTimeout | Self::Stalled | Self::Cut | Self::Reset
        )
    }

    /// Whether nothing was reached that speaks HTTP, so that another scheme or
    /// server may be tried.
    pub(crate) fn is_transport(&self) -> bool {
        !matches!(
            self,
            Self::NoCredentials | Self::NoToken | Self::Refused(_) | Self::Challenge(_)
        )
    }

    /// Reads the chain of sources of what the HTTP client says. `address` is
    /// where the connection was to go, as far as known.
    pub(crate) fn from_http(error: &reqwest::Error, address: &Address) -> Self {
        let mut source: Option<&(dyn StdError + 'static)> = Some(error);
        let mut text = String::new();
        while let Some(current) = source {
            if let Some(tls) = current.downcast_ref::<rustls::Error>() {
                return from_tls(tls);
            }
            if let Some(io) = current.downcast_ref::<io::Error>() {
                // Its `source` leaves out the very error that it wraps.
                match io.get_ref() {
                    Some(inner) => {
                        source = Some(inner);
                        continue;
                    }
                    None => return from_io(io, error.is_connect(), address),
                }
            }
            if let Some(hyper) = current.downcast_ref::<hyper::Error>()
                && (hyper.is_incomplete_message() || hyper.is_canceled() || hyper.is_closed())
            {
                return Self::Cut;
            }
            text = current.to_string();
            source = current.source();
        }
        if error.is_connect() {
            return match address {
                Address::Proxied => Self::Proxy(text),
                Address::Unknown { host, reason } => Self::Lookup {
                    host: host.clone(),
                    reason: reason.clone(),
                },
                // The client's own patience ended, which leaves no io::Error.
                Address::Known(address) if error.is_timeout() => Self::Dial {
                    address: address.to_string(),
                    reason: "i/o timeout".to_owned(),
                },
                Address::Known(address) => Self::Dial {
                    address: address.to_string(),
                    reason: text,
                },
            };
        }
        if error.is_timeout() {
            return Self::AnswerTimeout;
        }
        Self::Other(text)
    }
}

/// Where a connection was to go: looked up again after it failed, since the
/// client doesn't say.
pub(crate) enum Address {
    Known(SocketAddr),
    Unknown { host: String, reason: String },
    Proxied,
}

fn from_io(error: &io::Error, connecting: bool, address: &Address) -> Failure {
    let reason = reason(error);
    if !connecting {
        return match error.kind() {
            io::ErrorKind::UnexpectedEof => Failure::Cut,
            io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe => Failure::Reset,
            io::ErrorKind::TimedOut => Failure::Stalled,
            _ => Failure::Other(reason),
        };
    }
    // A handshake that was cut short counts as connecting too.
    if matches!(
        error.kind(),
        io::ErrorKind::UnexpectedEof | io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe
    ) {
        return Failure::Cut;
    }
    match address {
        Address::Known(address) => Failure::Dial {
            address: address.to_string(),
            reason: format!("connect: {reason}"),
        },
        Address::Unknown { host, reason } => Failure::Lookup {
            host: host.clone(),
            reason: reason.clone(),
        },
        Address::Proxied => Failure::Proxy(reason),
    }
}

/// The system's words without Rust's capital and error number.
fn reason(error: &io::Error) -> String {
    let text = error.to_string();
    let text = text.split(" (os error").next().unwrap_or_default();
    text.to_lowercase()
}

fn from_tls(error: &rustls::Error) -> Failure {
    use rustls::{CertificateError as Bad, Error as Tls};
    let verify =
        |reason: &str| Failure::Tls(format!("failed to verify certificate: x509: {reason}"));
    match error {
        // What a plain HTTP answer looks like when read as a TLS record.
        Tls::InvalidMessage(_) => Failure::PlainHttp,
        Tls::InvalidCertificate(bad) => match bad {
            Bad::UnknownIssuer => verify("certificate signed by unknown authority"),
            Bad::Expired | Bad::ExpiredContext { .. } => {
                verify("certificate has expired or is not yet valid")
            }
            Bad::NotValidYet | Bad::NotValidYetContext { .. } => {
                verify("certificate has expired or is not yet valid")
            }
            Bad::NotValidForNameContext {
                expected,
                presented,
            } if !presented.is_empty() => verify(&format!(
                "certificate is valid for {}, not {}",
                presented_names(presented),
                expected.to_str()
            )),
            Bad::NotValidForName | Bad::NotValidForNameContext { .. } => {
                verify("certificate is not valid for any names")
            }
            Bad::Revoked => verify("certificate is revoked"),
            other => verify(&other.to_string()),
        },
        Tls::AlertReceived(alert) => Failure::Tls(format!("remote error: {}", alert_text(*alert))),
        other => Failure::Tls(other.to_string()),
    }
}

/// rustls lists names in its own notation, `DnsName("a.example")`.
fn presented_names(presented: &[String]) -> String {
    let plain = presented.iter().map(|name| {
        let inner = name.split_once('(').map_or(name.as_str(), |(_, rest)| rest);
        inner.trim_end_matches(')').trim_matches('"').to_owned()
    });
    plain.collect::<Vec<_>>().join(", ")
}

fn alert_text(alert: rustls::AlertDescription) -> String {
    use rustls::AlertDescription as Alert;
    match alert {
        Alert::CertificateRequired => "tls: certificate required".to_owned(),
        Alert::BadCertificate => "tls: bad certificate".to_owned(),
        Alert::HandshakeFailure => "tls: handshake failure".to_owned(),
        Alert::UnknownCA => "tls: unknown certificate authority".to_owned(),
        Alert::ProtocolVersion => "tls: protocol version not supported".to_owned(),
        other => format!("tls: {other:?}"),
    }
}
