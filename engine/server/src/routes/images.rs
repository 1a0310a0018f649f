//! `/images/…` and `/distribution/…`. Image names contain slashes, and a route
//! can only catch "the rest" at its end; so the verb behind the name is found
//! here.

use std::sync::Arc;

use axum::Router;
use axum::routing::any;
use dhow_local::Error;
use dhow_local::query_parameters::{
    CreateImageOptions, ExportImagesOptions, ImageHistoryOptions, ImportImageOptions,
    InspectImageOptions, ListImagesOptions, PruneImagesOptions, PushImageOptions,
    RemoveImageOptions, SearchImagesOptions, TagImageOptions,
};
use dhow_model::ErrorKind;
use http::StatusCode;

use crate::answer::{self, Answer, Form};
use crate::call::{App, Call};
use crate::compat::response;
use crate::failure;

pub(super) fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/images/{*rest}", any(dispatch))
        .route("/distribution/{*rest}", any(distribution))
}

async fn dispatch(call: Call) -> Answer {
    let rest = call.param("rest").to_owned();
    match (call.method.as_str(), rest.as_str()) {
        ("GET", "json") => return list(call).await,
        ("GET", "get") => return export(call, None).await,
        ("GET", "search") => return search(call).await,
        ("POST", "create") => return create(call).await,
        ("POST", "load") => return load(call).await,
        ("POST", "prune") => return prune(call).await,
        ("DELETE", name) => return remove(call, name).await,
        _ => {}
    }
    let Some((name, verb)) = rest.rsplit_once('/') else {
        return Ok(failure::page_not_found());
    };
    match (call.method.as_str(), verb) {
        ("GET", "json") => inspect(call, name).await,
        ("GET", "history") => history(call, name).await,
        ("GET", "get") => export(call, Some(name)).await,
        ("GET", "attestations") if call.version.at_least(55) => attestations(call, name).await,
        ("POST", "push") => push(call, name).await,
        ("POST", "tag") => tag(call, name).await,
        _ => Ok(failure::page_not_found()),
    }
}

async fn list(call: Call) -> Answer {
    let query = &call.query;
    let mut filters = query.filters()?;
    // A parameter of old that became a filter.
    if let Some(reference) = query.some("filter") {
        filters
            .get_or_insert_default()
            .insert("reference".to_owned(), vec![reference]);
    }
    let options = ListImagesOptions {
        all: query.bool("all"),
        filters,
        shared_size: call.version.at_least(42) && query.bool("shared-size"),
        digests: query.bool("digests"),
        manifests: call.version.at_least(47) && query.bool("manifests"),
    };
    let list = call.engine().list_images(Some(options)).await?;
    answer::tree(response::images(answer::to_value(&list)?, call.version))
}

/// A pull, or an import of the body.
async fn create(call: Call) -> Answer {
    let query = &call.query;
    let options = CreateImageOptions {
        from_image: query.some("fromImage"),
        from_src: query.some("fromSrc"),
        repo: query.some("repo"),
        tag: query.some("tag"),
        message: query.some("message"),
        changes: query.all("changes").map(str::to_owned).collect(),
        platform: query.text("platform"),
    };
    let app = Arc::clone(&call.app);
    let progress = if options.from_image.is_some() {
        let auth = call.registry_auth();
        app.engine.create_image(options, auth).await?
    } else if options.from_src.is_some() {
        let upload = call.upload();
        let imported = app.engine.import_archive(options, upload.stream()).await;
        upload.settle(imported).await?
    } else {
        return Err(
            Error::invalid("neither an image to pull nor a source to import was named").into(),
        );
    };
    Ok(answer::objects(progress, Form::PROGRESS, &app.closing))
}

async fn load(call: Call) -> Answer {
    let quiet = call.query.bool_or("quiet", true);
    let options = ImportImageOptions {
        quiet,
        platform: call.query.list("platform"),
    };
    let app = Arc::clone(&call.app);
    let upload = call.upload();
    let loaded = app
        .engine
        .import_image(options, quiet, upload.stream())
        .await;
    let progress = upload.settle(loaded).await?;
    Ok(answer::objects(progress, Form::PROGRESS, &app.closing))
}

async fn push(call: Call, name: &str) -> Answer {
    let options = PushImageOptions {
        tag: call.query.some("tag"),
        platform: call
            .query
            .some("platform")
            .filter(|_| call.version.at_least(46)),
    };
    let auth = call.registry_auth();
    let progress = call.engine().push_image(name, options, auth).await?;
    Ok(answer::objects(progress, Form::PROGRESS, &call.app.closing))
}

async fn export(call: Call, name: Option<&str>) -> Answer {
    let options = ExportImagesOptions {
        names: match name {
            Some(name) => Some(vec![name.to_owned()]),
            None => call.query.list("names"),
        },
        platform: call.query.list("platform"),
    };
    let archive = call.engine().export_images(options).await?;
    Ok(answer::bytes(
        "application/x-tar",
        archive,
        &call.app.closing,
    ))
}

async fn inspect(call: Call, name: &str) -> Answer {
    let options = InspectImageOptions {
        manifests: call.version.at_least(48) && call.query.bool("manifests"),
        platform: call
            .query
            .some("platform")
            .filter(|_| call.version.at_least(49)),
    };
    let image = call.engine().inspect_image(name, Some(options)).await?;
    answer::tree(response::image(answer::to_value(&image)?, call.version))
}

async fn history(call: Call, name: &str) -> Answer {
    let options = ImageHistoryOptions {
        platform: call
            .query
            .some("platform")
            .filter(|_| call.version.at_least(48)),
    };
    answer::json(&call.engine().image_history(name, Some(options)).await?)
}

/// The store keeps images, not what others attest of them.
async fn attestations(call: Call, name: &str) -> Answer {
    call.engine().inspect_image(name, None).await?;
    let message = "this engine's image store does not keep attestations";
    Err(Error::new(ErrorKind::NotImplemented, message).into())
}

async fn tag(call: Call, name: &str) -> Answer {
    let options = TagImageOptions {
        repo: call.query.some("repo"),
        tag: call.query.some("tag"),
    };
    call.engine().tag_image(name, options).await?;
    Ok(answer::empty(StatusCode::CREATED))
}

async fn remove(call: Call, name: &str) -> Answer {
    let options = RemoveImageOptions {
        force: call.query.bool("force"),
        noprune: call.query.bool("noprune"),
        platforms: call
            .query
            .list("platforms")
            .filter(|_| call.version.at_least(50)),
    };
    answer::json(&call.engine().remove_image(name, Some(options)).await?)
}

async fn prune(call: Call) -> Answer {
    let options = PruneImagesOptions {
        filters: call.query.filters()?,
    };
    answer::json(&call.engine().prune_images(Some(options)).await?)
}

async fn search(call: Call) -> Answer {
    let options = SearchImagesOptions {
        term: call.query.text("term"),
        limit: call.query.number("limit")?,
        filters: call.query.filters()?,
    };
    let auth = call.registry_auth();
    answer::json(&call.engine().search_images(options, auth).await?)
}

async fn distribution(call: Call) -> Answer {
    let rest = call.param("rest").to_owned();
    match rest.strip_suffix("/json") {
        Some(name) if call.method == http::Method::GET && call.version.at_least(30) => {
            let auth = call.registry_auth();
            answer::json(&call.engine().inspect_registry_image(name, auth).await?)
        }
        _ => Ok(failure::page_not_found()),
    }
}
