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

use crate::command::{as_root, output, run, shown};

/// What the names of runs' folders begin with.
pub const PREFIX: &str = "dhow-";
/// The file in which a run says what it may leave.
pub const FOOTPRINT: &str = "footprint.json";

const PATIENCE: Duration = Duration::from_secs(30);

/// A daemon of ours, with everything that belongs to it.
pub struct Engine {
    place: Place,
    daemon: Child,
}

/// Everything that two engines must not share.
pub struct Place {
    programs: PathBuf,
    /// Data, configuration, log.
    folder: PathBuf,
    /// Sockets; short, because a socket's path is limited to 108 bytes.
    run: String,
    bridge: String,
    cgroup: String,
}

impl Place {
    /// The place of the engine called `name`, run from `programs`.
    pub fn new(name: &str, programs: &Path, target: &Path) -> Result<Self> {
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
        if name.is_empty() || name.len() > 8 || !name.chars().all(plain) {
            bail!("a name is made of up to eight small letters and digits, unlike {name}");
        }
        Ok(Self {
            programs: programs.to_owned(),
            folder: target.join(format!("{PREFIX}{name}")),
            run: format!("/run/dhow-{name}"),
            bridge: format!("dhow-{name}0"),
            cgroup: format!("dhow-{name}"),
        })
    }

    fn host(&self) -> String {
        format!("unix://{}/dhow.sock", self.run)
    }

    fn log(&self) -> PathBuf {
        self.folder.join("dhowd.log")
    }

    fn daemon_command(&self) -> Result<Command> {
        // Nothing that the machine has for another dhowd is read or touched.
        let configuration = self.folder.join("daemon.json");
        std::fs::write(&configuration, "{}")?;
        let mut flags = vec![
            format!("--host={}", self.host()),
            format!("--data-root={}", self.folder.join("data").display()),
            format!("--exec-root={}/exec", self.run),
            format!("--pidfile={}/dhowd.pid", self.run),
            format!("--config-file={}", configuration.display()),
            format!("--bridge={}", self.bridge),
            format!("--cgroup-parent=/{}", self.cgroup),
        ];
        // The window is the person's, and is to reach the socket.
        flags.extend(own_group().map(|group| format!("--group={group}")));
        let flags: Vec<&str> = flags.iter().map(String::as_str).collect();
        Ok(as_root(self.programs.join("dhowd"), &flags))
    }

    /// Removes every trace of an engine in this place.
    fn sweep(&self) -> Result<()> {
        let footprint = self.folder.join(FOOTPRINT);
        let text = serde_json::json!({
            "run": self.run, "data": self.folder.join("data"), "bridge": self.bridge, "cgroup": self.cgroup,
        });
        std::fs::write(&footprint, text.to_string())?;
        run(as_root(self.programs.join("dhow-sweep"), &[]).arg(&footprint))
    }
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

/// From here on, Ctrl-C does not kill us: it is waited for.
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

impl Signals {
    /// Starts a program that is to get its signals: it would inherit that
    /// they are held back. A Ctrl-C in this instant ends us at once; the
    /// next run clears up then.
    pub fn released(&self, command: &mut Command) -> Result<Child> {
        self.0.thread_unblock()?;
        let child = command.spawn();
        self.0.thread_block()?;
        child.with_context(|| format!("cannot run {}", shown(command)))
    }
}

impl Engine {
    /// Clears up after a killed run, then starts the daemon and waits until
    /// it answers.
    pub fn start(place: Place, signals: &Signals) -> Result<Self> {
        std::fs::create_dir_all(&place.folder)?;
        place.sweep()?;
        run(&mut as_root("mkdir", &["-p", &place.run]))?;
        let log = File::create(place.log())?;
        let mut command = place.daemon_command()?;
        command
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            // Ctrl-C is for us; the daemon is asked once its containers
            // are gone.
            .process_group(0);
        let daemon = signals.released(&mut command)?;
        let mut engine = Self { place, daemon };
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
        output(&mut as_root(self.place.programs.join("dhow"), &words))
    }

    pub fn host(&self) -> String {
        self.place.host()
    }

    pub fn programs(&self) -> &Path {
        &self.place.programs
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
        self.place.sweep()?;
        let folder = &self.place.folder;
        std::fs::remove_dir_all(folder)
            .with_context(|| format!("cannot remove {}", folder.display()))
    }

    /// The end of the daemon's log.
    pub fn last_words(&self) -> String {
        let log = std::fs::read_to_string(self.place.log()).unwrap_or_default();
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
        for words in [&["stop", "-t", "5"][..], &["rm", "--force", "--volumes"]] {
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
        let programs = self.place.programs.clone();
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

/// The group of the person who runs this, where it is theirs alone.
fn own_group() -> Option<String> {
    let user = nix::unistd::User::from_uid(nix::unistd::geteuid()).ok()??;
    let group = nix::unistd::Group::from_gid(user.gid).ok()??;
    (!user.uid.is_root() && group.name == user.name).then_some(group.name)
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
