//! A container's life: start to removal, and waiting for its end.

use axum::body::Body;
use bytes::Bytes;
use dhow_local::Error;
use dhow_local::query_parameters::{
    KillContainerOptions, PruneContainersOptions, RemoveContainerOptions, RenameContainerOptions,
    ResizeContainerTTYOptions, RestartContainerOptions, StartContainerOptions,
    StopContainerOptions, WaitContainerOptions,
};
use futures_util::StreamExt;
use futures_util::stream;
use http::StatusCode;
use serde_json::json;

use super::size;
use crate::answer::{self, Answer};
use crate::call::Call;

pub(super) async fn start(call: Call) -> Answer {
    let options = StartContainerOptions {
        detach_keys: call.query.some("detachKeys"),
    };
    let id = call.param("id");
    call.engine().start_container(id, Some(options)).await?;
    answer::no_content()
}

pub(super) async fn stop(call: Call) -> Answer {
    let options = StopContainerOptions {
        signal: signal(&call),
        t: call.query.number("t")?,
    };
    let id = call.param("id");
    call.engine().stop_container(id, Some(options)).await?;
    answer::no_content()
}

pub(super) async fn restart(call: Call) -> Answer {
    let options = RestartContainerOptions {
        signal: signal(&call),
        t: call.query.number("t")?,
    };
    let id = call.param("id");
    call.engine().restart_container(id, Some(options)).await?;
    answer::no_content()
}

/// Stop signals per request came with 1.42.
fn signal(call: &Call) -> Option<String> {
    call.query
        .some("signal")
        .filter(|_| call.version.at_least(42))
}

pub(super) async fn kill(call: Call) -> Answer {
    let options = KillContainerOptions {
        signal: call
            .query
            .some("signal")
            .unwrap_or_else(|| "SIGKILL".to_owned()),
    };
    let id = call.param("id");
    call.engine().kill_container(id, Some(options)).await?;
    answer::no_content()
}

pub(super) async fn pause(call: Call) -> Answer {
    call.engine().pause_container(call.param("id")).await?;
    answer::no_content()
}

pub(super) async fn unpause(call: Call) -> Answer {
    call.engine().unpause_container(call.param("id")).await?;
    answer::no_content()
}

pub(super) async fn rename(call: Call) -> Answer {
    let options = RenameContainerOptions {
        name: call.query.text("name"),
    };
    let id = call.param("id");
    call.engine().rename_container(id, options).await?;
    answer::no_content()
}

pub(super) async fn resize(call: Call) -> Answer {
    let (h, w) = size(&call)?;
    let options = ResizeContainerTTYOptions { h, w };
    let id = call.param("id");
    call.engine().resize_container_tty(id, options).await?;
    Ok(answer::empty(StatusCode::OK))
}

/// The head is sent at once, so that a client knows it is being waited for it
/// before it starts the container.
pub(super) async fn wait(call: Call) -> Answer {
    let options = WaitContainerOptions {
        // Conditions came with 1.30.
        condition: call
            .query
            .some("condition")
            .filter(|_| call.version.at_least(30))
            .unwrap_or_else(|| "not-running".to_owned()),
    };
    let id = call.param("id");
    let ended = call.engine().wait_container(id, Some(options)).await?;
    let body = stream::once(async move {
        let value = match ended.await {
            Ok(result) => answer::to_value(&result)?,
            Err(error) => json!({ "StatusCode": -1, "Error": { "Message": error.to_string() } }),
        };
        Ok::<_, Error>(Bytes::from(format!("{value}\n")))
    });
    let body = body.take_until(call.app.closing.clone().cancelled_owned());
    Ok(answer::typed(
        StatusCode::OK,
        "application/json",
        Body::from_stream(body),
    ))
}

pub(super) async fn remove(call: Call) -> Answer {
    let id = call.param("id").to_owned();
    remove_named(call, &id).await
}

/// A container may bear a name that is a path of the API as well.
pub(super) async fn remove_json(call: Call) -> Answer {
    remove_named(call, "json").await
}

pub(super) async fn remove_create(call: Call) -> Answer {
    remove_named(call, "create").await
}

pub(super) async fn remove_prune(call: Call) -> Answer {
    remove_named(call, "prune").await
}

async fn remove_named(call: Call, id: &str) -> Answer {
    let options = RemoveContainerOptions {
        v: call.query.bool("v"),
        force: call.query.bool("force"),
        link: call.query.bool("link"),
    };
    call.engine().remove_container(id, Some(options)).await?;
    answer::no_content()
}

pub(super) async fn prune(call: Call) -> Answer {
    let options = PruneContainersOptions {
        filters: call.query.filters()?,
    };
    answer::json(&call.engine().prune_containers(Some(options)).await?)
}
