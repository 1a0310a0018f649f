//! The program a container runs, and those that are run in it later: its
//! environment, its user, what it may do.

use dhow_runtime::protocol::Console;
use dhow_runtime::spec::limits::Ulimit;
use dhow_runtime::spec::security::SecurityOptions;
use dhow_runtime::spec::user::{self, User};
use dhow_runtime::spec::{Capabilities, ProcessPlan, apparmor};
use oci_spec::runtime::Process;

use super::rootfs::Layered;
use super::security;
use crate::containers::exec::Exec;
use crate::containers::record::Record;
use crate::system::app_armor;
use crate::{Error, LocalEngine, Result};

/// What programs are looked for in when nothing is said (dockerd's default).
const PATH: &str = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

impl LocalEngine {
    pub(super) fn first_process(
        &self,
        record: &Record,
        rootfs: &Layered,
        security: &SecurityOptions,
    ) -> Result<ProcessPlan> {
        let config = &record.config;
        let host = &record.host_config;
        let user = user::resolve(
            config.user.as_deref().unwrap_or_default(),
            host.group_add.as_deref().unwrap_or_default(),
            &rootfs.read("etc/passwd"),
            &rootfs.read("etc/group"),
        )
        .map_err(Error::of)?;
        let mut args = vec![record.path.clone()];
        args.extend(record.args.iter().cloned());
        let console =
            crate::containers::exec::console(host.console_size.as_deref().unwrap_or_default());
        Ok(ProcessPlan {
            args,
            env: environment(
                record,
                config.env.as_deref().unwrap_or_default(),
                &user,
                record.tty(),
            ),
            cwd: config.working_dir.clone().unwrap_or_default(),
            user,
            terminal: record.tty(),
            console_size: console.map(|c| (c.height, c.width)),
            capabilities: capabilities(record),
            ulimits: ulimits(record)?,
            no_new_privileges: security.no_new_privileges,
            apparmor: self.app_armor(record, security)?,
            oom_score_adj: host
                .oom_score_adj
                .and_then(|score| i32::try_from(score).ok()),
        })
    }

    /// A further process in a running container.
    pub(in crate::containers) fn exec_process(
        &self,
        exec: &Exec,
        console: Option<Console>,
    ) -> Result<Process> {
        let record = exec.container.record();
        let config = &exec.config;
        let security = security::options(&record.host_config)?;
        let root = format!("/proc/{}/root", record.state.pid.unwrap_or(0));
        let inside = Layered::new(std::path::Path::new(&root), &[]);
        let asked = config.user.as_deref().filter(|u| !u.is_empty());
        let user = user::resolve(
            asked.or(record.config.user.as_deref()).unwrap_or_default(),
            record.host_config.group_add.as_deref().unwrap_or_default(),
            &inside.read("etc/passwd"),
            &inside.read("etc/group"),
        )
        .map_err(Error::of)?;
        let tty = config.tty == Some(true);
        let mut variables = record.config.env.clone().unwrap_or_default();
        merge(&mut variables, config.env.as_deref().unwrap_or_default());
        let privileged = config.privileged == Some(true);
        let plan = ProcessPlan {
            args: config.cmd.clone().unwrap_or_default(),
            env: environment(&record, &variables, &user, tty),
            cwd: config
                .working_dir
                .clone()
                .filter(|d| !d.is_empty())
                .or_else(|| record.config.working_dir.clone())
                .unwrap_or_default(),
            user,
            terminal: tty,
            console_size: console.map(|c| (c.height, c.width)),
            capabilities: if privileged {
                Capabilities {
                    privileged: true,
                    ..Capabilities::default()
                }
            } else {
                capabilities(&record)
            },
            ulimits: ulimits(&record)?,
            no_new_privileges: security.no_new_privileges,
            // `exec --privileged` is confined as its container is.
            apparmor: self.app_armor(&record, &security)?,
            oom_score_adj: None,
        };
        plan.build(&self.shared.host.for_specs()).map_err(Error::of)
    }

    /// The AppArmor profile to set, which the kernel has then.
    fn app_armor(&self, record: &Record, security: &SecurityOptions) -> Result<Option<String>> {
        if !self.shared.host.has_app_armor {
            return Ok(None);
        }
        let privileged = record.host_config.privileged == Some(true);
        match apparmor::profile(security.apparmor.as_deref(), privileged) {
            apparmor::UNCONFINED => Ok(None),
            name => app_armor::ensure(name).map(|()| Some(name.to_owned())),
        }
    }
}

fn capabilities(record: &Record) -> Capabilities {
    let host = &record.host_config;
    Capabilities {
        add: host.cap_add.clone().unwrap_or_default(),
        drop: host.cap_drop.clone().unwrap_or_default(),
        privileged: host.privileged == Some(true),
    }
}

fn ulimits(record: &Record) -> Result<Vec<Ulimit>> {
    let list = record.host_config.ulimits.iter().flatten();
    list.map(|limit| {
        let name = limit.name.as_deref().unwrap_or_default();
        Ulimit::new(name, limit.soft.unwrap_or(0), limit.hard.unwrap_or(0)).map_err(Error::of)
    })
    .collect()
}

/// dockerd's variables, then the caller's in their place or behind; `HOME`
/// where nobody set it.
fn environment(record: &Record, own: &[String], user: &User, tty: bool) -> Vec<String> {
    let mut list = vec![PATH.to_owned()];
    let name = record.config.hostname.as_deref().unwrap_or_default();
    if !name.is_empty() {
        list.push(format!("HOSTNAME={name}"));
    }
    if tty {
        list.push("TERM=xterm".to_owned());
    }
    merge(&mut list, own);
    if !list.iter().any(|v| v.starts_with("HOME=")) {
        list.push(format!("HOME={}", user.home));
    }
    list
}

/// Puts `changes` over `list`: a variable without `=` is taken away.
fn merge(list: &mut Vec<String>, changes: &[String]) {
    let name = |variable: &str| variable.split('=').next().unwrap_or_default().to_owned();
    for change in changes {
        let at = list.iter().position(|v| name(v) == name(change));
        match (at, change.contains('=')) {
            (Some(at), true) => list[at].clone_from(change),
            (Some(at), false) => {
                list.remove(at);
            }
            (None, true) => list.push(change.clone()),
            (None, false) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_replace_in_place_and_go_when_bare() {
        let mut list = vec!["A=1".to_owned(), "B=2".to_owned()];
        merge(
            &mut list,
            &["A=9".to_owned(), "B".to_owned(), "C=3".to_owned()],
        );
        assert_eq!(list, ["A=9", "C=3"]);
    }
}
