//! What is kept of a container: how it was made and where it stands. This is
//! the row in the database; everything `inspect` says comes from here.

use std::time::Duration;

use bollard_stubs::models::{ContainerConfig, HostConfig, NetworkingConfig};
pub(crate) use dhow_model::lifecycle::State as Status;
use dhow_model::mount::{Kind, Point};
use dhow_model::{Digest, Id, health, restart};
use dhow_network::Endpoint;
use serde::{Deserialize, Serialize};

/// A container as it was created, and its state.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Record {
    pub id: Id,
    /// Without the leading slash of the API.
    pub name: String,
    /// Nanoseconds since the epoch.
    pub created: i64,
    /// The image's id (its config's digest).
    pub image: Digest,
    /// The image's layers, bottom first.
    pub layers: Vec<Digest>,
    /// The caller's configuration, completed by the image's.
    pub config: ContainerConfig,
    pub host_config: HostConfig,
    pub networking: Option<NetworkingConfig>,
    /// The program and its arguments: entrypoint and command joined.
    pub path: String,
    pub args: Vec<String>,
    pub mounts: Vec<Mounted>,
    pub state: State,
}

/// What is mounted where, resolved at creation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mounted {
    pub point: Point,
    /// Where it lies on the host: the bind's source, the volume's directory;
    /// of an image its id, for it is nowhere on the host; empty for tmpfs.
    pub host: String,
    /// Made for this container: goes with `rm -v` and `--rm`.
    pub anonymous: bool,
}

impl Mounted {
    /// Whether it is of this volume.
    pub fn is_volume(&self, name: &str) -> bool {
        self.point.spec.kind == Kind::Volume && self.point.name == name
    }

    /// Who pins a mounted image's layers for container `id`.
    pub fn pin_owner(&self, id: &Id) -> String {
        format!("{id}:{}", self.point.destination)
    }

    /// The image that is mounted, if one is.
    pub fn image(&self) -> Option<Digest> {
        match self.point.spec.kind {
            Kind::Image => self.host.parse().ok(),
            _ => None,
        }
    }
}

/// The container of a pin's owner: itself, or one of its mounts.
pub(crate) fn pin_container(owner: &str) -> &str {
    owner.split_once(':').map_or(owner, |(id, _)| id)
}

/// State that changes over a container's life. Times are nanoseconds since the
/// epoch; 0 is never.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct State {
    pub status: Status,
    pub pid: Option<u32>,
    pub exit_code: i64,
    pub error: String,
    pub oom_killed: bool,
    /// The most memory of the last run, in bytes, where the kernel keeps it.
    #[serde(default)]
    pub memory_peak: Option<u64>,
    pub started_at: i64,
    pub finished_at: i64,
    pub restart_count: u64,
    /// A person stopped or signalled it: `unless-stopped` leaves it alone.
    pub stopped_by_hand: bool,
    /// A person called its restarts off, whatever the policy.
    #[serde(default)]
    pub restarts_called_off: bool,
    /// What the probes say.
    pub health: Option<health::Machine>,
    pub network: Option<Plugged>,
    /// The last of the shim's events that this record knows of.
    pub seq: u64,
}

/// The container's place on the default bridge while it runs.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Plugged {
    /// The id of its network namespace, shown as `SandboxID`.
    pub sandbox: Id,
    pub endpoint: Endpoint,
}

impl Record {
    /// Whether the container goes when it ends (`--rm`).
    pub fn auto_remove(&self) -> bool {
        self.host_config.auto_remove == Some(true)
    }

    /// Whether its policy has the engine start it when it finds it ended:
    /// with the engine itself, or because it failed unseen.
    pub fn is_due(&self) -> bool {
        let Ok(policy) = super::create::restart_policy(self.host_config.restart_policy.as_ref())
        else {
            return false;
        };
        let state = &self.state;
        let fails = matches!(policy, restart::Policy::OnFailure(_)) && {
            let exit = restart::Exit {
                code: i32::try_from(state.exit_code).unwrap_or(1),
                stopped_by_hand: state.restarts_called_off,
                signalled_by_hand: state.stopped_by_hand,
                ran_for: Duration::ZERO,
            };
            let count = u32::try_from(state.restart_count).unwrap_or(u32::MAX);
            restart::Backoff::new(count).decide(policy, exit) != restart::Decision::Stay
        };
        fails || policy.starts_with_engine(state.stopped_by_hand)
    }

    /// Whether it has a terminal.
    pub fn tty(&self) -> bool {
        self.config.tty == Some(true)
    }
}
