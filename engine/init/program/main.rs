//! The first process of a container that was started with `--init`.
//!
//! It starts the container's program as its child, passes on every signal
//! that it gets, buries whichever processes are left to it, and ends as its
//! child ended: with the same code, or 128 and the signal's number. It does
//! nothing else: no configuration, no restarts, no log.
//!
//! It is written against the C library alone, without Rust's standard
//! library, to be small: one copy runs in every such container.
#![no_std]
#![no_main]

mod libc;

use core::ffi::{c_char, c_int};
use core::ptr::null;

use libc::SignalSet;

/// What a shell answers for a program that cannot be run, or is not there.
const NOT_EXECUTABLE: c_int = 126;
const NOT_FOUND: c_int = 127;

/// # Safety
/// To be called by the C library's start code only, with its arguments.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn main(count: c_int, words: *const *const c_char) -> c_int {
    // SAFETY: `words` has `count` strings and a null pointer behind them.
    let command = unsafe { command_of(count, words) };
    if command.is_null() {
        say(c"docker-init: no program given\n");
        return 1;
    }
    // Orphans come to the first process of the namespace; anywhere else
    // one has to ask for them.
    if libc::getpid() != 1 {
        libc::prctl(libc::PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
    }
    let mut before = SignalSet::empty();
    let waited_for = blocked_signals();
    libc::sigprocmask(libc::SIG_SETMASK, &waited_for, &mut before);
    // Becoming the background of our own terminal must not stop us.
    libc::signal(libc::SIGTTIN, libc::SIG_IGN);
    libc::signal(libc::SIGTTOU, libc::SIG_IGN);

    match libc::fork() {
        -1 => {
            say(c"docker-init: cannot fork\n");
            1
        }
        // SAFETY: `command` points at an argument vector that ends in null.
        0 => unsafe { become_program(command, &before) },
        child => watch(child, &waited_for),
    }
}

/// The program's own argument vector, or null if there is none.
///
/// # Safety
/// `words` must have `count` strings.
unsafe fn command_of(count: c_int, words: *const *const c_char) -> *const *const c_char {
    let mut first = 1;
    // SAFETY: the index is below `count`, and each word ends in a zero.
    if count > 1 && unsafe { is_separator(*words.add(1)) } {
        first = 2;
    }
    if first >= count {
        return null();
    }
    // SAFETY: as above.
    unsafe { words.add(first as usize) }
}

/// # Safety
/// `word` must be a string that ends in a zero.
unsafe fn is_separator(word: *const c_char) -> bool {
    // SAFETY: reading stops at the zero at the latest.
    unsafe { *word == b'-' as c_char && *word.add(1) == b'-' as c_char && *word.add(2) == 0 }
}

/// Everything but what tells of a fault of our own, which has to kill.
fn blocked_signals() -> SignalSet {
    let mut signals = SignalSet::empty();
    libc::sigfillset(&mut signals);
    for fault in libc::FAULTS {
        libc::sigdelset(&mut signals, fault);
    }
    signals
}

/// Runs in the child; returns only when the program cannot be run.
///
/// # Safety
/// `command` must be an argument vector that ends in null.
unsafe fn become_program(command: *const *const c_char, signals: &SignalSet) -> c_int {
    // A group of its own in the terminal's foreground, so that Ctrl-C goes
    // to the program once: from the terminal, not again through us.
    libc::setpgid(0, 0);
    libc::tcsetpgrp(0, libc::getpid());
    libc::signal(libc::SIGTTIN, libc::SIG_DFL);
    libc::signal(libc::SIGTTOU, libc::SIG_DFL);
    libc::sigprocmask(libc::SIG_SETMASK, signals, &mut SignalSet::empty());
    // SAFETY: the vector ends in null and its strings in zeros.
    unsafe {
        libc::execvp(*command, command);
    }
    // SAFETY: the C library's own place for this thread's error.
    let missing = unsafe { *libc::__errno_location() } == libc::ENOENT;
    say(if missing {
        c"docker-init: the program is not there\n"
    } else {
        c"docker-init: the program cannot be run\n"
    });
    libc::_exit(if missing { NOT_FOUND } else { NOT_EXECUTABLE })
}

fn watch(child: c_int, signals: &SignalSet) -> c_int {
    loop {
        let signal = libc::sigwaitinfo(signals, None);
        if signal > 0 && signal != libc::SIGCHLD {
            libc::kill(child, signal);
        }
        if let Some(code) = bury(child) {
            return code;
        }
    }
}

/// Buries all the dead there are; answers with the child's code once it is
/// among them.
fn bury(child: c_int) -> Option<c_int> {
    let mut code = None;
    loop {
        let mut status = 0;
        let dead = libc::waitpid(-1, &mut status, libc::WNOHANG);
        if dead <= 0 {
            return code;
        }
        if dead == child {
            code = Some(code_of(status));
        }
    }
}

/// Linux keeps the signal in the low seven bits and the code above them.
fn code_of(status: c_int) -> c_int {
    match status & 0x7f {
        0 => status >> 8 & 0xff,
        signal => 128 + signal,
    }
}

fn say(text: &core::ffi::CStr) {
    // SAFETY: the pointer and the length belong to `text`.
    unsafe {
        libc::write(2, text.as_ptr(), text.count_bytes());
    }
}

#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    libc::_exit(1)
}
