//! The engine about itself: `/_ping`, `/version`, `/info`, `/auth`, `/events`,
//! `/system/df`.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::response::Response;
use axum::routing::{get, head, post};
use dhow_local::images::AuthConfig;
use dhow_local::models::{SystemVersion, SystemVersionComponents, SystemVersionPlatform};
use dhow_local::query_parameters::{DataUsageOptions, EventsOptions};
use futures_util::{StreamExt, TryStreamExt};
use http::header::{CACHE_CONTROL, PRAGMA};
use http::{HeaderName, HeaderValue, StatusCode};

use crate::answer::{self, Answer, Form};
use crate::call::{App, Call};
use crate::compat::response;
use crate::version::{NEWEST, OLDEST};

pub(super) fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/_ping", head(ping).get(ping))
        .route("/version", get(version))
        .route("/info", get(info))
        .route("/auth", post(auth))
        .route("/events", get(events))
        .route("/system/df", get(disk_usage))
}

async fn ping(call: Call) -> Response {
    let mut response = if call.method == http::Method::HEAD {
        answer::empty(StatusCode::OK)
    } else {
        answer::typed(
            StatusCode::OK,
            "text/plain; charset=utf-8",
            Body::from("OK"),
        )
    };
    let headers = response.headers_mut();
    headers.insert(
        CACHE_CONTROL,
        HeaderValue::from_static("no-cache, no-store, must-revalidate"),
    );
    headers.insert(PRAGMA, HeaderValue::from_static("no-cache"));
    // The classic builder's protocol: the client sends a context to /build.
    headers.insert(
        HeaderName::from_static("builder-version"),
        HeaderValue::from_static("1"),
    );
    headers.insert(
        HeaderName::from_static("swarm"),
        HeaderValue::from_static("inactive"),
    );
    response
}

async fn version(_call: Call) -> Answer {
    let own = env!("CARGO_PKG_VERSION").to_owned();
    let commit = env!("DHOW_COMMIT").to_owned();
    let built = env!("DHOW_BUILD_TIME").to_owned();
    // Where Docker's names the Go that it was built with.
    let compiler = env!("DHOW_COMPILER").to_owned();
    let kernel = std::fs::read_to_string("/proc/sys/kernel/osrelease")?;
    let kernel = kernel.trim_end().to_owned();
    let arch = go_arch().to_owned();
    let (newest, oldest) = (NEWEST.to_string(), OLDEST.to_string());
    // Clients print these, the last two among them.
    let details = [
        ("ApiVersion", newest.clone()),
        ("Arch", arch.clone()),
        ("BuildTime", built.clone()),
        ("GitCommit", commit.clone()),
        ("KernelVersion", kernel.clone()),
        ("MinAPIVersion", oldest.clone()),
        ("Os", "linux".to_owned()),
        ("Experimental", "false".to_owned()),
        ("GoVersion", compiler.clone()),
    ];
    let details = details
        .into_iter()
        .map(|(k, v)| (k.to_owned(), v))
        .collect();
    answer::json(&SystemVersion {
        platform: Some(SystemVersionPlatform {
            name: "Dhow".to_owned(),
        }),
        components: Some(vec![SystemVersionComponents {
            name: "Engine".to_owned(),
            version: own.clone(),
            details: Some(details),
        }]),
        version: Some(own),
        api_version: Some(newest),
        min_api_version: Some(oldest),
        git_commit: Some(commit),
        go_version: Some(compiler),
        os: Some("linux".to_owned()),
        arch: Some(arch),
        kernel_version: Some(kernel),
        experimental: None,
        build_time: Some(built),
    })
}

async fn info(call: Call) -> Answer {
    answer::json(&call.engine().info().await?)
}

async fn auth(call: Call) -> Answer {
    let app = Arc::clone(&call.app);
    let config: AuthConfig = call.json().await?.unwrap_or_default();
    answer::json(&app.engine.auth(config).await?)
}

async fn events(call: Call) -> Answer {
    let options = EventsOptions {
        since: call.query.some("since"),
        until: call.query.some("until"),
        filters: call.query.filters()?,
    };
    let version = call.version;
    let events = call.engine().events(Some(options)).await?;
    let events = events
        .and_then(|event| async move { answer::to_value(&event) })
        .map_ok(move |event| response::event(event, version))
        .boxed();
    let form = Form::accepted(&call.headers, call.version);
    Ok(answer::objects(events, form, &call.app.closing))
}

async fn disk_usage(call: Call) -> Answer {
    let options = DataUsageOptions {
        _type: call.query.list("type"),
        // Before 1.52 the lists were the whole answer.
        verbose: call.query.bool("verbose") || !call.version.at_least(52),
    };
    let usage = call.engine().df(Some(options)).await?;
    answer::tree(response::disk_usage(
        answer::to_value(&usage)?,
        call.version,
    ))
}

/// Go's name for this processor, which is what Docker's clients know.
fn go_arch() -> &'static str {
    match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        "x86" => "386",
        "powerpc64" => "ppc64le",
        other => other,
    }
}
