//! Which namespaces a container has to itself, and which it shares with the
//! host or with another container.

use std::path::{Path, PathBuf};

use bollard_stubs::models::HostConfigCgroupnsModeEnum;
use dhow_runtime::launch::NETNS_PATH;
use dhow_runtime::protocol::BorrowedMount;
use dhow_runtime::spec::mounts::Shm;
use dhow_runtime::spec::namespaces::{Mode, Namespace, Namespaces, Of};

use crate::containers::container::Container;
use crate::containers::record::Record;
use crate::containers::view;
use crate::{Error, LocalEngine, Result};

/// What a container shares, and what follows from it.
pub(super) struct Sharing {
    pub namespaces: Namespaces,
    pub shm: Shm,
    pub borrowed: Vec<BorrowedMount>,
    pub hostname: String,
}

impl LocalEngine {
    pub(super) fn namespaces_of(&self, record: &Record, run_directory: &Path) -> Result<Sharing> {
        let host = &record.host_config;
        let text = |mode: &Option<String>| mode.clone().unwrap_or_default();
        let pid = Mode::parse(Of::Pid, &text(&host.pid_mode), Mode::Private).map_err(Error::of)?;
        let ipc = Mode::parse(Of::Ipc, &text(&host.ipc_mode), Mode::Private).map_err(Error::of)?;
        let uts = Mode::parse(Of::Uts, &text(&host.uts_mode), Mode::Private).map_err(Error::of)?;
        let size = host.shm_size.unwrap_or(0);

        let mut borrowed = Vec::new();
        let shm = match &ipc {
            Mode::None => Shm::None,
            Mode::Host => Shm::Bind(PathBuf::from("/dev/shm")),
            Mode::Container(name) => {
                let target = run_directory.join("shm");
                borrowed.push(BorrowedMount {
                    pid: self.pid_to_join(name, "IPC")?,
                    source: PathBuf::from("/dev/shm"),
                    target: target.clone(),
                });
                Shm::Bind(target)
            }
            Mode::Private | Mode::Shareable => Shm::Private(size),
        };
        let network = match view::network_name(record).as_str() {
            "host" => Namespace::Host,
            "bridge" | "none" => Namespace::Path(PathBuf::from(NETNS_PATH)),
            mode => {
                let name = mode.strip_prefix("container:").unwrap_or(mode);
                Namespace::Path(self.namespace_path(name, "network", "net")?)
            }
        };
        let hostname = match view::network_name(record).strip_prefix("container:") {
            Some(name) => {
                let other = self.shared.containers.find(name)?;
                other
                    .read(|r| r.config.hostname.clone())
                    .unwrap_or_default()
            }
            None => record.config.hostname.clone().unwrap_or_default(),
        };
        Ok(Sharing {
            namespaces: Namespaces {
                pid: self.namespace(pid, "PID", "pid")?,
                ipc: self.namespace(ipc, "IPC", "ipc")?,
                uts: self.namespace(uts, "UTS", "uts")?,
                cgroup: match host.cgroupns_mode {
                    Some(HostConfigCgroupnsModeEnum::PRIVATE) => Namespace::Private,
                    _ => Namespace::Host,
                },
                network,
                user: None,
            },
            shm,
            borrowed,
            hostname,
        })
    }

    fn namespace(&self, mode: Mode, what: &str, file: &str) -> Result<Namespace> {
        Ok(match mode {
            Mode::Private | Mode::Shareable | Mode::None => Namespace::Private,
            Mode::Host => Namespace::Host,
            Mode::Container(name) => Namespace::Path(self.namespace_path(&name, what, file)?),
        })
    }

    fn namespace_path(&self, name: &str, what: &str, file: &str) -> Result<PathBuf> {
        let pid = self.pid_to_join(name, what)?;
        Ok(PathBuf::from(format!("/proc/{pid}/ns/{file}")))
    }

    /// The first process of the container whose namespace is to be joined.
    fn pid_to_join(&self, name: &str, what: &str) -> Result<u32> {
        let other: std::sync::Arc<Container> = self.shared.containers.find(name)?;
        if what == "IPC" {
            let mode = other
                .read(|r| r.host_config.ipc_mode.clone())
                .unwrap_or_default();
            if mode != "shareable" && !mode.starts_with("container:") {
                return Err(Error::invalid(format!(
                    "can't join IPC of container {}: non-shareable IPC (hint: use IpcMode:shareable \
                     for the donor container)",
                    other.id
                )));
            }
        }
        match other.read(|r| r.state.pid) {
            Some(pid) if other.status().has_process() => Ok(pid),
            _ if what == "network" => Err(Error::conflict(format!(
                "cannot join network of a non running container: {}",
                other.id
            ))),
            _ => Err(Error::conflict(format!(
                "cannot join {what} namespace of a non running container: container {} is not \
                 running",
                other.id
            ))),
        }
    }
}
