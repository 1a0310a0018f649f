//! Learning that the kernel killed a process for want of memory: by eventfd in
//! version 1, by inotify in version 2. Both only say that something happened;
//! the kernel's counter says whether it was a kill.

use std::fs;
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};

use rustix::event::EventfdFlags;
use rustix::fs::inotify;

use super::{Cgroup, Layout, value_of};

/// Readable when there may have been a kill.
#[derive(Debug)]
pub struct OomWatch {
    fd: OwnedFd,
}

impl OomWatch {
    pub(super) fn new(cgroup: &Cgroup) -> io::Result<Self> {
        let fd = match cgroup.layout() {
            Layout::V2 => {
                let dir = cgroup.v2_dir().ok_or(io::ErrorKind::Unsupported)?;
                let flags = inotify::CreateFlags::NONBLOCK | inotify::CreateFlags::CLOEXEC;
                let fd = inotify::init(flags)?;
                let changes = inotify::WatchFlags::MODIFY;
                inotify::add_watch(&fd, dir.join("memory.events"), changes)?;
                fd
            }
            _ => {
                let dir = cgroup.v1_dir("memory").ok_or(io::ErrorKind::Unsupported)?;
                let flags = EventfdFlags::NONBLOCK | EventfdFlags::CLOEXEC;
                let fd = rustix::event::eventfd(0, flags)?;
                let control = fs::File::open(dir.join("memory.oom_control"))?;
                let wiring = format!("{} {}", fd.as_raw_fd(), control.as_raw_fd());
                fs::write(dir.join("cgroup.event_control"), wiring)?;
                fd
            }
        };
        Ok(Self { fd })
    }

    /// Makes it unreadable until the next time.
    pub fn clear(&self) {
        let mut buffer = [0; 4096];
        while matches!(rustix::io::read(&self.fd, &mut buffer), Ok(n) if n > 8) {}
    }
}

impl AsFd for OomWatch {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

impl Cgroup {
    /// Has its processes wait for memory instead of being killed for want of
    /// it. Only version 1 can.
    pub fn disable_oom_killer(&self) -> io::Result<()> {
        let dir = self.v1_dir("memory").ok_or(io::ErrorKind::Unsupported)?;
        fs::write(dir.join("memory.oom_control"), "1")
    }
}

pub(super) fn kills(cgroup: &Cgroup) -> u64 {
    let file = match cgroup.layout() {
        Layout::V2 => cgroup.v2_dir().map(|dir| dir.join("memory.events")),
        _ => cgroup
            .v1_dir("memory")
            .map(|dir| dir.join("memory.oom_control")),
    };
    file.and_then(|file| fs::read_to_string(file).ok())
        .and_then(|table| value_of(&table, "oom_kill"))
        .unwrap_or(0)
}
