//! System calls behind small typed functions. The only crate besides the shim
//! with `unsafe`; it knows no HTTP, no registry and no container.

pub mod cgroup;
pub mod fdpass;
pub mod memory;
pub mod mount;
pub mod netlink;
pub mod netns;
pub mod nft;
pub mod openat;
pub mod overlay;
pub mod pidfd;
pub mod process;
pub mod sock;
pub mod tree;
