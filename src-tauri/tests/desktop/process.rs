//! Programs that end with the test, with everything that they started.

use std::io::{BufRead, BufReader};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;

/// A program and its process group.
pub struct Group(Child);

impl Group {
    /// Starts it.
    #[track_caller]
    pub fn start(command: &Command) -> Self {
        Self::spawn(bound(command).stdout(Stdio::null()))
    }

    /// Starts it, and waits for the first line that it prints.
    #[track_caller]
    pub fn start_and_hear(command: &Command) -> (Self, String) {
        let mut group = Self::spawn(bound(command).stdout(Stdio::piped()));
        let output = group.0.stdout.take().expect("its output is piped");
        let mut output = BufReader::new(output);
        let mut line = String::new();
        output.read_line(&mut line).expect("its output is read");
        // Whatever else it says is to go somewhere.
        std::thread::spawn(move || std::io::copy(&mut output, &mut std::io::sink()));
        (group, line.trim().to_owned())
    }

    pub fn id(&self) -> i32 {
        i32::try_from(self.0.id()).expect("a process id fits")
    }

    /// Waits until it has ended, and says whether it ended well.
    #[track_caller]
    pub fn wait(&mut self) -> bool {
        let ended = dhow_testkit::wait::within(Duration::from_secs(20), || {
            self.0.try_wait().expect("a child can be waited for")
        });
        ended.expect("the program ends").success()
    }

    #[track_caller]
    fn spawn(command: &mut Command) -> Self {
        let child = command
            .process_group(0)
            .stdin(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        Self(child.unwrap_or_else(|error| panic!("{command:?}: {error}")))
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        let _ = killpg(Pid::from_raw(self.id()), Signal::SIGKILL);
        let _ = self.0.wait();
    }
}

/// The same command, of a program that ends even with a test that is killed.
fn bound(command: &Command) -> Command {
    let mut bound = Command::new("setpriv");
    bound
        .args(["--pdeathsig", "KILL", "--"])
        .arg(command.get_program())
        .args(command.get_args());
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => bound.env(name, value),
            None => bound.env_remove(name),
        };
    }
    bound
}

/// Every process there is.
pub fn all() -> Vec<i32> {
    let entries = std::fs::read_dir("/proc").expect("there is /proc");
    entries
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
        .collect()
}
