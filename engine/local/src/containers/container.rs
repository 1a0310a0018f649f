//! One container in memory: its record, the lock its verbs take in turn, and
//! what waits for it to change.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, RwLock};
use std::time::Duration;

use dhow_model::Id;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::attach::Attachments;
use super::exec::Exec;
use super::record::{Record, Status};
use super::shim::Shim;
use crate::db::{Commit, Db};
use crate::{Error, Result};

/// How far the news of what happened may be behind it.
pub(crate) const NEWS_TAKE: Duration = Duration::from_secs(2);

/// A container the engine knows.
pub(crate) struct Container {
    pub id: Id,
    /// Held by a verb that changes the container's state, from its check to
    /// its last effect.
    pub operation: tokio::sync::Mutex<()>,
    /// Held from what a verb asks of the shim until the world was told, and
    /// while an event of the shim's is applied: so that a signal is told
    /// before what came of it.
    pub telling: tokio::sync::Mutex<()>,
    /// The connection to its shim, while there is one.
    pub shim: Mutex<Option<Arc<Shim>>>,
    /// Clients that attached and wait for the start.
    pub attachments: Attachments,
    pub execs: Mutex<HashMap<Id, Arc<Exec>>>,
    /// The health probe that runs: the shim's number for it, and its exec id.
    pub probe: Mutex<Option<(u32, Id)>>,
    /// The task that follows the shim; ends when the shim has left.
    pub followed: tokio::sync::Mutex<Option<JoinHandle<()>>>,
    /// How many verbs want the container to outlive its exit, `--rm` or not.
    kept: AtomicUsize,
    record: RwLock<Record>,
    moment: watch::Sender<Moment>,
}

/// What waiters need to know, kept apart from the record so that a waiter can
/// tell an exit that came and went.
#[derive(Debug, Clone, Default)]
pub(crate) struct Moment {
    pub up: bool,
    /// How often it ended since the daemon knows it.
    pub exits: u64,
    pub exit_code: i64,
    pub removed: bool,
    /// Why a removal failed, for those who wait for it.
    pub error: Option<String>,
    /// Grows with every change of the record.
    pub generation: u64,
}

impl Container {
    /// The container of `record`, not running.
    pub fn new(record: Record) -> Self {
        let moment = Moment {
            up: record.state.status.counts_as_running(),
            exit_code: record.state.exit_code,
            ..Moment::default()
        };
        Self {
            id: record.id.clone(),
            operation: tokio::sync::Mutex::default(),
            telling: tokio::sync::Mutex::default(),
            shim: Mutex::default(),
            attachments: Attachments::default(),
            execs: Mutex::default(),
            probe: Mutex::default(),
            followed: tokio::sync::Mutex::default(),
            kept: AtomicUsize::new(0),
            record: RwLock::new(record),
            moment: watch::Sender::new(moment),
        }
    }

    /// A copy of the record as it is now.
    pub fn record(&self) -> Record {
        self.read(Record::clone)
    }

    /// What `look` sees of the record.
    pub fn read<T>(&self, look: impl FnOnce(&Record) -> T) -> T {
        look(&self.record.read().unwrap_or_else(|p| p.into_inner()))
    }

    /// The container's status.
    pub fn status(&self) -> Status {
        self.read(|r| r.state.status)
    }

    /// Its name, without a slash.
    pub fn name(&self) -> String {
        self.read(|r| r.name.clone())
    }

    /// Changes the record, writes it down and wakes those who wait. The change
    /// stays in memory even where the disk refuses it: what the kernel did is
    /// so, whether it could be written down or not.
    pub fn change<T>(
        &self,
        db: &Db,
        commit: Commit,
        change: impl FnOnce(&mut Record) -> T,
    ) -> Result<T> {
        let (value, ended, id, name, text, up, exit_code) = {
            let mut record = self.record.write().unwrap_or_else(|p| p.into_inner());
            let before = record.state.status;
            let value = change(&mut record);
            (
                value,
                before.ends_with(record.state.status),
                record.id.clone(),
                record.name.clone(),
                serde_json::to_string(&*record)?,
                record.state.status.counts_as_running(),
                record.state.exit_code,
            )
        };
        let written = db.put_container(id.as_str(), &name, &text, commit);
        self.moment.send_modify(|moment| {
            moment.exits += u64::from(ended);
            moment.up = up;
            moment.exit_code = exit_code;
            moment.generation += 1;
        });
        written?;
        Ok(value)
    }

    /// Tells waiters something the record does not hold.
    pub fn tell(&self, change: impl FnOnce(&mut Moment)) {
        self.moment.send_modify(change);
    }

    /// Follows the container's changes.
    pub fn watch(&self) -> watch::Receiver<Moment> {
        self.moment.subscribe()
    }

    /// The shim, or Docker's words for a container that has none.
    pub fn running_shim(&self) -> Result<Arc<Shim>> {
        self.shim_slot().clone().ok_or_else(|| self.not_running())
    }

    /// Docker's words for a container that has no process.
    pub fn not_running(&self) -> Error {
        Error::conflict(format!("container {} is not running", self.id))
    }

    /// The place of the shim's connection.
    pub fn shim_slot(&self) -> MutexGuard<'_, Option<Arc<Shim>>> {
        self.shim.lock().unwrap_or_else(|p| p.into_inner())
    }

    /// The container's directory below the data root.
    pub fn directory(&self, data_root: &std::path::Path) -> PathBuf {
        data_root.join("containers").join(self.id.as_str())
    }

    /// Keeps `--rm` from acting until the guard goes.
    pub fn keep(self: &Arc<Self>) -> Kept {
        self.kept.fetch_add(1, Ordering::SeqCst);
        Kept(Arc::clone(self))
    }

    /// Whether somebody keeps it.
    pub fn is_kept(&self) -> bool {
        self.kept.load(Ordering::SeqCst) > 0
    }
}

/// Whether a container whose shim does not answer has ended. The shim leaves
/// before the news of the exit is here, which is waited for.
pub(crate) async fn ends_now(moments: &mut watch::Receiver<Moment>) -> bool {
    let ended = moments.wait_for(|moment| !moment.up || moment.removed);
    matches!(tokio::time::timeout(NEWS_TAKE, ended).await, Ok(Ok(_)))
}

/// A verb's wish that the container outlives its exit.
pub(crate) struct Kept(Arc<Container>);

impl Drop for Kept {
    fn drop(&mut self) {
        self.0.kept.fetch_sub(1, Ordering::SeqCst);
    }
}
