//! `/networks/…`: the built-in networks can be looked at; making others is a
//! later step and refused by name until then.

use std::sync::Arc;

use axum::Router;
use axum::routing::{get, post};
use dhow_local::Error;
use dhow_local::query_parameters::{
    InspectNetworkOptions, ListNetworksOptions, PruneNetworksOptions,
};
use dhow_model::ErrorKind;

use crate::answer::{self, Answer};
use crate::call::{App, Call};

pub(super) fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/networks", get(list))
        .route("/networks/", get(list))
        .route("/networks/create", post(unsupported))
        .route("/networks/prune", post(prune))
        .route("/networks/{id}", get(inspect).delete(remove))
        .route("/networks/{id}/connect", post(unsupported))
        .route("/networks/{id}/disconnect", post(unsupported))
}

async fn list(call: Call) -> Answer {
    let options = ListNetworksOptions {
        filters: call.query.filters()?,
    };
    answer::json(&call.engine().list_networks(Some(options)).await?)
}

async fn inspect(call: Call) -> Answer {
    let options = InspectNetworkOptions {
        verbose: call.query.bool("verbose"),
        scope: call.query.some("scope"),
    };
    let id = call.param("id");
    answer::json(&call.engine().inspect_network(id, Some(options)).await?)
}

/// All networks there are come with the engine.
async fn remove(call: Call) -> Answer {
    let found = call
        .engine()
        .inspect_network(call.param("id"), None)
        .await?;
    let name = found.name.unwrap_or_default();
    let message = format!("{name} is a pre-defined network and cannot be removed");
    Err(Error::new(ErrorKind::Forbidden, message).into())
}

async fn prune(call: Call) -> Answer {
    let options = PruneNetworksOptions {
        filters: call.query.filters()?,
    };
    answer::json(&call.engine().prune_networks(Some(options)).await?)
}

async fn unsupported(call: Call) -> Answer {
    let message = "this engine has only its built-in networks yet: bridge, host and none";
    let refused = Err(Error::new(ErrorKind::NotImplemented, message));
    // A client that cannot send all that it has to say sees no answer.
    Ok(call.upload().settle(refused).await?)
}
