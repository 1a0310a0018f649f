//! The one table from error kinds to HTTP statuses, and the error body.

use axum::response::{IntoResponse, Response};
use dhow_local::Error;
use dhow_model::{ErrorKind, HasKind};
use http::StatusCode;
use serde_json::json;

use crate::answer;

/// An error on its way to the client.
#[derive(Debug)]
pub(crate) struct Failure(pub Error);

impl<E: Into<Error>> From<E> for Failure {
    fn from(error: E) -> Self {
        Self(error.into())
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let status = status(self.0.kind());
        let message = self.0.to_string();
        if status.is_server_error() {
            tracing::debug!(status = status.as_u16(), "{message}");
        }
        respond(status, &message)
    }
}

/// The status of each kind of error.
pub(crate) fn status(kind: ErrorKind) -> StatusCode {
    match kind {
        ErrorKind::InvalidParameter => StatusCode::BAD_REQUEST,
        ErrorKind::Unauthorized => StatusCode::UNAUTHORIZED,
        ErrorKind::Forbidden => StatusCode::FORBIDDEN,
        ErrorKind::NotFound => StatusCode::NOT_FOUND,
        ErrorKind::Conflict => StatusCode::CONFLICT,
        ErrorKind::NotModified => StatusCode::NOT_MODIFIED,
        ErrorKind::System => StatusCode::INTERNAL_SERVER_ERROR,
        ErrorKind::NotImplemented => StatusCode::NOT_IMPLEMENTED,
        ErrorKind::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        // The client is gone; whoever still reads along sees what dockerd
        // answers for a cancelled context.
        ErrorKind::Cancelled => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

/// An answer of `status` with Docker's error body.
pub(crate) fn respond(status: StatusCode, message: &str) -> Response {
    if status == StatusCode::NOT_MODIFIED {
        return answer::empty(status);
    }
    answer::json_with(status, &json!({ "message": message }))
}

/// What dockerd answers for a path or a method it does not know.
pub(crate) fn page_not_found() -> Response {
    respond(StatusCode::NOT_FOUND, "page not found")
}
