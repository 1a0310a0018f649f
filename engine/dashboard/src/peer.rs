//! Whose process is at the other end of a connection on this machine: the
//! kernel's own tables say. Anything but Linux has none, and so nobody there.

use std::net::{IpAddr, SocketAddr};

/// The user whose process connected from `peer` to `here`.
pub fn owner(peer: SocketAddr, here: SocketAddr) -> Option<u32> {
    // A socket for both families shows IPv4 in the table of IPv6.
    ["/proc/net/tcp", "/proc/net/tcp6"]
        .iter()
        .filter_map(|path| std::fs::read_to_string(path).ok())
        .find_map(|table| find(&table, peer, here))
}

fn find(table: &str, peer: SocketAddr, here: SocketAddr) -> Option<u32> {
    let (from, to) = (names(peer), names(here));
    table.lines().find_map(|line| {
        let mut columns = line.split_whitespace().skip(1);
        let (local, remote) = (columns.next()?, columns.next()?);
        if !from.iter().any(|name| name == local) || !to.iter().any(|name| name == remote) {
            return None;
        }
        columns.nth(4)?.parse().ok()
    })
}

/// How the tables write an address: words of 32 bits as they lie in memory.
fn names(address: SocketAddr) -> [String; 2] {
    let port = address.port();
    let written = |octets: &[u8]| -> String {
        let words = octets.chunks_exact(4).map(|word| {
            let bytes = [word[0], word[1], word[2], word[3]];
            format!("{:08X}", u32::from_ne_bytes(bytes))
        });
        format!("{}:{port:04X}", words.collect::<String>())
    };
    match address.ip() {
        IpAddr::V4(ip) => [
            written(&ip.octets()),
            written(&ip.to_ipv6_mapped().octets()),
        ],
        IpAddr::V6(ip) => [written(&ip.octets()), String::new()],
    }
}

#[cfg(test)]
mod tests {
    use super::owner;
    use std::net::{TcpListener, TcpStream};
    use std::os::unix::fs::MetadataExt as _;

    #[test]
    fn the_kernel_knows_who_connected() {
        let me = std::fs::metadata("/proc/self").unwrap().uid();
        for address in ["127.0.0.1:0", "[::1]:0"] {
            let listener = TcpListener::bind(address).unwrap();
            let here = listener.local_addr().unwrap();
            let client = TcpStream::connect(here).unwrap();
            let peer = client.local_addr().unwrap();
            assert_eq!(owner(peer, here), Some(me));
            assert_eq!(owner(here, here), None);
        }
    }
}
