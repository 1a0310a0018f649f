//! Ending on SIGTERM and SIGINT. As the first process of a container the
//! server gets no default action for them, so it has to ask.

use std::net::TcpListener;
use std::os::fd::AsRawFd;
use std::sync::atomic::{AtomicBool, AtomicI32, Ordering};

static ASKED: AtomicBool = AtomicBool::new(false);
static LISTENER: AtomicI32 = AtomicI32::new(-1);

const SIGINT: i32 = 2;
const SIGTERM: i32 = 15;
const SHUT_RDWR: i32 = 2;

// SAFETY: the declarations match the C library's on every Linux target, and
// both functions take plain numbers and a function that never unwinds.
unsafe extern "C" {
    safe fn signal(number: i32, handler: extern "C" fn(i32)) -> usize;
    safe fn shutdown(socket: i32, how: i32) -> i32;
}

/// Makes the signals end the accepting of connections.
pub fn on_signals(listener: &TcpListener) {
    LISTENER.store(listener.as_raw_fd(), Ordering::SeqCst);
    signal(SIGINT, ask);
    signal(SIGTERM, ask);
}

/// Whether a signal has come.
pub fn asked() -> bool {
    ASKED.load(Ordering::SeqCst)
}

/// Only what a signal handler may do: set a flag, and shut the listening
/// socket down, which wakes the one who accepts from it.
extern "C" fn ask(_signal: i32) {
    ASKED.store(true, Ordering::SeqCst);
    shutdown(LISTENER.load(Ordering::SeqCst), SHUT_RDWR);
}
