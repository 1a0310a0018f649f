//! What daemons ask.

use std::io;
use std::os::fd::OwnedFd;

use dhow_model::{Id, restart};
use dhow_runtime::protocol::{
    Answer, Attach, Call, Console, Failure, FailureKind, Message, Phase, Request, SPEC_FILE,
};
use dhow_sys::cgroup::Limits;
use oci_spec::runtime::{LinuxResources, Spec};

use super::{CONTAINER, Supervisor, Timer, now};
use crate::child::terminal;
use crate::poller::{Interest, Ready, Token};
use crate::streams::Stage;

type Outcome = Result<Answer, Failure>;

impl Supervisor {
    /// A daemon's connection is ready.
    pub(super) fn serve(&mut self, id: u32, event: Ready) {
        let Some(connection) = self.connections.get_mut(&id) else {
            return;
        };
        if event.writable && connection.flush().is_err() {
            return self.disconnect(id);
        }
        let open = !(event.readable || event.hung_up) || connection.receive();
        loop {
            let Some(connection) = self.connections.get_mut(&id) else {
                return;
            };
            match connection.next() {
                Ok(Some(call)) => self.take_call(id, call),
                Ok(None) => break,
                Err(e) => {
                    eprintln!("a daemon's request was not understood: {e}");
                    return self.disconnect(id);
                }
            }
        }
        if open {
            self.update_connection(id);
        } else {
            self.disconnect(id);
        }
    }

    pub(super) fn answer(&mut self, (connection, id): (u32, u64), answer: Answer) {
        self.send(connection, &Message::Answer { id, answer });
    }

    pub(super) fn send(&mut self, id: u32, message: &Message) {
        let Some(connection) = self.connections.get_mut(&id) else {
            return;
        };
        match connection.send(message) {
            Ok(()) => self.update_connection(id),
            Err(_) => self.disconnect(id),
        }
    }

    fn update_connection(&mut self, id: u32) {
        if let Some(connection) = self.connections.get(&id) {
            let interest = Interest {
                read: true,
                write: connection.is_waiting(),
            };
            let _ = self
                .poller
                .change(connection, Token::Connection(id), interest);
        }
    }

    fn disconnect(&mut self, id: u32) {
        if let Some(connection) = self.connections.remove(&id) {
            self.poller.remove(&connection);
        }
        // Nobody will start this container: its daemon died before it could.
        let idle = matches!(self.tasks[&CONTAINER].stage, Stage::Idle);
        if self.connections.is_empty() && self.life.phase() == Phase::Created && idle {
            self.finish();
        }
    }

    fn take_call(&mut self, connection: u32, call: Call) {
        let asked = (connection, call.id);
        let outcome = match call.request {
            Request::Start => return self.start(asked),
            Request::Exec(exec) => {
                let socket = exec.attach.is_some().then(|| self.claim(connection));
                return self.exec(asked, *exec, socket.flatten());
            }
            Request::Subscribe { after, probes } => return self.subscribe(asked, after, probes),
            Request::State => Ok(Answer::State(Box::new(self.snapshot()))),
            Request::Kill { signal, by_hand } => self.kill(signal, by_hand),
            Request::Stop { signal, timeout } => self.kill(signal, true).inspect(|_| {
                if let (Some(timeout), false) = (timeout, self.done) {
                    self.arm(timeout, Timer::Kill);
                }
            }),
            Request::Pause => self.pause(),
            Request::Resume => self.resume(),
            Request::Update { restart, resources } => self.update(restart, resources.as_deref()),
            Request::Resize { exec, console } => self.resize(exec.as_ref(), console),
            Request::Attach(attach) => self.attach(connection, &attach),
            Request::ReopenLog => self
                .log
                .reopen()
                .map(|()| Answer::Done)
                .map_err(|e| other(format!("the log cannot be opened: {e}"))),
            Request::KillExec { exec, signal } => self.kill_exec(&exec, signal),
        };
        let answer = outcome.unwrap_or_else(Answer::Failed);
        self.answer(asked, answer);
    }

    fn claim(&mut self, connection: u32) -> Option<OwnedFd> {
        self.connections.get_mut(&connection)?.claim()
    }

    fn snapshot(&mut self) -> dhow_runtime::protocol::Snapshot {
        if let Some(trouble) = self.log.trouble() {
            let trouble = trouble.clone();
            self.life.set_log_trouble(trouble.error, trouble.bytes_lost);
        }
        self.life.snapshot().clone()
    }

    fn subscribe(&mut self, asked: (u32, u64), after: u64, probes: bool) {
        // What happened in this round goes to disk and to the others first, so
        // that nothing comes twice or is missed.
        self.settle();
        self.answer(asked, Answer::Done);
        let missed: Vec<Message> = self
            .life
            .events_after(after)
            .cloned()
            .map(Message::Event)
            .collect();
        for message in &missed {
            self.send(asked.0, message);
        }
        if let Some(connection) = self.connections.get_mut(&asked.0) {
            connection.subscribed = true;
            connection.hears_probes = probes;
        }
    }

    fn kill(&mut self, signal: i32, by_hand: bool) -> Outcome {
        self.life.signal_by_hand();
        match self.life.phase() {
            Phase::Running | Phase::Paused => {
                if by_hand {
                    self.life.stop_by_hand();
                }
                self.signal_container(signal)
                    .map_err(|e| other(format!("the signal cannot be sent: {e}")))?;
                if self.life.phase() == Phase::Paused {
                    match signal {
                        libc::SIGKILL => self.thaw_to_die(),
                        _ if by_hand => self.thaw(),
                        _ => {}
                    }
                }
                Ok(Answer::Done)
            }
            Phase::Restarting => {
                if by_hand {
                    self.life.stop_by_hand();
                    // If it is being started right now, it ends as soon as it
                    // is.
                    if !self.is_starting() {
                        self.call_off_restart();
                    }
                }
                Ok(Answer::Done)
            }
            _ => Err(conflict("the container is not running")),
        }
    }

    /// Signals the container's first process.
    pub(super) fn signal_container(&mut self, signal: i32) -> io::Result<()> {
        let pid = self.tasks.get(&CONTAINER).and_then(|task| task.pid);
        send_signal(pid, signal)
    }

    fn kill_exec(&mut self, exec: &Id, signal: i32) -> Outcome {
        let task = self.find_exec(exec)?;
        let pid = self.tasks.get(&task).and_then(|task| task.pid);
        send_signal(pid, signal)
            .map(|()| Answer::Done)
            .map_err(|e| other(format!("the signal cannot be sent: {e}")))
    }

    fn pause(&mut self) -> Outcome {
        match self.life.phase() {
            Phase::Running => {
                self.cgroup.freeze().map_err(|e| {
                    let _ = self.cgroup.thaw();
                    other(format!("the container cannot be frozen: {e}"))
                })?;
                self.disarm(Timer::Probe);
                self.life.paused(now());
                Ok(Answer::Done)
            }
            Phase::Paused => Err(conflict("the container is already paused")),
            _ => Err(conflict("the container is not running")),
        }
    }

    fn resume(&mut self) -> Outcome {
        match self.life.phase() {
            Phase::Paused => {
                self.thaw();
                match self.life.phase() {
                    Phase::Running => Ok(Answer::Done),
                    _ => Err(other("the container cannot be thawed")),
                }
            }
            _ => Err(conflict("the container is not paused")),
        }
    }

    fn update(
        &mut self,
        restart: Option<restart::Policy>,
        resources: Option<&LinuxResources>,
    ) -> Outcome {
        if let Some(resources) = resources {
            if matches!(self.life.phase(), Phase::Running | Phase::Paused) {
                let limits = limits(resources);
                self.cgroup.update(&limits).map_err(|e| {
                    let text = dhow_model::error::chain(&e);
                    Failure::new(FailureKind::Unsupported, text)
                })?;
            }
            self.remember_limits(resources)
                .map_err(|e| other(format!("the limits cannot be written down: {e}")))?;
        }
        if let Some(policy) = restart {
            self.life.set_policy(policy);
            self.save();
        }
        Ok(Answer::Done)
    }

    /// Has the next restart use the new limits.
    fn remember_limits(&self, resources: &LinuxResources) -> io::Result<()> {
        let path = self.run_dir.join(SPEC_FILE);
        let mut spec: Spec = serde_json::from_slice(&std::fs::read(&path)?)?;
        if let Some(linux) = spec.linux_mut() {
            let mut merged = serde_json::to_value(linux.resources())?;
            merge(&mut merged, serde_json::to_value(resources)?);
            linux.set_resources(serde_json::from_value(merged)?);
        }
        let temporary = path.with_extension("new");
        std::fs::write(&temporary, serde_json::to_vec(&spec)?)?;
        std::fs::rename(temporary, path)
    }

    fn resize(&mut self, exec: Option<&Id>, console: Console) -> Outcome {
        let id = match exec {
            Some(exec) => self.find_exec(exec)?,
            None => CONTAINER,
        };
        let Some(task) = self.tasks.get_mut(&id) else {
            return Err(conflict("the container is not running"));
        };
        // Kept for a terminal that is not there yet, and for restarts.
        task.console = Some(console);
        if let (true, Some(master)) = (task.tty, &task.outputs[0].fd) {
            terminal::resize(master, console)
                .map_err(|e| other(format!("the terminal cannot be resized: {e}")))?;
        }
        Ok(Answer::Done)
    }

    fn attach(&mut self, connection: u32, attach: &Attach) -> Outcome {
        let socket = self
            .claim(connection)
            .ok_or_else(|| other("no client's socket came with the request"))?;
        let (id, mut attach) = match &attach.exec {
            Some(exec) => (self.find_exec(exec)?, attach.clone()),
            None => (CONTAINER, attach.clone()),
        };
        if id == CONTAINER {
            attach.stdin &= self.config.stdio.open_stdin;
        }
        self.join(id, &attach, socket);
        Ok(Answer::Done)
    }

    fn find_exec(&self, exec: &Id) -> Result<u32, Failure> {
        self.tasks
            .iter()
            .find(|(_, task)| task.exec_id() == Some(exec))
            .map(|(id, _)| *id)
            .ok_or_else(|| Failure::new(FailureKind::NoSuchExec, "the exec is not running"))
    }
}

pub(super) fn send_signal(pid: Option<u32>, signal: i32) -> io::Result<()> {
    // Not waited for yet, so the number cannot have been given to another.
    let pid = pid.ok_or(io::ErrorKind::NotFound)?;
    // SAFETY: sends a signal to a child; nothing of this process is touched.
    match unsafe { libc::kill(pid.cast_signed(), signal) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

fn other(message: impl Into<String>) -> Failure {
    Failure::new(FailureKind::Other, message)
}

fn conflict(message: &str) -> Failure {
    Failure::new(FailureKind::Conflict, message)
}

fn limits(resources: &LinuxResources) -> Limits {
    let memory = resources.memory().as_ref();
    let cpu = resources.cpu().as_ref();
    Limits {
        memory: memory.and_then(|m| m.limit()),
        memory_and_swap: memory.and_then(|m| m.swap()),
        memory_reservation: memory.and_then(|m| m.reservation()),
        cpu_shares: cpu.and_then(|c| c.shares()),
        cpu_quota: cpu.and_then(|c| c.quota()),
        cpu_period: cpu.and_then(|c| c.period()),
        cpu_realtime_runtime: cpu.and_then(|c| c.realtime_runtime()),
        cpu_realtime_period: cpu.and_then(|c| c.realtime_period()),
        cpuset_cpus: cpu.and_then(|c| c.cpus().clone()),
        cpuset_mems: cpu.and_then(|c| c.mems().clone()),
        pids: resources.pids().as_ref().map(|pids| pids.limit()),
        block_io_weight: resources.block_io().as_ref().and_then(|io| io.weight()),
        io_weight: resources
            .unified()
            .as_ref()
            .and_then(|files| files.get("io.weight").cloned()),
    }
}

/// Lays the fields of `new` over those of `old`.
fn merge(old: &mut serde_json::Value, new: serde_json::Value) {
    match (old, new) {
        (serde_json::Value::Object(old), serde_json::Value::Object(new)) => {
            for (key, value) in new {
                merge(old.entry(key).or_insert(serde_json::Value::Null), value);
            }
        }
        (_, serde_json::Value::Null) => {}
        (old, new) => *old = new,
    }
}
