//! Talking to the kernel over netlink, one blocking call at a time.
//!
//! [`Socket`] sends typed requests and turns refusals into errors that say what
//! was being done. The rtnetlink calls (links, addresses, routes) are its
//! methods in the submodules; nfnetlink's are in [`crate::nft`]. A socket
//! belongs to the network namespace of the thread that opened it, whoever uses
//! it later. Changes that others make are heard of in [`crate::nft`] only.

mod address;
mod link;
mod route;
pub(crate) mod wire;

use std::io;
use std::os::fd::AsRawFd;
use std::time::Duration;

use dhow_model::{ErrorKind, HasKind};
use netlink_sys::SocketAddr;

pub use address::Address;
pub use link::{Link, MacAddress, NewVeth, NotMac};
pub use route::Route;

use wire::{Answer, Message};

/// A netlink exchange that failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The socket itself failed.
    #[error("netlink: {doing}")]
    Socket {
        doing: &'static str,
        #[source]
        source: io::Error,
    },
    /// The kernel refused the request.
    #[error("{doing}{}", hint(.detail))]
    Refused {
        doing: String,
        /// The kernel's own words, where it has any.
        detail: Option<String>,
        #[source]
        source: io::Error,
    },
    /// The answer never came or made no sense.
    #[error("{doing}: the kernel's answer makes no sense")]
    Answer { doing: String },
}

fn hint(detail: &Option<String>) -> String {
    detail
        .as_ref()
        .map(|text| format!(" ({text})"))
        .unwrap_or_default()
}

impl Error {
    /// The errno behind the refusal.
    pub fn errno(&self) -> Option<i32> {
        match self {
            Self::Socket { source, .. } | Self::Refused { source, .. } => source.raw_os_error(),
            Self::Answer { .. } => None,
        }
    }

    /// Whether the thing named does not exist (any more).
    pub fn is_not_found(&self) -> bool {
        matches!(
            self.errno(),
            Some(libc::ENODEV | libc::ENOENT | libc::ESRCH | libc::EADDRNOTAVAIL)
        )
    }

    /// Whether the thing to be made is there already.
    pub fn is_exists(&self) -> bool {
        self.errno() == Some(libc::EEXIST)
    }
}

impl HasKind for Error {
    fn kind(&self) -> ErrorKind {
        match self.errno() {
            Some(libc::EPERM | libc::EACCES) => ErrorKind::Forbidden,
            _ => ErrorKind::System,
        }
    }
}

/// A netlink socket in one network namespace.
pub struct Socket {
    inner: netlink_sys::Socket,
    sequence: u32,
}

impl Socket {
    /// An rtnetlink socket in the calling thread's network namespace.
    pub fn route() -> Result<Self, Error> {
        Self::open(libc::NETLINK_ROUTE)
    }

    pub(crate) fn open(protocol: i32) -> Result<Self, Error> {
        let failed = |doing| move |source| Error::Socket { doing, source };
        let mut inner = netlink_sys::Socket::new(protocol as isize).map_err(failed("open"))?;
        inner.bind_auto().map_err(failed("bind"))?;
        inner
            .connect(&SocketAddr::new(0, 0))
            .map_err(failed("connect"))?;
        // Both only improve what errors say and how big they are; kernels
        // without them still answer.
        let _ = inner.set_ext_ack(true);
        let _ = inner.set_cap_ack(true);
        Ok(Self { inner, sequence: 0 })
    }

    /// Sends one request and waits for its acknowledgement.
    pub(crate) fn request(
        &mut self,
        message: Message,
        doing: impl FnOnce() -> String,
    ) -> Result<(), Error> {
        let mut refused = None;
        self.exchange(message, wire::NLM_F_ACK, |answer| {
            if let Some(error) = refusal(&answer) {
                refused = Some(error);
            }
        })?;
        match refused {
            None => Ok(()),
            Some((source, detail)) => Err(Error::Refused {
                doing: doing(),
                detail,
                source,
            }),
        }
    }

    /// Sends one request and hands every message of the answer to `each`.
    /// A dump that the kernel calls inconsistent is asked for again, from the
    /// start: `each` gets everything at once, after the dump is whole.
    pub(crate) fn dump(
        &mut self,
        message: Message,
        doing: impl FnOnce() -> String,
        mut each: impl FnMut(&[u8]),
    ) -> Result<(), Error> {
        const ATTEMPTS: usize = 20;
        for _ in 0..ATTEMPTS {
            let mut collected = Vec::new();
            let mut interrupted = false;
            let mut refused = None;
            self.exchange(message.clone(), wire::NLM_F_DUMP, |answer| {
                interrupted |= answer.flags & wire::NLM_F_DUMP_INTR != 0;
                match refusal(&answer) {
                    Some(error) => refused = Some(error),
                    None if answer.kind > wire::NLMSG_DONE => {
                        collected.push(answer.payload.to_vec());
                    }
                    None => {}
                }
            })?;
            if let Some((source, detail)) = refused {
                return Err(Error::Refused {
                    doing: doing(),
                    detail,
                    source,
                });
            }
            if !interrupted {
                collected.iter().for_each(|payload| each(payload));
                return Ok(());
            }
        }
        Err(Error::Refused {
            doing: doing(),
            detail: Some("the list kept changing while it was read".into()),
            source: io::Error::from_raw_os_error(libc::EAGAIN),
        })
    }

    /// Sends one request and returns the one message that answers it.
    pub(crate) fn get(
        &mut self,
        message: Message,
        doing: impl FnOnce() -> String,
    ) -> Result<Vec<u8>, Error> {
        let mut found = None;
        let mut refused = None;
        self.exchange(message, wire::NLM_F_ACK, |answer| match refusal(&answer) {
            Some(error) => refused = Some(error),
            None if answer.kind > wire::NLMSG_DONE => found = Some(answer.payload.to_vec()),
            None => {}
        })?;
        match (refused, found) {
            (Some((source, detail)), _) => Err(Error::Refused {
                doing: doing(),
                detail,
                source,
            }),
            (None, Some(payload)) => Ok(payload),
            (None, None) => Err(Error::Answer { doing: doing() }),
        }
    }

    /// Sends `message` and hands each message of the answer to `each`, until
    /// the acknowledgement, the end of the dump, or an error has come.
    fn exchange(
        &mut self,
        mut message: Message,
        flags: u16,
        mut each: impl FnMut(Answer<'_>),
    ) -> Result<(), Error> {
        message.add_flags(flags);
        let sequence = self.next_sequence();
        self.send(&message.finish(sequence))?;
        loop {
            let datagram = self.receive(0)?;
            for answer in wire::answers(&datagram) {
                if answer.sequence != sequence || answer.kind == wire::NLMSG_NOOP {
                    continue;
                }
                each(answer);
                if matches!(answer.kind, wire::NLMSG_ERROR | wire::NLMSG_DONE) {
                    return Ok(());
                }
            }
        }
    }

    pub(crate) fn next_sequence(&mut self) -> u32 {
        self.sequence = self.sequence.wrapping_add(1).max(1);
        self.sequence
    }

    pub(crate) fn send(&self, bytes: &[u8]) -> Result<(), Error> {
        retry(|| self.inner.send(bytes, 0)).map_err(|source| Error::Socket {
            doing: "send",
            source,
        })?;
        Ok(())
    }

    /// Has the kernel send what it tells this group.
    pub(crate) fn join(&self, group: u32) -> Result<(), Error> {
        self.inner
            .add_membership(group)
            .map_err(|source| Error::Socket {
                doing: "listen",
                source,
            })
    }

    /// Waits until there is something to receive; `false` if there was not for
    /// so long.
    pub(crate) fn wait(&self, at_most: Duration) -> Result<bool, Error> {
        use rustix::event::{PollFd, PollFlags, Timespec, poll};
        let mut fds = [PollFd::new(&self.inner, PollFlags::IN)];
        let limit = Timespec {
            tv_sec: at_most.as_secs().try_into().unwrap_or(i64::MAX),
            tv_nsec: at_most.subsec_nanos().into(),
        };
        match poll(&mut fds, Some(&limit)) {
            Ok(ready) => Ok(ready > 0),
            Err(rustix::io::Errno::INTR) => Ok(false),
            Err(error) => Err(Error::Socket {
                doing: "wait",
                source: error.into(),
            }),
        }
    }

    /// One datagram. netlink keeps those it cannot cut: the size is asked
    /// first, so that a long dump is never truncated.
    pub(crate) fn receive(&self, flags: i32) -> Result<Vec<u8>, Error> {
        let failed = |source| Error::Socket {
            doing: "receive",
            source,
        };
        let mut none: &mut [u8] = &mut [];
        let length = retry(|| {
            self.inner
                .recv(&mut none, flags | libc::MSG_PEEK | libc::MSG_TRUNC)
        })
        .map_err(failed)?;
        let mut datagram: Vec<u8> = Vec::with_capacity(length);
        retry(|| self.inner.recv(&mut datagram, flags)).map_err(failed)?;
        Ok(datagram)
    }

    /// Makes room for `bytes` on the way out and for the answers on the way
    /// in, beyond the system's limits where we may.
    pub(crate) fn reserve(&self, bytes: usize) {
        let bytes = i32::try_from(bytes).unwrap_or(i32::MAX);
        for option in [libc::SO_SNDBUFFORCE, libc::SO_RCVBUFFORCE] {
            // SAFETY: the descriptor is open as long as `inner` lives, and the
            // option's value is an i32 of the length given.
            unsafe {
                libc::setsockopt(
                    self.inner.as_raw_fd(),
                    libc::SOL_SOCKET,
                    option,
                    (&raw const bytes).cast(),
                    size_of::<i32>() as libc::socklen_t,
                );
            }
        }
    }
}

/// What an error message says: the errno and the kernel's words for it. `None`
/// for acknowledgements and messages of other types.
pub(crate) fn refusal(answer: &Answer<'_>) -> Option<(io::Error, Option<String>)> {
    const NLMSGERR_ATTR_MSG: u16 = 1;
    if !matches!(answer.kind, wire::NLMSG_ERROR | wire::NLMSG_DONE) {
        return None;
    }
    let code = wire::u32_at(answer.payload, 0)? as i32;
    if code >= 0 {
        return None;
    }
    let detail = (answer.kind == wire::NLMSG_ERROR && answer.flags & wire::NLM_F_ACK_TLVS != 0)
        .then(|| {
            // The request's header follows the code, and unless capped the
            // whole request.
            let skipped = if answer.flags & wire::NLM_F_CAPPED != 0 {
                4 + wire::HEADER
            } else {
                4 + wire::u32_at(answer.payload, 4)? as usize
            };
            let attributes = answer.payload.get(skipped..)?;
            wire::attribute(attributes, NLMSGERR_ATTR_MSG).map(wire::text)
        })
        .flatten();
    Some((io::Error::from_raw_os_error(-code), detail))
}

fn retry<T>(mut call: impl FnMut() -> io::Result<T>) -> io::Result<T> {
    loop {
        match call() {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            other => return other,
        }
    }
}
