//! One connection's HTTP: version negotiation around the routes, the headers
//! every answer carries, and the loop that drives hyper.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Instant;

use axum::Router;
use axum::body::Body;
use axum::response::Response;
use dhow_local::LocalEngine;
use http::{HeaderName, HeaderValue, Method, Request, StatusCode, Uri};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::configuration::Configuration;
use crate::failure::{page_not_found, respond};
use crate::hijack::{self, Taken, Takeover};
use crate::transport::Transport;
use crate::version::{self, NEWEST};
use crate::{call::App, routes};

/// The HTTP face of one engine. Cheap to clone; one serves all connections.
#[derive(Clone)]
pub struct Service {
    router: Router,
    closing: CancellationToken,
}

impl Service {
    /// The face of `engine`. When `closing` is cancelled, running requests are
    /// finished, endless answers (events, followed logs, stats) are ended, and
    /// no connection is kept for another request.
    ///
    /// `configuration` is what `/dhow/config` is about, if there is any.
    pub fn new(
        engine: LocalEngine,
        configuration: Option<Arc<dyn Configuration>>,
        closing: CancellationToken,
    ) -> Self {
        let app = App {
            engine,
            configuration,
            closing: closing.clone(),
        };
        Self {
            router: routes::router().with_state(Arc::new(app)),
            closing,
        }
    }

    /// Serves one client until it leaves, or its connection becomes a
    /// container's stream.
    pub async fn serve(&self, transport: Transport) {
        let (takeovers, mut taken_over) = mpsc::channel::<Takeover>(1);
        let service = service_fn(|request: Request<Incoming>| {
            let (service, takeovers) = (self.clone(), takeovers.clone());
            Box::pin(async move {
                let mut response = service.respond(request.map(Body::new)).await;
                if let Some(takeover) = hijack::requested(&mut response) {
                    // This future is dropped with the HTTP connection.
                    let _connection_gone = takeovers.send(takeover).await;
                    std::future::pending::<()>().await;
                }
                Ok::<_, Infallible>(response)
            })
        });
        let mut connection = http1::Builder::new()
            // Scripts grep for headers in Go's spelling.
            .title_case_headers(true)
            .serve_connection(TokioIo::new(transport), service);
        let mut told = false;
        loop {
            tokio::select! {
                biased;
                Some(takeover) = taken_over.recv() => {
                    let parts = connection.into_parts();
                    let taken = Taken { transport: parts.io.into_inner(), early: parts.read_buf };
                    return takeover(taken).await;
                }
                ended = &mut connection => {
                    if let Err(error) = ended {
                        tracing::debug!("connection ended: {error}");
                    }
                    return;
                }
                () = self.closing.cancelled(), if !told => {
                    std::pin::Pin::new(&mut connection).graceful_shutdown();
                    told = true;
                }
            }
        }
    }

    /// Answers one request.
    async fn respond(&self, request: Request<Body>) -> Response {
        let started = Instant::now();
        let (method, path) = (request.method().clone(), request.uri().path().to_owned());
        let mut response = self.dispatch(request).await;
        for (name, value) in standard_headers() {
            response.headers_mut().insert(name, value);
        }
        let (status, elapsed) = (response.status().as_u16(), started.elapsed());
        tracing::debug!(%method, path, status, ?elapsed, "answered");
        response
    }

    async fn dispatch(&self, mut request: Request<Body>) -> Response {
        let path_and_query = request.uri().path_and_query().map_or("/", |p| p.as_str());
        let (version, rest) = match version::split(path_and_query) {
            Ok(split) => split,
            Err(error) => return respond(StatusCode::BAD_REQUEST, &error.to_string()),
        };
        let Ok(uri) = rest.parse::<Uri>() else {
            return page_not_found();
        };
        // axum answers HEAD wherever it answers GET; dockerd only here.
        let head = request.method() == Method::HEAD;
        if head && uri.path() != "/_ping" && !uri.path().ends_with("/archive") {
            return page_not_found();
        }
        *request.uri_mut() = uri;
        request.extensions_mut().insert(version);

        let reads = matches!(*request.method(), Method::GET | Method::HEAD);
        let answering = self.route(request);
        if reads {
            return answering.await;
        }
        // What changes something is finished even if the client hangs up in
        // the middle; hyper would drop this future, but not a task.
        match tokio::spawn(answering).await {
            Ok(response) => response,
            Err(error) => {
                tracing::error!("request handler failed: {error}");
                respond(
                    StatusCode::INTERNAL_SERVER_ERROR,
                    "the engine failed at this request",
                )
            }
        }
    }

    fn route(&self, request: Request<Body>) -> impl Future<Output = Response> + Send + 'static {
        let mut router = self.router.clone();
        async move {
            let Ok(response) = tower_service::Service::call(&mut router, request).await;
            response
        }
    }
}

/// The headers of every answer.
pub(crate) fn standard_headers() -> [(HeaderName, HeaderValue); 4] {
    const SERVER: &str = concat!("Dhow/", env!("CARGO_PKG_VERSION"), " (linux)");
    let newest = HeaderValue::from_str(&NEWEST.to_string());
    [
        (
            HeaderName::from_static("api-version"),
            newest.unwrap_or_else(|_| HeaderValue::from_static("")),
        ),
        (
            HeaderName::from_static("docker-experimental"),
            HeaderValue::from_static("false"),
        ),
        (
            HeaderName::from_static("ostype"),
            HeaderValue::from_static("linux"),
        ),
        (http::header::SERVER, HeaderValue::from_static(SERVER)),
    ]
}

#[cfg(test)]
mod tests;
