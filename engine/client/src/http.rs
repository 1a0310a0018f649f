//! The engine's API as requests and responses, over connections that are kept.
//!
//! The API version is agreed on without asking first: the first request goes
//! out with the newest version we know, and an engine that is older says so in
//! its refusal, which costs it, and only it, one more round trip. Requests
//! whose body can be sent only once ask (`HEAD /_ping`) beforehand.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

use ::http::header::{CONNECTION, HOST, HeaderName, HeaderValue, UPGRADE, USER_AGENT};
use ::http::{HeaderMap, Method, StatusCode};
use bytes::Bytes;
use hyper::body::Incoming;
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use serde::de::DeserializeOwned;

use crate::discovery::Target;
use crate::endpoint::Endpoint;
use crate::error::Error;
use crate::hijack::Hijacked;
use crate::request::{Body, Request, RequestBody};
use crate::response::{Response, drain, refusal};
use crate::transport;
use crate::version::{self, ApiVersion};

/// A client of one engine. Cheap to share by reference; requests made at the
/// same time use a connection each.
pub struct Client {
    endpoint: Endpoint,
    headers: HeaderMap,
    /// The version requests are made with, packed.
    version: AtomicU32,
    /// Whether `version` is settled.
    settled: AtomicBool,
    /// What the engine's answers said about it, if anything was answered yet.
    heard: Mutex<HeaderMap>,
    idle: Mutex<Vec<SendRequest<Body>>>,
}

impl Client {
    /// A client of the engine at `target`. Nothing is sent yet.
    pub fn new(target: &Target, user_agent: &str) -> Self {
        let mut headers = HeaderMap::new();
        for (name, value) in target.config.http_headers() {
            if let (Ok(name), Ok(value)) = (name.parse::<HeaderName>(), value.parse()) {
                headers.insert(name, value);
            }
        }
        headers.insert(HOST, HeaderValue::from_static("localhost"));
        if let Ok(agent) = user_agent.parse() {
            headers.insert(USER_AGENT, agent);
        }
        let pinned = target
            .pinned_version
            .as_deref()
            .and_then(|text| text.parse::<ApiVersion>().ok());
        Self {
            endpoint: target.endpoint.clone(),
            headers,
            version: AtomicU32::new(pinned.unwrap_or(version::NEWEST).pack()),
            settled: AtomicBool::new(pinned.is_some()),
            heard: Mutex::default(),
            idle: Mutex::default(),
        }
    }

    /// Where it connects to.
    pub fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// The headers that every request carries.
    pub(crate) fn headers(&self) -> HeaderMap {
        self.headers.clone()
    }

    /// The API version in use; what was agreed on, once anything was answered.
    pub fn version(&self) -> ApiVersion {
        ApiVersion::unpack(self.version.load(Ordering::Relaxed))
    }

    /// A header of the engine's last answer (`Server`, `Ostype`, …).
    pub fn heard(&self, header: &str) -> Option<String> {
        let heard = self.heard.lock().unwrap_or_else(|e| e.into_inner());
        Some(heard.get(header)?.to_str().ok()?.to_owned())
    }

    /// The agreed version, asking the engine if nothing was agreed on yet.
    pub async fn negotiate(&self) -> Result<ApiVersion, Error> {
        if !self.settled.load(Ordering::Relaxed) {
            let request = Request::new(Method::HEAD, "/_ping");
            let response = self
                .exchange(request.uri(None), &request, Bytes::new())
                .await?;
            self.agree(response.headers());
        }
        Ok(self.version())
    }

    /// Sends `request`; an error status is an error.
    pub async fn send(&self, request: Request) -> Result<Response, Error> {
        let response = self.round_trip(request, false).await?;
        let status = response.status();
        let (parts, body) = response.into_parts();
        if status.is_success() || status == StatusCode::NOT_MODIFIED {
            return Ok(Response {
                status,
                headers: parts.headers,
                body,
            });
        }
        Err(refusal(status, body).await)
    }

    /// Sends `request` and reads the JSON it is answered with.
    pub async fn json<T: DeserializeOwned>(&self, request: Request) -> Result<T, Error> {
        self.send(request).await?.json().await
    }

    /// Sends `request` and throws the answer's body away.
    pub async fn done(&self, request: Request) -> Result<StatusCode, Error> {
        let response = self.send(request).await?;
        let status = response.status;
        response.bytes().await?;
        Ok(status)
    }

    /// Sends `request` and takes the connection over.
    pub async fn hijack(&self, mut request: Request) -> Result<Hijacked, Error> {
        request
            .headers
            .insert(CONNECTION, HeaderValue::from_static("Upgrade"));
        request
            .headers
            .insert(UPGRADE, HeaderValue::from_static("tcp"));
        let mut response = self.round_trip(request, true).await?;
        let status = response.status();
        // Engines older than the upgrade headers answer 200 and carry on raw.
        if status != StatusCode::SWITCHING_PROTOCOLS && status != StatusCode::OK {
            return Err(refusal(status, response.into_body()).await);
        }
        Hijacked::of(&mut response).await
    }

    /// A connection without any HTTP on it, for `system dial-stdio`.
    pub async fn raw(&self) -> Result<transport::Transport, Error> {
        transport::connect(&self.endpoint).await
    }

    /// The same engine as a `bollard` client, for typed calls.
    pub fn bollard(&self) -> Result<bollard::Docker, Error> {
        let version = self.version();
        let version = bollard::ClientVersion {
            major_version: version.major.into(),
            minor_version: version.minor.into(),
        };
        const TIMEOUT_SECONDS: u64 = 120;
        let docker = match &self.endpoint {
            #[cfg(unix)]
            Endpoint::Unix(path) => bollard::Docker::connect_with_unix(
                &path.to_string_lossy(),
                TIMEOUT_SECONDS,
                &version,
            ),
            Endpoint::Tcp { .. } => bollard::Docker::connect_with_http(
                &self.endpoint.to_string(),
                TIMEOUT_SECONDS,
                &version,
            ),
            Endpoint::Tls {
                files:
                    crate::TlsFiles {
                        ca: Some(ca),
                        cert: Some(cert),
                        key: Some(key),
                        ..
                    },
                ..
            } => bollard::Docker::connect_with_ssl(
                &self.endpoint.to_string(),
                key,
                cert,
                ca,
                TIMEOUT_SECONDS,
                &version,
            ),
            other => return Err(Error::UnsupportedTransport(other.to_string())),
        };
        docker.map_err(|error| Error::broken("cannot connect to the engine", error))
    }

    async fn round_trip(
        &self,
        mut request: Request,
        upgrade: bool,
    ) -> Result<hyper::Response<Incoming>, Error> {
        let body = std::mem::replace(&mut request.body, RequestBody::Whole(Bytes::new()));
        let whole = match body {
            RequestBody::Whole(bytes) => bytes,
            RequestBody::Stream(stream) => {
                let version = self.negotiate().await?;
                let uri = request.uri(Some(version));
                let body = Body(RequestBody::Stream(stream));
                return self.transmit(uri, &request, body).await;
            }
        };
        let asked = self.version();
        let response = self
            .exchange(request.uri(Some(asked)), &request, whole.clone())
            .await?;
        if !self.settled.load(Ordering::Relaxed) {
            self.agree(response.headers());
        }
        // Another request may have settled it while this one was under way.
        let agreed = self.version();
        if response.status() != StatusCode::BAD_REQUEST || agreed >= asked {
            return Ok(response);
        }
        // Too new for this engine: it did nothing, so the request can go again.
        if !upgrade {
            drain(response.into_body()).await;
        }
        self.exchange(request.uri(Some(agreed)), &request, whole)
            .await
    }

    /// Settles on a version, from what the engine said in its headers.
    fn agree(&self, headers: &HeaderMap) {
        let theirs = headers
            .get("api-version")
            .and_then(|value| value.to_str().ok())
            .and_then(|text| text.parse::<ApiVersion>().ok())
            .unwrap_or(version::OLDEST);
        let agreed = self.version().agreed_with(theirs);
        self.version.store(agreed.pack(), Ordering::Relaxed);
        self.settled.store(true, Ordering::Relaxed);
    }

    fn exchange<'a>(
        &'a self,
        uri: String,
        request: &Request,
        body: Bytes,
    ) -> impl Future<Output = Result<hyper::Response<Incoming>, Error>> + use<'a> {
        let body = Body(RequestBody::Whole(body));
        self.transmit(uri, request, body)
    }

    /// What is waited for does not hold the request, whose body may not be
    /// shared by threads: so any thread may wait.
    fn transmit<'a>(
        &'a self,
        uri: String,
        request: &Request,
        body: Body,
    ) -> impl Future<Output = Result<hyper::Response<Incoming>, Error>> + use<'a> {
        let message = hyper::Request::builder()
            .method(request.method.clone())
            .uri(uri)
            .body(body)
            .map_err(|error| Error::broken("cannot make the request", error));
        let message = message.map(|mut message| {
            message.headers_mut().extend(self.headers.clone());
            message.headers_mut().extend(request.headers.clone());
            message
        });
        async move { self.dispatch(message?).await }
    }

    /// Sends `message` over a kept connection or a new one.
    pub(crate) async fn dispatch(
        &self,
        mut message: hyper::Request<Body>,
    ) -> Result<hyper::Response<Incoming>, Error> {
        let mut kept = self.kept().await;
        loop {
            let reused = kept.is_some();
            let mut sender = match kept.take() {
                Some(sender) => sender,
                None => self.connect().await?,
            };
            match sender.try_send_request(message).await {
                Ok(response) => {
                    self.keep(sender, response.headers());
                    return Ok(response);
                }
                Err(mut failure) => match failure.take_message() {
                    // The engine closed a kept connection meanwhile: nothing
                    // of the request went out on it.
                    Some(unsent) if reused => message = unsent,
                    _ => {
                        return Err(Error::broken("error during connect", failure.into_error()));
                    }
                },
            }
        }
    }

    async fn connect(&self) -> Result<SendRequest<Body>, Error> {
        const PATIENCE: Duration = Duration::from_secs(30);
        let connecting = transport::connect(&self.endpoint);
        let stream = tokio::time::timeout(PATIENCE, connecting)
            .await
            .map_err(|_| Error::Unreachable {
                endpoint: Box::new(self.endpoint.clone()),
                source: std::io::ErrorKind::TimedOut.into(),
            })??;
        let (sender, connection) = http1::handshake(TokioIo::new(stream))
            .await
            .map_err(|error| Error::broken("cannot speak HTTP with the engine", error))?;
        // The task ends with the connection; its error reaches the request.
        tokio::spawn(async move {
            let _ = connection.with_upgrades().await;
        });
        Ok(sender)
    }

    fn keep(&self, sender: SendRequest<Body>, headers: &HeaderMap) {
        *self.heard.lock().unwrap_or_else(|e| e.into_inner()) = headers.clone();
        if !sender.is_closed() {
            let mut idle = self.idle.lock().unwrap_or_else(|e| e.into_inner());
            idle.push(sender);
        }
    }

    /// A kept connection with no answer outstanding.
    async fn kept(&self) -> Option<SendRequest<Body>> {
        for attempt in 0..2 {
            {
                let mut idle = self.idle.lock().unwrap_or_else(|e| e.into_inner());
                idle.retain(|sender| !sender.is_closed());
                if let Some(index) = idle.iter().position(SendRequest::is_ready) {
                    return Some(idle.swap_remove(index));
                }
                if idle.is_empty() || attempt == 1 {
                    return None;
                }
            }
            // The connection's task learns only when it runs that the last
            // answer has been read to its end.
            tokio::task::yield_now().await;
        }
        None
    }
}
