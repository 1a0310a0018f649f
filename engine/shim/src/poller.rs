//! Waiting for descriptors: epoll with typed tokens.

use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::time::Duration;

use rustix::event::Timespec;
use rustix::event::epoll::{self, CreateFlags, EventData, EventFlags};

/// What a descriptor is to the supervisor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Token {
    /// Signals of the process itself.
    Signals,
    /// The socket that daemons connect to.
    Listener,
    /// A daemon's connection.
    Connection(u32),
    /// What a child that is becoming a task's process reports.
    Report(u32),
    /// A task's output stream: 0 or 1.
    Output(u32, u8),
    /// A task's input.
    Input(u32),
    /// A client joined to a task.
    Client(u32),
    /// Memory pressure.
    Oom,
    /// A published port's socket, by its place in the configuration.
    Port(u32),
    /// One side of a carried connection: 0 is the outer one.
    Carried(u32, u8),
}

impl Token {
    fn pack(self) -> u64 {
        let (kind, side, id) = match self {
            Self::Signals => (0, 0, 0),
            Self::Listener => (1, 0, 0),
            Self::Connection(id) => (2, 0, id),
            Self::Report(id) => (3, 0, id),
            Self::Output(id, side) => (4, side, id),
            Self::Input(id) => (5, 0, id),
            Self::Client(id) => (6, 0, id),
            Self::Oom => (7, 0, 0),
            Self::Port(id) => (8, 0, id),
            Self::Carried(id, side) => (9, side, id),
        };
        kind << 40 | u64::from(side) << 32 | u64::from(id)
    }

    fn unpack(data: u64) -> Option<Self> {
        let (kind, side, id) = (data >> 40, (data >> 32) as u8, data as u32);
        Some(match kind {
            0 => Self::Signals,
            1 => Self::Listener,
            2 => Self::Connection(id),
            3 => Self::Report(id),
            4 => Self::Output(id, side),
            5 => Self::Input(id),
            6 => Self::Client(id),
            7 => Self::Oom,
            8 => Self::Port(id),
            9 => Self::Carried(id, side),
            _ => return None,
        })
    }
}

/// What a descriptor is ready for.
#[derive(Debug, Clone, Copy)]
pub struct Ready {
    pub token: Token,
    pub readable: bool,
    pub writable: bool,
    /// The other side is gone altogether, or the descriptor is broken.
    pub hung_up: bool,
}

/// What to wait for. Being hung up is always told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Interest {
    pub read: bool,
    pub write: bool,
}

impl Interest {
    pub const READ: Self = Self {
        read: true,
        write: false,
    };

    fn flags(self) -> EventFlags {
        let mut flags = EventFlags::empty();
        flags.set(EventFlags::IN, self.read);
        flags.set(EventFlags::OUT, self.write);
        flags
    }
}

/// The descriptors waited for.
#[derive(Debug)]
pub struct Poller {
    epoll: OwnedFd,
}

impl Poller {
    pub fn new() -> io::Result<Self> {
        Ok(Self {
            epoll: epoll::create(CreateFlags::CLOEXEC)?,
        })
    }

    pub fn add(&self, fd: impl AsFd, token: Token, interest: Interest) -> io::Result<()> {
        let data = EventData::new_u64(token.pack());
        Ok(epoll::add(&self.epoll, fd, data, interest.flags())?)
    }

    pub fn change(&self, fd: impl AsFd, token: Token, interest: Interest) -> io::Result<()> {
        let data = EventData::new_u64(token.pack());
        Ok(epoll::modify(&self.epoll, fd, data, interest.flags())?)
    }

    /// Forgets a descriptor. Needed even before closing it: a child that was
    /// forked may hold a copy, which would keep it in the set.
    pub fn remove(&self, fd: impl AsFd) {
        let _ = epoll::delete(&self.epoll, fd);
    }

    /// Waits until something is ready, or the time is over.
    pub fn wait(&self, timeout: Option<Duration>, ready: &mut Vec<Ready>) -> io::Result<()> {
        let mut events = [epoll::Event {
            flags: EventFlags::empty(),
            data: EventData::new_u64(0),
        }; 32];
        let timeout = timeout.map(|timeout| Timespec {
            tv_sec: timeout.as_secs().try_into().unwrap_or(i64::MAX),
            tv_nsec: timeout.subsec_nanos().into(),
        });
        ready.clear();
        let count = match epoll::wait(&self.epoll, &mut events[..], timeout.as_ref()) {
            Ok(count) => count,
            Err(rustix::io::Errno::INTR) => 0,
            Err(e) => return Err(e.into()),
        };
        for event in &events[..count] {
            let flags = event.flags;
            if let Some(token) = Token::unpack(event.data.u64()) {
                ready.push(Ready {
                    token,
                    readable: flags.contains(EventFlags::IN),
                    writable: flags.contains(EventFlags::OUT),
                    hung_up: flags.intersects(EventFlags::HUP | EventFlags::ERR),
                });
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_survive_packing() {
        for token in [
            Token::Signals,
            Token::Output(u32::MAX, 1),
            Token::Carried(7, 1),
            Token::Oom,
        ] {
            assert_eq!(Token::unpack(token.pack()), Some(token));
        }
    }
}
