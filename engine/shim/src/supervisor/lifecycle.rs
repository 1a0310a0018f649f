//! Ends: of processes, of the container, of the shim.

use std::time::Duration;

use dhow_runtime::protocol::{Answer, Failure, FailureKind, Phase, ProbeStep};
use dhow_sys::pidfd::Ended;
use rustix::process::{WaitOptions, wait, waitpid};

use super::{CONTAINER, Supervisor, Timer, now};
use crate::child::init;
use crate::life::Next;
use crate::poller::{Interest, Token};
use crate::streams::{Kind, Sent, Stage, Task};
use crate::{child, rootfs};

/// How long what is left in an ended container may take to die.
const DYING: Duration = Duration::from_secs(10);
/// How long an ended exec's output may stay open.
const DRAINING: Duration = Duration::from_secs(2);
/// When to look for a kill after memory ran short, again and again.
const OOM_LOOKS: [Duration; 4] = [
    Duration::from_millis(20),
    Duration::from_millis(100),
    Duration::from_millis(500),
    Duration::from_secs(2),
];

impl Supervisor {
    /// Takes note of every child that ended.
    pub(super) fn reap(&mut self) {
        let mut container = None;
        // Any child: containers are in process groups of their own.
        while let Ok(Some((pid, status))) = wait(WaitOptions::NOHANG) {
            let ended = match (status.exit_status(), status.terminating_signal()) {
                (Some(code), _) => Ended::Code(code),
                (None, Some(signal)) => Ended::Signal(signal),
                (None, None) => continue,
            };
            let pid = pid.as_raw_nonzero().get().cast_unsigned();
            let of = |(_, task): &(&u32, &Task)| task.pid == Some(pid);
            match self.tasks.iter().find(of).map(|(id, _)| *id) {
                // Last: all others in it have ended before.
                Some(CONTAINER) => container = Some(ended),
                Some(id) => self.process_ended(id, ended),
                None if self.is_starting() => self.unclaimed.push((pid, ended)),
                None => {}
            }
        }
        if let Some(ended) = container {
            self.process_ended(CONTAINER, ended);
        }
    }

    fn process_ended(&mut self, id: u32, ended: Ended) {
        let Some(task) = self.tasks.get_mut(&id) else {
            return;
        };
        task.pid = None;
        match task.stage {
            Stage::Starting(_) => {
                task.early_end = Some(ended);
                self.take_reports(id);
            }
            _ => self.task_ended(id, ended),
        }
    }

    /// A task's process has ended after it was started.
    pub(super) fn task_ended(&mut self, id: u32, ended: Ended) {
        if id == CONTAINER {
            return self.container_ended(ended);
        }
        let Some(task) = self.tasks.get_mut(&id) else {
            return;
        };
        task.stage = Stage::Ended(ended);
        if let Some(exec) = task.exec_id().cloned() {
            self.life.exec_exited(now(), &exec, ended.code());
        } else {
            self.tell_probe(ProbeStep::Ended {
                probe: id,
                code: ended.code(),
            });
        }
        self.close_input(id);
        self.drain(id);
        self.finish_if_drained(id);
        if self.tasks.contains_key(&id) {
            self.arm(DRAINING, Timer::Drain(id));
        }
    }

    /// Something else holds an ended exec's output open; Docker waits no longer
    /// either, unless it is the client that is slow.
    pub(super) fn stop_draining(&mut self, id: u32) {
        if self.is_held_back(id) {
            return self.arm(DRAINING, Timer::Drain(id));
        }
        self.drain(id);
        if let Some(mut task) = self.tasks.remove(&id) {
            self.close_streams(&mut task);
            self.task_over(task);
        }
    }

    /// Lets go of a task whose process and output have ended.
    pub(super) fn finish_if_drained(&mut self, id: u32) {
        let over = |task: &Task| matches!(task.stage, Stage::Ended(_)) && task.is_drained();
        if id != CONTAINER
            && self.tasks.get(&id).is_some_and(over)
            && let Some(task) = self.tasks.remove(&id)
        {
            self.disarm(Timer::Drain(id));
            self.task_over(task);
        }
    }

    fn task_over(&mut self, task: Task) {
        for client in &task.clients {
            self.let_go(*client);
        }
        if let Kind::Probe { .. } = task.kind {
            self.probe_over(task);
        }
    }

    fn container_ended(&mut self, ended: Ended) {
        self.clean_after_run();
        // Everything in the container is dead, so what is in the pipes now is
        // all there will be.
        self.reap_others();
        self.drain(CONTAINER);
        self.log.end(&mut now);
        self.release_container_streams();
        if let Some(task) = self.tasks.get_mut(&CONTAINER) {
            task.stage = Stage::Idle;
        }
        for timer in [Timer::Kill, Timer::Probe] {
            self.disarm(timer);
        }
        match self.life.exited(now(), ended) {
            Next::Restart(delay) => self.arm(delay, Timer::Restart),
            Next::Leave => self.finish(),
        }
    }

    /// Execs cannot outlive the container.
    fn reap_others(&mut self) {
        for id in self.tasks.keys().copied().collect::<Vec<_>>() {
            if id == CONTAINER {
                continue;
            }
            let pid = self.tasks.get(&id).and_then(|task| task.pid);
            if let Some(pid) = pid.and_then(|pid| child::Pid::from_raw(pid.cast_signed()))
                && let Ok(Some((_, status))) = waitpid(Some(pid), WaitOptions::empty())
            {
                let ended = match (status.exit_status(), status.terminating_signal()) {
                    (Some(code), _) => Ended::Code(code),
                    (None, signal) => Ended::Signal(signal.unwrap_or(libc::SIGKILL)),
                };
                self.process_ended(id, ended);
            }
            self.drain(id);
            if let Some(mut task) = self.tasks.remove(&id) {
                self.disarm(Timer::Drain(id));
                self.close_streams(&mut task);
                if let Stage::Starting(start) = &task.stage
                    && let Some(asked) = start.asked
                {
                    let failure = Failure::new(FailureKind::Conflict, "the container has ended");
                    self.answer(asked, Answer::Failed(failure));
                }
                self.task_over(task);
            }
        }
    }

    /// Closes the container's streams and lets its clients go.
    pub(super) fn release_container_streams(&mut self) {
        let Some(mut task) = self.tasks.remove(&CONTAINER) else {
            return;
        };
        self.close_streams(&mut task);
        for client in std::mem::take(&mut task.clients) {
            self.let_go(client);
        }
        self.tasks.insert(CONTAINER, task);
    }

    /// Kills what is left in the cgroup, notes whether memory was the reason,
    /// and removes cgroup and runtime state.
    pub(super) fn clean_after_run(&mut self) {
        if let Err(e) = self.cgroup.kill(DYING) {
            eprintln!("not everything in the container could be killed: {e}");
        }
        self.note_oom_kills();
        self.life.memory_peaked(self.cgroup.memory_peak());
        if let Some(oom) = self.oom.take() {
            self.poller.remove(&oom);
        }
        self.oom_seen = 0;
        if let Err(e) = self.cgroup.remove() {
            eprintln!("the cgroup cannot be removed: {e}");
        }
        if let Err(e) = init::clean_up(&self.run_dir) {
            eprintln!("the runtime's state cannot be removed: {e}");
        }
    }

    pub(super) fn watch_oom(&mut self) {
        self.oom_seen = self.cgroup.oom_kills();
        // Without the memory controller nothing is limited, and nothing told.
        if let Ok(watch) = self.cgroup.watch_oom()
            && self.poller.add(&watch, Token::Oom, Interest::READ).is_ok()
        {
            self.oom = Some(watch);
        }
    }

    /// Memory ran short: the kernel counts a kill a little later.
    pub(super) fn look_for_oom_kills(&mut self, tries: u8) {
        if let Some(oom) = &self.oom {
            oom.clear();
            if !self.note_oom_kills()
                && let Some(delay) = OOM_LOOKS.get(usize::from(tries))
            {
                self.arm(*delay, Timer::Oom(tries + 1));
            }
        }
    }

    fn note_oom_kills(&mut self) -> bool {
        let kills = self.cgroup.oom_kills();
        let more = kills > self.oom_seen;
        if more {
            self.oom_seen = kills;
            self.life.oom_killed(now());
        }
        more
    }

    /// The container has ended for good.
    pub(super) fn finish(&mut self) {
        rootfs::unmount(&self.run_dir, &self.config);
        self.timers.clear();
        self.life.leave();
        self.done = true;
    }

    /// SIGKILL to the first process; everything else dies with it.
    pub(super) fn kill_hard(&mut self) {
        if let Err(e) = self.signal_container(libc::SIGKILL) {
            eprintln!("the container cannot be killed: {e}");
        }
        if self.life.phase() == Phase::Paused {
            self.thaw_to_die();
        }
    }

    /// The computer goes down: end the container as a stop would, but so that
    /// it counts as running when the engine starts again.
    pub(super) fn shut_down(&mut self) {
        self.life.forbid_restart();
        let stop = self.config.stop;
        match self.life.phase() {
            Phase::Running | Phase::Paused => {
                let _ = self.signal_container(stop.signal);
                if self.life.phase() == Phase::Paused {
                    self.thaw();
                }
                if let Some(timeout) = stop.timeout {
                    self.arm(timeout, Timer::Kill);
                }
            }
            Phase::Restarting => self.call_off_restart(),
            Phase::Created if !self.is_starting() => self.finish(),
            _ => {}
        }
    }

    pub(super) fn call_off_restart(&mut self) {
        self.disarm(Timer::Restart);
        self.life.cancel_restart(now());
        self.finish();
    }

    pub(super) fn thaw(&mut self) {
        match self.cgroup.thaw() {
            Ok(()) => {
                self.life.resumed(now());
                self.schedule_probe();
            }
            Err(e) => eprintln!("the container cannot be thawed: {e}"),
        }
    }

    /// Lets SIGKILL arrive; nobody would call that a resumption.
    pub(super) fn thaw_to_die(&mut self) {
        if let Err(e) = self.cgroup.thaw() {
            eprintln!("the container cannot be thawed: {e}");
        }
    }

    pub(super) fn is_starting(&self) -> bool {
        self.tasks
            .values()
            .any(|task| matches!(task.stage, Stage::Starting(_)))
    }

    pub(super) fn forget_unclaimed(&mut self) {
        if !self.is_starting() {
            self.unclaimed = Vec::new();
        }
    }

    /// The last things: the socket goes, daemons get what waits for them, and
    /// clients that are slow get their output from a process that stays for
    /// them alone.
    pub(super) fn leave(mut self) {
        // Nothing is written after the end was told: who hears of it may delete
        // the container and all its files.
        self.settle();
        self.listener = None;
        let _ = std::fs::remove_file(self.run_dir.join(dhow_runtime::protocol::SOCKET_FILE));
        for connection in self.connections.values_mut() {
            let _ = connection.flush();
        }
        for id in self.clients.keys().copied().collect::<Vec<_>>() {
            self.let_go(id);
        }
        if !self.clients.is_empty() {
            let clients = std::mem::take(&mut self.clients);
            // That process must hold nothing but the clients.
            self.connections.clear();
            self.tasks.clear();
            self.ports = Default::default();
            self.netns = None;
            let _ = child::fork(move || deliver(clients.into_values().collect()));
        }
    }
}

/// Gives clients what waits for them, as long as they take it.
fn deliver(mut clients: Vec<crate::streams::Client>) -> i32 {
    use rustix::event::{PollFd, PollFlags, Timespec, poll};
    let patience = Timespec {
        tv_sec: 30,
        tv_nsec: 0,
    };
    while !clients.is_empty() {
        let mut fds: Vec<PollFd<'_>> = clients
            .iter()
            .map(|client| PollFd::new(client, PollFlags::OUT))
            .collect();
        match poll(&mut fds, Some(&patience)) {
            Ok(0) => return 1,
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(_) => return 1,
        }
        let mut left = Vec::new();
        for mut client in clients {
            match client.flush() {
                Sent::All => client.close(),
                Sent::Waiting => left.push(client),
                Sent::Gone => {}
            }
        }
        clients = left;
    }
    0
}
