//! The table of paths. One module a resource; each handler takes a
//! [`Call`](crate::call::Call) and returns an [`Answer`](crate::answer::Answer).

mod build;
mod containers;
mod dhow;
mod exec;
mod images;
mod networks;
mod plugins;
mod swarm;
mod system;
mod volumes;

use std::sync::Arc;

use axum::Router;
use axum::response::Response;

use crate::call::App;
use crate::failure;

/// All routes of the API, without version prefix.
pub(crate) fn router() -> Router<Arc<App>> {
    Router::new()
        .merge(system::routes())
        .merge(containers::routes())
        .merge(exec::routes())
        .merge(images::routes())
        .merge(volumes::routes())
        .merge(networks::routes())
        .merge(build::routes())
        .merge(plugins::routes())
        .merge(swarm::routes())
        .merge(dhow::routes())
        .fallback(page_not_found)
        .method_not_allowed_fallback(page_not_found)
}

async fn page_not_found() -> Response {
    failure::page_not_found()
}
