//! Starting programs quickly and detached, with chosen descriptors, and the
//! small process-wide switches a supervisor needs.

use std::ffi::{CStr, CString};
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};
use std::path::Path;
use std::ptr;

use crate::pidfd::PidFd;

/// A program to run, opened once. Where the kernel allows it is held through a
/// read-only mount of its own, so that nobody who gets at `/proc/<pid>/exe` of
/// a process that runs it can write to the file.
#[derive(Debug)]
pub struct Program {
    file: OwnedFd,
    sealed: bool,
}

/// A process just started, the caller's child.
#[derive(Debug)]
pub struct Spawned {
    pub pid: u32,
    pub pidfd: PidFd,
}

impl Program {
    /// Opens the program at `path`.
    pub fn open(path: &Path) -> io::Result<Self> {
        match crate::mount::clone_read_only(path) {
            Ok(file) => Ok(Self { file, sealed: true }),
            Err(_) => {
                use rustix::fs::{Mode, OFlags, open};
                let file = open(path, OFlags::PATH | OFlags::CLOEXEC, Mode::empty())?;
                Ok(Self {
                    file,
                    sealed: false,
                })
            }
        }
    }

    /// Whether running processes are protected from having it overwritten.
    pub fn is_sealed(&self) -> bool {
        self.sealed
    }

    /// Starts the program in a session of its own with an empty environment,
    /// default signal handling, and exactly these descriptors: each one under
    /// the number beside it. The caller's memory is not copied (vfork).
    pub fn spawn(
        &self,
        arguments: &[&CStr],
        fds: &[(BorrowedFd<'_>, RawFd)],
    ) -> io::Result<Spawned> {
        // Numbers given and numbers wanted may overlap in any way, so each one,
        // and the program's, is first moved out of the way of all wanted.
        let floor = fds.iter().map(|(_, number)| number + 1).max().unwrap_or(0);
        let moved: Vec<OwnedFd> = fds
            .iter()
            .map(|(fd, _)| rustix::io::fcntl_dupfd_cloexec(fd, floor))
            .collect::<Result<_, _>>()?;
        let file = rustix::io::fcntl_dupfd_cloexec(&self.file, floor)?;
        let path = CString::new(format!("/proc/self/fd/{}", file.as_raw_fd()))?;
        let mut argv: Vec<*mut libc::c_char> =
            arguments.iter().map(|a| a.as_ptr().cast_mut()).collect();
        argv.push(ptr::null_mut());
        let environment: [*mut libc::c_char; 1] = [ptr::null_mut()];

        let mut setup = SpawnSetup::new()?;
        for (fd, (_, number)) in moved.iter().zip(fds) {
            setup.dup(fd.as_raw_fd(), *number)?;
        }
        let mut pid = 0;
        // SAFETY: path, argv and environment are NUL-terminated and, with the
        // two objects of `setup`, live until the call returns.
        check(unsafe {
            libc::posix_spawn(
                &mut pid,
                path.as_ptr(),
                &setup.actions,
                &setup.attributes,
                argv.as_ptr(),
                environment.as_ptr(),
            )
        })?;
        let pid = pid.cast_unsigned();
        // Not waited for yet, so the number is still this child's.
        Ok(Spawned {
            pid,
            pidfd: PidFd::open(pid)?,
        })
    }
}

/// The C library's two objects that describe a spawn, freed together.
struct SpawnSetup {
    actions: libc::posix_spawn_file_actions_t,
    attributes: libc::posix_spawnattr_t,
}

/// From `spawn.h`; the libc crate does not name it for every target.
const POSIX_SPAWN_SETSID: libc::c_int = 0x80;

impl SpawnSetup {
    fn new() -> io::Result<Self> {
        let mut actions = MaybeUninit::uninit();
        let mut attributes = MaybeUninit::uninit();
        // SAFETY: both are initialised by these calls before they are used;
        // the sets are initialised by `sigemptyset` and `sigfillset`.
        unsafe {
            check(libc::posix_spawn_file_actions_init(actions.as_mut_ptr()))?;
            check(libc::posix_spawnattr_init(attributes.as_mut_ptr()))?;
            let mut setup = Self {
                actions: actions.assume_init(),
                attributes: attributes.assume_init(),
            };
            let mut signals = MaybeUninit::uninit();
            libc::sigemptyset(signals.as_mut_ptr());
            check(libc::posix_spawnattr_setsigmask(
                &mut setup.attributes,
                signals.as_ptr(),
            ))?;
            libc::sigfillset(signals.as_mut_ptr());
            check(libc::posix_spawnattr_setsigdefault(
                &mut setup.attributes,
                signals.as_ptr(),
            ))?;
            let flags =
                libc::POSIX_SPAWN_SETSIGMASK | libc::POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSID;
            check(libc::posix_spawnattr_setflags(
                &mut setup.attributes,
                flags as libc::c_short,
            ))?;
            Ok(setup)
        }
    }

    fn dup(&mut self, from: RawFd, to: RawFd) -> io::Result<()> {
        // SAFETY: the actions were initialised in `new`.
        check(unsafe { libc::posix_spawn_file_actions_adddup2(&mut self.actions, from, to) })
    }
}

impl Drop for SpawnSetup {
    fn drop(&mut self) {
        // SAFETY: both were initialised in `new` and are not used again.
        unsafe {
            libc::posix_spawn_file_actions_destroy(&mut self.actions);
            libc::posix_spawnattr_destroy(&mut self.attributes);
        }
    }
}

fn check(error: libc::c_int) -> io::Result<()> {
    match error {
        0 => Ok(()),
        error => Err(io::Error::from_raw_os_error(error)),
    }
}

/// Takes ownership of a descriptor this process was started with, and closes
/// it on exec from now on. Fails if there is no such descriptor.
pub fn inherited(number: RawFd) -> io::Result<OwnedFd> {
    // SAFETY: F_GETFD touches no memory; it only tells whether the number is
    // an open descriptor.
    if number < 3 || unsafe { libc::fcntl(number, libc::F_GETFD) } < 0 {
        return Err(io::Error::from_raw_os_error(libc::EBADF));
    }
    // SAFETY: the number is open, and the caller says that it was inherited:
    // nothing else in this process owns it.
    let fd = unsafe { OwnedFd::from_raw_fd(number) };
    rustix::io::fcntl_setfd(&fd, rustix::io::FdFlags::CLOEXEC)?;
    Ok(fd)
}

/// Closes all descriptors from this number on. For a program that has just
/// begun and owns none of them yet.
pub fn close_from(first: RawFd) -> io::Result<()> {
    let first = libc::c_uint::try_from(first).unwrap_or(3).max(3);
    // SAFETY: the caller owns no descriptor in the range, so nobody will use
    // one that is closed here.
    let result = unsafe { libc::syscall(libc::SYS_close_range, first, libc::c_uint::MAX, 0) };
    match result {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read;
    use std::os::fd::AsFd;

    use super::*;

    #[test]
    fn descriptors_arrive_under_their_numbers_even_when_they_cross() {
        let program = Program::open(Path::new("/bin/busybox")).unwrap();
        let (mut first, a) = std::io::pipe().unwrap();
        let (mut second, b) = std::io::pipe().unwrap();
        // Ask for each one under the other's number.
        let (to_a, to_b) = (b.as_raw_fd(), a.as_raw_fd());
        let script = CString::new(format!("echo one >&{to_a}; echo two >&{to_b}")).unwrap();
        let spawned = program
            .spawn(
                &[c"sh", c"-c", &script],
                &[(a.as_fd(), to_a), (b.as_fd(), to_b)],
            )
            .unwrap();
        drop((a, b));
        assert_eq!(spawned.pidfd.wait().unwrap().code(), 0);
        let mut text = String::new();
        first.read_to_string(&mut text).unwrap();
        second.read_to_string(&mut text).unwrap();
        assert_eq!(text, "one\ntwo\n");
    }

    #[test]
    fn a_sealed_program_cannot_be_written_through_its_process() {
        let copy = std::env::temp_dir().join(format!("dhow-sealed-{}", std::process::id()));
        std::fs::copy("/bin/busybox", &copy).unwrap();
        let program = Program::open(&copy).unwrap();
        assert!(program.is_sealed(), "this test needs root");
        let spawned = program.spawn(&[c"sleep", c"60"], &[]).unwrap();
        let exe = std::fs::File::open(format!("/proc/{}/exe", spawned.pid)).unwrap();
        spawned.pidfd.signal(libc::SIGKILL).unwrap();
        spawned.pidfd.wait().unwrap();
        // No longer busy: only the mount stands in the way of writing.
        let again = format!("/proc/self/fd/{}", exe.as_raw_fd());
        let refused = std::fs::File::options()
            .write(true)
            .open(again)
            .unwrap_err();
        std::fs::remove_file(&copy).unwrap();
        assert_eq!(refused.raw_os_error(), Some(libc::EROFS));
    }
}
