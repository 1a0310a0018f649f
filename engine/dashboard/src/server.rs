//! The server: connections, and which part answers what.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use dhow_client::{Client, Logins};
use http::header::{COOKIE, HeaderMap, SET_COOKIE};
use http::{HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Limited};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use serde::Deserialize;
use serde_json::json;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use crate::answer::{self, Body};
use crate::gate::{Gate, Trust};
use crate::headers::KEY;
use crate::pages::Pages;
use crate::place::{Place, authority};
use crate::secret::Secret;
use crate::sessions::{Audience, Session, Sessions};
use crate::{Error, engine, open, peer, registries};

/// The dashboard of one engine.
pub struct Dashboard {
    listener: TcpListener,
    shared: Arc<Shared>,
}

struct Shared {
    here: SocketAddr,
    authority: String,
    /// Cookies are shared by all ports of an address, so each has its own
    /// name.
    cookie: String,
    gate: Gate,
    pages: Pages,
    client: Arc<Client>,
    logins: Arc<Logins>,
    version: &'static str,
    sessions: Mutex<Sessions>,
}

impl Dashboard {
    /// Listens, so that links can be made; nothing is answered before
    /// [`Dashboard::serve`].
    pub async fn listen(
        place: Place,
        pages: Pages,
        client: Client,
        logins: Logins,
        version: &'static str,
    ) -> Result<Self, Error> {
        let wanted = SocketAddr::new(place.address, place.port);
        let failed = |source| Error::Listen {
            place: wanted.to_string(),
            source,
        };
        let listener = TcpListener::bind(wanted).await.map_err(failed)?;
        let here = listener.local_addr().map_err(failed)?;
        let authority = authority(here);
        Ok(Self {
            listener,
            shared: Arc::new(Shared {
                here,
                cookie: format!("dhow-session-{}", here.port()),
                gate: Gate::new(authority.clone()),
                authority,
                pages,
                client: Arc::new(client),
                logins: Arc::new(logins),
                version,
                sessions: Mutex::default(),
            }),
        })
    }

    /// A link that lets one browser in, once, soon.
    pub fn link(&self, audience: Audience) -> Result<String, Error> {
        let token = Secret::new()?;
        let text = token.text();
        self.shared
            .sessions()
            .issue(token, audience, Instant::now());
        // What comes after the hash is sent to no server and in no referrer.
        Ok(format!("http://{}/#token={text}", self.shared.authority))
    }

    /// Answers until it is dropped, which ends every connection but those
    /// that were upgraded: they end with the runtime.
    pub async fn serve(&self) {
        let mut connections = JoinSet::new();
        loop {
            tokio::select! {
                accepted = self.listener.accept() => match accepted {
                    Ok((stream, peer)) => {
                        connections.spawn(connection(self.shared.clone(), stream, peer));
                    }
                    // Too many open files, for example: some will be closed.
                    Err(_) => tokio::time::sleep(Duration::from_millis(100)).await,
                },
                Some(_) = connections.join_next() => {}
            }
        }
    }
}

async fn connection(shared: Arc<Shared>, stream: TcpStream, peer: SocketAddr) {
    let _ = stream.set_nodelay(true);
    let service = service_fn(|request| {
        let shared = shared.clone();
        async move { Ok::<_, std::convert::Infallible>(shared.answer(request, peer).await) }
    });
    // An error is the browser's going away, and it knows of that.
    let _ = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(Duration::from_secs(30))
        .serve_connection(TokioIo::new(stream), service)
        .with_upgrades()
        .await;
}

/// Who answers.
enum Part {
    Pages,
    Session,
    Host,
    Registries,
    Engine,
    Open,
}

impl Part {
    fn of(path: &str) -> Self {
        let engines = path.strip_prefix(engine::PREFIX);
        match path {
            "/session" => Self::Session,
            "/host.json" => Self::Host,
            registries::PATH => Self::Registries,
            open::PATH => Self::Open,
            _ if engines.is_some_and(|rest| rest.starts_with('/')) => Self::Engine,
            _ => Self::Pages,
        }
    }
}

impl Shared {
    async fn answer(&self, request: Request<Incoming>, peer: SocketAddr) -> Response<Body> {
        let part = Part::of(request.uri().path());
        let page = matches!(part, Part::Pages);
        let trust = if page { Trust::Pages } else { Trust::Engine };
        let (method, uri, headers) = (request.method(), request.uri(), request.headers());
        let mut response = match self.gate.check(trust, method, uri, headers) {
            Err(refusal) => answer::error(refusal.status, refusal.message),
            Ok(()) => match part {
                Part::Pages => self.pages.answer(method, uri.path(), headers),
                Part::Session => self.let_in(request, peer).await,
                _ => self.bridge(part, request).await,
            },
        };
        answer::guard(&mut response, page);
        response
    }

    /// What needs a session. A WebSocket can carry no header of ours: there
    /// the key is in the first message.
    async fn bridge(&self, part: Part, request: Request<Incoming>) -> Response<Body> {
        let Some(session) = self.session(request.headers()) else {
            return no_session();
        };
        if matches!(part, Part::Open) {
            let (client, logins) = (self.client.clone(), self.logins.clone());
            return open::open(client, logins, session.key, request);
        }
        let key = request.headers().get(KEY).and_then(|v| v.to_str().ok());
        if !key.is_some_and(|key| session.key.is(key)) {
            return no_session();
        }
        match part {
            Part::Engine => engine::pass(&self.client, &self.logins, request).await,
            Part::Registries => registries::answer(&self.client, &self.logins, request).await,
            _ => answer::json(
                StatusCode::OK,
                &json!({
                    "version": self.version,
                    "engineHost": self.client.endpoint().to_string(),
                    "capabilities": ["registries"],
                }),
            ),
        }
    }

    /// Trades the token of a link for a session.
    async fn let_in(&self, request: Request<Incoming>, peer: SocketAddr) -> Response<Body> {
        #[derive(Deserialize)]
        struct Shown {
            token: String,
        }
        const LARGEST: usize = 4 << 10;
        if request.method() != Method::POST {
            return answer::error(StatusCode::METHOD_NOT_ALLOWED, "a token is posted here");
        }
        let Ok(body) = Limited::new(request.into_body(), LARGEST).collect().await else {
            return answer::error(StatusCode::PAYLOAD_TOO_LARGE, "that is no token");
        };
        let Ok(Shown { token }) = serde_json::from_slice(&body.to_bytes()) else {
            return answer::error(StatusCode::BAD_REQUEST, "that is no token");
        };
        let (Ok(cookie), Ok(key)) = (Secret::new(), Secret::new()) else {
            return answer::error(StatusCode::INTERNAL_SERVER_ERROR, "cannot make a secret");
        };
        let mut response = answer::json(StatusCode::OK, &json!({ "key": key.text() }));
        let name = &self.cookie;
        let text = cookie.text();
        let set = format!("{name}={text}; Path=/; HttpOnly; SameSite=Strict");
        let Ok(set) = HeaderValue::try_from(set) else {
            return answer::error(StatusCode::INTERNAL_SERVER_ERROR, "cannot make a cookie");
        };
        response.headers_mut().insert(SET_COOKIE, set);
        let owner = || peer::owner(peer, self.here);
        let session = Session { cookie, key };
        if !self.sessions().open(&token, owner, session, Instant::now()) {
            return answer::failure(
                StatusCode::UNAUTHORIZED,
                "session",
                "this link was used, or is too old: ask the dashboard for another",
            );
        }
        response
    }

    /// The session whose cookie was sent.
    fn session(&self, headers: &HeaderMap) -> Option<Session> {
        let cookies = headers
            .get_all(COOKIE)
            .iter()
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(';'))
            .filter_map(|cookie| cookie.trim().split_once('='))
            .filter(|(name, _)| *name == self.cookie)
            .map(|(_, value)| value);
        self.sessions().of_cookies(cookies).cloned()
    }

    fn sessions(&self) -> std::sync::MutexGuard<'_, Sessions> {
        // Nothing in there is left half done by a panic.
        self.sessions.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn no_session() -> Response<Body> {
    answer::failure(
        StatusCode::UNAUTHORIZED,
        "session",
        "this page has no session: open the link that the dashboard prints",
    )
}
