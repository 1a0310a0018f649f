//! Looking into a directory that someone else may be changing.

use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};

use rustix::fs::{AtFlags, CWD, FileType, Mode, OFlags, RawDir, StatxFlags, openat, statfs, statx};

/// How deep a tree may be before readers of it give up: one descriptor per
/// level is held, and no path that deep can be named in one call anyway.
pub const MAX_DEPTH: usize = 900;

/// What is asked of the kernel for a [`Stat`].
const WANTED: StatxFlags = StatxFlags::BASIC_STATS.union(StatxFlags::MNT_ID);

/// What a directory entry is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EntryKind {
    /// A regular file.
    File,
    /// A directory.
    Dir,
    /// A symbolic link.
    Symlink,
    /// A character device.
    Char,
    /// A block device.
    Block,
    /// A named pipe.
    Fifo,
    /// A socket.
    Socket,
}

/// One name in a directory.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Entry {
    /// The name, without any path.
    pub name: Vec<u8>,
}

/// What a tree walker wants to know of an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stat {
    /// What it is.
    pub kind: EntryKind,
    /// Permission bits, set-id and sticky bits.
    pub mode: u32,
    /// Owner.
    pub uid: u32,
    /// Group.
    pub gid: u32,
    /// Length in bytes.
    pub size: u64,
    /// Blocks of 512 bytes in use.
    pub blocks: u64,
    /// Modification time, seconds.
    pub mtime: i64,
    /// Modification time, nanoseconds within the second.
    pub mtime_nsec: u32,
    /// Device numbers of a device node.
    pub rdev: (u32, u32),
    /// The file system it is on.
    pub dev: (u32, u32),
    /// Inode number.
    pub ino: u64,
    /// Number of names.
    pub nlink: u64,
    /// The mount it is seen through.
    pub mount: u64,
}

impl Stat {
    /// Whether this is overlayfs' mark for "nothing here any more".
    pub fn is_whiteout(&self) -> bool {
        self.kind == EntryKind::Char && self.rdev == (0, 0)
    }
}

impl From<rustix::fs::Statx> for Stat {
    fn from(stat: rustix::fs::Statx) -> Self {
        let kind = match FileType::from_raw_mode(stat.stx_mode.into()) {
            FileType::Directory => EntryKind::Dir,
            FileType::Symlink => EntryKind::Symlink,
            FileType::CharacterDevice => EntryKind::Char,
            FileType::BlockDevice => EntryKind::Block,
            FileType::Fifo => EntryKind::Fifo,
            FileType::Socket => EntryKind::Socket,
            _ => EntryKind::File,
        };
        Self {
            kind,
            mode: u32::from(stat.stx_mode) & 0o7777,
            uid: stat.stx_uid,
            gid: stat.stx_gid,
            size: stat.stx_size,
            blocks: stat.stx_blocks,
            mtime: stat.stx_mtime.tv_sec,
            mtime_nsec: stat.stx_mtime.tv_nsec,
            rdev: (stat.stx_rdev_major, stat.stx_rdev_minor),
            dev: (stat.stx_dev_major, stat.stx_dev_minor),
            ino: stat.stx_ino,
            nlink: stat.stx_nlink.into(),
            mount: stat.stx_mnt_id,
        }
    }
}

/// The names in the directory `dir`, sorted, without `.` and `..`. Opens the
/// directory anew, so `dir` may be an `O_PATH` handle and keeps its offset.
pub fn read_dir(dir: BorrowedFd<'_>) -> io::Result<Vec<Entry>> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC | OFlags::NOFOLLOW;
    let dir = openat(dir, ".", flags, Mode::empty())?;
    let mut buffer = Vec::with_capacity(32 * 1024);
    let mut entries = Vec::new();
    let mut raw = RawDir::new(dir.as_fd(), buffer.spare_capacity_mut());
    while let Some(entry) = raw.next() {
        let entry = entry?;
        let name = entry.file_name().to_bytes();
        if name != b"." && name != b".." {
            entries.push(Entry {
                name: name.to_vec(),
            });
        }
    }
    entries.sort_unstable();
    Ok(entries)
}

/// What `name` in `dir` is, links not followed; the directory itself where
/// `name` is empty.
pub fn stat_at(dir: BorrowedFd<'_>, name: &[u8]) -> io::Result<Stat> {
    let flags = AtFlags::SYMLINK_NOFOLLOW | AtFlags::EMPTY_PATH;
    Ok(statx(dir, name, flags, WANTED)?.into())
}

/// Opens the regular file `name` for reading. The inode is pinned before it is
/// opened, so that swapping in a device or a pipe meanwhile is an error
/// (`InvalidInput`), not a side effect.
pub fn open_file(dir: BorrowedFd<'_>, name: &[u8]) -> io::Result<(OwnedFd, Stat)> {
    let flags = OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let handle = openat(dir, name, flags, Mode::empty())?;
    let stat = stat_at(handle.as_fd(), b"")?;
    if stat.kind != EntryKind::File {
        return Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            "not a regular file any more",
        ));
    }
    let path = format!("/proc/self/fd/{}", handle.as_raw_fd());
    let file = openat(CWD, path, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty())?;
    Ok((file, stat))
}

/// The target of the symbolic link `name`.
pub fn read_link(dir: BorrowedFd<'_>, name: &[u8]) -> io::Result<Vec<u8>> {
    Ok(rustix::fs::readlinkat(dir, name, Vec::new())?.into_bytes())
}

/// Whether `dir` is on a file system that shows the kernel's own state, such as
/// `/proc`: no content to copy.
pub fn is_kernel_state(dir: BorrowedFd<'_>) -> io::Result<bool> {
    // linux/magic.h: proc, sysfs, cgroup, cgroup2, devpts, mqueue, debugfs,
    // tracefs, securityfs, bpf.
    const MAGIC: [u64; 10] = [
        0x9fa0,
        0x6265_6572,
        0x0027_e0eb,
        0x6367_7270,
        0x1cd1,
        0x1980_0202,
        0x6462_6720,
        0x7472_6163,
        0x7363_6673,
        0xcafe_4a11,
    ];
    let path = format!("/proc/self/fd/{}", dir.as_raw_fd());
    let kind = statfs(path)?.f_type;
    // Signed or unsigned, narrow or wide, by architecture.
    #[allow(clippy::unnecessary_cast)]
    let kind = kind as u64 & 0xffff_ffff;
    Ok(MAGIC.contains(&kind))
}
