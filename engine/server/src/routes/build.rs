//! `/build` and `/session`: not offered yet, and told so.

use std::sync::Arc;

use axum::Router;
use axum::routing::post;
use dhow_local::Error;
use dhow_model::ErrorKind;

use crate::answer::Answer;
use crate::call::{App, Call};

pub(super) fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/build", post(unavailable))
        .route("/build/prune", post(unavailable))
        .route("/build/cancel", post(unavailable))
        .route("/session", post(unavailable))
        .route("/grpc", post(unavailable))
}

async fn unavailable(_call: Call) -> Answer {
    let message =
        "this engine cannot build images yet; build elsewhere and pull or load the result";
    Err(Error::new(ErrorKind::NotImplemented, message).into())
}
