//! Making and changing containers, and images of them: create, update, commit.

use std::sync::Arc;

use dhow_local::Error;
use dhow_local::models::ContainerConfig;
use dhow_local::query_parameters::{CommitContainerOptions, CreateContainerOptions};
use http::StatusCode;
use serde_json::{Value, json};

use crate::answer::{self, Answer};
use crate::call::{self, Call};
use crate::compat::request;

pub(super) async fn create(call: Call) -> Answer {
    let options = CreateContainerOptions {
        name: call.query.some("name"),
        platform: if call.version.at_least(41) {
            call.query.text("platform")
        } else {
            String::new()
        },
    };
    let (app, version) = (Arc::clone(&call.app), call.version);
    let body = call.json_value().await?.unwrap_or(Value::Null);
    let body = call::from_value(request::create(body, version)?)?;
    let created = app.engine.create_container(Some(options), body).await?;
    answer::json_status(StatusCode::CREATED, &created)
}

pub(super) async fn update(call: Call) -> Answer {
    let (app, id) = (Arc::clone(&call.app), call.param("id").to_owned());
    let body = call.json_value().await?.unwrap_or_else(|| json!({}));
    let body = call::from_value(request::update(body)?)?;
    answer::json(&app.engine.update_container(&id, body).await?)
}

pub(super) async fn commit(call: Call) -> Answer {
    let query = &call.query;
    let changes: Vec<&str> = query.all("changes").collect();
    let options = CommitContainerOptions {
        container: query.some("container"),
        repo: query.some("repo"),
        tag: query.some("tag"),
        comment: query.some("comment"),
        author: query.some("author"),
        pause: query.bool_or("pause", true),
        changes: (!changes.is_empty()).then(|| changes.join("\n")),
    };
    let app = Arc::clone(&call.app);
    let config: ContainerConfig = match call.json_value().await? {
        None | Some(Value::Null) => ContainerConfig::default(),
        Some(body) => call::from_value(request::loose(body)?)?,
    };
    if options.container.is_none() {
        return Err(Error::invalid("no container to commit was named").into());
    }
    let image = app.engine.commit_container(options, config).await?;
    answer::json_status(StatusCode::CREATED, &json!({ "Id": image.id }))
}
