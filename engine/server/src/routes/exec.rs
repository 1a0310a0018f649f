//! `/containers/{id}/exec` and `/exec/…`.

use std::sync::Arc;

use axum::Router;
use axum::routing::{get, post};
use dhow_local::Error;
use dhow_local::models::{ExecConfig, ExecStartConfig};
use dhow_local::query_parameters::ResizeExecOptions;
use http::StatusCode;
use serde_json::json;

use crate::answer::{self, Answer};
use crate::call::{self, App, Call};
use crate::compat::request;
use crate::hijack::{self, Head};
use crate::routes::containers::size;

pub(super) fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/containers/{id}/exec", post(create))
        .route("/exec/{id}/start", post(start))
        .route("/exec/{id}/json", get(inspect))
        .route("/exec/{id}/resize", post(resize))
}

async fn create(call: Call) -> Answer {
    let (app, version, id) = (
        Arc::clone(&call.app),
        call.version,
        call.param("id").to_owned(),
    );
    let body = call.json_value().await?.unwrap_or_else(|| json!({}));
    let mut config: ExecConfig = call::from_value(request::loose(body)?)?;
    if config.cmd.as_ref().is_none_or(Vec::is_empty) {
        return Err(Error::invalid("No exec command specified").into());
    }
    if !version.at_least(42) {
        config.console_size = None;
    }
    let created = app.engine.create_exec(&id, config).await?;
    answer::json_status(StatusCode::CREATED, &json!({ "Id": created.id }))
}

async fn start(call: Call) -> Answer {
    let (app, id) = (Arc::clone(&call.app), call.param("id").to_owned());
    let (version, headers) = (call.version, call.headers.clone());
    let mut config: ExecStartConfig = call.json().await?.unwrap_or_default();
    if !version.at_least(42) {
        config.console_size = None;
    }
    match app.engine.start_exec(&id, config).await? {
        None => Ok(answer::empty(StatusCode::OK)),
        Some(stream) => {
            let head = Head::choose(&headers, version.at_least(42), stream.multiplexed);
            Ok(hijack::join(head, stream))
        }
    }
}

async fn inspect(call: Call) -> Answer {
    answer::json(&call.engine().inspect_exec(call.param("id")).await?)
}

async fn resize(call: Call) -> Answer {
    let (h, w) = size(&call)?;
    let options = ResizeExecOptions { h, w };
    call.engine().resize_exec(call.param("id"), options).await?;
    Ok(answer::empty(StatusCode::OK))
}
