//! Which namespaces a container has to itself, and which it shares.

use std::path::PathBuf;

use dhow_model::{ErrorKind, HasKind};
use oci_spec::runtime::{
    LinuxIdMapping, LinuxIdMappingBuilder, LinuxNamespace, LinuxNamespaceBuilder,
    LinuxNamespaceType,
};
use serde::{Deserialize, Serialize};

/// One namespace of a container.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Namespace {
    /// A new one.
    #[default]
    Private,
    /// The engine's.
    Host,
    /// An existing one, by a path such as `/proc/<pid>/ns/ipc`.
    Path(PathBuf),
}

/// The namespaces of a container. The mount namespace is always private.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Namespaces {
    /// Process ids.
    pub pid: Namespace,
    /// Shared memory, semaphores, message queues.
    pub ipc: Namespace,
    /// Host name.
    pub uts: Namespace,
    /// The view of the cgroup tree.
    pub cgroup: Namespace,
    /// The network.
    pub network: Namespace,
    /// Ids, if they are mapped.
    pub user: Option<UserNamespace>,
}

/// Ids inside and outside.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct UserNamespace {
    /// An existing one instead of a new one.
    pub path: Option<PathBuf>,
    /// How user ids are mapped.
    pub uids: Vec<IdMap>,
    /// How group ids are mapped.
    pub gids: Vec<IdMap>,
}

/// A run of ids.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct IdMap {
    /// The first inside.
    pub inside: u32,
    /// The first outside.
    pub outside: u32,
    /// How many there are.
    pub count: u32,
}

/// What `--pid`, `--ipc`, `--uts`, `--cgroupns` and `--userns` ask for.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// A new one.
    #[default]
    Private,
    /// The engine's.
    Host,
    /// That of the container with this name or id.
    Container(String),
    /// For IPC: a new one that other containers may join.
    Shareable,
    /// For IPC: a new one without `/dev/shm`.
    None,
}

/// What a mode is a mode of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Of {
    /// `--pid`.
    Pid,
    /// `--ipc`.
    Ipc,
    /// `--uts`.
    Uts,
    /// `--cgroupns`.
    Cgroup,
    /// `--userns`.
    User,
}

/// A mode that does not exist.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("invalid {what} mode: {mode}")]
pub struct InvalidMode {
    what: &'static str,
    mode: String,
}

impl HasKind for InvalidMode {
    fn kind(&self) -> ErrorKind {
        ErrorKind::InvalidParameter
    }
}

impl Mode {
    /// Reads the API's text; an empty one is `default`.
    pub fn parse(of: Of, text: &str, default: Self) -> Result<Self, InvalidMode> {
        let container = text
            .strip_prefix("container:")
            .filter(|name| !name.is_empty());
        match (of, text) {
            (_, "") => Ok(default),
            (_, "host") => Ok(Self::Host),
            (Of::Cgroup | Of::Ipc, "private") => Ok(Self::Private),
            (Of::Ipc, "shareable") => Ok(Self::Shareable),
            (Of::Ipc, "none") => Ok(Self::None),
            (Of::Pid | Of::Ipc, _) if container.is_some() => {
                Ok(Self::Container(container.unwrap_or_default().to_owned()))
            }
            _ => Err(InvalidMode {
                what: match of {
                    Of::Pid => "PID",
                    Of::Ipc => "IPC",
                    Of::Uts => "UTS",
                    Of::Cgroup => "cgroup namespace",
                    Of::User => "USER",
                },
                mode: text.to_owned(),
            }),
        }
    }
}

impl Namespaces {
    pub(super) fn to_oci(&self) -> Vec<LinuxNamespace> {
        let mut list = vec![entry(LinuxNamespaceType::Mount, None)];
        for (kind, namespace) in [
            (LinuxNamespaceType::Network, &self.network),
            (LinuxNamespaceType::Uts, &self.uts),
            (LinuxNamespaceType::Pid, &self.pid),
            (LinuxNamespaceType::Ipc, &self.ipc),
            (LinuxNamespaceType::Cgroup, &self.cgroup),
        ] {
            match namespace {
                Namespace::Host => {}
                Namespace::Private => list.push(entry(kind, None)),
                Namespace::Path(path) => list.push(entry(kind, Some(path.clone()))),
            }
        }
        if let Some(user) = &self.user {
            list.push(entry(LinuxNamespaceType::User, user.path.clone()));
        }
        list
    }
}

impl IdMap {
    pub(super) fn to_oci(self) -> LinuxIdMapping {
        LinuxIdMappingBuilder::default()
            .container_id(self.inside)
            .host_id(self.outside)
            .size(self.count)
            .build()
            .expect("every field has a default")
    }
}

fn entry(kind: LinuxNamespaceType, path: Option<PathBuf>) -> LinuxNamespace {
    let mut namespace = LinuxNamespaceBuilder::default()
        .typ(kind)
        .build()
        .expect("every field has a default");
    namespace.set_path(path);
    namespace
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modes_are_read_or_refused_in_docker_s_words() {
        let check = |of, text: &str, expected: Mode| {
            assert_eq!(Mode::parse(of, text, Mode::Private), Ok(expected));
        };
        check(Of::Pid, "", Mode::Private);
        check(Of::Pid, "host", Mode::Host);
        check(Of::Pid, "container:web", Mode::Container("web".to_owned()));
        check(Of::Ipc, "shareable", Mode::Shareable);
        check(Of::Ipc, "none", Mode::None);
        check(Of::Cgroup, "private", Mode::Private);
        let refuse = |of, text: &str, message: &str| {
            let error = Mode::parse(of, text, Mode::Private).unwrap_err();
            assert_eq!(error.to_string(), message);
        };
        refuse(Of::Pid, "private", "invalid PID mode: private");
        refuse(Of::Pid, "container:", "invalid PID mode: container:");
        refuse(Of::Ipc, "x", "invalid IPC mode: x");
        refuse(Of::Uts, "container:web", "invalid UTS mode: container:web");
        refuse(Of::Cgroup, "none", "invalid cgroup namespace mode: none");
        refuse(Of::User, "private", "invalid USER mode: private");
    }

    #[test]
    fn shared_namespaces_are_left_out_or_joined() {
        let namespaces = Namespaces {
            pid: Namespace::Host,
            network: Namespace::Path("/proc/self/fd/5".into()),
            ..Namespaces::default()
        };
        let list = namespaces.to_oci();
        let find = |kind| list.iter().find(|ns| ns.typ() == kind);
        assert!(find(LinuxNamespaceType::Pid).is_none());
        assert!(find(LinuxNamespaceType::User).is_none());
        let network = find(LinuxNamespaceType::Network).unwrap();
        assert_eq!(network.path().as_deref(), Some("/proc/self/fd/5".as_ref()));
        assert_eq!(find(LinuxNamespaceType::Mount).unwrap().path(), &None);
        assert_eq!(list.len(), 5);
    }
}
