//! The few functions of the C library that the init calls, as Linux's C
//! libraries declare them.
//!
//! Those that can do no harm with the types given here are declared safe.

use core::ffi::{c_char, c_int, c_ulong};

/// Large enough for every C library's set of signals.
#[repr(C)]
pub struct SignalSet([u64; 16]);

impl SignalSet {
    pub const fn empty() -> Self {
        Self([0; 16])
    }
}

/// Never looked at: nobody here asks who sent a signal.
#[repr(C)]
pub struct SignalInfo([u64; 16]);

pub const ENOENT: c_int = 2;
pub const PR_SET_CHILD_SUBREAPER: c_int = 36;
pub const SIG_DFL: usize = 0;
pub const SIG_IGN: usize = 1;
pub const SIG_SETMASK: c_int = 2;
pub const SIGCHLD: c_int = 17;
pub const SIGTTIN: c_int = 21;
pub const SIGTTOU: c_int = 22;
pub const WNOHANG: c_int = 1;

/// ILL, TRAP, ABRT, BUS, FPE, SEGV, SYS.
pub const FAULTS: [c_int; 7] = [4, 5, 6, 7, 8, 11, 31];

// The unwinder that glibc's own cold paths name lies in a library of its
// own, which needs glibc in turn.
#[link(name = "c", kind = "static")]
#[cfg_attr(target_env = "gnu", link(name = "gcc_eh", kind = "static"))]
#[link(name = "c", kind = "static")]
// SAFETY: the declarations match the C library's on every Linux target; a
// safe one takes only numbers and references, and keeps none of them.
unsafe extern "C" {
    pub safe fn _exit(code: c_int) -> !;
    pub safe fn fork() -> c_int;
    pub safe fn getpid() -> c_int;
    pub safe fn kill(process: c_int, signal: c_int) -> c_int;
    pub safe fn prctl(option: c_int, a: c_ulong, b: c_ulong, c: c_ulong, d: c_ulong) -> c_int;
    pub safe fn setpgid(process: c_int, group: c_int) -> c_int;
    pub safe fn sigdelset(set: &mut SignalSet, signal: c_int) -> c_int;
    pub safe fn sigfillset(set: &mut SignalSet) -> c_int;
    pub safe fn signal(number: c_int, handler: usize) -> usize;
    pub safe fn sigprocmask(how: c_int, set: &SignalSet, old: &mut SignalSet) -> c_int;
    pub safe fn sigwaitinfo(set: &SignalSet, info: Option<&mut SignalInfo>) -> c_int;
    pub safe fn tcsetpgrp(terminal: c_int, group: c_int) -> c_int;
    pub safe fn waitpid(process: c_int, status: &mut c_int, options: c_int) -> c_int;

    pub fn __errno_location() -> *mut c_int;
    pub fn execvp(program: *const c_char, words: *const *const c_char) -> c_int;
    pub fn write(file: c_int, bytes: *const c_char, count: usize) -> isize;
}
