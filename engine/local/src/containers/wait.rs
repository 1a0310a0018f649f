//! `POST /containers/{id}/wait`.

use bollard_stubs::models::{ContainerWaitExitError, ContainerWaitResponse};
use bollard_stubs::query_parameters::WaitContainerOptions;

use super::WaitResult;
use super::container::Moment;
use crate::{Error, LocalEngine, Result};

impl LocalEngine {
    /// Errors (unknown container, bad condition) come from the call; the
    /// returned future ends when the condition holds. Send the response's
    /// headers before awaiting it, as dockerd does: a client starts the
    /// container only after it has seen them.
    pub async fn wait_container(
        &self,
        name: &str,
        options: Option<WaitContainerOptions>,
    ) -> Result<WaitResult> {
        let container = self.shared.containers.find(name)?;
        let mut changes = container.watch();
        let exits = changes.borrow().exits;
        let condition = options.map(|o| o.condition).unwrap_or_default();
        let holds: Box<dyn Fn(&Moment) -> bool + Send + Sync> = match condition.as_str() {
            // One that its policy starts again is up all the time; its exits
            // count as well.
            "" | "not-running" => Box::new(move |m| !m.up || m.exits > exits),
            "next-exit" => Box::new(move |m| m.exits > exits || m.removed),
            "removed" => Box::new(|m| m.removed || m.error.is_some()),
            other => return Err(Error::invalid(format!("invalid condition: {other:?}"))),
        };
        Ok(Box::pin(async move {
            // The sender lives in the container, which this future keeps.
            let moment = changes
                .wait_for(|m| holds(m))
                .await
                .map(|m| m.clone())
                .map_err(|_| Error::system("the container is gone"))?;
            drop(container);
            Ok(ContainerWaitResponse {
                status_code: moment.exit_code,
                error: moment.error.map(|message| ContainerWaitExitError {
                    message: Some(message),
                }),
            })
        }))
    }
}
