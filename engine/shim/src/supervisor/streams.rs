//! Moving bytes: output to log and clients, clients' input to processes.
//!
//! A task's output is read only while none of its clients has any waiting, and
//! clients are read only while the task's input has none waiting: whoever is
//! slow holds back just the other side.

use std::io;
use std::os::fd::OwnedFd;

use dhow_runtime::logs::Stream;
use dhow_runtime::protocol::Attach;

use super::{CHUNK, CONTAINER, Supervisor, now};
use crate::poller::{Interest, Ready, Token};
use crate::streams::{Client, Kind, Sent, Stage, Task};

impl Supervisor {
    /// Joins a client's socket to a task.
    pub(super) fn join(&mut self, task_id: u32, attach: &Attach, socket: OwnedFd) {
        let id = self.fresh_id();
        let Some(task) = self.tasks.get_mut(&task_id) else {
            return;
        };
        let client = match Client::new(task_id, task.tty, socket, attach) {
            Ok(client) => client,
            Err(e) => return eprintln!("a client was lost: {e}"),
        };
        task.clients.push(id);
        if let Err(e) = self
            .poller
            .add(&client, Token::Client(id), Interest::default())
        {
            return eprintln!("a client was lost: {e}");
        }
        self.clients.insert(id, client);
        self.take_early_input(id);
        self.update_client(id);
    }

    /// The task runs now: its clients' input is wanted.
    pub(super) fn wake_clients(&mut self, task: u32) {
        let Some(task) = self.tasks.get(&task) else {
            return;
        };
        for client in task.clients.clone() {
            self.take_early_input(client);
            self.update_client(client);
            self.read_rest(client);
        }
    }

    /// Reads a piece of output and passes it on.
    pub(super) fn pump_output(&mut self, id: u32, side: u8) {
        // Another event of the same round may have closed it or held it back.
        let polled = |task: &Task| task.outputs[usize::from(side)].polled;
        if self.tasks.get(&id).is_some_and(polled) {
            self.read_output(id, side);
            self.finish_if_drained(id);
        }
    }

    /// Reads once. Returns whether there may be more.
    fn read_output(&mut self, id: u32, side: u8) -> bool {
        let Some(task) = self.tasks.get_mut(&id) else {
            return false;
        };
        let output = &mut task.outputs[usize::from(side)];
        let Some(fd) = &output.fd else {
            return false;
        };
        let length = match rustix::io::read(fd, &mut self.buffer[..CHUNK]) {
            Ok(length) => length,
            Err(rustix::io::Errno::AGAIN | rustix::io::Errno::INTR) => return false,
            // A terminal whose last process has gone.
            Err(_) => 0,
        };
        if length == 0 {
            self.poller.remove(fd);
            *output = Default::default();
            return false;
        }
        let stream = match side {
            0 => Stream::Stdout,
            _ => Stream::Stderr,
        };
        let chunk = &self.buffer[..length];
        match &mut task.kind {
            Kind::Container => self.log.write(stream, chunk, &mut now),
            Kind::Exec(_) => {}
            Kind::Probe { output, .. } => output.push(chunk),
        }
        let mut gone = Vec::new();
        let mut waiting = Vec::new();
        for client_id in &task.clients {
            let Some(client) = self.clients.get_mut(client_id) else {
                continue;
            };
            if !client.wants(stream) {
                continue;
            }
            match client.send(stream, chunk) {
                Sent::All => {}
                Sent::Waiting => waiting.push(*client_id),
                Sent::Gone => gone.push(*client_id),
            }
        }
        if !waiting.is_empty() {
            self.hold_output(id);
            for client in waiting {
                self.update_client(client);
            }
        }
        for client in gone {
            self.lose_client(client, false);
        }
        true
    }

    /// Reads all there is, whatever clients do: the process has ended.
    pub(super) fn drain(&mut self, id: u32) {
        for side in [0, 1] {
            while self.read_output(id, side) {}
        }
    }

    /// Whether a client is too slow for the task.
    pub(super) fn is_held_back(&self, id: u32) -> bool {
        let waits = |client: &u32| self.clients.get(client).is_some_and(Client::is_waiting);
        self.tasks
            .get(&id)
            .is_some_and(|task| task.clients.iter().any(waits))
    }

    fn hold_output(&mut self, id: u32) {
        let Some(task) = self.tasks.get_mut(&id) else {
            return;
        };
        for output in &mut task.outputs {
            if let Some(fd) = &output.fd
                && output.polled
            {
                // Not just no interest: being hung up is told in any case.
                self.poller.remove(fd);
                output.polled = false;
            }
        }
    }

    /// Reads the task's output again, unless a client holds it back.
    pub(super) fn resume_output(&mut self, id: u32) {
        if self.is_held_back(id) {
            return;
        }
        let Some(task) = self.tasks.get_mut(&id) else {
            return;
        };
        for (side, output) in (0..).zip(&mut task.outputs) {
            if let Some(fd) = &output.fd
                && !output.polled
            {
                match self.poller.add(fd, Token::Output(id, side), Interest::READ) {
                    Ok(()) => output.polled = true,
                    Err(e) => eprintln!("output cannot be waited for: {e}"),
                }
            }
        }
    }

    /// A client's socket is ready.
    pub(super) fn serve_client(&mut self, id: u32, event: Ready) {
        if event.writable || event.hung_up {
            let Some(client) = self.clients.get_mut(&id) else {
                return;
            };
            match client.flush() {
                Sent::Gone => return self.lose_client(id, event.hung_up),
                Sent::All if client.leaving => return self.let_go(id),
                Sent::All => {
                    let task = client.task;
                    self.update_client(id);
                    self.resume_output(task);
                    self.finish_if_drained(task);
                }
                Sent::Waiting => {}
            }
        }
        if event.hung_up {
            self.lose_client(id, true);
        } else if event.readable {
            self.read_client(id);
        }
    }

    /// A client takes no more output; it may have closed its socket altogether.
    /// What it has sent is still the task's.
    fn lose_client(&mut self, id: u32, closed: bool) {
        let Some(client) = self.clients.get_mut(&id) else {
            return;
        };
        if !client.stdin {
            return self.drop_client(id);
        }
        client.stop_output();
        let task = client.task;
        if closed && !client.closed {
            client.closed = true;
            // Being hung up would be told over and over.
            self.poller.remove(client);
        }
        self.resume_output(task);
        self.update_client(id);
        self.read_rest(id);
    }

    /// Reads what a client sent before it closed, as far as it is taken now.
    fn read_rest(&mut self, id: u32) {
        while let Some(client) = self.clients.get(&id)
            && client.closed
            && client.stdin
            && self.takes_input(client.task)
        {
            self.read_client(id);
        }
    }

    fn read_client(&mut self, id: u32) {
        let Some(client) = self.clients.get(&id) else {
            return;
        };
        let may_read = self.takes_input(client.task);
        if !client.stdin || !may_read {
            return;
        }
        let mut buffer = [0; 8 * 1024];
        match client.read(&mut buffer) {
            Ok(0) => self.end_client_input(id),
            Ok(length) => self.take_input(id, &buffer[..length]),
            Err(e) if e.kind() == io::ErrorKind::WouldBlock && !client.closed => {}
            Err(_) => return self.drop_client(id),
        }
        self.update_client(id);
    }

    fn take_early_input(&mut self, id: u32) {
        let Some(client) = self.clients.get_mut(&id) else {
            return;
        };
        if client.early.is_empty() {
            return;
        }
        if !client.stdin {
            client.early = Vec::new();
            return;
        }
        let task = client.task;
        if self.takes_input(task)
            && let Some(client) = self.clients.get_mut(&id)
        {
            let early = std::mem::take(&mut client.early);
            self.take_input(id, &early);
        }
    }

    fn take_input(&mut self, id: u32, typed: &[u8]) {
        let Some(client) = self.clients.get_mut(&id) else {
            return;
        };
        let mut passed = Vec::with_capacity(typed.len());
        let detached = client.keys.filter(typed, &mut passed);
        let task_id = client.task;
        if let Some(task) = self.tasks.get_mut(&task_id) {
            task.input.waiting.extend_from_slice(&passed);
            let exec = task.exec_id().cloned();
            self.feed_input(task_id);
            if detached {
                self.life.detached(now(), exec);
                self.let_go(id);
            }
        }
    }

    /// A client will send no more.
    fn end_client_input(&mut self, id: u32) {
        let Some(client) = self.clients.get_mut(&id) else {
            return;
        };
        client.stdin = false;
        let Some(task) = self.tasks.get_mut(&client.task) else {
            return;
        };
        if task.ends_with_client && !task.tty {
            task.input.closing = true;
            let task = client.task;
            self.feed_input(task);
        } else {
            // As Docker does: without input the conversation is over.
            self.let_go(id);
        }
    }

    /// Whether the task takes input now.
    fn takes_input(&self, id: u32) -> bool {
        self.tasks.get(&id).is_some_and(|task| {
            task.is_running()
                && task.input.waiting.is_empty()
                && (task.input.fd.is_some() || !task.tty)
        })
    }

    /// Gives the process what it has waiting, as far as it takes it.
    pub(super) fn feed_input(&mut self, id: u32) {
        let Some(task) = self.tasks.get_mut(&id) else {
            return;
        };
        let input = &mut task.input;
        let Some(fd) = &input.fd else {
            // Nobody reads it any more; clients may talk on in vain.
            input.waiting.clear();
            return;
        };
        let before = !input.waiting.is_empty();
        while !input.waiting.is_empty() {
            match rustix::io::write(fd, &input.waiting) {
                Ok(taken) => {
                    input.waiting.drain(..taken);
                }
                Err(rustix::io::Errno::INTR) => {}
                Err(rustix::io::Errno::AGAIN) => break,
                Err(_) => {
                    input.waiting.clear();
                    input.closing = true;
                }
            }
        }
        let stuck = !input.waiting.is_empty();
        if stuck {
            let interest = Interest {
                read: false,
                write: true,
            };
            // Known already, or not: both are fine.
            if self.poller.add(fd, Token::Input(id), interest).is_err() {
                let _ = self.poller.change(fd, Token::Input(id), interest);
            }
        } else {
            input.waiting = Vec::new();
            self.poller.remove(fd);
            if input.closing {
                input.fd = None;
            }
        }
        if before {
            for client in task.clients.clone() {
                self.update_client(client);
            }
        }
    }

    /// The process takes input again.
    pub(super) fn refill_input(&mut self, id: u32) {
        self.feed_input(id);
        let clients = self.tasks.get(&id).map(|task| task.clients.clone());
        for client in clients.unwrap_or_default() {
            self.read_rest(client);
        }
    }

    pub(super) fn close_input(&mut self, id: u32) {
        if let Some(task) = self.tasks.get_mut(&id)
            && let Some(fd) = task.input.fd.take()
        {
            self.poller.remove(&fd);
            task.input.waiting = Vec::new();
        }
    }

    /// Has the poller wait for what the client can do now.
    fn update_client(&mut self, id: u32) {
        let Some(client) = self.clients.get(&id) else {
            return;
        };
        if client.closed {
            return;
        }
        let interest = Interest {
            read: client.stdin && client.early.is_empty() && self.takes_input(client.task),
            write: client.is_waiting(),
        };
        let _ = self.poller.change(client, Token::Client(id), interest);
    }

    /// The client is through: it goes once it has everything.
    pub(super) fn let_go(&mut self, id: u32) {
        let Some(client) = self.clients.get_mut(&id) else {
            return;
        };
        client.leaving = true;
        client.stdin = false;
        if client.flush() == Sent::Waiting {
            return self.update_client(id);
        }
        let Some(client) = self.clients.remove(&id) else {
            return;
        };
        self.poller.remove(&client);
        self.part(id, client.task);
        client.close();
    }

    /// The client is gone.
    fn drop_client(&mut self, id: u32) {
        let Some(client) = self.clients.remove(&id) else {
            return;
        };
        self.poller.remove(&client);
        let wanted_input = client.stdin;
        let task_id = client.task;
        self.part(id, task_id);
        if wanted_input
            && let Some(task) = self.tasks.get_mut(&task_id)
            && task.ends_with_client
            && !task.tty
        {
            task.input.closing = true;
            self.feed_input(task_id);
        }
    }

    fn part(&mut self, id: u32, task_id: u32) {
        if let Some(task) = self.tasks.get_mut(&task_id) {
            task.clients.retain(|client| *client != id);
        }
        self.resume_output(task_id);
        if task_id != CONTAINER {
            self.finish_if_drained(task_id);
        }
    }

    /// Closes all of a task's own descriptors.
    pub(super) fn close_streams(&mut self, task: &mut Task) {
        for output in &mut task.outputs {
            if let Some(fd) = output.fd.take() {
                self.poller.remove(&fd);
            }
            output.polled = false;
        }
        if let Some(fd) = task.input.fd.take() {
            self.poller.remove(&fd);
        }
        task.input = Default::default();
        if let Stage::Starting(start) = &task.stage {
            self.poller.remove(&start.report);
        }
    }
}
