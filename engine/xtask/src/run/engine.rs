//! The engine that `run` shows, and the end of it.

use std::fs::File;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use nix::sys::signal::{SigSet, Signal};

use crate::command::{as_root, output, run};

/// Short, because a socket's path is limited to 108 bytes.
const RUN: &str = "/run/dhow-run";
const BRIDGE: &str = "dhow-run0";
const SUBNET: &str = "10.214.0.1/24";
const CGROUP: &str = "dhow-run";
const PATIENCE: Duration = Duration::from_secs(30);

/// A daemon of ours, with everything that belongs to it.
pub struct Engine {
    programs: PathBuf,
    folder: PathBuf,
    daemon: Child,
}

/// Signals that end the run, held back until somebody waits for them.
pub struct Signals(SigSet);

/// Why waiting is over.
pub enum Ended {
    /// A person, or the system, asked.
    Asked,
    /// The daemon ended by itself.
    Died(ExitStatus),
}

/// From here on, Ctrl-C kills nobody: it is waited for. Programs that we
/// start get it as usual, because Rust starts them with no signal blocked.
pub fn catch_signals() -> Result<Signals> {
    let mut set = SigSet::empty();
    for signal in [
        Signal::SIGINT,
        Signal::SIGTERM,
        Signal::SIGHUP,
        Signal::SIGCHLD,
    ] {
        set.add(signal);
    }
    set.thread_block()?;
    Ok(Signals(set))
}

impl Engine {
    /// Clears up after a killed run, then starts the daemon and waits until
    /// it answers.
    pub fn start(programs: &Path, folder: &Path) -> Result<Self> {
        std::fs::create_dir_all(folder)?;
        sweep(programs, folder)?;
        run(&mut as_root("mkdir", &["-p", RUN]))?;
        let log = File::create(log_file(folder))?;
        let daemon = daemon_command(programs, folder)
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            // Ctrl-C is for us; the daemon is asked once its containers
            // are gone.
            .process_group(0)
            .spawn()
            .context("cannot run dhowd")?;
        let mut engine = Self {
            programs: programs.to_owned(),
            folder: folder.to_owned(),
            daemon,
        };
        if let Err(error) = engine.wait_until_up() {
            let words = engine.last_words();
            engine.stop()?;
            bail!("{error:#}\n{words}");
        }
        Ok(engine)
    }

    /// Runs our client against the daemon and returns what it printed.
    pub fn dhow(&self, arguments: &[&str]) -> Result<String> {
        let host = format!("--host={}", self.host());
        let mut words = vec![host.as_str()];
        words.extend_from_slice(arguments);
        output(&mut as_root(self.programs.join("dhow"), &words))
    }

    pub fn host(&self) -> String {
        format!("unix://{RUN}/dhow.sock")
    }

    pub fn programs(&self) -> &Path {
        &self.programs
    }

    /// Asks for the page until it comes.
    pub fn wait_for_page(&mut self, port: u16) -> Result<()> {
        self.wait_for("the page", || page_is_up(port))
    }

    /// Waits for a signal, or for the daemon's end.
    pub fn wait(&mut self, signals: &Signals) -> Result<Ended> {
        loop {
            if signals.0.wait()? != Signal::SIGCHLD {
                return Ok(Ended::Asked);
            }
            if let Some(status) = self.daemon.try_wait()? {
                return Ok(Ended::Died(status));
            }
        }
    }

    /// Removes the containers, ends the daemon, removes what is left.
    pub fn stop(&mut self) -> Result<()> {
        if self.daemon.try_wait()?.is_none() {
            self.remove_containers();
            self.terminate()?;
        }
        sweep(&self.programs, &self.folder)
    }

    /// The end of the daemon's log.
    pub fn last_words(&self) -> String {
        let log = std::fs::read_to_string(log_file(&self.folder)).unwrap_or_default();
        let lines: Vec<&str> = log.lines().collect();
        lines[lines.len().saturating_sub(15)..].join("\n")
    }

    /// Containers get their stop signal, so that they may end well; a daemon
    /// that no longer answers is ended all the same.
    fn remove_containers(&self) {
        let Ok(listing) = self.dhow(&["ps", "--all", "--quiet"]) else {
            return;
        };
        let names: Vec<&str> = listing.lines().collect();
        if names.is_empty() {
            return;
        }
        for words in [
            &["stop", "--time", "5"][..],
            &["rm", "--force", "--volumes"],
        ] {
            let _ = self.dhow(&[words, &names].concat());
        }
    }

    fn terminate(&mut self) -> Result<()> {
        let process = self.daemon.id().to_string();
        run(&mut as_root("kill", &[&process]))?;
        let deadline = Instant::now() + PATIENCE;
        while self.daemon.try_wait()?.is_none() {
            if Instant::now() > deadline {
                // The sweep that follows kills it.
                eprintln!("dhowd does not end on SIGTERM");
                return Ok(());
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(())
    }

    fn wait_until_up(&mut self) -> Result<()> {
        let programs = self.programs.clone();
        let host = format!("--host={}", self.host());
        self.wait_for("dhowd", || {
            output(&mut as_root(programs.join("dhow"), &[&host, "version"])).is_ok()
        })
    }

    fn wait_for(&mut self, what: &str, up: impl Fn() -> bool) -> Result<()> {
        let deadline = Instant::now() + PATIENCE;
        while !up() {
            if let Some(status) = self.daemon.try_wait()? {
                bail!("dhowd ended: {status}");
            }
            if Instant::now() > deadline {
                bail!("{what} does not answer");
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        Ok(())
    }
}

fn daemon_command(programs: &Path, folder: &Path) -> Command {
    // Nothing of a dhowd that the machine has otherwise is read or touched.
    std::fs::write(folder.join("daemon.json"), "{}").ok();
    let path = |name: &str| folder.join(name).display().to_string();
    let flags = [
        format!("--host=unix://{RUN}/dhow.sock"),
        format!("--data-root={}", path("data")),
        format!("--exec-root={RUN}/exec"),
        format!("--pidfile={RUN}/dhowd.pid"),
        format!("--config-file={}", path("daemon.json")),
        format!("--bridge={BRIDGE}"),
        format!("--bip={SUBNET}"),
        format!("--cgroup-parent=/{CGROUP}"),
    ];
    let flags: Vec<&str> = flags.iter().map(String::as_str).collect();
    as_root(programs.join("dhowd"), &flags)
}

/// Removes every trace of an engine with our names.
fn sweep(programs: &Path, folder: &Path) -> Result<()> {
    let footprint = folder.join("footprint.json");
    let text = serde_json::json!({
        "run": RUN, "data": folder.join("data"), "bridge": BRIDGE, "cgroup": CGROUP,
    });
    std::fs::write(&footprint, text.to_string())?;
    run(as_root(programs.join("dhow-sweep"), &[]).arg(&footprint))
}

fn log_file(folder: &Path) -> PathBuf {
    folder.join("dhowd.log")
}

fn page_is_up(port: u16) -> bool {
    let ask = || -> std::io::Result<String> {
        let mut stream = TcpStream::connect(("127.0.0.1", port))?;
        stream.set_read_timeout(Some(Duration::from_secs(5)))?;
        stream.write_all(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        Ok(answer)
    };
    ask().is_ok_and(|answer| answer.starts_with("HTTP/1.1 200"))
}
