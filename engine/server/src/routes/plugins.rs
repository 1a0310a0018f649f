//! `/plugins`: this engine has none of Docker's managed plugins, and says so
//! the way dockerd answers for a plugin that is not there.

use std::sync::Arc;

use axum::Router;
use axum::routing::{any, get, post};
use dhow_local::Error;
use dhow_model::ErrorKind;

use crate::answer::{self, Answer};
use crate::call::{App, Call};
use crate::failure;

pub(super) fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/plugins", get(list))
        .route("/plugins/privileges", get(unsupported))
        .route("/plugins/pull", post(unsupported))
        .route("/plugins/create", post(unsupported))
        .route("/plugins/{*rest}", any(one))
}

async fn list(_call: Call) -> Answer {
    answer::json::<[(); 0]>(&[])
}

async fn unsupported(_call: Call) -> Answer {
    let message = "this engine does not run Docker's managed plugins";
    Err(Error::new(ErrorKind::NotImplemented, message).into())
}

async fn one(call: Call) -> Answer {
    const VERBS: [(&str, &str); 6] = [
        ("GET", "/json"),
        ("POST", "/enable"),
        ("POST", "/disable"),
        ("POST", "/upgrade"),
        ("POST", "/push"),
        ("POST", "/set"),
    ];
    let (method, rest) = (call.method.as_str(), call.param("rest"));
    let name = match VERBS
        .iter()
        .find(|(m, verb)| *m == method && rest.ends_with(verb))
    {
        Some((_, verb)) => rest.strip_suffix(verb).unwrap_or(rest),
        None if method == "DELETE" => rest,
        None => return Ok(failure::page_not_found()),
    };
    Err(Error::not_found(format!("plugin {name:?} not found")).into())
}
