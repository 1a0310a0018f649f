//! `/registries`: the person's logins at registries, as the command line keeps
//! them. They are listed without their secrets; a new one is checked by the
//! engine first.

use dhow_client::{Client, Error, LoginError, Logins};
use dhow_model::error::chain;
use http::{Method, Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Limited};
use hyper::body::Incoming;
use percent_encoding::percent_decode_str;
use serde::Deserialize;
use serde_json::json;

use crate::answer::{self, Body};
use crate::engine::explain;

/// Where they are.
pub const PATH: &str = "/registries";

/// The largest login.
const LARGEST: usize = 64 << 10;

#[derive(Deserialize)]
struct Shown {
    server: String,
    user: String,
    secret: String,
}

/// Lists, keeps, or forgets.
pub async fn answer(
    client: &Client,
    logins: &Logins,
    request: Request<Incoming>,
) -> Response<Body> {
    let done = match *request.method() {
        Method::GET => logins
            .list()
            .await
            .map(|logins| answer::json(StatusCode::OK, &json!({ "logins": logins }))),
        Method::POST => {
            let body = Limited::new(request.into_body(), LARGEST).collect().await;
            let Ok(body) = body else {
                return answer::error(StatusCode::PAYLOAD_TOO_LARGE, "that is no login");
            };
            // What is wrong with it is not said: it may hold a secret.
            let Ok(shown) = serde_json::from_slice::<Shown>(&body.to_bytes()) else {
                return answer::error(StatusCode::BAD_REQUEST, "that is no login");
            };
            logins
                .log_in(client, &shown.server, &shown.user, &shown.secret)
                .await
                .map(|status| answer::json(StatusCode::OK, &json!({ "status": status })))
        }
        Method::DELETE => {
            let server = server(request.uri().query().unwrap_or_default());
            let outcome = logins.log_out(&server).await;
            outcome.map(|()| answer::empty(StatusCode::NO_CONTENT))
        }
        _ => {
            let message = "logins are listed, posted and deleted here";
            return answer::error(StatusCode::METHOD_NOT_ALLOWED, message);
        }
    };
    done.unwrap_or_else(|error| refusal(&error))
}

/// What a page is told of a login that came to nothing.
pub fn refusal(error: &LoginError) -> Response<Body> {
    let status = match error {
        LoginError::Server(_) | LoginError::Incomplete => StatusCode::BAD_REQUEST,
        LoginError::Client(error) => match error {
            Error::Unreachable { .. } | Error::PermissionDenied { .. } | Error::Broken { .. } => {
                let (reason, message) = explain(error);
                return answer::failure(StatusCode::BAD_GATEWAY, reason, &message);
            }
            // The engine's own word.
            Error::Api { status, .. } => {
                StatusCode::from_u16(*status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
            }
            _ => StatusCode::INTERNAL_SERVER_ERROR,
        },
    };
    answer::error(status, &chain(error))
}

/// The server in `query`; nothing where none is named.
fn server(query: &str) -> String {
    let named = query
        .split('&')
        .find_map(|pair| pair.strip_prefix("server="));
    let text = percent_decode_str(named.unwrap_or_default());
    text.decode_utf8_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::server;

    #[test]
    fn the_server_is_read_from_the_query() {
        assert_eq!(server("server=localhost%3A5000"), "localhost:5000");
        assert_eq!(server("a=b&server=r.example"), "r.example");
        assert_eq!(server("servers=x"), "");
        assert_eq!(server(""), "");
    }
}
