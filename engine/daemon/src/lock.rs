//! One daemon per data root and per exec root, and its process id in a file.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rustix::fs::{FlockOperation, flock};

/// How long the lock of a daemon that was killed may linger: a shim that it was
/// about to start shares it until its program is executed.
const LINGERS: Duration = Duration::from_secs(1);

/// Why this daemon may not run here.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("{what} {} is in use by another dhowd", dir.display())]
    InUse { what: &'static str, dir: PathBuf },
    #[error("process with PID {pid} is still running ({})", file.display())]
    StillRunning { pid: u32, file: PathBuf },
    #[error("{}: {source}", path.display())]
    Io {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
}

/// A directory that is ours as long as this lives. The kernel lets go of it
/// when the process ends, however it ends.
#[derive(Debug)]
pub struct DirLock(#[expect(dead_code, reason = "held, not used")] File);

impl DirLock {
    /// Makes the directory `dir` if need be and locks it.
    pub fn take(what: &'static str, dir: &Path, mode: u32) -> Result<Self, Error> {
        let io = |path: &Path| {
            let path = path.to_owned();
            move |source| Error::Io { path, source }
        };
        let mut builder = fs::DirBuilder::new();
        builder
            .recursive(true)
            .mode(mode)
            .create(dir)
            .map_err(io(dir))?;
        let path = dir.join("dhowd.lock");
        let file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .mode(0o600)
            .open(&path)
            .map_err(io(&path))?;
        let patient = Instant::now() + LINGERS;
        loop {
            match flock(&file, FlockOperation::NonBlockingLockExclusive) {
                Ok(()) => return Ok(Self(file)),
                Err(rustix::io::Errno::WOULDBLOCK) if Instant::now() < patient => {
                    std::thread::sleep(Duration::from_millis(10));
                }
                Err(rustix::io::Errno::WOULDBLOCK) => {
                    return Err(Error::InUse {
                        what,
                        dir: dir.to_owned(),
                    });
                }
                Err(error) => return Err(io(&path)(error.into())),
            }
        }
    }
}

/// The file with our process id; removed when dropped.
#[derive(Debug)]
pub struct PidFile(PathBuf);

impl PidFile {
    /// Writes `file`, unless it names a daemon that is alive.
    pub fn write(file: &Path) -> Result<Self, Error> {
        let io = |source| Error::Io {
            path: file.to_owned(),
            source,
        };
        match fs::read_to_string(file) {
            Ok(text) => {
                if let Some(pid) = text.trim().parse().ok().filter(|pid| is_daemon(*pid)) {
                    return Err(Error::StillRunning {
                        pid,
                        file: file.to_owned(),
                    });
                }
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(io(error)),
        }
        if let Some(parent) = file.parent() {
            fs::create_dir_all(parent).map_err(io)?;
        }
        let mut new = OpenOptions::new()
            .create(true)
            .truncate(true)
            .write(true)
            .mode(0o644)
            .open(file)
            .map_err(io)?;
        write!(new, "{}", std::process::id()).map_err(io)?;
        Ok(Self(file.to_owned()))
    }
}

impl Drop for PidFile {
    fn drop(&mut self) {
        let ours = fs::read_to_string(&self.0).is_ok_and(|t| t == std::process::id().to_string());
        if ours {
            let _gone_already = fs::remove_file(&self.0);
        }
    }
}

/// Whether `pid` is alive and one of us. After a crash the number may have
/// gone to any other process.
fn is_daemon(pid: u32) -> bool {
    let own = fs::read_to_string("/proc/self/comm");
    let other = fs::read_to_string(format!("/proc/{pid}/comm"));
    // One that was killed and not buried yet has a name, but runs nothing.
    let runs = fs::read_link(format!("/proc/{pid}/exe")).is_ok();
    let same = matches!((own, other), (Ok(own), Ok(other)) if own == other);
    pid != std::process::id() && runs && same
}

#[cfg(test)]
mod tests {
    use rustix::process::{WaitId, WaitIdOptions};

    use super::*;

    #[test]
    fn a_directory_has_one_owner() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("deep/root");
        let first = DirLock::take("data root", &path, 0o710).unwrap();
        let error = DirLock::take("data root", &path, 0o710)
            .unwrap_err()
            .to_string();
        assert_eq!(
            error,
            format!("data root {} is in use by another dhowd", path.display())
        );
        drop(first);
        DirLock::take("data root", &path, 0o710).unwrap();
    }

    #[test]
    fn a_pid_file_is_replaced_unless_its_daemon_lives() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("run/dhowd.pid");
        let pid = PidFile::write(&file).unwrap();
        assert_eq!(
            fs::read_to_string(&file).unwrap(),
            std::process::id().to_string()
        );
        drop(pid);
        assert!(!file.exists());

        // Process 1 lives, but is no daemon of ours.
        fs::write(&file, "1\n").unwrap();
        drop(PidFile::write(&file).unwrap());
        fs::write(&file, "garbage").unwrap();
        drop(PidFile::write(&file).unwrap());

        // One of us that was killed, and whose parent has not noticed yet.
        let ourselves = std::env::current_exe().unwrap();
        let mut child = std::process::Command::new(ourselves)
            .arg("--list")
            .stdout(std::process::Stdio::null())
            .spawn()
            .unwrap();
        let pid = rustix::process::Pid::from_child(&child);
        let options = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT;
        rustix::process::waitid(WaitId::Pid(pid), options).unwrap();
        fs::write(&file, child.id().to_string()).unwrap();
        drop(PidFile::write(&file).unwrap());
        child.wait().unwrap();
    }
}
