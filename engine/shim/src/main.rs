//! `dhow-shim`: the parent of one container. Starts it, keeps its terminal,
//! writes its log, serves its attached clients, probes its health, restarts it
//! by its policy, holds its published ports, and leaves word of how it ended.
//! The daemon may come and go meanwhile.
//!
//! One thread, no async runtime, no configuration but the files in the run
//! directory that is its argument. Knows nothing of images, networks, volumes
//! or HTTP.

mod child;
mod connection;
mod diagnosis;
mod life;
mod log;
mod made;
mod poller;
mod ports;
mod record;
mod rootfs;
mod streams;
mod supervisor;

use std::path::Path;
use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments: Vec<_> = std::env::args_os().collect();
    let [_, run_dir] = &arguments[..] else {
        eprintln!("usage: dhow-shim RUN-DIRECTORY (started by dhowd)");
        return ExitCode::FAILURE;
    };
    // Through /proc/self/fd the kernel names the process after the number.
    let _ = rustix::thread::set_name(c"dhow-shim");
    let run = |supervisor: supervisor::Supervisor| supervisor.run();
    match supervisor::Supervisor::new(Path::new(run_dir)).and_then(run) {
        Ok(()) => ExitCode::SUCCESS,
        Err(e) => {
            eprintln!("dhow-shim: {e}");
            ExitCode::FAILURE
        }
    }
}
