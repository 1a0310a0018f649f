//! A whole machine for tests: another kernel, with control groups and modules
//! as most people have them, whatever this machine has.
//!
//! A [`Guest`] boots a distribution's kernel in an emulated machine, on a disk
//! made for it ([`Root`]), and runs scripts there, one at a time. It knows
//! nothing of engines. Nothing in it is simulated but the processor; nothing
//! of it stays, not even after the test was killed.

mod channel;
mod cpio;
mod kernel;
mod machine;
mod root;

use std::fs::File;
use std::io::{BufReader, Write as _};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use crate::outcome::Outcome;
use crate::program;
use crate::registry::last_lines;
use crate::wait::within;

pub use kernel::Kernel;
pub use machine::Size;
pub use root::Root;

use machine::{Machine, Parts};

/// How long booting may take: a second or two where nothing else runs.
const BOOTING: Duration = Duration::from_secs(120);
/// How long a script may take before it counts as hung.
const PATIENCE: Duration = Duration::from_secs(120);
/// The most that a guest can write; what it does not write takes no room.
const DISK: u64 = 4 << 30;
/// What the kernel needs to see its disk, if it is not built in.
const FIRST_MODULES: &[&str] = &["virtio_pci", "virtio_blk", "ext4"];

/// A running machine with nothing on it but an agent and what the test
/// brought.
pub struct Guest {
    machine: Machine,
    stream: BufReader<UnixStream>,
    console: File,
    /// Set when what comes over the stream can no longer be trusted.
    lost: bool,
}

impl Guest {
    /// Boots a machine with `root` as its disk, on top of busybox and the
    /// kernel's modules.
    ///
    /// # Panics
    /// When it does not come up; what its kernel said is in the message.
    #[track_caller]
    pub fn boot(root: Root, size: Size) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        let at = |name: &str| folder.path().join(name);
        let kernel = Kernel::of_distribution();
        with_basics(root, &kernel).write(&at("disk"), DISK);
        std::fs::write(at("initial"), initial(&kernel)).expect("a temporary file can be written");
        let console = File::create_new(at("console")).expect("a temporary file can be written");
        let errors = console.try_clone().expect("a file can be shared");
        let parts = Parts {
            kernel: &kernel.image,
            initial: &at("initial"),
            disk: &at("disk"),
            console: &at("console"),
            agent: &at("agent"),
        };
        let mut machine = Machine::start(parts, size, errors);
        let deadline = Instant::now() + BOOTING;
        let stream = within(BOOTING, || {
            assert!(machine.runs(), "QEMU ended:\n{}", said(&at("console")));
            UnixStream::connect(at("agent")).ok()
        });
        let stream = stream.unwrap_or_else(|| panic!("QEMU makes no socket"));
        let mut stream = BufReader::new(stream);
        let left = deadline.saturating_duration_since(Instant::now());
        let first = bounded(&stream, left).and_then(|()| channel::line(&mut stream));
        assert!(
            first.as_deref().is_ok_and(|line| line == channel::READY),
            "the guest does not come up: {first:?}\n{}",
            said(&at("console"))
        );
        let console = File::open(at("console")).expect("QEMU writes to this file");
        // All of it is open: without names, it goes when its users do.
        folder.close().expect("a temporary folder can be removed");
        Self {
            machine,
            stream,
            console,
            lost: false,
        }
    }

    /// Runs a script of the shell and waits for its end.
    ///
    /// # Panics
    /// When it does not end in time or the machine breaks down.
    #[track_caller]
    pub fn run(&mut self, script: &str) -> Outcome {
        assert!(!self.lost, "the guest was lost in an earlier script");
        // Until the whole answer was read.
        self.lost = true;
        let reply = bounded(&self.stream, PATIENCE)
            .and_then(|()| {
                let request = channel::request(script);
                self.stream.get_mut().write_all(request.as_bytes())
            })
            .and_then(|()| channel::reply(&mut self.stream));
        let reply = reply.unwrap_or_else(|error| {
            let state = match self.machine.runs() {
                true => "runs",
                false => "has ended",
            };
            panic!(
                "no answer to {script:?}: {error}; the machine {state}\n{}",
                self.console()
            )
        });
        self.lost = false;
        Outcome {
            command: script.to_owned(),
            code: reply.code,
            stdout: reply.stdout,
            stderr: reply.stderr,
        }
    }

    /// The last that the kernel said.
    pub fn console(&self) -> String {
        use std::os::unix::fs::FileExt as _;
        let length = self.console.metadata().map_or(0, |file| file.len());
        let mut bytes = vec![0; usize::try_from(length).unwrap_or(0)];
        let read = self.console.read_at(&mut bytes, 0).unwrap_or(0);
        last_lines(&String::from_utf8_lossy(&bytes[..read]), 40)
    }
}

/// What every guest has on its disk.
fn with_basics(root: Root, kernel: &Kernel) -> Root {
    let busybox = program::on_path("busybox").expect("this machine has busybox-static");
    let mut list = Command::new(&busybox);
    list.arg("--list-full");
    let mut root = root
        .folder("/proc")
        .folder("/sys")
        .folder("/dev")
        .folder("/run")
        .folder("/tmp")
        .folder("/root")
        .folder("/var/log")
        .tree(&format!("/lib/modules/{}", kernel.release), &kernel.modules)
        .file("/etc/passwd", 0o644, b"root:x:0:0:root:/root:/bin/sh\n")
        .file("/etc/group", 0o644, b"root:x:0:\n")
        .file("/etc/inittab", 0o644, INITTAB.as_bytes())
        .file("/etc/guest/start", 0o755, include_bytes!("start.sh"))
        .file("/etc/guest/agent", 0o755, include_bytes!("agent.sh"))
        .copy("/bin/busybox", &busybox);
    for applet in Outcome::of(list, b"").ok().lines() {
        if applet != "bin/busybox" {
            root = root.link(&format!("/{applet}"), "/bin/busybox");
        }
    }
    root
}

const INITTAB: &str = "::sysinit:/etc/guest/start\n::respawn:/etc/guest/agent\n";

/// The archive that the kernel starts from.
fn initial(kernel: &Kernel) -> Vec<u8> {
    let read = |path: &Path| {
        std::fs::read(path)
            .unwrap_or_else(|error| panic!("cannot read {}: {error}", path.display()))
    };
    let busybox = program::on_path("busybox").expect("this machine has busybox-static");
    let mut archive = cpio::Archive::default();
    for folder in ["bin", "dev", "modules", "root"] {
        archive = archive.folder(folder);
    }
    archive = archive
        .device("dev/console", 5, 1)
        .file("bin/busybox", 0o755, &read(&busybox));
    let mut names = Vec::new();
    for module in kernel.insertion_order(FIRST_MODULES) {
        let name = module.file_name().expect("a module has a name");
        let name = name.to_string_lossy().into_owned();
        archive = archive.file(&format!("modules/{name}"), 0o644, &read(&module));
        names.push(name);
    }
    let first = include_str!("first.sh").replace("@MODULES@", &names.join(" "));
    archive.file("init", 0o755, first.as_bytes()).bytes()
}

fn bounded(stream: &BufReader<UnixStream>, time: Duration) -> std::io::Result<()> {
    let stream = stream.get_ref();
    // Nothing at all would mean without end.
    let time = Some(time.max(Duration::from_millis(1)));
    stream.set_read_timeout(time)?;
    stream.set_write_timeout(time)
}

fn said(console: &Path) -> String {
    let bytes = std::fs::read(console).unwrap_or_default();
    last_lines(&String::from_utf8_lossy(&bytes), 40)
}

#[cfg(test)]
mod tests;
