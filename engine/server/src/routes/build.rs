//! `/build` and `/session`: not offered yet, and told so. What is said of the
//! cache of builds is true all the same: there is none.

use std::sync::Arc;

use axum::Router;
use axum::routing::post;
use dhow_local::Error;
use dhow_local::models::BuildPruneResponse;
use dhow_model::ErrorKind;

use crate::answer::{self, Answer};
use crate::call::{App, Call};

pub(super) fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/build", post(unavailable))
        .route("/build/prune", post(prune))
        .route("/build/cancel", post(unavailable))
        .route("/session", post(unavailable))
        .route("/grpc", post(unavailable))
}

async fn unavailable(call: Call) -> Answer {
    let message =
        "this engine cannot build images yet; build elsewhere and pull or load the result";
    let refused = Err(Error::new(ErrorKind::NotImplemented, message));
    // A client that cannot send its context to the end sees no answer.
    Ok(call.upload().settle(refused).await?)
}

/// `docker system prune` asks for this as well.
async fn prune(_call: Call) -> Answer {
    answer::json(&BuildPruneResponse {
        caches_deleted: None,
        space_reclaimed: Some(0),
    })
}
