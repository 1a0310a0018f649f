//! A daemon for a test: started, asked, stopped, and cleaned up after.

use std::fs::File;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

/// How long anything may take before a test gives up on it.
const PATIENCE: Duration = Duration::from_secs(20);

/// A directory for one engine, and names that no other engine has.
pub struct Place {
    pub dir: TempDir,
    name: String,
}

/// A running daemon; ended when dropped.
pub struct Daemon {
    child: Child,
    pub socket: PathBuf,
    log: PathBuf,
}

impl Place {
    pub fn new() -> Self {
        assert!(
            nix::unistd::Uid::effective().is_root(),
            "this test starts dhowd and needs root"
        );
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        Self {
            dir: tempfile::tempdir().unwrap(),
            name: format!("dt{}x{count}", std::process::id() % 1_000_000),
        }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// `dhowd` with everything of its own; more arguments may follow.
    pub fn command(&self) -> Command {
        let mut command = dhowd();
        command
            .arg("--data-root")
            .arg(self.path("data"))
            .arg("--exec-root")
            .arg(self.path("exec"))
            .args(["--bridge", &self.name, "--cgroup-parent", &self.name])
            .arg("--stop-containers-on-exit")
            // No container is started here, so any program will do.
            .args(["--shim-path", "/bin/true"]);
        command
    }

    /// A daemon on `dhow.sock` with these further arguments.
    pub fn start(&self, arguments: &[&str]) -> Daemon {
        let socket = self.path("dhow.sock");
        let mut command = self.command();
        command
            .arg("-H")
            .arg(format!("unix://{}", socket.display()))
            .args(arguments);
        Daemon::spawn(command, socket, self.path("log"))
    }
}

/// The program, without a configuration file of this machine's.
pub fn dhowd() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_dhowd"));
    command
        .env_remove("DHOW_ALLOW_INSECURE_TCP")
        .env_remove("NOTIFY_SOCKET");
    command
}

/// Runs a command that has to fail: exit 1, one line on stderr with `words`.
#[track_caller]
pub fn refused(mut command: Command, words: &str) {
    let Output {
        status,
        stdout,
        stderr,
    } = command.output().unwrap();
    let line = String::from_utf8(stderr).unwrap();
    assert_eq!(status.code(), Some(1), "{line}");
    assert!(stdout.is_empty());
    assert!(line.contains(words), "{line:?} does not say {words:?}");
    assert_eq!(line.matches('\n').count(), 1, "{line:?} is not one line");
}

impl Daemon {
    /// Starts `command` and waits until the daemon serves.
    pub fn spawn(mut command: Command, socket: PathBuf, log: PathBuf) -> Self {
        let child = command
            .stdin(Stdio::null())
            .stderr(File::create(&log).unwrap())
            .spawn()
            .unwrap();
        let mut daemon = Self { child, socket, log };
        daemon.wait_for("daemon has completed initialization");
        daemon
    }

    /// Waits until the log says `words`.
    #[track_caller]
    pub fn wait_for(&mut self, words: &str) {
        let deadline = Instant::now() + PATIENCE;
        while !self.log().contains(words) {
            let ended = self.child.try_wait().unwrap();
            assert!(ended.is_none(), "dhowd ended: {}", self.log());
            assert!(Instant::now() < deadline, "no {words:?} in {}", self.log());
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    pub fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap()
    }

    /// The address that the log shows for the TCP listener.
    pub fn tcp_address(&self) -> String {
        let log = self.log();
        let start = log.find("tcp://").expect("no TCP listener") + "tcp://".len();
        log[start..].split_whitespace().next().unwrap().to_owned()
    }

    pub fn signal(&self, signal: nix::sys::signal::Signal) {
        let pid = nix::unistd::Pid::from_raw(self.child.id().try_into().unwrap());
        nix::sys::signal::kill(pid, signal).unwrap();
    }

    /// Ends it without warning, as a crash would.
    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// SIGTERM, and the way it went.
    pub fn stop(mut self) -> ExitStatus {
        self.signal(nix::sys::signal::Signal::SIGTERM);
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            assert!(
                Instant::now() < deadline,
                "dhowd does not go: {}",
                self.log()
            );
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    pub fn get(&self, path: &str) -> String {
        get_unix(&self.socket, path)
    }

    /// A request with a JSON body, or none; its status and its JSON answer.
    pub fn send(&self, method: &str, path: &str, body: &str) -> (u16, Value) {
        let mut stream = UnixStream::connect(&self.socket).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        write!(
            stream,
            "{method} {path} HTTP/1.1\r\nHost: dhow\r\nConnection: close\r\n\
             Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        )
        .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        (status, serde_json::from_str(body).unwrap())
    }
}

impl Drop for Daemon {
    /// Told to go first, so that it takes its bridge and rules along.
    fn drop(&mut self) {
        if self.child.try_wait().is_ok_and(|ended| ended.is_some()) {
            return;
        }
        self.signal(nix::sys::signal::Signal::SIGTERM);
        let deadline = Instant::now() + PATIENCE;
        while Instant::now() < deadline && self.child.try_wait().is_ok_and(|e| e.is_none()) {
            std::thread::sleep(Duration::from_millis(10));
        }
        let _gone_already = self.child.kill();
        let _gone_already = self.child.wait();
    }
}

/// The whole answer to `GET path`.
fn get(mut stream: impl Read + Write, path: &str) -> String {
    write!(
        stream,
        "GET {path} HTTP/1.1\r\nHost: dhow\r\nConnection: close\r\n\r\n"
    )
    .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

pub fn get_unix(socket: &Path, path: &str) -> String {
    let stream = UnixStream::connect(socket).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    get(stream, path)
}

pub fn get_tcp(address: &str, path: &str) -> String {
    let stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    get(stream, path)
}

pub fn write(path: &Path, text: &str) {
    std::fs::write(path, text).unwrap();
}
