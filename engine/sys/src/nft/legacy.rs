//! Whether legacy iptables (not the nftables-based one) drops forwarded
//! packets. Only read: its rules are replaced a table at a time, which cannot
//! be done without racing with whoever else does it.

use std::fs;
use std::io;
use std::os::fd::AsRawFd;

use rustix::net::{AddressFamily, SocketFlags, SocketType, ipproto};

const IPT_SO_GET_INFO: i32 = 64;
const IPT_SO_GET_ENTRIES: i32 = 65;
const NAME: usize = 32;
/// `struct ipt_getinfo`: name, valid hooks, five entries, five underflows,
/// number and size of entries.
const INFO: usize = NAME + 4 + 20 + 20 + 4 + 4;
/// `struct ipt_get_entries` before its entries (aligned to 8).
const ENTRIES: usize = 40;
const FORWARD: usize = 2;

/// Whether the policy of legacy iptables' FORWARD chain is DROP, in the calling
/// thread's network namespace. `false` where there is no such table.
pub fn legacy_forward_drops() -> io::Result<bool> {
    // Asking for a table would make the kernel load it, hooks and all.
    let loaded = fs::read_to_string("/proc/thread-self/net/ip_tables_names").unwrap_or_default();
    if !loaded.lines().any(|table| table == "filter") {
        return Ok(false);
    }
    let socket = rustix::net::socket_with(
        AddressFamily::INET,
        SocketType::RAW,
        SocketFlags::CLOEXEC,
        Some(ipproto::RAW),
    )?;
    let mut info = vec![0; INFO];
    info[..6].copy_from_slice(b"filter");
    ask(&socket, IPT_SO_GET_INFO, &mut info)?;
    let policy_at = number(&info, NAME + 4 + 20 + FORWARD * 4)? as usize;
    let size = number(&info, INFO - 4)?;

    let mut entries = vec![0; ENTRIES + size as usize];
    entries[..6].copy_from_slice(b"filter");
    entries[NAME..NAME + 4].copy_from_slice(&size.to_ne_bytes());
    ask(&socket, IPT_SO_GET_ENTRIES, &mut entries)?;
    policy_drops(&entries[ENTRIES..], policy_at)
}

/// Whether the policy entry at `at` has the verdict DROP.
fn policy_drops(entries: &[u8], at: usize) -> io::Result<bool> {
    // `struct ipt_entry`: the target's offset stands behind the IP part.
    const TARGET_OFFSET: usize = 88;
    // `struct xt_standard_target`: the verdict stands behind its header.
    const VERDICT: usize = 32;
    const DROP: i32 = -1;
    let offset = entries
        .get(at + TARGET_OFFSET..at + TARGET_OFFSET + 2)
        .ok_or_else(nonsense)?;
    let target = at + usize::from(u16::from_ne_bytes([offset[0], offset[1]]));
    Ok(number(entries, target + VERDICT)? as i32 == DROP)
}

fn number(bytes: &[u8], at: usize) -> io::Result<u32> {
    bytes
        .get(at..at + 4)
        .and_then(|four| four.try_into().ok())
        .map(u32::from_ne_bytes)
        .ok_or_else(nonsense)
}

fn nonsense() -> io::Error {
    io::Error::other("iptables' answer makes no sense")
}

fn ask(socket: &impl AsRawFd, option: i32, buffer: &mut [u8]) -> io::Result<()> {
    let mut length = buffer.len() as libc::socklen_t;
    // SAFETY: the descriptor is open while `socket` is borrowed; the kernel
    // writes at most `length` bytes, which is the buffer's own length.
    let result = unsafe {
        libc::getsockopt(
            socket.as_raw_fd(),
            libc::IPPROTO_IP,
            option,
            buffer.as_mut_ptr().cast(),
            &raw mut length,
        )
    };
    if result == 0 {
        Ok(())
    } else {
        Err(io::Error::last_os_error())
    }
}
