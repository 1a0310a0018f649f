//! Sending one request: the right TLS settings for its host, proxies,
//! redirects, patience. Knows nothing of authentication but that it must not
//! follow a redirect to another host.
//!
//! HTTP/1.1 only, on purpose: all layers come at once, and in HTTP/2 they would
//! share one connection and its window, so that one layer whose unpacking is
//! slow would hold back the others.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::header::{AUTHORIZATION, HeaderValue};
use http::{HeaderMap, Method};
use reqwest::{Client, Response, Url};
use tokio::time::timeout;

use crate::address::{address_of, is_loopback, resolve};
use crate::certs::{self, Fingerprint};
use crate::config::{Config, ConfigError};
use crate::endpoint::{Base, host_port};
use crate::error::Error;
use crate::failure::{Address, Failure};
use crate::proxy::ProxyChoice;
use crate::redirect::{check_redirect, redirect};
use crate::refusal::Refusal;
use crate::secret::Secret;
use crate::tls;

const REDIRECTS: usize = 10;
const CONNECT: Duration = Duration::from_secs(30);
/// A registry may have to move a whole blob before it answers its upload.
const COMMIT: Duration = Duration::from_secs(300);
/// The longest answer read for its error text.
const REFUSAL: u64 = 64 * 1024;

pub(crate) struct Transport {
    config: Config,
    proxies: ProxyChoice,
    clients: Mutex<HashMap<ClientKey, (Fingerprint, Client)>>,
}

#[derive(Clone, PartialEq, Eq, Hash)]
struct ClientKey {
    host: String,
    insecure: bool,
    addresses: Vec<IpAddr>,
}

/// A request about to be sent.
pub(crate) struct Outgoing {
    pub(crate) method: Method,
    pub(crate) url: Url,
    pub(crate) headers: HeaderMap,
    pub(crate) authorization: Option<Secret>,
    pub(crate) body: Body,
}

pub(crate) enum Body {
    Empty,
    Bytes(Bytes),
    /// Sent once; `sent` grows as bytes leave, so that a stall is noticed.
    Stream {
        body: reqwest::Body,
        length: u64,
        sent: Arc<AtomicU64>,
    },
}

impl Outgoing {
    pub(crate) fn new(method: Method, url: Url) -> Self {
        Self {
            method,
            url,
            headers: HeaderMap::new(),
            authorization: None,
            body: Body::Empty,
        }
    }

    /// Go's spelling of the method, for errors.
    pub(crate) fn go_method(&self) -> &'static str {
        method_name(&self.method)
    }

    pub(crate) fn get(url: Url) -> Self {
        Self::new(Method::GET, url)
    }

    pub(crate) fn header(mut self, name: http::HeaderName, value: &str) -> Self {
        if let Ok(value) = HeaderValue::from_str(value) {
            self.headers.append(name, value);
        }
        self
    }
}

impl Transport {
    pub(crate) fn new(config: Config) -> Result<Self, ConfigError> {
        let proxies = ProxyChoice::new(&config.proxies)?;
        Ok(Self {
            config,
            proxies,
            clients: Mutex::default(),
        })
    }

    pub(crate) fn config(&self) -> &Config {
        &self.config
    }

    /// Sends `request` to the server at `base` and follows redirects.
    pub(crate) async fn send(&self, base: &Base, request: Outgoing) -> Result<Response, Error> {
        let Outgoing {
            method,
            mut url,
            headers,
            mut authorization,
            body,
        } = request;
        let name = method_name(&method);
        let fail = |url: &Url, failure| Error::Request {
            method: name,
            url: redacted(url),
            failure,
        };
        let (replay, mut once) = match body {
            Body::Empty => (Some(Bytes::new()), None),
            Body::Bytes(bytes) => (Some(bytes), None),
            Body::Stream { body, length, sent } => (None, Some((body, length, sent))),
        };
        // An upload's address may lie on another host than the registry.
        let home = base.url.origin();
        let mut target = if url.origin() == home {
            base.clone()
        } else {
            authorization = None;
            self.base_of(&url).await
        };
        for _ in 0..=REDIRECTS {
            let client = self
                .client(&target)
                .await
                .map_err(|failure| fail(&url, failure))?;
            let mut builder = client
                .request(method.clone(), url.clone())
                .headers(headers.clone());
            if let Some(secret) = &authorization {
                let mut value = HeaderValue::from_str(secret.expose())
                    .map_err(|_| fail(&url, Failure::Malformed("token with control characters")))?;
                value.set_sensitive(true);
                builder = builder.header(AUTHORIZATION, value);
            }
            let mut sent = None;
            if let Some((body, length, counter)) = once.take() {
                builder = builder
                    .header(http::header::CONTENT_LENGTH, length)
                    .body(body);
                sent = Some((length, counter));
            } else if let Some(bytes) = &replay
                && (!bytes.is_empty() || matches!(method, Method::POST | Method::PUT))
            {
                builder = builder.body(bytes.clone());
            }
            let response = match self.answer(builder.send(), sent).await {
                Ok(response) => response,
                Err(Some(error)) => {
                    let address = address_of(&url, self.proxies.concern(&url)).await;
                    let failure = Failure::from_http(&error.without_url(), &address);
                    return Err(fail(&url, failure));
                }
                Err(None) => return Err(fail(&url, Failure::AnswerTimeout)),
            };
            let next = match redirect(&method, replay.is_some(), &response) {
                Some(location) => location,
                None => return Ok(response),
            };
            let next = url
                .join(&next)
                .map_err(|_| fail(&url, Failure::Malformed("redirect without an address")))?;
            let next_base = self.base_of(&next).await;
            check_redirect(&url, &next, base, &next_base).map_err(|failure| fail(&url, failure))?;
            // Once dropped, it stays dropped, also if the way leads back.
            if next.origin() != home {
                authorization = None;
                // A body may be a refresh token.
                if replay.as_ref().is_some_and(|bytes| !bytes.is_empty()) {
                    let failure = Failure::Redirect {
                        to: next.origin().ascii_serialization(),
                        reason: "it would carry a body to another host",
                    };
                    return Err(fail(&url, failure));
                }
            }
            url = next;
            target = next_base;
        }
        Err(fail(&url, Failure::Redirects))
    }

    /// The server a foreign address leads to, with what is known of it.
    pub(crate) async fn base_of(&self, url: &Url) -> Base {
        let host = host_port(url);
        let addresses = resolve(&host).await;
        Base {
            insecure: self.config.is_insecure(&host, &addresses),
            url: url.clone(),
            host,
        }
    }

    /// Waits for the head of an answer; `Err(None)` is lost patience.
    async fn answer(
        &self,
        sending: impl Future<Output = reqwest::Result<Response>>,
        upload: Option<(u64, Arc<AtomicU64>)>,
    ) -> Result<Response, Option<reqwest::Error>> {
        let patience = &self.config.retry;
        let Some((length, sent)) = upload else {
            return match timeout(patience.answer, sending).await {
                Ok(result) => result.map_err(Some),
                Err(_) => Err(None),
            };
        };
        let mut sending = std::pin::pin!(sending);
        loop {
            let before = sent.load(Ordering::Relaxed);
            let limit = if before < length {
                patience.stall
            } else {
                COMMIT
            };
            match timeout(limit, &mut sending).await {
                Ok(result) => return result.map_err(Some),
                Err(_) if sent.load(Ordering::Relaxed) != before => {}
                Err(_) => return Err(None),
            }
        }
    }

    async fn client(&self, base: &Base) -> Result<Client, Failure> {
        let fingerprint = certs::fingerprint(&self.config.certs_dirs, &base.host)
            .map_err(Failure::Certificates)?;
        // Insecure because of its address: then only that address will do,
        // whatever the name means a moment later.
        let addresses = if base.insecure && !self.config.is_insecure(&base.host, &[]) {
            let mut addresses = resolve(&base.host).await;
            addresses.retain(|&address| self.config.is_insecure(&base.host, &[address]));
            addresses
        } else {
            Vec::new()
        };
        let key = ClientKey {
            host: base.host.clone(),
            insecure: base.insecure,
            addresses,
        };
        if let Some((found, client)) = self.lock_clients().get(&key)
            && *found == fingerprint
        {
            return Ok(client.clone());
        }
        let client = self.build(&key, &fingerprint, &base.url).await?;
        let mut clients = self.lock_clients();
        // Redirects lead to many hosts over the years; none is precious.
        if clients.len() >= 256 {
            clients.clear();
        }
        clients.insert(key, (fingerprint, client.clone()));
        Ok(client)
    }

    async fn build(
        &self,
        key: &ClientKey,
        fingerprint: &Fingerprint,
        url: &Url,
    ) -> Result<Client, Failure> {
        let files = fingerprint.clone();
        let insecure = key.insecure;
        // Reading the system's store takes tens of milliseconds.
        let tls = tokio::task::spawn_blocking(move || {
            let certificates = certs::load(&files).map_err(Failure::Certificates)?;
            tls::client_config(certificates, insecure)
                .map_err(|error| Failure::Tls(error.to_string()))
        })
        .await
        .map_err(|error| Failure::Other(error.to_string()))??;
        let mut builder = Client::builder()
            .tls_backend_preconfigured(tls)
            .http1_only()
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .referer(false)
            .user_agent(&self.config.user_agent)
            .connect_timeout(CONNECT)
            .pool_idle_timeout(Duration::from_secs(30))
            .tcp_keepalive(Duration::from_secs(30))
            .no_proxy();
        if !is_loopback(url) {
            for proxy in self.proxies.all() {
                builder = builder.proxy(proxy.clone());
            }
        }
        if !key.addresses.is_empty() {
            let addresses: Vec<SocketAddr> = key
                .addresses
                .iter()
                .map(|&address| SocketAddr::new(address, 0))
                .collect();
            builder = builder.resolve_to_addrs(url.host_str().unwrap_or_default(), &addresses);
        }
        builder
            .build()
            .map_err(|error| Failure::Other(error.without_url().to_string()))
    }

    fn lock_clients(&self) -> std::sync::MutexGuard<'_, HashMap<ClientKey, (Fingerprint, Client)>> {
        self.clients.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Reads a short body, no longer than `limit`.
    pub(crate) async fn body(
        &self,
        response: &mut Response,
        limit: u64,
        what: &str,
    ) -> Result<Bytes, Error> {
        let url = response.url().clone();
        let fail = |failure| Error::Request {
            method: "Get",
            url: redacted(&url),
            failure,
        };
        let mut body = BytesMut::new();
        loop {
            let chunk = timeout(self.config.retry.stall, response.chunk())
                .await
                .map_err(|_| fail(Failure::Stalled))?
                .map_err(|error| fail(body_failure(error)))?;
            let Some(chunk) = chunk else {
                return Ok(body.freeze());
            };
            if (body.len() + chunk.len()) as u64 > limit {
                return Err(Error::TooLarge {
                    what: what.to_owned(),
                    limit,
                });
            }
            body.extend_from_slice(&chunk);
        }
    }

    /// The answer if it is a success, what the registry said if not.
    pub(crate) async fn success(&self, mut response: Response) -> Result<Response, Error> {
        if response.status().is_success() {
            return Ok(response);
        }
        Err(Error::Refused(self.refusal(&mut response).await))
    }

    /// Reads a refusal, as far as it can be read.
    pub(crate) async fn refusal(&self, response: &mut Response) -> Refusal {
        let body = self.body(response, REFUSAL, "error").await;
        Refusal::new(
            response.status(),
            response.headers(),
            &body.unwrap_or_default(),
        )
    }
}

/// Why a body broke off.
pub(crate) fn body_failure(error: reqwest::Error) -> Failure {
    let nowhere = Address::Unknown {
        host: String::new(),
        reason: String::new(),
    };
    match Failure::from_http(&error.without_url(), &nowhere) {
        // A body that ends early is named differently at each layer.
        Failure::Other(_) => Failure::Cut,
        failure => failure,
    }
}

/// `url` without what may be secret: user, query and fragment.
pub(crate) fn redacted(url: &Url) -> String {
    let mut url = url.clone();
    let _ = url.set_username("");
    let _ = url.set_password(None);
    url.set_query(None);
    url.set_fragment(None);
    url.into()
}

/// Go's spelling of a method in its errors.
fn method_name(method: &Method) -> &'static str {
    match *method {
        Method::HEAD => "Head",
        Method::POST => "Post",
        Method::PUT => "Put",
        Method::PATCH => "Patch",
        Method::DELETE => "Delete",
        _ => "Get",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_printed_without_secrets() {
        let url = Url::parse("https://user:hunter2@h:5000/v2/?sig=hunter2#hunter2").unwrap();
        assert_eq!(redacted(&url), "https://h:5000/v2/");
    }
}
