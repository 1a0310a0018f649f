//! Making a terminal in the container for a further process. (The first
//! process's is made by libcontainer.)

use std::io;
use std::os::fd::{AsFd, AsRawFd, FromRawFd, OwnedFd};

use dhow_runtime::protocol::Console;
use rustix::fs::{Mode, OFlags};

/// Both sides of a terminal.
#[derive(Debug)]
pub struct Terminal {
    pub master: OwnedFd,
    pub slave: OwnedFd,
}

/// Opens a terminal of the calling process's `/dev/pts`, and makes it the
/// controlling one. The caller must lead a session.
pub fn open(console: Option<Console>) -> io::Result<Terminal> {
    let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC;
    let master = rustix::fs::open("/dev/ptmx", flags, Mode::empty())?;
    // What the image has at that path is the image's choice; only the real
    // thing will do.
    const PTMX: (u32, u32) = (5, 2);
    let device = rustix::fs::fstat(&master)?.st_rdev;
    if (rustix::fs::major(device), rustix::fs::minor(device)) != PTMX {
        return Err(io::Error::other("/dev/ptmx is not a terminal multiplexer"));
    }
    rustix::pty::unlockpt(&master)?;
    let slave = peer(&master)?;
    if let Some(console) = console {
        resize(&master, console)?;
    }
    rustix::process::ioctl_tiocsctty(&slave)?;
    Ok(Terminal { master, slave })
}

/// A size as specs give it; zero means none.
pub fn size(width: u64, height: u64) -> Option<Console> {
    let (width, height) = (u16::try_from(width).ok()?, u16::try_from(height).ok()?);
    (width > 0 && height > 0).then_some(Console { width, height })
}

/// Tells the terminal its size; its processes learn by signal.
pub fn resize(terminal: impl AsFd, console: Console) -> io::Result<()> {
    let size = rustix::termios::Winsize {
        ws_row: console.height,
        ws_col: console.width,
        ws_xpixel: 0,
        ws_ypixel: 0,
    };
    Ok(rustix::termios::tcsetwinsize(terminal, size)?)
}

/// The slave side, straight from the master: no path of the container's is
/// trusted.
fn peer(master: &OwnedFd) -> io::Result<OwnedFd> {
    let flags = libc::O_RDWR | libc::O_NOCTTY | libc::O_CLOEXEC;
    // SAFETY: the request takes flags by value and returns a new descriptor.
    let fd = unsafe { libc::ioctl(master.as_raw_fd(), libc::TIOCGPTPEER, flags) };
    if fd < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the descriptor is new and nobody else's.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}
