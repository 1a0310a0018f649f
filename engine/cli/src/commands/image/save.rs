//! `save`: writes images as an archive.

use std::io::{self, Write};
use std::path::Path;

use clap::Args;
use dhow_client::{Request, Response};
use futures_util::StreamExt;

use crate::commands::inspect::platform_json;
use crate::failure::{Failure, path_error};
use crate::output;
use crate::session::Session;

/// Write images as a tar archive
#[derive(Args)]
pub struct Arguments {
    /// Write to this file instead of standard output
    #[arg(short, long, default_value = "")]
    output: String,
    /// Write only this platform (os/architecture)
    #[arg(long)]
    platform: Option<String>,
    #[arg(required = true, value_name = "IMAGE [IMAGE...]")]
    images: Vec<String>,
}

/// Runs it.
pub async fn run(arguments: Arguments, session: &Session) -> Result<i32, Failure> {
    if arguments.output.is_empty() && output::to_terminal() {
        return Err(Failure::message(
            "cowardly refusing to save to a terminal. Use the -o flag or redirect",
        ));
    }
    if !arguments.output.is_empty() {
        check_output(&arguments.output)
            .map_err(|reason| Failure::message(format!("failed to save image: {reason}")))?;
    }
    let platform = arguments
        .platform
        .as_deref()
        .map(platform_json)
        .transpose()?;
    let mut request = Request::get("/images/get").query_if("platform", platform);
    for image in &arguments.images {
        request = request.query("names", image);
    }
    let response = session.client()?.send(request).await?;
    write(response, &arguments.output).await?;
    Ok(0)
}

/// Whether something can be written there.
pub fn check_output(path: &str) -> Result<(), String> {
    let parent = Path::new(path).parent().unwrap_or(Path::new(""));
    if !parent.as_os_str().is_empty()
        && let Err(error) = std::fs::metadata(parent)
    {
        let reason = path_error("stat", &parent.display().to_string(), &error);
        return Err(format!("invalid output path: {reason}"));
    }
    match std::fs::metadata(path) {
        Ok(metadata) if metadata.is_dir() => {
            Err(format!("invalid output path: {path:?} is a directory"))
        }
        _ => Ok(()),
    }
}

/// Writes a body to a file, which appears only when it is whole, or to
/// standard output.
pub async fn write(response: Response, path: &str) -> Result<(), Failure> {
    if path.is_empty() {
        return copy(response, &mut io::stdout().lock()).await;
    }
    let is_special = std::fs::metadata(path).is_ok_and(|metadata| !metadata.is_file());
    if is_special {
        let mut file = std::fs::OpenOptions::new().write(true).open(path)?;
        return copy(response, &mut file).await;
    }
    let target = Path::new(path);
    let name = target.file_name().unwrap_or_default().to_string_lossy();
    let temporary = target.with_file_name(format!(".{name}.{}", std::process::id()));
    let result = async {
        let file = std::fs::File::create(&temporary)?;
        let mut writer = io::BufWriter::with_capacity(1 << 20, file);
        copy(response, &mut writer).await?;
        std::fs::rename(&temporary, target)?;
        Ok(())
    }
    .await;
    if result.is_err() {
        let _ = std::fs::remove_file(&temporary);
    }
    result
}

async fn copy(response: Response, writer: &mut impl Write) -> Result<(), Failure> {
    let mut chunks = response.chunks();
    while let Some(chunk) = chunks.next().await {
        writer.write_all(&chunk?)?;
    }
    writer.flush()?;
    Ok(())
}
