//! `POST /containers/{id}/attach`: the client's own socket goes to the shim,
//! at once where the container runs, at the start where it does not yet.

use std::os::fd::OwnedFd;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use dhow_model::lifecycle::Request;
use dhow_runtime::protocol::Attach;
use tokio::io::AsyncWriteExt;
use tokio::sync::watch;

use super::container::Container;
use super::{AttachOptions, LogsQuery, PreparedStream, detach};
use crate::{ClientSocket, Error, LocalEngine, Result};

/// How long a start waits for a client that was answered its upgrade but is
/// not connected yet.
const PATIENCE: Duration = Duration::from_secs(5);

/// How far the head of an answer is ahead of a replayed log.
const HEAD_START: Duration = Duration::from_millis(5);

/// Clients of a container that does not run yet.
pub(crate) struct Attachments {
    waiting: Mutex<Vec<(Attach, OwnedFd)>>,
    /// How many are reserved and not connected.
    reserved: watch::Sender<usize>,
}

impl Default for Attachments {
    fn default() -> Self {
        Self {
            waiting: Mutex::default(),
            reserved: watch::Sender::new(0),
        }
    }
}

/// A client that will connect, or not.
struct Reservation(Arc<Container>);

impl Reservation {
    fn new(container: &Arc<Container>) -> Self {
        container.attachments.reserved.send_modify(|n| *n += 1);
        Self(Arc::clone(container))
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        self.0.attachments.reserved.send_modify(|n| *n -= 1);
    }
}

impl Attachments {
    /// The clients that are there, once all that were promised have come.
    pub async fn take(&self) -> Vec<(Attach, OwnedFd)> {
        let mut reserved = self.reserved.subscribe();
        let all_there = reserved.wait_for(|n| *n == 0);
        let _some_never_come = tokio::time::timeout(PATIENCE, all_there).await;
        std::mem::take(&mut *self.lock())
    }

    fn lock(&self) -> MutexGuard<'_, Vec<(Attach, OwnedFd)>> {
        self.waiting.lock().unwrap_or_else(|p| p.into_inner())
    }
}

impl LocalEngine {
    /// Checks the container and reserves the attachment; connect the client
    /// with [`PreparedStream::connect`] after the upgrade was answered.
    pub async fn attach_container(
        &self,
        name: &str,
        options: AttachOptions,
    ) -> Result<PreparedStream> {
        let keys = detach::parse(options.detach_keys.as_deref())?;
        let container = self.shared.containers.find(name)?;
        container
            .status()
            .permits(Request::Attach, container.id.as_str())
            .map_err(Error::of)?;
        let (tty, open_stdin) = container.read(|r| (r.tty(), r.config.open_stdin == Some(true)));
        let reservation = Reservation::new(&container);
        let engine = self.clone();
        let attach = Attach {
            exec: None,
            stdin: options.stdin && open_stdin,
            stdout: options.stdout,
            stderr: options.stderr,
            detach_keys: if tty { keys } else { Vec::new() },
            early_input: Vec::new(),
            framed: None,
        };
        Ok(PreparedStream::new(!tty, move |client| {
            Box::pin(async move {
                engine.join(&container, attach, &options, client).await?;
                engine.container_event(&container, "attach", &[]);
                drop(reservation);
                Ok(())
            })
        }))
    }

    async fn join(
        &self,
        container: &Arc<Container>,
        mut attach: Attach,
        options: &AttachOptions,
        client: ClientSocket,
    ) -> Result<()> {
        let mut socket = client.socket;
        if options.logs {
            let query = LogsQuery {
                stdout: options.stdout,
                stderr: options.stderr,
                ..LogsQuery::default()
            };
            socket = self.replay(container, query, socket).await?;
        }
        if !options.stream {
            return Ok(());
        }
        attach.early_input = client.early.to_vec();
        let shim = container.shim_slot().clone();
        match shim {
            Some(shim) => shim.attach(attach, socket).await,
            None => {
                container.attachments.lock().push((attach, socket));
                Ok(())
            }
        }
    }

    /// Writes what was logged before to the client.
    async fn replay(
        &self,
        container: &Arc<Container>,
        query: LogsQuery,
        socket: OwnedFd,
    ) -> Result<OwnedFd> {
        use futures_util::StreamExt;
        // Python's client drops what comes in one piece with the answer's head;
        // dockerd is slower than that.
        tokio::time::sleep(HEAD_START).await;
        let (_, mut log) = self.logs(container.id.as_str(), query).await?;
        let socket = std::os::unix::net::UnixStream::from(socket);
        socket.set_nonblocking(true)?;
        let mut socket = tokio::net::UnixStream::from_std(socket)?;
        while let Some(chunk) = log.next().await {
            socket.write_all(&chunk?).await?;
        }
        Ok(socket.into_std()?.into())
    }
}
