//! `/volumes/…`.

use std::sync::Arc;

use axum::Router;
use axum::routing::{get, post};
use dhow_local::Error;
use dhow_local::query_parameters::{ListVolumesOptions, PruneVolumesOptions, RemoveVolumeOptions};
use dhow_model::ErrorKind;
use http::StatusCode;

use crate::answer::{self, Answer};
use crate::call::{App, Call};

pub(super) fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/volumes", get(list))
        .route("/volumes/create", post(create))
        .route("/volumes/prune", post(prune))
        .route("/volumes/{name}", get(inspect).delete(remove).put(update))
}

async fn list(call: Call) -> Answer {
    let options = ListVolumesOptions {
        filters: call.query.filters()?,
    };
    answer::json(&call.engine().list_volumes(Some(options)).await?)
}

async fn create(call: Call) -> Answer {
    let app = Arc::clone(&call.app);
    let config = call.json().await?.unwrap_or_default();
    let volume = app.engine.create_volume(config).await?;
    answer::json_status(StatusCode::CREATED, &volume)
}

async fn inspect(call: Call) -> Answer {
    answer::json(&call.engine().inspect_volume(call.param("name")).await?)
}

async fn remove(call: Call) -> Answer {
    let options = RemoveVolumeOptions {
        force: call.query.bool("force"),
    };
    let name = call.param("name");
    call.engine().remove_volume(name, Some(options)).await?;
    answer::no_content()
}

/// Only cluster volumes, swarm's, can be updated.
async fn update(_call: Call) -> Answer {
    let message = "this node is not a swarm manager: cluster volumes cannot be updated here";
    Err(Error::new(ErrorKind::Unavailable, message).into())
}

async fn prune(call: Call) -> Answer {
    let options = PruneVolumesOptions {
        filters: call.query.filters()?,
    };
    answer::json(&call.engine().prune_volumes(Some(options)).await?)
}
