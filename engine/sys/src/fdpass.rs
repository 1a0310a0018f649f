//! Unix stream sockets that carry file descriptors (`SCM_RIGHTS`), at paths of
//! any length. Knows nothing of what is said on them.

use std::io::{self, IoSlice, IoSliceMut, Write};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;

use rustix::fs::{Mode, OFlags};
use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer,
    SendAncillaryMessage, SendFlags, recvmsg, sendmsg,
};

/// The most descriptors taken from one message.
const MAX_FDS: usize = 8;

/// Connects to the socket `name` in `dir`. The address names the directory by
/// descriptor, so its length does not matter.
pub fn connect_in(dir: &Path, name: &str) -> io::Result<UnixStream> {
    let dir = open_dir(dir)?;
    UnixStream::connect(short_path(&dir, name))
}

/// Listens on the socket `name` in `dir`, replacing a leftover one.
pub fn listen_in(dir: &Path, name: &str) -> io::Result<UnixListener> {
    let dir = open_dir(dir)?;
    let path = short_path(&dir, name);
    match std::fs::remove_file(&path) {
        Err(e) if e.kind() != io::ErrorKind::NotFound => Err(e),
        _ => UnixListener::bind(path),
    }
}

/// Sends all of `bytes`, the descriptor with the first of them. The receiver
/// gets a copy of it. On a non-blocking socket without room this fails with
/// `WouldBlock` having sent nothing; with room for a part only it waits.
pub fn send_all(
    mut stream: &UnixStream,
    bytes: &[u8],
    fd: Option<BorrowedFd<'_>>,
) -> io::Result<()> {
    let mut sent = send(stream, bytes, fd)?;
    while sent < bytes.len() {
        match stream.write(&bytes[sent..]) {
            Ok(n) => sent += n,
            Err(e) if e.kind() == io::ErrorKind::WouldBlock => {
                let mut poll = [rustix::event::PollFd::new(
                    stream,
                    rustix::event::PollFlags::OUT,
                )];
                rustix::event::poll(&mut poll, None)?;
            }
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            Err(e) => return Err(e),
        }
    }
    Ok(())
}

/// Sends as much of `bytes` as fits, the descriptor with the first of them.
pub fn send(stream: impl AsFd, bytes: &[u8], fd: Option<BorrowedFd<'_>>) -> io::Result<usize> {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut ancillary = SendAncillaryBuffer::new(&mut space);
    let fds = fd.as_slice();
    if !fds.is_empty() {
        ancillary.push(SendAncillaryMessage::ScmRights(fds));
    }
    loop {
        let data = [IoSlice::new(bytes)];
        match sendmsg(&stream, &data, &mut ancillary, SendFlags::NOSIGNAL) {
            Ok(n) => return Ok(n),
            Err(rustix::io::Errno::INTR) => {}
            Err(e) => return Err(e.into()),
        }
    }
}

/// Receives bytes, and the descriptors that came with them, closed on exec.
pub fn recv(stream: impl AsFd, bytes: &mut [u8], fds: &mut Vec<OwnedFd>) -> io::Result<usize> {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(MAX_FDS))];
    let mut ancillary = RecvAncillaryBuffer::new(&mut space);
    let received = loop {
        let mut data = [IoSliceMut::new(bytes)];
        let flags = RecvFlags::CMSG_CLOEXEC;
        match recvmsg(&stream, &mut data, &mut ancillary, flags) {
            Ok(received) => break received,
            Err(rustix::io::Errno::INTR) => {}
            Err(e) => return Err(e.into()),
        }
    };
    for message in ancillary.drain() {
        if let RecvAncillaryMessage::ScmRights(rights) = message {
            fds.extend(rights);
        }
    }
    Ok(received.bytes)
}

fn open_dir(dir: &Path) -> io::Result<OwnedFd> {
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    Ok(rustix::fs::open(dir, flags, Mode::empty())?)
}

fn short_path(dir: &OwnedFd, name: &str) -> String {
    format!("/proc/self/fd/{}/{name}", dir.as_raw_fd())
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Seek};

    use super::*;

    #[test]
    fn a_descriptor_travels_with_its_bytes_over_a_long_path() {
        let root = std::env::temp_dir().join(format!("dhow-fdpass-{}", std::process::id()));
        let dir = root.join("x".repeat(100)).join("y".repeat(100));
        std::fs::create_dir_all(&dir).unwrap();
        let result = std::panic::catch_unwind(|| {
            let listener = listen_in(&dir, "s").unwrap();
            drop(listener);
            let listener = listen_in(&dir, "s").unwrap();
            let client = connect_in(&dir, "s").unwrap();
            let (server, _) = listener.accept().unwrap();

            let mut file = std::fs::File::options()
                .create(true)
                .truncate(true)
                .read(true)
                .write(true)
                .open(dir.join("f"))
                .unwrap();
            file.write_all(b"content").unwrap();
            file.rewind().unwrap();
            send_all(&client, b"take this", Some(file.as_fd())).unwrap();
            let (mut bytes, mut fds) = ([0; 64], Vec::new());
            let n = recv(&server, &mut bytes, &mut fds).unwrap();
            assert_eq!(&bytes[..n], b"take this");
            let mut text = String::new();
            let mut file = std::fs::File::from(fds.pop().unwrap());
            file.read_to_string(&mut text).unwrap();
            assert_eq!(text, "content");
        });
        std::fs::remove_dir_all(&root).unwrap();
        result.unwrap();
    }
}
