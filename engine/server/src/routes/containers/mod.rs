//! `/containers/…` and `/commit`.

mod archive;
mod attach;
mod create;
mod lifecycle;
mod look;
mod output;

use std::sync::Arc;

use axum::Router;
use axum::routing::{delete, get, head, post};
use dhow_local::Error;

use crate::call::{App, Call};

pub(super) fn routes() -> Router<Arc<App>> {
    Router::new()
        .route(
            "/containers/json",
            get(look::list).delete(lifecycle::remove_json),
        )
        .route(
            "/containers/create",
            post(create::create).delete(lifecycle::remove_create),
        )
        .route(
            "/containers/prune",
            post(lifecycle::prune).delete(lifecycle::remove_prune),
        )
        .route("/containers/{id}", delete(lifecycle::remove))
        .route("/containers/{id}/json", get(look::inspect))
        .route("/containers/{id}/top", get(look::top))
        .route("/containers/{id}/changes", get(look::changes))
        .route("/containers/{id}/stats", get(output::stats))
        .route("/containers/{id}/logs", get(output::logs))
        .route("/containers/{id}/export", get(archive::export))
        .route(
            "/containers/{id}/archive",
            head(archive::stat)
                .get(archive::download)
                .put(archive::upload),
        )
        .route("/containers/{id}/attach", post(attach::attach))
        .route("/containers/{id}/attach/ws", get(attach::attach_websocket))
        .route("/containers/{id}/resize", post(lifecycle::resize))
        .route("/containers/{id}/start", post(lifecycle::start))
        .route("/containers/{id}/stop", post(lifecycle::stop))
        .route("/containers/{id}/restart", post(lifecycle::restart))
        .route("/containers/{id}/kill", post(lifecycle::kill))
        .route("/containers/{id}/pause", post(lifecycle::pause))
        .route("/containers/{id}/unpause", post(lifecycle::unpause))
        .route("/containers/{id}/wait", post(lifecycle::wait))
        .route("/containers/{id}/rename", post(lifecycle::rename))
        .route("/containers/{id}/update", post(create::update))
        .route("/commit", post(create::commit))
}

/// The height and width of a terminal, both required.
pub(super) fn size(call: &Call) -> Result<(i32, i32), Error> {
    let read = |key: &str, name: &str| {
        let text = call.query.text(key);
        text.parse::<u16>().map(i32::from).map_err(|_| {
            Error::invalid(format!(
                "invalid resize {name} {text:?}: not a number of characters"
            ))
        })
    };
    Ok((read("h", "height")?, read("w", "width")?))
}
