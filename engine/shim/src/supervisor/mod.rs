//! The shim's one loop: waits for descriptors, timers and signals, and hands
//! each to what it concerns. What to do about exits, restarts and health is
//! decided in [`Life`](crate::life::Life); here are the effects.

mod lifecycle;
mod probes;
mod requests;
mod starts;
mod streams;

use std::collections::BTreeMap;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use dhow_model::Timestamp;
use dhow_runtime::protocol::{
    CONFIG_FILE, Failure, FailureKind, Message, ProbeStep, SOCKET_FILE, ShimConfig, StateFile,
};
use dhow_sys::cgroup::{Cgroup, Hierarchies, OomWatch};
use dhow_sys::{fdpass, process};
use nix::sys::signal::{SigSet, Signal};
use nix::sys::signalfd::{SfdFlags, SignalFd};

use crate::connection::Connection;
use crate::life::Life;
use crate::log::Log;
use crate::poller::{Interest, Poller, Ready, Token};
use crate::ports::Ports;
use crate::rootfs::RootfsError;
use crate::streams::{Client, Kind, Task};
use crate::{record, rootfs};

/// The container's own task.
const CONTAINER: u32 = 0;
/// Output is read in pieces of this size.
const CHUNK: usize = 32 * 1024;
const _: () = assert!(CHUNK >= crate::child::report::LONGEST);

/// The shim.
pub struct Supervisor {
    run_dir: PathBuf,
    config: ShimConfig,
    life: Life,
    cgroup: Cgroup,
    oom: Option<OomWatch>,
    oom_seen: u64,
    log: Log,
    poller: Poller,
    signals: SignalFd,
    listener: Option<UnixListener>,
    connections: BTreeMap<u32, Connection>,
    tasks: BTreeMap<u32, Task>,
    clients: BTreeMap<u32, Client>,
    ports: Ports,
    next_id: u32,
    timers: Vec<(Instant, Timer)>,
    /// Ends of processes that nobody has claimed yet.
    unclaimed: Vec<(u32, dhow_sys::pidfd::Ended)>,
    /// What went wrong before the container could be started.
    broken: Option<Failure>,
    buffer: Box<[u8]>,
    /// Held open for the container.
    netns: Option<OwnedFd>,
    done: bool,
}

/// What is due at a certain time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Timer {
    /// Start the container again.
    Restart,
    /// It did not end when it was asked to.
    Kill,
    /// Run the next probe.
    Probe,
    /// A probe takes too long.
    ProbeTimeout(u32),
    /// An exec ended, but something keeps its output open.
    Drain(u32),
    /// Whether the kernel killed something, now that it had the time.
    Oom(u8),
}

impl Supervisor {
    /// Sets everything up for the container whose run directory this is.
    pub fn new(run_dir: &Path) -> io::Result<Self> {
        let config: ShimConfig =
            serde_json::from_slice(&std::fs::read(run_dir.join(CONFIG_FILE))?)?;
        close_strangers(&config)?;
        let signals = signal_fd()?;
        rustix::process::set_child_subreaper(rustix::process::Pid::from_raw(1))?;
        let poller = Poller::new()?;
        let netns = config.netns_fd.map(process::inherited).transpose()?;
        let cgroup = Hierarchies::detect()?.cgroup(&config.cgroup);
        // A state file that cannot be read tells nothing about the past, which
        // is no reason not to run.
        let before = StateFile::read(&config.state_file).unwrap_or_default();
        let life = Life::new(&config, before, std::process::id());

        let mut broken = None;
        if let Err(error) = rootfs::mount(run_dir, &config) {
            let kind = match &error {
                RootfsError::Made(_) => FailureKind::Mount,
                _ => FailureKind::Other,
            };
            broken = Some(Failure::new(kind, dhow_model::error::chain(&error)));
        }
        let log = Log::open(&config.log).unwrap_or_else(|e| {
            let path = config.log.path.display();
            let message = format!("the log {path} cannot be opened: {e}");
            broken.get_or_insert(Failure::new(FailureKind::Other, message));
            Log::None
        });
        let ports = Ports::adopt(&config.ports, &poller)?;
        let listener = fdpass::listen_in(run_dir, SOCKET_FILE)?;
        listener.set_nonblocking(true)?;
        poller.add(&signals, Token::Signals, Interest::READ)?;
        poller.add(&listener, Token::Listener, Interest::READ)?;

        let stdio = config.stdio;
        let mut task = Task::new(Kind::Container, stdio.tty, stdio.stdin_once);
        task.console = stdio.console;
        let mut supervisor = Self {
            run_dir: run_dir.to_owned(),
            life,
            cgroup,
            oom: None,
            oom_seen: 0,
            log,
            poller,
            signals,
            listener: Some(listener),
            connections: BTreeMap::new(),
            tasks: BTreeMap::from([(CONTAINER, task)]),
            clients: BTreeMap::new(),
            ports,
            next_id: 1,
            timers: Vec::new(),
            unclaimed: Vec::new(),
            broken,
            buffer: vec![0; CHUNK].into_boxed_slice(),
            netns,
            done: false,
            config,
        };
        if let Some(fd) = supervisor.config.control_fd {
            let stream = UnixStream::from(process::inherited(fd)?);
            supervisor.connect(stream)?;
        }
        Ok(supervisor)
    }

    /// Runs until the container has ended for good.
    pub fn run(mut self) -> io::Result<()> {
        let mut ready = Vec::new();
        while !self.done {
            self.poller.wait(self.until_next_timer(), &mut ready)?;
            // What a child reports comes before its end is noticed.
            ready.sort_by_key(|event| match event.token {
                Token::Report(_) => 0,
                Token::Signals => 2,
                _ => 1,
            });
            for event in &ready {
                self.handle(*event);
            }
            self.run_timers();
            self.settle();
        }
        self.leave();
        Ok(())
    }

    fn handle(&mut self, event: Ready) {
        match event.token {
            Token::Signals => self.take_signals(),
            Token::Listener => self.accept(),
            Token::Connection(id) => self.serve(id, event),
            Token::Report(id) => self.take_reports(id),
            Token::Output(id, side) => self.pump_output(id, side),
            Token::Input(id) => self.refill_input(id),
            Token::Client(id) => self.serve_client(id, event),
            Token::Oom => self.look_for_oom_kills(0),
            Token::Port(index) => self.ports.accept(index, &self.poller),
            Token::Carried(id, side) => {
                self.ports
                    .carry(id, side, event, &self.poller, &mut self.buffer);
            }
        }
    }

    /// Writes down and tells what has happened.
    fn settle(&mut self) {
        let fresh = self.life.take_fresh();
        if fresh.is_empty() {
            return;
        }
        self.save();
        for event in fresh {
            let message = Message::Event(event);
            let subscribed =
                |(id, connection): (&u32, &Connection)| connection.subscribed.then_some(*id);
            let subscribers: Vec<u32> = self.connections.iter().filter_map(subscribed).collect();
            for id in subscribers {
                self.send(id, &message);
            }
        }
    }

    /// Tells those who want to hear of probes, after what happened before.
    fn tell_probe(&mut self, step: ProbeStep) {
        self.settle();
        let hears = |(id, connection): (&u32, &Connection)| connection.hears_probes.then_some(*id);
        for id in self
            .connections
            .iter()
            .filter_map(hears)
            .collect::<Vec<_>>()
        {
            self.send(id, &Message::Probe(step));
        }
    }

    pub(super) fn save(&mut self) {
        if let Some(trouble) = self.log.trouble() {
            let trouble = trouble.clone();
            self.life.set_log_trouble(trouble.error, trouble.bytes_lost);
        }
        if let Err(e) = record::write(&self.config.state_file, &self.life.state_file()) {
            eprintln!("the state cannot be written: {e}");
        }
    }

    fn accept(&mut self) {
        while let Some(listener) = &self.listener {
            match listener.accept() {
                Ok((stream, _)) => {
                    if let Err(e) = self.connect(stream) {
                        eprintln!("a connection was lost: {e}");
                    }
                }
                Err(_) => return,
            }
        }
    }

    fn connect(&mut self, stream: UnixStream) -> io::Result<()> {
        let connection = Connection::new(stream)?;
        let id = self.fresh_id();
        self.poller
            .add(&connection, Token::Connection(id), Interest::READ)?;
        self.connections.insert(id, connection);
        Ok(())
    }

    fn fresh_id(&mut self) -> u32 {
        let id = self.next_id;
        self.next_id += 1;
        id
    }

    fn take_signals(&mut self) {
        loop {
            match self.signals.read_signal() {
                Ok(Some(signal)) if signal.ssi_signo == Signal::SIGCHLD as u32 => {}
                // The computer goes down.
                Ok(Some(_)) => self.shut_down(),
                _ => break,
            }
        }
        self.reap();
    }

    fn arm(&mut self, after: Duration, timer: Timer) {
        self.disarm(timer);
        // A wait beyond what the clock can express never ends.
        if let Some(due) = Instant::now().checked_add(after) {
            self.timers.push((due, timer));
        }
    }

    fn disarm(&mut self, timer: Timer) {
        self.timers.retain(|(_, other)| *other != timer);
    }

    fn until_next_timer(&self) -> Option<Duration> {
        let next = self.timers.iter().map(|(due, _)| *due).min()?;
        Some(next.saturating_duration_since(Instant::now()))
    }

    fn run_timers(&mut self) {
        let now = Instant::now();
        let due = |(at, _): &mut (Instant, Timer)| *at <= now;
        let due: Vec<(Instant, Timer)> = self.timers.extract_if(.., due).collect();
        for (_, timer) in due {
            match timer {
                Timer::Restart => self.restart(),
                Timer::Kill => self.kill_hard(),
                Timer::Probe => self.probe(),
                Timer::ProbeTimeout(task) => self.end_probe(task),
                Timer::Drain(task) => self.stop_draining(task),
                Timer::Oom(tries) => self.look_for_oom_kills(tries),
            }
        }
    }
}

/// The time of day.
fn now() -> Timestamp {
    use rustix::time::{ClockId, clock_gettime};
    let time = clock_gettime(ClockId::Realtime);
    Timestamp::from_nanos(time.tv_sec * 1_000_000_000 + time.tv_nsec)
}

/// Signals as a descriptor: ends of children, and being told to go.
fn signal_fd() -> io::Result<SignalFd> {
    let mut signals = SigSet::empty();
    for signal in [
        Signal::SIGCHLD,
        Signal::SIGTERM,
        Signal::SIGINT,
        Signal::SIGHUP,
    ] {
        signals.add(signal);
    }
    signals.thread_block()?;
    let flags = SfdFlags::SFD_NONBLOCK | SfdFlags::SFD_CLOEXEC;
    Ok(SignalFd::with_flags(&signals, flags)?)
}

/// Closes what whoever started the shim left open by oversight.
fn close_strangers(config: &ShimConfig) -> io::Result<()> {
    let ports = config.ports.iter().map(|port| port.fd);
    let known = ports.chain(config.control_fd).chain(config.netns_fd).max();
    process::close_from(known.unwrap_or(2) + 1)
}

/// Makes a descriptor non-blocking.
fn unblock(fd: impl AsFd) -> io::Result<()> {
    Ok(rustix::io::ioctl_fionbio(fd, true)?)
}
