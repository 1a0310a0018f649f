//! Swarm's endpoints, answered as dockerd answers on a node that belongs to no
//! swarm. This engine never joins one.

use std::sync::Arc;

use axum::Router;
use axum::routing::{MethodRouter, any, get, post};
use dhow_local::Error;
use dhow_model::ErrorKind;

use crate::answer::Answer;
use crate::call::{App, Call};
use crate::failure;

pub(super) fn routes() -> Router<Arc<App>> {
    let mut router = Router::new()
        .route("/swarm", get(not_a_manager))
        .route("/swarm/init", post(unsupported))
        .route("/swarm/join", post(unsupported))
        .route("/swarm/leave", post(not_a_member))
        .route("/swarm/update", post(not_a_manager))
        .route("/swarm/unlockkey", get(not_a_manager))
        .route("/swarm/unlock", post(not_a_member));
    for kind in ["nodes", "services", "tasks", "secrets", "configs"] {
        let resource: MethodRouter<Arc<App>> = any(not_a_manager);
        router = router
            .route(&format!("/{kind}"), resource.clone())
            .route(&format!("/{kind}/{{*rest}}"), any(resource_verb));
    }
    router
}

async fn not_a_manager(_call: Call) -> Answer {
    Err(unavailable(
        "This node is not a swarm manager. Use \"docker swarm init\" or \"docker swarm join\" to \
         connect this node to swarm and try again.",
    ))
}

async fn not_a_member(_call: Call) -> Answer {
    Err(unavailable("This node is not part of a swarm"))
}

async fn unsupported(_call: Call) -> Answer {
    let message = "this engine does not take part in swarms";
    Err(Error::new(ErrorKind::NotImplemented, message).into())
}

async fn resource_verb(call: Call) -> Answer {
    let depth = call.param("rest").split('/').count();
    if depth > 2 {
        return Ok(failure::page_not_found());
    }
    not_a_manager(call).await
}

fn unavailable(message: &str) -> failure::Failure {
    Error::new(ErrorKind::Unavailable, message).into()
}
