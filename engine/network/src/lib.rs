//! The engine's networks: address and port plans, the default bridge with its
//! nftables table, network namespaces made ahead of time, and the files that
//! tell a container its names.
//!
//! [`plan`] and [`files`] are pure. [`Bridge`] applies plans to the kernel and
//! knows who has which address and port; [`NamespacePool`] keeps namespaces
//! ready, plugged in and addressed, because a start must not wait for them.
//! Nothing here spawns programs, knows images or processes, or is async.
//!
//! A container's life here: [`NamespacePool::attach`] gives a namespace with
//! `eth0` and the sockets that hold its host ports; the shim keeps both.
//! [`Bridge::detach`] takes ports and address back. After a restart of the
//! daemon [`Bridge::adopt`] registers every running container's [`Endpoint`]
//! again and [`Bridge::reconcile`] clears what belongs to none.

#![forbid(unsafe_code)]

mod bridge;
mod endpoint;
mod error;
pub mod files;
mod firewall;
mod listener;
mod namespace;
pub mod plan;
mod pool;
mod sysctl;

pub use bridge::{Attached, Bridge, BridgeConfig, Refused};
pub use dhow_sys::netlink::{MacAddress, NotMac};
pub use endpoint::{Endpoint, EndpointRequest, PortRequest, Protocol, PublishedPort};
pub use error::Error;
pub use listener::Listener;
pub use namespace::{INTERFACE, Namespace, unplugged};
pub use pool::NamespacePool;
