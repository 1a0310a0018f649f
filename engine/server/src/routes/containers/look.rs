//! Looking at containers: list, inspect, top, changes.

use dhow_local::query_parameters::{InspectContainerOptions, ListContainersOptions, TopOptions};
use serde_json::Value;

use crate::answer::{self, Answer};
use crate::call::Call;
use crate::compat::response;

pub(super) async fn list(call: Call) -> Answer {
    let mut filters = call.query.filters()?;
    // Parameters of old that became filters.
    for key in ["since", "before"] {
        if let Some(value) = call.query.some(key) {
            filters
                .get_or_insert_default()
                .insert(key.to_owned(), vec![value]);
        }
    }
    let options = ListContainersOptions {
        all: call.query.bool("all"),
        limit: call.query.number("limit")?,
        size: call.query.bool("size"),
        filters,
    };
    let list = call.engine().list_containers(Some(options)).await?;
    answer::tree(response::containers(answer::to_value(&list)?, call.version))
}

pub(super) async fn inspect(call: Call) -> Answer {
    let options = InspectContainerOptions {
        size: call.query.bool("size"),
    };
    let id = call.param("id");
    let found = call.engine().inspect_container(id, Some(options)).await?;
    answer::tree(response::container(answer::to_value(&found)?, call.version))
}

pub(super) async fn top(call: Call) -> Answer {
    let options = TopOptions {
        ps_args: call.query.text("ps_args"),
    };
    let id = call.param("id");
    answer::json(&call.engine().top_processes(id, Some(options)).await?)
}

pub(super) async fn changes(call: Call) -> Answer {
    let changes = call.engine().container_changes(call.param("id")).await?;
    let value = match changes {
        Some(changes) => answer::to_value(&changes)?,
        None => Value::Null,
    };
    answer::tree(value)
}
