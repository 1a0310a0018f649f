//! From what a container was asked to be to the OCI spec that makes it so.
//!
//! [`SpecPlan`] holds what was asked, with every question to the host already
//! answered by the caller: ids looked up, devices numbered, paths found.
//! [`SpecPlan::build`] is pure. What is produced keeps to what the runtime in
//! the shim (libcontainer) can do.

use std::collections::BTreeMap;
use std::path::PathBuf;

use dhow_model::{ErrorKind, HasKind};
use oci_spec::runtime::{Capability, Linux, Process, ProcessBuilder, Root, Spec, User as OciUser};
use serde::{Deserialize, Serialize};

pub mod apparmor;
pub mod capability;
pub mod devices;
pub mod limits;
pub mod mounts;
pub mod namespaces;
pub mod resources;
pub mod seccomp;
pub mod security;
pub mod user;

use devices::{DeviceNode, DeviceRule};
use limits::Ulimit;
use mounts::{Shm, UserMount};
use namespaces::{Namespace, Namespaces};
use resources::Resources;
use seccomp::Seccomp;
use user::User;

/// A program to run, in a new container or in one that runs.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ProcessPlan {
    /// The program and its arguments.
    pub args: Vec<String>,
    /// `NAME=value`.
    pub env: Vec<String>,
    /// The directory it starts in; empty is `/`.
    pub cwd: String,
    /// Who it is.
    pub user: User,
    /// Whether it has a terminal.
    pub terminal: bool,
    /// The terminal's height and width.
    pub console_size: Option<(u16, u16)>,
    /// What it may do.
    pub capabilities: Capabilities,
    /// Its limits.
    pub ulimits: Vec<Ulimit>,
    /// Programs gain nothing by setuid bits.
    pub no_new_privileges: bool,
    /// An AppArmor profile's name, where there is AppArmor.
    pub apparmor: Option<String>,
    /// How likely it is killed when memory runs out.
    pub oom_score_adj: Option<i32>,
}

/// Changes to the default set of capabilities.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Capabilities {
    /// Words of `--cap-add`.
    pub add: Vec<String>,
    /// Words of `--cap-drop`.
    pub drop: Vec<String>,
    /// All that the engine has.
    pub privileged: bool,
}

/// A container as it was asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct SpecPlan {
    /// Its first process.
    pub process: ProcessPlan,
    /// Where its root file system is.
    pub rootfs: PathBuf,
    /// Whether the root file system cannot be written.
    pub read_only_root: bool,
    /// Its host name, unless it has the host's.
    pub hostname: String,
    /// Its NIS domain name.
    pub domainname: String,
    /// What it has to itself.
    pub namespaces: Namespaces,
    /// What is mounted besides the essentials.
    pub mounts: Vec<UserMount>,
    /// Its shared memory.
    pub shm: Shm,
    /// A program of the host that is its first process and reaps the others.
    pub init: Option<PathBuf>,
    /// Further devices; all of the host's for a privileged container.
    pub devices: Vec<DeviceNode>,
    /// Further rules on devices.
    pub device_rules: Vec<DeviceRule>,
    /// All devices and capabilities, nothing hidden.
    pub privileged: bool,
    /// Its filter of system calls.
    pub seccomp: Seccomp,
    /// Paths that look empty; `None` is the default list.
    pub masked_paths: Option<Vec<String>>,
    /// Paths that cannot be written; `None` is the default list.
    pub readonly_paths: Option<Vec<String>>,
    /// Kernel parameters.
    pub sysctls: BTreeMap<String, String>,
    /// Its limits.
    pub resources: Resources,
    /// Its cgroup, below the root of every hierarchy.
    pub cgroups_path: PathBuf,
    /// Whether it may write to its cgroup tree; `None` is when privileged.
    pub writable_cgroups: Option<bool>,
    /// Notes for the runtime.
    pub annotations: BTreeMap<String, String>,
}

/// What the host is and can.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Host {
    /// In Go's spelling: `amd64`, `arm64`.
    pub architecture: String,
    /// The kernel's first two numbers.
    pub kernel: (u32, u32),
    /// What the engine itself may hand on.
    pub capabilities: Vec<Capability>,
    /// Whether the cgroup tree is v2 throughout.
    pub unified_cgroups: bool,
    /// Further paths to hide, found on this host.
    pub masked_paths: Vec<String>,
}

/// A plan that cannot be carried out.
#[derive(Debug, thiserror::Error)]
pub enum SpecError {
    /// Its capabilities.
    #[error(transparent)]
    Capability(#[from] capability::InvalidCapability),
    /// Its mounts.
    #[error(transparent)]
    Mount(#[from] mounts::InvalidMountPlan),
    /// Its filter of system calls.
    #[error(transparent)]
    Seccomp(#[from] seccomp::InvalidProfile),
    /// Its limits.
    #[error(transparent)]
    Limit(#[from] limits::InvalidLimit),
    /// Nothing to run.
    #[error("no command specified")]
    NoCommand,
}

impl HasKind for SpecError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Capability(error) => error.kind(),
            Self::Mount(error) => error.kind(),
            Self::Seccomp(error) => error.kind(),
            Self::Limit(error) => error.kind(),
            Self::NoCommand => ErrorKind::InvalidParameter,
        }
    }
}

impl Host {
    /// The first two numbers of a kernel's release, such as `6.1.0-amd64`.
    pub fn kernel_version(release: &str) -> (u32, u32) {
        let mut numbers = release
            .split(|c: char| !c.is_ascii_digit())
            .map(|digits| digits.parse().unwrap_or(0));
        (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0))
    }
}

impl SpecPlan {
    /// The OCI spec of this container on this host.
    pub fn build(&self, host: &Host) -> Result<Spec, SpecError> {
        limits::check_sysctls(&self.sysctls, &self.namespaces)?;
        let mut process = self.process.build(host)?;
        if let Some(args) = self.init_args() {
            process.set_args(Some(args));
        }
        let mut root = Root::default();
        root.set_path(self.rootfs.clone())
            .set_readonly(Some(self.read_only_root));
        let own_uts = self.namespaces.uts != Namespace::Host;
        let set = |text: &String| (own_uts && !text.is_empty()).then(|| text.clone());
        let mut mounts = mounts::build(&mounts::Wishes {
            mounts: &self.mounts,
            shm: &self.shm,
            init: self.init_in_effect(),
            read_only_root: self.read_only_root,
            privileged: self.privileged,
            writable_cgroups: self.cgroups_are_writable(),
        })?;
        mounts.extend(devices::binds(&self.devices));
        let mut spec = Spec::default();
        spec.set_version("1.2.0".to_owned())
            .set_process(Some(process))
            .set_root(Some(root))
            .set_hostname(set(&self.hostname))
            .set_domainname(set(&self.domainname))
            .set_mounts(Some(mounts))
            .set_annotations(Some(self.annotations.clone().into_iter().collect()))
            .set_linux(Some(self.linux(host)?));
        Ok(spec)
    }

    fn linux(&self, host: &Host) -> Result<Linux, SpecError> {
        let rules = devices::rules(self.privileged, &self.devices, &self.device_rules);
        let mut linux = Linux::default();
        linux
            .set_namespaces(Some(self.namespaces.to_oci()))
            .set_cgroups_path(Some(self.cgroups_path.clone()))
            .set_resources(Some(self.resources.to_oci(rules, host.unified_cgroups)))
            .set_devices(Some(devices::nodes(&self.devices)))
            .set_seccomp(self.filter(host)?)
            .set_rootfs_propagation(mounts::root_propagation(&self.mounts).map(str::to_owned))
            .set_masked_paths(Some(self.masked_paths(host)))
            .set_readonly_paths(Some(self.readonly_paths(host)))
            .set_sysctl(Some(self.sysctls.clone().into_iter().collect()));
        if let Some(user) = &self.namespaces.user {
            linux
                .set_uid_mappings(Some(user.uids.iter().map(|map| map.to_oci()).collect()))
                .set_gid_mappings(Some(user.gids.iter().map(|map| map.to_oci()).collect()));
        }
        Ok(linux)
    }

    fn masked_paths(&self, host: &Host) -> Vec<String> {
        match &self.masked_paths {
            Some(asked) => asked.clone(),
            None if self.privileged => Vec::new(),
            None => {
                let usual = security::MASKED_PATHS.iter().map(|path| (*path).to_owned());
                usual.chain(host.masked_paths.iter().cloned()).collect()
            }
        }
    }

    fn readonly_paths(&self, host: &Host) -> Vec<String> {
        let mut paths = match &self.readonly_paths {
            Some(asked) => asked.clone(),
            None if self.privileged => Vec::new(),
            None => security::READONLY_PATHS
                .iter()
                .map(|path| (*path).to_owned())
                .collect(),
        };
        let own = |mount: &UserMount| mount.destination() == mounts::CGROUP;
        let essential = !self.mounts.iter().any(own);
        if essential && !self.cgroups_are_writable() && !host.unified_cgroups {
            // The runtime mounts every hierarchy of cgroup v1 writable.
            paths.extend(mounts::cgroup_v1_paths());
        }
        paths
    }

    fn cgroups_are_writable(&self) -> bool {
        self.writable_cgroups.unwrap_or(self.privileged)
    }

    /// A privileged container has no filter unless it asks for one.
    fn filter(&self, host: &Host) -> Result<Option<oci_spec::runtime::LinuxSeccomp>, SpecError> {
        if self.privileged && self.seccomp == Seccomp::Default {
            return Ok(None);
        }
        let capabilities = self.process.capabilities.resolve(host)?;
        Ok(self.seccomp.filter(seccomp::Conditions {
            architecture: &host.architecture,
            kernel: host.kernel,
            capabilities: &capabilities,
        })?)
    }

    /// With someone else's first process there is one already.
    fn init_in_effect(&self) -> Option<&std::path::Path> {
        let own_pids = self.namespaces.pid == Namespace::Private;
        self.init.as_deref().filter(|_| own_pids)
    }

    fn init_args(&self) -> Option<Vec<String>> {
        self.init_in_effect()?;
        let before = [mounts::INIT, "--"].map(str::to_owned);
        Some(
            before
                .into_iter()
                .chain(self.process.args.iter().cloned())
                .collect(),
        )
    }
}

impl ProcessPlan {
    /// The OCI form: of a container's first process, or of an exec.
    pub fn build(&self, host: &Host) -> Result<Process, SpecError> {
        if self.args.is_empty() {
            return Err(SpecError::NoCommand);
        }
        let mut user = OciUser::default();
        user.set_uid(self.user.uid)
            .set_gid(self.user.gid)
            .set_additional_gids(Some(self.user.groups.clone()));
        let cwd = if self.cwd.is_empty() { "/" } else { &self.cwd };
        let rlimits: Vec<_> = self.ulimits.iter().filter_map(Ulimit::to_oci).collect();
        let mut process = ProcessBuilder::default()
            .args(self.args.clone())
            .env(self.env.clone())
            .cwd(cwd)
            .user(user)
            .terminal(self.terminal)
            .capabilities(capability::to_oci(&self.capabilities.resolve(host)?))
            .rlimits(rlimits)
            .build()
            .expect("every field has a default");
        process
            .set_console_size(self.console_size.filter(|_| self.terminal).map(console))
            // The runtime takes the field's presence for its being true.
            .set_no_new_privileges(self.no_new_privileges.then_some(true))
            .set_apparmor_profile(self.apparmor.clone())
            .set_oom_score_adj(self.oom_score_adj);
        Ok(process)
    }
}

impl Capabilities {
    fn resolve(&self, host: &Host) -> Result<Vec<Capability>, SpecError> {
        let available = &host.capabilities;
        Ok(capability::resolve(
            &self.add,
            &self.drop,
            self.privileged,
            available,
        )?)
    }
}

fn console((height, width): (u16, u16)) -> oci_spec::runtime::Box {
    oci_spec::runtime::BoxBuilder::default()
        .height(height)
        .width(width)
        .build()
        .expect("every field has a default")
}

#[cfg(test)]
mod tests;
