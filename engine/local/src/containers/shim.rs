//! The daemon's connection to one container's shim: calls and their answers
//! over one socket, events apart.

use std::collections::HashMap;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream as StdStream;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock};
use std::time::Duration;

use dhow_model::{ErrorKind, Id};
use dhow_runtime::protocol::codec::Decoder;
use dhow_runtime::protocol::{
    Answer, Attach, Call, Console, Event, Exec, Failure, FailureKind, Message, ProbeStep, Request,
    Snapshot, client,
};
use dhow_sys::process::Spawned;
use tokio::io::Interest;
use tokio::net::UnixStream;
use tokio::sync::{mpsc, oneshot};

use crate::{Error, Result};

/// A connected shim.
pub(crate) struct Shim {
    stream: UnixStream,
    /// The same socket, for sends that carry a descriptor.
    raw: StdStream,
    /// Frames must not mix.
    sending: tokio::sync::Mutex<()>,
    pending: Mutex<HashMap<u64, oneshot::Sender<Answer>>>,
    next_id: AtomicU64,
    /// The shim's process, once known.
    pid: OnceLock<u32>,
}

/// What a shim tells unasked, in its order.
#[derive(Debug)]
pub(crate) enum Told {
    Event(Event),
    Probe(ProbeStep),
}

impl Shim {
    /// Takes over a connected socket. Events go to the receiver, which ends
    /// when the shim does. `child` is the shim's process where this daemon
    /// started it; it is reaped when it is gone.
    pub fn new(
        socket: StdStream,
        child: Option<Spawned>,
    ) -> Result<(Arc<Self>, mpsc::UnboundedReceiver<Told>)> {
        socket.set_nonblocking(true)?;
        let shim = Arc::new(Self {
            raw: socket.try_clone()?,
            stream: UnixStream::from_std(socket)?,
            sending: tokio::sync::Mutex::default(),
            pending: Mutex::default(),
            next_id: AtomicU64::new(1),
            pid: child
                .as_ref()
                .map(|c| c.pid)
                .map(OnceLock::from)
                .unwrap_or_default(),
        });
        let (events, receiver) = mpsc::unbounded_channel();
        let reading = Arc::clone(&shim);
        tokio::spawn(async move {
            read(reading, events).await;
            if let Some(child) = child {
                tokio::task::spawn_blocking(move || child.pidfd.wait());
            }
        });
        Ok((shim, receiver))
    }

    /// Creates and starts the container; the program's failure to start is
    /// the inner error.
    pub async fn start(&self) -> Result<Result<u32, Failure>> {
        self.started(Request::Start, None).await
    }

    /// Runs a further process, joined to `client` where there is one.
    pub async fn exec(&self, exec: Exec, client: Option<OwnedFd>) -> Result<Result<u32, Failure>> {
        self.started(Request::Exec(Box::new(exec)), client).await
    }

    /// Joins a client to the container or to an exec.
    pub async fn attach(&self, attach: Attach, client: OwnedFd) -> Result<()> {
        self.done(Request::Attach(attach), Some(client)).await
    }

    /// The shim's process, of one that was started or asked how it stands.
    pub fn pid(&self) -> Option<u32> {
        self.pid.get().copied()
    }

    /// How the container stands.
    pub async fn snapshot(&self) -> Result<Snapshot> {
        match self.call(Request::State, None).await? {
            Answer::State(snapshot) => {
                if let Some(pid) = snapshot.shim_pid {
                    let _known_already = self.pid.set(pid);
                }
                Ok(*snapshot)
            }
            other => Err(unexpected(other)),
        }
    }

    /// Events from number `after` on come from now on, and probes as they run.
    pub async fn subscribe(&self, after: u64) -> Result<()> {
        let probes = true;
        self.done(Request::Subscribe { after, probes }, None).await
    }

    /// Signals the first process; `by_hand` ends restarts.
    pub async fn kill(&self, signal: i32, by_hand: bool) -> Result<()> {
        self.done(Request::Kill { signal, by_hand }, None).await
    }

    /// Signals, and kills after `timeout`.
    pub async fn stop(&self, signal: i32, timeout: Option<Duration>) -> Result<()> {
        self.done(Request::Stop { signal, timeout }, None).await
    }

    /// Freezes the container.
    pub async fn pause(&self) -> Result<()> {
        self.done(Request::Pause, None).await
    }

    /// Thaws it.
    pub async fn resume(&self) -> Result<()> {
        self.done(Request::Resume, None).await
    }

    /// Changes the restart policy and the limits.
    pub async fn update(
        &self,
        restart: Option<dhow_model::restart::Policy>,
        resources: Option<oci_spec::runtime::LinuxResources>,
    ) -> Result<()> {
        let resources = resources.map(Box::new);
        self.done(Request::Update { restart, resources }, None)
            .await
    }

    /// Resizes a terminal.
    pub async fn resize(&self, exec: Option<Id>, console: Console) -> Result<()> {
        self.done(Request::Resize { exec, console }, None).await
    }

    async fn started(
        &self,
        request: Request,
        client: Option<OwnedFd>,
    ) -> Result<Result<u32, Failure>> {
        match self.call(request, client).await? {
            Answer::Started { pid } => Ok(Ok(pid)),
            Answer::Failed(failure) => Ok(Err(failure)),
            other => Err(unexpected(other)),
        }
    }

    async fn done(&self, request: Request, client: Option<OwnedFd>) -> Result<()> {
        match self.call(request, client).await? {
            Answer::Done => Ok(()),
            Answer::Failed(failure) => Err(failed(failure)),
            other => Err(unexpected(other)),
        }
    }

    async fn call(&self, request: Request, client: Option<OwnedFd>) -> Result<Answer> {
        let id = self.next_id.fetch_add(1, Ordering::Relaxed);
        let (sender, receiver) = oneshot::channel();
        self.pending().insert(id, sender);
        if let Err(error) = self.send(&Call { id, request }, client).await {
            self.pending().remove(&id);
            return Err(Error::system(format!(
                "the container's shim is gone: {error}"
            )));
        }
        receiver
            .await
            .map_err(|_| Error::system("the container's shim is gone"))
    }

    async fn send(&self, call: &Call, client: Option<OwnedFd>) -> io::Result<()> {
        let _turn = self.sending.lock().await;
        loop {
            self.stream.writable().await?;
            let sent = self.stream.try_io(Interest::WRITABLE, || {
                client::send(&self.raw, call, client.as_ref().map(AsFd::as_fd))
            });
            match sent {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                result => return result,
            }
        }
    }

    fn pending(&self) -> MutexGuard<'_, HashMap<u64, oneshot::Sender<Answer>>> {
        self.pending.lock().unwrap_or_else(|p| p.into_inner())
    }
}

/// Sorts what the shim sends, until it goes.
async fn read(shim: Arc<Shim>, told: mpsc::UnboundedSender<Told>) {
    let mut decoder = Decoder::default();
    let mut buffer = [0; 8192];
    'connection: loop {
        if shim.stream.readable().await.is_err() {
            break;
        }
        match shim.stream.try_read(&mut buffer) {
            Ok(0) => break,
            Ok(length) => decoder.push(&buffer[..length]),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => continue,
            Err(_) => break,
        }
        loop {
            match decoder.next::<Message>() {
                Ok(Some(Message::Answer { id, answer })) => {
                    if let Some(caller) = shim.pending().remove(&id) {
                        let _caller_may_have_left = caller.send(answer);
                    }
                }
                Ok(Some(Message::Event(event))) => {
                    let _nobody_listens = told.send(Told::Event(event));
                }
                Ok(Some(Message::Probe(step))) => {
                    let _nobody_listens = told.send(Told::Probe(step));
                }
                Ok(None) => break,
                Err(error) => {
                    tracing::error!(%error, "a shim sent nonsense");
                    break 'connection;
                }
            }
        }
    }
    // Whoever still waits for an answer is told that none will come.
    shim.pending().clear();
}

/// A refusal in the API's terms.
fn failed(failure: Failure) -> Error {
    let kind = match failure.kind {
        FailureKind::Conflict => ErrorKind::Conflict,
        FailureKind::NoSuchExec => ErrorKind::NotFound,
        FailureKind::Unsupported => ErrorKind::InvalidParameter,
        FailureKind::NotFound | FailureKind::NotExecutable => ErrorKind::InvalidParameter,
        FailureKind::Mount | FailureKind::Other => ErrorKind::System,
    };
    Error::new(kind, failure.message)
}

fn unexpected(answer: Answer) -> Error {
    Error::system(format!("the shim answered out of turn: {answer:?}"))
}
