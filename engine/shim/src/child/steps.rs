//! Small steps on the way to a container's process, common to its first
//! process and to further ones.

use std::ffi::CString;
use std::io;
use std::path::Path;

use dhow_runtime::protocol::{Failure, FailureKind};
use dhow_sys::cgroup::Hierarchies;
use dhow_sys::openat;
use oci_spec::runtime::{PosixRlimit, PosixRlimitType, Process, Spec};

/// Joins the session keyring of the container, so that keys of the host's
/// session are out of reach. Kernels without keyrings have none to protect.
pub fn join_session_keyring(container: &str) {
    const KEYCTL_JOIN_SESSION_KEYRING: libc::c_long = 1;
    let Ok(name) = CString::new(format!("_ses.{container}")) else {
        return;
    };
    // SAFETY: the name is NUL-terminated and only read.
    unsafe { libc::syscall(libc::SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, name.as_ptr()) };
}

/// Sets how readily the kernel kills process `pid` (0: the caller) for want of
/// memory.
pub fn set_oom_score(pid: u32, score: i32) -> io::Result<()> {
    let of = match pid {
        0 => "self".to_owned(),
        pid => pid.to_string(),
    };
    std::fs::write(format!("/proc/{of}/oom_score_adj"), score.to_string())
}

/// Refuses a score that this host will not let us give, by name.
pub fn check_oom_score(score: i32) -> Result<(), Failure> {
    let before = std::fs::read_to_string("/proc/self/oom_score_adj").unwrap_or_default();
    let before: i32 = before.trim().parse().unwrap_or(0);
    // Making oneself a likelier victim is allowed to everyone.
    if score == 0 || score >= before {
        return Ok(());
    }
    let allowed = set_oom_score(0, score).and_then(|()| set_oom_score(0, before));
    allowed.map_err(|_| {
        Failure::new(
            FailureKind::Unsupported,
            format!(
                "oom-score-adj {score} cannot be set: it is below this host's {before}, and the \
                 engine lacks CAP_SYS_RESOURCE"
            ),
        )
    })
}

/// Lets the processes of the container wait for memory instead of being
/// killed, where that is asked for: libcontainer passes it over.
pub fn disable_oom_killer(spec: &Spec) -> io::Result<()> {
    let linux = spec.linux().as_ref();
    let wanted = linux
        .and_then(|l| l.resources().as_ref())
        .and_then(|r| r.memory().as_ref())
        .and_then(|m| m.disable_oom_killer());
    match linux.and_then(|l| l.cgroups_path().as_ref()) {
        Some(path) if wanted == Some(true) => Hierarchies::detect()?
            .cgroup(&path.to_string_lossy())
            .disable_oom_killer(),
        _ => Ok(()),
    }
}

/// libcontainer does not say which kernel parameter it could not open.
pub fn name_sysctl(failure: Failure, spec: &Spec) -> Failure {
    let parameters = spec.linux().as_ref().and_then(|l| l.sysctl().as_ref());
    let mut paths = parameters
        .into_iter()
        .flatten()
        .map(|(name, _)| format!("/proc/sys/{}", name.replace('.', "/")));
    match paths.find(|path| !Path::new(path).exists()) {
        Some(path) if failure.kind == FailureKind::Other => Failure::new(
            FailureKind::Other,
            format!("open {path}: no such file or directory"),
        ),
        _ => failure,
    }
}

/// Refuses limits that this host will not let us raise, by name.
pub fn check_rlimits(limits: &[PosixRlimit]) -> Result<(), Failure> {
    for limit in limits {
        let current = current_hard(limit.typ());
        if limit.hard() > current && !has_sys_resource() {
            return Err(Failure::new(
                FailureKind::Unsupported,
                format!(
                    "ulimit {}={}:{} cannot be set: this host allows {} at most, \
                     and the engine lacks CAP_SYS_RESOURCE",
                    name_of(limit.typ()),
                    amount(limit.soft()),
                    amount(limit.hard()),
                    amount(current),
                ),
            ));
        }
    }
    Ok(())
}

/// The program's environment with `HOME` from its user database, as the OCI
/// runtimes add it. `passwd` is the database's text.
pub fn environment(process: &Process, passwd: &str) -> Vec<String> {
    let mut environment = process.env().clone().unwrap_or_default();
    let has_home = environment.iter().any(|entry| {
        entry
            .strip_prefix("HOME=")
            .is_some_and(|home| !home.is_empty())
    });
    if !has_home {
        environment.retain(|entry| !entry.starts_with("HOME="));
        let home = home_of(process.user().uid(), passwd).unwrap_or("/");
        environment.push(format!("HOME={home}"));
    }
    environment
}

/// Reads a file inside a root directory without ever leaving it.
pub fn read_in_root(root: &Path, path: &str) -> io::Result<String> {
    use rustix::fs::{Mode, OFlags, ResolveFlags, open};
    let dir = open(
        root,
        OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC,
        Mode::empty(),
    )?;
    let file = openat::open(
        dir,
        path,
        OFlags::RDONLY | OFlags::NONBLOCK,
        Mode::empty(),
        ResolveFlags::IN_ROOT,
    )?;
    io::read_to_string(std::fs::File::from(file))
}

/// Makes a directory and those above it inside a root, without ever leaving it.
pub fn make_in_root(root: &Path, path: &Path) -> io::Result<()> {
    use rustix::fs::{Mode, OFlags, ResolveFlags, mkdirat, open};
    use std::path::Component;
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let root = open(root, flags, Mode::empty())?;
    let enter =
        |path: &Path| openat::open(&root, path, flags, Mode::empty(), ResolveFlags::IN_ROOT);
    let mut inside = std::path::PathBuf::from(".");
    let mut here = enter(&inside)?;
    for component in path.components() {
        let Component::Normal(name) = component else {
            continue;
        };
        inside.push(name);
        here = match enter(&inside) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                mkdirat(&here, name, Mode::from(0o755))?;
                enter(&inside)?
            }
            result => result?,
        };
    }
    Ok(())
}

/// Gives up the supplementary groups this process was started with.
pub fn drop_groups() -> io::Result<()> {
    rustix::thread::set_thread_groups(&[])?;
    Ok(())
}

fn home_of(uid: u32, passwd: &str) -> Option<&str> {
    passwd.lines().find_map(|line| {
        let mut fields = line.split(':');
        let id: u32 = fields.nth(2)?.parse().ok()?;
        let home = fields.nth(2)?;
        (id == uid && !home.is_empty()).then_some(home)
    })
}

fn current_hard(kind: PosixRlimitType) -> u64 {
    let mut limit = libc::rlimit {
        rlim_cur: 0,
        rlim_max: 0,
    };
    // SAFETY: the structure is written by the call and outlives it; OCI's
    // numbering of limits is the kernel's.
    match unsafe { libc::getrlimit(kind as u32, &mut limit) } {
        0 => limit.rlim_max,
        _ => u64::MAX,
    }
}

fn has_sys_resource() -> bool {
    const CAP_SYS_RESOURCE: u32 = 24;
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    status
        .lines()
        .find_map(|line| line.strip_prefix("CapEff:"))
        .and_then(|set| u64::from_str_radix(set.trim(), 16).ok())
        .is_some_and(|set| set & (1 << CAP_SYS_RESOURCE) != 0)
}

/// A limit as people give it.
fn amount(limit: u64) -> String {
    match limit {
        u64::MAX => "-1".to_owned(),
        limit => limit.to_string(),
    }
}

/// The name people give `--ulimit`.
fn name_of(kind: PosixRlimitType) -> String {
    kind.to_string()
        .trim_start_matches("RLIMIT_")
        .to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn home_comes_from_the_user_database() {
        let passwd = "root:x:0:0:root:/root:/bin/sh\n\nbroken\nu:x:5:5::/home/u:/bin/sh\n";
        assert_eq!(home_of(0, passwd), Some("/root"));
        assert_eq!(home_of(5, passwd), Some("/home/u"));
        assert_eq!(home_of(6, passwd), None);
    }
}
