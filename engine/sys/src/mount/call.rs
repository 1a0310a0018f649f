//! Mounting the old way, by `mount(2)`: what `mount -t … -o …` does, for file
//! systems whose options only they themselves understand.

use std::ffi::CString;
use std::io;
use std::os::fd::OwnedFd;
use std::path::Path;

use rustix::fs::CWD;
use serde::{Deserialize, Serialize};

use super::{clone_tree, private_namespace};

/// What `mount(2)` is told. Flags and data are apart, as it wants them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MountCall {
    /// What is mounted: a device, a server's directory, a path, a word.
    pub source: String,
    /// The file system's type; `none` for a bind.
    pub fs_type: String,
    /// The kernel's flags, propagation apart.
    pub flags: u64,
    /// How mounts spread afterwards; 0 leaves it as it is.
    pub propagation: u64,
    /// What is for the file system itself, joined by commas.
    pub data: String,
}

/// A word of `-o` that the kernel has a flag for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flag {
    Set(u64),
    Clear(u64),
    Propagation(u64),
}

impl Flag {
    /// The flag of this word.
    pub fn of(word: &str) -> Option<Self> {
        use libc::{
            MS_BIND, MS_DIRSYNC, MS_MANDLOCK, MS_NOATIME, MS_NODEV, MS_NODIRATIME, MS_NOEXEC,
            MS_NOSUID, MS_PRIVATE, MS_RDONLY, MS_REC, MS_RELATIME, MS_REMOUNT, MS_SHARED, MS_SLAVE,
            MS_STRICTATIME, MS_SYNCHRONOUS, MS_UNBINDABLE,
        };
        Some(match word {
            "ro" => Self::Set(MS_RDONLY),
            "rw" => Self::Clear(MS_RDONLY),
            "nosuid" => Self::Set(MS_NOSUID),
            "suid" => Self::Clear(MS_NOSUID),
            "nodev" => Self::Set(MS_NODEV),
            "dev" => Self::Clear(MS_NODEV),
            "noexec" => Self::Set(MS_NOEXEC),
            "exec" => Self::Clear(MS_NOEXEC),
            "sync" => Self::Set(MS_SYNCHRONOUS),
            "async" => Self::Clear(MS_SYNCHRONOUS),
            "dirsync" => Self::Set(MS_DIRSYNC),
            "remount" => Self::Set(MS_REMOUNT),
            "mand" => Self::Set(MS_MANDLOCK),
            "nomand" => Self::Clear(MS_MANDLOCK),
            "noatime" => Self::Set(MS_NOATIME),
            "atime" => Self::Clear(MS_NOATIME),
            "nodiratime" => Self::Set(MS_NODIRATIME),
            "diratime" => Self::Clear(MS_NODIRATIME),
            "relatime" => Self::Set(MS_RELATIME),
            "norelatime" => Self::Clear(MS_RELATIME),
            "strictatime" => Self::Set(MS_STRICTATIME),
            "nostrictatime" => Self::Clear(MS_STRICTATIME),
            "bind" => Self::Set(MS_BIND),
            "rbind" => Self::Set(MS_BIND | MS_REC),
            "private" => Self::Propagation(MS_PRIVATE),
            "rprivate" => Self::Propagation(MS_PRIVATE | MS_REC),
            "shared" => Self::Propagation(MS_SHARED),
            "rshared" => Self::Propagation(MS_SHARED | MS_REC),
            "slave" => Self::Propagation(MS_SLAVE),
            "rslave" => Self::Propagation(MS_SLAVE | MS_REC),
            "unbindable" => Self::Propagation(MS_UNBINDABLE),
            "runbindable" => Self::Propagation(MS_UNBINDABLE | MS_REC),
            _ => return None,
        })
    }
}

impl MountCall {
    /// Mounts at `target`, in the caller's mount namespace.
    pub fn run(&self, target: &Path) -> io::Result<()> {
        mount(&self.source, target, &self.fs_type, self.flags, &self.data)?;
        if self.propagation != 0 {
            mount("", target, "", self.propagation, "")?;
        }
        // The kernel passes over `ro` when it binds.
        let read_only_bind = libc::MS_BIND | libc::MS_RDONLY;
        if self.flags & read_only_bind == read_only_bind {
            mount("", target, "", self.flags | libc::MS_REMOUNT, "")?;
        }
        Ok(())
    }

    /// The same mount attached nowhere, as a descriptor. It is mounted at
    /// `target` in a namespace that is gone when this returns.
    pub fn detached(&self, target: &Path) -> io::Result<OwnedFd> {
        let work = || {
            private_namespace(&[])?;
            self.run(target)?;
            clone_tree(CWD, target)
        };
        std::thread::scope(|scope| match scope.spawn(work).join() {
            Ok(result) => result,
            Err(panic) => std::panic::resume_unwind(panic),
        })
    }

    /// What failed and why, as dockerd says it: with `target` for the place,
    /// and without a password.
    pub fn failure(&self, target: &Path, error: &io::Error) -> String {
        let mut text = format!("mount {}:{}", self.source, target.display());
        if self.flags != 0 {
            text.push_str(&format!(", flags: {:#x}", self.flags));
        }
        if !self.data.is_empty() {
            let words = self.data.split(',').map(|word| match word.split_once('=') {
                Some((name @ ("password" | "pass"), _)) => format!("{name}=********"),
                _ => word.to_owned(),
            });
            text.push_str(&format!(", data: {}", words.collect::<Vec<_>>().join(",")));
        }
        format!("{text}: {}", reason(error))
    }
}

/// The kernel's reason in the words that most programs print.
pub fn reason(error: &io::Error) -> String {
    let Some(number) = error.raw_os_error() else {
        return error.to_string();
    };
    let text = nix::errno::Errno::from_raw(number).desc();
    let mut letters = text.chars();
    match letters.next() {
        Some(first) => first.to_lowercase().chain(letters).collect(),
        None => String::new(),
    }
}

fn mount(source: &str, target: &Path, fs_type: &str, flags: u64, data: &str) -> io::Result<()> {
    use std::os::unix::ffi::OsStrExt;
    let source = CString::new(source)?;
    let target = CString::new(target.as_os_str().as_bytes())?;
    let fs_type = CString::new(fs_type)?;
    let data = CString::new(data)?;
    // SAFETY: all four are NUL-terminated and outlive the call, which reads
    // them and keeps none.
    let result = unsafe {
        libc::mount(
            source.as_ptr(),
            target.as_ptr(),
            fs_type.as_ptr(),
            flags,
            data.as_ptr().cast(),
        )
    };
    match result {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tmpfs(data: &str) -> MountCall {
        MountCall {
            source: "tmpfs".to_owned(),
            fs_type: "tmpfs".to_owned(),
            flags: libc::MS_NOSUID,
            propagation: 0,
            data: data.to_owned(),
        }
    }

    #[test]
    fn failures_are_told_as_dockerd_tells_them() {
        let error = io::Error::from_raw_os_error(libc::ENODEV);
        let call = tmpfs("username=u,password=secret");
        assert_eq!(
            call.failure(Path::new("/v/_data"), &error),
            "mount tmpfs:/v/_data, flags: 0x2, data: username=u,password=********: no such device"
        );
    }

    #[test]
    fn a_detached_mount_shows_nowhere() {
        let target = std::env::temp_dir().join(format!("dhow-call-{}", std::process::id()));
        std::fs::create_dir_all(&target).unwrap();
        let mounted = tmpfs("size=64k").detached(&target);
        let root = crate::tree::Root::from_fd(mounted.expect("this test needs root"));
        let flags = rustix::fs::OFlags::CREATE | rustix::fs::OFlags::WRONLY;
        root.open_in(b"file", flags, rustix::fs::Mode::RUSR)
            .unwrap();
        assert_eq!(std::fs::read_dir(&target).unwrap().count(), 0);
        std::fs::remove_dir(&target).unwrap();
        let missing = tmpfs("").detached(&target).unwrap_err();
        assert_eq!(missing.raw_os_error(), Some(libc::ENOENT));
    }
}
