//! The init is run as it is, in front of shell scripts. It is not the first
//! process here, so it asks for orphans; everything else is as in a
//! container.

use std::io::{BufRead, BufReader, Read};
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::ExitStatusExt as _;
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};

/// The init as a file that can be run.
struct Init(PathBuf);

impl Init {
    fn new(test: &str) -> Self {
        let path = std::env::temp_dir().join(format!("dhow-init-{test}-{}", std::process::id()));
        std::fs::write(&path, super::program()).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
        Self(path)
    }

    fn spawn(&self, words: &[&str]) -> Child {
        // A test that forks at this moment may hold the file open for
        // writing a little longer than we do.
        loop {
            let mut command = Command::new(&self.0);
            command
                .args(words)
                .stdin(Stdio::null())
                .stdout(Stdio::piped())
                .stderr(Stdio::piped());
            match command.spawn() {
                Ok(child) => return child,
                Err(error) if error.kind() == std::io::ErrorKind::ExecutableFileBusy => {
                    std::thread::yield_now()
                }
                Err(error) => panic!("the init does not run: {error}"),
            }
        }
    }

    fn run(&self, words: &[&str]) -> Output {
        self.spawn(words).wait_with_output().unwrap()
    }
}

impl Drop for Init {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

#[test]
fn ends_as_its_child_ends() {
    let init = Init::new("code");
    let code = |script: &str| init.run(&["--", "sh", "-c", script]).status.code();
    assert_eq!(code("exit 0"), Some(0));
    assert_eq!(code("exit 42"), Some(42));
    assert_eq!(code("kill -KILL $$"), Some(137));
    assert_eq!(
        init.run(&["echo", "hi"]).stdout,
        b"hi\n",
        "the separator may be left out"
    );
}

#[test]
fn tells_a_missing_program_from_one_that_cannot_run() {
    let init = Init::new("missing");
    assert_eq!(
        init.run(&["--", "/no/such/program"]).status.code(),
        Some(127)
    );
    assert_eq!(init.run(&["--", "/etc/passwd"]).status.code(), Some(126));
    assert_eq!(init.run(&["--"]).status.code(), Some(1));
    assert_eq!(init.run(&[]).status.code(), Some(1));
}

#[test]
fn passes_signals_on() {
    let init = Init::new("signal");
    let script = "trap 'echo got USR1' USR1; trap 'echo got TERM; exit 7' TERM; echo ready; while :; do sleep 0.02; done";
    let mut child = init.spawn(&["--", "sh", "-c", script]);
    let mut lines = BufReader::new(child.stdout.take().unwrap())
        .lines()
        .map(Result::unwrap);
    assert_eq!(lines.next().as_deref(), Some("ready"));
    for (signal, heard) in [("USR1", "got USR1"), ("TERM", "got TERM")] {
        Command::new("kill")
            .args(["-s", signal, &child.id().to_string()])
            .status()
            .unwrap();
        assert_eq!(lines.next().as_deref(), Some(heard));
    }
    let status = child.wait().unwrap();
    assert_eq!((status.code(), status.signal()), (Some(7), None));
}

#[test]
fn the_child_gets_the_signals_that_the_init_was_given() {
    let init = Init::new("mask");
    let output = init.run(&["--", "grep", "-E", "^Sig(Blk|Ign)", "/proc/self/status"]);
    let own = std::fs::read_to_string("/proc/thread-self/status").unwrap();
    let told = String::from_utf8(output.stdout).unwrap();
    assert!(
        told.contains("SigBlk:\t0000000000000000"),
        "{told} while ours are {own}"
    );
    assert!(
        !told
            .lines()
            .any(|line| line.starts_with("SigIgn") && line.ends_with("300000")),
        "{told}"
    );
}

#[test]
fn buries_orphans() {
    let init = Init::new("orphans");
    // The inner shells die at once and leave their sleepers to the init.
    let script =
        "for i in 1 2 3; do sh -c 'sleep 0.05 & exit 0'; done; echo waiting; sleep 0.4; echo $PPID";
    let mut child = init.spawn(&["--", "sh", "-c", script]);
    let parent = child.id();
    let mut stdout = BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    stdout.read_line(&mut line).unwrap();
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(5);
    let children = format!("/proc/{parent}/task/{parent}/children");
    loop {
        let left = std::fs::read_to_string(&children)
            .unwrap()
            .split_whitespace()
            .count();
        if left <= 1 {
            break;
        }
        assert!(
            std::time::Instant::now() < deadline,
            "{left} children are left"
        );
        std::thread::yield_now();
    }
    line.clear();
    stdout.read_to_string(&mut line).unwrap();
    assert_eq!(
        line.trim(),
        parent.to_string(),
        "the program's parent is the init"
    );
    assert!(child.wait().unwrap().success());
}

#[test]
fn is_static_and_small() {
    let program = super::program();
    assert!(program.starts_with(b"\x7fELF"));
    let loader = b"/ld-linux";
    assert!(
        !program.windows(loader.len()).any(|window| window == loader),
        "it names no loader"
    );
    assert!(program.len() < 1 << 20, "{} bytes", program.len());
}
