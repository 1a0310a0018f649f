//! System calls behind small typed functions. The only crate besides the shim
//! with `unsafe`; it knows no HTTP, no registry and no container.

pub mod netlink;
pub mod netns;
pub mod nft;
pub mod sock;
pub mod tree;
