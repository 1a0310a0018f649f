//! `POST /containers/{id}/resize`.

use bollard_stubs::query_parameters::ResizeContainerTTYOptions;
use dhow_model::lifecycle::Request;
use dhow_runtime::protocol::Console;

use crate::{Error, LocalEngine, Result};

impl LocalEngine {
    /// Resizes the container's terminal.
    pub async fn resize_container_tty(
        &self,
        name: &str,
        options: ResizeContainerTTYOptions,
    ) -> Result<()> {
        let size = console(options.w, options.h)?;
        let container = self.shared.containers.find(name)?;
        container
            .status()
            .permits(Request::Resize, container.id.as_str())
            .map_err(Error::of)?;
        container.running_shim()?.resize(None, size).await?;
        let (height, width) = (size.height.to_string(), size.width.to_string());
        self.container_event(
            &container,
            "resize",
            &[("height", &height), ("width", &width)],
        );
        Ok(())
    }
}

/// A terminal size out of the query's numbers.
pub(super) fn console(width: i32, height: i32) -> Result<Console> {
    let dimension = |name: &str, value: i32| {
        u16::try_from(value).map_err(|_| {
            Error::invalid(format!(
                "invalid resize {name} {value:?}: value out of range"
            ))
        })
    };
    Ok(Console {
        width: dimension("width", width)?,
        height: dimension("height", height)?,
    })
}
