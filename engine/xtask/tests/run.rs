//! `cargo xtask run`, as a newcomer sees it: a page, and afterwards nothing.
#![forbid(unsafe_code)]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

/// A run of the command, ended with the test.
struct Run {
    child: Child,
    stdout: BufReader<ChildStdout>,
}

impl Run {
    /// Starts it and returns the page's address once that is printed.
    fn start(name: &str) -> (Self, String) {
        let mut child = Command::new(env!("CARGO_BIN_EXE_xtask"))
            .args(["run", "--no-install", "--name", name])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut run = Self {
            stdout: BufReader::new(child.stdout.take().unwrap()),
            child,
        };
        let mut said = String::new();
        loop {
            let mut line = String::new();
            let length = run.stdout.read_line(&mut line).unwrap();
            assert!(length > 0, "it ended after: {said}");
            said.push_str(&line);
            if let Some(address) = line.trim().strip_prefix("http://") {
                return (run, address.trim_end_matches('/').to_owned());
            }
        }
    }

    fn signal(&self, signal: Signal) {
        kill(Pid::from_raw(self.child.id().cast_signed()), signal).unwrap();
    }

    /// What it printed after the address, and how it ended.
    fn end(mut self) -> (String, std::process::ExitStatus) {
        let mut rest = String::new();
        self.stdout.read_to_string(&mut rest).unwrap();
        (rest, self.child.wait().unwrap())
    }
}

impl Drop for Run {
    fn drop(&mut self) {
        if self.child.try_wait().is_ok_and(|status| status.is_none()) {
            self.signal(Signal::SIGINT);
            let _ = self.child.wait();
        }
    }
}

fn page(address: &str) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    stream
        .write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

/// Whatever the engine called `name` could have left.
fn traces(name: &str) -> Vec<String> {
    let full = format!("dhow-{name}");
    let mut found = Vec::new();
    let hierarchies = std::fs::read_dir("/sys/fs/cgroup")
        .unwrap()
        .flatten()
        .map(|entry| entry.path());
    let groups = hierarchies
        .chain([Path::new("/sys/fs/cgroup").to_owned()])
        .map(|path| path.join(&full));
    let places = [format!("/run/{full}"), format!("/sys/class/net/{full}0")].map(Into::into);
    for path in groups.chain(places) {
        if path.exists() {
            found.push(path.display().to_string());
        }
    }
    let tables = Command::new("nft")
        .args(["list", "tables"])
        .output()
        .unwrap();
    for text in [
        String::from_utf8_lossy(&tables.stdout).into_owned(),
        std::fs::read_to_string("/proc/self/mountinfo").unwrap(),
    ] {
        found.extend(
            text.lines()
                .filter(|line| line.contains(&full))
                .map(str::to_owned),
        );
    }
    found
}

#[test]
fn it_serves_a_page_and_leaves_nothing() {
    let (run, address) = Run::start("xtest");
    let page = page(&address);
    assert!(page.contains("<title>Welcome to Dhow</title>"), "{page}");
    assert!(
        !traces("xtest").is_empty(),
        "the engine runs where it is looked for"
    );
    run.signal(Signal::SIGINT);
    let (said, status) = run.end();
    assert!(status.success(), "{said}");
    assert!(
        said.contains("dhow/welcome") && said.contains("Up") && said.contains("Ctrl-C"),
        "{said}"
    );
    assert_eq!(traces("xtest"), Vec::<String>::new());
    assert!(TcpStream::connect(&address).is_err());
}

#[test]
fn what_a_killed_run_left_is_cleared_up_by_the_next() {
    let (run, address) = Run::start("xkill");
    run.signal(Signal::SIGKILL);
    let _ = run.end();
    assert!(
        page(&address).contains("Welcome"),
        "nobody told the container to end"
    );
    let (run, again) = Run::start("xkill");
    assert!(
        page(&again).contains("<dd>1</dd>"),
        "a new container, not the old one"
    );
    run.signal(Signal::SIGTERM);
    assert!(run.end().1.success());
    assert_eq!(traces("xkill"), Vec::<String>::new());
}
