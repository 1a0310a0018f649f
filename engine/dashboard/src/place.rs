//! Where a dashboard may be: on loopback, or where somebody insists.
//!
//! Pure: nothing is bound here.

use std::net::{IpAddr, SocketAddr};

use crate::Error;

/// The second of the two places where another address has to be asked for.
pub const TOLD_VARIABLE: &str = "DHOW_ALLOW_INSECURE_TCP";

/// An address that is fit to be served.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    pub(crate) address: IpAddr,
    pub(crate) port: u16,
}

impl Place {
    /// Loopback always; other addresses only to whoever was `told_twice` what
    /// that means. Port 0 is any that is free.
    pub fn new(address: IpAddr, port: u16, told_twice: bool) -> Result<Self, Error> {
        // A name in `Host` could not be told from a stranger's.
        if address.is_unspecified() {
            return Err(Error::Everywhere(address));
        }
        if !address.is_loopback() && !told_twice {
            return Err(Error::Remote(address));
        }
        Ok(Self { address, port })
    }
}

/// What browsers call the server at `address`, in `Host` and in `Origin`.
pub(crate) fn authority(address: SocketAddr) -> String {
    const HTTP: u16 = 80;
    match (address.port(), address.ip()) {
        (HTTP, IpAddr::V4(ip)) => ip.to_string(),
        (HTTP, IpAddr::V6(ip)) => format!("[{ip}]"),
        _ => address.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::{Place, authority};

    #[test]
    fn only_loopback_unless_told_twice() {
        let place = |text: &str, told| Place::new(text.parse().unwrap(), 1, told).is_ok();
        assert!(place("127.0.0.1", false) && place("127.3.2.1", false) && place("::1", false));
        assert!(!place("192.168.1.2", false) && place("192.168.1.2", true));
        assert!(!place("0.0.0.0", true) && !place("::", true));
    }

    #[test]
    fn browsers_leave_the_usual_port_out() {
        let named = |text: &str| authority(text.parse().unwrap());
        assert_eq!(named("127.0.0.1:80"), "127.0.0.1");
        assert_eq!(named("[::1]:80"), "[::1]");
        assert_eq!(named("[::1]:8080"), "[::1]:8080");
    }
}
