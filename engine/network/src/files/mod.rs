//! The files that tell a container who it is and whom to ask: texts only, the
//! caller writes them.

mod hosts;
mod resolv;

pub use hosts::{ExtraHost, HOST_GATEWAY, InvalidExtraHost, hostname, hosts};
pub use resolv::{DnsOptions, RESOLV_CONF, RESOLVED_CONF, host_file, resolv_conf};
