//! Starting processes: making their streams, forking what becomes them, hearing
//! how it goes.

use std::io;
use std::os::fd::OwnedFd;

use dhow_runtime::protocol::{Answer, Exec, Failure, FailureKind, Phase};

use super::requests::send_signal;
use super::{CONTAINER, Supervisor, Timer, now, unblock};
use crate::child::report::{self, Report, Reporter};
use crate::child::{self, exec, init, terminal};
use crate::life::Next;
use crate::poller::{Interest, Token};
use crate::streams::{Kind, Stage, Start, Task};

/// The ends of a process's streams that it gets itself.
type ChildStdio = Option<[OwnedFd; 3]>;

impl Supervisor {
    /// Starts the container for the first time.
    pub(super) fn start(&mut self, asked: (u32, u64)) {
        if let Some(failure) = self.broken.clone() {
            self.container_failed(Some(asked), failure);
            return;
        }
        let idle = matches!(self.tasks[&CONTAINER].stage, Stage::Idle);
        if self.life.phase() != Phase::Created || !idle {
            let failure = Failure::new(FailureKind::Conflict, "the container was started already");
            self.answer(asked, Answer::Failed(failure));
            return;
        }
        if let Err(e) = self.begin_container(Some(asked)) {
            let message = format!("the container cannot be started: {e}");
            self.container_failed(Some(asked), Failure::new(FailureKind::Other, message));
        }
    }

    /// Starts it again, as its policy says.
    pub(super) fn restart(&mut self) {
        if self.life.phase() != Phase::Restarting {
            return;
        }
        if let Err(e) = self.begin_container(None) {
            let message = format!("the container cannot be started: {e}");
            self.container_failed(None, Failure::new(FailureKind::Other, message));
        }
    }

    fn begin_container(&mut self, asked: Option<(u32, u64)>) -> io::Result<()> {
        let stdin = self.config.stdio.open_stdin;
        let (stdio, theirs, ours) = self.make_streams(CONTAINER, stdin)?;
        let (run_dir, id, cgroup) = (&self.run_dir, self.config.id.as_str(), &self.cgroup);
        child::fork(move || {
            let reporter = Reporter::new(&theirs);
            let start = init::Start {
                run_dir,
                id,
                cgroup,
                stdio,
            };
            init::run(start, reporter)
        })?;
        self.await_reports(CONTAINER, ours, asked)
    }

    /// Starts an exec, with its client if it has one.
    pub(super) fn exec(&mut self, asked: (u32, u64), exec: Exec, socket: Option<OwnedFd>) {
        let refuse = |phase| match phase {
            Phase::Running => None,
            Phase::Paused => Some("the container is paused"),
            _ => Some("the container is not running"),
        };
        let known = self
            .tasks
            .values()
            .any(|task| task.exec_id() == Some(&exec.id));
        let refusal = refuse(self.life.phase()).or(known.then_some("the exec runs already"));
        if let Some(message) = refusal {
            let failure = Failure::new(FailureKind::Conflict, message);
            self.answer(asked, Answer::Failed(failure));
            return;
        }
        let tty = exec.process.terminal().unwrap_or(false);
        let id = self.fresh_id();
        let mut task = Task::new(Kind::Exec(exec.id.clone()), tty, true);
        task.console = exec
            .process
            .console_size()
            .and_then(|size| terminal::size(size.width(), size.height()));
        self.tasks.insert(id, task);
        if let (Some(attach), Some(socket)) = (&exec.attach, socket) {
            let mut attach = attach.clone();
            attach.stdin &= exec.stdin;
            self.join(id, &attach, socket);
        }
        let program = exec::Program::Process(&exec.process);
        if let Err(e) = self.begin_exec(id, program, exec.seccomp, exec.stdin, Some(asked)) {
            let message = format!("the exec cannot be started: {e}");
            self.start_failed(id, Failure::new(FailureKind::Other, message), Some(asked));
        }
    }

    pub(super) fn begin_exec(
        &mut self,
        id: u32,
        program: exec::Program<'_>,
        seccomp: bool,
        stdin: bool,
        asked: Option<(u32, u64)>,
    ) -> io::Result<()> {
        let (stdio, theirs, ours) = self.make_streams(id, stdin)?;
        let console = self.tasks[&id].console;
        let init = self.tasks[&CONTAINER].pid.unwrap_or(0);
        child::fork(|| {
            let exec = exec::Exec {
                run_dir: &self.run_dir,
                id: self.config.id.as_str(),
                init,
                cgroup: &self.cgroup,
                program,
                seccomp,
                stdio,
                console,
            };
            exec::run(exec, Reporter::new(&theirs))
        })?;
        drop(theirs);
        self.await_reports(id, ours, asked)
    }

    /// Makes a task's pipes and the report channel. With a terminal there are
    /// no pipes: the child makes the terminal and reports it.
    fn make_streams(
        &mut self,
        id: u32,
        open_stdin: bool,
    ) -> io::Result<(ChildStdio, OwnedFd, OwnedFd)> {
        let (ours, theirs) = report::channel()?;
        let Some(task) = self.tasks.get_mut(&id) else {
            return Err(io::ErrorKind::NotFound.into());
        };
        if task.tty {
            return Ok((None, theirs, ours));
        }
        let pipe = || rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC);
        let stdin = if open_stdin {
            let (read, write) = pipe()?;
            unblock(&write)?;
            task.input.fd = Some(write);
            read
        } else {
            std::fs::File::open("/dev/null")?.into()
        };
        let (out_read, out_write) = pipe()?;
        let (err_read, err_write) = pipe()?;
        for (output, fd) in task.outputs.iter_mut().zip([out_read, err_read]) {
            unblock(&fd)?;
            output.fd = Some(fd);
            output.polled = false;
        }
        Ok((Some([stdin, out_write, err_write]), theirs, ours))
    }

    fn await_reports(
        &mut self,
        id: u32,
        report: OwnedFd,
        asked: Option<(u32, u64)>,
    ) -> io::Result<()> {
        self.poller
            .add(&report, Token::Report(id), Interest::READ)?;
        if let Some(task) = self.tasks.get_mut(&id) {
            task.early_end = None;
            task.stage = Stage::Starting(Start {
                report,
                asked,
                failure: None,
                detail: None,
            });
        }
        self.resume_output(id);
        Ok(())
    }

    /// Hears what a starting child says.
    pub(super) fn take_reports(&mut self, id: u32) {
        loop {
            let Some(task) = self.tasks.get_mut(&id) else {
                return;
            };
            let Stage::Starting(start) = &mut task.stage else {
                return;
            };
            match report::receive(&start.report, &mut self.buffer) {
                Ok(Some((report, fd))) => self.take_report(id, report, fd),
                Err(e) if e.kind() == io::ErrorKind::WouldBlock => return,
                // All have closed it: the program runs, or nobody is left.
                Ok(None) | Err(_) => return self.conclude_start(id),
            }
        }
    }

    fn take_report(&mut self, id: u32, report: Report, fd: Option<OwnedFd>) {
        let Some(task) = self.tasks.get_mut(&id) else {
            return;
        };
        let Stage::Starting(start) = &mut task.stage else {
            return;
        };
        match report {
            Report::Process(pid) => {
                task.pid = Some(pid);
                task.number = pid;
                let claimed = |(other, _): &(u32, _)| *other == pid;
                if let Some(at) = self.unclaimed.iter().position(claimed) {
                    task.early_end = Some(self.unclaimed.swap_remove(at).1);
                    task.pid = None;
                }
                if id == CONTAINER {
                    self.watch_oom();
                }
            }
            Report::Terminal => {
                if let Some(master) = fd
                    && let Err(e) = self.adopt_terminal(id, master)
                {
                    eprintln!("a terminal was lost: {e}");
                }
            }
            Report::Warning(warning) => self.life.warn(warning),
            Report::Detail(detail) => {
                start.detail.get_or_insert(detail);
            }
            Report::Failed(failure) => {
                start.failure.get_or_insert(failure);
                // A process that waits to be let go would wait for ever, and
                // hold the channel whose end is waited for here. It is our
                // child and not yet waited for, if it is known at all.
                let _ = send_signal(task.pid, libc::SIGKILL);
            }
        }
    }

    fn adopt_terminal(&mut self, id: u32, master: OwnedFd) -> io::Result<()> {
        let open_stdin = id != CONTAINER || self.config.stdio.open_stdin;
        let Some(task) = self.tasks.get_mut(&id) else {
            return Ok(());
        };
        unblock(&master)?;
        if let Some(console) = task.console {
            terminal::resize(&master, console)?;
        }
        if open_stdin {
            task.input.fd = Some(rustix::io::fcntl_dupfd_cloexec(&master, 3)?);
        }
        task.outputs[0].fd = Some(master);
        task.outputs[0].polled = false;
        self.resume_output(id);
        Ok(())
    }

    /// The child said all it had to say.
    fn conclude_start(&mut self, id: u32) {
        let Some(task) = self.tasks.get_mut(&id) else {
            return;
        };
        let idle = Stage::Idle;
        let Stage::Starting(start) = std::mem::replace(&mut task.stage, idle) else {
            return;
        };
        self.poller.remove(&start.report);
        let no_process = task.pid.is_none() && task.early_end.is_none();
        if start.failure.is_some() || no_process {
            let mut failure = start
                .failure
                .unwrap_or_else(|| Failure::new(FailureKind::Other, "the starting process died"));
            if let (FailureKind::Other, Some(detail)) = (failure.kind, start.detail)
                && !failure.message.contains(&detail)
            {
                failure.message = format!("{}: {detail}", failure.message);
            }
            return self.start_failed(id, failure, start.asked);
        }
        let pid = task.number;
        task.stage = Stage::Running;
        let early_end = task.early_end.take();
        let exec = task.exec_id().cloned();
        match (id, exec) {
            (CONTAINER, _) => {
                self.life.started(now(), pid);
                self.schedule_probe();
            }
            (_, Some(exec)) => self.life.exec_started(now(), &exec, pid),
            _ => {}
        }
        if let Some(asked) = start.asked {
            self.answer(asked, Answer::Started { pid });
        }
        self.wake_clients(id);
        match early_end {
            Some(ended) => self.task_ended(id, ended),
            // Stopped by hand while it was being started again.
            None if id == CONTAINER && self.life.snapshot().stopped_by_hand => self.kill_hard(),
            None => {}
        }
        self.forget_unclaimed();
    }

    /// A process did not come to be.
    pub(super) fn start_failed(&mut self, id: u32, failure: Failure, asked: Option<(u32, u64)>) {
        if id == CONTAINER {
            return self.container_failed(asked, failure);
        }
        let Some(mut task) = self.tasks.remove(&id) else {
            return;
        };
        self.close_streams(&mut task);
        if let Kind::Probe { .. } = task.kind {
            self.probe_failed(task, &failure);
        } else {
            // Nothing was written to the client; whoever asked still has its
            // socket and says what happened.
            for client in std::mem::take(&mut task.clients) {
                if let Some(client) = self.clients.remove(&client) {
                    self.poller.remove(&client);
                }
            }
        }
        if let Some(asked) = asked {
            self.answer(asked, Answer::Failed(failure));
        }
        self.forget_unclaimed();
    }

    /// The container did not come to be.
    fn container_failed(&mut self, asked: Option<(u32, u64)>, failure: Failure) {
        self.clean_after_run();
        if let Some(task) = self.tasks.get_mut(&CONTAINER) {
            task.stage = Stage::Idle;
            task.pid = None;
        }
        self.release_container_streams();
        match self.life.start_failed(now(), failure.clone()) {
            Next::Restart(delay) => self.arm(delay, Timer::Restart),
            Next::Leave => self.finish(),
        }
        // Whoever is told may remove the container at once: nothing is written
        // after the answer.
        self.save();
        if let Some(asked) = asked {
            self.answer(asked, Answer::Failed(failure));
        }
    }
}
