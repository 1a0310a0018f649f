//! The machine that a guest runs on: QEMU, in software.
//!
//! Software emulation runs on every machine, with and without hardware for
//! it, and in virtual machines themselves. It is an ordinary computer, with
//! the timers of one: on QEMU's minimal machine the kernel has only the oldest
//! to measure its clock by, and hangs at that when this machine is busy.

use std::fs::File;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;

use crate::program;

/// What QEMU is given: all of these are files.
#[derive(Debug, Clone, Copy)]
pub struct Parts<'a> {
    pub kernel: &'a Path,
    pub initial: &'a Path,
    pub disk: &'a Path,
    /// Where the kernel's messages go.
    pub console: &'a Path,
    /// The socket on which the agent is reached; QEMU makes it.
    pub agent: &'a Path,
}

/// How large the machine is.
#[derive(Debug, Clone, Copy)]
pub struct Size {
    pub processors: u32,
    /// MiB.
    pub memory: u32,
}

/// A running machine, which ends with its value and with this process.
pub struct Machine {
    child: Child,
    /// Ends the thread that QEMU's life hangs on.
    _hold: mpsc::Sender<()>,
}

impl Machine {
    /// # Panics
    /// When QEMU is not there.
    #[track_caller]
    pub fn start(parts: Parts<'_>, size: Size, errors: File) -> Self {
        let qemu = program::on_path("qemu-system-x86_64")
            .expect("no qemu-system-x86_64: install qemu-system-x86, or run `cargo xtask test`");
        let setpriv = program::on_path("setpriv").expect("this machine has util-linux");
        let mut command = Command::new(setpriv);
        command
            .args(["--pdeathsig", "KILL", "--"])
            .arg(qemu)
            .args(arguments(parts, size))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(errors);
        // The kernel counts the death of a thread as that of the parent, and
        // a test's thread ends before the last user of a shared guest. So a
        // thread that does nothing else starts it, and stays.
        let (hold, held) = mpsc::channel();
        let (tell, started) = mpsc::channel();
        std::thread::spawn(move || {
            let _ = tell.send(command.spawn());
            let _: Result<(), _> = held.recv();
        });
        let child = started
            .recv()
            .expect("the thread tells")
            .unwrap_or_else(|error| panic!("cannot run QEMU: {error}"));
        Self { child, _hold: hold }
    }

    /// Whether it has not ended.
    pub fn runs(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn arguments(parts: Parts<'_>, size: Size) -> Vec<String> {
    let path = |path: &Path| path.display().to_string();
    let kernel = "console=ttyS0 loglevel=4 panic=-1 rdinit=/init";
    [
        "-nodefaults",
        "-no-user-config",
        "-no-reboot",
        "-machine",
        "q35,accel=tcg",
        "-cpu",
        "max",
        "-smp",
        &size.processors.to_string(),
        "-m",
        &format!("{}M", size.memory),
        "-display",
        "none",
        "-serial",
        &format!("file:{}", path(parts.console)),
        "-kernel",
        &path(parts.kernel),
        "-initrd",
        &path(parts.initial),
        "-append",
        kernel,
        // What is written need not outlive this machine.
        "-drive",
        &format!(
            "if=none,id=disk,format=raw,cache=unsafe,discard=unmap,file={}",
            path(parts.disk)
        ),
        "-device",
        "virtio-blk-pci,drive=disk",
        "-device",
        "virtio-serial-pci",
        "-chardev",
        &format!(
            "socket,id=agent,server=on,wait=off,path={}",
            path(parts.agent)
        ),
        "-device",
        "virtserialport,chardev=agent,name=agent",
    ]
    .iter()
    .map(|argument| (*argument).to_owned())
    .collect()
}
