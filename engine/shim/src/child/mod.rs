//! Processes forked off the shim. Everything that parses specs, joins
//! namespaces or calls libcontainer happens in such a process, so that the
//! shim itself stays small, is never blocked by it and cannot be broken by it.

pub mod exec;
pub mod executable;
pub mod init;
mod propagation;
pub mod report;
mod spec;
mod steps;
pub mod terminal;

use std::io;
use std::os::fd::{AsFd, OwnedFd};

use dhow_sys::fdpass;
pub use rustix::process::Pid;
use rustix::process::{WaitOptions, waitpid};

/// Forks. The child runs `body` and ends with the code it returns.
pub fn fork(body: impl FnOnce() -> i32) -> io::Result<Pid> {
    // SAFETY: this process has one thread, so the child's copy of every lock
    // and of the allocator is in a consistent state.
    let pid = unsafe { libc::fork() };
    if pid == 0 {
        run(body)
    }
    Pid::from_raw(pid)
        .filter(|_| pid > 0)
        .ok_or_else(io::Error::last_os_error)
}

/// Forks a child whose parent is the caller's parent: in a process forked off
/// the shim it makes another child of the shim.
pub fn fork_sibling(body: impl FnOnce() -> i32) -> io::Result<Pid> {
    let flags = libc::CLONE_PARENT as libc::c_ulong | libc::SIGCHLD as libc::c_ulong;
    let none = 0 as libc::c_ulong;
    // SAFETY: without CLONE_VM and with no stack given this is a fork with
    // another parent. The C library is not told, which matters only for
    // threads and for its cached process number, and neither is used here.
    let pid = unsafe { libc::syscall(libc::SYS_clone, flags, none, none, none, none) };
    if pid == 0 {
        run(body)
    }
    i32::try_from(pid)
        .ok()
        .filter(|pid| *pid > 0)
        .and_then(Pid::from_raw)
        .ok_or_else(io::Error::last_os_error)
}

/// Has a child open something that cannot be opened from here.
pub fn fetch(open: impl FnOnce() -> io::Result<OwnedFd>) -> io::Result<OwnedFd> {
    let (ours, theirs) = std::os::unix::net::UnixStream::pair()?;
    let child = fork(|| match open() {
        Ok(fd) => i32::from(fdpass::send_all(&theirs, b"+", Some(fd.as_fd())).is_err()),
        Err(e) => {
            let number = e.raw_os_error().unwrap_or(libc::EIO);
            i32::from(fdpass::send_all(&theirs, number.to_string().as_bytes(), None).is_err())
        }
    })?;
    drop(theirs);
    let (mut answer, mut fds) = ([0; 16], Vec::new());
    let length = fdpass::recv(&ours, &mut answer, &mut fds)?;
    wait(child);
    fds.pop().ok_or_else(|| {
        let number = std::str::from_utf8(&answer[..length]).unwrap_or_default();
        io::Error::from_raw_os_error(number.parse().unwrap_or(libc::EIO))
    })
}

/// Waits for a child to end, if it is still there to be waited for.
pub fn wait(pid: Pid) {
    while let Err(rustix::io::Errno::INTR) = waitpid(Some(pid), WaitOptions::empty()) {}
}

/// Waits for a child and tells its exit code; one that was killed has 255.
pub fn wait_code(pid: Pid) -> i32 {
    loop {
        match waitpid(Some(pid), WaitOptions::empty()) {
            Err(rustix::io::Errno::INTR) => {}
            Ok(Some((_, status))) => return status.exit_status().unwrap_or(255),
            Ok(None) | Err(_) => return 255,
        }
    }
}

fn run(body: impl FnOnce() -> i32) -> ! {
    reset_signals();
    let body = std::panic::AssertUnwindSafe(body);
    let code = std::panic::catch_unwind(body).unwrap_or(101);
    // SAFETY: ends the process at once, without running what the parent
    // registered to be run at its own end.
    unsafe { libc::_exit(code) }
}

/// Gives a child the signal handling programs expect to be started with.
fn reset_signals() {
    // SAFETY: the set is initialised by `sigemptyset`; the dispositions are
    // set to the default, so no handler can run.
    unsafe {
        let mut none = std::mem::MaybeUninit::uninit();
        libc::sigemptyset(none.as_mut_ptr());
        libc::sigprocmask(libc::SIG_SETMASK, none.as_ptr(), std::ptr::null_mut());
        libc::signal(libc::SIGPIPE, libc::SIG_DFL);
    }
}
