//! Files in and out of containers: archive (`docker cp`) and export.

use std::sync::Arc;

use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use dhow_local::Error;
use dhow_local::containers::ArchiveStat;
use dhow_local::query_parameters::{DownloadFromContainerOptions, UploadToContainerOptions};
use http::{HeaderName, HeaderValue, StatusCode};

use crate::answer::{self, Answer};
use crate::call::Call;

const TAR: &str = "application/x-tar";

pub(super) async fn stat(call: Call) -> Answer {
    let path = path(&call)?;
    let id = call.param("id");
    let stat = call.engine().get_container_archive_info(id, &path).await?;
    let mut response = answer::empty(StatusCode::OK);
    insert_stat(&mut response, &stat)?;
    Ok(response)
}

pub(super) async fn download(call: Call) -> Answer {
    let options = DownloadFromContainerOptions { path: path(&call)? };
    let id = call.param("id");
    let (stat, stream) = call.engine().download_from_container(id, options).await?;
    let mut response = answer::bytes(TAR, stream, &call.app.closing);
    insert_stat(&mut response, &stat)?;
    Ok(response)
}

pub(super) async fn upload(call: Call) -> Answer {
    let flag = |key: &str| call.query.bool(key).then(|| "true".to_owned());
    let options = UploadToContainerOptions {
        path: path(&call)?,
        no_overwrite_dir_non_dir: flag("noOverwriteDirNonDir"),
        copy_uidgid: flag("copyUIDGID"),
    };
    let (app, id) = (Arc::clone(&call.app), call.param("id").to_owned());
    let upload = call.upload();
    let done = app
        .engine
        .upload_to_container(&id, options, upload.stream())
        .await;
    upload.settle(done).await?;
    Ok(answer::empty(StatusCode::OK))
}

pub(super) async fn export(call: Call) -> Answer {
    let stream = call.engine().export_container(call.param("id")).await?;
    Ok(answer::bytes(
        "application/octet-stream",
        stream,
        &call.app.closing,
    ))
}

fn path(call: &Call) -> Result<String, Error> {
    call.query
        .some("path")
        .ok_or_else(|| Error::invalid("bad parameter: path cannot be empty"))
}

fn insert_stat(response: &mut Response, stat: &ArchiveStat) -> Result<(), Error> {
    let text = STANDARD.encode(serde_json::to_vec(stat)?);
    let value = HeaderValue::from_str(&text).map_err(|e| Error::system(e.to_string()))?;
    let name = HeaderName::from_static("x-docker-container-path-stat");
    response.headers_mut().insert(name, value);
    Ok(())
}
