//! Extended attributes of a name in a directory, never through a link.

use std::ffi::CStr;
use std::io;
use std::os::fd::{AsRawFd, BorrowedFd};

use rustix::fs::XattrFlags;
use rustix::io::Errno;

/// What overlayfs keeps on a directory that hides the layers below it.
const OPAQUE: &[u8] = b"trusted.overlay.opaque";

/// The path of `name` in `dir`. Link-like attributes calls take only paths;
/// through `/proc/self/fd` the directory part cannot be swapped.
fn path(dir: BorrowedFd<'_>, name: &[u8]) -> Vec<u8> {
    let mut path = format!("/proc/self/fd/{}/", dir.as_raw_fd()).into_bytes();
    path.extend_from_slice(if name.is_empty() { b"." } else { name });
    path
}

/// Sets attribute `key` of `name` itself.
pub fn set_xattr(dir: BorrowedFd<'_>, name: &[u8], key: &[u8], value: &[u8]) -> io::Result<()> {
    Ok(rustix::fs::lsetxattr(
        path(dir, name),
        key,
        value,
        XattrFlags::empty(),
    )?)
}

/// Attribute `key` of `name` itself, `None` where there is none.
pub fn get_xattr(dir: BorrowedFd<'_>, name: &[u8], key: &[u8]) -> io::Result<Option<Vec<u8>>> {
    let path = path(dir, name);
    let mut value = vec![0; 256];
    loop {
        match rustix::fs::lgetxattr(&path, key, &mut value) {
            Ok(length) => {
                value.truncate(length);
                return Ok(Some(value));
            }
            Err(Errno::NODATA | Errno::OPNOTSUPP) => return Ok(None),
            // 64 KiB is the kernel's own bound on one value.
            Err(Errno::RANGE) if value.len() < 65536 => value.resize(65536, 0),
            Err(error) => return Err(error.into()),
        }
    }
}

/// The names of all attributes of `name` itself.
pub fn list_xattrs(dir: BorrowedFd<'_>, name: &[u8]) -> io::Result<Vec<Vec<u8>>> {
    let path = path(dir, name);
    let mut names = vec![0; 1024];
    let length = loop {
        match rustix::fs::llistxattr(&path, &mut names) {
            Ok(length) => break length,
            Err(Errno::OPNOTSUPP) => return Ok(Vec::new()),
            Err(Errno::RANGE) if names.len() < 65536 => names.resize(65536, 0),
            Err(error) => return Err(error.into()),
        }
    };
    let mut rest = &names[..length];
    let mut found = Vec::new();
    while let Ok(name) = CStr::from_bytes_until_nul(rest) {
        rest = &rest[name.to_bytes_with_nul().len()..];
        found.push(name.to_bytes().to_vec());
    }
    Ok(found)
}

/// Marks the directory `name` so that overlayfs shows nothing of the layers
/// below it.
pub fn set_opaque(dir: BorrowedFd<'_>, name: &[u8]) -> io::Result<()> {
    set_xattr(dir, name, OPAQUE, b"y")
}

/// Whether overlayfs hides what lies below the directory `name`.
pub fn is_opaque(dir: BorrowedFd<'_>, name: &[u8]) -> io::Result<bool> {
    Ok(get_xattr(dir, name, OPAQUE)?.as_deref() == Some(b"y"))
}
