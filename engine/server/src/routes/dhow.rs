//! What Docker's API has no word for, under `/dhow`: the daemon's own
//! configuration, and how a container ended. [`DESCRIPTION`] says it in OpenAPI's terms.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::response::Response;
use axum::routing::get;
use dhow_local::Error;
use http::StatusCode;

use crate::answer::{self, Answer};
use crate::call::{App, Call};
use crate::configuration::{ConfigChange, Configuration};

/// The description of all paths below `/dhow`.
pub(crate) const DESCRIPTION: &str = include_str!("../../openapi.json");

pub(super) fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/dhow/openapi.json", get(description))
        .route("/dhow/containers/{name}/exit", get(container_exit))
        .route("/dhow/config", get(config).put(change_config))
}

async fn description(_call: Call) -> Response {
    answer::typed(StatusCode::OK, "application/json", Body::from(DESCRIPTION))
}

async fn container_exit(call: Call) -> Answer {
    answer::json(&call.engine().container_exit(call.param("name"))?)
}

async fn config(call: Call) -> Answer {
    let described = on_disk(&call.app, |configuration| configuration.describe()).await?;
    answer::json(&described)
}

async fn change_config(call: Call) -> Answer {
    let app = Arc::clone(&call.app);
    let dry = call.query.bool("dry");
    let change: Option<ConfigChange> = call.json().await?;
    let change = change.ok_or_else(|| Error::invalid("there is no text to be the new file's"))?;
    let outcome = on_disk(&app, move |configuration| configuration.change(change, dry)).await?;
    answer::json(&outcome)
}

/// Runs `work` where waiting for a disk keeps nobody from being served.
async fn on_disk<T: Send + 'static>(
    app: &App,
    work: impl FnOnce(&dyn Configuration) -> Result<T, Error> + Send + 'static,
) -> Result<T, Error> {
    let configuration = app.configuration.clone();
    let configuration =
        configuration.ok_or_else(|| Error::not_found("this engine has no configuration file"))?;
    tokio::task::spawn_blocking(move || work(configuration.as_ref()))
        .await
        .map_err(|error| Error::system(error.to_string()))?
}
